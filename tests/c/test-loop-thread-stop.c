/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a loop thread ends: stopped in every state, from everywhere, twice and at once,
 * with work left and without, by its last reference, by a fork, or by the end of the
 * process. This program has a pthread_create () of its own, which fails when told to. */

#include "config.h"

#include "test-no-threads.h"
#include "test-workers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A loop that waits at a gate before it begins. */
typedef struct
{
  ConcurLoopThread parent_instance;
  TestGate *begun;
  TestGate *go;
} GatedLoop;

typedef ConcurLoopThreadClass GatedLoopClass;

static GType gated_loop_get_type (void);

G_DEFINE_TYPE (GatedLoop, gated_loop, CONCUR_TYPE_LOOP_THREAD)

static void
gated_run_loop (ConcurLoopThread *thread)
{
  GatedLoop *self = (GatedLoop *) thread;

  if (self->begun != NULL)
    {
      test_gate_open (self->begun);
      test_gate_wait (self->go);
    }
  CONCUR_LOOP_THREAD_CLASS (gated_loop_parent_class)->run_loop (thread);
}

static void
gated_loop_class_init (GatedLoopClass *klass)
{
  klass->run_loop = gated_run_loop;
}

static void
gated_loop_init (GatedLoop *self)
{
}

static ConcurLoopThread *
started (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("stop");
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_loop_thread_start (thread, &error));
  g_assert_no_error (error);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_RUNNING);

  return thread;
}

static void
stop (ConcurLoopThread *thread)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_loop_thread_stop (thread, TEST_PATIENCE_US, &error));
  g_assert_no_error (error);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);
}

static void
assert_clean (guint before)
{
  concur_release_pending ();
  test_iterate_until (NULL, test_futures_alive () <= before);
}

static gboolean
hold_job (ConcurJob  *job,
          gpointer    held,
          GError    **error)
{
  *(ConcurJob **) held = g_object_ref (job);
  concur_job_hold (job);

  return TRUE;
}

/* A held job, whose function has returned. */
static ConcurJob *
hold (ConcurLoopThread *thread)
{
  ConcurJob *held = NULL;
  ConcurFuture *future = test_submit (thread, hold_job, &held);
  g_autoptr (ConcurFuture) next
      = concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, NULL);

  g_assert_nonnull (next);
  g_object_unref (future);

  return held;
}

static void
release (ConcurJob *held)
{
  concur_job_return_int64 (held, 5);
  g_object_unref (held);
}

static void
test_never_started (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new (NULL);

  stop (thread);
  stop (thread);
  g_assert_true (concur_loop_thread_join (thread, -1, NULL));
  g_object_unref (thread);
}

static void
test_twice (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();

  /* No matter how often. */
  g_assert_true (concur_loop_thread_start (thread, NULL));
  stop (thread);
  /* It has really ended. */
  g_assert_cmpuint (test_count_threads ("stop"), ==, 0);
  stop (thread);
  g_assert_true (concur_loop_thread_join (thread, 0, NULL));
  g_object_unref (thread);
  assert_clean (before);
}

static void
test_again (void)
{
  guint before = test_futures_alive (), n_homes = 0;
  ConcurLoopThread *thread = concur_loop_thread_new ("again");
  GMainContext *context = concur_loop_thread_get_context (thread);
  guint i, n = test_scaled (200);
  gint count = 0;

  concur_loop_thread_add_task (thread, test_count_job, &count, NULL);
  for (i = 0; i < n; i++)
    {
      ConcurFuture *future;

      g_assert_true (concur_loop_thread_start (thread, NULL));
      future = concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, NULL);
      test_assert_int64 (future, 1);
      g_object_unref (future);
      g_assert_true (concur_loop_thread_get_context (thread) == context);
      stop (thread);
      if (i == 0)
        n_homes = test_homes_alive ();
    }
  g_assert_cmpuint (test_homes_alive (), ==, n_homes);
  g_assert_cmpuint (test_count_threads ("again"), ==, 0);
  g_assert_cmpint (count, ==, (gint) n);
  g_object_unref (thread);
  assert_clean (before);
}

typedef struct
{
  ConcurLoopThread *thread;
  TestGate ready;
  TestGate go;
  TestGate done;
} Actors;

