# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Executor.map_range ()."""

import threading
import unittest

from util import LIMIT, Case, Concur, Gate, collect, count

from gi.repository import Gio


class TestMapRange(Case):
    def test_fills_a_batch(self):
        def square(batch, first, number):
            for index in range(first, first + number):
                batch.set_int64(index, index * index)

        batch = self.pool(3).map_range(1000, 7, square).result(LIMIT)
        self.assertIsInstance(batch, Concur.Batch)
        self.assertEqual([batch.get_int64(index) for index in range(1000)],
                         [index * index for index in range(1000)])

    def test_chunks_and_threads(self):
        calls = []
        self.pool(2).map_range(10, 4, lambda batch, first, number: calls.append(
            (first, number, threading.current_thread()))).result(LIMIT)
        self.assertEqual(sorted(call[:2] for call in calls), [(0, 4), (4, 4), (8, 2)])
        self.assertNotIn(threading.current_thread(), {call[2] for call in calls})

    def test_the_very_exception(self):
        error = ValueError('no')

        def fail(batch, first, number):
            raise error

        future = self.pool(2).map_range(100, 1, fail)
        with self.assertRaises(ValueError) as caught:
            future.result(LIMIT)
        self.assertIs(caught.exception, error)
        self.assertIs(future.exception(), error)
        self.assertRegex(future.get_error().message, '^ValueError: no')

    def test_one_of_several_exceptions(self):
        barrier = threading.Barrier(2)
        errors = [KeyError('first'), OSError('second')]

        def fail(batch, first, number):
            barrier.wait(LIMIT)
            raise errors[first]

        self.assertIn(self.pool(2).map_range(2, 1, fail).exception(LIMIT), errors)

    def test_cancelled(self):
        gate = Gate()
        self.addCleanup(gate.open)
        cancellable = Gio.Cancellable()
        calls = []

        def work(batch, first, number):
            calls.append(first)
            gate()

        future = self.pool(1).map_range(1000, 1, work, cancellable)
        gate.wait()
        cancellable.cancel()
        gate.open()
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)
        self.assertLess(len(calls), 1000)

    def test_leaves_nothing(self):
        pool = self.pool(2)

        def fail(batch, first, number):
            raise ValueError(first)

        def use():
            for _ in range(20):
                pool.map_range(10, 2, lambda *args: None).result(LIMIT)
                pool.map_range(10, 2, fail).exception(LIMIT)

        with self.all_futures_go():
            use()
        collect()
        self.assertEqual(count(Concur.Batch), 0)


if __name__ == '__main__':
    unittest.main()
