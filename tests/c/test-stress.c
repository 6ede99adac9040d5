/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Everything at once: several threads submit jobs of all kinds, others cancel them in all
 * ways and answer those that are held, and the executor is shut down meanwhile or after.
 * In the end each job was done once, was run at most once, and what was submitted with it
 * was released once.
 *
 * A failure is tried again with --seed (see the first line of the log) and
 * CONCUR_TEST_SEED (see the test's). */

#include "config.h"

#include "test-workers.h"

#include <string.h>

#define N_SUBMITTERS 3
#define N_JOBS 120              /* of each submitter */

typedef enum
{
  KIND_VALUE,
  KIND_ERROR,
  KIND_SILENT,                 /* answers nothing */
  KIND_LONG,                   /* stops when told to */
  KIND_NESTED,                 /* submits another one and waits for it */
  KIND_NESTED_TIMED,
  KIND_HELD,                   /* is answered by somebody else */
  KIND_CANCELS_ITSELF,
  N_KINDS
} Kind;

typedef struct _Round Round;

typedef struct
{
  Round *round;
  Kind kind;
  gint ran;                    /* these are atomic */
  gint done;
  gint released;
  gint state;                  /* when it was done */
} Record;

struct _Round
{
  ConcurExecutor *executor;
  GCancellable *cancellable;
  guint32 seed;
  gboolean ends_early;         /* it is shut down while jobs are submitted */
  TestGate start;
  GAsyncQueue *to_cancel;      /* of owned futures, and the round itself as the end */
  GAsyncQueue *to_answer;      /* of owned jobs, likewise */
  Record records[N_SUBMITTERS][N_JOBS];
  gint n_inner;                /* atomic */
};

static gboolean
inner_job (ConcurJob  *job,
           gpointer    round,
           GError    **error)
{
  g_atomic_int_inc (&((Round *) round)->n_inner);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
stress_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Record *record = data;
  Round *round = record->round;
  g_autoptr (ConcurFuture) inner = NULL;
  guint i;

  g_atomic_int_inc (&record->ran);
  g_assert_cmpint (g_atomic_int_get (&record->released), ==, 0);

  switch (record->kind)
    {
    case KIND_VALUE:
      concur_job_return_string (job, "value");
      return TRUE;

    case KIND_ERROR:
      g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
      return FALSE;

    case KIND_SILENT:
      return TRUE;

    case KIND_LONG:
      for (i = 0; i < 200; i++)
        {
          if (concur_job_check_cancelled (job, error))
            return FALSE;
          g_thread_yield ();
        }
      concur_job_return_int64 (job, 1);
      return TRUE;

    case KIND_NESTED:
    case KIND_NESTED_TIMED:
      inner = test_submit (round->executor, inner_job, round);
      g_assert_true (
          concur_future_wait (inner, record->kind == KIND_NESTED ? -1 : TEST_PATIENCE_US));
      concur_future_ignore (inner);
      concur_job_return_int64 (job, 1);
      return TRUE;

    case KIND_HELD:
      concur_job_hold (job);
      g_async_queue_push (round->to_answer, g_object_ref (job));
      return TRUE;

    case KIND_CANCELS_ITSELF:
      g_cancellable_cancel (concur_job_get_cancellable (job));
      concur_future_cancel (CONCUR_FUTURE (job), record->ran % 2 == 0 ? CONCUR_CANCEL_NONE
                                                                      : CONCUR_CANCEL_ABANDON);
      concur_job_return_int64 (job, 1);
      return TRUE;

    default:
      g_assert_not_reached ();
    }
}

static void
record_done (ConcurFuture *future,
             gpointer      data)
{
  Record *record = data;

  g_atomic_int_set (&record->state, concur_future_get_state (future));
  g_atomic_int_inc (&record->done);
}

static void
record_released (gpointer data)
{
  Record *record = data;

  g_atomic_int_inc (&record->released);
}

static gpointer
submitter (gpointer data)
{
  Record *records = data;
  Round *round = records[0].round;
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (GMainContext) context = NULL;
  GRand *rand = g_rand_new_with_seed (round->seed ^ (guint32) (records - round->records[0]));
  guint i;

  /* Some have a main context, and so a home of another kind. */
  if (g_rand_boolean (rand))
    {
      context = g_main_context_new ();
      g_main_context_push_thread_default (context);
    }

  test_gate_wait (&round->start);
  for (i = 0; i < N_JOBS; i++)
    {
      Record *record = &records[i];
      g_autoptr (ConcurJob) job = concur_job_new (stress_job, record, record_released);
      GCancellable *cancellable = g_rand_int_range (rand, 0, 3) == 0 ? round->cancellable : NULL;
      g_autoptr (ConcurFuture) future = NULL;

      record->kind = (Kind) g_rand_int_range (rand, 0, N_KINDS);
      concur_job_set_priority (job, (ConcurPriority) g_rand_int_range (rand, 0, 4));
      concur_future_add_direct_callback (CONCUR_FUTURE (job), record_done, record, NULL);
      concur_future_ignore (CONCUR_FUTURE (job));
      if (g_rand_int_range (rand, 0, 50) == 0)
        concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);

      future = concur_executor_submit_job (round->executor, job, cancellable);

      switch (g_rand_int_range (rand, 0, 8))
        {
        case 0:
          concur_future_cancel (future, CONCUR_CANCEL_NONE);
          break;
        case 1:
          concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
          break;
        case 2:
          g_async_queue_push (round->to_cancel, g_object_ref (future));
          break;
        case 3:
          test_assert_done (future);
          break;
        case 4:
          g_assert_true (concur_future_wait (future, -1));
          break;
        case 5:
          concur_future_wait (future, 10);
          g_ptr_array_add (futures, g_steal_pointer (&future));
          break;
        case 6:
          g_ptr_array_add (futures, g_steal_pointer (&future));
          break;
        default:
          /* Nobody keeps it. */
          break;
        }

      if (context != NULL && i % 10 == 0)
        g_main_context_iteration (context, FALSE);
    }
  test_futures_wait (futures);

  if (context != NULL)
    g_main_context_pop_thread_default (context);
  g_rand_free (rand);

  return NULL;
}

