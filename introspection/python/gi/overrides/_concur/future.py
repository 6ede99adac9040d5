# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Future, Job and Promise."""

import asyncio
import functools
import logging
import threading
import time
import types
import weakref

from gi.repository import GLib, GObject

from . import bridge
from .answers import complete, drop_frames, fail, interrupts
from .base import (CancelledError, InvalidStateError, TimedOut, override, raw, to_python,
                   to_us)
from .tokens import Token

log = logging.getLogger('concur')

raw_wait = raw.Future.wait
raw_state = raw.Future.get_state
raw_result = raw.Future.result
raw_get_error = raw.Future.get_error
raw_get_value = raw.Future.get_value
raw_cancel = raw.Future.cancel
raw_when_done = raw.Future.when_done
raw_add_direct_callback = raw.Future.add_direct_callback
raw_disconnect_done = raw.Future.disconnect_done

PENDING = int(raw.FutureState.PENDING)
RUNNING = int(raw.FutureState.RUNNING)
RESOLVED = int(raw.FutureState.RESOLVED)
REJECTED = int(raw.FutureState.REJECTED)
CANCELLED = int(raw.FutureState.CANCELLED)

ABANDON = raw.CancelFlags.ABANDON

# How long a wait on the main thread stays in C: Python's signal handlers, and with them
# KeyboardInterrupt, run between two.
SLICE = 0.05
SLICE_US = to_us(SLICE)

_FUTURE_QUARK = raw.future_error_quark()

_main = threading.main_thread().ident
_get_ident = threading.get_ident

# Guards the lists of callbacks. Recursive, because the garbage collector may run a
# finaliser that uses a future while a list grows.
callbacks_lock = threading.RLock()


def is_main_thread():
    return _get_ident() == _main


def wait(future, timeout):
    """Blocks until future is done and returns True, or False if time was up first. Raises
    RuntimeError where it could never be done, and leaves KeyboardInterrupt through."""
    us = -1 if timeout is None else to_us(timeout)
    if _get_ident() == _main and not 0 <= us <= SLICE_US:
        return _wait_on_main(future, us)
    if raw_wait(future, us):
        return True
    if us != 0:
        _explain(future)
    return future.is_done()


def _wait_on_main(future, us):
    deadline = None if us < 0 else time.monotonic() + us / 1e6
    while True:
        begin = time.monotonic()
        share = SLICE if deadline is None else min(SLICE, deadline - begin)
        if raw_wait(future, to_us(share)):
            return True
        now = time.monotonic()
        if deadline is not None and now >= deadline:
            return future.is_done()
        # Back too early: it was refused.
        if now - begin < share / 2:
            _explain(future)


def _explain(future):
    """Raises why future cannot be waited for, if it was not just for the time."""
    try:
        # Nothing can be said of no time at all.
        raw_result(future, 1)
    except GLib.Error as error:
        if not future.is_done() and not error.matches(_FUTURE_QUARK, raw.FutureError.TIMED_OUT):
            raise to_python(error)


def run_callback(function, future):
    """For callbacks whose exceptions concern nobody who could be told."""
    try:
        function(future)
    except Exception:
        log.exception('exception calling callback for %r', future)
    except BaseException:
        # On other threads it would end the process from within PyGObject.
        if _get_ident() == _main:
            raise
        log.critical('exception calling callback for %r', future, exc_info=True)


def as_list(futures):
    """The futures given to a combinator: one iterable, or one by one."""
    if len(futures) == 1 and not isinstance(futures[0], raw.Future):
        futures = tuple(futures[0])
    for future in futures:
        if not isinstance(future, raw.Future):
            raise TypeError(f'a Concur.Future is needed, not {type(future).__name__}')
    return list(futures)


def derived(future, inputs, read=None):
    """Remembers what future was made from, for the Python side of values and errors."""
    future.__dict__['_inputs'] = inputs
    if read is not None:
        future.__dict__['_read'] = read
    return future


