#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Sizes of directories, each printed as soon as it is known, the small ones first.

usage: results_as_finished.py DIRECTORY...
"""

import os
import sys

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur


def size_of(directory):
    total = 0
    for folder, folders, names in os.walk(directory):
        Concur.check_cancelled()
        for name in names:
            total += os.lstat(os.path.join(folder, name)).st_size
    return total


def main():
    with Concur.ThreadExecutor(max_threads=4, name='size') as pool:
        futures = {pool.submit(size_of, directory): directory for directory in sys.argv[1:]}
        for future in Concur.as_completed(futures):
            print(f'{future.result():12} {futures[future]}', flush=True)


if __name__ == '__main__':
    main()