static gpointer
canceller (gpointer data)
{
  Round *round = data;
  gpointer future;
  guint n = 0;

  while ((future = g_async_queue_pop (round->to_cancel)) != round)
    {
      concur_future_cancel (future, n++ % 2 == 0 ? CONCUR_CANCEL_NONE : CONCUR_CANCEL_ABANDON);
      g_object_unref (future);
      if (n == 10)
        g_cancellable_cancel (round->cancellable);
    }

  return NULL;
}

static gpointer
answerer (gpointer data)
{
  Round *round = data;
  gpointer job;
  guint n = 0;

  while ((job = g_async_queue_pop (round->to_answer)) != round)
    {
      if (n++ % 2 == 0)
        concur_job_return_int64 (job, n);
      else
        concur_job_return_error (job, &(GError){ G_FILE_ERROR, G_FILE_ERROR_PIPE, (char *) "pipe" });
      g_object_unref (job);
    }

  return NULL;
}

static ConcurExecutor *
random_executor (void)
{
  static const gint64 keep_alives[] = { -1, 0, 20, 1000 };

  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "stress",
                       "max-threads", (guint) g_test_rand_int_range (0, 5),
                       "max-pending", (guint) (g_test_rand_bit () ? 0 : g_test_rand_int_range (1, 9)),
                       "overflow", g_test_rand_int_range (0, 2),
                       "keep-alive", keep_alives[g_test_rand_int_range (0, 4)],
                       "release", g_test_rand_int_range (0, 2),
                       NULL);
}

static void
check_record (Record *record)
{
  gint ran = g_atomic_int_get (&record->ran);
  gint state = g_atomic_int_get (&record->state);

  g_assert_cmpint (g_atomic_int_get (&record->done), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&record->released), ==, 1);
  g_assert_cmpint (ran, <=, 1);

  switch (state)
    {
    case CONCUR_FUTURE_STATE_RESOLVED:
      /* A value comes from nowhere else. */
      g_assert_cmpint (ran, ==, 1);
      g_assert_true (record->kind != KIND_ERROR && record->kind != KIND_SILENT);
      break;
    case CONCUR_FUTURE_STATE_REJECTED:
      /* By its own error, or because it was refused. */
      if (ran == 1)
        g_assert_true (record->kind == KIND_ERROR || record->kind == KIND_SILENT
                       || record->kind == KIND_HELD);
      break;
    case CONCUR_FUTURE_STATE_CANCELLED:
      break;
    default:
      g_error ("a job that is done is in state %d", state);
    }
}

