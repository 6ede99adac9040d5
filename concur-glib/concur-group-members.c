/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How members come, and how it is said that no more do. */

#include "config.h"

#include "concur-combine.h"
#include "concur-error.h"
#include "concur-exit-private.h"
#include "concur-group-private.h"
#include "concur-job-private.h"

/* As at submit: what piled up goes faster than it comes. */
#define SERVE_AT_CLOSE 64

/* A job with CONCUR_STATE_SUBMITTED. It is a member first, and then submitted: so it cannot
 * escape a cancellation, and is cancelled before it was submitted if that came before. */
static void
submit (ConcurTaskGroup *self,
        ConcurJob       *job)
{
  ConcurFuture *future = CONCUR_FUTURE (job);
  gboolean added = !concur_is_forked () && concur_group_core_add (self->core, future);

  if (!concur_executor_begin_submit (job, concur_home_hold_current (), NULL))
    return;

  if (added)
    CONCUR_EXECUTOR_GET_IFACE (self->executor)->execute (self->executor, job);
  else
    concur_future_answer_error (future, g_error_new_literal (CONCUR_EXECUTOR_ERROR,
                                                             CONCUR_EXECUTOR_ERROR_SHUT_DOWN,
                                                             "The task group was closed: it takes "
                                                             "no more members"));
}

/**
 * concur_task_group_submit:
 * @self: a group
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 *
 * Runs a function as a job, as [method@Executor.submit] does, that is a member of the group.
 *
 * If the group was cancelled or has failed, so that it is about to end, the future is
 * cancelled at once; it is a member all the same. If the group was closed the future is
 * rejected with %CONCUR_EXECUTOR_ERROR_SHUT_DOWN, and is none. In either case @func is not run.
 * That the executor cannot take the job is an error of that member.
 *
 * May be called from any thread, and by members.
 *
 * Returns: (transfer full): a future for what @func answers
 *
 * Since: 1.0
 */
ConcurFuture *
concur_task_group_submit (ConcurTaskGroup *self,
                          ConcurJobFunc    func,
                          gpointer         user_data,
                          GDestroyNotify   destroy)
{
  ConcurJob *job;

  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  job = concur_job_new (func, user_data, destroy);
  /* Nobody else has it yet. What is returned must not be submitted again. */
  concur_atomic_init (&concur_future_private (job)->state,
                      CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED);
  submit (self, job);

  return CONCUR_FUTURE (job);
}

/**
 * concur_task_group_submit_job:
 * @self: a group
 * @job: a job that was not submitted before
 *
 * Runs a job made by hand, or of a class of your own, that is a member of the group.
 * Otherwise like [method@TaskGroup.submit].
 *
 * Returns: (transfer full): @job, as a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_task_group_submit_job (ConcurTaskGroup *self,
                              ConcurJob       *job)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);
  g_return_val_if_fail (CONCUR_IS_JOB (job), NULL);
  /* Submitting twice is a mistake, even of a job that is done. */
  g_return_val_if_fail (!(concur_atomic_or (&concur_future_private (job)->state,
                                            CONCUR_STATE_SUBMITTED, CONCUR_ACQ_REL)
                          & CONCUR_STATE_SUBMITTED),
                        NULL);

  concur_job_set_release (job);
  submit (self, job);

  return CONCUR_FUTURE (g_object_ref (job));
}

/**
 * concur_task_group_add:
 * @self: a group
 * @future: any future
 *
 * Makes a future from somewhere else a member, also one that is done already: a job that runs
 * in a loop thread, the future of a promise, the end of a channel.
 *
 * From here on the group cancels it; add what [method@Future.shield] makes of it to prevent
 * that. If the group was cancelled or has failed, so that it is about to end, the future is
 * cancelled at once. The same future may be added more than once, and then is that many
 * members.
 *
 * May be called from any thread.
 *
 * Returns: %TRUE if it is a member now; %FALSE if the group was closed, and the future was
 *   left alone
 *
 * Since: 1.0
 */
gboolean
concur_task_group_add (ConcurTaskGroup *self,
                       ConcurFuture    *future)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), FALSE);
  g_return_val_if_fail (CONCUR_IS_FUTURE (future), FALSE);
  /* It would wait for itself. */
  g_return_val_if_fail (future != self->end, FALSE);

  return !concur_is_forked () && concur_group_core_add (self->core, future);
}

/**
 * concur_task_group_close:
 * @self: a group
 *
 * Says that no more members are to come, and gets a future for them all.
 *
 * The future is done when every member is, and not before. Its value is a
 * [iface@Gio.ListModel] of the members, in the order they were added, which it has as
 * its children already now, see [method@Future.get_children]. It is rejected or cancelled
 * as said above, and its progress is the part of the members that are done. It gets done on
 * the thread that completes the last one.
 *
 * Cancelling it cancels the group, and it is done when the members are; with
 * %CONCUR_CANCEL_ABANDON they are abandoned, too, and it is cancelled at once. As something
 * that has begun, it is not cancelled with %CONCUR_CANCEL_QUEUED. Waiting for it is refused
 * where waiting for all of its members would be, see [method@Future.wait].
 *
 * Closing a group again gets the same future. May be called from any thread.
 *
 * Returns: (transfer full): a future for the list
 *
 * Since: 1.0
 */
ConcurFuture *
concur_task_group_close (ConcurTaskGroup *self)
{
  ConcurFuture *end;

  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);

  if (concur_is_forked ())
    {
      g_autoptr (GError) error = NULL;

      concur_set_stopped_error (&error);
      return concur_future_rejected (error);
    }

  concur_home_serve (SERVE_AT_CLOSE);
  /* Who is told that it is over may drop the group. */
  end = g_object_ref (self->end);
  concur_group_core_close (self->core);

  return end;
}
