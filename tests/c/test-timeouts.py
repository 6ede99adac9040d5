#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/timeouts.

usage: test-timeouts.py PROGRAM [unittest options]
"""

import example_program


class TestTimeouts(example_program.ExampleTest):
    def test_outcomes(self):
        stdout, stderr = self.run_program()
        lines = stdout.splitlines()
        self.assertEqual(lines.pop(0), 'Waited in vain, and the work goes on')
        outcomes = dict(line.split(': ', 1) for line in lines[:-1])
        self.assertEqual(list(outcomes), ['Cancelled', 'Out of time', 'The work behind it',
                                          'In time', 'Abandoned'])
        cancelled = outcomes['Cancelled']
        self.assertIn('cancel', cancelled)
        self.assertEqual(outcomes['The work behind it'], cancelled)
        self.assertEqual(outcomes['Abandoned'], cancelled)
        self.assertIn('20 ms', outcomes['Out of time'])
        self.assertEqual(outcomes['In time'], '1000000')
        self.assertEqual(lines[-1], 'Hello, not too early')
        # No error is logged as one that nobody looked at.
        self.assertEqual(stderr, '')


if __name__ == '__main__':
    example_program.main()
