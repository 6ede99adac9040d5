/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Those who wait for room in a full queue, and what wakes them. The policies as such are
 * in test-executor-limits.c. */

#include "config.h"

#include "test-workers.h"

#include "concur-future-private.h"
#include "concur-pool-private.h"

/* An executor with one thread, which is busy, and a queue of one job, which is full. */
typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
  ConcurFuture *running;
  ConcurFuture *queued;
  ConcurPool *pool;
} Full;

static ConcurExecutor *
executor_new (void)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "room", "max-threads", 1,
                       "max-pending", 1, "overflow", CONCUR_OVERFLOW_WAIT, NULL);
}

static void
full_open (Full         *full,
           GCancellable *cancellable)
{
  *full = (Full){ .executor = executor_new () };
  full->running = test_submit (full->executor, test_clog_job, &full->clog);
  test_gate_wait (&full->clog.begun);
  full->queued = concur_executor_submit (full->executor, test_one_job, NULL, NULL, cancellable);
  full->pool = concur_future_private (full->queued)->pool;
  g_assert_cmpuint (test_snapshot (full->executor, n_pending), ==, 1);
}

static void
full_close (Full *full)
{
  test_gate_open (&full->clog.go);
  test_assert_done (full->running);
  test_assert_int64 (full->running, 42);
  test_assert_done (full->queued);
  g_object_unref (full->running);
  g_object_unref (full->queued);
  test_executor_end (full->executor);
}

/* Submitters that wait: the library tells nobody. */
static guint
full_count_waiting (Full *full)
{
  guint n;

  concur_lock_acquire (&full->pool->lock);
  n = full->pool->n_waiting;
  concur_lock_release (&full->pool->lock);

  return n;
}

static gpointer
submit_one (gpointer data)
{
  Full *full = data;

  return test_submit (full->executor, test_one_job, NULL);
}

/* Begins to submit on a plain thread, and returns when that waits. */
static GThread *
full_block_submitter (Full *full)
{
  guint n = full_count_waiting (full);
  GThread *thread = g_thread_new ("submitter", submit_one, full);

  test_wait_until (full_count_waiting (full) == n + 1);

  return thread;
}

static void
test_room (void)
{
  GThread *threads[4];
  Full full;
  guint i;

  full_open (&full, NULL);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = full_block_submitter (&full);
  g_assert_cmpuint (test_snapshot (full.executor, n_pending), ==, 1);
  g_assert_cmpuint (test_snapshot (full.executor, n_refused), ==, 0);

  test_gate_open (&full.clog.go);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (ConcurFuture) future = g_thread_join (threads[i]);

      test_assert_done (future);
      test_assert_int64 (future, 1);
    }
  full_close (&full);
}

/* Who is cancelled gives its place up at once, whatever cancels it. */
static void
test_cancel (void)
{
  guint i;

  for (i = 0; i < 3; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ConcurFuture) future = NULL;
      GThread *thread;
      Full full;

      full_open (&full, cancellable);
      thread = full_block_submitter (&full);
      if (i == 0)
        concur_future_cancel (full.queued, CONCUR_CANCEL_NONE);
      else if (i == 1)
        concur_future_cancel (full.queued, CONCUR_CANCEL_ABANDON);
      else
        g_cancellable_cancel (cancellable);
      future = g_thread_join (thread);
      test_assert_cancelled (full.queued);
      g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);
      g_assert_cmpuint (test_snapshot (full.executor, n_pending), ==, 1);

      test_gate_open (&full.clog.go);
      test_assert_done (future);
      test_assert_int64 (future, 1);
      full_close (&full);
    }
}

