#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the benchmarks: ./dev bench, or this. See README.md."""

import argparse
import datetime
import json
import os
import platform
import random
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing of ours lands in the source tree

import counting  # noqa: E402
import workloads  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = ("throughput", "latency", "context", "posts", "combine", "timers", "tasks", "channels", "list",
            "memory", "growth", "processes")
WORKLOADS = ("W1", "W2", "W3", "W4", "W5", "tasks", "channels", "W-list", "W7", "growth", "W8")

#: meson and automake: this test cannot be run here
SKIPPED = 77


# Running

def clean_environment():
    """Nothing of the user's that changes what is measured."""
    unwanted = ("G_SLICE", "G_DEBUG", "G_MESSAGES_DEBUG", "G_ENABLE_DIAGNOSTIC", "UV_THREADPOOL_SIZE",
                "LD_PRELOAD", "GLIBC_TUNABLES")
    env = {name: value for name, value in os.environ.items()
           if name not in unwanted and not name.startswith(("MALLOC_", "CONCUR_"))}
    python = "/usr/bin/python3"
    env.update(LC_ALL="C", GIO_USE_VFS="local", GSETTINGS_BACKEND="memory", GIO_MODULE_DIR="/nonexistent",
               BENCH_PYTHON=python if os.path.exists(python) else sys.executable)
    return env


class Programs:
    def __init__(self, folder, env):
        self.folder = folder
        self.env = env
        self.cases = {name: self._list(name) for name in PROGRAMS}

    def path(self, program):
        return os.path.join(self.folder, program)

    def _list(self, program):
        done = subprocess.run([self.path(program), "--list"], env=self.env, stdout=subprocess.PIPE,
                              text=True, check=True)
        return done.stdout.split()

    def has(self, row):
        return row.case in self.cases[row.program]

    def command(self, row, options):
        return [self.path(row.program), row.case, *options]

    def run(self, row):
        return run_case(self.command(row, row.options), self.env)


def run_case(command, env, timeout=300):
    """The line a program prints; None where it cannot be measured here."""
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout)
    if done.returncode == SKIPPED:
        return None
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def build(folder):
    """Makes the build directory unless it is there, and brings it up to date."""
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", "--buildtype=release", "-Doptimization=2", "-Dbenchmarks=true",
                        "-Dtests=false", "-Dexamples=false", "-Dintrospection=disabled",
                        "-Dvapi=disabled", "-Ddocumentation=disabled", folder, SOURCE],
                       check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", folder, *(f"tests/performance/{name}" for name in PROGRAMS)],
                   check=True, stdout=sys.stderr)


# Measuring

def measure(programs, table, rounds, rng):
    """All rows of a table once a round, in a new order each time. Ratios are taken within
    a round, then their median: what is slow for all cancels."""
    rows = [row for row in table.rows if programs.has(row)]
    lines = {row.name: [] for row in rows}
    metric = table.metric
    for i in range(min(rounds, table.most_rounds)):
        progress(f"{table.workload}: {table.title}, round {i + 1}")
        for row in rng.sample(rows, len(rows)):
            lines[row.name].append(programs.run(row))
    progress("")

    if metric == "allocated" and not any(line and metric in line for line in lines[rows[0].name]):
        metric = "resident"

    result = {"title": table.title, "metric": metric, "unit": table.unit, "rows": {},
              "not built": [row.name for row in table.rows if not programs.has(row)]}
    for row in rows:
        mine = [line[metric] for line in lines[row.name] if line]
        if not mine:
            result["not built"].append(row.name)
            continue
        entry = {"median": statistics.median(mine), "min": min(mine), "max": max(mine), "ratios": {}}
        for extra in ("cpu", "switches", "p90", "p99", "resident", "wakeups", "busy_gap", "wall"):
            values = [line[extra] for line in lines[row.name] if line and extra in line]
            if values and extra != metric:
                entry[extra] = statistics.median(values)
        for reference in ((row.reference,) if row.reference else table.references):
            pairs = [(a[metric], b[metric]) for a, b in zip(lines[row.name], lines.get(reference, ()))
                     if a and b and b[metric] > 0]
            if pairs:
                entry["ratios"][reference] = spread([a / b for a, b in pairs])
        result["rows"][row.name] = entry
    return result


