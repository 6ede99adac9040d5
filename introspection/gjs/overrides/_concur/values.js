// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Values and errors between JavaScript and the GValues and GErrors of the library.
 *
 * What C has a type for is handed over as that. Everything else stays on this side, on the
 * wrapper of an object that is passed in its place: threads may copy and free that as
 * they like, for they only count references. */

const {Gio, GLib, GObject} = imports.gi;

/* Marks: on a list of futures, what it is the value of; on a future, what its errors hang on. */
var LIST_KIND = Symbol('kind of list');
var CELL = Symbol('cell');
/* On a future of a worker process: its variant is to be read as natural values. */
var NATURAL = Symbol('natural values');
/* What values of JavaScript are tagged with that came as a variant. */
var TAG = 'concur-js-value';
/* The code of an error that was thrown in another process. */
var REMOTE_CODE = 0;

const ERROR_DOMAIN = GLib.quark_from_string('concur-js-error-quark');
const MAX_INT32 = 0x7fffffff;
const MANY = 10000;
/* A C string ends at a zero, and UTF-8 has no room for half a pair. */
var NOT_FOR_C = /[\0\p{Surrogate}]/u;

let Concur;
let Box;

let lastCode = 0;

/* What was read of lists, while one is read. One that is in many others is read once: a few
 * dozen that have each other twice would otherwise take for ever. */
let reading = null;

function install(namespace) {
    Concur = namespace;

    Box = GObject.registerClass({GTypeName: 'ConcurJsValue'}, class extends GObject.Object {});

    Concur.isCancelled = isCancelled;
}

function isCancelled(error) {
    return error instanceof GLib.Error &&
        error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
}

function box(value) {
    const object = new Box();
    object.value = value;
    return object;
}

/* A boxed type's functions are C, wherever they run, save for a closure's, and for the type
 * that GJS has for objects of the language: they even have one without a wrapper. */
function isPlainBoxed(value) {
    const gtype = value.constructor?.$gtype;
    return gtype !== undefined && GObject.type_is_a(gtype, GObject.TYPE_BOXED) &&
        !GObject.type_is_a(gtype, GObject.TYPE_JSOBJECT) &&
        !(value instanceof GObject.Closure) && !(value instanceof GLib.Error);
}

/* Returns which of the functions for types to call, and what with. */
function pack(value) {
    switch (typeof value) {
    case 'undefined':
        return ['object', null];
    case 'boolean':
        return ['boolean', value];
    case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0)
            ? ['int64', value] : ['double', value];
    case 'string':
        return NOT_FOR_C.test(value) ? ['object', box(value)] : ['string', value];
    case 'object':
        break;
    default:
        return ['object', box(value)];
    }

    if (value === null || value instanceof GObject.Object)
        return ['object', value];
    if (value instanceof GLib.Bytes)
        return ['bytes', value];
    if (value instanceof GLib.Variant)
        return ['variant', value];
    if (value instanceof GObject.Value) {
        if (GObject.type_check_value_holds(value, GObject.TYPE_JSOBJECT)) {
            throw new TypeError('A GObject.Value with a JavaScript object in it must not ' +
                'get to another thread: give the object itself');
        }
        return ['', value];
    }
    return isPlainBoxed(value) ? ['', value] : ['object', box(value)];
}

const SETTERS = {
    boolean: [GObject.TYPE_BOOLEAN, 'set_boolean'],
    double: [GObject.TYPE_DOUBLE, 'set_double'],
    int64: [GObject.TYPE_INT64, 'set_int64'],
    object: [GObject.TYPE_OBJECT, 'set_object'],
    string: [GObject.TYPE_STRING, 'set_string'],
    variant: [GObject.TYPE_VARIANT, 'set_variant'],
};

/* As a GObject.Value of a type of ours: GJS would choose narrower ones. */
function toValue(value) {
    const [type, packed] = pack(value);

    if (!(type in SETTERS))
        return packed;
    const [gtype, set] = SETTERS[type];
    const result = new GObject.Value();
    result.init(gtype);
    result[set](packed);
    return result;
}

