// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Promises, and jobs whose function is JavaScript. */

const {Gio, GObject} = imports.gi;
const {threads, values} = imports.overrides._concur;
const {cellOf, define, pack, readOptions, requireFunction, show, toGError} = values;

/* Marks on a job: it has been answered, or will be by whoever held it; its cancellable. */
const ANSWERED = Symbol('answered');
const HELD = Symbol('held');
const CANCELLABLE = Symbol('cancellable');

let Concur;
/* The methods as introspected: what answers a job or a promise, by type. */
const rawJob = {};
const rawPromise = {};
let newJob;

const OWN_ANSWER = 'A future cannot be its own answer';
const ANSWERS = ['boolean', 'bytes', 'double', 'int64', 'object', 'string', 'variant'];

function install(namespace) {
    Concur = namespace;
    const job = Concur.Job.prototype;
    const promise = Concur.Promise.prototype;

    for (const type of ANSWERS) {
        rawJob[type] = job[`return_${type}`];
        rawPromise[type] = promise[`resolve_${type}`];
        define(job, `return_${type}`, function (value) {
            rawJob[type].call(this, value);
            this[ANSWERED] = true;
        });
    }
    for (const name of ['get_cancellable', 'hold', 'return_error', 'return_future', 'return_value'])
        rawJob[name] = job[name];
    rawJob[''] = rawJob.return_value;
    rawPromise[''] = promise.resolve;
    rawPromise.reject = promise.reject;
    rawPromise.get_future = promise.get_future;
    newJob = Concur.Job.new;

    for (const [name, method] of Object.entries(jobMethods))
        define(job, name, method);
    for (const [name, method] of Object.entries(promiseMethods))
        define(promise, name, method);
    Object.defineProperty(promise, 'future', {
        get: promiseMethods.get_future,
        configurable: true,
    });

    Concur.Job.new = makeJob;
    Concur.Job._classInit = initJobClass;
    Concur.Promise.new = () => new Concur.Promise();
}

/* Lets @body answer @job. A promise that it returns answers later; if it returns nothing and
 * @passOn is given, the outcome of that counts. */
function runBody(job, cell, body, passOn = null) {
    let answer;

    try {
        answer = body();
    } catch (error) {
        rejectJob(job, cell, error);
        return;
    }

    if (answer === job) {
        rejectJob(job, cell, new TypeError(OWN_ANSWER));
    } else if (answer instanceof Concur.Future) {
        linkCells(cell, answer);
        rawJob.return_future.call(job, answer);
    } else if (typeof answer?.then === 'function') {
        const held = job[HELD];
        if (!held)
            rawJob.hold.call(job);
        cell.here = true;
        answer.then(value => {
            cell.here = false;
            if (!held || value !== undefined)
                answerJob(job, cell, value, passOn);
        }, error => {
            cell.here = false;
            rejectJob(job, cell, error);
        });
    } else if (!job[HELD] || answer !== undefined) {
        answerJob(job, cell, answer, passOn);
    }
}

function linkCells(cell, future) {
    if (future[values.CELL])
        cell.from = [...cell.from ?? [], future[values.CELL]];
}

function answerJob(job, cell, value, passOn) {
    if (job[ANSWERED])
        return;
    if (passOn && value === undefined) {
        rawJob.return_future.call(job, passOn);
        return;
    }

    let type, packed;
    try {
        [type, packed] = pack(value);
    } catch (error) {
        rejectJob(job, cell, error);
        return;
    }
    rawJob[type].call(job, packed);
}

function rejectJob(job, cell, error) {
    if (!job[ANSWERED])
        rawJob.return_error.call(job, toGError(error, cell));
}

function makeJob(fn, options = null) {
    requireFunction(fn, 'Concur.Job.new()');
    const {name, priority} = readOptions(options, {name: null, priority: null});
    const cell = values.newCell();
    const call = {fn, context: threads.pinContext()};
    const job = threads.ours(newJob(self => {
        runBody(self, cell, () => call.fn(self));
        return true;
    }));

    job[values.CELL] = cell;
    job[threads.RUNS_JS] = true;
    if (name !== null)
        job.set_name(name);
    if (priority !== null)
        job.set_priority(priority);
    return job;
}

