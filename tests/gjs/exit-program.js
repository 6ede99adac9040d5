// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Ends with everything going on; how it ends is its argument. For test-exit.js. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';

const [how, path] = System.programArgs;
const endless = Gio.File.new_for_path(path);
const pool = new Concur.ThreadExecutor({maxThreads: 2});
const thread = new Concur.LoopThread({name: 'live'});
thread.start();

const works = [pool, pool, pool, thread.getExecutor(), Concur.Executor.getDefault()]
    .map(executor => Concur.fileDigest(endless, GLib.ChecksumType.SHA256, {executor}));
globalThis.kept = [
    pool,
    Concur.Future.all(works).continueWith(() => 1),
    Concur.Future.from(new Promise(() => {})),
    Concur.Future.from(job => job.getCancellable() && new Promise(() => {})),
    Concur.Future.resolved({own: ['value']}),
    works[0].withTimeout(1e6).ensure(() => {}),
    Concur.delay(1e6),
];
works[1].whenDone(() => {});
works[0].then(() => {}, () => {});

/* Three of them run, and tell of it. */
await Promise.all([works[0], works[1], works[3]].map(work =>
    new Promise(resolve => work.connect('notify::progress', () => resolve()))));
print('running');

switch (how) {
case 'exit':
    System.exit(0);
    break;
case 'cancel':
    for (const work of works)
        work.cancel();
    break;
case 'collect':
    globalThis.kept = works.length = 0;
    System.gc();
    break;
case 'status':
    System.exit(7);
    break;
default:
}
