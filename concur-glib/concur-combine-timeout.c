/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Time limits. A started timer has a reference to its derivation, which whoever stops it
 * gets back, and otherwise who is called by it. */

#include "config.h"

#include "concur-combine-private.h"
#include "concur-error.h"

/* A handler of a job's cancellable may take its time: not the timers'. */
static void
limit_cancel_inputs (ConcurChore *chore)
{
  ConcurLimit *self = (ConcurLimit *) ((char *) chore - G_STRUCT_OFFSET (ConcurLimit, chore));

  concur_derivation_cancel_inputs (self);
  concur_derivation_unref (self);
}

static void
limit_fired (ConcurTimer *timer)
{
  ConcurLimit *self = (ConcurLimit *) ((char *) timer - G_STRUCT_OFFSET (ConcurLimit, timer));

  if (self->over (self))
    {
      self->chore.run = limit_cancel_inputs;
      concur_service_do (&self->chore);
    }
  else
    {
      concur_derivation_unref (self);
    }
}

static void
limit_stop (ConcurLimit *self)
{
  if (self->timeout_us > 0 && concur_timer_stop (&self->timer))
    concur_derivation_unref (self);
}

void
concur_limit_ended (ConcurDerivation *self)
{
  limit_stop ((ConcurLimit *) self);
}

static void
limit_arm (ConcurLimit *self,
           gint64       begun)
{
  ConcurFuture *derived = self->base.base.derived;
  GError *error = NULL;

  /* Beyond the end of time. */
  if (self->timeout_us > G_MAXINT64 - begun)
    return;

  concur_derivation_ref (self);
  if (!concur_timer_start (&self->timer, begun + self->timeout_us, limit_fired, &error))
    {
      concur_derivation_unref (self);
      concur_future_answer_error (derived, error);
    }
  else if (CONCUR_PHASE_IS_DONE (concur_future_state (derived)))
    {
      /* Before there was a timer to be stopped. */
      limit_stop (self);
    }
}

ConcurFuture *
concur_limit_start (ConcurLimit *self,
                    gint64       begun)
{
  ConcurFuture *derived;

  concur_derivation_ref (self);
  derived = concur_combine_start (self);

  if (self->timeout_us >= 0 && !CONCUR_PHASE_IS_DONE (concur_future_state (derived)))
    {
      if (self->timeout_us > 0)
        limit_arm (self, begun);
      else if (self->over (self))
        concur_derivation_cancel_inputs (self);
    }

  concur_derivation_unref (self);

  return derived;
}

static void
timed_input_done (ConcurDerivation *self,
                  ConcurInput      *input)
{
  concur_future_answer_from (self->derived, input->future);
}

static void
timed_ended (ConcurDerivation *self)
{
  concur_limit_ended (self);
  concur_combine_ignore_rest (self);
}

static gboolean
timed_over (ConcurLimit *self)
{
  ConcurDerivation *base = &self->base.base;
  g_autofree char *name = concur_future_dup_name (base->inputs[0].future);
  gboolean named = name != NULL;

  return concur_future_answer_error (
    base->derived, g_error_new (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
                                "%s%s%s was not done after %g ms", named ? "“" : "The future",
                                named ? name : "", named ? "”" : "",
                                (double) self->timeout_us / 1000));
}

/**
 * concur_future_with_timeout:
 * @self: a future
 * @timeout_us: how long it may take, in microseconds from this call, or -1 for as long as
 *   it takes
 *
 * Sets a limit to the time a future may take.
 *
 * The future that is returned ends as @self does; but if @self is not done in time, it
 * is rejected with %CONCUR_FUTURE_ERROR_TIMED_OUT, and @self is cancelled, unless it was
 * made with [method@Future.shield]. A job that runs is asked to stop; what it still answers
 * is not waited for, and an error counts as looked at. If @timeout_us is 0, @self must be
 * done already.
 *
 * Time is watched by a thread of the library: no main loop is needed, and it passes while
 * main loops are busy. When it is over, direct callbacks run on that thread, and @self is
 * cancelled a moment later on another one of the library's. If the thread cannot be
 * started, the future is rejected with %CONCUR_EXECUTOR_ERROR_THREAD_FAILED, or in a
 * forked process with %CONCUR_EXECUTOR_ERROR_NOT_RUNNING, and @self goes on.
 *
 * Cancelling the future that is returned cancels @self.
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a future for the outcome of @self
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_with_timeout (ConcurFuture *self,
                            gint64        timeout_us)
{
  gint64 begun = concur_now ();
  ConcurFuture *derived;
  ConcurLimit *limit;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  concur_home_serve (CONCUR_SERVE_AT_COMBINE);

  derived = concur_plain_future_new ();
  limit = concur_derivation_new (sizeof (ConcurLimit), derived, &self, 1,
                                 CONCUR_DERIVE_CANCELS
                                   | (timeout_us >= 0 ? CONCUR_DERIVE_ENDS : CONCUR_DERIVE_PLAIN),
                                 timed_input_done, NULL);
  g_object_unref (derived);
  limit->timeout_us = timeout_us;
  limit->over = timed_over;
  limit->base.base.ended = timed_ended;

  return concur_limit_start (limit, begun);
}
