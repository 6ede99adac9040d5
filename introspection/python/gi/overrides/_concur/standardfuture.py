# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""StandardFuture: what is a Concur.Future and a concurrent.futures.Future at once."""

import concurrent.futures
import logging
import threading

from gi.repository import GLib, GObject

from .answers import drop_frames, put
from .base import (CANCELLED_TYPES, OWN, PYTHON_ERROR, InvalidStateError, describe, public,
                   raw, to_gerror)
from .future import CANCELLED, PENDING, REJECTED, RESOLVED, RUNNING, SLICE_US, Future
from .future import callbacks_lock, raw_cancel, raw_state, raw_wait, run_callback, wait
from .job import Job

# Whoever looks for what concurrent.futures logs finds it where it always was.
LOGGER = logging.getLogger('concurrent.futures')

CancelledError = concurrent.futures.CancelledError

raw_is_done = raw.Future.is_done
raw_ignore = raw.Future.ignore
raw_watch = raw.Job.watch
raw_hold = raw.Job.hold
raw_asked = raw.Job.is_cancelled
raw_return_object = raw.Job.return_object
raw_return_error = raw.Job.return_error

QUEUED = raw.CancelFlags.QUEUED
ABANDON = raw.CancelFlags.ABANDON

_get_ident = threading.get_ident
_main = threading.main_thread().ident

# Cancelling here leaves nobody to be notified later: it is always the second of the two
# states of a cancelled future.
_STATES = {
    PENDING: 'PENDING',
    RUNNING: 'RUNNING',
    RESOLVED: 'FINISHED',
    REJECTED: 'FINISHED',
    CANCELLED: 'CANCELLED_AND_NOTIFIED',
}
_DESCRIPTIONS = {
    PENDING: 'pending',
    RUNNING: 'running',
    RESOLVED: 'finished',
    REJECTED: 'finished',
    CANCELLED: 'cancelled',
}

if concurrent.futures.TimeoutError is TimeoutError:
    TimedOut = TimeoutError
else:
    from .base import TimedOut

# What C can have as it is, without a closer look.
_ANSWERS = {
    bool: raw.Job.return_boolean,
    int: raw.Job.return_int64,
    float: raw.Job.return_double,
}
_LIMIT = 1 << 63

_WORKER = object()


def _to_gerror(exception):
    # For concurrent.futures this one is an exception as any other.
    if isinstance(exception, CANCELLED_TYPES):
        return GLib.Error(describe(exception), PYTHON_ERROR, 0)
    return to_gerror(exception)


