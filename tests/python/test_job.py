# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a Python function sees as a job, and Concur.Job as a base class."""

import asyncio
import contextvars
import functools
import logging
import sys
import threading
import unittest
import weakref

from util import LIMIT, Case, Gate, Thing, gone, iterate_until, wait_until

from gi.repository import Concur, Gio, GObject

variable = contextvars.ContextVar('variable', default='default')


class TestInside(Case):
    def test_report(self):
        pool = self.pool()
        gate = Gate()

        def work():
            Concur.report(0.25)
            Concur.report(text='counting')
            gate()
            Concur.report(0.75, 'nearly')
        future = pool.submit(work)
        gate.wait()
        self.assertEqual((future.progress, future.status_text), (0.25, 'counting'))
        gate.open()
        future.result(LIMIT)
        self.assertEqual((future.progress, future.status_text), (0.75, 'nearly'))

    def test_outside(self):
        self.assertIsNone(Concur.report(0.5, 'nobody hears'))
        self.assertIsNone(Concur.check_cancelled())

    def test_check_cancelled(self):
        pool = self.pool()
        gate = Gate()
        seen = []

        def work():
            Concur.check_cancelled()
            gate()
            try:
                Concur.check_cancelled()
            finally:
                seen.append('cleaned up')
        future = pool.submit(work)
        gate.wait()
        self.assertTrue(future.cancel())
        self.assertFalse(future.done())
        gate.open()
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)
        self.assertTrue(future.cancelled())
        self.assertEqual(seen, ['cleaned up'])

    def test_own_answer_wins(self):
        pool = self.pool()
        gate = Gate()
        future = pool.submit(gate, [1])
        gate.wait()
        future.cancel()
        gate.open()
        self.assertEqual(future.result(LIMIT), [1])

    def test_abandon(self):
        pool = self.pool()
        thing = Thing()
        reference = weakref.ref(thing)
        for answer in (lambda: thing, lambda: self.fail('late')):
            gate = Gate()

            def work(answer):
                gate()
                return answer()
            future = pool.submit(work, answer)
            gate.wait()
            self.assertTrue(future.cancel(abandon=True))
            self.assertTrue(future.cancelled())
            gate.open()
            pool.submit(int).result(LIMIT)
            with self.assertRaises(Concur.CancelledError):
                future.result()
            self.assertNotIn('_value', future.__dict__)
        del thing, answer
        work = None
        self.assertTrue(gone(reference))

    def test_context_variables(self):
        pool = self.pool()
        variable.set('at submit')
        try:
            gate = self.busy(pool)
            future = pool.submit(variable.get)
            variable.set('later')
            gate.open()
            self.assertEqual(future.result(LIMIT), 'at submit')
            pool.submit(variable.set, 'by a job').result(LIMIT)
            self.assertEqual(variable.get(), 'later')
            self.assertEqual(pool.submit(variable.get).result(LIMIT), 'later')
        finally:
            variable.set('default')

    def test_nested_waits_on_one_thread(self):
        pool = self.pool()

        def deep(depth):
            return 1 + pool.submit(deep, depth - 1).result(LIMIT) if depth else 0
        self.assertEqual(pool.submit(deep, 10).result(LIMIT), 10)

        def at_once(depth):
            return 1 + pool.submit(at_once, depth - 1).result() if depth else 0
        self.assertEqual(pool.submit(at_once, 50).result(LIMIT), 50)


class TestCoroutineFunctions(Case):
    def test_refused(self):
        async def function():
            pass

        async def generator():
            yield

        class Methods:
            async def method(self):
                pass

            @classmethod
            async def of_class(cls):
                pass

            @staticmethod
            async def static():
                pass

            async def __call__(self):
                pass
        pool = self.pool()
        for wrong in (function, generator, Methods().method, Methods.method, Methods.of_class,
                      Methods.static, Methods(), functools.partial(function),
                      functools.partial(functools.partial(Methods().method)),
                      functools.partial(Methods())):
            for executor in (pool, pool.options(name='x')):
                with self.assertRaisesRegex(TypeError, 'coroutine function'):
                    executor.submit(wrong)
            with self.assertRaisesRegex(TypeError, 'coroutine function'):
                pool.map(wrong, [1])

    def test_not_refused(self):
        class Proxy:
            def __getattr__(self, name):
                return self

            def __call__(self, *args):
                return args
        pool = self.pool()
        for function in (int, functools.partial(int), Proxy(), Proxy().method, ''.join, len):
            pool.submit(function, ()).exception(LIMIT)
        self.assertEqual(pool.submit(Proxy(), 1).result(LIMIT), (1,))

    def test_a_coroutine_as_result(self):
        async def function():
            pass
        with self.assertRaisesRegex(TypeError, 'coroutine'):
            self.pool().submit(lambda: function()).result(LIMIT)

    def test_not_callable(self):
        for wrong in (None, 3, 'text'):
            with self.assertRaises(TypeError):
                self.pool().submit(wrong)


