/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that are submitted with a task to end: submit_task. */

#include "config.h"

#include "test-task.h"

typedef struct
{
  GThread *caller;
  TestClog clog;
  gint n_run;             /* atomic */
  gboolean waits;
  gboolean fails;
  gboolean forgets;
  gboolean heeds;         /* its being cancelled */
  TestReleases released;
} Work;

static gboolean
work_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Work *self = data;

  g_assert_true (concur_job_get_current () == job);
  g_assert_true (g_thread_self () != self->caller);
  g_atomic_int_inc (&self->n_run);
  if (self->waits)
    {
      test_gate_open (&self->clog.begun);
      test_gate_wait (&self->clog.go);
    }
  if (self->heeds && concur_job_check_cancelled (job, error))
    return FALSE;
  if (self->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
      return FALSE;
    }
  if (!self->forgets)
    concur_job_return_int64 (job, 7);

  return TRUE;
}

static void
work_released (gpointer data)
{
  Work *self = data;

  test_released (&self->released);
}

static Work
work_init (void)
{
  return (Work) { .caller = g_thread_self (), .released.thread = g_thread_self () };
}

static GTask *
work_submit (Work           *self,
             gpointer        executor,
             GObject        *source,
             GCancellable   *cancellable,
             Ready          *seen)
{
  seen->source = source;
  seen->thread = g_thread_self ();

  return concur_executor_submit_task (executor, source, cancellable, ready, seen, work_job, self,
                                      work_released);
}

#define work_wait(work, seen)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    test_iterate_until (NULL, (seen)->n == 1 && test_releases_get (&(work)->released) == 1);       \
    g_assert_cmpuint (test_releases_get_wrong (&(work)->released), ==, 0);                         \
  }                                                                                                \
  G_STMT_END

