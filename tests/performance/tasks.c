/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The work of g_task_run_in_thread (), with GTasks as results in the main loop, on an
 * executor of ours and on GLib's own pool. */

#include "bench.h"

/* Tasks before the clock starts. */
#define WARM_UP 1000

/* A task's data is its number, from 1. */
#define NUMBER(i) GINT_TO_POINTER ((i) + 1)

static gint64 sum;
static int    count;

static ConcurExecutor *executor;

static void
task_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  bench_work ((guint64) GPOINTER_TO_INT (task_data));
  g_task_return_int (task, GPOINTER_TO_INT (task_data));
}

static void
task_ready (GObject      *source_object,
            GAsyncResult *result,
            gpointer      user_data)
{
  sum += g_task_propagate_int (G_TASK (result), NULL);
  count++;
}

static void
collect (int n)
{
  while (count < n)
    g_main_context_iteration (NULL, TRUE);
  bench_check_sum (sum, n);
  sum = count = 0;
}

static void
measure (void (*tasks) (int n))
{
  bench_own_main_context ();
  tasks (WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      tasks (bench_options.n);
      bench_stop ();
    }
}

/* concur-glib: a job and a GTask for its outcome */

static gboolean
job_func (ConcurJob  *job,
          gpointer    user_data,
          GError    **error)
{
  bench_work ((guint64) GPOINTER_TO_INT (user_data));
  concur_job_return_int64 (job, GPOINTER_TO_INT (user_data));

  return TRUE;
}

static void
job_task_ready (GObject      *source_object,
                GAsyncResult *result,
                gpointer      user_data)
{
  GValue value = G_VALUE_INIT;

  if (!g_task_propagate_value (G_TASK (result), &value, NULL))
    g_error ("no answer");
  sum += g_value_get_int64 (&value);
  g_value_unset (&value);
  count++;
}

static void
submitted_tasks (int n)
{
  for (int i = 0; i < n; i++)
    g_object_unref (concur_executor_submit_task (executor, NULL, NULL, job_task_ready, NULL,
                                                 job_func, NUMBER (i), NULL));
  collect (n);
}

static void
run_submit_task (void)
{
  executor = bench_executor_new ();
  measure (submitted_tasks);
  bench_executor_end (executor);
}

/* concur-glib: a GTask of the caller's, one line changed */

static void
run_tasks (int n)
{
  for (int i = 0; i < n; i++)
    {
      GTask *task = g_task_new (NULL, NULL, task_ready, NULL);

      g_task_set_task_data (task, NUMBER (i), NULL);
      concur_executor_run_task (executor, task, task_func);
      g_object_unref (task);
    }
  collect (n);
}

static void
run_run_task (void)
{
  executor = bench_executor_new ();
  measure (run_tasks);
  bench_executor_end (executor);
}

/* concur-glib: no GTask, the future itself is the GAsyncResult */

static void
reported (GObject      *source_object,
          GAsyncResult *result,
          gpointer      user_data)
{
  sum += concur_future_propagate_int (CONCUR_FUTURE (result), NULL);
  count++;
}

static void
reports (int n)
{
  for (int i = 0; i < n; i++)
    {
      ConcurFuture *future = concur_executor_submit (executor, job_func, NUMBER (i), NULL, NULL);

      concur_future_report (future, NULL, NULL, reported, NULL);
      g_object_unref (future);
    }
  collect (n);
}

static void
run_report (void)
{
  executor = bench_executor_new ();
  measure (reports);
  bench_executor_end (executor);
}

/* GTask in GLib's own pool, of ten threads */

static void
gtasks (int n)
{
  for (int i = 0; i < n; i++)
    {
      GTask *task = g_task_new (NULL, NULL, task_ready, NULL);

      g_task_set_task_data (task, NUMBER (i), NULL);
      g_task_run_in_thread (task, task_func);
      g_object_unref (task);
    }
  collect (n);
}

static void
run_gtask (void)
{
  measure (gtasks);
}

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "submit-task", run_submit_task },
    { "run-task", run_run_task },
    { "report", run_report },
    { "gtask", run_gtask },
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
