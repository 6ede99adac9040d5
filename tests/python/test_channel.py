# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.Channel between threads: values, room, ends, lists."""

import queue
import random
import threading
import unittest
import weakref

from util import LIMIT, SCALE, Case, Concur, Gate, Thing, collect, gone, iterate_until, wait_until

from gi.repository import Gio, GLib, GObject


class Item(GObject.Object):
    def __init__(self, value):
        super().__init__()
        self.value = value


def values():
    loop = []
    loop.append(loop)
    return [None, True, False, 0, -1, 2**31, 2**63 - 1, -2**63, 2**63, -2**100, 1.5, float('inf'),
            '', 'text', 'ä\N{GRINNING FACE}', 'nul\0inside', '\ud800', b'', b'\0bytes', (), (1, 2),
            [1], loop, {}, {1}, ValueError('no'), StopIteration(3), Thing(), Thing, print,
            Item(1), GLib.Bytes.new(b'x'), GLib.Variant('s', 'v'), object(), type]


class TestValues(Case):
    def check_same(self, sent, received):
        self.assertIs(type(received), type(sent))
        if type(sent) in (int, str, float, GLib.Variant, GLib.Bytes):
            self.assertTrue(received == sent or received.equal(sent))
        else:
            self.assertIs(received, sent)

    def test_every_way(self):
        """Every kind of value in every way in, and every way out."""
        ways_in = {
            'send': lambda channel, value: channel.send(value).result(LIMIT),
            'send_many': lambda channel, value: channel.send_many([value]).result(LIMIT),
            'send_wait': lambda channel, value: channel.send_wait(value),
            'send_many_wait': lambda channel, value: channel.send_many_wait([value]),
            'try_send': lambda channel, value: channel.try_send(value),
            'try_send_many': lambda channel, value: channel.try_send_many([value]),
            'give_back': lambda channel, value: channel.give_back(value),
        }
        ways_out = {
            'receive': lambda channel: channel.receive().result(LIMIT),
            'receive_many': lambda channel: channel.receive_many().result(LIMIT)[0],
            'receive_wait': lambda channel: channel.receive_wait(LIMIT),
            'receive_many_wait': lambda channel: channel.receive_many_wait()[0],
            'try_receive': lambda channel: channel.try_receive(),
            'try_receive_many': lambda channel: channel.try_receive_many()[0],
            'for': lambda channel: next(iter(channel)),
        }
        pool = self.pool()
        channel = Concur.Channel()
        for name_in, put in ways_in.items():
            for name_out, get in ways_out.items():
                for value in values():
                    with self.subTest(put=name_in, get=name_out, value=repr(value)[:40]):
                        put(channel, value)
                        self.check_same(value, get(channel))
                        # Waiting is another matter there than on the main thread.
                        pool.submit(put, channel, value).result(LIMIT)
                        self.check_same(value, pool.submit(get, channel).result(LIMIT))
        self.assertEqual(channel.length, 0)

    def test_receiver_is_there_first(self):
        channel = Concur.Channel()
        for value in values():
            waiting = channel.receive()
            many = channel.receive_many()
            channel.send_many_wait([value, value])
            self.check_same(value, waiting.result(LIMIT))
            self.check_same(value, many.result(LIMIT)[0])

    def test_in_gios_manner(self):
        channel = Concur.Channel()
        outcome = []
        channel.send_async([1], None, lambda source, result, *_: outcome.append(
            source.send_finish(result)))
        channel.receive_async(None, lambda source, result, *_: outcome.append(
            source.receive_finish(result)))
        iterate_until(lambda: len(outcome) == 2)
        self.assertCountEqual(outcome, [True, [1]])
        channel.close()
        channel.receive_async(None, lambda source, result, *_: outcome.append(
            self.assertRaises(Concur.ChannelClosed, source.receive_finish, result)))
        iterate_until(lambda: len(outcome) == 3)

    def test_nothing_is_kept(self):
        """What was received, or never will be, is let go of."""
        channel = Concur.Channel()
        thing = Thing()
        first = weakref.ref(thing)
        channel.send_wait(thing)
        del thing
        collect()
        self.assertIsNotNone(first())
        self.assertIsInstance(channel.receive_wait(), Thing)
        self.assertTrue(gone(first))
        thing = Thing()
        second = weakref.ref(thing)
        channel.send_wait(thing)
        del thing
        channel.stop()
        self.assertTrue(gone(second))

    def test_cycles(self):
        """A value that has its own channel goes with it, waiting sender and all."""
        for sends in range(1, 4):
            channel = Concur.Channel(1)
            thing = Thing()
            thing.channel = channel
            futures = [channel.send(thing) for _ in range(sends)]
            references = weakref.ref(channel), weakref.ref(thing)
            del channel, thing, futures
            self.assertTrue(gone(*references))

    def test_cancelled_send_keeps_nothing(self):
        channel = Concur.Channel(1)
        channel.send_wait(1)
        thing = Thing()
        reference = weakref.ref(thing)
        future = channel.send(thing)
        del thing
        self.assertTrue(future.cancel())
        self.assertTrue(gone(reference))
        self.assertEqual(channel.try_receive_many(), [1])

    def test_dropped_channel_stops(self):
        channel = Concur.Channel()
        completion = channel.completion
        receive = channel.receive()
        self.assertFalse(completion.done())
        reference = weakref.ref(channel)
        channel.send_wait((1,))
        late = channel.receive()
        # Nobody can send any more.
        del channel
        self.assertTrue(gone(reference))
        wait_until(completion.done)
        self.assertTrue(completion.cancelled())
        self.assertRaises(Concur.ChannelStopped, late.result, LIMIT)
        # What had come is there.
        self.assertEqual(receive.result(LIMIT), (1,))