/* What vfunc_run() returns is the answer, as with a function. */
function initJobClass(klass) {
    const {prototype} = klass;

    for (const vfunc of ['vfunc_done', 'vfunc_release']) {
        if (Object.prototype.hasOwnProperty.call(prototype, vfunc)) {
            threads.refuse(`${vfunc}() of a Job cannot be written in JavaScript, because it may ` +
                'run on another thread; use whenDone()');
        }
    }

    if (Object.prototype.hasOwnProperty.call(prototype, 'vfunc_run')) {
        const run = prototype.vfunc_run;
        define(prototype, 'vfunc_run', function () {
            runBody(this, cellOf(this), () => run.call(this));
            return true;
        });
        define(prototype, threads.RUNS_JS, true);
    }
    return GObject.Object._classInit.call(this, klass);
}

/* The job's own is cancelled by any thread, and runs its handlers there. This one follows
 * it, in the main context. It must not keep the job, or nobody could ever let go of both. */
function followCancellable(source) {
    const target = new Gio.Cancellable();
    const pending = new Concur.Promise();
    const future = pending.get_future();

    target[CANCELLABLE] = pending;
    future.ignore();
    if (source.is_cancelled()) {
        target.cancel();
        return target;
    }
    future.wait_async(source, (_, result) => {
        try {
            future.wait_finish(result);
        } catch (error) {
            if (values.isCancelled(error))
                target.cancel();
        }
    });
    return target;
}

const jobMethods = {
    _init(...args) {
        if (typeof args[0] === 'function') {
            throw new Error('A job with a function is made by Concur.Job.new(fn); ' +
                'executor.submit(fn) does that for you');
        }
        GObject.Object.prototype._init.apply(this, args);
        threads.ours(this);
        cellOf(this);
    },

    watch() {
        threads.refuse('watch() is for vfunc_done(), which cannot be written in JavaScript; ' +
            'use whenDone()');
    },

    hold() {
        this[HELD] = true;
        rawJob.hold.call(this);
    },

    get_cancellable() {
        return this[CANCELLABLE] ??= followCancellable(rawJob.get_cancellable.call(this));
    },

    return_value(value = null) {
        const [type, packed] = pack(value);
        rawJob[type].call(this, packed);
        this[ANSWERED] = true;
    },

    return_error(error) {
        rawJob.return_error.call(this, toGError(error, cellOf(this)));
        this[ANSWERED] = true;
    },

    return_future(future) {
        if (!(future instanceof Concur.Future))
            throw new TypeError(`returnFuture() needs a future, not ${show(future)}`);
        if (future === this)
            throw new TypeError(OWN_ANSWER);
        linkCells(cellOf(this), future);
        rawJob.return_future.call(this, future);
        this[ANSWERED] = true;
    },
};

const promiseMethods = {
    _init(...args) {
        if (typeof args[0] === 'function') {
            throw new Error('A Concur.Promise has no function: it is resolved by its owner. ' +
                'For a future of a promise of the language write ' +
                'Concur.Future.from(new Promise(…))');
        }
        GObject.Object.prototype._init.apply(this, args);
        threads.ours(this);
        cellOf(this.get_future());
    },

    get_future() {
        const future = rawPromise.get_future.call(this);
        if (this[threads.OURS])
            threads.ours(future);
        return future;
    },

    resolve(value = null) {
        /* Whoever awaited that would go round in it for ever, and the main loop would stand. */
        if (value instanceof Concur.Future && value === this.get_future())
            throw new TypeError(OWN_ANSWER);
        const [type, packed] = pack(value);
        return rawPromise[type].call(this, packed);
    },

    reject(error) {
        return rawPromise.reject.call(this, toGError(error, cellOf(this.get_future())));
    },
};
