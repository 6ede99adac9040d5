// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Runs every piece of JavaScript of doc/javascript.md as a program. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {assert, makeDirectory, remove, run, same, test, writeFile} from './tap.js';

const [here] = GLib.filename_from_uri(import.meta.url);
const page = Gio.File.new_for_path(GLib.build_filenamev([GLib.path_get_dirname(here), '..', '..',
    'doc', 'javascript.md']));
const [, contents] = page.load_contents(null);
const text = new TextDecoder().decode(contents);
const pieces = [...text.matchAll(/^```js\n([^]*?)^```$/gm)].map(match => match[1]);
const directory = makeDirectory();

/* What the first piece of the page imports, the others take for granted. */
const PRELUDE = `import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';
const file = Gio.File.new_for_path('/etc/passwd');
`;

const SAID = [
    /^[0-9a-f]{64}\n$/,
    /^A JavaScript function cannot be run by this ThreadExecutor.* own thread only/,
    /^not there\n$/,
    /^([01](\.\d+)?\n)*$/,
    /^later value 2\n$/,
    /^value\n$/,
    /^tomorrow\n$/,
    /^(cleared up\n)?true\n$/,
    /^2\n$/,
    /^1\n4\n9\n$/,
    /^first,second\n$/,
    /^1,2,3\n2,4\n$/,
];

test('there is something to expect of each piece', () => {
    same(pieces.length, SAID.length);
});

pieces.forEach((piece, i) => {
    test(`piece ${i + 1}: ${piece.split('\n').find(line => !/^import|^$/.test(line))}`, () => {
        const program = writeFile(directory, `piece-${i}.js`,
            piece.startsWith('import') ? piece : PRELUDE + piece);
        const process = Gio.Subprocess.new(['gjs', '-m', program.get_path()],
            Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
        const [, output, errors] = process.communicate_utf8(null, null);

        assert(process.get_successful(), errors);
        same(errors, '');
        assert(SAID[i].test(output), output);
    });
});

test('every name that the page has exists', async () => {
    const {default: Concur} = await import('gi://Concur');
    const holders = Object.values(Concur).filter(value => typeof value === 'function')
        .flatMap(value => [value, value.prototype]);
    const known = name => name in Concur || holders.some(holder => holder && name in holder);
    const foreign = new Set(['signal_connect', 'then', 'catch', 'finally', 'all', 'resolve']);
    const wrong = [...text.matchAll(/`(?:[\w.]+\.)?(\w+)\(/g)].map(match => match[1])
        .filter(name => !foreign.has(name) && !name.startsWith('vfunc_') && !known(name));
    same(wrong, []);
});

await run(() => remove(directory));
