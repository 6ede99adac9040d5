/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of a future share: its fields, its state word, and the moves in it.
 *
 * Every decision about a future is one atomic change of its state word, so that of two
 * threads that want different things one wins and knows it. doc/claim-table.md lists
 * who may make which move from which state. */

#pragma once

#include "concur-future.h"
#include "concur-home-private.h"
#include "concur-job.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

/* The phase: the low bits of the state word. */
enum
{
  CONCUR_PHASE_OPEN,      /* of a promise, or of a job nobody submitted */
  CONCUR_PHASE_QUEUED,    /* submitted */
  CONCUR_PHASE_RUNNING,   /* claimed by somebody who runs it; also while it is held */
  CONCUR_PHASE_RESOLVED,  /* done from here on */
  CONCUR_PHASE_REJECTED,
  CONCUR_PHASE_CANCELLED,
};

#define CONCUR_PHASE_MASK 0x7u
#define CONCUR_PHASE(state) ((state) & CONCUR_PHASE_MASK)
#define CONCUR_PHASE_IS_DONE(state) (CONCUR_PHASE (state) >= CONCUR_PHASE_RESOLVED)

enum
{
  /* who set it may write the outcome, unless the future was done already */
  CONCUR_STATE_ANSWERED = 1 << 3,
  /* the outcome is written (or, of an abandoned job, will never be) */
  CONCUR_STATE_READY = 1 << 4,
  /* the job's function is on some thread's stack */
  CONCUR_STATE_ACTIVE = 1 << 5,
  /* the job answers later than its function returns */
  CONCUR_STATE_HOLD = 1 << 6,
  /* to be decided without waiting for the function to return */
  CONCUR_STATE_ABANDON = 1 << 7,
  /* the job was asked to stop */
  CONCUR_STATE_CANCEL = 1 << 8,
  /* threads are parked on the word */
  CONCUR_STATE_WAITERS = 1 << 9,
  /* the list of callbacks is not empty */
  CONCUR_STATE_CALLBACKS = 1 << 10,
  /* somebody looked at the error, or said that nobody will */
  CONCUR_STATE_OBSERVED = 1 << 11,
  /* an executor's queue has the job and with it the library's reference */
  CONCUR_STATE_IN_QUEUE = 1 << 12,
  /* the work has ended, and nobody needs what was submitted any more */
  CONCUR_STATE_OVER = 1 << 13,
  /* home may be used by other threads than the one that ends the job: lock the stripe */
  CONCUR_STATE_HOME_SHARED = 1 << 14,
  /* the job was given to an executor, once */
  CONCUR_STATE_SUBMITTED = 1 << 15,
  /* it runs in a main context, which is then in ConcurFuturePrivate.pool */
  CONCUR_STATE_BOUND = 1 << 16,
  /* the outcome of others decides: the extra block has a derivation */
  CONCUR_STATE_DERIVED = 1 << 17,
  /* a ConcurContextQueue wants to know when this held job ends */
  CONCUR_STATE_WATCHED = 1 << 18,
  /* the library keeps no reference until the work is over: who answers has one */
  CONCUR_STATE_UNKEPT = 1 << 19,
  /* of a delay: a timer completes it, and may have to be stopped */
  CONCUR_STATE_TIMED = 1 << 20,
  /* the list of callbacks has, or had, the one for the job's class */
  CONCUR_STATE_TELLS_CLASS = 1 << 21,
  /* cancelled with QUEUED: what it derives from is not to stop if it has begun */
  CONCUR_STATE_SPARES = 1 << 22,
  /* of a channel, which is told if it is cancelled */
  CONCUR_STATE_CHANNEL = 1 << 23,
  /* of a limiter, which is told if it is cancelled; of a job, when its work has ended */
  CONCUR_STATE_LIMITED = 1 << 24,
  /* of a batcher, which is told when its work has ended */
  CONCUR_STATE_BATCHED = 1 << 25,
  /* of a task group, which is told when it is to stop */
  CONCUR_STATE_GROUP = 1 << 26,
};

typedef struct _ConcurCallback   ConcurCallback;
typedef struct _ConcurDerivation ConcurDerivation;
typedef struct _ConcurView       ConcurView;

/* Somebody to be told that a future is done. Also as a node: in the memory of who is to
 * be told, without an id, always direct. See concur-future-callbacks.c. */
struct _ConcurCallback
{
  ConcurHomeItem item;

  /* immutable */
  gulong id;
  ConcurHome *home;       /* held until posted; NULL: direct */
  ConcurFutureFunc func;
  gpointer data;
  GDestroyNotify destroy;

