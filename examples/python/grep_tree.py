#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Prints the lines of a tree of files that match, as they are found.

usage: grep_tree.py [--max-count N] PATTERN DIRECTORY

A thread reads; asyncio prints. Who leaves the block, for he has enough, ends the reading.
"""

import argparse
import asyncio
import os
import re
import sys

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur

searched = 0


@Concur.threaded_iterable(max_size=64)
def grep(pattern, top):
    global searched
    try:
        for folder, folders, names in os.walk(top):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                searched += 1
                try:
                    with open(path, encoding='utf-8', errors='surrogateescape') as file:
                        for number, line in enumerate(file, 1):
                            if pattern.search(line):
                                yield f'{path}:{number}:{line.rstrip()}'
                except OSError as error:
                    print(error, file=sys.stderr)
    finally:
        # On the thread that reads, however it ends.
        print(f'{searched} files searched', file=sys.stderr)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--max-count', type=int, default=-1)
    parser.add_argument('pattern', type=re.compile)
    parser.add_argument('directory')
    arguments = parser.parse_args()

    count = 0
    async with grep(arguments.pattern, arguments.directory) as lines:
        async for line in lines:
            print(line)
            count += 1
            if count == arguments.max_count:
                break
    print(f'{count} lines', file=sys.stderr)


if __name__ == '__main__':
    sys.stdout.reconfigure(errors='surrogateescape')
    asyncio.run(main())