class TestThreads(Case):
    def test_thread_locals_last(self):
        pool = self.pool(2)
        local = threading.local()

        def count():
            local.number = getattr(local, 'number', 0) + 1
            return threading.get_ident(), local.number
        counts = {}
        for future in [pool.submit(count) for _ in range(50)]:
            thread, number = future.result(LIMIT)
            counts[thread] = max(counts.get(thread, 0), number)
        self.assertEqual(sum(counts.values()), 50)
        self.assertLessEqual(len(counts), 2)

    def test_names(self):
        pool = self.pool(1, name='disk')
        thread = pool.submit(threading.current_thread).result(LIMIT)
        self.assertEqual(thread.name, 'disk-1')
        self.assertIs(pool.submit(threading.current_thread).result(LIMIT), thread)
        self.assertIn(thread, threading.enumerate())
        pool.shutdown().wait(LIMIT)
        wait_until(lambda: thread not in threading.enumerate())

    def test_initializer(self):
        local = threading.local()
        seen = []

        def initialize(*args):
            local.value = args
            seen.append(threading.get_ident())
        pool = self.pool(2, initializer=initialize, initargs=(1, 'x'))
        for _ in range(10):
            self.assertEqual(pool.submit(lambda: local.value).result(LIMIT), (1, 'x'))
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(len(seen), 2)
        with self.assertRaises(TypeError):
            Concur.ThreadExecutor(initializer=3)

    def test_initializer_fails(self):
        for exception in (ValueError, SystemExit):
            def initialize():
                raise exception('cannot begin')
            with self.hidden_log() as log:
                pool = self.pool(1, initializer=initialize)
                future = pool.submit(int)
                future.wait(LIMIT)
                wait_until(lambda: log.records)
                self.assertEqual(log.records[0].levelno, logging.CRITICAL)
                self.assertIn('cannot begin', log.output[0])
                self.assertTrue(future.cancelled())
                with self.assertRaises(RuntimeError):
                    pool.submit(int).result(LIMIT)

    def test_tracing(self):
        for install, uninstall, events in (
                (threading.settrace, lambda: threading.settrace(None), {'call', 'return'}),
                (threading.setprofile, lambda: threading.setprofile(None), {'call', 'return'})):
            seen = []

            def hook(frame, event, argument):
                if frame.f_code.co_name == 'traced':
                    seen.append((event, threading.current_thread().name))
                return hook

            def traced():
                return 1
            install(hook)
            try:
                pool = self.pool(1, name='traced')
                pool.submit(traced).result(LIMIT)
                pool.shutdown().wait(LIMIT)
            finally:
                uninstall()
            self.assertLessEqual({(event, 'traced-1') for event in events}, set(seen))
        self.assertIsNone(sys.gettrace())

    def test_new_thread_for_each(self):
        pool = self.pool(0)
        gates = [Gate() for _ in range(5)]
        futures = [pool.submit(gate) for gate in gates]
        for gate in gates:
            gate.wait()
        for gate in gates:
            gate.open()
        self.assertTrue(Concur.Future.all(futures).wait(LIMIT))


class Sum(Concur.Job):
    """A job of one's own."""

    def __init__(self, *numbers):
        super().__init__()
        self.numbers = numbers

    def do_run(self):
        logging.getLogger('concur.test').info('adding %s', self.numbers)
        self.resolve(sum(self.numbers))


