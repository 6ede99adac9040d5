# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Coroutines that go to a worker thread for the body of an "async with" and come back.

Only who drives a coroutine can decide where its next step is taken. So entering and leaving
the block hand a mark to the driver: to Driven, which stands between a task of asyncio and
its coroutine, or takes over from spawn () when the first mark comes.
"""

import asyncio
import collections.abc

from . import bridge
from .task import copy_context, origin

CancelledError = asyncio.CancelledError

_MISSING = object()


class Enter:
    """The mark that the next steps are for an executor; None is for the shared one, or in a
    block for that of the block. submit (executor, function) makes a future of a call."""

    __slots__ = ('executor', 'submit')

    def __init__(self, executor, submit):
        self.executor = executor
        self.submit = submit

    def __await__(self):
        yield self


class _Leave:
    """The mark that the block is over."""

    __slots__ = ()

    def __await__(self):
        yield self


LEAVE = _Leave()


class _Step:
    """What a worker does: takes the coroutine to the end of the block, or to a block for
    another executor."""

    def __init__(self, coroutine, error, stack):
        self.coroutine = coroutine
        self.error = error
        # The executors of the blocks that the coroutine is in.
        self.stack = stack
        self.begun = False
        self.mark = None
        self.ended = None
        self.context = None

    def run(self):
        self.begun = True
        try:
            self.mark = self._take()
        except StopIteration as stop:
            self.ended = (stop.value, None)
        except BaseException as error:
            self.ended = (None, error)
        finally:
            self.context = copy_context()
            self = None

    def _take(self):
        executor = self.stack[-1]
        error, self.error = self.error, None
        while True:
            if error is None:
                awaited = self.coroutine.send(None)
            else:
                awaited = self.coroutine.throw(error)
            error = None
            if type(awaited) is Enter:
                if awaited.executor is not None and awaited.executor is not executor:
                    return awaited
                self.stack.append(executor)
            elif awaited is LEAVE:
                self.stack.pop()
                if not self.stack or self.stack[-1] is not executor:
                    return awaited
            else:
                if getattr(awaited, '_asyncio_future_blocking', None):
                    # It was to be taken by a task.
                    awaited._asyncio_future_blocking = False
                error = RuntimeError('attempted to "await" in a worker thread')

    def bring_back(self):
        """Sets the context variables that the block has set."""
        if self.context is not None:
            for variable, value in self.context.items():
                if variable is not origin and variable.get(_MISSING) is not value:
                    variable.set(value)
            self.context = None


class Driven(collections.abc.Coroutine):
    """A coroutine whose blocks are taken to workers. To its task it looks like the coroutine
    itself."""

    def __init__(self, coroutine, mark=None):
        self._coroutine = coroutine
        # What takes the coroutine through the blocks that it is in.
        self._block = None if mark is None else self._blocks(mark)
        self.__name__ = getattr(coroutine, '__name__', type(coroutine).__name__)
        self.__qualname__ = getattr(coroutine, '__qualname__', self.__name__)

    def __getattr__(self, name):
        # cr_frame and others, for those who print tasks.
        return getattr(self._coroutine, name)

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        if self._block is not None:
            return self._go_on(self._block.send, value)
        awaited = self._coroutine.send(value)
        return self._enter(awaited) if type(awaited) is Enter else awaited

    def throw(self, *error):
        if self._block is not None:
            return self._go_on(self._block.throw, *error)
        awaited = self._coroutine.throw(*error)
        return self._enter(awaited) if type(awaited) is Enter else awaited

    def close(self):
        if self._block is None:
            self._coroutine.close()
        else:
            # A worker has the coroutine; it ends where nobody goes on with it.
            self._block.close()

    def _enter(self, mark):
        self._block = self._blocks(mark)
        return self._go_on(self._block.send, None)

    def _go_on(self, method, *arguments):
        while True:
            try:
                return method(*arguments)
            except StopIteration as stop:
                self._block = None
                ended, error = stop.value
            except BaseException:
                self._block = None
                raise
            if ended is not None:
                # On the worker, as a coroutine that leaves its blocks never does.
                value, error = ended
                if error is not None:
                    raise error
                raise StopIteration(value)
            awaited = (self._coroutine.send(None) if error is None
                       else self._coroutine.throw(error))
            if type(awaited) is not Enter:
                return awaited
            self._block = self._blocks(awaited)
            method, arguments = self._block.send, (None,)

    def _blocks(self, mark):
        """Waits for the steps on workers until the coroutine is out of all blocks. Returns
        how it ended, if it did, and what to raise in it."""
        submit = mark.submit
        stack = []
        error = cancelled = None
        while True:
            if mark is not None:
                stack.append(mark.executor)
            step = _Step(self._coroutine, error, stack)
            error = None
            try:
                future = submit(stack[-1], step.run)
            except Exception as refused:
                error = refused
            else:
                # No worker has a use for more.
                cancelled = (yield from _wait(future)) or cancelled
                if not step.begun and error is None:
                    error = cancelled or future.exception()
            step.bring_back()
            if step.begun:
                if step.ended is not None:
                    return step.ended, None
                mark = step.mark if type(step.mark) is Enter else None
                if not stack:
                    return None, cancelled
            else:
                # It has not come into the block.
                if mark is not None:
                    stack.pop()
                    mark = None
                if not stack:
                    return None, error


def _wait(future):
    """Waits to the end, also when cancelled, which has asked the worker to stop. Returns what
    it was cancelled with."""
    cancelled = None
    while not future.done():
        try:
            yield from bridge.suspend(future)
        except CancelledError as error:
            cancelled = error
    return cancelled


def check_driven():
    """Raises RuntimeError where nobody would understand a mark."""
    if asyncio._get_running_loop() is None:
        # spawn (), or a worker.
        return
    task = asyncio.current_task()
    if task is None or not isinstance(task.get_coro(), Driven):
        raise RuntimeError(
            'on this loop a coroutine cannot go to a thread: use '
            '"await Concur.to_thread (function)", or a Concur.LoopThread, or set this '
            'module\'s task_factory on the loop before the task is made')
