/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Loop threads, contexts as executors, continuations, combinations and tasks, all at once:
 * several threads, and the jobs they make, do whatever comes to the random numbers' mind
 * with a few futures and executors that they share. In the end each future is done, each
 * function that was to be called once was called once, where it should, and what was
 * handed over with it was let go once, at home.
 *
 * Futures only depend on older ones, and what holds a job is always answered by somebody
 * who waits for nothing, so that whatever is left over at the end is a mistake. A failure
 * is tried again with --seed (see the first line of the log) and CONCUR_TEST_SEED (see
 * the test's). */

#include "config.h"

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

static guint32
next_random (guint32 *random)
{
  *random ^= *random << 13;
  *random ^= *random >> 17;
  *random ^= *random << 5;

  return *random;
}

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

/* The steps. */

static void
step_submit (Actor *actor)
{
  g_autoptr (GCancellable) cancellable = pick_cancellable (actor);
  GMainContext *runs_in;
  g_autoptr (ConcurExecutor) executor = pick_executor (actor, &runs_in);
  ConcurJob *job = concur_job_new (stress_job, job_token (actor, runs_in), token_destroy);

  concur_job_set_priority (job, (ConcurPriority) below (actor, 4));
  concur_future_set_name (CONCUR_FUTURE (job), "stressed");
  if (chance (actor, 3))
    concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);
  keep (actor, concur_executor_submit_job (executor, job, cancellable));
  g_object_unref (job);
}

static void
step_leaf (Actor *actor)
{
  Round *round = actor->round;
  ConcurPromise *promise = NULL;
  ConcurFuture *future;

  switch (below (actor, 3))
    {
    case 0:
      future = concur_executor_submit (round->executors[below (actor, 2)], leaf_job,
                                       job_token (actor, NULL), token_destroy, NULL);
      break;
    case 1:
      future = concur_future_delay (below (actor, 3000));
      /* Nobody else keeps it. */
      g_mutex_lock (&round->mutex);
      g_ptr_array_add (round->ledger, g_object_ref (future));
      g_mutex_unlock (&round->mutex);
      break;
    default:
      promise = concur_promise_new ();
      future = g_object_ref (concur_promise_get_future (promise));
    }

  put_into (actor, round->leaves, N_LEAVES, future);
  keep (actor, future);

  if (promise != NULL)
    {
      guint i = below (actor, N_PROMISES);
      ConcurPromise *old;

      g_mutex_lock (&round->mutex);
      old = round->promises[i];
      round->promises[i] = promise;
      g_mutex_unlock (&round->mutex);
      end_promise (old, below (actor, 4));
    }
}

static void
step_end_promise (Actor *actor)
{
  ConcurPromise *promise = take_promise (actor->round, below (actor, N_PROMISES));

  if (promise != NULL)
    concur_promise_set_status_text (promise, "at last");
  end_promise (promise, below (actor, 4));
}

static void
step_continue (Actor *actor)
{
  static ConcurFuture *(*const ways[]) (ConcurFuture *, ConcurContinueFunc, gpointer,
                                        GDestroyNotify, ConcurExecutor *)
      = { concur_future_continue_with, concur_future_recover, concur_future_ensure };
  guint n = chance (actor, 20) ? 5 : 1;
  g_autoptr (ConcurFuture) future = pick (actor);

  for (; n > 0; n--)
    {
      g_autoptr (ConcurExecutor) executor = NULL;
      GMainContext *runs_in = NULL;
      Token *token;
      ConcurFuture *next;

      if (chance (actor, 60))
        executor = pick_executor (actor, &runs_in);
      token = job_token (actor, runs_in);
      /* Where the caller is. */
      token->runs_anywhere = executor == NULL;
      next = ways[below (actor, 3)] (future, stress_continue, token, token_destroy, executor);
      g_object_unref (future);
      future = g_object_ref (next);
      keep (actor, next);
    }
}

