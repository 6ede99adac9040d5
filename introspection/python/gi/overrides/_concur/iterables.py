# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Iterables that are worked off on another thread.

Items go through a deque, which needs no lock and no call for a single item; only who has to
wait, and who ends a wait, does more. Each of the two first says that it waits and looks once
more, and first does what the other waits for and then looks whether it waits."""

import asyncio
import collections
import collections.abc
import concurrent.futures
import functools
import inspect
import sys
import threading

from gi.repository import GObject

from .answers import complete, drop_frames
from .base import OWN, TimedOut, public, raw, to_exception
from .conveniences import (here, is_executor, plain_function, run_separately, submit_to)
from .executor import Executor, raw_submit_job
from .future import check_callable, log, wait
from .job import Promise
from .task import (PythonJob, context_from_loop, copy_context, describe_function,
                   get_running_loop, refuse_coroutine_function)

# How many items are ahead of the consumer unless something else is said.
CAPACITY = 1024


def _wake(waiter):
    if not waiter.done():
        waiter.set_result(None)


class _TaskWait:
    """A task of asyncio that waits."""

    __slots__ = ('_loop', '_waiter')

    def __init__(self, loop):
        self._loop = loop
        self._waiter = loop.create_future()

    def end(self):
        try:
            self._loop.call_soon_threadsafe(_wake, self._waiter)
        except RuntimeError:
            # The loop was closed: nobody waits any more.
            pass

    def __await__(self):
        return self._waiter.__await__()

    def forget(self):
        pass


@public
class _Waiting(PythonJob):
    """What a coroutine on a plain GLib loop waits for. Not a promise's future, of whose
    callbacks PyGObject before 3.44 leaks a part."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonWaiting'

    def do_run(self):
        raw.Job.hold(self)
        return True


class _TurnWait:
    """A coroutine on a plain GLib loop that waits."""

    __slots__ = ('_job',)

    def __init__(self):
        self._job = _Waiting()
        raw_submit_job(here, self._job, None)

    def end(self):
        complete(self._job, None)

    forget = end

    def __await__(self):
        return self._job.__await__()


class _ThreadWait:
    """A thread that waits."""

    __slots__ = ('_promise', '_future')

    def __init__(self):
        self._promise = Promise()
        self._future = self._promise.future

    def end(self):
        self._promise.resolve()

    forget = end

    def wait(self, timeout=None):
        return wait(self._future, timeout)


