# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What doc/python.md says: its programs, its tables, and the names of its tests."""

import ast
import asyncio
import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import unittest
import weakref

from util import (LIMIT, Case, Concur, Gate, collect, gone, iterate_until, run_script,
                  script_environment)

from gi.repository import Gio, GLib

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, '..', '..')
PAGE = os.path.join(TOP, 'doc', 'python.md')

# What the first program of the page imports, and what the others take from those before.
PRELUDE = '''
import asyncio
import threading
import gi
gi.require_version('Concur', '1')
from gi.repository import Concur, GLib
pool = Concur.get_default_executor()
'''


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def programs(path):
    return re.findall(r'^```python\n(.*?)^```$', read(path), re.DOTALL | re.MULTILINE)


def said(program):
    """What a program says that it prints: comments on the line that prints it, or on the
    one that runs what does."""
    return re.findall(r'^[^#\n]*\)  # (.*)$', program, re.MULTILINE)


class TestPrograms(unittest.TestCase):
    def run_all(self, path, number):
        found = programs(path)
        self.assertEqual(len(found), number)
        for program in found:
            with self.subTest(program=program.splitlines()[-1]):
                expected = said(program)
                self.assertTrue(expected)
                if not program.startswith('import'):
                    program = PRELUDE + program
                result = subprocess.run([sys.executable, '-W', 'error::RuntimeWarning', '-W',
                                         'error::ResourceWarning', '-c', program],
                                        stdin=subprocess.DEVNULL, capture_output=True,
                                        text=True, timeout=LIMIT,
                                        env=script_environment())
                self.assertEqual((result.returncode, result.stderr), (0, ''))
                self.assertEqual(result.stdout.splitlines(), expected)

    def test_page(self):
        self.run_all(PAGE, 20)

    def test_readme(self):
        self.run_all(os.path.join(TOP, 'README.md'), 1)


