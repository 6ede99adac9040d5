/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Members, and the future of them all. */

#include "config.h"

#include "test-task-group.h"

static gboolean
fail_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, data);

  return FALSE;
}

static void
test_properties (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  ConcurTaskGroup *group = concur_task_group_new (executor, cancellable);
  ConcurTaskGroup *inner;

  g_assert_true (concur_task_group_get_executor (group) == executor);
  g_assert_true (concur_task_group_get_parent_cancellable (group) == cancellable);
  g_assert_null (concur_task_group_get_parent (group));
  g_assert_cmpint (concur_task_group_get_policy (group), ==, CONCUR_GROUP_CANCEL_ON_ERROR);
  g_assert_cmpuint (concur_task_group_get_n_members (group), ==, 0);
  g_assert_cmpuint (concur_task_group_get_n_running (group), ==, 0);
  g_assert_false (concur_task_group_is_cancelled (group));

  inner = group_new (NULL, CONCUR_GROUP_COLLECT, group);
  g_assert_true (concur_task_group_get_executor (inner) == concur_executor_get_default ());
  g_assert_true (concur_task_group_get_parent (inner) == group);
  g_assert_cmpint (concur_task_group_get_policy (inner), ==, CONCUR_GROUP_COLLECT);
  g_assert_null (concur_task_group_get_parent_cancellable (inner));
  g_assert_cmpuint (concur_task_group_get_n_members (group), ==, 1);
  g_assert_cmpuint (concur_task_group_get_n_running (group), ==, 1);

  g_object_unref (inner);
  g_object_unref (group);
  test_executor_end (executor);
  assert_nothing_left ();
}

static void
test_empty (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurFuture *all = concur_task_group_close (group);

  assert_members (all, NULL, 0);
  g_object_unref (all);
  g_object_unref (group);

  group = group_new (NULL, CONCUR_GROUP_COLLECT, NULL);
  all = concur_task_group_close (group);
  assert_members (all, NULL, 0);
  g_object_unref (all);
  g_object_unref (group);
  assert_nothing_left ();
}

