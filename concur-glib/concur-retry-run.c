/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Trying again, as a chain whose links are made one by one. An attempt is a continuation of
 * the delay before it: it calls the function and answers with the future that it gets. What
 * was handed out derives from the link there is at the moment, and when that has failed,
 * from the next one. */

#include "config.h"

#include "concur-combine.h"
#include "concur-continue-private.h"
#include "concur-derivation-private.h"
#include "concur-error.h"
#include "concur-retry-private.h"

/* One call. It goes on in steps, each of which begins when the one before has ended, so
 * what changes needs no lock. Counted: by the step there is and by its continuation. */
typedef struct
{
  /* immutable */
  ConcurRetry *retry;        /* (owned) */
  ConcurRetryFunc func;
  gpointer data;
  GDestroyNotify destroy;
  GCancellable *cancellable; /* (owned) (nullable) */
  ConcurPlace place;

  /* of the step */
  guint attempt;
  gboolean attempted;        /* there was a future for it */
  double base;               /* the next delay, without jitter */
  GError *error;             /* (nullable) of it, while the filter is asked */

  /* atomic */
  ConcurWord refs;
} Run;

/* Between the future that was handed out and the continuation that it waits for now. */
typedef struct
{
  ConcurDerivation base;

  /* immutable */
  Run *run;                  /* (owned) */
  gboolean filters;
} Step;

static void run_attempt (Run              *run,
                         ConcurFuture     *result,
                         gint64            delay_us);
static void step_done   (ConcurDerivation *base,
                         ConcurInput      *input);

static Run *
run_ref (Run *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

static void
run_unref (gpointer data)
{
  Run *self = data;

  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  if (self->destroy != NULL)
    self->destroy (self->data);
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  g_object_unref (self->retry);
  concur_place_clear (&self->place);
  g_slice_free (Run, self);
}

static void
step_finalize (gpointer data)
{
  run_unref (((Step *) data)->run);
}

/* Nobody is going to look at what the rest does. */
static void
step_ended (ConcurDerivation *self)
{
  concur_future_ignore (self->inputs[0].future);
}

static gboolean
filter_run (ConcurJob     *job,
            ConcurFuture  *input,
            gpointer       data,
            GError       **error)
{
  Run *run = data;
  ConcurRetry *retry = run->retry;

  concur_job_return_boolean (job, retry->filter (input, run->attempt, retry->filter_data));

  return TRUE;
}

/* @next is taken over. */
static void
run_step (Run          *run,
          ConcurFuture *result,
          ConcurFuture *next,
          gboolean      filters)
{
  Step *step = concur_derivation_new (sizeof (Step), result, &next, 1, CONCUR_DERIVE_CANCELS,
                                      step_done, step_finalize);

  concur_derivation_set_home (step, concur_home_hold (run->place.home));
  step->run = run_ref (run);
  step->filters = filters;
  step->base.ended = step_ended;
  concur_derivation_connect (step);
  g_object_unref (next);
}

static void
run_again (Run          *run,
           ConcurFuture *result)
{
  gint64 delay_us = concur_retry_next_delay (run->retry, &run->base, g_random_double ());

  if (run->attempt < G_MAXUINT)
    run->attempt++;
  run_attempt (run, result, delay_us);
}

static void
attempt_rejected (Step         *self,
                  ConcurFuture *attempt,
                  const GError *error)
{
  Run *run = self->run;
  ConcurRetry *retry = run->retry;
  ConcurFuture *result = self->base.derived;

  /* Without an attempt it is not that which was rejected, and there will be none. */
  if (!run->attempted || (retry->max_attempts > 0 && run->attempt >= retry->max_attempts)
      || (run->cancellable != NULL && g_cancellable_is_cancelled (run->cancellable)))
    {
      concur_future_answer_error (result, g_error_copy (error));
      return;
    }

  concur_derivation_detach (self);
  if (retry->filter == NULL)
    {
      run_again (run, result);
      return;
    }

  g_clear_error (&run->error);
  run->error = g_error_copy (error);
  run_step (run, result,
            concur_future_recover_in (attempt, filter_run, run_ref (run), run_unref, &run->place,
                                      run->cancellable),
            TRUE);
}

static void
filter_resolved (Step         *self,
                 ConcurFuture *answer)
{
  Run *run = self->run;
  ConcurFuture *result = self->base.derived;

  if (concur_future_get_boolean (answer, NULL))
    {
      concur_derivation_detach (self);
      run_again (run, result);
    }
  else
    {
      concur_future_answer_error (result, g_steal_pointer (&run->error));
    }
}

static void
step_done (ConcurDerivation *base,
           ConcurInput      *input)
{
  Step *self = (Step *) base;
  const GError *error = concur_future_get_error (input->future);
  guint32 phase = CONCUR_PHASE (concur_future_state (input->future));

  if (CONCUR_PHASE_IS_DONE (concur_future_state (base->derived)))
    return;

  if (phase == CONCUR_PHASE_CANCELLED || (phase == CONCUR_PHASE_RESOLVED && !self->filters))
    concur_future_answer_from (base->derived, input->future);
  else if (phase == CONCUR_PHASE_RESOLVED)
    filter_resolved (self, input->future);
  else if (!self->filters)
    attempt_rejected (self, input->future, error);
  else
    /* Nobody could be asked; that it has failed says more than why that is so. */
    concur_future_answer_error (base->derived, g_steal_pointer (&self->run->error));
}

static gboolean
attempt_run (ConcurJob     *job,
             ConcurFuture  *input,
             gpointer       data,
             GError       **error)
{
  Run *run = data;
  g_autoptr (GError) own_error = NULL;
  g_autoptr (ConcurFuture) attempt = run->func (run->attempt, run->data, &own_error);

  if (own_error != NULL)
    {
      if (attempt != NULL)
        concur_future_ignore (attempt);
      g_propagate_error (error, g_steal_pointer (&own_error));
      return FALSE;
    }

  if (attempt == NULL)
    {
      g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                   "Attempt %u returned neither a future nor an error", run->attempt);
      return FALSE;
    }

  run->attempted = TRUE;
  concur_job_return_future (job, attempt);

  return TRUE;
}

