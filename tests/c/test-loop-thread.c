/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a loop thread does while it runs: jobs, calls, tasks, its pool, and what it tells its
 * creator. What else runs on its context is in test-loop-thread-context.c. */

#include "config.h"

#include "test-loop-thread.h"

#include <stdlib.h>

static gboolean
failing_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "as planned");

  return FALSE;
}

static void
test_properties (void)
{
  g_autoptr (ConcurLoopThread) thread = NULL;
  g_autoptr (ConcurLoopThread) unnamed = concur_loop_thread_new (NULL);
  g_autofree char *name = NULL;
  g_autoptr (GMainContext) context = NULL;
  ConcurLoopState state;
  guint max_workers;

  thread = g_object_new (CONCUR_TYPE_LOOP_THREAD, "name", "props", "max-workers", 3, NULL);
  g_object_get (thread, "name", &name, "max-workers", &max_workers, "context", &context, "state",
                &state, NULL);
  g_assert_cmpstr (name, ==, "props");
  g_assert_cmpuint (max_workers, ==, 3);
  g_assert_true (context == concur_loop_thread_get_context (thread));
  g_assert_cmpint (state, ==, CONCUR_LOOP_STATE_STOPPED);
  g_assert_false (concur_loop_thread_is_current (thread));
  g_assert_cmpstr (concur_loop_thread_get_name (unnamed), ==, "concur-loop");
  g_assert_cmpuint (concur_loop_thread_get_max_workers (unnamed), ==, g_get_num_processors () + 4);
}

static void
test_call (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("call");
  g_autofree char *name = NULL;
  ConcurFuture *future;

  future = call (thread, here_job, thread);
  test_assert_int64 (future, 7);
  g_object_unref (future);

  future = call (thread, test_name_job, NULL);
  name = concur_future_dup_string (future, NULL);
  g_assert_cmpstr (name, ==, "call");
  g_object_unref (future);

  /* Its own error is an answer. */
  future = call (thread, failing_job, NULL);
  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_object_unref (future);

  end (thread);
  assert_clean (before);
}

static gboolean
nested_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  ConcurLoopThread *thread = data;
  TestReleases releases = { .context = concur_loop_thread_get_context (thread) };
  ConcurFuture *future = call (thread, here_job, thread);
  g_autoptr (GError) call_error = NULL;
  ConcurJob *held = NULL;

  test_assert_int64 (future, 7);
  g_object_unref (future);

  /* Waiting here for what this loop is to bring would never end. */
  future = concur_loop_thread_call (thread, hold_job, &held, NULL, -1, &call_error);
  g_assert_null (future);
  g_assert_error (call_error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_assert_true (concur_job_is_cancelled (held));
  concur_job_return_int64 (held, 1);
  g_object_unref (held);

  future = concur_loop_thread_call (thread, test_one_job, &releases, test_released, -1, NULL);
  test_assert_int64 (future, 1);
  g_object_unref (future);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  concur_job_return_int64 (job, 8);

  return TRUE;
}

static void
test_call_inside (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("inside");
  ConcurFuture *future = call (thread, nested_job, thread);

  test_assert_int64 (future, 8);
  g_object_unref (future);
  end (thread);
  assert_clean (before);
}

