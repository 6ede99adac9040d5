/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* After concur_quiesce () the timer and the service stand still, too, and who is not the
 * library's goes on, also who called it on one of its threads. */

#include "config.h"

#include "concur-home-private.h"
#include "concur-timer-private.h"
#include "test-quiesce.h"

/* The timer's thread, unless it was there before the callback was. */

static gboolean called_here;

static void
timer_callback (ConcurFuture *future,
                gpointer      data)
{
  if (g_thread_self () == main_thread)
    called_here = TRUE;
  else
    clogged_callback (future, data);
}

static void
child_timer (void)
{
  g_autoptr (ConcurFuture) later = concur_future_delay (10 * TEST_PATIENCE_US);
  g_autoptr (ConcurFuture) delay = NULL, second = NULL;

  do
    {
      g_clear_object (&delay);
      delay = concur_future_delay (G_USEC_PER_SEC / 1000);
      called_here = FALSE;
      concur_future_add_direct_callback (delay, timer_callback, NULL, NULL);
    }
  while (called_here);
  test_gate_wait (&in_callback.begun);
  /* Soon due, and nobody is there to see it. */
  second = concur_future_delay (1);
  concur_future_add_direct_callback (second, future_called, NULL, called);

  quiesce ();
  test_gate_open (&in_callback.go);
  test_wait_until (n_still () == 1);
  g_assert_cmpint (concur_future_get_state (second), ==, CONCUR_FUTURE_STATE_PENDING);

  /* They may still be let go, and new ones are refused. */
  g_assert_true (concur_future_cancel (second, CONCUR_CANCEL_NONE));
  g_assert_true (concur_future_cancel (later, CONCUR_CANCEL_NONE));
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  assert_not_running (concur_future_delay (1));
  leave ();
}

/* What a parent cancellable orders is carried out by the service. */

static void
clogged_handler (GCancellable *cancellable,
                 gpointer      data)
{
  test_gate_open (&in_callback.begun);
  test_gate_wait (&in_callback.go);
}

static gboolean
asked_job (ConcurJob *job,
           gpointer   begun,
           GError   **error)
{
  g_signal_connect (concur_job_get_cancellable (job), "cancelled", G_CALLBACK (clogged_handler), NULL);
  concur_job_hold (job);
  test_gate_open (begun);

  return TRUE;
}

static void
child_service (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) first = NULL, second = NULL;
  TestGate begun = { 0 };

  first = concur_executor_submit (executor, asked_job, &begun, NULL, cancellable);
  test_gate_wait (&begun);
  g_cancellable_cancel (cancellable);
  test_gate_wait (&in_callback.begun);
  g_clear_object (&cancellable);
  cancellable = g_cancellable_new ();
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  /* Asleep, and so at no gate. */
  test_wait_until (test_snapshot (executor, n_idle) == 1);
  second = concur_executor_submit (executor, test_one_job, NULL, called, cancellable);
  concur_future_add_direct_callback (second, future_called, NULL, NULL);
  g_cancellable_cancel (cancellable);

  quiesce ();
  test_gate_open (&in_callback.go);
  test_wait_until (n_still () == 1);
  g_assert_cmpint (concur_future_get_state (second), ==, CONCUR_FUTURE_STATE_PENDING);
  leave ();
}

/* Who is not the library's goes on. */

static gint n_here;

static void
count_here (ConcurFuture *future,
            gpointer      data)
{
  g_assert_true (g_thread_self () == main_thread);
  n_here++;
}

static gboolean
never_called (ConcurJob     *job,
              ConcurFuture  *input,
              gpointer       data,
              GError       **error)
{
  g_assert_not_reached ();
}

