/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels that are filled by a job: when it starts, what comes out, and how the job
 * answers. Where it all runs is in test-generate-threads.c, what ends one early in
 * test-generate-stop.c. */

#include "config.h"

#include "test-generate.h"

static gboolean
start_try (ConcurChannel *channel)
{
  GValue value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  /* What it has sent may be there by now. */
  if (!concur_channel_try_receive (channel, &value, &error))
    {
      g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_EMPTY);
      return FALSE;
    }

  return TRUE;
}

static gboolean
start_try_many (ConcurChannel *channel)
{
  g_autoptr (ConcurBatch) batch = concur_channel_try_receive_many (channel, 1, NULL);

  return batch != NULL;
}

static gboolean
start_wait (ConcurChannel *channel)
{
  g_assert_cmpint (wait_int (channel), ==, 0);

  return TRUE;
}

static gboolean
start_wait_many (ConcurChannel *channel)
{
  g_autoptr (ConcurBatch) batch
    = concur_channel_receive_many_wait (channel, 1, TEST_PATIENCE_US, NULL);

  g_assert_nonnull (batch);

  return TRUE;
}

static gboolean
start_future (ConcurChannel *channel)
{
  g_autoptr (ConcurFuture) future = concur_channel_receive (channel);

  test_assert_done (future);
  test_assert_int64 (future, 0);

  return TRUE;
}

static gboolean
start_future_many (ConcurChannel *channel)
{
  g_autoptr (ConcurFuture) future = concur_channel_receive_many (channel, 1);

  test_assert_done (future);

  return TRUE;
}

static gboolean
start_async (ConcurChannel *channel)
{
  gint64 got = -1;

  concur_channel_receive_async (channel, NULL, on_received, &got);
  test_iterate_until (NULL, got == 0);

  return TRUE;
}

/* The first call that receives, and no other. */
static void
test_lazy (gconstpointer data)
{
  gboolean (*start) (ConcurChannel *channel) = data;
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;
  gint64 n;

  counter_init (&counter, 2);
  channel = generate (executor, &counter, 4);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpuint (concur_channel_get_capacity (channel), ==, 4);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
  g_assert_false (concur_channel_is_closed (channel));
  g_assert_false (concur_future_wait (completion, 0));
  g_assert_cmpint (test_snapshot (executor, n_threads), ==, 0);
  assert_pending (completion);

  n = start (channel) ? 1 : 0;
  test_gate_wait (&counter.begun);
  for (; n < 2; n++)
    g_assert_cmpint (wait_int (channel), ==, n);
  assert_closed (channel);
  test_assert_done (completion);
  test_assert_int64 (completion, 2);

  test_executor_end (executor);
  g_assert_cmpint (g_atomic_int_get (&counter.n_calls), ==, 1);
  counter_clear (&counter);
}

/* All of them, in order, whatever the room; then the end, again and again. */
static void
test_order (void)
{
  static const guint capacities[] = { 0, 1, 2, 7, 64 };
  gint64 n = test_scaled (5000);

  for (guint i = 0; i < G_N_ELEMENTS (capacities); i++)
    {
      ConcurExecutor *executor = pool_new (2);
      g_autoptr (ConcurChannel) channel = NULL;
      g_autoptr (ConcurFuture) completion = NULL;
      Counter counter;

      counter_init (&counter, n);
      channel = generate (executor, &counter, capacities[i]);
      g_assert_cmpuint (concur_channel_get_capacity (channel), ==, capacities[i]);
      for (gint64 j = 0; j < n; j++)
        g_assert_cmpint (wait_int (channel), ==, j);
      assert_closed (channel);
      assert_closed (channel);
      g_assert_true (concur_channel_is_closed (channel));
      assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);

      completion = concur_channel_dup_completion (channel);
      test_assert_done (completion);
      test_assert_int64 (completion, n);
      g_assert_false (concur_channel_stop (channel));

      g_assert_true (counter.thread != g_thread_self ());
      test_executor_end (executor);
      counter_clear (&counter);
    }
  assert_nothing_left ();
}

