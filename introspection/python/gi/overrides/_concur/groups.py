# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""TaskGroup: work that ends together."""

import asyncio
import inspect
import weakref

from gi.repository import GLib, GObject

from .awaitables import Beginning
from .base import OWN, override, public, raw, to_python
from .conveniences import here
from .executor import Options
from .future import (ABANDON, RESOLVED, Future, callbacks_lock, check_callable, derived,
                     raw_state)
from .groupscopes import Block, CoroutineBlock
from .job import Job
from .looptask import call_on_loop
from .pools import get_default_executor
from .spawn import spawn_on
from .task import PythonJob, origin

COLLECT = raw.GroupPolicy.COLLECT

raw_add = raw.TaskGroup.add
raw_cancel = raw.TaskGroup.cancel
raw_close = raw.TaskGroup.close
raw_when_done = raw.TaskGroup.when_done
raw_hold = raw.Job.hold
raw_is_cancelled = raw.Job.is_cancelled
raw_return_future = raw.Job.return_future


@public
class _Member(Job):
    """What C has for a member. If it were the member's own future the garbage collector
    would not see that the group has it, and one with an exception whose traceback has the
    group would stay for ever. It is there before the work is, which so cannot escape."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonMember'

    def do_run(self):
        raw_hold(self)
        return True


@public
class GroupEnd(PythonJob):
    """What close () returns, for the same reason: C has its own."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonGroupEnd'

    def do_run(self):
        raw_return_future(self, self.__dict__['_end'])
        return True

    def cancel(self, flags=0, *, abandon=False):
        first = PythonJob.cancel(self, flags, abandon=abandon)
        if abandon or flags & ABANDON:
            self.__dict__['_members'].cancel(ABANDON)
        return first

    cancel.__doc__ = PythonJob.cancel.__doc__

    @property
    def progress(self):
        """The part of the members that are done, 0 to 1."""
        return raw.Future.get_progress(self.__dict__['_end'])


class Members:
    """What a group has, as it was added."""

    def __init__(self, policy):
        # Lists of a future each, or nothing in place of what could not begin; and the Members
        # of groups in it.
        self.list = []
        self.collects = policy == COLLECT
        # What close () has returned.
        self.end = None

    def __iter__(self):
        """The futures among which is the one whose error is that of the group."""
        for member in self.list:
            yield from member

    def ends(self):
        """The futures to wait for; those that come meanwhile are among them."""
        for member in self.list:
            if type(member) is list:
                yield from member
            elif member.end is not None:
                yield member.end

    def cancel(self, flags):
        for future in list(self):
            future.cancel(flags)

    def results(self):
        found = []
        for member in self.list:
            if type(member) is list:
                found += member if self.collects else map(_value, member)
            elif self.collects:
                # One that was never closed was cancelled.
                found.append(member.end or _cancelled())
            else:
                found.append(member.results())
        return found


def _value(future):
    return future._value_of() if raw_state(future) == RESOLVED else None


def _results(future, members):
    return members.results()


def _cancelled():
    return Future.rejected(asyncio.CancelledError())


def _show_progress(end, spec, reference):
    future = reference()
    if future is not None:
        raw.Job.set_progress(future, raw.Future.get_progress(end))


def _make_end(end, members):
    future = GroupEnd()
    future.__dict__['_end'] = end
    future.__dict__['_members'] = members
    GObject.Object.connect(end, 'notify::progress', _show_progress, weakref.ref(future))
    raw.Executor.submit_job(here, future, None)
    return derived(future, members, _results)


def _forget_when_failed(reference):
    """For a group with others in it, which C keeps: see _Member."""
    def over(future):
        group = reference()
        if group is not None and raw_state(future) != RESOLVED:
            own = group.__dict__
            own['_closed'] = weakref.ref(future)
            own['_members'] = Members(group.get_policy())
    return over


def _refused():
    text = 'The task group was closed: it takes no more members'
    return Future.rejected(to_python(GLib.Error(
        text, GLib.quark_to_string(raw.executor_error_quark()),
        int(raw.ExecutorError.SHUT_DOWN))))


