# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of Concur.new_event_loop () share: a loop over a context of its own."""

import asyncio
import socket

from util import LIMIT, Case, Concur, GLib


def attach(source, function, context, priority=None):
    if priority is not None:
        source.set_priority(priority)
    source.set_callback(function)
    source.attach(context)
    return source


class LoopCase(Case):
    def setUp(self):
        self.context = GLib.MainContext.new()
        self.loop = Concur.new_event_loop(self.context)
        self.addCleanup(self.loop.close)

    def run_loop(self, coroutine):
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, LIMIT))

    def socket_pair(self):
        pair = socket.socketpair()
        for end in pair:
            end.setblocking(False)
            self.addCleanup(end.close)
        return pair