class TestRoom(Case):
    def test_capacity(self):
        channel = Concur.Channel(2)
        self.assertEqual((channel.capacity, channel.length, channel.closed), (2, 0, False))
        channel.try_send(1)
        channel.try_send(2)
        self.assertRaises(queue.Full, channel.try_send, 3)
        self.assertRaises(TimeoutError, channel.send_wait, 3, 0.001)
        self.assertRaises(TimeoutError, self.pool().submit(channel.send_wait, 3, 0.001).result)
        third = channel.send(3)
        self.assertFalse(third.done())
        self.assertEqual(channel.receive_wait(), 1)
        third.result(LIMIT)
        self.assertEqual(channel.try_receive_many(), [2, 3])
        self.assertRaises(queue.Empty, channel.try_receive)
        self.assertRaises(TimeoutError, channel.receive_wait, 0.001)
        self.assertRaises(TimeoutError, channel.receive_many_wait, timeout=0.001)
        self.assertEqual(channel.try_send_many([1, 2, 3]), 2)
        self.assertRaises(queue.Full, channel.try_send_many, [3])
        self.assertEqual(channel.length, 2)
        self.assertRaises(ValueError, channel.receive_many, 0)
        self.assertRaises(ValueError, channel.try_receive_many, 0)
        self.assertIn('2 of 2 values', repr(channel))
        self.assertEqual(Concur.Channel.new(3).capacity, 3)

    def test_blocked_sender_and_receiver(self):
        channel = Concur.Channel(1)
        pool = self.pool(2)
        received = pool.submit(channel.receive_wait)
        channel.send_wait('a')
        self.assertEqual(received.result(LIMIT), 'a')
        channel.send_wait('b')
        sent = pool.submit(channel.send_many_wait, ['c', 'd', 'e'])
        self.assertEqual([channel.receive_wait(LIMIT) for _ in range(4)], list('bcde'))
        self.assertEqual(sent.result(LIMIT), 3)

    def test_cancelled_receive_takes_nothing(self):
        channel = Concur.Channel()
        first, second = channel.receive(), channel.receive()
        self.assertTrue(first.cancel())
        channel.send_wait(1)
        self.assertEqual(second.result(LIMIT), 1)
        self.assertTrue(first.cancelled())

    def test_give_back(self):
        channel = Concur.Channel()
        channel.send_many_wait([1, 2, 3])
        one = channel.receive_wait()
        self.assertTrue(channel.give_back(one))
        self.assertEqual(channel.try_receive_many(), [1, 2, 3])
        channel.stop()
        self.assertFalse(channel.give_back(one))


