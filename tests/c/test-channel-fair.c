/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Whoever came first is served first, among senders and among receivers, in whichever form
 * they wait; and one that goes passes its turn on. */

#include "config.h"

#include "test-channel.h"

#define N_WAITERS 12

/* Waiters of all kinds: futures for one and for many, and threads. */
typedef struct
{
  ConcurChannel *channel;
  gint64 number;               /* what it sends, or has received */
  gboolean sends;
  ConcurFuture *future;        /* (owned) or: */
  GThread *thread;
} Waiter;

static gpointer
wait_in_thread (gpointer data)
{
  Waiter *self = data;
  GValue value = G_VALUE_INIT;

  if (self->sends)
    {
      set_int (&value, self->number);
      g_assert_true (concur_channel_send_wait (self->channel, &value, -1, NULL));
    }
  else
    {
      self->number = wait_int (self->channel);
    }

  return NULL;
}

static void
waiter_begin (Waiter        *self,
              ConcurChannel *channel,
              gboolean       sends,
              guint          i)
{
  guint n = count_waiters (channel);
  GValue value;

  *self = (Waiter) { channel, i, sends };
  set_int (&value, i);
  if (i % 3 == 0)
    self->future = sends ? concur_channel_send (channel, &value) : concur_channel_receive (channel);
  else if (i % 3 == 1)
    self->future = sends ? concur_channel_send_many (channel, &value, 1)
                         : concur_channel_receive_many (channel, 1);
  else
    self->thread = g_thread_new ("waits", wait_in_thread, self);
  test_wait_until (count_waiters (channel) == n + 1);
}

static void
waiter_end (Waiter *self)
{
  if (self->thread != NULL)
    {
      g_thread_join (self->thread);
      return;
    }

  test_assert_done (self->future);
  if (!self->sends)
    {
      const GValue *value = concur_future_get_value (self->future, NULL);

      if (G_VALUE_HOLDS (value, CONCUR_TYPE_BATCH))
        value = concur_batch_get_value (g_value_get_object (value), 0);
      self->number = g_value_get_int64 (value);
    }
  g_clear_object (&self->future);
}

static void
test_receivers (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  Waiter waiters[N_WAITERS];

  for (guint i = 0; i < N_WAITERS; i++)
    waiter_begin (&waiters[i], channel, FALSE, i);
  for (guint i = 0; i < N_WAITERS; i++)
    {
      put_int (channel, 100 + i);
      /* At once, and nobody else. */
      g_assert_cmpuint (count_waiters (channel), ==, N_WAITERS - 1 - i);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
      waiter_end (&waiters[i]);
      g_assert_cmpint (waiters[i].number, ==, 100 + i);
    }
}

static void
test_senders (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  Waiter waiters[N_WAITERS];

  put_int (channel, -2);
  put_int (channel, -1);
  for (guint i = 0; i < N_WAITERS; i++)
    waiter_begin (&waiters[i], channel, TRUE, i);
  for (gint64 i = -2; i < N_WAITERS; i++)
    {
      g_assert_cmpint (take_int (channel), ==, i);
      if (i + 2 < N_WAITERS)
        waiter_end (&waiters[i + 2]);
      /* Who does not wait comes after those who do. */
      if (i + 3 < N_WAITERS)
        assert_no_send (channel, CONCUR_CHANNEL_ERROR_FULL);
    }
}

/* While the last of many waits for room no other's turn comes; nor in between. */
static void
test_many_in_a_row (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (GPtrArray) many = test_futures_new ();
  g_autoptr (ConcurFuture) one = NULL;
  GValue values[5];

  for (guint s = 0; s < 2; s++)
    {
      for (guint i = 0; i < 5; i++)
        set_int (&values[i], s * 10 + i);
      g_ptr_array_add (many, concur_channel_send_many (channel, values, 5));
      if (s == 0)
        one = send_int (channel, 9);
    }
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  g_assert_cmpint (take_int (channel), ==, 9);
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (take_int (channel), ==, 10 + i);
  test_futures_wait (many);
}

/* The first who receives many gets as much as it wants before the next has anything. */
static void
test_receive_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) first = concur_channel_receive_many (channel, 3);
  g_autoptr (ConcurFuture) second = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) third = concur_channel_receive_many (channel, 3);
  GValue values[5];

  for (guint i = 0; i < 5; i++)
    set_int (&values[i], i);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 5, NULL), ==, 5);
  g_assert_cmpuint (concur_batch_get_n_items (get_batch (first)), ==, 3);
  test_assert_int64 (second, 3);
  g_assert_cmpuint (concur_batch_get_n_items (get_batch (third)), ==, 1);
}

