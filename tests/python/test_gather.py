# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""gather (), race () and timeout ()."""

import asyncio
import unittest
import warnings

from loops import LOOPS, as_coroutine, on_asyncio, pending, where
from util import LIMIT, Case, Concur, collect


class TestGather(Case):
    def test_values_in_order(self):
        for name, run, sleep in LOOPS:
            async def give(value, seconds):
                await sleep(seconds)
                return value

            async def main():
                return await Concur.gather(give(1, 0.02), where(2), give(3, 0),
                                           Concur.Future.resolved('f'))
            with self.subTest(name):
                first, second, third, fourth = run(main())
                self.assertEqual((first, second[1], third, fourth), (1, 2, 3, 'f'))

    def test_no_loop_and_nothing(self):
        self.assertEqual(Concur.gather().result(LIMIT), [])
        self.assertEqual(Concur.gather(where(1), where(2)).result(LIMIT)[1][1], 2)

    def test_foreign_awaitables(self):
        class Odd:
            def __await__(self):
                return (yield from asyncio.sleep(0, 'odd').__await__())

        async def main():
            future = asyncio.get_running_loop().create_future()
            gathered = Concur.gather(future, Odd())
            future.set_result('asyncio')
            return await gathered
        self.assertEqual(on_asyncio(main()), ['asyncio', 'odd'])

    def test_duplicates_run_once(self):
        ran = []

        async def once():
            ran.append(True)
            return len(ran)

        async def main():
            coroutine = once()
            return await Concur.gather(coroutine, coroutine)
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                ran.clear()
                self.assertEqual(run(main()), [1, 1])

    def test_first_error_while_others_run_on(self):
        for name, run, sleep in LOOPS:
            async def main():
                error = LookupError('first')
                gate = Concur.Promise()
                log = []

                async def fail():
                    raise error

                async def slow():
                    await gate.future
                    log.append('ran on')
                slow_future = Concur.gather(slow())
                with self.assertRaises(LookupError) as caught:
                    await Concur.gather(slow_future, fail())
                self.assertIs(caught.exception, error)
                self.assertEqual(log, [])
                gate.resolve()
                await slow_future
                self.assertEqual(log, ['ran on'])
            with self.subTest(name):
                run(main())

    def test_return_exceptions(self):
        for name, run, sleep in LOOPS:
            async def fail(error):
                raise error

            async def main():
                error = LookupError('x')
                cancelled = pending()
                cancelled.cancel()
                out = await Concur.gather(where(1), fail(error), cancelled,
                                          return_exceptions=True)
                self.assertEqual(out[0][1], 1)
                self.assertIs(out[1], error)
                self.assertIsInstance(out[2], asyncio.CancelledError)
            with self.subTest(name):
                run(main())

    def test_cancel_cancels_all(self):
        for name, run, sleep in LOOPS:
            async def main():
                log, begun = [], [Concur.Promise(), Concur.Promise()]

                async def for_ever(i):
                    begun[i].resolve()
                    try:
                        await pending()
                    finally:
                        log.append(i)
                gathered = Concur.gather(for_ever(0), for_ever(1))
                for promise in begun:
                    await promise.future
                gathered.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await gathered
                while len(log) < 2:
                    await sleep(0.001)
            with self.subTest(name):
                run(main())

    def test_cancelled_before_they_begin(self):
        for name, run, sleep in LOOPS:
            async def main():
                gathered = Concur.gather(as_coroutine(pending()))
                gathered.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await gathered
                gathered = None
                await sleep(0.001)
                collect()
            with self.subTest(name), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter('always')
                run(main())
                # That of a coroutine which was never awaited.
                self.assertEqual(caught, [])

    def test_refuses_what_cannot_be_awaited(self):
        async def main():
            coroutine = as_coroutine(None)
            with self.assertRaisesRegex(TypeError, 'awaitable'):
                Concur.gather(coroutine, 3)
            self.assertIsNone(coroutine.cr_frame)
        on_asyncio(main())

    def test_other_threads_can_wait(self):
        async def main():
            gathered = Concur.gather(asyncio.sleep(0, 'a'), asyncio.sleep(0, 'b'))
            return await Concur.to_thread(gathered.result, LIMIT)
        self.assertEqual(on_asyncio(main()), ['a', 'b'])


