#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Many downloads at once, from a server that this program starts itself: with blocking
functions of the standard library on workers, eight at a time, and with asyncio on a loop
thread.

usage: downloads.py [COUNT]
"""

import asyncio
import http.server
import sys
import urllib.request

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'x' * int(self.path.strip('/'))
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def fetch(url):
    with urllib.request.urlopen(url) as response:
        return len(response.read())


async def fetch_async(host, port, size):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f'GET /{size} HTTP/1.0\r\n\r\n'.encode())
    head, _, body = (await reader.read()).partition(b'\r\n\r\n')
    writer.close()
    await writer.wait_closed()
    return len(body)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    host, port = server.server_address

    with Concur.ThreadExecutor(max_threads=8, name='fetch') as pool, \
            Concur.ThreadExecutor(max_threads=1, name='server') as server_pool:
        serving = server_pool.submit(server.serve_forever)

        urls = [f'http://{host}:{port}/{number * 100}' for number in range(count)]
        print(f'{sum(pool.map(fetch, urls))} bytes by blocking calls on eight threads')

        with Concur.LoopThread(name='net') as loop:
            sizes = [loop.submit(fetch_async, host, port, number * 100)
                     for number in range(count)]
            print(f'{sum(Concur.Future.all(sizes).result())} bytes by asyncio on one thread')

        server.shutdown()
        serving.result()
        server.server_close()


if __name__ == '__main__':
    main()
