# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""ProcessPoolExecutor, to be put where concurrent.futures' own was."""

import atexit
import concurrent.futures
import os
import select
import signal
import threading
import weakref
from concurrent.futures.process import BrokenProcessPool

from . import crossing
from .base import EXECUTOR_ERROR, public, raw
from .future import REJECTED, raw_get_error, raw_state, wait
from .mapping import map_on
from .processes import (ProcessExecutor, call_context, exchange, pack_call, raw_submit_job,
                        refuse_while_preparing)
from .standardfuture import StandardFuture, raw_ignore
from .task import describe_function

# In bytes. More than for others, as the pool whose place it takes has no limit.
_MAX_MESSAGE_SIZE = (1 << 31) - 1

_SHUT_DOWN = int(raw.ExecutorError.SHUT_DOWN)

_lock = threading.RLock()
# Who has to be waited for at exit. Calls keep theirs.
_executors = weakref.WeakSet()
_exiting = False


class _State:
    """What a pool and its calls share, so that calls do not keep the pool."""

    def __init__(self):
        self.broken = False

    def call(self, executor, name, arguments):
        if self.broken:
            raise BrokenProcessPool(self.broken)
        return exchange(executor, name, arguments, crossing.unpickled, True, self._explain)

    def _explain(self, executor, error, details):
        if details.get('setup'):
            self.broken = ('A process initializer failed, or the main module could not be '
                           'imported: the process pool is not usable anymore')
            text = self.broken
        elif details.get('not-started'):
            text = f'No worker process can be started: {error}'
            if not executor.get_n_workers():
                self.broken = text
        else:
            return error
        broken = BrokenProcessPool(text)
        broken.__cause__ = error.__cause__ if details.get('setup') else error
        return broken


class _Process:
    """A worker process, for those who look at them."""

    def __init__(self, pid):
        self.pid = pid

    @property
    def ident(self):
        return self.pid

    @property
    def name(self):
        return f'ConcurProcess-{self.pid}'

    def is_alive(self):
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def join(self, timeout=None):
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            select.select([descriptor], [], [], timeout)
        finally:
            os.close(descriptor)

    def terminate(self):
        self._send(signal.SIGTERM)

    def kill(self):
        self._send(signal.SIGKILL)

    def _send(self, number):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def __repr__(self):
        return f'<worker process {self.pid}>'


class _WorkItems:
    """The calls that are not over, for those who look at how many there are."""

    def __init__(self, executor):
        self._executor = executor

    def __len__(self):
        snapshot = self._executor.dup_snapshot()
        return snapshot.get_n_pending() + snapshot.get_n_running()


