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

/* @priority: of its source in @context. Not held: what is queued keeps neither the
 * context nor the queue's owner. It is open. */
ConcurContextQueue *concur_context_queue_new          (GMainContext       *context,
                                                       int                 priority);
ConcurContextQueue *concur_context_queue_ref          (ConcurContextQueue *self);
/* The last one destroys the source; what is queued then is cancelled. */
void                concur_context_queue_unref        (ConcurContextQueue *self);

/* (transfer none) Valid as long as somebody else keeps it; only to compare with. */
GMainContext       *concur_context_queue_get_context  (ConcurContextQueue *self);

/* Takes a job that was submitted: ConcurExecutorInterface.execute. Never runs it inline.
 * A closed queue rejects it with SHUT_DOWN, one whose context is gone with NOT_RUNNING. */
void                concur_context_queue_execute      (ConcurContextQueue *self,
                                                       ConcurJob          *job);

/* FALSE: it is closed, or its context is gone; @destroy has been called here. */
gboolean            concur_context_queue_post         (ConcurContextQueue *self,
                                                       ConcurPostFunc      func,
                                                       gpointer            user_data,
                                                       GDestroyNotify      destroy);

/* Takes no more work, and deals with what it has as @mode says; calling it again may
 * only strengthen the mode. The future is resolved when every job has ended, the held
 * ones too, and every post has run. (transfer full) */
ConcurFuture       *concur_context_queue_shutdown     (ConcurContextQueue *self,
                                                       ConcurShutdownMode  mode);
/* After a shutdown that has ended: takes work again. */
void                concur_context_queue_reopen       (ConcurContextQueue *self);

/* Queued, running and held jobs, and posts. */
guint               concur_context_queue_get_n_unfinished (ConcurContextQueue *self);

G_END_DECLS
