/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Running a main context until a future is done. */

#include "config.h"

#include "test-chain.h"

#include <sys/wait.h>
#include <unistd.h>

static void
assert_iterated (ConcurFuture *future,
                 GMainContext *context)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_future_iterate (future, context, TEST_PATIENCE_US, &error));
  g_assert_no_error (error);
  g_assert_true (concur_future_is_done (future));
}

/* A script: no loop, no context, and something that needs one. */
static void
test_script (void)
{
  ConcurExecutor *pool = steps_pool (1);
  Step steps[2] = { 0 };
  g_autoptr (ConcurFuture) job = test_submit (pool, test_one_job, NULL);
  g_autoptr (ConcurFuture) first = step_after (&steps[0], concur_future_continue_with, job, NULL);
  g_autoptr (ConcurFuture) second = step_after (&steps[1], concur_future_continue_with, first, NULL);

  g_assert_true (concur_future_iterate (second, NULL, -1, NULL));
  test_assert_int64 (second, 3);
  g_assert_true (steps[0].thread == g_thread_self ());
  step_assert (&steps[0], 1);
  step_assert (&steps[1], 1);
  test_executor_end (pool);
}

/* Whatever the outcome: it says that there is one. */
static void
test_outcomes (void)
{
  for (InputOutcome outcome = 0; outcome < N_INPUTS; outcome++)
    for (guint later = 0; later < 2; later++)
      {
        g_autoptr (ConcurPromise) promise = concur_promise_new ();
        ConcurFuture *input = concur_promise_get_future (promise);
        Step step = { .answer = STEP_NOTHING };
        g_autoptr (ConcurFuture) future = NULL;

        if (!later)
          input_complete (promise, outcome);
        future = step_after (&step, concur_future_ensure, input, NULL);
        if (later)
          input_complete (promise, outcome);
        assert_iterated (future, NULL);
        g_assert_cmpint (concur_future_check (future, NULL), ==, outcome == INPUT_VALUE);
        step_assert (&step, 1);
      }
}

/* One that is done runs nothing, whatever the timeout. */
static gboolean
count_call (gpointer n)
{
  (*(guint *) n)++;

  return G_SOURCE_CONTINUE;
}

static void
test_done_already (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  guint calls = 0, id = g_idle_add (count_call, &calls);

  input_complete (promise, INPUT_ERROR);
  g_assert_true (concur_future_iterate (future, NULL, 0, NULL));
  g_assert_true (concur_future_iterate (future, NULL, -1, NULL));
  g_assert_cmpuint (calls, ==, 0);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
  g_source_remove (id);
  concur_future_ignore (future);
}

static void
test_timeout (void)
{
  static const gint64 timeouts[] = { 0, 1, 20000 };
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL;
      gint64 begin = g_get_monotonic_time ();

      g_assert_false (concur_future_iterate (future, NULL, timeouts[i], &error));
      g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
      g_assert_cmpint (g_get_monotonic_time () - begin, >=, timeouts[i]);
      g_assert_false (concur_future_iterate (future, NULL, timeouts[i], NULL));
    }
  /* Nothing of it is left in the context, nor on the future. */
  g_assert_false (g_main_context_pending (NULL));
  input_complete (promise, INPUT_VALUE);
  g_assert_true (concur_future_iterate (future, NULL, 0, NULL));
}

/* It is told when the future is done, and does not look for it again and again. */
static gpointer
resolve_thread (gpointer data)
{
  input_complete (data, INPUT_VALUE);

  return NULL;
}

static gboolean
start_thread (gpointer data)
{
  gpointer *args = data;

  args[1] = g_thread_new ("resolve", resolve_thread, args[0]);

  return G_SOURCE_REMOVE;
}

static void
test_woken (void)
{
  guint rounds = test_scaled (1000);

  test_shake_start ();
  for (guint i = 0; i < rounds; i++)
    {
      g_autoptr (GMainContext) context = g_main_context_new ();
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      gpointer args[] = { promise, NULL };
      GSource *source = g_idle_source_new ();

      g_source_set_callback (source, start_thread, args, NULL);
      g_source_attach (source, context);
      g_source_unref (source);
      /* For ever: nothing else would end it. */
      g_assert_true (concur_future_iterate (concur_promise_get_future (promise), context,
                                            i % 2 ? -1 : TEST_PATIENCE_US, NULL));
      g_thread_join (args[1]);
    }
  test_shake_stop ();
}

