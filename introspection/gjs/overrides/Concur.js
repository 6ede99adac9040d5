// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* What makes the introspected library a JavaScript one. GJS runs _init() with the
 * namespace as `this` when somebody imports it, as a module or through imports.gi.
 *
 * The order matters: later parts call what earlier ones have put in place, and the
 * natural names come last, so that they stand for the finished methods. */

const {GLib} = imports.gi;
const parts = imports.overrides._concur;

function _init() {
    /* Whatever is made here belongs to the main context, also before a loop runs. The
     * library would otherwise take a script's first lines for a thread without a loop, and
     * tell it nothing. JavaScript runs on this thread only, so nobody else can want it. */
    GLib.MainContext.default().acquire();

    parts.values.install(this);
    parts.threads.install(this);
    parts.futures.install(this);
    parts.combine.install(this);
    parts.jobs.install(this);
    parts.executors.install(this);
    parts.channels.install(this);
    parts.limits.install(this);
    parts.batches.install(this);
    parts.groups.install(this);
    parts.processes.install(this);
    parts.names.install(this);
}
