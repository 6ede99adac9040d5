/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Trying again: how often, after which delays, where, and how it is ended. */

#include "config.h"

#include "concur-retry-private.h"
#include "concur-timer-private.h"
#include "test-workers.h"

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)

/* Attempts are promises that the test keeps, or rejected at once. */
typedef struct
{
  guint n_called;
  guint fail_first;       /* so many are rejected at once */
  gboolean pending;       /* the others are left open, in promise */
  ConcurPromise *promise; /* (owned) (nullable) */
  GThread *thread;        /* that the last was begun on */
  gint error;             /* of the function itself, at this attempt */
  TestReleases released;
  TestGate begun;
} Tries;

static ConcurFuture *
rejected_future (guint n)
{
  g_autoptr (GError) error = g_error_new (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "attempt %u", n);

  return concur_future_rejected (error);
}

static ConcurFuture *
try_it (guint      attempt,
        gpointer   data,
        GError   **error)
{
  Tries *tries = data;
  g_autoptr (ConcurFuture) future = NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  g_assert_cmpuint (attempt, ==, ++tries->n_called);
  tries->thread = g_thread_self ();
  test_gate_open (&tries->begun);

  if (tries->error == (gint) attempt)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no way");
      return NULL;
    }
  if (attempt <= tries->fail_first)
    return rejected_future (attempt);
  if (tries->pending)
    {
      g_set_object (&tries->promise, NULL);
      tries->promise = concur_promise_new ();
      return g_object_ref (concur_promise_get_future (tries->promise));
    }

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, attempt);

  return concur_future_resolved (&value);
}

static void
tries_released (gpointer data)
{
  test_released (&((Tries *) data)->released);
}

static ConcurFuture *
run (ConcurRetry    *retry,
     Tries          *tries,
     gpointer        executor,
     GCancellable   *cancellable)
{
  return concur_retry_run (retry, try_it, tries, tries_released, executor, cancellable);
}

static ConcurRetry *
quick (guint max_attempts)
{
  return concur_retry_new (max_attempts, 0);
}

static void
test_properties (void)
{
  g_autoptr (ConcurRetry) plain = g_object_new (CONCUR_TYPE_RETRY, NULL);
  g_autoptr (ConcurRetry) made = concur_retry_new (5, 1000);
  guint attempts;
  gint64 first, most;
  double factor, jitter;

  g_object_get (plain, "max-attempts", &attempts, "first-delay", &first, "factor", &factor,
                "max-delay", &most, "jitter", &jitter, NULL);
  g_assert_cmpuint (attempts, ==, 3);
  g_assert_cmpint (first, ==, G_USEC_PER_SEC / 10);
  g_assert_cmpfloat (factor, ==, 2);
  g_assert_cmpint (most, ==, 60 * G_USEC_PER_SEC);
  g_assert_cmpfloat (jitter, ==, 0.5);
  g_assert_cmpuint (concur_retry_get_max_attempts (made), ==, 5);
  g_assert_cmpint (concur_retry_get_first_delay (made), ==, 1000);
  g_assert_cmpfloat (concur_retry_get_factor (made), ==, 2);
  g_assert_cmpint (concur_retry_get_max_delay (made), ==, 60 * G_USEC_PER_SEC);
  g_assert_cmpfloat (concur_retry_get_jitter (made), ==, 0.5);
}

