#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/grep-tree on small and large trees.

usage: test-grep-tree.py PROGRAM [unittest options]
"""

import os
import pathlib
import re
import time

import example_program

# A tree whose matches fill the pipe and all channels many times over.
N_FILES = 2000
LONG_LINE = 'needle ' + 'x' * 1000 + '\n'


class TestGrepTree(example_program.ExampleTest):
    def write_tree(self, tree):
        for name, content in tree.items():
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), 'wb') as file:
                file.write(content)

    def write_large_tree(self):
        self.write_tree({f'many/{i:04}': LONG_LINE.encode() for i in range(N_FILES)})

    def test_matches(self):
        self.write_tree({
            'a': b'one needle\nnothing\nneedles, two\n',
            'b/c/d': b'nothing\n',
            'b/c/e': b'no newline, one needle',
            'b/f': b'',
            'c/binary': b'needle\0\n',
            'd/latin': b'n\xe4edle\nneedle n\xe4h\n',
        })
        os.symlink('a', self.path('link'))
        os.symlink(self.directory, self.path('b/loop'))
        stdout, stderr = self.run_program('ne+dle', self.directory, errors='surrogateescape')
        self.assertEqual(stdout.splitlines(), [
            self.path('a') + ':1:one needle',
            self.path('a') + ':3:needles, two',
            self.path('b/c/e') + ':1:no newline, one needle',
            self.path('d/latin') + ':2:needle n\udce4h',
        ])
        self.assertEqual(stderr, '4 lines, 5 files searched\n')

    def test_none(self):
        stdout, stderr = self.run_program('needle', self.directory)
        self.assertEqual(stdout, '')
        self.assertEqual(stderr, '0 lines, 0 files searched\n')

    def test_relative(self):
        self.write_tree({'top/a': b'needle\n'})
        stdout, _ = self.run_program('needle', 'top', cwd=self.directory)
        self.assertEqual(stdout, 'top/a:1:needle\n')

    def let_run(self, process):
        """Gives it the time to go too far, if it does: until it is at rest."""
        n_looks, before = 0, None
        while n_looks < 10:
            # State, and the time that all threads have run.
            stat = pathlib.Path(f'/proc/{process.pid}/stat').read_text().split()
            now = stat[2], stat[13], stat[14]
            n_looks = n_looks + 1 if now == before and now[0] in 'SZ' else 0
            before = now
            time.sleep(0.01)

    def test_as_found(self):
        # While nobody reads what it prints it does not go on: a file that comes after the
        # first line is printed, is found.
        self.write_large_tree()
        os.mkdir(self.path('z'))
        process = self.start_program('needle', self.directory)
        self.assertEqual(process.stdout.readline(), f'{self.path("many/0000")}:1:{LONG_LINE}')
        self.let_run(process)
        self.write_tree({'z/late': b'a late needle\n'})
        lines = process.stdout.read().splitlines()
        _, stderr = self.end_program(process)
        self.assertEqual(len(lines), N_FILES)
        self.assertEqual(lines[-1], self.path('z/late') + ':1:a late needle')
        self.assertEqual(stderr, f'{N_FILES + 1} lines, {N_FILES + 1} files searched\n')

    def test_max_count(self):
        self.write_large_tree()
        stdout, stderr = self.run_program('--max-count', '3', 'needle', self.directory)
        self.assertEqual(stdout, ''.join(f'{self.path("many")}/{i:04}:1:{LONG_LINE}'
                                         for i in range(3)))
        match = re.fullmatch(r'3 lines, (\d+) files searched\n', stderr)
        self.assertLess(int(match[1]), N_FILES // 2)

        # Just as many as there are, and more.
        for n in (N_FILES, N_FILES + 1):
            stdout, stderr = self.run_program('--max-count', str(n), 'needle', self.directory)
            self.assertEqual(len(stdout.splitlines()), N_FILES)
            self.assertEqual(stderr, f'{N_FILES} lines, {N_FILES} files searched\n')

    def test_problem(self):
        stdout, stderr = self.run_program('needle', self.path('missing'), status=1)
        self.assertEqual(stdout, '')
        self.assertRegex(stderr, '^.*/missing: .*No such file.*\n$')

        # Matching the first would take for ever, and is given up; the other is searched.
        self.write_tree({'a': b'x' * 5000 + b'!\n', 'b': b'xx\n'})
        stdout, stderr = self.run_program('^(x+x+)+$', self.directory, status=1)
        self.assertEqual(stdout, self.path('b') + ':1:xx\n')
        self.assertRegex(stderr, '^.*/a: .*\n1 lines, 2 files searched\n$')

    def test_usage(self):
        for arguments in ([], ['x'], ['x', '.', '.'], ['(', '.'], ['--max-count', '0', 'x', '.'],
                          ['--max-count=many', 'x', '.'], ['--no-such-option', 'x', '.']):
            stdout, stderr = self.run_program(*arguments, status=2)
            self.assertEqual(stdout, '')
            self.assertNotEqual(stderr, '')


if __name__ == '__main__':
    example_program.main()
