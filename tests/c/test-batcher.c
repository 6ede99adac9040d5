/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Batchers: when a batch starts, who is in it, and who gets which answer. */

#include "config.h"

#include "test-batcher.h"
#include "test-hold.h"

static void
test_full (void)
{
  Asked asked = { .answers = TRUE };
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, executor, 3, HOUR_US);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  gint64 i;

  for (i = 0; i < 7; i++)
    {
      g_ptr_array_add (futures, call (batcher, i));
      g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, (i + 1) % 3);
    }
  for (i = 0; i < 6; i++)
    {
      test_assert_done (futures->pdata[i]);
      test_assert_int64 (futures->pdata[i], 1000 + i);
    }
  g_assert_cmpint (concur_future_get_state (futures->pdata[6]), ==, CONCUR_FUTURE_STATE_PENDING);
  concur_batcher_flush (batcher);
  test_assert_done (futures->pdata[6]);
  asked_assert (&asked, "0 1 2;3 4 5;6;");
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  test_executor_end (executor);
}

/* Without a main loop, and not before its time. */
static void
test_leeway (void)
{
  TestHold hold = { 0 };
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 0, 20000);
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;
  g_autoptr (ConcurFuture) third = NULL;
  gint64 start;

  g_assert_true (concur_timer_start (&hold.timer, 0, test_hold_fire, NULL));
  test_gate_wait (&hold.clog.begun);
  start = g_get_monotonic_time ();
  first = call (batcher, 1);
  second = call (batcher, 2);
  test_gate_open (&hold.clog.go);
  test_assert_done (first);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  test_assert_done (second);
  test_assert_int64 (first, 1001);
  test_assert_int64 (second, 1002);

  /* The next batch has a time of its own. */
  start = g_get_monotonic_time ();
  third = call (batcher, 3);
  test_assert_done (third);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  asked_assert (&asked, "1 2;3;");
}

static void
test_flush (void)
{
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 0, HOUR_US);
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;

  concur_batcher_flush (batcher);
  first = call (batcher, 1);
  second = call (batcher, 2);
  g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, 2);
  concur_batcher_flush (batcher);
  g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, 0);
  test_assert_done (first);
  test_assert_done (second);
  concur_batcher_flush (batcher);
  asked_assert (&asked, "1 2;");
}

static void
test_drop (void)
{
  TestReleases releases = { .thread = g_thread_self () };
  Asked asked = { .answers = TRUE, .releases = &releases };
  ConcurBatcher *batcher = asked_batcher (&asked, NULL, 0, HOUR_US);
  g_autoptr (ConcurFuture) first = call (batcher, 1);
  g_autoptr (ConcurFuture) second = call (batcher, 2);

  g_object_unref (batcher);
  test_assert_done (first);
  test_assert_done (second);
  test_assert_int64 (first, 1001);
  test_assert_int64 (second, 1002);
  asked_assert (&asked, "1 2;");
  /* The futures do not keep it. */
  test_wait_until (test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  /* Unused. */
  batcher = asked_batcher (&asked, NULL, 0, HOUR_US);
  g_object_unref (batcher);
  g_assert_cmpuint (test_releases_get (&releases), ==, 2);
}

static void
test_types (void)
{
  Asked asked = { .echoes = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 1, HOUR_US);
  g_autoptr (ConcurFuture) text = concur_batcher_call (batcher, CONCUR_VALUE_STRING ("x"), NULL);
  g_autoptr (ConcurFuture) none = concur_batcher_call (batcher, NULL, NULL);
  const GValue *value;

  test_assert_done (text);
  test_assert_done (none);
  g_assert_cmpstr (g_value_get_string (concur_future_get_value (text, NULL)), ==, "x");
  value = concur_future_get_value (none, NULL);
  g_assert_true (G_VALUE_HOLDS_OBJECT (value) && g_value_get_object (value) == NULL);
}

/* One error is the answer to all that have none. */
static void
test_error (void)
{
  Asked asked = { .answers = TRUE, .fails_at = 2 };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 3, HOUR_US);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, call (batcher, i + 1));
  test_futures_wait (futures);
  test_assert_int64 (futures->pdata[0], 1001);
  test_assert_error (futures->pdata[1], G_IO_ERROR, G_IO_ERROR_BUSY);
  test_assert_error (futures->pdata[2], G_IO_ERROR, G_IO_ERROR_BUSY);
  asked_assert (&asked, "1 2 3;");
}