static void
test_delays (void)
{
  g_autoptr (ConcurRetry) exact = g_object_new (CONCUR_TYPE_RETRY, "first-delay", (gint64) 100,
                                                "factor", 3.0, "max-delay", (gint64) 1000,
                                                "jitter", 0.0, NULL);
  g_autoptr (ConcurRetry) loose = g_object_new (CONCUR_TYPE_RETRY, "jitter", 0.25, NULL);
  g_autoptr (ConcurRetry) huge = g_object_new (CONCUR_TYPE_RETRY, "first-delay", G_MAXINT64,
                                               "factor", G_MAXDOUBLE, "max-delay", G_MAXINT64,
                                               NULL);
  g_autoptr (ConcurRetry) none = g_object_new (CONCUR_TYPE_RETRY, "first-delay", (gint64) 0,
                                               "factor", G_MAXDOUBLE, NULL);
  const gint64 wanted[] = { 100, 300, 900, 1000, 1000 };
  double base = 100;

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    g_assert_cmpint (concur_retry_next_delay (exact, &base, g_random_double ()), ==, wanted[i]);

  for (guint i = 0; i < 1000; i++)
    {
      gint64 delay;

      base = 1000;
      delay = concur_retry_next_delay (loose, &base, g_random_double ());
      g_assert_cmpint (delay, >=, 750);
      g_assert_cmpint (delay, <=, 1000);
    }
  base = 1000;
  g_assert_cmpint (concur_retry_next_delay (loose, &base, 0), ==, 1000);
  base = 1000;
  g_assert_cmpint (concur_retry_next_delay (loose, &base, 1), ==, 750);

  base = (double) G_MAXINT64;
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (concur_retry_next_delay (huge, &base, 0), ==, G_MAXINT64);
  base = 0;
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (concur_retry_next_delay (none, &base, 0), ==, 0);
}

static void
test_outcomes (void)
{
  g_autoptr (ConcurRetry) retry = quick (3);
  TestReleases none = { .thread = g_thread_self () };

  for (guint fail = 0; fail <= 4; fail++)
    {
      Tries tries = { .fail_first = fail, .released = none };
      g_autoptr (ConcurFuture) future = run (retry, &tries, NULL, NULL);

      /* Not even the first runs inside the call. */
      g_assert_cmpuint (tries.n_called, ==, 0);
      test_iterate_until (NULL, concur_future_is_done (future));
      g_assert_true (tries.thread == g_thread_self ());
      g_assert_cmpuint (tries.n_called, ==, MIN (fail + 1, 3));
      if (fail < 3)
        {
          test_assert_int64 (future, fail + 1);
        }
      else
        {
          const GError *error = concur_future_get_error (future);

          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
          g_assert_cmpstr (error->message, ==, "attempt 3");
        }
      test_iterate_until (NULL, test_releases_get (&tries.released) == 1);
      g_assert_cmpuint (test_releases_get_wrong (&tries.released), ==, 0);
    }
}

static ConcurFuture *
try_nothing (guint      attempt,
             gpointer   data,
             GError   **error)
{
  return NULL;
}

static void
test_own_error (void)
{
  g_autoptr (ConcurRetry) retry = quick (0);
  Tries tries = { .fail_first = 1, .error = 2 };
  g_autoptr (ConcurFuture) future = run (retry, &tries, NULL, NULL);
  g_autoptr (ConcurFuture) nothing = concur_retry_run (retry, try_nothing, NULL, NULL, NULL, NULL);

  test_iterate_until (NULL, concur_future_is_done (future));
  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpuint (tries.n_called, ==, 2);
  test_iterate_until (NULL, concur_future_is_done (nothing));
  test_assert_error (nothing, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  test_iterate_until (NULL, test_releases_get (&tries.released) == 1);
}

/* An attempt that takes its time, and is rejected from elsewhere. */
static void
test_later (void)
{
  g_autoptr (ConcurRetry) retry = quick (2);
  Tries tries = { .pending = TRUE };
  g_autoptr (ConcurFuture) future = run (retry, &tries, NULL, NULL);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "first");

  test_iterate_until (NULL, tries.n_called == 1);
  concur_promise_reject (tries.promise, error);
  g_assert_false (concur_future_is_done (future));
  test_iterate_until (NULL, tries.n_called == 2);
  concur_promise_resolve_int64 (tries.promise, 5);
  g_assert_true (concur_future_is_done (future));
  test_assert_int64 (future, 5);
  test_iterate_until (NULL, test_releases_get (&tries.released) == 1);
  g_object_unref (tries.promise);
}

