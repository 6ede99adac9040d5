# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""map () of executors."""

import collections
import itertools
import time


def map_on(submit, function, iterables, timeout, chunksize, buffersize, call_all=None):
    """Submits the calls now, not when the result is first iterated."""
    if chunksize < 1:
        raise ValueError('chunksize must be >= 1.')
    if buffersize is not None:
        if not isinstance(buffersize, int):
            raise TypeError('buffersize must be an integer or None')
        if buffersize < 1:
            raise ValueError('buffersize must be None or > 0')
        if timeout is not None:
            raise ValueError('cannot specify both buffersize and timeout')
    deadline = None if timeout is None else time.monotonic() + timeout
    calls = zip(*iterables)
    if chunksize > 1:
        # The size of the buffer is in calls as well.
        if buffersize is not None:
            chunksize = min(chunksize, buffersize)
            buffersize //= chunksize
        futures = (submit(call_all or _call_all, function, chunk) for chunk in _chunks(calls, chunksize))
    else:
        futures = (submit(function, *args) for args in calls)
    pending = collections.deque()
    try:
        pending.extend(itertools.islice(futures, buffersize))
    except BaseException:
        _cancel(pending)
        raise
    results = _results(pending, futures if buffersize is not None else (), deadline)
    return _flat(results) if chunksize > 1 else results


def _call_all(function, chunk):
    values = []
    error = None
    try:
        for args in chunk:
            values.append(function(*args))
    except BaseException as raised:
        if not values:
            raise
        # For its place among the values.
        error = raised
    try:
        return values, error
    finally:
        # A traceback keeps this frame, and must not keep what it came with.
        function = chunk = args = values = error = None


def _chunks(calls, size):
    while True:
        chunk = list(itertools.islice(calls, size))
        if not chunk:
            return
        yield chunk


def _results(pending, futures, deadline):
    try:
        while pending:
            # Neither the future nor its value is kept beyond its turn.
            yield _take_first(pending, futures, deadline)
    finally:
        _cancel(pending)


def _take_first(pending, futures, deadline):
    # It stays there until it is done, so that it is cancelled with the rest.
    future = pending[0]
    try:
        value = future.result(None if deadline is None else deadline - time.monotonic())
    finally:
        if future.done():
            pending.popleft()
    # Nobody else has the future, but C may hold it for a moment.
    future.__dict__.pop('_value', None)
    future = None
    pending.extend(itertools.islice(futures, 1))
    return value


def _flat(results):
    try:
        for values, error in results:
            values.reverse()
            while values:
                yield values.pop()
            if error is not None:
                try:
                    raise error
                finally:
                    error = None
    finally:
        results.close()


def _cancel(pending):
    for future in pending:
        future.cancel()
    pending.clear()