static void
test_call_timeout (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("timeout");
  TestClog clog = { 0 };
  ConcurFuture *running = test_submit (thread, test_clog_job, &clog);
  g_autoptr (GError) error = NULL;
  gint counter = 0;
  ConcurFuture *future;

  test_gate_wait (&clog.begun);
  g_assert_null (concur_loop_thread_call (thread, test_count_job, &counter, NULL, 0, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_null (concur_loop_thread_call (thread, test_count_job, &counter, NULL, 2000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  test_gate_open (&clog.go);

  /* They are dropped. */
  future = call (thread, here_job, thread);
  g_object_unref (future);
  test_assert_int64 (running, 42);
  g_object_unref (running);
  g_assert_cmpint (g_atomic_int_get (&counter), ==, 0);
  end (thread);
  assert_clean (before);
}

static void
assert_refused (ConcurLoopThread *thread,
                gint              code,
                const char       *hint)
{
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (GError) error = NULL;
  ConcurFuture *future;

  future = concur_executor_submit (CONCUR_EXECUTOR (thread), test_one_job, &releases, test_released,
                                   NULL);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, code);
  g_assert_nonnull (strstr (concur_future_get_error (future)->message, hint));
  g_assert_nonnull (
      strstr (concur_future_get_error (future)->message, concur_loop_thread_get_name (thread)));
  g_object_unref (future);

  g_assert_null (
      concur_loop_thread_call (thread, test_one_job, &releases, test_released, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, code);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 2);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

static void
test_refused (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = concur_loop_thread_new ("refusing");
  g_autoptr (ConcurFuture) shut = NULL;
  ConcurFuture *pooled;
  ConcurJob *held = NULL;
  ConcurFuture *future;

  assert_refused (thread, CONCUR_EXECUTOR_ERROR_NOT_RUNNING, "start it first");
  pooled = test_submit (concur_loop_thread_get_executor (thread), test_one_job, NULL);
  test_assert_error (pooled, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_object_unref (pooled);

  g_assert_true (concur_loop_thread_start (thread, NULL));
  future = test_submit (thread, hold_job, &held);
  g_object_unref (call (thread, here_job, thread));
  shut = concur_executor_shutdown (CONCUR_EXECUTOR (thread), CONCUR_SHUTDOWN_DRAIN);
  assert_refused (thread, CONCUR_EXECUTOR_ERROR_SHUT_DOWN, "is stopping");
  pooled = test_submit (concur_loop_thread_get_executor (thread), test_one_job, NULL);
  test_assert_error (pooled, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_object_unref (pooled);
  g_assert_false (concur_future_is_done (shut));

  concur_job_return_int64 (held, 3);
  g_object_unref (held);
  test_assert_int64 (future, 3);
  g_object_unref (future);
  test_assert_done (shut);
  stop (thread);
  assert_refused (thread, CONCUR_EXECUTOR_ERROR_NOT_RUNNING, "start it first");

  end (thread);
  g_clear_object (&shut);
  assert_clean (before);
}

static void
post_func (gpointer data)
{
  g_assert_true (concur_loop_thread_is_current (data));
  /* It is finished before the end, like the jobs. */
  g_object_set_data (data, "posted", data);
}

static void
test_post (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = concur_loop_thread_new ("posts");
  ConcurExecutor *executor = CONCUR_EXECUTOR (thread);
  TestReleases releases = { 0 };

  g_assert_false (concur_executor_post (executor, test_released, &releases, test_released));
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);

  g_assert_true (concur_loop_thread_start (thread, NULL));
  g_assert_true (concur_executor_post (executor, post_func, thread, NULL));
  stop (thread);
  g_assert_true (g_object_get_data (G_OBJECT (thread), "posted") == thread);
  g_assert_false (concur_executor_post (executor, test_released, &releases, test_released));
  g_assert_cmpuint (test_releases_get (&releases), ==, 2);
  end (thread);
  assert_clean (before);
}

static void
test_tasks (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = concur_loop_thread_new ("tasks");
  Task first = { .thread = thread }, second = { .thread = thread };
  TestReleases releases = { .thread = g_thread_self () };
  guint id, other, i;

  id = concur_loop_thread_add_task (thread, holding_task, &first, NULL);
  other = concur_loop_thread_add_task (thread, test_one_job, &releases, test_released);
  g_assert_cmpuint (id, !=, other);

  for (i = 1; i <= 3; i++)
    {
      g_assert_true (concur_loop_thread_start (thread, NULL));
      test_gate_wait_n (&first.begun, i);
      if (i == 2)
        {
          g_assert_cmpuint (concur_loop_thread_add_task (thread, holding_task, &second, NULL), !=,
                            0);
          test_gate_wait (&second.begun);
        }
      stop (thread);
      g_assert_cmpint (g_atomic_int_get (&first.n_begun), ==, (gint) i);
      g_assert_cmpint (g_atomic_int_get (&first.n_ended), ==, (gint) i);
    }
  g_assert_cmpint (g_atomic_int_get (&second.n_begun), ==, 2);
  g_assert_cmpint (g_atomic_int_get (&second.n_ended), ==, 2);

  /* One that is taken back while it runs is cancelled, and not started again. */
  g_assert_true (concur_loop_thread_start (thread, NULL));
  test_gate_wait_n (&first.begun, 4);
  g_assert_true (concur_loop_thread_remove_task (thread, id));
  g_assert_false (concur_loop_thread_remove_task (thread, id));
  test_gate_wait_n (&first.cancelled, 4);
  stop (thread);
  g_assert_cmpint (g_atomic_int_get (&first.n_ended), ==, 4);
  g_assert_true (concur_loop_thread_start (thread, NULL));
  stop (thread);
  g_assert_cmpint (g_atomic_int_get (&first.n_begun), ==, 4);

  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_assert_true (concur_loop_thread_remove_task (thread, other));
  end (thread);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  assert_clean (before);
}

/* What was registered with a thread goes where it came from, whoever lets the thread go. */
static gpointer
drop_thread (gpointer thread)
{
  g_object_unref (thread);

  return NULL;
}

static void
test_task_release (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("release");
  TestReleases releases = { .thread = g_thread_self () };

  concur_loop_thread_add_task (thread, test_one_job, &releases, test_released);
  g_thread_join (g_thread_new (NULL, drop_thread, thread));
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

static void
test_task_fails (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = concur_loop_thread_new ("failing");
  ConcurFuture *future;

  concur_loop_thread_add_task (thread, failing_job, NULL, NULL);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "failing: task 1 failed: as planned");
  g_assert_true (concur_loop_thread_start (thread, NULL));
  /* The loop goes on. */
  future = call (thread, here_job, thread);
  g_object_unref (future);
  stop (thread);
  g_test_assert_expected_messages ();

  end (thread);
  assert_clean (before);
}

static gboolean
calling_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  ConcurFuture *future = call (data, here_job, data);

  test_assert_int64 (future, 7);
  g_object_unref (future);
  concur_job_return_int64 (job, 9);

  return TRUE;
}

static void
test_pool (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread
      = g_object_new (CONCUR_TYPE_LOOP_THREAD, "name", "pooled", "max-workers", 2, NULL);
  ConcurExecutor *first, *second;
  ConcurFuture *future;

  g_assert_true (concur_loop_thread_start (thread, NULL));
  first = g_object_ref (concur_loop_thread_get_executor (thread));
  g_assert_true (concur_loop_thread_get_executor (thread) == first);
  g_assert_cmpuint (concur_thread_executor_get_max_threads (CONCUR_THREAD_EXECUTOR (first)), ==, 2);
  future = test_submit (first, calling_job, thread);
  test_assert_done (future);
  test_assert_int64 (future, 9);
  g_object_unref (future);
  stop (thread);
  g_assert_cmpuint (test_snapshot (first, n_threads), ==, 0);

  /* Shut down with its run, and another one for the next. */
  future = test_submit (first, test_one_job, NULL);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_object_unref (future);
  g_assert_true (concur_loop_thread_start (thread, NULL));
  second = concur_loop_thread_get_executor (thread);
  g_assert_true (second != first);
  future = test_submit (second, calling_job, thread);
  test_assert_done (future);
  g_object_unref (future);

  g_object_unref (first);
  end (thread);
  assert_clean (before);
}

static void
use_default (void)
{
  g_autoptr (GError) error = NULL;
  ConcurLoopThread *thread = concur_loop_thread_dup_default (&error);
  ConcurLoopThread *again;
  ConcurFuture *future;

  g_assert_no_error (error);
  future = call (thread, here_job, thread);
  g_object_unref (future);
  stop (thread);

  again = concur_loop_thread_dup_default (&error);
  g_assert_no_error (error);
  g_assert_true (again == thread);
  g_assert_cmpint (concur_loop_thread_get_state (again), ==, CONCUR_LOOP_STATE_RUNNING);
  g_object_unref (again);
  g_object_unref (thread);
}

/* In a process of its own, as it never goes. */
static void
test_default (void)
{
  if (g_test_subprocess ())
    {
      use_default ();
      exit (0);
    }

  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
}

typedef struct
{
  GString *seen;
  TestLoop *loop;
  ConcurLoopThread *thread;
  TestGate stopped;
} Listener;

static void
note (Listener   *self,
      const char *what)
{
  g_assert_true (g_thread_self () == test_loop_get_thread (self->loop));
  g_string_append (self->seen, what);
}

static void
on_started (ConcurLoopThread *thread,
            gpointer          data)
{
  note (data, "started ");
}

static void
on_stopping (ConcurLoopThread *thread,
             gpointer          data)
{
  note (data, "stopping ");
}

static void
on_stopped (ConcurLoopThread *thread,
            gpointer          data)
{
  note (data, "stopped ");
  test_gate_open (&((Listener *) data)->stopped);
}

static void
on_state (ConcurLoopThread *thread,
          GParamSpec       *pspec,
          gpointer          data)
{
  note (data, "state ");
}

static void
make_listened (gpointer data)
{
  Listener *self = data;

  self->thread = concur_loop_thread_new ("listened");
  g_signal_connect (self->thread, "started", G_CALLBACK (on_started), self);
  g_signal_connect (self->thread, "stopping", G_CALLBACK (on_stopping), self);
  g_signal_connect (self->thread, "stopped", G_CALLBACK (on_stopped), self);
  g_signal_connect (self->thread, "notify::state", G_CALLBACK (on_state), self);
}

static void
test_signals (void)
{
  Listener listener = { .seen = g_string_new (NULL), .loop = test_loop_new () };
  guint i;

  test_loop_call (listener.loop, make_listened, &listener);
  for (i = 1; i <= 2; i++)
    {
      g_assert_true (concur_loop_thread_start (listener.thread, NULL));
      stop (listener.thread);
      test_gate_wait_n (&listener.stopped, i);
    }
  g_assert_cmpstr (listener.seen->str, ==,
                   "state state started state stopping state stopped "
                   "state state started state stopping state stopped ");

  test_loop_free (listener.loop);
  g_object_unref (listener.thread);
  g_string_free (listener.seen, TRUE);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/loop-thread/properties", test_properties);
  g_test_add_func ("/loop-thread/call", test_call);
  g_test_add_func ("/loop-thread/call-inside", test_call_inside);
  g_test_add_func ("/loop-thread/call-timeout", test_call_timeout);
  g_test_add_func ("/loop-thread/refused", test_refused);
  g_test_add_func ("/loop-thread/post", test_post);
  g_test_add_func ("/loop-thread/tasks", test_tasks);
  g_test_add_func ("/loop-thread/task-release", test_task_release);
  g_test_add_func ("/loop-thread/task-fails", test_task_fails);
  g_test_add_func ("/loop-thread/pool", test_pool);
  g_test_add_func ("/loop-thread/default", test_default);
  g_test_add_func ("/loop-thread/signals", test_signals);

  return test_run ();
}
