/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The end of an executor: what becomes of the work there is, by mode, and when the end is
 * announced. */

#include "config.h"

#include "test-workers.h"

#include <string.h>

#define N_QUEUED 20

static ConcurExecutor *
executor_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "ending", "max-threads", max_threads, NULL);
}

static void
assert_refused (ConcurExecutor *executor)
{
  guint64 before = test_snapshot (executor, n_refused);
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  future = concur_executor_submit (executor, test_one_job, &releases, test_released, NULL);
  g_assert_true (concur_future_is_done (future));
  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_assert_nonnull (
      strstr (error->message, concur_thread_executor_get_name (CONCUR_THREAD_EXECUTOR (executor))));
  g_assert_cmpuint (test_snapshot (executor, n_refused), ==, before + 1);

  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

static void
test_unused (void)
{
  guint mode;

  for (mode = CONCUR_SHUTDOWN_DRAIN; mode <= CONCUR_SHUTDOWN_CANCEL_ALL; mode++)
    {
      g_autoptr (ConcurExecutor) executor = executor_new (2);
      g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, mode);

      g_assert_true (concur_future_is_done (end));
      g_assert_true (concur_future_check (end, NULL));
      assert_refused (executor);
    }
}

/* One job runs, the others wait for it. */
typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
  ConcurFuture *running;
  GPtrArray *queued;
  TestReleases releases;
  gint ran; /* atomic */
} Scene;

static gboolean
scene_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Scene *scene = (Scene *) ((char *) data - G_STRUCT_OFFSET (Scene, releases));

  g_atomic_int_inc (&scene->ran);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
scene_open (Scene *scene)
{
  guint i;

  *scene = (Scene){ .executor = executor_new (1), .releases.thread = g_thread_self () };
  scene->running = test_submit (scene->executor, test_clog_job, &scene->clog);
  test_gate_wait (&scene->clog.begun);
  scene->queued = test_futures_new ();
  for (i = 0; i < N_QUEUED; i++)
    g_ptr_array_add (scene->queued, concur_executor_submit (scene->executor, scene_job,
                                                            &scene->releases, test_released, NULL));
}

/* Lets the running job go, and looks that all is over when @end says so. */
static void
scene_close (Scene        *scene,
             ConcurFuture *end,
             guint         ran)
{
  guint i;

  g_assert_false (concur_future_is_done (end));
  test_gate_open (&scene->clog.go);
  test_assert_done (end);
  g_assert_true (concur_future_check (end, NULL));

  g_assert_cmpuint (test_count_threads ("ending-"), ==, 0);
  g_assert_cmpuint (test_snapshot (scene->executor, n_threads), ==, 0);
  g_assert_cmpuint (test_snapshot (scene->executor, n_pending), ==, 0);
  g_assert_cmpuint (test_snapshot (scene->executor, n_completed), ==, 1 + ran);
  g_assert_true (concur_future_is_done (scene->running));
  test_assert_int64 (scene->running, 42);
  for (i = 0; i < N_QUEUED; i++)
    {
      g_assert_true (concur_future_is_done (scene->queued->pdata[i]));
      if (ran > 0)
        test_assert_int64 (scene->queued->pdata[i], 1);
      else
        test_assert_cancelled (scene->queued->pdata[i]);
    }
  g_assert_cmpuint (g_atomic_int_get (&scene->ran), ==, ran);

  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&scene->releases), ==, N_QUEUED);
  g_assert_cmpuint (test_releases_get_wrong (&scene->releases), ==, 0);

  g_ptr_array_unref (scene->queued);
  g_object_unref (scene->running);
  g_object_unref (scene->executor);
}

static void
test_drain (void)
{
  g_autoptr (ConcurFuture) end = NULL;
  Scene scene;

  scene_open (&scene);
  end = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_DRAIN);
  assert_refused (scene.executor);
  g_assert_cmpuint (test_snapshot (scene.executor, n_pending), ==, N_QUEUED);
  scene_close (&scene, end, N_QUEUED);
}

