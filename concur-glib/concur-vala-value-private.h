/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/* A type parameter of Vala. Values of it are one pointer: a small number or truth value
 * is in the pointer itself and has no destroy; one that may be null or does not fit, such
 * as int? or double?, is in memory of its own. */
typedef struct
{
  GType type; /* G_TYPE_NONE for void; G_TYPE_POINTER or none if it has none */
  GBoxedCopyFunc dup;
  GDestroyNotify destroy;
} ConcurValaType;

/* FALSE: no value of it is a NULL pointer, or all are. */
gboolean concur_vala_type_is_nullable (const ConcurValaType *type);

/* Takes @pointer and sets @value, which is unset and stays so if there is nothing. */
void     concur_vala_to_value   (const ConcurValaType *type,
                                 gpointer              pointer,
                                 GValue               *value);

/* Sets @pointer to something that belongs to the caller, or sets @error. */
gboolean concur_vala_from_value (const ConcurValaType *type,
                                 const GValue         *value,
                                 gpointer             *pointer,
                                 GError              **error);

G_END_DECLS
