/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The edges of the release rule: homes that move, stop and go, and that nothing of them
 * is left. test-home.c has the rule itself. */

#include "config.h"

#include "test-workers.h"

#define N_JOBS 100000

/* Jobs under way at a time. */
#define BURST 500

/* What one submission gives to let go of: user data, cancellable and value. */
#define PER_JOB 3

/* Submits from the calling thread and keeps nothing. */

static gboolean
value_job (ConcurJob *job,
           gpointer   data,
           GError   **error)
{
  g_autoptr (GObject) value = g_object_new (G_TYPE_OBJECT, NULL);

  test_releases_watch (data, value);
  concur_job_return_object (job, value);

  return TRUE;
}

static void
submit_watched (ConcurExecutor *executor,
                TestReleases   *releases)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  test_releases_watch (releases, cancellable);
  g_object_unref (concur_executor_submit (executor, value_job, releases, test_released, cancellable));
}

static ConcurExecutor *
paused_new (void)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused", TRUE, NULL);
}

/* Lets all that is queued run, and waits until it has. */
static void
run_queued (ConcurExecutor *executor)
{
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_executor_end (executor);
}

/* The work of a thread with a main loop. */
typedef struct
{
  ConcurExecutor *executor;
  TestReleases releases;
  guint n;
  guint submitted;
} There;

static void
expect_in (There    *there,
           TestLoop *loop)
{
  there->releases.thread = test_loop_get_thread (loop);
  there->releases.context = test_loop_get_context (loop);
}

static void
submit_n (gpointer data)
{
  There *self = data;
  guint i;

  for (i = 0; i < self->n; i++)
    submit_watched (self->executor, &self->releases);
  self->submitted += self->n;
}

/* A loop that runs, on a thread that is not the first. */
static void
test_loop_on_thread (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  TestLoop *loop = test_loop_new ();
  There there = { .executor = executor, .n = BURST };
  guint n = MAX (test_scaled (N_JOBS) / BURST, 1) * BURST;

  expect_in (&there, loop);
  while (there.submitted < n)
    {
      test_loop_call (loop, submit_n, &there);
      test_wait_until (test_releases_get (&there.releases) + PER_JOB * BURST
                       >= PER_JOB * there.submitted);
    }
  test_wait_until (test_releases_get (&there.releases) == PER_JOB * n);
  g_assert_cmpuint (test_releases_get_wrong (&there.releases), ==, 0);
  test_loop_free (loop);
  test_executor_end (executor);
}

/* The loop has ended and its thread too, but the context is still there. Whoever runs it
 * next is at home. */
static void
test_context_run_by_another (void)
{
  ConcurExecutor *executor = paused_new ();
  TestLoop *loop = test_loop_new ();
  GMainContext *context = g_main_context_ref (test_loop_get_context (loop));
  There there = { .executor = executor, .n = 200 };

  there.releases.context = context;
  test_loop_call (loop, submit_n, &there);
  test_loop_free (loop);
  run_queued (executor);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&there.releases), ==, 0);

  there.releases.thread = g_thread_self ();
  test_iterate_until (context, test_releases_get (&there.releases) == PER_JOB * there.n);
  g_assert_cmpuint (test_releases_get_wrong (&there.releases), ==, 0);
  g_main_context_unref (context);
}

typedef struct
{
  GMainContext *context;
  TestReleases *releases;
} Drop;

static gpointer
drop_thread (gpointer data)
{
  Drop *self = data;

  self->releases->thread = g_thread_self ();
  g_main_context_unref (self->context);

  return NULL;
}

/* Nobody ever runs it again: who drops it is the last, and lets go. */
static void
test_context_dropped_by_another (void)
{
  guint homes = test_homes_alive ();
  ConcurExecutor *executor = paused_new ();
  TestLoop *loop = test_loop_new ();
  GMainContext *context = g_main_context_ref (test_loop_get_context (loop));
  There there = { .executor = executor, .n = 200 };
  Drop drop = { context, &there.releases };

  test_loop_call (loop, submit_n, &there);
  test_loop_free (loop);
  run_queued (executor);
  g_assert_cmpuint (test_releases_get (&there.releases), ==, 0);

  g_thread_join (g_thread_new ("drop", drop_thread, &drop));
  g_assert_cmpuint (test_releases_get (&there.releases), ==, PER_JOB * there.n);
  g_assert_cmpuint (test_releases_get_wrong (&there.releases), ==, 0);
  test_wait_until (test_homes_alive () <= homes);
}

