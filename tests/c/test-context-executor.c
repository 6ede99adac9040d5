/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that run in a main context: where, in which order, and where what was submitted is
 * let go. The end of such an executor is in test-context-executor-end.c. */

#include "config.h"

#include "test-context-executor.h"

static void
test_properties (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContext) got = NULL;
  g_autoptr (ConcurContextExecutor) plain = concur_context_executor_new (NULL);
  g_autoptr (ConcurContextExecutor) given = NULL, pushed = NULL, other = NULL;
  int priority;

  g_assert_true (CONCUR_IS_EXECUTOR (plain));
  g_assert_true (concur_context_executor_get_context (plain) == g_main_context_default ());
  g_assert_cmpint (concur_context_executor_get_priority (plain), ==, G_PRIORITY_HIGH_IDLE + 30);

  given = concur_context_executor_new (context);
  g_assert_true (concur_context_executor_get_context (given) == context);

  g_main_context_push_thread_default (context);
  pushed = concur_context_executor_new (NULL);
  g_main_context_pop_thread_default (context);
  g_assert_true (concur_context_executor_get_context (pushed) == context);

  other = g_object_new (CONCUR_TYPE_CONTEXT_EXECUTOR, "context", context, "priority", -5, NULL);
  g_object_get (other, "context", &got, "priority", &priority, NULL);
  g_assert_true (got == context);
  g_assert_cmpint (priority, ==, -5);
  g_assert_cmpint (concur_context_executor_get_priority (other), ==, -5);
}

static void
log_post (gpointer data)
{
  g_string_append (((Log *) data)->log, "p");
}

static gboolean
log_submitting_job (ConcurJob  *job,
                    gpointer    data,
                    GError    **error)
{
  Log *log = data;

  g_string_append (log->log, "(");
  log->inner = test_submit (log->executor, log_job, log);
  g_assert_false (concur_future_is_done (log->inner));
  g_string_append (log->log, ")");
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static gboolean
log_nesting_job (ConcurJob  *job,
                 gpointer    data,
                 GError    **error)
{
  Log *log = data;

  g_string_append (log->log, "<");
  iterate_all (log->context);
  g_assert_true (concur_job_get_current () == job);
  g_string_append (log->log, ">");
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
test_order (void)
{
  g_autoptr (ConcurFuture) first = NULL, second = NULL, third = NULL;
  Log log;

  log_open (&log);
  first = test_submit_at (log.executor, CONCUR_PRIORITY_IDLE, log_job, &log);
  g_assert_true (concur_executor_post (log.executor, log_post, &log, NULL));
  second = test_submit (log.executor, log_submitting_job, &log);
  third = test_submit_at (log.executor, CONCUR_PRIORITY_HIGH, log_job, &log);
  g_assert_cmpstr (log.log->str, ==, "");
  g_assert_cmpint (concur_future_get_state (first), ==, CONCUR_FUTURE_STATE_PENDING);

  iterate_all (log.context);
  g_assert_cmpstr (log.log->str, ==, "jp()jj");
  test_assert_int64 (first, 1);
  test_assert_int64 (third, 5);
  test_assert_int64 (log.inner, 6);
  g_assert_true (log.thread == g_thread_self ());
  log_close (&log);
}

static void
test_nested_loop (void)
{
  g_autoptr (ConcurFuture) outer = NULL, next = NULL;
  Log log;

  log_open (&log);
  outer = test_submit (log.executor, log_nesting_job, &log);
  next = test_submit (log.executor, log_job, &log);
  g_assert_true (concur_executor_post (log.executor, log_post, &log, NULL));
  iterate_all (log.context);
  g_assert_cmpstr (log.log->str, ==, "<jp>");
  log_close (&log);
}

static gboolean
failing_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "no");

  return FALSE;
}

static gboolean
silent_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  return TRUE;
}

static void
test_outcomes (void)
{
  g_autoptr (ConcurFuture) failing = NULL, silent = NULL, one = NULL;
  TestLoop *loop = test_loop_new ();
  ConcurExecutor *executor = executor_new (test_loop_get_context (loop));

  failing = test_submit (executor, failing_job, NULL);
  silent = test_submit (executor, silent_job, NULL);
  one = test_submit (executor, test_one_job, NULL);
  test_assert_done (one);
  test_assert_int64 (one, 1);
  test_assert_error (failing, G_IO_ERROR, G_IO_ERROR_EXISTS);
  test_assert_error (silent, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  test_executor_end (executor);
  test_loop_free (loop);
}

/* What was submitted, and the job itself, go back to the thread that submitted. */
static gboolean
tracked_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  g_autoptr (GObject) value = g_object_new (G_TYPE_OBJECT, NULL);

  test_releases_watch (data, value);
  concur_job_return_object (job, value);

  return TRUE;
}

