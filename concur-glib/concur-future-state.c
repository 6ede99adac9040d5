/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The moves of a future's state word: nothing here but decisions. Each move that makes
 * a future done is followed by settled (), each that ends a job by job_over ().
 * doc/claim-table.md is the map. */

#include "config.h"

#include "concur-derivation-private.h"
#include "concur-error.h"
#include "concur-pool-private.h"

/* The phase that the outcome in @value stands for. */
static guint32
phase_for_value (const GValue *value)
{
  const GError *error;

  if (!concur_value_is_error (value))
    return CONCUR_PHASE_RESOLVED;

  error = g_value_get_boxed (value);

  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? CONCUR_PHASE_CANCELLED
                                                                   : CONCUR_PHASE_REJECTED;
}

ConcurAnswer
concur_future_answer_begin (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 before = concur_atomic_or (&priv->state, CONCUR_STATE_ANSWERED, CONCUR_ACQ_REL);

  if (before & CONCUR_STATE_ANSWERED)
    return CONCUR_PLANTED_BUG ("double-completion") ? CONCUR_ANSWER_WRITE : CONCUR_ANSWER_REFUSED;

  /* Answered by somebody else than who was to run it: from here on nobody claims it. */
  if (G_UNLIKELY (before & CONCUR_STATE_IN_QUEUE) && CONCUR_PHASE (before) == CONCUR_PHASE_QUEUED
      && !(before & CONCUR_STATE_BOUND))
    concur_pool_job_dropped (concur_future_private (self)->pool);

  return CONCUR_PHASE_IS_DONE (before) ? CONCUR_ANSWER_LATE : CONCUR_ANSWER_WRITE;
}

void
concur_future_answer_end (ConcurFuture *self,
                          ConcurAnswer  answer)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_RELAXED);
  guint32 wanted;
  gboolean settles, ends;

  /* One move says that the value is there and, unless the function is still running and
   * will do it, makes the future done: no gap for anybody else to do it too. */
  do
    {
      wanted = state | CONCUR_STATE_READY;

      settles = answer == CONCUR_ANSWER_WRITE
                && ((state & CONCUR_STATE_ABANDON) || !(state & CONCUR_STATE_ACTIVE));
      if (settles)
        wanted = (wanted & ~CONCUR_PHASE_MASK) | phase_for_value (&priv->value);

      /* A late answer ends only a held job: another one ends when its function returns,
       * or ended when it was cancelled in the queue. */
      ends = !(state & CONCUR_STATE_ACTIVE)
             && (answer == CONCUR_ANSWER_WRITE ? CONCUR_PHASE (state) != CONCUR_PHASE_OPEN
                                               : (state & CONCUR_STATE_HOLD) != 0);
    }
  /* Release: publishes the value. Acquire: pairs with the move that clears ACTIVE, after
   * which this thread ends the job. Sequentially consistent with the waiter that sets
   * WAITERS and parks. */
  while (!concur_atomic_cas (&priv->state, &state, wanted, CONCUR_SEQ_CST));

  if (settles)
    concur_future_settled (self, state, ends);
  if (ends && !(state & CONCUR_STATE_CHANNEL))
    concur_job_over (self);
}

gboolean
concur_future_claim (ConcurFuture *self,
                     gboolean      from_queue)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_ACQUIRE);
  guint32 wanted;

  do
    {
      if (CONCUR_PHASE (state) != CONCUR_PHASE_QUEUED || (state & CONCUR_STATE_ANSWERED))
        return FALSE;

      /* Its parent cancellable has fired, and who deals with that has not come to it. */
      if (state & CONCUR_STATE_CANCEL)
        {
          concur_future_cancel (self, CONCUR_CANCEL_NONE);
          return FALSE;
        }

      wanted = (state & ~CONCUR_PHASE_MASK) | CONCUR_PHASE_RUNNING | CONCUR_STATE_ACTIVE;
      if (from_queue)
        wanted &= ~CONCUR_STATE_IN_QUEUE;
    }
  while (!concur_atomic_cas (&priv->state, &state, wanted, CONCUR_ACQ_REL));

  return TRUE;
}

gboolean
concur_future_begin (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_RELAXED);

  do
    {
      if (CONCUR_PHASE (state) != CONCUR_PHASE_OPEN || (state & CONCUR_STATE_ANSWERED))
        return FALSE;
    }
  /* Nothing is published by it. */
  while (!concur_atomic_cas (&priv->state, &state,
                             (state & ~CONCUR_PHASE_MASK) | CONCUR_PHASE_RUNNING, CONCUR_ACQ_REL));

  return TRUE;
}

gboolean
concur_future_submitted (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_RELAXED);

  do
    {
      if (CONCUR_PHASE (state) != CONCUR_PHASE_OPEN || (state & CONCUR_STATE_ANSWERED))
        return FALSE;
    }
  /* Release: publishes what was set up for the submission. */
  while (!concur_atomic_cas (&priv->state, &state,
                             (state & ~CONCUR_PHASE_MASK) | CONCUR_PHASE_QUEUED, CONCUR_ACQ_REL));

  return TRUE;
}

