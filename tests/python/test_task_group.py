# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""TaskGroup on threads and in scripts: members, results, errors, what is left."""

import contextvars
import threading
import unittest
import weakref

from gi.repository import Gio, GLib, GObject
from loops import as_coroutine, pending
from util import (LIMIT, Case, Concur, Gate, Thing, gone, iterate_until, run_script,
                  wait_until)

COLLECT = Concur.GroupPolicy.COLLECT


class Failure(Exception):
    pass


def fail(message='failed'):
    raise Failure(message)


class TestMembers(Case):
    def test_results_in_order(self):
        group = Concur.TaskGroup(self.pool(4))
        gate = Gate()
        promise = Concur.Promise()
        group.submit(gate, 'first')
        group.submit(pow, 2, exp=3)
        self.assertIs(group.add(promise.future), True)
        group.submit(lambda: [None])
        future = group.close()
        self.assertEqual((group.n_members, future.done()), (4, False))
        gate.wait()
        promise.resolve('third')
        gate.open()
        self.assertEqual(future.result(LIMIT), ['first', 8, 'third', [None]])
        self.assertEqual(group.n_running, 0)
        self.assertIs(group.close(), future)
        self.assertEqual(Concur.TaskGroup().close().result(LIMIT), [])

    def test_submit_is_that_of_an_executor(self):
        variable = contextvars.ContextVar('variable', default=0)
        variable.set(7)
        pool = self.pool(name='mine')
        group = Concur.TaskGroup(pool)
        self.assertIs(group.executor, pool)
        name = group.submit(lambda: threading.current_thread().name)
        context = group.submit(variable.get)
        named = group.options(priority=Concur.Priority.HIGH, name='named').submit(int)
        self.assertEqual((name.result(LIMIT)[:4], context.result(LIMIT)), ('mine', 7))
        self.assertEqual((named.name, named.priority), ('named', Concur.Priority.HIGH))

        async def coroutine():
            pass
        for wrong in (5, coroutine):
            with self.subTest(wrong), self.assertRaises(TypeError):
                group.submit(wrong)
        # They are no members.
        self.assertEqual(group.close().result(LIMIT)[1:], [7, 0])

    def test_submit_job(self):
        class Work(Concur.Job):
            def do_run(self):
                self.resolve('done')
        group = Concur.TaskGroup()
        job = Work()
        self.assertIs(group.submit_job(job), job)
        with self.assertRaises(RuntimeError):
            group.submit_job(job)
        self.assertEqual(group.close().result(LIMIT), ['done'])

    def test_on_a_loop_thread(self):
        async def work(value):
            return value, threading.current_thread()
        with Concur.LoopThread(name='net') as thread:
            group = Concur.TaskGroup(thread)
            futures = [group.submit(work, number) for number in range(3)]
            results = group.close().result(LIMIT)
            self.assertEqual(results, [future.result() for future in futures])
            self.assertEqual([number for number, where in results], [0, 1, 2])
            self.assertNotIn(threading.current_thread(), {where for number, where in results})

    def test_the_same_twice(self):
        group = Concur.TaskGroup()
        future = Concur.Future.resolved('x')
        self.assertTrue(group.add(future) and group.add(future))
        self.assertEqual(group.close().result(LIMIT), ['x', 'x'])

    def test_closed(self):
        group = Concur.TaskGroup()
        group.close()
        ran = []
        future = group.submit(ran.append, 1)
        with self.assertRaisesRegex(RuntimeError, 'takes no more'):
            future.result(LIMIT)
        other = pending()
        self.assertIs(group.add(other), False)
        self.assertFalse(other.done())
        other.cancel()

        async def never():
            ran.append(2)
        with self.assertRaisesRegex(RuntimeError, 'takes no more'):
            group.create_task(never()).result(LIMIT)
        self.assertIs(group.add(never()), False)
        self.assertEqual((ran, group.close().result(LIMIT)), ([], []))

    def test_mistakes(self):
        group = Concur.TaskGroup()
        for wrong in (5, int, None):
            with self.subTest(wrong):
                with self.assertRaises(TypeError):
                    group.add(wrong)
                with self.assertRaises(TypeError):
                    group.create_task(wrong)
                with self.assertRaises(TypeError):
                    group.when_done(wrong, int)
        with self.assertRaises(TypeError):
            group.when_done(Concur.Future.resolved(1), 5)
        with self.assertRaises(RuntimeError):
            group.__exit__(None, None, None)
        for wrong in ({'executor': 5}, {'parent': 5}, {'cancellable': 5}):
            with self.subTest(wrong), self.assertRaises(TypeError):
                Concur.TaskGroup(**wrong)

    def test_progress(self):
        promises = [Concur.Promise() for _ in range(2)]
        group = Concur.TaskGroup()
        for promise in promises:
            group.add(promise.future)
        future = group.close()
        seen = []
        future.connect('notify::progress', lambda future, spec: seen.append(future.progress))
        promises[1].resolve()
        self.assertEqual(future.progress, 0.5)
        iterate_until(lambda: seen)
        promises[0].resolve()
        future.result(LIMIT)
        self.assertEqual((seen[0], future.progress), (0.5, 1))


