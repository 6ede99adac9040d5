/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the combinators share: a derivation that counts its inputs, and one with a time
 * limit. */

#pragma once

#include "concur-combine.h"
#include "concur-derivation-private.h"
#include "concur-future-list-private.h"
#include "concur-service-private.h"
#include "concur-timer-private.h"

G_BEGIN_DECLS

/* As at submit: what piled up goes faster than it comes. */
#define CONCUR_SERVE_AT_COMBINE 64

typedef struct
{
  ConcurDerivation base;

  /* atomic */
  ConcurWord n_left;         /* inputs that have not ended in the way that counts */
  ConcurWord first_rejected; /* 1 + its index; 0: none was */
} ConcurCombination;

/* One that also ends when the time is over. */
typedef struct _ConcurLimit ConcurLimit;

struct _ConcurLimit
{
  ConcurCombination base;

  /* immutable */
  gint64 timeout_us;
  /* The time is over: on the timer thread, or in arm (). TRUE: the inputs are to be
   * cancelled. */
  gboolean (*over) (ConcurLimit *self);

  ConcurTimer timer;   /* has a reference to this while it is started */
  ConcurChore chore;
};

/* FALSE, with a critical, if one of them is no future. */
gboolean      concur_combine_check        (ConcurFuture      **futures,
                                           guint               n_futures);
/* With a new derived future whose children are @futures; not connected yet. @size: of what
 * begins with a ConcurCombination. */
gpointer      concur_combine_new          (gsize               size,
                                           ConcurFuture      **futures,
                                           guint               n_futures,
                                           ConcurDeriveFlags   flags,
                                           ConcurInputFunc     input_done);
/* Connects it and returns the derived future. (transfer full) */
ConcurFuture *concur_combine_start        (gpointer            self);
/* The errors of the inputs are nobody's concern any more. */
void          concur_combine_ignore_rest  (ConcurDerivation   *self);
/* Resolves the derived future with the inputs that are done. */
gboolean      concur_combine_answer_done  (ConcurDerivation   *self);

/* Connects it and starts the time, counted from @begun. (transfer full) */
ConcurFuture *concur_limit_start          (ConcurLimit        *self,
                                           gint64              begun);
/* For ConcurDerivation.ended. */
void          concur_limit_ended          (ConcurDerivation   *self);

G_END_DECLS
