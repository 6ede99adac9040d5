# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Calls that end in every bad way, at every step: they fail, and nothing else does."""

import os
import signal
import sys
import unittest

import worker_functions as work
from process_util import LIMIT, Concur, ProcessCase

KINDS = {
    'error': (work.part_error, ZeroDivisionError),
    'exit': (work.part_exit, SystemExit),
    'crash': (work.crash, Concur.WorkerDied),
}


class TestSteps(ProcessCase):
    def check(self, kind, call):
        what, expected = KINDS[kind]
        pool = self.process_pool(1)
        before = pool.submit(pow, 2, 2)
        future = call(pool, what)
        after = pool.submit(pow, 3, 2)
        self.assertIsInstance(future.exception(LIMIT), expected)
        self.assertEqual((before.result(LIMIT), after.result(LIMIT)), (4, 9))
        self.assertFalse(pool._broken)

    def test_error_pickling_the_call(self):
        self.check('error', lambda pool, what: pool.submit(id, work.Part('pickle', what, 0)))

    def test_exit_pickling_the_call(self):
        self.check('exit', lambda pool, what: pool.submit(id, work.Part('pickle', what, 0)))

    def test_error_unpickling_the_call(self):
        self.unpickling_the_call('error')

    def test_exit_unpickling_the_call(self):
        self.unpickling_the_call('exit')

    def test_crash_unpickling_the_call(self):
        self.unpickling_the_call('crash')

    def unpickling_the_call(self, kind):
        self.check(kind, lambda pool, what: pool.submit(
            id, work.Part('unpickle', what, os.getpid())))

    def test_error_running(self):
        self.check('error', lambda pool, what: pool.submit(what))

    def test_exit_running(self):
        self.check('exit', lambda pool, what: pool.submit(what))

    def test_crash_running(self):
        self.check('crash', lambda pool, what: pool.submit(what))

    def test_error_pickling_the_result(self):
        self.pickling_the_result('error')

    def test_exit_pickling_the_result(self):
        self.pickling_the_result('exit')

    def test_crash_pickling_the_result(self):
        self.pickling_the_result('crash')

    def pickling_the_result(self, kind):
        self.check(kind, lambda pool, what: pool.submit(
            work.make_part, 'pickle', what, os.getpid()))

    def test_error_unpickling_the_result(self):
        self.unpickling_the_result('error')

    def test_exit_unpickling_the_result(self):
        self.unpickling_the_result('exit')

    def unpickling_the_result(self, kind):
        self.check(kind, lambda pool, what: pool.submit(
            work.make_part, 'unpickle at home', what, os.getpid()))


class TestWorkers(ProcessCase):
    def test_it_says_how(self):
        pool = self.process_pool()
        with self.assertRaisesRegex(Concur.WorkerDied, 'killed by signal 9'):
            pool.submit(work.crash).result(LIMIT)
        with self.assertRaisesRegex(Concur.WorkerDied, 'status was 7(.|\n)*the last words'):
            pool.submit(work.complain_and_crash).result(LIMIT)

    def test_killed_while_running(self):
        pool = self.process_pool(2)
        meeting, running = self.met(pool, work.meet_pid)
        other_meeting, other = self.met(pool, work.meet_pid)
        first, second = pool._processes
        os.kill(first, signal.SIGKILL)
        victim, survivor, gate = ((running, other, other_meeting)
                                  if self.fails(running, other) else
                                  (other, running, meeting))
        self.assertIsInstance(victim.exception(LIMIT), Concur.WorkerDied)
        gate.open()
        self.assertEqual(survivor.result(LIMIT), second)

    def fails(self, one, other):
        Concur.wait([one, other], LIMIT, Concur.FIRST_COMPLETED)
        return one.done()

    def test_killed_while_idle(self):
        pool = self.process_pool()
        for _ in range(5):
            pid = pool.submit(os.getpid).result(LIMIT)
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            self.assertNotEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_many_calls_with_some_that_crash(self):
        pool = self.process_pool(2)
        futures = [pool.submit(work.crash) if n % 10 == 3 else pool.submit(work.square, n)
                   for n in range(60)]
        for n, future in enumerate(futures):
            if n % 10 == 3:
                self.assertIsInstance(future.exception(LIMIT), Concur.WorkerDied)
            else:
                self.assertEqual(future.result(LIMIT), n * n)

    def test_one_that_ends_once_it_is_ready(self):
        script = ('import gi, socket\n'
                  'gi.require_version("Concur", "1")\n'
                  'from gi.repository import Concur\n'
                  'worker = Concur.ProcessWorker.new()\n'
                  'own = socket.socket(fileno=3)\n'
                  'own.shutdown(socket.SHUT_RD)\n'
                  'print(worker.next_call())\n')
        pool = self.executor(command=[sys.executable, '-c', script])
        for _ in range(3):
            with self.assertRaisesRegex(Concur.WorkerDied, 'status was 0'):
                pool.call('anything').result(LIMIT)

    def test_exceptions_that_cannot_cross(self):
        pool = self.process_pool()
        with self.assertRaisesRegex(Concur.RemoteError, 'Unpicklable: in the worker') as caught:
            pool.submit(work.fail_unpicklable).result(LIMIT)
        self.assertIn('fail_unpicklable', str(caught.exception.__cause__))
        with self.assertRaisesRegex(Concur.RemoteError, 'NeedsTwo'):
            pool.submit(work.fail_not_unpicklable).result(LIMIT)

    @unittest.skipIf('san' in os.environ.get('LD_PRELOAD', ''), 'a sanitizer needs all addresses')
    def test_memory_limit(self):
        pool = self.executor(max_memory=1 << 31)
        with self.assertRaises(MemoryError):
            pool.submit(bytes, 1 << 32).result(LIMIT)
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)

    def test_message_size(self):
        pool = self.executor(max_message_size=100_000)
        with self.assertRaisesRegex(Exception, 'bytes'):
            pool.submit(len, bytes(200_000)).result(LIMIT)
        with self.assertRaises(Exception):
            pool.submit(bytes, 200_000).result(LIMIT)
        with self.assertRaisesRegex(Concur.RemoteError, 'ValueError: xxx'):
            pool.submit(exec, 'raise ValueError("x" * 200_000)').result(LIMIT)
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)

    def test_more_than_the_usual_message_size(self):
        size = 257 << 20
        pool = self.executor(max_message_size=1 << 29)
        self.assertEqual(pool.submit(len, bytes(size)).result(LIMIT), size)
        self.assertEqual(len(pool.submit(bytes, size).result(LIMIT)), size)


if __name__ == '__main__':
    unittest.main()
