/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Futures that stand for another one, views and shields, or for a result there is already. */

#include "config.h"

#include "concur-future-private.h"

#include "test-workers.h"

#include <pthread.h>

/* Small enough that calls which nest would end the program at a fraction of the depth. */
#define SMALL_STACK (256 * 1024)

static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

static void
end (ConcurPromise *promise,
     char           how)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no");

  if (how == '+')
    concur_promise_resolve_int64 (promise, 5);
  else if (how == '-')
    concur_promise_reject (promise, error);
  else
    concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
}

static void
assert_ended (ConcurFuture *future,
              char          how)
{
  if (how == '+')
    test_assert_int64 (future, 5);
  else if (how == '-')
    test_assert_error (future, G_FILE_ERROR, 7);
  else
    test_assert_cancelled (future);
}

typedef ConcurFuture *(*Make) (ConcurFuture *self);

static const Make makes[] = { concur_future_view, concur_future_shield };

static void
test_outcome (void)
{
  guint alive = test_futures_alive ();

  for (guint make = 0; make < G_N_ELEMENTS (makes); make++)
    for (const char *how = "+-x"; *how != '\0'; how++)
      for (guint before = 0; before < 2; before++)
        {
          ConcurPromise *promise;
          ConcurFuture *future = future_new (&promise), *other;

          if (before)
            end (promise, *how);
          other = makes[make] (future);
          g_assert_true (other != future);
          if (!before)
            {
              g_assert_false (concur_future_is_done (other));
              end (promise, *how);
            }
          assert_ended (other, *how);
          g_object_unref (other);
          g_object_unref (promise);
          g_object_unref (future);
          g_assert_cmpuint (test_futures_alive (), ==, alive);
        }
  test_critical (g_assert_null (concur_future_view (NULL)));
  test_critical (g_assert_null (concur_future_shield (NULL)));
}

static void
test_cancel (void)
{
  for (guint make = 0; make < G_N_ELEMENTS (makes); make++)
    {
      g_autoptr (ConcurPromise) promise = NULL;
      g_autoptr (ConcurFuture) future = future_new (&promise);
      g_autoptr (ConcurFuture) other = makes[make] (future);

      g_assert_true (concur_future_cancel (other, CONCUR_CANCEL_NONE));
      test_assert_cancelled (other);
      if (makes[make] == concur_future_view)
        {
          test_assert_cancelled (future);
        }
      else
        {
          g_assert_false (concur_future_is_done (future));
          concur_promise_resolve_int64 (promise, 5);
          test_assert_int64 (future, 5);
        }
    }
}

/* Whoever cancels a shield has not looked at what it shields. */
static void
test_shielded_error_is_logged (void)
{
  ConcurPromise *promise;
  ConcurFuture *future = future_new (&promise);
  ConcurFuture *shield = concur_future_shield (future);

  concur_future_cancel (shield, CONCUR_CANCEL_NONE);
  end (promise, '-');
  g_object_unref (shield);
  g_object_unref (promise);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*Nobody looked*no");
  g_object_unref (future);
  g_test_assert_expected_messages ();
}

static void
test_new_resolved (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (ConcurFuture) none = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) text = NULL;
  g_autofree char *have = NULL;
  const GValue *nothing;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, "text");
  text = concur_future_resolved (&value);
  g_value_set_string (&value, "changed");

  g_assert_cmpint (concur_future_get_state (text), ==, CONCUR_FUTURE_STATE_RESOLVED);
  have = concur_future_dup_string (text, NULL);
  g_assert_cmpstr (have, ==, "text");
  nothing = concur_future_get_value (none, NULL);
  g_assert_true (G_VALUE_HOLDS_OBJECT (nothing));
  g_assert_null (g_value_get_object (nothing));
}

static void
test_new_rejected (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no");
  g_autoptr (GError) cancelled = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "stop");
  g_autoptr (ConcurFuture) rejected = concur_future_rejected (error);
  g_autoptr (ConcurFuture) stopped = concur_future_rejected (cancelled);

  g_assert_cmpint (concur_future_get_state (rejected), ==, CONCUR_FUTURE_STATE_REJECTED);
  test_assert_error (rejected, G_FILE_ERROR, 7);
  test_assert_cancelled (stopped);
  test_critical (g_assert_null (concur_future_rejected (NULL)));
}

