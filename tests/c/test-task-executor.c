/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* run_task in place of g_task_run_in_thread (): what GTask promises holds. Cancelling is in
 * test-task-executor-cancel.c. */

#include "config.h"

#include "test-task-executor.h"

static void
test_answers (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  TestReleases releases = { .thread = g_thread_self () };
  GObject *source = g_object_new (G_TYPE_OBJECT, NULL);
  Op value, error;

  test_releases_watch (&releases, source);
  op_init (&value);
  op_async (&value, executor, source, NULL);
  /* Nobody else holds it now. */
  g_object_unref (source);
  op_wait (&value);
  g_assert_no_error (value.error);
  g_assert_cmpint (value.got, ==, 5);
  g_assert_cmpstr (value.name, ==, "op_func");
  op_clear (&value);
  test_iterate_until (NULL, test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  op_init (&error);
  error.answer = -1;
  op_async (&error, executor, NULL, NULL);
  op_wait (&error);
  g_assert_error (error.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (error.got, ==, -1);
  op_clear (&error);
  test_executor_end (executor);
}

static void
pointer_func (GTask        *task,
              gpointer      source_object,
              gpointer      task_data,
              GCancellable *cancellable)
{
  g_task_return_pointer (task, task_data, test_released);
}

static void
count_ready (GObject      *source,
             GAsyncResult *result,
             gpointer      data)
{
  guint *n = data;

  (*n)++;
}

static void
test_pointer (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  for (guint propagate = 0; propagate < 2; propagate++)
    {
      TestReleases releases = { 0 };
      guint n = 0;
      GTask *task = g_task_new (NULL, NULL, count_ready, &n);

      g_task_set_task_data (task, &releases, NULL);
      concur_executor_run_task (executor, task, pointer_func);
      test_iterate_until (NULL, n == 1);
      if (propagate)
        {
          g_assert_true (g_task_propagate_pointer (task, NULL) == &releases);
          /* GTask's own rule. */
          g_test_expect_message ("GLib-GIO", G_LOG_LEVEL_CRITICAL, "*assertion*failed*");
          g_assert_null (g_task_propagate_pointer (task, NULL));
          g_test_assert_expected_messages ();
        }
      g_object_unref (task);
      test_iterate_until (NULL, test_futures_alive () == 0);
      g_assert_cmpuint (test_releases_get (&releases), ==, propagate ? 0 : 1);
    }
  test_executor_end (executor);
}

static void
test_priorities (void)
{
  static const struct
  {
    gint of_task;
    ConcurPriority of_job;
  } cases[] = {
    { G_PRIORITY_HIGH, CONCUR_PRIORITY_HIGH },
    { -1, CONCUR_PRIORITY_HIGH },
    { G_PRIORITY_DEFAULT, CONCUR_PRIORITY_DEFAULT },
    { 99, CONCUR_PRIORITY_DEFAULT },
    { G_PRIORITY_HIGH_IDLE, CONCUR_PRIORITY_LOW },
    { G_PRIORITY_DEFAULT_IDLE, CONCUR_PRIORITY_LOW },
    { G_PRIORITY_LOW, CONCUR_PRIORITY_IDLE },
    { G_MAXINT, CONCUR_PRIORITY_IDLE },
  };
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GTask) task = NULL;
      Op op;

      op_init (&op);
      task = op_task (&op, NULL, NULL);
      g_task_set_priority (task, cases[i].of_task);
      g_task_set_name (task, "by name");
      concur_executor_run_task (executor, task, op_func);
      g_clear_object (&task);
      op_wait (&op);
      g_assert_cmpint (op.priority, ==, cases[i].of_job);
      g_assert_cmpstr (op.name, ==, "by name");
      op_clear (&op);
    }
  test_executor_end (executor);
}

