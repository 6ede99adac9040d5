/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One race of test-races.c as its threads see it: who does what when, and what is seen
 * to happen. */

#pragma once

#include "race-table.h"
#include "race-tools.h"

#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-pool-private.h"

#include <sched.h>

/* Waiting threads spin this often before they yield. */
#define SPINS 64

enum
{
  ORDER_ACT = 1, /* and the next: the part of actor 0 or 1 */
  ORDER_LEAVE = 3,
  ORDER_WAIT,
  ORDER_HOLD,
  ORDER_RETURN,
  ORDER_ANSWER_RETURN,
  ORDER_EXECUTE,
  ORDER_QUIT,
};

/* What happened on a thread that is not home, or while the function was running. */
enum
{
  WRONG_POSTED = 1 << 0,
  WRONG_NOTIFIED = 1 << 1,
  WRONG_DESTROYED = 1 << 2,
  WRONG_TOO_EARLY = 1 << 3,
  WRONG_PARENT = 1 << 4,
};

typedef struct _Round Round;

/* A job that keeps a worker away from the queue. */
typedef struct
{
  Round *round;
  Mailbox mailbox;
  gboolean used; /* home thread */
} Plug;

struct _Round
{
  /* set up by the home thread */
  State state;
  Actor actors[2];
  guint offsets[2];
  gboolean in_place;        /* the job runs on the stack of a waiting worker */
  gboolean early;           /* the home thread has no reference during the race */
  gboolean releases_at_home;
  gboolean cancels_late;    /* the parent, when the job is finalized */
  gboolean owns_executor;
  ConcurExecutor *executor;
  ConcurJob *job;           /* (owned) (nullable) */
  ConcurJob *refs[3];       /* (owned) by the actors, and by who else needs one */
  GCancellable *parent;     /* (owned) (nullable) */
  ConcurAnswer begun;
  gboolean told_to_return;  /* the function */
  gboolean must_answer;     /* it has returned, perhaps holding */
  ConcurFuture *ends[2];    /* (owned) of shutdowns, by the actors */

  TestGate plugged;
  Plug plugs[2];            /* the one that takes, the one that waits */
  Mailbox function;
  TestGate entered;
  TestGate held;

  /* atomic */
  gint ready;
  gint go;
  gint finished;
  gint in_function;
  gint n_direct;
  gint n_posted;
  gint n_destroyed;
  gint n_parents_gone;
  gint wrong;               /* WRONG_* */
  gint outcome;
  gint settler;
  gint value;
};

typedef struct
{
  GThread *thread;
  Mailbox mailbox;
} Helper;

static Helper helpers[2];
static Round round_now;
static GThread *home_thread;
static GMainContext *home_context;
static TestKeeper *keeper;
static guint32 seed;

/* Whose part this thread plays. */
static _Thread_local Actor acting;

static guint
next_random (guint bound)
{
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;

  return seed % bound;
}

static void
fail (const Round *round,
      const char  *what)
{
  g_error ("%s: %s × %s (%s, %s, %s): %s; settled %d times as %s by %s, posted %d, destroyed %d, "
           "parents gone %d, wrong %#x, futures left %u, state word %#x",
           state_names[round->state], actor_names[round->actors[0]], actor_names[round->actors[1]],
           concur_pool_default_queue->name, round->in_place ? "in place" : "popped",
           round->early ? "no other reference" : "with a reference", what, round->n_direct,
           outcome_names[round->outcome], actor_names[round->settler], round->n_posted,
           round->n_destroyed, round->n_parents_gone, round->wrong, test_futures_alive (),
           round->job != NULL ? concur_future_state (round->job) : 0);
}

static gboolean
races (const Round *round,
       Actor        actor)
{
  return round->actors[0] == actor || round->actors[1] == actor;
}

static gboolean
shuts (const Round *round)
{
  return races (round, ACTOR_SHUT_PENDING) || races (round, ACTOR_SHUT_ALL);
}

/* After the race, a function that still runs must know. */
static gboolean
asks_to_stop (const Round *round)
{
  return round->state != STATE_DONE
         && (races (round, ACTOR_CANCEL) || races (round, ACTOR_ABANDON)
             || races (round, ACTOR_PARENT) || races (round, ACTOR_SHUT_ALL));
}

