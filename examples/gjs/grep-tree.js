#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Prints the lines of a tree of files that match, as they are found.
 *
 * usage: grep-tree.js [--max-count N] PATTERN DIRECTORY
 *
 * Files are read by native jobs on threads; the lines go through a channel with little room.
 * Leaving the loop ends the search. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {exit, programArgs} from 'system';

Gio._promisify(Gio.File.prototype, 'enumerate_children_async', 'enumerate_children_finish');
Gio._promisify(Gio.FileEnumerator.prototype, 'next_files_async', 'next_files_finish');

const ATTRIBUTES = 'standard::name,standard::type';
const AT_ONCE = 100;

const args = [...programArgs];
const maxCount = args[0] === '--max-count' ? Number(args.splice(0, 2)[1]) : Infinity;
if (args.length !== 2 || Number.isNaN(maxCount)) {
    printerr('usage: grep-tree.js [--max-count N] PATTERN DIRECTORY');
    exit(2);
}
const pattern = new RegExp(args[0]);
let searched = 0;

async function list(directory) {
    const entries = await directory.enumerate_children_async(ATTRIBUTES,
        Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS, GLib.PRIORITY_DEFAULT, null);
    const all = [];

    for (;;) {
        const some = await entries.next_files_async(AT_ONCE, GLib.PRIORITY_DEFAULT, null);
        if (!some.length)
            return all.sort((a, b) => a.get_name() < b.get_name() ? -1 : 1);
        all.push(...some);
    }
}

async function* grep(directory) {
    for (const info of await list(directory)) {
        const file = directory.get_child(info.get_name());

        if (info.get_file_type() === Gio.FileType.DIRECTORY) {
            yield* grep(file);
        } else if (info.get_file_type() === Gio.FileType.REGULAR) {
            const bytes = await Concur.fileLoadBytes(file);
            const lines = new TextDecoder().decode(bytes.toArray()).split('\n');

            searched++;
            for (const [i, line] of lines.entries()) {
                if (pattern.test(line))
                    yield `${file.get_path()}:${i + 1}:${line}`;
            }
        }
    }
}

let count = 0;
for await (const line of Concur.Channel.from(grep(Gio.File.new_for_path(args[1])), {capacity: 64})) {
    print(line);
    if (++count === maxCount)
        break;
}
printerr(`${count} lines, ${searched} files searched`);
