# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Coroutines: "await future" under asyncio and on plain GLib loops, spawn () and run ()."""

import asyncio

CancelledError = asyncio.CancelledError


def suspend(future):
    """What "await future" does until the future is done."""
    loop = asyncio._get_running_loop()
    if loop is None:
        # Taken by who drives the coroutine: see spawn.py.
        yield future
        return
    waiter = loop.create_future()
    token = future._on_done(Waker(loop, waiter))
    try:
        yield from waiter
    except CancelledError:
        future._give_up_await()
        raise
    finally:
        if not waiter.done() or waiter.cancelled():
            # Many may give up on one that takes long.
            future._off_done(token)
        future = token = None


class Waker:
    """Ends the wait of an asyncio task, from any thread."""

    __slots__ = ('_loop', '_waiter')

    def __init__(self, loop, waiter):
        self._loop = loop
        self._waiter = waiter

    def __call__(self, future):
        try:
            self._loop.call_soon_threadsafe(_wake, self._waiter)
        except RuntimeError:
            # The loop was closed: nobody waits any more.
            pass


def _wake(waiter):
    if not waiter.done():
        waiter.set_result(None)
