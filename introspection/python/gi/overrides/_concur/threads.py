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
# microseconds to get there.
GRACE = 0.01


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
    if _has_threads():
        time.sleep(GRACE)


def _has_threads():
    try:
        return len(os.listdir('/proc/self/task')) > 1
    except OSError:
        return True