def _values(future, inputs):
    return [child._take() for child in inputs]


def stand_ins(inputs):
    """What C keeps in a list of futures that may be rejected. If it were inputs themselves,
    the garbage collector would not see it, and one whose exception was caught where the list's
    future is a variable, and so has it in its traceback, would stay for ever."""
    return [raw.Future.view(future) for future in inputs]


def _all_of(future, inputs):
    return list(inputs)


def _as_input_has_it(value, inputs):
    """What Python has for the value that C took over from one of inputs, such as the list
    of a combination."""
    for future in inputs:
        if raw_state(future) == RESOLVED and raw_get_value(future) is value:
            return future._value_of()
    return value


def check_callable(function):
    """Here rather than where it is called, when nobody can tell the caller any more."""
    if not callable(function):
        raise TypeError(f'{function!r} is not callable')


def check_callback(function):
    """Refuses what would be called on the wrong thread, too."""
    check_callable(function)
    if (asyncio._get_running_loop() is not None
            and getattr(function, '__module__', None) == 'asyncio.tasks'):
        # It is for the thread of the loop.
        raise TypeError('asyncio.wait () needs futures of asyncio: give it '
                        'asyncio.ensure_future (future)')


@override
class Future(raw.Future):
    """What will be known: a value, or an error, or that it was cancelled.

    Made by an executor, by a Promise, or from other futures. result () waits for it in a
    thread, "await" in a coroutine on any loop, and when_done () calls a function in your
    main loop. All of it may be used from any thread.
    """

    __class_getitem__ = classmethod(types.GenericAlias)

    def done(self):
        """Whether it is resolved, rejected or cancelled."""
        return self.is_done()

    def running(self):
        """Whether it is being worked on."""
        return raw_state(self) == RUNNING

    def cancelled(self):
        """Whether it ended by being cancelled."""
        return raw_state(self) == CANCELLED

    def cancel(self, flags=0, *, abandon=False):
        """Asks for it to be given up. What has not begun is cancelled now; what runs is
        asked to stop, and its own answer counts. With abandon it is cancelled now in any
        case, and a late answer is thrown away.

        Returns whether it was not done yet.
        """
        own = self.__dict__
        if abandon:
            flags |= ABANDON
        if flags & ABANDON:
            # For complete (), before C decides: one of us sees the other.
            own['_abandoned'] = True
        first = raw_cancel(self, raw.CancelFlags(flags))
        if own and raw_state(self) == CANCELLED:
            own.pop('_value', None)
            self._forget_call()
        return first

    def _give_up_await(self):
        """What is to be done when an await of it is cancelled."""
        link = self.__dict__.get('_channel')
        channel = None if link is None else link()
        if channel is None:
            self.cancel()
        else:
            channel._return(self)

    def _forget_call(self):
        """Lets go of what will not be called any more, where that may be anywhere."""

    def wait(self, timeout=None):
        """Waits, at most timeout seconds. Returns whether it is done.

        Raises RuntimeError where it could never be, such as on the loop that has to do
        the work.
        """
        return wait(self, timeout)

    def result(self, timeout=None):
        """Waits, at most timeout seconds, and returns the value.

        Raises what the work raised, the very same exception; CancelledError (of
        concurrent.futures) if it was cancelled; TimeoutError; RuntimeError where waiting
        could never end.
        """
        try:
            if timeout is not None:
                if not wait(self, timeout):
                    raise TimedOut(f'not done after {timeout} s')
            # Without a limit on workers, where it can mean to run what is waited for.
            elif not raw_wait(self, SLICE_US if _get_ident() == _main else -1):
                wait(self, None)
            # What it costs to ask is felt here; C has no error exactly if it is resolved.
            if raw_get_error(self) is None:
                own = self.__dict__
                return own['_value'] if '_value' in own else self._value_of()
            raise self._failure(CancelledError)
        finally:
            # A traceback keeps this frame, and must not keep the future.
            self = own = None

    def exception(self, timeout=None):
        """Waits, at most timeout seconds, and returns what the work raised, or None.

        Raises CancelledError and TimeoutError as result () does.
        """
        if not wait(self, timeout):
            raise TimedOut(f'not done after {timeout} s')
        try:
            state = raw_state(self)
            if state == CANCELLED:
                raise self._failure(CancelledError)
            return None if state == RESOLVED else self._error()
        finally:
            self = None

    def get_value(self):
        """The value of a future that is done; raises as result () does, and
        InvalidStateError if it is not done."""
        self.check()
        return self._value_of()

    def check(self):
        """Returns True if it is resolved; raises as result () does, and InvalidStateError
        if it is not done."""
        try:
            state = raw_state(self)
            if state == RESOLVED:
                return True
            if state == PENDING or state == RUNNING:
                raise InvalidStateError('not done yet')
            raise self._failure(CancelledError)
        finally:
            self = None

    def wait_finish(self, result):
        """The outcome of wait_async (): raises as result () does, and GLib.Error if it was
        the wait that was cancelled."""
        try:
            raw.Future.wait_finish(self, result)
        except GLib.Error as error:
            own = raw_get_error(self)
            if own is None or not error.matches(GLib.quark_from_string(own.domain), own.code):
                raise
        return self.get_value()

    def _take(self):
        """The value of a done future; raises its error."""
        try:
            if raw_state(self) == RESOLVED:
                return self._value_of()
            raise self._failure(CancelledError)
        finally:
            self = None

    def _value_of(self):
        own = self.__dict__
        if '_value' in own:
            return own['_value']
        inputs = own.get('_inputs')
        read = own.get('_read')
        if read is not None:
            # None: another thread was quicker.
            value = own['_value'] if inputs is None else read(self, inputs)
        else:
            value = raw_get_value(self)
            if type(value) is weakref.ref:
                owner = value()
                if owner is not None and '_value' in owner.__dict__:
                    value = owner.__dict__['_value']
                else:
                    # An input that was read has let go of where the value came from.
                    reference, value = value, _as_input_has_it(value, inputs or ())
                    if '_value' in own:
                        # Another thread was quicker and has dropped the inputs.
                        return own['_value']
                    if value is reference:
                        raise RuntimeError('the Python value has gone with the future that '
                                           'had it')
            elif type(value) is Token:
                value = value.get()
            elif isinstance(value, GObject.GBoxed):
                # PyGObject lends the future's own, which is gone with it.
                value = GObject.Value(value.__gtype__, value).get_value()
            elif inputs and isinstance(value, GObject.Object):
                value = _as_input_has_it(value, inputs)
        # What it was made from may go now.
        value = own.setdefault('_value', value)
        own.pop('_inputs', None)
        return value

    def _failure(self, cancelled):
        """What to raise for a future that is rejected, or cancelled, for which each side
        has its own class."""
        if raw_state(self) == CANCELLED:
            self._forget_call()
            return cancelled(raw_get_error(self).message)
        exception = self._error()
        # As it came: each time it is raised it would grow by those who asked.
        return exception.with_traceback(self.__dict__['_traceback'])

    def _error(self):
        """The exception of a rejected future, the same at each call."""
        # C has to know that somebody looked.
        error = raw_get_error(self)
        self._forget_call()
        own = self.__dict__
        exception = own.get('_exception')
        if exception is None:
            source = _origin(error, own.get('_inputs') or ())
            if source is None:
                exception = to_python(error)
            else:
                exception = source._error()
                own.setdefault('_traceback', source.__dict__['_traceback'])
            exception = own.setdefault('_exception', exception)
            own.pop('_inputs', None)
        own.setdefault('_traceback', exception.__traceback__)
        return exception

    def add_done_callback(self, function):
        """Calls function (future) when it is done: on the thread that completes it, or at
        once if it is done already. In the order they were added; an exception is logged.

        In GTK code when_done () is what you want.
        """
        check_callback(function)
        self._on_done(function)

    def _on_done(self, function):
        """Calls function (future) on the completing thread, or at once. Returns what
        _off_done () takes to call that off."""
        return raw_add_direct_callback(self, functools.partial(run_callback, function))

    def _off_done(self, token):
        raw_disconnect_done(self, token)

    def when_done(self, function, *args, context=None):
        """Calls function (future, *args) in a main context once it is done: in the
        thread-default one of the caller, which in GTK code is the main loop's, or in
        context.

        Returns an id for disconnect_done ().
        """
        check_callable(function)

        def call(future, *_):
            function(future, *args)
        return raw_when_done(self, call, context=context)

    def __await__(self):
        if not self.is_done():
            yield from bridge.suspend(self)
        try:
            if raw_get_error(self) is None:
                own = self.__dict__
                return own['_value'] if '_value' in own else self._value_of()
            raise self._failure(bridge.CancelledError)
        finally:
            self = own = None

    def continue_with(self, function, *, executor=None):
        """A future for function (value), called once this one is resolved; where it is
        rejected or cancelled, so is the new one.

        The function runs on executor or else in the caller's main context (on a worker:
        on its pool). If it returns a future, that one's outcome is taken over.
        """
        check_callable(function)
        return _chain(raw.Future.continue_with, self, executor,
                      lambda source: function(source._take()))

    def recover(self, function, *, executor=None):
        """A future for the same value, or for function (exception) if this one is
        rejected; cancellation passes on. Runs where continue_with () does."""
        check_callable(function)
        return _chain(raw.Future.recover, self, executor,
                      lambda source: function(source._error()))

    def ensure(self, function, *, executor=None):
        """A future for the same outcome, known after function () was called in either
        case; its exception, or the error of a future it returns, replaces the outcome.
        Runs where continue_with () does."""
        check_callable(function)
        return _chain(raw.Future.ensure, self, executor, lambda source: function(), True)

    def iterate(self, timeout=None, context=None):
        """Runs the caller's main context until it is done, at most timeout seconds, and
        returns whether it is. For scripts and tests that have no loop."""
        us = -1 if timeout is None else to_us(timeout)
        deadline = None if us < 0 else time.monotonic() + us / 1e6
        del interrupts[:]
        while not raw_wait(self, 0):
            share = SLICE if deadline is None else deadline - time.monotonic()
            if share <= 0:
                return self.is_done()
            # A limit for iterate () itself would be an error, and PyGObject loses a
            # KeyboardInterrupt that comes while it makes an exception of one.
            turn = raw.Future.wait_many([self], raw.WaitCondition.ALL,
                                        min(to_us(share), SLICE_US))
            try:
                raw.Future.iterate(turn, context, -1)
            except GLib.Error as error:
                raise to_python(error)
            if interrupts:
                raise interrupts.pop()
        return True

    def view(self):
        """A future for the same outcome whose signals belong to the caller's context."""
        return derived(raw.Future.view(self), [self])

    def shield(self):
        """A future for the same outcome that can be cancelled without cancelling this."""
        return derived(raw.Future.shield(self), [self])

    def with_timeout(self, seconds):
        """A future for the same outcome, or for a TimeoutError after so many seconds, when
        this one is cancelled."""
        return derived(raw.Future.with_timeout(self, to_us(seconds)), [self])

    @staticmethod
    def all(*futures):
        """A future for the list of all values; rejected with the first error."""
        inputs = as_list(futures)
        return derived(raw.Future.all(inputs), inputs, _values)

    @staticmethod
    def all_settled(*futures):
        """A future for the list of these futures, once all of them are done."""
        inputs = as_list(futures)
        return derived(raw.Future.all_settled(stand_ins(inputs)), inputs, _all_of)

    @staticmethod
    def any(*futures, cancel_rest=False):
        """A future for the first value; rejected if all are."""
        inputs = as_list(futures)
        return derived(raw.Future.any(inputs, _combine_flags(cancel_rest)), inputs)

    @staticmethod
    def race(*futures, cancel_rest=False):
        """A future for the first outcome, be it a value or an error."""
        inputs = as_list(futures)
        return derived(raw.Future.race(inputs, _combine_flags(cancel_rest)), inputs)

    @staticmethod
    def wait_many(futures, condition=raw.WaitCondition.ALL, timeout=None):
        """A future for the list of those done when the condition holds or time is up."""
        inputs = as_list((futures,))
        listed = stand_ins(inputs)

        def done_of(future, inputs):
            done = raw_get_value(future)
            known = {done.get_item(i) for i in range(done.get_n_items())}
            return [future for future, one in zip(inputs, listed) if one in known]
        return derived(raw.Future.wait_many(listed, condition, to_us(timeout)), inputs, done_of)

    @staticmethod
    def delay(seconds):
        """A future that is resolved after so many seconds."""
        return raw.Future.delay(to_us(seconds))

    @staticmethod
    def resolved(value=None):
        """A future that has this value already."""
        promise = _make_promise()
        promise.resolve(value)
        return promise.future

    @staticmethod
    def rejected(exception):
        """A future that has failed with this exception already."""
        promise = _make_promise()
        promise.reject(exception)
        return promise.future

    @property
    def state(self):
        """A Concur.FutureState."""
        return raw_state(self)

    @property
    def name(self):
        """What it is called in a snapshot and in messages; set it before it is submitted."""
        return raw.Future.dup_name(self)

    @name.setter
    def name(self, name):
        raw.Future.set_name(self, name)

    @property
    def progress(self):
        """The fraction done, 0 to 1."""
        return raw.Future.get_progress(self)

    @property
    def status_text(self):
        """What the work says it is doing, or None."""
        return raw.Future.dup_status_text(self)

    def __repr__(self):
        name = self.name
        return '<{}{} at {:#x} {}>'.format(type(self).__name__, f' {name!r}' if name else '',
                                           id(self), raw_state(self).value_nick)


