# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""mypy --strict has to find just what is said to be wrong."""

from gi.repository import Concur


def length(text: str) -> int:
    return len(text)


async def measure(text: str) -> int:
    return len(text)


async def main(pool: Concur.ThreadExecutor) -> None:
    pool.submit(length, 3)  # wrong: arg-type
    pool.submit(length)  # wrong: call-arg
    pool.submit(length, 'a', base=3)  # wrong: call-arg
    future: Concur.Future[str] = pool.submit(length, 'a')  # wrong: arg-type
    future.result(5).upper()
    (await pool.submit(length, 'a')).upper()  # wrong: attr-defined
    pool.submit(length, 'a').result('soon')  # wrong: arg-type
    pool.submit(length, 'a').then(print)  # wrong: attr-defined
    pool.max_threads = 3  # wrong: misc
    pool.shutdown('now')  # wrong: arg-type
    Concur.ThreadExecutor(threads=3)  # wrong: call-arg
    Concur.spawn(measure)  # wrong: arg-type
    Concur.Priority.URGENT  # wrong: attr-defined
    Concur.Promise[int]().resolve('text')  # wrong: arg-type
    Concur.TaskGroup().submit(length, 3)  # wrong: arg-type
    Concur.TaskGroup().create_task(measure)  # wrong: arg-type
    Concur.TaskGroup(policy='collect')  # wrong: arg-type
