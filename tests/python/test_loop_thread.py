# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.LoopThread: what it runs, and where."""

import asyncio
import contextvars
import functools
import gc
import inspect
import os
import signal
import threading
import traceback
import unittest
import warnings

from loop_thread_util import LoopThreadCase, Manager
from util import LIMIT, Concur, Gate, GLib, wait_until

from gi.repository import Gio

variable = contextvars.ContextVar('variable', default='unset')

RUNNING = Concur.LoopState.RUNNING
STOPPED = Concur.LoopState.STOPPED


class TestSubmit(LoopThreadCase):
    def test_function(self):
        thread = self.loop_thread()
        ident = thread.submit(threading.get_ident).result(LIMIT)
        self.assertNotEqual(ident, threading.get_ident())
        self.assertEqual(thread.submit(pow, 2, 10).result(LIMIT), 1024)
        self.assertEqual(thread.submit(int, 'ff', base=16).result(LIMIT), 255)
        self.assertTrue(thread.submit(thread.is_current).result(LIMIT))

    def test_coroutine_function(self):
        async def add(a, *, b):
            await asyncio.sleep(0.001)
            return a + b, asyncio.get_running_loop()

        thread = self.loop_thread()
        self.assertEqual(thread.submit(add, 1, b=2).result(LIMIT), (3, thread.loop))

    def test_coroutine(self):
        async def get(value):
            return value

        thread = self.loop_thread()
        value = object()
        self.assertIs(thread.submit(get(value)).result(LIMIT), value)
        coroutine = get(1)
        with self.assertRaisesRegex(TypeError, 'has its arguments already'):
            thread.submit(coroutine, 2)
        coroutine.close()

    def test_asynchronous_object(self):
        class Caller:
            async def __call__(self, value):
                return value

        self.assertEqual(self.loop_thread().submit(Caller(), 3).result(LIMIT), 3)

    def test_awaitable(self):
        # As decorated coroutine functions and clients of aiohttp's kind return.
        class Answer:
            def __init__(self, value):
                self._value = value

            def __await__(self):
                yield from asyncio.sleep(0.001).__await__()
                return self._value

        async def get(value):
            await asyncio.sleep(0)
            return value

        def run(function):
            self.assertTrue(thread.is_current())
            return function()

        thread = self.loop_thread()
        pool = self.pool()
        for function in (lambda: get(5), lambda: Answer(5), lambda: asyncio.ensure_future(get(5)),
                         lambda: pool.submit(int, 5), lambda: thread.submit(get, 5)):
            self.assertEqual(thread.submit(run, function).result(LIMIT), 5)
            self.assertEqual(thread.call(run, function, timeout=LIMIT), 5)
        self.assertEqual(thread.submit(lambda: asyncio.gather(get(1), get(2))).result(LIMIT),
                         [1, 2])

        future, steps = self.waiting(thread, wrap=lambda coroutine: (lambda: coroutine()))
        running = thread.call(asyncio.all_tasks)
        future.cancel()
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(steps, ['cleared up'])
        self.assertLess(len(thread.call(asyncio.all_tasks)), len(running))

    def test_exception(self):
        error = ValueError('wrong')

        async def fail():
            await asyncio.sleep(0)
            raise error

        async def fail_at_once():
            raise error

        def make():
            raise error

        class Awaitable:
            def __await__(self):
                return fail_in_awaitable()

        def fail_in_awaitable():
            yield from asyncio.sleep(0).__await__()
            raise error

        @functools.wraps(fail)
        def decorated():
            return fail()

        @functools.wraps(fail_in_awaitable)
        def asynchronous():
            return Awaitable()

        thread = self.loop_thread()
        for function in (fail, fail_at_once, make, decorated, asynchronous):
            future = thread.submit(function)
            self.assertIs(future.exception(LIMIT), error)
            # Nothing of ours is in it.
            self.assertEqual([frame.name for frame in traceback.extract_tb(error.__traceback__)],
                             [function.__name__])
            self.assertRaises(ValueError, future.result, LIMIT)
            error.__traceback__ = None

    def test_stop_iteration(self):
        thread = self.loop_thread()
        with self.assertRaises(RuntimeError):
            thread.submit(next, iter(())).result(LIMIT)

    def test_exits(self):
        # They are for who waits, and the loop goes on.
        async def leave(error):
            raise error

        thread = self.loop_thread()
        for error in (SystemExit, KeyboardInterrupt):
            with self.assertRaises(error):
                thread.submit(leave, error()).result(LIMIT)
            self.assertEqual(thread.submit(int, '1').result(LIMIT), 1)

    def test_await(self):
        async def outer():
            return await thread.submit(inner) + await other.submit(inner)

        async def inner():
            await asyncio.sleep(0.001)
            return 1

        thread, other = self.loop_thread(), self.loop_thread()
        self.assertEqual(thread.submit(outer).result(LIMIT), 2)
        self.assertEqual(asyncio.run(_await(thread.submit(outer))), 2)
        self.assertEqual(Concur.run(Concur.spawn(_await(thread.submit(outer)))), 2)

    def test_context_variables(self):
        async def get():
            value = variable.get()
            variable.set('changed')
            await asyncio.sleep(0)
            return value, variable.get()

        thread = self.loop_thread()
        token = variable.set('of the caller')
        try:
            self.assertEqual(thread.submit(get).result(LIMIT), ('of the caller', 'changed'))
            self.assertEqual(thread.submit(get()).result(LIMIT), ('of the caller', 'changed'))
        finally:
            variable.reset(token)
        self.assertEqual(thread.submit(variable.get).result(LIMIT), 'unset')

    def test_report(self):
        async def work():
            Concur.report(0.5, 'half')
            await asyncio.sleep(0)
            Concur.report(0.75)

        future = self.loop_thread().submit(work)
        future.result(LIMIT)
        self.assertEqual((future.progress, future.status_text), (0.75, 'half'))

    def test_options(self):
        async def get(value):
            return value

        thread = self.loop_thread()
        future = thread.options(name='this one').submit(get, 4)
        self.assertEqual((future.name, future.result(LIMIT)), ('this one', 4))

    def test_map(self):
        async def double(number):
            await asyncio.sleep(0)
            return number * 2

        self.assertEqual(list(self.loop_thread().map(double, range(20), timeout=LIMIT)),
                         list(range(0, 40, 2)))

    def test_from_many_threads(self):
        async def get(value):
            await asyncio.sleep(0)
            return value

        thread = self.loop_thread()
        pool = self.pool(8)
        self.assertEqual(list(pool.map(lambda n: thread.submit(get, n).result(LIMIT),
                                       range(400))), list(range(400)))

    def test_glib(self):
        async def main():
            done = asyncio.get_running_loop().create_future()
            source = GLib.timeout_source_new(1)
            source.set_callback(lambda data: done.set_result(threading.get_ident()))
            # On the thread it is the default one; GIO relies on that.
            source.attach(GLib.MainContext.get_thread_default())
            return await done == threading.get_ident()

        thread = self.loop_thread()
        self.assertTrue(thread.submit(main).result(LIMIT))
        called = threading.Event()
        source = GLib.idle_source_new()
        source.set_callback(lambda data: called.set())
        source.attach(thread.context)
        self.assertTrue(called.wait(LIMIT))

    def test_sockets(self):
        async def serve(reader, writer):
            writer.write((await reader.readline()).upper())
            writer.close()

        async def start():
            return await asyncio.start_server(serve, '127.0.0.1', 0)

        async def ask(port):
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            writer.write(b'hello\n')
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return answer

        one, other = self.loop_thread(), self.loop_thread()
        server = one.call(start)
        port = server.sockets[0].getsockname()[1]
        self.assertEqual(other.call(ask, port, timeout=LIMIT), b'HELLO\n')
        one.call(server.close)


