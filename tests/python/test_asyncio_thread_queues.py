# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Queues of an AsyncioThread."""

import asyncio
import threading
import unittest
import warnings
import weakref

from loop_thread_util import LoopThreadCase
from util import LIMIT, Concur, Gate, Thing, gone, run_script, wait_until


class QueueCase(LoopThreadCase):
    thread_class = Concur.AsyncioThread

    def queue(self, **options):
        thread = self.loop_thread()
        return thread, thread.create_queue_threadsafe(start=True, **options)

    def size(self, thread, queue):
        return thread.call(queue.qsize)


class TestCreate(QueueCase):
    def test_before_the_start(self):
        thread = Concur.AsyncioThread()
        queue = thread.create_queue_threadsafe()
        seen = []

        @thread.task
        async def consume():
            # It is there when the tasks begin.
            seen.append(await queue.get())

        for number in range(2):
            with self.assertRaises(Concur.NotReadyError):
                thread.put_threadsafe(queue, 1)
            with self.assertRaises(Concur.NotReadyError):
                thread.get_threadsafe(queue)
            with self.assertRaises(Concur.NotReadyError):
                queue.put_nowait(1)
            with thread:
                thread.put_threadsafe(queue, number).result(LIMIT)
                wait_until(lambda: len(seen) > number)
        self.assertEqual(seen, [0, 1])

    def test_running(self):
        thread, queue = self.queue()
        thread.put_threadsafe(queue, 'item').result(LIMIT)
        self.assertEqual(thread.get_threadsafe(queue), 'item')

    def test_running_without_start(self):
        thread = self.loop_thread(name='net')
        with self.assertWarnsRegex(UserWarning, 'net runs already.*start=True') as caught:
            queue = thread.create_queue_threadsafe()
        self.assertEqual(caught.filename, __file__)
        with self.assertRaises(Concur.NotReadyError):
            thread.put_threadsafe(queue, 1)
        with self.assertRaises(Concur.NotReadyError):
            thread.call(queue.put_nowait, 1)
        # After the next start it is there.
        thread.stop()
        thread.start()
        thread.put_threadsafe(queue, 1).result(LIMIT)
        self.assertEqual(thread.get_threadsafe(queue), 1)

    def test_start_of_one_that_does_not_run(self):
        thread = Concur.AsyncioThread()
        with self.assertRaises(Concur.NotReadyError):
            thread.create_queue_threadsafe(start=True)
        with thread:
            pass
        with self.assertRaises(Concur.NotReadyError):
            thread.create_queues_threadsafe(2, start=True)

    def test_many(self):
        thread = self.loop_thread()
        queues = thread.create_queues_threadsafe(3, start=True, maxsize=1)
        for number, queue in enumerate(queues):
            self.assertIsInstance(queue, Concur.QueueProxy)
            thread.put_threadsafe(queue, number).result(LIMIT)
        self.assertEqual([thread.get_threadsafe(queue) for queue in queues], [0, 1, 2])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            thread.create_queues_threadsafe(3)
        self.assertEqual(len(caught), 1)

    def test_each_start_has_an_empty_one(self):
        thread, queue = self.queue()
        thread.put_threadsafe(queue, 1).result(LIMIT)
        thread.stop()
        thread.start()
        self.assertEqual(self.size(thread, queue), 0)

    def test_of_another_thread(self):
        thread, queue = self.queue()
        other = self.loop_thread()
        with self.assertRaises(ValueError):
            other.put_threadsafe(queue, 1)
        with self.assertRaises(ValueError):
            thread.get_threadsafe(Concur.QueueProxy())
        with self.assertRaises(TypeError):
            thread.put_threadsafe(asyncio.Queue(), 1)
        with self.assertRaisesRegex(RuntimeError, 'threadsafe'):
            queue.get_nowait()


