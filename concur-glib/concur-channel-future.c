/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Those who wait at a channel without a thread: futures that are their own waiters.
 *
 * A future in the channel's queue is kept alive by it. One that is cancelled is taken out
 * by the one who cancels it; who serves it may be quicker and finds that it cannot be
 * claimed. Either way it is let go once. */

#include "config.h"

#include "concur-batch-private.h"
#include "concur-channel-private.h"
#include "concur-error.h"

/* As at submit: what piled up goes faster than it comes. */
#define SERVE_AT_CHANNEL 4

typedef enum
{
  ROLE_RECEIVE,
  ROLE_RECEIVE_MANY,
  ROLE_SEND,
  ROLE_SEND_MANY,
  ROLE_COMPLETION,
} Role;

#define CONCUR_TYPE_CHANNEL_FUTURE (concur_channel_future_get_type ())
G_DECLARE_FINAL_TYPE (ConcurChannelFuture, concur_channel_future, CONCUR, CHANNEL_FUTURE, ConcurFuture)

struct _ConcurChannelFuture
{
  ConcurFuture parent_instance;

  /* immutable, but for a completion: until it is done */
  ConcurChannelCore *core; /* (owned) */
  Role role;

  ConcurChannelWaiter waiter;
  GValue own;              /* of a single send: what it sends */
};

G_DEFINE_FINAL_TYPE (ConcurChannelFuture, concur_channel_future, CONCUR_TYPE_FUTURE)

static void
drop_values (ConcurChannelFuture *self)
{
  ConcurChannelWaiter *waiter = &self->waiter;

  if (self->role != ROLE_SEND && self->role != ROLE_SEND_MANY)
    return;

  for (guint i = waiter->n_moved; i < waiter->n_values; i++)
    concur_value_clear (&waiter->values[i]);
  if (waiter->values != &self->own)
    g_free (waiter->values);
  waiter->values = NULL;
  waiter->n_values = waiter->n_moved;
}

static void
concur_channel_future_finalize (GObject *object)
{
  ConcurChannelFuture *self = CONCUR_CHANNEL_FUTURE (object);

  drop_values (self);
  g_clear_pointer (&self->core, concur_channel_core_unref);

  G_OBJECT_CLASS (concur_channel_future_parent_class)->finalize (object);
}

static void
concur_channel_future_class_init (ConcurChannelFutureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_channel_future_finalize;
}

static void
concur_channel_future_init (ConcurChannelFuture *self)
{
}

static ConcurChannelFuture *
from_waiter (ConcurChannelWaiter *waiter)
{
  return (ConcurChannelFuture *) ((char *) waiter - G_STRUCT_OFFSET (ConcurChannelFuture, waiter));
}

/* The caller has answered_begin (): writes what it begins. */
static void
answer (ConcurChannelFuture *self)
{
  ConcurFuture *future = CONCUR_FUTURE (self);
  GValue *value = &concur_future_private (self)->value;
  ConcurChannelWaiter *waiter = &self->waiter;

  if (waiter->status != CONCUR_CHANNEL_OK)
    {
      gboolean sending = self->role == ROLE_SEND || self->role == ROLE_SEND_MANY;

      g_value_init (value, G_TYPE_ERROR);
      g_value_take_boxed (value, concur_channel_core_make_error (self->core, waiter->status,
                                                                 sending));
      if (waiter->status != CONCUR_CHANNEL_FAILED)
        concur_future_ignore (future);
    }
  else if (self->role == ROLE_RECEIVE_MANY)
    {
      ConcurBatch *batch = concur_batch_new_values (waiter->values, waiter->n_moved);

      g_value_init (value, CONCUR_TYPE_BATCH);
      g_value_take_object (value, batch);
    }
  else if (self->role == ROLE_SEND)
    {
      concur_value_init_scalar (value, G_TYPE_BOOLEAN);
      value->data[0].v_int = TRUE;
    }
  else if (self->role == ROLE_SEND_MANY)
    {
      concur_value_init_scalar (value, G_TYPE_INT64);
      value->data[0].v_int64 = waiter->n_moved;
    }

  /* What was not sent goes now, not with the future. */
  drop_values (self);
  concur_future_answer_end (future, CONCUR_ANSWER_WRITE);
}

