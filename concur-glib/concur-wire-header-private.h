/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What reader and writer of frames have to agree upon. */

#pragma once

#include <fcntl.h>

#include "concur-wire-private.h"

G_BEGIN_DECLS

/* The body is the last descriptor that came with the frame. */
#define CONCUR_WIRE_FLAG_MEMFD 1

/* Who maps a file must know that nobody will cut it off under his hands. */
#define CONCUR_WIRE_MEMFD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* As it travels. */
typedef struct
{
  guint32 magic;
  guint8 kind;
  guint8 flags;
  guint16 n_fds;
  guint64 id;
  guint64 size;
} ConcurWireHeader;

G_STATIC_ASSERT (sizeof (ConcurWireHeader) == CONCUR_WIRE_HEADER_SIZE);

/* Whether a body of that kind is a variant, or ends with one. */
static inline gboolean
concur_wire_kind_is_boxed (ConcurWireKind kind)
{
  return kind == CONCUR_WIRE_CALL || kind == CONCUR_WIRE_RESULT || kind == CONCUR_WIRE_ITEM;
}

/* How many bytes the end of the first child takes behind so many, as GVariant has it. */
static inline gsize
concur_wire_get_offset_size (gsize size)
{
  return size + 1 <= G_MAXUINT8 ? 1 : size + 2 <= G_MAXUINT16 ? 2 : size + 4 <= G_MAXUINT32 ? 4 : 8;
}

G_END_DECLS
