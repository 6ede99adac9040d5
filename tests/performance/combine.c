/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W4: a future of n futures, and a chain of n links. Nothing runs in a pool: promises
 * are resolved by hand, all in one thread. */

#include "bench.h"

#include <pthread.h>

/* A 32nd of what a thread mostly has: a chain that recurses is found out soon. */
#define SMALL_STACK (256 * 1024)

/* Futures before the clock starts. */
#define WARM_UP 1000

static int hits;

static void
iterate_until (int count)
{
  while (hits < count)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

/* Freeing is part of what is measured: it must not be left for later. */
static gpointer watched[2];

static void
watch (gpointer first,
       gpointer last)
{
  watched[0] = first;
  watched[1] = last;
  g_object_add_weak_pointer (first, &watched[0]);
  g_object_add_weak_pointer (last, &watched[1]);
}

static void
check_freed (void)
{
  if (watched[0] != NULL || watched[1] != NULL)
    g_error ("not all is freed");
}

static void
repeat (void (*go) (int n),
        int    warm_up)
{
  go (warm_up);
  for (int i = 0; i < bench_options.repeat; i++)
    {
      bench_start ();
      go (bench_options.n);
      bench_stop ();
    }
}

/* Each link adds 1. */
static void
check_chain (gint64 answer,
             int    n)
{
  if (hits != n || answer != n)
    g_error ("%d links of %d answered %" G_GINT64_FORMAT, hits, n, answer);
}

/* concur-glib */

static void
all_done (ConcurFuture *future,
          gpointer      user_data)
{
  GListModel *list = G_LIST_MODEL (concur_future_dup_object (future, NULL));

  hits = (int) g_list_model_get_n_items (list);
  g_object_unref (list);
}

static void
concur_all (int n)
{
  ConcurPromise **promises = g_new (ConcurPromise *, n);
  ConcurFuture **futures = g_new (ConcurFuture *, n);
  ConcurFuture *all;

  hits = 0;
  for (int i = 0; i < n; i++)
    {
      promises[i] = concur_promise_new ();
      futures[i] = concur_promise_get_future (promises[i]);
    }

  watch (futures[0], futures[n - 1]);

  all = concur_future_all (futures, (guint) n);
  concur_future_when_done (all, all_done, NULL, NULL, NULL);

  for (int i = 0; i < n - 1; i++)
    concur_promise_resolve_int64 (promises[i], i + 1);
  if (concur_future_is_done (all))
    g_error ("done before the last");
  concur_promise_resolve_int64 (promises[n - 1], n);
  iterate_until (1);
  if (hits != n)
    g_error ("%d futures instead of %d", hits, n);

  for (int i = 0; i < n; i++)
    g_object_unref (promises[i]);
  g_object_unref (all);
  check_freed ();
  g_free (promises);
  g_free (futures);
}

static void
run_concur_all (void)
{
  bench_own_main_context ();
  repeat (concur_all, WARM_UP);
}

/* An executor that keeps its jobs until it is told to run one: a job is its own future,
 * one object as a GTask is. */

#define BENCH_TYPE_SHELF (bench_shelf_get_type ())
G_DECLARE_FINAL_TYPE (BenchShelf, bench_shelf, BENCH, SHELF, GObject)

struct _BenchShelf
{
  GObject parent_instance;

  GPtrArray *jobs;
};

static void
shelf_execute (ConcurExecutor *executor,
               ConcurJob      *job)
{
  g_ptr_array_add (BENCH_SHELF (executor)->jobs, g_object_ref (job));
}

static ConcurFuture *
shelf_shutdown (ConcurExecutor    *executor,
                ConcurShutdownMode mode)
{
  g_assert_not_reached ();
}

static void
shelf_executor_init (ConcurExecutorInterface *iface)
{
  iface->execute = shelf_execute;
  iface->shutdown = shelf_shutdown;
}

G_DEFINE_TYPE_WITH_CODE (BenchShelf, bench_shelf, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, shelf_executor_init))

static void
bench_shelf_finalize (GObject *object)
{
  g_ptr_array_unref (BENCH_SHELF (object)->jobs);
  G_OBJECT_CLASS (bench_shelf_parent_class)->finalize (object);
}

static void
bench_shelf_class_init (BenchShelfClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = bench_shelf_finalize;
}

static void
bench_shelf_init (BenchShelf *self)
{
  self->jobs = g_ptr_array_new_with_free_func (g_object_unref);
}

