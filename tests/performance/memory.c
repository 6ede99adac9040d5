/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W7: what a job costs in memory while it waits in the queue, its future included. */

#include "bench.h"

#include <concur.h>
#include <string.h>

#ifdef HAVE_UV
#include <uv.h>
#endif

static BenchGate gate;
static int       ready_count;
static gpointer *kept;

static struct
{
  gint64 allocated;
  gint64 resident;
} before;

static void
weigh_start (void)
{
  before.allocated = bench_allocated ();
  before.resident = bench_resident ();
}

static void
weigh_stop (void)
{
  gint64 allocated = bench_allocated ();
  gint64 resident = bench_resident ();

  if (allocated >= 0)
    bench_report ("allocated", (double) (allocated - before.allocated) / bench_options.n);
  if (resident >= 0)
    bench_report ("resident", (double) (resident - before.resident) / bench_options.n);
}

/* concur-glib */

static gboolean
answer (ConcurJob  *job,
        gpointer    user_data,
        GError    **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
when_done (ConcurFuture *future,
           gpointer      user_data)
{
  ready_count++;
}

static void
concur_jobs (gboolean callback)
{
  ConcurThreadExecutor *executor = concur_thread_executor_new ((guint) bench_options.workers);
  ConcurFuture *future;

  if (!g_main_context_acquire (NULL))
    g_error ("somebody else owns the main context");

  /* One job for all that is made once. */
  future = concur_executor_submit (CONCUR_EXECUTOR (executor), answer, NULL, NULL, NULL);
  concur_future_wait (future, -1);
  g_object_unref (future);

  concur_thread_executor_set_paused (executor, TRUE);
  weigh_start ();
  for (int i = 0; i < bench_options.n; i++)
    {
      kept[i] = concur_executor_submit (CONCUR_EXECUTOR (executor), answer, NULL, NULL, NULL);
      if (callback)
        concur_future_when_done (kept[i], when_done, NULL, NULL, NULL);
    }
  weigh_stop ();

  concur_thread_executor_set_paused (executor, FALSE);
  for (int i = 0; i < bench_options.n; i++)
    {
      concur_future_wait (kept[i], -1);
      g_object_unref (kept[i]);
    }
  while (callback && ready_count < bench_options.n)
    g_main_context_iteration (NULL, TRUE);

  future = concur_executor_shutdown (CONCUR_EXECUTOR (executor), CONCUR_SHUTDOWN_DRAIN);
  concur_future_wait (future, -1);
  g_object_unref (future);
  g_object_unref (executor);
}

static void
run_concur (void)
{
  concur_jobs (FALSE);
}

static void
run_concur_callback (void)
{
  concur_jobs (TRUE);
}

/* GTask: ten tasks hold its ten threads, the others queue behind them. It adds a thread
 * now and then while all are busy, which matters little for what n tasks weigh. */

static void
task_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  if (task_data != NULL)
    bench_gate_pass (task_data);
  g_task_return_int (task, 1);
}

static void
task_ready (GObject      *source_object,
            GAsyncResult *result,
            gpointer      user_data)
{
  ready_count++;
}

static GTask *
start_task (gpointer data)
{
  GTask *task = g_task_new (NULL, NULL, task_ready, NULL);

  g_task_set_task_data (task, data, NULL);
  g_task_run_in_thread (task, task_func);

  return task;
}

static void
run_gtask (void)
{
  const int threads = 10;

  if (!g_main_context_acquire (NULL))
    g_error ("somebody else owns the main context");

  for (int i = 0; i < threads; i++)
    g_object_unref (start_task (&gate));
  bench_gate_full (&gate, threads);

  weigh_start ();
  for (int i = 0; i < bench_options.n; i++)
    kept[i] = start_task (NULL);
  weigh_stop ();

  bench_gate_open (&gate);
  while (ready_count < bench_options.n + threads)
    g_main_context_iteration (NULL, TRUE);
  for (int i = 0; i < bench_options.n; i++)
    g_object_unref (kept[i]);
}

/* GThreadPool: only the queue, there is no future */

static void
pool_func (gpointer data,
           gpointer user_data)
{
  if (data == &gate)
    bench_gate_pass (&gate);
}

static void
run_threadpool (void)
{
  GThreadPool *pool = g_thread_pool_new (pool_func, NULL, bench_options.workers, TRUE, NULL);

  for (int i = 0; i < bench_options.workers; i++)
    g_thread_pool_push (pool, &gate, NULL);
  bench_gate_full (&gate, bench_options.workers);

  weigh_start ();
  for (int i = 0; i < bench_options.n; i++)
    g_thread_pool_push (pool, pool, NULL);
  weigh_stop ();

  bench_gate_open (&gate);
  g_thread_pool_free (pool, FALSE, TRUE);
}

#ifdef HAVE_UV
static void
uv_func (uv_work_t *request)
{
  if (request->data != NULL)
    bench_gate_pass (request->data);
}

static void
uv_ready (uv_work_t *request,
          int        status)
{
  free (request);
}

static void
start_uv (gpointer data)
{
  uv_work_t *request = malloc (sizeof *request);

  request->data = data;
  uv_queue_work (uv_default_loop (), request, uv_func, uv_ready);
}

static void
run_uv (void)
{
  g_autofree char *size = g_strdup_printf ("%d", bench_options.workers);

  g_setenv ("UV_THREADPOOL_SIZE", size, TRUE);
  for (int i = 0; i < bench_options.workers; i++)
    start_uv (&gate);
  bench_gate_full (&gate, bench_options.workers);

  weigh_start ();
  for (int i = 0; i < bench_options.n; i++)
    start_uv (NULL);
  weigh_stop ();

  bench_gate_open (&gate);
  uv_run (uv_default_loop (), UV_RUN_DEFAULT);
}
#endif

/* A bare GObject */
static void
run_object (void)
{
  g_object_unref (g_object_new (BENCH_TYPE_OBJECT, NULL));

  weigh_start ();
  for (int i = 0; i < bench_options.n; i++)
    kept[i] = g_object_new (BENCH_TYPE_OBJECT, NULL);
  weigh_stop ();

  for (int i = 0; i < bench_options.n; i++)
    g_object_unref (kept[i]);
}

/* What the program needs for itself must be there before anything is weighed. */
#define WITH_ROOM(func)                                                                            \
  static void                                                                                      \
  weigh_##func (void)                                                                              \
  {                                                                                                \
    kept = g_new (gpointer, bench_options.n);                                                      \
    memset (kept, 1, sizeof (gpointer) * (gsize) bench_options.n);                                 \
    run_##func ();                                                                                 \
    g_free (kept);                                                                                 \
  }

WITH_ROOM (concur)
WITH_ROOM (concur_callback)
WITH_ROOM (gtask)
WITH_ROOM (threadpool)
#ifdef HAVE_UV
WITH_ROOM (uv)
#endif
WITH_ROOM (object)

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur", weigh_concur },
    { "concur-callback", weigh_concur_callback },
    { "gtask", weigh_gtask },
    { "threadpool", weigh_threadpool },
#ifdef HAVE_UV
    { "libuv", weigh_uv },
#endif
    { "object", weigh_object },
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
