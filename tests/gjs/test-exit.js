// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* A program that ends with work running ends cleanly, 100 times. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {makeDirectory, makeEndlessFile, remove, run, same, test} from './tap.js';

Gio._promisify(Gio.Subprocess.prototype, 'communicate_utf8_async', 'communicate_utf8_finish');

const directory = makeDirectory();
const endless = makeEndlessFile(directory);
const [here] = GLib.filename_from_uri(import.meta.url);
const program = GLib.build_filenamev([GLib.path_get_dirname(here), 'exit-program.js']);
const TIMES = 20;
const AT_ONCE = 4;

async function once(how, status) {
    const process = Gio.Subprocess.new(['gjs', '-m', program, how, endless.get_path()],
        Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
    const [output, errors] = await process.communicate_utf8_async(null, null);

    same(process.get_if_exited(), true, `killed by signal: ${errors}`);
    same(process.get_exit_status(), status, errors);
    same(output, 'running\n', errors);
    /* What nobody looked at may be told of; nothing else may be said. */
    const said = errors.split('\n').filter(line => line && !/Nobody looked at/.test(line));
    same(said, [], how);
}

for (const [how, status] of [['end', 0], ['exit', 0], ['cancel', 0], ['collect', 0],
    ['status', 7]]) {
    test(`${TIMES} times: ${how}`, async () => {
        for (let i = 0; i < TIMES; i += AT_ONCE)
            // eslint-disable-next-line no-await-in-loop
            await Promise.all(Array.from({length: AT_ONCE}, () => once(how, status)));
    });
}

await run(() => remove(directory));
