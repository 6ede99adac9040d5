# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.Promise in Python."""

import concurrent.futures
import threading
import unittest
import weakref

from util import LIMIT, Case, Gate, Thing, gone, iterate_until

from gi.repository import Concur, GLib



class TestPromise(Case):
    def test_first_answer_counts(self):
        for first, second in (([1], [2]), (1, 2), ([1], KeyError()), (KeyError(), [1]),
                              (KeyError(), ValueError())):
            promise = Concur.Promise()
            answers = []
            for answer in (first, second):
                give = promise.reject if isinstance(answer, Exception) else promise.resolve
                answers.append(give(answer))
            self.assertEqual(answers, [True, False])
            if isinstance(first, Exception):
                self.assertIs(promise.future.exception(), first)
            else:
                self.assertIs(promise.future.result(), first)
                self.assertIsNone(promise.future.exception())

    def test_after_cancellation(self):
        promise = Concur.Promise()
        thing = Thing()
        self.assertTrue(promise.future.cancel())
        self.assertFalse(promise.resolve(thing))
        self.assertFalse(promise.reject(KeyError()))
        self.assertFalse(promise.future.cancel())
        self.assertTrue(promise.future.cancelled())
        reference = weakref.ref(thing)
        del thing
        self.assertTrue(gone(reference))

    def test_many_threads_answer(self):
        for number in range(200):
            promise = Concur.Promise()
            start = threading.Barrier(4)
            won = []

            def answer(value, give):
                start.wait(LIMIT)
                if give(value):
                    won.append(value)
            values = [[0], [1], KeyError(2), None]
            gives = [promise.resolve, promise.resolve, promise.reject,
                     lambda value: promise.future.cancel()]
            threads = [threading.Thread(target=answer, args=pair)
                       for pair in zip(values, gives)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(LIMIT)
            self.assertEqual(len(won), 1)
            future = promise.future
            if won[0] is None:
                self.assertTrue(future.cancelled())
            elif isinstance(won[0], KeyError):
                self.assertIs(future.exception(), won[0])
            else:
                self.assertIs(future.result(), won[0])

    def test_forgotten(self):
        promise = Concur.Promise()
        future = promise.future
        del promise
        with self.assertRaisesRegex(RuntimeError, 'without an answer'):
            future.result(LIMIT)

    def test_progress(self):
        promise = Concur.Promise()
        seen = []
        promise.future.connect('notify::progress', lambda future, spec: seen.append(
            future.progress))
        promise.set_progress(0.25)
        promise.set_status_text('a quarter')
        iterate_until(lambda: seen)
        self.assertEqual(seen, [0.25])
        self.assertEqual(promise.future.status_text, 'a quarter')
        promise.resolve()

    def test_waits_on_other_threads(self):
        promise = Concur.Promise()
        reached = Gate()
        seen = []

        def wait():
            reached()
            seen.append(promise.future.result(LIMIT))
        thread = threading.Thread(target=wait)
        thread.start()
        reached.wait()
        reached.open()
        promise.resolve({'a': 1})
        thread.join(LIMIT)
        self.assertEqual(seen, [{'a': 1}])

    def test_glib_error(self):
        error = GLib.Error('text', 'some-domain', 3)
        promise = Concur.Promise()
        promise.reject(error)
        self.assertIs(promise.future.exception(), error)
        with self.assertRaises(GLib.Error) as caught:
            promise.future.result()
        self.assertIs(caught.exception, error)

    def test_new(self):
        promise = Concur.Promise.new()
        self.assertTrue(promise.resolve([1]))
        self.assertEqual(promise.future.result(), [1])
        self.assertIs(promise.future, promise.get_future())
        with self.assertRaises(concurrent.futures.InvalidStateError):
            promise = Concur.Promise.new()
            promise.future.get_value()


if __name__ == '__main__':
    unittest.main()
