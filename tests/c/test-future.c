/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* States, waiting, and reading without a type. The rest of a future is in
 * test-future-*.c. */

#include "config.h"

#include "test-util.h"

static GError *
an_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "not there");
}

static ConcurFuture *
future_resolved (gint64 value)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();

  g_assert_true (concur_promise_resolve_int64 (promise, value));

  return g_object_ref (concur_promise_get_future (promise));
}

static ConcurFuture *
future_rejected (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = an_error ();

  g_assert_true (concur_promise_reject (promise, error));

  return g_object_ref (concur_promise_get_future (promise));
}

static void
test_state_of_promise (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  g_autoptr (ConcurFuture) rejected = future_rejected ();

  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);
  g_assert_false (concur_future_is_done (future));

  concur_promise_resolve_boolean (promise, TRUE);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RESOLVED);
  g_assert_true (concur_future_is_done (future));

  g_assert_cmpint (concur_future_get_state (rejected), ==, CONCUR_FUTURE_STATE_REJECTED);
  g_assert_true (concur_future_is_done (rejected));
  concur_future_ignore (rejected);
}

static void
test_state_of_job (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) first = NULL, second = NULL, third = NULL;
  TestClog clog = { 0 }, other = { 0 };

  first = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  test_gate_wait (&clog.begun);
  second = concur_executor_submit (executor, test_clog_job, &other, NULL, NULL);
  third = concur_executor_submit (executor, test_clog_job, &other, NULL, NULL);

  g_assert_cmpint (concur_future_get_state (first), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_false (concur_future_is_done (first));
  g_assert_cmpint (concur_future_get_state (second), ==, CONCUR_FUTURE_STATE_PENDING);

  g_assert_true (concur_future_cancel (third, CONCUR_CANCEL_NONE));
  g_assert_cmpint (concur_future_get_state (third), ==, CONCUR_FUTURE_STATE_CANCELLED);
  g_assert_true (concur_future_is_done (third));

  test_gate_open (&clog.go);
  g_assert_true (concur_future_wait (first, -1));
  g_assert_cmpint (concur_future_get_state (first), ==, CONCUR_FUTURE_STATE_RESOLVED);

  test_gate_open (&other.go);
  test_executor_end (executor);
}

static void
test_wait_zero (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);

  g_assert_false (concur_future_wait (future, 0));
  concur_promise_resolve_int64 (promise, 1);
  g_assert_true (concur_future_wait (future, 0));
  g_assert_true (concur_future_wait (future, -1));
  g_assert_true (concur_future_wait (future, 1));
}

static void
test_wait_times_out (void)
{
  const gint64 timeouts[] = { 1, 999, 1000, 20 * 1000, 60 * 1000 };
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      gint64 before = g_get_monotonic_time ();

      g_assert_false (concur_future_wait (future, timeouts[i]));
      /* Not a moment too early; how late is up to the machine. */
      g_assert_cmpint (g_get_monotonic_time () - before, >=, timeouts[i]);
    }

  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);
  concur_promise_resolve_int64 (promise, 1);
}

typedef struct
{
  ConcurFuture *future;
  gint64 timeout;
  TestGate *begun;
} Waiter;

static gpointer
waiter_thread (gpointer data)
{
  Waiter *self = data;

  test_gate_open (self->begun);
  g_assert_true (concur_future_wait (self->future, self->timeout));
  test_assert_int64 (self->future, 7);

  return NULL;
}

static void
wait_with_threads (guint         n,
                   const gint64 *timeouts,
                   guint         n_timeouts)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autofree Waiter *waiters = g_new0 (Waiter, n);
  g_autofree GThread **threads = g_new0 (GThread *, n);
  TestGate begun = { 0 };
  guint i;

  for (i = 0; i < n; i++)
    {
      waiters[i].future = concur_promise_get_future (promise);
      waiters[i].timeout = timeouts[i % n_timeouts];
      waiters[i].begun = &begun;
      threads[i] = g_thread_new ("waiter", waiter_thread, &waiters[i]);
    }

  test_gate_wait_n (&begun, n);
  g_assert_true (concur_promise_resolve_int64 (promise, 7));
  for (i = 0; i < n; i++)
    g_thread_join (threads[i]);
}

