# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Batcher and aggregate (): many calls answered as one."""

import asyncio
import functools
import inspect

from gi.repository import GLib, GObject

from .answers import drop_frames
from .base import override, public, raw, to_exception, to_us
from .future import Future, callbacks_lock, check_callable, derived
from .looptask import call_in_context, call_on_loop
from .task import describe_function, is_coroutine_function

raw_answer = raw.BatcherJob.answer
raw_answer_error = raw.BatcherJob.answer_error
raw_get_argument = raw.BatcherJob.get_argument


class _Call:
    """What C has as the argument of a call, and Python's side of its answer."""

    def __init__(self, argument):
        self.argument = argument
        self.loop = asyncio._get_running_loop()
        self.context = None
        if self.loop is None:
            self.context = GLib.MainContext.get_thread_default() or GLib.MainContext.default()
        self.value = None
        self._answered = False
        self._failed = None

    def __iter__(self):
        # Where a future finds the exception of its error.
        if self._failed is not None:
            yield self._failed

    def claim(self):
        """Whether this is the first answer."""
        with callbacks_lock:
            first, self._answered = not self._answered, True
        return first

    def keep(self, exception):
        """Returns the GLib.Error that stands for it."""
        self._failed = Future.rejected(exception)
        self._failed.ignore()
        return self._failed.get_error()


def _read(future, call):
    return call.value


def _calls_of(job):
    return [raw_get_argument(job, index) for index in range(raw.BatcherJob.get_n_calls(job))]


def _native(value):
    """What C gets of a value."""
    kind = type(value)
    if kind in (bool, float) or value is None:
        return value
    if kind is int and -1 << 63 <= value < 1 << 63:
        return GObject.Value(GObject.TYPE_INT64, value)
    if kind is str and '\0' not in value:
        try:
            value.encode()
            return value
        except UnicodeError:
            return None
    return value if isinstance(value, (GObject.Object, GLib.Variant, GLib.Bytes)) else None


def answer(job, index, call, value):
    """Resolves a call. Returns False if it has an answer already."""
    if not call.claim():
        return False
    call.value = value
    return raw_answer(job, index, _native(value))


def answer_error(job, index, call, exception):
    """Rejects a call. Returns False if it has an answer already."""
    exception = to_exception(exception)
    if not call.claim():
        return False
    return raw_answer_error(job, index, call.keep(exception))


def _answer_all(job, calls, values):
    values = list(values)
    if len(values) != len(calls):
        raise ValueError(f'{len(calls)} answers are needed, not {len(values)}')
    for index, (call, value) in enumerate(zip(calls, values)):
        answer(job, index, call, value)


def fail_all(job, calls, exception):
    for index, call in enumerate(calls):
        answer_error(job, index, call, exception)


async def _run_coroutine(job, calls, function):
    try:
        _answer_all(job, calls, await function([call.argument for call in calls]))
    except BaseException as error:
        drop_frames(error, 1)
        fail_all(job, calls, error)
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        job = calls = function = None


def _begin(executor, job, calls, run, function):
    """Has the coroutine run (job, calls, function) run on the loop of the executor, or else
    on that of one of those who called."""
    raw.Job.hold(job)
    cancellable = raw.Job.get_cancellable(job)
    loop = asyncio._get_running_loop()
    context = executor.props.context if isinstance(executor, raw.ContextExecutor) else None
    if loop is None and context is None:
        wanted = [call for index, call in enumerate(calls)
                  if raw.BatcherJob.is_wanted(job, index)]
        first = (wanted or calls)[0]
        loop, context = first.loop, first.context
    arguments = (job, calls, function)
    if loop is not None:
        future = call_on_loop(loop, run, arguments, None, cancellable)
    else:
        future = call_in_context(context, run, arguments, None, cancellable)

    def over(future):
        # Answered by now, unless it never began: its loop was closed, or it was cancelled.
        failed = asyncio.CancelledError() if future.cancelled() else future.exception()
        if failed is not None:
            fail_all(job, calls, failed)
    future._on_done(over)


def _runner(function, executor, run):
    def answer_batch(job, *_):
        calls = ()
        try:
            calls = _calls_of(job)
            if run is not None:
                _begin(executor, job, calls, run, function)
            else:
                _answer_all(job, calls, function([call.argument for call in calls]))
        except BaseException as error:
            drop_frames(error, 1)
            fail_all(job, calls, error)
        finally:
            job = calls = None
        return True
    return answer_batch


