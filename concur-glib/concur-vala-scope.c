/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Groups, limiters, rules for trying again and batchers for programs in Vala, with results
 * of the type that the caller names. */

#include "config.h"

#include "concur-combine.h"
#include "concur-error.h"
#include "concur-vala-private.h"

static ConcurValaDelegate *
delegate_with_work (const ConcurValaType *type,
                    ConcurValaWork        work,
                    gpointer              target,
                    GDestroyNotify        target_destroy)
{
  ConcurValaDelegate *delegate = concur_vala_delegate_new (type, target, target_destroy);

  delegate->work = work;

  return delegate;
}

/* Goes on in the caller's context when @future, which it takes over, is done. What was
 * given to cancel is the future's alone, as in concur_vala_run (). */
static void
run_until_done (gpointer              self,
                gpointer              tag,
                ConcurFuture         *future,
                const ConcurValaType *type,
                GAsyncReadyCallback   callback,
                gpointer              user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, tag);
  concur_vala_wait_for (future, task, type);
}

/* An attempt, which is a job already. Its own errors are those of one attempt. */
static ConcurFuture *
attempt (guint     number,
         gpointer  data,
         GError  **error)
{
  g_autoptr (GError) problem = NULL;
  g_auto (GValue) value = G_VALUE_INIT;

  if (!concur_vala_delegate_call (data, concur_job_get_current (), NULL, number, &value, &problem))
    return concur_future_rejected (problem);

  return concur_future_resolved (G_IS_VALUE (&value) ? &value : NULL);
}

/**
 * concur_vala_limiter_submit: (skip)
 * @self: a limiter
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 * @executor: (nullable): where to run it, or %NULL for the default executor
 * @cancellable: (nullable): cancels the job
 *
 * In Vala: `Limiter.submit_as<T> (work, executor, cancellable)`.
 *
 * Returns: (transfer full): the job
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_limiter_submit (ConcurLimiter  *self,
                            GType           type,
                            GBoxedCopyFunc  dup,
                            GDestroyNotify  destroy,
                            ConcurValaWork  work,
                            gpointer        target,
                            GDestroyNotify  target_destroy,
                            ConcurExecutor *executor,
                            GCancellable   *cancellable)
{
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_LIMITER (self), NULL);
  g_return_val_if_fail (work != NULL, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  delegate = delegate_with_work (&(ConcurValaType) { type, dup, destroy }, work, target,
                                 target_destroy);

  return concur_limiter_submit (self, executor, concur_vala_run_work, delegate,
                                concur_vala_delegate_free, cancellable);
}

/**
 * concur_vala_limiter_run: (skip)
 * @self: a limiter
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 * @executor: (nullable): where to run it, or %NULL for the default executor
 * @cancellable: (nullable): cancels the job; the call ends when the job has
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Limiter.run<T> (work, executor, cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_limiter_run (ConcurLimiter       *self,
                         GType                type,
                         GBoxedCopyFunc       dup,
                         GDestroyNotify       destroy,
                         ConcurValaWork       work,
                         gpointer             target,
                         GDestroyNotify       target_destroy,
                         ConcurExecutor      *executor,
                         GCancellable        *cancellable,
                         GAsyncReadyCallback  callback,
                         gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_LIMITER (self));
  g_return_if_fail (work != NULL);
  g_return_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  run_until_done (self, concur_vala_limiter_run,
                  concur_vala_limiter_submit (self, type, dup, destroy, work, target,
                                              target_destroy, executor, cancellable),
                  &(ConcurValaType) { type, dup, destroy }, callback, user_data);
}

/**
 * concur_vala_limiter_run_finish: (skip)
 * @self: the limiter
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_limiter_run].
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 1.0
 */
gpointer
concur_vala_limiter_run_finish (ConcurLimiter  *self,
                                GAsyncResult   *result,
                                GError        **error)
{
  return concur_vala_finish (self, result, error);
}

/**
 * concur_vala_group_submit: (skip)
 * @self: a group
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 *
 * In Vala: `TaskGroup.submit_as<T> (work)`.
 *
 * Returns: (transfer full): the job
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_group_submit (ConcurTaskGroup *self,
                          GType            type,
                          GBoxedCopyFunc   dup,
                          GDestroyNotify   destroy,
                          ConcurValaWork   work,
                          gpointer         target,
                          GDestroyNotify   target_destroy)
{
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);
  g_return_val_if_fail (work != NULL, NULL);

  delegate = delegate_with_work (&(ConcurValaType) { type, dup, destroy }, work, target,
                                 target_destroy);

  return concur_task_group_submit (self, concur_vala_run_work, delegate,
                                   concur_vala_delegate_free);
}

/**
 * concur_vala_group_run: (skip)
 * @self: a group
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield TaskGroup.run<T> (work)`.
 *
 * Since: 1.0
 */
