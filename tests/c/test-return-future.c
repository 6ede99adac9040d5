/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that answer with another future. */

#include "config.h"

#include "test-chain.h"

typedef struct
{
  TestReleases released; /* first: it is what is released */
  ConcurFuture *answer;
  ConcurFuture *second;  /* (nullable) given after it */
  gboolean then_number;  /* an answer of its own after it */
  TestGate returned;     /* opened after return_future () */
  TestGate *go;          /* (nullable) to be waited for after that */
  TestGate *before;      /* (nullable) and before it */
  TestGate begun;
} Returning;

static gboolean
returning_job (ConcurJob  *job,
               gpointer    data,
               GError    **error)
{
  Returning *self = data;

  test_gate_open (&self->begun);
  if (self->before != NULL)
    test_gate_wait (self->before);
  concur_job_return_future (job, self->answer);
  if (self->second != NULL)
    concur_job_return_future (job, self->second);
  if (self->then_number)
    concur_job_return_int64 (job, 9);
  test_gate_open (&self->returned);
  if (self->go != NULL)
    test_gate_wait (self->go);

  return TRUE;
}

static ConcurFuture *
submit (Returning    *self,
        gpointer      executor,
        GCancellable *cancellable)
{
  self->released.thread = g_thread_self ();

  return concur_executor_submit (executor, returning_job, self, test_released, cancellable);
}

static void
assert_released (Returning *self)
{
  test_wait_until (test_releases_get (&self->released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&self->released), ==, 0);
}

/* Every outcome, done already and done later. */
static void
test_outcomes (void)
{
  ConcurExecutor *pool = steps_pool (1);
  guint alive = steps_count_alive ();

  for (InputOutcome outcome = 0; outcome < N_INPUTS; outcome++)
    for (guint later = 0; later < 2; later++)
      {
        g_autoptr (ConcurPromise) promise = concur_promise_new ();
        Returning returning = { .answer = concur_promise_get_future (promise) };
        g_autoptr (ConcurFuture) future = NULL;
        g_autoptr (ConcurFuture) fence = NULL;

        if (!later)
          input_complete (promise, outcome);
        future = submit (&returning, pool, NULL);
        if (later)
          {
            /* Its only thread is free for others meanwhile. */
            fence = test_submit (pool, test_one_job, NULL);
            test_assert_done (fence);
            g_assert_false (concur_future_is_done (future));
            g_assert_cmpuint (test_releases_get (&returning.released), ==, 0);
            input_complete (promise, outcome);
            g_assert_true (concur_future_is_done (future));
          }
        test_assert_done (future);
        if (outcome == INPUT_VALUE)
          test_assert_int64 (future, 41);
        else if (outcome == INPUT_ERROR)
          test_assert_error (future, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
        else
          test_assert_cancelled (future);
        assert_released (&returning);
      }

  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* Not while the function is still at work, as with every answer. */
static void
test_function_runs_on (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  TestGate go = { 0 };
  Returning returning = { .answer = concur_promise_get_future (promise), .go = &go };
  g_autoptr (ConcurFuture) future = submit (&returning, pool, NULL);

  test_gate_wait (&returning.returned);
  input_complete (promise, INPUT_VALUE);
  g_assert_false (concur_future_is_done (future));
  test_gate_open (&go);
  test_assert_done (future);
  test_assert_int64 (future, 41);
  assert_released (&returning);
  test_executor_end (pool);
}

typedef enum
{
  CANCEL_PLAINLY,
  CANCEL_BY_PARENT,
  CANCEL_ABANDON,
  N_CANCELS
} Cancel;

/* The future it waits for is cancelled too, if the job still runs and if it is held. */
static void
check_cancel (Cancel   cancel,
              gboolean running,
              gboolean stubborn)
{
  ConcurExecutor *pool = steps_pool (2);
  guint alive = steps_count_alive ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) inner = NULL;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  TestGate go = { 0 };
  Returning returning = { .go = running ? &go : NULL };
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurFuture) fence = NULL;

  concur_future_ignore (concur_promise_get_future (promise));
  /* One that takes no notice, or one that ends at once. */
  inner = stubborn ? test_submit (pool, test_clog_job, &clog)
                   : g_object_ref (concur_promise_get_future (promise));
  if (stubborn)
    test_gate_wait (&clog.begun);
  returning.answer = inner;
  future = submit (&returning, pool, cancellable);
  test_gate_wait (&returning.returned);
  if (!running)
    {
      fence = test_submit (pool, test_one_job, NULL);
      test_assert_done (fence);
    }

  if (cancel == CANCEL_BY_PARENT)
    g_cancellable_cancel (cancellable);
  else
    g_assert_true (concur_future_cancel (future, cancel == CANCEL_ABANDON ? CONCUR_CANCEL_ABANDON
                                                                          : CONCUR_CANCEL_NONE));
  if (cancel == CANCEL_ABANDON)
    test_assert_cancelled (future);

  if (stubborn)
    {
      test_wait_until (concur_job_is_cancelled (CONCUR_JOB (inner)));
      if (cancel != CANCEL_ABANDON)
        g_assert_false (concur_future_is_done (future));
      /* What was submitted stays until the work has ended. */
      concur_release_pending ();
      g_assert_cmpuint (test_releases_get (&returning.released), ==, 0);
      test_gate_open (&clog.go);
    }
  else
    {
      test_wait_until (concur_future_is_done (inner));
      test_assert_cancelled (inner);
    }
  test_gate_open (&go);
  test_assert_done (inner);
  test_assert_done (future);
  if (stubborn && cancel != CANCEL_ABANDON)
    test_assert_int64 (future, 42);
  else
    test_assert_cancelled (future);
  assert_released (&returning);

  g_clear_object (&future);
  g_clear_object (&inner);
  g_clear_object (&fence);
  g_clear_object (&promise);
  steps_assert_alive (alive);
  test_executor_end (pool);
}

