/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What executors need of a job beyond its public side. */

#pragma once

#include "concur-context-queue-private.h"
#include "concur-home-private.h"
#include "concur-job.h"
#include "concur-queue-private.h"
#include "concur-scopes-private.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

/* A job on a thread's stack. Jobs nest when a worker runs the one it waits for. */
typedef struct _ConcurFrame ConcurFrame;

struct _ConcurFrame
{
  ConcurJob *job;
  ConcurFrame *outer;
  gint64 started; /* monotonic µs, coarse */
};

ConcurQueueLink *concur_job_get_link   (ConcurJob       *self);
ConcurJob       *concur_job_from_link  (ConcurQueueLink *link);
/* The same place, for a queue of items. */
ConcurHomeItem  *concur_job_get_item   (ConcurJob       *self);
ConcurJob       *concur_job_from_item  (ConcurHomeItem  *item);

/* For a fresh job only: what may not change once it is submitted. */
void             concur_job_set_up     (ConcurJob       *self,
                                        ConcurHome      *home,
                                        GCancellable    *cancellable);

/* For the library's own classes: what to let go at home. */
void             concur_job_set_payload (ConcurJob       *self,
                                         gpointer         data,
                                         GDestroyNotify   destroy);

/* For a fresh job of any class: what its class lets go at home. */
void             concur_job_set_release (ConcurJob      *self);

/* Between these two the job is this thread's current one. */
void             concur_job_enter      (ConcurFrame     *frame,
                                        ConcurJob       *self);
void             concur_job_leave      (ConcurFrame     *frame);

/* Whether its function is what this thread is in the middle of. */
gboolean         concur_job_is_on_stack (gpointer        future);

/* The job was claimed for this thread: run it, to the end of its function. */
void             concur_job_run        (ConcurJob       *self);
/* The same in two steps; concur_future_run_ended () is the second. */
void             concur_job_call       (ConcurJob       *self);
/* Between the two, of a job that is held: tells @held when it ends. */
void             concur_job_watch_held (ConcurJob       *self,
                                        ConcurHeld      *held);

/* Before the job is queued there: it runs in @context, so a thread that owns @context
 * must not wait for it. The caller sees to it that the job ends before @context does. */
void             concur_job_bind       (ConcurJob       *self,
                                        GMainContext    *context);

/* The queue gives back a job that it could not have claimed. */
void             concur_job_left_queue (ConcurJob       *self);

/* Submits a fresh job of the library's own, which is let go at @home; it takes over the
 * caller's hold on that, and not the caller's reference to the job. */
void             concur_executor_submit_from (ConcurExecutor *self,
                                              ConcurJob      *job,
                                              ConcurHome     *home,
                                              GCancellable   *cancellable);

/* Submits a job with CONCUR_STATE_SUBMITTED as far as it goes without an executor; it takes
 * over the caller's hold on @home. FALSE: it is over already. TRUE: the caller sees to it
 * that it is executed, in time; it may be cancelled before. */
gboolean         concur_executor_begin_submit (ConcurJob      *job,
                                               ConcurHome     *home,
                                               GCancellable   *cancellable);

G_END_DECLS
