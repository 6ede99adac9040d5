# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What Concur.ThreadPoolExecutor hands out, as a concurrent.futures.Future."""

import _thread
import concurrent.futures
import gc
import logging
import threading
import unittest
import weakref

from standard_util import LIMIT, Concur, Failure, Gate, PoolTestCase, Thing, fail, gone

Standard = concurrent.futures.Future
InvalidStateError = concurrent.futures.InvalidStateError


class TestStates(PoolTestCase):
    def test_classes(self):
        future = self.pool.submit(int)
        self.assertIsInstance(future, Standard)
        self.assertIsInstance(future, Concur.Future)
        self.assertEqual(future.result(), 0)

    def test_every_member_is_our_own(self):
        future = self.pool.submit(int)
        future.result()
        missing = [name for name in list(vars(Standard)) + list(vars(Standard()))
                   if not (name.startswith('__') and name not in ('__init__', '__repr__'))
                   and '__get_result' not in name
                   and getattr(type(future), name, None) in (None, vars(Standard).get(name))]
        self.assertEqual(missing, [])

    def test_life(self):
        gate, first = self.blocked(5)
        second = self.pool.submit(int)
        self.assertEqual([first.running(), first.done(), first.cancelled(), first._state],
                         [True, False, False, 'RUNNING'])
        self.assertEqual([second.running(), second.done(), second.cancelled(), second._state],
                         [False, False, False, 'PENDING'])
        gate.open()
        self.assertEqual(first.result(), 5)
        self.assertEqual([first.running(), first.done(), first.cancelled(), first._state],
                         [False, True, False, 'FINISHED'])

    def test_cancel(self):
        gate, first = self.blocked()
        second = self.pool.submit(fail, Failure())
        self.assertFalse(first.cancel())
        self.assertTrue(second.cancel())
        self.assertTrue(second.cancel())
        self.assertTrue(second.cancelled() and second.done())
        self.assertEqual(second._state, 'CANCELLED_AND_NOTIFIED')
        # It was not even asked.
        self.assertFalse(Concur.Job.is_cancelled(first))
        gate.open()
        self.assertIsNone(first.result())
        self.assertFalse(first.cancel())
        for call in second.result, second.exception:
            with self.assertRaises(concurrent.futures.CancelledError):
                call()

    def test_ask_to_stop(self):
        begun = threading.Event()
        stop = threading.Event()

        def work():
            begun.set()
            stop.wait(LIMIT)
            Concur.check_cancelled()

        future = self.pool.submit(work)
        begun.wait(LIMIT)
        self.assertTrue(future.cancel(Concur.CancelFlags.NONE))
        self.assertTrue(future.running())
        stop.set()
        with self.assertRaises(concurrent.futures.CancelledError):
            future.result()
        self.assertTrue(future.cancelled())

    def test_abandon(self):
        gate, future = self.blocked('late')
        self.assertTrue(future.cancel(abandon=True))
        self.assertTrue(future.cancelled())
        gate.open()
        self.pool.submit(int).result()
        with self.assertRaises(concurrent.futures.CancelledError):
            future.result()
        self.assertNotIn('_value', vars(future))

    def test_raised_cancelled_error_is_an_error(self):
        error = concurrent.futures.CancelledError()
        future = self.pool.submit(fail, error)
        self.assertIs(future.exception(), error)
        self.assertFalse(future.cancelled())

    def test_state_is_for_reading(self):
        with self.assertRaises(AttributeError):
            self.pool.submit(int)._state = 'PENDING'

    def test_repr(self):
        gate, running = self.blocked()
        pending = self.pool.submit(int)
        cancelled = self.pool.submit(int)
        cancelled.cancel()
        failed = self.pool.submit(fail, Failure())
        start = '^<StandardFuture at 0x[0-9a-f]+ state='
        self.assertRegex(repr(running), start + 'running>$')
        self.assertRegex(repr(pending), start + 'pending>$')
        self.assertRegex(repr(cancelled), start + 'cancelled>$')
        gate.open()
        failed.exception()
        self.assertRegex(repr(pending), start + 'finished returned int>$')
        self.assertRegex(repr(failed), start + 'finished raised Failure>$')


