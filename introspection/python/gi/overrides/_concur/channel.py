# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Channel: values from any threads and loops to any others."""

import queue
import time
import weakref

from gi.repository import GLib

from .answers import drop_frames
from .base import (CHANNEL_ERROR, TimedOut, add_error, override, public, raw, to_exception,
                   to_gerror, to_python, to_us)
from .conveniences import here
from .future import (Future, check_callable, derived, is_main_thread, raw_get_value, wait)
from .tokens import Store, pack, packed_is_free, unpack

raw_receive = raw.Channel.receive
raw_receive_many = raw.Channel.receive_many
raw_receive_many_wait = raw.Channel.receive_many_wait
raw_send = raw.Channel.send
raw_send_wait = raw.Channel.send_wait
raw_try_receive_many = raw.Channel.try_receive_many
raw_try_send = raw.Channel.try_send
raw_get_length = raw.Channel.get_length

_EMPTY = int(raw.ChannelError.EMPTY)
_ENDS = (int(raw.ChannelError.CLOSED), int(raw.ChannelError.STOPPED))

# An iteration takes at most so many values ahead of others who receive, and no more than it
# has lately worked off in so many seconds: what one takes that then takes long, others do
# not get.
AHEAD = 64
AHEAD_TIME = 0.001


@public
class ChannelClosed(EOFError, RuntimeError):
    """The channel was closed: nothing can be sent any more, and all that was sent has been
    received."""


@public
class ChannelStopped(ChannelClosed):
    """The channel was stopped: nobody receives from it any more."""


add_error(CHANNEL_ERROR, raw.ChannelError.EMPTY, queue.Empty)
add_error(CHANNEL_ERROR, raw.ChannelError.FULL, queue.Full)
add_error(CHANNEL_ERROR, raw.ChannelError.CLOSED, ChannelClosed)
add_error(CHANNEL_ERROR, raw.ChannelError.STOPPED, ChannelStopped)


def _is_end(error):
    return error.domain == CHANNEL_ERROR and error.code in _ENDS


def _list(batch):
    return [unpack(batch.get_value(index)) for index in range(batch.get_n_items())]


def _list_of(future, inputs):
    return _list(raw_get_value(future))


