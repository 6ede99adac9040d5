#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/hash-chain on files of all kinds.

usage: test-hash-chain.py PROGRAM [unittest options]
"""

import hashlib
import random

import example_program


class TestHashChain(example_program.ExampleTest):
    def check(self, *lines, end=b'\n'):
        path = self.path('file')
        with open(path, 'wb') as file:
            file.write(b'\n'.join(lines) + end)

        digest = bytes(32)
        for line in lines:
            digest = hashlib.sha256(digest + line).digest()
        stdout, stderr = self.run_program(path)
        self.assertEqual(stdout, ''.join(f'{who} {len(lines)} lines, {digest.hex()}\n'
                                         for who in ('client', 'server', 'direct')))
        self.assertEqual(stderr, '')

    def test_lines(self):
        self.check(b'one')
        self.check(b'one', b'two', end=b'')
        self.check(b'')
        self.check(b'', b'', b'three', b'', b'')
        self.check(b'carriage\r', b'\r', b'\0', b'zero\0byte', b'\xff\xfe')

    def test_empty(self):
        self.check(end=b'')

    def test_many(self):
        self.check(*(str(i).encode() for i in range(5000)))

    def test_long(self):
        # None of them fits into what sockets hold.
        source = random.Random(1)
        self.check(*(source.randbytes(1 << 20).replace(b'\n', b'') * 12 for _ in range(2)))

    def test_problem(self):
        for path, message in (('missing', 'No such file'), ('', 'directory')):
            stdout, stderr = self.run_program(self.path(path), status=1)
            self.assertEqual(stdout, '')
            self.assertRegex(stderr, f'^hash-chain: .*{message}.*\n$')

    def test_usage(self):
        for arguments in ([], ['a', 'b'], ['--no-such-option', 'a']):
            self.run_program(*arguments, status=2)


if __name__ == '__main__':
    example_program.main()
