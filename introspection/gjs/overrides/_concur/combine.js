// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Futures made of promises, functions, values, time, or other futures. */

const {threads, values} = imports.overrides._concur;
const {derive, readOptions, show, toMicroseconds, LIST_KIND} = values;

let Concur;
const raw = {};

function install(namespace) {
    Concur = namespace;

    for (const name of ['all', 'all_settled', 'any', 'delay', 'race', 'rejected', 'resolved',
        'wait_many'])
        raw[name] = Concur.Future[name];
    Object.assign(Concur.Future, statics);
    Concur.delay = statics.delay;
}

function isThenable(value) {
    return value !== null && typeof value === 'object' && typeof value.then === 'function';
}

function fromPromise(thenable) {
    const promise = new Concur.Promise();
    const future = promise.get_future();

    values.cellOf(future).here = true;
    /* Whoever throws an error away is told by the library, as with any future. */
    Promise.resolve(thenable)
        .then(value => promise.resolve(value))
        .catch(error => promise.reject(error));
    return future;
}

function toFutures(iterable) {
    return Array.from(iterable, value => statics.from(value));
}

/* The list that is the value says how to read it, wherever it gets to. */
function combined(future, inputs, kind) {
    const children = future.get_children();

    if (children && kind)
        children[LIST_KIND] = kind;
    return threads.ours(derive(future, inputs));
}

function first(name) {
    return function (iterable, options = null) {
        const given = typeof options === 'number'
            ? {cancelRest: (options & Concur.CombineFlags.CANCEL_REST) !== 0} : options;
        const {cancelRest} = readOptions(given, {cancelRest: false});
        const inputs = toFutures(iterable);
        const future = raw[name](inputs,
            cancelRest ? Concur.CombineFlags.CANCEL_REST : Concur.CombineFlags.NONE);

        return threads.ours(derive(future, inputs, 'any'));
    };
}

const statics = {
    /* A function begins in the next turn of the loop, and is given its job. */
    from(value, options = null) {
        if (typeof value === 'function')
            return Concur.ContextExecutor.main().submit(value, options);
        readOptions(options, {});
        if (value instanceof Concur.Future)
            return value;
        return isThenable(value) ? fromPromise(value) : statics.resolved(value);
    },

    all(iterable) {
        const inputs = toFutures(iterable);
        return combined(raw.all(inputs), inputs, 'values');
    },

    all_settled(iterable) {
        const inputs = toFutures(iterable);
        return combined(raw.all_settled(inputs), inputs, 'outcomes');
    },

    any: first('any'),
    race: first('race'),

    wait_many(iterable, options = null, ms = -1) {
        const {condition, timeout} = readOptions(options,
            {condition: Concur.WaitCondition.ALL, timeout: ms}, 'condition');
        const inputs = toFutures(iterable);
        const future = raw.wait_many(inputs, condition, toMicroseconds(timeout));

        return combined(future, toMicroseconds(timeout) < 0 ? inputs : [], 'futures');
    },

    delay(ms, value = undefined) {
        if (typeof ms !== 'number')
            throw new TypeError(`A delay is a number of milliseconds, not ${show(ms)}`);
        /* For ever is the only thing less than 0 that a number from 0 on becomes. */
        const us = toMicroseconds(Math.max(ms, 0));
        /* The timer thread takes its reference under a lock of GLib's, and one to an object with
         * marks on it would wait there for the garbage collector, which waits for that lock. So
         * nobody sees, or marks, the delay itself. */
        const future = threads.ours(raw.delay(us < 0 ? Number.MAX_SAFE_INTEGER : us).view());
        return value === undefined ? future : future.continue_with(() => value);
    },

    resolved(value = null) {
        const promise = new Concur.Promise();
        promise.resolve(value);
        return promise.get_future();
    },

    rejected(error) {
        const promise = new Concur.Promise();
        promise.reject(error);
        return promise.get_future();
    },
};
