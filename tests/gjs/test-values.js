// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Values and errors: what JavaScript gets back, and what C sees. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import System from 'system';
import {assert, heapBytes, rejects, run, same, test, throws, turn} from './tap.js';

const Thing = GObject.registerClass(class Thing extends GObject.Object {});

const anything = {
    'an object': {a: 1},
    'an array': [1, [2], {three: 3}],
    'a function': () => 1,
    'a date': new Date(0),
    'a map': new Map([[1, 2]]),
    'a symbol': Symbol('s'),
    'a big integer': 2n ** 100n,
    'an array of bytes': new Uint8Array([1, 2, 3]),
    'a JavaScript error': new RangeError('as a value'),
    'a GLib.Error': new Gio.IOErrorEnum({code: Gio.IOErrorEnum.FAILED, message: 'as a value'}),
    'a GObject': new Thing(),
    'a string': 'grüß 😀',
    'an empty string': '',
    'a string with a zero in it': 'a\0b',
    'half a pair': '\ud83d',
    'true': true,
    'false': false,
    'an integer': 42,
    'a large integer': Number.MAX_SAFE_INTEGER,
    'a negative integer': -7,
    'a larger one': 2 ** 80,
    'a fraction': 0.1,
    'minus zero': -0,
    'not a number': NaN,
    'infinity': -Infinity,
    'null': null,
};

for (const [name, value] of Object.entries(anything)) {
    test(`${name} arrives as it was`, async () => {
        const promise = new Concur.Promise();
        same(promise.resolve(value), true);
        const {future} = promise;
        assert(Object.is(await future, value));
        assert(Object.is(future.getValue(), value));
        assert(Object.is(future.result(), value));

        /* By way of C, which copies values and knows nothing of their nature. */
        assert(Object.is(await future.shield(), value));
        assert(Object.is(await future.view().withTimeout(1e6), value));
        assert(Object.is(await Concur.Future.race([future]), value));
        assert(Object.is((await Concur.Future.all([future]).shield())[0], value));
        assert(Object.is(await Concur.Future.from(() => future), value));
        assert(Object.is(await Concur.Future.from(job => job.returnValue(value)), value));
        assert(Object.is(await Concur.Future.resolved(0).continueWith(() => value), value));
        assert(Object.is(await Concur.Future.resolved(value), value));
    });
}

test('what C has no type for reaches it as an object only', () => {
    for (const name of ['an object', 'an array', 'a function', 'a date', 'a map', 'a symbol',
        'a big integer', 'an array of bytes', 'a JavaScript error', 'a GLib.Error'])
        assert(Object.is(Concur.Future.resolved(anything[name]).dupObject(), anything[name]), name);
    const bare = Object.create(null);
    same(Concur.Future.resolved(bare).dupObject(), bare);
    const Odd = class extends Object {};
    const odd = new Odd();
    same(Concur.Future.resolved(odd).dupObject(), odd);
});

test('undefined arrives as null', async () => {
    same(await Concur.Future.from(() => {}), null);
    same(await Concur.Future.resolved(undefined), null);
    const promise = new Concur.Promise();
    promise.resolve();
    same(await promise.future, null);
});

test('bytes, variants and other boxed values are C\'s own', async () => {
    const bytes = new GLib.Bytes([1, 2, 3]);
    same((await Concur.Future.resolved(bytes)).toArray().join(), '1,2,3');
    same(Concur.Future.resolved(bytes).dupBytes().get_size(), 3);
    const variant = new GLib.Variant('(si)', ['x', 1]);
    same((await Concur.Future.resolved(variant)).deepUnpack(), ['x', 1]);
    same(Concur.Future.resolved(variant).dupVariant().print(true), "('x', 1)");
    const time = GLib.DateTime.new_from_unix_utc(7);
    same((await Concur.Future.resolved(time)).to_unix(), 7);
});

test('C sees a type where it has one', () => {
    same(Concur.Future.resolved(5).getInt64(), 5);
    same(Concur.Future.resolved(0.5).getDouble(), 0.5);
    same(Concur.Future.resolved(true).getBoolean(), true);
    same(Concur.Future.resolved('s').dupString(), 's');
    const thing = new Thing();
    same(Concur.Future.resolved(thing).dupObject(), thing);
    throws(() => Concur.Future.resolved(null).dupObject(), /is NULL/);
});

test('the typed setters choose the type', async () => {
    const promise = new Concur.Promise();
    promise.resolveDouble(1);
    same(promise.future.getDouble(), 1);
    const job = Concur.Job.new(self => self.returnDouble(1));
    await Concur.ContextExecutor.main().submitJob(job);
    same(job.getDouble(), 1);
});

test('a GObject.Value is taken as it is, but not with JavaScript in it', async () => {
    const value = new GObject.Value();
    value.init(GObject.TYPE_UINT64);
    value.set_uint64(9);
    same(Concur.Future.resolved(value).getValue(), 9);
    const box = new GObject.Value();
    box.init(GObject.TYPE_JSOBJECT);
    const promise = new Concur.Promise();
    throws(() => promise.resolve(box), /TypeError/);
    promise.resolve();
    throws(() => promise.resolve(promise.future), /own answer/);
    /* Where there is no caller to throw at, the future says it. */
    for (const source of [() => box, async () => box, Promise.resolve(box)])
        // eslint-disable-next-line no-await-in-loop
        assert(await rejects(Concur.Future.from(source)) instanceof TypeError);
});

test('the first answer counts', async () => {
    const promise = new Concur.Promise();
    same(promise.resolve({first: true}), true);
    same(promise.resolve({first: false}), false);
    same(promise.reject(new Error('late')), false);
    same((await promise.future).first, true);
});

