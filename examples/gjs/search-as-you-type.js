#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Searches the lines of a file for what is typed, and starts anew with each key.
 *
 * usage: search-as-you-type.js FILE KEYS
 *
 * Each search is a group of its own, which the next key cancels silently: whatever it still
 * finds, nobody is told. A search is JavaScript, so it goes through the lines in pieces, and
 * the loop turns in between. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import {exit, programArgs} from 'system';

const PIECE = 500;

if (programArgs.length !== 2) {
    printerr('usage: search-as-you-type.js FILE KEYS');
    exit(2);
}
const [path, keys] = programArgs;
const bytes = await Concur.fileLoadBytes(Gio.File.new_for_path(path));
const lines = new TextDecoder().decode(bytes.toArray()).replace(/\n$/, '').split('\n');

const last = new Concur.Promise();
let group = null;
let cancelled = 0;
let lookedAt = 0;

async function find(text, job) {
    const found = [];

    for (let begin = 0; begin < lines.length; begin += PIECE) {
        job.checkCancelled();
        for (let i = begin; i < Math.min(begin + PIECE, lines.length); i++) {
            lookedAt++;
            if (lines[i].includes(text))
                found.push(`${i + 1}:${lines[i]}`);
        }
        await Concur.delay(0);
    }
    return found;
}

/* Done when the search has begun: before, it is no use to cancel. */
function change(text) {
    if (group) {
        group.cancelSilently();
        cancelled++;
    }
    group = new Concur.TaskGroup();
    return new Promise(begun => {
        const future = group.submit(job => {
            begun();
            return find(text, job);
        });
        group.whenDone(future, () => {
            const found = future.getValue();

            group = null;
            for (const line of found)
                print(line);
            print(`${text}: ${found.length} lines`);
            last.resolve();
        });
    });
}

for (let end = 1; end <= keys.length; end++)
    await change(keys.slice(0, end));
if (group)
    await last.future;
print(`${cancelled} searches cancelled, ${lookedAt} lines looked at`);