static void
test_others_context (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  g_autoptr (GError) error = NULL;

  g_assert_false (concur_future_iterate (future, test_loop_get_context (loop), -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  input_complete (promise, INPUT_VALUE);
  test_loop_free (loop);
}

/* Without a context it is the one that the thread has pushed. */
static void
iterate_here (gpointer data)
{
  ConcurPromise *promise = data;
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                concur_promise_get_future (promise), NULL);

  input_complete (promise, INPUT_VALUE);
  assert_iterated (future, NULL);
  g_assert_true (step.context == g_main_context_get_thread_default ());
  step_assert (&step, 1);
}

static void
test_pushed_context (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();

  test_loop_call (loop, iterate_here, promise);
  test_loop_free (loop);
}

/* A source that counts how often its context looks around. */
static guint n_looks;

static gboolean
look_prepare (GSource *source,
              gint    *timeout)
{
  *timeout = -1;
  n_looks++;

  return FALSE;
}

static gboolean
look_dispatch (GSource     *source,
               GSourceFunc  func,
               gpointer     data)
{
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs look_funcs = { .prepare = look_prepare, .dispatch = look_dispatch };

/* One inside another. The time of the outer one is over first: that neither ends the
 * inner one nor keeps it busy. */
typedef struct
{
  GMainContext *context;
  ConcurFuture *never;
  gboolean inner_done;
} Nested;

static gboolean
iterate_inside (gpointer data)
{
  Nested *self = data;
  g_autoptr (GError) error = NULL;

  n_looks = 0;
  g_assert_false (concur_future_iterate (self->never, self->context, 50000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  self->inner_done = TRUE;

  return G_SOURCE_REMOVE;
}

static void
test_nested (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Nested nested = { context, concur_promise_get_future (promise), FALSE };
  GSource *source = g_idle_source_new (), *looks = g_source_new (&look_funcs, sizeof (GSource));

  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, iterate_inside, &nested, NULL);
  g_source_attach (source, context);
  g_source_unref (source);
  g_source_attach (looks, context);

  g_assert_false (concur_future_iterate (nested.never, context, 1000, NULL));
  g_assert_true (nested.inner_done);
  g_assert_cmpuint (n_looks, <, 20);
  g_source_destroy (looks);
  g_source_unref (looks);
  input_complete (promise, INPUT_VALUE);
}

static gboolean
resolve_call (gpointer promise)
{
  input_complete (promise, INPUT_VALUE);

  return G_SOURCE_REMOVE;
}

static gboolean
iterate_both (gpointer data)
{
  ConcurPromise **promises = data;

  g_idle_add (resolve_call, promises[1]);
  assert_iterated (concur_promise_get_future (promises[1]), NULL);

  return G_SOURCE_REMOVE;
}

/* What the outer one waits for is done inside the inner one. */
static void
test_nested_done (void)
{
  g_autoptr (ConcurPromise) outer = concur_promise_new ();
  g_autoptr (ConcurPromise) inner = concur_promise_new ();
  ConcurPromise *promises[] = { outer, inner };

  g_idle_add_full (G_PRIORITY_HIGH, iterate_both, promises, NULL);
  g_idle_add_full (G_PRIORITY_DEFAULT, resolve_call, outer, NULL);
  assert_iterated (concur_promise_get_future (outer), NULL);
  g_assert_true (concur_future_is_done (concur_promise_get_future (inner)));
}

/* What this thread submitted is let go before it returns. */
static void
test_releases (void)
{
  ConcurExecutor *pool = steps_pool (1);
  TestReleases released = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = concur_executor_submit (pool, test_one_job, &released,
                                                            test_released, NULL);
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (pool, CONCUR_SHUTDOWN_DRAIN);

  /* The end of the pool comes after the job has gone home. */
  assert_iterated (end, NULL);
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
  g_object_unref (pool);
}

static void
test_forked (void)
{
  ConcurExecutor *pool = steps_pool (1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) future = test_submit (pool, test_clog_job, &clog);
  int status;
  pid_t child;

  test_gate_wait (&clog.begun);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autoptr (GError) error = NULL;

      alarm (30);
      _exit (!concur_future_iterate (future, NULL, -1, &error)
                 && g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING)
               ? 0
               : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  test_gate_open (&clog.go);
  assert_iterated (future, NULL);
  test_executor_end (pool);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  GError *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "old");

  test_critical (g_assert_false (concur_future_iterate (NULL, NULL, 0, NULL)));
  test_critical (g_assert_false (concur_future_iterate (concur_promise_get_future (promise), NULL, 0,
                                                        &error)));
  g_error_free (error);
  concur_future_ignore (concur_promise_get_future (promise));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/iterate/script", test_script);
  g_test_add_func ("/iterate/outcomes", test_outcomes);
  g_test_add_func ("/iterate/done-already", test_done_already);
  g_test_add_func ("/iterate/timeout", test_timeout);
  g_test_add_func ("/iterate/woken", test_woken);
  g_test_add_func ("/iterate/others-context", test_others_context);
  g_test_add_func ("/iterate/pushed-context", test_pushed_context);
  g_test_add_func ("/iterate/nested", test_nested);
  g_test_add_func ("/iterate/nested-done", test_nested_done);
  g_test_add_func ("/iterate/releases", test_releases);
  g_test_add_func ("/iterate/forked", test_forked);
  g_test_add_func ("/iterate/mistakes", test_mistakes);

  return test_run ();
}
