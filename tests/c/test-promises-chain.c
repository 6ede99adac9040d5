/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Promises of the pages on futures, executors, cancellation and threads that stand between
 * the classes: what a wait runs, on which thread handlers run, whose turn it is. */

#include "config.h"

#include "test-chain.h"

static void
count_done (ConcurFuture *future,
            gpointer      data)
{
  g_atomic_int_inc ((gint *) data);
}

static gboolean
count_idle (gpointer data)
{
  (*(gint *) data)++;

  return G_SOURCE_REMOVE;
}

/* Of what has come to this thread a wait lets go, and calls nothing. */
static void
test_wait_calls_nobody (void)
{
  ConcurExecutor *pool = steps_pool (1);
  TestReleases released = { .thread = g_thread_self () };
  TestClog clog = { 0 };
  gint n_done = 0, n_idle = 0;
  ConcurFuture *first, *second, *third;

  first = test_submit (pool, test_clog_job, &clog);
  second = concur_executor_submit (pool, test_one_job, &released, test_released, NULL);
  third = test_submit (pool, test_one_job, NULL);
  concur_future_when_done (second, count_done, &n_done, NULL, NULL);
  g_idle_add_full (G_PRIORITY_HIGH, count_idle, &n_idle, NULL);
  g_assert_cmpuint (test_releases_get (&released), ==, 0);
  test_gate_open (&clog.go);
  test_assert_done (third);

  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
  g_assert_cmpint (n_done, ==, 0);
  g_assert_cmpint (n_idle, ==, 0);

  test_iterate_until (NULL, n_done == 1 && n_idle == 1);
  g_object_unref (first);
  g_object_unref (second);
  g_object_unref (third);
  test_executor_end (pool);
}

static gboolean
wait_for_chain (ConcurJob  *job,
                gpointer    pool,
                GError    **error)
{
  Step step = { 0 };
  ConcurFuture *parts[2] = { test_submit (pool, test_one_job, NULL) };
  g_autoptr (ConcurFuture) all = NULL, limited = NULL;

  parts[1] = concur_future_continue_with (parts[0], step_func, &step, NULL, NULL);
  all = concur_future_all (parts, 2);
  limited = concur_future_with_timeout (all, TEST_PATIENCE_US);
  g_assert_true (concur_future_wait (limited, -1));
  g_assert_true (step.thread == g_thread_self ());
  test_assert_int64 (parts[1], 2);
  g_object_unref (parts[0]);
  g_object_unref (parts[1]);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

/* The only worker runs what it waits for, from the beginning of the chain on. */
static void
test_one_worker (void)
{
  ConcurExecutor *pool = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "steps", "max-threads",
                                       1, "max-blocked", 0, NULL);
  g_autoptr (ConcurFuture) future = test_submit (pool, wait_for_chain, pool);

  test_assert_done (future);
  g_assert_true (concur_future_check (future, NULL));
  test_executor_end (pool);
}

/* Of several that are done already the first in the array wins. */
static void
test_race_of_done (void)
{
  GValue values[3] = { G_VALUE_INIT, G_VALUE_INIT, G_VALUE_INIT };
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *futures[4] = { concur_promise_get_future (promise) };
  g_autoptr (ConcurFuture) race = NULL, any = NULL;

  for (guint i = 0; i < 3; i++)
    {
      g_value_init (&values[i], G_TYPE_INT64);
      g_value_set_int64 (&values[i], i);
      futures[i + 1] = concur_future_resolved (&values[i]);
    }
  race = concur_future_race (futures, 4, CONCUR_COMBINE_NONE);
  any = concur_future_any (futures, 4, CONCUR_COMBINE_NONE);
  test_assert_int64 (race, 0);
  test_assert_int64 (any, 0);
  for (guint i = 1; i < 4; i++)
    g_object_unref (futures[i]);
  concur_future_cancel (futures[0], CONCUR_CANCEL_NONE);
}

typedef struct
{
  TestLoop *loop;
  ConcurFuture *input;
  ConcurFuture *futures[2];
  TestGate notified;
  gint n_wrong; /* atomic */
} Notified;

