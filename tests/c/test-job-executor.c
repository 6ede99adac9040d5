/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* An executor of somebody else's, with only what the interface offers. */

#include "config.h"

#include "test-util.h"

typedef enum
{
  POLICY_LATER,   /* from the main loop */
  POLICY_NOW,     /* inside execute () */
  POLICY_THREAD,  /* on a thread each */
  POLICY_REJECT,
  POLICY_KEEP,    /* in a queue that is never looked at, until dropped */
} Policy;

#define TEST_TYPE_EXECUTOR (test_executor_get_type ())
G_DECLARE_FINAL_TYPE (TestExecutor, test_executor, TEST, EXECUTOR, GObject)

struct _TestExecutor
{
  GObject parent_instance;

  Policy policy;
  GPtrArray *kept;    /* of jobs */
  GPtrArray *threads;
  guint n_executed;   /* calls of the virtual function */
};

static void test_executor_iface_init (ConcurExecutorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestExecutor, test_executor, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR,
                                                      test_executor_iface_init))

static gboolean
execute_idle (gpointer job)
{
  concur_job_execute (job);

  return G_SOURCE_REMOVE;
}

static gpointer
execute_thread (gpointer job)
{
  concur_job_execute (job);
  g_object_unref (job);

  return NULL;
}

static void
test_executor_execute (ConcurExecutor *executor,
                       ConcurJob      *job)
{
  TestExecutor *self = TEST_EXECUTOR (executor);
  g_autoptr (GError) error = NULL;

  self->n_executed++;

  switch (self->policy)
    {
    case POLICY_LATER:
      g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, execute_idle, g_object_ref (job), g_object_unref);
      break;
    case POLICY_NOW:
      concur_job_execute (job);
      break;
    case POLICY_THREAD:
      g_ptr_array_add (self->threads, g_thread_new ("executor", execute_thread, g_object_ref (job)));
      break;
    case POLICY_REJECT:
      error = g_error_new_literal (CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN, "closed");
      concur_job_return_error (job, error);
      break;
    case POLICY_KEEP:
    default:
      g_ptr_array_add (self->kept, g_object_ref (job));
    }
}

static ConcurFuture *
test_executor_shutdown (ConcurExecutor     *executor,
                        ConcurShutdownMode  mode)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();

  concur_promise_resolve_int64 (promise, mode);

  return g_object_ref (concur_promise_get_future (promise));
}

static void
test_executor_iface_init (ConcurExecutorInterface *iface)
{
  iface->execute = test_executor_execute;
  iface->shutdown = test_executor_shutdown;
}

static void
test_executor_join (TestExecutor *self)
{
  guint i;

  for (i = 0; i < self->threads->len; i++)
    g_thread_join (self->threads->pdata[i]);
  g_ptr_array_set_size (self->threads, 0);
}

static void
test_executor_finalize (GObject *object)
{
  TestExecutor *self = TEST_EXECUTOR (object);

  test_executor_join (self);
  g_ptr_array_unref (self->kept);
  g_ptr_array_unref (self->threads);

  G_OBJECT_CLASS (test_executor_parent_class)->finalize (object);
}

static void
test_executor_class_init (TestExecutorClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_executor_finalize;
}

static void
test_executor_init (TestExecutor *self)
{
  self->kept = g_ptr_array_new_with_free_func (g_object_unref);
  self->threads = g_ptr_array_new ();
}

static TestExecutor *
test_executor_with (Policy policy)
{
  TestExecutor *self = g_object_new (TEST_TYPE_EXECUTOR, NULL);

  self->policy = policy;

  return self;
}

/* What is submitted: counted when run, and when released, which must be here. */
typedef struct
{
  TestReleases released;
  GThread *thread;   /* that ran it last */
  gint n_run;        /* atomic */
} Work;

static gboolean
work_job (ConcurJob *job,
          gpointer   data,
          GError   **error)
{
  Work *self = data;

  g_assert_true (concur_job_get_current () == job);
  self->thread = g_thread_self ();
  g_atomic_int_inc (&self->n_run);
  concur_job_return_int64 (job, 42);

  return TRUE;
}

static void
work_freed (gpointer data)
{
  Work *self = data;

  test_released (&self->released);
}

static ConcurFuture *
submit (TestExecutor *executor,
        Work         *work,
        GCancellable *cancellable)
{
  work->released.thread = g_thread_self ();

  return concur_executor_submit (CONCUR_EXECUTOR (executor), work_job, work, work_freed, cancellable);
}

static void
assert_released (Work *work)
{
  test_wait_until (test_releases_get (&work->released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&work->released), ==, 0);
}

