/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Batchers whose calls come, are cancelled, flushed, held and forgotten by many threads at
 * once. */

#include "config.h"

#include "test-batcher.h"

/* Many threads call, cancel, flush and look on; whoever is not cancelled gets the answer to
 * his own argument, and the function sees no argument twice. */
#define N_CALLERS 6

typedef struct
{
  ConcurBatcher *batcher;
  guint max_count;
  guint n;                 /* calls of each thread */
  gint thread;             /* atomic */
  gint *seen;              /* atomic: how often, for each argument */
  gint n_batches;          /* atomic */
  gint n_answered;         /* atomic: as the callers see it */
  gint n_accepted;         /* atomic: as the function does */
} Crowd;

static gboolean
crowd_func (ConcurBatcherJob  *job,
            gpointer           data,
            GError           **error)
{
  Crowd *crowd = data;
  guint n = concur_batcher_job_get_n_calls (job), i;

  g_assert_cmpuint (n, >, 0);
  g_assert_cmpuint (n, <=, crowd->max_count);
  g_atomic_int_inc (&crowd->n_batches);
  for (i = 0; i < n; i++)
    {
      gint64 argument = argument_of (job, i);

      g_assert_cmpint (g_atomic_int_add (&crowd->seen[argument], 1), ==, 0);
      if (concur_batcher_job_answer (job, i, CONCUR_VALUE_INT64 (argument * 3)))
        g_atomic_int_inc (&crowd->n_accepted);
    }

  return TRUE;
}

static gpointer
crowd_thread (gpointer data)
{
  Crowd *crowd = data;
  guint thread = (guint) g_atomic_int_add (&crowd->thread, 1), i;
  g_autoptr (GRand) rand = g_rand_new_with_seed (thread);
  g_autoptr (GPtrArray) futures = test_futures_new ();

  for (i = 0; i < crowd->n; i++)
    {
      g_autoptr (GCancellable) cancellable = g_rand_int_range (rand, 0, 4) == 0
                                             ? g_cancellable_new () : NULL;

      g_ptr_array_add (futures,
                       concur_batcher_call (crowd->batcher,
                                            CONCUR_VALUE_INT64 (thread * crowd->n + i),
                                            cancellable));
      switch (g_rand_int_range (rand, 0, 8))
        {
        case 0:
          concur_future_cancel (futures->pdata[g_rand_int_range (rand, 0, (gint) i + 1)],
                                CONCUR_CANCEL_NONE);
          break;
        case 1:
          if (cancellable != NULL)
            g_cancellable_cancel (cancellable);
          break;
        case 2:
          concur_batcher_flush (crowd->batcher);
          break;
        case 3:
          test_assert_done (futures->pdata[i]);
          break;
        case 4:
          g_assert_cmpuint (concur_batcher_get_waiting (crowd->batcher), <=, crowd->max_count);
          break;
        default:
          break;
        }
    }

  for (i = 0; i < crowd->n; i++)
    {
      ConcurFuture *future = futures->pdata[i];

      test_assert_done (future);
      if (concur_future_get_state (future) == CONCUR_FUTURE_STATE_CANCELLED)
        continue;
      test_assert_int64 (future, 3 * (gint64) (thread * crowd->n + i));
      g_atomic_int_inc (&crowd->n_answered);
    }

  return NULL;
}

static void
test_crowd (void)
{
  guint rounds = 10, round, i;

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      ConcurExecutor *executor = pool_new (1 + round % 3);
      Crowd crowd = { .max_count = 2 + round, .n = test_scaled (300) };
      GThread *threads[N_CALLERS];

      crowd.seen = g_new0 (gint, N_CALLERS * crowd.n);
      crowd.batcher = concur_batcher_new (crowd.max_count, 1 + 100 * (gint64) round, crowd_func,
                                          &crowd, NULL, executor);
      for (i = 0; i < N_CALLERS; i++)
        threads[i] = g_thread_new ("caller", crowd_thread, &crowd);
      for (i = 0; i < N_CALLERS; i++)
        g_thread_join (threads[i]);
      g_object_unref (crowd.batcher);
      test_executor_end (executor);
      g_assert_cmpint (crowd.n_answered, ==, crowd.n_accepted);
      g_assert_cmpint (crowd.n_batches, >, 0);
      g_free (crowd.seen);
    }
  test_shake_stop ();
}

