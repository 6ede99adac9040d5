/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The release rule: what was submitted, and the library's last reference to the job, are
 * let go where the submitter is at home. Each job here has all three of them watched: its
 * user data, its cancellable, and, by the value that goes with it, its last reference. */

#include "test-workers.h"

#define N_JOBS 100000

/* Jobs that wait to be let go at a time: memory stays flat. */
#define BURST 500

enum
{
  VALUE,
  USER_DATA,
  CANCELLABLE,
  N_KINDS
};

typedef struct
{
  gint released[N_KINDS]; /* atomic */
  gint wrong[N_KINDS];    /* atomic */
} Tally;

/* One job's. */
typedef struct
{
  Tally *tally;
  GThread *thread;        /* where to be let go, NULL: anywhere */
  GMainContext *context;  /* owned by that thread then, NULL: no matter */
  gint refs;              /* one for each kind */
} Track;

static void
track_released (Track *track,
                int    kind)
{
  if ((track->thread != NULL && track->thread != g_thread_self ())
      || (track->context != NULL && !g_main_context_is_owner (track->context)))
    g_atomic_int_inc (&track->tally->wrong[kind]);
  g_atomic_int_inc (&track->tally->released[kind]);

  if (g_atomic_int_dec_and_test (&track->refs))
    g_free (track);
}

static void
user_data_released (gpointer track)
{
  track_released (track, USER_DATA);
}

static void
value_released (gpointer  track,
                GObject  *value)
{
  track_released (track, VALUE);
}

static void
cancellable_released (gpointer  track,
                      GObject  *cancellable)
{
  track_released (track, CANCELLABLE);
}

static gboolean
return_value (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  g_autoptr (GObject) value = g_object_new (G_TYPE_OBJECT, NULL);

  g_object_weak_ref (value, value_released, data);
  concur_job_return_object (job, value);

  return TRUE;
}

/* Submits from the calling thread, which is the one to let go of it all, and keeps
 * nothing. */
static void
submit_tracked (ConcurExecutor *executor,
                Tally          *tally,
                GThread        *thread,
                GMainContext   *context)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;
  Track *track = g_new0 (Track, 1);

  track->tally = tally;
  track->thread = thread;
  track->context = context;
  track->refs = N_KINDS;
  g_object_weak_ref (G_OBJECT (cancellable), cancellable_released, track);

  future = concur_executor_submit (executor, return_value, track, user_data_released, cancellable);
}

static guint
tally_count (Tally *tally)
{
  guint least = G_MAXUINT;

  for (int kind = 0; kind < N_KINDS; kind++)
    {
      /* Read once: MIN () evaluates its arguments twice. */
      guint released = g_atomic_int_get (&tally->released[kind]);

      least = MIN (least, released);
    }

  return least;
}

static void
assert_tally (Tally *tally,
              guint  n)
{
  for (int kind = 0; kind < N_KINDS; kind++)
    {
      g_assert_cmpint (g_atomic_int_get (&tally->wrong[kind]), ==, 0);
      g_assert_cmpint (g_atomic_int_get (&tally->released[kind]), ==, n);
    }
}

/* The global default context, run by the thread that submits. */
typedef struct
{
  ConcurExecutor *executor;
  Tally tally;
  guint n;
  guint submitted;
  GMainContext *context;
} Loop;

static gboolean
submit_burst (gpointer data)
{
  Loop *loop = data;

  if (loop->submitted < loop->n && loop->submitted < tally_count (&loop->tally) + BURST)
    {
      submit_tracked (loop->executor, &loop->tally, g_thread_self (), loop->context);
      loop->submitted++;
    }

  return G_SOURCE_CONTINUE;
}

static void
test_main_loop (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  Loop loop = { .executor = executor, .n = test_scaled (N_JOBS), .context = g_main_context_default () };
  guint source = g_idle_add (submit_burst, &loop);

  test_iterate_until (NULL, tally_count (&loop.tally) == loop.n);
  g_source_remove (source);

  assert_tally (&loop.tally, loop.n);
  test_executor_end (g_steal_pointer (&executor));
}

static void
submit_without_loop (ConcurExecutor *executor,
                     Tally          *tally,
                     guint           n)
{
  for (guint i = 0; i < n; i++)
    {
      submit_tracked (executor, tally, g_thread_self (), NULL);
      if (i % BURST == 0)
        test_wait_until (tally_count (tally) + BURST > i);
    }
  test_wait_until (tally_count (tally) == n);
}

