/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "test-workers.h"

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  return test_run ();
}