static gboolean
future_claim (ConcurChannelWaiter *waiter)
{
  ConcurChannelFuture *self = from_waiter (waiter);

  return concur_future_answer_begin (CONCUR_FUTURE (self)) == CONCUR_ANSWER_WRITE;
}

static void
future_served (ConcurChannelWaiter *waiter)
{
  ConcurChannelFuture *self = from_waiter (waiter);

  if (waiter->status == CONCUR_CHANNEL_CANCELLED)
    drop_values (self);
  else
    answer (self);
  g_object_unref (self);
}

static const ConcurChannelWaiterKind future_kind = { future_claim, future_served };

void
concur_channel_future_asked (ConcurFuture *future)
{
  ConcurLock *stripe = concur_future_stripe (future);
  ConcurChannelCore *core = NULL;

  /* It may be answered meanwhile, and let go of the core. */
  concur_lock_acquire (stripe);
  if (CONCUR_CHANNEL_FUTURE (future)->core != NULL)
    core = concur_channel_core_ref (CONCUR_CHANNEL_FUTURE (future)->core);
  concur_lock_release (stripe);

  if (core == NULL)
    return;

  concur_channel_core_stop (core);
  concur_channel_core_unref (core);
}

void
concur_channel_future_cancelled (ConcurFuture *future)
{
  ConcurChannelFuture *self = (ConcurChannelFuture *) future;

  if (!CONCUR_IS_CHANNEL_FUTURE (future))
    {
      concur_channel_binding_cancelled (future);
    }
  else if (self->role == ROLE_COMPLETION)
    {
      concur_channel_future_asked (future);
      if (!CONCUR_PLANTED_BUG ("channel-completion-kept"))
        concur_channel_completion_let_go (future);
    }
  else if (concur_channel_core_take_out (self->core, &self->waiter))
    {
      drop_values (self);
      g_object_unref (self);
    }
}

static ConcurChannelFuture *
channel_future_new (ConcurChannelCore *core,
                    Role               role)
{
  ConcurChannelFuture *self = g_object_new (CONCUR_TYPE_CHANNEL_FUTURE, NULL);
  ConcurFuturePrivate *priv = concur_future_private (self);

  concur_atomic_init (&priv->home, concur_home_hold_current ());
  concur_atomic_init (&priv->state, CONCUR_PHASE_OPEN | CONCUR_STATE_CHANNEL);
  self->core = concur_channel_core_ref (core);
  self->role = role;
  self->waiter.kind = &future_kind;

  return self;
}

/* Nobody else has it yet. */
static ConcurFuture *
answer_at_once (ConcurChannelFuture *self,
                ConcurChannelStatus  status)
{
  self->waiter.status = status;
  concur_future_answer_begin (CONCUR_FUTURE (self));
  answer (self);

  return CONCUR_FUTURE (self);
}

static ConcurFuture *
send (ConcurChannelFuture *self)
{
  ConcurChannelStatus status;

  /* The queue's reference, which is taken over there. */
  g_object_ref (self);
  status = concur_channel_core_send (self->core, &self->waiter, TRUE);
  if (status == CONCUR_CHANNEL_WAITING)
    return CONCUR_FUTURE (self);
  g_object_unref (self);

  return answer_at_once (self, status);
}

static ConcurFuture *
receive (ConcurChannelFuture *self)
{
  ConcurChannelStatus status;

  g_object_ref (self);
  status = concur_channel_core_receive (self->core, &self->waiter, TRUE);
  if (status == CONCUR_CHANNEL_WAITING)
    return CONCUR_FUTURE (self);
  g_object_unref (self);

  return answer_at_once (self, status);
}

