/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Cancelling a future itself, in each of its states. The moments between them are in
 * test-cancel-race.c, GCancellables given at submit in test-cancel-parent.c. */

#include "config.h"

#include "test-util.h"

static ConcurExecutor *
paused_new (void)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused", TRUE, NULL);
}

static void
resume (ConcurExecutor *executor)
{
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
}

static gboolean
must_not_run_job (ConcurJob *job,
                  gpointer   data,
                  GError   **error)
{
  g_assert_not_reached ();
}

static void
assert_released_here (TestReleases *releases)
{
  test_wait_until (test_releases_get (releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (releases), ==, 0);
}

static void
test_queued (gconstpointer flags)
{
  ConcurExecutor *executor = paused_new ();
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_submit (executor, must_not_run_job, &releases, test_released, NULL);
  g_assert_true (concur_future_cancel (future, GPOINTER_TO_INT (flags)));
  test_assert_cancelled (future);
  g_assert_false (concur_future_cancel (future, GPOINTER_TO_INT (flags)));

  /* The queue still has the job, but what was submitted with it is let go. */
  assert_released_here (&releases);
  resume (executor);
  test_executor_end (executor);
}

/* A cancelled job leaves room for another at once. */
static void
test_queued_frees_slot (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                           TRUE, "max-pending", 1, "overflow",
                                           CONCUR_OVERFLOW_REJECT, NULL);
  g_autoptr (ConcurFuture) first = NULL, refused = NULL, second = NULL;
  TestClog clog = { 0 };

  first = concur_executor_submit (executor, must_not_run_job, NULL, NULL, NULL);
  refused = concur_executor_submit (executor, must_not_run_job, NULL, NULL, NULL);
  test_assert_error (refused, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  concur_future_cancel (first, CONCUR_CANCEL_NONE);
  second = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  g_assert_cmpint (concur_future_get_state (second), ==, CONCUR_FUTURE_STATE_PENDING);

  test_gate_open (&clog.go);
  resume (executor);
  g_assert_true (concur_future_wait (second, -1));
  test_assert_int64 (second, 42);
  test_executor_end (executor);
}

static void
test_done (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);

  concur_promise_resolve_int64 (promise, 1);
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  test_assert_int64 (future, 1);
}

/* What a running job does when it is asked to stop. */
typedef enum
{
  THEN_VALUE,
  THEN_ERROR,
  THEN_CANCELLED,
  THEN_NOTHING,
  THEN_HOLD,
} Then;

typedef struct
{
  TestReleases freed;
  TestGate begun;
  TestGate asked;    /* the job looks whether it was asked */
  TestGate answered;
  TestGate go;       /* the function returns */
  TestGate held_go;  /* the held job is answered */
  Then then;
  gboolean asked_first; /* it answers only when asked; else as soon as it runs */
  GThread *thread;
} Running;

static gpointer
answer_held (gpointer data)
{
  ConcurJob *job = data;
  Running *self = g_object_get_data (G_OBJECT (job), "running");

  test_gate_wait (&self->held_go);
  concur_job_return_int64 (job, 9);
  g_object_unref (job);

  return NULL;
}

static gboolean
running_job (ConcurJob *job,
             gpointer   data,
             GError   **error)
{
  Running *self = data;

  test_gate_open (&self->begun);
  if (self->asked_first)
    {
      test_gate_wait (&self->asked);
      g_assert_true (concur_job_is_cancelled (job));
    }

  switch (self->then)
    {
    case THEN_VALUE:
      concur_job_return_int64 (job, 9);
      break;
    case THEN_ERROR:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
      break;
    case THEN_CANCELLED:
      g_assert_true (concur_job_check_cancelled (job, error));
      g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      break;
    case THEN_HOLD:
      g_object_set_data (G_OBJECT (job), "running", self);
      concur_job_hold (job);
      self->thread = g_thread_new ("held", answer_held, g_object_ref (job));
      break;
    case THEN_NOTHING:
    default:
      break;
    }

  test_gate_open (&self->answered);
  test_gate_wait (&self->go);

  return *error == NULL;
}

static void
running_freed (gpointer data)
{
  test_released (&((Running *) data)->freed);
}

static ConcurFuture *
submit_running (ConcurExecutor *executor,
                Running        *self)
{
  ConcurFuture *future;

  self->freed.thread = g_thread_self ();
  future = concur_executor_submit (executor, running_job, self, running_freed, NULL);
  test_gate_wait (&self->begun);

  return future;
}

/* Its own answer wins, whatever it is. */
static void
test_running (gconstpointer data)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = GPOINTER_TO_INT (data), .asked_first = TRUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);

  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (future)));
  g_assert_false (concur_job_check_cancelled (CONCUR_JOB (future), NULL));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RUNNING);
  /* As long as it is not done asking again has an effect, too. */
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_gate_open (&running.asked);
  test_gate_open (&running.go);
  g_assert_true (concur_future_wait (future, -1));

  if (running.then == THEN_VALUE)
    test_assert_int64 (future, 9);
  else if (running.then == THEN_ERROR)
    test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
  else if (running.then == THEN_NOTHING)
    test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  else
    test_assert_cancelled (future);

  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  assert_released_here (&running.freed);
  test_executor_end (executor);
}

