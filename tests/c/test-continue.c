/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Going on from a future: who runs after what, what cancelling does, and that all is
 * released at home, once. The table has recover () and ensure () too. Where it runs is in
 * test-continue-where.c. */

#include "config.h"

#include "test-chain.h"

typedef enum
{
  WHEN_BEFORE,    /* the input is done already */
  WHEN_AFTER,     /* it is done later, here */
  WHEN_ELSEWHERE, /* and on another thread */
  N_WHEN
} When;

typedef struct
{
  ConcurPromise *promise;
  InputOutcome outcome;
} Completion;

static gpointer
complete_thread (gpointer data)
{
  Completion *self = data;

  input_complete (self->promise, self->outcome);

  return NULL;
}

static const StepHow hows[] = { concur_future_continue_with, concur_future_recover,
                                concur_future_ensure };

/* Whether it runs after a value, an error and a cancellation. */
static const gboolean runs[][N_INPUTS] = { { TRUE, FALSE, FALSE }, { FALSE, TRUE, FALSE },
                                           { TRUE, TRUE, TRUE } };

static void
check_table (guint        how,
             InputOutcome outcome,
             When         when,
             gpointer     executor)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);
  Completion completion = { promise, outcome };
  g_autoptr (ConcurFuture) future = NULL;
  Step step = { .answer = STEP_NUMBER };

  if (when == WHEN_BEFORE)
    input_complete (promise, outcome);
  future = step_after (&step, hows[how], input, executor);
  if (when == WHEN_AFTER)
    input_complete (promise, outcome);
  else if (when == WHEN_ELSEWHERE)
    g_thread_join (g_thread_new ("complete", complete_thread, &completion));

  /* Passed on at once; run only from a dispatch. */
  if (!runs[how][outcome])
    g_assert_true (concur_future_is_done (future));
  else if (executor == NULL)
    g_assert_false (concur_future_is_done (future));

  test_iterate_until (NULL, concur_future_is_done (future));
  if (runs[how][outcome] || outcome == INPUT_VALUE)
    test_assert_int64 (future, runs[how][outcome] ? 7 : 41);
  else if (outcome == INPUT_ERROR)
    test_assert_error (future, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  else
    test_assert_cancelled (future);
  step_assert (&step, runs[how][outcome] ? 1 : 0);
}

static void
test_table (void)
{
  ConcurExecutor *pool = steps_pool (2);
  guint alive = steps_count_alive ();

  for (guint how = 0; how < G_N_ELEMENTS (hows); how++)
    for (InputOutcome outcome = 0; outcome < N_INPUTS; outcome++)
      for (When when = 0; when < N_WHEN; when++)
        {
          check_table (how, outcome, when, NULL);
          check_table (how, outcome, when, pool);
        }

  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* Every answer of the function, and none. */
static void
test_answers (void)
{
  static const StepAnswer answers[] = { STEP_PLUS_ONE, STEP_ERROR, STEP_CANCELLED, STEP_NOTHING };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      Step step = { .answer = answers[i] };
      g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                    concur_promise_get_future (promise), NULL);

      input_complete (promise, INPUT_VALUE);
      test_iterate_until (NULL, concur_future_is_done (future));
      if (i == 0)
        test_assert_int64 (future, 42);
      else if (i == 1)
        test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
      else if (i == 2)
        test_assert_cancelled (future);
      else
        test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
      step_assert (&step, 1);
    }
}

/* Cancelling */

static void
test_cancel_before (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with, input, NULL);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  test_assert_cancelled (input);
  step_assert (&step, 0);
}

/* The input is done, the function has not begun: there is nothing more to cancel above. */
static void
test_cancel_queued (void)
{
  g_autoptr (TestKeeper) keeper = test_keeper_new (FALSE);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                concur_promise_get_future (promise), keeper);

  input_complete (promise, INPUT_VALUE);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  test_assert_int64 (concur_promise_get_future (promise), 41);
  g_assert_true (test_keeper_run (keeper));
  step_assert (&step, 0);
}

static void
check_cancel_running (ConcurCancelFlags flags)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { .answer = STEP_WAITS };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                concur_promise_get_future (promise), pool);

  input_complete (promise, INPUT_VALUE);
  test_gate_wait (&step.begun);
  g_assert_true (concur_future_cancel (future, flags));
  g_assert_cmpint (concur_future_is_done (future), ==, (flags & CONCUR_CANCEL_ABANDON) != 0);
  test_gate_open (&step.go);
  test_assert_done (future);
  if (flags & CONCUR_CANCEL_ABANDON)
    test_assert_cancelled (future);
  else
    test_assert_int64 (future, 7);
  step_assert (&step, 1);
  g_assert_true (step.asked);
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_int64 (concur_promise_get_future (promise), 41);
  test_executor_end (pool);
}