static void
assert_properties (ConcurFuture *future,
                   const char   *name,
                   double        progress,
                   const char   *status_text)
{
  g_autofree char *have_name = concur_future_dup_name (future);
  g_autofree char *have_text = concur_future_dup_status_text (future);

  g_assert_cmpstr (have_name, ==, name);
  g_assert_cmpfloat (concur_future_get_progress (future), ==, progress);
  g_assert_cmpstr (have_text, ==, status_text);
}

static void
test_follows (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (ConcurFuture) early = concur_future_view (future);
  g_autoptr (ConcurFuture) of_early = concur_future_view (early);
  g_autoptr (ConcurFuture) late = NULL;

  assert_properties (early, NULL, 0, NULL);
  concur_future_set_name (future, "work");
  concur_promise_set_progress (promise, 0.25);
  concur_promise_set_status_text (promise, "begun");
  late = concur_future_view (future);
  assert_properties (early, "work", 0.25, "begun");
  assert_properties (of_early, "work", 0.25, "begun");
  assert_properties (late, "work", 0.25, "begun");

  /* One's own name stays until there is news. */
  concur_future_set_name (late, "mine");
  concur_promise_set_progress (promise, 0.5);
  concur_promise_set_status_text (promise, NULL);
  assert_properties (early, "work", 0.5, NULL);
  assert_properties (late, "mine", 0.5, NULL);
  assert_properties (future, "work", 0.5, NULL);
  concur_future_set_name (future, "renamed");
  assert_properties (late, "renamed", 0.5, NULL);
  assert_properties (of_early, "renamed", 0.5, NULL);

  /* It goes on without those that are done. */
  concur_promise_resolve_int64 (promise, 5);
  concur_future_set_name (future, "done");
  assert_properties (early, "renamed", 0.5, NULL);
  assert_properties (of_early, "renamed", 0.5, NULL);
}

/* A view that is gone is not told, and the others still are. */
static void
test_some_go (void)
{
  guint alive = test_futures_alive ();
  ConcurPromise *promise;
  ConcurFuture *future = future_new (&promise);
  ConcurFuture *shield = concur_future_shield (future);
  ConcurFuture *views[4];

  for (guint i = 0; i < 4; i++)
    views[i] = concur_future_view (shield);
  concur_future_set_name (shield, "one");
  /* Each cancels the shield, and so all of them. */
  concur_future_cancel (views[1], CONCUR_CANCEL_NONE);
  concur_future_set_name (shield, "two");
  for (guint i = 0; i < 4; i++)
    {
      test_assert_cancelled (views[i]);
      assert_properties (views[i], "one", 0, NULL);
      g_object_unref (views[i]);
    }
  g_object_unref (shield);
  concur_promise_resolve_int64 (promise, 5);
  g_object_unref (promise);
  g_object_unref (future);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

typedef struct
{
  ConcurFuture *future;
  ConcurFuture *view;
  GThread *thread;
  gint n_progress;         /* atomic */
  gint n_state;            /* atomic */
  double last;
  gboolean state_was_last;
} Heard;

static void
heard (GObject    *object,
       GParamSpec *pspec,
       gpointer    data)
{
  Heard *self = data;

  g_assert_true (g_thread_self () == self->thread);
  self->last = concur_future_get_progress (CONCUR_FUTURE (object));
  self->state_was_last = g_str_equal (pspec->name, "state");
  g_atomic_int_inc (self->state_was_last ? &self->n_state : &self->n_progress);
}

static void
view_there (gpointer data)
{
  Heard *self = data;

  self->thread = g_thread_self ();
  self->view = concur_future_view (self->future);
  g_signal_connect (self->view, "notify", G_CALLBACK (heard), self);
}

static void
drop_there (gpointer data)
{
  Heard *self = data;

  g_clear_object (&self->view);
}

#define N_STEPS 1000

static gboolean
stepping_job (ConcurJob *job,
              gpointer   go,
              GError   **error)
{
  test_gate_wait (go);
  for (guint i = 1; i <= N_STEPS; i++)
    concur_job_set_progress (job, (double) i / N_STEPS);
  concur_job_return_int64 (job, 5);

  return TRUE;
}

/* Heard of in the view's context; the job's own has no listener and no loop that runs. */
static void
test_context (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestLoop *loop = test_loop_new ();
  TestGate go = { 0 };
  Heard there = { test_submit (executor, stepping_job, &go) };

  test_loop_call (loop, view_there, &there);
  test_gate_open (&go);
  test_assert_done (there.view);
  test_wait_until (g_atomic_int_get (&there.n_state) == 1);
  test_loop_call (loop, drop_there, &there);
  g_assert_true (there.state_was_last);
  g_assert_cmpfloat (there.last, ==, 1);
  g_assert_cmpint (there.n_progress, >=, 1);
  g_assert_cmpint (there.n_progress, <=, N_STEPS);
  test_loop_free (loop);
  g_object_unref (there.future);
  test_executor_end (executor);
}

/* While nobody runs the view's loop, a thousand steps are one notification. */
static void
test_coalesced (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Heard here = { future };

  view_there (&here);
  for (guint i = 1; i <= N_STEPS; i++)
    concur_promise_set_progress (promise, (double) i / N_STEPS);
  g_assert_cmpint (here.n_progress, ==, 0);
  test_iterate_until (NULL, here.n_progress > 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (here.n_progress, ==, 1);
  g_assert_cmpfloat (here.last, ==, 1);
  concur_promise_resolve_int64 (promise, 5);
  test_iterate_until (NULL, here.n_state == 1);
  drop_there (&here);
}

typedef struct
{
  ConcurPromise *promise;
  TestGate *go;
  guint first;
} Stepper;

static gpointer
step_thread (gpointer data)
{
  Stepper *self = data;

  test_gate_wait (self->go);
  for (guint i = self->first; i < 8; i += 2)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);

      concur_promise_set_progress (self->promise, (double) i / 8);
      concur_promise_set_status_text (self->promise, text);
      concur_future_set_name (concur_promise_get_future (self->promise), text);
    }

  return NULL;
}

