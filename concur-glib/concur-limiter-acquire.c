/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Permits by hand. Who waits for one is a future in the line, which keeps it alive. One that
 * is cancelled is taken out by the one who cancels it; if at that moment its turn comes, it
 * cannot be claimed, and the turn passes on. Either way it is let go once. */

#include "config.h"

#include "concur-error.h"
#include "concur-exit-private.h"
#include "concur-limiter-private.h"

/* As at submit: what piled up goes faster than it comes. */
#define SERVE_AT_LIMITER 4

#define CONCUR_TYPE_LIMITER_FUTURE (concur_limiter_future_get_type ())
G_DECLARE_FINAL_TYPE (ConcurLimiterFuture, concur_limiter_future, CONCUR, LIMITER_FUTURE, ConcurFuture)

struct _ConcurLimiterFuture
{
  ConcurFuture parent_instance;

  ConcurLimiterCore *core; /* (owned) immutable */
  ConcurLimiterWaiter waiter;
};

G_DEFINE_FINAL_TYPE (ConcurLimiterFuture, concur_limiter_future, CONCUR_TYPE_FUTURE)

static void
concur_limiter_future_finalize (GObject *object)
{
  concur_limiter_core_unref (CONCUR_LIMITER_FUTURE (object)->core);

  G_OBJECT_CLASS (concur_limiter_future_parent_class)->finalize (object);
}

static void
concur_limiter_future_class_init (ConcurLimiterFutureClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_limiter_future_finalize;
}

static void
concur_limiter_future_init (ConcurLimiterFuture *self)
{
}

static ConcurLimiterFuture *
from_waiter (ConcurLimiterWaiter *waiter)
{
  return (ConcurLimiterFuture *) ((char *) waiter - G_STRUCT_OFFSET (ConcurLimiterFuture, waiter));
}

static gboolean
future_claim (ConcurLimiterWaiter *waiter)
{
  return concur_future_answer_begin (CONCUR_FUTURE (from_waiter (waiter))) == CONCUR_ANSWER_WRITE;
}

static void
future_told (ConcurLimiterWaiter *waiter,
             gboolean             claimed,
             const GError        *error)
{
  ConcurFuture *future = CONCUR_FUTURE (from_waiter (waiter));
  GValue *value = &concur_future_private (future)->value;

  if (claimed)
    {
      if (error != NULL)
        {
          g_value_init (value, G_TYPE_ERROR);
          g_value_set_boxed (value, error);
        }
      else
        {
          concur_value_init_scalar (value, G_TYPE_BOOLEAN);
          value->data[0].v_int = TRUE;
        }
      concur_future_answer_end (future, CONCUR_ANSWER_WRITE);
    }

  g_object_unref (future);
}

static const ConcurLimiterWaiterKind future_kind = { FALSE, future_claim, future_told };

void
concur_limiter_future_cancelled (ConcurFuture *future)
{
  ConcurLimiterFuture *self = CONCUR_LIMITER_FUTURE (future);

  if (concur_is_forked ())
    return;

  if (concur_limiter_core_leave (self->core, &self->waiter) == CONCUR_LIMITER_WAITING)
    g_object_unref (self);
}

/* Who asks for a permit at once: it is never queued. */
static const ConcurLimiterWaiterKind passer_kind = { FALSE, NULL, NULL };

static gboolean
try_acquire (ConcurLimiter *self)
{
  ConcurLimiterCore *core = concur_limiter_get_core (self);
  ConcurLimiterWaiter passer = { .kind = &passer_kind };

  return !concur_is_forked ()
         && concur_limiter_core_enter (core, &passer, FALSE) == CONCUR_LIMITER_GRANTED;
}

static ConcurFuture *
acquire (ConcurLimiter *limiter)
{
  ConcurLimiterFuture *self = g_object_new (CONCUR_TYPE_LIMITER_FUTURE, NULL);
  ConcurFuture *future = CONCUR_FUTURE (self);
  ConcurFuturePrivate *priv = concur_future_private (self);

  concur_atomic_init (&priv->home, concur_home_hold_current ());
  concur_atomic_init (&priv->state, CONCUR_PHASE_OPEN | CONCUR_STATE_LIMITED);
  self->core = concur_limiter_core_ref (concur_limiter_get_core (limiter));
  self->waiter.kind = &future_kind;

  if (concur_is_forked ())
    {
      GError *error = NULL;

      concur_set_stopped_error (&error);
      concur_future_answer_error (future, error);
      return future;
    }

  /* The queue's reference, which may be let go there before this returns. */
  g_object_ref (self);
  if (concur_limiter_core_enter (self->core, &self->waiter, TRUE) == CONCUR_LIMITER_GRANTED)
    {
      concur_future_answer_boolean (future, TRUE);
      g_object_unref (self);
    }

  return future;
}

