/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W1: one thread hands in n jobs, one by one, then reads every result. And map_range:
 * one future for n items. */

#include "bench.h"

#ifdef HAVE_UV
#include <uv.h>
#endif

/* Jobs before the clock starts: threads run, types are registered, the heap has grown. */
#define WARM_UP 1000

/* A job's data is its number, from 1. */
#define NUMBER(i) GINT_TO_POINTER ((i) + 1)

static gint64 loop_sum;
static int    loop_count;

static void
iterate_until (int count)
{
  while (loop_count < count)
    g_main_context_iteration (NULL, TRUE);
}

/* concur-glib */

static gboolean
answer (ConcurJob  *job,
        gpointer    user_data,
        GError    **error)
{
  bench_work ((guint64) GPOINTER_TO_INT (user_data));
  concur_job_return_int64 (job, GPOINTER_TO_INT (user_data));

  return TRUE;
}

static void
concur_jobs (ConcurExecutor  *executor,
             ConcurFuture   **futures,
             int              n)
{
  gint64 sum = 0;

  for (int i = 0; i < n; i++)
    futures[i] = concur_executor_submit (executor, answer, NUMBER (i), NULL, NULL);

  for (int i = 0; i < n; i++)
    {
      sum += g_value_get_int64 (concur_future_result (futures[i], -1, NULL));
      g_object_unref (futures[i]);
    }

  bench_check_sum (sum, n);
}

static void
run_concur (void)
{
  ConcurExecutor *executor = bench_executor_new ();
  ConcurFuture **futures = g_new0 (ConcurFuture *, MAX (bench_options.n, WARM_UP));

  concur_jobs (executor, futures, WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      concur_jobs (executor, futures, bench_options.n);
      bench_stop ();
    }

  bench_executor_end (executor);
  g_free (futures);
}

/* The same from a thread whose home is the main context: what a worker has done with
 * then goes back to that context. */
static void
run_concur_owner (void)
{
  bench_own_main_context ();
  run_concur ();
}

static void
when_done (ConcurFuture *future,
           gpointer      user_data)
{
  loop_sum += concur_future_get_int64 (future, NULL);
  loop_count++;
}

static void
concur_loop_jobs (ConcurExecutor *executor,
                  int             n)
{
  loop_sum = loop_count = 0;

  for (int i = 0; i < n; i++)
    {
      ConcurFuture *future = concur_executor_submit (executor, answer, NUMBER (i), NULL, NULL);

      concur_future_when_done (future, when_done, NULL, NULL, NULL);
      g_object_unref (future);
    }

  iterate_until (n);
  bench_check_sum (loop_sum, n);
}

/* Results arrive as callbacks in the main loop, as GTask delivers them. */
static void
run_concur_loop (void)
{
  ConcurExecutor *executor = bench_executor_new ();

  bench_own_main_context ();
  concur_loop_jobs (executor, WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      concur_loop_jobs (executor, bench_options.n);
      bench_stop ();
    }

  bench_executor_end (executor);
}

static gboolean
answer_range (ConcurBatch  *batch,
              guint         first,
              guint         n,
              gpointer      user_data,
              GError      **error)
{
  gint64 *slots = concur_batch_peek_int64 (batch, first, n);
  gint64 number = first;

  for (gint64 *slot = slots; slot < slots + n; slot++)
    *slot = ++number;

  return TRUE;
}

static gboolean
answer_nothing (ConcurBatch  *batch,
                guint         first,
                guint         n,
                gpointer      user_data,
                GError      **error)
{
  return TRUE;
}

/* A few items only are looked at: reading a million costs a tenth of making them. */
static void
check_batch (ConcurBatch *batch,
             guint        n)
{
  if (concur_batch_get_n_items (batch) != n)
    g_error ("%u items instead of %u", concur_batch_get_n_items (batch), n);

  for (guint i = 0; i < 16; i++)
    {
      guint at = (guint) ((guint64) (n - 1) * i / 15);

      if (concur_batch_get_int64 (batch, at) != (gint64) at + 1)
        g_error ("item %u is %" G_GINT64_FORMAT, at, concur_batch_get_int64 (batch, at));
    }
}

static void
concur_map (ConcurExecutor  *executor,
            ConcurRangeFunc  func,
            guint            n,
            guint            chunk)
{
  ConcurFuture *future = concur_executor_map_range (executor, n, chunk, func, NULL, NULL, NULL);
  const GValue *value = concur_future_result (future, -1, NULL);

  if (func == answer_range)
    check_batch (g_value_get_object (value), n);
  g_object_unref (future);
}

static void
run_map (ConcurRangeFunc func,
         guint           chunk)
{
  ConcurExecutor *executor = bench_executor_new ();

  concur_map (executor, func, WARM_UP, chunk);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      concur_map (executor, func, (guint) bench_options.n, chunk);
      bench_stop ();
    }

  bench_executor_end (executor);
}

static void
run_map_1 (void)
{
  run_map (answer_range, 1);
}

static void
run_map_64 (void)
{
  run_map (answer_range, 64);
}

/* What is left when the function does nothing: the library's own share. */
static void
run_map_1_empty (void)
{
  run_map (answer_nothing, 1);
}

static void
run_map_64_empty (void)
{
  run_map (answer_nothing, 64);
}

/* GTask. Its pool has ten threads and no way to change that. */

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
  loop_sum += g_task_propagate_int (G_TASK (result), NULL);
  loop_count++;
}

