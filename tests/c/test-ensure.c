/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Clearing up after a future, however it ended. */

#include "config.h"

#include "test-chain.h"

static void
assert_outcome (ConcurFuture *future,
                InputOutcome  outcome)
{
  if (outcome == INPUT_VALUE)
    test_assert_int64 (future, 41);
  else if (outcome == INPUT_ERROR)
    test_assert_error (future, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  else
    test_assert_cancelled (future);
}

/* Every answer of the function after every outcome: saying nothing passes it on. */
static void
test_table (void)
{
  static const StepAnswer answers[] = { STEP_NOTHING, STEP_NUMBER, STEP_ERROR, STEP_CANCELLED };
  ConcurExecutor *pool = steps_pool (1);
  guint alive = steps_count_alive ();

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    for (InputOutcome outcome = 0; outcome < N_INPUTS; outcome++)
      for (guint where = 0; where < 2; where++)
        {
          ConcurPromise *promise = concur_promise_new ();
          Step step = { .answer = answers[i] };
          g_autoptr (ConcurFuture) future = step_after (&step, concur_future_ensure,
                                                        concur_promise_get_future (promise),
                                                        where ? pool : NULL);

          input_complete (promise, outcome);
          g_object_unref (promise);
          test_iterate_until (NULL, concur_future_is_done (future));
          if (answers[i] == STEP_NOTHING)
            assert_outcome (future, outcome);
          else if (answers[i] == STEP_NUMBER)
            test_assert_int64 (future, 7);
          else if (answers[i] == STEP_ERROR)
            test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
          else
            test_assert_cancelled (future);
          step_assert (&step, 1);
        }

  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* Cancelled, it is done at once, and the function runs all the same. */
static void
test_cancel_before (void)
{
  guint alive = steps_count_alive ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);
  Step step = { .answer = STEP_NOTHING };
  ConcurFuture *future = step_after (&step, concur_future_ensure, input, NULL);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  test_assert_cancelled (input);
  g_object_unref (future);
  step_assert (&step, 1);
  steps_assert_alive (alive + 1);
}

/* It runs when the input has really ended, not when it was asked to. */
static void
test_cancel_running_input (void)
{
  ConcurExecutor *pool = steps_pool (2);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) input = test_submit (pool, test_clog_job, &clog);
  g_autoptr (ConcurFuture) fence = NULL;
  Step step = { .answer = STEP_WAITS };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_ensure, input, pool);

  test_gate_wait (&clog.begun);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (input)));
  /* There is a thread that would have run it by now. */
  fence = test_submit (pool, test_one_job, NULL);
  test_assert_done (fence);
  g_assert_cmpuint (test_gate_get (&step.begun), ==, 0);

  test_gate_open (&clog.go);
  test_gate_wait (&step.begun);
  g_assert_true (concur_future_is_done (input));
  test_gate_open (&step.go);
  step_assert (&step, 1);
  /* The one who cancelled does not stop the clearing up. */
  g_assert_false (step.asked);
  test_assert_int64 (input, 42);
  test_executor_end (pool);
}

static void
test_cancel_while_running (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { .answer = STEP_WAITS };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_ensure,
                                                concur_promise_get_future (promise), pool);

  input_complete (promise, INPUT_VALUE);
  test_gate_wait (&step.begun);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  test_gate_open (&step.go);
  step_assert (&step, 1);
  g_assert_false (step.asked);
  test_assert_int64 (concur_promise_get_future (promise), 41);
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_executor_end (pool);
}

/* An error of the clearing up itself is not lost when nobody waits any more. */
static void
test_cancelled_then_fails (void)
{
  guint alive = steps_count_alive ();
  ConcurPromise *promise = concur_promise_new ();
  Step step = { .answer = STEP_ERROR };
  ConcurFuture *future = step_after (&step, concur_future_ensure,
                                     concur_promise_get_future (promise), NULL);

  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_object_unref (future);
  g_object_unref (promise);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "Nobody looked at the error*");
  step_assert (&step, 1);
  steps_assert_alive (alive);
  g_test_assert_expected_messages ();
}

/* Unless somebody said that it does not matter. */
static void
test_ignored_then_fails (void)
{
  guint alive = steps_count_alive ();
  ConcurPromise *promise = concur_promise_new ();
  Step step = { .answer = STEP_ERROR };
  ConcurFuture *future = step_after (&step, concur_future_ensure,
                                     concur_promise_get_future (promise), NULL);

  concur_future_ignore (future);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_object_unref (future);
  g_object_unref (promise);
  step_assert (&step, 1);
  steps_assert_alive (alive);
}

static gboolean
returns_later (ConcurJob    *job,
               ConcurFuture *input,
               gpointer      promise,
               GError      **error)
{
  concur_job_return_future (job, concur_promise_get_future (promise));

  return TRUE;
}

/* An answer that is still to come is an answer. */
static void
test_answers_later (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurPromise) later = concur_promise_new ();
  g_autoptr (ConcurFuture) future = concur_future_ensure (concur_promise_get_future (promise),
                                                          returns_later, later, NULL, NULL);

  input_complete (promise, INPUT_ERROR);
  for (guint i = 0; i < 3; i++)
    while (g_main_context_iteration (NULL, FALSE))
      ;
  g_assert_false (concur_future_is_done (future));
  concur_promise_resolve_int64 (later, 8);
  test_assert_int64 (future, 8);
}

/* Several, one after the other: each runs, the outcome goes through all. */
static void
test_several (void)
{
  for (InputOutcome outcome = 0; outcome < N_INPUTS; outcome++)
    {
      ConcurExecutor *pool = steps_pool (2);
      guint alive = steps_count_alive ();
      ConcurPromise *promise = concur_promise_new ();
      ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));
      Step steps[8] = { 0 };

      for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
        {
          ConcurFuture *next;

          steps[i].answer = STEP_NOTHING;
          next = step_after (&steps[i], concur_future_ensure, future, i % 2 ? pool : NULL);
          g_object_unref (future);
          future = next;
        }
      input_complete (promise, outcome);
      g_object_unref (promise);
      test_iterate_until (NULL, concur_future_is_done (future));
      assert_outcome (future, outcome);
      g_object_unref (future);
      for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
        step_assert (&steps[i], 1);
      steps_assert_alive (alive);
      test_executor_end (pool);
    }
}

static void
test_shut_down (void)
{
  ConcurExecutor *pool = steps_pool (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { .answer = STEP_NOTHING };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_ensure,
                                                concur_promise_get_future (promise), pool);

  test_executor_end (pool);
  input_complete (promise, INPUT_VALUE);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  step_assert (&step, 0);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);

  test_critical (g_assert_null (concur_future_ensure (NULL, step_func, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_future_ensure (input, NULL, NULL, NULL, NULL)));
  concur_future_ignore (input);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/ensure/table", test_table);
  g_test_add_func ("/ensure/cancel-before", test_cancel_before);
  g_test_add_func ("/ensure/cancel-running-input", test_cancel_running_input);
  g_test_add_func ("/ensure/cancel-while-running", test_cancel_while_running);
  g_test_add_func ("/ensure/cancelled-then-fails", test_cancelled_then_fails);
  g_test_add_func ("/ensure/ignored-then-fails", test_ignored_then_fails);
  g_test_add_func ("/ensure/answers-later", test_answers_later);
  g_test_add_func ("/ensure/several", test_several);
  g_test_add_func ("/ensure/shut-down", test_shut_down);
  g_test_add_func ("/ensure/mistakes", test_mistakes);

  return test_run ();
}