class TestOutcome(PoolTestCase):
    def test_values(self):
        cycle = []
        cycle.append(cycle)
        for value in (None, True, 3, -1 << 62, 1 << 63, -1 << 63, 1 << 5000, 2.5, float('inf'),
                      'text', 'a\0b', '\udc80', b'bytes', (1, 2), {'a': 1}, int, cycle):
            future = self.pool.submit(lambda: value)
            self.assertIs(future.result(), value)
            self.assertIs(future._result, value)
            self.assertIsNone(future.exception())
            self.assertIsNone(future._exception)
            self.assertEqual(future._get_snapshot()[:2], (True, False))
        nan = float('nan')
        self.assertIs(self.pool.submit(lambda: nan).result(), nan)

    def test_the_very_exception(self):
        for error in (Failure('x'), SystemExit(3), KeyboardInterrupt(), OSError(2, 'gone')):
            future = self.pool.submit(fail, error)
            with self.assertRaises(type(error)) as caught:
                future.result()
            self.assertIs(caught.exception, error)
            self.assertIs(future.exception(), error)
            self.assertIs(future._exception, error)
            self.assertEqual(future._get_snapshot(), (True, False, None, error))

    def test_traceback_and_cause(self):
        def outer():
            try:
                fail(Failure())
            except Failure as error:
                raise ValueError from error

        error = self.pool.submit(outer).exception()
        self.assertIsInstance(error.__cause__, Failure)
        self.assertEqual(error.__traceback__.tb_frame.f_code.co_name, 'outer')

    def test_stop_iteration(self):
        error = self.pool.submit(next, iter(())).exception()
        self.assertIsInstance(error, RuntimeError)
        self.assertIsInstance(error.__cause__, StopIteration)

    def test_timeout(self):
        gate, running = self.blocked()
        pending = self.pool.submit(int)
        for future in running, pending:
            for timeout in 0, -1, 0.001:
                for call in future.result, future.exception:
                    with self.assertRaises(concurrent.futures.TimeoutError):
                        call(timeout=timeout)
        gate.open()
        self.assertEqual(pending.result(timeout=LIMIT), 0)
        self.assertEqual(pending.result(timeout=0), 0)

    def test_woken_by_cancel(self):
        self.blocked()
        future = self.pool.submit(int)
        seen = []
        begun = threading.Barrier(2)

        def look():
            begun.wait(LIMIT)
            try:
                future.result()
            except concurrent.futures.CancelledError as error:
                seen.append(error)

        thread = threading.Thread(target=look)
        thread.start()
        begun.wait(LIMIT)
        future.cancel()
        thread.join(LIMIT)
        self.assertEqual(len(seen), 1)

    def test_ctrl_c(self):
        gate, running = self.blocked()

        def interrupt():
            begun.wait(LIMIT)
            _thread.interrupt_main()

        for wait in (running.result, running.exception, lambda: running.result(LIMIT),
                     lambda: Concur.wait([running]), lambda: next(Concur.as_completed([running])),
                     self.pool.shutdown):
            begun = threading.Event()
            thread = threading.Thread(target=interrupt)
            thread.start()
            with self.assertRaises(KeyboardInterrupt):
                begun.set()
                wait()
            thread.join()

    def test_coroutine_functions_are_called(self):
        async def work():
            return 1

        coroutine = self.pool.submit(work).result()
        coroutine.close()

    def test_failure_is_not_logged(self):
        class Seen(logging.Handler):
            records = []

            def emit(self, record):
                self.records.append(record)

        handler = Seen()
        logging.getLogger().addHandler(handler)
        self.addCleanup(logging.getLogger().removeHandler, handler)
        reference = weakref.ref(self.pool.submit(fail, Failure()))
        self.assertTrue(gone(reference))
        self.assertEqual(handler.records, [])


