# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Executor: what all executors share."""

import types

from .answers import drop_frames, fail
from .base import override, public, raw
from .future import Future, check_callable, derived, wait
from .mapping import map_on
from .task import make_job

raw_submit_job = raw.Executor.submit_job


@override
class Executor(raw.Executor):
    """Where jobs run: a ThreadExecutor, a LoopThread, a ContextExecutor, or a class of yours
    that implements do_execute (job) and do_shutdown (mode)."""

    def __init_subclass__(cls, **keywords):
        super().__init_subclass__(**keywords)
        body = cls.__dict__.get('do_execute')
        if isinstance(body, types.FunctionType):
            cls.do_execute = _guarded(body)

    def submit(self, function, /, *args, **kwargs):
        """Calls function (*args, **kwargs) on the executor. Returns a Concur.Future for what
        it returns or raises.

        The call sees a copy of the context variables. Its arguments are let go where they
        came from. If the executor refuses, the future is rejected.
        """
        return self._submit(function, args, kwargs)

    def _submit(self, function, args, kwargs, settings=None, cancellable=None):
        job = make_job(function, args, kwargs)
        if settings is not None:
            job.apply_settings(settings)
        raw_submit_job(self, job, cancellable)
        return job

    def submit_job(self, job, cancellable=None):
        """Runs a job of a class of yours, once. Returns the job, which is its future."""
        if isinstance(job, raw.Job):
            token = object()
            if job.__dict__.setdefault('_submitted', token) is not token:
                raise RuntimeError('the job was submitted before: make another one')
        return raw_submit_job(self, job, cancellable)

    def options(self, *, priority=None, name=None, cancellable=None):
        """What to submit through: options (priority=Concur.Priority.HIGH).submit (…)."""
        return Options(self, priority, name, cancellable)

    def map(self, function, *iterables, timeout=None, chunksize=1, buffersize=None):
        """Like the built-in map (), with the calls on the executor, all submitted at once
        or, with buffersize, only so many ahead of the consumer. Yields the values in
        order; at the first error, after timeout seconds, or when the iterator is closed,
        the rest is cancelled. With chunksize so many calls are one job.
        """
        return map_on(self.submit, function, iterables, timeout, chunksize, buffersize)

    def map_range(self, n, chunk, function, cancellable=None):
        """Calls function (batch, first, number) on all threads of the executor, for the
        numbers from first to first + number - 1, at most chunk of them, until all n are
        done. It fills the batch, a Concur.Batch, which is the value of the future.

        The first exception ends it.
        """
        failures = []

        def run(batch, first, number, *_):
            try:
                function(batch, first, number)
                return True
            except BaseException as error:
                drop_frames(error, 1)
                failed = Future.rejected(error)
                failed.ignore()
                # For the future, to find the exception of its error.
                failures.append(failed)
                raise failed.get_error() from None
            finally:
                batch = failed = None

        return derived(raw.Executor.map_range(self, n, chunk, run, cancellable=cancellable),
                       failures)

    def post(self, function, *args):
        """Calls function (*args) on the executor; there is no future, and nobody to ask
        whether it worked. Returns False if the executor refuses."""
        check_callable(function)

        def call():
            function(*args)
        return raw.Executor.post(self, call)

    def shutdown(self, mode=raw.ShutdownMode.DRAIN):
        """Refuses new work. Returns a future, resolved when all that was submitted is over."""
        return raw.Executor.shutdown(self, mode)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        wait(self.shutdown(), None)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.shutdown().shield()

    @staticmethod
    def get_default():
        """The ThreadExecutor that everybody shares. It is never shut down."""
        from .pools import get_default_executor
        return get_default_executor()


def _guarded(body):
    def do_execute(self, job):
        try:
            body(self, job)
        except BaseException as error:
            # PyGObject would only print it, and the job wait for ever.
            drop_frames(error, 1)
            fail(job, error)
        finally:
            self = job = None
    do_execute.__doc__ = body.__doc__
    return do_execute


@public
class Options:
    """An executor with settings for what is submitted through it."""

    def __init__(self, executor, priority, name, cancellable):
        self._executor = executor
        self._settings = (priority, name)
        self._cancellable = cancellable

    def submit(self, function, /, *args, **kwargs):
        return self._executor._submit(function, args, kwargs, self._settings,
                                      self._cancellable)

    def map(self, function, *iterables, timeout=None, chunksize=1, buffersize=None):
        return map_on(self.submit, function, iterables, timeout, chunksize, buffersize)
