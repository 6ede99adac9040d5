/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Limiters: jobs that get a permit when their turn comes, and give it back when their work
 * has really ended. */

#include "config.h"

#include "test-workers.h"

static ConcurExecutor *
pool_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", max_threads, NULL);
}

/* Permits are back a moment after the future is done. */
static void
assert_all_back (ConcurLimiter *limiter,
                 guint          permits)
{
  test_wait_until (concur_limiter_get_borrowed (limiter) == 0);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 0);
  g_assert_cmpuint (concur_limiter_get_available (limiter), ==, permits);
}

static ConcurFuture *
submit (ConcurLimiter  *limiter,
        ConcurExecutor *executor,
        ConcurJobFunc   func,
        gpointer        data)
{
  return concur_limiter_submit (limiter, executor, func, data, NULL, NULL);
}

static gboolean
crowd_job (ConcurJob  *job,
           gpointer    crowd,
           GError    **error)
{
  test_crowd_enter (crowd);
  g_thread_yield ();
  test_crowd_leave (crowd);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_no_more (void)
{
  ConcurExecutor *executor = pool_new (8);
  guint n = test_scaled (4000);

  for (guint permits = 1; permits <= 4; permits++)
    {
      g_autoptr (ConcurLimiter) limiter = concur_limiter_new (permits);
      g_autoptr (GPtrArray) futures = test_futures_new ();
      TestCrowd crowd = { 0 };

      for (guint i = 0; i < n; i++)
        g_ptr_array_add (futures, submit (limiter, executor, crowd_job, &crowd));
      test_futures_wait (futures);
      for (guint i = 0; i < n; i++)
        test_assert_int64 (g_ptr_array_index (futures, i), 1);
      g_assert_cmpuint (test_crowd_get_most (&crowd), <=, permits);
      g_assert_cmpuint (test_crowd_get_ever (&crowd), ==, n);
      assert_all_back (limiter, permits);
    }
  test_executor_end (executor);
}

static void
test_order (void)
{
  ConcurExecutor *executor = pool_new (4);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  gint counter = 0;

  g_assert_true (concur_limiter_try_acquire (limiter));
  for (guint i = 0; i < 100; i++)
    {
      ConcurJob *job = concur_job_new (test_count_job, &counter, NULL);

      /* The line knows no priorities. */
      concur_job_set_priority (job, i % 2 == 0 ? CONCUR_PRIORITY_LOW : CONCUR_PRIORITY_HIGH);
      g_ptr_array_add (futures, concur_limiter_submit_job (limiter, executor, job, NULL));
      g_object_unref (job);
    }
  concur_limiter_release (limiter);
  test_futures_wait (futures);
  for (guint i = 0; i < 100; i++)
    test_assert_int64 (g_ptr_array_index (futures, i), i);
  test_executor_end (executor);
}

/* Those who wait occupy no thread, and a permit of theirs cannot be returned by hand. */
static void
test_waiting (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurFuture) clogged = NULL;
  g_autoptr (ConcurFuture) other = NULL;
  ConcurExecutor *clog_executor = pool_new (1);
  TestClog clog = { 0 };

  clogged = submit (limiter, clog_executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  for (guint i = 0; i < 10; i++)
    g_ptr_array_add (futures, submit (limiter, executor, test_one_job, NULL));
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 10);
  other = test_submit (executor, test_one_job, NULL);
  test_assert_done (other);
  g_assert_cmpint (concur_future_get_state (g_ptr_array_index (futures, 0)), ==,
                   CONCUR_FUTURE_STATE_PENDING);
  g_assert_false (concur_limiter_try_acquire (limiter));
  test_critical (concur_limiter_release (limiter));
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, 1);

  test_gate_open (&clog.go);
  test_futures_wait (futures);
  test_assert_int64 (clogged, 42);
  assert_all_back (limiter, 1);
  test_executor_end (executor);
  test_executor_end (clog_executor);
}

static void
test_default_executor (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (ConcurFuture) future = concur_limiter_submit (limiter, NULL, test_one_job, NULL, NULL,
                                                           NULL);

  test_assert_done (future);
  test_assert_int64 (future, 1);
  g_assert_true (CONCUR_IS_JOB (future));
  assert_all_back (limiter, 1);
}

static gboolean
never_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  g_assert_not_reached ();
}

