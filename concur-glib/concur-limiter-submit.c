/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that need a permit. A job that waits for one is submitted already, is at home where
 * it was submitted and can be cancelled like any other, but is in nobody's queue until its
 * turn comes: then who gave the permit back hands it to the executor.
 *
 * The job tells when its work has ended, in whichever way and exactly once: that is when
 * the permit goes back, or the turn that has not come passes on. */

#include "config.h"

#include "concur-context-queue-private.h"
#include "concur-exit-private.h"
#include "concur-job-private.h"
#include "concur-limiter-private.h"

/* Counted: by the job until its work has ended, by the queue, and by submit (). */
typedef struct
{
  ConcurHomeItem item;         /* to hand the job on, later to go home */
  ConcurLimiterWaiter waiter;

  /* immutable */
  ConcurLimiterCore *core;     /* (owned) */

  /* of submit (); immutable once it is queued */
  ConcurHome *home;            /* held */
  ConcurExecutor *executor;    /* (owned) (nullable): only while it is to be handed on */
  ConcurJob *job;              /* the same */

  /* atomic */
  ConcurWord refs;
} Entry;

static GQuark
entry_quark (void)
{
  return g_quark_from_static_string ("concur-limiter-entry");
}

static void
entry_free (ConcurHomeItem *item,
            gboolean        here)
{
  Entry *self = (Entry *) item;

  g_clear_object (&self->job);
  g_clear_object (&self->executor);
  g_slice_free (Entry, self);
}

static void
entry_unref (Entry *self)
{
  ConcurHome *home;
  gboolean release_here;

  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  concur_limiter_core_unref (self->core);
  home = self->home;

  /* What the user gave us goes where it came from. */
  release_here = self->job == NULL
                 || concur_atomic_load (&concur_future_private (self->job)->release_on_worker,
                                        CONCUR_RELAXED);
  if (release_here || concur_home_is_here (home))
    {
      entry_free (&self->item, TRUE);
      concur_home_drop (home);
    }
  else
    {
      self->item.func = entry_free;
      concur_home_release (home, &self->item);
    }
}

static void
entry_execute (ConcurHomeItem *item,
               gboolean        here)
{
  Entry *self = (Entry *) item;

  if (!CONCUR_PHASE_IS_DONE (concur_future_state (self->job)))
    CONCUR_EXECUTOR_GET_IFACE (self->executor)->execute (self->executor, self->job);
  entry_unref (self);
}

static void
entry_told (ConcurLimiterWaiter *waiter,
            gboolean             claimed,
            const GError        *error)
{
  Entry *self = (Entry *) ((char *) waiter - G_STRUCT_OFFSET (Entry, waiter));

  if (error != NULL)
    {
      concur_future_answer_error (CONCUR_FUTURE (self->job), g_error_copy (error));
      entry_unref (self);
      return;
    }

  /* There, a full queue does not make us wait, and executors that take nothing are not
   * nested however many jobs they turn away. */
  self->item.func = entry_execute;
  concur_future_trampoline (&self->item);
}

/* Not claimed: whoever cancels the job comes to concur_limiter_job_over (), and finds it
 * waiting or with a permit. */
static const ConcurLimiterWaiterKind job_kind = { TRUE, NULL, entry_told };

void
concur_limiter_job_over (ConcurFuture *future)
{
  Entry *self;

  if (concur_is_forked ())
    return;

  self = g_object_steal_qdata (G_OBJECT (future), entry_quark ());
  if (concur_limiter_core_leave (self->core, &self->waiter) == CONCUR_LIMITER_WAITING)
    entry_unref (self);
  entry_unref (self);
}