static void
assert_all_cancelled (Scene *scene)
{
  guint i;

  for (i = 0; i < N_QUEUED; i++)
    test_assert_cancelled (scene->queued->pdata[i]);
  /* What was submitted with them need not wait for the end. */
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&scene->releases), ==, N_QUEUED);
}

static void
test_cancel_pending (void)
{
  g_autoptr (ConcurFuture) end = NULL;
  Scene scene;

  scene_open (&scene);
  end = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  assert_refused (scene.executor);
  assert_all_cancelled (&scene);
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (scene.running)));
  scene_close (&scene, end, 0);
}

/* The running job does not listen, and so its own answer counts. */
static void
test_cancel_all (void)
{
  g_autoptr (ConcurFuture) end = NULL;
  Scene scene;

  scene_open (&scene);
  end = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  assert_refused (scene.executor);
  assert_all_cancelled (&scene);
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (scene.running)));
  scene_close (&scene, end, 0);
}

static void
test_strengthened (void)
{
  g_autoptr (ConcurFuture) end = NULL, second = NULL, third = NULL;
  Scene scene;

  scene_open (&scene);
  end = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_false (concur_future_is_done (scene.queued->pdata[0]));

  second = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  assert_all_cancelled (&scene);
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (scene.running)));

  third = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (scene.running)));

  g_assert_true (second == end);
  g_assert_true (third == end);
  scene_close (&scene, end, 0);
}

static void
test_weaker (void)
{
  g_autoptr (ConcurFuture) end = NULL, second = NULL, third = NULL;
  Scene scene;

  scene_open (&scene);
  end = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  second = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (second == end);
  assert_refused (scene.executor);
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (scene.running)));
  scene_close (&scene, end, 0);

  scene_open (&scene);
  g_clear_object (&end);
  end = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  third = concur_executor_shutdown (scene.executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  g_assert_true (third == end);
  scene_close (&scene, end, 0);
}

static void
test_again_after_the_end (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  g_autoptr (ConcurFuture) again = NULL;

  test_assert_done (end);
  again = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  g_assert_true (again == end);

  /* The future outlives the executor. */
  g_object_unref (executor);
  g_assert_true (concur_future_check (again, NULL));
}

/* Waits on its cancellable as a GIO call would. */
static gboolean
polling_job (ConcurJob  *job,
             gpointer    begun,
             GError    **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  GPollFD fd;

  g_assert_true (g_cancellable_make_pollfd (cancellable, &fd));
  test_gate_open (begun);
  g_assert_cmpint (g_poll (&fd, 1, TEST_PATIENCE_US / 1000), ==, 1);
  g_cancellable_release_fd (cancellable);
  g_assert_true (concur_job_check_cancelled (job, error));

  return FALSE;
}

typedef struct
{
  ConcurExecutor *executor;
  TestGate begun;
  gint depth;
} Nest;

static gboolean
nest_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Nest *nest = data;
  g_autoptr (ConcurFuture) inner = NULL;

  g_assert_false (g_cancellable_is_cancelled (concur_job_get_cancellable (job)));
  if (nest->depth-- > 0)
    inner = test_submit (nest->executor, nest_job, nest);
  else
    inner = test_submit (nest->executor, polling_job, &nest->begun);

  g_assert_true (concur_future_wait (inner, -1));
  test_assert_cancelled (inner);
  g_assert_true (g_cancellable_is_cancelled (concur_job_get_cancellable (job)));
  g_assert_true (concur_job_check_cancelled (job, error));

  return FALSE;
}

/* Jobs that run others inside themselves are running, too. */
static void
test_cancel_all_nested (void)
{
  ConcurExecutor *executor = executor_new (1);
  Nest nest = { .executor = executor, .depth = 5 };
  g_autoptr (ConcurFuture) outer = test_submit (executor, nest_job, &nest);
  g_autoptr (ConcurFuture) end = NULL;

  test_gate_wait (&nest.begun);
  g_assert_cmpuint (test_snapshot (executor, n_running), ==, 7);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  test_assert_done (end);
  test_assert_cancelled (outer);
  g_object_unref (executor);
}

