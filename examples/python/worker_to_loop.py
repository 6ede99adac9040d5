#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Workers that need something of the main loop: each asks it, blocks until it has answered,
and goes on.

usage: worker_to_loop.py [FILE...]
"""

import sys
import threading

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur


class Progress:
    """Belongs to the main thread, as widgets do."""

    def __init__(self):
        self.lines = 0

    def add(self, path, lines):
        assert threading.current_thread() is threading.main_thread()
        self.lines += lines
        print(f'{path}: {lines} lines, {self.lines} in all')
        return self.lines


async def main():
    progress = Progress()
    loop = Concur.ContextExecutor()

    def count(path):
        with open(path, 'rb') as file:
            lines = sum(1 for line in file)
        # Runs progress.add () in the main loop and waits for what it returns.
        return lines, loop.submit(progress.add, path, lines).result()

    with Concur.ThreadExecutor(name='count') as pool:
        counts = await Concur.Future.all(pool.submit(count, path) for path in sys.argv[1:])
        print(f'{sum(lines for lines, total in counts)} lines; the highest total that a '
              f'worker was told is {max((total for lines, total in counts), default=0)}')


if __name__ == '__main__':
    # On the plain main context: no asyncio in it.
    Concur.run(Concur.spawn(main()))
