/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A GCancellable given at submit, the parent of the jobs that it was given with. */

#include "config.h"

#include "test-util.h"

#define N_MANY 10000

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

/* The only way to count them is to block one after the other. */
static guint
n_handlers (GCancellable *cancellable)
{
  const GSignalMatchType match = G_SIGNAL_MATCH_ID | G_SIGNAL_MATCH_UNBLOCKED;
  guint id = g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE);
  gulong blocked[8], handler;
  guint n = 0, i;

  while (n < G_N_ELEMENTS (blocked)
         && (handler = g_signal_handler_find (cancellable, match, id, 0, NULL, NULL, NULL)) != 0)
    {
      g_signal_handler_block (cancellable, handler);
      blocked[n++] = handler;
    }
  for (i = 0; i < n; i++)
    g_signal_handler_unblock (cancellable, blocked[i]);

  return n;
}

static gboolean
must_not_run_job (ConcurJob *job,
                  gpointer   data,
                  GError   **error)
{
  g_assert_not_reached ();
}

static gboolean
quick_job (ConcurJob *job,
           gpointer   data,
           GError   **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Runs until it is asked to stop, and is sent to sleep by its own cancellable. */
static gboolean
patient_job (ConcurJob *job,
             gpointer   data,
             GError   **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  GPollFD fd;

  g_assert_true (g_cancellable_make_pollfd (cancellable, &fd));
  test_gate_open (data);
  g_assert_cmpint (g_poll (&fd, 1, TEST_PATIENCE_US / 1000), ==, 1);
  g_cancellable_release_fd (cancellable);
  g_assert_true (concur_job_is_cancelled (job));

  return !concur_job_check_cancelled (job, error);
}

static void
test_already_cancelled (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  GCancellable *cancellable = g_cancellable_new ();
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = NULL;

  test_releases_watch (&releases, cancellable);
  g_cancellable_cancel (cancellable);
  future = concur_executor_submit (executor, must_not_run_job, &releases, test_released, cancellable);
  test_assert_cancelled (future);
  g_object_unref (cancellable);
  test_wait_until (test_releases_get (&releases) == 2);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_executor_end (executor);
}

static void
test_queued (void)
{
  ConcurExecutor *executor = paused_new ();
  GCancellable *cancellable = g_cancellable_new ();
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = NULL, other = NULL;

  test_releases_watch (&releases, cancellable);
  future = concur_executor_submit (executor, must_not_run_job, &releases, test_released, cancellable);
  other = concur_executor_submit (executor, quick_job, NULL, NULL, NULL);
  g_cancellable_cancel (cancellable);
  g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
  test_assert_cancelled (future);
  g_object_unref (cancellable);
  /* While the queue still has the job. */
  test_wait_until (test_releases_get (&releases) == 2);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  resume (executor);
  g_assert_true (concur_future_wait (other, -1));
  test_assert_int64 (other, 1);
  test_executor_end (executor);
}

/* It is asked when g_cancellable_cancel () has returned, and gives its own answer. */
static void
test_running (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) deaf = NULL, patient = NULL;
  TestClog clog = { 0 };
  TestGate begun = { 0 };

  deaf = concur_executor_submit (executor, test_clog_job, &clog, NULL, cancellable);
  patient = concur_executor_submit (executor, patient_job, &begun, NULL, cancellable);
  test_gate_wait (&clog.begun);
  test_gate_wait (&begun);
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (deaf)));

  g_cancellable_cancel (cancellable);
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (deaf)));
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (patient)));
  g_assert_true (concur_future_wait (patient, TEST_PATIENCE_US));
  test_assert_cancelled (patient);

  g_assert_cmpint (concur_future_get_state (deaf), ==, CONCUR_FUTURE_STATE_RUNNING);
  test_gate_open (&clog.go);
  g_assert_true (concur_future_wait (deaf, -1));
  test_assert_int64 (deaf, 42);
  test_executor_end (executor);
}

static void
test_after (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = concur_executor_submit (executor, quick_job, NULL, NULL,
                                                            cancellable);

  g_assert_true (concur_future_wait (future, -1));
  g_cancellable_cancel (cancellable);
  test_assert_int64 (future, 1);
  test_wait_until (n_handlers (cancellable) == 0);
  test_executor_end (executor);
}