static gboolean
odd_func (ConcurBatcherJob  *job,
          gpointer           data,
          GError           **error)
{
  g_autoptr (GError) busy = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  g_autoptr (GError) cancelled = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "no");

  g_assert_true (concur_job_get_current () == CONCUR_JOB (job));
  g_assert_cmpuint (concur_batcher_job_get_n_calls (job), ==, 5);
  g_assert_true (concur_batcher_job_answer_error (job, 0, busy));
  g_assert_false (concur_batcher_job_is_wanted (job, 0));
  g_assert_false (concur_batcher_job_answer (job, 0, CONCUR_VALUE_INT64 (1)));
  g_assert_true (concur_batcher_job_answer (job, 1, CONCUR_VALUE_INT64 (1)));
  g_assert_false (concur_batcher_job_answer (job, 1, CONCUR_VALUE_INT64 (2)));
  g_assert_false (concur_batcher_job_answer_error (job, 1, busy));
  g_assert_true (concur_batcher_job_answer (job, 3, NULL));
  g_assert_true (concur_batcher_job_answer_error (job, 4, cancelled));
  g_assert_true (concur_batcher_job_is_wanted (job, 2));
  g_assert_cmpint (argument_of (job, 1), ==, 1);

  return data == NULL;
}

/* Out of order, twice, not at all; @data: and then a failure without an error. */
static void
test_odd_answers (gconstpointer data)
{
  g_autoptr (ConcurBatcher) batcher = concur_batcher_new (5, HOUR_US, odd_func, (gpointer) data,
                                                          NULL, NULL);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  const GValue *value;
  guint i;

  for (i = 0; i < 5; i++)
    g_ptr_array_add (futures, call (batcher, i));
  test_futures_wait (futures);
  test_assert_error (futures->pdata[0], G_IO_ERROR, G_IO_ERROR_BUSY);
  test_assert_int64 (futures->pdata[1], 1);
  test_assert_error (futures->pdata[2], CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  value = concur_future_get_value (futures->pdata[3], NULL);
  g_assert_true (G_VALUE_HOLDS_OBJECT (value) && g_value_get_object (value) == NULL);
  test_assert_cancelled (futures->pdata[4]);
}

static gboolean
wrong_func (ConcurBatcherJob  *job,
            gpointer           data,
            GError           **error)
{
  test_critical (g_assert_null (concur_batcher_job_get_argument (job, 1)));
  test_critical (g_assert_false (concur_batcher_job_is_wanted (job, 1)));
  test_critical (g_assert_false (concur_batcher_job_answer (job, 1, NULL)));
  test_critical (g_assert_false (concur_batcher_job_answer_error (job, 0, NULL)));
  /* That is no answer to anybody. */
  concur_job_return_string (CONCUR_JOB (job), "mine");

  return TRUE;
}

static void
test_wrong (void)
{
  g_autoptr (ConcurBatcher) batcher = g_object_new (CONCUR_TYPE_BATCHER, "max-count", 1, NULL);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurBatcherJob) job = g_object_new (CONCUR_TYPE_BATCHER_JOB, NULL);
  g_autoptr (ConcurFuture) run = NULL;

  test_critical (g_assert_null (concur_batcher_new (1, 0, wrong_func, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_batcher_new (1, 1, NULL, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_batcher_call (batcher, NULL, NULL)));
  concur_batcher_set_func (batcher, wrong_func, NULL, NULL);
  test_critical (concur_batcher_set_func (batcher, wrong_func, NULL, NULL));
  future = call (batcher, 1);
  test_assert_done (future);
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);

  /* One that no batcher made. */
  g_assert_cmpuint (concur_batcher_job_get_n_calls (job), ==, 0);
  test_critical (g_assert_null (concur_batcher_job_get_argument (job, 0)));
  run = concur_executor_submit_job (concur_executor_get_default (), CONCUR_JOB (job), NULL);
  test_assert_done (run);
  test_assert_error (run, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
}

static void
test_properties (void)
{
  TestReleases releases = { .thread = g_thread_self () };
  Asked asked = { .answers = TRUE };
  ConcurExecutor *executor = pool_new (1);
  ConcurBatcher *batcher = g_object_new (CONCUR_TYPE_BATCHER, "executor", executor, "max-count", 2,
                                         "leeway", HOUR_US, NULL);
  g_autoptr (ConcurBatcher) plain = g_object_new (CONCUR_TYPE_BATCHER, NULL);
  g_autoptr (ConcurExecutor) got = NULL;
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;
  guint max_count, waiting;
  gint64 leeway;

  g_object_get (batcher, "executor", &got, "max-count", &max_count, "leeway", &leeway, "waiting",
                &waiting, NULL);
  g_assert_true (got == executor && concur_batcher_get_executor (batcher) == executor);
  g_assert_true (max_count == 2 && concur_batcher_get_max_count (batcher) == 2);
  g_assert_true (leeway == HOUR_US && concur_batcher_get_leeway (batcher) == HOUR_US);
  g_assert_cmpuint (waiting, ==, 0);
  asked.releases = &releases;
  concur_batcher_set_func (batcher, asked_func, &asked, asked_released);
  first = call (batcher, 1);
  second = call (batcher, 2);
  test_assert_done (second);
  test_assert_int64 (first, 1001);
  g_object_unref (batcher);
  asked_assert (&asked, "1 2;");
  test_wait_until (test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  g_assert_true (concur_batcher_get_executor (plain) == concur_executor_get_default ());
  g_assert_cmpuint (concur_batcher_get_max_count (plain), ==, 0);
  g_assert_cmpint (concur_batcher_get_leeway (plain), ==, 10000);
  test_executor_end (executor);
}

/* The answer is there when it is given, not when the batch ends. */
static gboolean
slow_func (ConcurBatcherJob  *job,
           gpointer           data,
           GError           **error)
{
  TestClog *clog = data;

  concur_batcher_job_answer (job, 1, CONCUR_VALUE_INT64 (5));
  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
  concur_batcher_job_answer (job, 0, CONCUR_VALUE_INT64 (6));

  return TRUE;
}

static void
test_direct_answer (void)
{
  TestClog clog = { 0 };
  g_autoptr (ConcurBatcher) batcher = concur_batcher_new (2, HOUR_US, slow_func, &clog, NULL, NULL);
  g_autoptr (ConcurFuture) first = call (batcher, 0);
  g_autoptr (ConcurFuture) second = call (batcher, 1);

  test_assert_done (second);
  test_assert_int64 (second, 5);
  test_gate_wait (&clog.begun);
  g_assert_false (concur_future_is_done (first));
  g_assert_cmpint (concur_future_get_state (first), ==, CONCUR_FUTURE_STATE_PENDING);
  test_gate_open (&clog.go);
  test_assert_done (first);
  test_assert_int64 (first, 6);
}

/* Later than the function returns. */
typedef struct
{
  TestGate held;
  ConcurBatcherJob *job;
} Later;

static gboolean
hold_func (ConcurBatcherJob  *job,
           gpointer           data,
           GError           **error)
{
  Later *later = data;

  concur_job_hold (CONCUR_JOB (job));
  later->job = g_object_ref (job);
  test_gate_open (&later->held);

  return TRUE;
}

static void
test_hold (void)
{
  Later later = { 0 };
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurBatcher) batcher = concur_batcher_new (3, HOUR_US, hold_func, &later, NULL,
                                                          executor);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurFuture) other = NULL;
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, call (batcher, i));
  test_gate_wait (&later.held);
  /* It has returned, for there is only one thread. */
  other = test_submit (executor, test_one_job, NULL);
  test_assert_done (other);
  for (i = 3; i-- > 0; )
    {
      g_assert_false (concur_future_is_done (futures->pdata[i]));
      g_assert_false (concur_future_is_done (CONCUR_FUTURE (later.job)));
      g_assert_cmpint (argument_of (later.job, i), ==, i);
      /* It ends with the last of them, be they wanted or not. */
      if (i == 1)
        concur_future_cancel (futures->pdata[i], CONCUR_CANCEL_NONE);
      g_assert_true (concur_batcher_job_answer (later.job, i, CONCUR_VALUE_INT64 (i)) == (i != 1));
      /* Twice does not count. */
      g_assert_false (i > 0 && concur_batcher_job_answer (later.job, i, NULL));
    }
  test_assert_int64 (futures->pdata[0], 0);
  test_assert_cancelled (futures->pdata[1]);
  test_assert_int64 (futures->pdata[2], 2);
  test_assert_done (CONCUR_FUTURE (later.job));
  g_assert_null (concur_batcher_job_get_argument (later.job, 0));
  g_assert_false (concur_batcher_job_answer (later.job, 0, NULL));
  g_assert_false (concur_batcher_job_is_wanted (later.job, 0));
  g_assert_cmpuint (concur_batcher_job_get_n_calls (later.job), ==, 3);
  g_object_unref (later.job);
  test_executor_end (executor);
}

