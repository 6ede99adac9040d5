# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.ThreadPoolExecutor, where concurrent.futures' own is expected."""

import concurrent.futures
import contextvars
import gc
import os
import pathlib
import re
import threading
import time
import unittest
import unittest.mock
import weakref

from standard_util import (LIMIT, Concur, Failure, Gate, PoolTestCase, Thing, gone,
                           run_script)

from gi.overrides._concur import standard

AFTER_SHUTDOWN = '^cannot schedule new futures after shutdown$'


class TestSubmit(PoolTestCase):
    def test_keywords_are_the_callees(self):
        def call(*args, **kwargs):
            return args, kwargs

        self.assertEqual(self.pool.submit(call, 1, self=2, fn=3).result(),
                         ((1,), {'self': 2, 'fn': 3}))
        with self.assertRaises(TypeError):
            self.pool.submit(fn=call)
        with self.assertRaises(TypeError):
            self.pool.submit()
        self.assertIsInstance(self.pool.submit(3).exception(), TypeError)

    def test_context_variables(self):
        variable = contextvars.ContextVar('variable')
        variable.set('ours')
        self.assertEqual(self.pool.submit(variable.get).result(), 'ours')
        self.pool.submit(variable.set, 'theirs').result()
        self.assertEqual(self.pool.submit(variable.get).result(), 'ours')
        self.assertEqual(variable.get(), 'ours')

    def test_report(self):
        future = self.pool.submit(Concur.report, 0.5, 'half')
        future.result()
        self.assertEqual((future.progress, future.status_text), (0.5, 'half'))

    def test_nested_waits_on_one_thread(self):
        def count(depth):
            return 1 if depth == 0 else 1 + self.pool.submit(count, depth - 1).result()

        self.assertEqual(self.pool.submit(count, 20).result(LIMIT), 21)

    def test_another_thread_stands_in(self):
        # A wait with a limit is not one that could run the other call itself.
        def work():
            return self.pool.submit(threading.current_thread).result(LIMIT)

        own, other = self.pool.submit(lambda: (threading.current_thread(), work())).result(LIMIT)
        self.assertIsNot(own, other)

    def test_wait_for_itself(self):
        box = []
        gate = Gate()

        def work():
            gate()
            return box[0].result()

        box.append(self.pool.submit(work))
        gate.wait()
        gate.open()
        self.assertIsInstance(box[0].exception(LIMIT), RuntimeError)
        box.clear()


class TestSettings(unittest.TestCase):
    def test_is_a_real_one(self):
        with Concur.ThreadPoolExecutor(2, 'x') as pool:
            self.assertIsInstance(pool, concurrent.futures.ThreadPoolExecutor)
            self.assertEqual((pool._max_workers, pool._shutdown, pool._broken), (2, False, False))

    def test_max_workers(self):
        cpus = getattr(os, 'process_cpu_count', os.cpu_count)() or 1
        with Concur.ThreadPoolExecutor() as pool:
            self.assertEqual(pool._max_workers, min(32, cpus + 4))
        for number in 0, -1:
            with self.assertRaisesRegex(ValueError, '^max_workers must be greater than 0$'):
                Concur.ThreadPoolExecutor(number)
        with self.assertRaisesRegex(TypeError, '^initializer must be a callable$'):
            Concur.ThreadPoolExecutor(initializer=3)

    def test_names(self):
        def name():
            # Each on a thread of its own.
            barrier.wait(LIMIT)
            return threading.current_thread().name

        barrier = threading.Barrier(3)
        with Concur.ThreadPoolExecutor(3, 'disk') as pool:
            names = [future.result() for future in [pool.submit(name) for _ in range(3)]]
            self.assertEqual(sorted(names), ['disk_0', 'disk_1', 'disk_2'])
            self.assertEqual({thread.name for thread in pool._threads}, set(names))
        barrier = threading.Barrier(1)
        with Concur.ThreadPoolExecutor() as pool:
            self.assertRegex(pool.submit(name).result(), r'^ThreadPoolExecutor-\d+_0$')

    def test_initializer(self):
        local = threading.local()
        seen = []

        def start(*args):
            local.value = args
            seen.append(threading.current_thread().name)

        with Concur.ThreadPoolExecutor(1, 'n', start, (1, 2)) as pool:
            for i in range(3):
                self.assertEqual(pool.submit(lambda: local.value).result(), (1, 2))
        self.assertEqual(seen, ['n_0'])

    def test_context_of_the_initializer(self):
        # Calls have the context of who submits them, so it is not seen there.
        variable = contextvars.ContextVar('variable', default='not set')
        with Concur.ThreadPoolExecutor(1, '', variable.set, ('set',)) as pool:
            self.assertEqual(pool.submit(variable.get).result(), 'not set')

    def test_initializer_fails(self):
        gate = Gate()

        def start():
            gate()
            raise Failure

        with self.assertLogs('concurrent.futures', 'CRITICAL') as logs:
            with Concur.ThreadPoolExecutor(1, initializer=start) as pool:
                queued = [pool.submit(int) for _ in range(3)]
                gate.wait()
                gate.open()
                for future in queued:
                    with self.assertRaisesRegex(Concur.BrokenThreadPool, '^A thread initializer'):
                        future.result(LIMIT)
                with self.assertRaisesRegex(concurrent.futures.BrokenExecutor,
                                            '^A thread initializer'):
                    pool.submit(int)
                self.assertTrue(pool._broken)
        self.assertEqual(logs.records[0].getMessage(), 'Exception in initializer:')
        self.assertIs(logs.records[0].exc_info[0], Failure)
        self.assertIs(Concur.BrokenThreadPool, concurrent.futures.thread.BrokenThreadPool)