static void
test_cancel_in_line (void)
{
  ConcurExecutor *executor = pool_new (2);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;

  g_assert_true (concur_limiter_try_acquire (limiter));
  first = concur_limiter_submit (limiter, executor, never_job, &releases, test_released, NULL);
  second = submit (limiter, executor, test_one_job, NULL);
  g_assert_true (concur_future_cancel (first, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (first);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 1);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);

  concur_limiter_release (limiter);
  test_assert_done (second);
  assert_all_back (limiter, 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_executor_end (executor);
}

/* It has its permit, but no thread. */
static void
test_cancel_in_queue (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;

  test_gate_wait (&clog.begun);
  first = submit (limiter, executor, never_job, NULL);
  second = submit (limiter, executor, test_one_job, NULL);
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, 1);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 1);
  g_assert_true (concur_future_cancel (first, CONCUR_CANCEL_NONE));
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 0);
  test_gate_open (&clog.go);
  test_assert_done (second);
  assert_all_back (limiter, 1);
  test_executor_end (executor);
}

static void
test_abandon (void)
{
  ConcurExecutor *executor = pool_new (2);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) future = submit (limiter, executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) next = NULL;

  test_gate_wait (&clog.begun);
  next = submit (limiter, executor, test_one_job, NULL);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (future);
  /* It still runs. */
  g_assert_cmpuint (concur_limiter_get_available (limiter), ==, 0);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 1);
  test_gate_open (&clog.go);
  test_assert_done (next);
  assert_all_back (limiter, 1);
  test_executor_end (executor);
}

typedef struct
{
  TestGate returned;
  ConcurJob *job; /* (owned) */
} Held;

static gboolean
held_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Held *held = data;

  held->job = g_object_ref (job);
  concur_job_hold (job);
  test_gate_open (&held->returned);

  return TRUE;
}

static void
check_held (gboolean abandon)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  Held held = { 0 };
  g_autoptr (ConcurFuture) future = submit (limiter, executor, held_job, &held);
  g_autoptr (ConcurFuture) flush = NULL;
  g_autoptr (ConcurFuture) next = NULL;

  test_gate_wait (&held.returned);
  /* The worker has come out of it. */
  flush = test_submit (executor, test_one_job, NULL);
  test_assert_done (flush);
  next = submit (limiter, executor, test_one_job, NULL);
  if (abandon)
    g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 1);
  concur_job_return_int64 (held.job, 3);
  g_object_unref (held.job);
  test_assert_done (next);
  if (!abandon)
    test_assert_int64 (future, 3);
  assert_all_back (limiter, 1);
  test_executor_end (executor);
}

static void
test_hold (void)
{
  check_held (FALSE);
  check_held (TRUE);
}

/* Far more than a stack would take if each was turned away inside the one before. */
static void
test_shut_down (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint n = test_scaled (50000);
  TestReleases releases = { .thread = g_thread_self () };

  g_assert_true (concur_limiter_try_acquire (limiter));
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (futures, concur_limiter_submit (limiter, executor, never_job, &releases,
                                                     test_released, NULL));
  {
    g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);

    /* What is not there yet does not keep it. */
    test_assert_done (end);
  }
  concur_limiter_release (limiter);
  for (guint i = 0; i < n; i++)
    test_assert_error (g_ptr_array_index (futures, i), CONCUR_EXECUTOR_ERROR,
                       CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, n);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  assert_all_back (limiter, 1);
  g_object_unref (executor);
}

static void
test_parent (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ConcurFuture *futures[3];
  g_autoptr (ConcurFuture) next = NULL;

  g_assert_true (concur_limiter_try_acquire (limiter));
  for (guint i = 0; i < 2; i++)
    futures[i] = concur_limiter_submit (limiter, executor, never_job, NULL, NULL, cancellable);
  next = submit (limiter, executor, test_one_job, NULL);
  g_cancellable_cancel (cancellable);
  futures[2] = concur_limiter_submit (limiter, executor, never_job, NULL, NULL, cancellable);
  for (guint i = 0; i < 3; i++)
    {
      test_assert_done (futures[i]);
      test_assert_cancelled (futures[i]);
      g_object_unref (futures[i]);
    }
  test_wait_until (concur_limiter_get_waiting (limiter) == 1);
  concur_limiter_release (limiter);
  test_assert_done (next);
  assert_all_back (limiter, 1);
  test_executor_end (executor);
}