async def _await(awaitable):
    return await awaitable


def _loop_here():
    """The loop of asyncio, or else the main context, that this is called on or comes from."""
    return (asyncio._get_running_loop() or origin.get(None)
            or GLib.MainContext.get_thread_default() or GLib.MainContext.default())


@override
class TaskGroup(raw.TaskGroup):
    """Work that belongs together: it ends together, and none of it is forgotten.

        async with Concur.TaskGroup() as group:
            page = group.submit(read, path)
            size = group.create_task(fetch_size(url))
        show(page.result(), size.result())

    The block ends when all members have really ended. The first error cancels the others and
    the block, and is raised by it, as itself; with policy=Concur.GroupPolicy.COLLECT members
    do not care for each other. An error in the block cancels the members. "with" does the
    same on a thread; without a block there is close (), a future for all results.
    """

    def __init__(self, executor=None, *, policy=raw.GroupPolicy.CANCEL_ON_ERROR,
                 cancellable=None, parent=None):
        if executor is None:
            executor = get_default_executor()
        members = Members(policy)
        own = self.__dict__
        own['_members'] = members
        own['_loop'] = _loop_here()
        super().__init__(executor=executor, policy=policy, parent_cancellable=cancellable,
                         parent=parent)
        if parent is not None and '_closed' not in parent.__dict__:
            parent.__dict__['_has_groups'] = True
            parent.__dict__['_members'].list.append(members)

    @classmethod
    def new(cls, executor=None, cancellable=None):
        return cls(executor, cancellable=cancellable)

    def submit(self, function, /, *args, **kwargs):
        """Calls function (*args, **kwargs) on the group's executor. Returns a Concur.Future,
        which is a member.

        It is cancelled, and nothing is called, if the group was cancelled or has failed; it
        is rejected with RuntimeError if the group was closed.
        """
        return self._submit(function, args, kwargs)

    def _submit(self, function, args, kwargs, settings=None, cancellable=None):
        return self._begin(lambda: self.get_executor()._submit(function, args, kwargs, settings,
                                                               cancellable))

    def submit_job(self, job):
        """Runs a job of a class of yours, as a member. Returns the job."""
        executor = self.get_executor()

        def begin():
            executor.submit_job(job)
            return job
        return self._begin(begin)

    def options(self, *, priority=None, name=None, cancellable=None):
        """What to submit through: options (name='x').submit (…)."""
        return Options(self, priority, name, cancellable)

    def create_task(self, coroutine, *, name=None, context=None):
        """Runs a coroutine, as a member, on the loop where the group was made or entered:
        asyncio's, or a plain GLib loop. Returns a Concur.Future. May be called on any thread.

        The coroutine sees a copy of the context variables, or of those in context. Where
        submit () calls nothing, it is closed.
        """
        if not inspect.iscoroutine(coroutine):
            raise TypeError(f'a coroutine is needed, not {type(coroutine).__name__}')
        future = self._run(coroutine, context)
        if name is not None:
            future.name = name
        return future

    def _run(self, coroutine, context=None):
        # What asyncio has made belongs to its loop.
        loop = self.__dict__['_loop']

        def begin():
            if isinstance(loop, GLib.MainContext):
                start, arguments = spawn_on, (raw.ContextExecutor.new(loop), coroutine)
            else:
                start, arguments = call_on_loop, (loop, Beginning(coroutine))
            if context is not None:
                return context.run(start, *arguments)
            return start(*arguments)
        future = self._begin(begin)
        if future.done() and inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            coroutine.close()
        return future

    def add(self, what):
        """Makes a future from somewhere else, or anything else that can be awaited, a member.
        The group cancels it from here on. What is no future of Concur is awaited on the
        group's loop.

        Returns False if the group was closed, which leaves what was given alone, but closes
        a coroutine.
        """
        if isinstance(what, raw.Future):
            future = self._begin(lambda: what, cancel=what)
            if future is not what:
                future.ignore()
            return future is what
        if not inspect.isawaitable(what):
            raise TypeError(f'a future or another awaitable is needed, not '
                            f'{type(what).__name__}')
        if '_closed' in self.__dict__:
            if inspect.iscoroutine(what):
                what.close()
            return False
        self._run(what if inspect.iscoroutine(what) else _await(what))
        return True

    def _begin(self, begin, cancel=None):
        """A member for the future that begin () makes, if it is not too late for that."""
        member = _Member()
        raw.Executor.submit_job(here, member, None)
        if not raw_add(self, member):
            raw_return_future(member, _cancelled())
            return _refused()
        # What begins may add others, which come after it.
        place = [member]
        self.__dict__['_members'].list.append(place)
        future = None
        try:
            if not raw_is_cancelled(member):
                future = begin()
            elif cancel is not None:
                future = cancel
                future.cancel()
            else:
                future = _cancelled()
            return future
        finally:
            if future is not None:
                future.ignore()
                place[0] = future
            else:
                place.clear()
                future = _cancelled()
            raw_return_future(member, future)
            # A traceback keeps this frame.
            self = begin = cancel = member = future = place = None

    def close(self):
        """Says that no more members are to come. Returns a future for the list of all values,
        in the order of the members; None is that of one that was cancelled. With the policy
        COLLECT it is the list of the members' futures.

        It is done when every member is; rejected with the first error, and cancelled if the
        group was. Cancelling it, or giving up the await, cancels the group.
        """
        end = raw_close(self)
        own = self.__dict__
        with callbacks_lock:
            future = own.get('_closed')
            if type(future) is weakref.ref:
                future = future()
            if future is not None:
                return future
            members = own['_members']
            members.end = own['_closed'] = future = _make_end(end, members)
        if '_has_groups' in own:
            future._on_done(_forget_when_failed(weakref.ref(self)))
        return future

    def cancel(self, flags=0, *, abandon=False, queued=False):
        """Asks all members to stop, and those who come; what has not begun is cancelled now,
        with abandon what runs, too. With queued only that: the group goes on.

        Returns whether the group was not over.
        """
        if abandon:
            flags |= ABANDON
        if queued:
            flags |= raw.CancelFlags.QUEUED
        first = raw_cancel(self, raw.CancelFlags(flags))
        if flags:
            # C sees only what stands for them, and that runs.
            self.__dict__['_members'].cancel(flags)
        return first

    def bind(self, object, silently=True):
        """Cancels the group when an object, such as a widget, is disposed: so that no
        callback of when_done () is called any more, or with silently=False as cancel ()
        does."""
        raw.TaskGroup.bind(self, object, silently)

    def when_done(self, future, function, *args, context=None):
        """Calls function (future, *args) in a main context once a future is done, as the
        future's own when_done () does, but not after cancel_silently ()."""
        check_callable(function)
        if not isinstance(future, raw.Future):
            raise TypeError(f'a Concur.Future is needed, not {type(future).__name__}')

        def call(future, *_):
            function(future, *args)
        return raw_when_done(self, future, call, context=context)

    @property
    def n_members(self):
        """How many members there are, those that are done included."""
        return self.get_n_members()

    def __enter__(self):
        self._enter(Block)
        return self

    def __exit__(self, kind, exception, traceback):
        try:
            self._leave(Block).leave(exception)
        finally:
            self = exception = traceback = None

    async def __aenter__(self):
        self._enter(CoroutineBlock)
        return self

    async def __aexit__(self, kind, exception, traceback):
        try:
            await self._leave(CoroutineBlock).leave(exception)
        finally:
            self = exception = traceback = None

    def _enter(self, kind):
        own = self.__dict__
        if '_block' in own or '_closed' in own:
            raise RuntimeError('the group was entered, or closed, before: make another one')
        own['_loop'] = _loop_here()
        own['_block'] = kind(self, own['_members'])

    def _leave(self, kind):
        own = self.__dict__
        block = own.get('_block')
        if type(block) is not kind:
            raise RuntimeError('the group was not entered')
        # It is not entered again.
        own['_block'] = None
        return block
