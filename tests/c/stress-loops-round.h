/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a round of test-stress-loops.c has: actors, what they share, tokens for all that is to
 * be called or let go, and the jobs. */

#pragma once

#include "test-random.h"
#include "test-workers.h"

#define N_ACTORS 4              /* besides the first thread */
#define N_STEPS 120             /* of each */
#define N_LOOPS 2
#define N_SLOTS 24
#define N_LEAVES 12
#define N_PROMISES 8
#define N_CANCELLABLES 3
#define MOST_INPUTS 4

/* A wait of an actor for what may take as long as it likes. */
#define SHORT_US 2000

enum
{
  POOL_WAITS,                  /* for room, when it is full */
  POOL_REJECTS,
  ON_MAIN,
  ON_LOOP,
  N_EXECUTORS = ON_LOOP + N_LOOPS,
};

typedef enum
{
  TOKEN_JOB,                   /* called once at most */
  TOKEN_TASK,                  /* called as often as its loop is started */
  TOKEN_CALLBACK,              /* called once, unless it was disconnected */
  TOKEN_POST,                  /* called once if it was taken */
  TOKEN_ASYNC,                 /* called once, and lets itself go */
} TokenKind;

typedef struct _Round Round;

/* What is handed over with each function. */
typedef struct
{
  /* immutable */
  Round *round;
  TokenKind kind;
  const char *made_by;
  guint32 seed;
  GThread *maker;
  GThread *home;               /* where it is let go, or NULL */
  GMainContext *context;       /* (owned) the same, if it is one */
  GMainContext *runs_in;       /* (owned) where it is called, or NULL: on no such thread */
  gboolean runs_anywhere;
  ConcurFuture *leaf;          /* (owned) made before, so that it can be answered with */

  /* atomic */
  gint called;
  gint destroyed;
  gint disconnected;           /* 2: where it is called, so that it must not be any more */
  gint taken;
} Token;

typedef struct
{
  Round *round;
  guint32 random;
  GMainContext *context;       /* (owned) (nullable) */
  gboolean nested;             /* in a job: does nothing that might wait for long */
  guint step;
  const char *doing;           /* atomic */
} Actor;

typedef struct
{
  ConcurJob *job;              /* (owned) */
  gboolean when_cancelled;
} Held;

struct _Round
{
  /* immutable */
  ConcurLoopThread *loops[N_LOOPS];
  ConcurExecutor *executors[N_EXECUTORS];
  Actor actors[N_ACTORS + 1];
  GThread *main;

  TestGate start;
  GAsyncQueue *held;           /* of Held */

  /* atomic */
  gint n_idle;                 /* actors that have made all their steps */
  gint settling;               /* nothing new is begun */
  gint over;

  GMutex mutex;

  /* protected by mutex */
  ConcurFuture *slots[N_SLOTS];          /* (owned) */
  ConcurFuture *leaves[N_LEAVES];        /* (owned) these depend on no other */
  ConcurPromise *promises[N_PROMISES];   /* (owned) */
  GCancellable *cancellables[N_CANCELLABLES];
  GPtrArray *tasks[N_LOOPS];             /* ids, also of those that were removed */
  GPtrArray *tokens;
  GPtrArray *ledger;                     /* of futures (owned) */
};

static guint
below (Actor *actor,
       guint  n)
{
  return next_random (&actor->random) % n;
}

static gboolean
chance (Actor *actor,
        guint  percent)
{
  return below (actor, 100) < percent;
}

/* Tokens */

static Token *
token_new (Actor     *actor,
           TokenKind  kind)
{
  Round *round = actor->round;
  Token *token = g_new0 (Token, 1);
  GMainContext *context = g_main_context_get_thread_default ();

  token->round = round;
  token->kind = kind;
  token->made_by = g_atomic_pointer_get (&actor->doing);
  token->seed = next_random (&actor->random);
  token->runs_anywhere = TRUE;
  token->maker = g_thread_self ();

  /* A worker's home goes with the thread, which may be gone when it is let go; a loop
   * thread's context is run by another one after each start. */
  if (!actor->nested || token->maker == round->main)
    token->home = token->maker;
  else if (context != NULL)
    token->context = g_main_context_ref (context);

  g_mutex_lock (&round->mutex);
  g_ptr_array_add (round->tokens, token);
  g_mutex_unlock (&round->mutex);

  return token;
}

static void
token_free (gpointer data)
{
  Token *token = data;

  g_clear_pointer (&token->context, g_main_context_unref);
  g_clear_pointer (&token->runs_in, g_main_context_unref);
  g_clear_object (&token->leaf);
  g_free (token);
}