static void
test_drop (void)
{
  ConcurExecutor *executor = pool_new (2);
  ConcurLimiter *limiter = concur_limiter_new (1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestReleases releases = { 0 };

  test_releases_watch (&releases, limiter);
  g_assert_true (concur_limiter_try_acquire (limiter));
  for (guint i = 0; i < 20; i++)
    g_ptr_array_add (futures, submit (limiter, executor, test_one_job, NULL));
  g_object_unref (limiter);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  test_futures_wait (futures);
  test_executor_end (executor);
}

/* A queue that is full makes who submits wait, but not who returns a permit. */
static void
test_full_queue (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-pending", 1, NULL);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (2);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) queued = NULL;
  g_autoptr (GPtrArray) futures = test_futures_new ();

  test_gate_wait (&clog.begun);
  queued = test_submit (executor, test_one_job, NULL);
  g_assert_true (concur_limiter_try_acquire (limiter));
  g_assert_true (concur_limiter_try_acquire (limiter));
  for (guint i = 0; i < 4; i++)
    g_ptr_array_add (futures, submit (limiter, executor, test_one_job, NULL));
  concur_limiter_release (limiter);
  concur_limiter_release (limiter);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 2);
  test_gate_open (&clog.go);
  test_futures_wait (futures);
  for (guint i = 0; i < 4; i++)
    test_assert_int64 (g_ptr_array_index (futures, i), 1);
  assert_all_back (limiter, 2);
  test_executor_end (executor);
}

static void
test_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_context_executor_new (context));
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (context);
  first = submit (limiter, executor, test_one_job, NULL);
  second = submit (limiter, executor, test_one_job, NULL);
  /* In the line already it is known where it is going to run. */
  g_assert_null (concur_future_result (second, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  test_iterate_until (context, concur_future_is_done (second));
  test_assert_int64 (first, 1);
  test_assert_int64 (second, 1);
  assert_all_back (limiter, 1);
  g_main_context_pop_thread_default (context);
  test_executor_end (executor);
}

typedef struct
{
  ConcurLimiter *limiter;
  ConcurExecutor *executor;
  TestReleases data;
  TestReleases job;
  TestReleases pool;
} Home;

static void
submit_at_home (gpointer data)
{
  Home *home = data;
  ConcurJob *job;

  for (guint i = 0; i < 3; i++)
    {
      job = concur_job_new (test_one_job, &home->data, test_released);
      test_releases_watch (&home->job, job);
      g_object_unref (concur_limiter_submit_job (home->limiter, home->executor, job, NULL));
      g_object_unref (job);
    }
  g_clear_object (&home->executor);
}

/* Who returns the permit lets nothing go that was submitted elsewhere. */
static void
test_home (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  Home home = { .limiter = limiter, .executor = pool_new (2) };

  home.data.thread = home.job.thread = home.pool.thread = test_loop_get_thread (loop);
  test_releases_watch (&home.pool, home.executor);
  g_assert_true (concur_limiter_try_acquire (limiter));
  test_loop_call (loop, submit_at_home, &home);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, 3);
  concur_limiter_release (limiter);
  test_wait_until (test_releases_get (&home.pool) == 1);
  test_wait_until (test_releases_get (&home.job) == 3);
  g_assert_cmpuint (test_releases_get (&home.data), ==, 3);
  g_assert_cmpuint (test_releases_get_wrong (&home.data), ==, 0);
  g_assert_cmpuint (test_releases_get_wrong (&home.job), ==, 0);
  g_assert_cmpuint (test_releases_get_wrong (&home.pool), ==, 0);
  assert_all_back (limiter, 1);
  test_loop_free (loop);
}

static void
test_mistakes (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (ConcurJob) job = concur_job_new (test_one_job, NULL, NULL);
  g_autoptr (ConcurJob) early = concur_job_new (never_job, NULL, NULL);
  g_autoptr (ConcurFuture) future = concur_limiter_submit_job (limiter, executor, job, NULL);
  g_autoptr (ConcurFuture) none = NULL;

  test_critical (g_assert_null (concur_limiter_submit_job (limiter, executor, job, NULL)));
  test_assert_done (future);
  test_critical (g_assert_null (concur_limiter_submit_job (limiter, executor, job, NULL)));

  /* Cancelled before it was submitted: it takes no permit. */
  g_assert_true (concur_future_cancel (CONCUR_FUTURE (early), CONCUR_CANCEL_NONE));
  none = concur_limiter_submit_job (limiter, executor, early, NULL);
  test_assert_cancelled (none);
  assert_all_back (limiter, 1);
  test_executor_end (executor);
}

#define STRESS_THREADS 6
#define STRESS_PERMITS 3

