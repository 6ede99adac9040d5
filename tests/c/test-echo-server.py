#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs examples/c/echo-server with a thousand clients at once.

usage: test-echo-server.py PROGRAM [unittest options]
"""

import re
import resource
import selectors
import signal
import socket
import time

import example_program

N_CLIENTS = 1000

# What this process and the server need besides: standard streams, event loops, the
# runtimes of sanitizers.
OTHER_FILES = 100


class Client:
    """Sends its message while it takes the answer, as little at a time as fits."""

    def __init__(self, port, message):
        self.to_send = message
        self.expected = message.upper()
        self.answer = b''
        self.socket = socket.socket(socket.AF_INET)
        self.socket.setblocking(False)
        self.socket.connect_ex(('127.0.0.1', port))

    def go_on(self):
        """Returns whether there is more to do."""
        try:
            if self.to_send:
                self.to_send = self.to_send[self.socket.send(self.to_send):]
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError('The server has gone away')
            self.answer += data
        except BlockingIOError:
            pass
        return len(self.answer) < len(self.expected)

    def wanted(self):
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if self.to_send else 0)


class TestEchoServer(example_program.ExampleTest):
    def start_server(self, *arguments):
        process = self.start_program(*arguments)
        line = process.stdout.readline()
        self.assertRegex(line, r'^Listening on port \d+\n$')
        return process, int(line.split()[-1])

    def stop_server(self, process, n_clients, signum=signal.SIGTERM):
        process.send_signal(signum)
        stdout, stderr = self.end_program(process)
        self.assertEqual(stdout, f'Served {n_clients} clients\n')
        self.assertEqual(stderr, '')

    def serve(self, clients):
        """Until all have their answers."""
        deadline = time.monotonic() + example_program.LIMIT
        with selectors.DefaultSelector() as selector:
            for client in clients:
                self.addCleanup(client.socket.close)
                selector.register(client.socket, client.wanted(), client)
            while selector.get_map():
                ready = selector.select(deadline - time.monotonic())
                self.assertTrue(ready, 'No answer in time')
                for key, _ in ready:
                    client = key.data
                    if client.go_on():
                        selector.modify(client.socket, client.wanted(), client)
                    else:
                        selector.unregister(client.socket)
        for client in clients:
            self.assertEqual(client.answer, client.expected)

    def allow_files(self, n):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < n:
            self.skipTest(f'Only {hard} files may be open')
        if soft != resource.RLIM_INFINITY and soft < n:
            # The server inherits it.
            resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
            self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_many(self):
        self.allow_files(N_CLIENTS + OTHER_FILES)
        process, port = self.start_server()
        clients = [Client(port, f'Hello from client {i}\n'.encode() * (1 + i % 7))
                   for i in range(N_CLIENTS)]
        self.serve(clients)

        # They are all still there, and each is asked something again.
        for i, client in enumerate(clients):
            client.to_send = f'Bye {i}\n'.encode()
            client.expected += client.to_send.upper()
        self.serve(clients)

        # It ends though nobody has hung up.
        self.stop_server(process, N_CLIENTS)
        for client in clients:
            client.socket.setblocking(True)
            self.assertEqual(client.socket.recv(1), b'')

    def test_large(self):
        process, port = self.start_server()
        self.serve([Client(port, bytes(range(256)) * 20000)])
        self.stop_server(process, 1, signal.SIGINT)

    def test_rude(self):
        # Clients that go away in the middle, with and without a word, harm nobody.
        process, port = self.start_server()
        for message in (b'', b'x' * 1000000):
            client = socket.create_connection(('127.0.0.1', port))
            client.setblocking(False)
            if message:
                client.send(message)
            client.close()
        self.serve([Client(port, b'still there?')])
        self.stop_server(process, 3)

    def test_stop_in_rush(self):
        # Asked to stop while clients come, all the while, in any state.
        for n_before in (1, 10, 100):
            process, port = self.start_server()
            clients = [Client(port, b'hello') for _ in range(100)]
            for client in clients:
                self.addCleanup(client.socket.close)
            self.serve(clients[:n_before])
            process.send_signal(signal.SIGTERM)
            stdout, stderr = self.end_program(process)
            served = int(re.fullmatch(r'Served (\d+) clients\n', stdout).group(1))
            self.assertTrue(n_before <= served <= len(clients), served)
            self.assertEqual(stderr, '')

    def test_nobody(self):
        process, _ = self.start_server('--port', '0')
        self.stop_server(process, 0)

    def test_port_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as taken:
            port = taken.getsockname()[1]
            stdout, stderr = self.run_program('--port', str(port), status=1)
        self.assertEqual(stdout, '')
        self.assertIn('in use', stderr)

    def test_usage(self):
        for arguments in (['x'], ['--port', '-1'], ['--port', '65536'], ['--port', 'x']):
            self.run_program(*arguments, status=2)


if __name__ == '__main__':
    example_program.main()
