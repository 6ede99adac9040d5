#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/worker-to-loop on many files, few of them different.

usage: test-worker-to-loop.py PROGRAM [unittest options]
"""

import example_program


class TestWorkerToLoop(example_program.ExampleTest):
    def test_many(self):
        n_contents = 7
        content = {self.write(f'file-{i}', f'{i % n_contents}\n' * 1000): i % n_contents
                   for i in range(300)}
        stdout, stderr = self.run_program(*content)
        self.assertEqual(stderr, '')

        # One of each kind is new, whichever; the others are like that one.
        lines = [line.split(': ') for line in stdout.splitlines()]
        self.assertEqual([path for path, _ in lines], list(content))
        first = {content[path]: path for path, answer in lines if answer == 'new'}
        self.assertEqual(sorted(first), list(range(n_contents)))
        self.assertEqual(sum(answer == 'new' for _, answer in lines), n_contents)
        for path, answer in lines:
            if answer != 'new':
                self.assertEqual(answer, 'same as ' + first[content[path]])

    def test_problem(self):
        a, b = self.write('a', 'same'), self.write('b', 'same')
        stdout, stderr = self.run_program(a, self.path('missing'), b, status=1)
        self.assertEqual(len(stdout.splitlines()), 2)
        self.assertIn('missing', stderr)

    def test_usage(self):
        self.run_program(status=2)


if __name__ == '__main__':
    example_program.main()