static void
test_later (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_LATER);
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);
  g_assert_cmpint (work.n_run, ==, 0);
  test_iterate_until (NULL, concur_future_is_done (future));
  test_assert_int64 (future, 42);
  g_assert_true (work.thread == g_thread_self ());
  assert_released (&work);
}

static void
test_now (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_NOW);
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  test_assert_int64 (future, 42);
  assert_released (&work);
}

static void
test_thread (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_THREAD);
  guint rounds = test_scaled (2000), i;
  g_autofree Work *works = g_new0 (Work, rounds);

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurFuture) future = submit (executor, &works[i], NULL);

      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
      test_assert_int64 (future, 42);
      g_assert_true (works[i].thread != g_thread_self ());
      if (i % 16 == 0)
        test_executor_join (executor);
    }
  test_executor_join (executor);
  test_shake_stop ();
  for (i = 0; i < rounds; i++)
    assert_released (&works[i]);
}

static void
test_rejects (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_REJECT);
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  /* Executing it nevertheless does nothing. */
  concur_job_execute (CONCUR_JOB (future));
  g_assert_cmpint (work.n_run, ==, 0);
  assert_released (&work);
}

static void
test_rejects_later (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_KEEP);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "dropped");
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  concur_job_return_error (executor->kept->pdata[0], error);
  test_assert_cancelled (future);
  g_ptr_array_set_size (executor->kept, 0);
  assert_released (&work);
}

static void
test_cancelled_meanwhile (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_KEEP);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "too late");
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  /* Released although the executor still has the job. */
  assert_released (&work);

  concur_job_execute (executor->kept->pdata[0]);
  concur_job_return_error (executor->kept->pdata[0], error);
  concur_job_execute (executor->kept->pdata[0]);
  g_assert_cmpint (work.n_run, ==, 0);
  test_assert_cancelled (future);
}

static void
test_executed_twice (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_KEEP);
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  concur_job_execute (executor->kept->pdata[0]);
  concur_job_execute (executor->kept->pdata[0]);
  g_assert_cmpint (work.n_run, ==, 1);
  test_assert_int64 (future, 42);
  assert_released (&work);
}

/* A job that is dropped without a word stays pending; it can still be cancelled, and
 * then nothing is left of it. */
static void
test_drops (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_KEEP);
  guint alive = test_futures_alive ();
  Work work = { 0 };
  g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);

  g_ptr_array_set_size (executor->kept, 0);
  g_assert_false (concur_future_wait (future, 1000));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (future);
  assert_released (&work);
  g_clear_object (&future);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

static void
test_cancelled_before (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_NOW);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;
  Work work = { 0 };

  g_cancellable_cancel (cancellable);
  future = submit (executor, &work, cancellable);
  test_assert_cancelled (future);
  g_assert_cmpuint (executor->n_executed, ==, 0);
  assert_released (&work);
}

/* Two threads that both execute the job: it runs once. */
static void
test_execute_race (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_KEEP);
  guint rounds = test_scaled (2000), i;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      Work work = { 0 };
      g_autoptr (ConcurFuture) future = submit (executor, &work, NULL);
      GThread *thread = g_thread_new ("execute", execute_thread, g_object_ref (future));

      if (i % 4 == 0)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      concur_job_execute (CONCUR_JOB (future));
      g_thread_join (thread);
      g_ptr_array_set_size (executor->kept, 0);

      g_assert_true (concur_future_is_done (future));
      g_assert_cmpint (work.n_run, ==, concur_future_check (future, NULL) ? 1 : 0);
      assert_released (&work);
    }
  test_shake_stop ();
}

static void
test_shutdown (void)
{
  g_autoptr (TestExecutor) executor = test_executor_with (POLICY_NOW);
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (CONCUR_EXECUTOR (executor),
                                                           CONCUR_SHUTDOWN_CANCEL_ALL);

  test_assert_int64 (end, CONCUR_SHUTDOWN_CANCEL_ALL);
  test_critical (g_assert_null (concur_executor_shutdown (CONCUR_EXECUTOR (executor), 17)));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/job/executor/later", test_later);
  g_test_add_func ("/job/executor/now", test_now);
  g_test_add_func ("/job/executor/thread", test_thread);
  g_test_add_func ("/job/executor/rejects", test_rejects);
  g_test_add_func ("/job/executor/rejects-later", test_rejects_later);
  g_test_add_func ("/job/executor/cancelled-before", test_cancelled_before);
  g_test_add_func ("/job/executor/cancelled-meanwhile", test_cancelled_meanwhile);
  g_test_add_func ("/job/executor/executed-twice", test_executed_twice);
  g_test_add_func ("/job/executor/execute-race", test_execute_race);
  g_test_add_func ("/job/executor/drops", test_drops);
  g_test_add_func ("/job/executor/shutdown", test_shutdown);

  return test_run ();
}
