/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The system gives no thread. This program has a pthread_create () of its own, which the
 * one in libc gives way to, also inside GLib, and which fails when told to. */

#include "config.h"

#include "test-workers.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

/* How many calls are still to succeed before the others fail; -1: all of them. */
static gint to_succeed = -1;
/* Of a hundred calls, so many fail, in an order that the seed decides. */
static gint percentage;
static guint32 percentage_state;
static gint n_calls;

typedef int (*PthreadCreate) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);

static gboolean
is_to_fail (void)
{
  gint left = g_atomic_int_get (&to_succeed);

  g_atomic_int_inc (&n_calls);

  if (g_atomic_int_get (&percentage) > 0)
    {
      guint32 x = (guint32) g_atomic_int_add ((gint *) &percentage_state, 0x9e3779b9) * 2654435761u;

      return (gint) ((x >> 16) % 100) < g_atomic_int_get (&percentage);
    }

  while (left > 0)
    {
      if (g_atomic_int_compare_and_exchange (&to_succeed, left, left - 1))
        return FALSE;
      left = g_atomic_int_get (&to_succeed);
    }

  return left == 0;
}

/* Exported, though this program hides what it does not say. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t            *thread,
                const pthread_attr_t *attributes,
                void               *(*func) (void *),
                void                 *data)
{
  static PthreadCreate next;

  if (is_to_fail ())
    return EAGAIN;

  if (next == NULL)
    next = (PthreadCreate) dlsym (RTLD_NEXT, "pthread_create");

  return next (thread, attributes, func, data);
}

static void
fail_after (gint n)
{
  g_atomic_int_set (&to_succeed, n);
}

static void
fail_no_more (void)
{
  g_atomic_int_set (&to_succeed, -1);
  g_atomic_int_set (&percentage, 0);
}

static ConcurExecutor *
executor_new (guint  max_threads,
              gint64 keep_alive)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "failing", "max-threads", max_threads,
                       "keep-alive", keep_alive, NULL);
}

static void
expect_warning (void)
{
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "failing: could not start a thread*");
}

static void
assert_failed (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
  g_assert_true (g_str_has_prefix (error->message, "failing: "));
}

/* All is back as it was: no more jobs alive than before, and no thread. */
static void
assert_clean (guint futures_before)
{
  test_wait_until (test_futures_alive () <= futures_before);
  test_wait_until (test_count_threads ("failing-") == 0);
}

/* The first test: GCancellables have a thread of the library's own, started once. */
static void
test_cancellable (void)
{
  ConcurExecutor *executor = executor_new (1, -1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) running = NULL, queued = NULL;
  TestClog clog = { 0 };

  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  queued = concur_executor_submit (executor, test_one_job, NULL, NULL, cancellable);

  fail_after (0);
  g_cancellable_cancel (cancellable);
  /* It is done here and now instead. */
  test_assert_cancelled (queued);
  fail_no_more ();

  test_gate_open (&clog.go);
  test_assert_done (running);
  test_executor_end (executor);
}

static void
test_none (void)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (2, -1);
  TestReleases releases = { .thread = g_thread_self () };
  guint i;

  fail_after (0);
  expect_warning ();
  for (i = 1; i <= 3; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;

      future = concur_executor_submit (executor, test_one_job, &releases, test_released, NULL);
      g_assert_true (concur_future_is_done (future));
      assert_failed (future);
      /* It is said once, and counted every time. */
      g_test_assert_expected_messages ();
      g_assert_cmpuint (test_snapshot (executor, n_thread_failures), ==, i);
      g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 0);
      g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 0);
    }
  fail_no_more ();

  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 3);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  /* The next submit tries again, and then there are as many threads as there should be. */
  {
    g_autoptr (GPtrArray) futures = test_futures_new ();
    TestClog clog = { 0 };

    for (i = 0; i < 3; i++)
      g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
    test_gate_wait_n (&clog.begun, 2);
    g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 2);
    g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 1);
    test_gate_open (&clog.go);
    test_futures_wait (futures);
  }

  test_executor_end (executor);
  assert_clean (before);
}

static void
test_none_for_many (void)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (2, -1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  for (i = 0; i < 20; i++)
    g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));

  fail_after (0);
  expect_warning ();
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  g_test_assert_expected_messages ();
  fail_no_more ();

  for (i = 0; i < 20; i++)
    assert_failed (futures->pdata[i]);
  g_ptr_array_set_size (futures, 0);

  test_executor_end (executor);
  assert_clean (before);
}

