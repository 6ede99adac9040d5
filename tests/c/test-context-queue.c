/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The queue beneath executors that run in a main context: what can only be seen from
 * inside. */

#include "config.h"

#include "concur-context-queue-private.h"
#include "test-workers.h"

#include <dlfcn.h>

#define PRIORITY (G_PRIORITY_HIGH_IDLE + 30)

static gint n_wakeups; /* atomic */

/* Stands in for GLib's in this program. */
void
g_main_context_wakeup (GMainContext *context)
{
  void (*real) (GMainContext *context) = NULL;

  *(void **) &real = dlsym (RTLD_NEXT, "g_main_context_wakeup");
  g_atomic_int_inc (&n_wakeups);
  real (context);
}

/* The least an executor can be over a queue. */
#define TEST_TYPE_QUEUE_EXECUTOR (test_queue_executor_get_type ())
G_DECLARE_FINAL_TYPE (TestQueueExecutor, test_queue_executor, TEST, QUEUE_EXECUTOR, GObject)

struct _TestQueueExecutor
{
  GObject parent_instance;

  ConcurContextQueue *queue; /* not owned */
};

static void test_queue_executor_iface_init (ConcurExecutorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestQueueExecutor, test_queue_executor, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR,
                                                      test_queue_executor_iface_init))

static void
test_queue_executor_execute (ConcurExecutor *executor,
                             ConcurJob      *job)
{
  concur_context_queue_execute (TEST_QUEUE_EXECUTOR (executor)->queue, job);
}

static ConcurFuture *
test_queue_executor_shutdown (ConcurExecutor     *executor,
                              ConcurShutdownMode  mode)
{
  return concur_context_queue_shutdown (TEST_QUEUE_EXECUTOR (executor)->queue, mode);
}

static ConcurContextQueue *
test_queue_executor_get_context_queue (ConcurExecutor *executor)
{
  return TEST_QUEUE_EXECUTOR (executor)->queue;
}

static void
test_queue_executor_iface_init (ConcurExecutorInterface *iface)
{
  iface->execute = test_queue_executor_execute;
  iface->shutdown = test_queue_executor_shutdown;
  iface->get_context_queue = (gpointer) test_queue_executor_get_context_queue;
}

static void
test_queue_executor_class_init (TestQueueExecutorClass *klass)
{
}

static void
test_queue_executor_init (TestQueueExecutor *self)
{
}

typedef struct
{
  GMainContext *context;
  ConcurContextQueue *queue;
  TestQueueExecutor *executor;
  gint n_called;
  TestReleases released;
} Scene;

static void
scene_open (Scene *scene)
{
  *scene = (Scene){ .context = g_main_context_new () };
  scene->queue = concur_context_queue_new (scene->context, PRIORITY);
  scene->executor = g_object_new (TEST_TYPE_QUEUE_EXECUTOR, NULL);
  scene->executor->queue = scene->queue;
}

static void
scene_close (Scene *scene)
{
  g_clear_object (&scene->executor);
  g_clear_pointer (&scene->queue, concur_context_queue_unref);
  g_clear_pointer (&scene->context, g_main_context_unref);
}

static void
iterate_all (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

/* Sources of queues in the context. Their numbers are small: the context is new. */
static guint
count_sources (GMainContext *context)
{
  guint n = 0;

  for (guint id = 1; id < 50; id++)
    {
      GSource *source = g_main_context_find_source_by_id (context, id);

      if (source != NULL && g_strcmp0 (g_source_get_name (source), "concur-executor") == 0)
        n++;
    }

  return n;
}

static void
count_call (gpointer scene)
{
  ((Scene *) scene)->n_called++;
}

static void
count_release (gpointer scene)
{
  test_released (&((Scene *) scene)->released);
}

static gboolean
post_count (Scene *scene)
{
  return concur_context_queue_post (scene->queue, count_call, scene, count_release);
}

static void
test_counts (void)
{
  g_autoptr (ConcurFuture) first = NULL, second = NULL;
  Scene scene;
  gint n = 0;

  scene_open (&scene);
  g_assert_true (concur_context_queue_get_context (scene.queue) == scene.context);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 0);
  first = test_submit (scene.executor, test_count_job, &n);
  g_assert_true (post_count (&scene));
  second = test_submit (scene.executor, test_count_job, &n);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 3);
  g_assert_cmpint (n, ==, 0);

  iterate_all (scene.context);
  test_assert_int64 (first, 0);
  test_assert_int64 (second, 1);
  g_assert_cmpint (scene.n_called, ==, 1);
  g_assert_cmpuint (test_releases_get (&scene.released), ==, 1);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 0);
  scene_close (&scene);
}

static gboolean
held_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  concur_job_hold (job);

  return TRUE;
}

static gboolean
held_and_answered_job (ConcurJob  *job,
                       gpointer    data,
                       GError    **error)
{
  concur_job_hold (job);
  concur_job_return_int64 (job, 5);

  return TRUE;
}

