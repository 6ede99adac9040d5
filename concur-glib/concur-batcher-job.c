/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurBatcherJob:
 *
 * A batch: the calls that a [class@Batcher] answers by one call of its function.
 *
 * ```c
 * static gboolean
 * square_all (ConcurBatcherJob *job, gpointer user_data, GError **error)
 * {
 *   for (guint i = 0; i < concur_batcher_job_get_n_calls (job); i++)
 *     {
 *       gint64 n = g_value_get_int64 (concur_batcher_job_get_argument (job, i));
 *
 *       concur_batcher_job_answer (job, i, CONCUR_VALUE_INT64 (n * n));
 *     }
 *
 *   return TRUE;
 * }
 * ```
 *
 * It is a job of the batcher's executor, and made by the batcher. If nobody wants any of its
 * answers any more it is asked to stop, as [method@Job.is_cancelled] tells. A function that
 * cannot answer everybody before it returns calls [method@Job.hold]: then the job ends when
 * the last of its calls is answered, or with [method@Job.return_error].
 *
 * However the job ends, a call that it has not answered is rejected: with the job's error,
 * or, if it has none, with %CONCUR_FUTURE_ERROR_BROKEN_PROMISE.
 *
 * ## Threads
 *
 * Calls can be answered from any thread, as long as the job has not ended.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-batcher-private.h"
#include "concur-error.h"
#include "concur-exit-private.h"
#include "concur-job-private.h"

G_DEFINE_FINAL_TYPE (ConcurBatcherJob, concur_batcher_job, CONCUR_TYPE_JOB)

GPtrArray *
concur_batcher_job_sweep_locked (ConcurBatcherJob *self)
{
  GPtrArray *swept = NULL;
  guint i;

  for (i = 0; i < self->calls->len; i++)
    {
      ConcurBatcherCall *call = self->calls->pdata[i];

      if (call == NULL || !CONCUR_PHASE_IS_DONE (concur_future_state (call)))
        continue;
      if (swept == NULL)
        swept = g_ptr_array_new ();
      g_ptr_array_add (swept, call);
      call->batch = NULL;
      self->calls->pdata[i] = NULL;
      self->n_wanted--;
    }

  return swept;
}

void
concur_batcher_swept (GPtrArray *calls)
{
  if (calls == NULL)
    return;

  for (guint i = 0; i < calls->len; i++)
    concur_batcher_call_unuse (calls->pdata[i]);
  g_ptr_array_unref (calls);
}

/* Takes the calls that are in it, and those that have left out. FALSE: there are none. */
static gboolean
batch_begin (ConcurBatcherJob *self)
{
  GPtrArray *calls = self->calls;
  GPtrArray *swept;
  guint n = 0, i;

  concur_lock_acquire (&self->core->lock);
  swept = concur_batcher_job_sweep_locked (self);
  for (i = 0; i < calls->len; i++)
    {
      ConcurBatcherCall *call = calls->pdata[i];

      if (call == NULL)
        continue;
      call->index = n;
      calls->pdata[n++] = call;
    }
  g_ptr_array_set_size (calls, (int) n);
  self->n_calls = self->n_unanswered = n;
  self->begun = TRUE;
  concur_lock_release (&self->core->lock);

  concur_batcher_swept (swept);

  return n > 0;
}

