# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Jobs that are coroutines, on the loop of a LoopThread."""

import asyncio
import inspect
import threading

from gi.repository import GObject

from .answers import complete, drop_frames, fail
from .base import OWN, public, raw
from .task import PythonJob, copy_context, current_job, is_coroutine_function


def is_coroutine(what):
    """Whether submitting it means running a coroutine."""
    return inspect.iscoroutine(what) or is_coroutine_function(what)


async def _as_coroutine(awaitable):
    return await awaitable


@public
class CoroutineJob(PythonJob):
    """A coroutine that runs as a task of asyncio. The job is done when the task has cleared
    up; cancelling the one cancels the other."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonCoroutine'

    def do_run(self):
        own = self.__dict__
        try:
            function, args, kwargs, context = own.pop('_call')
            self._begin(own, own['_shared'], function, args, kwargs, context)
        except BaseException as error:
            drop_frames(error, 2)
            fail(self, error)
        finally:
            self = own = function = args = kwargs = context = None
        return True

    def _begin(self, own, state, function, args, kwargs, context):
        context.run(current_job.set, self)
        coroutine = function if args is None else context.run(function, *args, **kwargs)
        if not inspect.iscoroutine(coroutine):
            coroutine = _as_coroutine(coroutine)
        loop = state.loop
        raw.Job.hold(self)
        own['_task'] = task = context.run(loop.create_task, coroutine)
        state.tasks.add(task)
        task.add_done_callback(self._ended)
        if state.stopping:
            # The others have been cancelled.
            task.cancel()
        else:
            # After its first step, for which it often does not have to be told.
            loop.call_soon(self._listen)

    def _listen(self):
        task = self.__dict__.get('_task')
        if task is None or task.done():
            return
        # However it is asked to stop, and on whatever thread. Not Cancellable's own
        # connect () and disconnect (): the latter waits for handlers.
        cancellable = raw.Job.get_cancellable(self)
        loop = task.get_loop()

        def cancel(cancellable):
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:
                # The loop was closed, after all of its tasks had ended.
                pass

        self.__dict__['_handler'] = (cancellable, GObject.Object.connect(
            cancellable, 'cancelled', cancel))
        if cancellable.is_cancelled():
            task.cancel()

    def _ended(self, task):
        own = self.__dict__
        error = None
        try:
            own.pop('_task', None)
            own.pop('_shared').tasks.discard(task)
            cancellable, handler = own.pop('_handler', (None, None))
            if cancellable is not None:
                GObject.Object.disconnect(cancellable, handler)
            if task.cancelled():
                fail(self, asyncio.CancelledError())
                return
            error = task.exception()
            if error is None:
                complete(self, task.result())
            else:
                fail(self, error)
        finally:
            # A traceback keeps this frame.
            self = own = task = error = cancellable = None

    def _forget_call(self):
        call = self.__dict__.pop('_call', None)
        # Refused, or cancelled before it began.
        if call is not None and call[1] is None:
            call[0].close()

    def do_release(self):
        self._forget_call()
        self.__dict__.pop('_shared', None)

    def wait(self, timeout=None):
        self._refuse_own_loop()
        return PythonJob.wait(self, timeout)

    def result(self, timeout=None):
        self._refuse_own_loop()
        try:
            return PythonJob.result(self, timeout)
        finally:
            self = None

    def exception(self, timeout=None):
        self._refuse_own_loop()
        try:
            return PythonJob.exception(self, timeout)
        finally:
            self = None

    def _refuse_own_loop(self):
        # C takes it that whoever holds a job can answer from anywhere.
        state = self.__dict__.get('_shared')
        if state is not None and state.ident == threading.get_ident() and not self.is_done():
            raise RuntimeError('waiting here would block the loop that has to run the '
                               'coroutine: use "await"')


for _name in ('wait', 'result', 'exception'):
    getattr(CoroutineJob, _name).__doc__ = getattr(PythonJob, _name).__doc__


def make_coroutine_job(state, function, args, kwargs):
    job = CoroutineJob()
    own = job.__dict__
    own['_shared'] = state
    if inspect.iscoroutine(function):
        if args or kwargs:
            raise TypeError('a coroutine has its arguments already')
        args = kwargs = None
    own['_call'] = (function, args, kwargs, copy_context())
    return job
