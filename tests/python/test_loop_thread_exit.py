# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.LoopThread when the interpreter exits."""

import inspect
import unittest

from util import SCALE, run_script

EXITS = {
    'running': '''
        thread.submit(asyncio.sleep, 0).result()
        ''',
    'never started': '''
        thread = Concur.LoopThread()
        @thread.task
        async def run():
            pass
        ''',
    'coroutines': '''
        for _ in range(100):
            thread.submit(asyncio.sleep, 3600)
        ''',
    'coming and going': '''
        async def again():
            await asyncio.sleep(0)
            thread.submit(again).ignore()
        for _ in range(5):
            thread.submit(again)
        ''',
    'stopping': '''
        thread.submit(asyncio.sleep, 3600)
        thread.shutdown()
        ''',
    'stopping that lasts': '''
        begun = threading.Event()
        async def wait():
            begun.set()
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    pass
        thread.submit(wait)
        begun.wait()
        thread.shutdown()
        ''',
    'blocked': '''
        begun = threading.Event()
        def block():
            begun.set()
            time.sleep(3600)
        thread.submit(block)
        begun.wait()
        ''',
    'busy': '''
        begun = threading.Event()
        def spin():
            begun.set()
            while True:
                pass
        thread.submit(spin)
        begun.wait()
        ''',
    'pool': '''
        begun = threading.Event()
        def block():
            begun.set()
            time.sleep(3600)
        async def wait():
            await asyncio.get_running_loop().run_in_executor(None, block)
        thread.submit(wait)
        begun.wait()
        ''',
    'clearing up for ever': '''
        begun = threading.Event()
        async def wait():
            begun.set()
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(3600)
        thread.submit(wait)
        begun.wait()
        ''',
    'busy and not to be cancelled': '''
        begun = threading.Event()
        async def turn():
            begun.set()
            while True:
                try:
                    await asyncio.sleep(0)
                except asyncio.CancelledError:
                    pass
        for _ in range(3):
            thread.submit(turn)
        begun.wait()
        ''',
    'leaving for ever': '''
        class Manager:
            async def __aenter__(self):
                pass
            async def __aexit__(self, *exception):
                await asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)
        thread.enter(Manager())
        ''',
    'generators': '''
        kept = []
        async def generate():
            try:
                yield 1
            finally:
                await asyncio.sleep(0.001)
        async def begin():
            kept.append(generate())
            await kept[0].__anext__()
        thread.call(begin)
        ''',
    'waiters': '''
        begun = threading.Barrier(4)
        def wait():
            future = thread.submit(asyncio.sleep, 3600)
            begun.wait()
            future.wait()
        for _ in range(3):
            threading.Thread(target=wait, daemon=True).start()
        begun.wait()
        ''',
    'interrupted': '''
        import os, signal
        async def wait():
            threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
            await asyncio.sleep(3600)
        try:
            thread.call(wait)
        except KeyboardInterrupt:
            pass
        ''',
    'used late': '''
        import atexit
        atexit.register(lambda: thread.submit(asyncio.sleep, 0).wait(1))
        ''',
    'forked': '''
        import os, sys
        thread.submit(asyncio.sleep, 3600)
        child = os.fork()
        if child == 0:
            sys.exit(0)
        if os.waitpid(child, 0)[1] != 0:
            print('the child has failed')
        ''',
    'dropped': '''
        thread.submit(asyncio.sleep, 3600)
        del thread
        ''',
    'default': '''
        Concur.LoopThread.dup_default().submit(asyncio.sleep, 3600)
        ''',
    'many': '''
        threads = [Concur.LoopThread() for _ in range(10)]
        for each in threads:
            each.start()
            each.submit(asyncio.sleep, 3600)
        ''',
    'submitters': '''
        begun = threading.Barrier(4)
        def submit():
            begun.wait()
            while True:
                thread.submit(asyncio.sleep, 0.001).ignore()
                thread.run_in_executor(int).ignore()
        for _ in range(3):
            threading.Thread(target=submit, daemon=True).start()
        begun.wait()
        ''',
    'started and stopped meanwhile': '''
        begun = threading.Barrier(4)
        def again():
            begun.wait()
            try:
                while True:
                    with Concur.LoopThread() as other:
                        other.submit(asyncio.sleep, 0).ignore()
            except RuntimeError:
                pass
        for _ in range(3):
            threading.Thread(target=again, daemon=True).start()
        begun.wait()
        ''',
    'sources': '''
        from gi.repository import GLib
        for _ in range(10):
            source = GLib.timeout_source_new(1)
            source.set_callback(lambda data: True)
            source.attach(thread.context)
        ''',
}


class TestExit(unittest.TestCase):
    """No traceback, no message, no hang."""

    def test_exits(self):
        for name, program in EXITS.items():
            with self.subTest(name):
                for _ in range(max(1, 3 // SCALE)):
                    output, errors = run_script(
                        'import asyncio, threading, time\n'
                        'thread = Concur.LoopThread(name="net")\nthread.start()\n'
                        + inspect.cleandoc(program) + '\nprint("over")\n')
                    self.assertEqual((output, errors), ('over\n', ''))

    def test_clears_up(self):
        output, errors = run_script('''
            import asyncio
            thread = Concur.LoopThread()

            class Session:
                async def __aenter__(self):
                    return self

                async def __aexit__(self, *exception):
                    await asyncio.sleep(0)
                    print('left')

            async def wait():
                try:
                    await asyncio.sleep(3600)
                finally:
                    await asyncio.sleep(0)
                    print('cleared up')

            thread.start()
            thread.enter(Session())
            thread.submit(wait)
            thread.call(asyncio.sleep, 0)
            ''')
        self.assertEqual((output, errors), ('cleared up\nleft\n', ''))

    def test_exception(self):
        output, errors = run_script('''
            import asyncio
            thread = Concur.LoopThread()
            thread.start()
            thread.submit(asyncio.sleep, 3600)
            raise ValueError('the end')
            ''', status=1)
        self.assertEqual(errors.count('Traceback'), 1)
        self.assertTrue(errors.endswith('ValueError: the end\n'))


if __name__ == '__main__':
    unittest.main()