static void
test_hold_error (void)
{
  Later later = { 0 };
  g_autoptr (ConcurBatcher) batcher = concur_batcher_new (2, HOUR_US, hold_func, &later, NULL,
                                                          NULL);
  g_autoptr (ConcurFuture) first = call (batcher, 0);
  g_autoptr (ConcurFuture) second = call (batcher, 1);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  test_gate_wait (&later.held);
  g_assert_true (concur_batcher_job_answer (later.job, 0, CONCUR_VALUE_INT64 (3)));
  concur_job_return_error (CONCUR_JOB (later.job), error);
  test_assert_int64 (first, 3);
  test_assert_done (second);
  test_assert_error (second, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_object_unref (later.job);
}

/* Whatever keeps a batch from running is the answer. */
static void
test_no_executor (void)
{
  Asked asked = { .answers = TRUE };
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-pending", 1, "overflow", CONCUR_OVERFLOW_REJECT,
                                           NULL);
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, executor, 2, HOUR_US);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (GPtrArray) queued = test_futures_new ();
  g_autoptr (GPtrArray) refused = test_futures_new ();
  g_autoptr (ConcurFuture) late = NULL;
  g_autoptr (ConcurFuture) end = NULL;
  guint i;

  test_gate_wait (&clog.begun);
  for (i = 0; i < 2; i++)
    g_ptr_array_add (queued, call (batcher, i));
  for (i = 0; i < 2; i++)
    g_ptr_array_add (refused, call (batcher, i));
  for (i = 0; i < 2; i++)
    test_assert_error (refused->pdata[i], CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);

  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  for (i = 0; i < 2; i++)
    {
      test_assert_done (queued->pdata[i]);
      test_assert_cancelled (queued->pdata[i]);
    }
  late = call (batcher, 7);
  concur_batcher_flush (batcher);
  test_assert_done (late);
  test_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  test_gate_open (&clog.go);
  test_assert_done (end);
  test_assert_done (clogged);
  asked_assert (&asked, "");
  g_object_unref (executor);
}

