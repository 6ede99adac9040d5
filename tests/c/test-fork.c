/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A process forked from one that has threads has none of them: there, calls say so at
 * once, whatever went on before; and the first process does not notice. */

#include "config.h"

#include "concur-worker-private.h"
#include "test-workers.h"

#include <sys/wait.h>
#include <unistd.h>

/* Whoever hangs is killed, and fails by that. */
#define CHILD_SECONDS 50

/* In a child nothing may be printed twice: it says by its status which line failed. */
#define CHECK(condition)                                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      return 1 + __LINE__ % 250;                                                                   \
  }                                                                                                \
  G_STMT_END

typedef int (*ChildFunc) (gpointer data);

/* Runs @func in a forked process. */
static void
in_child (ChildFunc func,
          gpointer  data)
{
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (CHILD_SECONDS);
      _exit (func (data));
    }

  while (waitpid (pid, &status, 0) != pid)
    ;
  if (!WIFEXITED (status))
    g_error ("the child was killed by signal %d", WTERMSIG (status));
  if (WEXITSTATUS (status) != 0)
    g_error ("the check in the child in line %d (mod 250) failed", WEXITSTATUS (status) - 1);
}

static gboolean
is_not_running (const GError *error)
{
  return g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
}

/* Refused at once, and what was given with it let go. */
static int
check_refused (ConcurExecutor *executor)
{
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_submit (executor, test_one_job, &releases, test_released, NULL);
  CHECK (concur_future_is_done (future));
  CHECK (is_not_running (concur_future_get_error (future)));
  CHECK (concur_future_wait (future, -1));
  concur_release_pending ();
  CHECK (test_releases_get (&releases) == 1);
  CHECK (test_releases_get_wrong (&releases) == 0);

  return 0;
}

static int
check_hopeless (ConcurFuture *future)
{
  gint64 timeouts[] = { -1, 0, 10 * G_USEC_PER_SEC };
  gint64 start = g_get_monotonic_time ();
  guint i;

  CHECK (!concur_future_is_done (future));
  for (i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL;

      CHECK (!concur_future_wait (future, timeouts[i]));
      CHECK (concur_future_result (future, timeouts[i], &error) == NULL);
      CHECK (is_not_running (error));
    }
  CHECK (g_get_monotonic_time () - start < 10 * G_USEC_PER_SEC);

  return 0;
}

/* Before the library is used nothing is lost by a fork. */
static int
child_first_use (gpointer data)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  g_autoptr (ConcurFuture) future = test_submit (executor, test_one_job, NULL);

  CHECK (concur_future_wait (future, TEST_PATIENCE_US));
  CHECK (concur_future_get_int64 (future, NULL) == 1);

  return 0;
}

static void
test_first_use (void)
{
  in_child (child_first_use, NULL);
}

typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
  ConcurFuture *done;
  ConcurFuture *running;
  ConcurFuture *queued;
  ConcurExecutor *paused;      /* without threads, and with jobs */
  gint ran;                    /* atomic: those jobs */
} Scene;

static void
scene_open (Scene *scene)
{
  guint i;

  *scene = (Scene){ .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  scene->done = test_submit (scene->executor, test_one_job, NULL);
  test_assert_done (scene->done);
  scene->running = test_submit (scene->executor, test_clog_job, &scene->clog);
  test_gate_wait (&scene->clog.begun);
  scene->queued = test_submit (scene->executor, test_one_job, NULL);

  scene->paused = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 2, "paused", TRUE, NULL);
  for (i = 0; i < 5; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (scene->paused, test_count_job, &scene->ran);
    }
}

