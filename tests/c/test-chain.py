#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/chain on good, missing and broken settings.

usage: test-chain.py PROGRAM [unittest options]
"""

import os

import example_program


class TestChain(example_program.ExampleTest):
    def check_unlocked(self, settings):
        self.assertFalse(os.path.exists(settings + '.lock'))

    def test_settings(self):
        settings = self.write('settings', '[message]\nfile=greeting\n')
        self.write('greeting', 'Hello\nworld')
        self.assertEqual(self.run_program(settings), ('Hello\nworld', ''))
        self.check_unlocked(settings)

    def test_no_settings(self):
        self.write('message.txt', 'The usual one')
        stdout, stderr = self.run_program(self.path('settings'))
        self.assertEqual(stdout, 'The usual one')
        self.assertIn('defaults', stderr)
        self.check_unlocked(self.path('settings'))

    def test_neither(self):
        stdout, stderr = self.run_program(self.path('settings'), status=1)
        self.assertEqual(stdout, '')
        self.assertIn('message.txt', stderr)
        self.check_unlocked(self.path('settings'))

    def test_mistakes(self):
        self.write('message.txt', 'The usual one')
        for content in ('no group', '[message]\n', '[message]\nfile=missing\n'):
            settings = self.write('settings', content)
            stdout, stderr = self.run_program(settings, status=1)
            self.assertEqual(stdout, '')
            self.assertIn('No message: ', stderr)
            self.assertNotIn('defaults', stderr)
            self.check_unlocked(settings)

    def test_locked(self):
        settings = self.write('settings', '[message]\nfile=greeting\n')
        self.write('greeting', 'Hello')
        lock = self.write('settings.lock')
        stdout, stderr = self.run_program(settings, status=1)
        self.assertEqual(stdout, '')
        self.assertIn('lock', stderr)
        self.assertTrue(os.path.exists(lock), 'the lock of somebody else was removed')

    def test_usage(self):
        self.run_program(status=2)


if __name__ == '__main__':
    example_program.main()
