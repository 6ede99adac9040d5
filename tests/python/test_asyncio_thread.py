# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.AsyncioThread: quara-concurrency's names on a LoopThread."""

import asyncio
import contextvars
import gc
import inspect
import logging
import threading
import types
import unittest
import warnings
import weakref

from loop_thread_util import LoopThreadCase
from util import LIMIT, Concur, GLib, Gate, Thing, collect, count, gone, run_script, wait_until

STOPPED = Concur.LoopState.STOPPED

variable = contextvars.ContextVar('variable', default='unset')


async def get(value):
    await asyncio.sleep(0)
    return value


async def fail(error):
    await asyncio.sleep(0)
    raise error


class AsyncioThreadCase(LoopThreadCase):
    thread_class = Concur.AsyncioThread

    def forever(self, steps, name='it'):
        """A coroutine function that clears up slowly when it is cancelled."""
        async def wait():
            steps.append(f'begin {name}')
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0.001)
                steps.append(f'end {name}')
        return wait

    def complaints(self, thread):
        """What asyncio would log, such as exceptions that nobody has looked at."""
        found = []
        thread.call(lambda: thread.loop.set_exception_handler(
            lambda loop, context: found.append(context)))
        return found

    def check_no_warning(self, function):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            function()
            gc.collect()
        self.assertEqual(caught, [])


class TestThread(AsyncioThreadCase):
    def test_keywords(self):
        thread = Concur.AsyncioThread(name='net', max_workers=2, daemon=True)
        self.assertEqual((thread.name, thread.max_workers, thread.daemon), ('net', 2, True))
        with self.assertRaisesRegex(ValueError, 'daemon'):
            Concur.AsyncioThread(daemon=False)
        with self.assertRaises(TypeError):
            Concur.AsyncioThread(target=print)
        self.assertIsInstance(thread, Concur.LoopThread)

    def test_alive(self):
        thread = Concur.AsyncioThread(name='net')
        self.assertFalse(thread.is_alive())
        self.assertIsNone(thread.ident)
        thread.start()
        self.assertTrue(thread.is_alive())
        self.assertEqual(thread.run_threadsafe(get(1)).result(LIMIT), 1)
        self.assertIn(thread.ident, [each.ident for each in threading.enumerate()
                                     if each.name == 'net' and each.daemon])
        thread.stop()
        self.assertFalse(thread.is_alive())

    def test_join(self):
        thread = self.loop_thread()
        # As of any thread: is_alive () tells.
        self.assertIsNone(thread.join(0.01))
        self.assertTrue(thread.is_alive())

        def inside():
            with self.assertRaises(RuntimeError):
                thread.join()

        thread.call(inside)
        thread.stop_threadsafe()
        thread.join()
        self.assertFalse(thread.is_alive())
        thread.join()

    def test_context_manager(self):
        steps = []
        with Concur.AsyncioThread() as thread:
            future = thread.run_threadsafe(self.forever(steps))
            wait_until(lambda: steps)
        self.assertEqual(steps, ['begin it', 'end it'])
        self.assertTrue(future.cancelled())
        self.assertFalse(thread.is_alive())

    def test_again(self):
        thread = Concur.AsyncioThread()
        for number in range(3):
            with thread:
                self.assertEqual(thread.run_threadsafe(get(number)).result(LIMIT), number)

    def test_cycles(self):
        thread = Concur.AsyncioThread()

        def cycle(number):
            done = 0
            for _ in range(13):
                try:
                    thread.start()
                    done += thread.submit(lambda: number).result(LIMIT) == number
                    thread.run_threadsafe(get, number).result(LIMIT)
                except (Concur.CancelledError, RuntimeError):
                    # Another one has stopped it.
                    pass
                thread.stop(timeout=LIMIT)
            return done

        self.assertGreater(sum(self.pool(8).map(cycle, range(8))), 0)
        thread.stop(timeout=LIMIT)
        self.assertFalse(thread.is_alive())


