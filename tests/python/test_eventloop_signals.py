# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.new_event_loop (): signals, and the interrupt from the keyboard."""

import asyncio
import inspect
import os
import signal
import threading
import time
import unittest

from eventloop_util import LoopCase
from util import LIMIT, Concur, run_script


class TestSignals(LoopCase):
    def test_handler(self):
        async def main():
            got = self.loop.create_future()
            self.loop.add_signal_handler(signal.SIGUSR1, got.set_result, 1)
            pool.submit(os.kill, os.getpid(), signal.SIGUSR1)
            self.assertEqual(await got, 1)
            self.assertTrue(self.loop.remove_signal_handler(signal.SIGUSR1))

        pool = self.pool()
        for _ in range(20):
            self.run_loop(main())

    def test_handler_outlives_run(self):
        got = []
        self.loop.add_signal_handler(signal.SIGUSR1, got.append, 1)
        self.addCleanup(self.loop.remove_signal_handler, signal.SIGUSR1)
        self.run_loop(asyncio.sleep(0))

        async def main():
            os.kill(os.getpid(), signal.SIGUSR1)
            while not got:
                await asyncio.sleep(0.001)

        self.run_loop(main())

    def test_wakeup_fd_is_restored(self):
        self.run_loop(asyncio.sleep(0))
        self.assertEqual(signal.set_wakeup_fd(-1), -1)

        pair = self.socket_pair()
        signal.set_wakeup_fd(pair[0].fileno())
        try:
            self.run_loop(asyncio.sleep(0))
        finally:
            self.assertEqual(signal.set_wakeup_fd(-1), pair[0].fileno())

    def test_interrupt(self):
        # Not while it works: there is nothing else that could wake it.
        async def main():
            # Not by a job of ours: it would be let go of on this thread, and PyGObject loses
            # what is raised there.
            threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(LIMIT)

        for _ in range(20):
            with self.assertRaises(KeyboardInterrupt):
                Concur.run(main())

    def test_on_other_thread(self):
        # The system may give a signal to any thread: that does not end the wait in C.
        async def main():
            done = self.loop.create_future()
            signal.signal(signal.SIGUSR1, lambda *_: done.set_result(None))
            threading.Thread(target=kill).start()
            await done

        def kill():
            # At any time; most often when the loop has fallen asleep.
            time.sleep(0.005)
            signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

        self.addCleanup(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
        for _ in range(20):
            self.run_loop(main())

    def test_interrupted_program(self):
        # By the end of a program that waits: a task clears up, and it ends as by Ctrl-C.
        program = """
            import asyncio, os, signal, sys, threading
            async def main():
                threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    await asyncio.sleep(0.001)
                    print('cleared up')
                    raise
            """
        ways = ['Concur.run(main())']
        if hasattr(asyncio, 'Runner'):
            ways.append('asyncio.Runner(loop_factory=Concur.new_event_loop).run(main())')
        for way in ways:
            with self.subTest(way):
                output, errors = run_script(inspect.cleandoc(program) + '\n' + way,
                                            status=-signal.SIGINT)
                self.assertEqual(output, 'cleared up\n')
                self.assertEqual(errors.splitlines()[-1], 'KeyboardInterrupt')

    def test_handler_program(self):
        # What asyncio's own handlers stop.
        output, errors = run_script("""
            import asyncio, os, signal, threading
            async def main():
                loop = asyncio.get_running_loop()
                over = asyncio.Event()
                for number in (signal.SIGINT, signal.SIGTERM):
                    loop.add_signal_handler(number, over.set)
                for number in (signal.SIGINT, signal.SIGTERM):
                    threading.Thread(target=os.kill, args=(os.getpid(), number)).start()
                    await over.wait()
                    over.clear()
                print('twice')
            Concur.run(main())
            """)
        self.assertEqual((output, errors), ('twice\n', ''))

    def test_source_interrupted(self):
        # Not everybody has a handler that makes a noise: the loop goes on.
        async def main():
            for _ in range(50):
                future = pool.submit(os.kill, os.getpid(), signal.SIGUSR1)
                await asyncio.sleep(0.001)
                await future

        old = signal.signal(signal.SIGUSR1, lambda *_: None)
        self.addCleanup(signal.signal, signal.SIGUSR1, old)
        pool = self.pool()
        self.run_loop(main())


if __name__ == '__main__':
    unittest.main()