static void
test_cancel (void)
{
  g_autoptr (ConcurRetry) retry = concur_retry_new (2, HOUR_US);
  Tries delayed = { .fail_first = 1 }, running = { .pending = TRUE }, early = { 0 };
  g_autoptr (ConcurFuture) first = run (retry, &delayed, NULL, NULL);
  g_autoptr (ConcurFuture) second = run (retry, &running, NULL, NULL);
  g_autoptr (ConcurFuture) third = run (retry, &early, NULL, NULL);

  /* Before it began. */
  g_assert_true (concur_future_cancel (third, CONCUR_CANCEL_NONE));
  test_assert_cancelled (third);

  /* In the delay. */
  test_iterate_until (NULL, concur_timers_pending () == 1);
  g_assert_true (concur_future_cancel (first, CONCUR_CANCEL_NONE));
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  test_assert_cancelled (first);

  /* In an attempt. */
  test_iterate_until (NULL, running.n_called == 1);
  g_assert_true (concur_future_cancel (second, CONCUR_CANCEL_NONE));
  test_assert_cancelled (second);
  test_assert_cancelled (concur_promise_get_future (running.promise));
  g_object_unref (running.promise);

  test_iterate_until (NULL, test_releases_get (&delayed.released) == 1
                              && test_releases_get (&running.released) == 1
                              && test_releases_get (&early.released) == 1);
  g_assert_cmpuint (early.n_called, ==, 0);
}

/* Somebody else did not want it: that is no error to try again after. */
static void
test_cancelled_attempt (void)
{
  g_autoptr (ConcurRetry) retry = quick (0);
  Tries tries = { .pending = TRUE };
  g_autoptr (ConcurFuture) future = run (retry, &tries, NULL, NULL);

  test_iterate_until (NULL, tries.n_called == 1);
  concur_future_cancel (concur_promise_get_future (tries.promise), CONCUR_CANCEL_NONE);
  test_assert_cancelled (future);
  g_object_unref (tries.promise);
  test_iterate_until (NULL, test_releases_get (&tries.released) == 1);
}

static void
test_parent (void)
{
  g_autoptr (ConcurRetry) retry = concur_retry_new (0, HOUR_US);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Tries delayed = { .fail_first = 1 }, running = { .pending = TRUE }, early = { 0 };
  g_autoptr (ConcurFuture) first = run (retry, &delayed, NULL, cancellable);
  g_autoptr (ConcurFuture) second = run (retry, &running, NULL, cancellable);
  g_autoptr (ConcurFuture) third = NULL;

  test_iterate_until (NULL, concur_timers_pending () == 1 && running.n_called == 1);
  g_cancellable_cancel (cancellable);
  third = run (retry, &early, NULL, cancellable);
  test_assert_cancelled (third);
  test_iterate_until (NULL, concur_future_is_done (first) && concur_future_is_done (second));
  test_assert_cancelled (first);
  test_assert_cancelled (second);
  g_object_unref (running.promise);
  test_iterate_until (NULL, test_releases_get (&delayed.released) == 1
                              && test_releases_get (&running.released) == 1
                              && test_releases_get (&early.released) == 1);
  g_assert_cmpuint (early.n_called, ==, 0);
}

typedef struct
{
  guint n_asked;
  guint until;
  GThread *thread;
  TestReleases released;
} Filter;

static gboolean
filter_error (ConcurFuture *failed,
              guint         attempt,
              gpointer      data)
{
  Filter *filter = data;
  const GError *error = concur_future_get_error (failed);
  g_autofree char *message = g_strdup_printf ("attempt %u", attempt);

  filter->n_asked++;
  filter->thread = g_thread_self ();
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpstr (error->message, ==, message);

  return attempt < filter->until;
}

static void
filter_released (gpointer data)
{
  test_released (&((Filter *) data)->released);
}

