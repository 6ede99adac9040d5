/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Random numbers from a state of one's own, for tests that are tried again with a seed. */

#pragma once

#include <glib.h>

/* @random is not 0, and never gets it. */
static inline guint32
next_random (guint32 *random)
{
  *random ^= *random << 13;
  *random ^= *random >> 17;
  *random ^= *random << 5;

  return *random;
}
