/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A continuation is a job that its input executes: submitted from the start, so that it
 * is at home where it was asked for and can be cancelled like any other, but in nobody's
 * queue until the input is done. */

#include "config.h"

#include "concur-continue-private.h"
#include "concur-context-queue-private.h"
#include "concur-derivation-private.h"
#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-job-private.h"
#include "concur-worker-private.h"

/* As at submit: what piled up goes faster than it comes. */
#define SERVE_AT_CONTINUE 64

typedef enum
{
  RUN_IF_RESOLVED,
  RUN_IF_REJECTED,
  RUN_ALWAYS,
} RunWhen;

typedef struct
{
  ConcurDerivation base;

  /* immutable */
  RunWhen when;
  ConcurContinueFunc func;
  gpointer data;
  GDestroyNotify destroy;

  ConcurPlace place;        /* without a home; the target is held until posted */

  ConcurHomeItem post;
} Continuation;

static gboolean
was_answered (ConcurJob *job)
{
  return (concur_future_state (job) & (CONCUR_STATE_ANSWERED | CONCUR_STATE_HOLD)) != 0;
}

static gboolean
continuation_run (ConcurJob  *job,
                  gpointer    data,
                  GError    **error)
{
  Continuation *self = data;
  ConcurFuture *input = self->base.inputs[0].future;
  GError *own_error = NULL;
  gboolean success = self->func (job, input, self->data, &own_error);

  if (own_error != NULL)
    {
      g_propagate_error (error, own_error);
      return FALSE;
    }

  /* One that only clears up says nothing: what was before counts. But one that a binding
   * failed to run says FALSE and no more, and has cleared up nothing. */
  if (self->when == RUN_ALWAYS && success && !was_answered (job))
    concur_future_answer_from (CONCUR_FUTURE (job), input);

  return TRUE;
}

static void
continuation_finalize (gpointer data)
{
  Continuation *self = data;

  if (self->destroy != NULL)
    self->destroy (self->data);
  concur_place_clear (&self->place);
}

static void
continuation_arrived (ConcurHomeItem *item,
                      gboolean        here)
{
  Continuation *self = (Continuation *) ((char *) item - G_STRUCT_OFFSET (Continuation, post));
  ConcurFuture *job = self->base.derived;

  if (concur_future_claim (job, FALSE))
    {
      if (here)
        {
          concur_job_run (CONCUR_JOB (job));
        }
      else
        {
          concur_future_answer_error (job, g_error_new_literal (CONCUR_EXECUTOR_ERROR,
                                                                CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                                                                "The main context is gone"));
          concur_future_run_ended (job);
        }
    }

  concur_derivation_unref (self);
}

static void
continuation_ready (ConcurDerivation *base,
                    ConcurInput      *input)
{
  Continuation *self = (Continuation *) base;
  guint32 phase = CONCUR_PHASE (concur_future_state (input->future));

  if ((self->when == RUN_IF_RESOLVED && phase != CONCUR_PHASE_RESOLVED)
      || (self->when == RUN_IF_REJECTED && phase != CONCUR_PHASE_REJECTED))
    {
      concur_future_answer_from (base->derived, input->future);
      return;
    }

  concur_derivation_detach (self);

  if (self->place.executor != NULL)
    {
      ConcurExecutorInterface *iface = CONCUR_EXECUTOR_GET_IFACE (self->place.executor);

      iface->execute (self->place.executor, CONCUR_JOB (base->derived));
    }
  else if (self->place.pool != NULL)
    {
      concur_pool_execute (self->place.pool, CONCUR_JOB (base->derived));
    }
  else
    {
      concur_derivation_ref (self);
      self->post.func = continuation_arrived;
      concur_home_post (g_steal_pointer (&self->place.target), &self->post);
    }
}

void
concur_place_init (ConcurPlace    *self,
                   ConcurExecutor *executor)
{
  ConcurWorker *worker = concur_worker_get_current ();

  *self = (ConcurPlace){ NULL };

  if (executor != NULL)
    {
      ConcurContextQueue *queue = concur_context_queue_of (executor);

      self->executor = g_object_ref (executor);
      if (queue != NULL)
        self->context = concur_context_queue_get_context (queue);
      return;
    }

  self->context = g_main_context_get_thread_default ();
  if (self->context == NULL && worker != NULL)
    {
      concur_pool_ref (worker->pool);
      self->pool = worker->pool;
      return;
    }

  self->target = concur_home_hold_for_context (self->context);
  if (self->context == NULL)
    self->context = g_main_context_default ();
}

