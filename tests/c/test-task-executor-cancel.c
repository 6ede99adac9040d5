/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tasks of run_task that are cancelled, return on it at once or not, or are forgotten. */

#include "config.h"

#include "test-task-executor.h"

static void
iterate_what_there_is (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* Without return-on-cancel the function is run in any case, and if the task does not
 * check its cancellable what it says counts. */
static void
test_cancelled (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1u, NULL);

  for (guint i = 0; i < 6; i++)
    {
      gboolean check = i < 3;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ConcurFuture) running = NULL;
      g_autoptr (GTask) task = NULL;
      TestClog clog = { 0 };
      Op op;

      running = test_submit (executor, test_clog_job, &clog);
      test_gate_wait (&clog.begun);
      op_init (&op);
      op.waits = TRUE;
      task = op_task (&op, NULL, cancellable);
      g_task_set_check_cancellable (task, check);
      if (i % 3 == 0)
        g_cancellable_cancel (cancellable);
      concur_executor_run_task (executor, task, op_func);
      g_clear_object (&task);
      if (i % 3 == 1)
        g_cancellable_cancel (cancellable);
      iterate_what_there_is ();
      g_assert_cmpuint (op.n, ==, 0);
      test_gate_open (&clog.go);
      test_gate_wait (&op.begun);
      if (i % 3 == 2)
        g_cancellable_cancel (cancellable);
      iterate_what_there_is ();
      g_assert_cmpuint (op.n, ==, 0);
      test_gate_open (&op.go);
      op_wait (&op);
      g_assert_cmpint (op.n_run, ==, 1);
      g_assert_true (op.saw_cancelled);
      if (check)
        g_assert_error (op.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        g_assert_cmpint (op.got, ==, 5);
      op_clear (&op);
    }
  test_executor_end (executor);
}

/* With it a queued task returns at once, and is not run. */
static void
test_return_on_cancel_queued (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1u, NULL);
  g_autoptr (ConcurFuture) running = NULL;
  TestClog clog = { 0 };

  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GTask) task = NULL;
      Op op;

      op_init (&op);
      task = op_task (&op, NULL, cancellable);
      g_task_set_return_on_cancel (task, TRUE);
      if (i == 0)
        g_cancellable_cancel (cancellable);
      concur_executor_run_task (executor, task, op_func);
      g_clear_object (&task);
      if (i == 1)
        {
          iterate_what_there_is ();
          g_cancellable_cancel (cancellable);
        }
      g_assert_cmpuint (op.n, ==, 0);
      op_wait (&op);
      g_assert_error (op.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (op.n_run, ==, 0);
      op_clear (&op);
    }
  test_gate_open (&clog.go);
  test_executor_end (executor);
}

typedef struct
{
  TestReleases result;
  TestGate begun, go;
} Late;

static void
late_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  Late *self = task_data;

  test_gate_open (&self->begun);
  test_gate_wait (&self->go);
  g_task_return_pointer (task, &self->result, test_released);
}

static void
late_ready (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  guint *n = data;
  g_autoptr (GError) error = NULL;

  g_assert_null (g_task_propagate_pointer (G_TASK (result), &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  (*n)++;
}

/* One that runs returns at once, and what it says later is freed. */
static void
test_return_on_cancel_running (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GTask *task;
  Late late = { 0 };
  guint n = 0;

  task = g_task_new (NULL, cancellable, late_ready, &n);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_set_task_data (task, &late, NULL);
  concur_executor_run_task (executor, task, late_func);
  g_object_unref (task);
  test_gate_wait (&late.begun);
  g_cancellable_cancel (cancellable);
  g_assert_cmpuint (n, ==, 0);
  test_iterate_until (NULL, n == 1);
  g_assert_cmpuint (test_releases_get (&late.result), ==, 0);
  test_gate_open (&late.go);
  test_iterate_until (NULL, test_releases_get (&late.result) == 1);
  test_executor_end (executor);
  test_iterate_until (NULL, test_futures_alive () == 0);
  g_assert_cmpuint (n, ==, 1);
}

/* Not cancelled; cancelled after it has switched it off again; and afterwards. */
static void
test_return_on_cancel_not (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GTask) task = NULL;
      Op op;

      op_init (&op);
      op.waits = TRUE;
      op.protects = i == 1;
      task = op_task (&op, NULL, cancellable);
      g_task_set_return_on_cancel (task, TRUE);
      concur_executor_run_task (executor, task, op_func);
      g_clear_object (&task);
      test_gate_wait (&op.begun);
      if (i == 1)
        {
          g_assert_true (op.may_go_on);
          g_cancellable_cancel (cancellable);
          iterate_what_there_is ();
        }
      g_assert_cmpuint (op.n, ==, 0);
      test_gate_open (&op.go);
      op_wait (&op);
      if (i == 2)
        g_cancellable_cancel (cancellable);
      if (i == 1)
        g_assert_error (op.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        g_assert_cmpint (op.got, ==, 5);
      op_clear (&op);
    }
  test_executor_end (executor);
}

/* A function that never answers, when nobody is left who could. */
static void
test_forgotten (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);
  Op op;

  op_init (&op);
  op.forgets = op.waits = TRUE;
  op_async (&op, executor, NULL, NULL);
  test_gate_open (&op.go);
  op_wait (&op);
  g_assert_error (op.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  op_clear (&op);
  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/task-executor/cancelled", test_cancelled);
  g_test_add_func ("/task-executor/return-on-cancel/queued", test_return_on_cancel_queued);
  g_test_add_func ("/task-executor/return-on-cancel/running", test_return_on_cancel_running);
  g_test_add_func ("/task-executor/return-on-cancel/not", test_return_on_cancel_not);
  g_test_add_func ("/task-executor/forgotten", test_forgotten);

  return test_run ();
}