/* What processes.js made a variant of, or any other one. */
function fromVariant(variant) {
    const type = variant.get_type_string();

    switch (type) {
    case 'mv': {
        const inner = variant.get_maybe();
        return inner === null ? null : fromVariant(inner.get_variant());
    }
    case 'v':
        return fromVariant(variant.get_variant());
    case 'x':
        return variant.get_int64();
    case 'ay':
        return variant.get_data_as_bytes().toArray();
    case 'av':
        return Array.from({length: variant.n_children()}, (_, i) => fromVariant(variant.get_child_value(i)));
    case 'a{sv}': {
        const entries = Array.from({length: variant.n_children()}, (_, i) => variant.get_child_value(i));
        return Object.fromEntries(entries.map(entry =>
            [entry.get_child_value(0).get_string()[0], fromVariant(entry.get_child_value(1))]));
    }
    case '(sv)':
        return fromTagged(variant, variant.get_child_value(0).get_string()[0],
            variant.get_child_value(1).get_variant());
    default:
        return variant.recursiveUnpack();
    }
}

function fromTagged(variant, name, content) {
    switch (name) {
    case TAG:
        return fromVariant(content);
    case 'object':
        return Object.fromEntries(fromVariant(content));
    case 'map':
        return new Map(fromVariant(content));
    case 'set':
        return new Set(fromVariant(content));
    case 'date':
        return new Date(content.get_double());
    case 'bigint':
        return BigInt(content.get_string()[0]);
    case 'utf-16':
        return fromUtf16(new Uint16Array(fromVariant(content).slice().buffer));
    case 'variant':
        return content;
    default:
        return variant.recursiveUnpack();
    }
}

/* A function takes only so many arguments. */
function fromUtf16(units) {
    const parts = [];

    for (let at = 0; at < units.length; at += MANY)
        parts.push(String.fromCharCode(...units.subarray(at, at + MANY)));
    return parts.join('');
}

function isTagged(variant) {
    return variant.get_type_string() === '(sv)' &&
        variant.get_child_value(0).get_string()[0] === TAG;
}

/* @kind: of a list without a mark, as one has that was made in C. */
function unpack(value, kind) {
    if (value instanceof Box)
        return value.value;
    if (value instanceof GLib.Variant && isTagged(value))
        return fromVariant(value.get_child_value(1).get_variant());
    if (value?.constructor?.$gtype?.name === 'ConcurFutureList')
        return fromList(value, value[LIST_KIND] ?? kind);
    if (value instanceof Concur.Batch && value.get_item_type()?.name === 'GValue')
        return Array.from({length: value.get_n_items()}, (_, i) => unpack(value.get_value(i)));
    return value;
}

function fromList(list, kind) {
    const outermost = reading === null;

    reading ??= new Map();
    try {
        if (!reading.has(list))
            reading.set(list, readList(list, kind));
        return reading.get(list);
    } finally {
        if (outermost)
            reading = null;
    }
}

function readList(list, kind) {
    const futures = Array.from({length: list.get_n_items()}, (_, i) => list.get_item(i));

    switch (kind) {
    case 'values':
        return futures.map(future => future.get_value());
    case 'outcomes':
        return futures.map(future => {
            try {
                return {status: 'fulfilled', value: future.get_value()};
            } catch (reason) {
                return {status: 'rejected', reason};
            }
        });
    default:
        return futures;
    }
}

function describe(value) {
    try {
        return String(value);
    } catch {
        return 'something that cannot be made a string';
    }
}

/* What somebody gave where something else is wanted: 5 and “5” are not the same. */
function show(value) {
    switch (typeof value) {
    case 'string':
        return `“${value}”`;
    case 'bigint':
        return `${value}n`;
    default:
        return Array.isArray(value) ? 'an array' : describe(value);
    }
}

/* @cell: that of the future which is rejected with it. It keeps what was thrown, and a GError
 * stands for it on the way: its code says which. */
function toGError(error, cell) {
    if (error instanceof GLib.Error)
        return error;

    lastCode = lastCode % MAX_INT32 + 1;
    cell.kept = {error, code: lastCode};

    return new GLib.Error(ERROR_DOMAIN, lastCode,
        describe(error).replace(/[\0\p{Surrogate}]/gu, '\ufffd'));
}

const IN_WORKER = '\nIn the worker process:\n';

/* An error on its way to another process, as people read it. */
function describeRemote(error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : `Error: ${describe(error)}`;

    return `${text}${IN_WORKER}${error?.stack ?? ''}`.replace(/[\0\p{Surrogate}]/gu, '\ufffd');
}

const ERROR_TYPES = {Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError};