/* Jobs keep their home context: dropped by all others, it goes when they have come. */
static void
test_context_kept_by_jobs (void)
{
  guint homes = test_homes_alive ();
  ConcurExecutor *executor = paused_new ();
  TestLoop *loop = test_loop_new ();
  There there = { .executor = executor, .n = 200 };

  test_loop_call (loop, submit_n, &there);
  test_loop_free (loop);
  g_assert_cmpuint (test_releases_get (&there.releases), ==, 0);
  g_assert_cmpuint (test_homes_alive (), >, homes);
  run_queued (executor);
  g_assert_cmpuint (test_releases_get (&there.releases), ==, PER_JOB * there.n);
  test_wait_until (test_homes_alive () <= homes);
}

/* One thread, several contexts in turn: each job is at home where it was submitted. */
static void
test_nested_contexts (void)
{
  ConcurExecutor *executor = paused_new ();
  GMainContext *outer = g_main_context_new (), *inner = g_main_context_new ();
  There in_outer = { .executor = executor, .n = 50 }, in_inner = { .executor = executor, .n = 50 };
  There none = { .executor = executor, .n = 50 };

  in_outer.releases.context = outer;
  in_inner.releases.context = inner;
  none.releases.thread = g_thread_self ();

  submit_n (&none);
  g_main_context_push_thread_default (outer);
  submit_n (&in_outer);
  g_main_context_push_thread_default (inner);
  submit_n (&in_inner);
  g_main_context_pop_thread_default (inner);
  submit_n (&in_outer);
  g_main_context_pop_thread_default (outer);
  run_queued (executor);

  test_wait_until (test_releases_get (&none.releases) == PER_JOB * none.submitted);
  test_iterate_until (inner, test_releases_get (&in_inner.releases) == PER_JOB * in_inner.submitted);
  test_iterate_until (outer, test_releases_get (&in_outer.releases) == PER_JOB * in_outer.submitted);
  g_assert_cmpuint (test_releases_get_wrong (&none.releases), ==, 0);
  g_assert_cmpuint (test_releases_get_wrong (&in_inner.releases), ==, 0);
  g_assert_cmpuint (test_releases_get_wrong (&in_outer.releases), ==, 0);
  g_main_context_unref (outer);
  g_main_context_unref (inner);
}

static void
wait_and_release (gpointer data)
{
  There *self = data;
  g_autoptr (ConcurFuture) future = test_submit (self->executor, test_one_job, NULL);

  /* The loop is not running here, we are inside one of its callbacks. */
  test_assert_done (future);
  test_wait_until (test_releases_get (&self->releases) == PER_JOB * self->submitted);
}

/* Inside a callback of the loop a wait serves what is at home there. */
static void
test_wait_inside_callback (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestLoop *loop = test_loop_new ();
  There there = { .executor = executor, .n = 200 };

  expect_in (&there, loop);
  test_loop_call (loop, submit_n, &there);
  test_loop_call (loop, wait_and_release, &there);
  g_assert_cmpuint (test_releases_get_wrong (&there.releases), ==, 0);
  test_loop_free (loop);
  test_executor_end (executor);
}

static void
submit_again (gpointer data)
{
  There *self = data;

  if (self->submitted < self->n)
    {
      self->submitted++;
      g_object_unref (concur_executor_submit (self->executor, test_one_job, self, submit_again, NULL));
    }
  g_atomic_int_inc (&self->releases.n);
}

static gpointer
submit_again_thread (gpointer data)
{
  There *self = data;

  g_object_unref (concur_executor_submit (self->executor, test_one_job, self, submit_again, NULL));

  return NULL;
}

static void
submit_again_in_loop (gpointer data)
{
  submit_again_thread (data);
}

/* What is let go while a thread ends may submit again, and while a context goes too.
 * Nothing of the homes is left. */
static void
test_submit_while_home_goes (void)
{
  guint homes = test_homes_alive (), rounds = test_scaled (500), i;
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      There there = { .executor = executor, .n = 5 };

      if (i % 2)
        {
          g_thread_join (g_thread_new ("short", submit_again_thread, &there));
        }
      else
        {
          TestLoop *loop = test_loop_new ();

          test_loop_call (loop, submit_again_in_loop, &there);
          test_loop_free (loop);
        }
      test_wait_until (test_releases_get (&there.releases) == there.n + 1);
    }
  test_shake_stop ();
  test_executor_end (executor);
  test_wait_until (test_homes_alive () <= homes);
}

