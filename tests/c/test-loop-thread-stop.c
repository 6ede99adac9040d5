/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a loop thread is stopped: in every state, twice and at once, with work left and
 * without. Stopping on its own threads is in test-loop-thread-stop-inside.c, an end that
 * nobody asked for in test-loop-thread-end.c. This program has a pthread_create () of its
 * own, which fails when told to. */

#include "config.h"

#include "test-loop-thread.h"
#include "test-no-threads.h"

#include <string.h>

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
  ConcurLoopThread *thread = started ("stop");

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
      Actors actors = { .thread = started ("stop") };
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

/* The time is over: it goes on, and can be waited for again. */
static void
test_timeout (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
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

/* A stop that takes too long is hurried. */
static void
test_strengthened (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
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
  Actors actors = { .thread = started ("stop") };
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
  ConcurLoopThread *thread = started ("stop");
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

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/loop-thread/stop/never-started", test_never_started);
  g_test_add_func ("/loop-thread/stop/twice", test_twice);
  g_test_add_func ("/loop-thread/stop/again", test_again);
  g_test_add_func ("/loop-thread/stop/concurrently", test_concurrently);
  g_test_add_func ("/loop-thread/stop/trouble", test_trouble);
  g_test_add_func ("/loop-thread/stop/during-start", test_during_start);
  g_test_add_func ("/loop-thread/stop/timeout", test_timeout);
  g_test_add_func ("/loop-thread/stop/strengthened", test_strengthened);
  g_test_add_func ("/loop-thread/stop/start-while-stopping", test_start_while_stopping);
  g_test_add_func ("/loop-thread/stop/async", test_async);
  g_test_add_func ("/loop-thread/stop/no-thread", test_no_thread);

  return test_run ();
}
