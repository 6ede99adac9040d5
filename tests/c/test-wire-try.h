/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Gives a reader of frames any bytes and file descriptors, as a hostile worker might: for the
 * seeded test and for libFuzzer. */

#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "concur-glib/concur-wire-private.h"

G_BEGIN_DECLS

#define WIRE_TRY_MAX_BODY (4 * 1024 * 1024)
#define WIRE_TRY_MAX_FDS 3

/* How often it ended in what way. */
typedef struct
{
  guint n_frames;
  guint n_fds;
  guint n_bad;
} WireTries;

static inline int
wire_try_memfd (gconstpointer data,
                gsize         size)
{
  int fd = memfd_create ("try", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd == -1 || write (fd, data, size) != (gssize) size
      || fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    g_error ("No memfd");

  return fd;
}

static inline void
wire_try_frame (WireTries       *tries,
                ConcurWireFrame *frame)
{
  g_autofree char *printed = g_variant_print (frame->content, TRUE);
  g_autoptr (GBytes) bytes = g_variant_get_data_as_bytes (frame->content);
  /* One that nobody has looked at yet. */
  g_autoptr (GVariant) again = g_variant_ref_sink (
      g_variant_new_from_bytes (g_variant_get_type (frame->content), bytes, FALSE));

  g_assert_nonnull (printed);
  g_assert_true (g_variant_is_normal_form (again));
  tries->n_frames++;
  tries->n_fds += frame->fds == NULL ? 0 : (guint) g_unix_fd_list_get_length (frame->fds);
  concur_wire_clear (frame);
}

/* In pieces of any length. The first holds the descriptors: the last of them is a body in
 * memory that can be shared, the others are what they are. */
static inline void
wire_try (WireTries    *tries,
          GRand        *rand,
          const guint8 *data,
          gsize         size,
          guint         n_fds)
{
  ConcurWireReader *reader = concur_wire_reader_new (WIRE_TRY_MAX_BODY);
  ConcurWireRead read = CONCUR_WIRE_READ_MORE;
  int fds[WIRE_TRY_MAX_FDS];
  gsize at = 0;

  for (guint i = 0; i < n_fds; i++)
    fds[i] = i + 1 < n_fds ? dup (STDERR_FILENO) : wire_try_memfd ("\0\0\0\0\0\0\xe0\x3f", 8);

  while (at < size && read != CONCUR_WIRE_READ_BAD)
    {
      gsize part = (gsize) g_rand_int_range (rand, 1, (gint32) (size - at) + 1);

      concur_wire_reader_feed (reader, data + at, part, fds, at == 0 ? n_fds : 0);
      at += part;
      do
        {
          ConcurWireFrame frame = { 0 };
          g_autoptr (GError) error = NULL;

          read = concur_wire_reader_take (reader, &frame, &error);
          g_assert_true ((read == CONCUR_WIRE_READ_BAD) == (error != NULL));
          if (read == CONCUR_WIRE_READ_DONE)
            wire_try_frame (tries, &frame);
        }
      while (read == CONCUR_WIRE_READ_DONE);
    }
  tries->n_bad += read == CONCUR_WIRE_READ_BAD;
  concur_wire_reader_free (reader);
}

G_END_DECLS
