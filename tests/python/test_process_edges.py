# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What functions may do in a worker process, and what users of its pool look at."""

import asyncio
import concurrent.futures
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import unittest
import zipfile

import worker_edges as edges
import worker_functions as work
from process_util import LIMIT, Concur, ProcessCase
from util import run_script, wait_until


class TestExceptions(ProcessCase):
    def check(self, error, kind=None):
        pool = self.process_pool()
        raised = pool.submit(work.fail, error).exception(LIMIT)
        self.assertIs(type(raised), kind or type(error))
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)
        return raised

    def test_not_an_exception(self):
        for error in KeyboardInterrupt('x'), GeneratorExit(), BaseException(1), MemoryError():
            with self.subTest(type(error)):
                self.assertEqual(self.check(error).args, error.args)

    def test_stop_iteration(self):
        # It would end whatever generator asks for the result.
        raised = self.check(StopIteration(3), RuntimeError)
        self.assertEqual(raised.__cause__.value, 3)

    def test_its_own_cause_is_in_the_traceback(self):
        raised = self.process_pool().submit(edges.fail_with_cause).exception(LIMIT)
        self.assertIs(type(raised), edges.WithData)
        self.assertEqual(raised.data, [1, 2])
        self.assertIn('ZeroDivisionError', str(raised.__cause__))
        self.assertIn('fail_with_cause', str(raised.__cause__))
        # Not the library's own frames.
        self.assertNotIn('_concur', str(raised.__cause__))

    @unittest.skipIf(sys.version_info < (3, 11), 'there are none')
    def test_group(self):
        raised = self.check(ExceptionGroup('g', [ValueError(1), TypeError(2)]))
        self.assertEqual([type(error) for error in raised.exceptions], [ValueError, TypeError])

    def test_strange_text(self):
        self.assertEqual(self.check(ValueError('\udcff\0')).args, ('\udcff\0',))
        self.check(edges.NoText())

    def test_recursion(self):
        pool = self.process_pool()
        self.assertIsInstance(pool.submit(edges.recurse).exception(LIMIT), RecursionError)
        # Its result cannot be pickled.
        self.assertIsInstance(pool.submit(edges.nest, 100_000).exception(LIMIT), RecursionError)
        future = pool.submit(len, edges.nest(100_000))
        self.assertIsInstance(future.exception(LIMIT), RecursionError)
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)