void
concur_place_set_home (ConcurPlace *self)
{
  self->home = concur_home_hold_current ();
}

void
concur_place_copy (const ConcurPlace *self,
                   ConcurPlace       *copy)
{
  *copy = *self;
  if (self->executor != NULL)
    g_object_ref (self->executor);
  if (self->pool != NULL)
    concur_pool_ref (self->pool);
  if (self->target != NULL)
    concur_home_hold (self->target);
  if (self->home != NULL)
    concur_home_hold (self->home);
}

void
concur_place_clear (ConcurPlace *self)
{
  g_clear_object (&self->executor);
  g_clear_pointer (&self->pool, concur_pool_unref);
  g_clear_pointer (&self->target, concur_home_drop);
  g_clear_pointer (&self->home, concur_home_drop);
}

/* Takes over what @place has. */
static ConcurFuture *
continuation_new (ConcurFuture       *input,
                  RunWhen             when,
                  ConcurContinueFunc  func,
                  gpointer            user_data,
                  GDestroyNotify      destroy,
                  ConcurPlace        *place,
                  GCancellable       *cancellable)
{
  ConcurJob *job = concur_job_new (continuation_run, NULL, NULL);
  ConcurFuture *future = CONCUR_FUTURE (job);
  ConcurHome *home = g_steal_pointer (&place->home);
  Continuation *self;

  concur_home_serve (SERVE_AT_CONTINUE);

  self = concur_derivation_new (sizeof (Continuation), future, &input, 1,
                                when == RUN_ALWAYS ? CONCUR_DERIVE_PLAIN : CONCUR_DERIVE_CANCELS,
                                continuation_ready, continuation_finalize);
  self->when = when;
  self->func = func;
  self->data = user_data;
  self->destroy = destroy;
  self->place = *place;
  if (place->context != NULL)
    concur_job_bind (job, place->context);

  if (home != NULL)
    concur_derivation_set_home (self, concur_home_hold (home));
  else
    home = concur_home_hold_current ();

  /* Nobody else has it yet, and nobody may submit it. */
  concur_atomic_or (&concur_future_private (job)->state, CONCUR_STATE_SUBMITTED, CONCUR_RELAXED);
  concur_job_set_payload (job, concur_derivation_ref (self), concur_derivation_unref);
  /* The library's, until the job comes home. */
  g_object_ref (job);
  concur_job_set_up (job, home, cancellable);
  concur_future_submitted (future);

  if (concur_has_stopped ())
    {
      GError *error = NULL;

      concur_set_stopped_error (&error);
      concur_future_answer_error (future, error);
      concur_derivation_unref (self);
    }
  else
    {
      concur_derivation_connect (self);
      if (cancellable != NULL && g_cancellable_is_cancelled (cancellable))
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
    }

  return future;
}

static ConcurFuture *
continue_here (ConcurFuture       *input,
               RunWhen             when,
               ConcurContinueFunc  func,
               gpointer            user_data,
               GDestroyNotify      destroy,
               ConcurExecutor     *executor)
{
  ConcurPlace place;

  concur_place_init (&place, executor);

  return continuation_new (input, when, func, user_data, destroy, &place, NULL);
}

ConcurFuture *
concur_future_continue_in (ConcurFuture       *self,
                           ConcurContinueFunc  func,
                           gpointer            user_data,
                           GDestroyNotify      destroy,
                           const ConcurPlace  *place,
                           GCancellable       *cancellable)
{
  ConcurPlace own;

  concur_place_copy (place, &own);

  return continuation_new (self, RUN_IF_RESOLVED, func, user_data, destroy, &own, cancellable);
}

ConcurFuture *
concur_future_recover_in (ConcurFuture       *self,
                          ConcurContinueFunc  func,
                          gpointer            user_data,
                          GDestroyNotify      destroy,
                          const ConcurPlace  *place,
                          GCancellable       *cancellable)
{
  ConcurPlace own;

  concur_place_copy (place, &own);

  return continuation_new (self, RUN_IF_REJECTED, func, user_data, destroy, &own, cancellable);
}

