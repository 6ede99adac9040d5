/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Going on from an error. What it has in common with continue_with () is tested there. */

#include "config.h"

#include "test-chain.h"

/* The function sees the error, and answers in its place. */
static void
test_recovers (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { .answer = STEP_NUMBER };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_recover,
                                                concur_promise_get_future (promise), NULL);

  input_complete (promise, INPUT_ERROR);
  /* Being handed it counts as a look: no warning when it goes. */
  g_clear_object (&promise);
  test_iterate_until (NULL, concur_future_is_done (future));
  test_assert_int64 (future, 7);
  step_assert (&step, 1);
}

static void
test_fails_again (void)
{
  static const StepAnswer answers[] = { STEP_ERROR, STEP_CANCELLED, STEP_NOTHING };

  for (guint i = 0; i < G_N_ELEMENTS (answers); i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      Step step = { .answer = answers[i] };
      g_autoptr (ConcurFuture) future = step_after (&step, concur_future_recover,
                                                    concur_promise_get_future (promise), NULL);

      input_complete (promise, INPUT_ERROR);
      test_iterate_until (NULL, concur_future_is_done (future));
      if (i == 0)
        test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
      else if (i == 1)
        test_assert_cancelled (future);
      else
        test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
      step_assert (&step, 1);
    }
}

/* A value goes through as it is: its type, and the very object. */
static void
test_same_value (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GObject) object = G_OBJECT (g_cancellable_new ());
  Step step = { .answer = STEP_NUMBER };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_recover,
                                                concur_promise_get_future (promise), NULL);
  g_autoptr (GError) error = NULL;
  const GValue *value;

  concur_promise_resolve_object (promise, object);
  value = concur_future_get_value (future, &error);
  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS (value, G_TYPE_CANCELLABLE));
  g_assert_true (g_value_get_object (value) == object);
  step_assert (&step, 0);
}

/* The error comes a long way, past those that want a value, to the first that wants it. */
static void
test_far (void)
{
  ConcurExecutor *pool = steps_pool (2);
  guint alive = steps_count_alive ();
  ConcurPromise *promise = concur_promise_new ();
  Step steps[5] = { 0 };
  ConcurFuture *futures[5], *input = concur_promise_get_future (promise);

  steps[3].answer = STEP_NUMBER;
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      futures[i] = step_after (&steps[i], i == 3 ? concur_future_recover : concur_future_continue_with,
                               input, i % 2 ? pool : NULL);
      input = futures[i];
    }
  for (guint i = 0; i < 4; i++)
    g_object_unref (futures[i]);

  input_complete (promise, INPUT_ERROR);
  g_object_unref (promise);
  test_iterate_until (NULL, concur_future_is_done (futures[4]));
  test_assert_int64 (futures[4], 8);
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    step_assert (&steps[i], i >= 3);
  g_object_unref (futures[4]);
  steps_assert_alive (alive);
  test_executor_end (pool);
}

/* The promise that nobody kept is an error like any other. */
static void
test_broken (void)
{
  ConcurPromise *promise = concur_promise_new ();
  Step step = { .answer = STEP_NUMBER };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_recover,
                                                concur_promise_get_future (promise), NULL);

  g_object_unref (promise);
  test_iterate_until (NULL, concur_future_is_done (future));
  test_assert_int64 (future, 7);
  step_assert (&step, 1);
}

static void
test_cancel (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Step step = { .answer = STEP_NUMBER };
  g_autoptr (ConcurFuture) future = step_after (&step, concur_future_recover,
                                                concur_promise_get_future (promise), NULL);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  test_assert_cancelled (concur_promise_get_future (promise));
  step_assert (&step, 0);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *input = concur_promise_get_future (promise);

  test_critical (g_assert_null (concur_future_recover (NULL, step_func, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_future_recover (input, NULL, NULL, NULL, NULL)));
  concur_future_ignore (input);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/recover/recovers", test_recovers);
  g_test_add_func ("/recover/fails-again", test_fails_again);
  g_test_add_func ("/recover/same-value", test_same_value);
  g_test_add_func ("/recover/far", test_far);
  g_test_add_func ("/recover/broken", test_broken);
  g_test_add_func ("/recover/cancel", test_cancel);
  g_test_add_func ("/recover/mistakes", test_mistakes);

  return test_run ();
}