static void
test_filter (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  ConcurRetry *retry = quick (4);
  Filter filter = { .until = 2 }, before = { 0 };
  Tries tries = { .fail_first = 9 }, through = { .fail_first = 1 };
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurFuture) other = NULL;
  const GError *error;

  concur_retry_set_filter (retry, filter_error, &before, filter_released);
  concur_retry_set_filter (retry, filter_error, &filter, filter_released);
  g_assert_cmpuint (test_releases_get (&before.released), ==, 1);

  future = run (retry, &tries, NULL, NULL);
  test_critical (concur_retry_set_filter (retry, NULL, NULL, NULL));
  test_iterate_until (NULL, concur_future_is_done (future));
  error = concur_future_get_error (future);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_cmpstr (error->message, ==, "attempt 2");
  g_assert_cmpuint (filter.n_asked, ==, 2);
  g_assert_true (filter.thread == g_thread_self ());

  /* Where attempts are begun. */
  other = run (retry, &through, executor, NULL);
  test_assert_done (other);
  test_assert_int64 (other, 2);
  g_assert_true (filter.thread != g_thread_self ());
  g_assert_cmpuint (filter.n_asked, ==, 3);

  /* Not after the last. */
  {
    Tries last = { .fail_first = 9 };
    g_autoptr (ConcurFuture) all = NULL;

    filter.until = 9;
    all = run (retry, &last, NULL, NULL);
    test_iterate_until (NULL, concur_future_is_done (all));
    g_assert_cmpuint (last.n_called, ==, 4);
    g_assert_cmpuint (filter.n_asked, ==, 6);
    concur_future_ignore (all);
    test_iterate_until (NULL, test_releases_get (&last.released) == 1);
  }

  test_iterate_until (NULL, test_releases_get (&tries.released) == 1
                              && test_releases_get (&through.released) == 1);
  g_object_unref (retry);
  g_assert_cmpuint (test_releases_get (&filter.released), ==, 1);
  test_executor_end (executor);
}

static void
test_executor (void)
{
  TestLoop *loop = test_loop_new ();
  ConcurExecutor *executor = CONCUR_EXECUTOR (
    concur_context_executor_new (test_loop_get_context (loop)));
  g_autoptr (ConcurRetry) retry = quick (3);
  Tries tries = { .fail_first = 2, .released = { .thread = g_thread_self () } };
  g_autoptr (ConcurFuture) future = run (retry, &tries, executor, NULL);

  test_assert_done (future);
  test_assert_int64 (future, 3);
  g_assert_true (tries.thread == test_loop_get_thread (loop));
  test_wait_until (test_releases_get (&tries.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&tries.released), ==, 0);
  test_executor_end (executor);
  test_loop_free (loop);
}

static void
test_shut_down (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (ConcurRetry) retry = quick (0);
  Tries tries = { .pending = TRUE }, late = { 0 };
  g_autoptr (ConcurFuture) future = run (retry, &tries, executor, NULL);
  g_autoptr (ConcurFuture) none = NULL;
  g_autoptr (ConcurFuture) end = NULL;
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "first");

  test_gate_wait (&tries.begun);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  none = run (retry, &late, executor, NULL);
  test_assert_error (none, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_assert_false (concur_future_is_done (future));
  /* Its thread has gone, so the function has returned. */
  test_assert_done (end);
  concur_promise_reject (tries.promise, error);
  test_assert_done (future);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_assert_cmpuint (tries.n_called, ==, 1);
  g_object_unref (tries.promise);
  test_assert_done (end);
  test_wait_until (test_releases_get (&tries.released) == 1
                   && test_releases_get (&late.released) == 1);
  g_object_unref (executor);
}

/* On a worker: in its executor. */
static gboolean
retry_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  g_autoptr (ConcurRetry) retry = quick (3);
  g_autoptr (ConcurFuture) future = run (retry, data, NULL, NULL);

  concur_job_return_future (job, future);

  return TRUE;
}

static void
test_on_worker (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, NULL);
  Tries tries = { .fail_first = 2 };
  g_autoptr (ConcurFuture) future = test_submit (executor, retry_job, &tries);

  test_assert_done (future);
  test_assert_int64 (future, 3);
  g_assert_true (tries.thread != g_thread_self ());
  test_wait_until (test_releases_get (&tries.released) == 1);
  test_executor_end (executor);
}

