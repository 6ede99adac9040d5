#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Shapes that some language binding gets wrong must not appear in the API.

Each rule stands for something that leaked, crashed or could not be called from Python,
JavaScript or Vala. The rules read the GIR, which says more than the typelib compiled from
it; the typelib is then loaded where this interpreter has gi. Output is TAP.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

CALLABLES = ('function', 'method', 'constructor', 'virtual-method', 'callback', 'signal')
MEMBERS = ('function', 'method', 'constructor', 'virtual-method', 'property', 'signal')
BASIC = {'utf8', 'filename', 'gboolean', 'gchar', 'guchar', 'gint', 'guint', 'gint8', 'guint8',
         'gint16', 'guint16', 'gint32', 'guint32', 'gint64', 'guint64', 'glong', 'gulong',
         'gsize', 'gssize', 'gfloat', 'gdouble', 'gunichar', 'GType'}

# With "using Concur;" in Vala, each would hide a name of GLib's.
BAD_TYPE_NAMES = {'Error', 'Task', 'Thread', 'Source', 'Process', 'Queue', 'Cancellable', 'Value',
                  'Object', 'Variant', 'Bytes', 'File', 'MainLoop', 'MainContext', 'Mutex', 'Cond'}
# Keywords somewhere, members of what a binding wraps us in, or JavaScript's thenables.
BAD_MEMBER_NAMES = {'then', 'catch', 'finally', 'await', 'async', 'yield', 'chain', 'message',
                    'warning', 'error', 'lock', 'with', 'raise', 'import', 'delete', 'throw',
                    'connect', 'disconnect', 'emit', 'notify', 'ref', 'unref', 'constructor'}

RULES = {}


def rule(function):
    RULES[function.__name__.replace('_', '-')] = function
    return function


class Api:
    """A GIR with what the rules ask of it."""

    def __init__(self, root):
        self.namespace = root.find(CORE + 'namespace')
        self.callbacks = {node.get('name') for node in self.namespace.findall(CORE + 'callback')}
        self.callables = list(self._callables(self.namespace, ''))

    def _callables(self, node, owner):
        for child in node:
            tag = child.tag.removeprefix(CORE)
            name = f'{owner}.{child.get("name")}' if owner else child.get('name')
            if child.get('introspectable') == '0':
                continue
            if tag in CALLABLES:
                yield tag, name, child
            elif child.get(GLIB + 'is-gtype-struct-for') is None and tag != 'field':
                yield from self._callables(child, name)

    @staticmethod
    def _visible(owner, tag):
        # What is marked (skip) concerns C and Vala alone.
        return [node for node in owner.findall(CORE + tag) if node.get('introspectable') != '0']

    def types(self):
        for tag in ('class', 'interface', 'record', 'union', 'enumeration', 'bitfield', 'callback',
                    'alias'):
            yield from self._visible(self.namespace, tag)

    def members(self):
        for owner in self.types():
            for tag in MEMBERS:
                for node in self._visible(owner, tag):
                    yield f'{owner.get("name")}.{node.get("name")}', node
        for node in self._visible(self.namespace, 'function'):
            yield node.get('name'), node

    def parameters(self, node):
        return node.findall(f'{CORE}parameters/{CORE}parameter')

    def values(self):
        """Everything that crosses a call: (where, kind, node that holds the type)"""
        for _, name, node in self.callables:
            for parameter in self.parameters(node):
                yield f'{name}({parameter.get("name")})', 'parameter', parameter
            returned = node.find(CORE + 'return-value')
            if returned is not None:
                yield f'{name}()', 'return', returned
        for owner in self.types():
            for node in self._visible(owner, 'property'):
                yield f'{owner.get("name")}:{node.get("name")}', 'property', node

    def is_callback(self, parameter):
        name = type_name(parameter)
        return (name in self.callbacks or
                '.' in name and name.endswith(('Func', 'Callback', 'Notify')))


def type_name(node):
    found = node.find(CORE + 'type')
    return (found.get('name') or '') if found is not None else ''


def owned(node, kind):
    if kind == 'parameter' and node.get('direction', 'in') == 'in':
        return False
    return node.get('transfer-ownership') in ('full', 'container')


@rule
def no_raw_pointers(api):
    """A gpointer means nothing to a binding, closure data excepted."""
    closures = set()
    for _, _, node in api.callables:
        parameters = api.parameters(node)
        for parameter in parameters:
            if parameter.get('closure') is not None:
                closures.add(parameters[int(parameter.get('closure'))])
    for where, _, node in api.values():
        if type_name(node) in ('gpointer', 'gconstpointer') and node not in closures:
            yield where


