# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What Concur.compat.aiomisc has for iterables on threads, and its channel."""

import asyncio
import threading
import unittest

from util import LIMIT, Case, Concur, wait_until

aiomisc = Concur.compat.aiomisc


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, LIMIT))


class TestIterables(Case):
    def test_decorators(self):
        for decorator in aiomisc.threaded_iterable, aiomisc.threaded_iterable_separate:
            for decorate in decorator(max_size=2), decorator(2):
                ended = threading.Event()

                @decorate
                def numbers(count):
                    try:
                        yield from range(count)
                    finally:
                        ended.set()

                async def main():
                    self.assertEqual([n async for n in numbers(20)], list(range(20)))
                    ended.clear()
                    items = numbers(10**9)
                    await items.__anext__()
                    await items.close()
                    self.assertTrue(ended.is_set())
                run(main())
            for decorate in decorator, decorator():
                @decorate
                def few():
                    return range(3)
                self.assertEqual((list(few()), few.sync_call()), ([0, 1, 2], range(3)))

    def test_without_a_bound(self):
        made = []

        @aiomisc.threaded_iterable
        def numbers():
            for number in range(3000):
                made.append(number)
                yield number

        items = numbers()
        next(items)
        wait_until(lambda: len(made) == 3000)

    def test_wrappers(self):
        pool = self.pool()

        async def main():
            loop = asyncio.get_running_loop()
            there = await pool.submit(threading.current_thread)
            for wrapper, options in ((aiomisc.IteratorWrapper, {'executor': pool}),
                                     (aiomisc.IteratorWrapper, {}),
                                     (aiomisc.IteratorWrapperSeparate, {})):
                def produce():
                    while True:
                        yield threading.current_thread()
                items = wrapper(produce, loop=loop, max_size=2, **options)
                self.assertFalse(items.closed)
                async with items:
                    thread = await items.__anext__()
                    self.assertEqual(thread is there, bool(options))
                self.assertTrue(items.closed)
                await items.wait_closed()
        run(main())


class TestChannel(Case):
    def test_from_a_thread(self):
        async def main():
            with aiomisc.FromThreadChannel(maxsize=2) as channel:
                def produce():
                    with channel:
                        for number in range(50):
                            channel.put((number,))
                produced = self.pool().submit(produce)
                found = []
                with self.assertRaises(aiomisc.ChannelClosed):
                    while True:
                        found.append(await channel.get())
                self.assertEqual(found, [(number,) for number in range(50)])
                await produced
        run(main())

    def test_close(self):
        async def main():
            channel = aiomisc.FromThreadChannel()
            self.assertFalse(channel.closed)
            channel.put(1)
            channel.put(2)
            channel.close()
            self.assertTrue(channel.closed and channel.is_closed)
            self.assertRaises(aiomisc.ChannelClosed, channel.put, 3)
            self.assertEqual([await channel.get(), await channel.get()], [1, 2])
            with self.assertRaises(aiomisc.ChannelClosed):
                await channel.get()
            waiting = aiomisc.FromThreadChannel()
            task = asyncio.ensure_future(waiting.get())
            await asyncio.sleep(0)
            waiting.close()
            with self.assertRaises(aiomisc.ChannelClosed):
                await task
        run(main())

    def test_timeout(self):
        async def main():
            channel = aiomisc.FromThreadChannel(timeout=0.001)
            with self.assertRaises(aiomisc.ChannelTimeout):
                await channel.get()
            with self.assertRaises(asyncio.TimeoutError):
                await aiomisc.FromThreadChannel().get(0.001)
            channel.put(1)
            self.assertEqual(await channel.get(LIMIT), 1)
        run(main())

    def test_put_blocks_when_full(self):
        async def main():
            channel = aiomisc.FromThreadChannel(1)
            channel.put(1)
            blocked = self.pool().submit(channel.put, 2)
            self.assertEqual(await channel.get(), 1)
            await blocked
            self.assertEqual(await channel.get(), 2)
        run(main())


if __name__ == '__main__':
    unittest.main()