class _Stream:
    """What an iterator and the job that fills it share, so that the job does not keep the
    iterator."""

    def __init__(self, submit, function, args, kwargs, capacity):
        self.items = collections.deque()
        self.capacity = capacity or sys.maxsize
        # It goes on when half of it is taken: to wake a thread for each item costs more
        # than the item.
        self.low = self.capacity // 2
        # Who waits for an item or for the end.
        self.waits = collections.deque()
        # Where the producer waits, if it does. Each wait is ended by one who takes it from here.
        self.room = collections.deque()
        # Nothing more is to be made: it was stopped, or the job cancelled.
        self.halted = False
        self.stopped = False
        # No item comes any more, and why.
        self.over = False
        self.error = None
        # The function has returned, or never will be called.
        self.finished = False
        # What clearing up after a stop raised, until somebody has got it.
        self.clean_up_error = None
        self.job = None
        self.ending = None
        # Recursive, because the garbage collector may end a stream while it is held.
        self._lock = threading.RLock()
        context = copy_context() if get_running_loop() is None else context_from_loop()
        self.call = (submit, function, args, kwargs, context)

    def start(self):
        with self._lock:
            call, self.call = self.call, None
        if call is None:
            return
        submit, function, args, kwargs, context = call
        call = None
        try:
            job = context.run(submit, _produce, (self, function, args, kwargs), {})
        except BaseException as error:
            # It is for who iterates.
            drop_frames(error, 1)
            self._end(error)
            self._finish()
            return
        # Whoever iterates has its error.
        job.ignore()
        with self._lock:
            self.job = job
            halted = self.halted
        if halted:
            job.cancel()
        job._on_done(self._job_done)

    def stop(self):
        with self._lock:
            if self.stopped:
                return
            self.stopped = self.halted = True
            begun = self.call is None
            self.call = None
            job = self.job
        # The producer may put one more into the old one.
        self.items = collections.deque()
        self.error = None
        self.over = True
        self.make_room()
        if not begun:
            self._finish()
        elif job is not None:
            job.cancel()
        self.wake()

    def wake(self):
        waits = self.waits
        while waits:
            try:
                one = waits.popleft()
            except IndexError:
                # Another thread was quicker.
                return
            one.end()

    def make_room(self):
        try:
            room = self.room.pop()
        except IndexError:
            # Another consumer was quicker.
            return
        room.end()

    def wait_for_room(self, items):
        """Blocks the producer. Returns whether it is to go on."""
        while len(items) > self.low and not self.halted:
            room = _ThreadWait()
            self.room.append(room)
            try:
                if len(items) > self.low and not self.halted:
                    room.wait()
            finally:
                self.room.clear()
                room.forget()
        return not self.halted

    def cancelled(self, *_):
        """The job was asked to stop: by us, or by somebody else."""
        self.halted = True
        if not self.over:
            self._end(concurrent.futures.CancelledError())
        self.make_room()

    def _end(self, error):
        if not self.over:
            self.error = error
            self.over = True
            self.wake()

    def produced(self, error):
        self._end(error)

    def _job_done(self, job):
        if not self.over:
            # It never began.
            error = None if job.state == raw.FutureState.RESOLVED else _error_of(job)
            self._end(error)
        self._finish()

    def _finish(self):
        with self._lock:
            self.finished = True
            self.job = None
            ending = self.ending
        self.wake()
        if ending is not None:
            self._tell(ending)

    def _tell(self, ending):
        error, self.clean_up_error = self.clean_up_error, None
        if error is None:
            ending.resolve()
        else:
            ending.reject(error)

    def get_ending(self):
        with self._lock:
            ending = self.ending
            if ending is None:
                ending = self.ending = Promise()
                finished = self.finished
            else:
                finished = False
        if finished:
            self._tell(ending)
        return ending.future.shield()

    def raise_clean_up_error(self):
        error, self.clean_up_error = self.clean_up_error, None
        if error is not None:
            try:
                raise error
            finally:
                self = error = None

    def take_error(self, cancelled, end):
        """What to raise where there are no more items."""
        error, self.error = self.error, None
        if error is None:
            return end
        if isinstance(error, concurrent.futures.CancelledError):
            return cancelled(*error.args)
        return error

    def __del__(self):
        error = self.clean_up_error
        if error is not None:
            log.error('exception while an iterable was closed', exc_info=error)


def _error_of(job):
    try:
        job.check()
    except BaseException as error:
        drop_frames(error, 1)
        return error
    return None


def _produce(stream, function, args, kwargs):
    iterator = handler = error = item = None
    job = raw.Job.get_current()
    if job is not None:
        cancellable = raw.Job.get_cancellable(job)
        handler = GObject.Object.connect(cancellable, 'cancelled', stream.cancelled)
        if cancellable.is_cancelled():
            stream.cancelled()
    items = stream.items
    append = items.append
    waits = stream.waits
    capacity = stream.capacity
    try:
        if not stream.halted:
            iterator = iter(function(*args, **kwargs))
            function = args = kwargs = None
            for item in iterator:
                if stream.halted:
                    break
                append(item)
                # The consumer may let go of it before the next is there.
                item = None
                if waits:
                    stream.wake()
                if len(items) >= capacity and not stream.wait_for_room(items):
                    break
    except BaseException as raised:
        drop_frames(raised, 1)
        error = _not_an_end(to_exception(raised))
    finally:
        item = function = args = kwargs = None
        # Generators clear up where they have run.
        if error is None and isinstance(iterator, collections.abc.Generator):
            try:
                iterator.close()
            except BaseException as raised:
                drop_frames(raised, 1)
                stream.clean_up_error = raised
        iterator = append = None
        if handler is not None:
            # Not Cancellable's own disconnect (), which waits for handlers.
            GObject.Object.disconnect(cancellable, handler)
        stream.produced(error)
        stream = items = waits = error = job = cancellable = None


def _not_an_end(error):
    if not isinstance(error, StopAsyncIteration):
        return error
    replacement = RuntimeError('an iterable raised StopAsyncIteration')
    replacement.__cause__ = error
    return replacement