@override
class Channel(raw.Channel):
    """A queue of values between any threads and loops, with back-pressure.

        channel = Concur.Channel(16)
        pool.submit(produce, channel)       # calls channel.send_wait (value), at the end close ()
        async for value in channel: …

    A value may be anything and is the same object when it is received; a plain int, str or
    float is equal. capacity is how many it holds before senders wait, 0 for no bound. When
    nobody has the channel any more, or at the end of "with" or "async with", it is stopped.
    """

    def __init__(self, capacity=0):
        super().__init__(capacity=capacity)

    @classmethod
    def new(cls, capacity=0):
        """A channel that holds so many values before senders wait; 0 for no bound."""
        return cls(capacity)

    # What came from C has not been through __init__ ().

    @property
    def _store(self):
        own = self.__dict__
        store = own.get('_values')
        return own.setdefault('_values', Store()) if store is None else store

    @property
    def _failures(self):
        # A rejected future with what fail () was given, for others to find it by its error.
        return self.__dict__.setdefault('_failed', [])

    def _link(self, future, receives=None, read=None):
        """For the outcome of a future, and for values that come although it was given up."""
        own = future.__dict__
        # The library does not keep a channel for those who wait, nor do we: if nobody else
        # has it, nothing would come, and it is stopped. The garbage collector does not see
        # that the library has the future meanwhile.
        own['_channel'] = weakref.ref(self)
        if receives is not None:
            own['_receives'] = receives
            # What has come stays.
            own['_values_from'] = self._store
        return derived(future, self._failures, read)

    def _keep(self, future):
        """For what goes on until the end of the channel."""
        future.__dict__['_kept'] = self
        return derived(future, self._failures)

    def _raise(self, error):
        """Raises what there is in Python for an error of C."""
        for failed in self._failures:
            other = failed.get_error()
            if other.domain == error.domain and other.code == error.code:
                raise failed._failure(None)
        raise to_python(error)

    def _give_up(self, future):
        """Ends the wait for a future of receive () or receive_many (). Returns whether it
        has what it waited for."""
        return not future.cancel() and future.state == raw.FutureState.RESOLVED

    def _return(self, future):
        """Puts back what came for a future whose await was given up."""
        receives = future.__dict__.get('_receives')
        if receives is not None and self._give_up(future):
            value = future.get_value()
            for one in reversed(value) if receives == 'many' else (value,):
                self.give_back(one)
        else:
            future.cancel()

    def send(self, value):
        """Sends a value. A future, done when there was room for it; while it waits it can be
        cancelled. Raises ChannelClosed if the channel is closed, and ChannelStopped."""
        packed = pack(self._store, value)
        future = self._link(raw_send(self, packed))
        packed_is_free(packed)
        return future

    def send_many(self, values):
        """Sends values one after the other, with nobody else's between them as long as they
        wait. A future for their number."""
        packed = self._pack_all(values)
        future = self._link(raw.Channel.send_many(self, packed))
        for one in packed:
            packed_is_free(one)
        return future

    def _pack_all(self, values):
        store = self._store
        return [pack(store, value) for value in values]

    def send_wait(self, value, timeout=None):
        """Sends a value, and blocks until there was room for it. TimeoutError after timeout
        seconds, when it is not sent; otherwise raises as send () does."""
        if is_main_thread():
            self._send_on_main(self.send(value), timeout)
            return
        packed = pack(self._store, value)
        try:
            raw_send_wait(self, packed, to_us(timeout))
        except GLib.Error as error:
            self._raise(error)
        packed_is_free(packed)

    def _send_on_main(self, future, timeout):
        # C's own wait would lose KeyboardInterrupt.
        done = False
        try:
            done = wait(future, timeout)
        finally:
            if not done:
                done = not future.cancel()
        if not done:
            raise TimedOut(f'no room after {timeout} s')
        return future.result()

    def send_many_wait(self, values, timeout=None):
        """Sends values one after the other, and blocks until there was room for them. Returns
        their number. TimeoutError after timeout seconds, when some may have been sent."""
        if is_main_thread():
            return self._send_on_main(self.send_many(values), timeout)
        packed = self._pack_all(values)
        try:
            number = raw.Channel.send_many_wait(self, packed, to_us(timeout))
        except GLib.Error as error:
            self._raise(error)
        for one in packed:
            packed_is_free(one)
        return number

    def try_send(self, value):
        """Sends a value if there is room; raises queue.Full if there is none, and
        ChannelClosed and ChannelStopped."""
        packed = pack(self._store, value)
        try:
            raw_try_send(self, packed)
        except GLib.Error as error:
            self._raise(error)
        packed_is_free(packed)

    def try_send_many(self, values):
        """Sends as many of the values as there is room for, and returns their number; raises
        as try_send () does if that is none."""
        number = 0
        # From C there would be the error, and not the number.
        for value in values:
            try:
                self.try_send(value)
            except (queue.Full, ChannelClosed):
                if number == 0:
                    raise
                break
            number += 1
        return number

    def receive(self):
        """Receives a value. A future for it; at the end of the channel it raises
        ChannelClosed or ChannelStopped, or what fail () was given.

        As long as it waits it can be cancelled. If its await is cancelled, no value is lost.
        """
        return self._link(raw_receive(self), 'one')

    def receive_many(self, max_items=256):
        """Receives as many values as there are, and at least one. A future for a list."""
        _check_number(max_items)
        return self._link(raw_receive_many(self, max_items), 'many', _list_of)

    def receive_wait(self, timeout=None):
        """Receives a value, and blocks until there is one. TimeoutError after timeout
        seconds; otherwise raises as receive () does."""
        if is_main_thread():
            return self._receive_on_main(self.receive(), timeout)
        return self.receive_many_wait(1, timeout)[0]

    def receive_many_wait(self, max_items=256, timeout=None):
        """Receives as many values as there are, as a list, and blocks until there is one."""
        _check_number(max_items)
        if is_main_thread():
            return self._receive_on_main(self.receive_many(max_items), timeout)
        try:
            return _list(raw_receive_many_wait(self, max_items, to_us(timeout)))
        except GLib.Error as error:
            self._raise(error)

    def _receive_on_main(self, future, timeout):
        done = False
        try:
            done = wait(future, timeout)
        except BaseException:
            self._return(future)
            raise
        if not done and not self._give_up(future):
            raise TimedOut(f'nothing was received in {timeout} s')
        return future.result()

    def try_receive(self):
        """Receives a value if there is one; raises queue.Empty if there is none, and
        otherwise as receive () does."""
        return self.try_receive_many(1)[0]

    def try_receive_many(self, max_items=256):
        """Receives as many values as there are, as a list; raises as try_receive () does if
        that is none."""
        _check_number(max_items)
        try:
            return _list(raw_try_receive_many(self, max_items))
        except GLib.Error as error:
            self._raise(error)

    def receive_finish(self, result):
        """The outcome of receive_async ()."""
        try:
            return unpack(raw.Channel.receive_finish(self, result))
        except GLib.Error as error:
            self._raise(error)

    def send_async(self, value, cancellable=None, callback=None, user_data=None):
        """Sends a value in GIO's manner."""
        packed = pack(self._store, value)
        raw.Channel.send_async(self, packed, cancellable, callback, user_data)
        packed_is_free(packed)

    def give_back(self, value):
        """Puts a value that was received before all others. False: nobody receives it, for
        the channel was stopped."""
        packed = pack(self._store, value)
        done = raw.Channel.give_back(self, packed)
        packed_is_free(packed)
        return done

    def fail(self, exception):
        """Closes the channel with an exception, which receivers get after the last value.
        Returns False if it was closed before."""
        exception = to_exception(exception)
        failed = Future.rejected(exception)
        failed.ignore()
        # Before anybody gets to know of it.
        self._failures.append(failed)
        if raw.Channel.fail(self, to_gerror(exception) if failed.cancelled()
                            else failed.get_error()):
            return True
        self._failures.remove(failed)
        return False

    @property
    def completion(self):
        """A future for the end: the number of values received, or the exception of fail (),
        or cancelled if it was stopped. Cancelling it stops the channel."""
        return derived(raw.Channel.dup_completion(self), self._failures)

    def dup_completion(self):
        """The same as completion."""
        return self.completion

    def for_each(self, function, *, context=None):
        """Calls function (value) in a main context for each value: in the thread-default one
        of the caller, which in GTK code is the main loop's, or in context. For a main loop
        that costs least.

        If it returns False or raises, the channel is stopped. A future for the number of
        calls, or for the exception; cancelling it ends the calls and leaves the channel.
        """
        check_callable(function)
        errors = []

        def call(channel, value, *_):
            try:
                return function(unpack(value)) is not False
            except BaseException as error:
                drop_frames(error, 1)
                errors.append(error)
                return False
            finally:
                channel = value = None

        return _with_errors(self._keep(raw.Channel.for_each(self, call, context=context)), errors)

    def bind_list_store(self, store, factory=None):
        """Appends factory (value) for each value to a Gio.ListStore, or the values themselves
        if they are the items; None is left out. In the caller's main context, and however
        fast they come it goes on with its other work.

        If factory raises, the channel is stopped. A future for the number of items, or for
        the exception; cancelling it ends it and leaves the channel.
        """
        if factory is None:
            return self._keep(raw.Channel.bind_list_store(self, store))
        check_callable(factory)
        errors = []

        def call(value, *_):
            try:
                return factory(unpack(value))
            except BaseException as error:
                drop_frames(error, 1)
                errors.append(error)
                self.stop()
                return None
            finally:
                value = None

        return _with_errors(self._keep(raw.Channel.bind_list_store(self, store, call)), errors)

    def __iter__(self):
        return _Iteration(self)

    def __aiter__(self):
        return _Iteration(self)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        self.stop()

    def __repr__(self):
        return '<{} at {:#x}: {} of {} values{}>'.format(
            type(self).__name__, id(self), self.get_length(), self.get_capacity() or 'any number',
            ', closed' if self.is_closed() else '')


