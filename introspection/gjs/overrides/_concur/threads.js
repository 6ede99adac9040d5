// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* JavaScript runs on one thread. What GJS does when another one comes to call a function of
 * it goes from a blocked call with garbage for an answer to a crash, so here is decided,
 * in the caller and beforehand, what may be handed over. */

const {GLib, GObject} = imports.gi;
const {define, show} = imports.overrides._concur.values;

/* Marks: what this thread made, and what has JavaScript in it that somebody would run. */
var OURS = Symbol('made on this thread');
var RUNS_JS = Symbol('runs JavaScript');

const ADVICE = 'JavaScript runs on its own thread only. Give a pool native jobs, such as ' +
    'Concur.fileDigest(), and JavaScript to Concur.ContextExecutor.main(), to ' +
    'Concur.Future.from() or to await';
/* Longer than anybody compares two contexts. */
const NEVER = 0x7fffffff;

let Concur;
let nProbes = 0;

function install(namespace) {
    Concur = namespace;

    for (const type of [Concur.Future, Concur.LoopThread, Concur.ThreadExecutor])
        guardSignals(type);

    for (const name of ['Batch', 'Batcher', 'BatcherJob', 'Channel', 'ContextExecutor', 'Limiter',
        'Promise', 'Retry', 'Snapshot', 'TaskGroup'])
        guardFinal(name);
    guardVfuncs(Concur.ThreadExecutor, ['thread_main']);
    guardVfuncs(Concur.LoopThread, ['run_loop', 'quit_loop']);
}

function refuse(what) {
    throw new Error(`${what}. ${ADVICE}`);
}

function ours(object) {
    if (object)
        object[OURS] = true;
    return object;
}

/* Wrappers of one boxed pointer differ, so a source that is in one context is looked for
 * in the other. */
function isSameContext(a, b) {
    const source = GLib.timeout_source_new(NEVER);
    const name = `concur-probe-${++nProbes}`;

    source.set_name(name);
    const id = source.attach(a);
    try {
        return b.find_source_by_id(id)?.get_name() === name;
    } finally {
        source.destroy();
    }
}

function isContextOurs(context) {
    if (context === null || context === undefined)
        return true;
    if (!(context instanceof GLib.MainContext))
        throw new TypeError(`A context is a GLib.MainContext, not ${show(context)}`);
    if (isSameContext(GLib.MainContext.default(), context))
        return true;

    const pushed = GLib.MainContext.get_thread_default();
    return pushed !== null && isSameContext(pushed, context);
}

function requireOurContext(context, what) {
    if (!isContextOurs(context))
        refuse(`${what} in a main context that another thread may run`);
}

/* The context that a function is about to be attached to, to be kept as long as the
 * function is: one that went away would leave it to whichever thread comes last. */
function pinContext() {
    return GLib.MainContext.get_thread_default();
}

/* GJS shows what is introspected so; a class of the old kind has a native constructor. */
function isNative(fn) {
    let text;
    try {
        text = Function.prototype.toString.call(fn);
    } catch {
        /* Only what is called like a function without being one has no text. */
        return true;
    }
    return /\{\s*(\[native code\]|\/\* wrapper for native symbol)/.test(text);
}

/* Whether one of the classes written in JavaScript that @object derives from has it. */
function overrides(object, vfunc) {
    const name = `vfunc_${vfunc}`;
    let prototype = Object.getPrototypeOf(object);

    for (; prototype; prototype = Object.getPrototypeOf(prototype)) {
        if (Object.prototype.hasOwnProperty.call(prototype, name) &&
            !(isNative(prototype.constructor) && isNative(prototype[name])))
            return true;
    }
    return false;
}

function isJsJob(job) {
    return job[RUNS_JS] === true || overrides(job, 'run');
}

/* Executors that run what they are given on this thread. */
function runsHere(executor) {
    if (executor instanceof Concur.ThreadExecutor || executor instanceof Concur.LoopThread)
        return false;
    if (executor instanceof Concur.ContextExecutor)
        return isContextOurs(executor.get_context());
    return overrides(executor, 'execute');
}

function requireHere(executor, what) {
    if (!runsHere(executor)) {
        const name = executor.constructor.$gtype.name.replace(/^Concur/, '');
        refuse(`${what} by this ${name}, which has threads of its own or serves another one`);
    }
}

/* Continuations are handed to their executor by whoever completes the future, so a JavaScript
 * class will not do. */
function requireContextExecutor(executor, what) {
    if (executor === null || executor === undefined)
        return;
    if (!(executor instanceof Concur.ContextExecutor))
        refuse(`${what} by anything but a ContextExecutor of the main context`);
    requireHere(executor, what);
}

/* Signals are emitted where the object was made. */
function guardSignals(type) {
    for (const name of ['connect', 'connect_after', 'connect_object', 'bind_property',
        'bind_property_full']) {
        const original = GObject.Object.prototype[name];
        if (typeof original !== 'function')
            continue;
        define(type.prototype, name, function (...args) {
            if (!this[OURS]) {
                const how = this instanceof Concur.Future
                    ? 'Connect to what view() returns' : 'Connect where it was made';
                refuse(`This ${type.$gtype.name.replace(/^Concur/, '')} was not made here, and ` +
                    `its signals come where it was made. ${how}`);
            }
            return original.apply(this, args);
        });
    }
}

/* GJS ends the program when somebody derives from a final type. */
function guardFinal(name) {
    Concur[name]._classInit = () => {
        throw new Error(`Concur.${name} is final: no class can be derived from it`);
    };
}

/* These are called on the threads of the object, whatever it is used for. */
function guardVfuncs(type, vfuncs) {
    const check = prototype => {
        for (const vfunc of vfuncs) {
            if (Object.prototype.hasOwnProperty.call(prototype, `vfunc_${vfunc}`)) {
                refuse(`vfunc_${vfunc}() of a ${type.$gtype.name.replace(/^Concur/, '')} ` +
                    'cannot be written in JavaScript, because it runs on another thread');
            }
        }
    };

    type._classInit = function (klass) {
        check(klass.prototype);
        return GObject.Object._classInit.call(this, klass);
    };

    /* Classes made in the old way go by another road. */
    define(type.prototype, '_init', function (...args) {
        let prototype = Object.getPrototypeOf(this);
        for (; prototype !== type.prototype; prototype = Object.getPrototypeOf(prototype))
            check(prototype);
        GObject.Object.prototype._init.apply(this, args);
        ours(this);
    });
}
