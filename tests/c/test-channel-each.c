/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A function that is called in a main context for what comes out of a channel: for what, in
 * which order and turn, and how that ends. */

#include "config.h"

#include "test-channel-each.h"

static void
test_all (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  put_ints (channel, 0, 3);
  each_begin (&each);
  g_assert_cmpuint (each.n_calls, ==, 0);

  test_iterate_until (NULL, each.n_calls == 3);
  drain_main_context ();
  assert_pending (each.future);

  /* It waits, and comes back for more. */
  put_ints (channel, 3, 1000);
  g_assert_cmpuint (each.n_calls, ==, 3);
  test_iterate_until (NULL, each.n_calls == 1003);

  put_ints (channel, 1003, 7);
  concur_channel_close (channel);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 1010);
  g_assert_false (each.was_done);
  each_clear (&each);
}

static void
test_ended_before (void)
{
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  g_autoptr (ConcurChannel) closed = concur_channel_new (0);
  g_autoptr (ConcurChannel) failed = concur_channel_new (0);
  g_autoptr (ConcurChannel) stopped = concur_channel_new (0);
  Each each;

  concur_channel_close (closed);
  each_init (&each, closed);
  each_begin (&each);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 0);
  each_clear (&each);

  concur_channel_fail (failed, own);
  each_init (&each, failed);
  each_begin (&each);
  iterate_until_done (each.future);
  test_assert_error (each.future, G_IO_ERROR, G_IO_ERROR_BUSY);
  each_clear (&each);

  concur_channel_stop (stopped);
  each_init (&each, stopped);
  each_begin (&each);
  iterate_until_done (each.future);
  test_assert_cancelled (each.future);
  each_clear (&each);
}

/* The end comes while it waits, and what was in the channel before comes first. */
static void
test_ends (void)
{
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  for (guint n = 0; n < 3; n++)
    for (guint how = 0; how < 3; how++)
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (0);
        Each each;

        each_init (&each, channel);
        each_begin (&each);
        drain_main_context ();
        put_ints (channel, 0, n);
        if (how == 0)
          concur_channel_close (channel);
        else if (how == 1)
          concur_channel_fail (channel, own);
        else
          concur_channel_stop (channel);
        iterate_until_done (each.future);

        g_assert_cmpuint (each.n_calls, ==, how < 2 ? n : 0);
        if (how == 0)
          test_assert_int64 (each.future, n);
        else if (how == 1)
          test_assert_error (each.future, G_IO_ERROR, G_IO_ERROR_BUSY);
        else
          test_assert_cancelled (each.future);
        g_assert_false (each.was_done);
        each_clear (&each);
      }
}

static void
test_enough (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  Each each;

  each_init (&each, channel);
  each.enough_at = 4;
  put_ints (channel, 0, 10);
  each_begin (&each);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 5);
  g_assert_cmpuint (each.n_calls, ==, 5);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  test_assert_cancelled (completion);
  each_clear (&each);
}

static gboolean
check_completion (ConcurChannel *channel,
                  const GValue  *value,
                  gpointer       data)
{
  assert_pending ((ConcurFuture *) data);

  return TRUE;
}

static void
test_completion (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  g_autoptr (ConcurFuture) future = NULL;

  put_ints (channel, 0, 600);
  concur_channel_close (channel);
  future = concur_channel_for_each (channel, check_completion, completion, NULL, NULL);
  iterate_until_done (future);
  test_assert_int64 (completion, 600);
}

static void
test_nested (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  each.nest_at = 2;
  put_ints (channel, 0, 5);
  each_begin (&each);
  concur_channel_close (channel);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 5);
  each_clear (&each);
}

/* Who has only sent or received can go: the function is still called for all. */
static void
test_keeps_channel (void)
{
  ConcurChannel *channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  put_ints (channel, 0, 5);
  concur_channel_close (channel);
  each_begin (&each);
  g_object_unref (channel);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 5);
  each_clear (&each);
  assert_nothing_left ();
}

