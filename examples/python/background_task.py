#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A loop thread does something every tenth of a second, for a second, while the main thread
is busy with something else.

usage: background_task.py [SECONDS]
"""

import asyncio
import sys
import threading
import time

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    thread = Concur.LoopThread(name='background')
    beats = []

    # Starts with the thread, and is cancelled when that stops.
    @thread.task
    async def beat():
        try:
            while True:
                beats.append(time.monotonic())
                print(f'beat {len(beats)} in {threading.current_thread().name}', flush=True)
                await asyncio.sleep(0.1)
        finally:
            print('The task cleans up')

    async def double(number):
        await asyncio.sleep(0.01)
        return number * 2

    with thread:
        end = time.monotonic() + seconds
        total = 0
        while time.monotonic() < end:
            total += 1
        print('Asked from the main thread:', thread.submit(double, 21).result())
    print(f'{len(beats)} beats while the main thread counted')


if __name__ == '__main__':
    main()