/* The other way round: cancelling a job leaves its parent alone. */
static void
test_is_not_cancelled_by_jobs (void)
{
  ConcurExecutor *executor = paused_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) first = NULL, second = NULL;

  first = concur_executor_submit (executor, must_not_run_job, NULL, NULL, cancellable);
  second = concur_executor_submit (executor, quick_job, NULL, NULL, cancellable);
  g_assert_true (concur_future_cancel (first, CONCUR_CANCEL_NONE));
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  resume (executor);
  g_assert_true (concur_future_wait (second, -1));
  test_assert_int64 (second, 1);
  test_executor_end (executor);
}

static void
count_done (ConcurFuture *future,
            gpointer      data)
{
  g_atomic_int_inc ((gint *) data);
}

/* However many jobs, the cancellable has one handler for them, and none when they are
 * gone. */
static void
test_many (gconstpointer cancels)
{
  ConcurExecutor *executor = paused_new ();
  guint n = test_scaled (N_MANY), i;
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  GCancellable *cancellable = g_cancellable_new ();
  TestReleases freed = { .thread = g_thread_self () }, releases = freed;
  gint n_done = 0;

  test_releases_watch (&releases, cancellable);
  for (i = 0; i < n; i++)
    {
      ConcurFuture *future = concur_executor_submit (executor, quick_job, &freed, test_released,
                                                     cancellable);

      concur_future_add_direct_callback (future, count_done, &n_done, NULL);
      g_ptr_array_add (futures, future);
      if (i == 0 || i == n / 2 || i == n - 1)
        g_assert_cmpuint (n_handlers (cancellable), ==, 1);
    }

  if (cancels)
    g_cancellable_cancel (cancellable);
  else
    resume (executor);

  for (i = 0; i < n; i++)
    {
      g_assert_true (concur_future_wait (futures->pdata[i], TEST_PATIENCE_US));
      if (cancels)
        test_assert_cancelled (futures->pdata[i]);
      else
        test_assert_int64 (futures->pdata[i], 1);
    }
  test_wait_until ((guint) g_atomic_int_get (&n_done) == n);
  g_ptr_array_set_size (futures, 0);
  test_wait_until (test_releases_get (&freed) == n);
  g_assert_cmpuint (test_releases_get_wrong (&freed), ==, 0);
  test_wait_until (n_handlers (cancellable) == 0);

  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_object_unref (cancellable);
  test_wait_until (test_releases_get (&releases) == 1);
  test_executor_end (executor);
}

/* Of several executors, too. */
static void
test_many_executors (void)
{
  ConcurExecutor *executors[3];
  ConcurFuture *futures[3];
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint i;

  for (i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      executors[i] = paused_new ();
      futures[i] = concur_executor_submit (executors[i], must_not_run_job, NULL, NULL, cancellable);
    }
  g_cancellable_cancel (cancellable);
  for (i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      g_assert_true (concur_future_wait (futures[i], TEST_PATIENCE_US));
      test_assert_cancelled (futures[i]);
      g_object_unref (futures[i]);
      test_executor_end (executors[i]);
    }
}

static void
test_reset (void)
{
  ConcurExecutor *executor = paused_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) first = NULL, second = NULL, third = NULL;

  first = concur_executor_submit (executor, must_not_run_job, NULL, NULL, cancellable);
  g_cancellable_cancel (cancellable);
  g_assert_true (concur_future_wait (first, TEST_PATIENCE_US));
  test_assert_cancelled (first);

  g_cancellable_reset (cancellable);
  second = concur_executor_submit (executor, quick_job, NULL, NULL, cancellable);
  third = concur_executor_submit (executor, must_not_run_job, NULL, NULL, cancellable);
  g_assert_false (concur_future_is_done (second));
  concur_future_cancel (third, CONCUR_CANCEL_NONE);
  resume (executor);
  g_assert_true (concur_future_wait (second, -1));
  test_assert_int64 (second, 1);

  g_clear_object (&first);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  first = concur_executor_submit (executor, must_not_run_job, NULL, NULL, cancellable);
  g_cancellable_cancel (cancellable);
  g_assert_true (concur_future_wait (first, TEST_PATIENCE_US));
  test_assert_cancelled (first);
  test_executor_end (executor);
}