static void
test_shutdown (void)
{
  guint mode, i;

  for (mode = CONCUR_SHUTDOWN_DRAIN; mode <= CONCUR_SHUTDOWN_CANCEL_ALL; mode++)
    {
      g_autoptr (ConcurFuture) end = NULL;
      GThread *threads[3];
      Full full;

      full_open (&full, NULL);
      for (i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = full_block_submitter (&full);
      end = concur_executor_shutdown (full.executor, mode);
      for (i = 0; i < G_N_ELEMENTS (threads); i++)
        {
          g_autoptr (ConcurFuture) future = g_thread_join (threads[i]);

          g_assert_true (concur_future_is_done (future));
          test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
        }
      g_assert_cmpuint (test_snapshot (full.executor, n_refused), ==, G_N_ELEMENTS (threads));
      full_close (&full);
    }
}

static gboolean
submit_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  g_autoptr (ConcurFuture) future = submit_one (data);

  concur_job_return_object (job, G_OBJECT (future));

  return TRUE;
}

/* To another executor a worker is a thread like any, and waits. */
static void
test_other_worker (void)
{
  ConcurExecutor *other = executor_new ();
  g_autoptr (ConcurFuture) outer = NULL, inner = NULL;
  Full full;

  full_open (&full, NULL);
  outer = test_submit (other, submit_job, &full);
  test_wait_until (full_count_waiting (&full) == 1);
  g_assert_false (concur_future_is_done (outer));

  test_gate_open (&full.clog.go);
  test_assert_done (outer);
  inner = CONCUR_FUTURE (concur_future_dup_object (outer, NULL));
  test_assert_done (inner);
  test_assert_int64 (inner, 1);
  full_close (&full);
  test_executor_end (other);
}

static gboolean
loop_job (ConcurJob  *job,
          gpointer    executor,
          GError    **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  g_main_context_push_thread_default (context);
  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  concur_job_return_int64 (job, test_snapshot (executor, n_pending));
  for (i = 0; i < 3; i++)
    g_assert_true (concur_future_wait (futures->pdata[i], -1));
  g_main_context_pop_thread_default (context);

  return TRUE;
}

/* An own worker is taken for that even while it has a main context. */
static void
test_own_worker_with_loop (void)
{
  ConcurExecutor *executor = executor_new ();
  g_autoptr (ConcurFuture) future = test_submit (executor, loop_job, executor);

  test_assert_done (future);
  test_assert_int64 (future, 3);
  g_assert_cmpuint (test_snapshot (executor, n_refused), ==, 0);
  test_executor_end (executor);
}

static gboolean
pausing_job (ConcurJob  *job,
             gpointer    executor,
             GError    **error)
{
  g_autoptr (ConcurFuture) inner = NULL;

  concur_thread_executor_set_paused (executor, TRUE);
  inner = test_submit (executor, test_one_job, NULL);
  g_assert_true (concur_future_wait (inner, -1));
  concur_job_return_int64 (job, concur_future_get_int64 (inner, NULL));

  return TRUE;
}

/* A job that is kept back is not run in place either. */
static void
test_paused_in_place (void)
{
  ConcurExecutor *executor = executor_new ();
  g_autoptr (ConcurFuture) future = test_submit (executor, pausing_job, executor);

  test_wait_until (test_snapshot (executor, n_blocked) == 1);
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 1);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_executor_end (executor);
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    n)
{
  g_assert_false (concur_thread_executor_get_paused (CONCUR_THREAD_EXECUTOR (object)));
  ++*(guint *) n;
}

/* The end resumes, and says so. */
static void
test_resumed_by_shutdown (void)
{
  ConcurExecutor *executor = executor_new ();
  g_autoptr (ConcurFuture) end = NULL;
  guint n = 0;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  g_signal_connect (executor, "notify::paused", G_CALLBACK (count_notify), &n);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_cmpuint (n, ==, 1);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  g_assert_cmpuint (n, ==, 1);
  test_assert_done (end);
  g_object_unref (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/room/freed", test_room);
  g_test_add_func ("/room/cancel", test_cancel);
  g_test_add_func ("/room/shutdown", test_shutdown);
  g_test_add_func ("/room/other-worker", test_other_worker);
  g_test_add_func ("/room/own-worker-with-loop", test_own_worker_with_loop);
  g_test_add_func ("/room/paused-in-place", test_paused_in_place);
  g_test_add_func ("/room/resumed-by-shutdown", test_resumed_by_shutdown);

  return test_run ();
}
