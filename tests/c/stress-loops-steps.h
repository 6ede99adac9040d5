/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an actor of test-stress-loops.c may do next. */

#pragma once

#include "stress-loops-round.h"

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
