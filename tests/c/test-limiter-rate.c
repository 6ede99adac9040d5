/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Limiters with a rate. What is looked at is that nothing comes early, never that it comes
 * soon. This program has a pthread_create () of its own, which fails when told to. */

#include "config.h"

#include "concur-rate-window-private.h"
#include "test-hold.h"
#include "test-no-threads.h"
#include "test-workers.h"

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)

/* The first test: no thread has been started before. */
static void
test_no_thread (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new_with_rate (0, 2, HOUR_US);
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurFuture) job = NULL;
  g_autoptr (ConcurFuture) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_limiter_try_acquire (limiter));
  g_assert_true (concur_limiter_try_acquire (limiter));

  g_atomic_int_set (&no_threads, TRUE);
  future = concur_limiter_acquire (limiter);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
  job = concur_limiter_submit (limiter, executor, test_one_job, NULL, NULL, NULL);
  test_assert_error (job, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
  g_assert_false (concur_limiter_acquire_wait (limiter, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
  g_atomic_int_set (&no_threads, FALSE);

  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 0);
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, 2);
  again = concur_limiter_acquire (limiter);
  g_assert_false (concur_future_is_done (again));
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  concur_limiter_set_rate (limiter, 3);
  g_assert_true (concur_future_is_done (again));
  test_executor_end (executor);
}

static void
test_window (void)
{
  ConcurRateWindow window = { 0 };

  /* Three in 100. */
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpint (concur_rate_window_next (&window, 3, 100, 10 * i), ==, G_MININT64);
      concur_rate_window_add (&window, 10 * i);
    }
  g_assert_cmpint (concur_rate_window_next (&window, 3, 100, 30), ==, 100);
  g_assert_cmpint (concur_rate_window_next (&window, 3, 100, 99), ==, 100);
  g_assert_cmpint (concur_rate_window_next (&window, 3, 100, 100), ==, G_MININT64);
  concur_rate_window_add (&window, 100);
  g_assert_cmpint (concur_rate_window_next (&window, 3, 100, 100), ==, 110);
  /* Fewer than there were: as many must have gone. */
  g_assert_cmpint (concur_rate_window_next (&window, 1, 100, 100), ==, 200);
  g_assert_cmpint (concur_rate_window_next (&window, 4, 100, 100), ==, G_MININT64);
  g_assert_cmpint (concur_rate_window_next (&window, 1, G_MAXINT64, 100), ==, G_MAXINT64);
  concur_rate_window_clear (&window);
  g_assert_cmpint (concur_rate_window_next (&window, 1, 100, 0), ==, G_MININT64);
}

/* Against the plain definition: no stretch of the period has more than the rate. */
static void
test_window_random (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_test_rand_int ());

  for (guint round = 0; round < test_scaled (200); round++)
    {
      ConcurRateWindow window = { 0 };
      guint rate = 1 + g_rand_int_range (rand, 0, 40);
      gint64 period = 1 + g_rand_int_range (rand, 0, 1000);
      gint64 times[500], now = 0;
      guint n = 0;

      while (n < G_N_ELEMENTS (times))
        {
          gint64 next = concur_rate_window_next (&window, rate, period, now);
          gboolean free_now = n < rate || times[n - rate] + period <= now;

          g_assert_cmpint (next == G_MININT64, ==, free_now);
          if (!free_now)
            {
              g_assert_cmpint (next, ==, times[n - rate] + period);
              now = g_rand_boolean (rand) ? next : now + 1;
              continue;
            }
          concur_rate_window_add (&window, now);
          times[n++] = now;
          if (g_rand_int_range (rand, 0, 4) == 0)
            now += g_rand_int_range (rand, 0, (gint) period);
        }
      concur_rate_window_clear (&window);
    }
}

/* The clock is the machine's; with a period of an hour it stands still. */
static void
test_settings (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new_with_rate (2, 3, HOUR_US);
  ConcurFuture *futures[8];

  for (guint i = 0; i < 8; i++)
    futures[i] = concur_limiter_acquire (limiter);
  /* The permits are what is missing first, then the rate: returning one is no help. */
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, 2);
  concur_limiter_release (limiter);
  g_assert_true (concur_future_is_done (futures[2]));
  concur_limiter_release (limiter);
  concur_limiter_release (limiter);
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, 0);
  g_assert_cmpuint (concur_limiter_get_available (limiter), ==, 2);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 5);
  /* Nobody goes past those who wait. */
  g_assert_false (concur_limiter_try_acquire (limiter));

  concur_limiter_set_rate (limiter, 4);
  g_assert_true (concur_future_is_done (futures[3]));
  g_assert_false (concur_future_is_done (futures[4]));
  concur_limiter_set_rate (limiter, 1);
  g_assert_false (concur_future_is_done (futures[4]));
  /* One that is cancelled does not count. */
  g_assert_true (concur_future_cancel (futures[4], CONCUR_CANCEL_NONE));
  concur_limiter_set_rate (limiter, 5);
  g_assert_true (concur_future_is_done (futures[5]));
  g_assert_false (concur_future_is_done (futures[6]));
  concur_limiter_release (limiter);
  concur_limiter_release (limiter);
  concur_limiter_set_rate (limiter, 0);
  g_assert_true (concur_future_is_done (futures[7]));

  for (guint i = 0; i < 8; i++)
    g_object_unref (futures[i]);
}