class TestCancel(LoopThreadCase):
    def test_clean_up(self):
        thread = self.loop_thread()
        future, steps = self.waiting(thread)
        self.assertTrue(future.cancel())
        with self.assertRaises(Concur.CancelledError):
            future.result(LIMIT)
        # It is not done before.
        self.assertEqual(steps, ['cleared up'])
        self.assertTrue(future.cancelled())

    def test_refused(self):
        # A running coroutine's own answer counts.
        begun = threading.Event()

        async def stubborn():
            begun.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                return 'rather not'

        future = self.loop_thread().submit(stubborn)
        begun.wait(LIMIT)
        future.cancel()
        self.assertEqual(future.result(LIMIT), 'rather not')

    def test_abandon(self):
        thread = self.loop_thread()
        future, steps = self.waiting(thread)
        future.cancel(abandon=True)
        self.assertTrue(future.cancelled())
        wait_until(lambda: steps)

    def test_itself(self):
        async def give_up():
            asyncio.current_task().cancel()
            await asyncio.sleep(0)

        async def raise_it():
            raise asyncio.CancelledError

        thread = self.loop_thread()
        for function in (give_up, raise_it):
            future = thread.submit(function)
            self.assertRaises(Concur.CancelledError, future.result, LIMIT)
            self.assertTrue(future.cancelled())

    def test_before_it_begins(self):
        async def get():
            ran.append(True)

        ran = []
        thread = self.loop_thread()
        gate = Gate()
        self.addCleanup(gate.open)
        held = thread.submit(gate)
        gate.wait()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            coroutine = get()
            futures = thread.submit(get), thread.submit(coroutine)
            for future in futures:
                future.cancel()
                self.assertTrue(future.cancelled())
            gate.open()
            held.result(LIMIT)
            thread.submit(int).result(LIMIT)
            wait_until(lambda: inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED)
            del coroutine
            gc.collect()
        self.assertEqual((ran, caught), ([], []))

    def test_by_c(self):
        # By a time limit, by a cancellable, and by what derives from it.
        thread = self.loop_thread()
        future, steps = self.waiting(thread)
        with self.assertRaises(TimeoutError):
            future.with_timeout(0.01).result(LIMIT)
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(steps, ['cleared up'])

        cancellable = Gio.Cancellable()
        begun = threading.Event()

        async def wait():
            begun.set()
            await asyncio.sleep(3600)

        future = thread.options(cancellable=cancellable).submit(wait)
        begun.wait(LIMIT)
        cancellable.cancel()
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)

    def test_by_awaiting_task(self):
        thread = self.loop_thread()
        future, steps = self.waiting(thread)

        async def main():
            task = asyncio.ensure_future(_await(future))
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertEqual(steps, ['cleared up'])

    def test_race(self):
        # Its end, its first step, and the request, in whatever order.
        async def quick():
            return 1

        async def slow():
            await asyncio.sleep(0)
            return 1

        thread = self.loop_thread()
        for number in range(300):
            future = thread.submit(quick if number & 1 else slow)
            if number % 3:
                thread.submit(int)
            future.cancel()
            self.assertTrue(future.wait(LIMIT))
            if not future.cancelled():
                self.assertEqual(future.result(), 1)

    def test_check_cancelled(self):
        begun = threading.Event()

        async def work():
            begun.set()
            while True:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    Concur.check_cancelled()

        future = self.loop_thread().submit(work)
        begun.wait(LIMIT)
        future.cancel()
        self.assertRaises(Concur.CancelledError, future.result, LIMIT)
        self.assertTrue(future.cancelled())