/* Decided now; what the job answers later is dropped, whatever it is. */
static void
test_abandon_running (gconstpointer data)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = GPOINTER_TO_INT (data), .asked_first = TRUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (future);
  g_assert_true (concur_future_wait (future, 0));
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&running.freed), ==, 0);

  test_gate_open (&running.asked);
  test_gate_open (&running.go);
  assert_released_here (&running.freed);
  test_assert_cancelled (future);
  test_executor_end (executor);
}

/* It has answered and is only clearing up: the answer counts, now. */
static void
test_abandon_answered (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_VALUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);

  test_gate_wait (&running.answered);
  g_assert_false (concur_future_is_done (future));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (future)));
  test_assert_int64 (future, 9);
  g_assert_cmpuint (test_releases_get (&running.freed), ==, 0);

  test_gate_open (&running.go);
  assert_released_here (&running.freed);
  test_assert_int64 (future, 9);
  test_executor_end (executor);
}

/* First asked, then abandoned. */
static void
test_abandon_after_asking (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_VALUE, .asked_first = TRUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  g_assert_false (concur_future_is_done (future));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (future);
  test_gate_open (&running.asked);
  test_gate_open (&running.go);
  assert_released_here (&running.freed);
  test_executor_end (executor);
}

/* A held job, whose function has returned, keeps what was submitted until its answer. */
static void
test_held (gconstpointer flags)
{
  gboolean abandon = GPOINTER_TO_INT (flags) == CONCUR_CANCEL_ABANDON;
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_HOLD };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running), next = NULL;
  TestClog clog = { 0 };

  test_gate_open (&running.go);
  /* The only worker has come to the next job: the function has returned. */
  test_gate_open (&clog.go);
  next = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
  g_assert_true (concur_future_wait (next, -1));

  g_assert_true (concur_future_cancel (future, GPOINTER_TO_INT (flags)));
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (future)));
  g_assert_cmpint (concur_future_is_done (future), ==, abandon);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&running.freed), ==, 0);

  test_gate_open (&running.held_go);
  g_thread_join (running.thread);
  g_assert_true (concur_future_wait (future, 0));
  if (abandon)
    test_assert_cancelled (future);
  else
    test_assert_int64 (future, 9);
  assert_released_here (&running.freed);
  test_executor_end (executor);
}

/* Held and abandoned while the function is still running: what was submitted stays until
 * it has returned and the answer has come, in whichever order. */
static void
test_abandon_held_active (gconstpointer returns_first)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_HOLD };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running), next = NULL;
  TestClog clog = { 0 };

  test_gate_wait (&running.answered);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (future);

  if (returns_first)
    {
      test_gate_open (&running.go);
      test_gate_open (&clog.go);
      next = concur_executor_submit (executor, test_clog_job, &clog, NULL, NULL);
      g_assert_true (concur_future_wait (next, -1));
    }
  else
    {
      test_gate_open (&running.held_go);
      g_thread_join (running.thread);
    }
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&running.freed), ==, 0);

  if (returns_first)
    {
      test_gate_open (&running.held_go);
      g_thread_join (running.thread);
    }
  else
    {
      test_gate_open (&running.go);
    }
  assert_released_here (&running.freed);
  test_assert_cancelled (future);
  test_executor_end (executor);
}

/* The job's own cancellable */

static void
note_thread (GCancellable *cancellable,
             gpointer      data)
{
  *(GThread **) data = g_thread_self ();
}

static void
test_cancellable (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_CANCELLED, .asked_first = TRUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);
  GCancellable *cancellable = concur_job_get_cancellable (CONCUR_JOB (future));
  GThread *thread = NULL;

  g_assert_true (G_IS_CANCELLABLE (cancellable));
  g_assert_true (concur_job_get_cancellable (CONCUR_JOB (future)) == cancellable);
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  g_cancellable_connect (cancellable, G_CALLBACK (note_thread), &thread, NULL);

  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_true (thread == g_thread_self ());
  test_gate_open (&running.asked);
  test_gate_open (&running.go);
  g_assert_true (concur_future_wait (future, -1));
  test_assert_cancelled (future);
  test_executor_end (executor);
}

static void
test_cancellable_made_late (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_VALUE, .asked_first = TRUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);
  g_autoptr (ConcurJob) before = concur_job_new (must_not_run_job, NULL, NULL);

  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_assert_true (g_cancellable_is_cancelled (concur_job_get_cancellable (CONCUR_JOB (future))));
  test_gate_open (&running.asked);
  test_gate_open (&running.go);
  g_assert_true (concur_future_wait (future, -1));
  g_assert_true (g_cancellable_is_cancelled (concur_job_get_cancellable (CONCUR_JOB (future))));

  /* Made and cancelled before it was submitted. */
  g_assert_false (g_cancellable_is_cancelled (concur_job_get_cancellable (before)));
  concur_future_cancel (CONCUR_FUTURE (before), CONCUR_CANCEL_NONE);
  g_assert_true (concur_job_is_cancelled (before));
  test_executor_end (executor);
}

