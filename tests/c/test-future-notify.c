/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Properties and their notification, and the warning about errors nobody looked at. */

#include "config.h"

#include "test-util.h"

#include <math.h>

static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

static void
assert_properties (ConcurFuture      *future,
                   ConcurFutureState  state,
                   const char        *name,
                   double             progress,
                   const char        *status_text)
{
  g_autofree char *have_name = NULL, *have_text = NULL;
  g_autofree char *dup_name = concur_future_dup_name (future);
  g_autofree char *dup_text = concur_future_dup_status_text (future);
  ConcurFutureState have_state;
  double have_progress;

  g_object_get (future, "state", &have_state, "name", &have_name, "progress", &have_progress,
                "status-text", &have_text, NULL);
  g_assert_cmpint (have_state, ==, state);
  g_assert_cmpint (concur_future_get_state (future), ==, state);
  g_assert_cmpstr (have_name, ==, name);
  g_assert_cmpstr (dup_name, ==, name);
  g_assert_cmpfloat (have_progress, ==, progress);
  g_assert_cmpfloat (concur_future_get_progress (future), ==, progress);
  g_assert_cmpstr (have_text, ==, status_text);
  g_assert_cmpstr (dup_text, ==, status_text);
}

static void
test_read (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);

  assert_properties (future, CONCUR_FUTURE_STATE_PENDING, NULL, 0, NULL);
  concur_future_set_name (future, "reader");
  concur_promise_set_progress (promise, 0.5);
  concur_promise_set_status_text (promise, "half");
  assert_properties (future, CONCUR_FUTURE_STATE_PENDING, "reader", 0.5, "half");

  g_object_set (future, "name", NULL, NULL);
  concur_promise_set_status_text (promise, NULL);
  assert_properties (future, CONCUR_FUTURE_STATE_PENDING, NULL, 0.5, NULL);

  concur_promise_set_status_text (promise, "last");
  concur_promise_resolve_int64 (promise, 1);
  /* What is said after the end does not count; the name is not the work's. */
  concur_promise_set_progress (promise, 0.75);
  concur_promise_set_status_text (promise, "later");
  concur_future_set_name (future, "done");
  assert_properties (future, CONCUR_FUTURE_STATE_RESOLVED, "done", 0.5, "last");
}

static void
test_progress_bounds (void)
{
  const struct { double set, get; } steps[] = {
    { -1, 0 }, { 2, 1 }, { NAN, 0 }, { INFINITY, 1 }, { -INFINITY, 0 }, { 0, 0 }, { 1, 1 }, { 1e-9, 1e-9 },
  };
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  guint i;

  for (i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      concur_promise_set_progress (promise, steps[i].set);
      g_assert_cmpfloat (concur_future_get_progress (future), ==, steps[i].get);
    }
  concur_promise_resolve (promise, NULL);
}

/* What listeners saw of a future. */
typedef struct
{
  GThread *thread;
  GMainContext *context;
  gint n[4];               /* atomic: name, progress, status-text, state */
  double progress;
  ConcurFutureState state;
  gboolean state_was_last;
} Heard;

static void
heard (GObject    *object,
       GParamSpec *pspec,
       gpointer    data)
{
  static const char *names[] = { "name", "progress", "status-text", "state" };
  Heard *self = data;
  guint i;

  g_assert_true (g_thread_self () == self->thread);
  g_assert_true (g_main_context_is_owner (self->context));
  for (i = 0; g_strcmp0 (pspec->name, names[i]) != 0; i++)
    ;
  self->progress = concur_future_get_progress (CONCUR_FUTURE (object));
  self->state = concur_future_get_state (CONCUR_FUTURE (object));
  self->state_was_last = i == 3;
  g_atomic_int_inc (&self->n[i]);
}

static void
listen_to (ConcurFuture *future,
           Heard        *self)
{
  self->thread = g_thread_self ();
  self->context = g_main_context_ref_thread_default ();
  g_main_context_unref (self->context);
  g_signal_connect (future, "notify", G_CALLBACK (heard), self);
}

