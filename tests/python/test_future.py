# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.Future in Python: values, exceptions, waiting, callbacks, properties."""

import asyncio
import concurrent.futures
import math
import threading
import time
import traceback
import unittest
import weakref

from util import LIMIT, Case, Gate, Thing, collect, gone, iterate_until, run_script

from gi.repository import Concur, Gio, GLib, GObject


class Mean(Exception):
    def __str__(self):
        raise ValueError('no text for you')


class TestValues(Case):
    def setUp(self):
        self.pool = Case.pool(self)

    def both(self, value):
        """What comes of value through a job, a promise, and views of both."""
        job = self.pool.submit(lambda: value)
        promise = Concur.Promise()
        promise.resolve(value)
        for future in (job, promise.future, Concur.Future.resolved(value)):
            yield future.result(LIMIT)
            yield future.result()
            yield future.get_value()
            yield future.view().result(LIMIT)
            yield future.shield().result(LIMIT)
            yield Concur.Future.all(future).result(LIMIT)[0]

    def test_identical(self):
        thing = Thing()
        for value in (None, True, False, 0, 1, -1, 2 ** 31, -2 ** 31 - 1, 2 ** 63 - 1, -2 ** 63,
                      2 ** 63, -2 ** 63 - 1, 10 ** 400, 0.0, 1.5, math.inf, '', 'ünï', 'a\0b',
                      '\ud800', b'', b'\0\xff', (), (1, None), [1, [2]], {'a': {}}, {1}, thing,
                      Thing, len, ValueError('as a value'), Concur.FutureState.PENDING,
                      Concur.CancelFlags.ABANDON, 1 + 2j, ..., NotImplemented, GLib.Error('v')):
            with self.subTest(value=repr(value)[:40]):
                for result in self.both(value):
                    self.assertIs(type(result), type(value))
                    self.assertEqual(result, value)
                    if isinstance(value, (list, dict, Thing)):
                        self.assertIs(result, value)

    def test_nan(self):
        for result in self.both(math.nan):
            self.assertTrue(math.isnan(result))

    def test_bool_is_not_int(self):
        for result in self.both(True):
            self.assertIs(result, True)
        for result in self.both(1):
            self.assertIs(type(result), int)

    def test_gobject(self):
        thing = Gio.SimpleAction.new('name', None)
        for result in self.both(thing):
            self.assertIs(result, thing)

    def test_a_future_as_a_value(self):
        inner = Concur.Future.resolved(1)
        for result in self.both(inner):
            self.assertIs(result, inner)

    def test_boxed(self):
        for make, read in ((lambda: GLib.Bytes.new(b'x' * 1000), GLib.Bytes.get_data),
                           (lambda: GLib.Variant('(si)', ('x', 1)), GLib.Variant.unpack),
                           (lambda: GLib.DateTime.new_utc(2026, 1, 2, 3, 4, 5),
                            lambda time: time.format('%F %T')),
                           (lambda: GLib.Uri.parse('http://a/b', 0), GLib.Uri.to_string)):
            for result in self.both(make()):
                self.assertEqual(read(result), read(make()))

    def test_boxed_value_outlives_future(self):
        # Completed by C: PyGObject lends such a value rather than giving it away. What is
        # freed is overwritten here.
        output, errors = run_script('''
            import gc
            from gi.repository import GLib, GObject
            for make, read in ((lambda: GLib.Bytes.new(b'y' * 4000), GLib.Bytes.get_data),
                               (lambda: GLib.DateTime.new_utc(2026, 1, 2, 3, 4, 5),
                                lambda time: time.format('%F %T'))):
                promise = Concur.Promise()
                value = make()
                # The C function, not the override.
                super(Concur.Promise, promise).resolve(GObject.Value(value.__gtype__, value))
                del value
                result = promise.future.result()
                promise = None
                gc.collect()
                print(read(result) == read(make()))
        ''', env={'G_SLICE': 'always-malloc', 'MALLOC_PERTURB_': '165'})
        self.assertEqual(output, 'True\n' * 2, errors)

    def test_value_of_c(self):
        # Whatever Python has no part in.
        self.assertIsNone(Concur.Future.delay(0).result(LIMIT))

    def test_value_with_reference_to_its_future(self):
        thing = Thing()
        thing.future = self.pool.submit(lambda: thing)
        thing.future.result()
        reference = weakref.ref(thing)
        del thing
        self.assertTrue(gone(reference))

    def test_all_gives_the_same_list(self):
        both = Concur.Future.all(self.pool.submit(list), self.pool.submit(dict))
        self.assertEqual(both.result(), [[], {}])
        self.assertIs(both.result(), both.result())


