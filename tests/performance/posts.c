/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W3: --workers producers hand n functions to a thread that runs a loop. With a timer of
 * 1 ms in the same loop: how long it has to wait at worst. */

#include "bench.h"

#include <time.h>

#ifdef HAVE_UV
#include <uv.h>
#endif

#ifdef __linux__
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Posts before the clock starts. */
#define WARM_UP 1000

/* A post's data is its number, from 1. */
#define NUMBER(i) GINT_TO_POINTER ((i) + 1)

typedef void (*PostFunc) (gpointer number);
typedef void (*LoopFunc) (void);

/* The loop's thread. */
static struct
{
  int wanted, count;
  gint64 sum;
  LoopFunc all_there;

  guint wakeups;
  guint64 tick, gap;
  guint64 busy_at_tick, busy_gap;
} loop;

static GMainLoop *main_loop;

static void
arrived (gpointer number)
{
  bench_work ((guint64) GPOINTER_TO_INT (number));

  loop.sum += GPOINTER_TO_INT (number);
  if (++loop.count == loop.wanted)
    loop.all_there ();
}

/* Producers */

typedef struct
{
  PostFunc post;
  int first, step, n;
  BenchGate *gate;
} Producer;

static gpointer
produce (gpointer data)
{
  Producer *self = data;

  bench_gate_pass (self->gate);
  for (int i = self->first; i < self->n; i += self->step)
    self->post (NUMBER (i));

  return NULL;
}

static void
flood (PostFunc post,
       LoopFunc run_loop,
       int      n,
       gboolean measured)
{
  int n_producers = MIN (bench_options.workers, n);
  Producer *producers = g_new0 (Producer, n_producers);
  GThread **threads = g_new (GThread *, n_producers);
  BenchGate gate = { .waiting = 0 };

  g_mutex_init (&gate.lock);
  g_cond_init (&gate.cond);

  loop.wanted = n;
  loop.count = 0;
  loop.sum = 0;
  for (int i = 0; i < n_producers; i++)
    {
      producers[i] = (Producer) { post, i, n_producers, n, &gate };
      threads[i] = g_thread_new ("producer", produce, &producers[i]);
    }
  bench_gate_full (&gate, n_producers);

  if (measured)
    bench_start ();
  bench_gate_open (&gate);
  run_loop ();
  if (measured)
    bench_stop ();

  for (int i = 0; i < n_producers; i++)
    g_thread_join (threads[i]);
  bench_check_sum (loop.sum, n);
  g_mutex_clear (&gate.lock);
  g_cond_clear (&gate.cond);
  g_free (threads);
  g_free (producers);
}

static void
measure (PostFunc post,
         LoopFunc run_loop)
{
  flood (post, run_loop, WARM_UP, FALSE);
  loop.wakeups = 0;
  for (int i = 0; i < bench_options.repeat; i++)
    flood (post, run_loop, bench_options.n, TRUE);
}

/* GLib's loop, in the thread that measures */

static void
quit_main_loop (void)
{
  g_main_loop_quit (main_loop);
}

static void
run_main_loop (void)
{
  g_main_loop_run (main_loop);
}

/* Only what ends a sleep: with work at hand the loop looks at its files without. */
static gint
count_wakeups (GPollFD *fds,
               guint    n_fds,
               gint     timeout)
{
  gint ready = g_poll (fds, n_fds, timeout);

  if (timeout != 0 && ready > 0)
    loop.wakeups++;

  return ready;
}

static void
measure_main_loop (PostFunc post)
{
  bench_own_main_context ();
  g_main_context_set_poll_func (NULL, count_wakeups);
  main_loop = g_main_loop_new (NULL, FALSE);
  loop.all_there = quit_main_loop;

  measure (post, run_main_loop);
  bench_report ("wakeups",
                1000.0 * loop.wakeups / ((double) bench_options.n * bench_options.repeat));

  g_main_loop_unref (main_loop);
}

/* The timer */

/* How long this thread has had a processor: what is not the loop's fault is left out. */
static guint64
busy_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);

  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

static gboolean
tick (gpointer data)
{
  guint64 now = bench_now_ns (), busy = busy_ns ();

  loop.gap = MAX (loop.gap, now - loop.tick);
  loop.busy_gap = MAX (loop.busy_gap, busy - loop.busy_at_tick);
  loop.tick = now;
  loop.busy_at_tick = busy;

  return G_SOURCE_CONTINUE;
}

static void
run_main_loop_timed (void)
{
  loop.tick = bench_now_ns ();
  loop.busy_at_tick = busy_ns ();
  run_main_loop ();
  /* It may not have had a turn at all. */
  tick (NULL);
}

static void
measure_gap (PostFunc post)
{
  GSource *timer = g_timeout_source_new (1);

  g_source_set_callback (timer, tick, NULL, NULL);
  g_source_attach (timer, NULL);

  bench_own_main_context ();
  main_loop = g_main_loop_new (NULL, FALSE);
  loop.all_there = quit_main_loop;

  flood (post, run_main_loop_timed, WARM_UP, FALSE);
  loop.gap = loop.busy_gap = 0;
  for (int i = 0; i < bench_options.repeat; i++)
    flood (post, run_main_loop_timed, bench_options.n, TRUE);
  bench_report ("gap", (double) loop.gap / 1e6);
  bench_report ("busy_gap", (double) loop.busy_gap / 1e6);

  g_source_destroy (timer);
  g_source_unref (timer);
  g_main_loop_unref (main_loop);
}

/* concur-glib */

