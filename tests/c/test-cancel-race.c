/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Cancelling a future at the moment when it is answered. */

#include "config.h"

#include "test-util.h"

/* A value that takes its time to be copied: between the decision that this is the answer
 * and the answer being there. */

typedef struct
{
  TestGate begun;
  TestGate go;
  gint n_copies; /* atomic */
} Slow;

static Slow *
slow_copy (Slow *self)
{
  g_atomic_int_inc (&self->n_copies);
  test_gate_open (&self->begun);
  test_gate_wait (&self->go);

  return self;
}

static void
slow_free (Slow *self)
{
  g_atomic_int_add (&self->n_copies, -1);
}

static GType slow_get_type (void);
G_DEFINE_BOXED_TYPE (Slow, slow, slow_copy, slow_free)

static void
slow_init_value (Slow   *self,
                 GValue *value)
{
  g_value_init (value, slow_get_type ());
  g_value_set_static_boxed (value, self);
}

typedef struct
{
  Slow slow;
  TestGate go;
  ConcurPromise *promise;
} Writing;

static gboolean
writing_job (ConcurJob *job,
             gpointer   data,
             GError   **error)
{
  Writing *self = data;
  GValue value = G_VALUE_INIT;

  slow_init_value (&self->slow, &value);
  concur_job_return_value (job, &value);
  test_gate_wait (&self->go);

  return TRUE;
}

/* Abandoned while it answers: the answer counts, and the function is not waited for. */
static void
test_abandon_writing (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Writing writing = { 0 };
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_submit (executor, writing_job, &writing, NULL, NULL);
  test_gate_wait (&writing.slow.begun);
  concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
  g_assert_false (concur_future_is_done (future));
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_PENDING);

  test_gate_open (&writing.slow.go);
  g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
  g_assert_true (G_VALUE_HOLDS (concur_future_get_value (future, NULL), slow_get_type ()));
  test_gate_open (&writing.go);
  test_executor_end (executor);
  g_clear_object (&future);
  test_wait_until (g_atomic_int_get (&writing.slow.n_copies) == 0);
}

static gpointer
writing_thread (gpointer data)
{
  Writing *self = data;
  GValue value = G_VALUE_INIT;

  slow_init_value (&self->slow, &value);
  g_assert_true (concur_promise_resolve (self->promise, &value));

  return NULL;
}

/* Too late: somebody else's answer is being written. */
static void
test_promise_writing (void)
{
  Writing writing = { .promise = concur_promise_new () };
  ConcurFuture *future = concur_promise_get_future (writing.promise);
  GThread *thread = g_thread_new ("writing", writing_thread, &writing);

  test_gate_wait (&writing.slow.begun);
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  g_assert_false (concur_promise_resolve_int64 (writing.promise, 1));
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);
  g_assert_false (concur_future_wait (future, 1000));
  test_gate_open (&writing.slow.go);
  g_thread_join (thread);
  g_assert_true (concur_future_check (future, NULL));
  g_object_unref (writing.promise);
  g_assert_cmpint (writing.slow.n_copies, ==, 0);
}

typedef struct
{
  TestReleases freed;
  ConcurCancelFlags flags;
  gboolean cancelled;
  gint n_run;        /* atomic */
  gint n_callbacks;  /* atomic */
} Raced;

static gboolean
raced_job (ConcurJob *job,
           gpointer   data,
           GError   **error)
{
  Raced *self = data;
  GCancellable *cancellable;

  g_atomic_int_inc (&self->n_run);
  cancellable = concur_job_get_cancellable (job);
  /* Whoever comes first, cancel () or get_cancellable (), the two end up the same: the
   * flag is set before the cancellable is told. */
  if (g_cancellable_is_cancelled (cancellable))
    g_assert_true (concur_job_is_cancelled (job));
  if (self->flags & CONCUR_CANCEL_QUEUED)
    g_assert_false (concur_job_is_cancelled (job));
  concur_job_return_int64 (job, 9);

  return TRUE;
}

static void
raced_called (ConcurFuture *future,
              gpointer      data)
{
  g_assert_true (concur_future_is_done (future));
  g_atomic_int_inc (&((Raced *) data)->n_callbacks);
}

static void
raced_freed (gpointer data)
{
  test_released (&((Raced *) data)->freed);
}

/* Cancel meets the job at every moment of its life. */
static void
test_race (gconstpointer data)
{
  ConcurCancelFlags flags = GPOINTER_TO_INT (data);
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  guint rounds = test_scaled (20000), n_cancelled = 0, i;
  g_autofree Raced *raced = g_new0 (Raced, rounds);

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      gboolean effect;
      guint yields;

      raced[i].freed.thread = g_thread_self ();
      raced[i].flags = flags;
      future = concur_executor_submit (executor, raced_job, &raced[i], raced_freed, NULL);
      concur_future_add_direct_callback (future, raced_called, &raced[i], NULL);
      for (yields = i % 8; yields > 0; yields--)
        g_thread_yield ();

      effect = concur_future_cancel (future, flags);
      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));

      if (concur_future_get_state (future) == CONCUR_FUTURE_STATE_CANCELLED)
        {
          g_assert_true (effect);
          raced[i].cancelled = TRUE;
          n_cancelled++;
        }
      else
        {
          if (flags & CONCUR_CANCEL_QUEUED)
            g_assert_false (effect);
          test_assert_int64 (future, 9);
          g_assert_cmpint (g_atomic_int_get (&raced[i].n_run), ==, 1);
        }
    }
  test_executor_end (executor);
  test_shake_stop ();

  for (i = 0; i < rounds; i++)
    {
      test_wait_until (test_releases_get (&raced[i].freed) == 1);
      g_assert_cmpuint (test_releases_get_wrong (&raced[i].freed), ==, 0);
      g_assert_cmpint (raced[i].n_run, <=, 1);
      /* One or the other. */
      if (flags & CONCUR_CANCEL_QUEUED)
        g_assert_cmpint (raced[i].n_run, ==, !raced[i].cancelled);
      g_assert_cmpint (raced[i].n_callbacks, ==, 1);
    }
  g_test_message ("%u of %u were cancelled", n_cancelled, rounds);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/cancel/writing/job", test_abandon_writing);
  g_test_add_func ("/cancel/writing/promise", test_promise_writing);
  g_test_add_data_func ("/cancel/race/ask", GINT_TO_POINTER (CONCUR_CANCEL_NONE), test_race);
  g_test_add_data_func ("/cancel/race/abandon", GINT_TO_POINTER (CONCUR_CANCEL_ABANDON), test_race);
  g_test_add_data_func ("/cancel/race/queued", GINT_TO_POINTER (CONCUR_CANCEL_QUEUED), test_race);

  return test_run ();
}
