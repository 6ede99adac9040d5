# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

import asyncio
import gc
import math
import os
import pickle
import tempfile
import unittest
import weakref

import worker_functions as work
from process_util import LIMIT, Concur, Meeting, ProcessCase, is_gone
from util import run_script, wait_until

from gi.repository import GLib


class TestSubmit(ProcessCase):
    def test_value(self):
        pool = self.executor()
        self.assertEqual(pool.submit(work.square, 12).result(LIMIT), 144)
        self.assertEqual(pool.submit(work.keywords, 1, a=[2]).result(LIMIT), ((1,), {'a': [2]}))

    def test_it_is_another_process(self):
        pool = self.executor()
        pid = pool.submit(os.getpid).result(LIMIT)
        self.assertNotEqual(pid, os.getpid())
        self.assertEqual(pool.pids, [pid])
        self.assertEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_await(self):
        pool = self.executor()

        async def main():
            return await pool.submit(work.square, 5)
        self.assertEqual(asyncio.run(main()), 25)
        self.assertEqual(Concur.run(main(), LIMIT), 25)

    def test_large(self):
        data = os.urandom(1 << 20) * 3
        self.assertEqual(self.executor().submit(bytes, data).result(LIMIT), data)

    def test_what_is_pickled_is_as_it_was_at_submit(self):
        pool = self.executor()
        meeting, first = self.met(pool, work.meet)
        values = [1]
        second = pool.submit(work.natural, values)
        values.append(2)
        meeting.open()
        self.assertEqual(second.result(LIMIT), [[1]])

    def test_arguments_are_let_go_by_the_caller(self):
        pool = self.executor()
        meeting, first = self.met(pool, work.meet)
        values = {1}
        part = work.Part('never', None, 0)
        reference = weakref.ref(part)
        future = pool.submit(work.natural, part, values)
        del part
        gc.collect()
        self.assertIsNone(reference())
        meeting.open()
        self.assertEqual(future.result(LIMIT)[1], {1})

    def test_main_module(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'program.py')
            with open(path, 'w') as file:
                file.write('import gi, os\n'
                           'gi.require_version("Concur", "1")\n'
                           'from gi.repository import Concur\n'
                           'class Point:\n'
                           '    def __init__(self, x): self.x = x\n'
                           'def double(point): return Point(point.x * 2)\n'
                           'if __name__ == "__main__":\n'
                           '    with Concur.ProcessExecutor(1) as pool:\n'
                           '        point = pool.submit(double, Point(21)).result()\n'
                           '        print(point.x, type(point) is Point, __name__)\n')
            out, err = run_script('import runpy, sys; sys.argv[0] = sys.argv[1]\n'
                                  'import subprocess\n'
                                  'subprocess.run([sys.executable, sys.argv[1]], check=True)',
                                  path)
        self.assertEqual(out, '42 True __main__\n')
        self.assertEqual(err, '')

    def test_main_module_without_guard(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'program.py')
            with open(path, 'w') as file:
                file.write('import gi\n'
                           'gi.require_version("Concur", "1")\n'
                           'from gi.repository import Concur\n'
                           'pool = Concur.ProcessExecutor(1)\n'
                           'try:\n'
                           '    pool.submit(len, "abc").result()\n'
                           'except RuntimeError as error:\n'
                           '    if __name__ != "__main__": raise\n'
                           '    print("if __name__ ==" in str(error))\n')
            out, err = run_script('import sys, subprocess\n'
                                  'subprocess.run([sys.executable, sys.argv[1]], check=True)',
                                  path)
        self.assertEqual(out, 'True\n')

    def test_prints_do_not_disturb(self):
        out, err = run_script('''
            import sys
            sys.path.insert(0, sys.argv[1])
            import worker_functions as work
            with Concur.ProcessExecutor(1) as pool:
                print(pool.submit(work.talk, 'hello').result(), flush=True)
        ''', os.path.dirname(work.__file__))
        self.assertEqual(sorted(out.split()), ['5', 'hello', 'raw'])

    def test_threads_in_the_worker(self):
        self.assertEqual(self.executor().submit(work.thread_answers).result(LIMIT), [9])

    def test_initializer(self):
        pool = self.executor(2, initializer=work.initialize, initargs=('ready',))
        self.assertEqual(pool.submit(work.get_seen).result(LIMIT), ['ready'])

    def test_initializer_fails(self):
        pool = self.executor(initializer=work.fail_to_initialize)
        for _ in range(2):
            with self.assertRaisesRegex(LookupError, 'not this time') as caught:
                pool.submit(work.square, 2).result(LIMIT)
            self.assertIn('fail_to_initialize', str(caught.exception.__cause__))

    def test_coroutine_function_is_refused(self):
        async def function():
            pass
        with self.assertRaisesRegex(TypeError, 'coroutine function'):
            self.executor().submit(function)

    def test_progress(self):
        pool = self.executor()
        meeting, future = self.met(pool, work.meet)
        self.assertEqual((future.progress, future.status_text), (0.5, 'here'))
        meeting.open()
        future.result(LIMIT)
        future = pool.submit(work.steps, 3)
        self.assertEqual(future.result(LIMIT), 3)
        self.assertEqual((future.progress, future.status_text), (1, 'step 3'))

    def test_map(self):
        pool = self.executor(2)
        for chunksize in 1, 3, 100:
            self.assertEqual(list(pool.map(work.square, range(10), chunksize=chunksize)),
                             [n * n for n in range(10)])

    def test_map_error_has_its_place(self):
        pool = self.executor()
        results = pool.map(math.sqrt, [4, 1, -1, 9], chunksize=4)
        self.assertEqual([next(results), next(results)], [2, 1])
        with self.assertRaises(ValueError) as caught:
            next(results)
        self.assertIn('call_all', str(caught.exception.__cause__))

    def test_settings(self):
        pool = self.executor(3, idle_timeout=1.5, call_timeout=None, name='crew',
                             grace_period=0.5)
        self.assertEqual((pool.idle_timeout, pool.call_timeout, pool.grace_period, pool.name,
                          pool.max_workers), (1.5, None, 0.5, 'crew', 3))
        self.assertIsNone(self.executor(grace_period=None).grace_period)
        with self.assertRaises(TypeError):
            Concur.ProcessExecutor(command=['true'], module='math')
        with self.assertRaises(TypeError):
            Concur.ProcessExecutor(options=GLib.Variant('a{sv}', {}))

    def test_environment_and_directory(self):
        with tempfile.TemporaryDirectory() as directory:
            pool = self.executor(environment={**os.environ, 'CONCUR_TEST': 'there'},
                                 working_directory=directory)
            self.assertEqual(pool.submit(os.getcwd).result(LIMIT), os.path.realpath(directory))
            self.assertEqual(pool.submit(os.getenv, 'CONCUR_TEST').result(LIMIT), 'there')
            self.assertIsNone(pool.submit(os.getenv, 'CONCUR_WORKER_FD').result(LIMIT))
            self.assertEqual(pool.submit(os.getenv, 'GI_TYPELIB_PATH').result(LIMIT),
                             os.environ.get('GI_TYPELIB_PATH'))

    def test_workers_end(self):
        with Concur.ProcessExecutor(2) as pool:
            pids = [future.result(LIMIT) for future in [pool.submit(os.getpid)
                                                        for _ in range(6)]]
            pids += pool.pids
        for pid in pids:
            self.assertTrue(is_gone(pid))
        with self.assertRaisesRegex(RuntimeError, 'shut down'):
            pool.submit(work.square, 1).result(LIMIT)

    def test_async_with(self):
        async def main():
            async with Concur.ProcessExecutor(1) as pool:
                future = pool.submit(work.square, 7)
            return future.result(0), pool.pids
        self.assertEqual(asyncio.run(main()), (49, []))

    def test_max_calls_per_worker(self):
        pool = self.executor(max_calls_per_worker=1)
        pids = {pool.submit(os.getpid).result(LIMIT) for _ in range(3)}
        self.assertEqual(len(pids), 3)

    def test_nothing_is_left(self):
        pool = self.executor()
        pool.submit(work.square, 1).result(LIMIT)
        with self.all_futures_go():
            pool.submit(work.square, 1).result(LIMIT)
            pool.submit(work.fail, ValueError()).exception(LIMIT)
            list(pool.map(work.square, range(4)))
            list(pool.stream(work.numbers, 3))


