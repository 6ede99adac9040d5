# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.new_event_loop (): the main context and its sources beside asyncio: whose it is,
nested loops, and that each gets its turn."""

import asyncio
import threading
import time
import unittest

from eventloop_util import LoopCase, attach
from util import LIMIT, Concur, Gate, GLib


class TestContext(LoopCase):
    def test_default_context(self):
        loop = Concur.new_event_loop()
        self.addCleanup(loop.close)
        self.assertEqual(loop.context, GLib.MainContext.default())
        self.context.push_thread_default()
        try:
            own = Concur.new_event_loop()
            self.addCleanup(own.close)
            self.assertEqual(own.context, self.context)
        finally:
            self.context.pop_thread_default()

    def test_thread_default(self):
        async def main():
            return GLib.MainContext.get_thread_default()

        self.assertEqual(self.run_loop(main()), self.context)
        self.assertIsNone(GLib.MainContext.get_thread_default())

    def test_sources(self):
        async def main():
            done = self.loop.create_future()
            idents = set()

            def tick(data):
                idents.add(threading.get_ident())
                # Neither of them wakes the loop by itself.
                if not done.done():
                    done.set_result(asyncio.get_running_loop())
                return False

            attach(GLib.timeout_source_new(5), tick, self.context)
            self.assertIs(await done, self.loop)
            called = asyncio.Event()
            attach(GLib.idle_source_new(), lambda data: self.loop.call_soon(called.set) and False,
                   self.context)
            await called.wait()
            self.assertEqual(idents, {threading.get_ident()})

        self.run_loop(main())

    def test_source_starts_task(self):
        async def main():
            done = self.loop.create_future()

            async def later():
                await asyncio.sleep(0.001)
                done.set_result(True)

            tasks = []
            attach(GLib.idle_source_new(),
                   lambda data: tasks.append(self.loop.create_task(later())), self.context)
            self.assertTrue(await done)

        self.run_loop(main())

    def test_owned_by_other_thread(self):
        gate = Gate()
        self.addCleanup(gate.open)

        def own():
            self.context.acquire()
            gate()
            self.context.release()

        pool = self.pool()
        owning = pool.submit(own)
        gate.wait()
        coroutine = asyncio.sleep(0)
        with self.assertRaisesRegex(RuntimeError, 'belongs to another thread'):
            self.loop.run_forever()
        coroutine.close()
        gate.open()
        owning.result(LIMIT)
        self.run_loop(asyncio.sleep(0))

    def test_on_many_threads(self):
        async def main(number):
            for _ in range(20):
                await asyncio.sleep(0.0001)
            return number

        def run(number):
            loop = Concur.new_event_loop(GLib.MainContext.new())
            try:
                return loop.run_until_complete(main(number))
            finally:
                loop.close()

        pool = self.pool(8)
        self.assertEqual(list(pool.map(run, range(40))), list(range(40)))


class TestNesting(LoopCase):
    def nest(self, milliseconds):
        """Iterates the context from within; returns what time of the processor that took."""
        over = []
        attach(GLib.timeout_source_new(milliseconds), lambda data: over.append(True),
               self.context)
        begin = time.thread_time()
        while not over:
            self.context.iteration(True)
        return time.thread_time() - begin

    def test_tasks_wait(self):
        async def main():
            steps = []
            again = self.loop.create_future()
            near, far = self.socket_pair()

            def read():
                steps.append(near.recv(1))
                if steps[-1] == b'y':
                    again.set_result(None)

            self.loop.add_reader(near, read)
            self.loop.call_soon(steps.append, 'soon')
            self.loop.call_later(0.001, steps.append, 'later')
            far.send(b'x')
            used = self.nest(200)
            self.assertEqual(steps, [])
            # A file that nobody reads has not kept that loop busy.
            self.assertLess(used, 0.1)
            while len(steps) < 3:
                await asyncio.sleep(0.001)
            self.assertEqual(set(steps), {'soon', 'later', b'x'})
            # And it is heard again, also while nothing else happens.
            self.loop.call_later(0.01, far.send, b'y')
            await again

        self.run_loop(main())

    def test_from_source(self):
        async def main():
            done = self.loop.create_future()
            steps = []

            def outer(data):
                self.loop.call_soon(steps.append, 'task')
                self.nest(5)
                steps.append('nested')
                done.set_result(None)

            attach(GLib.idle_source_new(), outer, self.context)
            await done
            await asyncio.sleep(0)
            self.assertEqual(steps, ['nested', 'task'])

        self.run_loop(main())

    def test_wake_up_of_thread_in_nested_loop(self):
        # The wake-up is for the nested iteration; the call must not be forgotten.
        async def main():
            done = self.loop.create_future()
            gate = Gate()

            def call():
                self.loop.call_soon_threadsafe(done.set_result, 1)
                gate()

            called = pool.submit(call)
            gate.wait()
            self.nest(1)
            gate.open()
            self.assertEqual(await done, 1)
            await called

        pool = self.pool()
        self.run_loop(main())

    def test_run_in_callback(self):
        result = []

        async def inner():
            await asyncio.sleep(0.001)
            return 'inner'

        def call(data):
            result.append(Concur.run(inner()))
            main_loop.quit()

        main_loop = GLib.MainLoop()
        GLib.idle_add(call, None)
        main_loop.run()
        self.assertEqual(result, ['inner'])


class TestFairness(LoopCase):
    def test_many_callbacks(self):
        async def main():
            ticks = []
            attach(GLib.timeout_source_new(1), lambda data: ticks.append(1) or True,
                   self.context)
            over = self.loop.create_future()

            def step(left):
                if left:
                    self.loop.call_soon(step, left - 1)
                else:
                    over.set_result(len(ticks))

            step(100000)
            self.assertGreater(await over, 10)

        self.run_loop(main())

    def test_many_at_once(self):
        async def main():
            ticks = []
            attach(GLib.idle_source_new(), lambda data: ticks.append(1) or True, self.context)
            done = [0]

            def step():
                done[0] += 1

            for _ in range(100000):
                self.loop.call_soon(step)
            while done[0] < 100000 or not ticks:
                await asyncio.sleep(0)

        self.run_loop(main())

    def test_flood_of_sources(self):
        for priority in (GLib.PRIORITY_DEFAULT_IDLE, GLib.PRIORITY_DEFAULT, GLib.PRIORITY_HIGH):
            with self.subTest(priority=priority):
                flood = attach(GLib.idle_source_new(), lambda data: True, self.context, priority)

                async def main():
                    for _ in range(20):
                        await asyncio.sleep(0.001)
                    near, far = self.socket_pair()
                    self.loop.call_later(0.001, far.send, b'x')
                    self.assertEqual(await self.loop.sock_recv(near, 1), b'x')

                self.run_loop(main())
                flood.destroy()

    def test_idle(self):
        # Nothing to do costs nothing.
        async def main():
            begin = time.thread_time()
            await asyncio.sleep(0.3)
            return time.thread_time() - begin

        self.assertLess(self.run_loop(main()), 0.1)


if __name__ == '__main__':
    unittest.main()