@rule
def no_lists_or_hash_tables(api):
    """Their ownership differs from binding to binding."""
    for where, _, node in api.values():
        if type_name(node) in ('GLib.List', 'GLib.SList', 'GLib.HashTable', 'GLib.Sequence'):
            yield where


@rule
def arrays_have_a_length(api):
    """Only arrays of strings may end at NULL."""
    for where, _, node in api.values():
        array = node.find(CORE + 'array')
        if array is None or array.get('name'):
            continue
        strings = type_name(array) in ('utf8', 'filename') and array.get('zero-terminated') != '0'
        if array.get('length') is None and array.get('fixed-size') is None and not strings:
            yield where


@rule
def no_value_out(api):
    """GJS leaks what an out GValue holds."""
    for where, kind, node in api.values():
        if (kind == 'parameter' and node.get('direction', 'in') != 'in' and
                type_name(node) == 'GObject.Value'):
            yield where


@rule
def no_owned_value_returned(api):
    """PyGObject leaks it, and aborts when a callback returns one."""
    for where, kind, node in api.values():
        if kind == 'return' and type_name(node) == 'GObject.Value' and owned(node, kind):
            yield where


@rule
def no_owned_array_of_objects(api):
    """GJS leaks one reference for each element; a GListModel is right everywhere."""
    for where, kind, node in api.values():
        array = node.find(CORE + 'array')
        if (array is not None and not array.get('name') and owned(node, kind) and
                type_name(array) not in BASIC):
            yield where


@rule
def no_owned_pointer_array(api):
    """PyGObject and GJS both free its elements twice."""
    for where, kind, node in api.values():
        array = node.find(CORE + 'array')
        if (array is not None and array.get('name') == 'GLib.PtrArray' and
                node.get('transfer-ownership') == 'full'):
            yield where


@rule
def callbacks_have_scope_and_destroy(api):
    """Async scope is GAsyncReadyCallback's alone: others would leak when they never run."""
    for kind, name, node in api.callables:
        if kind in ('callback', 'virtual-method', 'signal'):
            continue
        for parameter in api.parameters(node):
            if not api.is_callback(parameter) or type_name(parameter) == 'GLib.DestroyNotify':
                continue
            scope = parameter.get('scope')
            if (scope is None or scope == 'forever' or
                    scope == 'notified' and parameter.get('destroy') is None or
                    scope == 'async' and type_name(parameter) != 'Gio.AsyncReadyCallback'):
                yield f'{name}({parameter.get("name")})'


@rule
def no_callback_given_to_user_code(api):
    """PyGObject crashes and GJS refuses when a vfunc or callback is handed a callback."""
    for kind, name, node in api.callables:
        if kind in ('callback', 'virtual-method', 'signal'):
            for parameter in api.parameters(node):
                if api.is_callback(parameter):
                    yield f'{name}({parameter.get("name")})'


@rule
def structs_have_a_type(api):
    """Without a GType a binding cannot copy or free it."""
    for record in api.namespace.findall(CORE + 'record') + api.namespace.findall(CORE + 'union'):
        if (record.get(GLIB + 'get-type') is None and record.get('disguised') != '1' and
                record.get('opaque') != '1' and
                record.get(GLIB + 'is-gtype-struct-for') is None):
            yield record.get('name')


@rule
def enumerations_have_a_type(api):
    """Properties, signals and GValues need it."""
    for tag in ('enumeration', 'bitfield'):
        for node in api.namespace.findall(CORE + tag):
            if node.get(GLIB + 'get-type') is None:
                yield node.get('name')


@rule
def async_functions_can_be_awaited(api):
    """Bindings find the finish function by its name."""
    members = {name for name, _ in api.members()}
    for name, node in api.members():
        if (name.endswith('_async') and node.tag != CORE + 'virtual-method' and
                name.removesuffix('_async') + '_finish' not in members):
            yield name


@rule
def no_type_named_like_another(api):
    """"using Concur;" in Vala would make the plain name ambiguous."""
    for node in api.types():
        if node.get('name') in BAD_TYPE_NAMES:
            yield node.get('name')


@rule
def no_member_with_a_meaning_elsewhere(api):
    """A keyword cannot be called; a method "then" makes a thenable that never ends."""
    for name, node in api.members():
        if node.get('name').replace('-', '_') in BAD_MEMBER_NAMES:
            yield name


def check(api):
    return {name: sorted(set(function(api))) for name, function in RULES.items()}


