# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""ProcessExecutor: calls in worker processes."""

import multiprocessing
import os
import pickle
import subprocess
import sys

import gi
from gi.repository import GLib

from . import crossing, workercall
from .base import EXECUTOR_ERROR, PYTHON_ERROR, add_error, override, public, raw, to_python, to_us
from .future import wait
from .mapping import map_on
from .task import (PythonJob, context_from_loop, copy_context, describe_function,
                   get_running_loop, refuse_coroutine_function)
from .threads import LibraryThread

raw_submit_job = raw.ProcessExecutor.submit_job
raw_call_within = raw.ProcessExecutor.call_within
raw_call_stream = raw.ProcessExecutor.call_stream
raw_details = raw.ProcessExecutor.dup_details
raw_current = raw.Job.get_current
raw_run_next = raw.ThreadExecutor.run_next

# For C to take it for its own when it comes from a worker.
GLib.quark_from_string(PYTHON_ERROR)

# For ever, for what C has no word for that.
_FOR_EVER = 10 ** 15

_TIMES = ('call_timeout', 'grace_period', 'idle_timeout', 'start_timeout')

# So many values of a stream wait for the one that takes them.
_SOME = 16

_START = ('import ast, os, sys; '
          'paths, typelibs = ast.literal_eval(sys.argv.pop()); '
          'sys.path[:] = paths; '
          'own = os.environ.get("GI_TYPELIB_PATH"); '
          'os.environ["GI_TYPELIB_PATH"] = typelibs + (":" + own if own else ""); '
          'from gi.overrides._concur.worker import main; '
          'os.environ.pop("GI_TYPELIB_PATH") if own is None '
          'else os.environ.update(GI_TYPELIB_PATH=own); '
          'main()')

try:
    _directory = os.getcwd()
except OSError:
    _directory = None


@public
class WorkerDied(RuntimeError):
    """A worker process ended in the middle of the call. The message says how, and what it
    wrote to stderr last."""


add_error(EXECUTOR_ERROR, raw.ExecutorError.WORKER_DIED, WorkerDied)


def python_command():
    """What starts a worker: this interpreter, which finds the same modules."""
    if not sys.executable:
        raise RuntimeError('it is not known which Python to start: set sys.executable')
    paths = [_absolute(path) for path in sys.path if isinstance(path, str)]
    typelib = gi.Repository.get_default().get_typelib_path('Concur') or ''
    return [sys.executable, *subprocess._args_from_interpreter_flags(), '-c', _START,
            ascii((paths, os.path.dirname(typelib)))]


def _absolute(path):
    return path if _directory is None else os.path.join(_directory, path)


def make_setup(module, initializer, initargs):
    """What a worker is told at its start."""
    setup = {'argv': list(getattr(sys, 'argv', ())), 'module': module}
    if initializer is not None:
        if not callable(initializer):
            raise TypeError('initializer must be a callable')
        setup['initializer'] = pickle.dumps((initializer, tuple(initargs)))
    if module is None:
        setup.update(_find_main())
        # For locks, queues and the like of multiprocessing's managers.
        setup['authkey'] = bytes(multiprocessing.current_process().authkey)
    return GLib.Variant('a{sv}', {'setup': crossing.pickled(setup)})


def _find_main():
    """How a worker finds the main module, as multiprocessing does it."""
    main = sys.modules.get('__main__')
    # Where what a worker made of its classes comes back.
    sys.modules.setdefault('__mp_main__', main)
    name = getattr(getattr(main, '__spec__', None), 'name', None)
    if name is not None:
        return {} if name == '__main__' or name.endswith('.__main__') else {'main_name': name}
    path = getattr(main, '__file__', None)
    if path is None or os.path.splitext(os.path.basename(path))[0] == 'ipython':
        return {}
    path = _absolute(path)
    return {'main_path': path} if os.path.exists(path) else {}


def refuse_while_preparing():
    if workercall.preparing:
        raise RuntimeError('a worker process runs the main module to find its functions: what '
                           'starts calls there has to be under "if __name__ == \'__main__\':"')


def pack_call(function, args, kwargs):
    """What the worker gets of a call; it raises what pickling does."""
    return crossing.pickled((function, args, kwargs))