static void
scene_close (Scene *scene)
{
  ConcurFuture *last;

  /* Here all is as it was. */
  g_assert_cmpint (concur_future_get_state (scene->running), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_cmpint (concur_future_get_state (scene->queued), ==, CONCUR_FUTURE_STATE_PENDING);
  last = test_submit (scene->executor, test_one_job, NULL);
  test_gate_open (&scene->clog.go);
  test_assert_done (scene->running);
  test_assert_int64 (scene->running, 42);
  test_assert_done (scene->queued);
  test_assert_int64 (scene->queued, 1);
  test_assert_done (last);
  test_assert_int64 (last, 1);
  g_assert_cmpuint (test_snapshot (scene->executor, n_refused), ==, 0);

  g_object_unref (last);
  g_object_unref (scene->done);
  g_object_unref (scene->running);
  g_object_unref (scene->queued);
  test_executor_end (scene->executor);

  g_assert_cmpint (g_atomic_int_get (&scene->ran), ==, 0);
  test_executor_end (scene->paused);
  g_assert_cmpint (g_atomic_int_get (&scene->ran), ==, 5);
}

static gboolean
range_func (ConcurBatch  *batch,
            guint         first,
            guint         n,
            gpointer      data,
            GError      **error)
{
  return TRUE;
}

static int
child_submits (gpointer data)
{
  Scene *scene = data;
  ConcurExecutor *fresh = CONCUR_EXECUTOR (concur_thread_executor_new (0));
  g_autoptr (ConcurJob) job = concur_job_new (test_one_job, NULL, NULL);
  g_autoptr (ConcurFuture) own = NULL, range = NULL;
  int status;

  status = check_refused (scene->executor);
  CHECK (status == 0);
  /* No matter where the executor comes from. */
  status = check_refused (fresh);
  CHECK (status == 0);
  status = check_refused (concur_executor_get_default ());
  CHECK (status == 0);

  own = concur_executor_submit_job (fresh, job, NULL);
  CHECK (is_not_running (concur_future_get_error (own)));
  range = concur_executor_map_range (fresh, 10, 1, range_func, NULL, NULL, NULL);
  CHECK (is_not_running (concur_future_get_error (range)));
  g_object_unref (fresh);

  return 0;
}

static void
test_submit_in_child (void)
{
  Scene scene;

  scene_open (&scene);
  in_child (child_submits, &scene);
  scene_close (&scene);
}

static int
child_waits (gpointer data)
{
  Scene *scene = data;
  g_autoptr (GError) error = NULL;
  int status;

  status = check_hopeless (scene->running);
  CHECK (status == 0);
  status = check_hopeless (scene->queued);
  CHECK (status == 0);

  /* What is done is done. */
  CHECK (concur_future_wait (scene->done, -1));
  CHECK (concur_future_result (scene->done, -1, &error) != NULL);
  CHECK (concur_future_get_int64 (scene->done, &error) == 1);
  CHECK (error == NULL);

  /* A decision taken here counts here. */
  CHECK (concur_future_cancel (scene->queued, CONCUR_CANCEL_NONE));
  CHECK (concur_future_wait (scene->queued, -1));
  CHECK (concur_future_get_state (scene->queued) == CONCUR_FUTURE_STATE_CANCELLED);
  CHECK (concur_future_cancel (scene->running, CONCUR_CANCEL_ABANDON));
  CHECK (concur_future_is_done (scene->running));

  return 0;
}

static void
test_wait_in_child (void)
{
  Scene scene;

  scene_open (&scene);
  in_child (child_waits, &scene);
  scene_close (&scene);
}

/* None of these hangs, and none does the work that is the other process's. */
static int
child_ends (gpointer data)
{
  Scene *scene = data;
  gint mode;

  CHECK (test_snapshot (scene->executor, n_pending) == 1);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (scene->paused), FALSE);

  for (mode = CONCUR_SHUTDOWN_DRAIN; mode <= CONCUR_SHUTDOWN_CANCEL_ALL; mode++)
    {
      g_autoptr (ConcurFuture) end = concur_executor_shutdown (scene->executor, mode);
      g_autoptr (ConcurFuture) paused_end = concur_executor_shutdown (scene->paused, mode);

      CHECK (concur_future_wait (end, -1));
      CHECK (is_not_running (concur_future_get_error (end)));
      CHECK (is_not_running (concur_future_get_error (paused_end)));
    }
  CHECK (!concur_future_is_done (scene->queued));

  g_object_unref (scene->executor);
  g_object_unref (scene->paused);
  concur_release_pending ();
  CHECK (test_count_threads (NULL) == 1);
  CHECK (g_atomic_int_get (&scene->ran) == 0);

  return 0;
}

static void
test_end_in_child (void)
{
  Scene scene;

  scene_open (&scene);
  in_child (child_ends, &scene);
  scene_close (&scene);
}

static int
grandchild (gpointer data)
{
  return child_waits (data);
}

