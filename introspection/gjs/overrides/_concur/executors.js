// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Executors: JavaScript for those that run it, native jobs for all. */

const {GLib} = imports.gi;
const {threads, values} = imports.overrides._concur;
const {define, readOptions, requireFunction, show, toGError, toMicroseconds} = values;

let Concur;
const raw = {};
let main = null;

/* Loop threads that run: one that nobody holds would otherwise stop when the garbage
 * collector gets to it. */
const running = new Set();

/* GJS keeps a method's callback for as long as it keeps the object, and what is queued outlives an
 * executor that nobody holds: so what is queued holds it. */
const posted = new Set();
const EXECUTOR = Symbol('executor');
const SUBMITTED = Symbol('submitted');

const NOT_THERE = 'A JavaScript function cannot be run';

function install(namespace) {
    Concur = namespace;
    const executor = Concur.Executor.prototype;
    const thread = Concur.LoopThread.prototype;
    const pool = Concur.ThreadExecutor.prototype;

    for (const name of ['map_range', 'post', 'shutdown', 'submit_job'])
        raw[name] = executor[name];
    for (const name of ['join', 'start', 'stop', 'stop_async', 'stop_finish'])
        raw[name] = thread[name];
    raw.get_keep_alive = pool.get_keep_alive;
    raw.get_running_time = Concur.Snapshot.prototype.get_running_time;
    raw.file_digest = Concur.file_digest;
    raw.file_load_bytes = Concur.file_load_bytes;

    /* Each class has looked its interface up by itself. */
    for (const type of [Concur.Executor, Concur.ContextExecutor, Concur.LoopThread,
        Concur.ThreadExecutor]) {
        for (const [name, method] of Object.entries(executorMethods))
            define(type.prototype, name, method);
    }
    for (const [name, method] of Object.entries(threadMethods))
        define(thread, name, method);

    installPool(pool);
    installConstructors();
    installFiles();

    define(Concur.Snapshot.prototype, 'get_running_time', function (index) {
        return raw.get_running_time.call(this, index) / 1000;
    });
}

function installPool(pool) {
    define(pool, 'get_keep_alive', function () {
        const us = raw.get_keep_alive.call(this);
        return us < 0 ? -1 : us / 1000;
    });
    for (const name of ['keepAlive', 'keep_alive', 'keep-alive']) {
        Object.defineProperty(pool, name, {
            get: pool.get_keep_alive,
            configurable: true,
        });
    }
    define(pool, 'run_next', () => threads.refuse(
        'runNext() is for the threads of the executor'));

    const init = pool._init;
    define(pool, '_init', function (properties = {}) {
        const given = {...properties};
        for (const name of ['keepAlive', 'keep_alive', 'keep-alive']) {
            if (name in given)
                given[name] = toMicroseconds(given[name]);
        }
        init.call(this, given);
    });
}

function installConstructors() {
    Concur.ThreadExecutor.new = maxThreads => new Concur.ThreadExecutor(
        maxThreads === undefined ? {} : {max_threads: maxThreads});
    Concur.LoopThread.new = (name = null) => new Concur.LoopThread({name});
    Concur.ContextExecutor.new = (context = null) => new Concur.ContextExecutor({context});
    /* One for the whole program, for the context that JavaScript runs in. */
    Concur.ContextExecutor.main = () =>
        main ??= Concur.ContextExecutor.new(GLib.MainContext.default());
}

function installFiles() {
    Concur.file_digest = function (file, type = GLib.ChecksumType.SHA256, options = null,
        given = null) {
        /* GJS would take any object for the first of the types. */
        if (typeof type !== 'number' || type !== (type | 0))
            throw new TypeError(`The type of a digest is a GLib.ChecksumType, not ${show(type)}`);
        const {executor, cancellable} = fileOptions(options, given);
        return threads.ours(raw.file_digest(file, type, executor, cancellable));
    };
    Concur.file_load_bytes = function (file, options = null, given = null) {
        const {executor, cancellable} = fileOptions(options, given);
        return threads.ours(raw.file_load_bytes(file, executor, cancellable));
    };
}

function fileOptions(options, cancellable) {
    return readOptions(options, {executor: null, cancellable}, 'executor');
}

/* GJS would take what is not a number for 0. */
function requireSize(size, what) {
    if (!Number.isSafeInteger(size) || size < 0)
        throw new TypeError(`The ${what} is a whole number, not ${show(size)}`);
}

const executorMethods = {
    submit(fn, options = null) {
        requireFunction(fn, 'submit()');
        threads.requireHere(this, NOT_THERE);

        const {cancellable, ...about} = readOptions(options,
            {cancellable: null, name: null, priority: null}, 'cancellable');
        return this.submit_job(Concur.Job.new(fn, about), cancellable);
    },

    submit_job(job, options = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');
        if (!(job instanceof Concur.Job))
            throw new TypeError(`submitJob() needs a job, not ${show(job)}`);
        if (job[SUBMITTED])
            throw new Error('This job has been submitted already: make one for each time');
        if (threads.isJsJob(job))
            threads.requireHere(this, 'A job written in JavaScript cannot be run');

        const future = raw.submit_job.call(this, job, cancellable);
        job[SUBMITTED] = true;
        return threads.ours(future);
    },

    post(fn) {
        requireFunction(fn, 'post()');
        threads.requireHere(this, NOT_THERE);

        const call = {fn, context: threads.pinContext(), executor: this};
        posted.add(call);
        return raw.post.call(this, () => {
            posted.delete(call);
            call.fn();
        });
    },

    map_range(n, chunk, fn, options = null) {
        requireSize(n, 'number of elements');
        requireSize(chunk, 'size of a chunk');
        requireFunction(fn, 'mapRange()');
        threads.requireHere(this, NOT_THERE);

        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');
        const cell = values.newCell();
        const call = {fn, context: threads.pinContext()};
        const future = raw.map_range.call(this, n, chunk, (batch, first, count) => {
            try {
                call.fn(batch, first, count);
            } catch (error) {
                throw toGError(error, cell);
            }
            return true;
        }, cancellable);

        future[values.CELL] = cell;
        future[EXECUTOR] = this;
        return threads.ours(future);
    },

    shutdown(mode = Concur.ShutdownMode.DRAIN) {
        return threads.ours(raw.shutdown.call(this, mode));
    },
};

function refuseTask() {
    threads.refuse('A loop thread cannot run a JavaScript function');
}

function letGo(thread) {
    if (thread.get_state() === Concur.LoopState.STOPPED)
        running.delete(thread);
}

const threadMethods = {
    call: refuseTask,
    add_task: refuseTask,

    start() {
        const started = raw.start.call(this);
        running.add(this);
        return started;
    },

    stop(ms = -1) {
        const stopped = raw.stop.call(this, toMicroseconds(ms));
        letGo(this);
        return stopped;
    },

    join(ms = -1) {
        const ended = raw.join.call(this, toMicroseconds(ms));
        letGo(this);
        return ended;
    },

    /* With a callback as introspected; without one it returns a promise. */
    stop_async(options = null, callback = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');

        if (callback !== null)
            return raw.stop_async.call(this, cancellable, callback);
        return new Promise((resolve, reject) => {
            raw.stop_async.call(this, cancellable, (thread, result) => {
                try {
                    resolve(thread.stop_finish(result));
                } catch (error) {
                    reject(error);
                }
            });
        });
    },

    stop_finish(result) {
        const stopped = raw.stop_finish.call(this, result);
        letGo(this);
        return stopped;
    },
};
