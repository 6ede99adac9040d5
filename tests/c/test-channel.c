/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What goes in comes out: in each form of the calls, and of whichever type. */

#include "config.h"

#include "test-channel.h"

#include <string.h>

/* Each way of sending one number, and of receiving it. */

static void
by_try_send (ConcurChannel *channel,
             const GValue  *value)
{
  g_assert_true (concur_channel_try_send (channel, value, NULL));
}

static void
by_try_send_many (ConcurChannel *channel,
                  const GValue  *value)
{
  g_assert_cmpuint (concur_channel_try_send_many (channel, value, 1, NULL), ==, 1);
}

static void
by_send_wait (ConcurChannel *channel,
              const GValue  *value)
{
  g_assert_true (concur_channel_send_wait (channel, value, -1, NULL));
}

static void
by_send_many_wait (ConcurChannel *channel,
                   const GValue  *value)
{
  g_assert_cmpuint (concur_channel_send_many_wait (channel, value, 1, -1, NULL), ==, 1);
}

static void
by_send (ConcurChannel *channel,
         const GValue  *value)
{
  g_autoptr (ConcurFuture) future = concur_channel_send (channel, value);

  g_assert_true (concur_future_get_boolean (future, NULL));
}

static void
by_send_many (ConcurChannel *channel,
              const GValue  *value)
{
  g_autoptr (ConcurFuture) future = concur_channel_send_many (channel, value, 1);

  test_assert_int64 (future, 1);
}

static void
take_result (GObject      *channel,
             GAsyncResult *result,
             gpointer      place)
{
  g_set_object ((GAsyncResult **) place, result);
}

static void
by_send_async (ConcurChannel *channel,
               const GValue  *value)
{
  g_autoptr (GAsyncResult) result = NULL;

  concur_channel_send_async (channel, value, NULL, take_result, &result);
  test_iterate_until (NULL, result != NULL);
  g_assert_true (concur_channel_send_finish (channel, result, NULL));
}

static void (*const senders[]) (ConcurChannel *channel, const GValue *value) = {
  by_try_send, by_try_send_many, by_send_wait, by_send_many_wait,
  by_send,     by_send_many,     by_send_async,
};

static void
by_try_receive (ConcurChannel *channel,
                GValue        *value)
{
  g_assert_true (concur_channel_try_receive (channel, value, NULL));
}

static void
copy_only (ConcurBatch *batch,
           GValue      *value)
{
  const GValue *received = concur_batch_get_value (batch, 0);

  g_assert_cmpuint (concur_batch_get_n_items (batch), ==, 1);
  g_value_init (value, G_VALUE_TYPE (received));
  g_value_copy (received, value);
}

static void
by_try_receive_many (ConcurChannel *channel,
                     GValue        *value)
{
  g_autoptr (ConcurBatch) batch = concur_channel_try_receive_many (channel, 1, NULL);

  copy_only (batch, value);
}

static void
by_receive_wait (ConcurChannel *channel,
                 GValue        *value)
{
  g_assert_true (concur_channel_receive_wait (channel, value, -1, NULL));
}

static void
by_receive_many_wait (ConcurChannel *channel,
                      GValue        *value)
{
  g_autoptr (ConcurBatch) batch = concur_channel_receive_many_wait (channel, 1, -1, NULL);

  copy_only (batch, value);
}

static void
by_receive (ConcurChannel *channel,
            GValue        *value)
{
  g_autoptr (ConcurFuture) future = concur_channel_receive (channel);
  const GValue *received = concur_future_get_value (future, NULL);

  g_value_init (value, G_VALUE_TYPE (received));
  g_value_copy (received, value);
}

static void
by_receive_many (ConcurChannel *channel,
                 GValue        *value)
{
  g_autoptr (ConcurFuture) future = concur_channel_receive_many (channel, 1);

  copy_only (get_batch (future), value);
}

static void
by_receive_async (ConcurChannel *channel,
                  GValue        *value)
{
  g_autoptr (GAsyncResult) result = NULL;
  const GValue *received;

  concur_channel_receive_async (channel, NULL, take_result, &result);
  test_iterate_until (NULL, result != NULL);
  received = concur_channel_receive_finish (channel, result, NULL);
  g_value_init (value, G_VALUE_TYPE (received));
  g_value_copy (received, value);
}

