# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Limiter: permits and rates. Retry: once more, after a while."""

import asyncio
import functools
import inspect
import itertools
import random

from gi.repository import GObject

from .base import CANCELLED_TYPES, TimedOut, override, public, raw, to_us
from .conveniences import refuse_generator_function
from .future import RESOLVED, check_callable, raw_state, wait
from .looptask import call_on_loop
from .spawn import sleep, spawn
from .task import check_cancelled, is_coroutine_function, make_job

get_current_job = raw.Job.get_current


def _seconds(us):
    return us / 1e6


def _give_up(limiter, future):
    """Nobody waits for the permit any more: it must not be lost if it has arrived."""
    if not future.cancel():
        wait(future, None)   # whoever gives it may have it in hand at this moment
        if raw_state(future) == RESOLVED:
            limiter.release()


@override
class Limiter(raw.Limiter):
    """At most so many at a time, and at most so many in a while.

        limiter = Concur.Limiter(4, rate=10)    # four at once, ten in any second

        async with limiter:
            await fetch(url)

    "with" does the same on threads, and submit () for a function on an executor. Those who
    wait take turns; one that is cancelled passes its turn on.
    """

    def __init__(self, permits=1, rate=0, period=1.0, **properties):
        if permits < 0 or rate < 0:
            raise ValueError('neither permits nor rate can be less than 0')
        if to_us(period) <= 0:
            raise ValueError('the period is a number of seconds, more than 0')
        super().__init__(permits=permits, rate=rate, period=to_us(period), **properties)

    @classmethod
    def new(cls, permits):
        return cls(permits)

    @classmethod
    def new_with_rate(cls, permits, rate, period):
        return cls(permits, rate, period)

    @property
    def period(self):
        """Seconds in which there are at most so many as the rate says."""
        return _seconds(raw.Limiter.get_period(self))

    @period.setter
    def period(self, seconds):
        self.set_period(seconds)

    def get_period(self):
        """Seconds in which there are at most so many as the rate says."""
        return _seconds(raw.Limiter.get_period(self))

    def set_period(self, seconds):
        if to_us(seconds) <= 0:
            raise ValueError('the period is a number of seconds, more than 0')
        raw.Limiter.set_period(self, to_us(seconds))

    def release(self):
        """Returns a permit, on any thread. RuntimeError if none is out."""
        if self.get_borrowed() == 0:
            raise RuntimeError('a permit is returned that nobody has')
        raw.Limiter.release(self)

    def acquire_wait(self, timeout=None):
        """Blocks until a permit is the caller's. TimeoutError after timeout seconds."""
        if raw.Limiter.try_acquire(self):
            return
        future = raw.Limiter.acquire(self)
        arrived = False
        try:
            arrived = wait(future, timeout)
        finally:
            if not arrived:
                _give_up(self, future)
        if not arrived:
            raise TimedOut(f'no permit after {timeout} s')
        future.result()

    async def _acquire(self):
        if raw.Limiter.try_acquire(self):
            return
        future = raw.Limiter.acquire(self)
        try:
            await future
        except asyncio.CancelledError:
            _give_up(self, future)
            raise

    def submit(self, function, /, *args, **kwargs):
        """Calls function (*args, **kwargs) on the executor that everybody shares, when there
        is a permit. Returns a Concur.Future; the permit returns when the call has ended."""
        return self._submit(None, None, None, function, args, kwargs)

    def _submit(self, executor, settings, cancellable, function, args, kwargs):
        job = make_job(function, args, kwargs)
        if settings is not None:
            job.apply_settings(settings)
        raw.Limiter.submit_job(self, executor, job, cancellable)
        return job

    def submit_job(self, job, executor=None, cancellable=None):
        """Runs a job of a class of yours, when there is a permit. Returns the job."""
        return raw.Limiter.submit_job(self, executor, job, cancellable)

    def options(self, executor=None, *, priority=None, name=None, cancellable=None):
        """What to submit through: options (pool, name='x').submit (…)."""
        return LimiterOptions(self, executor, (priority, name), cancellable)

    def __enter__(self):
        self.acquire_wait()
        return self

    def __exit__(self, *exception):
        self.release()

    async def __aenter__(self):
        await self._acquire()
        return self

    async def __aexit__(self, *exception):
        self.release()


@public
class LimiterOptions:
    """A limiter with an executor and settings for what is submitted through it."""

    def __init__(self, limiter, executor, settings, cancellable):
        self._limiter = limiter
        self._settings = (executor, settings, cancellable)

    def submit(self, function, /, *args, **kwargs):
        return self._limiter._submit(*self._settings, function, args, kwargs)


