/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One future of many. Each input tells the derivation when it is done, on whichever thread
 * that is; the one that decides answers for the derived future there and then. */

#include "config.h"

#include "concur-combine-private.h"
#include "concur-error.h"

gboolean
concur_combine_check (ConcurFuture **futures,
                      guint          n_futures)
{
  GType known = G_TYPE_INVALID;

  g_return_val_if_fail (futures != NULL || n_futures == 0, FALSE);

  for (guint i = 0; i < n_futures; i++)
    {
      /* Most often they are all of one type, which then is looked up once. */
      if (futures[i] != NULL && ((GTypeInstance *) futures[i])->g_class != NULL
          && G_TYPE_FROM_INSTANCE (futures[i]) == known)
        continue;

      g_return_val_if_fail (CONCUR_IS_FUTURE (futures[i]), FALSE);
      known = G_TYPE_FROM_INSTANCE (futures[i]);
    }

  return TRUE;
}

gpointer
concur_combine_new (gsize              size,
                    ConcurFuture     **futures,
                    guint              n_futures,
                    ConcurDeriveFlags  flags,
                    ConcurInputFunc    input_done)
{
  ConcurFuture *derived = concur_plain_future_new ();
  ConcurFutureList *children = concur_future_list_new (futures, n_futures, NULL);
  ConcurCombination *self;

  concur_home_serve (CONCUR_SERVE_AT_COMBINE);

  concur_future_set_children (derived, G_OBJECT (children));
  self = concur_derivation_new (size, derived, futures, n_futures, flags, input_done, NULL);
  concur_atomic_init (&self->n_left, n_futures);
  concur_atomic_init (&self->first_rejected, 0);
  /* From here on it is the derivation's. */
  g_object_unref (derived);

  return self;
}

ConcurFuture *
concur_combine_start (gpointer self)
{
  ConcurFuture *derived = g_object_ref (((ConcurDerivation *) self)->derived);

  concur_derivation_connect (self);

  return derived;
}

void
concur_combine_ignore_rest (ConcurDerivation *self)
{
  for (guint i = 0; i < self->n_inputs; i++)
    {
      guint32 state = concur_future_state (self->inputs[i].future);

      if (CONCUR_PHASE (state) != CONCUR_PHASE_RESOLVED)
        concur_future_observe (self->inputs[i].future, state);
    }
}

static gboolean
is_done (ConcurFuture *future)
{
  return CONCUR_PHASE_IS_DONE (concur_future_state (future));
}

/* Also those that this combination is still to be told of. */
static gboolean
take_done (ConcurFuture *future)
{
  guint32 state = concur_future_state (future);

  if (CONCUR_PHASE (state) == CONCUR_PHASE_REJECTED)
    concur_future_observe (future, state);

  return CONCUR_PHASE_IS_DONE (state);
}

gboolean
concur_combine_answer_done (ConcurDerivation *self)
{
  GListModel *children = concur_future_get_children (self->derived);
  ConcurFuture **futures = concur_future_list_peek (CONCUR_FUTURE_LIST (children));
  g_autoptr (GObject) list = NULL;
  guint n_done = 0;

  /* Somebody was quicker, and there may be many of them. */
  if (is_done (self->derived))
    return FALSE;

  while (n_done < self->n_inputs && take_done (futures[n_done]))
    n_done++;

  list = n_done == self->n_inputs
         ? g_object_ref (G_OBJECT (children))
         : G_OBJECT (concur_future_list_new (futures, self->n_inputs, take_done));

  return concur_future_answer_object (self->derived, list);
}

/* TRUE: it was the last that was counted. */
static gboolean
count_down (ConcurDerivation *base)
{
  ConcurCombination *self = (ConcurCombination *) base;

  /* Acquire and release: the last one sees what the others noted. */
  return concur_atomic_sub (&self->n_left, 1, CONCUR_ACQ_REL) == 1;
}

static void
all_input_done (ConcurDerivation *self,
                ConcurInput      *input)
{
  if (CONCUR_PHASE (concur_future_state (input->future)) == CONCUR_PHASE_RESOLVED)
    {
      if (count_down (self))
        concur_future_answer_object (self->derived, concur_future_get_children (self->derived));
    }
  else if (!is_done (self->derived))
    {
      concur_future_answer_from (self->derived, input->future);
    }
}

