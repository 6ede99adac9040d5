/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Executors of a main context that are shut down, let go of, or whose context goes. */

#include "config.h"

#include "test-context-executor.h"

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
