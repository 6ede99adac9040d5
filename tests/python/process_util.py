# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the tests of worker processes share."""

import os

from util import LIMIT, Case, Concur, wait_until
from worker_functions import Meeting

__all__ = ['LIMIT', 'Concur', 'Meeting', 'ProcessCase', 'is_gone']


def is_gone(pid):
    """Whether there is no such process; one that nobody has waited for is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


class ProcessCase(Case):
    def executor(self, max_workers=1, **settings):
        executor = Concur.ProcessExecutor(max_workers, **settings)
        self.addCleanup(self.end, executor)
        return executor

    def end(self, executor):
        self.assertTrue(executor.shutdown(Concur.ShutdownMode.CANCEL_ALL).wait(LIMIT))
        self.assertEqual(executor.get_n_workers(), 0)

    def process_pool(self, max_workers=1, **settings):
        pool = Concur.ProcessPoolExecutor(max_workers, **settings)
        self.addCleanup(self.end, pool._executor)
        return pool

    def met(self, executor, function, *args):
        """(meeting, future) of a call that has come to the point where it waits."""
        meeting = Meeting(self)
        future = executor.submit(function, meeting.path, *args)
        self.wait_met(future)
        return meeting, future

    def wait_met(self, future):
        wait_until(lambda: future.status_text == 'here' or future.done())
        self.assertFalse(future.done(), future)
