/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What executors need of a job beyond its public side. */

#pragma once

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

/* For a fresh job only: what may not change once it is submitted. */
void             concur_job_set_up     (ConcurJob       *self,
                                        ConcurHome      *home,
                                        GCancellable    *cancellable);

/* For the library's own classes: what to let go at home. */
void             concur_job_set_payload (ConcurJob       *self,
                                         gpointer         data,
                                         GDestroyNotify   destroy);

/* Between these two the job is this thread's current one. */
void             concur_job_enter      (ConcurFrame     *frame,
                                        ConcurJob       *self);
void             concur_job_leave      (ConcurFrame     *frame);

/* Whether its function is what this thread is in the middle of. */
gboolean         concur_job_is_on_stack (gpointer        future);

/* The job was claimed for this thread: run it, to the end of its function. */
void             concur_job_run        (ConcurJob       *self);

/* Before the job is queued there: it runs in @context, so a thread that owns @context
 * must not wait for it. The caller sees to it that the job ends before @context does. */
void             concur_job_bind       (ConcurJob       *self,
                                        GMainContext    *context);

/* The queue gives back a job that it could not have claimed. */
void             concur_job_left_queue (ConcurJob       *self);

G_END_DECLS
