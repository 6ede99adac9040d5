#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Searches the lines of a file for what is typed, and starts anew with each key.

usage: search_as_you_type.py FILE KEYS

Each search is a group of its own, which the next key cancels silently: whatever its thread
still finds, nobody is told.
"""

import sys
import threading

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur, GLib


class Search:
    def __init__(self, path):
        self.path = path
        self.group = None
        self.cancelled = 0
        self.looked_at = 0
        self.loop = GLib.MainLoop()

    def find(self, text, begun):
        begun.set()
        found = []
        with open(self.path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                Concur.check_cancelled()
                self.looked_at += 1
                if text in line:
                    found.append(f'{number}:{line.rstrip()}')
        return text, found

    def show(self, future):
        self.group = None
        text, found = future.result()
        for line in found:
            print(line)
        print(f'{text}: {len(found)} lines')
        self.loop.quit()

    def change(self, text):
        if self.group is not None:
            self.group.cancel_silently()
            self.cancelled += 1
        self.group = Concur.TaskGroup()
        begun = threading.Event()
        self.group.when_done(self.group.submit(self.find, text, begun), self.show)
        # Keys do not come so fast, and a search that has not begun is no use to cancel.
        begun.wait()


def main():
    if len(sys.argv) != 3:
        print('usage: search_as_you_type.py FILE KEYS', file=sys.stderr)
        sys.exit(2)
    path, keys = sys.argv[1:]
    search = Search(path)
    for end in range(1, len(keys) + 1):
        search.change(keys[:end])
    if search.group is not None:
        search.loop.run()
    print(f'{search.cancelled} searches cancelled, {search.looked_at} lines looked at')


if __name__ == '__main__':
    main()
