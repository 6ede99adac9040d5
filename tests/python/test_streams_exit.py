# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Python ends while values flow, groups work and limiters let nobody in: without a message,
a traceback or a wait."""

import unittest

from util import SCALE, run_script

# What is going on when the program ends. Each is set up for sure before it does.
VARIANTS = {
    'producer running': '''
def produce():
    begun.set()
    while True:
        yield Thing()
items = pool.generate(produce)
next(items)
begun.wait()
''',
    'producer that is slow': '''
def produce():
    yield Thing()
    begun.set()
    time.sleep(3600)
items = pool.generate(produce)
next(items)
begun.wait()
''',
    'producer that is full': '''
def produce():
    for number in range(10):
        if number == 2:
            begun.set()
        yield Thing()
items = pool.generate(produce, capacity=2)
next(items)
begun.wait()
''',
    'producer on a thread of its own': '''
@Concur.threaded_iterable_separate(max_size=2)
def produce():
    try:
        while True:
            begun.set()
            yield Thing()
    finally:
        Thing()
items = iter(produce())
next(items)
begun.wait()
''',
    'full channel': '''
channel = Concur.Channel(2)
def send():
    begun.set()
    while True:
        channel.send_wait(Thing())
thread(send)
begun.wait()
keep += [channel.send(Thing()) for _ in range(10)]
''',
    'empty channel': '''
channel = Concur.Channel(2)
def receive():
    begun.set()
    for thing in channel:
        keep.append(thing)
thread(receive)
begun.wait()
channel.send_wait(Thing())
keep += [channel.receive() for _ in range(10)]
''',
    'senders and receivers': '''
channel = Concur.Channel(4)
def send():
    while True:
        channel.send_wait(Thing())
def receive():
    for thing in channel:
        begun.set()
for _ in range(2):
    thread(send)
    thread(receive)
begun.wait()
''',
    'async for on a loop thread': '''
channel = Concur.Channel(2)
async def receive():
    begun.set()
    async for thing in channel:
        keep.append(thing)
loop = Concur.LoopThread()
loop.start()
keep.append(loop.submit(receive))
begun.wait()
''',
    'async for in the main context': '''
channel = Concur.Channel(2)
async def receive():
    begun.set()
    async for thing in channel:
        keep.append(thing)
future = Concur.spawn(receive())
channel.try_send(Thing())
while not keep:
    future.iterate(0.01)
''',
    'async for in a generator on a pool': '''
def produce():
    yield Thing()
    begun.set()
    time.sleep(3600)
async def receive():
    async for thing in pool.generate(produce):
        keep.append(thing)
loop = Concur.LoopThread()
loop.start()
keep.append(loop.submit(receive))
begun.wait()
''',
    'group on a pool': '''
group = Concur.TaskGroup(pool)
def work():
    begun.set()
    time.sleep(3600)
keep += [group.submit(work), *(group.submit(Thing) for _ in range(100))]
begun.wait()
''',
    'group that is closed': '''
group = Concur.TaskGroup(pool)
def work():
    begun.set()
    time.sleep(3600)
keep += [group.submit(work), group.close()]
group.when_done(keep[0], lambda future: keep.append(group))
begun.wait()
''',
    'block on a thread': '''
def work():
    begun.set()
    time.sleep(3600)
def block():
    with Concur.TaskGroup(pool) as group:
        group.submit(work)
        with Concur.TaskGroup(pool, parent=group) as inner:
            inner.submit(time.sleep, 3600)
thread(block)
begun.wait()
''',
    'block on a loop thread': '''
async def work():
    begun.set()
    await asyncio.sleep(3600)
async def block():
    async with Concur.TaskGroup(pool) as group:
        group.submit(Thing)
        async with Concur.TaskGroup(pool, parent=group) as inner:
            inner.create_task(work())
loop = Concur.LoopThread()
loop.start()
keep.append(loop.submit(block))
begun.wait()
''',
    'block in the main context': '''
async def work():
    begun.set()
    await Concur.sleep(3600)
async def block():
    async with Concur.TaskGroup(pool) as group:
        group.create_task(work())
        await group.submit(Thing)
future = Concur.spawn(block())
while not begun.is_set():
    future.iterate(0.01)
''',
    'limiter': '''
limiter = Concur.Limiter(1)
limiter.acquire_wait()
def enter():
    begun.set()
    with limiter:
        pass
async def enter_too():
    async with limiter:
        pass
thread(enter)
loop = Concur.LoopThread()
loop.start()
keep += [limiter.acquire(), limiter.submit(Thing), loop.submit(enter_too)]
begun.wait()
while limiter.waiting < 4:
    time.sleep(0.001)
''',
    'rate': '''
limiter = Concur.Limiter(0, rate=1, period=3600)
keep += [limiter.submit(Thing) for _ in range(10)]
keep[0].result()
''',
    'retry': '''
def fail(attempt):
    begun.set()
    raise OSError
future = Concur.Retry(max_attempts=0, first_delay=3600).run(fail)
while not begun.is_set():
    future.iterate(0.01)
''',
    'batch': '''
def answer(keys):
    begun.set()
    time.sleep(3600)
batcher = Concur.Batcher(answer, 2, 3600, pool)
keep += [batcher.call(Thing()) for _ in range(3)]
begun.wait()
''',
}

PROGRAM = '''
import asyncio, threading, time
keep = []
begun = threading.Event()
pool = Concur.ThreadExecutor(max_threads=3)

class Thing:
    def __del__(self):
        str(self)

def thread(function):
    def run():
        try:
            function()
        except RuntimeError as error:
            # A wait that would begin only now.
            assert 'about to end' in str(error), error
    threading.Thread(target=run, daemon=True).start()
'''

# A hundred in all.
ROUNDS = max(2, -(-100 // len(VARIANTS)) // SCALE)


class TestExit(unittest.TestCase):
    def ends(self, name):
        for _ in range(ROUNDS):
            output, errors = run_script(PROGRAM + VARIANTS[name] + '\nprint("end")')
            self.assertEqual((output, errors), ('end\n', ''))


def make_test(name):
    return lambda self: self.ends(name)


for name in VARIANTS:
    setattr(TestExit, 'test_' + name.replace(' ', '_'), make_test(name))


if __name__ == '__main__':
    unittest.main()
