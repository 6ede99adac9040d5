// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Worker processes in JavaScript. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import {assert, rejects, run, same, test, throws, turn} from './tap.js';

const module = import.meta.url.replace('test-processes.js', 'worker-functions.js');

async function withPool(settings, body) {
    const pool = new Concur.ProcessExecutor({module, maxWorkers: 2, ...settings});

    try {
        await body(pool);
    } finally {
        await pool.shutdown(Concur.ShutdownMode.CANCEL_ALL);
    }
}

async function until(condition) {
    while (!condition())
        await turn();
}

/* JSON knows neither -0 nor large numbers. */
function requireAlike(a, b) {
    if (typeof b !== 'object' || b === null) {
        assert(Object.is(a, b), `${String(a)} is not ${String(b)}`);
        return;
    }
    assert(Object.getPrototypeOf(a) === Object.getPrototypeOf(b), `${a} is no ${b}`);
    same(Object.keys(a), Object.keys(b));
    for (const key of Object.keys(b))
        requireAlike(a[key], b[key]);
    if (b instanceof Date)
        same(a.getTime(), b.getTime());
}

test('values cross as they are', () => withPool({}, async pool => {
    const things = [null, true, false, 0, -1, 1.5, -0, 2 ** 53 - 1, 2 ** 60, Infinity, NaN, '', 'text',
        'a\0b', '\ud800', 'ü€😀', [], [1, [2, ['three']]], {}, {a: {b: [null]}, 'odd key': 1},
        {'a\0': 2}, 12345678901234567890n, new Date(86400000)];

    requireAlike(await pool.call('echo', things), things);
    same(await pool.call('echo', [undefined]), [null]);
    for (const thing of things)
        requireAlike(await pool.call('first', [thing]), thing);
    same(await pool.call('first'), null);
    same(await pool.map('first', [null, 1]), [null, 1]);
    same((await pool.call('echo', []))?.length, 0);

    const [bytes, map, set, variant] = await pool.call('echo', [new Uint8Array([1, 0, 255]),
        new Map([[1, 'one'], ['two', new Map()]]), new Set(['x']), new GLib.Variant('(ii)', [1, 2])]);
    assert(bytes instanceof Uint8Array);
    same([...bytes], [1, 0, 255]);
    assert(map instanceof Map && map.get(1) === 'one' && map.get('two') instanceof Map);
    assert(set instanceof Set && set.has('x'));
    same(variant.get_type_string(), '(ii)');

    const long = 'a\0'.repeat(1000000);
    assert(await pool.call('first', [long]) === long);
    const large = new Uint8Array(3000000).fill(7);
    const [back] = await pool.call('echo', [large]);
    same(back.length, large.length);
    assert(back.every(byte => byte === 7));
}));

test('what cannot cross is refused in the caller', () => withPool({}, async pool => {
    const cycle = {};
    cycle.cycle = [cycle];
    let deep = [];
    for (let i = 0; i < 30; i++)
        deep = [deep];

    throws(() => pool.call('echo', [() => 1]), /cannot be given a function/);
    throws(() => pool.call('echo', [Symbol('s')]), /cannot be given a symbol/);
    throws(() => pool.call('echo', [new Gio.SimpleAction({name: 'a'})]), /values, arrays and plain objects/);
    throws(() => pool.call('echo', [new Float64Array(2)]), /not objects of the class Float64Array/);
    throws(() => pool.call('echo', [cycle]), /contains itself/);
    throws(() => pool.call('echo', [deep]), /inside each other/);
    for (const chunk of [0, -1, NaN, null])
        throws(() => pool.map('echo', [1], {chunk}), /chunk of map\(\) is at least 1/);
    throws(() => pool.call('echo', 5), /arguments of a call are an array/);
    throws(() => pool.call('echo', [], {timout: 1}), /no option “timout”/);
    throws(() => pool.submitJob(Concur.Job.new(() => 1)), /JavaScript runs on its own thread only/);
    throws(() => pool.submitJob({}), /needs a job/);
    throws(() => new Concur.ProcessExecutor({}), /needs the module/);
    throws(() => new Concur.ProcessExecutor({module: 'relative.js'}), /absolute path/);
    same(await pool.call('echo', [1]), [1]);
}));

