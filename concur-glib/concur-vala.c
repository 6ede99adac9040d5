/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The generic methods that programs in Vala call, such as run<T>(): each is a function of
 * the library with a delegate that returns its answer, and results that belong to the
 * caller. */

#include "config.h"

#include "concur-continue.h"
#include "concur-future-private.h"
#include "concur-vala-private.h"

ConcurValaDelegate *
concur_vala_delegate_new (const ConcurValaType *type,
                          gpointer              target,
                          GDestroyNotify        target_destroy)
{
  ConcurValaDelegate *self = g_new0 (ConcurValaDelegate, 1);

  self->type = *type;
  self->target = target;
  self->target_destroy = target_destroy;

  return self;
}

void
concur_vala_delegate_free (gpointer data)
{
  ConcurValaDelegate *self = data;

  if (self->target_destroy != NULL)
    self->target_destroy (self->target);
  g_free (self);
}

gboolean
concur_vala_delegate_call (ConcurValaDelegate  *self,
                           ConcurJob           *job,
                           ConcurFuture        *input,
                           guint                number,
                           GValue              *value,
                           GError             **error)
{
  /* Somebody else may answer a job that holds, and self go home, before this returns. */
  ConcurValaType type = self->type;
  GError *problem = NULL;
  gpointer result;

  if (self->work != NULL)
    result = self->work (job, self->target, &problem);
  else if (self->step != NULL)
    result = self->step (job, input, self->target, &problem);
  else
    result = self->attempt (job, number, self->target, &problem);

  if (problem != NULL)
    {
      g_propagate_error (error, problem);
      return FALSE;
    }

  concur_vala_to_value (&type, result, value);

  return TRUE;
}

static gboolean
run_delegate (ConcurJob           *job,
              ConcurFuture        *input,
              ConcurValaDelegate  *self,
              GError             **error)
{
  GValue value = G_VALUE_INIT;

  if (!concur_vala_delegate_call (self, job, input, 0, &value, error))
    return FALSE;

  concur_job_return_value (job, &value);
  if (G_IS_VALUE (&value))
    g_value_unset (&value);

  return TRUE;
}

gboolean
concur_vala_run_work (ConcurJob  *job,
                      gpointer    delegate,
                      GError    **error)
{
  return run_delegate (job, NULL, delegate, error);
}

static gboolean
run_step (ConcurJob     *job,
          ConcurFuture  *input,
          gpointer       data,
          GError       **error)
{
  return run_delegate (job, input, data, error);
}

ConcurValaWanted *
concur_vala_wanted_new (const ConcurValaType *type,
                        ConcurFuture         *future)
{
  ConcurValaWanted *self = g_new (ConcurValaWanted, 1);

  self->type = *type;
  self->future = future;

  return self;
}

void
concur_vala_wanted_free (gpointer data)
{
  ConcurValaWanted *self = data;

  g_object_unref (self->future);
  g_free (self);
}

gpointer
concur_vala_read (ConcurFuture          *future,
                  const ConcurValaType  *type,
                  GError               **error)
{
  const GValue *value = concur_future_get_value (future, error);
  gpointer result = NULL;

  if (value != NULL)
    concur_vala_from_value (type, value, &result, error);

  return result;
}

static void
return_ready (ConcurFuture *future,
              GTask        *task)
{
  g_task_return_boolean (task, TRUE);
}

void
concur_vala_wait_for (ConcurFuture         *future,
                      GTask                *task,
                      const ConcurValaType *type)
{
  g_task_set_check_cancellable (task, FALSE);
  /* First: the callback may run on another thread before this returns. */
  g_task_set_task_data (task, concur_vala_wanted_new (type, future), concur_vala_wanted_free);
  concur_future_wait_as_task (future, task, return_ready);
}

gpointer
concur_vala_finish (gpointer       self,
                    GAsyncResult  *result,
                    GError       **error)
{
  ConcurValaWanted *wanted;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  wanted = g_task_get_task_data (G_TASK (result));

  return concur_vala_read (wanted->future, &wanted->type, error);
}

