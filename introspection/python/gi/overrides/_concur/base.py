# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What every other module here starts from: the introspected module, units, and errors on
their way between GError and Python."""

import asyncio
import concurrent.futures
import itertools
import math

from gi.module import get_introspection_module
from gi.overrides import override as gi_override
from gi.repository import Gio, GLib, GObject

raw = get_introspection_module('Concur')

# What module the names below Concur say they are from.
MODULE = 'gi.repository.Concur'
# And our own GObject classes until they are made: PyGObject neither registers a type from
# gi.overrides nor looks for the vfuncs of one from gi.repository.
OWN = 'concur'

FUTURE_ERROR = GLib.quark_to_string(raw.future_error_quark())
EXECUTOR_ERROR = GLib.quark_to_string(raw.executor_error_quark())
CHANNEL_ERROR = GLib.quark_to_string(raw.channel_error_quark())
IO_ERROR = GLib.quark_to_string(Gio.io_error_quark())
PYTHON_ERROR = 'concur-python-error-quark'

CancelledError = concurrent.futures.CancelledError
InvalidStateError = concurrent.futures.InvalidStateError

# What counts as "was cancelled" when a job raises it.
CANCELLED_TYPES = (asyncio.CancelledError, concurrent.futures.CancelledError)

if asyncio.TimeoutError is TimeoutError:
    TimedOut = TimeoutError
else:
    # Before Python 3.11 each side catches its own.
    class TimedOut(concurrent.futures.TimeoutError, asyncio.TimeoutError, TimeoutError):
        """A time limit was reached."""


def override(cls):
    """Makes cls what GObjects of its type are in Python."""
    # PyGObject goes by the name of the module, which for it is always one file.
    cls.__module__ = 'gi.overrides.Concur'
    gi_override(cls)
    cls.__module__ = MODULE
    return cls


def public(thing):
    """For what is new in Python: it says that it is from Concur."""
    thing.__module__ = MODULE
    return thing


def to_us(timeout):
    """Microseconds of a number of seconds; -1, for ever, of None. What is past is 0."""
    if timeout is None:
        return -1
    if timeout != timeout:
        raise ValueError('a timeout must be a number')
    if timeout <= 0:
        return 0
    # Rounded up, so that what is short is not nothing. Longer than 290 000 years is for ever.
    return -1 if timeout > 9e12 else math.ceil(timeout * 1e6)


_BY_CODE = {
    (FUTURE_ERROR, int(raw.FutureError.PENDING)): InvalidStateError,
    (FUTURE_ERROR, int(raw.FutureError.TIMED_OUT)): TimedOut,
    (FUTURE_ERROR, int(raw.FutureError.WRONG_TYPE)): TypeError,
    (EXECUTOR_ERROR, int(raw.ExecutorError.NOT_FOUND)): LookupError,
    (IO_ERROR, int(Gio.IOErrorEnum.CANCELLED)): CancelledError,
}


def add_error(domain, code, kind):
    """Has an error of C raised as an exception of this class."""
    _BY_CODE[domain, int(code)] = kind


def to_python(error):
    """The exception to raise for a GLib.Error: the one that Python has for it, caused by
    it, where there is one."""
    kind = _BY_CODE.get((error.domain, error.code))
    if kind is None:
        if error.domain not in (FUTURE_ERROR, EXECUTOR_ERROR):
            return error
        kind = RuntimeError
    exception = kind(error.message)
    exception.__cause__ = error
    return exception


# Of so many exceptions the code is different, so that one is known by its GLib.Error.
_serials = itertools.count(1)


def to_exception(exception):
    """What was given as one: an exception, or a class to make it of."""
    if isinstance(exception, type) and issubclass(exception, BaseException):
        exception = exception()
    if not isinstance(exception, BaseException):
        raise TypeError(f'an exception is needed, not {type(exception).__name__}')
    if isinstance(exception, StopIteration):
        # It would end the coroutine or generator that waits for it.
        replacement = RuntimeError(f'a job raised {type(exception).__name__}')
        replacement.__cause__ = exception
        return replacement
    return exception


def to_gerror(exception):
    """The GLib.Error by which other languages see an exception."""
    if isinstance(exception, GLib.Error):
        return exception
    if isinstance(exception, CANCELLED_TYPES):
        return GLib.Error(_text(exception) or 'Operation was cancelled', IO_ERROR,
                          int(Gio.IOErrorEnum.CANCELLED))
    # What to_python () made goes back as what it was.
    cause = exception.__cause__
    if isinstance(cause, GLib.Error) and cause.message == _text(exception):
        return cause
    text = describe(exception)
    if isinstance(exception, OSError) and exception.errno:
        return GLib.Error(text, IO_ERROR, int(Gio.io_error_from_errno(exception.errno)))
    return GLib.Error(text, PYTHON_ERROR, next(_serials) & 0x7fffffff)


def describe(exception):
    """One line, such as "ValueError: no such colour"."""
    text = _text(exception)
    return f'{type(exception).__name__}: {text}' if text else type(exception).__name__


def _text(exception):
    try:
        text = str(exception)
    except BaseException:
        text = 'its message cannot be made'
    # GError's message is a C string.
    return text.encode('utf-8', 'backslashreplace').decode().replace('\0', '\\0')


def install_properties(module):
    """Makes every GObject property of the classes in module an attribute, where there is
    none of that name yet."""
    for name in dir(module):
        cls = getattr(module, name)
        if not isinstance(cls, type) or not issubclass(cls, (GObject.Object,
                                                             GObject.GInterface)):
            continue
        for spec in GObject.list_properties(cls):
            attribute = spec.name.replace('-', '_')
            if not hasattr(cls, attribute):
                setattr(cls, attribute, _make_property(spec))


def _make_property(spec):
    def get(self):
        return self.get_property(spec.name)

    def put(self, value):
        self.set_property(spec.name, value)

    flags = spec.flags
    writable = flags & GObject.ParamFlags.WRITABLE and not (
        flags & GObject.ParamFlags.CONSTRUCT_ONLY)
    return property(get if flags & GObject.ParamFlags.READABLE else None,
                    put if writable else None, doc=spec.blurb or spec.name)