static void
test_notify (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Heard all = { 0 };

  listen_to (future, &all);
  concur_future_set_name (future, "name");
  g_assert_cmpint (all.n[0], ==, 0);
  test_iterate_until (NULL, all.n[0] == 1);

  concur_promise_set_progress (promise, 0.25);
  concur_promise_set_status_text (promise, "text");
  test_iterate_until (NULL, all.n[2] == 1);
  g_assert_cmpint (all.n[1], ==, 1);

  /* The same again is no change. */
  concur_promise_set_progress (promise, 0.25);
  concur_promise_set_status_text (promise, "text");
  concur_future_set_name (future, "name");
  concur_promise_resolve_int64 (promise, 1);
  test_iterate_until (NULL, all.n[3] == 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (all.n[0] + all.n[1] + all.n[2] + all.n[3], ==, 4);
  g_assert_cmpint (all.state, ==, CONCUR_FUTURE_STATE_RESOLVED);
}

#define N_STEPS 10000

static gboolean
stepping_job (ConcurJob *job,
              gpointer   data,
              GError   **error)
{
  guint i;

  for (i = 1; i <= N_STEPS; i++)
    {
      concur_job_set_progress (job, (double) i / N_STEPS);
      concur_job_set_status_text (job, i % 2 ? "odd" : "even");
    }
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static ConcurFuture *
submit_listened (ConcurExecutor *executor,
                 ConcurJobFunc   func,
                 gpointer        data,
                 Heard          *heard_of)
{
  g_autoptr (ConcurJob) job = concur_job_new (func, data, NULL);

  listen_to (CONCUR_FUTURE (job), heard_of);

  return concur_executor_submit_job (executor, job, NULL);
}

/* As many steps as there are, a loop that is busy hears of them once, and last of the end. */
static void
test_coalesced (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;
  Heard all = { 0 };

  future = submit_listened (executor, stepping_job, NULL, &all);
  g_assert_true (concur_future_wait (future, -1));
  test_iterate_until (NULL, all.n[3] > 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;

  g_assert_cmpint (all.n[1], ==, 1);
  g_assert_cmpint (all.n[2], ==, 1);
  g_assert_cmpint (all.n[3], ==, 1);
  g_assert_true (all.state_was_last);
  g_assert_cmpfloat (all.progress, ==, 1);
  g_assert_cmpint (all.state, ==, CONCUR_FUTURE_STATE_RESOLVED);
  test_executor_end (executor);
}

/* The same with a loop that runs at the same time: nothing is missed. */
static void
test_coalesced_live (void)
{
  guint rounds = test_scaled (20), steps = 0, i;
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      Heard all = { 0 };

      future = submit_listened (executor, stepping_job, NULL, &all);
      test_iterate_until (NULL, all.n[3] > 0);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_assert_cmpint (all.n[1], >=, 1);
      g_assert_cmpint (all.n[1], <=, N_STEPS);
      g_assert_cmpint (all.n[3], ==, 1);
      g_assert_true (all.state_was_last);
      g_assert_cmpfloat (all.progress, ==, 1);
      g_assert_cmpint (all.state, ==, CONCUR_FUTURE_STATE_RESOLVED);
      steps += (guint) all.n[1];
    }
  test_shake_stop ();
  g_test_message ("%u of %u steps were heard of", steps, rounds * N_STEPS);
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  ConcurFuture *future;
  Heard all;
} Elsewhere;

static void
submit_elsewhere (gpointer data)
{
  Elsewhere *self = data;

  self->future = submit_listened (self->executor, stepping_job, NULL, &self->all);
}

static gpointer
submit_thread (gpointer data)
{
  submit_elsewhere (data);

  return NULL;
}

static void
drop_elsewhere (gpointer data)
{
  Elsewhere *self = data;

  g_clear_object (&self->future);
}

static void
test_context_of_creator (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestLoop *loop = test_loop_new ();
  Elsewhere there = { .executor = executor };

  test_loop_call (loop, submit_elsewhere, &there);
  g_assert_true (there.all.thread == test_loop_get_thread (loop));
  /* Named from here, heard of there: see heard (). */
  concur_future_set_name (there.future, "elsewhere");
  g_assert_true (concur_future_wait (there.future, -1));
  test_wait_until (g_atomic_int_get (&there.all.n[3]) == 1);
  test_loop_call (loop, drop_elsewhere, &there);
  test_loop_free (loop);
  g_assert_cmpint (there.all.n[3], ==, 1);
  test_executor_end (executor);
}

/* A thread without a loop hears nothing, and nothing is kept for it. */
static void
test_none_without_loop (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  guint alive = test_futures_alive ();
  Elsewhere there = { .executor = executor };

  g_thread_join (g_thread_new ("submit", submit_thread, &there));
  g_assert_true (concur_future_wait (there.future, -1));
  test_executor_end (executor);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (there.all.n[1] + there.all.n[3], ==, 0);
  g_object_unref (there.future);
  test_iterate_until (NULL, test_futures_alive () <= alive);
}

/* Nobody listens: no notification keeps the future until its context runs. */
static void
test_none_if_nobody_listens (void)
{
  guint alive = test_futures_alive ();
  ConcurPromise *promise = concur_promise_new ();

  concur_promise_set_progress (promise, 0.5);
  concur_promise_set_status_text (promise, "half");
  concur_future_set_name (concur_promise_get_future (promise), "alone");
  concur_promise_resolve_int64 (promise, 1);
  g_object_unref (promise);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* Those who stop listening do not keep it either. */
static void
test_none_after_disconnecting (void)
{
  guint alive = test_futures_alive ();
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  Heard all = { 0 };

  listen_to (future, &all);
  g_signal_handlers_disconnect_by_data (future, &all);
  concur_promise_set_progress (promise, 0.5);
  concur_promise_resolve_int64 (promise, 1);
  g_object_unref (promise);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

static void
test_notify_of_cancel (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) plain = future_new (&promise), queued = NULL, running = NULL;
  Heard of_plain = { 0 }, of_queued = { 0 }, of_running = { 0 };
  TestClog clog = { 0 };

  running = submit_listened (executor, test_clog_job, &clog, &of_running);
  test_gate_wait (&clog.begun);
  queued = submit_listened (executor, test_clog_job, &clog, &of_queued);
  listen_to (plain, &of_plain);

  concur_future_cancel (plain, CONCUR_CANCEL_NONE);
  concur_future_cancel (queued, CONCUR_CANCEL_NONE);
  concur_future_cancel (running, CONCUR_CANCEL_ABANDON);
  test_iterate_until (NULL, of_plain.n[3] && of_queued.n[3] && of_running.n[3]);
  test_gate_open (&clog.go);
  test_executor_end (executor);
  while (g_main_context_iteration (NULL, FALSE))
    ;

  g_assert_cmpint (of_plain.n[3], ==, 1);
  g_assert_cmpint (of_queued.n[3], ==, 1);
  g_assert_cmpint (of_running.n[3], ==, 1);
  g_assert_cmpint (of_running.state, ==, CONCUR_FUTURE_STATE_CANCELLED);
}

#define expect_unobserved(pattern) \
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*Nobody looked*" pattern "*")

static ConcurFuture *
future_rejected (const char *name)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");

  concur_future_set_name (concur_promise_get_future (promise), name);
  concur_promise_reject (promise, error);

  return g_object_ref (concur_promise_get_future (promise));
}

static void
test_unobserved (void)
{
  ConcurFuture *future = future_rejected ("loader");

  /* These look at the state, not at the error. */
  g_assert_true (concur_future_wait (future, -1));
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);

  expect_unobserved ("loader: there");
  g_object_unref (future);
  g_test_assert_expected_messages ();
}

static gboolean
failing_job (ConcurJob *job,
             gpointer   data,
             GError   **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "in the way");

  return FALSE;
}

