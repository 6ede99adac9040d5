# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What test_process_edges.py calls in worker processes."""

import asyncio
import multiprocessing
import os
import signal
import sys

from worker_functions import Concur, meet, square


class WithData(Exception):
    def __init__(self, message, data):
        super().__init__(message, data)
        self.data = data


def fail_with_cause():
    try:
        1 / 0
    except ZeroDivisionError as error:
        raise WithData('no', [1, 2]) from error


class NoText(Exception):
    def __str__(self):
        raise ValueError('it has none')


class Interrupts:
    """Somebody presses Ctrl-C while it is pickled."""

    def __reduce__(self):
        signal.raise_signal(signal.SIGINT)
        return int, ()


def recurse():
    return recurse()


def nest(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def close_streams():
    sys.stdout.close()
    sys.stderr.close()
    return 1


def close_descriptors():
    os.closerange(0, 3)
    return 1


def read_input():
    return sys.stdin.read(), os.read(0, 10)


def fork(how):
    """The exit status of the one that was forked."""
    child = os.fork()
    if child == 0:
        if how == 'exit':
            sys.exit(5)
        if how == 'raise':
            raise ValueError('in the one that was forked')
        return 'forked'
    return os.waitpid(child, 0)[1] >> 8


def fork_between():
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
    yield 1
    yield 2


def run_loop():
    return asyncio.run(asyncio.sleep(0, 5))


def use_pool():
    with Concur.ProcessPoolExecutor(1) as pool:
        return pool.submit(square, 3).result()


def use_multiprocessing(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(abs, [-1, -2])


def use_manager(shared):
    shared.append('from the worker')
    return multiprocessing.current_process().name


def meet_by_default(path):
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    meet(path)


def get_pid(_):
    return os.getpid()
