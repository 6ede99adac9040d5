# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Functions that run on threads, by a decorator or call by call, and calls from there back
into the loop."""

import atexit
import concurrent.futures
import functools
import inspect
import threading

from gi.repository import GObject

from .answers import complete, drop_frames, fail
from .base import OWN, public, raw
from .executor import Executor
from .future import wait
from .job import Job
from .looptask import call_and_wait, find_target, wait_linked
from .pools import ThreadExecutor, get_default_executor
from .task import copy_context, describe_function, refuse_coroutine_function


def refuse_generator_function(function):
    """For functions whose value is to be had from a thread: a generator has not begun when
    the function returns."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isgeneratorfunction(function):
        raise TypeError(f'{describe_function(function)} is a generator function, whose body '
                        'would run where it is iterated: make a list of it, or submit a '
                        'function that consumes it')


def submit_to(executor, function, args, kwargs):
    """A Concur.Future for function (*args, **kwargs) on an executor of ours, or of
    concurrent.futures, or the shared one if there is none."""
    if executor is None:
        executor = get_default_executor()
    if isinstance(executor, raw.Executor):
        return executor.submit(function, *args, **kwargs)
    refuse_coroutine_function(function)
    future = executor.submit(copy_context().run, function, *args, **kwargs)
    return future if isinstance(future, raw.Future) else _adopt(future)


class _Adopted(Job):
    """For a future of concurrent.futures."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonAdopted'

    def do_run(self):
        raw.Job.hold(self)
        return True


def _adopt(future):
    job = _Adopted()
    raw.Executor.submit_job(here, job, None)
    cancellable = raw.Job.get_cancellable(job)
    handler = GObject.Object.connect(cancellable, 'cancelled', lambda _: future.cancel())

    def ended(future):
        # Not Cancellable's own disconnect (), which waits for handlers.
        GObject.Object.disconnect(cancellable, handler)
        if future.cancelled():
            fail(job, concurrent.futures.CancelledError())
        elif future.exception() is not None:
            fail(job, future.exception())
        else:
            complete(job, future.result())

    future.add_done_callback(ended)
    return job


class _Here(GObject.Object, Executor):
    """For jobs that only have to be made running."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonHere'

    def do_execute(self, job):
        job.execute()


here = _Here()


def is_executor(thing):
    return isinstance(thing, (raw.Executor, concurrent.futures.Executor))


def plain_function(function):
    """What a staticmethod or classmethod was made of."""
    return function.__func__ if isinstance(function, (staticmethod, classmethod)) else function


@public
class Threaded:
    """A function whose calls run on threads; made by threaded () and threaded_separate ().

    Calling it, or its async_call (), returns a Concur.Future; sync_call () calls the
    function here and now. In a class it binds as a function does.
    """

    def __init__(self, function, submit):
        inner = plain_function(function)
        refuse_coroutine_function(inner)
        refuse_generator_function(inner)
        functools.update_wrapper(self, inner)
        self.__wrapped__ = function
        self._submit = submit

    def __call__(self, /, *args, **kwargs):
        return self._submit(self._callee(), args, kwargs)

    def async_call(self, /, *args, **kwargs):
        """Calls the function on a thread. Returns a Concur.Future."""
        return self._submit(self._callee(), args, kwargs)

    def sync_call(self, /, *args, **kwargs):
        """Calls the function on this thread and returns its value."""
        return self._callee()(*args, **kwargs)

    def _callee(self):
        # What is decorated before it is a static method may be called in the class's body.
        return plain_function(self.__wrapped__)

    def __get__(self, instance, owner=None):
        get = getattr(self.__wrapped__, '__get__', None)
        if get is None:
            return self
        bound = get(instance, owner)
        if bound is self.__wrapped__:
            return self
        # It is all checked, and its name and other attributes are the same.
        copy = Threaded.__new__(Threaded)
        copy.__dict__.update(self.__dict__)
        copy.__wrapped__ = bound
        return copy

    def __eq__(self, other):
        if not isinstance(other, Threaded):
            return NotImplemented
        return self.__wrapped__ == other.__wrapped__ and self._submit == other._submit

    def __hash__(self):
        return hash(self.__wrapped__)

    def __repr__(self):
        return f'<threaded {self.__wrapped__!r}>'


@public
def threaded(function=None):
    """Makes a function run on a thread whenever it is called, and return a Concur.Future.

        @Concur.threaded
        def digest(path): …

        @Concur.threaded(disk_pool)
        def read(path): …

    Bare or with parentheses it goes to the executor that everybody shares, or to the one
    given. For functions, methods, static and class methods. TypeError for coroutine
    functions, which do not block, and for generator functions.
    """
    if function is None or is_executor(function):
        return functools.partial(_make_threaded, executor=function)
    return _make_threaded(function)


