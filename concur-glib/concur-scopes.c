/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The handler runs inside g_cancellable_cancel (), on any thread, and while it runs GLib
 * lets nobody disconnect from that cancellable. So it calls nobody: it marks the jobs,
 * which keeps queued ones from starting and tells running ones to stop, and leaves the
 * rest, which may run callbacks, to the service thread. */

#include "config.h"

#include "concur-future-private.h"
#include "concur-scopes-private.h"
#include "concur-service-private.h"

/* A cancellable that has jobs. */
typedef struct
{
  /* protected by lock */
  GCancellable *cancellable;   /* not counted: each registration counts it */
  ConcurRegistration *first;
  gulong handler;              /* 0 while it is being connected */
  guint refs;                  /* registrations, the handler's closure */
} Scope;

struct _ConcurRegistration
{
  /* immutable */
  GCancellable *cancellable;   /* (owned) */
  ConcurJob *job;              /* not counted: the job owns us */

  /* protected by lock */
  Scope *scope;
  ConcurRegistration *next;
  ConcurRegistration *previous;
};

/* A job on its way to being cancelled. */
typedef struct
{
  ConcurChore chore;
  ConcurHomeItem item;
  ConcurFuture *future;        /* (owned) */
  ConcurHome *home;            /* held, to let the future go there */
} Order;

static ConcurLock lock;
static GHashTable *scopes;     /* GCancellable → Scope; protected by lock */

static void
order_arrived (ConcurHomeItem *item,
               gboolean        here)
{
  Order *order = (Order *) ((char *) item - G_STRUCT_OFFSET (Order, item));

  g_object_unref (order->future);
  g_slice_free (Order, order);
}

static void
order_run (ConcurChore *chore)
{
  Order *order = (Order *) chore;
  ConcurHome *home = order->home;

  concur_future_cancel (order->future, CONCUR_CANCEL_NONE);
  order->item.func = order_arrived;
  concur_home_release (home, &order->item);
}

static void
scope_unref_locked (Scope *self)
{
  if (--self->refs == 0)
    g_slice_free (Scope, self);
}

static void
handler_gone (gpointer  data,
              GClosure *closure)
{
  concur_lock_acquire (&lock);
  scope_unref_locked (data);
  concur_lock_release (&lock);
}

static void
cancelled (GCancellable *cancellable,
           gpointer      data)
{
  Scope *self = data;
  ConcurRegistration *registration;
  ConcurChore *orders = NULL, **end = &orders;

  concur_lock_acquire (&lock);
  for (registration = self->first; registration != NULL; registration = registration->next)
    {
      ConcurFuture *future = CONCUR_FUTURE (registration->job);
      ConcurHome *home = concur_future_hold_home (future);
      Order *order;

      /* Over already: it waits at home to be released. */
      if (home == NULL)
        continue;

      /* Sequentially consistent with get_cancellable (), as in cancel (). */
      concur_atomic_or (&concur_future_private (future)->state, CONCUR_STATE_CANCEL,
                        CONCUR_SEQ_CST);

      order = g_slice_new0 (Order);
      order->chore.run = order_run;
      order->future = g_object_ref (future);
      order->home = home;
      *end = &order->chore;
      end = &order->chore.next;
    }
  concur_lock_release (&lock);

  while (orders != NULL)
    {
      ConcurChore *next = orders->next;

      concur_service_do (orders);
      orders = next;
    }
}

static void
scope_add_locked (Scope              *self,
                  ConcurRegistration *registration)
{
  registration->scope = self;
  registration->previous = NULL;
  registration->next = self->first;
  if (self->first != NULL)
    self->first->previous = registration;
  self->first = registration;
  self->refs++;
}

ConcurRegistration *
concur_registration_new (GCancellable *cancellable,
                         ConcurJob    *job)
{
  ConcurRegistration *self = g_slice_new0 (ConcurRegistration);
  gboolean connect = FALSE;
  Scope *scope;
  gulong handler;

  self->cancellable = g_object_ref (cancellable);
  self->job = job;

  concur_lock_acquire (&lock);
  if (scopes == NULL)
    scopes = g_hash_table_new (NULL, NULL);
  scope = g_hash_table_lookup (scopes, cancellable);
  if (scope == NULL)
    {
      scope = g_slice_new0 (Scope);
      scope->cancellable = cancellable;
      g_hash_table_insert (scopes, cancellable, scope);
      scope->refs = 1; /* the closure's */
      connect = TRUE;
    }
  scope_add_locked (scope, self);
  concur_lock_release (&lock);

  if (!connect)
    return self;

  /* Not g_cancellable_connect (), which would call the handler here and now. */
  handler = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (cancelled), scope,
                                   handler_gone, 0);

  /* No job can end before this one is submitted, but others that joined may have been. */
  concur_lock_acquire (&lock);
  scope->handler = handler;
  concur_lock_release (&lock);

  return self;
}

void
concur_registration_free (ConcurRegistration *self)
{
  GCancellable *cancellable = self->cancellable;
  Scope *scope = self->scope;
  gulong handler = 0;

  concur_lock_acquire (&lock);
  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    scope->first = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
  if (scope->first == NULL)
    {
      handler = scope->handler;
      g_hash_table_remove (scopes, cancellable);
    }
  scope_unref_locked (scope);
  concur_lock_release (&lock);

  /* Not g_cancellable_disconnect (), which waits for a handler that is running: that one
   * may be waiting for this thread. The closure keeps the scope for it. */
  if (handler != 0)
    g_signal_handler_disconnect (cancellable, handler);

  g_object_unref (cancellable);
  g_slice_free (ConcurRegistration, self);
}
