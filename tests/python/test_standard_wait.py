# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""wait () and as_completed (): Concur's for everybody's futures, and the standard library's
for ours."""

import concurrent.futures
import threading
import unittest
import weakref

from standard_util import LIMIT, Concur, Failure, PoolTestCase, Thing, gone

Standard = concurrent.futures.Future
ALL = concurrent.futures.ALL_COMPLETED
FIRST = concurrent.futures.FIRST_COMPLETED
ERROR = concurrent.futures.FIRST_EXCEPTION


class Ours:
    """A future of the drop-in that is completed by hand."""

    def __init__(self, pool):
        self.future = type(pool.submit(int))()
        self.resolve = self.future.set_result
        self.reject = self.future.set_exception
        self.cancel = self.future.cancel


class Plain:
    """A Concur.Future that is nothing else."""

    def __init__(self, pool):
        promise = Concur.Promise()
        self.future = promise.future
        self.resolve = promise.resolve
        self.reject = promise.reject
        # Those who only wait do not look at errors.
        self.future.ignore()
        self.cancel = self.future.cancel


class Foreign:
    """The standard library's."""

    def __init__(self, pool):
        self.future = Standard()
        self.resolve = self.future.set_result
        self.reject = self.future.set_exception

    def cancel(self):
        self.future.cancel()
        self.future.set_running_or_notify_cancel()


class Jobs:
    """One of a Concur.ThreadExecutor."""

    executor = None

    def __init__(self, pool):
        self.go = threading.Event()
        self.error = self.value = None
        self.future = Jobs.executor.submit(self.run)

    def run(self):
        self.go.wait(LIMIT)
        if self.error is not None:
            raise self.error
        return self.value

    def resolve(self, value):
        self.value = value
        self.go.set()

    def reject(self, error):
        self.error = error
        self.go.set()

    def cancel(self):
        self.future.cancel(abandon=True)
        self.go.set()


