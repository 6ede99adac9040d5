/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Callbacks that end with their group, and objects that groups end with. */

#include "config.h"

#include "test-task-group.h"

/* What a callback finds, and when it was let go. */
typedef struct
{
  TestReleases released; /* first: it is what is released */
  ConcurTaskGroup *silences; /* (nullable) from inside */
  ConcurFuture *future;
  gint n;                /* atomic */
} Seen;

static void
on_done (ConcurFuture *future,
         gpointer      data)
{
  Seen *seen = data;

  g_assert_true (concur_future_is_done (future));
  g_assert_cmpuint (test_releases_get (&seen->released), ==, 0);
  g_atomic_int_inc (&seen->n);
  if (seen->silences != NULL)
    concur_task_group_cancel_silently (seen->silences);
}

static gulong
watch (ConcurTaskGroup *group,
       ConcurFuture    *future,
       Seen            *seen,
       GMainContext    *context)
{
  return concur_task_group_when_done (group, future, on_done, seen, test_released, context);
}

static void
assert_seen (Seen  *seen,
             guint  n)
{
  g_assert_cmpint (g_atomic_int_get (&seen->n), ==, n);
  g_assert_cmpuint (test_releases_get (&seen->released), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&seen->released), ==, 0);
}

#define SEEN { .released = { .thread = g_thread_self () } }

static void
settle (void)
{
  for (guint i = 0; i < 10; i++)
    g_main_context_iteration (NULL, FALSE);
}

static void
test_when_done (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  Seen seen[3] = { SEEN, SEEN, SEEN };
  gulong id;

  watch (group, future, &seen[0], NULL);
  id = watch (group, future, &seen[1], NULL);
  g_assert_cmpuint (id, !=, 0);
  concur_future_disconnect_done (future, id);
  assert_seen (&seen[1], 0);
  concur_promise_resolve (promise, NULL);
  g_assert_cmpint (seen[0].n, ==, 0);
  test_iterate_until (NULL, test_releases_get (&seen[0].released) == 1);
  assert_seen (&seen[0], 1);
  /* Done already, and the group is over: still it is called. */
  g_object_unref (concur_task_group_close (group));
  watch (group, future, &seen[2], NULL);
  test_iterate_until (NULL, test_releases_get (&seen[2].released) == 1);
  assert_seen (&seen[2], 1);
  concur_task_group_cancel_silently (group);
  g_object_unref (group);
  g_object_unref (promise);
  assert_nothing_left ();
}

/* Waiting, on its way, and on a future that is no member and never done. */
static void
test_silently (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promises[3] = { concur_promise_new (), concur_promise_new (),
                                 concur_promise_new () };
  ConcurFuture *futures[3], *all;
  Seen seen[5] = { SEEN, SEEN, SEEN, SEEN, SEEN };
  Seen other = SEEN;

  for (guint i = 0; i < 3; i++)
    {
      futures[i] = concur_promise_get_future (promises[i]);
      watch (group, futures[i], &seen[i], NULL);
    }
  concur_task_group_add (group, futures[0]);
  concur_task_group_add (group, futures[1]);
  concur_future_when_done (futures[0], on_done, &other, test_released, NULL);
  concur_promise_resolve (promises[1], NULL);
  all = concur_task_group_close (group);
  watch (group, all, &seen[3], NULL);

  concur_task_group_cancel_silently (group);
  test_assert_cancelled (futures[0]);
  g_assert_false (concur_future_is_done (futures[2]));
  /* Here, and not done: at once. */
  assert_seen (&seen[0], 0);
  assert_seen (&seen[2], 0);
  assert_seen (&seen[3], 0);
  g_assert_cmpuint (test_releases_get (&seen[1].released), ==, 0);
  test_iterate_until (NULL, test_releases_get (&seen[1].released) == 1);
  assert_seen (&seen[1], 0);
  /* It is nothing to who is not of the group. */
  test_iterate_until (NULL, test_releases_get (&other.released) == 1);
  assert_seen (&other, 1);
  test_assert_cancelled (all);

  /* Too late. */
  watch (group, futures[1], &seen[4], NULL);
  test_iterate_until (NULL, test_releases_get (&seen[4].released) == 1);
  assert_seen (&seen[4], 0);
  concur_task_group_cancel_silently (group);
  concur_promise_resolve (promises[2], NULL);
  settle ();
  for (guint i = 0; i < 5; i++)
    assert_seen (&seen[i], 0);

  g_object_unref (all);
  g_object_unref (group);
  for (guint i = 0; i < 3; i++)
    g_object_unref (promises[i]);
  assert_nothing_left ();
}

