# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of the drop-in for concurrent.futures share."""

import unittest

from util import LIMIT, Concur, Gate, Thing, gone, run_script, wait_until

__all__ = ['LIMIT', 'Concur', 'Failure', 'Gate', 'PoolTestCase', 'Thing', 'fail', 'gone',
           'run_script', 'wait_until']


class Failure(Exception):
    pass


def fail(error):
    raise error


class FailingGate(Gate):
    def __call__(self, value=None):
        super().__call__()
        if isinstance(value, BaseException):
            raise value
        return value


class PoolTestCase(unittest.TestCase):
    """Has a pool, of one thread unless the class says otherwise."""

    workers = 1

    def setUp(self):
        self.pool = Concur.ThreadPoolExecutor(self.workers)
        self.gates = []
        self.addCleanup(self.end)

    def end(self):
        for gate in self.gates:
            gate.open()
        self.pool.shutdown()

    def blocked(self, value=None):
        """(gate, future) of a call that is running, and returns or raises value once the
        gate is open."""
        gate = FailingGate()
        self.gates.append(gate)
        future = self.pool.submit(gate, value)
        gate.wait()
        return gate, future
