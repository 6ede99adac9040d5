// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Worker processes for JavaScript: the program's side, and the worker's.
 *
 * What crosses is a copy. It travels as a GVariant with a tag, by which whatever reads it
 * knows that it is to become natural values again. */

const {Gio, GLib, GObject} = imports.gi;
const {threads, values} = imports.overrides._concur;
const {define, readOptions, requireFunction, show, toMicroseconds} = values;

const {NOT_FOR_C, REMOTE_CODE, TAG} = values;
const KEPT_POOL = Symbol('process executor');
/* So many values of a stream may wait for the loop. */
const SOME = 16;
/* Variants have their own limit, 128 of theirs. */
const MAX_DEPTH = 24;
/* Of C's settings, those that are times. */
const TIMES = ['callTimeout', 'gracePeriod', 'idleTimeout', 'startTimeout'];

let Concur;
/* What a worker runs. */
let workerMain;
const raw = {};
/* In a worker: what is being answered. */
let current = null;

function install(namespace) {
    Concur = namespace;
    /* The file name of an Error would be in another encoding. */
    workerMain = Gio.File.new_for_commandline_arg(imports.overrides._concur.processes.__file__)
        .get_parent().get_child('worker-main.js').get_path();
    const {prototype} = Concur.ProcessExecutor;

    for (const name of ['call', 'call_stream', 'map_calls', 'shutdown', 'submit_job'])
        raw[name] = prototype[name];
    for (const [name, method] of Object.entries(methods))
        define(prototype, name, method);
    for (const name of TIMES)
        defineTime(prototype, name);
    Concur.ProcessExecutor.new = (command, maxWorkers = 0) =>
        new Concur.ProcessExecutor({command, maxWorkers});

    raw.worker_run = Concur.worker_run;
    Concur.worker_run = fn => {
        requireFunction(fn, 'workerRun()');
        return raw.worker_run(call => fn(threads.ours(call)));
    };
    Concur.workerCall = () => current;
    define(Concur.ProcessWorker.prototype, 'serve', serve);
}

/* In milliseconds, by all its names; -1 stays what it is. */
function defineTime(prototype, camel) {
    const kebab = camel.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
    const get = function () {
        const value = new GObject.Value();

        value.init(GObject.TYPE_INT64);
        GObject.Object.prototype.get_property.call(this, kebab, value);
        return value.get_int64() < 0 ? -1 : value.get_int64() / 1000;
    };

    for (const name of [camel, kebab, kebab.replace(/-/g, '_')])
        Object.defineProperty(prototype, name, {get, configurable: true});
}

/* Where an object has a cycle there is no end. */
function encode(value, above = []) {
    switch (typeof value) {
    case 'undefined':
        return new GLib.Variant('mv', null);
    case 'boolean':
        return new GLib.Variant('b', value);
    case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0)
            ? new GLib.Variant('x', value) : new GLib.Variant('d', value);
    case 'bigint':
        return tagged('bigint', new GLib.Variant('s', value.toString()));
    case 'string':
        if (NOT_FOR_C.test(value))
            return tagged('utf-16', encode(new Uint8Array(
                Uint16Array.from({length: value.length}, (_, i) => value.charCodeAt(i)).buffer)));
        return new GLib.Variant('s', value);
    case 'object':
        break;
    default:
        throw new TypeError(`A worker process cannot be given a ${typeof value}: ${show(value)}`);
    }

    if (value === null)
        return new GLib.Variant('mv', null);
    if (value instanceof GLib.Variant)
        return tagged('variant', value);
    if (value instanceof GLib.Bytes)
        return encode(value.toArray());
    if (value instanceof Uint8Array)
        return GLib.Variant.new_from_bytes(new GLib.VariantType('ay'), new GLib.Bytes(value), true);
    if (value instanceof Date)
        return tagged('date', new GLib.Variant('d', value.getTime()));
    if (above.includes(value))
        throw new TypeError('A worker process cannot be given an object that contains itself');

    if (above.length === MAX_DEPTH)
        throw new RangeError(`A worker process can be given at most ${MAX_DEPTH} objects inside each other`);

    const inside = [...above, value];
    if (Array.isArray(value))
        return new GLib.Variant('av', Array.from(value, item => encode(item, inside)));
    if (value instanceof Map)
        return tagged('map', encode([...value], inside));
    if (value instanceof Set)
        return tagged('set', encode([...value], inside));

    const prototype = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) {
        throw new TypeError('A worker process can be given values, arrays and plain objects, ' +
            `not objects of the class ${value.constructor?.name}`);
    }
    return encodeObject(value, inside);
}

function encodeObject(object, inside) {
    const entries = Object.entries(object);

    if (entries.some(([key]) => NOT_FOR_C.test(key)))
        return tagged('object', encode(entries, inside));
    return new GLib.Variant('a{sv}', Object.fromEntries(
        entries.map(([key, value]) => [key, encode(value, inside)])));
}

function tagged(name, content) {
    return new GLib.Variant('(sv)', [name, content]);
}

function toVariant(value) {
    return new GLib.Variant('(sv)', [TAG, encode(value)]);
}

/* As a plain object, also what C made. */
function settingsOf(properties) {
    const given = {};

    for (const [name, value] of Object.entries(properties))
        given[name.replace(/[_-](\w)/g, (_, letter) => letter.toUpperCase())] = value;
    return given;
}

