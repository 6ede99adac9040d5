#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/plain-pthread.

usage: test-plain-pthread.py PROGRAM [unittest options]
"""

import example_program


class TestPlainPthread(example_program.ExampleTest):
    def test_outcome(self):
        self.assertEqual(self.run_program(), ('8 blocks, mean 0.562, loudest 1.000\n', ''))


if __name__ == '__main__':
    example_program.main()
