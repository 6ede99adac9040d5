/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* After concur_quiesce () the threads of pools stand still: with jobs, ranges, callbacks and
 * things to let go before them, and right in the middle of everything. Loop threads are in
 * test-quiesce-loop.c, other threads in test-quiesce-others.c. */

#include "config.h"

#include "test-quiesce.h"

/* A job that runs meanwhile goes on to its end, and its thread no further. */

static TestGate over;

static gboolean
running_job (ConcurJob *job,
             gpointer   clog,
             GError   **error)
{
  test_clog_job (job, clog, error);
  test_gate_open (&over);

  return TRUE;
}

static void
scene_running (ConcurReleasePolicy policy)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "release",
                                           policy, NULL);
  TestClog clog = { 0 };
  ConcurFuture *running, *queued;

  running = concur_executor_submit (executor, running_job, &clog, called, NULL);
  concur_future_add_direct_callback (running, future_called, NULL, called);
  test_gate_wait (&clog.begun);
  queued = submit_told (executor);

  quiesce ();
  test_gate_open (&clog.go);
  test_gate_wait (&over);
  test_wait_until (n_still () == 1);
  test_assert_int64 (running, 42);
  g_assert_cmpint (concur_future_get_state (queued), ==, CONCUR_FUTURE_STATE_PENDING);
  leave ();
}

static void
child_running (void)
{
  scene_running (CONCUR_RELEASE_HOME);
}

static void
child_running_release (void)
{
  scene_running (CONCUR_RELEASE_WORKER);
}

/* Nothing else than the next job is there to do. */
static void
child_queue (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestClog clog = { 0 };
  ConcurFuture *running = test_submit (executor, test_clog_job, &clog), *queued;

  test_gate_wait (&clog.begun);
  queued = test_submit (executor, entering_job, NULL);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  test_assert_int64 (running, 42);
  g_assert_cmpint (concur_future_get_state (queued), ==, CONCUR_FUTURE_STATE_PENDING);
  leave ();
}

/* The job has ended, and there is only something to let go. */
static void
child_release (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "release",
                                           CONCUR_RELEASE_WORKER, NULL);
  TestClog clog = { 0 };

  g_object_unref (concur_executor_submit (executor, test_clog_job, &clog, called, NULL));
  test_gate_wait (&clog.begun);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* One that is run by who waits for it, while the queue has it. */

static gboolean
waiting_job (ConcurJob *job,
             gpointer   other,
             GError   **error)
{
  concur_future_wait (other, -1);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
child_in_place (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                           TRUE, "release", CONCUR_RELEASE_WORKER, NULL);
  g_autoptr (ConcurJob) outer = NULL;
  ConcurFuture *inner;
  TestClog clog = { 0 };

  inner = concur_executor_submit (executor, test_clog_job, &clog, called, NULL);
  outer = concur_job_new (waiting_job, inner, NULL);
  concur_job_set_priority (outer, CONCUR_PRIORITY_HIGH);
  g_object_unref (concur_executor_submit_job (executor, outer, NULL));
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_gate_wait (&clog.begun);

  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* Who submitted has gone, so the worker would let go itself. */

typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
} Gone;

static gpointer
submit_and_go (gpointer data)
{
  Gone *self = data;

  g_object_unref (concur_executor_submit (self->executor, test_clog_job, &self->clog, called, NULL));

  return NULL;
}

static void
child_home_gone (void)
{
  Gone gone = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };

  g_thread_join (g_thread_new ("gone", submit_and_go, &gone));
  test_gate_wait (&gone.clog.begun);
  quiesce ();
  test_gate_open (&gone.clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

static gboolean
range_func (ConcurBatch *batch,
            guint        first,
            guint        n,
            gpointer     clog,
            GError     **error)
{
  if (first == 0)
    {
      test_gate_open (&((TestClog *) clog)->begun);
      test_gate_wait (&((TestClog *) clog)->go);
    }
  else
    {
      enter ();
    }

  return TRUE;
}

static void
child_range (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_map_range (executor, 100, 1, range_func, &clog, NULL, NULL);
  test_gate_wait (&clog.begun);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  g_assert_false (concur_future_is_done (future));
  leave ();
}

/* Before that there are callbacks to call, one of which does not end. */
static void
child_callbacks (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                           TRUE, "release", CONCUR_RELEASE_WORKER, NULL);
  g_autoptr (ConcurJob) job = g_object_new (TEST_TYPE_JOB, NULL);
  ConcurFuture *future = CONCUR_FUTURE (job);

  concur_future_add_direct_callback (future, clogged_callback, NULL, called);
  concur_future_add_direct_callback (future, future_called, NULL, called);
  concur_job_watch (job);
  g_object_unref (concur_executor_submit_job (executor, job, NULL));
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_gate_wait (&in_callback.begun);

  quiesce ();
  test_gate_open (&in_callback.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* thread_main: a thread that is about to come back to it, and one that only starts. */
static void
child_thread_main (void)
{
  ConcurExecutor *executor = g_object_new (TEST_TYPE_LANGUAGE, "max-threads", 1, NULL);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) running = test_submit (executor, test_clog_job, &clog);

  test_gate_wait (&clog.begun);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* Right in the middle of everything. A thread that was just entering when all was told to
 * stop may do so once. */

#define N_THREADS 3

static void
child_busy (void)
{
  ConcurExecutor *executors[] = {
    g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", N_THREADS, NULL),
    g_object_new (TEST_TYPE_LANGUAGE, "max-threads", N_THREADS, "release", CONCUR_RELEASE_WORKER,
                  NULL),
  };
  guint n = 200 + (guint) getpid () % 1000, limit = G_N_ELEMENTS (executors) * N_THREADS, i, j;

  for (i = 0; i < n; i++)
    {
      for (j = 0; j < G_N_ELEMENTS (executors); j++)
        g_object_unref (submit_told (executors[j]));
    }
  quiesce ();
  for (i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      g_autoptr (ConcurFuture) refused = submit_told (executors[i]);

      assert_not_running (refused);
    }
  test_wait_until (n_still () + test_snapshot (executors[0], n_idle)
                     + test_snapshot (executors[1], n_idle)
                   == test_snapshot (executors[0], n_threads)
                        + test_snapshot (executors[1], n_threads));
  g_assert_cmpint (g_atomic_int_get (&n_late), <=, (gint) limit);
  _exit (STATUS);
}

int
main (int   argc,
      char *argv[])
{
  static const Scene scenes[] = {
    { "running", child_running },
    { "running/release-on-worker", child_running_release },
    { "queue", child_queue },
    { "release", child_release },
    { "in-place", child_in_place },
    { "home-gone", child_home_gone },
    { "range", child_range },
    { "callbacks", child_callbacks },
    { "thread-main", child_thread_main },
    { "busy", child_busy },
  };

  return quiesce_main (argc, argv, scenes, G_N_ELEMENTS (scenes));
}