static gpointer
push_and_submit_thread (gpointer data)
{
  There *self = data;
  GMainContext *context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  submit_n (self);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);

  return NULL;
}

/* A thread that only ever submitted from a context has no home of its own, and remembers
 * the context's no longer than it lives. */
static void
test_thread_forgets (void)
{
  guint homes = test_homes_alive (), rounds = test_scaled (200), i;
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  There there = { .executor = executor, .n = 10 };

  for (i = 0; i < rounds; i++)
    g_thread_join (g_thread_new ("context", push_and_submit_thread, &there));
  test_executor_end (executor);
  test_wait_until (test_releases_get (&there.releases) == PER_JOB * there.submitted);
  test_wait_until (test_homes_alive () <= homes);
}

static gboolean
submit_inside_job (ConcurJob *job,
                   gpointer   data,
                   GError   **error)
{
  There *self = data;

  submit_watched (self->executor, &self->releases);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

/* Workers that leave take nothing with them: what they submitted is let go by others. */
static void
test_worker_ends (void)
{
  guint n = test_scaled (3000), i;
  ConcurExecutor *others = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  There there = { .executor = others };
  ConcurExecutor *executor;

  /* A thread for each job. */
  executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 0, NULL);
  for (i = 0; i < n; i++)
    {
      g_object_unref (test_submit (executor, submit_inside_job, &there));
      if (i % 50 == 0)
        test_wait_until (test_releases_get (&there.releases) + PER_JOB * 50 >= PER_JOB * i);
    }
  test_executor_end (executor);
  test_executor_end (others);
  test_wait_until (test_releases_get (&there.releases) == PER_JOB * n);
}

typedef struct
{
  guint n_ticks;
  TestReleases releases;
} Busy;

static gboolean
tick (gpointer data)
{
  ((Busy *) data)->n_ticks++;

  return G_SOURCE_CONTINUE;
}

/* A hundred thousand releases at once leave the loop time for what is more urgent. */
static void
test_releases_in_portions (void)
{
  guint n = test_scaled (N_JOBS), iterations = 0, i;
  ConcurExecutor *executor = paused_new ();
  Busy busy = { 0 };
  guint source;

  busy.releases.thread = g_thread_self ();
  g_main_context_acquire (NULL);
  for (i = 0; i < n; i++)
    g_object_unref (concur_executor_submit (executor, test_one_job, &busy.releases, test_released, NULL));
  g_main_context_release (NULL);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  while (test_snapshot (executor, n_completed) < n)
    g_thread_yield ();

  source = g_timeout_add (1, tick, &busy);
  while (test_releases_get (&busy.releases) < n)
    {
      guint before = test_releases_get (&busy.releases);

      g_main_context_iteration (NULL, TRUE);
      g_assert_cmpuint (test_releases_get (&busy.releases) - before, <=, 512);
      iterations++;
    }
  g_source_remove (source);
  g_assert_cmpuint (iterations, >=, n / 512);
  g_assert_cmpuint (test_releases_get_wrong (&busy.releases), ==, 0);
  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);
  /* The first thread's own home stays, and that of the default context. */
  concur_release_pending ();
  {
    ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));

    g_object_unref (test_submit (executor, test_one_job, NULL));
    test_executor_end (executor);
  }

  g_test_add_func ("/home/rules/loop-on-thread", test_loop_on_thread);
  g_test_add_func ("/home/rules/context-run-by-another", test_context_run_by_another);
  g_test_add_func ("/home/rules/context-dropped-by-another", test_context_dropped_by_another);
  g_test_add_func ("/home/rules/context-kept-by-jobs", test_context_kept_by_jobs);
  g_test_add_func ("/home/rules/nested-contexts", test_nested_contexts);
  g_test_add_func ("/home/rules/wait-inside-callback", test_wait_inside_callback);
  g_test_add_func ("/home/rules/submit-while-home-goes", test_submit_while_home_goes);
  g_test_add_func ("/home/rules/thread-forgets", test_thread_forgets);
  g_test_add_func ("/home/rules/worker-ends", test_worker_ends);
  g_test_add_func ("/home/rules/releases-in-portions", test_releases_in_portions);

  return test_run ();
}
