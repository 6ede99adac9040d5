# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Ctrl-C in the main thread, in programs of their own."""

import unittest

from util import run_script

# Each waits for what never comes; a thread presses Ctrl-C when it is waiting for sure.
PROGRAM = '''
import asyncio, os, signal, sys, threading, time
from gi.repository import GLib
main = threading.main_thread().ident
pool = Concur.ThreadExecutor(max_threads=2)
promise = Concur.Promise()

def press():
    # Until it stands in the call that is tested.
    while True:
        frame = sys._current_frames()[main]
        names = set()
        while frame is not None:
            names.add(frame.f_code.co_name)
            frame = frame.f_back
        if 'blocked' in names and names & {'wait', '_wait_on_main', 'iterate', 'select',
                                           '_poll', 'run_forever', 'busy'}:
            break
        time.sleep(0.001)
    time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)

async def coroutine():
    await asyncio.sleep(3600)

def busy():
    while True:
        time.sleep(0.001)

def blocked():
    future = promise.future
    %s

threading.Thread(target=press, daemon=True).start()
try:
    blocked()
except KeyboardInterrupt:
    print('interrupted')
except BaseException as error:
    print(repr(error))
'''

CALLS = {
    'result': 'future.result()',
    'result_with_timeout': 'future.result(3600)',
    'exception': 'future.exception()',
    'wait': 'future.wait()',
    'wait_with_timeout': 'future.wait(3600)',
    'iterate': 'future.iterate()',
    'iterate_with_timeout': 'future.iterate(3600)',
    'run': 'Concur.run(future)',
    'run_with_timeout': 'Concur.run(future, 3600)',
    'run_coroutine': 'Concur.run(coroutine())',
    'job_in_the_main_context': 'Concur.ContextExecutor().submit(busy); future.iterate()',
    'shutdown': 'pool.submit(promise.future.result); pool.shutdown().wait()',
    'task_group': 'with Concur.TaskGroup() as group: group.add(future)',
    'map': 'list(pool.map(lambda _: future.result(), [1]))',
}


class TestSignals(unittest.TestCase):
    def interrupted(self, call):
        output, errors = run_script(PROGRAM % call)
        self.assertEqual(output, 'interrupted\n', errors)
        self.assertNotIn('Traceback', errors)


def make_test(call):
    return lambda self: self.interrupted(call)


for name, call in CALLS.items():
    setattr(TestSignals, 'test_' + name, make_test(call))


if __name__ == '__main__':
    unittest.main()