/**
 * concur_channel_send:
 * @self: a channel
 * @value: (nullable): what to send, or %NULL for a `NULL` object
 *
 * Sends a value, without blocking the calling thread.
 *
 * The future is resolved, with %TRUE, when the value is in the channel or a receiver has
 * it, which may be at once. While it waits for room it can be cancelled: then the value is
 * not sent. If the channel is closed it is rejected with %CONCUR_CHANNEL_ERROR_CLOSED, and
 * if it is stopped, now or while the sender waits, with %CONCUR_CHANNEL_ERROR_STOPPED.
 *
 * The value is copied; the copy is let go by the receiver, or if it is not sent, where that
 * is decided. A [struct@GLib.Error] is a value like any other, but a future that receives
 * it is rejected with it.
 *
 * Returns: (transfer full): a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_send (ConcurChannel *self,
                     const GValue  *value)
{
  ConcurChannelFuture *future;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);

  concur_home_serve (SERVE_AT_CHANNEL);
  future = channel_future_new (concur_channel_get_core (self), ROLE_SEND);
  concur_channel_copy_value (value, &future->own);
  future->waiter.values = &future->own;
  future->waiter.n_values = 1;

  return send (future);
}

/**
 * concur_channel_send_many:
 * @self: a channel
 * @values: (array length=n_values): what to send
 * @n_values: how many they are
 *
 * Sends values one after the other, as [method@Channel.send] does with one.
 *
 * While the last of them waits for room no other sender's turn comes. The future is
 * resolved with their number, as an int64, when all are sent. If it is cancelled or
 * rejected, some may have been sent.
 *
 * Returns: (transfer full): a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_send_many (ConcurChannel *self,
                          const GValue  *values,
                          guint          n_values)
{
  ConcurChannelFuture *future;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (values != NULL || n_values == 0, NULL);

  concur_home_serve (SERVE_AT_CHANNEL);
  future = channel_future_new (concur_channel_get_core (self), ROLE_SEND_MANY);
  future->waiter.values = concur_channel_copy_values (values, n_values);
  future->waiter.n_values = n_values;

  return send (future);
}

/**
 * concur_channel_receive:
 * @self: a channel
 *
 * Receives a value, without blocking the calling thread.
 *
 * The future is resolved with the value when there is one. At the end of the channel it is
 * rejected with %CONCUR_CHANNEL_ERROR_CLOSED, the error of [method@Channel.fail], or
 * %CONCUR_CHANNEL_ERROR_STOPPED.
 *
 * It can be cancelled as long as it waits, and its turn passes to the next. One that is only
 * forgotten still has its turn, and the value that it gets is lost with it. To end a wait
 * without losing anything, look at what [method@Future.cancel] returned: if it is %FALSE the
 * future has its value, which can be given back with [method@Channel.give_back].
 *
 * Returns: (transfer full): a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_receive (ConcurChannel *self)
{
  ConcurChannelFuture *future;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);

  concur_home_serve (SERVE_AT_CHANNEL);
  future = channel_future_new (concur_channel_get_core (self), ROLE_RECEIVE);
  /* Whoever serves it writes the value where it belongs. */
  future->waiter.values = &concur_future_private (future)->value;
  future->waiter.n_values = 1;

  return receive (future);
}

/**
 * concur_channel_receive_many:
 * @self: a channel
 * @max_items: how many values to receive at most
 *
 * Receives as many values as there are, and at least one, as [method@Channel.receive] does
 * with one.
 *
 * The future's value is a [class@Batch].
 *
 * Returns: (transfer full): a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_receive_many (ConcurChannel *self,
                             guint          max_items)
{
  ConcurChannelFuture *future;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (max_items > 0, NULL);

  concur_home_serve (SERVE_AT_CHANNEL);
  future = channel_future_new (concur_channel_get_core (self), ROLE_RECEIVE_MANY);
  future->waiter.n_values = max_items;

  return receive (future);
}

ConcurFuture *
concur_channel_completion_new (ConcurChannelCore *core)
{
  ConcurFuture *self = CONCUR_FUTURE (channel_future_new (core, ROLE_COMPLETION));

  /* Receivers get the same error. */
  concur_future_ignore (self);

  return self;
}

