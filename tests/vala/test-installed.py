#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""test-installed.py BUILD VALAC CC: a program is built from what an installation has.

Installs into a folder of its own and uses nothing of the build or the sources: not the
vapi, not the headers, not the library.
"""

import os
import shlex
import subprocess
import sys
import tempfile

PROGRAM = '''
using GLib;
using Concur;

async void run () throws Error {
	string text = yield Executor.get_default ().run<string> ((job) => { return "installed"; });
	print ("%s\\n", text);
}

void main () {
	var loop = new MainLoop ();
	run.begin ((object, result) => {
		try {
			run.end (result);
		} catch (Error e) {
			error ("%s", e.message);
		}
		loop.quit ();
	});
	loop.run ();
}
'''


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options).stdout


def find(top, name):
    found = [folder for folder, _, files in os.walk(top) if name in files]
    if not found:
        raise SystemExit(f'{name} was not installed')
    return found[0]


def main():
    build, valac, compiler = sys.argv[1], sys.argv[2], shlex.split(sys.argv[3])
    with tempfile.TemporaryDirectory() as top:
        run('meson', 'install', '--no-rebuild', '--destdir', top, '-C', build)
        library = find(top, 'libconcur-glib-1.so')
        with open(os.path.join(top, 'main.vala'), 'w', encoding='utf-8') as file:
            file.write(PROGRAM)
        # The file of dependencies says that gio-2.0 is needed, so it is not named here.
        run(valac, '-C', '--vapidir', find(top, 'concur-glib-1.vapi'), '--pkg', 'concur-glib-1',
            'main.vala', cwd=top)
        gio = shlex.split(run('pkg-config', '--cflags', '--libs', 'gio-2.0'))
        run(*compiler, '-w', 'main.c', '-I' + find(top, 'concur.h'), '-L' + library,
            '-lconcur-glib-1', '-Wl,-rpath,' + library, *gio, '-o', 'main', cwd=top)
        env = dict(os.environ)
        env.pop('LD_LIBRARY_PATH', None)
        output = run(os.path.join(top, 'main'), env=env, timeout=150)
    print('1..1')
    print('ok 1 installed' if output == 'installed\n' else f'not ok 1 installed: {output!r}')
    return output != 'installed\n'


try:
    sys.exit(main())
except subprocess.CalledProcessError as error:
    sys.exit(f'{shlex.join(error.cmd)} failed:\n{error.stdout}')
