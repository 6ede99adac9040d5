# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.LoopThread: start, stop, tasks, and what is left."""

import asyncio
import gc
import inspect
import os
import random
import signal
import threading
import time
import types
import unittest
import warnings
import weakref

from loop_thread_util import LoopThreadCase, Manager
from util import LIMIT, SCALE, Concur, Gate, GLib, Thing, count, gone, wait_until

RUNNING = Concur.LoopState.RUNNING
STOPPING = Concur.LoopState.STOPPING
STOPPED = Concur.LoopState.STOPPED
CANCEL_ALL = Concur.ShutdownMode.CANCEL_ALL


class TestStart(LoopThreadCase):
    def test_not_running(self):
        async def get():
            return 1

        thread = Concur.LoopThread(name='sleeper')
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            coroutine = get()
            for what in (int, get, coroutine):
                future = thread.submit(what)
                self.assertTrue(future.done())
                with self.assertRaisesRegex(RuntimeError, 'sleeper is stopped: start it first'):
                    future.result()
                with self.assertRaises(RuntimeError):
                    thread.call(get() if what is coroutine else what)
            # Closed here and now.
            self.assertEqual(inspect.getcoroutinestate(coroutine), inspect.CORO_CLOSED)
            coroutine = None
            gc.collect()
        self.assertEqual(caught, [])

    def test_refused_coroutine(self):
        # It does not wait for the main loop of who submitted it.
        context = GLib.MainContext.new()
        context.push_thread_default()
        try:
            coroutine = asyncio.sleep(0)
            Concur.LoopThread().submit(coroutine).ignore()
            self.assertEqual(inspect.getcoroutinestate(coroutine), inspect.CORO_CLOSED)
        finally:
            context.pop_thread_default()
        while context.iteration(False):
            pass

    def test_restart(self):
        thread = Concur.LoopThread()
        context = thread.context
        loops = set()
        for _ in range(3):
            with thread as entered:
                self.assertIs(entered, thread)
                self.assertEqual(thread.get_state(), RUNNING)
                # Running already.
                thread.start()
                loops.add(thread.loop)
                self.assertEqual(thread.call(asyncio.sleep, 0.001, 5), 5)
            self.assertEqual(thread.get_state(), STOPPED)
            self.assertIsNone(thread.loop)
        self.assertEqual(len(loops), 3)
        self.assertEqual(thread.context, context)

    def test_async_with(self):
        async def main():
            async with Concur.LoopThread() as thread:
                self.assertEqual(await thread.submit(asyncio.sleep, 0.001, 5), 5)
            self.assertEqual(thread.get_state(), STOPPED)
            return True

        self.assertTrue(asyncio.run(main()))
        self.assertTrue(Concur.run(Concur.spawn(main())))

    def test_while_it_stops(self):
        thread = self.loop_thread()
        gate = Gate()
        self.addCleanup(gate.open)
        thread.submit(gate)
        gate.wait()
        thread.shutdown()
        starting = self.pool().submit(thread.start)
        gate.open()
        starting.result(LIMIT)
        self.assertEqual(thread.call(asyncio.sleep, 0, 1), 1)

    def test_stop_while_it_starts(self):
        thread = Concur.LoopThread()
        pool = self.pool(2)
        chance = random.Random(1)
        for _ in range(100 // SCALE):
            stopping = pool.submit(_stop_after, thread, chance.random() / 2000)
            try:
                thread.start()
            except RuntimeError as error:
                self.assertIn('was stopped while it was starting', str(error))
            stopping.result(LIMIT)
            thread.stop(LIMIT)
            thread.join(LIMIT)
            self.assertEqual(thread.get_state(), STOPPED)

    def test_many_threads(self):
        # A hundred cycles by eight threads that do not know of each other.
        def cycle(number):
            chance = random.Random(number)
            done = refused = 0
            for _ in range(13):
                try:
                    thread.start()
                except RuntimeError:
                    refused += 1
                futures = [thread.submit(asyncio.sleep, 0.0005, number) for _ in range(2)]
                # What is accepted is done.
                futures.append(thread.submit(lambda: number))
                if chance.random() < 0.7:
                    thread.stop(LIMIT)
                for future in futures:
                    try:
                        done += future.result(LIMIT) == number
                    except Concur.CancelledError:
                        pass
                    except RuntimeError:
                        refused += 1
            return done

        thread = Concur.LoopThread()
        pool = self.pool(8)
        done = sum(pool.map(cycle, range(8), timeout=LIMIT))
        thread.stop(LIMIT)
        self.assertEqual(thread.get_state(), STOPPED)
        self.assertGreater(done, 0)
        self.assertNotIn(thread.name, [each.name for each in threading.enumerate()])

    def test_many_loop_threads(self):
        def cycle(number):
            with Concur.LoopThread() as thread:
                return thread.call(asyncio.sleep, 0, number)

        pool = self.pool(8)
        self.assertEqual(list(pool.map(cycle, range(100))), list(range(100)))


class TestStop(LoopThreadCase):
    def test_clean_up(self):
        thread = self.loop_thread()
        future, steps = self.waiting(thread)
        thread.stop(LIMIT)
        self.assertEqual(steps, ['cleared up'])
        self.assertTrue(future.cancelled())

    def test_functions_are_finished(self):
        thread = self.loop_thread()
        gate = Gate()
        self.addCleanup(gate.open)
        first = thread.submit(gate, 1)
        gate.wait()
        second = thread.submit(int, '2')
        end = thread.shutdown()
        self.assertRaises(RuntimeError, thread.submit(int).result)
        gate.open()
        self.assertTrue(end.wait(LIMIT))
        self.assertEqual((first.result(0), second.result(0)), (1, 2))

    def test_coroutine_that_has_not_begun(self):
        # It begins when the others have been cancelled.
        thread = self.loop_thread()
        gate = Gate()
        self.addCleanup(gate.open)
        thread.submit(gate)
        gate.wait()
        future = thread.submit(asyncio.sleep, 3600)
        end = thread.shutdown()
        gate.open()
        self.assertTrue(end.wait(LIMIT))
        self.assertTrue(future.cancelled())

    def test_at_once(self):
        # Before the thread has begun with its tasks: coroutines are cancelled all the same.
        ran = []
        for _ in range(100 // SCALE):
            thread = Concur.LoopThread()
            thread.task(lambda: ran.append(1))
            thread.start()
            future = thread.submit(asyncio.sleep, 3600)
            thread.stop(LIMIT)
            self.assertTrue(future.wait(0))
            future.ignore()

    def test_tasks_of_coroutines(self):
        steps = []

        async def child():
            try:
                await asyncio.sleep(3600)
            finally:
                # That one, too.
                steps.append(asyncio.ensure_future(grandchild()))
                await asyncio.sleep(0.001)
                steps.append('child')

        async def grandchild():
            await asyncio.sleep(3600)

        async def main():
            steps.append(asyncio.ensure_future(child()))
            await asyncio.sleep(0)

        thread = self.loop_thread()
        thread.call(main)
        thread.stop(LIMIT)
        self.assertEqual(steps[2], 'child')
        self.assertTrue(steps[1].cancelled())

    def test_async_generators(self):
        steps = []

        async def generate():
            try:
                while True:
                    yield 1
            finally:
                await asyncio.sleep(0.001)
                steps.append('closed')

        async def main():
            generator = generate()
            kept.append(generator)
            return await generator.__anext__()

        kept = []
        thread = self.loop_thread()
        self.assertEqual(thread.call(main), 1)
        thread.stop(LIMIT)
        self.assertEqual(steps, ['closed'])

    def test_submit_while_clearing_up(self):
        errors = []

        async def wait():
            try:
                begun.set()
                await asyncio.sleep(3600)
            finally:
                try:
                    await thread.submit(asyncio.sleep, 0)
                except RuntimeError as error:
                    errors.append(error)

        begun = threading.Event()
        thread = self.loop_thread()
        thread.submit(wait)
        begun.wait(LIMIT)
        thread.stop(LIMIT)
        self.assertIn('takes no more work', str(errors[0]))

    def test_twice(self):
        thread = Concur.LoopThread()
        thread.stop()
        thread.join()
        thread.start()
        pool = self.pool(4)
        stops = [pool.submit(thread.stop, LIMIT) for _ in range(4)]
        thread.stop(LIMIT)
        for stop in stops:
            stop.result(LIMIT)
        thread.stop(LIMIT)

    def test_from_inside(self):
        async def stop():
            await asyncio.sleep(0)
            thread.stop()
            await asyncio.sleep(3600)

        thread = Concur.LoopThread()
        for function in (stop, lambda: thread.stop()):
            thread.start()
            thread.submit(function).wait(LIMIT)
            thread.join(LIMIT)
            self.assertEqual(thread.get_state(), STOPPED)

    def test_timeout(self):
        thread = self.loop_thread(name='slow')
        gate = Gate()
        self.addCleanup(gate.open)
        thread.submit(gate)
        gate.wait()
        for method in (thread.stop, thread.join):
            with self.assertRaisesRegex(TimeoutError, 'slow has not ended after 0.01 s'):
                method(0.01)
            with self.assertRaises(TimeoutError):
                method(0)
        self.assertEqual(thread.get_state(), STOPPING)
        gate.open()
        thread.join(LIMIT)
        self.assertEqual(thread.get_state(), STOPPED)

    def test_wrong_timeout(self):
        thread = self.loop_thread()
        with self.assertRaises(ValueError):
            thread.stop(float('nan'))
        with self.assertRaises(TypeError):
            thread.stop('soon')
        self.assertEqual(thread.get_state(), RUNNING)

    def test_join(self):
        thread = self.loop_thread()
        joined = self.pool().submit(thread.join)
        with self.assertRaises(TimeoutError):
            thread.join(0.01)
        self.assertFalse(joined.done())
        thread.stop(LIMIT)
        joined.result(LIMIT)

    def test_interrupted(self):
        # Ctrl-C while the main thread waits.
        thread = self.loop_thread()
        gate = Gate()
        self.addCleanup(gate.open)
        thread.submit(gate)
        gate.wait()
        for wait in (thread.stop, thread.join, thread.start):
            with self.assertRaises(KeyboardInterrupt):
                threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
                wait()
                time.sleep(LIMIT)
        gate.open()

    def test_loop_stop(self):
        # What is for plain asyncio does the same.
        thread = self.loop_thread()
        future, steps = self.waiting(thread)
        thread.loop.call_soon_threadsafe(thread.loop.stop)
        thread.join(LIMIT)
        self.assertEqual(steps, ['cleared up'])

    def test_stubborn_task(self):
        # CANCEL_ALL may ask more than once.
        begun = threading.Event()
        asked = []

        async def stubborn():
            begun.set()
            while len(asked) < 3:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    asked.append(True)

        thread = self.loop_thread()
        future = thread.submit(stubborn)
        begun.wait(LIMIT)
        end = thread.shutdown()
        wait_until(lambda: len(asked) == 1)
        while not end.wait(0.001):
            thread.shutdown(CANCEL_ALL)
        self.assertIsNone(future.result(0))

    def test_error_while_clearing_up(self):
        # Of a task that is nobody's: asyncio logs it.
        async def child():
            try:
                await asyncio.sleep(3600)
            finally:
                raise ValueError('spilled')

        async def main():
            kept.append(asyncio.ensure_future(child()))
            await asyncio.sleep(0)

        kept = []
        thread = self.loop_thread()
        thread.call(main)
        with self.assertLogs('asyncio', 'ERROR') as log:
            thread.stop(LIMIT)
        self.assertIn('spilled', log.output[0])


class TestTasks(LoopThreadCase):
    def test_each_start(self):
        steps = []
        thread = Concur.LoopThread()

        @thread.task
        async def tick():
            steps.append('begin')
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0.001)
                steps.append('end')

        self.assertIsInstance(tick, types.FunctionType)
        self.assertEqual([task.function for task in thread.tasks], [tick])
        self.assertIsNone(thread.tasks[0].future)
        for number in range(1, 4):
            with thread:
                wait_until(lambda: steps.count('begin') == number)
            self.assertEqual(steps, ['begin', 'end'] * number)
            self.assertTrue(thread.tasks[0].future.cancelled())

    def test_function(self):
        steps = []
        thread = Concur.LoopThread()
        thread.task(lambda: steps.append(threading.get_ident()))
        with thread:
            ident = thread.call(threading.get_ident)
            wait_until(lambda: steps)
        self.assertEqual(steps, [ident])

    def test_order(self):
        steps = []
        thread = Concur.LoopThread()
        for number in range(5):
            thread.add_task(steps.append, number)
        with thread:
            wait_until(lambda: len(steps) == 5)
        self.assertEqual(steps, list(range(5)))

    def test_error(self):
        thread = Concur.LoopThread(name='worker')
        error = ValueError('no such thing')

        @thread.task
        async def fail():
            raise error

        with self.hidden_log() as log:
            with thread:
                task, = thread.tasks
                wait_until(lambda: task.future is not None)
                self.assertIs(task.future.exception(LIMIT), error)
                # The loop goes on.
                self.assertEqual(thread.call(int), 0)
        self.assertEqual(len(log.output), 1)
        self.assertRegex(log.output[0], 'worker: the task .*fail.* failed')
        self.assertIn('no such thing', log.output[0])

    def test_while_it_runs(self):
        thread = self.loop_thread()
        begun = threading.Event()
        steps = []

        async def run(*args, **kwargs):
            begun.set()
            steps.append((args, kwargs))
            await asyncio.sleep(3600)

        task = thread.add_task(run, 1, a=2)
        self.assertTrue(begun.wait(LIMIT))
        thread.stop(LIMIT)
        self.assertTrue(task.future.cancelled())
        self.assertEqual(steps, [((1,), {'a': 2})])

    def test_remove(self):
        thread = Concur.LoopThread()

        async def run():
            await asyncio.sleep(3600)

        with thread:
            task = thread.add_task(run)
            wait_until(lambda: task.future is not None)
            self.assertTrue(task.remove())
            self.assertFalse(task.remove())
            self.assertTrue(task.future.wait(LIMIT))
            self.assertTrue(task.future.cancelled())
            thread.task(run)
            self.assertTrue(thread.remove_task(run))
            self.assertFalse(thread.remove_task(run))
            task = thread.add_task(run)
            self.assertTrue(thread.remove_task(task))
        self.assertEqual(thread.tasks, ())

    def test_add_and_start_at_once(self):
        # Each is started once, whoever is first.
        pool = self.pool(2)
        for number in range(100 // SCALE):
            thread = Concur.LoopThread()
            ran = []
            adding = pool.submit(thread.add_task, ran.append, number)
            thread.start()
            adding.result(LIMIT)
            wait_until(lambda: ran)
            thread.stop(LIMIT)
            self.assertEqual(ran, [number])

    def test_wrong(self):
        async def run():
            pass

        thread = Concur.LoopThread()
        coroutine = run()
        with self.assertRaisesRegex(TypeError, 'give the coroutine function'):
            thread.task(coroutine)
        with self.assertRaises(TypeError):
            thread.task(5)
        self.assertEqual(thread.tasks, ())


class TestLeaks(LoopThreadCase):
    def test_futures(self):
        async def succeed(thing):
            await asyncio.sleep(0)
            return thing

        async def fail(thing):
            await asyncio.sleep(0)
            raise ValueError(thing)

        thread = self.loop_thread()
        begun = thread.add_task(int)
        wait_until(lambda: begun.future is not None)
        references = []
        with self.all_futures_go():
            for function in (succeed, fail) * 50:
                thing = Thing()
                references.append(weakref.ref(thing))
                future = thread.submit(function, thing)
                try:
                    future.result(LIMIT)
                except ValueError:
                    pass
                future = thing = None
        self.assertTrue(gone(*references))

    def test_all_sorts(self):
        async def wait(thing):
            await asyncio.sleep(3600)

        async def pass_on(thing):
            return thing

        references = []
        tasks = count(asyncio.Task)
        coroutines = count(types.CoroutineType)
        with self.all_futures_go():
            for _ in range(20):
                thread = Concur.LoopThread()
                thing = Thing()
                references += [weakref.ref(thing), weakref.ref(thread)]
                thread.add_task(wait, thread)
                thread.start()
                references.append(weakref.ref(thread.loop))
                thread.enter(Manager([], thing))
                cancelled = thread.submit(wait, thing)
                thread.submit(wait(thing))
                thread.submit(pass_on, thing)
                thread.run_in_executor(Thing)
                cancelled.cancel()
                thread.stop(LIMIT)
                thread.submit(pass_on(thing)).ignore()
                thread = thing = cancelled = None
        self.assertTrue(gone(*references))
        self.assertLessEqual(count(asyncio.Task), tasks)
        self.assertLessEqual(count(types.CoroutineType), coroutines)

    def test_never_started(self):
        thread = Concur.LoopThread()
        thread.task(lambda: thread)
        reference = weakref.ref(thread)
        thread = None
        self.assertTrue(gone(reference))

    def test_files(self):
        if not os.path.isdir('/proc/self/fd'):
            self.skipTest('there is no /proc')
        thread = Concur.LoopThread()
        with thread:
            pass
        before = len(os.listdir('/proc/self/fd'))
        for _ in range(50):
            with thread:
                pass
        self.assertLessEqual(len(os.listdir('/proc/self/fd')), before + 2)


def _stop_after(thread, seconds):
    # Just to come at various moments.
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    thread.stop(LIMIT)


if __name__ == '__main__':
    unittest.main()
