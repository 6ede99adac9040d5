/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Limiters: permits that are acquired and released by hand. */

#include "config.h"

#include "concur-future-private.h"
#include "concur-limiter-private.h"
#include "test-workers.h"

#include <sys/wait.h>
#include <unistd.h>

static void
assert_stands (ConcurLimiter *limiter,
               guint          available,
               guint          borrowed,
               guint          waiting)
{
  g_assert_cmpuint (concur_limiter_get_available (limiter), ==, available);
  g_assert_cmpuint (concur_limiter_get_borrowed (limiter), ==, borrowed);
  g_assert_cmpuint (concur_limiter_get_waiting (limiter), ==, waiting);
}

static void
assert_acquired (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_future_get_boolean (future, &error));
  g_assert_no_error (error);
}

static void
test_properties (void)
{
  g_autoptr (ConcurLimiter) plain = g_object_new (CONCUR_TYPE_LIMITER, NULL);
  g_autoptr (ConcurLimiter) made = concur_limiter_new_with_rate (3, 7, 5000);
  guint permits, rate, available, borrowed, waiting;
  gint64 period;

  g_object_get (plain, "permits", &permits, "rate", &rate, "period", &period, NULL);
  g_assert_cmpuint (permits, ==, 1);
  g_assert_cmpuint (rate, ==, 0);
  g_assert_cmpint (period, ==, G_USEC_PER_SEC);

  g_assert_cmpuint (concur_limiter_get_permits (made), ==, 3);
  g_assert_cmpuint (concur_limiter_get_rate (made), ==, 7);
  g_assert_cmpint (concur_limiter_get_period (made), ==, 5000);
  g_object_set (made, "permits", 5, "rate", 0, "period", (gint64) 1, NULL);
  g_assert_cmpuint (concur_limiter_get_permits (made), ==, 5);
  g_assert_cmpuint (concur_limiter_get_rate (made), ==, 0);
  g_assert_cmpint (concur_limiter_get_period (made), ==, 1);

  g_assert_true (concur_limiter_try_acquire (made));
  g_object_get (made, "available", &available, "borrowed", &borrowed, "waiting", &waiting, NULL);
  g_assert_cmpuint (available, ==, 4);
  g_assert_cmpuint (borrowed, ==, 1);
  g_assert_cmpuint (waiting, ==, 0);

  /* No bound. */
  concur_limiter_set_permits (made, 0);
  assert_stands (made, G_MAXUINT, 1, 0);
  for (guint i = 0; i < 100; i++)
    g_assert_true (concur_limiter_try_acquire (made));
  assert_stands (made, G_MAXUINT, 101, 0);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (ConcurFuture) waiting = NULL;

  test_critical (concur_limiter_release (limiter));
  assert_stands (limiter, 1, 0, 0);
  g_assert_true (concur_limiter_try_acquire (limiter));
  concur_limiter_release (limiter);
  test_critical (concur_limiter_release (limiter));
  assert_stands (limiter, 1, 0, 0);
  test_critical (concur_limiter_set_period (limiter, 0));
  test_critical (g_assert_null (concur_limiter_new_with_rate (1, 1, 0)));
}

/* In the order they came, one for each permit that comes back. */
static void
test_line (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (2);
  ConcurFuture *futures[6];

  for (guint i = 0; i < 6; i++)
    futures[i] = concur_limiter_acquire (limiter);
  assert_stands (limiter, 0, 2, 4);
  g_assert_false (concur_limiter_try_acquire (limiter));

  for (guint n = 2; n <= 6; n++)
    {
      for (guint i = 0; i < 6; i++)
        g_assert_cmpint (concur_future_is_done (futures[i]), ==, i < n);
      assert_stands (limiter, 0, 2, 6 - n);
      if (n < 6)
        concur_limiter_release (limiter);
    }
  for (guint i = 0; i < 6; i++)
    {
      assert_acquired (futures[i]);
      g_object_unref (futures[i]);
    }
  concur_limiter_release (limiter);
  concur_limiter_release (limiter);
  assert_stands (limiter, 2, 0, 0);
}

static void
test_cancel (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  ConcurFuture *futures[6];

  for (guint i = 0; i < 6; i++)
    futures[i] = concur_limiter_acquire (limiter);

  /* The one in the middle, the first, and the last. */
  g_assert_true (concur_future_cancel (futures[3], CONCUR_CANCEL_NONE));
  g_assert_true (concur_future_cancel (futures[1], CONCUR_CANCEL_QUEUED));
  g_assert_true (concur_future_cancel (futures[5], CONCUR_CANCEL_ABANDON));
  assert_stands (limiter, 0, 1, 2);
  test_assert_cancelled (futures[3]);

  concur_limiter_release (limiter);
  assert_acquired (futures[2]);
  g_assert_false (concur_future_is_done (futures[4]));
  /* It is there: too late. */
  g_assert_false (concur_future_cancel (futures[2], CONCUR_CANCEL_NONE));
  concur_limiter_release (limiter);
  assert_acquired (futures[4]);
  concur_limiter_release (limiter);
  assert_stands (limiter, 1, 0, 0);

  for (guint i = 0; i < 6; i++)
    g_object_unref (futures[i]);
}

