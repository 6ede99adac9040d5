/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of run_task share: an operation in GIO's manner. */

#pragma once

#include "test-workers.h"

/* An operation in GIO's manner, and what its callback saw. It is the task's data. */
typedef struct
{
  /* what is to happen */
  gssize answer;                /* negative: an error */
  gboolean waits;
  gboolean returns_later;
  gboolean forgets;
  gboolean protects;            /* itself from return-on-cancel, once it has begun */

  /* what did; in the function */
  gint n_run;                   /* atomic */
  gboolean saw_cancelled;
  gboolean may_go_on;
  ConcurPriority priority;
  char *name;
  TestGate begun, go, end;

  /* in the callback */
  GThread *thread;
  guint n;
  gssize got;
  GError *error;
  TestGate called_back;

  GTask *later;                 /* (owned) */
  TestReleases released;        /* of the task's data, by who had the task last */
} Op;

static inline void
op_released (gpointer data)
{
  Op *self = data;

  test_released (&self->released);
}

static inline void
op_func (GTask        *task,
         gpointer      source_object,
         gpointer      task_data,
         GCancellable *cancellable)
{
  Op *self = task_data;
  ConcurJob *job = concur_job_get_current ();

  g_assert_true (g_thread_self () != self->thread);
  g_assert_true (source_object == g_task_get_source_object (task));
  g_assert_true (task_data == g_task_get_task_data (task));
  g_assert_true (cancellable == g_task_get_cancellable (task));
  g_assert_nonnull (job);
  self->priority = concur_job_get_priority (job);
  self->name = concur_future_dup_name (CONCUR_FUTURE (job));
  g_atomic_int_inc (&self->n_run);

  if (self->protects)
    self->may_go_on = g_task_set_return_on_cancel (task, FALSE);
  test_gate_open (&self->begun);
  if (self->waits)
    test_gate_wait (&self->go);
  self->saw_cancelled = g_cancellable_is_cancelled (cancellable);

  if (self->returns_later)
    self->later = g_object_ref (task);
  else if (self->answer < 0)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
  else if (!self->forgets)
    g_task_return_int (task, self->answer);
  test_gate_open (&self->end);
}

static inline void
op_ready (GObject      *source,
          GAsyncResult *result,
          gpointer      data)
{
  Op *self = data;

  g_assert_true (g_task_is_valid (result, source));
  g_assert_true (g_async_result_is_tagged (result, op_func));
  g_assert_true (self->thread == g_thread_self ());
  g_assert_cmpuint (test_releases_get (&self->released), ==, 0);
  self->n++;
  self->got = g_task_propagate_int (G_TASK (result), &self->error);
  test_gate_open (&self->called_back);
}

static inline void
op_init (Op *self)
{
  *self = (Op) { .answer = 5, .thread = g_thread_self () };
}

static inline GTask *
op_task (Op           *self,
         gpointer      source,
         GCancellable *cancellable)
{
  GTask *task = g_task_new (source, cancellable, op_ready, self);

  g_task_set_source_tag (task, op_func);
  g_task_set_task_data (task, self, op_released);

  return task;
}

/* The usual four lines of a foo_async (). */
static inline void
op_async (Op           *self,
          gpointer      executor,
          gpointer      source,
          GCancellable *cancellable)
{
  g_autoptr (GTask) task = op_task (self, source, cancellable);

  concur_executor_run_task (executor, task, op_func);
  g_assert_cmpuint (self->n, ==, 0);
}

static inline void
op_wait (Op *self)
{
  test_iterate_until (NULL, self->n == 1);
}

static inline void
op_clear (Op *self)
{
  test_iterate_until (NULL, test_releases_get (&self->released) == 1);
  g_assert_cmpuint (self->n, ==, 1);
  g_clear_error (&self->error);
  g_free (self->name);
}