static void
test_refused (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1u,
                                           "max-pending", 1u, "overflow", CONCUR_OVERFLOW_REJECT,
                                           NULL);
  g_autoptr (ConcurFuture) running = NULL, end = NULL;
  TestClog clog = { 0 };
  Op op, queued;

  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  op_init (&queued);
  op_async (&queued, executor, NULL, NULL);
  op_init (&op);
  op_async (&op, executor, NULL, NULL);
  op_wait (&op);
  g_assert_error (op.error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  g_assert_cmpint (op.n_run, ==, 0);
  op_clear (&op);

  /* What is queued is dropped. */
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  op_wait (&queued);
  g_assert_error (queued.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (queued.n_run, ==, 0);
  op_clear (&queued);

  op_init (&op);
  op_async (&op, executor, NULL, NULL);
  op_wait (&op);
  g_assert_error (op.error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  op_clear (&op);
  test_gate_open (&clog.go);
  test_executor_end (executor);
}

static gpointer
return_later (gpointer data)
{
  Op *self = data;

  g_task_return_int (self->later, 9);
  g_clear_object (&self->later);

  return NULL;
}

/* One that is returned later, by another thread. */
static void
test_later (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  Op op;

  op_init (&op);
  op.returns_later = TRUE;
  op_async (&op, executor, NULL, NULL);
  test_gate_wait (&op.end);
  test_iterate_until (NULL, test_futures_alive () == 0);
  g_assert_cmpuint (op.n, ==, 0);
  g_thread_join (g_thread_new ("later", return_later, &op));
  op_wait (&op);
  g_assert_cmpint (op.got, ==, 9);
  op_clear (&op);
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  Op *op;
  GTask *task;
} Elsewhere;

static gpointer
run_elsewhere (gpointer data)
{
  Elsewhere *self = data;

  concur_executor_run_task (self->executor, self->task, op_func);
  g_object_unref (self->task);
  test_gate_wait (&self->op->called_back);

  return NULL;
}

static gpointer
in_own_context (gpointer data)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  Elsewhere *self = data;

  g_main_context_push_thread_default (context);
  op_init (self->op);
  op_async (self->op, self->executor, NULL, NULL);
  test_iterate_until (context, self->op->n == 1 && test_releases_get (&self->op->released) == 1);
  g_assert_cmpint (self->op->got, ==, 5);
  op_clear (self->op);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* The task's context counts, not where it is run from. */
static void
test_contexts (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (ConcurFuture) end = NULL;
  Op op;
  Elsewhere elsewhere = { .executor = executor, .op = &op };

  g_thread_join (g_thread_new ("own-context", in_own_context, &elsewhere));

  for (guint refused = 0; refused < 2; refused++)
    {
      TestReleases releases = { .thread = g_thread_self () };
      GObject *source = g_object_new (G_TYPE_OBJECT, NULL);
      GThread *thread;

      test_releases_watch (&releases, source);
      op_init (&op);
      elsewhere.task = op_task (&op, source, NULL);
      g_object_unref (source);
      if (refused)
        end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
      thread = g_thread_new ("elsewhere", run_elsewhere, &elsewhere);
      op_wait (&op);
      if (refused)
        g_assert_error (op.error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
      else
        g_assert_cmpint (op.got, ==, 5);
      g_thread_join (thread);
      op_clear (&op);
      test_iterate_until (NULL, test_releases_get (&releases) == 1);
      g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
    }
  test_executor_end (executor);
}

/* A synchronous wait in the old way: a nested main loop that ends with the task. */
static void
test_nested (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GTask) task = NULL;
  Op op;

  op_init (&op);
  task = op_task (&op, NULL, NULL);
  g_signal_connect_swapped (task, "notify::completed", G_CALLBACK (g_main_loop_quit), loop);
  concur_executor_run_task (executor, task, op_func);
  g_main_loop_run (loop);
  g_assert_true (g_task_get_completed (task));
  g_assert_cmpuint (op.n, ==, 1);
  g_clear_object (&task);
  op_clear (&op);
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  GCancellable *cancellable;
  guint n_run;
  guint n;
  gint *n_finalized;
} Many;

static void
many_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  g_task_return_boolean (task, TRUE);
}

static void
many_ready (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  Many *self = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_task_is_valid (result, source));
  if (!g_task_propagate_boolean (G_TASK (result), &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  self->n++;
}

static void
finalized (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

static gpointer
many_thread (gpointer data)
{
  Many *self = data;
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  for (guint i = 0; i < self->n_run; i++)
    {
      g_autoptr (GObject) source = g_object_new (G_TYPE_OBJECT, NULL);
      g_autoptr (GTask) task = g_task_new (source, i % 2 == 0 ? self->cancellable : NULL,
                                           many_ready, self);

      g_object_set_data_full (source, "finalized", self->n_finalized, finalized);
      if (i % 10 == 0)
        g_task_set_return_on_cancel (task, TRUE);
      concur_executor_run_task (self->executor, task, many_func);
      if (i == self->n_run / 2)
        g_cancellable_cancel (self->cancellable);
    }
  test_iterate_until (context, self->n == self->n_run);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_many (void)
{
  const guint n = test_scaled (2500);
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 3u, NULL);
  gint n_finalized = 0;
  Many many[4];
  GThread *threads[4];

  test_shake_start ();
  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    {
      many[i] = (Many) { .executor = executor, .n_run = n, .n_finalized = &n_finalized,
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
  test_iterate_until (NULL, test_futures_alive () == 0
                      && g_atomic_int_get (&n_finalized) == (gint) (n * G_N_ELEMENTS (many)));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);
  g_test_add_func ("/task-executor/answers", test_answers);
  g_test_add_func ("/task-executor/pointer", test_pointer);
  g_test_add_func ("/task-executor/priorities", test_priorities);
  g_test_add_func ("/task-executor/refused", test_refused);
  g_test_add_func ("/task-executor/later", test_later);
  g_test_add_func ("/task-executor/contexts", test_contexts);
  g_test_add_func ("/task-executor/nested", test_nested);
  g_test_add_func ("/task-executor/many", test_many);

  return test_run ();
}