static gpointer
view_thread (gpointer data)
{
  Stepper *self = data;

  test_gate_wait (self->go);
  for (guint i = 0; i < 4; i++)
    {
      ConcurFuture *view = concur_future_view (concur_promise_get_future (self->promise));

      if (self->first)
        concur_future_cancel (view, CONCUR_CANCEL_NONE);
      g_object_unref (view);
    }

  return NULL;
}

/* Two threads set the properties against each other, others make views and cancel: in the
 * end the views say what the future says. */
static void
test_races (void)
{
  guint rounds = test_scaled (300), alive = test_futures_alive ();

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      TestGate go = { 0 };
      ConcurPromise *promise;
      ConcurFuture *future = future_new (&promise);
      ConcurFuture *view = concur_future_view (future);
      ConcurFuture *outer = concur_future_view (view);
      Stepper steppers[2] = { { promise, &go, 0 }, { promise, &go, 1 } };
      Stepper viewer = { promise, &go, round % 4 == 0 };
      g_autofree char *name = NULL, *text = NULL;
      GThread *threads[3];

      for (guint i = 0; i < 2; i++)
        threads[i] = g_thread_new ("step", step_thread, &steppers[i]);
      threads[2] = g_thread_new ("view", view_thread, &viewer);
      test_gate_open (&go);
      for (guint i = 0; i < 3; i++)
        g_thread_join (threads[i]);

      if (viewer.first)
        {
          test_assert_cancelled (future);
          test_assert_cancelled (outer);
        }
      else
        {
          name = concur_future_dup_name (future);
          text = concur_future_dup_status_text (future);
          assert_properties (view, name, concur_future_get_progress (future), text);
          assert_properties (outer, name, concur_future_get_progress (future), text);
          concur_promise_resolve_int64 (promise, 5);
          test_assert_int64 (outer, 5);
        }
      g_object_unref (outer);
      g_object_unref (view);
      g_object_unref (promise);
      g_object_unref (future);
    }
  test_shake_stop ();
  test_wait_until (test_futures_alive () <= alive);
}

/* One who has set the progress has not told the view of it yet, and another ends the
 * future: the view's progress is the last one all the same. */
static gpointer
last_step_thread (gpointer data)
{
  concur_promise_set_progress (data, 1);

  return NULL;
}