class TestSubclass(Case):
    def test_answers(self):
        pool = self.pool()
        with self.hidden_log() as log:
            job = Sum(1, 2, 3)
            self.assertIs(pool.submit_job(job), job)
            self.assertEqual(job.result(LIMIT), 6)
        self.assertIn('adding', log.output[0])

    def test_coroutine_function(self):
        with self.assertRaisesRegex(TypeError, 'do_run.*coroutine function'):
            class Later(Concur.Job):
                __gtype_name__ = None

                async def do_run(self):
                    self.resolve(1)

    def test_submitted_twice(self):
        pool = self.pool()
        job = Sum(1, 2)
        pool.submit_job(job)
        with self.assertRaisesRegex(RuntimeError, 'submitted before'):
            pool.submit_job(job)
        self.assertEqual(job.result(LIMIT), 3)

    def test_anything(self):
        pool = self.pool()
        for value in (None, [1], 2 ** 70, 'a\0b', {'x': Thing}, Gio.Cancellable(), b'', True):
            class Answer(Concur.Job):
                __gtype_name__ = None

                def do_run(self):
                    self.resolve(value)

            class Verb(Concur.Job):
                __gtype_name__ = None

                def do_run(self):
                    self.return_value(value)
                    return True
            for cls in (Answer, Verb):
                result = pool.submit_job(cls()).result(LIMIT)
                self.assertEqual(result, value)
                self.assertIs(type(result), type(value))

    def test_verbs_of_c(self):
        class Text(Concur.Job):
            def do_run(self):
                self.return_string('text')
                return True
        self.assertEqual(self.pool().submit_job(Text()).result(LIMIT), 'text')

    def test_raises(self):
        exception = KeyError('why')

        class Fails(Concur.Job):
            def do_run(self):
                raise exception

        class Rejects(Concur.Job):
            def do_run(self):
                self.reject(exception)

        class Verb(Concur.Job):
            def do_run(self):
                self.return_error(exception)
                return False
        for cls in (Fails, Rejects, Verb):
            future = self.pool().submit_job(cls())
            self.assertIs(future.exception(LIMIT), exception)
            with self.assertRaises(KeyError):
                future.result()

    def test_answers_twice(self):
        class Twice(Concur.Job):
            def do_run(self):
                self.resolve([1])
                self.resolve([2])
                self.reject(KeyError())
                raise ValueError
        future = self.pool().submit_job(Twice())
        self.assertEqual(future.result(LIMIT), [1])
        self.assertIsNone(future.exception())

    def test_says_nothing(self):
        class Silent(Concur.Job):
            def do_run(self):
                pass

        class False_(Concur.Job):
            def do_run(self):
                return False
        for cls in (Silent, False_):
            with self.assertRaises(RuntimeError):
                self.pool().submit_job(cls()).result(LIMIT)

    def test_answers_later(self):
        held = []

        class Later(Concur.Job):
            def do_run(self):
                self.hold()
                held.append(self)
        future = self.pool().submit_job(Later())
        wait_until(lambda: held)
        self.assertFalse(future.wait(0))
        held[0].resolve(['late'])
        self.assertEqual(future.result(LIMIT), ['late'])

    def test_checks_cancelled(self):
        gate = Gate()

        class Asked(Concur.Job):
            def do_run(self):
                gate()
                self.check_cancelled()
                self.resolve()
        future = self.pool().submit_job(Asked())
        gate.wait()
        future.cancel()
        gate.open()
        self.assertTrue(future.wait(LIMIT))
        self.assertTrue(future.cancelled())

    def test_inherits(self):
        class Double(Sum):
            def do_run(self):
                super().do_run()
        with self.hidden_log():
            self.assertEqual(self.pool().submit_job(Double(2, 3)).result(LIMIT), 5)

    def test_settings(self):
        job = Sum(1)
        job.priority = Concur.Priority.HIGH
        job.name = 'one'
        self.assertEqual((job.priority, job.name), (Concur.Priority.HIGH, 'one'))
        with self.hidden_log():
            self.pool().submit_job(job).result(LIMIT)

    def test_awaited(self):
        async def main():
            with self.hidden_log():
                return await self.pool().submit_job(Sum(4, 5))
        self.assertEqual(asyncio.run(main()), 9)


class Tracked(GObject.Object):
    """A GObject whose finaliser says where it ran."""

    def __init__(self, where):
        super().__init__()
        self.finalizer = weakref.finalize(self, lambda: where.append(threading.get_ident()))