def spread(values):
    """Median, and the middle half of them."""
    values = sorted(values)
    quarter = len(values) // 4
    return {"median": statistics.median(values), "low": values[quarter], "high": values[-1 - quarter]}


def wanted(workload, only):
    return not only or workload.lower() in only


def count_instructions(programs, options, only):
    try:
        version = counting.valgrind_version(programs.env)
    except counting.Unavailable as error:
        return {"skipped": str(error)}

    result = {"tool": version, "rows": {}}
    for row in workloads.counts(options.quick):
        if not programs.has(row) or not wanted(row.workload, only):
            continue
        values = []
        # What threads say to each other differs a little from run to run.
        for i in range(1 if options.quick else 3):
            progress(f"instructions: {row.name}, {i + 1}")
            values.append(counting.instructions(programs.command(row, row.less),
                                                programs.command(row, row.more), row.jobs, programs.env))
        result["rows"][row.name] = spread(values)
    progress("")
    return result


def count_syscalls(programs, options, only):
    try:
        tool, count = counting.syscall_counter(programs.env)
        result = {"tool": tool, "rows": {}}
        for row in workloads.counts(options.quick):
            if row.start is None or not programs.has(row) or not wanted(row.workload, only):
                continue
            runs = []
            for i in range(1 if options.quick else 5):
                progress(f"system calls: {row.name}, {i + 1}")
                runs.append(counting.syscalls(count, programs.command(row, row.start),
                                              programs.command(row, row.more), row.since_start, programs.env))
            sums = [sum(run.values()) for run in runs]
            calls = {name: statistics.median(run.get(name, 0) for run in runs)
                     for run in runs for name in run}
            result["rows"][row.name] = {
                **spread(sums), "by name": dict(sorted(calls.items(), key=lambda item: -item[1]))}
    except counting.Unavailable as error:
        result = {"skipped": str(error)}
    progress("")
    return result


def judge(results, quick):
    verdicts = []
    for target in workloads.targets(quick):
        rows = results.get(target.source, {}).get("rows", {})
        mine, value = rows.get(target.of), None
        if mine is not None and target.to is None:
            value = mine.get(target.key)
        elif mine is not None and target.to in mine.get("ratios", {}):
            value = mine["ratios"][target.to]["median"]
        elif mine is not None and target.to in rows:
            value = mine["median"] / rows[target.to]["median"]
        verdict = ("not measured" if value is None else
                   "met, stretch too" if target.stretch and value <= target.stretch else
                   "met" if value <= target.limit else "MISSED")
        verdicts.append({"workload": target.workload, "target": target.text, "limit": target.limit,
                         "stretch": target.stretch, "value": value, "timed": target.timed,
                         "verdict": verdict})
    return verdicts


# Showing

def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def number(value, digits=3):
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def amount(value, unit):
    if unit == "time":
        return number(value / 1000) + " µs"
    if unit == "ms":
        return number(value) + " ms"
    return f"{value:.0f}"


def show_table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("| " + " | ".join(cells) + " |")


def show_measured(table, result):
    print(f"\n## {table.workload}: {table.title}\n")
    if table.note:
        print(table.note + "\n")
    head = ["", "median", "min – max"]
    if table.references:
        head += [f"× {reference}" for reference in table.references]
    else:
        head += [f"× {table.own_reference}"]
    timed = table.unit == "time"
    head += ["CPU", "switches"] if timed else ["resident"] if table.unit == "bytes" else []
    head += [table.also[1]] if table.also else []
    rows = []
    for name, entry in result["rows"].items():
        cells = [name, amount(entry["median"], table.unit),
                 f"{number(entry['min'] / 1000)} – {number(entry['max'] / 1000)}" if timed else
                 f"{number(entry['min'])} – {number(entry['max'])}" if table.unit == "ms" else
                 f"{amount(entry['min'], '')} – {amount(entry['max'], '')}"]
        own = list(entry["ratios"].values())
        for i in range(len(table.references) or 1):
            ratio = entry["ratios"].get(table.references[i]) if table.references else own[0] if own else None
            cells.append("–" if ratio is None else
                         f"{number(ratio['median'])} ({number(ratio['low'])} – {number(ratio['high'])})")
        if timed:
            cells += [amount(entry["cpu"], "time"), number(entry["switches"], 2)]
        elif table.unit == "bytes":
            cells += [amount(entry["resident"], "") if "resident" in entry else "–"]
        if table.also:
            cells.append(number(entry.get(table.also[0]), 2))
        rows.append(cells)
    show_table(head, rows)
    for name in result["not built"]:
        print(f"\n{name}: not built or not possible here")