def load(path):
    """What fails when the typelib beside the GIR at @path is loaded."""
    import gi
    from gi.module import get_introspection_module

    namespace, version = os.path.basename(path).removesuffix('.gir').rsplit('-', 1)
    gi.require_version(namespace, version)
    module = get_introspection_module(namespace)
    for node in Api(ElementTree.parse(path).getroot()).types():
        name = node.get('name')
        # PyGObject has no attribute for these.
        if node.tag in (CORE + 'alias', CORE + 'callback'):
            continue
        try:
            found = getattr(module, name)
            for method in node.findall(CORE + 'method') + node.findall(CORE + 'function'):
                if method.get('introspectable') != '0' and not method.get('moved-to'):
                    getattr(found, method.get('shadows', method.get('name')))
        except AttributeError as error:
            yield f'{name}: {error}'


BAD = '''<repository xmlns="http://www.gtk.org/introspection/core/1.0"
  xmlns:c="http://www.gtk.org/introspection/c/1.0"
  xmlns:glib="http://www.gtk.org/introspection/glib/1.0"><namespace name="Bad">
<callback name="Func"><parameters>
  <parameter name="inner" scope="call"><type name="Func"/></parameter>
  <parameter name="user_data" closure="1"><type name="gpointer"/></parameter>
</parameters></callback>
<record name="Plain"/>
<enumeration name="Untyped"/>
<class name="Error">
  <method name="then"><parameters>
    <parameter name="raw"><type name="gpointer"/></parameter>
    <parameter name="list"><type name="GLib.List"/></parameter>
    <parameter name="array"><array zero-terminated="0"><type name="Thing"/></array></parameter>
    <parameter name="value" direction="out"><type name="GObject.Value"/></parameter>
    <parameter name="func"><type name="Func"/></parameter>
    <parameter name="kept" scope="notified" closure="6"><type name="Func"/></parameter>
    <parameter name="data"><type name="gpointer"/></parameter>
  </parameters><return-value transfer-ownership="full"><type name="GObject.Value"/></return-value></method>
  <method name="things_async"><return-value transfer-ownership="full">
    <array length="0"><type name="Thing"/></array></return-value></method>
  <method name="pointers"><return-value transfer-ownership="full">
    <array name="GLib.PtrArray"><type name="Thing"/></array></return-value></method>
</class></namespace></repository>'''

BAD_EXPECTED = {
    'no-raw-pointers': ['Error.then(raw)'],
    'no-lists-or-hash-tables': ['Error.then(list)'],
    'arrays-have-a-length': ['Error.then(array)'],
    'no-value-out': ['Error.then(value)'],
    'no-owned-value-returned': ['Error.then()'],
    'no-owned-array-of-objects': ['Error.things_async()'],
    'no-owned-pointer-array': ['Error.pointers()'],
    'callbacks-have-scope-and-destroy': ['Error.then(func)', 'Error.then(kept)'],
    'no-callback-given-to-user-code': ['Func(inner)'],
    'structs-have-a-type': ['Plain'],
    'enumerations-have-a-type': ['Untyped'],
    'async-functions-can-be-awaited': ['Error.things_async'],
    'no-type-named-like-another': ['Error'],
    'no-member-with-a-meaning-elsewhere': ['Error.then'],
}


def report(results, expected, extra=()):
    """Prints TAP; @extra holds finished lines."""
    number = 0
    for name, found in results.items():
        number += 1
        wanted = expected.get(name, [])
        print('ok' if found == wanted else 'not ok', number, name)
        if found != wanted:
            print(f'# {RULES[name].__doc__}' if name in RULES else f'# {name}')
            for where in found:
                print(f'#   {where}')
            if wanted:
                print(f'#   expected: {wanted}')
    for line in extra:
        number += 1
        print(line.format(number=number))
    print(f'1..{number}')


def main():
    if sys.argv[1] == '--self-test':
        return report(check(Api(ElementTree.fromstring(BAD))), BAD_EXPECTED)

    api = Api(ElementTree.parse(sys.argv[1]).getroot())
    results = check(api)
    extra = []
    try:
        results['typelib-loads'] = list(load(sys.argv[1]))
    except ImportError as error:
        extra.append(f'ok {{number}} typelib-loads # SKIP {error}')
    # An API that was read wrongly would break no rule.
    counted = len(api.callables)
    extra.append(f'{"ok" if counted > 0 else "not ok"} {{number}} {counted} callables read')
    return report(results, {}, extra)


if __name__ == '__main__':
    main()