/* In the order they were added, whatever they are and in whatever order they end. */
static void
test_order (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  ConcurTaskGroup *group = concur_task_group_new (executor, NULL);
  ConcurPromise *promise = concur_promise_new ();
  TestClog clog = { 0 };
  ConcurFuture *members[5], *all;
  ConcurJob *job;

  members[0] = concur_task_group_submit (group, test_clog_job, &clog, NULL);
  members[1] = g_object_ref (concur_promise_get_future (promise));
  g_assert_true (concur_task_group_add (group, members[1]));
  job = concur_job_new (test_one_job, NULL, NULL);
  members[2] = concur_task_group_submit_job (group, job);
  g_assert_true (members[2] == CONCUR_FUTURE (job));
  g_object_unref (job);
  members[3] = concur_future_resolved (NULL);
  g_assert_true (concur_task_group_add (group, members[3]));
  /* A second time is another member. */
  members[4] = g_object_ref (members[1]);
  g_assert_true (concur_task_group_add (group, members[4]));
  test_assert_done (members[2]);
  test_wait_until (concur_task_group_get_n_running (group) == 3);
  g_assert_cmpuint (concur_task_group_get_n_members (group), ==, 5);

  all = concur_task_group_close (group);
  g_assert_cmpint (concur_future_get_state (all), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_cmpuint (g_list_model_get_n_items (concur_future_get_children (all)), ==, 5);
  g_assert_cmpfloat (concur_future_get_progress (all), ==, 2 / 5.);
  concur_promise_resolve_int64 (promise, 7);
  g_assert_cmpfloat (concur_future_get_progress (all), ==, 4 / 5.);
  g_assert_false (concur_future_is_done (all));

  test_gate_open (&clog.go);
  test_assert_done (all);
  assert_members (all, members, 5);
  test_assert_int64 (members[0], 42);
  test_assert_int64 (members[4], 7);
  g_assert_cmpfloat (concur_future_get_progress (all), ==, 1);
  g_assert_false (concur_task_group_is_cancelled (group));
  g_assert_cmpuint (concur_task_group_get_n_members (group), ==, 5);
  g_assert_cmpuint (concur_task_group_get_n_running (group), ==, 0);

  futures_clear (members, 5);
  g_object_unref (all);
  g_object_unref (promise);
  g_object_unref (group);
  test_executor_end (executor);
  assert_nothing_left ();
}

/* The first error in time is that of the whole, but not before all are done. */
static void
test_error (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  ConcurTaskGroup *group = concur_task_group_new (executor, NULL);
  GCancellable *cancellable = concur_task_group_get_cancellable (group);
  ConcurPromise *promise = concur_promise_new ();
  TestClog stubborn = { 0 };
  TestGate endless = { 0 };
  ConcurFuture *members[4], *all;
  g_autoptr (GError) error = NULL;

  members[0] = concur_task_group_submit (group, test_clog_job, &stubborn, NULL);
  members[1] = concur_task_group_submit (group, test_endless_job, &endless, NULL);
  members[2] = g_object_ref (concur_promise_get_future (promise));
  concur_task_group_add (group, members[2]);
  test_gate_wait (&stubborn.begun);
  test_gate_wait (&endless);
  members[3] = concur_task_group_submit (group, fail_job, (gpointer) "the first", NULL);
  all = concur_task_group_close (group);
  test_assert_done (members[3]);

  test_assert_done (members[1]);
  test_assert_cancelled (members[1]);
  test_wait_until (concur_future_is_done (members[2]));
  test_assert_cancelled (members[2]);
  g_assert_true (concur_task_group_is_cancelled (group));
  g_assert_true (g_cancellable_is_cancelled (cancellable));
  test_wait_until (concur_task_group_get_n_running (group) == 1);
  g_assert_false (concur_future_is_done (all));

  test_gate_open (&stubborn.go);
  test_assert_done (all);
  test_assert_int64 (members[0], 42);
  g_assert_false (concur_future_check (all, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "the first");
  g_assert_cmpuint (g_list_model_get_n_items (concur_future_get_children (all)), ==, 4);

  futures_clear (members, 4);
  g_object_unref (all);
  g_object_unref (promise);
  g_object_unref (group);
  test_executor_end (executor);
  assert_nothing_left ();
}

/* Later errors change nothing; nobody need look at any of them, nor at the whole if somebody
 * looked at that. An error that is there already counts, too. */
static void
test_later_errors (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promises[2] = { concur_promise_new (), concur_promise_new () };
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "early");
  g_autoptr (GError) late = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "late");
  ConcurFuture *all, *shielded, *early = concur_future_rejected (error);

  /* It goes on, and fails after the first. */
  shielded = concur_future_shield (concur_promise_get_future (promises[0]));
  concur_task_group_add (group, shielded);
  concur_task_group_add (group, early);
  g_assert_true (concur_task_group_is_cancelled (group));
  test_assert_cancelled (shielded);
  g_assert_false (concur_future_is_done (concur_promise_get_future (promises[0])));
  /* What comes now is cancelled, but a member. */
  g_assert_true (concur_task_group_add (group, concur_promise_get_future (promises[1])));
  test_assert_cancelled (concur_promise_get_future (promises[1]));
  concur_promise_reject (promises[0], late);
  concur_task_group_add (group, concur_promise_get_future (promises[0]));
  g_assert_cmpuint (concur_task_group_get_n_members (group), ==, 4);
  all = concur_task_group_close (group);
  test_assert_error (all, G_IO_ERROR, G_IO_ERROR_BUSY);

  g_object_unref (all);
  g_object_unref (early);
  g_object_unref (shielded);
  g_object_unref (group);
  for (guint i = 0; i < 2; i++)
    g_object_unref (promises[i]);
  assert_nothing_left ();
}

/* A member that somebody else cancels has not failed. */
static void
test_member_cancelled (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *members[2], *all;

  members[0] = concur_task_group_submit (group, test_one_job, NULL, NULL);
  members[1] = g_object_ref (concur_promise_get_future (promise));
  concur_task_group_add (group, members[1]);
  concur_future_cancel (members[1], CONCUR_CANCEL_NONE);
  g_assert_false (concur_task_group_is_cancelled (group));
  all = concur_task_group_close (group);
  test_assert_done (all);
  assert_members (all, members, 2);

  futures_clear (members, 2);
  g_object_unref (all);
  g_object_unref (promise);
  g_object_unref (group);
  assert_nothing_left ();
}

static void
test_collect (void)
{
  ConcurTaskGroup *group = group_new (NULL, CONCUR_GROUP_COLLECT, NULL);
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *members[3], *all;

  members[0] = concur_task_group_submit (group, fail_job, (gpointer) "fails", NULL);
  members[1] = g_object_ref (concur_promise_get_future (promise));
  concur_task_group_add (group, members[1]);
  test_assert_done (members[0]);
  members[2] = concur_task_group_submit (group, test_one_job, NULL, NULL);
  all = concur_task_group_close (group);
  test_assert_done (members[2]);
  test_assert_int64 (members[2], 1);
  test_wait_until (concur_task_group_get_n_running (group) == 1);
  g_assert_false (concur_task_group_is_cancelled (group));

  /* It is the whole that is resolved, also of a group that is cancelled. */
  concur_task_group_cancel (group, CONCUR_CANCEL_NONE);
  test_assert_cancelled (members[1]);
  test_assert_done (all);
  assert_members (all, members, 3);
  test_assert_error (members[0], G_IO_ERROR, G_IO_ERROR_FAILED);

  futures_clear (members, 3);
  g_object_unref (all);
  g_object_unref (promise);
  g_object_unref (group);
  assert_nothing_left ();
}