def show_counted(title, result, show_names=False):
    print(f"\n## {title}\n")
    if "skipped" in result:
        print(f"SKIPPED: {result['skipped']}")
        return
    rows = result["rows"]
    floor, task = (rows.get(name, {}).get("median") for name in ("g_object_new + unref", "GTask"))
    head = ["", "per job", "spread", "mostly"] if show_names else \
        ["", "per job or item", "spread", "× g_object_new + unref", "× GTask"]
    body = []
    for name, entry in rows.items():
        value = entry["median"]
        if show_names:
            body.append([name, f"{value:.4f}", f"{entry['low']:.3f} – {entry['high']:.3f}", ", ".join(
                f"{call} {n:.3f}" for call, n in list(entry["by name"].items())[:3] if n >= 0.0005)])
        else:
            body.append([name, f"{value:.1f}", f"{entry['low']:.1f} – {entry['high']:.1f}",
                         number(value / floor) if floor else "–", number(value / task) if task else "–"])
    show_table(head, body)


def show_profile(programs, case, quick):
    rows = {row.case if row.program == "throughput" else f"{row.program}:{row.case}": row
            for row in workloads.counts(quick) if row.workload != "growth"}
    if case not in rows:
        sys.exit(f"nothing to profile is called {case}; there are: {', '.join(rows)}")

    def profile(row):
        progress(f"profile: {row.name}")
        return counting.profile(programs.command(row, row.less), programs.command(row, row.more), row.jobs,
                                programs.env)

    floor, _, _ = profile(rows["object"])
    own, edges, names = profile(rows[case])
    progress("")
    total = sum(own.values())
    dearest = sorted(own, key=lambda function: -own[function])

    def own_table(functions):
        show_table(["function", "library", "self", "%", "in g_object_new + unref"],
                   [[names.get(function, function[1]), function[0], f"{own[function]:.1f}",
                     f"{100 * own[function] / total:.1f}", f"{floor.get(function, 0):.1f}"]
                    for function in functions if own[function] >= 1])

    print(f"\n## Where the {total:.0f} instructions of {case} go\n")
    own_table(dearest[:30])
    print("\nThe library's own functions:\n")
    own_table([function for function in dearest if function[0].startswith("libconcur")][:40])
    print("\nWhat costs most beyond an object:\n")
    own_table(sorted(own, key=lambda function: floor.get(function, 0) - own[function])[:30])

    libraries, floor_libraries = {}, {}
    for sums, profiled in ((libraries, own), (floor_libraries, floor)):
        for (library, _), cost in profiled.items():
            sums[library] = sums.get(library, 0) + cost
    print()
    show_table(["library", "self", "%", "in g_object_new + unref"],
               [[library, f"{cost:.1f}", f"{100 * cost / total:.1f}", f"{floor_libraries.get(library, 0):.1f}"]
                for library, cost in sorted(libraries.items(), key=lambda item: -item[1]) if cost >= 1])

    # The library's own code and the benchmark's: what do they call, and what comes of it.
    print("\nCalls that leave the library or the benchmark, with all they cause:\n")
    ours = ("libconcur", rows[case].program)
    show_table(["caller", "callee", "calls a job", "instructions a job"],
               [[names.get(caller, caller[1]), names.get(callee, callee[1]), f"{calls:.2f}", f"{cost:.1f}"]
                for caller, callee, calls, cost in edges
                if caller[0].startswith(ours) and caller[0] != callee[0] and calls >= 0.01 and cost >= 1][:40])


def show_targets(verdicts):
    print("\n## Targets\n")
    show_table(["", "limit", "measured", "verdict"],
               [[f"{v['workload']} {v['target']}",
                 number(v["limit"]) + (f" (stretch {number(v['stretch'])})" if v["stretch"] else ""),
                 number(v["value"]), v["verdict"] + (" (timed)" if v["timed"] and v["value"] is not None else "")]
                for v in verdicts])