/* A future that is only forgotten goes on. */
static void
test_forgotten (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  each_init (&each, channel);
  each_begin (&each);
  g_clear_object (&each.future);
  put_ints (channel, 0, 5);
  test_iterate_until (NULL, each.n_calls == 5);
  concur_channel_close (channel);
  test_iterate_until (NULL, test_releases_get (&each.releases) == 1);
}

static void
test_error_logged (void)
{
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each;

  /* One of the sender's that nobody has looked at; the end of the channel is none. */
  each_init (&each, channel);
  each_begin (&each);
  g_clear_object (&each.future);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*busy*");
  concur_channel_fail (channel, own);
  test_iterate_until (NULL, test_releases_get (&each.releases) == 1);
  drain_main_context ();
  g_test_assert_expected_messages ();
}

static void
test_in_turn (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) first = concur_channel_receive (channel);
  g_autoptr (ConcurFuture) last = NULL;
  Each each;

  /* It stands in the queue as others do. */
  each_init (&each, channel);
  each.next = 2;
  each_begin (&each);
  last = concur_channel_receive (channel);
  put_ints (channel, 1, 3);
  test_assert_int64 (first, 1);
  test_assert_int64 (last, 3);
  test_iterate_until (NULL, each.n_calls == 1);
  concur_channel_close (channel);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 1);
  each_clear (&each);
}

static gboolean
ready (gpointer n)
{
  ++*(guint *) n;

  return G_SOURCE_CONTINUE;
}

/* What else the loop has to do has its turn, though there is always more: the function
 * takes 30 turns' time. */
static void
test_turns (void)
{
  const guint priorities[] = { G_PRIORITY_DEFAULT, G_PRIORITY_HIGH_IDLE + 20 };

  for (guint i = 0; i < G_N_ELEMENTS (priorities); i++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (0);
      guint n_ready = 0;
      guint id;
      Each each;

      each_init (&each, channel);
      each.spin_us = 100;
      put_ints (channel, 0, 900);
      concur_channel_close (channel);
      each_begin (&each);
      /* Ready at once after each turn, but not all the time. */
      id = g_timeout_add_full (priorities[i], 1, ready, &n_ready, NULL);
      iterate_until_done (each.future);
      test_assert_int64 (each.future, 900);
      g_assert_cmpuint (n_ready, >, 10);
      g_source_remove (id);
      each_clear (&each);
    }
}

/* Many that are short, one after the other, are one long turn. */
static void
test_turns_of_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  Each each[100];
  guint n_ready = 0;
  guint id = g_timeout_add (1, ready, &n_ready);

  for (guint i = 0; i < G_N_ELEMENTS (each); i++)
    {
      each_init (&each[i], channel);
      each[i].next = i;
      each[i].spin_us = 500;
      each_begin (&each[i]);
    }
  put_ints (channel, 0, G_N_ELEMENTS (each));
  concur_channel_close (channel);
  for (guint i = 0; i < G_N_ELEMENTS (each); i++)
    {
      iterate_until_done (each[i].future);
      test_assert_int64 (each[i].future, 1);
      each_clear (&each[i]);
    }
  g_assert_cmpuint (n_ready, >, 20);
  g_source_remove (id);
}

static void
on_notify (GObject    *future,
           GParamSpec *pspec,
           gpointer    n)
{
  g_assert_cmpint (concur_future_get_state (CONCUR_FUTURE (future)), !=,
                   CONCUR_FUTURE_STATE_PENDING);
  ++*(guint *) n;
}

/* Who listens is told once that it is done, in whichever way. */
static void
test_notify (void)
{
  GMainContext *own = g_main_context_new ();

  for (guint which = 0; which < 2; which++)
    for (guint how = 0; how < 6; how++)
      {
        GMainContext *context = which == 0 ? NULL : own;
        g_autoptr (ConcurChannel) channel = concur_channel_new (0);
        guint n = 0;
        Each each;

        if (context != NULL)
          g_main_context_push_thread_default (context);
        each_init (&each, channel);
        each.cancel_at = how == 3 ? 1 : -1;
        if (how > 1)
          put_ints (channel, 0, 3);
        each_begin (&each);
        g_signal_connect (each.future, "notify::state", G_CALLBACK (on_notify), &n);
        /* Waiting, on the way or in the function; from here, or from elsewhere. */
        if (how == 0 || how == 2)
          g_assert_true (concur_future_cancel (each.future, CONCUR_CANCEL_NONE));
        else if (how == 1 || how == 4)
          g_assert_true (g_thread_join (g_thread_new ("cancel", cancel_it, each.future)) != NULL);
        else
          concur_channel_close (channel);
        test_iterate_until (context, n > 0);
        test_iterate_until (context, test_releases_get (&each.releases) > 0);
        while (g_main_context_iteration (context, FALSE))
          ;
        g_assert_cmpuint (n, ==, 1);
        each_clear (&each);
        if (context != NULL)
          g_main_context_pop_thread_default (context);
      }

  g_main_context_unref (own);
}

