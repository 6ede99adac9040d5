/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Combinations of many futures and on many levels, ended by several threads at once, and
 * waits for them that could never end. */

#include "config.h"

#include "test-combine.h"

#include <pthread.h>

/* Small enough that calls which nest would end the program at a fraction of the depth. */
#define SMALL_STACK (256 * 1024)

typedef struct
{
  ConcurFuture *future;
  TestGate *go;
} Canceller;

static gpointer
cancel_thread (gpointer data)
{
  Canceller *self = data;

  test_gate_wait (self->go);
  concur_future_cancel (self->future, CONCUR_CANCEL_NONE);

  return NULL;
}

static void
count_call (ConcurFuture *future,
            gpointer      data)
{
  g_atomic_int_inc ((gint *) data);
}

/* Children end on threads of their own, one child is also cancelled, while somebody cancels
 * the combination: whatever comes out is one of the outcomes, told once. */
static void
test_races (void)
{
  guint rounds = test_scaled (600), alive = test_futures_alive ();
  guint n_by_state[5] = { 0 };

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      Kind kind = round % N_KINDS;
      guint flags = round / N_KINDS % 2;
      gboolean cancels = round / 8 % 2;
      char how[] = { '+', "+-"[round / 16 % 2], "+-x"[round % 3] };
      TestGate go = { 0 };
      Children children;
      Ender enders[3];
      Canceller canceller = { NULL, &go };
      GThread *threads[4];
      g_autoptr (ConcurFuture) future = NULL;
      ConcurFutureState state;
      gint n_calls = 0;

      children_init (&children, 3);
      for (guint i = 0; i < 3; i++)
        {
          enders[i] = (Ender) { &children, i, how[i], &go };
          threads[i] = g_thread_new ("end", end_thread, &enders[i]);
        }
      /* Every other time they also meet with the making. */
      if (round & 32)
        test_gate_open (&go);
      future = combine (kind, children.futures, 3, flags);
      concur_future_add_direct_callback (future, count_call, &n_calls, NULL);
      canceller.future = cancels ? future : children.futures[1];
      threads[3] = g_thread_new ("cancel", cancel_thread, &canceller);
      test_gate_open (&go);
      for (guint i = 0; i < 4; i++)
        g_thread_join (threads[i]);

      g_assert_true (concur_future_is_done (future));
      g_assert_cmpint (g_atomic_int_get (&n_calls), ==, 1);
      state = concur_future_get_state (future);
      n_by_state[state]++;
      if (kind == ALL_SETTLED)
        g_assert_cmpint (state, !=, CONCUR_FUTURE_STATE_REJECTED);
      if (state == CONCUR_FUTURE_STATE_RESOLVED && kind <= ALL_SETTLED)
        assert_list_value (future, children.futures, 3);
      else if (state == CONCUR_FUTURE_STATE_RESOLVED)
        g_assert_cmpint (concur_future_get_int64 (future, NULL) / 10, ==, 1);
      concur_future_ignore (future);
      for (guint i = 0; i < 3; i++)
        g_assert_true (concur_future_is_done (children.futures[i]));
      children_clear (&children);
    }
  test_shake_stop ();

  g_test_message ("%u resolved, %u rejected, %u cancelled", n_by_state[CONCUR_FUTURE_STATE_RESOLVED],
                  n_by_state[CONCUR_FUTURE_STATE_REJECTED], n_by_state[CONCUR_FUTURE_STATE_CANCELLED]);
  test_wait_until (test_futures_alive () <= alive);
}

typedef struct
{
  ConcurPromise **promises;
  guint n;
  gint *next; /* atomic */
} Resolver;

static gpointer
resolve_thread (gpointer data)
{
  Resolver *self = data;
  guint i;

  while ((i = (guint) g_atomic_int_add (self->next, 1)) < self->n)
    concur_promise_resolve_int64 (self->promises[i], i);

  return NULL;
}

