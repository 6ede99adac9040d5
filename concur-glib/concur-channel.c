/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurChannel:
 *
 * A queue of values between any threads and main loops, with back-pressure.
 *
 * Senders put values in, receivers take them out in the same order. A bounded channel that
 * is full makes its senders wait, so that a fast producer does not fill the memory.
 *
 * ```c
 * static gboolean
 * count (ConcurJob *job, gpointer channel, GError **error)
 * {
 *   for (gint64 i = 0; i < 1000; i++)
 *     {
 *       g_auto (GValue) value = G_VALUE_INIT;
 *
 *       g_value_init (&value, G_TYPE_INT64);
 *       g_value_set_int64 (&value, i);
 *       if (!concur_channel_send_wait (channel, &value, -1, error))
 *         return FALSE;
 *     }
 *   concur_channel_close (channel);
 *   concur_job_return_boolean (job, TRUE);
 *   return TRUE;
 * }
 *
 * static void
 * on_received (GObject *channel, GAsyncResult *result, gpointer user_data)
 * {
 *   g_autoptr (GError) error = NULL;
 *   const GValue *value = concur_channel_receive_finish (CONCUR_CHANNEL (channel), result,
 *                                                        &error);
 *
 *   if (value == NULL)  // CONCUR_CHANNEL_ERROR_CLOSED: that was all
 *     return;
 *   g_print ("%" G_GINT64_FORMAT "\n", g_value_get_int64 (value));
 *   concur_channel_receive_async (CONCUR_CHANNEL (channel), NULL, on_received, NULL);
 * }
 *
 * ConcurChannel *channel = concur_channel_new (16);
 * ConcurFuture *job = concur_executor_submit (concur_executor_get_default (), count,
 *                                             g_object_ref (channel), g_object_unref, NULL);
 *
 * concur_channel_receive_async (channel, NULL, on_received, NULL);
 * ```
 *
 * Each call comes in three forms: as a future ([method@Channel.receive]) or in GIO's manner
 * (`receive_async`) for threads that run a main loop, blocking (`receive_wait`) for threads
 * that may wait, and `try_receive` which never waits. They can be mixed, with any number of
 * senders and receivers: whoever came first is served first, and each value goes to one
 * receiver. Who waits is woken by who serves it; nobody polls.
 *
 * ## The end
 *
 * A channel ends from either side. Senders [method@Channel.close] it: what was sent before,
 * also what still waits for room, is received, and after it every receiver gets
 * %CONCUR_CHANNEL_ERROR_CLOSED; with [method@Channel.fail] it is an error of the sender's
 * own instead. Receivers [method@Channel.stop] it: what is in it is dropped, and whoever
 * waits or comes later gets %CONCUR_CHANNEL_ERROR_STOPPED.
 * [method@Channel.dup_completion] is a future for the end.
 *
 * No error of a channel is one that nobody looked at: unlike other futures, one that is
 * rejected with an error of %CONCUR_CHANNEL_ERROR is not logged.
 *
 * When the last reference to the channel goes, it is stopped. A future of a send or receive
 * that waits does not count: keep the channel as long as one waits. An operation in GIO's
 * manner does, as the source object of its result.
 *
 * ## Threads
 *
 * All methods may be called from any thread. Futures get done on the thread that makes it
 * possible: that of the sender, of the receiver or of who ends the channel. Values are
 * copied on the sending thread. What is dropped is let go on the thread that stops the
 * channel.
 *
 * In a process that was forked nobody waits. If at that moment another thread was just at the
 * channel, it is of no use there: sending and receiving fail with
 * %CONCUR_EXECUTOR_ERROR_NOT_RUNNING.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-channel-private.h"
#include "concur-error.h"

struct _ConcurChannel
{
  GObject parent_instance;

  /* immutable once constructed */
  ConcurChannelCore *core; /* (owned) */
  guint capacity;          /* as it was given: 0 for no bound */
  gboolean consumer;       /* nobody receives any more when it goes */
};

