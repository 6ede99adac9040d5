# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.LoopThread while it stops: what those who clear up can do, and those who still submit;
and signals and subclasses, which see it come and go."""

import asyncio
import contextlib
import gc
import random
import threading
import types
import unittest
import warnings

from loop_thread_util import CANCEL_ALL, LoopThreadCase, Manager
from util import LIMIT, SCALE, Concur, Gate, GLib, count, iterate_until, wait_until

STOPPED = Concur.LoopState.STOPPED


class TestClearUp(LoopThreadCase):
    """By each of the ways in which a coroutine is asked to stop."""

    def ends(self):
        thread = self.loop_thread(name='net')
        yield 'cancel', thread, lambda future: future.cancel()
        yield 'stop', thread, lambda future: thread.stop(LIMIT)
        thread.start()
        yield 'shut down', thread, lambda future: thread.shutdown(CANCEL_ALL)

    def check(self, clear_up):
        for name, thread, end in self.ends():
            with self.subTest(name):
                begun = threading.Event()
                steps = []

                async def work():
                    begun.set()
                    try:
                        await asyncio.sleep(3600)
                    finally:
                        steps.append(await clear_up())

                future = thread.submit(work)
                self.assertTrue(begun.wait(LIMIT))
                end(future)
                with self.assertRaises(Concur.CancelledError):
                    future.result(LIMIT)
                self.assertEqual(steps, ['done'])

    def test_jobs(self):
        async def clear_up():
            return await pool.submit(str, 'done')

        pool = self.pool()
        self.check(clear_up)

    def test_held_jobs(self):
        # They end while the loop has nothing else to do.
        gates = []

        async def clear_up():
            gate = Gate()
            gates.append(gate)
            future = pool.submit(gate, 'done')
            asyncio.get_running_loop().call_later(0.01, gate.open)
            return await future

        pool = self.pool()
        self.addCleanup(lambda: [gate.open() for gate in gates])
        self.check(clear_up)

    def test_threads_of_asyncio(self):
        async def clear_up():
            loop = asyncio.get_running_loop()
            name = await loop.run_in_executor(None, lambda: threading.current_thread().name)
            self.assertRegex(name, 'net-pool-')
            return 'done'

        self.check(clear_up)

    def test_promise(self):
        async def clear_up():
            promise = Concur.Promise()
            pool.submit(promise.resolve, 'done')
            return await promise.future

        pool = self.pool()
        self.check(clear_up)

    def test_other_thread(self):
        async def clear_up():
            return await other.submit(asyncio.sleep, 0.001, 'done')

        other = self.loop_thread()
        self.check(clear_up)

    def test_manager(self):
        async def leave():
            steps.append(await asyncio.get_running_loop().run_in_executor(None, int, '5'))
            steps.append(await asyncio.get_running_loop().run_in_executor(None, inside))

        def inside():
            with self.assertRaises(RuntimeError):
                thread.join()
            # Only begins, and has long been begun.
            thread.stop()
            return 'inside'

        steps = []
        thread = self.loop_thread()
        thread.enter(Manager(steps, leave=leave))
        thread.run_in_executor(int).result(LIMIT)
        thread.stop(LIMIT)
        self.assertEqual(steps, ['enter it', 'leave it', 5, 'inside'])
        self.assertNotIn('-pool-', ' '.join(each.name for each in threading.enumerate()))

    def test_generator(self):
        async def generate():
            try:
                while True:
                    yield 1
            finally:
                steps.append(await asyncio.get_running_loop().run_in_executor(None, int, '5'))

        async def main():
            kept.append(generate())
            return await kept[0].__anext__()

        steps, kept = [], []
        thread = self.loop_thread()
        thread.call(main)
        thread.stop(LIMIT)
        self.assertEqual(steps, [5])

    def test_until_the_end(self):
        # What an executor of asyncio's has is waited for.
        async def leave():
            asyncio.get_running_loop().run_in_executor(None, gate, 1)

        gate = Gate()
        self.addCleanup(gate.open)
        thread = self.loop_thread()
        thread.enter(Manager([], leave=leave))
        end = thread.shutdown()
        gate.wait()
        # Asking again does not tear anything off.
        for _ in range(20):
            self.assertFalse(end.wait(0.001))
            thread.shutdown(CANCEL_ALL)
        gate.open()
        self.assertTrue(end.wait(LIMIT))


class TestHurry(LoopThreadCase):
    def setUp(self):
        self.reports = []
        old = threading.excepthook
        threading.excepthook = self.reports.append
        self.addCleanup(setattr, threading, 'excepthook', old)

    def test_at_any_time(self):
        # CANCEL_ALL asks everything but the end itself to stop.
        async def spill():
            for _ in range(3):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.0005)
            kept.append(asyncio.ensure_future(asyncio.sleep(0.0005)))

        async def generate():
            try:
                yield 1
            finally:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.0005)

        async def main():
            kept.append(generate())
            await kept[-1].__anext__()
            kept.append(asyncio.ensure_future(spill()))
            await asyncio.sleep(3600)

        kept = []
        thread = Concur.LoopThread()
        self.addCleanup(self.end, thread)
        chance = random.Random(1)
        for _ in range(30):
            thread.start()
            thread.enter(Manager([], leave=spill))
            thread.submit(main)
            thread.call(asyncio.sleep, 0)
            end = thread.shutdown()
            while not end.wait(chance.random() / 500):
                thread.shutdown(CANCEL_ALL)
            thread.join(LIMIT)
            kept.clear()
        self.assertEqual(self.reports, [])

    def test_once(self):
        # One request asks once, by whatever ways it comes.
        async def clear_up(turns):
            begun.release()
            try:
                await asyncio.sleep(3600)
            finally:
                for _ in range(turns):
                    try:
                        await asyncio.sleep(0.0002)
                    except asyncio.CancelledError:
                        again.append(True)

        async def main():
            # That is not done when the end, which waits for jobs, looks for what is left.
            kept.append(asyncio.ensure_future(clear_up(100)))
            await clear_up(10)

        kept, again = [], []
        begun = threading.Semaphore(0)
        thread = Concur.LoopThread()
        self.addCleanup(self.end, thread)
        for stop in [lambda: thread.shutdown(CANCEL_ALL), thread.stop] * 5:
            thread.start()
            thread.submit(main)
            for _ in range(2):
                self.assertTrue(begun.acquire(timeout=LIMIT))
            stop()
            thread.join(LIMIT)
        self.assertEqual((again, len(kept)), ([], 10))

    def test_exits(self):
        # Raised by who clears up: nothing of the end is left out.
        async def spill(error):
            begun.release()
            try:
                await asyncio.sleep(3600)
            finally:
                raise error

        async def main():
            kept.append(asyncio.ensure_future(spill(SystemExit())))
            await asyncio.sleep(0)

        async def generate():
            try:
                yield 1
            finally:
                steps.append('closed')

        async def hold():
            kept.append(generate())
            await kept[-1].__anext__()

        kept, steps = [], []
        begun = threading.Semaphore(0)
        thread = self.loop_thread()
        thread.call(hold)
        thread.call(main)
        thread.enter(Manager(steps))
        future = thread.submit(spill, KeyboardInterrupt())
        for _ in range(2):
            begun.acquire(timeout=LIMIT)
        with self.assertLogs('asyncio', 'ERROR') as log:
            thread.stop(LIMIT)
        self.assertEqual(len(log.output), 1)
        self.assertIsInstance(future.exception(0), KeyboardInterrupt)
        self.assertEqual(steps, ['enter it', 'leave it', 'closed'])
        self.assertIsInstance(kept[1].exception(), SystemExit)
        self.assertEqual(self.reports, [])


class TestSubmit(LoopThreadCase):
    def test_by_many_threads(self):
        # Each future ends, and what was refused says so.
        async def work():
            await asyncio.sleep(0.0005)

        async def wait():
            await asyncio.sleep(3600)

        def submit(seed):
            chance = random.Random(seed)
            futures = []
            while not over.is_set() and len(futures) < 400:
                kind = chance.randrange(5)
                futures.append(thread.submit(int) if kind == 0
                               else thread.submit(work) if kind == 1
                               else thread.submit(work()) if kind == 2
                               else thread.submit(wait) if kind == 3
                               else thread.run_in_executor(int))
                if chance.random() < 0.1:
                    futures[-1].cancel()
            return futures

        tasks, coroutines = count(asyncio.Task), count(types.CoroutineType)
        with warnings.catch_warnings(record=True) as caught, self.all_futures_go():
            warnings.simplefilter('always')
            thread = Concur.LoopThread()
            pool = self.pool(8)
            for number in range(max(1, 10 // SCALE)):
                over = threading.Event()
                thread.start()
                submitting = [pool.submit(submit, f'{number} {each}') for each in range(8)]
                wait_until(lambda: all(future.running() or future.done()
                                       for future in submitting))
                thread.stop(LIMIT)
                over.set()
                for each in submitting:
                    for future in each.result(LIMIT):
                        self.assertTrue(future.wait(LIMIT))
                        if not future.cancelled():
                            error = future.exception()
                            if error is not None:
                                self.assertRegex(str(error), 'shut down|stopped|stopping|no more')
                self.assertEqual(thread.get_state(), STOPPED)
            thread = submitting = each = future = error = None
            wait_until(lambda: count(asyncio.Task) <= tasks)
            self.assertLessEqual(count(types.CoroutineType), coroutines)
            gc.collect()
        self.assertEqual([str(each.message) for each in caught], [])

    def test_stopped_by_many_threads(self):
        thread = Concur.LoopThread()
        pool = self.pool(8)
        for _ in range(max(1, 20 // SCALE)):
            thread.start()
            future, steps = self.waiting(thread)
            for stop in [pool.submit(thread.stop, LIMIT) for _ in range(8)]:
                stop.result(LIMIT)
                # Whoever comes back: it is over.
                self.assertTrue(future.cancelled())
                self.assertEqual(steps, ['cleared up'])
            self.assertEqual(thread.get_state(), STOPPED)


class TestSignals(LoopThreadCase):
    def test_order(self):
        steps = []
        context = GLib.MainContext.default()
        thread = Concur.LoopThread()
        for name in ('started', 'stopping', 'stopped'):
            thread.connect(name, lambda thread, name: steps.append(
                (name, threading.current_thread())), name)
        here = threading.current_thread()
        for number in range(1, 3):
            with thread:
                iterate_until(lambda: ('started', here) == steps[-1] if steps else False)
            iterate_until(lambda: len(steps) == 3 * number)
            self.assertEqual(steps[-3:], [('started', here), ('stopping', here),
                                          ('stopped', here)])
        while context.iteration(False):
            pass
        self.assertEqual(len(steps), 6)


class TestSubclass(LoopThreadCase):
    def test_around_the_loop(self):
        steps = []

        class Traced(Concur.LoopThread):
            def __init__(self):
                super().__init__('traced')
                self.mine = 5

            def do_run_loop(self):
                steps.append(('begin', self.is_current(), self.mine))
                super().do_run_loop()
                steps.append(('end', self.is_current()))

            async def double(self, number):
                await asyncio.sleep(0)
                return number * self.mine

        thread = Traced()
        for _ in range(2):
            steps.clear()
            with thread:
                self.assertEqual(thread.call(thread.double, 4), 20)
            self.assertEqual(steps, [('begin', True, 5), ('end', True)])
        self.assertEqual(thread.name, 'traced')

    def test_of_gobject(self):
        class Plain(Concur.LoopThread):
            __gtype_name__ = 'TestPlainLoopThread'

        with Plain(name='plain', max_workers=2) as thread:
            self.assertEqual((thread.name, thread.executor.props.max_threads), ('plain', 2))
            self.assertEqual(thread.call(asyncio.sleep, 0, 7), 7)


if __name__ == '__main__':
    unittest.main()
