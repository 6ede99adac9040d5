# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Executor.generate (), threaded_iterable () and threaded_iterable_separate ()."""

import asyncio
import concurrent.futures
import contextvars
import functools
import threading
import traceback
import unittest

from loops import LOOPS
from util import LIMIT, Case, Concur, Gate, wait_until

variable = contextvars.ContextVar('variable', default='none')


def here():
    return threading.current_thread()


def numbers(count):
    yield from range(count)


class Loops(Case):
    def on_each(self, main):
        for name, run, sleep in LOOPS:
            with self.subTest(loop=name):
                run(main())


class TestGenerate(Loops):
    def test_items_in_order(self):
        pool = self.pool()
        for capacity in 0, 1, 2, 7, 1024:
            with self.subTest(capacity=capacity):
                self.assertEqual(list(pool.generate(numbers, 300, capacity=capacity)),
                                 list(range(300)))

                async def main():
                    async with pool.generate(numbers, count=300, capacity=capacity) as items:
                        return [item async for item in items]
                for name, run, sleep in LOOPS:
                    self.assertEqual(run(main()), list(range(300)))

    def test_runs_on_the_pool_and_begins_when_asked(self):
        pool = self.pool()
        begun = []

        def produce():
            begun.append(here())
            yield here()
        items = pool.generate(produce)
        pool.submit(int).result(LIMIT)
        self.assertEqual(begun, [])
        self.assertIs(next(items), pool.submit(here).result(LIMIT))
        self.assertEqual(len(begun), 1)
        self.assertRaises(StopIteration, next, items)

    def test_any_iterable(self):
        pool = self.pool()
        self.assertEqual(list(pool.generate(lambda: [1, None, (2,)])), [1, None, (2,)])
        self.assertEqual(list(pool.generate(range, 3)), [0, 1, 2])
        self.assertRaises(TypeError, list, pool.generate(lambda: 3))

    def test_error_after_the_items(self):
        pool = self.pool()
        error = KeyError('k')

        def fail(count):
            yield from range(count)
            raise error
        for count in 0, 1, 5:
            async def main():
                found = []
                try:
                    async for item in pool.generate(fail, count):
                        found.append(item)
                except KeyError as caught:
                    self.assertIs(caught, error)
                    names = [frame.name for frame in traceback.extract_tb(caught.__traceback__)]
                self.assertIn('fail', names)
                self.assertEqual(found, list(range(count)))
            self.on_each(main)
            items = pool.generate(fail, count)
            self.assertEqual([next(items) for _ in range(count)], list(range(count)))
            self.assertRaises(KeyError, next, items)
            self.assertRaises(StopIteration, next, items)

    def test_function_itself_raises(self):
        def fail():
            raise LookupError('no')

        async def main():
            with self.assertRaises(LookupError):
                async for _ in self.pool().generate(fail):
                    pass
        self.on_each(main)

    def test_stop_iteration(self):
        """Not taken for the end."""
        def function():
            raise StopIteration(1)

        def asynchronous():
            raise StopAsyncIteration

        async def main():
            for fail in function, asynchronous:
                with self.assertRaises(RuntimeError):
                    async for _ in self.pool().generate(fail):
                        pass
        self.on_each(main)
        self.assertRaises(RuntimeError, list, self.pool().generate(function))

    def test_refused(self):
        pool = self.pool()

        async def coroutine():
            pass

        async def generator():
            yield 1
        for function in coroutine, generator, functools.partial(generator):
            self.assertRaises(TypeError, pool.generate, function)
            self.assertRaises(TypeError, Concur.threaded_iterable, function)
        self.assertRaises(TypeError, pool.generate, 3)
        self.assertRaises(ValueError, pool.generate, numbers, 1, capacity=-1)
        self.assertRaises(ValueError, Concur.threaded_iterable, max_size=-1)
        self.assertRaises(TypeError, Concur.ContextExecutor().generate, numbers, 1)

    def test_back_pressure(self):
        pool = self.pool()
        made = []

        def produce():
            for number in range(20):
                made.append(number)
                yield number
        items = pool.generate(produce, capacity=4)
        self.assertEqual(next(items), 0)
        wait_until(lambda: len(made) >= 5 or items._stream.room)
        wait_until(lambda: items._stream.room)
        self.assertLessEqual(len(made), 5)
        self.assertEqual(list(items), list(range(1, 20)))

    def test_first_item_is_not_held_back(self):
        gate = Gate()
        self.addCleanup(gate.open)

        def produce():
            yield 1
            gate()
            yield 2

        async def main():
            items = self.pool().generate(produce)
            self.assertEqual(await items.__anext__(), 1)
            gate.open()
            self.assertEqual([item async for item in items], [2])
        self.on_each(main)

    def test_timeout(self):
        gate = Gate()
        self.addCleanup(gate.open)
        items = self.pool().generate(lambda: iter([gate(1), 2]))
        self.assertRaises(TimeoutError, items.receive_wait, 0.001)
        gate.open()
        self.assertEqual(items.receive_wait(LIMIT), 1)
        self.assertEqual(list(items), [2])

    def test_context(self):
        def produce():
            yield variable.get()
            variable.set('changed')
            yield variable.get()

        async def main():
            variable.set('mine')
            items = self.pool().generate(produce)
            variable.set('later')
            self.assertEqual([item async for item in items], ['mine', 'changed'])
            self.assertEqual(variable.get(), 'later')
        self.on_each(main)


