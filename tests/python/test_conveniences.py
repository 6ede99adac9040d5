# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""threaded (), threaded_separate (), to_thread () and call_in_executor ()."""

import abc
import asyncio
import concurrent.futures
import contextvars
import functools
import threading
import traceback
import unittest
import weakref

from loops import LOOPS, as_coroutine, here, on_asyncio, where
from util import LIMIT, Case, Concur, Gate, Thing, gone, run_script, wait_until

variable = contextvars.ContextVar('variable', default='unset')


class Owner:
    @Concur.threaded
    def method(self, value):
        return self, value, here()

    @Concur.threaded
    @classmethod
    def on_class(cls, value):
        return cls, value, here()

    @classmethod
    @Concur.threaded
    def on_class_outside(cls, value):
        return cls, value, here()

    @Concur.threaded
    @staticmethod
    def static(value):
        return value, here()

    @staticmethod
    @Concur.threaded
    def static_outside(value):
        return value, here()


class TestThreaded(Case):
    def test_bare_runs_on_a_thread(self):
        future = where(7)
        self.assertIsInstance(future, Concur.Future)
        thread, value = future.result(LIMIT)
        self.assertIsNot(thread, threading.main_thread())
        self.assertEqual(value, 7)

    def test_sync_call_runs_here(self):
        self.assertEqual(where.sync_call(7), (here(), 7))

    def test_async_call_is_the_call(self):
        self.assertIsNot(where.async_call(value=1).result(LIMIT)[0], here())

    def test_with_parentheses(self):
        self.assertIsNot(Concur.threaded()(here)().result(LIMIT), here())

    def test_with_executor(self):
        pool = self.pool(name='ours')
        self.assertEqual(Concur.threaded(pool)(here)().result(LIMIT).name, 'ours-1')

    def test_with_standard_executors(self):
        with concurrent.futures.ThreadPoolExecutor(1, 'std') as std:
            call = Concur.threaded(std)(lambda: (here().name, variable.get()))
            token = variable.set('carried')
            self.assertEqual(call().result(LIMIT), ('std_0', 'carried'))
            variable.reset(token)

            def fail():
                raise LookupError('from there')
            with self.assertRaisesRegex(LookupError, 'from there'):
                Concur.threaded(std)(fail)().result(LIMIT)
        with Concur.ThreadPoolExecutor(1, 'ours') as ours:
            self.assertTrue(Concur.threaded(ours)(here)().result(LIMIT).name.startswith('ours'))

    def test_cancelling_reaches_a_standard_executor(self):
        with concurrent.futures.ThreadPoolExecutor(1) as std:
            gate = Gate()
            std.submit(gate)
            gate.wait()
            ran = []
            future = Concur.call_in_executor(ran.append, 1, executor=std)
            future.cancel()
            with self.assertRaises(Concur.CancelledError):
                future.result(LIMIT)
            gate.open()
        self.assertEqual(ran, [])

    def test_keeps_name_and_docstring(self):
        self.assertEqual(where.__name__, 'where')
        self.assertEqual(where.__doc__, 'Says where it runs.')

    def test_method(self):
        owner, other = Owner(), Owner()
        self.assertEqual(owner.method(1).result(LIMIT)[:2], (owner, 1))
        self.assertEqual(other.method(2).result(LIMIT)[:2], (other, 2))
        self.assertEqual(owner.method.sync_call(3), (owner, 3, here()))
        self.assertEqual(Owner.method(owner, 4).result(LIMIT)[:2], (owner, 4))
        self.assertIsNot(owner.method(1).result(LIMIT)[2], here())

    def test_binds_per_instance(self):
        owner, other = Owner(), Owner()
        self.assertEqual(owner.method, owner.method)
        self.assertEqual(hash(owner.method), hash(owner.method))
        self.assertNotEqual(owner.method, other.method)

    def test_bound_method_is_all_that_keeps_its_owner(self):
        owner = Owner()
        reference = weakref.ref(owner)
        bound = owner.method
        del owner
        self.assertIsNotNone(reference())
        del bound
        self.assertTrue(gone(reference))

    def test_class_methods(self):
        class Child(Owner):
            pass
        for call in (Child.on_class, Child().on_class, Child.on_class_outside,
                     Child().on_class_outside):
            cls, value, thread = call(5).result(LIMIT)
            self.assertEqual((cls, value), (Child, 5))
            self.assertIsNot(thread, here())
            self.assertEqual(call.sync_call(6), (Child, 6, here()))

    def test_static_methods(self):
        for call in (Owner.static, Owner().static, Owner.static_outside,
                     Owner().static_outside):
            value, thread = call(5).result(LIMIT)
            self.assertEqual(value, 5)
            self.assertIsNot(thread, here())
            self.assertEqual(call.sync_call(6), (6, here()))

    def test_owner_with_slots(self):
        class Slotted:
            __slots__ = ('value',)

            @Concur.threaded
            def double(self):
                return self.value * 2
        owner = Slotted()
        owner.value = 21
        self.assertEqual(owner.double().result(LIMIT), 42)

    def test_abstract_methods(self):
        for decorate in (lambda f: Concur.threaded(abc.abstractmethod(f)),
                         lambda f: abc.abstractmethod(Concur.threaded(f))):
            class Base(abc.ABC):
                @decorate
                def value(self):
                    raise NotImplementedError

            class Full(Base):
                @Concur.threaded
                def value(self):
                    return 3
            with self.assertRaises(TypeError):
                Base()
            self.assertEqual(Full().value().result(LIMIT), 3)

    def test_metaclass(self):
        class Meta(type):
            @Concur.threaded
            def title(cls):
                return cls.__name__

        class Made(metaclass=Meta):
            pass
        self.assertEqual(Made.title().result(LIMIT), 'Made')

    def test_refuses_coroutine_functions(self):
        async def coroutine():
            pass

        async def generator():
            yield
        for function in (coroutine, generator, functools.partial(coroutine),
                         staticmethod(coroutine), classmethod(coroutine)):
            for decorate in (Concur.threaded, Concur.threaded(), Concur.threaded_separate):
                with self.assertRaisesRegex(TypeError, 'coroutine function'):
                    decorate(function)

    def test_refuses_generator_functions(self):
        def generator():
            yield
        for function in (generator, functools.partial(generator), staticmethod(generator)):
            for decorate in (Concur.threaded, Concur.threaded_separate):
                with self.assertRaisesRegex(TypeError, 'generator function'):
                    decorate(function)

    def test_refuses_what_cannot_be_called(self):
        with self.assertRaisesRegex(TypeError, 'not callable'):
            Concur.threaded(3)

    def test_error_is_the_original(self):
        error = LookupError('gone')

        @Concur.threaded
        def fail():
            raise error
        with self.assertRaises(LookupError) as caught:
            fail().result(LIMIT)
        self.assertIs(caught.exception, error)

    def test_stop_iteration(self):
        @Concur.threaded
        def fail():
            raise StopIteration

        async def main():
            await fail()
        for name, run, sleep in LOOPS:
            with self.subTest(name), self.assertRaisesRegex(RuntimeError, 'StopIteration'):
                run(main())

    def test_context_variables(self):
        @Concur.threaded
        def change():
            seen = variable.get()
            variable.set('there')
            return seen
        token = variable.set('mine')
        first, second = change(), change()
        self.assertEqual((first.result(LIMIT), second.result(LIMIT)), ('mine', 'mine'))
        self.assertEqual(variable.get(), 'mine')
        variable.reset(token)

    def test_awaited(self):
        async def main():
            return (await where(1))[1]
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                self.assertEqual(run(main()), 1)

    def test_nothing_is_kept(self):
        argument, value = Thing(), Thing()
        references = weakref.ref(argument), weakref.ref(value)
        box = [value]
        call = Concur.threaded(lambda argument: box.pop())
        del value
        self.assertIs(call(argument).result(LIMIT), references[1]())
        del argument
        self.assertTrue(gone(*references))