static void
paused (ConcurShutdownMode mode)
{
  ConcurExecutor *executor = executor_new (2);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurFuture) end = NULL;
  gint counter = 0;
  guint i;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  for (i = 0; i < N_QUEUED; i++)
    g_ptr_array_add (futures, test_submit (executor, test_count_job, &counter));

  end = concur_executor_shutdown (executor, mode);
  test_assert_done (end);
  g_assert_false (concur_thread_executor_get_paused (CONCUR_THREAD_EXECUTOR (executor)));
  for (i = 0; i < N_QUEUED; i++)
    {
      if (mode == CONCUR_SHUTDOWN_DRAIN)
        g_assert_true (concur_future_check (futures->pdata[i], NULL));
      else
        test_assert_cancelled (futures->pdata[i]);
    }
  g_assert_cmpint (counter, ==, mode == CONCUR_SHUTDOWN_DRAIN ? N_QUEUED : 0);

  /* It cannot be held up any more. */
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  g_assert_false (concur_thread_executor_get_paused (CONCUR_THREAD_EXECUTOR (executor)));
  g_object_unref (executor);
}

static void
test_paused (void)
{
  paused (CONCUR_SHUTDOWN_DRAIN);
  paused (CONCUR_SHUTDOWN_CANCEL_PENDING);
  paused (CONCUR_SHUTDOWN_CANCEL_ALL);
}

/* What is left in the queue was cancelled long ago: nobody has to come for it. */
static void
test_only_cancelled_left (void)
{
  ConcurExecutor *executor = executor_new (2);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurFuture) end = NULL;
  guint i;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  for (i = 0; i < N_QUEUED; i++)
    g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  for (i = 0; i < N_QUEUED; i++)
    concur_future_cancel (futures->pdata[i], CONCUR_CANCEL_NONE);
  test_assert_done (end);
  g_object_unref (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  TestGate trying;
} Submitter;

static gpointer
blocked_submitter (gpointer data)
{
  Submitter *self = data;

  test_gate_open (&self->trying);

  return test_submit (self->executor, test_one_job, NULL);
}

static void
blocked_submitters (ConcurShutdownMode mode)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "max-threads", 1, "max-pending", 1, NULL);
  Submitter submitter = { .executor = executor };
  g_autoptr (ConcurFuture) running = NULL, queued = NULL, end = NULL;
  TestClog clog = { 0 };
  GThread *threads[4];
  guint i;

  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  queued = test_submit (executor, test_one_job, NULL);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, blocked_submitter, &submitter);
  test_gate_wait_n (&submitter.trying, G_N_ELEMENTS (threads));

  end = concur_executor_shutdown (executor, mode);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (ConcurFuture) future = g_thread_join (threads[i]);

      g_assert_true (concur_future_is_done (future));
      test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
    }

  test_gate_open (&clog.go);
  test_assert_done (end);
  if (mode == CONCUR_SHUTDOWN_DRAIN)
    test_assert_int64 (queued, 1);
  else
    test_assert_cancelled (queued);
  test_assert_int64 (running, 42);
  g_object_unref (executor);
}

static void
test_blocked_submitters (void)
{
  blocked_submitters (CONCUR_SHUTDOWN_DRAIN);
  blocked_submitters (CONCUR_SHUTDOWN_CANCEL_PENDING);
  blocked_submitters (CONCUR_SHUTDOWN_CANCEL_ALL);
}

static gboolean
shutdown_job (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  ConcurExecutor *executor = ((gpointer *) data)[0];
  ConcurShutdownMode mode = GPOINTER_TO_INT (((gpointer *) data)[1]);
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, mode);
  g_autoptr (ConcurFuture) late = test_submit (executor, test_one_job, NULL);

  /* This very thread is left. */
  g_assert_false (concur_future_is_done (end));
  test_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  concur_job_return_boolean (job, concur_job_is_cancelled (job));

  return TRUE;
}

