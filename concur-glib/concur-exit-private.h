/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* When the threads of the library are not to be counted on any more: in a process that was
 * forked they are not there, and after concur_quiesce () they stand still. Either way every
 * call that needs them says so at once.
 *
 * They stand still at gates. There is one before each place where a thread of the library
 * calls code that is not the library's; no lock is held at any of them. That of a job is
 * before the job is claimed: one that is not run has not begun either. */

#pragma once

#include "concur-sync-private.h"

G_BEGIN_DECLS

enum
{
  CONCUR_STOPPED_FORKED = 1 << 0,
  CONCUR_STOPPED_QUIET = 1 << 1,
};

/* Internal, so that a look at it need not go through a table. */
extern G_GNUC_INTERNAL ConcurWord concur_stopped;

/* Of a thread that the library started, or has borrowed from GLib. */
extern G_GNUC_INTERNAL _Thread_local gboolean concur_thread_is_own;

/* These are no points for the explorer: its models neither fork nor end. Relaxed: nothing
 * else is published by the word. */

static inline guint32
concur_stopped_bits (void)
{
  return atomic_load_explicit (&concur_stopped, CONCUR_RELAXED);
}

static inline gboolean
concur_has_stopped (void)
{
  return G_UNLIKELY (concur_stopped_bits () != 0);
}

static inline gboolean
concur_is_forked (void)
{
  return G_UNLIKELY (concur_stopped_bits () & CONCUR_STOPPED_FORKED);
}

void concur_set_stopped_error (GError **error);

/* Does not return on a thread that is to stand still. */
void concur_gate_closed       (void);

static inline void
concur_gate (void)
{
  if (concur_has_stopped ())
    concur_gate_closed ();
}

/* Whether this thread is neither one of the library's nor the one that ended it all. It goes
 * on, but the language whose code would be called may be gone: what came home to it stays
 * where it is. */
gboolean concur_is_left_out   (void);

static inline gboolean
concur_leaves_all (void)
{
  return G_UNLIKELY (concur_stopped_bits () & CONCUR_STOPPED_QUIET) && concur_is_left_out ();
}

#ifdef CONCUR_TESTING
/* Threads that stand at a gate. */
extern _Atomic gint concur_threads_still;
#endif

G_END_DECLS
