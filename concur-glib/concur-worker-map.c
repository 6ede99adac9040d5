/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-worker-map-private.h"

ConcurWorkerMap *
concur_worker_map_new (guint64      id,
                       GVariant    *body,
                       GUnixFDList *fds)
{
  ConcurWorkerMap *self = g_new0 (ConcurWorkerMap, 1);

  concur_atomic_init (&self->refs, 1);
  concur_lock_init (&self->lock);
  self->id = id;
  self->fds = fds == NULL ? NULL : g_object_ref (fds);
  g_variant_get (body, "(s@av)", &self->name, &self->all);
  self->n_calls = g_variant_n_children (self->all);
  self->answers = g_new0 (GVariant *, self->n_calls);

  return self;
}

ConcurWorkerMap *
concur_worker_map_ref (ConcurWorkerMap *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

void
concur_worker_map_unref (ConcurWorkerMap *self)
{
  /* Release what this thread did with it, acquire what the others did. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  for (gsize i = 0; i < self->n_calls; i++)
    g_clear_pointer (&self->answers[i], g_variant_unref);
  g_free (self->answers);
  g_free (self->name);
  g_variant_unref (self->all);
  g_clear_object (&self->fds);
  concur_lock_clear (&self->lock);
  g_free (self);
}

gboolean
concur_worker_map_has_failed (ConcurWorkerMap *self)
{
  gboolean failed;

  concur_lock_acquire (&self->lock);
  failed = self->failed;
  concur_lock_release (&self->lock);

  return failed;
}

gboolean
concur_worker_map_fail (ConcurWorkerMap *self)
{
  gboolean is_first;

  concur_lock_acquire (&self->lock);
  is_first = !self->failed;
  self->failed = TRUE;
  concur_lock_release (&self->lock);

  return is_first;
}

GVariant *
concur_worker_map_answer (ConcurWorkerMap *self,
                          gsize            index,
                          GVariant        *answer)
{
  GVariantBuilder all;
  gboolean is_last;

  concur_lock_acquire (&self->lock);
  self->answers[index] = g_variant_ref (answer);
  is_last = ++self->n_answers == self->n_calls && !self->failed;
  concur_lock_release (&self->lock);

  if (!is_last)
    return NULL;

  /* Nobody else has an answer any more. */
  g_variant_builder_init (&all, G_VARIANT_TYPE ("av"));
  for (gsize i = 0; i < self->n_calls; i++)
    g_variant_builder_add (&all, "v", self->answers[i]);

  return g_variant_builder_end (&all);
}