static void
test_last_step (void)
{
  guint rounds = test_scaled (300);

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      g_autoptr (ConcurPromise) promise = NULL;
      g_autoptr (ConcurFuture) future = future_new (&promise);
      ConcurFuture *views[8];
      GThread *thread;

      for (guint i = 0; i < 8; i++)
        views[i] = concur_future_view (future);
      thread = g_thread_new ("step", last_step_thread, promise);
      while (concur_future_get_progress (future) != 1)
        g_thread_yield ();
      concur_promise_resolve_int64 (promise, 5);
      for (guint i = 0; i < 8; i++)
        {
          g_assert_true (concur_future_is_done (views[i]));
          g_assert_cmpfloat (concur_future_get_progress (views[i]), ==, 1);
        }
      g_thread_join (thread);
      for (guint i = 0; i < 8; i++)
        g_object_unref (views[i]);
    }
  test_shake_stop ();
}

/* News that was overtaken by later news, or by the end, is none. */
static void
test_overtaken (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  guint seen[CONCUR_N_FOLLOWED] = { 0 };
  ConcurChanges changes = { .what = CONCUR_NOTIFY_PROGRESS };

  changes.n_changes[CONCUR_FOLLOWED_PROGRESS] = 2;
  changes.progress = 0.5;
  concur_future_follow (future, seen, &changes);
  g_assert_cmpfloat (concur_future_get_progress (future), ==, 0.5);

  changes.n_changes[CONCUR_FOLLOWED_PROGRESS] = 1;
  changes.progress = 0.25;
  concur_future_follow (future, seen, &changes);
  g_assert_cmpfloat (concur_future_get_progress (future), ==, 0.5);

  concur_promise_resolve_int64 (promise, 5);
  changes.n_changes[CONCUR_FOLLOWED_PROGRESS] = 3;
  changes.progress = 0.75;
  concur_future_follow (future, seen, &changes);
  g_assert_cmpfloat (concur_future_get_progress (future), ==, 0.5);
}

typedef struct
{
  Make make;
  gboolean cancel;
  guint depth;
} Deep;

static gpointer
deep_thread (gpointer data)
{
  Deep *self = data;
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *inner = concur_promise_get_future (promise);
  ConcurFuture *future = g_object_ref (inner);

  for (guint i = 0; i < self->depth; i++)
    {
      ConcurFuture *outer = self->make (future);

      g_object_unref (future);
      future = outer;
    }

  concur_promise_set_progress (promise, 0.5);
  if (self->make == concur_future_view)
    g_assert_cmpfloat (concur_future_get_progress (future), ==, 0.5);
  if (self->cancel)
    concur_future_cancel (future, CONCUR_CANCEL_NONE);
  concur_promise_resolve_int64 (promise, 5);
  if (self->cancel)
    test_assert_cancelled (future);
  else
    test_assert_int64 (future, 5);
  g_object_unref (promise);
  g_object_unref (future);

  return NULL;
}

/* Views of views of views: told, completed, cancelled and freed without nesting. */
static void
test_deep (void)
{
  guint alive = test_futures_alive ();

  for (guint make = 0; make < G_N_ELEMENTS (makes); make++)
    for (guint cancel = 0; cancel < 2; cancel++)
      {
        Deep deep = { makes[make], cancel, test_scaled (10000) };
        pthread_attr_t attributes;
        pthread_t thread;

        g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
        g_assert_cmpint (pthread_attr_setstacksize (&attributes, SMALL_STACK), ==, 0);
        g_assert_cmpint (pthread_create (&thread, &attributes, deep_thread, &deep), ==, 0);
        g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
        pthread_attr_destroy (&attributes);
        g_assert_cmpuint (test_futures_alive (), ==, alive);
      }
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/view/outcome", test_outcome);
  g_test_add_func ("/view/cancel", test_cancel);
  g_test_add_func ("/view/shielded-error-is-logged", test_shielded_error_is_logged);
  g_test_add_func ("/view/new-resolved", test_new_resolved);
  g_test_add_func ("/view/new-rejected", test_new_rejected);
  g_test_add_func ("/view/follows", test_follows);
  g_test_add_func ("/view/some-go", test_some_go);
  g_test_add_func ("/view/context", test_context);
  g_test_add_func ("/view/coalesced", test_coalesced);
  g_test_add_func ("/view/races", test_races);
  g_test_add_func ("/view/last-step", test_last_step);
  g_test_add_func ("/view/overtaken", test_overtaken);
  g_test_add_func ("/view/deep", test_deep);

  return test_run ();
}
