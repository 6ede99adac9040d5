// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Task groups: promises and functions as members, results as an array, callbacks that end
 * with the group. */

const {GObject} = imports.gi;
const {threads, values} = imports.overrides._concur;
const {cellOf, define, readOptions, requireFunction, show} = values;

const NOT_THERE = 'A JavaScript function cannot be run';

/* Marks: on what belongs to groups, or calls back through them, the groups, which would
 * otherwise be cancelled, and their functions gone, when the garbage collector gets to them;
 * on a group, the cells of its members. */
const GROUPS = Symbol('groups');
const CELLS = Symbol('cells of members');

let Concur;
const raw = {};

function install(namespace) {
    Concur = namespace;
    const {prototype} = Concur.TaskGroup;

    for (const name of ['add', 'bind', 'cancel', 'close', 'submit_job', 'when_done'])
        raw[name] = prototype[name];
    for (const [name, method] of Object.entries(methods))
        define(prototype, name, method);

    Concur.TaskGroup.new = (executor = null, cancellable = null) =>
        new Concur.TaskGroup({executor, parent_cancellable: cancellable});
}

function keep(group, future) {
    (future[GROUPS] ??= new Set()).add(group);
}

function belongs(group, future) {
    keep(group, future);
    if (future[values.CELL])
        group[CELLS].push(future[values.CELL]);
    return future;
}

const methods = {
    _init(properties = {}) {
        const {cancellable, ...given} = {...properties};

        if (cancellable)
            given.parent_cancellable = cancellable;
        given.executor ??= Concur.ContextExecutor.main();
        GObject.Object.prototype._init.call(this, given);
        threads.ours(this);
        this[CELLS] = [];
        given.parent?.[CELLS]?.push({...values.newCell(), from: this[CELLS]});
    },

    submit(fn, options = null) {
        requireFunction(fn, 'submit()');
        threads.requireHere(this.get_executor(), NOT_THERE);
        return this.submit_job(Concur.Job.new(fn, options));
    },

    submit_job(job) {
        if (!(job instanceof Concur.Job))
            throw new TypeError(`submitJob() needs a job, not ${show(job)}`);
        if (threads.isJsJob(job))
            threads.requireHere(this.get_executor(), 'A job written in JavaScript cannot be run');
        return belongs(this, threads.ours(raw.submit_job.call(this, job)));
    },

    /* A future, a promise, a value; false if the group takes no more. */
    add(what) {
        if (typeof what === 'function')
            throw new TypeError('add() needs a future or a promise; submit() takes a function');
        const future = Concur.Future.from(what);
        return raw.add.call(this, belongs(this, future));
    },

    close() {
        const future = raw.close.call(this);

        if (this.get_policy() === Concur.GroupPolicy.COLLECT)
            future[values.LIST_KIND] = 'outcomes';
        cellOf(future).from = this[CELLS];
        keep(this, future);
        return threads.ours(future);
    },

    cancel(options = null) {
        const {ABANDON, QUEUED} = Concur.CancelFlags;
        if (typeof options === 'number')
            return raw.cancel.call(this, options);

        const {abandon, queued} = readOptions(options, {abandon: false, queued: false});
        return raw.cancel.call(this, (abandon ? ABANDON : 0) | (queued ? QUEUED : 0));
    },

    bind(object, options = null) {
        const {silently} = readOptions(options, {silently: true});
        raw.bind.call(this, object, silently);
    },

    when_done(future, fn, context = null) {
        requireFunction(fn, 'whenDone()');
        threads.requireOurContext(context, 'A JavaScript function cannot be called');
        if (!(future instanceof Concur.Future))
            throw new TypeError(`whenDone() needs a future, not ${show(future)}`);

        const call = {fn, context: context ?? threads.pinContext()};
        keep(this, future);
        return raw.when_done.call(this, future, done => void call.fn(done), context);
    },
};
