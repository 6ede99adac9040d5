# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""LoopThread: a thread that runs asyncio and GLib's sources on one main context."""

import asyncio
import inspect
import sys
import threading
import time
import weakref

from gi.repository import GLib, GObject

from . import threads
from .answers import drop_frames, fail
from .base import OWN, TimedOut, public, raw, to_python, to_us
from .coroutine import is_coroutine, make_call_job, make_coroutine_job
from .executor import raw_submit_job
from .future import raw_wait, wait
from .loopstate import LoopState, LoopTask, ThreadEventLoop

# How long the interpreter's exit waits for loop threads that run, in seconds.
EXIT_LIMIT = 1

DRAIN = raw.ShutdownMode.DRAIN
CANCEL_ALL = raw.ShutdownMode.CANCEL_ALL

raw_is_done = raw.Future.is_done


@public
class LoopThread(raw.LoopThread):
    """A thread with a loop, for coroutines of asyncio and for GLib's sources.

        with Concur.LoopThread(name='net') as thread:
            print(thread.submit(fetch, url).result())

    submit () takes functions and coroutines and may be called from any thread. Coroutines
    that still run when the thread is stopped are cancelled, and the stop waits until they
    have cleared up. It can be started again.

    A thread that runs keeps itself: stop it. At the interpreter's exit those that still
    run are stopped, which may take a second at most.
    """

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonLoopThread'

    def __init__(self, name=None, **properties):
        if name is not None:
            properties['name'] = name
        super().__init__(**properties)
        self.__dict__['_shared'] = LoopState(self.get_name(), self.get_max_workers())
        _add_supervisor(self)

    @classmethod
    def new(cls, name=None):
        """A loop thread, which is not started yet."""
        return cls(name)

    @property
    def loop(self):
        """The asyncio event loop while the thread runs, or None."""
        return self.__dict__['_shared'].loop

    @property
    def context(self):
        """The GLib.MainContext, the same at each start."""
        return raw.LoopThread.get_context(self)

    def start(self):
        """Starts the thread. Returns when its loop runs; at once if it runs already.

        Raises RuntimeError if the thread cannot be started or is stopped meanwhile, or if
        it is stopping and this is one of its own threads.
        """
        state = self.__dict__['_shared']
        threads.on_leave(_stop_all)
        ended = state.ended
        if self.get_state() == raw.LoopState.STOPPING and not state.is_inside():
            # As C does, but so that Ctrl-C interrupts it.
            ended.wait()
        state.renew_ended()
        try:
            self._call_c(raw.LoopThread.start)
        except BaseException:
            if state.loop is None:
                # Who waits for the end finds it in C.
                state.ended.set()
            raise

    def stop(self, timeout=None):
        """Stops the thread: refuses new work, cancels tasks and coroutines, and waits, at
        most timeout seconds, until all of them have cleared up and the functions that were
        submitted have run. On the thread itself, and on one of its executor, this only
        begins the stop.

        Raises TimeoutError when time is up; the end is still to come then, and stop () or
        join () can be called again. shutdown (Concur.ShutdownMode.CANCEL_ALL) hurries it.
        """
        to_us(timeout)
        end = raw.Executor.shutdown(self, DRAIN)
        if raw_is_done(end):
            # What there is to say about it, C says.
            self._call_c(raw.LoopThread.stop, -1)
        elif not self.__dict__['_shared'].is_inside():
            self._reap(wait(end, timeout), timeout)

    def join(self, timeout=None):
        """Waits, at most timeout seconds, for the thread to end, without asking it to.

        Raises TimeoutError, and RuntimeError on the thread itself.
        """
        to_us(timeout)
        state = self.__dict__['_shared']
        if state.is_inside():
            raise RuntimeError(f'{state.name} cannot end while one of its own threads waits for '
                               'that')
        if _left:
            self._call_c(raw.LoopThread.join, -1)
        # Not in C, where Ctrl-C does not interrupt it.
        limit = None if timeout is None else min(max(timeout, 0), threading.TIMEOUT_MAX)
        self._reap(state.ended.wait(limit), timeout)

    def _reap(self, ended, timeout):
        if not ended:
            raise TimedOut(f'{self.get_name()} has not ended after {timeout} s')
        if self.get_state() in (raw.LoopState.STOPPING, raw.LoopState.STOPPED):
            try:
                # The system's thread is in its very last steps, unless it was started again.
                raw.LoopThread.join(self, 1000000)
            except GLib.Error:
                pass

    def _call_c(self, method, *args):
        try:
            return method(self, *args)
        except GLib.Error as error:
            raise to_python(error) from error.__cause__

    def shutdown(self, mode=DRAIN):
        """Begins what stop () does. Returns a future, resolved when the thread has ended. By
        mode CANCEL_ALL, which may come later, everything is asked to stop: also what has
        begun already to clear up."""
        state = self.__dict__['_shared']
        if mode == CANCEL_ALL:
            state.call(state.hurry)
        future = raw.Executor.shutdown(self, mode)
        if mode != DRAIN:
            with state.lock:
                pool = state.pool
            if pool is not None:
                pool.shutdown(mode)
        if mode == CANCEL_ALL:
            state.call(state.cancel_all)
        return future

    def submit(self, function, /, *args, **kwargs):
        """Runs a coroutine function, a coroutine, or a function that does not block, on the
        loop. What a function returns is awaited, if it can be. Returns a Concur.Future;
        cancelling that cancels the coroutine, and it is done when the coroutine has
        cleared up.

        If the thread does not run, the future is rejected with RuntimeError.
        """
        return self._submit(function, args, kwargs)

    def _submit(self, function, args, kwargs, settings=None, cancellable=None):
        make = make_coroutine_job if is_coroutine(function) else make_call_job
        job = make(self.__dict__['_shared'], function, args, kwargs)
        if settings is not None:
            job.apply_settings(settings)
        raw_submit_job(self, job, cancellable)
        if '_call' in job.__dict__ and raw_is_done(job):
            # Refused: let go of here and now.
            job._forget_call()
        return job

    def call(self, function, /, *args, timeout=None, **kwargs):
        """Runs a function or coroutine on the loop, waits for it, at most timeout seconds,
        and returns its value; on the thread itself a function is just called.

        Raises what it raised; TimeoutError, when it is cancelled; RuntimeError for a
        coroutine on the thread itself, or if the thread does not run.
        """
        if self.is_current():
            if is_coroutine(function):
                if inspect.iscoroutine(function):
                    function.close()
                raise RuntimeError('this is the thread of the loop: use "await"')
            return function(*args, **kwargs)
        future = self._submit(function, args, kwargs)
        try:
            if not future.wait(timeout):
                raise TimedOut(f'not done after {timeout} s')
        except BaseException:
            future.cancel()
            future.ignore()
            raise
        return future.result()

    def task(self, function):
        """Decorator: add_task () that returns the function."""
        self.add_task(function)
        return function

    def add_task(self, function, /, *args, **kwargs):
        """Has a coroutine function, or one that does not block, called on the loop after
        each start; now if the thread runs. A stop cancels it and waits for it. An error in
        it is logged.

        Returns a LoopTask, whose future is that of its last run.
        """
        if inspect.iscoroutine(function):
            function.close()
            raise TypeError('a coroutine runs only once: give the coroutine function')
        if not callable(function):
            raise TypeError(f'{function!r} is not callable')
        state = self.__dict__['_shared']
        task = LoopTask(state, function, args, kwargs)
        with state.lock:
            state.starters.append(task)
            started = state.started
        if started:
            task._start(self)
        return task

    def remove_task(self, task):
        """Takes a task back, given as the LoopTask or the function: it is not started any
        more, and cancelled if it runs. Returns whether there was one."""
        for own in self.tasks:
            if task in (own, own.function):
                return own.remove()
        return False

    @property
    def tasks(self):
        """The LoopTasks, in the order in which they are started."""
        state = self.__dict__['_shared']
        with state.lock:
            return tuple(state.starters)

    def enter(self, context_manager, timeout=None):
        """Enters an asynchronous context manager, such as a session of a client, on the
        loop, and returns what it gave. It is left when the thread stops, after what was
        submitted has ended; the last one entered first. An error then is logged.

        Raises what entering raised; TimeoutError after timeout seconds, when that is
        cancelled; RuntimeError on the thread itself, where enter_async () is for.
        """
        _check_manager(context_manager)
        return self.call(self.__dict__['_shared'].enter, context_manager, timeout=timeout)

    async def enter_async(self, context_manager):
        """The same as enter (), to be awaited on any loop."""
        _check_manager(context_manager)
        return await self.submit(self.__dict__['_shared'].enter, context_manager)

    @property
    def executor(self):
        """A ThreadExecutor for what blocks, with up to max_workers threads. It is shut down
        when the thread stops; what it has is done. A thread that is started again has a
        new one."""
        return self.__dict__['_shared'].get_pool()

    def get_executor(self):
        """The same as executor."""
        return self.executor

    def run_in_executor(self, function, /, *args, **kwargs):
        """Calls a function that blocks on the thread's own executor. Returns a future."""
        return self.executor.submit(function, *args, **kwargs)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    async def __aenter__(self):
        if self.get_state() == raw.LoopState.STOPPING:
            await self.shutdown().shield()
        self.start()
        return self

    async def __aexit__(self, *exception):
        await self.shutdown().shield()
        self.stop()

    @staticmethod
    def dup_default():
        """The loop thread that everybody shares, running: started if it does not run."""
        return _get_default()

    def do_run_loop(self):
        state = self.__dict__['_shared']
        with threads.LibraryThread(state.name):
            loop = ThreadEventLoop(self.context, state)
            asyncio.set_event_loop(loop)
            with _lock:
                _running.add(self)
            state.begin(loop)
            try:
                self._serve(state, loop)
                _run_last(state, loop, state.leave_all())
                _run_last(state, loop, state.finish())
            except BaseException:
                _report()
            finally:
                state.end()
                asyncio.set_event_loop(None)
                loop.close()
                with _lock:
                    _running.discard(self)
                state.ended.set()

    def do_quit_loop(self):
        state = self.__dict__['_shared']
        state.quit = True
        state.loop.stop()

    def _serve(self, state, loop):
        loop.call_soon(_watch_start, self, state, loop)
        while not state.quit:
            try:
                loop.run_forever()
                if not state.quit:
                    # Somebody called loop.stop (), which ends the thread as well.
                    raw.Executor.shutdown(self, DRAIN)
            except (SystemExit, KeyboardInterrupt):
                # A task raised it, and its future has it. On this thread it means no more.
                pass
            except BaseException:
                _report()