class TestEnds(Case):
    def test_close(self):
        channel = Concur.Channel()
        channel.send_many_wait([1, 2])
        self.assertTrue(channel.close())
        self.assertFalse(channel.close())
        self.assertTrue(channel.closed)
        self.assertRaises(Concur.ChannelClosed, channel.send_wait, 3)
        self.assertRaises(Concur.ChannelClosed, channel.try_send, 3)
        self.assertRaises(Concur.ChannelClosed, channel.send(3).result, LIMIT)
        self.assertEqual(list(channel), [1, 2])
        self.assertRaises(Concur.ChannelClosed, channel.try_receive)
        self.assertRaises(EOFError, channel.receive_wait)
        self.assertRaises(RuntimeError, channel.receive().result, LIMIT)
        self.assertRaises(Concur.ChannelClosed, channel.receive_many().result, LIMIT)
        self.assertRaises(Concur.ChannelClosed, self.pool().submit(channel.receive_wait).result)
        self.assertEqual(channel.completion.result(LIMIT), 2)

    def test_stop(self):
        channel = Concur.Channel(1)
        channel.send_wait(1)
        sending = channel.send(2)
        pool = self.pool()
        blocked = pool.submit(lambda: list(channel))
        self.assertEqual(blocked.exception(0.001) if blocked.done() else None, None)
        channel.stop()
        self.assertRaises(Concur.ChannelStopped, channel.send_wait, 1)
        self.assertRaises(Concur.ChannelStopped, channel.receive_wait)
        self.assertIsInstance(blocked.result(LIMIT), list)
        wait_until(sending.done)
        self.assertTrue(channel.completion.cancelled())
        self.assertEqual(list(channel), [])

    def test_fail(self):
        """The same exception, after the values."""
        channel = Concur.Channel()
        error = KeyError('gone')
        channel.send_many_wait([1, 2])
        parked = Concur.Channel()
        waiting = [parked.receive(), parked.receive_many()]
        for one in channel, parked:
            self.assertTrue(one.fail(error))
            self.assertFalse(one.fail(ValueError()))
            self.assertFalse(one.close())
        for future in waiting:
            self.assertIs(future.exception(LIMIT), error)
        found = []
        with self.assertRaises(KeyError) as caught:
            for value in channel:
                found.append(value)
        self.assertIs(caught.exception, error)
        self.assertEqual(found, [1, 2])
        pool = self.pool()
        for ask in (channel.receive_wait, channel.try_receive, channel.receive().result,
                    channel.receive_many_wait, channel.completion.result,
                    pool.submit(channel.receive_wait).result):
            with self.assertRaises(KeyError) as caught:
                ask()
            self.assertIs(caught.exception, error)
        self.assertRaises(TypeError, channel.fail, 'text')

    def test_fail_of_every_kind(self):
        for error in (Concur.CancelledError(), OSError(2, 'no file'), StopIteration(1), KeyError,
                      GLib.Error('text', 'domain', 3), KeyboardInterrupt()):
            channel = Concur.Channel()
            channel.fail(error)
            with self.subTest(error=repr(error)), self.assertRaises(BaseException) as caught:
                channel.receive_wait()
            if isinstance(error, StopIteration):
                self.assertIsInstance(caught.exception, RuntimeError)
            elif isinstance(error, type):
                self.assertIsInstance(caught.exception, error)
            elif not isinstance(error, Concur.CancelledError):
                self.assertIs(caught.exception, error)
            else:
                self.assertIsInstance(caught.exception, Concur.CancelledError)

    def test_with(self):
        pool = self.pool()
        with Concur.Channel(1) as channel:
            def produce():
                try:
                    for number in range(1000000):
                        channel.send_wait(number)
                except Concur.ChannelStopped:
                    return number
            produced = pool.submit(produce)
            for number in channel:
                if number == 5:
                    break
        self.assertGreater(produced.result(LIMIT), 5)

    def test_iteration_gives_back(self):
        """What an iteration has taken ahead others receive when it ends."""
        channel = Concur.Channel()
        channel.send_many_wait(range(100))
        channel.close()
        found = []
        for number in channel:
            found.append(number)
            if number == 40:
                break
        del number
        collect()
        found += channel
        self.assertEqual(found, list(range(100)))

    def test_completion_stops(self):
        channel = Concur.Channel()
        channel.completion.cancel()
        self.assertRaises(Concur.ChannelStopped, channel.send_wait, 1)


