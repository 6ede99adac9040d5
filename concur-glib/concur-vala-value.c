/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What Vala has as a generic pointer, as the GValue that every other reader of a future
 * expects, and back. */

#include "config.h"

#include "concur-error.h"
#include "concur-vala-value-private.h"

#include <gobject/gvaluecollector.h>

/* What no GValue type can hold: a class that has no GType, but functions to copy and free. */
typedef struct
{
  ConcurValaType type;
  gpointer pointer;
} ConcurValaBox;

#define TYPE_BOX (concur_vala_box_get_type ())

static void
box_clear (gpointer data)
{
  ConcurValaBox *box = data;

  box->type.destroy (box->pointer);
}

static ConcurValaBox *
box_ref (ConcurValaBox *box)
{
  return g_atomic_rc_box_acquire (box);
}

static void
box_unref (ConcurValaBox *box)
{
  g_atomic_rc_box_release_full (box, box_clear);
}

static GType concur_vala_box_get_type (void);
G_DEFINE_BOXED_TYPE (ConcurValaBox, concur_vala_box, box_ref, box_unref)

typedef enum
{
  NOTHING,
  NUMBER,   /* in the pointer, or behind it */
  UNOWNED,
  OPAQUE,
  ANY,      /* a GValue */
  INSTANCE,
  TYPED,
} Kind;

static Kind
kind_of (const ConcurValaType *type)
{
  switch (G_TYPE_FUNDAMENTAL (type->type))
    {
    case G_TYPE_NONE:
      return NOTHING;
    case G_TYPE_INT:
    case G_TYPE_UINT:
      /* int? and int16? look the same, and only their own functions know the size. */
      return type->destroy != NULL ? OPAQUE : NUMBER;
    case G_TYPE_BOOLEAN:
    case G_TYPE_CHAR:
    case G_TYPE_UCHAR:
    case G_TYPE_LONG:
    case G_TYPE_ULONG:
    case G_TYPE_INT64:
    case G_TYPE_UINT64:
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE:
    case G_TYPE_ENUM:
    case G_TYPE_FLAGS:
      return NUMBER;
    default:
      break;
    }

  if (type->destroy == NULL)
    return UNOWNED;
  if (type->type == G_TYPE_INVALID || type->type == G_TYPE_POINTER)
    return OPAQUE;
  /* A returned error is a result; as a GValue it would be a rejection. */
  if (type->type == G_TYPE_ERROR)
    return OPAQUE;
  if (type->type == G_TYPE_VALUE)
    return ANY;
  if (G_TYPE_IS_INTERFACE (type->type) || G_TYPE_IS_INSTANTIATABLE (type->type))
    return INSTANCE;

  return TYPED;
}

gboolean
concur_vala_type_is_nullable (const ConcurValaType *type)
{
  Kind kind = kind_of (type);

  return kind != NOTHING && (kind != NUMBER || type->destroy != NULL);
}

static void
number_to_value (const ConcurValaType *type,
                 gpointer              pointer,
                 GValue               *value)
{
  gboolean boxed = type->destroy != NULL;

  if (boxed && pointer == NULL)
    return;

#define NUMBER_OF(ctype) (boxed ? *(ctype *) pointer : (ctype) (gintptr) pointer)
  g_value_init (value, type->type);
  switch (G_TYPE_FUNDAMENTAL (type->type))
    {
    case G_TYPE_BOOLEAN:
      g_value_set_boolean (value, NUMBER_OF (gboolean));
      break;
    case G_TYPE_CHAR:
      g_value_set_schar (value, NUMBER_OF (gint8));
      break;
    case G_TYPE_UCHAR:
      g_value_set_uchar (value, NUMBER_OF (guchar));
      break;
    case G_TYPE_INT:
      g_value_set_int (value, NUMBER_OF (gint));
      break;
    case G_TYPE_UINT:
      g_value_set_uint (value, NUMBER_OF (guint));
      break;
    case G_TYPE_LONG:
      g_value_set_long (value, NUMBER_OF (glong));
      break;
    case G_TYPE_ULONG:
      g_value_set_ulong (value, NUMBER_OF (gulong));
      break;
    case G_TYPE_INT64:
      g_value_set_int64 (value, NUMBER_OF (gint64));
      break;
    case G_TYPE_UINT64:
      g_value_set_uint64 (value, NUMBER_OF (guint64));
      break;
    case G_TYPE_FLOAT:
      g_value_set_float (value, *(float *) pointer);
      break;
    case G_TYPE_DOUBLE:
      g_value_set_double (value, *(double *) pointer);
      break;
    case G_TYPE_ENUM:
      g_value_set_enum (value, NUMBER_OF (gint));
      break;
    default:
      g_value_set_flags (value, NUMBER_OF (guint));
      break;
    }
#undef NUMBER_OF

  if (boxed)
    type->destroy (pointer);
}

