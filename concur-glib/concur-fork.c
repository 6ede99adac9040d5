/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-sync-private.h"

#include <pthread.h>

static _Atomic gboolean forked;

/* Runs in the child between fork () and its return: may only store. */
static void
in_child (void)
{
  atomic_store (&forked, TRUE);
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

gboolean
concur_is_forked (void)
{
  return G_UNLIKELY (atomic_load_explicit (&forked, CONCUR_RELAXED));
}

void
concur_set_forked_error (GError **error)
{
  g_set_error_literal (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                       "This process was forked from the one that has the threads; "
                       "run another program in it, or start it without fork");
}
