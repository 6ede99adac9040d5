# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""ThreadPoolExecutor, to be put where concurrent.futures' own was."""

import atexit
import concurrent.futures
import itertools
import os
import threading
import time
import weakref
from concurrent.futures.thread import BrokenThreadPool

from .base import EXECUTOR_ERROR, OWN, public, raw
from .executor import raw_submit_job
from .future import REJECTED, raw_get_error, raw_state, wait
from .mapping import map_on
from .pools import ThreadExecutor, raw_run_next
from .standardfuture import LOGGER, StandardFuture, raw_ignore
from .task import context_from_loop, copy_context, get_running_loop
from .threads import LibraryThread

_SHUT_DOWN = int(raw.ExecutorError.SHUT_DOWN)

_count = itertools.count()

# Guards what the pools and their threads have in common. Recursive, because the garbage
# collector may end a pool while it is held.
_lock = threading.RLock()
_pools = weakref.WeakSet()
# The ends of those that were shut down or forgotten: who has to be waited for at exit.
_ends = {}
_exiting = False


class _Thread(getattr(threading, '_DummyThread', threading.Thread)):
    """What threading knows of a thread that the library started, made one to wait for."""

    def is_alive(self):
        return not self._concur_ended.is_set()

    def join(self, timeout=None):
        if self is threading.current_thread():
            raise RuntimeError('cannot join current thread')
        self._concur_ended.wait(timeout)


class _Crew:
    """What a pool and its threads share, so that the threads do not keep the pool."""

    def __init__(self, prefix, initializer, initargs, wait_at_exit):
        self.prefix = prefix
        self.initializer = initializer
        self.initargs = initargs
        self.wait_at_exit = wait_at_exit
        self.broken = False
        self.closing = False
        self.threads = set()
        self.present = 0
        self.changed = threading.Condition(_lock)
        self._numbers = itertools.count()

    def next_name(self):
        return f'{self.prefix}_{next(self._numbers)}'

    def enter(self, thread):
        thread.__class__ = _Thread
        thread._concur_ended = threading.Event()
        with self.changed:
            self.threads.add(thread)
            self.present += 1
            self.changed.notify_all()

    def leave(self, thread):
        with self.changed:
            self.present -= 1
            # One that only stood in for another that waited.
            if not self.closing:
                self.threads.discard(thread)
            self.changed.notify_all()
        thread._concur_ended.set()

    def initialize(self, workers):
        if self.initializer is None or self.broken:
            return
        try:
            self.initializer(*self.initargs)
        except BaseException:
            LOGGER.critical('Exception in initializer:', exc_info=True)
            self.broken = ('A thread initializer failed, the thread pool is not usable '
                           'anymore')
            # What is queued still comes to call ().
            _end(workers, self, raw.ShutdownMode.DRAIN)

    def call(self, function, args, kwargs):
        if self.broken:
            raise BrokenThreadPool(self.broken)
        return function(*args, **kwargs)


@public
class _Workers(ThreadExecutor):
    __module__ = OWN
    __gtype_name__ = 'ConcurPythonWorkers'

    def do_thread_main(self):
        crew = self.__dict__['_crew']
        with LibraryThread(crew.next_name()) as thread:
            crew.enter(thread)
            try:
                crew.initialize(self)
                while raw_run_next(self):
                    pass
            finally:
                crew.leave(thread)


def _end(workers, crew, mode):
    """Shuts down. Returns the future of the end."""
    crew.closing = True
    end = raw.Executor.shutdown(workers, mode)
    with _lock:
        _ends[end] = crew
    end._on_done(_ended)
    return end


def _ended(end):
    with _lock:
        _ends.pop(end, None)


class _WorkQueue:
    """The queue, for those who look at how long it is."""

    def __init__(self, workers):
        self._workers = workers

    def qsize(self):
        return self._workers.dup_snapshot().get_n_pending()

    def empty(self):
        return self.qsize() == 0


