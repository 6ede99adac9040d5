/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Going on from a future: where the function runs, also when its context or executor is gone
 * or full. */

#include "config.h"

#include "test-chain.h"

static void
test_on_executor (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                concur_promise_get_future (promise), pool);

  input_complete (promise, INPUT_VALUE);
  test_assert_done (future);
  test_assert_int64 (future, 42);
  g_assert_true (step.in_pool);
  step_assert (&step, 1);
  test_executor_end (pool);
}

typedef struct
{
  ConcurPromise *promise;
  ConcurFuture *future; /* (owned) */
  Step step;
  TestGate asked;
} Asking;

static void
ask (gpointer data)
{
  Asking *self = data;

  self->future = step_after (&self->step, concur_future_continue_with,
                             concur_promise_get_future (self->promise), NULL);
  test_gate_open (&self->asked);
}

static void
test_on_pushed_context (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };

  test_loop_call (loop, ask, &asking);
  input_complete (promise, INPUT_VALUE);
  test_assert_done (asking.future);
  test_assert_int64 (asking.future, 42);
  g_assert_true (asking.step.thread == test_loop_get_thread (loop));
  g_assert_true (asking.step.context == test_loop_get_context (loop));
  g_clear_object (&asking.future);
  test_wait_until (test_releases_get (&asking.step.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&asking.step.released), ==, 0);
  test_loop_free (loop);
}

/* On the main thread, before its loop runs and while it does. */
static void
ask_and_iterate (GMainLoop *loop)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };

  ask (&asking);
  input_complete (promise, INPUT_VALUE);
  g_assert_cmpint (asking.step.n_run, ==, 0);
  test_iterate_until (NULL, concur_future_is_done (asking.future));
  g_assert_true (asking.step.thread == g_thread_self ());
  g_assert_null (asking.step.context);
  step_assert (&asking.step, 1);
  g_clear_object (&asking.future);
  if (loop != NULL)
    g_main_loop_quit (loop);
}

static gboolean
ask_from_loop (gpointer loop)
{
  g_assert_true (g_main_context_is_owner (NULL));
  ask_and_iterate (loop);

  return G_SOURCE_REMOVE;
}

static void
test_on_main_thread (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);

  g_assert_false (g_main_context_is_owner (NULL));
  ask_and_iterate (NULL);
  g_idle_add (ask_from_loop, loop);
  g_main_loop_run (loop);
}

static gboolean
ask_job (ConcurJob  *job,
         gpointer    data,
         GError    **error)
{
  GMainContext *context = g_object_get_data (G_OBJECT (((Asking *) data)->promise), "context");

  if (context != NULL)
    g_main_context_push_thread_default (context);
  ask (data);
  if (context != NULL)
    g_main_context_pop_thread_default (context);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_on_worker (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };
  g_autoptr (ConcurFuture) job = test_submit (pool, ask_job, &asking);

  test_gate_wait (&asking.asked);
  input_complete (promise, INPUT_VALUE);
  test_assert_done (asking.future);
  g_assert_true (asking.step.in_pool);
  g_clear_object (&asking.future);
  test_wait_until (test_releases_get (&asking.step.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&asking.step.released), ==, 0);
  test_executor_end (pool);
}

/* A context that the worker has pushed comes first. */
static void
test_on_worker_with_context (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };
  g_autoptr (ConcurFuture) job = NULL;

  g_object_set_data (G_OBJECT (promise), "context", context);
  job = test_submit (pool, ask_job, &asking);
  test_gate_wait (&asking.asked);
  test_assert_done (job);
  input_complete (promise, INPUT_VALUE);
  /* It is released in the context it was asked for in, by whoever runs that. */
  asking.step.released.thread = NULL;
  asking.step.released.context = context;
  test_iterate_until (context, concur_future_is_done (asking.future));
  g_assert_true (asking.step.thread == g_thread_self ());
  test_iterate_until (context, test_releases_get (&asking.step.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&asking.step.released), ==, 0);
  g_clear_object (&asking.future);
  test_executor_end (pool);
}

static gpointer
ask_thread (gpointer data)
{
  Asking *self = data;

  ask (self);
  test_wait_until (concur_future_is_done (self->future));
  test_wait_until (test_releases_get (&self->step.released) == 1);

  return NULL;
}

/* A thread of no executor, without a context: the default one it is. */
static void
test_on_plain_thread (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };
  GThread *thread = g_thread_new ("plain", ask_thread, &asking);

  test_gate_wait (&asking.asked);
  input_complete (promise, INPUT_VALUE);
  test_iterate_until (NULL, concur_future_is_done (asking.future));
  g_assert_true (asking.step.thread == g_thread_self ());
  g_thread_join (thread);
  g_assert_cmpuint (test_releases_get_wrong (&asking.step.released), ==, 0);
  g_clear_object (&asking.future);
}

