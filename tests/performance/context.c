/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W2 into a main context: one job at a time, whose callback in a running main loop
 * submits the next. */

#include "bench.h"

#ifdef HAVE_UV
#include <uv.h>
#endif

#ifdef __linux__
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#endif

/* Until processors, caches and threads have settled. */
#define WARM_UP 100

typedef void (*StartFunc) (gpointer data);
typedef void (*LoopFunc) (void);

static struct
{
  StartFunc start;
  gpointer data;
  guint64 from;
  int left;
  gboolean measured;
} trip;

static GMainLoop *main_loop;

static void
trip_start (void)
{
  trip.from = bench_now_ns ();
  trip.start (trip.data);
}

/* In the loop, with what the job answered. */
static void
trip_done (gint64 answer)
{
  if (answer != 1)
    g_error ("wrong answer");
  if (trip.measured)
    bench_sample (bench_now_ns () - trip.from);

  if (--trip.left > 0)
    trip_start ();
  else if (main_loop != NULL)
    g_main_loop_quit (main_loop);
}

static void
run_main_loop (void)
{
  g_main_loop_run (main_loop);
}

static void
run_trips (LoopFunc run_loop,
           int      n,
           gboolean measured)
{
  trip.left = n;
  trip.measured = measured;
  trip_start ();
  run_loop ();
  if (trip.left != 0)
    g_error ("%d round trips are missing", trip.left);
}

static void
measure_with (LoopFunc  run_loop,
              StartFunc start,
              gpointer  data)
{
  trip.start = start;
  trip.data = data;

  run_trips (run_loop, WARM_UP, FALSE);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      run_trips (run_loop, bench_options.n, TRUE);
      bench_stop ();
    }
}

static void
measure (StartFunc start,
         gpointer  data)
{
  /* The first job is submitted before the loop runs. */
  bench_own_main_context ();
  main_loop = g_main_loop_new (NULL, FALSE);
  measure_with (run_main_loop, start, data);
  g_main_loop_unref (main_loop);
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
  trip_done (concur_future_get_int64 (future, NULL));
}

static void
concur_start (gpointer executor)
{
  ConcurFuture *future = concur_executor_submit (executor, answer, NULL, NULL, NULL);

  concur_future_when_done (future, when_done, NULL, NULL, NULL);
  g_object_unref (future);
}

static void
run_concur (void)
{
  ConcurExecutor *executor = bench_executor_new ();

  measure (concur_start, executor);
  bench_executor_end (executor);
}

static void
await_done (GObject      *source_object,
            GAsyncResult *result,
            gpointer      user_data)
{
  ConcurFuture *future = CONCUR_FUTURE (source_object);

  trip_done (g_value_get_int64 (concur_future_wait_finish (future, result, NULL)));
}

static void
concur_await_start (gpointer executor)
{
  ConcurFuture *future = concur_executor_submit (executor, answer, NULL, NULL, NULL);

  concur_future_wait_async (future, NULL, await_done, NULL);
  g_object_unref (future);
}

/* As languages with await do it: each wait is a GTask. */
static void
run_concur_await (void)
{
  ConcurExecutor *executor = bench_executor_new ();

  measure (concur_await_start, executor);
  bench_executor_end (executor);
}

/* GTask */

static void
task_func (GTask        *task,
           gpointer      source_object,
           gpointer      task_data,
           GCancellable *cancellable)
{
  g_task_return_int (task, 1);
}

static void
task_ready (GObject      *source_object,
            GAsyncResult *result,
            gpointer      user_data)
{
  trip_done (g_task_propagate_int (G_TASK (result), NULL));
}

static void
gtask_start (gpointer data)
{
  GTask *task = g_task_new (NULL, NULL, task_ready, NULL);

  g_task_run_in_thread (task, task_func);
  g_object_unref (task);
}

static void
run_gtask (void)
{
  measure (gtask_start, NULL);
}

/* GThreadPool and g_main_context_invoke () */

static gboolean
invoked (gpointer data)
{
  trip_done (GPOINTER_TO_INT (data));

  return G_SOURCE_REMOVE;
}

static void
pool_func (gpointer data,
           gpointer user_data)
{
  g_main_context_invoke (NULL, invoked, data);
}

static void
pool_start (gpointer pool)
{
  g_thread_pool_push (pool, GINT_TO_POINTER (1), NULL);
}

static void
run_threadpool (void)
{
  GThreadPool *pool = g_thread_pool_new (pool_func, NULL, bench_options.workers, TRUE, NULL);

  measure (pool_start, pool);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* libuv: its loop instead of GLib's. */

#ifdef HAVE_UV
static uv_work_t uv_request;

static void
uv_func (uv_work_t *request)
{
  request->data = request;
}

static void
uv_ready (uv_work_t *request,
          int        status)
{
  trip_done (request->data == request);
}

static void
uv_start (gpointer data)
{
  uv_request.data = NULL;
  uv_queue_work (uv_default_loop (), &uv_request, uv_func, uv_ready);
}

static void
run_uv_loop (void)
{
  uv_run (uv_default_loop (), UV_RUN_DEFAULT);
}

static void
run_uv (void)
{
  g_autofree char *size = g_strdup_printf ("%d", bench_options.workers);

  g_setenv ("UV_THREADPOOL_SIZE", size, TRUE);
  measure_with (run_uv_loop, uv_start, NULL);
}
#endif

/* The limit: a thread that sleeps in read () as a worker without work might, one that
 * sleeps in poll () as a main loop does, and nothing else. */

#ifdef __linux__
static int ping, pong;

static void
put (int     fd,
     guint64 value)
{
  if (write (fd, &value, sizeof value) != sizeof value)
    g_error ("write: %s", g_strerror (errno));
}

static guint64
get (int fd)
{
  guint64 value;

  if (read (fd, &value, sizeof value) != sizeof value)
    g_error ("read: %s", g_strerror (errno));

  return value;
}

static gpointer
eventfd_thread (gpointer data)
{
  while (get (ping) == 1)
    put (pong, 1);

  return NULL;
}

static void
eventfd_start (gpointer data)
{
  put (ping, 1);
}

static void
run_eventfd_loop (void)
{
  struct pollfd sleeper = { .fd = pong, .events = POLLIN };

  while (trip.left > 0)
    {
      if (poll (&sleeper, 1, -1) != 1)
        g_error ("poll: %s", g_strerror (errno));
      trip_done ((gint64) get (pong));
    }
}

static void
run_eventfd (void)
{
  GThread *thread;

  ping = eventfd (0, EFD_CLOEXEC);
  pong = eventfd (0, EFD_CLOEXEC);
  if (ping < 0 || pong < 0)
    bench_skip ("no eventfd");

  thread = g_thread_new ("pong", eventfd_thread, NULL);
  measure_with (run_eventfd_loop, eventfd_start, NULL);

  put (ping, 2);
  g_thread_join (thread);
  close (ping);
  close (pong);
}
#endif

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur", run_concur },
    { "concur-await", run_concur_await },
    { "gtask", run_gtask },
    { "threadpool", run_threadpool },
#ifdef HAVE_UV
    { "libuv", run_uv },
#endif
#ifdef __linux__
    { "eventfd", run_eventfd },
#endif
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
