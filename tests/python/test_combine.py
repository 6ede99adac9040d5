# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Futures made from futures: Python's values and exceptions go through all of them."""

import asyncio
import threading
import unittest
import weakref

from util import LIMIT, SCALE, Case, Thing, gone, iterate_until, wait_until

from gi.repository import Concur


class TestCombine(Case):
    def setUp(self):
        self.threads = Case.pool(self, 2)

    def value(self, value):
        return self.threads.submit(lambda: value)

    def error(self, error):
        def fail():
            raise error
        return self.threads.submit(fail)

    def test_values(self):
        value = {'only': 'Python'}
        for make in (lambda f: f.view(), lambda f: f.shield(), lambda f: f.with_timeout(LIMIT),
                     lambda f: Concur.Future.any(f), lambda f: Concur.Future.race([f]),
                     lambda f: f.recover(str), lambda f: f.ensure(lambda: [1]),
                     lambda f: f.ensure(lambda: Concur.Future.resolved([2])),
                     lambda f: f.continue_with(lambda value: value),
                     lambda f: f.continue_with(lambda value: self.value(value)),
                     lambda f: f.view().shield().with_timeout(LIMIT).view(),
                     lambda f: Concur.Future.any(Concur.Future.race(f.view()))):
            future = make(self.value(value))
            self.assertTrue(future.iterate(LIMIT))
            self.assertIs(future.result(), value)
            self.assertIs(future.result(), value)
            self.assertIsNone(future.exception())

    def test_caught_with_the_list_at_hand(self):
        def catch(combine):
            # In the traceback of the exceptions, and so with them, is this frame.
            settled = combine([self.error(KeyError()), self.error(KeyError())])
            for future in settled.result(LIMIT):
                # Not assertRaises (), which takes the traceback away.
                try:
                    future.result()
                except KeyError:
                    continue
                self.fail('it raises nothing')
        with self.all_futures_go():
            catch(Concur.Future.all_settled)
            catch(Concur.Future.wait_many)

    def test_read_on_the_way(self):
        value = [1]
        first = self.value(value)
        middle = first.view()
        self.assertIs(middle.result(LIMIT), value)
        origin = weakref.ref(first)
        del first
        self.assertTrue(gone(origin))
        for last in (middle.view(), middle.shield().view(), Concur.Future.race(middle),
                     Concur.Future.all(middle).continue_with(lambda values: values[0])):
            self.assertTrue(last.iterate(LIMIT))
            self.assertIs(last.result(), value)

    def test_lists_go_through(self):
        for make in (lambda f: f.view(), lambda f: f.shield(), lambda f: f.with_timeout(LIMIT),
                     lambda f: Concur.Future.any(f), lambda f: Concur.Future.race([f]),
                     lambda f: f.recover(str), lambda f: f.ensure(lambda: None),
                     lambda f: f.ensure(lambda: self.value(3)),
                     lambda f: self.value(3).continue_with(lambda value: f),
                     lambda f: self.error(KeyError()).recover(lambda error: f),
                     lambda f: Concur.Future.all(f.view()).continue_with(lambda lists: lists[0]),
                     lambda f: f.view().shield().with_timeout(LIMIT)):
            value = [1]
            future = make(Concur.Future.all(self.value(value), self.value(2)))
            self.assertTrue(future.iterate(LIMIT))
            self.assertEqual(future.result(), [[1], 2])
            self.assertIs(future.result()[0], value)
            for combine in Concur.Future.all_settled, Concur.Future.wait_many:
                inputs = [self.value(4), self.error(KeyError())]
                future = make(combine(inputs))
                self.assertTrue(future.iterate(LIMIT))
                self.assertEqual(future.result(), inputs)
                inputs[1].ignore()

    def test_exceptions(self):
        never = Concur.Promise()
        # Two that look the same to C.
        for error in (KeyError('same'), ValueError()):
            other = self.error(type(error)(*error.args))
            for make in (lambda f: f.view(), lambda f: f.shield(),
                         lambda f: f.with_timeout(LIMIT), lambda f: Concur.Future.any(f, f),
                         lambda f: Concur.Future.race(f), lambda f: f.continue_with(str),
                         lambda f: f.ensure(list), lambda f: f.view().shield().view(),
                         lambda f: f.recover(lambda error: self.again(error)),
                         lambda f: f.recover(Concur.Future.rejected),
                         lambda f: Concur.Future.all(f, never.future.shield()),
                         lambda f: Concur.Future.all(self.value(1), f),
                         lambda f: Concur.Future.race(Concur.Future.all([f]))):
                future = make(self.error(error))
                self.assertTrue(future.iterate(LIMIT))
                self.assertIs(future.exception(), error)
                with self.assertRaises(type(error)) as caught:
                    future.result()
                self.assertIs(caught.exception, error)
            other.exception(LIMIT)

    def again(self, error):
        raise error

    def test_the_right_one_of_two_alike(self):
        first, second = KeyError('same'), KeyError('same')
        promises = [Concur.Promise(), Concur.Promise()]
        both = Concur.Future.all([promise.future for promise in promises])
        promises[1].reject(second)
        promises[0].reject(first)
        self.assertIs(both.exception(LIMIT), second)
        promises[0].future.exception()

    def test_all(self):
        futures = [self.value([number]) for number in range(50)]
        self.assertEqual(Concur.Future.all(futures).result(LIMIT), [[n] for n in range(50)])
        self.assertEqual(Concur.Future.all(*futures).result(LIMIT), [[n] for n in range(50)])
        self.assertEqual(Concur.Future.all(iter(futures)).result(LIMIT)[3], [3])
        self.assertEqual(Concur.Future.all().result(LIMIT), [])
        self.assertEqual(Concur.Future.all([]).result(LIMIT), [])
        nested = Concur.Future.all(Concur.Future.all(futures[:2]), Concur.Future.all())
        self.assertEqual(nested.result(LIMIT), [[[0], [1]], []])

    def test_all_settled(self):
        futures = [self.value([1]), self.error(KeyError())]
        settled = Concur.Future.all_settled(futures).result(LIMIT)
        self.assertEqual(settled, futures)
        self.assertIsInstance(settled[1].exception(), KeyError)

    def test_any_and_race(self):
        promise = Concur.Promise()
        self.assertEqual(Concur.Future.any(self.error(KeyError()), promise.future.view(),
                                           self.value([1])).result(LIMIT), [1])
        race = Concur.Future.race(promise.future, self.value([2]), cancel_rest=True)
        self.assertEqual(race.result(LIMIT), [2])
        self.assertTrue(promise.future.cancelled())
        with self.assertRaises(Exception):
            Concur.Future.race().result(LIMIT)

    def test_wait_many(self):
        promise = Concur.Promise()
        done = self.value([1])
        some = Concur.Future.wait_many([promise.future, done],
                                       Concur.WaitCondition.FIRST_COMPLETED)
        self.assertEqual(some.result(LIMIT), [done])
        late = Concur.Future.wait_many([promise.future, done], timeout=0.01)
        self.assertEqual(late.result(LIMIT), [done])
        promise.resolve()
        everything = Concur.Future.wait_many([promise.future, done])
        self.assertEqual(everything.result(LIMIT), [promise.future, done])

    def test_wrong_arguments(self):
        for function in (Concur.Future.all, Concur.Future.any, Concur.Future.race,
                         Concur.Future.all_settled):
            with self.assertRaises(TypeError):
                function(None)
            with self.assertRaises(TypeError):
                function([Concur.Future.resolved(), None])
            with self.assertRaises(TypeError):
                function(Concur.Future.resolved(), asyncio.sleep)

    def test_with_timeout(self):
        promise = Concur.Promise()
        with self.assertRaises(TimeoutError):
            promise.future.with_timeout(0.01).result(LIMIT)
        # A moment later, by the timer's thread.
        wait_until(promise.future.cancelled)
        with self.assertRaises(ValueError):
            promise.future.with_timeout(float('nan'))

    def test_cancelling_goes_up(self):
        for make, ends in ((lambda f: f.view(), True), (lambda f: Concur.Future.all(f), True),
                           (lambda f: f.continue_with(str), True), (lambda f: f.shield(), False)):
            promise = Concur.Promise()
            derived = make(promise.future)
            self.assertTrue(derived.cancel())
            self.assertEqual(promise.future.cancelled(), ends)
            self.assertTrue(derived.cancelled())
            if not ends:
                promise.resolve()

    def test_continuations(self):
        self.assertEqual(Concur.run(self.value([1]).continue_with(lambda value: value + [2])),
                         [1, 2])
        error = KeyError()
        chained = self.value(1).continue_with(lambda value: self.again(error))
        with self.assertRaises(KeyError) as caught:
            Concur.run(chained)
        self.assertIs(caught.exception, error)
        self.assertEqual(Concur.run(self.error(error).recover(lambda e: [e is error])), [True])
        self.assertIs(chained.exception(), error)
        seen = []
        for future in (self.value([1]), self.error(error)):
            ensured = future.ensure(lambda: seen.append('called'))
            ensured.iterate(LIMIT)
            if future.exception() is None:
                self.assertEqual(ensured.result(), [1])
            else:
                self.assertIs(ensured.exception(), error)
        self.assertEqual(seen, ['called'] * 2)
        with self.assertRaises(ZeroDivisionError):
            Concur.run(self.value([1]).ensure(lambda: 1 / 0))

    def test_cancelled_input(self):
        called = []
        promise = Concur.Promise()
        after = promise.future.continue_with(called.append)
        recovered = promise.future.recover(called.append)
        promise.future.cancel()
        iterate_until(lambda: after.done() and recovered.done())
        self.assertTrue(after.cancelled() and recovered.cancelled())
        self.assertEqual(called, [])

    def test_where_continuations_run(self):
        here = self.value(1).continue_with(lambda value: threading.get_ident())
        self.assertEqual(Concur.run(here), threading.get_ident())
        there = self.value(1).continue_with(lambda value: threading.get_ident(),
                                            executor=self.threads)
        self.assertNotEqual(there.result(LIMIT), threading.get_ident())

    def test_coroutines_are_refused(self):
        async def work(value):
            pass
        with self.assertRaisesRegex(TypeError, 'coroutine'):
            Concur.run(self.value(1).continue_with(work))

    def test_long_chain(self):
        error = KeyError()
        number = 3000 // SCALE
        for first in (self.value([0]), self.error(error)):
            future = first
            for _ in range(number):
                future = future.continue_with(lambda value: [value[0] + 1],
                                              executor=self.threads)
            self.assertTrue(future.wait(LIMIT))
            if first.exception() is None:
                self.assertEqual(future.result(), [number])
            else:
                self.assertIs(future.exception(), error)
            views = first
            for _ in range(number):
                views = views.view()
            self.assertTrue(views.wait(LIMIT))
            if first.exception() is None:
                self.assertEqual(views.result(), [0])
            else:
                self.assertIs(views.exception(), error)
            del future, views

    def test_nothing_is_kept(self):
        values = [Thing() for _ in range(4)]
        references = [weakref.ref(value) for value in values]
        first = self.value(values.pop())
        second = first.continue_with(lambda value: 'other', executor=self.threads)
        never = Concur.Promise()
        race = Concur.Future.race(self.value(values.pop()), never.future.shield())
        both = Concur.Future.all(self.value(values.pop()), self.value(values.pop()))
        for future in (second, race, both):
            future.result(LIMIT)
        first = None
        # The continuation has an answer of its own.
        self.assertTrue(gone(references[3]))
        self.assertEqual(second.result(), 'other')
        race = both = future = None
        self.assertTrue(gone(*references))

    def test_source_goes_once_a_view_is_read(self):
        for value in ([1], KeyError()):
            source = self.value(value) if isinstance(value, list) else self.error(value)
            view = source.view()
            view.wait(LIMIT)
            view.exception()
            self.assertIs(view.exception() or view.result(), value)
            reference = weakref.ref(source)
            del source
            self.assertTrue(gone(reference))
            self.assertIs(view.exception() or view.result(), value)

    def test_delay(self):
        self.assertIsNone(Concur.Future.delay(0.01).result(LIMIT))
        with self.assertRaises(ValueError):
            Concur.Future.delay(float('nan'))

    def test_two_read_the_first_time(self):
        for _ in range(100):
            future = Concur.Future.all(self.value([1]), self.value([2]))
            race = Concur.Future.race(self.value([3]))
            future.wait(LIMIT)
            race.wait(LIMIT)
            start = threading.Barrier(3)
            seen = []

            def read():
                start.wait(LIMIT)
                seen.append((future.result(), race.result()))
            threads = [threading.Thread(target=read) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(LIMIT)
            self.assertEqual(seen, [([[1], [2]], [3])] * 3)
            self.assertIs(seen[0][0], seen[1][0])


if __name__ == '__main__':
    unittest.main()