/* What comes home is let go, until @condition. */
#define serve_until(round, condition)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 deadline_ = g_get_monotonic_time () + TEST_PATIENCE_US;                                 \
    while (!(condition))                                                                           \
      {                                                                                            \
        if (!g_main_context_iteration (home_context, FALSE)                                        \
            && !g_main_context_iteration (NULL, FALSE) && concur_release_pending () == 0)          \
          sched_yield ();                                                                          \
        if (g_get_monotonic_time () > deadline_)                                                   \
          fail ((round), "this did not come true: " #condition);                                   \
      }                                                                                            \
  }                                                                                                \
  G_STMT_END

static void
spin (guint n)
{
  volatile guint i;

  for (i = 0; i < n; i++)
    ;
}

/* All who race meet here, and go on at the same moment, give or take. */
static void
meet (Round *round,
      guint  who)
{
  guint looks = 0;

  g_atomic_int_inc (&round->ready);
  while (!g_atomic_int_get (&round->go))
    {
      if (++looks % SPINS == 0)
        sched_yield ();
    }
  spin (round->offsets[who]);
}

/* The part of @who, on the thread whose part it is; not for what a worker does by itself. */
static void
act (Round *round,
     guint  who)
{
  ConcurJob *job = round->refs[who];
  ConcurFuture *future = CONCUR_FUTURE (job);
  Actor actor = round->actors[who];

  acting = actor;
  if (actor != ACTOR_SUBMIT)
    meet (round, who);

  switch (actor)
    {
    case ACTOR_SUBMIT:
      g_object_unref (concur_executor_submit_job (round->executor, round->job, round->parent));
      break;
    case ACTOR_TAKE:
      concur_job_execute (job);
      break;
    case ACTOR_IN_PLACE:
      concur_future_wait (future, -1);
      break;
    case ACTOR_CANCEL:
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      break;
    case ACTOR_ABANDON:
      concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
      break;
    case ACTOR_PARENT:
      g_cancellable_cancel (round->parent);
      break;
    case ACTOR_SHUT_PENDING:
      round->ends[who] = concur_executor_shutdown (round->executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
      break;
    case ACTOR_SHUT_ALL:
      round->ends[who] = concur_executor_shutdown (round->executor, CONCUR_SHUTDOWN_CANCEL_ALL);
      break;
    case ACTOR_FLUSH:
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (round->executor), FALSE);
      break;
    case ACTOR_ANSWER:
      concur_job_return_int64 (job, 1 + who);
      break;
    case ACTOR_PUBLISH:
      concur_future_answer_end (future, round->begun);
      break;
    default:
      g_assert_not_reached ();
    }

  g_clear_object (&round->refs[who]);
  acting = ACTOR_NONE;
  if (!actor_may_be_late (actor))
    g_atomic_int_inc (&round->finished);
}

static gpointer
helper_thread (gpointer data)
{
  Helper *self = data;
  guint order;

  while ((order = mailbox_get (&self->mailbox)) != ORDER_QUIT)
    {
      if (order == ORDER_EXECUTE)
        {
          acting = ACTOR_TAKE;
          concur_job_execute (round_now.refs[2]);
          acting = ACTOR_NONE;
          g_clear_object (&round_now.refs[2]);
        }
      else
        {
          act (&round_now, order - ORDER_ACT);
        }
    }

  return NULL;
}

static gboolean
plug_run (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Plug *self = data;
  Round *round = self->round;
  guint order;

  acting = ACTOR_NONE;
  concur_job_return_boolean (job, TRUE);
  test_gate_open (&round->plugged);

  order = mailbox_get (&self->mailbox);
  if (order == ORDER_WAIT)
    {
      concur_future_wait (CONCUR_FUTURE (round->refs[2]), -1);
      g_clear_object (&round->refs[2]);
    }
  else if (order < ORDER_LEAVE && round->actors[order - ORDER_ACT] == ACTOR_IN_PLACE)
    {
      act (round, order - ORDER_ACT);
    }
  else
    {
      acting = ACTOR_TAKE;
      if (order < ORDER_LEAVE)
        meet (round, order - ORDER_ACT);
    }

  return TRUE;
}

