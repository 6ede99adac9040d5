/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Values on the spot, for C code that sends or answers with one. Other languages make them
 * by themselves. */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <gio/gio.h>

G_BEGIN_DECLS

#ifndef __GI_SCANNER__
#ifndef __cplusplus

/* What the macros below are made of. Each borrows its content, which g_value_copy () then
 * copies: nothing is to be unset. */

static inline GValue
concur_value_of_int64 (gint64 number)
{
  GValue value = { .g_type = G_TYPE_INT64, .data = { { .v_int64 = number } } };

  return value;
}

static inline GValue
concur_value_of_double (double number)
{
  GValue value = { .g_type = G_TYPE_DOUBLE, .data = { { .v_double = number } } };

  return value;
}

static inline GValue
concur_value_of_boolean (gboolean truth)
{
  GValue value = { .g_type = G_TYPE_BOOLEAN, .data = { { .v_int = truth != FALSE } } };

  return value;
}

static inline GValue
concur_value_of_pointer (GType         type,
                         gconstpointer pointer)
{
  GValue value = { .g_type = type, .data = { { .v_pointer = (gpointer) pointer },
                                             { .v_uint = G_VALUE_NOCOPY_CONTENTS } } };

  return value;
}

static inline GValue
concur_value_of_string (const char *text)
{
  return concur_value_of_pointer (G_TYPE_STRING, text);
}

static inline GValue
concur_value_of_object (gpointer object)
{
  return concur_value_of_pointer (object != NULL ? G_OBJECT_TYPE (object) : G_TYPE_OBJECT, object);
}

static inline GValue
concur_value_of_bytes (GBytes *bytes)
{
  return concur_value_of_pointer (G_TYPE_BYTES, bytes);
}

static inline GValue
concur_value_of_variant (GVariant *variant)
{
  return concur_value_of_pointer (G_TYPE_VARIANT, variant);
}

#endif

/* An array, because that is an address by itself; it lives as long as the block it is in. */
#define CONCUR_VALUE_(value) ((const GValue *) (GValue[1]) { value })

#endif

/**
 * CONCUR_VALUE_INT64:
 * @n: a number
 *
 * Makes a value to be copied: `concur_channel_send (channel, CONCUR_VALUE_INT64 (7))`.
 *
 * It is a `const GValue *` that is valid in the block where it stands. Not for C++.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_INT64(n) CONCUR_VALUE_ (concur_value_of_int64 (n))

/**
 * CONCUR_VALUE_DOUBLE:
 * @n: a number
 *
 * Like %CONCUR_VALUE_INT64, for a floating point number.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_DOUBLE(n) CONCUR_VALUE_ (concur_value_of_double (n))

/**
 * CONCUR_VALUE_BOOLEAN:
 * @b: a truth value
 *
 * Like %CONCUR_VALUE_INT64, for a truth value.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_BOOLEAN(b) CONCUR_VALUE_ (concur_value_of_boolean (b))

/**
 * CONCUR_VALUE_STRING:
 * @s: (nullable): a string, which must stay as long as the value
 *
 * Like %CONCUR_VALUE_INT64, for a string.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_STRING(s) CONCUR_VALUE_ (concur_value_of_string (s))

/**
 * CONCUR_VALUE_OBJECT:
 * @o: (nullable): an object, to which the value has no reference
 *
 * Like %CONCUR_VALUE_INT64, for an object. The value is of the object's own type.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_OBJECT(o) CONCUR_VALUE_ (concur_value_of_object (o))

/**
 * CONCUR_VALUE_BYTES:
 * @b: (nullable): bytes, to which the value has no reference
 *
 * Like %CONCUR_VALUE_INT64, for bytes.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_BYTES(b) CONCUR_VALUE_ (concur_value_of_bytes (b))

/**
 * CONCUR_VALUE_VARIANT:
 * @v: (nullable): a variant, to which the value has no reference
 *
 * Like %CONCUR_VALUE_INT64, for a variant. A floating one stays floating: sink it before.
 *
 * Since: 1.0
 */
#define CONCUR_VALUE_VARIANT(v) CONCUR_VALUE_ (concur_value_of_variant (v))

G_END_DECLS