  /* protected by the stripe */
  ConcurCallback *next;
  ConcurCallback *previous; /* of the first: the last */
  guint status;
  gboolean blind;         /* immutable; of a node: who is told does not look at the error */

  ConcurFuture *future;   /* (owned) once posted; of a node: what it is on */
};

/* What views follow, in the order of CONCUR_NOTIFY_*. */
enum
{
  CONCUR_FOLLOWED_NAME,
  CONCUR_FOLLOWED_PROGRESS,
  CONCUR_FOLLOWED_STATUS_TEXT,
  CONCUR_N_FOLLOWED,
};

typedef struct
{
  guint what;                  /* CONCUR_NOTIFY_*; only these are there */
  guint n_changes[CONCUR_N_FOLLOWED];
  char *name;
  char *status_text;
  double progress;
} ConcurChanges;

/* Made when first needed: most futures have none of this. Protected by the stripe. */
typedef struct
{
  ConcurHomeItem notify_item;
  ConcurFuture *notifying;     /* (owned) while notify_item is posted */
  guint notify;                /* changed properties to tell of, a mask of NOTIFY_* */
  gboolean told_done;
  char *name;
  char *status_text;
  double progress;
  GCancellable *cancellable;   /* (owned) of a job, made by get_cancellable () */
  ConcurDerivation *derivation; /* (owned) until the future is done */
  GObject *children;           /* (owned) immutable once there */
  ConcurView *views;           /* each takes itself off the list when it is done */
  guint n_changes[CONCUR_N_FOLLOWED]; /* of the name, the progress and the status text */
} ConcurExtra;

enum
{
  CONCUR_NOTIFY_NAME = 1 << 0,
  CONCUR_NOTIFY_PROGRESS = 1 << 1,
  CONCUR_NOTIFY_STATUS_TEXT = 1 << 2,
  CONCUR_NOTIFY_STATE = 1 << 3,

  CONCUR_NOTIFY_FOLLOWED = CONCUR_NOTIFY_NAME | CONCUR_NOTIFY_PROGRESS | CONCUR_NOTIFY_STATUS_TEXT,
};

typedef struct
{
  /* written by who set ANSWERED; immutable once the phase is done. Unset when the
   * future was cancelled without an answer */
  GValue value;

  /* atomic */
  ConcurWord state;

  /* the submitter until submitted, immutable after */
  guint8 priority;

  /* atomic: the submitter may find out while somebody cancels */
  _Atomic guint8 release_on_worker;

  /* the submitter until submitted; then see CONCUR_STATE_HOME_SHARED */
  _Atomic (ConcurHome *) home; /* held; NULL before submit and when over */

  /* the submitter until submitted, immutable after */
  gpointer pool;               /* only to compare with: the ConcurPool that queued it,
                                * or with BOUND the GMainContext it runs in */

  /* protected by the stripe; extra is also read atomically */
  ConcurCallback *callbacks;
  _Atomic (ConcurExtra *) extra;
} ConcurFuturePrivate;

/* A number in a GValue owns nothing: setting one up and clearing it away need none of
 * the type system's tables, which would cost as much as the rest of answering. */
static inline void
concur_value_init_scalar (GValue *value,
                          GType   type)
{
  value->g_type = type;
}

static inline void
concur_value_clear (GValue *value)
{
  if (value->g_type != G_TYPE_INVALID && value->g_type != G_TYPE_INT64
      && value->g_type != G_TYPE_DOUBLE && value->g_type != G_TYPE_BOOLEAN)
    g_value_unset (value);
}

/* A number of another width or signedness is fine as long as nothing is lost. @type:
 * %G_TYPE_INT64 or %G_TYPE_DOUBLE. */
gboolean      concur_value_read_number       (const GValue         *value,
                                              GType                 type,
                                              GValue               *number);

/* Not one that could hold an error and holds none. */
static inline gboolean
concur_value_is_error (const GValue *value)
{
  return G_VALUE_TYPE (value) == G_TYPE_ERROR && value->data[0].v_pointer != NULL;
}

/* CONCUR_IS_FUTURE () and CONCUR_IS_JOB (), without a walk up the types for what nearly
 * all futures are. */
#define CONCUR_IS_PLAIN_JOB(self) \
  ((self) != NULL && ((GTypeInstance *) (self))->g_class != NULL                                   \
   && G_TYPE_FROM_INSTANCE (self) == CONCUR_TYPE_JOB)
#define CONCUR_CHECK_FUTURE(self) (CONCUR_IS_PLAIN_JOB (self) || CONCUR_IS_FUTURE (self))
#define CONCUR_CHECK_JOB(self) (CONCUR_IS_PLAIN_JOB (self) || CONCUR_IS_JOB (self))

extern gint concur_future_private_offset;