test('a promise that goes away breaks', async () => {
    const future = (() => new Concur.Promise().future)();
    const awaited = rejects(future);
    System.gc();
    await turn();
    System.gc();
    assert((await awaited).matches(Concur.FutureError, Concur.FutureError.BROKEN_PROMISE));
});

test('new Concur.Promise with a function says what to write instead', () => {
    throws(() => new Concur.Promise((ok, _no) => ok(1)), /Concur\.Future\.from\(new Promise/);
    same(Concur.Promise.new().resolve(1), true);
});

const errors = {
    'an Error': new Error('plain'),
    'a TypeError': new TypeError('typed'),
    'an error of one\'s own': new (class Own extends Error {})('own'),
    'a string': 'just text',
    'an object': {reason: 'none'},
    'a symbol': Symbol('s'),
    'undefined': undefined,
};

for (const [name, error] of Object.entries(errors)) {
    test(`${name} that was thrown comes back as itself`, async () => {
        const promise = new Concur.Promise();
        promise.reject(error);
        const {future} = promise;
        const derived = [
            future,
            future.shield(),
            future.view().withTimeout(1e6),
            Concur.Future.all([1, future]),
            Concur.Future.race([future]),
            future.continueWith(() => 1),
            future.ensure(() => {}),
            Concur.Future.from(() => future),
            Concur.Future.from(() => {
                throw error;
            }),
            Concur.Future.from(() => Promise.reject(error)),
            Concur.Future.from(job => job.returnError(error)),
            Concur.Future.from(Promise.reject(error)),
            Concur.Future.resolved(1).continueWith(() => {
                throw error;
            }),
            Concur.Future.rejected(error),
        ];
        for (const each of derived) {
            // eslint-disable-next-line no-await-in-loop
            const got = await rejects(each);
            assert(Object.is(got, error), `${String(got)} is not ${String(error)}`);
            assert(Object.is(throws(() => each.result()), error));
            assert(Object.is(throws(() => each.dupString()), error));
            assert(Object.is(each.getError(), error));
        }
        same(await future.recover(reason => Object.is(reason, error)), true);
    });
}

test('the original outlives the future it was thrown in', async () => {
    let message;
    const derived = (() => {
        const promise = new Concur.Promise();
        const later = promise.future.shield().continueWith(() => 1).ensure(() => {});
        const error = new Error('original');
        error.extra = {much: 'more'};
        promise.reject(error);
        ({message} = error);
        return later;
    })();
    while (!derived.isDone())
        await turn();
    for (let i = 0; i < 5; i++) {
        System.gc();
        await turn();
    }
    const error = await rejects(derived);
    same(error.message, message);
    same(error.extra.much, 'more');
});

/* Each would be a megabyte. */
async function growth(make) {
    const heavy = i => Array.from({length: 131072}, (_, k) => k + i + 0.5);
    await settle();
    const before = heapBytes();
    for (let i = 0; i < 64; i++) {
        (() => make(heavy(i)))();
        // eslint-disable-next-line no-await-in-loop
        await turn();
    }
    await settle();
    return (heapBytes() - before) / 2 ** 20;
}

async function settle() {
    for (let i = 0; i < 5; i++) {
        System.gc();
        // eslint-disable-next-line no-await-in-loop
        await turn();
    }
}

test('growth is seen where things are kept', async () => {
    const kept = [];
    const megabytes = await growth(value => kept.push(value));
    assert(megabytes > 60, `${megabytes} MiB`);
});

test('values that nobody holds any more are let go', async () => {
    const megabytes = await growth(value => {
        const future = Concur.Future.resolved({value});
        future.shield().view();
        Concur.Future.all([future]).continueWith(() => value);
        Concur.Future.from(() => value);
    });
    assert(megabytes < 8, `${megabytes} MiB`);
});

test('errors that nobody holds any more are let go', async () => {
    const megabytes = await growth(value => {
        const error = Object.assign(new Error('heavy'), {value});
        const future = Concur.Future.rejected(error);
        future.shield().ignore();
        future.recover(() => error.value);
        Concur.Future.from(() => {
            throw error;
        }).ignore();
    });
    assert(megabytes < 8, `${megabytes} MiB`);
});

test('functions are let go when they have run, or never will', async () => {
    const megabytes = await growth(value => {
        Concur.Future.resolved(1).whenDone(() => value);
        Concur.Future.resolved(1).recover(() => value);
        Concur.ContextExecutor.main().post(() => value);
        const {future} = new Concur.Promise();
        const id = future.whenDone(() => value);
        future.disconnectDone(id);
        future.continueWith(() => value).cancel();
        Concur.Future.from(job => job.getCancellable() && value).cancel();
    });
    assert(megabytes < 8, `${megabytes} MiB`);
});

test('any is rejected with the first error, itself', async () => {
    const first = new TypeError('one');
    const error = await rejects(Concur.Future.any([Concur.Future.rejected(first),
        Concur.Future.rejected(new RangeError('two'))]));
    same(error, first);
});

test('a GLib.Error keeps its identity as C knows it', async () => {
    const error = new Gio.IOErrorEnum({code: Gio.IOErrorEnum.BUSY, message: 'busy'});
    const got = await rejects(Concur.Future.rejected(error).shield());
    assert(got.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.BUSY));
    assert(got instanceof Gio.IOErrorEnum);
    same(got.message, 'busy');
});

test('rejecting with CANCELLED is cancelling', async () => {
    const error = new Gio.IOErrorEnum({code: Gio.IOErrorEnum.CANCELLED, message: 'enough'});
    const future = Concur.Future.from(Promise.reject(error));
    assert(Concur.isCancelled(await rejects(future)));
    same(future.state, Concur.FutureState.CANCELLED);
    same(Concur.isCancelled(new Error('no')), false);
    same(Concur.isCancelled(null), false);
});

await run();
