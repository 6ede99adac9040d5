// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Batchers: one call of a JavaScript function, in the main loop, for many. */

const {GObject} = imports.gi;
const {threads, values} = imports.overrides._concur;
const {box, define, readOptions, requireFunction, show, toGError, toMicroseconds,
    toValue} = values;

/* GJS keeps a method's callback for as long as it keeps the object, and calls that wait
 * outlive a batcher that nobody holds: so they hold it. */
const BATCHER = Symbol('batcher');

let Concur;
const raw = {};

function install(namespace) {
    Concur = namespace;
    const batcher = Concur.Batcher.prototype;

    for (const name of ['call', 'get_leeway', 'set_func'])
        raw[name] = batcher[name];
    for (const name of ['answer', 'answer_error', 'get_argument'])
        raw[name] = Concur.BatcherJob.prototype[name];

    for (const [name, method] of Object.entries(methods))
        define(batcher, name, method);
    Object.defineProperty(batcher, 'leeway', {
        get: methods.get_leeway,
        configurable: true,
    });
    Concur.Batcher.new = (fn, options = null) => {
        requireFunction(fn, 'Concur.Batcher.new()');
        const given = readOptions(options, {leeway: undefined, maxCount: undefined, executor: undefined});
        const known = Object.entries(given).filter(([, value]) => value !== undefined);
        const self = new Concur.Batcher(Object.fromEntries(known));
        self.set_func(fn);
        return self;
    };

    define(Concur.BatcherJob.prototype, 'get_argument', function (index) {
        return readCall(this, index).argument;
    });
    define(Concur.BatcherJob.prototype, 'answer', function (index, value = null) {
        return raw.answer.call(this, index, toValue(value));
    });
    define(Concur.BatcherJob.prototype, 'answer_error', function (index, error) {
        return raw.answer_error.call(this, index, toGError(error, readCall(this, index).cell));
    });
}

/* What call () made of its argument: with the cell of its future, for what is thrown. */
function readCall(job, index) {
    return raw.get_argument.call(job, index).value;
}

async function answerAll(job, fn) {
    const n = job.get_n_calls();
    const each = Array.from({length: n}, (_, i) => i);

    try {
        const answers = await fn(each.map(i => job.get_argument(i)));

        if (!Array.isArray(answers) || answers.length !== n) {
            throw new TypeError(`The function of a batcher returns an array of ${n} answers, ` +
                `not ${show(answers)}`);
        }
        await Promise.all(each.map(async i => {
            try {
                job.answer(i, await answers[i]);
            } catch (error) {
                job.answer_error(i, error);
            }
        }));
    } catch (error) {
        for (const i of each)
            job.answer_error(i, error);
    }
}

const methods = {
    _init(properties = {}) {
        const given = {...properties};

        if ('leeway' in given)
            given.leeway = toMicroseconds(given.leeway);
        given.executor ??= Concur.ContextExecutor.main();
        threads.requireHere(given.executor, 'A JavaScript function cannot be run');
        GObject.Object.prototype._init.call(this, given);
        threads.ours(this);
    },

    get_leeway() {
        return raw.get_leeway.call(this) / 1000;
    },

    /* @fn gets the arguments and returns the answers, each a value or something to wait for. */
    set_func(fn) {
        requireFunction(fn, 'setFunc()');
        raw.set_func.call(this, job => {
            job.hold();
            answerAll(threads.ours(job), fn);
            return true;
        });
    },

    call(argument = null, options = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');
        const cell = values.newCell();
        const future = raw.call.call(this, box({argument, cell}), cancellable);

        cell.here = true;
        future[values.CELL] = cell;
        future[BATCHER] = this;
        return threads.ours(future);
    },
};