static gpointer
stopper (gpointer data)
{
  Actors *actors = data;
  GError *error = NULL;

  test_gate_open (&actors->ready);
  test_gate_wait (&actors->go);
  g_assert_true (concur_loop_thread_stop (actors->thread, TEST_PATIENCE_US, &error));
  g_assert_no_error (error);

  return NULL;
}

static void
test_concurrently (void)
{
  guint before = test_futures_alive ();
  guint round, i, n_rounds = test_scaled (100);

  test_shake_start ();
  for (round = 0; round < n_rounds; round++)
    {
      Actors actors = { .thread = started () };
      GThread *threads[8];

      for (i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new (NULL, stopper, &actors);
      test_gate_wait_n (&actors.ready, G_N_ELEMENTS (threads));
      test_gate_open (&actors.go);
      for (i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
      g_assert_cmpint (concur_loop_thread_get_state (actors.thread), ==, CONCUR_LOOP_STATE_STOPPED);
      g_object_unref (actors.thread);
    }
  test_shake_stop ();
  assert_clean (before);
}

/* Threads start, stop and call, in any order: nobody hangs, and every call is answered or
 * refused. */
static gpointer
troublemaker (gpointer data)
{
  Actors *actors = data;
  guint i, n = test_scaled (60);

  test_gate_open (&actors->ready);
  test_gate_wait (&actors->go);
  for (i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = NULL;

      if (!concur_loop_thread_start (actors->thread, &error))
        g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
      g_clear_error (&error);
      future = concur_loop_thread_call (actors->thread, test_one_job, NULL, NULL, -1, &error);
      if (future != NULL)
        test_assert_int64 (future, 1);
      else
        g_assert_true (error->domain == CONCUR_EXECUTOR_ERROR
                       && (error->code == CONCUR_EXECUTOR_ERROR_SHUT_DOWN
                           || error->code == CONCUR_EXECUTOR_ERROR_NOT_RUNNING));
      if (i % 3 == 0)
        g_assert_true (concur_loop_thread_stop (actors->thread, TEST_PATIENCE_US, NULL));
    }

  return NULL;
}

static void
test_trouble (void)
{
  guint before = test_futures_alive ();
  Actors actors = { .thread = concur_loop_thread_new ("trouble") };
  GThread *threads[4];
  guint i;

  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, troublemaker, &actors);
  test_gate_wait_n (&actors.ready, G_N_ELEMENTS (threads));
  test_gate_open (&actors.go);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_shake_stop ();
  stop (actors.thread);
  g_object_unref (actors.thread);
  assert_clean (before);
}

static gpointer
failing_starter (gpointer data)
{
  Actors *actors = data;
  g_autoptr (GError) error = NULL;

  g_assert_false (concur_loop_thread_start (actors->thread, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_assert_nonnull (strstr (error->message, "while it was starting"));
  test_gate_open (&actors->done);

  return NULL;
}

static void
test_during_start (void)
{
  guint before = test_futures_alive ();
  TestGate begun = { 0 }, go = { 0 };
  GatedLoop *self = g_object_new (gated_loop_get_type (), "name", "gated", NULL);
  Actors actors = { .thread = (ConcurLoopThread *) self };
  g_autoptr (GError) error = NULL;
  GThread *starter;

  self->begun = &begun;
  self->go = &go;
  starter = g_thread_new (NULL, failing_starter, &actors);
  test_gate_wait (&begun);
  g_assert_cmpint (concur_loop_thread_get_state (actors.thread), ==, CONCUR_LOOP_STATE_STARTING);
  g_assert_null (concur_loop_thread_call (actors.thread, test_one_job, NULL, NULL, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_assert_nonnull (strstr (error->message, "is starting"));
  g_clear_error (&error);

  g_assert_false (concur_loop_thread_stop (actors.thread, 0, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&error);
  /* Who starts it need not wait for the end to know. */
  test_gate_wait (&actors.done);
  g_assert_cmpint (concur_loop_thread_get_state (actors.thread), ==, CONCUR_LOOP_STATE_STOPPING);
  g_thread_join (starter);

  test_gate_open (&go);
  stop (actors.thread);
  self->begun = NULL;
  g_assert_true (concur_loop_thread_start (actors.thread, &error));
  stop (actors.thread);
  g_object_unref (self);
  assert_clean (before);
}

static gboolean
stop_inside_job (ConcurJob  *job,
                 gpointer    data,
                 GError    **error)
{
  ConcurLoopThread *thread = data;
  g_autoptr (GError) own_error = NULL;

  g_assert_false (concur_loop_thread_join (thread, -1, &own_error));
  g_assert_error (own_error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_clear_error (&own_error);
  g_assert_true (concur_loop_thread_start (thread, NULL));

  g_assert_true (concur_loop_thread_stop (thread, -1, &own_error));
  g_assert_no_error (own_error);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPING);
  g_assert_true (concur_loop_thread_stop (thread, -1, &own_error));
  g_assert_false (concur_loop_thread_start (thread, &own_error));
  g_assert_error (own_error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  concur_job_return_int64 (job, 6);

  return TRUE;
}

static void
test_own_thread (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  ConcurFuture *future = concur_loop_thread_call (thread, stop_inside_job, thread, NULL, -1, NULL);

  test_assert_int64 (future, 6);
  g_object_unref (future);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);
  g_object_unref (thread);
  assert_clean (before);
}

/* The same in a job of its pool, for which the end waits. */
static void
test_own_pool (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  ConcurFuture *future
      = test_submit (concur_loop_thread_get_executor (thread), stop_inside_job, thread);

  test_assert_done (future);
  test_assert_int64 (future, 6);
  g_object_unref (future);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_object_unref (thread);
  assert_clean (before);
}

typedef struct
{
  ConcurLoopThread *thread;
  TestGate calling;
} Workers;

static gboolean
calling_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Workers *workers = data;
  g_autoptr (ConcurFuture) future = NULL;
  gint64 number;

  test_gate_open (&workers->calling);
  future = concur_loop_thread_call (workers->thread, test_one_job, NULL, NULL, -1, error);
  if (future == NULL)
    return FALSE;
  number = concur_future_get_int64 (future, error);
  concur_job_return_int64 (job, number);

  return TRUE;
}

/* Workers of its own pool wait for the loop, which waits for them. */
static void
test_workers_in_call (void)
{
  guint before = test_futures_alive ();
  Workers workers = { .thread = started () };
  TestClog clog = { 0 };
  ConcurFuture *clogged = test_submit (workers.thread, test_clog_job, &clog);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  ConcurFuture *shut;
  guint i;

  test_gate_wait (&clog.begun);
  for (i = 0; i < 4; i++)
    g_ptr_array_add (futures, test_submit (concur_loop_thread_get_executor (workers.thread),
                                           calling_job, &workers));
  test_gate_wait_n (&workers.calling, 4);
  shut = concur_executor_shutdown (CONCUR_EXECUTOR (workers.thread), CONCUR_SHUTDOWN_DRAIN);
  g_object_unref (shut);
  test_gate_open (&clog.go);
  stop (workers.thread);

  for (i = 0; i < futures->len; i++)
    {
      const GError *error;

      g_assert_true (concur_future_is_done (futures->pdata[i]));
      error = concur_future_get_error (futures->pdata[i]);
      if (error != NULL)
        g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
      else
        test_assert_int64 (futures->pdata[i], 1);
    }
  g_ptr_array_set_size (futures, 0);
  test_assert_int64 (clogged, 42);
  g_object_unref (clogged);
  g_object_unref (workers.thread);
  assert_clean (before);
}

/* The time is over: it goes on, and can be waited for again. */
static void
test_timeout (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  ConcurJob *held = hold (thread);
  g_autoptr (GError) error = NULL;

  g_assert_false (concur_loop_thread_join (thread, 1000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_RUNNING);
  g_clear_error (&error);
  g_assert_false (concur_loop_thread_stop (thread, 1000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "1 jobs"));
  g_clear_error (&error);
  g_assert_false (concur_loop_thread_stop (thread, 0, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPING);

  release (held);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_assert_true (concur_loop_thread_start (thread, NULL));
  stop (thread);
  g_object_unref (thread);
  assert_clean (before);
}

static gboolean
answer_when_told (GCancellable *cancellable,
                  gpointer      job)
{
  concur_job_return_int64 (job, 5);

  return G_SOURCE_REMOVE;
}

static gboolean
patient_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  g_autoptr (GSource) source = g_cancellable_source_new (concur_job_get_cancellable (job));

  g_source_set_callback (source, G_SOURCE_FUNC (answer_when_told), g_object_ref (job),
                         g_object_unref);
  g_source_attach (source, g_main_context_get_thread_default ());
  concur_job_hold (job);

  return TRUE;
}

/* A stop that takes too long is hurried. */
static void
test_strengthened (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  ConcurFuture *future = test_submit (thread, patient_job, NULL);
  ConcurFuture *endless;
  ConcurFuture *shut;
  TestGate begun = { 0 };

  endless = test_submit (concur_loop_thread_get_executor (thread), test_endless_job, &begun);
  test_gate_wait (&begun);
  g_assert_false (concur_loop_thread_stop (thread, 1000, NULL));
  g_assert_false (concur_future_is_done (future));
  shut = concur_executor_shutdown (CONCUR_EXECUTOR (thread), CONCUR_SHUTDOWN_CANCEL_ALL);
  stop (thread);
  test_assert_done (shut);
  test_assert_int64 (future, 5);
  g_assert_true (concur_future_is_done (endless));
  concur_future_ignore (endless);
  g_object_unref (endless);
  g_object_unref (shut);
  g_object_unref (future);
  g_object_unref (thread);
  assert_clean (before);
}

static gpointer
restarter (gpointer data)
{
  Actors *actors = data;
  GError *error = NULL;

  test_gate_open (&actors->ready);
  g_assert_true (concur_loop_thread_start (actors->thread, &error));
  g_assert_no_error (error);

  return NULL;
}

/* A start that comes while it stops waits for the end. */
static void
test_start_while_stopping (void)
{
  guint before = test_futures_alive ();
  Actors actors = { .thread = started () };
  ConcurJob *held = hold (actors.thread);
  GThread *starter;

  g_assert_false (concur_loop_thread_stop (actors.thread, 0, NULL));
  starter = g_thread_new (NULL, restarter, &actors);
  test_gate_wait (&actors.ready);
  g_assert_cmpint (concur_loop_thread_get_state (actors.thread), ==, CONCUR_LOOP_STATE_STOPPING);
  release (held);
  g_thread_join (starter);
  g_assert_cmpint (concur_loop_thread_get_state (actors.thread), ==, CONCUR_LOOP_STATE_RUNNING);
  stop (actors.thread);
  g_object_unref (actors.thread);
  assert_clean (before);
}

static void
stop_ready (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static void
test_async (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  ConcurJob *held = hold (thread);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  GAsyncResult *result = NULL, *given_up = NULL;

  concur_loop_thread_stop_async (thread, NULL, stop_ready, &result);
  concur_loop_thread_stop_async (thread, cancellable, stop_ready, &given_up);
  g_cancellable_cancel (cancellable);
  test_iterate_until (NULL, given_up != NULL);
  g_assert_false (concur_loop_thread_stop_finish (thread, given_up, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_clear_object (&given_up);
  g_assert_null (result);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPING);

  release (held);
  test_iterate_until (NULL, result != NULL);
  g_assert_true (concur_loop_thread_stop_finish (thread, result, &error));
  g_clear_object (&result);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);
  g_assert_cmpuint (test_count_threads ("stop"), ==, 0);

  /* There is nothing to stop. */
  concur_loop_thread_stop_async (thread, NULL, stop_ready, &result);
  test_iterate_until (NULL, result != NULL);
  g_assert_true (concur_loop_thread_stop_finish (thread, result, &error));
  g_clear_object (&result);
  g_object_unref (thread);
  assert_clean (before);
}

static void
stopping_inside (GObject      *source,
                 GAsyncResult *result,
                 gpointer      gate)
{
  ConcurLoopThread *thread = CONCUR_LOOP_THREAD (source);

  g_assert_true (concur_loop_thread_is_current (thread));
  g_assert_true (concur_loop_thread_stop_finish (thread, result, NULL));
  test_gate_open (gate);
}

static gboolean
stop_async_job (ConcurJob  *job,
                gpointer    gate,
                GError    **error)
{
  concur_loop_thread_stop_async (g_object_get_data (G_OBJECT (job), "thread"), NULL,
                                 stopping_inside, gate);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_async_inside (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  TestGate gate = { 0 };
  g_autoptr (ConcurJob) job = concur_job_new (stop_async_job, &gate, NULL);

  g_object_set_data (G_OBJECT (job), "thread", thread);
  g_object_unref (concur_executor_submit_job (CONCUR_EXECUTOR (thread), job, NULL));
  test_gate_wait (&gate);
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
  g_clear_object (&job);
  g_object_unref (thread);
  assert_clean (before);
}

static void
test_no_thread (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = concur_loop_thread_new ("nothread");
  g_autoptr (GError) error = NULL;
  guint i;

  g_atomic_int_set (&no_threads, TRUE);
  for (i = 0; i < 2; i++)
    {
      g_assert_false (concur_loop_thread_start (thread, &error));
      g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
      g_assert_nonnull (strstr (error->message, "nothread"));
      g_clear_error (&error);
      g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);
    }
  g_atomic_int_set (&no_threads, FALSE);

  g_assert_true (concur_loop_thread_start (thread, &error));
  stop (thread);
  g_object_unref (thread);
  assert_clean (before);
}

/* The last reference goes while it runs: what was submitted is done, then it goes. */
static void
test_dropped (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  TestReleases finalized = { 0 };
  ConcurJob *held = hold (thread);
  gint count = 0;
  ConcurFuture *future = test_submit (thread, test_count_job, &count);

  test_releases_watch (&finalized, thread);
  g_object_unref (thread);
  test_assert_done (future);
  test_assert_int64 (future, 0);
  g_object_unref (future);
  g_assert_cmpuint (test_releases_get (&finalized), ==, 0);
  release (held);
  test_wait_until (test_releases_get (&finalized) == 1);
  assert_clean (before);
}

static gboolean
drop_job (ConcurJob  *job,
          gpointer    thread,
          GError    **error)
{
  g_object_unref (thread);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_dropped_inside (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ();
  TestReleases finalized = { 0 };
  ConcurFuture *future;

  test_releases_watch (&finalized, thread);
  future = test_submit (thread, drop_job, thread);
  test_assert_done (future);
  g_object_unref (future);
  test_wait_until (test_releases_get (&finalized) == 1);
  test_wait_until (test_count_threads ("stop") == 0);
  assert_clean (before);
}

static gpointer
dropper (gpointer data)
{
  Actors *actors = data;

  test_gate_open (&actors->ready);
  test_gate_wait (&actors->go);
  g_object_unref (actors->thread);

  return NULL;
}

/* The last reference, and the end, at the same moment. */
static void
test_dropped_at_end (void)
{
  guint before = test_futures_alive ();
  guint i, n = test_scaled (200);

  test_shake_start ();
  for (i = 0; i < n; i++)
    {
      Actors actors = { .thread = started () };
      TestReleases finalized = { 0 };
      GThread *thread = g_thread_new (NULL, dropper, &actors);
      ConcurFuture *shut;

      test_releases_watch (&finalized, actors.thread);
      test_gate_wait (&actors.ready);
      shut = concur_executor_shutdown (CONCUR_EXECUTOR (actors.thread), CONCUR_SHUTDOWN_DRAIN);
      test_gate_open (&actors.go);
      test_assert_done (shut);
      g_object_unref (shut);
      g_thread_join (thread);
      test_wait_until (test_releases_get (&finalized) == 1);
    }
  test_shake_stop ();
  assert_clean (before);
}

/* In a forked process. */
#define CHECK(condition)                                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      _exit (1 + __LINE__ % 250);                                                                  \
  }                                                                                                \
  G_STMT_END

#define CHECK_NOT_RUNNING(call)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *error = NULL;                                                                          \
    CHECK (!(call));                                                                               \
    CHECK (g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING));     \
  }                                                                                                \
  G_STMT_END

static void
child (ConcurLoopThread *thread)
{
  TestReleases releases = { 0 };
  ConcurLoopThread *fresh = concur_loop_thread_new (NULL);
  ConcurFuture *shut;

  CHECK_NOT_RUNNING (concur_loop_thread_start (thread, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_start (fresh, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_stop (thread, -1, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_join (thread, -1, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, &error)
                     != NULL);
  CHECK_NOT_RUNNING (concur_loop_thread_dup_default (&error) != NULL);
  CHECK (concur_loop_thread_get_state (thread) == CONCUR_LOOP_STATE_STOPPED);
  CHECK (concur_loop_thread_add_task (thread, test_one_job, &releases, test_released) == 0);
  CHECK (test_releases_get (&releases) == 1);
  CHECK (!concur_loop_thread_remove_task (thread, 1));
  shut = concur_executor_shutdown (CONCUR_EXECUTOR (thread), CONCUR_SHUTDOWN_DRAIN);
  CHECK (g_error_matches (concur_future_get_error (shut), CONCUR_EXECUTOR_ERROR,
                          CONCUR_EXECUTOR_ERROR_NOT_RUNNING));
  g_object_unref (thread);
  g_object_unref (fresh);
  _exit (0);
}

static void
test_fork (void)
{
  ConcurLoopThread *thread = started ();
  ConcurFuture *future;
  int status;
  pid_t pid;

  concur_loop_thread_add_task (thread, patient_job, NULL, NULL);
  future = concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, NULL);
  g_object_unref (future);
  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (50);
      child (thread);
    }
  while (waitpid (pid, &status, 0) != pid)
    ;
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("the child ended with the wait status 0x%x: line %d (mod 250)", (unsigned) status,
             WEXITSTATUS (status) - 1);
  stop (thread);
  g_object_unref (thread);
}

#define EXIT_STATUS 23

static gboolean
busy (gpointer data)
{
  g_free (g_strdup ("busy"));

  return G_SOURCE_CONTINUE;
}

static gboolean
busy_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, busy, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_object_ref (job);
  concur_job_hold (job);

  return TRUE;
}

static void
exit_running (void)
{
  ConcurLoopThread *thread = started ();

  concur_loop_thread_add_task (thread, busy_job, NULL, NULL);
  hold (thread);
  if (g_random_boolean ())
    concur_loop_thread_stop (thread, 0, NULL);
  exit (EXIT_STATUS);
}

static char *program;

static void
test_exit (void)
{
  const char *argv[] = { program, "--exit", NULL };
  guint i;

  for (i = 0; i < test_scaled (20) + 1; i++)
    {
      g_autofree char *output = NULL, *errors = NULL;
      g_autoptr (GError) error = NULL;
      gint status;

      g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output,
                                   &errors, &status, &error));
      g_assert_no_error (error);
      if (!WIFEXITED (status) || WEXITSTATUS (status) != EXIT_STATUS)
        g_error ("wait status 0x%x\n%s%s", (unsigned) status, output, errors);
      g_assert_cmpstr (errors, ==, "");
    }
}

#if defined(__SANITIZE_ADDRESS__)
/* What a process leaves behind at such an end is not a leak: only the child turns it off. */
extern void __lsan_disable (void);
#endif

int
main (int    argc,
      char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--exit") == 0)
    {
#if defined(__SANITIZE_ADDRESS__)
      __lsan_disable ();
#endif
      alarm (60);
      exit_running ();
    }

  test_init (&argc, &argv);
  program = g_file_read_link ("/proc/self/exe", NULL);

  g_test_add_func ("/loop-thread/stop/never-started", test_never_started);
  g_test_add_func ("/loop-thread/stop/twice", test_twice);
  g_test_add_func ("/loop-thread/stop/again", test_again);
  g_test_add_func ("/loop-thread/stop/concurrently", test_concurrently);
  g_test_add_func ("/loop-thread/stop/trouble", test_trouble);
  g_test_add_func ("/loop-thread/stop/during-start", test_during_start);
  g_test_add_func ("/loop-thread/stop/own-thread", test_own_thread);
  g_test_add_func ("/loop-thread/stop/own-pool", test_own_pool);
  g_test_add_func ("/loop-thread/stop/workers-in-call", test_workers_in_call);
  g_test_add_func ("/loop-thread/stop/timeout", test_timeout);
  g_test_add_func ("/loop-thread/stop/strengthened", test_strengthened);
  g_test_add_func ("/loop-thread/stop/start-while-stopping", test_start_while_stopping);
  g_test_add_func ("/loop-thread/stop/async", test_async);
  g_test_add_func ("/loop-thread/stop/async-inside", test_async_inside);
  g_test_add_func ("/loop-thread/stop/no-thread", test_no_thread);
  g_test_add_func ("/loop-thread/stop/dropped", test_dropped);
  g_test_add_func ("/loop-thread/stop/dropped-inside", test_dropped_inside);
  g_test_add_func ("/loop-thread/stop/dropped-at-end", test_dropped_at_end);
  g_test_add_func ("/loop-thread/stop/fork", test_fork);
  g_test_add_func ("/loop-thread/stop/exit", test_exit);

  return test_run ();
}
