/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-fork-private.h"
#include "concur-service-private.h"
#include "concur-sync-private.h"

static ConcurLock lock;         /* a leaf */
static ConcurCond wake;

/* protected by lock */
static ConcurChore *first;
static ConcurChore **end = &first;
static gboolean started;

static gpointer
service_thread (gpointer data)
{
  concur_thread_is_own = TRUE;

  for (;;)
    {
      ConcurChore *chore;

      concur_lock_acquire (&lock);
      while (first == NULL)
        concur_cond_wait_until (&wake, &lock, -1);
      chore = first;
      first = chore->next;
      if (first == NULL)
        end = &first;
      concur_lock_release (&lock);

      concur_gate ();
      chore->run (chore);
    }

  return NULL;
}

void
concur_service_do (ConcurChore *chore)
{
  gboolean start;

  chore->next = NULL;

  concur_lock_acquire (&lock);
  start = !started;
  started = TRUE;
  if (!start)
    {
      *end = chore;
      end = &chore->next;
    }
  concur_lock_release (&lock);

  if (start)
    {
      GThread *thread;

      concur_fork_watch ();
      thread = g_thread_try_new ("concur-service", service_thread, NULL, NULL);

      if (thread == NULL)
        {
          ConcurChore *waiting;

          /* Others may have relied on us in between. The next one tries again. */
          concur_lock_acquire (&lock);
          started = FALSE;
          waiting = first;
          first = NULL;
          end = &first;
          concur_lock_release (&lock);

          chore->run (chore);
          while (waiting != NULL)
            {
              ConcurChore *next = waiting->next;

              waiting->run (waiting);
              waiting = next;
            }
          return;
        }

      g_thread_unref (thread);
      concur_lock_acquire (&lock);
      *end = chore;
      end = &chore->next;
      concur_lock_release (&lock);
    }

  concur_cond_signal (&wake);
}
