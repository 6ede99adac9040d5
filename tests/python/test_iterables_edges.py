# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""How iterables on threads end: early, late, never begun, or given up."""

import asyncio
import gc
import sys
import threading
import unittest
import weakref

from loops import LOOPS
from util import LIMIT, SCALE, Case, Concur, Gate, Thing, gone, wait_until


class Endless:
    """A generator function without an end, that says where it was cleared up."""

    def __init__(self):
        self.begun_on = self.ended_on = None
        self.ended = threading.Event()

    def __call__(self):
        self.begun_on = threading.current_thread()
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            self.ended_on = threading.current_thread()
            self.ended.set()


class Ends(Case):
    def kinds(self):
        """The ways to make one, each with a function that has not run."""
        pool = self.pool()
        for make in (lambda function: pool.generate(function, capacity=3),
                     lambda function: pool.generate(function, capacity=0),
                     lambda function: Concur.threaded_iterable(max_size=2)(function)(),
                     lambda function: Concur.threaded_iterable_separate(max_size=2)(function)()):
            endless = Endless()
            yield endless, make(endless)

    def check_ended(self, endless):
        self.assertTrue(endless.ended.wait(LIMIT))
        self.assertIsNot(endless.ended_on, threading.current_thread())
        self.assertIs(endless.ended_on, endless.begun_on)


class TestEarly(Ends):
    def test_block(self):
        async def main():
            for endless, items in self.kinds():
                async with items:
                    async for item in items:
                        if item == 5:
                            break
                # Nothing has to be waited for.
                self.assertTrue(endless.ended.is_set())
                self.check_ended(endless)
                self.assertTrue(items.closed)
        for name, run, sleep in LOOPS:
            with self.subTest(loop=name):
                run(main())

    def test_block_on_a_thread(self):
        for endless, items in self.kinds():
            with items:
                for item in items:
                    if item == 5:
                        break
            self.assertTrue(endless.ended.is_set())
            self.check_ended(endless)

    def test_close(self):
        for endless, items in self.kinds():
            self.assertEqual((next(items), next(items)), (0, 1))
            self.assertFalse(items.closed)
            ended = items.close()
            ended.result(LIMIT)
            self.check_ended(endless)
            self.assertRaises(StopIteration, next, items)
            # Once more is nothing.
            items.close().result(LIMIT)

    def test_aclose(self):
        async def main():
            for endless, items in self.kinds():
                await items.__anext__()
                await items.aclose()
                self.assertTrue(endless.ended.is_set())
                await items.aclose()
                await items.wait_closed()
                self.assertEqual([item async for item in items], [])
        for name, run, sleep in LOOPS:
            with self.subTest(loop=name):
                run(main())

    def test_dropped(self):
        for endless, items in self.kinds():
            next(items)
            reference = weakref.ref(items)
            del items
            self.assertTrue(gone(reference))
            self.check_ended(endless)

    def test_dropped_on_a_foreign_thread(self):
        for endless, items in self.kinds():
            next(items)
            holder = [items]
            del items
            thread = threading.Thread(target=holder.clear)
            thread.start()
            thread.join(LIMIT)
            gc.collect()
            self.check_ended(endless)

    def test_never_begun(self):
        async def main():
            for endless, items in self.kinds():
                async with items:
                    pass
                self.assertIsNone(endless.begun_on)
                self.assertEqual([item async for item in items], [])
            for endless, items in self.kinds():
                await items.aclose()
                self.assertIsNone(endless.begun_on)
        for name, run, sleep in LOOPS:
            with self.subTest(loop=name):
                run(main())
        for endless, items in self.kinds():
            items.close().result(LIMIT)
            del items
            self.assertIsNone(endless.begun_on)

    def test_before_its_turn(self):
        """It was to begin, and the pool has no thread for it yet."""
        pool = self.pool()
        gate = self.busy(pool)
        endless = Endless()
        items = pool.generate(endless)
        self.assertRaises(TimeoutError, items.receive_wait, 0.001)
        items.close().result(LIMIT)
        gate.open()
        pool.submit(int).result(LIMIT)
        self.assertIsNone(endless.begun_on)

    def test_error_while_clearing_up(self):
        def produce():
            try:
                while True:
                    yield 1
            finally:
                raise KeyError('late')

        async def main():
            items = self.pool().generate(produce, capacity=2)
            await items.__anext__()
            with self.assertRaises(KeyError):
                await items.aclose()
            with self.assertRaises(KeyError):
                async with self.pool().generate(produce, capacity=2) as items:
                    await items.__anext__()
        for name, run, sleep in LOOPS:
            run(main())
        items = self.pool().generate(produce, capacity=2)
        next(items)
        self.assertRaises(KeyError, items.close().result, LIMIT)


