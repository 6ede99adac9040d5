/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A wait that could never end is refused at once; no other is. */

#include "config.h"

#include "test-chain.h"

/* "At once" on a busy machine, and far from TEST_PATIENCE_US. */
#define AT_ONCE_US (10 * G_USEC_PER_SEC)

/* Long enough to have been refused. */
#define SHORT_US 2000

static void
assert_refused (ConcurFuture *future)
{
  gint64 timeouts[] = { -1, TEST_PATIENCE_US };
  gint64 begin = g_get_monotonic_time ();

  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (concur_future_wait (future, timeouts[i]));
      g_assert_null (concur_future_result (future, timeouts[i], &error));
      g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
    }
  g_assert_cmpint (g_get_monotonic_time () - begin, <, AT_ONCE_US);
  g_assert_false (concur_future_is_done (future));
}

static void
assert_not_refused (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (concur_future_wait (future, SHORT_US));
  g_assert_null (concur_future_result (future, SHORT_US, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
}

/* What stands for the context: runs on a loop's thread, or where it is the main one. */
typedef struct
{
  GMainContext *context;
  ConcurExecutor *executor; /* for it */
  ConcurExecutor *pool;
} Place;

static gboolean
wait_self (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  assert_refused (CONCUR_FUTURE (job));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
wait_other (ConcurJob  *job,
            gpointer    other,
            GError    **error)
{
  assert_refused (other);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Everything that needs this thread, asked for on it. */
static void
check_own (gpointer data)
{
  Place *self = data;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurPromise) other = concur_promise_new ();
  Step steps[5] = { 0 };
  TestGate given = { 0 };
  /* Queued; running, and waiting for itself and for one that is queued. */
  g_autoptr (ConcurFuture) queued = test_submit (self->executor, test_one_job, NULL);
  g_autoptr (ConcurFuture) itself = test_submit (self->executor, wait_self, NULL);
  g_autoptr (ConcurJob) late = concur_job_new (test_one_job, NULL, NULL);
  g_autoptr (ConcurFuture) running = test_submit (self->executor, wait_other, late);
  g_autoptr (ConcurFuture) late_future = concur_executor_submit_job (self->executor, late, NULL);
  /* Not begun: on the executor, in the context, on a pool after that, and to clear up. */
  g_autoptr (ConcurFuture) after = step_after (&steps[0], concur_future_continue_with,
                                               concur_promise_get_future (promise), self->executor);
  g_autoptr (ConcurFuture) here = step_after (&steps[1], concur_future_continue_with,
                                              concur_promise_get_future (promise), NULL);
  g_autoptr (ConcurFuture) chain = step_after (&steps[2], concur_future_continue_with, here, self->pool);
  g_autoptr (ConcurFuture) ensured = step_after (&steps[3], concur_future_ensure, chain, self->pool);
  /* Of a foreign executor nobody knows where it runs. */
  g_autoptr (ConcurFuture) unknown = step_after (&steps[4], concur_future_continue_with,
                                                 concur_promise_get_future (other), self->pool);

  g_object_set_data (G_OBJECT (promise), "given", &given);
  assert_refused (queued);
  assert_refused (itself);
  assert_refused (running);
  assert_refused (after);
  assert_refused (here);
  assert_refused (chain);
  assert_refused (ensured);
  assert_not_refused (concur_promise_get_future (promise));
  assert_not_refused (unknown);

  /* It makes no difference that they could run now. */
  input_complete (promise, INPUT_VALUE);
  assert_refused (after);
  assert_refused (here);
  assert_refused (chain);

  test_iterate_until (self->context, concur_future_is_done (ensured) && concur_future_is_done (running)
                                       && concur_future_is_done (late_future)
                                       && concur_future_is_done (after)
                                       && concur_future_is_done (itself));
  test_assert_int64 (running, 1);
  test_assert_int64 (itself, 1);
  test_assert_done (queued);
  test_assert_done (here);
  test_assert_int64 (ensured, 44);

  input_complete (other, INPUT_VALUE);
  test_assert_done (unknown);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    step_assert (&steps[i], 1);
}

static void
test_own_context (void)
{
  TestLoop *loop = test_loop_new ();
  GMainContext *context = test_loop_get_context (loop);
  Place place = { context, CONCUR_EXECUTOR (concur_context_executor_new (context)), steps_pool (1) };

  test_loop_call (loop, check_own, &place);
  test_executor_end (place.executor);
  test_executor_end (place.pool);
  test_loop_free (loop);
}

static gboolean
check_in_default (gpointer place)
{
  check_own (place);

  return G_SOURCE_REMOVE;
}

static void
test_default_context (void)
{
  Place place = { NULL, CONCUR_EXECUTOR (concur_context_executor_new (NULL)), steps_pool (1) };

  g_idle_add (check_in_default, &place);
  g_main_context_iteration (NULL, TRUE);
  g_object_unref (place.executor);
  test_executor_end (place.pool);
}

/* While it is being run, and another one inside it on the same thread: the outer one is
 * neither the thread-default one then, nor that of the source that calls. */
static gboolean
refuse_both (gpointer data)
{
  gpointer *futures = data;

  assert_refused (futures[0]);
  assert_refused (futures[1]);

  return G_SOURCE_REMOVE;
}

static void
check_inner (gpointer data)
{
  Place *self = data;
  g_autoptr (GMainContext) inner = g_main_context_new ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                concur_promise_get_future (promise), NULL);
  g_autoptr (ConcurFuture) job = test_submit (self->executor, test_one_job, NULL);

  gpointer futures[] = { future, job };
  GSource *source = g_idle_source_new ();

  g_main_context_push_thread_default (inner);
  refuse_both (futures);
  g_source_set_callback (source, refuse_both, futures, NULL);
  g_source_attach (source, inner);
  g_source_unref (source);
  g_main_context_iteration (inner, TRUE);
  g_main_context_pop_thread_default (inner);
  input_complete (promise, INPUT_VALUE);
  test_iterate_until (self->context, concur_future_is_done (future) && concur_future_is_done (job));
  step_assert (&step, 1);
}

static void
test_inner_context (void)
{
  TestLoop *loop = test_loop_new ();
  GMainContext *context = test_loop_get_context (loop);
  Place place = { context, CONCUR_EXECUTOR (concur_context_executor_new (context)), NULL };

  test_loop_call (loop, check_inner, &place);
  test_executor_end (place.executor);
  test_loop_free (loop);
}

/* A job on a pool that waits for itself; and one that is run in place, for the outer one. */
static void
test_self (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurFuture) future = test_submit (pool, wait_self, NULL);

  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_executor_end (pool);
}

static gboolean
wait_for_inner (ConcurJob  *job,
                gpointer    pool,
                GError    **error)
{
  g_autoptr (ConcurFuture) inner = test_submit (pool, wait_other, job);
  g_autoptr (ConcurFuture) after = concur_future_continue_with (CONCUR_FUTURE (job), step_func, NULL,
                                                                NULL, pool);
  g_autoptr (ConcurFuture) outer = test_submit (pool, wait_other, after);

  g_assert_true (concur_future_wait (inner, -1));
  assert_refused (after);
  g_assert_true (concur_future_wait (outer, -1));
  concur_future_cancel (after, CONCUR_CANCEL_NONE);
  concur_job_return_int64 (job, 2);

  return TRUE;
}

static void
test_in_place (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurFuture) future = test_submit (pool, wait_for_inner, pool);

  test_assert_done (future);
  test_assert_int64 (future, 2);
  test_executor_end (pool);
}

