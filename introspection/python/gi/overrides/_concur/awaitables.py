# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Many awaitables as one: gather () and race (), and a time limit for coroutines."""

import asyncio
import functools
import inspect

from .base import TimedOut, public, raw
from .future import CANCELLED, RESOLVED, Future, derived, raw_state, stand_ins
from .looptask import call_on_loop
from .spawn import spawn
from .task import describe_function, is_coroutine_function


async def _await(awaitable):
    return await awaitable


def _check(awaitables):
    for awaitable in awaitables:
        if not inspect.isawaitable(awaitable):
            for other in awaitables:
                if inspect.iscoroutine(other):
                    other.close()
            raise TypeError(f'an awaitable is needed, not {type(awaitable).__name__}')


def as_future(awaitable):
    """A Concur.Future for any awaitable: that itself, or a task in the loop that runs, or
    what spawn () makes."""
    if isinstance(awaitable, raw.Future):
        return awaitable
    if not inspect.iscoroutine(awaitable):
        awaitable = _await(awaitable)
    loop = asyncio._get_running_loop()
    future = spawn(awaitable) if loop is None else call_on_loop(loop, Beginning(awaitable))
    # Its error is that of the whole.
    future.ignore()
    return future


class Beginning:
    """What returns a coroutine when the loop has come to it, and closes one that is cancelled
    before."""

    __slots__ = ('_coroutine',)

    def __init__(self, coroutine):
        self._coroutine = coroutine

    def __call__(self):
        coroutine, self._coroutine = self._coroutine, None
        return coroutine

    def __del__(self):
        if self._coroutine is not None:
            self._coroutine.close()


def _as_futures(awaitables):
    _check(awaitables)
    made = {}
    for awaitable in awaitables:
        if id(awaitable) not in made:
            made[id(awaitable)] = as_future(awaitable)
    return [made[id(awaitable)] for awaitable in awaitables]


def _outcomes(future, inputs):
    return [_outcome(child) for child in inputs]


def _outcome(future):
    state = raw_state(future)
    if state == RESOLVED:
        return future._value_of()
    if state == CANCELLED:
        return future._failure(asyncio.CancelledError)
    return future._error()


@public
def gather(*awaitables, return_exceptions=False):
    """A future for the list of what the awaitables give: futures, coroutines, or anything
    that can be awaited on the loop that runs.

    It fails with the first error, and the others run on; with return_exceptions it waits
    for all, and the list has the exceptions. Cancelling it cancels all of them. Coroutines
    run on the loop that this is called on, which is asyncio's or else a plain GLib loop.
    """
    futures = _as_futures(awaitables)
    if not return_exceptions:
        return Future.all(futures)
    return derived(raw.Future.all_settled(stand_ins(futures)), futures, _outcomes)


@public
def race(*awaitables, cancel_rest=True):
    """A future for the first outcome among the awaitables, be it a value or an error. The
    others are cancelled, unless cancel_rest is False. Coroutines run as in gather ().

    Raises ValueError if there is nothing to wait for.
    """
    if not awaitables:
        raise ValueError('a race needs somebody who runs')
    return Future.race(_as_futures(awaitables), cancel_rest=cancel_rest)


@public
def timeout(seconds):
    """A decorator for coroutine functions: a call that takes longer than so many seconds is
    cancelled, waited for, and raises TimeoutError. None is no limit.

    On loops of asyncio and on plain GLib loops. Anything but a coroutine function is a
    TypeError: a thread cannot be stopped from outside.
    """
    if seconds is not None and not isinstance(seconds, (int, float)):
        raise TypeError('use it as @timeout (seconds)')

    def decorate(function):
        if not is_coroutine_function(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f'{describe_function(function)} is not a coroutine function')

        @functools.wraps(function)
        async def limited(*args, **kwargs):
            coroutine = function(*args, **kwargs)
            if asyncio._get_running_loop() is None:
                return await _within(coroutine, seconds)
            task = asyncio.ensure_future(coroutine)
            try:
                return await asyncio.wait_for(task, seconds)
            except asyncio.TimeoutError as error:
                if not task.cancelled():
                    # The function's own.
                    raise
                raise TimedOut(f'{describe_function(function)} took longer than '
                               f'{seconds} s') from error

        async def _within(coroutine, seconds):
            job = spawn(coroutine)
            try:
                await Future.wait_many([job.shield()], timeout=seconds)
            except asyncio.CancelledError:
                job.cancel()
                await Future.all_settled(job.shield())
                raise
            if job.done():
                return await job
            job.cancel()
            try:
                return await job
            except asyncio.CancelledError as error:
                raise TimedOut(f'{describe_function(function)} took longer than '
                               f'{seconds} s') from error

        return limited

    return decorate