static void
test_held (void)
{
  g_autoptr (ConcurFuture) held = NULL, other = NULL, early = NULL, end = NULL;
  Scene scene;

  scene_open (&scene);
  held = test_submit (scene.executor, held_job, NULL);
  early = test_submit (scene.executor, held_and_answered_job, NULL);
  other = test_submit (scene.executor, held_job, NULL);
  iterate_all (scene.context);
  test_assert_int64 (early, 5);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 2);

  /* Abandoned it is done, but what it does has not ended. */
  g_assert_true (concur_future_cancel (other, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (other);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 2);
  concur_job_return_int64 (CONCUR_JOB (other), 8);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 1);

  /* Those that have ended are not looked at any more. */
  g_clear_object (&other);
  g_clear_object (&early);
  concur_release_pending ();
  end = concur_context_queue_shutdown (scene.queue, CONCUR_SHUTDOWN_CANCEL_ALL);
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (held)));
  g_assert_false (concur_future_is_done (end));
  concur_job_return_int64 (CONCUR_JOB (held), 7);
  test_assert_int64 (held, 7);
  g_assert_true (concur_future_check (end, NULL));
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 0);
  scene_close (&scene);
}

/* A held job outlives everybody else who knew the queue. */
static void
test_held_alone (void)
{
  g_autoptr (ConcurFuture) held = NULL;
  Scene scene;

  scene_open (&scene);
  held = test_submit (scene.executor, held_job, NULL);
  iterate_all (scene.context);
  scene_close (&scene);
  concur_job_return_int64 (CONCUR_JOB (held), 7);
  test_assert_int64 (held, 7);
}

static void
test_last_handle (void)
{
  GMainContext *context;
  Scene scene;
  gint n = 0;
  g_autoptr (ConcurFuture) future = NULL;

  scene_open (&scene);
  context = g_main_context_ref (scene.context);
  g_assert_cmpuint (count_sources (context), ==, 1);

  g_assert_true (post_count (&scene));
  future = test_submit (scene.executor, test_count_job, &n);
  scene_close (&scene);

  /* It stays for what is in it. */
  g_assert_cmpuint (count_sources (context), ==, 1);
  iterate_all (context);
  g_assert_cmpint (scene.n_called, ==, 1);
  test_assert_int64 (future, 0);
  g_assert_cmpuint (count_sources (context), ==, 0);
  g_main_context_unref (context);

  /* Without anything it goes at once. */
  scene_open (&scene);
  context = g_main_context_ref (scene.context);
  scene_close (&scene);
  g_assert_cmpuint (count_sources (context), ==, 0);
  g_main_context_unref (context);
}

static void
release_and_post (gpointer data)
{
  Scene *scene = data;

  test_released (&scene->released);
  /* Too late: let go at once, and not called. */
  g_assert_false (concur_context_queue_post (scene->queue, count_call, scene, count_release));
}