void
concur_vala_group_run (ConcurTaskGroup     *self,
                       GType                type,
                       GBoxedCopyFunc       dup,
                       GDestroyNotify       destroy,
                       ConcurValaWork       work,
                       gpointer             target,
                       GDestroyNotify       target_destroy,
                       GAsyncReadyCallback  callback,
                       gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_TASK_GROUP (self));
  g_return_if_fail (work != NULL);

  run_until_done (self, concur_vala_group_run,
                  concur_vala_group_submit (self, type, dup, destroy, work, target,
                                            target_destroy),
                  &(ConcurValaType) { type, dup, destroy }, callback, user_data);
}

/**
 * concur_vala_group_run_finish: (skip)
 * @self: the group
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_group_run].
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 1.0
 */
gpointer
concur_vala_group_run_finish (ConcurTaskGroup  *self,
                              GAsyncResult     *result,
                              GError          **error)
{
  return concur_vala_finish (self, result, error);
}

/**
 * concur_vala_retry_submit: (skip)
 * @self: a rule
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @func: what to try
 * @target: closure of @func
 * @target_destroy: (nullable): frees @target, at home
 * @executor: (nullable): where to run it, or %NULL for the default executor
 * @cancellable: (nullable): cancels it all
 *
 * In Vala: `Retry.submit_as<T> (func, executor, cancellable)`.
 *
 * Returns: (transfer full): a future for the outcome
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_retry_submit (ConcurRetry       *self,
                          GType              type,
                          GBoxedCopyFunc     dup,
                          GDestroyNotify     destroy,
                          ConcurValaAttempt  func,
                          gpointer           target,
                          GDestroyNotify     target_destroy,
                          ConcurExecutor    *executor,
                          GCancellable      *cancellable)
{
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_RETRY (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  delegate = concur_vala_delegate_new (&(ConcurValaType) { type, dup, destroy }, target,
                                       target_destroy);
  delegate->attempt = func;

  /* With an executor what begins an attempt runs there as a job, so it can be the attempt. */
  return concur_retry_run (self, attempt, delegate, concur_vala_delegate_free,
                           executor != NULL ? executor : concur_executor_get_default (),
                           cancellable);
}

/**
 * concur_vala_retry_run: (skip)
 * @self: a rule
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @func: what to try
 * @target: closure of @func
 * @target_destroy: (nullable): frees @target, at home
 * @executor: (nullable): where to run it, or %NULL for the default executor
 * @cancellable: (nullable): cancels it all
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Retry.run_as<T> (func, executor, cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_retry_run (ConcurRetry         *self,
                       GType                type,
                       GBoxedCopyFunc       dup,
                       GDestroyNotify       destroy,
                       ConcurValaAttempt    func,
                       gpointer             target,
                       GDestroyNotify       target_destroy,
                       ConcurExecutor      *executor,
                       GCancellable        *cancellable,
                       GAsyncReadyCallback  callback,
                       gpointer             user_data)
{
  g_return_if_fail (CONCUR_IS_RETRY (self));
  g_return_if_fail (func != NULL);
  g_return_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  run_until_done (self, concur_vala_retry_run,
                  concur_vala_retry_submit (self, type, dup, destroy, func, target,
                                            target_destroy, executor, cancellable),
                  &(ConcurValaType) { type, dup, destroy }, callback, user_data);
}

/**
 * concur_vala_retry_run_finish: (skip)
 * @self: the rule
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_retry_run].
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 1.0
 */
gpointer
concur_vala_retry_run_finish (ConcurRetry   *self,
                              GAsyncResult  *result,
                              GError       **error)
{
  return concur_vala_finish (self, result, error);
}