static ConcurExecutor *executor;

static void
post_concur (gpointer number)
{
  if (!concur_executor_post (executor, arrived, number, NULL))
    g_error ("refused");
}

static void
run_concur (void)
{
  executor = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  measure_main_loop (post_concur);
  g_object_unref (executor);
}

static void
run_concur_gap (void)
{
  executor = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  measure_gap (post_concur);
  g_object_unref (executor);
}

/* With the timer's own priority, as g_main_context_invoke () has it. */
static void
run_concur_gap_equal (void)
{
  executor = g_object_new (CONCUR_TYPE_CONTEXT_EXECUTOR, "priority", G_PRIORITY_DEFAULT, NULL);
  measure_gap (post_concur);
  g_object_unref (executor);
}

/* A LoopThread: this thread only waits. */

static struct
{
  GMutex lock;
  GCond cond;
  gboolean done;
} end;

static void
tell_end (void)
{
  g_mutex_lock (&end.lock);
  end.done = TRUE;
  g_cond_signal (&end.cond);
  g_mutex_unlock (&end.lock);
}

static void
await_end (void)
{
  g_mutex_lock (&end.lock);
  while (!end.done)
    g_cond_wait (&end.cond, &end.lock);
  end.done = FALSE;
  g_mutex_unlock (&end.lock);
}

static void
run_concur_thread (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("loop");
  GError *error = NULL;

  if (!concur_loop_thread_start (thread, &error))
    g_error ("%s", error->message);
  executor = CONCUR_EXECUTOR (thread);
  loop.all_there = tell_end;
  measure (post_concur, await_end);

  if (!concur_loop_thread_stop (thread, -1, &error))
    g_error ("%s", error->message);
  g_object_unref (thread);
}

/* g_main_context_invoke_full () */

static gboolean
invoked (gpointer number)
{
  arrived (number);

  return G_SOURCE_REMOVE;
}

static void
post_invoke (gpointer number)
{
  g_main_context_invoke_full (NULL, G_PRIORITY_DEFAULT, invoked, number, NULL);
}

static void
run_invoke (void)
{
  measure_main_loop (post_invoke);
}

static void
run_invoke_gap (void)
{
  measure_gap (post_invoke);
}

/* libuv's uv_async_send () only says that there is something: the queue is the caller's. */

#ifdef HAVE_UV
typedef struct _Node Node;

struct _Node
{
  Node *next;
  gpointer number;
};

static uv_async_t uv_bell;
static GMutex uv_lock;
static Node *uv_first, **uv_end = &uv_first;

static void
uv_rung (uv_async_t *bell)
{
  Node *node, *next;

  g_mutex_lock (&uv_lock);
  node = uv_first;
  uv_first = NULL;
  uv_end = &uv_first;
  g_mutex_unlock (&uv_lock);

  for (; node != NULL; node = next)
    {
      next = node->next;
      arrived (node->number);
      free (node);
    }
}

static void
post_uv (gpointer number)
{
  Node *node = malloc (sizeof *node);

  node->next = NULL;
  node->number = number;
  g_mutex_lock (&uv_lock);
  *uv_end = node;
  uv_end = &node->next;
  g_mutex_unlock (&uv_lock);
  uv_async_send (&uv_bell);
}

static void
stop_uv_loop (void)
{
  uv_stop (uv_default_loop ());
}

static void
run_uv_loop (void)
{
  uv_run (uv_default_loop (), UV_RUN_DEFAULT);
}

static void
run_uv (void)
{
  uv_async_init (uv_default_loop (), &uv_bell, uv_rung);
  loop.all_there = stop_uv_loop;
  measure (post_uv, run_uv_loop);
}
#endif

/* The limit: a stack that producers push onto and one thread takes whole, and a futex to
 * sleep on when there is nothing. */

#ifdef __linux__
typedef struct _Cell Cell;

struct _Cell
{
  Cell *next;
  gpointer number;
};

static _Atomic (Cell *) cells;
static _Atomic guint32 asleep;

static void
post_cell (gpointer number)
{
  Cell *cell = g_slice_new (Cell);

  cell->number = number;
  cell->next = atomic_load_explicit (&cells, memory_order_relaxed);
  while (!atomic_compare_exchange_weak (&cells, &cell->next, cell))
    ;
  if (atomic_load (&asleep) && atomic_exchange (&asleep, 0))
    syscall (SYS_futex, &asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void
run_cell_loop (void)
{
  while (loop.count < loop.wanted)
    {
      Cell *taken = atomic_exchange (&cells, NULL), *cell = NULL, *next;

      if (taken == NULL)
        {
          atomic_store (&asleep, 1);
          if (atomic_load (&cells) == NULL)
            syscall (SYS_futex, &asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
          atomic_store (&asleep, 0);
          continue;
        }

      /* Oldest first. */
      for (; taken != NULL; taken = next)
        {
          next = taken->next;
          taken->next = cell;
          cell = taken;
        }
      for (; cell != NULL; cell = next)
        {
          next = cell->next;
          arrived (cell->number);
          g_slice_free (Cell, cell);
        }
    }
}

static void
nothing (void)
{
}

static void
run_futex (void)
{
  loop.all_there = nothing;
  measure (post_cell, run_cell_loop);
}
#endif

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "concur", run_concur },
    { "concur-thread", run_concur_thread },
    { "concur-gap", run_concur_gap },
    { "concur-gap-equal", run_concur_gap_equal },
    { "invoke", run_invoke },
    { "invoke-gap", run_invoke_gap },
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
