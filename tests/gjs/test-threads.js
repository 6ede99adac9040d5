// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Each way of getting JavaScript to another thread is refused, at once and in the caller. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
import {assert, gate, makeDirectory, rejects, remove, run, same, test, throws, turn, writeFile}
    from './tap.js';
import {read, takersOfCallbacks} from './typelib.js';

const directory = makeDirectory();
const hello = writeFile(directory, 'hello', 'hello');
const pool = new Concur.ThreadExecutor({maxThreads: 2, name: 'pool'});
const thread = new Concur.LoopThread({name: 'loop'});
thread.start();
const loop = Concur.ContextExecutor.new(thread.getContext());
const never = () => {
    throw new Error('This must never run');
};
const CLEAR = /JavaScript runs on its own thread only/;

const elsewhere = {
    'a ThreadExecutor': pool,
    'the default executor': Concur.Executor.getDefault(),
    'a LoopThread': thread,
    'the pool of a LoopThread': thread.getExecutor(),
    'the default LoopThread': Concur.LoopThread.dupDefault(),
    'a ContextExecutor of a loop thread': loop,
    'a ContextExecutor of a context nobody runs yet':
        Concur.ContextExecutor.new(new GLib.MainContext()),
};

const Scripted = GObject.registerClass(class Scripted extends Concur.Job {
    vfunc_run() {
        never();
    }
});
const ScriptedHeir = GObject.registerClass(class ScriptedHeir extends Scripted {});

for (const [name, executor] of Object.entries(elsewhere)) {
    test(`functions and jobs are refused for ${name}`, () => {
        for (const attempt of [
            () => executor.submit(never),
            () => executor.submit(async () => never()),
            () => executor.submit(never, {name: 'x'}),
            () => executor.post(never),
            () => executor.mapRange(2, 1, never),
            () => executor.map_range(2, 1, never),
            () => executor.submitJob(Concur.Job.new(never)),
            () => executor.submit_job(new Scripted(), null),
            () => executor.submitJob(new ScriptedHeir()),
        ])
            throws(attempt, CLEAR);
    });

    test(`continuations are refused for ${name}`, () => {
        for (const method of ['continueWith', 'continue_with', 'recover', 'ensure']) {
            const future = Concur.Future.resolved(1);
            throws(() => future[method](never, executor), CLEAR);
            throws(() => future[method](never, {executor}), CLEAR);
        }
    });
}

test('a refused job can still run here', async () => {
    const job = Concur.Job.new(() => 'here');
    throws(() => pool.submitJob(job), CLEAR);
    same(await Concur.ContextExecutor.main().submitJob(job), 'here');
});

test('a loop thread takes no JavaScript at all', () => {
    throws(() => thread.call(never), CLEAR);
    throws(() => thread.addTask(never), CLEAR);
    throws(() => thread.add_task(never), CLEAR);
});

test('callbacks are refused for a context of another thread', () => {
    const future = Concur.Future.resolved(1);
    throws(() => future.whenDone(never, thread.getContext()), CLEAR);
    throws(() => future.when_done(never, thread.context), CLEAR);
    throws(() => future.iterate(0, thread.getContext()), CLEAR);
    future.whenDone(() => {}, GLib.MainContext.default());
    same(future.iterate(0, GLib.MainContext.default()), true);
});

test('direct callbacks and the life of a pool\'s thread are not for JavaScript', () => {
    throws(() => Concur.Future.resolved(1).addDirectCallback(never), CLEAR);
    throws(() => Concur.Future.resolved(1).add_direct_callback(never), CLEAR);
    throws(() => pool.runNext(), CLEAR);
    throws(() => pool.run_next(), CLEAR);
    throws(() => new Concur.ProcessExecutor({module: import.meta.url}).setThreadFunc(never), CLEAR);
});

