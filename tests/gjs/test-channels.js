// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Channels: values both ways, `for await`, back-pressure, the end, the garbage collector. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import {assert, gate, rejects, run, same, test, throws, turn, until} from './tap.js';

async function drain(channel) {
    const values = [];
    for await (const value of channel)
        values.push(value);
    return values;
}

function fill(values, capacity = 0) {
    const channel = new Concur.Channel({capacity});
    channel.sendMany(values).ignore();
    channel.close();
    return channel;
}

const isChannelError = (error, name) =>
    error instanceof Concur.ChannelError && error.code === Concur.ChannelError[name];

/* Whether what is done in a turn or two is done. */
async function settle() {
    for (let i = 0; i < 5; i++)
        await turn();
}

test('values come out as they went in', async () => {
    const key = Symbol('key');
    const values = [0, -0, 1, -1, 2 ** 40, Number.MAX_SAFE_INTEGER, 1.5, NaN, true, false, '', 'ä',
        'with \0', {a: 1}, [1, [2]], key, () => 1, new Map(), 5n, new Error('kept')];
    const got = await drain(fill(values));

    same(got.length, values.length);
    for (const [i, value] of values.entries())
        assert(Object.is(got[i], value), `${String(value)} became ${String(got[i])}`);
    same(await drain(fill([undefined, null])), [null, null]);
});

test('values of C are the same objects or copies', async () => {
    const file = Gio.File.new_for_path('/');
    const bytes = new GLib.Bytes([1, 2, 3]);
    const [a, b, c, d] = await drain(fill([file, bytes, new GLib.Variant('(is)', [1, 'x']),
        new Date(0)]));

    assert(a === file);
    same([...b.toArray()], [1, 2, 3]);
    same(c.deepUnpack(), [1, 'x']);
    same(d.getTime(), 0);
});

test('send and receive meet in either order', async () => {
    const channel = Concur.Channel.new(1);
    const early = channel.receive();
    same(await channel.send('a'), true);
    same(await early, 'a');

    await channel.send('b');
    const waiting = channel.send('c');
    assert(!waiting.isDone());
    same(channel.length, 1);
    same(await channel.receive(), 'b');
    same(await waiting, true);
    same(await channel.receive(), 'c');
});

test('many at once', async () => {
    const channel = new Concur.Channel();
    same(await channel.sendMany([1, 2, 3, 4, 5]), 5);
    same(await channel.receiveMany(2), [1, 2]);
    same(await channel.receiveMany(), [3, 4, 5]);
    for (const bad of [0, -1, 1.5, '1'])
        throws(() => channel.receiveMany(bad), /whole number/);
    throws(() => channel.sendMany(5), /iterable/);
});

test('at once or not at all', () => {
    const channel = new Concur.Channel({capacity: 1});
    assert(channel.trySend('a'));
    try {
        channel.trySend('b');
        assert(false);
    } catch (error) {
        assert(isChannelError(error, 'FULL'));
    }
    same(channel.trySendMany([]), 0);
    same(channel.tryReceive(), 'a');
    for (const receive of [() => channel.tryReceive(), () => channel.tryReceiveMany()]) {
        try {
            receive();
            assert(false);
        } catch (error) {
            assert(isChannelError(error, 'EMPTY'));
        }
    }
    assert(channel.giveBack('first'));
    assert(channel.giveBack('zeroth'));
    same(channel.tryReceiveMany(5), ['zeroth', 'first']);
});

test('blocking, with a time limit in milliseconds', () => {
    const channel = new Concur.Channel({capacity: 1});
    assert(channel.sendWait({a: 1}));
    same(channel.receiveWait(), {a: 1});
    throws(() => channel.receiveWait(1), /1 ms/);
    throws(() => channel.receiveManyWait(3, 0), /at once/);
    same(channel.sendManyWait([1]), 1);
    throws(() => channel.sendWait(2, 1), /1 ms/);
    throws(() => channel.sendManyWait([2, 3], 1), /1 ms/);
    same(channel.receiveManyWait(), [1]);
});

test('in the manner of GIO', async () => {
    const channel = new Concur.Channel({capacity: 1});
    const done = gate();
    channel.receiveAsync(null, (source, result) => {
        assert(source === channel);
        same(channel.receiveFinish(result), 'a');
        done.open();
    });
    same(await channel.sendAsync('a'), true);
    await done.opened;

    /* Cancelled, it loses nothing. */
    const cancellable = new Gio.Cancellable();
    const received = channel.receiveAsync({cancellable});
    cancellable.cancel();
    assert(Concur.isCancelled(await rejects(received)));
    await channel.sendAsync('b');
    same(await channel.receiveAsync(), 'b');
});

test('a cancelled receiver passes its turn on', async () => {
    const channel = new Concur.Channel();
    const first = channel.receive();
    const second = channel.receive();
    assert(first.cancel());
    await channel.send('x');
    same(await second, 'x');
    assert(Concur.isCancelled(await rejects(first)));
});