static void
test_cancel_running (void)
{
  check_cancel_running (CONCUR_CANCEL_NONE);
  check_cancel_running (CONCUR_CANCEL_ABANDON);
}

/* A running input is asked to stop; the derived future does not wait for it. */
static void
test_cancel_running_input (void)
{
  ConcurExecutor *pool = steps_pool (1);
  TestGate begun = { 0 };
  g_autoptr (ConcurFuture) input = test_submit (pool, test_endless_job, &begun);
  Step step = { 0 };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with, input, pool);

  test_gate_wait (&begun);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  test_assert_cancelled (future);
  test_assert_done (input);
  test_assert_cancelled (input);
  step_assert (&step, 0);
  test_executor_end (pool);
}

/* What derives from the same input ends with it; what it was made for ends too. */
static void
test_cancel_middle (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);
  Step steps[4] = { 0 };
  g_autoptr (ConcurFuture) first = step_after (&steps[0], concur_future_continue_with, input, NULL);
  g_autoptr (ConcurFuture) middle = step_after (&steps[1], concur_future_continue_with, first, NULL);
  g_autoptr (ConcurFuture) last = step_after (&steps[2], concur_future_continue_with, middle, NULL);
  g_autoptr (ConcurFuture) beside = step_after (&steps[3], concur_future_continue_with, first, NULL);

  concur_future_cancel (middle, CONCUR_CANCEL_NONE);
  test_assert_cancelled (input);
  test_assert_cancelled (first);
  test_assert_cancelled (last);
  test_assert_cancelled (beside);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    step_assert (&steps[i], 0);
}

