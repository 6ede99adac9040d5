/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Growth: n jobs wait behind an executor that does not run them yet, then they run and
 * are read. What one job costs should not depend on n; --repeat keeps the total the
 * same, so that a small n is not measured in a shorter run. */

#include "bench.h"

#include <concur.h>

#define WARM_UP 500

typedef enum
{
  PLAIN,
  PRIORITIES,    /* every other one urgent */
  CANCELLABLE,   /* all have the same GCancellable */
  CANCEL_SHARED, /* … and it is cancelled */
  CANCEL_EACH,   /* each is cancelled by itself, the last first */
} Kind;

static void
measure (void (*batch) (Kind kind, int n),
         Kind   kind)
{
  batch (kind, MIN (WARM_UP, bench_options.n));
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      batch (kind, bench_options.n);
      bench_stop ();
    }
}

/* concur-glib */

static ConcurThreadExecutor *executor;
static ConcurFuture        **futures;

static gboolean
answer (ConcurJob  *job,
        gpointer    user_data,
        GError    **error)
{
  concur_job_return_int64 (job, GPOINTER_TO_INT (user_data));

  return TRUE;
}

static ConcurFuture *
submit (Kind          kind,
        int           i,
        GCancellable *cancellable)
{
  ConcurJob *job;
  ConcurFuture *future;

  if (kind != PRIORITIES)
    return concur_executor_submit (CONCUR_EXECUTOR (executor), answer, GINT_TO_POINTER (i + 1), NULL, cancellable);

  job = concur_job_new (answer, GINT_TO_POINTER (i + 1), NULL);
  concur_job_set_priority (job, i % 2 == 0 ? CONCUR_PRIORITY_HIGH : CONCUR_PRIORITY_LOW);
  future = concur_executor_submit_job (CONCUR_EXECUTOR (executor), job, cancellable);
  g_object_unref (job);

  return future;
}

static void
concur_batch (Kind kind,
              int  n)
{
  g_autoptr (GCancellable) cancellable = NULL;
  gint64 sum = 0;

  if (kind == CANCELLABLE || kind == CANCEL_SHARED)
    cancellable = g_cancellable_new ();

  concur_thread_executor_set_paused (executor, TRUE);
  for (int i = 0; i < n; i++)
    futures[i] = submit (kind, i, cancellable);

  if (kind == CANCEL_SHARED)
    g_cancellable_cancel (cancellable);
  for (int i = n - 1; kind == CANCEL_EACH && i >= 0; i--)
    concur_future_cancel (futures[i], CONCUR_CANCEL_NONE);

  concur_thread_executor_set_paused (executor, FALSE);
  for (int i = 0; i < n; i++)
    {
      concur_future_wait (futures[i], -1);
      if (kind < CANCEL_SHARED)
        sum += concur_future_get_int64 (futures[i], NULL);
      else if (concur_future_get_state (futures[i]) == CONCUR_FUTURE_STATE_CANCELLED)
        sum += i + 1;
      g_object_unref (futures[i]);
    }

  bench_check_sum (sum, n);
}

static void
run_concur (Kind kind)
{
  ConcurFuture *end;

  executor = concur_thread_executor_new ((guint) bench_options.workers);
  futures = g_new0 (ConcurFuture *, bench_options.n);

  measure (concur_batch, kind);

  end = concur_executor_shutdown (CONCUR_EXECUTOR (executor), CONCUR_SHUTDOWN_DRAIN);
  concur_future_wait (end, -1);
  g_object_unref (end);
  g_object_unref (executor);
  g_free (futures);
}

/* GTask: ten tasks hold its ten threads meanwhile. */

#define TASK_THREADS 10

static BenchGate gate;
static int       ready_count;
static gint64    ready_sum;

static void
task_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  g_task_return_int (task, GPOINTER_TO_INT (task_data));
}

static void
gate_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  bench_gate_pass (&gate);
  g_task_return_int (task, 0);
}

static void
task_ready (GObject      *source_object,
            GAsyncResult *result,
            gpointer      user_data)
{
  ready_sum += g_task_propagate_int (G_TASK (result), NULL);
  ready_count++;
}

static void
start_task (GTaskThreadFunc  func,
            int              number,
            int              priority,
            GCancellable    *cancellable)
{
  GTask *task = g_task_new (NULL, cancellable, task_ready, NULL);

  g_task_set_task_data (task, GINT_TO_POINTER (number), NULL);
  g_task_set_priority (task, priority);
  g_task_run_in_thread (task, func);
  g_object_unref (task);
}

static void
gtask_batch (Kind kind,
             int  n)
{
  g_autoptr (GCancellable) cancellable = kind == CANCELLABLE ? g_cancellable_new () : NULL;

  ready_count = 0;
  ready_sum = 0;

  for (int i = 0; i < TASK_THREADS; i++)
    start_task (gate_func, 0, G_PRIORITY_HIGH, NULL);
  bench_gate_full (&gate, TASK_THREADS);

  for (int i = 0; i < n; i++)
    start_task (task_func,
                i + 1,
                kind != PRIORITIES ? G_PRIORITY_DEFAULT : i % 2 == 0 ? G_PRIORITY_HIGH : G_PRIORITY_LOW,
                cancellable);

  bench_gate_open (&gate);
  while (ready_count < n + TASK_THREADS)
    g_main_context_iteration (NULL, TRUE);

  bench_check_sum (ready_sum, n);
}

static void
run_gtask (Kind kind)
{
  if (!g_main_context_acquire (NULL))
    g_error ("somebody else owns the main context");

  measure (gtask_batch, kind);
}

#define CASE(name, run, kind)                                                                      \
  static void                                                                                      \
  name (void)                                                                                      \
  {                                                                                                \
    run (kind);                                                                                    \
  }

CASE (concur_plain, run_concur, PLAIN)
CASE (concur_priorities, run_concur, PRIORITIES)
CASE (concur_cancellable, run_concur, CANCELLABLE)
CASE (concur_cancel_shared, run_concur, CANCEL_SHARED)
CASE (concur_cancel_each, run_concur, CANCEL_EACH)
CASE (gtask_plain, run_gtask, PLAIN)
CASE (gtask_priorities, run_gtask, PRIORITIES)
CASE (gtask_cancellable, run_gtask, CANCELLABLE)

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur-plain", concur_plain },
    { "concur-priorities", concur_priorities },
    { "concur-cancellable", concur_cancellable },
    { "concur-cancel-shared", concur_cancel_shared },
    { "concur-cancel-each", concur_cancel_each },
    { "gtask-plain", gtask_plain },
    { "gtask-priorities", gtask_priorities },
    { "gtask-cancellable", gtask_cancellable },
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