class TestWhatFunctionsDo(ProcessCase):
    def test_large_integers(self):
        self.assertEqual(self.process_pool().submit(pow, 7, 99_999).result(LIMIT), 7 ** 99_999)

    def test_closing_the_standard_streams(self):
        pool = self.process_pool()
        pid = pool.submit(os.getpid).result(LIMIT)
        for function in edges.close_streams, edges.close_descriptors:
            self.assertEqual(pool.submit(function).result(LIMIT), 1)
            self.assertIsInstance(pool.submit(work.talk, 'unheard').exception(LIMIT),
                                  (ValueError, OSError))
            self.assertEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_closing_every_descriptor(self):
        pool = self.process_pool()
        self.assertIsInstance(pool.submit(os.closerange, 3, 1000).exception(LIMIT),
                              Concur.WorkerDied)
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)

    def test_standard_input_is_empty(self):
        self.assertEqual(self.process_pool().submit(edges.read_input).result(LIMIT), ('', b''))

    def test_fork(self):
        pool = self.process_pool()
        pid = pool.submit(os.getpid).result(LIMIT)
        for how, status in ('return', 0), ('exit', 5), ('raise', 1):
            with self.subTest(how):
                # The one that was forked does not answer, and it does not take calls.
                self.assertEqual(pool.submit(edges.fork, how).result(LIMIT), status)
        self.assertEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_fork_in_a_stream(self):
        pool = self.executor()
        self.assertEqual(list(pool.stream(edges.fork_between)), [1, 2])
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)

    def test_asyncio_in_the_worker(self):
        pool = self.process_pool()
        for _ in range(2):
            self.assertEqual(pool.submit(edges.run_loop).result(LIMIT), 5)

    def test_a_pool_in_the_worker(self):
        self.assertEqual(self.process_pool().submit(edges.use_pool).result(LIMIT), 9)

    def test_multiprocessing_in_the_worker(self):
        for method in 'fork', 'spawn':
            self.assertEqual(self.process_pool().submit(edges.use_multiprocessing, method)
                             .result(LIMIT), [1, 2])

    def test_managers_of_multiprocessing(self):
        pool = self.process_pool()
        with multiprocessing.get_context('spawn').Manager() as manager:
            shared = manager.list()
            self.assertEqual(pool.submit(edges.use_manager, shared).result(LIMIT),
                             f'ConcurProcess-{list(pool._processes)[0]}')
            self.assertEqual(list(shared), ['from the worker'])

    def test_what_multiprocessing_only_inherits(self):
        lock = multiprocessing.get_context('spawn').Lock()
        with self.assertRaisesRegex(RuntimeError, 'inheritance'):
            self.process_pool(initializer=work.initialize, initargs=(lock,))
        with self.assertRaisesRegex(RuntimeError, 'inheritance'):
            self.process_pool().submit(work.natural, lock).result(LIMIT)

    def test_signals(self):
        pool = self.process_pool()
        meeting, running = self.met(pool, work.meet)
        os.kill(list(pool._processes)[0], signal.SIGTERM)
        with self.assertRaisesRegex(Concur.WorkerDied, 'signal 15'):
            running.result(LIMIT)

    def test_the_default_of_sigint(self):
        pool = self.process_pool()
        meeting, running = self.met(pool, edges.meet_by_default)
        self.assertTrue(running.cancel(Concur.CancelFlags.NONE))
        with self.assertRaises(concurrent.futures.CancelledError):
            running.result(LIMIT)
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)

    def test_cancel_while_the_worker_starts(self):
        pool = self.process_pool(initializer=work.initialize, initargs=('x',))
        future = pool.submit(work.get_seen)
        wait_until(lambda: future.running())
        future.cancel(Concur.CancelFlags.NONE)
        concurrent.futures.wait([future], LIMIT)
        self.assertEqual(pool.submit(work.get_seen).result(LIMIT), ['x'])

    def test_modules_in_a_zip(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'app.zip')
            with zipfile.ZipFile(path, 'w') as archive:
                archive.writestr('in_zip.py', 'def double(n): return 2 * n\n')
            out, err = run_script(
                'sys.path.insert(0, sys.argv[1])\n'
                'import in_zip\n'
                'with Concur.ProcessPoolExecutor(1) as pool:\n'
                '    print(pool.submit(in_zip.double, 4).result())\n', path,
                head='import gi, sys\ngi.require_version("Concur", "1")\n'
                     'from gi.repository import Concur\n')
            self.assertEqual((out, err), ('8\n', ''))

    def test_ctrl_c(self):
        # The workers are not of the terminal's group: the program decides.
        pool = self.process_pool()
        self.assertNotEqual(pool.submit(os.getpgid, 0).result(LIMIT), os.getpgid(0))
        meeting, running = self.met(pool, work.meet, 1)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
            with self.assertRaises(KeyboardInterrupt):
                running.result(LIMIT)
        finally:
            signal.signal(signal.SIGINT, before)
        meeting.open()
        self.assertEqual(running.result(LIMIT), 1)