class TestStop(AsyncioThreadCase):
    def test_clean_up(self):
        # Every task, be it of the thread, handed over, or started by another.
        steps = []
        thread = Concur.AsyncioThread()
        thread.task(self.forever(steps, 'own'))

        async def start():
            kept.append(await thread.create_task(self.forever(steps, 'inner')()))

        kept = []
        thread.start()
        thread.run_threadsafe(self.forever(steps, 'handed over'))
        thread.run_threadsafe(start()).result(LIMIT)
        wait_until(lambda: len(steps) == 3)
        thread.stop()
        self.assertEqual(set(steps[3:]), {'end own', 'end inner', 'end handed over'})

    def test_tasks_that_wait_for_each_other(self):
        # All are cancelled at once, so none waits for one that is not.
        thread = self.loop_thread()
        begun = threading.Event()

        async def main():
            inner = await thread.create_task(asyncio.sleep(3600))
            begun.set()
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.wait({inner})

        thread.run_threadsafe(main())
        begun.wait(LIMIT)
        thread.stop(timeout=LIMIT)

    def test_without_wait(self):
        gate = Gate()
        self.addCleanup(gate.open)
        thread = self.loop_thread()
        thread.submit(gate)
        gate.wait()
        thread.stop(wait=False)
        with self.assertRaises(TimeoutError):
            thread.stop(timeout=0.01)
        self.assertTrue(thread.is_alive())
        gate.open()
        thread.stop(True, LIMIT)
        self.assertFalse(thread.is_alive())

    def test_from_inside(self):
        async def stop():
            thread.stop()
            await asyncio.sleep(3600)

        thread = self.loop_thread()
        self.assertRaises(Concur.CancelledError, thread.run_threadsafe(stop()).result, LIMIT)
        thread.join(LIMIT)
        self.assertFalse(thread.is_alive())

    def test_not_running(self):
        thread = Concur.AsyncioThread()
        thread.stop()
        thread.stop(wait=False)
        self.assertRaises(Concur.NotReadyError, thread.stop_threadsafe)
        thread.start()
        thread.stop_threadsafe()
        thread.join()
        self.assertRaises(Concur.NotReadyError, thread.stop_threadsafe)


class TestTasks(AsyncioThreadCase):
    def test_task(self):
        steps = []
        thread = Concur.AsyncioThread()
        function = self.forever(steps)
        self.assertIs(thread.task(function), function)
        for number in range(2):
            with thread:
                wait_until(lambda: len(steps) % 2)
        self.assertEqual(steps, ['begin it', 'end it'] * 2)

    def test_task_never_started(self):
        def make():
            thread = Concur.AsyncioThread()

            @thread.task
            async def run():
                pass

        self.check_no_warning(make)

    def test_create_task(self):
        async def main():
            task = await thread.create_task(get(1))
            tasks = await thread.create_tasks(get(2), get(3))
            for each in (task, *tasks):
                self.assertIsInstance(each, asyncio.Task)
            return [await each for each in (task, *tasks)]

        thread = self.loop_thread()
        self.assertEqual(thread.run_threadsafe(main()).result(LIMIT), [1, 2, 3])

    def test_create_task_elsewhere(self):
        thread = self.loop_thread()

        def create():
            for method in (thread.create_task, thread.create_tasks,
                           thread.run_until_first_complete):
                with self.assertRaisesRegex(RuntimeError, '_threadsafe'):
                    asyncio.run(method(get(1)))
            with self.assertRaisesRegex(RuntimeError, '_threadsafe'):
                asyncio.run(thread.wait([]))

        self.check_no_warning(create)

    def test_create_task_threadsafe(self):
        gate = Gate()
        self.addCleanup(gate.open)
        thread = self.loop_thread()
        thread.submit(gate)
        gate.wait()
        # Neither waits for the loop.
        one = thread.create_task_threadsafe(get(1))
        two, three = thread.create_tasks_threadsafe(get(2), get(3))
        for future in (one, two, three):
            self.assertIsInstance(future, Concur.Future)
            self.assertFalse(future.done())
        gate.open()
        self.assertEqual([each.result(LIMIT) for each in (one, two, three)], [1, 2, 3])

    def test_create_tasks_all_or_none(self):
        begun, not_begun = self.forever([])(), get(1)
        thread = self.loop_thread()
        with self.assertRaisesRegex(TypeError, 'not int'):
            thread.create_tasks_threadsafe(begun, 5, not_begun)
        self.assertEqual(inspect.getcoroutinestate(not_begun), inspect.CORO_CLOSED)
        wait_until(lambda: inspect.getcoroutinestate(begun) == inspect.CORO_CLOSED)

    def test_cancel(self):
        steps = []
        thread = self.loop_thread()
        thread.cancel()
        futures = thread.create_tasks_threadsafe(*(self.forever(steps, number)()
                                                   for number in range(3)))
        wait_until(lambda: len(steps) == 3)
        thread.cancel()
        for future in futures:
            self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(set(steps[3:]), {'end 0', 'end 1', 'end 2'})
        self.assertTrue(thread.is_alive())

        async def inside():
            thread.cancel()
            await asyncio.sleep(3600)

        future = thread.run_threadsafe(inside())
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(thread.run_threadsafe(get(1)).result(LIMIT), 1)
        thread.stop()
        thread.cancel()

    def test_cancel_spares_entered(self):
        left = []

        class Session:
            async def __aenter__(self):
                return self

            async def __aexit__(self, *exception):
                left.append(exception[0])

        thread = self.loop_thread()
        thread.enter(Session())
        thread.cancel()
        thread.run_threadsafe(get(1)).result(LIMIT)
        self.assertEqual(left, [])
        thread.stop()
        self.assertEqual(left, [None])