static void
test_would_deadlock (void)
{
  g_autoptr (ConcurRetry) retry = concur_retry_new (3, HOUR_US);
  Tries tries = { .fail_first = 1 };
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_acquire (NULL);
  future = run (retry, &tries, NULL, NULL);
  g_assert_null (concur_future_result (future, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_clear_error (&error);
  /* In the delay too. */
  test_iterate_until (NULL, concur_timers_pending () == 1);
  g_assert_null (concur_future_result (future, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  test_iterate_until (NULL, test_releases_get (&tries.released) == 1);
  g_main_context_release (NULL);
}

/* However many attempts: neither futures nor the stack grow with them. */
static ConcurFuture *
try_counting (guint      attempt,
              gpointer   data,
              GError   **error)
{
  /* Elsewhere than at home what has ended may take a moment to be let go. */
  if (data != NULL)
    g_assert_cmpuint (test_futures_alive (), <, 100);
  if (attempt < test_scaled (100000))
    return rejected_future (attempt);

  return concur_future_resolved (NULL);
}

static void
test_many (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 2, NULL);
  g_autoptr (ConcurRetry) retry = quick (0);
  g_autoptr (ConcurFuture) here = concur_retry_run (retry, try_counting, retry, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) there = NULL;

  test_iterate_until (NULL, concur_future_is_done (here));
  g_assert_true (concur_future_check (here, NULL));
  there = concur_retry_run (retry, try_counting, NULL, NULL, executor, NULL);
  test_iterate_until (NULL, concur_future_is_done (there));
  g_assert_true (concur_future_check (there, NULL));
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  ConcurRetry *retry;
} Stress;

static Stress stress;

static gboolean
fail_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  if (g_random_int_range (0, 3) == 0)
    concur_job_return_int64 (job, 1);
  else
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  return TRUE;
}

static ConcurFuture *
try_stress (guint      attempt,
            gpointer   data,
            GError   **error)
{
  return test_submit (stress.executor, fail_job, NULL);
}

static gpointer
stress_thread (gpointer data)
{
  TestReleases releases = { .thread = g_thread_self () };

  for (guint i = 0; i < test_scaled (1000); i++)
    {
      g_autoptr (GCancellable) cancellable = i % 3 == 0 ? g_cancellable_new () : NULL;
      g_autoptr (ConcurFuture) future = concur_retry_run (stress.retry, try_stress, &releases,
                                                          test_released, stress.executor,
                                                          cancellable);

      if (i % 3 == 0)
        g_cancellable_cancel (cancellable);
      else if (i % 3 == 1)
        concur_future_cancel (future, i % 2 == 0 ? CONCUR_CANCEL_NONE : CONCUR_CANCEL_QUEUED);
      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
      concur_future_ignore (future);
    }
  test_wait_until (test_releases_get (&releases) == test_scaled (1000));
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  return NULL;
}

static gboolean
filter_all (ConcurFuture *failed,
            guint         attempt,
            gpointer      data)
{
  return TRUE;
}

static void
test_stress (void)
{
  GThread *threads[4];

  stress.executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 4, NULL);
  stress.retry = g_object_new (CONCUR_TYPE_RETRY, "first-delay", (gint64) 20, "max-attempts", 5,
                               NULL);
  concur_retry_set_filter (stress.retry, filter_all, NULL, NULL);
  test_shake_start ();
  for (guint i = 0; i < 4; i++)
    threads[i] = g_thread_new ("stress", stress_thread, NULL);
  for (guint i = 0; i < 4; i++)
    g_thread_join (threads[i]);
  test_shake_stop ();
  test_executor_end (stress.executor);
  g_object_unref (stress.retry);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/retry/properties", test_properties);
  g_test_add_func ("/retry/delays", test_delays);
  g_test_add_func ("/retry/outcomes", test_outcomes);
  g_test_add_func ("/retry/own-error", test_own_error);
  g_test_add_func ("/retry/later", test_later);
  g_test_add_func ("/retry/cancel", test_cancel);
  g_test_add_func ("/retry/cancelled-attempt", test_cancelled_attempt);
  g_test_add_func ("/retry/parent", test_parent);
  g_test_add_func ("/retry/filter", test_filter);
  g_test_add_func ("/retry/executor", test_executor);
  g_test_add_func ("/retry/shut-down", test_shut_down);
  g_test_add_func ("/retry/on-worker", test_on_worker);
  g_test_add_func ("/retry/would-deadlock", test_would_deadlock);
  g_test_add_func ("/retry/many", test_many);
  g_test_add_func ("/retry/stress", test_stress);

  return test_run ();
}