def _report():
    """As for an exception that ends a thread."""
    threading.excepthook(threading.ExceptHookArgs(
        (*sys.exc_info(), threading.current_thread())))


def _run_last(state, loop, coroutine):
    state.last = loop.create_task(coroutine)
    while not state.last.done():
        try:
            loop.run_until_complete(state.last)
        except (SystemExit, KeyboardInterrupt):
            # Of another task.
            pass


def _check_manager(context_manager):
    if not hasattr(type(context_manager), '__aenter__'):
        raise TypeError(f'{context_manager!r} is not an asynchronous context manager')


def _add_supervisor(thread):
    """A task of C: it begins when the loop takes work, and is cancelled, by whatever makes
    the thread stop, when it does not any more."""
    # The thread has this function, which must not have the thread.
    reference = weakref.ref(thread)

    def supervise(job, *_):
        thread = reference()
        state = thread.__dict__['_shared']
        loop = state.loop
        raw.Job.hold(job)
        cancellable = raw.Job.get_cancellable(job)

        def stop():
            GObject.Object.disconnect(cancellable, handler)
            _begin_end(state, job)

        handler = GObject.Object.connect(
            cancellable, 'cancelled', lambda cancellable: loop.call_soon_threadsafe(stop))
        if cancellable.is_cancelled():
            loop.call_soon(stop)
        with state.lock:
            if state.stopping:
                return True
            state.started = True
            starters = list(state.starters)
        for task in starters:
            task._start(thread)
        return True

    def call(job, *_):
        try:
            return supervise(job)
        except BaseException as error:
            drop_frames(error, 2)
            fail(job, error)
            return True

    raw.LoopThread.add_task(thread, call)