class TestRun(AsyncioThreadCase):
    def test_value(self):
        thread = self.loop_thread()
        future = thread.run_threadsafe(get(1))
        self.assertIsInstance(future, Concur.Future)
        self.assertEqual(future.result(LIMIT), 1)
        self.assertEqual(thread.run_threadsafe(get, 2).result(LIMIT), 2)
        error = ValueError('no')
        self.assertIs(thread.run_threadsafe(fail(error)).exception(LIMIT), error)
        with self.assertRaises(TypeError):
            thread.run_threadsafe(5)

    def test_done_callback(self):
        thread = self.loop_thread()
        called = threading.Event()
        thread.run_threadsafe(get(1)).add_done_callback(lambda future: called.set())
        self.assertTrue(called.wait(LIMIT))

    def test_cancel(self):
        steps = []
        thread = self.loop_thread()
        future = thread.run_threadsafe(self.forever(steps)())
        wait_until(lambda: steps)
        self.assertTrue(future.cancel())
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(steps, ['begin it', 'end it'])

    def test_not_ready(self):
        thread = Concur.AsyncioThread(name='net')

        def run():
            coroutines = [get(number) for number in range(6)]
            calls = (
                lambda: thread.run_threadsafe(coroutines[0]),
                lambda: thread.run_threadsafe(get, 1),
                lambda: thread.create_task_threadsafe(coroutines[1]),
                lambda: thread.create_tasks_threadsafe(coroutines[2], coroutines[3]),
                lambda: thread.run_in_executor_threadsafe(int),
                lambda: thread.run_until_first_complete_threadsafe(coroutines[4],
                                                                   coroutines[5]),
                lambda: thread.wait_threadsafe([]),
            )
            for call in calls:
                with self.assertRaisesRegex(Concur.NotReadyError, 'net'):
                    call()
            for coroutine in coroutines:
                self.assertEqual(inspect.getcoroutinestate(coroutine), inspect.CORO_CLOSED)

        # Before the start and after the end alike.
        self.check_no_warning(run)
        with thread:
            pass
        self.check_no_warning(run)
        self.assertTrue(issubclass(Concur.NotReadyError, RuntimeError))

    def test_while_it_stops(self):
        gate = Gate()
        self.addCleanup(gate.open)
        thread = self.loop_thread()
        thread.submit(gate)
        gate.wait()
        thread.stop_threadsafe()
        self.check_no_warning(lambda: self.assertRaises(
            Concur.NotReadyError, thread.run_threadsafe, get(1)))
        gate.open()

    def test_own_thread(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, 'would block the loop'):
                thread.run_threadsafe(get(1)).result()
            return await thread.run_threadsafe(get(2))

        thread = self.loop_thread()
        self.assertEqual(thread.run_threadsafe(main()).result(LIMIT), 2)


class TestExecutor(AsyncioThreadCase):
    def test_run_in_executor(self):
        def work(*args, **kwargs):
            return args, kwargs, threading.current_thread().name, variable.get()

        async def main():
            variable.set('of the task')
            return await thread.run_in_executor(work, 1, a=2)

        thread = self.loop_thread(name='net', max_workers=1)
        self.assertEqual(thread.run_threadsafe(main()).result(LIMIT),
                         ((1,), {'a': 2}, 'net-pool-1', 'of the task'))
        future = thread.run_in_executor_threadsafe(work, 1, a=2)
        self.assertEqual(future.result(LIMIT), ((1,), {'a': 2}, 'net-pool-1', 'unset'))
        with self.assertRaises(ZeroDivisionError):
            thread.run_in_executor_threadsafe(divmod, 1, 0).result(LIMIT)

    def test_default(self):
        self.assertEqual(Concur.AsyncioThread().max_workers, GLib.get_num_processors() + 4)

    def test_not_ready(self):
        thread = Concur.AsyncioThread()
        with self.assertRaises(Concur.NotReadyError):
            asyncio.run(thread.run_in_executor(int))
        kept = []

        async def clear_up():
            begun.set()
            try:
                await asyncio.sleep(3600)
            finally:
                try:
                    await thread.run_in_executor(int)
                except Concur.NotReadyError as error:
                    kept.append(error)

        begun = threading.Event()
        with thread:
            thread.run_threadsafe(clear_up())
            self.assertTrue(begun.wait(LIMIT))
        self.assertEqual(len(kept), 1)


