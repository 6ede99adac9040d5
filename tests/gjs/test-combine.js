// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Futures of others, and functions that go on from them. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {assert, gate, makeDirectory, makeEndlessFile, rejects, remove, run, same, test, throws,
    until, writeFile} from './tap.js';

const directory = makeDirectory();
const endless = makeEndlessFile(directory);
const hello = writeFile(directory, 'hello', 'hello');
const pending = () => new Concur.Promise();

test('all gives an array of values, in order, from any iterable', async () => {
    const slow = gate();
    function *several() {
        yield slow.opened;
        yield Concur.Future.resolved({two: 2});
        yield 3;
        yield async () => 4;
        yield Concur.fileLoadBytes(hello);
    }
    const all = Concur.Future.all(several());
    slow.open('one');
    const values = await all;
    assert(Array.isArray(values));
    same(values.slice(0, 4), ['one', {two: 2}, 3, 4]);
    same(new TextDecoder().decode(values[4].toArray()), 'hello');
    same(all.getValue()[0], 'one');
    same(await Concur.Future.all(new Set([1, 2])), [1, 2]);
    same(await Concur.Future.all([]), []);
    same(await Concur.Future.all([Concur.Future.all([1]), 2]), [[1], 2]);
});

test('what is needed in many ways is asked once whether it can be waited for', () => {
    const promise = new Concur.Promise();
    let future = Concur.Future.all([promise.future]);
    for (let i = 0; i < 60; i++)
        future = Concur.Future.all([future, future]);
    same(future.wait(1), false);
    promise.resolve(1);
    same(future.wait(), true);
});

test('what is in a result many times is read once', async () => {
    let future = Concur.Future.all([1]);
    for (let i = 0; i < 60; i++)
        future = Concur.Future.all([future, future]);
    let value = await future;
    for (let i = 0; i < 60; i++) {
        same(value.length, 2);
        assert(value[0] === value[1]);
        value = value[0];
    }
    same(value, [1]);
});

test('all is rejected with the first error', async () => {
    const never = pending();
    const error = new Error('first');
    same(await rejects(Concur.Future.all([never.future, Promise.reject(error)])), error);
    never.resolve();
});

test('allSettled tells how each ended', async () => {
    const error = new Error('no');
    const settled = Concur.Future.allSettled([1, Promise.reject(error),
        Concur.fileDigest(directory.get_child('nothing'))]);
    for (const outcomes of [await settled, await settled.shield()]) {
        same(outcomes[0], {status: 'fulfilled', value: 1});
        same(outcomes[1].status, 'rejected');
        same(outcomes[1].reason, error);
        assert(outcomes[2].reason.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND));
    }
    same(await Concur.Future.allSettled([]), []);
});

test('any gives the first value, race the first outcome', async () => {
    const never = pending();
    same(await Concur.Future.any([never.future, Promise.reject(new Error('no')), 'yes']), 'yes');
    const error = new Error('first');
    same(await rejects(Concur.Future.race([never.future, Concur.Future.rejected(error)])), error);
    same(await Concur.Future.race([never.future, 'value']), 'value');
    await rejects(Concur.Future.any([]));
    await rejects(Concur.Future.race([]));
    same(never.future.isDone(), false);
    never.resolve();
});

test('losers go on unless they are to be cancelled', async () => {
    for (const name of ['any', 'race']) {
        const kept = pending();
        const dropped = pending();
        // eslint-disable-next-line no-await-in-loop
        await Concur.Future[name]([1, kept.future]);
        // eslint-disable-next-line no-await-in-loop
        await Concur.Future[name]([1, dropped.future], {cancelRest: true});
        same(kept.future.isDone(), false);
        same(dropped.future.state, Concur.FutureState.CANCELLED);
        kept.resolve();
    }
    const raw = pending();
    await Concur.Future.any([1, raw.future], Concur.CombineFlags.CANCEL_REST);
    same(raw.future.state, Concur.FutureState.CANCELLED);
    throws(() => Concur.Future.any([1], {cancelrest: true}), /cancelRest/);
});

test('cancelling a combination cancels what it is made of', async () => {
    const work = Concur.fileDigest(endless);
    const all = Concur.Future.all([work, 1]);
    await until(() => work.state === Concur.FutureState.RUNNING);
    all.cancel();
    assert(Concur.isCancelled(await rejects(all)));
    assert(Concur.isCancelled(await rejects(work)));
});

test('waitMany gives the futures that are done', async () => {
    const open = pending();
    const done = Concur.Future.resolved(1);
    const {ALL, FIRST_COMPLETED, FIRST_ERROR} = Concur.WaitCondition;

    const first = await Concur.Future.waitMany([open.future, done], {condition: FIRST_COMPLETED});
    assert(Array.isArray(first));
    same(first.length, 1);
    same(first[0], done);
    const late = await Concur.Future.waitMany([open.future, done], {timeout: 5});
    same(late.length, 1);
    same((await Concur.Future.wait_many([open.future, done], ALL, 5)).length, 1);
    open.reject(new Error('no'));
    same((await Concur.Future.waitMany([open.future, done], {condition: FIRST_ERROR})).length, 2);
    open.future.ignore();
});