/* Held jobs */

static gboolean
hold_job (ConcurJob  *job,
          gpointer    answer,
          GError    **error)
{
  if (answer != NULL)
    concur_job_return_future (job, answer);
  else
    concur_job_hold (job);

  return TRUE;
}

static void
check_held (gpointer data)
{
  Place *self = data;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurFuture) held = test_submit (self->executor, hold_job, NULL);
  g_autoptr (ConcurFuture) promised = test_submit (self->executor, hold_job,
                                                   concur_promise_get_future (promise));
  g_autoptr (ConcurFuture) bound = NULL;
  g_autoptr (ConcurFuture) returns = NULL;
  Step step = { .answer = STEP_NUMBER };

  assert_refused (held);
  test_iterate_until (self->context,
                      concur_future_get_state (promised) == CONCUR_FUTURE_STATE_RUNNING);
  assert_not_refused (held);
  assert_not_refused (promised);

  /* On a pool, but with an answer that needs this thread. */
  bound = step_after (&step, concur_future_continue_with, held, NULL);
  returns = test_submit (self->pool, hold_job, bound);
  test_wait_until (concur_future_get_state (returns) == CONCUR_FUTURE_STATE_RUNNING
                   && test_snapshot (self->pool, n_idle) == 1);
  assert_refused (returns);

  concur_job_return_int64 (CONCUR_JOB (held), 1);
  input_complete (promise, INPUT_VALUE);
  test_iterate_until (self->context, concur_future_is_done (returns));
  test_assert_int64 (promised, 41);
  test_assert_int64 (returns, 7);
  step_assert (&step, 1);
}