static void
test_unobserved_job (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  ConcurFuture *future = concur_executor_submit (executor, failing_job, NULL, NULL, NULL);

  g_assert_true (concur_future_wait (future, -1));
  test_executor_end (executor);
  expect_unobserved ("ConcurJob: in the way");
  g_object_unref (future);
  test_iterate_until (NULL, test_futures_alive () == 0);
  g_test_assert_expected_messages ();
}

static void
test_unobserved_broken (void)
{
  ConcurPromise *promise = concur_promise_new ();

  expect_unobserved ("without an answer");
  g_object_unref (promise);
  g_test_assert_expected_messages ();
}

static void
look_async (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  g_assert_null (concur_future_wait_finish (CONCUR_FUTURE (source), result, NULL));
  *(gboolean *) data = TRUE;
}

static void
be_told (ConcurFuture *future,
         gpointer      data)
{
  *(gboolean *) data = TRUE;
}

/* Any warning is fatal here: nothing may come. */
static void
test_observed (void)
{
  gboolean looked = FALSE;
  ConcurFuture *future;

#define OBSERVED_BY(call)                                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    future = future_rejected (NULL);                                                               \
    call;                                                                                          \
    g_object_unref (future);                                                                       \
  }                                                                                                \
  G_STMT_END

  OBSERVED_BY (concur_future_get_error (future));
  OBSERVED_BY (concur_future_check (future, NULL));
  OBSERVED_BY (concur_future_get_value (future, NULL));
  OBSERVED_BY (concur_future_result (future, -1, NULL));
  OBSERVED_BY (concur_future_get_int64 (future, NULL));
  OBSERVED_BY (g_free (concur_future_dup_string (future, NULL)));
  OBSERVED_BY (concur_future_ignore (future));
  OBSERVED_BY (concur_future_wait_async (future, NULL, look_async, &looked);
               test_iterate_until (NULL, looked));
  OBSERVED_BY (looked = FALSE; concur_future_when_done (future, be_told, &looked, NULL, NULL);
               test_iterate_until (NULL, looked));
  OBSERVED_BY (concur_future_add_direct_callback (future, be_told, &looked, NULL));
