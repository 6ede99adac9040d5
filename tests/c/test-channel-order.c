/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Values come out in the order they went in, one by one or many at once, no more are in a
 * channel than it may hold, and each is let go once, on the right thread. */

#include "config.h"

#include "test-channel.h"

#include <stdlib.h>

/* Order and number */

static void
test_order (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (7);
  gint64 sent = 0, received = 0;

  /* All fillings of the ring, at all places. */
  for (guint round = 0; round < 200; round++)
    {
      guint n = round % 8, m = round * 5 % 8;

      while (n-- > 0 && sent - received < 7)
        put_int (channel, sent++);
      while (m-- > 0 && received < sent)
        g_assert_cmpint (take_int (channel), ==, received++);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, sent - received);
    }
  while (received < sent)
    g_assert_cmpint (take_int (channel), ==, received++);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
}

/* More comes than there is room for in memory, wherever the oldest stands. */
static void
test_grows (void)
{
  for (guint size = 8; size <= 512; size *= 8)
    for (guint taken = 0; taken <= size; taken += MAX (size / 8, 1))
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (0);
        gint64 sent = 0, received = 0;

        while (sent < size)
          put_int (channel, sent++);
        while (received < taken)
          g_assert_cmpint (take_int (channel), ==, received++);
        while (sent < 3 * size)
          put_int (channel, sent++);
        while (received < sent)
          g_assert_cmpint (take_int (channel), ==, received++);
      }
}

/* Most of a backlog, but not all. */
static void
test_backlog_part (void)
{
  for (guint most = 250; most <= 450; most += 50)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (0);
      gint64 received = 0;

      for (guint i = 0; i < 400; i++)
        put_int (channel, i);
      while (received < 400)
        {
          g_autoptr (ConcurBatch) batch = concur_channel_try_receive_many (channel, most, NULL);
          guint n = concur_batch_get_n_items (batch);

          g_assert_cmpuint (n, ==, MIN (most, 400 - received));
          for (guint i = 0; i < n; i++)
            g_assert_cmpint (g_value_get_int64 (concur_batch_get_value (batch, i)), ==,
                             received++);
          g_assert_cmpuint (concur_channel_get_length (channel), ==, 400 - received);
        }
    }
}

/* A backlog comes and goes, with strings, so that a mistake is a leak or a double free. */
static void
test_backlog (void)
{
  static const guint sizes[] = { 1, 7, 8, 9, 255, 256, 257, 300, 511, 512, 513, 3000, 100000 };
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint form = 0; form < 5; form++)
      {
        guint n = test_scaled (sizes[s]), received = 0;

        /* So that the ring does not begin at its beginning. */
        for (guint i = 0; i < form; i++)
          put_int (channel, i);
        for (guint i = 0; i < n; i++)
          {
            g_auto (GValue) value = G_VALUE_INIT;

            g_value_init (&value, G_TYPE_STRING);
            g_value_take_string (&value, g_strdup_printf ("%u", i));
            g_assert_true (concur_channel_try_send (channel, &value, NULL));
          }
        for (guint i = 0; i < form; i++)
          g_assert_cmpint (take_int (channel), ==, i);
        g_assert_cmpuint (concur_channel_get_length (channel), ==, n);

        while (received < n)
          {
            guint most = form == 4 ? 1 : form == 0 ? G_MAXUINT : n / form + 1;
            g_autoptr (ConcurBatch) batch = concur_channel_try_receive_many (channel, most, NULL);

            g_assert_cmpuint (concur_batch_get_n_items (batch), ==, MIN (most, n - received));
            for (guint i = 0; i < concur_batch_get_n_items (batch); i++)
              g_assert_cmpint (atoi (g_value_get_string (concur_batch_get_value (batch, i))), ==,
                               received++);
          }
        assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
      }
}

static void
test_capacity (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (3);
  g_autoptr (ConcurChannel) unbounded = concur_channel_new (0);
  g_autoptr (ConcurFuture) waiting = NULL;
  g_autoptr (GError) error = NULL;
  GValue value;

  g_assert_cmpuint (concur_channel_get_capacity (channel), ==, 3);
  g_assert_cmpuint (concur_channel_get_capacity (unbounded), ==, 0);

  for (guint i = 0; i < 3; i++)
    put_int (channel, i);
  set_int (&value, 3);
  g_assert_false (concur_channel_try_send (channel, &value, &error));
  g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_FULL);
  g_assert_cmpstr (error->message, ==, "The channel has its 3 items, and nobody has taken one");
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);

  /* One who waits is not counted, and comes before one who does not. */
  waiting = send_int (channel, 3);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);
  g_assert_cmpint (take_int (channel), ==, 0);
  g_assert_true (concur_future_is_done (waiting));
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_FULL);
  for (guint i = 1; i < 4; i++)
    g_assert_cmpint (take_int (channel), ==, i);

  test_critical (g_assert_null (concur_channel_new ((guint) G_MAXINT + 1)));
}

