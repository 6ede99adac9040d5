/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Plants the mistake named by the argument; "handover" is correct. */

#include <glib.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  GMutex mutex;
  GCond  cond;
  guint  turn;
  guint  count;
} Shared;

static gpointer
take_turns (gpointer data)
{
  Shared *shared = data;

  for (guint i = 0; i < 1000; i++)
    {
      g_mutex_lock (&shared->mutex);
      while (shared->turn % 2 == 0)
        g_cond_wait (&shared->cond, &shared->mutex);
      shared->count++;
      shared->turn++;
      g_cond_signal (&shared->cond);
      g_mutex_unlock (&shared->mutex);
    }

  return NULL;
}

static void
hand_over (void)
{
  Shared shared = { 0 };
  GThread *thread = g_thread_new ("taker", take_turns, &shared);

  for (guint i = 0; i < 1000; i++)
    {
      g_mutex_lock (&shared.mutex);
      while (shared.turn % 2 == 1)
        g_cond_wait (&shared.cond, &shared.mutex);
      shared.count++;
      shared.turn++;
      g_cond_signal (&shared.cond);
      g_mutex_unlock (&shared.mutex);
    }
  g_thread_join (thread);

  if (shared.count != 2000)
    exit (3);
}

static gpointer
increment (gpointer data)
{
  volatile guint *counter = data;

  for (guint i = 0; i < 1000; i++)
    (*counter)++;

  return NULL;
}

static void
race (void)
{
  guint counter = 0;
  GThread *thread = g_thread_new ("racer", increment, &counter);

  increment (&counter);
  g_thread_join (thread);
}

static void
increment_pooled (gpointer data,
                  gpointer user_data)
{
  g_atomic_int_set ((gint *) user_data, TRUE);
  increment (data);
}

/* Every frame below this race is GLib's: suppressions must not swallow it. */
static void
race_behind_thread_pool (void)
{
  guint counter = 0;
  gint started = FALSE;
  GThreadPool *pool = g_thread_pool_new (increment_pooled, &started, 2, FALSE, NULL);

  g_thread_pool_push (pool, &counter, NULL);
  /* From here on nothing that this thread does happens before what the other does. */
  while (!g_atomic_int_get (&started))
    g_thread_yield ();
  increment (&counter);
  g_thread_pool_free (pool, FALSE, TRUE);
}

static void
leak (void)
{
  char *volatile lost = g_strdup ("nobody frees this");

  lost[0] = 'N';
  lost = NULL;
}

static void
use_after_free (void)
{
  volatile char *volatile text = malloc (8);

  free ((void *) text);
  text[0] = 'x';
}

static void
overflow (void)
{
  volatile int most = INT_MAX;

  most = most + 1;
}

int
main (int    argc,
      char **argv)
{
  static const struct
  {
    const char *name;
    void      (*run) (void);
  } canaries[] = {
    { "handover", hand_over },
    { "race", race },
    { "race-behind-thread-pool", race_behind_thread_pool },
    { "leak", leak },
    { "use-after-free", use_after_free },
    { "overflow", overflow },
  };

  for (guint i = 0; i < G_N_ELEMENTS (canaries); i++)
    if (argc == 2 && strcmp (argv[1], canaries[i].name) == 0)
      {
        canaries[i].run ();
        return EXIT_SUCCESS;
      }

  return 2;
}
