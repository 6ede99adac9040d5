#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Chains the lines of a file through a server: each answer is the SHA-256 digest of the
answer before and the line.

usage: hash_chain.py FILE

The server runs on a loop thread. The client's lines come from a thread that reads the file,
through a channel with little room: who is faster waits.
"""

import asyncio
import hashlib
import struct
import sys

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur

START = bytes(32)


async def serve(reader, writer):
    digest = START
    while head := await reader.read(1):
        size, = struct.unpack('>I', head + await reader.readexactly(3))
        digest = hashlib.sha256(digest + await reader.readexactly(size)).digest()
        writer.write(digest)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def start_server():
    return await asyncio.start_server(serve, '127.0.0.1', 0)


def read_lines(path):
    with open(path, 'rb') as file:
        for line in file:
            yield line.rstrip(b'\n')


async def send_lines(writer, path):
    count = 0
    async with Concur.get_default_executor().generate(read_lines, path, capacity=64) as lines:
        async for line in lines:
            writer.write(struct.pack('>I', len(line)) + line)
            await writer.drain()
            count += 1
    writer.write_eof()
    return count


async def read_last(reader):
    last = START
    while head := await reader.read(1):
        last = head + await reader.readexactly(len(START) - 1)
    return last


async def ask(port, path):
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    async with Concur.TaskGroup() as group:
        sent = group.create_task(send_lines(writer, path))
        last = group.create_task(read_last(reader))
    writer.close()
    return sent.result(), last.result()


def main():
    if len(sys.argv) != 2:
        print('usage: hash_chain.py FILE', file=sys.stderr)
        sys.exit(2)
    path = sys.argv[1]
    with Concur.LoopThread(name='server') as thread:
        server = thread.submit(start_server()).result()
        port = server.sockets[0].getsockname()[1]
        count, digest = asyncio.run(ask(port, path))
        thread.call(server.close)

    direct = START
    for line in read_lines(path):
        direct = hashlib.sha256(direct + line).digest()
    print(f'server {count} lines, {digest.hex()}')
    print(f'direct {count} lines, {direct.hex()}')


if __name__ == '__main__':
    main()
