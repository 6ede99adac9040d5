# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The names of asyncio_extras that are about threads."""

import asyncio
import functools

from gi.repository import GLib

from . import blocks
from .conveniences import call_async, call_in_executor, is_executor, submit_to
from .eventloop import EventLoop
from .task import refuse_coroutine_function

__all__ = ['call_async', 'call_in_executor', 'task_factory', 'threadpool']


def _runs_loop():
    """Whether a loop runs on this thread, asyncio's or GLib's."""
    return (asyncio._get_running_loop() is not None
            or GLib.MainContext.ref_thread_default().is_owner())


def _submit_step(executor, function):
    return submit_to(executor, function, (), {})


class _ThreadPool:
    """What threadpool () and threadpool (executor) give: a decorator, and a block."""

    def __init__(self, executor):
        self._executor = executor

    def __call__(self, function):
        return _decorate(function, self._executor)

    async def __aenter__(self):
        blocks.check_driven()
        await blocks.Enter(self._executor, _submit_step)

    async def __aexit__(self, *exception):
        await blocks.LEAVE


def _decorate(function, executor):
    refuse_coroutine_function(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
        if _runs_loop():
            return submit_to(executor, function, args, kwargs)
        return function(*args, **kwargs)

    return call


def threadpool(what=None):
    """As a decorator, bare, with parentheses or with an executor: on a thread that runs a
    loop, a call goes to a worker and returns a Concur.Future; elsewhere, on a worker too,
    it is just a call.

    As a block, "async with threadpool():" or "async with threadpool(executor):", takes the
    coroutine to a worker for the body and back to its loop after it. Awaiting in the body
    raises RuntimeError. A block in a block stays on the worker unless it names another
    executor. Context variables go along and come back. Cancelling the task meanwhile asks
    the body to stop, which it sees by Concur.check_cancelled (), waits for its end, and
    raises CancelledError in the coroutine when that is back on the loop.

    Blocks work on a LoopThread, a Concur.new_event_loop (), in Concur.run () and
    Concur.spawn (); on other loops of asyncio with task_factory. Elsewhere entering one
    raises RuntimeError.
    """
    if what is None or is_executor(what):
        return _ThreadPool(what)
    return _decorate(what, None)


def _drive(coroutine):
    if not asyncio.iscoroutine(coroutine) or isinstance(coroutine, blocks.Driven):
        return coroutine
    return blocks.Driven(coroutine)


def task_factory(loop, coroutine, **keywords):
    """For set_task_factory () of any loop of asyncio: its tasks can have blocks."""
    return asyncio.Task(_drive(coroutine), loop=loop, **keywords)


_create_plain_task = EventLoop.create_task


def _create_task(self, coroutine, **keywords):
    return _create_plain_task(self, _drive(coroutine), **keywords)


# From here on, so that it costs nothing where it is not used.
EventLoop.create_task = _create_task