class TestErrors(Case):
    def test_first_error_cancels_the_others(self):
        group = Concur.TaskGroup(self.pool(2))
        other = pending()
        group.add(other)
        error = Failure()
        group.add(Concur.Future.rejected(error))
        self.assertTrue(group.is_cancelled())
        with self.assertRaises(Failure) as caught:
            group.close().result(LIMIT)
        self.assertIs(caught.exception, error)
        self.assertTrue(other.cancelled())

        ran = []
        late = group.submit(ran.append, 1)
        with self.assertRaises(RuntimeError):
            late.result(LIMIT)

    def test_later_members_are_cancelled(self):
        group = Concur.TaskGroup()
        group.add(Concur.Future.rejected(Failure()))
        ran = []

        async def work():
            ran.append(2)
        late = [group.submit(ran.append, 1), group.create_task(work()), pending()]
        self.assertTrue(group.add(late[2]))
        self.assertTrue(group.add(work()))
        self.assertEqual([future.cancelled() for future in late], [True] * 3)
        self.assertRaises(Failure, group.close().result, LIMIT)
        self.assertEqual(ran, [])

    def test_waits_for_the_real_end(self):
        gate = Gate()
        ended = []
        group = Concur.TaskGroup(self.pool(2))

        def work():
            gate()
            ended.append(1)
        group.submit(work)
        gate.wait()
        group.add(Concur.Future.rejected(Failure()))
        future = group.close()
        self.assertFalse(future.done())
        gate.open()
        self.assertRaises(Failure, future.result, LIMIT)
        self.assertEqual(ended, [1])

    def test_cancelled_member_has_not_failed(self):
        group = Concur.TaskGroup()
        member = pending()
        group.add(member)
        group.submit(int)
        member.cancel()
        self.assertEqual(group.close().result(LIMIT), [None, 0])

    def test_collect(self):
        group = Concur.TaskGroup(policy=COLLECT)
        error = Failure()
        futures = [group.submit(int, '5'), Concur.Future.rejected(error), pending()]
        for future in futures[1:]:
            group.add(future)
        futures[2].cancel()
        self.assertFalse(group.is_cancelled())
        results = group.close().result(LIMIT)
        self.assertEqual(results, futures)
        self.assertEqual(results[0].result(), 5)
        self.assertIs(results[1].exception(), error)
        self.assertTrue(results[2].cancelled())

    def test_errors_of_members_are_not_logged(self):
        output, errors = run_script('''
            def fail():
                raise ValueError
            group = Concur.TaskGroup(policy=Concur.GroupPolicy.COLLECT)
            for _ in range(3):
                group.submit(fail)
            group.close().result()
            ''')
        self.assertEqual((output, errors), ('', ''))


