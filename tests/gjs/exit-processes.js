// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Ends with worker processes at work; how it ends is its argument. For test-exit.js. */

import Concur from 'gi://Concur';
import System from 'system';

const [how] = System.programArgs;
const pool = new Concur.ProcessExecutor({
    module: import.meta.url.replace('exit-processes', 'worker-functions'),
    maxWorkers: 3,
});
const calls = ['forEver', 'untilCancelled', 'forEver', 'forEver'].map(name => pool.call(name));
const numbers = pool.stream('count', [1e9]);
globalThis.kept = [pool, calls, numbers];

/* The first three have a worker, the others wait. */
await Promise.all(calls.slice(0, 3).map(call =>
    new Promise(resolve => call.connect('notify::status-text', () => resolve()))));
print(pool.dup_pids().join(' '));

switch (how) {
case 'exit':
    System.exit(0);
    break;
case 'cancel':
    for (const call of calls)
        call.cancel();
    break;
case 'collect':
    globalThis.kept = calls.length = 0;
    System.gc();
    break;
case 'shutdown':
    pool.shutdown();
    break;
case 'status':
    System.exit(7);
    break;
default:
}
