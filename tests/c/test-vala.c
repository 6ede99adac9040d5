/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The functions behind the generic methods of Vala, called as valac calls them. What they
 * mean for programs in Vala is tested in tests/vala; here they meet the sanitizers, and
 * copies are counted. */

#include "config.h"

#include "test-util.h"

/* What a class without a GType is for valac: a pointer, and functions to copy and free. */
typedef struct
{
  gint number;
} Thing;

static gint things_alive; /* atomic */

static gpointer
thing_new (gint number)
{
  Thing *thing = g_new (Thing, 1);

  thing->number = number;
  g_atomic_int_inc (&things_alive);

  return thing;
}

static gpointer
thing_copy (gpointer thing)
{
  return thing_new (((Thing *) thing)->number);
}

static void
thing_free (gpointer thing)
{
  g_atomic_int_add (&things_alive, -1);
  g_free (thing);
}

#define THING G_TYPE_POINTER, thing_copy, thing_free
#define STRING G_TYPE_STRING, (GBoxedCopyFunc) g_strdup, g_free
#define OBJECT G_TYPE_OBJECT, (GBoxedCopyFunc) g_object_ref, g_object_unref
#define INT G_TYPE_INT, NULL, NULL

static gpointer
copy_int64 (gpointer number)
{
  return g_memdup2 (number, sizeof (gint64));
}

#define INT64 G_TYPE_INT64, copy_int64, g_free

/* A closure. */
typedef struct
{
  TestReleases released; /* first: it is what is released */
  gint number;
  TestClog *clog; /* (nullable) */
  gboolean fails;
} Closure;

static void
closure_begin (Closure *closure)
{
  if (closure->clog != NULL)
    {
      test_gate_open (&closure->clog->begun);
      test_gate_wait (&closure->clog->go);
    }
}

static gpointer
work_thing (ConcurJob  *job,
            gpointer    target,
            GError    **error)
{
  Closure *closure = target;

  closure_begin (closure);
  if (closure->fails)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "as planned");
      return NULL;
    }

  return thing_new (closure->number);
}

static gpointer
work_int (ConcurJob  *job,
          gpointer    target,
          GError    **error)
{
  return GINT_TO_POINTER (((Closure *) target)->number);
}

static gpointer
work_object (ConcurJob  *job,
             gpointer    target,
             GError    **error)
{
  return g_cancellable_new ();
}

static gpointer
step_thing (ConcurJob     *job,
            ConcurFuture  *input,
            gpointer       target,
            GError       **error)
{
  return thing_new (((Closure *) target)->number);
}

static void
closure_init (Closure *closure,
              gint     number)
{
  *closure = (Closure) { .number = number };
  closure->released.thread = g_thread_self ();
}

static ConcurFuture *
submit_thing (Closure        *closure,
              ConcurExecutor *executor)
{
  return concur_vala_submit (executor, THING, work_thing, closure, test_released, NULL);
}

static void
assert_released (Closure *closure)
{
  test_wait_until (test_releases_get (&closure->released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&closure->released), ==, 0);
}

static void
assert_no_things (void)
{
  test_wait_until (g_atomic_int_get (&things_alive) == 0);
}

/* Each reader has a copy of its own; the last is the future's. */
static void
test_copies (void)
{
  g_autoptr (GError) error = NULL;
  ConcurFuture *future;
  Closure closure;
  Thing *first, *second;

  closure_init (&closure, 5);
  future = submit_thing (&closure, concur_executor_get_default ());
  first = concur_vala_wait (future, THING, -1, &error);
  g_assert_no_error (error);
  second = concur_vala_value (future, THING, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_atomic_int_get (&things_alive), ==, 3);
  g_assert_true (first != second && first->number == 5 && second->number == 5);

  assert_released (&closure);
  thing_free (first);
  g_object_unref (future);
  thing_free (second);
  assert_no_things ();
}

