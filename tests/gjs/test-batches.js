// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Batchers, generators of executors, futures as they get done. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import System from 'system';
import {assert, rejects, run, same, test, throws, turn} from './tap.js';

const CLEAR = /JavaScript runs on its own thread only/;
const HOUR = 3600 * 1000;

test('calls that come together are answered together', async () => {
    const batches = [];
    const batcher = Concur.Batcher.new(args => {
        batches.push(args);
        return args.map(arg => ({arg}));
    }, {leeway: HOUR, maxCount: 3});

    same([batcher.leeway, batcher.maxCount], [HOUR, 3]);
    same(await Promise.all(['a', {b: 1}, undefined].map(arg => batcher.call(arg))),
        [{arg: 'a'}, {arg: {b: 1}}, {arg: null}]);
    same(batches.length, 1);

    const waiting = batcher.call('x');
    same(batcher.waiting, 1);
    batcher.flush();
    same(await waiting, {arg: 'x'});
    same(batches[1], ['x']);
});

test('after a while a batch begins with what there is', async () => {
    const batcher = Concur.Batcher.new(args => args, {leeway: 1});
    same(await Promise.all([batcher.call(1), batcher.call(2)]), [1, 2]);
});

test('answers may be waited for, and fail one by one', async () => {
    const mine = new RangeError('mine');
    const other = new TypeError('other');
    const batcher = Concur.Batcher.new(async args => {
        await turn();
        System.gc();
        return args.map(async arg => {
            await turn();
            if (arg instanceof Error)
                throw arg;
            return arg;
        });
    }, {leeway: 1, maxCount: 4});
    const outcomes = await Promise.allSettled([1, mine, other, Concur.delay(1, 2)].map(arg =>
        batcher.call(arg)));

    same(outcomes[0].value, 1);
    assert(outcomes[1].reason === mine);
    assert(outcomes[2].reason === other);
    same(outcomes[3].value, 2);
});

test('an error of the function is that of each call', async () => {
    const mine = new Error('mine');
    const batcher = Concur.Batcher.new(() => {
        throw mine;
    }, {leeway: HOUR, maxCount: 2});
    for (const outcome of await Promise.allSettled([batcher.call(1), batcher.call(2)]))
        assert(outcome.reason === mine);

    const wrong = Concur.Batcher.new(() => [1], {leeway: HOUR, maxCount: 2});
    for (const outcome of await Promise.allSettled([wrong.call(1), wrong.call(2)]))
        assert(/array of 2 answers/.test(outcome.reason.message));
});

test('a cancelled call is not in the batch', async () => {
    const batcher = Concur.Batcher.new(args => args, {leeway: HOUR, maxCount: 2});
    const cancellable = new Gio.Cancellable();
    const first = batcher.call(1);
    const second = batcher.call(2, {cancellable});
    await second;
    await first;
    const third = batcher.call(3);
    assert(third.cancel());
    const rest = [batcher.call(4), batcher.call(5)];
    same(await Promise.all(rest), [4, 5]);
    assert(Concur.isCancelled(await rejects(third)));
});

test('a batcher that nobody holds answers', async () => {
    const calls = [];
    for (let i = 0; i < 30; i++) {
        calls.push((() => Concur.Batcher.new(args => args, {leeway: 1}).call(i))());
        System.gc();
    }
    for (const [i, call] of calls.entries())
        same(await call, i);
});

test('functions run here only', () => {
    const pool = new Concur.ThreadExecutor({maxThreads: 1});
    throws(() => Concur.Batcher.new(args => args, {executor: pool}), CLEAR);
    throws(() => new Concur.Batcher({executor: pool}), CLEAR);
    throws(() => Concur.Batcher.new(5), /function/);
    for (const executor of [pool, Concur.Executor.getDefault(), Concur.LoopThread.dupDefault()])
        throws(() => executor.generate(() => {}), CLEAR);
});

test('a generator for an executor', async () => {
    const values = [];
    for await (const value of Concur.ContextExecutor.main().generate(function* () {
        yield 1;
        yield {two: 2};
    }, {capacity: 1}))
        values.push(value);
    same(values, [1, {two: 2}]);
});

test('futures as they get done', async () => {
    const slow = new Concur.Promise();
    const futures = [slow.future, Concur.delay(1, 'soon'), 'now'];
    const values = [];
    for await (const future of Concur.Future.asCompleted([...futures, futures[0]])) {
        values.push(future.getValue());
        if (values.length === 2)
            slow.resolve('late');
    }
    same(values, ['now', 'soon', 'late']);
});

await run();
