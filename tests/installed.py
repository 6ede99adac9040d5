#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The first programs of README.md run against an installation, and against nothing else.

The installation is made in a folder of its own. A part of it that the environment brings
from the build or the sources as well would hide that it is missing, so none of that is
passed on.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

# How long one step may take; the machine may be busy.
LIMIT = 150

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, '..', 'README.md')
FOREIGN = os.path.join(HERE, 'python', 'typed', 'foreign')

# The overrides come from the installation, too.
PYTHON = '''
import sys
for name, module in list(sys.modules.items()):
    if name.startswith('gi.overrides.') and 'oncur' in name:
        assert module.__file__.startswith(sys.argv[1]), module.__file__
'''

VALA = '''
void main () {
	var loop = new MainLoop ();

	add_up.begin (1000, (object, result) => {
		try {
			print ("%s\\n", add_up.end (result).to_string ());
		} catch (Error e) {
			error ("%s", e.message);
		}
		loop.quit ();
	});
	loop.run ();
}
'''

TYPED = '''
import gi.repository.Concur as Concur

def double(number: int) -> int:
    return 2 * number

reveal_type(Concur.get_default_executor().submit(double, 21).result())
'''


class Failed(Exception):
    """A command failed; the text says which one and what it said."""


class Installation:
    """A prefix made by "meson install", seen from programs that know nothing else."""

    def __init__(self, build, prefix, top):
        self.build = build
        self.top = top
        self.env = {name: value for name, value in os.environ.items()
                    if not re.search('^(GI_|GJS_|LD_LIBRARY|PYTHON|XDG_DATA|PKG_CONFIG_PATH)',
                                     name)}
        self.run('meson', 'install', '--no-rebuild', '--quiet', '--destdir', top, '-C', build)
        self.prefix = top + prefix
        self.library = self.folder_of('libconcur-glib-1.so')
        self.move(self.library, prefix)
        self.env.update({
            'LD_LIBRARY_PATH': self.library,
            'PKG_CONFIG_PATH': os.path.join(self.library, 'pkgconfig'),
            'GI_TYPELIB_PATH': os.path.join(self.library, 'girepository-1.0'),
            'XDG_DATA_DIRS': os.path.join(self.prefix, 'share') + ':/usr/local/share:/usr/share',
            'LC_ALL': 'C.UTF-8',
            'PYTHONDONTWRITEBYTECODE': '1',
        })

    def move(self, library, prefix):
        """Lets the file of pkg-config say where it is, as another prefix would have."""
        path = os.path.join(library, 'pkgconfig', 'concur-glib-1.pc')
        with open(path, encoding='utf-8') as file:
            text = file.read()
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace(f'prefix={prefix}\n', f'prefix={self.prefix}\n'))

    def folder_of(self, name):
        for folder, _, files in os.walk(self.prefix):
            if name in files:
                return folder
        raise Failed(f'{name} was not installed')

    def run(self, *command, **env):
        try:
            return subprocess.run(command, check=True, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  cwd=self.top, env={**self.env, **env}, timeout=LIMIT).stdout
        except subprocess.CalledProcessError as error:
            raise Failed(f'{shlex.join(command)} failed:\n{error.stdout}') from None

    def write(self, name, text):
        path = os.path.join(self.top, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path


def first_program(language):
    with open(README, encoding='utf-8') as file:
        return re.search(rf'^```{language}\n(.*?)^```$', file.read(),
                         re.DOTALL | re.MULTILINE).group(1)


def test_c(installation, compiler):
    source = installation.write('program.c', first_program('c'))
    flags = shlex.split(installation.run('pkg-config', '--cflags', '--libs', 'concur-glib-1'))
    installation.run(*shlex.split(compiler), source, '-o', 'program', *flags)
    return installation.run('./program')


def test_vala(installation, valac):
    source = installation.write('program.vala', first_program('vala') + VALA)
    installation.run(valac, '--pkg', 'concur-glib-1', '-X', '-w', '-o', 'vala-program', source)
    return installation.run('./vala-program')


def test_python(installation, python):
    overrides = installation.folder_of('Concur.py')
    packages = os.path.dirname(os.path.dirname(overrides))
    # Of other prefixes Python knows nothing, however well they are chosen.
    if installation.prefix.removeprefix(installation.top) in ('/usr', '/usr/local'):
        searched = installation.run(python, '-c', 'import sys; print(*sys.path, sep="\\n")')
        if packages.removeprefix(installation.top) not in searched.splitlines():
            raise Failed(f'{packages} is not where {python} looks')
    source = installation.write('program.py', first_program('python') + PYTHON)
    return installation.run(python, source, installation.prefix, PYTHONPATH=packages)


def test_gjs(installation, gjs):
    return installation.run(gjs, '-m', installation.write('program.js', first_program('js')))


def test_stubs(installation, mypy):
    """The folder that the stubs are in is one of those of which type checkers know."""
    folder = installation.folder_of('Concur.pyi')
    if not folder.endswith(os.path.join('gi-stubs', 'repository')):
        raise Failed(f'the stubs are in {folder}')
    # What PyGObject's own stubs would add to the folder.
    shutil.copytree(FOREIGN, folder, dirs_exist_ok=True)
    for name in '__init__.pyi', 'repository/__init__.pyi':
        installation.write(os.path.join(os.path.dirname(folder), name), '')
    # mypy takes folders for stubs only from an interpreter's own packages; elsewhere the
    # name is the package's.
    os.rename(os.path.dirname(folder), os.path.join(installation.top, 'gi'))
    output = installation.run(mypy, '--no-site-packages', '--cache-dir', 'cache',
                              installation.write('typed.py', TYPED), MYPYPATH=installation.top)
    return 'int' if 'Revealed type is "builtins.int"' in output else output


# And what each has to say.
TESTS = {
    'c': (test_c, '500500\n'),
    'vala': (test_vala, '500500\n'),
    'python': (test_python, 'True\n'),
    'gjs': (test_gjs, '2\n'),
    'stubs': (test_stubs, 'int'),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('build')
    parser.add_argument('prefix')
    for name in TESTS:
        parser.add_argument('--' + name, metavar='PROGRAM', default='')
    options = parser.parse_args()

    failed = 0
    print(f'1..{len(TESTS)}')
    with tempfile.TemporaryDirectory() as top:
        installation = Installation(options.build, options.prefix, top)
        for number, (name, (function, expected)) in enumerate(TESTS.items(), 1):
            program = getattr(options, name)
            if not program:
                print(f'ok {number} {name} # SKIP there is nothing to run it with')
                continue
            try:
                output = function(installation, program)
            except Failed as error:
                output = str(error)
            ok = output == expected
            failed += not ok
            print(f'{"ok" if ok else "not ok"} {number} {name}')
            if not ok:
                print(re.sub('^', '# ', output, flags=re.MULTILINE))
    return failed


if __name__ == '__main__':
    sys.exit(main())
