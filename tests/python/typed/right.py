# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Has to be right for mypy --strict."""

import concurrent.futures
from typing import List

from gi.repository import Concur


def length(text: str, *, twice: bool = False) -> int:
    return len(text) * (2 if twice else 1)


async def measure(text: str) -> int:
    pool = Concur.get_default_executor()
    number: int = await pool.submit(length, text, twice=True)
    both: List[int] = await Concur.Future.all(pool.submit(length, text),
                                              pool.submit(length, text))
    await Concur.sleep(0.1)
    return number + sum(both)


async def together(text: str) -> int:
    async with Concur.TaskGroup(policy=Concur.GroupPolicy.CANCEL_ON_ERROR) as group:
        number = group.submit(length, text, twice=True)
        coroutine: Concur.Future[int] = group.create_task(measure(text), name='measure')
        added: bool = group.add(Concur.sleep(0.1))
        group.when_done(number, print, added)
        with Concur.TaskGroup(parent=group) as inner:
            job: Concur.Future[int] = inner.submit_job(Sum())
    return number.result() + coroutine.result() + job.result()


class Sum(Concur.Job[int]):
    def do_run(self) -> None:
        self.resolve(3)


@Concur.threaded
def threaded(text: str) -> int:
    return len(text)


@Concur.threaded_iterable
def parts(text: str) -> List[str]:
    return text.split()


async def stream(pool: Concur.ThreadExecutor, channel: Concur.Channel[str]) -> List[str]:
    async with parts('a b') as found:
        words: List[str] = [word async for word in found]
    async with pool.generate(words.copy, capacity=4) as again:
        async for word in again:
            await channel.send(word)
    channel.close()
    received: List[str] = [word async for word in channel]
    return received + list(parts.sync_call('c'))


class Reader:
    @Concur.threaded()
    def read(self, path: str) -> bytes:
        return path.encode()


@Concur.timeout(5)
async def limited(reader: Reader) -> bytes:
    read: bytes = await reader.read('path')
    return read


def main() -> None:
    with Concur.LoopThread(name='loop') as thread:
        there: int = thread.submit(measure, 'text').result() + thread.call(measure('text'))
        here: int = thread.call(length, 'text', timeout=3)
        print(there + here, thread.executor.submit(length, 'x').result())

        @thread.task
        async def task() -> None:
            await Concur.gather(measure('a'), measure('b'))

    counted: int = threaded('four').result() + threaded.sync_call('four')
    waited: int = Concur.sync_wait(measure, 'text') + Concur.call_async(None, length, 'text')
    print(counted, waited, Concur.run(limited(Reader())).decode())

    with Concur.ThreadExecutor(max_threads=2, name='disk') as pool:
        future: Concur.Future[int] = pool.submit(length, 'four', twice=True)
        text: Concur.Future[str] = future.continue_with(str)
        wide: Concur.Future[object] = future
        lengths: List[int] = list(pool.map(length, ['a', 'bc']))
        urgent = pool.options(priority=Concur.Priority.HIGH).submit(length, 'x')
        number: int = urgent.result(timeout=5) + pool.submit_job(Sum()).result()
        print(text.result().upper(), wide.result(), lengths, number)

    spawned: Concur.Future[int] = Concur.spawn(measure('text'))
    print(Concur.run(spawned, timeout=10) + Concur.run(measure('text')))

    main_loop = Concur.ContextExecutor()
    ours: Concur.Future[int] = main_loop.submit(measure, 'text')
    plain: Concur.Future[int] = main_loop.submit(length, 'text')

    promise: Concur.Promise[str] = Concur.Promise()
    promise.resolve('done')
    promised: str = promise.future.result()
    print(promised)

    with Concur.ThreadPoolExecutor(max_workers=2) as standard:
        real: concurrent.futures.Future[int] = standard.submit(length, 'text')
        both = standard.submit(length, 'text')
        done, not_done = Concur.wait([both], timeout=1)
        for one in Concur.as_completed([ours, plain]):
            total: int = one.result()
        print(real.result(), len(done), len(not_done), total)
