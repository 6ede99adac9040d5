/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* map_range: one future, and one object, for a whole range. The job that is handed out
 * calls helpers, as many as the executor has threads, and all of them take chunks off a
 * counter until there are none. */

#include "config.h"

#include "concur-batch-private.h"
#include "concur-error.h"
#include "concur-executor.h"
#include "concur-exit-private.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-thread-executor.h"

/* Chunks a thread gets on average when the caller does not say: few enough that
 * claiming costs nothing, enough that uneven items even out. */
#define CHUNKS_PER_THREAD 8

/* More helpers than a system has threads help nobody, and this is counted with. */
#define MAX_WIDTH (1 << 16)

/* Tiny chunks are taken several at a time, so that the counter is not what all threads
 * wait for; never so many that a thread could be left without. */
#define SPANS_PER_THREAD 32
#define MAX_SPAN 64

typedef struct
{
  /* immutable */
  guint n;
  guint chunk;                 /* items in one call */
  guint span;                  /* items taken at once, a multiple of chunk */
  ConcurRangeFunc func;
  gpointer data;               /* the submitter's; there while somebody is active */
  ConcurJob *job;              /* likewise */
  ConcurBatch *batch;          /* (owned) by the job; likewise */

  /* atomic */
  ConcurWord refs;             /* the job, each helper */
  ConcurWord active;           /* threads at work; once 0 it stays so */
  _Atomic guint64 next;        /* first item that nobody has taken */
  _Atomic (GError *) error;    /* (owned) the first one; no more calls once it is there */
} Range;

#define CONCUR_TYPE_RANGE_JOB (concur_range_job_get_type ())
G_DECLARE_FINAL_TYPE (ConcurRangeJob, concur_range_job, CONCUR, RANGE_JOB, ConcurJob)

struct _ConcurRangeJob
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurExecutor *executor;    /* (owned) */
  Range *range;                /* (owned) */
};

G_DEFINE_FINAL_TYPE (ConcurRangeJob, concur_range_job, CONCUR_TYPE_JOB)

static void
range_unref (gpointer data)
{
  Range *self = data;

  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) == 1)
    {
      GError *error = concur_atomic_load (&self->error, CONCUR_RELAXED);

      g_clear_error (&error);
      g_free (self);
    }
}

/* FALSE: it is all done, and what the range points to may be gone. */
static gboolean
range_enter (Range *self)
{
  guint32 active = concur_atomic_load (&self->active, CONCUR_RELAXED);

  do
    {
      if (active == 0)
        return FALSE;
    }
  while (!concur_atomic_cas (&self->active, &active, active + 1, CONCUR_ACQ_REL));

  return TRUE;
}

static void
range_fail (Range  *self,
            GError *error)
{
  GError *none = NULL;

  if (error == NULL)
    error = g_error_new_literal (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                                 "The function of the range failed without an error");

  if (!concur_atomic_cas (&self->error, &none, error, CONCUR_ACQ_REL))
    g_error_free (error);
}

/* Relaxed, both: hints. */
static inline guintptr
range_stops (Range               *self,
             ConcurFuturePrivate *job)
{
  return (guintptr) concur_atomic_load (&self->error, CONCUR_RELAXED)
         | (concur_atomic_load (&job->state, CONCUR_RELAXED) & CONCUR_STATE_CANCEL);
}

static void
range_work (Range *self)
{
  const guint n = self->n;
  const guint chunk = self->chunk;
  const guint span = self->span;
  ConcurFuturePrivate *job = concur_future_private (self->job);
  GError *error = NULL;

  for (;;)
    {
      guint64 start = concur_atomic_add (&self->next, span, CONCUR_RELAXED);
      guint first, left;

      if (start >= n)
        return;

      first = (guint) start;
      for (left = MIN (span, n - first); left > 0; )
        {
          guint count = MIN (chunk, left);

          /* In one test, for an item may be next to nothing. */
          if (G_UNLIKELY (range_stops (self, job) | concur_stopped_bits ()))
            {
              concur_gate ();
              if (range_stops (self, job))
                return;
            }

          if (!self->func (self->batch, first, count, self->data, &error))
            {
              range_fail (self, error);
              return;
            }

          first += count;
          left -= count;
        }
    }
}

static void
range_leave (Range *self)
{
  ConcurFuture *future = CONCUR_FUTURE (self->job);
  GError *error;

  /* Release what this thread did, acquire what the others did: the last one answers. */
  if (concur_atomic_sub (&self->active, 1, CONCUR_ACQ_REL) != 1)
    return;

  error = concur_atomic_exchange (&self->error, NULL, CONCUR_ACQ_REL);
  if (error == NULL)
    concur_job_check_cancelled (self->job, &error);

  if (error != NULL)
    concur_future_answer_error (future, error);
  else
    concur_future_answer_object (future, self->batch);
}

