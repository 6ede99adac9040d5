/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurBatch:
 *
 * The results of [method@Executor.map_range]: one slot for each item of the range, in
 * order, all of one type.
 *
 * ```c
 * static gboolean
 * squares (ConcurBatch *batch, guint first, guint n, gpointer user_data, GError **error)
 * {
 *   for (guint i = first; i < first + n; i++)
 *     concur_batch_set_int64 (batch, i, (gint64) i * i);
 *   return TRUE;
 * }
 *
 * g_autoptr (ConcurFuture) future = concur_executor_map_range (executor, 1000, 0, squares,
 *                                                              NULL, NULL, NULL);
 * const GValue *value = concur_future_result (future, -1, &error);
 * ConcurBatch *batch = g_value_get_object (value);
 * gint64 last = concur_batch_get_int64 (batch, 999);
 * ```
 *
 * The first slot that is set decides the type of all. A slot that is not set reads as 0
 * or `NULL`.
 *
 * What [method@Channel.receive_many] gives is a batch too, but of values of any types, each
 * its own: read them with [method@Batch.get_value], or with the getter of a type where it
 * fits. There [method@Batch.get_item_type] is %G_TYPE_VALUE, and nothing can be set.
 *
 * ## Threads
 *
 * While the range is worked on, each call of its function sets the slots of its own
 * items and no others. Once the future is resolved nobody sets any, and every thread may
 * read.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-batch-private.h"
#include "concur-future-private.h"
#include "concur-sync-private.h"

#include <gio/gio.h>

typedef union
{
  gint64 int64;
  double number;
  char *string;
  GObject *object;
  GBytes *bytes;
  GVariant *variant;
} Slot;

struct _ConcurBatch
{
  GObject parent_instance;

  /* immutable */
  guint n_items;
  Slot *slots;                 /* each written by the thread that has the item */
  GValue *values;              /* (owned) instead of slots, of any types */

  /* atomic: set once, by the first slot that is set */
  _Atomic GType item_type;
};

G_DEFINE_FINAL_TYPE (ConcurBatch, concur_batch, G_TYPE_OBJECT)

static void
concur_batch_finalize (GObject *object)
{
  ConcurBatch *self = CONCUR_BATCH (object);
  GType type = concur_atomic_load (&self->item_type, CONCUR_RELAXED);
  guint i;

  for (i = 0; i < self->n_items && self->values != NULL; i++)
    concur_value_clear (&self->values[i]);
  g_free (self->values);

  for (i = 0; i < self->n_items && self->slots != NULL; i++)
    {
      Slot *slot = &self->slots[i];

      if (type == G_TYPE_STRING)
        g_free (slot->string);
      else if (type == G_TYPE_OBJECT)
        g_clear_object (&slot->object);
      else if (type == G_TYPE_BYTES)
        g_clear_pointer (&slot->bytes, g_bytes_unref);
      else if (type == G_TYPE_VARIANT)
        g_clear_pointer (&slot->variant, g_variant_unref);
      else
        break;
    }
  g_free (self->slots);

  G_OBJECT_CLASS (concur_batch_parent_class)->finalize (object);
}

static void
concur_batch_class_init (ConcurBatchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_batch_finalize;
}

static void
concur_batch_init (ConcurBatch *self)
{
  concur_atomic_init (&self->item_type, G_TYPE_INVALID);
}

ConcurBatch *
concur_batch_new (guint n_items)
{
  ConcurBatch *self = g_object_new (CONCUR_TYPE_BATCH, NULL);

  self->n_items = n_items;
  /* At least one, so that even an empty batch has an address to peek at. */
  self->slots = g_new0 (Slot, MAX (n_items, 1));

  return self;
}

ConcurBatch *
concur_batch_new_values (GValue *values,
                         guint   n_items)
{
  ConcurBatch *self = g_object_new (CONCUR_TYPE_BATCH, NULL);

  self->n_items = n_items;
  self->values = values;
  concur_atomic_init (&self->item_type, G_TYPE_VALUE);

  return self;
}