static void
test_submit_value (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  TestReleases releases = { .thread = g_thread_self () };
  Work work = work_init ();
  GObject *source = object_new (&releases);
  Ready seen = { 0 };
  GTask *task = work_submit (&work, executor, source, NULL, &seen);

  g_task_set_source_tag (task, test_submit_value);
  g_object_unref (task);
  g_object_unref (source);
  g_assert_cmpuint (seen.n, ==, 0);
  work_wait (&work, &seen);
  test_iterate_until (NULL, test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  g_assert_cmpint (g_value_get_int64 (&seen.value), ==, 7);
  g_assert_true (seen.tag == (gpointer) test_submit_value);
  ready_clear (&seen);
  test_executor_end (executor);
}

static void
test_submit_errors (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  Work fails = work_init (), forgets = work_init ();
  Ready seen = { 0 };

  fails.fails = TRUE;
  g_object_unref (work_submit (&fails, executor, NULL, NULL, &seen));
  work_wait (&fails, &seen);
  g_assert_error (seen.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  ready_clear (&seen);

  forgets.forgets = TRUE;
  g_object_unref (work_submit (&forgets, executor, NULL, NULL, &seen));
  work_wait (&forgets, &seen);
  g_assert_error (seen.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  ready_clear (&seen);

  /* Nobody looks, and nothing is logged. */
  fails.released.n = 0;
  g_object_unref (concur_executor_submit_task (executor, NULL, NULL, NULL, NULL, work_job, &fails,
                                               work_released));
  test_iterate_until (NULL, test_releases_get (&fails.released) == 1);
  test_executor_end (executor);
}

static void
test_submit_refused (void)
{
  ConcurExecutor *full = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1u,
                                       "max-pending", 1u, "overflow", CONCUR_OVERFLOW_REJECT, NULL);
  g_autoptr (ConcurFuture) shutdown = NULL;
  g_autoptr (ConcurFuture) running = NULL, queued = NULL;
  TestClog clog = { 0 };
  Work work = work_init ();
  Ready seen = { 0 };

  running = test_submit (full, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  queued = test_submit (full, test_one_job, NULL);
  g_object_unref (work_submit (&work, full, NULL, NULL, &seen));
  g_assert_cmpuint (seen.n, ==, 0);
  work_wait (&work, &seen);
  g_assert_error (seen.error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  ready_clear (&seen);
  test_gate_open (&clog.go);

  shutdown = concur_executor_shutdown (full, CONCUR_SHUTDOWN_DRAIN);
  work.released.n = 0;
  g_object_unref (work_submit (&work, full, NULL, NULL, &seen));
  g_assert_cmpuint (seen.n, ==, 0);
  work_wait (&work, &seen);
  g_assert_error (seen.error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_assert_cmpint (work.n_run, ==, 0);
  ready_clear (&seen);
  test_executor_end (full);
}

/* Before it is submitted, while it is queued, by the end of the executor. */
static void
test_submit_dropped (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1u, NULL);
  g_autoptr (GCancellable) before = g_cancellable_new (), queued = g_cancellable_new ();
  g_autoptr (ConcurFuture) running = NULL, end = NULL;
  TestClog clog = { 0 };
  Work work = work_init ();
  Ready seen = { 0 };

  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);

  g_cancellable_cancel (before);
  g_object_unref (work_submit (&work, executor, NULL, before, &seen));
  g_assert_cmpuint (seen.n, ==, 0);
  work_wait (&work, &seen);
  g_assert_error (seen.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  ready_clear (&seen);

  work.released.n = 0;
  g_object_unref (work_submit (&work, executor, NULL, queued, &seen));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (seen.n, ==, 0);
  g_cancellable_cancel (queued);
  g_assert_cmpuint (seen.n, ==, 0);
  work_wait (&work, &seen);
  g_assert_error (seen.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  ready_clear (&seen);

  work.released.n = 0;
  g_object_unref (work_submit (&work, executor, NULL, NULL, &seen));
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  work_wait (&work, &seen);
  g_assert_error (seen.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  ready_clear (&seen);

  g_assert_cmpint (work.n_run, ==, 0);
  test_gate_open (&clog.go);
  test_executor_end (executor);
}

/* While it runs: it hears of it, and the task is cancelled whatever it answers, unless
 * the task is told not to look. */
static void
test_submit_running (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Work work = work_init ();
      Ready seen = { 0 };
      g_autoptr (GTask) task = NULL;

      work.waits = TRUE;
      work.heeds = i & 1;
      task = work_submit (&work, executor, NULL, cancellable, &seen);
      g_task_set_check_cancellable (task, (i & 2) != 0);
      test_gate_wait (&work.clog.begun);
      g_cancellable_cancel (cancellable);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_assert_cmpuint (seen.n, ==, 0);
      test_gate_open (&work.clog.go);
      work_wait (&work, &seen);
      if (i == 0)
        g_assert_cmpint (g_value_get_int64 (&seen.value), ==, 7);
      else
        g_assert_error (seen.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      ready_clear (&seen);
    }
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  Ready *seen;
  gboolean done;
} Inside;

static gboolean
call_the_library (gpointer data)
{
  Inside *self = data;
  g_autoptr (ConcurFuture) future = test_submit (self->executor, test_one_job, NULL);

  test_assert_done (future);
  concur_release_pending ();
  g_assert_cmpuint (self->seen->n, ==, 0);
  self->done = TRUE;

  return G_SOURCE_REMOVE;
}

/* Waiting lets go of what has come home, and must not call anybody back meanwhile. */
static void
test_submit_not_inside (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1u, NULL);
  Work work = work_init ();
  Ready seen = { 0 };
  Inside inside = { .executor = executor, .seen = &seen };
  GSource *source = g_idle_source_new ();

  /* The one worker takes it first; once the next job is done it is over. */
  g_object_unref (work_submit (&work, executor, NULL, NULL, &seen));
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, call_the_library, &inside, NULL);
  g_source_attach (source, NULL);
  g_source_unref (source);
  call_the_library (&inside);
  inside.done = FALSE;
  g_main_context_iteration (NULL, TRUE);
  g_assert_true (inside.done);
  work_wait (&work, &seen);
  ready_clear (&seen);
  test_executor_end (executor);
}

/* Where the executor releases on its workers, the callback stays where it belongs. */
static void
test_submit_release_on_worker (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "release", CONCUR_RELEASE_WORKER, NULL);
  Work work = work_init ();
  Ready seen = { 0 };

  g_object_unref (work_submit (&work, executor, NULL, NULL, &seen));
  work_wait (&work, &seen);
  g_assert_cmpint (g_value_get_int64 (&seen.value), ==, 7);
  ready_clear (&seen);
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  GCancellable *cancellable;
  guint n;
  guint n_submit;
  guint n_values;
  gint next;              /* atomic */
  TestReleases *sources;
} Many;

static void
many_ready (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  Many *self = data;
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_task_is_valid (result, source));
  if (g_task_propagate_value (G_TASK (result), &value, &error))
    self->n_values++;
  else
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  self->n++;
}

static gpointer
many_thread (gpointer data)
{
  Many self = *(Many *) data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  gint *next = &((Many *) data)->next;

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < self.n_submit; i++)
    {
      GObject *source = object_new (self.sources);

      if (i % 3 < 2)
        {
          GCancellable *cancellable = i % 3 == 1 ? self.cancellable : NULL;

          g_object_unref (concur_executor_submit_task (self.executor, source, cancellable,
                                                       many_ready, &self,
                                                       test_count_job, next, NULL));
        }
      else
        {
          g_autoptr (ConcurFuture) future = test_submit (self.executor, test_count_job, next);

          g_object_unref (concur_future_as_task (future, source, self.cancellable,
                                                 many_ready, &self));
        }
      g_object_unref (source);
      if (i == self.n_submit / 2)
        g_cancellable_cancel (self.cancellable);
      if (i % 100 == 0)
        g_main_context_iteration (context, FALSE);
    }
  test_iterate_until (context, self.n == self.n_submit);
  g_assert_cmpuint (self.n_values, >=, self.n_submit / 3);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_many (void)
{
  const guint n = test_scaled (2500);
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 3u, NULL);
  TestReleases sources = { 0 };
  Many many[4];
  GThread *threads[4];

  test_shake_start ();
  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    {
      many[i] = (Many) { .executor = executor, .n_submit = n, .sources = &sources,
                         .cancellable = g_cancellable_new () };
      threads[i] = g_thread_new ("many", many_thread, &many[i]);
    }
  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    {
      g_thread_join (threads[i]);
      g_object_unref (many[i].cancellable);
    }
  test_shake_stop ();
  test_executor_end (executor);
  test_iterate_until (NULL, test_futures_alive () == 0);
  g_assert_cmpuint (test_releases_get (&sources), ==, n * G_N_ELEMENTS (many));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/task/submit/value", test_submit_value);
  g_test_add_func ("/task/submit/errors", test_submit_errors);
  g_test_add_func ("/task/submit/refused", test_submit_refused);
  g_test_add_func ("/task/submit/dropped", test_submit_dropped);
  g_test_add_func ("/task/submit/running", test_submit_running);
  g_test_add_func ("/task/submit/not-inside", test_submit_not_inside);
  g_test_add_func ("/task/submit/release-on-worker", test_submit_release_on_worker);
  g_test_add_func ("/task/many", test_many);

  return test_run ();
}