static gboolean
target_run (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Round *round = data;

  g_atomic_int_set (&round->in_function, 1);
  test_gate_open (&round->entered);

  for (;;)
    {
      guint order = mailbox_get (&round->function);
      Actor actor = ACTOR_NONE;

      if (order < ORDER_LEAVE)
        {
          actor = round->actors[order - ORDER_ACT];
          meet (round, order - ORDER_ACT);
          order = actor == ACTOR_HOLD ? ORDER_HOLD : ORDER_RETURN;
        }

      if (order == ORDER_HOLD)
        {
          concur_job_hold (job);
          test_gate_open (&round->held);
        }
      if (order == ORDER_ANSWER_RETURN)
        {
          if (asks_to_stop (round) && !concur_job_is_cancelled (job))
            fail (round, "the function was not asked to stop");
          acting = ACTOR_PUBLISH;
          concur_job_return_int64 (job, 3);
        }
      if (order == ORDER_RETURN || order == ORDER_ANSWER_RETURN)
        {
          acting = ACTOR_RETURN;
          g_atomic_int_set (&round->in_function, 0);
        }
      if (actor != ACTOR_NONE)
        g_atomic_int_inc (&round->finished);
      if (order != ORDER_HOLD)
        return TRUE;
    }
}

static Outcome
get_outcome (ConcurFuture *future)
{
  switch (concur_future_get_state (future))
    {
    case CONCUR_FUTURE_STATE_RESOLVED:
      return OUTCOME_VALUE;
    case CONCUR_FUTURE_STATE_REJECTED:
      return OUTCOME_ERROR;
    case CONCUR_FUTURE_STATE_CANCELLED:
      return OUTCOME_CANCELLED;
    default:
      return OUTCOME_NONE;
    }
}

static gint
get_value (ConcurFuture *future)
{
  return get_outcome (future) == OUTCOME_VALUE ? (gint) concur_future_get_int64 (future, NULL) : 0;
}

static void
settled (ConcurFuture *future,
         gpointer      data)
{
  Round *round = data;
  Actor settler = acting;

  if (settler == ACTOR_ANSWER)
    settler = ACTOR_PUBLISH;
  /* The service thread has no part but this. */
  if (settler == ACTOR_NONE && g_thread_self () != home_thread)
    settler = ACTOR_ORDER;

  g_atomic_int_set (&round->outcome, (gint) get_outcome (future));
  g_atomic_int_set (&round->settler, (gint) settler);
  g_atomic_int_set (&round->value, get_value (future));
  g_atomic_int_inc (&round->n_direct);
}

static void
check_here (Round *round,
            gint   what)
{
  if (g_thread_self () != home_thread)
    g_atomic_int_or (&round->wrong, what);
}

static void
posted (ConcurFuture *future,
        gpointer      data)
{
  Round *round = data;

  check_here (round, WRONG_POSTED);
  g_atomic_int_inc (&round->n_posted);
}

static void
notified (ConcurFuture *future,
          GParamSpec   *pspec,
          gpointer      data)
{
  check_here (data, WRONG_NOTIFIED);
}

static void
destroyed (gpointer data)
{
  Round *round = data;

  if (round->releases_at_home)
    check_here (round, WRONG_DESTROYED);
  if (g_atomic_int_get (&round->in_function))
    g_atomic_int_or (&round->wrong, WRONG_TOO_EARLY);
  g_atomic_int_inc (&round->n_destroyed);
}

/* The job's registration with its parent must be gone before the job is. */
static void
cancel_late (gpointer parent)
{
  g_cancellable_cancel (parent);
  g_object_unref (parent);
}

static void
parent_gone (gpointer  data,
             GObject  *object)
{
  Round *round = data;

  if (round->releases_at_home && !round->cancels_late)
    check_here (round, WRONG_PARENT);
  g_atomic_int_inc (&round->n_parents_gone);
}
