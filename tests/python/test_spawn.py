# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.spawn () on a plain GLib main loop, and Concur.run ()."""

import asyncio
import threading
import unittest
import warnings
import weakref

from util import LIMIT, Case, Thing, collect, gone, iterate_until

from gi.repository import Concur, GLib


class TestSpawn(Case):
    def finish(self, future):
        iterate_until(future.done)
        return future.result()

    def test_returns(self):
        pool = self.pool()
        seen = []

        async def work():
            seen.append(threading.get_ident())
            first = await pool.submit(lambda: [1])
            seen.append(threading.get_ident())
            done = Concur.Future.resolved([2])
            return first + await done + await Concur.Future.all(pool.submit(list))
        future = Concur.spawn(work())
        self.assertEqual(seen, [])
        self.assertEqual(self.finish(future), [1, 2, []])
        self.assertEqual(seen, [threading.get_ident()] * 2)

    def test_raises(self):
        error = KeyError()

        async def at_once():
            raise error

        async def later():
            await Concur.sleep(0)
            raise error

        async def of_a_job():
            await Concur.Future.rejected(error)
        for function in (at_once, later, of_a_job):
            future = Concur.spawn(function())
            with self.assertRaises(KeyError) as caught:
                self.finish(future)
            self.assertIs(caught.exception, error)

    def test_stop_iteration(self):
        async def work():
            raise StopIteration
        with self.assertRaises(RuntimeError):
            self.finish(Concur.spawn(work()))

    def test_cancelled_before_it_begins(self):
        thing = Thing()
        reference = weakref.ref(thing)

        async def work(thing):
            self.fail('begun')
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            future = Concur.spawn(work(thing))
            self.assertTrue(future.cancel())
            iterate_until(future.done)
            del thing
            self.assertTrue(gone(reference))
        self.assertEqual(caught, [])
        self.assertTrue(future.cancelled())

    def test_refused(self):
        main = Concur.ContextExecutor()
        main.shutdown().iterate(LIMIT)

        async def work():
            pass
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            future = main.submit(work)
            with self.assertRaises(RuntimeError):
                self.finish(future)
            iterate_until(lambda: '_coroutine' not in future.__dict__)
            collect()
        self.assertEqual(caught, [])

    def test_cancelled_at_an_await(self):
        for thread in (False, True):
            promise = Concur.Promise()
            seen = []

            async def work():
                try:
                    await promise.future
                except asyncio.CancelledError:
                    seen.append('asked')
                    await Concur.sleep(0)
                    seen.append('cleaned up')
                    raise
            future = Concur.spawn(work())
            iterate_until(future.running)
            if thread:
                threading.Thread(target=future.cancel).start()
            else:
                future.cancel()
            self.assertFalse(future.cancelled())
            iterate_until(future.done)
            self.assertEqual(seen, ['asked', 'cleaned up'])
            self.assertTrue(future.cancelled())
            self.assertTrue(promise.future.cancelled())

    def test_cancelled_from_inside(self):
        async def work():
            holder[0].cancel()
            await Concur.sleep(3600)
        holder = [Concur.spawn(work())]
        iterate_until(holder[0].done)
        self.assertTrue(holder[0].cancelled())

    def test_cancellation_swallowed(self):
        async def work():
            try:
                await Concur.sleep(3600)
            except asyncio.CancelledError:
                pass
            await Concur.sleep(0)
            return 'still here'
        future = Concur.spawn(work())
        iterate_until(future.running)
        future.cancel()
        self.assertEqual(self.finish(future), 'still here')

    def test_abandoned(self):
        seen = []

        async def work():
            try:
                await Concur.sleep(3600)
            finally:
                await Concur.sleep(0)
                seen.append('cleaned up')
        future = Concur.spawn(work())
        iterate_until(future.running)
        self.assertTrue(future.cancel(abandon=True))
        self.assertTrue(future.cancelled())
        iterate_until(lambda: seen)

    def test_check_cancelled_and_report(self):
        pool = self.pool()

        async def work():
            Concur.report(0.25, 'first turn')
            await pool.submit(int)
            Concur.report(0.5, 'second turn')
            await Concur.sleep(0)
            future.cancel()
            Concur.check_cancelled()
        future = Concur.spawn(work(), name='reporting')
        iterate_until(future.done)
        self.assertTrue(future.cancelled())
        self.assertEqual((future.progress, future.status_text, future.name),
                         (0.5, 'second turn', 'reporting'))

    def test_foreign_awaits(self):
        class Foreign:
            def __await__(self):
                yield 'something'

        async def work():
            errors = []
            for wrong in (Foreign(), asyncio.sleep(1)):
                try:
                    await wrong
                except RuntimeError as error:
                    errors.append(str(error))
            # It can go on.
            return errors, await Concur.Future.resolved(1)
        errors, value = self.finish(Concur.spawn(work()))
        self.assertEqual((len(errors), value), (2, 1))
        self.assertIn('LoopThread', errors[0])

    def test_nested_main_loop(self):
        order = []

        async def inner():
            order.append('inner')
            await Concur.sleep(0)
            order.append('inner again')

        async def outer():
            order.append('outer')
            future = Concur.spawn(inner())
            future.iterate(LIMIT)
            await Concur.sleep(0)
            order.append('outer again')
        self.finish(Concur.spawn(outer()))
        self.assertEqual(order, ['outer', 'inner', 'inner again', 'outer again'])

    def test_cancelled_in_a_nested_loop(self):
        async def work():
            future.cancel()
            # The request comes here, where it cannot be raised yet.
            Concur.sleep(0.01).iterate(LIMIT)
            await Concur.Future.resolved(1)
            await Concur.sleep(3600)
        future = Concur.spawn(work())
        iterate_until(future.done)
        self.assertTrue(future.cancelled())

    def test_under_a_loop_of_asyncio(self):
        # Whose thread happens to run the context.
        async def work():
            return await self.pool().submit(lambda: [1])

        async def main():
            future = Concur.spawn(work())
            iterate_until(future.done)
            asyncio.get_running_loop()
            return await future
        self.assertEqual(asyncio.run(main()), [1])

    def test_wrong_arguments(self):
        async def work():
            pass
        for wrong in (work, None, Concur.Promise().future, (x for x in ())):
            with self.assertRaises(TypeError):
                Concur.spawn(wrong)
        over = work()
        over.close()
        with self.assertRaises(RuntimeError):
            Concur.spawn(over)

    def test_many(self):
        pool = self.pool(2)

        async def work(number):
            for _ in range(5):
                number = await pool.submit(lambda: number + 1)
            return number
        futures = [Concur.spawn(work(number)) for number in range(50)]
        self.assertEqual(self.finish(Concur.Future.all(futures)),
                         [number + 5 for number in range(50)])

    def test_leaves_nothing(self):
        pool = self.pool()
        with self.all_futures_go():
            async def work(fail):
                await pool.submit(lambda: [1])
                if fail:
                    raise ValueError
            for number in range(50):
                future = Concur.spawn(work(number % 2))
                iterate_until(future.done)
                future.exception()
            future = None

    def test_suspended_for_ever(self):
        # Nothing can wake it any more: what it waits for goes with it.
        thing = Thing()
        reference = weakref.ref(thing)

        async def work(thing):
            await Concur.sleep(3600)
        future = Concur.spawn(work(thing))
        iterate_until(future.running)
        del thing
        future.cancel()
        iterate_until(future.done)
        future = None
        iterate_until(lambda: gone(reference))


