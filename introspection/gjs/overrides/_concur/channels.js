// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Channels as JavaScript has streams: something for `for await`, whose end stops whoever
 * sends.
 *
 * A future that waits keeps its channel: the library does not, and the garbage collector
 * would otherwise take it from under an await. */

const {threads, values} = imports.overrides._concur;
const {cellOf, define, readOptions, requireFunction, show, toGError, toMicroseconds, toValue,
    unpack, withErrors} = values;

const CHANNEL = Symbol('channel');
/* What a channel that is made of something begins with, once. */
const BEGIN = Symbol('begin');
/* So many values at most go from the library into one turn of `for await`. */
const AT_ONCE = 256;
/* The default of Channel.from(). */
const SOME = 16;

let Concur;
const raw = {};

function install(namespace) {
    Concur = namespace;
    const {prototype} = Concur.Channel;

    for (const name of ['bind_list_store', 'dup_completion', 'fail', 'for_each', 'give_back', 'receive', 'receive_async',
        'receive_finish', 'receive_many', 'receive_many_wait', 'send', 'send_async',
        'send_finish', 'send_many', 'send_many_wait', 'send_wait', 'try_receive_many',
        'try_send', 'try_send_many'])
        raw[name] = prototype[name];

    for (const [name, method] of Object.entries(methods))
        define(prototype, name, method);
    define(prototype, Symbol.asyncIterator, iterate);
    Object.defineProperty(prototype, 'completion', {
        get: methods.dup_completion,
        configurable: true,
    });

    installMakers();
    Concur.Channel.new = capacity => new Concur.Channel(
        capacity === undefined ? {} : {capacity});
    Concur.Channel.from = fromIterable;
}

function toList(iterable) {
    if (typeof iterable?.[Symbol.iterator] !== 'function')
        throw new TypeError(`sendMany() needs something iterable, not ${show(iterable)}`);
    return Array.from(iterable, toValue);
}

function requireCount(max) {
    if (!Number.isSafeInteger(max) || max < 1)
        throw new TypeError(`The number of values is a whole number above 0, not ${show(max)}`);
}

/* Errors that were thrown here come out of the channel as they are. */
function keep(channel, future) {
    cellOf(future).from = [cellOf(channel)];
    future[CHANNEL] = channel;
    return threads.ours(future);
}

function begin(channel) {
    const start = channel[BEGIN];

    if (start) {
        channel[BEGIN] = null;
        start();
    }
}

function isEnd(error) {
    return error instanceof Concur.ChannelError &&
        (error.code === Concur.ChannelError.CLOSED || error.code === Concur.ChannelError.STOPPED);
}

const methods = {
    send(value = null) {
        return keep(this, raw.send.call(this, toValue(value)));
    },

    send_many(iterable) {
        return keep(this, raw.send_many.call(this, toList(iterable)));
    },

    receive() {
        begin(this);
        return keep(this, raw.receive.call(this));
    },

    receive_many(max = AT_ONCE) {
        requireCount(max);
        begin(this);
        return keep(this, raw.receive_many.call(this, max));
    },

    send_wait(value = null, ms = -1) {
        return raw.send_wait.call(this, toValue(value), toMicroseconds(ms));
    },

    send_many_wait(iterable, ms = -1) {
        return raw.send_many_wait.call(this, toList(iterable), toMicroseconds(ms));
    },

    receive_wait(ms = -1) {
        return this.receive_many_wait(1, ms)[0];
    },

    receive_many_wait(max = AT_ONCE, ms = -1) {
        requireCount(max);
        begin(this);
        return withErrors(this, () => unpack(
            raw.receive_many_wait.call(this, max, toMicroseconds(ms))));
    },

    try_send(value = null) {
        return raw.try_send.call(this, toValue(value));
    },

    try_send_many(iterable) {
        return raw.try_send_many.call(this, toList(iterable));
    },

    try_receive() {
        return this.try_receive_many(1)[0];
    },

    try_receive_many(max = AT_ONCE) {
        requireCount(max);
        begin(this);
        return withErrors(this, () => unpack(raw.try_receive_many.call(this, max)));
    },

    give_back(value = null) {
        return raw.give_back.call(this, toValue(value));
    },

    /* With a callback as introspected; without one they return a promise. */
    send_async(value = null, options = null, callback = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');

        return promised(this, 'send_finish', callback, done =>
            raw.send_async.call(this, toValue(value), cancellable, done));
    },

    receive_async(options = null, callback = null) {
        const {cancellable} = readOptions(options, {cancellable: null}, 'cancellable');

        begin(this);
        return promised(this, 'receive_finish', callback, done =>
            raw.receive_async.call(this, cancellable, done));
    },

    receive_finish(result) {
        return withErrors(this, () => unpack(raw.receive_finish.call(this, result)));
    },

    /* Until the end, or until the function returns false. */
    for_each(fn, context = null) {
        requireFunction(fn, 'forEach()');
        threads.requireOurContext(context, 'A JavaScript function cannot be called');
        begin(this);

        const call = {fn, context: context ?? threads.pinContext()};
        return withFunction(this, guard => raw.for_each.call(this,
            (_, value) => guard(() => call.fn(unpack(value)) !== false) ?? false, context));
    },

    /* The function makes an object of a value; null leaves it out. */
    bind_list_store(store, fn = null) {
        if (fn === null) {
            begin(this);
            return keep(this, raw.bind_list_store.call(this, store, null));
        }
        requireFunction(fn, 'bindListStore()');
        begin(this);
        return withFunction(this, guard => raw.bind_list_store.call(this, store,
            value => guard(() => fn(unpack(value))) ?? null));
    },

    fail(error) {
        return raw.fail.call(this, toGError(error, cellOf(this)));
    },

    dup_completion() {
        return keep(this, raw.dup_completion.call(this));
    },
};

