# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""asyncio over a GMainContext: tasks, timers and sockets of asyncio, and GLib's sources, on
one thread."""

import asyncio
import selectors
import signal
import sys
import threading
import time

from gi.repository import GLib

from .base import public

_FAR = 0x7fffffff

# While asyncio has work at hand, GLib need not be asked more often than this.
_PERIOD = 0.0005

# At least once in so many turns files are asked whether they are ready.
_UNASKED = 16

# asyncio looks at its own clock; a timer of GLib that is this much early does no harm.
_CLOSE_US = 500


class ContextSelector(selectors.DefaultSelector):
    """Waits for files by letting the main context wait: for them and for its own sources.

    The context has two sources of it, both of C: a GLib.Source written in Python would be
    asked at each turn of the loop.
    """

    def __init__(self, context):
        super().__init__()
        self._context = context
        self._ready = False
        self._armed = None
        self._last = 0
        self._unasked = 0
        self._muted = False
        # Their time never comes, or is set below; the first is ready when a file is.
        self._files = GLib.timeout_source_new(_FAR)
        self._files.set_ready_time(-1)
        self._tag = self._files.add_unix_fd(self.fileno(), GLib.IOCondition.IN)
        self._files.set_callback(self._dispatched)
        self._files.attach(context)
        self._timer = GLib.timeout_source_new(_FAR)
        self._timer.set_ready_time(-1)
        self._timer.set_callback(self._fired)
        self._timer.attach(context)

    def _dispatched(self, *_):
        if self._ready:
            # Somebody else iterates the context, and asyncio does not get to its files:
            # they must not keep that loop busy.
            self._muted = True
            self._files.modify_unix_fd(self._tag, GLib.IOCondition(0))
        self._ready = True
        return GLib.SOURCE_CONTINUE

    def _fired(self, *_):
        # GLib may call it for a time that was ready before, but had to wait behind sources of
        # a higher priority; it is not armed any more for what came after that.
        self._armed = None
        return GLib.SOURCE_CONTINUE

    def select(self, timeout=None):
        if self._ready:
            timeout = 0
        if timeout is None:
            self._context.iteration(True)
        elif timeout <= 0:
            now = time.monotonic()
            if now - self._last < _PERIOD and not self._ready:
                return []
            self._last = now
            self._context.iteration(False)
        else:
            self._arm(GLib.get_monotonic_time() + min(int(timeout * 1e6) + 1, _FAR * 1000))
            self._context.iteration(True)
        if not self._ready:
            # Behind sources of a higher priority that always are ready, it never is.
            self._unasked += 1
            if self._unasked < _UNASKED:
                return []
        self._unasked = 0
        self._ready = False
        if self._muted:
            self._muted = False
            self._files.modify_unix_fd(self._tag, GLib.IOCondition.IN)
        return super().select(0)

    def _arm(self, time):
        # Each change wakes the context, which costs a turn: what is armed for an earlier
        # time, or about the same, stays.
        if self._armed is None or time < self._armed - _CLOSE_US:
            self._armed = time
            self._timer.set_ready_time(time)

    def close(self):
        self._files.destroy()
        self._timer.destroy()
        super().close()


@public
class EventLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop that is a GLib main loop as well.

    It iterates a main context, so sources of GLib are dispatched and Concur's callbacks
    called while tasks of asyncio run. While somebody iterates the context from inside a
    callback, as a dialog's run () does, tasks have to wait. Subprocesses of asyncio are
    not supported; Gio.Subprocess is.

        asyncio.Runner(loop_factory=Concur.new_event_loop)
    """

    def __init__(self, context=None):
        self._context = (context or GLib.MainContext.get_thread_default()
                         or GLib.MainContext.default())
        super().__init__(ContextSelector(self._context))

    @property
    def context(self):
        """The GLib.MainContext."""
        return self._context

    def run_forever(self):
        if not self._context.acquire():
            raise RuntimeError('the main context belongs to another thread')
        # What is submitted here has this context as its home.
        self._context.push_thread_default()
        wakeup_fd = self._catch_signals()
        try:
            super().run_forever()
        finally:
            if wakeup_fd is not None:
                signal.set_wakeup_fd(wakeup_fd)
            self._context.pop_thread_default()
            self._context.release()

    def _catch_signals(self):
        """Makes signals wake the loop, or Ctrl-C might come just before it sleeps."""
        if threading.current_thread() is not threading.main_thread():
            return None
        try:
            old = signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)
        except (AttributeError, ValueError):
            return None
        if old != -1:
            # Somebody else is told already.
            signal.set_wakeup_fd(old)
            return None
        return old

    def _write_to_self(self):
        # What call_soon_threadsafe () wakes the loop with, without a byte through a socket.
        self._context.wakeup()


@public
def new_event_loop(context=None):
    """An asyncio event loop over a main context, the calling thread's default one if none
    is given."""
    return EventLoop(context)


def run_coroutine(coroutine, timeout):
    if timeout is not None:
        coroutine = asyncio.wait_for(coroutine, timeout)
    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            if timeout is not None:
                coroutine = _as_coroutine(coroutine)
            return runner.run(coroutine)
    loop = new_event_loop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(coroutine)
    finally:
        try:
            # What asyncio.run () does at its end.
            loop.run_until_complete(cancel_tasks(loop))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _as_coroutine(awaitable):
    return await awaitable


async def cancel_tasks(loop, cancel=asyncio.Task.cancel):
    """Cancels all other tasks, by cancel (task), and lets them clear up."""
    # Those that tasks start while they clear up, too.
    while True:
        tasks = asyncio.all_tasks(loop).difference({asyncio.current_task()})
        if not tasks:
            break
        for task in tasks:
            cancel(task)
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled() and task.exception() is not None:
                loop.call_exception_handler({
                    'message': 'a task failed while it was cancelled',
                    'exception': task.exception(),
                    'task': task,
                })
