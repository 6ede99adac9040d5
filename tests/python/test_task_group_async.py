# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

""""async with" TaskGroup: under asyncio, on the library's own loops, on plain GLib loops."""

import asyncio
import contextvars
import sys
import threading
import unittest

from gi.repository import Gio
from loops import ALL_LOOPS, LoopCase, on_asyncio, pending
from util import Concur, Gate, run_script

COLLECT = Concur.GroupPolicy.COLLECT


class Failure(Exception):
    pass


class TestBlock(LoopCase):
    def test_results(self):
        async def main(sleep):
            async def work(value):
                await sleep(0.001)
                return value
            async with Concur.TaskGroup() as group:
                futures = [group.create_task(work(1)), group.submit(int, 2), work(3)]
                self.assertTrue(group.add(futures.pop()))
                self.assertTrue(group.add(Concur.Future.resolved(4)))
                self.assertFalse(futures[0].done())
            self.assertEqual([future.result(0) for future in futures], [1, 2])
            self.assertEqual(await group.close(), [1, 2, 3, 4])
        self.on_all(main)

    def test_close_in_the_block(self):
        async def main(sleep):
            async with Concur.TaskGroup() as group:
                group.submit(int, 1)
                group.create_task(sleep_for(sleep))
                results = await group.close()
            self.assertEqual(results, [1, 'slept'])

        async def sleep_for(sleep):
            await sleep(0.001)
            return 'slept'
        self.on_all(main)

    def test_members_add_members(self):
        async def main(sleep):
            async def work(depth):
                await sleep(0)
                if depth < 20:
                    group.create_task(work(depth + 1))
                    group.submit(lambda: group.submit(seen.append, depth))
            seen = []
            async with Concur.TaskGroup() as group:
                group.create_task(work(0))
            self.assertEqual(sorted(seen), list(range(20)))
            self.assertEqual((group.n_members, group.n_running), (61, 0))
        self.on_all(main)

    def test_nobody_is_there(self):
        async def main(sleep):
            async with Concur.TaskGroup() as group:
                pass
            self.assertEqual(await group.close(), [])
        self.on_all(main)

    def test_where_coroutines_run(self):
        async def main(sleep):
            async def where():
                await sleep(0)
                return threading.current_thread()

            async with Concur.TaskGroup() as group:
                group.create_task(where())
                # From a worker, too.
                inner = await group.submit(lambda: group.create_task(where()))
            self.assertEqual(await inner, threading.current_thread())
        self.on_all(main)

    def test_made_elsewhere_entered_here(self):
        group = Concur.TaskGroup()

        async def main():
            async with group:
                group.create_task(asyncio.sleep(0))
            return await group.close()
        self.assertEqual(on_asyncio(main()), [None])

    def test_context_and_name(self):
        variable = contextvars.ContextVar('variable', default=0)

        async def main(sleep):
            async def read():
                return variable.get()
            context = contextvars.copy_context()
            context.run(variable.set, 2)
            variable.set(1)
            async with Concur.TaskGroup() as group:
                futures = [group.create_task(read(), name='named'),
                           group.create_task(read(), context=context)]
            self.assertEqual([future.result() for future in futures], [1, 2])
            self.assertEqual(futures[0].name, 'named')
        self.on_all(main)

    def test_tasks_of_asyncio(self):
        async def main():
            task = asyncio.ensure_future(asyncio.sleep(0.001, 'task'))
            async with Concur.TaskGroup() as group:
                self.assertTrue(group.add(task))
            self.assertEqual(await group.close(), ['task'])
            task = asyncio.ensure_future(asyncio.sleep(3600))
            with self.assertRaises(Failure):
                async with Concur.TaskGroup() as group:
                    group.add(task)
                    await asyncio.sleep(0.01)
                    raise Failure
            self.assertTrue(task.cancelled())
        on_asyncio(main())

    def test_used_twice(self):
        async def main(sleep):
            group = Concur.TaskGroup()
            async with group:
                with self.assertRaises(RuntimeError):
                    await group.__aenter__()
            with self.assertRaises(RuntimeError):
                await group.__aenter__()
            with self.assertRaises(RuntimeError):
                await group.__aexit__(None, None, None)
        self.on_all(main)

    def test_with_is_refused_on_a_loop(self):
        async def main():
            with self.assertRaisesRegex(RuntimeError, 'async with'):
                with Concur.TaskGroup():
                    pass
        on_asyncio(main())