class TestCancel(Case):
    def test_from_all_sides(self):
        cancellable = Gio.Cancellable()
        outer = Concur.TaskGroup()
        ways = {'cancel': (Concur.TaskGroup(), Concur.TaskGroup.cancel),
                'silently': (Concur.TaskGroup(), Concur.TaskGroup.cancel_silently),
                'end': (Concur.TaskGroup(), lambda group: group.close().cancel()),
                'cancellable': (Concur.TaskGroup(cancellable=cancellable),
                                lambda group: cancellable.cancel()),
                'parent': (Concur.TaskGroup(parent=outer), lambda group: outer.cancel())}
        for name, (group, cancel) in ways.items():
            with self.subTest(name):
                gate = Gate()
                member = pending()
                group.add(member)
                running = self.pool().options().submit(gate)
                group.add(running)
                gate.wait()
                cancel(group)
                # What a cancellable tells may come from another thread.
                wait_until(member.cancelled)
                self.assertTrue(group.is_cancelled())
                self.assertTrue(group.get_cancellable().is_cancelled())
                future = group.close()
                self.assertFalse(future.done() or running.done())
                gate.open()
                self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertIs(ways['cancellable'][0].parent_cancellable, cancellable)

    def test_abandon(self):
        gate = Gate()
        pool = self.pool()
        for cancel in (lambda group: group.cancel(abandon=True),
                       lambda group: group.close().cancel(abandon=True)):
            gate = Gate()
            self.addCleanup(gate.open)
            group = Concur.TaskGroup(pool)
            member = group.submit(gate)
            gate.wait()
            self.assertTrue(cancel(group))
            self.assertTrue(member.cancelled())
            self.assertRaises(Concur.CancelledError, group.close().result, LIMIT)
            gate.open()

    def test_queued(self):
        pool = self.pool()
        gate = Gate()
        group = Concur.TaskGroup(pool)
        running, waiting = group.submit(gate, 'ran'), group.submit(int)
        gate.wait()
        self.assertTrue(group.cancel(queued=True))
        self.assertEqual((waiting.cancelled(), group.is_cancelled()), (True, False))
        later = group.submit(int)
        gate.open()
        self.assertEqual(group.close().result(LIMIT), ['ran', None, 0])
        self.assertEqual((running.result(), later.result()), ('ran', 0))
        self.assertFalse(group.cancel())

    def test_dropped(self):
        member = pending()
        group = Concur.TaskGroup()
        group.add(member)
        group = None
        self.assertRaises(Concur.CancelledError, member.result, LIMIT)
        # One that was closed goes on.
        gate = Gate()
        group = Concur.TaskGroup(self.pool())
        group.submit(gate, 'value')
        future = group.close()
        group = None
        gate.open()
        self.assertEqual(future.result(LIMIT), ['value'])

    def test_abandoned_value_goes(self):
        gate = Gate()
        pool = self.pool()
        group = Concur.TaskGroup(pool)
        things = []

        def work():
            thing = Thing()
            things.append(weakref.ref(thing))
            gate()
            return thing
        member = group.submit(work)
        gate.wait()
        group.cancel(abandon=True)
        gate.open()
        pool.submit(int).result(LIMIT)
        self.assertTrue(gone(*things))
        self.assertTrue(member.cancelled())


class TestNested(Case):
    def test_results(self):
        outer = Concur.TaskGroup()
        outer.submit(int)
        inner = Concur.TaskGroup(parent=outer)
        self.assertIs(inner.parent, outer)
        inner.submit(str, 'inner')
        outer.submit(int, 7)
        future = outer.close()
        self.assertFalse(future.done())
        self.assertEqual(inner.close().result(LIMIT), ['inner'])
        self.assertEqual(future.result(LIMIT), [0, ['inner'], 7])

    def test_error_goes_outwards(self):
        outer = Concur.TaskGroup()
        other = pending()
        outer.add(other)
        inner = Concur.TaskGroup(parent=outer)
        error = Failure()
        inner.add(Concur.Future.rejected(error))
        ends = inner.close(), outer.close()
        for future in ends:
            with self.assertRaises(Failure) as caught:
                future.result(LIMIT)
            self.assertIs(caught.exception, error)
        self.assertTrue(other.cancelled())

    def test_collected(self):
        outer = Concur.TaskGroup(policy=COLLECT)
        groups = [Concur.TaskGroup(parent=outer) for _ in range(2)]
        groups[0].add(Concur.Future.rejected(Failure()))
        ended = groups[0].close()
        # It is cancelled, as nobody closes it.
        del groups[1]
        results = outer.close().result(LIMIT)
        self.assertIs(results[0], ended)
        self.assertIsInstance(results[0].exception(LIMIT), Failure)
        self.assertTrue(results[1].cancelled())

    def test_of_one_that_was_closed(self):
        outer = Concur.TaskGroup()
        outer.close()
        inner = Concur.TaskGroup(parent=outer)
        self.assertTrue(inner.is_cancelled())
        self.assertEqual(outer.close().result(LIMIT), [])