/* Nobody keeps anything but the two ends, then not even those. */
static void
test_forgotten (void)
{
  ConcurExecutor *pool = steps_pool (2);
  guint alive = steps_count_alive ();
  Step steps[6] = { 0 };

  for (guint round = 0; round < 2; round++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      g_autoptr (ConcurFuture) tail = g_object_ref (concur_promise_get_future (promise));

      memset (steps, 0, sizeof steps);
      for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
        {
          ConcurFuture *next = step_after (&steps[i], concur_future_continue_with, tail,
                                           i % 2 ? pool : NULL);

          g_object_unref (tail);
          tail = next;
        }
      if (round == 1)
        g_clear_object (&tail);
      input_complete (promise, INPUT_VALUE);
      g_clear_object (&promise);
      for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
        step_assert (&steps[i], 1);
      if (tail != NULL)
        test_assert_int64 (tail, 41 + G_N_ELEMENTS (steps));
    }

  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* The executor and the input go at home, too. */
static void
test_releases (void)
{
  for (guint round = 0; round < 4; round++)
    {
      TestReleases releases[2] = { { .thread = g_thread_self () }, { .thread = g_thread_self () } };
      ConcurPromise *promise = concur_promise_new ();
      TestKeeper *keeper = test_keeper_new (round == 0);
      Completion completion = { promise, round == 2 ? INPUT_ERROR : INPUT_VALUE };
      Step step = { 0 };
      ConcurFuture *future;

      test_releases_watch (&releases[0], concur_promise_get_future (promise));
      test_releases_watch (&releases[1], keeper);
      future = step_after (&step, concur_future_continue_with, concur_promise_get_future (promise),
                           keeper);
      if (round == 3)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      else
        g_thread_join (g_thread_new ("complete", complete_thread, &completion));
      if (round == 1)
        g_assert_true (test_keeper_run (keeper));
      g_assert_true (concur_future_is_done (future));
      concur_future_ignore (future);
      g_object_unref (keeper);
      g_object_unref (promise);
      step_assert (&step, round < 2 ? 1 : 0);
      g_object_unref (future);
      for (guint i = 0; i < 2; i++)
        {
          test_wait_until (test_releases_get (&releases[i]) == 1);
          g_assert_cmpuint (test_releases_get_wrong (&releases[i]), ==, 0);
        }
    }
}

/* An error that is passed on was looked at; where it stops, somebody has to. */
static void
test_observed (void)
{
  for (guint looked = 0; looked < 2; looked++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      Step steps[2] = { 0 };
      g_autoptr (ConcurFuture) first = step_after (&steps[0], concur_future_continue_with,
                                                   concur_promise_get_future (promise), NULL);
      g_autoptr (ConcurFuture) last = step_after (&steps[1], concur_future_continue_with, first, NULL);

      input_complete (promise, INPUT_ERROR);
      g_clear_object (&promise);
      g_clear_object (&first);
      step_assert (&steps[0], 0);
      step_assert (&steps[1], 0);
      if (looked)
        test_assert_error (last, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
      else
        g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "Nobody looked at the error*");
      g_clear_object (&last);
      g_test_assert_expected_messages ();
    }
}

/* Races */

typedef struct
{
  ConcurFuture *future; /* to be cancelled */
  TestGate go;
} Canceller;

static gpointer
cancel_thread (gpointer data)
{
  Canceller *self = data;

  test_gate_wait (&self->go);
  concur_future_cancel (self->future, CONCUR_CANCEL_NONE);

  return NULL;
}

/* The input gets done, what derives from it is cancelled, and a third one is asked for,
 * all at once: each of them ends, and is released here, once. */
static void
test_race (void)
{
  ConcurExecutor *pool = steps_pool (2);
  guint rounds = test_scaled (1500), alive = steps_count_alive ();

  test_shake_start ();
  for (guint i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      ConcurFuture *input = concur_promise_get_future (promise);
      Step steps[3] = { 0 };
      g_autoptr (ConcurFuture) first = step_after (&steps[0], hows[i % 3], input, pool);
      g_autoptr (ConcurFuture) second = step_after (&steps[1], hows[i / 3 % 3], first, pool);
      g_autoptr (ConcurFuture) third = NULL;
      Canceller canceller = { .future = i % 2 ? second : first };
      Completion completion = { promise, i % 2 };
      GThread *threads[2];

      threads[0] = g_thread_new ("cancel", cancel_thread, &canceller);
      test_gate_open (&canceller.go);
      threads[1] = g_thread_new ("complete", complete_thread, &completion);
      third = step_after (&steps[2], hows[i / 9 % 3], first, pool);
      for (guint j = 0; j < 2; j++)
        g_thread_join (threads[j]);

      g_assert_true (concur_future_is_done (input));
      test_assert_done (first);
      test_assert_done (second);
      test_assert_done (third);
      concur_future_ignore (input);
      concur_future_ignore (first);
      concur_future_ignore (second);
      concur_future_ignore (third);
      for (guint j = 0; j < 3; j++)
        step_assert (&steps[j], steps[j].n_run);
    }
  test_shake_stop ();
  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* Between two threads that have nothing but a promise. */
static void
test_race_connect (void)
{
  TestKeeper *keeper = test_keeper_new (TRUE);
  guint rounds = test_scaled (3000), alive = steps_count_alive ();

  test_shake_start ();
  for (guint i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      Completion completion = { promise, INPUT_VALUE };
      GThread *thread = g_thread_new ("complete", complete_thread, &completion);
      Step step = { 0 };
      g_autoptr (ConcurFuture) future = step_after (&step, concur_future_continue_with,
                                                    concur_promise_get_future (promise), keeper);

      g_thread_join (thread);
      test_assert_int64 (future, 42);
      step_assert (&step, 1);
    }
  test_shake_stop ();
  g_object_unref (keeper);
  steps_assert_alive (alive);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);
  Step step = { .answer = STEP_NUMBER };
  g_autoptr (ConcurFuture) future = NULL;
  ConcurExecutor *pool = steps_pool (1);

  test_critical (g_assert_null (concur_future_continue_with (NULL, step_func, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_future_continue_with (input, NULL, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_future_continue_with (input, step_func, NULL, NULL,
                                                             (ConcurExecutor *) promise)));

  /* It is a job, which nobody may submit again. */
  future = step_after (&step, concur_future_continue_with, input, pool);
  g_assert_true (CONCUR_IS_JOB (future));
  test_critical (g_assert_null (concur_executor_submit_job (pool, CONCUR_JOB (future), NULL)));
  input_complete (promise, INPUT_VALUE);
  test_assert_done (future);
  step_assert (&step, 1);
  test_executor_end (pool);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/continue/table", test_table);
  g_test_add_func ("/continue/answers", test_answers);
  g_test_add_func ("/continue/cancel/before", test_cancel_before);
  g_test_add_func ("/continue/cancel/queued", test_cancel_queued);
  g_test_add_func ("/continue/cancel/running", test_cancel_running);
  g_test_add_func ("/continue/cancel/running-input", test_cancel_running_input);
  g_test_add_func ("/continue/cancel/middle", test_cancel_middle);
  g_test_add_func ("/continue/forgotten", test_forgotten);
  g_test_add_func ("/continue/releases", test_releases);
  g_test_add_func ("/continue/observed", test_observed);
  g_test_add_func ("/continue/race", test_race);
  g_test_add_func ("/continue/race-connect", test_race_connect);
  g_test_add_func ("/continue/mistakes", test_mistakes);

  return test_run ();
}
