/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A snapshot is filled by who takes it and immutable afterwards. */

#pragma once

#include "concur-snapshot.h"

G_BEGIN_DECLS

struct _ConcurSnapshot
{
  GObject parent_instance;

  char *executor_name;
  gint64 taken;                /* monotonic µs */
  guint n_threads;
  guint n_idle;
  guint n_blocked;
  guint n_pending;
  guint n_thread_failures;
  guint64 n_refused;
  guint64 n_completed;
  GArray *running;             /* of RunningJob */
};

ConcurSnapshot *concur_snapshot_new (const char     *executor_name);
/* Takes over @job_name. */
void            concur_snapshot_add (ConcurSnapshot *self,
                                     char           *job_name,
                                     const char     *thread_name,
                                     gint64          started);

G_END_DECLS
