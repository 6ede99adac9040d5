# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.ContextExecutor: functions and coroutines in a main context."""

import threading
import unittest

from util import LIMIT, Case, iterate_until

from gi.repository import Concur, GLib


class TestContextExecutor(Case):
    def test_runs_in_the_main_loop(self):
        main = Concur.ContextExecutor()
        seen = []
        future = main.submit(lambda: seen.append(threading.get_ident()) or [1])
        self.assertEqual(seen, [])
        iterate_until(future.done)
        self.assertEqual(seen, [threading.get_ident()])
        self.assertEqual(future.result(), [1])

    def test_from_a_worker(self):
        main = Concur.ContextExecutor()

        def work():
            return main.submit(threading.get_ident).result(LIMIT)
        future = self.pool().submit(work)
        iterate_until(future.done)
        self.assertEqual(future.result(), threading.get_ident())

    def test_order(self):
        main = Concur.ContextExecutor()
        seen = []
        futures = [main.submit(seen.append, number) for number in range(100)]
        iterate_until(futures[-1].done)
        self.assertEqual(seen, list(range(100)))

    def test_exception(self):
        future = Concur.ContextExecutor().submit(lambda: {}['key'])
        iterate_until(future.done)
        with self.assertRaises(KeyError):
            future.result()

    def test_coroutines(self):
        main = Concur.ContextExecutor()
        pool = self.pool()

        async def work(a, *, b):
            inner = await pool.submit(lambda: [a])
            self.assertEqual(threading.get_ident(), home)
            return inner + [b]
        home = threading.get_ident()
        for future in (main.submit(work, 1, b=2), main.submit(work(1, b=2)),
                       main.options(name='named').submit(work, 1, b=2)):
            iterate_until(future.done)
            self.assertEqual(future.result(), [1, 2])

    def test_own_context(self):
        context = GLib.MainContext()
        executor = Concur.ContextExecutor(context)
        self.assertIs(type(executor), Concur.ContextExecutor)
        future = executor.submit(list)
        iterate_until(future.done, context)
        self.assertEqual(future.result(), [])

    def test_shutdown_waits_for_coroutines(self):
        main = Concur.ContextExecutor()
        promise = Concur.Promise()

        async def work():
            await promise.future
            await Concur.sleep(0)
            return 'to the end'
        future = main.submit(work)
        iterate_until(future.running)
        over = main.shutdown()
        self.assertFalse(over.done())
        promise.resolve()
        iterate_until(over.done)
        self.assertEqual(future.result(), 'to the end')
        refused = main.submit(work)
        with self.assertRaises(RuntimeError):
            refused.result()

    def test_shutdown_cancels_coroutines(self):
        main = Concur.ContextExecutor()
        seen = []

        async def work():
            try:
                await Concur.sleep(3600)
            finally:
                seen.append('cleaned up')
        future = main.submit(work)
        iterate_until(future.running)
        over = main.shutdown(Concur.ShutdownMode.CANCEL_ALL)
        iterate_until(over.done)
        self.assertTrue(future.cancelled())
        self.assertEqual(seen, ['cleaned up'])

    def test_nested_main_loop(self):
        main = Concur.ContextExecutor()
        order = []

        def outer():
            inner = main.submit(order.append, 'inner')
            inner.iterate(LIMIT)
            order.append('outer')
        future = main.submit(outer)
        iterate_until(future.done)
        future.result()
        self.assertEqual(order, ['inner', 'outer'])

    def test_context_closed(self):
        context = GLib.MainContext()

        async def work():
            await Concur.sleep(0)
        coroutine = work()
        future = Concur.spawn(coroutine, context=context)
        future.cancel()
        self.assertTrue(future.wait(LIMIT))
        del context, future


if __name__ == '__main__':
    unittest.main()