class Both:
    """What holds for both libraries' functions, with our futures."""

    kinds = (Ours,)

    def make(self, number):
        """So many that are pending, of the kinds in turn."""
        return [self.kinds[i % len(self.kinds)](self.pool) for i in range(number)]

    def wait_in_thread(self, *args, **kwargs):
        """Begins to wait; returns how to get the outcome."""
        outcome = []
        thread = threading.Thread(target=lambda: outcome.append(self.wait(*args, **kwargs)))
        thread.start()

        def finish():
            thread.join(LIMIT)
            return outcome[0]
        return finish

    def test_all(self):
        makers = self.make(6)
        futures = [maker.future for maker in makers]
        finish = self.wait_in_thread(futures, return_when=ALL)
        makers[0].resolve(1)
        makers[1].reject(Failure())
        makers[2].cancel()
        for maker in makers[3:]:
            maker.resolve(1)
        done, not_done = finish()
        self.assertEqual((done, not_done), (set(futures), set()))

    def test_duplicates_and_names(self):
        maker, = self.make(1)
        maker.resolve(1)
        result = self.wait([maker.future] * 3)
        self.assertEqual((result.done, result.not_done), ({maker.future}, set()))
        self.assertEqual(list(self.as_completed(iter([maker.future] * 3))), [maker.future])

    def test_nothing(self):
        for condition in ALL, FIRST, ERROR:
            self.assertEqual(self.wait([], return_when=condition), (set(), set()))
        self.assertEqual(list(self.as_completed([])), [])

    def test_time_is_up(self):
        makers = self.make(4)
        makers[1].resolve(1)
        done = {makers[1].future}
        futures = {maker.future for maker in makers}
        self.assertTrue(self.wait(done)[0])
        for timeout in 0, 0.001:
            for condition in ALL, ERROR:
                self.assertEqual(self.wait(futures, timeout, condition),
                                 (done, futures - done))
            self.assertEqual(self.wait(futures - done, timeout, FIRST),
                             (set(), futures - done))
        for maker in makers:
            if maker is not makers[1]:
                maker.resolve(2)

    def test_first(self):
        makers = self.make(5)
        futures = {maker.future for maker in makers}
        finish = self.wait_in_thread(futures, return_when=FIRST)
        makers[3].resolve(1)
        self.assertEqual(finish(), ({makers[3].future}, futures - {makers[3].future}))
        self.assertEqual(self.wait(futures, return_when=FIRST).done, {makers[3].future})
        for maker in makers:
            if maker is not makers[3]:
                maker.resolve(2)

    def test_first_error(self):
        # Being cancelled is none.
        makers = self.make(5)
        futures = {maker.future for maker in makers}
        makers[0].resolve(1)
        finish = self.wait_in_thread(futures, return_when=ERROR)
        makers[1].cancel()
        makers[2].resolve(1)
        # Each has a thread of its own.
        makers[2].future.result(LIMIT)
        makers[3].reject(Failure())
        done, not_done = finish()
        self.assertIn(makers[3].future, done)
        if self.wait is not concurrent.futures.wait:
            self.assertEqual(not_done, {makers[4].future})
        # The standard library's may not have heard of each that is done.
        self.assertEqual({future for future in not_done if not future.done()}, {makers[4].future})
        self.assertEqual(self.wait(futures, return_when=ERROR).not_done, {makers[4].future})
        makers[4].resolve(1)

    def test_no_error(self):
        makers = self.make(4)
        futures = {maker.future for maker in makers}
        finish = self.wait_in_thread(futures, return_when=ERROR)
        makers[0].cancel()
        for maker in makers[1:]:
            maker.resolve(1)
        self.assertEqual(finish(), (futures, set()))

    def test_as_completed(self):
        makers = self.make(6)
        makers[4].resolve(4)
        self.wait([makers[4].future])
        arrivals = self.as_completed([maker.future for maker in makers], timeout=LIMIT)
        self.assertIs(next(arrivals), makers[4].future)
        for i in 2, 0, 5, 3, 1:
            if i == 5:
                makers[i].cancel()
            elif i == 3:
                makers[i].reject(Failure())
            else:
                makers[i].resolve(i)
            self.assertIs(next(arrivals), makers[i].future)
        self.assertEqual(list(arrivals), [])

    def test_as_completed_out_of_time(self):
        makers = self.make(3)
        makers[0].resolve(1)
        self.wait([makers[0].future])
        seen = []
        with self.assertRaisesRegex(concurrent.futures.TimeoutError,
                                    r'^2 \(of 3\) futures unfinished$'):
            for future in self.as_completed([maker.future for maker in makers], timeout=0):
                seen.append(future)
        self.assertEqual(seen, [makers[0].future])
        makers[1].resolve(1)
        makers[2].resolve(1)

    def test_wrong_condition(self):
        maker, = self.make(1)
        with self.assertRaisesRegex(ValueError, "^Invalid return condition: 'SOME'$"):
            self.wait([maker.future], return_when='SOME')
        maker.resolve(1)

    def test_race(self):
        # They get done while the waiting begins, on several threads.
        for condition in ALL, FIRST, ERROR:
            for i in range(20):
                futures = {self.pool.submit(int) for _ in range(100)}
                done, not_done = self.wait(futures, LIMIT, condition)
                self.assertEqual(done | not_done, futures)
                if condition != FIRST:
                    self.assertEqual(not_done, set())
                else:
                    self.assertTrue(done)
                arrived = list(self.as_completed(futures, LIMIT))
                self.assertEqual((len(arrived), set(arrived)), (100, futures))


class TestStandardLibrary(Both, PoolTestCase):
    workers = 3
    wait = staticmethod(concurrent.futures.wait)
    as_completed = staticmethod(concurrent.futures.as_completed)


class TestStandardLibraryMixed(TestStandardLibrary):
    kinds = (Ours, Foreign)


class Own(Both):
    workers = 3
    wait = staticmethod(Concur.wait)
    as_completed = staticmethod(Concur.as_completed)


