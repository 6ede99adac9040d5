// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Thread executors, loop threads and native jobs, as far as JavaScript uses them. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {assert, makeDirectory, makeEndlessFile, rejects, remove, run, same, test, throws, until,
    writeFile} from './tap.js';

const directory = makeDirectory();
const endless = makeEndlessFile(directory);
const hello = writeFile(directory, 'hello', 'hello');

test('settings are properties, and times are milliseconds', () => {
    const pool = new Concur.ThreadExecutor({
        name: 'disk', maxThreads: 3, keepAlive: 1500, maxPending: 9,
        overflow: Concur.Overflow.REJECT,
    });
    same([pool.name, pool.maxThreads, pool.maxPending, pool.overflow],
        ['disk', 3, 9, Concur.Overflow.REJECT]);
    same([pool.keepAlive, pool.keep_alive, pool['keep-alive'], pool.getKeepAlive()],
        [1500, 1500, 1500, 1500]);
    same(new Concur.ThreadExecutor({keep_alive: 2}).keepAlive, 2);
    same(new Concur.ThreadExecutor({'keep-alive': Infinity}).keepAlive, -1);
    assert(new Concur.ThreadExecutor().keepAlive > 0);
    same(Concur.ThreadExecutor.new(2).maxThreads, 2);
});

test('file_digest as introspected and as JavaScript has it', async () => {
    const md5 = '5d41402abc4b2a76b9719d911017c592';
    same(await Concur.file_digest(hello, GLib.ChecksumType.MD5, null, null), md5);
    same(await Concur.fileDigest(hello, GLib.ChecksumType.MD5), md5);
    const executor = new Concur.ThreadExecutor({maxThreads: 1});
    same(await Concur.fileDigest(hello, GLib.ChecksumType.MD5, executor), md5);
    same(await Concur.fileDigest(hello, GLib.ChecksumType.MD5, {executor}), md5);
    const cancellable = new Gio.Cancellable();
    cancellable.cancel();
    for (const future of [
        Concur.file_digest(hello, GLib.ChecksumType.MD5, null, cancellable),
        Concur.fileDigest(hello, GLib.ChecksumType.MD5, {cancellable}),
        Concur.fileLoadBytes(hello, {cancellable}),
        Concur.file_load_bytes(hello, executor, cancellable),
    ])
        // eslint-disable-next-line no-await-in-loop
        assert(Concur.isCancelled(await rejects(future)));
    throws(() => Concur.fileDigest(hello, GLib.ChecksumType.MD5, {pool: executor}),
        /“pool”.*executor, cancellable/);
    /* None of these is MD5, which is what GJS makes of them. */
    for (const type of [{cancellable}, null, NaN, 2 ** 32, '0', () => 0])
        throws(() => Concur.fileDigest(hello, type), /^TypeError: .*ChecksumType/);
});

test('the main loop turns while workers work', async () => {
    const work = Concur.fileDigest(endless);
    let turns = 0;
    const id = GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, () => {
        turns++;
        return GLib.SOURCE_CONTINUE;
    });
    await until(() => turns >= 20 && work.state === Concur.FutureState.RUNNING);
    GLib.source_remove(id);
    same(work.isDone(), false);
    work.cancel();
    await rejects(work);
});

test('pausing, a full queue, a snapshot', async () => {
    const executor = new Concur.ThreadExecutor({
        maxThreads: 1, maxPending: 2, paused: true, name: 'small',
    });
    const works = [1, 2, 3].map(() => Concur.fileDigest(hello, undefined, {executor}));
    assert((await rejects(works[2])).matches(Concur.ExecutorError,
        Concur.ExecutorError.QUEUE_FULL));
    const snapshot = executor.dupSnapshot();
    same([snapshot.getNPending(), snapshot.getNRunning(), snapshot.getNRefused()], [2, 0, 1]);
    assert(/small/.test(snapshot.toString()));
    executor.setPaused(false);
    same((await Concur.Future.all(works.slice(0, 2))).length, 2);
});