gboolean
concur_future_enter_queue (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_RELAXED);

  do
    {
      if (CONCUR_PHASE (state) != CONCUR_PHASE_QUEUED || (state & CONCUR_STATE_ANSWERED))
        return FALSE;
    }
  while (!concur_atomic_cas (&priv->state, &state, state | CONCUR_STATE_IN_QUEUE, CONCUR_ACQ_REL));

  return TRUE;
}

void
concur_future_run_ended (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  guint32 state = concur_atomic_load (&priv->state, CONCUR_ACQUIRE);
  guint32 wanted;

  for (;;)
    {
      gboolean settles = FALSE;
      gboolean ends = TRUE;

      wanted = state & ~CONCUR_STATE_ACTIVE;

      if (CONCUR_PHASE_IS_DONE (state))
        {
          /* Abandoned. A held job ends with its late answer. */
          ends = !(state & CONCUR_STATE_HOLD) || (state & CONCUR_STATE_READY);
        }
      else if (state & CONCUR_STATE_READY)
        {
          settles = TRUE;
          wanted = (wanted & ~CONCUR_PHASE_MASK) | phase_for_value (&priv->value);
        }
      else if (state & (CONCUR_STATE_ANSWERED | CONCUR_STATE_HOLD))
        {
          /* Another thread answers, now or later, sees that ACTIVE is gone and goes on
           * from there. */
          ends = FALSE;
        }
      else
        {
          GError *error = g_error_new_literal (CONCUR_FUTURE_ERROR,
                                               CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                                               "The job returned without an answer");

          concur_future_answer_error (self, error);
          state = concur_atomic_load (&priv->state, CONCUR_ACQUIRE);
          continue;
        }

      /* Release: publishes the value with the phase, and what the function did to the
       * thread that ends a held job. Sequentially consistent with the waiter that sets
       * WAITERS and parks. */
      if (concur_atomic_cas (&priv->state, &state, wanted, CONCUR_SEQ_CST))
        {
          if (settles)
            concur_future_settled (self, state, ends);
          else if (ends)
            concur_future_notify_done (self, TRUE);
          if (ends)
            concur_job_over (self);
          return;
        }
    }
}

/**
 * concur_future_cancel:
 * @self: a future
 * @flags: how to treat work that is already running
 *
 * Cancels the work the future stands for.
 *
 * Work that has not begun is dropped, and the future is cancelled when this returns. A
 * running job is asked to stop: [method@Job.is_cancelled] turns %TRUE and its
 * [method@Job.get_cancellable] is cancelled. What it answers then is what counts, be it
 * a value; an error %G_IO_ERROR_CANCELLED makes the future cancelled. With
 * %CONCUR_CANCEL_ABANDON a running job is asked the same, but the future is cancelled at
 * once and the answer of the job is dropped when it comes. The future of a promise is
 * cancelled at once too; what the promise is resolved with later is ignored.
 *
 * With %CONCUR_CANCEL_QUEUED it is one or the other: either the work has not begun and
 * never will, and this returns %TRUE, or it has begun, and this returns %FALSE and
 * nobody notices the call. A job that is held has begun. The future of a promise, and
 * one that derives from others, such as a combination, count as not begun until they are
 * done: they are cancelled, and the flag is passed on, so that of what they derive from
 * only that is cancelled which has not begun either.
 *
 * Can be called from any thread. Handlers of the job's cancellable run on the calling
 * thread, as do direct callbacks when the future gets done by this call.
 *
 * Returns: %TRUE if the future was not done and the call had an effect
 *
 * Since: 1.0
 */