/* FALSE: the slots are of another type. */
static gboolean
batch_accepts (ConcurBatch *self,
               GType        type)
{
  /* Relaxed: the type says what the slots hold, and they are published with the future. */
  GType have = concur_atomic_load (&self->item_type, CONCUR_RELAXED);

  if (G_LIKELY (have == type))
    return TRUE;
  if (have != G_TYPE_INVALID)
    return FALSE;

  return concur_atomic_cas (&self->item_type, &have, type, CONCUR_ACQ_REL) || have == type;
}

/* FALSE: the slots are of another type. @value: where it is to be read from; NULL from the
 * slot. */
static gboolean
batch_has (ConcurBatch   *self,
           guint          index,
           GType          type,
           const GValue **value)
{
  GType have = concur_atomic_load (&self->item_type, CONCUR_RELAXED);

  *value = NULL;
  if (G_LIKELY (have == type) || have == G_TYPE_INVALID)
    return TRUE;
  if (have != G_TYPE_VALUE)
    return FALSE;

  *value = &self->values[index];

  return G_VALUE_HOLDS (*value, type);
}

/* The same for a number, which may come in another width. */
static gboolean
batch_has_number (ConcurBatch   *self,
                  guint          index,
                  GType          type,
                  GValue        *number,
                  const GValue **value)
{
  if (batch_has (self, index, type, value))
    return TRUE;
  if (*value == NULL || !concur_value_read_number (*value, type, number))
    return FALSE;

  *value = number;

  return TRUE;
}

/**
 * concur_batch_get_n_items:
 * @self: a batch
 *
 * Gets how many slots there are.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_batch_get_n_items (ConcurBatch *self)
{
  g_return_val_if_fail (CONCUR_IS_BATCH (self), 0);

  return self->n_items;
}

/**
 * concur_batch_get_item_type:
 * @self: a batch
 *
 * Gets what the slots hold: %G_TYPE_INT64, %G_TYPE_DOUBLE, %G_TYPE_STRING,
 * %G_TYPE_OBJECT, %G_TYPE_BYTES or %G_TYPE_VARIANT; %G_TYPE_VALUE if each may hold
 * something else.
 *
 * Returns: the type, or %G_TYPE_INVALID while no slot is set
 *
 * Since: 1.0
 */
GType
concur_batch_get_item_type (ConcurBatch *self)
{
  g_return_val_if_fail (CONCUR_IS_BATCH (self), G_TYPE_INVALID);

  return concur_atomic_load (&self->item_type, CONCUR_RELAXED);
}

/**
 * concur_batch_set_int64:
 * @self: a batch
 * @index: which slot, from 0
 * @value: the result
 *
 * Sets a slot to an integer.
 *
 * Since: 1.0
 */
void
concur_batch_set_int64 (ConcurBatch *self,
                      guint        index,
                      gint64 value)
{
  g_return_if_fail (CONCUR_IS_BATCH (self));
  g_return_if_fail (index < self->n_items);
  g_return_if_fail (batch_accepts (self, G_TYPE_INT64));

  self->slots[index].int64 = value;
}

/**
 * concur_batch_get_int64:
 * @self: a batch
 * @index: which slot, from 0
 *
 * Reads a slot that holds an integer. Of a batch of values any integer type that fits will
 * do.
 *
 * Returns: the result
 *
 * Since: 1.0
 */
gint64
concur_batch_get_int64 (ConcurBatch *self,
                        guint        index)
{
  const GValue *value;
  GValue number = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), 0);
  g_return_val_if_fail (index < self->n_items, 0);
  g_return_val_if_fail (batch_has_number (self, index, G_TYPE_INT64, &number, &value), 0);

  return G_UNLIKELY (value != NULL) ? g_value_get_int64 (value) : self->slots[index].int64;
}

/**
 * concur_batch_peek_int64: (skip)
 * @self: a batch
 * @first: which slot, from 0
 * @n: how many
 *
 * Gets slots as an array, to be written by the function that has these items, or read
 * once the future is resolved. For C, where a call for each item would cost more than
 * the item.
 *
 * Returns: (transfer none) (nullable): the slots from @first on
 *
 * Since: 1.0
 */
