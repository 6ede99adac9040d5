# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What a worker process is doing, for the functions that can be used there."""

from asyncio import CancelledError

# The raw.WorkerCall that is being answered, in a worker.
current = None

# Whether this is a worker that is running the main module of its program.
preparing = False


class CallCancelled(KeyboardInterrupt, CancelledError):
    """Raised in a worker process, in the middle of what runs on its main thread, when the
    program asks to stop the call. It is not an Exception, so that it gets past handlers for
    these. What the function does about it is the outcome of the call."""

    __module__ = 'gi.repository.Concur'