test('a running job\'s time in a snapshot is in milliseconds', async () => {
    const executor = new Concur.ThreadExecutor({maxThreads: 1});
    const before = GLib.get_monotonic_time();
    const work = Concur.fileDigest(endless, GLib.ChecksumType.SHA256, {executor});
    work.name = 'endless';
    await until(() => executor.dupSnapshot().getNRunning() === 1 &&
        executor.dupSnapshot().getRunningTime(0) >= 20);
    const ms = executor.dupSnapshot().getRunningTime(0);
    assert(ms <= (GLib.get_monotonic_time() - before) / 1000 + 20, `${ms}`);
    same(executor.dupSnapshot().getJobName(0), 'endless');
    work.cancel();
    await rejects(work);
});

test('shutdown ends a pool', async () => {
    const executor = new Concur.ThreadExecutor({maxThreads: 1});
    const work = Concur.fileDigest(endless, GLib.ChecksumType.SHA256, {executor});
    const ended = executor.shutdown(Concur.ShutdownMode.CANCEL_ALL);
    assert(Concur.isCancelled(await rejects(work)));
    await ended;
    const error = await rejects(Concur.fileDigest(hello, undefined, {executor}));
    assert(error.matches(Concur.ExecutorError, Concur.ExecutorError.SHUT_DOWN));
});

test('a loop thread starts, runs native jobs, stops, and starts again', async () => {
    const thread = Concur.LoopThread.new('worker');
    same([thread.name, thread.state], ['worker', Concur.LoopState.STOPPED]);
    for (let i = 0; i < 2; i++) {
        same(thread.start(), true);
        same(thread.state, Concur.LoopState.RUNNING);
        same(thread.isCurrent(), false);
        // eslint-disable-next-line no-await-in-loop
        same((await Concur.fileDigest(hello, undefined, {executor: thread})).length, 64);
        same(thread.stop(), true);
        same(thread.state, Concur.LoopState.STOPPED);
    }
    const error = await rejects(Concur.fileDigest(hello, undefined, {executor: thread}));
    assert(error.matches(Concur.ExecutorError, Concur.ExecutorError.SHUT_DOWN) ||
        error.matches(Concur.ExecutorError, Concur.ExecutorError.NOT_RUNNING));
});

test('stop and join take milliseconds', async () => {
    const thread = new Concur.LoopThread({name: 'busy'});
    thread.start();
    const before = GLib.get_monotonic_time();
    const timedOut = throws(() => thread.join(20));
    assert(timedOut.matches(Concur.FutureError, Concur.FutureError.TIMED_OUT));
    assert(GLib.get_monotonic_time() - before >= 20000);

    const work = Concur.fileDigest(endless, undefined, {executor: thread.getExecutor()});
    await until(() => work.state === Concur.FutureState.RUNNING);
    assert(throws(() => thread.stop(10)).matches(Concur.FutureError,
        Concur.FutureError.TIMED_OUT));
    const cancellable = new Gio.Cancellable();
    const stopping = thread.stopAsync({cancellable});
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(stopping)));
    work.cancel();
    same(await thread.stopAsync(), true);
    same(thread.join(), true);
});

test('stop_async with a callback works as in GIO', async () => {
    const thread = new Concur.LoopThread({name: 'raw'});
    thread.start();
    same(await new Promise(resolve => thread.stop_async(null,
        (object, result) => resolve(object.stop_finish(result)))), true);
});

test('every method has a natural name beside its own', () => {
    for (const name of ['Batch', 'ContextExecutor', 'Future', 'Job', 'LoopThread', 'Promise',
        'Snapshot', 'ThreadExecutor', 'Executor']) {
        const {prototype} = Concur[name];
        for (const key of Object.getOwnPropertyNames(prototype)) {
            const {value} = Object.getOwnPropertyDescriptor(prototype, key);
            if (typeof value !== 'function' || key.startsWith('_') || key.startsWith('vfunc_'))
                continue;
            const camel = key.replace(/_([a-z])/g, (_, c) => c.toUpperCase());
            same(prototype[camel], value, `${name}.${camel}`);
        }
    }
    same(Concur.Future.allSettled, Concur.Future.all_settled);
    same(Concur.fileDigest, Concur.file_digest);
    same(Concur.releasePending(), Concur.release_pending());
});

await run(() => remove(directory));
