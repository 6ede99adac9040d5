/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W2: one job at a time; the thread that wants the result blocks until it is there. */

#include "bench.h"

#ifdef HAVE_UV
#include <uv.h>
#endif

#ifdef __linux__
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Until processors, caches and threads have settled. */
#define WARM_UP 100

typedef void (*RoundTrip) (gpointer data);

static void
measure (RoundTrip go,
         gpointer  data)
{
  for (int i = 0; i < WARM_UP; i++)
    go (data);

  for (int k = 0; k < bench_options.repeat; k++)
    {
      bench_start ();
      for (int i = 0; i < bench_options.n; i++)
        {
          guint64 start = bench_now_ns ();

          go (data);
          bench_sample (bench_now_ns () - start);
        }
      bench_stop ();
    }
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
concur_round_trip (gpointer data)
{
  ConcurFuture *future = concur_executor_submit (data, answer, NULL, NULL, NULL);

  concur_future_wait (future, -1);
  if (concur_future_get_int64 (future, NULL) != 1)
    g_error ("wrong answer");
  g_object_unref (future);
}

static void
run_concur (void)
{
  ConcurExecutor *executor = bench_executor_new ();

  measure (concur_round_trip, executor);
  bench_executor_end (executor);
}

/* From a thread whose home is the main context. */
static void
run_concur_owner (void)
{
  bench_own_main_context ();
  run_concur ();
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
gtask_round_trip (gpointer data)
{
  GTask *task = g_task_new (NULL, NULL, NULL, NULL);

  g_task_run_in_thread_sync (task, task_func);
  if (g_task_propagate_int (task, NULL) != 1)
    g_error ("wrong answer");
  g_object_unref (task);
}

static void
run_gtask (void)
{
  measure (gtask_round_trip, NULL);
}

/* GThreadPool, with a lock and a condition of the caller's */

typedef struct
{
  GMutex lock;
  GCond  cond;
  int    result;
} Meeting;

static void
pool_func (gpointer data,
           gpointer user_data)
{
  Meeting *meeting = data;

  g_mutex_lock (&meeting->lock);
  meeting->result = 1;
  g_cond_signal (&meeting->cond);
  g_mutex_unlock (&meeting->lock);
}

static void
pool_round_trip (gpointer data)
{
  static Meeting meeting;

  meeting.result = 0;
  g_thread_pool_push (data, &meeting, NULL);

  g_mutex_lock (&meeting.lock);
  while (meeting.result == 0)
    g_cond_wait (&meeting.cond, &meeting.lock);
  g_mutex_unlock (&meeting.lock);
}

static void
run_threadpool (void)
{
  GThreadPool *pool = g_thread_pool_new (pool_func, NULL, bench_options.workers, TRUE, NULL);

  measure (pool_round_trip, pool);
  g_thread_pool_free (pool, FALSE, TRUE);
}

/* libuv has no blocked wait; running its loop until the one request is done is the
 * nearest thing. */

#ifdef HAVE_UV
static void
uv_func (uv_work_t *request)
{
  request->data = request;
}

static void
uv_ready (uv_work_t *request,
          int        status)
{
}

static void
uv_round_trip (gpointer data)
{
  uv_work_t request = { .data = NULL };

  uv_queue_work (uv_default_loop (), &request, uv_func, uv_ready);
  uv_run (uv_default_loop (), UV_RUN_DEFAULT);
  if (request.data != &request)
    g_error ("wrong answer");
}

static void
run_uv (void)
{
  g_autofree char *size = g_strdup_printf ("%d", bench_options.workers);

  g_setenv ("UV_THREADPOOL_SIZE", size, TRUE);
  measure (uv_round_trip, NULL);
}
#endif

/* The limit: two threads that wake each other through two words, and nothing else. */

#ifdef __linux__
/* Each in a cache line of its own. */
static struct
{
  _Alignas (64) _Atomic guint32 ping;
  _Alignas (64) _Atomic guint32 pong;
} words;

static void
sleep_until_set (_Atomic guint32 *word)
{
  while (atomic_load (word) == 0)
    syscall (SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void
set_and_wake (_Atomic guint32 *word,
              guint32          value)
{
  atomic_store (word, value);
  syscall (SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static gpointer
futex_thread (gpointer data)
{
  do
    sleep_until_set (&words.ping);
  while (atomic_exchange (&words.ping, 0) == 1 && (set_and_wake (&words.pong, 1), TRUE));

  return NULL;
}

static void
futex_round_trip (gpointer data)
{
  set_and_wake (&words.ping, 1);
  sleep_until_set (&words.pong);
  atomic_store (&words.pong, 0);
}

static void
run_futex (void)
{
  GThread *thread = g_thread_new ("pong", futex_thread, NULL);

  measure (futex_round_trip, NULL);

  set_and_wake (&words.ping, 2);
  g_thread_join (thread);
}
#endif

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur", run_concur },
    { "concur-owner", run_concur_owner },
    { "gtask", run_gtask },
    { "threadpool", run_threadpool },
#ifdef HAVE_UV
    { "libuv", run_uv },
#endif
#ifdef __linux__
    { "futex", run_futex },
#endif
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