static gboolean
collect (ConcurChannel *channel,
         const GValue  *value,
         gpointer       text)
{
  g_string_append (text, G_VALUE_HOLDS_STRING (value) ? g_value_get_string (value) : "?");

  return TRUE;
}

static void
test_types (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GString) text = g_string_new ("");
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GValue value = G_VALUE_INIT;
  TestReleases gone = { 0 };

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, "one");
  g_assert_true (concur_channel_try_send (channel, &value, NULL));
  g_value_set_string (&value, "two");
  g_assert_true (concur_channel_try_send (channel, &value, NULL));
  g_value_unset (&value);
  g_assert_true (concur_channel_try_send (channel, NULL, NULL));
  test_releases_watch (&gone, object);
  g_value_init (&value, G_TYPE_OBJECT);
  g_value_take_object (&value, object);
  g_assert_true (concur_channel_try_send (channel, &value, NULL));
  g_value_unset (&value);

  future = concur_channel_for_each (channel, collect, text, NULL, NULL);
  test_iterate_until (NULL, test_releases_get (&gone) == 1);
  g_assert_cmpstr (text->str, ==, "onetwo??");
  concur_channel_close (channel);
  iterate_until_done (future);
}

/* With a producer: the first call starts it, enough stops it. */
static void
test_generate (void)
{
  g_autoptr (ConcurExecutor) pool = pool_new (1);
  Counter counter;
  Each each;

  counter_init (&counter, 1000);
  each_init (&each, generate (pool, &counter, 8));
  each_begin (&each);
  g_object_unref (each.channel);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 1000);
  each_clear (&each);
  counter_clear (&counter);

  counter_init (&counter, G_MAXINT64);
  each_init (&each, generate (pool, &counter, 8));
  each.enough_at = 500;
  each_begin (&each);
  g_object_unref (each.channel);
  iterate_until_done (each.future);
  test_assert_int64 (each.future, 501);
  each_clear (&each);
  test_gate_wait (&counter.ended);
  g_assert_error (counter.error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
  counter_clear (&counter);
  test_executor_end (g_steal_pointer (&pool));
  assert_nothing_left ();
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) future = NULL;

  test_critical (future = concur_channel_for_each (NULL, see, NULL, NULL, NULL));
  test_critical (future = concur_channel_for_each (channel, NULL, NULL, NULL, NULL));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-each/all", test_all);
  g_test_add_func ("/channel-each/ended-before", test_ended_before);
  g_test_add_func ("/channel-each/ends", test_ends);
  g_test_add_func ("/channel-each/enough", test_enough);
  g_test_add_func ("/channel-each/completion", test_completion);
  g_test_add_func ("/channel-each/nested", test_nested);
  g_test_add_func ("/channel-each/keeps-channel", test_keeps_channel);
  g_test_add_func ("/channel-each/forgotten", test_forgotten);
  g_test_add_func ("/channel-each/error-logged", test_error_logged);
  g_test_add_func ("/channel-each/in-turn", test_in_turn);
  g_test_add_func ("/channel-each/turns", test_turns);
  g_test_add_func ("/channel-each/turns/of-many", test_turns_of_many);
  g_test_add_func ("/channel-each/notify", test_notify);
  g_test_add_func ("/channel-each/types", test_types);
  g_test_add_func ("/channel-each/generate", test_generate);
  g_test_add_func ("/channel-each/mistakes", test_mistakes);

  return test_run ();
}
