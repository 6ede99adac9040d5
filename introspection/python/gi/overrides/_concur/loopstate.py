# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a LoopThread's loop consists of while it runs: its asyncio loop and pool, its tasks,
and the context managers that were entered."""

import asyncio
import functools
import threading
import weakref

from gi.repository import GLib

from .base import EXECUTOR_ERROR, OWN, public, to_exception
from .eventloop import EventLoop, cancel_tasks
from .future import REJECTED, log, raw_state
from .pools import ThreadExecutor


@public
class LoopPool(ThreadExecutor):
    """The pool of a loop thread, which knows its threads: they cannot wait for its end."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonLoopPool'

    def do_thread_main(self):
        idents = self.__dict__.setdefault('_idents', set())
        idents.add(threading.get_ident())
        try:
            ThreadExecutor.do_thread_main(self)
        finally:
            idents.discard(threading.get_ident())

    def is_current(self):
        return threading.get_ident() in self.__dict__.get('_idents', ())


class LoopState:
    """It must not keep its LoopThread, because jobs keep it."""

    def __init__(self, name, max_workers):
        self.name = name
        self.max_workers = max_workers
        # Also what coroutines have started themselves.
        self.stop_cancels_all = False
        self.lock = threading.Lock()
        # One for each run, from its start to the end of do_run_loop ().
        self.ended = threading.Event()
        self.ended.set()

        self.loop = None
        # Of the loop's thread.
        self.ident = None
        self.pool = None
        # For what asyncio calls in threads while the loop's tasks clear up: pool refuses.
        self.last_pool = None

        # LoopTasks, and whether those of this run were started. Under the lock.
        self.starters = []
        self.started = False

        # The rest is for the loop's own thread. Tasks of asyncio that answer for jobs:
        self.tasks = set()
        # Each the task that stays in a context manager, and the future that ends that.
        self.entered = []
        self.stopping = False
        self.quit = False
        # Those that were cancelled because of the end: once, or clearing up is cut short.
        self.hurried = False
        self.asked = weakref.WeakSet()
        # The task that does what is left to do at the end.
        self.last = None

    def renew_ended(self):
        with self.lock:
            if self.ended.is_set():
                self.ended = threading.Event()

    def begin(self, loop):
        self.renew_ended()
        with self.lock:
            self.loop = loop
            self.ident = threading.get_ident()
            self.pool = self.last_pool = None
            self.started = False
        self.stopping = self.quit = self.hurried = False
        self.asked.clear()
        self.last = None

    def end(self):
        with self.lock:
            self.loop = None
            self.ident = None
            self.started = False

    def get_pool(self):
        with self.lock:
            if self.pool is None:
                self.pool = LoopPool(self.max_workers, name=f'{self.name}-pool')
                if self.loop is None or self.stopping:
                    # As for any executor of a thread that does not run.
                    self.pool.shutdown()
            return self.pool

    def get_own_pool(self):
        """On the loop's thread: the one for asyncio, which is there until the end."""
        if not self.stopping:
            return self.get_pool()
        if self.last_pool is None:
            self.last_pool = LoopPool(self.max_workers, name=f'{self.name}-pool')
        return self.last_pool

    def is_inside(self):
        """Whether the end would wait for the calling thread."""
        return self.ident == threading.get_ident() or any(
            pool is not None and pool.is_current() for pool in (self.pool, self.last_pool))

    def call(self, function):
        """From any thread; nothing happens unless the loop runs."""
        with self.lock:
            loop = self.loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(function)
            except RuntimeError:
                # It was closed by now.
                pass

    def cancel(self, task):
        """On the loop's thread."""
        if task not in self.asked:
            if self.stopping or self.hurried:
                self.asked.add(task)
            task.cancel()

    def hurry(self):
        """On the loop's thread, before C and cancel_all () ask everybody, one way or the
        other, for what is one request."""
        self.hurried = True
        self.asked.clear()

    def cancel_all(self):
        """On the loop's thread: cancels every task, but for those that stay in a context
        manager, whose time comes last."""
        if self.last is None:
            spared = {task for task, leave in self.entered}
        else:
            spared = {self.last}
        for task in asyncio.all_tasks(self.loop).difference(spared):
            self.cancel(task)

    async def enter(self, context_manager):
        """Enters it in a task of its own: it has to be left in the same."""
        loop = asyncio.get_running_loop()
        entered = loop.create_future()
        leave = loop.create_future()
        task = loop.create_task(_stay(context_manager, entered, leave))
        item = (task, leave)
        self.entered.append(item)
        task.add_done_callback(lambda task: item in self.entered and self.entered.remove(item))
        try:
            return await entered
        except asyncio.CancelledError:
            # Nobody has it.
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            entered = leave = task = item = None

    async def leave_all(self):
        pool = self.pool
        if pool is not None:
            await pool.shutdown()
        while self.entered:
            task, leave = self.entered.pop()
            if not leave.done():
                leave.set_result(None)
            await asyncio.wait({task})

    async def finish(self):
        """What asyncio.run () does at its end."""
        await cancel_tasks(self.loop, self.cancel)
        await self.loop.shutdown_asyncgens()
        if self.last_pool is not None:
            await self.last_pool.shutdown()
        await self.loop.shutdown_default_executor()