/* Called, and let go, in this context. */
static void
token_set_context (Token        *token,
                   GMainContext *context)
{
  if (context == NULL)
    context = g_main_context_get_thread_default ();
  if (context == NULL)
    context = g_main_context_default ();

  token->home = NULL;
  g_clear_pointer (&token->context, g_main_context_unref);
  token->context = g_main_context_ref (context);
  token->runs_in = g_main_context_ref (context);
  token->runs_anywhere = FALSE;
}

static void
token_call (Token *token)
{
  if (!token->runs_anywhere
      && (token->runs_in != NULL ? !g_main_context_is_owner (token->runs_in)
                                 : g_main_context_get_thread_default () != NULL))
    g_error ("what was given to %s is called in the wrong place", token->made_by);
  g_assert_cmpint (g_atomic_int_get (&token->destroyed), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&token->disconnected), !=, 2);
  g_atomic_int_inc (&token->called);
}

static void
token_destroy (gpointer data)
{
  Token *token = data;
  gboolean refused = token->kind == TOKEN_POST && g_atomic_int_get (&token->called) == 0
                     && token->maker == g_thread_self ();

  if (!refused
      && ((token->home != NULL && token->home != g_thread_self ())
          || (token->context != NULL && !g_main_context_is_owner (token->context))))
    g_error ("what was given to %s is let go in the wrong place", token->made_by);
  g_assert_cmpint (g_atomic_int_add (&token->destroyed, 1), ==, 0);
}

static gboolean
token_is_settled (Token *token)
{
  gint called = g_atomic_int_get (&token->called);

  if (g_atomic_int_get (&token->destroyed) != 1)
    return FALSE;

  switch (token->kind)
    {
    case TOKEN_JOB:
      return called <= 1;
    case TOKEN_CALLBACK:
      return called == 1 || (called == 0 && g_atomic_int_get (&token->disconnected) != 0);
    case TOKEN_POST:
      return called == (g_atomic_int_get (&token->taken) != 0);
    case TOKEN_ASYNC:
      return called == 1;
    case TOKEN_TASK:
    default:
      return TRUE;
    }
}

/* What is shared */

static ConcurFuture *
pick_from (Actor         *actor,
           ConcurFuture **slots,
           guint          n_slots)
{
  ConcurFuture **slot = &slots[below (actor, n_slots)];
  ConcurFuture *future;

  g_mutex_lock (&actor->round->mutex);
  future = *slot != NULL ? g_object_ref (*slot) : NULL;
  g_mutex_unlock (&actor->round->mutex);

  return future;
}

static ConcurFuture *
pick_leaf (Actor *actor)
{
  return pick_from (actor, actor->round->leaves, N_LEAVES);
}

static ConcurFuture *
pick (Actor *actor)
{
  ConcurFuture *future = pick_from (actor, actor->round->slots, N_SLOTS);

  return future != NULL ? future : concur_future_resolved (NULL);
}

static void
put_into (Actor         *actor,
          ConcurFuture **slots,
          guint          n_slots,
          ConcurFuture  *future)
{
  ConcurFuture **slot = &slots[below (actor, n_slots)];
  ConcurFuture *old;

  g_mutex_lock (&actor->round->mutex);
  old = *slot;
  *slot = future != NULL ? g_object_ref (future) : NULL;
  g_mutex_unlock (&actor->round->mutex);
  g_clear_object (&old);
}

static void
witness_called (ConcurFuture *future,
                gpointer      data)
{
  g_assert_true (concur_future_is_done (future));
  token_call (data);
}

static Token *
direct_token (Actor *actor)
{
  Token *token = token_new (actor, TOKEN_CALLBACK);

  /* Let go by who completes the future, or disconnects it. */
  token->home = NULL;
  g_clear_pointer (&token->context, g_main_context_unref);

  return token;
}

/* Takes over @future, which was just made. */
static void
keep (Actor        *actor,
      ConcurFuture *future)
{
  concur_future_ignore (future);
  if (chance (actor, 50))
    concur_future_add_direct_callback (future, witness_called, direct_token (actor), token_destroy);
  if (chance (actor, 50))
    {
      g_mutex_lock (&actor->round->mutex);
      g_ptr_array_add (actor->round->ledger, g_object_ref (future));
      g_mutex_unlock (&actor->round->mutex);
    }
  put_into (actor, actor->round->slots, N_SLOTS, future);
  g_object_unref (future);
}

static GCancellable *
pick_cancellable (Actor *actor)
{
  GCancellable *cancellable = NULL;
  guint i = below (actor, N_CANCELLABLES * 3);

  if (i < N_CANCELLABLES)
    {
      g_mutex_lock (&actor->round->mutex);
      cancellable = g_object_ref (actor->round->cancellables[i]);
      g_mutex_unlock (&actor->round->mutex);
    }

  return cancellable;
}