test('errors come back with message, type and stack', () => withPool({}, async pool => {
    const range = await rejects(pool.call('square', [-1]), /-1 is negative/);
    assert(range instanceof RangeError);
    assert(range.stack.includes('worker-functions.js'), range.stack);

    const odd = await rejects(pool.call('fail', ['odd']), /two\nlines/);
    same([odd.name, odd.message], ['OddError', 'two\nlines']);
    const text = await rejects(pool.call('fail', ['string']), /just text/);
    assert(text instanceof Error);
    const glib = await rejects(pool.call('fail', ['glib']), /not here/);
    assert(glib.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.NOT_FOUND));

    await rejects(pool.call('fail', ['indescribable']), /cannot be described/);
    same(await pool.call('square', [2]), 4);

    for (const name of ['nothing', 'notAFunction']) {
        const missing = await rejects(pool.call(name), new RegExp(name));
        assert(missing.matches(Concur.ExecutorError, Concur.ExecutorError.NOT_FOUND));
    }
    const derived = await rejects(pool.call('square', [-2]).withTimeout(600000), /-2 is negative/);
    assert(derived instanceof RangeError);
}));

test('async exports are awaited, and many calls at once answered', () => withPool({}, async pool => {
    same(await pool.call('later', ['x']), 'x');
    same(await Promise.all(Array.from({length: 20}, (_, i) => pool.call('square', [i]))),
        Array.from({length: 20}, (_, i) => i * i));
    same(await pool.map('square', [1, 2, 3], {chunk: 2}), [1, 4, 9]);
    same(await pool.map('square', []), []);
    assert(await rejects(pool.map('square', [1, -3]), /-3 is negative/) instanceof RangeError);
}));

test('the main loop turns while workers compute', () => withPool({}, async pool => {
    let ticks = 0;
    const id = GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, () => {
        ticks++;
        return GLib.SOURCE_CONTINUE;
    });

    same(await Promise.all([pool.call('fib', [24]), pool.call('fib', [25])]), [46368, 75025]);
    GLib.source_remove(id);
    assert(ticks > 0);
}));

test('generators stream, and a break stops them', () => withPool({
    maxWorkers: 1,
    gracePeriod: 600000,
}, async pool => {
    const numbers = [];
    for await (const number of pool.stream('count', [10]))
        numbers.push(number);
    same(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

    const before = await pool.call('pid');
    for await (const item of pool.stream('countLater', [1e9])) {
        if (item.i === 50)
            break;
    }
    same(await pool.call('pid'), before);

    const some = [];
    const error = await rejects((async () => {
        for await (const number of pool.stream('count', [3]))
            some.push(number);
    })(), /three is too few/);
    assert(error instanceof TypeError);
    same(some, [0, 1, 2]);
}));

test('a stream keeps what it comes from', async () => {
    const stream = new Concur.ProcessExecutor({module, maxWorkers: 1}).stream('count', [5]);
    const numbers = [];

    System.gc();
    await turn();
    for await (const number of stream) {
        System.gc();
        numbers.push(number);
    }
    same(numbers, [0, 1, 2, 3, 4]);
});

test('cancelling asks, and then kills', () => withPool({maxWorkers: 1, gracePeriod: 1}, async pool => {
    const busy = pool.call('forEver');
    await until(() => busy.statusText === 'busy');
    busy.cancel();
    assert(Concur.isCancelled(await rejects(busy, /cancelled/)));
    same(await pool.call('square', [2]), 4);

    const late = await rejects(pool.call('forEver', [], {timeout: 1}), /./);
    assert(late.matches(Concur.FutureError, Concur.FutureError.TIMED_OUT));
}));

test('who looks is not killed', () => withPool({maxWorkers: 1, gracePeriod: 600000}, async pool => {
    const before = await pool.call('pid');
    const cancellable = new Gio.Cancellable();
    const waits = pool.call('untilCancelled', [], {cancellable});

    await until(() => waits.statusText === 'waiting');
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(waits, /stopped/)));
    same(await pool.call('pid'), before);
}));

