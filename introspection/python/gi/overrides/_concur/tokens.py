# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Python's values in the GValues of a channel.

The garbage collector does not see what a GValue holds: a value that refers to its own channel
would keep both for ever. So what C cannot read stays with the channel's object in Python, and
through C goes a token for it."""

import itertools
import weakref

from gi.repository import GLib, GObject

_INT64 = range(-1 << 63, 1 << 63)

_keys = itertools.count()

# GObject.Values for an int, each used by one call at a time: making one costs more than
# the call.
_spare = []

NOTHING = GObject.Value(GObject.TYPE_OBJECT)


class Store(dict):
    """The values of a channel, by the keys of their tokens."""

    __slots__ = ('reference', '__weakref__')

    def __init__(self):
        super().__init__()
        self.reference = weakref.ref(self)


class Token:
    """What C has in place of a value. The value goes from the store when C lets go of it."""

    __slots__ = ('_reference', '_key')

    def __init__(self, store, value):
        self._reference = store.reference
        self._key = key = next(_keys)
        store[key] = value

    def __del__(self):
        store = self._reference()
        if store is not None:
            store.pop(self._key, None)

    def get(self):
        store = self._reference()
        if store is None:
            raise RuntimeError('the Python value has gone with the channel that it was sent to')
        return store[self._key]


def pack(store, value):
    """What to give C for a value: as itself if C can read it, else a token."""
    kind = type(value)
    if kind is str:
        if value.isascii():
            if '\0' not in value:
                return value
        elif '\0' not in value and _is_text(value):
            return value
    elif kind is int:
        if value in _INT64:
            try:
                packed = _spare.pop()
            except IndexError:
                packed = GObject.Value(GObject.TYPE_INT64)
            packed.set_int64(value)
            return packed
    elif value is None:
        return NOTHING
    elif kind is float or kind is bool:
        return value
    elif isinstance(value, (GObject.Object, GLib.Variant, GLib.Bytes)):
        return value
    return Token(store, value)


def packed_is_free(packed):
    """C has its copy."""
    if type(packed) is GObject.Value and packed is not NOTHING:
        _spare.append(packed)


def _is_text(value):
    try:
        value.encode()
    except UnicodeError:
        return False
    return True


def unpack(value):
    """The value for what C gave."""
    if type(value) is Token:
        return value.get()
    if isinstance(value, GObject.GBoxed):
        # PyGObject lends C's own.
        return GObject.Value(value.__gtype__, value).get_value()
    return value