static void
test_held (void)
{
  TestLoop *loop = test_loop_new ();
  GMainContext *context = test_loop_get_context (loop);
  Place place = { context, CONCUR_EXECUTOR (concur_context_executor_new (context)), steps_pool (1) };

  test_loop_call (loop, check_held, &place);
  test_executor_end (place.executor);
  test_executor_end (place.pool);
  test_loop_free (loop);
}

/* Never refused */

static void
ask_there (gpointer data)
{
  gpointer *args = data;

  args[2] = step_after (args[0], concur_future_continue_with, args[1], NULL);
}

static void
test_others_context (void)
{
  TestLoop *loop = test_loop_new ();
  GMainContext *context = test_loop_get_context (loop);
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_context_executor_new (context));
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step steps[2] = { 0 };
  gpointer args[] = { &steps[0], concur_promise_get_future (promise), NULL };
  g_autoptr (ConcurFuture) job = test_submit (executor, test_one_job, NULL);
  g_autoptr (ConcurFuture) after = step_after (&steps[1], concur_future_continue_with,
                                               concur_promise_get_future (promise), executor);
  g_autoptr (ConcurFuture) there = NULL;

  test_loop_call (loop, ask_there, args);
  there = args[2];
  g_assert_true (concur_future_wait (job, -1));
  assert_not_refused (after);
  assert_not_refused (there);
  input_complete (promise, INPUT_VALUE);
  g_assert_true (concur_future_wait (after, -1));
  g_assert_true (concur_future_wait (there, -1));
  step_assert (&steps[1], 1);
  test_wait_until (test_releases_get (&steps[0].released) == 1);
  test_executor_end (executor);
  test_loop_free (loop);
}

/* Someone may yet come and run it. */
static void
test_nobodys_context (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  ConcurExecutor *executors[] = { CONCUR_EXECUTOR (concur_context_executor_new (context)),
                                  CONCUR_EXECUTOR (concur_context_executor_new (NULL)) };

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      g_autoptr (ConcurFuture) job = test_submit (executors[i], test_one_job, NULL);
      Step step = { 0 };
      g_autoptr (ConcurFuture) after = step_after (&step, concur_future_continue_with,
                                                   concur_promise_get_future (promise), executors[i]);

      assert_not_refused (job);
      assert_not_refused (after);
      input_complete (promise, INPUT_VALUE);
      test_iterate_until (i == 0 ? context : NULL, concur_future_is_done (after));
      test_assert_int64 (job, 1);
      step_assert (&step, 1);
      g_object_unref (executors[i]);
    }
}

static void
check_pool (gpointer data)
{
  Place *self = data;
  TestClog clog = { 0 };
  Step step = { 0 };
  g_autoptr (ConcurFuture) running = test_submit (self->pool, test_clog_job, &clog);
  g_autoptr (ConcurFuture) queued = test_submit (self->pool, test_one_job, NULL);
  g_autoptr (ConcurFuture) after = step_after (&step, concur_future_continue_with, queued, self->pool);

  test_gate_wait (&clog.begun);
  assert_not_refused (running);
  assert_not_refused (queued);
  assert_not_refused (after);
  test_gate_open (&clog.go);
  g_assert_true (concur_future_wait (after, -1));
  test_assert_int64 (after, 2);
  step_assert (&step, 1);
}

static void
test_pool (void)
{
  TestLoop *loop = test_loop_new ();
  Place place = { .pool = steps_pool (1) };

  test_loop_call (loop, check_pool, &place);
  test_executor_end (place.pool);
  test_loop_free (loop);
}

/* Of several, as long as one can do without this thread. */
static void
check_several (gpointer data)
{
  Place *self = data;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  TestClog clog = { 0 };
  Step step = { 0 };
  g_autoptr (ConcurFuture) here = step_after (&step, concur_future_continue_with,
                                              concur_promise_get_future (promise), NULL);
  g_autoptr (ConcurFuture) running = test_submit (self->pool, test_clog_job, &clog);
  ConcurFuture *mixed[] = { here, running }, *refused[] = { here, here };
  g_autoptr (ConcurFuture) race = concur_future_race (mixed, 2, 0);
  g_autoptr (ConcurFuture) both = concur_future_all (refused, 2);
  g_autoptr (ConcurFuture) wide = g_object_ref (here);

  /* More ways through it than can be gone. */
  for (guint i = 0; i < 100; i++)
    {
      ConcurFuture *twice[] = { wide, wide };
      ConcurFuture *next = concur_future_all (twice, 2);

      g_object_unref (wide);
      wide = next;
    }

  test_gate_wait (&clog.begun);
  assert_not_refused (race);
  assert_refused (both);
  g_assert_false (concur_future_wait (wide, SHORT_US));
  test_gate_open (&clog.go);
  g_assert_true (concur_future_wait (race, -1));
  test_assert_int64 (race, 42);
  input_complete (promise, INPUT_VALUE);
  test_iterate_until (self->context, concur_future_is_done (wide) && concur_future_is_done (both));
  step_assert (&step, 1);
}

