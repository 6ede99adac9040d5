/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-combine-private.h"

typedef struct
{
  ConcurLimit base;

  /* immutable */
  ConcurWaitCondition condition;
} WaitMany;

static gboolean
wait_over (ConcurLimit *self)
{
  concur_combine_answer_done (&self->base.base);

  return FALSE;
}

static void
wait_input_done (ConcurDerivation *base,
                 ConcurInput      *input)
{
  WaitMany *self = (WaitMany *) base;
  ConcurCombination *combination = &self->base.base;
  guint32 phase = CONCUR_PHASE (concur_future_state (input->future));

  /* Acquire and release: the last one sees that all are done. */
  if (concur_atomic_sub (&combination->n_left, 1, CONCUR_ACQ_REL) == 1
      || self->condition == CONCUR_WAIT_FIRST_COMPLETED
      || (self->condition == CONCUR_WAIT_FIRST_ERROR && phase != CONCUR_PHASE_RESOLVED))
    concur_combine_answer_done (base);
}

/**
 * concur_future_wait_many:
 * @futures: (array length=n_futures): what to wait for
 * @n_futures: how many they are
 * @condition: what ends the waiting
 * @timeout_us: how long to wait at most, in microseconds, or -1 for as long as it takes
 *
 * Combines futures into one that is resolved when enough of them are done, or the time is
 * over.
 *
 * Its value is a [iface@Gio.ListModel] of those that are done by then, in the order
 * given; when the time is over that may be none. The rest goes on. If @timeout_us is 0 or
 * there are no futures, it is resolved at once. Errors of futures that were done in time
 * count as looked at.
 *
 * When the time is over the combination gets done on a thread of the library, see
 * [method@Future.with_timeout]. If that thread cannot be started, the combination is
 * rejected with %CONCUR_EXECUTOR_ERROR_THREAD_FAILED, or in a forked process with
 * %CONCUR_EXECUTOR_ERROR_NOT_RUNNING. Everything else, cancelling included, is as with
 * [func@Future.all].
 *
 * Returns: (transfer full): a future for the list
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_wait_many (ConcurFuture        **futures,
                         guint                 n_futures,
                         ConcurWaitCondition   condition,
                         gint64                timeout_us)
{
  gint64 begun = concur_now ();
  WaitMany *self;

  g_return_val_if_fail (condition >= CONCUR_WAIT_ALL && condition <= CONCUR_WAIT_FIRST_ERROR, NULL);
  if (!concur_combine_check (futures, n_futures))
    return NULL;

  self = concur_combine_new (sizeof (WaitMany), futures, n_futures,
                             CONCUR_DERIVE_CANCELS
                               | (timeout_us >= 0 ? CONCUR_DERIVE_ENDS : CONCUR_DERIVE_PLAIN),
                             wait_input_done);
  self->condition = condition;
  self->base.timeout_us = timeout_us;
  self->base.over = wait_over;
  self->base.base.base.ended = concur_limit_ended;
  if (n_futures == 0)
    concur_combine_answer_done (&self->base.base.base);

  return concur_limit_start (&self->base, begun);
}