static ConcurPromise *
take_promise (Round *round,
              guint  i)
{
  ConcurPromise *promise;

  g_mutex_lock (&round->mutex);
  promise = g_steal_pointer (&round->promises[i]);
  g_mutex_unlock (&round->mutex);

  return promise;
}

static void
end_promise (ConcurPromise *promise,
             guint          how)
{
  if (promise == NULL)
    return;

  if (how % 4 < 2)
    concur_promise_resolve_int64 (promise, how);
  else if (how % 4 == 2)
    concur_promise_reject (promise, &(GError){ G_FILE_ERROR, G_FILE_ERROR_IO, (char *) "no" });
  g_object_unref (promise);
}

static void
hold_for_answerer (Round     *round,
                   ConcurJob *job,
                   gboolean   when_cancelled)
{
  Held *held = g_new (Held, 1);

  held->job = g_object_ref (job);
  held->when_cancelled = when_cancelled;
  g_async_queue_push (round->held, held);
}

/* (transfer full). Posts and jobs there are called in @runs_in, or NULL. */
static ConcurExecutor *
pick_executor (Actor         *actor,
               GMainContext **runs_in)
{
  Round *round = actor->round;
  guint i = below (actor, N_EXECUTORS + 1);
  ConcurExecutor *executor;

  *runs_in = NULL;
  if (i == N_EXECUTORS)
    {
      /* Valid until somebody asks for that of a later run. */
      g_mutex_lock (&round->mutex);
      executor = g_object_ref (concur_loop_thread_get_executor (round->loops[0]));
      g_mutex_unlock (&round->mutex);

      return executor;
    }

  if (i == ON_MAIN)
    *runs_in = g_main_context_default ();
  else if (i >= ON_LOOP)
    *runs_in = concur_loop_thread_get_context (round->loops[i - ON_LOOP]);

  return g_object_ref (round->executors[i]);
}

/* What jobs do */

static void act_nested (Token *token);

static void
answer_leaf (ConcurJob *job,
             guint32    how)
{
  if (how % 8 < 6)
    concur_job_return_int64 (job, how);
  else if (how % 8 == 6)
    concur_job_return_error (job, &(GError){ G_FILE_ERROR, G_FILE_ERROR_PIPE, (char *) "pipe" });
}

static gboolean
leaf_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Token *token = data;

  token_call (token);
  answer_leaf (job, token->seed);

  return TRUE;
}

static gboolean
stress_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Token *token = data;
  guint32 random = token->seed;
  guint i;

  token_call (token);
  switch (next_random (&random) % 10)
    {
    case 0:
      g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");
      return FALSE;

    case 1:
      concur_job_hold (job);
      hold_for_answerer (token->round, job, FALSE);
      return TRUE;

    case 2:
      if (token->leaf != NULL)
        {
          concur_job_return_future (job, token->leaf);
          return TRUE;
        }
      break;

    case 3:
      for (i = 0; i < 50; i++)
        {
          if (concur_job_check_cancelled (job, error))
            return FALSE;
          concur_job_set_progress (job, i / 50.0);
          g_thread_yield ();
        }
      break;

    case 4:
      if (token->leaf != NULL)
        concur_future_wait (token->leaf, next_random (&random) % 500);
      break;

    case 5:
      g_cancellable_cancel (concur_job_get_cancellable (job));
      concur_future_cancel (CONCUR_FUTURE (job),
                            random % 2 == 0 ? CONCUR_CANCEL_NONE : CONCUR_CANCEL_ABANDON);
      break;

    case 6:
    case 7:
      act_nested (token);
      break;

    default:
      break;
    }

  answer_leaf (job, next_random (&random));

  return TRUE;
}

static gboolean
stress_continue (ConcurJob     *job,
                 ConcurFuture  *input,
                 gpointer       data,
                 GError       **error)
{
  g_assert_true (concur_future_is_done (input));

  return stress_job (job, data, error);
}

static gboolean
task_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Token *token = data;

  token_call (token);
  if (token->seed % 2 == 0)
    {
      concur_job_hold (job);
      hold_for_answerer (token->round, job, TRUE);
    }
  else
    {
      concur_job_return_int64 (job, 1);
    }

  return TRUE;
}

static Token *
job_token (Actor        *actor,
           GMainContext *runs_in)
{
  Token *token = token_new (actor, TOKEN_JOB);

  if (runs_in != NULL)
    token->runs_in = g_main_context_ref (runs_in);
  token->runs_anywhere = FALSE;
  token->leaf = pick_leaf (actor);

  return token;
}
