# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Limiter, Retry and retry ()."""

import asyncio
import threading
import unittest

from gi.repository import Gio
from loops import LOOPS, on_asyncio, pending
from util import LIMIT, Case, Concur, Gate, wait_until


class Failure(Exception):
    pass


class TestSettings(Case):
    def test_units(self):
        limiter = Concur.Limiter(2, rate=5, period=0.25)
        self.assertEqual((limiter.permits, limiter.rate, limiter.period), (2, 5, 0.25))
        limiter.period = 1.5
        self.assertEqual(limiter.get_period(), 1.5)
        limiter.set_period(2)
        self.assertEqual(limiter.period, 2)
        self.assertEqual(Concur.Limiter().available, 1)
        self.assertEqual(Concur.Limiter.new(3).permits, 3)
        self.assertEqual(Concur.Limiter.new_with_rate(1, 2, 0.5).period, 0.5)
        self.assertEqual(Concur.Retry.new(2, 0.5).first_delay, 0.5)
        retry = Concur.Retry(4, first_delay=0.25, max_delay=8)
        self.assertEqual((retry.max_attempts, retry.first_delay, retry.max_delay), (4, 0.25, 8))
        self.assertEqual((retry.get_first_delay(), retry.get_max_delay()), (0.25, 8))

    def test_mistakes(self):
        for wrong in ({'permits': -1}, {'rate': -1}, {'period': 0}, {'period': -1}):
            with self.subTest(wrong), self.assertRaises(ValueError):
                Concur.Limiter(**wrong)
        with self.assertRaises(ValueError):
            Concur.Limiter().period = 0
        with self.assertRaises(TypeError):
            Concur.Retry(on=5)
        with self.assertRaisesRegex(RuntimeError, 'nobody has'):
            Concur.Limiter().release()