static void
test_nothing (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, 0);
  channel = generate (executor, &counter, 1);
  assert_closed (channel);
  completion = concur_channel_dup_completion (channel);
  test_assert_done (completion);
  test_assert_int64 (completion, 0);
  test_executor_end (executor);
  counter_clear (&counter);
}

/* It sends what there is room for, and then waits for the receiver. */
static void
test_back_pressure (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, 10);
  channel = generate (executor, &counter, 3);
  g_assert_cmpint (wait_int (channel), ==, 0);
  for (guint i = 1; i < 7; i++)
    {
      /* It waits with the next one in its hand. */
      test_wait_until (count_waiters (channel) == 1);
      g_assert_cmpint (g_atomic_int_get (&counter.n_sent), ==, i + 3);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);
      g_assert_cmpint (take_int (channel), ==, i);
    }
  test_gate_wait (&counter.ended);
  for (guint i = 7; i < 10; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  assert_closed (channel);
  test_executor_end (executor);
  counter_clear (&counter);
}

/* Without a bound it never waits. */
static void
test_no_bound (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, 1000);
  channel = generate (executor, &counter, 0);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_gate_wait (&counter.ended);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 999);
  test_executor_end (executor);

  /* Not before the last is received. */
  g_assert_false (concur_future_is_done (completion));
  for (guint i = 1; i < 1000; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  assert_closed (channel);
  test_assert_int64 (completion, 1000);
  counter_clear (&counter);
}

/* The error comes after what was sent before it. */
static void
test_error (gconstpointer data)
{
  gint64 n = GPOINTER_TO_INT (data);
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no more");
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL, future = NULL;
  Counter counter;

  counter_init (&counter, n);
  counter.ends_with = error;
  channel = generate (executor, &counter, 0);
  completion = concur_channel_dup_completion (channel);
  future = concur_channel_receive (channel);
  test_assert_done (future);
  if (n > 0)
    test_assert_int64 (future, 0);
  else
    test_assert_error (future, G_FILE_ERROR, 7);
  test_gate_wait (&counter.ended);
  test_executor_end (executor);

  for (gint64 i = 1; i < n; i++)
    {
      g_assert_false (concur_future_is_done (completion));
      g_assert_cmpint (take_int (channel), ==, i);
    }
  assert_ends (channel, G_FILE_ERROR, 7);
  assert_ends (channel, G_FILE_ERROR, 7);
  test_assert_error (completion, G_FILE_ERROR, 7);
  counter_clear (&counter);
}

static gboolean
answer_error (ConcurJob      *job,
              ConcurChannel  *channel,
              gpointer        data,
              GError        **error)
{
  g_autoptr (GError) own_error = g_error_new_literal (G_FILE_ERROR, 9, "answered");

  put_int (channel, 1);
  concur_job_return_error (job, own_error);
  put_int (channel, 2);

  return TRUE;
}

static gboolean
answer_number (ConcurJob      *job,
               ConcurChannel  *channel,
               gpointer        data,
               GError        **error)
{
  put_int (channel, 1);
  concur_job_return_int64 (job, 5);
  put_int (channel, 2);

  return TRUE;
}

static gboolean
say_no (ConcurJob      *job,
        ConcurChannel  *channel,
        gpointer        data,
        GError        **error)
{
  put_int (channel, 1);
  put_int (channel, 2);

  return FALSE;
}

static gboolean
error_and_yes (ConcurJob      *job,
               ConcurChannel  *channel,
               gpointer        data,
               GError        **error)
{
  put_int (channel, 1);
  put_int (channel, 2);
  g_set_error_literal (error, G_FILE_ERROR, 8, "yes and no");

  return TRUE;
}

static gboolean
close_and_fail (ConcurJob      *job,
                ConcurChannel  *channel,
                gpointer        data,
                GError        **error)
{
  put_int (channel, 1);
  put_int (channel, 2);
  concur_channel_close (channel);
  g_set_error_literal (error, G_FILE_ERROR, 8, "too late");

  return FALSE;
}

