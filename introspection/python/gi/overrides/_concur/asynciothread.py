# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""AsyncioThread: LoopThread under the names of quara-concurrency's class."""

import asyncio
import inspect
import warnings

from gi.repository import GLib

from .asyncioqueue import NotReadyError, QueueProxy
from .base import EXECUTOR_ERROR, OWN, TimedOut, public, raw
from .future import raw_state
from .loopthread import LoopThread

ALL_COMPLETED = asyncio.ALL_COMPLETED

REJECTED = raw.FutureState.REJECTED


@public
class AsyncioThread(LoopThread):
    """A LoopThread for those who know quara-concurrency's AsyncioThread.

        thread = Concur.AsyncioThread()

        @thread.task
        async def tick():
            ...

        with thread:
            print(thread.run_threadsafe(fetch(url)).result())

    What ends in _threadsafe is for other threads, and gives a Concur.Future; the methods
    that are coroutines are for the loop's own. Stopping cancels every task and waits until
    all have cleared up. It is a daemon thread always, and can be started again.
    """

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonAsyncioThread'

    def __init__(self, *, max_workers=None, name=None, daemon=True):
        if daemon is False:
            raise ValueError('an AsyncioThread is a daemon thread')
        properties = {} if max_workers is None else {'max_workers': max_workers}
        super().__init__(name, **properties)
        self.__dict__['_shared'].stop_cancels_all = True

    @classmethod
    def new(cls, name=None):
        """A thread that is not started yet."""
        return cls(name=name)

    @property
    def daemon(self):
        """True: the interpreter does not wait for it."""
        return True

    @property
    def ident(self):
        """The thread's number for threading while it runs, or None."""
        return self.__dict__['_shared'].ident

    def is_alive(self):
        """Whether it was started and has not ended."""
        return self.get_state() != raw.LoopState.STOPPED

    def join(self, timeout=None):
        """Waits until the thread has ended, at most timeout seconds; then is_alive () tells.
        Raises RuntimeError on the thread itself."""
        try:
            LoopThread.join(self, timeout)
        except TimedOut:
            pass

    def stop(self, wait=True, timeout=None):
        """Refuses new work, cancels every task, and with wait waits until they have cleared
        up and the thread has ended. On the thread itself it never waits. Nothing happens if
        the thread does not run.

        Raises TimeoutError after timeout seconds; the end is still to come then.
        """
        LoopThread.stop(self, timeout) if wait else self.shutdown()

    def stop_threadsafe(self):
        """Begins to stop the thread; join () waits for the end. Raises NotReadyError if it
        does not run."""
        self._check_runs()
        self.shutdown()

    def cancel(self):
        """Cancels every task of the loop, and does not wait for them. From any thread.
        Nothing happens if the thread does not run."""
        state = self.__dict__['_shared']
        if self.is_current():
            state.cancel_all()
        else:
            # In turn: what is submitted later is not meant.
            self.submit(state.cancel_all).ignore()

    def run_threadsafe(self, coroutine, /, *args, **kwargs):
        """Runs a coroutine, or a coroutine function with arguments, on the loop. Returns a
        Concur.Future; cancelling that cancels the task.

        Raises NotReadyError if the thread does not run. Waiting for the future on the
        thread itself raises RuntimeError.
        """
        if not inspect.iscoroutine(coroutine) and not callable(coroutine):
            raise TypeError(f'a coroutine is needed, not {type(coroutine).__name__}')
        return _taken(self.submit(coroutine, *args, **kwargs))

    def create_task_threadsafe(self, coroutine):
        """The same as run_threadsafe (). Returns a Concur.Future, not the task, which only
        its own thread may touch."""
        return self.run_threadsafe(coroutine)

    def create_tasks_threadsafe(self, *coroutines):
        """run_threadsafe () for each. Returns a list of futures; on NotReadyError nothing
        was begun that is not cancelled."""
        futures = []
        rest = list(coroutines)
        try:
            while rest:
                futures.append(self.run_threadsafe(rest.pop(0)))
        except BaseException:
            for future in futures:
                future.cancel()
            for coroutine in rest:
                if inspect.iscoroutine(coroutine):
                    coroutine.close()
            raise
        return futures

    def run_in_executor_threadsafe(self, function, /, *args, **kwargs):
        """Calls a function that blocks on the thread's executor. Returns a Concur.Future.
        Raises NotReadyError if the thread does not run."""
        self._check_runs()
        return _taken(self.executor.submit(function, *args, **kwargs))

    def run_until_first_complete_threadsafe(self, *coroutines):
        """run_until_first_complete () from another thread. Returns a Concur.Future."""
        return self._run_with(self.run_until_first_complete, coroutines)

    def wait_threadsafe(self, tasks, return_when=ALL_COMPLETED, timeout=None):
        """wait () from another thread. Returns a Concur.Future."""
        return self.run_threadsafe(self.wait, tasks, return_when, timeout)

    def create_queue_threadsafe(self, start=False, maxsize=0):
        """Returns a QueueProxy, which has its queue from the next start of the thread on, or
        with start=True at once. Of a thread that runs already the former is a warning. A
        queue with a maxsize makes those wait who put something into it while it is full.

        Raises NotReadyError if the thread does not run and start is True.
        """
        return self._make_queues(1, start, maxsize)[0]

    def create_queues_threadsafe(self, n, /, start=False, maxsize=0):
        """A list of n queues; see create_queue_threadsafe ()."""
        return self._make_queues(n, start, maxsize)

    def _make_queues(self, n, start, maxsize):
        state = self.__dict__['_shared']
        skipped = None
        if start:
            self._check_runs()
        elif self.get_state() == raw.LoopState.RUNNING:
            skipped = state.loop
            warnings.warn(f'{self.get_name()} runs already, and has the queue after its next '
                          'start: give start=True', stacklevel=3)
        queues = [QueueProxy(maxsize) for _ in range(n)]
        for queue in queues:
            queue._begin(state, skipped)
        return queues

    def put_threadsafe(self, queue, item):
        """Puts an item into a queue of this thread. Returns a Concur.Future, pending while
        the queue is full and cancelled when the thread is stopped; cancelling it takes the
        item back. The items of one thread come in order. Raises NotReadyError if there is
        no queue."""
        self._check_queue(queue)
        return _taken(self.submit(queue.put, item))

    def get_threadsafe(self, queue, timeout=None):
        """Takes an item out of a queue of this thread; blocks for one, at most timeout
        seconds. With a timeout of 0 or less what is there is taken.

        Raises TimeoutError; CancelledError when the thread is stopped; NotReadyError if
        there is no queue; RuntimeError on the thread itself.
        """
        self._check_queue(queue)
        if self.is_current():
            raise RuntimeError('waiting here would block the loop: use "await queue.get ()"')
        future = _taken(self.submit(queue._get_within, timeout))
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise
        finally:
            self = future = None

    def _check_queue(self, queue):
        if not isinstance(queue, QueueProxy):
            raise TypeError(f'a QueueProxy is needed, not {type(queue).__name__}')
        if queue._state is not self.__dict__['_shared']:
            raise ValueError(f'it is not a queue of {self.get_name()}')
        self._check_runs()
        queue._check_ready()

    def _run_with(self, function, coroutines):
        try:
            return self.run_threadsafe(function, *coroutines)
        except BaseException:
            _close(coroutines)
            raise

    async def create_task(self, coroutine):
        """To be awaited on the loop: makes a task of asyncio."""
        self._check_here((coroutine,))
        return asyncio.get_running_loop().create_task(coroutine)

    async def create_tasks(self, *coroutines):
        """To be awaited on the loop: makes tasks of asyncio. Returns a list."""
        self._check_here(coroutines)
        loop = asyncio.get_running_loop()
        return [loop.create_task(coroutine) for coroutine in coroutines]

    async def run_in_executor(self, function, /, *args, **kwargs):
        """To be awaited on the loop: calls a function that blocks on the thread's executor
        and returns its value. Context variables are copied. Raises NotReadyError if the
        thread does not run."""
        return await self.run_in_executor_threadsafe(function, *args, **kwargs)

    async def run_until_first_complete(self, *coroutines):
        """To be awaited on the loop: runs coroutines until the first has ended, and returns
        its value or raises its exception; of several at once that of the first given. The
        others are cancelled, and have cleared up when this returns."""
        self._check_here(coroutines)
        if not coroutines:
            raise ValueError('at least one coroutine is needed')
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(coroutine) for coroutine in coroutines]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            first = next(task for task in tasks if task.done())
        finally:
            await _cancel_and_wait(tasks)
        return first.result()

    async def wait(self, tasks, return_when=ALL_COMPLETED, timeout=None):
        """To be awaited on the loop: asyncio.wait () for tasks of asyncio and futures of
        Concur. Returns the sets of those done and not done, as they were given. Raises
        TypeError for anything else, ValueError if there are none."""
        self._check_here(())
        # Sorted out by what they are, as a future may be given twice.
        futures = set()
        others = set()
        for task in tasks:
            if isinstance(task, raw.Future):
                futures.add(task)
            elif asyncio.isfuture(task):
                others.add(task)
            else:
                raise TypeError('tasks and futures can be waited for, not '
                                f'{type(task).__name__}')
        loop = asyncio.get_running_loop()
        helpers = [loop.create_task(_outcome(future)) for future in futures]
        try:
            await asyncio.wait({*helpers, *others}, return_when=return_when, timeout=timeout)
            done = {task for task in futures | others if task.done()}
        finally:
            await _cancel_and_wait(helpers)
        return done, (futures | others) - done

    def _check_runs(self):
        if self.get_state() != raw.LoopState.RUNNING:
            raise NotReadyError(f'{self.get_name()} does not run')

    def _check_here(self, coroutines):
        if not self.is_current():
            _close(coroutines)
            raise RuntimeError(f'this is not the thread of {self.get_name()}: use the method '
                               'that ends in _threadsafe')


def _taken(future):
    """Raises if the thread has refused to do it."""
    if future.is_done() and raw_state(future) == REJECTED:
        error = future.exception()
        cause = error.__cause__
        if isinstance(cause, GLib.Error) and cause.domain == EXECUTOR_ERROR:
            raise NotReadyError(str(error)) from cause
    return future


def _close(coroutines):
    for coroutine in coroutines:
        if inspect.iscoroutine(coroutine):
            coroutine.close()


async def _outcome(future):
    # Giving up the wait leaves the future alone.
    return await future.shield()


async def _cancel_and_wait(tasks):
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            # It was looked at.
            task.exception()