static void
on_state (ConcurFuture *future,
          GParamSpec   *pspec,
          gpointer      data)
{
  Notified *self = data;

  if (g_thread_self () != test_loop_get_thread (self->loop) || !concur_future_is_done (future))
    g_atomic_int_inc (&self->n_wrong);
  test_gate_open (&self->notified);
}

static void
make_notified (gpointer data)
{
  Notified *self = data;

  self->futures[0] = concur_future_all (&self->input, 1);
  self->futures[1] = concur_future_with_timeout (self->input, TEST_PATIENCE_US);
  for (guint i = 0; i < 2; i++)
    g_signal_connect (self->futures[i], "notify::state", G_CALLBACK (on_state), self);
}

/* Completed here, notified where they were made. */
static void
test_combination_notifies (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Notified self = { .loop = test_loop_new (), .input = concur_promise_get_future (promise) };

  test_loop_call (self.loop, make_notified, &self);
  concur_promise_resolve_int64 (promise, 41);
  test_gate_wait_n (&self.notified, 2);
  g_assert_cmpint (g_atomic_int_get (&self.n_wrong), ==, 0);
  test_loop_free (self.loop);
  g_object_unref (self.futures[0]);
  g_object_unref (self.futures[1]);
}

typedef struct
{
  TestGate begun;
  TestGate cancelled;
  GThread *handler;
} Stoppable;

static void
on_cancelled (GCancellable *cancellable,
              gpointer      data)
{
  Stoppable *self = data;

  self->handler = g_thread_self ();
  test_gate_open (&self->cancelled);
}

static gboolean
stoppable_job (ConcurJob  *job,
               gpointer    data,
               GError    **error)
{
  Stoppable *self = data;

  g_signal_connect (concur_job_get_cancellable (job), "cancelled", G_CALLBACK (on_cancelled), self);
  test_gate_open (&self->begun);
  test_gate_wait (&self->cancelled);
  g_assert_true (concur_job_check_cancelled (job, error));

  return FALSE;
}

static void
note_thread (ConcurFuture *future,
             gpointer      data)
{
  g_atomic_pointer_set ((GThread **) data, g_thread_self ());
}

/* Handlers of the job's own cancellable run on the thread that cancels, direct callbacks of
 * what is still queued too; but nothing inside the emission of a parent. */
static void
test_cancel_where (void)
{
  for (guint by_parent = 0; by_parent < 2; by_parent++)
    {
      ConcurExecutor *pool = steps_pool (1);
      g_autoptr (GCancellable) parent = g_cancellable_new ();
      Stoppable self = { 0 };
      GThread *told = NULL;
      g_autoptr (ConcurFuture) running = NULL, queued = NULL;

      running = concur_executor_submit (pool, stoppable_job, &self, NULL, parent);
      queued = concur_executor_submit (pool, test_one_job, NULL, NULL, parent);
      concur_future_add_direct_callback (queued, note_thread, &told, NULL);
      test_gate_wait (&self.begun);

      if (by_parent)
        {
          g_cancellable_cancel (parent);
        }
      else
        {
          g_assert_true (concur_future_cancel (queued, CONCUR_CANCEL_NONE));
          g_assert_true (told == g_thread_self ());
          g_assert_true (concur_future_cancel (running, CONCUR_CANCEL_NONE));
        }
      test_assert_done (running);
      test_assert_done (queued);
      test_assert_cancelled (running);
      test_assert_cancelled (queued);
      g_assert_true ((self.handler == g_thread_self ()) == !by_parent);
      test_wait_until (g_atomic_pointer_get (&told) != NULL);
      g_assert_true ((told == g_thread_self ()) == !by_parent);
      test_executor_end (pool);
    }
}

static void
never_called (gpointer data)
{
  g_assert_not_reached ();
}

