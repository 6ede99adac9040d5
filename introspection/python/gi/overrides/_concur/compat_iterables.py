# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""aiomisc's iterators over what threads make, and its channel from threads to a loop."""

import asyncio
import functools
import queue

from . import iterables
from .channel import Channel
from .channel import ChannelClosed as OurChannelClosed

# As there: an argument without a name is the size.


def _with_size(decorator):
    @functools.wraps(decorator)
    def decorate(func=None, **options):
        if isinstance(func, int) and not isinstance(func, bool):
            func, options['max_size'] = None, func
        # There without a bound.
        options.setdefault('max_size', 0)
        return decorator(func, **options)

    return decorate


threaded_iterable = _with_size(iterables.threaded_iterable)
threaded_iterable_separate = _with_size(iterables.threaded_iterable_separate)


class IteratorWrapper(iterables.ThreadIterator):
    """The items of what gen_func () returns, made on an executor or the shared one. loop is
    not needed."""

    def __init__(self, gen_func, loop=None, max_size=0, executor=None):
        super().__init__(iterables.submitter(executor), gen_func, (), {}, max_size)


class IteratorWrapperSeparate(iterables.ThreadIterator):
    """The same on a thread of its own."""

    def __init__(self, gen_func, loop=None, max_size=0):
        super().__init__(iterables.submit_separately, gen_func, (), {}, max_size)


class ChannelClosed(OurChannelClosed):
    """Nothing is put any more, and all that was put has been got."""


class ChannelTimeout(asyncio.TimeoutError):
    """Nothing came in time."""


class FromThreadChannel:
    """What threads put, coroutines get. maxsize is how many are ahead before put () blocks,
    0 for no bound; timeout is for get (), 0 for none. At the end of "with" it is closed."""

    def __init__(self, maxsize=0, timeout=0):
        self._channel = Channel(maxsize)
        self._timeout = timeout

    def put(self, item):
        """From a thread: blocks while it is full. Raises ChannelClosed."""
        try:
            self._channel.send_wait(item)
        except OurChannelClosed as error:
            raise ChannelClosed(*error.args) from None

    async def get(self, timeout=0):
        """The next item. Raises ChannelTimeout after timeout seconds, if there are any, and
        ChannelClosed."""
        try:
            return self._channel.try_receive()
        except queue.Empty:
            pass
        except OurChannelClosed as error:
            raise ChannelClosed(*error.args) from None
        timeout = timeout or self._timeout or None
        try:
            # In a task of its own, so that what came as it was cancelled goes back.
            return await asyncio.wait_for(self._receive(), timeout)
        except OurChannelClosed as error:
            raise ChannelClosed(*error.args) from None
        except asyncio.TimeoutError:
            raise ChannelTimeout(f'no item after {timeout} s') from None

    async def _receive(self):
        return await self._channel.receive()

    def close(self):
        """Ends it: what was put before can still be got."""
        self._channel.close()

    @property
    def is_closed(self):
        """Whether it was closed."""
        return self._channel.closed

    closed = is_closed

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        self.close()