class TestCancel(ProcessCase):
    def test_running(self):
        pool = self.executor()
        meeting, future = self.met(pool, work.meet)
        pids = pool.pids
        self.assertTrue(future.cancel())
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)
        self.assertTrue(future.cancelled())
        self.assertEqual(pool.submit(os.getpid).result(LIMIT), pids[0])

    def test_many_times(self):
        # A worker that has answered before it heard is replaced: the signal would hit the next call.
        pool = self.executor()
        pool.submit(os.getpid).result(LIMIT)
        for _ in range(30):
            future = pool.submit(work.square, 3)
            future.cancel()
            self.assertIn(future.wait(LIMIT) and future.state.value_nick,
                          ('cancelled', 'resolved'))
        self.assertEqual(pool.submit(work.square, 4).result(LIMIT), 16)

    def test_the_function_cleans_up(self):
        pool = self.executor()
        with tempfile.TemporaryDirectory() as directory:
            log = os.path.join(directory, 'log')
            meeting, future = self.met(pool, work.meet_clean_up, log)
            future.cancel()
            self.assertTrue(future.wait(LIMIT))
            self.assertTrue(future.cancelled())
            with open(log) as file:
                self.assertEqual(file.read(), 'CallCancelled False')

    def test_its_own_answer_counts(self):
        meeting, future = self.met(self.executor(), work.meet_stubborn)
        future.cancel()
        self.assertEqual(future.result(LIMIT), 'done all the same')

    def test_one_that_ignores_it_is_killed(self):
        pool = self.executor(grace_period=0)
        meeting, future = self.met(pool, work.meet_ignoring)
        (pid,) = pool.pids
        future.cancel()
        self.assertTrue(future.wait(LIMIT))
        self.assertTrue(future.cancelled())
        self.assertNotEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_check_cancelled(self):
        pool = self.executor()
        future = pool.submit(work.count_until_cancelled, '')
        self.wait_met(future)
        future.cancel()
        self.assertTrue(future.wait(LIMIT))
        self.assertTrue(future.cancelled())

    def test_queued(self):
        pool = self.executor()
        meeting, first = self.met(pool, work.meet)
        second = pool.submit(work.square, 2)
        self.assertTrue(second.cancel())
        self.assertTrue(second.cancelled())
        meeting.open()
        self.assertIsNone(first.result(LIMIT))

    def test_await(self):
        pool = self.executor()

        async def main():
            meeting = Meeting(self)
            future = pool.submit(work.meet, meeting.path)

            async def wait():
                await future
            task = asyncio.ensure_future(wait())
            while future.status_text != 'here':
                await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return future
        future = asyncio.run(main())
        self.assertTrue(future.wait(LIMIT))
        self.assertTrue(future.cancelled())

    def test_between_calls_the_signal_is_ignored(self):
        import signal
        pool = self.executor()
        pid = pool.submit(os.getpid).result(LIMIT)
        for _ in range(20):
            os.kill(pid, signal.SIGINT)
        self.assertEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_call_timeout(self):
        pool = self.executor(call_timeout=0.3)
        meeting = Meeting(self)
        with self.assertRaisesRegex(TimeoutError, 'meet'):
            pool.submit(work.meet, meeting.path).result(LIMIT)

    def test_cancelled_error_of_the_function(self):
        future = self.executor().submit(work.raise_cancelled)
        self.assertTrue(future.wait(LIMIT))
        self.assertTrue(future.cancelled())