/* To cancel the job's own cancellable is not to cancel the job. */
static void
test_cancellable_is_no_handle (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Running running = { .then = THEN_VALUE };
  g_autoptr (ConcurFuture) future = submit_running (executor, &running);

  g_cancellable_cancel (concur_job_get_cancellable (CONCUR_JOB (future)));
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (future)));
  test_gate_open (&running.go);
  g_assert_true (concur_future_wait (future, -1));
  test_assert_int64 (future, 9);
  test_executor_end (executor);
}

static gboolean
cancel_self_job (ConcurJob *job,
                 gpointer   data,
                 GError   **error)
{
  g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE));

  return !concur_job_check_cancelled (job, error);
}

static void
test_from_inside (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_submit (executor, cancel_self_job, NULL, NULL, NULL);
  g_assert_true (concur_future_wait (future, -1));
  test_assert_cancelled (future);
  test_executor_end (executor);
}

/* Whichever comes first, the cancellable is cancelled in the end. */

typedef struct
{
  ConcurJob *job;
  TestGate gate;
  GCancellable *cancellable;
} Making;

static gpointer
make_thread (gpointer data)
{
  Making *self = data;

  test_gate_wait (&self->gate);
  self->cancellable = concur_job_get_cancellable (self->job);

  return NULL;
}

static void
test_cancellable_race (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  guint rounds = test_scaled (2000), i;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      Running running = { .then = THEN_VALUE };
      g_autoptr (ConcurFuture) future = submit_running (executor, &running);
      Making making = { .job = CONCUR_JOB (future) };
      GThread *thread = g_thread_new ("make", make_thread, &making);

      test_gate_open (&making.gate);
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      g_thread_join (thread);
      g_assert_true (g_cancellable_is_cancelled (making.cancellable));
      test_gate_open (&running.go);
      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
      test_wait_until (test_releases_get (&running.freed) == 1);
    }
  test_shake_stop ();
  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  gconstpointer none = GINT_TO_POINTER (CONCUR_CANCEL_NONE);
  gconstpointer abandon = GINT_TO_POINTER (CONCUR_CANCEL_ABANDON);

  test_init (&argc, &argv);

  g_test_add_data_func ("/cancel/queued", none, test_queued);
  g_test_add_data_func ("/cancel/queued/abandon", abandon, test_queued);
  g_test_add_func ("/cancel/queued/frees-slot", test_queued_frees_slot);
  g_test_add_func ("/cancel/done", test_done);
  g_test_add_data_func ("/cancel/running/value", GINT_TO_POINTER (THEN_VALUE), test_running);
  g_test_add_data_func ("/cancel/running/error", GINT_TO_POINTER (THEN_ERROR), test_running);
  g_test_add_data_func ("/cancel/running/cancelled", GINT_TO_POINTER (THEN_CANCELLED), test_running);
  g_test_add_data_func ("/cancel/running/nothing", GINT_TO_POINTER (THEN_NOTHING), test_running);
  g_test_add_func ("/cancel/running/from-inside", test_from_inside);
  g_test_add_data_func ("/cancel/held", none, test_held);
  g_test_add_data_func ("/cancel/abandon/value", GINT_TO_POINTER (THEN_VALUE), test_abandon_running);
  g_test_add_data_func ("/cancel/abandon/error", GINT_TO_POINTER (THEN_ERROR), test_abandon_running);
  g_test_add_data_func ("/cancel/abandon/cancelled", GINT_TO_POINTER (THEN_CANCELLED),
                        test_abandon_running);
  g_test_add_data_func ("/cancel/abandon/nothing", GINT_TO_POINTER (THEN_NOTHING),
                        test_abandon_running);
  g_test_add_func ("/cancel/abandon/answered", test_abandon_answered);
  g_test_add_func ("/cancel/abandon/after-asking", test_abandon_after_asking);
  g_test_add_data_func ("/cancel/abandon/held", abandon, test_held);
  g_test_add_data_func ("/cancel/abandon/held/answered", NULL, test_abandon_held_active);
  g_test_add_data_func ("/cancel/abandon/held/returned", GINT_TO_POINTER (TRUE),
                        test_abandon_held_active);
  g_test_add_func ("/cancel/cancellable", test_cancellable);
  g_test_add_func ("/cancel/cancellable/made-late", test_cancellable_made_late);
  g_test_add_func ("/cancel/cancellable/is-no-handle", test_cancellable_is_no_handle);
  g_test_add_func ("/cancel/cancellable/race", test_cancellable_race);

  return test_run ();
}