class TestConcur(Own, PoolTestCase):
    def test_constants(self):
        self.assertEqual((Concur.ALL_COMPLETED, Concur.FIRST_COMPLETED, Concur.FIRST_EXCEPTION),
                         (ALL, FIRST, ERROR))

    def test_something_else(self):
        for call in Concur.wait, lambda fs: list(Concur.as_completed(fs)):
            with self.assertRaisesRegex(TypeError, 'is needed, not int$'):
                call([3])

    def test_wrong_condition_at_once(self):
        with self.assertRaises(ValueError):
            Concur.wait([], return_when='SOME')

    def test_cancelled_without_notice(self):
        # As in the standard library: nobody may rely on it before its executor has noticed.
        future = Standard()
        future.cancel()
        self.assertEqual(Concur.wait([future], 0), (set(), {future}))
        with self.assertRaises(concurrent.futures.TimeoutError):
            list(Concur.as_completed([future], 0))
        future.set_running_or_notify_cancel()
        self.assertEqual(Concur.wait([future], 0), ({future}, set()))

    def test_done_after_the_first_look(self):
        class Late(Standard):
            def done(self):
                if super().done():
                    return True
                self.set_result(1)
                return False

        for call in (lambda future: Concur.wait([future], LIMIT, FIRST).done,
                     lambda future: set(Concur.as_completed([future], LIMIT))):
            future = Late()
            self.assertEqual(call(future), {future})

    def test_nothing_stays_behind(self):
        ours, plain, foreign = Ours(self.pool), Plain(self.pool), Foreign(self.pool)
        futures = [ours.future, plain.future, foreign.future]
        for i in range(3):
            Concur.wait(futures, 0.001, FIRST)
            arrivals = Concur.as_completed(futures, 0.001)
            with self.assertRaises(concurrent.futures.TimeoutError):
                next(arrivals)
        self.assertEqual(vars(ours.future).get('_callbacks'), [])
        self.assertEqual(foreign.future._waiters, [])
        for maker in ours, plain, foreign:
            maker.resolve(1)

    def test_what_was_handed_out_is_not_kept(self):
        futures = [self.pool.submit(Thing) for _ in range(20)]
        concurrent.futures.wait(futures)
        blocker, last = self.blocked()
        futures.append(last)
        arrivals = Concur.as_completed(futures)
        del futures, last
        for i in range(20):
            reference = weakref.ref(next(arrivals))
            self.assertTrue(gone(reference))
        blocker.open()
        self.assertEqual(len(list(arrivals)), 1)

    def test_worker_waits_for_its_own_pool(self):
        # One thread, and three levels.
        with Concur.ThreadPoolExecutor(1) as pool:
            def work(depth):
                if depth == 0:
                    return 1
                futures = [pool.submit(work, depth - 1) for _ in range(2)]
                kind = depth % 3
                if kind == 0:
                    Concur.wait(futures)
                elif kind == 1:
                    for future in Concur.as_completed(futures):
                        future.result()
                else:
                    while futures[0] not in Concur.wait(futures, return_when=FIRST).done:
                        Concur.wait(futures[:1])
                return sum(future.result() for future in futures)

            self.assertEqual(pool.submit(work, 3).result(LIMIT), 8)


class TestConcurMixed(Own, PoolTestCase):
    kinds = (Ours, Plain, Foreign, Jobs)

    def setUp(self):
        super().setUp()
        Jobs.executor = Concur.ThreadExecutor(max_threads=6)

    def end(self):
        super().end()
        Jobs.executor.shutdown().wait(LIMIT)

    def test_all_kinds(self):
        # The tests above go through them in turn.
        makers = self.make(4)
        self.assertEqual([isinstance(maker.future, Standard) for maker in makers],
                         [True, False, True, False])
        self.assertEqual([isinstance(maker.future, Concur.Future) for maker in makers],
                         [True, True, False, True])
        for maker in makers:
            maker.resolve(1)
        self.assertEqual(len(Concur.wait([maker.future for maker in makers]).done), 4)


if __name__ == '__main__':
    unittest.main()
