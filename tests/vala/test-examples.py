#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""test-examples.py NAME PROGRAM DIR: an example does what its first lines say.

DIR has some files to work on.
"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

name, program, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
failures = []


def run(*args, status=0, text=None):
    """The lines that the program prints."""
    standard_input = {'input': text} if text is not None else {'stdin': subprocess.DEVNULL}
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True,
                          timeout=150, **standard_input)
    expect(done.returncode, status, f'status of {args}: {done.stderr}')
    return done.stdout.splitlines()


def expect(found, wanted, what):
    if found != wanted:
        failures.append(f'{what}: {found!r} instead of {wanted!r}')


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def background_task():
    lines = run('--seconds', '0.3')
    expect(lines[0], 'The main thread is busy for 0.3 s', 'first line')
    match = re.fullmatch(r'(\d+) samples, the last \d+\.\d\d', lines[1])
    expect(match is not None and int(match[1]) >= 1, True, f'samples in {lines}')


def digest_tree():
    wanted = sorted(f'{sha256(path)}  {path}' for path in folder.rglob('*')
                    if path.is_file() and not path.is_symlink())
    expect(sorted(run(folder)), wanted, 'digests')
    with tempfile.TemporaryDirectory() as empty:
        expect(run(empty), [], 'an empty folder')
    run('/no/such/folder', status=1)
    run(status=2)


def downloads():
    lines = run('--files', 10, '--size', 100001)
    expect(sorted(lines[:-1]), sorted(f'100001 bytes of file {n}' for n in range(10)), 'files')
    expect(lines[-1], '10 files, 1000010 bytes', 'sum')
    expect(run('--files', 1, '--size', 0), ['0 bytes of file 0', '1 files, 0 bytes'], 'nothing')
    run('--wrong', status=2)


def results_as_finished():
    paths = sorted(folder.glob('*.vala'))
    lines = run(*paths, '/no/such/file', status=1)
    expect([line.split('/')[0] for line in lines],
           [str(n) for n in range(1, len(paths) + 2)], 'numbers')
    found = sorted(line.split(' ', 1)[1] for line in lines if '/no/such' not in line)
    expect(found, sorted(f'{sha256(path)}  {path}' for path in paths), 'digests')
    run(status=2)


def spinner():
    expect(run('--below', 10000), ['1229 prime numbers below 10000'], 'primes')
    expect(run('--below', 2000000000, '--cancel-after', 50, status=1), ['Cancelled'], 'by time')
    expect(run('--below', 2000000000, text='\n', status=1), ['Cancelled'], 'by Enter')
    run('--wrong', status=2)


def worker_to_loop():
    with tempfile.TemporaryDirectory() as top:
        paths = [os.path.join(top, name) for name in 'abcd']
        for path, content in zip(paths, ('one', 'two', 'one', 'one')):
            pathlib.Path(path).write_text(content, encoding='utf-8')
        lines = run(*paths)
        # Which of the three is first is for the threads to decide.
        ones = [line for line in lines if not line.startswith(paths[1])]
        first = [line for line in ones if line.endswith(': new')]
        expect(len(first), 1, f'how many are new in {lines}')
        expect(sum(line.endswith(': same as ' + first[0][:-len(': new')]) for line in ones), 2,
               f'how many are the same in {lines}')
        expect(lines[1], paths[1] + ': new', 'the other one')
        run(paths[0], '/no/such/file', status=1)
    run(status=2)


print('1..1')
globals()[name.replace('-', '_')]()
print('not ok 1' if failures else 'ok 1', name)
for failure in failures:
    print('#', failure)
sys.exit(bool(failures))