class TestThreads(PoolTestCase):
    workers = 4

    def test_only_as_needed(self):
        for i in range(50):
            self.pool.submit(int).result()
        self.assertLessEqual(len(self.pool._threads), 2)

    def test_not_more_than_allowed(self):
        go = threading.Semaphore(0)
        futures = [self.pool.submit(go.acquire) for _ in range(60)]
        self.assertEqual(len(self.pool._threads), 4)
        self.assertEqual(self.pool._work_queue.qsize(), 56)
        self.assertFalse(self.pool._work_queue.empty())
        for future in futures:
            go.release()
        concurrent.futures.wait(futures)
        self.assertTrue(self.pool._work_queue.empty())

    def test_can_be_joined(self):
        gate, future = self.blocked()
        thread, = self.pool._threads
        self.assertTrue(thread.is_alive())
        thread.join(0)
        self.assertTrue(thread.is_alive())
        self.assertIn(thread, threading.enumerate())
        gate.open()
        self.pool.shutdown(wait=False)
        thread.join(LIMIT)
        self.assertFalse(thread.is_alive())
        self.assertEqual(self.pool._threads, {thread})

    def test_inner_life(self):
        # What there is of what people look at.
        gate, future = self.blocked()
        thread, = self.pool._threads
        self.assertTrue(thread.daemon)
        self.assertFalse(hasattr(self.pool, '_idle_semaphore'))
        self.assertFalse(hasattr(self.pool._work_queue, 'get'))

        class Other(Concur.ThreadPoolExecutor):
            def _adjust_thread_count(self):
                raise AssertionError('called')

        with Other(1) as pool:
            self.assertEqual(pool.submit(int).result(), 0)

    def test_current_thread_is_one_of_them(self):
        self.assertIn(self.pool.submit(threading.current_thread).result(), self.pool._threads)

    def test_thread_locals_go_with_the_thread(self):
        local = threading.local()

        def work():
            local.thing = Thing()
            return weakref.ref(local.thing)

        reference = self.pool.submit(work).result()
        self.pool.shutdown()
        self.assertTrue(gone(reference))