test('getChildren gives the list', () => {
    const future = Concur.Future.resolved(1);
    same(Concur.Future.all([future]).getChildren().get_item(0), future);
});

test('from takes a promise, a function, a value or a future', async () => {
    same(await Concur.Future.from(Promise.resolve(1)), 1);
    same(await Concur.Future.from(() => 2), 2);
    same(await Concur.Future.from(async () => 3), 3);
    same(await Concur.Future.from(4), 4);
    const future = Concur.Future.resolved(5);
    same(Concur.Future.from(future), future);
    const error = new Error('no');
    same(await rejects(Concur.Future.from(Promise.reject(error))), error);
    same(await rejects(Concur.Future.from(async () => {
        throw error;
    })), error);
});

test('a function of from begins in a later turn, with its job', async () => {
    let begun = false;
    const future = Concur.Future.from(job => {
        begun = true;
        same(job, Concur.Job.getCurrent());
        return job instanceof Concur.Job;
    });
    same(begun, false);
    same(await future, true);
    const never = Concur.Future.from(() => {
        throw new Error('must not run');
    });
    never.cancel();
    assert(Concur.isCancelled(await rejects(never)));
});

test('cancelling the future of a promise ends it at once', async () => {
    const slow = gate();
    const future = Concur.Future.from(slow.opened);
    future.cancel();
    assert(Concur.isCancelled(await rejects(future)));
    slow.open();
});

test('continueWith goes on from the value, in the main context', async () => {
    const order = [];
    const future = Concur.fileDigest(hello).continueWith((digest, job) => {
        order.push('continued');
        assert(job instanceof Concur.Job);
        return digest.slice(0, 4);
    });
    order.push('later');
    same(await future, '2cf2');
    same(order, ['later', 'continued']);
    same(await Concur.Future.resolved([1]).continue_with(list => [...list, 2]), [1, 2]);
});

test('continueWith may answer with a promise or a future', async () => {
    same(await Concur.Future.resolved(1).continueWith(async n => {
        await Concur.delay(1);
        return n + 1;
    }), 2);
    same(await Concur.Future.resolved(1).continueWith(n => Concur.delay(1, n + 2)), 3);
});

test('what is no function is refused by the name that is documented', () => {
    for (const name of ['continueWith', 'recover', 'ensure'])
        throws(() => Concur.Future.resolved(1)[name]('code'), new RegExp(`${name}\\(\\) needs`));
    for (const context of [{}, 'main'])
        throws(() => Concur.Future.resolved(1).whenDone(() => {}, context), /MainContext/);
});

test('recover goes on from an error, not from a value or cancellation', async () => {
    const error = new Error('no');
    same(await Concur.Future.rejected(error).recover(reason => reason === error && 'well'), 'well');
    same(await Concur.Future.resolved('fine').recover(() => 'never'), 'fine');
    const promise = pending();
    const recovered = promise.future.recover(() => 'never');
    promise.future.cancel();
    assert(Concur.isCancelled(await rejects(recovered)));
});

test('ensure runs in every case and passes the outcome on', async () => {
    const seen = [];
    const error = new Error('no');
    const note = future => void seen.push(future.state);
    same(await Concur.Future.resolved('v').ensure(note), 'v');
    same(await rejects(Concur.Future.rejected(error).ensure(note)), error);
    const promise = pending();
    const cancelled = promise.future.ensure(note);
    cancelled.cancel();
    assert(Concur.isCancelled(await rejects(cancelled)));
    await until(() => seen.length === 3);
    const {RESOLVED, REJECTED, CANCELLED} = Concur.FutureState;
    same(seen, [RESOLVED, REJECTED, CANCELLED]);
    same(await Concur.Future.resolved('v').ensure(async () => void await Concur.delay(1)), 'v');
    same(await Concur.Future.resolved('v').ensure(() => 'instead'), 'instead');
    same(await rejects(Concur.Future.resolved('v').ensure(() => {
        throw error;
    })), error);
});

test('a chain passes errors on to its end', async () => {
    const error = new Error('deep');
    let future = Concur.Future.rejected(error);
    for (let i = 0; i < 2000; i++)
        future = future.continueWith(() => 'never');
    same(await rejects(future), error);
});

test('a long chain of values', async () => {
    let future = Concur.Future.resolved(0);
    for (let i = 0; i < 2000; i++)
        future = future.continueWith(n => n + 1);
    same(await future, 2000);
});

test('iterate runs the main context until it is done', () => {
    same(Concur.fileDigest(hello).iterate(), true);
    const {future} = new Concur.Promise();
    const error = throws(() => future.iterate(5));
    assert(error.matches(Concur.FutureError, Concur.FutureError.TIMED_OUT));
    future.ignore();
});

test('a private context that was pushed serves its futures', () => {
    const context = new GLib.MainContext();
    const calls = [];
    let done;
    context.push_thread_default();
    try {
        done = Concur.fileDigest(hello).continueWith(digest => digest.length);
        done.whenDone(future => calls.push(future.getValue()));
        same(done.iterate(-1), true);
        while (!calls.length)
            context.iteration(true);
    } finally {
        context.pop_thread_default();
    }
    same(calls, [64]);
});

await run(() => remove(directory));