class TestArguments(Case):
    def argument(self, where):
        return Tracked(where)

    def test_let_go_at_home(self):
        # What a widget needs: its last reference goes on the thread it came from.
        pool = self.pool()
        for way in ('run', 'fail', 'cancel', 'refuse'):
            where = []
            gate = self.busy(pool)
            target = pool
            if way == 'refuse':
                target = Concur.ThreadExecutor(max_threads=1)
                target.shutdown().wait(LIMIT)
            function = len if way == 'fail' else id
            future = target.submit(function, self.argument(where))
            if way == 'cancel':
                self.assertTrue(future.cancel())
            gate.open()
            future.exception(LIMIT) if way != 'cancel' else None
            pool.submit(int).result(LIMIT)
            future = None
            wait_until(lambda: where)
            self.assertEqual(where, [threading.get_ident()], way)

    def test_let_go_by_the_main_loop(self):
        pool = self.pool()
        where = []
        future = pool.submit(id, self.argument(where))
        iterate_until(lambda: where)
        self.assertEqual(where, [threading.get_ident()])
        future.result(LIMIT)

    def test_let_go_by_worker(self):
        pool = self.pool(1, release=Concur.ReleasePolicy.WORKER)
        where = []
        # Not while this thread is still inside submit ().
        gate = self.busy(pool)
        future = pool.submit(lambda thing: threading.get_ident(), self.argument(where))
        gate.open()
        worker = future.result(LIMIT)
        # Before the result was known.
        self.assertEqual(where, [worker])

    def test_nothing_is_kept(self):
        for release in (Concur.ReleasePolicy.HOME, Concur.ReleasePolicy.WORKER):
            pool = self.pool(1, release=release)
            closed = Concur.ThreadExecutor(max_threads=1, release=release)
            closed.shutdown().wait(LIMIT)
            for way in ('run', 'fail', 'cancel', 'abandon', 'refuse', 'parent'):
                with self.subTest(release=release.value_nick, way=way):
                    self.check_nothing_is_kept(pool, closed, way)

    def check_nothing_is_kept(self, pool, closed, way):
        class Callable:
            def __call__(self, *args, **kwargs):
                if way == 'fail':
                    raise ValueError
                if gate is not None:
                    gate()
                return None
        gate = Gate() if way == 'abandon' else None
        function, argument, keyword = Callable(), Thing(), Thing()
        references = [weakref.ref(thing) for thing in (function, argument, keyword)]
        cancellable = Gio.Cancellable()
        busy = self.busy(pool) if way in ('cancel', 'parent') else None
        target = closed if way == 'refuse' else pool
        future = target.options(cancellable=cancellable).submit(function, argument, key=keyword)
        if way == 'abandon':
            gate.wait()
            future.cancel(abandon=True)
            gate.open()
        elif way == 'cancel':
            future.cancel()
        elif way == 'parent':
            cancellable.cancel()
        if busy is not None:
            busy.open()
        future.wait(LIMIT)
        if way not in ('run', 'fail', 'refuse'):
            with self.assertRaises(Concur.CancelledError):
                future.result()
        elif way == 'refuse':
            self.assertIsInstance(future.exception(), RuntimeError)
        elif way == 'fail':
            # Its traceback has the function's frame.
            self.assertIsInstance(future.exception(), ValueError)
            future.exception().__traceback__ = None
            future.__dict__['_traceback'] = None
        function = argument = keyword = None
        # The future is still there.
        self.assertTrue(gone(*references))
        self.assertTrue(future.done())

    def test_result_goes_with_future(self):
        pool = self.pool()
        thing = Thing()
        reference = weakref.ref(thing)
        future = pool.submit(lambda holder: holder.pop(), [thing])
        del thing
        self.assertIsInstance(future.result(LIMIT), Thing)
        future = None
        self.assertTrue(gone(reference))

    def test_exception_goes_with_future(self):
        pool = self.pool()

        class Oops(Exception):
            pass
        local = Thing()
        reference = weakref.ref(local)

        def fail(thing):
            raise Oops
        future = pool.submit(fail, local)
        del local
        try:
            future.result(LIMIT)
        except Oops as error:
            kept = weakref.ref(error)
        future = None
        self.assertTrue(gone(reference, kept))


if __name__ == '__main__':
    unittest.main()
