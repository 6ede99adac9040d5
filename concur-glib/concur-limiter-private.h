/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of a limiter share.
 *
 * The core has the permits and those who wait for them, and knows nothing of objects. Under
 * its lock it is decided whose turn it is; they are told after.
 *
 * A ConcurLimiter is a handle on a core. Those who wait hold the core and no handle, so that
 * they go on when everybody else has forgotten it, and no user's object is let go where
 * they end. */

#pragma once

#include "concur-future-private.h"
#include "concur-limiter.h"
#include "concur-rate-window-private.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

typedef struct _ConcurLimiterCore   ConcurLimiterCore;
typedef struct _ConcurLimiterWaiter ConcurLimiterWaiter;

typedef struct
{
  gboolean is_job; /* its permit is not one to be returned by hand */

  /* Under the lock, atomics only: it is about to be told, and nobody cancels it any more.
   * FALSE: it was cancelled. (nullable): whoever cancels it sees what it has. */
  gboolean (*claim) (ConcurLimiterWaiter *waiter);
  /* No lock held. Once for each waiter that was queued, unless it was taken out. @claimed:
   * whether it could be; @error: why it has to go without, if it has. */
  void     (*told)  (ConcurLimiterWaiter *waiter,
                     gboolean             claimed,
                     const GError        *error);
} ConcurLimiterWaiterKind;

typedef enum
{
  CONCUR_LIMITER_NEW,      /* it has not been there */
  CONCUR_LIMITER_WAITING,  /* queued */
  CONCUR_LIMITER_GRANTED,  /* it has a permit */
  CONCUR_LIMITER_OUT,      /* it has none, and wants none any more */
} ConcurLimiterStatus;

struct _ConcurLimiterWaiter
{
  /* immutable */
  const ConcurLimiterWaiterKind *kind;

  /* protected by the core's lock */
  guint8 status; /* ConcurLimiterStatus */

  /* the same; once it is off the queue: of who tells it */
  guint8 claimed;
  ConcurLimiterWaiter *next;
  ConcurLimiterWaiter *previous;
};

struct _ConcurLimiterCore
{
  ConcurLock lock;

  /* protected by lock */
  guint permits;               /* 0: no bound */
  guint rate;                  /* 0: no bound */
  gint64 period;
  guint n_by_hand;             /* permits that somebody acquired and is to release */
  guint n_at_work;             /* permits that jobs have */
  guint n_waiting;
  ConcurLimiterWaiter *first;  /* nobody waits who could have a permit now */
  ConcurLimiterWaiter *last;
  ConcurRateWindow window;     /* only with a rate */
  gint64 alarm_due;            /* of the first alarm there is; G_MAXINT64: of none */
  gboolean orphaned;           /* there is no handle any more */

  /* atomic */
  ConcurWord refs;
};

ConcurLimiterCore   *concur_limiter_core_new         (guint                 permits,
                                                      guint                 rate,
                                                      gint64                period);
ConcurLimiterCore   *concur_limiter_core_ref         (ConcurLimiterCore    *self);
void                 concur_limiter_core_unref       (ConcurLimiterCore    *self);

/* What becomes of @waiter. With @wait it is queued if need be, and then another thread may
 * have told it before this returns; else it is OUT. Of the two, GRANTED is for the caller to
 * know: the waiter is not told. One that is OUT already stays so. */
ConcurLimiterStatus  concur_limiter_core_enter       (ConcurLimiterCore    *self,
                                                      ConcurLimiterWaiter  *waiter,
                                                      gboolean              wait);
/* It wants none any more. What it was until now: a permit it had is given to the next. */
ConcurLimiterStatus  concur_limiter_core_leave       (ConcurLimiterCore    *self,
                                                      ConcurLimiterWaiter  *waiter);
/* FALSE: there is none that was acquired by hand. */
gboolean             concur_limiter_core_release     (ConcurLimiterCore    *self);
/* The handle goes, and with it who could release what was acquired by hand. */
void                 concur_limiter_core_orphan      (ConcurLimiterCore    *self);

typedef enum
{
  CONCUR_LIMITER_PERMITS,
  CONCUR_LIMITER_RATE,
  CONCUR_LIMITER_PERIOD,
} ConcurLimiterSetting;

void                 concur_limiter_core_set         (ConcurLimiterCore    *self,
                                                      ConcurLimiterSetting  setting,
                                                      gint64                value);

ConcurLimiterCore   *concur_limiter_get_core         (ConcurLimiter        *self);

G_END_DECLS
