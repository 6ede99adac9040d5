# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""QueueProxy: a queue of asyncio that belongs to the loop of an AsyncioThread."""

import asyncio
import threading
import types
import weakref

from .base import TimedOut, public


@public
class NotReadyError(RuntimeError):
    """The thread does not run: it was not started yet, or was stopped."""


@public
class QueueProxy:
    """A queue that an AsyncioThread has while it runs; made by create_queue_threadsafe ().

    Its methods are for the loop's own coroutines; other threads have put_threadsafe () and
    get_threadsafe () of the AsyncioThread. Each start of the thread begins with an empty
    queue. NotReadyError while there is none.
    """

    __class_getitem__ = classmethod(types.GenericAlias)

    def __init__(self, maxsize=0):
        self._maxsize = maxsize
        self._state = None
        # The loop for which there is to be none.
        self._skipped = _nothing

    async def get(self):
        """Takes an item out; waits for one."""
        return await self._get_queue().get()

    def get_nowait(self):
        """Takes an item out, or raises asyncio.QueueEmpty."""
        return self._get_queue().get_nowait()

    async def put(self, item):
        """Puts an item in; waits while it is full. Those who wait take turns."""
        queue = self._get_queue()
        async with queue.turn:
            await queue.put(item)

    def put_nowait(self, item):
        """Puts an item in, or raises asyncio.QueueFull."""
        self._get_queue().put_nowait(item)

    def qsize(self):
        """How many items are in it."""
        return self._get_queue().qsize()

    async def _get_within(self, timeout):
        # On the loop, which knows whether the item or the end of the time came first.
        queue = self._get_queue()
        try:
            return queue.get_nowait()
        except asyncio.QueueEmpty:
            pass
        if timeout is None:
            return await queue.get()
        try:
            return await asyncio.wait_for(queue.get(), max(timeout, 0))
        except asyncio.TimeoutError:
            raise TimedOut(f'no item after {timeout} s') from None

    def _begin(self, state, skipped):
        self._state = state
        if skipped is not None:
            self._skipped = weakref.ref(skipped)

    def _check_ready(self):
        loop = None if self._state is None else self._state.loop
        if loop is None or loop is self._skipped():
            raise NotReadyError('the queue is not there: its thread does not run, or it is '
                                'made at the next start')
        return loop

    def _get_queue(self):
        loop = self._check_ready()
        if threading.get_ident() != self._state.ident:
            raise RuntimeError(f'this is not the thread of {self._state.name}: use its methods '
                               'that end in _threadsafe')
        queue = loop.queues.get(self)
        if queue is None:
            queue = loop.queues[self] = _Queue(self._maxsize)
        return queue


class _Queue(asyncio.Queue):
    def __init__(self, maxsize):
        super().__init__(maxsize)
        # asyncio lets a newcomer put before those whom a free place has woken.
        self.turn = asyncio.Lock()


def _nothing():
    return False