@public
class StandardFuture(Job, concurrent.futures.Future):
    """A future of a Concur.ThreadPoolExecutor: a concurrent.futures.Future, to be used as
    such, that is a Concur.Future, too.

    What both have means here what it means in concurrent.futures.
    """

    # In __dict__: _call, what to run; _value or _exception, the outcome, by the one who
    # put _by there; _callbacks, and _told once they are called; _notify, _waiting
    # and _notified, the condition and the waiters of concurrent.futures, which few futures
    # ever need, and whether those were told.
    #
    # Not a PythonJob, from which it would inherit next to nothing: each class made in
    # Python that is among the parents costs each object a call more.

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonStandardFuture'

    def do_run(self):
        own = self.__dict__
        call = own.pop('_call', None)
        try:
            if call is None:
                # It is to be answered by set_result ().
                raw_hold(self)
                return True
            function, args, kwargs, context = call
            call = None
            value = context.run(function, *args, **kwargs)
            if own.setdefault('_by', _WORKER) is not _WORKER:
                # set_result () was quicker, and may not have told C yet.
                raw_hold(self)
                return True
            own['_value'] = value
            answer = _ANSWERS.get(type(value))
            if answer is not None and -_LIMIT < value < _LIMIT:
                answer(self, value)
            elif value is None:
                raw_return_object(self, None)
            else:
                put(self, value)
            if '_abandoned' in own and raw_state(self) == CANCELLED:
                own.pop('_value', None)
        except BaseException as error:
            drop_frames(error, 1)
            self._failed(error)
        finally:
            # A traceback keeps this frame, and must not keep what the call was about. C
            # makes it done after this, so who hears of it finds the arguments gone.
            self = own = function = args = kwargs = context = call = value = answer = None
        return True

    def _failed(self, error):
        if isinstance(error, StopIteration):
            # It would end the coroutine or generator that waits for it.
            replacement = RuntimeError(f'a job raised {type(error).__name__}')
            replacement.__cause__ = error
            error = replacement
        own = self.__dict__
        if own.setdefault('_by', _WORKER) is not _WORKER:
            raw_hold(self)
        elif isinstance(error, CANCELLED_TYPES) and raw_asked(self):
            raw_return_error(self, to_gerror(error))
        else:
            self._reject(error)

    def _reject(self, exception):
        self.__dict__['_exception'] = exception
        # Nobody is told of errors that nobody asks for, as in concurrent.futures.
        raw_ignore(self)
        raw_return_error(self, _to_gerror(exception))

    def do_done(self):
        own = self.__dict__
        with callbacks_lock:
            own['_told'] = True
            callbacks = own.pop('_callbacks', ())
            condition = own.get('_notify')
        # Of one that never ran.
        own.pop('_call', None)
        if condition is not None:
            self._tell_waiters(condition)
        for callback in callbacks:
            if type(callback) is tuple:
                self._call_back(*callback)
            else:
                run_callback(callback, self)

    def _call_back(self, function):
        try:
            function(self)
        except Exception:
            LOGGER.exception('exception calling callback for %r', self)

    def _tell_waiters(self, condition):
        own = self.__dict__
        with condition:
            if '_notified' in own:
                return
            own['_notified'] = True
            state = raw_state(self)
            for waiter in self._waiters:
                if state == CANCELLED:
                    waiter.add_cancelled(self)
                elif state == REJECTED:
                    waiter.add_exception(self)
                else:
                    waiter.add_result(self)
            condition.notify_all()

    def result(self, timeout=None):
        """Waits, at most timeout seconds, and returns what the call returned.

        Raises what the call raised, the very same exception; CancelledError if it was
        cancelled; TimeoutError; RuntimeError where waiting could never end.
        """
        try:
            if timeout is not None:
                if not wait(self, timeout):
                    raise TimedOut
            # Without a limit on workers, where it can mean to run what is waited for.
            elif not raw_wait(self, SLICE_US if _get_ident() == _main else -1):
                wait(self, None)
            own = self.__dict__
            if '_notify' in own:
                self.done()
            # A late answer to a future that was cancelled may be there, too.
            if '_value' in own and not raw_asked(self):
                return own['_value']
            state = raw_state(self)
            if state == RESOLVED:
                return self._value_of()
            if state == CANCELLED:
                own.pop('_call', None)
                raise CancelledError
            raise self._failure(CancelledError)
        finally:
            # A traceback keeps this frame, and must not keep the future.
            self = own = None

    def exception(self, timeout=None):
        """Waits, at most timeout seconds, and returns what the call raised, or None.

        Raises CancelledError if it was cancelled; TimeoutError; RuntimeError where waiting
        could never end.
        """
        try:
            if not raw_is_done(self) and not wait(self, timeout):
                raise TimedOut
            own = self.__dict__
            if '_notify' in own:
                self.done()
            if '_value' in own and not raw_asked(self):
                return None
            state = raw_state(self)
            if state == CANCELLED:
                self.__dict__.pop('_call', None)
                raise CancelledError
            return None if state == RESOLVED else self._error()
        finally:
            self = own = None

    def cancel(self, flags=None, *, abandon=False):
        """Cancels the call if it has not begun. Returns whether the future is cancelled,
        be it by this or before.

        With flags or abandon it is what it is for every Concur.Future: with
        Concur.CancelFlags.NONE a call that is running is asked to stop, with abandon the
        future is cancelled in any case. It returns whether the future was not done yet.
        """
        own = self.__dict__
        if flags is None and not abandon:
            if not raw_cancel(self, QUEUED):
                return raw_state(self) == CANCELLED
            own.pop('_call', None)
            return True
        return Future.cancel(self, flags or 0, abandon=abandon)

    def cancelled(self):
        """Whether it ended by being cancelled."""
        if not self.done() or '_value' in self.__dict__ and not raw_asked(self):
            return False
        return raw_state(self) == CANCELLED

    def running(self):
        """Whether the call is running."""
        return not self.done() and raw_state(self) == RUNNING

    def done(self):
        """Whether the call is over or was cancelled."""
        if not raw_is_done(self):
            return False
        own = self.__dict__
        if '_notify' in own and '_notified' not in own:
            self._tell_waiters(own['_notify'])
        # Of one that will not run any more.
        own.pop('_call', None)
        return True

    def add_done_callback(self, fn):
        """Calls fn (future) when it is done: on the thread that completes or cancels it,
        or at once if it is done already. In the order they were added; an exception is
        logged.
        """
        if raw_is_done(self) or not self._add_callback((fn,)):
            self._call_back(fn)

    def _on_done(self, function):
        if not self._add_callback(function):
            run_callback(function, self)
        return function

    def _off_done(self, function):
        with callbacks_lock:
            callbacks = self.__dict__.get('_callbacks', ())
            if function in callbacks:
                callbacks.remove(function)

    def _add_callback(self, callback):
        own = self.__dict__
        with callbacks_lock:
            if '_told' in own:
                return False
            callbacks = own.get('_callbacks')
            if callbacks is not None:
                callbacks.append(callback)
                return True
            own['_callbacks'] = [callback]
        raw_watch(self)
        return True

    def _forget_call(self):
        self.__dict__.pop('_call', None)

    # For those who complete futures themselves. A call that runs meanwhile is asked to
    # stop, and what it returns or raises is dropped.

    def set_running_or_notify_cancel(self):
        """Says that the work has begun, and returns True, or False if it was cancelled.

        Raises RuntimeError where that is known already, and for the calls of an executor.
        """
        state = raw_state(self)
        if state == CANCELLED:
            return False
        if state == PENDING and self._begin():
            return True
        LOGGER.critical('Future %s in unexpected state: %s', id(self),
                        _STATES[raw_state(self)])
        raise RuntimeError('Future in unexpected state')

    def set_result(self, result):
        """Makes it done, with a value. Raises InvalidStateError if it is done already."""
        self._claim()
        self.__dict__['_value'] = result
        put(self, result)
        self._settle()

    def set_exception(self, exception):
        """Makes it done, with an exception. Raises InvalidStateError if it is done
        already."""
        self._claim()
        self._reject(exception)
        self._settle()

    def _begin(self):
        """Makes it running, if it belongs to no executor."""
        if '_call' in self.__dict__:
            return False
        raw.Executor.submit_job(_Nowhere(), self, None)
        return True

    def _claim(self):
        token = object()
        if raw_is_done(self) or self.__dict__.setdefault('_by', token) is not token:
            self._refuse()
        if raw_state(self) == PENDING:
            self._begin()

    def _settle(self):
        # Without it the function that is running would have to return first.
        raw_cancel(self, ABANDON)
        own = self.__dict__
        own.pop('_call', None)
        if raw_state(self) == CANCELLED:
            # Just before us.
            own.pop('_value', None)
            own.pop('_exception', None)
            self._refuse()

    def _refuse(self):
        raise InvalidStateError(f'{_STATES[raw_state(self)]}: {self!r}')

    # What concurrent.futures' own functions, and those of others, read and lock.

    @property
    def _condition(self):
        # No wake-up is lost, although the condition may come as late as the outcome. Who
        # waits puts the condition there, under callbacks_lock, and then reads the state.
        # Who completes sets the state, and then do_done () looks for the condition, under
        # callbacks_lock. Whichever is second in the lock sees what the other did before
        # it: a waiter that is second sees that it is done, and does not wait; a do_done ()
        # that is second finds the condition. C calls do_done () once, after the state is
        # set, or in watch () if it is set already. The lock does it, so it holds without a
        # GIL, too.
        #
        # And none comes twice. To who has the condition, _state changes at one moment, which
        # is never while he has it: when the waiters are told, by do_done () or, if
        # somebody sees that it is done before that, by him. Who comes after that finds it
        # done and is not told.
        own = self.__dict__
        condition = own.get('_notify')
        if condition is None:
            raw_watch(self)
            with callbacks_lock:
                condition = own.setdefault('_notify', threading.Condition())
                if '_told' in own:
                    # It was done before there was anybody to tell.
                    own.setdefault('_notified', True)
        return condition

    @property
    def _waiters(self):
        return self.__dict__.setdefault('_waiting', [])

    @property
    def _state(self):
        state = raw_state(self)
        if state != PENDING and state != RUNNING:
            own = self.__dict__
            if '_notify' in own and '_notified' not in own:
                return 'PENDING' if state == CANCELLED else 'RUNNING'
        return _STATES[state]

    @property
    def _result(self):
        return self._value_of() if raw_state(self) == RESOLVED else None

    @property
    def _exception(self):
        return self._error() if raw_state(self) == REJECTED else None

    @property
    def _done_callbacks(self):
        with callbacks_lock:
            callbacks = self.__dict__.get('_callbacks', ())
            return [callback[0] for callback in callbacks if type(callback) is tuple]

    def _invoke_callbacks(self):
        """The callbacks are called by who completes it."""

    def _get_snapshot(self):
        state = raw_state(self)
        if state == RESOLVED:
            return True, False, self._value_of(), None
        if state == REJECTED:
            return True, False, None, self._error()
        return state == CANCELLED, state == CANCELLED, None, None

    def __repr__(self):
        state = raw_state(self)
        text = f'<{type(self).__name__} at {id(self):#x} state={_DESCRIPTIONS[state]}'
        if state == RESOLVED:
            text += f' returned {type(self._value_of()).__name__}'
        elif state == REJECTED:
            text += f' raised {type(self._error()).__name__}'
        return text + '>'


class _Nowhere(GObject.Object, raw.Executor):
    """Where a future that belongs to no executor is made running."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonNowhere'

    def do_execute(self, job):
        job.execute()
