/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A function that is called in a main context for what comes out of a channel. */

#include "config.h"

#include "test-generate.h"

/* What the function has seen, and what it is to do. */
typedef struct
{
  ConcurChannel *channel;
  GThread *thread;             /* where it is to be called */
  ConcurFuture *future;        /* (owned) once it has begun */
  TestReleases releases;

  gint64 next;                 /* the number that comes next */
  guint n_calls;
  gint64 enough_at;            /* returns FALSE for this number */
  gint64 cancel_at;
  gint64 stop_at;
  gint64 nest_at;              /* runs the main loop for this one */
  guint depth;
  guint spin_us;               /* takes that long */
  gboolean was_done;           /* when it was released */
} Each;

static void
each_init (Each          *each,
           ConcurChannel *channel)
{
  *each = (Each) { channel, g_thread_self (), .enough_at = -1, .cancel_at = -1, .stop_at = -1,
                   .nest_at = -1 };
  each->releases.thread = g_thread_self ();
}

static void
drain_main_context (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static gboolean
see (ConcurChannel *channel,
     const GValue  *value,
     gpointer       data)
{
  Each *each = data;
  gint64 number = g_value_get_int64 (value);

  g_assert_true (channel == each->channel);
  g_assert_true (g_thread_self () == each->thread);
  g_assert_cmpint (number, ==, each->next);
  g_assert_cmpuint (each->depth, ==, 0);
  each->depth++;
  each->next++;
  each->n_calls++;

  if (each->spin_us > 0)
    {
      gint64 until = g_get_monotonic_time () + each->spin_us;

      while (g_get_monotonic_time () < until)
        ;
    }
  if (number == each->cancel_at)
    g_assert_true (concur_future_cancel (each->future, CONCUR_CANCEL_NONE));
  if (number == each->stop_at)
    g_assert_true (concur_channel_stop (channel));
  if (number == each->nest_at)
    drain_main_context ();
  each->depth--;

  return number != each->enough_at;
}

static void
each_released (gpointer data)
{
  Each *each = data;

  each->was_done = each->future != NULL
                   && concur_future_get_state (each->future) != CONCUR_FUTURE_STATE_PENDING;
  test_released (&each->releases);
}

static void
each_begin (Each *each)
{
  each->future = concur_channel_for_each (each->channel, see, each, each_released, NULL);
}

/* It has ended, and what was given with it has come home, once. */
static void
each_clear (Each *each)
{
  g_assert_cmpint (concur_future_get_state (each->future), !=, CONCUR_FUTURE_STATE_PENDING);
  test_iterate_until (NULL, test_releases_get (&each->releases) > 0);
  drain_main_context ();
  g_assert_cmpuint (test_releases_get (&each->releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&each->releases), ==, 0);
  g_clear_object (&each->future);
}

static void
iterate_until_done (ConcurFuture *future)
{
  test_iterate_until (NULL, concur_future_get_state (future) != CONCUR_FUTURE_STATE_PENDING);
}

static void
put_ints (ConcurChannel *channel,
          gint64         first,
          guint          n)
{
  for (guint i = 0; i < n; i++)
    put_int (channel, first + i);
}

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

static gpointer
cancel_it (gpointer future)
{
  return GINT_TO_POINTER (concur_future_cancel (future, CONCUR_CANCEL_NONE));
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

  g_test_add_func ("/channel-each/all", test_all);
  g_test_add_func ("/channel-each/ended-before", test_ended_before);
  g_test_add_func ("/channel-each/ends", test_ends);
  g_test_add_func ("/channel-each/enough", test_enough);
  g_test_add_func ("/channel-each/stop/inside", test_stop_inside);
  g_test_add_func ("/channel-each/stop/on-the-way", test_stop_on_the_way);
  g_test_add_func ("/channel-each/completion", test_completion);
  g_test_add_func ("/channel-each/cancel/inside", test_cancel_inside);
  g_test_add_func ("/channel-each/cancel/waiting", test_cancel_waiting);
  g_test_add_func ("/channel-each/cancel/on-the-way", test_cancel_on_the_way);
  g_test_add_func ("/channel-each/cancel/closed", test_cancel_closed);
  g_test_add_func ("/channel-each/nested", test_nested);
  g_test_add_func ("/channel-each/keeps-channel", test_keeps_channel);
  g_test_add_func ("/channel-each/forgotten", test_forgotten);
  g_test_add_func ("/channel-each/error-logged", test_error_logged);
  g_test_add_func ("/channel-each/in-turn", test_in_turn);
  g_test_add_func ("/channel-each/turns", test_turns);
  g_test_add_func ("/channel-each/turns/of-many", test_turns_of_many);
  g_test_add_func ("/channel-each/deadlock", test_deadlock);
  g_test_add_func ("/channel-each/other-thread", test_other_thread);
  g_test_add_func ("/channel-each/context-gone", test_context_gone);
  g_test_add_func ("/channel-each/notify", test_notify);
  g_test_add_func ("/channel-each/types", test_types);
  g_test_add_func ("/channel-each/generate", test_generate);
  g_test_add_func ("/channel-each/mistakes", test_mistakes);
  g_test_add_func ("/channel-each/stress", test_stress);

  return test_run ();
}