class TestCall(ProcessCase):
    def test_natural_values(self):
        pool = self.executor(module='worker_functions')
        values = [None, True, 1, -1 << 63, (1 << 64) - 1, 1.5, 'text ä', b'\0bytes', b'', [],
                  [1, 'two', None], (), (1, [2]), {}, {'key': [{'inner': b'x'}]}]
        self.assertEqual(pool.call('natural', *values).result(LIMIT), values)

    def test_bytes_alone(self):
        # Whose they are nobody knows: they are not unpickled.
        pool = self.executor(module='worker_functions')
        for data in b'', b'bytes', pickle.dumps((os.getpid, (), {})):
            self.assertEqual(pool.call('natural', data).result(LIMIT), [data])
            self.assertEqual(list(pool.stream('natural', data)), [data])
            self.assertEqual(list(pool.map('natural', [data])), [[data]])

    def test_what_cannot_cross(self):
        pool = self.executor(module='worker_functions')
        for value, kind in ((object(), TypeError), (1 << 64, OverflowError),
                            ({1: 2}, TypeError), ('a\0', ValueError), ({1}, TypeError)):
            with self.assertRaises(kind):
                pool.call('natural', value)
        cycle = []
        cycle.append(cycle)
        with self.assertRaises(ValueError):
            pool.call('natural', cycle)
        with self.assertRaisesRegex(TypeError, 'cannot cross'):
            self.executor(module='types').call('ModuleType', 'name').result(LIMIT)

    def test_names(self):
        pool = self.executor(module='worker_functions')
        for name in 'no_such', '_private', 'seen':
            with self.assertRaisesRegex(LookupError, f'no function {name}'):
                pool.call(name).result(LIMIT)
        with self.assertRaisesRegex(LookupError, 'no module'):
            self.executor().call('square', 1).result(LIMIT)

    def test_errors(self):
        pool = self.executor(module='worker_functions')
        with self.assertRaisesRegex(RuntimeError, '123') as caught:
            pool.call('fail_here').result(LIMIT)
        self.assertIn('# some comment', str(caught.exception.__cause__))
        # Nothing of the worker's is unpickled.
        with self.assertRaisesRegex(Concur.RemoteError, 'Unpicklable: in the worker'):
            pool.call('fail_unpicklable').result(LIMIT)

    def test_generators_are_for_streams(self):
        pool = self.executor(module='worker_functions')
        with self.assertRaisesRegex(TypeError, r'use stream \(\)'):
            pool.call('numbers', 3).result(LIMIT)
        # That was no reason for another worker.
        self.assertEqual(len(pool.pids), 1)
        self.assertEqual(pool.call('square', 3).result(LIMIT), 9)

    def test_no_such_module(self):
        pool = self.executor(module='no_such_module')
        with self.assertRaises(ModuleNotFoundError):
            pool.call('anything').result(LIMIT)
        with self.assertRaisesRegex(TypeError, 'name of one'):
            self.executor(module=os)

    def test_map(self):
        pool = self.executor(2, module='worker_functions')
        self.assertEqual(list(pool.map('square', range(5))), [0, 1, 4, 9, 16])
        with self.assertRaisesRegex(ValueError, 'chunksize'):
            pool.map('square', [1], chunksize=0)

    def test_command(self):
        pool = self.executor(command=['/nonexistent/program'])
        with self.assertRaises(GLib.Error):
            pool.call('anything', GLib.Variant('(s)', ('text',))).result(LIMIT)
        with self.assertRaises(TypeError):
            pool.call('anything', 'text')
        with self.assertRaises(TypeError):
            pool.submit(len, '')