test('the end from the side of the senders', async () => {
    const channel = new Concur.Channel({capacity: 1});
    const sent = [channel.send(1), channel.send(2)];
    assert(!channel.closed);
    assert(channel.close());
    assert(!channel.close());
    assert(channel.closed);
    assert(isChannelError(await rejects(channel.send(3)), 'CLOSED'));
    same(await drain(channel), [1, 2]);
    await Promise.all(sent);
    same(await channel.completion, 2);
    assert(isChannelError(await rejects(channel.receive()), 'CLOSED'));
});

test('an error comes after the values before it, and is the one that was thrown', async () => {
    const channel = new Concur.Channel();
    const mine = new RangeError('mine');
    await channel.sendMany([1, 2]);
    channel.fail(mine);

    const values = [];
    const error = await rejects((async () => {
        for await (const value of channel)
            values.push(value);
    })());
    same(values, [1, 2]);
    assert(error === mine);
    assert(await rejects(channel.completion) === mine);
    assert(await rejects(channel.receiveMany()) === mine);
    assert(await rejects(channel.receiveAsync()) === mine);
    throws(() => channel.tryReceive(), /mine/);
});

test('the end from the side of the receivers', async () => {
    const channel = new Concur.Channel({capacity: 1});
    const waiting = [channel.send(1), channel.send(2)];
    await waiting[0];
    assert(channel.stop());
    assert(!channel.stop());
    assert(isChannelError(await rejects(waiting[1]), 'STOPPED'));
    assert(isChannelError(await rejects(channel.receive()), 'STOPPED'));
    assert(Concur.isCancelled(await rejects(channel.completion)));
    same(await drain(channel), []);
});

test('leaving a loop stops the channel', async () => {
    for (const leave of ['break', 'throw', 'return']) {
        const channel = new Concur.Channel({capacity: 2});
        const sender = (async () => {
            for (let i = 0; ; i++)
                await channel.send(i);
        })();
        const loop = (async () => {
            for await (const value of channel) {
                if (value < 10)
                    continue;
                if (leave === 'break')
                    break;
                if (leave === 'return')
                    return;
                throw new Error('left');
            }
        })();
        if (leave === 'throw')
            same((await rejects(loop)).message, 'left');
        else
            await loop;
        assert(isChannelError(await rejects(sender), 'STOPPED'), leave);
        assert(channel.closed);
    }
});

test('two loops share what there is', async () => {
    const channel = new Concur.Channel({capacity: 1});
    const both = [drain(channel), drain(channel)];
    for (let i = 0; i < 100; i++)
        await channel.send(i);
    channel.close();
    const [a, b] = await Promise.all(both);
    same([...a, ...b].sort((x, y) => x - y), Array.from({length: 100}, (_, i) => i));
    assert(a.length > 0 && b.length > 0);
});

test('calls of next() take turns', async () => {
    const iterator = fill([1, 2, 3])[Symbol.asyncIterator]();
    assert(iterator[Symbol.asyncIterator]() === iterator);
    const turns = await Promise.all([1, 2, 3, 4, 5].map(() => iterator.next()));
    same(turns.map(({value}) => value), [1, 2, 3, undefined, undefined]);
    same(turns.map(({done}) => done), [false, false, false, true, true]);
});

test('after return() there is no more, also if a call of next() goes on', async () => {
    for (let steps = 0; steps < 20; steps++) {
        const iterator = fill([1, 2, 3])[Symbol.asyncIterator]();
        const first = iterator.next();
        for (let i = 0; i < steps; i++)
            await null;
        same(await iterator.return('mine'), {done: true, value: 'mine'});
        assert([1, undefined].includes((await first).value));
        same(await iterator.next(), {done: true, value: undefined});
    }
    const iterator = new Concur.Channel()[Symbol.asyncIterator]();
    const waits = iterator.next();
    await turn();
    await iterator.return();
    same(await waits, {done: true, value: undefined});
});

test('from what can be iterated', async () => {
    same(await drain(Concur.Channel.from([1, 2])), [1, 2]);
    same(await drain(Concur.Channel.from(new Set(['a']))), ['a']);
    same(await drain(Concur.Channel.from(function* () {
        yield 1;
        yield 2;
    })), [1, 2]);
    same(await drain(Concur.Channel.from(async () => [Concur.delay(1, 'x')])), ['x']);
    same(await drain(Concur.Channel.from(fill([1, 2, 3]))), [1, 2, 3]);
    throws(() => Concur.Channel.from(5), /iterable/);
    throws(() => Concur.Channel.from([], {size: 1}), /size/);
});

test('a source begins when somebody wants a value, and no sooner', async () => {
    const log = [];
    const channel = Concur.Channel.from(async function* () {
        log.push('begun');
        yield 1;
    });
    await settle();
    same(log, []);
    same(await channel.receive(), 1);
    same(log, ['begun']);

    const never = Concur.Channel.from(() => log.push('never'));
    never.stop();
    await settle();
    same(log, ['begun']);
});

test('a source waits while the channel is full', async () => {
    let made = 0;
    const channel = Concur.Channel.from(function* () {
        for (;;)
            yield ++made;
    }, {capacity: 3});
    same(await channel.receive(), 1);
    await settle();
    /* One was received, three are there, and one waits. */
    same(made, 5);
    channel.stop();
});