static void
gtask_jobs (int n)
{
  loop_sum = loop_count = 0;

  for (int i = 0; i < n; i++)
    {
      GTask *task = g_task_new (NULL, NULL, task_ready, NULL);

      g_task_set_task_data (task, NUMBER (i), NULL);
      g_task_run_in_thread (task, task_func);
      g_object_unref (task);
    }

  iterate_until (n);
  bench_check_sum (loop_sum, n);
}

static void
run_gtask (void)
{
  bench_own_main_context ();
  gtask_jobs (WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      gtask_jobs (bench_options.n);
      bench_stop ();
    }
}

/* GThreadPool: jobs have no result of their own. */

static gint     pool_left;
static gint64   pool_sum;
static GMutex   pool_lock;
static GCond    pool_cond;

static void
pool_func (gpointer data,
           gpointer user_data)
{
  bench_work ((guint64) GPOINTER_TO_INT (data));

  if (g_atomic_int_dec_and_test (&pool_left))
    {
      g_mutex_lock (&pool_lock);
      pool_sum = -1;
      g_cond_signal (&pool_cond);
      g_mutex_unlock (&pool_lock);
    }
}

/* Nothing but handing jobs over and knowing when the last has run. */
static void
pool_jobs (GThreadPool *pool,
           int          n)
{
  pool_sum = 0;
  g_atomic_int_set (&pool_left, n);

  for (int i = 0; i < n; i++)
    g_thread_pool_push (pool, NUMBER (i), NULL);

  g_mutex_lock (&pool_lock);
  while (pool_sum == 0)
    g_cond_wait (&pool_cond, &pool_lock);
  g_mutex_unlock (&pool_lock);
}

static void
run_threadpool (void)
{
  GThreadPool *pool = g_thread_pool_new (pool_func, NULL, bench_options.workers, TRUE, NULL);

  pool_jobs (pool, WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      pool_jobs (pool, bench_options.n);
      bench_stop ();
    }

  g_thread_pool_free (pool, FALSE, TRUE);
}

static void
pool_queue_func (gpointer data,
                 gpointer user_data)
{
  bench_work ((guint64) GPOINTER_TO_INT (data));
  g_async_queue_push (user_data, data);
}

/* Results in one queue, in the order in which they come. */
static void
pool_queue_jobs (GThreadPool *pool,
                 GAsyncQueue *results,
                 int          n)
{
  gint64 sum = 0;

  for (int i = 0; i < n; i++)
    g_thread_pool_push (pool, NUMBER (i), NULL);
  for (int i = 0; i < n; i++)
    sum += GPOINTER_TO_INT (g_async_queue_pop (results));

  bench_check_sum (sum, n);
}

static void
run_threadpool_queue (void)
{
  GAsyncQueue *results = g_async_queue_new ();
  GThreadPool *pool = g_thread_pool_new (pool_queue_func, results, bench_options.workers, TRUE, NULL);

  pool_queue_jobs (pool, results, WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      pool_queue_jobs (pool, results, bench_options.n);
      bench_stop ();
    }

  g_thread_pool_free (pool, FALSE, TRUE);
  g_async_queue_unref (results);
}

/* libuv: a request the caller allocates, a callback in the loop. */

#ifdef HAVE_UV
static void
uv_func (uv_work_t *request)
{
  bench_work ((guint64) GPOINTER_TO_INT (request->data));
}

static void
uv_ready (uv_work_t *request,
          int        status)
{
  loop_sum += GPOINTER_TO_INT (request->data);
  free (request);
}

static void
uv_jobs (int n)
{
  loop_sum = 0;

  for (int i = 0; i < n; i++)
    {
      uv_work_t *request = malloc (sizeof *request);

      request->data = NUMBER (i);
      uv_queue_work (uv_default_loop (), request, uv_func, uv_ready);
    }

  uv_run (uv_default_loop (), UV_RUN_DEFAULT);
  bench_check_sum (loop_sum, n);
}

static void
run_uv (void)
{
  g_autofree char *size = g_strdup_printf ("%d", bench_options.workers);

  g_setenv ("UV_THREADPOOL_SIZE", size, TRUE);
  uv_jobs (WARM_UP);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      uv_jobs (bench_options.n);
      bench_stop ();
    }
}
#endif

/* The least a job with an object of its own can cost: that object, in one thread. All
 * are made before the first is dropped, as jobs are. */
static void
run_object (void)
{
  gpointer *objects = g_new0 (gpointer, bench_options.n);

  g_object_unref (g_object_new (BENCH_TYPE_OBJECT, NULL));
  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < bench_options.n; i++)
        objects[i] = g_object_new (BENCH_TYPE_OBJECT, NULL);
      for (int i = 0; i < bench_options.n; i++)
        g_object_unref (objects[i]);
      bench_stop ();
    }

  g_free (objects);
}

/* The work alone, in one thread. With w workers on w processors nothing can be faster
 * than a w-th of this. */
static void
run_work (void)
{
  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < bench_options.n; i++)
        bench_work ((guint64) i);
      bench_stop ();
    }
}

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur", run_concur },
    { "concur-owner", run_concur_owner },
    { "concur-loop", run_concur_loop },
    { "map-1", run_map_1 },
    { "map-64", run_map_64 },
    { "map-1-empty", run_map_1_empty },
    { "map-64-empty", run_map_64_empty },
    { "gtask", run_gtask },
    { "threadpool", run_threadpool },
    { "threadpool-queue", run_threadpool_queue },
#ifdef HAVE_UV
    { "libuv", run_uv },
#endif
    { "object", run_object },
    { "work", run_work },
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
