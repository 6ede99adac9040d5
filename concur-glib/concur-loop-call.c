/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Calling a function on a loop thread, and waiting for its answer. */

#include "config.h"

#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-job-private.h"
#include "concur-loop-private.h"

#define get_loop(self) concur_loop_thread_get_loop (self)

/* On the loop's thread already. */
static ConcurFuture *
call_inline (ConcurJob  *job,
             GError    **error)
{
  g_autoptr (ConcurFuture) future = CONCUR_FUTURE (job);

  /* The library's, until the job comes home. */
  g_object_ref (job);
  concur_atomic_or (&concur_future_private (job)->state, CONCUR_STATE_SUBMITTED, CONCUR_ACQ_REL);
  concur_job_set_up (job, concur_home_hold_current (), NULL);
  if (concur_future_submitted (future))
    concur_job_execute (job);

  if (concur_future_is_done (future))
    return g_steal_pointer (&future);

  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_set_error_literal (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK,
                       "The function answers later, by the very loop that would have to wait "
                       "for it here: submit it instead");

  return NULL;
}

/**
 * concur_loop_thread_call:
 * @self: a loop thread
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home; see [class@Job]
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 * @error: return location for an error
 *
 * Runs a function on the loop and waits for its answer, from any thread. On the loop's
 * own thread the function is simply called.
 *
 * The future that is returned is done; it has what @func answered, a value or an error.
 * %NULL is returned when there is no answer. Then the error is
 * %CONCUR_EXECUTOR_ERROR_NOT_RUNNING or %CONCUR_EXECUTOR_ERROR_SHUT_DOWN if the loop does
 * not take work, %CONCUR_FUTURE_ERROR_TIMED_OUT when the time is over, or
 * %CONCUR_FUTURE_ERROR_WOULD_DEADLOCK on the loop's own thread if @func holds its job. In
 * the last two cases the job is cancelled: one that has not begun is dropped, one that
 * runs is asked to stop.
 *
 * A loop that is stopped meanwhile still answers. On a worker of a
 * [class@ThreadExecutor] this waits as [method@Future.wait] does.
 *
 * Returns: (transfer full) (nullable): a future that is done, or %NULL with @error set
 *
 * Since: 1.0
 */
ConcurFuture *
concur_loop_thread_call (ConcurLoopThread  *self,
                         ConcurJobFunc      func,
                         gpointer           user_data,
                         GDestroyNotify     destroy,
                         gint64             timeout_us,
                         GError           **error)
{
  g_autoptr (ConcurFuture) future = NULL;
  const GError *refusal;
  ConcurWaited waited;

  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (concur_loop_is_current (get_loop (self)) && !concur_has_stopped ())
    return call_inline (concur_job_new (func, user_data, destroy), error);

  future = concur_executor_submit (CONCUR_EXECUTOR (self), func, user_data, destroy, NULL);
  waited = concur_future_do_wait (future, timeout_us);
  if (waited != CONCUR_WAITED_DONE)
    {
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      concur_future_ignore (future);
      if (waited == CONCUR_WAITED_TIMED_OUT)
        g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT,
                     "%s has not answered after %" G_GINT64_FORMAT " ms", get_loop (self)->name,
                     timeout_us / 1000);
      else
        g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK,
                     "%s needs this very thread to answer: do not wait here",
                     get_loop (self)->name);
      return NULL;
    }

  /* An answer of that kind, which came from elsewhere, tells the same. */
  refusal = concur_future_get_error (future);
  if (g_error_matches (refusal, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING)
      || g_error_matches (refusal, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN))
    {
      g_propagate_error (error, g_error_copy (refusal));
      return NULL;
    }

  return g_steal_pointer (&future);
}
