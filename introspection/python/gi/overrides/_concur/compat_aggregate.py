# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""aiomisc's aggregate () and aggregate_async ()."""

import asyncio
import functools
import typing

from .answers import drop_frames
from .batching import Batcher, answer, answer_error, check_aggregated, fail_all
from .batching import aggregate as aggregate_calls
from .task import describe_function, is_coroutine_function


class ResultNotSetError(Exception):
    """The function ended without an answer to a call."""


class Arg(typing.NamedTuple):
    """What a function of aggregate_async () gets of a call: its argument, and a future of
    asyncio for the answer."""

    value: typing.Any
    future: asyncio.Future


def aggregate(leeway_ms, max_count=None):
    """Concur.aggregate () with milliseconds."""
    return functools.partial(aggregate_calls, leeway=leeway_ms / 1000, max_count=max_count)


def aggregate_async(leeway_ms, max_count=None):
    """A decorator like aggregate () for a coroutine function that takes one Arg for each
    call, and sets the results of their futures. Who has an answer need not wait for the
    others; who has none at the end gets ResultNotSetError."""
    return functools.partial(_decorate, leeway=leeway_ms / 1000, max_count=max_count)


def _decorate(function, leeway, max_count):
    check_aggregated(function, leeway, max_count)
    if not is_coroutine_function(function):
        raise TypeError(f'{describe_function(function)} is not a coroutine function')
    batcher = Batcher(None, max_count or 0, leeway)
    batcher._set_runner(function, _run)

    @functools.wraps(function)
    def call(argument, /):
        return batcher.call(argument)
    return call


async def _run(job, calls, function):
    # In a main context there is no loop of asyncio to make futures: those of one that does not
    # run serve as well, as nobody waits for them.
    running = asyncio._get_running_loop()
    loop = running or asyncio.new_event_loop()
    futures = [loop.create_future() for _ in calls]
    try:
        if running is not None:
            for index, (call, future) in enumerate(zip(calls, futures)):
                future.add_done_callback(functools.partial(_pass_on, job, index, call))
        await function(*(Arg(call.argument, future) for call, future in zip(calls, futures)))
        for index, (call, future) in enumerate(zip(calls, futures)):
            if future.done():
                _pass_on(job, index, call, future)
            else:
                answer_error(job, index, call, ResultNotSetError('no result was set'))
    except BaseException as error:
        drop_frames(error, 1)
        for index, (call, future) in enumerate(zip(calls, futures)):
            if future.done():
                _pass_on(job, index, call, future)
        fail_all(job, calls, error)
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        if running is None:
            loop.close()
        job = calls = function = futures = None


def _pass_on(job, index, call, future):
    if future.cancelled():
        answer_error(job, index, call, asyncio.CancelledError())
    elif future.exception() is not None:
        answer_error(job, index, call, future.exception())
    else:
        answer(job, index, call, future.result())
