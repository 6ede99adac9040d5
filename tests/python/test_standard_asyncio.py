# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.ThreadPoolExecutor under asyncio."""

import asyncio
import concurrent.futures
import contextvars
import threading
import unittest

from standard_util import LIMIT, Concur, Failure, PoolTestCase, fail


class TestAsyncio(PoolTestCase):
    def run_in_loop(self, function):
        async def limited():
            return await asyncio.wait_for(function(), LIMIT)
        return asyncio.run(limited())

    def test_run_in_executor(self):
        async def work():
            loop = asyncio.get_running_loop()
            self.assertEqual(await loop.run_in_executor(self.pool, divmod, 7, 2), (3, 1))
            error = Failure()
            with self.assertRaises(Failure) as caught:
                await loop.run_in_executor(self.pool, fail, error)
            self.assertIs(caught.exception, error)
            values = await asyncio.gather(*[loop.run_in_executor(self.pool, abs, i)
                                            for i in range(50)])
            self.assertEqual(values, list(range(50)))
        self.run_in_loop(work)

    def test_context_variables(self):
        variable = contextvars.ContextVar('variable')

        async def work():
            variable.set(3)
            loop = asyncio.get_running_loop()
            self.assertEqual(await loop.run_in_executor(self.pool, variable.get), 3)
        self.run_in_loop(work)

    def test_stop_iteration(self):
        async def work():
            loop = asyncio.get_running_loop()
            with self.assertRaises(RuntimeError):
                await loop.run_in_executor(self.pool, next, iter(()))
        self.run_in_loop(work)

    def test_default_executor(self):
        async def work():
            pool = Concur.ThreadPoolExecutor(2, 'ours')
            asyncio.get_running_loop().set_default_executor(pool)
            thread = await asyncio.to_thread(threading.current_thread)
            self.assertEqual(thread.name, 'ours_0')
            self.assertEqual(await asyncio.to_thread(int, '12', base=3), 5)
            return pool
        # The end of the loop waits for its threads.
        self.assertTrue(self.run_in_loop(work)._shutdown)

    def test_wrap_and_await(self):
        async def work():
            self.assertEqual(await asyncio.wrap_future(self.pool.submit(int)), 0)
            self.assertEqual(await self.pool.submit(int), 0)
            with self.assertRaises(Failure):
                await self.pool.submit(fail, Failure())
        self.run_in_loop(work)

    def test_cancel(self):
        # What is queued is dropped, what runs is left alone.
        async def work():
            gate, running = self.blocked(1)
            queued = self.pool.submit(int)
            for future in running, queued:
                wrapped = asyncio.wrap_future(future)
                wrapped.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await wrapped
            # The source hears of it by a callback of the loop.
            while not queued.done():
                await asyncio.sleep(0)
            self.assertTrue(queued.cancelled())
            self.assertTrue(running.running())
            self.assertFalse(Concur.Job.is_cancelled(running))
            gate.open()
            self.assertEqual(running.result(), 1)
        self.run_in_loop(work)

    def test_cancelled_from_outside(self):
        async def work():
            self.blocked()
            future = self.pool.submit(int)
            wrapped = asyncio.wrap_future(future)
            future.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await wrapped
            with self.assertRaises(concurrent.futures.CancelledError):
                future.result()
        self.run_in_loop(work)


if __name__ == '__main__':
    unittest.main()