@public
class ThreadIterator:
    """The items of an iterable that is worked off on another thread; made by
    Executor.generate () and by functions decorated with threaded_iterable ().

        async with pool.generate(read_lines, path) as lines:
            async for line in lines: …

    To be iterated with for and async for. Nothing runs before that. Leaving the block,
    close (), or letting go of it ends a generator where it is, on its own thread.
    """

    def __init__(self, submit, function, args, kwargs, capacity):
        # First, for __del__ () is called whatever happens.
        self._stream = None
        refuse_asynchronous(function)
        if capacity < 0:
            raise ValueError('the capacity is a number of items, or 0 for no bound')
        self._stream = _Stream(submit, function, args, kwargs, capacity)

    def __iter__(self):
        return self

    def __aiter__(self):
        return self

    def __next__(self):
        return self.receive_wait()

    async def __anext__(self):
        stream = self._stream
        try:
            while True:
                # Looked at before the items are: there are none after it.
                over = stream.over
                items = stream.items
                if items:
                    try:
                        item = items.popleft()
                    except IndexError:
                        continue
                    if stream.room and len(items) <= stream.low:
                        stream.make_room()
                    return item
                if over:
                    raise stream.take_error(asyncio.CancelledError, StopAsyncIteration)
                await self._wait(_has_items)
        finally:
            self = stream = items = item = None

    def receive_wait(self, timeout=None):
        """The next item; blocks until there is one. TimeoutError after timeout seconds, and
        StopIteration at the end."""
        stream = self._stream
        try:
            while True:
                over = stream.over
                items = stream.items
                if items:
                    try:
                        item = items.popleft()
                    except IndexError:
                        continue
                    if stream.room and len(items) <= stream.low:
                        stream.make_room()
                    return item
                if over:
                    raise stream.take_error(concurrent.futures.CancelledError, StopIteration)
                if not self._block(_has_items, timeout):
                    raise TimedOut(f'no item after {timeout} s')
        finally:
            self = stream = items = item = None

    async def _wait(self, ready):
        stream = self._stream
        if stream.call is not None and ready is _has_items:
            stream.start()
        loop = get_running_loop()
        one = _TurnWait() if loop is None else _TaskWait(loop)
        stream.waits.append(one)
        try:
            if not ready(stream):
                await one
        finally:
            _forget(stream, one)
            one = None

    def _block(self, ready, timeout=None):
        stream = self._stream
        if stream.call is not None and ready is _has_items:
            stream.start()
        one = _ThreadWait()
        stream.waits.append(one)
        try:
            return ready(stream) or one.wait(timeout) or ready(stream)
        finally:
            _forget(stream, one)

    def close(self):
        """Ends it: no more items come, and a generator is closed on its thread. A future,
        done when the function has ended, for who wants to wait."""
        self._stream.stop()
        return self._stream.get_ending()

    @property
    def closed(self):
        """Whether no more will come than is there already."""
        return self._stream.over

    async def wait_closed(self):
        """Waits until the function has ended, by itself or because of close (). Raises what
        a generator raised when it was closed."""
        while not self._stream.finished:
            await self._wait(_is_finished)
        self._stream.raise_clean_up_error()

    async def aclose(self):
        """Ends it as close () does, and waits until the function has ended."""
        self._stream.stop()
        await self.wait_closed()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        stream = self._stream
        stream.stop()
        while not stream.finished:
            self._block(_is_finished)
        stream.raise_clean_up_error()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.aclose()

    def __del__(self):
        if self._stream is not None:
            self._stream.stop()

    def __repr__(self):
        stream = self._stream
        state = ('closed' if stream.over else 'not begun' if stream.call is not None
                 else f'{len(stream.items)} items ahead')
        return f'<{type(self).__name__} at {id(self):#x}: {state}>'


def _has_items(stream):
    # Not the items themselves, which another consumer may take before anybody looks.
    return bool(stream.items) or stream.over


def _is_finished(stream):
    return stream.finished


def _forget(stream, one):
    try:
        stream.waits.remove(one)
    except ValueError:
        # It was told.
        pass
    one.forget()


def refuse_asynchronous(function):
    """For functions that are to give something to iterate on a thread."""
    check_callable(function)
    refuse_coroutine_function(function)
    inner = function
    while isinstance(inner, functools.partial):
        inner = inner.func
    if inspect.isasyncgenfunction(inner):
        raise TypeError(f'{describe_function(function)} is an asynchronous generator function')