async def _stay(context_manager, entered, leave):
    try:
        async with context_manager as value:
            if not entered.done():
                entered.set_result(value)
                value = None
                await leave
    except BaseException as error:
        if not entered.done():
            if isinstance(error, asyncio.CancelledError):
                entered.cancel()
            else:
                entered.set_exception(to_exception(error))
        elif not isinstance(error, asyncio.CancelledError):
            log.error('leaving %r failed', context_manager, exc_info=True)
    finally:
        context_manager = entered = leave = value = None


@public
class LoopTask:
    """What a loop thread runs from each start to the next stop; see LoopThread.add_task ()."""

    def __init__(self, state, function, args, kwargs):
        self._state = state
        self._call = (args, kwargs)
        self._future = None
        self.function = function

    @property
    def future(self):
        """The Concur.Future of its last run, or None: exception () tells why it failed."""
        return self._future

    def remove(self):
        """Takes it back: it is not started any more, and cancelled if it runs. Returns
        False if that was done before."""
        with self._state.lock:
            if self not in self._state.starters:
                return False
            self._state.starters.remove(self)
        self._cancel()
        return True

    def _start(self, thread):
        args, kwargs = self._call
        self._future = future = thread.submit(self.function, *args, **kwargs)
        # Whoever does look at it finds it.
        future.ignore()
        future.add_done_callback(self._ended)
        if self not in self._state.starters:
            # Removed meanwhile.
            self._cancel()

    def _cancel(self):
        future = self._future
        if future is not None:
            future.cancel()

    def _ended(self, future):
        if raw_state(future) != REJECTED:
            return
        error = future.exception()
        cause = error.__cause__
        if isinstance(cause, GLib.Error) and cause.domain == EXECUTOR_ERROR:
            # The thread was stopped before it could begin.
            return
        log.error('%s: the task %r failed', self._state.name, self.function, exc_info=error)

    def __repr__(self):
        return f'<LoopTask {self.function!r} of {self._state.name}>'


class ThreadEventLoop(EventLoop):
    """The asyncio loop of a LoopThread, whose default executor is the thread's own: asyncio's
    would be waited for at exit."""

    def __init__(self, context, state):
        super().__init__(context)
        self._state = state
        self._has_executor = False
        # Of an AsyncioThread: of each QueueProxy the queue that it stands for on this loop.
        self.queues = weakref.WeakKeyDictionary()

    def close(self):
        super().close()
        self.queues.clear()

    def set_default_executor(self, executor):
        super().set_default_executor(executor)
        self._has_executor = True

    def run_in_executor(self, executor, function, *args):
        if executor is not None or self._has_executor:
            return super().run_in_executor(executor, function, *args)
        self._check_closed()
        future = self._state.get_own_pool().submit(function, *args)
        # Not a task: the end of the loop waits for it, and does not cancel it.
        waiter = self.create_future()
        waiter.add_done_callback(functools.partial(_pass_cancel, future))
        future._on_done(functools.partial(_tell, self, waiter))
        return waiter


def _pass_cancel(future, waiter):
    if waiter.cancelled():
        future.cancel()
        future.ignore()


def _tell(loop, waiter, future):
    try:
        loop.call_soon_threadsafe(_pass_outcome, future, waiter)
    except RuntimeError:
        # The loop was closed: nobody waits any more.
        pass


def _pass_outcome(future, waiter):
    if waiter.done():
        return
    if future.cancelled():
        waiter.cancel()
        return
    error = future.exception()
    if error is None:
        waiter.set_result(future.get_value())
    else:
        waiter.set_exception(error)