class TestCall(LoopThreadCase):
    def test_value(self):
        async def add(a, b):
            await asyncio.sleep(0)
            return a + b

        thread = self.loop_thread()
        self.assertEqual(thread.call(add, 1, b=2), 3)
        self.assertEqual(thread.call(add(1, 2), timeout=LIMIT), 3)
        self.assertEqual(thread.call(pow, 2, 3), 8)
        with self.assertRaises(ZeroDivisionError):
            thread.call(divmod, 1, 0)

    def test_timeout(self):
        thread = self.loop_thread()
        steps = []

        async def wait():
            try:
                await asyncio.sleep(3600)
            finally:
                steps.append('cancelled')

        with self.assertRaises(TimeoutError):
            thread.call(wait, timeout=0.01)
        thread.call(asyncio.sleep, 0)
        wait_until(lambda: steps)

    def test_on_the_thread(self):
        async def get():
            return 1

        def inside():
            # A function is just called.
            self.assertEqual(thread.call(threading.get_ident), threading.get_ident())
            coroutine = get()
            for what in (get, coroutine):
                with self.assertRaisesRegex(RuntimeError, 'use "await"'):
                    thread.call(what)
            self.assertEqual(inspect.getcoroutinestate(coroutine), inspect.CORO_CLOSED)

        async def inside_coroutine():
            inside()

        thread = self.loop_thread()
        thread.call(inside, timeout=LIMIT)
        thread.call(inside_coroutine, timeout=LIMIT)

    def test_interrupted(self):
        thread = self.loop_thread()
        future, steps = self.waiting(thread)

        async def wait():
            steps.append('begun')
            threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGINT)).start()
            try:
                await asyncio.sleep(3600)
            finally:
                steps.append('cancelled')

        with self.assertRaises(KeyboardInterrupt):
            thread.call(wait)
        wait_until(lambda: steps == ['begun', 'cancelled'])


