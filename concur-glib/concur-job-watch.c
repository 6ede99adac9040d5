/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the class of a job is told besides running it: that the job is done, and that it is
 * time to let go. Both take the place of a function with its data, so that a language can
 * do without a closure for each job. */

#include "config.h"

#include "concur-future-private.h"
#include "concur-job-private.h"

static void
job_done (ConcurFuture *future,
          gpointer      data)
{
  CONCUR_JOB_GET_CLASS (future)->done (CONCUR_JOB (future));
}

/**
 * concur_job_watch:
 * @self: a job
 *
 * Asks for [vfunc@Job.done] to be called when the job is done, in whatever way: by its
 * answer, by cancellation, also while it is queued or when it is abandoned, or because no
 * executor took it.
 *
 * This is [method@Future.add_direct_callback] for a class of your own, without a function
 * and its data. The call comes on the thread that completes or cancels the job, in the
 * order in which this and direct callbacks were added, or on the calling thread before
 * this returns if the job is done already. Inside another direct callback, it comes when
 * that has returned. The job is alive meanwhile. Being told of an error counts as looking
 * at it.
 *
 * The call comes once: asking again has no effect, whether it has come or not. A job that
 * never gets done, because everybody forgot it before it was submitted, is not told.
 *
 * Can be called from any thread. JavaScript code must not use this; see
 * [method@Future.when_done].
 *
 * Since: 1.0
 */
void
concur_job_watch (ConcurJob *self)
{
  g_return_if_fail (CONCUR_IS_JOB (self));

  /* Relaxed: only to be the one who adds it; the list orders the rest. */
  if (concur_atomic_or (&concur_future_private (self)->state, CONCUR_STATE_TELLS_CLASS,
                        CONCUR_RELAXED)
      & CONCUR_STATE_TELLS_CLASS)
    return;

  concur_future_add_direct_callback (CONCUR_FUTURE (self), job_done, NULL, NULL);
}

static void
job_release (gpointer job)
{
  CONCUR_JOB_GET_CLASS (job)->release (job);
}

void
concur_job_set_release (ConcurJob *self)
{
  /* As its own payload it goes wherever one goes, and other jobs pay nothing. */
  if (CONCUR_JOB_GET_CLASS (self)->release != NULL)
    concur_job_set_payload (self, self, job_release);
}