class TestFirst(AsyncioThreadCase):
    def test_value(self):
        steps = []

        async def main():
            value = await thread.run_until_first_complete(self.forever(steps, 'loser')(),
                                                          get('winner'))
            # It has cleared up by now.
            return value, list(steps)

        thread = self.loop_thread()
        self.assertEqual(thread.run_threadsafe(main()).result(LIMIT),
                         ('winner', ['begin loser', 'end loser']))
        del steps[:]
        future = thread.run_until_first_complete_threadsafe(self.forever(steps, 'loser')(),
                                                            get('winner'))
        self.assertEqual(future.result(LIMIT), 'winner')
        self.assertEqual(steps, ['begin loser', 'end loser'])

    def test_several_at_once(self):
        thread = self.loop_thread()
        for _ in range(20):
            future = thread.run_until_first_complete_threadsafe(
                *(get(number) for number in range(10)))
            self.assertEqual(future.result(LIMIT), 0)

    def test_error(self):
        steps = []
        thread = self.loop_thread()
        future = thread.run_until_first_complete_threadsafe(self.forever(steps)(),
                                                            fail(ValueError('no')))
        self.assertRaises(ValueError, future.result, LIMIT)
        self.assertEqual(steps, ['begin it', 'end it'])
        future = thread.run_until_first_complete_threadsafe()
        with self.assertRaisesRegex(ValueError, 'at least one coroutine'):
            future.result(LIMIT)

    def test_loser_fails(self):
        # Nobody asked for it.
        async def lose():
            try:
                await asyncio.sleep(3600)
            finally:
                raise ValueError('no')

        thread = self.loop_thread()
        complaints = self.complaints(thread)
        future = thread.run_until_first_complete_threadsafe(lose(), get('winner'))
        self.assertEqual(future.result(LIMIT), 'winner')
        thread.stop()
        gc.collect()
        self.assertEqual(complaints, [])

    def test_cancelled(self):
        steps = []
        thread = self.loop_thread()
        future = thread.run_until_first_complete_threadsafe(
            self.forever(steps, 1)(), self.forever(steps, 2)())
        wait_until(lambda: len(steps) == 2)
        future.cancel()
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(steps[2:], ['end 1', 'end 2'])


