/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* wait_async and wait_finish. */

#include "config.h"

#include "test-util.h"

typedef struct
{
  ConcurFuture *future;
  GCancellable *cancellable;
  GThread *thread;        /* the callback's, or NULL: any */
  GMainContext *context;  /* owned in the callback, or NULL: any */
  TestGate done;
  guint n;
  const GValue *value;
  GError *error;
} Wait;

static void
wait_ready (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  Wait *self = data;

  g_assert_true (source == G_OBJECT (self->future));
  g_assert_true (g_async_result_is_tagged (result, concur_future_wait_async));
  if (self->thread != NULL)
    g_assert_true (self->thread == g_thread_self ());
  if (self->context != NULL)
    g_assert_true (g_main_context_is_owner (self->context));

  self->n++;
  self->value = concur_future_wait_finish (self->future, result, &self->error);
  g_assert_cmpint (self->value != NULL, ==, self->error == NULL);
  test_gate_open (&self->done);
}

static void
wait_begin (gpointer data)
{
  Wait *self = data;

  concur_future_wait_async (self->future, self->cancellable, wait_ready, self);
}

static void
wait_clear (Wait *self)
{
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->future);
}

static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

static void
test_value (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .thread = g_thread_self () };

  wait_begin (&wait);
  concur_promise_resolve_int64 (promise, 5);
  g_assert_cmpuint (wait.n, ==, 0);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_true (wait.value == concur_future_get_value (wait.future, NULL));
  g_assert_cmpint (g_value_get_int64 (wait.value), ==, 5);
  wait_clear (&wait);
}

static void
test_done_already (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .thread = g_thread_self () };

  concur_promise_resolve_int64 (promise, 5);
  wait.cancellable = g_cancellable_new ();
  wait_begin (&wait);
  g_assert_cmpuint (wait.n, ==, 0);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_nonnull (wait.value);
  wait_clear (&wait);
}

static void
test_error (void)
{
  g_autoptr (ConcurPromise) promise = NULL, other = NULL;
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
  Wait wait = { .future = future_new (&promise) };
  Wait cancelled = { .future = future_new (&other) };

  wait_begin (&wait);
  wait_begin (&cancelled);
  concur_promise_reject (promise, error);
  concur_future_cancel (cancelled.future, CONCUR_CANCEL_NONE);
  test_iterate_until (NULL, wait.n == 1 && cancelled.n == 1);
  g_assert_error (wait.error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_error (cancelled.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  wait_clear (&wait);
  wait_clear (&cancelled);
}

static void
test_many (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Wait waits[20] = { 0 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      waits[i].future = g_object_ref (future);
      wait_begin (&waits[i]);
    }
  concur_promise_resolve_int64 (promise, 1);
  for (i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      test_iterate_until (NULL, waits[i].n == 1);
      wait_clear (&waits[i]);
    }
}

/* Nobody needs to listen, and nobody else needs to hold the future. */
static void
test_without_callback (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  ConcurFuture *future = future_new (&promise);

  concur_future_wait_async (future, NULL, NULL, NULL);
  g_object_unref (future);
  concur_promise_resolve_int64 (promise, 1);
}

static void
test_context_of_thread (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .thread = test_loop_get_thread (loop) };

  wait.context = test_loop_get_context (loop);
  wait.cancellable = g_cancellable_new ();
  test_loop_call (loop, wait_begin, &wait);
  concur_promise_resolve_int64 (promise, 5);
  test_gate_wait (&wait.done);
  g_assert_nonnull (wait.value);
  test_loop_free (loop);
  wait_clear (&wait);
}

static void
test_cancel_in_context_of_thread (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .thread = test_loop_get_thread (loop) };

  wait.context = test_loop_get_context (loop);
  wait.cancellable = g_cancellable_new ();
  test_loop_call (loop, wait_begin, &wait);
  /* From here: the callback still comes there. */
  g_cancellable_cancel (wait.cancellable);
  test_gate_wait (&wait.done);
  g_assert_error (wait.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  concur_promise_resolve_int64 (promise, 5);
  test_loop_free (loop);
  wait_clear (&wait);
}

static gpointer
begin_thread (gpointer data)
{
  wait_begin (data);

  return NULL;
}

/* From a thread without a context it is the default one. */
static void
test_context_of_plain_thread (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .thread = g_thread_self () };

  g_thread_join (g_thread_new ("begin", begin_thread, &wait));
  concur_promise_resolve_int64 (promise, 5);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_nonnull (wait.value);
  wait_clear (&wait);
}

static void
test_cancelled_before (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .cancellable = g_cancellable_new () };

  g_cancellable_cancel (wait.cancellable);
  wait_begin (&wait);
  g_assert_cmpuint (wait.n, ==, 0);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_error (wait.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  /* Only the wait was given up. */
  g_assert_false (concur_future_is_done (wait.future));
  g_assert_true (concur_promise_resolve_int64 (promise, 1));
  wait_clear (&wait);
}

static void
test_cancelled_during (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .cancellable = g_cancellable_new () };
  Wait other = { .future = g_object_ref (wait.future) };
  TestReleases releases = { 0 };

  test_releases_watch (&releases, wait.cancellable);
  wait_begin (&wait);
  wait_begin (&other);
  test_iterate (NULL, G_MAXINT64, G_STRLOC);
  g_cancellable_cancel (wait.cancellable);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_error (wait.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (other.n, ==, 0);

  g_assert_true (concur_promise_resolve_int64 (promise, 1));
  test_iterate_until (NULL, other.n == 1);
  g_assert_nonnull (other.value);
  g_assert_cmpuint (wait.n, ==, 1);
  wait_clear (&wait);
  wait_clear (&other);
  test_iterate_until (NULL, test_releases_get (&releases) == 1);
}