test('a worker that dies costs one call', () => withPool({maxWorkers: 1}, async pool => {
    const died = pool.call('die');
    const next = pool.call('square', [3]);

    const error = await rejects(died, /killed by signal 9/);
    assert(error.matches(Concur.ExecutorError, Concur.ExecutorError.WORKER_DIED));
    same(await next, 9);

    const ended = pool.call('exit', [3]);
    const after = pool.call('square', [4]);
    const ending = await rejects(ended, /exit status was 3/);
    assert(ending.matches(Concur.ExecutorError, Concur.ExecutorError.WORKER_DIED));
    same(await after, 16);
}));

test('print and progress do not disturb', () => withPool({}, async pool => {
    const call = pool.call('report');
    const seen = [];

    call.view().connect('notify::progress', view => seen.push(view.progress));
    same(await call, true);
    await until(() => seen.length);
    same(seen[0], 0.5);
}));

test('a module that is not there is the error of each call', async () => {
    const pool = new Concur.ProcessExecutor({module: '/nowhere/at-all.js', maxWorkers: 1});

    await rejects(pool.call('echo', [1]), /nowhere/);
    await rejects(pool.call('echo', [1]), /nowhere/);
    await pool.shutdown();
    await rejects(pool.call('echo'), /./);
});

test('a module is given by its URI or path', () => {
    for (const wrong of ['./work.js', 'https://example.org/work.js', 5, null])
        throws(() => new Concur.ProcessExecutor({module: wrong}), /is a URI, such as/);
});

test('an environment is an object, or an array as in C', async () => {
    const own = Object.fromEntries(GLib.listenv().map(name => [name, GLib.getenv(name)]));
    const asked = [{...own, CONCUR_TEST: 'a=b'}, [...Object.entries(own), ['CONCUR_TEST', 'a=b']].map(
        pair => pair.join('='))];

    for (const environment of asked) {
        await withPool({environment}, async pool => {
            same(await pool.call('variable', ['CONCUR_TEST']), 'a=b');
        });
    }
});

test('the library may be in a directory of any name', () => {
    const dir = GLib.Dir.make_tmp('concur gjs ü %20 XXXXXX');
    const [overrides] = GLib.getenv('GJS_PATH').split(':');

    Gio.File.new_for_path(`${dir}/gjs`).make_symbolic_link(overrides, null);
    GLib.file_set_contents(`${dir}/main.js`, `import Concur from 'gi://Concur';
        const pool = new Concur.ProcessExecutor({module: '${GLib.filename_from_uri(module)[0]}'});
        print(pool.call('fib', [7]).result());
        pool.shutdown().wait();`);
    const launcher = new Gio.SubprocessLauncher({flags: Gio.SubprocessFlags.STDOUT_PIPE});
    launcher.setenv('GJS_PATH', `${dir}/gjs`, true);
    const [, output] = launcher.spawnv(['gjs', '-m', `${dir}/main.js`]).communicate_utf8(null, null);
    same(output, '13\n');
});

test('modules of a bundle of resources', async () => {
    const dir = GLib.Dir.make_tmp('concur-gjs-XXXXXX');
    const write = (name, text) => GLib.file_set_contents(GLib.build_filenamev([dir, name]), text);

    write('in-bundle.js', 'export const half = n => n / 2;\n');
    write('bundle.gresource.xml', '<gresources><gresource prefix="/org/example">' +
        '<file>in-bundle.js</file></gresource></gresources>');
    const made = Gio.Subprocess.new(['glib-compile-resources', `--sourcedir=${dir}`,
        `--target=${dir}/bundle.gresource`, `${dir}/bundle.gresource.xml`], Gio.SubprocessFlags.NONE);
    assert(made.wait_check(null));

    const pool = new Concur.ProcessExecutor({
        module: 'resource:///org/example/in-bundle.js',
        resources: [`${dir}/bundle.gresource`],
        maxWorkers: 1,
    });
    same(await pool.call('half', [5]), 2.5);
    await pool.shutdown();
});

await run();
