# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What crosses between a program and its worker processes, both ways.

Workers use it without the rest of the overrides, which take long to load."""

import builtins
import pickle
import traceback

from gi.repository import GLib

_BYTES = GLib.VariantType.new('ay')
_INT64 = range(-1 << 63, 1 << 63)
_UINT64 = range(1 << 64)

# GVariant has its own limit, of twice as many.
_MAX_DEPTH = 48


def from_bytes(data):
    return GLib.Variant.new_from_bytes(_BYTES, GLib.Bytes.new(data), True)


def to_bytes(variant):
    return variant.get_data_as_bytes().get_data() or b''


def pickled(value):
    return from_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def unpickled(variant):
    return pickle.loads(to_bytes(variant))


def encode(value, depth=0):
    """A GLib.Variant for what every language has: None, numbers, text, bytes, lists, tuples,
    and dictionaries whose keys are text."""
    if value is None:
        return GLib.Variant('mv', None)
    if isinstance(value, bool):
        return GLib.Variant('b', value)
    if isinstance(value, int):
        if value in _INT64:
            return GLib.Variant('x', value)
        if value in _UINT64:
            return GLib.Variant('t', value)
        raise OverflowError(f'an integer of {value.bit_length()} bits cannot cross')
    if isinstance(value, float):
        return GLib.Variant('d', value)
    if isinstance(value, str):
        return GLib.Variant('s', _checked(value))
    if isinstance(value, (bytes, bytearray, memoryview)):
        return from_bytes(bytes(value))
    if isinstance(value, GLib.Variant):
        return value
    if depth == _MAX_DEPTH:
        raise ValueError('it is nested too deep, or contains itself')
    if isinstance(value, list):
        return GLib.Variant('av', [encode(item, depth + 1) for item in value])
    if isinstance(value, tuple):
        return encode_tuple(value, depth)
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f'the keys of what crosses are str, not {type(key).__name__}')
        return GLib.Variant('a{sv}', {_checked(key): encode(item, depth + 1)
                                      for key, item in value.items()})
    raise TypeError(f'{type(value).__name__} cannot cross: give numbers, text, bytes, lists or '
                    'dictionaries, or submit () a function, whose arguments are pickled')


def encode_tuple(values, depth=0):
    builder = GLib.VariantBuilder.new(GLib.VariantType.new('r'))
    for value in values:
        builder.add_value(encode(value, depth + 1))
    return builder.end()


def _checked(text):
    if '\0' in text:
        raise ValueError('text that crosses has no NUL: give bytes')
    # What is no text has its own error.
    text.encode()
    return text


def decode(variant):
    """The natural value of a GLib.Variant."""
    kind = variant.get_type_string()
    if kind == 'ay':
        return to_bytes(variant)
    if kind == 'v':
        return decode(variant.get_variant())
    first = kind[0]
    if first == 'm':
        return decode(variant.get_child_value(0)) if variant.n_children() else None
    if first in 'a({':
        children = [decode(variant.get_child_value(index))
                    for index in range(variant.n_children())]
        if kind.startswith('a{'):
            return dict(children)
        return children if first == 'a' else tuple(children)
    return variant.unpack()


def streamed(arguments):
    """The arguments of a call that yields its values."""
    return GLib.Variant.new_maybe(None, arguments)


# No value is encoded as this.
FAILED = 'm(a{sv})'


def failed(details):
    """What comes after the values of a stream that ends with an exception."""
    return GLib.Variant.new_maybe(None, encode((details,)))


def read_details(variant):
    return {} if variant is None else decode(variant)


def describe_failure(error):
    """What a worker says of an exception."""
    details = {
        'type': type(error).__qualname__,
        'text': _valid(_text_of(error)),
        'traceback': _valid(''.join(traceback.format_exception(type(error), error,
                                                               error.__traceback__))),
    }
    try:
        details['exception'] = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
    except BaseException:
        # The program makes do with the rest.
        pass
    return details


def _text_of(error):
    try:
        return str(error)
    except BaseException:
        return 'its message cannot be made'


def _valid(text):
    return text.encode('utf-8', 'backslashreplace').decode().replace('\0', '\\0')


class RemoteError(RuntimeError):
    """An exception of a worker process that cannot cross: one that cannot be pickled, or of
    a function called by its name. The worker's traceback is its __cause__."""

    __module__ = 'gi.repository.Concur'


def rebuild(details, trusted):
    """The exception for what describe_failure () said. One that was pickled is made only of
    what comes from a trusted worker."""
    error = None
    if trusted and 'exception' in details:
        try:
            error = pickle.loads(details['exception'])
        except BaseException:
            pass
    name, text = str(details.get('type', '')), str(details.get('text', ''))
    if not isinstance(error, BaseException):
        kind = getattr(builtins, name, None)
        if not trusted and isinstance(kind, type) and issubclass(kind, Exception):
            try:
                error = kind(text)
            except Exception:
                error = None
    if not isinstance(error, BaseException):
        error = RemoteError(f'{name}: {text}' if text else name)
    if 'traceback' in details:
        # Where others look for it.
        from concurrent.futures.process import _RemoteTraceback
        error.__cause__ = _RemoteTraceback('\n"""\n%s"""' % details['traceback'])
    return error


class _Carried:
    """An exception among values, with its traceback."""

    def __init__(self, error):
        self.details = describe_failure(error)

    def __reduce__(self):
        return rebuild, (self.details, True)


def call_all(function, chunk):
    """Several calls as one: their values, and the exception that ended them."""
    values = []
    try:
        for args in chunk:
            values.append(function(*args))
    except BaseException as error:
        if not values:
            raise
        return values, _Carried(error)
    return values, None
