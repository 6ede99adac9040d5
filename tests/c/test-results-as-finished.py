#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/results-as-finished on small and endless files.

usage: test-results-as-finished.py PROGRAM [unittest options]
"""

import hashlib
import os
import re
import time

import example_program


class TestResultsAsFinished(example_program.ExampleTest):
    def test_all(self):
        expected = {}
        for i in range(100):
            content = f'{i}\n' * i
            path = self.write(f'file-{i}', content)
            expected[path] = hashlib.sha256(content.encode()).hexdigest()
        stdout, stderr = self.run_program(*expected)
        self.assertEqual(stderr, '')

        found = {}
        for number, line in enumerate(stdout.splitlines(), start=1):
            count, digest, path = re.fullmatch(r'(\S+) (\S+)  (.+)', line).groups()
            self.assertEqual(count, f'{number}/100')
            found[path] = digest
        self.assertEqual(found, expected)

    def write_endless(self):
        # Far more than can be digested within the limit.
        path = self.write('endless')
        os.truncate(path, 1 << 38)
        return path

    def test_order(self):
        # The small one is told while the one before it has not ended.
        small = self.write('small', 'small')
        process = self.start_program(self.write_endless(), small)
        self.assertRegex(process.stdout.readline(), '^1/2 [0-9a-f]{64}  .*/small$')
        self.assertIsNone(process.poll())

    def test_limit(self):
        endless = self.write_endless()
        small = self.write('small', 'small')
        begun = time.monotonic()
        stdout, stderr = self.run_program('--limit', '1', endless, small, endless, status=1)
        self.assertGreaterEqual(time.monotonic() - begun, 1)
        lines = stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[0], '^1/3 [0-9a-f]{64}  .*/small$')
        for line in lines[1:]:
            self.assertRegex(line, '^[23]/3 .*/endless: Operation was cancelled')
        self.assertEqual(stderr, '')

    def test_no_time(self):
        stdout, _ = self.run_program('--limit', '0', self.write_endless(), status=1)
        self.assertRegex(stdout, '^1/1 .*/endless: Operation was cancelled')

    def test_problem(self):
        stdout, _ = self.run_program(self.path('missing'), self.write('small'), status=1)
        self.assertEqual(len(stdout.splitlines()), 2)
        self.assertRegex(stdout, r'(?m)^./2 .*/missing: .*No such file')

    def test_usage(self):
        for arguments in ([], ['--limit', 'soon', 'x'], ['--no-such-option', 'x']):
            self.run_program(*arguments, status=2)


if __name__ == '__main__':
    example_program.main()
