# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Nothing stays behind: live objects after many jobs of each outcome, and the memory."""

import asyncio
import os
import unittest

from util import LIMIT, SCALE, Case, Thing, collect, count, iterate_until, wait_until

from gi.repository import Concur

NUMBER = 20000 // SCALE
ROUND = 500

# What PyGObject before 3.44 keeps of each function that is given to C, at most.
CLOSURE = 400


def resident():
    collect()
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


class Error(Exception):
    pass


class TestLeaks(Case):
    def check(self, once, number=NUMBER, closures=0):
        """Calls once (n), for n jobs, until there were number of them."""
        once(ROUND)
        once(ROUND)
        kinds = (Concur.Future, Concur.Promise, Thing, Error)
        iterate_until(lambda: True)
        before, memory = count(*kinds), resident()
        for _ in range(number // ROUND):
            once(ROUND)
        wait_until(lambda: count(*kinds) <= before)
        growth = resident() - memory
        # Sanitizers keep what was freed.
        if 'LD_PRELOAD' not in os.environ:
            # Two megabytes for what the allocators keep for themselves.
            self.assertLess(growth, (2 << 20) + number * closures * CLOSURE)

    def test_resolved(self):
        for release in (Concur.ReleasePolicy.HOME, Concur.ReleasePolicy.WORKER):
            pool = self.pool(2, release=release)

            def once(number):
                futures = [pool.submit(Thing) for _ in range(number)]
                for future in futures:
                    self.assertIsInstance(future.result(LIMIT), Thing)
            self.check(once)

    def test_arguments(self):
        pool = self.pool(2)

        def once(number):
            for future in [pool.submit(lambda *args, **kwargs: None, Thing(), key=Thing())
                           for _ in range(number)]:
                future.result(LIMIT)
        self.check(once)

    def test_rejected(self):
        pool = self.pool(2)

        def fail(thing):
            raise Error

        def once(number):
            # The garbage collector does its own work: each has a cycle by its traceback.
            for future in [pool.submit(fail, Thing()) for _ in range(number)]:
                try:
                    future.result(LIMIT)
                except Error:
                    pass
        self.check(once)

    def test_cancelled_in_the_queue(self):
        pool = self.pool()

        def once(number):
            gate = self.busy(pool)
            futures = [pool.submit(lambda thing: None, Thing()) for _ in range(number)]
            for future in futures:
                future.cancel()
            gate.open()
            for future in futures:
                self.assertTrue(future.cancelled())
        self.check(once)

    def test_abandoned(self):
        pool = self.pool(2)

        def once(number):
            for _ in range(number):
                future = pool.submit(Thing)
                future.cancel(abandon=True)
                future.wait(LIMIT)
            pool.submit(int).result(LIMIT)
        self.check(once)

    def test_refused(self):
        pool = Concur.ThreadExecutor(max_threads=1)
        pool.shutdown().wait(LIMIT)

        def once(number):
            for _ in range(number):
                with self.assertRaises(RuntimeError):
                    pool.submit(lambda thing: None, Thing()).result(LIMIT)
        self.check(once)

    def test_callbacks_of_jobs(self):
        # These go without closures.
        pool = self.pool(2)
        seen = []

        def once(number):
            del seen[:]
            for future in [pool.submit(Thing) for _ in range(number)]:
                future.add_done_callback(lambda future: seen.append(1))
                future.wait(LIMIT)
                future = None
            wait_until(lambda: len(seen) == number)
        self.check(once)

    def test_promises(self):
        def once(number):
            for _ in range(number):
                promise = Concur.Promise()
                promise.resolve(Thing())
                promise.future.result()
                promise = Concur.Promise()
                promise.reject(Error())
                promise.future.exception()
        self.check(once)

    def test_derived(self):
        pool = self.pool(2)

        def once(number):
            for _ in range(number // 4):
                future = pool.submit(Thing)
                Concur.Future.all(future, future.view()).result(LIMIT)
                Concur.Future.race(future.shield()).result(LIMIT)
        self.check(once)

    def test_continuations(self):
        pool = self.pool(2)

        def once(number):
            for _ in range(number // 2):
                pool.submit(Thing).continue_with(lambda value: Thing(),
                                                 executor=pool).result(LIMIT)
        self.check(once, closures=1)

    def test_awaited(self):
        pool = self.pool(2)

        async def main(number):
            for _ in range(number):
                await pool.submit(Thing)

        def once(number):
            asyncio.run(main(number))
        self.check(once)

    def test_spawned(self):
        pool = self.pool(2)

        async def work():
            await pool.submit(Thing)
            return Thing()

        def once(number):
            futures = [Concur.spawn(work()) for _ in range(number // 4)]
            everything = Concur.Future.all(futures)
            iterate_until(everything.done)
            everything.result()
        self.check(once, number=NUMBER // 2)

    def test_pools(self):
        def once(number):
            for _ in range(number // 50):
                with Concur.ThreadExecutor(max_threads=2) as pool:
                    pool.submit(Thing).result(LIMIT)
        before = count(Concur.ThreadExecutor)
        self.check(once, number=NUMBER // 2)
        wait_until(lambda: count(Concur.ThreadExecutor) <= before)


if __name__ == '__main__':
    unittest.main()