static void
step_combine (Actor *actor)
{
  ConcurFuture *inputs[MOST_INPUTS];
  guint n = below (actor, MOST_INPUTS + 1);
  ConcurCombineFlags flags = chance (actor, 50) ? CONCUR_COMBINE_CANCEL_REST : CONCUR_COMBINE_NONE;
  ConcurFuture *future;
  guint i;

  for (i = 0; i < n; i++)
    {
      inputs[i] = pick (actor);
      if (flags != CONCUR_COMBINE_NONE && chance (actor, 50))
        {
          ConcurFuture *input = inputs[i];

          inputs[i] = concur_future_shield (input);
          concur_future_ignore (inputs[i]);
          g_object_unref (input);
        }
    }

  switch (below (actor, 5))
    {
    case 0:
      future = concur_future_all (inputs, n);
      break;
    case 1:
      future = concur_future_all_settled (inputs, n);
      break;
    case 2:
      future = concur_future_any (inputs, n, flags);
      break;
    case 3:
      future = concur_future_race (inputs, n, flags);
      break;
    default:
      future = concur_future_wait_many (inputs, n, (ConcurWaitCondition) below (actor, 3),
                                        chance (actor, 30) ? -1 : (gint64) below (actor, 2000));
    }
  keep (actor, future);

  for (i = 0; i < n; i++)
    g_object_unref (inputs[i]);
}

static void
step_derive (Actor *actor)
{
  g_autoptr (ConcurFuture) future = pick (actor);

  switch (below (actor, 3))
    {
    case 0:
      keep (actor, concur_future_shield (future));
      break;
    case 1:
      keep (actor, concur_future_view (future));
      break;
    default:
      keep (actor, concur_future_with_timeout (future, chance (actor, 20) ? -1 : (gint64) below (actor, 2000)));
    }
}

static void
step_cancel (Actor *actor)
{
  g_autoptr (ConcurFuture) future = pick (actor);

  concur_future_cancel (future, chance (actor, 60) ? CONCUR_CANCEL_NONE : CONCUR_CANCEL_ABANDON);
}

static void
step_cancel_parent (Actor *actor)
{
  g_autoptr (GCancellable) old = NULL;
  guint i = below (actor, N_CANCELLABLES);

  g_mutex_lock (&actor->round->mutex);
  old = actor->round->cancellables[i];
  actor->round->cancellables[i] = g_cancellable_new ();
  g_mutex_unlock (&actor->round->mutex);
  g_cancellable_cancel (old);
}

static void
disconnect (Actor        *actor,
            ConcurFuture *future,
            gulong        id,
            Token        *token)
{
  g_atomic_int_set (&token->disconnected, 1);
  concur_future_disconnect_done (future, id);
  if (token->runs_in != NULL && g_main_context_is_owner (token->runs_in)
      && g_atomic_int_get (&token->called) == 0)
    g_atomic_int_set (&token->disconnected, 2);
}

static void
step_when_done (Actor *actor)
{
  g_autoptr (ConcurFuture) future = pick (actor);
  Token *token = token_new (actor, TOKEN_CALLBACK);
  GMainContext *context = NULL;
  guint where = below (actor, N_LOOPS + 2);
  gulong id;
  guint i;

  if (where < N_LOOPS)
    context = concur_loop_thread_get_context (actor->round->loops[where]);
  token_set_context (token, context);
  id = concur_future_when_done (future, witness_called, token, token_destroy, context);
  if (chance (actor, 30))
    {
      for (i = below (actor, 20); i > 0; i--)
        g_thread_yield ();
      disconnect (actor, future, id, token);
    }
}

static void
step_direct (Actor *actor)
{
  g_autoptr (ConcurFuture) future = pick (actor);
  Token *token = direct_token (actor);
  gulong id;

  id = concur_future_add_direct_callback (future, witness_called, token, token_destroy);
  if (chance (actor, 30))
    disconnect (actor, future, id, token);
}

