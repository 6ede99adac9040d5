// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* One future: waiting for it, looking at it, cancelling it. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {assert, gate, makeDirectory, makeEndlessFile, rejects, remove, run, same, test, throws,
    turn, until, writeFile} from './tap.js';

const directory = makeDirectory();
const hello = writeFile(directory, 'hello', 'hello');
const endless = makeEndlessFile(directory);
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

test('await gives the value of a native job', async () => {
    same(await Concur.fileDigest(hello), HELLO);
});

test('await gives a value that is there already, and in a later turn', async () => {
    const order = [];
    const awaited = (async () => order.push(await Concur.Future.resolved('late')))();
    order.push('early');
    await awaited;
    same(order, ['early', 'late']);
});

test('a future can be awaited many times and by many', async () => {
    const future = Concur.fileDigest(hello);
    same(await Promise.all([future, future, future]), [HELLO, HELLO, HELLO]);
    same(await future, HELLO);
});

test('a rejection is a GLib.Error with its domain and code', async () => {
    const error = await rejects(Concur.fileDigest(directory.get_child('nothing')));
    assert(error instanceof GLib.Error);
    assert(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND));
    assert(!Concur.isCancelled(error));
});

test('then, catch and finally', async () => {
    same(await Concur.Future.resolved(2).then(n => n + 1), 3);
    same(await Concur.Future.rejected(new Error('no')).catch(e => e.message), 'no');
    same(await Concur.Future.rejected(new Error('no')).then(null, e => e.message), 'no');
    let called = 0;
    same(await Concur.Future.resolved(4).finally(() => called++), 4);
    same(called, 1);
});

test('they are seen by JavaScript only: no introspected method has these names', () => {
    for (const name of ['then', 'catch', 'finally'])
        assert(!`${Concur.Future.prototype[name]}`.includes('native symbol'));
});

test('wait and result take milliseconds', () => {
    const {future} = new Concur.Promise();
    const before = GLib.get_monotonic_time();
    same(future.wait(20), false);
    assert(GLib.get_monotonic_time() - before >= 20000);
    const error = throws(() => future.result(5), /5 ms/);
    assert(error.matches(Concur.FutureError, Concur.FutureError.TIMED_OUT));
    assert(error instanceof Concur.FutureError);
    same(Concur.fileDigest(hello).result(), HELLO);
    throws(() => future.wait('long'), /milliseconds/);
    throws(() => future.wait(NaN), /milliseconds/);
    future.ignore();
});

test('null, Infinity and less than nothing mean for ever', () => {
    for (const ms of [undefined, null, Infinity, -1])
        same(Concur.fileDigest(hello).wait(ms), true);
});

test('looking without waiting', () => {
    const promise = new Concur.Promise();
    const {future} = promise;
    const error = throws(() => future.getValue());
    assert(error.matches(Concur.FutureError, Concur.FutureError.PENDING));
    throws(() => future.check());
    same(future.isDone(), false);
    same(future.getError(), null);
    promise.resolve('text');
    same(future.getValue(), 'text');
    same(future.check(), true);
    same(future.dupString(), 'text');
    assert(throws(() => future.getInt64()).matches(Concur.FutureError,
        Concur.FutureError.WRONG_TYPE));
});

test('whenDone calls once in the main context, and can be undone', async () => {
    const promise = new Concur.Promise();
    const calls = [];
    const id = promise.future.whenDone(() => calls.push('gone'));
    promise.future.whenDone(future => calls.push(future === promise.future));
    promise.future.disconnectDone(id);
    promise.resolve(1);
    same(calls, []);
    await turn();
    same(calls, [true]);
});

test('cancelling while awaited rejects with CANCELLED', async () => {
    const future = Concur.fileDigest(endless);
    const awaited = rejects(future);
    await until(() => future.state === Concur.FutureState.RUNNING);
    same(future.cancel(), true);
    const error = await awaited;
    assert(Concur.isCancelled(error));
    assert(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED));
    same(future.state, Concur.FutureState.CANCELLED);
    same(future.cancel(), false);
});

test('a Gio.Cancellable among the options cancels the work', async () => {
    const cancellable = new Gio.Cancellable();
    const future = Concur.fileDigest(endless, GLib.ChecksumType.SHA256, {cancellable});
    await until(() => future.state === Concur.FutureState.RUNNING);
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(future)));
});

test('abandoning ends it at once', async () => {
    const future = Concur.fileDigest(endless);
    await until(() => future.state === Concur.FutureState.RUNNING);
    same(future.cancel({abandon: true}), true);
    same(future.isDone(), true);
    await rejects(future);
    const spared = Concur.fileDigest(endless);
    await until(() => spared.state === Concur.FutureState.RUNNING);
    spared.cancel({queued: true});
    await turn();
    same(spared.state, Concur.FutureState.RUNNING);
    spared.cancel(Concur.CancelFlags.ABANDON);
    same(spared.isDone(), true);
    throws(() => Concur.Future.resolved(1).cancel({abondon: true}), /abandon/);
});

test('the cancellable of a wait abandons the wait only', async () => {
    const promise = new Concur.Promise();
    const cancellable = new Gio.Cancellable();
    const waited = promise.future.waitAsync({cancellable});
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(waited)));
    same(promise.future.isDone(), false);
    promise.resolve('after all');
    same(await promise.future.waitAsync(), 'after all');
});