/**
 * concur_future_continue_with:
 * @self: a future
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run when @self
 *   is resolved
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @executor: (nullable): where @func runs, or %NULL for the caller's own place
 *
 * Goes on from the value of a future.
 *
 * The future that is returned is a [class@Job] which runs when @self is resolved, and
 * whose answer is its own. If @self is rejected or cancelled, @func is not called, and
 * the future ends in the same way, at once.
 *
 * With an @executor, @func runs there. Without one it runs in the thread-default main
 * context of the caller, from a dispatch and never inside this call; if the caller is a
 * worker of a [class@ThreadExecutor] and has pushed no context, on a worker of that
 * executor; else in the global default context. What is to run in a main context keeps
 * it alive until then. If the executor takes no more work when @self is done, the future
 * is rejected, with %CONCUR_EXECUTOR_ERROR_SHUT_DOWN or
 * %CONCUR_EXECUTOR_ERROR_NOT_RUNNING. A full executor takes continuations all the same:
 * who completes a future must not wait.
 *
 * Cancelling the future before @func runs cancels @self as well, unless it was made with
 * [method@Future.shield]; from then on it cancels the job alone. Nobody needs to keep a
 * future in the middle of a chain, and a chain may have any length.
 *
 * @user_data and the references to @self and @executor are released at home, see [class@Job].
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a future for what @func answers
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_continue_with (ConcurFuture       *self,
                             ConcurContinueFunc  func,
                             gpointer            user_data,
                             GDestroyNotify      destroy,
                             ConcurExecutor     *executor)
{
  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);

  return continue_here (self, RUN_IF_RESOLVED, func, user_data, destroy, executor);
}

/**
 * concur_future_recover:
 * @self: a future
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run when @self
 *   is rejected
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @executor: (nullable): where @func runs, or %NULL for the caller's own place
 *
 * Goes on from the error of a future, to answer in its place.
 *
 * If @self is resolved, @func is not called, and the future that is returned is resolved
 * with the same value. Cancellation is not an error to recover from: it is passed on.
 * Everything else is as with [method@Future.continue_with].
 *
 * Returns: (transfer full): a future for the value of @self or what @func answers
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_recover (ConcurFuture       *self,
                       ConcurContinueFunc  func,
                       gpointer            user_data,
                       GDestroyNotify      destroy,
                       ConcurExecutor     *executor)
{
  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);

  return continue_here (self, RUN_IF_REJECTED, func, user_data, destroy, executor);
}

static void
ensured (ConcurDerivation *self,
         ConcurInput      *input)
{
  concur_future_answer_from (self->derived, input->future);
}

/* It may have been cancelled, and then nobody sees how @func ends: an error is logged
 * unless the whole was ignored. */
static void
ensure_ended (ConcurDerivation *self)
{
  ConcurFuture *job = self->inputs[0].future;

  if (concur_future_state (self->derived) & CONCUR_STATE_OBSERVED)
    concur_future_observe (job, concur_future_state (job));
}

/**
 * concur_future_ensure:
 * @self: a future
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run when @self
 *   is done
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @executor: (nullable): where @func runs, or %NULL for the caller's own place
 *
 * Runs a function when a future is done, however it ended: to clear up.
 *
 * If @func returns %TRUE without an answer, the outcome of @self is passed on; an answer
 * or an error of @func takes its place. Cancelling the future that is returned cancels
 * @self, and @func is still called, once @self is done; an error is then logged, unless
 * the future was ignored before, see [method@Future.ignore]. Otherwise this is like
 * [method@Future.continue_with].
 *
 * Returns: (transfer full): a future for the outcome of @self, or of @func
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_ensure (ConcurFuture       *self,
                      ConcurContinueFunc  func,
                      gpointer            user_data,
                      GDestroyNotify      destroy,
                      ConcurExecutor     *executor)
{
  g_autoptr (ConcurFuture) job = NULL;
  ConcurDerivation *derivation;
  ConcurFuture *inputs[2];
  ConcurFuture *future;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);

  /* Two futures, because one that is cancelled does not run any more. */
  job = continue_here (self, RUN_ALWAYS, func, user_data, destroy, executor);
  future = concur_plain_future_new ();

  inputs[0] = job;
  inputs[1] = self;
  derivation = concur_derivation_new (sizeof (ConcurDerivation), future, inputs, 2,
                                      CONCUR_DERIVE_CANCELS, ensured, NULL);
  derivation->ended = ensure_ended;
  derivation->inputs[0].no_cancel = TRUE;
  derivation->inputs[1].no_wait = TRUE;
  concur_derivation_connect (derivation);

  return future;
}