static void
token_async_done (Token *token)
{
  token_call (token);
  token_destroy (token);
}

static void
wait_returned (GObject      *future,
               GAsyncResult *result,
               gpointer      data)
{
  g_autoptr (GError) error = NULL;

  if (concur_future_wait_finish (CONCUR_FUTURE (future), result, &error) == NULL)
    g_assert_nonnull (error);
  token_async_done (data);
}

static void
task_returned (GObject      *source,
               GAsyncResult *result,
               gpointer      data)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_value (G_TASK (result), &value, &error))
    g_assert_nonnull (error);
  token_async_done (data);
}

static void
stop_returned (GObject      *loop,
               GAsyncResult *result,
               gpointer      data)
{
  g_autoptr (GError) error = NULL;

  if (!concur_loop_thread_stop_finish (CONCUR_LOOP_THREAD (loop), result, &error))
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  token_async_done (data);
}

static Token *
async_token (Actor *actor)
{
  Token *token = token_new (actor, TOKEN_ASYNC);

  token_set_context (token, NULL);

  return token;
}

static void
step_wait_async (Actor *actor)
{
  g_autoptr (ConcurFuture) future = pick (actor);
  g_autoptr (GCancellable) cancellable = pick_cancellable (actor);

  if (chance (actor, 50))
    concur_future_wait_async (future, cancellable, wait_returned, async_token (actor));
  else
    g_object_unref (concur_future_as_task (future, NULL, cancellable, task_returned,
                                           async_token (actor)));
}

static gboolean
finish_wait (ConcurJob     *job,
             GObject       *source,
             GAsyncResult  *result,
             gpointer       data,
             GError       **error)
{
  Token *token = data;

  token_call (token);
  if (concur_future_wait_finish (CONCUR_FUTURE (source), result, error) == NULL)
    return FALSE;
  answer_leaf (job, token->seed);

  return TRUE;
}

static void
step_new_for_async (Actor *actor)
{
  g_autoptr (ConcurFuture) input = pick (actor);
  ConcurFuture *future = concur_future_new_for_async (finish_wait, token_new (actor, TOKEN_JOB),
                                                      token_destroy);

  concur_future_wait_async (input, concur_job_get_cancellable (CONCUR_JOB (future)),
                            concur_future_async_ready, g_object_ref (future));
  keep (actor, future);
}

static void
run_task_func (GTask        *task,
               gpointer      source,
               gpointer      data,
               GCancellable *cancellable)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT);
  g_task_return_value (task, &value);
}

static void
step_task (Actor *actor)
{
  g_autoptr (GCancellable) cancellable = pick_cancellable (actor);
  GMainContext *runs_in;
  g_autoptr (ConcurExecutor) executor = pick_executor (actor, &runs_in);
  g_autoptr (GTask) task = NULL;

  if (chance (actor, 60))
    {
      Token *token = job_token (actor, runs_in);

      /* In the task's context, which is the default one where there is no other. */
      token->home = NULL;
      g_clear_pointer (&token->context, g_main_context_unref);
      task = concur_executor_submit_task (executor, NULL, cancellable, task_returned,
                                          async_token (actor), stress_job, token, token_destroy);
    }
  else
    {
      task = g_task_new (NULL, cancellable, task_returned, async_token (actor));
      if (chance (actor, 20))
        g_task_set_return_on_cancel (task, TRUE);
      concur_executor_run_task (executor, task, run_task_func);
    }
}

static gboolean
range_func (ConcurBatch  *batch,
            guint         first,
            guint         n,
            gpointer      data,
            GError      **error)
{
  g_assert_cmpint (g_atomic_int_get (&((Token *) data)->destroyed), ==, 0);

  return TRUE;
}

static void
step_map_range (Actor *actor)
{
  g_autoptr (GCancellable) cancellable = pick_cancellable (actor);
  GMainContext *runs_in;
  g_autoptr (ConcurExecutor) executor = pick_executor (actor, &runs_in);

  keep (actor, concur_executor_map_range (executor, below (actor, 20), 3, range_func,
                                          token_new (actor, TOKEN_JOB), token_destroy, cancellable));
}

