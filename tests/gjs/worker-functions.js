// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* What the workers of test-processes.js can do. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

export function echo(...args) {
    return args;
}

export function first(value) {
    return value;
}

export function variable(name) {
    return GLib.getenv(name);
}

export function fib(n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

export function square(n) {
    if (n < 0)
        throw new RangeError(`${n} is negative`);
    return n * n;
}

export async function later(value) {
    await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
        resolve();
        return GLib.SOURCE_REMOVE;
    }));
    return value;
}

export function pid() {
    return new Gio.Credentials().get_unix_pid();
}

export function fail(what) {
    switch (what) {
    case 'glib':
        throw new Gio.IOErrorEnum({code: Gio.IOErrorEnum.NOT_FOUND, message: 'not here'});
    case 'indescribable':
        throw {get name() {
            throw new Error('no name');
        }, get stack() {
            throw new Error('no stack');
        }, get message() {
            throw new Error('no message');
        }};
    case 'string':
        throw 'just text';
    default:
        throw Object.assign(new Error('two\nlines'), {name: 'OddError'});
    }
}

export function* count(n) {
    for (let i = 0; i < n; i++)
        yield i;
    if (n === 3)
        throw new TypeError('three is too few');
}

export async function* countLater(n) {
    for (let i = 0; i < n; i++)
        yield await later({i});
}

export function untilCancelled() {
    const call = Concur.workerCall();

    call.set_status_text('waiting');
    while (!call.is_cancelled())
        GLib.usleep(1000);
    throw new Gio.IOErrorEnum({code: Gio.IOErrorEnum.CANCELLED, message: 'stopped'});
}

export function forEver() {
    Concur.workerCall().set_status_text('busy');
    for (;;)
        ;
}

export function die() {
    GLib.spawn_command_line_sync(`kill -KILL ${pid()}`);
}

export function exit(status) {
    System.exit(status);
}

export function report() {
    print('# printed by a worker');
    Concur.workerCall().set_progress(0.5);
    return true;
}

export const notAFunction = 1;
