# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The blocks of a task group: "async with" on any loop, and "with" on a thread."""

import asyncio
import threading
import weakref

from gi.repository import GLib, GObject

from . import bridge
from .base import CANCELLED_TYPES, OWN, CancelledError, public, raw
from .future import REJECTED, RESOLVED, is_main_thread, raw_state, wait
from .spawn import _CANCEL, SpawnedJob, _Turn
from .task import get_current_job


class _Waiting:
    """What can be awaited until a future is done, however that ended."""

    __slots__ = ('_future',)

    def __init__(self, future):
        self._future = future

    def __await__(self):
        if not self._future.is_done():
            yield from bridge.suspend(self._future)


def _connect(cancellable, function):
    # Not Cancellable's own connect () and disconnect (): the latter waits for handlers.
    return cancellable, GObject.Object.connect(cancellable, 'cancelled', function)


def _raise(exception):
    """Raises what somebody else has raised before, and leaves it as it came."""
    context = exception.__context__
    try:
        raise exception
    finally:
        exception.__context__ = context
        exception = context = None


class _AnyBlock:
    """What the two kinds have in common."""

    def __init__(self, group, members):
        self._group = group
        self._members = members

    def _end(self, exception, outside, cancelled, was_stopped):
        """The block and all members are over: what comes of that? outside: who runs the block
        was cancelled itself."""
        future = self._group.close()
        try:
            if outside:
                future.ignore()
                if isinstance(exception, CANCELLED_TYPES):
                    return
                raise cancelled
            if exception is not None and not (was_stopped
                                              and isinstance(exception, CANCELLED_TYPES)):
                future.ignore()
                return
            state = raw_state(future)
            if state == RESOLVED:
                # With an exception it was told to stop, and collects.
                return
            if state == REJECTED:
                _raise(future._failure(cancelled))
            raise future._failure(cancelled)
        finally:
            self = exception = future = None


class CoroutineBlock(_AnyBlock):
    """The block of an "async with". When the group is told to stop, so is the coroutine."""

    def __init__(self, group, members):
        super().__init__(group, members)
        loop = asyncio._get_running_loop()
        if loop is None:
            self._runner = _Spawned()
        else:
            self._runner = _Task(loop)
        reference = weakref.ref(self._runner)

        def stop(cancellable):
            runner = reference()
            if runner is not None:
                runner.interrupt()
        cancellable, self._handler = _connect(group.get_cancellable(), stop)
        if cancellable.is_cancelled():
            stop(cancellable)

    async def leave(self, exception):
        group, runner = self._group, self._runner
        try:
            runner.active = False
            GObject.Object.disconnect(group.get_cancellable(), self._handler)
            was_stopped = group.is_cancelled()
            outside = runner.is_cancelled()
            if exception is not None:
                group.cancel()
            # As long as members run they may add others.
            for future in self._members.ends():
                await self._wait(future)
            await self._wait(group.close())
            outside = outside or runner.is_cancelled()
            self._end(exception, outside, asyncio.CancelledError, was_stopped)
        finally:
            self = group = runner = exception = future = None

    async def _wait(self, future):
        try:
            while not future.is_done():
                try:
                    await _Waiting(future)
                except asyncio.CancelledError:
                    self._runner.note_cancelled()
                    self._group.cancel()
        except BaseException:
            # The coroutine is being thrown away.
            self._group.cancel()
            raise
        finally:
            self = future = None


class _Task:
    """A task of asyncio that runs a block."""

    def __init__(self, loop):
        self._loop = loop
        self._task = asyncio.current_task(loop)
        self._before = self._count()
        self._interrupted = False
        self._noted = False
        self.active = True

    def interrupt(self):
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            # The loop was closed.
            pass

    def _cancel(self):
        if self.active and not self._interrupted and self._task is not None:
            self._interrupted = True
            self._task.cancel()

    def _count(self):
        # How often it was cancelled: from Python 3.11 on.
        return self._task.cancelling() if hasattr(self._task, 'cancelling') else 0

    def is_cancelled(self):
        if self._interrupted:
            self._interrupted = False
            if hasattr(self._task, 'uncancel'):
                self._task.uncancel()
        return self._noted or self._count() > self._before

    def note_cancelled(self):
        # The block is over, so it was not we.
        self._noted = True


@public
class _Interrupt(_Turn):
    """Cancels a coroutine on a plain GLib loop, if that is in the block still."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonInterrupt'

    def do_run(self):
        runner = self.__dict__.pop('_runner')
        if runner.active:
            return _Turn.do_run(self)
        self.__dict__['_of_turn'] = None
        raw.Job.return_boolean(self, True)
        return True


class _Spawned:
    """A coroutine on a plain GLib loop that runs a block."""

    def __init__(self):
        job = get_current_job()
        # Driven by somebody else it cannot be interrupted.
        self._job = job if isinstance(job, SpawnedJob) else None
        self._interrupted = False
        self._noted = False
        # In what a cancelled one does at its end.
        self._before = self._is_asked()
        self.active = True

    def interrupt(self):
        if self._job is None or self._interrupted:
            return
        self._interrupted = True
        turn = _Interrupt()
        turn.__dict__['_runner'] = self
        turn.__dict__['_of_turn'] = (self._job, _CANCEL)
        raw.Executor.submit_job(self._job.__dict__['_turns'], turn, None).ignore()

    def _is_asked(self):
        return self._job is not None and raw.Job.is_cancelled(self._job)

    def is_cancelled(self):
        return self._noted or self._is_asked() and not self._before

    def note_cancelled(self):
        self._noted = True


class Block(_AnyBlock):
    """The block of a "with". Cancelling the job that the thread runs cancels the group."""

    def __init__(self, group, members):
        if asyncio._get_running_loop() is not None:
            raise RuntimeError('a thread that runs a loop must not block: use "async with"')
        super().__init__(group, members)
        self._job = get_current_job()
        self._handler = None
        if self._job is not None:
            reference = weakref.ref(group)

            def stop(cancellable):
                group = reference()
                if group is not None:
                    group.cancel()
            cancellable, self._handler = _connect(raw.Job.get_cancellable(self._job), stop)
            if cancellable.is_cancelled():
                group.cancel()

    def leave(self, exception):
        group = self._group
        interrupt = None
        try:
            was_stopped = group.is_cancelled()
            if exception is not None:
                group.cancel()
            try:
                self._wait_for_all(group)
            except KeyboardInterrupt as error:
                # A second one does not wait any more.
                interrupt = error
                group.cancel()
                self._wait_for_all(group)
            outside = self._job is not None and raw.Job.is_cancelled(self._job)
            if interrupt is not None:
                group.close().ignore()
                raise interrupt
            self._end(exception, outside, CancelledError, was_stopped)
        except BaseException:
            group.cancel()
            raise
        finally:
            if self._handler is not None:
                GObject.Object.disconnect(raw.Job.get_cancellable(self._job), self._handler)
            self = group = exception = interrupt = None

    def _wait_for_all(self, group):
        # As long as members run they may add others.
        for future in self._members.ends():
            self._wait(future)
        self._wait(group.close())

    def _wait(self, future):
        # As Concur.run () does, where nobody else runs the loop for coroutines.
        if GLib.main_depth() == 0 and (is_main_thread()
                                       or GLib.MainContext.get_thread_default() is not None):
            future.iterate()
        else:
            wait(future, None)