@Concur.threaded_iterable
def bare(count, *, of=None):
    """Its words."""
    for _ in range(count):
        yield of or here()


class TestDecorator(Loops):
    def test_bare(self):
        async def main():
            self.assertEqual([item async for item in bare(3, of='x')], ['x'] * 3)
            async with bare(1) as items:
                self.assertIsNot(await items.__anext__(), here())
        self.on_each(main)
        self.assertEqual(list(bare.async_call(2, of=1)), [1, 1])
        self.assertEqual(list(bare.sync_call(1)), [here()])
        self.assertEqual((bare.__name__, bare.__doc__), ('bare', 'Its words.'))

    def test_executors(self):
        pool = self.pool()
        there = pool.submit(here).result(LIMIT)
        for decorator in (Concur.threaded_iterable(executor=pool, max_size=2),
                          Concur.threaded_iterable(pool)):
            self.assertEqual(list(decorator(lambda: iter([here()]))()), [there])
        with concurrent.futures.ThreadPoolExecutor(1) as standard:
            there = standard.submit(here).result()
            each = Concur.threaded_iterable(executor=standard)(lambda: iter([here()] * 3))
            self.assertEqual(list(each()), [there] * 3)

    def test_separate(self):
        @Concur.threaded_iterable_separate
        def one():
            yield here()

        @Concur.threaded_iterable_separate(max_size=1)
        def limited():
            yield from range(100)

        async def main():
            self.assertNotEqual([thread async for thread in one()],
                                [thread async for thread in one()])
            self.assertEqual([item async for item in limited()], list(range(100)))
        self.on_each(main)

    def test_methods(self):
        for decorator in Concur.threaded_iterable, Concur.threaded_iterable_separate(max_size=3):
            class Holder:
                @decorator
                def plain(self, more):
                    yield from (self, more)

                @decorator
                @staticmethod
                def static(more):
                    yield more

                @staticmethod
                @decorator
                def outer_static(more):
                    yield more

                @decorator
                @classmethod
                def of_class(cls, more):
                    yield from (cls, more)

            holder = Holder()
            self.assertEqual(list(holder.plain(1)), [holder, 1])
            self.assertEqual(list(holder.plain.sync_call(1)), [holder, 1])
            self.assertEqual(list(Holder.plain(holder, 1)), [holder, 1])
            self.assertEqual(list(holder.static(2)), [2])
            self.assertEqual(list(Holder.outer_static(2)), [2])
            self.assertEqual(list(Holder.of_class(3)), [Holder, 3])
            self.assertEqual(list(holder.of_class(3)), [Holder, 3])
            self.assertEqual(holder.plain, holder.plain)
            self.assertNotEqual(holder.plain, Holder().plain)


if __name__ == '__main__':
    unittest.main()