static void
test_set_permits (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  ConcurFuture *futures[8];

  for (guint i = 0; i < 8; i++)
    futures[i] = concur_limiter_acquire (limiter);

  concur_limiter_set_permits (limiter, 4);
  g_assert_true (concur_future_is_done (futures[3]));
  g_assert_false (concur_future_is_done (futures[4]));
  assert_stands (limiter, 0, 4, 4);

  /* Fewer than are out: none is taken away, and none is given until enough are back. */
  concur_limiter_set_permits (limiter, 2);
  assert_stands (limiter, 0, 4, 4);
  concur_limiter_release (limiter);
  concur_limiter_release (limiter);
  assert_stands (limiter, 0, 2, 4);
  concur_limiter_release (limiter);
  assert_stands (limiter, 0, 2, 3);
  g_assert_true (concur_future_is_done (futures[4]));
  g_assert_false (concur_future_is_done (futures[5]));

  concur_limiter_set_permits (limiter, 0);
  assert_stands (limiter, G_MAXUINT, 5, 0);
  for (guint i = 0; i < 8; i++)
    {
      assert_acquired (futures[i]);
      g_object_unref (futures[i]);
    }
}

static void
release_direct (ConcurFuture *future,
                gpointer      limiter)
{
  concur_limiter_release (limiter);
}

/* Each passes it on from inside the call that gave it: the stack must not grow with them. */
static void
test_pass_on (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  guint n = test_scaled (200000);

  g_assert_true (concur_limiter_try_acquire (limiter));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = concur_limiter_acquire (limiter);

      /* The line keeps it, and that the callback. */
      concur_future_add_direct_callback (future, release_direct, limiter, NULL);
    }
  assert_stands (limiter, 0, 1, n);
  concur_limiter_release (limiter);
  assert_stands (limiter, 1, 0, 0);
}

typedef struct
{
  ConcurLimiter *limiter;
  TestGate acquired;
  gint64 timeout_us;
} Waiter;

static gpointer
waiter_thread (gpointer data)
{
  Waiter *self = data;
  g_autoptr (GError) error = NULL;
  gboolean acquired = concur_limiter_acquire_wait (self->limiter, self->timeout_us, &error);

  g_assert_no_error (error);
  g_assert_true (acquired);
  test_gate_open (&self->acquired);

  return NULL;
}

