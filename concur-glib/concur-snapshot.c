/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurSnapshot:
 *
 * What an executor was doing at one moment: who runs what since when, and counters.
 *
 * ```c
 * g_autoptr (ConcurSnapshot) snapshot = concur_thread_executor_dup_snapshot (executor);
 * g_autofree char *text = concur_snapshot_to_string (snapshot);
 *
 * g_printerr ("%s", text);
 * ```
 *
 * Taking one costs the workers nothing and may be done while the program hangs: that is
 * what it is for. The numbers are each right by themselves; work goes on while they are
 * read, so they need not add up.
 *
 * ## Threads
 *
 * A snapshot never changes and may be read from any thread.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-snapshot-private.h"
#include "concur-sync-private.h"

typedef struct
{
  char *job_name;              /* (nullable) */
  char *thread_name;
  gint64 running_time;         /* µs */
} RunningJob;

G_DEFINE_FINAL_TYPE (ConcurSnapshot, concur_snapshot, G_TYPE_OBJECT)

static void
running_job_clear (gpointer data)
{
  RunningJob *job = data;

  g_free (job->job_name);
  g_free (job->thread_name);
}

static void
concur_snapshot_finalize (GObject *object)
{
  ConcurSnapshot *self = CONCUR_SNAPSHOT (object);

  g_free (self->executor_name);
  g_array_unref (self->running);

  G_OBJECT_CLASS (concur_snapshot_parent_class)->finalize (object);
}

static void
concur_snapshot_class_init (ConcurSnapshotClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_snapshot_finalize;
}

static void
concur_snapshot_init (ConcurSnapshot *self)
{
  self->running = g_array_new (FALSE, FALSE, sizeof (RunningJob));
  g_array_set_clear_func (self->running, running_job_clear);
}

ConcurSnapshot *
concur_snapshot_new (const char *executor_name)
{
  ConcurSnapshot *self = g_object_new (CONCUR_TYPE_SNAPSHOT, NULL);

  self->executor_name = g_strdup (executor_name);
  self->taken = concur_now_coarse ();

  return self;
}

void
concur_snapshot_add (ConcurSnapshot *self,
                     char           *job_name,
                     const char     *thread_name,
                     gint64          started)
{
  RunningJob job = { job_name, g_strdup (thread_name), MAX (self->taken - started, 0) };

  g_array_append_val (self->running, job);
}

/**
 * concur_snapshot_get_n_threads:
 * @self: a snapshot
 *
 * Gets how many threads there were, busy or idle.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_snapshot_get_n_threads (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_threads;
}

/**
 * concur_snapshot_get_n_idle:
 * @self: a snapshot
 *
 * Gets how many threads were asleep for want of work.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_snapshot_get_n_idle (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_idle;
}

/**
 * concur_snapshot_get_n_blocked:
 * @self: a snapshot
 *
 * Gets how many jobs were waiting for another future.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_snapshot_get_n_blocked (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_blocked;
}

/**
 * concur_snapshot_get_n_pending:
 * @self: a snapshot
 *
 * Gets how many jobs were queued and not begun.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_snapshot_get_n_pending (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_pending;
}

/**
 * concur_snapshot_get_n_completed:
 * @self: a snapshot
 *
 * Gets how many jobs the executor has run to their end.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint64
concur_snapshot_get_n_completed (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_completed;
}

/**
 * concur_snapshot_get_n_refused:
 * @self: a snapshot
 *
 * Gets how many jobs the executor has refused, because its queue was full or because it
 * was shut down.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint64
concur_snapshot_get_n_refused (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_refused;
}

/**
 * concur_snapshot_get_n_thread_failures:
 * @self: a snapshot
 *
 * Gets how often a thread could not be started.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_snapshot_get_n_thread_failures (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->n_thread_failures;
}

/**
 * concur_snapshot_get_n_running:
 * @self: a snapshot
 *
 * Gets how many jobs were running. A job that runs another one while it waits for it
 * counts as well.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_snapshot_get_n_running (ConcurSnapshot *self)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);

  return self->running->len;
}

/**
 * concur_snapshot_get_job_name:
 * @self: a snapshot
 * @index: which of the running jobs, from 0
 *
 * Gets the name of a running job.
 *
 * Returns: (transfer none) (nullable): the name, %NULL if it has none
 *
 * Since: 1.0
 */
const char *
concur_snapshot_get_job_name (ConcurSnapshot *self,
                              guint           index)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), NULL);
  g_return_val_if_fail (index < self->running->len, NULL);

  return g_array_index (self->running, RunningJob, index).job_name;
}

/**
 * concur_snapshot_get_thread_name:
 * @self: a snapshot
 * @index: which of the running jobs, from 0
 *
 * Gets the name of the thread that runs a job, as debuggers show it.
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
concur_snapshot_get_thread_name (ConcurSnapshot *self,
                                 guint           index)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), NULL);
  g_return_val_if_fail (index < self->running->len, NULL);

  return g_array_index (self->running, RunningJob, index).thread_name;
}

/**
 * concur_snapshot_get_running_time:
 * @self: a snapshot
 * @index: which of the running jobs, from 0
 *
 * Gets how long a job had been running, to a few milliseconds.
 *
 * Returns: the time in microseconds
 *
 * Since: 1.0
 */
gint64
concur_snapshot_get_running_time (ConcurSnapshot *self,
                                  guint           index)
{
  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), 0);
  g_return_val_if_fail (index < self->running->len, 0);

  return g_array_index (self->running, RunningJob, index).running_time;
}

/**
 * concur_snapshot_to_string:
 * @self: a snapshot
 *
 * Writes the snapshot out for people: a line of counters, then a line for each running
 * job. The format may change.
 *
 * Returns: (transfer full): the text
 *
 * Since: 1.0
 */
char *
concur_snapshot_to_string (ConcurSnapshot *self)
{
  GString *text;
  guint i;

  g_return_val_if_fail (CONCUR_IS_SNAPSHOT (self), NULL);

  text = g_string_new (NULL);
  g_string_append_printf (text,
                          "%s: %u threads (%u idle, %u blocked), %u jobs queued, "
                          "%" G_GUINT64_FORMAT " completed, %" G_GUINT64_FORMAT " refused, "
                          "%u thread failures\n",
                          self->executor_name, self->n_threads, self->n_idle, self->n_blocked,
                          self->n_pending, self->n_completed, self->n_refused,
                          self->n_thread_failures);
  for (i = 0; i < self->running->len; i++)
    {
      RunningJob *job = &g_array_index (self->running, RunningJob, i);

      g_string_append_printf (text, "  %s: %s, %.1f s\n", job->thread_name,
                              job->job_name != NULL ? job->job_name : "(no name)",
                              (double) job->running_time / G_USEC_PER_SEC);
    }

  return g_string_free (text, FALSE);
}