class TestExceptions(Case):
    def setUp(self):
        self.pool = Case.pool(self)

    def fail_with(self, exception):
        def fail():
            raise exception
        return self.pool.submit(fail)

    def test_the_original(self):
        for kind in (ValueError, KeyError, SystemExit, KeyboardInterrupt, GeneratorExit,
                     StopAsyncIteration, BaseException, AssertionError, MemoryError,
                     RecursionError, TimeoutError, concurrent.futures.InvalidStateError):
            exception = kind('why')
            for future in (self.fail_with(exception), Concur.Future.rejected(exception)):
                with self.subTest(kind=kind.__name__):
                    self.assertIs(future.exception(LIMIT), exception)
                    with self.assertRaises(kind) as caught:
                        future.result()
                    self.assertIs(caught.exception, exception)
                    self.assertEqual(future.state, Concur.FutureState.REJECTED)
                    self.assertFalse(future.cancelled())

    def test_strange_ones(self):
        class Strange(Exception):
            __slots__ = ()
        for exception in (Mean(), Strange(), ValueError('\ud800\0'), ValueError('x' * 100000),
                          ValueError(b'bytes', 1), OSError(2, 'gone', 'file'), OSError(),
                          UnicodeDecodeError('utf-8', b'x', 0, 1, 'why'), GLib.Error(),
                          GLib.Error('text', 'some-domain', 7), GLib.Error('a\0b', 'domain', 1)):
            with self.subTest(exception=type(exception).__name__):
                self.assertIs(self.fail_with(exception).exception(LIMIT), exception)

    def test_seen_by_c(self):
        error = super(Concur.Future, self.fail_with(KeyError('k'))).result
        with self.assertRaises(GLib.Error) as caught:
            error(-1)
        self.assertEqual(caught.exception.message, "KeyError: 'k'")
        future = self.fail_with(FileNotFoundError(2, 'none'))
        future.wait()
        self.assertTrue(future.get_error().matches(Gio.io_error_quark(),
                                                   Gio.IOErrorEnum.NOT_FOUND))

    def test_stop_iteration(self):
        future = self.fail_with(StopIteration(3))
        with self.assertRaises(RuntimeError) as caught:
            future.result(LIMIT)
        self.assertIsInstance(caught.exception.__cause__, StopIteration)
        self.assertIsInstance(Concur.Future.rejected(StopIteration()).exception(), RuntimeError)

    def test_cause_and_context(self):
        cause = KeyError()

        def chained():
            try:
                raise OSError
            except OSError:
                raise ValueError from cause

        def hidden():
            try:
                raise OSError
            except OSError:
                raise ValueError from None

        exception = self.pool.submit(chained).exception(LIMIT)
        self.assertIs(exception.__cause__, cause)
        self.assertIsInstance(exception.__context__, OSError)
        exception = self.pool.submit(hidden).exception(LIMIT)
        self.assertIsNone(exception.__cause__)
        self.assertTrue(exception.__suppress_context__)
        # Nor does asking for it add anything.
        try:
            raise LookupError
        except LookupError:
            future = self.pool.submit(hidden)
            with self.assertRaises(ValueError) as caught:
                future.result(LIMIT)
        self.assertIsNone(caught.exception.__cause__)

    def test_traceback(self):
        def inner():
            raise ValueError

        def outer():
            inner()

        def names(error):
            return [frame.name for frame in traceback.extract_tb(error.__traceback__)]

        future = self.pool.submit(outer)
        self.assertEqual(names(future.exception(LIMIT)), ['outer', 'inner'])
        # However often it is raised.
        for _ in range(3):
            try:
                future.result()
            except ValueError as error:
                self.assertEqual(names(error), ['test_traceback', 'result', 'outer', 'inner'])
        view = future.view()
        for _ in range(3):
            try:
                view.result(LIMIT)
            except ValueError as error:
                self.assertEqual(names(error), ['test_traceback', 'result', 'outer', 'inner'])

    def test_wrong_arguments(self):
        exception = self.pool.submit(lambda: None, 1).exception(LIMIT)
        self.assertIsInstance(exception, TypeError)
        self.assertIsNone(exception.__traceback__)

    def test_two_threads(self):
        gate = Gate()

        def fail():
            gate()
            raise ValueError
        future = self.pool.submit(fail)
        seen = []

        def ask():
            try:
                future.result(LIMIT)
            except ValueError as error:
                seen.append(error)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        gate.open()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual(len(seen), 8)
        self.assertEqual(len(set(map(id, seen))), 1)

    def test_raised_by_cancellation(self):
        for kind in (asyncio.CancelledError, concurrent.futures.CancelledError):
            for future in (self.fail_with(kind()), Concur.Future.rejected(kind('text'))):
                future.wait(LIMIT)
                self.assertTrue(future.cancelled())
                with self.assertRaises(concurrent.futures.CancelledError):
                    future.result()
                with self.assertRaises(concurrent.futures.CancelledError):
                    future.exception()
        cancelled = GLib.Error('Operation was cancelled', 'g-io-error-quark',
                               int(Gio.IOErrorEnum.CANCELLED))
        self.assertTrue(self.fail_with(cancelled).wait())

    def test_names_of_the_library(self):
        # What C says is what Python would have said.
        self.assertIs(Concur.CancelledError, concurrent.futures.CancelledError)
        slow = Concur.Promise()
        error = slow.future.with_timeout(0).exception(LIMIT)
        self.assertIsInstance(error, TimeoutError)
        self.assertIsInstance(error, concurrent.futures.TimeoutError)
        self.assertIsInstance(error, asyncio.TimeoutError)
        self.assertIsInstance(error.__cause__, GLib.Error)
        future = Concur.Promise().future
        collect()
        self.assertIsInstance(future.exception(LIMIT), RuntimeError)
        self.assertIn('romise', str(future.exception()))

    def test_not_an_exception(self):
        for wrong in (None, 'text', 3, object):
            with self.assertRaises(TypeError):
                Concur.Future.rejected(wrong)
        self.assertIsInstance(Concur.Future.rejected(KeyError).exception(), KeyError)


