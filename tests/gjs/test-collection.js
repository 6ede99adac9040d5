// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* The garbage collector, forced all the time, cancels no work and loses no result. */

import Concur from 'gi://Concur';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import System from 'system';
import {assert, makeDirectory, makeEndlessFile, rejects, remove, run, same, test, turn, until,
    writeFile} from './tap.js';

const directory = makeDirectory();
const endless = makeEndlessFile(directory);
const ROUNDS = 50;
const HELLO = '5d41402abc4b2a76b9719d911017c592';
const hello = writeFile(directory, 'hello', 'hello');
const digest = options => Concur.fileDigest(hello, GLib.ChecksumType.MD5, options);

/* What @make returns is awaited after nobody but the await has held it for a while. */
async function survives(make, expected) {
    const awaited = [];
    for (let i = 0; i < ROUNDS; i++) {
        awaited.push((() => make(i).then(value => value))());
        System.gc();
    }
    for (let i = 0; i < 5; i++) {
        await turn();
        System.gc();
    }
    for (const [i, each] of awaited.entries())
        same(await each, expected(i));
}

test('native jobs of an executor that nobody holds', () => survives(
    () => digest({executor: new Concur.ThreadExecutor({maxThreads: 1})}), () => HELLO));

test('functions', () => survives(
    i => Concur.Future.from(async () => {
        await Concur.delay(1);
        return {i};
    }), i => ({i})));

test('chains without a middle', () => survives(
    i => digest().shield().continueWith(text => ({text, i})).withTimeout(1e6).view()
        .ensure(() => System.gc()), i => ({text: HELLO, i})));

test('combinations', () => survives(
    i => Concur.Future.all([digest(), {i}, Concur.Future.any([Concur.delay(1, [i])])]),
    i => [HELLO, {i}, [i]]));

test('jobs of classes written here, with their properties', async () => {
    const Job = GObject.registerClass(class CollectedJob extends Concur.Job {
        vfunc_run() {
            return this.extra.number;
        }
    });
    await survives(i => {
        const job = new Job();
        job.extra = {number: i};
        return Concur.ContextExecutor.main().submitJob(job);
    }, i => i);
});

test('properties of one\'s own stay on futures that C holds', async () => {
    const pool = new Concur.ThreadExecutor({maxThreads: 1, paused: true});
    (() => {
        const future = digest({executor: pool});
        future.extra = {mine: true};
        future.whenDone(done => (pool.seen = done.extra));
    })();
    for (let i = 0; i < 10; i++) {
        System.gc();
        await turn();
    }
    pool.paused = false;
    await until(() => pool.seen);
    same(pool.seen, {mine: true});
});

test('work that runs goes on without anybody holding it', async () => {
    let progress = 0;
    let stop;
    (() => {
        const work = Concur.fileDigest(endless);
        work.connect('notify::progress', future => {
            progress++;
            stop = () => future.cancel();
        });
    })();
    while (progress < 5) {
        System.gc();
        await turn();
    }
    same(stop(), true);
});

test('what was given to a ContextExecutor that nobody holds is run', async () => {
    const seen = [];
    const futures = [];
    for (let i = 0; i < 10; i++) {
        (() => {
            const executor = Concur.ContextExecutor.new();
            executor.post(() => seen.push(i));
            futures.push(executor.submit(() => i));
            futures.push(executor.mapRange(2, 1, (batch, first) => batch.setInt64(first, i)));
        })();
        System.gc();
    }
    const values = await Concur.Future.all(futures);
    same(values.filter((_, i) => i % 2 === 0), seen);
    same(values[5].getInt64(1), 2);
    same(seen.length, 10);
});

test('a promise whose producer is alive is kept', async () => {
    const future = (() => {
        const promise = new Concur.Promise();
        setTimeout(() => promise.resolve('kept'), 20);
        return promise.future;
    })();
    while (!future.isDone()) {
        System.gc();
        await turn();
    }
    same(await future, 'kept');
});

test('a loop thread that nobody holds goes on, until it is stopped', async () => {
    let find;
    const state = (() => {
        const thread = new Concur.LoopThread({name: 'kept'});
        thread.start();
        const weak = thread.getExecutor();
        find = () => weak;
        thread.connect('stopping', () => assert(false, 'It was stopped'));
        return Concur.fileDigest(hello, GLib.ChecksumType.MD5, {executor: thread});
    })();
    for (let i = 0; i < 10; i++) {
        System.gc();
        await turn();
    }
    same(await state, HELLO);
    same((await digest({executor: find()})), HELLO);
});

test('many workers let go of many futures while the collector runs', async () => {
    const pool = new Concur.ThreadExecutor({maxThreads: 8});
    let left = 2000;
    const done = new Promise(resolve => {
        const next = () => {
            if (--left === 0)
                resolve();
        };
        for (let i = 0; i < 2000; i++) {
            const future = digest({executor: pool});
            future.number = i;
            future.whenDone(next);
            if (i % 50 === 0)
                System.gc();
        }
    });
    await done;
    await pool.shutdown();
});

test('cancelled and abandoned work is let go', async () => {
    for (let i = 0; i < 20; i++) {
        const work = Concur.fileDigest(endless);
        const awaited = rejects(work);
        work.cancel({abandon: true});
        System.gc();
        assert(Concur.isCancelled(await awaited));
    }
});

await run(() => remove(directory));