enum
{
  PROP_0,
  PROP_CAPACITY,
  PROP_LENGTH,
  PROP_CLOSED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (ConcurChannel, concur_channel, G_TYPE_OBJECT)

ConcurChannelCore *
concur_channel_get_core (ConcurChannel *self)
{
  return self->core;
}

GError *
concur_channel_core_make_error (ConcurChannelCore   *self,
                                ConcurChannelStatus  status,
                                gboolean             sending)
{
  GError *error = NULL;

  switch (status)
    {
    case CONCUR_CHANNEL_BLOCKED:
      return sending ? g_error_new (CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_FULL,
                                    "The channel has its %u items, and nobody has taken one",
                                    self->capacity)
                     : g_error_new_literal (CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_EMPTY,
                                            "There is nothing in the channel");
    case CONCUR_CHANNEL_FAILED:
      return g_error_copy (self->error);
    case CONCUR_CHANNEL_FORKED:
      concur_set_stopped_error (&error);
      return error;
    case CONCUR_CHANNEL_GONE:
      return g_error_new_literal (CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED,
                                  "The channel was stopped: nobody receives from it any more");
    default:
      return g_error_new_literal (CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED,
                                  sending ? "The channel was closed: nothing can be sent any more"
                                          : "The channel was closed, and all that was sent has "
                                            "been received");
    }
}

static void
concur_channel_constructed (GObject *object)
{
  ConcurChannel *self = CONCUR_CHANNEL (object);

  G_OBJECT_CLASS (concur_channel_parent_class)->constructed (object);

  if (self->core == NULL)
    self->core = concur_channel_core_new (self->capacity, NULL);
}

static void
concur_channel_finalize (GObject *object)
{
  ConcurChannel *self = CONCUR_CHANNEL (object);

  if (self->consumer)
    concur_channel_core_stop (self->core);
  concur_channel_core_unref (self->core);

  G_OBJECT_CLASS (concur_channel_parent_class)->finalize (object);
}

static void
concur_channel_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  ConcurChannel *self = CONCUR_CHANNEL (object);

