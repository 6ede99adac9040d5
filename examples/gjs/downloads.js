#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Many downloads, a few at a time, from a small server in the same program. The network is
 * GIO's own asynchronous code; futures put it together. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

const N_DOWNLOADS = 40;
const AT_ONCE = 6;

Gio._promisify(Gio.SocketClient.prototype, 'connect_to_host_async', 'connect_to_host_finish');
Gio._promisify(Gio.OutputStream.prototype, 'write_all_async', 'write_all_finish');
Gio._promisify(Gio.DataInputStream.prototype, 'read_line_async', 'read_line_finish_utf8');
Gio._promisify(Gio.OutputStream.prototype, 'splice_async', 'splice_finish');

/* Serves one request of a connection: /N is N bytes long, anything else is not there. */
async function serve(connection) {
    const input = new Gio.DataInputStream({baseStream: connection.get_input_stream()});
    const output = connection.get_output_stream();
    const [request] = await input.read_line_async(GLib.PRIORITY_DEFAULT, null);
    for (let line = request; line !== '\r' && line !== null;)
        [line] = await input.read_line_async(GLib.PRIORITY_DEFAULT, null);

    const size = Number(/^GET \/(\d+) /.exec(request)?.[1] ?? -1);
    const [status, body] = size >= 0 ? ['200 OK', 'x'.repeat(size)] : ['404 Not Found', ''];
    await output.write_all_async(new TextEncoder().encode(
        `HTTP/1.0 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    GLib.PRIORITY_DEFAULT, null);
    connection.close(null);
}

let inFlight = 0;
let most = 0;

async function download(port, path, cancellable) {
    most = Math.max(most, ++inFlight);
    try {
        const connection = await new Gio.SocketClient().connect_to_host_async('127.0.0.1', port,
            cancellable);
        await connection.get_output_stream().write_all_async(
            new TextEncoder().encode(`GET ${path} HTTP/1.0\r\n\r\n`),
            GLib.PRIORITY_DEFAULT, cancellable);

        const memory = Gio.MemoryOutputStream.new_resizable();
        await memory.splice_async(connection.get_input_stream(),
            Gio.OutputStreamSpliceFlags.CLOSE_TARGET, GLib.PRIORITY_DEFAULT, cancellable);
        connection.close(null);

        const text = new TextDecoder().decode(memory.steal_as_bytes().toArray());
        const [head, body] = text.split('\r\n\r\n', 2);
        if (!head.startsWith('HTTP/1.0 200'))
            throw new Error(`${path}: ${head.split('\r\n')[0]}`);
        return body.length;
    } finally {
        inFlight--;
    }
}

/* A future for each item; no more than @limit of them are at work. */
function limited(items, limit, work) {
    const waiting = items.map(item => ({item, promise: new Concur.Promise()}));
    const futures = waiting.map(({promise}) => promise.future);

    const next = () => {
        const one = waiting.shift();
        if (!one)
            return;
        Concur.Future.from(job => work(one.item, job.getCancellable()))
            .then(value => one.promise.resolve(value), error => one.promise.reject(error))
            .finally(next);
    };
    for (let i = 0; i < limit; i++)
        next();
    return futures;
}

const service = new Gio.SocketService();
const port = service.add_any_inet_port(null);
service.connect('incoming', (_, connection) => {
    serve(connection).catch(error => logError(error, 'A request failed'));
    return true;
});

const paths = Array.from({length: N_DOWNLOADS}, (_, i) => i === 7 ? '/missing' : `/${i * 1000}`);
const outcomes = await Concur.Future.allSettled(
    limited(paths, AT_ONCE, (path, cancellable) => download(port, path, cancellable)))
    .withTimeout(60000);
service.stop();

const sizes = outcomes.filter(({status}) => status === 'fulfilled').map(({value}) => value);
for (const {reason} of outcomes.filter(({status}) => status === 'rejected'))
    print(`failed: ${reason.message}`);
print(`${sizes.length} downloads, ${sizes.reduce((a, b) => a + b, 0)} bytes, ` +
    `at most ${most} at once`);