gint64 *
concur_batch_peek_int64 (ConcurBatch *self,
                       guint        first,
                       guint        n)
{
  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (first <= self->n_items && n <= self->n_items - first, NULL);
  g_return_val_if_fail (batch_accepts (self, G_TYPE_INT64), NULL);

  return &self->slots[first].int64;
}

/**
 * concur_batch_set_double:
 * @self: a batch
 * @index: which slot, from 0
 * @value: the result
 *
 * Sets a slot to a floating point number.
 *
 * Since: 1.0
 */
void
concur_batch_set_double (ConcurBatch *self,
                      guint        index,
                      double value)
{
  g_return_if_fail (CONCUR_IS_BATCH (self));
  g_return_if_fail (index < self->n_items);
  g_return_if_fail (batch_accepts (self, G_TYPE_DOUBLE));

  self->slots[index].number = value;
}

/**
 * concur_batch_get_double:
 * @self: a batch
 * @index: which slot, from 0
 *
 * Reads a slot that holds a floating point number. Of a batch of values integers will do too.
 *
 * Returns: the result
 *
 * Since: 1.0
 */
double
concur_batch_get_double (ConcurBatch *self,
                         guint        index)
{
  const GValue *value;
  GValue number = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), 0);
  g_return_val_if_fail (index < self->n_items, 0);
  g_return_val_if_fail (batch_has_number (self, index, G_TYPE_DOUBLE, &number, &value), 0);

  return G_UNLIKELY (value != NULL) ? g_value_get_double (value) : self->slots[index].number;
}

/**
 * concur_batch_peek_double: (skip)
 * @self: a batch
 * @first: which slot, from 0
 * @n: how many
 *
 * Gets slots as an array, to be written by the function that has these items, or read
 * once the future is resolved. For C, where a call for each item would cost more than
 * the item.
 *
 * Returns: (transfer none) (nullable): the slots from @first on
 *
 * Since: 1.0
 */
double *
concur_batch_peek_double (ConcurBatch *self,
                       guint        first,
                       guint        n)
{
  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (first <= self->n_items && n <= self->n_items - first, NULL);
  g_return_val_if_fail (batch_accepts (self, G_TYPE_DOUBLE), NULL);

  return &self->slots[first].number;
}

/**
 * concur_batch_set_string:
 * @self: a batch
 * @index: which slot, from 0
 * @value: (nullable): the result
 *
 * Sets a slot to a copy of a string.
 *
 * Since: 1.0
 */
void
concur_batch_set_string (ConcurBatch *self,
                      guint        index,
                      const char  *value)
{
  char *old;

  g_return_if_fail (CONCUR_IS_BATCH (self));
  g_return_if_fail (index < self->n_items);
  g_return_if_fail (batch_accepts (self, G_TYPE_STRING));

  /* @value may be what the slot holds. */
  old = self->slots[index].string;
  self->slots[index].string = g_strdup (value);
  g_free (old);
}

/**
 * concur_batch_get_string:
 * @self: a batch
 * @index: which slot, from 0
 *
 * Reads a slot that holds a string.
 *
 * Returns: (transfer none) (nullable): the result, valid as long as the batch
 *
 * Since: 1.0
 */
const char *
concur_batch_get_string (ConcurBatch *self,
                         guint        index)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (index < self->n_items, NULL);
  g_return_val_if_fail (batch_has (self, index, G_TYPE_STRING, &value), NULL);

  return G_UNLIKELY (value != NULL) ? g_value_get_string (value) : self->slots[index].string;
}

/**
 * concur_batch_set_object:
 * @self: a batch
 * @index: which slot, from 0
 * @value: (nullable): the result
 *
 * Sets a slot to a reference to an object.
 *
 * Since: 1.0
 */
void
concur_batch_set_object (ConcurBatch *self,
                      guint        index,
                      GObject     *value)
{
  GObject *old;

  g_return_if_fail (CONCUR_IS_BATCH (self));
  g_return_if_fail (index < self->n_items);
  g_return_if_fail (batch_accepts (self, G_TYPE_OBJECT));

  /* @value may be what the slot holds. */
  old = self->slots[index].object;
  self->slots[index].object = value != NULL ? g_object_ref (value) : NULL;
  g_clear_pointer (&old, g_object_unref);
}

