/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Typed readers: what a caller gets who knows what the value is. They do not wait. */

#include "config.h"

#include "concur-error.h"
#include "concur-future-private.h"

/* @error is set whenever this returns NULL. */
static const GValue *
get_value_of (ConcurFuture  *self,
              GType          type,
              GError       **error)
{
  const GValue *value = concur_future_get_value (self, error);

  if (value == NULL || G_VALUE_HOLDS (value, type))
    return value;

  if (G_VALUE_HOLDS (value, G_TYPE_OBJECT) && g_value_get_object (value) == NULL)
    g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                 "The future was resolved without a value, not with a %s", g_type_name (type));
  else
    g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                 "The value is a %s, not a %s", G_VALUE_TYPE_NAME (value), g_type_name (type));

  return NULL;
}

/* The same for types of which a value can be NULL, which is not what was asked for. */
static const GValue *
get_filled_value_of (ConcurFuture  *self,
                     GType          type,
                     GError       **error)
{
  const GValue *value = get_value_of (self, type, error);

  if (value != NULL && g_value_peek_pointer (value) == NULL)
    {
      g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                   "The value is a %s that is NULL", g_type_name (type));
      return NULL;
    }

  return value;
}

gboolean
concur_value_read_number (const GValue *value,
                          GType         type,
                          GValue       *number)
{
  GType have = G_VALUE_TYPE (value);

  if (have == G_TYPE_UINT64 && type == G_TYPE_INT64 && g_value_get_uint64 (value) > G_MAXINT64)
    return FALSE;
  if (have == G_TYPE_ULONG && type == G_TYPE_INT64 && g_value_get_ulong (value) > G_MAXINT64)
    return FALSE;
  if (type == G_TYPE_INT64
      && (have == G_TYPE_DOUBLE || have == G_TYPE_FLOAT || have == G_TYPE_BOOLEAN
          || have == G_TYPE_STRING))
    return FALSE;
  if (!g_value_type_transformable (have, type) || have == G_TYPE_BOOLEAN || have == G_TYPE_STRING)
    return FALSE;

  g_value_init (number, type);

  return g_value_transform (value, number);
}

/**
 * concur_future_get_int64:
 * @self: a future
 * @error: return location for an error
 *
 * Reads an integer from a future that is done. Any integer type that fits will do.
 *
 * Returns: the integer, or 0 with @error set
 *
 * Since: 1.0
 */
gint64
concur_future_get_int64 (ConcurFuture  *self,
                         GError       **error)
{
  const GValue *value;
  GValue number = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), 0);

  value = concur_future_get_value (self, error);
  if (value == NULL)
    return 0;

  if (G_VALUE_HOLDS (value, G_TYPE_INT64))
    return g_value_get_int64 (value);

  if (!concur_value_read_number (value, G_TYPE_INT64, &number))
    {
      get_value_of (self, G_TYPE_INT64, error);
      return 0;
    }

  return g_value_get_int64 (&number);
}

/**
 * concur_future_get_double:
 * @self: a future
 * @error: return location for an error
 *
 * Reads a number from a future that is done. Integers will do too.
 *
 * Returns: the number, or 0 with @error set
 *
 * Since: 1.0
 */
double
concur_future_get_double (ConcurFuture  *self,
                          GError       **error)
{
  const GValue *value;
  GValue number = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), 0);

  value = concur_future_get_value (self, error);
  if (value == NULL)
    return 0;

  if (G_VALUE_HOLDS (value, G_TYPE_DOUBLE))
    return g_value_get_double (value);

  if (!concur_value_read_number (value, G_TYPE_DOUBLE, &number))
    {
      get_value_of (self, G_TYPE_DOUBLE, error);
      return 0;
    }

  return g_value_get_double (&number);
}

/**
 * concur_future_get_boolean:
 * @self: a future
 * @error: return location for an error
 *
 * Reads a truth value from a future that is done.
 *
 * Returns: the truth value, or %FALSE; @error is set only if there is none
 *
 * Since: 1.0
 */
gboolean
concur_future_get_boolean (ConcurFuture  *self,
                           GError       **error)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), FALSE);

  value = get_value_of (self, G_TYPE_BOOLEAN, error);

  return value != NULL && g_value_get_boolean (value);
}

/**
 * concur_future_dup_string:
 * @self: a future
 * @error: return location for an error
 *
 * Reads a string from a future that is done.
 *
 * Returns: (transfer full): the string, or %NULL with @error set
 *
 * Since: 1.0
 */
char *
concur_future_dup_string (ConcurFuture  *self,
                          GError       **error)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  value = get_filled_value_of (self, G_TYPE_STRING, error);

  return value != NULL ? g_value_dup_string (value) : NULL;
}

/**
 * concur_future_dup_object:
 * @self: a future
 * @error: return location for an error
 *
 * Reads an object from a future that is done.
 *
 * Returns: (transfer full): the object, or %NULL with @error set
 *
 * Since: 1.0
 */
GObject *
concur_future_dup_object (ConcurFuture  *self,
                          GError       **error)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  value = get_filled_value_of (self, G_TYPE_OBJECT, error);

  return value != NULL ? g_value_dup_object (value) : NULL;
}

/**
 * concur_future_dup_bytes:
 * @self: a future
 * @error: return location for an error
 *
 * Reads bytes from a future that is done. They are shared, not copied.
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 *
 * Since: 1.0
 */
GBytes *
concur_future_dup_bytes (ConcurFuture  *self,
                         GError       **error)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  value = get_filled_value_of (self, G_TYPE_BYTES, error);

  return value != NULL ? g_value_dup_boxed (value) : NULL;
}

/**
 * concur_future_dup_variant:
 * @self: a future
 * @error: return location for an error
 *
 * Reads a variant from a future that is done.
 *
 * Returns: (transfer full): the variant, or %NULL with @error set
 *
 * Since: 1.0
 */
GVariant *
concur_future_dup_variant (ConcurFuture  *self,
                           GError       **error)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  value = get_filled_value_of (self, G_TYPE_VARIANT, error);

  return value != NULL ? g_value_dup_variant (value) : NULL;
}