static void
submit (ConcurLimiter  *limiter,
        ConcurExecutor *executor,
        ConcurJob      *job,
        GCancellable   *cancellable)
{
  ConcurContextQueue *queue = concur_context_queue_of (executor);
  GMainContext *context = queue != NULL ? concur_context_queue_get_context (queue) : NULL;
  ConcurHome *home = concur_home_hold_current ();
  Entry *self = g_slice_new0 (Entry);
  ConcurLimiterStatus status;

  self->waiter.kind = &job_kind;
  self->core = concur_limiter_core_ref (concur_limiter_get_core (limiter));
  self->home = concur_home_hold (home);
  self->executor = g_object_ref (executor);
  self->job = g_object_ref (job);
  /* The job's, and ours. */
  concur_atomic_init (&self->refs, 2);
  g_object_set_qdata (G_OBJECT (job), entry_quark (), self);
  /* Release: whoever sees the bit finds the entry. */
  concur_atomic_or (&concur_future_private (job)->state, CONCUR_STATE_LIMITED, CONCUR_ACQ_REL);

  /* A wait on that context's own thread can be refused before it is in its queue. */
  if (context != NULL)
    concur_job_bind (job, context);

  if (concur_executor_begin_submit (job, home, cancellable))
    {
      /* The queue's, if it comes to that. */
      concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);
      status = concur_limiter_core_enter (self->core, &self->waiter, TRUE);
      if (status != CONCUR_LIMITER_WAITING)
        concur_atomic_sub (&self->refs, 1, CONCUR_RELAXED);
    }
  else
    {
      status = CONCUR_LIMITER_OUT;
    }

  if (status == CONCUR_LIMITER_GRANTED)
    CONCUR_EXECUTOR_GET_IFACE (executor)->execute (executor, job);

  /* Nothing to hand on any more. The caller has both of them. */
  if (status != CONCUR_LIMITER_WAITING)
    {
      g_clear_object (&self->executor);
      g_clear_object (&self->job);
    }
  entry_unref (self);
}

/**
 * concur_limiter_submit:
 * @self: a limiter
 * @executor: (nullable): where to run it, or %NULL for the default executor
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @cancellable: (nullable): cancels the job when it is cancelled; released at home
 *
 * Runs a function as a job, as [method@Executor.submit] does, once there is a permit for it.
 *
 * The future that is returned is the job. Until its turn comes it is pending and occupies no
 * thread; it can be cancelled, and its turn passes on. Then it goes to @executor, also into a
 * full queue; if the executor takes no more work by then, the job is rejected as by
 * [method@Executor.submit].
 *
 * The permit is the job's until its work has really ended: its function has returned, and if
 * it was held, it has answered. Being abandoned, or not being waited for any more, changes
 * nothing. The permit is back a moment after the future is done.
 *
 * Jobs start in the order they were submitted, whatever their priority; what comes through
 * [method@Limiter.acquire] waits in the same line. A job should not wait for another one of
 * the same limiter, which may never get a permit.
 *
 * Jobs that wait go on if everybody drops the limiter. Which thread a waiting job is handed
 * to its executor by is whichever one returns the permit.
 *
 * May be called from any thread.
 *
 * Returns: (transfer full): a future for what @func answers
 *
 * Since: 1.0
 */
ConcurFuture *
concur_limiter_submit (ConcurLimiter  *self,
                       ConcurExecutor *executor,
                       ConcurJobFunc   func,
                       gpointer        user_data,
                       GDestroyNotify  destroy,
                       GCancellable   *cancellable)
{
  ConcurJob *job;

  g_return_val_if_fail (CONCUR_IS_LIMITER (self), NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  job = concur_job_new (func, user_data, destroy);
  concur_atomic_init (&concur_future_private (job)->state,
                      CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED);
  submit (self, executor != NULL ? executor : concur_executor_get_default (), job, cancellable);

  return CONCUR_FUTURE (job);
}

/**
 * concur_limiter_submit_job:
 * @self: a limiter
 * @executor: (nullable): where to run it, or %NULL for the default executor
 * @job: a job that was not submitted before
 * @cancellable: (nullable): cancels the job when it is cancelled; released at home
 *
 * Runs a job made by hand, or of a class of your own, once there is a permit for it.
 * Otherwise like [method@Limiter.submit].
 *
 * Returns: (transfer full): @job, as a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_limiter_submit_job (ConcurLimiter  *self,
                           ConcurExecutor *executor,
                           ConcurJob      *job,
                           GCancellable   *cancellable)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), NULL);
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (CONCUR_IS_JOB (job), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  /* Submitting twice is a mistake, even of a job that is done. */
  g_return_val_if_fail (!(concur_atomic_or (&concur_future_private (job)->state,
                                            CONCUR_STATE_SUBMITTED, CONCUR_ACQ_REL)
                          & CONCUR_STATE_SUBMITTED),
                        NULL);

  concur_job_set_release (job);
  submit (self, executor != NULL ? executor : concur_executor_get_default (), job, cancellable);

  return CONCUR_FUTURE (g_object_ref (job));
}
