// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* A program that ends with work running ends cleanly, 100 times. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {makeDirectory, makeEndlessFile, remove, run, same, test, until} from './tap.js';

Gio._promisify(Gio.Subprocess.prototype, 'communicate_utf8_async', 'communicate_utf8_finish');

const directory = makeDirectory();
const endless = makeEndlessFile(directory);
const [here] = GLib.filename_from_uri(import.meta.url);
const TIMES = 20;
const AT_ONCE = 4;

async function end(file, how, status) {
    const process = Gio.Subprocess.new(
        ['gjs', '-m', GLib.build_filenamev([GLib.path_get_dirname(here), file]), how, endless.get_path()],
        Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
    const [output, errors] = await process.communicate_utf8_async(null, null);

    same(process.get_if_exited(), true, `killed by signal: ${errors}`);
    same(process.get_exit_status(), status, errors);
    /* What nobody looked at may be told of; nothing else may be said. */
    const said = errors.split('\n').filter(line => line && !/Nobody looked at/.test(line));
    same(said, [], how);
    return output;
}

async function several(times, once) {
    for (let i = 0; i < times; i += AT_ONCE)
        // eslint-disable-next-line no-await-in-loop
        await Promise.all(Array.from({length: AT_ONCE}, once));
}

for (const [how, status] of [['end', 0], ['exit', 0], ['cancel', 0], ['collect', 0],
    ['status', 7]]) {
    test(`${TIMES} times: ${how}`, () => several(TIMES, async () => {
        same(await end('exit-program.js', how, status), 'running\n');
    }));
}

/* Of one that nobody has asked for its status yet the number is left, but no program. */
function isRunning(pid) {
    try {
        return GLib.file_get_contents(`/proc/${pid}/cmdline`)[1].length > 0;
    } catch {
        return false;
    }
}

for (const [how, status] of [['end', 0], ['exit', 0], ['cancel', 0], ['collect', 0],
    ['shutdown', 0], ['status', 7]]) {
    test(`worker processes: ${how}`, () => several(AT_ONCE, async () => {
        const pids = (await end('exit-processes.js', how, status)).trim().split(' ');

        same(pids.length, 3);
        await until(() => !pids.some(isRunning));
    }));
}

await run(() => remove(directory));