class TestShutdown(PoolTestCase):
    def test_twice(self):
        self.pool.submit(int)
        self.pool.shutdown()
        self.pool.shutdown()
        with self.assertRaisesRegex(RuntimeError, AFTER_SHUTDOWN):
            self.pool.submit(int)
        self.assertTrue(self.pool._shutdown)

    def test_threads_have_ended(self):
        # However long that takes them.
        leave = standard._Crew.leave

        def leave_slowly(*args):
            time.sleep(0.05)
            leave(*args)

        with unittest.mock.patch.object(standard._Crew, 'leave', leave_slowly):
            self.pool.submit(int).result()
            self.pool.shutdown()
        self.assertEqual([thread.is_alive() for thread in self.pool._threads], [False])

    def test_what_is_queued_runs(self):
        gate, first = self.blocked()
        queued = [self.pool.submit(abs, i) for i in range(5)]
        self.pool.shutdown(wait=False)
        gate.open()
        self.assertEqual([future.result() for future in queued], list(range(5)))
        self.pool.shutdown()
        self.assertFalse(any(thread.is_alive() for thread in self.pool._threads))

    def test_cancel(self):
        gate, first = self.blocked('value')
        queued = [self.pool.submit(int) for _ in range(5)]
        told = []
        queued[0].add_done_callback(told.append)
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.assertTrue(all(future.cancelled() for future in queued))
        self.assertEqual(told, queued[:1])
        self.assertFalse(first.done())
        gate.open()
        self.assertEqual(first.result(), 'value')
        self.pool.shutdown()

    def test_what_it_cancels_is_let_go_of_when_looked_at(self):
        gate, first = self.blocked()
        thing = Thing()
        reference = weakref.ref(thing)
        future = self.pool.submit(id, thing)
        del thing
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.assertTrue(future.cancelled())
        gc.collect()
        self.assertIsNone(reference())

    def test_cancel_spares_what_has_a_thread(self):
        # Though that may only be starting.
        with Concur.ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(abs, i) for i in range(4)]
            pool.shutdown(cancel_futures=True)
        self.assertEqual([future.result() for future in futures], list(range(4)))

    def test_cancelled_just_before(self):
        with Concur.ThreadPoolExecutor(1) as pool:
            pool.submit(int).cancel()

    def test_submit_while_it_shuts_down(self):
        # Either it is refused, or it is run.
        for i in range(30):
            pool = Concur.ThreadPoolExecutor(2)
            taken = []
            refused = []
            begun = threading.Barrier(2)

            def submit():
                begun.wait(LIMIT)
                try:
                    while True:
                        taken.append(pool.submit(int))
                except RuntimeError as error:
                    refused.append(str(error))

            thread = threading.Thread(target=submit)
            thread.start()
            begun.wait(LIMIT)
            pool.shutdown()
            thread.join(LIMIT)
            self.assertEqual([future.result(LIMIT) for future in taken], [0] * len(taken))
            self.assertRegex(refused[0], AFTER_SHUTDOWN)

    def test_nothing_is_left(self):
        for wait in True, False:
            references = []
            for i in range(5):
                pool = Concur.ThreadPoolExecutor(2)
                self.assertEqual(sum(pool.map(abs, range(10))), 45)
                references += [weakref.ref(pool), weakref.ref(pool._workers)]
                references += [weakref.ref(thread) for thread in pool._threads]
                references.append(weakref.ref(pool._crew))
                pool.shutdown(wait)
                for thread in pool._threads:
                    thread.join(LIMIT)
            del pool, thread
            self.assertTrue(gone(*references))

    def test_between_look_and_submit(self):
        def shut_down():
            self.pool.shutdown(wait=False)
            return contextvars.copy_context()

        with unittest.mock.patch('gi.overrides._concur.standard.copy_context', shut_down):
            with self.assertRaisesRegex(RuntimeError, AFTER_SHUTDOWN):
                self.pool.submit(int)

    def test_from_its_own_thread(self):
        error = self.pool.submit(self.pool.shutdown).exception()
        self.assertIsInstance(error, RuntimeError)
        self.assertEqual(str(error), 'cannot join current thread')
        self.pool.shutdown()

    def test_dropped(self):
        pool = Concur.ThreadPoolExecutor(1)
        gate = Gate()
        pool.submit(gate)
        gate.wait()
        queued = pool.submit(int)
        threads = pool._threads
        reference = weakref.ref(pool)
        del pool
        gc.collect()
        self.assertIsNone(reference())
        self.assertTrue(all(thread.is_alive() for thread in threads))
        gate.open()
        self.assertEqual(queued.result(), 0)
        for thread in threads:
            thread.join(LIMIT)
            self.assertFalse(thread.is_alive())


