/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How channels end: closed, failed, stopped or forgotten, with things in them or without,
 * and whoever waits there. How one hears of it is in test-channel-completion.c. */

#include "config.h"

#include "test-channel-end.h"

/* Close */

static void
test_close_empty (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) one = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) many = concur_channel_receive_many (channel, 2);
  g_autoptr (ConcurFuture) late = NULL, late_many = NULL, sent = NULL, sent_many = NULL;
  g_autoptr (ConcurBatch) batch = NULL;
  g_autoptr (GError) error = NULL, many_error = NULL;
  GValue value;

  g_assert_true (concur_channel_close (channel));
  assert_message (one, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_RECEIVERS);
  assert_message (many, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_RECEIVERS);
  g_assert_false (concur_channel_close (channel));
  g_assert_false (fail (channel));

  late = concur_channel_receive (channel);
  assert_message (late, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_RECEIVERS);
  late_many = concur_channel_receive_many (channel, 1);
  assert_message (late_many, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_RECEIVERS);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  batch = concur_channel_try_receive_many (channel, 1, &error);
  g_assert_null (batch);
  g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);

  set_int (&value, 1);
  sent = concur_channel_send (channel, &value);
  assert_message (sent, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_SENDERS);
  sent_many = concur_channel_send_many (channel, &value, 1);
  assert_message (sent_many, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_SENDERS);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  g_assert_cmpuint (concur_channel_try_send_many (channel, &value, 1, &many_error), ==, 0);
  g_assert_error (many_error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
}

/* What was sent before, also what waits for room, is received; then it is over. */
static void
test_close_full (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  g_autoptr (ConcurFuture) one = NULL, many = NULL, completion = NULL;
  GValue values[3];

  completion = concur_channel_dup_completion (channel);
  put_int (channel, 0);
  put_int (channel, 1);
  one = send_int (channel, 2);
  for (guint i = 0; i < 3; i++)
    set_int (&values[i], 3 + i);
  many = concur_channel_send_many (channel, values, 3);

  concur_channel_close (channel);
  assert_pending (one);
  assert_pending (many);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  for (guint i = 0; i < 6; i++)
    {
      assert_pending (completion);
      g_assert_cmpint (take_int (channel), ==, i);
    }
  g_assert_true (concur_future_get_boolean (one, NULL));
  test_assert_int64 (many, 3);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  test_assert_int64 (completion, 6);
}

/* Those that wait for room when it is closed can be cancelled; then their values do not
 * come, and the end may. */
static void
test_close_then_cancel (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) sent = NULL, completion = NULL;

  put_int (channel, 0);
  sent = send_int (channel, 1);
  completion = concur_channel_dup_completion (channel);
  concur_channel_close (channel);
  g_assert_true (concur_future_cancel (sent, CONCUR_CANCEL_NONE));
  assert_pending (completion);
  g_assert_cmpint (take_int (channel), ==, 0);
  test_assert_int64 (completion, 1);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
}

/* Fail */

static void
test_fail (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) sent = NULL, received = NULL, again = NULL, completion = NULL;
  GError *error = NULL;
  GValue value = G_VALUE_INIT;

  put_int (channel, 0);
  sent = send_int (channel, 1);
  g_assert_true (fail (channel));
  g_assert_false (fail (channel));
  g_assert_false (concur_channel_close (channel));
  g_assert_true (concur_channel_is_closed (channel));
  completion = concur_channel_dup_completion (channel);

  /* After what was sent before it. */
  g_assert_cmpint (take_int (channel), ==, 0);
  g_assert_cmpint (take_int (channel), ==, 1);
  g_assert_true (concur_future_get_boolean (sent, NULL));
  test_assert_error (completion, G_IO_ERROR, G_IO_ERROR_BUSY);

  /* For each receiver. */
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (concur_channel_try_receive (channel, &value, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
      g_assert_cmpstr (error->message, ==, "busy");
      g_clear_error (&error);
    }
  received = concur_channel_receive (channel);
  test_assert_error (received, G_IO_ERROR, G_IO_ERROR_BUSY);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  again = send_int (channel, 1);
  assert_message (again, CONCUR_CHANNEL_ERROR_CLOSED, CLOSED_FOR_SENDERS);
}

static void
test_fail_waiting (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) one = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) many = concur_channel_receive_many (channel, 2);

  g_assert_true (fail (channel));
  test_assert_error (one, G_IO_ERROR, G_IO_ERROR_BUSY);
  test_assert_error (many, G_IO_ERROR, G_IO_ERROR_BUSY);
}

/* Failed with a cancellation: it is one for those who receive. */
static void
test_fail_cancelled (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) received = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "enough");

  concur_channel_fail (channel, error);
  test_assert_cancelled (received);
  test_assert_cancelled (completion);
}

/* Stop */

