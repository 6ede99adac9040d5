/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Any bytes at all for the reader of frames.
 *
 *     CC=clang meson setup build/fuzz -Db_sanitize=address,undefined -Db_lundef=false \
 *       -Dc_args=-fsanitize=fuzzer-no-link
 *     ninja -C build/fuzz tests/c/fuzz-wire
 *     build/fuzz/tests/c/fuzz-wire -max_len=8192 CORPUS
 *
 * Built without libFuzzer it tries the files that it is given. */

#include "config.h"

#include "test-wire-try.h"

int LLVMFuzzerTestOneInput (const guint8 *data,
                            gsize         size);

/* The first byte says how many descriptors come along, and how it is cut. */
int
LLVMFuzzerTestOneInput (const guint8 *data,
                        gsize         size)
{
  WireTries tries = { 0 };
  GRand *rand;

  if (size < 2)
    return 0;

  rand = g_rand_new_with_seed (data[0]);
  wire_try (&tries, rand, data + 1, size - 1, data[0] % (WIRE_TRY_MAX_FDS + 1));
  g_rand_free (rand);

  return 0;
}

#ifndef HAVE_LIBFUZZER
int
main (int   argc,
      char *argv[])
{
  for (int i = 1; i < argc; i++)
    {
      g_autofree char *data = NULL;
      g_autoptr (GError) error = NULL;
      gsize size;

      if (!g_file_get_contents (argv[i], &data, &size, &error))
        g_error ("%s", error->message);
      LLVMFuzzerTestOneInput ((const guint8 *) data, size);
    }

  return 0;
}
#endif