gboolean
concur_future_cancel (ConcurFuture      *self,
                      ConcurCancelFlags  flags)
{
  ConcurFuturePrivate *priv;
  guint32 state;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), FALSE);

  priv = concur_future_private (self);
  state = concur_atomic_load (&priv->state, CONCUR_ACQUIRE);

  for (;;)
    {
      guint32 wanted = state | CONCUR_STATE_CANCEL;
      gboolean was_queued = CONCUR_PHASE (state) == CONCUR_PHASE_QUEUED;
      gboolean settles = FALSE;

      if (CONCUR_PHASE_IS_DONE (state))
        return FALSE;

      if (CONCUR_PHASE (state) != CONCUR_PHASE_RUNNING)
        {
          /* Somebody is writing the outcome at this moment. */
          if (state & CONCUR_STATE_ANSWERED)
            return FALSE;
          settles = TRUE;
          wanted = (wanted & ~CONCUR_PHASE_MASK) | CONCUR_PHASE_CANCELLED;
          if (flags & CONCUR_CANCEL_QUEUED)
            wanted |= CONCUR_STATE_SPARES;
        }
      else if (flags & CONCUR_CANCEL_QUEUED)
        {
          return FALSE;
        }
      else if (flags & CONCUR_CANCEL_ABANDON)
        {
          wanted |= CONCUR_STATE_ABANDON;
          if (!(state & CONCUR_STATE_ANSWERED))
            {
              settles = TRUE;
              wanted = (wanted & ~CONCUR_PHASE_MASK) | CONCUR_PHASE_CANCELLED;
            }
          else if (state & CONCUR_STATE_READY)
            {
              /* It has answered and is only clearing up. */
              settles = TRUE;
              wanted = (wanted & ~CONCUR_PHASE_MASK) | phase_for_value (&priv->value);
            }
        }

      /* Marked before, perhaps by its parent cancellable, which tells nobody else. */
      if (wanted == state)
        {
          concur_future_cancel_extra (self);
          if (state & CONCUR_STATE_DERIVED)
            concur_derivation_cancelled (self);
          if (state & CONCUR_STATE_GROUP)
            concur_group_end_asked (self, flags);
          return TRUE;
        }

      /* Release and acquire as in run_ended (); sequentially consistent also with
       * get_cancellable (), which makes the cancellable and then looks for CANCEL. */
      if (!concur_atomic_cas (&priv->state, &state, wanted, CONCUR_SEQ_CST))
        continue;

      if (settles)
        concur_future_settled (self, state, was_queued);
      if (settles && was_queued)
        {
          if ((state & CONCUR_STATE_IN_QUEUE) && !(state & CONCUR_STATE_BOUND))
            concur_pool_job_dropped (priv->pool);
          concur_job_over (self);
        }
      else if (CONCUR_PHASE (state) == CONCUR_PHASE_RUNNING)
        {
          concur_future_cancel_extra (self);
          if (!settles && (state & CONCUR_STATE_CHANNEL))
            concur_channel_future_asked (self);
          if (!settles && (state & CONCUR_STATE_DERIVED))
            concur_derivation_cancelled (self);
          if (state & CONCUR_STATE_GROUP)
            concur_group_end_asked (self, flags);
        }

      return TRUE;
    }
}

static inline GValue *
begin (ConcurFuture *self,
       ConcurAnswer *answer)
{
  *answer = concur_future_answer_begin (self);

  return *answer == CONCUR_ANSWER_WRITE ? &concur_future_private (self)->value : NULL;
}

static inline gboolean
end (ConcurFuture *self,
     ConcurAnswer  answer)
{
  if (answer == CONCUR_ANSWER_REFUSED)
    return FALSE;

  concur_future_answer_end (self, answer);

  return answer == CONCUR_ANSWER_WRITE;
}

gboolean
concur_future_answer_error (ConcurFuture *self,
                            GError       *error)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value == NULL)
    {
      g_error_free (error);
    }
  else
    {
      g_value_init (value, G_TYPE_ERROR);
      g_value_take_boxed (value, error);
    }

  return end (self, answer);
}

gboolean
concur_future_answer_value (ConcurFuture *self,
                            const GValue *source)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      if (source != NULL && G_IS_VALUE (source))
        {
          g_value_init (value, G_VALUE_TYPE (source));
          g_value_copy (source, value);
        }
      else
        {
          g_value_init (value, G_TYPE_OBJECT);
        }
    }

  return end (self, answer);
}

gboolean
concur_future_answer_int64 (ConcurFuture *self,
                            gint64        number)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      concur_value_init_scalar (value, G_TYPE_INT64);
      value->data[0].v_int64 = number;
    }

  return end (self, answer);
}

gboolean
concur_future_answer_double (ConcurFuture *self,
                             double        number)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      concur_value_init_scalar (value, G_TYPE_DOUBLE);
      value->data[0].v_double = number;
    }

  return end (self, answer);
}

gboolean
concur_future_answer_boolean (ConcurFuture *self,
                              gboolean      truth)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      concur_value_init_scalar (value, G_TYPE_BOOLEAN);
      value->data[0].v_int = truth != FALSE;
    }

  return end (self, answer);
}

gboolean
concur_future_answer_string (ConcurFuture *self,
                             const char   *text)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      g_value_init (value, G_TYPE_STRING);
      g_value_set_string (value, text);
    }

  return end (self, answer);
}

gboolean
concur_future_answer_boxed (ConcurFuture  *self,
                            GType          type,
                            gconstpointer  boxed)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      g_value_init (value, type);
      g_value_set_boxed (value, boxed);
    }

  return end (self, answer);
}

gboolean
concur_future_answer_object (ConcurFuture *self,
                             gpointer      object)
{
  ConcurAnswer answer;
  GValue *value = begin (self, &answer);

  if (value != NULL)
    {
      g_value_init (value, object != NULL ? G_OBJECT_TYPE (object) : G_TYPE_OBJECT);
      g_value_set_object (value, object);
    }

  return end (self, answer);
}

gboolean
concur_future_answer_variant (ConcurFuture *self,
                              GVariant     *variant)
{
  ConcurAnswer answer;
  GValue *value;

  /* A floating one is ours to sink even when it comes too late. */
  if (variant != NULL)
    g_variant_ref_sink (variant);

  value = begin (self, &answer);
  if (value != NULL)
    {
      g_value_init (value, G_TYPE_VARIANT);
      g_value_take_variant (value, variant);
    }
  else if (variant != NULL)
    {
      g_variant_unref (variant);
    }

  return end (self, answer);
}
