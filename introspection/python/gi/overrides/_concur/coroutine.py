# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Jobs of a LoopThread: coroutines, and calls of functions, on its loop."""

import inspect
import threading

from .answers import complete_own, drop_frames, fail
from .base import OWN, public, raw
from .task import (PythonJob, context_from_loop, copy_context, current_job, get_running_loop,
                   is_coroutine_function)
from .tasklink import answer, link, unlink


def is_coroutine(what):
    """Whether submitting it means running a coroutine."""
    return inspect.iscoroutine(what) or is_coroutine_function(what)


async def as_coroutine(awaitable):
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
            self._begin(own, function if args is None else context.run(function, *args, **kwargs),
                        context)
        except BaseException as error:
            drop_frames(error, 1)
            fail(self, error)
        finally:
            self = own = function = args = kwargs = context = None
        return True

    def _begin(self, own, awaitable, context):
        state = own['_shared']
        context.run(current_job.set, self)
        if not inspect.iscoroutine(awaitable):
            awaitable = as_coroutine(awaitable)
            own['_frames'] = 1
        loop = state.loop
        raw.Job.hold(self)
        own['_task'] = task = context.run(loop.create_task, awaitable)
        state.tasks.add(task)
        task.add_done_callback(self._ended)
        if state.stopping:
            # The others have been cancelled.
            state.cancel(task)
        else:
            # After its first step, for which it often does not have to be told.
            loop.call_soon(self._listen)

    def _listen(self):
        own = self.__dict__
        task = own.get('_task')
        if task is not None and not task.done():
            link(self, task, own['_shared'].cancel)

    def _ended(self, task):
        own = self.__dict__
        own.pop('_task', None)
        own.pop('_shared').tasks.discard(task)
        unlink(self)
        answer(self, task, own.pop('_frames', 0))

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
            raise RuntimeError('waiting here would block the loop that has to do the work: '
                               'use "await"')


for _name in ('wait', 'result', 'exception'):
    getattr(CoroutineJob, _name).__doc__ = getattr(PythonJob, _name).__doc__


@public
class CallJob(CoroutineJob):
    """A call of a function. An awaitable that it returns runs as a task as well, and its
    outcome is that of the job."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonLoopCall'

    def do_run(self):
        own = self.__dict__
        try:
            function, args, kwargs, context = own.pop('_call')
            value = context.run(function, *args, **kwargs)
            function = args = kwargs = None
            if hasattr(type(value), '__await__'):
                self._begin(own, value, context)
            elif '_by' not in own:
                own['_value'] = value
                # Who waits may let go of it while this frame is still there.
                value = context = None
                complete_own(self)
        except BaseException as error:
            drop_frames(error, 1)
            if self._may_answer():
                fail(self, error)
        finally:
            self = own = function = args = kwargs = context = value = None
        return True

    def do_release(self):
        CoroutineJob.do_release(self)
        # What came from here is let go here: a widget must not be by the loop's thread.
        self.__dict__.pop('_held', None)


def make_call_job(state, function, args, kwargs):
    if not callable(function):
        raise TypeError(f'{function!r} is not callable')
    job = CallJob()
    own = job.__dict__
    own['_shared'] = state
    own['_held'] = (function, args, kwargs)
    own['_call'] = (function, args, kwargs, copy_context()
                    if get_running_loop() is None else context_from_loop())
    return job


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
