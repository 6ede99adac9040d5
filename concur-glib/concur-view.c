/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Futures that stand for one other future, or for a result that is there already. */

#include "config.h"

#include "concur-combine-private.h"
#include "concur-view-private.h"

static void
same_input_done (ConcurDerivation *self,
                 ConcurInput      *input)
{
  concur_future_answer_from (self->derived, input->future);
}

/* Returns what the view's own views have to be told. */
static guint
view_follow (ConcurView *self,
             guint       what)
{
  ConcurChanges changes;
  guint told;

  concur_future_read_changes (self->base.inputs[0].future, what, &changes);
  told = concur_future_follow (self->base.derived, self->n_seen, &changes);
  g_free (changes.name);
  g_free (changes.status_text);

  return told;
}

void
concur_view_tell (ConcurFuture *source,
                  guint         what)
{
  g_autoptr (GPtrArray) views = g_ptr_array_new_with_free_func (concur_derivation_unref);

  /* One after the other, for there may be views of views. */
  concur_future_collect_views (source, views);
  for (guint i = 0; i < views->len; i++)
    {
      ConcurView *view = views->pdata[i];

      if (view_follow (view, what) != 0)
        concur_future_collect_views (view->base.derived, views);
    }
}

void
concur_view_follow_last (ConcurView *self)
{
  /* Whoever set these may not have come to telling. */
  view_follow (self, CONCUR_NOTIFY_FOLLOWED);
}

static void
view_input_done (ConcurDerivation *self,
                 ConcurInput      *input)
{
  concur_view_follow_last ((ConcurView *) self);
  concur_future_answer_from (self->derived, input->future);
}

static void
view_ended (ConcurDerivation *self)
{
  concur_future_remove_view (self->inputs[0].future, (ConcurView *) self);
}

gpointer
concur_view_new (gsize              size,
                 ConcurFuture      *derived,
                 ConcurFuture      *source,
                 ConcurDeriveFlags  flags,
                 ConcurInputFunc    input_done)
{
  ConcurView *self = concur_derivation_new (size, derived, &source, 1, flags, input_done, NULL);

  self->base.ended = view_ended;
  if (!CONCUR_PHASE_IS_DONE (concur_future_state (source)))
    {
      concur_future_add_view (source, self);
      view_follow (self, CONCUR_NOTIFY_FOLLOWED);
    }

  return self;
}

/**
 * concur_future_view:
 * @self: a future
 *
 * Makes a future for the same result whose signals belong to the calling thread's main
 * context.
 *
 * Signals and notifications of a future are emitted in the context it was created in.
 * Whoever wants to bind to its progress on another thread makes a view there.
 *
 * A view ends as @self does. Its name, progress and status text follow those of @self
 * until it is done; a name set on the view itself stays until @self is named anew. It is
 * pending until it is done, also while @self is running.
 *
 * Cancelling the view cancels @self.
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a future for the outcome of @self
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_view (ConcurFuture *self)
{
  ConcurFuture *derived;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  concur_home_serve (CONCUR_SERVE_AT_COMBINE);

  derived = concur_plain_future_new ();
  concur_derivation_connect (concur_view_new (sizeof (ConcurView), derived, self,
                                              CONCUR_DERIVE_CANCELS, view_input_done));

  return derived;
}

/**
 * concur_future_shield:
 * @self: a future
 *
 * Makes a future for the same result that can be cancelled without harm to @self.
 *
 * It ends as @self does. Cancelling it, or a combination that it is part of, cancels it
 * alone, and @self goes on.
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a future for the outcome of @self
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_shield (ConcurFuture *self)
{
  ConcurFuture *derived;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  concur_home_serve (CONCUR_SERVE_AT_COMBINE);

  derived = concur_plain_future_new ();
  concur_derivation_connect (concur_derivation_new (sizeof (ConcurDerivation), derived, &self, 1,
                                                    CONCUR_DERIVE_PLAIN, same_input_done, NULL));

  return derived;
}

/**
 * concur_future_resolved:
 * @value: (nullable): the value, or %NULL for none
 *
 * Makes a future that is resolved already, with a copy of any value: for functions that
 * return futures, when there is nothing to wait for.
 *
 * Returns: (transfer full): a resolved future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_resolved (const GValue *value)
{
  ConcurFuture *self = concur_plain_future_new ();

  concur_future_answer_value (self, value);

  return self;
}

/**
 * concur_future_rejected:
 * @error: what went wrong
 *
 * Makes a future that is rejected already, with a copy of an error, or, if that is
 * %G_IO_ERROR_CANCELLED, one that is cancelled.
 *
 * Returns: (transfer full): a rejected future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_rejected (const GError *error)
{
  ConcurFuture *self;

  g_return_val_if_fail (error != NULL, NULL);

  self = concur_plain_future_new ();
  concur_future_answer_error (self, g_error_copy (error));

  return self;
}