function uriOf(module) {
    const path = typeof module === 'string' ? module : '';

    /* GJS has no others. */
    if (/^(file|resource):\/\//.test(path))
        return path;
    if (!GLib.path_is_absolute(path)) {
        throw new TypeError('The module of a worker is a URI, such as ' +
            `import.meta.resolve or import.meta.url give, or an absolute path, not ${show(module)}`);
    }
    return GLib.filename_to_uri(path, null);
}

function requireArguments(args) {
    if (!Array.isArray(args))
        throw new TypeError(`The arguments of a call are an array, not ${show(args)}`);
    return args;
}

/* For workers in JavaScript; others are told what their program's author thinks fit. */
function toArguments(pool, args) {
    if (args instanceof GLib.Variant)
        return args;
    if (!pool.isJavaScript) {
        throw new TypeError('The arguments for a worker that is a program of its own are a ' +
            `GLib.Variant, not ${show(args)}`);
    }
    return toVariant(requireArguments(args));
}

const methods = {
    _init(properties = {}) {
        const {module, resources, ...given} = settingsOf(properties);

        for (const name of TIMES) {
            if (name in given)
                given[name] = toMicroseconds(given[name]);
        }
        if (given.environment && !Array.isArray(given.environment)) {
            given.environment = Object.entries(given.environment).map(
                ([name, value]) => `${name}=${value}`);
        }
        if (module !== undefined) {
            given.command = ['gjs', '-m', workerMain];
            given.options = new GLib.Variant('a{sv}', {
                module: new GLib.Variant('s', uriOf(module)),
                resources: new GLib.Variant('as', resources ?? []),
            });
        } else if (!given.command?.length) {
            throw new TypeError('A Concur.ProcessExecutor needs the module of its workers, or a command');
        }
        GObject.Object.prototype._init.call(this, given);
        this.isJavaScript = module !== undefined;
        threads.ours(this);
    },

    call(name, args = [], options = null) {
        const {cancellable, timeout, fds} = readOptions(options,
            {cancellable: null, timeout: null, fds: null});
        const future = threads.ours(
            raw.call.call(this, name, toArguments(this, args), fds, cancellable));

        future[values.NATURAL] = true;
        return timeout === null ? future : future.with_timeout(timeout);
    },

    /* Each of @items is the one argument of a call. */
    map(name, items, options = null) {
        const {cancellable, chunk} = readOptions(options, {cancellable: null, chunk: 1});

        if (!(chunk >= 1))
            throw new RangeError(`The chunk of map() is at least 1, not ${show(chunk)}`);
        const all = new GLib.Variant('av', Array.from(items, item => toArguments(this, [item])));
        const future = threads.ours(raw.map_calls.call(this, name, all, chunk, cancellable));

        future[values.NATURAL] = true;
        return future;
    },

    stream(name, args = [], options = null) {
        const {cancellable, capacity, fds} = readOptions(options,
            {cancellable: null, capacity: SOME, fds: null});
        const channel = threads.ours(raw.call_stream.call(this, name, toArguments(this, args),
            fds, capacity, cancellable));

        channel[KEPT_POOL] = this;
        return channel;
    },

    /* A job of C's, which makes calls. */
    submit_job(job, options = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');

        if (!(job instanceof Concur.Job))
            throw new TypeError(`submitJob() needs a job, not ${show(job)}`);
        if (threads.isJsJob(job))
            threads.refuse('A job written in JavaScript cannot be run by a ProcessExecutor');
        return threads.ours(raw.submit_job.call(this, job, cancellable));
    },

    set_thread_func() {
        threads.refuse('setThreadFunc() is for the threads of the executor');
    },

    shutdown(mode = Concur.ShutdownMode.DRAIN) {
        return threads.ours(raw.shutdown.call(this, mode));
    },
};

/* The worker's side */

function isGenerator(value) {
    return typeof value?.next === 'function' &&
        (Symbol.asyncIterator in value || Symbol.iterator in value);
}

async function sendAll(call, generator) {
    for await (const item of generator)
        call.send_item(toVariant(item));
}

function fail(call, error) {
    if (error instanceof GLib.Error) {
        call.return_error(error);
        return;
    }
    let description;
    try {
        description = values.describeRemote(error);
    } catch {
        description = values.describeRemote(new Error('An error that cannot be described was thrown'));
    }
    call.return_failure('concur-js-error-quark', REMOTE_CODE, description, null);
}

async function answer(call, module) {
    const name = call.get_name();
    const fn = module[name];

    if (typeof fn !== 'function') {
        throw new Concur.ExecutorError({
            code: Concur.ExecutorError.NOT_FOUND,
            message: `The module exports no function “${name}”`,
        });
    }

    const args = values.unpack(call.get_arguments());
    const result = await fn(...(Array.isArray(args) ? args : [args]));

    if (isGenerator(result)) {
        await sendAll(call, result);
        return undefined;
    }
    return result;
}

/* Answers calls by the exports of a module, until the program wants no more. */
async function serve(load) {
    const options = this.get_options().recursiveUnpack();

    for (const path of options.resources ?? [])
        Gio.Resource.load(path)._register();

    let module = null;
    let failure = null;
    try {
        module = await load(options.module);
    } catch (error) {
        failure = error;
    }

    for (let call = this.next_call(); call !== null; call = this.next_call()) {
        current = call;
        try {
            if (failure !== null)
                throw failure;
            call.return_value(toVariant(await answer(call, module)));
        } catch (error) {
            fail(call, error);
        }
        current = null;
    }
}
