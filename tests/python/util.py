# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests share: gates, counts of live objects, other processes."""

import contextlib
import gc
import logging
import os
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur, GLib

# Longer than any stall of the machine; a test that waits so long has failed.
LIMIT = 60

SCALE = int(os.environ.get('CONCUR_TEST_SCALE', 1))


class Gate:
    """Stops a job at a known point until the test opens it."""

    def __init__(self):
        self._reached = threading.Event()
        self._open = threading.Event()

    def __call__(self, value=None):
        self._reached.set()
        if not self._open.wait(LIMIT):
            raise AssertionError('nobody opened the gate')
        return value

    def wait(self):
        """Until somebody stands before it."""
        if not self._reached.wait(LIMIT):
            raise AssertionError('nobody came to the gate')

    def open(self):
        self._open.set()


def iterate_until(condition, context=None):
    """Runs the main context until condition () is true."""
    context = context or GLib.MainContext.get_thread_default() or GLib.MainContext.default()
    deadline = time.monotonic() + LIMIT
    # So that an iteration comes back now and then.
    timer = GLib.timeout_source_new(20)
    timer.set_callback(lambda data: True)
    timer.attach(context)
    try:
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError('the main loop waited for it in vain')
            context.iteration(True)
    finally:
        timer.destroy()


def wait_until(condition):
    """For what another thread does after it has told."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError('it never became true')
        Concur.release_pending()
        time.sleep(0.001)


def collect():
    """Lets go of what only waits for that: the library's references and Python's cycles."""
    for _ in range(3):
        Concur.release_pending()
        gc.collect()


def count(*classes):
    """How many objects of these classes there are."""
    collect()
    # By type: isinstance () would look into other people's proxies.
    return sum(issubclass(type(thing), classes) for thing in gc.get_objects())


def gone(*references):
    """Whether what the weak references were for goes."""
    deadline = time.monotonic() + LIMIT
    while True:
        collect()
        if all(reference() is None for reference in references):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)


class Thing:
    """Something of which there can be weak references."""


HEAD = 'import gi\ngi.require_version("Concur", "1")\nfrom gi.repository import Concur\n'


def script_environment():
    """Without AddressSanitizer: Python ends threads by pthread_exit (), after which that
    takes what they still do on their stacks for an error."""
    environment = dict(os.environ)
    if 'asan' in environment.get('LD_PRELOAD', ''):
        del environment['LD_PRELOAD']
    return environment


def run_script(text, *arguments, limit=LIMIT, status=0, head=HEAD, env=None):
    """Runs a Python program; returns what it printed, and what as errors."""
    result = subprocess.run([sys.executable, '-c', head + textwrap.dedent(text), *arguments],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            timeout=limit, env={**script_environment(), **(env or {})})
    if status is not None and result.returncode != status:
        raise AssertionError(f'exit status {result.returncode}\n{result.stderr}')
    return result.stdout, result.stderr


class Case(unittest.TestCase):
    """With what most tests need."""

    def pool(self, max_threads=1, **properties):
        """A pool that is empty and over at the end of the test."""
        pool = Concur.ThreadExecutor(max_threads=max_threads, **properties)
        self.addCleanup(lambda: pool.shutdown(Concur.ShutdownMode.CANCEL_ALL).wait(LIMIT))
        return pool

    def busy(self, pool):
        """Occupies a pool of one thread; returns the gate that ends that."""
        gate = Gate()
        # Cleaned up before the pool is.
        self.addCleanup(gate.open)
        pool.submit(gate).ignore()
        gate.wait()
        return gate

    @contextlib.contextmanager
    def hidden_log(self):
        """The log messages of the library, which are not shown meanwhile."""
        with self.assertLogs('concur', logging.DEBUG) as log:
            yield log

    @contextlib.contextmanager
    def all_futures_go(self):
        """Checks that the futures made in the block are gone after it."""
        before = count(Concur.Future)
        yield
        deadline = time.monotonic() + LIMIT
        while count(Concur.Future) > before and time.monotonic() < deadline:
            time.sleep(0.005)
        self.assertLessEqual(count(Concur.Future), before)