static void
test_from_a_job (void)
{
  gint mode;

  for (mode = CONCUR_SHUTDOWN_DRAIN; mode <= CONCUR_SHUTDOWN_CANCEL_ALL; mode++)
    {
      ConcurExecutor *executor = executor_new (1);
      gpointer data[] = { executor, GINT_TO_POINTER (mode) };
      g_autoptr (ConcurFuture) job = test_submit (executor, shutdown_job, data);
      g_autoptr (ConcurFuture) end = NULL;

      test_assert_done (job);
      g_assert_cmpint (concur_future_get_boolean (job, NULL), ==,
                       mode == CONCUR_SHUTDOWN_CANCEL_ALL);
      end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
      test_assert_done (end);
      g_object_unref (executor);
    }
}

static void
test_last_unref (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestClog clog = { 0 };
  guint i;

  g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  test_gate_wait (&clog.begun);
  for (i = 0; i < N_QUEUED; i++)
    g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));

  /* This does not wait: the gate is still closed. The executor itself is gone, though. */
  g_object_add_weak_pointer (G_OBJECT (executor), (gpointer *) &executor);
  g_object_unref (executor);
  g_assert_null (executor);

  test_gate_open (&clog.go);
  test_futures_wait (futures);
  for (i = 0; i < futures->len; i++)
    test_assert_int64 (futures->pdata[i], 42);
  test_wait_until (test_count_threads ("ending-") == 0);
}

static gboolean
unref_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  TestClog *clog = ((gpointer *) data)[1];

  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
  g_object_unref (((gpointer *) data)[0]);
  concur_job_return_int64 (job, 7);

  return TRUE;
}

static void
test_last_unref_in_a_job (void)
{
  ConcurExecutor *executor = executor_new (1);
  TestClog clog = { 0 };
  gpointer data[] = { g_object_ref (executor), &clog };
  g_autoptr (ConcurFuture) job = test_submit (executor, unref_job, data);
  g_autoptr (ConcurFuture) next = test_submit (executor, test_one_job, NULL);

  test_gate_wait (&clog.begun);
  g_object_unref (executor);
  test_gate_open (&clog.go);

  test_assert_done (job);
  test_assert_int64 (job, 7);
  test_assert_done (next);
  test_assert_int64 (next, 1);
  test_wait_until (test_count_threads ("ending-") == 0);
}

/* A worker lets go of what was submitted, and with it of the executor. */
static void
test_last_unref_as_data (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "ending", "max-threads", 1,
                                           "release", CONCUR_RELEASE_WORKER, NULL);
  g_autoptr (ConcurFuture) job = NULL, next = NULL;
  TestClog clog = { 0 };
  ConcurFuture *running = test_submit (executor, test_clog_job, &clog);

  job = concur_executor_submit (executor, test_one_job, g_object_ref (executor), g_object_unref,
                                NULL);
  next = test_submit (executor, test_one_job, NULL);
  g_object_unref (executor);
  test_gate_open (&clog.go);

  test_assert_done (running);
  test_assert_done (job);
  test_assert_done (next);
  test_assert_int64 (next, 1);
  test_wait_until (test_count_threads ("ending-") == 0);
  g_object_unref (running);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/shutdown/unused", test_unused);
  g_test_add_func ("/shutdown/drain", test_drain);
  g_test_add_func ("/shutdown/cancel-pending", test_cancel_pending);
  g_test_add_func ("/shutdown/cancel-all", test_cancel_all);
  g_test_add_func ("/shutdown/cancel-all/nested", test_cancel_all_nested);
  g_test_add_func ("/shutdown/strengthened", test_strengthened);
  g_test_add_func ("/shutdown/weaker", test_weaker);
  g_test_add_func ("/shutdown/again-after-the-end", test_again_after_the_end);
  g_test_add_func ("/shutdown/paused", test_paused);
  g_test_add_func ("/shutdown/only-cancelled-left", test_only_cancelled_left);
  g_test_add_func ("/shutdown/blocked-submitters", test_blocked_submitters);
  g_test_add_func ("/shutdown/from-a-job", test_from_a_job);
  g_test_add_func ("/shutdown/last-unref", test_last_unref);
  g_test_add_func ("/shutdown/last-unref/in-a-job", test_last_unref_in_a_job);
  g_test_add_func ("/shutdown/last-unref/as-data", test_last_unref_as_data);

  return test_run ();
}
