# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""How Python's values and exceptions get into a job."""

import threading
import weakref

from gi.repository import GLib, GObject

from .base import CANCELLED_TYPES, raw, to_exception, to_gerror

# raw.Job is not for here: its base class has to be overridden before it is looked at.
raw_state = raw.Future.get_state

CANCELLED = int(raw.FutureState.CANCELLED)

# KeyboardInterrupts that came while the main thread ran a job, for iterate () to pass on:
# C cannot.
interrupts = []

_main = threading.main_thread().ident


def complete(job, value):
    """Resolves job, a Job or what has its return_* functions, with any Python value."""
    # Before C knows: who waits finds it there. It is not put into the GValue, because the
    # garbage collector does not look there: a value that refers to its own future would
    # stay for ever. C has what it can read, or else a weak reference to the job.
    own = job.__dict__
    if '_value' in own or '_exception' in own:
        # The first answer counts.
        return
    own['_value'] = value
    put(job, value)
    if '_abandoned' in own and raw_state(job) == CANCELLED:
        # Nobody is going to ask for it.
        own.pop('_value', None)


def complete_own(job):
    """The same for a value that is in __dict__ already, and that the caller does not hold."""
    own = job.__dict__
    value = own['_value']
    if type(value) in NATIVE:
        put(job, value)
    else:
        value = None
        put_other(job)
    if '_abandoned' in own and raw_state(job) == CANCELLED:
        own.pop('_value', None)


def put(job, value):
    """Answers with what C can read of value, which Python has put into __dict__."""
    if type(value) not in NATIVE:
        put_other(job)
        return
    try:
        RETURNS[type(value)](job, value)
    except (OverflowError, UnicodeError):
        _return_reference(job)


def put_other(job):
    """The same for a value whose type is not in NATIVE, which the caller does not hold:
    who waits may let go of it before the caller's frame is gone."""
    value = job.__dict__['_value']
    if isinstance(value, GObject.Object):
        job.return_object(value)
    elif isinstance(value, GLib.Variant):
        job.return_variant(value)
    elif isinstance(value, GLib.Bytes):
        job.return_bytes(value)
    else:
        value = None
        _return_reference(job)


def _return_reference(job):
    raw.Job.return_value(job, weakref.ref(job))


def _return_string(job, value):
    if '\0' in value:
        raise UnicodeError
    job.return_string(value)


# The types that C has, too.
NATIVE = frozenset({type(None), bool, int, float, str})

# How C is given them; job.py adds the functions of Job, which it makes first.
RETURNS = {str: _return_string}


def fail(job, exception):
    """Rejects job with any Python exception, or cancels it if the exception says so."""
    own = job.__dict__
    if '_value' in own or '_exception' in own:
        return
    if isinstance(exception, KeyboardInterrupt) and threading.get_ident() == _main:
        interrupts.append(exception)
    exception = to_exception(exception)
    if not isinstance(exception, CANCELLED_TYPES):
        own['_exception'] = exception
    raw.Job.return_error(job, to_gerror(exception))
    if raw_state(job) == CANCELLED:
        own.pop('_exception', None)


def drop_frames(error, number):
    """Takes our own frames off the traceback of an exception."""
    traceback = error.__traceback__
    while number > 0 and traceback is not None:
        traceback = traceback.tb_next
        number -= 1
    error.__traceback__ = traceback