/* Errors of members count as looked at, and only the whole is complained about. */
static void
test_unlooked (void)
{
  ConcurTaskGroup *group = group_new (NULL, CONCUR_GROUP_COLLECT, NULL);
  ConcurFuture *all;

  g_object_unref (concur_task_group_submit (group, fail_job, (gpointer) "nobody cares", NULL));
  all = concur_task_group_close (group);
  g_object_unref (group);
  test_assert_done (all);
  g_object_unref (all);
  assert_nothing_left ();

  group = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  g_object_unref (concur_task_group_submit (group, fail_job, (gpointer) "too bad", NULL));
  all = concur_task_group_close (group);
  g_object_unref (group);
  test_assert_done (all);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*Nobody looked*TaskGroupEnd*too bad*");
  g_object_unref (all);
  assert_nothing_left ();
  g_test_assert_expected_messages ();
}

static void
test_closed (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  ConcurFuture *all, *again, *late, *job_future;
  TestReleases releases = { .thread = g_thread_self () };
  ConcurTaskGroup *inner;
  ConcurJob *job;

  concur_task_group_add (group, future);
  all = concur_task_group_close (group);
  again = concur_task_group_close (group);
  g_assert_true (all == again);

  late = concur_task_group_submit (group, test_one_job, &releases, test_released);
  test_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  job = concur_job_new (test_one_job, &releases, test_released);
  job_future = concur_task_group_submit_job (group, job);
  test_assert_error (job_future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  test_wait_until (test_releases_get (&releases) == 2);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  g_assert_false (concur_task_group_add (group, future));
  g_assert_false (concur_future_is_done (future));
  g_assert_cmpuint (concur_task_group_get_n_members (group), ==, 1);
  inner = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, group);
  g_assert_true (concur_task_group_is_cancelled (inner));
  g_object_unref (inner);

  concur_promise_resolve (promise, NULL);
  test_assert_done (all);
  g_assert_true (concur_future_check (all, NULL));
  g_assert_false (concur_task_group_cancel (group, CONCUR_CANCEL_NONE));
  g_assert_false (concur_task_group_is_cancelled (group));
  /* Over, and as closed as before. */
  g_assert_false (concur_task_group_add (group, future));

  g_object_unref (late);
  g_object_unref (job_future);
  g_object_unref (job);
  g_object_unref (all);
  g_object_unref (again);
  g_object_unref (promise);
  g_object_unref (group);
  assert_nothing_left ();
}

static void
test_mistakes (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurJob *job = concur_job_new (test_one_job, NULL, NULL);
  ConcurFuture *future = concur_task_group_submit_job (group, job);
  ConcurFuture *all = concur_task_group_close (group);

  test_critical (g_assert_null (concur_task_group_submit_job (group, job)));
  test_critical (g_assert_false (concur_task_group_add (group, all)));
  test_critical (g_assert_false (concur_task_group_add (group, NULL)));
  test_critical (g_assert_null (concur_task_group_submit (group, NULL, NULL, NULL)));
  test_critical (concur_task_group_bind (group, NULL, FALSE));
  test_critical (concur_task_group_when_done (group, all, NULL, NULL, NULL, NULL));

  test_assert_done (all);
  g_object_unref (all);
  g_object_unref (future);
  g_object_unref (job);
  g_object_unref (group);
  assert_nothing_left ();
}

/* An executor that does not take a job makes it an error of that member. */
static void
test_executor_refuses (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  ConcurTaskGroup *group = concur_task_group_new (executor, NULL);
  ConcurFuture *future, *all;

  test_executor_end (g_object_ref (executor));
  future = concur_task_group_submit (group, test_one_job, NULL, NULL);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  all = concur_task_group_close (group);
  test_assert_done (all);
  test_assert_error (all, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_object_unref (future);
  g_object_unref (all);
  g_object_unref (group);
  g_object_unref (executor);
  assert_nothing_left ();
}

typedef struct
{
  ConcurTaskGroup *group;
  guint depth;
  gint n_run; /* atomic */
} Tree;

static gboolean
tree_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Tree *tree = data;
  guint depth = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (job), "depth"));

  g_atomic_int_inc (&tree->n_run);
  for (guint i = 0; depth > 0 && i < 2; i++)
    {
      ConcurJob *child = concur_job_new (tree_job, tree, NULL);

      g_object_set_data (G_OBJECT (child), "depth", GUINT_TO_POINTER (depth - 1));
      g_object_unref (concur_task_group_submit_job (tree->group, child));
      g_object_unref (child);
    }
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