/**
 * concur_batch_get_object:
 * @self: a batch
 * @index: which slot, from 0
 *
 * Reads a slot that holds an object.
 *
 * Returns: (transfer none) (nullable): the result, valid as long as the batch
 *
 * Since: 1.0
 */
GObject *
concur_batch_get_object (ConcurBatch *self,
                         guint        index)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (index < self->n_items, NULL);
  g_return_val_if_fail (batch_has (self, index, G_TYPE_OBJECT, &value), NULL);

  return G_UNLIKELY (value != NULL) ? g_value_get_object (value) : self->slots[index].object;
}

/**
 * concur_batch_set_bytes:
 * @self: a batch
 * @index: which slot, from 0
 * @value: (nullable): the result
 *
 * Sets a slot to a reference to bytes.
 *
 * Since: 1.0
 */
void
concur_batch_set_bytes (ConcurBatch *self,
                      guint        index,
                      GBytes      *value)
{
  GBytes *old;

  g_return_if_fail (CONCUR_IS_BATCH (self));
  g_return_if_fail (index < self->n_items);
  g_return_if_fail (batch_accepts (self, G_TYPE_BYTES));

  /* @value may be what the slot holds. */
  old = self->slots[index].bytes;
  self->slots[index].bytes = value != NULL ? g_bytes_ref (value) : NULL;
  g_clear_pointer (&old, g_bytes_unref);
}

/**
 * concur_batch_get_bytes:
 * @self: a batch
 * @index: which slot, from 0
 *
 * Reads a slot that holds bytes.
 *
 * Returns: (transfer none) (nullable): the result, valid as long as the batch
 *
 * Since: 1.0
 */
GBytes *
concur_batch_get_bytes (ConcurBatch *self,
                        guint        index)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (index < self->n_items, NULL);
  g_return_val_if_fail (batch_has (self, index, G_TYPE_BYTES, &value), NULL);

  return G_UNLIKELY (value != NULL) ? g_value_get_boxed (value) : self->slots[index].bytes;
}

/**
 * concur_batch_set_variant:
 * @self: a batch
 * @index: which slot, from 0
 * @value: (nullable): the result
 *
 * Sets a slot to a reference to a variant; a floating one is consumed.
 *
 * Since: 1.0
 */
void
concur_batch_set_variant (ConcurBatch *self,
                      guint        index,
                      GVariant    *value)
{
  GVariant *old;

  g_return_if_fail (CONCUR_IS_BATCH (self));
  g_return_if_fail (index < self->n_items);
  g_return_if_fail (batch_accepts (self, G_TYPE_VARIANT));

  /* @value may be what the slot holds. */
  old = self->slots[index].variant;
  self->slots[index].variant = value != NULL ? g_variant_ref_sink (value) : NULL;
  g_clear_pointer (&old, g_variant_unref);
}

/**
 * concur_batch_get_variant:
 * @self: a batch
 * @index: which slot, from 0
 *
 * Reads a slot that holds a variant.
 *
 * Returns: (transfer none) (nullable): the result, valid as long as the batch
 *
 * Since: 1.0
 */
GVariant *
concur_batch_get_variant (ConcurBatch *self,
                          guint        index)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (index < self->n_items, NULL);
  g_return_val_if_fail (batch_has (self, index, G_TYPE_VARIANT, &value), NULL);

  return G_UNLIKELY (value != NULL) ? g_value_get_variant (value) : self->slots[index].variant;
}

/**
 * concur_batch_get_value:
 * @self: a batch of values, such as [method@Channel.receive_many] gives
 * @index: which one, from 0
 *
 * Reads a value of any type. This is not for the slots of [method@Executor.map_range], which
 * hold no values: they have a getter for each [method@Batch.get_item_type].
 *
 * Returns: (transfer none): the value, valid as long as the batch
 *
 * Since: 1.0
 */
const GValue *
concur_batch_get_value (ConcurBatch *self,
                        guint        index)
{
  g_return_val_if_fail (CONCUR_IS_BATCH (self), NULL);
  g_return_val_if_fail (index < self->n_items, NULL);
  g_return_val_if_fail (self->values != NULL, NULL);

  return &self->values[index];
}
