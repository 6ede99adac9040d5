/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that run in a main context: where, in which order, what becomes of them in the
 * end, and where what was submitted is let go. */

#include "config.h"

#include "test-workers.h"

static void
iterate_all (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static ConcurExecutor *
executor_new (GMainContext *context)
{
  return CONCUR_EXECUTOR (concur_context_executor_new (context));
}

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

typedef struct
{
  ConcurExecutor *executor;
  GMainContext *context;
  GString *log;
  GThread *thread;
  ConcurFuture *inner; /* (owned) */
} Log;

static void
log_open (Log *log)
{
  *log = (Log){ .context = g_main_context_new () };
  log->executor = executor_new (log->context);
  log->log = g_string_new (NULL);
}

static void
log_close (Log *log)
{
  iterate_all (log->context);
  g_clear_object (&log->inner);
  g_clear_object (&log->executor);
  g_string_free (log->log, TRUE);
  g_clear_pointer (&log->context, g_main_context_unref);
}

static gboolean
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

/* Everything a shutdown can meet, in one context that this thread runs. */
typedef struct
{
  GMainContext *context;
  ConcurExecutor *executor;
  ConcurShutdownMode mode;
  ConcurFuture *end;
  ConcurFuture *queued;
  gint n_posted;
} Closing;

static gboolean
held_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  concur_job_hold (job);

  return TRUE;
}

static void
closing_post (gpointer data)
{
  ((Closing *) data)->n_posted++;
}

static gboolean
closing_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Closing *closing = data;

  closing->queued = test_submit (closing->executor, test_one_job, NULL);
  g_assert_true (concur_executor_post (closing->executor, closing_post, closing, NULL));
  closing->end = concur_executor_shutdown (closing->executor, closing->mode);
  g_assert_false (concur_future_is_done (closing->end));
  g_assert_cmpint (concur_job_is_cancelled (job), ==, closing->mode == CONCUR_SHUTDOWN_CANCEL_ALL);
  if (closing->mode == CONCUR_SHUTDOWN_DRAIN)
    g_assert_false (concur_future_is_done (closing->queued));
  else
    test_assert_cancelled (closing->queued);
  concur_job_return_int64 (job, 5);

  return TRUE;
}

static void
test_shutdown_mode (gconstpointer data)
{
  Closing closing = { .context = g_main_context_new (), .mode = GPOINTER_TO_INT (data) };
  g_autoptr (ConcurFuture) held = NULL, running = NULL, again = NULL, refused = NULL;

  closing.executor = executor_new (closing.context);
  held = test_submit (closing.executor, held_job, NULL);
  iterate_all (closing.context);
  running = test_submit (closing.executor, closing_job, &closing);
  iterate_all (closing.context);

  /* What runs answers for itself, and posts are run in any mode. */
  test_assert_int64 (running, 5);
  g_assert_cmpint (closing.n_posted, ==, 1);
  if (closing.mode == CONCUR_SHUTDOWN_DRAIN)
    test_assert_int64 (closing.queued, 1);
  g_assert_cmpint (concur_job_is_cancelled (CONCUR_JOB (held)), ==,
                   closing.mode == CONCUR_SHUTDOWN_CANCEL_ALL);

  /* The same future, and a weaker mode is no news. */
  again = concur_executor_shutdown (closing.executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (again == closing.end);
  refused = test_submit (closing.executor, test_one_job, NULL);
  test_assert_error (refused, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);

  /* The held one is all that is left. */
  g_assert_false (concur_future_is_done (closing.end));
  concur_job_return_int64 (CONCUR_JOB (held), 6);
  g_assert_true (concur_future_check (closing.end, NULL));

  g_object_unref (closing.queued);
  g_object_unref (closing.end);
  g_object_unref (closing.executor);
  g_main_context_unref (closing.context);
}

static void
test_shutdown_stronger (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ConcurExecutor) executor = executor_new (context);
  g_autoptr (ConcurFuture) held = test_submit (executor, held_job, NULL);
  g_autoptr (ConcurFuture) queued = NULL, drain = NULL, pending = NULL, all = NULL;

  iterate_all (context);
  queued = test_submit (executor, test_one_job, NULL);
  drain = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_false (concur_future_is_done (queued));
  pending = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  g_assert_true (pending == drain);
  /* Nobody else runs the context. */
  test_assert_cancelled (queued);
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (held)));
  all = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  g_assert_true (all == drain);
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (held)));
  g_assert_false (concur_future_is_done (drain));
  concur_job_return_int64 (CONCUR_JOB (held), 6);
  g_assert_true (concur_future_check (drain, NULL));
}