static gpointer
ask_in_context (gpointer data)
{
  Asking *self = data;
  GMainContext *context = g_main_context_new ();

  g_object_set_data_full (G_OBJECT (self->promise), "context", context,
                          (GDestroyNotify) g_main_context_unref);
  g_main_context_push_thread_default (context);
  ask (self);
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* What waits for its turn in a context keeps it: the next thread to run it is as good. */
static void
test_context_left (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };
  g_autoptr (GMainContext) context = NULL;
  guint homes = test_homes_alive ();

  g_thread_join (g_thread_new ("leaves", ask_in_context, &asking));
  context = g_main_context_ref (g_object_get_data (G_OBJECT (promise), "context"));
  g_object_set_data (G_OBJECT (promise), "context", NULL);
  input_complete (promise, INPUT_VALUE);
  g_assert_false (concur_future_is_done (asking.future));
  asking.step.released.thread = NULL;
  asking.step.released.context = context;
  test_iterate_until (context, concur_future_is_done (asking.future));
  test_assert_int64 (asking.future, 42);
  test_iterate_until (context, test_releases_get (&asking.step.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&asking.step.released), ==, 0);
  g_clear_object (&asking.future);
  g_clear_pointer (&context, g_main_context_unref);
  g_assert_cmpuint (test_homes_alive (), <=, homes);
}

/* Cancelled, it does not run when its turn comes, and is let go there. */
static void
test_context_left_cancelled (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Asking asking = { .promise = promise };
  g_autoptr (GMainContext) context = NULL;
  guint homes = test_homes_alive ();

  g_thread_join (g_thread_new ("leaves", ask_in_context, &asking));
  context = g_main_context_ref (g_object_get_data (G_OBJECT (promise), "context"));
  g_object_set_data (G_OBJECT (promise), "context", NULL);
  input_complete (promise, INPUT_VALUE);
  g_assert_true (concur_future_cancel (asking.future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (asking.future);
  g_clear_object (&asking.future);
  asking.step.released.thread = NULL;
  asking.step.released.context = context;
  test_iterate_until (context, test_releases_get (&asking.step.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&asking.step.released), ==, 0);
  g_assert_cmpint (asking.step.n_run, ==, 0);
  g_clear_pointer (&context, g_main_context_unref);
  g_assert_cmpuint (test_homes_alive (), <=, homes);
}

static void
test_executor_shut_down (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                concur_promise_get_future (promise), pool);

  test_executor_end (pool);
  input_complete (promise, INPUT_VALUE);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  step_assert (&step, 0);
}

/* Whoever completes the input neither waits for room nor is refused. */
static void
check_executor_full (ConcurOverflow overflow,
                     gboolean       before)
{
  ConcurExecutor *pool = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "steps", "max-threads", 1,
                                       "max-pending", 1, "overflow", overflow, NULL);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) running = test_submit (pool, test_clog_job, &clog);
  g_autoptr (ConcurFuture) queued = NULL;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *futures[8];
  Step steps[8] = { 0 };

  test_gate_wait (&clog.begun);
  queued = test_submit (pool, test_one_job, NULL);
  if (before)
    input_complete (promise, INPUT_VALUE);
  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    futures[i] = step_after (&steps[i], concur_future_continue_with,
                             concur_promise_get_future (promise), pool);
  if (!before)
    input_complete (promise, INPUT_VALUE);
  test_gate_open (&clog.go);
  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      test_assert_done (futures[i]);
      test_assert_int64 (futures[i], 42);
      g_object_unref (futures[i]);
      step_assert (&steps[i], 1);
    }
  test_assert_done (queued);
  test_executor_end (pool);
}

static void
test_executor_full (void)
{
  check_executor_full (CONCUR_OVERFLOW_WAIT, FALSE);
  check_executor_full (CONCUR_OVERFLOW_REJECT, FALSE);
  check_executor_full (CONCUR_OVERFLOW_WAIT, TRUE);
  check_executor_full (CONCUR_OVERFLOW_REJECT, TRUE);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/continue/where/executor", test_on_executor);
  g_test_add_func ("/continue/where/pushed-context", test_on_pushed_context);
  g_test_add_func ("/continue/where/main-thread", test_on_main_thread);
  g_test_add_func ("/continue/where/worker", test_on_worker);
  g_test_add_func ("/continue/where/worker-with-context", test_on_worker_with_context);
  g_test_add_func ("/continue/where/plain-thread", test_on_plain_thread);
  g_test_add_func ("/continue/where/context-left", test_context_left);
  g_test_add_func ("/continue/where/context-left-cancelled", test_context_left_cancelled);
  g_test_add_func ("/continue/where/executor-shut-down", test_executor_shut_down);
  g_test_add_func ("/continue/where/executor-full", test_executor_full);

  return test_run ();
}