static void
test_properties (void)
{
  g_autoptr (ConcurChannel) channel = g_object_new (CONCUR_TYPE_CHANNEL, "capacity", 5, NULL);
  guint capacity, length;
  gboolean closed;

  put_int (channel, 1);
  g_object_get (channel, "capacity", &capacity, "length", &length, "closed", &closed, NULL);
  g_assert_cmpuint (capacity, ==, 5);
  g_assert_cmpuint (length, ==, 1);
  g_assert_false (closed);
  g_assert_false (concur_channel_is_closed (channel));

  concur_channel_close (channel);
  g_object_get (channel, "closed", &closed, NULL);
  g_assert_true (closed);
  g_assert_true (concur_channel_is_closed (channel));
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 1);
}

/* Many at once */

static void
fill (GValue *values,
      guint   n,
      gint64  first)
{
  for (guint i = 0; i < n; i++)
    set_int (&values[i], first + i);
}

static void
assert_batch (ConcurBatch *batch,
              gint64       first,
              guint        n)
{
  g_assert_cmpuint (concur_batch_get_n_items (batch), ==, n);
  for (guint i = 0; i < n; i++)
    g_assert_cmpint (g_value_get_int64 (concur_batch_get_value (batch, i)), ==, first + i);
}

static void
test_send_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (4);
  g_autoptr (ConcurFuture) future = NULL;
  GValue values[20];

  fill (values, 20, 0);
  future = concur_channel_send_many (channel, values, 20);
  for (guint i = 0; i < 20; i++)
    {
      /* The last one goes in with the sixteenth that comes out. */
      if (i <= 15)
        assert_pending (future);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, MIN (4, 20 - i));
      g_assert_cmpint (take_int (channel), ==, i);
    }
  test_assert_int64 (future, 20);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
}

static void
test_send_none (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConcurFuture) future = concur_channel_send_many (channel, NULL, 0);

      test_assert_int64 (future, 0);
      g_assert_cmpuint (concur_channel_try_send_many (channel, NULL, 0, NULL), ==, 0);
      g_assert_cmpuint (concur_channel_send_many_wait (channel, NULL, 0, -1, NULL), ==, 0);
      /* Also when it is full. */
      if (i == 0)
        put_int (channel, 1);
    }
}

static void
test_try_send_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (4);
  g_autoptr (GError) error = NULL;
  GValue values[40];

  /* More than fits on the stack. */
  fill (values, 40, 0);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 40, &error), ==, 4);
  g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_FULL);
  for (guint i = 0; i < 4; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 2, NULL), ==, 2);
  g_assert_cmpint (take_int (channel), ==, 0);
  g_assert_cmpint (take_int (channel), ==, 1);
}

/* Those who wait are room, too. */
static void
test_try_send_many_waiting (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) one = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) two = concur_channel_receive (channel);
  g_autoptr (GError) error = NULL;
  GValue values[4];

  fill (values, 4, 0);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 4, &error), ==, 3);
  g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_FULL);
  test_assert_int64 (one, 0);
  test_assert_int64 (two, 1);
  g_assert_cmpint (take_int (channel), ==, 2);
}

static void
test_receive_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) waiting = NULL, some = NULL, rest = NULL;
  GValue values[10];

  fill (values, 10, 0);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 10, NULL), ==, 10);
  some = concur_channel_receive_many (channel, 4);
  assert_batch (get_batch (some), 0, 4);
  rest = concur_channel_receive_many (channel, G_MAXUINT);
  assert_batch (get_batch (rest), 4, 6);

  /* One that waits gets what is sent at once, not only the first. */
  waiting = concur_channel_receive_many (channel, 8);
  assert_pending (waiting);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 10, NULL), ==, 10);
  assert_batch (get_batch (waiting), 0, 8);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 2);

  test_critical (g_assert_null (concur_channel_receive_many (channel, 0)));
  test_critical (g_assert_null (concur_channel_try_receive_many (channel, 0, NULL)));
}

