# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The names of aiomisc that are about threads, processes and waiting."""

import asyncio
import collections.abc
import functools
import inspect
import itertools
import os

from .awaitables import timeout
from .compat_aggregate import Arg, ResultNotSetError, aggregate, aggregate_async
from .compat_iterables import (ChannelClosed, ChannelTimeout, FromThreadChannel,
                               IteratorWrapper, IteratorWrapperSeparate, threaded_iterable,
                               threaded_iterable_separate)
from .compat_processes import ProcessPoolExecutor, WorkerPool
from .conveniences import (call_async, run_separately, submit_to, sync_wait, threaded,
                           threaded_separate)
from .standard import ThreadPoolExecutor as StandardPool
from .task import describe_function, is_coroutine_function

__all__ = [
    'Arg',
    'ChannelClosed',
    'ChannelTimeout',
    'FromThreadChannel',
    'IteratorWrapper',
    'IteratorWrapperSeparate',
    'ProcessPoolExecutor',
    'ResultNotSetError',
    'SelectResult',
    'ThreadPoolExecutor',
    'WorkerPool',
    'aggregate',
    'aggregate_async',
    'awaitable',
    'cancel_tasks',
    'chunk_list',
    'run_in_executor',
    'run_in_new_thread',
    'select',
    'shield',
    'sync_await',
    'sync_wait_coroutine',
    'threaded',
    'threaded_iterable',
    'threaded_iterable_separate',
    'threaded_separate',
    'timeout',
    'wait_coroutine',
]


class ThreadPoolExecutor(StandardPool):
    """A pool of threads whose futures can be awaited. Shutting it down cancels what has not
    begun; statistic_name names its threads."""

    def __init__(self, max_workers=None, statistic_name=None):
        super().__init__(max_workers or max(os.cpu_count() or 1, 4), statistic_name or '')

    def submit(self, fn, /, *args, **kwargs):
        """A future for fn (*args, **kwargs) on a thread of the pool. Raises ValueError if
        fn cannot be called, and RuntimeError after shutdown ()."""
        if not callable(fn):
            raise ValueError(f'{fn!r} is not callable')
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait=True, *, cancel_futures=True):
        """Refuses new work, cancels what has not begun, and waits for the rest."""
        super().shutdown(wait, cancel_futures=cancel_futures)


def run_in_executor(func, executor=None, args=(), kwargs=None):
    """A future for func (*args, **kwargs) on executor or on the shared one."""
    return submit_to(executor, func, args, kwargs or {})


def run_in_new_thread(func, args=(), kwargs=None, detach=True):
    """A future for func (*args, **kwargs) on a thread of its own; see
    Concur.threaded_separate ()."""
    return run_separately(func, args, kwargs or {}, detach)


def sync_wait_coroutine(loop, coro_func, /, *args, **kwargs):
    """From a worker: blocks for coro_func (*args, **kwargs) on loop, or with None on the
    loop that the job came from."""
    return call_async(loop, coro_func, *args, **kwargs)


def wait_coroutine(coro, loop=None):
    """From a worker: blocks for a coroutine on the loop."""
    return sync_wait(coro, loop=loop)


def sync_await(func, /, *args, **kwargs):
    """From a worker: blocks for what func (*args, **kwargs) returns, on the loop that the
    job came from."""
    return call_async(None, func, *args, **kwargs)


class SelectResult(collections.abc.Collection):
    """Which of many came first, and with what. As a collection it has a place for each:
    the value of the one, None for the others."""

    def __init__(self, length):
        self.length = length
        self.value = None
        self.is_exception = None
        self.result_idx = None

    def set_result(self, idx, value, is_exception):
        """For the first; later ones do not count."""
        if self.result_idx is None:
            self.value = value
            self.result_idx = idx
            self.is_exception = is_exception

    def result(self):
        """The value; raises if it is an error."""
        if self.is_exception:
            raise self.value
        return self.value

    def done(self):
        """Whether there is one."""
        return self.result_idx is not None

    def __len__(self):
        return self.length

    def __iter__(self):
        for i in range(self.length):
            yield self.value if i == self.result_idx else None

    def __contains__(self, value):
        return any(value is item or value == item for item in self)

    def __repr__(self):
        return f'<SelectResult {list(self)!r}>'


async def select(*awaitables, return_exceptions=False, cancel=True, timeout=None, wait=True):
    """Waits for the first of many, at most timeout seconds, and returns a SelectResult. An
    error is raised, or with return_exceptions is the value. The others are cancelled,
    unless cancel is False, and waited for, unless wait is False."""
    if not awaitables:
        raise ValueError('there is nothing to wait for')
    tasks = [asyncio.ensure_future(item) for item in awaitables]
    result = SelectResult(len(tasks))
    try:
        done, _ = await asyncio.wait(set(tasks), timeout=timeout,
                                     return_when=asyncio.FIRST_COMPLETED)
        for i, task in enumerate(tasks):
            if task in done:
                error = _error_of(task)
                result.set_result(i, task.result() if error is None else error,
                                  error is not None)
                break
        else:
            raise asyncio.TimeoutError
    finally:
        if cancel:
            cancelled = cancel_tasks(tasks)
            if wait:
                await cancelled
    if result.is_exception and not return_exceptions:
        raise result.value
    return result


def _error_of(task):
    return asyncio.CancelledError() if task.cancelled() else task.exception()


def cancel_tasks(tasks):
    """Cancels those that are not done. To be awaited until all of them are."""
    waiting = [task for task in tasks if not task.done()]
    for task in waiting:
        task.cancel()
    if not waiting:
        return asyncio.ensure_future(asyncio.sleep(0))
    return asyncio.ensure_future(asyncio.wait(waiting))


def shield(func):
    """A decorator for coroutine functions: a call runs on though its await is cancelled."""
    if not is_coroutine_function(func):
        raise TypeError(f'{describe_function(func)} is not a coroutine function')

    @functools.wraps(func)
    async def shielded(*args, **kwargs):
        return await asyncio.shield(func(*args, **kwargs))

    return shielded


def awaitable(func):
    """A decorator: calls return something to await, whatever func returns."""
    if is_coroutine_function(func):
        return func

    @functools.wraps(func)
    def call(*args, **kwargs):
        result = func(*args, **kwargs)
        return result if inspect.isawaitable(result) else _same(result)

    return call


async def _same(value):
    return value


def chunk_list(iterable, size):
    """Yields lists of size items each, the last one of what is left."""
    if size < 1:
        raise ValueError('a chunk has at least one item')
    items = iter(iterable)
    while True:
        chunk = list(itertools.islice(items, size))
        if not chunk:
            return
        yield chunk