static void
test_several (void)
{
  TestLoop *loop = test_loop_new ();
  Place place = { .context = test_loop_get_context (loop), .pool = steps_pool (1) };

  test_loop_call (loop, check_several, &place);
  test_executor_end (place.pool);
  test_loop_free (loop);
}

/* One that derives from itself, by mistake: it can be cancelled, but not waited for. */
typedef struct
{
  ConcurFuture *after; /* (owned) */
  TestGate made;
} Ring;

static gboolean
ring_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Ring *self = data;

  self->after = concur_future_continue_with (CONCUR_FUTURE (job), step_func, NULL, NULL,
                                             concur_executor_get_default ());
  concur_job_return_future (job, self->after);
  test_gate_open (&self->made);

  return TRUE;
}

static void
test_ring (void)
{
  ConcurExecutor *pool = steps_pool (1);
  Ring ring = { 0 };
  g_autoptr (ConcurFuture) future = test_submit (pool, ring_job, &ring);

  test_gate_wait (&ring.made);
  test_wait_until (test_snapshot (pool, n_idle) == 1);
  assert_refused (future);
  assert_refused (ring.after);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (ring.after);
  test_assert_cancelled (future);
  g_object_unref (ring.after);
  test_executor_end (pool);
}

/* Waiting on the only thread for what comes after a job that has not begun. */
typedef struct
{
  ConcurExecutor *pool;
  guint steps;
  GThread *thread;
} Nested;

static gboolean
same_thread (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Nested *self = data;

  g_assert_true (self->thread == g_thread_self ());
  concur_job_return_int64 (job, 0);

  return TRUE;
}

static gboolean
same_thread_after (ConcurJob    *job,
                   ConcurFuture *input,
                   gpointer      data,
                   GError      **error)
{
  Nested *self = data;

  g_assert_true (self->thread == g_thread_self ());
  concur_job_return_int64 (job, concur_future_get_int64 (input, NULL) + 1);

  return TRUE;
}

static gboolean
nested_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Nested *self = data;
  ConcurFuture *tail;

  self->thread = g_thread_self ();
  tail = test_submit (self->pool, same_thread, self);
  for (guint i = 0; i < self->steps; i++)
    {
      ConcurFuture *next = concur_future_continue_with (tail, same_thread_after, self, NULL, NULL);

      g_object_unref (tail);
      tail = next;
    }
  g_assert_true (concur_future_wait (tail, -1));
  concur_job_return_int64 (job, concur_future_get_int64 (tail, NULL));
  g_object_unref (tail);

  return TRUE;
}

static void
test_nested (void)
{
  static const guint steps[] = { 1, 2, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      ConcurExecutor *pool = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "steps", "max-threads", 1,
                                           "max-blocked", 0, NULL);
      Nested nested = { pool, steps[i], NULL };
      g_autoptr (ConcurFuture) future = test_submit (pool, nested_job, &nested);

      test_assert_done (future);
      test_assert_int64 (future, steps[i]);
      g_assert_cmpuint (test_count_threads ("steps-"), <=, 1);
      test_executor_end (pool);
    }
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/deadlock/own-context", test_own_context);
  g_test_add_func ("/deadlock/default-context", test_default_context);
  g_test_add_func ("/deadlock/inner-context", test_inner_context);
  g_test_add_func ("/deadlock/self", test_self);
  g_test_add_func ("/deadlock/in-place", test_in_place);
  g_test_add_func ("/deadlock/held", test_held);
  g_test_add_func ("/deadlock/several", test_several);
  g_test_add_func ("/deadlock/ring", test_ring);
  g_test_add_func ("/deadlock/not/others-context", test_others_context);
  g_test_add_func ("/deadlock/not/nobodys-context", test_nobodys_context);
  g_test_add_func ("/deadlock/not/pool", test_pool);
  g_test_add_func ("/deadlock/nested", test_nested);

  return test_run ();
}