#undef OBSERVED_BY

  /* A callback taken back in time was told nothing. */
  future = future_rejected (NULL);
  concur_future_disconnect_done (future, concur_future_when_done (future, be_told, &looked, NULL, NULL));
  expect_unobserved ("there");
  g_object_unref (future);
  test_iterate_until (NULL, test_futures_alive () == 0);
  g_test_assert_expected_messages ();

  /* Before it is known, too. */
  {
    g_autoptr (ConcurPromise) promise = concur_promise_new ();

    concur_future_ignore (concur_promise_get_future (promise));
  }
}

static void
test_cancellation_is_no_error (void)
{
  g_autoptr (ConcurPromise) cancelled = concur_promise_new ();
  g_autoptr (ConcurPromise) rejected = concur_promise_new ();
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "enough");

  concur_future_cancel (concur_promise_get_future (cancelled), CONCUR_CANCEL_NONE);
  concur_promise_reject (rejected, error);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/future/properties/read", test_read);
  g_test_add_func ("/future/properties/progress-bounds", test_progress_bounds);
  g_test_add_func ("/future/notify/each", test_notify);
  g_test_add_func ("/future/notify/coalesced", test_coalesced);
  g_test_add_func ("/future/notify/coalesced-live", test_coalesced_live);
  g_test_add_func ("/future/notify/context-of-creator", test_context_of_creator);
  g_test_add_func ("/future/notify/none-without-loop", test_none_without_loop);
  g_test_add_func ("/future/notify/none-if-nobody-listens", test_none_if_nobody_listens);
  g_test_add_func ("/future/notify/none-after-disconnecting", test_none_after_disconnecting);
  g_test_add_func ("/future/notify/of-cancel", test_notify_of_cancel);
  g_test_add_func ("/future/unobserved/promise", test_unobserved);
  g_test_add_func ("/future/unobserved/job", test_unobserved_job);
  g_test_add_func ("/future/unobserved/broken", test_unobserved_broken);
  g_test_add_func ("/future/unobserved/looked-at", test_observed);
  g_test_add_func ("/future/unobserved/cancellation", test_cancellation_is_no_error);

  return test_run ();
}