/**
 * concur_vala_submit: (skip)
 * @self: an executor
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 * @cancellable: (nullable): cancels the job
 *
 * In Vala: `Executor.submit_as<T> (work, cancellable)`.
 *
 * Returns: (transfer full): the job
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_submit (ConcurExecutor *self,
                    GType           type,
                    GBoxedCopyFunc  dup,
                    GDestroyNotify  destroy,
                    ConcurValaWork  work,
                    gpointer        target,
                    GDestroyNotify  target_destroy,
                    GCancellable   *cancellable)
{
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (work != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  delegate = concur_vala_delegate_new (&(ConcurValaType) { type, dup, destroy }, target,
                                       target_destroy);
  delegate->work = work;

  return concur_executor_submit (self, concur_vala_run_work, delegate, concur_vala_delegate_free,
                                 cancellable);
}

/**
 * concur_vala_run: (skip)
 * @self: an executor
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 * @cancellable: (nullable): cancels the job; the call ends when the job has
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Executor.run<T> (work, cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_run (ConcurExecutor      *self,
                 GType                type,
                 GBoxedCopyFunc       dup,
                 GDestroyNotify       destroy,
                 ConcurValaWork       work,
                 gpointer             target,
                 GDestroyNotify       target_destroy,
                 GCancellable        *cancellable,
                 GAsyncReadyCallback  callback,
                 gpointer             user_data)
{
  GTask *task;

  g_return_if_fail (CONCUR_IS_EXECUTOR (self));
  g_return_if_fail (work != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  /* The cancellable is the job's alone: the caller goes on when the work has ended, and
   * may then touch again what it shares with it. */
  task = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (task, concur_vala_run);
  concur_vala_wait_for (concur_vala_submit (self, type, dup, destroy, work, target, target_destroy,
                                            cancellable),
                        task, &(ConcurValaType) { type, dup, destroy });
}

/**
 * concur_vala_run_finish: (skip)
 * @self: the executor
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a call begun with [func@vala_run].
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 1.0
 */
gpointer
concur_vala_run_finish (ConcurExecutor  *self,
                        GAsyncResult    *result,
                        GError         **error)
{
  return concur_vala_finish (self, result, error);
}

/**
 * concur_vala_call: (skip)
 * @self: a loop thread
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @work: what to run
 * @target: closure of @work
 * @target_destroy: (nullable): frees @target, at home
 * @timeout_us: how long to wait, in microseconds; -1 for ever
 * @error: return location for an error
 *
 * In Vala: `LoopThread.call_as<T> (work, timeout_us)`.
 *
 * Returns: (transfer full) (nullable): the result
 *
 * Since: 1.0
 */
gpointer
concur_vala_call (ConcurLoopThread  *self,
                  GType              type,
                  GBoxedCopyFunc     dup,
                  GDestroyNotify     destroy,
                  ConcurValaWork     work,
                  gpointer           target,
                  GDestroyNotify     target_destroy,
                  gint64             timeout_us,
                  GError           **error)
{
  g_autoptr (ConcurFuture) future = NULL;
  ConcurValaType wanted = { type, dup, destroy };
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), NULL);
  g_return_val_if_fail (work != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  delegate = concur_vala_delegate_new (&(ConcurValaType) { type, dup, destroy }, target,
                                       target_destroy);
  delegate->work = work;
  future = concur_loop_thread_call (self, concur_vala_run_work, delegate, concur_vala_delegate_free,
                                    timeout_us, error);

  return future != NULL ? concur_vala_read (future, &wanted, error) : NULL;
}