/* Inside g_cancellable_cancel () */

static _Thread_local gboolean inside_cancel;

typedef struct
{
  GCancellable *cancellable;
  gulong handler;          /* the user's own */
  ConcurFuture *future;
  guint n_inside;
  TestGate called;
} Inside;

static void
disconnecting_called (ConcurFuture *future,
                      gpointer      data)
{
  Inside *self = data;

  g_assert_false (inside_cancel);
  /* Waits until the emission is over: on its thread that would be for ever. */
  g_cancellable_disconnect (self->cancellable, self->handler);
  test_gate_open (&self->called);
}

static void
users_handler (GCancellable *cancellable,
               gpointer      data)
{
  Inside *self = data;

  self->n_inside++;
}

/* Direct callbacks do not run inside the parent's g_cancellable_cancel (), so that they
 * may disconnect from it, as the code of others does in its own clean-up. */
static void
test_callbacks_are_outside (void)
{
  ConcurExecutor *executor = paused_new ();
  guint rounds = test_scaled (500), i;

  for (i = 0; i < rounds; i++)
    {
      Inside inside = { .cancellable = g_cancellable_new () };

      if (i % 2)
        inside.handler = g_cancellable_connect (inside.cancellable, G_CALLBACK (users_handler),
                                                &inside, NULL);
      inside.future = concur_executor_submit (executor, must_not_run_job, NULL, NULL,
                                              inside.cancellable);
      if (i % 2 == 0)
        inside.handler = g_cancellable_connect (inside.cancellable, G_CALLBACK (users_handler),
                                                &inside, NULL);
      concur_future_add_direct_callback (inside.future, disconnecting_called, &inside, NULL);

      inside_cancel = TRUE;
      g_cancellable_cancel (inside.cancellable);
      inside_cancel = FALSE;
      test_gate_wait (&inside.called);
      g_assert_cmpuint (inside.n_inside, ==, 1);
      test_assert_cancelled (inside.future);
      g_object_unref (inside.future);
      g_object_unref (inside.cancellable);
    }
  test_executor_end (executor);
}

static void
cancel_other (GCancellable *cancellable,
              gpointer      data)
{
  g_cancellable_cancel (data);
}

static void
cancel_future (GCancellable *cancellable,
               gpointer      data)
{
  concur_future_cancel (data, CONCUR_CANCEL_NONE);
  g_assert_true (concur_future_is_done (data));
  /* And what this thread has to let go: the registration, inside the emission. */
  concur_release_pending ();
}

/* From handlers of other cancellables, and of the same one. */
static void
test_cancel_in_handlers (void)
{
  ConcurExecutor *executor = paused_new ();
  g_autoptr (GCancellable) outer = g_cancellable_new ();
  g_autoptr (GCancellable) inner = g_cancellable_new ();
  g_autoptr (ConcurFuture) before = NULL, after = NULL;

  /* Its user's handler comes before ours, and another one after. */
  g_cancellable_connect (outer, G_CALLBACK (cancel_other), inner, NULL);
  before = concur_executor_submit (executor, must_not_run_job, NULL, NULL, inner);
  after = concur_executor_submit (executor, must_not_run_job, NULL, NULL, inner);
  g_cancellable_connect (inner, G_CALLBACK (cancel_future), before, NULL);
  g_cancellable_cancel (outer);
  test_assert_cancelled (before);
  g_assert_true (concur_future_wait (after, TEST_PATIENCE_US));
  test_assert_cancelled (after);
  test_executor_end (executor);
}

static gboolean
cancel_parent_job (ConcurJob *job,
                   gpointer   data,
                   GError   **error)
{
  g_cancellable_cancel (data);
  g_assert_true (concur_job_is_cancelled (job));

  return !concur_job_check_cancelled (job, error);
}

static void
test_from_inside (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_submit (executor, cancel_parent_job, cancellable, NULL, cancellable);
  g_assert_true (concur_future_wait (future, -1));
  test_assert_cancelled (future);
  test_executor_end (executor);
}

/* Races */

static gpointer
cancel_thread (gpointer data)
{
  Inside *self = data;

  test_gate_wait (&self->called);
  g_cancellable_cancel (self->cancellable);

  return NULL;
}

