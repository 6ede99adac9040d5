#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The concur-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs PROGRAM NAME and demands REPORT from its sanitizer; an empty one demands none."""

import subprocess
import sys

program, name, report = sys.argv[1:]
run = subprocess.run([program, name], capture_output=True, text=True, errors='replace')

if report:
    found = run.returncode != 0 and report in run.stderr
    problem = f'the planted mistake "{name}" was not reported as "{report}"'
else:
    found = run.returncode == 0 and 'Sanitizer' not in run.stderr
    problem = f'"{name}" is correct, yet it failed or was reported'

if not found:
    sys.exit(f'{problem} (status {run.returncode}):\n{run.stdout}{run.stderr}')
