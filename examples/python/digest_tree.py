#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Prints the SHA-256 of every file below a directory, as many at once as there are workers,
and how far it is.

usage: digest_tree.py DIRECTORY
"""

import os
import sys

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur, Gio, GLib


def files_below(directory):
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


async def digest_tree(directory):
    pool = Concur.get_default_executor()
    # Walking blocks as well, so it is work for a thread, too.
    paths = await pool.submit(lambda: list(files_below(directory)))
    # Jobs written in C: Python only waits.
    digests = [Concur.file_digest(Gio.File.new_for_path(path), GLib.ChecksumType.SHA256, None,
                                  None) for path in paths]
    failed = 0
    for done, (path, digest) in enumerate(zip(paths, digests), 1):
        try:
            print(await digest, path)
        except GLib.Error as error:
            failed += 1
            print(f'{path}: {error.message}', file=sys.stderr)
        print(f'\r{done / len(paths):4.0%}', end='', file=sys.stderr)
    print(f'\r{len(paths)} files, {failed} not readable', file=sys.stderr)
    return failed


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(1 if Concur.run(digest_tree(sys.argv[1])) else 0)