class TestRun(Case):
    def test_future(self):
        pool = self.pool()
        self.assertEqual(Concur.run(pool.submit(lambda: [1])), [1])
        with self.assertRaises(ZeroDivisionError):
            Concur.run(pool.submit(lambda: 1 / 0))
        # What needs the main context of this thread.
        self.assertEqual(Concur.run(Concur.ContextExecutor().submit(lambda: [2])), [2])

    def test_coroutine(self):
        pool = self.pool()

        async def work():
            await asyncio.sleep(0)
            main = await Concur.ContextExecutor().submit(threading.get_ident)
            return main, await pool.submit(lambda: [1])
        self.assertEqual(Concur.run(work()), (threading.get_ident(), [1]))

        async def fail():
            await asyncio.sleep(0)
            raise KeyError
        with self.assertRaises(KeyError):
            Concur.run(fail())

    def test_timeout(self):
        promise = Concur.Promise()
        with self.assertRaises(TimeoutError):
            Concur.run(promise.future, 0.01)
        self.assertTrue(promise.future.cancelled())
        seen = []

        async def work():
            try:
                await asyncio.sleep(3600)
            finally:
                seen.append('cleaned up')
        with self.assertRaises(TimeoutError):
            Concur.run(work(), 0.01)
        self.assertEqual(seen, ['cleaned up'])
        self.assertEqual(Concur.run(self.pool().submit(int), LIMIT), 0)

    def test_nested(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, 'await'):
                Concur.run(Concur.sleep(0))
        asyncio.run(main())

        def inner():
            return Concur.run(self.pool().submit(lambda: 'inner'))
        self.assertEqual(Concur.run(Concur.ContextExecutor().submit(inner)), 'inner')
        self.assertEqual(self.pool().submit(inner).result(LIMIT), 'inner')

    def test_what_cannot_be_run(self):
        with self.assertRaises(TypeError):
            Concur.run(3)

    def test_iterate(self):
        promise = Concur.Promise()
        for timeout in (0, -1, 0.01, 0.12):
            self.assertFalse(promise.future.iterate(timeout))
        with self.assertRaises(ValueError):
            promise.future.iterate(float('nan'))
        GLib.idle_add(promise.resolve, [1])
        self.assertTrue(promise.future.iterate())
        self.assertTrue(promise.future.iterate(0))


if __name__ == '__main__':
    unittest.main()