static void
run_attempt (Run          *run,
             ConcurFuture *result,
             gint64        delay_us)
{
  g_autoptr (ConcurFuture) delay = concur_future_delay (delay_us);

  run->attempted = FALSE;
  run_step (run, result,
            concur_future_continue_in (delay, attempt_run, run_ref (run), run_unref, &run->place,
                                       run->cancellable),
            FALSE);
}

/**
 * concur_retry_run:
 * @self: a rule
 * @func: (scope notified) (closure user_data) (destroy destroy): begins an attempt
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @executor: (nullable): where @func runs, or %NULL for the caller's own place
 * @cancellable: (nullable): cancels it all when it is cancelled; released at home
 *
 * Tries something until it works.
 *
 * @func returns a future for each attempt, such as that of a job which it submits. The future
 * that is returned here is resolved with the value of the first attempt that is. When there
 * are no attempts left it is rejected with the error of the last one; the errors of the others
 * count as looked at. An attempt that is cancelled cancels it, and an error of @func itself
 * is what it is rejected with.
 *
 * @func never runs inside this call, also the first time. With an @executor it runs there, and
 * without one in the caller's own place, as is said of [method@Future.continue_with]; so
 * does the filter. An executor that takes no more work ends it all, with
 * %CONCUR_EXECUTOR_ERROR_SHUT_DOWN or %CONCUR_EXECUTOR_ERROR_NOT_RUNNING.
 *
 * Cancelling the future cancels the attempt that goes on, or ends the delay; so does
 * cancelling @cancellable, but then what the attempt still answers counts. Nobody needs to keep
 * the future. However many attempts there are, memory is needed for one.
 *
 * @user_data and the references to @self, @executor and @cancellable are released at home,
 * see [class@Job].
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a future for the outcome
 *
 * Since: 1.0
 */
ConcurFuture *
concur_retry_run (ConcurRetry     *self,
                  ConcurRetryFunc  func,
                  gpointer         user_data,
                  GDestroyNotify   destroy,
                  ConcurExecutor  *executor,
                  GCancellable    *cancellable)
{
  ConcurFuture *result;
  Run *run;

  g_return_val_if_fail (CONCUR_IS_RETRY (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  concur_atomic_store (&self->used, 1, CONCUR_RELAXED);

  run = g_slice_new0 (Run);
  run->retry = g_object_ref (self);
  run->func = func;
  run->data = user_data;
  run->destroy = destroy;
  run->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  run->attempt = 1;
  run->base = (double) self->first_delay;
  concur_place_init (&run->place, executor);
  concur_place_set_home (&run->place);
  concur_atomic_init (&run->refs, 1);

  result = concur_plain_future_new ();
  if (run->place.context != NULL)
    {
      /* Also between two steps a thread that runs this context must not wait for it. */
      concur_future_private (result)->pool = run->place.context;
      concur_atomic_init (&concur_future_private (result)->state,
                          CONCUR_PHASE_OPEN | CONCUR_STATE_BOUND);
    }

  run_attempt (run, result, 0);
  run_unref (run);

  return result;
}