/* Classes of Vala that are no GObjects have a reference function of their own, which
 * GValue knows by way of their type. */
static void
instance_to_value (const ConcurValaType *type,
                   gpointer              instance,
                   GValue               *value)
{
  GType instance_type = G_TYPE_FROM_INSTANCE (instance);

  if (G_IS_OBJECT (instance))
    {
      g_value_init (value, instance_type);
      g_value_take_object (value, instance);
    }
  else
    {
      GTypeCValue collected = { .v_pointer = instance };
      g_autofree char *problem = NULL;

      g_value_init (value, instance_type);
      problem = g_type_value_table_peek (instance_type)->collect_value (value, 1, &collected, 0);
      g_assert (problem == NULL);
      type->destroy (instance);
    }
}

void
concur_vala_to_value (const ConcurValaType *type,
                      gpointer              pointer,
                      GValue               *value)
{
  Kind kind = kind_of (type);

  if (kind == NUMBER)
    {
      number_to_value (type, pointer, value);
    }
  else if (kind == UNOWNED)
    {
      g_value_init (value, G_TYPE_POINTER);
      g_value_set_pointer (value, pointer);
    }
  else if (kind == NOTHING || pointer == NULL)
    {
      return;
    }
  else if (kind == OPAQUE)
    {
      ConcurValaBox *box = g_atomic_rc_box_new (ConcurValaBox);

      box->type = *type;
      box->pointer = pointer;
      g_value_init (value, TYPE_BOX);
      g_value_take_boxed (value, box);
    }
  else if (kind == ANY)
    {
      if (G_IS_VALUE (pointer))
        {
          g_value_init (value, G_VALUE_TYPE (pointer));
          g_value_copy (pointer, value);
        }
      type->destroy (pointer);
    }
  else if (kind == INSTANCE)
    {
      instance_to_value (type, pointer, value);
    }
  else
    {
      g_value_init (value, type->type);
      if (G_VALUE_HOLDS_STRING (value))
        g_value_take_string (value, pointer);
      else if (G_VALUE_HOLDS_VARIANT (value))
        g_value_take_variant (value, pointer);
      else
        g_value_take_boxed (value, pointer);
    }
}

/* An integer of another width or signedness is fine as long as nothing is lost. */
static gboolean
read_integer (const GValue *value,
              gint64       *negative,
              guint64      *positive)
{
  gint64 number;

  *negative = 0;
  switch (G_VALUE_TYPE (value))
    {
    case G_TYPE_UCHAR:
      *positive = g_value_get_uchar (value);
      return TRUE;
    case G_TYPE_UINT:
      *positive = g_value_get_uint (value);
      return TRUE;
    case G_TYPE_ULONG:
      *positive = g_value_get_ulong (value);
      return TRUE;
    case G_TYPE_UINT64:
      *positive = g_value_get_uint64 (value);
      return TRUE;
    case G_TYPE_CHAR:
      number = g_value_get_schar (value);
      break;
    case G_TYPE_INT:
      number = g_value_get_int (value);
      break;
    case G_TYPE_LONG:
      number = g_value_get_long (value);
      break;
    case G_TYPE_INT64:
      number = g_value_get_int64 (value);
      break;
    default:
      return FALSE;
    }

  *negative = MIN (number, 0);
  *positive = (guint64) MAX (number, 0);

  return TRUE;
}

