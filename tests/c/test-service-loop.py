#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/service-loop, changes what it watches, and ends it in every way.

usage: test-service-loop.py PROGRAM [unittest options]
"""

import os
import signal

import example_program

# So long between ticks that there is none in a test that does not want any.
NEVER = '1000000000'


class TestServiceLoop(example_program.ExampleTest):
    def start_watching(self, *arguments):
        process = self.start_program(*arguments, self.directory)
        self.assertEqual(process.stdout.readline(), f'Watching {self.directory}\n')
        return process

    def test_ticks(self):
        process = self.start_watching('--interval', '10', '--ticks', '3')
        stdout, stderr = self.end_program(process)
        lines = stdout.splitlines()
        self.assertEqual(lines[:3], [f'tick {i}: 0 changes' for i in (1, 2, 3)])
        self.assertEqual(lines[-1], 'Stopped after 0 changes')
        self.assertEqual(stderr, '')

    def test_changes(self):
        process = self.start_watching('--interval', NEVER, '--events', '3')
        self.write('new')
        self.assertEqual(process.stdout.readline(), 'created: new\n')
        self.assertEqual(process.stdout.readline(), 'written: new\n')
        os.remove(self.path('new'))
        self.assertEqual(process.stdout.readline(), 'deleted: new\n')
        stdout, stderr = self.end_program(process)
        self.assertEqual(stdout.splitlines()[-1], 'Stopped after 3 changes')
        self.assertEqual(stderr, '')

    def interrupt(self, signum):
        process = self.start_watching('--interval', '10')
        self.assertEqual(process.stdout.readline(), 'tick 1: 0 changes\n')
        process.send_signal(signum)
        stdout, stderr = self.end_program(process)
        self.assertEqual(stdout.splitlines()[-1], 'Stopped after 0 changes')
        self.assertEqual(stderr, '')

    def test_interrupt(self):
        self.interrupt(signal.SIGINT)

    def test_terminate(self):
        self.interrupt(signal.SIGTERM)

    def test_usage(self):
        for arguments in ([], ['a', 'b'], ['--interval', '0', '.'], ['--ticks=many', '.']):
            self.run_program(*arguments, status=2)


if __name__ == '__main__':
    example_program.main()