static void
test_some (void)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (4, -1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestClog clog = { 0 };
  guint i;

  fail_after (1);
  expect_warning ();
  for (i = 0; i < 50; i++)
    g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  /* Whoever tried to get a second thread did so before this. */
  test_gate_wait (&clog.begun);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 1);
  g_assert_cmpuint (test_snapshot (executor, n_thread_failures), >=, 1);
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 49);

  /* The only thread does it all. */
  test_gate_open (&clog.go);
  test_futures_wait (futures);
  for (i = 0; i < 50; i++)
    test_assert_int64 (futures->pdata[i], 42);
  g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 1);
  fail_no_more ();

  /* With threads to be had again, they are had. */
  {
    TestClog second = { 0 };

    g_ptr_array_set_size (futures, 0);
    for (i = 0; i < 5; i++)
      g_ptr_array_add (futures, test_submit (executor, test_clog_job, &second));
    test_gate_wait_n (&second.begun, 4);
    g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 4);
    test_gate_open (&second.go);
    test_futures_wait (futures);
    g_ptr_array_set_size (futures, 0);
  }

  test_executor_end (executor);
  assert_clean (before);
}

static void
test_thread_per_job (void)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (0, -1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestClog clog = { 0 };
  guint i;

  fail_after (3);
  expect_warning ();
  for (i = 0; i < 10; i++)
    g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  test_gate_wait_n (&clog.begun, 3);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (test_gate_get (&clog.begun), ==, 3);

  fail_no_more ();
  test_gate_open (&clog.go);
  test_futures_wait (futures);
  for (i = 0; i < 10; i++)
    test_assert_int64 (futures->pdata[i], 42);
  g_ptr_array_set_size (futures, 0);

  test_executor_end (executor);
  assert_clean (before);
}

typedef struct
{
  ConcurExecutor *executor;
  ConcurPromise *promise;
  gint64 timeout;
  gboolean in_time;
} Wait;

static gboolean
waiting_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Wait *wait = data;

  wait->in_time = concur_future_wait (concur_promise_get_future (wait->promise), wait->timeout);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
resolving_job (ConcurJob  *job,
               gpointer    promise,
               GError    **error)
{
  concur_promise_resolve_int64 (promise, 3);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* A thread in the stead of one that waits cannot be had: the wait takes its time, and what
 * is queued is done after it. */
static void
test_compensation (void)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (1, -1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Wait wait = { .executor = executor, .promise = promise, .timeout = 20000 };
  ConcurFuture *waiting, *resolving;

  fail_after (1);
  expect_warning ();
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  waiting = test_submit (executor, waiting_job, &wait);
  resolving = test_submit (executor, resolving_job, promise);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_assert_done (waiting);
  test_assert_done (resolving);
  g_test_assert_expected_messages ();
  g_assert_false (wait.in_time);
  test_assert_int64 (resolving, 1);
  fail_no_more ();
  g_object_unref (waiting);
  g_object_unref (resolving);

  test_executor_end (executor);
  g_clear_object (&promise);
  assert_clean (before);
}

/* It waits for ever, until a thread can be had. */
static void
test_compensation_later (void)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (1, -1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Wait wait = { .executor = executor, .promise = promise, .timeout = -1 };
  ConcurFuture *waiting, *resolving, *late;

  fail_after (1);
  expect_warning ();
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  waiting = test_submit (executor, waiting_job, &wait);
  resolving = test_submit (executor, resolving_job, promise);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_wait_until (test_snapshot (executor, n_thread_failures) > 0);
  g_assert_cmpint (concur_future_get_state (resolving), ==, CONCUR_FUTURE_STATE_PENDING);

  fail_no_more ();
  late = test_submit (executor, test_one_job, NULL);
  test_assert_done (waiting);
  test_assert_done (resolving);
  test_assert_done (late);
  g_test_assert_expected_messages ();
  g_assert_true (wait.in_time);
  g_object_unref (waiting);
  g_object_unref (resolving);
  g_object_unref (late);

  test_executor_end (executor);
  g_clear_object (&promise);
  assert_clean (before);
}

static void
at_shutdown (ConcurShutdownMode mode)
{
  guint before = test_futures_alive ();
  ConcurExecutor *executor = executor_new (2, -1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurFuture) end = NULL;
  guint i;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  for (i = 0; i < 10; i++)
    g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));

  fail_after (0);
  if (mode == CONCUR_SHUTDOWN_DRAIN)
    expect_warning ();
  end = concur_executor_shutdown (executor, mode);
  test_assert_done (end);
  g_assert_true (concur_future_check (end, NULL));
  g_test_assert_expected_messages ();
  g_clear_object (&end);
  fail_no_more ();

  for (i = 0; i < 10; i++)
    {
      if (mode == CONCUR_SHUTDOWN_DRAIN)
        assert_failed (futures->pdata[i]);
      else
        test_assert_cancelled (futures->pdata[i]);
    }
  g_ptr_array_set_size (futures, 0);

  /* What is left of the attempt to get a thread goes with the next chance it gets. */
  test_executor_end (executor);
  assert_clean (before);
}

