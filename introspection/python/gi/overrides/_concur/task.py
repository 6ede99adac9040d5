# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Jobs whose body is a Python function, and what such a function can call."""

import asyncio
import contextvars
import functools
import inspect
import types

from gi.repository import GLib

from . import workercall
from .answers import CANCELLED, NATIVE, drop_frames, fail, put, put_other, raw_state
from .base import OWN, CancelledError, public, raw, to_python
from .future import callbacks_lock, run_callback
from .job import Job

copy_context = contextvars.copy_context
raw_watch = raw.Job.watch

# The job of a coroutine, which C knows about only while its first step runs.
current_job = contextvars.ContextVar('concur-job')

# The loop of asyncio, or the main context of spawn (), that a job came from, also by way of
# other jobs.
origin = contextvars.ContextVar('concur-origin')
get_running_loop = asyncio._get_running_loop

_CO_COROUTINE = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR

# Letting go of these, and of functions that hold nothing, is the same on every thread.
_INERT = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})


def is_coroutine_function(function):
    """Whether calling it makes a coroutine rather than doing something."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, '__code__', None)
    if code is None and not isinstance(function, type):
        code = getattr(getattr(type(function), '__call__', None), '__code__', None)
    return isinstance(code, types.CodeType) and code.co_flags & _CO_COROUTINE != 0


def refuse_coroutine_function(function):
    """For functions that are to block: raises TypeError where calling it would not."""
    # By far the most.
    if type(function) is types.FunctionType:
        if function.__code__.co_flags & _CO_COROUTINE == 0:
            return
    elif type(function) is types.BuiltinFunctionType:
        return
    if is_coroutine_function(function):
        raise TypeError(f'{describe_function(function)} is a coroutine function: submit it to a '
                        'LoopThread, or await it')
    if not callable(function):
        raise TypeError(f'{function!r} is not callable')


def describe_function(function):
    return getattr(function, '__qualname__', None) or repr(function)


def _is_inert(function, args, kwargs):
    if kwargs:
        return False
    kind = type(function)
    if kind is types.FunctionType:
        if function.__closure__ is not None or function.__defaults__ is not None:
            return False
    elif kind is not types.BuiltinFunctionType or not isinstance(function.__self__,
                                                                 types.ModuleType):
        return False
    for argument in args:
        if type(argument) not in _INERT:
            return False
    return True


@public
class PythonJob(Job):
    """A job for function (*args, **kwargs). Its callbacks go by the class's done () rather
    than by closures, each of which PyGObject before 3.44 leaks."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonJob'

    def do_run(self):
        own = self.__dict__
        try:
            function, args, kwargs, context = own.pop('_call')
            value = context.run(function, *args, **kwargs)
            if type(value) is types.CoroutineType:
                value.close()
                raise TypeError(f'{describe_function(function)} returned a coroutine')
            # Before anybody hears of the outcome.
            function = args = kwargs = context = None
            if '_by' not in own:
                own['_value'] = value
                if type(value) in NATIVE:
                    put(self, value)
                else:
                    # Who waits may let go of it while this frame is still there.
                    value = None
                    put_other(self)
                if '_abandoned' in own and raw_state(self) == CANCELLED:
                    # Nobody is going to ask for it.
                    own.pop('_value', None)
        except BaseException as error:
            function = args = kwargs = context = value = None
            drop_frames(error, 1)
            if self._may_answer():
                fail(self, error)
        finally:
            # A traceback keeps this frame, and must not keep what the call was about.
            self = own = function = args = kwargs = context = value = None
        return True

    def do_done(self):
        own = self.__dict__
        with callbacks_lock:
            own['_told'] = True
            callbacks = own.pop('_callbacks', ())
        # Of a job that never ran.
        self._forget_call()
        for callback in callbacks:
            run_callback(callback, self)

    def _on_done(self, function):
        own = self.__dict__
        with callbacks_lock:
            told = '_told' in own
            if not told:
                callbacks = own.get('_callbacks')
                if callbacks is not None:
                    callbacks.append(function)
                    return function
                own['_callbacks'] = [function]
        if told:
            run_callback(function, self)
        else:
            raw_watch(self)
        return function

    def _off_done(self, function):
        with callbacks_lock:
            callbacks = self.__dict__.get('_callbacks', ())
            if function in callbacks:
                callbacks.remove(function)

    def _forget_call(self):
        self.__dict__.pop('_call', None)


@public
class HeldPythonJob(PythonJob):
    """One whose function or arguments may have to be let go where they came from: a widget
    must not be finalised by a worker."""

    __module__ = OWN
    __gtype_name__ = 'ConcurHeldPythonJob'

    def do_release(self):
        own = self.__dict__
        # Of a job that never ran.
        own.pop('_call', None)
        own.pop('_held', None)


def make_job(function, args, kwargs, anywhere=False):
    """A job for function (*args, **kwargs), with a copy of the context variables. With
    anywhere they are let go by the worker."""
    refuse_coroutine_function(function)
    if anywhere or _is_inert(function, args, kwargs):
        job = PythonJob()
    else:
        job = HeldPythonJob()
        job.__dict__['_held'] = (function, args, kwargs)
    job.__dict__['_call'] = (function, args, kwargs, copy_context()
                             if get_running_loop() is None else context_from_loop())
    return job


def context_from_loop():
    """A copy of the context variables that knows the loop of asyncio on this thread."""
    context = copy_context()
    context.run(origin.set, get_running_loop())
    return context


def get_current_job():
    job = raw.Job.get_current()
    # A turn of a coroutine is a job, but not the one that is meant.
    return current_job.get(None) if job is None or '_of_turn' in job.__dict__ else job


@public
def report(fraction=None, text=None):
    """Says, from within a job, how far it is: a fraction of 1, a text, or both.

    Connect to notify::progress and notify::status-text of the future, or read its
    progress and status_text. Outside a job nothing happens, so that a function can be
    used both ways.
    """
    job = get_current_job() or workercall.current
    if job is not None:
        if fraction is not None:
            job.set_progress(fraction)
        if text is not None:
            job.set_status_text(text)


@public
def check_cancelled():
    """Raises CancelledError if the job that it is called in was asked to stop.

    Outside a job nothing happens, so that a function can be used both ways.
    """
    job = get_current_job()
    if job is not None and raw.Job.is_cancelled(job):
        try:
            raw.Job.check_cancelled(job)
        except GLib.Error as error:
            raise to_python(error)
        raise CancelledError
    if job is None and workercall.current is not None and workercall.current.is_cancelled():
        raise workercall.CallCancelled('the program asked to stop the call')