/* Members may submit members, until it is closed. */
static void
test_members_submit (void)
{
  Tree tree = { .group = concur_task_group_new (NULL, NULL), .depth = 6 };
  ConcurJob *job = concur_job_new (tree_job, &tree, NULL);
  ConcurFuture *all;

  g_object_set_data (G_OBJECT (job), "depth", GUINT_TO_POINTER (tree.depth));
  g_object_unref (concur_task_group_submit_job (tree.group, job));
  g_object_unref (job);
  test_wait_until (concur_task_group_get_n_members (tree.group) == 127);
  all = concur_task_group_close (tree.group);
  test_assert_done (all);
  g_assert_true (concur_future_check (all, NULL));
  g_assert_cmpint (tree.n_run, ==, 127);
  g_object_unref (all);
  g_object_unref (tree.group);
  assert_nothing_left ();
}

static void
on_progress (ConcurFuture *future,
             GParamSpec   *pspec,
             gpointer      last)
{
  double progress = concur_future_get_progress (future);

  g_assert_cmpfloat (progress, >=, *(double *) last);
  *(double *) last = progress;
}

/* It never goes back, also with members on many threads, and ends with 1. */
static void
test_progress (void)
{
  guint n = test_scaled (5000);
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  TestClog clog = { 0 };
  double last = 0;
  ConcurFuture *all;

  g_object_unref (concur_task_group_submit (group, test_clog_job, &clog, NULL));
  for (guint i = 0; i < n; i++)
    g_object_unref (concur_task_group_submit (group, test_one_job, NULL, NULL));
  all = concur_task_group_close (group);
  g_signal_connect (all, "notify::progress", G_CALLBACK (on_progress), &last);
  test_iterate_until (NULL, concur_task_group_get_n_running (group) == 1);
  test_gate_open (&clog.go);
  test_iterate_until (NULL, concur_future_is_done (all));
  test_iterate_until (NULL, last == 1);
  g_object_unref (all);
  g_object_unref (group);
  assert_nothing_left ();
}

/* A hundred thousand members cost each what the first one does. */
static void
test_many (void)
{
  guint n = test_scaled (100000);
  ConcurTaskGroup *group = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, NULL);
  GPtrArray *promises = g_ptr_array_new_with_free_func (g_object_unref);
  gint64 begun;
  ConcurFuture *all;

  for (guint i = 0; i < n; i++)
    {
      g_ptr_array_add (promises, concur_promise_new ());
      concur_task_group_add (group, concur_promise_get_future (promises->pdata[i]));
    }
  begun = g_get_monotonic_time ();
  all = concur_task_group_close (group);
  for (guint i = n; i > 1; i--)
    concur_promise_resolve_int64 (promises->pdata[i - 1], i);
  g_assert_false (concur_future_is_done (all));
  concur_promise_resolve_int64 (promises->pdata[0], 1);
  g_assert_true (concur_future_is_done (all));
  g_test_message ("%u members ended in %d ms", n,
                  (int) ((g_get_monotonic_time () - begun) / 1000));
  assert_members (all, NULL, n);
  g_object_unref (all);
  g_object_unref (group);
  g_ptr_array_unref (promises);
  assert_nothing_left ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/task-group/properties", test_properties);
  g_test_add_func ("/task-group/empty", test_empty);
  g_test_add_func ("/task-group/order", test_order);
  g_test_add_func ("/task-group/error", test_error);
  g_test_add_func ("/task-group/later-errors", test_later_errors);
  g_test_add_func ("/task-group/member-cancelled", test_member_cancelled);
  g_test_add_func ("/task-group/collect", test_collect);
  g_test_add_func ("/task-group/unlooked", test_unlooked);
  g_test_add_func ("/task-group/closed", test_closed);
  g_test_add_func ("/task-group/mistakes", test_mistakes);
  g_test_add_func ("/task-group/executor-refuses", test_executor_refuses);
  g_test_add_func ("/task-group/members-submit", test_members_submit);
  g_test_add_func ("/task-group/progress", test_progress);
  g_test_add_func ("/task-group/many", test_many);

  return test_run ();
}