test('wait_async with a callback works as in GIO', async () => {
    const value = await new Promise((resolve, reject) => {
        Concur.fileDigest(hello).wait_async(null, (future, result) => {
            try {
                resolve(future.wait_finish(result));
            } catch (error) {
                reject(error);
            }
        });
    });
    same(value, HELLO);
});

test('withTimeout rejects and cancels', async () => {
    const work = Concur.fileDigest(endless);
    const error = await rejects(work.withTimeout(10));
    assert(error.matches(Concur.FutureError, Concur.FutureError.TIMED_OUT));
    assert(Concur.isCancelled(await rejects(work)));
    same(await Concur.fileDigest(hello).withTimeout(1e6), HELLO);
});

test('shield keeps cancellation away, view does not', async () => {
    const promise = new Concur.Promise();
    const shielded = promise.future.shield();
    shielded.cancel();
    assert(Concur.isCancelled(await rejects(shielded)));
    same(promise.future.isDone(), false);
    promise.future.view().cancel();
    assert(Concur.isCancelled(await rejects(promise.future)));
});

test('properties: name, progress, status text, state', async () => {
    const promise = new Concur.Promise();
    const {future} = promise;
    future.name = 'work';
    promise.setProgress(0.25);
    promise.setStatusText('a quarter');
    same([future.name, future.progress, future.statusText, future.state],
        ['work', 0.25, 'a quarter', Concur.FutureState.PENDING]);
    same([future.dupName(), future.getProgress(), future.dupStatusText()],
        ['work', 0.25, 'a quarter']);
    promise.resolve();
    same(await future, null);
});

test('progress of a worker is notified in the main context', async () => {
    const future = Concur.fileDigest(endless);
    const seen = [];
    await new Promise(resolve => {
        future.connect('notify::progress', object => {
            seen.push(object.progress);
            if (seen.length === 3)
                resolve();
        });
    });
    assert(seen[2] > 0);
    const done = new Promise(resolve => future.connect('notify::state', object => {
        if (object.isDone())
            resolve(object.state);
    }));
    future.cancel();
    same(await done, Concur.FutureState.CANCELLED);
});

test('delay takes milliseconds', async () => {
    const before = GLib.get_monotonic_time();
    same(await Concur.delay(20), null);
    assert(GLib.get_monotonic_time() - before >= 20000);
    same(await Concur.delay(1, 'value'), 'value');
    for (const ms of [1e9, Infinity]) {
        const long = Concur.Future.delay(ms);
        same(long.isDone(), false);
        long.cancel();
        // eslint-disable-next-line no-await-in-loop
        assert(Concur.isCancelled(await rejects(long)));
    }
    for (const ms of [0, -1, -Infinity])
        same(Concur.delay(ms).isDone(), true);
});

test('what is not a time is refused, and named', () => {
    const future = Concur.Future.resolved(1);
    for (const [given, named] of [['5', '“5”'], [5n, '5n'], [NaN, 'NaN'], [{}, 'object'],
        [[], 'array'], [Symbol('s'), 'Symbol'], [Object.create(null), 'something']]) {
        for (const call of [
            () => Concur.delay(given),
            () => future.wait(given),
            () => future.result(given),
            () => future.iterate(given),
            () => future.withTimeout(given),
            () => Concur.Future.waitMany([], {timeout: given}),
        ])
            throws(call, new RegExp(`^TypeError: .*milliseconds, not .*${named}`));
    }
    for (const given of [undefined, null])
        throws(() => Concur.delay(given), /milliseconds/);
});

test('a wait that only this thread could end is refused', async () => {
    let resolve;
    const future = Concur.Future.from(new Promise(r => (resolve = r)));
    const native = new Concur.Promise();
    for (const stuck of [future, future.shield(), Concur.Future.all([future, native.future])]) {
        same(stuck.wait(), false);
        const error = throws(() => stuck.result());
        assert(error.matches(Concur.FutureError, Concur.FutureError.WOULD_DEADLOCK));
    }
    same(Concur.Future.any([future, Concur.fileDigest(hello)]).wait(), true);
    same(Concur.Future.any([future, future]).wait(), false);
    const begun = gate();
    const go = gate();
    const job = Concur.Future.from(async () => {
        begun.open();
        return go.opened;
    });
    same(job.wait(), false);
    await begun.opened;
    same(job.wait(), false);
    go.open('done');
    same(await job, 'done');
    resolve('done');
    same(await future, 'done');
    same(future.wait(), true);
    native.future.ignore();
});

test('an error that nobody looked at is logged, and only then', () => {
    /* In a process of its own, for there a warning is something to read. */
    const script = `
        import Concur from 'gi://Concur';
        import System from 'system';
        const loop = expr => { (() => expr())(); System.gc(); };
        loop(() => Concur.Future.rejected(new TypeError('unseen')));
        loop(() => Concur.Future.rejected(new Error('ignored')).ignore());
        loop(() => Concur.Future.rejected(new Error('read')).getError());
        await new Promise(resolve => setTimeout(resolve, 1));
        System.gc();
        await new Promise(resolve => setTimeout(resolve, 1));`;
    const file = writeFile(directory, 'unseen.js', script);
    const launcher = new Gio.SubprocessLauncher({flags: Gio.SubprocessFlags.STDERR_PIPE});
    launcher.unsetenv('G_DEBUG');
    const process = launcher.spawnv(['gjs', '-m', file.get_path()]);
    const [, , errors] = process.communicate_utf8(null, null);
    assert(process.get_successful(), errors);
    assert(/TypeError: unseen/.test(errors), errors);
    assert(!/ignored|read/.test(errors), errors);
});

await run(() => remove(directory));