class TestSeparate(Case):
    def test_a_new_thread_each_named_after_the_function(self):
        gates = [Gate() for _ in range(8)]

        @Concur.threaded_separate
        def digesting(gate):
            gate()
            return here().name, threading.get_ident()
        futures = [digesting(gate) for gate in gates]
        # All at once, however few cores there are.
        for gate in gates:
            gate.wait()
        for gate in gates:
            gate.open()
        outcomes = [future.result(LIMIT) for future in futures]
        self.assertEqual({name for name, ident in outcomes}, {'digesting'})
        self.assertEqual(len({ident for name, ident in outcomes}), 8)

    def test_methods_and_forms(self):
        class Box:
            @Concur.threaded_separate(detach=False)
            def method(self):
                return self

            @Concur.threaded_separate()
            @classmethod
            def on_class(cls):
                return cls

            @Concur.threaded_separate(False)
            @staticmethod
            def static(value):
                return value
        box = Box()
        self.assertIs(box.method().result(LIMIT), box)
        self.assertEqual(box.method, box.method)
        self.assertIs(Box.on_class().result(LIMIT), Box)
        self.assertEqual(Box.static(4).result(LIMIT), 4)
        self.assertIs(box.method.sync_call(), box)

    def test_error(self):
        @Concur.threaded_separate
        def fail():
            raise KeyError('x')
        names = []
        try:
            fail().result(LIMIT)
        except KeyError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        # Where it was asked for, what raises it there, and the function.
        self.assertEqual(names, ['test_error', 'result', 'fail'])

    def test_threads_go(self):
        @Concur.threaded_separate
        def leaving_thread():
            return None
        for _ in range(5):
            leaving_thread().result(LIMIT)
        wait_until(lambda: not any(thread.name == 'leaving_thread'
                                   for thread in threading.enumerate()))

    def test_exit_waits_only_if_attached(self):
        text = '''
            import sys, threading
            begun, never = threading.Event(), threading.Event()
            detach = sys.argv[1] == 'detach'

            @Concur.threaded_separate(detach=detach)
            def work():
                begun.set()
                never.wait(2)
                print('end', flush=True)

            work().ignore()
            begun.wait()
        '''
        out, err = run_script(text, 'attach')
        self.assertEqual((out, err), ('end\n', ''))
        out, err = run_script(text.replace('wait(2)', 'wait()'), 'detach')
        self.assertEqual((out, err), ('', ''))

    def test_loop_closed_meanwhile(self):
        """Rows AM2 and P15: no error on the thread, and the future has its value."""
        gate = Gate()
        out = []

        @Concur.threaded_separate
        def late():
            return gate('late')

        async def main():
            out.append(late())
            task = asyncio.ensure_future(as_coroutine(out[0].shield()))
            await asyncio.sleep(0)
            task.cancel()
        errors = []
        old, threading.excepthook = threading.excepthook, errors.append
        try:
            asyncio.run(main())
            gate.wait()
            gate.open()
            self.assertEqual(out[0].result(LIMIT), 'late')
        finally:
            threading.excepthook = old
        self.assertEqual(errors, [])