class TestLimiter(Case):
    def test_async_with(self):
        for name, run, sleep in LOOPS:
            limiter = Concur.Limiter(3)
            now = most = 0

            async def work():
                nonlocal now, most
                async with limiter:
                    now += 1
                    most = max(most, now)
                    await sleep(0.001)
                    now -= 1

            async def main():
                await Concur.gather(*(work() for _ in range(20)))
            with self.subTest(name):
                run(main())
                self.assertEqual((most, limiter.borrowed, limiter.waiting), (3, 0, 0))

    def test_with(self):
        limiter = Concur.Limiter(2)
        lock = threading.Lock()
        now = most = 0

        def work():
            nonlocal now, most
            for _ in range(50):
                with limiter:
                    with lock:
                        now += 1
                        most = max(most, now)
                    with lock:
                        now -= 1
        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        self.assertLessEqual(most, 2)
        self.assertEqual(limiter.available, 2)

    def test_time_limit(self):
        limiter = Concur.Limiter(1)
        with limiter:
            with self.assertRaises(TimeoutError):
                limiter.acquire_wait(0)
            with self.assertRaises(TimeoutError):
                limiter.acquire_wait(0.01)
            self.assertFalse(limiter.try_acquire())
        self.assertTrue(limiter.try_acquire())
        limiter.release()
        self.assertEqual((limiter.available, limiter.waiting), (1, 0))

    def test_cancelled_waiter_takes_no_permit(self):
        limiter = Concur.Limiter(1)

        async def enter():
            async with limiter:
                pass

        async def main():
            limiter.acquire_wait()
            first = asyncio.ensure_future(enter())
            second = asyncio.ensure_future(enter())
            while limiter.waiting < 2:
                await asyncio.sleep(0)
            first.cancel()
            # The permit may have come when the task is cancelled: the turn passes on.
            limiter.release()
            first.cancel()
            await asyncio.wait([first, second])
            self.assertTrue(first.cancelled())
            await second
        on_asyncio(main())
        self.assertEqual((limiter.available, limiter.waiting), (1, 0))

    def test_cancelled_when_it_has_come(self):
        limiter = Concur.Limiter(1)

        async def enter():
            async with limiter:
                pass

        async def main():
            limiter.acquire_wait()
            task = asyncio.ensure_future(enter())
            while limiter.waiting < 1:
                await asyncio.sleep(0)
            limiter.release()
            self.assertEqual(limiter.borrowed, 1)
            task.cancel()
            await asyncio.wait([task])
        on_asyncio(main())
        self.assertEqual(limiter.available, 1)

    def test_adjusted_while_waiting(self):
        limiter = Concur.Limiter(1)
        limiter.acquire_wait()
        futures = [limiter.acquire() for _ in range(3)]
        limiter.permits = 3
        self.assertEqual([future.done() for future in futures], [True, True, False])
        limiter.permits = 1
        limiter.release()
        limiter.release()
        self.assertFalse(futures[2].done())
        limiter.release()
        futures[2].result(LIMIT)
        limiter.release()
        self.assertEqual(limiter.available, 1)

    def test_submit(self):
        limiter = Concur.Limiter(1)
        gate = Gate()
        first = limiter.submit(gate, 'first')
        gate.wait()
        second = limiter.submit(lambda *args, **kwargs: (args, kwargs), 1, a=2)
        self.assertFalse(second.running())
        gate.open()
        self.assertEqual(first.result(LIMIT), 'first')
        self.assertEqual(second.result(LIMIT), ((1,), {'a': 2}))
        wait_until(lambda: limiter.available == 1)

    def test_permit_returns_at_the_real_end(self):
        limiter = Concur.Limiter(1)
        gate = Gate()
        first = limiter.submit(gate)
        gate.wait()
        first.cancel(abandon=True)
        self.assertTrue(first.cancelled())
        second = limiter.submit(int)
        self.assertEqual(limiter.borrowed, 1)
        self.assertFalse(second.done())
        gate.open()
        self.assertEqual(second.result(LIMIT), 0)

    def test_options(self):
        limiter = Concur.Limiter(1)
        with Concur.ThreadExecutor(max_threads=1, name='mine') as pool:
            future = limiter.options(pool, name='job').submit(
                lambda: threading.current_thread().name)
            self.assertIn('mine', future.result(LIMIT))
            self.assertEqual(future.name, 'job')

            class Job(Concur.Job):
                def do_run(self):
                    self.return_value(7)
                    return True
            self.assertEqual(limiter.submit_job(Job(), pool).result(LIMIT), 7)

            cancellable = Gio.Cancellable()
            limiter.acquire_wait()
            waiting = limiter.options(pool, cancellable=cancellable).submit(int)
            cancellable.cancel()
            with self.assertRaises(Concur.CancelledError):
                waiting.result(LIMIT)
            limiter.release()

    def test_errors_return_permits(self):
        limiter = Concur.Limiter(1)

        def fail():
            raise Failure
        for _ in range(3):
            with self.assertRaises(Failure):
                limiter.submit(fail).result(LIMIT)
            with self.assertRaises(Failure), limiter:
                raise Failure
        wait_until(lambda: limiter.available == 1)


def fast(**settings):
    return Concur.Retry(**{'first_delay': 0, 'jitter': 0, **settings})


