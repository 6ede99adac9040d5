# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The kinds of loop that the conveniences are tested on, most of them on the first two."""

import asyncio
import threading

from util import LIMIT, Case, Concur


def here():
    return threading.current_thread()


def on_asyncio(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, LIMIT))


def on_glib(coroutine):
    return Concur.run(Concur.spawn(coroutine), LIMIT)


def on_loop_thread(coroutine):
    with Concur.LoopThread() as thread:
        return thread.submit(coroutine).result(LIMIT)


def on_event_loop(coroutine):
    return Concur.run(coroutine, LIMIT)


LOOPS = (('asyncio', on_asyncio, asyncio.sleep), ('glib', on_glib, Concur.sleep))

ALL_LOOPS = (*LOOPS, ('loop thread', on_loop_thread, asyncio.sleep),
             ('event loop', on_event_loop, asyncio.sleep))


def pending():
    """A future that ends when it is cancelled."""
    return Concur.sleep(3600)


async def as_coroutine(awaitable):
    return await awaitable


@Concur.threaded
def where(value=None):
    """Says where it runs."""
    return here(), value


class LoopCase(Case):
    def on_all(self, make):
        """Runs make (sleep) on each kind of loop, and sees to it that no cancellation that
        the group made is left."""
        for name, run, sleep in ALL_LOOPS:
            with self.subTest(name):
                async def main():
                    value = await make(sleep)
                    await sleep(0)
                    await sleep(0.001)
                    task = asyncio._get_running_loop() and asyncio.current_task()
                    if hasattr(task, 'cancelling'):
                        self.assertEqual(task.cancelling(), 0)
                    return value
                run(main())