static gboolean
answer (ConcurJob  *job,
        gpointer    user_data,
        GError    **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
concur_jobs_all (int n)
{
  BenchShelf *shelf = g_object_new (BENCH_TYPE_SHELF, NULL);
  ConcurFuture **futures = g_new (ConcurFuture *, n);
  ConcurFuture *all;

  hits = 0;
  for (int i = 0; i < n; i++)
    futures[i] = concur_executor_submit (CONCUR_EXECUTOR (shelf), answer, NULL, NULL, NULL);

  watch (futures[0], futures[n - 1]);

  all = concur_future_all (futures, (guint) n);
  concur_future_when_done (all, all_done, NULL, NULL, NULL);

  for (int i = 0; i < n - 1; i++)
    concur_job_execute (g_ptr_array_index (shelf->jobs, i));
  if (concur_future_is_done (all))
    g_error ("done before the last");
  concur_job_execute (g_ptr_array_index (shelf->jobs, n - 1));
  iterate_until (1);
  if (hits != n)
    g_error ("%d futures instead of %d", hits, n);

  for (int i = 0; i < n; i++)
    g_object_unref (futures[i]);
  g_object_unref (all);
  g_object_unref (shelf);
  /* A job comes home to go; a program's main loop sees to that. */
  concur_release_pending ();
  check_freed ();
  g_free (futures);
}

static void
run_concur_jobs_all (void)
{
  bench_own_main_context ();
  repeat (concur_jobs_all, WARM_UP);
}

static gboolean
add_one (ConcurJob     *job,
         ConcurFuture  *input,
         gpointer       user_data,
         GError       **error)
{
  concur_job_return_int64 (job, concur_future_get_int64 (input, error) + 1);
  hits++;

  return TRUE;
}

static void
chain_done (ConcurFuture *future,
            gpointer      user_data)
{
  gint64 *answer = user_data;

  *answer = concur_future_get_int64 (future, NULL);
}

static void
concur_chain (int n)
{
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *last = g_object_ref (concur_promise_get_future (promise));
  gint64 answer = -1;

  hits = 0;
  for (int i = 0; i < n; i++)
    {
      ConcurFuture *next = concur_future_continue_with (last, add_one, NULL, NULL, NULL);

      g_object_unref (last);
      last = next;
    }
  watch (concur_promise_get_future (promise), last);
  concur_future_when_done (last, chain_done, &answer, NULL, NULL);

  concur_promise_resolve_int64 (promise, 0);
  g_object_unref (promise);
  while (answer < 0)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
  check_chain (answer, n);

  g_object_unref (last);
  concur_release_pending ();
  check_freed ();
}

static void *
chain_thread (void *data)
{
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  repeat (concur_chain, WARM_UP);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  return NULL;
}

/* In a thread with a small stack, which has a main context. */
static void
run_concur_chain (void)
{
  pthread_attr_t attr;
  pthread_t thread;

  pthread_attr_init (&attr);
  if (pthread_attr_setstacksize (&attr, SMALL_STACK) != 0
      || pthread_create (&thread, &attr, chain_thread, NULL) != 0)
    bench_skip ("no thread with a small stack");
  pthread_attr_destroy (&attr);
  pthread_join (thread, NULL);
}

/* GTask. All: it has nothing for this; the callbacks count down. */

static int left;

static void
countdown_ready (GObject      *source_object,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  if (g_task_propagate_int (G_TASK (result), NULL) < 1)
    g_error ("wrong answer");
  if (--left == 0)
    hits++;
}

static void
gtask_all (int n)
{
  GTask **tasks = g_new (GTask *, n);

  hits = 0;
  left = n;
  for (int i = 0; i < n; i++)
    tasks[i] = g_task_new (NULL, NULL, countdown_ready, NULL);
  watch (tasks[0], tasks[n - 1]);
  for (int i = 0; i < n; i++)
    g_task_return_int (tasks[i], i + 1);
  iterate_until (1);

  for (int i = 0; i < n; i++)
    g_object_unref (tasks[i]);
  check_freed ();
  g_free (tasks);
}

static void
run_gtask_all (void)
{
  bench_own_main_context ();
  repeat (gtask_all, WARM_UP);
}

/* Chain: each callback returns the next task, as a foo_async () that calls bar_async ()
 * does. GTask then completes the next one from within the return: a long chain fills the
 * stack, and with 8 MiB ends between 100 000 and 150 000 links. */

static gint64 chain_answer;

static void
link_ready (GObject      *source_object,
            GAsyncResult *result,
            gpointer      user_data)
{
  GTask *next = user_data;
  gssize answer = g_task_propagate_int (G_TASK (result), NULL);

  if (next == NULL)
    {
      chain_answer = answer;
      return;
    }

  hits++;
  g_task_return_int (next, answer + 1);
  g_object_unref (next);
}

static void
gtask_chain (int n)
{
  GTask *first = NULL;

  hits = 0;
  chain_answer = -1;
  for (int i = 0; i <= n; i++)
    first = g_task_new (NULL, NULL, link_ready, first);
  g_task_return_int (first, 0);
  g_object_unref (first);

  while (chain_answer < 0)
    g_main_context_iteration (NULL, TRUE);
  check_chain (chain_answer, n);
}

static void
run_gtask_chain (void)
{
  bench_own_main_context ();
  repeat (gtask_chain, WARM_UP);
}

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur-all", run_concur_all },
    { "concur-jobs-all", run_concur_jobs_all },
    { "concur-chain", run_concur_chain },
    { "gtask-all", run_gtask_all },
    { "gtask-chain", run_gtask_chain },
    { NULL }
  };

  return bench_main (argc, argv, cases);
}
