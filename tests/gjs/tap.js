// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Tests that run one after the other and print TAP; and what several of them use. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

/* For one test; the machine may stand still for a minute. */
const LIMIT_MS = 120000;

const tests = [];

export function test(name, body) {
    tests.push({name, body});
}

/* @cleanUp: at the end, whatever happened. @exit: not called if all went well. */
export async function run(cleanUp = null, exit = System.exit) {
    let failed = 0;

    print(`1..${tests.length}`);
    for (const [i, {name, body}] of tests.entries()) {
        let timer;
        const limit = new Promise((_, reject) => {
            timer = setTimeout(() => reject(new Error('The time is over')), LIMIT_MS);
        });
        try {
            // eslint-disable-next-line no-await-in-loop
            await Promise.race([(async () => body())(), limit]);
            print(`ok ${i + 1} ${name}`);
        } catch (error) {
            failed++;
            print(`not ok ${i + 1} ${name}`);
            /* Not as TAP's comments: meson's summary leaves those out. */
            printerr(`${error}\n${error.stack ?? ''}`);
        }
        clearTimeout(timer);
    }
    cleanUp?.();
    /* Success just ends: GJS 1.74 sometimes crashes in an exit in the middle of a turn. */
    if (failed)
        exit(1);
}

export function assert(condition, message = 'not true') {
    if (!condition)
        throw new Error(message);
}

export function same(actual, expected, message = '') {
    const show = value => typeof value === 'object' ? JSON.stringify(value) ?? String(value)
        : String(value);

    if (!Object.is(actual, expected) && (typeof expected !== 'object' || expected === null ||
        show(actual) !== show(expected)))
        throw new Error(`${message} expected ${show(expected)}, got ${show(actual)}`);
}

export function throws(body, pattern = null) {
    try {
        body();
    } catch (error) {
        if (pattern && !pattern.test(`${error}`))
            throw new Error(`expected an error like ${pattern}, got ${error}`);
        return error;
    }
    throw new Error('expected an error');
}

export async function rejects(promise) {
    try {
        await promise;
    } catch (error) {
        return error;
    }
    throw new Error('expected a rejection');
}

/* Lets the loop turn, at the lowest priority, so that all that is there is dispatched. */
export function turn() {
    return new Promise(resolve => {
        GLib.idle_add(GLib.PRIORITY_LOW + 100, () => {
            resolve();
            return GLib.SOURCE_REMOVE;
        });
    });
}

/* Turns the loop until something is so, which it must become. */
export async function until(condition) {
    while (!condition()) {
        // eslint-disable-next-line no-await-in-loop
        await new Promise(resolve => setTimeout(resolve, 1));
    }
}

/* A promise with its functions: a gate to open. */
export function gate() {
    const result = {};
    result.opened = new Promise((resolve, reject) => {
        result.open = resolve;
        result.fail = reject;
    });
    return result;
}

export function makeDirectory() {
    return Gio.File.new_for_path(GLib.Dir.make_tmp('concur-gjs-XXXXXX'));
}

export function writeFile(directory, name, text) {
    const file = directory.get_child(name);
    file.replace_contents(text, null, false, Gio.FileCreateFlags.NONE, null);
    return file;
}

/* Takes hours to read and no space: digesting it is work that goes on until told to stop. */
export function makeEndlessFile(directory) {
    const file = directory.get_child('endless');
    const stream = file.create(Gio.FileCreateFlags.NONE, null);
    stream.truncate(2 ** 42, null);
    stream.close(null);
    return file;
}

export function remove(directory) {
    for (const info of directory.enumerate_children('standard::name', 0, null))
        directory.get_child(info.get_name()).delete(null);
    directory.delete(null);
}

/* What lives in the engine's heap after a collection. */
export function heapBytes() {
    const [file, stream] = Gio.File.new_tmp('concur-heap-XXXXXX');
    stream.close(null);
    System.gc();
    System.dumpMemoryInfo(file.get_path());
    const [, contents] = file.load_contents(null);
    file.delete(null);
    const [json] = new TextDecoder().decode(contents).match(/\{[^]*\}/);
    const {gcBytes, mallocBytes} = JSON.parse(json).zone;
    return gcBytes + mallocBytes;
}
