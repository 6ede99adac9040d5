# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""aiomisc's names for pools of processes."""

import contextlib
import functools
import multiprocessing
import os

from .base import raw
from .future import wait as wait_for
from .limits import Limiter
from .processes import ProcessExecutor, WorkerDied
from .processpool import ProcessPoolExecutor as StandardPool


class WorkerPool:
    """Worker processes whose calls are awaited.

        async with WorkerPool(4) as pool:
            print(await asyncio.gather(*[pool.create_task(work, n) for n in range(100)]))

    With max_overflow only so many calls are queued, and who has more to call waits. A worker
    that dies fails its own call, with multiprocessing.ProcessError; another one takes its
    place. A call whose task is cancelled is interrupted, and its worker stays.
    """

    def __init__(self, workers, max_overflow=0, *, process_poll_time=0.1, initializer=None,
                 initializer_args=(), initializer_kwargs=None):
        self.workers = workers
        # Nothing is polled for.
        self.process_poll_time = process_poll_time
        if initializer is not None:
            initializer = functools.partial(initializer, *initializer_args,
                                            **(initializer_kwargs or {}))
        self._initializer = initializer
        self._places = Limiter(workers + max_overflow) if max_overflow > 0 else None
        self._executor = None
        self._closed = False

    async def start(self):
        """Starts the workers; returns when there is one. Raises what the initializer does."""
        if self._executor is not None or self._closed:
            raise RuntimeError('a pool is started once')
        self._executor = ProcessExecutor(self.workers, min_workers=self.workers,
                                         initializer=self._initializer, name='WorkerPool')
        try:
            await self._executor.submit(int)
        except BaseException:
            await self.close()
            raise

    @property
    def pids(self):
        """The numbers of the worker processes, the oldest first."""
        return self._executor.pids if self._executor is not None else []

    async def create_task(self, func, /, *args, **kwargs):
        """What func (*args, **kwargs) returns or raises in a worker."""
        async with self._places or contextlib.AsyncExitStack():
            if self._executor is None or self._closed:
                raise RuntimeError('the pool is not open')
            try:
                return await self._executor.submit(func, *args, **kwargs)
            except WorkerDied as error:
                raise multiprocessing.ProcessError(str(error)) from error

    async def close(self):
        """Cancels the calls there are, and ends the workers."""
        self._closed = True
        if self._executor is not None:
            await self._executor.shutdown(raw.ShutdownMode.CANCEL_ALL).shield()

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *exception):
        await self.close()


class ProcessPoolExecutor(StandardPool):
    """A pool of processes whose futures can be awaited. Shutting it down cancels all its
    calls; it is shut down when it is forgotten."""

    def __init__(self, max_workers=None, *, initializer=None, initargs=(), maxtasksperchild=None):
        super().__init__(max_workers or max(os.cpu_count() or 1, 4), initializer=initializer,
                         initargs=initargs, max_tasks_per_child=maxtasksperchild)

    def submit(self, fn, /, *args, **kwargs):
        """A future for fn (*args, **kwargs) in a process of the pool. Raises ValueError if
        fn cannot be called, and RuntimeError after shutdown ()."""
        if not callable(fn):
            raise ValueError(f'{fn!r} is not callable')
        return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait=True, *, cancel_futures=True):
        """Refuses new work, cancels what there is, and waits for the end of the workers."""
        if not cancel_futures:
            super().shutdown(wait)
            return
        super().shutdown(False, cancel_futures=True)
        end = self._executor.shutdown(raw.ShutdownMode.CANCEL_ALL)
        if wait:
            wait_for(end, None)

    def __del__(self):
        if '_executor' in self.__dict__:
            self.shutdown(False)
