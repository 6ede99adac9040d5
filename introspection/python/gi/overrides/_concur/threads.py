# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What Python knows about the library's threads, and how it leaves them at exit."""

import atexit
import os
import sys
import threading
import time

from .base import raw
from .future import log


class LibraryThread:
    """with LibraryThread (name): Python's view of a thread that the library started. It has
    a threading.Thread with that name, which is gone afterwards, and is traced as others
    are."""

    def __init__(self, name):
        self._name = name

    def __enter__(self):
        thread = threading.current_thread()
        if self._name:
            thread.name = self._name
        for get, install, old in ((getattr(threading, 'gettrace', None), sys.settrace,
                                   '_trace_hook'),
                                  (getattr(threading, 'getprofile', None), sys.setprofile,
                                   '_profile_hook')):
            hook = get() if get is not None else getattr(threading, old, None)
            if hook is not None:
                install(hook)
        return thread

    def __exit__(self, *exception):
        sys.settrace(None)
        sys.setprofile(None)
        # Before Python 3.13 the stand-in of a foreign thread outlives it.
        active = getattr(threading, '_active', None)
        if active is not None:
            active.pop(threading.get_ident(), None)


_leaving = []


def on_leave(function):
    """Has function () called once at exit, before the library's threads stand still."""
    if function not in _leaving:
        _leaving.append(function)


# Seconds. A thread that has passed the library's last look before a call into Python needs
# microseconds to get there, but on a busy machine it may be long until it has them.
RUN_TIME = 0.005  # its own time, in which it gets there
PATIENCE = 1.0    # the clock's
PAUSE = 0.0005
GRACE = 0.01      # where the system does not tell


@atexit.register
def _leave_python():
    for function in _leaving:
        try:
            function()
        except Exception:
            log.exception('leaving Python')
    # A thread that enters Python after its end crashes. What runs in Python now is stopped
    # by Python itself.
    raw.quiesce()
    try:
        _wait_for_those_on_their_way()
    except OSError:
        time.sleep(GRACE)


def _wait_for_those_on_their_way():
    """Each other thread has twice been seen to wait, be it at the library's gate, for Python,
    or in Python, or has run so long that it must have arrived."""
    own = str(threading.get_native_id())
    ways = {thread: [0, _look_at(thread)[1]] for thread in os.listdir('/proc/self/task')
            if thread != own}
    end = time.monotonic() + PATIENCE
    while ways and time.monotonic() < end:
        # Without Python's lock, so that they come in.
        time.sleep(PAUSE)
        for thread, way in list(ways.items()):
            waits, run_time = _look_at(thread)
            way[0] = way[0] + 1 if waits else 0
            if way[0] == 2 or run_time - way[1] > RUN_TIME:
                del ways[thread]


def _look_at(thread):
    """Whether it waits, or has ended, and for how many seconds it has run."""
    try:
        with open(f'/proc/self/task/{thread}/schedstat', 'rb') as file:
            run_time = int(file.read().split()[0]) / 1e9
        with open(f'/proc/self/task/{thread}/stat', 'rb') as file:
            return file.read().rpartition(b') ')[2][:1] not in b'RD', run_time
    except (FileNotFoundError, ProcessLookupError):
        if not os.path.exists('/proc/self/schedstat'):
            raise
        return True, 0