def _check_number(max_items):
    if max_items < 1:
        raise ValueError('to receive is at least one value')


def _with_errors(future, errors):
    """A future for the same, or for what was raised on the way."""
    def check(*_):
        if errors:
            raise errors.pop()

    return future.ensure(check, executor=here)


class _Iteration:
    """for and async for over a channel; values that it has taken ahead go back when it
    goes."""

    __slots__ = ('_channel', '_values', '_number', '_since')

    def __init__(self, channel):
        self._channel = channel
        # The first is last.
        self._values = []
        self._number = 1
        self._since = 0

    def __iter__(self):
        return self

    def __aiter__(self):
        return self

    def __next__(self):
        values = self._values
        if values:
            return values.pop()
        try:
            if self._take():
                return values.pop()
            return self._channel.receive_wait()
        except ChannelClosed:
            raise StopIteration from None
        finally:
            self = values = None

    async def __anext__(self):
        values = self._values
        if values:
            return values.pop()
        try:
            if self._take():
                return values.pop()
            return await self._channel.receive()
        except ChannelClosed:
            raise StopAsyncIteration from None
        finally:
            self = values = None

    def _take(self):
        """Takes what there is, without waiting. Returns whether that is anything."""
        channel = self._channel
        now = time.monotonic()
        self._number = (min(self._number * 2, AHEAD) if now - self._since < AHEAD_TIME
                        else 1)
        self._since = now
        if raw_get_length(channel) == 0:
            return False
        try:
            batch = raw_try_receive_many(channel, self._number)
        except GLib.Error as error:
            if error.domain == CHANNEL_ERROR and error.code == _EMPTY:
                return False
            channel._raise(error)
        self._values.extend(reversed(_list(batch)))
        return True

    def __del__(self):
        values = self._values
        if values:
            # The last of the list is the first to be received.
            channel = self._channel
            for value in values:
                channel.give_back(value)