/* The job may have answered by itself, or been abandoned: then this comes too late. */
static void
returned (ConcurDerivation *self,
          ConcurInput      *input)
{
  concur_future_answer_from (self->derived, input->future);
}

/**
 * concur_job_return_future:
 * @self: a job that runs, or is held
 * @future: what to answer with when it is done
 *
 * Answers with the outcome of another future, now or when it is done.
 *
 * The job is held until then, see [method@Job.hold]; its thread is free as soon as the
 * function returns. To be called from the job's function, or, once the job is held, by
 * whoever is going to answer. Cancelling the job cancels @future as well. An answer that
 * the job gives otherwise before @future is done counts instead; a second future does
 * not.
 *
 * Since: 1.0
 */
void
concur_job_return_future (ConcurJob    *self,
                          ConcurFuture *future)
{
  ConcurDerivation *derivation;

  g_return_if_fail (CONCUR_IS_JOB (self));
  g_return_if_fail (CONCUR_IS_FUTURE (future));
  g_return_if_fail (CONCUR_FUTURE (self) != future);

  /* As with all answers the first one counts. */
  if (concur_future_state (self) & (CONCUR_STATE_ANSWERED | CONCUR_STATE_DERIVED))
    return;

  if (!(concur_future_state (self) & CONCUR_STATE_HOLD))
    concur_job_hold (self);
  derivation = concur_derivation_new (sizeof (ConcurDerivation), CONCUR_FUTURE (self), &future, 1,
                                      CONCUR_DERIVE_CANCELS | CONCUR_DERIVE_HOLDS, returned, NULL);
  concur_derivation_connect (derivation);
}

static void
wake_context (ConcurFuture *future,
              gpointer      context)
{
  g_main_context_wakeup (context);
}

static gboolean
time_is_over (gpointer data)
{
  *(gboolean *) data = TRUE;

  /* Once: what goes on inside a nested call would spin on it. */
  return G_SOURCE_REMOVE;
}

/**
 * concur_future_iterate:
 * @self: a future
 * @context: (nullable): a main context, or %NULL for the calling thread's own: its
 *   thread-default one or the global default
 * @timeout_us: how long to go on at most, in microseconds, or -1 for as long as it takes
 * @error: return location for an error
 *
 * Runs a main context on the calling thread until the future is done: for scripts,
 * interactive sessions and tests.
 *
 * In a program with a main loop of its own, ask to be called instead, see
 * [method@Future.when_done]: what the user does meanwhile would be dealt with from
 * inside this call.
 *
 * Returns: %TRUE if the future is done, whatever its outcome; otherwise %FALSE with @error set to
 *   %CONCUR_FUTURE_ERROR_TIMED_OUT, to %G_IO_ERROR_BUSY if another thread runs
 *   @context, or to %CONCUR_EXECUTOR_ERROR_NOT_RUNNING in a forked process
 *
 * Since: 1.0
 */
gboolean
concur_future_iterate (ConcurFuture  *self,
                       GMainContext  *context,
                       gint64         timeout_us,
                       GError       **error)
{
  g_autoptr (GSource) timer = NULL;
  gboolean over = timeout_us == 0;
  gulong id;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return FALSE;
    }

  if (context == NULL)
    context = g_main_context_get_thread_default ();
  if (context == NULL)
    context = g_main_context_default ();

  if (!g_main_context_acquire (context))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                           "Another thread runs this main context: wait for the future instead");
      return FALSE;
    }

  g_main_context_ref (context);
  id = concur_future_add_direct_callback (self, wake_context, g_main_context_ref (context),
                                          (GDestroyNotify) g_main_context_unref);

  if (concur_deadline (timeout_us) >= 0 && timeout_us > 0)
    {
      /* By ready time: g_timeout_source_new () counts in milliseconds. */
      timer = g_timeout_source_new (0);
      g_source_set_ready_time (timer, concur_deadline (timeout_us));
      g_source_set_callback (timer, time_is_over, &over, NULL);
      g_source_attach (timer, context);
    }

  while (!over && !concur_future_is_done (self))
    g_main_context_iteration (context, TRUE);

  concur_future_disconnect_done (self, id);
  if (timer != NULL)
    g_source_destroy (timer);
  g_main_context_release (context);
  g_main_context_unref (context);
  concur_home_serve (G_MAXUINT);

  if (concur_future_is_done (self))
    return TRUE;

  g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
               "Not done after %" G_GINT64_FORMAT " ms", timeout_us / 1000);

  return FALSE;
}
