#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Digests every file of a directory on worker threads while the main loop turns a spinner.
 * Ctrl-C, or so many turns of the spinner, cancels what is left.
 *
 *   gjs -m spinner.js [--cancel-after TURNS] [DIRECTORY] */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 50;
const SIGINT = 2;

const terminal = new Gio.UnixOutputStream({fd: 1, closeFd: false});
const show = text => terminal.write_all(new TextEncoder().encode(text), null);

function readArguments(args) {
    const options = {cancelAfter: Infinity, path: '/etc'};
    for (let i = 0; i < args.length; i++) {
        if (args[i] === '--cancel-after')
            options.cancelAfter = Number(args[++i]);
        else
            options.path = args[i];
    }
    return options;
}

function *filesOf(directory) {
    const children = directory.enumerate_children('standard::name,standard::type',
        Gio.FileQueryInfoFlags.NOFOLLOW_SYMLINKS, null);
    for (const info of children) {
        if (info.get_file_type() === Gio.FileType.REGULAR)
            yield children.get_child(info);
    }
}

const {cancelAfter, path} = readArguments(System.programArgs);
const files = [...filesOf(Gio.File.new_for_path(path))];
const works = files.map(file => Concur.fileDigest(file));
const all = Concur.Future.allSettled(works);

let turns = 0;
const spinner = GLib.timeout_add(GLib.PRIORITY_DEFAULT, FRAME_MS, () => {
    const done = works.filter(work => work.isDone()).length;
    show(`\r${FRAMES[turns++ % FRAMES.length]} ${done} of ${files.length} files`);
    if (turns >= cancelAfter)
        works.forEach(work => work.cancel());
    return GLib.SOURCE_CONTINUE;
});
const interrupt = GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, SIGINT, () => {
    works.forEach(work => work.cancel());
    return GLib.SOURCE_CONTINUE;
});

const outcomes = await all;
GLib.source_remove(spinner);
GLib.source_remove(interrupt);
show('\r\x1b[K');

for (const [i, {status, value, reason}] of outcomes.entries()) {
    if (status === 'fulfilled')
        print(`${value}  ${files[i].get_path()}`);
    else if (!Concur.isCancelled(reason))
        print(`${files[i].get_path()}: ${reason.message}`);
}
const cancelled = outcomes.filter(({reason}) => Concur.isCancelled(reason)).length;
print(`${files.length - cancelled} done, ${cancelled} cancelled, the spinner turned ${turns} times`);