static void
test_no_loop (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  guint n = test_scaled (N_JOBS);
  Tally tally = { 0 };

  submit_without_loop (executor, &tally, n);
  assert_tally (&tally, n);
  test_executor_end (g_steal_pointer (&executor));
}

typedef struct
{
  ConcurExecutor *executor;
  Tally tally;
  guint n;
} Plain;

static gpointer
plain_thread (gpointer data)
{
  Plain *plain = data;

  submit_without_loop (plain->executor, &plain->tally, plain->n);

  return NULL;
}

static void
test_no_loop_in_thread (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  Plain plain = { .executor = executor, .n = test_scaled (N_JOBS) };

  g_thread_join (g_thread_new ("plain", plain_thread, &plain));
  assert_tally (&plain.tally, plain.n);
  test_executor_end (g_steal_pointer (&executor));
}

static gpointer
submit_and_end (gpointer data)
{
  Plain *plain = data;

  for (guint i = 0; i < BURST; i++)
    submit_tracked (plain->executor, &plain->tally, NULL, NULL);

  return NULL;
}

/* Nobody is left at home: whoever is last lets go, on any thread, and nothing is lost. */
static void
test_thread_ended (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  Plain plain = { .executor = executor };
  guint n = MAX (test_scaled (N_JOBS) / BURST, 2) * BURST;

  for (plain.n = 0; plain.n < n; plain.n += BURST)
    {
      gboolean late = plain.n / BURST % 2;

      /* Half of the jobs run after the thread has gone, half while it goes. */
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), late);
      g_thread_join (g_thread_new ("short", submit_and_end, &plain));
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
      test_wait_until (tally_count (&plain.tally) == plain.n + BURST);
    }

  assert_tally (&plain.tally, n);
  test_executor_end (g_steal_pointer (&executor));
}

/* A thread has a context of its own, which is its home, but has stopped running it: the
 * thread's own waits serve it. */
static gpointer
thread_with_stopped_loop (gpointer data)
{
  Plain *plain = data;
  GMainContext *context = g_main_context_new ();
  Loop loop = { .executor = plain->executor, .n = plain->n / 2, .context = context };
  GSource *source = g_idle_source_new ();
  guint i;

  g_main_context_push_thread_default (context);

  g_source_set_callback (source, submit_burst, &loop, NULL);
  g_source_attach (source, context);
  g_source_unref (source);
  test_iterate_until (context, loop.submitted == loop.n);

  /* From here on nobody runs the context. */
  test_wait_until (tally_count (&loop.tally) == loop.n);
  assert_tally (&loop.tally, loop.n);

  for (i = loop.n; i < plain->n; i++)
    {
      submit_tracked (plain->executor, &plain->tally, g_thread_self (), context);
      if (i % BURST == 0)
        test_wait_until (tally_count (&plain->tally) + BURST > i - loop.n);
    }
  test_wait_until (tally_count (&plain->tally) == plain->n - loop.n);
  assert_tally (&plain->tally, plain->n - loop.n);

  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  return NULL;
}

static void
test_loop_stopped (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  Plain plain = { .executor = executor, .n = test_scaled (N_JOBS) };
  guint homes = test_homes_alive ();

  g_thread_join (g_thread_new ("stopped", thread_with_stopped_loop, &plain));
  test_executor_end (g_steal_pointer (&executor));
  g_assert_cmpuint (test_homes_alive (), <=, homes);
}

/* A worker submits: it is at home on itself, even while it sleeps. */
typedef struct
{
  ConcurExecutor *executor;
  Tally *tally;
} Nested;

static gboolean
submit_nested (ConcurJob  *job,
               gpointer    data,
               GError    **error)
{
  Nested *nested = data;

  submit_tracked (nested->executor, nested->tally, g_thread_self (), NULL);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
test_nested (void)
{
  g_autoptr (ConcurExecutor) executor = NULL;
  guint n = test_scaled (N_JOBS);
  Tally tally = { 0 };
  Nested nested;

  /* The workers stay: one that has gone is at home nowhere. */
  executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 3,
                           "keep-alive", G_GINT64_CONSTANT (-1), NULL);
  nested.executor = executor;
  nested.tally = &tally;

  for (guint i = 0; i < n; i++)
    {
      g_object_unref (test_submit (executor, submit_nested, &nested));
      if (i % BURST == 0)
        test_wait_until (tally_count (&tally) + BURST > i);
    }
  test_wait_until (tally_count (&tally) == n);

  assert_tally (&tally, n);
  test_executor_end (g_steal_pointer (&executor));
}

