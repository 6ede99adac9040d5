# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What users of concurrent.futures.ProcessPoolExecutor rely on."""

import asyncio
import concurrent.futures
import gc
import multiprocessing
import operator
import os
import unittest
import weakref

import worker_functions as work
from process_util import LIMIT, Concur, Meeting, ProcessCase, is_gone
from util import run_script, wait_until


class TestPool(ProcessCase):
    def test_is_one(self):
        pool = self.process_pool()
        self.assertIsInstance(pool, concurrent.futures.ProcessPoolExecutor)
        self.assertIsInstance(pool.submit(pow, 2, 5), concurrent.futures.Future)

    def test_submit(self):
        pool = self.process_pool(2)
        self.assertEqual(pool.submit(pow, 2, 8).result(LIMIT), 256)
        self.assertEqual(pool.submit(work.keywords, 1, self=1, fn=2).result(LIMIT),
                         ((1,), {'self': 1, 'fn': 2}))
        size = 257 << 20
        self.assertEqual(pool.submit(len, bytes(size)).result(LIMIT), size)
        with self.assertRaises(TypeError):
            pool.submit()

    def test_map(self):
        pool = self.process_pool(3)
        self.assertEqual(list(pool.map(pow, range(40), range(40))),
                         list(map(pow, range(40), range(40))))
        for chunksize in 6, 50, 40:
            self.assertEqual(list(pool.map(pow, range(40), range(40), chunksize=chunksize)),
                             list(map(pow, range(40), range(40))))
        with self.assertRaises(ValueError):
            pool.map(pow, range(40), chunksize=-1)

    def test_map_exception(self):
        results = self.process_pool(1).map(divmod, [1, 1, 1, 1], [2, 3, 0, 5])
        self.assertEqual([next(results), next(results)], [(0, 1), (0, 1)])
        with self.assertRaises(ZeroDivisionError):
            next(results)

    def test_map_timeout(self):
        meeting = Meeting(self)
        with self.assertRaises(concurrent.futures.TimeoutError):
            list(self.process_pool().map(work.meet, [meeting.path], timeout=0.1))
        meeting.open()

    def test_traceback(self):
        future = self.process_pool().submit(work.fail_here)
        with self.assertRaises(Exception) as caught:
            future.result(LIMIT)
        error = caught.exception
        self.assertIs(type(error), RuntimeError)
        self.assertEqual(error.args, (123,))
        self.assertIs(type(error.__cause__), concurrent.futures.process._RemoteTraceback)
        self.assertIn('raise RuntimeError(123)  # some comment', error.__cause__.tb)
        self.assertIs(future.exception(), error)

    def test_no_stale_references(self):
        class Self:
            pass
        pool = self.process_pool()
        meeting = Meeting(self)
        running = pool.submit(work.meet, meeting.path)
        thing = work.Part('never', None, 0)
        gone = weakref.ref(thing)
        future = pool.submit(work.natural, thing)
        del thing
        self.assertIsNone(gone())
        meeting.open()
        self.assertTrue(future.result(LIMIT))
        running.result(LIMIT)

    def test_result_is_freed(self):
        pool = self.process_pool()
        for value in pool.map(work.natural, range(10)):
            reference = weakref.ref(pool)
            del value
        self.assertIs(reference(), pool)
        future = pool.submit(work.make_part, 'never', None, 0)
        gone = weakref.ref(future.result(LIMIT))
        del future
        wait_until(lambda: gc.collect() is not None and gone() is None)

    def test_unpicklable_fails_its_own_future(self):
        pool = self.process_pool()
        bad = pool.submit(id, lambda: 1)
        good = pool.submit(pow, 2, 2)
        self.assertIn('pickle', str(bad.exception(LIMIT)))
        self.assertEqual(good.result(LIMIT), 4)
        # A result.
        self.assertIn('pickle', str(pool.submit(operator.attrgetter('Lock'), __import__('threading')
                                                ).exception(LIMIT)))
        self.assertEqual(pool.submit(pow, 2, 2).result(LIMIT), 4)

    def test_cancel(self):
        pool = self.process_pool()
        meeting, running = self.met(pool, work.meet_pid)
        queued = pool.submit(pow, 2, 2)
        self.assertTrue(running.running())
        # As in concurrent.futures.
        self.assertFalse(running.cancel())
        self.assertTrue(queued.cancel())
        self.assertTrue(queued.cancelled())
        with self.assertRaises(concurrent.futures.CancelledError):
            queued.result()
        meeting.open()
        self.assertEqual(running.result(LIMIT), pool.submit(os.getpid).result(LIMIT))

    def test_cancel_running(self):
        pool = self.process_pool()
        meeting, running = self.met(pool, work.meet)
        (pid,) = pool._processes
        self.assertTrue(running.cancel(Concur.CancelFlags.NONE))
        with self.assertRaises(concurrent.futures.CancelledError):
            running.result(LIMIT)
        self.assertTrue(running.cancelled())
        self.assertEqual(pool.submit(os.getpid).result(LIMIT), pid)

    def test_wait_and_as_completed(self):
        pool = self.process_pool(2)
        futures = [pool.submit(pow, 2, n) for n in range(8)]
        done, pending = concurrent.futures.wait(futures, LIMIT)
        self.assertEqual((len(done), len(pending)), (8, 0))
        meeting, running = self.met(pool, work.meet)
        quick = pool.submit(pow, 3, 3)
        done, pending = concurrent.futures.wait([running, quick], LIMIT,
                                                concurrent.futures.FIRST_COMPLETED)
        self.assertEqual((done, pending), ({quick}, {running}))
        meeting.open()
        self.assertEqual({future.result() for future in
                          concurrent.futures.as_completed(futures, LIMIT)},
                         {2 ** n for n in range(8)})

    def test_asyncio(self):
        pool = self.process_pool(2)

        async def main():
            loop = asyncio.get_running_loop()
            first = await loop.run_in_executor(pool, work.square, 4)
            second = await asyncio.wrap_future(pool.submit(work.square, 5))
            third = await pool.submit(work.square, 6)
            with self.assertRaises(ZeroDivisionError):
                await loop.run_in_executor(pool, divmod, 1, 0)
            return first, second, third
        self.assertEqual(asyncio.run(main()), (16, 25, 36))

    def test_callbacks(self):
        called = []
        future = self.process_pool().submit(work.square, 4)
        future.add_done_callback(lambda future: called.append(future.result()))
        future.result(LIMIT)
        wait_until(lambda: called == [16])

    def test_arguments(self):
        for number in 0, -1:
            with self.assertRaisesRegex(ValueError, 'max_workers must be greater than 0'):
                Concur.ProcessPoolExecutor(number)
        with self.assertRaises(TypeError):
            Concur.ProcessPoolExecutor(1, initializer=1)
        with self.assertRaises(TypeError):
            Concur.ProcessPoolExecutor(1, max_tasks_per_child='1')
        with self.assertRaises(ValueError):
            Concur.ProcessPoolExecutor(1, max_tasks_per_child=0)
        pool = self.process_pool(None)
        self.assertEqual(pool._max_workers, os.cpu_count())
        context = multiprocessing.get_context('spawn')
        self.assertIs(self.process_pool(1, mp_context=context)._mp_context, context)

    def test_max_tasks_per_child(self):
        pool = self.process_pool(1, max_tasks_per_child=3)
        pids = [pool.submit(os.getpid).result(LIMIT) for _ in range(7)]
        self.assertEqual([pids.count(pid) for pid in dict.fromkeys(pids)], [3, 3, 1])

    def test_idle_workers_are_used_again(self):
        pool = self.process_pool(4)
        for _ in range(8):
            pool.submit(pow, 2, 2).result(LIMIT)
        self.assertLessEqual(len(pool._processes), 2)

    def test_initializer(self):
        pool = self.process_pool(2, initializer=work.initialize, initargs=('x',))
        for future in [pool.submit(work.get_seen) for _ in range(6)]:
            self.assertEqual(future.result(LIMIT), ['x'])

    def test_initializer_fails(self):
        pool = self.process_pool(1, initializer=work.fail_to_initialize)
        futures = [pool.submit(pow, 2, 2) for _ in range(3)]
        for future in futures:
            with self.assertRaises(concurrent.futures.process.BrokenProcessPool) as caught:
                future.result(LIMIT)
        self.assertIn('initializer failed', str(caught.exception))
        self.assertIn('not this time', str(futures[0].exception().__cause__))
        with self.assertRaises(concurrent.futures.process.BrokenProcessPool):
            pool.submit(pow, 2, 2)
        self.assertTrue(pool._broken)

    def test_initializer_crashes(self):
        pool = self.process_pool(1, initializer=work.crash_in_initializer)
        with self.assertRaisesRegex(concurrent.futures.process.BrokenProcessPool,
                                    'exit status was 9'):
            pool.submit(pow, 2, 2).result(LIMIT)

    def test_no_worker_can_start(self):
        import sys
        executable, sys.executable = sys.executable, '/nonexistent/python'
        try:
            pool = self.process_pool()
        finally:
            sys.executable = executable
        with self.assertRaisesRegex(concurrent.futures.process.BrokenProcessPool, 'nonexistent'):
            pool.submit(pow, 2, 2).result(LIMIT)


