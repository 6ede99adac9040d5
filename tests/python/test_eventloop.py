# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.new_event_loop (): what asyncio's loops do, with nothing left, and how one is run
and closed. Contexts are in test_eventloop_context.py, signals in test_eventloop_signals.py."""

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
import unittest
import weakref

from eventloop_util import LoopCase, attach
from util import LIMIT, SCALE, Case, Concur, Gate, GLib, collect, gone, run_script


def resident():
    collect()
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


class TestAsyncio(LoopCase):
    def test_tasks(self):
        async def double(number):
            await asyncio.sleep(0)
            return number * 2

        async def main():
            self.assertIs(asyncio.get_running_loop(), self.loop)
            return await asyncio.gather(*(double(number) for number in range(100)))

        self.assertEqual(self.run_loop(main()), [number * 2 for number in range(100)])

    def test_timers(self):
        async def main():
            order = []
            begin = self.loop.time()
            # The later ones first, so that the wait has to be shortened each time.
            for delay in (0.08, 0.06, 0.04, 0.02, 0):
                self.loop.call_later(delay, order.append, delay)
            await asyncio.sleep(0.1)
            self.assertGreaterEqual(self.loop.time() - begin, 0.1)
            return order

        self.assertEqual(self.run_loop(main()), [0, 0.02, 0.04, 0.06, 0.08])

    def test_timer_after_file(self):
        async def main():
            near, far = self.socket_pair()
            sleep = asyncio.ensure_future(asyncio.sleep(0.05))
            self.loop.call_later(0.01, far.send, b'x')
            await self.loop.sock_recv(near, 1)
            # What the file was ready for has not put the timer off.
            await sleep

        self.run_loop(main())

    def test_sockets(self):
        async def main():
            near, far = self.socket_pair()
            data = os.urandom(1 << 20)

            async def receive():
                parts = []
                while sum(map(len, parts)) < len(data):
                    parts.append(await self.loop.sock_recv(far, 1 << 16))
                return b''.join(parts)

            received, sent = await asyncio.gather(receive(), self.loop.sock_sendall(near, data))
            self.assertEqual(received, data)

        self.run_loop(main())

    def test_streams(self):
        async def echo(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()

        async def ask(port, text):
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            writer.write(text)
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

        async def main():
            server = await asyncio.start_server(echo, '127.0.0.1', 0)
            port = server.sockets[0].getsockname()[1]
            texts = [b'%d\n' % number for number in range(50)]
            answers = await asyncio.gather(*(ask(port, text) for text in texts))
            server.close()
            await server.wait_closed()
            self.assertEqual(answers, texts)

        self.run_loop(main())

    def test_executor(self):
        async def main():
            return await self.loop.run_in_executor(None, threading.get_ident)

        self.assertNotEqual(self.run_loop(main()), threading.get_ident())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())

    def test_threads_wake_it(self):
        async def main():
            for number in range(500):
                future = self.loop.create_future()
                pool.submit(self.loop.call_soon_threadsafe, future.set_result, number)
                self.assertEqual(await future, number)

        pool = self.pool(2)
        self.run_loop(main())

    def test_many_threads_wake_it(self):
        # Each call is heard, also the last one before the loop falls asleep: nothing else
        # wakes it.
        async def main():
            for _ in range(ROUNDS):
                done = self.loop.create_future()
                heard = []

                def hear(number):
                    heard.append(number)
                    if len(heard) == 8 * CALLS:
                        done.set_result(None)

                def call(first):
                    for number in range(first, first + CALLS):
                        self.loop.call_soon_threadsafe(hear, number)

                for each in range(8):
                    pool.post(call, each * CALLS)
                # Now and then it is awake for something else.
                source = attach(GLib.timeout_source_new(1), lambda data: True, self.context)
                self.loop.call_later(0.001, source.destroy)
                await done
                self.assertEqual(sorted(heard), list(range(8 * CALLS)))

        ROUNDS, CALLS = max(1, 100 // SCALE), 20
        pool = self.pool(8)
        self.run_loop(main())

    def test_futures(self):
        gate = Gate()
        self.addCleanup(gate.open)

        async def main():
            future = pool.submit(gate, 5)
            waiting = asyncio.ensure_future(_wait_for(future))
            await asyncio.sleep(0)
            gate.open()
            return await waiting

        async def _wait_for(future):
            return await future

        pool = self.pool()
        self.assertEqual(self.run_loop(main()), 5)

    @unittest.skipUnless(hasattr(asyncio, 'Runner'), 'asyncio has no Runner')
    def test_runner(self):
        async def main():
            await asyncio.sleep(0.001)
            return asyncio.get_running_loop()

        with asyncio.Runner(loop_factory=Concur.new_event_loop) as runner:
            loop = runner.run(main())
            self.assertIsInstance(loop, Concur.EventLoop)
        self.assertTrue(loop.is_closed())

    @unittest.skipUnless(sys.version_info >= (3, 12), 'asyncio.run () takes no factory')
    def test_run(self):
        async def main():
            return asyncio.get_running_loop()

        loop = asyncio.run(main(), loop_factory=Concur.new_event_loop)
        self.assertIsInstance(loop, Concur.EventLoop)


class TestTimerInLine(unittest.TestCase):
    """A timer whose time comes while a source of a higher priority is ready has to wait, and
    GLib then calls it whatever it was set to meanwhile."""

    def test_next_time_is_not_lost(self):
        async def main():
            loop = asyncio.get_running_loop()
            reader, writer = os.pipe()
            urgent = GLib.unix_fd_source_new(reader, GLib.IOCondition.IN)
            urgent.set_priority(GLib.PRIORITY_HIGH)
            urgent.set_callback(lambda *_: os.read(reader, 1) == b'x')
            urgent.attach(loop.context)
            armed = loop.create_future()
            idle = GLib.idle_source_new()
            idle.set_callback(lambda data: armed.set_result(None))
            idle.attach(loop.context)
            begin = time.monotonic()
            timer = loop.call_later(0.001, int)
            # The loop waits for the timer, and is woken before.
            await armed
            timer.cancel()
            while time.monotonic() < begin + 0.002:
                pass
            os.write(writer, b'x')
            # A turn that only looks.
            await asyncio.sleep(0)
            await asyncio.sleep(0.01)
            urgent.destroy()
            os.close(reader)
            os.close(writer)

        loop = Concur.new_event_loop()
        try:
            for _ in range(10):
                task = loop.create_task(main())
                rescue = threading.Timer(LIMIT, loop.call_soon_threadsafe, (task.cancel,))
                rescue.start()
                loop.run_until_complete(task)
                rescue.cancel()
        finally:
            loop.close()


class TestLeaks(LoopCase):
    def growth(self, coroutine_function, number):
        """Bytes of the process for each of so many times."""
        async def repeat(number):
            for _ in range(number):
                await coroutine_function()

        self.loop.run_until_complete(repeat(number))
        before = resident()
        self.loop.run_until_complete(repeat(number))
        return (resident() - before) / number

    @unittest.skipIf('LD_PRELOAD' in os.environ, 'sanitizers keep what was freed')
    @unittest.skipUnless(os.path.exists('/proc/self/statm'), 'there is no /proc')
    def test_memory(self):
        # A closure of PyGObject's that stays is 110 bytes at least.
        async def wake():
            future = self.loop.create_future()
            thread.call_soon_threadsafe(self.loop.call_soon_threadsafe, future.set_result, None)
            await future

        async def read():
            far.send(b'x')
            await self.loop.sock_recv(near, 1)

        near, far = self.socket_pair()
        thread = asyncio.new_event_loop()
        self.addCleanup(thread.close)
        runner = threading.Thread(target=thread.run_forever)
        runner.start()
        self.addCleanup(runner.join, LIMIT)
        self.addCleanup(thread.call_soon_threadsafe, thread.stop)
        for name, function, number in (('turn', lambda: asyncio.sleep(0), 50000),
                                       ('timer', lambda: asyncio.sleep(0.00001), 10000),
                                       ('wake-up', wake, 10000), ('file', read, 10000)):
            with self.subTest(name):
                self.assertLess(self.growth(function, number), 50)


class TestRun(Case):
    def test_value(self):
        async def main():
            await asyncio.sleep(0.001)
            return 5

        self.assertEqual(Concur.run(main()), 5)
        self.assertEqual(Concur.run(main(), timeout=LIMIT), 5)

    def test_timeout(self):
        steps = []

        async def main():
            try:
                await asyncio.sleep(LIMIT)
            finally:
                await asyncio.sleep(0.001)
                steps.append('cleared up')

        with self.assertRaises(TimeoutError):
            Concur.run(main(), timeout=0.01)
        self.assertEqual(steps, ['cleared up'])

    def test_left_over(self):
        steps = []

        async def left():
            try:
                await asyncio.sleep(LIMIT)
            finally:
                await asyncio.sleep(0.001)
                steps.append('cleared up')

        async def main():
            steps.append(asyncio.ensure_future(left()))
            await asyncio.sleep(0)

        Concur.run(main())
        self.assertEqual(steps[1:], ['cleared up'])

    def test_sources_of_the_thread(self):
        async def main():
            done = asyncio.get_running_loop().create_future()
            GLib.idle_add(lambda: done.set_result(threading.get_ident()))
            return await done

        self.assertEqual(Concur.run(main()), threading.get_ident())


class TestEnd(Case):
    def test_close(self):
        context = GLib.MainContext.new()
        loop = Concur.new_event_loop(context)
        loop.run_until_complete(asyncio.sleep(0.001))
        selector = loop._selector
        references = weakref.ref(loop), weakref.ref(selector)
        loop.close()
        # As long as the sources are there, they have the selector.
        loop = selector = None
        self.assertTrue(gone(*references))
        self.assertFalse(context.iteration(False))

    def test_call_after_close(self):
        loop = Concur.new_event_loop()
        loop.close()
        with self.assertRaises(RuntimeError):
            loop.call_soon_threadsafe(print)

    def test_many_loops(self):
        files = len(os.listdir('/proc/self/fd')) if os.path.isdir('/proc/self/fd') else None
        for _ in range(200):
            loop = Concur.new_event_loop()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        gc.collect()
        if files is not None:
            self.assertLessEqual(len(os.listdir('/proc/self/fd')), files + 2)

    def test_future_after_close(self):
        # What nobody waits for any more has no loop to wake.
        gate = Gate()
        self.addCleanup(gate.open)
        pool = self.pool()
        future = pool.submit(gate, 1)

        async def main():
            waiting = asyncio.ensure_future(_await(future.shield()))
            await asyncio.sleep(0)
            return waiting

        async def _await(future):
            return await future

        loop = Concur.new_event_loop()
        waiting = loop.run_until_complete(main())
        loop.close()
        gate.open()
        self.assertEqual(future.result(LIMIT), 1)
        waiting._log_destroy_pending = False
        with contextlib.suppress(RuntimeError):
            waiting.get_coro().close()

    def test_interpreter_exit(self):
        output, errors = run_script('''
            import asyncio
            loop = Concur.new_event_loop()
            loop.run_until_complete(asyncio.sleep(0.001))
            print('ran')
            ''')
        self.assertEqual((output, errors), ('ran\n', ''))


if __name__ == '__main__':
    unittest.main()