static void
test_shutdown (void)
{
  at_shutdown (CONCUR_SHUTDOWN_DRAIN);
  at_shutdown (CONCUR_SHUTDOWN_CANCEL_PENDING);
  at_shutdown (CONCUR_SHUTDOWN_CANCEL_ALL);
}

/* A token that got no thread is taken up by one that has just become free. */
static void
test_late_token (void)
{
  guint round, rounds = test_scaled (100);

  for (round = 0; round < rounds; round++)
    {
      guint before = test_futures_alive ();
      ConcurExecutor *executor = executor_new (2, 0);
      TestClog clog = { 0 };
      ConcurFuture *first, *second, *third;

      fail_after (1);
      expect_warning ();
      first = test_submit (executor, test_clog_job, &clog);
      test_gate_wait (&clog.begun);
      second = test_submit (executor, test_one_job, NULL);
      g_test_assert_expected_messages ();
      g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 1);

      test_gate_open (&clog.go);
      if (round % 2 == 0)
        test_assert_done (first);
      third = test_submit (executor, test_one_job, NULL);
      test_assert_done (third);
      test_assert_done (second);
      test_assert_done (first);
      test_assert_int64 (second, 1);
      /* The only thread may have left at the moment this one came. */
      if (concur_future_get_error (third) != NULL)
        assert_failed (third);
      else
        test_assert_int64 (third, 1);
      fail_no_more ();
      g_object_unref (first);
      g_object_unref (second);
      g_object_unref (third);

      if (round % 3 == 0)
        test_wait_until (test_snapshot (executor, n_threads) == 0);
      test_executor_end (executor);
      assert_clean (before);
    }
}

static void
ignore_warning (const char     *domain,
                GLogLevelFlags  level,
                const char     *message,
                gpointer        data)
{
  g_assert_true (g_str_has_prefix (message, "failing: could not start a thread"));
}

static gboolean
is_not_fatal (const char     *domain,
              GLogLevelFlags  level,
              const char     *message,
              gpointer        data)
{
  return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
}

/* Whether there is a warning, and when, is up to chance. */
static guint
allow_warnings (void)
{
  g_test_log_set_fatal_handler (is_not_fatal, NULL);

  return g_log_set_handler ("Concur", G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL, ignore_warning, NULL);
}

static void
allow_no_warnings (guint handler)
{
  g_test_log_set_fatal_handler (NULL, NULL);
  g_log_remove_handler ("Concur", handler);
}

/* The same while the only thread is just about to leave: it may take the token up before
 * it is known that nobody else will. */
static void
test_late_token_at_the_end (void)
{
  guint round, rounds = test_scaled (600);
  guint handler = allow_warnings ();

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      guint before = test_futures_alive ();
      ConcurExecutor *executor = executor_new (2, 0);
      ConcurFuture *future;
      guint i, k;

      fail_after (1);
      for (i = 0; i < 8; i++)
        {
          future = test_submit (executor, test_one_job, NULL);
          test_assert_done (future);
          if (concur_future_get_error (future) != NULL)
            assert_failed (future);
          g_object_unref (future);
          for (k = (round + i) % 16; k > 0; k--)
            g_thread_yield ();
        }
      fail_no_more ();

      /* All is as if nothing had been: a new thread for a new job, and then none. */
      future = test_submit (executor, test_name_job, NULL);
      test_assert_done (future);
      g_assert_true (concur_future_check (future, NULL));
      g_object_unref (future);
      test_wait_until (test_snapshot (executor, n_threads) == 0);
      g_assert_cmpuint (test_snapshot (executor, n_idle), ==, 0);
      test_executor_end (executor);
      assert_clean (before);
    }
  test_shake_stop ();
  allow_no_warnings (handler);
}