def submitter(executor):
    """What begins a call on an executor, ours or one of concurrent.futures, or on the shared
    one if there is none."""
    if isinstance(executor, (raw.LoopThread, raw.ContextExecutor)):
        raise TypeError('an iterable that blocks would stop the loop: it needs a ThreadExecutor')
    return functools.partial(submit_to, executor)


def _generate(self, function, /, *args, capacity=CAPACITY, **kwargs):
    """The items of function (*args, **kwargs), a generator function or another one that
    returns an iterable, which is worked off on the executor. A ThreadIterator.

    It begins when the first item is asked for, and waits when so many are ahead of who takes
    them; with capacity=0 it never does. Its exception is raised after the items before it.
    """
    return ThreadIterator(submitter(self), function, args, kwargs, capacity)


_generate.__name__ = 'generate'
_generate.__qualname__ = 'Executor.generate'
Executor.generate = _generate


@public
class ThreadedIterable:
    """A function whose iterable is worked off on a thread; made by threaded_iterable () and
    threaded_iterable_separate ().

    Calling it, or its async_call (), returns a ThreadIterator; sync_call () calls the
    function here and now. In a class it binds as a function does.
    """

    def __init__(self, function, submit, max_size):
        inner = plain_function(function)
        refuse_asynchronous(inner)
        functools.update_wrapper(self, inner)
        self.__wrapped__ = function
        self._how = (submit, max_size)

    def __call__(self, /, *args, **kwargs):
        return self._begin(args, kwargs)

    def async_call(self, /, *args, **kwargs):
        """The items of a call, made on a thread: a ThreadIterator."""
        return self._begin(args, kwargs)

    def sync_call(self, /, *args, **kwargs):
        """Calls the function on this thread and returns what it returns."""
        return plain_function(self.__wrapped__)(*args, **kwargs)

    def _begin(self, args, kwargs):
        submit, max_size = self._how
        return ThreadIterator(submit, plain_function(self.__wrapped__), args, kwargs, max_size)

    def __get__(self, instance, owner=None):
        get = getattr(self.__wrapped__, '__get__', None)
        if get is None:
            return self
        bound = get(instance, owner)
        if bound is self.__wrapped__:
            return self
        copy = ThreadedIterable.__new__(ThreadedIterable)
        copy.__dict__.update(self.__dict__)
        copy.__wrapped__ = bound
        return copy

    def __eq__(self, other):
        if not isinstance(other, ThreadedIterable):
            return NotImplemented
        return self.__wrapped__ == other.__wrapped__ and self._how == other._how

    def __hash__(self):
        return hash(self.__wrapped__)

    def __repr__(self):
        return f'<threaded iterable {self.__wrapped__!r}>'


def _decorator(function, submit, max_size):
    if isinstance(max_size, bool) or not isinstance(max_size, int) or max_size < 0:
        raise ValueError('max_size is a number of items, or 0 for no bound')
    if function is None:
        return functools.partial(ThreadedIterable, submit=submit, max_size=max_size)
    return ThreadedIterable(function, submit, max_size)


def submit_separately(produce, args, kwargs):
    """What begins a call on a thread of its own."""
    stream, function, *rest = args
    return run_separately(produce, args, kwargs, named_after=function)


_submit_to_shared = submitter(None)


@public
def threaded_iterable(function=None, *, max_size=CAPACITY, executor=None):
    """Makes the iterable that a function returns be worked off on a thread.

        @Concur.threaded_iterable
        def lines(path): …

        async with lines('/etc/services') as reader:
            async for line in reader: …

    Bare or with parentheses; the thread is one of the executor that everybody shares, or of
    the one given. max_size items are made ahead of who takes them, or with 0 as many as
    there are. For functions, methods, static and class methods. TypeError for coroutine
    functions.
    """
    if is_executor(function):
        function, executor = None, function
    submit = _submit_to_shared if executor is None else submitter(executor)
    return _decorator(function, submit, max_size)


@public
def threaded_iterable_separate(function=None, *, max_size=CAPACITY):
    """Like threaded_iterable (), with a thread of its own for each call: for what takes very
    long."""
    return _decorator(function, submit_separately, max_size)
