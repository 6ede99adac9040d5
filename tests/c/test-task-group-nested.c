/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Groups in groups: also very many, on a thread with a small stack. */

#include "config.h"

#include "test-task-group.h"

#include <pthread.h>

#define STACK_SIZE (256 * 1024)

static ConcurFuture *
add_promise (ConcurTaskGroup  *group,
             ConcurPromise   **promise)
{
  *promise = concur_promise_new ();
  g_assert_true (concur_task_group_add (group, concur_promise_get_future (*promise)));

  return concur_promise_get_future (*promise);
}

static void
reject (ConcurPromise *promise)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "inside");

  concur_promise_reject (promise, error);
}

/* The outer one is not over before the inner one is, and that is not before it was closed. */
static void
test_waits (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  ConcurTaskGroup *inner = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  ConcurFuture *all = concur_task_group_close (outer);
  g_autoptr (GListModel) children = g_object_ref (concur_future_get_children (all));
  g_autoptr (ConcurFuture) member = g_list_model_get_item (children, 0);
  ConcurPromise *promise;
  ConcurFuture *end;

  add_promise (inner, &promise);
  g_assert_null (concur_future_get_children (member));
  concur_promise_resolve (promise, NULL);
  g_assert_false (concur_future_is_done (all));
  end = concur_task_group_close (inner);
  g_assert_true (end == member);
  assert_members (all, &end, 1);
  assert_members (end, NULL, 1);
  g_object_unref (end);
  g_object_unref (promise);
  g_object_unref (all);
  g_object_unref (inner);
  g_object_unref (outer);
  g_clear_object (&member);
  g_clear_object (&children);
  assert_nothing_left ();
}

static void
test_cancelled_with_outer (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  ConcurTaskGroup *inner = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  TestClog clog = { 0 };
  ConcurFuture *job = concur_task_group_submit (inner, test_clog_job, &clog, NULL);
  ConcurFuture *all;

  test_gate_wait (&clog.begun);
  g_object_unref (concur_task_group_close (inner));
  all = concur_task_group_close (outer);
  concur_future_cancel (all, CONCUR_CANCEL_NONE);
  g_assert_true (concur_task_group_is_cancelled (inner));
  g_assert_true (concur_job_is_cancelled (CONCUR_JOB (job)));
  /* What is running inside is still running. */
  g_assert_false (concur_future_is_done (all));
  test_gate_open (&clog.go);
  test_assert_done (all);
  test_assert_int64 (job, 42);
  test_assert_cancelled (all);
  g_object_unref (job);
  g_object_unref (all);
  g_object_unref (inner);
  g_object_unref (outer);
  assert_nothing_left ();
}

/* It is a member also if it was cancelled before it was made. */
static void
test_cancelled_before (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  GCancellable *cancellable = g_cancellable_new ();
  ConcurTaskGroup *inner;
  ConcurFuture *all;

  g_cancellable_cancel (cancellable);
  inner = g_object_new (CONCUR_TYPE_TASK_GROUP, "parent", outer, "parent-cancellable", cancellable,
                        NULL);
  g_assert_true (concur_task_group_is_cancelled (inner));
  g_assert_false (concur_task_group_is_cancelled (outer));
  all = concur_task_group_close (outer);
  g_assert_cmpuint (concur_task_group_get_n_running (outer), ==, 1);
  g_assert_false (concur_future_is_done (all));
  g_object_unref (concur_task_group_close (inner));
  assert_members (all, NULL, 1);
  g_object_unref (all);
  g_object_unref (inner);
  g_object_unref (outer);
  g_object_unref (cancellable);
  assert_nothing_left ();
}