static void
test_release_on_worker (void)
{
  g_autoptr (ConcurExecutor) executor = NULL;
  Tally tally = { 0 };

  executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                           "release", CONCUR_RELEASE_WORKER, NULL);
  for (guint i = 0; i < BURST; i++)
    submit_tracked (executor, &tally, NULL, NULL);

  /* This thread does nothing for it. */
  while (tally_count (&tally) < BURST)
    g_thread_yield ();
  g_assert_cmpuint (concur_release_pending (), ==, 0);
  assert_tally (&tally, BURST);
  test_executor_end (g_steal_pointer (&executor));
}

static void
test_release_pending (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Tally tally = { 0 };
  guint released = 0;

  /* Submitting lets go of what is done, too. */
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  for (guint i = 0; i < 10; i++)
    submit_tracked (executor, &tally, g_thread_self (), NULL);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);

  while (tally_count (&tally) < 10)
    {
      released += concur_release_pending ();
      g_thread_yield ();
    }

  g_assert_cmpuint (released, ==, 10);
  assert_tally (&tally, 10);
  g_assert_cmpuint (concur_release_pending (), ==, 0);
  test_executor_end (g_steal_pointer (&executor));
}

/* main () often submits before it runs its loop. */
static void
test_loop_runs_later (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Tally tally = { 0 };

  g_assert_false (g_main_context_is_owner (g_main_context_default ()));
  submit_tracked (executor, &tally, g_thread_self (), NULL);
  while (test_snapshot (executor, n_completed) < 1)
    g_thread_yield ();
  g_assert_cmpuint (tally_count (&tally), ==, 0);

  test_iterate_until (NULL, tally_count (&tally) == 1);
  assert_tally (&tally, 1);
  test_executor_end (g_steal_pointer (&executor));
}

/* What lies in a context that nobody runs does not keep it. */
static void
test_context_dropped (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  guint homes = test_homes_alive ();
  Tally tally = { 0 };

  for (guint round = 1; round <= 20; round++)
    {
      GMainContext *context = g_main_context_new ();

      /* In odd rounds the jobs come home to a context that has been dropped. */
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), round % 2);
      g_main_context_push_thread_default (context);
      for (guint i = 0; i < 50; i++)
        submit_tracked (executor, &tally, NULL, NULL);
      g_main_context_pop_thread_default (context);
      g_main_context_unref (context);
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);

      while (tally_count (&tally) < round * 50)
        g_thread_yield ();
    }

  assert_tally (&tally, 20 * 50);
  test_executor_end (g_steal_pointer (&executor));
  /* This thread may remember the last one. */
  g_assert_cmpuint (test_homes_alive (), <=, homes + 1);
}

typedef struct
{
  ConcurExecutor *executor;
  guint left;
  guint depth, deepest;
} Chain;

/* A destroy notify may use the library, and run a loop. */
static void
chain_released (gpointer data)
{
  Chain *chain = data;
  g_autoptr (ConcurFuture) future = NULL;

  chain->depth++;
  chain->deepest = MAX (chain->deepest, chain->depth);
  if (chain->left-- > 1)
    {
      future = concur_executor_submit (chain->executor, test_one_job, chain, chain_released, NULL);
      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  chain->depth--;
}

static void
test_release_reenters (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Chain chain = { .executor = executor, .left = 1000 };

  g_object_unref (concur_executor_submit (executor, test_one_job, &chain, chain_released, NULL));
  test_wait_until (chain.left == 0 && chain.depth == 0);

  /* It was let go one after the other, not one inside the other. */
  g_assert_cmpuint (chain.deepest, ==, 1);
  test_executor_end (g_steal_pointer (&executor));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/home/loop-runs-later", test_loop_runs_later);
  g_test_add_func ("/home/main-loop", test_main_loop);
  g_test_add_func ("/home/no-loop", test_no_loop);
  g_test_add_func ("/home/no-loop-in-thread", test_no_loop_in_thread);
  g_test_add_func ("/home/thread-ended", test_thread_ended);
  g_test_add_func ("/home/loop-stopped", test_loop_stopped);
  g_test_add_func ("/home/nested", test_nested);
  g_test_add_func ("/home/release-on-worker", test_release_on_worker);
  g_test_add_func ("/home/release-pending", test_release_pending);
  g_test_add_func ("/home/context-dropped", test_context_dropped);
  g_test_add_func ("/home/release-reenters", test_release_reenters);

  return test_run ();
}
