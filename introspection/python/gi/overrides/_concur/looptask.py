# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Functions and coroutines as jobs on any asyncio loop, or in a main context, and waiting
for them on another thread."""

import asyncio
import inspect

from gi.repository import GLib, GObject

from .answers import complete, drop_frames, fail
from .base import OWN, public, raw
from .executor import Executor, raw_submit_job
from .future import wait
from .spawn import spawn_on
from .task import HeldPythonJob, copy_context, current_job, get_current_job, origin
from .tasklink import answer, link, unlink

# How often who waits for a loop looks whether that still runs. Loops end silently.
LOOK = 0.25

# After so many looks at which it did not run, two seconds, it is taken for stopped. Between
# two calls of run_until_complete () it does not run either. Not by a clock, which goes on
# when the whole machine stands still.
PATIENCE = 8


class _Anywhere(GObject.Object, Executor):
    """Takes each job to the loop that the job names."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonAnyLoop'

    def do_execute(self, job):
        # If it is closed this raises, and the job is rejected.
        job.__dict__['_loop'].call_soon_threadsafe(raw.Job.execute, job)


_anywhere = _Anywhere()


@public
class TaskJob(HeldPythonJob):
    """A call on an asyncio loop; what it returns is awaited there, by a task, if it can be.
    Done only when that task is over, and cancelling it cancels the task."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonTaskJob'

    def do_run(self):
        own = self.__dict__
        try:
            function, args, kwargs, context = own['_call']
            context.run(current_job.set, self)
            value = context.run(function, *args, **kwargs)
            if not inspect.isawaitable(value):
                complete(self, value)
                return True
            raw.Job.hold(self)
            self._begin(own, context, value)
        except BaseException as error:
            drop_frames(error, 1)
            fail(self, error)
        finally:
            self = own = function = args = kwargs = context = value = None
        return True

    def _begin(self, own, context, awaitable):
        exits = []
        task = context.run(own['_loop'].create_task, _drive(awaitable, exits))

        def ended(task):
            unlink(self)
            if exits:
                fail(self, exits.pop())
            else:
                # The frame is that of _drive ().
                answer(self, task, frames=1)

        task.add_done_callback(ended)
        link(self, task)

    def do_release(self):
        # Of a loop that was closed the task never ends.
        unlink(self)
        HeldPythonJob.do_release(self)


async def _drive(awaitable, exits):
    try:
        return await awaitable
    except SystemExit as error:
        # It is for who asked; a task would end the loop with it.
        exits.append(error)


def call_on_loop(loop, function, args=(), kwargs=None, cancellable=None):
    """A future for function (*args, **kwargs) on an asyncio loop."""
    job = TaskJob()
    own = job.__dict__
    own['_loop'] = loop
    own['_call'] = (function, args, kwargs or {}, copy_context())
    raw_submit_job(_anywhere, job, cancellable)
    return job


async def _call(function, args, kwargs):
    value = function(*args, **kwargs)
    return await value if inspect.isawaitable(value) else value


def call_in_context(context, function, args=(), kwargs=None, cancellable=None):
    """A future for function (*args, **kwargs) in a main context."""
    return spawn_on(raw.ContextExecutor.new(context), _call(function, args, kwargs or {}),
                    None, cancellable)


class _LoopTarget:
    """An asyncio loop that a thread wants to wait for."""

    def __init__(self, loop):
        self._loop = loop

    def call(self, function, args, kwargs, cancellable):
        return call_on_loop(self._loop, function, args, kwargs, cancellable)

    def runs(self):
        return self._loop.is_running()

    def gone(self):
        return self._loop.is_closed()


class _ContextTarget:
    """A main context that a thread wants to wait for."""

    def __init__(self, context):
        self._context = context
        if context.is_owner():
            raise RuntimeError('this is the loop\'s own thread, which must not block: in a '
                               'coroutine use "await"')

    def call(self, function, args, kwargs, cancellable):
        return call_in_context(self._context, function, args, kwargs, cancellable)

    def runs(self):
        if self._context.acquire():
            self._context.release()
            return False
        return True

    def gone(self):
        return False


def find_target(where):
    """What runs where: an asyncio loop, a LoopThread, a main context, loop or
    ContextExecutor, or None for the loop that the job on this thread came from."""
    if asyncio._get_running_loop() is not None:
        raise RuntimeError('a thread that runs a loop must not block: use "await"')
    if where is None:
        where = origin.get(None) or GLib.MainContext.default()
    if isinstance(where, asyncio.AbstractEventLoop):
        return _LoopTarget(where)
    if isinstance(where, raw.LoopThread):
        loop = getattr(where, 'loop', None)
        if loop is None:
            raise RuntimeError(f'{where!r} does not run')
        return _LoopTarget(loop)
    if isinstance(where, GLib.MainLoop):
        where = where.get_context()
    elif isinstance(where, raw.ContextExecutor):
        where = where.props.context or GLib.MainContext.default()
    if isinstance(where, GLib.MainContext):
        return _ContextTarget(where)
    raise TypeError(f'a loop is needed, not {type(where).__name__}')


def call_and_wait(where, function, args, kwargs):
    """Calls function on a loop, awaits what it returns if it can be, and blocks this thread
    for the outcome. Cancelling the job that this thread runs cancels the call."""
    target = find_target(where)
    job = get_current_job()
    cancellable = None if job is None else raw.Job.get_cancellable(job)
    future = target.call(function, args, kwargs, cancellable)
    try:
        _wait_for(future, target)
        if future.cancelled():
            raise asyncio.CancelledError
        return future.result()
    finally:
        future = function = args = kwargs = None


def _wait_for(future, target):
    try:
        stopped = 0
        while not wait(future, LOOK):
            if target.gone():
                raise RuntimeError('the loop was closed before the call was over')
            stopped = 0 if target.runs() else stopped + 1
            if stopped >= PATIENCE:
                raise RuntimeError('the loop does not run')
    except BaseException:
        future.ignore()
        future.cancel(abandon=True)
        raise
    finally:
        future = None


def wait_linked(future):
    """Blocks for a future. Cancelling the job that this thread runs cancels it, too."""
    job = get_current_job()
    if job is None:
        return future.result()
    cancellable = raw.Job.get_cancellable(job)
    handler = GObject.Object.connect(cancellable, 'cancelled', lambda _: future.cancel())
    try:
        if cancellable.is_cancelled():
            future.cancel()
        return future.result()
    finally:
        GObject.Object.disconnect(cancellable, handler)
        future = None
