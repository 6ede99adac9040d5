# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The two kinds of loop that most of the conveniences are tested on."""

import asyncio
import threading

from util import LIMIT, Concur


def here():
    return threading.current_thread()


def on_asyncio(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, LIMIT))


def on_glib(coroutine):
    return Concur.run(Concur.spawn(coroutine), LIMIT)


LOOPS = (('asyncio', on_asyncio, asyncio.sleep), ('glib', on_glib, Concur.sleep))


def pending():
    """A future that ends when it is cancelled."""
    return Concur.sleep(3600)


async def as_coroutine(awaitable):
    return await awaitable


@Concur.threaded
def where(value=None):
    """Says where it runs."""
    return here(), value