test('the functions of threads cannot be overridden', () => {
    throws(() => GObject.registerClass(class MyPool extends Concur.ThreadExecutor {
        vfunc_thread_main() {}
    }), CLEAR);
    throws(() => GObject.registerClass(class MyLoop extends Concur.LoopThread {
        vfunc_run_loop() {}
    }), CLEAR);
    throws(() => GObject.registerClass(class MyQuit extends Concur.LoopThread {
        vfunc_quit_loop() {}
    }), CLEAR);
    throws(() => GObject.registerClass(class MyDone extends Concur.Job {
        vfunc_done() {}
    }), CLEAR);
    throws(() => GObject.registerClass(class MyRelease extends Concur.Job {
        vfunc_release() {}
    }), CLEAR);
    throws(() => new Concur.Job().watch(), CLEAR);
    const Plain = GObject.registerClass(class Plain extends Concur.ThreadExecutor {});
    throws(() => GObject.registerClass(class Heir extends Plain {
        vfunc_thread_main() {}
    }), CLEAR);
});

test('nor in the old way of making classes', () => {
    const {Lang} = {Lang: imports.lang};
    throws(() => {
        const Old = new Lang.Class({
            Name: 'OldPool',
            Extends: Concur.ThreadExecutor,
            vfunc_thread_main() {},
        });
        return new Old();
    }, CLEAR);
    const OldJob = new Lang.Class({Name: 'OldJob', Extends: Concur.Job, vfunc_run: never});
    throws(() => pool.submitJob(new OldJob()), CLEAR);
});

test('other subclasses work', async () => {
    const Plain = GObject.registerClass(class PlainPool extends Concur.ThreadExecutor {});
    const executor = new Plain({maxThreads: 1});
    same(executor.maxThreads, 1);
    same((await Concur.fileDigest(hello, GLib.ChecksumType.MD5, {executor})).length, 32);
    throws(() => executor.submit(never), CLEAR);
});

test('deriving from a final class is an error, not the end of the program', () => {
    for (const name of ['Batch', 'Batcher', 'BatcherJob', 'Channel', 'ContextExecutor', 'Limiter',
        'Promise', 'Retry', 'Snapshot', 'TaskGroup']) {
        throws(() => GObject.registerClass({GTypeName: `Derived${name}`},
            class extends Concur[name] {}), /final/);
    }
});

test('a job without vfunc_run is not taken for one in JavaScript', async () => {
    for (const executor of [Concur.Executor.getDefault(), Concur.ContextExecutor.main()]) {
        // eslint-disable-next-line no-await-in-loop
        const error = await rejects(executor.submitJob(new Concur.Job()));
        assert(error.matches(Concur.FutureError, Concur.FutureError.BROKEN_PROMISE));
    }
});

test('signals of what was not made here are refused', () => {
    for (const foreign of [Concur.LoopThread.dupDefault(), Concur.Executor.getDefault(),
        thread.getExecutor()]) {
        throws(() => foreign.connect('notify', never), CLEAR);
        throws(() => foreign.connect_after('notify', never), CLEAR);
    }
    throws(() => Concur.LoopThread.dupDefault().connect('stopped', never), CLEAR);
    const target = new Gio.SimpleAction({name: 'x'});
    throws(() => Concur.LoopThread.dupDefault().bind_property('name', target, 'name', 0), CLEAR);
});

test('signals of what was made here come here', async () => {
    const mine = new Concur.LoopThread({name: 'mine'});
    const log = [];
    for (const signal of ['started', 'stopping', 'stopped'])
        mine.connect(signal, () => log.push(signal));
    mine.start();
    await mine.stopAsync();
    while (log.length < 3)
        // eslint-disable-next-line no-await-in-loop
        await turn();
    same(log, ['started', 'stopping', 'stopped']);

    const held = new Concur.ThreadExecutor({maxThreads: 1, paused: true});
    const notified = gate();
    held.connect('notify::paused', notified.open);
    held.paused = false;
    await notified.opened;
});