static gboolean
concur_batcher_job_run (ConcurJob  *job,
                        GError    **error)
{
  ConcurBatcherJob *self = CONCUR_BATCHER_JOB (job);

  if (self->core == NULL)
    return TRUE;

  if (batch_begin (self) && !self->core->func (self, self->core->data, error))
    return FALSE;

  if (!(concur_future_state (job) & CONCUR_STATE_HOLD))
    concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static GError *
batch_get_error (ConcurBatcherJob *self)
{
  GError *error = NULL;

  if (concur_future_do_check (CONCUR_FUTURE (self), &error))
    g_set_error_literal (&error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                         "The batch ended without an answer to this call");

  return error;
}

/* Whatever way it ended. */
static void
batch_over (gpointer data)
{
  ConcurBatcherJob *self = data;
  ConcurBatcherCore *core = self->core;
  g_autoptr (GPtrArray) unanswered = g_ptr_array_new ();
  g_autoptr (GPtrArray) calls = NULL;
  g_autoptr (GError) error = NULL;
  guint i;

  concur_lock_acquire (&core->lock);
  calls = g_steal_pointer (&self->calls);
  self->begun = TRUE;
  for (i = 0; i < calls->len; i++)
    {
      ConcurBatcherCall *call = calls->pdata[i];

      if (call == NULL)
        continue;
      call->batch = NULL;
      if (!call->answered)
        g_ptr_array_add (unanswered, call);
    }
  concur_lock_release (&core->lock);

  if (unanswered->len > 0)
    error = batch_get_error (self);
  for (i = 0; i < unanswered->len; i++)
    concur_future_answer_error (unanswered->pdata[i], g_error_copy (error));
  for (i = 0; i < calls->len; i++)
    {
      if (calls->pdata[i] != NULL)
        concur_batcher_call_unuse (calls->pdata[i]);
    }

  self->uses_core = FALSE;
  concur_batcher_core_unuse (core);
}

static void
concur_batcher_job_finalize (GObject *object)
{
  ConcurBatcherJob *self = CONCUR_BATCHER_JOB (object);

  g_clear_pointer (&self->calls, g_ptr_array_unref);
  if (self->uses_core)
    concur_batcher_core_unuse (self->core);
  g_clear_pointer (&self->core, concur_batcher_core_unref);

  G_OBJECT_CLASS (concur_batcher_job_parent_class)->finalize (object);
}

static void
concur_batcher_job_class_init (ConcurBatcherJobClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_batcher_job_finalize;
  CONCUR_JOB_CLASS (klass)->run = concur_batcher_job_run;
}

static void
concur_batcher_job_init (ConcurBatcherJob *self)
{
}

ConcurBatcherJob *
concur_batcher_job_new (ConcurBatcherCore *core)
{
  ConcurBatcherJob *self = g_object_new (CONCUR_TYPE_BATCHER_JOB, NULL);
  ConcurFuturePrivate *priv = concur_future_private (self);

  concur_atomic_init (&priv->state, CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED
                                      | CONCUR_STATE_OBSERVED);
  /* What is let go with it is the library's. It ends where it ends, and not where somebody
   * made a batcher long ago. */
  concur_atomic_init (&priv->release_on_worker, TRUE);

  concur_atomic_add (&core->refs, 1, CONCUR_RELAXED);
  concur_atomic_add (&core->users, 1, CONCUR_RELAXED);
  self->core = core;
  self->uses_core = TRUE;
  self->calls = g_ptr_array_new ();

  return self;
}

void
concur_batcher_job_start (ConcurBatcherJob *self)
{
  ConcurBatcherCore *core = self->core;
  ConcurJob *job = CONCUR_JOB (self);

  /* The executor stays until this has come back from it. */
  concur_atomic_add (&core->users, 1, CONCUR_RELAXED);

  concur_job_set_payload (job, self, batch_over);
  if (concur_executor_begin_submit (job, concur_home_hold (core->home), NULL))
    CONCUR_EXECUTOR_GET_IFACE (core->executor)->execute (core->executor, job);

  concur_batcher_core_unuse (core);
  g_object_unref (self);
}

/**
 * concur_batcher_job_get_n_calls:
 * @self: a batch
 *
 * Gets how many calls are in the batch: those that were not cancelled before it began.
 *
 * Returns: the number, at least 1
 *
 * Since: 1.0
 */
guint
concur_batcher_job_get_n_calls (ConcurBatcherJob *self)
{
  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), 0);

  return self->n_calls;
}

/* NULL: the job has ended. */
static ConcurBatcherCall *
get_call_locked (ConcurBatcherJob *self,
                 guint             index)
{
  return self->calls != NULL ? self->calls->pdata[index] : NULL;
}

/**
 * concur_batcher_job_get_argument:
 * @self: a batch
 * @index: which call, from 0, in the order they were made
 *
 * Gets what was given with a call.
 *
 * Returns: (transfer none) (nullable): the argument, valid until the job ends; %NULL if it has
 *
 * Since: 1.0
 */
