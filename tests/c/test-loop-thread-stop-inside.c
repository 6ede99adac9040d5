/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A loop thread that is stopped, or waited for, by itself and by its own pool. */

#include "config.h"

#include "test-loop-thread.h"

static gboolean
stop_inside_job (ConcurJob  *job,
                 gpointer    data,
                 GError    **error)
{
  ConcurLoopThread *thread = data;
  g_autoptr (GError) own_error = NULL;

  g_assert_false (concur_loop_thread_join (thread, -1, &own_error));
  g_assert_error (own_error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_clear_error (&own_error);
  g_assert_true (concur_loop_thread_start (thread, NULL));

  g_assert_true (concur_loop_thread_stop (thread, -1, &own_error));
  g_assert_no_error (own_error);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPING);
  g_assert_true (concur_loop_thread_stop (thread, -1, &own_error));
  g_assert_false (concur_loop_thread_start (thread, &own_error));
  g_assert_error (own_error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  concur_job_return_int64 (job, 6);

  return TRUE;
}

static void
test_own_thread (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
  ConcurFuture *future = concur_loop_thread_call (thread, stop_inside_job, thread, NULL, -1, NULL);

  test_assert_int64 (future, 6);
  g_object_unref (future);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);
  g_object_unref (thread);
  assert_clean (before);
}

/* The same in a job of its pool, for which the end waits. */
static void
test_own_pool (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
  ConcurFuture *future
      = test_submit (concur_loop_thread_get_executor (thread), stop_inside_job, thread);

  test_assert_done (future);
  test_assert_int64 (future, 6);
  g_object_unref (future);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_object_unref (thread);
  assert_clean (before);
}

typedef struct
{
  ConcurLoopThread *thread;
  TestGate calling;
} Workers;

static gboolean
calling_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Workers *workers = data;
  g_autoptr (ConcurFuture) future = NULL;
  gint64 number;

  test_gate_open (&workers->calling);
  future = concur_loop_thread_call (workers->thread, test_one_job, NULL, NULL, -1, error);
  if (future == NULL)
    return FALSE;
  number = concur_future_get_int64 (future, error);
  concur_job_return_int64 (job, number);

  return TRUE;
}

/* Workers of its own pool wait for the loop, which waits for them. */
static void
test_workers_in_call (void)
{
  guint before = test_futures_alive ();
  Workers workers = { .thread = started ("stop") };
  TestClog clog = { 0 };
  ConcurFuture *clogged = test_submit (workers.thread, test_clog_job, &clog);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  ConcurFuture *shut;
  guint i;

  test_gate_wait (&clog.begun);
  for (i = 0; i < 4; i++)
    g_ptr_array_add (futures, test_submit (concur_loop_thread_get_executor (workers.thread),
                                           calling_job, &workers));
  test_gate_wait_n (&workers.calling, 4);
  shut = concur_executor_shutdown (CONCUR_EXECUTOR (workers.thread), CONCUR_SHUTDOWN_DRAIN);
  g_object_unref (shut);
  test_gate_open (&clog.go);
  stop (workers.thread);

  for (i = 0; i < futures->len; i++)
    {
      const GError *error;

      g_assert_true (concur_future_is_done (futures->pdata[i]));
      error = concur_future_get_error (futures->pdata[i]);
      if (error != NULL)
        g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
      else
        test_assert_int64 (futures->pdata[i], 1);
    }
  g_ptr_array_set_size (futures, 0);
  test_assert_int64 (clogged, 42);
  g_object_unref (clogged);
  g_object_unref (workers.thread);
  assert_clean (before);
}

static void
stopping_inside (GObject      *source,
                 GAsyncResult *result,
                 gpointer      gate)
{
  ConcurLoopThread *thread = CONCUR_LOOP_THREAD (source);

  g_assert_true (concur_loop_thread_is_current (thread));
  g_assert_true (concur_loop_thread_stop_finish (thread, result, NULL));
  test_gate_open (gate);
}

static gboolean
stop_async_job (ConcurJob  *job,
                gpointer    gate,
                GError    **error)
{
  concur_loop_thread_stop_async (g_object_get_data (G_OBJECT (job), "thread"), NULL,
                                 stopping_inside, gate);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_async_inside (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
  TestGate gate = { 0 };
  g_autoptr (ConcurJob) job = concur_job_new (stop_async_job, &gate, NULL);

  g_object_set_data (G_OBJECT (job), "thread", thread);
  g_object_unref (concur_executor_submit_job (CONCUR_EXECUTOR (thread), job, NULL));
  test_gate_wait (&gate);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_clear_object (&job);
  g_object_unref (thread);
  assert_clean (before);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/loop-thread/stop/own-thread", test_own_thread);
  g_test_add_func ("/loop-thread/stop/own-pool", test_own_pool);
  g_test_add_func ("/loop-thread/stop/workers-in-call", test_workers_in_call);
  g_test_add_func ("/loop-thread/stop/async-inside", test_async_inside);

  return test_run ();
}
