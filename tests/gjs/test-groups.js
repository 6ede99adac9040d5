// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Task groups. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GObject from 'gi://GObject';
import System from 'system';
import {assert, gate, rejects, run, same, test, throws, turn, until} from './tap.js';

const HOUR = 3600 * 1000;
const CLEAR = /JavaScript runs on its own thread only/;

async function settle() {
    for (let i = 0; i < 5; i++)
        await turn();
}

test('all results, in the order of the members', async () => {
    const group = new Concur.TaskGroup();
    const first = group.submit(() => Concur.delay(5, 'slow'));
    assert(group.add(Promise.resolve({a: 1})));
    assert(group.add(Concur.delay(1, 'delay')));
    group.submit(async () => 'async', {name: 'named'});
    same(group.nMembers, 4);
    same(await group.close(), ['slow', {a: 1}, 'delay', 'async']);
    same(await first, 'slow');
    same(group.nRunning, 0);
    same(await new Concur.TaskGroup().close(), []);
});

test('the first error cancels the rest and is that of the group', async () => {
    const group = new Concur.TaskGroup();
    const mine = new RangeError('mine');
    const other = group.submit(() => Concur.delay(HOUR));
    group.submit(async () => {
        throw mine;
    });
    assert(await rejects(group.close()) === mine);
    assert(Concur.isCancelled(await rejects(other)));
    assert(group.isCancelled());
});

test('or all outcomes are collected', async () => {
    const group = new Concur.TaskGroup({policy: Concur.GroupPolicy.COLLECT});
    const mine = new RangeError('mine');
    group.add(Promise.reject(mine));
    group.add(Concur.delay(1, 'value'));
    const [a, b] = await group.close();
    assert(a.status === 'rejected' && a.reason === mine);
    same(b, {status: 'fulfilled', value: 'value'});

    const fine = new Concur.TaskGroup({policy: Concur.GroupPolicy.COLLECT});
    fine.add(Concur.delay(1, 1));
    same(await fine.close(), [{status: 'fulfilled', value: 1}]);
});

test('cancelling, from the group and from outside', async () => {
    const cancellable = new Gio.Cancellable();
    for (const cancel of [group => group.cancel(), () => cancellable.cancel()]) {
        const group = new Concur.TaskGroup({cancellable});
        const member = group.submit(() => Concur.delay(HOUR));
        await turn();
        cancel(group);
        assert(group.isCancelled());
        assert(Concur.isCancelled(await rejects(member)));
        assert(Concur.isCancelled(await rejects(group.submit(() => 1))));
    }
});

test('nested groups', async () => {
    const outer = new Concur.TaskGroup();
    const inner = new Concur.TaskGroup({parent: outer});
    inner.submit(() => Concur.delay(1, 'inner'));
    outer.submit(() => 'outer');
    same(await inner.close(), ['inner']);
    await outer.close();

    const failing = new Concur.TaskGroup();
    const child = new Concur.TaskGroup({parent: failing});
    child.add(Promise.reject(new Error('fails')));
    child.close().ignore();
    same((await rejects(failing.close())).message, 'fails');
});

test('what starts with enable ends with disable', async () => {
    const log = [];

    class Extension {
        enable() {
            this.group = new Concur.TaskGroup();
            for (let i = 0; i < 3; i++) {
                const future = this.group.submit(() => Concur.delay(i, i));
                this.group.whenDone(future, () => log.push(this.group ? 'enabled' : 'disabled'));
            }
        }

        disable() {
            this.group.cancelSilently();
            this.group = null;
        }
    }

    const extension = new Extension();
    for (let round = 0; round < 100; round++) {
        extension.enable();
        for (let turns = round % 4; turns > 0; turns--)
            await turn();
        System.gc();
        extension.disable();
    }
    await settle();
    assert(!log.includes('disabled'));

    extension.enable();
    while (log.length < 3)
        await turn();
    extension.disable();
});

test('bound to an object', async () => {
    const Owner = GObject.registerClass(class GroupOwner extends GObject.Object {});
    const group = new Concur.TaskGroup();
    let called = false;
    const member = group.submit(() => Concur.delay(HOUR));
    group.whenDone(member, () => (called = true));
    const owner = new Owner();
    group.bind(owner);
    owner.run_dispose();
    assert(group.isCancelled());
    assert(Concur.isCancelled(await rejects(member)));
    await settle();
    assert(!called);
});

test('a group that nobody holds goes on', async () => {
    const results = [];
    const go = gate();
    for (let i = 0; i < 30; i++) {
        results.push((() => new Concur.TaskGroup().submit(() => go.opened.then(() => i)))());
        System.gc();
    }
    await turn();
    System.gc();
    go.open();
    for (const [i, result] of results.entries())
        same(await result, i);
});

test('callbacks of a group that nobody holds are called', async () => {
    const promise = new Concur.Promise();
    const future = promise.getFuture();
    const seen = [];
    for (let i = 0; i < 30; i++)
        (() => new Concur.TaskGroup().whenDone(future, () => seen.push(i)))();
    await settle();
    System.gc();
    await settle();
    System.gc();
    promise.resolve(1);
    await until(() => seen.length === 30);
    same(seen, Array.from({length: 30}, (_, i) => i));
});

test('functions run here only', () => {
    const pool = new Concur.ThreadExecutor({maxThreads: 1});
    const group = new Concur.TaskGroup({executor: pool});
    throws(() => group.submit(() => 1), CLEAR);
    throws(() => group.submitJob(Concur.Job.new(() => 1)), CLEAR);
    throws(() => group.submitJob(1), /needs a job/);
    throws(() => group.add(() => 1), /submit/);
    throws(() => group.whenDone(1, () => 1), /future/);
    throws(() => group.whenDone(Concur.delay(0), 1), /function/);
    group.cancel();
});

await run();