class TestCallbacks(Case):
    def test_silently(self):
        calls = []
        for silently in False, True:
            group = Concur.TaskGroup()
            member = pending()
            group.add(member)
            group.when_done(member, lambda future, value: calls.append(value), silently)
            if silently:
                group.cancel_silently()
            else:
                group.cancel()
            after = Concur.Future.resolved(1)
            after.when_done(calls.append)
            iterate_until(lambda: after in calls)
            calls.remove(after)
        self.assertEqual(calls, [False])

    def test_silent_although_done(self):
        calls = []
        group = Concur.TaskGroup()
        group.when_done(group.submit(int), calls.append)
        group.close().result(LIMIT)
        group.cancel_silently()
        group.when_done(Concur.Future.resolved(1), calls.append)
        last = Concur.Future.resolved(2)
        last.when_done(lambda future: calls.append('last'))
        iterate_until(lambda: calls)
        self.assertEqual(calls, ['last'])

    def test_in_another_context(self):
        calls = []
        group = Concur.TaskGroup()
        context = GLib.MainContext()
        group.when_done(group.submit(int, 5), lambda future: calls.append(future.result()),
                        context=context)
        iterate_until(lambda: calls, context)
        self.assertEqual(calls, [5])

    def test_bind(self):
        for silently in False, True:
            with self.subTest(silently):
                calls = []
                thing = GObject.Object()
                group = Concur.TaskGroup()
                group.bind(thing, silently=silently)
                member = pending()
                group.add(member)
                group.when_done(member, calls.append)
                reference = weakref.ref(thing)
                thing = None
                self.assertTrue(gone(reference))
                self.assertTrue(member.cancelled())
                last = Concur.Future.resolved(2)
                last.when_done(lambda future: calls.append('last'))
                iterate_until(lambda: 'last' in calls)
                self.assertEqual(len(calls), 1 if silently else 2)


class TestWith(Case):
    def test_waits_to_the_end(self):
        ended = []
        with Concur.TaskGroup(self.pool(2)) as group:
            future = group.submit(lambda: ended.append(group.submit(ended.append, 'second')))
            ended_before = list(ended)
        self.assertEqual((len(ended), future.done()), (2, True))
        self.assertIn('second', ended)
        self.assertLessEqual(len(ended_before), 2)
        self.assertEqual(len(group.close().result()), 2)

    def test_members_add_members(self):
        def work(depth):
            if depth < 50:
                group.submit(work, depth + 1)
            return depth
        with Concur.TaskGroup(self.pool()) as group:
            group.submit(work, 0)
        self.assertEqual(group.close().result(), list(range(51)))

    def test_error_of_a_member(self):
        error = Failure()
        other = pending()
        with self.assertRaises(Failure) as caught:
            with Concur.TaskGroup() as group:
                group.add(other)
                group.add(Concur.Future.rejected(error))
                # It is cancelled by the error.
                other.result(LIMIT)
        self.assertIs(caught.exception, error)
        self.assertIsNone(error.__context__)

    def test_error_of_the_block(self):
        gate = Gate()
        running = None
        with self.assertRaises(ZeroDivisionError):
            with Concur.TaskGroup(self.pool()) as group:
                running = group.submit(self.until_cancelled, gate)
                gate.wait()
                gate.open()
                1 / 0
        self.assertEqual(running.result(0), 'asked')

    @staticmethod
    def until_cancelled(gate):
        gate()
        job = Concur.Job.get_current()
        wait_until(job.is_cancelled)
        return 'asked'

    def test_error_of_the_block_is_first(self):
        with self.assertRaises(ZeroDivisionError):
            with Concur.TaskGroup() as group:
                try:
                    group.submit(fail).wait(LIMIT)
                finally:
                    1 / 0

    def test_cancelled(self):
        with self.assertRaises(Concur.CancelledError):
            with Concur.TaskGroup() as group:
                group.add(pending())
                group.cancel()
        with self.assertRaises(Concur.CancelledError):
            with Concur.TaskGroup():
                pending_one = pending()
                pending_one.cancel()
                pending_one.result()

    def test_collect(self):
        with Concur.TaskGroup(policy=COLLECT) as group:
            futures = [group.submit(fail), group.submit(int)]
        self.assertEqual(group.close().result(), futures)
        self.assertIsInstance(futures[0].exception(), Failure)

    def test_coroutines_in_a_script(self):
        async def work(value):
            await Concur.sleep(0.001)
            return value, threading.current_thread()
        with Concur.TaskGroup() as group:
            future = group.create_task(work('x'), name='named')
        self.assertEqual(future.result(), ('x', threading.main_thread()))
        self.assertEqual(future.name, 'named')

    def test_in_a_main_loop(self):
        # Functions on threads are waited for; what needs this very loop never ends.
        def call():
            with Concur.TaskGroup() as group:
                group.submit(int)
            outcomes.append(group.close().result())
            try:
                with Concur.TaskGroup() as group:
                    group.create_task(as_coroutine(pending()))
            except RuntimeError as error:
                outcomes.append(str(error))
            self.assertTrue(group.is_cancelled())
        outcomes = []
        GLib.idle_add(call)
        iterate_until(lambda: len(outcomes) == 2)
        self.assertEqual(outcomes[0], [0])
        self.assertIn('could never end', outcomes[1])

    def test_in_a_job_that_is_cancelled(self):
        member = pending()
        begun = threading.Event()

        def work():
            with Concur.TaskGroup() as group:
                group.add(member)
                begun.set()
        job = self.pool().submit(work)
        self.assertTrue(begun.wait(LIMIT))
        job.cancel()
        self.assertRaises(Concur.CancelledError, job.result, LIMIT)
        self.assertTrue(member.cancelled())

    def test_one_thread_is_enough(self):
        pool = self.pool()

        def work():
            with Concur.TaskGroup(pool) as group:
                for number in range(5):
                    group.submit(int, number)
            return group.close().result()
        self.assertEqual(pool.submit(work).result(LIMIT), [0, 1, 2, 3, 4])

    def test_entered_twice(self):
        group = Concur.TaskGroup()
        with group:
            with self.assertRaises(RuntimeError):
                group.__enter__()
        with self.assertRaises(RuntimeError):
            group.__enter__()

    def test_ctrl_c(self):
        output, errors = run_script('''
            import os, signal, sys, threading, time
            main = threading.main_thread().ident
            ended = []
            def work():
                while not Concur.Job.get_current().is_cancelled():
                    time.sleep(0.001)
                ended.append('really')
            def press():
                # Until the end of the block stands in a wait.
                names = ()
                while not {'__exit__', 'iterate'} <= set(names):
                    time.sleep(0.001)
                    frame, names = sys._current_frames()[main], []
                    while frame is not None:
                        names.append(frame.f_code.co_name)
                        frame = frame.f_back
                time.sleep(0.05)
                os.kill(os.getpid(), signal.SIGINT)
            # What PyGObject makes of types when it first sees them must not be interrupted.
            Concur.sleep(0.06).iterate()
            threading.Thread(target=press).start()
            try:
                with Concur.TaskGroup() as group:
                    group.submit(work)
            except KeyboardInterrupt:
                print('interrupted', *ended)
            ''')
        self.assertEqual((output, errors), ('interrupted really\n', ''))


