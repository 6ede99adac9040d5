/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of executors of a main context share. */

#pragma once

#include "test-workers.h"

static inline void
iterate_all (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static inline ConcurExecutor *
executor_new (GMainContext *context)
{
  return CONCUR_EXECUTOR (concur_context_executor_new (context));
}

typedef struct
{
  ConcurExecutor *executor;
  GMainContext *context;
  GString *log;
  GThread *thread;
  ConcurFuture *inner; /* (owned) */
} Log;

static inline void
log_open (Log *log)
{
  *log = (Log){ .context = g_main_context_new () };
  log->executor = executor_new (log->context);
  log->log = g_string_new (NULL);
}

static inline void
log_close (Log *log)
{
  iterate_all (log->context);
  g_clear_object (&log->inner);
  g_clear_object (&log->executor);
  g_string_free (log->log, TRUE);
  g_clear_pointer (&log->context, g_main_context_unref);
}

static inline gboolean
log_job (ConcurJob  *job,
         gpointer    data,
         GError    **error)
{
  Log *log = data;

  g_assert_true (concur_job_get_current () == job);
  g_assert_true (g_main_context_is_owner (log->context));
  log->thread = g_thread_self ();
  g_string_append (log->log, "j");
  concur_job_return_int64 (job, (gint64) log->log->len);

  return TRUE;
}