/* The last call, the end of the leeway and the last reference, all at the same moment. */
static void
test_race_drop (void)
{
  guint rounds = test_scaled (2000), round;

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      Asked asked = { .answers = TRUE };
      ConcurBatcher *batcher = asked_batcher (&asked, NULL, 2, 1 + round % 50);
      g_autoptr (ConcurFuture) first = call (batcher, 1);
      g_autoptr (ConcurFuture) second = call (batcher, 2);

      g_object_unref (batcher);
      if (round % 3 == 0)
        concur_future_cancel (first, CONCUR_CANCEL_NONE);
      test_assert_done (first);
      test_assert_done (second);
      test_assert_int64 (second, 1002);
      g_mutex_lock (&asked.mutex);
      g_string_free (asked.seen, TRUE);
      g_mutex_unlock (&asked.mutex);
      concur_release_pending ();
    }
  test_shake_stop ();
}

/* A held batch that is answered, left and ended from several threads. */
typedef struct
{
  TestGate held;
  ConcurBatcherJob *job;
  ConcurFuture *futures[4];
  TestGate go;
} Held;

static gboolean
held_func (ConcurBatcherJob  *job,
           gpointer           data,
           GError           **error)
{
  Held *held = data;

  concur_job_hold (CONCUR_JOB (job));
  held->job = g_object_ref (job);
  test_gate_open (&held->held);

  return TRUE;
}

static gpointer
answer_thread (gpointer data)
{
  Held *held = data;

  test_gate_wait (&held->go);
  for (guint i = 0; i < 4; i++)
    concur_batcher_job_answer (held->job, i, CONCUR_VALUE_INT64 (i));

  return NULL;
}

static gpointer
leave_thread (gpointer data)
{
  Held *held = data;

  test_gate_wait (&held->go);
  for (guint i = 4; i-- > 0; )
    concur_future_cancel (held->futures[i], CONCUR_CANCEL_NONE);

  return NULL;
}

static gpointer
end_thread (gpointer data)
{
  Held *held = data;
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  test_gate_wait (&held->go);
  concur_job_return_error (CONCUR_JOB (held->job), error);

  return NULL;
}

static void
test_race_hold (void)
{
  static const GThreadFunc funcs[] = { answer_thread, answer_thread, leave_thread, end_thread };
  guint rounds = test_scaled (500), round, i;

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      Held held = { 0 };
      g_autoptr (ConcurBatcher) batcher = concur_batcher_new (4, HOUR_US, held_func, &held, NULL,
                                                              NULL);
      GThread *threads[G_N_ELEMENTS (funcs)];
      guint skip = round % 5;

      for (i = 0; i < 4; i++)
        held.futures[i] = call (batcher, i);
      test_gate_wait (&held.held);
      for (i = 0; i < G_N_ELEMENTS (funcs); i++)
        threads[i] = i != skip ? g_thread_new ("race", funcs[i], &held) : NULL;
      test_gate_open (&held.go);
      for (i = 0; i < G_N_ELEMENTS (funcs); i++)
        {
          if (threads[i] != NULL)
            g_thread_join (threads[i]);
        }
      test_assert_done (CONCUR_FUTURE (held.job));
      for (i = 0; i < 4; i++)
        {
          ConcurFutureState state;

          test_assert_done (held.futures[i]);
          state = concur_future_get_state (held.futures[i]);
          if (state == CONCUR_FUTURE_STATE_RESOLVED)
            test_assert_int64 (held.futures[i], i);
          else if (state == CONCUR_FUTURE_STATE_REJECTED)
            test_assert_error (held.futures[i], G_IO_ERROR, G_IO_ERROR_BUSY);
          g_object_unref (held.futures[i]);
        }
      g_object_unref (held.job);
    }
  test_shake_stop ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/batcher-cancel/crowd", test_crowd);
  g_test_add_func ("/batcher-cancel/race-drop", test_race_drop);
  g_test_add_func ("/batcher-cancel/race-hold", test_race_hold);

  return test_run ();
}
