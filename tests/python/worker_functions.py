# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests call in worker processes, and how they meet it there."""

import concurrent.futures
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur

seen = []


class Meeting:
    """A point that a call in a worker reaches, and where it stays until the test lets it go."""

    def __init__(self, case):
        self._directory = tempfile.mkdtemp()
        case.addCleanup(shutil.rmtree, self._directory)
        self.path = os.path.join(self._directory, 'gate')
        os.mkfifo(self.path)

    def open(self):
        with open(self.path, 'w'):
            pass


def meet(path, value=None):
    """Says that it is here, and waits for open ()."""
    Concur.report(0.5, 'here')
    with open(path):
        return value


def meet_then_sleep(path):
    meet(path)
    time.sleep(3600)


def meet_pid(path):
    return meet(path, os.getpid())


def meet_clean_up(path, log):
    try:
        return meet(path)
    finally:
        with open(log, 'w') as file:
            file.write(f'{sys.exc_info()[0].__name__} {isinstance(sys.exc_info()[1], Exception)}')


def meet_stubborn(path):
    try:
        return meet(path)
    except Concur.CallCancelled:
        return 'done all the same'


def meet_ignoring(path):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    meet(path)


def count_until_cancelled(path):
    # SIGINT goes to the main thread, which is waiting for this one.
    Concur.report(0, 'here')
    while True:
        Concur.check_cancelled()


def square(n):
    return n * n


def keywords(*args, **kwargs):
    return args, kwargs


def fail(error):
    raise error


def fail_here():
    raise RuntimeError(123)  # some comment


class Unpicklable(Exception):
    def __reduce__(self):
        raise TypeError('this exception cannot be pickled')


def fail_unpicklable():
    raise Unpicklable('in the worker')


class NeedsTwo(Exception):
    def __init__(self, one, two):
        super().__init__(one)


def fail_not_unpicklable():
    raise NeedsTwo(1, 2)


def do_exit(status):
    sys.exit(status)


def crash(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def complain_and_crash():
    print('the last words', file=sys.stderr, flush=True)
    os._exit(7)


def talk(text):
    print(text)
    os.write(1, b'raw\n')
    return len(text)


def numbers(n):
    yield from range(n)


def numbers_then_fail(n):
    yield from range(n)
    raise ValueError('no more')


def endless(log):
    try:
        n = 0
        while True:
            yield n
            n += 1
    finally:
        with open(log, 'w') as file:
            file.write('closed')


def natural(*values):
    return list(values)


def initialize(value):
    seen.append(value)


def get_seen():
    return list(seen)


def fail_to_initialize():
    raise LookupError('not this time')


def crash_in_initializer():
    os._exit(9)


def steps(n):
    for step in range(1, n + 1):
        Concur.report(step / n, f'step {step}')
    return n


def raise_cancelled():
    raise concurrent.futures.CancelledError


class Part:
    """Does something when it is pickled or unpickled, here or there."""

    def __init__(self, when, what, where):
        self.when, self.what, self.where = when, what, where

    def __reduce__(self):
        if self.when == 'pickle' and os.getpid() != self.where:
            self.what()
        return unpickle_part, (self.when, self.what, self.where)


def unpickle_part(when, what, where):
    part = Part(when, what, where)
    if when == 'unpickle' and os.getpid() != where:
        what()
    if when == 'unpickle at home' and os.getpid() == where:
        what()
    return part


def make_part(when, what, where):
    return Part(when, what, where)


def part_error():
    raise ZeroDivisionError('of a part')


def part_exit():
    sys.exit(1)


def thread_answers():
    # A call made from another thread of the worker does not disturb it.
    answers = []
    thread = threading.Thread(target=lambda: answers.append(square(3)))
    thread.start()
    thread.join()
    return answers
