# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Concur.pyi against what is there when the program runs."""

import ast
import inspect
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur, GObject

HERE = os.path.dirname(os.path.abspath(__file__))
STUBS = os.path.join(HERE, '..', '..', 'introspection', 'python', 'gi-stubs', 'repository',
                     'Concur.pyi')
FOREIGN = os.path.join(HERE, 'typed', 'foreign')
MODULE = 'gi.repository.Concur'

Parameter = inspect.Parameter
SPECIAL = {'__await__', '__enter__', '__exit__', '__aenter__', '__aexit__', '__call__',
           '__iter__', '__next__', '__aiter__', '__anext__', '__len__', '__getitem__'}
# What is there for C and the bindings.
HIDDEN = {'parent_instance'}


def read(text):
    """The names in a stub file: of functions lists of them, of classes their nodes."""
    return members(ast.parse(text).body)


def members(body):
    found = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = node
        elif isinstance(node, ast.Assign):
            # Members of an enumeration, and names of types.
            found[node.targets[0].id] = node
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                # Without "as" a stub does not give it on.
                if alias.asname is not None:
                    found[alias.asname] = node
    return found


def is_decorated(function, name):
    return any(isinstance(node, ast.Name) and node.id == name
               for node in function.decorator_list)


def parameters_of(function):
    """A function of a stub file as (name, kind, default), where default is a node."""
    args = function.args
    plain = args.posonlyargs + args.args
    # Its class is there already whenever one sees it.
    if is_decorated(function, 'classmethod'):
        plain = plain[1:]
    defaults = [None] * (len(plain) - len(args.defaults)) + args.defaults
    found = []
    for number, (arg, default) in enumerate(zip(plain, defaults)):
        kind = (Parameter.POSITIONAL_ONLY if number < len(args.posonlyargs)
                else Parameter.POSITIONAL_OR_KEYWORD)
        found.append((arg.arg, kind, default))
    if args.vararg:
        found.append((args.vararg.arg, Parameter.VAR_POSITIONAL, None))
    for arg, default in zip(args.kwonlyargs, args.kw_defaults):
        found.append((arg.arg, Parameter.KEYWORD_ONLY, default))
    if args.kwarg:
        found.append((args.kwarg.arg, Parameter.VAR_KEYWORD, None))
    return found


def introspected(thing):
    """The parameters that the typelib gives a function, as PyGObject describes them."""
    inside = re.match(r'\w+\((.*?)\)(?: ->|$)', thing.__doc__, re.DOTALL).group(1)
    found = []
    for text in filter(None, inside.split(', ')):
        name = re.match(r'\**(\w+)', text).group(1)
        if name != 'user_data':
            found.append((name, '=' in text))
    return found


