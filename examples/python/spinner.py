#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Something turns in the terminal while a slow function runs on another thread. Enter, or
the time limit, cancels it.

usage: spinner.py [--limit SECONDS] [STEPS]
"""

import argparse
import itertools
import sys

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur, GLib

FRAME_MS = 40


def count_primes(steps):
    """Slow, as many useful things are; it says how far it is, and can be stopped."""
    found = 0
    for number in range(2, steps):
        if number % 500 == 0:
            Concur.report(number / steps, f'{found} primes')
            Concur.check_cancelled()
        found += all(number % divisor for divisor in range(2, int(number ** 0.5) + 1))
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--limit', type=float)
    parser.add_argument('steps', type=int, nargs='?', default=400_000)
    arguments = parser.parse_args()

    loop = GLib.MainLoop()
    frames = itertools.cycle('|/-\\')
    turns = 0

    with Concur.ThreadExecutor(max_threads=1, name='primes') as pool:
        future = pool.submit(count_primes, arguments.steps)

        def turn():
            nonlocal turns
            turns += 1
            print(f'\r{next(frames)} {future.progress:4.0%} {future.status_text or ""}   ',
                  end='', flush=True)
            return GLib.SOURCE_CONTINUE

        def cancel(*_):
            future.cancel()
            return GLib.SOURCE_REMOVE

        turn()
        GLib.timeout_add(FRAME_MS, turn)
        if sys.stdin.isatty():
            GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, sys.stdin.fileno(),
                                  GLib.IOCondition.IN, cancel)
        if arguments.limit is not None:
            GLib.timeout_add(int(arguments.limit * 1000), cancel)

        # In the main loop, where widgets may be touched.
        future.when_done(lambda future: loop.quit())
        loop.run()

        print()
        try:
            print(f'{future.result()} primes below {arguments.steps}')
        except Concur.CancelledError:
            print(f'Cancelled at {future.progress:.0%}')
        print(f'The spinner turned {turns} times')


if __name__ == '__main__':
    main()
