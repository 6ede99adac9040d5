/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What doc/claim-table.md says and test-races.c cannot bring about: ends of the pool that
 * need more than two, and mistakes of callers. */

#include "config.h"

#include "test-workers.h"

#include "concur-future-private.h"
#include "concur-home-private.h"
#include "concur-pool-private.h"

#include <sched.h>

/* Somebody who cancels, and is held up after the job is cancelled and before the pool
 * hears of it. */
typedef struct
{
  GThread *thread;
  ConcurFuture *future; /* (owned) */
  TestGate cancelled;
  TestGate go;
} LateCanceller;

static void
hold_canceller_up (ConcurFuture *future,
                   gpointer      data)
{
  LateCanceller *self = data;

  test_gate_open (&self->cancelled);
  test_gate_wait (&self->go);
}

static gpointer
cancel_thread (gpointer data)
{
  LateCanceller *self = data;

  g_assert_true (concur_future_cancel (self->future, CONCUR_CANCEL_NONE));

  return NULL;
}

/* What then keeps the pool is that job alone, and whoever cancelled the last one ends it. */
static void
test_late_cancellers (void)
{
  ConcurThreadExecutor *executor = concur_thread_executor_new (1);
  LateCanceller cancellers[2] = { 0 };
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) end = NULL;
  ConcurPool *pool;
  guint i;

  g_object_unref (test_submit (executor, test_clog_job, &clog));
  test_gate_wait (&clog.begun);
  for (i = 0; i < G_N_ELEMENTS (cancellers); i++)
    {
      LateCanceller *self = &cancellers[i];

      self->future = test_submit (executor, test_one_job, NULL);
      concur_future_add_direct_callback (self->future, hold_canceller_up, self, NULL);
      self->thread = g_thread_new ("canceller", cancel_thread, self);
      test_gate_wait (&self->cancelled);
    }

  pool = concur_future_private (cancellers[0].future)->pool;
  end = concur_executor_shutdown (CONCUR_EXECUTOR (executor), CONCUR_SHUTDOWN_DRAIN);
  g_object_unref (executor);
  test_gate_open (&clog.go);
  test_wait_until (concur_atomic_load (&pool->refs, CONCUR_ACQUIRE) == 0);

  for (i = 0; i < G_N_ELEMENTS (cancellers); i++)
    {
      g_assert_false (concur_future_is_done (end));
      test_gate_open (&cancellers[i].go);
      g_thread_join (cancellers[i].thread);
      g_object_unref (cancellers[i].future);
    }

  test_assert_done (end);
  g_assert_true (concur_future_check (end, NULL));
  test_wait_until (test_futures_alive () == 1);
}

/* One thread cancels what a worker pops at the same time. Each job's parent is cancelled
 * right after the job is gone: whatever still knew the job would touch it then. */
#define N_CHASES 1000
#define N_CHASED 8

typedef struct
{
  ConcurFuture *future; /* (owned) by who cancels */
  GCancellable *parent; /* (owned) */
} Chased;

typedef struct
{
  Chased chased[N_CHASED];
  guint n_chases;
  guint next; /* written before the job that reads it is submitted */
  gint begun; /* atomic: how many chases */
  gint ended; /* atomic */
} Chase;

static _Thread_local Chased *just_gone;

static void
chased_gone (gpointer  data,
             GObject  *object)
{
  just_gone = data;
}

static void
cancel_parent_of_gone (void)
{
  if (just_gone != NULL)
    g_cancellable_cancel (just_gone->parent);
  just_gone = NULL;
}

static void
wait_for_chase (Chase *self,
                guint  number)
{
  while ((guint) g_atomic_int_get (&self->begun) < number)
    sched_yield ();
}

static gpointer
chase_thread (gpointer data)
{
  Chase *self = data;
  guint number, i;

  for (number = 1; number <= self->n_chases; number++)
    {
      wait_for_chase (self, number);
      for (i = 0; i < N_CHASED; i++)
        {
          concur_future_cancel (self->chased[i].future, CONCUR_CANCEL_NONE);
          g_object_unref (self->chased[i].future);
          cancel_parent_of_gone ();
        }
      g_atomic_int_inc (&self->ended);
    }

  return NULL;
}

/* Keeps the worker until the chase begins. */
static gboolean
chase_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Chase *self = data;

  wait_for_chase (self, self->next);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
test_chase (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Chase chase = { .n_chases = test_scaled (N_CHASES) };
  TestReleases releases = { .thread = g_thread_self () };
  GThread *thread = g_thread_new ("chase", chase_thread, &chase);
  guint number, i;

  for (number = 1; number <= chase.n_chases; number++)
    {
      gint64 deadline = g_get_monotonic_time () + TEST_PATIENCE_US;

      chase.next = number;
      g_object_unref (test_submit (executor, chase_job, &chase));
      for (i = 0; i < N_CHASED; i++)
        {
          Chased *chased = &chase.chased[i];

          chased->parent = g_cancellable_new ();
          chased->future = concur_executor_submit (executor, test_one_job, &releases,
                                                   test_released, chased->parent);
          g_object_weak_ref (G_OBJECT (chased->future), chased_gone, chased);
        }

      g_atomic_int_inc (&chase.begun);
      while ((guint) g_atomic_int_get (&chase.ended) < number || test_futures_alive () > 0)
        {
          if (concur_home_serve_now (1) == 0)
            sched_yield ();
          cancel_parent_of_gone ();
          if (g_get_monotonic_time () > deadline)
            g_error ("chase %u does not end: %u futures left", number, test_futures_alive ());
        }
      for (i = 0; i < N_CHASED; i++)
        g_object_unref (chase.chased[i].parent);
    }

  g_thread_join (thread);
  test_executor_end (executor);
  g_assert_cmpuint (test_releases_get (&releases), ==, chase.n_chases * N_CHASED);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

/* What the table calls a critical leaves the job as it was. */
static void
test_mistakes (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurJob) unsubmitted = concur_job_new (test_one_job, NULL, NULL);

  test_critical (concur_job_return_int64 (unsubmitted, 2));
  g_assert_false (concur_future_is_done (CONCUR_FUTURE (unsubmitted)));

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  future = test_submit (executor, test_one_job, NULL);
  test_critical (g_assert_null (concur_executor_submit_job (executor, CONCUR_JOB (future), NULL)));
  test_critical (concur_job_execute (CONCUR_JOB (future)));
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_critical (g_assert_null (concur_executor_submit_job (executor, CONCUR_JOB (future), NULL)));

  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);
  test_shake_start ();

  g_test_add_func ("/race-edges/late-cancellers", test_late_cancellers);
  g_test_add_func ("/race-edges/chase", test_chase);
  g_test_add_func ("/race-edges/mistakes", test_mistakes);

  return test_run ();
}
