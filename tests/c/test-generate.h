/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of generated channels share: a function that counts, and says what has
 * become of it. */

#pragma once

#include "test-channel.h"

typedef struct
{
  /* immutable */
  gint64 n;               /* how many numbers to send: 0, 1, 2… */
  gboolean deaf;          /* it goes on when sending fails, until told to */
  const GError *ends_with; /* (nullable) instead of success */

  TestGate begun;
  TestGate cleaning;      /* sending has failed, or it has sent all */
  TestGate *may_end;      /* (nullable) waited for before it returns */
  TestGate ended;         /* it returns */

  gint n_calls;           /* atomic */
  gint n_sent;            /* atomic */
  GThread *thread;        /* that runs it */
  GError *error;          /* (owned) why sending failed */
  gboolean was_cancelled; /* whether the job was, when it cleaned up */

  TestReleases releases;  /* of the function's data */
} Counter;

static inline gboolean
count (ConcurJob      *job,
       ConcurChannel  *channel,
       gpointer        data,
       GError        **error)
{
  Counter *counter = data;

  g_atomic_int_inc (&counter->n_calls);
  counter->thread = g_thread_self ();
  test_gate_open (&counter->begun);

  for (gint64 i = 0; i < counter->n && counter->error == NULL; i++)
    {
      GValue value;

      set_int (&value, i);
      if (concur_channel_send_wait (channel, &value, -1, &counter->error))
        g_atomic_int_inc (&counter->n_sent);
    }

  counter->was_cancelled = concur_job_is_cancelled (job);
  test_gate_open (&counter->cleaning);
  if (counter->may_end != NULL)
    test_gate_wait (counter->may_end);
  if (counter->error != NULL && !counter->deaf)
    g_propagate_error (error, g_error_copy (counter->error));
  else if (counter->ends_with != NULL)
    g_propagate_error (error, g_error_copy (counter->ends_with));
  test_gate_open (&counter->ended);

  return *error == NULL;
}

static inline void
counter_released (gpointer data)
{
  test_released (&((Counter *) data)->releases);
}

static inline void
counter_init (Counter *counter,
              gint64   n)
{
  *counter = (Counter) { .n = n };
  counter->releases.thread = g_thread_self ();
}

static inline ConcurChannel *
generate (gpointer  executor,
          Counter  *counter,
          guint     capacity)
{
  return concur_executor_generate (executor, count, counter, counter_released, capacity, NULL);
}

/* The end of it, and what was given with it has come home, once. */
static inline void
counter_clear (Counter *counter)
{
  test_iterate_until (NULL, test_releases_get (&counter->releases) > 0);
  g_assert_cmpuint (test_releases_get (&counter->releases), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&counter->releases), ==, 0);
  g_clear_error (&counter->error);
}

static inline void
wait_error (ConcurChannel  *channel,
            GError        **error)
{
  GValue value = G_VALUE_INIT;

  g_assert_false (concur_channel_receive_wait (channel, &value, TEST_PATIENCE_US, error));
}

/* The next receiver gets this error, however long it takes. */
#define assert_ends(channel, domain, code)                                                         \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    wait_error ((channel), &error_);                                                               \
    g_assert_error (error_, (domain), (code));                                                     \
  }                                                                                                \
  G_STMT_END

#define assert_closed(channel) \
  assert_ends ((channel), CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED)

static inline ConcurExecutor *
pool_new (guint max_threads)
{
  return CONCUR_EXECUTOR (concur_thread_executor_new (max_threads));
}

/* No channel of these tests is left, when this thread has let go of what is its own. */
static inline void
assert_nothing_left (void)
{
  test_iterate_until (NULL, channel_cores_alive () == 0);
  test_iterate_until (NULL, test_futures_alive () == 0);
}

/* A callback of receive_async (), whose number goes to @got. */
static inline void
on_received (GObject      *channel,
             GAsyncResult *result,
             gpointer      got)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_channel_receive_finish (CONCUR_CHANNEL (channel), result, &error);

  g_assert_no_error (error);
  *(gint64 *) got = g_value_get_int64 (value);
}
