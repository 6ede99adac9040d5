# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""ThreadExecutor and ContextExecutor."""

import inspect
import threading

from .base import OWN, override, public, raw, to_us
from .executor import Executor, raw_submit_job
from .future import log
from .spawn import spawn_on
from .task import is_coroutine_function, make_job
from .threads import LibraryThread

raw_run_next = raw.ThreadExecutor.run_next

WORKER = raw.ReleasePolicy.WORKER


@public
class ThreadExecutor(raw.ThreadExecutor):
    """A pool of threads.

        with Concur.ThreadExecutor(max_threads=4, name='disk') as pool:
            print(pool.submit(os.path.getsize, '/etc/hostname').result())

    Threads enter Python once each, so threading.local () lasts from job to job; they are
    named after the pool. initializer (*initargs) is called first on each; if it raises,
    that is logged, and the pool refuses work from then on. keep_alive is in seconds, -1
    for ever.
    """

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonThreadExecutor'

    def __init__(self, max_threads=None, *, initializer=None, initargs=(), **properties):
        if initializer is not None and not callable(initializer):
            raise TypeError('initializer must be callable')
        if max_threads is not None:
            properties['max_threads'] = max_threads
        if 'keep_alive' in properties:
            seconds = properties.pop('keep_alive')
            properties['keep_alive'] = -1 if seconds is None or seconds < 0 else to_us(seconds)
        super().__init__(**properties)
        own = self.__dict__
        own['_initializer'] = (initializer, initargs) if initializer is not None else None
        own['_anywhere'] = self.props.release == WORKER

    @classmethod
    def new(cls, max_threads=0):
        """A pool of so many threads; 0 for a new thread for each job."""
        return cls(max_threads)

    def submit(self, function, /, *args, **kwargs):
        job = make_job(function, args, kwargs, self._anywhere)
        raw_submit_job(self, job, None)
        return job

    submit.__doc__ = Executor.submit.__doc__

    def _submit(self, function, args, kwargs, settings=None, cancellable=None):
        job = make_job(function, args, kwargs, self._anywhere)
        if settings is not None:
            job.apply_settings(settings)
        raw_submit_job(self, job, cancellable)
        return job

    def do_thread_main(self):
        with LibraryThread(raw.ThreadExecutor.get_thread_name(self)):
            initializer = self.__dict__.get('_initializer')
            if initializer is None or self._initialize(*initializer):
                while raw_run_next(self):
                    pass

    def _initialize(self, initializer, initargs):
        try:
            initializer(*initargs)
            return True
        except BaseException:
            log.critical('Exception in initializer:', exc_info=True)
            self.shutdown(raw.ShutdownMode.CANCEL_PENDING).ignore()
            return False

    @property
    def keep_alive(self):
        """How long a thread with nothing to do stays, in seconds; -1 for ever."""
        microseconds = raw.ThreadExecutor.get_keep_alive(self)
        return -1 if microseconds < 0 else microseconds / 1e6


@override
class ContextExecutor(raw.ContextExecutor):
    """Runs jobs in a main context: functions, and coroutines as Concur.spawn () does.

        main = Concur.ContextExecutor()
        pool.submit(lambda: main.submit(label.set_text, 'from the main loop').result())
    """

    def __init__(self, context=None, **properties):
        if context is not None:
            properties['context'] = context
        super().__init__(**properties)

    def _submit(self, function, args, kwargs, settings=None, cancellable=None):
        if inspect.iscoroutine(function) or is_coroutine_function(function):
            coroutine = function if inspect.iscoroutine(function) else function(*args, **kwargs)
            return spawn_on(self, coroutine, settings, cancellable)
        return Executor._submit(self, function, args, kwargs, settings, cancellable)


_default = None
_default_lock = threading.Lock()


@public
def get_default_executor():
    """The ThreadExecutor that everybody shares. It is never shut down."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = ThreadExecutor(name='python')
    return _default