static void
all_ended (ConcurDerivation *self)
{
  if (CONCUR_PHASE (concur_future_state (self->derived)) != CONCUR_PHASE_RESOLVED)
    concur_combine_ignore_rest (self);
}

/**
 * concur_future_all:
 * @futures: (array length=n_futures): what to wait for; the same one may be there more
 *   than once
 * @n_futures: how many they are
 *
 * Combines futures into one that is resolved when all of them are.
 *
 * ```c
 * g_autoptr (ConcurFuture) left = load ("left.svg");
 * g_autoptr (ConcurFuture) right = load ("right.svg");
 * ConcurFuture *parts[] = { left, right };
 * g_autoptr (ConcurFuture) both = concur_future_all (parts, G_N_ELEMENTS (parts));
 *
 * concur_future_when_done (both, show_both, NULL, NULL, NULL);
 * ```
 *
 * Its value is a [iface@Gio.ListModel] of the futures in the order given, each of which
 * has its own value. If one is rejected, so is the combination, at once and with that
 * error; if one is cancelled, so is the combination. Whichever comes first in time counts.
 * The others go on, but their errors count as looked at. Without any futures the
 * combination is resolved at once, with an empty list.
 *
 * Cancelling the combination cancels all of them, unless they were made with
 * [method@Future.shield], and it is cancelled itself when that call returns. It gets done
 * on the thread that completes the future which decides, with no main loop; notifications
 * of its properties are in the calling thread's main context. Like everything that is
 * given to a combination, the references to @futures are let go at home, see [class@Job],
 * or with the combination.
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a future for the list
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_all (ConcurFuture **futures,
                   guint          n_futures)
{
  ConcurCombination *self;

  if (!concur_combine_check (futures, n_futures))
    return NULL;

  self = concur_combine_new (sizeof (ConcurCombination), futures, n_futures, CONCUR_DERIVE_CANCELS,
                             all_input_done);
  self->base.ended = all_ended;
  if (n_futures == 0)
    concur_combine_answer_done (&self->base);

  return concur_combine_start (self);
}

static void
settled_input_done (ConcurDerivation *self,
                    ConcurInput      *input)
{
  if (count_down (self))
    concur_future_answer_object (self->derived, concur_future_get_children (self->derived));
}

/**
 * concur_future_all_settled:
 * @futures: (array length=n_futures): what to wait for
 * @n_futures: how many they are
 *
 * Combines futures into one that is resolved when all of them are done, however they end.
 *
 * Its value is a [iface@Gio.ListModel] of the futures in the order given; it is never
 * rejected. The errors in it count as looked at. Everything else is as with
 * [func@Future.all].
 *
 * Returns: (transfer full): a future for the list
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_all_settled (ConcurFuture **futures,
                           guint          n_futures)
{
  ConcurCombination *self;

  if (!concur_combine_check (futures, n_futures))
    return NULL;

  self = concur_combine_new (sizeof (ConcurCombination), futures, n_futures, CONCUR_DERIVE_CANCELS,
                             settled_input_done);
  self->base.ended = all_ended;
  if (n_futures == 0)
    concur_combine_answer_done (&self->base);

  return concur_combine_start (self);
}

/* All have failed: @last, too. */
static void
any_answer_error (ConcurCombination *self,
                  ConcurFuture      *last)
{
  ConcurDerivation *base = &self->base;
  guint first = concur_atomic_load (&self->first_rejected, CONCUR_RELAXED);
  GError *error;

  /* Every one of them was cancelled. */
  if (first == 0)
    {
      concur_future_answer_from (base->derived, last);
      return;
    }

  error = g_error_copy (concur_future_get_error (base->inputs[first - 1].future));
  if (base->n_inputs > 1)
    g_prefix_error (&error, "None of %u was successful; the first error was: ", base->n_inputs);
  concur_future_answer_error (base->derived, error);
}