class TestWait(AsyncioThreadCase):
    def test_threadsafe(self):
        steps = []
        thread = self.loop_thread()
        quick, slow = thread.create_tasks_threadsafe(get(1), self.forever(steps)())
        done, pending = thread.wait_threadsafe(
            [quick, slow], return_when=asyncio.FIRST_COMPLETED).result(LIMIT)
        # What was given, and the wait has not touched it.
        self.assertEqual((done, pending), ({quick}, {slow}))
        self.assertFalse(slow.done())
        done, pending = thread.wait_threadsafe([quick, slow], timeout=0.01).result(LIMIT)
        self.assertEqual((done, pending), ({quick}, {slow}))
        slow.cancel()
        done, pending = thread.wait_threadsafe([quick, slow]).result(LIMIT)
        self.assertEqual((done, pending), ({quick, slow}, set()))

    def test_errors(self):
        steps = []
        thread = self.loop_thread()
        failing, slow = thread.create_tasks_threadsafe(fail(ValueError()),
                                                       self.forever(steps)())
        done, pending = thread.wait_threadsafe(
            [failing, slow], asyncio.FIRST_EXCEPTION).result(LIMIT)
        self.assertEqual((done, pending), ({failing}, {slow}))
        self.assertIsInstance(failing.exception(), ValueError)

    def test_time_is_up(self):
        # It has nothing to say about how those end that it does not wait for any more.
        promise = Concur.Promise()
        thread = self.loop_thread()
        done, pending = thread.wait_threadsafe([promise.future], timeout=0).result(LIMIT)
        self.assertEqual((done, pending), (set(), {promise.future}))
        with self.hidden_log() as log:
            promise.reject(ValueError('no'))
            self.assertIsInstance(promise.future.exception(), ValueError)
            collect()
            logging.getLogger('concur').debug('the only one')
        self.assertEqual(len(log.output), 1)

    def test_leaves_nothing_behind(self):
        steps = []
        thread = self.loop_thread()
        complaints = self.complaints(thread)
        failing, slow = thread.create_tasks_threadsafe(fail(ValueError()),
                                                       self.forever(steps)())
        for _ in range(3):
            thread.wait_threadsafe([failing, slow], timeout=0.001).result(LIMIT)
        # That of slow.
        self.assertEqual(thread.call(lambda: len(asyncio.all_tasks(thread.loop))), 1)
        gc.collect()
        self.assertEqual(complaints, [])

    def test_tasks(self):
        async def main():
            tasks = await thread.create_tasks(get(1), get(2))
            future = thread.run_threadsafe(get(3))
            done, pending = await thread.wait([*tasks, future])
            self.assertEqual((done, pending), ({*tasks, future}, set()))
            return True

        thread = self.loop_thread()
        self.assertTrue(thread.run_threadsafe(main()).result(LIMIT))

    def test_done_already(self):
        thread = self.loop_thread()
        futures = thread.create_tasks_threadsafe(*(get(number) for number in range(50)))
        for future in futures:
            future.result(LIMIT)
        done, pending = thread.wait_threadsafe(futures, timeout=0).result(LIMIT)
        self.assertEqual((done, pending), (set(futures), set()))

    def test_twice(self):
        # Done or not, but never both.
        thread = self.loop_thread()
        for _ in range(20):
            gate = Concur.Promise()

            async def wait():
                await gate.future.shield()

            future = thread.run_threadsafe(wait())
            waiting = thread.wait_threadsafe([future] * 10, asyncio.FIRST_COMPLETED)
            gate.resolve(None)
            self.assertEqual(waiting.result(LIMIT), ({future}, set()))

    def test_wrong(self):
        thread = self.loop_thread()
        future = thread.run_threadsafe(get(1))
        with self.assertRaisesRegex(TypeError, 'not int'):
            thread.wait_threadsafe([future, 5]).result(LIMIT)
        coroutine = get(1)
        with self.assertRaisesRegex(TypeError, 'not coroutine'):
            thread.wait_threadsafe([coroutine]).result(LIMIT)
        coroutine.close()
        with self.assertRaises(ValueError):
            thread.wait_threadsafe([]).result(LIMIT)


class TestLeaks(AsyncioThreadCase):
    def test_nothing_left(self):
        tasks = count(asyncio.Task)
        coroutines = count(types.CoroutineType)
        references = []
        with self.all_futures_go():
            for _ in range(20):
                thing = Thing()
                thread = Concur.AsyncioThread()
                references += [weakref.ref(thing), weakref.ref(thread)]

                @thread.task
                async def own():
                    await asyncio.sleep(3600)
                    return thread

                with thread:
                    futures = thread.create_tasks_threadsafe(get(thing), asyncio.sleep(3600))
                    thread.wait_threadsafe(futures, timeout=0.001).result(LIMIT)
                    thread.run_until_first_complete_threadsafe(
                        get(thing), asyncio.sleep(3600)).result(LIMIT)
                    thread.run_in_executor_threadsafe(id, thing).result(LIMIT)
                thread = thing = futures = own = None
        self.assertTrue(gone(*references))
        self.assertLessEqual(count(asyncio.Task), tasks)
        self.assertLessEqual(count(types.CoroutineType), coroutines)


class TestExit(unittest.TestCase):
    def test_running(self):
        output, errors = run_script('''
            import asyncio, threading
            thread = Concur.AsyncioThread()
            begun = threading.Event()

            @thread.task
            async def run():
                begun.set()
                try:
                    await asyncio.sleep(3600)
                finally:
                    await asyncio.sleep(0.001)
                    print('cleared up')

            thread.start()
            begun.wait()
            ''')
        self.assertEqual((output, errors), ('cleared up\n', ''))

    def test_never_started(self):
        output, errors = run_script('''
            thread = Concur.AsyncioThread()

            @thread.task
            async def run():
                pass

            print('over')
            ''')
        self.assertEqual((output, errors), ('over\n', ''))


if __name__ == '__main__':
    unittest.main()