class TestShutdown(ProcessCase):
    def test_wait(self):
        with Concur.ProcessPoolExecutor(2) as pool:
            futures = [pool.submit(abs, n) for n in range(-5, 5)]
            pids = list(pool._processes)
            processes = pool._processes.values()
        for process in processes:
            process.join(LIMIT)
            self.assertFalse(process.is_alive())
        self.assertTrue(all(future.done() for future in futures))
        for pid in pids:
            self.assertTrue(is_gone(pid))
        self.assertEqual(pool._processes, {})
        with self.assertRaisesRegex(RuntimeError, 'cannot schedule new futures after shutdown'):
            pool.submit(pow, 2, 2)
        pool.shutdown()

    def test_no_wait(self):
        pool = self.process_pool()
        meeting, first = self.met(pool, work.meet, 1)
        second = pool.submit(pow, 2, 2)
        pool.shutdown(wait=False)
        meeting.open()
        self.assertEqual((first.result(LIMIT), second.result(LIMIT)), (1, 4))

    def test_cancel_futures(self):
        pool = self.process_pool()
        meeting, first = self.met(pool, work.meet, 1)
        queued = [pool.submit(pow, 2, 2) for _ in range(5)]
        pool.shutdown(wait=False, cancel_futures=True)
        self.assertTrue(all(future.cancelled() for future in queued))
        meeting.open()
        self.assertEqual(first.result(LIMIT), 1)

    def test_forgotten(self):
        pool = Concur.ProcessPoolExecutor(1)
        future = pool.submit(os.getpid)
        del pool
        gc.collect()
        pid = future.result(LIMIT)
        del future
        wait_until(lambda: gc.collect() is not None and is_gone(pid))

    def test_kill_workers(self):
        for name in 'kill_workers', 'terminate_workers':
            pool = self.process_pool()
            meeting, running = self.met(pool, work.meet)
            queued = pool.submit(pow, 2, 2)
            getattr(pool, name)()
            self.assertIsInstance(running.exception(LIMIT), Concur.WorkerDied)
            self.assertTrue(queued.cancelled())
            with self.assertRaises(RuntimeError):
                pool.submit(pow, 2, 2)


