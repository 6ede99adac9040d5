# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.compat.aiomisc: pools of processes."""

import asyncio
import gc
import multiprocessing
import os
import unittest

import worker_functions as work
from loops import on_asyncio
from process_util import LIMIT, Concur, Meeting, is_gone
from util import Case, wait_until

aiomisc = Concur.compat.aiomisc


def counts(pool):
    """How many calls run, and how many are queued."""
    snapshot = pool._executor.dup_snapshot()
    return snapshot.get_n_running(), snapshot.get_n_pending()


class TestWorkerPool(Case):
    def run_in(self, function, *args, **settings):
        """What await function (pool) returns, and that all is over afterwards."""
        async def main():
            async with aiomisc.WorkerPool(*args, **settings) as pool:
                result = await function(pool)
                pids = pool.pids
            self.assertEqual(pool.pids, [])
            return result, pids
        result, pids = on_asyncio(main())
        wait_until(lambda: all(is_gone(pid) for pid in pids))
        return result

    def test_calls(self):
        async def main(pool):
            return (await asyncio.gather(*[pool.create_task(work.square, n) for n in range(20)]),
                    await pool.create_task(work.keywords, 1, self=2, func=3))
        squares, keywords = self.run_in(main, 2)
        self.assertEqual(squares, [n * n for n in range(20)])
        self.assertEqual(keywords, ((1,), {'self': 2, 'func': 3}))

    def test_on_other_loops(self):
        async def main():
            async with aiomisc.WorkerPool(1, 1) as pool:
                return await pool.create_task(work.square, 4)
        self.assertEqual(Concur.run(main(), LIMIT), 16)

    def test_exception(self):
        async def main(pool):
            with self.assertRaisesRegex(KeyError, 'this'):
                await pool.create_task(work.fail, KeyError('this'))
            return await pool.create_task(work.square, 3)
        self.assertEqual(self.run_in(main, 1), 9)

    def test_a_worker_that_dies_costs_its_call(self):
        async def main(pool):
            before = pool.pids
            with self.assertRaisesRegex(multiprocessing.ProcessError, 'signal 9'):
                await pool.create_task(work.crash)
            after = await pool.create_task(os.getpid)
            return before, after
        before, after = self.run_in(main, 1)
        self.assertNotIn(after, before)

    def test_cancelling_interrupts_and_keeps_the_worker(self):
        async def main(pool):
            pid = await pool.create_task(os.getpid)
            meeting = Meeting(self)
            task = asyncio.ensure_future(pool.create_task(work.meet_then_sleep, meeting.path))
            await Concur.to_thread(meeting.open)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return pid, await pool.create_task(os.getpid)
        before, after = self.run_in(main, 1)
        self.assertEqual(after, before)

    def test_back_pressure(self):
        async def main(pool):
            meetings = [Meeting(self), Meeting(self)]
            tasks = [asyncio.ensure_future(pool.create_task(work.meet, meeting.path, n))
                     for n, meeting in enumerate(meetings)]
            while counts(pool) != (1, 1):
                await asyncio.sleep(0)
            third = asyncio.ensure_future(pool.create_task(work.square, 3))
            for _ in range(50):
                await asyncio.sleep(0)
            self.assertEqual(counts(pool), (1, 1))
            # One that has no place yet can be given up.
            fourth = asyncio.ensure_future(pool.create_task(work.square, 4))
            await asyncio.sleep(0)
            fourth.cancel()
            for meeting in meetings:
                await Concur.to_thread(meeting.open)
            return await asyncio.gather(*tasks, third, fourth, return_exceptions=True)
        *values, cancelled = self.run_in(main, 1, 1)
        self.assertEqual(values, [0, 1, 9])
        self.assertIsInstance(cancelled, asyncio.CancelledError)

    def test_initializer(self):
        async def main(pool):
            return await pool.create_task(work.get_seen)
        self.assertEqual(self.run_in(main, 1, initializer=work.initialize,
                                     initializer_kwargs={'value': 'ready'}), ['ready'])
        self.assertEqual(self.run_in(main, 1, initializer=work.initialize,
                                     initializer_args=('ready',)), ['ready'])

    def test_initializer_that_fails(self):
        async def main():
            pool = aiomisc.WorkerPool(1, initializer=work.fail_to_initialize)
            with self.assertRaisesRegex(LookupError, 'not this time'):
                await pool.start()
            with self.assertRaisesRegex(RuntimeError, 'not open'):
                await pool.create_task(work.square, 1)
            with self.assertRaisesRegex(RuntimeError, 'once'):
                await pool.start()
            self.assertEqual(pool.pids, [])
        on_asyncio(main())

    def test_close_cancels_the_rest(self):
        async def main():
            pool = aiomisc.WorkerPool(1)
            with self.assertRaisesRegex(RuntimeError, 'not open'):
                await pool.create_task(work.square, 1)
            await pool.start()
            meeting = Meeting(self)
            tasks = [asyncio.ensure_future(pool.create_task(work.meet_then_sleep, meeting.path)),
                     asyncio.ensure_future(pool.create_task(work.square, 1))]
            await Concur.to_thread(meeting.open)
            await pool.close()
            await pool.close()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            with self.assertRaisesRegex(RuntimeError, 'not open'):
                await pool.create_task(work.square, 1)
            return results
        for result in on_asyncio(main()):
            self.assertIsInstance(result, asyncio.CancelledError)


class TestProcessPool(Case):
    def test_awaited_and_waited_for(self):
        async def main():
            with aiomisc.ProcessPoolExecutor(2) as pool:
                self.assertEqual(await pool.submit(work.square, 3), 9)
                with self.assertRaises(ZeroDivisionError):
                    await pool.submit(divmod, 1, 0)
                self.assertEqual(pool.submit(work.square, 4).result(LIMIT), 16)
        on_asyncio(main())

    def test_refused(self):
        with aiomisc.ProcessPoolExecutor(1) as pool:
            for function in (None, 3):
                with self.assertRaisesRegex(ValueError, 'not callable'):
                    pool.submit(function)
        with self.assertRaises(RuntimeError):
            pool.submit(int)

    def test_worker_that_dies(self):
        with aiomisc.ProcessPoolExecutor(1) as pool:
            with self.assertRaises(Concur.WorkerDied):
                pool.submit(work.crash).result(LIMIT)
            self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)

    def test_shutdown_cancels(self):
        pool = aiomisc.ProcessPoolExecutor(1)
        meeting = Meeting(self)
        futures = [pool.submit(work.meet_then_sleep, meeting.path), pool.submit(work.square, 2)]
        meeting.open()
        pool.shutdown()
        for future in futures:
            self.assertTrue(future.cancelled())

    def test_shutdown_waits_if_told_to(self):
        pool = aiomisc.ProcessPoolExecutor(1)
        futures = [pool.submit(work.square, n) for n in range(5)]
        pool.shutdown(cancel_futures=False)
        self.assertEqual([future.result(0) for future in futures], [0, 1, 4, 9, 16])

    def test_forgotten(self):
        pool = aiomisc.ProcessPoolExecutor(1)
        pid = pool.submit(os.getpid).result(LIMIT)
        pool = None
        gc.collect()
        wait_until(lambda: is_gone(pid))


if __name__ == '__main__':
    unittest.main()