class TestWaiting(Case):
    def setUp(self):
        self.pending = Concur.Promise()

    def on_both(self, test):
        """Runs test on the main thread, where waits are cut in slices, and on another."""
        test()
        problems = []

        def run():
            try:
                test()
            except BaseException as error:
                problems.append(error)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(LIMIT)
        if problems:
            raise problems[0]

    def test_timeouts(self):
        def test():
            future = self.pending.future
            for timeout in (0, 0.0, -1, -math.inf, 1e-9, 0.001, 0.12):
                begin = time.monotonic()
                with self.assertRaises(TimeoutError):
                    future.result(timeout)
                with self.assertRaises(concurrent.futures.TimeoutError):
                    future.exception(timeout)
                self.assertFalse(future.wait(timeout))
                if timeout > 0:
                    self.assertGreaterEqual(time.monotonic() - begin, 3 * timeout)
        self.on_both(test)

    def test_what_is_no_timeout(self):
        def test():
            for future in (self.pending.future, Concur.Future.resolved()):
                with self.assertRaises(ValueError):
                    future.wait(math.nan)
                with self.assertRaises(ValueError):
                    future.result(math.nan)
                for wrong in ('1', [], 1j):
                    with self.assertRaises(TypeError):
                        future.exception(wrong)
        self.on_both(test)

    def test_for_ever(self):
        def test():
            for timeout in (None, math.inf, 1e300, 10 ** 400, 9e12, 3):
                promise = Concur.Promise()
                thread = threading.Timer(0.01, promise.resolve, [timeout])
                thread.start()
                self.assertEqual(promise.future.result(timeout), timeout)
                thread.join()
        self.on_both(test)

    def test_done_needs_no_time(self):
        future = Concur.Future.resolved('x')
        self.on_both(lambda: self.assertEqual([future.result(0), future.result(-1),
                                               future.wait(0)], ['x', 'x', True]))

    def test_refused(self):
        # The job needs the very thread that would wait.
        def test():
            context = GLib.MainContext()
            context.push_thread_default()
            try:
                future = Concur.ContextExecutor(context).submit(int)
                context.acquire()
                for timeout in (None, 0.01, LIMIT):
                    with self.assertRaisesRegex(RuntimeError, 'never end'):
                        future.result(timeout)
                    with self.assertRaisesRegex(RuntimeError, 'never end'):
                        future.wait(timeout)
                with self.assertRaises(TimeoutError):
                    future.result(0)
                context.release()
                self.assertTrue(future.iterate(LIMIT))
                self.assertEqual(future.result(), 0)
            finally:
                context.pop_thread_default()
        self.on_both(test)

    def test_states(self):
        pool = self.pool()
        gate = self.busy(pool)
        future = pool.submit(pow, 2, 3)
        self.assertEqual((future.done(), future.running(), future.cancelled(), future.state),
                         (False, False, False, Concur.FutureState.PENDING))
        with self.assertRaises(concurrent.futures.InvalidStateError):
            future.get_value()
        with self.assertRaises(concurrent.futures.InvalidStateError):
            future.check()
        inside = Gate()
        running = pool.submit(inside)
        gate.open()
        inside.wait()
        self.assertEqual((running.done(), running.running()), (False, True))
        inside.open()
        self.assertIsNone(running.result(LIMIT))
        self.assertEqual((running.done(), running.running(), running.cancelled()),
                         (True, False, False))
        self.assertTrue(running.check())
        self.assertIsNone(future.exception())

    def test_wait_async(self):
        seen = []

        def finished(future, result):
            try:
                seen.append(future.wait_finish(result))
            except BaseException as error:
                seen.append(error)
        value, error = [1], KeyError()
        Concur.Future.resolved(value).wait_async(None, finished)
        Concur.Future.rejected(error).wait_async(None, finished)
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        self.pending.future.wait_async(cancellable, finished)
        iterate_until(lambda: len(seen) == 3)
        errors = [thing for thing in seen if isinstance(thing, GLib.Error)]
        self.assertEqual(len(errors), 1)
        self.assertTrue(errors[0].matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
        self.assertTrue(any(thing is value for thing in seen))
        self.assertTrue(any(thing is error for thing in seen))


class TestCallbacks(Case):
    def test_not_a_function(self):
        future = Concur.Future.resolved(1)
        for method in (future.when_done, future.add_done_callback, future.continue_with,
                       future.recover, future.ensure, self.pool().post):
            with self.assertRaisesRegex(TypeError, 'not callable'):
                method(3)

    def test_when_done_is_on_the_main_loop(self):
        pool = self.pool()
        seen = []
        gate = self.busy(pool)
        future = pool.submit(list)

        def note(*args):
            seen.append((args, threading.current_thread()))
        future.when_done(note, 'x', 3)
        unwanted = future.when_done(note, 'not this')
        future.disconnect_done(unwanted)
        gate.open()
        future.wait()
        self.assertEqual(seen, [])
        iterate_until(lambda: seen)
        self.assertEqual(seen, [((future, 'x', 3), threading.main_thread())])
        # Done already: not at once either.
        future.when_done(note)
        self.assertEqual(len(seen), 1)
        iterate_until(lambda: len(seen) == 2)

    def test_when_done_in_another_context(self):
        context = GLib.MainContext()
        seen = []
        future = Concur.Future.resolved(1)
        future.when_done(lambda future: seen.append(future.result()), context=context)
        iterate_until(lambda: seen, context)
        self.assertEqual(seen, [1])

    def test_when_done_in_order(self):
        promise = Concur.Promise()
        seen = []
        for number in range(50):
            promise.future.when_done(lambda future, number: seen.append(number), number)
        promise.resolve()
        iterate_until(lambda: len(seen) == 50)
        self.assertEqual(seen, list(range(50)))

    def test_done_callbacks(self):
        pool = self.pool()
        for make in (lambda: (pool.submit(str), None), self.promised, self.derived):
            gate = self.busy(pool)
            seen = []
            future, complete = make()
            for number in range(20):
                future.add_done_callback(
                    lambda future, number=number: seen.append((future, number)))
            self.assertEqual(seen, [])
            gate.open()
            if complete is not None:
                complete()
            future.wait(LIMIT)
            iterate_until(lambda: len(seen) == 20)
            self.assertEqual(seen, [(future, number) for number in range(20)])
            future.add_done_callback(lambda future: seen.append(threading.current_thread()))
            self.assertIs(seen[-1], threading.current_thread())

    def promised(self):
        promise = Concur.Promise()
        return promise.future, promise.resolve

    def derived(self):
        promise = Concur.Promise()
        return promise.future.view(), promise.resolve

    def test_done_callback_runs_on_completing_thread(self):
        pool = self.pool()
        gate = self.busy(pool)
        seen = []
        future = pool.submit(threading.get_ident)
        future.add_done_callback(lambda future: seen.append(threading.get_ident()))
        gate.open()
        iterate_until(lambda: seen)
        self.assertEqual(seen, [future.result()])

    def test_errors_are_logged(self):
        for exception in (ValueError, SystemExit):
            pool = self.pool()
            for future in (pool.submit(str), Concur.Promise().future):
                gate = self.busy(pool)
                seen = []

                def fail(future):
                    raise exception('in a callback')
                waiting = pool.submit(int)
                with self.hidden_log() as log:
                    waiting.add_done_callback(fail)
                    waiting.add_done_callback(seen.append)
                    gate.open()
                    iterate_until(lambda: seen)
                self.assertIn('exception calling callback', log.output[0])
                self.assertIn('in a callback', log.output[0])
                self.assertEqual(seen, [waiting])

    def test_cancelled_ones_are_told(self):
        pool = self.pool()
        gate = self.busy(pool)
        seen = []
        future = pool.submit(str)
        future.add_done_callback(seen.append)
        self.assertTrue(future.cancel())
        self.assertEqual(seen, [future])
        gate.open()

    def test_notify_comes_in_the_main_context(self):
        pool = self.pool()
        seen = []
        gate = self.busy(pool)
        future = pool.submit(Concur.report, 0.5, 'half')
        for name in ('progress', 'status-text', 'state'):
            future.connect('notify::' + name, lambda future, spec: seen.append(
                (spec.name, threading.current_thread())))
        gate.open()
        future.wait(LIMIT)
        self.assertEqual(seen, [])
        iterate_until(lambda: {name for name, thread in seen} >= {'progress', 'state'})
        self.assertEqual({thread for name, thread in seen}, {threading.main_thread()})
        self.assertEqual((future.progress, future.status_text), (0.5, 'half'))


class TestShape(Case):
    def classes(self):
        for name in dir(Concur):
            cls = getattr(Concur, name)
            if isinstance(cls, type) and issubclass(cls, (GObject.Object, GObject.GInterface)):
                yield name, cls

    def test_every_property_is_an_attribute(self):
        number = 0
        for name, cls in self.classes():
            for spec in GObject.list_properties(cls):
                attribute = getattr(cls, spec.name.replace('-', '_'), None)
                with self.subTest(name=f'{name}.{spec.name}'):
                    self.assertTrue(hasattr(attribute, '__get__') and hasattr(attribute, '__set__'))
                    self.assertFalse(callable(attribute))
                    number += 1
        self.assertGreater(number, 15)

    def test_property_values(self):
        units = {'keep-alive'}
        things = [self.pool(3, name='some', paused=True), Concur.ContextExecutor(),
                  Concur.LoopThread(name='loop'), Concur.Promise().future,
                  Concur.Promise().future.view(), self.pool().submit(int)]
        for thing in things:
            for spec in thing.list_properties():
                if spec.name in units:
                    continue
                with self.subTest(thing=type(thing).__name__, name=spec.name):
                    value = getattr(thing, spec.name.replace('-', '_'))
                    self.assertEqual(value, thing.get_property(spec.name))
        pool = things[0]
        self.assertEqual((pool.name, pool.max_threads, pool.paused), ('some', 3, True))
        pool.paused = False
        self.assertFalse(pool.props.paused)
        with self.assertRaises(AttributeError):
            pool.max_threads = 4
        future = Concur.Promise().future
        future.name = 'called this'
        self.assertEqual(future.props.name, 'called this')
        self.assertIn("'called this'", repr(future))
        with self.assertRaises(AttributeError):
            future.progress = 1

    def test_subscriptable(self):
        for cls in (Concur.Future, Concur.Job, Concur.Promise):
            self.assertEqual(cls[int].__args__, (int,))
            self.assertIs(cls[int].__origin__, cls)

    def test_repr(self):
        promise = Concur.Promise()
        self.assertRegex(repr(promise.future), r'^<\w+ at 0x[0-9a-f]+ pending>$')
        promise.resolve()
        self.assertRegex(repr(promise.future), 'resolved')

    def test_names_say_where_they_are_from(self):
        for name in ('Future', 'Job', 'Promise', 'Executor', 'ThreadExecutor', 'ContextExecutor',
                     'spawn', 'run', 'report', 'check_cancelled', 'sleep'):
            thing = getattr(Concur, name)
            self.assertEqual(thing.__module__, 'gi.repository.Concur', name)
            self.assertTrue(thing.__doc__, name)

    def test_public_methods_are_documented(self):
        for cls in (Concur.Future, Concur.Job, Concur.Promise, Concur.Executor,
                    Concur.ThreadExecutor, Concur.ContextExecutor):
            for name, thing in vars(cls).items():
                if not name.startswith(('_', 'do_')) and not isinstance(
                        thing, (GObject.Property, str)):
                    with self.subTest(name=f'{cls.__name__}.{name}'):
                        self.assertTrue(getattr(cls, name).__doc__)


if __name__ == '__main__':
    unittest.main()