static void
test_context_gone (void)
{
  g_autoptr (ConcurFuture) queued = NULL, cancelled = NULL, late = NULL, end = NULL;
  Scene scene;
  gint n = 0;

  scene_open (&scene);
  queued = test_submit (scene.executor, test_count_job, &n);
  cancelled = test_submit (scene.executor, test_count_job, &n);
  g_assert_true (concur_future_cancel (cancelled, CONCUR_CANCEL_NONE));
  g_assert_true (concur_context_queue_post (scene.queue, count_call, &scene, release_and_post));
  g_assert_true (post_count (&scene));
  g_clear_pointer (&scene.context, g_main_context_unref);

  g_assert_null (concur_context_queue_get_context (scene.queue));
  test_assert_error (queued, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  test_assert_cancelled (cancelled);
  g_assert_cmpuint (test_releases_get (&scene.released), ==, 3);
  g_assert_cmpuint (concur_context_queue_get_n_unfinished (scene.queue), ==, 0);

  late = test_submit (scene.executor, test_count_job, &n);
  test_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_assert_false (post_count (&scene));
  g_assert_cmpuint (test_releases_get (&scene.released), ==, 4);
  g_assert_cmpint (scene.n_called, ==, 0);
  g_assert_cmpint (n, ==, 0);

  end = concur_context_queue_shutdown (scene.queue, CONCUR_SHUTDOWN_CANCEL_ALL);
  g_assert_true (concur_future_check (end, NULL));
  scene_close (&scene);
}

static void
test_reopen (void)
{
  Scene scene;

  scene_open (&scene);
  for (guint round = 0; round < 3; round++)
    {
      g_autoptr (ConcurFuture) refused = NULL, future = NULL, end = NULL;
      gint n = 0;

      end = concur_context_queue_shutdown (scene.queue, CONCUR_SHUTDOWN_CANCEL_ALL);
      g_assert_true (concur_future_check (end, NULL));
      refused = test_submit (scene.executor, test_count_job, &n);
      test_assert_error (refused, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
      g_assert_false (post_count (&scene));

      concur_context_queue_reopen (scene.queue);
      future = test_submit (scene.executor, test_count_job, &n);
      g_assert_true (post_count (&scene));
      iterate_all (scene.context);
      test_assert_int64 (future, 0);
      g_assert_cmpint (scene.n_called, ==, round + 1);
      g_assert_cmpuint (test_releases_get (&scene.released), ==, 2 * (round + 1));
    }
  scene_close (&scene);
}

static gpointer
post_hundred (gpointer scene)
{
  for (guint i = 0; i < 100; i++)
    g_assert_true (post_count (scene));

  return NULL;
}

static void
post_hundred_more (gpointer scene)
{
  g_thread_join (g_thread_new ("post", post_hundred, scene));
}

/* A context is woken once when it sleeps, and not at all when it does not. */
static void
test_wakeups (void)
{
  Scene scene;
  gint before, priority;

  scene_open (&scene);
  iterate_all (scene.context);
  g_assert_true (g_main_context_acquire (scene.context));
  g_assert_false (g_main_context_prepare (scene.context, &priority));

  before = g_atomic_int_get (&n_wakeups);
  g_thread_join (g_thread_new ("post", post_hundred, &scene));
  g_assert_cmpint (g_atomic_int_get (&n_wakeups) - before, ==, 1);
  g_main_context_release (scene.context);
  iterate_all (scene.context);
  g_assert_cmpint (scene.n_called, ==, 100);

  /* From inside a dispatch, and while nobody sleeps. */
  g_assert_true (concur_context_queue_post (scene.queue, post_hundred_more, &scene, NULL));
  g_assert_true (g_main_context_iteration (scene.context, FALSE));
  before = g_atomic_int_get (&n_wakeups);
  post_hundred (&scene);
  g_assert_true (concur_context_queue_post (scene.queue, post_hundred_more, &scene, NULL));
  g_assert_true (g_main_context_iteration (scene.context, FALSE));
  g_assert_true (g_main_context_iteration (scene.context, FALSE));
  g_assert_cmpint (g_atomic_int_get (&n_wakeups) - before, ==, 0);
  iterate_all (scene.context);
  g_assert_cmpint (scene.n_called, ==, 400);
  scene_close (&scene);
}

/* No more than so many in one iteration. */
static void
test_budget (void)
{
  Scene scene;

  scene_open (&scene);
  for (guint i = 0; i < 300; i++)
    g_assert_true (post_count (&scene));
  g_assert_true (g_main_context_iteration (scene.context, FALSE));
  g_assert_cmpint (scene.n_called, ==, 128);
  g_assert_true (g_main_context_iteration (scene.context, FALSE));
  g_assert_true (g_main_context_iteration (scene.context, FALSE));
  g_assert_cmpint (scene.n_called, ==, 300);
  scene_close (&scene);
}

typedef struct
{
  ConcurContextQueue *queue;
  TestGate ready;
  TestGate go;
  gint n_called;    /* atomic */
  gint n_released;  /* atomic */
} Race;

static void
race_called (gpointer race)
{
  g_atomic_int_inc (&((Race *) race)->n_called);
}

static void
race_released (gpointer race)
{
  g_atomic_int_inc (&((Race *) race)->n_released);
}

static gpointer
race_thread (gpointer data)
{
  Race *race = data;
  guint n = 0;

  test_gate_open (&race->ready);
  test_gate_wait (&race->go);
  while (concur_context_queue_post (race->queue, race_called, race, race_released))
    {
      n++;
      if (n % 32 == 0)
        g_thread_yield ();
    }

  return GUINT_TO_POINTER (n);
}

/* What is accepted is run before the end is told, what is not is let go: nothing falls
 * between. */
static void
test_close_race (void)
{
  guint rounds = test_scaled (100);
  TestLoop *loop = test_loop_new ();

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      Race race = { .queue = concur_context_queue_new (test_loop_get_context (loop), PRIORITY) };
      g_autoptr (ConcurFuture) end = NULL;
      GThread *threads[3];
      guint accepted = 0;

      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("post", race_thread, &race);
      test_gate_wait_n (&race.ready, G_N_ELEMENTS (threads));
      test_gate_open (&race.go);
      while (g_atomic_int_get (&race.n_called) < (gint) round)
        g_thread_yield ();
      end = concur_context_queue_shutdown (race.queue, CONCUR_SHUTDOWN_DRAIN);
      test_assert_done (end);
      g_assert_true (concur_future_check (end, NULL));

      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        accepted += GPOINTER_TO_UINT (g_thread_join (threads[i]));
      concur_context_queue_unref (race.queue);
      g_assert_cmpint (g_atomic_int_get (&race.n_called), ==, accepted);
      g_assert_cmpint (g_atomic_int_get (&race.n_released), ==, accepted + G_N_ELEMENTS (threads));
    }
  test_shake_stop ();
  test_loop_free (loop);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/context-queue/counts", test_counts);
  g_test_add_func ("/context-queue/held", test_held);
  g_test_add_func ("/context-queue/held-alone", test_held_alone);
  g_test_add_func ("/context-queue/last-handle", test_last_handle);
  g_test_add_func ("/context-queue/context-gone", test_context_gone);
  g_test_add_func ("/context-queue/reopen", test_reopen);
  g_test_add_func ("/context-queue/wakeups", test_wakeups);
  g_test_add_func ("/context-queue/budget", test_budget);
  g_test_add_func ("/context-queue/close-race", test_close_race);

  return test_run ();
}
