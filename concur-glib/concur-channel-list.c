/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* From a channel into a list. Each turn appends a batch, in one go, and the batches become
 * as large as fits into a turn with all that follows from them in the handlers of
 * items-changed. */

#include "config.h"

#include "concur-channel-bind-private.h"
#include "concur-error.h"
#include "concur-exit-private.h"

#include <string.h>

#define SERVE_AT_CHANNEL 4

/* So long a turn may be, with the splice and what that leads to. */
#define LIST_TURN_US 3000

/* A batch may grow from this to that; beyond it nothing is gained. */
#define FIRST_BATCH 16
#define MAX_BATCH 8192

/* From one turn to the next it changes by this factor at most. */
#define MAX_CHANGE 4

/* How much a turn counts for less with each that comes after it. */
#define FADING 0.7

/* Items that are made between two looks at the clock. */
#define STRIDE 8

typedef struct
{
  GListStore *store;       /* (owned) */
  GType item_type;
  ConcurItemFunc factory;  /* (nullable) */

  guint batch;
  GObject **objects;       /* room for a batch, while there is a lot */

  /* sums over the last turns, of n items in t µs */
  double n_turns;
  double n, t;
  double nn, nt;
} List;

/* A turn takes some time for each item and some that does not depend on their number: an
 * item less in the batch then saves less than its share, and small batches would be all
 * that and nothing else. A line through the last turns tells the one from the other. */
static guint
list_next_batch (List   *self,
                 guint   n,
                 gint64  took_us)
{
  double t = (double) MAX (took_us, 1);
  double share, per_item, fixed, spread;
  guint next;

  self->n_turns = self->n_turns * FADING + 1;
  self->n = self->n * FADING + n;
  self->t = self->t * FADING + t;
  self->nn = self->nn * FADING + (double) n * n;
  self->nt = self->nt * FADING + n * t;

  share = per_item = self->t / self->n;
  spread = self->n_turns * self->nn - self->n * self->n;
  /* Turns that were all alike tell nothing. */
  if (spread > self->n * self->n / 100)
    per_item = CLAMP ((self->n_turns * self->nt - self->n * self->t) / spread, share / 10, share);
  fixed = (self->t - per_item * self->n) / self->n_turns;

  /* Where the fixed part is too long by itself a turn is long in any case. */
  next = (guint) MIN (MAX (LIST_TURN_US - fixed, LIST_TURN_US / 2) / per_item, MAX_BATCH);

  return CLAMP (next, MAX (n / MAX_CHANGE, 1), MAX (n * MAX_CHANGE, FIRST_BATCH));
}

/* More of what is there, up to a batch. The binding goes on holding the channel. */
static void
list_fill (ConcurBinding *self,
           guint          batch)
{
  guint n_left = self->n_values - self->at;
  ConcurChannelWaiter more = { .n_values = batch - n_left };

  if (n_left >= batch)
    return;

  memmove (self->values, self->values + self->at, n_left * sizeof (GValue));
  self->values = g_renew (GValue, self->values, batch);
  self->n_values = n_left;
  self->at = 0;

  more.values = self->values + n_left;
  if (concur_channel_core_receive (self->core, &more, FALSE) == CONCUR_CHANNEL_OK)
    self->n_values += more.n_moved;
}

/* (transfer full) (nullable): none, or the wrong one, and then the error is set. */
static GObject *
list_make_item (List          *self,
                ConcurBinding *binding,
                const GValue  *value)
{
  GObject *object = NULL;

  if (self->factory != NULL)
    {
      object = self->factory (value, binding->user_data);
      if (object == NULL)
        return NULL;
      /* Of one that is floating it is ours, too. */
      g_object_take_ref (object);
    }
  else if (G_VALUE_HOLDS_OBJECT (value))
    {
      object = g_value_dup_object (value);
    }

  if (object != NULL && g_type_is_a (G_OBJECT_TYPE (object), self->item_type))
    return object;

  if (object != NULL)
    binding->error = g_error_new (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                                  "A %s cannot go into a list of %s", G_OBJECT_TYPE_NAME (object),
                                  g_type_name (self->item_type));
  else
    binding->error = g_error_new (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                                  "A value from the channel, a %s, is no object that could go "
                                  "into a list of %s",
                                  G_VALUE_TYPE_NAME (value), g_type_name (self->item_type));
  g_clear_object (&object);

  return NULL;
}