static void
posted (gpointer data)
{
  token_call (data);
}

static void
step_post (Actor *actor)
{
  GMainContext *runs_in;
  g_autoptr (ConcurExecutor) executor = pick_executor (actor, &runs_in);
  Token *token = token_new (actor, runs_in != NULL ? TOKEN_POST : TOKEN_JOB);

  /* A loop that is not running says no as any other executor, and in the same place. */
  if (runs_in != NULL)
    token_set_context (token, runs_in);
  if (concur_executor_post (executor, posted, token, token_destroy))
    g_atomic_int_set (&token->taken, 1);
}

static void
step_drop (Actor *actor)
{
  put_into (actor, actor->round->slots, N_SLOTS, NULL);
}

static void
step_task_of_loop (Actor *actor)
{
  Round *round = actor->round;
  guint i = below (actor, N_LOOPS);
  guint id;

  if (chance (actor, 50))
    {
      id = concur_loop_thread_add_task (round->loops[i], task_job, token_new (actor, TOKEN_TASK),
                                        token_destroy);
      g_mutex_lock (&round->mutex);
      g_ptr_array_add (round->tasks[i], GUINT_TO_POINTER (id));
      g_mutex_unlock (&round->mutex);
    }
  else
    {
      g_mutex_lock (&round->mutex);
      id = round->tasks[i]->len > 0
           ? GPOINTER_TO_UINT (round->tasks[i]->pdata[below (actor, round->tasks[i]->len)])
           : 0;
      g_mutex_unlock (&round->mutex);
      concur_loop_thread_remove_task (round->loops[i], id);
    }
}

static void
step_begin_stop (Actor *actor)
{
  ConcurLoopThread *loop = actor->round->loops[below (actor, N_LOOPS)];
  g_autoptr (GCancellable) cancellable = pick_cancellable (actor);
  ConcurFuture *end;

  if (chance (actor, 50))
    {
      concur_loop_thread_stop_async (loop, cancellable, stop_returned, async_token (actor));
    }
  else
    {
      end = concur_executor_shutdown (CONCUR_EXECUTOR (loop), (ConcurShutdownMode) below (actor, 3));
      concur_future_ignore (end);
      g_object_unref (end);
    }
}

/* From here on only on an actor's own thread. */

static void
step_wait (Actor *actor)
{
  g_autoptr (ConcurFuture) future = pick (actor);
  gint64 timeout_us = below (actor, SHORT_US);
  g_autoptr (GError) error = NULL;

  switch (below (actor, 3))
    {
    case 0:
      if (concur_future_wait (future, timeout_us))
        g_assert_true (concur_future_is_done (future));
      break;
    case 1:
      if (concur_future_result (future, timeout_us, &error) == NULL)
        g_assert_nonnull (error);
      break;
    default:
      if (actor->context != NULL || g_thread_self () == actor->round->main)
        g_assert_true (concur_future_iterate (future, NULL, timeout_us, &error) || error != NULL);
    }
}

static void
step_start (Actor *actor)
{
  ConcurLoopThread *loop = actor->round->loops[below (actor, N_LOOPS)];
  g_autoptr (GError) error = NULL;

  if (!concur_loop_thread_start (loop, &error))
    g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
}

static void
step_stop (Actor *actor)
{
  ConcurLoopThread *loop = actor->round->loops[below (actor, N_LOOPS)];
  g_autoptr (GError) error = NULL;
  gboolean ended;

  if (chance (actor, 60))
    ended = concur_loop_thread_stop (loop, chance (actor, 30) ? -1 : (gint64) below (actor, SHORT_US),
                                     &error);
  else
    ended = concur_loop_thread_join (loop, below (actor, SHORT_US), &error);
  if (!ended)
    g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
}

