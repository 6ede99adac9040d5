/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A view follows what another future says of itself until it is done. */

#pragma once

#include "concur-derivation-private.h"

G_BEGIN_DECLS

struct _ConcurView
{
  ConcurDerivation base; /* with one input, its source */

  /* protected by the source's stripe */
  ConcurView *next;
  ConcurView **link;     /* what points to it; NULL: not on the source's list */

  /* protected by the derived future's stripe: how many of the source's changes it knows */
  guint n_seen[CONCUR_N_FOLLOWED];
};

/* A structure of @size bytes that begins with a view; to be connected. What it does when
 * @source is done begins with concur_view_follow_last (). */
gpointer concur_view_new (gsize              size,
                          ConcurFuture      *derived,
                          ConcurFuture      *source,
                          ConcurDeriveFlags  flags,
                          ConcurInputFunc    input_done);
void concur_view_follow_last (ConcurView *self);

/* @source has changed: CONCUR_NOTIFY_* without the state. */
void concur_view_tell (ConcurFuture *source,
                       guint         what);

G_END_DECLS