static void
test_cancel (void)
{
  for (Cancel cancel = 0; cancel < N_CANCELS; cancel++)
    for (guint i = 0; i < 4; i++)
      check_cancel (cancel, i & 1, i & 2);
}

/* Asked to stop, or abandoned, before it says what it answers with. */
static void
test_cancelled_earlier (void)
{
  ConcurExecutor *pool = steps_pool (2);
  guint alive = steps_count_alive ();

  for (guint i = 0; i < 4; i++)
    {
      TestGate before = { 0 };
      TestClog clog = { 0 };
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      g_autoptr (ConcurFuture) inner = i < 2 ? g_object_ref (concur_promise_get_future (promise))
                                             : test_submit (pool, test_clog_job, &clog);
      Returning returning = { .answer = inner, .before = &before };
      g_autoptr (ConcurFuture) future = NULL;

      if (i >= 2)
        test_gate_wait (&clog.begun);
      future = submit (&returning, pool, NULL);
      test_gate_wait (&returning.begun);
      concur_future_cancel (future, i % 2 ? CONCUR_CANCEL_ABANDON : CONCUR_CANCEL_NONE);
      test_gate_open (&before);
      test_gate_wait (&returning.returned);
      if (i >= 2)
        g_assert_true (concur_job_is_cancelled (CONCUR_JOB (inner)));
      else
        test_assert_cancelled (inner);
      test_gate_open (&clog.go);
      test_assert_done (future);
      if (i == 2)
        test_assert_int64 (future, 42);
      else
        test_assert_cancelled (future);
      assert_released (&returning);
      concur_future_ignore (concur_promise_get_future (promise));
    }

  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* The first future counts, and an answer that is there before it is. */
static void
test_answered_twice (void)
{
  ConcurExecutor *pool = steps_pool (1);
  guint alive = steps_count_alive ();

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (ConcurPromise) first = concur_promise_new ();
      g_autoptr (ConcurPromise) second = concur_promise_new ();
      Returning returning = { .answer = concur_promise_get_future (first) };
      g_autoptr (ConcurFuture) future = NULL;

      if (i % 2)
        returning.second = concur_promise_get_future (second);
      else
        returning.then_number = TRUE;
      if (i >= 2)
        input_complete (first, INPUT_VALUE);
      future = submit (&returning, pool, NULL);
      test_gate_wait (&returning.returned);
      concur_promise_resolve_int64 (second, 5);
      if (i == 0)
        {
          test_assert_done (future);
          test_assert_int64 (future, 9);
          assert_released (&returning);
        }
      if (i < 2)
        input_complete (first, INPUT_VALUE);
      test_assert_done (future);
      test_assert_int64 (future, i == 0 ? 9 : 41);
      assert_released (&returning);
    }

  steps_assert_alive (alive);
  test_executor_end (pool);
}

static gboolean
holding_job (ConcurJob  *job,
             gpointer    gate,
             GError    **error)
{
  concur_job_hold (job);
  test_gate_open (gate);

  return TRUE;
}

/* From another thread, once it is held. */
static void
test_held (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  TestGate held = { 0 };
  g_autoptr (ConcurFuture) future = test_submit (pool, holding_job, &held);

  test_gate_wait (&held);
  concur_job_return_future (CONCUR_JOB (future), concur_promise_get_future (promise));
  g_assert_false (concur_future_is_done (future));
  input_complete (promise, INPUT_VALUE);
  test_assert_done (future);
  test_assert_int64 (future, 41);
  test_executor_end (pool);
}