def exchange(executor, name, arguments, read, trusted, explain):
    """A call, on the thread behind the worker. Returns what read () makes of the answer."""
    job = raw_current()
    try:
        answer = raw_call_within(executor, job, name, arguments)
    except GLib.Error as error:
        failure = error
    else:
        job = executor = arguments = None
        return read(answer)
    details = crossing.read_details(raw_details(job))
    if 'traceback' in details:
        error = crossing.rebuild(details, trusted)
    elif failure.domain == PYTHON_ERROR:
        # The rest was too large.
        error = crossing.RemoteError(failure.message)
    else:
        error = to_python(failure)
    if explain is not None:
        error = explain(executor, error, details)
    try:
        raise error
    finally:
        # A traceback keeps this frame.
        job = executor = arguments = failure = error = None


def run_thread(threads):
    """What a thread behind a worker does. Python's state of it, which is costly to make, is
    there all the time."""
    with LibraryThread(raw.ThreadExecutor.get_thread_name(threads)):
        while raw_run_next(threads):
            pass


def call_context():
    return copy_context() if get_running_loop() is None else context_from_loop()


def make_executor(max_workers, command, options, settings):
    """The properties of one."""
    given = dict(settings)
    for name in _TIMES:
        if name in given:
            us = to_us(given[name])
            given[name] = _FOR_EVER if us < 0 and name == 'grace_period' else us
    environment = given.get('environment')
    if isinstance(environment, dict):
        given['environment'] = [f'{name}={value}' for name, value in environment.items()]
    if max_workers is not None:
        given['max_workers'] = max_workers
    if options is not None:
        given['options'] = options
    given['command'] = command
    return given


def _seconds(name):
    def get(self):
        us = self.get_property(name)
        return None if us < 0 or us >= _FOR_EVER else us / 1e6

    return property(get)


