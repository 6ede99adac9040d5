/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels in GIO's manner: callbacks come in the context of who called, and whenever a
 * cancellable is cancelled, a value has either gone or is still there. */

#include "config.h"

#include "test-channel.h"

typedef struct
{
  ConcurChannel *channel;
  GThread *thread;             /* of the callback */
  GAsyncResult *result;        /* (owned) */
  guint n;
} Called;

static void
called (GObject      *object,
        GAsyncResult *result,
        gpointer      data)
{
  Called *self = data;

  g_assert_true (object == G_OBJECT (self->channel));
  self->thread = g_thread_self ();
  g_set_object (&self->result, result);
  self->n++;
}

static void
assert_received (Called *self,
                 gint64  number)
{
  g_autoptr (GError) error = NULL;
  const GValue *value;

  test_iterate_until (NULL, self->n == 1);
  value = concur_channel_receive_finish (self->channel, self->result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_value_get_int64 (value), ==, number);
  g_clear_object (&self->result);
  self->n = 0;
}

#define assert_failed(self, finish, domain, code)                                                  \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    test_iterate_until (NULL, (self)->n == 1);                                                     \
    g_assert_false (!!finish ((self)->channel, (self)->result, &error_));                          \
    g_assert_error (error_, (domain), (code));                                                     \
    g_clear_object (&(self)->result);                                                              \
    (self)->n = 0;                                                                                 \
  }                                                                                                \
  G_STMT_END
#define assert_receive_failed(self, domain, code) \
  assert_failed ((self), concur_channel_receive_finish, (domain), (code))
#define assert_send_failed(self, domain, code) \
  assert_failed ((self), concur_channel_send_finish, (domain), (code))

static void
assert_sent (Called *self)
{
  g_autoptr (GError) error = NULL;

  test_iterate_until (NULL, self->n == 1);
  g_assert_true (concur_channel_send_finish (self->channel, self->result, &error));
  g_assert_no_error (error);
  g_clear_object (&self->result);
  self->n = 0;
}