static gboolean
number_from_value (const ConcurValaType *type,
                   const GValue         *value,
                   gpointer             *pointer)
{
  gboolean exact = G_VALUE_HOLDS (value, type->type);
  gint64 negative = 0;
  guint64 positive = 0;

#define GIVE(ctype, number) \
  G_STMT_START \
  { \
    ctype memory = (ctype) (number); \
    *pointer = type->destroy != NULL ? type->dup (&memory) : (gpointer) (gintptr) memory; \
    return TRUE; \
  } \
  G_STMT_END

/* Always in memory of its own. */
#define GIVE_FRACTION(ctype, number) \
  G_STMT_START \
  { \
    ctype memory = (ctype) (number); \
    *pointer = type->dup (&memory); \
    return TRUE; \
  } \
  G_STMT_END

#define GIVE_INTEGER(ctype, min, max) \
  G_STMT_START \
  { \
    if (!read_integer (value, &negative, &positive) || negative < (gint64) (min) \
        || positive > (guint64) (max)) \
      return FALSE; \
    GIVE (ctype, negative < 0 ? (guint64) negative : positive); \
  } \
  G_STMT_END

  switch (G_TYPE_FUNDAMENTAL (type->type))
    {
    case G_TYPE_BOOLEAN:
      if (!exact)
        return FALSE;
      GIVE (gboolean, g_value_get_boolean (value));
    case G_TYPE_ENUM:
      if (!exact)
        return FALSE;
      GIVE (gint, g_value_get_enum (value));
    case G_TYPE_FLAGS:
      if (!exact)
        return FALSE;
      GIVE (guint, g_value_get_flags (value));
    case G_TYPE_FLOAT:
      if (!exact)
        return FALSE;
      GIVE_FRACTION (float, g_value_get_float (value));
    case G_TYPE_DOUBLE:
      if (exact)
        GIVE_FRACTION (double, g_value_get_double (value));
      if (G_VALUE_HOLDS_FLOAT (value))
        GIVE_FRACTION (double, g_value_get_float (value));
      if (!read_integer (value, &negative, &positive))
        return FALSE;
      GIVE_FRACTION (double, negative < 0 ? (double) negative : (double) positive);
    case G_TYPE_CHAR:
      GIVE_INTEGER (gint8, G_MININT8, G_MAXINT8);
    case G_TYPE_UCHAR:
      GIVE_INTEGER (guchar, 0, G_MAXUINT8);
    case G_TYPE_INT:
      GIVE_INTEGER (gint, G_MININT, G_MAXINT);
    case G_TYPE_UINT:
      GIVE_INTEGER (guint, 0, G_MAXUINT);
    case G_TYPE_LONG:
      GIVE_INTEGER (glong, G_MINLONG, G_MAXLONG);
    case G_TYPE_ULONG:
      GIVE_INTEGER (gulong, 0, G_MAXULONG);
    case G_TYPE_INT64:
      GIVE_INTEGER (gint64, G_MININT64, G_MAXINT64);
    case G_TYPE_UINT64:
      GIVE_INTEGER (guint64, 0, G_MAXUINT64);
    default:
      return FALSE;
    }

#undef GIVE_INTEGER
#undef GIVE_FRACTION
#undef GIVE
}

/* The pointer inside, still the value's own; FALSE if it is of another type. */
static gboolean
peek (const ConcurValaType *type,
      Kind                  kind,
      const GValue         *value,
      gpointer             *pointer)
{
  *pointer = NULL;

  /* A Vala type that is not owned has no dup; its values are anybody's. */
  if (kind == UNOWNED && G_VALUE_HOLDS_POINTER (value))
    {
      *pointer = g_value_get_pointer (value);
      return TRUE;
    }
  if (kind == OPAQUE)
    {
      const ConcurValaBox *box = G_VALUE_HOLDS (value, TYPE_BOX) ? g_value_get_boxed (value) : NULL;

      if (box == NULL || box->type.type != type->type)
        return FALSE;
      *pointer = box->pointer;
      return TRUE;
    }
  if (!g_value_fits_pointer (value))
    return FALSE;

  *pointer = g_value_peek_pointer (value);
  if (G_VALUE_HOLDS (value, type->type) || *pointer == NULL)
    return TRUE;

  /* The value may have been declared as a parent, or be asked for by an interface. */
  return G_TYPE_IS_INSTANTIATABLE (G_VALUE_TYPE (value))
         && g_type_is_a (G_TYPE_FROM_INSTANCE (*pointer), type->type);
}

gboolean
concur_vala_from_value (const ConcurValaType *type,
                        const GValue         *value,
                        gpointer             *pointer,
                        GError              **error)
{
  Kind kind = kind_of (type);
  gboolean nothing = G_VALUE_HOLDS_OBJECT (value) && g_value_get_object (value) == NULL;
  gpointer inside = NULL;
  gboolean fits;

  *pointer = NULL;

  if (kind == NOTHING || (nothing && (kind != NUMBER || type->destroy != NULL)))
    return TRUE;

  if (kind == ANY)
    {
      *pointer = type->dup ((gpointer) value);
      return TRUE;
    }

  if (kind == NUMBER)
    {
      fits = number_from_value (type, value, pointer);
    }
  else
    {
      fits = peek (type, kind, value, &inside);
      if (fits && inside != NULL)
        *pointer = type->dup != NULL ? type->dup (inside) : inside;
    }

  if (!fits && nothing)
    g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                 "The future was resolved without a value, not with a %s",
                 g_type_name (type->type));
  else if (!fits)
    g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                 "The value is a %s, not a %s", G_VALUE_TYPE_NAME (value),
                 type->type != G_TYPE_INVALID ? g_type_name (type->type) : "type of this call");

  return fits;
}
