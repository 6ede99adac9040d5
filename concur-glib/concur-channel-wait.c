/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels for threads: at once, or blocking. A thread that waits is a waiter on its own
 * stack. */

#include "config.h"

#include "concur-batch-private.h"
#include "concur-channel-private.h"
#include "concur-error.h"
#include "concur-exit-private.h"
#include "concur-worker-private.h"

#include <string.h>

/* As at submit: what piled up goes faster than it comes. */
#define SERVE_AT_WAIT 64

/* So many values are copied on the stack before they are sent. */
#define N_ON_STACK 16

void
concur_channel_copy_value (const GValue *source,
                           GValue       *value)
{
  memset (value, 0, sizeof *value);

  if (source == NULL || source->g_type == G_TYPE_INVALID)
    {
      g_value_init (value, G_TYPE_OBJECT);
    }
  else if (source->g_type == G_TYPE_INT64 || source->g_type == G_TYPE_DOUBLE
           || source->g_type == G_TYPE_BOOLEAN)
    {
      *value = *source;
    }
  else if (source->g_type == G_TYPE_STRING)
    {
      /* What GValue does, without its tables. */
      value->g_type = G_TYPE_STRING;
      value->data[0].v_pointer = g_strdup (source->data[0].v_pointer);
    }
  else
    {
      g_value_init (value, source->g_type);
      g_value_copy (source, value);
    }
}

GValue *
concur_channel_copy_values (const GValue *source,
                            guint         n_values)
{
  GValue *values = g_new (GValue, n_values);

  for (guint i = 0; i < n_values; i++)
    concur_channel_copy_value (&source[i], &values[i]);

  return values;
}

/* What a thread that waits is doing. */
enum
{
  THREAD_AWAKE,
  THREAD_PARKED,
  THREAD_SERVED,
};

static void
thread_served (ConcurChannelWaiter *waiter)
{
  ConcurThreadWaiter *self = (ConcurThreadWaiter *) waiter;

  /* Release: pairs with the acquires in concur_thread_waiter_wait (). From here on the
   * waiter's memory may be gone. */
  if (concur_atomic_exchange (&self->served, THREAD_SERVED, CONCUR_RELEASE) == THREAD_PARKED)
    concur_unpark_one (&self->served);
}

const ConcurChannelWaiterKind concur_thread_waiter_kind = { NULL, thread_served };

static gboolean
is_served (ConcurThreadWaiter *self)
{
  return concur_atomic_load (&self->served, CONCUR_ACQUIRE) == THREAD_SERVED;
}

gboolean
concur_thread_waiter_wait (ConcurThreadWaiter *self,
                           ConcurChannelCore  *core,
                           gint64              timeout_us)
{
  gint64 deadline = concur_deadline (timeout_us);
  guint32 doing = THREAD_AWAKE;
  gboolean in_time = TRUE;

  /* Acquire: what was written for it, if it is served already. */
  if (!concur_atomic_cas (&self->served, &doing, THREAD_PARKED, CONCUR_ACQUIRE))
    return TRUE;

  concur_worker_begin_blocking ();
  while (!is_served (self) && in_time)
    in_time = concur_park (&self->served, THREAD_PARKED, deadline);
  concur_worker_end_blocking ();

  if (is_served (self))
    return TRUE;
  if (concur_channel_core_take_out (core, &self->base))
    return FALSE;

  /* Somebody has it in hand: it is a matter of a few instructions. */
  while (!is_served (self))
    concur_park (&self->served, THREAD_PARKED, -1);

  return TRUE;
}

static gboolean
set_wait_error (GError **error)
{
  if (concur_has_stopped ())
    concur_set_stopped_error (error);
  else
    g_set_error_literal (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
                         "It could not be done at once");

  return TRUE;
}

/* What a call that was not served at once is to do. */
static ConcurChannelStatus
wait_for_turn (ConcurThreadWaiter *waiter,
               ConcurChannelCore  *core,
               gint64              timeout_us,
               gboolean           *told,
               GError            **error)
{
  if (concur_thread_waiter_wait (waiter, core, timeout_us))
    return waiter->base.status;

  g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
               "Not done after %" G_GINT64_FORMAT " ms", timeout_us / 1000);
  *told = TRUE;

  return CONCUR_CHANNEL_BLOCKED;
}