/**
 * concur_limiter_acquire:
 * @self: a limiter
 *
 * Asks for a permit, without blocking the calling thread.
 *
 * The future is resolved, with %TRUE, when the permit is the caller's, which may be at once;
 * it then has to be returned with [method@Limiter.release]. As long as it waits it can be
 * cancelled, and its turn passes on. If [method@Future.cancel] returns %FALSE it is too late
 * for that: the future is done, now or in a moment, so wait for it, and return the permit if
 * it is resolved. A permit that comes to a future which was dropped without being cancelled
 * has to be returned, too.
 *
 * If the thread that keeps the time cannot be started, and there is a rate to wait for, the
 * future is rejected with %CONCUR_EXECUTOR_ERROR_THREAD_FAILED, and the next one tries again;
 * in a forked process with %CONCUR_EXECUTOR_ERROR_NOT_RUNNING.
 *
 * Direct callbacks run on the thread that returns the permit, or on the one that keeps the
 * time.
 *
 * Returns: (transfer full): a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_limiter_acquire (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), NULL);

  concur_home_serve (SERVE_AT_LIMITER);

  return acquire (self);
}

static void
return_acquired (ConcurFuture *future,
                 GTask        *task)
{
  GError *error = NULL;

  if (concur_future_do_check (future, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * concur_limiter_acquire_async:
 * @self: a limiter
 * @cancellable: (nullable): gives up as long as there is no permit
 * @callback: (scope async) (closure user_data): called when there is a permit, or never will
 *   be
 * @user_data: data for @callback
 *
 * Asks for a permit as [method@Limiter.acquire] does, as a GIO-style asynchronous operation.
 *
 * @callback runs in the thread-default main context of the calling thread. No permit is lost
 * by cancelling: either it is acquired, or another one's turn comes.
 *
 * Since: 1.0
 */
void
concur_limiter_acquire_async (ConcurLimiter       *self,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data)
{
  g_autoptr (ConcurFuture) future = NULL;
  GTask *task;

  g_return_if_fail (CONCUR_IS_LIMITER (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, concur_limiter_acquire_async);
  /* A permit that is there counts, even if it was cancelled a moment later. */
  g_task_set_check_cancellable (task, FALSE);
  if (g_task_return_error_if_cancelled (task))
    {
      g_object_unref (task);
      return;
    }

  future = concur_limiter_acquire (self);
  concur_future_cancel_as_task (future, task, return_acquired);
}

/**
 * concur_limiter_acquire_finish:
 * @self: a limiter
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends what [method@Limiter.acquire_async] began.
 *
 * Returns: %TRUE if there is a permit, which is to be returned, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_limiter_acquire_finish (ConcurLimiter  *self,
                               GAsyncResult   *result,
                               GError        **error)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * concur_limiter_acquire_wait:
 * @self: a limiter
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 * @error: return location for an error
 *
 * Acquires a permit, and blocks the calling thread until there is one.
 *
 * Not for a thread whose main loop is needed to return one. On a worker of a
 * [class@ThreadExecutor] another one may be started in its place meanwhile. In a process that
 * was forked, or after [func@quiesce], it does not wait: who would return one is not there.
 *
 * When the time is over the error is %CONCUR_FUTURE_ERROR_TIMED_OUT, and the turn passes on.
 *
 * Returns: %TRUE if there is a permit, which is to be returned, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_limiter_acquire_wait (ConcurLimiter  *self,
                             gint64          timeout_us,
                             GError        **error)
{
  g_autoptr (ConcurFuture) future = NULL;

  g_return_val_if_fail (CONCUR_IS_LIMITER (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (try_acquire (self))
    return TRUE;

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return FALSE;
    }

  if (timeout_us != 0)
    {
      future = acquire (self);
      if (concur_future_do_wait (future, timeout_us) == CONCUR_WAITED_DONE)
        return concur_future_do_check (future, error);

      /* Too late for that: who gives it the permit has it in hand. */
      if (!concur_future_cancel (future, CONCUR_CANCEL_NONE))
        {
          concur_future_park_until (future, -1);
          return concur_future_do_check (future, error);
        }

      if (concur_has_stopped ())
        {
          concur_set_stopped_error (error);
          return FALSE;
        }
    }

  g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
               "There was no permit in %" G_GINT64_FORMAT " ms", timeout_us / 1000);

  return FALSE;
}

/**
 * concur_limiter_try_acquire:
 * @self: a limiter
 *
 * Acquires a permit if there is one at this moment, and nobody waits for it.
 *
 * Returns: %TRUE if there is a permit, which is to be returned
 *
 * Since: 1.0
 */
gboolean
concur_limiter_try_acquire (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), FALSE);

  return try_acquire (self);
}

/**
 * concur_limiter_release:
 * @self: a limiter
 *
 * Returns a permit that was acquired by hand, on whichever thread.
 *
 * The turn of who waits longest comes at once. To return more than was acquired is a mistake,
 * and changes nothing; the permits of jobs cannot be returned so.
 *
 * Since: 1.0
 */
void
concur_limiter_release (ConcurLimiter *self)
{
  gboolean was_acquired;

  g_return_if_fail (CONCUR_IS_LIMITER (self));

  if (concur_is_forked ())
    return;

  was_acquired = concur_limiter_core_release (concur_limiter_get_core (self));
  g_return_if_fail (was_acquired);
}