static void
shut_down (Round *round)
{
  g_autoptr (ConcurFuture) end = NULL;
  gint mode = g_test_rand_int_range (0, 3);

  end = concur_executor_shutdown (round->executor, (ConcurShutdownMode) mode);
  test_assert_done (end);
  /* A thread may still come for a job that was cancelled while it was being queued: that
   * one was over, and its submitter did not know yet. */
  if (!round->ends_early)
    g_assert_cmpuint (test_snapshot (round->executor, n_threads), ==, 0);
}

static gboolean
all_released (Round *round)
{
  guint i, k;

  for (i = 0; i < N_SUBMITTERS; i++)
    {
      for (k = 0; k < N_JOBS; k++)
        {
          if (g_atomic_int_get (&round->records[i][k].released) == 0)
            return FALSE;
        }
    }

  return TRUE;
}

static void
run_round (void)
{
  guint before = test_futures_alive ();
  Round *round = g_new0 (Round, 1);
  GThread *submitters[N_SUBMITTERS], *cancels, *answers;
  guint i, k;

  round->executor = random_executor ();
  round->cancellable = g_cancellable_new ();
  round->seed = (guint32) g_test_rand_int ();
  round->ends_early = g_test_rand_bit ();
  round->to_cancel = g_async_queue_new ();
  round->to_answer = g_async_queue_new ();

  cancels = g_thread_new ("canceller", canceller, round);
  answers = g_thread_new ("answerer", answerer, round);
  for (i = 0; i < N_SUBMITTERS; i++)
    {
      for (k = 0; k < N_JOBS; k++)
        round->records[i][k].round = round;
      submitters[i] = g_thread_new ("submitter", submitter, round->records[i]);
    }
  test_gate_open (&round->start);

  if (round->ends_early)
    {
      for (i = (guint) g_test_rand_int_range (0, 200); i > 0; i--)
        g_thread_yield ();
      if (g_test_rand_bit ())
        concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (round->executor), TRUE);
      shut_down (round);
    }
  for (i = 0; i < N_SUBMITTERS; i++)
    g_thread_join (submitters[i]);
  if (!round->ends_early)
    shut_down (round);
  g_assert_cmpuint (test_snapshot (round->executor, n_pending), ==, 0);
  test_wait_until (test_snapshot (round->executor, n_threads) == 0);

  /* Held jobs may be answered after the executor has ended. */
  g_async_queue_push (round->to_answer, round);
  g_async_queue_push (round->to_cancel, round);
  g_thread_join (answers);
  g_thread_join (cancels);

  /* The service thread may still have its hands on some. */
  test_wait_until (all_released (round));
  for (i = 0; i < N_SUBMITTERS; i++)
    {
      for (k = 0; k < N_JOBS; k++)
        check_record (&round->records[i][k]);
    }

  g_object_unref (round->executor);
  g_object_unref (round->cancellable);
  g_async_queue_unref (round->to_cancel);
  g_async_queue_unref (round->to_answer);
  test_wait_until (test_futures_alive () <= before);
  g_free (round);
}

static void
test_everything (void)
{
  guint i, rounds = test_scaled (120);

  for (i = 0; i < rounds; i++)
    run_round ();
}

static void
test_everything_shaken (void)
{
  test_shake_start ();
  test_everything ();
  test_shake_stop ();
}

/* Whether homes and executors come and go with their threads. */
static gpointer
short_life (gpointer data)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 2, NULL);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  for (i = 0; i < 20; i++)
    g_ptr_array_add (futures, test_submit (executor, test_count_job, data));
  g_object_unref (executor);
  test_futures_wait (futures);

  return NULL;
}

static void
test_short_lives (void)
{
  guint before = test_futures_alive ();
  guint i, rounds = test_scaled (200);
  gint counter = 0;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      GThread *threads[4];
      guint k;

      for (k = 0; k < G_N_ELEMENTS (threads); k++)
        threads[k] = g_thread_new (NULL, short_life, &counter);
      for (k = 0; k < G_N_ELEMENTS (threads); k++)
        g_thread_join (threads[k]);
    }
  test_shake_stop ();
  g_assert_cmpint (counter, ==, rounds * 4 * 20);
  test_wait_until (test_futures_alive () <= before);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/stress/everything", test_everything);
  g_test_add_func ("/stress/everything/shaken", test_everything_shaken);
  g_test_add_func ("/stress/short-lives", test_short_lives);

  return test_run ();
}