static void
drain_main_context (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_receive (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  Called here = { channel };

  /* Never inside the call, also if there is something. */
  put_int (channel, 1);
  concur_channel_receive_async (channel, NULL, called, &here);
  g_assert_cmpuint (here.n, ==, 0);
  assert_received (&here, 1);

  concur_channel_receive_async (channel, NULL, called, &here);
  drain_main_context ();
  g_assert_cmpuint (here.n, ==, 0);
  put_int (channel, 2);
  assert_received (&here, 2);

  concur_channel_receive_async (channel, NULL, called, &here);
  concur_channel_close (channel);
  assert_receive_failed (&here, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
  concur_channel_receive_async (channel, NULL, called, &here);
  assert_receive_failed (&here, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);

  /* Nobody has to be told. */
  concur_channel_receive_async (channel, NULL, NULL, NULL);
  drain_main_context ();
}

static void
test_send (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  Called here = { channel };
  GValue value;

  set_int (&value, 1);
  concur_channel_send_async (channel, &value, NULL, called, &here);
  g_assert_cmpuint (here.n, ==, 0);
  assert_sent (&here);

  set_int (&value, 2);
  concur_channel_send_async (channel, &value, NULL, called, &here);
  drain_main_context ();
  g_assert_cmpuint (here.n, ==, 0);
  g_assert_cmpint (take_int (channel), ==, 1);
  assert_sent (&here);
  g_assert_cmpint (take_int (channel), ==, 2);

  concur_channel_send_async (channel, NULL, NULL, NULL, NULL);
  concur_channel_send_async (channel, &value, NULL, called, &here);
  concur_channel_stop (channel);
  assert_send_failed (&here, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
  concur_channel_send_async (channel, &value, NULL, called, &here);
  assert_send_failed (&here, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
}

static void
test_error_of_sender (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  Called here = { channel };

  concur_channel_fail (channel, own);
  concur_channel_receive_async (channel, NULL, called, &here);
  assert_receive_failed (&here, G_IO_ERROR, G_IO_ERROR_BUSY);
}

/* The callback is in the context of who called. */

static void
receive_here (gpointer data)
{
  Called *self = data;

  concur_channel_receive_async (self->channel, NULL, called, self);
}

static void
assert_received_here (gpointer data)
{
  Called *self = data;

  test_iterate_until (g_main_context_get_thread_default (), self->n == 1);
  g_assert_true (self->thread == g_thread_self ());
  assert_received (self, 5);
}

static void
test_context (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  TestLoop *loop = test_loop_new ();
  Called there = { channel };

  test_loop_call (loop, receive_here, &there);
  put_int (channel, 5);
  test_loop_call (loop, assert_received_here, &there);
  test_loop_free (loop);
}

/* The value is there as long as the result is, and no longer. */

static void
count_finalized (gpointer data,
                 GObject *where)
{
  ++*(guint *) data;
}

static void
test_value_stays (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  Called here = { channel };
  GCancellable *object = g_cancellable_new ();
  GValue value = G_VALUE_INIT;
  const GValue *received;
  guint finalized = 0;

  g_object_weak_ref (G_OBJECT (object), count_finalized, &finalized);
  g_value_init (&value, G_TYPE_OBJECT);
  g_value_take_object (&value, object);
  g_assert_true (concur_channel_try_send (channel, &value, NULL));
  g_value_unset (&value);

  concur_channel_receive_async (channel, NULL, called, &here);
  test_iterate_until (NULL, here.n == 1);
  received = concur_channel_receive_finish (channel, here.result, NULL);
  drain_main_context ();
  g_assert_cmpuint (finalized, ==, 0);
  g_assert_true (g_value_get_object (received) == object);
  g_clear_object (&here.result);
  drain_main_context ();
  g_assert_cmpuint (finalized, ==, 1);
}

/* Cancelled at each step */

static void
test_cancelled_before (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Called here = { channel };
  GValue value;

  g_cancellable_cancel (cancellable);
  set_int (&value, 2);

  concur_channel_receive_async (channel, cancellable, called, &here);
  assert_receive_failed (&here, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (count_waiters (channel), ==, 0);

  /* What need not wait is done. */
  put_int (channel, 1);
  concur_channel_receive_async (channel, cancellable, called, &here);
  assert_received (&here, 1);
  concur_channel_send_async (channel, &value, cancellable, called, &here);
  assert_sent (&here);

  concur_channel_send_async (channel, &value, cancellable, called, &here);
  assert_send_failed (&here, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (take_int (channel), ==, 2);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
}

static void
test_cancelled_waiting (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Called first = { channel }, second = { channel };
  GValue value;

  concur_channel_receive_async (channel, cancellable, called, &first);
  concur_channel_receive_async (channel, NULL, called, &second);
  g_cancellable_cancel (cancellable);
  assert_receive_failed (&first, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  put_int (channel, 1);
  assert_received (&second, 1);

  g_cancellable_reset (cancellable);
  put_int (channel, 2);
  set_int (&value, 3);
  concur_channel_send_async (channel, &value, cancellable, called, &first);
  set_int (&value, 4);
  concur_channel_send_async (channel, &value, NULL, called, &second);
  g_cancellable_cancel (cancellable);
  assert_send_failed (&first, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (take_int (channel), ==, 2);
  assert_sent (&second);
  g_assert_cmpint (take_int (channel), ==, 4);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
}

/* Cancelled with the value on its way: before it is served but not told yet, and after. */
static void
test_cancelled_served (void)
{
  for (guint cancel_first = 0; cancel_first < 2; cancel_first++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Called here = { channel };
      GValue value;

      /* The cancellable is heard of in the context, where the value comes, too. */
      concur_channel_receive_async (channel, cancellable, called, &here);
      if (cancel_first)
        g_cancellable_cancel (cancellable);
      put_int (channel, 1);
      if (!cancel_first)
        g_cancellable_cancel (cancellable);
      assert_received (&here, 1);

      g_cancellable_reset (cancellable);
      put_int (channel, 1);
      set_int (&value, 2);
      concur_channel_send_async (channel, &value, cancellable, called, &here);
      if (cancel_first)
        g_cancellable_cancel (cancellable);
      g_assert_cmpint (take_int (channel), ==, 1);
      if (!cancel_first)
        g_cancellable_cancel (cancellable);
      assert_sent (&here);
      g_assert_cmpint (take_int (channel), ==, 2);
    }
}

/* In the callback it is too late. */
static void
test_cancelled_after (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Called here = { channel };

  put_int (channel, 1);
  concur_channel_receive_async (channel, cancellable, called, &here);
  test_iterate_until (NULL, here.n == 1);
  g_cancellable_cancel (cancellable);
  drain_main_context ();
  assert_received (&here, 1);
}

/* At any moment, from other threads: what was sent is what was received and what is left. */

typedef struct
{
  ConcurChannel *channel;
  GCancellable *cancellables[2];
  gint running;                /* atomic */
  gint64 sent, received;
  guint n_sent, n_received, n_pending, n_begun;
} Storm;

static gpointer
storm_cancel (gpointer data)
{
  Storm *storm = data;

  while (g_atomic_int_get (&storm->running))
    {
      g_cancellable_cancel (storm->cancellables[0]);
      g_thread_yield ();
      g_cancellable_cancel (storm->cancellables[1]);
      g_thread_yield ();
    }

  return NULL;
}

typedef struct
{
  Storm *storm;
  gint64 number;
  GCancellable *cancellable;
} StormSend;

static void
storm_sent (GObject      *channel,
            GAsyncResult *result,
            gpointer      data)
{
  StormSend *send = data;
  g_autoptr (GError) error = NULL;

  if (concur_channel_send_finish (CONCUR_CHANNEL (channel), result, &error))
    {
      send->storm->sent += send->number;
      send->storm->n_sent++;
    }
  else
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  send->storm->n_pending--;
  g_object_unref (send->cancellable);
  g_free (send);
}

static void
storm_received (GObject      *channel,
                GAsyncResult *result,
                gpointer      data)
{
  Storm *storm = data;
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_channel_receive_finish (CONCUR_CHANNEL (channel), result, &error);

  if (value != NULL)
    {
      storm->received += g_value_get_int64 (value);
      storm->n_received++;
    }
  else
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
    }
  storm->n_pending--;
}

/* Not reset while another thread cancels it: each round has new ones. */
static void
test_cancelled_any_time (void)
{
  guint rounds = test_scaled (300);

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1 + round % 2);
      Storm storm = { .channel = channel, .running = TRUE };
      GThread *thread;

      storm.cancellables[0] = g_cancellable_new ();
      storm.cancellables[1] = g_cancellable_new ();
      thread = g_thread_new ("cancels", storm_cancel, &storm);
      for (gint64 i = 1; i <= 10; i++)
        {
          StormSend *send = g_new (StormSend, 1);
          GValue value;

          *send = (StormSend) { &storm, i, g_object_ref (storm.cancellables[i % 2]) };
          set_int (&value, i);
          storm.n_pending += 2;
          concur_channel_send_async (channel, &value, send->cancellable, storm_sent, send);
          concur_channel_receive_async (channel, storm.cancellables[1], storm_received, &storm);
          g_main_context_iteration (NULL, FALSE);
        }
      test_iterate_until (NULL, storm.n_pending == 0);
      g_atomic_int_set (&storm.running, FALSE);
      g_thread_join (thread);

      while (concur_channel_get_length (channel) > 0)
        {
          storm.received += take_int (channel);
          storm.n_received++;
        }
      g_assert_cmpuint (storm.n_sent, ==, storm.n_received);
      g_assert_cmpint (storm.sent, ==, storm.received);
      g_assert_cmpuint (count_waiters (channel), ==, 0);
      g_object_unref (storm.cancellables[0]);
      g_object_unref (storm.cancellables[1]);
    }
  test_shake_stop ();
}

/* An operation keeps the channel, as with GIO. */
static void
test_keeps_channel (void)
{
  guint cores = channel_cores_alive ();
  ConcurChannel *channel = concur_channel_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Called here = { channel };

  concur_channel_receive_async (channel, cancellable, called, &here);
  g_object_unref (channel);
  drain_main_context ();
  g_assert_cmpuint (channel_cores_alive (), ==, cores + 1);
  g_cancellable_cancel (cancellable);
  assert_receive_failed (&here, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  test_iterate_until (NULL, channel_cores_alive () <= cores);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1), other = concur_channel_new (1);
  Called here = { channel };

  put_int (channel, 1);
  concur_channel_receive_async (channel, NULL, called, &here);
  test_iterate_until (NULL, here.n == 1);
  test_critical (g_assert_null (concur_channel_receive_finish (other, here.result, NULL)));
  assert_received (&here, 1);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-async/receive", test_receive);
  g_test_add_func ("/channel-async/send", test_send);
  g_test_add_func ("/channel-async/error-of-sender", test_error_of_sender);
  g_test_add_func ("/channel-async/context", test_context);
  g_test_add_func ("/channel-async/value-stays", test_value_stays);
  g_test_add_func ("/channel-async/cancelled/before", test_cancelled_before);
  g_test_add_func ("/channel-async/cancelled/waiting", test_cancelled_waiting);
  g_test_add_func ("/channel-async/cancelled/served", test_cancelled_served);
  g_test_add_func ("/channel-async/cancelled/after", test_cancelled_after);
  g_test_add_func ("/channel-async/cancelled/any-time", test_cancelled_any_time);
  g_test_add_func ("/channel-async/keeps-channel", test_keeps_channel);
  g_test_add_func ("/channel-async/mistakes", test_mistakes);

  return test_run ();
}