#define STRESS_THREADS 3

typedef struct
{
  ConcurExecutor *executor;
  TestCrowd crowd;
  gint n_failed;               /* atomic */
} Stress;

static gboolean
crowd_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Stress *stress = data;

  test_crowd_enter (&stress->crowd);
  g_thread_yield ();
  test_crowd_leave (&stress->crowd);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gpointer
stress_submitter (gpointer data)
{
  Stress *stress = data;
  guint n = test_scaled (2000), i;

  for (i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (stress->executor, crowd_job, stress);
      g_autoptr (ConcurFuture) second = test_submit (stress->executor, crowd_job, stress);

      test_assert_done (future);
      if (!concur_future_check (future, NULL))
        {
          assert_failed (future);
          g_atomic_int_inc (&stress->n_failed);
        }
      test_assert_done (second);
      if (!concur_future_check (second, NULL))
        {
          assert_failed (second);
          g_atomic_int_inc (&stress->n_failed);
        }
    }

  return NULL;
}

/* Threads that come, fail to come, and go all the time. */
static void
stress (gint  percent,
        guint max_threads)
{
  guint before = test_futures_alive ();
  Stress self = { .executor = executor_new (max_threads, 0) };
  GThread *threads[STRESS_THREADS];
  guint i, n;

  for (i = 0; i < STRESS_THREADS; i++)
    threads[i] = g_thread_new (NULL, stress_submitter, &self);
  g_atomic_int_set (&percentage, percent);
  for (i = 0; i < STRESS_THREADS; i++)
    g_thread_join (threads[i]);
  fail_no_more ();

  n = STRESS_THREADS * 2 * test_scaled (2000);
  g_test_message ("%u jobs, %d failed, %u threads failed", n, self.n_failed,
                  test_snapshot (self.executor, n_thread_failures));
  g_assert_cmpuint (test_crowd_get_ever (&self.crowd) + self.n_failed, ==, n);
  if (max_threads > 0)
    g_assert_cmpuint (test_crowd_get_most (&self.crowd), <=, max_threads);

  /* Nothing was miscounted on the way: all leave, and all can be had again. */
  test_wait_until (test_snapshot (self.executor, n_threads) == 0);
  g_assert_cmpuint (test_snapshot (self.executor, n_idle), ==, 0);
  {
    g_autoptr (GPtrArray) futures = test_futures_new ();
    TestClog clog = { 0 };
    guint all = max_threads > 0 ? max_threads : 5;

    for (i = 0; i < all; i++)
      g_ptr_array_add (futures, test_submit (self.executor, test_clog_job, &clog));
    test_gate_wait_n (&clog.begun, all);
    test_gate_open (&clog.go);
    test_futures_wait (futures);
  }

  test_executor_end (self.executor);
  assert_clean (before);
}

static void
test_stress (void)
{
  guint handler = allow_warnings ();

  percentage_state = g_random_int ();
  test_shake_start ();
  stress (50, 1);
  stress (50, 2);
  stress (90, 3);
  stress (30, 0);
  test_shake_stop ();
  allow_no_warnings (handler);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  /* Or GLib would give the threads of one executor to the next, and make none. */
  g_thread_pool_set_max_unused_threads (0);

  g_test_add_func ("/thread-failure/cancellable", test_cancellable);
  g_test_add_func ("/thread-failure/none", test_none);
  g_test_add_func ("/thread-failure/none/for-many", test_none_for_many);
  g_test_add_func ("/thread-failure/some", test_some);
  g_test_add_func ("/thread-failure/thread-per-job", test_thread_per_job);
  g_test_add_func ("/thread-failure/compensation", test_compensation);
  g_test_add_func ("/thread-failure/compensation/later", test_compensation_later);
  g_test_add_func ("/thread-failure/shutdown", test_shutdown);
  g_test_add_func ("/thread-failure/late-token", test_late_token);
  g_test_add_func ("/thread-failure/late-token/at-the-end", test_late_token_at_the_end);
  g_test_add_func ("/thread-failure/stress", test_stress);

  return test_run ();
}
