/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that make a call of their own: for those who turn its arguments and its answer into
 * something else, where that belongs to the job, such as bindings. */

#include "config.h"

#include "concur-process-call-private.h"
#include "concur-process-executor.h"
#include "concur-thread-executor-private.h"

static GQuark
details_quark (void)
{
  return g_quark_from_static_string ("concur-process-job-details");
}

/**
 * concur_process_executor_submit_job:
 * @self: an executor
 * @job: a job
 * @cancellable: (nullable): cancels the job when it is cancelled
 *
 * Runs a job on a thread that stands behind a worker, in its turn among the calls. It can
 * use [method@ProcessExecutor.call_within].
 *
 * Returns: (transfer full): @job
 *
 * Since: 1.0
 */
ConcurFuture *
concur_process_executor_submit_job (ConcurProcessExecutor *self,
                                    ConcurJob             *job,
                                    GCancellable          *cancellable)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);
  g_return_val_if_fail (CONCUR_IS_JOB (job), NULL);

  return concur_executor_submit_job (CONCUR_EXECUTOR (concur_process_executor_get_pool (self)),
                                     job, cancellable);
}

/* What is to be known of a call that failed. */
static void
keep_details (ConcurJob      *job,
              ConcurExchange *exchange,
              const GError   *error)
{
  GVariantDict details;

  g_variant_dict_init (&details, exchange->details);
  if (!exchange->has_worker && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_variant_dict_insert (&details, "not-started", "b", TRUE);
  g_object_set_qdata_full (G_OBJECT (job), details_quark (),
                           g_variant_ref_sink (g_variant_dict_end (&details)),
                           (GDestroyNotify) g_variant_unref);
}

/**
 * concur_process_executor_call_within:
 * @self: an executor
 * @job: the job that calls this, which was given to [method@ProcessExecutor.submit_job]
 * @name: the name of what to call
 * @arguments: (nullable): the arguments, or %NULL for the empty tuple; a floating one is
 *   consumed
 * @error: return location for an error
 *
 * Calls a function in the worker process behind the calling thread, and waits for its
 * answer. Cancelling @job stops it as it stops [method@ProcessExecutor.call], and what the
 * worker says of its progress is the progress of @job.
 *
 * Returns: (transfer full): the answer, or %NULL with an error
 *
 * Since: 1.0
 */
GVariant *
concur_process_executor_call_within (ConcurProcessExecutor  *self,
                                     ConcurJob              *job,
                                     const char             *name,
                                     GVariant               *arguments,
                                     GError                **error)
{
  ConcurProcessPool *pool;
  ConcurExchange exchange = { .kind = CONCUR_WIRE_CALL, .name = name, .job = job };
  g_autoptr (GVariant) sunk = NULL;
  g_autoptr (GError) call_error = NULL;
  GVariant *value = NULL;

  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);
  g_return_val_if_fail (CONCUR_IS_JOB (job), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  pool = concur_process_executor_get_pool (self);
  g_return_val_if_fail (concur_thread_executor_is_current (CONCUR_THREAD_EXECUTOR (pool)), NULL);

  if (arguments == NULL)
    arguments = g_variant_new_tuple (NULL, 0);
  sunk = exchange.content = g_variant_ref_sink (arguments);
  if (concur_exchange_run (&exchange, pool, &call_error))
    {
      value = g_steal_pointer (&exchange.value);
    }
  else
    {
      keep_details (job, &exchange, call_error);
      g_propagate_error (error, g_steal_pointer (&call_error));
    }
  concur_exchange_clear (&exchange);

  return value;
}

/**
 * concur_process_executor_dup_details:
 * @job: a job whose [method@ProcessExecutor.call_within] has failed
 *
 * Gets what there is to say about that beyond the error: what the worker gave to
 * [method@WorkerCall.return_failure], and `not-started` if there was no worker, and none
 * could be started.
 *
 * Returns: (transfer full) (nullable): details, of type `a{sv}`
 *
 * Since: 1.0
 */
GVariant *
concur_process_executor_dup_details (ConcurJob *job)
{
  GVariant *details;

  g_return_val_if_fail (CONCUR_IS_JOB (job), NULL);

  details = g_object_get_qdata (G_OBJECT (job), details_quark ());

  return details == NULL ? NULL : g_variant_ref (details);
}

/**
 * concur_process_executor_set_thread_func:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): what its threads do
 * @user_data: data for @func
 * @destroy: (nullable): called with @user_data when no thread can need it any more
 *
 * Has the threads behind the workers run in @func: for bindings whose language has something
 * to set up on each thread, which then is done once rather than for each job. This can be
 * done once, before the first job is submitted.
 *
 * @destroy is called on any thread.
 *
 * Since: 1.0
 */
void
concur_process_executor_set_thread_func (ConcurProcessExecutor   *self,
                                         ConcurProcessThreadFunc  func,
                                         gpointer                 user_data,
                                         GDestroyNotify           destroy)
{
  ConcurProcessPool *pool;
  gboolean is_first;

  g_return_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self));
  g_return_if_fail (func != NULL);

  pool = concur_process_executor_get_pool (self);
  concur_lock_acquire (&pool->lock);
  is_first = pool->thread_func == NULL;
  if (is_first)
    {
      pool->thread_func = func;
      pool->thread_data = user_data;
      pool->thread_data_destroy = destroy;
    }
  concur_lock_release (&pool->lock);

  if (!is_first && destroy != NULL)
    destroy (user_data);
  g_return_if_fail (is_first);
}