class TestErrors(LoopCase):
    def test_member_cancels_the_rest_and_the_block(self):
        async def main(sleep):
            cleared = []
            begun = Concur.Promise()
            error = Failure()

            async def wait():
                try:
                    begun.resolve()
                    await sleep(3600)
                finally:
                    await sleep(0.001)
                    cleared.append('member')

            async def fail():
                await begun.future
                raise error
            try:
                async with Concur.TaskGroup() as group:
                    futures = [group.create_task(wait()), group.create_task(fail())]
                    try:
                        await sleep(3600)
                    finally:
                        cleared.append('block')
            except Failure as caught:
                self.assertIs(caught, error)
                self.assertIsNone(error.__context__)
            else:
                self.fail('nothing was raised')
            self.assertEqual(sorted(cleared), ['block', 'member'])
            self.assertEqual([future.cancelled() for future in futures], [True, False])
        self.on_all(main)

    def test_while_the_block_waits(self):
        async def main(sleep):
            async def fail():
                await sleep(0.001)
                raise Failure
            member = pending()
            with self.assertRaises(Failure):
                async with Concur.TaskGroup() as group:
                    group.add(member)
                    group.create_task(fail())
            self.assertTrue(member.cancelled())
        self.on_all(main)

    def test_block_that_does_not_mind(self):
        async def main(sleep):
            async def fail():
                raise Failure
            with self.assertRaises(Failure):
                async with Concur.TaskGroup() as group:
                    group.create_task(fail())
                    try:
                        await sleep(3600)
                    except asyncio.CancelledError:
                        pass
                    # It is cancelled once.
                    await sleep(0.001)
        self.on_all(main)

    def test_block_that_is_over_before(self):
        # The interruption must not come later.
        async def main(sleep):
            gate = Gate()
            for _ in range(20):
                with self.assertRaises(Failure):
                    async with Concur.TaskGroup() as group:
                        group.add(Concur.Future.rejected(Failure()))
                await sleep(0)
            gate.open()
        self.on_all(main)

    def test_on_a_thread(self):
        async def main(sleep):
            def fail():
                gate()
                raise Failure
            gate = Gate()
            with self.assertRaises(Failure):
                async with Concur.TaskGroup(self.pool()) as group:
                    group.submit(fail)
                    gate.wait()
                    gate.open()
                    await sleep(3600)
        self.on_all(main)

    def test_several(self):
        async def main(sleep):
            begun = [Concur.Promise() for _ in range(3)]

            async def fail(number):
                try:
                    begun[number].resolve()
                    if number == 0:
                        await Concur.Future.all(promise.future for promise in begun)
                    else:
                        await sleep(3600)
                finally:
                    raise Failure(number)
            with self.assertRaises(Failure) as caught:
                async with Concur.TaskGroup() as group:
                    futures = [group.create_task(fail(number)) for number in range(3)]
            # The first is that of the group, each has its own.
            self.assertEqual(caught.exception.args, (0,))
            self.assertEqual([future.exception().args for future in futures],
                             [(0,), (1,), (2,)])
        self.on_all(main)

    @unittest.skipIf(sys.version_info < (3, 11), 'there is no except* in this Python')
    def test_except_star(self):
        program = '''
async def main():
    async def fail():
        raise ValueError('mine')
    try:
        async with Concur.TaskGroup() as group:
            group.create_task(fail())
    except* ValueError as errors:
        print(errors.exceptions)
Concur.run(main())
'''
        self.assertEqual(run_script(program), ("(ValueError('mine'),)\n", ''))

    def test_error_of_the_block(self):
        async def main(sleep):
            cleared = []
            begun = Concur.Promise()

            async def wait():
                try:
                    begun.resolve()
                    await sleep(3600)
                finally:
                    await sleep(0.001)
                    cleared.append(1)
            with self.assertRaises(ZeroDivisionError):
                async with Concur.TaskGroup() as group:
                    group.create_task(wait())
                    await begun.future
                    1 / 0
            self.assertEqual(cleared, [1])
        self.on_all(main)

    def test_errors_of_the_block_and_of_a_member(self):
        async def main(sleep):
            begun = Concur.Promise()

            async def wait():
                try:
                    begun.resolve()
                    await sleep(3600)
                finally:
                    raise Failure
            with self.assertRaises(ZeroDivisionError):
                async with Concur.TaskGroup() as group:
                    member = group.create_task(wait())
                    await begun.future
                    1 / 0
            self.assertIsInstance(member.exception(), Failure)
        self.on_all(main)

    def test_collect(self):
        async def main(sleep):
            async def work(number):
                await sleep(0.001)
                return 1 / number
            async with Concur.TaskGroup(policy=COLLECT) as group:
                futures = [group.create_task(work(number)) for number in (0, 1)]
                await sleep(0.01)
            self.assertIsInstance(futures[0].exception(), ZeroDivisionError)
            self.assertEqual(futures[1].result(), 1)
            self.assertEqual(await group.close(), futures)
        self.on_all(main)

    def test_cancelled_member_has_not_failed(self):
        async def main(sleep):
            async with Concur.TaskGroup() as group:
                member = group.create_task(sleep_on(sleep))
                other = group.submit(int)
                member.cancel()
            self.assertEqual((member.cancelled(), other.result()), (True, 0))
            self.assertEqual(await group.close(), [None, 0])

        async def sleep_on(sleep):
            await sleep(3600)
        self.on_all(main)

    def test_cancelled_member_that_the_block_awaits(self):
        async def main(sleep):
            with self.assertRaises(asyncio.CancelledError):
                async with Concur.TaskGroup() as group:
                    member, other = pending(), pending()
                    group.add(member)
                    group.add(other)
                    member.cancel()
                    await member
            self.assertTrue(other.cancelled())
        self.on_all(main)

    def test_system_exit(self):
        async def exit_now():
            raise SystemExit(3)

        async def main(sleep):
            with self.assertRaises(SystemExit):
                async with Concur.TaskGroup() as group:
                    group.create_task(exit_now())
                    await sleep(3600)
        self.on_all(main)