@override
class ProcessExecutor(raw.ProcessExecutor):
    """Calls functions in worker processes: what computes, and what may crash.

        with Concur.ProcessExecutor(max_workers=2) as pool:
            print(pool.submit(math.factorial, 1000).result())

    The function, its arguments and what it returns are pickled. With module='package.work'
    call ('name', …) calls that module's functions by name, with values that every language
    has, and nothing that comes from the worker is unpickled. With command the worker is any
    program. Times are in seconds, None for ever.
    """

    def __init__(self, max_workers=None, *, module=None, command=None, initializer=None,
                 initargs=(), options=None, **settings):
        own = command is None
        if not isinstance(module, (str, type(None))):
            raise TypeError(f'module is the name of one, not {module!r}')
        if own:
            if options is not None:
                raise TypeError('options are for a command')
            command = python_command()
            options = make_setup(module, initializer, initargs)
        elif module is not None or initializer is not None:
            raise TypeError('a command has no module and no initializer')
        if settings.get('min_workers'):
            refuse_while_preparing()
        super().__init__(**make_executor(max_workers, command, options, settings))
        self.__dict__['_is_python'] = own
        if own:
            self.set_thread_func(run_thread)

    @classmethod
    def new(cls, command, max_workers=0):
        """One whose workers are a program."""
        return cls(max_workers, command=command)

    def submit(self, function, /, *args, **kwargs):
        """Calls function (*args, **kwargs) in a worker process. Returns a Concur.Future for
        what it returns or raises; cancelling it raises Concur.CallCancelled there.

        What is to cross is pickled now; if that fails, so does the future.
        """
        self._check(True)
        refuse_coroutine_function(function)
        try:
            arguments = pack_call(function, args, kwargs)
        except KeyboardInterrupt:
            # It is the program's.
            raise
        except BaseException as error:
            return self._submit(_raise, (_begun(error),))
        return self._submit(exchange, (self, describe_function(function), arguments,
                                       crossing.unpickled, True, None))

    def _submit(self, function, args):
        job = PythonJob()
        job.__dict__['_call'] = (function, args, {}, call_context())
        raw_submit_job(self, job, None)
        return job

    def _check(self, python):
        refuse_while_preparing()
        if python and not self.__dict__.get('_is_python'):
            raise TypeError('its workers are a program of their own: use call ()')

    def call(self, name, /, *args, fds=None, cancellable=None):
        """Calls a function of the workers' module by its name. Returns a Concur.Future for
        what it returns or raises.

        Where the workers are a program, the argument is a GLib.Variant, and so is the
        value; fds, a Gio.UnixFDList, goes with it.
        """
        self._check(False)
        if not self.__dict__.get('_is_python'):
            arguments = args[0] if args else None
            if len(args) > 1 or not isinstance(arguments, (GLib.Variant, type(None))):
                raise TypeError('the argument for a program is a GLib.Variant')
            return raw.ProcessExecutor.call(self, name, arguments, fds, cancellable)
        if fds is not None or cancellable is not None:
            raise TypeError('fds and cancellable are for workers that are a program')
        return self._submit(exchange, (self, name, crossing.encode_tuple(args),
                                       crossing.decode, False, None))

    def map(self, function, *iterables, timeout=None, chunksize=1, buffersize=None):
        """Like the built-in map (), with the calls in worker processes. function may be the
        name of one of the workers' module. With chunksize so many calls of a function travel
        together; what is called by its name travels alone.
        """
        if isinstance(function, str):
            if chunksize < 1:
                raise ValueError('chunksize must be >= 1.')
            return map_on(self.call, function, iterables, timeout, 1, buffersize)
        return map_on(self.submit, function, iterables, timeout, chunksize, buffersize,
                      crossing.call_all)

    def stream(self, function, /, *args, **kwargs):
        """Calls a generator function in a worker process. Returns what yields its values, by
        for and by async for, and stops it when it is closed or forgotten.

        function may be the name of one of the workers' module. The call begins with the
        first value that is asked for.
        """
        self._check(True)
        if isinstance(function, str):
            if kwargs:
                raise TypeError('a function called by its name has no keyword arguments')
            name, arguments, trusted = function, crossing.encode_tuple(args), False
        else:
            refuse_coroutine_function(function)
            name = describe_function(function)
            arguments = pack_call(function, args, kwargs)
            trusted = True
        return ProcessStream(self.call_stream(name, crossing.streamed(arguments)), trusted)

    def call_stream(self, name, arguments=None, fds=None, capacity=_SOME, cancellable=None):
        """For workers that are a program: a Concur.Channel of GLib.Variants."""
        return raw_call_stream(self, name, arguments, fds, capacity, cancellable)

    def dup_pids(self):
        """The numbers of the worker processes, the oldest first."""
        return list(raw.ProcessExecutor.dup_pids(self) or ())

    @property
    def pids(self):
        """The numbers of the worker processes, the oldest first."""
        return self.dup_pids()

    def shutdown(self, mode=raw.ShutdownMode.DRAIN):
        """Refuses new calls. Returns a future, resolved when all that there are have ended,
        and with them their workers."""
        return raw.ProcessExecutor.shutdown(self, mode)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        wait(self.shutdown(), None)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        await self.shutdown().shield()

    call_timeout = _seconds('call-timeout')
    grace_period = _seconds('grace-period')
    idle_timeout = _seconds('idle-timeout')
    start_timeout = _seconds('start-timeout')


def _begun(error):
    """An exception that was caught, to be raised again."""
    error.__traceback__ = error.__traceback__.tb_next
    return error


def _raise(error):
    try:
        raise error
    finally:
        error = None


@public
class ProcessStream:
    """The values of a call that yields them one by one."""

    def __init__(self, channel, trusted):
        self._channel = channel
        self._values = iter(channel)
        self._trusted = trusted

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self._read(next(self._values))
        except GLib.Error as error:
            self._fail(error)

    def __aiter__(self):
        return self

    async def __anext__(self):
        try:
            return self._read(await self._values.__anext__())
        except GLib.Error as error:
            self._fail(error)

    def _fail(self, error):
        if error.domain == PYTHON_ERROR:
            raise crossing.RemoteError(error.message) from None
        raise error

    def _read(self, item):
        if item.get_type_string() != crossing.FAILED:
            return crossing.unpickled(item) if self._trusted else crossing.decode(item)
        (details,) = crossing.decode(item)
        error = crossing.rebuild(details, self._trusted)
        self.close()
        try:
            raise error
        finally:
            self = error = None

    def close(self):
        """Asks the worker to stop."""
        self._channel.stop()

    async def aclose(self):
        """The same as close ()."""
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exception):
        self.close()

    def __del__(self):
        channel = self.__dict__.get('_channel')
        if channel is not None:
            channel.stop()