class TestPool(ProcessCase):
    def test_private_names(self):
        pool = self.process_pool(2)
        self.assertEqual(pool._max_workers, 2)
        self.assertIsNone(pool._mp_context)
        self.assertIsNone(pool._executor_manager_thread)
        self.assertIsNone(pool._queue_management_thread)
        self.assertIs(pool._broken, False)
        self.assertIs(pool._shutdown_thread, False)
        self.assertEqual(len(pool._pending_work_items), 0)
        meeting, running = self.met(pool, work.meet_pid)
        self.assertEqual(len(pool._pending_work_items), 1)
        ((pid, process),) = pool._processes.items()
        self.assertEqual((process.pid, process.ident), (pid, pid))
        self.assertIn(str(pid), process.name)
        self.assertTrue(process.is_alive())
        meeting.open()
        self.assertEqual(running.result(LIMIT), pid)
        wait_until(lambda: not pool._pending_work_items)
        pool.shutdown()
        self.assertIs(pool._shutdown_thread, True)
        self.assertFalse(process.is_alive())

    def test_python_knows_the_thread_from_call_to_call(self):
        pool = self.process_pool()
        own = threading.local()
        seen = []

        def count(future):
            own.n = getattr(own, 'n', 0) + 1
            seen.append((own.n, threading.current_thread().name))
        for n in range(3):
            meeting, running = self.met(pool, work.meet)
            running.add_done_callback(count)
            meeting.open()
            running.result(LIMIT)
            wait_until(lambda: len(seen) == n + 1)
        self.assertEqual([number for number, _ in seen], [1, 2, 3])
        self.assertEqual(len({name for _, name in seen}), 1)
        self.assertTrue(seen[0][1].startswith('Process'), seen)

    def test_threads_are_forgotten(self):
        before = threading.active_count()
        with Concur.ProcessPoolExecutor(2) as pool:
            self.assertEqual(list(pool.map(work.square, range(8))), [n * n for n in range(8)])
        wait_until(lambda: threading.active_count() <= before)

    def test_warm_workers(self):
        pool = self.executor(2, min_workers=2)
        wait_until(lambda: len(pool.pids) == 2)
        pids = set(pool.pids)
        self.assertIn(pool.submit(os.getpid).result(LIMIT), pids)

    def test_what_is_no_function_of_a_module(self):
        pool = self.process_pool()
        for bad in (lambda: 1), pool, pool.submit(work.square, 2), threading.Lock():
            self.assertIn('pickle', str(pool.submit(print, bad).exception(LIMIT)))
        with self.assertRaises(TypeError):
            pickle.dumps(pool)

    def test_submit_from_a_callback(self):
        pool = self.process_pool()
        more = []
        first = pool.submit(work.square, 2)
        first.add_done_callback(lambda future: more.append(pool.submit(work.square,
                                                                       future.result())))
        wait_until(lambda: more)
        self.assertEqual(more[0].result(LIMIT), 16)

    def test_map_edges(self):
        pool = self.process_pool()
        self.assertEqual(list(pool.map(work.square, [])), [])
        self.assertEqual(list(pool.map(work.square)), [])
        self.assertEqual(list(pool.map(work.square, [], chunksize=5)), [])
        for chunksize in 0, -1:
            with self.assertRaises(ValueError):
                pool.map(work.square, [1], chunksize=chunksize)
        self.assertEqual(list(pool.map(pow, [1, 2, 3], [2, 2])), [1, 4])
        meeting, running = self.met(pool, work.meet)
        with self.assertRaises(concurrent.futures.TimeoutError):
            list(pool.map(work.square, range(3), timeout=0))
        with self.assertRaises(concurrent.futures.TimeoutError):
            list(pool.map(work.square, range(30), timeout=0, chunksize=10))
        # What has not begun was cancelled.
        wait_until(lambda: len(pool._pending_work_items) == 1)
        meeting.open()

    def test_map_with_a_bad_one_in_a_chunk(self):
        values = self.process_pool().map(divmod, [4, 4, 4, 4], [1, 2, 0, 4], chunksize=4)
        self.assertEqual([next(values), next(values)], [(4, 0), (2, 0)])
        with self.assertRaises(ZeroDivisionError) as caught:
            next(values)
        self.assertIn('call_all', str(caught.exception.__cause__))

    def test_max_tasks_and_chunks(self):
        # As there, what travels together is one.
        pool = self.process_pool(1, max_tasks_per_child=1)
        pids = list(pool.map(edges.get_pid, range(6), chunksize=3))
        self.assertEqual([pids.count(pid) for pid in dict.fromkeys(pids)], [3, 3])

    def test_await_that_is_cancelled(self):
        pool = self.process_pool()

        async def main():
            meeting, running = self.met(pool, work.meet, 1)
            task = asyncio.ensure_future(running)
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            # As with concurrent.futures, a call that runs goes on.
            self.assertTrue(running.running())
            meeting.open()
            return await running
        self.assertEqual(asyncio.run(main()), 1)

    def test_cancelled_before_it_takes_no_worker(self):
        pool = self.process_pool(2)
        pool.submit(work.square, 1).result(LIMIT)
        meetings = [self.met(pool, work.meet) for _ in range(2)]
        pids = set(pool._processes)
        queued = pool.submit(work.square, 2)
        self.assertTrue(queued.cancel())
        for meeting, running in meetings:
            meeting.open()
            running.result(LIMIT)
        self.assertEqual(set(pool._processes), pids)

    def test_interrupted_while_pickling(self):
        for pool in self.executor(), self.process_pool():
            with self.assertRaises(KeyboardInterrupt):
                pool.submit(print, edges.Interrupts())

    def test_pickling_fails_before_a_worker_is_taken(self):
        pool = self.process_pool()
        self.assertIsNotNone(pool.submit(print, lambda: 1).exception(LIMIT))
        self.assertEqual(pool._processes, {})

    def test_after_a_fork(self):
        pool = self.process_pool()
        pool.submit(work.square, 1).result(LIMIT)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                pool.submit(work.square, 1).result(LIMIT)
            except RuntimeError as error:
                status = 0 if 'forked' in str(error) else 2
            finally:
                os._exit(status)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(pool.submit(work.square, 3).result(LIMIT), 9)


if __name__ == '__main__':
    unittest.main()
