# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""await of a Concur.Future under asyncio."""

import asyncio
import logging
import sys
import traceback
import unittest
import weakref

from util import LIMIT, Case, Gate, gone, wait_until

from gi.repository import Concur


class TestAwait(Case):
    def test_outcomes(self):
        pool = self.pool()
        error = KeyError('k')

        def fail():
            raise error

        async def main():
            self.assertEqual(await pool.submit(lambda: [1]), [1])
            done = pool.submit(int)
            done.wait()
            self.assertEqual(await done, 0)
            try:
                await pool.submit(fail)
            except KeyError as caught:
                self.assertIs(caught, error)
                names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
            self.assertEqual(names, ['main', '__await__', 'fail'])
            self.assertEqual(await Concur.Future.all(pool.submit(list), pool.submit(dict)),
                             [[], {}])
            self.assertEqual(await pool.submit(lambda: {1}).view(), {1})
            promise = Concur.Promise()
            asyncio.get_running_loop().call_later(0.001, promise.resolve, [2])
            self.assertEqual(await promise.future, [2])
            await Concur.sleep(0.001)
        asyncio.run(main())

    def test_several_tasks(self):
        async def main():
            promise = Concur.Promise()

            async def one():
                return await promise.future
            for future in (promise.future, promise.future.view()):
                tasks = [asyncio.ensure_future(one()) for _ in range(10)]
                await asyncio.sleep(0)
                promise.resolve([1])
                results = await asyncio.gather(*tasks)
                self.assertEqual(results, [[1]] * 10)
        asyncio.run(main())

    def test_asyncio_takes_them(self):
        pool = self.pool(2)

        async def main():
            self.assertEqual(await asyncio.gather(*(pool.submit(abs, -n) for n in range(5))),
                             list(range(5)))
            self.assertEqual(await asyncio.wait_for(pool.submit(abs, -1), LIMIT), 1)
            self.assertEqual(await asyncio.shield(pool.submit(abs, -1)), 1)
            self.assertEqual(await asyncio.ensure_future(pool.submit(abs, -1)), 1)
            first = next(asyncio.as_completed([pool.submit(abs, -1)]))
            self.assertEqual(await first, 1)
            with self.assertRaises(ZeroDivisionError):
                await asyncio.gather(pool.submit(lambda: 1 / 0), pool.submit(int))
        asyncio.run(main())

    def test_asyncio_wait(self):
        pool = self.pool()

        async def main():
            for future in pool.submit(int), Concur.Future.resolved(3).view():
                with self.assertRaisesRegex(TypeError, 'ensure_future'):
                    await asyncio.wait([future])
            done, pending = await asyncio.wait([asyncio.ensure_future(pool.submit(len, 'four'))])
            self.assertEqual([task.result() for task in done], [4])
            self.assertFalse(pending)
        asyncio.run(main())

    def test_wait_for_times_out(self):
        pool = self.pool()
        gate = Gate()
        asked = []

        def work():
            job = Concur.Job.get_current()
            gate()
            asked.append(job.is_cancelled())

        async def main():
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(pool.submit(work), 0.01)
            gate.open()
        asyncio.run(main())
        wait_until(lambda: asked)
        self.assertEqual(asked, [True])

    @unittest.skipIf(sys.version_info < (3, 11), 'asyncio.TaskGroup is from Python 3.11')
    def test_task_group_and_timeout(self):
        pool = self.pool(2)

        async def one(value):
            return await pool.submit(lambda: [value])

        async def main():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(number)) for number in range(5)]
            self.assertEqual([task.result() for task in tasks], [[n] for n in range(5)])

            promise = Concur.Promise()
            with self.assertRaises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await promise.future
            self.assertTrue(promise.future.cancelled())
            self.assertEqual(asyncio.current_task().cancelling(), 0)

            promise = Concur.Promise()

            async def wait():
                await promise.future

            async def fail():
                raise KeyError
            with self.assertRaises(BaseException) as caught:
                async with asyncio.TaskGroup() as group:
                    group.create_task(wait())
                    group.create_task(fail())
            self.assertIsInstance(caught.exception.exceptions[0], KeyError)
            self.assertTrue(promise.future.cancelled())
        asyncio.run(main())

    def test_cancelling_the_task_cancels_the_future(self):
        pool = self.pool()
        gate = self.busy(pool)

        async def main():
            future = pool.submit(int)

            async def wait():
                await future
            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            self.assertTrue(task.cancel())
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(task.cancelled())
            self.assertTrue(future.cancelled())
        asyncio.run(main())
        gate.open()

    def test_cancelling_the_future_cancels_the_task(self):
        async def main():
            promise = Concur.Promise()

            async def wait():
                await promise.future
            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            promise.future.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(task.cancelled())
        asyncio.run(main())

    def test_shielded(self):
        async def main():
            promise = Concur.Promise()

            async def wait():
                await promise.future.shield()
            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertFalse(promise.future.cancelled())
            promise.resolve(1)
            self.assertEqual(await promise.future, 1)
        asyncio.run(main())

    def test_loop_closed_while_pending(self):
        promise = Concur.Promise()
        loop = asyncio.new_event_loop()

        async def wait():
            await promise.future
        task = loop.create_task(wait())
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        with self.hidden_log() as log:
            promise.resolve()
            logging.getLogger('concur').info('nothing else')
        self.assertEqual(len(log.output), 1)
        task._log_destroy_pending = False

    def test_giving_up_often_leaves_nothing(self):
        gate = Gate()
        promise = Concur.Promise()
        for shared in (self.pool().submit(gate), promise.future, promise.future.view()):
            things = []

            class Witness:
                pass

            async def wait():
                witness = Witness()
                things.append(weakref.ref(witness))
                await shared

            async def main():
                for _ in range(20):
                    task = asyncio.ensure_future(wait())
                    await asyncio.sleep(0)
                    task.cancel()
                    await asyncio.wait([task])
            asyncio.run(main())
            self.assertTrue(gone(*things))
            self.assertFalse(shared.__dict__.get('_callbacks'))
        gate.open()

    def test_cancelled_many_times_over(self):
        # Each of the waits was called off while it stood in the list of a running job.
        pool = self.pool()
        gate = Gate()
        future = pool.submit(gate, 'x')
        gate.wait()

        async def main():
            async def wait():
                return await future
            tasks = [asyncio.ensure_future(wait()) for _ in range(10)]
            await asyncio.sleep(0)
            for task in tasks[::2]:
                task.cancel()
            await asyncio.wait(tasks[::2])
            gate.open()
            return await asyncio.gather(*tasks[1::2])
        self.assertEqual(asyncio.run(main()), ['x'] * 5)

    def test_leaves_nothing(self):
        pool = self.pool()
        with self.all_futures_go():
            async def main():
                for number in range(100):
                    await pool.submit(lambda: [number])
                    with self.assertRaises(ZeroDivisionError):
                        await pool.submit(lambda: 1 / 0)
            asyncio.run(main())


if __name__ == '__main__':
    unittest.main()
