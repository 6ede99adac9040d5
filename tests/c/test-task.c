/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tasks that end as a future does: as_task. */

#include "config.h"

#include "test-task.h"

static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

static void
test_value (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Ready first = { .thread = g_thread_self () }, second = { .thread = g_thread_self () };

  g_object_unref (concur_future_as_task (future, NULL, NULL, ready, &first));
  concur_promise_resolve_string (promise, "five");
  /* One that is done already, too. */
  g_object_unref (concur_future_as_task (future, NULL, NULL, ready, &second));
  g_assert_cmpuint (first.n + second.n, ==, 0);
  test_iterate_until (NULL, first.n == 1 && second.n == 1);
  g_assert_cmpstr (g_value_get_string (&first.value), ==, "five");
  g_assert_cmpstr (g_value_get_string (&second.value), ==, "five");
  g_assert_cmpstr (g_value_get_string (concur_future_get_value (future, NULL)), ==, "five");
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (first.n, ==, 1);
  ready_clear (&first);
  ready_clear (&second);
}

static void
test_no_value (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Ready seen = { 0 };

  g_object_unref (concur_future_as_task (future, NULL, NULL, ready, &seen));
  concur_promise_resolve (promise, NULL);
  test_iterate_until (NULL, seen.n == 1);
  g_assert_true (G_VALUE_HOLDS_OBJECT (&seen.value));
  g_assert_null (g_value_get_object (&seen.value));
  ready_clear (&seen);
}