/* @timeout_us: 0 says so if it cannot be done at once, any other waits. How many were
 * sent. */
static guint
send_values (ConcurChannel  *self,
             GValue         *values,
             guint           n_values,
             gboolean        wait,
             gint64          timeout_us,
             GError        **error)
{
  ConcurChannelCore *core = concur_channel_get_core (self);
  gboolean can_wait = wait && timeout_us != 0 && !concur_has_stopped ();
  ConcurThreadWaiter waiter = {
    .base = { .kind = &concur_thread_waiter_kind, .values = values, .n_values = n_values },
  };
  gboolean told = FALSE;       /* @error is set */
  ConcurChannelStatus status;

  if (wait)
    concur_home_serve (SERVE_AT_WAIT);

  /* Of several values some may have gone: from then on it is this one's turn. */
  for (guint looks = can_wait && n_values == 1 ? CONCUR_YIELDS_BEFORE_PARKING : 0; looks > 0;
       looks--)
    {
      if (concur_channel_core_put (core, values))
        return 1;
      concur_yield ();
    }

  status = concur_channel_core_send (core, &waiter.base, can_wait);
  if (status == CONCUR_CHANNEL_WAITING)
    status = wait_for_turn (&waiter, core, timeout_us, &told, error);
  else if (status == CONCUR_CHANNEL_BLOCKED && wait)
    told = set_wait_error (error);

  if (status != CONCUR_CHANNEL_OK)
    {
      for (guint i = waiter.base.n_moved; i < n_values; i++)
        concur_value_clear (&values[i]);
      if (!told && error != NULL)
        *error = concur_channel_core_make_error (core, status, TRUE);
    }

  return waiter.base.n_moved;
}

static guint
send_copies (ConcurChannel  *self,
             const GValue   *source,
             guint           n_values,
             gboolean        wait,
             gint64          timeout_us,
             GError        **error)
{
  GValue on_stack[N_ON_STACK];
  GValue *values = on_stack;
  guint n_sent;

  if (n_values > N_ON_STACK)
    values = g_new (GValue, n_values);
  for (guint i = 0; i < n_values; i++)
    concur_channel_copy_value (&source[i], &values[i]);
  n_sent = send_values (self, values, n_values, wait, timeout_us, error);
  if (values != on_stack)
    g_free (values);

  return n_sent;
}

/* How many were received, into @values, or an array of its own. */
static guint
receive_values (ConcurChannel  *self,
                GValue        **values,
                guint           max_items,
                gboolean        wait,
                gint64          timeout_us,
                GError        **error)
{
  ConcurChannelCore *core = concur_channel_get_core (self);
  gboolean can_wait = wait && timeout_us != 0 && !concur_has_stopped ();
  ConcurThreadWaiter waiter = {
    .base = { .kind = &concur_thread_waiter_kind, .values = *values, .n_values = max_items },
  };
  gboolean told = FALSE;       /* @error is set */
  ConcurChannelStatus status;

  if (wait)
    concur_home_serve (SERVE_AT_WAIT);

  status = concur_channel_core_receive (core, &waiter.base, FALSE);
  for (guint looks = CONCUR_YIELDS_BEFORE_PARKING;
       status == CONCUR_CHANNEL_BLOCKED && can_wait && looks > 0; looks--)
    {
      concur_yield ();
      status = concur_channel_core_receive (core, &waiter.base, looks == 1);
    }
  if (status == CONCUR_CHANNEL_WAITING)
    status = wait_for_turn (&waiter, core, timeout_us, &told, error);
  else if (status == CONCUR_CHANNEL_BLOCKED && wait)
    told = set_wait_error (error);

  if (status != CONCUR_CHANNEL_OK)
    {
      if (!told && error != NULL)
        *error = concur_channel_core_make_error (core, status, FALSE);
      return 0;
    }
  *values = waiter.base.values;

  return waiter.base.n_moved;
}