def _make_threaded(function, executor=None):
    return Threaded(function, functools.partial(submit_to, executor))


_separate = None
_separate_lock = threading.Lock()

# Futures of threads that the interpreter waits for at its end.
_attached = set()


def _get_separate():
    global _separate
    with _separate_lock:
        if _separate is None:
            _separate = ThreadExecutor(max_threads=0, name='separate')
    return _separate


def _named(name, function, args, kwargs):
    # The thread ends with this call, and its name with it.
    threading.current_thread().name = name
    try:
        return function(*args, **kwargs)
    except BaseException as error:
        drop_frames(error, 1)
        raise
    finally:
        function = args = kwargs = None


def run_separately(function, args, kwargs, detach=True, named_after=None):
    """A Concur.Future for a call on a thread of its own, named after the function."""
    refuse_coroutine_function(function)
    named_after = named_after or function
    name = getattr(named_after, '__name__', None) or type(named_after).__name__
    future = _get_separate().submit(_named, name, function, args, kwargs)
    if not detach:
        _attached.add(future)
        future.add_done_callback(_attached.discard)
    return future


@atexit.register
def _join_attached():
    for future in list(_attached):
        wait(future, None)


class _Separately:
    """What a Threaded submits with: equal to others that do the same."""

    def __init__(self, detach):
        self._detach = detach

    def __call__(self, function, args, kwargs):
        return run_separately(function, args, kwargs, self._detach)


_SEPARATELY = {True: _Separately(True), False: _Separately(False)}


@public
def threaded_separate(function=None, detach=True):
    """Like threaded (), with a new thread for each call, named after the function: for what
    takes very long. It starts at once, however busy the pools are.

    With detach=False the interpreter does not end before such calls do.
    """
    if isinstance(function, bool):
        function, detach = None, function
    if function is None:
        return functools.partial(threaded_separate, detach=detach)
    return Threaded(function, _SEPARATELY[bool(detach)])


@public
def call_in_executor(func, /, *args, executor=None, **kwargs):
    """A Concur.Future for func (*args, **kwargs) on executor, or on the one that everybody
    shares. To be awaited on any loop, or waited for. The call sees a copy of the context
    variables."""
    return submit_to(executor, func, args, kwargs)


@public
def to_thread(func, /, *args, **kwargs):
    """A Concur.Future for func (*args, **kwargs) on a thread of the shared executor.

    Giving up the await asks func to stop, which it sees by check_cancelled (), and does not
    wait for it; await the future's shield () where it is to go on.
    """
    return submit_to(None, func, args, kwargs)


@public
def call_async(loop, func, /, *args, **kwargs):
    """From a worker: calls func on a loop, awaits what it returns if that can be awaited,
    blocks this thread meanwhile, and returns the value or raises the error, whatever it is.

    loop is one of asyncio, a LoopThread, a GLib.MainContext, GLib.MainLoop or
    ContextExecutor, or None for the loop that the job on this thread came from: the one of
    asyncio or of spawn () that it was submitted on, or else the default main context.

    Cancelling the job cancels the call. Raises asyncio.CancelledError if the call was
    cancelled; RuntimeError at once on a thread that runs a loop itself, and, rather than
    waiting for ever, when the loop is closed or has not run for two seconds.
    """
    if not callable(func):
        raise TypeError(f'{func!r} is not callable')
    return call_and_wait(loop, func, args, kwargs)


@public
def sync_wait(what, /, *args, loop=None, **kwargs):
    """From a worker: blocks for a future, a coroutine or another awaitable, or for what
    what (*args, **kwargs) returns, and returns the value or raises the error.

    It runs on loop, or on the one that the job came from; see call_async ().
    """
    if isinstance(what, raw.Future):
        find_target(loop)
        return wait_linked(what)
    if callable(what):
        return call_and_wait(loop, what, args, kwargs)
    if not inspect.isawaitable(what):
        raise TypeError(f'an awaitable or a function is needed, not {type(what).__name__}')
    try:
        return call_and_wait(loop, _same, (what,), {})
    except BaseException:
        if inspect.iscoroutine(what) and inspect.getcoroutinestate(what) == inspect.CORO_CREATED:
            # It never came to the loop.
            what.close()
        raise
    finally:
        what = None


def _same(awaitable):
    return awaitable