class Checker:
    """Collects what is wrong with the text of a stub file."""

    def __init__(self, text):
        self.stub = read(text)
        self.wrong = []

    def run(self):
        live = {name for name in dir(Concur) if not name.startswith('_')
                and not self.is_class_struct(getattr(Concur, name))}
        declared = {name for name in self.stub if not name.startswith('_')}
        self.wrong += [f'{name}: not declared' for name in sorted(live - declared)]
        self.wrong += [f'{name}: does not exist' for name in sorted(declared - live)]
        for name in sorted(live & declared):
            node, thing = self.stub[name], getattr(Concur, name)
            if isinstance(node, ast.ClassDef):
                self.check_class(name, node, thing)
            elif isinstance(node, list):
                self.check_function(name, node, thing)
            elif isinstance(thing, type) and getattr(thing, '__module__', None) == MODULE:
                self.wrong.append(f'{name}: a class of ours is only imported')
        return self.wrong

    @staticmethod
    def is_class_struct(thing):
        return isinstance(thing, type) and issubclass(thing, gi._gi.Struct)

    def bases(self, node):
        """node's class and those of this file that it is derived from."""
        yield node
        for base in node.bases:
            if isinstance(base, ast.Subscript):
                base = base.value
            if isinstance(base, ast.Name) and isinstance(self.stub.get(base.id), ast.ClassDef):
                yield from self.bases(self.stub[base.id])

    def check_class(self, name, node, thing):
        declared = {}
        for base in self.bases(node):
            for member, nodes in members(base.body).items():
                declared.setdefault(member, nodes)
        own = members(node.body)

        live = set()
        for cls in thing.__mro__:
            if cls.__module__ == MODULE:
                live.update(member for member in vars(cls)
                            if not member.startswith('_') or member in SPECIAL)
        live -= HIDDEN
        vfuncs = self.vfuncs(thing)
        live |= vfuncs

        self.wrong += [f'{name}.{member}: not declared'
                       for member in sorted(live - set(declared))]
        for member, nodes in own.items():
            where = f'{name}.{member}'
            if member == '__init__':
                self.check_init(where, nodes[0], thing)
            elif not hasattr(thing, member):
                if member not in vfuncs and not self.is_set_at_once(thing, member):
                    self.wrong.append(f'{where}: does not exist')
            elif isinstance(nodes, ast.Assign):
                if nodes.value.value != int(getattr(thing, member)):
                    self.wrong.append(f'{where}: is {int(getattr(thing, member))}')
            elif isinstance(nodes, list):
                self.check_member(where, nodes, getattr(thing, member),
                                  inspect.getattr_static(thing, member))
            else:
                self.check_attribute(where, inspect.getattr_static(thing, member), True)

    @staticmethod
    def is_set_at_once(thing, member):
        """Whether an object has it although its class has not."""
        return (inspect.isfunction(thing.__init__)
                and f'self.{member} = ' in inspect.getsource(thing.__init__))

    @staticmethod
    def vfuncs(thing):
        found = set()
        for cls in thing.__mro__:
            info = vars(cls).get('__info__')
            if hasattr(info, 'get_vfuncs') and info.get_namespace() == 'Concur':
                found.update('do_' + vfunc.get_name() for vfunc in info.get_vfuncs())
        return found

    def check_member(self, where, nodes, value, static):
        if is_decorated(nodes[0], 'property'):
            self.check_attribute(where, static, False)
        elif isinstance(static, property):
            self.wrong.append(f'{where}: is a property')
        else:
            self.check_function(where, nodes, value)
            if isinstance(static, gi._gi.FunctionInfo):
                kind = 'method' if static.is_method() else 'staticmethod'
            else:
                kind = type(static).__name__
            for node in nodes:
                for name in 'staticmethod', 'classmethod':
                    if is_decorated(node, name) != (kind == name):
                        self.wrong.append(f'{where}: {name} or not')

    def check_attribute(self, where, static, writable):
        if isinstance(static, property) and writable != (static.fset is not None):
            self.wrong.append(f'{where}: can be set or not')
        elif inspect.isfunction(static):
            self.wrong.append(f'{where}: is a method')

    def check_init(self, where, node, thing):
        declared = parameters_of(node)
        names = {name for name, kind, default in declared[1:]}
        properties = set()
        if issubclass(thing, GObject.Object):
            properties = {spec.name.replace('-', '_') for spec in GObject.list_properties(thing)
                          if spec.flags & GObject.ParamFlags.WRITABLE}
        explicit = set()
        if inspect.isfunction(thing.__init__):
            parameters = inspect.signature(thing.__init__).parameters
            live = parameters.values()
            explicit = {p.name for p in live
                        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - {'self'}
            for name, kind, default in declared:
                mine = parameters.get(name)
                if mine is not None and mine.kind != kind:
                    self.wrong.append(f'{where}({name}): {mine.kind.description}')
            if not any(p.kind == p.VAR_KEYWORD for p in live):
                properties = set()
        self.wrong += [f'{where}({name}): not declared'
                       for name in sorted((explicit | properties) - names)]
        self.wrong += [f'{where}({name}): does not exist'
                       for name in sorted(names - explicit - properties)]

    def check_function(self, where, nodes, value):
        if isinstance(value, (gi._gi.FunctionInfo, gi._gi.VFuncInfo)):
            if isinstance(value, gi._gi.VFuncInfo):
                return
            live = introspected(value)
            for node in nodes:
                declared = [(name, default is not None)
                            for name, kind, default in parameters_of(node)
                            if name != 'user_data']
                if declared != live:
                    self.wrong.append(f'{where}: parameters are {live}, not {declared}')
            return
        if not inspect.isroutine(value):
            self.wrong.append(f'{where}: is no function')
            return
        for node in nodes:
            if inspect.iscoroutinefunction(value) != isinstance(node, ast.AsyncFunctionDef):
                self.wrong.append(f'{where}: async or not')
        signature = inspect.signature(value)
        problems = [self.compare(parameters_of(node), signature) for node in nodes]
        # Of overloads one says it all, and the others are cases of it.
        if all(problems):
            self.wrong.append(f'{where}: {problems[0]}')
        for node in nodes:
            self.check_calls(where, parameters_of(node), signature)

    @staticmethod
    def compare(declared, signature):
        live = list(signature.parameters.values())
        if [name for name, kind, default in declared] != [p.name for p in live]:
            return f'parameters are {signature}'
        for (name, kind, default), parameter in zip(declared, live):
            if kind != parameter.kind:
                return f'{name} is {parameter.kind.description}'
            if (default is None) != (parameter.default is Parameter.empty):
                return f'{name} has a default or not'
            if default is not None and not (isinstance(default, ast.Constant)
                                            and default.value is ...):
                if ast.literal_eval(default) != parameter.default:
                    return f'{name} is {parameter.default!r} by default'
        return None

    def check_calls(self, where, declared, signature):
        """Whatever the stubs allow, the function has to take."""
        for optional in False, True:
            for named in False, True:
                args, keywords = [], {}
                for name, kind, default in declared:
                    if default is not None and not optional:
                        continue
                    if kind == Parameter.KEYWORD_ONLY or (
                            named and kind == Parameter.POSITIONAL_OR_KEYWORD and name != 'self'):
                        keywords[name] = None
                    elif kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
                        args.append(None)
                try:
                    signature.bind(*args, **keywords)
                except TypeError as error:
                    self.wrong.append(f'{where}: {error}')


class TestStubs(unittest.TestCase):
    def setUp(self):
        with open(STUBS, encoding='utf-8') as file:
            self.text = file.read()

    def change(self, old, new, finding):
        """What the checker finds in changed stubs, which has to be more than nothing."""
        self.assertIn(old, self.text)
        found = Checker(self.text.replace(old, new, 1)).run()
        self.assertTrue(any(finding in line for line in found), f'{finding!r} not in {found}')

    def test_stubs_are_complete_and_right(self):
        self.assertEqual('\n'.join(Checker(self.text).run()), '')

    def test_the_checker_finds_mistakes(self):
        self.change('def release_pending() -> int: ...', '', 'release_pending: not declared')
        self.change('def release_pending() ->', 'def renamed() ->', 'renamed: does not exist')
        self.change('def done(self)', 'def finished(self)', 'Future.done: not declared')
        self.change('def done(self)', 'def finished(self)', 'Future.finished: does not exist')
        self.change('def hold(self)', 'def hold(self, long: int)', 'Job.hold: parameters')
        self.change('abandon: bool = False', 'abandon: bool = True', 'abandon is False')
        self.change('mode: ShutdownMode = ...', 'mode: ShutdownMode', 'mode has a default')
        self.change('    REJECT = 1\n', '', 'Overflow.REJECT: not declared')
        self.change('    REJECT = 1\n', '    REJECT = 2\n', 'Overflow.REJECT: is 1')
        self.change('def do_shutdown(self', 'def do_end(self', 'Executor.do_end: does not')
        self.change('async def __aenter__', 'def __aenter__', 'Executor.__aenter__: async')
        self.change('max_blocked: int = ...,', '', 'ThreadExecutor.__init__(max_blocked): not')
        self.change('    paused: bool\n', '    @property\n    def paused(self) -> bool: ...\n',
                    'ThreadExecutor.paused: can be set')
        self.change('    @staticmethod\n    def delay(', '    def delay(',
                    'Future.delay: staticmethod')
        self.change('    @classmethod\n    def new(cls, ', '    def new(self, ',
                    'ThreadExecutor.new: classmethod')
        self.change('def iterate(self, timeout:', 'def iterate(self, limit:',
                    'Future.iterate: parameters')
        self.change('def iterate(self, timeout: float | None = None,',
                    'def iterate(self, timeout: float | None = None, *,',
                    'Future.iterate: context is')


@unittest.skipUnless(shutil.which('mypy'), 'mypy is not installed')
class TestTyped(unittest.TestCase):
    """Programs as mypy sees them, with the little of GLib's own stubs that they need."""

    def check(self, name):
        with tempfile.TemporaryDirectory() as directory:
            package = os.path.join(directory, 'gi', 'repository')
            shutil.copytree(FOREIGN, package)
            shutil.copy(STUBS, package)
            for folder in package, os.path.dirname(package):
                with open(os.path.join(folder, '__init__.pyi'), 'w', encoding='utf-8') as file:
                    file.write('def require_version(namespace: str, version: str) -> None: ...\n')
            env = dict(os.environ, MYPYPATH=directory)
            env.pop('PYTHONPATH', None)
            result = subprocess.run(
                ['mypy', '--strict', '--no-site-packages', '--no-error-summary',
                 '--no-pretty', '--show-error-codes', '--cache-dir', directory + '/cache',
                 os.path.join(HERE, 'typed', name)],
                env=env, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, timeout=160)
        return result.stdout.splitlines()

    def test_right_program(self):
        self.assertEqual(self.check('right.py'), [])

    def test_wrong_program(self):
        """Each line that says so has an error of that kind, and no other has any."""
        expected = set()
        with open(os.path.join(HERE, 'typed', 'wrong.py'), encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                match = re.search(r'# wrong: ([a-z-]+)$', line)
                if match:
                    expected.add((number, match.group(1)))
        found = set()
        for line in self.check('wrong.py'):
            match = re.match(r'.*wrong\.py:(\d+): error: .*\[([a-z-]+)\]$', line)
            if match:
                found.add((int(match.group(1)), match.group(2)))
            else:
                self.assertNotIn(': error:', line)
        self.assertGreater(len(expected), 5)
        self.assertEqual(found, expected)


if __name__ == '__main__':
    unittest.main()
