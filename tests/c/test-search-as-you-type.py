#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/search-as-you-type with keys of both kinds.

usage: test-search-as-you-type.py PROGRAM [unittest options]
"""

import os
import re
import subprocess

import example_program


class TestSearchAsYouType(example_program.ExampleTest):
    def check(self, path, keys, found, n_cancelled):
        """Returns how many lines it has looked at."""
        stdout, stderr = self.run_program(path, keys)
        *lines, summary = stdout.splitlines()
        self.assertEqual(lines, [*found, f'{keys}: {len(found)} lines'])
        self.assertEqual(stderr, '')
        return self.check_summary(summary, n_cancelled)

    def check_summary(self, line, n_cancelled):
        match = re.fullmatch(r'(\d+) searches cancelled, (\d+) lines looked at', line)
        self.assertEqual(int(match[1]), n_cancelled)
        return int(match[2])

    def test_last_only(self):
        path = self.write('file', 'nut\nneedle\nn\nneed\nneedles\n')
        self.assertEqual(self.check(path, 'n', ['1:nut', '2:needle', '3:n', '4:need', '5:needles'],
                                    0), 5)
        for keys, found in (('need', ['2:needle', '4:need', '5:needles']),
                            ('needle', ['2:needle', '5:needles']),
                            ('needlessly', [])):
            n_lines = self.check(path, keys, found, len(keys) - 1)
            self.assertTrue(5 <= n_lines <= 5 * len(keys), n_lines)

    def test_characters(self):
        path = self.write('file', 'fähre\nfahre\n€€\n')
        self.check(path, 'fäh', ['1:fähre'], 2)
        self.check(path, '€', ['3:€€'], 0)

    def test_stops_in_the_middle(self):
        # Those that are cancelled do not look at all lines, by far.
        n = 1000000
        path = self.write('file', ''.join(f'line {i}\n' for i in range(n)))
        keys = f'line {n - 1}'
        n_lines = self.check(path, keys, [f'{n}:{keys}'], len(keys) - 1)
        self.assertGreaterEqual(n_lines, n)
        self.assertLess(n_lines, n * len(keys) // 2)

    def test_typed(self):
        path = self.write('file', 'nut\nneedle\nneed\n')
        process = self.start_program(path, stdin=subprocess.PIPE)

        # Who waits for what was found cancels nothing.
        for keys, found in (('ne', ['2:needle', '3:need', 'ne: 2 lines']),
                            ('\n', []),
                            ('edl', ['2:needle', 'needl: 1 lines']),
                            ('x\n', ['needlx: 0 lines'])):
            os.write(process.stdin.fileno(), keys.encode())
            for line in found:
                self.assertEqual(process.stdout.readline(), line + '\n')

        stdout, stderr = self.end_program(process)
        self.assertGreaterEqual(self.check_summary(stdout.strip(), 3), 9)
        self.assertEqual(stderr, '')

    def test_half_a_character(self):
        path = self.write('file', 'fähre\n')
        process = self.start_program(path, stdin=subprocess.PIPE)
        first, second = 'ä'.encode()[:1], 'ä'.encode()[1:]
        os.write(process.stdin.fileno(), b'f' + first)
        self.assertEqual(process.stdout.readline(), '1:fähre\n')
        self.assertEqual(process.stdout.readline(), 'f: 1 lines\n')
        os.write(process.stdin.fileno(), second)
        self.assertEqual(process.stdout.readline(), '1:fähre\n')
        self.assertEqual(process.stdout.readline(), 'fä: 1 lines\n')
        stdout, _ = self.end_program(process)
        self.assertEqual(stdout, '0 searches cancelled, 2 lines looked at\n')

    def test_no_keys(self):
        path = self.write('file', 'nut\n')
        for arguments in ([path], [path, '']):
            stdout, stderr = self.run_program(*arguments)
            self.assertEqual(stdout, '0 searches cancelled, 0 lines looked at\n')
            self.assertEqual(stderr, '')

    def test_problem(self):
        # What goes wrong in a search that was cancelled is not told either.
        stdout, stderr = self.run_program(self.path('missing'), 'abc', status=1)
        self.assertEqual(stdout, '2 searches cancelled, 0 lines looked at\n')
        self.assertRegex(stderr, '^abc: .*/missing.*: No such file.*\n$')

    def test_usage(self):
        for arguments in ([], ['a', 'b', 'c'], ['--no-such-option', 'a']):
            self.run_program(*arguments, status=2)


if __name__ == '__main__':
    example_program.main()
