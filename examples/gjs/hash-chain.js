#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Chains the lines of a file through a server: each answer is the SHA-256 digest of the
 * answer before and the line. The first is that of 32 zero bytes and the line.
 *
 * usage: hash-chain.js FILE
 *
 * Server and client are asynchronous code of GIO in one loop. The lines go through a channel
 * with little room: who is faster waits. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {exit, programArgs} from 'system';

Gio._promisify(Gio.File.prototype, 'read_async', 'read_finish');
Gio._promisify(Gio.SocketClient.prototype, 'connect_to_host_async', 'connect_to_host_finish');
Gio._promisify(Gio.OutputStream.prototype, 'write_all_async', 'write_all_finish');
Gio._promisify(Gio.DataInputStream.prototype, 'read_line_async', 'read_line_finish');

const encoder = new TextEncoder();
const START = '0'.repeat(64);

function chain(digest, line) {
    const checksum = new GLib.Checksum(GLib.ChecksumType.SHA256);

    checksum.update(Uint8Array.from(digest.match(/../g), byte => parseInt(byte, 16)));
    checksum.update(line);
    return checksum.get_string();
}

async function* linesOf(stream) {
    const data = new Gio.DataInputStream({baseStream: stream});

    for (;;) {
        const [line] = await data.read_line_async(GLib.PRIORITY_DEFAULT, null);
        if (line === null)
            return;
        yield line;
    }
}

async function writeLine(stream, line) {
    await stream.write_all_async(new Uint8Array([...line, 10]), GLib.PRIORITY_DEFAULT, null);
}

async function serve(connection) {
    let digest = START;

    for await (const line of linesOf(connection.get_input_stream())) {
        digest = chain(digest, line);
        await writeLine(connection.get_output_stream(), encoder.encode(digest));
    }
    connection.close(null);
}

async function sendAll(connection, lines) {
    let count = 0;
    let direct = START;

    for await (const line of lines) {
        direct = chain(direct, line);
        await writeLine(connection.get_output_stream(), line);
        count++;
    }
    connection.get_socket().shutdown(false, true);
    return {count, direct};
}

async function receiveLast(connection) {
    let last = encoder.encode(START);

    for await (const line of linesOf(connection.get_input_stream()))
        last = line;
    return new TextDecoder().decode(last);
}

if (programArgs.length !== 1) {
    printerr('usage: hash-chain.js FILE');
    exit(2);
}
const file = await Gio.File.new_for_commandline_arg(programArgs[0])
    .read_async(GLib.PRIORITY_DEFAULT, null);
const service = new Gio.SocketService();
const port = service.add_any_inet_port(null);
service.connect('incoming', (_, connection) => {
    Concur.Future.from(serve(connection));
    return true;
});
service.start();

const connection = await new Gio.SocketClient().connect_to_host_async('127.0.0.1', port, null);
const group = new Concur.TaskGroup();
group.submit(() => sendAll(connection, Concur.Channel.from(linesOf(file), {capacity: 64})));
group.submit(() => receiveLast(connection));
const [{count, direct}, last] = await group.close();
service.close();
print(`server ${count} lines, ${last}`);
print(`direct ${count} lines, ${direct}`);
