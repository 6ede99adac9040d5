/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Cancelling with QUEUED: what has begun goes on and never hears of it. The moment
 * between the two is in test-cancel-race.c. */

#include "config.h"

#include "test-workers.h"

/* Alone, and with the flag that has no effect beside it. */
static const ConcurCancelFlags both[] = {
  CONCUR_CANCEL_QUEUED,
  CONCUR_CANCEL_QUEUED | CONCUR_CANCEL_ABANDON,
};

/* One worker that is busy until told, and a job behind it. */
typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
  ConcurFuture *running;
  ConcurFuture *queued;
  gint ran;                  /* atomic: the queued one */
} Scene;

static void
scene_open (Scene *scene)
{
  *scene = (Scene){ .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  scene->running = test_submit (scene->executor, test_clog_job, &scene->clog);
  test_gate_wait (&scene->clog.begun);
  scene->queued = test_submit (scene->executor, test_count_job, &scene->ran);
}

/* @ran: whether the queued job is to be run. What was running went on in any case. */
static void
scene_close (Scene *scene,
             gboolean ran)
{
  g_assert_cmpint (concur_future_get_state (scene->running), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (scene->running)));
  g_assert_false (g_cancellable_is_cancelled (
    concur_job_get_cancellable (CONCUR_JOB (scene->running))));
  test_gate_open (&scene->clog.go);
  test_assert_done (scene->running);
  test_assert_int64 (scene->running, 42);
  test_executor_end (scene->executor);
  g_assert_cmpint (g_atomic_int_get (&scene->ran), ==, ran);
  g_object_unref (scene->running);
  g_object_unref (scene->queued);
}

static void
test_job (void)
{
  Scene scene;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (both); i++)
    {
      scene_open (&scene);
      g_assert_false (concur_future_cancel (scene.running, both[i]));
      g_assert_true (concur_future_cancel (scene.queued, both[i]));
      test_assert_cancelled (scene.queued);
      g_assert_false (concur_future_cancel (scene.queued, both[i]));
      scene_close (&scene, FALSE);
    }
}

/* Before it is submitted. */
static void
test_open (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  gint ran = 0;
  g_autoptr (ConcurJob) job = concur_job_new (test_count_job, &ran, NULL);

  g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_QUEUED));
  g_object_unref (concur_executor_submit_job (executor, job, NULL));
  test_assert_cancelled (CONCUR_FUTURE (job));
  test_executor_end (executor);
  g_assert_cmpint (ran, ==, 0);
}

static gboolean
hold_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  concur_job_hold (job);

  return TRUE;
}

static void
test_held (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = test_submit (executor, hold_job, NULL);

  test_executor_end (executor);
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_QUEUED));
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (future)));
  concur_job_return_int64 (CONCUR_JOB (future), 3);
  test_assert_int64 (future, 3);
}

/* One that was asked before goes on being asked, and no more than that. */
static void
test_asked_before (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestGate begun = { 0 };
  g_autoptr (ConcurFuture) future = test_submit (executor, test_endless_job, &begun);

  test_gate_wait (&begun);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_QUEUED));
  test_assert_done (future);
  test_assert_cancelled (future);
  test_executor_end (executor);
}

static void
test_promise (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (future);
  g_assert_false (concur_promise_resolve_int64 (promise, 1));
}

static void
test_delay (void)
{
  g_autoptr (ConcurFuture) future = concur_future_delay (TEST_PATIENCE_US);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (future);
}

/* Derived ones: cancelled themselves, and of what they derive from only what waits. */

static ConcurFuture *
derive_all (Scene *scene)
{
  ConcurFuture *inputs[] = { scene->running, scene->queued };

  return concur_future_all (inputs, G_N_ELEMENTS (inputs));
}

/* Of its own accord it would cancel the rest, too. */
static ConcurFuture *
derive_race (Scene *scene)
{
  ConcurFuture *inputs[] = { scene->running, scene->queued };

  return concur_future_race (inputs, G_N_ELEMENTS (inputs), CONCUR_COMBINE_CANCEL_REST);
}

/* The flag goes through more than one. */
static ConcurFuture *
derive_deep (Scene *scene)
{
  g_autoptr (ConcurFuture) all = derive_all (scene);
  g_autoptr (ConcurFuture) view = concur_future_view (all);

  return concur_future_with_timeout (view, TEST_PATIENCE_US);
}

static void
test_derived (gconstpointer derive)
{
  ConcurFuture *(*func) (Scene *scene) = (ConcurFuture *(*) (Scene *)) derive;
  g_autoptr (ConcurFuture) derived = NULL;
  Scene scene;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (both); i++)
    {
      scene_open (&scene);
      derived = func (&scene);
      g_assert_true (concur_future_cancel (derived, both[i]));
      test_assert_cancelled (derived);
      test_assert_cancelled (scene.queued);
      scene_close (&scene, FALSE);
      g_clear_object (&derived);
    }
}

static void
test_shield (void)
{
  g_autoptr (ConcurFuture) shield = NULL;
  Scene scene;

  scene_open (&scene);
  shield = concur_future_shield (scene.queued);
  g_assert_true (concur_future_cancel (shield, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (shield);
  scene_close (&scene, TRUE);
}

static gboolean
never_called (ConcurJob     *job,
              ConcurFuture  *input,
              gpointer       data,
              GError       **error)
{
  g_assert_not_reached ();
}

/* The function was not called yet, so the continuation has not begun; its input has. */
static void
test_continuation (void)
{
  g_autoptr (ConcurFuture) next = NULL;
  Scene scene;

  scene_open (&scene);
  next = concur_future_continue_with (scene.running, never_called, NULL, NULL,
                                      scene.executor);
  g_assert_true (concur_future_cancel (next, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (next);
  scene_close (&scene, TRUE);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/cancel-queued/job", test_job);
  g_test_add_func ("/cancel-queued/open", test_open);
  g_test_add_func ("/cancel-queued/held", test_held);
  g_test_add_func ("/cancel-queued/asked-before", test_asked_before);
  g_test_add_func ("/cancel-queued/promise", test_promise);
  g_test_add_func ("/cancel-queued/delay", test_delay);
  g_test_add_data_func ("/cancel-queued/derived/all", derive_all, test_derived);
  g_test_add_data_func ("/cancel-queued/derived/race", derive_race, test_derived);
  g_test_add_data_func ("/cancel-queued/derived/deep", derive_deep, test_derived);
  g_test_add_func ("/cancel-queued/shield", test_shield);
  g_test_add_func ("/cancel-queued/continuation", test_continuation);

  return test_run ();
}
