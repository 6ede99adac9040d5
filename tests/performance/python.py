#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Times Concur in Python beside the standard library: ./dev bench python. See README.md."""

import argparse
import asyncio
import concurrent.futures
import json
import multiprocessing
import os
import queue
import random
import statistics
import sys
import threading
import time

import gi

gi.require_version('Concur', '1')
from gi.repository import Concur


def same(value):
    return value


async def same_async(value):
    return value


def check(results, count):
    if results != count * (count - 1) // 2:
        raise AssertionError('a wrong result')


def blocking(submit):
    def run(count):
        check(sum(submit(same, number).result() for number in range(count)), count)
    return run


def burst(submit):
    def run(count):
        futures = [submit(same, number) for number in range(count)]
        check(sum(future.result() for future in futures), count)
    return run


def mapped(pool):
    def run(count):
        check(sum(pool.map(same, range(count))), count)
    return run


def awaited(call):
    async def main(count):
        total = 0
        for number in range(count):
            total += await call(number)
        check(total, count)

    def run(count):
        asyncio.run(main(count))
    return run


def gathered(call):
    async def main(count):
        check(sum(await asyncio.gather(*(call(number) for number in range(count)))), count)

    def run(count):
        asyncio.run(main(count))
    return run


def spawned(pool):
    async def main(count):
        total = 0
        for number in range(count):
            total += await pool.submit(same, number)
        check(total, count)

    def run(count):
        Concur.run(Concur.spawn(main(count)))
    return run


class PlainLoop:
    """What one writes without Concur."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def submit(self, function, *args):
        return asyncio.run_coroutine_threadsafe(function(*args), self.loop)

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def coroutines(submit):
    def run(count):
        check(sum(submit(same_async, number).result() for number in range(count)), count)
    return run


def numbers(count):
    yield from range(count)


def streamed(items):
    async def main(count):
        total = 0
        async for number in items(count):
            total += number
        check(total, count)

    def run(count):
        asyncio.run(main(count))
    return run


def queued(pool):
    """What one writes without Concur: a queue, and a call in the loop for each item."""
    async def items(count):
        loop = asyncio.get_running_loop()
        waiting = queue.Queue(1024)
        waiter = None

        def ready():
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

        def put(item):
            waiting.put(item)
            loop.call_soon_threadsafe(ready)

        def produce():
            for number in numbers(count):
                put(number)
            put(None)

        done = loop.run_in_executor(pool, produce)
        while True:
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                waiter = loop.create_future()
                await waiter
                continue
            if item is None:
                break
            yield item
        await done
    return items


def through_channel(pool):
    def items(count):
        channel = Concur.Channel(1024)

        def produce():
            for number in numbers(count):
                channel.send_wait(number)
            channel.close()

        pool.submit(produce)
        return channel
    return items


def run_in_executor(pool):
    def call(number):
        return asyncio.get_running_loop().run_in_executor(pool, same, number)
    return call


def workloads():
    """{name: (target, {row: run})}: the first row is the peer, and is what the others are
    compared with."""
    threads = 1
    peer = concurrent.futures.ThreadPoolExecutor(threads)
    pool = Concur.ThreadExecutor(max_threads=threads)
    standard = Concur.ThreadPoolExecutor(threads)
    plain_loop = PlainLoop()
    loop = Concur.LoopThread(name='bench')
    loop.start()
    spawned_workers, forked_workers = (
        concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context(method))
        for method in ('spawn', 'fork'))
    workers = Concur.ProcessExecutor(1)
    standard_workers = Concur.ProcessPoolExecutor(1)

    def close():
        plain_loop.stop()
        loop.stop()
        for each in spawned_workers, forked_workers, standard_workers:
            each.shutdown()
        workers.shutdown().wait()

    return {
        'submit, result': ('1.6 (1.3 for a concurrent.futures.Future)', {
            'concurrent.futures': blocking(peer.submit),
            'ThreadExecutor': blocking(pool.submit),
            'ThreadPoolExecutor': blocking(standard.submit),
        }),
        'burst': ('1.1', {
            'concurrent.futures': burst(peer.submit),
            'ThreadExecutor': burst(pool.submit),
            'ThreadPoolExecutor': burst(standard.submit),
        }),
        'map': ('', {
            'concurrent.futures': mapped(peer),
            'ThreadExecutor': mapped(pool),
            'ThreadPoolExecutor': mapped(standard),
        }),
        'awaited': ('1.3', {
            'run_in_executor': awaited(run_in_executor(peer)),
            'await ThreadExecutor': awaited(lambda number: pool.submit(same, number)),
            'run_in_executor, ours': awaited(run_in_executor(standard)),
            'await in Concur.spawn': spawned(pool),
        }),
        'gathered': ('', {
            'run_in_executor': gathered(run_in_executor(peer)),
            'await ThreadExecutor': gathered(lambda number: as_task(pool, number)),
            'run_in_executor, ours': gathered(run_in_executor(standard)),
        }),
        'stream': ('5 for generate ()', {
            'queue.Queue': streamed(queued(peer)),
            'generate': streamed(lambda count: pool.generate(numbers, count)),
            'Channel': streamed(through_channel(pool)),
        }),
        'coroutine': ('1', {
            'run_coroutine_threadsafe': coroutines(plain_loop.submit),
            'LoopThread.submit': coroutines(loop.submit),
        }),
        'processes': ('1', {
            'concurrent.futures, spawn': blocking(spawned_workers.submit),
            'concurrent.futures, fork': blocking(forked_workers.submit),
            'ProcessExecutor': blocking(workers.submit),
            'ProcessPoolExecutor': blocking(standard_workers.submit),
        }),
        'burst on processes': ('', {
            'concurrent.futures, spawn': burst(spawned_workers.submit),
            'concurrent.futures, fork': burst(forked_workers.submit),
            'ProcessExecutor': burst(workers.submit),
            'ProcessPoolExecutor': burst(standard_workers.submit),
        }),
    }, close


async def as_task(pool, number):
    return await pool.submit(same, number)


def measure(run, count):
    begin = time.perf_counter()
    run(count)
    return count / (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=15)
    parser.add_argument('--count', type=int, default=2000, help='operations each time')
    parser.add_argument('--free', action='store_true', help='on all processors, not on one')
    parser.add_argument('--only', help='workloads, separated by commas')
    parser.add_argument('--json', help='a file for all figures')
    arguments = parser.parse_args()
    if not arguments.free and hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    figures = {}
    tables, close = workloads()
    try:
        for name, (target, rows) in tables.items():
            if arguments.only and name not in arguments.only.split(','):
                continue
            for run in rows.values():
                run(arguments.count // 10)
            rates = {row: [] for row in rows}
            for _ in range(arguments.rounds):
                order = list(rows)
                random.shuffle(order)
                for row in order:
                    rates[row].append(measure(rows[row], arguments.count))
            figures[name] = rates
            peer = next(iter(rows))
            print(f'\n{name}: times the speed of {peer}' + (f'; target {target}' if target else ''))
            for row in rows:
                ratios = [own / other for own, other in zip(rates[row], rates[peer])]
                print(f'  {row:26} {statistics.median(ratios):5.2f}  '
                      f'({min(ratios):.2f} to {max(ratios):.2f})')
            sys.stdout.flush()
    finally:
        close()
    if arguments.json:
        with open(arguments.json, 'w', encoding='utf-8') as file:
            json.dump(figures, file)


if __name__ == '__main__':
    main()