/**
 * concur_channel_send_wait:
 * @self: a channel
 * @value: (nullable): what to send, or %NULL for a `NULL` object
 * @timeout_us: how long to wait for room at most, in microseconds, or -1 for as long as it
 *   takes
 * @error: return location for an error
 *
 * Sends a value, and blocks the calling thread until there is room for it.
 *
 * Not for a thread whose main loop is needed to make room. On a worker of a
 * [class@ThreadExecutor] another one may be started in its place meanwhile. In a process
 * that was forked, or after [func@quiesce], it does not wait: who would make room is not
 * there.
 *
 * When the time is over the error is %CONCUR_FUTURE_ERROR_TIMED_OUT, and the value is not
 * sent.
 *
 * Returns: %TRUE, or %FALSE with @error set if the value was not sent
 *
 * Since: 1.0
 */
gboolean
concur_channel_send_wait (ConcurChannel  *self,
                          const GValue   *value,
                          gint64          timeout_us,
                          GError        **error)
{
  GValue copy;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  concur_home_serve (SERVE_AT_WAIT);
  concur_channel_copy_value (value, &copy);

  return concur_channel_core_put (concur_channel_get_core (self), &copy)
         || send_values (self, &copy, 1, TRUE, timeout_us, error) == 1;
}

/**
 * concur_channel_send_many_wait:
 * @self: a channel
 * @values: (array length=n_values): what to send
 * @n_values: how many they are
 * @timeout_us: how long to wait for room at most, in microseconds, or -1 for as long as it
 *   takes
 * @error: return location for an error
 *
 * Sends values one after the other, as [method@Channel.send_wait] does with one. While the
 * last of them waits for room no other sender's turn comes.
 *
 * Returns: how many were sent; if not all of them, with @error set
 *
 * Since: 1.0
 */
guint
concur_channel_send_many_wait (ConcurChannel  *self,
                               const GValue   *values,
                               guint           n_values,
                               gint64          timeout_us,
                               GError        **error)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), 0);
  g_return_val_if_fail (values != NULL || n_values == 0, 0);
  g_return_val_if_fail (error == NULL || *error == NULL, 0);

  return send_copies (self, values, n_values, TRUE, timeout_us, error);
}

/**
 * concur_channel_receive_wait: (skip)
 * @self: a channel
 * @value: where the value goes, which must be unset: `G_VALUE_INIT`
 * @timeout_us: how long to wait for a value at most, in microseconds, or -1 for as long as
 *   it takes
 * @error: return location for an error
 *
 * Receives a value, and blocks the calling thread until there is one.
 *
 * Where it may be used is as with [method@Channel.send_wait]. When the time is over the
 * error is %CONCUR_FUTURE_ERROR_TIMED_OUT; at the end of the channel it is
 * %CONCUR_CHANNEL_ERROR_CLOSED, that of [method@Channel.fail], or
 * %CONCUR_CHANNEL_ERROR_STOPPED.
 *
 * Bindings have [method@Channel.receive_many_wait].
 *
 * Returns: %TRUE if @value was set, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_channel_receive_wait (ConcurChannel  *self,
                             GValue         *value,
                             gint64          timeout_us,
                             GError        **error)
{
  gboolean empty;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (value != NULL && value->g_type == G_TYPE_INVALID, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  concur_home_serve (SERVE_AT_WAIT);

  return concur_channel_core_take (concur_channel_get_core (self), value, &empty)
         || receive_values (self, &value, 1, TRUE, timeout_us, error) == 1;
}

/**
 * concur_channel_receive_many_wait:
 * @self: a channel
 * @max_items: how many values to receive at most
 * @timeout_us: how long to wait for the first one at most, in microseconds, or -1 for as
 *   long as it takes
 * @error: return location for an error
 *
 * Receives as many values as there are, and blocks the calling thread until there is at
 * least one. For the rest it is as [method@Channel.send_wait] and
 * [method@Channel.receive].
 *
 * Returns: (transfer full) (nullable): the values, or %NULL with @error set
 *
 * Since: 1.0
 */