/**
 * concur_vala_continue: (skip)
 * @self: a future
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @step: what to run
 * @target: closure of @step
 * @target_destroy: (nullable): frees @target, at home
 * @executor: (nullable): where to run it
 *
 * In Vala: `Future.continue_as<T> (step, executor)`.
 *
 * Returns: (transfer full): the continuation
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_continue (ConcurFuture   *self,
                      GType           type,
                      GBoxedCopyFunc  dup,
                      GDestroyNotify  destroy,
                      ConcurValaStep  step,
                      gpointer        target,
                      GDestroyNotify  target_destroy,
                      ConcurExecutor *executor)
{
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (step != NULL, NULL);

  delegate = concur_vala_delegate_new (&(ConcurValaType) { type, dup, destroy }, target,
                                       target_destroy);
  delegate->step = step;

  return concur_future_continue_with (self, run_step, delegate, concur_vala_delegate_free,
                                      executor);
}

/**
 * concur_vala_recover: (skip)
 * @self: a future
 * @type: type of the result
 * @dup: (nullable): copies a result
 * @destroy: (nullable): frees a result
 * @step: what to run
 * @target: closure of @step
 * @target_destroy: (nullable): frees @target, at home
 * @executor: (nullable): where to run it
 *
 * In Vala: `Future.recover_as<T> (step, executor)`.
 *
 * Returns: (transfer full): the continuation
 *
 * Since: 1.0
 */
ConcurFuture *
concur_vala_recover (ConcurFuture   *self,
                     GType           type,
                     GBoxedCopyFunc  dup,
                     GDestroyNotify  destroy,
                     ConcurValaStep  step,
                     gpointer        target,
                     GDestroyNotify  target_destroy,
                     ConcurExecutor *executor)
{
  ConcurValaDelegate *delegate;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (step != NULL, NULL);

  delegate = concur_vala_delegate_new (&(ConcurValaType) { type, dup, destroy }, target,
                                       target_destroy);
  delegate->step = step;

  return concur_future_recover (self, run_step, delegate, concur_vala_delegate_free, executor);
}

/**
 * concur_vala_value: (skip)
 * @self: a future
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @error: return location for an error
 *
 * In Vala: `Future.value_as<T> ()`.
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_value (ConcurFuture    *self,
                   GType            type,
                   GBoxedCopyFunc   dup,
                   GDestroyNotify   destroy,
                   GError         **error)
{
  ConcurValaType wanted = { type, dup, destroy };

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return concur_vala_read (self, &wanted, error);
}

/**
 * concur_vala_wait: (skip)
 * @self: a future
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @timeout_us: how long to wait, in microseconds; -1 for ever
 * @error: return location for an error
 *
 * In Vala: `Future.wait_as<T> (timeout_us)`.
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_wait (ConcurFuture    *self,
                  GType            type,
                  GBoxedCopyFunc   dup,
                  GDestroyNotify   destroy,
                  gint64           timeout_us,
                  GError         **error)
{
  ConcurValaType wanted = { type, dup, destroy };
  gpointer result = NULL;
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  value = concur_future_result (self, timeout_us, error);
  if (value != NULL)
    concur_vala_from_value (&wanted, value, &result, error);

  return result;
}

/**
 * concur_vala_result: (skip)
 * @self: a future
 * @type: type of the value
 * @dup: (nullable): copies a value
 * @destroy: (nullable): frees a value
 * @cancellable: (nullable): gives the waiting up, not the work
 * @callback: (scope async): called in the caller's thread-default main context
 * @user_data: data for @callback
 *
 * In Vala: `yield Future.result_as<T> (cancellable)`.
 *
 * Since: 1.0
 */
void
concur_vala_result (ConcurFuture        *self,
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
  g_task_set_source_tag (task, concur_vala_result);
  concur_vala_wait_for (g_object_ref (self), task, &(ConcurValaType) { type, dup, destroy });
}

/**
 * concur_vala_result_finish: (skip)
 * @self: the future
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a wait begun with [func@vala_result].
 *
 * Returns: (transfer full) (nullable): the value
 *
 * Since: 1.0
 */
gpointer
concur_vala_result_finish (ConcurFuture  *self,
                           GAsyncResult  *result,
                           GError       **error)
{
  return concur_vala_finish (self, result, error);
}
