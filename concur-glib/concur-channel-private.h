/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of a channel share.
 *
 * The core has the items and those who wait for them, and knows nothing of objects: who
 * waits is a waiter, be it a thread, a future, or something that is told in its main
 * context. Under the core's lock it is decided who gets what; the waiters are told after.
 *
 * A GValue is moved from place to place as the bytes it is. It is copied before it comes
 * to the core and unset after it has left, never under the lock.
 *
 * A ConcurChannel is a handle on a core. Waiters hold the core and no handle, so that a
 * channel which everybody has forgotten goes away, with those who wait there. */

#pragma once

#include "concur-channel.h"
#include "concur-exit-private.h"
#include "concur-future-private.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

typedef struct _ConcurChannelCore     ConcurChannelCore;
typedef struct _ConcurChannelWaiter   ConcurChannelWaiter;
typedef struct _ConcurChannelProducer ConcurChannelProducer;

typedef enum
{
  CONCUR_CHANNEL_OK,
  CONCUR_CHANNEL_BLOCKED,  /* no room, or nothing there: one would have to wait */
  CONCUR_CHANNEL_ENDED,    /* closed; for receivers also empty */
  CONCUR_CHANNEL_FAILED,   /* the same, with the error of concur_channel_fail () */
  CONCUR_CHANNEL_GONE,     /* stopped */
  CONCUR_CHANNEL_WAITING,  /* the waiter was put into the queue */
  CONCUR_CHANNEL_CANCELLED, /* the waiter was cancelled, and is only let go */
  CONCUR_CHANNEL_FORKED,   /* somebody has the lock who is not in this process */
} ConcurChannelStatus;

typedef struct
{
  /* Under the lock, atomics only: it is about to be served, and nobody cancels it any
   * more. FALSE: it was cancelled. (nullable): it cannot be. */
  gboolean (*claim)  (ConcurChannelWaiter *waiter);
  /* No lock held. Once for each waiter that was queued, unless it was taken out. */
  void     (*served) (ConcurChannelWaiter *waiter);
} ConcurChannelWaiterKind;

struct _ConcurChannelWaiter
{
  /* immutable while queued */
  const ConcurChannelWaiterKind *kind;

  /* protected by the core's lock while queued; then of who serves it */
  ConcurChannelWaiter *next;
  ConcurChannelWaiter *previous; /* of the first: the last */
  GValue *values;                /* a sender's: owned ones. Of a receiver: room for one, or
                                  * NULL: an array is made */
  guint n_values;                /* a sender's; of a receiver: how many it takes at most */
  guint n_moved;                 /* how many have gone, or come */
  guint8 status;                 /* ConcurChannelStatus */
  gboolean queued : 1;
  gboolean is_sender : 1;
  gboolean holding : 1;          /* it holds, and has values of the channel */
  /* immutable: until it comes for more, or gives back what it has, the channel has not
   * come to its end, and can be stopped */
  gboolean holds : 1;
};

/* Who fills a channel that was made for it, see concur-generate.c. The core calls these
 * with no lock held, each at most once. */
struct _ConcurChannelProducer
{
  /* somebody wants the first item */
  void (*start) (ConcurChannelProducer *self,
                 ConcurChannelCore     *core);
  /* nobody wants any more. It may not have been started, and then never is; or be about to
   * be started on another thread, and then this may come first */
  void (*stop)  (ConcurChannelProducer *self,
                 ConcurChannelCore     *core);
  void (*free)  (ConcurChannelProducer *self);
};

typedef enum
{
  CONCUR_CHANNEL_OPEN,
  CONCUR_CHANNEL_CLOSED,
  CONCUR_CHANNEL_STOPPED,
} ConcurChannelState;

struct _ConcurChannelCore
{
  ConcurLock lock;

  /* immutable */
  guint capacity;                 /* G_MAXUINT: no bound */
  ConcurChannelProducer *producer; /* (owned) (nullable) */

  /* protected by lock */
  ConcurChannelState state;
  guint head;                     /* the oldest item in ring */
  guint n_items;
  guint room;                     /* of ring: 0 or a power of two */
  GValue *ring;
  ConcurChannelWaiter *receivers; /* oldest first; only while there are no items */
  ConcurChannelWaiter *senders;   /* oldest first; only while there is no room */
  GError *error;                  /* (nullable) of concur_channel_fail (); set once */
  guint64 n_received;
  guint n_holding;                /* receivers that hold, and have something */
  gboolean busy;                  /* the completion waits for the producer to end */
  gboolean over;                  /* the completion is decided */
  ConcurFuture *completion;       /* (owned) (nullable) made when it is first asked for */

  /* atomic */
  ConcurWord refs;
  ConcurWord idle;                /* the producer was neither started nor stopped */
  ConcurWord stopped;             /* as state says, for those who have no time to lock */
};