static void
test_release (void)
{
  TestLoop *loop = test_loop_new ();
  ConcurExecutor *executor = executor_new (test_loop_get_context (loop));
  TestReleases released = { .thread = g_thread_self () };
  guint n = test_scaled (2000), per_job = 0;

  test_shake_start ();
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ConcurFuture) future = NULL;

      test_releases_watch (&released, cancellable);
      future = concur_executor_submit (executor, tracked_job, &released, test_released,
                                       cancellable);
      /* Some are cancelled, most of them in the queue: their value is never made. */
      if (i % 3 == 0)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      if (i % 7 == 0)
        {
          test_assert_done (future);
          per_job += concur_future_check (future, NULL) ? 3 : 2;
        }
      else if (i % 3 == 0)
        {
          per_job += concur_future_get_state (future) == CONCUR_FUTURE_STATE_CANCELLED ? 2 : 3;
        }
      else
        {
          per_job += 3;
        }
    }
  test_executor_end (executor);
  test_wait_until (test_releases_get (&released) >= per_job);
  test_shake_stop ();
  g_assert_cmpuint (test_releases_get (&released), ==, per_job);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
  test_loop_free (loop);
}

static void
test_cancel_queued (void)
{
  g_autoptr (ConcurFuture) future = NULL, next = NULL;
  TestReleases released = { .thread = g_thread_self () };
  guint alive = test_futures_alive ();
  Log log;

  log_open (&log);
  future = concur_executor_submit (log.executor, log_job, &released, test_released, NULL);
  next = test_submit (log.executor, log_job, &log);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  /* Released although it is still in the queue. */
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  iterate_all (log.context);
  g_assert_cmpstr (log.log->str, ==, "j");
  test_assert_int64 (next, 1);

  g_clear_object (&future);
  g_clear_object (&next);
  log_close (&log);
  concur_release_pending ();
  g_assert_cmpuint (test_futures_alive (), ==, alive);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
}

static void
test_cancel_parent (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;
  Log log;

  log_open (&log);
  future = concur_executor_submit (log.executor, log_job, &log, NULL, cancellable);
  g_cancellable_cancel (cancellable);
  iterate_all (log.context);
  test_assert_done (future);
  test_assert_cancelled (future);
  g_assert_cmpstr (log.log->str, ==, "");
  log_close (&log);
}

static void
test_cancel_running (void)
{
  TestLoop *loop = test_loop_new ();
  ConcurExecutor *executor = executor_new (test_loop_get_context (loop));
  TestGate begun = { 0 };
  g_autoptr (ConcurFuture) future = test_submit (executor, test_endless_job, &begun);

  test_gate_wait (&begun);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_done (future);
  test_assert_cancelled (future);
  test_executor_end (executor);
  test_loop_free (loop);
}

/* Waiting on the thread that is to run the job is refused, elsewhere it is not. */
static gboolean
waiting_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Log *log = data;
  g_autoptr (ConcurFuture) queued = test_submit (log->executor, log_job, log);
  g_autoptr (GError) refused = NULL;

  g_assert_false (concur_future_wait (queued, -1));
  g_assert_null (concur_future_result (queued, TEST_PATIENCE_US, &refused));
  g_assert_error (refused, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_assert_true (concur_future_iterate (queued, log->context, -1, NULL));
  concur_job_return_int64 (job, 3);

  return TRUE;
}

static void
test_would_deadlock (void)
{
  g_autoptr (ConcurFuture) future = NULL;
  TestLoop *loop = test_loop_new ();
  Log log = { .context = g_main_context_ref (test_loop_get_context (loop)),
              .log = g_string_new (NULL) };

  log.executor = executor_new (log.context);
  future = test_submit (log.executor, waiting_job, &log);
  test_assert_done (future);
  test_assert_int64 (future, 3);
  test_executor_end (g_steal_pointer (&log.executor));
  test_loop_free (loop);
  log_close (&log);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/context-executor/properties", test_properties);
  g_test_add_func ("/context-executor/order", test_order);
  g_test_add_func ("/context-executor/nested-loop", test_nested_loop);
  g_test_add_func ("/context-executor/outcomes", test_outcomes);
  g_test_add_func ("/context-executor/release", test_release);
  g_test_add_func ("/context-executor/cancel-queued", test_cancel_queued);
  g_test_add_func ("/context-executor/cancel-parent", test_cancel_parent);
  g_test_add_func ("/context-executor/cancel-running", test_cancel_running);
  g_test_add_func ("/context-executor/would-deadlock", test_would_deadlock);

  return test_run ();
}
