# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Everything at once, by chance: pools of all kinds, loop threads that come and go, coroutines,
cancelling, combinations, callbacks, exceptions and the garbage collector. Whatever happens,
each future ends, with one of the outcomes that it may have, and nothing stays.

CONCUR_TEST_SEED repeats a run."""

import asyncio
import collections
import concurrent.futures
import contextlib
import gc
import os
import random
import threading
import unittest

from util import LIMIT, SCALE, Case, Concur, GLib, Thing, count, iterate_until

THREADS = 3
STEPS = 120


class Wrong(Exception):
    """What jobs raise."""


def add(first, second):
    return first + second


def fail(first, second):
    raise Wrong(first, second)


def say(first, second):
    for index in range(5):
        Concur.report(index / 5, f'{first} {index}')
        Concur.check_cancelled()
    return first + second


def litter(first, second):
    # A cycle with the thing in it, for the garbage collector.
    thing = Thing()
    thing.own = [thing, first, second]
    if first % 16 == 0:
        gc.collect()
    return first + second


def nest(first, second):
    return Concur.get_default_executor().submit(add, first, second).result()


async def tell(first, second):
    await Concur.sleep(0.0005)
    return first + second


async def fall(first, second):
    await Concur.sleep(0)
    raise Wrong(first, second)


async def ask(first, second):
    return await Concur.get_default_executor().submit(add, first, second)


async def clear_up(first, second):
    try:
        await Concur.sleep(0.05 if first % 2 else 0)
    except asyncio.CancelledError:
        await Concur.sleep(0)
        raise
    return first + second


async def gather(first, second):
    values = await Concur.gather(tell(first, 0), Concur.to_thread(add, 0, second))
    return sum(values)


class Count(Concur.Job):
    def __init__(self, first, second, wrong):
        super().__init__(name='count')
        self.pair = first, second
        self.wrong = wrong

    def do_run(self):
        if self.wrong:
            raise Wrong(*self.pair)
        self.resolve(sum(self.pair))


FUNCTIONS = [add, add, fail, say, litter, nest]
COROUTINES = [tell, fall, ask, clear_up, gather]

# No value is equal to it.
NEVER = object()


def outcome(function, first, second):
    """The value of a call, and whether it may raise Wrong."""
    return (NEVER, True) if function in (fail, fall) else (first + second, False)


class Expected:
    """A future, and what it may end with."""

    def __init__(self, future, value, error):
        self.future = future
        self.value = value
        self.error = error

    def check(self, case, where):
        if self.future.cancelled():
            return
        # Not raised: its traceback would have this frame, and with it other futures.
        error = self.future.exception()
        if isinstance(error, Wrong):
            case.assertTrue(self.error, where)
        elif error is not None:
            # Of what was shut down.
            case.assertIsInstance(error, RuntimeError, where)
            case.assertRegex(str(error), 'shut down|stopped|is stopping|is starting', where)
        else:
            case.assertEqual(self.future.result(), self.value, where)


class Actor(threading.Thread):
    """One who does something by chance, again and again."""

    def __init__(self, stage, seed):
        super().__init__(name=f'actor {seed}')
        self.stage = stage
        self.random = random.Random(seed)
        self.expected = []
        self.error = None

    def run(self):
        try:
            for _ in range(STEPS):
                self.random.choice(self.ACTIONS)(self)
        except BaseException as error:
            self.error = error

    def keep(self, future, value=None, error=False):
        future.ignore()
        self.expected.append(Expected(future, value, error))
        return future

    def pair(self):
        return self.random.randrange(1000), self.random.randrange(1000)

    def submit(self):
        first, second = self.pair()
        function = self.random.choice(FUNCTIONS)
        executor = self.random.choice(self.stage.executors)
        if executor in self.stage.loops and function is nest:
            # It would block the loop.
            function = add
        submit = executor.submit
        if self.random.random() < 0.2 and isinstance(executor, Concur.ThreadExecutor):
            submit = executor.options(priority=self.random.choice(
                [Concur.Priority.HIGH, Concur.Priority.LOW]), name='by chance').submit
        self.keep(submit(function, first, second), *outcome(function, first, second))

    def submit_coroutine(self):
        first, second = self.pair()
        function = self.random.choice(COROUTINES)
        executor = self.random.choice(self.stage.loops + [self.stage.main])
        if executor is self.stage.main and self.random.random() < 0.5:
            future = Concur.spawn(function(first, second),
                                  context=GLib.MainContext.default())
        else:
            future = executor.submit(function, first, second)
        self.keep(future, *outcome(function, first, second))

    def submit_standard(self):
        first, second = self.pair()
        function = self.random.choice(FUNCTIONS)
        with contextlib.suppress(RuntimeError):
            self.keep(self.stage.standard.submit(function, first, second), *outcome(function, first, second))

    def submit_job(self):
        first, second = self.pair()
        wrong = self.random.random() < 0.3
        self.keep(self.stage.pool.submit_job(Count(first, second, wrong)),
                  NEVER if wrong else first + second, wrong)

    def promise(self):
        promise = Concur.Promise()
        number = self.random.randrange(3)
        self.keep(promise.future, NEVER if number == 2 else number, number == 2)
        if number == 2:
            def end():
                promise.reject(Wrong())
        else:
            def end():
                promise.resolve(number)
        self.stage.pool.post(end) if self.random.random() < 0.5 else end()

    def cancel(self):
        if self.expected:
            future = self.random.choice(self.expected).future
            if isinstance(future, concurrent.futures.Future):
                future.cancel()
            else:
                future.cancel(abandon=self.random.random() < 0.3)

    def chain(self):
        if not self.expected:
            return
        source = self.random.choice(self.expected)
        executor = self.random.choice([self.stage.pool, self.stage.main])
        future = source.future.continue_with(lambda value: [value], executor=executor)
        if self.random.random() < 0.5:
            future = future.ensure(lambda: None, executor=executor)
        self.keep(future, [source.value], source.error)

    def combine(self):
        if len(self.expected) < 3:
            return
        some = self.random.sample(self.expected, 3)
        futures = [one.future for one in some]
        errors = any(one.error for one in some)
        self.keep(Concur.Future.all(futures), [one.value for one in some], errors)
        if self.random.random() < 0.5:
            settled = Concur.Future.all_settled(futures)
            self.keep(settled, futures)

    def shield(self):
        if self.expected:
            source = self.random.choice(self.expected)
            self.keep(source.future.shield(), source.value, source.error)

    def listen(self):
        if self.expected:
            future = self.random.choice(self.expected).future
            stage = self.stage
            stage.asked()
            future.add_done_callback(stage.told)
            if self.random.random() < 0.2:
                stage.asked()
                future.when_done(stage.told, context=GLib.MainContext.default())

    def wait(self):
        if self.expected:
            self.random.choice(self.expected).future.wait(0.001)

    def run_asyncio(self):
        async def main():
            first, second = self.pair()
            ends = await asyncio.gather(
                self.stage.pool.submit(add, first, second), ask(first, second),
                asyncio.wait_for(self.stage.pool.submit(fail, first, second), LIMIT),
                return_exceptions=True)
            for end in ends[:2]:
                if end != first + second:
                    raise AssertionError(f'{end!r} is not {first + second}')
            if not isinstance(ends[2], Wrong):
                raise AssertionError(f'{ends[2]!r} is not what was raised')
        asyncio.run(main())

    def map(self):
        numbers = range(self.random.randrange(20))
        values = list(self.stage.pool.map(add, numbers, numbers,
                                          chunksize=self.random.randrange(1, 4)))
        if values != [number * 2 for number in numbers]:
            raise AssertionError(f'{values} of map')

    def loop_thread(self):
        first, second = self.pair()
        with Concur.LoopThread(name='short') as thread:
            cancelled = self.keep(thread.submit(clear_up, 1, 0), 1)
            value = thread.call(tell, first, second)
            if self.random.random() < 0.5:
                cancelled.cancel()
        if value != first + second:
            raise AssertionError(f'{value} of a loop thread')

    def pool(self):
        first, second = self.pair()
        pool = Concur.ThreadExecutor(max_threads=self.random.randrange(4), name='short')
        for _ in range(4):
            self.keep(pool.submit(add, first, second), first + second)
        pool.shutdown(self.random.choice(list(MODES)))

    def restart(self):
        thread = self.stage.restarted
        if self.stage.restarting.acquire(blocking=False):
            try:
                thread.stop()
                thread.start()
            finally:
                self.stage.restarting.release()

    def collect(self):
        gc.collect()

    def forget(self):
        # Unless somebody refers to it, the future goes while its work goes on.
        if self.expected:
            self.expected.pop(self.random.randrange(len(self.expected)))

    ACTIONS = (12 * [submit] + 6 * [submit_coroutine] + 6 * [submit_standard] + 3 * [submit_job]
               + 3 * [promise] + 6 * [cancel] + 4 * [chain] + 3 * [combine] + 3 * [shield]
               + 5 * [listen] + 3 * [wait, forget] + [run_asyncio, map, loop_thread, pool]
               + [restart, collect])


MODES = (Concur.ShutdownMode.DRAIN, Concur.ShutdownMode.CANCEL_PENDING,
         Concur.ShutdownMode.CANCEL_ALL)


class Stage:
    """What the actors share."""

    def __init__(self):
        self.pool = Concur.ThreadExecutor(max_threads=2, name='two')
        self.steady = Concur.LoopThread(name='steady')
        self.restarted = Concur.LoopThread(name='restarted')
        self.restarting = threading.Lock()
        self.standard = Concur.ThreadPoolExecutor(2)
        self.main = Concur.ContextExecutor(GLib.MainContext.default())
        self.loops = [self.steady, self.restarted]
        for loop in self.loops:
            loop.start()
        self.executors = [self.pool, Concur.ThreadExecutor(max_threads=1, name='one'),
                          Concur.ThreadExecutor(max_threads=0, name='each'), *self.loops]
        self.calls = collections.deque()
        self.answers = collections.deque()

    def asked(self):
        self.calls.append(None)

    def told(self, future):
        self.answers.append(future.done())

    def close(self):
        for executor in self.executors + [self.main]:
            if isinstance(executor, Concur.LoopThread):
                executor.stop()
            else:
                done = executor.shutdown()
                iterate_until(done.done)
        self.standard.shutdown()


class TestStress(Case):
    def act(self, seed):
        stage = Stage()
        actors = [Actor(stage, f'{seed} {number}') for number in range(THREADS)]
        for actor in actors:
            actor.start()
        # The main loop belongs to this thread, and runs.
        iterate_until(lambda: not any(actor.is_alive() for actor in actors))
        for actor in actors:
            if actor.error is not None:
                raise actor.error
            for expected in actor.expected:
                expected.future.cancel()
        futures = [expected.future for actor in actors for expected in actor.expected]
        iterate_until(lambda: all(future.done() for future in futures))
        for actor in actors:
            for number, expected in enumerate(actor.expected):
                expected.check(self, f'future {number} of {actor.name}: {expected.future!r}')
            actor.expected.clear()
        iterate_until(lambda: len(stage.answers) == len(stage.calls))
        self.assertTrue(all(stage.answers))
        stage.close()

    def test_everything_at_once(self):
        seed = os.environ.get('CONCUR_TEST_SEED')
        seeds = [seed] if seed else [str(random.randrange(1 << 30)) for _ in range(max(1, 2 // SCALE))]
        for seed in seeds:
            with self.subTest(f'CONCUR_TEST_SEED={seed}'):
                before = count(Concur.Future)
                self.act(seed)
                # A coroutine that was abandoned ends in this loop, too.
                iterate_until(lambda: count(Concur.Future) <= before)


if __name__ == '__main__':
    unittest.main()