static void
test_stop (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  g_autoptr (ConcurFuture) sent = NULL, sent_many = NULL, late = NULL, late_send = NULL;
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  GValue values[4];

  for (guint i = 0; i < 4; i++)
    set_int (&values[i], i);
  sent_many = concur_channel_send_many (channel, values, 4);
  sent = send_int (channel, 4);
  g_assert_true (concur_channel_stop (channel));
  assert_message (sent, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
  assert_message (sent_many, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
  test_assert_cancelled (completion);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
  g_assert_true (concur_channel_is_closed (channel));
  g_assert_false (concur_channel_stop (channel));
  g_assert_false (concur_channel_close (channel));
  g_assert_false (fail (channel));

  late = concur_channel_receive (channel);
  assert_message (late, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
  late_send = send_int (channel, 1);
  assert_message (late_send, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  g_assert_false (concur_channel_give_back (channel, values));
}

static void
test_stop_receivers (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  g_autoptr (ConcurFuture) one = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) many = concur_channel_receive_many (channel, 2);

  g_assert_true (concur_channel_stop (channel));
  assert_message (one, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
  assert_message (many, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
}

/* Closed, but not at its end: it can be stopped. At its end it cannot. */
static void
test_stop_closed (void)
{
  for (guint failed = 0; failed < 2; failed++)
    for (guint empty = 0; empty < 2; empty++)
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (1);
        g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
        g_autoptr (ConcurFuture) sent = NULL;

        put_int (channel, 1);
        sent = send_int (channel, 2);
        g_assert_true (failed ? fail (channel) : concur_channel_close (channel));
        if (!empty)
          {
            g_assert_true (concur_channel_stop (channel));
            test_assert_cancelled (completion);
            assert_message (sent, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
            assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
            continue;
          }
        take_int (channel);
        take_int (channel);
        g_assert_false (concur_channel_stop (channel));
        if (failed)
          test_assert_error (completion, G_IO_ERROR, G_IO_ERROR_BUSY);
        else
          test_assert_int64 (completion, 2);
        if (!failed)
          assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
      }
}

/* Dropped before stop () returns, by the thread that calls it. */

typedef struct
{
  GThread *thread;
  guint n;
} Dropped;

static void
note_dropped (gpointer data,
              GObject *where)
{
  Dropped *dropped = data;

  dropped->thread = g_thread_self ();
  dropped->n++;
}

static gpointer
stop_and_look (gpointer channel)
{
  Dropped *dropped = g_object_get_data (channel, "dropped");

  concur_channel_stop (channel);
  g_assert_cmpuint (dropped->n, ==, 3);
  g_assert_true (dropped->thread == g_thread_self ());

  return NULL;
}

static void
test_stop_drops (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  Dropped dropped = { 0 };

  g_object_set_data (G_OBJECT (channel), "dropped", &dropped);
  for (guint i = 0; i < 3; i++)
    {
      GValue value = G_VALUE_INIT;
      GCancellable *object = g_cancellable_new ();

      g_object_weak_ref (G_OBJECT (object), note_dropped, &dropped);
      g_value_init (&value, G_TYPE_OBJECT);
      g_value_take_object (&value, object);
      g_ptr_array_add (futures, concur_channel_send (channel, &value));
      g_value_unset (&value);
    }
  g_thread_join (g_thread_new ("stops", stop_and_look, channel));
}

/* Forgotten */

static void
test_forgotten (void)
{
  for (guint closed = 0; closed < 2; closed++)
    {
      guint cores = channel_cores_alive ();
      ConcurChannel *channel = concur_channel_new (1);
      g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
      g_autoptr (ConcurFuture) sent = NULL, received = NULL;

      if (closed)
        {
          put_int (channel, 1);
          sent = send_int (channel, 2);
          concur_channel_close (channel);
        }
      else
        {
          received = concur_channel_receive (channel);
        }
      g_object_unref (channel);
      test_assert_cancelled (completion);
      if (sent != NULL)
        assert_message (sent, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
      if (received != NULL)
        assert_message (received, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
      g_clear_object (&sent);
      g_clear_object (&received);
      g_assert_cmpuint (channel_cores_alive (), ==, cores);
    }
}

/* At its end it is not stopped by being forgotten. */
static void
test_forgotten_at_end (void)
{
  ConcurChannel *channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

  put_int (channel, 1);
  take_int (channel);
  concur_channel_close (channel);
  g_object_unref (channel);
  test_assert_int64 (completion, 1);
}

static void
free_channel (ConcurFuture *future,
              gpointer      data)
{
  g_clear_object ((ConcurChannel **) data);
}

/* Forgotten by who is told. */
static void
test_forgotten_when_told (void)
{
  guint cores = channel_cores_alive ();
  ConcurChannel *channel = concur_channel_new (1);
  ConcurChannel *kept;
  g_autoptr (ConcurFuture) first = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) second = concur_channel_receive (channel);

  concur_future_add_direct_callback (first, free_channel, &channel, NULL);
  kept = g_object_ref (channel);
  put_int (kept, 1);
  g_assert_null (channel);
  assert_pending (second);
  g_object_unref (kept);
  assert_message (second, CONCUR_CHANNEL_ERROR_STOPPED, STOPPED);
  g_clear_object (&first);
  g_clear_object (&second);
  g_assert_cmpuint (channel_cores_alive (), ==, cores);
}

/* A handle that does not receive leaves the channel as it is. */
static void
test_other_handle (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  ConcurChannel *sender = concur_channel_new_for_core (
      concur_channel_core_ref (concur_channel_get_core (channel)), FALSE);

  g_assert_cmpuint (concur_channel_get_capacity (sender), ==, 1);
  put_int (sender, 1);
  g_object_unref (sender);
  g_assert_false (concur_channel_is_closed (channel));
  g_assert_cmpint (take_int (channel), ==, 1);
}

/* Giving back at the end */

static void
test_give_back (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  g_autoptr (ConcurFuture) late = NULL;
  GValue value;

  /* Before the end it counts as not received. */
  set_int (&value, 5);
  put_int (channel, 4);
  put_int (channel, take_int (channel));
  g_assert_true (concur_channel_give_back (channel, &value));
  concur_channel_close (channel);
  g_assert_cmpint (take_int (channel), ==, 5);
  assert_pending (completion);
  g_assert_true (concur_channel_give_back (channel, &value));
  g_assert_cmpint (take_int (channel), ==, 5);
  g_assert_cmpint (take_int (channel), ==, 4);
  g_assert_true (concur_future_is_done (completion));

  /* After it there is something again, and then the end again. */
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  g_assert_true (concur_channel_give_back (channel, &value));
  late = concur_channel_receive (channel);
  test_assert_int64 (late, 5);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);
}

static void
test_give_back_counts (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) completion = NULL;
  GValue value;

  put_int (channel, 1);
  put_int (channel, 2);
  set_int (&value, take_int (channel));
  g_assert_true (concur_channel_give_back (channel, &value));
  concur_channel_close (channel);
  g_assert_cmpint (take_int (channel), ==, 1);
  g_assert_cmpint (take_int (channel), ==, 2);
  /* Also for one who asks when it is over. */
  completion = concur_channel_dup_completion (channel);
  test_assert_int64 (completion, 2);
}

/* Made to be filled by somebody */

typedef struct
{
  ConcurChannelProducer base;
  guint started, stopped, freed;
} Filler;

static void
filler_start (ConcurChannelProducer *self,
              ConcurChannelCore     *core)
{
  ((Filler *) self)->started++;
}

static void
filler_stop (ConcurChannelProducer *self,
             ConcurChannelCore     *core)
{
  ((Filler *) self)->stopped++;
}

static void
filler_free (ConcurChannelProducer *self)
{
  ((Filler *) self)->freed++;
}

static void
test_producer (void)
{
  for (guint start = 0; start < 2; start++)
    for (guint end = 0; end < 3; end++)
      {
        Filler filler = { { filler_start, filler_stop, filler_free } };
        ConcurChannelCore *core = concur_channel_core_new (1, &filler.base);
        ConcurChannel *channel
            = concur_channel_new_for_core (concur_channel_core_ref (core), TRUE);
        g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

        if (start)
          {
            assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
            assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
          }
        g_assert_cmpuint (filler.started, ==, start);
        if (end == 0)
          concur_channel_stop (channel);
        else if (end == 1)
          g_clear_object (&channel);
        else
          concur_future_cancel (completion, CONCUR_CANCEL_NONE);
        g_assert_cmpuint (filler.stopped, ==, 1);
        if (channel != NULL)
          assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
        g_assert_cmpuint (filler.started, ==, start);

        /* It is not over before the producer is. */
        if (start && end != 2)
          assert_pending (completion);
        if (start)
          concur_channel_core_producer_over (core);
        test_assert_cancelled (completion);

        g_clear_object (&channel);
        g_assert_cmpuint (filler.freed, ==, 0);
        concur_channel_core_unref (core);
        g_clear_object (&completion);
        g_assert_cmpuint (filler.freed, ==, 1);
        g_assert_cmpuint (filler.stopped, ==, 1);
      }
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-end/close/empty", test_close_empty);
  g_test_add_func ("/channel-end/close/full", test_close_full);
  g_test_add_func ("/channel-end/close/then-cancel", test_close_then_cancel);
  g_test_add_func ("/channel-end/fail", test_fail);
  g_test_add_func ("/channel-end/fail/waiting", test_fail_waiting);
  g_test_add_func ("/channel-end/fail/cancelled", test_fail_cancelled);
  g_test_add_func ("/channel-end/stop", test_stop);
  g_test_add_func ("/channel-end/stop/receivers", test_stop_receivers);
  g_test_add_func ("/channel-end/stop/closed", test_stop_closed);
  g_test_add_func ("/channel-end/stop/drops", test_stop_drops);
  g_test_add_func ("/channel-end/forgotten", test_forgotten);
  g_test_add_func ("/channel-end/forgotten/at-end", test_forgotten_at_end);
  g_test_add_func ("/channel-end/forgotten/when-told", test_forgotten_when_told);
  g_test_add_func ("/channel-end/other-handle", test_other_handle);
  g_test_add_func ("/channel-end/give-back", test_give_back);
  g_test_add_func ("/channel-end/give-back/counts", test_give_back_counts);
  g_test_add_func ("/channel-end/producer", test_producer);

  return test_run ();
}
