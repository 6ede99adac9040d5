# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What is special about Concur in Python. The code is in the package _concur beside it."""

from gi.overrides._concur import base, compat
from gi.overrides._concur.asyncioqueue import NotReadyError, QueueProxy
from gi.overrides._concur.asynciothread import AsyncioThread
from gi.overrides._concur.awaitables import gather, race, timeout
from gi.overrides._concur.batching import Batcher, BatcherJob, aggregate
from gi.overrides._concur.channel import Channel, ChannelClosed, ChannelStopped
from gi.overrides._concur.conveniences import (Threaded, call_async, call_in_executor, sync_wait,
                                               threaded, threaded_separate, to_thread)
from gi.overrides._concur.crossing import RemoteError
from gi.overrides._concur.eventloop import EventLoop, new_event_loop
from gi.overrides._concur.executor import Executor, Options
from gi.overrides._concur.future import Future
from gi.overrides._concur.groups import TaskGroup
from gi.overrides._concur.iterables import (ThreadedIterable, ThreadIterator,
                                             threaded_iterable, threaded_iterable_separate)
from gi.overrides._concur.job import Job, Promise
from gi.overrides._concur.limits import Limiter, LimiterOptions, Retry, retry
from gi.overrides._concur.loopstate import LoopTask
from gi.overrides._concur.loopthread import LoopThread
from gi.overrides._concur.pools import ContextExecutor, ThreadExecutor, get_default_executor
from gi.overrides._concur.processes import ProcessExecutor, ProcessStream, WorkerDied
from gi.overrides._concur.processpool import ProcessPoolExecutor
from gi.overrides._concur.spawn import run, sleep, spawn
from gi.overrides._concur.standard import BrokenThreadPool, ThreadPoolExecutor
from gi.overrides._concur.standardwait import (ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION,
                                               as_completed, wait)
from gi.overrides._concur.task import check_cancelled, report
from gi.overrides._concur.workercall import CallCancelled

CancelledError = base.CancelledError

__all__ = [
    'ALL_COMPLETED',
    'AsyncioThread',
    'Batcher',
    'BatcherJob',
    'BrokenThreadPool',
    'CallCancelled',
    'CancelledError',
    'Channel',
    'ChannelClosed',
    'ChannelStopped',
    'ContextExecutor',
    'EventLoop',
    'Executor',
    'FIRST_COMPLETED',
    'FIRST_EXCEPTION',
    'Future',
    'Job',
    'Limiter',
    'LimiterOptions',
    'LoopTask',
    'LoopThread',
    'NotReadyError',
    'Options',
    'ProcessExecutor',
    'ProcessPoolExecutor',
    'ProcessStream',
    'Promise',
    'QueueProxy',
    'RemoteError',
    'Retry',
    'TaskGroup',
    'ThreadExecutor',
    'ThreadPoolExecutor',
    'ThreadIterator',
    'Threaded',
    'ThreadedIterable',
    'WorkerDied',
    'aggregate',
    'as_completed',
    'call_async',
    'call_in_executor',
    'check_cancelled',
    'compat',
    'gather',
    'get_default_executor',
    'new_event_loop',
    'race',
    'report',
    'retry',
    'run',
    'sleep',
    'spawn',
    'sync_wait',
    'threaded',
    'threaded_iterable',
    'threaded_iterable_separate',
    'threaded_separate',
    'timeout',
    'to_thread',
    'wait',
]

base.install_properties(base.raw)