static void
test_wait_for_ever (void)
{
  /* Any negative number is for ever; the largest ones are beyond the clock. */
  const gint64 timeouts[] = { -1, G_MAXINT64, G_MAXINT64 - 1, G_MAXINT64 / 2, G_MININT64, -2 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (timeouts); i++)
    wait_with_threads (1, &timeouts[i], 1);
}

static void
test_wait_many_waiters (void)
{
  const gint64 timeouts[] = { -1, TEST_PATIENCE_US, G_MAXINT64 };
  guint rounds = test_scaled (50), i;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    wait_with_threads (24, timeouts, G_N_ELEMENTS (timeouts));
  test_shake_stop ();
}

typedef struct
{
  ConcurPromise **promises;
  guint n;
  TestGate *gate;
} Resolver;

static gpointer
resolver_thread (gpointer data)
{
  Resolver *self = data;
  guint i;

  for (i = 0; i < self->n; i++)
    {
      test_gate_wait_n (self->gate, i + 1);
      concur_promise_resolve_int64 (self->promises[i], i);
      g_object_unref (self->promises[i]);
    }

  return NULL;
}

/* The resolver comes at every moment between the waiter's first look and its sleep. A
 * wake-up that gets lost hangs, and the deadline of the other wait tells. */
static void
test_wait_races_resolve (void)
{
  guint rounds = test_scaled (20000), i;
  g_autofree ConcurPromise **promises = g_new0 (ConcurPromise *, rounds);
  TestGate gate = { 0 };
  Resolver resolver = { promises, rounds, &gate };
  GThread *thread;

  for (i = 0; i < rounds; i++)
    promises[i] = concur_promise_new ();

  thread = g_thread_new ("resolver", resolver_thread, &resolver);
  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      ConcurFuture *future = g_object_ref (concur_promise_get_future (promises[i]));
      gint64 tiny = i % 50;

      test_gate_open (&gate);
      /* A timeout that passes at the same moment changes nothing but the answer. */
      if (!concur_future_wait (future, tiny))
        g_assert_true (concur_future_wait (future, i % 2 ? -1 : TEST_PATIENCE_US));
      test_assert_int64 (future, i);
      g_object_unref (future);
    }
  test_shake_stop ();
  g_thread_join (thread);
}

static void
test_wait_any_outcome (void)
{
  g_autoptr (ConcurFuture) rejected = future_rejected ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();

  g_assert_true (concur_future_wait (rejected, -1));
  test_assert_error (rejected, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);

  concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
  g_assert_true (concur_future_wait (concur_promise_get_future (promise), -1));
}

static gboolean
count_idle (gpointer n)
{
  (*(guint *) n)++;

  return G_SOURCE_REMOVE;
}

static void
test_wait_runs_no_loop (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurFuture) future = NULL;
  TestClog clog = { 0 };
  guint n_idle = 0;

  g_idle_add (count_idle, &n_idle);
  test_gate_open (&clog.go);
  future = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  g_assert_true (concur_future_wait (future, -1));
  g_assert_false (concur_future_wait (concur_promise_get_future (promise), 1000));
  concur_promise_resolve (promise, NULL);
  g_assert_cmpuint (n_idle, ==, 0);

  test_iterate_until (NULL, n_idle == 1);
  test_executor_end (executor);
}

static void
test_wait_lets_go (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) first = NULL, last = NULL;
  TestClog clog = { 0 };

  test_gate_open (&clog.go);
  first = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  test_releases_watch (&releases, first);
  last = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  g_clear_object (&first);

  /* The only worker goes to the second job after it has sent the first one home. */
  g_assert_true (concur_future_wait (last, -1));
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_executor_end (executor);
}