static void
step_call (Actor *actor)
{
  ConcurLoopThread *loop = actor->round->loops[below (actor, N_LOOPS)];
  g_autoptr (GError) error = NULL;
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_loop_thread_call (loop, stress_job,
                                    job_token (actor, concur_loop_thread_get_context (loop)),
                                    token_destroy, below (actor, SHORT_US), &error);
  if (future == NULL)
    {
      g_assert_nonnull (error);
      return;
    }
  g_assert_true (concur_future_is_done (future));
  concur_future_ignore (future);
}

static void
step_short_loop (Actor *actor)
{
  ConcurLoopThread *loop = concur_loop_thread_new ("short");
  g_autoptr (GError) error = NULL;
  Token *token = token_new (actor, TOKEN_TASK);

  concur_loop_thread_add_task (loop, task_job, token, token_destroy);
  if (chance (actor, 80))
    {
      g_assert_true (concur_loop_thread_start (loop, &error));
      keep (actor, concur_executor_submit (CONCUR_EXECUTOR (loop), leaf_job,
                                           job_token (actor, concur_loop_thread_get_context (loop)),
                                           token_destroy, NULL));
      keep (actor, concur_executor_submit (concur_loop_thread_get_executor (loop), leaf_job,
                                           job_token (actor, NULL), token_destroy, NULL));
    }
  if (chance (actor, 50))
    {
      g_assert_true (concur_loop_thread_stop (loop, -1, &error));
      g_assert_cmpint (concur_loop_thread_get_state (loop), ==, CONCUR_LOOP_STATE_STOPPED);
    }
  g_object_unref (loop);
}

static void
step_shut_down (Actor *actor)
{
  ConcurFuture *end;

  if (!chance (actor, 15))
    return;

  end = concur_executor_shutdown (actor->round->executors[below (actor, ON_LOOP)],
                                  (ConcurShutdownMode) below (actor, 3));
  concur_future_ignore (end);
  g_object_unref (end);
}

static const struct
{
  const char *name;
  void (*take) (Actor *actor);
  guint weight;
} steps[] = {
  { "submit", step_submit, 12 },
  { "leaf", step_leaf, 12 },
  { "end-promise", step_end_promise, 6 },
  { "continue", step_continue, 12 },
  { "combine", step_combine, 8 },
  { "derive", step_derive, 8 },
  { "cancel", step_cancel, 6 },
  { "cancel-parent", step_cancel_parent, 2 },
  { "when-done", step_when_done, 8 },
  { "direct", step_direct, 4 },
  { "wait-async", step_wait_async, 6 },
  { "new-for-async", step_new_for_async, 4 },
  { "task", step_task, 5 },
  { "map-range", step_map_range, 2 },
  { "post", step_post, 8 },
  { "drop", step_drop, 6 },
  { "task-of-loop", step_task_of_loop, 3 },
  { "begin-stop", step_begin_stop, 2 },
#define N_NESTED_STEPS 18
  { "wait", step_wait, 8 },
  { "start", step_start, 10 },
  { "stop", step_stop, 4 },
  { "call", step_call, 6 },
  { "short-loop", step_short_loop, 2 },
  { "shut-down", step_shut_down, 1 },
};

static void
act (Actor *actor)
{
  guint n = actor->nested ? N_NESTED_STEPS : G_N_ELEMENTS (steps);
  guint total = 0, i;

  for (i = 0; i < n; i++)
    total += steps[i].weight;
  total = below (actor, total);
  for (i = 0; total >= steps[i].weight; i++)
    total -= steps[i].weight;

  g_atomic_pointer_set (&actor->doing, steps[i].name);
  steps[i].take (actor);
  g_atomic_pointer_set (&actor->doing, "nothing");
}

static void
act_nested (Token *token)
{
  Actor actor = { .round = token->round, .random = token->seed ^ 0x5bd1e995, .nested = TRUE };
  guint i;

  if (actor.random == 0)
    actor.random = 1;
  for (i = 1 + below (&actor, 3); i > 0 && !g_atomic_int_get (&token->round->settling); i--)
    act (&actor);
}

