#!/usr/bin/env -S gjs -m
// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

/* Four ways to cancel: by the future, by a Gio.Cancellable, by a time limit, and because
 * another answer came first. The work is a file that would take hours to read. */

import Concur from 'gi://Concur';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

const [file, stream] = Gio.File.new_tmp('concur-cancelling-XXXXXX');
stream.get_output_stream().truncate(2 ** 42, null);
stream.close(null);

const forHours = options => Concur.fileDigest(file, GLib.ChecksumType.SHA256, options);

async function tell(how, future) {
    try {
        print(`${how}: ${await future}`);
    } catch (error) {
        if (Concur.isCancelled(error))
            print(`${how}: cancelled`);
        else
            print(`${how}: ${error.message}`);
    }
}

try {
    const byFuture = forHours();
    byFuture.connect('notify::progress', () => byFuture.cancel());
    await tell('by the future', byFuture);

    /* One cancellable for any number of jobs. */
    const cancellable = new Gio.Cancellable();
    const several = [forHours({cancellable}), forHours({cancellable})];
    cancellable.cancel();
    for (const future of several)
        await tell('by a cancellable', future);

    const late = forHours();
    await tell('by a time limit', late.withTimeout(20));
    await tell('  and the work itself', late);

    const loser = forHours();
    await tell('by a race', Concur.Future.race([loser, Concur.delay(20, 'the other was first')],
        {cancelRest: true}));
    await tell('  and the loser', loser);

    /* A function stops where it looks, clears up, and has the last word. */
    const work = Concur.Future.from(async job => {
        try {
            await forHours({cancellable: job.getCancellable()});
        } finally {
            print('the function clears up');
        }
    });
    await Concur.delay(20);
    work.cancel();
    await tell('by the future of a function', work);
} finally {
    file.delete(null);
}