/* A loop without a stack: each round ends with a future for the next. */
typedef struct
{
  ConcurExecutor *pool;
  guint left; /* only one round at a time */
} Rounds;

static gboolean
round_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Rounds *self = data;
  g_autoptr (ConcurFuture) next = NULL;

  if (--self->left == 0)
    {
      concur_job_return_int64 (job, 1);
      return TRUE;
    }

  next = test_submit (self->pool, round_job, self);
  concur_job_return_future (job, next);

  return TRUE;
}

static gpointer
rounds_thread (gpointer data)
{
  Rounds *self = data;
  g_autoptr (ConcurFuture) future = test_submit (self->pool, round_job, self);

  test_assert_done (future);
  test_assert_int64 (future, 1);

  return NULL;
}

static void
test_loops (void)
{
  ConcurExecutor *pools[] = { steps_pool (1), CONCUR_EXECUTOR (test_keeper_new (FALSE)) };
  guint alive = steps_count_alive ();
  Rounds rounds = { pools[0], test_scaled (10000) };
  g_autoptr (ConcurFuture) future = NULL;

  g_thread_join (g_thread_new ("rounds", rounds_thread, &rounds));

  rounds = (Rounds) { pools[1], test_scaled (10000) };
  future = test_submit (pools[1], round_job, &rounds);
  while (test_keeper_run (TEST_KEEPER (pools[1])))
    ;
  test_assert_int64 (future, 1);
  g_clear_object (&future);

  /* And cancelled from the outside, when it is deep. */
  rounds = (Rounds) { pools[1], test_scaled (10000) };
  future = test_submit (pools[1], round_job, &rounds);
  while (rounds.left > 1)
    test_keeper_run (TEST_KEEPER (pools[1]));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  g_clear_object (&future);
  test_keeper_run (TEST_KEEPER (pools[1]));

  steps_assert_alive (alive);
  test_executor_end (pools[0]);
  g_object_unref (pools[1]);
}

/* Cancelled, abandoned and answered at the same moment. */
typedef struct
{
  ConcurPromise *promise;
  ConcurFuture *future;
  ConcurCancelFlags flags;
} Racing;

static gpointer
resolve_thread (gpointer data)
{
  Racing *self = data;

  input_complete (self->promise, INPUT_VALUE);

  return NULL;
}

static gpointer
cancel_thread (gpointer data)
{
  Racing *self = data;

  concur_future_cancel (self->future, self->flags);

  return NULL;
}

static void
test_race (void)
{
  ConcurExecutor *pool = steps_pool (1);
  guint rounds = test_scaled (2000), alive = steps_count_alive ();

  test_shake_start ();
  for (guint i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      Returning returning = { .answer = concur_promise_get_future (promise) };
      g_autoptr (ConcurFuture) future = submit (&returning, pool, NULL);
      Racing racing = { promise, future, i % 2 ? CONCUR_CANCEL_ABANDON : CONCUR_CANCEL_NONE };
      GThread *threads[] = { g_thread_new ("resolve", resolve_thread, &racing),
                             g_thread_new ("cancel", cancel_thread, &racing) };

      for (guint j = 0; j < G_N_ELEMENTS (threads); j++)
        g_thread_join (threads[j]);
      test_assert_done (future);
      assert_released (&returning);
    }
  test_shake_stop ();

  steps_assert_alive (alive);
  test_executor_end (pool);
}

static gboolean
mistaken_job (ConcurJob  *job,
              gpointer    promise,
              GError    **error)
{
  test_critical (concur_job_return_future (NULL, concur_promise_get_future (promise)));
  test_critical (concur_job_return_future (job, NULL));
  test_critical (concur_job_return_future (job, CONCUR_FUTURE (job)));
  concur_job_return_int64 (job, 3);

  return TRUE;
}

static void
test_mistakes (void)
{
  g_autoptr (TestKeeper) keeper = test_keeper_new (TRUE);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurFuture) future = test_submit (keeper, mistaken_job, promise);

  test_assert_int64 (future, 3);
  concur_future_ignore (concur_promise_get_future (promise));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/return-future/outcomes", test_outcomes);
  g_test_add_func ("/return-future/function-runs-on", test_function_runs_on);
  g_test_add_func ("/return-future/cancel", test_cancel);
  g_test_add_func ("/return-future/cancelled-earlier", test_cancelled_earlier);
  g_test_add_func ("/return-future/answered-twice", test_answered_twice);
  g_test_add_func ("/return-future/held", test_held);
  g_test_add_func ("/return-future/loops", test_loops);
  g_test_add_func ("/return-future/race", test_race);
  g_test_add_func ("/return-future/mistakes", test_mistakes);

  return test_run ();
}