/* Receiving makes room for several who wait, and for a part of what they send. */
static void
test_many_to_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (3);
  g_autoptr (ConcurFuture) first = NULL, second = NULL, third = NULL;
  g_autoptr (ConcurBatch) batch = NULL;
  GValue values[12];

  fill (values, 12, 0);
  first = concur_channel_send_many (channel, values, 4);
  second = concur_channel_send_many (channel, &values[4], 1);
  third = concur_channel_send_many (channel, &values[5], 7);

  batch = concur_channel_try_receive_many (channel, 12, NULL);
  assert_batch (batch, 0, 3);
  test_assert_int64 (first, 4);
  test_assert_int64 (second, 1);
  assert_pending (third);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);
  for (guint i = 3; i < 12; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  test_assert_int64 (third, 7);
}

static void
test_give_back (void)
{
  for (guint capacity = 0; capacity < 4; capacity++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (capacity);
      g_autoptr (ConcurFuture) waiting = NULL;
      gboolean bounded = capacity != 0;
      guint n = bounded ? capacity : 20;
      GValue value;

      set_int (&value, -1);
      g_assert_true (concur_channel_give_back (channel, &value));
      g_assert_cmpint (take_int (channel), ==, -1);

      for (guint i = 0; i < n; i++)
        put_int (channel, i);
      if (bounded)
        waiting = send_int (channel, n);

      /* Before all others, and beyond the capacity. */
      g_assert_true (concur_channel_give_back (channel, &value));
      g_assert_cmpuint (concur_channel_get_length (channel), ==, n + 1);
      g_assert_cmpint (take_int (channel), ==, -1);
      if (bounded)
        assert_pending (waiting);
      for (guint i = 0; i < n + (bounded ? 1 : 0); i++)
        g_assert_cmpint (take_int (channel), ==, i);
      if (bounded)
        g_assert_true (concur_future_is_done (waiting));
    }
}

static void
test_give_back_waiting (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) first = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) second = concur_channel_receive (channel);

  put_int (channel, 1);
  g_assert_false (concur_future_cancel (first, CONCUR_CANCEL_NONE));
  g_assert_true (concur_channel_give_back (channel, concur_future_get_value (first, NULL)));
  test_assert_int64 (second, 1);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);

  /* NULL is what NULL was sent as. */
  g_assert_true (concur_channel_give_back (channel, NULL));
  {
    g_autoptr (ConcurFuture) third = concur_channel_receive (channel);

    g_assert_null (g_value_get_object (concur_future_get_value (third, NULL)));
    g_assert_cmpint (concur_future_get_state (third), ==, CONCUR_FUTURE_STATE_RESOLVED);
  }
}

/* Where things happen */

typedef struct
{
  ConcurChannel *channel;
  GThread *done_on;
} Where;

static void
note_thread (ConcurFuture *future,
             gpointer      data)
{
  ((Where *) data)->done_on = g_thread_self ();
}

static gpointer
put_one (gpointer data)
{
  put_int (((Where *) data)->channel, 1);

  return NULL;
}

static gpointer
take_one (gpointer data)
{
  take_int (((Where *) data)->channel);

  return NULL;
}

static gpointer
close_it (gpointer data)
{
  concur_channel_close (((Where *) data)->channel);

  return NULL;
}

static void
test_thread_of_done (void)
{
  static const GThreadFunc funcs[] = { put_one, take_one, close_it };

  for (guint i = 0; i < G_N_ELEMENTS (funcs); i++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1);
      g_autoptr (ConcurFuture) future = NULL;
      Where where = { channel, NULL };
      GThread *thread;

      if (funcs[i] == take_one)
        put_int (channel, 1);
      future = funcs[i] == take_one ? send_int (channel, 2) : concur_channel_receive (channel);
      concur_future_add_direct_callback (future, note_thread, &where, NULL);
      thread = g_thread_ref (g_thread_new ("other", funcs[i], &where));
      g_thread_join (thread);
      g_assert_true (where.done_on == thread);
      g_thread_unref (thread);
    }
}

static GThread *copied_on;  /* of the last copy */
static gint n_boxes;        /* atomic */

static gpointer
box_copy (gpointer box)
{
  copied_on = g_thread_self ();
  g_atomic_int_inc (&n_boxes);

  return box;
}

static void
box_free (gpointer box)
{
  g_atomic_int_add (&n_boxes, -1);
  if (box != NULL)
    *(GThread **) box = g_thread_self ();
}

typedef gpointer Box;

static GType test_box_get_type (void);
G_DEFINE_BOXED_TYPE (Box, test_box, box_copy, box_free)