static void
test_cancelled_after (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  Wait wait = { .future = future_new (&promise), .cancellable = g_cancellable_new () };
  TestReleases releases = { 0 };

  test_releases_watch (&releases, wait.cancellable);
  wait_begin (&wait);
  concur_promise_resolve_int64 (promise, 1);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_nonnull (wait.value);
  g_cancellable_cancel (wait.cancellable);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (wait.n, ==, 1);
  wait_clear (&wait);
  /* No source, task or handler is left that holds it. */
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
}

/* A job's future is given up on in the same way, and the job runs to its end. */
static void
test_abandons_wait_not_work (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestClog clog = { 0 };
  Wait wait = { .cancellable = g_cancellable_new () };

  wait.future = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  test_gate_wait (&clog.begun);
  wait_begin (&wait);
  g_cancellable_cancel (wait.cancellable);
  test_iterate_until (NULL, wait.n == 1);
  g_assert_error (wait.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (wait.future)));
  test_gate_open (&clog.go);
  g_assert_true (concur_future_wait (wait.future, -1));
  test_assert_int64 (wait.future, 42);
  wait_clear (&wait);
  test_executor_end (executor);
}

typedef struct
{
  guint n;
  ConcurPromise **promises;
  GCancellable **cancellables;
  TestGate *gate;
} Racer;

static gpointer
resolve_thread (gpointer data)
{
  Racer *self = data;
  guint i;

  for (i = 0; i < self->n; i++)
    {
      test_gate_wait_n (self->gate, i + 1);
      concur_promise_resolve_int64 (self->promises[i], 1);
      g_object_unref (self->promises[i]);
    }

  return NULL;
}

static gpointer
cancel_thread (gpointer data)
{
  Racer *self = data;
  guint i;

  for (i = 0; i < self->n; i++)
    {
      /* Sometimes rather late, for its source comes before our callbacks. */
      test_gate_wait_n (self->gate, MIN (i + 1 + i % 4, self->n));
      g_cancellable_cancel (self->cancellables[i]);
      g_object_unref (self->cancellables[i]);
    }

  return NULL;
}

/* The one or the other, and once. */
static void
test_cancel_races_done (void)
{
  guint rounds = test_scaled (5000), n_values = 0, i;
  g_autofree ConcurPromise **promises = g_new0 (ConcurPromise *, rounds);
  g_autofree GCancellable **cancellables = g_new0 (GCancellable *, rounds);
  TestGate gate = { 0 };
  Racer racer = { rounds, promises, cancellables, &gate };
  g_autofree Wait *waits = g_new0 (Wait, rounds);
  GThread *resolver, *canceller;

  for (i = 0; i < rounds; i++)
    {
      waits[i].future = future_new (&promises[i]);
      cancellables[i] = g_cancellable_new ();
      waits[i].cancellable = g_object_ref (cancellables[i]);
    }

  test_shake_start ();
  resolver = g_thread_new ("resolver", resolve_thread, &racer);
  canceller = g_thread_new ("canceller", cancel_thread, &racer);
  for (i = 0; i < rounds; i++)
    {
      if (i % 2)
        test_gate_open (&gate);
      wait_begin (&waits[i]);
      if (i % 2 == 0)
        test_gate_open (&gate);
      while (g_main_context_iteration (NULL, FALSE) && i % 4 != 0)
        ;
    }
  g_thread_join (resolver);
  g_thread_join (canceller);
  test_shake_stop ();

  for (i = 0; i < rounds; i++)
    test_iterate_until (NULL, waits[i].n > 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  for (i = 0; i < rounds; i++)
    {
      g_assert_cmpuint (waits[i].n, ==, 1);
      if (waits[i].value == NULL)
        g_assert_error (waits[i].error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      else
        n_values++;
      wait_clear (&waits[i]);
    }
  g_test_message ("%u of %u got the value", n_values, rounds);
}

static void
finish_wrong (GObject      *source,
              GAsyncResult *result,
              gpointer      data)
{
  ConcurFuture *other = data;

  test_critical (g_assert_null (concur_future_wait_finish (other, result, NULL)));
  g_assert_nonnull (concur_future_wait_finish (CONCUR_FUTURE (source), result, NULL));
  g_object_set_data (G_OBJECT (other), "tried", other);
}

static void
test_finish_of_another (void)
{
  g_autoptr (ConcurPromise) promise = NULL, other_promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (ConcurFuture) other = future_new (&other_promise);

  concur_promise_resolve_int64 (promise, 1);
  concur_promise_resolve_int64 (other_promise, 1);
  concur_future_wait_async (future, NULL, finish_wrong, other);
  test_iterate_until (NULL, g_object_get_data (G_OBJECT (other), "tried") != NULL);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/future/async/value", test_value);
  g_test_add_func ("/future/async/done-already", test_done_already);
  g_test_add_func ("/future/async/error", test_error);
  g_test_add_func ("/future/async/many", test_many);
  g_test_add_func ("/future/async/without-callback", test_without_callback);
  g_test_add_func ("/future/async/context/of-thread", test_context_of_thread);
  g_test_add_func ("/future/async/context/of-plain-thread", test_context_of_plain_thread);
  g_test_add_func ("/future/async/context/cancelled", test_cancel_in_context_of_thread);
  g_test_add_func ("/future/async/cancelled/before", test_cancelled_before);
  g_test_add_func ("/future/async/cancelled/during", test_cancelled_during);
  g_test_add_func ("/future/async/cancelled/after", test_cancelled_after);
  g_test_add_func ("/future/async/cancelled/not-the-work", test_abandons_wait_not_work);
  g_test_add_func ("/future/async/cancelled/races-done", test_cancel_races_done);
  g_test_add_func ("/future/async/finish-of-another", test_finish_of_another);

  return test_run ();
}
