/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of channels share: numbers as values, in each form of the calls. */

#pragma once

#include "concur-channel-private.h"
#include "test-workers.h"

static inline guint
channel_cores_alive (void)
{
  return (guint) atomic_load (&concur_channel_cores_alive);
}

static inline void
set_int (GValue *value,
         gint64  number)
{
  *value = (GValue) G_VALUE_INIT;
  g_value_init (value, G_TYPE_INT64);
  g_value_set_int64 (value, number);
}

/* Sends at once; there is room. */
static inline void
put_int (ConcurChannel *channel,
         gint64         number)
{
  g_autoptr (GError) error = NULL;
  GValue value;

  set_int (&value, number);
  g_assert_true (concur_channel_try_send (channel, &value, &error));
  g_assert_no_error (error);
}

static inline G_GNUC_WARN_UNUSED_RESULT ConcurFuture *
send_int (ConcurChannel *channel,
          gint64         number)
{
  GValue value;

  set_int (&value, number);

  return concur_channel_send (channel, &value);
}

/* Receives at once; there is something. */
static inline gint64
take_int (ConcurChannel *channel)
{
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;

  g_assert_true (concur_channel_try_receive (channel, &value, &error));
  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS_INT64 (&value));

  return g_value_get_int64 (&value);
}

static inline gint64
wait_int (ConcurChannel *channel)
{
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;

  g_assert_true (concur_channel_receive_wait (channel, &value, TEST_PATIENCE_US, &error));
  g_assert_no_error (error);

  return g_value_get_int64 (&value);
}

/* What a future of receive_many () has. */
static inline ConcurBatch *
get_batch (ConcurFuture *future)
{
  return CONCUR_BATCH (g_value_get_object (concur_future_get_value (future, NULL)));
}

/* Nothing can be received, for this reason. */
#define assert_no_receive(channel, why)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    GValue value_ = G_VALUE_INIT;                                                                  \
    g_assert_false (concur_channel_try_receive ((channel), &value_, &error_));                     \
    g_assert_error (error_, CONCUR_CHANNEL_ERROR, (why));                                          \
    g_assert_cmpuint (G_VALUE_TYPE (&value_), ==, G_TYPE_INVALID);                                 \
  }                                                                                                \
  G_STMT_END

#define assert_no_send(channel, why)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    GValue value_;                                                                                 \
    set_int (&value_, -1);                                                                         \
    g_assert_false (concur_channel_try_send ((channel), &value_, &error_));                        \
    g_assert_error (error_, CONCUR_CHANNEL_ERROR, (why));                                          \
  }                                                                                                \
  G_STMT_END

#define assert_pending(future) \
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING)

/* What waits in the queues of a channel. */
static inline guint
count_waiters (ConcurChannel *channel)
{
  ConcurChannelCore *core = concur_channel_get_core (channel);
  guint n = 0;

  concur_lock_acquire (&core->lock);
  for (ConcurChannelWaiter *waiter = core->senders; waiter != NULL; waiter = waiter->next)
    n++;
  for (ConcurChannelWaiter *waiter = core->receivers; waiter != NULL; waiter = waiter->next)
    n++;
  concur_lock_release (&core->lock);

  return n;
}