class TestCallbacks(PoolTestCase):
    def test_order_and_thread(self):
        seen = []
        gate, future = self.blocked(4)
        for i in range(5):
            future.add_done_callback(
                lambda f, i=i: seen.append((i, f, f.result(), threading.get_ident())))
        self.assertEqual(len(future._done_callbacks), 5)
        gate.open()
        worker = self.pool.submit(threading.get_ident).result()
        self.assertEqual(seen, [(i, future, 4, worker) for i in range(5)])

    def test_at_once(self):
        future = self.pool.submit(int)
        # The first is being called, or was.
        future.add_done_callback(lambda f: None)
        future.result()
        seen = []
        future.add_done_callback(lambda f: seen.append(threading.get_ident()))
        self.assertEqual(seen, [threading.get_ident()])

    def test_by_who_cancels(self):
        self.blocked()
        future = self.pool.submit(int)
        seen = []
        future.add_done_callback(lambda f: seen.append((f.cancelled(), threading.get_ident())))
        future.cancel()
        self.assertEqual(seen, [(True, threading.get_ident())])

    def test_error_is_logged(self):
        gate, future = self.blocked()
        seen = []
        future.add_done_callback(lambda f: fail(Failure('first')))
        future.add_done_callback(seen.append)
        with self.assertLogs('concurrent.futures', 'ERROR') as logs:
            gate.open()
            self.pool.submit(int).result()
            future.add_done_callback(lambda f: fail(Failure('second')))
        self.assertEqual(seen, [future])
        self.assertEqual(len(logs.records), 2)
        for record in logs.records:
            self.assertTrue(record.getMessage().startswith('exception calling callback for <'))
            self.assertIs(record.exc_info[0], Failure)

    def test_cancel_within_a_callback(self):
        # Its callbacks are called as well, but after this one.
        gate, first = self.blocked()
        second = self.pool.submit(int)
        seen = []
        second.add_done_callback(lambda f: seen.append('second'))

        def stop(future):
            second.cancel()
            seen.append(second.cancelled())

        first.add_done_callback(stop)
        gate.open()
        self.pool.submit(int).result()
        self.assertEqual(seen, [True, 'second'])


class TestByHand(PoolTestCase):
    """Those who meddle with a future of an executor."""

    def test_set_result_of_a_running_one(self):
        gate, future = self.blocked('late')
        seen = []
        future.add_done_callback(seen.append)
        future.set_result('early')
        self.assertEqual((future.result(0), seen), ('early', [future]))
        gate.open()
        self.pool.submit(int).result()
        self.assertEqual(future.result(), 'early')

    def test_set_exception_of_a_running_one(self):
        gate, future = self.blocked(Failure('late'))
        error = Failure('early')
        future.set_exception(error)
        gate.open()
        self.pool.submit(int).result()
        self.assertIs(future.exception(), error)

    def test_set_result_of_a_queued_one(self):
        gate, _ = self.blocked()
        ran = []
        future = self.pool.submit(ran.append, 1)
        future.set_result(3)
        gate.open()
        self.pool.submit(int).result()
        self.assertEqual((future.result(), ran), (3, []))

    def test_done_already(self):
        self.blocked()
        cancelled = self.pool.submit(int)
        cancelled.cancel()
        done = type(cancelled)()
        done.set_result(1)
        for future, state in (cancelled, 'CANCELLED_AND_NOTIFIED'), (done, 'FINISHED'):
            for call in (lambda: future.set_result(2), lambda: future.set_exception(Failure())):
                with self.assertRaisesRegex(InvalidStateError, f'^{state}: <StandardFuture at'):
                    call()
        self.assertEqual(done.result(), 1)

    def test_against_the_worker(self):
        # One of them wins, and the outcome stays what it is.
        wins = set()
        for i in range(300):
            go = threading.Barrier(2)
            future = self.pool.submit(lambda: go.wait(LIMIT) and None or 'worker')
            go.wait(LIMIT)
            try:
                future.set_result('hand')
                expected = 'hand'
            except InvalidStateError:
                expected = 'worker'
            self.assertEqual(future.result(LIMIT), expected)
            self.assertEqual(future.result(), expected)
            wins.add(expected)
        self.assertTrue(wins)

    def test_set_running(self):
        gate, running = self.blocked()
        queued = self.pool.submit(int)
        for future in running, queued:
            with self.assertLogs('concurrent.futures', 'CRITICAL') as logs:
                with self.assertRaisesRegex(RuntimeError, '^Future in unexpected state$'):
                    future.set_running_or_notify_cancel()
            self.assertIn(f'Future {id(future)} in unexpected state: {future._state}',
                          logs.output[0])
        queued.cancel()
        self.assertFalse(queued.set_running_or_notify_cancel())
        alone = type(queued)()
        self.assertTrue(alone.set_running_or_notify_cancel())
        self.assertTrue(alone.running())
        self.assertFalse(alone.cancel())
        alone.set_result(2)
        self.assertEqual(alone.result(), 2)