class TestMainLoop(Case):
    def test_for_each(self):
        channel = Concur.Channel(4)
        found = []

        def take(value):
            found.append((value, threading.current_thread()))

        done = channel.for_each(take)
        sent = self.pool().submit(lambda: (channel.send_many_wait(map(str, range(20))),
                                           channel.close()))
        iterate_until(done.done)
        self.assertEqual(done.result(), 20)
        sent.result(LIMIT)
        me = threading.current_thread()
        self.assertEqual(found, [(str(number), me) for number in range(20)])

    def test_for_each_ends(self):
        for outcome in False, KeyError('mine'):
            channel = Concur.Channel()
            channel.send_many_wait([(1,), (2,), (3,)])
            found = []

            def take(value):
                found.append(value)
                if len(found) == 2:
                    if outcome is False:
                        return False
                    raise outcome
            done = channel.for_each(take)
            iterate_until(done.done)
            self.assertEqual(found, [(1,), (2,)])
            if outcome is not False:
                self.assertIs(done.exception(), outcome)
            self.assertRaises(Concur.ChannelStopped, channel.send_wait, 1)
        self.assertRaises(TypeError, Concur.Channel().for_each, 3)

    def test_bind_list_store(self):
        channel = Concur.Channel()
        store = Gio.ListStore.new(Item)
        done = channel.bind_list_store(store, lambda value: None if value == 3 else Item(value))
        channel.send_many_wait([1, (2,), 3, 4])
        channel.close()
        iterate_until(done.done)
        self.assertEqual([item.value for item in store], [1, (2,), 4])
        items = [Item(number) for number in range(3)]
        channel = Concur.Channel()
        store = Gio.ListStore.new(Item)
        done = channel.bind_list_store(store)
        channel.send_many_wait(items)
        channel.close()
        iterate_until(done.done)
        self.assertEqual(list(store), items)

    def test_factory_raises(self):
        channel = Concur.Channel()
        store = Gio.ListStore.new(Item)
        error = KeyError('factory')

        def make(value):
            if value == 2:
                raise error
            return Item(value)
        done = channel.bind_list_store(store, make)
        channel.send_many_wait([1, 2, 3])
        iterate_until(done.done)
        self.assertIs(done.exception(), error)
        self.assertRaises(Concur.ChannelStopped, channel.send_wait, 1)


class TestMany(Case):
    def test_senders_and_receivers(self):
        """Nothing is lost or comes twice, whoever comes and goes."""
        count, each = 8, 2000 // SCALE
        channel = Concur.Channel(7)
        received = [[] for _ in range(count)]
        errors = []

        def guard(function, *args):
            try:
                function(*args)
            except BaseException as error:
                errors.append(error)

        def send(number):
            rng = random.Random(number)
            for value in range(number * each, (number + 1) * each):
                how = rng.randrange(4)
                item = (value,) if value % 3 else value
                if how == 0:
                    channel.send(item).result(LIMIT)
                elif how == 1:
                    channel.send_many_wait([item])
                elif how == 2:
                    while True:
                        waiting = channel.send(item)
                        if not waiting.cancel() and not waiting.cancelled():
                            break
                else:
                    channel.send_wait(item)

        def receive(number):
            rng = random.Random(number + 100)
            mine = received[number]
            try:
                while True:
                    how = rng.randrange(4)
                    if how == 0:
                        mine.append(channel.receive_wait())
                    elif how == 1:
                        mine += channel.receive_many_wait(3)
                    elif how == 2:
                        waiting = channel.receive()
                        if not waiting.cancel() and not waiting.cancelled():
                            mine.append(waiting.result(LIMIT))
                    else:
                        for value in channel:
                            mine.append(value)
                            if rng.randrange(5) == 0:
                                break
            except Concur.ChannelClosed:
                pass

        senders = [threading.Thread(target=guard, args=(send, number)) for number in range(count)]
        receivers = [threading.Thread(target=guard, args=(receive, number))
                     for number in range(count)]
        for thread in senders + receivers:
            thread.start()
        for thread in senders:
            thread.join(LIMIT)
        channel.close()
        for thread in receivers:
            thread.join(LIMIT)
            self.assertFalse(thread.is_alive())
        self.assertEqual(errors, [])
        found = [value[0] if isinstance(value, tuple) else value
                 for mine in received for value in mine]
        self.assertEqual(sorted(found), list(range(count * each)))

    def test_no_future_stays(self):
        with self.all_futures_go():
            channel = Concur.Channel(2)
            for number in range(50):
                channel.send((number,)).result(LIMIT)
                channel.receive().result(LIMIT)
            channel.stop()
            del channel


class TestAsCompleted(Case):
    def test_as_completed(self):
        pool = self.pool(2)
        gate = Gate()
        slow, fast = pool.submit(gate, 'slow'), pool.submit(str, 'fast')
        channel = Concur.Future.as_completed([slow, fast])
        found = [channel.receive_wait(LIMIT)]
        gate.open()
        found += channel
        self.assertEqual([future.result() for future in found], ['fast', 'slow'])
        self.assertEqual(found, [fast, slow])


if __name__ == '__main__':
    unittest.main()