def _watch_start(thread, state, loop):
    # If the stop comes before the supervisor has begun, C drops it.
    if state.started or state.stopping:
        return
    if thread.get_state() == raw.LoopState.STOPPING:
        _begin_end(state, None)
    else:
        loop.call_later(0.001, _watch_start, thread, state, loop)


def _begin_end(state, job):
    with state.lock:
        state.started = False
        state.stopping = True
        pool = state.pool
        starters = list(state.starters)
    for task in starters:
        task._cancel()
    if state.stop_cancels_all:
        state.cancel_all()
    else:
        for task in list(state.tasks):
            state.cancel(task)
    if pool is not None:
        pool.shutdown()
    if job is not None:
        job.return_object(None)


# Those whose loop runs; at exit they are asked to stop.
_running = set()
_lock = threading.Lock()

# After that threads stand still.
_left = False

_default = None
_default_lock = threading.Lock()


def _get_default():
    global _default
    with _default_lock:
        if _default is None:
            _default = LoopThread(name='concur')
        if _default.get_state() != raw.LoopState.RUNNING:
            _default.start()
        return _default


def _stop_all():
    global _left
    _left = True
    with _lock:
        # In a forked process they only seem to run.
        running = [thread for thread in _running
                   if thread.get_state() != raw.LoopState.STOPPED]
    ends = [thread.shutdown(CANCEL_ALL) for thread in running]
    deadline = time.monotonic() + EXIT_LIMIT
    for end in ends:
        # What is stuck is given up with the process.
        raw_wait(end, to_us(max(0, deadline - time.monotonic())))
