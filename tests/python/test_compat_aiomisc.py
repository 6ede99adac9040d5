# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.compat.aiomisc."""

import asyncio
import concurrent.futures
import threading
import unittest

from loops import as_coroutine, here, on_asyncio, pending
from util import LIMIT, Case, Concur, Gate

aiomisc = Concur.compat.aiomisc


class TestThreads(Case):
    def test_the_same_decorators(self):
        self.assertIs(aiomisc.threaded, Concur.threaded)
        self.assertIs(aiomisc.threaded_separate, Concur.threaded_separate)
        self.assertIs(aiomisc.timeout, Concur.timeout)
        for name in aiomisc.__all__:
            self.assertTrue(callable(getattr(aiomisc, name)))

    def test_run_in_executor(self):
        def call(*args, **kwargs):
            return here() is threading.main_thread(), args, kwargs

        async def main():
            with aiomisc.ThreadPoolExecutor(1) as pool:
                return [await aiomisc.run_in_executor(call, executor, (1,), {'a': 2})
                        for executor in (None, pool)]
        self.assertEqual(on_asyncio(main()), [(False, (1,), {'a': 2})] * 2)
        self.assertIsNot(aiomisc.run_in_executor(here).result(LIMIT), here())

    def test_run_in_new_thread(self):
        def counting(*args, **kwargs):
            return here().name, args, kwargs
        for detach in (True, False):
            future = aiomisc.run_in_new_thread(counting, (1,), {'a': 2}, detach=detach)
            self.assertEqual(future.result(LIMIT), ('counting', (1,), {'a': 2}))


class TestPool(Case):
    def test_awaited_and_waited_for(self):
        async def main():
            with aiomisc.ThreadPoolExecutor(2, statistic_name='stats') as pool:
                future = pool.submit(here)
                self.assertIsInstance(future, concurrent.futures.Future)
                return (await future).name
        self.assertTrue(on_asyncio(main()).startswith('stats'))
        with aiomisc.ThreadPoolExecutor() as pool:
            # No loop is needed.
            self.assertEqual(pool.submit(pow, 2, 3).result(LIMIT), 8)

    def test_default_executor_of_a_loop(self):
        async def main():
            loop = asyncio.get_running_loop()
            loop.set_default_executor(aiomisc.ThreadPoolExecutor(1, 'mine'))
            return (await loop.run_in_executor(None, here)).name
        self.assertTrue(on_asyncio(main()).startswith('mine'))

    def test_refuses_what_cannot_be_called(self):
        with aiomisc.ThreadPoolExecutor(1) as pool, self.assertRaises(ValueError):
            pool.submit(3)

    def test_shutdown_cancels_what_waits(self):
        pool = aiomisc.ThreadPoolExecutor(1)
        gate, ran = Gate(), []
        first = pool.submit(gate, 'first')
        gate.wait()
        second = pool.submit(ran.append, 1)
        pool.shutdown(wait=False)
        with self.assertRaises(concurrent.futures.CancelledError):
            second.result(LIMIT)
        with self.assertRaises(RuntimeError):
            pool.submit(pow, 1, 1)
        gate.open()
        pool.shutdown()
        self.assertEqual(first.result(LIMIT), 'first')
        self.assertEqual(ran, [])

    def test_cancelled_calls_are_not_made(self):
        async def main():
            ran = []
            with aiomisc.ThreadPoolExecutor(2) as pool:
                gates = [Gate(), Gate()]
                for gate in gates:
                    pool.submit(gate)
                    await Concur.to_thread(gate.wait)
                tasks = [asyncio.ensure_future(as_coroutine(pool.submit(ran.append, i)))
                         for i in range(1000)]
                await asyncio.sleep(0)
                await aiomisc.cancel_tasks(tasks)
                for gate in gates:
                    gate.open()
            self.assertTrue(all(task.cancelled() for task in tasks))
            self.assertEqual(ran, [])
        on_asyncio(main())


class TestIntoTheLoop(Case):
    """The rest is in test_call_async.py."""

    def test_spellings(self):
        async def add(first, second=0):
            await asyncio.sleep(0)
            return first + second, here() is threading.main_thread()

        async def main():
            loop = asyncio.get_running_loop()

            def work():
                return [
                    aiomisc.sync_wait_coroutine(loop, add, 1, second=2),
                    aiomisc.sync_wait_coroutine(None, add, 2),
                    aiomisc.wait_coroutine(add(3)),
                    aiomisc.wait_coroutine(add(4), loop),
                    aiomisc.sync_await(add, 5, second=1),
                ]
            return await aiomisc.threaded(work)()
        self.assertEqual(on_asyncio(main()), [(value, True) for value in (3, 2, 3, 4, 6)])

    def test_separate_threads_know_the_loop(self):
        async def main():
            return await aiomisc.threaded_separate(
                lambda: aiomisc.sync_await(asyncio.sleep, 0, 'value'))()
        self.assertEqual(on_asyncio(main()), 'value')

    def test_on_the_loops_own_thread(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, 'await'):
                aiomisc.sync_wait_coroutine(asyncio.get_running_loop(), asyncio.sleep, 0)
        on_asyncio(main())

    def test_no_loop(self):
        with self.assertRaisesRegex(RuntimeError, 'does not run'):
            aiomisc.threaded(aiomisc.sync_await)(asyncio.sleep, 0).result(LIMIT)

    def test_cancelled_error(self):
        async def give_up():
            raise asyncio.CancelledError

        def work():
            try:
                aiomisc.sync_await(give_up)
            except asyncio.CancelledError:
                return 'raised in the worker'

        async def main():
            return await aiomisc.threaded(work)()
        self.assertEqual(on_asyncio(main()), 'raised in the worker')


