// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* The same with imports.gi, in a script without modules. */

const {Concur, Gio, GLib} = imports.gi;
const system = imports.system;

let status = 0;
const loop = GLib.MainLoop.new(null, false);
const file = Gio.File.new_for_path(system.programInvocationName);

/* Relative to this file, wherever the program was started from. */
import(`file://${GLib.path_get_dirname(system.programPath)}/tap.js`).then(async tap => {
    const {assert, rejects, run, same, test, throws} = tap;

    test('a future made before any loop ran is notified in the main context', async () => {
        assert(await early.seen);
    });

    test('await, values and errors', async () => {
        const digest = await Concur.fileDigest(file);
        same(digest.length, 64);
        same(await Concur.Future.all([1, Promise.resolve([2])]), [1, [2]]);
        const error = new TypeError('mine');
        same(await rejects(Concur.Future.from(async () => {
            throw error;
        })), error);
        const gerror = await rejects(Concur.fileDigest(file.get_child('nothing')));
        assert(gerror.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND) ||
            gerror.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_DIRECTORY));
    });

    test('refusals', () => {
        throws(() => Concur.Executor.getDefault().submit(() => 1), /its own thread only/);
        throws(() => new Concur.Promise(() => 1), /Concur\.Future\.from/);
    });

    test('a blocking wait', () => {
        same(Concur.fileDigest(file).result(60000).length, 64);
    });

    /* In a script without modules nothing can exit from inside the loop. */
    await run(null, code => (status = code));
}).catch(error => {
    print(`Bail out! ${error}`);
    status = 1;
}).finally(() => loop.quit());

/* It ends only after somebody has connected, and before the loop runs. */
const executor = new Concur.ThreadExecutor({maxThreads: 1, paused: true});
const early = Concur.fileDigest(file, GLib.ChecksumType.SHA256, {executor});
early.seen = new Promise(resolve => early.connect('notify::state', () => resolve(true)));
executor.paused = false;
early.wait();

loop.run();
system.exit(status);