test('a source clears up when nobody wants any more', async () => {
    const log = [];
    const channel = Concur.Channel.from(async function* () {
        try {
            for (let i = 0; ; i++)
                yield i;
        } finally {
            await turn();
            log.push('cleared up');
        }
    });
    for await (const value of channel) {
        if (value === 20)
            break;
    }
    await until(() => log.length);
    same(log, ['cleared up']);
});

test('an error of a source', async () => {
    const mine = new Error('mine');
    const channel = Concur.Channel.from(function* () {
        yield 1;
        throw mine;
    });
    same(await channel.receive(), 1);
    assert(await rejects(channel.receive()) === mine);
    assert(await rejects(Concur.Channel.from(() => {
        throw mine;
    }).receive()) === mine);
});

test('what waits keeps its channel', async () => {
    const waits = [];
    for (let i = 0; i < 50; i++) {
        (() => {
            const channel = new Concur.Channel();
            waits.push(channel.receive());
            Concur.delay(5).whenDone(() => channel.trySend(i));
        })();
        System.gc();
    }
    for (const [i, wait] of waits.entries())
        same(await wait, i);
});

test('a loop keeps its channel', async () => {
    const sums = [];
    for (let i = 0; i < 20; i++) {
        sums.push((async () => {
            let sum = 0;
            for await (const value of Concur.Channel.from(async function* () {
                for (let j = 0; j < 10; j++) {
                    await turn();
                    System.gc();
                    yield j;
                }
            }))
                sum += value;
            return sum;
        })());
    }
    same(await Promise.all(sums), sums.map(() => 45));
});

test('a function for each value', async () => {
    const values = [];
    same(await fill([1, {a: 2}, null]).forEach(value => void values.push(value)), 3);
    same(values, [1, {a: 2}, null]);

    const channel = fill([1, 2, 3, 4]);
    same(await channel.forEach(value => value < 2), 2);
    assert(isChannelError(await rejects(channel.receive()), 'STOPPED'));

    const mine = new RangeError('mine');
    const failing = fill([1, 2, 3]);
    assert(await rejects(failing.forEach(value => {
        if (value === 2)
            throw mine;
    })) === mine);

    const failed = new Concur.Channel();
    failed.trySend(1);
    failed.fail(mine);
    assert(await rejects(failed.forEach(() => true)) === mine);

    const never = new Concur.Channel();
    const waiting = never.forEach(() => true);
    assert(waiting.cancel());
    assert(Concur.isCancelled(await rejects(waiting)));
    assert(never.trySend(1));
    same(never.tryReceive(), 1);
    throws(() => never.forEach(5), /function/);
});

test('a list that follows a channel', async () => {
    const files = ['a', 'b', 'c'].map(name => Gio.File.new_for_path(`/${name}`));
    const store = new Gio.ListStore({item_type: Gio.File});
    same(await fill(files).bindListStore(store), 3);
    same([0, 1, 2].map(i => store.get_item(i).get_basename()), ['a', 'b', 'c']);

    const made = new Gio.ListStore({item_type: Gio.File});
    same(await fill(['x', null, 'y']).bindListStore(made,
        name => name && Gio.File.new_for_path(`/${name}`)), 2);
    same(made.get_n_items(), 2);
    same(made.get_item(1).get_basename(), 'y');

    const mine = new RangeError('mine');
    assert(await rejects(fill(['x']).bindListStore(made, () => {
        throw mine;
    })) === mine);
    throws(() => fill([]).bindListStore(made, 5), /function/);

    const wrong = await rejects(fill([1]).bindListStore(new Gio.ListStore({item_type: Gio.File})));
    assert(wrong.matches(Concur.FutureError, Concur.FutureError.WRONG_TYPE));
});

test('what follows a channel keeps it', async () => {
    const counts = [];
    for (let i = 0; i < 30; i++) {
        counts.push((() => {
            const channel = new Concur.Channel();
            Concur.delay(2).whenDone(() => {
                channel.trySend(1);
                channel.close();
            });
            return channel.forEach(() => true);
        })());
        System.gc();
    }
    for (const count of counts) {
        System.gc();
        same(await count, 1);
    }
});

/* The memory of the process: the engine does not count what is C's. */
function residentBytes() {
    const [, text] = GLib.file_get_contents('/proc/self/statm');
    return Number(new TextDecoder().decode(text).split(' ')[1]) * 4096;
}

test('a channel that nobody has goes, with what is in it', async () => {
    const size = 1 << 20;
    const round = async () => {
        const channel = new Concur.Channel();
        await channel.sendMany([new GLib.Bytes(new Uint8Array(size).fill(1)), {a: 1}]);
    };
    await round();
    const before = residentBytes();
    for (let i = 0; i < 200; i++) {
        await round();
        System.gc();
        await turn();
    }
    const grown = residentBytes() - before;
    assert(grown < 50 * size, `${grown} bytes more`);
});

await run();
