// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* JavaScript run by executors of the main context. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import {assert, gate, makeDirectory, makeEndlessFile, rejects, remove, run, same, test, throws,
    turn, until, writeFile} from './tap.js';

const directory = makeDirectory();
const endless = makeEndlessFile(directory);
const hello = writeFile(directory, 'hello', 'hello');
const main = Concur.ContextExecutor.main();

test('there is one executor for the main context', () => {
    same(Concur.ContextExecutor.main(), main);
    assert(main instanceof Concur.ContextExecutor);
});

test('submit runs a function in a later turn; its return is the answer', async () => {
    let ran = false;
    const future = main.submit(job => {
        ran = true;
        assert(job instanceof Concur.Job);
        return {job: job === future};
    });
    same(ran, false);
    same(await future, {job: true});
});

test('submit of an async function answers when its promise does', async () => {
    const go = gate();
    const future = main.submit(async () => {
        const value = await go.opened;
        return [value];
    });
    await turn();
    same(future.state, Concur.FutureState.RUNNING);
    go.open('now');
    same(await future, ['now']);
});

test('options: name, priority, cancellable', async () => {
    const cancellable = new Gio.Cancellable();
    const future = main.submit(() => 1,
        {name: 'named', priority: Concur.Priority.LOW, cancellable});
    same([future.name, future.priority], ['named', Concur.Priority.LOW]);
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(future)));
    assert(Concur.isCancelled(await rejects(main.submit(() => 1, cancellable))));
    throws(() => main.submit(() => 1, {cancelable: null}), /cancelable.*cancellable/s);
    throws(() => main.submit('code'), /function/);
});

test('a job answers by itself, now or later', async () => {
    same(await main.submit(job => job.returnString('typed')), 'typed');
    let held;
    const future = main.submit(job => {
        job.hold();
        held = job;
    });
    await until(() => held);
    same(future.isDone(), false);
    held.returnValue({later: true});
    same(await future, {later: true});
});

test('progress and status text of a JavaScript job', async () => {
    const go = gate();
    const future = main.submit(async job => {
        job.setProgress(0.5);
        job.setStatusText('half');
        await go.opened;
    });
    const seen = new Promise(resolve => future.connect('notify::progress',
        object => resolve([object.progress, object.statusText])));
    same(await seen, [0.5, 'half']);
    go.open();
    same(await future, null);
});

test('its own answer wins after it was cancelled', async () => {
    const begun = gate();
    const go = gate();
    const future = main.submit(async job => {
        begun.open();
        await go.opened;
        same(job.isCancelled(), true);
        assert(Concur.isCancelled(throws(() => job.checkCancelled())));
        return 'all the same';
    });
    await begun.opened;
    future.cancel();
    go.open();
    same(await future, 'all the same');
});

test('the cancellable of a job stops GIO operations, and tells handlers here', async () => {
    const begun = gate();
    let told = 0;
    const future = main.submit(async job => {
        const cancellable = job.getCancellable();
        same(job.get_cancellable(), cancellable);
        cancellable.connect(() => told++);
        begun.open();
        await Concur.fileDigest(endless, GLib.ChecksumType.SHA256, {cancellable});
    });
    await begun.opened;
    future.cancel();
    assert(Concur.isCancelled(await rejects(future)));
    same(told, 1);
});

test('it follows a parent that was cancelled', async () => {
    const parent = new Gio.Cancellable();
    const begun = gate();
    const future = main.submit(job => new Promise((_, reject) => {
        job.getCancellable().connect(() => reject(new Error('told')));
        begun.open();
    }), {cancellable: parent});
    await begun.opened;
    parent.cancel();
    same((await rejects(future)).message, 'told');
    const again = main.submit(job => job.getCancellable().is_cancelled());
    same(await again, false);
});

test('a job of a native pool has a cancellable that tells here, too', async () => {
    const job = Concur.fileDigest(endless);
    const told = new Promise(resolve => job.getCancellable().connect(resolve));
    await until(() => job.state === Concur.FutureState.RUNNING);
    job.cancel();
    await told;
    assert(Concur.isCancelled(await rejects(job)));
});

const Sum = GObject.registerClass({
    Properties: {
        'step': GObject.ParamSpec.int('step', '', '', GObject.ParamFlags.READWRITE, 0, 100, 1),
    },
}, class Sum extends Concur.Job {
    constructor(numbers) {
        super({step: 2});
        this.numbers = numbers;
    }

    vfunc_run() {
        return this.numbers.reduce((sum, n) => sum + n * this.step, 0);
    }
});

test('a subclass of Job runs its vfunc_run in the main context', async () => {
    const job = new Sum([1, 2, 3]);
    same(main.submitJob(job), job);
    same(await job, 12);
});