@override
class Retry(raw.Retry):
    """Does something again when it fails, after a while that grows.

        retry = Concur.Retry(max_attempts=5, first_delay=0.2)
        page = await retry.run(lambda attempt: pool.submit(fetch, url))

    run (function) calls function (attempt), whose answer is a future, another awaitable, or
    a value. The exception of the last attempt is raised in the end.
    """

    def __init__(self, max_attempts=3, first_delay=0.1, factor=2.0, max_delay=60.0, jitter=0.5,
                 on=Exception):
        super().__init__(max_attempts=max_attempts, first_delay=to_us(first_delay),
                         factor=factor, max_delay=to_us(max_delay), jitter=jitter)
        # Raises TypeError for what is no exception.
        issubclass(Exception, on)
        self.__dict__['_on'] = on

    @classmethod
    def new(cls, max_attempts, first_delay):
        return cls(max_attempts, first_delay)

    @property
    def first_delay(self):
        """Seconds before the second attempt."""
        return _seconds(raw.Retry.get_first_delay(self))

    @property
    def max_delay(self):
        """Seconds before any attempt, at most."""
        return _seconds(raw.Retry.get_max_delay(self))

    def get_first_delay(self):
        """Seconds before the second attempt."""
        return self.first_delay

    def get_max_delay(self):
        """Seconds before any attempt, at most."""
        return self.max_delay

    def delays(self):
        """The seconds to wait after each failed attempt, jitter included; no end if there is
        no end of attempts."""
        left, delay = self.max_attempts - 1, self.first_delay
        while left != 0:
            yield min(delay, self.max_delay) * (1 - random.random() * self.jitter)
            delay, left = min(delay * self.factor, self.max_delay), left - 1

    def set_filter(self, function):
        """From now on only what function (exception, attempt) says True of is tried again."""
        check_callable(function)
        self.__dict__['_filter'] = function

    def run(self, function, /, *, cancellable=None):
        """A future for what function (attempt) has to say in the end. It is called on the
        loop that this is called on, asyncio's or else a plain GLib loop; so are its
        coroutines. Cancelling the future cancels the attempt that goes on."""
        check_callable(function)

        async def begin(attempt):
            answer = function(attempt)
            return await answer if inspect.isawaitable(answer) else answer

        loop = asyncio._get_running_loop()
        if loop is None:
            return spawn(self._repeat(begin), cancellable=cancellable)
        future = call_on_loop(loop, self._repeat, (begin,))
        if cancellable is not None:
            _follow(future, cancellable)
        return future

    def _wants(self, error, attempt):
        own = self.__dict__
        return isinstance(error, own['_on']) and (
            '_filter' not in own or own['_filter'](error, attempt))

    async def _repeat(self, begin):
        delays = self.delays()
        for attempt in itertools.count(1):
            try:
                return await begin(attempt)
            except CANCELLED_TYPES:
                raise
            except Exception as error:
                delay = next(delays, None)
                if delay is None or not self._wants(error, attempt):
                    raise
            await sleep(delay)

    def _repeat_here(self, call):
        delays = self.delays()
        for attempt in itertools.count(1):
            try:
                return call()
            except CANCELLED_TYPES:
                raise
            except Exception as error:
                delay = next(delays, None)
                if delay is None or not self._wants(error, attempt):
                    raise
            # A wait of the library's, which knows then that a worker waits.
            wait(sleep(delay), None)
            if get_current_job() is not None:
                check_cancelled()


def _follow(future, cancellable):
    handler = GObject.Object.connect(cancellable, 'cancelled', lambda _: future.cancel())
    # Not Cancellable's own disconnect (), which waits for handlers.
    future.add_done_callback(lambda _: GObject.Object.disconnect(cancellable, handler))
    if cancellable.is_cancelled():
        future.cancel()


@public
def retry(function=None, /, *, max_attempts=3, first_delay=0.1, factor=2.0, max_delay=60.0,
          jitter=0.5, on=Exception):
    """A decorator: a call that fails is tried again, after a while that grows.

        @Concur.retry(max_attempts=5, on=OSError)
        async def fetch(url): …

    max_attempts in all, or 0 for no end; first_delay and max_delay in seconds, each delay factor
    times the one before it, of which a part of up to jitter is left out at random. Only the
    exceptions of on are tried again, cancellation never; the last one is raised. For
    coroutine functions on any loop, and for functions that block the thread they are called
    on: with @Concur.threaded above it, that is one of the pool.
    """
    if function is None:
        return functools.partial(retry, max_attempts=max_attempts, first_delay=first_delay,
                                 factor=factor, max_delay=max_delay, jitter=jitter, on=on)
    check_callable(function)
    policy = Retry(max_attempts, first_delay, factor, max_delay, jitter, on)

    if is_coroutine_function(function):
        @functools.wraps(function)
        async def retried(*args, **kwargs):
            return await policy._repeat(lambda attempt: function(*args, **kwargs))
    else:
        refuse_generator_function(function)

        @functools.wraps(function)
        def retried(*args, **kwargs):
            return policy._repeat_here(lambda: function(*args, **kwargs))
    return retried