@override
class Batcher(raw.Batcher):
    """Many calls answered as one: what is asked for within a short time goes to one call of
    a function, and each caller gets the answer to its own question.

        def look_up(keys):
            return database.rows(keys)

        rows = Concur.Batcher(look_up, max_count=100, leeway=0.005)
        row = await rows.call('key')

    The function gets a list of arguments, on a thread of the executor, and returns as many
    answers in order. What it raises is raised for all. A coroutine function runs on the
    executor's loop, if that is a LoopThread or a ContextExecutor, or else on the loop of one
    of those who called. If nobody wants any of the answers any more it is asked to stop.
    """

    def __init__(self, function=None, max_count=0, leeway=0.01, executor=None):
        if max_count < 0:
            raise ValueError('a batch has at least one call, or 0 for no bound')
        if not leeway > 0:
            raise ValueError('the leeway is a number of seconds, more than 0')
        super().__init__(max_count=max_count, leeway=to_us(leeway), executor=executor)
        if function is not None:
            self.set_func(function)

    @classmethod
    def new(cls, max_count, leeway, function, executor=None):
        return cls(function, max_count, leeway, executor)

    def set_func(self, function):
        """For a batcher that was made without a function: sets it, once."""
        check_callable(function)
        self._set_runner(function, _run_coroutine if is_coroutine_function(function) else None)

    def _set_runner(self, function, run):
        with callbacks_lock:
            if '_ready' in self.__dict__:
                raise RuntimeError('it has a function already')
            self.__dict__['_ready'] = True
        raw.Batcher.set_func(self, _runner(function, self.get_executor(), run))

    @property
    def leeway(self):
        """Seconds that the first call of a batch waits for others."""
        return raw.Batcher.get_leeway(self) / 1e6

    def get_leeway(self):
        """Seconds that the first call of a batch waits for others."""
        return self.leeway

    def call(self, argument=None, cancellable=None):
        """A Concur.Future for the answer to one argument. Cancelling it, or giving up the
        await, takes the call out of the batch, which the others do not notice."""
        if '_ready' not in self.__dict__:
            raise RuntimeError('it has no function yet')
        call = _Call(argument)
        return derived(raw.Batcher.call(self, call, cancellable), call, _read)


@override
class BatcherJob(raw.BatcherJob):
    """A batch, as check_cancelled () and Job.get_current () know it in its function."""

    def get_argument(self, index):
        """What a call asks for."""
        return raw_get_argument(self, index).argument

    def answer(self, index, value=None):
        """Answers a call, before the function does it. Returns False if it has an answer."""
        return answer(self, index, raw_get_argument(self, index), value)

    def answer_error(self, index, exception):
        """The same with an exception."""
        return answer_error(self, index, raw_get_argument(self, index), exception)


def check_aggregated(function, leeway, max_count):
    """Raises ValueError for what cannot be aggregated."""
    check_callable(function)
    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        raise ValueError(f'{describe_function(function)} has to take any number of arguments')
    if not leeway > 0:
        raise ValueError('the leeway must be more than 0')
    if max_count is not None and max_count <= 0:
        raise ValueError('the greatest number of calls must be more than 0')


@public
def aggregate(function=None, /, *, leeway=0.01, max_count=None, executor=None):
    """A decorator: calls with one argument each, made within leeway seconds, become one call
    of the function with all of the arguments.

        @Concur.aggregate(leeway=0.005, max_count=100)
        async def look_up(*keys):
            return await database.rows(keys)

        row = await look_up('key')

    The function returns as many answers in order. Calls return a Concur.Future. See Batcher
    for where it runs. ValueError if it does not take *args.
    """
    if function is None:
        return functools.partial(aggregate, leeway=leeway, max_count=max_count,
                                 executor=executor)
    check_aggregated(function, leeway, max_count)
    if is_coroutine_function(function):
        async def spread(arguments):
            return await function(*arguments)
    else:
        def spread(arguments):
            return function(*arguments)
    batcher = Batcher(spread, max_count or 0, leeway, executor)

    @functools.wraps(function)
    def call(argument, /):
        return batcher.call(argument)
    return call
