/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs and posts for one main context: what a ContextExecutor and a LoopThread have in
 * common. Any thread puts in, in order; the context's own dispatch takes out. */

#pragma once

#include "concur-executor.h"

G_BEGIN_DECLS

typedef struct _ConcurContextQueue ConcurContextQueue;

/* What ConcurExecutorInterface.get_context_queue is, for bindings not to see it. */
typedef ConcurContextQueue *(*ConcurContextQueueFunc) (ConcurExecutor *executor);

/* (transfer none) NULL: the executor does not run in a main context, or is not ours. */
static inline ConcurContextQueue *
concur_context_queue_of (ConcurExecutor *executor)
{
  ConcurContextQueueFunc get
    = (ConcurContextQueueFunc) CONCUR_EXECUTOR_GET_IFACE (executor)->get_context_queue;

  return get != NULL ? get (executor) : NULL;
}

/* @priority: of its source in @context. It is open. The queue does not hold @context: who
 * calls any of these does, or knows that the context has gone. */
ConcurContextQueue *concur_context_queue_new          (GMainContext       *context,
                                                       int                 priority);
/* After this nothing can come any more. What is queued is still run; the source goes when
 * there is nothing left. */
void                concur_context_queue_unref        (ConcurContextQueue *self);

/* (transfer none) NULL: it is gone. */
GMainContext       *concur_context_queue_get_context  (ConcurContextQueue *self);

/* Takes a job that was submitted: ConcurExecutorInterface.execute. Never runs it inline.
 * A closed queue rejects it with SHUT_DOWN, one whose context is gone with NOT_RUNNING;
 * so are jobs that are queued when the context goes. */
void                concur_context_queue_execute      (ConcurContextQueue *self,
                                                       ConcurJob          *job);

/* FALSE: it is closed, or its context is gone; @destroy has been called here. It is
 * called without @func if the context goes before the post's turn. */
gboolean            concur_context_queue_post         (ConcurContextQueue *self,
                                                       ConcurPostFunc      func,
                                                       gpointer            user_data,
                                                       GDestroyNotify      destroy);

/* Takes no more work, and deals with what it has as @mode says; calling it again may
 * only strengthen the mode. Posts are run in every mode. The future is resolved when
 * every job has ended, the held ones too, and every post has run. (transfer full) */
ConcurFuture       *concur_context_queue_shutdown     (ConcurContextQueue *self,
                                                       ConcurShutdownMode  mode);
/* After a shutdown that has ended: takes work again. */
void                concur_context_queue_reopen       (ConcurContextQueue *self);

/* Queued, running and held jobs, and posts. */
guint               concur_context_queue_get_n_unfinished (ConcurContextQueue *self);

/* A held job of a queue. The job tells it that it is over, and again when what was
 * submitted has been sent home. */
typedef struct _ConcurHeld ConcurHeld;

void                concur_held_is_over               (ConcurHeld         *self);
void                concur_held_has_gone              (ConcurHeld         *self);

G_END_DECLS