class TestNames(unittest.TestCase):
    def test_every_name_exists(self):
        names = set(re.findall(r'`Concur\.([\w.]+)', read(PAGE)))
        self.assertGreater(len(names), 10)
        for name in sorted(names):
            with self.subTest(name=name):
                thing = Concur
                for part in name.split('.'):
                    thing = getattr(thing, part)

    def test_every_method_exists(self):
        holders = {'future': [Concur.Future], 'pool': [Concur.Executor],
                   'thread': [Concur.LoopThread]}
        found = re.findall(r'\b(future|pool|thread)\.(\w+)\b', read(PAGE))
        self.assertGreater(len(found), 20)
        for holder, name in found:
            with self.subTest(name=f'{holder}.{name}'):
                self.assertTrue(any(hasattr(cls, name) for cls in holders[holder]))

    def test_every_test_exists(self):
        named = re.findall(r'`(test_\w+\.py)((?: \w+)+)?`', read(PAGE))
        self.assertGreater(len(named), 5)
        for file, names in named:
            with self.subTest(file=file):
                tree = ast.parse(read(os.path.join(HERE, file)))
                there = {node.name for node in ast.walk(tree)
                         if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
                self.assertLessEqual(set(names.split()), there)


class TestWhichCallWhen(unittest.TestCase):
    """Every call named in doc/which-call-when.md exists in its language."""

    @classmethod
    def setUpClass(cls):
        cls.columns = {'C': set(), 'Python': set(), 'JavaScript': set(), 'Vala': set()}
        languages = []
        for line in read(os.path.join(TOP, 'doc', 'which-call-when.md')).splitlines():
            cells = [cell.strip() for cell in line.strip('|').split('|')]
            if 'Vala' in cells:
                languages = cells
            elif not line.startswith('|'):
                languages = []
            else:
                for language, cell in zip(languages, cells):
                    if language in cls.columns:
                        cls.columns[language].update(re.findall('`([^`]+)`', cell))

    def names(self, language, number):
        """What is called there: .method (…) and Concur.function (…)."""
        found = set()
        for text in self.columns[language]:
            found.update(re.findall(r'(?:^|[.@ ])(\w+)(?:<T>)?(?: ?\()', text))
        found -= {'begin'}
        self.assertGreater(len(found), number)
        return found

    def test_c(self):
        folder = os.path.join(TOP, 'concur-glib')
        headers = ''.join(read(os.path.join(folder, name)) for name in os.listdir(folder)
                          if name.endswith('.h') and not name.endswith('-private.h'))
        for name in self.names('C', 30):
            with self.subTest(name=name):
                self.assertRegex(headers, rf'\bconcur_{name}\b')

    def attributes(self):
        return [Concur, *(getattr(Concur, name) for name in dir(Concur))]

    def test_python(self):
        holders = self.attributes()
        for name in self.names('Python', 25):
            with self.subTest(name=name):
                self.assertTrue(any(hasattr(holder, name) for holder in holders))

    def test_javascript(self):
        declared = read(os.path.join(TOP, 'introspection', 'gjs', 'Concur-1.d.ts'))
        for name in self.names('JavaScript', 20):
            with self.subTest(name=name):
                self.assertTrue(re.search(rf'\b{name}(?:<[^(]*>)?\(', declared)
                                or f'class {name}' in declared or name == 'connect')

    def test_vala(self):
        # Vala has the names of the typelib, and these.
        more = read(os.path.join(TOP, 'introspection', 'vala', 'Concur-1-custom.vala'))
        holders = self.attributes()
        for name in self.names('Vala', 25):
            with self.subTest(name=name):
                self.assertTrue(any(hasattr(holder, name) for holder in holders)
                                or re.search(rf'\b{name}<T>', more))


class TestThreads(Case):
    """The table "Which thread does my code run on", row by row."""

    def setUp(self):
        self.main = threading.current_thread()
        self.ran = []

    def note(self, *_):
        self.ran.append(threading.current_thread())

    def where(self):
        return threading.current_thread()

    def test_functions_given_to_pools(self):
        with self.pool(name='here') as pool:
            threads = {pool.submit(self.where).result(), *pool.map(lambda _: self.where(), [1])}
            gate = Gate()
            pool.post(lambda: (self.note(), gate()))
            gate.wait()
            gate.open()
            self.assertEqual(threads, set(self.ran))
            self.assertNotIn(self.main, threads)
        with Concur.ThreadPoolExecutor(1) as pool:
            self.assertEqual({pool.submit(self.where).result(),
                              *pool.map(lambda _: self.where(), [1])}, pool._threads)

    def test_initializer(self):
        pool = self.pool(initializer=self.note)
        self.assertEqual([pool.submit(self.where).result(), pool.submit(self.where).result()],
                         2 * self.ran)

    def test_loop_thread(self):
        async def where():
            await asyncio.sleep(0)
            return self.where()

        thread = Concur.LoopThread(name='here')
        started = threading.Event()

        @thread.task
        async def task():
            self.note()
            started.set()

        with thread:
            self.assertTrue(started.wait(LIMIT))
            self.assertEqual({thread.submit(self.where).result(LIMIT),
                              thread.submit(where).result(LIMIT),
                              thread.call(self.where, timeout=LIMIT),
                              thread.call(where, timeout=LIMIT)}, set(self.ran))
        self.assertNotIn(self.main, self.ran)

    def test_context_executor(self):
        async def where():
            return self.where()

        ours = Concur.ContextExecutor()
        function, coroutine = ours.submit(self.where), ours.submit(where)
        self.assertFalse(function.done() or coroutine.done())
        self.assertTrue(function.iterate(LIMIT) and coroutine.iterate(LIMIT))
        self.assertIs(function.result(), self.main)
        self.assertIs(coroutine.result(), self.main)

    def test_spawn_and_await(self):
        async def where(pool):
            self.note()
            await pool.submit(int)
            self.note()

        future = Concur.spawn(where(self.pool()))
        self.assertEqual(self.ran, [])
        self.assertTrue(future.iterate(LIMIT))
        self.assertEqual(self.ran, [self.main, self.main])

    def test_run_and_await(self):
        async def where(pool):
            self.note()
            await pool.submit(int)
            self.note()

        Concur.run(where(self.pool()), LIMIT)
        self.assertEqual(self.ran, [self.main, self.main])

    def test_when_done(self):
        pool = self.pool()
        gate = self.busy(pool)
        future = pool.submit(int)
        future.when_done(self.note)
        gate.open()
        self.assertTrue(future.wait(LIMIT))
        self.assertEqual(self.ran, [])
        iterate_until(lambda: self.ran)
        self.assertEqual(self.ran, [self.main])

    def test_done_callback(self):
        pool = self.pool()
        gate = self.busy(pool)
        future = pool.submit(self.where)
        future.add_done_callback(self.note)
        gate.open()
        worker = future.result(LIMIT)
        # The next job begins after the callbacks of the one before.
        pool.submit(int).result(LIMIT)
        self.assertEqual(self.ran, [worker])
        future.add_done_callback(self.note)
        self.assertEqual(self.ran, [worker, self.main])

    def test_continuations(self):
        pool, other = self.pool(), self.pool()
        worker, stranger = pool.submit(self.where).result(), other.submit(self.where).result()

        def chain(**executor):
            return [pool.submit(int).continue_with(lambda _: self.where(), **executor),
                    pool.submit(int, 'x').recover(lambda _: self.where(), **executor),
                    pool.submit(int).ensure(self.note, **executor)]

        def run(futures):
            del self.ran[:]
            first, second, third = futures
            iterate_until(lambda: all(future.done() for future in futures))
            third.result()
            return {first.result(), second.result(), *self.ran}

        self.assertEqual(run(chain(executor=other)), {stranger})
        self.assertEqual(run(chain()), {self.main})
        self.assertEqual(run(pool.submit(chain).result(LIMIT)), {worker})

    def test_signals(self):
        pool = self.pool()
        gate = self.busy(pool)
        future = pool.submit(Concur.report, 0.5)
        future.connect('notify::progress', self.note)
        gate.open()
        iterate_until(lambda: self.ran)
        self.assertEqual(set(self.ran), {self.main})

    def test_job_class(self):
        test = self

        class Where(Concur.Job):
            def do_run(self):
                self.resolve(test.where())

        pool = self.pool()
        self.assertIs(pool.submit_job(Where()).result(LIMIT), pool.submit(self.where).result())

    def test_letting_go(self):
        class Argument:
            def __del__(argument):
                self.note()

        pool = self.pool()
        pool.submit(len, [Argument()]).result(LIMIT)
        iterate_until(lambda: collect() or self.ran)
        self.assertEqual(self.ran, [self.main])

        gate = Gate()
        with Concur.ThreadPoolExecutor(1) as pool:
            pool.submit(gate)
            pool.submit(len, [Argument()])
            gate.open()
        self.assertEqual(len(self.ran), 2)
        self.assertIsNot(self.ran[1], self.main)


class TestExceptions(Case):
    """The table of exceptions, by result () and by await."""

    def check(self, future, kind, awaited=None):
        async def wait():
            await future

        with self.assertRaises(kind) as blocking:
            future.result(LIMIT)
        with self.assertRaises(awaited or kind) as other:
            asyncio.run(wait())
        return blocking.exception, other.exception

    def test_raised(self):
        error = ValueError('no')

        def fail():
            raise error

        self.assertEqual(self.check(self.pool().submit(fail), ValueError), (error, error))

    def test_cancelled(self):
        pool = self.pool()
        self.busy(pool)
        future = pool.submit(int)
        future.cancel()
        self.check(future, concurrent.futures.CancelledError, asyncio.CancelledError)
        self.assertIs(Concur.CancelledError, concurrent.futures.CancelledError)

    def test_timeout(self):
        pool = self.pool()
        self.busy(pool)
        future = pool.submit(int)
        with self.assertRaises(TimeoutError):
            future.result(0.01)
        with self.assertRaises(TimeoutError):
            future.exception(0)
        self.assertFalse(future.wait(0.01))
        self.check(future.with_timeout(0.01), TimeoutError)

    def test_refused(self):
        pool = self.pool()
        pool.shutdown().wait(LIMIT)
        error, _ = self.check(pool.submit(int), RuntimeError)
        self.assertEqual(error.__cause__.code, Concur.ExecutorError.SHUT_DOWN)

        pool = self.pool(max_pending=1, overflow=Concur.Overflow.REJECT)
        self.busy(pool)
        pool.submit(int)
        error, _ = self.check(pool.submit(int), RuntimeError)
        self.assertEqual(error.__cause__.code, Concur.ExecutorError.QUEUE_FULL)

    def test_would_never_end(self):
        future = Concur.ContextExecutor().submit(int)
        # Only who owns the context knows that it would be itself.
        context = GLib.MainContext.default()
        self.assertTrue(context.acquire())
        try:
            with self.assertRaises(RuntimeError) as caught:
                future.result()
        finally:
            context.release()
        self.assertEqual(caught.exception.__cause__.code, Concur.FutureError.WOULD_DEADLOCK)
        self.assertTrue(future.iterate(LIMIT))

    def test_broken_promise(self):
        promise = Concur.Promise()
        future = promise.future
        del promise
        error, _ = self.check(future, RuntimeError)
        self.assertEqual(error.__cause__.code, Concur.FutureError.BROKEN_PROMISE)

    def test_error_of_c(self):
        future = Concur.file_load_bytes(Gio.File.new_for_path('/nowhere'))
        error, _ = self.check(future, GLib.Error)
        self.assertTrue(error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))

    def test_stop_iteration(self):
        error, _ = self.check(self.pool().submit(next, iter(())), RuntimeError)
        self.assertIsInstance(error.__cause__, StopIteration)

    def test_other_languages(self):
        future = self.pool().submit(int, 'x')
        future.wait(LIMIT)
        self.assertRegex(future.get_error().message, '^ValueError: ')

    def test_unseen(self):
        text = ('from gi.repository import Concur\n'
                'def leave(ignore):\n'
                '    future = Concur.get_default_executor().submit(int, "x")\n'
                '    future.wait()\n'
                '    if ignore: future.ignore()\n'
                'leave({})\n'
                'import gc; Concur.release_pending(); gc.collect()\n')
        head = 'import gi; gi.require_version("Concur", "1")\n'
        env = dict(os.environ, G_DEBUG='')
        for ignore in False, True:
            result = subprocess.run([sys.executable, '-c', head + text.format(ignore)], env=env,
                                    capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(result.returncode, 0)
            self.assertEqual('invalid literal' in result.stderr, not ignore, result.stderr)


class TestDifferences(Case):
    """The table of differences to C, and what the page says beside its tables."""

    def test_seconds(self):
        self.assertEqual(self.pool(keep_alive=1.5).get_keep_alive(), 1_500_000)
        self.assertEqual(self.pool(keep_alive=None).keep_alive, -1)
        self.assertIsNone(Concur.sleep(0.001).result(LIMIT))
        self.assertIsNone(Concur.sleep(0.001).result(None))

    def test_lists(self):
        pool = self.pool()
        futures = [pool.submit(int, text) for text in ('1', '2')]
        self.assertEqual(Concur.Future.all(futures).result(LIMIT), [1, 2])
        self.assertEqual(Concur.Future.all_settled(futures).result(LIMIT), futures)
        self.assertEqual(set(Concur.Future.wait_many(futures).result(LIMIT)), set(futures))

    def test_default_executor(self):
        local = threading.local()
        pool = Concur.get_default_executor()
        self.assertIs(Concur.Executor.get_default(), pool)
        self.assertIsNot(Concur.executor_get_default(), pool)
        pool.submit(setattr, local, 'kept', True).result(LIMIT)
        self.assertTrue(pool.submit(getattr, local, 'kept').result(LIMIT))

    def test_keywords(self):
        pool = self.pool()
        self.busy(pool)
        slow = pool.submit(int)
        self.assertIsNone(Concur.Future.race([slow, Concur.sleep(0)],
                                             cancel_rest=True).result(LIMIT))
        self.assertTrue(slow.wait(LIMIT) and slow.cancelled())

    def test_cancel(self):
        pool = self.pool()
        gate = Gate()
        self.addCleanup(gate.open)
        running = pool.submit(gate, 'its own answer')
        queued = pool.submit(int)
        gate.wait()
        queued.cancel()
        running.cancel()
        self.assertTrue(queued.cancelled())
        self.assertFalse(running.done())
        gate.open()
        self.assertEqual(running.result(LIMIT), 'its own answer')

        gate = Gate()
        self.addCleanup(gate.open)
        running = pool.submit(gate)
        gate.wait()
        running.cancel(abandon=True)
        self.assertTrue(running.cancelled())

    def test_outside_a_job(self):
        self.assertIsNone(Concur.report(0.5, 'half'))
        self.assertIsNone(Concur.check_cancelled())

    def test_nested_wait(self):
        pool = self.pool()
        self.assertEqual(pool.submit(lambda: pool.submit(int, '3').result()).result(LIMIT), 3)

    def test_coroutine_function(self):
        async def coroutine():
            pass

        with self.assertRaises(TypeError):
            self.pool().submit(coroutine)

    def test_same_object(self):
        thing = object()
        self.assertIs(self.pool().submit(lambda: thing).result(LIMIT), thing)

    def test_thread_name(self):
        self.assertRegex(self.pool(name='images').submit(
            lambda: threading.current_thread().name).result(LIMIT), '^images')

    def test_dropped_promise_lets_go(self):
        promise = Concur.Promise()
        reference = weakref.ref(promise.future)
        promise.future.ignore()
        del promise
        self.assertTrue(gone(reference))

    def test_fork(self):
        script = ('import gi, os, sys\ngi.require_version("Concur", "1")\n'
                  'from gi.repository import Concur\n'
                  'pool = Concur.ThreadExecutor(max_threads=1)\n'
                  'pool.submit(int).result()\n'
                  'child = os.fork()\n'
                  'if child == 0:\n'
                  '    try:\n'
                  '        pool.submit(int).result(30)\n'
                  '    except RuntimeError:\n'
                  '        os._exit(7)\n'
                  '    os._exit(1)\n'
                  'sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n')
        result = subprocess.run([sys.executable, '-c', script], timeout=LIMIT,
                                capture_output=True, text=True)
        self.assertEqual(result.returncode, 7, result.stderr)


class TestAtExit(unittest.TestCase):
    """What the end of the program waits for; each program prints who got to an end."""

    def check(self, text, expected):
        output, errors = run_script('import threading, time\n' + text)
        self.assertEqual((output.split(), errors), (expected, ''))

    def test_thread_executor(self):
        # It would never end.
        self.check('begun = threading.Event()\n'
                   'def work(): begun.set(); threading.Event().wait(); print("ended")\n'
                   'pool = Concur.ThreadExecutor(max_threads=1)\n'
                   'pool.submit(work)\n'
                   'begun.wait()\n', [])

    def test_with_block(self):
        self.check('with Concur.ThreadExecutor(max_threads=1) as pool:\n'
                   '    pool.submit(time.sleep, 0.1)\n'
                   '    pool.submit(print, "ended")\n', ['ended'])

    def test_loop_thread(self):
        self.check('import asyncio\n'
                   'begun = threading.Event()\n'
                   'async def work():\n'
                   '    try:\n'
                   '        begun.set()\n'
                   '        await asyncio.Event().wait()\n'
                   '    finally:\n'
                   '        print("cleared", flush=True)\n'
                   'thread = Concur.LoopThread()\n'
                   'thread.start()\n'
                   'future = thread.submit(work)\n'
                   'begun.wait()\n', ['cleared'])

    def test_loop_thread_that_is_stuck(self):
        # It would never end.
        self.check('begun = threading.Event()\n'
                   'def work(): begun.set(); threading.Event().wait()\n'
                   'thread = Concur.LoopThread()\n'
                   'thread.start()\n'
                   'future = thread.submit(work)\n'
                   'begun.wait()\n', [])

    def test_standard_pool(self):
        self.check('pool = Concur.ThreadPoolExecutor(1)\n'
                   'pool.submit(time.sleep, 0.1)\n'
                   'pool.submit(print, "ended")\n', ['ended'])
        self.check('begun = threading.Event()\n'
                   'def work(): begun.set(); threading.Event().wait()\n'
                   'pool = Concur.ThreadPoolExecutor(1, wait_at_exit=0.1)\n'
                   'pool.submit(work)\n'
                   'begun.wait()\n', [])


@unittest.skipIf('LD_PRELOAD' in os.environ, 'sanitizers keep what was freed')
class TestLeaks(Case):
    """What is said about memory, by how much the process grows."""

    COUNT = 5000
    # Pages that come and go.
    NOISE = 40

    def growth(self, use):
        def resident():
            collect()
            with open('/proc/self/statm', encoding='ascii') as file:
                return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')

        use(self.COUNT)
        before = resident()
        use(self.COUNT)
        return (resident() - before) / self.COUNT

    def repeat(self, function):
        def use(count):
            for _ in range(count):
                function()
            while GLib.MainContext.default().iteration(False):
                pass
        return use

    def test_what_leaks_nothing(self):
        pool = self.pool()

        async def job():
            await pool.submit(int)

        async def jobs(count):
            for _ in range(count):
                await job()

        def called():
            future = pool.submit(int)
            future.add_done_callback(lambda _: None)
            future.result()

        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        uses = {
            'submit': self.repeat(lambda: pool.submit(int).result()),
            'map': self.repeat(lambda: list(pool.map(int, ['1']))),
            'add_done_callback': self.repeat(called),
            'spawn': self.repeat(lambda: Concur.spawn(job()).iterate(LIMIT)),
            'await': lambda count: loop.run_until_complete(jobs(count)),
        }
        for name, use in uses.items():
            with self.subTest(name=name):
                self.assertLess(self.growth(use), self.NOISE)

    def test_what_pygobject_leaks(self):
        pool = self.pool()

        def called():
            future = pool.submit(int)
            future.when_done(lambda _: None)
            future.result()

        async def promises(count):
            for _ in range(count):
                promise = Concur.Promise()
                asyncio.get_running_loop().call_soon(promise.resolve)
                await promise.future

        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        uses = {
            'when_done': self.repeat(called),
            'continue_with': self.repeat(
                lambda: pool.submit(int).continue_with(str, executor=pool).result()),
            # What waits in the queue is no leak.
            'post': self.repeat(lambda: (pool.post(int), pool.submit(int).result())),
            'map_range': self.repeat(
                lambda: pool.map_range(1, 1, lambda *_: None).result()),
            'await': lambda count: loop.run_until_complete(promises(count)),
        }
        for name, use in uses.items():
            with self.subTest(name=name):
                self.assertLess(self.growth(use), 200 + self.NOISE)


if __name__ == '__main__':
    unittest.main()