class TestRetry(Case):
    def test_until_it_works(self):
        for name, run, sleep in LOOPS:
            async def attempt(number):
                await sleep(0)
                if number < 3:
                    raise Failure(number)
                return number

            async def main():
                return await fast(max_attempts=5).run(attempt)
            with self.subTest(name):
                self.assertEqual(run(main()), 3)

    def test_last_error(self):
        errors = []

        def attempt(number):
            errors.append(Failure(number))
            raise errors[-1]

        async def main():
            await fast(max_attempts=3).run(attempt)
        for name, run, sleep in LOOPS:
            errors.clear()
            with self.subTest(name):
                with self.assertRaises(Failure) as caught:
                    run(main())
                self.assertEqual(len(errors), 3)
                self.assertIs(caught.exception, errors[2])

    def test_answers(self):
        async def main():
            return [await fast().run(lambda attempt: attempt),
                    await fast().run(lambda attempt: Concur.Future.resolved('f'))]
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), [1, 'f'])

    def test_only_some_errors(self):
        async def main(retry, error):
            numbers = []

            def attempt(number):
                numbers.append(number)
                raise error
            kind = type(error)
            if kind is Concur.CancelledError:
                kind = asyncio.CancelledError
            with self.assertRaises(kind):
                await retry.run(attempt)
            return len(numbers)
        filtered = fast()
        filtered.set_filter(lambda error, attempt: attempt < 2)
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main(fast(on=Failure), Failure())), 3)
                self.assertEqual(run(main(fast(on=Failure), ValueError())), 1)
                self.assertEqual(run(main(fast(on=(Failure, ValueError)), ValueError())), 3)
                self.assertEqual(run(main(fast(on=BaseException),
                                          Concur.CancelledError())), 1)
                self.assertEqual(run(main(filtered, Failure())), 2)

    def test_cancel(self):
        for name, run, sleep in LOOPS:
            started = []

            async def attempt(number):
                started.append(number)
                await pending()

            async def main():
                cancellable = Gio.Cancellable()
                for cancel in (lambda future: future.cancel(),
                               lambda future: cancellable.cancel()):
                    started.clear()
                    future = fast().run(attempt, cancellable=cancellable)
                    while not started:
                        await sleep(0.001)
                    cancel(future)
                    try:
                        await future
                    except asyncio.CancelledError:
                        pass
                    else:
                        self.fail('not cancelled')
                    self.assertEqual(started, [1])
            with self.subTest(name):
                run(main())

    def test_delays(self):
        self.assertEqual(list(Concur.Retry(5, 1, 2, 3, 0).delays()), [1, 2, 3, 3])
        for delay in Concur.Retry(1000, 1, 1, 1, 0.5).delays():
            self.assertTrue(0.5 <= delay <= 1)
        endless = Concur.Retry(0, 1, 1, 1, 0).delays()
        self.assertEqual([next(endless) for _ in range(100)], [1] * 100)


class TestDecorator(Case):
    def test_coroutines(self):
        for name, run, sleep in LOOPS:
            calls = []

            @Concur.retry(first_delay=0)
            async def work(value, *, key):
                """Works."""
                calls.append(value)
                await sleep(0)
                if len(calls) < 3:
                    raise Failure
                return value, key

            async def main():
                return await work(1, key=2)
            with self.subTest(name):
                self.assertEqual(run(main()), (1, 2))
                self.assertEqual(work.__doc__, 'Works.')

    def test_functions(self):
        calls = []

        @Concur.retry(max_attempts=2, first_delay=0, on=Failure)
        def work(error):
            calls.append(error)
            raise error
        for error, count in ((Failure(), 2), (ValueError(), 1)):
            calls.clear()
            with self.assertRaises(type(error)) as caught:
                work(error)
            self.assertIs(caught.exception, error)
            self.assertEqual(len(calls), count)

    def test_on_a_pool(self):
        calls = []

        @Concur.threaded
        @Concur.retry(first_delay=0)
        def work():
            calls.append(threading.get_ident())
            if len(calls) < 3:
                raise Failure
            return len(calls)
        self.assertEqual(work().result(LIMIT), 3)
        self.assertNotIn(threading.get_ident(), calls)

    def test_cancelled_between_attempts(self):
        failed = threading.Event()

        @Concur.retry(max_attempts=0, first_delay=0.001, factor=1, jitter=0)
        def work():
            failed.set()
            raise Failure
        future = Concur.get_default_executor().submit(work)
        failed.wait(LIMIT)
        future.cancel()
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)

    def test_refused(self):
        @Concur.retry
        def bare():
            return 1
        self.assertEqual(bare(), 1)

        def generate():
            yield 1
        with self.assertRaises(TypeError):
            Concur.retry(generate)
        with self.assertRaises(TypeError):
            Concur.retry(5)


if __name__ == '__main__':
    unittest.main()
