# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Batcher, aggregate (), and aiomisc's names for that."""

import asyncio
import threading
import unittest
import weakref

from gi.repository import GLib
from loops import LOOPS, on_asyncio, on_glib
from util import LIMIT, Case, Concur, Gate, Thing, gone, wait_until

aiomisc = Concur.compat.aiomisc

# What nobody waits for.
LONG = 3600


class Failure(Exception):
    pass


class TestBatcher(Case):
    def test_answers(self):
        batches = []

        def work(items):
            batches.append(items)
            return ([item] for item in items)
        batcher = Concur.Batcher(work, max_count=3, leeway=LONG)
        futures = [batcher.call(item) for item in range(7)]
        self.assertEqual([future.result(LIMIT) for future in futures[:6]],
                         [[item] for item in range(6)])
        self.assertEqual((batcher.waiting, batcher.get_waiting()), (1, 1))
        self.assertFalse(futures[6].done())
        batcher.flush()
        self.assertEqual(futures[6].result(LIMIT), [6])
        self.assertEqual(sorted(batches), [[0, 1, 2], [3, 4, 5], [6]])

    def test_leeway(self):
        batcher = Concur.Batcher(list, leeway=0.001)
        self.assertEqual(batcher.call('it').result(LIMIT), 'it')

    def test_values(self):
        # The very same, there and back.
        loop = []
        loop.append(loop)
        values = [None, True, 1, -(1 << 63), 1 << 70, 1.5, 'é', 'a\0b', '\ud800', b'x', loop,
                  object(), Thing, Failure(), GLib.Variant('i', 1), GLib.Bytes.new(b'x'),
                  Concur.Limiter(), (1, 2)]
        seen = []

        def work(items):
            seen.extend(items)
            return items
        batcher = Concur.Batcher(work, max_count=len(values), leeway=LONG)
        futures = [batcher.call(value) for value in values]
        for future, value, there in zip(futures, values, seen):
            self.assertIs(future.result(LIMIT), value)
            self.assertIs(there, value)

    def test_settings(self):
        with Concur.ThreadExecutor(max_threads=1, name='mine') as pool:
            batcher = Concur.Batcher(lambda items: [threading.current_thread().name] * len(items),
                                     max_count=1, leeway=0.25, executor=pool)
            self.assertEqual((batcher.max_count, batcher.leeway, batcher.get_leeway()),
                             (1, 0.25, 0.25))
            self.assertIs(batcher.executor, pool)
            self.assertIn('mine', batcher.call().result(LIMIT))
        self.assertEqual(Concur.Batcher.new(2, 0.5, list).leeway, 0.5)

    def test_mistakes(self):
        for wrong in ({'leeway': 0}, {'leeway': -1}, {'max_count': -1}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                Concur.Batcher(list, **wrong)
        with self.assertRaises(TypeError):
            Concur.Batcher(5)
        batcher = Concur.Batcher(max_count=1)
        with self.assertRaises(RuntimeError):
            batcher.call(1)
        batcher.set_func(list)
        with self.assertRaises(RuntimeError):
            batcher.set_func(list)
        self.assertEqual(batcher.call(1).result(LIMIT), 1)

    def test_one_exception_for_all(self):
        error = Failure()

        def work(items):
            raise error
        batcher = Concur.Batcher(work, max_count=3, leeway=LONG)
        futures = [batcher.call(item) for item in range(3)]
        for future in futures:
            self.assertIs(future.exception(LIMIT), error)

    def test_wrong_number_of_answers(self):
        for answers in ([], [1], [1, 2, 3]):
            batcher = Concur.Batcher(lambda items: answers, max_count=2, leeway=LONG)
            futures = [batcher.call(item) for item in range(2)]
            for future in futures:
                with self.subTest(answers), self.assertRaisesRegex(ValueError, '2 answers'):
                    future.result(LIMIT)

    def test_cancelled_caller(self):
        batches = []

        def work(items):
            batches.append(items)
            return items
        batcher = Concur.Batcher(work, leeway=LONG)
        futures = [batcher.call(item) for item in range(3)]
        self.assertTrue(futures[1].cancel())
        self.assertTrue(futures[1].cancelled())
        batcher.flush()
        self.assertEqual([futures[0].result(LIMIT), futures[2].result(LIMIT)], [0, 2])
        self.assertEqual(batches, [[0, 2]])

    def test_nobody_wants_it(self):
        gate = Gate()
        self.addCleanup(gate.open)
        ended = threading.Event()

        def work(items):
            gate()
            try:
                Concur.check_cancelled()
            except Concur.CancelledError:
                ended.set()
                raise
            return items
        batcher = Concur.Batcher(work, max_count=2, leeway=LONG)
        futures = [batcher.call(item) for item in range(2)]
        gate.wait()
        for future in futures:
            future.cancel()
        gate.open()
        self.assertTrue(ended.wait(LIMIT))

    def test_function_is_cancelled(self):
        def work(items):
            raise Concur.CancelledError
        future = Concur.Batcher(work, max_count=1).call(1)
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertTrue(future.cancelled())

    def test_answers_one_by_one(self):
        gate = Gate()
        self.addCleanup(gate.open)

        def work(items):
            job = Concur.Job.get_current()
            answers.append(job.answer(0, [job.get_argument(0)]))
            answers.append(job.answer(0, 'late'))
            answers.append(job.answer_error(1, error))
            gate()
            return items
        answers, error = [], Failure()
        batcher = Concur.Batcher(work, max_count=3, leeway=LONG)
        futures = [batcher.call(item) for item in range(3)]
        self.assertEqual(futures[0].result(LIMIT), [0])
        self.assertIs(futures[1].exception(LIMIT), error)
        gate.wait()
        self.assertEqual(answers, [True, False, True])
        self.assertFalse(futures[2].done())
        gate.open()
        self.assertEqual(futures[2].result(LIMIT), 2)
        self.assertEqual(futures[0].result(LIMIT), [0])

    def test_dropped(self):
        batcher = Concur.Batcher(list, leeway=LONG)
        future = batcher.call(1)
        batcher = None
        self.assertEqual(future.result(LIMIT), 1)


class TestCoroutines(Case):
    def test_own_loop(self):
        for name, run, sleep in LOOPS:
            async def work(items):
                threads.append(threading.get_ident())
                await sleep(0)
                return items

            async def main():
                batcher = Concur.Batcher(work, max_count=3, leeway=LONG)
                return await Concur.gather(*(batcher.call(item) for item in range(3)))
            threads = []
            with self.subTest(name):
                self.assertEqual(run(main()), [0, 1, 2])
                self.assertEqual(threads, [threading.get_ident()])

    def test_loop_thread(self):
        async def work(items):
            await asyncio.sleep(0)
            return [threading.current_thread().name] * len(items)
        with Concur.LoopThread(name='net') as thread:
            batcher = Concur.Batcher(work, max_count=2, leeway=LONG, executor=thread)
            futures = [batcher.call(item) for item in range(2)]
            self.assertEqual([future.result(LIMIT) for future in futures], ['net', 'net'])

    def test_cancelled_when_nobody_wants_it(self):
        steps = []

        async def work(items):
            steps.append('begun')
            try:
                await asyncio.sleep(LONG)
            finally:
                steps.append('ended')

        async def main():
            batcher = Concur.Batcher(work, max_count=2, leeway=LONG)
            tasks = [asyncio.ensure_future(batcher.call(item)) for item in range(2)]
            await until(lambda: steps == ['begun'])
            tasks[0].cancel()
            await asyncio.wait(tasks[:1])
            # The other one still wants it.
            await asyncio.sleep(0.001)
            self.assertEqual(steps, ['begun'])
            tasks[1].cancel()
            await until(lambda: steps == ['begun', 'ended'])
        on_asyncio(main())

    def test_interrupted(self):
        # Everybody hears of it, and the loop ends as it does for any task.
        async def work(items):
            raise KeyboardInterrupt

        async def main():
            futures.append(batcher.call(1))
            await until(lambda: False)
        futures = []
        batcher = Concur.Batcher(work, max_count=1)
        with self.assertRaises(KeyboardInterrupt):
            on_asyncio(main())
        self.assertIsInstance(futures[0].exception(LIMIT), KeyboardInterrupt)

    def test_loop_that_is_closed(self):
        async def work(items):
            return items

        async def main():
            return batcher.call(1)
        batcher = Concur.Batcher(work, leeway=LONG)
        future = on_asyncio(main())
        batcher.flush()
        with self.assertRaisesRegex(RuntimeError, 'closed'):
            future.result(LIMIT)


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


class TestAggregate(Case):
    def test_coroutine_function(self):
        for name, run, sleep in LOOPS:
            batches = []

            @Concur.aggregate(leeway=LONG, max_count=3)
            async def work(*items):
                """Works."""
                batches.append(items)
                await sleep(0)
                return [item * 2 for item in items]

            async def main():
                return await Concur.gather(*(work(item) for item in range(3)))
            with self.subTest(name):
                self.assertEqual(run(main()), [0, 2, 4])
                self.assertEqual((batches, work.__doc__), ([(0, 1, 2)], 'Works.'))

    def test_function(self):
        @Concur.aggregate(leeway=LONG, max_count=2)
        def work(*items):
            return [threading.get_ident()] * len(items)
        futures = [work(item) for item in range(2)]
        self.assertNotEqual(futures[0].result(LIMIT), threading.get_ident())

        @Concur.aggregate
        def bare(*items):
            return items
        self.assertEqual(bare(5).result(LIMIT), 5)

    def test_wrong(self):
        def fixed(first, second):
            pass

        async def fixed_coroutine(first):
            pass

        async def good(*items):
            return items
        for function in (fixed, fixed_coroutine):
            with self.assertRaisesRegex(ValueError, 'any number of arguments'):
                Concur.aggregate(function)
            with self.assertRaises(ValueError):
                aiomisc.aggregate_async(10)(function)
        for wrong in ({'leeway': 0}, {'leeway': -1}, {'max_count': 0}, {'max_count': -1}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                Concur.aggregate(good, **wrong)
        with self.assertRaises(TypeError):
            Concur.aggregate(5)
        with self.assertRaises(TypeError):
            Concur.aggregate(good)(1, 2)


class TestAiomisc(Case):
    def test_aggregate(self):
        @aiomisc.aggregate(LONG * 1000, 2)
        async def work(*items, power=2):
            return [item ** power for item in items]

        async def main():
            return await asyncio.gather(work(2), work(3))
        self.assertEqual(on_asyncio(main()), [4, 9])

    def test_milliseconds(self):
        @aiomisc.aggregate(1)
        async def work(*items):
            return items

        async def main():
            return await work(1)
        self.assertEqual(on_asyncio(main()), 1)

    def test_futures(self):
        for name, run in (('asyncio', on_asyncio), ('glib', on_glib)):
            @aiomisc.aggregate_async(LONG * 1000, max_count=3)
            async def work(*args):
                args[0].future.set_result([args[0].value])
                args[1].future.set_exception(Failure(args[1].value))

            async def main():
                futures = [work(item) for item in range(3)]
                self.assertEqual(await futures[0], [0])
                with self.assertRaisesRegex(Failure, '1'):
                    await futures[1]
                with self.assertRaises(aiomisc.ResultNotSetError):
                    await futures[2]
            with self.subTest(name):
                run(main())

    def test_answer_before_the_end(self):
        async def main():
            goes_on = asyncio.Event()

            @aiomisc.aggregate_async(LONG * 1000, max_count=2)
            async def work(*args):
                args[0].future.set_result('first')
                await goes_on.wait()
                args[1].future.set_result('second')
            first, second = work(0), work(1)
            self.assertEqual(await first, 'first')
            self.assertFalse(second.done())
            goes_on.set()
            self.assertEqual(await second, 'second')
        on_asyncio(main())

    def test_error_of_the_function(self):
        error = Failure()

        @aiomisc.aggregate_async(LONG * 1000, max_count=2)
        async def work(*args):
            args[0].future.set_result('first')
            raise error

        async def main():
            first, second = work(0), work(1)
            self.assertEqual(await first, 'first')
            with self.assertRaises(Failure) as caught:
                await second
            self.assertIs(caught.exception, error)
        on_asyncio(main())

    def test_first_caller_is_cancelled(self):
        begun, goes_on = threading.Event(), []

        @aiomisc.aggregate(LONG * 1000, 3)
        async def work(*items):
            begun.set()
            await until(lambda: goes_on)
            return items

        async def main():
            tasks = [asyncio.ensure_future(work(item)) for item in range(3)]
            await until(begun.is_set)
            tasks[0].cancel()
            tasks[2].cancel()
            await asyncio.wait([tasks[0], tasks[2]])
            goes_on.append(True)
            return await tasks[1]
        self.assertEqual(on_asyncio(main()), 1)

    def test_function_without_futures(self):
        with self.assertRaises(TypeError):
            aiomisc.aggregate_async(10)(lambda *args: None)


class TestLeaks(Case):
    def test_nothing_left(self):
        references = []
        with self.all_futures_go():
            for number in range(20):
                things = [Thing() for _ in range(3)]

                def work(items, own=things):
                    if number % 2:
                        raise Failure
                    return items
                batcher = Concur.Batcher(work, max_count=2, leeway=LONG)
                references += map(weakref.ref, [*things, work, batcher])
                futures = [batcher.call(thing) for thing in things]
                futures[2].cancel()
                for future in futures[:2]:
                    future.exception(LIMIT)
                futures = future = batcher = work = things = None
        self.assertTrue(gone(*references))

    def test_coroutines(self):
        references = []

        @Concur.aggregate(leeway=LONG, max_count=2)
        async def work(*items):
            await asyncio.sleep(0)
            return items

        async def main():
            things = [Thing(), Thing()]
            references.extend(map(weakref.ref, things))
            await asyncio.gather(*map(work, things))
        with self.all_futures_go():
            for _ in range(5):
                on_asyncio(main())
        self.assertTrue(gone(*references))

    def test_value_that_has_its_future(self):
        batcher = Concur.Batcher(lambda items: items, max_count=1)
        thing = Thing()
        thing.future = batcher.call(thing)
        self.assertIs(thing.future.result(LIMIT), thing)
        reference = weakref.ref(thing)
        thing = None
        wait_until(lambda: gone(reference))


if __name__ == '__main__':
    unittest.main()