static void
test_wait (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  Waiter waiters[2] = {
    { limiter, .timeout_us = -1 },
    { limiter, .timeout_us = TEST_PATIENCE_US },
  };
  g_autoptr (GError) error = NULL;
  GThread *threads[2];

  g_assert_true (concur_limiter_acquire_wait (limiter, 0, &error));
  g_assert_no_error (error);
  g_assert_false (concur_limiter_acquire_wait (limiter, 0, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_false (concur_limiter_acquire_wait (limiter, 1000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  assert_stands (limiter, 0, 1, 0);

  for (guint i = 0; i < 2; i++)
    {
      threads[i] = g_thread_new ("waiter", waiter_thread, &waiters[i]);
      test_wait_until (concur_limiter_get_waiting (limiter) == i + 1);
    }
  for (guint i = 0; i < 2; i++)
    {
      concur_limiter_release (limiter);
      test_gate_wait (&waiters[i].acquired);
      g_thread_join (threads[i]);
    }
  concur_limiter_release (limiter);
  assert_stands (limiter, 1, 0, 0);
}

static gboolean
acquire_job (ConcurJob  *job,
             gpointer    limiter,
             GError    **error)
{
  if (!concur_limiter_acquire_wait (limiter, -1, error))
    return FALSE;
  concur_limiter_release (limiter);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static gboolean
release_job (ConcurJob  *job,
             gpointer    limiter,
             GError    **error)
{
  concur_limiter_release (limiter);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

/* A worker that waits for a permit counts as blocked: the one who returns it gets a thread. */
static void
test_wait_on_worker (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, NULL);
  g_autoptr (ConcurFuture) waits = NULL;
  g_autoptr (ConcurFuture) releases = NULL;

  g_assert_true (concur_limiter_try_acquire (limiter));
  waits = test_submit (executor, acquire_job, limiter);
  test_wait_until (concur_limiter_get_waiting (limiter) == 1);
  releases = test_submit (executor, release_job, limiter);
  test_assert_done (waits);
  test_assert_done (releases);
  g_assert_true (concur_future_check (waits, NULL));
  assert_stands (limiter, 1, 0, 0);
  test_executor_end (executor);
}

typedef struct
{
  gboolean done;
  gboolean acquired;
  GError *error;
  GThread *thread;
} Async;

static void
acquire_ready (GObject      *source,
               GAsyncResult *result,
               gpointer      data)
{
  Async *async = data;

  async->acquired = concur_limiter_acquire_finish (CONCUR_LIMITER (source), result, &async->error);
  async->thread = g_thread_self ();
  async->done = TRUE;
}

static void
test_async (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Async first = { 0 }, second = { 0 }, third = { 0 }, late = { 0 };

  concur_limiter_acquire_async (limiter, NULL, acquire_ready, &first);
  g_assert_false (first.done);
  test_iterate_until (NULL, first.done);
  g_assert_true (first.acquired);
  g_assert_true (first.thread == g_thread_self ());

  concur_limiter_acquire_async (limiter, cancellable, acquire_ready, &second);
  concur_limiter_acquire_async (limiter, NULL, acquire_ready, &third);
  assert_stands (limiter, 0, 1, 2);
  g_cancellable_cancel (cancellable);
  test_iterate_until (NULL, second.done);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&second.error);
  assert_stands (limiter, 0, 1, 1);
  concur_limiter_release (limiter);
  test_iterate_until (NULL, third.done);
  g_assert_true (third.acquired);
  concur_limiter_release (limiter);

  /* Not even one that is there. */
  concur_limiter_acquire_async (limiter, cancellable, acquire_ready, &late);
  test_iterate_until (NULL, late.done);
  g_assert_error (late.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&late.error);
  assert_stands (limiter, 1, 0, 0);
}

/* Who waits goes on; what was acquired by hand counts as returned. */
static void
test_drop (void)
{
  ConcurLimiter *limiter = concur_limiter_new (2);
  guint before = test_futures_alive ();
  ConcurFuture *futures[5];

  for (guint i = 0; i < 5; i++)
    futures[i] = concur_limiter_acquire (limiter);
  g_object_unref (limiter);
  for (guint i = 0; i < 5; i++)
    {
      assert_acquired (futures[i]);
      g_object_unref (futures[i]);
    }
  g_assert_cmpuint (test_futures_alive (), ==, before);
}

static void
test_memory (void)
{
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (ConcurFuture) first = concur_limiter_acquire (limiter);
  g_autoptr (ConcurFuture) parked = concur_limiter_acquire (limiter);
  GTypeQuery query;

  /* There is nothing else of it. */
  g_assert_null (concur_atomic_load (&concur_future_private (parked)->extra, CONCUR_RELAXED));
  g_type_query (G_OBJECT_TYPE (parked), &query);
  g_test_message ("a parked waiter: %u bytes",
                  (guint) (query.instance_size + sizeof (ConcurFuturePrivate)));
  g_assert_cmpuint (query.instance_size + sizeof (ConcurFuturePrivate), <=, 184);
  g_assert_true (concur_future_cancel (parked, CONCUR_CANCEL_NONE));
}

/* Which check failed is its exit status. */
static int
in_child (ConcurLimiter *limiter,
          ConcurFuture  *pending)
{
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  alarm (50);
  future = concur_limiter_acquire (limiter);
  if (!g_error_matches (concur_future_get_error (future), CONCUR_EXECUTOR_ERROR,
                        CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 1;
  if (concur_limiter_acquire_wait (limiter, -1, &error)
      || !g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 2;
  if (concur_limiter_try_acquire (limiter))
    return 3;
  concur_limiter_release (limiter);
  if (concur_future_wait (pending, -1))
    return 4;
  if (!concur_future_cancel (pending, CONCUR_CANCEL_NONE))
    return 5;
  g_object_unref (pending);
  g_object_unref (limiter);

  return 0;
}

static void
test_fork (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (ConcurFuture) one = test_submit (executor, test_one_job, NULL);
  g_autoptr (ConcurLimiter) limiter = concur_limiter_new (1);
  g_autoptr (ConcurFuture) first = concur_limiter_acquire (limiter);
  g_autoptr (ConcurFuture) pending = concur_limiter_acquire (limiter);
  int status;
  pid_t pid;

  test_assert_done (one);
  /* As if somebody was in the middle of something. */
  concur_lock_acquire (&concur_limiter_get_core (limiter)->lock);
  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    _exit (in_child (limiter, pending));
  concur_lock_release (&concur_limiter_get_core (limiter)->lock);

  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  g_assert_true (concur_future_cancel (pending, CONCUR_CANCEL_NONE));
  test_executor_end (executor);
}

static void
test_quiesce (void)
{
  g_autoptr (GError) error = NULL;
  ConcurLimiter *limiter;

  if (!g_test_subprocess ())
    {
      g_test_trap_subprocess (NULL, 0, 0);
      g_test_trap_assert_passed ();
      return;
    }

  limiter = concur_limiter_new (1);
  concur_quiesce ();
  g_assert_true (concur_limiter_acquire_wait (limiter, -1, &error));
  g_assert_no_error (error);
  g_assert_false (concur_limiter_acquire_wait (limiter, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  concur_limiter_release (limiter);
  g_assert_true (concur_limiter_try_acquire (limiter));
  _exit (0);
}

#define STRESS_THREADS 8
#define STRESS_PERMITS 4

typedef struct
{
  ConcurLimiter *limiter;
  TestCrowd crowd;
  guint rounds;
} Stress;

static void
use_permit (Stress *stress)
{
  test_crowd_enter (&stress->crowd);
  g_thread_yield ();
  test_crowd_leave (&stress->crowd);
  concur_limiter_release (stress->limiter);
}

static gpointer
cancel_thread (gpointer future)
{
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_object_unref (future);

  return NULL;
}

static gpointer
stress_thread (gpointer data)
{
  Stress *stress = data;
  g_autoptr (GRand) rand = g_rand_new ();

  for (guint i = 0; i < stress->rounds; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      GThread *canceller = NULL;

      switch (g_rand_int_range (rand, 0, 6))
        {
        case 0:
          if (concur_limiter_try_acquire (stress->limiter))
            use_permit (stress);
          break;
        case 1:
          if (concur_limiter_acquire_wait (stress->limiter, g_rand_int_range (rand, 0, 50), NULL))
            use_permit (stress);
          break;
        case 2:
          concur_limiter_set_permits (stress->limiter,
                                      1 + g_rand_int_range (rand, 0, STRESS_PERMITS));
          break;
        case 3:
          /* Cancelled by the one who asked. */
          future = concur_limiter_acquire (stress->limiter);
          if (!concur_future_cancel (future, CONCUR_CANCEL_NONE))
            {
              g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
              use_permit (stress);
            }
          break;
        case 4:
          /* Cancelled by somebody else, at any moment. */
          future = concur_limiter_acquire (stress->limiter);
          if (i % 8 == 0)
            canceller = g_thread_new ("cancel", cancel_thread, g_object_ref (future));
          g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
          if (concur_future_check (future, NULL))
            use_permit (stress);
          if (canceller != NULL)
            g_thread_join (canceller);
          break;
        default:
          g_assert_true (concur_limiter_acquire_wait (stress->limiter, -1, NULL));
          use_permit (stress);
        }
    }

  return NULL;
}

static void
test_stress (void)
{
  Stress stress = { .limiter = concur_limiter_new (STRESS_PERMITS), .rounds = test_scaled (4000) };
  GThread *threads[STRESS_THREADS];

  test_shake_start ();
  for (guint i = 0; i < STRESS_THREADS; i++)
    threads[i] = g_thread_new ("stress", stress_thread, &stress);
  for (guint i = 0; i < STRESS_THREADS; i++)
    g_thread_join (threads[i]);
  test_shake_stop ();

  concur_limiter_set_permits (stress.limiter, STRESS_PERMITS);
  assert_stands (stress.limiter, STRESS_PERMITS, 0, 0);
  g_assert_cmpuint (test_crowd_get_most (&stress.crowd), <=, STRESS_PERMITS);
  g_assert_cmpuint (test_crowd_get_ever (&stress.crowd), >, stress.rounds);
  g_object_unref (stress.limiter);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/limiter/properties", test_properties);
  g_test_add_func ("/limiter/mistakes", test_mistakes);
  g_test_add_func ("/limiter/line", test_line);
  g_test_add_func ("/limiter/cancel", test_cancel);
  g_test_add_func ("/limiter/set-permits", test_set_permits);
  g_test_add_func ("/limiter/pass-on", test_pass_on);
  g_test_add_func ("/limiter/wait", test_wait);
  g_test_add_func ("/limiter/wait-on-worker", test_wait_on_worker);
  g_test_add_func ("/limiter/async", test_async);
  g_test_add_func ("/limiter/drop", test_drop);
  g_test_add_func ("/limiter/memory", test_memory);
  g_test_add_func ("/limiter/fork", test_fork);
  g_test_add_func ("/limiter/quiesce", test_quiesce);
  g_test_add_func ("/limiter/stress", test_stress);

  return test_run ();
}
