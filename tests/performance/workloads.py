# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What is measured, against whom, and what it should come to.

Rows name a case of one of the C programs. A table is one experiment: its rows run in turn,
so that a neighbour who makes the machine slow for a while makes it slow for all of them.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    name: str
    program: str
    case: str
    options: tuple = ()
    #: for tables whose rows do not all have the same reference
    reference: str = None


@dataclass(frozen=True)
class Table:
    id: str
    workload: str
    title: str
    metric: str            # key in the program's line
    unit: str              # "time" or "bytes"
    references: tuple      # names of rows
    rows: tuple
    note: str = ""
    most_rounds: int = 99  # for what does not vary


@dataclass(frozen=True)
class Target:
    """`value` of `of`, divided by that of `to` if there is one, shall be at most `limit`."""
    workload: str
    text: str
    source: str            # a table's id, "instructions" or "syscalls"
    of: str
    limit: float
    to: str = None
    stretch: float = None
    timed: bool = False    # depends on the machine's mood: for information


def options(**values):
    return tuple(arg for name, value in values.items() for arg in (f"--{name}", str(value)))


#: Steps of arithmetic that take about 2 µs.
WORK = 1800

#: Pending jobs between which growth is measured.
FEW, MANY = 2000, 32000

GROWTH = {
    "plain": ("plain", "concur-plain"),
    "two priorities": ("two priorities", "concur-priorities"),
    "one cancellable": ("one shared GCancellable", "concur-cancellable"),
    "cancelled together": ("all cancelled by one GCancellable", "concur-cancel-shared"),
    "cancelled each": ("each cancelled, last first", "concur-cancel-each"),
    "GTask plain": ("GTask, plain", "gtask-plain"),
    "GTask two priorities": ("GTask, two priorities", "gtask-priorities"),
    "GTask one cancellable": ("GTask, one shared GCancellable", "gtask-cancellable"),
}