static gpointer
actor_thread (gpointer data)
{
  Actor *actor = data;
  Round *round = actor->round;
  gint64 deadline = g_get_monotonic_time () + 4 * TEST_PATIENCE_US;

  if (actor->context != NULL)
    g_main_context_push_thread_default (actor->context);

  test_gate_wait (&round->start);
  for (; actor->step < N_STEPS; actor->step++)
    {
      act (actor);
      if (actor->context != NULL && actor->step % 5 == 0)
        g_main_context_iteration (actor->context, FALSE);
    }

  g_atomic_int_inc (&round->n_idle);
  while (!g_atomic_int_get (&round->over))
    {
      if (actor->context != NULL)
        test_iterate (actor->context, deadline, G_STRLOC);
      else
        test_pause (deadline, G_STRLOC);
    }

  if (actor->context != NULL)
    g_main_context_pop_thread_default (actor->context);

  return NULL;
}

/* Answers whatever is held, sooner or later, and waits for nothing itself. */
static gpointer
answerer (gpointer data)
{
  Round *round = data;
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  guint n = 0, i;

  while (!g_atomic_int_get (&round->over))
    {
      Held *held = g_async_queue_timeout_pop (round->held, 200);

      if (held != NULL)
        g_ptr_array_add (waiting, held);
      for (i = waiting->len; i > 0; i--)
        {
          held = waiting->pdata[i - 1];
          if (held->when_cancelled && !concur_job_is_cancelled (held->job))
            continue;

          /* A task that fails is logged. */
          if (held->when_cancelled || n++ % 2 == 0)
            concur_job_return_int64 (held->job, n);
          else
            concur_job_return_error (held->job, &(GError){ G_FILE_ERROR, G_FILE_ERROR_PIPE, (char *) "pipe" });
          g_object_unref (held->job);
          g_free (held);
          g_ptr_array_remove_index_fast (waiting, i - 1);
        }
      end_promise (take_promise (round, n % (2 * N_PROMISES) / 2), n);
      n++;
    }
  g_assert_cmpuint (waiting->len, ==, 0);

  return NULL;
}

/* Rounds */

static void
report (Round *round)
{
  guint i;

  for (i = 0; i <= N_ACTORS; i++)
    g_printerr ("# actor %u: step %u, %s\n", i, round->actors[i].step,
                (const char *) g_atomic_pointer_get (&round->actors[i].doing));
  for (i = 0; i < N_LOOPS; i++)
    {
      if (round->loops[i] != NULL)
        g_printerr ("# loop %u is in state %d\n", i, concur_loop_thread_get_state (round->loops[i]));
    }
  g_printerr ("# %u futures are alive; the default context is %p\n", test_futures_alive (),
              (gpointer) g_main_context_default ());
  g_mutex_lock (&round->mutex);
  for (i = 0; i < round->tokens->len; i++)
    {
      Token *token = round->tokens->pdata[i];

      if (!token_is_settled (token))
        g_printerr ("# token %u of kind %d by %s: called %d, destroyed %d, "
                    "disconnected %d, taken %d, context %p, runs in %p\n",
                    i, token->kind, token->made_by, token->called, token->destroyed,
                    token->disconnected, token->taken, (gpointer) token->context,
                    (gpointer) token->runs_in);
    }
  for (i = 0; i < round->ledger->len; i++)
    {
      ConcurFuture *future = round->ledger->pdata[i];

      if (!concur_future_is_done (future))
        g_printerr ("# future %u is a %s in state %d\n", i, G_OBJECT_TYPE_NAME (future),
                    concur_future_get_state (future));
    }
  g_mutex_unlock (&round->mutex);
}

static gboolean
all_idle (Round *round)
{
  return g_atomic_int_get (&round->n_idle) == N_ACTORS;
}