/* The one that does it is the last. */
static void
test_silently_inside (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  Seen seen[3] = { SEEN, SEEN, SEEN };

  seen[1].silences = group;
  for (guint i = 0; i < 3; i++)
    watch (group, future, &seen[i], NULL);
  concur_promise_resolve (promise, NULL);
  test_iterate_until (NULL, test_releases_get (&seen[2].released) == 1);
  assert_seen (&seen[0], 1);
  assert_seen (&seen[1], 1);
  assert_seen (&seen[2], 0);
  g_object_unref (promise);
  g_object_unref (group);
  assert_nothing_left ();
}

/* A callback in another thread's main context is let go there. */
static void
test_other_context (void)
{
  TestLoop *loop = test_loop_new ();
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  Seen seen = { .released = { .thread = test_loop_get_thread (loop) } };

  watch (group, concur_promise_get_future (promise), &seen, test_loop_get_context (loop));
  concur_task_group_cancel_silently (group);
  test_wait_until (test_releases_get (&seen.released) == 1);
  assert_seen (&seen, 0);
  concur_promise_resolve (promise, NULL);
  g_object_unref (promise);
  g_object_unref (group);
  test_loop_free (loop);
  assert_nothing_left ();
}

/* A pending future that all forget takes its callbacks with it. */
static void
test_forgotten (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurFuture *future = concur_future_delay (G_MAXINT64 / 2);
  Seen seen = SEEN;

  watch (group, future, &seen, NULL);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_object_unref (future);
  test_iterate_until (NULL, test_releases_get (&seen.released) == 1);
  assert_seen (&seen, 1);

  seen = (Seen) SEEN;
  {
    ConcurJob *job = concur_job_new (test_one_job, NULL, NULL);

    watch (group, CONCUR_FUTURE (job), &seen, NULL);
    g_object_unref (job);
    assert_seen (&seen, 0);
  }
  concur_task_group_cancel_silently (group);
  g_object_unref (group);
  assert_nothing_left ();
}

/* Futures that are gone while what was added to them is not let go yet, for their context does
 * not run; others then stand where they did. */
static void
test_same_place (void)
{
  enum { N = 100 };
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  GMainContext *context = g_main_context_new ();
  Seen seen[N];
  Seen last = SEEN;
  ConcurJob *job;

  for (guint i = 0; i < N; i++)
    {
      seen[i] = (Seen) SEEN;
      job = concur_job_new (test_one_job, NULL, NULL);
      watch (group, CONCUR_FUTURE (job), &seen[i], context);
      g_object_unref (job);
    }
  job = concur_job_new (test_one_job, NULL, NULL);
  watch (group, CONCUR_FUTURE (job), &last, NULL);
  concur_task_group_cancel_silently (group);
  /* It was found, and taken back. */
  test_iterate_until (NULL, test_releases_get (&last.released) == 1);
  assert_seen (&last, 0);
  concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);
  g_object_unref (job);
  g_object_unref (group);
  test_iterate_until (context, test_releases_get (&seen[N - 1].released) == 1);
  for (guint i = 0; i < N; i++)
    assert_seen (&seen[i], 0);
  g_main_context_unref (context);
  assert_nothing_left ();
}

/* What each costs does not depend on how many there are: otherwise this would take hours. */
static void
test_many (void)
{
  guint n = test_scaled (500000);

  for (guint done = 0; done < 2; done++)
    {
      ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
      ConcurPromise *promise = concur_promise_new ();
      ConcurFuture *future = concur_promise_get_future (promise);
      Seen seen = SEEN;

      for (guint i = 0; i < n; i++)
        concur_task_group_when_done (group, future, on_done, &seen, NULL, NULL);
      concur_task_group_when_done (group, future, on_done, &seen, test_released, NULL);
      if (done)
        concur_promise_resolve (promise, NULL);
      concur_task_group_cancel_silently (group);
      test_iterate_until (NULL, test_releases_get (&seen.released) == 1);
      assert_seen (&seen, 0);

      concur_promise_resolve (promise, NULL);
      g_object_unref (group);
      g_object_unref (promise);
      assert_nothing_left ();
    }
}

/* Nobody has the group but the data of its callbacks. */
static void
release_group (gpointer group)
{
  g_object_unref (group);
}