typedef struct
{
  ConcurLimiter *limiter;
  ConcurExecutor *executor;
  TestCrowd crowd;
  TestReleases releases;
  gint n_submitted; /* atomic */
} Stress;

static gboolean
stress_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Stress *stress = data;

  test_crowd_enter (&stress->crowd);
  g_thread_yield ();
  test_crowd_leave (&stress->crowd);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
stress_released (gpointer data)
{
  test_released (&((Stress *) data)->releases);
}

static gpointer
stress_thread (gpointer data)
{
  Stress *stress = data;
  g_autoptr (GRand) rand = g_rand_new ();
  g_autoptr (GPtrArray) futures = test_futures_new ();

  for (guint i = 0; i < test_scaled (6000); i++)
    {
      switch (g_rand_int_range (rand, 0, 8))
        {
        case 0:
          if (futures->len > 0)
            {
              guint which = g_rand_int_range (rand, 0, futures->len);

              concur_future_cancel (g_ptr_array_index (futures, which), CONCUR_CANCEL_ABANDON);
            }
          break;
        case 1:
          if (futures->len > 0)
            concur_future_cancel (g_ptr_array_index (futures, futures->len - 1),
                                  CONCUR_CANCEL_NONE);
          break;
        case 2:
          concur_limiter_set_permits (stress->limiter,
                                      1 + g_rand_int_range (rand, 0, STRESS_PERMITS));
          break;
        case 3:
          if (futures->len > 0)
            g_assert_true (concur_future_wait (g_ptr_array_index (futures, 0), TEST_PATIENCE_US));
          g_ptr_array_set_size (futures, 0);
          break;
        case 4:
          if (concur_limiter_try_acquire (stress->limiter))
            {
              test_crowd_enter (&stress->crowd);
              test_crowd_leave (&stress->crowd);
              concur_limiter_release (stress->limiter);
            }
          break;
        default:
          g_atomic_int_inc (&stress->n_submitted);
          g_ptr_array_add (futures,
                           concur_limiter_submit (stress->limiter, stress->executor, stress_job,
                                                  stress, stress_released, NULL));
        }
    }
  for (guint i = 0; i < futures->len; i++)
    g_assert_true (concur_future_wait (g_ptr_array_index (futures, i), TEST_PATIENCE_US));

  return NULL;
}

static void
test_stress (void)
{
  Stress stress = { .limiter = concur_limiter_new (STRESS_PERMITS), .executor = pool_new (8) };
  GThread *threads[STRESS_THREADS];

  test_shake_start ();
  for (guint i = 0; i < STRESS_THREADS; i++)
    threads[i] = g_thread_new ("stress", stress_thread, &stress);
  for (guint i = 0; i < STRESS_THREADS; i++)
    g_thread_join (threads[i]);
  concur_limiter_set_permits (stress.limiter, STRESS_PERMITS);
  assert_all_back (stress.limiter, STRESS_PERMITS);
  test_shake_stop ();

  g_assert_cmpuint (test_crowd_get_most (&stress.crowd), <=, STRESS_PERMITS);
  test_executor_end (stress.executor);
  test_wait_until ((gint) test_releases_get (&stress.releases)
                   == g_atomic_int_get (&stress.n_submitted));
  g_object_unref (stress.limiter);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/limiter-submit/no-more", test_no_more);
  g_test_add_func ("/limiter-submit/order", test_order);
  g_test_add_func ("/limiter-submit/waiting", test_waiting);
  g_test_add_func ("/limiter-submit/default-executor", test_default_executor);
  g_test_add_func ("/limiter-submit/cancel-in-line", test_cancel_in_line);
  g_test_add_func ("/limiter-submit/cancel-in-queue", test_cancel_in_queue);
  g_test_add_func ("/limiter-submit/abandon", test_abandon);
  g_test_add_func ("/limiter-submit/hold", test_hold);
  g_test_add_func ("/limiter-submit/shut-down", test_shut_down);
  g_test_add_func ("/limiter-submit/parent", test_parent);
  g_test_add_func ("/limiter-submit/drop", test_drop);
  g_test_add_func ("/limiter-submit/full-queue", test_full_queue);
  g_test_add_func ("/limiter-submit/context", test_context);
  g_test_add_func ("/limiter-submit/home", test_home);
  g_test_add_func ("/limiter-submit/mistakes", test_mistakes);
  g_test_add_func ("/limiter-submit/stress", test_stress);

  return test_run ();
}
