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
    unit: str              # "time", "ms" or "bytes"
    references: tuple      # names of rows
    rows: tuple
    note: str = ""
    most_rounds: int = 99  # for what does not vary
    own_reference: str = "the smaller n"  # what the rows' own references are
    also: tuple = ()       # one more column: key in the program's line, title


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
    key: str = "median"    # another figure of the row


def options(**values):
    return tuple(arg for name, value in values.items() for arg in (f"--{name}", str(value)))


#: Steps of arithmetic that take about 2 µs.
WORK = 1800

#: The same for about 1 µs.
SHORT_WORK = 900

#: Timers that wait.
TIMERS = 100000

#: Pending jobs between which growth is measured.
FEW, MANY = 2000, 32000

#: Bytes that go to a worker and back.
SIZES = {"64 bytes": 64, "4 KiB": 4096, "64 KiB": 65536, "1 MiB": 1048576}

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

    def w2_context(*more):
        n = options(n=4000 // scale, workers=2) + more
        return (
            Row("concur: when_done", "context", "concur", n),
            Row("concur: wait_async", "context", "concur-await", n),
            Row("GTask", "context", "gtask", n),
            Row("GThreadPool, g_main_context_invoke", "context", "threadpool", n),
            Row("libuv", "context", "libuv", n),
            Row("eventfd ping-pong", "context", "eventfd", n),
        )

    def w3(producers):
        n = options(n=200000 // scale, workers=producers)
        return (
            Row("concur: ContextExecutor", "posts", "concur", n),
            Row("concur: LoopThread", "posts", "concur-thread", n),
            Row("g_main_context_invoke_full", "posts", "invoke", n),
            Row("libuv, uv_async and a queue", "posts", "libuv", n),
            Row("stack and futex", "posts", "futex", n),
        )

    gap = options(n=100000 // scale, workers=1, work=SHORT_WORK)

    w4 = options(n=100000 // scale)

    def w5(*rows):
        return tuple(Row(name, "timers", case, options(n=n // scale or 10, pending=pending))
                     for name, case, n, pending in rows)

    arm = options(n=100000 // scale)
    tasks = options(n=100000 // scale, workers=2)

    pending = options(n=100000 // scale, workers=2)

    values = options(n=300000 // scale)
    items = options(n=1000000 // scale)

    def channels(*rows):
        return tuple(Row(name, "channels", case, values) for name, case in rows)

    round_trips = 3000 // scale

    def w8_bytes(*more):
        rows = []
        for title, size in SIZES.items():
            size = options(n=round_trips // (10 if size > 100000 else 1), size=size) + more
            peer = f"socketpair, {title}"
            rows += (Row(f"concur: call, {title}", "processes", "call-bytes", size, reference=peer),
                     Row(f"concur: within a job, {title}", "processes", "within-bytes", size, reference=peer),
                     Row(peer, "processes", "socket", size, reference=peer))
        return tuple(rows)

    def w8_variant(*more):
        calls = options(n=round_trips, size=64) + more
        return (
            Row("concur: call", "processes", "call-variant", calls),
            Row("concur: within a job", "processes", "within-variant", calls),
            Row("socketpair, 64 bytes", "processes", "socket", calls),
            Row("Python, ProcessPoolExecutor", "processes", "python", calls),
        )

    pools = options(n=30 // min(scale, 5)) + ("--pin",)

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
        Table("w2-context-pinned", "W2",
              "into a main context and back, one job at a time, all on one processor (median)",
              "p50", "time", ("eventfd ping-pong", "GTask"), w2_context("--pin")),
        Table("w2-context-free", "W2", "into a main context and back, one job at a time (median)",
              "p50", "time", ("eventfd ping-pong", "GTask"), w2_context(),
              "Two modes, as above: no target."),
        Table("w3-1", "W3", "posts to a loop, 1 producer, per post", "wall", "time",
              ("g_main_context_invoke_full", "stack and futex"), w3(1),
              also=("wakeups", "wake-ups per 1000")),
        Table("w3-4", "W3", "posts to a loop, 4 producers, per post", "wall", "time",
              ("g_main_context_invoke_full", "stack and futex"), w3(4),
              also=("wakeups", "wake-ups per 1000")),
        Table("w3-gap", "W3", "longest time without a 1 ms timer in a flood of posts that take 1 µs each",
              "gap", "ms", ("g_main_context_invoke_full",),
              (Row("concur: ContextExecutor", "posts", "concur-gap", gap),
               Row("concur, the timer's priority", "posts", "concur-gap-equal", gap),
               Row("g_main_context_invoke_full", "posts", "invoke-gap", gap)),
              also=("busy_gap", "ms of its own running")),
        Table("w4-all", "W4", "all of n futures, resolved one by one, per future", "wall", "time",
              ("GTask, counting down", "g_object_new + unref"),
              (Row("concur: promises, all", "combine", "concur-all", w4),
               Row("concur: jobs, all", "combine", "concur-jobs-all", w4),
               Row("GTask, counting down", "combine", "gtask-all", w4),
               Row("g_object_new + unref", "throughput", "object", w4)),
              "A promise and its future are two objects, a GTask is one."),
        Table("w4-chain", "W4", "chain of n links, completed and freed, per link", "wall", "time",
              ("GTask",),
              (Row("concur: continue_with, 256 KiB of stack", "combine", "concur-chain", w4),
               Row("concur, ten times as many links", "combine", "concur-chain",
                   options(n=1000000 // scale)),
               Row("GTask", "combine", "gtask-chain", w4)),
              "GTask, with 8 MiB of stack, recurses: it does not survive 150 000 links, with 256 KiB "
              "not 5 000.", most_rounds=5),
        Table("w5", "W5", "one iteration of the main loop while timers wait", "wall", "time",
              ("no timers",),
              w5(("no timers", "none", 100000, 0),
                 ("concur: 1 delay", "concur", 100000, 1),
                 (f"concur: {TIMERS} delays", "concur", 100000, TIMERS),
                 ("1 g_timeout", "timeouts", 100000, 1),
                 (f"{TIMERS} g_timeouts", "timeouts", 300, TIMERS),
                 ("libuv: 1 timer", "libuv", 100000, 1),
                 (f"libuv: {TIMERS} timers", "libuv", 100000, TIMERS)),
              most_rounds=5),
        Table("w5-arm", "W5", "start n timers and cancel all, per timer", "wall", "time",
              ("g_timeout", "g_object_new + unref"),
              (Row("concur: delay", "timers", "concur-arm", arm),
               Row("g_timeout", "timers", "timeouts-arm", arm),
               Row("libuv, no future", "timers", "libuv-arm", arm),
               Row("g_object_new + unref", "throughput", "object", arm))),
        Table("tasks", "tasks", "n tasks with a callback in the main context, per task", "wall", "time",
              ("g_task_run_in_thread",),
              (Row("concur: submit_task", "tasks", "submit-task", tasks),
               Row("concur: run_task", "tasks", "run-task", tasks),
               Row("concur: submit, report", "tasks", "report", tasks),
               Row("g_task_run_in_thread", "tasks", "gtask", tasks))),
        Table("channels-one", "channels", "n numbers in and out, one by one, in one thread, per number",
              "wall", "time", ("GAsyncQueue, in the pointer",),
              channels(("concur: try_send, try_receive", "channel-single"),
                       ("GAsyncQueue, in the pointer", "queue-single"),
                       ("GAsyncQueue, allocated", "queue-single-boxed"),
                       ("concur: strings", "channel-single-string"),
                       ("GAsyncQueue, strings", "queue-single-string"))),
        Table("channels-thread", "channels", "n numbers from thread to thread, per number", "wall", "time",
              ("GAsyncQueue, push and pop", "GAsyncQueue, push and try_pop"),
              channels(("concur: send_wait, receive_wait", "channel-blocking"),
                       ("concur: the same, room for 1024", "channel-blocking-bounded"),
                       ("concur: try_send, try_receive", "channel-try"),
                       ("concur: the same, tries, room for 1024", "channel-try-bounded"),
                       ("concur: receive_many_wait", "channel-many"),
                       ("GAsyncQueue, push and pop", "queue-blocking"),
                       ("GAsyncQueue, the same, allocated", "queue-blocking-boxed"),
                       ("GAsyncQueue, push and try_pop", "queue-try")),
              "The numbers of a GAsyncQueue are in the pointer, with no memory of their own. It has no "
              "bound."),
        Table("channels-loop", "channels", "n numbers from a thread to a main loop, per number", "wall",
              "time", ("GAsyncQueue, an idle source each",),
              channels(("concur: for_each", "channel-loop-each"),
                       ("concur: for_each, room for 1024", "channel-loop-each-bounded"),
                       ("concur: receive_many", "channel-loop-many"),
                       ("concur: receive_many, room for 1024", "channel-loop-many-bounded"),
                       ("concur: receive", "channel-loop-one"),
                       ("GAsyncQueue, an idle source each", "queue-loop"))),
        Table("channels-waiters", "channels", "bytes from malloc per future that waits to receive",
              "allocated", "bytes", (),
              (Row("concur: receive", "channels", "waiters", pending),), most_rounds=3),
        Table("list", "W-list", "longest 16 ms tick of a loop while a thread sends n numbers that become items of a "
              "list", "gap", "ms", (),
              (Row("concur: bind_list_store", "list", "bind", items),
               Row("concur: the same, room for 1024", "list", "bind-bounded", items),
               Row("concur: handlers take 2 µs an item", "list", "bind-slow", options(n=200000 // scale)),
               Row("concur: handlers take 1 ms a change", "list", "bind-fixed", items),
               Row("concur: for_each, append", "list", "each", items),
               Row("an idle source each, append", "list", "idle", items),
               Row("g_main_context_invoke each, append", "list", "invoke", items)),
              "Ideally 16. An idle source has a lower priority than the tick and takes only one item, so "
              "that it is in time and slow: the times are beside.", most_rounds=5,
              also=("wall", "ns per item")),
        Table("w7", "W7", "bytes from malloc per pending job", "allocated", "bytes",
              ("GTask",),
              (Row("concur: job", "memory", "concur", pending),
               Row("concur: job with a callback", "memory", "concur-callback", pending),
               Row("GTask", "memory", "gtask", pending),
               Row("GThreadPool, no future", "memory", "threadpool", pending),
               Row("libuv, no future", "memory", "libuv", pending),
               Row("GObject alone", "memory", "object", pending)),
              most_rounds=3),
        Table("w8-bytes-pinned", "W8", "call in a worker process with bytes, one at a time, all on one "
              "processor (median)", "p50", "time", (), w8_bytes("--pin"),
              "A socketpair's bytes are looked at by nobody.", own_reference="its socketpair"),
        Table("w8-pinned", "W8", "call in a worker process with a small GVariant, one at a time, all on one "
              "processor (median)", "p50", "time",
              ("socketpair, 64 bytes", "Python, ProcessPoolExecutor"), w8_variant("--pin")),
        Table("w8-free", "W8", "call in a worker process with a small GVariant, one at a time (median)",
              "p50", "time", ("socketpair, 64 bytes", "Python, ProcessPoolExecutor"), w8_variant(),
              "Two modes, as above."),
        Table("w8-first", "W8", "first call of a pool that was kept warm, one processor (median)", "p50", "time",
              ("the 20th call, after a rest", "the 20th call"),
              (Row("the first call", "processes", "first-call", pools),
               Row("the 20th call, after a rest", "processes", "rested-call", pools),
               Row("the 20th call", "processes", "later-call", pools)),
              "The median over all executors of a run. Before the first call nothing happens for 2 ms; as long a "
              "rest shows what of it is due to caches and a processor that slept.", most_rounds=5),
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

    def count_in(workload, program, name, case, jobs, syscalls=False, **more):
        system = {"start": options(n=1, **more), "since_start": 2 * jobs - 1} if syscalls else {}
        result.append(Count(name, program, case, options(n=jobs, **more), options(n=2 * jobs, **more), jobs,
                            workload=workload, **system))

    for name, case in (("post: ContextExecutor", "concur"), ("post: LoopThread", "concur-thread"),
                       ("post: g_main_context_invoke_full", "invoke"), ("post: libuv", "libuv")):
        count_in("W3", "posts", name, case, 5 * n, syscalls=True, workers=1)

    for name, case in (("all: promises", "concur-all"), ("all: jobs", "concur-jobs-all"),
                       ("all: GTask", "gtask-all"),
                       ("chain: concur", "concur-chain"), ("chain: GTask", "gtask-chain")):
        count_in("W4", "combine", name, case, n)

    timers = TIMERS // 10 if quick else TIMERS
    for name, case, times, waiting in (
            ("iteration, no timers", "none", 1000, 0), ("iteration, 1 delay", "concur", 1000, 1),
            (f"iteration, {timers} delays", "concur", 1000, timers),
            (f"iteration, {timers} g_timeouts", "timeouts", 10, timers)):
        count_in("W5", "timers", name, case, times, pending=waiting)
    for name, case in (("start, cancel: delay", "concur-arm"), ("start, cancel: g_timeout", "timeouts-arm")):
        count_in("W5", "timers", name, case, n)

    for name, case in (("submit_task", "submit-task"), ("run_task", "run-task"), ("report", "report"),
                       ("g_task_run_in_thread", "gtask")):
        count_in("tasks", "tasks", name, case, n, syscalls=True)

    for name, case in (("try_send, try_receive", "channel-single"), ("GAsyncQueue", "queue-single"),
                       ("GAsyncQueue, allocated", "queue-single-boxed"),
                       ("strings", "channel-single-string"),
                       ("GAsyncQueue, strings", "queue-single-string")):
        count_in("channels", "channels", name, case, 2 * n)
    for name, case in (("to a thread, blocking", "channel-blocking"), ("to a thread, many", "channel-many"),
                       ("to a loop, each", "channel-loop-each"), ("to a loop", "channel-loop-many"),
                       ("to a thread, GAsyncQueue", "queue-blocking"),
                       ("to a loop, GAsyncQueue", "queue-loop")):
        count_in("channels", "channels", name, case, 2 * n, syscalls=True)

    # Of the program; the worker is another process.
    for name, case in (("process call, 64 bytes", "call-bytes"), ("process call, small GVariant", "call-variant"),
                       ("within a job, 64 bytes", "within-bytes"),
                       ("within a job, small GVariant", "within-variant"), ("socketpair", "socket")):
        count_in("W8", "processes", name, case, n // 5, syscalls=True, size=64)

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
    timers = TIMERS // 10 if quick else TIMERS
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
        Target("W2", "main context, one processor: time to eventfd ping-pong", "w2-context-pinned",
               "concur: when_done", 1.1, to="eventfd ping-pong", timed=True),
        Target("W2", "main context, one processor: time to GTask", "w2-context-pinned",
               "concur: when_done", 0.4, to="GTask", timed=True),
        *(Target("W3", f"posts, producers {source[-1]}: time to g_main_context_invoke_full", source,
                 "concur: ContextExecutor", 1 / 12, to="g_main_context_invoke_full", timed=True)
          for source in ("w3-1", "w3-4")),
        Target("W3", "longest time without a 1 ms timer, ms", "w3-gap", "concur: ContextExecutor", 5,
               timed=True),
        Target("W3", "longest the loop ran without a 1 ms timer, ms", "w3-gap", "concur: ContextExecutor",
               5, timed=True, key="busy_gap"),
        *(Target("W4", f"all {what}: instructions to GTask", "instructions", f"all: {what}", 0.45,
                 to="all: GTask") for what in ("promises", "jobs")),
        Target("W4", "all: time to GTask", "w4-all", "concur: promises, all", 0.45,
               to="GTask, counting down", timed=True),
        Target("W5", f"iteration with {timers} delays: instructions to none", "instructions",
               f"iteration, {timers} delays", 1.15, to="iteration, no timers"),
        Target("W5", f"iteration with {TIMERS} delays: time to none", "w5",
               f"concur: {TIMERS} delays", 1.15, to="no timers", timed=True),
        *(Target("tasks", f"{name}: instructions to g_task_run_in_thread", "instructions", name, 0.6,
                 to="g_task_run_in_thread") for name in ("submit_task", "run_task")),
        Target("channels", "in and out: instructions to GAsyncQueue", "instructions",
               "try_send, try_receive", 1.0, to="GAsyncQueue"),
        Target("channels", "to a thread, blocking: time to GAsyncQueue", "channels-thread",
               "concur: send_wait, receive_wait", 1.0, to="GAsyncQueue, push and pop", timed=True),
        Target("channels", "to a thread, tries: time to GAsyncQueue", "channels-thread",
               "concur: try_send, try_receive", 1.0, to="GAsyncQueue, push and try_pop", timed=True),
        Target("channels", "to a loop: time to an idle source each", "channels-loop",
               "concur: receive_many", 0.2, to="GAsyncQueue, an idle source each", timed=True),
        Target("channels", "bytes a future that waits", "channels-waiters", "concur: receive", 200),
        *(Target("W-list", f"{name}: longest 16 ms tick, ms", "list", f"concur: {name}", 20, timed=True)
          for name in ("bind_list_store", "the same, room for 1024")),
        *(Target("W8", f"call with {title}, one processor: time to socketpair", "w8-bytes-pinned",
                 f"concur: call, {title}", 1.2, to=f"socketpair, {title}", timed=True) for title in SIZES),
        Target("W8", "call with a small GVariant, one processor: time to socketpair", "w8-pinned",
               "concur: call", 3.0, to="socketpair, 64 bytes", timed=True),
        Target("W8", "call with a small GVariant, one processor: time to Python's", "w8-pinned",
               "concur: call", 0.1, to="Python, ProcessPoolExecutor", timed=True),
        Target("W8", "first call of a warm pool: time to the 20th after a rest", "w8-first", "the first call",
               1.2, to="the 20th call, after a rest", timed=True),
        Target("W8", "first call of a warm pool: time to the 20th", "w8-first", "the first call", 1.2,
               to="the 20th call", timed=True),
        Target("W7", "bytes a pending job", "w7", "concur: job", 160),
    ]
    for key in ("plain", "two priorities", "one cancellable"):
        title = GROWTH[key][0]
        result.append(Target("growth", f"{title}: instructions, {many} to {FEW} pending", "instructions",
                             f"{title}: {many}", 1.5, to=f"{title}: {FEW}"))
        result.append(Target("growth", f"{title}: time, {MANY} to {FEW} pending", "growth",
                             f"{title}: {MANY}", 1.5, to=f"{title}: {FEW}", timed=True))
    return result