class TestRace(Case):
    def test_first_wins_and_others_are_cancelled(self):
        for name, run, sleep in LOOPS:
            async def main():
                log = []

                async def for_ever():
                    try:
                        await pending()
                    except asyncio.CancelledError:
                        log.append('cancelled')
                        raise

                async def quick():
                    await sleep(0.001)
                    return 'quick'
                self.assertEqual(await Concur.race(for_ever(), quick()), 'quick')
                while not log:
                    await sleep(0.001)
            with self.subTest(name):
                run(main())

    def test_error_wins_too(self):
        async def fail():
            raise LookupError('x')

        async def main():
            with self.assertRaises(LookupError):
                await Concur.race(pending(), fail())
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                run(main())

    def test_sparing_the_rest(self):
        other = pending()
        self.assertEqual(Concur.race(Concur.Future.resolved(1), other,
                                     cancel_rest=False).result(LIMIT), 1)
        self.assertFalse(other.done())

    def test_nobody(self):
        with self.assertRaises(ValueError):
            Concur.race()


class TestTimeout(Case):
    def test_in_time(self):
        for name, run, sleep in LOOPS:
            for seconds in (LIMIT, None):
                @Concur.timeout(seconds)
                async def quick(value):
                    """Quick."""
                    await sleep(0.001)
                    return value
                with self.subTest(name, seconds=seconds):
                    self.assertEqual(run(quick(3)), 3)
                    self.assertEqual((quick.__name__, quick.__doc__), ('quick', 'Quick.'))

    def test_too_late(self):
        for name, run, sleep in LOOPS:
            begun = []
            cleared_up = []

            @Concur.timeout(0.1)
            async def slow():
                begun.append(True)
                try:
                    await sleep(LIMIT)
                except asyncio.CancelledError:
                    await sleep(0.001)
                    cleared_up.append(True)
                    raise

            async def main():
                for kind in (TimeoutError if TimeoutError is asyncio.TimeoutError
                             else asyncio.TimeoutError, TimeoutError):
                    with self.assertRaisesRegex(kind, 'slow took longer than 0.1 s'):
                        await slow()
            with self.subTest(name):
                run(main())
                # On a machine that stands still it may be too late before it begins.
                self.assertEqual(cleared_up, begun)

    def test_no_time_at_all(self):
        for name, run, sleep in LOOPS:
            for seconds in (0, -1):
                @Concur.timeout(seconds)
                async def never():
                    await sleep(LIMIT)

                async def main():
                    with self.assertRaises(TimeoutError):
                        await never()
                with self.subTest(name, seconds=seconds):
                    run(main())

    def test_own_errors_pass(self):
        for name, run, sleep in LOOPS:
            @Concur.timeout(LIMIT)
            async def fail(error):
                await sleep(0)
                raise error

            async def main():
                for error in (LookupError('x'), asyncio.TimeoutError('own')):
                    with self.assertRaises(type(error)) as caught:
                        await fail(error)
                    self.assertIs(caught.exception, error)
            with self.subTest(name):
                run(main())

    def test_cancelled_from_outside(self):
        for name, run, sleep in LOOPS:
            log = []

            async def main():
                begun = Concur.Promise()

                @Concur.timeout(LIMIT)
                async def slow():
                    begun.resolve()
                    try:
                        await pending()
                    except asyncio.CancelledError:
                        await sleep(0.001)
                        log.append('cleared up')
                        raise
                start = asyncio.ensure_future if name == 'asyncio' else Concur.spawn
                outer = start(slow())
                await begun.future
                outer.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await outer
                self.assertEqual(log, ['cleared up'])
            with self.subTest(name):
                run(main())

    def test_refuses_others(self):
        def function():
            pass

        async def generator():
            yield
        for what in (function, generator, 3):
            with self.assertRaisesRegex(TypeError, 'not a coroutine function'):
                Concur.timeout(1)(what)

        async def coroutine():
            pass
        with self.assertRaisesRegex(TypeError, 'use it as'):
            Concur.timeout(coroutine)


if __name__ == '__main__':
    unittest.main()