class TestBlocking(LoopThreadCase):
    def test_own_work(self):
        async def inner():
            await asyncio.sleep(0)
            return 1

        async def outer():
            future = thread.submit(inner)
            begun = thread.submit(inner)
            await asyncio.sleep(0.001)
            running = thread.submit(asyncio.sleep, 3600)
            await asyncio.sleep(0.001)
            awaited = thread.submit(lambda: asyncio.sleep(3600))
            await asyncio.sleep(0.001)
            function = thread.submit(int)
            for blocked in (running, function, awaited):
                for wait in (blocked.wait, blocked.result, blocked.exception):
                    with self.assertRaises(RuntimeError):
                        wait()
                    with self.assertRaises(RuntimeError):
                        wait(1)
            running.cancel()
            awaited.cancel()
            # What is done is no trouble.
            await begun
            return future.result() + begun.result()

        thread = self.loop_thread()
        self.assertEqual(thread.submit(outer).result(LIMIT), 2)

    def test_stop_and_join(self):
        async def inside():
            with self.assertRaises(RuntimeError):
                thread.join()
            with self.assertRaises(RuntimeError):
                thread.enter(Manager([]))
            # Only begins.
            thread.stop()
            with self.assertRaises(RuntimeError):
                thread.start()
            return True

        thread = self.loop_thread()
        self.assertTrue(thread.submit(inside).result(LIMIT))
        thread.join(LIMIT)
        self.assertEqual(thread.get_state(), STOPPED)

    def test_in_own_pool(self):
        def inside():
            with self.assertRaises(RuntimeError):
                thread.join()
            thread.stop()
            return thread.get_state() == RUNNING

        thread = self.loop_thread()
        self.assertFalse(thread.run_in_executor(inside).result(LIMIT))
        thread.join(LIMIT)

    def test_worker_may_wait(self):
        async def get():
            await asyncio.sleep(0.001)
            return 1

        async def main():
            return await thread.run_in_executor(lambda: thread.call(get))

        thread = self.loop_thread()
        self.assertEqual(thread.call(main, timeout=LIMIT), 1)


class TestThread(LoopThreadCase):
    def test_name(self):
        thread = self.loop_thread(name='net')
        self.assertEqual(thread.call(lambda: threading.current_thread().name), 'net')
        self.assertIn('net', [each.name for each in threading.enumerate()])
        thread.stop(LIMIT)
        self.assertNotIn('net', [each.name for each in threading.enumerate()])

    def test_thread_locals(self):
        local = threading.local()

        def put():
            local.value = 5

        async def get():
            return local.value

        thread = self.loop_thread()
        thread.call(put)
        self.assertEqual(thread.call(get), 5)

    def test_tracing(self):
        seen = []

        def trace(frame, event, argument):
            seen.append(frame.f_code.co_name)

        async def traced():
            pass

        threading.settrace(trace)
        try:
            thread = self.loop_thread()
        finally:
            threading.settrace(None)
        thread.call(traced)
        self.assertIn('traced', seen)

    def test_excepthook(self):
        # What ends run_forever () without being anybody's.
        reports = []
        old = threading.excepthook
        threading.excepthook = lambda arguments: reports.append(
            (arguments.exc_type, arguments.thread.name))
        self.addCleanup(setattr, threading, 'excepthook', old)

        class Odd(BaseException):
            pass

        def fail(timeout):
            del selector.select
            raise Odd

        thread = self.loop_thread(name='odd')
        selector = thread.loop._selector
        selector.select = fail
        # It goes on.
        self.assertEqual(thread.submit(int).result(LIMIT), 0)
        wait_until(lambda: reports)
        self.assertEqual(reports, [(Odd, 'odd')])

    def test_properties(self):
        thread = Concur.LoopThread(name='named', max_workers=3)
        self.assertEqual((thread.name, thread.max_workers, thread.state),
                         ('named', 3, STOPPED))
        self.assertIsNone(thread.loop)
        self.assertIsInstance(thread.context, GLib.MainContext)
        self.assertEqual(Concur.LoopThread.new('other').name, 'other')

    def test_default(self):
        one, two = Concur.LoopThread.dup_default(), Concur.LoopThread.dup_default()
        self.assertIs(one, two)
        self.assertEqual(one.call(asyncio.sleep, 0, 'done'), 'done')
        one.stop(LIMIT)
        again = Concur.LoopThread.dup_default()
        self.assertIs(again, one)
        self.assertEqual(again.call(asyncio.sleep, 0, 'done'), 'done')
        again.stop(LIMIT)


async def _await(future):
    return await future


if __name__ == '__main__':
    unittest.main()