/* The thread that keeps the time does not wait for room, nor does who drops the batcher. */
static void
test_full_queue (void)
{
  Asked asked = { .answers = TRUE };
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-pending", 1, NULL);
  ConcurBatcher *batcher = asked_batcher (&asked, executor, 0, 1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) queued = NULL;
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;
  g_autoptr (ConcurFuture) delay = NULL;

  test_gate_wait (&clog.begun);
  queued = test_submit (executor, test_one_job, NULL);
  first = call (batcher, 1);
  test_wait_until (concur_batcher_get_waiting (batcher) == 0);
  delay = concur_future_delay (1);
  test_assert_done (delay);

  g_object_unref (batcher);
  batcher = asked_batcher (&asked, executor, 0, HOUR_US);
  second = call (batcher, 2);
  g_object_unref (batcher);

  test_gate_open (&clog.go);
  test_assert_done (first);
  test_assert_done (second);
  test_assert_done (queued);
  asked_assert (&asked, "1;2;");
  test_executor_end (executor);
}

/* Where the executor is a main context the function runs there, and waiting there for what
 * would have to run there is refused. */
static void
test_context (void)
{
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, executor, 2, HOUR_US);
  g_autoptr (ConcurFuture) first = call (batcher, 1);
  g_autoptr (ConcurFuture) second = NULL;
  g_autoptr (GError) error = NULL;

  asked.thread = g_thread_self ();
  g_assert_true (g_main_context_acquire (NULL));
  g_assert_null (concur_future_result (first, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  second = call (batcher, 2);
  test_iterate_until (NULL, concur_future_is_done (second));
  test_assert_int64 (first, 1001);
  test_assert_int64 (second, 1002);
  asked_assert (&asked, "1 2;");
  test_iterate_until (NULL, !g_main_context_pending (NULL));
  g_main_context_release (NULL);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/batcher/full", test_full);
  g_test_add_func ("/batcher/leeway", test_leeway);
  g_test_add_func ("/batcher/flush", test_flush);
  g_test_add_func ("/batcher/drop", test_drop);
  g_test_add_func ("/batcher/types", test_types);
  g_test_add_func ("/batcher/error", test_error);
  g_test_add_data_func ("/batcher/odd-answers", NULL, test_odd_answers);
  g_test_add_data_func ("/batcher/odd-answers/failure", "fail", test_odd_answers);
  g_test_add_func ("/batcher/wrong", test_wrong);
  g_test_add_func ("/batcher/properties", test_properties);
  g_test_add_func ("/batcher/direct-answer", test_direct_answer);
  g_test_add_func ("/batcher/hold", test_hold);
  g_test_add_func ("/batcher/hold-error", test_hold_error);
  g_test_add_func ("/batcher/no-executor", test_no_executor);
  g_test_add_func ("/batcher/full-queue", test_full_queue);
  g_test_add_func ("/batcher/context", test_context);

  return test_run ();
}