static void
test_result (void)
{
  g_autoptr (ConcurFuture) resolved = future_resolved (3);
  g_autoptr (ConcurFuture) rejected = future_rejected ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = NULL;
  const GValue *value;

  value = concur_future_result (resolved, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_int64 (value), ==, 3);
  g_assert_true (value == concur_future_result (resolved, 0, NULL));

  g_assert_null (concur_future_result (rejected, -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_cmpstr (error->message, ==, "not there");
  g_clear_error (&error);
  g_assert_null (concur_future_result (rejected, -1, NULL));

  concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
  g_assert_null (concur_future_result (concur_promise_get_future (promise), -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_result_waits (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  TestClog clog = { 0 };

  future = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  g_assert_null (concur_future_result (future, 0, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_null (concur_future_result (future, 2000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&error);
  g_assert_null (concur_future_result (future, 1, NULL));

  /* The work went on. */
  test_gate_open (&clog.go);
  g_assert_nonnull (concur_future_result (future, -1, &error));
  g_assert_no_error (error);
  test_assert_int64 (future, 42);
  test_executor_end (executor);
}

static void
test_get_value_pending (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  g_autoptr (GError) error = NULL;

  g_assert_null (concur_future_get_value (future, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_PENDING);
  g_assert_null (concur_future_get_value (future, NULL));
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_PENDING);
  g_assert_false (concur_future_check (future, NULL));
  g_assert_null (concur_future_get_error (future));

  concur_promise_resolve_int64 (promise, 1);
  g_assert_true (concur_future_check (future, NULL));
}

static void
test_get_value_of_none (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = NULL;
  const GValue *value;

  concur_promise_resolve (promise, NULL);
  value = concur_future_get_value (concur_promise_get_future (promise), &error);
  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS (value, G_TYPE_OBJECT));
  g_assert_null (g_value_get_object (value));
}

/* It is the future's own copy, the same every time, and there until the future goes. */
static void
test_get_value_lives (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));
  g_autofree char *text = g_strdup ("as it was");
  TestReleases releases = { 0 };
  GValue given = G_VALUE_INIT;
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  const GValue *value;

  g_value_init (&given, G_TYPE_STRING);
  g_value_set_static_string (&given, text);
  concur_promise_resolve (promise, &given);
  g_value_unset (&given);
  text[0] = 'X';

  value = concur_future_get_value (future, NULL);
  g_assert_cmpstr (g_value_get_string (value), ==, "as it was");
  g_clear_object (&promise);
  g_assert_true (concur_future_get_value (future, NULL) == value);
  g_assert_cmpstr (g_value_get_string (value), ==, "as it was");
  g_object_unref (future);

  promise = concur_promise_new ();
  future = g_object_ref (concur_promise_get_future (promise));
  test_releases_watch (&releases, object);
  concur_promise_resolve_object (promise, object);
  g_object_unref (object);
  g_clear_object (&promise);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_assert_true (G_IS_OBJECT (g_value_get_object (concur_future_get_value (future, NULL))));
  g_object_unref (future);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
}

static void
test_get_error (void)
{
  g_autoptr (ConcurFuture) resolved = future_resolved (1);
  g_autoptr (ConcurFuture) rejected = future_rejected ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  const GError *error;

  g_assert_null (concur_future_get_error (resolved));
  g_assert_null (concur_future_get_error (concur_promise_get_future (promise)));

  error = concur_future_get_error (rejected);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_true (concur_future_get_error (rejected) == error);

  concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
  error = concur_future_get_error (concur_promise_get_future (promise));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_async_result (void)
{
  g_autoptr (ConcurFuture) future = future_resolved (1);
  GAsyncResult *result = G_ASYNC_RESULT (future);
  GObject *source = g_async_result_get_source_object (result);
  g_autoptr (GError) error = NULL;

  g_assert_true (source == G_OBJECT (future));
  g_object_unref (source);
  g_assert_null (g_async_result_get_user_data (result));
  g_assert_false (g_async_result_is_tagged (result, test_async_result));
  g_assert_false (g_async_result_legacy_propagate_error (result, &error));
}

static void
never (ConcurFuture *future,
       gpointer      data)
{
  g_assert_not_reached ();
}

/* Each is called with NULL and with an object of another class. */
static void
test_mistakes (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (ConcurFuture) future = future_resolved (1);
  gpointer wrong[] = { NULL, object };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ConcurFuture *self = wrong[i];
      g_autoptr (GError) error = NULL;

      test_critical (concur_future_get_state (self));
      test_critical (concur_future_is_done (self));
      test_critical (g_assert_false (concur_future_wait (self, -1)));
      test_critical (g_assert_null (concur_future_result (self, -1, &error)));
      test_critical (g_assert_null (concur_future_get_value (self, &error)));
      test_critical (g_assert_false (concur_future_check (self, &error)));
      test_critical (g_assert_null (concur_future_get_error (self)));
      test_critical (g_assert_null (concur_future_dup_string (self, &error)));
      test_critical (g_assert_null (concur_future_dup_object (self, &error)));
      test_critical (g_assert_null (concur_future_dup_bytes (self, &error)));
      test_critical (g_assert_null (concur_future_dup_variant (self, &error)));
      test_critical (g_assert_cmpint (concur_future_get_int64 (self, &error), ==, 0));
      test_critical (g_assert_cmpfloat (concur_future_get_double (self, &error), ==, 0));
      test_critical (g_assert_false (concur_future_get_boolean (self, &error)));
      test_critical (concur_future_wait_async (self, NULL, NULL, NULL));
      test_critical (g_assert_null (concur_future_wait_finish (self, NULL, &error)));
      test_critical (g_assert_cmpuint (concur_future_when_done (self, never, NULL, NULL, NULL), ==, 0));
      test_critical (g_assert_cmpuint (concur_future_add_direct_callback (self, never, NULL, NULL), ==, 0));
      test_critical (concur_future_disconnect_done (self, 1));
      test_critical (g_assert_false (concur_future_cancel (self, CONCUR_CANCEL_NONE)));
      test_critical (concur_future_ignore (self));
      test_critical (concur_future_set_name (self, "name"));
      test_critical (g_assert_null (concur_future_dup_name (self)));
      test_critical (concur_future_get_progress (self));
      test_critical (g_assert_null (concur_future_dup_status_text (self)));
      g_assert_no_error (error);
    }

  test_critical (g_assert_cmpuint (concur_future_when_done (future, NULL, NULL, NULL, NULL), ==, 0));
  test_critical (g_assert_cmpuint (concur_future_add_direct_callback (future, NULL, NULL, NULL), ==, 0));
  test_critical (concur_future_wait_async (future, (GCancellable *) object, NULL, NULL));
  test_critical (g_assert_null (concur_future_wait_finish (future, G_ASYNC_RESULT (future), NULL)));
}

/* An error that is set already is the caller's mistake, too, and stays as it is. */
static void
test_mistake_error_set (void)
{
  g_autoptr (ConcurFuture) rejected = future_rejected ();
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "before");

  test_critical (concur_future_result (rejected, -1, &error));
  test_critical (concur_future_check (rejected, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  concur_future_ignore (rejected);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/future/state/promise", test_state_of_promise);
  g_test_add_func ("/future/state/job", test_state_of_job);
  g_test_add_func ("/future/wait/zero", test_wait_zero);
  g_test_add_func ("/future/wait/times-out", test_wait_times_out);
  g_test_add_func ("/future/wait/for-ever", test_wait_for_ever);
  g_test_add_func ("/future/wait/many-waiters", test_wait_many_waiters);
  g_test_add_func ("/future/wait/races-resolve", test_wait_races_resolve);
  g_test_add_func ("/future/wait/any-outcome", test_wait_any_outcome);
  g_test_add_func ("/future/wait/runs-no-loop", test_wait_runs_no_loop);
  g_test_add_func ("/future/wait/lets-go", test_wait_lets_go);
  g_test_add_func ("/future/result", test_result);
  g_test_add_func ("/future/result/waits", test_result_waits);
  g_test_add_func ("/future/get-value/pending", test_get_value_pending);
  g_test_add_func ("/future/get-value/of-none", test_get_value_of_none);
  g_test_add_func ("/future/get-value/lives", test_get_value_lives);
  g_test_add_func ("/future/get-error", test_get_error);
  g_test_add_func ("/future/async-result", test_async_result);
  g_test_add_func ("/future/mistakes", test_mistakes);
  g_test_add_func ("/future/mistakes/error-set", test_mistake_error_set);

  return test_run ();
}