static void
test_error_goes_out (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  ConcurTaskGroup *inner = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  ConcurPromise *sibling, *fails;
  ConcurFuture *sibling_future = add_promise (outer, &sibling);
  ConcurFuture *all;

  add_promise (inner, &fails);
  reject (fails);
  /* Its own matter, until it is closed. */
  g_assert_true (concur_task_group_is_cancelled (inner));
  g_assert_false (concur_task_group_is_cancelled (outer));
  g_object_unref (concur_task_group_close (inner));
  g_assert_true (concur_task_group_is_cancelled (outer));
  test_assert_cancelled (sibling_future);
  all = concur_task_group_close (outer);
  test_assert_error (all, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_object_unref (sibling);
  g_object_unref (fails);
  g_object_unref (all);
  g_object_unref (inner);
  g_object_unref (outer);
  assert_nothing_left ();
}

/* An inner one that collects keeps errors to itself; one that is cancelled alone, or dropped,
 * is none. */
static void
test_no_error (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  ConcurTaskGroup *collects = group_new (NULL, CONCUR_GROUP_COLLECT, outer);
  ConcurTaskGroup *cancelled = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  ConcurTaskGroup *dropped = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  ConcurPromise *promises[3];
  ConcurFuture *all;

  add_promise (collects, &promises[0]);
  add_promise (cancelled, &promises[1]);
  add_promise (dropped, &promises[2]);
  reject (promises[0]);
  g_object_unref (concur_task_group_close (collects));
  concur_task_group_cancel (cancelled, CONCUR_CANCEL_NONE);
  g_object_unref (concur_task_group_close (cancelled));
  all = concur_task_group_close (outer);
  g_assert_false (concur_future_is_done (all));
  g_object_unref (dropped);
  g_assert_false (concur_task_group_is_cancelled (outer));
  assert_members (all, NULL, 3);
  for (guint i = 0; i < 3; i++)
    g_object_unref (promises[i]);
  g_object_unref (all);
  g_object_unref (collects);
  g_object_unref (cancelled);
  g_object_unref (outer);
  assert_nothing_left ();
}

/* The outer handle lives as long as an inner one. */
static void
test_outer_dropped (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  ConcurTaskGroup *inner = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  ConcurPromise *promise;
  ConcurFuture *future = add_promise (outer, &promise);

  g_object_unref (outer);
  g_assert_false (concur_task_group_is_cancelled (inner));
  g_assert_false (concur_future_is_done (future));
  g_object_unref (inner);
  test_assert_cancelled (future);
  g_object_unref (promise);
  assert_nothing_left ();
}

typedef enum
{
  DEEP_ENDS,       /* closed from inside out */
  DEEP_FAILS,      /* closed, then the innermost member fails */
  DEEP_CANCELLED,  /* closed from outside in, then the outermost is cancelled */
  DEEP_SILENCED,
  DEEP_DROPPED,    /* only the innermost handle was left */
  N_DEEP
} Deep;

static gpointer
deep_thread (gpointer data)
{
  Deep what = GPOINTER_TO_INT (data);
  guint n = test_scaled (100000);
  GPtrArray *groups = g_ptr_array_new_with_free_func (g_object_unref);
  ConcurFuture *all, *future;
  ConcurTaskGroup *outermost, *innermost;
  ConcurPromise *promise;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (groups, group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR,
                                        i > 0 ? groups->pdata[i - 1] : NULL));
  outermost = g_object_ref (groups->pdata[0]);
  innermost = g_object_ref (groups->pdata[n - 1]);
  future = add_promise (innermost, &promise);

  if (what == DEEP_DROPPED)
    {
      all = NULL;
      g_object_unref (outermost);
      g_ptr_array_unref (groups);
      g_assert_false (concur_future_is_done (future));
      g_object_unref (innermost);
    }
  else
    {
      for (guint i = 0; i < n; i++)
        g_object_unref (
          concur_task_group_close (groups->pdata[what == DEEP_CANCELLED ? i : n - 1 - i]));
      all = concur_task_group_close (outermost);
      g_assert_false (concur_future_is_done (all));
      if (what == DEEP_ENDS)
        concur_promise_resolve (promise, NULL);
      else if (what == DEEP_FAILS)
        reject (promise);
      else if (what == DEEP_CANCELLED)
        concur_future_cancel (all, CONCUR_CANCEL_NONE);
      else
        concur_task_group_cancel_silently (outermost);
      g_ptr_array_unref (groups);
      g_object_unref (innermost);
      g_object_unref (outermost);
    }

  if (what == DEEP_ENDS)
    assert_members (all, NULL, 1);
  else if (what == DEEP_FAILS)
    test_assert_error (all, G_IO_ERROR, G_IO_ERROR_FAILED);
  else if (all != NULL)
    test_assert_cancelled (all);
  if (what >= DEEP_CANCELLED)
    test_assert_cancelled (future);
  g_object_unref (promise);
  g_clear_object (&all);
  while (concur_release_pending () > 0)
    ;

  return NULL;
}

static void
test_deep (gconstpointer what)
{
  pthread_attr_t attributes;
  pthread_t thread;

  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, STACK_SIZE), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, deep_thread, (gpointer) what), ==, 0);
  g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
  pthread_attr_destroy (&attributes);
  assert_nothing_left ();
}

int
main (int   argc,
      char *argv[])
{
  static const char *const names[N_DEEP] = { "ends", "fails", "cancelled", "silenced", "dropped" };

  test_init (&argc, &argv);

  g_test_add_func ("/task-group/nested/waits", test_waits);
  g_test_add_func ("/task-group/nested/cancelled-with-outer", test_cancelled_with_outer);
  g_test_add_func ("/task-group/nested/cancelled-before", test_cancelled_before);
  g_test_add_func ("/task-group/nested/error-goes-out", test_error_goes_out);
  g_test_add_func ("/task-group/nested/no-error", test_no_error);
  g_test_add_func ("/task-group/nested/outer-dropped", test_outer_dropped);
  for (guint i = 0; i < N_DEEP; i++)
    {
      g_autofree char *path = g_strconcat ("/task-group/nested/deep/", names[i], NULL);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_deep);
    }

  return test_run ();
}
