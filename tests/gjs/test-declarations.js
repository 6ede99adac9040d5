// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* The declarations for TypeScript, against the typelib and what the override makes of it. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import {assert, run, same, test} from './tap.js';
import {read} from './typelib.js';

const [here] = GLib.filename_from_uri(import.meta.url);
const source = Gio.File.new_for_path(GLib.build_filenamev([GLib.path_get_dirname(here), '..',
    '..', 'introspection', 'gjs', 'Concur-1.d.ts']));

/* What throws from JavaScript is not declared, nor is what a class has for its threads. */
const LEFT_OUT = new Set(['Future.addDirectCallback', 'LoopThread.addTask', 'LoopThread.call',
    'Job.vfunc_done', 'Job.vfunc_release', 'Job.watch', 'ProcessExecutor.setThreadFunc',
    'ThreadExecutor.runNext', 'ThreadExecutor.vfunc_thread_main', 'LoopThread.vfunc_run_loop',
    'LoopThread.vfunc_quit_loop']);
/* Of JavaScript's own making, or GObject's. */
const INHERITED = new Set(['connect', 'constructor', '[Symbol.asyncIterator]']);

const camel = name => name.replace(/[-_]([a-z0-9])/g, (_, c) => c.toUpperCase());

/* One member a line, which is how the file is written. Returns
 * {types: {name: {kind, members: Set, statics: Set}}, functions: Set, constants: Set}. */
function parse(text) {
    const result = {types: {}, functions: new Set(), constants: new Set()};
    let current = null;

    for (const line of text.split('\n')) {
        const opening = /^ {8}(?:abstract )?(class|interface|enum|const) (\w+)(?:<.*?>)?(.*)\{(\}?)$/
            .exec(line);
        const member = /^ {12}(static )?(?:readonly )?(\$?\w+|\[Symbol\.\w+\])\??(?:<.*?>)?[(:,]/.exec(line);
        const plain = /^ {8}(function|const) (\w+)(?:<.*?>)?[(:].*;$/.exec(line);

        if (plain) {
            result[plain[1] === 'function' ? 'functions' : 'constants'].add(plain[2]);
        } else if (opening) {
            const [, kind, name, , closed] = opening;
            current = result.types[name] ??= {members: new Set(), statics: new Set()};
            if (kind === 'class' || kind === 'enum')
                current.kind = kind;
            current.isObject = kind === 'const';
            if (closed)
                current = null;
        } else if (/^ {8}\}/.test(line)) {
            current = null;
        } else if (member && current) {
            const isStatic = member[1] || current.isObject;
            (isStatic ? current.statics : current.members).add(member[2]);
        } else if (current && line.trim()) {
            throw new Error(`Not understood: ${line}`);
        }
    }
    return result;
}

const [, contents] = source.load_contents(null);
const declared = parse(new TextDecoder().decode(contents));
const typelib = read();
const isError = name => typeof Concur[name] === 'function' && name.endsWith('Error');

test('the parser sees what is there', () => {
    assert(Object.keys(declared.types).length >= 18);
    assert(declared.types.Future.members.has('withTimeout'));
    assert(declared.types.Future.statics.has('allSettled'));
    assert(declared.types.Priority.members.has('IDLE'));
    assert(declared.functions.has('fileDigest'));
});

test('everything public is declared', () => {
    const missing = [];
    const need = (set, name, where) => {
        if (!set?.has(name) && !LEFT_OUT.has(`${where}.${name}`))
            missing.push(`${where}.${name}`);
    };

    for (const [name, info] of Object.entries(typelib.classes)) {
        const type = declared.types[name];
        for (const method of info.methods)
            need(method.isMethod ? type?.members : type?.statics, camel(method.name), name);
        for (const property of info.properties)
            need(type?.members, camel(property), name);
        for (const vfunc of info.vfuncs)
            need(type?.members, `vfunc_${vfunc}`, name);
        for (const signal of info.signals)
            assert(new RegExp(`'${signal}'`).test(new TextDecoder().decode(contents)), signal);
    }
    for (const [name, info] of Object.entries(typelib.enums)) {
        const type = declared.types[name];
        for (const value of info.values)
            need(isError(name) ? type?.statics : type?.members, value.toUpperCase(), name);
        for (const one of info.functions)
            need(type?.statics, camel(one.name), name);
    }
    for (const one of typelib.functions)
        need(declared.functions, camel(one.name), 'Concur');
    for (const name of typelib.constants)
        need(declared.constants, name, 'Concur');

    /* What the override adds. */
    for (const name of Object.keys(typelib.classes)) {
        for (const [holder, set] of [[Concur[name], 'statics'], [Concur[name].prototype, 'members']]) {
            for (const key of Object.getOwnPropertyNames(holder)) {
                const {value} = Object.getOwnPropertyDescriptor(holder, key);
                if (typeof value === 'function' && !/native symbol|\[native code\]/.test(`${value}`) &&
                    !/^_|_|^bind|^connect|^to/.test(key))
                    need(isInherited(name, key) ? new Set([key]) : declared.types[name]?.[set], key, name);
            }
        }
    }
    for (const key of ['delay', 'isCancelled'])
        need(declared.functions, key, 'Concur');

    same(missing, []);
});

/* Executors have the methods of their interface. */
function isInherited(name, key) {
    return name.endsWith('Executor') || name === 'LoopThread'
        ? declared.types.Executor.members.has(key) : false;
}

test('nothing is declared that does not exist', () => {
    const wrong = [];

    for (const [name, {kind, members, statics}] of Object.entries(declared.types)) {
        if (!(name in Concur)) {
            wrong.push(name);
            continue;
        }
        for (const key of statics) {
            if (!(key in Concur[name]) && key !== '$gtype')
                wrong.push(`${name}.${key}`);
        }
        for (const key of members) {
            const exists = kind === 'enum' ? key in Concur[name]
                : INHERITED.has(key) || isMember(name, key);
            if (!exists)
                wrong.push(`${name}#${key}`);
        }
    }
    for (const name of [...declared.functions, ...declared.constants]) {
        if (!(name in Concur))
            wrong.push(name);
    }
    same(wrong, []);
});

function isMember(name, key) {
    const {prototype} = Concur[name];
    if (key.startsWith('vfunc_')) {
        const {vfuncs} = typelib.classes[name];
        return vfuncs.includes(key.slice(6));
    }
    if (key in prototype)
        return true;
    return GObject.Object.find_property?.call(Concur[name], key) ?? false;
}

test('a class that is written to is writable', () => {
    const text = new TextDecoder().decode(contents);
    for (const [name, key, readonly] of [['Future', 'state', true], ['Future', 'name', false],
        ['ThreadExecutor', 'paused', false], ['ThreadExecutor', 'keepAlive', true]]) {
        const body = text.slice(text.search(new RegExp(`class ${name}\\b`)));
        same(new RegExp(`^ {12}readonly ${key}:`, 'm').test(body.slice(0, 1200)), readonly, key);
    }
});

await run();