class TestGivenUp(Ends):
    def test_cancelled_consumer(self):
        gate = Gate()
        self.addCleanup(gate.open)
        endless = Endless()

        def produce():
            gate()
            yield from endless()

        async def main():
            async def consume():
                async with self.pool().generate(produce) as items:
                    async for item in items:
                        pass
            task = asyncio.ensure_future(consume())
            while not gate._reached.is_set():
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.sleep(0)
            gate.open()
            with self.assertRaises(asyncio.CancelledError):
                await task
        asyncio.run(asyncio.wait_for(main(), LIMIT))

    def test_cancelled_await_loses_nothing(self):
        gate = Gate()
        self.addCleanup(gate.open)

        def produce():
            gate()
            yield from range(3)

        async def main():
            items = self.pool().generate(produce)
            task = asyncio.ensure_future(anext_of(items))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            gate.open()
            self.assertEqual([item async for item in items], [0, 1, 2])
        asyncio.run(asyncio.wait_for(main(), LIMIT))

    def test_loop_closed_while_producing(self):
        for endless, items in self.kinds():
            loop = asyncio.new_event_loop()
            self.assertEqual(loop.run_until_complete(anext_of(items)), 0)
            loop.close()
            # Another goes on with it.
            self.assertEqual(asyncio.run(anext_of(items)), 1)
            del items
            self.check_ended(endless)

    def test_cancelled_pool(self):
        """Who iterates is told, and does not wait for ever."""
        pool = Concur.ThreadExecutor(max_threads=1)
        gate = Gate()
        pool.submit(gate).ignore()
        gate.wait()
        items = pool.generate(range, 3)
        started = threading.Event()
        outcome = []

        def consume():
            started.set()
            try:
                outcome.extend(items)
            except Concur.CancelledError as error:
                outcome.append(type(error))
            except RuntimeError as error:
                # It was too late to begin at all.
                outcome.append(Concur.CancelledError)
        thread = threading.Thread(target=consume)
        thread.start()
        wait_until(lambda: items._stream.job is not None)
        done = pool.shutdown(Concur.ShutdownMode.CANCEL_ALL)
        gate.open()
        thread.join(LIMIT)
        self.assertEqual(outcome, [Concur.CancelledError])
        done.wait(LIMIT)

    def test_executor_that_refuses(self):
        pool = Concur.ThreadExecutor(max_threads=1)
        pool.shutdown().wait(LIMIT)
        items = pool.generate(range, 3)
        self.assertRaises(RuntimeError, next, items)
        items.close().result(LIMIT)

    def test_several_threads_take_from_one(self):
        # So that they get in each other's way.
        self.addCleanup(sys.setswitchinterval, sys.getswitchinterval())
        sys.setswitchinterval(1e-6)
        count = 3000 // SCALE
        items = self.pool().generate(range, count, capacity=1)
        found = [[] for _ in range(8)]
        threads = [threading.Thread(target=mine.extend, args=(items,)) for mine in found]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
            self.assertFalse(thread.is_alive())
        self.assertEqual(sorted(sum(found, [])), list(range(count)))


async def anext_of(items):
    return await items.__anext__()


class TestLeaks(Ends):
    def test_items_and_functions_go(self):
        references = []

        def produce():
            for _ in range(20):
                thing = Thing()
                references.append(weakref.ref(thing))
                yield thing
                del thing
        pool = self.pool()
        with self.all_futures_go():
            for taken in 0, 1, 5, 20:
                items = pool.generate(produce, capacity=4)
                for _ in range(taken):
                    next(items)
                items.close().result(LIMIT)
            things = [weakref.ref(items), weakref.ref(items._stream)]
            del items
        self.assertTrue(gone(*references, *things))
        self.assertGreater(len(references), 20)

    def test_consumer_lets_go_of_each(self):
        """An item is gone before the next is there."""
        gate = Gate()
        self.addCleanup(gate.open)

        def produce():
            yield Thing()
            gate()
            yield Thing()
        items = self.pool().generate(produce)
        reference = weakref.ref(next(items))
        self.assertTrue(gone(reference))
        gate.open()
        self.assertEqual(len(list(items)), 1)


if __name__ == '__main__':
    unittest.main()
