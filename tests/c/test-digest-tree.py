#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/digest-tree on trees full of oddities, against find and sha256sum.

usage: test-digest-tree.py DIGEST-TREE [unittest options]
"""

import hashlib
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

# For one run of the program, which takes well under a second; generous for sanitizers on
# a busy machine.
LIMIT = 60

SUMMARY = re.compile(r'^(?P<interrupted>Interrupted: )?(?P<files>\d+) files, (?P<size>.+) in '
                     r'(?P<seconds>\d+[.,]\d+) s \((?P<rate>.+)/s\), (?P<problems>\d+) problems, '
                     r'worst tick (?P<tick>\d+[.,]\d+) ms$')

HUGE = 1 << 38  # far more than can be hashed within the limit

program = None


class TestDigestTree(unittest.TestCase):
    def setUp(self):
        self.tree = tempfile.mkdtemp(prefix=b'digest-tree-')
        self.addCleanup(self.remove_tree)
        self.sockets = []

    def remove_tree(self):
        for a_socket in self.sockets:
            a_socket.close()
        for path, directories, _ in os.walk(self.tree):
            for name in directories:
                os.chmod(os.path.join(path, name), 0o700, follow_symlinks=True)
        shutil.rmtree(self.tree)

    def path(self, name):
        return os.path.join(self.tree, name)

    def write(self, name, content=b''):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'wb') as file:
            file.write(content)

    def write_sparse(self, name, size=HUGE):
        self.write(name)
        os.truncate(self.path(name), size)

    def run_program(self, *arguments, **options):
        return subprocess.run([program, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=LIMIT, **options)

    def start_program(self, *arguments, **options):
        process = subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL,
                                   **{'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE,
                                      **options})

        def stop():
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.addCleanup(stop)
        return process

    def summary(self, stderr):
        lines = stderr.decode().splitlines()
        match = SUMMARY.match(lines[-1])
        self.assertIsNotNone(match, stderr.decode())
        return match, lines[:-1]

    def expected(self, tool='sha256sum', directory=None, **options):
        """What the usual tools print, sorted. Lines end with \\n only: names may hold \\r."""
        result = subprocess.run(
            ['sh', '-c', 'find "$0" -type f -print0 | xargs -0r "$1" --',
             directory or self.tree, tool],
            check=True, stdout=subprocess.PIPE, timeout=LIMIT, **options)
        return self.sorted_lines(result.stdout)

    @staticmethod
    def sorted_lines(output):
        return sorted(output.split(b'\n')[:-1])

    def make_ordinary_tree(self):
        for i in range(300):
            self.write(b'dir-%d/sub/file-%d' % (i % 7, i), b'%d\n' % i * i)
        self.write(b'empty')
        self.write(b'large', bytes(range(256)) * 4096 * 3 + b'end')

    def test_ordinary(self):
        self.make_ordinary_tree()
        for arguments in ([], ['--threads', '1'], ['--threads=16']):
            result = self.run_program(*arguments, self.tree)
            summary, problems = self.summary(result.stderr)
            self.assertEqual(result.returncode, 0)
            self.assertEqual(problems, [])
            self.assertEqual(self.sorted_lines(result.stdout), self.expected())
            self.assertEqual(int(summary['files']), 302)
            self.assertIsNone(summary['interrupted'])

    def test_checksums(self):
        self.make_ordinary_tree()
        for name in ('md5', 'sha1', 'sha256', 'sha384', 'sha512'):
            result = self.run_program('--checksum', name, self.tree)
            self.assertEqual(result.returncode, 0)
            self.assertEqual(self.sorted_lines(result.stdout), self.expected(name + 'sum'))

    def test_names(self):
        names = [b'with space', b' leading', b'-dash', b'--help', b'back\\slash', b'new\nline',
                 b'\n', b'\\', b'carriage\rreturn', b'tab\t', b'\xff\xfe not UTF-8', b'\xc3\xa9',
                 b'%s%n', b'"quotes\'', b'*', b'.hidden', b'all\\ \n of \r it\xff']
        for name in names:
            self.write(name, b'content of ' + name)
            self.write(b'in ' + name + b'/' + name, b'other content of ' + name)
        result = self.run_program(self.tree)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.sorted_lines(result.stdout), self.expected())
        self.assertEqual(int(self.summary(result.stderr)[0]['files']), 2 * len(names))

        # Without any locale, names are bytes all the same.
        result = self.run_program(self.tree, env={**os.environ, 'LC_ALL': 'C'})
        self.assertEqual(self.sorted_lines(result.stdout), self.expected())

    def test_relative(self):
        self.write(b'tree/a/b', b'b')
        self.write(b'tree/c', b'c')
        for directory in ('tree', './tree', '.', 'tree/'):
            result = self.run_program(directory, cwd=self.tree)
            self.assertEqual(result.returncode, 0)
            self.assertEqual(self.sorted_lines(result.stdout),
                             self.expected(directory=directory, cwd=self.tree))
        os.rename(self.path(b'tree'), self.path(b'-tree'))
        result = self.run_program('--', '-tree', cwd=self.tree)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stdout.splitlines()), 2)

    def test_empty(self):
        result = self.run_program(self.tree)
        self.assertEqual((result.returncode, result.stdout), (0, b''))
        self.assertEqual(int(self.summary(result.stderr)[0]['files']), 0)

    def test_problems(self):
        self.write(b'good', b'good')
        self.write(b'linked/inside', b'inside')
        os.mkfifo(self.path(b'fifo'))
        self.sockets.append(socket.socket(socket.AF_UNIX))
        self.sockets[0].bind(self.path(b'socket'))
        os.symlink(b'nowhere', self.path(b'broken'))
        os.symlink(b'circle', self.path(b'circle'))
        os.symlink(b'good', self.path(b'link'))
        os.symlink(b'linked', self.path(b'directory-link'))
        os.symlink(b'..', self.path(b'linked/loop'))
        os.symlink(b'fifo', self.path(b'fifo-link'))
        expected = {'fifo': 'FIFO', 'socket': 'socket', 'broken': 'broken link',
                    'circle': 'broken link'}
        if os.geteuid() == 0:
            try:
                os.mknod(self.path(b'device'), 0o600 | 0o020000, os.makedev(1, 3))
                expected['device'] = 'character device'
            except PermissionError:
                pass
        else:
            self.write(b'unreadable')
            os.chmod(self.path(b'unreadable'), 0)
            self.write(b'closed/file')
            os.chmod(self.path(b'closed'), 0)
            expected['unreadable'] = 'Permission denied'
            expected['closed'] = 'Permission denied'

        result = self.run_program(self.tree)
        summary, problems = self.summary(result.stderr)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(sorted(line.rsplit(b'/', 1)[1] for line in result.stdout.splitlines()),
                         [b'good', b'inside'])
        self.assertEqual(int(summary['files']), 2)
        self.assertEqual(int(summary['problems']), len(expected))
        self.assertEqual(len(problems), len(expected), problems)
        for name, reason in expected.items():
            lines = [line for line in problems if f'/{name}”' in line or f"/{name}'" in line]
            self.assertEqual(len(lines), 1, (name, problems))
            self.assertIn(reason, lines[0])
            self.assertTrue(lines[0].startswith('digest-tree: '))

    def test_no_directory(self):
        self.write(b'file')
        for directory in (self.path(b'missing'), self.path(b'file')):
            result = self.run_program(directory)
            self.assertEqual((result.returncode, result.stdout), (2, b''))
            self.assertEqual(len(self.summary(result.stderr)[1]), 1)

    def test_usage(self):
        for arguments in ([], ['a', 'b'], ['--threads', '0', '.'], ['--threads=many', '.'],
                          ['--checksum', 'crc', '.'], ['--no-such-option', '.']):
            result = self.run_program(*arguments)
            self.assertEqual((result.returncode, result.stdout), (2, b''), arguments)
            self.assertIn(b'--threads', result.stderr)
        self.assertEqual(self.run_program('--help').returncode, 0)

    def test_full_disk(self):
        if not os.path.exists('/dev/full'):
            self.skipTest('no /dev/full')
        self.write(b'file')
        with open('/dev/full', 'wb') as full:
            process = self.start_program(self.tree, stdout=full)
            _, stderr = process.communicate(timeout=LIMIT)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b'Could not write', stderr)

    def interrupt(self, signum):
        # More threads than huge files, so that the small ones get done.
        for i in range(2):
            self.write_sparse(b'huge-%d' % i)
        for i in range(1000):
            self.write(b'small-%d' % i, b'%d' % i)
        # No buffer here, or communicate() would not see what is in it.
        process = self.start_program('--threads', '4', self.tree, bufsize=0)
        line = process.stdout.readline()
        self.assertRegex(line, b'^[0-9a-f]{64}  .*/small-[0-9]+\n$')
        process.send_signal(signum)
        stdout, stderr = process.communicate(timeout=LIMIT)
        summary, problems = self.summary(stderr)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(problems, [])
        self.assertTrue(summary['interrupted'])
        self.assertEqual(int(summary['problems']), 0)

        # What was done is printed, and is right.
        lines = (line + stdout).splitlines()
        self.assertEqual(int(summary['files']), len(lines))
        for line in lines:
            digest, path = line.split(b'  ', 1)
            with open(path, 'rb') as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest().encode(), digest)

    def test_interrupt(self):
        self.interrupt(signal.SIGINT)

    def test_terminate(self):
        self.interrupt(signal.SIGTERM)

    def test_terminal(self):
        self.write_sparse(b'huge')
        os.mkfifo(self.path(b'fifo'))
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        process = self.start_program('--threads', '2', self.tree, stderr=terminal,
                                     start_new_session=True)
        os.close(terminal)

        shown = b''
        deadline = time.monotonic() + LIMIT
        bar = re.compile(rb'\[#* *\] 0 files, [^\r]+/s\)')
        while not (bar.search(shown) and b'FIFO' in shown):
            ready, _, _ = select.select([controller], [], [], deadline - time.monotonic())
            self.assertTrue(ready, shown[-500:])
            shown += os.read(controller, 65536)
        process.send_signal(signal.SIGINT)

        # Reading ends with an error when nobody has the other end any more.
        while True:
            try:
                data = os.read(controller, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        self.assertEqual(process.wait(timeout=LIMIT), 130)
        last_line = shown.split(b'\r\x1b[K')[-1].strip()
        self.assertTrue(SUMMARY.match(last_line.decode()), last_line)


if __name__ == '__main__':
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