static inline ConcurFuturePrivate *
concur_future_private (gpointer self)
{
  return (ConcurFuturePrivate *) G_STRUCT_MEMBER_P (self, concur_future_private_offset);
}

static inline guint32
concur_future_state (gpointer self)
{
  /* Acquire: pairs with the release in every move to a done phase; whoever sees the
   * future done may read its value. */
  return concur_atomic_load (&concur_future_private (self)->state, CONCUR_ACQUIRE);
}

/* One of a fixed set of locks, chosen by address. */
ConcurLock   *concur_future_stripe           (gpointer              self);

/* A future nobody runs: what a promise hands out. */
ConcurFuture *concur_plain_future_new        (void);

/* Moves. The answer is given in two steps, with the value written in between:
 *
 *   if (concur_future_answer_begin (f)) { …write the value…; }   only if TRUE
 *   concur_future_answer_end (f, …);                             if it was not refused
 */
typedef enum
{
  CONCUR_ANSWER_REFUSED,  /* somebody answered before: forget it */
  CONCUR_ANSWER_LATE,     /* too late for the outcome, but it ends the job: do not write */
  CONCUR_ANSWER_WRITE,
} ConcurAnswer;

ConcurAnswer  concur_future_answer_begin     (ConcurFuture         *self);
void          concur_future_answer_end       (ConcurFuture         *self,
                                              ConcurAnswer          answer);
/* Both steps for an error; it takes over @error. */
gboolean      concur_future_answer_error     (ConcurFuture         *self,
                                              GError               *error);
gboolean      concur_future_answer_value     (ConcurFuture         *self,
                                              const GValue         *value);
/* Both steps for a scalar, or for what the value then owns. */
gboolean      concur_future_answer_int64     (ConcurFuture         *self,
                                              gint64                value);
gboolean      concur_future_answer_double    (ConcurFuture         *self,
                                              double                value);
gboolean      concur_future_answer_boolean   (ConcurFuture         *self,
                                              gboolean              value);
gboolean      concur_future_answer_string    (ConcurFuture         *self,
                                              const char           *value);
gboolean      concur_future_answer_boxed     (ConcurFuture         *self,
                                              GType                 type,
                                              gconstpointer         value);
gboolean      concur_future_answer_object    (ConcurFuture         *self,
                                              gpointer              value);
gboolean      concur_future_answer_variant   (ConcurFuture         *self,
                                              GVariant             *value);

/* For one with CONCUR_STATE_CHANNEL: somebody works for it, so that cancelling it only asks
 * to stop. FALSE: it is done already. */
gboolean      concur_future_begin            (ConcurFuture         *self);
/* FALSE: it was submitted before, or cancelled before it was. */
gboolean      concur_future_submitted        (ConcurFuture         *self);
/* FALSE: it is done already, and not to be queued. */
gboolean      concur_future_enter_queue      (ConcurFuture         *self);
/* FALSE: cancelled, answered or claimed by somebody else. */
gboolean      concur_future_claim            (ConcurFuture         *self,
                                              gboolean              from_queue);
/* The function has returned. */
void          concur_future_run_ended        (ConcurFuture         *self);
/* To be called after each move to a done phase, with the state before. @ends: the
 * caller also ends the work, so nobody else takes home away meanwhile. */
void          concur_future_settled          (ConcurFuture         *self,
                                              guint32               before,
                                              gboolean              ends);

typedef enum
{
  CONCUR_WAITED_DONE,
  CONCUR_WAITED_TIMED_OUT,
  CONCUR_WAITED_STOPPED,
  CONCUR_WAITED_REFUSED,  /* it would have been a deadlock */
} ConcurWaited;

/* The public calls without their check at the door. */
ConcurWaited  concur_future_do_wait          (ConcurFuture         *self,
                                              gint64                timeout_us);
gboolean      concur_future_do_check         (ConcurFuture         *self,
                                              GError              **error);

/* Somebody has seen the outcome: an error need not be logged. */
void          concur_future_observe          (ConcurFuture         *self,
                                              guint32               state);

/* Waits without a look at what else the thread could do meanwhile. */
gboolean      concur_future_park_until       (ConcurFuture         *self,
                                              gint64                deadline);

/* Callbacks */
void          concur_future_run_callbacks    (ConcurFuture         *self);
void          concur_future_drop_callbacks   (ConcurFuture         *self);
/* @node is the caller's memory, zeroed, and stays until @func was called or it was
 * removed; the caller also keeps @self. @func runs as a direct callback does. */
void          concur_future_add_node         (ConcurFuture         *self,
                                              ConcurCallback       *node,
                                              ConcurFutureFunc      func,
                                              gpointer              data);