void
concur_channel_completion_let_go (ConcurFuture *self)
{
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurChannelCore *core;

  concur_lock_acquire (stripe);
  core = g_steal_pointer (&CONCUR_CHANNEL_FUTURE (self)->core);
  concur_lock_release (stripe);

  concur_channel_core_unref (core);
}

static void
return_sent (ConcurFuture *future,
             GTask        *task)
{
  GError *error = NULL;

  if (concur_future_do_check (future, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* The value stays where it is: in the future, which the task keeps. */
static void
return_received (ConcurFuture *future,
                 GTask        *task)
{
  GError *error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  if (value != NULL)
    g_task_return_pointer (task, (gpointer) value, NULL);
  else
    g_task_return_error (task, error);
}

static void
finish_as_task (ConcurFuture        *future,
                ConcurChannel       *self,
                gpointer             tag,
                GCancellable        *cancellable,
                GAsyncReadyCallback  callback,
                gpointer             user_data,
                void               (*done) (ConcurFuture *future,
                                            GTask        *task))
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, tag);
  /* What was received counts, even if it was cancelled a moment later. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, g_object_ref (future), g_object_unref);
  concur_future_cancel_as_task (future, task, done);
  g_object_unref (future);
}

/**
 * concur_channel_send_async:
 * @self: a channel
 * @value: (nullable): what to send, or %NULL for a `NULL` object
 * @cancellable: (nullable): gives up as long as the value waits for room
 * @callback: (scope async) (closure user_data): called when the value was sent, or not
 * @user_data: data for @callback
 *
 * Sends a value like [method@Channel.send], as a GIO-style asynchronous operation.
 *
 * @callback runs in the thread-default main context of the calling thread.
 *
 * Since: 1.0
 */
void
concur_channel_send_async (ConcurChannel       *self,
                           const GValue        *value,
                           GCancellable        *cancellable,
                           GAsyncReadyCallback  callback,
                           gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_CHANNEL (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  finish_as_task (concur_channel_send (self, value), self, concur_channel_send_async, cancellable,
                  callback, user_data, return_sent);
}

/**
 * concur_channel_send_finish:
 * @self: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends what [method@Channel.send_async] began.
 *
 * Returns: %TRUE, or %FALSE with @error set if the value was not sent
 *
 * Since: 1.0
 */
gboolean
concur_channel_send_finish (ConcurChannel  *self,
                            GAsyncResult   *result,
                            GError        **error)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * concur_channel_receive_async:
 * @self: a channel
 * @cancellable: (nullable): gives up as long as there is no value
 * @callback: (scope async) (closure user_data): called when there is a value, or never will
 *   be
 * @user_data: data for @callback
 *
 * Receives a value like [method@Channel.receive], as a GIO-style asynchronous operation.
 *
 * @callback runs in the thread-default main context of the calling thread. No value is lost
 * by cancelling: either it is received, or it stays in the channel.
 *
 * Since: 1.0
 */
void
concur_channel_receive_async (ConcurChannel       *self,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_CHANNEL (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  finish_as_task (concur_channel_receive (self), self, concur_channel_receive_async, cancellable,
                  callback, user_data, return_received);
}

/**
 * concur_channel_receive_finish:
 * @self: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends what [method@Channel.receive_async] began.
 *
 * Returns: (transfer none) (nullable): the value, valid as long as @result, or %NULL with
 *   @error set
 *
 * Since: 1.0
 */
const GValue *
concur_channel_receive_finish (ConcurChannel  *self,
                               GAsyncResult   *result,
                               GError        **error)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
