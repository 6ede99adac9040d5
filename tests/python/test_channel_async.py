# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.Channel in coroutines, on asyncio's loops and on GLib's."""

import asyncio
import unittest
import weakref

from loops import LOOPS
from util import LIMIT, Case, Concur, Thing, gone, wait_until


class Loops(Case):
    def on_each(self, main):
        for name, run, sleep in LOOPS:
            with self.subTest(loop=name):
                run(main(sleep))


class TestAwait(Loops):
    def test_send_and_receive(self):
        async def main(sleep):
            channel = Concur.Channel(1)
            received = channel.receive()
            await channel.send([1])
            self.assertEqual(await received, [1])
            self.assertEqual(await channel.send_many(['a']), 1)
            self.assertEqual(await channel.receive_many(), ['a'])
            channel.close()
            with self.assertRaises(Concur.ChannelClosed):
                await channel.send(1)
            with self.assertRaises(Concur.ChannelClosed):
                await channel.receive()
            self.assertEqual(await channel.completion, 2)
        self.on_each(main)

    def test_error_after_the_values(self):
        async def main(sleep):
            channel, error = Concur.Channel(), KeyError('k')
            channel.send_many([1, (2,)]).ignore()
            channel.fail(error)
            found = []
            with self.assertRaises(KeyError) as caught:
                async for value in channel:
                    found.append(value)
            self.assertIs(caught.exception, error)
            self.assertEqual(found, [1, (2,)])
        self.on_each(main)

    def test_cancelled_wait_takes_nothing(self):
        async def main(sleep):
            for many in False, True:
                channel = Concur.Channel()
                wait = channel.receive_many() if many else channel.receive()
                task = Concur.gather(wait)
                await sleep(0)
                task.cancel()
                try:
                    await task
                except BaseException:
                    pass
                channel.try_send(1)
                self.assertEqual(await channel.receive(), 1)
        self.on_each(main)

    def test_value_of_a_cancelled_await_goes_back(self):
        """It came, and before the task went on the task was cancelled."""
        async def main():
            for many in False, True:
                channel = Concur.Channel()

                async def receive():
                    return await (channel.receive_many() if many else channel.receive())
                task = asyncio.ensure_future(receive())
                await asyncio.sleep(0)
                channel.send_many_wait([(1,), 2])
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                self.assertEqual(channel.try_receive_many(), [(1,), 2])
        asyncio.run(main())

    def test_value_of_a_cancelled_await_goes_back_on_glib(self):
        channel = Concur.Channel()

        async def receive():
            return await channel.receive()
        future = Concur.spawn(receive())
        channel.send_many_wait([(1,), 2])
        future.cancel()
        while not future.done():
            future.iterate(0.01)
        if not future.cancelled():
            channel.give_back(future.result())
        self.assertEqual(channel.try_receive_many(), [(1,), 2])

    def test_timeouts_lose_nothing(self):
        async def main():
            channel = Concur.Channel(4)
            count = 300

            async def receive():
                return await channel.receive()

            def produce():
                for number in range(count):
                    channel.send_wait((number,))
                channel.close()
            produced = self.pool().submit(produce)
            found = []
            while True:
                # Cancelled while the values come, at any point.
                task = asyncio.ensure_future(receive())
                for _ in range(len(found) % 4):
                    await asyncio.sleep(0)
                task.cancel()
                try:
                    found.append((await task)[0])
                except asyncio.CancelledError:
                    try:
                        found.append(channel.try_receive()[0])
                    except Concur.ChannelClosed:
                        break
                    except Exception:
                        await asyncio.sleep(0)
                except Concur.ChannelClosed:
                    break
            await produced
            self.assertEqual(found, list(range(count)))
        asyncio.run(asyncio.wait_for(main(), LIMIT))


class TestIteration(Loops):
    def test_from_a_thread(self):
        async def main(sleep):
            pool = self.pool()
            for capacity in 0, 1, 16:
                channel = Concur.Channel(capacity)

                def produce():
                    for number in range(500):
                        channel.send_wait((number,))
                    channel.close()
                produced = pool.submit(produce)
                self.assertEqual([value[0] async for value in channel], list(range(500)))
                await produced
        self.on_each(main)

    def test_to_a_thread(self):
        async def main(sleep):
            channel = Concur.Channel(3)
            consumed = self.pool().submit(lambda: list(channel))
            for number in range(100):
                await channel.send(number)
            channel.close()
            self.assertEqual(await consumed, list(range(100)))
        self.on_each(main)

    def test_leaving_the_block_stops(self):
        async def main(sleep):
            async with Concur.Channel(1) as channel:
                def produce():
                    try:
                        while True:
                            channel.send_wait(1)
                    except Concur.ChannelStopped:
                        return 'stopped'
                produced = self.pool().submit(produce)
                async for value in channel:
                    break
            self.assertEqual(await produced, 'stopped')
        self.on_each(main)

    def test_several_consumers(self):
        async def main():
            channel = Concur.Channel(8)

            async def consume():
                return [value async for value in channel]
            tasks = [asyncio.ensure_future(consume()) for _ in range(5)]
            threads = [self.pool().submit(lambda: list(channel)) for _ in range(3)]
            for number in range(1000):
                await channel.send(number)
            channel.close()
            found = await asyncio.gather(*tasks) + [await future for future in threads]
            self.assertEqual(sorted(sum(found, [])), list(range(1000)))
        asyncio.run(asyncio.wait_for(main(), LIMIT))

    def test_between_two_loops(self):
        channel, back = Concur.Channel(2), Concur.Channel(2)

        async def double():
            async for number in channel:
                await back.send(number * 2)
            back.close()

        async def main(sleep):
            with Concur.LoopThread() as thread:
                done = thread.submit(double)
                sender = Concur.gather(send())
                self.assertEqual([value async for value in back], list(range(0, 100, 2)))
                await sender
                await done

        async def send():
            for number in range(50):
                await channel.send(number)
            channel.close()
        LOOPS[0][1](main(None))

    def test_break_gives_back(self):
        async def main(sleep):
            channel = Concur.Channel()
            channel.send_many_wait(range(200))
            channel.close()
            found = []
            iteration = channel.__aiter__()
            async for value in iteration:
                found.append(value)
                if value == 50:
                    break
            del iteration
            found += [value async for value in channel]
            self.assertEqual(found, list(range(200)))
        self.on_each(main)

    def test_closed_loop(self):
        """A loop is closed while one of its tasks waits: others receive."""
        channel = Concur.Channel()
        loop = asyncio.new_event_loop()

        async def consume():
            return await channel.receive()
        task = loop.create_task(consume())
        loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()
        channel.try_send(1)
        self.assertEqual(channel.receive_wait(LIMIT), 1)


class TestLeaks(Loops):
    def test_values_and_futures_go(self):
        async def main(sleep):
            references = []
            channel = Concur.Channel(4)

            async def send():
                for _ in range(100):
                    thing = Thing()
                    thing.channel = channel
                    references.append(weakref.ref(thing))
                    await channel.send(thing)
                    del thing
                channel.close()
            sender = Concur.gather(send())
            async for thing in channel:
                pass
            del thing
            await sender
            channel = None
            return references

        for name, run, sleep in LOOPS:
            with self.subTest(loop=name), self.all_futures_go():
                references = run(main(sleep))
                self.assertEqual(len(references), 100)
                self.assertTrue(gone(*references))


if __name__ == '__main__':
    unittest.main()
