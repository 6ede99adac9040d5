# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Job, for subclasses, and Promise."""

import inspect
import types
import weakref

from gi.repository import GLib, GObject

from .answers import RETURNS, complete, drop_frames, fail
from .base import CANCELLED_TYPES, OWN, override, raw, to_exception, to_gerror
from .future import callbacks_lock


@override
class Job(raw.Job):
    """A future that is completed by running it on an executor.

    A subclass implements do_run (self), which calls one of the return functions, such as
    self.resolve (value), or raises. Anything may be raised.
    """

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        body = cls.__dict__.get('do_run')
        if inspect.iscoroutinefunction(body):
            raise TypeError(f'do_run () of {cls.__name__} must not be a coroutine function: submit '
                            'one to a LoopThread')
        if isinstance(body, types.FunctionType) and cls.__module__ != OWN:
            cls.do_run = _guarded(body)

    def apply_settings(self, settings):
        """For executors: sets the (priority, name) of a job to be submitted; None leaves
        one as it is."""
        priority, name = settings
        if priority is not None:
            self.priority = priority
        if name is not None:
            self.name = name

    def resolve(self, value=None):
        """Gives the job any Python value as its answer. The first answer counts."""
        if self._may_answer():
            complete(self, value)

    def reject(self, exception):
        """Gives the job an exception as its answer. The first answer counts."""
        exception = to_exception(exception)
        if self._may_answer():
            fail(self, exception)

    def _may_answer(self):
        # Of two who answer, one must not leave the other's value there.
        token = object()
        return not self.is_done() and self.__dict__.setdefault('_by', token) is token

    def return_value(self, value):
        """The same as resolve ()."""
        self.resolve(value)

    def return_error(self, error):
        """The same as reject ()."""
        self.reject(error)

    @property
    def priority(self):
        """When it starts among those that wait, a Concur.Priority; set it before it is
        submitted."""
        return raw.Job.get_priority(self)

    @priority.setter
    def priority(self, priority):
        raw.Job.set_priority(self, priority)


RETURNS.update({
    type(None): raw.Job.return_object,
    bool: raw.Job.return_boolean,
    int: raw.Job.return_int64,
    float: raw.Job.return_double,
})


def _guarded(body):
    # PyGObject only prints what a vfunc raises.
    def do_run(self):
        try:
            return body(self) is not False
        except BaseException as error:
            drop_frames(error, 1)
            if self._may_answer():
                fail(self, error)
            return True
        finally:
            self = None
    do_run.__doc__ = body.__doc__
    return do_run


@override
class Promise(raw.Promise):
    """A future completed by hand: give away promise.future, call resolve () or reject ()."""

    __class_getitem__ = classmethod(types.GenericAlias)

    @property
    def future(self):
        """The future that it completes."""
        return raw.Promise.get_future(self)

    def resolve(self, value=None):
        """Gives the future any Python value. Returns whether it was not done yet."""
        future = self.future
        return (self._claim(future, '_value', value)
                and self._settled(future, _resolve(self, future, value)))

    def reject(self, exception):
        """Gives the future an exception. Returns whether it was not done yet."""
        exception = to_exception(exception)
        future = self.future
        error = to_gerror(exception)
        if isinstance(exception, CANCELLED_TYPES):
            return raw.Promise.reject(self, error)
        return (self._claim(future, '_exception', exception)
                and self._settled(future, raw.Promise.reject(self, error)))

    def _claim(self, future, key, value):
        # Of two who complete it, one must not leave the other's value there.
        with callbacks_lock:
            own = future.__dict__
            if '_value' in own or '_exception' in own or future.is_done():
                return False
            own[key] = value
            return True

    def _settled(self, future, won):
        if not won:
            # It was cancelled just now, or completed by C.
            future.__dict__.pop('_value', None)
            future.__dict__.pop('_exception', None)
        return won


def _resolve(promise, future, value):
    if isinstance(value, (bool, float, GObject.Object, GLib.Variant)) or value is None:
        return raw.Promise.resolve(promise, value)
    if isinstance(value, GLib.Bytes):
        return raw.Promise.resolve_bytes(promise, value)
    if type(value) is int and -1 << 63 <= value < 1 << 63:
        return raw.Promise.resolve_int64(promise, value)
    if type(value) is str and '\0' not in value:
        try:
            return raw.Promise.resolve_string(promise, value)
        except UnicodeError:
            pass
    return raw.Promise.resolve(promise, weakref.ref(future))
