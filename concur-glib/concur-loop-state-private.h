/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The life of a thread that can be started and stopped again and again: who may make
 * which move, who waits for what, and who clears up. Nothing here knows of main loops,
 * nor calls anybody; the schedule explorer runs it by itself.
 *
 *              start                 began
 *    STOPPED ─────────→ STARTING ───────────→ RUNNING
 *       ↑  ↑                │ stop               │ stop
 *       │  └─ no_thread ────┤                    ↓
 *       └────── ended ──────┴──────────────→ STOPPING
 *
 * Each start is a run with a number of its own, so that who waits for the end of one is
 * not kept by the next. */

#pragma once

#include "concur-enums.h"
#include "concur-future-private.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

typedef struct
{
  ConcurLock lock;
  ConcurCond changed;

  /* protected by lock */
  guint run;                /* the one that is, or was last; 0: never started */
  guint begun_run;          /* the last one whose loop ran */
  guint failed_run;         /* the last one that got no thread */
  guint n_joining;          /* who is about to hand over the thread, or to join it */
  gpointer thread;          /* (owned) to be joined */
  ConcurFuture *ended;      /* (owned) of the run, while it lasts */
  ConcurShutdownMode mode;  /* of the stop */
  gboolean owner_gone;      /* the thread has to let the owner go */

  /* atomic; changed under lock */
  ConcurWord state;         /* a ConcurLoopState */
  ConcurWord quit;          /* the loop is to return */
} ConcurLoopLife;

typedef enum
{
  CONCUR_LOOP_START_BEGIN,     /* the caller is to make the thread */
  CONCUR_LOOP_START_JOIN,      /* to join the last run's first, say joined (), come again */
  CONCUR_LOOP_START_WAIT,      /* somebody else does: wait_started () */
  CONCUR_LOOP_START_RUNNING,   /* it runs already */
  CONCUR_LOOP_START_DEADLOCK,  /* the end that would have to come first needs the caller */
} ConcurLoopStart;

typedef enum
{
  CONCUR_LOOP_STARTED,
  CONCUR_LOOP_NOT_STARTED,     /* it was stopped before it ran */
  CONCUR_LOOP_NO_THREAD,
} ConcurLoopStarted;

typedef enum
{
  CONCUR_LOOP_STOP_NOTHING,    /* it is stopped, or somebody else has begun that */
  CONCUR_LOOP_STOP_EARLY,      /* it was starting: the thread finds out by began () */
  CONCUR_LOOP_STOP_DRAIN,      /* have the thread finish its work */
  CONCUR_LOOP_STOP_STRENGTHEN, /* the same, for a stop that goes on more strongly */
} ConcurLoopStop;

typedef enum
{
  CONCUR_LOOP_OWNER_FREE,      /* there is no thread */
  CONCUR_LOOP_OWNER_KEPT,      /* the thread has the caller's reference now */
  CONCUR_LOOP_OWNER_WAS_KEPT,  /* it had got one before */
} ConcurLoopOwner;

void              concur_loop_life_init         (ConcurLoopLife     *self);
/* What is returned is the thread, if nobody joined it. */
gpointer          concur_loop_life_clear        (ConcurLoopLife     *self);

ConcurLoopState   concur_loop_life_get_state    (ConcurLoopLife     *self);
/* Whether the loop runs and takes work, and which run that is, or was last. */
gboolean          concur_loop_life_is_running   (ConcurLoopLife     *self,
                                                 guint              *run);
/* For the loop: whether to return. */
gboolean          concur_loop_life_is_quitting  (ConcurLoopLife     *self);

/* @inside: the thread cannot end while the caller waits. @ended: to be answered at the
 * end; taken over with BEGIN only. @old_thread: set with JOIN only. */
ConcurLoopStart   concur_loop_life_start        (ConcurLoopLife     *self,
                                                 gboolean            inside,
                                                 ConcurFuture       *ended,
                                                 guint              *run,
                                                 gpointer           *old_thread);
/* After BEGIN, one of these two. */
void              concur_loop_life_has_thread   (ConcurLoopLife     *self,
                                                 gpointer            thread);
/* TRUE: the caller lets the owner go. @ended goes to the caller. */
gboolean          concur_loop_life_no_thread    (ConcurLoopLife     *self,
                                                 ConcurFuture      **ended);
ConcurLoopStarted concur_loop_life_wait_started (ConcurLoopLife     *self,
                                                 guint               run);

/* The thread's own moves. FALSE: it was stopped before; drained () is next. */
gboolean          concur_loop_life_began        (ConcurLoopLife     *self);
/* Its work is done: the loop is to return. */
void              concur_loop_life_drained      (ConcurLoopLife     *self);
/* The last it does with its owner. As no_thread (). */
gboolean          concur_loop_life_ended        (ConcurLoopLife     *self,
                                                 ConcurFuture      **ended);

/* @ended, @run: (out) (optional): as hold_end (), of the run that this stops: somebody else
 * may begin the next one before the caller comes to ask. */
ConcurLoopStop    concur_loop_life_stop         (ConcurLoopLife     *self,
                                                 ConcurShutdownMode  mode,
                                                 ConcurFuture      **ended,
                                                 guint              *run);
ConcurShutdownMode concur_loop_life_get_mode    (ConcurLoopLife     *self);

/* What is answered at the end of the run, (transfer full); NULL: there is none. */
ConcurFuture     *concur_loop_life_hold_end     (ConcurLoopLife     *self,
                                                 guint              *run);
/* After that end: waits until the thread is gone. If it returns a thread it is for the
 * caller to join, and then to say so. */
gpointer          concur_loop_life_reap         (ConcurLoopLife     *self,
                                                 guint               run);
void              concur_loop_life_joined       (ConcurLoopLife     *self);

/* The last reference to the owner goes. */
ConcurLoopOwner   concur_loop_life_owner_goes   (ConcurLoopLife     *self);

G_END_DECLS
