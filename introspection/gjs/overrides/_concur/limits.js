// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Limiters and retries: milliseconds, promises, and functions that run here only. */

const {GObject} = imports.gi;
const {threads, values} = imports.overrides._concur;
const {cellOf, define, fromGError, readOptions, requireFunction, show, toMicroseconds} = values;

/* On a future: the retry, with whose end GJS would let go of the function. */
const RETRY = Symbol('retry');
/* On a retry: the cells of its runs that go on. */
const RUNS = Symbol('runs');

const NOT_THERE = 'A JavaScript function cannot be run';

let Concur;
const raw = {};

function install(namespace) {
    Concur = namespace;
    const limiter = Concur.Limiter.prototype;
    const retry = Concur.Retry.prototype;

    for (const name of ['acquire', 'acquire_async', 'acquire_wait', 'get_period', 'set_period',
        'submit_job'])
        raw[name] = limiter[name];
    for (const name of ['get_first_delay', 'get_max_delay', 'run', 'set_filter'])
        raw[name] = retry[name];

    for (const [name, method] of Object.entries(limiterMethods))
        define(limiter, name, method);
    for (const [name, method] of Object.entries(retryMethods))
        define(retry, name, method);

    inMilliseconds(limiter, ['period']);
    inMilliseconds(retry, ['first_delay', 'max_delay']);

    Concur.Limiter.new = permits => new Concur.Limiter({permits});
    Concur.Limiter.new_with_rate = (permits, rate, period) =>
        new Concur.Limiter({permits, rate, period});
    Concur.Retry.new = (maxAttempts, firstDelay) =>
        new Concur.Retry({max_attempts: maxAttempts, first_delay: firstDelay});
}

/* Properties under each of their names, and when an object is made. */
function inMilliseconds(prototype, properties) {
    const namesOf = property => new Set([property, property.replace(/_/g, '-'),
        property.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())]);

    for (const property of properties) {
        const get = prototype[`get_${property}`];
        const set = prototype[`set_${property}`];

        define(prototype, `get_${property}`, function () {
            return get.call(this) / 1000;
        });
        if (set) {
            define(prototype, `set_${property}`, function (ms) {
                set.call(this, toMicroseconds(ms));
            });
        }
        for (const name of namesOf(property)) {
            Object.defineProperty(prototype, name, {
                get: prototype[`get_${property}`],
                set: set && prototype[`set_${property}`],
                configurable: true,
            });
        }
    }

    define(prototype, '_init', function (given = {}) {
        const converted = {...given};
        for (const name of properties.flatMap(property => [...namesOf(property)])) {
            if (name in converted)
                converted[name] = toMicroseconds(converted[name]);
        }
        GObject.Object.prototype._init.call(this, converted);
        threads.ours(this);
    });
}

function executorFor(executor, job) {
    if (threads.isJsJob(job)) {
        const here = executor ?? Concur.ContextExecutor.main();
        threads.requireHere(here, 'A job written in JavaScript cannot be run');
        return here;
    }
    return executor;
}

const limiterMethods = {
    acquire() {
        return threads.ours(raw.acquire.call(this));
    },

    acquire_wait(ms = -1) {
        return raw.acquire_wait.call(this, toMicroseconds(ms));
    },

    /* With a callback as introspected; without one it returns a promise. */
    acquire_async(options = null, callback = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');

        if (callback !== null)
            return raw.acquire_async.call(this, cancellable, callback);
        return new Promise((resolve, reject) => {
            raw.acquire_async.call(this, cancellable, (_, result) => {
                try {
                    resolve(this.acquire_finish(result));
                } catch (error) {
                    reject(error);
                }
            });
        });
    },

    /* The permit is returned when the function, and what it returned, is done. */
    run(fn, ...args) {
        requireFunction(fn, 'run()');
        return this.submit(() => fn(...args));
    },

    submit(fn, options = null) {
        requireFunction(fn, 'submit()');
        const {executor, cancellable, ...about} = readOptions(options,
            {executor: null, cancellable: null, name: null, priority: null}, 'executor');
        if (executor !== null)
            threads.requireHere(executor, NOT_THERE);

        return this.submit_job(Concur.Job.new(fn, about), {executor, cancellable});
    },

    submit_job(job, options = null) {
        const {executor, cancellable} = readOptions(options,
            {executor: null, cancellable: null}, 'executor');
        if (!(job instanceof Concur.Job))
            throw new TypeError(`submitJob() needs a job, not ${show(job)}`);

        return threads.ours(raw.submit_job.call(this, executorFor(executor, job), job,
            cancellable));
    },
};

const retryMethods = {
    /* Each attempt is what the function returns: a value, or something to wait for. */
    run(fn, options = null) {
        requireFunction(fn, 'run()');
        const {executor, cancellable} = readOptions(options,
            {executor: null, cancellable: null}, 'cancellable');
        threads.requireContextExecutor(executor, NOT_THERE);

        const cell = values.newCell();
        const call = {fn, context: threads.pinContext()};
        const future = raw.run.call(this, attempt => {
            let answer;
            try {
                answer = Concur.Future.from(Promise.resolve(call.fn(attempt)));
            } catch (error) {
                answer = Concur.Future.rejected(error);
            }
            cell.from = [cellOf(answer)];
            return answer;
        }, executor, cancellable);

        cell.here = true;
        future[values.CELL] = cell;
        future[RETRY] = this;
        const runs = this[RUNS] ??= new Set();
        runs.add(cell);
        threads.ours(future).then(() => runs.delete(cell), () => runs.delete(cell));
        return future;
    },

    set_filter(fn) {
        requireFunction(fn, 'setFilter()');
        const runs = this[RUNS] ??= new Set();
        raw.set_filter.call(this, (failed, attempt) => {
            const from = {...values.newCell(), from: [...runs]};
            return Boolean(fn(fromGError(failed.get_error(), {[values.CELL]: from}), attempt));
        });
    },
};
