/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Functions called for what comes out of a channel that is stopped, or that are cancelled
 * themselves: inside, while they wait, and while values are on their way. */

#include "config.h"

#include "test-channel-each.h"

static void
test_stop_inside (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  each.stop_at = 2;
  put_ints (channel, 0, 10);
  each_begin (&each);
  iterate_until_done (each.future);
  test_assert_cancelled (each.future);
  g_assert_cmpuint (each.n_calls, ==, 3);
  each_clear (&each);
}

/* The values are on their way: they were taken out of the channel, which is at its end. */
static void
test_stop_on_the_way (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  Each each;

  each_init (&each, channel);
  put_ints (channel, 0, 3);
  concur_channel_close (channel);
  each_begin (&each);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
  assert_pending (completion);

  g_assert_true (concur_channel_stop (channel));
  test_assert_cancelled (completion);
  iterate_until_done (each.future);
  test_assert_cancelled (each.future);
  g_assert_cmpuint (each.n_calls, ==, 0);
  each_clear (&each);
}

static void
test_cancel_inside (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  each.cancel_at = 300;
  put_ints (channel, 0, 1000);
  each_begin (&each);
  test_iterate_until (NULL, each.n_calls > 0
                              && concur_future_get_state (each.future)
                                   == CONCUR_FUTURE_STATE_CANCELLED);
  drain_main_context ();
  g_assert_cmpuint (each.n_calls, ==, 301);
  each_clear (&each);

  /* Nothing else has changed. */
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 699);
  for (gint64 i = 301; i < 1000; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  put_int (channel, 1000);
}

static void
test_cancel_waiting (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  each_begin (&each);
  drain_main_context ();
  g_assert_cmpuint (count_waiters (channel), ==, 1);
  g_assert_true (concur_future_cancel (each.future, CONCUR_CANCEL_NONE));
  test_assert_cancelled (each.future);
  g_assert_cmpuint (count_waiters (channel), ==, 0);
  put_int (channel, 0);
  drain_main_context ();
  g_assert_cmpuint (each.n_calls, ==, 0);
  each_clear (&each);
  g_assert_cmpint (take_int (channel), ==, 0);

  /* On a thread that runs the context nothing has to be sent home. */
  g_assert_true (g_main_context_acquire (NULL));
  each_init (&each, channel);
  each_begin (&each);
  g_assert_true (concur_future_cancel (each.future, CONCUR_CANCEL_NONE));
  g_assert_cmpuint (test_releases_get (&each.releases), ==, 1);
  g_main_context_release (NULL);
  each_clear (&each);
}

static void
test_cancel_on_the_way (void)
{
  for (guint elsewhere = 0; elsewhere < 2; elsewhere++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (0);
      g_autoptr (ConcurFuture) other = NULL;
      Each each;

      each_init (&each, channel);
      put_ints (channel, 0, 5);
      each_begin (&each);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
      other = concur_channel_receive (channel);
      assert_pending (other);

      /* What was taken is there again, for others, and at once. */
      if (elsewhere)
        g_assert_true (g_thread_join (g_thread_new ("cancel", cancel_it, each.future)) != NULL);
      else
        g_assert_true (concur_future_cancel (each.future, CONCUR_CANCEL_NONE));
      test_assert_int64 (other, 0);
      for (gint64 i = 1; i < 5; i++)
        g_assert_cmpint (take_int (channel), ==, i);

      drain_main_context ();
      g_assert_cmpuint (each.n_calls, ==, 0);
      each_clear (&each);
    }
}

/* What was given back to a closed channel is its end again. */
static void
test_cancel_closed (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  Each each;

  each_init (&each, channel);
  put_ints (channel, 0, 2);
  concur_channel_close (channel);
  each_begin (&each);
  concur_future_cancel (each.future, CONCUR_CANCEL_NONE);
  assert_pending (completion);
  g_assert_cmpint (take_int (channel), ==, 0);
  g_assert_cmpint (take_int (channel), ==, 1);
  test_assert_int64 (completion, 2);
  drain_main_context ();
  each_clear (&each);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-each/stop/inside", test_stop_inside);
  g_test_add_func ("/channel-each/stop/on-the-way", test_stop_on_the_way);
  g_test_add_func ("/channel-each/cancel/inside", test_cancel_inside);
  g_test_add_func ("/channel-each/cancel/waiting", test_cancel_waiting);
  g_test_add_func ("/channel-each/cancel/on-the-way", test_cancel_on_the_way);
  g_test_add_func ("/channel-each/cancel/closed", test_cancel_closed);

  return test_run ();
}
