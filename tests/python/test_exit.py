# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Python ends while the library works: it is quick, quiet and does not crash."""

import unittest

from util import SCALE, run_script

# What is going on when the program ends. Each is set up for sure before it does.
VARIANTS = {
    'idle': 'pool.submit(int).result()',
    'running': 'start(lambda: time.sleep(3600))',
    'busy': 'start(spin)',
    'queued': '''
start(lambda: time.sleep(3600))
keep.extend(pool.submit(Thing, number) for number in range(1000))
''',
    'flood': 'keep.extend(pool.submit(Thing, number) for number in range(3000))',
    'failing': 'keep.extend(pool.submit(fail) for number in range(300))\n'
               'for future in keep: future.ignore()',
    'blocked': 'promise = Concur.Promise(); start(promise.future.result)',
    'callbacks': '''
for number in range(500):
    future = pool.submit(Thing, number)
    future.add_done_callback(lambda future: keep.append(future))
    future.when_done(keep.append)
''',
    'chains': '''
future = pool.submit(Thing, 0)
for number in range(300):
    future = future.continue_with(lambda value: Thing(value), executor=pool)
''',
    'timers': 'keep.extend(Concur.Future.delay(n / 1000) for n in range(50))\n'
              'for future in keep: future.add_done_callback(lambda future: Thing(1))',
    'main context': 'keep.extend(Concur.ContextExecutor().submit(Thing, n) for n in range(50))',
    'spawned': '''
async def work():
    await pool.submit(lambda: [1])
    await Concur.sleep(3600)
future = Concur.spawn(work())
future.iterate(0.01)
''',
    'loop thread': '''
thread = Concur.LoopThread(name='loop')
thread.start()
keep.append(thread)
''',
    'submitters': '''
standard = Concur.ThreadPoolExecutor(2, wait_at_exit=0)
begun = threading.Barrier(4)
def submit():
    begun.wait()
    try:
        while True:
            pool.submit(Thing, 1).ignore()
            standard.submit(Thing, 2)
    except RuntimeError:
        pass
for number in range(3):
    threading.Thread(target=submit, daemon=True).start()
begun.wait()
''',
    'paused': 'paused = Concur.ThreadExecutor(max_threads=1, paused=True)\n'
              'keep.append(paused.submit(Thing, 1))',
    'error': 'start(spin); sys.exit(3)',
}

PROGRAM = '''
import os, sys, threading, time
from gi.repository import GLib
keep = []
pool = Concur.ThreadExecutor(max_threads=3)

class Thing:
    def __init__(self, value):
        self.value = value
    def __del__(self):
        str(self.value)

def spin():
    number = 0
    while True:
        number += 1

def fail():
    raise ValueError

def start(function):
    begun = threading.Event()
    def work():
        begun.set()
        function()
    keep.append(pool.submit(work))
    begun.wait()
'''

ROUNDS = max(2, 8 // SCALE)


class TestExit(unittest.TestCase):
    def ends(self, name):
        for _ in range(ROUNDS):
            output, errors = run_script(PROGRAM + VARIANTS[name] + '\nprint("end")' * (
                name != 'error'), status=3 if name == 'error' else 0)
            self.assertEqual(errors, '')
            if name != 'error':
                self.assertEqual(output, 'end\n')


def make_test(name):
    return lambda self: self.ends(name)


for name in VARIANTS:
    setattr(TestExit, 'test_' + name.replace(' ', '_'), make_test(name))


class TestFork(unittest.TestCase):
    def test_clear_errors(self):
        output, errors = run_script('''
            import os, sys
            pool = Concur.ThreadExecutor(max_threads=1)
            pool.submit(int).result()
            pid = os.fork()
            if pid == 0:
                future = pool.submit(int)
                try:
                    future.result()
                except RuntimeError as error:
                    print(error)
                promise = Concur.Promise()
                try:
                    promise.future.wait()
                except RuntimeError as error:
                    print(error)
                sys.stdout.flush()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            print(pool.submit(pow, 2, 3).result())
        ''')
        lines = output.splitlines()
        self.assertEqual(lines[-1], '8')
        self.assertIn('forked', lines[0])
        self.assertEqual(errors, '')


class TestAfterQuiesce(unittest.TestCase):
    def test_it_happens_at_exit(self):
        # What is registered first is called last.
        output, errors = run_script('''
            import atexit
            def last():
                try:
                    print(Concur.Executor.get_default().submit(int).result())
                except RuntimeError as error:
                    print(error)
            atexit.register(last)
            import gi
            gi.require_version('Concur', '1')
            from gi.repository import Concur
        ''', head='')
        self.assertIn('about to end', output)
        self.assertEqual(errors, '')

    def test_clear_errors(self):
        output, errors = run_script('''
            def late():
                try:
                    print(Concur.Executor.get_default().submit(int).result())
                except RuntimeError as error:
                    print(error)
            Concur.quiesce()
            late()
        ''')
        self.assertIn('about to end', output)
        self.assertEqual(errors, '')


if __name__ == '__main__':
    unittest.main()