class TestStream(ProcessCase):
    def test_for(self):
        self.assertEqual(list(self.executor().stream(work.numbers, 1000)), list(range(1000)))

    def test_async_for(self):
        pool = self.executor()

        async def main():
            return [n async for n in pool.stream(work.numbers, 100)]
        self.assertEqual(asyncio.run(main()), list(range(100)))
        self.assertEqual(Concur.run(main(), LIMIT), list(range(100)))

    def test_by_name(self):
        pool = self.executor(module='worker_functions')
        self.assertEqual(list(pool.stream('numbers', 5)), [0, 1, 2, 3, 4])
        with self.assertRaisesRegex(ValueError, 'no more') as caught:
            list(pool.stream('numbers_then_fail', 2))
        self.assertIn('numbers_then_fail', str(caught.exception.__cause__))
        with self.assertRaisesRegex(TypeError, 'not iterable'):
            list(pool.stream('square', 2))

    def test_error_comes_after_the_values(self):
        got = []
        with self.assertRaisesRegex(ValueError, 'no more') as caught:
            for n in self.executor().stream(work.numbers_then_fail, 40):
                got.append(n)
        self.assertEqual(got, list(range(40)))
        self.assertIn('numbers_then_fail', str(caught.exception.__cause__))

    def test_stop(self):
        pool = self.executor()
        pid = pool.submit(os.getpid).result(LIMIT)
        with tempfile.TemporaryDirectory() as directory:
            log = os.path.join(directory, 'log')
            with pool.stream(work.endless, log) as values:
                for n in values:
                    if n == 5:
                        break
            wait_until(lambda: os.path.exists(log))
        self.assertEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_forgotten(self):
        pool = self.executor()
        with tempfile.TemporaryDirectory() as directory:
            log = os.path.join(directory, 'log')
            values = pool.stream(work.endless, log)
            self.assertEqual(next(values), 0)
            del values
            wait_until(lambda: os.path.exists(log))

    def test_a_worker_that_cannot_work(self):
        pool = self.executor(initializer=work.fail_to_initialize)
        with self.assertRaisesRegex(Concur.RemoteError, 'LookupError: not this time'):
            next(pool.stream(work.numbers, 2))
        with self.assertRaises(Concur.WorkerDied):
            list(self.executor().stream(map, work.crash, [1]))

    def test_not_a_generator(self):
        with self.assertRaisesRegex(TypeError, 'not iterable'):
            list(self.executor().stream(work.square, 2))
        with self.assertRaises((pickle.PicklingError, AttributeError)):
            self.executor().stream(lambda: 1)


if __name__ == '__main__':
    unittest.main()