/* Nothing is left to happen. The last nested steps may have added a task, or stopped a loop
 * once more. */
static gboolean
all_settled (Round *round)
{
  gboolean settled = TRUE;
  guint i, k;

  for (i = 0; i < N_LOOPS; i++)
    {
      g_autoptr (GPtrArray) tasks = NULL;

      g_mutex_lock (&round->mutex);
      tasks = g_steal_pointer (&round->tasks[i]);
      round->tasks[i] = g_ptr_array_new ();
      g_mutex_unlock (&round->mutex);
      for (k = 0; k < tasks->len; k++)
        concur_loop_thread_remove_task (round->loops[i], GPOINTER_TO_UINT (tasks->pdata[k]));
      concur_loop_thread_start (round->loops[i], NULL);
    }

  g_mutex_lock (&round->mutex);
  for (i = round->tokens->len; i > 0 && settled; i--)
    settled = token_is_settled (round->tokens->pdata[i - 1]);
  for (i = round->ledger->len; i > 0 && settled; i--)
    settled = concur_future_is_done (round->ledger->pdata[i - 1]);
  g_mutex_unlock (&round->mutex);

  return settled;
}

/* Without the check of test_iterate_until (), which could not say what is missing. */
static void
run_until (Round      *round,
           gboolean  (*condition) (Round *round),
           const char *where)
{
  gint64 deadline = g_get_monotonic_time () + TEST_PATIENCE_US;

  while (!condition (round))
    {
      if (g_get_monotonic_time () > deadline)
        {
          report (round);
          g_error ("%s: not all has come to its end", where);
        }
      test_iterate (NULL, G_MAXINT64, where);
    }
}

static gboolean
all_gone (Round *round)
{
  return test_futures_alive () == 0;
}

static void
begin_round (Round *round)
{
  guint i;

  round->main = g_thread_self ();
  round->held = g_async_queue_new ();
  round->tokens = g_ptr_array_new_with_free_func (token_free);
  round->ledger = test_futures_new ();
  for (i = 0; i < N_LOOPS; i++)
    {
      round->loops[i] = g_object_new (CONCUR_TYPE_LOOP_THREAD, "name", "stress", "max-workers",
                                      (guint) g_test_rand_int_range (1, 3), NULL);
      round->executors[ON_LOOP + i] = g_object_ref (CONCUR_EXECUTOR (round->loops[i]));
      round->tasks[i] = g_ptr_array_new ();
    }
  for (i = 0; i < N_CANCELLABLES; i++)
    round->cancellables[i] = g_cancellable_new ();

  for (i = POOL_WAITS; i <= POOL_REJECTS; i++)
    round->executors[i] = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                        "max-threads", (guint) g_test_rand_int_range (1, 4),
                                        "max-pending", (guint) g_test_rand_int_range (2, 20),
                                        "overflow", i == POOL_WAITS ? CONCUR_OVERFLOW_WAIT
                                                                    : CONCUR_OVERFLOW_REJECT,
                                        NULL);
  round->executors[ON_MAIN]
      = CONCUR_EXECUTOR (concur_context_executor_new (g_main_context_default ()));

  for (i = 0; i <= N_ACTORS; i++)
    {
      round->actors[i].round = round;
      round->actors[i].random = (guint32) g_test_rand_int () | 1;
      round->actors[i].doing = "nothing";
      /* Half of them have a main context, and so a home of another kind. */
      if (i < N_ACTORS && i % 2 == 0)
        round->actors[i].context = g_main_context_new ();
    }
}

