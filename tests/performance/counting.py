# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Figures that do not depend on how busy the machine is: instructions (callgrind) and
system calls (perf trace or strace), each as the difference of two runs of one program.
"""

import collections
import os
import re
import shutil
import subprocess
import tempfile


class Unavailable(Exception):
    """The tool is missing or does not work here; says why."""


def _run(command, env, timeout=900):
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"not done after {timeout} s: {' '.join(command)}")
    if done.returncode != 0:
        raise RuntimeError(f"exit status {done.returncode}: {' '.join(command)}\n{done.stderr[-2000:]}")
    return done


# Instructions

def valgrind_version(env):
    if shutil.which("valgrind") is None:
        raise Unavailable("valgrind is not installed")
    return _run(["valgrind", "--version"], env).stdout.strip()


def _callgrind(command, env, out):
    # Threads take turns in valgrind; the fair lock keeps one of them from having all.
    return _run(["valgrind", "--tool=callgrind", "--fair-sched=yes", f"--callgrind-out-file={out}",
                 *command], env)


def instructions(less, more, jobs, env):
    """Instructions of all threads per job, between two commands that differ by `jobs`."""
    total = []
    for command in (less, more):
        stderr = _callgrind(command, env, os.devnull).stderr
        total.append(int(re.search(r"Collected\s*:\s*(\d+)", stderr).group(1)))
    return (total[1] - total[0]) / jobs


def _read_profile(path):
    """Self cost of each function, and calls and inclusive cost of each call edge."""
    names = {"ob": {}, "fn": {}}

    def name(space, text):
        match = re.match(r"\((\d+)\)(?: (.*))?$", text)
        if match is None:
            return text
        if match.group(2) is not None:
            names[space][match.group(1)] = match.group(2)
        return names[space][match.group(1)]

    own = collections.Counter()
    edges = collections.defaultdict(lambda: [0, 0])
    library = function = callee_library = callee = calls = None
    with open(path, errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            key, equals, value = line.partition("=")
            if equals and key == "ob":
                library = os.path.basename(name("ob", value))
            elif equals and key == "fn":
                function = name("fn", value)
                callee_library = None
            elif equals and key == "cob":
                callee_library = os.path.basename(name("ob", value))
            elif equals and key == "cfn":
                callee = name("fn", value)
            elif equals and key == "calls":
                calls = int(value.split()[0])
            elif re.match(r"[0-9+*-]", line):
                # "position cost", the position absolute, relative or "*"
                cost = int(line.split()[1])
                if calls is None:
                    own[library, function] += cost
                else:
                    edge = edges[(library, function), (callee_library or library, callee)]
                    edge[0] += calls
                    edge[1] += cost
                    calls = callee_library = None
    return own, edges


def profile(less, more, jobs, env):
    """Where the instructions of a job go: {function: self}, [(caller, callee, calls,
    inclusive)] with the dearest first, and {function: readable name}. A function is a
    pair of library and name; all figures are per job."""
    profiles = []
    with tempfile.TemporaryDirectory() as folder:
        for i, command in enumerate((less, more)):
            out = os.path.join(folder, str(i))
            _callgrind(command, env, out)
            profiles.append(_read_profile(out))

    (own_less, edges_less), (own_more, edges_more) = profiles
    own = {key: (cost - own_less[key]) / jobs for key, cost in own_more.items()}
    edges = []
    for key, (calls, cost) in edges_more.items():
        before = edges_less.get(key, (0, 0))
        edges.append((*key, (calls - before[0]) / jobs, (cost - before[1]) / jobs))
    edges.sort(key=lambda edge: -edge[3])

    # Static functions of a library without debugging symbols have an address for a name;
    # who calls them most says what they are.
    names = {}
    for caller, callee, _, _ in edges:
        if callee[1].startswith("0x"):
            names.setdefault(callee, f"…{callee[1].lstrip('0x')}, called by {caller[1]}")
    return own, edges, names


# System calls

def _read_table(path, row):
    calls = collections.Counter()
    with open(path, errors="replace") as file:
        text = file.read()
    if re.search(r"\bLOST \d+ events", text):
        raise Unavailable("perf lost events")
    for line in text.splitlines():
        match = row.match(line)
        if match and match.group("name") != "total":
            calls[match.group("name")] += int(match.group("calls"))
    return calls


def _perf(command, env):
    with tempfile.NamedTemporaryFile() as out:
        _run(["perf", "trace", "-s", "-o", out.name, "--", *command], env)
        #    syscall            calls  errors  total       min …
        return _read_table(out.name, re.compile(r"\s+(?P<name>[a-z_]\w*)\s+(?P<calls>\d+)\s+\d+\s+[\d.]+\s"))


def _strace(command, env):
    with tempfile.NamedTemporaryFile() as out:
        _run(["strace", "-f", "-c", "-o", out.name, "--", *command], env)
        # % time     seconds  usecs/call     calls    errors syscall
        return _read_table(out.name, re.compile(
            r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(?P<calls>\d+)\s+(?:\d+\s+)?(?P<name>[a-z_]\w*)\s*$"))


def syscall_counter(env):
    """(name, function) of a tool that works here. perf first: strace stops the whole
    program at each call, which changes who has to wait for whom."""
    reasons = []
    for tool, label, count in (("perf", "perf trace", _perf), ("strace", "strace -f -c", _strace)):
        if shutil.which(tool) is None:
            reasons.append(f"{tool} is not installed")
            continue
        try:
            if sum(count(["true"], env).values()) > 0:
                return label, count
            reasons.append(f"{tool} counted nothing")
        except (RuntimeError, Unavailable) as error:
            reasons.append(str(error).splitlines()[0])
    raise Unavailable("; ".join(reasons))


def syscalls(count, less, more, jobs, env):
    """System calls per job by name, most frequent first."""
    first, second = count(less, env), count(more, env)
    result = {name: (second[name] - first[name]) / jobs for name in second}
    return dict(sorted(result.items(), key=lambda item: -item[1]))