static void
test_errors (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
  ConcurPromise *rejected, *cancelled, *broken;
  g_autoptr (ConcurFuture) rejected_future = future_new (&rejected);
  g_autoptr (ConcurFuture) cancelled_future = future_new (&cancelled);
  g_autoptr (ConcurFuture) broken_future = future_new (&broken);
  Ready seen[3] = { 0 };

  g_object_unref (concur_future_as_task (rejected_future, NULL, NULL, ready, &seen[0]));
  g_object_unref (concur_future_as_task (cancelled_future, NULL, NULL, ready, &seen[1]));
  g_object_unref (concur_future_as_task (broken_future, NULL, NULL, ready, &seen[2]));
  concur_promise_reject (rejected, error);
  concur_future_cancel (cancelled_future, CONCUR_CANCEL_NONE);
  g_object_unref (broken);
  test_iterate_until (NULL, seen[0].n == 1 && seen[1].n == 1 && seen[2].n == 1);
  g_assert_error (seen[0].error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_error (seen[1].error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (seen[2].error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++)
    ready_clear (&seen[i]);
  g_object_unref (rejected);
  g_object_unref (cancelled);
}

/* The waiting is given up, the work is not. */
static void
test_give_up (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Ready before = { 0 }, given_up = { 0 }, goes_on = { 0 };

  g_object_unref (concur_future_as_task (future, NULL, cancellable, ready, &given_up));
  g_object_unref (concur_future_as_task (future, NULL, NULL, ready, &goes_on));
  g_cancellable_cancel (cancellable);
  g_object_unref (concur_future_as_task (future, NULL, cancellable, ready, &before));
  g_assert_cmpuint (given_up.n + before.n, ==, 0);
  test_iterate_until (NULL, given_up.n == 1 && before.n == 1);
  g_assert_error (given_up.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (before.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (concur_future_is_done (future));
  concur_promise_resolve_int64 (promise, 3);
  test_iterate_until (NULL, goes_on.n == 1);
  g_assert_cmpint (g_value_get_int64 (&goes_on.value), ==, 3);
  g_assert_cmpuint (given_up.n, ==, 1);
  ready_clear (&before);
  ready_clear (&given_up);
  ready_clear (&goes_on);
}

/* A value that is there is not dropped by cancelling later, unless the task is told to. */
static void
test_check_cancellable (void)
{
  for (guint check = 0; check < 2; check++)
    {
      g_autoptr (ConcurPromise) promise = NULL;
      g_autoptr (ConcurFuture) future = future_new (&promise);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GTask) task = concur_future_as_task (future, NULL, cancellable, NULL, NULL);
      g_autoptr (GError) error = NULL;
      g_auto (GValue) value = G_VALUE_INIT;

      g_assert_false (g_task_get_check_cancellable (task));
      if (check)
        g_task_set_check_cancellable (task, TRUE);
      concur_promise_resolve_int64 (promise, 3);
      test_iterate_until (NULL, g_task_get_completed (task));
      g_cancellable_cancel (cancellable);
      if (check)
        {
          g_assert_false (g_task_propagate_value (task, &value, &error));
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
        }
      else
        {
          g_assert_true (g_task_propagate_value (task, &value, &error));
          g_assert_cmpint (g_value_get_int64 (&value), ==, 3);
        }
    }
}

static void
completed (GTask      *task,
           GParamSpec *pspec,
           gpointer    data)
{
  guint *n = data;

  g_assert_true (g_task_get_completed (task));
  (*n)++;
}

/* What a caller does right after making one. */
static void
test_set_up (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Ready seen = { 0 };
  g_autoptr (GTask) task = NULL;
  guint n_completed = 0;

  concur_promise_resolve_int64 (promise, 3);
  task = concur_future_as_task (future, NULL, NULL, ready, &seen);
  g_task_set_source_tag (task, test_set_up);
  g_task_set_name (task, "a task");
  g_task_set_priority (task, G_PRIORITY_LOW);
  g_signal_connect (task, "notify::completed", G_CALLBACK (completed), &n_completed);
  test_iterate_until (NULL, n_completed == 1);
  g_assert_cmpuint (seen.n, ==, 1);
  g_assert_true (seen.tag == (gpointer) test_set_up);
  ready_clear (&seen);
}

/* GTask's own rule: the result is there once. */
static void
test_propagate_twice (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (GTask) task = concur_future_as_task (future, NULL, NULL, NULL, NULL);
  g_auto (GValue) value = G_VALUE_INIT, again = G_VALUE_INIT;

  concur_promise_resolve_int64 (promise, 3);
  test_iterate_until (NULL, g_task_get_completed (task));
  g_assert_true (g_task_propagate_value (task, &value, NULL));
  g_test_expect_message ("GLib-GIO", G_LOG_LEVEL_CRITICAL, "*assertion*failed*");
  g_assert_false (g_task_propagate_value (task, &again, NULL));
  g_test_assert_expected_messages ();
}

/* Nobody else holds the future, the task or the source object. */
static void
test_lifetimes (void)
{
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  GObject *source = object_new (&releases);
  Ready seen = { .source = source };

  g_object_unref (concur_future_as_task (future, source, NULL, ready, &seen));
  /* Nobody called back, and nobody asks. */
  g_object_unref (concur_future_as_task (future, source, NULL, NULL, NULL));
  g_object_unref (source);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  concur_promise_resolve_int64 (promise, 1);
  g_clear_object (&promise);
  test_iterate_until (NULL, seen.n == 1 && test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_iterate_until (NULL, test_futures_alive () == 0);
  ready_clear (&seen);
}

typedef struct
{
  ConcurExecutor *executor;
  Ready seen, submitted;
} InLoop;

static void
in_loop (gpointer data)
{
  InLoop *self = data;
  g_autoptr (ConcurFuture) future = test_submit (self->executor, test_one_job, NULL);

  g_object_unref (concur_future_as_task (future, NULL, NULL, ready, &self->seen));
}

static gpointer
in_plain_thread (gpointer data)
{
  InLoop *self = data;

  /* No context of its own: it comes to the default one, whatever becomes of this thread. */
  in_loop (data);
  g_object_unref (concur_executor_submit_task (self->executor, NULL, NULL, ready,
                                               &self->submitted, test_one_job, NULL, NULL));
  test_gate_wait (&self->seen.done);
  test_gate_wait (&self->submitted.done);

  return NULL;
}

static gpointer
in_own_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  InLoop *self = data;

  g_main_context_push_thread_default (context);
  self->seen.thread = g_thread_self ();
  self->seen.context = context;
  in_loop (data);
  test_iterate_until (context, self->seen.n == 1);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_contexts (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  TestLoop *loop = test_loop_new ();
  InLoop in = { .executor = executor };
  GThread *thread;

  in.seen.thread = test_loop_get_thread (loop);
  in.seen.context = test_loop_get_context (loop);
  test_loop_call (loop, in_loop, &in);
  test_gate_wait (&in.seen.done);
  test_loop_free (loop);
  g_assert_cmpint (g_value_get_int64 (&in.seen.value), ==, 1);
  ready_clear (&in.seen);

  in = (InLoop) { .executor = executor };
  g_thread_join (g_thread_new ("own-context", in_own_context, &in));
  g_assert_cmpuint (in.seen.n, ==, 1);
  ready_clear (&in.seen);

  in = (InLoop) { .executor = executor, .seen.thread = g_thread_self (),
                  .submitted.thread = g_thread_self () };
  thread = g_thread_new ("plain", in_plain_thread, &in);
  test_iterate_until (NULL, in.seen.n == 1 && in.submitted.n == 1);
  g_thread_join (thread);
  ready_clear (&in.seen);
  ready_clear (&in.submitted);

  test_executor_end (executor);
}

static gboolean
give_up_in_time (gpointer timed_out)
{
  g_assert_not_reached ();

  return G_SOURCE_REMOVE;
}

typedef struct
{
  ConcurExecutor *executor;
  Ready inner;
  gboolean done;
} Nested;

static void
nested_ready (GObject      *source,
              GAsyncResult *result,
              gpointer      data)
{
  Nested *self = data;
  g_auto (GValue) value = G_VALUE_INIT;
  guint timeout = g_timeout_add (TEST_PATIENCE_US / 1000, give_up_in_time, NULL);

  g_assert_true (g_task_propagate_value (G_TASK (result), &value, NULL));
  g_object_unref (concur_executor_submit_task (self->executor, NULL, NULL, ready, &self->inner,
                                               test_one_job, NULL, NULL));
  while (self->inner.n == 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
  self->done = TRUE;
}

/* A callback that runs a main loop gets its results there. */
static void
test_nested (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (ConcurFuture) future = NULL;
  Nested nested = { .executor = executor };

  g_object_unref (concur_executor_submit_task (executor, NULL, NULL, nested_ready, &nested,
                                               test_one_job, NULL, NULL));
  test_iterate_until (NULL, nested.done);
  ready_clear (&nested.inner);

  nested.done = FALSE;
  future = test_submit (executor, test_one_job, NULL);
  g_object_unref (concur_future_as_task (future, NULL, NULL, nested_ready, &nested));
  test_iterate_until (NULL, nested.done);
  ready_clear (&nested.inner);
  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);
  g_test_add_func ("/task/value", test_value);
  g_test_add_func ("/task/no-value", test_no_value);
  g_test_add_func ("/task/errors", test_errors);
  g_test_add_func ("/task/give-up", test_give_up);
  g_test_add_func ("/task/check-cancellable", test_check_cancellable);
  g_test_add_func ("/task/set-up", test_set_up);
  g_test_add_func ("/task/propagate-twice", test_propagate_twice);
  g_test_add_func ("/task/lifetimes", test_lifetimes);
  g_test_add_func ("/task/contexts", test_contexts);
  g_test_add_func ("/task/nested", test_nested);

  return test_run ();
}
