// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Limiters and retries. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import {assert, gate, makeDirectory, rejects, remove, run, same, test, throws, turn, until,
    writeFile} from './tap.js';

const directory = makeDirectory();
const hello = writeFile(directory, 'hello', 'hello');
const CLEAR = /JavaScript runs on its own thread only/;

test('settings, in milliseconds', () => {
    const limiter = new Concur.Limiter({permits: 2, rate: 5, period: 250});
    same([limiter.permits, limiter.rate, limiter.period], [2, 5, 250]);
    limiter.period = 1.5;
    same(limiter.getPeriod(), 1.5);
    limiter.setPeriod(100);
    same(limiter.period, 100);
    same(Concur.Limiter.newWithRate(1, 2, 3).period, 3);
    same(Concur.Limiter.new(4).available, 4);
    throws(() => new Concur.Limiter({permits: 1, period: 'x'}), /milliseconds/);
});

test('no more at a time than there are permits', async () => {
    const limiter = new Concur.Limiter({permits: 3});
    let now = 0;
    let most = 0;
    const results = await Promise.all(Array.from({length: 20}, (_, i) => limiter.run(async x => {
        most = Math.max(most, ++now);
        await turn();
        System.gc();
        now--;
        return x;
    }, i)));
    same(results, Array.from({length: 20}, (_, i) => i));
    same(most, 3);
    same([limiter.borrowed, limiter.available, limiter.waiting], [0, 3, 0]);
});

test('a permit is returned when the work has failed', async () => {
    const limiter = new Concur.Limiter({permits: 1});
    const mine = new Error('mine');
    assert(await rejects(limiter.run(() => {
        throw mine;
    })) === mine);
    assert(await rejects(limiter.run(async () => {
        throw mine;
    })) === mine);
    await until(() => limiter.available === 1);
});

test('what is cancelled in the line does not run, and passes the turn on', async () => {
    const limiter = new Concur.Limiter({permits: 1});
    const go = gate();
    const ran = [];
    const first = limiter.run(() => go.opened.then(() => ran.push('first')));
    const second = limiter.run(() => ran.push('second'));
    const third = limiter.run(() => ran.push('third'));
    await turn();
    assert(second.cancel());
    go.open();
    await Promise.all([first, third]);
    assert((await rejects(second)).matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED));
    same(ran, ['first', 'third']);
    await until(() => limiter.available === 1);
});

test('by hand', async () => {
    const limiter = new Concur.Limiter({permits: 1});
    await limiter.acquire();
    assert(!limiter.tryAcquire());
    throws(() => limiter.acquireWait(1), /1 ms/);

    const first = limiter.acquire();
    const second = limiter.acquireAsync();
    same(limiter.waiting, 2);
    assert(first.cancel());
    limiter.release();
    assert(await second);
    limiter.release();

    const cancellable = new Gio.Cancellable();
    await limiter.acquire();
    const given = limiter.acquireAsync({cancellable});
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(given)));
    limiter.permits = 2;
    assert(limiter.acquireWait());
    limiter.release();
    limiter.release();
    same(limiter.available, 2);
});

test('jobs', async () => {
    const limiter = new Concur.Limiter({permits: 1});
    const go = gate();
    const first = limiter.submit(() => go.opened, {name: 'first'});
    const second = limiter.submit(() => 'second');
    same(first.name, 'first');
    await turn();
    assert(!second.isDone());
    go.open('first');
    same([await first, await second], ['first', 'second']);
    await until(() => limiter.available === 1);
});

test('native jobs on any executor, JavaScript here only', async () => {
    const limiter = new Concur.Limiter({permits: 1});
    const pool = new Concur.ThreadExecutor({maxThreads: 1});
    throws(() => limiter.submit(() => 1, pool), CLEAR);
    throws(() => limiter.submit(() => 1, {executor: pool}), CLEAR);
    throws(() => limiter.submitJob(Concur.Job.new(() => 1), {executor: pool}), CLEAR);
    throws(() => limiter.submitJob(5), /needs a job/);
    same(await limiter.submitJob(Concur.Job.new(() => 1)), 1);
    const error = await rejects(limiter.submitJob(new Concur.Job(), {executor: pool}));
    assert(error.matches(Concur.FutureError, Concur.FutureError.BROKEN_PROMISE));
    await until(() => limiter.available === 1);
});

const fast = properties => new Concur.Retry({firstDelay: 0, jitter: 0, ...properties});

test('retries have milliseconds, too', () => {
    const retry = new Concur.Retry({firstDelay: 20, maxDelay: 500, maxAttempts: 4});
    same([retry.firstDelay, retry.getMaxDelay(), retry.maxAttempts], [20, 500, 4]);
    same(Concur.Retry.new(2, 30).firstDelay, 30);
});

test('until it works', async () => {
    const attempts = [];
    same(await fast({maxAttempts: 5}).run(attempt => {
        attempts.push(attempt);
        if (attempt < 3)
            throw new Error('not yet');
        return {attempt};
    }), {attempt: 3});
    same(attempts, [1, 2, 3]);
    same(await fast().run(async attempt => {
        await turn();
        System.gc();
        return Concur.delay(1, attempt);
    }), 1);
    same((await fast().run(() => Concur.fileDigest(hello, GLib.ChecksumType.MD5))).length, 32);
});

test('the last error counts, and is the one that was thrown', async () => {
    const errors = [];
    const error = await rejects(fast({maxAttempts: 3}).run(attempt => {
        errors.push(new RangeError(`attempt ${attempt}`));
        throw errors.at(-1);
    }));
    same(errors.length, 3);
    assert(error === errors[2]);
});

test('a filter knows what not to try again', async () => {
    const retry = fast({maxAttempts: 10});
    const seen = [];
    retry.setFilter((error, attempt) => {
        seen.push(attempt);
        return error instanceof RangeError;
    });
    let n = 0;
    const error = await rejects(retry.run(() => {
        throw ++n < 3 ? new RangeError('again') : new TypeError('no more');
    }));
    assert(error instanceof TypeError);
    same(seen, [1, 2, 3]);
});

test('cancelling ends it', async () => {
    const begun = gate();
    const attempts = [];
    const future = fast().run(attempt => {
        attempts.push(attempt);
        begun.open();
        return new Promise(() => {});
    });
    await begun.opened;
    future.cancel();
    assert(Concur.isCancelled(await rejects(future)));
    await turn();
    same(attempts, [1]);

    const delayed = new Concur.Retry({firstDelay: 1e9}).run(() => {
        throw new Error('fails');
    });
    await turn();
    delayed.cancel();
    assert(Concur.isCancelled(await rejects(delayed)));
});

test('a retry that nobody holds goes on', async () => {
    const runs = [];
    for (let i = 0; i < 30; i++) {
        runs.push((() => {
            const retry = new Concur.Retry({firstDelay: 2, factor: 1, jitter: 0});
            retry.setFilter(() => true);
            return retry.run(attempt => {
                if (attempt < 3)
                    throw new Error('again');
                return i;
            });
        })());
        System.gc();
    }
    for (const [i, each] of runs.entries()) {
        System.gc();
        same(await each, i);
    }
});

test('attempts begin here', () => {
    const retry = fast();
    for (const executor of [Concur.Executor.getDefault(), Concur.LoopThread.dupDefault()])
        throws(() => retry.run(() => 1, {executor}), CLEAR);
    throws(() => retry.run(5), /function/);
    throws(() => retry.setFilter(null), /function/);
});

await run(() => remove(directory));
