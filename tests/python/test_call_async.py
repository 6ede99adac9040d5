# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""call_async () and sync_wait (): from a worker into the loop."""

import asyncio
import contextvars
import threading
import unittest
import weakref

from loops import LOOPS, as_coroutine, here, on_asyncio, pending, where
from util import LIMIT, Case, Concur, Gate, GLib, Thing, gone

variable = contextvars.ContextVar('variable', default='unset')


def here_name(thread):
    return thread.call(lambda: here().name)


class TestIntoTheLoop(Case):
    def from_worker(self, run, work, pool=None):
        async def main():
            return await Concur.call_in_executor(work, executor=pool)
        return run(main())

    def test_function_and_coroutine(self):
        for name, run, sleep in LOOPS:
            async def coroutine(value, key=None):
                await sleep(0.001)
                return here(), value, key

            def function(value):
                return here(), value

            def returns_awaitable(value):
                return coroutine(value)

            def work():
                return [
                    Concur.call_async(None, function, 1),
                    Concur.call_async(None, coroutine, 2, key='k'),
                    Concur.call_async(None, returns_awaitable, 3),
                    Concur.sync_wait(coroutine, 4),
                    Concur.sync_wait(coroutine(5)),
                    Concur.sync_wait(where(6))[1],
                ]
            with self.subTest(name):
                main = threading.main_thread()
                self.assertEqual(self.from_worker(run, work), [
                    (main, 1), (main, 2, 'k'), (main, 3, None), (main, 4, None),
                    (main, 5, None), 6])

    def test_explicit_loops(self):
        async def where_am_i():
            return here().name
        with Concur.LoopThread(name='net') as thread:
            for loop in (thread, thread.loop):
                self.assertEqual(Concur.call_async(loop, where_am_i), here_name(thread))
                self.assertEqual(Concur.sync_wait(where_am_i, loop=loop), here_name(thread))
        main_context = GLib.MainContext.default()
        for loop in (main_context, GLib.MainLoop.new(main_context, False),
                     Concur.ContextExecutor(main_context)):
            future = Concur.to_thread(Concur.call_async, loop, where_am_i)
            self.assertEqual(Concur.run(future, LIMIT), here().name)
        with self.assertRaisesRegex(TypeError, 'a loop is needed'):
            Concur.call_async(3, where_am_i)
        with self.assertRaisesRegex(TypeError, 'not callable'):
            Concur.call_async(None, 3)
        with self.assertRaises(TypeError):
            Concur.sync_wait(3)

    def test_from_a_loop_thread(self):
        async def where_am_i():
            return here().name

        async def host():
            return await Concur.to_thread(Concur.sync_wait, where_am_i)
        with Concur.LoopThread(name='net') as thread:
            self.assertEqual(thread.call(host), here_name(thread))

    def test_origin_goes_through_several_pools(self):
        def inner():
            return Concur.sync_wait(_where)

        def outer():
            return Concur.to_thread(inner).result(LIMIT)

        async def _where():
            return here().name

        async def host():
            return await Concur.to_thread(outer)
        with Concur.LoopThread(name='net') as thread:
            self.assertEqual(thread.call(host), here_name(thread))

    def test_origin_is_a_main_context(self):
        context = GLib.MainContext.new()
        loop = GLib.MainLoop.new(context, False)
        thread = threading.Thread(target=loop.run, name='own context')
        thread.start()

        async def where_am_i():
            return here().name

        async def host():
            return await Concur.to_thread(Concur.sync_wait, where_am_i)
        try:
            self.assertEqual(Concur.spawn(host(), context=context).result(LIMIT), 'own context')
        finally:
            loop.quit()
            thread.join(LIMIT)

    def test_origin_from_standard_pools_of_ours(self):
        async def _where():
            return here().name
        with Concur.ThreadPoolExecutor(1) as pool:
            async def host():
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(pool, Concur.sync_wait, _where)
            with Concur.LoopThread(name='net') as thread:
                self.assertEqual(thread.call(host), here_name(thread))

    def test_errors_are_the_originals(self):
        class Odd(BaseException):
            pass
        for name, run, sleep in LOOPS:
            for error in (LookupError('x'), Odd('y'), SystemExit(3)):
                async def coroutine():
                    await sleep(0)
                    raise error

                def function():
                    raise error

                def work():
                    caught = []
                    for what in (coroutine, function):
                        try:
                            Concur.call_async(None, what)
                        except BaseException as raised:
                            caught.append(raised)
                    return caught
                with self.subTest(name, error=error):
                    caught = self.from_worker(run, work)
                    self.assertEqual(len(caught), 2)
                    for raised in caught:
                        self.assertIs(raised, error)

    def test_context_variables(self):
        async def read():
            return variable.get()

        def work():
            variable.set('worker')
            return Concur.sync_wait(read)
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                self.assertEqual(self.from_worker(run, work), 'worker')

    def test_report_belongs_to_the_call(self):
        async def coroutine():
            Concur.report(0.5)
            return 1
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                self.assertEqual(self.from_worker(run, lambda: Concur.sync_wait(coroutine)), 1)

    def test_on_the_loops_own_thread(self):
        ran = []

        async def coroutine():
            ran.append(True)

        async def main():
            for call in (lambda: Concur.call_async(None, coroutine),
                         lambda: Concur.sync_wait(coroutine),
                         lambda: Concur.sync_wait(coroutine()),
                         lambda: Concur.sync_wait(pending())):
                with self.assertRaisesRegex(RuntimeError, 'await'):
                    call()
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                run(main())
        self.assertEqual(ran, [])

    def test_nobody_runs_a_loop(self):
        loop = asyncio.new_event_loop()
        coroutine = as_coroutine(None)
        with self.assertRaisesRegex(RuntimeError, 'does not run'):
            Concur.sync_wait(coroutine, loop=loop)
        self.assertEqual(coroutine.cr_frame, None)
        loop.close()
        with self.assertRaisesRegex(RuntimeError, 'closed'):
            Concur.call_async(loop, here)
        future = Concur.to_thread(Concur.call_async, None, here)
        with self.assertRaisesRegex(RuntimeError, 'does not run'):
            future.result(LIMIT)
        with self.assertRaisesRegex(RuntimeError, 'does not run'):
            Concur.call_async(Concur.LoopThread(), here)

    def test_an_abandoned_call_is_not_made_later(self):
        loop = asyncio.new_event_loop()
        ran = []
        with self.assertRaises(RuntimeError):
            Concur.call_async(loop, ran.append, 1)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        self.assertEqual(ran, [])

    def test_loop_closed_or_stopped_meanwhile(self):
        for close in (True, False):
            loop = asyncio.new_event_loop()
            begun = []

            async def for_ever():
                begun.append(loop.create_future())
                loop.stop()
                await begun[0]
            future = Concur.to_thread(Concur.sync_wait, for_ever, loop=loop)
            loop.run_forever()
            self.assertEqual(len(begun), 1)
            if close:
                loop.close()
            with self.subTest(close=close), self.assertRaisesRegex(
                    RuntimeError, 'closed' if close else 'does not run'):
                future.result(LIMIT)
            if not close:
                # It was cancelled, and clears up when the loop runs again.
                pending = asyncio.all_tasks(loop)
                loop.run_until_complete(asyncio.wait(pending))
                self.assertTrue(all(task.cancelled() for task in pending))
                loop.close()
            else:
                for task in asyncio.all_tasks(loop):
                    task._log_destroy_pending = False

    def test_loop_that_pauses(self):
        """Between two run_until_complete () a call just waits."""
        loop = asyncio.new_event_loop()
        future = Concur.to_thread(Concur.call_async, loop, here)
        try:
            loop.run_until_complete(asyncio.sleep(0))
            while not future.done():
                loop.run_until_complete(asyncio.sleep(0.01))
            self.assertIs(future.result(), here())
        finally:
            loop.close()

    def test_stopping_a_loop_thread(self):
        begun = threading.Event()

        async def for_ever():
            begun.set()
            await asyncio.get_running_loop().create_future()
        thread = Concur.LoopThread()
        thread.start()
        future = Concur.to_thread(Concur.sync_wait, for_ever, loop=thread)
        self.assertTrue(begun.wait(LIMIT))
        thread.stop()
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)

    def test_cancelling_the_job_cancels_the_coroutine(self):
        for name, run, sleep in LOOPS:
            log = []

            async def main():
                begun = Concur.Promise()

                async def for_ever():
                    begun.resolve()
                    try:
                        await pending()
                    except asyncio.CancelledError:
                        await sleep(0.001)
                        log.append('cleared up')
                        raise

                def work():
                    try:
                        Concur.sync_wait(for_ever)
                    except asyncio.CancelledError:
                        log.append('worker')
                        raise
                future = Concur.to_thread(work)
                await begun.future
                future.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await future
            with self.subTest(name):
                run(main())
                self.assertEqual(log, ['cleared up', 'worker'])

    def test_cancelling_the_job_cancels_the_future_it_waits_for(self):
        awaited = pending()
        begun = threading.Event()

        def work():
            begun.set()
            Concur.sync_wait(awaited)
        future = Concur.to_thread(work)
        begun.wait(LIMIT)
        future.cancel()
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)
        self.assertTrue(awaited.cancelled())

    def test_cancelled_before_the_call(self):
        gate, ran = Gate(), []

        def work():
            gate()
            Concur.call_async(None, ran.append, 1)

        async def main():
            future = Concur.to_thread(work)
            await Concur.to_thread(gate.wait)
            future.cancel()
            gate.open()
            with self.assertRaises(asyncio.CancelledError):
                await future
        on_asyncio(main())
        self.assertEqual(ran, [])

    def test_one_thread_is_enough(self):
        """The coroutine needs the very pool whose only thread waits for it."""
        pool = self.pool(1)

        async def coroutine():
            return await pool.submit(pow, 2, 5)
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                self.assertEqual(
                    self.from_worker(run, lambda: Concur.sync_wait(coroutine), pool), 32)

    def test_many_at_once(self):
        async def add(value):
            await asyncio.sleep(0)
            return value + 1

        async def main():
            pool = self.pool(8)
            futures = [pool.submit(Concur.sync_wait, add, i) for i in range(200)]
            return await Concur.gather(*futures)
        self.assertEqual(on_asyncio(main()), list(range(1, 201)))

    def test_nothing_is_kept(self):
        value = Thing()
        reference = weakref.ref(value)

        async def same(value):
            await asyncio.sleep(0)
            return value

        async def main():
            return await Concur.to_thread(Concur.sync_wait, same, value)
        self.assertIs(on_asyncio(main()), value)
        with self.all_futures_go():
            on_asyncio(main())
        del value
        self.assertTrue(gone(reference))


if __name__ == '__main__':
    unittest.main()