static void (*const receivers[]) (ConcurChannel *channel, GValue *value) = {
  by_try_receive, by_try_receive_many, by_receive_wait, by_receive_many_wait,
  by_receive,     by_receive_many,     by_receive_async,
};

static void
test_forms (void)
{
  for (guint capacity = 0; capacity < 3; capacity++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (capacity);

      for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
        for (guint j = 0; j < G_N_ELEMENTS (receivers); j++)
          {
            g_auto (GValue) value = G_VALUE_INIT;
            GValue sent;

            set_int (&sent, i * 100 + j);
            senders[i](channel, &sent);
            g_assert_cmpuint (concur_channel_get_length (channel), ==, 1);
            receivers[j](channel, &value);
            g_assert_cmpint (g_value_get_int64 (&value), ==, i * 100 + j);
            g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
          }
      concur_channel_close (channel);
    }
}

/* A receiver that waits gets it from each form of sending. */
static void
test_forms_waiting (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);

  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    {
      g_autoptr (ConcurFuture) one = concur_channel_receive (channel);
      g_autoptr (ConcurFuture) many = concur_channel_receive_many (channel, 5);
      g_auto (GValue) value = G_VALUE_INIT;
      GValue sent;

      set_int (&sent, i);
      assert_pending (one);
      senders[i](channel, &sent);
      test_assert_int64 (one, i);
      assert_pending (many);
      senders[i](channel, &sent);
      copy_only (get_batch (many), &value);
      g_assert_cmpint (g_value_get_int64 (&value), ==, i);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
    }
}

/* A sender that waits gets its turn from each form of receiving. */
static void
test_forms_full (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);

  for (guint j = 0; j < G_N_ELEMENTS (receivers); j++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      g_auto (GValue) value = G_VALUE_INIT;

      put_int (channel, 1);
      future = send_int (channel, 2);
      assert_pending (future);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 1);
      receivers[j](channel, &value);
      g_assert_cmpint (g_value_get_int64 (&value), ==, 1);
      g_assert_true (concur_future_get_boolean (future, NULL));
      g_assert_cmpint (take_int (channel), ==, 2);
    }
}

/* Types */

typedef struct
{
  int finalized;
} Watched;

static void
on_finalized (gpointer data,
              GObject *where)
{
  ((Watched *) data)->finalized++;
}

/* Sends @value, which is unset then, and gives what came. */
static void
pass (GValue *value,
      GValue *received,
      guint   form)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);

  senders[form](channel, value);
  if (G_IS_VALUE (value))
    g_value_unset (value);
  receivers[form](channel, received);
}

