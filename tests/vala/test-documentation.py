#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""test-documentation.py PAGE VALAC VAPIDIR: what valac says to the programs of a page.

Those of its section "Streams, scopes and limits" are whole methods.
"""

import os
import re
import subprocess
import sys
import tempfile

SECTION = 'Streams, scopes and limits'
HEAD = 'using GLib;\nusing Concur;\n\n'


def programs(text):
    section = re.search(rf'^## {SECTION}\n(.*?)^## ', text, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r'^```vala\n(.*?)^```$', section, re.MULTILINE | re.DOTALL)


def check(program, valac, vapidir):
    """What is wrong with it: warnings, too."""
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, 'program.vala')
        with open(path, 'w', encoding='utf-8') as file:
            # So that nobody minds that they are not called.
            file.write(HEAD + re.sub('^async', 'public async', program, flags=re.MULTILINE))
        done = subprocess.run([valac, '-C', '-d', top, '--hide-internal', '--vapidir', vapidir,
                               '--pkg', 'concur-glib-1', '--pkg', 'gio-2.0', path],
                              capture_output=True, text=True, timeout=150)
    if done.returncode == 0 and 'warning' not in done.stderr:
        return ''
    return done.stdout + done.stderr or f'valac ended with {done.returncode}'


def main():
    page, valac, vapidir = sys.argv[1:4]
    with open(page, encoding='utf-8') as file:
        found = programs(file.read())
    results = [(f'program {n}', check(program, valac, vapidir))
               for n, program in enumerate(found, 1)]
    wrong = check('async void f (Channel c) throws Error { int n = yield c.next<string> (); }\n',
                  valac, vapidir)
    results.append(('a mistake is found', '' if 'from `string' in wrong else wrong or 'it was not'))
    if len(found) < 3:
        results.append(('all programs', f'only {len(found)} of them'))
    print(f'1..{len(results)}')
    for number, (name, problem) in enumerate(results, 1):
        print('not ok' if problem else 'ok', number, name)
        for line in problem.splitlines():
            print('#', line)
    return any(problem for _, problem in results)


sys.exit(main())