@public
class ThreadPoolExecutor(concurrent.futures.ThreadPoolExecutor):
    """concurrent.futures.ThreadPoolExecutor on Concur's threads.

        with Concur.ThreadPoolExecutor() as pool:
            print(list(pool.map(os.path.getsize, paths)))

    Takes what that takes, and wait_at_exit: how many seconds the end of the program waits
    for its threads; None, for as long as they have work; 0, not at all.

    What is submitted is a concurrent.futures.Future and a Concur.Future at once. It sees a
    copy of the context variables. A job that waits for another of the same pool never
    stops it: a thread more starts, or it runs the other one itself.
    """

    def __init__(self, max_workers=None, thread_name_prefix='', initializer=None, initargs=(),
                 *, wait_at_exit=None):
        if max_workers is None:
            processors = getattr(os, 'process_cpu_count', os.cpu_count)()
            max_workers = min(32, (processors or 1) + 4)
        if max_workers <= 0:
            raise ValueError('max_workers must be greater than 0')
        if initializer is not None and not callable(initializer):
            raise TypeError('initializer must be a callable')
        if not thread_name_prefix:
            counter = getattr(concurrent.futures.ThreadPoolExecutor, '_counter', _count.__next__)
            thread_name_prefix = f'ThreadPoolExecutor-{counter()}'

        self._max_workers = max_workers
        self._thread_name_prefix = thread_name_prefix
        self._initializer = initializer
        self._initargs = initargs
        self._shutdown = False
        self._shutdown_lock = threading.Lock()
        self._crew = _Crew(thread_name_prefix, initializer, initargs, wait_at_exit)
        self._workers = _Workers(max_workers, name=thread_name_prefix, keep_alive=None,
                                 release=raw.ReleasePolicy.WORKER)
        self._workers.__dict__['_crew'] = self._crew
        self._work_queue = _WorkQueue(self._workers)
        # Whether submitting can do without a closer look.
        self._plain = initializer is None
        with _lock:
            self._open = not _exiting
            _pools.add(self)
        weakref.finalize(self, _end, self._workers, self._crew,
                         raw.ShutdownMode.DRAIN).atexit = False

    def submit(self, fn, /, *args, **kwargs):
        """Has fn (*args, **kwargs) called on a thread of the pool. Returns a
        concurrent.futures.Future for what it returns or raises.

        Raises RuntimeError after shutdown () and at the end of the program, and
        BrokenThreadPool, which is one, after the initializer has failed.
        """
        if not self._open:
            self._refuse()
        future = StandardFuture()
        context = copy_context() if get_running_loop() is None else context_from_loop()
        if self._plain:
            future.__dict__['_call'] = (fn, args, kwargs, context)
        else:
            if self._crew.broken:
                self._refuse()
            future.__dict__['_call'] = (self._crew.call, (fn, args, kwargs), {}, context)
        raw_submit_job(self._workers, future, None)
        # Somebody who shuts it down says so first.
        if self._crew.closing and raw_state(future) == REJECTED:
            self._refused(future)
        return future

    def _refuse(self):
        if self._crew.broken:
            raise BrokenThreadPool(self._crew.broken)
        if self._shutdown:
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
        not begun is cancelled. With chunksize so many calls are one job.
        """
        return map_on(self.submit, fn, iterables, timeout, chunksize, buffersize)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Refuses new work, and cancels what is queued if cancel_futures is true. If wait
        is true, returns only when all threads have ended.
        """
        mode = raw.ShutdownMode.DRAIN
        self._shutdown = True
        self._open = False
        if cancel_futures:
            mode = raw.ShutdownMode.CANCEL_PENDING
            # What has a thread has begun, even if that thread is only just starting.
            with self._crew.changed:
                self._settle()
        end = _end(self._workers, self._crew, mode)
        if wait:
            _join(self._crew, end)

    @property
    def _broken(self):
        return self._crew.broken

    @property
    def _threads(self):
        with self._crew.changed:
            self._settle()
            return set(self._crew.threads)

    def _settle(self):
        """Waits until the threads that there are to be are there and at work."""
        crew = self._crew
        deadline = time.monotonic() + 1
        while not crew.closing and time.monotonic() < deadline:
            snapshot = self._workers.dup_snapshot()
            busy = (snapshot.get_n_pending() == 0
                    or snapshot.get_n_running() >= self._max_workers)
            if busy and crew.present >= snapshot.get_n_threads():
                break
            # Of a job that begins nobody is told.
            crew.changed.wait(0.001)

    def _initializer_failed(self):
        self._crew.broken = self._crew.broken or 'The thread pool is not usable anymore'

    def _adjust_thread_count(self):
        """Threads are started by the library."""


def _join(crew, end, deadline=None):
    if threading.current_thread() in crew.threads:
        raise RuntimeError('cannot join current thread')
    # All threads have left then.
    if wait(end, None if deadline is None else deadline - time.monotonic()):
        with _lock:
            _ends.pop(end, None)


def _leave():
    global _exiting
    begin = time.monotonic()
    with _lock:
        _exiting = True
        pools = list(_pools)
    for pool in pools:
        pool._open = False
        _end(pool._workers, pool._crew, raw.ShutdownMode.DRAIN)
    pool = pools = None
    while True:
        with _lock:
            if not _ends:
                return
            end, crew = _ends.popitem()
        limit = crew.wait_at_exit
        _join(crew, end, None if limit is None else begin + limit)


def _after_fork():
    # Whoever held it may not exist here.
    reinit = getattr(_lock, '_at_fork_reinit', None)
    if reinit is not None:
        reinit()
    _ends.clear()
    _pools.clear()


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_after_fork)

# Before atexit's functions, so that those cannot submit, as with concurrent.futures.
getattr(threading, '_register_atexit', atexit.register)(_leave)
