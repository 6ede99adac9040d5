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

typedef struct _ConcurBinding ConcurBinding;

typedef struct
{
  /* Uses some of what is in hand, at least one, in the context. @began: when this turn did.
   * TRUE: the turn is over, if there is more or not. */
  gboolean (*use) (ConcurBinding *self,
                   gint64         began);
  /* In the context, once, after the last use. */
  void     (*end) (ConcurBinding *self);
} ConcurBindingKind;

/* So long a turn may be, so that drawing, which has 16 ms for all it does, is not late. */
#define CONCUR_BINDING_TURN_US 3000

struct _ConcurBinding
{
  ConcurFuture parent_instance;

  /* immutable */
  const ConcurBindingKind *kind;
  ConcurChannelCore *core;     /* (owned) */
  gpointer user_data;
  GDestroyNotify destroy;
  ConcurHome *home;            /* of the context; held while the waiter is queued, or about
                                * to be posted */

  /* atomic */
  ConcurWord stage;

  /* whoever has the binding in hand: see concur-channel-bind.c */
  ConcurHomeItem item;
  ConcurChannelWaiter waiter;
  ConcurChannel *channel;      /* (owned) until the end */
  GValue *values;              /* (owned) (nullable) in hand: n_values, used up to at */
  guint n_values;
  guint at;
  guint at_once;               /* how many to take in one go */
  gint64 n_done;               /* what the future is resolved with */
  gboolean enough;             /* stop the channel: the function wants no more */
  GError *error;               /* (owned) (nullable) the same: it went wrong */
};

/* A subclass of the size that is its own. Both are of whom calls for_each () or its like. */
#define CONCUR_TYPE_BINDING (concur_binding_get_type ())
GType          concur_binding_get_type (void) G_GNUC_CONST;

/* Sets up what is common, for the thread that runs @context. */
void           concur_binding_init     (ConcurBinding           *self,
                                        const ConcurBindingKind *kind,
                                        ConcurChannel           *channel,
                                        gpointer                 user_data,
                                        GDestroyNotify           destroy,
                                        GMainContext            *context);
/* Others may have a hand in it from here on. (transfer full) */
ConcurFuture  *concur_binding_begin    (ConcurBinding           *self);

/* Whether what is in hand is to be used: it was not cancelled, nor the channel stopped. To
 * be asked before each use. */
static inline gboolean
concur_binding_is_wanted (ConcurBinding *self)
{
  return !CONCUR_PHASE_IS_DONE (concur_future_state (self))
         && !concur_channel_core_is_stopped (self->core);
}

G_END_DECLS
