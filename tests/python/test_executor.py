# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Executors in Python: ThreadExecutor's settings, subclasses, and executors of one's own."""

import asyncio
import random
import threading
import unittest

from util import LIMIT, SCALE, Case, Gate, wait_until

from gi.repository import Concur, Gio, GObject


class TestThreadExecutor(Case):
    def test_units(self):
        self.assertEqual(self.pool(keep_alive=1.5).keep_alive, 1.5)
        self.assertEqual(self.pool(keep_alive=0.25).props.keep_alive, 250000)
        for for_ever in (None, -1):
            self.assertEqual(self.pool(keep_alive=for_ever).keep_alive, -1)

    def test_new(self):
        pool = Concur.ThreadExecutor.new(2)
        self.assertEqual(pool.max_threads, 2)
        self.assertIs(type(pool), Concur.ThreadExecutor)
        self.assertEqual(pool.submit(pow, 2, 3).result(LIMIT), 8)

    def test_default(self):
        pool = Concur.get_default_executor()
        self.assertIs(pool, Concur.Executor.get_default())
        local = threading.local()
        self.assertEqual(pool.submit(setattr, local, 'x', 1).result(LIMIT), None)
        self.assertGreater(pool.max_threads, 1)

    def test_keywords(self):
        def keywords(*args, **kwargs):
            return args, kwargs
        pool = self.pool()
        # Also those that are names of parameters here.
        self.assertEqual(pool.submit(keywords, 1, self=2, function=3, name=4).result(LIMIT),
                         ((1,), {'self': 2, 'function': 3, 'name': 4}))

    def test_options(self):
        pool = self.pool()
        gate = self.busy(pool)
        order = []
        low = pool.options(priority=Concur.Priority.LOW, name='later').submit(order.append, 'low')
        high = pool.options(priority=Concur.Priority.HIGH).submit(order.append, 'high')
        self.assertEqual((low.name, low.priority), ('later', Concur.Priority.LOW))
        cancellable = Gio.Cancellable()
        never = pool.options(cancellable=cancellable).submit(order.append, 'never')
        cancellable.cancel()
        self.assertTrue(never.wait(LIMIT))
        self.assertTrue(never.cancelled())
        gate.open()
        self.assertTrue(Concur.Future.all(low, high).wait(LIMIT))
        self.assertEqual(order, ['high', 'low'])
        self.assertEqual(list(pool.options(name='x').map(abs, [-1, -2])), [1, 2])

    def test_cancel_queued(self):
        pool = self.pool()
        gate = self.busy(pool)
        seen = []
        future = pool.submit(seen.append, 1)
        self.assertTrue(future.cancel())
        self.assertFalse(future.cancel())
        self.assertTrue(future.cancelled() and future.done())
        running = Gate()
        self.addCleanup(running.open)
        gate.open()
        second = pool.submit(running)
        running.wait()
        self.assertFalse(second.cancel(Concur.CancelFlags.QUEUED))
        running.open()
        self.assertIsNone(second.result(LIMIT))
        self.assertEqual(seen, [])

    def test_shutdown(self):
        pool = self.pool()
        gate = self.busy(pool)
        queued = pool.submit(list)
        over = pool.shutdown()
        refused = pool.submit(int)
        with self.assertRaisesRegex(RuntimeError, 'shut down'):
            refused.result(LIMIT)
        self.assertFalse(over.done())
        gate.open()
        self.assertTrue(over.wait(LIMIT))
        self.assertEqual(queued.result(), [])

    def test_with(self):
        with Concur.ThreadExecutor(max_threads=1) as pool:
            gate = Gate()
            future = pool.submit(gate, 'value')
            gate.wait()
            gate.open()
        self.assertTrue(future.done())
        with self.assertRaises(RuntimeError):
            pool.submit(int).result(LIMIT)

        async def main():
            async with Concur.ThreadExecutor(max_threads=1) as pool:
                future = pool.submit(list)
            return future
        self.assertTrue(asyncio.run(main()).done())

    def test_queue_full(self):
        pool = self.pool(1, max_pending=1, overflow=Concur.Overflow.REJECT)
        gate = self.busy(pool)
        futures = [pool.submit(int) for _ in range(3)]
        gate.open()
        self.assertEqual(sorted(type(future.exception(LIMIT)).__name__ for future in futures),
                         ['NoneType', 'RuntimeError', 'RuntimeError'])

    def test_post(self):
        seen = threading.Event()
        self.assertTrue(self.pool().post(seen.set))
        self.assertTrue(seen.wait(LIMIT))

    def test_subclass(self):
        class Counting(Concur.ThreadExecutor):
            def __init__(self, **keywords):
                super().__init__(**keywords)
                self.count = 0

            def submit(self, function, /, *args, **kwargs):
                self.count += 1
                return super().submit(function, *args, **kwargs)

        class Entered(Concur.ThreadExecutor):
            names = []

            def do_thread_main(self):
                self.names.append(self.get_thread_name())
                Concur.ThreadExecutor.do_thread_main(self)
        pool = Counting(max_threads=1, name='counted')
        self.assertEqual([pool.submit(abs, -1).result(LIMIT), pool.count], [1, 1])
        pool.shutdown().wait(LIMIT)
        pool = Entered(max_threads=1, name='entered')
        self.assertEqual(pool.submit(abs, -1).result(LIMIT), 1)
        pool.shutdown().wait(LIMIT)
        self.assertEqual(Entered.names, ['entered-1'])

    def test_snapshot(self):
        pool = self.pool(1, name='seen')
        gate = self.busy(pool)
        future = pool.submit(int)
        snapshot = pool.dup_snapshot()
        self.assertEqual(snapshot.get_n_pending(), 1)
        gate.open()
        future.result(LIMIT)

    def test_many_threads_at_once(self):
        pool = self.pool(4)
        seen = []
        problems = []

        async def await_some(random):
            for number in range(20):
                future = pool.submit(lambda number=number: [number])
                if random.random() < 0.3:
                    future.cancel()
                try:
                    assert (await future)[0] == number
                except asyncio.CancelledError:
                    assert future.cancelled()

        def hammer(seed):
            try:
                own = random.Random(seed)
                for number in range(400 // SCALE):
                    future = pool.submit(lambda number=number: (number,))
                    choice = own.randrange(5)
                    if choice == 0:
                        assert future.result(LIMIT) == (number,)
                    elif choice == 1:
                        future.cancel(abandon=own.random() < 0.5)
                        future.wait(LIMIT)
                        assert future.cancelled() or future.result() == (number,)
                    elif choice == 2:
                        future.add_done_callback(seen.append)
                        future.wait(LIMIT)
                    elif choice == 3:
                        both = Concur.Future.all(future, pool.submit(int))
                        assert both.result(LIMIT) == [(number,), 0]
                    elif number % 20 == 0:
                        asyncio.run(await_some(own))
            except BaseException as error:
                problems.append(error)
        threads = [threading.Thread(target=hammer, args=[seed]) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT * 2)
        self.assertEqual(problems, [])
        self.assertFalse(any(thread.is_alive() for thread in threads))
        wait_until(lambda: all(future.done() for future in seen))
        self.assertGreater(len(seen), 0)


class OwnThreads(GObject.Object, Concur.Executor):
    """Runs each job on a thread of its own."""

    def do_execute(self, job):
        thread = threading.Thread(target=job.execute)
        thread.start()

    def do_shutdown(self, mode):
        return Concur.Future.resolved('over')


class TestOwnExecutor(Case):
    def test_submit(self):
        executor = OwnThreads()
        self.assertNotEqual(executor.submit(threading.get_ident).result(LIMIT),
                            threading.get_ident())
        self.assertEqual(executor.submit(lambda: [1]).result(LIMIT), [1])
        with self.assertRaises(ZeroDivisionError):
            executor.submit(lambda: 1 / 0).result(LIMIT)
        self.assertEqual(list(executor.map(abs, [-1, -2, -3])), [1, 2, 3])
        self.assertEqual(executor.options(name='x').submit(int).name, 'x')
        self.assertEqual(executor.shutdown().result(LIMIT), 'over')

    def test_inline(self):
        class Inline(GObject.Object, Concur.Executor):
            def do_execute(self, job):
                job.execute()
        future = Inline().submit(list)
        self.assertTrue(future.done())
        self.assertEqual(future.result(), [])

    def test_execute_raises(self):
        error = ValueError('no room')

        class Refuses(GObject.Object, Concur.Executor):
            def do_execute(self, job):
                raise error
        future = Refuses().submit(int)
        self.assertIs(future.exception(LIMIT), error)

    def test_as_executor_of_continuations(self):
        executor = OwnThreads()
        threads = []
        future = executor.submit(lambda: [1]).continue_with(
            lambda value: threads.append(threading.get_ident()) or value + [2],
            executor=executor)
        self.assertEqual(future.result(LIMIT), [1, 2])
        self.assertNotEqual(threads, [threading.get_ident()])


if __name__ == '__main__':
    unittest.main()
