# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""wait () and as_completed (), as in concurrent.futures, for its futures and ours."""

import collections
import concurrent.futures
import threading
import time

from .base import TimedOut, public, raw
from .future import REJECTED, raw_state
from .future import wait as wait_for_one

FIRST_COMPLETED = concurrent.futures.FIRST_COMPLETED
FIRST_EXCEPTION = concurrent.futures.FIRST_EXCEPTION
ALL_COMPLETED = concurrent.futures.ALL_COMPLETED

_Standard = concurrent.futures.Future
_DoneAndNotDone = type(concurrent.futures.wait(()))

raw_is_done = raw.Future.is_done


def _set_of(futures):
    futures = set(futures)
    for future in futures:
        if not isinstance(future, (raw.Future, _Standard)):
            raise TypeError('a Concur.Future or a concurrent.futures.Future is needed, not '
                            f'{type(future).__name__}')
    return futures


def _is_done(future):
    if isinstance(future, raw.Future):
        return raw_is_done(future)
    # One that was cancelled is not done here before its executor has noticed.
    return getattr(future, '_state', None) != 'CANCELLED' and future.done()


def _has_failed(future):
    """Of one that is done: cancelling is no failure."""
    if isinstance(future, raw.Future):
        return raw_state(future) == REJECTED
    return not future.cancelled() and future.exception() is not None


def _left(deadline):
    return None if deadline is None else deadline - time.monotonic()


class _Arrivals:
    """Futures as they get done, for one thread to take."""

    def __init__(self, futures):
        # Recursive, because the garbage collector may complete something while it grows.
        self._lock = threading.RLock()
        self._arrived = collections.deque()
        self._bell = None
        self._watched = {}
        for future in futures:
            self._watched[future] = _watch(future, self)

    def put(self, future):
        with self._lock:
            self._arrived.append(future)
            bell, self._bell = self._bell, None
        if bell is not None:
            bell.resolve()

    def take(self, deadline):
        """The next one, or None if time is up."""
        while True:
            with self._lock:
                if self._arrived:
                    future = self._arrived.popleft()
                    break
                # A future rather than a condition: C knows then that a worker waits, and
                # can let another one take its place.
                self._bell = bell = raw.Promise()
            left = _left(deadline)
            try:
                if left is not None and left <= 0 or not wait_for_one(bell.get_future(), left):
                    return None
            finally:
                bell.resolve()
        self._watched.pop(future).end(future)
        return future

    def leave(self):
        """Forgets those that have not arrived."""
        while self._watched:
            future, watch = self._watched.popitem()
            watch.end(future)


class _OwnWatch:
    """Of a Concur.Future."""

    def __init__(self, future, arrivals):
        self._token = future._on_done(arrivals.put)

    def end(self, future):
        future._off_done(self._token)


class _StandardWatch:
    """Of the standard library's, as its own wait () does it."""

    def __init__(self, future, arrivals):
        self._arrivals = arrivals
        with future._condition:
            done = _is_done(future)
            if not done:
                future._waiters.append(self)
        if done:
            arrivals.put(future)

    def add_result(self, future):
        self._arrivals.put(future)

    add_exception = add_cancelled = add_result

    def end(self, future):
        with future._condition:
            if self in future._waiters:
                future._waiters.remove(self)


def _watch(future, arrivals):
    kind = _OwnWatch if isinstance(future, raw.Future) else _StandardWatch
    return kind(future, arrivals)


@public
def wait(fs, timeout=None, return_when=ALL_COMPLETED):
    """Waits, at most timeout seconds, for futures of Concur and of concurrent.futures, in
    any mixture: for all, for the first that is done (FIRST_COMPLETED), or for the first
    that fails, else all (FIRST_EXCEPTION).

    Returns the sets (done, not_done).
    """
    if return_when not in (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION):
        raise ValueError(f'Invalid return condition: {return_when!r}')
    deadline = None if timeout is None else time.monotonic() + timeout
    futures = _set_of(fs)

    if return_when == ALL_COMPLETED:
        _wait_all(futures, deadline)
        done = {future for future in futures if _is_done(future)}
        return _DoneAndNotDone(done, futures - done)

    done = {future for future in futures if _is_done(future)}
    left = len(futures) - len(done)
    if left > 0 and not _is_enough(done, return_when):
        arrivals = _Arrivals(futures - done)
        try:
            while left > 0:
                future = arrivals.take(deadline)
                if future is None:
                    break
                left -= 1
                if _is_enough((future,), return_when):
                    break
        finally:
            arrivals.leave()
    # Others may be done, too: while we looked at the first of them, or not have arrived yet.
    done = {future for future in futures if _is_done(future)}
    return _DoneAndNotDone(done, futures - done)


def _is_enough(done, return_when):
    if return_when == FIRST_COMPLETED:
        return len(done) > 0
    return any(_has_failed(future) for future in done)


def _wait_all(futures, deadline):
    # One after the other is as good as all at once, and a worker that waits like that may
    # run them itself.
    others = []
    for future in futures:
        if not isinstance(future, raw.Future):
            others.append(future)
        elif not raw_is_done(future) and not wait_for_one(future, _left(deadline)):
            return
    if others:
        concurrent.futures.wait(others, None if deadline is None else max(0, _left(deadline)))


@public
def as_completed(fs, timeout=None):
    """Yields futures of Concur and of concurrent.futures, in any mixture, as they get done.

    Raises TimeoutError if some are not done timeout seconds after the first was asked for.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pending = _set_of(fs)
    fs = None
    total = len(pending)
    done = [future for future in pending if _is_done(future)]
    pending.difference_update(done)
    arrivals = _Arrivals(pending)
    left, pending = len(pending), None
    try:
        while done:
            # What was handed out is not kept.
            yield done.pop()
        while left > 0:
            future = arrivals.take(deadline)
            if future is None:
                raise TimedOut(f'{left} (of {total}) futures unfinished')
            left -= 1
            done.append(future)
            future = None
            yield done.pop()
    finally:
        arrivals.leave()
