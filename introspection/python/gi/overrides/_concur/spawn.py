# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Coroutines on a plain GLib main loop, one turn for each await, and run ()."""

import asyncio
import inspect

from gi.repository import GObject

from .answers import complete, drop_frames, fail
from .base import OWN, TimedOut, public, raw, to_us
from .blocks import Driven, Enter
from .job import Job
from .task import PythonJob, copy_context, current_job, origin

CancelledError = asyncio.CancelledError

_CANCEL = object()


@public
class _Turn(Job):
    """One turn of a coroutine in its context: a job rather than a posted function, which
    PyGObject before 3.44 leaks."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonTurn'

    def do_run(self):
        owner, awaited = self.__dict__['_of_turn']
        try:
            owner._advance(awaited)
        finally:
            self.__dict__['_of_turn'] = None
            raw.Job.return_boolean(self, True)
            self = owner = awaited = None
        return True


@public
class SpawnedJob(PythonJob):
    """A coroutine that runs in a main context. Only there its state is touched."""

    __module__ = OWN
    __gtype_name__ = 'ConcurPythonSpawned'

    def do_run(self):
        own = self.__dict__
        if '_coroutine' not in own:
            # Executed by hand, and not for the first time.
            return True
        own['_context'].run(current_job.set, self)
        raw.Job.hold(self)
        # However it is asked to stop, and on whatever thread.
        cancellable = raw.Job.get_cancellable(self)
        own['_handler'] = (cancellable, GObject.Object.connect(
            cancellable, 'cancelled', lambda cancellable: self._post(_CANCEL)))
        if cancellable.is_cancelled():
            self._post(_CANCEL)
        self._advance(None)
        return True

    def _post(self, awaited):
        turn = _Turn()
        turn.__dict__['_of_turn'] = (self, awaited)
        raw.Executor.submit_job(self.__dict__['_turns'], turn, None).ignore()

    def _advance(self, awaited):
        own = self.__dict__
        coroutine = own.get('_coroutine')
        if coroutine is None:
            return
        if '_busy' in own:
            # From a main loop that the coroutine itself runs.
            if awaited is _CANCEL:
                own['_asked'] = True
            return
        previous = own.get('_awaited')
        if awaited is not _CANCEL and awaited is not previous:
            return

        own['_awaited'] = None
        token = own.pop('_token', None)
        error = None
        if awaited is _CANCEL:
            if previous is not None:
                previous._off_done(token)
                previous._give_up_await()
            error = CancelledError()
        own['_busy'] = True
        try:
            awaited = self._turn(own, coroutine, error)
        except StopIteration as stop:
            self._end()
            complete(self, stop.value)
        except BaseException as error:
            drop_frames(error, 2)
            self._end()
            fail(self, error)
        else:
            del own['_busy']
            own['_awaited'] = awaited
            own['_token'] = awaited._on_done(self._post)
        finally:
            self = own = coroutine = awaited = previous = token = error = None

    def _turn(self, own, coroutine, error):
        """Returns the future that the coroutine awaits next."""
        run = own['_context'].run
        while True:
            # A loop of asyncio that runs this context is not the one of this coroutine.
            loop = asyncio._get_running_loop()
            if loop is not None:
                asyncio._set_running_loop(None)
            try:
                if error is None:
                    awaited = run(coroutine.send, None)
                else:
                    awaited = run(coroutine.throw, error)
            finally:
                if loop is not None:
                    asyncio._set_running_loop(loop)
            if type(awaited) is Enter:
                # From now on Driven stands between.
                own['_coroutine'] = coroutine = Driven(coroutine, awaited)
                error = None
            elif not isinstance(awaited, raw.Future):
                error = RuntimeError(
                    f'{awaited!r} cannot be awaited here: on a plain GLib loop only Concur '
                    'futures can be; a Concur.LoopThread runs asyncio')
            elif own.pop('_asked', False):
                awaited.cancel()
                error = CancelledError()
            else:
                return awaited

    def _end(self):
        own = self.__dict__
        own.pop('_coroutine', None)
        cancellable, handler = own.pop('_handler')
        # Not Cancellable's own disconnect (), which waits for handlers.
        GObject.Object.disconnect(cancellable, handler)

    def do_release(self):
        own = self.__dict__
        if '_handler' in own:
            # Abandoned: it is being cancelled.
            return
        coroutine = own.pop('_coroutine', None)
        if coroutine is not None:
            # Refused, or cancelled before its first turn.
            coroutine.close()


@public
def spawn(coroutine, *, context=None, name=None, cancellable=None):
    """Runs a coroutine in a main context: in the thread-default one of the caller, which
    in GTK code is the main loop's, or in context. Its first turn is a later one.

    It can await Concur futures, and nothing of asyncio: for that there is LoopThread.
    Returns a future for what it returns; cancelling that raises asyncio.CancelledError in
    the coroutine.
    """
    return spawn_on(raw.ContextExecutor.new(context), coroutine, (None, name), cancellable)


def spawn_on(executor, coroutine, settings=None, cancellable=None):
    if not inspect.iscoroutine(coroutine):
        raise TypeError(f'a coroutine is needed, not {type(coroutine).__name__}')
    if inspect.getcoroutinestate(coroutine) != inspect.CORO_CREATED:
        raise RuntimeError('the coroutine runs already, or is over')
    job = SpawnedJob()
    own = job.__dict__
    # Turns go on when the executor takes nothing new any more: it waits for them to end.
    own['_turns'] = raw.ContextExecutor.new(executor.props.context)
    own['_coroutine'] = coroutine
    own['_context'] = copy_context()
    own['_context'].run(origin.set, executor.props.context)
    if settings is not None:
        job.apply_settings(settings)
    raw.Executor.submit_job(executor, job, cancellable)
    return job


@public
def run(what, timeout=None):
    """Runs a coroutine, or waits for a future, on this thread and returns the outcome, for
    scripts and the REPL. Meanwhile the thread's main context runs, asyncio in it too.

    Raises what the work raised; TimeoutError after timeout seconds, when the work is
    cancelled; RuntimeError inside a coroutine, where "await" is what you want.
    """
    if asyncio._get_running_loop() is not None:
        raise RuntimeError('this thread runs coroutines already: use "await"')
    if isinstance(what, raw.Future):
        try:
            if not what.iterate(timeout):
                what.cancel()
                raise TimedOut(f'not done after {timeout} s')
        except KeyboardInterrupt:
            what.cancel()
            raise
        return what.result()
    if not inspect.iscoroutine(what):
        raise TypeError(f'a coroutine or a future is needed, not {type(what).__name__}')
    from .eventloop import run_coroutine
    return run_coroutine(what, timeout)


@public
def sleep(seconds):
    """To be awaited, on any loop: done after so many seconds."""
    return raw.Future.delay(to_us(seconds))