def _make_promise():
    # That module needs this one.
    from .job import Promise
    return Promise()


def _combine_flags(cancel_rest):
    return raw.CombineFlags.CANCEL_REST if cancel_rest else raw.CombineFlags.NONE


def _origin(error, inputs):
    """The future among inputs, or among those they came from, whose error became this."""
    pending = list(inputs)
    known = set()
    for future in pending:
        if future in known or raw_state(future) != REJECTED:
            continue
        known.add(future)
        other = raw_get_error(future)
        # any () puts something before the message.
        if (other.domain != error.domain or other.code != error.code
                or not error.message.endswith(other.message)):
            continue
        inputs = future.__dict__.get('_inputs')
        if not inputs or '_exception' in future.__dict__:
            return future
        pending.extend(inputs)
    return None


def _chain(method, source, executor, body, only_errors=False):
    # Kept for the values and exceptions that only Python has, until it has its own.
    inputs = [source]

    def run(job, input, *_):
        try:
            value = body(input)
            if type(value) is types.CoroutineType:
                value.close()
                raise TypeError('it returned a coroutine: spawn () that, and return the future')
            if isinstance(value, raw.Future):
                if only_errors:
                    value = _then(value, input, executor)
                inputs[:] = [value]
                raw.Job.return_future(job, value)
            elif not only_errors:
                inputs.clear()
                complete(job, value)
        except BaseException as error:
            drop_frames(error, 2)
            # ensure () returns a future other than job.
            inputs[:] = [job]
            fail(job, error)
        finally:
            # Tracebacks keep this frame; it must not keep what it worked for.
            job = input = value = None
        return True

    future = method(source, run, executor=executor)
    return derived(future, inputs)


def _then(first, outcome, executor):
    """A future for the outcome of another, once first is resolved, or for its error."""
    return first.continue_with(lambda value: outcome, executor=executor)