class TestPut(QueueCase):
    def test_full(self):
        thread, queue = self.queue(maxsize=2)
        futures = [thread.put_threadsafe(queue, number) for number in range(4)]
        for future in futures[:2]:
            self.assertIsNone(future.result(LIMIT))
        # The loop has been at all four by now.
        self.assertEqual(self.size(thread, queue), 2)
        self.assertEqual([future.done() for future in futures[2:]], [False, False])
        self.assertEqual([thread.get_threadsafe(queue) for _ in range(4)], [0, 1, 2, 3])
        for future in futures[2:]:
            future.result(LIMIT)
        with self.assertRaises(asyncio.QueueFull):
            thread.call(lambda: [queue.put_nowait(number) for number in range(3)])

    def test_in_order(self):
        thread, queue = self.queue(maxsize=1)
        number = 200

        def produce():
            futures = [thread.put_threadsafe(queue, item) for item in range(number)]
            for future in futures:
                future.result(LIMIT)
        producer = threading.Thread(target=produce)
        producer.start()
        items = [thread.get_threadsafe(queue, LIMIT) for _ in range(number)]
        producer.join(LIMIT)
        self.assertEqual(items, list(range(number)))

    def test_newcomer_waits_for_its_turn(self):
        async def main():
            queue.put_nowait(0)
            loop = asyncio.get_running_loop()
            second = loop.create_task(queue.put(1))
            await asyncio.sleep(0)
            # There is a place now, and the one whom this wakes has not had its turn yet.
            third = loop.create_task(queue.put(2))
            items = [queue.get_nowait()]
            items += [await queue.get(), await queue.get()]
            await second
            await third
            return items
        thread, queue = self.queue(maxsize=1)
        self.assertEqual(thread.run_threadsafe(main()).result(LIMIT), [0, 1, 2])

    def test_taken_back(self):
        thread, queue = self.queue(maxsize=1)
        first, second, third = (thread.put_threadsafe(queue, number) for number in range(3))
        first.result(LIMIT)
        self.assertTrue(second.cancel())
        self.assertRaises(Concur.CancelledError, second.result, LIMIT)
        self.assertEqual([thread.get_threadsafe(queue, LIMIT) for _ in range(2)], [0, 2])
        third.result(LIMIT)

    def test_stop(self):
        thread, queue = self.queue(maxsize=1)
        thread.put_threadsafe(queue, 1).result(LIMIT)
        future = thread.put_threadsafe(queue, 2)
        self.size(thread, queue)
        thread.stop()
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        with self.assertRaises(Concur.NotReadyError):
            thread.put_threadsafe(queue, 3)

    def test_while_it_stops(self):
        gate = Gate()
        self.addCleanup(gate.open)
        thread, queue = self.queue()
        thread.submit(gate)
        gate.wait()
        thread.stop_threadsafe()
        with self.assertRaises(Concur.NotReadyError):
            thread.put_threadsafe(queue, 1)
        gate.open()

    def test_while_clearing_up(self):
        thread, queue = self.queue()
        kept = []
        begun = threading.Event()

        async def work():
            begun.set()
            try:
                await queue.get()
            finally:
                await queue.put('last')
                kept.append(await queue.get())
        thread.run_threadsafe(work())
        self.assertTrue(begun.wait(LIMIT))
        thread.stop()
        self.assertEqual(kept, ['last'])


class TestGet(QueueCase):
    def test_blocks(self):
        thread, queue = self.queue()
        items = []
        consumer = threading.Thread(target=lambda: items.append(thread.get_threadsafe(queue)))
        consumer.start()
        wait_until(lambda: thread.call(lambda: len(asyncio.all_tasks())) == 1)
        self.assertEqual(items, [])
        thread.run_threadsafe(queue.put('item')).result(LIMIT)
        consumer.join(LIMIT)
        self.assertEqual(items, ['item'])

    def test_time_limit(self):
        thread, queue = self.queue()
        for timeout in (-1, 0, 0.001):
            with self.assertRaises(TimeoutError):
                thread.get_threadsafe(queue, timeout)
        # They are gone, and take nothing.
        for timeout in (-1, 0, LIMIT, None):
            thread.put_threadsafe(queue, timeout).result(LIMIT)
            self.assertEqual(thread.get_threadsafe(queue, timeout=timeout), timeout)

    def test_time_is_up_and_nothing_is_lost(self):
        thread, queue = self.queue(maxsize=1)
        number = 300
        producer = threading.Thread(target=lambda: [
            thread.put_threadsafe(queue, item).result(LIMIT) for item in range(number)])
        producer.start()
        items = []
        while len(items) < number:
            try:
                items.append(thread.get_threadsafe(queue, 0.0001))
            except TimeoutError:
                pass
        producer.join(LIMIT)
        self.assertEqual(items, list(range(number)))

    def test_stop(self):
        thread, queue = self.queue()
        errors = []

        def consume():
            try:
                thread.get_threadsafe(queue)
            except BaseException as error:
                errors.append(error)
        consumer = threading.Thread(target=consume)
        consumer.start()
        wait_until(lambda: thread.call(lambda: len(asyncio.all_tasks())) == 1)
        thread.stop()
        consumer.join(LIMIT)
        self.assertEqual([type(error) for error in errors], [Concur.CancelledError])

    def test_own_thread(self):
        async def main():
            await queue.put('item')
            with self.assertRaisesRegex(RuntimeError, 'would block the loop'):
                thread.get_threadsafe(queue)
            return queue.get_nowait()
        thread, queue = self.queue()
        self.assertEqual(thread.run_threadsafe(main()).result(LIMIT), 'item')
        with self.assertRaises(asyncio.QueueEmpty):
            thread.call(queue.get_nowait)