/* Whichever way it says how it went. */
static void
test_answers (void)
{
  ConcurExecutor *executor = pool_new (1);
  const struct
  {
    ConcurGenerateFunc func;
    GQuark domain;
    gint code;
  } cases[] = {
    { answer_error, G_FILE_ERROR, 9 },
    { answer_number, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED },
    { say_no, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE },
    { error_and_yes, G_FILE_ERROR, 8 },
    { close_and_fail, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ConcurChannel) channel
        = concur_executor_generate (executor, cases[i].func, NULL, NULL, 0, NULL);
      g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

      g_assert_cmpint (wait_int (channel), ==, 1);
      g_assert_cmpint (wait_int (channel), ==, 2);
      assert_ends (channel, cases[i].domain, cases[i].code);
      test_assert_done (completion);
    }
  test_executor_end (executor);
  assert_nothing_left ();
}

static void
test_shut_down (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurFuture) end = NULL, completion = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, 1);
  channel = generate (executor, &counter, 1);
  completion = concur_channel_dup_completion (channel);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  test_assert_done (end);
  /* Not an error of the channel's before somebody wants to receive. */
  g_assert_false (concur_channel_is_closed (channel));
  assert_ends (channel, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  test_assert_error (completion, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_object_unref (executor);
  counter_clear (&counter);
  g_assert_cmpint (counter.n_calls, ==, 0);
}

static void
test_queue_full (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-pending", 1, "overflow", CONCUR_OVERFLOW_REJECT,
                                           NULL);
  TestClog clog = { 0 }, next = { 0 };
  g_autoptr (ConcurFuture) runs = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) waits = NULL, future = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  test_gate_wait (&clog.begun);
  waits = test_submit (executor, test_clog_job, &next);

  counter_init (&counter, 1);
  channel = generate (executor, &counter, 1);
  future = concur_channel_receive (channel);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  assert_ends (channel, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);

  test_gate_open (&clog.go);
  test_gate_open (&next.go);
  test_executor_end (executor);
  counter_clear (&counter);
}

static void
test_mistakes (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();

  test_critical (g_assert_null (concur_executor_generate (NULL, count, NULL, NULL, 1, NULL)));
  test_critical (g_assert_null (concur_executor_generate (executor, NULL, NULL, NULL, 1, NULL)));
  test_critical (g_assert_null (
    concur_executor_generate (executor, count, NULL, NULL, (guint) G_MAXINT + 1, NULL)));
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_data_func ("/generate/lazy/try", start_try, test_lazy);
  g_test_add_data_func ("/generate/lazy/try-many", start_try_many, test_lazy);
  g_test_add_data_func ("/generate/lazy/wait", start_wait, test_lazy);
  g_test_add_data_func ("/generate/lazy/wait-many", start_wait_many, test_lazy);
  g_test_add_data_func ("/generate/lazy/future", start_future, test_lazy);
  g_test_add_data_func ("/generate/lazy/future-many", start_future_many, test_lazy);
  g_test_add_data_func ("/generate/lazy/async", start_async, test_lazy);
  g_test_add_func ("/generate/order", test_order);
  g_test_add_func ("/generate/nothing", test_nothing);
  g_test_add_func ("/generate/back-pressure", test_back_pressure);
  g_test_add_func ("/generate/no-bound", test_no_bound);
  g_test_add_data_func ("/generate/error/at-once", GINT_TO_POINTER (0), test_error);
  g_test_add_data_func ("/generate/error/after-some", GINT_TO_POINTER (5), test_error);
  g_test_add_func ("/generate/answers", test_answers);
  g_test_add_func ("/generate/shut-down", test_shut_down);
  g_test_add_func ("/generate/queue-full", test_queue_full);
  g_test_add_func ("/generate/mistakes", test_mistakes);

  return test_run ();
}
