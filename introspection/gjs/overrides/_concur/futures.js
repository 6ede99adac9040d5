// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Futures as JavaScript has them: values and errors of its own, something to await,
 * milliseconds. */

const {jobs, threads, values} = imports.overrides._concur;
const {define, derive, fromGError, readOptions, requireFunction, toMicroseconds, unpack,
    withErrors} = values;

let Concur;
/* The methods as introspected. */
const raw = {};

const READERS = ['check', 'dup_bytes', 'dup_object', 'dup_string', 'dup_variant',
    'get_boolean', 'get_double', 'get_int64'];

function install(namespace) {
    Concur = namespace;
    const {prototype} = Concur.Future;

    for (const name of [...READERS, 'cancel', 'continue_with', 'ensure', 'get_error',
        'get_value', 'iterate', 'recover', 'result', 'shield', 'view', 'wait', 'wait_async',
        'wait_finish', 'when_done', 'with_timeout'])
        raw[name] = prototype[name];

    for (const name of READERS) {
        define(prototype, name, function () {
            return withErrors(this, () => unpack(raw[name].call(this)));
        });
    }
    for (const [name, method] of Object.entries(methods))
        define(prototype, name, method);

    define(prototype, 'add_direct_callback', () => threads.refuse(
        'A direct callback runs on the thread that completes the future; use whenDone()'));
}

/* How an unmarked list, which was made in C, is to be read. */
function kindOf(future, value) {
    if (value === null || typeof value !== 'object' || future.get_children() !== value)
        return undefined;

    for (let i = 0; i < value.get_n_items(); i++) {
        if (value.get_item(i).get_state() !== Concur.FutureState.RESOLVED)
            return 'outcomes';
    }
    return 'values';
}

function read(future, body) {
    const value = withErrors(future, body);
    const cell = future[values.CELL];

    if (cell)
        cell.from = null;
    if (future[values.NATURAL])
        return values.fromVariant(value);
    return unpack(value, future[values.LIST_KIND] ?? kindOf(future, value));
}

/* A wait that only this thread could end, by going on instead. */
function wouldDeadlock(future) {
    return !future.is_done() && values.isCompletedHere(future[values.CELL]);
}

function requireProgress(future) {
    if (wouldDeadlock(future)) {
        throw new Concur.FutureError({
            code: Concur.FutureError.WOULD_DEADLOCK,
            message: 'This waits for JavaScript that cannot run while it waits: use await',
        });
    }
}

/* Lets @fn answer a job: by what it returns, by what it throws, or by itself. */
function continuation(name, camelName, toArguments) {
    return function (fn, options = null) {
        const {executor} = readOptions(options, {executor: null}, 'executor');
        requireFunction(fn, `${camelName}()`);
        threads.requireContextExecutor(executor, 'A JavaScript function cannot be run');

        const cell = values.newCell();
        const call = {fn, context: threads.pinContext()};
        const derived = raw[name].call(this, (job, input) => {
            jobs.runBody(job, cell, () => call.fn(...toArguments(input, job)),
                name === 'ensure' ? input : null);
            return true;
        }, executor);

        derived[values.CELL] = cell;
        return threads.ours(derive(derived, [this]));
    };
}

function single(name) {
    return function () {
        return threads.ours(derive(raw[name].call(this), [this]));
    };
}

const methods = {
    get_value() {
        return read(this, () => raw.get_value.call(this));
    },

    get_error() {
        return fromGError(raw.get_error.call(this), this);
    },

    result(ms = -1) {
        const us = toMicroseconds(ms);
        requireProgress(this);
        return read(this, () => raw.result.call(this, us));
    },

    wait(ms = -1) {
        const us = toMicroseconds(ms);
        return !wouldDeadlock(this) && raw.wait.call(this, us);
    },

    iterate(ms = -1, context = null) {
        threads.requireOurContext(context, 'A future cannot be waited for');
        return withErrors(this, () => raw.iterate.call(this, context, toMicroseconds(ms)));
    },

    /* With a callback as introspected; without one it returns a promise. */
    wait_async(options = null, callback = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');

        if (callback !== null)
            return raw.wait_async.call(this, cancellable, callback);
        return new Promise((resolve, reject) => {
            raw.wait_async.call(this, cancellable, (future, result) => {
                try {
                    resolve(future.wait_finish(result));
                } catch (error) {
                    reject(error);
                }
            });
        });
    },

    wait_finish(result) {
        return read(this, () => raw.wait_finish.call(this, result));
    },

    /* No wait for a turn of the loop where the outcome is known. */
    promise() {
        if (!this.is_done())
            return this.wait_async();
        try {
            return Promise.resolve(this.get_value());
        } catch (error) {
            return Promise.reject(error);
        }
    },

    then(onResolved, onRejected) {
        return this.promise().then(onResolved, onRejected);
    },

    catch(onRejected) {
        return this.promise().catch(onRejected);
    },

    finally(onDone) {
        return this.promise().finally(onDone);
    },

    when_done(fn, context = null) {
        requireFunction(fn, 'whenDone()');
        threads.requireOurContext(context, 'A JavaScript function cannot be called');

        const call = {fn, context: context ?? threads.pinContext()};
        return raw.when_done.call(this, future => void call.fn(future), context);
    },

    cancel(options = null) {
        const {ABANDON, QUEUED} = Concur.CancelFlags;
        if (typeof options === 'number')
            return raw.cancel.call(this, options);

        const {abandon, queued} = readOptions(options, {abandon: false, queued: false});
        return raw.cancel.call(this, (abandon ? ABANDON : 0) | (queued ? QUEUED : 0));
    },

    continue_with: continuation('continue_with', 'continueWith', (input, job) => [input.get_value(), job]),
    recover: continuation('recover', 'recover', (input, job) => [input.get_error(), job]),
    ensure: continuation('ensure', 'ensure', (input, job) => [input, job]),

    shield: single('shield'),
    view: single('view'),

    with_timeout(ms) {
        const us = toMicroseconds(ms);
        return threads.ours(derive(raw.with_timeout.call(this, us), [this]));
    },
};