/* Many children, ended by several threads at once; none is counted twice or missed. */
static void
test_fan_in (void)
{
  guint n = test_scaled (100000), alive = test_futures_alive ();

  for (guint kind = ALL; kind <= ALL_SETTLED; kind++)
    {
      g_autofree ConcurPromise **promises = g_new (ConcurPromise *, n);
      g_autofree ConcurFuture **futures = g_new (ConcurFuture *, n);
      g_autoptr (ConcurFuture) future = NULL;
      gint next = 0, n_calls = 0;
      Resolver resolver = { promises, n, &next };
      GThread *threads[3];

      for (guint i = 0; i < n; i++)
        {
          promises[i] = concur_promise_new ();
          futures[i] = concur_promise_get_future (promises[i]);
        }
      future = combine (kind, futures, n, CONCUR_COMBINE_NONE);
      concur_future_add_direct_callback (future, count_call, &n_calls, NULL);
      for (guint i = 0; i < 3; i++)
        threads[i] = g_thread_new ("resolve", resolve_thread, &resolver);
      for (guint i = 0; i < 3; i++)
        g_thread_join (threads[i]);

      g_assert_cmpint (n_calls, ==, 1);
      assert_list_value (future, futures, n);
      for (guint i = 0; i < n; i++)
        g_object_unref (promises[i]);
    }
  concur_release_pending ();
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* One that fails, and one that is cancelled from above: the others are taken care of in
 * one go. */
static void
test_fan_in_ends_early (void)
{
  guint n = test_scaled (100000), alive = test_futures_alive ();

  for (guint cancel = 0; cancel < 2; cancel++)
    {
      g_autoptr (GPtrArray) promises = g_ptr_array_new_with_free_func (g_object_unref);
      g_autofree ConcurFuture **futures = g_new (ConcurFuture *, n);
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 1, "no");

      for (guint i = 0; i < n; i++)
        {
          g_ptr_array_add (promises, concur_promise_new ());
          futures[i] = concur_promise_get_future (promises->pdata[i]);
        }
      future = concur_future_all (futures, n);
      if (cancel)
        {
          concur_future_cancel (future, CONCUR_CANCEL_NONE);
          for (guint i = 0; i < n; i++)
            g_assert_cmpint (concur_future_get_state (futures[i]), ==, CONCUR_FUTURE_STATE_CANCELLED);
        }
      else
        {
          concur_promise_reject (promises->pdata[n / 2], error);
          test_assert_error (future, G_FILE_ERROR, 1);
        }
      /* Not looked at by anybody but the combination: no warning. */
      for (guint i = 0; i < n; i++)
        concur_promise_reject (promises->pdata[i], error);
    }
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

typedef struct
{
  Kind kind;
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
      ConcurFuture *outer = combine (self->kind, &future, 1, CONCUR_COMBINE_NONE);

      g_object_unref (future);
      future = outer;
    }

  if (self->cancel)
    {
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      test_assert_cancelled (inner);
      test_assert_cancelled (future);
    }
  else
    {
      g_assert_false (concur_future_is_done (future));
      concur_promise_resolve_int64 (promise, 1);
      g_assert_true (concur_future_check (future, NULL));
    }
  g_object_unref (promise);
  g_object_unref (future);

  return NULL;
}

/* All of all of all …: completed, cancelled and freed without nesting. */
static void
test_deep (void)
{
  guint alive = test_futures_alive ();

  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint cancel = 0; cancel < 2; cancel++)
      {
        Deep deep = { kind, cancel, test_scaled (10000) };
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

static gboolean
answer_one (ConcurJob    *job,
            ConcurFuture *input,
            gpointer      data,
            GError      **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Refused only if every future it still needs is bound to the calling thread. */
static void
test_would_deadlock (void)
{
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) bound = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) bound_too = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  ConcurFuture *futures[3] = { bound, done, bound_too };

  g_assert_true (g_main_context_acquire (NULL));
  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint free = 0; free < 2; free++)
      {
        g_autoptr (ConcurPromise) promise = concur_promise_new ();
        g_autoptr (ConcurFuture) inner = NULL, future = NULL;
        g_autoptr (GError) error = NULL;
        int code = free ? CONCUR_FUTURE_ERROR_TIMED_OUT : CONCUR_FUTURE_ERROR_WOULD_DEADLOCK;

        /* Only these two choose at once. */
        futures[1] = kind == ANY || kind == RACE ? bound : done;
        if (free)
          futures[2] = concur_promise_get_future (promise);
        else
          futures[2] = bound_too;
        inner = combine (kind, futures, 3, CONCUR_COMBINE_NONE);
        future = combine (kind, &inner, 1, CONCUR_COMBINE_NONE);
        g_assert_null (concur_future_result (future, 1, &error));
        g_assert_error (error, CONCUR_FUTURE_ERROR, code);
        concur_future_ignore (future);
        concur_future_ignore (inner);
        concur_promise_resolve (promise, NULL);
      }
  g_main_context_release (NULL);
  g_assert_true (concur_future_iterate (bound, NULL, TEST_PATIENCE_US, NULL));
  g_assert_true (concur_future_iterate (bound_too, NULL, TEST_PATIENCE_US, NULL));
}

/* Each level is met on twice as many ways as the one above: to look at all of them would
 * take for ever. */
static void
test_would_deadlock_diamonds (void)
{
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) bound = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) future = g_object_ref (bound);
  gint64 begun = g_get_monotonic_time ();

  for (guint i = 0; i < 40; i++)
    {
      ConcurFuture *two[] = { future, future };
      ConcurFuture *next = concur_future_all (two, 2);

      g_object_unref (future);
      future = next;
    }
  g_assert_true (g_main_context_acquire (NULL));
  g_assert_false (concur_future_wait (future, 1));
  g_main_context_release (NULL);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, TEST_PATIENCE_US);
  g_assert_true (concur_future_iterate (future, NULL, TEST_PATIENCE_US, NULL));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/combine/races", test_races);
  g_test_add_func ("/combine/fan-in", test_fan_in);
  g_test_add_func ("/combine/fan-in-ends-early", test_fan_in_ends_early);
  g_test_add_func ("/combine/deep", test_deep);
  g_test_add_func ("/combine/would-deadlock", test_would_deadlock);
  g_test_add_func ("/combine/would-deadlock-diamonds", test_would_deadlock_diamonds);

  return test_run ();
}
