# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.LoopThread: its own executor, and context managers that it stays in."""

import asyncio
import os
import threading
import unittest

from loop_thread_util import LoopThreadCase, Manager
from util import LIMIT, Concur, Gate

CANCEL_ALL = Concur.ShutdownMode.CANCEL_ALL


class TestExecutor(LoopThreadCase):
    def test_run_in_executor(self):
        thread = self.loop_thread(name='net', max_workers=1)

        def where():
            return threading.current_thread().name

        self.assertEqual(thread.run_in_executor(where).result(LIMIT), 'net-pool-1')
        self.assertEqual(thread.executor.submit(where).result(LIMIT), 'net-pool-1')
        self.assertIs(thread.get_executor(), thread.executor)
        self.assertEqual(thread.executor.props.max_threads, 1)

    def test_default_of_asyncio(self):
        async def main():
            loop = asyncio.get_running_loop()
            name = await loop.run_in_executor(None, lambda: threading.current_thread().name)
            with self.assertRaises(ZeroDivisionError):
                await loop.run_in_executor(None, divmod, 1, 0)
            return name

        thread = self.loop_thread(name='net')
        self.assertTrue(thread.call(main).startswith('net-pool'))

    def test_other_executor(self):
        async def main():
            loop = asyncio.get_running_loop()
            with Concur.ThreadPoolExecutor(1, thread_name_prefix='mine') as pool:
                loop.set_default_executor(pool)
                return await loop.run_in_executor(None,
                                                  lambda: threading.current_thread().name)

        self.assertTrue(self.loop_thread().call(main).startswith('mine'))

    def test_future_of_asyncio(self):
        # As that of a plain loop: no task, and cancelling it reaches the call.
        async def main():
            loop = asyncio.get_running_loop()
            tasks = asyncio.all_tasks()
            occupied = loop.run_in_executor(None, gate, 'first')
            refused = loop.run_in_executor(None, ran.append, 1)
            failing = loop.run_in_executor(None, divmod, 1, 0)
            self.assertIsInstance(occupied, asyncio.Future)
            self.assertEqual(asyncio.all_tasks(), tasks)
            refused.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await refused
            # asyncio tells what was cancelled a turn later.
            await asyncio.sleep(0)
            gate.open()
            self.assertEqual(await occupied, 'first')
            with self.assertRaises(ZeroDivisionError):
                await failing
            with self.assertRaises(asyncio.CancelledError):
                await loop.run_in_executor(None, cancelled)

        def cancelled():
            raise Concur.CancelledError

        ran = []
        gate = Gate()
        self.addCleanup(gate.open)
        self.loop_thread(max_workers=1).call(main, timeout=LIMIT)
        self.assertEqual(ran, [])

    def test_stopped(self):
        thread = Concur.LoopThread()
        with self.assertRaises(RuntimeError):
            thread.run_in_executor(int).result(LIMIT)
        with thread:
            first = thread.executor
            self.assertEqual(thread.run_in_executor(int).result(LIMIT), 0)
        with self.assertRaises(RuntimeError):
            thread.run_in_executor(int).result(LIMIT)
        with thread:
            self.assertIsNot(thread.executor, first)
            self.assertEqual(thread.run_in_executor(int).result(LIMIT), 0)

    def test_stop_waits_for_it(self):
        gate = Gate()
        self.addCleanup(gate.open)
        thread = self.loop_thread()
        future = thread.run_in_executor(gate, 5)
        gate.wait()
        end = thread.shutdown()
        with self.assertRaises(TimeoutError):
            thread.stop(0.01)
        self.assertFalse(end.is_done())
        gate.open()
        thread.stop(LIMIT)
        self.assertEqual(future.result(0), 5)


class TestEnter(LoopThreadCase):
    def test_order(self):
        steps = []
        thread = self.loop_thread()
        one, two = Manager(steps, 'one'), Manager(steps, 'two')
        self.assertIs(thread.enter(one), one)
        self.assertIs(thread.enter(two, timeout=LIMIT), two)

        async def use():
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0.001)
                steps.append('work ended')

        thread.submit(use)
        thread.call(asyncio.sleep, 0)
        thread.stop(LIMIT)
        self.assertEqual(steps, ['enter one', 'enter two', 'work ended', 'leave two',
                                 'leave one'])

    def test_awaited(self):
        async def main():
            return await thread.enter_async(Manager(steps))

        steps = []
        thread = self.loop_thread()
        asyncio.run(main())
        thread.call(main)
        thread.stop(LIMIT)
        self.assertEqual(steps, ['enter it'] * 2 + ['leave it'] * 2)

    def test_own_tasks_live_on(self):
        # A manager's background task is still there when it is left.
        steps = []

        class Connection:
            async def __aenter__(self):
                self.task = asyncio.ensure_future(asyncio.sleep(3600))
                return self

            async def __aexit__(self, *exception):
                steps.append(self.task.done())
                self.task.cancel()

        thread = self.loop_thread()
        thread.enter(Connection())
        thread.stop(LIMIT)
        self.assertEqual(steps, [False])

    def test_error_entering(self):
        async def fail():
            raise ValueError('closed')

        steps = []
        thread = self.loop_thread()
        with self.assertRaisesRegex(ValueError, 'closed'):
            thread.enter(Manager(steps, enter=fail))
        thread.stop(LIMIT)
        self.assertEqual(steps, [])

    def test_error_leaving(self):
        async def fail():
            raise ValueError('lost')

        steps = []
        thread = self.loop_thread()
        thread.enter(Manager(steps, 'one'))
        thread.enter(Manager(steps, 'two', leave=fail))
        with self.hidden_log() as log:
            thread.stop(LIMIT)
        self.assertIn('lost', log.output[0])
        self.assertEqual(steps[-2:], ['leave two', 'leave one'])

    def test_timeout(self):
        async def wait():
            try:
                await asyncio.sleep(3600)
            finally:
                steps.append('gave up')

        steps = []
        thread = self.loop_thread()
        with self.assertRaises(TimeoutError):
            thread.enter(Manager(steps, enter=wait), timeout=0.01)
        thread.stop(LIMIT)
        self.assertEqual(steps, ['gave up'])

    def test_wrong(self):
        thread = self.loop_thread()
        with self.assertRaisesRegex(TypeError, 'asynchronous context manager'):
            thread.enter(open(os.devnull, 'rb'))

    def test_not_running(self):
        thread = Concur.LoopThread()
        with self.assertRaises(RuntimeError):
            thread.enter(Manager([]))

    def test_hurried(self):
        # What does not want to be left is cancelled by CANCEL_ALL.
        leaving = threading.Event()

        async def wait():
            leaving.set()
            await asyncio.sleep(3600)

        steps = []
        thread = self.loop_thread()
        thread.enter(Manager(steps, leave=wait))
        end = thread.shutdown()
        leaving.wait(LIMIT)
        self.assertFalse(end.is_done())
        thread.shutdown(CANCEL_ALL)
        self.assertTrue(end.wait(LIMIT))


if __name__ == '__main__':
    unittest.main()
