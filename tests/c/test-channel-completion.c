/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is told of the end of a channel: the future of its completion, and errors that nobody
 * looked at. */

#include "config.h"

#include "test-channel-end.h"

static void
test_completion_same (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) first = concur_channel_dup_completion (channel);
  g_autoptr (ConcurFuture) second = concur_channel_dup_completion (channel), third = NULL;

  g_assert_true (first == second);
  concur_channel_close (channel);
  third = concur_channel_dup_completion (channel);
  g_assert_true (first == third);
  test_assert_int64 (first, 0);
}

static void
test_completion_late (void)
{
  for (guint end = 0; end < 3; end++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1);
      g_autoptr (ConcurFuture) completion = NULL, again = NULL;

      put_int (channel, 1);
      take_int (channel);
      if (end == 0)
        concur_channel_close (channel);
      else if (end == 1)
        fail (channel);
      else
        concur_channel_stop (channel);
      completion = concur_channel_dup_completion (channel);
      again = concur_channel_dup_completion (channel);
      g_assert_true (completion == again);
      if (end == 0)
        test_assert_int64 (completion, 1);
      else if (end == 1)
        test_assert_error (completion, G_IO_ERROR, G_IO_ERROR_BUSY);
      else
        test_assert_cancelled (completion);
    }
}

/* Cancelling it stops the channel; it stays the same future. */
static void
test_completion_cancel (void)
{
  for (guint kept = 0; kept < 2; kept++)
    {
      guint cores = channel_cores_alive ();
      ConcurChannel *channel = concur_channel_new (1);
      ConcurFuture *completion = concur_channel_dup_completion (channel);
      g_autoptr (ConcurFuture) sent = NULL;

      put_int (channel, 1);
      sent = send_int (channel, 2);
      g_assert_true (concur_future_cancel (completion, CONCUR_CANCEL_NONE));
      test_assert_cancelled (completion);
      assert_message (sent, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
      assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
      g_assert_false (concur_channel_stop (channel));
      if (kept)
        {
          g_autoptr (ConcurFuture) again = concur_channel_dup_completion (channel);

          g_assert_true (again == completion);
        }
      g_clear_object (&completion);
      g_clear_object (&sent);
      g_object_unref (channel);
      g_assert_cmpuint (channel_cores_alive (), ==, cores);
    }
}

/* The future alone does not keep the channel going, and can be cancelled when that is gone. */
static void
test_completion_outlives (void)
{
  guint cores = channel_cores_alive ();
  ConcurChannel *channel = concur_channel_new (1);
  ConcurFuture *completion = concur_channel_dup_completion (channel);

  g_object_unref (channel);
  g_assert_cmpuint (channel_cores_alive (), ==, cores);
  g_assert_false (concur_future_cancel (completion, CONCUR_CANCEL_NONE));
  test_assert_cancelled (completion);
  g_object_unref (completion);
}

static gpointer
close_thread (gpointer channel)
{
  concur_channel_close (channel);

  return NULL;
}

static gpointer
stop_thread (gpointer channel)
{
  concur_channel_stop (channel);

  return NULL;
}

static gpointer
cancel_thread (gpointer channel)
{
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

  concur_future_cancel (completion, CONCUR_CANCEL_NONE);

  return NULL;
}

static void
test_completion_races (void)
{
  guint cores = channel_cores_alive ();
  guint rounds = test_scaled (1000);

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      ConcurChannel *channel = concur_channel_new (1);
      GThread *threads[] = { g_thread_new ("closes", close_thread, channel),
                             g_thread_new ("stops", stop_thread, channel),
                             g_thread_new ("cancels", cancel_thread, channel) };
      g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

      test_assert_done (completion);
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
      if (concur_future_get_state (completion) != CONCUR_FUTURE_STATE_CANCELLED)
        test_assert_int64 (completion, 0);
      g_object_unref (channel);
      g_clear_object (&completion);
      g_assert_cmpuint (channel_cores_alive (), ==, cores);
    }
  test_shake_stop ();
}

/* Errors nobody looked at */

static void
test_unobserved (void)
{
  for (guint stop = 0; stop < 2; stop++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1);

      if (stop)
        put_int (channel, 1);
      g_object_unref (stop ? send_int (channel, 2) : concur_channel_receive (channel));
      g_object_unref (concur_channel_dup_completion (channel));
      if (stop)
        concur_channel_stop (channel);
      else
        concur_channel_close (channel);
      g_object_unref (concur_channel_receive (channel));
      g_object_unref (concur_channel_receive_many (channel, 1));
      g_object_unref (send_int (channel, 1));
    }
}

/* An error of the sender's own is logged if no receiver looks, but not by the completion. */
static void
test_unobserved_fail (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) waiting = concur_channel_receive (channel);

  g_object_unref (concur_channel_dup_completion (channel));
  fail (channel);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "Nobody looked at the error of*busy");
  g_clear_object (&waiting);
  g_test_assert_expected_messages ();
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "Nobody looked at the error of*busy");
  g_object_unref (concur_channel_receive (channel));
  g_test_assert_expected_messages ();
  g_object_unref (concur_channel_dup_completion (channel));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-end/completion/same", test_completion_same);
  g_test_add_func ("/channel-end/completion/late", test_completion_late);
  g_test_add_func ("/channel-end/completion/cancel", test_completion_cancel);
  g_test_add_func ("/channel-end/completion/outlives", test_completion_outlives);
  g_test_add_func ("/channel-end/completion/races", test_completion_races);
  g_test_add_func ("/channel-end/unobserved", test_unobserved);
  g_test_add_func ("/channel-end/unobserved/fail", test_unobserved_fail);

  return test_run ();
}