class TestExit(ProcessCase):
    def script(self, body, status=0):
        begin = 'import os, sys\nsys.path.insert(0, sys.argv[1])\nimport worker_functions as work\n'
        return run_script(begin + body, os.path.dirname(work.__file__), status=status)

    def test_the_end_of_the_program_waits(self):
        out, err = self.script(
            'pool = Concur.ProcessPoolExecutor(1)\n'
            'for n in range(3):\n'
            '    pool.submit(work.talk, f"call {n}")\n')
        self.assertEqual(out.count('call'), 3)
        self.assertEqual(err, '')

    def test_submit_at_exit(self):
        out, err = self.script(
            'import atexit\n'
            'pool = Concur.ProcessPoolExecutor(1)\n'
            'pool.submit(pow, 2, 2)\n'
            '@atexit.register\n'
            'def late():\n'
            '    try: pool.submit(pow, 2, 2)\n'
            '    except RuntimeError as error: print(error)\n')
        self.assertEqual(out, 'cannot schedule new futures after interpreter shutdown\n')

    def test_with_calls_running(self):
        for end in 'pass', 'sys.exit(0)', 'os._exit(0)', 'del pool':
            with self.subTest(end):
                out, err = self.script(
                    'import time\n'
                    'pool = Concur.ProcessExecutor(2)\n'
                    'futures = [pool.submit(time.sleep, 1000) for n in range(3)]\n'
                    'while not futures[1].running() or len(pool.pids) < 2: time.sleep(0)\n'
                    'print(*pool.pids, flush=True)\n'
                    f'{end}\n')
                self.assertNotIn('Traceback', err)
                for pid in out.split():
                    wait_until(lambda: is_gone(int(pid)))

    def test_killed(self):
        out, err = self.script(
            'import signal, time\n'
            'pool = Concur.ProcessPoolExecutor(1)\n'
            'print(pool.submit(os.getpid).result(), flush=True)\n'
            'pool.submit(time.sleep, 1000)\n'
            'os.kill(os.getpid(), signal.SIGKILL)\n', status=-9)
        wait_until(lambda: is_gone(int(out)))


if __name__ == '__main__':
    unittest.main()