static void
child_others (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  g_autoptr (ConcurExecutor) here = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  g_autoptr (ConcurFuture) done = test_submit (executor, test_one_job, NULL);
  g_autoptr (ConcurFuture) running = NULL, refused = NULL, end = NULL, posted = NULL, next = NULL;
  g_autoptr (ConcurFuture) here_end = NULL;
  TestReleases releases = { .thread = main_thread };
  TestClog clog = { 0 };
  GError *error = NULL;
  gint64 start;

  test_assert_done (done);
  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  concur_future_add_direct_callback (future, count_here, NULL, NULL);
  concur_future_when_done (future, count_here, NULL, NULL, NULL);

  quiesce ();
  concur_quiesce ();

  start = g_get_monotonic_time ();
  refused = concur_executor_submit (executor, test_one_job, &releases, test_released, NULL);
  assert_not_running (refused);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  posted = concur_executor_submit (here, test_one_job, NULL, NULL, NULL);
  assert_not_running (posted);
  g_assert_false (concur_executor_post (here, called, NULL, NULL));
  g_assert_false (concur_executor_post (executor, called, NULL, NULL));
  next = concur_future_continue_with (done, never_called, NULL, NULL, executor);
  assert_not_running (next);

  /* What is done is done; for the rest nobody waits. */
  g_assert_true (concur_future_wait (done, -1));
  test_assert_int64 (done, 1);
  g_assert_false (concur_future_wait (running, -1));
  g_assert_false (concur_future_wait (running, TEST_PATIENCE_US));
  g_assert_null (concur_future_result (running, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  g_assert_false (concur_future_iterate (running, NULL, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  assert_not_running (end);
  here_end = concur_executor_shutdown (here, CONCUR_SHUTDOWN_DRAIN);
  assert_not_running (here_end);
  g_assert_cmpint (g_get_monotonic_time () - start, <, TEST_PATIENCE_US);

  /* Decisions and callbacks here still count. */
  g_assert_true (concur_future_cancel (running, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (running);
  concur_promise_resolve_int64 (promise, 3);
  g_assert_cmpint (n_here, ==, 1);
  test_iterate_until (NULL, n_here == 2);
  g_object_unref (executor);
  leave ();
}

/* What came home to a thread that is neither the library's nor the one that called stays
 * there: whether the thread looks for it, submits, runs its main context or ends. */

typedef struct
{
  ConcurExecutor *executor;
  TestReleases released;
  TestGate home;            /* it has something at home, and something posted */
  TestGate go;
} TestLeftOut;

static void
left_out_callback (ConcurFuture *future,
                   gpointer      data)
{
  g_error ("called");
}

static gpointer
left_out_thread (gpointer data)
{
  TestLeftOut *scene = data;
  g_autoptr (ConcurFuture) first = NULL, refused = NULL;
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint i;

  first = concur_executor_submit (scene->executor, test_one_job, &scene->released, test_released,
                                  NULL);
  while (!concur_home_front_has_items (concur_thread_home))
    g_thread_yield ();
  concur_future_when_done (first, left_out_callback, NULL, NULL, context);
  test_gate_open (&scene->home);
  test_gate_wait (&scene->go);

  refused = concur_executor_submit (scene->executor, test_one_job, &scene->released,
                                    test_released, NULL);
  assert_not_running (refused);
  g_assert_cmpuint (concur_release_pending (), ==, 0);
  /* Nor do its sources keep a main loop busy. */
  for (i = 0; i < 10; i++)
    g_main_context_iteration (context, FALSE);
  g_assert_false (g_main_context_pending (context));

  return NULL;
}

static void
child_left_out (void)
{
  g_autoptr (ConcurFuture) mine = NULL;
  TestLeftOut scene = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  TestReleases released = { .thread = main_thread };
  GThread *thread = g_thread_new ("left out", left_out_thread, &scene);

  test_gate_wait (&scene.home);
  quiesce ();
  test_gate_open (&scene.go);
  g_thread_join (thread);
  g_assert_cmpuint (test_releases_get (&scene.released), ==, 0);

  /* Here it goes on. */
  mine = concur_executor_submit (scene.executor, test_one_job, &released, test_released, NULL);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  leave ();
}

/* Called on one of its threads: that one goes on, too. */

static gboolean
quiescing_job (ConcurJob *job,
               gpointer   gate,
               GError   **error)
{
  main_thread = g_thread_self ();
  quiesce ();
  concur_job_return_int64 (job, 8);
  test_gate_open (gate);

  return TRUE;
}

static void
child_from_a_job (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;
  TestGate gate = { 0 };

  future = concur_executor_submit (executor, quiescing_job, &gate, NULL, NULL);
  test_gate_wait (&gate);
  test_wait_until (concur_future_is_done (future));
  test_assert_int64 (future, 8);
  leave ();
}

int
main (int   argc,
      char *argv[])
{
  static const Scene scenes[] = {
    { "timer", child_timer },
    { "service", child_service },
    { "others", child_others },
    { "left-out", child_left_out },
    { "from-a-job", child_from_a_job },
  };

  return quiesce_main (argc, argv, scenes, G_N_ELEMENTS (scenes));
}