ConcurBatch *
concur_channel_receive_many_wait (ConcurChannel  *self,
                                  guint           max_items,
                                  gint64          timeout_us,
                                  GError        **error)
{
  GValue *values = NULL;
  guint n;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (max_items > 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  n = receive_values (self, &values, max_items, TRUE, timeout_us, error);

  return n > 0 ? concur_batch_new_values (values, n) : NULL;
}

/**
 * concur_channel_try_send:
 * @self: a channel
 * @value: (nullable): what to send, or %NULL for a `NULL` object
 * @error: return location for an error
 *
 * Sends a value if there is room at this moment, and nobody waits for it.
 *
 * Otherwise the error is %CONCUR_CHANNEL_ERROR_FULL, or that of [method@Channel.send].
 *
 * Returns: %TRUE, or %FALSE with @error set if the value was not sent
 *
 * Since: 1.0
 */
gboolean
concur_channel_try_send (ConcurChannel  *self,
                         const GValue   *value,
                         GError        **error)
{
  GValue copy;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  concur_channel_copy_value (value, &copy);

  return concur_channel_core_put (concur_channel_get_core (self), &copy)
         || send_values (self, &copy, 1, FALSE, 0, error) == 1;
}

/**
 * concur_channel_try_send_many:
 * @self: a channel
 * @values: (array length=n_values): what to send
 * @n_values: how many they are
 * @error: return location for an error
 *
 * Sends as many of the values as there is room for at this moment.
 *
 * Returns: how many were sent; if not all of them, with @error set as by
 *   [method@Channel.try_send]
 *
 * Since: 1.0
 */
guint
concur_channel_try_send_many (ConcurChannel  *self,
                              const GValue   *values,
                              guint           n_values,
                              GError        **error)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), 0);
  g_return_val_if_fail (values != NULL || n_values == 0, 0);
  g_return_val_if_fail (error == NULL || *error == NULL, 0);

  return send_copies (self, values, n_values, FALSE, 0, error);
}

/**
 * concur_channel_try_receive: (skip)
 * @self: a channel
 * @value: where the value goes, which must be unset: `G_VALUE_INIT`
 * @error: return location for an error
 *
 * Receives a value if there is one at this moment.
 *
 * Otherwise the error is %CONCUR_CHANNEL_ERROR_EMPTY, or that of [method@Channel.receive].
 * Bindings have [method@Channel.try_receive_many].
 *
 * Returns: %TRUE if @value was set, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_channel_try_receive (ConcurChannel  *self,
                            GValue         *value,
                            GError        **error)
{
  ConcurChannelCore *core;
  gboolean empty;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (value != NULL && value->g_type == G_TYPE_INVALID, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  core = concur_channel_get_core (self);
  if (concur_channel_core_take (core, value, &empty))
    return TRUE;
  if (!empty)
    return receive_values (self, &value, 1, FALSE, 0, error) == 1;

  /* One who tries again and again does without. */
  if (error != NULL)
    *error = concur_channel_core_make_error (core, CONCUR_CHANNEL_BLOCKED, FALSE);

  return FALSE;
}

/**
 * concur_channel_try_receive_many:
 * @self: a channel
 * @max_items: how many values to receive at most
 * @error: return location for an error
 *
 * Receives the values there are at this moment.
 *
 * If there is none the error is %CONCUR_CHANNEL_ERROR_EMPTY, or that of
 * [method@Channel.receive].
 *
 * Returns: (transfer full) (nullable): the values, or %NULL with @error set
 *
 * Since: 1.0
 */
ConcurBatch *
concur_channel_try_receive_many (ConcurChannel  *self,
                                 guint           max_items,
                                 GError        **error)
{
  GValue *values = NULL;
  guint n;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (max_items > 0, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  n = receive_values (self, &values, max_items, FALSE, 0, error);

  return n > 0 ? concur_batch_new_values (values, n) : NULL;
}

/**
 * concur_channel_give_back:
 * @self: a channel
 * @value: (nullable): a value that was received and is not wanted
 *
 * Puts a value back, before all others, or gives it to the first who waits for one.
 *
 * This does not wait for room: the channel may hold one more than its capacity. At the end
 * of a closed channel there is something to receive once more, and then the end again.
 *
 * Returns: %TRUE, or %FALSE if the channel is stopped, and the value is forgotten
 *
 * Since: 1.0
 */
gboolean
concur_channel_give_back (ConcurChannel *self,
                          const GValue  *value)
{
  GValue copy;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);

  concur_channel_copy_value (value, &copy);
  if (concur_channel_core_give_back (concur_channel_get_core (self), &copy, 1, NULL))
    return TRUE;
  concur_value_clear (&copy);

  return FALSE;
}