class TestCondition(PoolTestCase):
    def test_notified(self):
        for outcome in 'value', 'error', 'cancelled':
            gate, running = self.blocked(Failure() if outcome == 'error' else None)
            future = self.pool.submit(int) if outcome == 'cancelled' else running
            waiting = threading.Barrier(2)
            seen = []

            def look():
                with future._condition:
                    waiting.wait(LIMIT)
                    while not future.done():
                        if not future._condition.wait(LIMIT):
                            return
                    seen.append(future._state)

            thread = threading.Thread(target=look)
            thread.start()
            waiting.wait(LIMIT)
            if outcome == 'cancelled':
                future.cancel()
            gate.open()
            thread.join(LIMIT)
            self.assertEqual(len(seen), 1, outcome)

    def test_not_lost_between_look_and_wait(self):
        # It gets done after the look; whoever completes it has to wait for the waiter.
        gate, future = self.blocked()
        with future._condition:
            self.assertFalse(future.done())
            self.assertEqual(future._state, 'RUNNING')
            gate.open()
            self.assertTrue(Concur.Future.wait(future, LIMIT))
            self.assertEqual(future._state, 'RUNNING')
            self.assertTrue(future._condition.wait(LIMIT))
            self.assertEqual(future._state, 'FINISHED')

    def test_made_as_it_gets_done(self):
        # The condition is made while the call returns: who waits then is told, or sees.
        for i in range(500):
            go = threading.Barrier(2)
            future = self.pool.submit(go.wait, LIMIT)
            go.wait(LIMIT)
            done, not_done = concurrent.futures.wait([future], timeout=LIMIT)
            self.assertEqual((done, not_done), ({future}, set()))
            self.assertEqual(future._waiters, [])


class TestReferences(PoolTestCase):
    class Thing(Thing):
        def method(self, other=None):
            return Thing()

    def test_call_is_let_go_of_before_it_is_done(self):
        gate = Gate()
        self.gates.append(gate)
        thing, argument = self.Thing(), self.Thing()
        references = [weakref.ref(thing), weakref.ref(argument)]
        future = self.pool.submit(lambda thing, argument: gate(thing.method()), thing,
                                  argument=argument)
        del thing, argument
        seen = []
        future.add_done_callback(
            lambda f: seen.extend(reference() for reference in references))
        gate.open()
        self.pool.submit(int).result()
        self.assertEqual(seen, [None, None])

    def test_future_is_dropped(self):
        thing = self.Thing()
        reference = weakref.ref(thing)
        self.pool.submit(thing.method)
        del thing
        self.assertTrue(gone(reference))

    def test_value(self):
        future = self.pool.submit(self.Thing)
        reference = weakref.ref(future.result())
        del future
        self.assertTrue(gone(reference))

    def test_cancelled(self):
        self.blocked()
        thing = self.Thing()
        reference = weakref.ref(thing)
        future = self.pool.submit(thing.method)
        del thing
        future.cancel()
        gc.collect()
        self.assertIsNone(reference())

    def test_errors_make_no_cycles(self):
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

        def get(box):
            # What is a variable here would be kept by the traceback.
            try:
                box.pop().result()
            except Failure:
                pass

        references = []
        for i in range(20):
            box = [self.pool.submit(fail, Failure())]
            references.append(weakref.ref(box[0]))
            get(box)
        self.pool.submit(int).result()
        self.assertEqual([r for r in references if r() is not None], [])


if __name__ == '__main__':
    unittest.main()
