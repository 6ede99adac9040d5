/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-loop-thread.h"

G_BEGIN_DECLS

/* For programs in Vala, whose compiler calls these: a type parameter of Vala is three
 * arguments in C, the type and how values of it are copied and freed. From C they are of
 * no use. What they are called in Vala is in Concur-1-custom.vala. */

/**
 * ConcurValaWork: (skip)
 * @job: the job
 * @target: (closure): the closure
 * @error: return location for an error
 *
 * A delegate that answers with what it returns.
 *
 * Returns: (transfer full): the result
 *
 * Since: 1.0
 */
typedef gpointer (*ConcurValaWork) (ConcurJob  *job,
                                    gpointer    target,
                                    GError    **error);

/**
 * ConcurValaStep: (skip)
 * @job: the job
 * @input: the future it goes on from
 * @target: (closure): the closure
 * @error: return location for an error
 *
 * The same for a continuation.
 *
 * Returns: (transfer full): the result
 *
 * Since: 1.0
 */
typedef gpointer (*ConcurValaStep) (ConcurJob     *job,
                                    ConcurFuture  *input,
                                    gpointer       target,
                                    GError       **error);

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_submit        (ConcurExecutor       *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         ConcurValaWork        work,
                                         gpointer              target,
                                         GDestroyNotify        target_destroy,
                                         GCancellable         *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_run           (ConcurExecutor       *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         ConcurValaWork        work,
                                         gpointer              target,
                                         GDestroyNotify        target_destroy,
                                         GCancellable         *cancellable,
                                         GAsyncReadyCallback   callback,
                                         gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_run_finish    (ConcurExecutor       *self,
                                         GAsyncResult         *result,
                                         GError              **error);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_call          (ConcurLoopThread     *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         ConcurValaWork        work,
                                         gpointer              target,
                                         GDestroyNotify        target_destroy,
                                         gint64                timeout_us,
                                         GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_continue      (ConcurFuture         *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         ConcurValaStep        step,
                                         gpointer              target,
                                         GDestroyNotify        target_destroy,
                                         ConcurExecutor       *executor) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_recover       (ConcurFuture         *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         ConcurValaStep        step,
                                         gpointer              target,
                                         GDestroyNotify        target_destroy,
                                         ConcurExecutor       *executor) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_value         (ConcurFuture         *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         GError              **error);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_wait          (ConcurFuture         *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         gint64                timeout_us,
                                         GError              **error);
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_result        (ConcurFuture         *self,
                                         GType                 type,
                                         GBoxedCopyFunc        dup,
                                         GDestroyNotify        destroy,
                                         GCancellable         *cancellable,
                                         GAsyncReadyCallback   callback,
                                         gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_result_finish (ConcurFuture         *self,
                                         GAsyncResult         *result,
                                         GError              **error);

G_END_DECLS