@public
class ProcessPoolExecutor(concurrent.futures.ProcessPoolExecutor):
    """concurrent.futures.ProcessPoolExecutor on Concur's worker processes.

        with Concur.ProcessPoolExecutor() as pool:
            print(list(pool.map(math.factorial, range(1000))))

    Takes what that takes; mp_context is not looked at, for workers are always fresh
    processes. A worker that dies fails its own call, with Concur.WorkerDied, and no other.

    What is submitted is a concurrent.futures.Future and a Concur.Future at once. cancel ()
    leaves a call that runs alone, as there; cancel (Concur.CancelFlags.NONE) asks its worker
    to stop it.
    """

    # There is none: C does what it did.
    _executor_manager_thread = _queue_management_thread = None

    def __init__(self, max_workers=None, mp_context=None, initializer=None, initargs=(), *,
                 max_tasks_per_child=None):
        if max_workers is None:
            max_workers = getattr(os, 'process_cpu_count', os.cpu_count)() or 1
        elif max_workers <= 0:
            raise ValueError('max_workers must be greater than 0')
        if initializer is not None and not callable(initializer):
            raise TypeError('initializer must be a callable')
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int):
                raise TypeError('max_tasks_per_child must be an integer')
            if max_tasks_per_child <= 0:
                raise ValueError('max_tasks_per_child must be >= 1')

        self._max_workers = max_workers
        self._mp_context = mp_context
        self._initializer = initializer
        self._initargs = initargs
        self._max_tasks_per_child = max_tasks_per_child
        self._shutdown_thread = False
        self._shutdown_lock = threading.Lock()
        self._state = _State()
        self._executor = ProcessExecutor(max_workers, initializer=initializer,
                                         initargs=initargs, idle_timeout=None,
                                         max_calls_per_worker=max_tasks_per_child or 0,
                                         max_message_size=_MAX_MESSAGE_SIZE,
                                         name='ProcessPoolExecutor')
        with _lock:
            self._open = not _exiting
            _executors.add(self._executor)

    def submit(self, fn, /, *args, **kwargs):
        """Has fn (*args, **kwargs) called in a worker process. Returns a
        concurrent.futures.Future for what it returns or raises, or for what pickling the
        call does, which is done now.

        Raises RuntimeError after shutdown () and at the end of the program, and
        BrokenProcessPool, which is one, after the initializer has failed.
        """
        if not self._open or self._state.broken:
            self._refuse()
        refuse_while_preparing()
        future = StandardFuture()
        executor = self._executor
        try:
            call = (self._state.call,
                    (executor, describe_function(fn), pack_call(fn, args, kwargs)))
        except KeyboardInterrupt:
            # It is the program's.
            raise
        except BaseException as error:
            future.set_exception(_begun(error))
            return future
        future.__dict__['_call'] = (*call, {}, call_context())
        raw_submit_job(executor, future, None)
        # Somebody who shuts it down says so first.
        if (_exiting or not self._open) and raw_state(future) == REJECTED:
            self._refused(future)
        return future

    def _refuse(self):
        if self._state.broken:
            raise BrokenProcessPool(self._state.broken)
        if self._shutdown_thread:
            raise RuntimeError('cannot schedule new futures after shutdown')
        raise RuntimeError('cannot schedule new futures after interpreter shutdown')

    def _refused(self, future):
        error = raw_get_error(future)
        if error.domain == EXECUTOR_ERROR and error.code == _SHUT_DOWN:
            raw_ignore(future)
            self._refuse()

    def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
        """Like the built-in map (), with the calls on the pool, all submitted at once or,
        with buffersize, only so many ahead of the consumer. Yields the values in order; at
        the first error, after timeout seconds, or when the iterator is closed, what has
        not begun is cancelled. With chunksize so many calls travel together.
        """
        return map_on(self.submit, fn, iterables, timeout, chunksize, buffersize,
                      crossing.call_all)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Refuses new work, and cancels what is queued if cancel_futures is true. If wait
        is true, returns only when all calls are over and all workers have ended.
        """
        self._shutdown_thread = True
        self._open = False
        end = self._executor.shutdown(raw.ShutdownMode.CANCEL_PENDING if cancel_futures
                                      else raw.ShutdownMode.DRAIN)
        if wait:
            _wait(end)

    def terminate_workers(self):
        """Ends the workers by SIGTERM, and with them the calls; the pool is shut down."""
        self._end_workers(signal.SIGTERM)

    def kill_workers(self):
        """Ends the workers by SIGKILL, and with them the calls; the pool is shut down."""
        self._end_workers(signal.SIGKILL)

    def _end_workers(self, number):
        processes = self._processes
        self.shutdown(wait=False, cancel_futures=True)
        for process in processes.values():
            process._send(number)

    @property
    def _broken(self):
        return self._state.broken

    @property
    def _pending_work_items(self):
        return _WorkItems(self._executor)

    @property
    def _processes(self):
        return {pid: _Process(pid) for pid in self._executor.dup_pids()}


def _begun(error):
    """An exception that was caught, without the frame that caught it."""
    error.__traceback__ = error.__traceback__.tb_next
    return error


def _wait(end):
    wait(end, None)


def _leave():
    global _exiting
    with _lock:
        _exiting = True
        executors = list(_executors)
    ends = [executor.shutdown() for executor in executors]
    executors = None
    for end in ends:
        wait(end, None)


def _after_fork():
    # Whoever held it may not exist here.
    reinit = getattr(_lock, '_at_fork_reinit', None)
    if reinit is not None:
        reinit()
    _executors.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)

# Before atexit's functions, so that those cannot submit, as with concurrent.futures.
getattr(threading, '_register_atexit', atexit.register)(_leave)
