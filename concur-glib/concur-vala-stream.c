/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels for programs in Vala: values of the type that the caller names, on their way
 * through a channel that knows only GValues. What is received belongs to the caller. */

#include "config.h"

#include "concur-channel-bind-private.h"
#include "concur-error.h"
#include "concur-vala-private.h"

/* A delegate that is given the values, freed by the binding. */
typedef struct
{
  ConcurValaType type;
  ConcurValaEach each; /* one of the two */
  ConcurValaItem item;
  gpointer target;
  GDestroyNotify target_destroy;
  ConcurBinding *binding; /* not counted: it has this */
} Follower;

/* A future that receives an error is rejected with it; so it is here. */
static gboolean
read_value (const ConcurValaType  *type,
            const GValue          *value,
            gpointer              *pointer,
            GError               **error)
{
  if (G_VALUE_HOLDS (value, G_TYPE_ERROR) && g_value_get_boxed (value) != NULL)
    {
      if (error != NULL)
        *error = g_value_dup_boxed (value);
      return FALSE;
    }

  return concur_vala_from_value (type, value, pointer, error);
}

/* Takes over what is in @value. */
static gpointer
take_value (const ConcurValaType  *type,
            GValue                *value,
            GError               **error)
{
  gpointer pointer = NULL;

  read_value (type, value, &pointer, error);
  g_value_unset (value);

  return pointer;
}

/* NULL is the end; @problem is why there is nothing else, or NULL. Takes it over. */
static gpointer
next_or_end (const ConcurValaType  *type,
             gpointer               pointer,
             GError                *problem,
             GError               **error)
{
  if (!concur_vala_type_is_nullable (type))
    {
      if (problem != NULL)
        g_propagate_error (error, problem);
    }
  else if (problem != NULL)
    {
      if (g_error_matches (problem, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED)
          || g_error_matches (problem, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED))
        g_error_free (problem);
      else
        g_propagate_error (error, problem);
    }
  else if (pointer == NULL)
    {
      g_set_error_literal (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                           "A null came out of the channel, which here would be taken for "
                           "its end: receive it with receive_value ()");
    }

  return pointer;
}

static void
return_received (ConcurFuture *future,
                 GTask        *task)
{
  g_task_return_boolean (task, TRUE);
}

