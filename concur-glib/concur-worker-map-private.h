/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Several calls that travel together, and are answered so: by the first error, or when the
 * last of them has its answer. They may be answered in any order, and on any thread. */

#pragma once

#include <gio/gunixfdlist.h>

#include "concur-sync-private.h"

G_BEGIN_DECLS

typedef struct
{
  ConcurWord refs;               /* atomic */

  /* immutable */
  guint64 id;
  char *name;
  GVariant *all;                 /* (owned) av: the arguments */
  GUnixFDList *fds;              /* (owned) (nullable) */
  gsize n_calls;

  /* the thread that asks for calls */
  gsize n_taken;

  /* protected by lock */
  ConcurLock lock;
  GVariant **answers;            /* (owned): of each call, NULL so far */
  gsize n_answers;
  gboolean failed;
} ConcurWorkerMap;

/* @body: of a MAP frame. */
ConcurWorkerMap *concur_worker_map_new        (guint64          id,
                                               GVariant        *body,
                                               GUnixFDList     *fds);
ConcurWorkerMap *concur_worker_map_ref        (ConcurWorkerMap *self);
void             concur_worker_map_unref      (ConcurWorkerMap *self);
gboolean         concur_worker_map_has_failed (ConcurWorkerMap *self);
/* TRUE: this was the first error, which is to be told. */
gboolean         concur_worker_map_fail       (ConcurWorkerMap *self);
/* Returns all answers if this was the last, as a floating av. */
GVariant        *concur_worker_map_answer     (ConcurWorkerMap *self,
                                               gsize            index,
                                               GVariant        *answer);

G_END_DECLS
