#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""test-exit.py PROGRAM: a hundred times, the program ends at once with work running."""

import subprocess
import sys

WAYS = ('return', 'exit', 'worker', 'shutdown')
TIMES = 25

program = sys.argv[1]
print(f'1..{len(WAYS)}')
failed = False
for number, way in enumerate(WAYS, 1):
    problem = None
    for turn in range(TIMES):
        try:
            done = subprocess.run([program, way], capture_output=True, text=True, timeout=150)
        except subprocess.TimeoutExpired:
            problem = f'turn {turn} did not end'
            break
        if done.returncode != 0 or done.stderr:
            problem = f'turn {turn} ended with {done.returncode}: {done.stderr.strip()}'
            break
    failed |= problem is not None
    print('not ok' if problem else 'ok', number, f'{TIMES} times {way}', flush=True)
    if problem:
        print('#', problem)
sys.exit(failed)
