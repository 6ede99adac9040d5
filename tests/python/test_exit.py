# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Python ends while the library works: it is quick, quiet and does not crash."""

import errno
import threading
import time
import unittest
from unittest import mock

from util import SCALE, Gate, run_script

from gi.overrides._concur import threads

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


class TestThreadsOnTheirWay(unittest.TestCase):
    """Who may be about to enter Python is waited for before that ends."""

    def setUp(self):
        self.gate = Gate()
        self.thread = threading.Thread(target=self.gate)
        self.thread.start()
        self.gate.wait()
        self.addCleanup(self.thread.join)
        self.addCleanup(self.gate.open)

    def looks(self, script):
        """What is said of the thread; how often it was looked at."""
        script = iter(script)
        n_looks = 0

        def look_at(thread):
            nonlocal n_looks
            if int(thread) != self.thread.native_id:
                return True, 0
            n_looks += 1
            return next(script)
        with mock.patch.object(threads, '_look_at', look_at):
            threads._wait_for_those_on_their_way()
        return n_looks

    def test_until_it_waits_twice(self):
        self.assertEqual(self.looks([(False, 0)] * 5 + [(True, 0)] + [(False, 0)] * 2
                                    + [(True, 0)] * 2), 10)

    def test_until_it_has_run(self):
        self.assertEqual(self.looks([(False, 7)] * 5 + [(False, 7 + threads.RUN_TIME / 2)]
                                    + [(False, 7.1)]), 7)

    def test_not_for_ever(self):
        with mock.patch.object(threads, 'PATIENCE', 0.01):
            self.assertGreater(self.looks((False, 0) for _ in range(10 ** 6)), 1)

    def test_one_that_waits(self):
        deadline = time.monotonic() + 60
        while not threads._look_at(self.thread.native_id)[0] and time.monotonic() < deadline:
            pass
        self.assertTrue(threads._look_at(self.thread.native_id)[0])

    def test_one_that_runs(self):
        waits, run_time = threads._look_at(threading.get_native_id())
        self.assertFalse(waits)
        while threads._look_at(threading.get_native_id())[1] == run_time:
            pass

    def test_one_that_has_ended(self):
        self.gate.open()
        self.thread.join()
        deadline = time.monotonic() + 60
        while threads._look_at(self.thread.native_id) != (True, 0):
            self.assertLess(time.monotonic(), deadline)

    def test_where_it_cannot_be_known(self):
        error = OSError(errno.EMFILE, 'too many')
        with mock.patch.object(threads, '_look_at', side_effect=error), \
                mock.patch.object(threads.raw, 'quiesce'), \
                mock.patch.object(threads, '_leaving', []), \
                mock.patch.object(threads.time, 'sleep') as sleep:
            threads._leave_python()
        sleep.assert_called_once_with(threads.GRACE)


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