static gpointer
take_box (gpointer channel)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_assert_true (concur_channel_receive_wait (channel, &value, TEST_PATIENCE_US, NULL));

  return NULL;
}

static gpointer
stop_it (gpointer channel)
{
  g_assert_true (concur_channel_stop (channel));

  return NULL;
}

/* Copied once, by the sender; let go by the receiver, or by who stops the channel. */
static void
test_thread_of_copy (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1);
      g_autoptr (ConcurFuture) future = NULL, waiting = NULL;
      GThread *freed_on = NULL, *other;
      GValue value = G_VALUE_INIT;

      g_value_init (&value, test_box_get_type ());
      g_value_set_static_boxed (&value, &freed_on);
      copied_on = NULL;
      future = concur_channel_send (channel, &value);
      g_assert_true (copied_on == g_thread_self ());
      g_assert_cmpint (n_boxes, ==, 1);
      if (i == 1)
        waiting = concur_channel_send (channel, &value);

      copied_on = NULL;
      other = g_thread_ref (g_thread_new ("other", i == 0 ? take_box : stop_it, channel));
      g_thread_join (other);
      g_assert_cmpint (n_boxes, ==, 0);
      g_assert_true (freed_on == other);
      g_assert_null (copied_on);
      g_thread_unref (other);
    }
}

/* A value that is not sent is let go where that is decided: by who cancels. */
static void
test_not_sent (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) one = NULL, many = NULL;
  GThread *freed_on = NULL;
  GValue values[3] = { G_VALUE_INIT, G_VALUE_INIT, G_VALUE_INIT };

  for (guint i = 0; i < 3; i++)
    {
      g_value_init (&values[i], test_box_get_type ());
      g_value_set_static_boxed (&values[i], &freed_on);
    }

  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 3, NULL), ==, 1);
  g_assert_cmpint (n_boxes, ==, 1);
  g_assert_false (concur_channel_try_send (channel, values, NULL));
  g_assert_false (concur_channel_send_wait (channel, values, 0, NULL));
  g_assert_cmpint (n_boxes, ==, 1);

  one = concur_channel_send (channel, values);
  many = concur_channel_send_many (channel, values, 3);
  g_assert_cmpint (n_boxes, ==, 5);
  g_assert_true (concur_future_cancel (one, CONCUR_CANCEL_NONE));
  g_assert_cmpint (n_boxes, ==, 4);
  g_assert_true (concur_future_cancel (many, CONCUR_CANCEL_NONE));
  g_assert_cmpint (n_boxes, ==, 1);

  /* Of several some may have gone. */
  g_clear_object (&many);
  many = concur_channel_send_many (channel, values, 3);
  take_box (channel);
  g_assert_cmpint (n_boxes, ==, 3);
  g_assert_true (concur_future_cancel (many, CONCUR_CANCEL_NONE));
  g_assert_cmpint (n_boxes, ==, 1);
  take_box (channel);
  g_assert_cmpint (n_boxes, ==, 0);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);

  concur_channel_close (channel);
  g_assert_false (concur_channel_try_send (channel, values, NULL));
  g_clear_object (&one);
  one = concur_channel_send (channel, values);
  g_assert_cmpint (n_boxes, ==, 0);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-order/order", test_order);
  g_test_add_func ("/channel-order/grows", test_grows);
  g_test_add_func ("/channel-order/backlog", test_backlog);
  g_test_add_func ("/channel-order/backlog/part", test_backlog_part);
  g_test_add_func ("/channel-order/capacity", test_capacity);
  g_test_add_func ("/channel-order/properties", test_properties);
  g_test_add_func ("/channel-order/many/send", test_send_many);
  g_test_add_func ("/channel-order/many/none", test_send_none);
  g_test_add_func ("/channel-order/many/try", test_try_send_many);
  g_test_add_func ("/channel-order/many/try-to-waiting", test_try_send_many_waiting);
  g_test_add_func ("/channel-order/many/receive", test_receive_many);
  g_test_add_func ("/channel-order/many/both", test_many_to_many);
  g_test_add_func ("/channel-order/give-back", test_give_back);
  g_test_add_func ("/channel-order/give-back/to-waiting", test_give_back_waiting);
  g_test_add_func ("/channel-order/thread/done", test_thread_of_done);
  g_test_add_func ("/channel-order/thread/copy", test_thread_of_copy);
  g_test_add_func ("/channel-order/thread/not-sent", test_not_sent);

  return test_run ();
}