/* A post is a job there: what is cancelled in the queue is not called, and let go here. */
static void
test_post_cancelled (void)
{
  ConcurExecutor *pool = steps_pool (1);
  TestReleases released = { .thread = g_thread_self () };
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) running = test_submit (pool, test_clog_job, &clog);
  g_autoptr (ConcurFuture) end = NULL;

  test_gate_wait (&clog.begun);
  g_assert_true (concur_executor_post (pool, never_called, &released, test_released));
  end = concur_executor_shutdown (pool, CONCUR_SHUTDOWN_CANCEL_PENDING);
  test_gate_open (&clog.go);
  test_assert_done (end);
  test_wait_until (test_releases_get (&released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
  test_assert_int64 (running, 42);
  g_object_unref (pool);
}

/* In a main context jobs run as they came, whatever their priority. */
static void
test_context_order (void)
{
  g_autoptr (ConcurContextExecutor) executor = concur_context_executor_new (NULL);
  ConcurFuture *futures[4];
  gint n = 0;

  for (gint i = 0; i < 4; i++)
    futures[i] = test_submit_at (executor, CONCUR_PRIORITY_IDLE - i, test_count_job, &n);
  test_iterate_until (NULL, concur_future_is_done (futures[3]));
  for (gint i = 0; i < 4; i++)
    {
      test_assert_int64 (futures[i], i);
      g_object_unref (futures[i]);
    }
}

static gboolean
fails_without_error (ConcurJob     *job,
                     ConcurFuture  *input,
                     gpointer       data,
                     GError       **error)
{
  return FALSE;
}

/* What a binding could not run is an error in every kind of chain, and never a success. */
static void
test_not_run (void)
{
  StepHow hows[] = { concur_future_continue_with, concur_future_recover, concur_future_ensure };
  InputOutcome outcomes[] = { INPUT_VALUE, INPUT_ERROR, INPUT_VALUE };

  for (guint i = 0; i < G_N_ELEMENTS (hows); i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      g_autoptr (TestKeeper) keeper = test_keeper_new (TRUE);
      g_autoptr (ConcurFuture) future = hows[i] (concur_promise_get_future (promise),
                                                 fails_without_error, NULL, NULL,
                                                 CONCUR_EXECUTOR (keeper));

      input_complete (promise, outcomes[i]);
      test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
    }
}

/* A class that fills in nothing. */
typedef struct
{
  GObject parent_instance;
} Idler;

typedef struct
{
  GObjectClass parent_class;
} IdlerClass;

static GType idler_get_type (void);

G_DEFINE_TYPE_WITH_CODE (Idler, idler, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, NULL))

static void
idler_class_init (IdlerClass *klass)
{
}

static void
idler_init (Idler *self)
{
}

static ConcurFuture *
shutdown_nothing (ConcurExecutor     *self,
                  ConcurShutdownMode  mode)
{
  return NULL;
}

static void
test_executor_without_functions (void)
{
  ConcurExecutor *idler = g_object_new (idler_get_type (), NULL);
  TestReleases released = { .thread = g_thread_self () };
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { 0 };
  g_autoptr (ConcurFuture) submitted = test_submit (idler, test_one_job, NULL);
  g_autoptr (ConcurFuture) after = step_after (&step, concur_future_continue_with,
                                               concur_promise_get_future (promise), idler);
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (idler, CONCUR_SHUTDOWN_DRAIN);
  g_autoptr (ConcurFuture) again = NULL;

  test_assert_error (submitted, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  test_assert_error (end, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_false (concur_executor_post (idler, never_called, &released, test_released));
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  concur_promise_resolve_int64 (promise, 41);
  test_assert_error (after, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  step_assert (&step, 0);

  CONCUR_EXECUTOR_GET_IFACE (idler)->shutdown = shutdown_nothing;
  again = concur_executor_shutdown (idler, CONCUR_SHUTDOWN_DRAIN);
  test_assert_error (again, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_object_unref (idler);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/promises/chain/wait-calls-nobody", test_wait_calls_nobody);
  g_test_add_func ("/promises/chain/one-worker", test_one_worker);
  g_test_add_func ("/promises/chain/race-of-done", test_race_of_done);
  g_test_add_func ("/promises/chain/combination-notifies", test_combination_notifies);
  g_test_add_func ("/promises/chain/cancel-where", test_cancel_where);
  g_test_add_func ("/promises/chain/post-cancelled", test_post_cancelled);
  g_test_add_func ("/promises/chain/context-order", test_context_order);
  g_test_add_func ("/promises/chain/not-run", test_not_run);
  g_test_add_func ("/promises/chain/executor-without-functions", test_executor_without_functions);

  return test_run ();
}