/* Each set of waiters that may be cancelled, of four. */
static void
test_cancelled (void)
{
  for (guint sends = 0; sends < 2; sends++)
    for (guint set = 0; set < 16; set++)
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (1);
        g_autoptr (GPtrArray) futures = test_futures_new ();
        gint64 expected = 0;

        if (sends)
          put_int (channel, -1);
        for (guint i = 0; i < 4; i++)
          g_ptr_array_add (futures, sends ? send_int (channel, i) : concur_channel_receive (channel));
        for (guint i = 0; i < 4; i++)
          if (set & (1 << i))
            {
              ConcurFuture *future = g_ptr_array_index (futures, i);

              g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
              test_assert_cancelled (future);
              g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));
            }

        if (sends)
          g_assert_cmpint (take_int (channel), ==, -1);
        for (guint i = 0; i < 4; i++)
          {
            ConcurFuture *future = g_ptr_array_index (futures, i);

            if (set & (1 << i))
              continue;
            if (sends)
              {
                g_assert_true (concur_future_is_done (future));
                g_assert_cmpint (take_int (channel), ==, i);
              }
            else
              {
                put_int (channel, expected);
                test_assert_int64 (future, expected++);
              }
          }
        g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
        g_assert_cmpuint (count_waiters (channel), ==, 0);
      }
}

/* A combination that has enough cancels those that still wait. */
static void
test_combined (void)
{
  g_autoptr (ConcurChannel) one = concur_channel_new (1), two = concur_channel_new (1);
  ConcurFuture *futures[2] = { concur_channel_receive (one), concur_channel_receive (two) };
  g_autoptr (ConcurFuture) race = concur_future_race (futures, 2, CONCUR_COMBINE_CANCEL_REST);

  put_int (one, 1);
  test_assert_done (race);
  test_wait_until (count_waiters (two) == 0);
  test_assert_cancelled (futures[1]);
  put_int (two, 2);
  g_assert_cmpint (take_int (two), ==, 2);
  g_object_unref (futures[0]);
  g_object_unref (futures[1]);
}

/* A time limit on a future takes it out of the queue. */
static void
test_with_timeout (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) future = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) limited = concur_future_with_timeout (future, 1000);

  test_assert_done (limited);
  test_assert_error (limited, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  test_wait_until (concur_future_is_done (future));
  test_assert_cancelled (future);
  put_int (channel, 1);
  g_assert_cmpint (take_int (channel), ==, 1);
}

/* A future that was forgotten has its turn as before: it was not cancelled. */
static void
test_forgotten (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);

  g_object_unref (concur_channel_receive (channel));
  put_int (channel, 1);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
  put_int (channel, 2);
  g_object_unref (send_int (channel, 3));
  g_assert_cmpint (take_int (channel), ==, 2);
  g_assert_cmpint (take_int (channel), ==, 3);
}

/* In order also when the waiters come while others are served: each sender's values come
 * in the order it sent them. */

#define N_SENDERS 4

typedef struct
{
  ConcurChannel *channel;
  guint which, n;
} Sender;

static gpointer
send_in_order (gpointer data)
{
  Sender *self = data;
  ConcurFuture *last = NULL;

  for (guint i = 0; i < self->n; i++)
    {
      gint64 number = (gint64) i * N_SENDERS + self->which;
      GValue value;

      set_int (&value, number);
      if (number % 7 == 0)
        {
          g_clear_object (&last);
          last = send_int (self->channel, number);
        }
      else
        {
          g_assert_true (concur_channel_send_wait (self->channel, &value, -1, NULL));
        }
    }
  if (last != NULL)
    test_assert_done (last);
  g_clear_object (&last);

  return NULL;
}

static void
test_order_of_each (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  Sender senders[N_SENDERS];
  GThread *threads[N_SENDERS];
  gint64 next[N_SENDERS] = { 0 };
  guint n = test_scaled (3000);

  test_shake_start ();
  for (guint i = 0; i < N_SENDERS; i++)
    {
      senders[i] = (Sender) { channel, i, n };
      threads[i] = g_thread_new ("sends", send_in_order, &senders[i]);
    }
  for (guint i = 0; i < n * N_SENDERS; i++)
    {
      gint64 number = wait_int (channel);

      g_assert_cmpint (number / N_SENDERS, ==, next[number % N_SENDERS]++);
    }
  for (guint i = 0; i < N_SENDERS; i++)
    g_thread_join (threads[i]);
  test_shake_stop ();
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-fair/receivers", test_receivers);
  g_test_add_func ("/channel-fair/senders", test_senders);
  g_test_add_func ("/channel-fair/many-in-a-row", test_many_in_a_row);
  g_test_add_func ("/channel-fair/receive-many", test_receive_many);
  g_test_add_func ("/channel-fair/cancelled", test_cancelled);
  g_test_add_func ("/channel-fair/combined", test_combined);
  g_test_add_func ("/channel-fair/with-timeout", test_with_timeout);
  g_test_add_func ("/channel-fair/forgotten", test_forgotten);
  g_test_add_func ("/channel-fair/order-of-each", test_order_of_each);

  return test_run ();
}