def tables(quick=False):
    scale = 10 if quick else 1

    def throughput(n, **more):
        return options(n=n // scale, workers=2, **more)

    def w1(n, **more):
        return (
            Row("concur: submit, result", "throughput", "concur", throughput(n, **more)),
            Row("concur, main context owned", "throughput", "concur-owner", throughput(n, **more)),
            Row("concur, callback in the loop", "throughput", "concur-loop", throughput(n, **more)),
            Row("GTask", "throughput", "gtask", throughput(n, **more)),
            Row("GThreadPool, no result", "throughput", "threadpool", throughput(n, **more)),
            Row("GThreadPool, GAsyncQueue", "throughput", "threadpool-queue", throughput(n, **more)),
            Row("libuv", "throughput", "libuv", throughput(n, **more)),
        )

    def w2(*more):
        n = options(n=4000 // scale, workers=2) + more
        return (
            Row("concur: submit, wait", "latency", "concur", n),
            Row("concur, main context owned", "latency", "concur-owner", n),
            Row("GTask, run_in_thread_sync", "latency", "gtask", n),
            Row("GThreadPool, GCond", "latency", "threadpool", n),
            Row("libuv, uv_run", "latency", "libuv", n),
            Row("futex ping-pong", "latency", "futex", n),
        )

    pending = options(n=100000 // scale, workers=2)

    growth = []
    for title, case in GROWTH.values():
        few, many = f"{title}: {FEW}", f"{title}: {MANY}"
        growth.append(Row(few, "growth", case, options(n=FEW, repeat=MANY // FEW), reference=few))
        growth.append(Row(many, "growth", case, options(n=MANY), reference=few))

    return [
        Table("w1", "W1", "submit and read n jobs, 2 workers, per job", "wall", "time",
              ("GTask", "g_object_new + unref"),
              w1(100000) + (Row("g_object_new + unref", "throughput", "object", throughput(100000)),),
              "Jobs do nothing: what is seen is allocation and who wakes whom."),
        Table("w1-work", "W1", "the same with about 2 µs of work in each job", "wall", "time",
              ("GTask", "the work, one thread"),
              w1(50000, work=WORK) + (
                  Row("the work, one thread", "throughput", "work", throughput(50000, work=WORK)),),
              "Two workers on two processors can reach 0.5 of the work alone."),
        Table("w1-map", "W1", "map_range, per item", "wall", "time",
              ("concur: submit, result",),
              (Row("chunk 1", "throughput", "map-1", throughput(1000000)),
               Row("chunk 64", "throughput", "map-64", throughput(1000000)),
               Row("concur: submit, result", "throughput", "concur", throughput(100000)))),
        Table("w2-pinned", "W2", "blocked wait, one job at a time, all on one processor (median)",
              "p50", "time", ("futex ping-pong", "GTask, run_in_thread_sync"), w2("--pin")),
        Table("w2-free", "W2", "blocked wait, one job at a time (median)",
              "p50", "time", ("futex ping-pong", "GTask, run_in_thread_sync"), w2(),
              "Two modes a factor of ten apart, depending on whether the other processor sleeps: "
              "no target."),
        Table("w7", "W7", "bytes from malloc per pending job", "allocated", "bytes",
              ("GTask",),
              (Row("concur: job", "memory", "concur", pending),
               Row("concur: job with a callback", "memory", "concur-callback", pending),
               Row("GTask", "memory", "gtask", pending),
               Row("GThreadPool, no future", "memory", "threadpool", pending),
               Row("libuv, no future", "memory", "libuv", pending),
               Row("GObject alone", "memory", "object", pending)),
              most_rounds=3),
        Table("growth", "growth", f"per job with {FEW} and with {MANY} pending", "wall", "time",
              (), tuple(growth)),
    ]


@dataclass(frozen=True)
class Count:
    """A case whose instructions are counted: the difference between `more` and `less`,
    divided by `jobs`, so that start and end of the program cancel. Where system calls are
    counted, too, it is the difference between `more` and `start`, which differ by
    `since_start` jobs: how often threads wake each other varies so much from run to run
    that two long runs say little."""
    name: str
    program: str
    case: str
    less: tuple
    more: tuple
    jobs: int
    workload: str = "W1"
    start: tuple = None
    since_start: int = 0


def counts(quick=False):
    n = 3000 if quick else 10000
    items = 100000 if quick else 400000
    result = []

    def count(name, case, jobs=n, syscalls=False):
        system = {"start": options(n=1), "since_start": 2 * jobs - 1} if syscalls else {}
        result.append(Count(name, "throughput", case, options(n=jobs), options(n=2 * jobs), jobs, **system))

    count("g_object_new + unref", "object")
    count("concur: submit, result", "concur", syscalls=True)
    count("concur, main context owned", "concur-owner", syscalls=True)
    count("concur, callback in the loop", "concur-loop", syscalls=True)
    count("map_range, chunk 1", "map-1", items)
    count("map_range, chunk 64", "map-64", items)
    count("map_range, chunk 1, empty function", "map-1-empty", items)
    count("map_range, chunk 64, empty function", "map-64-empty", items)
    count("GTask", "gtask", syscalls=True)
    count("GThreadPool, no result", "threadpool", syscalls=True)
    count("GThreadPool, GAsyncQueue", "threadpool-queue", syscalls=True)
    count("libuv", "libuv", syscalls=True)

    # Not GTask: a quadratic thing in a simulator takes too long.
    many = 8000 if quick else MANY
    for key, (title, case) in GROWTH.items():
        if not case.startswith("concur"):
            continue
        for which, pending, times in (("few", FEW, many // FEW), ("many", many, 1)):
            result.append(Count(f"{title}: {pending}", "growth", case,
                                options(n=pending, repeat=times), options(n=pending, repeat=2 * times),
                                pending * times, workload="growth"))
    return result


def targets(quick=False):
    many = 8000 if quick else MANY
    concur, floor = "concur: submit, result", "g_object_new + unref"
    result = [
        Target("W1", "submit, result: instructions to g_object_new + unref", "instructions", concur, 1.25,
               to=floor, stretch=1.15),
        Target("W1", "submit, result: instructions to GTask", "instructions", concur, 0.37, to="GTask"),
        Target("W1", "submit, result: system calls a job", "syscalls", concur, 0.05),
        # The function that fills a slot has instructions of its own, as many again; its rows
        # stand in the table of instructions.
        Target("W1", "map_range itself: instructions an item, chunk 1", "instructions",
               "map_range, chunk 1, empty function", 25),
        Target("W1", "map_range itself: instructions an item, chunk 64", "instructions",
               "map_range, chunk 64, empty function", 5),
        Target("W1", "submit, result: time to GTask", "w1", concur, 0.37, to="GTask", timed=True),
        Target("W2", "blocked, one processor: time to futex ping-pong", "w2-pinned",
               "concur: submit, wait", 1.0, to="futex ping-pong", timed=True),
        Target("W2", "blocked, one processor: time to GTask", "w2-pinned",
               "concur: submit, wait", 0.4, to="GTask, run_in_thread_sync", timed=True),
        Target("W7", "bytes a pending job", "w7", "concur: job", 160),
    ]
    for key in ("plain", "two priorities", "one cancellable"):
        title = GROWTH[key][0]
        result.append(Target("growth", f"{title}: instructions, {many} to {FEW} pending", "instructions",
                             f"{title}: {many}", 1.5, to=f"{title}: {FEW}"))
        result.append(Target("growth", f"{title}: time, {MANY} to {FEW} pending", "growth",
                             f"{title}: {MANY}", 1.5, to=f"{title}: {FEW}", timed=True))
    return result