/* TRUE: it is not called. FALSE: it was not there, was called, or is on its way. */
gboolean      concur_future_remove_node      (ConcurFuture         *self,
                                              ConcurCallback       *node);
/* Runs @item on this thread: at once, or after the one that is running. */
void          concur_future_trampoline       (ConcurHomeItem       *item);
/* Whether a direct callback runs on this thread, which must not wait. */
gboolean      concur_future_in_trampoline    (void);

/* Returns @task, which is taken over, in its context: when @self is done by calling
 * @done, or when its cancellable is cancelled with that error. */
void          concur_future_wait_as_task     (ConcurFuture         *self,
                                              GTask                *task,
                                              void                (*done) (ConcurFuture *self,
                                                                           GTask        *task));

/* The same, but its cancellable cancels the future, whose outcome counts. */
void          concur_future_cancel_as_task   (ConcurFuture         *self,
                                              GTask                *task,
                                              void                (*done) (ConcurFuture *self,
                                                                           GTask        *task));

/* The future as a GAsyncResult: see concur_future_report (). */
void          concur_future_init_result      (GAsyncResultIface    *iface);

/* The extra block. @progress is clamped; NULL @text clears it. */
void          concur_future_set_progress     (ConcurFuture         *self,
                                              double                progress);
void          concur_future_set_status_text  (ConcurFuture         *self,
                                              const char           *text);
GCancellable *concur_future_get_cancellable  (ConcurFuture         *self);
/* Asks a running job to stop, without calling anybody: the caller cancels what is
 * returned, if anything, and lets it go. */
GCancellable *concur_future_mark_cancelled   (ConcurFuture         *self);
void          concur_future_cancel_extra     (ConcurFuture         *self);
/* Takes over a reference. */
void          concur_future_set_derivation   (ConcurFuture         *self,
                                              ConcurDerivation     *derivation);
/* TRUE: it was there, and its reference is the caller's now. */
gboolean      concur_future_take_derivation  (ConcurFuture         *self,
                                              ConcurDerivation     *derivation);
/* Views: see concur-view.c. @views gets references. */
void          concur_future_add_view         (ConcurFuture         *self,
                                              ConcurView           *view);
void          concur_future_remove_view      (ConcurFuture         *self,
                                              ConcurView           *view);
void          concur_future_collect_views    (ConcurFuture         *self,
                                              GPtrArray            *views);
void          concur_future_read_changes     (ConcurFuture         *self,
                                              guint                 what,
                                              ConcurChanges        *changes);
/* Takes what is newer than @seen out of @changes. What it returns has changed, and there
 * are views to be told. */
guint         concur_future_follow           (ConcurFuture         *self,
                                              guint                *seen,
                                              ConcurChanges        *changes);
/* Takes over a reference. Once. */
void          concur_future_set_children     (ConcurFuture         *self,
                                              GObject              *children);
void          concur_future_notify_done      (ConcurFuture         *self,
                                              gboolean              ends);
/* The same for one that has no home while it is pending, on the thread where that would be. */
void          concur_future_tell_done        (ConcurFuture         *self);
void          concur_future_free_extra       (ConcurFuture         *self);
/* The work is over: takes home away for the last time, NULL if there is none. @before:
 * the state before OVER was set. */
ConcurHome   *concur_future_steal_home       (ConcurFuture         *self,
                                              guint32              *before);
/* A held home, or NULL if the work is over. */
ConcurHome   *concur_future_hold_home        (ConcurFuture         *self);
void          concur_future_init_notify      (GObjectClass         *object_class);

/* Implemented by the job: its work has ended, in whichever way. Called once. */
void          concur_job_over                (ConcurFuture         *self);
/* Implemented by the delay: it is done, and needs its timer no more. */
void          concur_delay_settled           (ConcurFuture         *self);
/* Implemented by the channel: it is done without an answer, so it was cancelled. */
void          concur_channel_future_cancelled (ConcurFuture        *self);
/* The same of one that is running: it was asked to stop. */
void          concur_channel_future_asked    (ConcurFuture         *self);
/* Implemented by the limiter: it is done without an answer, so it was cancelled. */
void          concur_limiter_future_cancelled (ConcurFuture        *self);
/* Implemented by the limiter: the work of a job of its own has ended. */
void          concur_limiter_job_over        (ConcurFuture         *self);
/* Implemented by the batcher: a call is answered or cancelled. */
void          concur_batcher_call_over       (ConcurFuture         *self);
/* Implemented by the task group: what it ends with was asked to stop, in this way. */
void          concur_group_end_asked         (ConcurFuture         *self,
                                              ConcurCancelFlags     flags);

#ifdef CONCUR_TESTING
extern _Atomic gint concur_futures_alive;
#endif

G_END_DECLS
