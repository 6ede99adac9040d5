# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A job and the task of asyncio that does its work."""

import asyncio

from gi.repository import GObject

from .answers import complete, drop_frames, fail
from .base import raw


def link(job, task, cancel_task=asyncio.Task.cancel):
    """Cancels the task, on its own thread by cancel_task (task), when the job is asked to
    stop, however and on whatever thread."""
    # Not Cancellable's own connect () and disconnect (): the latter waits for handlers.
    cancellable = raw.Job.get_cancellable(job)
    loop = task.get_loop()

    def cancel(cancellable):
        try:
            loop.call_soon_threadsafe(cancel_task, task)
        except RuntimeError:
            # The loop was closed; with it its tasks have ended, or never will.
            pass

    job.__dict__['_handler'] = (cancellable, GObject.Object.connect(cancellable, 'cancelled',
                                                                    cancel))
    if cancellable.is_cancelled():
        cancel_task(task)


def unlink(job):
    cancellable, handler = job.__dict__.pop('_handler', (None, None))
    if cancellable is not None:
        GObject.Object.disconnect(cancellable, handler)


def answer(job, task, frames=0):
    """Gives the job the outcome of the task, which is over. So many frames of our own are
    at the beginning of the traceback of its exception."""
    error = None
    try:
        if task.cancelled():
            fail(job, asyncio.CancelledError())
            return
        error = task.exception()
        if error is None:
            complete(job, task.result())
        else:
            drop_frames(error, frames)
            fail(job, error)
    finally:
        # A traceback keeps this frame.
        job = task = error = None
