/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What stops a group, and what that does to its members and to who waits for them. */

#include "config.h"

#include "test-task-group.h"

#include <sys/wait.h>
#include <unistd.h>

/* One worker, which a job of the group occupies until it is told to go; one job that waits
 * behind it, and a promise. */
typedef struct
{
  ConcurExecutor *executor;
  ConcurTaskGroup *group;
  ConcurPromise *promise;
  TestClog clog;
  TestReleases released;
  ConcurFuture *running;
  ConcurFuture *queued;
} Busy;

static void
busy_init (Busy              *busy,
           ConcurGroupPolicy  policy,
           GCancellable      *cancellable)
{
  *busy = (Busy) { .released.thread = g_thread_self () };
  busy->executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  busy->group = g_object_new (CONCUR_TYPE_TASK_GROUP, "executor", busy->executor, "policy", policy,
                              "parent-cancellable", cancellable, NULL);
  busy->promise = concur_promise_new ();
  busy->running = concur_task_group_submit (busy->group, test_clog_job, &busy->clog, NULL);
  test_gate_wait (&busy->clog.begun);
  busy->queued = concur_task_group_submit (busy->group, test_one_job, &busy->released,
                                           test_released);
  concur_task_group_add (busy->group, concur_promise_get_future (busy->promise));
}

static void
busy_assert_stopped (Busy *busy)
{
  test_assert_cancelled (busy->queued);
  test_assert_cancelled (concur_promise_get_future (busy->promise));
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (busy->running)));
  g_assert_false (concur_future_is_done (busy->running));
  g_assert_true (concur_task_group_is_cancelled (busy->group));
}

/* What is running ends as it likes; @all is cancelled when it has. */
static void
busy_assert_ends (Busy         *busy,
                  ConcurFuture *all)
{
  g_assert_false (concur_future_is_done (all));
  test_gate_open (&busy->clog.go);
  test_assert_done (all);
  test_assert_cancelled (all);
  test_assert_int64 (busy->running, 42);
}

static void
busy_clear (Busy *busy)
{
  test_gate_open (&busy->clog.go);
  g_object_unref (busy->running);
  g_object_unref (busy->queued);
  g_object_unref (busy->promise);
  g_clear_object (&busy->group);
  test_executor_end (busy->executor);
  test_iterate_until (NULL, test_releases_get (&busy->released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&busy->released), ==, 0);
  assert_nothing_left ();
}

