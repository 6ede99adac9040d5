# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.compat.asyncio_extras."""

import asyncio
import concurrent.futures
import contextvars
import functools
import gc
import threading
import unittest
import warnings
import weakref

from loops import as_coroutine, here, on_glib
from util import LIMIT, Case, Concur, Gate, GLib, Thing, gone, wait_until

extras = Concur.compat.asyncio_extras
threadpool = extras.threadpool

variable = contextvars.ContextVar('variable', default='unset')


class Home:
    """The thread of the loop under test."""

    thread = threading.main_thread()


def is_worker():
    return here() is not Home.thread


def until_cancelled():
    """In a block: returns when its task has been cancelled and that has come here."""
    def cancelled():
        try:
            Concur.check_cancelled()
        except Concur.CancelledError:
            return True
        return False
    wait_until(cancelled)


def on_own_loop(coroutine):
    return Concur.run(coroutine, LIMIT)


def on_any_loop(coroutine):
    async def main():
        asyncio.get_running_loop().set_task_factory(extras.task_factory)
        return await asyncio.wait_for(asyncio.ensure_future(coroutine), LIMIT)
    return asyncio.run(main())


def on_loop_thread(coroutine):
    with Concur.LoopThread(name='net') as thread:
        Home.thread = thread.call(here)
        try:
            return thread.submit(coroutine).result(LIMIT)
        finally:
            Home.thread = threading.main_thread()


# Each with a sleep () that can be awaited there, and what makes a task.
LOOPS = (
    ('own', on_own_loop, asyncio.sleep, asyncio.ensure_future),
    ('any', on_any_loop, asyncio.sleep, asyncio.ensure_future),
    ('thread', on_loop_thread, asyncio.sleep, asyncio.ensure_future),
    ('glib', on_glib, Concur.sleep, Concur.spawn),
)


class TestDecorator(Case):
    def test_on_a_loop_it_is_a_future(self):
        call = threadpool(is_worker)

        async def main():
            future = call()
            self.assertIsInstance(future, Concur.Future)
            return await future
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertIs(run(main()), True)

    def test_in_a_callback_of_glib_it_is_a_future(self):
        call = threadpool(is_worker)
        made = Concur.Promise()
        GLib.idle_add(lambda: made.resolve(call()) and False)
        self.assertIs(Concur.run(Concur.run(made.future, LIMIT), LIMIT), True)

    def test_without_a_loop_it_is_a_call(self):
        call = threadpool(here)
        self.assertIs(call(), here())

        def work():
            return call() is here()
        self.assertIs(Concur.to_thread(work).result(LIMIT), True)

    def test_with_parentheses_and_executors(self):
        pool = self.pool(name='ours')

        async def main():
            self.assertIsNot(await threadpool()(here)(), here())
            self.assertEqual((await threadpool(pool)(here)()).name, 'ours-1')
            with concurrent.futures.ThreadPoolExecutor(1, 'std') as std:
                self.assertEqual((await threadpool(std)(here)()).name, 'std_0')
        asyncio.run(main())

    def test_arguments_name_and_context(self):
        @threadpool
        def call(*args, **kwargs):
            """Says."""
            return args, kwargs, variable.get()

        async def main():
            variable.set('carried')
            return await call(1, a=2)
        self.assertEqual(asyncio.run(main()), ((1,), {'a': 2}, 'carried'))
        self.assertEqual((call.__name__, call.__doc__), ('call', 'Says.'))

    def test_refuses_coroutine_functions(self):
        for decorate in (threadpool, threadpool()):
            with self.assertRaisesRegex(TypeError, 'coroutine function'):
                decorate(as_coroutine)


