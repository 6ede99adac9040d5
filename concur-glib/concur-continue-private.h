/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Continuations for the library's own chains, which are made link by link, on whichever
 * thread the one before ends. */

#pragma once

#include "concur-continue.h"
#include "concur-home-private.h"
#include "concur-pool-private.h"

G_BEGIN_DECLS

/* Where a continuation runs, and where it is at home. Of the first three one is set. */
typedef struct
{
  ConcurExecutor *executor; /* (owned) */
  ConcurPool *pool;         /* (owned) */
  ConcurHome *target;       /* held */
  GMainContext *context;    /* that it will run in, or NULL: kept by one of them */
  ConcurHome *home;         /* held; NULL: of the thread that makes it */
} ConcurPlace;

/* @executor: NULL for the calling thread's own place, as concur_future_continue_with ()
 * has it. */
void          concur_place_init             (ConcurPlace         *self,
                                             ConcurExecutor      *executor);
/* For where the calling thread would let things go. */
void          concur_place_set_home         (ConcurPlace         *self);
void          concur_place_copy             (const ConcurPlace   *self,
                                             ConcurPlace         *copy);
void          concur_place_clear            (ConcurPlace         *self);

/* Like concur_future_continue_with () and concur_future_recover (), in @place. @cancellable
 * (nullable) cancels it, as at submit. */
ConcurFuture *concur_future_continue_in     (ConcurFuture        *self,
                                             ConcurContinueFunc   func,
                                             gpointer             user_data,
                                             GDestroyNotify       destroy,
                                             const ConcurPlace   *place,
                                             GCancellable        *cancellable);
ConcurFuture *concur_future_recover_in      (ConcurFuture        *self,
                                             ConcurContinueFunc   func,
                                             gpointer             user_data,
                                             GDestroyNotify       destroy,
                                             const ConcurPlace   *place,
                                             GCancellable        *cancellable);

G_END_DECLS
