/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What stands behind a LoopThread: its context and queue, its tasks and its pool, and
 * what its thread does from first to last. The thread holds it, and outlives the object
 * by its last steps. */

#pragma once

#include "concur-context-queue-private.h"
#include "concur-home-private.h"
#include "concur-loop-state-private.h"
#include "concur-loop-thread.h"

G_BEGIN_DECLS

typedef struct _ConcurLoop     ConcurLoop;
typedef struct _ConcurLoopTask ConcurLoopTask;

struct _ConcurLoop
{
  /* immutable after construction */
  char *name;
  guint max_workers;
  GMainContext *context;       /* (owned) */
  ConcurContextQueue *queue;   /* (owned) */
  GSource *bell;               /* (owned) in context: see loop_ring () */
  ConcurHome *home;            /* held: where the object was made */
  ConcurLoopThread *owner;     /* not counted: the life knows how long there is one */

  /* set before the life is told that the owner goes, then immutable */
  ConcurHome *owner_home;      /* held: where it did, unless on the loop's own thread */
  ConcurHomeItem owner_item;

  ConcurLoopLife life;

  /* the loop's thread */
  gboolean begun;              /* run_loop () has come to dispatching */
  gboolean returned;           /* run_loop () has */
  gboolean draining;
  guint n_draining;            /* the queue, the pool */
  gboolean drained;
  ConcurShutdownMode mode;     /* that is being carried out */

  /* also that thread; the next one after it was joined */
  gboolean queue_closed;

  ConcurLock lock;             /* a leaf */

  /* protected by lock */
  ConcurThreadExecutor *pool;  /* (owned) (nullable) */
  guint pool_run;              /* the run it belongs to */
  ConcurLoopTask *tasks;       /* (owned) in the order they were added */
  guint last_task;             /* the last id given */
};

ConcurLoop           *concur_loop_new                (ConcurLoopThread    *owner);
ConcurLoop           *concur_loop_ref                (ConcurLoop          *self);
void                  concur_loop_unref              (ConcurLoop          *self);

/* The last reference goes: FALSE if there is no thread that still needs the owner, else
 * the stop has begun, and the one that the owner has been given is let go when it ends. */
gboolean              concur_loop_owner_goes         (ConcurLoop          *self);

/* Whether this is its thread. */
gboolean              concur_loop_is_current         (ConcurLoop          *self);
/* Whether the thread cannot end before the caller goes on. */
gboolean              concur_loop_is_inside          (ConcurLoop          *self);

ConcurLoopState       concur_loop_get_state          (ConcurLoop          *self);
/* Why it takes no work, for people to read. */
void                  concur_loop_set_refused        (ConcurLoop          *self,
                                                      GError             **error);

gboolean              concur_loop_start              (ConcurLoop          *self,
                                                      GError             **error);
/* Does not wait. @ended, @run: (out) (optional): what to wait for. */
void                  concur_loop_begin_stop         (ConcurLoop          *self,
                                                      ConcurShutdownMode   mode,
                                                      ConcurFuture       **ended,
                                                      guint               *run);
/* After the end of @run was told: until the thread is gone. */
void                  concur_loop_reap               (ConcurLoop          *self,
                                                      guint                run);
/* For the @ended of @run, or NULL. FALSE: not in time. */
gboolean              concur_loop_wait_end           (ConcurLoop          *self,
                                                      ConcurFuture        *ended,
                                                      guint                run,
                                                      gint64               timeout_us);

ConcurThreadExecutor *concur_loop_get_pool           (ConcurLoop          *self);
/* (transfer full) (nullable): the one there is. */
ConcurThreadExecutor *concur_loop_dup_pool           (ConcurLoop          *self);

/* That it has come to @state, for who listens at home; NULL if nobody does. */
typedef struct _ConcurLoopNotice ConcurLoopNotice;

ConcurLoopNotice     *concur_loop_notice_new         (ConcurLoop          *self,
                                                      ConcurLoopState      state);
void                  concur_loop_notice_post        (ConcurLoopNotice    *notice);

/* Tasks */
guint                 concur_loop_add_task           (ConcurLoop          *self,
                                                      ConcurJobFunc        func,
                                                      gpointer             user_data,
                                                      GDestroyNotify       destroy);
gboolean              concur_loop_remove_task        (ConcurLoop          *self,
                                                      guint                id);
void                  concur_loop_start_tasks        (ConcurLoop          *self);
void                  concur_loop_cancel_tasks       (ConcurLoop          *self);
void                  concur_loop_free_tasks         (ConcurLoop          *self);

/* Implemented by the owner. */
ConcurFuture *concur_loop_thread_shutdown    (ConcurExecutor     *executor,
                                              ConcurShutdownMode  mode);
ConcurLoop *concur_loop_thread_get_loop      (ConcurLoopThread *self);
gboolean    concur_loop_thread_has_listeners (ConcurLoopThread *self,
                                              ConcurLoopState   state);
/* At home. */
void        concur_loop_thread_tell          (ConcurLoopThread *self,
                                              ConcurLoopState   state);

G_END_DECLS