static gboolean
help (ConcurJob  *job,
      gpointer    data,
      GError    **error)
{
  Range *self = data;

  if (range_enter (self))
    {
      ConcurFrame frame;

      concur_job_enter (&frame, self->job);
      range_work (self);
      concur_job_leave (&frame);
      range_leave (self);
    }
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static guint
executor_get_width (ConcurExecutor *executor)
{
  guint width = 0;

  if (CONCUR_IS_THREAD_EXECUTOR (executor))
    width = concur_thread_executor_get_max_threads (CONCUR_THREAD_EXECUTOR (executor));

  return width > 0 ? MIN (width, MAX_WIDTH) : g_get_num_processors ();
}

static gboolean
concur_range_job_run (ConcurJob  *job,
                      GError    **error)
{
  ConcurRangeJob *self = CONCUR_RANGE_JOB (job);
  Range *range = self->range;
  guint n_helpers, i;

  /* Whoever finishes last answers. */
  concur_job_hold (job);

  n_helpers = MIN (executor_get_width (self->executor),
                   (range->n + range->chunk - 1) / range->chunk);
  for (i = 1; i < n_helpers; i++)
    {
      g_autoptr (ConcurJob) helper = concur_job_new (help, range, range_unref);
      g_autoptr (ConcurFuture) future = NULL;

      concur_atomic_add (&range->refs, 1, CONCUR_RELAXED);
      concur_job_set_priority (helper, concur_job_get_priority (job));
      future = concur_executor_submit_job (self->executor, helper, NULL);
      /* A helper that is refused is one helper less. */
      concur_future_ignore (future);
    }

  range_work (range);
  range_leave (range);

  return TRUE;
}

static void
concur_range_job_finalize (GObject *object)
{
  ConcurRangeJob *self = CONCUR_RANGE_JOB (object);

  g_clear_object (&self->range->batch);
  range_unref (self->range);
  g_clear_object (&self->executor);

  G_OBJECT_CLASS (concur_range_job_parent_class)->finalize (object);
}

static void
concur_range_job_class_init (ConcurRangeJobClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_range_job_finalize;
  CONCUR_JOB_CLASS (klass)->run = concur_range_job_run;
}

static void
concur_range_job_init (ConcurRangeJob *self)
{
}

/**
 * concur_executor_map_range:
 * @self: an executor
 * @n: how many items there are
 * @chunk: how many items to work on in one call at most; 0 to let the library choose
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @cancellable: (nullable): cancels the whole when it is cancelled; released at home
 *
 * Works on the items 0 to @n - 1 on all threads of the executor, as one job.
 *
 * @func is called with runs of up to @chunk items, several calls at once on different
 * threads, and puts the result of each item into its slot of a [class@Batch], which is
 * the value of the future. Many small items cost far less this way than as jobs.
 *
 * The first error ends the whole: calls that run are finished, no more are made, and the
 * future is rejected with it. Cancelling does the same.
 *
 * Returns: (transfer full): a future for the [class@Batch]
 *
 * Since: 1.0
 */
ConcurFuture *
concur_executor_map_range (ConcurExecutor  *self,
                           guint            n,
                           guint            chunk,
                           ConcurRangeFunc  func,
                           gpointer         user_data,
                           GDestroyNotify   destroy,
                           GCancellable    *cancellable)
{
  g_autoptr (ConcurRangeJob) job = NULL;
  Range *range;

  g_return_val_if_fail (CONCUR_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  if (chunk == 0)
    chunk = MAX (n / (executor_get_width (self) * CHUNKS_PER_THREAD), 1);

  job = g_object_new (CONCUR_TYPE_RANGE_JOB, NULL);
  concur_job_set_payload (CONCUR_JOB (job), user_data, destroy);
  job->executor = g_object_ref (self);

  range = job->range = g_new0 (Range, 1);
  range->n = n;
  range->chunk = MIN (chunk, MAX (n, 1));
  range->span = range->chunk
                * CLAMP (n / range->chunk / (executor_get_width (self) * SPANS_PER_THREAD), 1, MAX_SPAN);
  range->func = func;
  range->data = user_data;
  range->job = CONCUR_JOB (job);
  range->batch = concur_batch_new (n);
  concur_atomic_init (&range->refs, 1);
  concur_atomic_init (&range->active, 1);
  concur_atomic_init (&range->next, 0);
  concur_atomic_init (&range->error, NULL);

  return concur_executor_submit_job (self, CONCUR_JOB (job), cancellable);
}