class TestMap(PoolTestCase):
    workers = 3

    def test_values(self):
        self.assertEqual(list(self.pool.map(pow, range(10), range(10))),
                         list(map(pow, range(10), range(10))))
        for size in 1, 3, 20:
            self.assertEqual(list(self.pool.map(pow, range(10), range(10), chunksize=size)),
                             list(map(pow, range(10), range(10))))
        self.assertEqual(list(self.pool.map(int, [])), [])

    def test_error_in_its_place(self):
        for size in 1, 4:
            values = self.pool.map(divmod, [1, 1, 1, 1], [1, 1, 0, 1], chunksize=size)
            self.assertEqual([next(values), next(values)], [(1, 0), (1, 0)])
            with self.assertRaises(ZeroDivisionError):
                next(values)
            with self.assertRaises(StopIteration):
                next(values)

    def test_all_submitted_at_once(self):
        done = threading.Semaphore(0)
        values = self.pool.map(lambda i: done.release(), range(10))
        for i in range(10):
            self.assertTrue(done.acquire(timeout=LIMIT))
        values.close()

    def test_timeout(self):
        gates = [Gate() for _ in range(3)]
        self.gates += gates
        gates[0].open()
        values = self.pool.map(lambda gate: gate(1), gates, timeout=0.5)
        self.assertEqual(next(values), 1)
        with self.assertRaises(concurrent.futures.TimeoutError):
            next(values)

    def test_rest_is_cancelled(self):
        for end in 'error', 'timeout', 'close':
            with Concur.ThreadPoolExecutor(1) as pool:
                gate = Gate()
                ran = []

                def work(i):
                    ran.append(i)
                    if i == 1:
                        gate()
                    if i == 0 and end == 'error':
                        raise Failure

                values = pool.map(work, range(20), timeout=0.2 if end == 'timeout' else None)
                gate.wait()
                if end == 'error':
                    with self.assertRaises(Failure):
                        next(values)
                elif end == 'timeout':
                    with self.assertRaises(concurrent.futures.TimeoutError):
                        list(values)
                else:
                    next(values)
                    values.close()
                gate.open()
            self.assertEqual(ran, [0, 1], end)

    def test_buffersize(self):
        taken = []
        finished = threading.Semaphore(0)

        def numbers():
            for i in range(10):
                taken.append(i)
                yield i

        values = self.pool.map(lambda i: (finished.release(), i)[1], numbers(), buffersize=3)
        self.assertEqual(len(taken), 3)
        for i in range(10):
            self.assertEqual(next(values), i)
            self.assertEqual(len(taken), min(10, i + 4))
        self.assertEqual(list(values), [])
        self.assertEqual(list(self.pool.map(abs, range(9), buffersize=4, chunksize=3)),
                         list(range(9)))

    def test_mistakes(self):
        for error, text, settings in (
                (TypeError, 'buffersize must be an integer or None', {'buffersize': 1.5}),
                (ValueError, 'buffersize must be None or > 0', {'buffersize': 0}),
                (ValueError, 'cannot specify both buffersize and timeout',
                 {'buffersize': 1, 'timeout': 1}),
                (ValueError, r'chunksize must be >= 1\.', {'chunksize': 0})):
            with self.assertRaisesRegex(error, f'^{text}$'):
                self.pool.map(int, [1], **settings)

    def test_values_are_not_kept(self):
        for settings in {}, {'chunksize': 4}, {'buffersize': 2}:
            for thing in self.pool.map(lambda i: Thing(), range(10), **settings):
                reference = weakref.ref(thing)
                del thing
                gc.collect()
                self.assertIsNone(reference())


class TestFork(unittest.TestCase):
    def test_child(self):
        # It never runs anything, and says so.
        out, _ = run_script('''
            import os
            pool = Concur.ThreadPoolExecutor(1)
            print(pool.submit(int).result(), flush=True)
            child = os.fork()
            if child == 0:
                for other in pool, Concur.ThreadPoolExecutor(1):
                    try:
                        other.submit(int).result()
                    except RuntimeError as error:
                        print(error, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            print(pool.submit(int).result())
        ''')
        lines = out.splitlines()
        self.assertEqual((lines[0], lines[-1]), ('0', '0'))
        self.assertEqual(len(lines), 4)
        for line in lines[1:3]:
            self.assertIn('was forked', line)


class TestPage(unittest.TestCase):
    def test_each_difference_has_its_test(self):
        here = pathlib.Path(__file__).resolve().parent
        page = here.parent.parent / 'doc' / 'coming-from-concurrent-futures.md'
        differences = page.read_text().partition('## What is different')[2]
        rows = [line for line in differences.splitlines()
                if line.startswith('| ') and not line.startswith(('| here', '|---'))]
        self.assertGreater(len(rows), 20)
        for row in rows:
            names = re.findall(r'`(\w+): (\w+)\.(test_\w+)`', row)
            self.assertTrue(names, row)
            for name, case, test in names:
                text = (here / f'test_standard_{name}.py').read_text()
                self.assertRegex(text, rf'\nclass {case}\b')
                self.assertRegex(text, rf'\n    def {test}\b')


if __name__ == '__main__':
    unittest.main()
