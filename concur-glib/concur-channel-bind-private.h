/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Something in a main context that takes what comes out of a channel, until the end. It is
 * the future that says how that ended. */

#pragma once

#include "concur-channel-bind.h"
#include "concur-channel-private.h"

G_BEGIN_DECLS

typedef struct
{
  ConcurFutureClass parent_class;
} ConcurBindingClass;

typedef struct _ConcurBinding ConcurBinding;

typedef struct
{
  /* In the context: uses at least one of the values in hand, or sees that they are not
   * wanted. @began: when this turn did. TRUE: the turn is over, also if there is more. */
  gboolean (*use) (ConcurBinding *self,
                   gint64         began);
  /* In the context, once: lets go of what is its own. */
  void     (*end) (ConcurBinding *self);
} ConcurBindingKind;

struct _ConcurBinding
{
  ConcurFuture parent_instance;

  /* immutable */
  const ConcurBindingKind *kind;
  ConcurChannelCore *core;     /* (owned) */
  ConcurHome *home;            /* of the context; held while it waits, until it is posted */
  gboolean is_at_home;         /* the future's home is the same */
  gpointer user_data;
  GDestroyNotify destroy;

  /* atomic */
  ConcurWord stage;

  /* in whose hand it is: see concur-channel-bind.c */
  ConcurHomeItem item;
  ConcurChannelWaiter waiter;
  ConcurChannel *channel;      /* (owned) until the end */
  gpointer own;                /* the kind's, until the end */
  GValue *values;              /* (owned) (nullable) n_values, of which those up to at are used */
  guint n_values;
  guint at;
  guint at_once;               /* how many to take in one go */
  gint64 n_done;               /* what the future is resolved with */
  gboolean enough;             /* the channel is to be stopped: there shall be no more */
  GError *error;               /* (owned) (nullable) the same, because something is wrong */
};

/* For @context, or if that is NULL the caller's. */
ConcurBinding *concur_binding_new   (const ConcurBindingKind *kind,
                                     ConcurChannel           *channel,
                                     gpointer                 own,
                                     gpointer                 user_data,
                                     GDestroyNotify           destroy,
                                     GMainContext            *context);
/* From here on it is in other hands. Takes over @self and returns it. */
ConcurFuture  *concur_binding_begin (ConcurBinding           *self);

/* for_each () and bind_list_store () before they begin: a function that knows the binding
 * can set its error, and then returns FALSE or NULL. */
ConcurBinding *concur_each_binding_new (ConcurChannel     *channel,
                                        ConcurChannelFunc  func,
                                        gpointer           user_data,
                                        GDestroyNotify     destroy,
                                        GMainContext      *context);
ConcurBinding *concur_list_binding_new (ConcurChannel     *channel,
                                        GListStore        *store,
                                        ConcurItemFunc     factory,
                                        gpointer           user_data,
                                        GDestroyNotify     destroy);

/* FALSE: it was cancelled, or the channel stopped. To be asked before each use. */
static inline gboolean
concur_binding_is_wanted (ConcurBinding *self)
{
  return !CONCUR_PHASE_IS_DONE (concur_future_state (self))
         && !concur_channel_core_is_stopped (self->core);
}

G_END_DECLS
