/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One thread of a pool. */

#pragma once

#include "concur-job-private.h"
#include "concur-pool-private.h"

G_BEGIN_DECLS

struct _ConcurWorker
{
  /* immutable */
  ConcurPool *pool;
  ConcurHome *home;            /* held: rung to wake the worker */
  ConcurParker *parker;        /* of home */
  char name[16];               /* as the kernel has it: 15 bytes and a NUL */

  /* the worker's own thread */
  gboolean searching;          /* it is one of ConcurPool::searching */
  gboolean retired;            /* it is not one of ConcurPool::n_threads any more */
  guint nested;                /* jobs on the stack */

  /* protected by ConcurPool::lock */
  ConcurWorker *next;          /* in ConcurPool::workers */
  ConcurWorker *next_idle;     /* in ConcurPool::idle */
  gboolean parked;             /* it is in ConcurPool::idle */

  /* Somebody looks at frames. See concur_worker_frame_popped (). */
  ConcurLock lock;
  _Atomic gint inspectors;
  _Atomic (ConcurFrame *) frame; /* written by the worker */
  _Atomic guint64 n_completed;   /* written by the worker */
};

/* What a token does: be a worker until there is nothing to do. */
void          concur_worker_main         (gpointer      pool);

/* The calling thread's worker, or NULL. */
ConcurWorker *concur_worker_get_current  (void);

/* Waits for a job and runs it. FALSE: the thread is to end. */
gboolean      concur_worker_run_next     (ConcurWorker *self);

/* Waits for @future on whichever thread; a worker does what it can meanwhile. */
gboolean      concur_worker_wait         (ConcurFuture *future,
                                          gint64        timeout_us);

/* Around anything else that blocks: meanwhile the pool may start a thread in place of a
 * worker. Nothing on other threads. */
void          concur_worker_begin_blocking (void);
void          concur_worker_end_blocking (void);

/* Kept by concur_job_run () for those who look from outside. */
void          concur_worker_frame_pushed (ConcurFrame  *frame);
void          concur_worker_frame_popped (ConcurFrame  *outer);

/* Between these two the frames of @self, and the jobs in them, stay. */
ConcurFrame  *concur_worker_inspect      (ConcurWorker *self);
void          concur_worker_inspected    (ConcurWorker *self);

G_END_DECLS