class TestBlock(Case):
    def test_there_and_back(self):
        async def main(sleep):
            out = [is_worker()]
            async with threadpool():
                out.append(is_worker())
            out.append(is_worker())
            await sleep(0.001)
            async with threadpool():
                out.append(is_worker())
            await sleep(0.001)
            out.append(is_worker())
            return out
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main(sleep)), [False, True, False, True, False])

    def test_with_executors(self):
        pool = self.pool(name='ours')

        async def main(std):
            async with threadpool(pool):
                first = here().name
            async with threadpool(std):
                second = here().name
            return first, second, is_worker()
        with concurrent.futures.ThreadPoolExecutor(1, 'std') as std:
            for name, run, sleep, start in LOOPS:
                with self.subTest(name):
                    self.assertEqual(run(main(std)), ('ours-1', 'std_0', False))

    def test_error_arrives_on_the_loop(self):
        async def main():
            error, seen = LookupError('in the block'), []
            try:
                async with threadpool():
                    try:
                        raise error
                    finally:
                        seen.append(is_worker())
            except LookupError as raised:
                seen.append(raised is error)
                seen.append(is_worker())
            return seen
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), [True, True, False])

    def test_return_and_break_from_the_block(self):
        async def leave():
            async with threadpool():
                return is_worker()

        async def main():
            out = [await leave(), is_worker()]
            while True:
                async with threadpool():
                    break
            return out + [is_worker()]
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), [True, False, False])

    def test_await_in_the_block(self):
        async def main():
            never = Concur.sleep(3600)
            seen = []
            try:
                async with threadpool():
                    try:
                        await never
                    except RuntimeError:
                        seen.append(is_worker())
                        raise
            except RuntimeError as error:
                seen += [str(error), is_worker()]
            never.cancel()
            return seen
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), [
                    True, 'attempted to "await" in a worker thread', False])

    def test_await_of_a_future_of_asyncio_in_the_block(self):
        async def main(sleep):
            future = asyncio.get_running_loop().create_future()
            with self.assertRaisesRegex(RuntimeError, 'attempted to "await"'):
                async with threadpool():
                    await future
            asyncio.get_running_loop().call_soon(future.set_result, 5)
            return await future
        for name, run, sleep, start in LOOPS[:3]:
            with self.subTest(name):
                self.assertEqual(run(main(sleep)), 5)

    def test_await_of_what_is_done(self):
        async def main():
            async with threadpool():
                return await Concur.Future.resolved(3), is_worker()
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), (3, True))

    def test_nested_stays_on_the_worker(self):
        async def inner():
            async with threadpool():
                return here()

        async def main():
            async with threadpool():
                outer = here()
                async with threadpool():
                    first = here() is outer
                second = await inner() is outer
                third = here() is outer
            return first, second, third, is_worker()
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), (True, True, True, False))

    def test_nested_on_another_executor(self):
        outer, other = self.pool(name='outer'), self.pool(name='other')

        async def main():
            names = []
            async with threadpool(outer):
                names.append(here().name)
                async with threadpool(other):
                    names.append(here().name)
                    async with threadpool():
                        names.append(here().name)
                    try:
                        async with threadpool(outer):
                            names.append(here().name)
                            raise LookupError
                    except LookupError:
                        names.append(here().name)
                names.append(here().name)
            return names, is_worker()
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), (
                    ['outer-1', 'other-1', 'other-1', 'outer-1', 'other-1', 'outer-1'], False))

    def test_many_of_one_function_at_once(self):
        async def one(i):
            async with threadpool():
                value = i, is_worker()
            return value, is_worker()

        async def main():
            return await Concur.gather(*[one(i) for i in range(50)])
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), [((i, True), False) for i in range(50)])

    def test_loop_runs_meanwhile(self):
        async def main(start):
            gate = Gate()

            async def block():
                async with threadpool():
                    gate()
                return 'over'
            task = start(block())
            await Concur.to_thread(gate.wait)
            gate.open()
            return await task
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main(start)), 'over')

    def test_cancelled_during_the_block(self):
        async def main(sleep, start):
            gate, log = Gate(), []

            async def block():
                try:
                    async with threadpool():
                        gate()
                        until_cancelled()
                        log.append(('body', is_worker()))
                    log.append('not reached')
                except asyncio.CancelledError:
                    await sleep(0.001)
                    log.append(('cancelled', is_worker()))
                    raise
            task = start(block())
            await Concur.to_thread(gate.wait)
            task.cancel()
            await sleep(0.01)
            # It waits for the worker, however often it is cancelled.
            self.assertFalse(task.done())
            task.cancel()
            await sleep(0.01)
            self.assertEqual(log, [])
            gate.open()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return log
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main(sleep, start)),
                                 [('body', True), ('cancelled', False)])

    def test_cancelling_is_seen_in_the_block(self):
        async def main(start):
            gate, log = Gate(), []

            async def block():
                async with threadpool(), threadpool():
                    gate()
                    until_cancelled()
                    try:
                        Concur.check_cancelled()
                    except Concur.CancelledError:
                        log.append(is_worker())
                        raise
            task = start(block())
            await Concur.to_thread(gate.wait)
            task.cancel()
            gate.open()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return log
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main(start)), [True])

    def test_cancelled_before_a_worker_is_free(self):
        pool = self.pool()
        gate = self.busy(pool)

        async def main(start):
            log, begun = [], Concur.Promise()

            async def block():
                begun.resolve()
                try:
                    async with threadpool(pool):
                        log.append('body')
                except asyncio.CancelledError:
                    log.append(is_worker())
                    raise
            task = start(block())
            await begun.future
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            return log
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main(start)), [False])
        gate.open()

    def test_cancelled_and_carried_on(self):
        async def main(start):
            gate = Gate()

            async def block():
                try:
                    async with threadpool():
                        gate()
                        until_cancelled()
                except asyncio.CancelledError:
                    pass
                async with threadpool():
                    return is_worker()
            task = start(block())
            await Concur.to_thread(gate.wait)
            task.cancel()
            gate.open()
            return await task
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertIs(run(main(start)), True)

    def test_cancelled_before_it_began(self):
        async def main(sleep, start):
            coroutine = as_coroutine(None)
            task = start(coroutine)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            for name, run, sleep, start in LOOPS:
                with self.subTest(name):
                    run(main(sleep, start))
            gc.collect()
        self.assertEqual([str(warning.message) for warning in caught
                          if 'never awaited' in str(warning.message)], [])

    def test_context_variables_go_along_and_come_back(self):
        async def main():
            token = variable.set('before')
            async with threadpool():
                seen = variable.get()
                variable.set('in the block')
            self.assertEqual(seen, 'before')
            self.assertEqual(variable.get(), 'in the block')
            # Set on the loop, so it can be taken back here.
            variable.reset(token)
            return variable.get()
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), 'unset')

    def test_calls_back_into_the_loop(self):
        async def main():
            async with threadpool():
                return Concur.sync_wait(_is_worker)

        async def _is_worker():
            return is_worker()
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertIs(run(main()), False)

    def test_executor_that_refuses(self):
        ended = self.pool()
        ended.shutdown().wait(LIMIT)
        std = concurrent.futures.ThreadPoolExecutor(1)
        std.shutdown()

        async def main():
            seen = []
            for executor in (ended, std):
                try:
                    async with threadpool(executor):
                        seen.append('body')
                except RuntimeError:
                    seen.append(is_worker())
                async with threadpool():
                    try:
                        async with threadpool(executor):
                            seen.append('body')
                    except RuntimeError:
                        seen.append(is_worker())
                seen.append(is_worker())
            return seen
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), [False, True, False] * 2)

    def test_foreign_loop(self):
        async def main():
            ran = []
            with self.assertRaisesRegex(RuntimeError, 'to_thread.*LoopThread.*task_factory'):
                async with threadpool():
                    ran.append(True)
            self.assertEqual(ran, [])
        asyncio.run(main())

    def test_tasks_look_like_their_coroutines(self):
        async def plain():
            await asyncio.sleep(0)

        async def main():
            task = asyncio.ensure_future(plain())
            await asyncio.sleep(0)
            self.assertIn('plain()', repr(task))
            self.assertEqual(task.get_stack()[0].f_code.co_name, 'plain')
            await task
        for name, run, sleep, start in LOOPS[:3]:
            with self.subTest(name):
                run(main())

    def test_nothing_is_kept(self):
        value = Thing()
        reference = weakref.ref(value)

        async def main(value):
            async with threadpool():
                kept = value
            return kept
        for name, run, sleep, start in LOOPS:
            with self.subTest(name), self.all_futures_go():
                run(main(value))
        del value
        self.assertTrue(gone(reference))

    def test_many_entries(self):
        async def main():
            for i in range(300):
                async with threadpool():
                    pass
            return is_worker()
        for name, run, sleep, start in LOOPS:
            with self.subTest(name):
                self.assertIs(run(main()), False)


class TestCalls(Case):
    def test_call_in_executor(self):
        def call(*args, **kwargs):
            return is_worker(), args, kwargs

        async def main():
            with concurrent.futures.ThreadPoolExecutor(1) as std:
                return [await extras.call_in_executor(call, 1, executor=executor, a=2)
                        for executor in (None, std, self.pool())]
        self.assertEqual(asyncio.run(main()), [(True, (1,), {'a': 2})] * 3)

    def test_call_async(self):
        async def double(value):
            await asyncio.sleep(0)
            return value * 2, is_worker()

        async def main():
            loop = asyncio.get_running_loop()
            with self.assertRaisesRegex(RuntimeError, 'await'):
                extras.call_async(loop, double, 4)
            return await extras.call_in_executor(
                functools.partial(extras.call_async, loop, double, value=4))
        self.assertEqual(asyncio.run(main()), (8, False))

    def test_names(self):
        self.assertIn('asyncio_extras', dir(Concur.compat))
        with self.assertRaises(AttributeError):
            Concur.compat.something
        for name in extras.__all__:
            self.assertTrue(callable(getattr(extras, name)))


if __name__ == '__main__':
    unittest.main()