static gboolean
list_use (ConcurBinding *self,
          gint64         began)
{
  List *list = self->own;
  guint batch = list->batch;
  guint n_objects = 0;
  guint n = 0;

  list_fill (self, batch);
  batch = MIN (batch, self->n_values - self->at);
  list->objects = g_renew (GObject *, list->objects, batch);

  while (n < batch && concur_binding_is_wanted (self))
    {
      GObject *object;

      concur_gate ();
      if (concur_leaves_all ())
        return TRUE;

      object = list_make_item (list, self, &self->values[self->at + n]);
      if (object != NULL)
        list->objects[n_objects++] = object;
      else if (self->error != NULL)
        break;
      n++;

      if (list->factory != NULL && n % STRIDE == 0 && concur_now () - began > LIST_TURN_US)
        break;
    }

  /* Also if that is what the factory has done. */
  if (concur_binding_is_wanted (self))
    {
      if (n_objects > 0)
        g_list_store_splice (list->store, g_list_model_get_n_items (G_LIST_MODEL (list->store)), 0,
                             (gpointer *) list->objects, n_objects);
      self->n_done += n_objects;
      for (guint i = 0; i < n; i++)
        concur_value_clear (&self->values[self->at + i]);
      self->at += n;
    }

  for (guint i = 0; i < n_objects; i++)
    g_object_unref (list->objects[i]);

  if (n > 0)
    list->batch = list_next_batch (list, n, concur_now () - began);
  self->at_once = list->batch;
  if (self->at == self->n_values)
    g_clear_pointer (&list->objects, g_free);

  return TRUE;
}

static void
list_end (ConcurBinding *self)
{
  List *list = self->own;

  g_object_unref (list->store);
  g_free (list->objects);
  g_free (list);
}

ConcurBinding *
concur_list_binding_new (ConcurChannel  *channel,
                         GListStore     *store,
                         ConcurItemFunc  factory,
                         gpointer        user_data,
                         GDestroyNotify  destroy)
{
  static const ConcurBindingKind list_kind = { list_use, list_end };
  List *list = g_new0 (List, 1);
  ConcurBinding *self;

  list->store = g_object_ref (store);
  list->item_type = g_list_model_get_item_type (G_LIST_MODEL (store));
  list->factory = factory;
  list->batch = FIRST_BATCH;

  self = concur_binding_new (&list_kind, channel, list, user_data, destroy, NULL);
  self->at_once = FIRST_BATCH;

  return self;
}

/**
 * concur_channel_bind_list_store:
 * @self: a channel
 * @store: where to append
 * @factory: (nullable) (scope notified) (closure user_data) (destroy destroy): makes the items,
 *   or %NULL if the values are objects that are the items
 * @user_data: data for @factory
 * @destroy: (nullable): frees @user_data
 *
 * Appends what comes out of a channel to a list, until the end of the channel.
 *
 * ```c
 * static GObject *
 * make_item (const GValue *value, gpointer user_data)
 * {
 *   return G_OBJECT (gtk_string_object_new (g_value_get_string (value)));
 * }
 *
 * GListStore *store = g_list_store_new (GTK_TYPE_STRING_OBJECT);
 * ConcurFuture *filled = concur_channel_bind_list_store (matches, store, make_item, NULL, NULL);
 * ```
 *
 * All happens in the thread-default main context of the calling thread. However fast the
 * values come, the loop goes on with its other work every few milliseconds: in between a
 * batch of items is appended in one go, with one [signal@Gio.ListModel::items-changed], and
 * of as many items as that leaves time for, its handlers included. What comes from the
 * channel has a lower priority than drawing.
 *
 * Values for which @factory returns %NULL are left out. An item that is not of the list's
 * type, or without @factory a value that is not such an object, ends it: what came before is
 * appended, the channel is stopped and the future rejected with
 * %CONCUR_FUTURE_ERROR_WRONG_TYPE.
 *
 * Otherwise it goes as with [method@Channel.for_each]: the store and the channel are kept
 * until the end, @user_data is freed at the end, and the future is resolved with the number
 * of items that were appended, as an int64. It is rejected if the channel fails, and
 * cancelled if it is stopped.
 *
 * On the thread of the list nothing is appended after the channel was stopped or the future
 * cancelled, not even by the turn that this happens in. From another thread that cannot be
 * said of the batch that is just being appended. Cancelling the future leaves the channel
 * as it is, and what was not appended is given back to it; @factory may have been called for
 * it.
 *
 * Returns: (transfer full): a future for the end of it, which need not be kept
 *
 * Since: 1.0
 */
ConcurFuture *
concur_channel_bind_list_store (ConcurChannel  *self,
                                GListStore     *store,
                                ConcurItemFunc  factory,
                                gpointer        user_data,
                                GDestroyNotify  destroy)
{
  g_return_val_if_fail (CONCUR_IS_CHANNEL (self), NULL);
  g_return_val_if_fail (G_IS_LIST_STORE (store), NULL);

  concur_home_serve (SERVE_AT_CHANNEL);

  return concur_binding_begin (concur_list_binding_new (self, store, factory, user_data, destroy));
}