const GValue *
concur_batcher_job_get_argument (ConcurBatcherJob *self,
                                 guint             index)
{
  ConcurBatcherCall *call;

  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), NULL);
  g_return_val_if_fail (index < self->n_calls, NULL);

  concur_lock_acquire (&self->core->lock);
  call = get_call_locked (self, index);
  concur_lock_release (&self->core->lock);

  return call != NULL ? &call->argument : NULL;
}

/**
 * concur_batcher_job_is_wanted:
 * @self: a batch
 * @index: which call, from 0
 *
 * Gets whether a call still waits for its answer. One that was cancelled after the batch had
 * begun does not; it can be answered or passed over.
 *
 * Returns: %TRUE if it does
 *
 * Since: 1.0
 */
gboolean
concur_batcher_job_is_wanted (ConcurBatcherJob *self,
                              guint             index)
{
  ConcurBatcherCall *call;
  gboolean wanted;

  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), FALSE);
  g_return_val_if_fail (index < self->n_calls, FALSE);

  concur_lock_acquire (&self->core->lock);
  call = get_call_locked (self, index);
  wanted = call != NULL && !call->answered && !call->out;
  concur_lock_release (&self->core->lock);

  return wanted;
}

/* With a reference. NULL: it was answered. @last: there is no other to be answered. */
static ConcurBatcherCall *
take_call (ConcurBatcherJob *self,
           guint             index,
           gboolean         *last)
{
  ConcurBatcherCall *call;

  concur_lock_acquire (&self->core->lock);
  call = get_call_locked (self, index);
  if (call != NULL && call->answered)
    call = NULL;
  if (call != NULL)
    {
      call->answered = TRUE;
      self->n_unanswered--;
      *last = self->n_unanswered == 0;
      g_object_ref (call);
    }
  concur_lock_release (&self->core->lock);

  return call;
}

/**
 * concur_batcher_job_answer:
 * @self: a batch
 * @index: which call, from 0
 * @value: (nullable): the value, or %NULL for none
 *
 * Resolves the future of a call with a copy of any value. This is when its callbacks are
 * called, whatever the rest of the batch does.
 *
 * Returns: %TRUE if this was the answer; %FALSE if the call had one, or was cancelled
 *
 * Since: 1.0
 */
gboolean
concur_batcher_job_answer (ConcurBatcherJob *self,
                           guint             index,
                           const GValue     *value)
{
  ConcurBatcherCall *call;
  gboolean last, accepted;

  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), FALSE);
  g_return_val_if_fail (index < self->n_calls, FALSE);

  call = take_call (self, index, &last);
  if (call == NULL)
    return FALSE;

  accepted = concur_future_answer_value (CONCUR_FUTURE (call), value);
  if (last)
    concur_job_return_boolean (CONCUR_JOB (self), TRUE);
  g_object_unref (call);

  return accepted;
}

/**
 * concur_batcher_job_answer_error:
 * @self: a batch
 * @index: which call, from 0
 * @error: what went wrong with it
 *
 * Rejects the future of a call with a copy of an error, or, if that is
 * %G_IO_ERROR_CANCELLED, makes it cancelled. The other calls are not concerned.
 *
 * Returns: %TRUE if this was the answer; %FALSE if the call had one, or was cancelled
 *
 * Since: 1.0
 */
gboolean
concur_batcher_job_answer_error (ConcurBatcherJob *self,
                                 guint             index,
                                 const GError     *error)
{
  ConcurBatcherCall *call;
  gboolean last, accepted;

  g_return_val_if_fail (CONCUR_IS_BATCHER_JOB (self), FALSE);
  g_return_val_if_fail (index < self->n_calls, FALSE);
  g_return_val_if_fail (error != NULL, FALSE);

  call = take_call (self, index, &last);
  if (call == NULL)
    return FALSE;

  accepted = concur_future_answer_error (CONCUR_FUTURE (call), g_error_copy (error));
  if (last)
    concur_job_return_boolean (CONCUR_JOB (self), TRUE);
  g_object_unref (call);

  return accepted;
}