test('native jobs work wherever JavaScript is refused', async () => {
    for (const name of ['a ThreadExecutor', 'the default executor', 'a LoopThread',
        'the pool of a LoopThread', 'the default LoopThread',
        'a ContextExecutor of a loop thread']) {
        const executor = elsewhere[name];
        // eslint-disable-next-line no-await-in-loop
        same((await Concur.fileDigest(hello, GLib.ChecksumType.SHA256, {executor})).length, 64);
        // eslint-disable-next-line no-await-in-loop
        const bytes = await Concur.fileLoadBytes(hello, {executor});
        same(bytes.get_size(), 5);
    }
});

test('a private context lives as long as functions that are to run in it', async () => {
    const go = new Concur.Promise();
    const future = Concur.fileDigest(hello);
    (() => {
        const context = new GLib.MainContext();
        context.push_thread_default();
        future.whenDone(never);
        go.future.continueWith(never).ignore();
        context.pop_thread_default();
    })();
    await future;
    imports.system.gc();
    await turn();
    imports.system.gc();
    go.resolve();
    await turn();
});

/* Whatever takes a function is looked after here: either it calls back in the main context by
 * the library's own rules, or a test above shows that it is refused elsewhere. */
const LOOKED_AFTER = {
    'Batcher.new': 'refused',
    'Batcher.set_func': 'of an executor that runs here',
    'Channel.bind_list_store': 'main context of the caller',
    'Channel.for_each': 'refused',
    'Channel.receive_async': 'main context',
    'Channel.send_async': 'main context',
    'Executor.generate': 'refused',
    'Executor.map_range': 'refused',
    'Executor.post': 'refused',
    'Executor.submit': 'refused',
    'Future.add_direct_callback': 'refused',
    'Future.continue_with': 'refused',
    'Future.ensure': 'refused',
    'Future.recover': 'refused',
    'Future.wait_async': 'main context',
    'Future.when_done': 'refused',
    'Job.new': 'refused when submitted',
    'Limiter.acquire_async': 'main context',
    'Limiter.submit': 'refused',
    'LoopThread.add_task': 'refused',
    'LoopThread.call': 'refused',
    'LoopThread.stop_async': 'main context',
    'ProcessExecutor.set_thread_func': 'refused',
    'Retry.run': 'refused',
    'Retry.set_filter': 'main context of the attempts',
    'TaskGroup.submit': 'refused',
    'TaskGroup.when_done': 'refused',
    'worker_run': 'called before it returns',
};

test('every function of the typelib that takes a function is looked after', () => {
    const found = takersOfCallbacks(Concur);
    assert(found.length >= 13, `${found.length} found`);

    for (const {what, callbacks, function: present} of found) {
        assert(what in LOOKED_AFTER, `${what}() takes a function and nobody looks after it`);
        assert(!/native symbol/.test(`${present}`), `${what}() is as introspected`);
        if (LOOKED_AFTER[what] === 'main context')
            same(callbacks, ['AsyncReadyCallback']);
    }
    const known = found.map(({what}) => what);
    for (const what of Object.keys(LOOKED_AFTER))
        assert(known.includes(what), `${what}() does not take a function`);
});

test('every vfunc of the typelib is looked after', () => {
    /* Those of Executor and Job run where they are called, which the tests above see to; the
     * others are refused. */
    const vfuncs = ['Executor.execute', 'Executor.shutdown', 'Job.done', 'Job.release', 'Job.run',
        'LoopThread.quit_loop', 'LoopThread.run_loop', 'ThreadExecutor.thread_main'];
    same(vfuncsThereAre(), vfuncs);
});

function vfuncsThereAre() {
    return Object.entries(read().classes)
        .flatMap(([name, {vfuncs}]) => vfuncs.map(vfunc => `${name}.${vfunc}`))
        .sort();
}

test('nothing was run', async () => {
    await rejects(Concur.Future.rejected(new Error('only this')));
    await thread.stopAsync();
    same(thread.state, Concur.LoopState.STOPPED);
});

await run(() => remove(directory));
