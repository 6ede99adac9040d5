/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of functions that are called for each value share: one that notes what it
 * has seen and does what it is told to. */

#pragma once

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

static inline void
each_init (Each          *each,
           ConcurChannel *channel)
{
  *each = (Each) { channel, g_thread_self (), .enough_at = -1, .cancel_at = -1, .stop_at = -1,
                   .nest_at = -1 };
  each->releases.thread = g_thread_self ();
}

static inline void
drain_main_context (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static inline gboolean
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

static inline void
each_released (gpointer data)
{
  Each *each = data;

  each->was_done = each->future != NULL
                   && concur_future_get_state (each->future) != CONCUR_FUTURE_STATE_PENDING;
  test_released (&each->releases);
}

static inline void
each_begin (Each *each)
{
  each->future = concur_channel_for_each (each->channel, see, each, each_released, NULL);
}

/* It has ended, and what was given with it has come home, once. */
static inline void
each_clear (Each *each)
{
  g_assert_cmpint (concur_future_get_state (each->future), !=, CONCUR_FUTURE_STATE_PENDING);
  test_iterate_until (NULL, test_releases_get (&each->releases) > 0);
  drain_main_context ();
  g_assert_cmpuint (test_releases_get (&each->releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&each->releases), ==, 0);
  g_clear_object (&each->future);
}

static inline void
iterate_until_done (ConcurFuture *future)
{
  test_iterate_until (NULL, concur_future_get_state (future) != CONCUR_FUTURE_STATE_PENDING);
}

static inline void
put_ints (ConcurChannel *channel,
          gint64         first,
          guint          n)
{
  for (guint i = 0; i < n; i++)
    put_int (channel, first + i);
}

static inline gpointer
cancel_it (gpointer future)
{
  return GINT_TO_POINTER (concur_future_cancel (future, CONCUR_CANCEL_NONE));
}