/* A shorter period: what waits for the end of a long one must not go on doing so. */
static void
test_shorter (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new_with_rate (0, 1, HOUR_US);
  g_autoptr (ConcurFuture) first = concur_limiter_acquire (limiter);
  g_autoptr (ConcurFuture) second = concur_limiter_acquire (limiter);
  g_autoptr (ConcurFuture) third = concur_limiter_acquire (limiter);

  g_assert_true (concur_future_is_done (first));
  g_assert_false (concur_future_is_done (second));
  concur_limiter_set_period (limiter, 1000);
  test_assert_done (second);
  test_assert_done (third);
}

/* The time is over, but nobody was told: who comes now tells who came before. */
static void
test_overtake (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new_with_rate (0, 1, 1000);
  /* The thread comes out of it when this is over. */
  static TestHold hold;
  ConcurFuture *waiting = NULL;
  gint64 asked;

  g_assert_true (concur_timer_start (&hold.timer, 0, test_hold_fire, NULL));
  test_gate_wait (&hold.clog.begun);
  /* On a slow machine the second has no need to wait, either. */
  do
    {
      g_clear_object (&waiting);
      waiting = concur_limiter_acquire (limiter);
    }
  while (concur_future_is_done (waiting));
  asked = g_get_monotonic_time ();
  test_wait_until (g_get_monotonic_time () > asked + 1000);
  g_assert_false (concur_limiter_try_acquire (limiter));
  g_assert_true (concur_future_is_done (waiting));
  test_gate_open (&hold.clog.go);
  g_object_unref (waiting);
}

/* What begins before it is asked for, or ends after it is given, can only be further apart. */
static void
assert_apart (const gint64 *before,
              const gint64 *after,
              guint         n,
              guint         rate,
              gint64        period)
{
  for (guint i = 0; i + rate < n; i++)
    g_assert_cmpint (after[i + rate] - before[i], >=, period);
}

static void
test_clock (void)
{
  enum { N = 20, RATE = 3 };
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new_with_rate (0, RATE, 5000);
  gint64 before[N], after[N];

  for (guint i = 0; i < N; i++)
    {
      before[i] = g_get_monotonic_time ();
      g_assert_true (concur_limiter_acquire_wait (limiter, TEST_PATIENCE_US, NULL));
      after[i] = g_get_monotonic_time ();
    }
  assert_apart (before, after, N, RATE, 5000);
}

typedef struct
{
  gint64 times[64];
  gint n; /* atomic */
} Starts;

static gboolean
start_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Starts *starts = data;

  starts->times[g_atomic_int_add (&starts->n, 1)] = g_get_monotonic_time ();
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

/* On one thread jobs start after their permits, and in their order. */
static void
test_jobs (void)
{
  enum { N = 16, RATE = 2 };
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, NULL);
  ConcurLimiter *limiter = concur_limiter_new_with_rate (1, RATE, 4000);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  gint64 begun = g_get_monotonic_time ();
  Starts starts = { 0 };

  for (guint i = 0; i < N; i++)
    g_ptr_array_add (futures,
                     concur_limiter_submit (limiter, executor, start_job, &starts, NULL, NULL));
  g_object_unref (limiter);
  test_futures_wait (futures);
  g_assert_cmpint (starts.n, ==, N);
  for (guint i = 0; i < N; i++)
    g_assert_cmpint (starts.times[i] - begun, >=, (gint64) (i / RATE) * 4000);
  test_executor_end (executor);
}

/* Everybody in turn: one who waits is not lost when time passes while others ask. */
static gpointer
rate_thread (gpointer limiter)
{
  for (guint i = 0; i < test_scaled (200); i++)
    {
      g_autoptr (ConcurFuture) future = concur_limiter_acquire (limiter);

      if (i % 3 == 0 && concur_future_cancel (future, CONCUR_CANCEL_NONE))
        continue;
      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
      concur_limiter_release (limiter);
    }

  return NULL;
}

static void
test_stress (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new_with_rate (3, 5, 100);
  GThread *threads[6];

  test_shake_start ();
  for (guint i = 0; i < 6; i++)
    threads[i] = g_thread_new ("rate", rate_thread, limiter);
  for (guint i = 0; i < 6; i++)
    g_thread_join (threads[i]);
  test_shake_stop ();
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 0);
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, 0);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/limiter-rate/no-thread", test_no_thread);
  g_test_add_func ("/limiter-rate/window", test_window);
  g_test_add_func ("/limiter-rate/window-random", test_window_random);
  g_test_add_func ("/limiter-rate/settings", test_settings);
  g_test_add_func ("/limiter-rate/shorter", test_shorter);
  g_test_add_func ("/limiter-rate/overtake", test_overtake);
  g_test_add_func ("/limiter-rate/clock", test_clock);
  g_test_add_func ("/limiter-rate/jobs", test_jobs);
  g_test_add_func ("/limiter-rate/stress", test_stress);

  return test_run ();
}
