#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/metadata-reader on good files and on bad ones.

usage: test-metadata-reader.py PROGRAM [unittest options]
"""

import os
import struct

import example_program


def png(width, height, *parts):
    parts = [(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)), *parts, (b'IEND', b'')]
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(data)) + name + data + b'crc ' for name, data in parts)


def gif(width, height):
    return b'GIF89a' + struct.pack('<HH', width, height) + bytes(3)


def wav(channels, rate):
    return b'RIFF' + struct.pack('<I', 36) + b'WAVEfmt ' + struct.pack(
        '<IHHIIHH', 16, 1, channels, rate, rate * channels * 2, channels * 2, 16) + b'data' + bytes(4)


def png_with_length(length):
    return png(1, 1)[:33] + struct.pack('>I', length) + b'tRAP' + bytes(20)


# A file beyond all others, and one that is its own successor.
CRASH = png_with_length(0x70000000)
LOOP = png_with_length(0xfffffff4)


class TestMetadataReader(example_program.ExampleTest):
    def write_all(self, files):
        for name, data in files.items():
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            with open(self.path(name), 'wb') as file:
                file.write(data)

    def read(self, *arguments):
        """Returns the lines, which come in any order, without the directory, and the last."""
        stdout, stderr = self.run_program(*arguments, self.directory)
        *lines, summary = stdout.replace(self.directory + '/', '').splitlines()
        return sorted(lines), summary

    def test_good(self):
        self.write_all({'a.png': png(640, 480, (b'tEXt', b'Title\0A cat')), 'b.gif': gif(3, 4000),
                        'sub/c.wav': wav(2, 44100), 'sub/d.png': png(1, 2, (b'gAMA', bytes(4)))})
        self.assertEqual(self.read(), (['a.png: PNG 640 x 480, “A cat”', 'b.gif: GIF 3 x 4000',
                                        'sub/c.wav: WAV 2 channels, 44100 Hz', 'sub/d.png: PNG 1 x 2'],
                                       '4 read, 0 refused, 0 crashed, 0 took too long'))

    def test_bad(self):
        self.write_all({f'good{i}.png': png(i, i) for i in range(60)})
        self.write_all({f'crash{i}.png': CRASH for i in range(6)})
        self.write_all({'loop.png': LOOP, 'empty': b'', 'text': b'only text'})
        # Enough for a good file however slow the machine is.
        lines, summary = self.read('--timeout', '3000')
        self.assertEqual(summary, '60 read, 2 refused, 6 crashed, 1 took too long')
        self.assertEqual(lines, sorted(
            [f'good{i}.png: PNG {i} x {i}' for i in range(60)]
            + [f'crash{i}.png: crashed' for i in range(6)]
            + ['loop.png: took too long', 'empty: unknown kind of file', 'text: unknown kind of file']))

    def test_nothing(self):
        self.assertEqual(self.read(), ([], '0 read, 0 refused, 0 crashed, 0 took too long'))

    def test_problem(self):
        stdout, stderr = self.run_program(self.path('missing'), status=1)
        self.assertRegex(stderr, 'metadata-reader: .*missing')

    def test_usage(self):
        for arguments in ([], ['a', 'b'], ['--no-such-option', 'a'], ['--timeout', 'soon', 'a']):
            self.run_program(*arguments, status=2)


if __name__ == '__main__':
    example_program.main()