/* FALSE: in a forked process, for ever. */
static inline gboolean
concur_channel_core_lock (ConcurChannelCore *self)
{
  if (concur_is_forked ())
    return concur_lock_try (&self->lock);

  concur_lock_acquire (&self->lock);

  return TRUE;
}

ConcurChannelCore  *concur_channel_core_new         (guint                  capacity,
                                                     ConcurChannelProducer *producer);
ConcurChannelCore  *concur_channel_core_ref         (ConcurChannelCore     *self);
void                concur_channel_core_unref       (ConcurChannelCore     *self);

/* Move owned values. @waiter is set up by the caller and zero beyond that; with @wait it is
 * queued if need be, and then another thread may have served it before this returns.
 * Otherwise what could not be moved is still the caller's. */
ConcurChannelStatus concur_channel_core_send        (ConcurChannelCore     *self,
                                                     ConcurChannelWaiter   *waiter,
                                                     gboolean               wait);
ConcurChannelStatus concur_channel_core_receive     (ConcurChannelCore     *self,
                                                     ConcurChannelWaiter   *waiter,
                                                     gboolean               wait);
/* The same for one value where nobody has to be told of it, as is mostly the case. FALSE:
 * nothing was done, one of the above has to look. Taking also says so with @empty if there
 * is nothing at this moment. */
gboolean            concur_channel_core_put         (ConcurChannelCore     *self,
                                                     const GValue          *value);
gboolean            concur_channel_core_take        (ConcurChannelCore     *self,
                                                     GValue                *value,
                                                     gboolean              *empty);
/* TRUE: it was queued, and nobody serves it any more. */
gboolean            concur_channel_core_take_out    (ConcurChannelCore     *self,
                                                     ConcurChannelWaiter   *waiter);
/* Puts owned values before all others. FALSE: stopped; they are still the caller's. Either
 * way @holder, if there is one, does not hold any more. */
gboolean            concur_channel_core_give_back   (ConcurChannelCore     *self,
                                                     const GValue          *values,
                                                     guint                  n_values,
                                                     ConcurChannelWaiter   *holder);

/* Takes over @error. */
gboolean            concur_channel_core_close       (ConcurChannelCore     *self,
                                                     GError                *error);
/* The same, and those who wait to send are not served any more. */
gboolean            concur_channel_core_cut         (ConcurChannelCore     *self,
                                                     GError                *error);
gboolean            concur_channel_core_stop        (ConcurChannelCore     *self);
/* The producer has ended; until then it was to be waited for. */
void                concur_channel_core_producer_over (ConcurChannelCore   *self);

/* (transfer full) */
ConcurFuture       *concur_channel_core_dup_completion (ConcurChannelCore  *self);

/* @status is none of OK and WAITING. */
GError             *concur_channel_core_make_error  (ConcurChannelCore     *self,
                                                     ConcurChannelStatus    status,
                                                     gboolean               sending);

/* A handle of its own on @core, which it takes over. When a @consumer goes the channel is
 * stopped. */
ConcurChannel      *concur_channel_new_for_core     (ConcurChannelCore     *core,
                                                     gboolean               consumer);
ConcurChannelCore  *concur_channel_get_core         (ConcurChannel         *self);

/* NULL and an unset value stand for none, a NULL object. */
void                concur_channel_copy_value       (const GValue          *source,
                                                     GValue                *value);
/* An array of copies. */
GValue             *concur_channel_copy_values      (const GValue          *source,
                                                     guint                  n_values);

/* Waits on this thread until a waiter that was queued is served, or else takes it out:
 * then FALSE. */
typedef struct
{
  ConcurChannelWaiter base;
  ConcurWord served;
} ConcurThreadWaiter;

extern const ConcurChannelWaiterKind concur_thread_waiter_kind;

gboolean            concur_thread_waiter_wait       (ConcurThreadWaiter    *self,
                                                     ConcurChannelCore     *core,
                                                     gint64                 timeout_us);

static inline gboolean
concur_channel_core_is_stopped (ConcurChannelCore *self)
{
  /* Acquire: pairs with the release in concur_channel_core_stop (). */
  return concur_atomic_load (&self->stopped, CONCUR_ACQUIRE) != 0;
}

/* Implemented by what for_each () and bind_list_store () return: it was cancelled. */
void                concur_channel_binding_cancelled (ConcurFuture         *self);

/* Cancelling it stops the channel. */
ConcurFuture       *concur_channel_completion_new   (ConcurChannelCore     *core);
/* It is done, and knows the core no more. */
void                concur_channel_completion_let_go (ConcurFuture         *self);

#ifdef CONCUR_TESTING
extern _Atomic gint concur_channel_cores_alive;
#endif

G_END_DECLS