/**
 * concur_vala_batcher_call: (skip)
 * @self: a batcher
 * @type: type of the argument
 * @dup: (nullable): copies an argument
 * @destroy: (nullable): frees an argument
 * @argument: (transfer full): what to give to the function
 * @cancellable: (nullable): cancels the call
 *
 * In Vala: `Batcher.call_value<T> (argument, cancellable)`.
 *
 * Returns: (transfer full): a future for the answer
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_batcher_call (ConcurBatcher  *self,
                          GType           type,
                          GBoxedCopyFunc  dup,
                          GDestroyNotify  destroy,
                          gpointer        argument,
                          GCancellable   *cancellable)
{
  g_auto (GValue) value = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_BATCHER (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  concur_vala_to_value (&(ConcurValaType) { type, dup, destroy }, argument, &value);

  return concur_batcher_call (self, G_IS_VALUE (&value) ? &value : NULL, cancellable);
}

/**
 * concur_vala_batcher_job_argument: (skip)
 * @self: a batch of calls
 * @type: type of the argument
 * @dup: (nullable): copies an argument
 * @destroy: (nullable): frees an argument
 * @index: which call
 * @error: return location for an error
 *
 * In Vala: `BatcherJob.argument_as<T> (index)`.
 *
 * Returns: (transfer full) (nullable): the argument
 *
 * Since: 1.0
 */
gpointer
concur_vala_batcher_job_argument (ConcurBatcherJob  *self,
                                  GType              type,
                                  GBoxedCopyFunc     dup,
                                  GDestroyNotify     destroy,
                                  guint              index,
                                  GError           **error)
{
  const GValue *value;
  gpointer pointer = NULL;

  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  value = concur_batcher_job_get_argument (self, index);
  if (value != NULL)
    concur_vala_from_value (&(ConcurValaType) { type, dup, destroy }, value, &pointer, error);

  return pointer;
}

/**
 * concur_vala_batcher_job_answer: (skip)
 * @self: a batch of calls
 * @type: type of the answer
 * @dup: (nullable): copies an answer
 * @destroy: (nullable): frees an answer
 * @index: which call
 * @value: (transfer full): the answer
 *
 * In Vala: `BatcherJob.answer_as<T> (index, value)`.
 *
 * Returns: %TRUE, or %FALSE if it had an answer
 *
 * Since: 1.0
 */
gboolean
concur_vala_batcher_job_answer (ConcurBatcherJob *self,
                                GType             type,
                                GBoxedCopyFunc    dup,
                                GDestroyNotify    destroy,
                                guint             index,
                                gpointer          value)
{
  g_auto (GValue) answer = G_VALUE_INIT;

  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), FALSE);

  concur_vala_to_value (&(ConcurValaType) { type, dup, destroy }, value, &answer);

  return concur_batcher_job_answer (self, index, G_IS_VALUE (&answer) ? &answer : NULL);
}

/**
 * concur_vala_results: (skip)
 * @self: a future for several
 * @type: type of each result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @cancellable: (nullable): gives the waiting up, not the work
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Future.results_as<T> (cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_results (ConcurFuture        *self,
                     GType                type,
                     GBoxedCopyFunc       dup,
                     GDestroyNotify       destroy,
                     GCancellable        *cancellable,
                     GAsyncReadyCallback  callback,
                     gpointer             user_data)
{
  GTask *task;

  g_return_if_fail (CONCUR_IS_FUTURE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, concur_vala_results);
  concur_vala_wait_for (g_object_ref (self), task, &(ConcurValaType) { type, dup, destroy });
}

/**
 * concur_vala_results_finish: (skip)
 * @self: the future
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_results].
 *
 * Returns: (transfer full) (nullable): the results, in order
 *
 * Since: 1.0
 */
GPtrArray *
concur_vala_results_finish (ConcurFuture  *self,
                            GAsyncResult  *result,
                            GError       **error)
{
  g_autoptr (GPtrArray) results = NULL;
  const ConcurValaWanted *wanted;
  GListModel *members;
  guint n_members;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error)
      || concur_future_get_value (self, error) == NULL)
    return NULL;

  members = concur_future_get_children (self);
  if (members == NULL)
    {
      g_set_error_literal (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                           "The future is not one for several others");
      return NULL;
    }

  wanted = g_task_get_task_data (G_TASK (result));
  n_members = g_list_model_get_n_items (members);
  results = g_ptr_array_new_full (n_members, wanted->type.destroy);
  for (guint i = 0; i < n_members; i++)
    {
      g_autoptr (ConcurFuture) member = g_list_model_get_item (members, i);
      GError *problem = NULL;
      gpointer pointer = concur_vala_read (member, &wanted->type, &problem);

      /* An array of Vala frees each of its elements, whatever it is. */
      if (problem == NULL && pointer == NULL && wanted->type.destroy != NULL)
        problem = g_error_new (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                               "Member %u has no result: read each by itself, with value_as ()", i);
      if (problem != NULL)
        {
          g_propagate_error (error, problem);
          return NULL;
        }
      g_ptr_array_add (results, pointer);
    }

  return g_steal_pointer (&results);
}
