/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of loop threads share. */

#pragma once

#include "test-workers.h"

static inline ConcurLoopThread *
started (const char *name)
{
  ConcurLoopThread *thread = concur_loop_thread_new (name);
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_loop_thread_start (thread, &error));
  g_assert_no_error (error);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_RUNNING);

  return thread;
}

static inline void
stop (ConcurLoopThread *thread)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_loop_thread_stop (thread, TEST_PATIENCE_US, &error));
  g_assert_no_error (error);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);
}

static inline void
end (ConcurLoopThread *thread)
{
  stop (thread);
  g_object_unref (thread);
  concur_release_pending ();
}

static inline void
assert_clean (guint before)
{
  concur_release_pending ();
  test_iterate_until (NULL, test_futures_alive () <= before);
}

static inline gboolean
here_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  ConcurLoopThread *thread = data;

  g_assert_true (concur_loop_thread_is_current (thread));
  g_assert_true (g_main_context_get_thread_default () == concur_loop_thread_get_context (thread));
  g_assert_true (g_main_context_is_owner (concur_loop_thread_get_context (thread)));
  concur_job_return_int64 (job, 7);

  return TRUE;
}

static inline gboolean
hold_job (ConcurJob  *job,
          gpointer    held,
          GError    **error)
{
  *(ConcurJob **) held = g_object_ref (job);
  concur_job_hold (job);

  return TRUE;
}

static inline ConcurFuture *
call (ConcurLoopThread *thread,
      ConcurJobFunc     func,
      gpointer          data)
{
  g_autoptr (GError) error = NULL;
  ConcurFuture *future = concur_loop_thread_call (thread, func, data, NULL, -1, &error);

  g_assert_no_error (error);
  g_assert_nonnull (future);
  g_assert_true (concur_future_is_done (future));

  return future;
}

typedef struct
{
  ConcurLoopThread *thread;
  TestGate begun;
  TestGate cancelled; /* asked to stop */
  gint n_begun;       /* atomic */
  gint n_ended;       /* atomic */
  ConcurJob *job;     /* the loop's thread */
} Task;

static inline gboolean
task_cleaned_up (gpointer data)
{
  Task *task = data;

  g_assert_true (concur_loop_thread_is_current (task->thread));
  g_atomic_int_inc (&task->n_ended);
  concur_job_return_value (task->job, NULL);
  g_clear_object (&task->job);

  return G_SOURCE_REMOVE;
}

/* Its clean-up needs the loop for a while. */
static inline gboolean
task_told (GCancellable *cancellable,
           gpointer      data)
{
  Task *task = data;
  g_autoptr (GSource) source = g_timeout_source_new (5);

  test_gate_open (&task->cancelled);
  g_source_set_callback (source, task_cleaned_up, task, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());

  return G_SOURCE_REMOVE;
}

static inline gboolean
holding_task (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  Task *task = data;
  g_autoptr (GSource) source = g_cancellable_source_new (concur_job_get_cancellable (job));

  g_assert_true (concur_loop_thread_is_current (task->thread));
  g_source_set_callback (source, G_SOURCE_FUNC (task_told), task, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  task->job = g_object_ref (job);
  concur_job_hold (job);
  g_atomic_int_inc (&task->n_begun);
  test_gate_open (&task->begun);

  return TRUE;
}

/* A held job, whose function has returned. */
static inline ConcurJob *
hold (ConcurLoopThread *thread)
{
  ConcurJob *held = NULL;
  ConcurFuture *future = test_submit (thread, hold_job, &held);
  g_autoptr (ConcurFuture) next
      = concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, NULL);

  g_assert_nonnull (next);
  g_object_unref (future);

  return held;
}

static inline void
release (ConcurJob *held)
{
  concur_job_return_int64 (held, 5);
  g_object_unref (held);
}

typedef struct
{
  ConcurLoopThread *thread;
  TestGate ready;
  TestGate go;
  TestGate done;
} Actors;

static inline gboolean
answer_when_told (GCancellable *cancellable,
                  gpointer      job)
{
  concur_job_return_int64 (job, 5);

  return G_SOURCE_REMOVE;
}

static inline gboolean
patient_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  g_autoptr (GSource) source = g_cancellable_source_new (concur_job_get_cancellable (job));

  g_source_set_callback (source, G_SOURCE_FUNC (answer_when_told), g_object_ref (job),
                         g_object_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
  concur_job_hold (job);

  return TRUE;
}