static void
test_error (void)
{
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  Closure closure;

  closure_init (&closure, 5);
  closure.fails = TRUE;
  future = submit_thing (&closure, concur_executor_get_default ());
  g_assert_null (concur_vala_wait (future, THING, -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  assert_released (&closure);
}

static void
test_wrong_type (void)
{
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree gint64 *number = NULL;
  Closure closure;

  closure_init (&closure, -7);
  future = concur_vala_submit (concur_executor_get_default (), INT, work_int, &closure,
                               test_released, NULL);
  g_assert_cmpint (GPOINTER_TO_INT (concur_vala_wait (future, INT, -1, &error)), ==, -7);
  g_assert_no_error (error);
  number = concur_vala_value (future, INT64, &error);
  g_assert_no_error (error);
  g_assert_cmpint (*number, ==, -7);
  g_assert_cmpint (concur_future_get_int64 (future, &error), ==, -7);

  g_assert_null (concur_vala_value (future, STRING, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE);
  g_clear_error (&error);
  g_assert_null (concur_vala_value (future, G_TYPE_UINT, NULL, NULL, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE);
  assert_released (&closure);
}

/* Whatever comes first, the answer or who gives the job up, a result is freed once. */
static void
test_abandoned (void)
{
  for (guint i = 0; i < test_scaled (500); i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      TestClog clog = { 0 };
      Closure closure;

      closure_init (&closure, 5);
      closure.clog = &clog;
      future = submit_thing (&closure, concur_executor_get_default ());
      test_gate_wait (&clog.begun);
      if (i % 2 == 0)
        concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
      test_gate_open (&clog.go);
      if (i % 2 != 0)
        concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
      assert_released (&closure);
    }
  assert_no_things ();
}

typedef struct
{
  gpointer result;
  GError *error;
  gboolean called;
} Outcome;

static void
run_ready (GObject      *source_object,
           GAsyncResult *result,
           gpointer      user_data)
{
  Outcome *outcome = user_data;

  outcome->result = concur_vala_run_finish (CONCUR_EXECUTOR (source_object), result,
                                            &outcome->error);
  outcome->called = TRUE;
}

static void
result_ready (GObject      *source_object,
              GAsyncResult *result,
              gpointer      user_data)
{
  Outcome *outcome = user_data;

  outcome->result = concur_vala_result_finish (CONCUR_FUTURE (source_object), result,
                                               &outcome->error);
  outcome->called = TRUE;
}

static void
test_run_and_finish (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();
  Outcome outcome = { 0 };
  Closure closure;

  closure_init (&closure, 6);
  concur_vala_run (executor, THING, work_thing, &closure, test_released, NULL, run_ready,
                   &outcome);
  test_iterate_until (NULL, outcome.called);
  g_assert_no_error (outcome.error);
  g_assert_cmpint (((Thing *) outcome.result)->number, ==, 6);
  thing_free (outcome.result);
  test_iterate_until (NULL, test_releases_get (&closure.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&closure.released), ==, 0);
  assert_no_things ();

  /* Declared as a parent, it is still what it is. */
  outcome = (Outcome) { 0 };
  closure_init (&closure, 6);
  concur_vala_run (executor, OBJECT, work_object, &closure, test_released, NULL, run_ready,
                   &outcome);
  test_iterate_until (NULL, outcome.called);
  g_assert_true (G_IS_CANCELLABLE (outcome.result));
  g_object_unref (outcome.result);
  test_iterate_until (NULL, test_releases_get (&closure.released) == 1);
}

static void
test_given_up (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;
  Outcome outcome = { 0 };
  TestClog clog = { 0 };
  Closure closure;

  closure_init (&closure, 6);
  closure.clog = &clog;
  future = submit_thing (&closure, concur_executor_get_default ());
  concur_vala_result (future, THING, cancellable, result_ready, &outcome);
  g_cancellable_cancel (cancellable);
  test_iterate_until (NULL, outcome.called);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&outcome.error);
  g_assert_false (concur_future_is_done (future));

  test_gate_open (&clog.go);
  outcome = (Outcome) { 0 };
  concur_vala_result (future, THING, NULL, result_ready, &outcome);
  test_iterate_until (NULL, outcome.called);
  g_assert_no_error (outcome.error);
  thing_free (outcome.result);
  test_iterate_until (NULL, test_releases_get (&closure.released) == 1);
}

static void
test_steps (void)
{
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) passed = NULL;
  g_autoptr (ConcurFuture) recovered = NULL;
  g_autoptr (ConcurFuture) last = NULL;
  g_autoptr (GError) error = NULL;
  Closure closures[4];
  Thing *thing;

  for (guint i = 0; i < G_N_ELEMENTS (closures); i++)
    closure_init (&closures[i], (gint) i);
  closures[0].fails = TRUE;
  first = submit_thing (&closures[0], concur_executor_get_default ());
  passed = concur_vala_continue (first, THING, step_thing, &closures[1], test_released,
                                 concur_executor_get_default ());
  recovered = concur_vala_recover (passed, THING, step_thing, &closures[2], test_released,
                                   concur_executor_get_default ());
  last = concur_vala_continue (recovered, THING, step_thing, &closures[3], test_released,
                               concur_executor_get_default ());

  thing = concur_vala_wait (last, THING, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (thing->number, ==, 3);
  thing_free (thing);
  thing = concur_vala_value (recovered, THING, &error);
  g_assert_cmpint (thing->number, ==, 2);
  thing_free (thing);
  for (guint i = 0; i < G_N_ELEMENTS (closures); i++)
    assert_released (&closures[i]);
}

static void
test_call (void)
{
  g_autoptr (ConcurLoopThread) thread = concur_loop_thread_new (NULL);
  g_autoptr (GError) error = NULL;
  TestClog clog = { 0 };
  Closure closure, late;
  Thing *thing;

  g_assert_true (concur_loop_thread_start (thread, &error));
  closure_init (&closure, 8);
  thing = concur_vala_call (thread, THING, work_thing, &closure, test_released, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (thing->number, ==, 8);
  thing_free (thing);

  closure_init (&late, 9);
  late.clog = &clog;
  g_assert_null (concur_vala_call (thread, THING, work_thing, &late, test_released, 1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&error);
  test_gate_open (&clog.go);
  g_assert_true (concur_loop_thread_stop (thread, -1, &error));
  test_wait_until (test_releases_get (&closure.released) == 1);
  test_wait_until (test_releases_get (&late.released) == 1);
  assert_no_things ();
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);
  g_test_add_func ("/vala/copies", test_copies);
  g_test_add_func ("/vala/error", test_error);
  g_test_add_func ("/vala/wrong-type", test_wrong_type);
  g_test_add_func ("/vala/abandoned", test_abandoned);
  g_test_add_func ("/vala/run", test_run_and_finish);
  g_test_add_func ("/vala/given-up", test_given_up);
  g_test_add_func ("/vala/steps", test_steps);
  g_test_add_func ("/vala/call", test_call);

  return test_run ();
}
