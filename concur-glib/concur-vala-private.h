/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the generic methods for Vala share. */

#pragma once

#include "concur-vala-value-private.h"
#include "concur-vala.h"

G_BEGIN_DECLS

/* A delegate on its way, freed at home like all that is submitted. */
typedef struct
{
  ConcurValaType type;
  ConcurValaWork work; /* one of the three */
  ConcurValaStep step;
  ConcurValaAttempt attempt;
  gpointer target;
  GDestroyNotify target_destroy;
} ConcurValaDelegate;

/* What a pending asynchronous call will have to give its caller. */
typedef struct
{
  ConcurValaType type;
  ConcurFuture *future; /* (owned) */
} ConcurValaWanted;

ConcurValaDelegate *concur_vala_delegate_new  (const ConcurValaType  *type,
                                               gpointer               target,
                                               GDestroyNotify         target_destroy);
void                concur_vala_delegate_free (gpointer               self);
/* Calls the delegate; TRUE: @value, which is unset, is what it answers, or stays unset if
 * that is nothing. @number: of an attempt. */
gboolean            concur_vala_delegate_call (ConcurValaDelegate    *self,
                                               ConcurJob             *job,
                                               ConcurFuture          *input,
                                               guint                  number,
                                               GValue                *value,
                                               GError               **error);
/* A ConcurJobFunc for one with work. */
gboolean            concur_vala_run_work      (ConcurJob             *job,
                                               gpointer               delegate,
                                               GError               **error);

ConcurValaWanted   *concur_vala_wanted_new    (const ConcurValaType  *type,
                                               ConcurFuture          *future);
void                concur_vala_wanted_free   (gpointer               self);
/* The result of a future that is done. */
gpointer            concur_vala_read          (ConcurFuture          *future,
                                               const ConcurValaType  *type,
                                               GError               **error);
/* Takes over @future and @task, which is returned when the future is done. */
void                concur_vala_wait_for      (ConcurFuture          *future,
                                               GTask                 *task,
                                               const ConcurValaType  *type);
gpointer            concur_vala_finish        (gpointer               self,
                                               GAsyncResult          *result,
                                               GError               **error);

G_END_DECLS