static void
any_input_done (ConcurDerivation *base,
                ConcurInput      *input)
{
  ConcurCombination *self = (ConcurCombination *) base;
  guint32 phase = CONCUR_PHASE (concur_future_state (input->future));
  guint32 none = 0;

  if (phase == CONCUR_PHASE_RESOLVED)
    {
      if (!is_done (base->derived))
        concur_future_answer_from (base->derived, input->future);
      return;
    }

  /* Published by the count: no order would do, but a retry's must not be the stronger. */
  if (phase == CONCUR_PHASE_REJECTED)
    concur_atomic_cas (&self->first_rejected, &none, (guint32) (input - base->inputs) + 1,
                       CONCUR_ACQ_REL);
  if (count_down (base))
    any_answer_error (self, input->future);
}

static void
race_input_done (ConcurDerivation *self,
                 ConcurInput      *input)
{
  if (!is_done (self->derived))
    concur_future_answer_from (self->derived, input->future);
}

static ConcurFuture *
choose (ConcurFuture       **futures,
        guint                n_futures,
        ConcurCombineFlags   flags,
        ConcurInputFunc      input_done)
{
  ConcurCombination *self;

  if (!concur_combine_check (futures, n_futures))
    return NULL;

  self = concur_combine_new (sizeof (ConcurCombination), futures, n_futures, CONCUR_DERIVE_CANCELS,
                             input_done);
  self->base.ended = concur_combine_ignore_rest;
  if (flags & CONCUR_COMBINE_CANCEL_REST)
    concur_atomic_init (&self->base.cancel_rest, 1);
  if (n_futures == 0)
    concur_future_answer_error (self->base.derived,
                                g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                                                     "There is no future to choose from"));

  return concur_combine_start (self);
}

/**
 * concur_future_any:
 * @futures: (array length=n_futures): what to choose from
 * @n_futures: how many they are
 * @flags: what happens to the others
 *
 * Combines futures into one that is resolved as soon as one of them is, with a copy of
 * its value.
 *
 * It is rejected only when none of them is left: with the error of the one that was rejected
 * first, and how many there were in the message; cancelled, if all of them were.
 * Without any futures it is rejected with %G_IO_ERROR_INVALID_ARGUMENT.
 *
 * The others go on unless @flags say that they are to be cancelled, which the thread does
 * that completes the future which decides. In either case their errors count as looked
 * at. Everything else is as with [func@Future.all].
 *
 * Returns: (transfer full): a future for the value
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_any (ConcurFuture       **futures,
                   guint                n_futures,
                   ConcurCombineFlags   flags)
{
  return choose (futures, n_futures, flags, any_input_done);
}

/**
 * concur_future_race:
 * @futures: (array length=n_futures): what to choose from
 * @n_futures: how many they are
 * @flags: what happens to the others
 *
 * Combines futures into one that ends as the first of them that is done: with a copy of
 * its value, with its error, or cancelled.
 *
 * If several are done already, the first in the array counts. Everything else is as with
 * [func@Future.any].
 *
 * Returns: (transfer full): a future for the outcome
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_race (ConcurFuture       **futures,
                    guint                n_futures,
                    ConcurCombineFlags   flags)
{
  return choose (futures, n_futures, flags, race_input_done);
}

/**
 * concur_future_get_children:
 * @self: a future
 *
 * Gets the futures that a combination was made of, in the order given: also while it is
 * not done, and when its value is another.
 *
 * This is for futures made with [func@Future.all], [func@Future.all_settled],
 * [func@Future.any], [func@Future.race] and [func@Future.wait_many], and for what
 * [method@TaskGroup.close] returned; others have no children. The list never changes.
 *
 * Returns: (transfer none) (nullable): the list, valid as long as the future, or %NULL
 *
 * Since: 1.0
 */
GListModel *
concur_future_get_children (ConcurFuture *self)
{
  ConcurLock *stripe;
  ConcurExtra *extra;
  GObject *children;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  stripe = concur_future_stripe (self);

  /* A task group sets them when it is closed, and others may have its future before. */
  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  children = extra != NULL ? extra->children : NULL;
  concur_lock_release (stripe);

  return children != NULL ? G_LIST_MODEL (children) : NULL;
}