class TestCalls(Case):
    def test_call_in_executor(self):
        pool = self.pool(name='mine')

        def call(*args, **kwargs):
            return here().name, args, kwargs
        self.assertEqual(Concur.call_in_executor(call, 1, executor=pool, key=2).result(LIMIT),
                         ('mine-1', (1,), {'key': 2}))
        self.assertIsNot(Concur.call_in_executor(here).result(LIMIT), here())

    def test_to_thread(self):
        def call(*args, **kwargs):
            return here(), args, kwargs, variable.get()

        async def main():
            variable.set('task')
            return await Concur.to_thread(call, 1, func=2)
        for name, run, sleep in LOOPS:
            with self.subTest(name):
                thread, *rest = run(main())
                self.assertIsNot(thread, here())
                self.assertEqual(rest, [(1,), {'func': 2}, 'task'])

    def test_refuses_coroutine_functions(self):
        async def coroutine():
            pass
        for call in (Concur.to_thread, Concur.call_in_executor):
            with self.assertRaises(TypeError):
                call(coroutine)

    def test_cancelled_wait_asks_the_function_to_stop(self):
        gate, stopped = Gate(), []

        def work():
            gate()
            try:
                Concur.check_cancelled()
            except Concur.CancelledError:
                stopped.append(True)
                raise

        async def main():
            future = Concur.to_thread(work)
            task = asyncio.ensure_future(as_coroutine(future))
            await asyncio.sleep(0)
            await Concur.to_thread(gate.wait)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            # It did not wait for the function.
            self.assertFalse(future.done())
            gate.open()
            with self.assertRaises(asyncio.CancelledError):
                await future
        on_asyncio(main())
        self.assertEqual(stopped, [True])

    def test_shielded_wait_lets_the_function_go_on(self):
        gate = Gate()

        async def main():
            future = Concur.to_thread(gate, 'value')
            task = asyncio.ensure_future(as_coroutine(future.shield()))
            await asyncio.sleep(0)
            await Concur.to_thread(gate.wait)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            gate.open()
            return await future
        self.assertEqual(on_asyncio(main()), 'value')

    def test_wait_for_and_end_do_not_wait_for_a_stuck_thread(self):
        gate = Gate()
        self.addCleanup(gate.open)

        async def main():
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(Concur.to_thread(gate), 0.01)
        asyncio.run(main())

    def test_exit_does_not_wait_for_a_stuck_thread(self):
        out, err = run_script('''
            import asyncio, threading
            begun, never = threading.Event(), threading.Event()

            def stuck():
                begun.set()
                never.wait()

            async def main():
                Concur.to_thread(stuck)
                await Concur.to_thread(begun.wait)
                print('end', flush=True)

            asyncio.run(main())
        ''')
        self.assertEqual((out, err), ('end\n', ''))

    def test_waiting_for_one_of_the_same_pool(self):
        pool = self.pool(1)

        def outer(depth):
            return depth if depth == 0 else pool.submit(outer, depth - 1).result() + 1
        self.assertEqual(
            Concur.call_in_executor(outer, 5, executor=pool).result(LIMIT), 5)

    def test_forgotten_error_is_logged(self):
        out, err = run_script('''
            def fail():
                raise ValueError('nobody asks')

            future = Concur.to_thread(fail)
            future.wait()
            del future
            Concur.release_pending()
        ''')
        self.assertIn('nobody asks', err)



if __name__ == '__main__':
    unittest.main()
