/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Functions called for what comes out of a channel, on other threads and in contexts that
 * nobody runs, and many at once. */

#include "config.h"

#include "test-channel-each.h"

static void
test_deadlock (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (GError) error = NULL;
  Each each;

  g_assert_true (g_main_context_acquire (NULL));
  each_init (&each, channel);
  each_begin (&each);
  g_assert_null (concur_future_result (each.future, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  concur_future_cancel (each.future, CONCUR_CANCEL_NONE);
  g_main_context_release (NULL);
  each_clear (&each);
}

/* Elsewhere than where it was asked for. */

static void
loop_released (gpointer data)
{
  test_released (&((Each *) data)->releases);
}

static void
test_other_thread (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurChannel) channel = concur_channel_new (4);
  g_autoptr (ConcurFuture) future = NULL;
  guint n = test_scaled (20000);
  Each each;

  each_init (&each, channel);
  each.thread = each.releases.thread = test_loop_get_thread (loop);
  future = concur_channel_for_each (channel, see, &each, loop_released,
                                    test_loop_get_context (loop));
  for (guint i = 0; i < n; i++)
    {
      GValue value;

      set_int (&value, i);
      g_assert_true (concur_channel_send_wait (channel, &value, TEST_PATIENCE_US, NULL));
    }
  concur_channel_close (channel);
  test_assert_done (future);
  test_assert_int64 (future, n);
  g_assert_cmpuint (test_releases_get (&each.releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&each.releases), ==, 0);

  /* Cancelled from here it is let go there. */
  g_clear_object (&future);
  g_clear_object (&channel);
  channel = concur_channel_new (0);
  each_init (&each, channel);
  each.thread = each.releases.thread = test_loop_get_thread (loop);
  future = concur_channel_for_each (channel, see, &each, loop_released,
                                    test_loop_get_context (loop));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_wait_until (test_releases_get (&each.releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&each.releases), ==, 0);
  test_loop_free (loop);
}

/* A context that nobody runs any more. */
static void
test_context_gone (void)
{
  GMainContext *context = g_main_context_new ();
  ConcurChannel *channel = concur_channel_new (0);
  guint n_homes = test_homes_alive ();
  Each each;

  /* With values on their way, which are given back. */
  each_init (&each, channel);
  put_ints (channel, 0, 3);
  each.future = concur_channel_for_each (channel, see, &each, each_released, context);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
  g_main_context_unref (context);
  test_assert_cancelled (each.future);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);
  each_clear (&each);
  g_assert_cmpuint (each.n_calls, ==, 0);

  /* While it waits it keeps the context; what comes then goes with it. */
  for (gint64 i = 0; i < 3; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  context = g_main_context_new ();
  each_init (&each, channel);
  each.future = concur_channel_for_each (channel, see, &each, each_released, context);
  g_main_context_unref (context);
  assert_pending (each.future);
  put_int (channel, 7);
  test_assert_cancelled (each.future);
  each_clear (&each);
  g_assert_cmpint (take_int (channel), ==, 7);

  /* The future belongs to that context as well. */
  context = g_main_context_new ();
  g_main_context_push_thread_default (context);
  each_init (&each, channel);
  put_int (channel, 8);
  each_begin (&each);
  g_main_context_pop_thread_default (context);
  g_main_context_unref (context);
  test_assert_cancelled (each.future);
  each_clear (&each);
  g_assert_cmpint (take_int (channel), ==, 8);

  /* Cancelled, closed, stopped. */
  for (guint how = 0; how < 3; how++)
    {
      context = g_main_context_new ();
      each_init (&each, channel);
      each.future = concur_channel_for_each (channel, see, &each, each_released, context);
      g_main_context_unref (context);
      if (how == 0)
        concur_future_cancel (each.future, CONCUR_CANCEL_NONE);
      else if (how == 1)
        concur_channel_close (channel);
      else
        concur_channel_stop (channel);
      each_clear (&each);
    }

  g_object_unref (channel);
  g_assert_cmpuint (test_homes_alive (), ==, n_homes);
  assert_nothing_left ();
}

/* Threads send; loops receive, each with several functions that are cancelled at random
 * and begun again; and in the end the channel is closed or stopped. Nothing is lost. */

#define N_STRESS_SENDERS 3
#define N_STRESS_LOOPS 2
#define N_STRESS_EACH 3

typedef struct _Stress Stress;

typedef struct
{
  Stress *stress;
  GMainContext *context;
  GThread *thread;
  ConcurFuture *future;        /* (owned) of who cancels */
} StressEach;

struct _Stress
{
  ConcurChannel *channel;
  guint n;                     /* values of each sender */
  gint sent;                   /* atomic */
  gint received;               /* atomic */
  GMutex lock;
  gint64 sum;                  /* protected by lock */
  gint begun, released;        /* atomic */
  gint wrong;                  /* atomic: calls and releases on other threads */
  StressEach each[N_STRESS_LOOPS * N_STRESS_EACH];
};

static gboolean
stress_see (ConcurChannel *channel,
            const GValue  *value,
            gpointer       data)
{
  StressEach *each = data;
  Stress *stress = each->stress;

  if (g_thread_self () != each->thread || channel != stress->channel)
    g_atomic_int_inc (&stress->wrong);
  g_mutex_lock (&stress->lock);
  stress->sum += g_value_get_int64 (value);
  g_mutex_unlock (&stress->lock);
  g_atomic_int_inc (&stress->received);

  return TRUE;
}

static void
stress_released (gpointer data)
{
  StressEach *each = data;

  if (g_thread_self () != each->thread)
    g_atomic_int_inc (&each->stress->wrong);
  g_atomic_int_inc (&each->stress->released);
}

static gpointer
stress_send (gpointer data)
{
  Stress *stress = data;

  for (guint i = 1; i <= stress->n; i++)
    {
      GValue value;

      set_int (&value, i);
      if (!concur_channel_send_wait (stress->channel, &value, -1, NULL))
        break;
      g_atomic_int_inc (&stress->sent);
    }

  return NULL;
}

static void
stress_begin (StressEach *each)
{
  g_atomic_int_inc (&each->stress->begun);
  each->future = concur_channel_for_each (each->stress->channel, stress_see, each,
                                          stress_released, each->context);
}

static void
stress_round (guint    capacity,
              gboolean stops)
{
  Stress stress = { .channel = concur_channel_new (capacity), .n = test_scaled (5000) };
  TestLoop *loops[N_STRESS_LOOPS];
  GThread *senders[N_STRESS_SENDERS];
  guint total = stress.n * N_STRESS_SENDERS;
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (stress.channel);

  g_mutex_init (&stress.lock);
  for (guint i = 0; i < N_STRESS_LOOPS; i++)
    loops[i] = test_loop_new ();
  for (guint i = 0; i < G_N_ELEMENTS (stress.each); i++)
    {
      StressEach *each = &stress.each[i];

      each->stress = &stress;
      each->context = test_loop_get_context (loops[i % N_STRESS_LOOPS]);
      each->thread = test_loop_get_thread (loops[i % N_STRESS_LOOPS]);
      stress_begin (each);
    }
  for (guint i = 0; i < N_STRESS_SENDERS; i++)
    senders[i] = g_thread_new ("send", stress_send, &stress);

  /* What is given back makes others' turns come, so this goes on until nothing moves. */
  while (g_atomic_int_get (&stress.received) < (gint) (stops ? total / 2 : total))
    {
      StressEach *each = &stress.each[g_test_rand_int_range (0, G_N_ELEMENTS (stress.each))];

      concur_future_cancel (each->future, CONCUR_CANCEL_NONE);
      g_object_unref (each->future);
      stress_begin (each);
      g_thread_yield ();
    }

  if (stops)
    concur_channel_stop (stress.channel);
  for (guint i = 0; i < N_STRESS_SENDERS; i++)
    g_thread_join (senders[i]);
  if (!stops)
    concur_channel_close (stress.channel);
  for (guint i = 0; i < G_N_ELEMENTS (stress.each); i++)
    {
      test_assert_done (stress.each[i].future);
      g_clear_object (&stress.each[i].future);
    }
  test_wait_until (g_atomic_int_get (&stress.released) == g_atomic_int_get (&stress.begun));
  g_assert_cmpint (g_atomic_int_get (&stress.wrong), ==, 0);
  test_assert_done (completion);

  if (stops)
    {
      test_assert_cancelled (completion);
      g_assert_cmpint (stress.received, <=, stress.sent);
    }
  else
    {
      test_assert_int64 (completion, total);
      g_assert_cmpint (stress.received, ==, total);
      g_assert_cmpint (stress.sum, ==,
                       (gint64) N_STRESS_SENDERS * stress.n * (stress.n + 1) / 2);
    }

  for (guint i = 0; i < N_STRESS_LOOPS; i++)
    test_loop_free (loops[i]);
  g_object_unref (stress.channel);
  g_mutex_clear (&stress.lock);
}

static void
test_stress (void)
{
  test_shake_start ();
  for (guint i = 0; i < 4; i++)
    {
      stress_round (0, i % 2 == 1);
      stress_round (7, i % 2 == 1);
    }
  test_shake_stop ();
  assert_nothing_left ();
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-each/deadlock", test_deadlock);
  g_test_add_func ("/channel-each/other-thread", test_other_thread);
  g_test_add_func ("/channel-each/context-gone", test_context_gone);
  g_test_add_func ("/channel-each/stress", test_stress);

  return test_run ();
}