class TestCancel(LoopCase):
    def test_task_is_cancelled(self):
        for name, run, sleep in ALL_LOOPS:
            for in_block in True, False:
                with self.subTest(name, in_block=in_block):
                    cleared = []

                    async def wait(begun):
                        try:
                            begun.resolve()
                            await sleep(3600)
                        finally:
                            await sleep(0.001)
                            cleared.append(1)

                    async def work(begun):
                        async with Concur.TaskGroup() as group:
                            group.create_task(wait(begun))
                            group.add(other)
                            if in_block:
                                await sleep(3600)

                    async def main():
                        begun = Concur.Promise()
                        future = Concur.race(work(begun))
                        await begun.future
                        await sleep(0)
                        future.cancel()
                        with self.assertRaises(asyncio.CancelledError):
                            await future
                        while not (cleared and other.done()):
                            await sleep(0.001)
                    other = pending()
                    run(main())
                    self.assertEqual((cleared, other.cancelled()), ([1], True))

    def test_in_the_clean_up_of_a_cancelled_one(self):
        for name, run, sleep in ALL_LOOPS:
            async def work(begun):
                try:
                    begun.resolve()
                    await sleep(3600)
                finally:
                    async with Concur.TaskGroup() as group:
                        group.submit(int)
                        await sleep(0.001)
                    done.append(await group.close())

            async def main():
                begun = Concur.Promise()
                future = Concur.race(work(begun))
                await begun.future
                await sleep(0)
                future.cancel()
                while not done:
                    await sleep(0.001)
            done = []
            with self.subTest(name):
                run(main())
                self.assertEqual(done, [[0]])

    def test_cancellation_wins(self):
        # A member that fails because of it changes nothing.
        async def main():
            async def fail():
                try:
                    await asyncio.sleep(3600)
                finally:
                    raise Failure

            async def work():
                async with Concur.TaskGroup() as group:
                    members.append(group.create_task(fail()))
                    await asyncio.sleep(3600)
            members = []
            task = asyncio.ensure_future(work())
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task])
            self.assertTrue(task.cancelled())
            self.assertIsInstance(members[0].exception(), Failure)
        on_asyncio(main())

    def test_cancelled_while_it_clears_up(self):
        # The group has failed, and then the task is cancelled: that is not lost.
        async def main():
            async def linger():
                try:
                    await asyncio.sleep(3600)
                finally:
                    lingers.set()
                    await go_on.wait()

            async def work():
                async with Concur.TaskGroup() as group:
                    group.create_task(linger())
                    await asyncio.sleep(0.01)
                    group.add(Concur.Future.rejected(Failure()))
                    await asyncio.sleep(3600)
            lingers, go_on = asyncio.Event(), asyncio.Event()
            task = asyncio.ensure_future(work())
            await lingers.wait()
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            self.assertFalse(task.done())
            go_on.set()
            await asyncio.wait([task])
            self.assertTrue(task.cancelled())
        on_asyncio(main())

    def test_time_limit_around_it(self):
        async def main():
            member = pending()
            with self.assertRaises(asyncio.TimeoutError):
                async with asyncio.timeout(0.01):
                    async with Concur.TaskGroup() as group:
                        group.add(member)
            self.assertTrue(member.cancelled())
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(enter(), 0.01)

        async def enter():
            async with Concur.TaskGroup() as group:
                group.add(pending())
        if not hasattr(asyncio, 'timeout'):
            self.skipTest('there is no asyncio.timeout () in this Python')
        on_asyncio(main())

    def test_from_all_sides(self):
        async def main(sleep):
            cancellable = Gio.Cancellable()
            outer = Concur.TaskGroup()
            cases = ((Concur.TaskGroup(), Concur.TaskGroup.cancel),
                     (Concur.TaskGroup(), Concur.TaskGroup.cancel_silently),
                     (Concur.TaskGroup(cancellable=cancellable),
                      lambda group: cancellable.cancel()),
                     (Concur.TaskGroup(parent=outer), lambda group: outer.cancel()),
                     (Concur.TaskGroup(), lambda group: group.submit(group.cancel)))
            for group, cancel in cases:
                member = pending()
                interrupted = False
                with self.assertRaises(asyncio.CancelledError):
                    async with group:
                        group.add(member)
                        cancel(group)
                        try:
                            await sleep(3600)
                        except asyncio.CancelledError:
                            interrupted = True
                            raise
                self.assertTrue(interrupted and member.cancelled())
                await sleep(0)
        self.on_all(main)

    def test_cancelled_before_it_is_entered(self):
        async def main(sleep):
            group = Concur.TaskGroup()
            group.cancel()
            interrupted = False
            with self.assertRaises(asyncio.CancelledError):
                async with group:
                    try:
                        await sleep(3600)
                    except asyncio.CancelledError:
                        interrupted = True
                        raise
            self.assertTrue(interrupted)
        self.on_all(main)

    def test_collect_is_cancelled(self):
        async def main(sleep):
            with self.assertRaises(asyncio.CancelledError):
                async with Concur.TaskGroup(policy=COLLECT) as group:
                    group.cancel()
                    await sleep(3600)
        self.on_all(main)