static void
receive (ConcurChannel        *self,
         const ConcurValaType *type,
         gpointer              tag,
         GCancellable         *cancellable,
         GAsyncReadyCallback   callback,
         gpointer              user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  ConcurFuture *future = concur_channel_receive (self);

  g_task_set_source_tag (task, tag);
  /* What was received counts, even if it was cancelled a moment later. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, concur_vala_wanted_new (type, g_object_ref (future)),
                        concur_vala_wanted_free);
  concur_future_cancel_as_task (future, task, return_received);
  g_object_unref (future);
}

static void
follower_free (gpointer data)
{
  Follower *self = data;

  if (self->target_destroy != NULL)
    self->target_destroy (self->target);
  g_free (self);
}

static gboolean
follow_each (ConcurChannel *channel,
             const GValue  *value,
             gpointer       data)
{
  Follower *self = data;
  GError *error = NULL;
  gpointer pointer = NULL;
  gboolean more = FALSE;

  if (read_value (&self->type, value, &pointer, &error))
    {
      more = self->each (pointer, self->target, &error);
      if (pointer != NULL && self->type.destroy != NULL)
        self->type.destroy (pointer);
    }
  self->binding->error = error;

  return more && error == NULL;
}

static GObject *
follow_item (const GValue *value,
             gpointer      data)
{
  Follower *self = data;
  GError *error = NULL;
  gpointer pointer = NULL;
  GObject *item = NULL;

  if (read_value (&self->type, value, &pointer, &error))
    {
      item = self->item (pointer, self->target, &error);
      if (pointer != NULL && self->type.destroy != NULL)
        self->type.destroy (pointer);
    }
  self->binding->error = error;

  return item;
}

/**
 * concur_vala_channel_next: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @cancellable: (nullable): gives up as long as there is no value
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Channel.next<T> (cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_channel_next (ConcurChannel       *self,
                          GType                type,
                          GBoxedCopyFunc       dup,
                          GDestroyNotify       destroy,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_CHANNEL (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  receive (self, &(ConcurValaType) { type, dup, destroy }, concur_vala_channel_next, cancellable,
           callback, user_data);
}

/**
 * concur_vala_channel_next_finish: (skip)
 * @self: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_channel_next].
 *
 * Returns: (transfer full) (nullable): the value, or %NULL at the end
 *
 * Since: 1.0
 */
gpointer
concur_vala_channel_next_finish (ConcurChannel  *self,
                                 GAsyncResult   *result,
                                 GError        **error)
{
  ConcurValaWanted *wanted;
  GError *problem = NULL;
  gpointer pointer;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  wanted = g_task_get_task_data (G_TASK (result));
  pointer = concur_vala_read (wanted->future, &wanted->type, &problem);

  return next_or_end (&wanted->type, pointer, problem, error);
}

/**
 * concur_vala_channel_wait_next: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @timeout_us: how long to wait, in microseconds; -1 for ever
 * @error: return location for an error
 *
 * In Vala: `Channel.wait_next<T> (timeout_us)`.
 *
 * Returns: (transfer full) (nullable): the value, or %NULL at the end
 *
 * Since: 1.0
 */
gpointer
concur_vala_channel_wait_next (ConcurChannel   *self,
                               GType            type,
                               GBoxedCopyFunc   dup,
                               GDestroyNotify   destroy,
                               gint64           timeout_us,
                               GError         **error)
{
  ConcurValaType wanted = { type, dup, destroy };
  GValue value = G_VALUE_INIT;
  GError *problem = NULL;
  gpointer pointer = NULL;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (concur_channel_receive_wait (self, &value, timeout_us, &problem))
    pointer = take_value (&wanted, &value, &problem);

  return next_or_end (&wanted, pointer, problem, error);
}

/**
 * concur_vala_channel_receive: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @cancellable: (nullable): gives up as long as there is no value
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Channel.receive_value<T> (cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_channel_receive (ConcurChannel       *self,
                             GType                type,
                             GBoxedCopyFunc       dup,
                             GDestroyNotify       destroy,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_CHANNEL (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  receive (self, &(ConcurValaType) { type, dup, destroy }, concur_vala_channel_receive,
           cancellable, callback, user_data);
}

/**
 * concur_vala_channel_receive_finish: (skip)
 * @self: a channel
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_channel_receive].
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_channel_receive_finish (ConcurChannel  *self,
                                    GAsyncResult   *result,
                                    GError        **error)
{
  return concur_vala_finish (self, result, error);
}

/**
 * concur_vala_channel_receive_wait: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @timeout_us: how long to wait, in microseconds; -1 for ever
 * @error: return location for an error
 *
 * In Vala: `Channel.receive_value_wait<T> (timeout_us)`.
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_channel_receive_wait (ConcurChannel   *self,
                                  GType            type,
                                  GBoxedCopyFunc   dup,
                                  GDestroyNotify   destroy,
                                  gint64           timeout_us,
                                  GError         **error)
{
  GValue value = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!concur_channel_receive_wait (self, &value, timeout_us, error))
    return NULL;

  return take_value (&(ConcurValaType) { type, dup, destroy }, &value, error);
}

/**
 * concur_vala_channel_try_receive: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @error: return location for an error
 *
 * In Vala: `Channel.try_receive_value<T> ()`.
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_channel_try_receive (ConcurChannel   *self,
                                 GType            type,
                                 GBoxedCopyFunc   dup,
                                 GDestroyNotify   destroy,
                                 GError         **error)
{
  GValue value = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!concur_channel_try_receive (self, &value, error))
    return NULL;

  return take_value (&(ConcurValaType) { type, dup, destroy }, &value, error);
}

/**
 * concur_vala_channel_send: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @value: (transfer full): what to send
 * @cancellable: (nullable): gives up as long as the value waits for room
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Channel.send_value<T> (value, cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_channel_send (ConcurChannel       *self,
                          GType                type,
                          GBoxedCopyFunc       dup,
                          GDestroyNotify       destroy,
                          gpointer             value,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  g_auto (GValue) sent = G_VALUE_INIT;

  g_return_if_fail (CONCUR_IS_CHANNEL (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  concur_vala_to_value (&(ConcurValaType) { type, dup, destroy }, value, &sent);
  concur_channel_send_async (self, &sent, cancellable, callback, user_data);
}

/**
 * concur_vala_channel_send_wait: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @value: (transfer full): what to send
 * @timeout_us: how long to wait, in microseconds; -1 for ever
 * @error: return location for an error
 *
 * In Vala: `Channel.send_value_wait<T> (value, timeout_us)`.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_vala_channel_send_wait (ConcurChannel   *self,
                               GType            type,
                               GBoxedCopyFunc   dup,
                               GDestroyNotify   destroy,
                               gpointer         value,
                               gint64           timeout_us,
                               GError         **error)
{
  g_auto (GValue) sent = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  concur_vala_to_value (&(ConcurValaType) { type, dup, destroy }, value, &sent);

  return concur_channel_send_wait (self, &sent, timeout_us, error);
}

/**
 * concur_vala_channel_try_send: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @value: (transfer full): what to send
 * @error: return location for an error
 *
 * In Vala: `Channel.try_send_value<T> (value)`.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_vala_channel_try_send (ConcurChannel   *self,
                              GType            type,
                              GBoxedCopyFunc   dup,
                              GDestroyNotify   destroy,
                              gpointer         value,
                              GError         **error)
{
  g_auto (GValue) sent = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  concur_vala_to_value (&(ConcurValaType) { type, dup, destroy }, value, &sent);

  return concur_channel_try_send (self, &sent, error);
}

/**
 * concur_vala_channel_for_each: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @func: takes the values
 * @target: closure of the delegate
 * @target_destroy: (nullable): frees @target
 * @context: (nullable): where to call it, or %NULL for the caller's
 *
 * In Vala: `Channel.for_each_value<T> (func, context)`.
 *
 * Returns: (transfer full): a future for the end of it
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_channel_for_each (ConcurChannel  *self,
                              GType           type,
                              GBoxedCopyFunc  dup,
                              GDestroyNotify  destroy,
                              ConcurValaEach  func,
                              gpointer        target,
                              GDestroyNotify  target_destroy,
                              GMainContext   *context)
{
  Follower *follower;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  follower = g_new0 (Follower, 1);
  follower->type = (ConcurValaType) { type, dup, destroy };
  follower->each = func;
  follower->target = target;
  follower->target_destroy = target_destroy;
  follower->binding = concur_each_binding_new (self, follow_each, follower, follower_free, context);

  return concur_binding_begin (follower->binding);
}

/**
 * concur_vala_channel_bind_list_store: (skip)
 * @self: a channel
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @store: where to append
 * @factory: makes the items
 * @target: closure of the delegate
 * @target_destroy: (nullable): frees @target
 *
 * In Vala: `Channel.bind_list_store_values<T> (store, factory)`.
 *
 * Returns: (transfer full): a future for the end of it
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_channel_bind_list_store (ConcurChannel  *self,
                                     GType           type,
                                     GBoxedCopyFunc  dup,
                                     GDestroyNotify  destroy,
                                     GListStore     *store,
                                     ConcurValaItem  factory,
                                     gpointer        target,
                                     GDestroyNotify  target_destroy)
{
  Follower *follower;

  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (G_IS_LIST_STORE (store), NULL);
  g_return_val_if_fail (factory != NULL, NULL);

  follower = g_new0 (Follower, 1);
  follower->type = (ConcurValaType) { type, dup, destroy };
  follower->item = factory;
  follower->target = target;
  follower->target_destroy = target_destroy;
  follower->binding = concur_list_binding_new (self, store, follow_item, follower, follower_free);

  return concur_binding_begin (follower->binding);
}

/**
 * concur_vala_batch_value: (skip)
 * @self: a batch
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @index: which of its values
 * @error: return location for an error
 *
 * In Vala: `Batch.value_as<T> (index)`.
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_batch_value (ConcurBatch     *self,
                         GType            type,
                         GBoxedCopyFunc   dup,
                         GDestroyNotify   destroy,
                         guint            index,
                         GError         **error)
{
  const GValue *value;
  gpointer pointer = NULL;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  value = concur_batch_get_value (self, index);
  if (value != NULL)
    read_value (&(ConcurValaType) { type, dup, destroy }, value, &pointer, error);

  return pointer;
}