class TestSelect(Case):
    def test_first_wins(self):
        async def main():
            log = []

            async def slow():
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    await asyncio.sleep(0.001)
                    log.append('cleared up')
                    raise
            result = await aiomisc.select(slow(), asyncio.sleep(0, 'quick'), pending())
            self.assertEqual(log, ['cleared up'])
            return result
        result = on_asyncio(main())
        self.assertEqual(list(result), [None, 'quick', None])
        self.assertEqual((result.result_idx, result.value, result.result()),
                         (1, 'quick', 'quick'))
        self.assertTrue(result.done())
        self.assertFalse(result.is_exception)
        self.assertEqual(len(result), 3)
        self.assertIn('quick', result)
        self.assertNotIn('slow', result)

    def test_unpacked(self):
        async def main():
            first, second = await aiomisc.select(Concur.to_thread(pow, 2, 3), pending())
            return first, second
        self.assertEqual(on_asyncio(main()), (8, None))

    def test_error(self):
        error = LookupError('x')

        async def fail():
            raise error

        async def main():
            with self.assertRaises(LookupError):
                await aiomisc.select(fail(), pending())
            result = await aiomisc.select(fail(), pending(), return_exceptions=True)
            self.assertIs(result.value, error)
            self.assertTrue(result.is_exception)
            with self.assertRaises(LookupError):
                result.result()
        on_asyncio(main())

    def test_sparing_the_rest(self):
        async def main():
            rest = asyncio.get_running_loop().create_future()
            await aiomisc.select(rest, asyncio.sleep(0), cancel=False)
            self.assertFalse(rest.done())
        on_asyncio(main())

    def test_not_waiting_for_the_rest(self):
        async def main():
            gate, over = asyncio.Event(), asyncio.Event()

            async def stubborn():
                try:
                    await asyncio.sleep(3600)
                finally:
                    await gate.wait()
                    over.set()
            task = asyncio.ensure_future(stubborn())
            await asyncio.sleep(0)
            await aiomisc.select(task, asyncio.sleep(0), wait=False)
            self.assertFalse(task.done())
            gate.set()
            await over.wait()
        on_asyncio(main())

    def test_timeout(self):
        async def main():
            future = pending()
            with self.assertRaises(asyncio.TimeoutError):
                await aiomisc.select(future, timeout=0.01)
            self.assertTrue(future.cancelled())
        on_asyncio(main())

    def test_nobody(self):
        async def main():
            with self.assertRaises(ValueError):
                await aiomisc.select()
        on_asyncio(main())


class TestSmallThings(Case):
    def test_cancel_tasks(self):
        async def main():
            log = []

            async def slow():
                try:
                    await asyncio.sleep(3600)
                finally:
                    await asyncio.sleep(0.001)
                    log.append('cleared up')
            done = asyncio.ensure_future(asyncio.sleep(0, 'value'))
            await done
            tasks = [asyncio.ensure_future(slow()) for _ in range(3)]
            await asyncio.sleep(0)
            await aiomisc.cancel_tasks([*tasks, done])
            self.assertEqual(log, ['cleared up'] * 3)
            self.assertEqual(done.result(), 'value')
            await aiomisc.cancel_tasks([])
        on_asyncio(main())

    def test_shield(self):
        async def main():
            gate, log = asyncio.Event(), []

            @aiomisc.shield
            async def careful():
                await gate.wait()
                log.append('ran on')
            task = asyncio.ensure_future(careful())
            await asyncio.sleep(0)
            await aiomisc.cancel_tasks([task])
            self.assertTrue(task.cancelled())
            gate.set()
            while not log:
                await asyncio.sleep(0.001)
        on_asyncio(main())
        with self.assertRaises(TypeError):
            aiomisc.shield(here)

    def test_awaitable(self):
        async def coroutine():
            return 1
        self.assertIs(aiomisc.awaitable(coroutine), coroutine)
        self.assertEqual(on_asyncio(as_coroutine(aiomisc.awaitable(lambda: 2)())), 2)
        self.assertEqual(
            on_asyncio(as_coroutine(aiomisc.awaitable(lambda: coroutine())())), 1)

    def test_chunk_list(self):
        self.assertEqual(list(aiomisc.chunk_list(range(5), 2)), [[0, 1], [2, 3], [4]])
        self.assertEqual(list(aiomisc.chunk_list((), 2)), [])
        with self.assertRaises(ValueError):
            list(aiomisc.chunk_list((), 0))


if __name__ == '__main__':
    unittest.main()
