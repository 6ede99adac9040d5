# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of LoopThread and AsyncioThread share."""

import asyncio
import threading

from util import LIMIT, Case, Concur

CANCEL_ALL = Concur.ShutdownMode.CANCEL_ALL


class LoopThreadCase(Case):
    thread_class = Concur.LoopThread

    def loop_thread(self, **properties):
        """A thread that runs, and is stopped at the end of the test."""
        thread = self.thread_class(**properties)
        self.addCleanup(self.end, thread)
        thread.start()
        return thread

    def end(self, thread):
        self.assertTrue(thread.shutdown(CANCEL_ALL).wait(LIMIT))

    def waiting(self, thread, wrap=lambda coroutine: coroutine):
        """A coroutine that waits for ever on thread; returns its future, and what it has
        done so far."""
        steps = []
        begun = threading.Event()

        async def wait():
            begun.set()
            try:
                await asyncio.sleep(3600)
            finally:
                # It needs the loop for it.
                await asyncio.sleep(0.001)
                steps.append('cleared up')

        future = thread.submit(wrap(wait))
        self.assertTrue(begun.wait(LIMIT))
        return future, steps


class Manager:
    def __init__(self, steps, name='it', enter=None, leave=None):
        self._steps = steps
        self._name = name
        self._enter = enter
        self._leave = leave

    async def __aenter__(self):
        self._task = asyncio.current_task()
        await asyncio.sleep(0)
        if self._enter is not None:
            await self._enter()
        self._steps.append(f'enter {self._name}')
        return self

    async def __aexit__(self, *exception):
        await asyncio.sleep(0)
        self._steps.append(f'leave {self._name}')
        assert asyncio.current_task() is self._task
        if self._leave is not None:
            await self._leave()