static void
test_types (void)
{
  for (guint form = 0; form < G_N_ELEMENTS (senders); form++)
    {
      GValue value = G_VALUE_INIT, received = G_VALUE_INIT;
      Watched watched = { 0 };
      char text[] = "text";

      if (form != 1 && form != 3 && form != 5)
        {
          g_autoptr (ConcurChannel) channel = concur_channel_new (0);

          senders[form](channel, NULL);
          receivers[form](channel, &received);
          g_assert_true (G_VALUE_HOLDS_OBJECT (&received));
          g_assert_null (g_value_get_object (&received));
          g_value_unset (&received);
        }

      pass (&value, &received, form); /* unset */
      g_assert_true (G_VALUE_HOLDS_OBJECT (&received));
      g_assert_null (g_value_get_object (&received));
      g_value_unset (&received);

      /* Not even a static string is the same: it is a copy. */
      g_value_init (&value, G_TYPE_STRING);
      g_value_set_static_string (&value, text);
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (0);

        senders[form](channel, &value);
        memset (text, 'X', strlen (text));
        receivers[form](channel, &received);
        g_assert_cmpstr (g_value_get_string (&received), ==, "text");
        g_value_unset (&received);
        g_value_unset (&value);
      }

      g_value_init (&value, G_TYPE_STRING);
      pass (&value, &received, form);
      g_assert_true (G_VALUE_HOLDS_STRING (&received));
      g_assert_null (g_value_get_string (&received));
      g_value_unset (&received);

      {
        GCancellable *object = g_cancellable_new ();

        g_object_weak_ref (G_OBJECT (object), on_finalized, &watched);
        g_value_init (&value, G_TYPE_CANCELLABLE);
        g_value_take_object (&value, object);
        pass (&value, &received, form);
        g_assert_true (g_value_get_object (&received) == object);
        g_assert_true (G_VALUE_HOLDS (&received, G_TYPE_CANCELLABLE));
        g_assert_cmpint (watched.finalized, ==, 0);
        g_value_unset (&received);
        /* What brought it, a GTask's source for one, may still be on its way out. */
        test_iterate_until (NULL, watched.finalized == 1);
      }

      {
        g_autoptr (GBytes) bytes = g_bytes_new ("bytes", 5);

        g_value_init (&value, G_TYPE_BYTES);
        g_value_set_boxed (&value, bytes);
        pass (&value, &received, form);
        g_assert_true (g_value_get_boxed (&received) == bytes);
        g_value_unset (&received);
      }

      g_value_init (&value, G_TYPE_VARIANT);
      g_value_set_variant (&value, g_variant_new ("(su)", "variant", 5));
      pass (&value, &received, form);
      {
        g_autofree char *printed = g_variant_print (g_value_get_variant (&received), FALSE);

        g_assert_cmpstr (printed, ==, "('variant', 5)");
        g_assert_false (g_variant_is_floating (g_value_get_variant (&received)));
        g_value_unset (&received);
      }

      g_value_init (&value, G_TYPE_STRV);
      g_value_take_boxed (&value, g_strsplit ("a b c", " ", -1));
      pass (&value, &received, form);
      g_assert_cmpuint (g_strv_length (g_value_get_boxed (&received)), ==, 3);
      g_value_unset (&received);

      g_value_init (&value, G_TYPE_DOUBLE);
      g_value_set_double (&value, 1.5);
      pass (&value, &received, form);
      g_assert_cmpfloat (g_value_get_double (&received), ==, 1.5);
      g_value_unset (&received);

      g_value_init (&value, G_TYPE_BOOLEAN);
      g_value_set_boolean (&value, TRUE);
      pass (&value, &received, form);
      g_assert_true (g_value_get_boolean (&received));
      g_value_unset (&received);

      g_value_init (&value, G_TYPE_UINT);
      g_value_set_uint (&value, 7);
      pass (&value, &received, form);
      g_assert_cmpuint (g_value_get_uint (&received), ==, 7);
      g_value_unset (&received);

      g_value_init (&value, G_TYPE_POINTER);
      g_value_set_pointer (&value, &watched);
      pass (&value, &received, form);
      g_assert_true (g_value_get_pointer (&received) == &watched);
      g_value_unset (&received);
    }
}

/* Of different types in one channel, and in one batch. */
static void
test_types_mixed (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurBatch) batch = NULL;
  GValue values[3] = { G_VALUE_INIT, G_VALUE_INIT, G_VALUE_INIT };

  g_value_init (&values[0], G_TYPE_STRING);
  g_value_set_string (&values[0], "first");
  g_value_init (&values[2], G_TYPE_INT64);
  g_value_set_int64 (&values[2], 3);
  g_assert_cmpuint (concur_channel_try_send_many (channel, values, 3, NULL), ==, 3);
  g_value_unset (&values[0]);

  batch = concur_channel_try_receive_many (channel, 10, NULL);
  g_assert_cmpuint (concur_batch_get_n_items (batch), ==, 3);
  g_assert_cmpstr (g_value_get_string (concur_batch_get_value (batch, 0)), ==, "first");
  g_assert_null (g_value_get_object (concur_batch_get_value (batch, 1)));
  g_assert_cmpint (g_value_get_int64 (concur_batch_get_value (batch, 2)), ==, 3);
}

/* An error is a value like others, but a future that gets it is rejected with it. */
static void
test_types_error (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurBatch) batch = NULL;
  g_auto (GValue) value = G_VALUE_INIT, received = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_ERROR);
  g_value_take_boxed (&value, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy"));
  for (guint i = 0; i < 3; i++)
    g_assert_true (concur_channel_try_send (channel, &value, NULL));

  g_assert_true (concur_channel_try_receive (channel, &received, NULL));
  g_assert_true (g_error_matches (g_value_get_boxed (&received), G_IO_ERROR, G_IO_ERROR_BUSY));
  future = concur_channel_receive (channel);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_BUSY);
  batch = concur_channel_try_receive_many (channel, 1, NULL);
  g_assert_true (g_error_matches (g_value_get_boxed (concur_batch_get_value (batch, 0)),
                                  G_IO_ERROR, G_IO_ERROR_BUSY));
}

