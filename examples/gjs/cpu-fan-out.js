#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Counts the primes below a number, on as many processors as there are.
 *
 * usage: cpu-fan-out.js [--workers N] LIMIT
 *
 * JavaScript has no threads, so the functions of primes.js are called in worker processes.
 * The main loop is free meanwhile: it ticks. */

import Concur from 'gi://Concur';
import GLib from 'gi://GLib';
import {exit, programArgs} from 'system';

const SLICES = 50;
const TICK_MS = 16;

const args = [...programArgs];
const maxWorkers = args[0] === '--workers' ? Number(args.splice(0, 2)[1]) : 0;
const limit = Number(args[0]);
if (args.length !== 1 || !Number.isSafeInteger(limit) || limit < 0 ||
    !Number.isSafeInteger(maxWorkers) || maxWorkers < 0) {
    printerr('usage: cpu-fan-out.js [--workers N] LIMIT');
    exit(2);
}

let ticks = 0;
const ticker = GLib.timeout_add(GLib.PRIORITY_DEFAULT, TICK_MS, () => {
    ticks++;
    return GLib.SOURCE_CONTINUE;
});

const pool = new Concur.ProcessExecutor({
    module: import.meta.url.replace('cpu-fan-out', 'primes'),
    maxWorkers,
});
const begins = Array.from({length: SLICES + 1}, (_, i) => Math.floor(limit * i / SLICES));
const counts = await Concur.Future.all(
    begins.slice(1).map((end, i) => pool.call('count', [begins[i], end])));
const workers = pool.dup_pids().length;

GLib.source_remove(ticker);
print(`${counts.reduce((sum, n) => sum + n)} primes below ${limit}`);
print(`counted by ${workers} workers; the main loop ticked ${ticks} times`);
await pool.shutdown();