static void
test_shutdown_empty (void)
{
  g_autoptr (ConcurExecutor) executor = executor_new (NULL);

  for (gint mode = CONCUR_SHUTDOWN_DRAIN; mode <= CONCUR_SHUTDOWN_CANCEL_ALL; mode++)
    {
      g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, mode);

      g_assert_true (concur_future_check (end, NULL));
    }
}

static gboolean
held_with_future_job (ConcurJob  *job,
                      gpointer    inner,
                      GError    **error)
{
  concur_job_return_future (job, inner);

  return TRUE;
}

/* A held job that stands for another future passes on that it is to stop. */
static void
test_shutdown_derived (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ConcurExecutor) executor = executor_new (context);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *inner = concur_promise_get_future (promise);
  g_autoptr (ConcurFuture) future = test_submit (executor, held_with_future_job, inner);
  g_autoptr (ConcurFuture) end = NULL;

  iterate_all (context);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  test_assert_cancelled (inner);
  test_assert_cancelled (future);
  g_assert_true (concur_future_check (end, NULL));
}

/* Another thread runs the context: it finds out by itself. */
static void
test_shutdown_elsewhere (void)
{
  TestLoop *loop = test_loop_new ();

  for (gint mode = CONCUR_SHUTDOWN_DRAIN; mode <= CONCUR_SHUTDOWN_CANCEL_ALL; mode++)
    {
      ConcurExecutor *executor = executor_new (test_loop_get_context (loop));
      g_autoptr (ConcurFuture) running = NULL, queued = NULL, held = NULL;
      g_autoptr (ConcurFuture) end = NULL, weaker = NULL;
      TestGate begun = { 0 };

      held = test_submit (executor, held_job, NULL);
      running = test_submit (executor, test_endless_job, &begun);
      test_gate_wait (&begun);
      queued = test_submit (executor, test_one_job, NULL);
      end = concur_executor_shutdown (executor, mode);
      weaker = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
      g_assert_true (weaker == end);
      g_assert_false (concur_future_is_done (end));
      g_assert_cmpint (concur_job_is_cancelled (CONCUR_JOB (running)), ==,
                       mode == CONCUR_SHUTDOWN_CANCEL_ALL);
      concur_future_cancel (running, CONCUR_CANCEL_NONE);
      test_assert_done (queued);
      if (mode == CONCUR_SHUTDOWN_DRAIN)
        test_assert_int64 (queued, 1);
      else
        test_assert_cancelled (queued);
      g_assert_cmpint (concur_job_is_cancelled (CONCUR_JOB (held)), ==,
                       mode == CONCUR_SHUTDOWN_CANCEL_ALL);
      g_assert_false (concur_future_wait (end, 1000));
      concur_job_return_int64 (CONCUR_JOB (held), 6);
      test_assert_done (end);
      test_assert_cancelled (running);
      g_object_unref (executor);
    }
  test_loop_free (loop);
}

typedef struct
{
  ConcurExecutor *executor;
  TestGate go;
  gint n_refused; /* atomic */
} Submitter;

static gpointer
submit_thread (gpointer data)
{
  Submitter *submitter = data;
  g_autoptr (GPtrArray) futures = test_futures_new ();

  test_gate_wait (&submitter->go);
  for (;;)
    {
      ConcurFuture *future = test_submit (submitter->executor, test_one_job, NULL);

      g_ptr_array_add (futures, future);
      if (futures->len % 4 == 0)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      if (concur_future_get_state (future) == CONCUR_FUTURE_STATE_REJECTED)
        break;
    }
  concur_future_ignore (futures->pdata[futures->len - 1]);
  test_futures_wait (futures);

  return NULL;
}

/* Whoever submits while another shuts down gets an answer. */
static void
test_shutdown_race (void)
{
  TestLoop *loop = test_loop_new ();
  guint rounds = test_scaled (100);

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      Submitter submitter = { .executor = executor_new (test_loop_get_context (loop)) };
      GThread *threads[3];
      g_autoptr (ConcurFuture) end = NULL;

      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("submit", submit_thread, &submitter);
      test_gate_open (&submitter.go);
      for (guint i = 0; i < round; i++)
        g_thread_yield ();
      end = concur_executor_shutdown (submitter.executor, round % 3);
      test_assert_done (end);
      g_assert_true (concur_future_check (end, NULL));
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
      g_object_unref (submitter.executor);
    }
  test_shake_stop ();
  test_loop_free (loop);
}