/* Whether a job joins before or after the cancellable fires, it does not stay behind. */
static void
test_submit_race (void)
{
  ConcurExecutor *executor = paused_new ();
  guint rounds = test_scaled (1000), i, j;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      Inside inside = { .cancellable = g_cancellable_new () };
      GThread *thread = g_thread_new ("cancel", cancel_thread, &inside);
      TestReleases freed = { .thread = g_thread_self () };
      ConcurFuture *futures[8];

      test_gate_open (&inside.called);
      for (j = 0; j < G_N_ELEMENTS (futures); j++)
        futures[j] = concur_executor_submit (executor, must_not_run_job, &freed, test_released,
                                             inside.cancellable);
      g_thread_join (thread);
      for (j = 0; j < G_N_ELEMENTS (futures); j++)
        {
          g_assert_true (concur_future_wait (futures[j], TEST_PATIENCE_US));
          test_assert_cancelled (futures[j]);
          g_object_unref (futures[j]);
        }
      test_wait_until (test_releases_get (&freed) == G_N_ELEMENTS (futures));
      g_assert_cmpuint (test_releases_get_wrong (&freed), ==, 0);
      g_object_unref (inside.cancellable);
    }
  test_shake_stop ();
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  GCancellable *shared;
  guint rounds;
  gint *n_freed;
} Churn;

static void
churn_freed (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

/* Jobs come to a shared cancellable and leave it, others have one of their own that is
 * cancelled at any moment. */
static gpointer
churn_thread (gpointer data)
{
  Churn *self = data;
  guint i;

  for (i = 0; i < self->rounds; i++)
    {
      g_autoptr (GCancellable) own = g_cancellable_new ();
      g_autoptr (ConcurFuture) first = NULL, second = NULL;
      guint yields;

      first = concur_executor_submit (self->executor, quick_job, self->n_freed, churn_freed,
                                      self->shared);
      second = concur_executor_submit (self->executor, quick_job, self->n_freed, churn_freed, own);
      for (yields = i % 6; yields > 0; yields--)
        g_thread_yield ();
      g_cancellable_cancel (own);
      if (i % 3 == 0)
        concur_future_cancel (first, CONCUR_CANCEL_ABANDON);
      g_assert_true (concur_future_wait (first, TEST_PATIENCE_US));
      if (i % 5)
        g_assert_true (concur_future_wait (second, TEST_PATIENCE_US));
    }

  return NULL;
}

static void
test_churn (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  GCancellable *shared = g_cancellable_new ();
  TestReleases releases = { 0 };
  gint n_freed = 0;
  Churn churn = { executor, shared, test_scaled (4000), &n_freed };
  GThread *threads[3];
  guint i;

  test_releases_watch (&releases, shared);
  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("churn", churn_thread, &churn);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_shake_stop ();

  test_executor_end (executor);
  test_wait_until ((guint) g_atomic_int_get (&n_freed) == 2 * churn.rounds * G_N_ELEMENTS (threads));
  test_wait_until (n_handlers (shared) == 0);
  g_object_unref (shared);
  test_wait_until (test_releases_get (&releases) == 1);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/cancel/parent/already", test_already_cancelled);
  g_test_add_func ("/cancel/parent/queued", test_queued);
  g_test_add_func ("/cancel/parent/running", test_running);
  g_test_add_func ("/cancel/parent/after", test_after);
  g_test_add_func ("/cancel/parent/one-way", test_is_not_cancelled_by_jobs);
  g_test_add_data_func ("/cancel/parent/many", NULL, test_many);
  g_test_add_data_func ("/cancel/parent/many/cancelled", GINT_TO_POINTER (TRUE), test_many);
  g_test_add_func ("/cancel/parent/many-executors", test_many_executors);
  g_test_add_func ("/cancel/parent/reset", test_reset);
  g_test_add_func ("/cancel/parent/callbacks-are-outside", test_callbacks_are_outside);
  g_test_add_func ("/cancel/parent/in-handlers", test_cancel_in_handlers);
  g_test_add_func ("/cancel/parent/from-inside", test_from_inside);
  g_test_add_func ("/cancel/parent/submit-race", test_submit_race);
  g_test_add_func ("/cancel/parent/churn", test_churn);

  return test_run ();
}