static void
end_executors (Round *round)
{
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; i < N_EXECUTORS; i++)
    {
      g_autoptr (ConcurFuture) end = concur_executor_shutdown (round->executors[i],
                                                               CONCUR_SHUTDOWN_DRAIN);

      g_assert_true (concur_future_iterate (end, NULL, TEST_PATIENCE_US, &error));
      g_assert_true (concur_future_check (end, &error));
      g_clear_object (&round->executors[i]);
    }
  for (i = 0; i < N_LOOPS; i++)
    {
      g_assert_true (concur_loop_thread_stop (round->loops[i], -1, &error));
      g_assert_cmpint (concur_loop_thread_get_state (round->loops[i]), ==, CONCUR_LOOP_STATE_STOPPED);
      g_clear_object (&round->loops[i]);
    }
}

static void
drop_everything (Round *round)
{
  guint i;

  for (i = 0; i < N_SLOTS; i++)
    g_clear_object (&round->slots[i]);
  for (i = 0; i < N_LEAVES; i++)
    g_clear_object (&round->leaves[i]);
  for (i = 0; i < N_PROMISES; i++)
    end_promise (take_promise (round, i), 3);
  for (i = 0; i < N_CANCELLABLES; i++)
    g_clear_object (&round->cancellables[i]);
  for (i = 0; i < round->tokens->len; i++)
    g_clear_object (&((Token *) round->tokens->pdata[i])->leaf);
  g_ptr_array_set_size (round->ledger, 0);
}

static void
run_round (void)
{
  Round *round = g_new0 (Round, 1);
  Actor *self = &round->actors[N_ACTORS];
  GThread *threads[N_ACTORS], *answers;
  guint i;

  begin_round (round);
  answers = g_thread_new ("answerer", answerer, round);
  for (i = 0; i < N_ACTORS; i++)
    threads[i] = g_thread_new ("actor", actor_thread, &round->actors[i]);
  test_gate_open (&round->start);

  for (; self->step < N_STEPS; self->step++)
    {
      act (self);
      g_main_context_iteration (NULL, FALSE);
    }
  run_until (round, all_idle, "steps");

  g_atomic_int_set (&round->settling, 1);
  run_until (round, all_settled, "settling");

  end_executors (round);
  drop_everything (round);
  run_until (round, all_gone, "letting go");

  g_atomic_int_set (&round->over, 1);
  for (i = 0; i < N_ACTORS; i++)
    {
      g_thread_join (threads[i]);
      g_clear_pointer (&round->actors[i].context, g_main_context_unref);
    }
  g_thread_join (answers);
  g_assert_cmpint (g_async_queue_length (round->held), ==, 0);

  g_async_queue_unref (round->held);
  g_ptr_array_unref (round->tokens);
  g_ptr_array_unref (round->ledger);
  for (i = 0; i < N_LOOPS; i++)
    g_ptr_array_unref (round->tasks[i]);
  g_free (round);
}

/* GLib sets a class up while others use its parent's. */
static void
make_classes (void)
{
  g_autoptr (ConcurFuture) delay = concur_future_delay (1);
  g_autoptr (ConcurFuture) async = concur_future_new_for_async (finish_wait, NULL, NULL);
  g_autoptr (GTask) task = concur_executor_submit_task (concur_executor_get_default (), NULL, NULL,
                                                        NULL, NULL, test_one_job, NULL, NULL);
  g_autoptr (ConcurFuture) range = concur_executor_map_range (concur_executor_get_default (), 0, 1,
                                                              range_func, NULL, NULL, NULL);

  test_iterate_until (NULL, g_task_get_completed (task) && concur_future_is_done (delay)
                                && concur_future_is_done (range));
}

static void
test_everything (void)
{
  guint i, rounds = test_scaled (200);
  guint homes;

  make_classes ();
  /* The library's own threads have homes, too. */
  run_round ();
  homes = test_homes_alive ();

  for (i = 0; i < rounds; i++)
    run_round ();
  test_iterate_until (NULL, test_homes_alive () <= homes);
}

static void
test_everything_shaken (void)
{
  test_shake_start ();
  test_everything ();
  test_shake_stop ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/stress-loops/everything", test_everything);
  g_test_add_func ("/stress-loops/everything/shaken", test_everything_shaken);

  return test_run ();
}