  switch (prop_id)
    {
    case PROP_CAPACITY:
      g_value_set_uint (value, self->capacity);
      break;
    case PROP_LENGTH:
      g_value_set_uint (value, concur_channel_get_length (self));
      break;
    case PROP_CLOSED:
      g_value_set_boolean (value, concur_channel_is_closed (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_channel_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  ConcurChannel *self = CONCUR_CHANNEL (object);

  switch (prop_id)
    {
    case PROP_CAPACITY:
      self->capacity = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_channel_class_init (ConcurChannelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->constructed = concur_channel_constructed;
  object_class->finalize = concur_channel_finalize;
  object_class->get_property = concur_channel_get_property;
  object_class->set_property = concur_channel_set_property;

  /**
   * ConcurChannel:capacity: (getter get_capacity)
   *
   * How many values it holds before senders have to wait, or 0 for no bound.
   *
   * Since: 1.0
   */
  properties[PROP_CAPACITY] = g_param_spec_uint ("capacity", NULL, NULL, 0, G_MAXINT, 0,
                                                 G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY
                                                   | G_PARAM_STATIC_STRINGS);

  /**
   * ConcurChannel:length: (getter get_length)
   *
   * How many values are in it. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_LENGTH] = g_param_spec_uint ("length", NULL, NULL, 0, G_MAXUINT, 0,
                                               G_PARAM_READABLE | G_PARAM_STATIC_STRINGS
                                                 | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * ConcurChannel:closed: (getter is_closed)
   *
   * Whether nothing can be sent any more. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_CLOSED] = g_param_spec_boolean ("closed", NULL, NULL, FALSE,
                                                  G_PARAM_READABLE | G_PARAM_STATIC_STRINGS
                                                    | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_channel_init (ConcurChannel *self)
{
  self->consumer = TRUE;
}

/**
 * concur_channel_new:
 * @capacity: how many values it holds before senders have to wait, or 0 for no bound
 *
 * Makes a channel.
 *
 * Returns: (transfer full): a new channel
 *
 * Since: 1.0
 */
ConcurChannel *
concur_channel_new (guint capacity)
{
  g_return_val_if_fail (capacity <= G_MAXINT, NULL);

  return g_object_new (CONCUR_TYPE_CHANNEL, "capacity", capacity, NULL);
}

ConcurChannel *
concur_channel_new_for_core (ConcurChannelCore *core,
                             gboolean           consumer)
{
  ConcurChannel *self = g_object_new (CONCUR_TYPE_CHANNEL,
                                      "capacity", core->capacity == G_MAXUINT ? 0 : core->capacity,
                                      NULL);

  concur_channel_core_unref (self->core);
  self->core = core;
  self->consumer = consumer;

  return self;
}

/**
 * concur_channel_get_capacity: (get-property capacity)
 * @self: a channel
 *
 * Gets how many values it holds before senders have to wait.
 *
 * Returns: the number, or 0 for no bound
 *
 * Since: 1.0
 */
guint
concur_channel_get_capacity (ConcurChannel *self)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), 0);

  return self->capacity;
}

/**
 * concur_channel_get_length: (get-property length)
 * @self: a channel
 *
 * Gets how many values are in it, those of senders that wait for room not counted.
 * Others may send and receive meanwhile.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_channel_get_length (ConcurChannel *self)
{
  guint length;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), 0);

  if (!concur_channel_core_lock (self->core))
    return 0;
  length = self->core->n_items;
  concur_lock_release (&self->core->lock);

  return length;
}

/**
 * concur_channel_is_closed: (get-property closed)
 * @self: a channel
 *
 * Gets whether nothing can be sent any more: it was closed, has failed, or was stopped.
 * There may still be values to receive.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
concur_channel_is_closed (ConcurChannel *self)
{
  gboolean closed;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), TRUE);

  if (!concur_channel_core_lock (self->core))
    return TRUE;
  closed = self->core->state != CONCUR_CHANNEL_OPEN;
  concur_lock_release (&self->core->lock);

  return closed;
}

/**
 * concur_channel_close:
 * @self: a channel
 *
 * Says that no more will be sent.
 *
 * What was sent before this call is still received, also by senders that wait for room:
 * their turn comes. After the last value receivers get %CONCUR_CHANNEL_ERROR_CLOSED, as do
 * those who try to send.
 *
 * Returns: %TRUE if it was open until now
 *
 * Since: 1.0
 */
gboolean
concur_channel_close (ConcurChannel *self)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);

  return concur_channel_core_close (self->core, NULL);
}

/**
 * concur_channel_fail:
 * @self: a channel
 * @error: what went wrong
 *
 * Closes the channel as [method@Channel.close] does, with an error for the receivers.
 *
 * After the last value each receiver gets a copy of @error. Those who try to send get
 * %CONCUR_CHANNEL_ERROR_CLOSED.
 *
 * Returns: %TRUE if it was open until now; otherwise @error is forgotten
 *
 * Since: 1.0
 */
gboolean
concur_channel_fail (ConcurChannel *self,
                     const GError  *error)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (error != NULL, FALSE);

  return concur_channel_core_close (self->core, g_error_copy (error));
}

/**
 * concur_channel_stop:
 * @self: a channel
 *
 * Says that no more will be received.
 *
 * What is in the channel is dropped, and let go by the calling thread before this returns.
 * Everybody who waits for it, or comes later, gets %CONCUR_CHANNEL_ERROR_STOPPED. A
 * producer that was started for the channel is asked to stop. A channel that has come to
 * its end already stays as it is.
 *
 * Returns: %TRUE if it was not stopped, and not at its end, until now
 *
 * Since: 1.0
 */
gboolean
concur_channel_stop (ConcurChannel *self)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);

  return concur_channel_core_stop (self->core);
}

/**
 * concur_channel_dup_completion:
 * @self: a channel
 *
 * Gets a future for the end of the channel.
 *
 * It is resolved with the number of values that were received once the channel is closed
 * and empty; rejected if it has failed, once it is empty, with that error, which need not
 * be looked at; and cancelled if it is stopped before. Cancelling the future stops the
 * channel.
 *
 * If the channel has a producer, see [method@Executor.generate], that is running, the future
 * is not done before the producer has ended, also if it is cancelled, unless that is with
 * %CONCUR_CANCEL_ABANDON.
 *
 * Returns: (transfer full): a future; the same for everybody
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_dup_completion (ConcurChannel *self)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);

  return concur_channel_core_dup_completion (self->core);
}