static gpointer
answer_thread (gpointer job)
{
  concur_job_return_int64 (job, 9);
  g_object_unref (job);

  return NULL;
}

/* The answer comes while the function returns, while somebody asks it to stop, and
 * while the executor goes. */
static gboolean
answered_elsewhere_job (ConcurJob  *job,
                        gpointer    data,
                        GError    **error)
{
  GThread **thread = data;

  concur_job_hold (job);
  *thread = g_thread_new ("answer", answer_thread, g_object_ref (job));

  return TRUE;
}

static void
test_held_race (void)
{
  TestLoop *loop = test_loop_new ();
  guint rounds = test_scaled (300);

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      ConcurExecutor *executor = executor_new (test_loop_get_context (loop));
      GThread *thread = NULL;
      g_autoptr (ConcurFuture) future = test_submit (executor, answered_elsewhere_job, &thread);

      if (round % 2 == 0)
        {
          ConcurShutdownMode mode = round % 4 == 0 ? CONCUR_SHUTDOWN_DRAIN
                                                   : CONCUR_SHUTDOWN_CANCEL_ALL;
          g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, mode);

          test_assert_done (end);
          g_assert_true (concur_future_is_done (future));
        }
      g_object_unref (executor);
      test_assert_done (future);
      if (concur_future_check (future, NULL))
        test_assert_int64 (future, 9);
      else
        test_assert_cancelled (future);
      if (thread != NULL)
        g_thread_join (thread);
    }
  test_shake_stop ();
  test_loop_free (loop);
}

static void
test_last_unref (void)
{
  g_autoptr (ConcurFuture) held = NULL, queued = NULL;
  Log log;

  log_open (&log);
  held = test_submit (log.executor, held_job, NULL);
  queued = test_submit (log.executor, log_job, &log);
  g_clear_object (&log.executor);
  g_assert_false (concur_future_is_done (queued));
  iterate_all (log.context);
  test_assert_int64 (queued, 1);
  g_assert_cmpint (concur_future_get_state (held), ==, CONCUR_FUTURE_STATE_RUNNING);
  concur_job_return_int64 (CONCUR_JOB (held), 2);
  test_assert_int64 (held, 2);
  log_close (&log);
}

static void
test_context_gone (void)
{
  g_autoptr (ConcurFuture) queued = NULL;
  TestReleases released = { .thread = g_thread_self () };
  Log log;

  log_open (&log);
  queued = concur_executor_submit (log.executor, log_job, &released, test_released, NULL);
  g_clear_pointer (&log.context, g_main_context_unref);
  g_assert_false (concur_future_is_done (queued));
  g_clear_object (&log.executor);
  test_assert_error (queued, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
  g_assert_cmpstr (log.log->str, ==, "");
  g_string_free (log.log, TRUE);
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
  g_test_add_data_func ("/context-executor/shutdown/drain",
                        GINT_TO_POINTER (CONCUR_SHUTDOWN_DRAIN), test_shutdown_mode);
  g_test_add_data_func ("/context-executor/shutdown/cancel-pending",
                        GINT_TO_POINTER (CONCUR_SHUTDOWN_CANCEL_PENDING), test_shutdown_mode);
  g_test_add_data_func ("/context-executor/shutdown/cancel-all",
                        GINT_TO_POINTER (CONCUR_SHUTDOWN_CANCEL_ALL), test_shutdown_mode);
  g_test_add_func ("/context-executor/shutdown/stronger", test_shutdown_stronger);
  g_test_add_func ("/context-executor/shutdown/empty", test_shutdown_empty);
  g_test_add_func ("/context-executor/shutdown/derived", test_shutdown_derived);
  g_test_add_func ("/context-executor/shutdown/elsewhere", test_shutdown_elsewhere);
  g_test_add_func ("/context-executor/shutdown/race", test_shutdown_race);
  g_test_add_func ("/context-executor/held-race", test_held_race);
  g_test_add_func ("/context-executor/last-unref", test_last_unref);
  g_test_add_func ("/context-executor/context-gone", test_context_gone);

  return test_run ();
}