static void
test_cancel (void)
{
  GCancellable *cancellable;
  ConcurFuture *all, *late;
  Busy busy;

  busy_init (&busy, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  cancellable = concur_task_group_get_cancellable (busy.group);
  g_assert_true (cancellable == concur_task_group_get_cancellable (busy.group));
  g_assert_false (g_cancellable_is_cancelled (cancellable));
  g_assert_true (concur_task_group_cancel (busy.group, CONCUR_CANCEL_NONE));
  busy_assert_stopped (&busy);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  g_assert_true (concur_task_group_cancel (busy.group, CONCUR_CANCEL_NONE));

  /* What comes now is not run, but is a member. */
  late = concur_task_group_submit (busy.group, test_one_job, NULL, NULL);
  test_assert_cancelled (late);
  g_assert_cmpuint (concur_task_group_get_n_members (busy.group), ==, 4);
  all = concur_task_group_close (busy.group);
  busy_assert_ends (&busy, all);
  g_assert_false (concur_task_group_cancel (busy.group, CONCUR_CANCEL_NONE));

  g_object_unref (late);
  g_object_unref (all);
  busy_clear (&busy);
}

/* Who waits for it all decides, too. */
static void
test_cancel_close (void)
{
  ConcurFuture *all;
  Busy busy;

  busy_init (&busy, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  all = concur_task_group_close (busy.group);
  g_assert_false (concur_future_cancel (all, CONCUR_CANCEL_QUEUED));
  g_assert_false (concur_task_group_is_cancelled (busy.group));
  g_assert_false (concur_future_is_done (busy.queued));
  g_assert_true (concur_future_cancel (all, CONCUR_CANCEL_NONE));
  busy_assert_stopped (&busy);
  busy_assert_ends (&busy, all);
  g_object_unref (all);
  busy_clear (&busy);
}

/* Nobody waits for what is running, but it still counts. */
static void
test_abandon (void)
{
  for (guint i = 0; i < 3; i++)
    {
      ConcurFuture *all = NULL;
      Busy busy;

      busy_init (&busy, CONCUR_GROUP_COLLECT, NULL);
      if (i == 0)
        all = concur_task_group_close (busy.group);
      /* With the weaker one before. */
      if (i == 2)
        concur_task_group_cancel (busy.group, CONCUR_CANCEL_NONE);
      if (i == 0)
        g_assert_true (concur_future_cancel (all, CONCUR_CANCEL_ABANDON));
      else
        g_assert_true (concur_task_group_cancel (busy.group, CONCUR_CANCEL_ABANDON));
      test_assert_cancelled (busy.running);
      test_assert_cancelled (busy.queued);
      if (all == NULL)
        all = concur_task_group_close (busy.group);
      test_assert_cancelled (all);
      g_assert_cmpuint (g_list_model_get_n_items (concur_future_get_children (all)), ==, 3);
      g_object_unref (all);
      busy_clear (&busy);
    }
}

/* Only what has not begun: the group goes on. */
static void
test_cancel_queued (void)
{
  ConcurFuture *all, *late;
  Busy busy;

  busy_init (&busy, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  g_assert_true (concur_task_group_cancel (busy.group, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (busy.queued);
  test_assert_cancelled (concur_promise_get_future (busy.promise));
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (busy.running)));
  g_assert_false (concur_task_group_is_cancelled (busy.group));
  late = concur_task_group_submit (busy.group, test_one_job, NULL, NULL);
  all = concur_task_group_close (busy.group);
  test_gate_open (&busy.clog.go);
  test_assert_done (all);
  test_assert_int64 (late, 1);
  assert_members (all, NULL, 4);
  g_object_unref (late);
  g_object_unref (all);
  busy_clear (&busy);
}

static gboolean
has_handler (GCancellable *cancellable)
{
  return g_signal_has_handler_pending (cancellable,
                                       g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, FALSE);
}

/* One handler for all of them. */
static void
test_parent_cancellable (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ConcurFuture *all;
  gulong id;
  Busy busy;

  busy_init (&busy, CONCUR_GROUP_CANCEL_ON_ERROR, cancellable);
  g_assert_true (has_handler (cancellable));
  /* One: with the only one blocked there is none. */
  id = g_signal_handler_find (cancellable, G_SIGNAL_MATCH_ID,
                              g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, NULL, NULL,
                              NULL);
  g_signal_handler_block (cancellable, id);
  g_assert_false (has_handler (cancellable));
  g_signal_handler_unblock (cancellable, id);
  all = concur_task_group_close (busy.group);
  g_cancellable_cancel (cancellable);
  g_assert_true (concur_task_group_is_cancelled (busy.group));
  test_wait_until (concur_future_is_done (busy.queued)
                   && concur_job_is_cancelled (CONCUR_JOB (busy.running))
                   && concur_future_is_done (concur_promise_get_future (busy.promise)));
  busy_assert_stopped (&busy);
  busy_assert_ends (&busy, all);
  g_object_unref (all);
  busy_clear (&busy);
  g_assert_false (has_handler (cancellable));
  g_assert_cmpuint (G_OBJECT (cancellable)->ref_count, ==, 1);
}

static void
test_parent_cancelled_before (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ConcurTaskGroup *group;
  ConcurFuture *future, *all;

  g_cancellable_cancel (cancellable);
  group = concur_task_group_new (NULL, cancellable);
  g_assert_true (concur_task_group_is_cancelled (group));
  g_assert_true (g_cancellable_is_cancelled (concur_task_group_get_cancellable (group)));
  future = concur_task_group_submit (group, test_one_job, NULL, NULL);
  test_assert_cancelled (future);
  all = concur_task_group_close (group);
  test_assert_cancelled (all);
  g_object_unref (future);
  g_object_unref (all);
  g_object_unref (group);
  assert_nothing_left ();
}

/* A job that fails when it is told to stop: that is an error, and not a cancellation. */
static gboolean
stopped_job (ConcurJob  *job,
             gpointer    begun,
             GError    **error)
{
  test_gate_open (begun);
  while (!concur_job_is_cancelled (job))
    g_thread_yield ();
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "cannot clear up");

  return FALSE;
}

static void
test_error_while_stopping (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  TestGate begun = { 0 };
  ConcurFuture *future = concur_task_group_submit (group, stopped_job, &begun, NULL);
  ConcurFuture *all;

  test_gate_wait (&begun);
  concur_task_group_cancel (group, CONCUR_CANCEL_NONE);
  all = concur_task_group_close (group);
  test_assert_done (all);
  test_assert_error (all, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
  g_object_unref (future);
  g_object_unref (all);
  g_object_unref (group);
  assert_nothing_left ();
}

/* All were done; cancelled it is all the same, if that was before it was closed. */
static void
test_cancel_done (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurFuture *future = concur_task_group_submit (group, test_one_job, NULL, NULL);
  ConcurFuture *all;

  test_assert_done (future);
  concur_task_group_cancel (group, CONCUR_CANCEL_NONE);
  all = concur_task_group_close (group);
  test_assert_done (all);
  test_assert_cancelled (all);
  test_assert_int64 (future, 1);
  g_object_unref (future);
  g_object_unref (all);
  g_object_unref (group);
  assert_nothing_left ();
}

/* Not closed: that is the end of it. The one that runs is still waited for, by nobody. */
static void
test_dropped (void)
{
  Busy busy;

  busy_init (&busy, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  g_clear_object (&busy.group);
  test_assert_cancelled (busy.queued);
  test_assert_cancelled (concur_promise_get_future (busy.promise));
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (busy.running)));
  g_assert_false (concur_future_is_done (busy.running));
  busy_clear (&busy);
}

/* Closed: it goes on, also when nobody waits for it. */
static void
test_dropped_closed (void)
{
  Busy busy;

  busy_init (&busy, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  g_object_unref (concur_task_group_close (busy.group));
  g_clear_object (&busy.group);
  g_assert_false (concur_future_is_done (busy.queued));
  test_gate_open (&busy.clog.go);
  test_assert_done (busy.queued);
  test_assert_int64 (busy.queued, 1);
  g_assert_true (concur_promise_resolve (busy.promise, NULL));
  busy_clear (&busy);
}

static gboolean
wait_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  ConcurTaskGroup *group = concur_task_group_new (data, NULL);
  ConcurFuture *all;
  gint counter = 0;

  for (guint i = 0; i < 3; i++)
    g_object_unref (concur_task_group_submit (group, test_count_job, &counter, NULL));
  all = concur_task_group_close (group);
  g_assert_true (concur_future_wait (all, -1));
  g_assert_cmpint (counter, ==, 3);
  g_object_unref (all);
  g_object_unref (group);
  concur_job_return_int64 (job, counter);

  return TRUE;
}

/* Waiting for it is waiting for its members: where one that is bound to this thread is among
 * them it is refused, and on the only worker they are run in place. */
static void
test_waiting (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;
  ConcurExecutor *pool = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "max-blocked",
                                       0, NULL);
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_context_executor_new (context));
  ConcurTaskGroup *group;
  ConcurFuture *all, *future;

  future = test_submit (pool, wait_job, pool);
  test_assert_done (future);
  test_assert_int64 (future, 3);
  g_object_unref (future);

  g_main_context_push_thread_default (context);
  g_assert_true (g_main_context_acquire (context));
  group = concur_task_group_new (executor, NULL);
  g_object_unref (concur_task_group_submit (group, test_one_job, NULL, NULL));
  g_object_unref (concur_task_group_submit (group, test_one_job, NULL, NULL));
  all = concur_task_group_close (group);
  g_assert_false (concur_future_wait (all, -1));
  g_assert_null (concur_future_result (all, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  test_iterate_until (context, concur_future_is_done (all));
  assert_members (all, NULL, 2);
  g_object_unref (all);
  g_object_unref (group);
  test_iterate_until (context, test_futures_alive () == 0);
  g_main_context_release (context);
  g_main_context_pop_thread_default (context);

  g_object_unref (executor);
  test_executor_end (pool);
  assert_nothing_left ();
}

static void
cancel_again (ConcurFuture *future,
              gpointer      group)
{
  concur_task_group_cancel (group, CONCUR_CANCEL_NONE);
}

/* All are cancelled from a callback of one of them, which does not nest. */
static void
test_many (void)
{
  guint n = test_scaled (100000);
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  GPtrArray *promises = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 begun;
  ConcurFuture *all;

  for (guint i = 0; i < n; i++)
    {
      ConcurFuture *future;

      g_ptr_array_add (promises, concur_promise_new ());
      future = concur_promise_get_future (promises->pdata[i]);
      concur_task_group_add (group, future);
      if (i == 3)
        concur_future_add_direct_callback (future, cancel_again, group, NULL);
    }
  all = concur_task_group_close (group);
  begun = g_get_monotonic_time ();
  concur_future_cancel (concur_promise_get_future (promises->pdata[3]), CONCUR_CANCEL_NONE);
  g_test_message ("%u members cancelled in %d ms", n,
                  (int) ((g_get_monotonic_time () - begun) / 1000));
  test_assert_cancelled (all);
  g_object_unref (all);
  g_object_unref (group);
  g_ptr_array_unref (promises);
  assert_nothing_left ();
}

/* In a forked process nothing hangs: every call says what is the matter. */
static int
child (ConcurTaskGroup *group,
       ConcurFuture    *future)
{
  g_autoptr (ConcurFuture) job = concur_task_group_submit (group, test_one_job, NULL, NULL);
  g_autoptr (ConcurFuture) all = concur_task_group_close (group);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) all_error = NULL;

  concur_future_check (job, &error);
  concur_future_check (all, &all_error);
  if (!g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 1;
  if (!g_error_matches (all_error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 2;
  if (concur_task_group_add (group, future))
    return 3;
  concur_task_group_cancel_silently (group);
  if (concur_task_group_cancel (group, CONCUR_CANCEL_NONE))
    return 4;
  concur_task_group_bind (group, G_OBJECT (group), TRUE);
  g_object_unref (group);

  return 0;
}

static void
test_fork (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurFuture *future = concur_task_group_submit (group, test_one_job, NULL, NULL);
  int status;
  pid_t pid;

  test_assert_done (future);
  /* As if another thread had been in the middle of something. */
  test_wait_until (concur_task_group_get_n_running (group) == 0);
  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (60);
      _exit (child (group, future));
    }
  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);

  g_object_unref (future);
  g_object_unref (group);
  assert_nothing_left ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/task-group/cancel/members", test_cancel);
  g_test_add_func ("/task-group/cancel/close", test_cancel_close);
  g_test_add_func ("/task-group/cancel/abandon", test_abandon);
  g_test_add_func ("/task-group/cancel/queued", test_cancel_queued);
  g_test_add_func ("/task-group/cancel/parent-cancellable", test_parent_cancellable);
  g_test_add_func ("/task-group/cancel/parent-cancelled-before", test_parent_cancelled_before);
  g_test_add_func ("/task-group/cancel/error-while-stopping", test_error_while_stopping);
  g_test_add_func ("/task-group/cancel/done", test_cancel_done);
  g_test_add_func ("/task-group/cancel/dropped", test_dropped);
  g_test_add_func ("/task-group/cancel/dropped-closed", test_dropped_closed);
  g_test_add_func ("/task-group/cancel/waiting", test_waiting);
  g_test_add_func ("/task-group/cancel/many", test_many);
  g_test_add_func ("/task-group/cancel/fork", test_fork);

  return test_run ();
}