class TestLeaks(Case):
    def check(self, use):
        references = []
        with self.all_futures_go():
            for _ in range(5):
                use(references)
        self.assertTrue(gone(*references))

    def test_closed(self):
        def use(references):
            things = [Thing() for _ in range(4)]
            group = Concur.TaskGroup(policy=COLLECT)
            references += [*map(weakref.ref, things), weakref.ref(group)]
            futures = [group.submit(lambda thing: thing, thing) for thing in things[:3]]
            group.submit(fail, things[3])
            future = group.close()
            references += [weakref.ref(future), *map(weakref.ref, futures)]
            self.assertEqual(future.result(LIMIT)[:3], futures)
            # Values that refer to where they are.
            things[0].group = group
            things[1].future = future
        self.check(use)

    def test_errors_whose_traceback_has_the_group(self):
        def use(references):
            outer = Concur.TaskGroup()
            inner = Concur.TaskGroup(parent=outer)
            group = Concur.TaskGroup()
            references += map(weakref.ref, (outer, inner, group))
            try:
                with group:
                    group.submit(lambda: (group, fail()))
            except Failure as error:
                caught = error
            self.assertIsNotNone(caught.__traceback__)
            inner.submit(lambda: (outer, inner, fail()))
            ends = inner.close(), outer.close()
            for end in ends:
                try:
                    end.result(LIMIT)
                except Failure:
                    pass
        self.check(use)

    def test_not_closed(self):
        def use(references):
            things = [Thing(), Thing()]
            group = Concur.TaskGroup()
            references += [*map(weakref.ref, things), weakref.ref(group)]
            member = pending()
            member.add_done_callback(lambda future, thing=things[0]: thing)
            group.add(member)
            group.when_done(member, lambda future, thing: group, things[1])
            group.cancel_silently()
            # What was to be called goes where it would have been.
            iterate_until(lambda: not GLib.MainContext.default().pending())
        self.check(use)


if __name__ == '__main__':
    unittest.main()
