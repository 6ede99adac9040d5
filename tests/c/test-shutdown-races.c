/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The end of an executor against all that may happen at the same moment. */

#include "config.h"

#include "test-workers.h"

static ConcurExecutor *
executor_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "ending", "max-threads", max_threads, NULL);
}

/* A job that starts at this very moment is queued or running; there is nothing between. */
static void
test_cancel_all_at_start (void)
{
  guint round, rounds = test_scaled (1000);

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      ConcurExecutor *executor = executor_new (1 + round % 2);
      g_autoptr (ConcurFuture) first = test_submit (executor, test_endless_job, NULL);
      g_autoptr (ConcurFuture) second = test_submit (executor, test_endless_job, NULL);
      g_autoptr (ConcurFuture) end = NULL;
      guint i;

      for (i = round % 16; i > 0; i--)
        g_thread_yield ();
      end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
      test_assert_done (end);
      test_assert_cancelled (first);
      test_assert_cancelled (second);
      g_object_unref (executor);
    }
  test_shake_stop ();
}

typedef struct
{
  ConcurExecutor *executor;
  TestGate start;
  gint next_mode;              /* atomic */
  gint ran;                    /* atomic: jobs */
  gint resolved;               /* atomic: futures, as the others below */
  gint refused;
  gint cancelled;
  TestReleases releases;
} Race;

static gpointer
racing_shutdown (gpointer data)
{
  Race *race = data;
  gint mode = g_atomic_int_add (&race->next_mode, 1) % 3;

  test_gate_wait (&race->start);

  return concur_executor_shutdown (race->executor, (ConcurShutdownMode) mode);
}

static gboolean
race_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Race *race = (Race *) ((char *) data - G_STRUCT_OFFSET (Race, releases));

  g_atomic_int_inc (&race->ran);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

#define RACE_JOBS 50

static gpointer
racing_submitter (gpointer data)
{
  Race *race = data;
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  test_gate_wait (&race->start);
  for (i = 0; i < RACE_JOBS; i++)
    g_ptr_array_add (futures, concur_executor_submit (race->executor, race_job, &race->releases,
                                                      test_released, NULL));
  test_futures_wait (futures);

  for (i = 0; i < RACE_JOBS; i++)
    {
      const GError *error = concur_future_get_error (futures->pdata[i]);

      if (error == NULL)
        g_atomic_int_inc (&race->resolved);
      else if (g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN))
        g_atomic_int_inc (&race->refused);
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_atomic_int_inc (&race->cancelled);
      else
        g_error ("the job ended with %s", error->message);
    }

  return NULL;
}

/* Whatever is submitted meanwhile either runs, or is cancelled, or is refused. */
static void
race (guint n_submitters,
      gint  first_mode,
      guint n_shutdowns,
      guint max_pending)
{
  Race self = { .next_mode = first_mode };
  g_autoptr (GPtrArray) submitters = g_ptr_array_new ();
  g_autoptr (GPtrArray) shutdowns = g_ptr_array_new ();
  g_autoptr (ConcurFuture) end = NULL;
  guint i;

  self.executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                "max-threads", 2, "max-pending", max_pending, NULL);
  for (i = 0; i < n_submitters; i++)
    g_ptr_array_add (submitters, g_thread_new (NULL, racing_submitter, &self));
  for (i = 0; i < n_shutdowns; i++)
    g_ptr_array_add (shutdowns, g_thread_new (NULL, racing_shutdown, &self));
  test_gate_open (&self.start);

  for (i = 0; i < n_shutdowns; i++)
    {
      g_autoptr (ConcurFuture) future = g_thread_join (shutdowns->pdata[i]);

      if (end == NULL)
        end = g_object_ref (future);
      g_assert_true (future == end);
    }
  test_assert_done (end);
  for (i = 0; i < n_submitters; i++)
    g_thread_join (submitters->pdata[i]);

  g_assert_cmpint (self.resolved, ==, self.ran);
  g_assert_cmpint (self.resolved + self.refused + self.cancelled, ==, n_submitters * RACE_JOBS);
  if (n_shutdowns == 1 && first_mode == CONCUR_SHUTDOWN_DRAIN)
    g_assert_cmpint (self.cancelled, ==, 0);
  g_assert_cmpuint (test_snapshot (self.executor, n_completed), ==, self.ran);
  g_assert_cmpuint (test_snapshot (self.executor, n_refused), ==, self.refused);
  g_assert_cmpuint (test_snapshot (self.executor, n_pending), ==, 0);
  g_assert_cmpuint (test_releases_get (&self.releases), ==, n_submitters * RACE_JOBS);
  g_object_unref (self.executor);
}

static void
test_races (void)
{
  guint round, rounds = test_scaled (150);

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      race (2, round % 3, 1, 0);
      race (2, round % 3, 1, 3);
      race (1, 0, 3, 0);
    }
  test_shake_stop ();
}

static void
count_at_the_end (ConcurFuture *future,
                  gpointer      data)
{
  gint *n_threads = data;

  g_atomic_int_set (n_threads, (gint) test_count_threads ("ending-"));
}

static void
test_announced_when_no_thread_is_left (void)
{
  guint round, rounds = test_scaled (200);

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      ConcurExecutor *executor = executor_new (4);
      g_autoptr (GPtrArray) futures = test_futures_new ();
      g_autoptr (ConcurFuture) end = NULL;
      TestClog clog = { 0 };
      gint n_threads = -1;
      guint i;

      for (i = 0; i < 4; i++)
        g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
      test_gate_wait_n (&clog.begun, 4);
      end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
      concur_future_add_direct_callback (end, count_at_the_end, &n_threads, NULL);
      test_gate_open (&clog.go);
      test_wait_until (g_atomic_int_get (&n_threads) >= 0);
      g_assert_cmpint (n_threads, ==, 0);
      g_object_unref (executor);
    }
  test_shake_stop ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/shutdown-races/cancel-all-at-start", test_cancel_all_at_start);
  g_test_add_func ("/shutdown-races/submit", test_races);
  g_test_add_func ("/shutdown-races/no-thread-is-left", test_announced_when_no_thread_is_left);

  return test_run ();
}
