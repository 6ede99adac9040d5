/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What stands in for the rest of the world in the explorer: where threads come from,
 * and references to objects, whose last drop may race with what other threads do. */

#include "config.h"

#include "concur-service-private.h"
#include "concur-supply-private.h"
#include "explore-models.h"

#include <errno.h>
#include <gio/gio.h>
#include <pthread.h>

struct _ConcurSupply
{
  void (*func) (gpointer data);
  gpointer data;
  ConcurWord refs;
  ConcurWord owed;  /* tokens that got no thread */
};

guint explore_supply_failures;

static void
supply_unref (ConcurSupply *self)
{
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) == 1)
    g_free (self);
}

static gboolean
supply_take_owed (ConcurSupply *self)
{
  guint32 owed = concur_atomic_load (&self->owed, CONCUR_ACQUIRE);

  while (owed > 0)
    {
      if (concur_atomic_cas (&self->owed, &owed, owed - 1, CONCUR_ACQ_REL))
        return TRUE;
    }

  return FALSE;
}

/* A thread that has done with a token takes the next one, as GThreadPool's do. */
static void
supply_thread (gpointer data)
{
  ConcurSupply *self = data;

  do
    self->func (self->data);
  while (supply_take_owed (self));

  supply_unref (self);
}

static gboolean
supply_start (ConcurSupply  *self,
              GError       **error)
{
  if (explore_supply_failures > 0)
    {
      explore_supply_failures--;
      g_set_error (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "a planned failure");
      return FALSE;
    }

  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);
  explore_spawn (supply_thread, self);

  return TRUE;
}

ConcurSupply *
concur_supply_new (void     (*func) (gpointer data),
                   gpointer   data)
{
  ConcurSupply *self = g_new0 (ConcurSupply, 1);

  self->func = func;
  self->data = data;
  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->owed, 0);

  return self;
}

void
concur_supply_free (ConcurSupply *self)
{
  supply_unref (self);
}

gboolean
concur_supply_push (ConcurSupply  *self,
                    GError       **error)
{
  if (supply_start (self, error))
    return TRUE;

  concur_atomic_add (&self->owed, 1, CONCUR_ACQ_REL);

  return FALSE;
}

gboolean
concur_supply_retry (ConcurSupply  *self,
                     GError       **error)
{
  if (!supply_take_owed (self))
    return TRUE;

  if (supply_start (self, error))
    return TRUE;

  concur_atomic_add (&self->owed, 1, CONCUR_ACQ_REL);

  return FALSE;
}

static void
run_chore (gpointer data)
{
  ConcurChore *chore = data;

  chore->run (chore);
}

/* A thread for each chore: the service's own thread would never end. */
void
concur_service_do (ConcurChore *chore)
{
  if (explore_inside ())
    explore_spawn (run_chore, chore);
  else
    chore->run (chore);
}

/* What costs system calls and is of no interest here. */

int   __wrap_pthread_setname_np   (pthread_t   thread,
                                   const char *name);
int   __wrap_pthread_getname_np   (pthread_t   thread,
                                   char       *name,
                                   size_t      size);
guint __wrap_g_get_num_processors (void);

int
__wrap_pthread_setname_np (pthread_t   thread,
                           const char *name)
{
  return 0;
}

int
__wrap_pthread_getname_np (pthread_t thread,
                           char     *name,
                           size_t    size)
{
  return g_strlcpy (name, "model", size) < size ? 0 : ERANGE;
}

guint
__wrap_g_get_num_processors (void)
{
  return 2;
}

/* References may race with what other threads do. */

extern gpointer __real_g_object_ref   (gpointer object);
extern void     __real_g_object_unref (gpointer object);
gpointer        __wrap_g_object_ref   (gpointer object);
void            __wrap_g_object_unref (gpointer object);

gpointer
__wrap_g_object_ref (gpointer object)
{
  if (explore_inside ())
    concur_explore_point (CONCUR_SYNC_UPDATE, (const void *) &((GObject *) object)->ref_count);

  return __real_g_object_ref (object);
}

void
__wrap_g_object_unref (gpointer object)
{
  if (explore_inside ())
    concur_explore_point (CONCUR_SYNC_UPDATE, (const void *) &((GObject *) object)->ref_count);

  __real_g_object_unref (object);
}