static void
never_called (ConcurFuture *future,
              gpointer      data)
{
  g_assert_not_reached ();
}

static void
test_silently_last (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  TestReleases gone = { 0 };

  test_releases_watch (&gone, group);
  g_assert_true (g_main_context_acquire (NULL));
  concur_task_group_when_done (group, concur_promise_get_future (promise), never_called, group,
                               release_group, NULL);
  concur_task_group_cancel_silently (group);
  g_main_context_release (NULL);
  g_assert_cmpuint (test_releases_get (&gone), ==, 1);
  concur_promise_resolve (promise, NULL);
  g_object_unref (promise);
  assert_nothing_left ();
}

/* Groups in it, however deep, fall silent with it; those around it do not. */
static void
test_silently_nested (void)
{
  ConcurTaskGroup *outer = concur_task_group_new (NULL, NULL);
  ConcurTaskGroup *middle = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, outer);
  ConcurTaskGroup *inner = group_new (NULL, CONCUR_GROUP_CANCEL_ON_ERROR, middle);
  ConcurFuture *future = concur_future_resolved (NULL);
  Seen seen[3] = { SEEN, SEEN, SEEN };

  watch (outer, future, &seen[0], NULL);
  watch (middle, future, &seen[1], NULL);
  watch (inner, future, &seen[2], NULL);
  concur_task_group_cancel_silently (middle);
  g_assert_true (concur_task_group_is_cancelled (inner));
  g_assert_false (concur_task_group_is_cancelled (outer));
  for (guint i = 0; i < 3; i++)
    {
      test_iterate_until (NULL, test_releases_get (&seen[i].released) == 1);
      assert_seen (&seen[i], i == 0 ? 1 : 0);
    }
  g_object_unref (future);
  g_object_unref (inner);
  g_object_unref (middle);
  g_object_unref (outer);
  assert_nothing_left ();
}

static gpointer
dispose_thread (gpointer object)
{
  g_object_run_dispose (object);

  return NULL;
}

/* Whichever way the object goes, and whoever else has the group. */
static void
test_bind (void)
{
  for (guint i = 0; i < 4; i++)
    {
      ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
      ConcurPromise *promise = concur_promise_new ();
      ConcurFuture *future = concur_promise_get_future (promise);
      GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
      Seen seen = SEEN;
      gboolean silently = i % 2 == 1;

      concur_task_group_add (group, future);
      watch (group, future, &seen, NULL);
      concur_task_group_bind (group, object, silently);
      g_assert_cmpuint (object->ref_count, ==, 1);
      if (i >= 2)
        {
          /* Nobody has the handle. */
          g_object_unref (concur_task_group_close (group));
          g_clear_object (&group);
        }
      settle ();
      g_assert_false (concur_future_is_done (future));
      if (i < 2)
        g_object_unref (object);
      else
        g_thread_join (g_thread_new ("disposes", dispose_thread, object));
      test_assert_cancelled (future);
      test_iterate_until (NULL, test_releases_get (&seen.released) == 1);
      assert_seen (&seen, silently ? 0 : 1);

      if (i >= 2)
        g_object_unref (object);
      else
        g_object_unref (group);
      g_object_unref (promise);
      assert_nothing_left ();
    }
}

/* The callback of a group that is over is on its way, and still belongs to the object. */
static void
test_bind_over (void)
{
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  ConcurFuture *all = concur_task_group_close (group);
  Seen seen = SEEN;

  concur_task_group_bind (group, object, TRUE);
  watch (group, all, &seen, NULL);
  g_assert_true (concur_future_is_done (all));
  g_object_unref (group);
  g_object_unref (object);
  test_iterate_until (NULL, test_releases_get (&seen.released) == 1);
  assert_seen (&seen, 0);
  g_object_unref (all);
  assert_nothing_left ();
}

