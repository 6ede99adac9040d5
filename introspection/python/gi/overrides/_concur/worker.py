# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A worker process, from its start to its end."""

import importlib
import logging
import multiprocessing
import os
import pickle
import runpy
import signal
import sys
import traceback
import types

import gi
from gi.module import get_introspection_module
from gi.repository import GLib

from . import workercall
from .crossing import (decode, describe_failure, encode, failed, pickled, read_details,
                       to_bytes)

gi.require_version('Concur', '1')

# Without the overrides, which take long to load, and which a call does not need.
raw = get_introspection_module('Concur')

_PYTHON_ERROR = 'concur-python-error-quark'
_IO_ERROR = 'g-io-error-quark'
_CANCELLED = 19
_FAILED = 0

# The module whose functions are called by name.
_module = None

# Whether code of others is running for a call, and it has not been interrupted yet.
_is_interruptible = False

# Whether this is a process that a call has forked from the worker: the worker answers.
_is_forked = False


def _interrupted(number, frame):
    """On the main thread, between two steps of what it does."""
    global _is_interruptible
    call = workercall.current
    if call is not None:
        call.get_cancellable().cancel()
    if _is_interruptible:
        # Once is enough, and what is done about it is left in peace.
        _is_interruptible = False
        raise workercall.CallCancelled('the program asked to stop the call')


def _prepare(setup):
    global _module
    sys.argv[:] = setup['argv']
    if 'authkey' in setup:
        _introduce(setup['authkey'])
    workercall.preparing = True
    try:
        _load_main(setup.get('main_name'), setup.get('main_path'))
    finally:
        workercall.preparing = False
    if setup.get('module') is not None:
        _module = importlib.import_module(setup['module'])
    if setup.get('initializer') is not None:
        initializer, initargs = pickle.loads(setup['initializer'])
        try:
            initializer(*initargs)
        except BaseException:
            # Where it always was.
            logging.getLogger('concurrent.futures').critical('Exception in initializer:',
                                                             exc_info=True)
            raise


def _introduce(authkey):
    """What multiprocessing knows of its own workers."""
    process = multiprocessing.current_process()
    process.authkey = authkey
    process.name = f'ConcurProcess-{os.getpid()}'


def _load_main(name, path):
    """Makes the functions of the program's main module known as its own, without running
    what it does only if it is the main one."""
    if name is None and path is None:
        return
    main = types.ModuleType('__mp_main__')
    # Before it is run: it may look itself up.
    previous = sys.modules['__main__']
    sys.modules['__main__'] = sys.modules['__mp_main__'] = main
    try:
        content = (runpy.run_module(name, run_name='__mp_main__', alter_sys=True)
                   if name is not None else runpy.run_path(path, run_name='__mp_main__'))
    except BaseException:
        sys.modules['__main__'] = previous
        raise
    main.__dict__.update(content)
    sys.modules['__main__'] = sys.modules['__mp_main__'] = main


def _work(call):
    """What to answer."""
    arguments = call.get_arguments()
    if arguments.get_type_string().startswith('m'):
        return _stream(call, arguments.get_child_value(0))
    function, args, kwargs, pack = _find(call, arguments)
    value = function(*args, **kwargs)
    if pack is encode and isinstance(value, types.GeneratorType):
        value.close()
        raise TypeError(f'{call.get_name()} yields its values: use stream ()')
    return pack(value)


def _find(call, arguments):
    """What is called, what with, and how what comes of it is packed."""
    # What is called by its name has a tuple, whatever is in it.
    if arguments.get_type_string() == 'ay':
        return (*pickle.loads(to_bytes(arguments)), pickled)
    if _module is None:
        raise LookupError('the worker has no module whose functions could be called by name')
    name = call.get_name()
    function = getattr(_module, name, None)
    if name.startswith('_') or not callable(function):
        raise LookupError(f'the module {_module.__name__} has no function {name}')
    args = decode(arguments)
    return function, args if isinstance(args, tuple) else (args,), {}, encode


def _forked():
    global _is_forked
    _is_forked = True
    # It has nobody to report to.
    workercall.current = None


def _leave_forked(error):
    """Where a process that was forked by a call has come to the end of the function."""
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        status = 1
        traceback.print_exception(type(error), error, _without_own(error.__traceback__))
    _flush()
    # Without the finalisers, which would answer the call or end what the worker has.
    os._exit(status & 0xff)


def _stream(call, arguments):
    try:
        function, args, kwargs, pack = _find(call, arguments)
        _send_all(call, iter(function(*args, **kwargs)), pack)
    except BaseException as error:
        if _is_forked or call.is_cancelled():
            raise
        # It comes after the values.
        call.send_item(failed(describe_failure(error)))
    return encode(None)


def _send_all(call, values, pack):
    global _is_interruptible
    try:
        for value in values:
            if _is_forked:
                _leave_forked(None)
            # An exception here could get lost in the finaliser of a GLib.Variant.
            asked, _is_interruptible = not _is_interruptible, False
            call.send_item(pack(value))
            _is_interruptible = not asked
            if not asked and call.is_cancelled():
                raise workercall.CallCancelled('the program asked to stop the call')
    finally:
        close = getattr(values, 'close', None)
        if close is not None:
            close()


def _answer(call):
    global _is_interruptible
    answer = failure = None
    cancelled = False
    workercall.current = call
    try:
        try:
            _is_interruptible = True
            answer = _work(call)
        finally:
            _is_interruptible = False
    except BaseException as error:
        _is_interruptible = False
        if _is_forked:
            _leave_forked(error)
        cancelled = call.is_cancelled() and _is_cancellation(error)
        if not cancelled:
            error.__traceback__ = _without_own(error.__traceback__)
            failure = describe_failure(error)
    if _is_forked:
        _leave_forked(None)
    workercall.current = None
    _flush()
    if cancelled:
        call.return_failure(_IO_ERROR, _CANCELLED, 'The call was cancelled', None)
    elif failure is not None:
        _fail(call, failure)
    else:
        call.return_value(answer)


def _is_cancellation(error):
    if isinstance(error, workercall.CancelledError):
        return True
    if isinstance(error, GLib.Error):
        return error.matches(GLib.quark_from_string(_IO_ERROR), _CANCELLED)
    # Only there if the function has imported it.
    base = sys.modules.get('concurrent.futures._base')
    return base is not None and isinstance(error, base.CancelledError)


def _without_own(frames):
    """Without the frames of this file."""
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        if frames.tb_next is None:
            break
        frames = frames.tb_next
    return frames


def _fail(call, failure):
    text = ': '.join(filter(None, (failure['type'], failure['text'])))
    call.return_failure(_PYTHON_ERROR, _FAILED, text, encode(failure))


def _flush():
    """What was printed is seen even if the process is killed later."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass


def main():
    worker = raw.ProcessWorker.new()
    # For those that this process starts.
    os.environ.pop('CONCUR_WORKER_FD', None)
    signal.signal(signal.SIGINT, _interrupted)
    os.register_at_fork(after_in_child=_forked)
    broken = None
    try:
        _prepare(pickle.loads(read_details(worker.get_options())['setup']))
    except BaseException as error:
        error.__traceback__ = _without_own(error.__traceback__)
        broken = describe_failure(error)
        broken['setup'] = True
        _flush()

    while True:
        call = worker.next_call()
        if call is None:
            break
        if broken is None:
            _answer(call)
        else:
            _fail(call, broken)
        call = None
    _flush()
