/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What stands behind a ThreadExecutor and outlives it until the work is done: the
 * queue, the workers, who sleeps and who is woken. */

#pragma once

#include "concur-enums.h"
#include "concur-executor.h"
#include "concur-home-private.h"
#include "concur-promise.h"
#include "concur-queue-private.h"
#include "concur-snapshot.h"
#include "concur-supply-private.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

typedef struct _ConcurPool   ConcurPool;
typedef struct _ConcurWorker ConcurWorker;

/* As many jobs may nest on one worker's stack, each waiting for the next. */
#define CONCUR_MAX_NESTED 64

typedef struct
{
  char *name;                  /* (owned) */
  guint max_threads;           /* 0: a new thread for each job */
  guint max_blocked;
  guint max_pending;           /* 0: no bound */
  gint64 keep_alive;           /* µs, -1: for ever */
  ConcurOverflow overflow;
  ConcurReleasePolicy release;
  const ConcurQueueOps *queue_ops;
  /* NULL, or what a worker does instead of running jobs itself. It holds @owner. */
  void (*thread_main) (gpointer owner);
  gpointer owner;
} ConcurPoolSettings;

struct _ConcurPool
{
  /* immutable */
  ConcurPoolSettings settings;
  ConcurQueue *queue;
  ConcurSupply *supply;

  /* atomic */
  ConcurWord refs;             /* the executor, each token */
  _Atomic guint pending;       /* jobs queued and neither claimed nor cancelled */
  _Atomic gint searching;      /* workers awake that have no job, or are being woken */
  _Atomic guint n_idle;        /* workers in idle; changed under lock */
  _Atomic guint n_threads;     /* tokens out, not owed; changed under lock */
  _Atomic guint limit;         /* of n_threads; changed under lock */
  ConcurQueueFlag paused;
  _Atomic gint shutdown;       /* 0: open, else 1 + ConcurShutdownMode; changed under lock */
  _Atomic guint dropped;       /* jobs in the queue that are not to be run from there */
  _Atomic guint64 n_refused;
  _Atomic guint64 n_completed; /* by workers that have gone */

  ConcurLock lock;
  ConcurCond room;             /* below max-pending, or shut down */

  /* protected by lock */
  ConcurWorker *workers;       /* all that run */
  ConcurWorker *idle;          /* parked, the latest first */
  guint n_present;             /* workers between their first and last step */
  guint n_starting;            /* tokens pushed that have not arrived */
  guint n_owed;                /* tokens pushed that got no thread */
  guint n_blocked;             /* workers that wait for something */
  guint n_waiting;             /* submitters that wait for room */
  gint n_uncounted;            /* pending jobs that are none to max-pending */
  guint n_failures;
  guint next_number;           /* for thread names */
  ConcurPromise *ended;        /* (owned) set by shutdown () */
};

/* What an executor uses; tests change it. */
extern const ConcurQueueOps *concur_pool_default_queue;

ConcurPool     *concur_pool_new          (const ConcurPoolSettings *settings);
void            concur_pool_ref          (ConcurPool         *self);
void            concur_pool_unref        (ConcurPool         *self);

/* So many more (or fewer) of the jobs that are pending, or will be, do not count against
 * max-pending. */
void            concur_pool_add_uncounted (ConcurPool        *self,
                                           gint               n_jobs);

/* Takes the job, which is submitted: queues it or answers it with why not. */
void            concur_pool_execute      (ConcurPool         *self,
                                          ConcurJob          *job);
/* Somebody cancelled a job in the queue. */
void            concur_pool_job_dropped  (ConcurPool         *self);
/* FALSE: it is shut down, and does not pause. */
gboolean        concur_pool_set_paused   (ConcurPool         *self,
                                          gboolean            paused);
ConcurFuture   *concur_pool_shutdown     (ConcurPool         *self,
                                          ConcurShutdownMode  mode);
ConcurSnapshot *concur_pool_dup_snapshot (ConcurPool         *self);

/* For workers. */
gboolean        concur_pool_has_work     (ConcurPool         *self);
/* Wakes one worker, or starts one, unless somebody is awake and looking. */
void            concur_pool_wake_one     (ConcurPool         *self);
/* A job was taken off the queue to be run or answered. */
void            concur_pool_job_taken    (ConcurPool         *self);
/* A worker has claimed a job to run it now, where it stands in the queue. */
void            concur_pool_job_in_place (ConcurPool         *self);
/* What was queued is not to be run any more. A push that was under way while shutdown ()
 * swept the queue is behind its back, and so is what came after that push. */
gboolean        concur_pool_is_cancelling (ConcurPool        *self);
void            concur_pool_cancel_taken (ConcurPool         *self,
                                          ConcurJob          *job);
void            concur_pool_update_limit_locked (ConcurPool  *self);
/* The job was claimed, to be answered and not run. */
void            concur_pool_answer       (ConcurPool         *self,
                                          ConcurJob          *job,
                                          const GError       *error);
/* Answers all that is queued. */
void            concur_pool_answer_queued (ConcurPool        *self,
                                           const GError      *error);
/* Nobody is left, after shutdown: tell. */
void            concur_pool_check_ended  (ConcurPool         *self);

G_END_DECLS
