/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of a batcher share.
 *
 * A call is a job that no executor gets: submitted, at home where it was made, and pending
 * until somebody answers or cancels it. A batch is a job that an executor does get, and whose
 * function answers the calls in it. Until it has begun calls come and go.
 *
 * A ConcurBatcher is a handle on a core, which batches and calls hold instead of the handle.
 * What the user gave it, its function's data above all, is in use by the handle and by each
 * batch that is not over; after that it goes home. */

#pragma once

#include "concur-batcher.h"
#include "concur-future-private.h"
#include "concur-home-private.h"
#include "concur-sync-private.h"
#include "concur-timer-private.h"

G_BEGIN_DECLS

typedef struct _ConcurBatcherCall ConcurBatcherCall;

typedef struct
{
  ConcurHomeItem item;         /* to let go at home what the user gave it */

  /* the maker until the first call; then immutable */
  guint max_count;             /* 0: no bound */
  gint64 leeway;
  ConcurExecutor *executor;    /* (owned) while in use */
  ConcurBatcherFunc func;
  gpointer data;
  GDestroyNotify destroy;
  ConcurHome *home;            /* held, while in use */

  /* protects what it says it does in calls and batches, too */
  ConcurLock lock;

  /* protected by lock */
  ConcurBatcherJob *open;      /* (owned) (nullable): the batch that takes calls */

  /* atomic */
  ConcurWord refs;
  ConcurWord users;
} ConcurBatcherCore;

struct _ConcurBatcherCall
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurBatcherCore *core;     /* (owned) */
  GValue argument;             /* until nobody uses it */
  ConcurHome *home;            /* held, the same */
  ConcurHomeItem item;         /* to let it go there */

  /* protected by the core's lock */
  ConcurBatcherJob *batch;     /* not counted: a batch that is over is not here */
  guint index;                 /* in that */
  gboolean answered;           /* by the batch, even if it came too late */
  gboolean out;                /* it is done */

  /* atomic: the call until it is over, and its batch until that is; with one reference to
   * the call for all */
  ConcurWord users;
};

struct _ConcurBatcherJob
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurBatcherCore *core;     /* (owned); NULL of one that somebody else made */

  ConcurTimer timer;           /* (owned reference to us) while it is started */
  ConcurHomeItem item;         /* to start it */
  gboolean uses_core;          /* of who has it; then of the job's end */

  /* protected by the core's lock */
  GPtrArray *calls;            /* NULL once it is over. Until it has begun, NULL stands for
                                * one that was cancelled */
  guint n_wanted;              /* calls that are not done */
  guint n_unanswered;          /* calls that its function has not answered */
  gboolean begun;              /* nobody joins or leaves any more */

  /* immutable once it has begun; 0 before */
  guint n_calls;
};

ConcurBatcherCore *concur_batcher_core_new         (void);
void               concur_batcher_core_unref       (ConcurBatcherCore *self);
void               concur_batcher_core_unuse       (ConcurBatcherCore *self);

ConcurFuture      *concur_batcher_core_call        (ConcurBatcherCore *self,
                                                    const GValue      *argument,
                                                    GCancellable      *cancellable);
/* Starts what waits. @here: in this very call, where a full queue may make it wait. */
void               concur_batcher_core_flush       (ConcurBatcherCore *self,
                                                    gboolean           here);

/* One user of the argument less. */
void               concur_batcher_call_unuse       (ConcurBatcherCall *self);

/* A call is done a moment before its batch is told: takes such ones out of a batch that has
 * not begun. They are for the caller to let go, without the lock. NULL: there are none. */
GPtrArray         *concur_batcher_job_sweep_locked (ConcurBatcherJob  *self);
void               concur_batcher_swept            (GPtrArray         *calls);

/* It counts as a user of @core until it is over. */
ConcurBatcherJob  *concur_batcher_job_new          (ConcurBatcherCore *core);
/* Takes over a reference. */
void               concur_batcher_job_start        (ConcurBatcherJob  *self);

G_END_DECLS
