// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Runs examples/gjs. */

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {assert, makeDirectory, makeEndlessFile, remove, run, same, test, writeFile}
    from './tap.js';

const [here] = GLib.filename_from_uri(import.meta.url);
const examples = GLib.build_filenamev([GLib.path_get_dirname(here), '..', '..', 'examples', 'gjs']);
const directory = makeDirectory();
const HELLO = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const SIGINT = 2;

function start(name, ...args) {
    return Gio.Subprocess.new(['gjs', '-m', `${examples}/${name}.js`, ...args],
        Gio.SubprocessFlags.STDOUT_PIPE | Gio.SubprocessFlags.STDERR_PIPE);
}

function finish(process) {
    const [, output, errors] = process.communicate_utf8(null, null);
    assert(process.get_successful(), errors);
    same(errors, '');
    return output;
}

test('spinner digests a directory', () => {
    writeFile(directory, 'hello', 'hello');
    const output = finish(start('spinner', directory.get_path()));
    assert(output.includes(`${HELLO}  ${directory.get_path()}/hello`), output);
    assert(/1 done, 0 cancelled/.test(output), output);
});

test('spinner turns while workers work, and cancels them', () => {
    makeEndlessFile(directory);
    const output = finish(start('spinner', '--cancel-after', '5', directory.get_path()));
    assert(/1 done, 1 cancelled, the spinner turned [5-9]/.test(output), output);
    assert(/⠋[^]*⠙[^]*⠹/.test(output), output);
});

test('spinner cancels at Ctrl-C', () => {
    const process = start('spinner', directory.get_path());
    /* It turns, so its handler is there. */
    const first = process.get_stdout_pipe().read_bytes(1, null);
    same(first.get_size(), 1);
    process.send_signal(SIGINT);
    assert(/1 done, 1 cancelled/.test(finish(process)));
});

test('downloads, with a limit', () => {
    same(finish(start('downloads')), 'failed: /missing: HTTP/1.0 404 Not Found\n' +
        '39 downloads, 773000 bytes, at most 6 at once\n');
});

test('cancelling', () => {
    same(finish(start('cancelling')).replace(/“.*”/, 'the work'), `by the future: cancelled
by a cancellable: cancelled
by a cancellable: cancelled
by a time limit: the work was not done after 20 ms
  and the work itself: cancelled
by a race: the other was first
  and the loser: cancelled
the function clears up
by the future of a function: cancelled
`);
});

function makeTree(n, text) {
    const top = makeDirectory();

    for (let i = 0; i < n; i++)
        writeFile(top, String(i).padStart(3, '0'), text(i));
    return top;
}

test('grep-tree', () => {
    const top = makeTree(100, i => `nothing\na needle ${i}\n`);
    const grep = (...args) => {
        const [, output, errors] = start('grep-tree', ...args, top.get_path())
            .communicate_utf8(null, null);
        return [output.trim().split('\n'), errors];
    };

    try {
        const [lines, errors] = grep('needle');
        same(lines, Array.from({length: 100}, (_, i) =>
            `${top.get_path()}/${String(i).padStart(3, '0')}:2:a needle ${i}`));
        same(errors, '100 lines, 100 files searched\n');

        const [some, said] = grep('--max-count', '2', 'needle');
        same(some, lines.slice(0, 2));
        const [, count] = /^2 lines, (\d+) files searched\n$/.exec(said);
        assert(Number(count) >= 2 && Number(count) < 100, said);
    } finally {
        remove(top);
    }
});

test('hash-chain', () => {
    const lines = Array.from({length: 200}, (_, i) => 'x'.repeat(i));
    const top = makeTree(1, () => `${lines.join('\n')}\n`);
    let digest = '0'.repeat(64);

    for (const line of lines) {
        digest = GLib.compute_checksum_for_data(GLib.ChecksumType.SHA256, new Uint8Array([
            ...digest.match(/../g).map(byte => parseInt(byte, 16)), ...new TextEncoder().encode(line)]));
    }
    try {
        same(finish(start('hash-chain', `${top.get_path()}/000`)),
            `server 200 lines, ${digest}\ndirect 200 lines, ${digest}\n`);
    } finally {
        remove(top);
    }
});

test('cpu-fan-out', () => {
    const [found, summary] = finish(start('cpu-fan-out', '--workers', '2', '3000000')).split('\n');
    same(found, '216816 primes below 3000000');
    const [, workers, ticks] =
        /^counted by ([12]) workers; the main loop ticked (\d+) times$/.exec(summary);
    assert(workers && ticks > 0, summary);
    same(finish(start('cpu-fan-out', '0')).split('\n')[0], '0 primes below 0');

    for (const wrong of [[], ['many'], ['--workers', '-1', '5'], ['1', '2']]) {
        const process = start('cpu-fan-out', ...wrong);
        const [, output, errors] = process.communicate_utf8(null, null);
        same([process.get_exit_status(), output], [2, '']);
        assert(errors.startsWith('usage: cpu-fan-out.js '), errors);
    }
});

test('search-as-you-type', () => {
    const n = 50000;
    const top = makeTree(1, () => Array.from({length: n}, (_, i) => `line ${i}\n`).join(''));

    try {
        const [found, counted, summary] = finish(
            start('search-as-you-type', `${top.get_path()}/000`, `line ${n - 1}`)).split('\n');
        same([found, counted], [`${n}:line ${n - 1}`, `line ${n - 1}: 1 lines`]);
        const [, lookedAt] = /^9 searches cancelled, (\d+) lines looked at$/.exec(summary);
        assert(lookedAt > n && lookedAt < 5 * n, summary);
    } finally {
        remove(top);
    }
});

await run(() => remove(directory));