def machine():
    about = {"date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
             "system": f"{platform.system()} {platform.release()} {platform.machine()}",
             "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
             "load": [round(load, 2) for load in os.getloadavg()]}
    try:
        with open("/proc/cpuinfo") as file:
            about["processor"] = next(line.split(":", 1)[1].strip() for line in file
                                      if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    try:
        about["commit"] = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty"],
                                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                         check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pass
    return about


# The smoke test

def smoke(program):
    """Every case with a handful of jobs: it runs, and its line is JSON with figures in it."""
    env = dict(os.environ)
    cases = subprocess.run([program, "--list"], env=env, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split()
    assert cases, "no cases"
    for case in cases:
        for extra in ((), ("--pin",)) if os.path.basename(program) in ("latency", "context") else ((),):
            line = run_case([program, case, "--n", "20", "--repeat", "2", "--work", "10", "--pending", "20",
                             *extra], env, timeout=60)
            if line is None:
                print(f"{case}: skipped")
                continue
            assert line["case"] == case and line["n"] == 20, line
            figures = [line[key] for key in ("wall", "allocated", "resident") if key in line]
            assert figures and all(isinstance(value, float) for value in figures), line
            print(f"{case}: ok")


def main():
    parser = argparse.ArgumentParser(description="Measures concur-glib beside its peers.")
    parser.add_argument("--build", "--builddir", default=os.path.join(SOURCE, "build", "bench"),
                        help="build directory, made if missing (release, -O2)")
    parser.add_argument("--no-build", action="store_true", help="take the build directory as it is")
    parser.add_argument("--rounds", type=int, default=9, help="how often each case is timed (9)")
    parser.add_argument("--only", default="", metavar="W1,W2", help=f"these workloads: {' '.join(WORKLOADS)}")
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs, 3 rounds: a first look")
    parser.add_argument("--instructions", action="store_true",
                        help="count instructions and system calls instead of timing (valgrind; perf or strace)")
    parser.add_argument("--all", action="store_true", help="time, then count")
    parser.add_argument("--profile", metavar="CASE",
                        help="where the instructions of a case go: concur, or combine:concur-all")
    parser.add_argument("--json", metavar="FILE", help="write all figures there")
    parser.add_argument("--seed", type=int, help="order of the runs")
    parser.add_argument("--smoke", metavar="PROGRAM", help=argparse.SUPPRESS)
    options = parser.parse_args()

    if options.smoke:
        return smoke(options.smoke)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")

    only = {name.strip().lower() for name in options.only.split(",") if name.strip()}
    unknown = only - {name.lower() for name in WORKLOADS}
    if unknown:
        parser.error(f"unknown workload: {', '.join(sorted(unknown))}")

    if not options.no_build:
        build(os.path.abspath(options.build))
    programs = Programs(os.path.join(os.path.abspath(options.build), "tests", "performance"),
                        clean_environment())

    if options.profile:
        return show_profile(programs, options.profile, options.quick)

    about = machine()
    print(f"# concur-glib, {about['date']}\n")
    print(", ".join(f"{key} {value}" for key, value in about.items() if key != "date"))

    results = {}
    if options.all or not options.instructions:
        rng = random.Random(options.seed)
        rounds = min(options.rounds, 3) if options.quick else options.rounds
        for table in workloads.tables(options.quick):
            if wanted(table.workload, only):
                results[table.id] = measure(programs, table, rounds, rng)
                show_measured(table, results[table.id])
                sys.stdout.flush()
    if options.all or options.instructions:
        results["instructions"] = count_instructions(programs, options, only)
        show_counted("Instructions, all threads (callgrind)", results["instructions"])
        sys.stdout.flush()
        if any(row.start and wanted(row.workload, only) for row in workloads.counts(options.quick)):
            results["syscalls"] = count_syscalls(programs, options, only)
            show_counted(f"System calls ({results['syscalls'].get('tool', 'no tool')})",
                         results["syscalls"], show_names=True)

    verdicts = [verdict for verdict in judge(results, options.quick) if wanted(verdict["workload"], only)]
    show_targets(verdicts)

    if options.json:
        with open(options.json, "w") as file:
            json.dump({"about": about, "results": results, "targets": verdicts}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # `./dev bench | head`: nobody is left to tell, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OSError, RuntimeError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        sys.exit(f"bench: {error}")