class TestNested(LoopCase):
    def test_error_of_the_inner_one(self):
        async def main(sleep):
            error = Failure()
            other = pending()
            with self.assertRaises(Failure) as caught:
                async with Concur.TaskGroup() as outer:
                    outer.add(other)
                    async with Concur.TaskGroup(parent=outer) as inner:
                        inner.add(Concur.Future.rejected(error))
                        await sleep(3600)
            self.assertIs(caught.exception, error)
            self.assertTrue(other.cancelled())
        self.on_all(main)

    def test_error_of_the_outer_one(self):
        async def main(sleep):
            error = Failure()
            for parent in True, False:
                member = pending()

                async def fail():
                    await sleep(0.001)
                    raise error
                with self.assertRaises(Failure) as caught:
                    async with Concur.TaskGroup() as outer:
                        outer.create_task(fail())
                        async with Concur.TaskGroup(parent=outer if parent else None) as inner:
                            inner.add(member)
                self.assertIs(caught.exception, error)
                self.assertTrue(member.cancelled())
        self.on_all(main)

    def test_many_rounds(self):
        # Whichever of the two is told first.
        async def main(sleep):
            for number in range(50):
                with self.assertRaises(Failure):
                    async with Concur.TaskGroup() as outer:
                        outer.submit(self.fail_soon)
                        async with Concur.TaskGroup(parent=outer) as inner:
                            for _ in range(number % 5):
                                inner.add(pending())
                            if number % 2:
                                await sleep(3600)
        self.on_all(main)

    @staticmethod
    def fail_soon():
        raise Failure


if __name__ == '__main__':
    unittest.main()