/* Lets @call give a function to C, and makes its first error that of the future. */
function withFunction(channel, call) {
    let failure = null;
    const future = call(body => {
        try {
            return body();
        } catch (error) {
            failure ??= {error};
            channel.stop();
            return null;
        }
    });
    const outcome = keep(channel, future).ensure(() => {
        if (failure)
            throw failure.error;
    });
    outcome[CHANNEL] = channel;
    return outcome;
}

function promised(channel, finish, callback, call) {
    if (callback !== null) {
        requireFunction(callback, 'An asynchronous call');
        return void call(callback);
    }
    return new Promise((resolve, reject) => {
        call((_, result) => {
            try {
                resolve(channel[finish](result));
            } catch (error) {
                reject(error);
            }
        });
    });
}

/* A function that fills a channel blocks, so here it is a generator instead. */
function installMakers() {
    const generate = function (source, options = null) {
        const {capacity} = readOptions(options, {capacity: SOME}, 'capacity');

        requireFunction(source, 'generate()');
        if (!(this instanceof Concur.ContextExecutor))
            threads.refuse('A generator cannot be run by anything but a ContextExecutor');
        threads.requireHere(this, 'A generator cannot be run');
        return fromIterable(source, {capacity});
    };
    for (const type of [Concur.Executor, Concur.ContextExecutor, Concur.LoopThread,
        Concur.ThreadExecutor])
        define(type.prototype, 'generate', generate);

    raw.as_completed = Concur.Future.as_completed;
    Concur.Future.as_completed = iterable => {
        const inputs = Array.from(iterable, value => Concur.Future.from(value));
        return raw.as_completed(inputs);
    };
}

/* Leaving the loop stops the channel. Calls of next() take their turn, as with an
 * asynchronous generator. */
function iterate() {
    const channel = this;
    let items = [];
    let at = 0;
    let over = false;
    let last = Promise.resolve();

    async function next() {
        if (over)
            return {done: true, value: undefined};
        if (at < items.length)
            return {done: false, value: items[at++]};
        try {
            items = await channel.receive_many(AT_ONCE);
            at = 0;
        } catch (error) {
            over = true;
            if (isEnd(error))
                return {done: true, value: undefined};
            throw error;
        }
        return {done: false, value: items[at++]};
    }

    return {
        next() {
            const turn = last.then(next);
            last = turn.catch(() => {});
            return turn;
        },

        return(value) {
            over = true;
            items = [];
            at = 0;
            channel.stop();
            return Promise.resolve({done: true, value});
        },

        [Symbol.asyncIterator]() {
            return this;
        },
    };
}

/* Begins when somebody wants the first value, waits while the channel is full, and lets the
 * source clear up when nobody wants any more. */
function fromIterable(source, options = null) {
    const {capacity} = readOptions(options, {capacity: SOME}, 'capacity');
    const isSource = what => typeof what?.[Symbol.asyncIterator] === 'function' ||
        typeof what?.[Symbol.iterator] === 'function';

    if (typeof source !== 'function' && !isSource(source))
        throw new TypeError(`Channel.from() needs something iterable, not ${show(source)}`);

    const channel = new Concur.Channel({capacity});
    channel[BEGIN] = () => {
        pump(source, channel).then(() => channel.close(), error => channel.fail(error));
    };
    return channel;
}

async function pump(source, channel) {
    const iterable = typeof source === 'function' ? await source() : source;

    for await (const value of iterable) {
        try {
            await channel.send(value);
        } catch (error) {
            if (isEnd(error))
                return;
            throw error;
        }
    }
}