/* The program in the documentation of the class. */

static gboolean
count_job (ConcurJob  *job,
           gpointer    channel,
           GError    **error)
{
  for (gint64 i = 0; i < 1000; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, G_TYPE_INT64);
      g_value_set_int64 (&value, i);
      if (!concur_channel_send_wait (channel, &value, -1, error))
        return FALSE;
    }
  concur_channel_close (channel);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
on_received (GObject      *channel,
             GAsyncResult *result,
             gpointer      data)
{
  g_autoptr (GError) error = NULL;
  const GValue *value
      = concur_channel_receive_finish (CONCUR_CHANNEL (channel), result, &error);
  gint64 *next = data;

  if (value == NULL)
    {
      g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
      *next = -*next;
      return;
    }
  g_assert_cmpint (g_value_get_int64 (value), ==, *next);
  ++*next;
  concur_channel_receive_async (CONCUR_CHANNEL (channel), NULL, on_received, next);
}

static void
test_example (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (16);
  g_autoptr (ConcurFuture) job = NULL;
  gint64 next = 0;

  job = concur_executor_submit (concur_executor_get_default (), count_job, g_object_ref (channel),
                                g_object_unref, NULL);
  concur_channel_receive_async (channel, NULL, on_received, &next);
  test_iterate_until (NULL, next < 0);
  g_assert_cmpint (next, ==, -1000);
  test_iterate_until (NULL, concur_future_is_done (job));
}

/* What goes away */

static void
test_nothing_left (void)
{
  guint cores = channel_cores_alive ();
  guint futures = test_futures_alive ();
  g_autoptr (ConcurFuture) kept = NULL;

  for (guint i = 0; i < 4; i++)
    {
      ConcurChannel *channel = concur_channel_new (2);
      g_autoptr (ConcurFuture) completion = NULL;

      g_assert_cmpuint (channel_cores_alive (), ==, cores + 1);
      if (i & 1)
        completion = concur_channel_dup_completion (channel);
      put_int (channel, 1);
      put_int (channel, 2);
      g_object_unref (send_int (channel, 3));
      if (i & 2)
        {
          take_int (channel);
          g_clear_object (&kept);
          kept = concur_channel_receive (channel);
        }
      g_object_unref (channel);
      if (completion != NULL)
        test_assert_cancelled (completion);
      g_clear_object (&completion);
      /* A future that is done keeps the core, which keeps nothing. */
      g_clear_object (&kept);
      g_assert_cmpuint (channel_cores_alive (), ==, cores);
      g_assert_cmpuint (test_futures_alive (), ==, futures);
    }
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  test_critical (g_assert_null (concur_channel_send (NULL, &value)));
  test_critical (g_assert_null (concur_channel_send_many (channel, NULL, 1)));
  test_critical (g_assert_false (concur_channel_try_receive (channel, &value, NULL)));
  test_critical (g_assert_false (concur_channel_try_receive (channel, NULL, NULL)));
  test_critical (g_assert_false (concur_channel_receive_wait (channel, &value, 0, NULL)));
  test_critical (g_assert_false (concur_channel_fail (channel, NULL)));
  test_critical (g_assert_false (concur_channel_close (NULL)));
  g_assert_false (concur_channel_is_closed (channel));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel/forms", test_forms);
  g_test_add_func ("/channel/forms/receiver-waits", test_forms_waiting);
  g_test_add_func ("/channel/forms/sender-waits", test_forms_full);
  g_test_add_func ("/channel/types", test_types);
  g_test_add_func ("/channel/types/mixed", test_types_mixed);
  g_test_add_func ("/channel/types/error", test_types_error);
  g_test_add_func ("/channel/example", test_example);
  g_test_add_func ("/channel/nothing-left", test_nothing_left);
  g_test_add_func ("/channel/mistakes", test_mistakes);

  return test_run ();
}