/* Several objects, several groups, and those that go first. */
static void
test_bind_many (void)
{
  GObject *objects[2] = { g_object_new (G_TYPE_OBJECT, NULL), g_object_new (G_TYPE_OBJECT, NULL) };
  ConcurTaskGroup *groups[4], *late;

  for (guint i = 0; i < 4; i++)
    {
      groups[i] = concur_task_group_new (NULL, NULL);
      concur_task_group_bind (groups[i], objects[0], FALSE);
      if (i >= 2)
        concur_task_group_bind (groups[i], objects[1], FALSE);
    }
  g_clear_object (&groups[1]);
  g_clear_object (&groups[3]);
  g_object_run_dispose (objects[1]);
  g_assert_false (concur_task_group_is_cancelled (groups[0]));
  g_assert_true (concur_task_group_is_cancelled (groups[2]));

  /* Disposed once, and bound to again. */
  late = concur_task_group_new (NULL, NULL);
  concur_task_group_bind (late, objects[1], TRUE);
  g_assert_false (concur_task_group_is_cancelled (late));
  g_object_unref (objects[1]);
  g_assert_true (concur_task_group_is_cancelled (late));
  g_object_unref (late);

  g_clear_object (&groups[2]);
  g_object_unref (objects[0]);
  g_assert_true (concur_task_group_is_cancelled (groups[0]));
  g_clear_object (&groups[0]);
  assert_nothing_left ();
}

/* One that belongs to what it is bound to. */
static void
test_bind_owned (void)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  Seen seen = SEEN;

  concur_task_group_add (group, future);
  watch (group, future, &seen, NULL);
  concur_task_group_bind (group, object, TRUE);
  g_object_set_data_full (object, "group", group, g_object_unref);
  g_object_unref (object);
  test_assert_cancelled (future);
  settle ();
  assert_seen (&seen, 0);
  g_object_unref (promise);
  assert_nothing_left ();
}

/* From another thread than the one that calls them: none begins after it has returned. One
 * may be in between, for it has begun. */
typedef struct
{
  gint silenced; /* atomic */
  gint n_before; /* atomic */
  gint n_after;  /* atomic */
  gint n_freed;  /* atomic */
} Race;

static void
race_called (ConcurFuture *future,
             gpointer      data)
{
  Race *race = data;

  if (g_atomic_int_get (&race->silenced))
    g_atomic_int_inc (&race->n_after);
  else
    g_atomic_int_inc (&race->n_before);
}

static void
race_freed (gpointer data)
{
  g_atomic_int_inc (&((Race *) data)->n_freed);
}

static void
test_race (void)
{
  enum { N = 40 };
  TestLoop *loop = test_loop_new ();
  guint rounds = test_scaled (300), n_before = 0;

  test_shake_start ();
  for (guint i = 0; i < rounds; i++)
    {
      ConcurTaskGroup *group = concur_task_group_new (NULL, NULL);
      Race race = { 0 };

      for (guint j = 0; j < N; j++)
        {
          ConcurFuture *future = concur_task_group_submit (group, test_one_job, NULL, NULL);

          concur_task_group_when_done (group, future, race_called, &race, race_freed,
                                       test_loop_get_context (loop));
          g_object_unref (future);
        }
      for (guint j = g_random_int_range (0, 40); j > 0; j--)
        g_thread_yield ();
      concur_task_group_cancel_silently (group);
      g_atomic_int_set (&race.silenced, TRUE);
      test_wait_until (g_atomic_int_get (&race.n_freed) == N);
      g_assert_cmpint (race.n_after, <=, 1);
      n_before += race.n_before;
      g_object_unref (group);
    }
  test_shake_stop ();
  g_test_message ("%u of %u callbacks came before", n_before, rounds * N);
  test_loop_free (loop);
  assert_nothing_left ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/task-group/callbacks/when-done", test_when_done);
  g_test_add_func ("/task-group/callbacks/silently", test_silently);
  g_test_add_func ("/task-group/callbacks/silently-inside", test_silently_inside);
  g_test_add_func ("/task-group/callbacks/other-context", test_other_context);
  g_test_add_func ("/task-group/callbacks/forgotten", test_forgotten);
  g_test_add_func ("/task-group/callbacks/silently-nested", test_silently_nested);
  g_test_add_func ("/task-group/callbacks/same-place", test_same_place);
  g_test_add_func ("/task-group/callbacks/many", test_many);
  g_test_add_func ("/task-group/callbacks/silently-last", test_silently_last);
  g_test_add_func ("/task-group/callbacks/race", test_race);
  g_test_add_func ("/task-group/bind/object", test_bind);
  g_test_add_func ("/task-group/bind/over", test_bind_over);
  g_test_add_func ("/task-group/bind/many", test_bind_many);
  g_test_add_func ("/task-group/bind/owned", test_bind_owned);

  /* As inside of a main loop: what is here is let go at once. */
  g_assert_true (g_main_context_acquire (NULL));

  return test_run ();
}