class TestMany(QueueCase):
    def test_everything_arrives_once(self):
        thread = self.loop_thread()
        first, second = thread.create_queues_threadsafe(2, start=True, maxsize=3)
        number, producers = 100, 4
        received = []

        def produce(which):
            for item in range(number):
                thread.put_threadsafe(first, which * number + item).result(LIMIT)

        async def pass_on():
            while True:
                await second.put(await first.get())

        def consume():
            while (item := thread.get_threadsafe(second, LIMIT)) is not None:
                received.append(item)
        for _ in range(2):
            thread.run_threadsafe(pass_on)
        threads = [*(threading.Thread(target=produce, args=(which,))
                     for which in range(producers)),
                   *(threading.Thread(target=consume) for _ in range(3))]
        for each in threads:
            each.start()
        for each in threads[:producers]:
            each.join(LIMIT)
        wait_until(lambda: len(received) == number * producers)
        for _ in range(3):
            thread.put_threadsafe(second, None).result(LIMIT)
        for each in threads[producers:]:
            each.join(LIMIT)
        self.assertEqual(sorted(received), list(range(number * producers)))

    def test_stop_meanwhile(self):
        # Each put has either arrived, and then only once, or was cancelled or refused.
        for _ in range(10):
            thread, queue = self.queue(maxsize=2)
            put, got, lost = [], [], []
            begun = threading.Barrier(5)

            def produce(which):
                begun.wait(LIMIT)
                try:
                    for item in range(10000):
                        thread.put_threadsafe(queue, (which, item)).result(LIMIT)
                        put.append((which, item))
                except (Concur.NotReadyError, Concur.CancelledError):
                    lost.append(which)

            def consume():
                begun.wait(LIMIT)
                try:
                    while True:
                        got.append(thread.get_threadsafe(queue, LIMIT))
                except (Concur.NotReadyError, Concur.CancelledError):
                    pass
            threads = [*(threading.Thread(target=produce, args=(which,)) for which in range(2)),
                       *(threading.Thread(target=consume) for _ in range(2))]
            for each in threads:
                each.start()
            begun.wait(LIMIT)
            wait_until(lambda: len(got) > 5)
            thread.stop()
            for each in threads:
                each.join(LIMIT)
                self.assertFalse(each.is_alive())
            self.assertEqual(sorted(lost), [0, 1])
            self.assertEqual(len(got), len(set(got)))
            # What was in the queue, at most, and what its consumers had in hand.
            self.assertLessEqual(len(set(put) - set(got)), 4)
            self.assertLessEqual(len(set(got) - set(put)), 2)


class TestLeaks(QueueCase):
    def test_nothing_left(self):
        references = []
        with self.all_futures_go():
            for _ in range(10):
                things = [Thing() for _ in range(3)]
                thread = Concur.AsyncioThread()
                queue = thread.create_queue_threadsafe(maxsize=1)
                references += map(weakref.ref, things)
                references += [weakref.ref(thread), weakref.ref(queue)]
                with thread:
                    futures = [thread.put_threadsafe(queue, thing) for thing in things]
                    self.assertIs(thread.get_threadsafe(queue), things[0])
                    futures[1].result(LIMIT)
                thread = queue = futures = things = None
        self.assertTrue(gone(*references))

    def test_queue_that_goes(self):
        thread, queue = self.queue()
        thing = Thing()
        reference = weakref.ref(thing)
        thread.put_threadsafe(queue, thing).result(LIMIT)
        queue = thing = None
        self.assertTrue(gone(reference))

    def test_end_of_the_loop(self):
        # The proxy stays, what was in the queue goes.
        thread, queue = self.queue()
        thing = Thing()
        reference = weakref.ref(thing)
        thread.put_threadsafe(queue, thing).result(LIMIT)
        thing = None
        thread.stop()
        self.assertTrue(gone(reference))
        self.assertIsInstance(queue, Concur.QueueProxy)


class TestExit(unittest.TestCase):
    def test_waiting(self):
        output, errors = run_script('''
            thread = Concur.AsyncioThread()
            thread.start()
            queue = thread.create_queue_threadsafe(start=True, maxsize=1)
            futures = [thread.put_threadsafe(queue, number) for number in range(3)]
            futures[0].result()
            print('over')
            ''')
        self.assertEqual((output, errors), ('over\n', ''))


if __name__ == '__main__':
    unittest.main()
