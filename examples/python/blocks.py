#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Six calls that block, on three workers, and who ran which: threads, or processes with one
line changed.

usage: blocks.py
"""

import os
import threading
import time

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur

# Concur.ProcessPoolExecutor has it done by processes.
Pool = Concur.ThreadPoolExecutor


def blocks(n):
    who = f'process {os.getpid()}, {threading.current_thread().name}'
    print(f'{n} is for {who}\n', end='', flush=True)
    time.sleep(0.1)
    return n * n


def main():
    with Pool(3) as pool:
        begin = time.monotonic()
        futures = [pool.submit(blocks, n) for n in range(6)]
        print([future.result() for future in futures])
        print(f'after {time.monotonic() - begin:.1f} s; the program is process {os.getpid()}')


if __name__ == '__main__':
    main()