test('vfunc_run may answer by itself, throw, or be async', async () => {
    const Answering = GObject.registerClass(class Answering extends Concur.Job {
        vfunc_run() {
            this.returnInt64(3);
            return true;
        }
    });
    const Throwing = GObject.registerClass(class Throwing extends Concur.Job {
        vfunc_run() {
            throw this.error;
        }
    });
    const Async = GObject.registerClass(class Async extends Concur.Job {
        async vfunc_run() {
            await Concur.delay(1);
            return 'slow';
        }
    });
    same(await main.submitJob(new Answering()), 3);
    const throwing = new Throwing();
    throwing.error = new Error('mine');
    same(await rejects(main.submitJob(throwing)), throwing.error);
    same(await main.submitJob(new Async()), 'slow');
});

test('Job.new makes a job to be submitted', async () => {
    const job = Concur.Job.new(() => 'made', {name: 'by hand', priority: Concur.Priority.HIGH});
    same([job.name, job.priority], ['by hand', Concur.Priority.HIGH]);
    same(await main.submitJob(job), 'made');
    throws(() => new Concur.Job(() => 1), /Concur\.Job\.new/);
    throws(() => Concur.Job.new(), /function/);
});

test('post runs without a future, in order', async () => {
    const order = [];
    for (let i = 0; i < 5; i++)
        same(main.post(() => order.push(i)), true);
    same(order, []);
    await main.submit(() => {});
    same(order, [0, 1, 2, 3, 4]);
});

test('a job is submitted once', async () => {
    const job = Concur.Job.new(() => 1);
    same(await main.submitJob(job), 1);
    throws(() => main.submitJob(job), /already/);
    for (const other of [undefined, null, {}, () => 1])
        throws(() => main.submitJob(other), /^TypeError: submitJob/);
});

test('an answer that cannot be is the error', async () => {
    for (const fn of [
        job => job,
        job => job.returnFuture(job),
        job => job.returnFuture(),
        job => job.returnInt64(Symbol('no number')),
        job => job.returnObject({}),
    ])
        // eslint-disable-next-line no-await-in-loop
        assert(await rejects(main.submit(fn)) instanceof TypeError, `${fn}`);
    const itself = main.submit(() => 1).continueWith(() => itself);
    assert(await rejects(itself) instanceof TypeError);
    /* A job that caught it may still answer. */
    same(await main.submit(job => {
        throws(() => job.returnFuture(null), /future/);
        return 'another';
    }), 'another');
});

test('mapRange fills a batch', async () => {
    const batch = await main.mapRange(10, 3, (into, first, n) => {
        for (let i = first; i < first + n; i++)
            into.setInt64(i, i * i);
    });
    assert(batch instanceof Concur.Batch);
    same(batch.getNItems(), 10);
    same(Array.from({length: 10}, (_, i) => batch.getInt64(i)),
        [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
    const error = new Error('in the middle');
    same(await rejects(main.mapRange(4, 1, () => {
        throw error;
    })), error);
    for (const size of [undefined, null, NaN, '3', -1, 0.5, {}]) {
        throws(() => main.mapRange(size, 1, () => {}), /^TypeError: .*whole number/);
        throws(() => main.mapRange(3, size, () => {}), /^TypeError: .*whole number/);
    }
});

test('shutdown drains', async () => {
    const executor = Concur.ContextExecutor.new();
    const last = executor.submit(() => 'last');
    const ended = executor.shutdown();
    same(await last, 'last');
    await ended;
    const error = await rejects(executor.submit(() => 1));
    assert(error.matches(Concur.ExecutorError, Concur.ExecutorError.SHUT_DOWN));
});

const OneAtATime = GObject.registerClass({
    Implements: [Concur.Executor],
}, class OneAtATime extends GObject.Object {
    constructor() {
        super();
        this.queue = [];
    }

    vfunc_execute(job) {
        this.queue.push(job);
        if (this.queue.length === 1)
            this.next();
    }

    next() {
        const job = this.queue[0];
        job.whenDone(() => {
            this.queue.shift();
            if (this.queue.length)
                this.next();
        });
        main.post(() => job.execute());
    }

    vfunc_shutdown(_mode) {
        return Concur.Future.resolved('down');
    }
});

test('an executor written in JavaScript', async () => {
    const executor = new OneAtATime();
    const log = [];
    const work = i => executor.submit(async () => {
        log.push(`begin ${i}`);
        await Concur.delay(1);
        log.push(`end ${i}`);
        return i;
    });
    same(await Concur.Future.all([work(1), work(2), work(3)]), [1, 2, 3]);
    same(log, ['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
    same(await executor.shutdown(), 'down');
});

test('it may run native jobs, too', async () => {
    const Inline = GObject.registerClass({
        Implements: [Concur.Executor],
    }, class Inline extends GObject.Object {
        vfunc_execute(job) {
            job.execute();
        }
    });
    const executor = new Inline();
    const future = Concur.fileDigest(hello, GLib.ChecksumType.MD5, {executor});
    same(future.isDone(), true);
    same(await future, '5d41402abc4b2a76b9719d911017c592');
    same(await executor.submit(() => 'inline'), 'inline');
    const error = await rejects(executor.shutdown());
    assert(error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_SUPPORTED));
});

await run(() => remove(directory));
