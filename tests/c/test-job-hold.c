/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that answer later than their function returns, or from another thread. */

#include "config.h"

#include "test-util.h"

static ConcurExecutor *executor;

/* Runs @func to the end and gives its future. */
static ConcurFuture *
run (ConcurJobFunc func,
     gpointer      data)
{
  ConcurFuture *future = concur_executor_submit (executor, func, data, NULL, NULL);

  g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));

  return future;
}

static gboolean
answering_job (ConcurJob *job,
               gpointer   data,
               GError   **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
assert_later (ConcurFuture *future)
{
  g_autofree char *text = concur_future_dup_string (future, NULL);

  g_assert_cmpstr (text, ==, "later");
}

typedef struct
{
  TestGate returned;
  TestGate go;
  ConcurJob *job;  /* (owned) whoever answers later has it */
  GThread *thread;
  gboolean within; /* the other thread has answered when the function returns */
  gboolean hold;
  gint code;       /* the function's own error, or -1 */
  TestReleases *freed;
} Held;

static void
held_freed (gpointer data)
{
  test_released (((Held *) data)->freed);
}

static gpointer
answer_thread (gpointer data)
{
  Held *self = data;

  if (!self->within)
    test_gate_wait (&self->go);
  concur_job_return_string (self->job, "later");
  g_object_unref (self->job);

  return NULL;
}

static gboolean
held_job (ConcurJob *job,
          gpointer   data,
          GError   **error)
{
  Held *self = data;

  self->job = g_object_ref (job);
  if (self->hold)
    concur_job_hold (job);
  self->thread = g_thread_new ("answer", answer_thread, self);
  if (self->within)
    g_thread_join (self->thread);
  test_gate_open (&self->returned);

  if (self->code < 0)
    return TRUE;

  g_set_error_literal (error, G_IO_ERROR, self->code, "held and failed");

  return FALSE;
}

static void
test_hold (void)
{
  Held held = { .hold = TRUE, .code = -1 };
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = NULL, other = NULL;
  ConcurJob *job = concur_job_new (held_job, &held, NULL);

  test_releases_watch (&releases, job);
  future = concur_executor_submit_job (executor, job, NULL);
  test_gate_wait (&held.returned);

  /* The worker is free for others meanwhile. */
  other = run (answering_job, NULL);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RUNNING);
  test_gate_open (&held.go);
  g_assert_true (concur_future_wait (future, -1));
  assert_later (future);
  g_thread_join (held.thread);

  g_object_unref (job);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_clear_object (&future);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
}

/* What was submitted with a held job stays until the answer. */
static void
test_hold_keeps_data (void)
{
  Held held = { .hold = TRUE, .code = -1 };
  TestReleases releases = { .thread = g_thread_self () };
  GCancellable *cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL, other = NULL;

  test_releases_watch (&releases, cancellable);
  held.freed = &releases;
  future = concur_executor_submit (executor, held_job, &held, held_freed, cancellable);
  g_object_unref (cancellable);

  test_gate_wait (&held.returned);
  other = run (answering_job, NULL);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);

  test_gate_open (&held.go);
  g_thread_join (held.thread);
  g_assert_true (concur_future_wait (future, -1));
  test_wait_until (test_releases_get (&releases) == 2);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

static void
test_answer_within (void)
{
  guint hold;

  /* Another thread answers before the function returns, whether it is held or not. */
  for (hold = FALSE; hold <= TRUE; hold++)
    {
      Held held = { .hold = hold, .within = TRUE, .code = -1 };
      g_autoptr (ConcurFuture) future = run (held_job, &held);

      assert_later (future);
    }
}

static gboolean
hold_and_answer_job (ConcurJob *job,
                     gpointer   data,
                     GError   **error)
{
  concur_job_hold (job);
  concur_job_hold (job);
  concur_job_return_int64 (job, 1);
  concur_job_hold (job);

  return TRUE;
}

static void
test_hold_and_answer (void)
{
  g_autoptr (ConcurFuture) future = run (hold_and_answer_job, NULL);

  test_assert_int64 (future, 1);
}

static void
test_error_after_hold (void)
{
  Held held = { .hold = TRUE, .code = G_IO_ERROR_EXISTS };
  g_autoptr (ConcurFuture) future = run (held_job, &held);

  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
  /* The answer that comes is too late, and harmless. */
  test_gate_open (&held.go);
  g_thread_join (held.thread);
  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
}

typedef struct
{
  TestGate gate;
  ConcurJob *job;
} RacingHold;

static gpointer
racing_answer_thread (gpointer data)
{
  RacingHold *self = data;

  test_gate_wait (&self->gate);
  concur_job_return_int64 (self->job, 1);
  g_object_unref (self->job);

  return NULL;
}

static gboolean
racing_hold_job (ConcurJob *job,
                 gpointer   data,
                 GError   **error)
{
  RacingHold *self = data;

  self->job = g_object_ref (job);
  concur_job_hold (job);
  test_gate_open (&self->gate);

  return TRUE;
}

/* The answer comes at the very moment the function returns. */
static void
test_hold_races_return (void)
{
  guint rounds = test_scaled (3000), i;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      RacingHold racing = { 0 };
      GThread *thread = g_thread_new ("answer", racing_answer_thread, &racing);
      g_autoptr (ConcurFuture) future = run (racing_hold_job, &racing);

      test_assert_int64 (future, 1);
      g_thread_join (thread);
    }
  test_shake_stop ();
}

int
main (int    argc,
      char **argv)
{
  int status;

  test_init (&argc, &argv);
  executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));

  g_test_add_func ("/job/hold/answered-later", test_hold);
  g_test_add_func ("/job/hold/keeps-data", test_hold_keeps_data);
  g_test_add_func ("/job/hold/answered-within", test_answer_within);
  g_test_add_func ("/job/hold/own-answer", test_hold_and_answer);
  g_test_add_func ("/job/hold/error-after", test_error_after_hold);
  g_test_add_func ("/job/hold/races-return", test_hold_races_return);

  status = test_run ();
  test_executor_end (executor);

  return status;
}
