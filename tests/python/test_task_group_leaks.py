# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What TaskGroup leaves behind, and many of its errors and cancellations at a time."""

import asyncio
import unittest
import weakref

from loops import ALL_LOOPS, LoopCase, pending
from util import LIMIT, Concur, Thing, collect, count, gone


class Failure(Exception):
    pass


class TestLeaks(LoopCase):
    def test_nothing_left(self):
        for name, run, sleep in ALL_LOOPS:
            with self.subTest(name):
                references = []

                async def main():
                    things = [Thing() for _ in range(3)]
                    references.extend(map(weakref.ref, things))

                    async def work(thing):
                        await sleep(0.001)
                        if thing is things[2]:
                            raise Failure(group, thing)
                        return thing
                    for number in (2, 3):
                        try:
                            async with Concur.TaskGroup() as group:
                                references.append(weakref.ref(group))
                                futures = [group.create_task(work(thing))
                                           for thing in things[:number]]
                                futures.append(group.submit(lambda: [group]))
                                references.extend(map(weakref.ref, futures))
                                if number == 3:
                                    async with Concur.TaskGroup(parent=group) as inner:
                                        references.append(weakref.ref(inner))
                                        await sleep(3600)
                        except Failure as error:
                            things.append(error)
                collect()
                before = count(Concur.Future)
                run(main())
                self.assertTrue(gone(*references))
                self.assertLessEqual(count(Concur.Future), before)

    def test_coroutine_that_is_thrown_away(self):
        async def main():
            async with Concur.TaskGroup() as group:
                group.add(member)
                await Concur.sleep(3600)
        member = pending()
        coroutine = main()

        async def drive():
            task = asyncio.ensure_future(coroutine)
            await asyncio.sleep(0)
            return task
        loop = asyncio.new_event_loop()
        task = loop.run_until_complete(drive())
        task._log_destroy_pending = False
        loop.close()
        coroutine.close()
        self.assertRaises(Concur.CancelledError, member.result, LIMIT)


class TestStress(LoopCase):
    def test_errors_and_cancellations(self):
        async def main(sleep):
            async def work(number):
                await sleep(0.0001 * (number % 3))
                if number % 7 == 3:
                    raise Failure
                return await group.submit(pow, number, 2)
            for number in range(60):
                group = Concur.TaskGroup()
                try:
                    async with group:
                        futures = [group.create_task(work(number * index))
                                   for index in range(number % 8)]
                        if number % 3 == 0:
                            await sleep(0.0002)
                        if number % 5 == 0:
                            group.cancel()
                except (Failure, asyncio.CancelledError):
                    pass
                self.assertEqual((group.n_running, [future.done() for future in futures]),
                                 (0, [True] * len(futures)))
        self.on_all(main)


if __name__ == '__main__':
    unittest.main()