static int
child_forks (gpointer data)
{
  in_child (grandchild, data);

  return check_refused (((Scene *) data)->executor);
}

static void
test_fork_in_child (void)
{
  Scene scene;

  scene_open (&scene);
  in_child (child_forks, &scene);
  scene_close (&scene);
}

typedef struct
{
  ConcurExecutor *executor;
  ConcurFuture *other; /* of a job of the same executor */
  TestGate go;
  TestGate over;
} Inside;

static int
child_of_worker (gpointer data)
{
  Inside *self = data;
  int status;

  CHECK (concur_job_get_current () != NULL);
  status = check_refused (self->executor);
  CHECK (status == 0);

  /* Not even in place: the queue belongs to others. */
  return check_hopeless (self->other);
}

static gboolean
forking_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Inside *self = data;

  /* The other thread must not be inside GLib when this one forks. */
  test_gate_wait (&self->go);
  self->other = test_submit (self->executor, test_one_job, NULL);
  in_child (child_of_worker, self);
  test_gate_open (&self->over);
  g_assert_true (concur_future_wait (self->other, -1));
  test_assert_int64 (self->other, 1);
  g_object_unref (self->other);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_fork_in_job (void)
{
  Inside inside = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  g_autoptr (ConcurFuture) future = test_submit (inside.executor, forking_job, &inside);

  test_gate_open (&inside.go);
  test_gate_wait (&inside.over);
  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_executor_end (inside.executor);
}

/* Keeps everybody else out of its executor. */
static gboolean
locking_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  ConcurPool *pool = concur_worker_get_current ()->pool;

  concur_lock_acquire (&pool->lock);
  test_clog_job (job, data, error);
  concur_lock_release (&pool->lock);

  return TRUE;
}

static int
child_of_locked (gpointer data)
{
  Scene *scene = data;
  g_autoptr (ConcurFuture) end = NULL;
  int status;

  status = check_refused (scene->executor);
  CHECK (status == 0);
  CHECK (concur_future_cancel (scene->queued, CONCUR_CANCEL_NONE));
  CHECK (concur_future_get_state (scene->queued) == CONCUR_FUTURE_STATE_CANCELLED);
  CHECK (test_snapshot (scene->executor, n_running) == 0);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (scene->executor), TRUE);
  end = concur_executor_shutdown (scene->executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  CHECK (is_not_running (concur_future_get_error (end)));
  g_object_unref (scene->executor);

  return 0;
}

/* Another thread has the lock, and in the child it has it for ever. (GLib has locks too,
 * and may hang on them in such a child; here nobody is inside it.) */
static void
test_fork_while_locked (void)
{
  Scene scene = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  TestClog first = { 0 };

  scene.done = test_submit (scene.executor, test_clog_job, &first);
  test_gate_wait (&first.begun);
  scene.running = test_submit (scene.executor, locking_job, &scene.clog);
  scene.queued = test_submit (scene.executor, test_one_job, NULL);
  test_gate_open (&first.go);
  test_gate_wait (&scene.clog.begun);

  in_child (child_of_locked, &scene);

  test_gate_open (&scene.clog.go);
  test_assert_done (scene.queued);
  test_assert_int64 (scene.queued, 1);
  g_object_unref (scene.done);
  g_object_unref (scene.running);
  g_object_unref (scene.queued);
  test_executor_end (scene.executor);
}

/* Another program, which is the usual case. */
static void
test_spawn (void)
{
  const char *argv[] = { "/bin/sh", "-c", "exit 7", NULL };
  g_autoptr (GError) error = NULL;
  int status;
  Scene scene;

  scene_open (&scene);
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 7);
  scene_close (&scene);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  /* This one first, while there is no executor. */
  g_test_add_func ("/fork/first-use", test_first_use);
  g_test_add_func ("/fork/submit", test_submit_in_child);
  g_test_add_func ("/fork/wait", test_wait_in_child);
  g_test_add_func ("/fork/end", test_end_in_child);
  g_test_add_func ("/fork/twice", test_fork_in_child);
  g_test_add_func ("/fork/in-a-job", test_fork_in_job);
  g_test_add_func ("/fork/while-locked", test_fork_while_locked);
  g_test_add_func ("/fork/spawn", test_spawn);

  return test_run ();
}
