/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-fork-private.h"

#include <pthread.h>

/* Runs in the child between fork () and its return: may do no more than that. */
static void
in_child (void)
{
  atomic_fetch_or (&concur_stopped, CONCUR_STOPPED_FORKED);
}

void
concur_fork_watch (void)
{
  static gsize once;

  if (g_once_init_enter (&once))
    {
      pthread_atfork (NULL, NULL, in_child);
      g_once_init_leave (&once, 1);
    }
}