/* Made anew, with the stack that it had where it was thrown. */
function fromRemote({message: description}) {
    const at = description.lastIndexOf(IN_WORKER);
    const text = at === -1 ? description : description.slice(0, at);
    const [, name, message] = /^(\w+): ([^]*)$/.exec(text) ?? [null, 'Error', text];
    const error = new (ERROR_TYPES[name] ?? Error)(message);

    if (error.name !== name)
        error.name = name;
    if (at !== -1)
        error.stack = description.slice(at + IN_WORKER.length);
    return error;
}

/* The very object that was thrown, if it was thrown here: by @future or by one that it was
 * made from. Chains may be long, so this does not recurse. */
function fromGError(error, future) {
    if (!(error instanceof GLib.Error) || error.domain !== ERROR_DOMAIN)
        return error;
    if (error.code === REMOTE_CODE)
        return fromRemote(error);

    const cell = future[CELL];
    const pending = cell ? [cell] : [];
    const seen = new Set(pending);
    while (pending.length) {
        const {kept, from} = pending.pop();
        if (kept?.code === error.code) {
            cell.kept = kept;
            cell.from = null;
            return kept.error;
        }
        for (const other of from ?? []) {
            if (!seen.has(other)) {
                seen.add(other);
                pending.push(other);
            }
        }
    }
    return error;
}

/* Calls @body, and throws what was thrown originally. */
function withErrors(future, body) {
    try {
        return body();
    } catch (error) {
        throw fromGError(error, future);
    }
}

/* A future's cell keeps the error it was rejected with, and the cells of the futures that
 * it was made from, whose errors may come to be its own. It knows too who is to complete
 * the future: @needs says whether all those futures are needed or any will do.
 *
 * A chain shares no cell and keeps no future, so its middle can go. */
function newCell() {
    return {kept: null, here: false, from: null, needs: 'all'};
}

function cellOf(future) {
    return future[CELL] ??= newCell();
}

/* Makes @derived keep what its inputs may be rejected with. */
function derive(derived, inputs, needs = 'all') {
    const cell = cellOf(derived);
    const from = [];

    for (const input of inputs) {
        const state = input.get_state();
        if (input[CELL] && state !== Concur.FutureState.RESOLVED)
            from.push(input[CELL]);
        /* One that others complete is enough for those that wait for any. */
        else if (needs === 'any')
            cell.here = null;
    }
    cell.from = (cell.from ?? []).concat(from);
    cell.needs = needs;

    return derived;
}

/* Whether only this thread can complete it. @known: what was found of others, for one may be
 * needed in many ways. */
function isCompletedHere(cell, known = new Map()) {
    if (!cell)
        return false;
    if (cell.here !== false || !cell.from?.length)
        return cell.here === true;
    if (!known.has(cell)) {
        const check = other => isCompletedHere(other, known);

        known.set(cell, false);
        known.set(cell, cell.needs === 'all' ? cell.from.some(check) : cell.from.every(check));
    }
    return known.get(cell);
}

/* Milliseconds to microseconds, rounded up, so that nothing ends early. */
function toMicroseconds(ms) {
    if (ms === null || ms === undefined)
        return -1;
    if (typeof ms !== 'number' || Number.isNaN(ms))
        throw new TypeError(`A time is a number of milliseconds, not ${show(ms)}`);

    const us = Math.ceil(ms * 1000);
    return us < 0 || us > Number.MAX_SAFE_INTEGER ? -1 : us;
}

/* The last argument of many a function: an object, or what C has in its place. */
function readOptions(given, defaults, shorthand) {
    if (given === null || given === undefined)
        return {...defaults};
    if (typeof given !== 'object' || given instanceof GObject.Object) {
        if (shorthand === undefined)
            throw new TypeError(`Expected an object of options, not ${show(given)}`);
        return {...defaults, [shorthand]: given};
    }

    for (const name of Object.keys(given)) {
        if (!(name in defaults)) {
            const known = Object.keys(defaults).join(', ');
            throw new TypeError(`There is no option “${name}” here; there are: ${known}`);
        }
    }
    return {...defaults, ...given};
}

function requireFunction(fn, what) {
    if (typeof fn !== 'function')
        throw new TypeError(`${what} needs a function, not ${show(fn)}`);
}

/* Puts a method in place, under a name which `for … in` does not list unless GJS has it there
 * already: what is introspected can be replaced, but not redefined. */
function define(target, name, value) {
    if (Object.prototype.hasOwnProperty.call(target, name)) {
        target[name] = value;
        return;
    }
    Object.defineProperty(target, name, {
        value,
        configurable: true,
        enumerable: false,
        writable: true,
    });
}
