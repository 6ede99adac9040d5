/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of batchers share: a function that notes what it is asked. */

#pragma once

#include "test-workers.h"

G_BEGIN_DECLS

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)

typedef struct
{
  gboolean answers;        /* a number with that plus 1000 */
  gboolean echoes;         /* with the argument */
  gint64 fails_at;         /* this argument: the whole fails there */
  GThread *thread;         /* where it is to be called */
  TestClog *clog;          /* (nullable): it waits there before it answers */
  TestReleases *releases;  /* (nullable): of the function's data */

  GMutex mutex;
  GString *seen;           /* "1 2;3;": two batches */
} Asked;

static inline gint64
argument_of (ConcurBatcherJob *job,
             guint             index)
{
  return g_value_get_int64 (concur_batcher_job_get_argument (job, index));
}

static inline gboolean
asked_func (ConcurBatcherJob  *job,
            gpointer           data,
            GError           **error)
{
  Asked *self = data;
  guint n = concur_batcher_job_get_n_calls (job), i;

  g_assert_cmpuint (n, >, 0);
  g_assert_true (self->thread == NULL || self->thread == g_thread_self ());

  if (!self->echoes)
    {
      g_mutex_lock (&self->mutex);
      if (self->seen == NULL)
        self->seen = g_string_new (NULL);
      for (i = 0; i < n; i++)
        g_string_append_printf (self->seen, "%" G_GINT64_FORMAT "%s", argument_of (job, i),
                                i < n - 1 ? " " : ";");
      g_mutex_unlock (&self->mutex);
    }

  if (self->clog != NULL)
    {
      test_gate_open (&self->clog->begun);
      test_gate_wait (&self->clog->go);
    }

  for (i = 0; i < n; i++)
    {
      if (self->echoes)
        {
          concur_batcher_job_answer (job, i, concur_batcher_job_get_argument (job, i));
          continue;
        }
      if (self->fails_at != 0 && argument_of (job, i) == self->fails_at)
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
          return FALSE;
        }
      if (self->answers)
        concur_batcher_job_answer (job, i, CONCUR_VALUE_INT64 (1000 + argument_of (job, i)));
    }

  return TRUE;
}

static inline void
asked_released (gpointer data)
{
  test_released (((Asked *) data)->releases);
}

static inline ConcurBatcher *
asked_batcher (Asked          *asked,
               ConcurExecutor *executor,
               guint           max_count,
               gint64          leeway)
{
  /* Only a test that counts them waits for them, and @asked lives no longer. */
  return concur_batcher_new (max_count, leeway, asked_func, asked,
                             asked->releases != NULL ? asked_released : NULL, executor);
}

/* The end of @asked: these were the batches. */
static inline void
asked_assert (Asked      *asked,
              const char *seen)
{
  g_mutex_lock (&asked->mutex);
  g_assert_cmpstr (asked->seen != NULL ? asked->seen->str : "", ==, seen);
  g_mutex_unlock (&asked->mutex);
  if (asked->seen != NULL)
    g_string_free (g_steal_pointer (&asked->seen), TRUE);
}

static inline ConcurFuture *
call (ConcurBatcher *batcher,
      gint64         argument)
{
  return concur_batcher_call (batcher, CONCUR_VALUE_INT64 (argument), NULL);
}

static inline ConcurExecutor *
pool_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", max_threads, NULL);
}

G_END_DECLS
