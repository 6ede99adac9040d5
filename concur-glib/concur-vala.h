/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-batcher.h"
#include "concur-channel-bind.h"
#include "concur-generate.h"
#include "concur-limiter.h"
#include "concur-loop-thread.h"
#include "concur-retry.h"
#include "concur-task-group.h"

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

/**
 * ConcurValaAttempt: (skip)
 * @job: the job
 * @number: which attempt this is, from 1 on
 * @target: (closure): the closure
 * @error: return location for an error
 *
 * The same for something that is tried again.
 *
 * Returns: (transfer full): the result
 *
 * Since: 1.0
 */
typedef gpointer (*ConcurValaAttempt) (ConcurJob  *job,
                                       guint       number,
                                       gpointer    target,
                                       GError    **error);

/**
 * ConcurValaEach: (skip)
 * @value: (transfer none): what was received
 * @target: (closure): the closure
 * @error: return location for an error
 *
 * A delegate that takes the values of a channel.
 *
 * Returns: %TRUE to go on
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurValaEach) (gpointer    value,
                                    gpointer    target,
                                    GError    **error);

/**
 * ConcurValaItem: (skip)
 * @value: (transfer none): what was received
 * @target: (closure): the closure
 * @error: return location for an error
 *
 * A delegate that makes an item of a list from a value of a channel.
 *
 * Returns: (transfer full) (nullable): the item
 *
 * Since: 1.0
 */
typedef GObject *(*ConcurValaItem) (gpointer    value,
                                    gpointer    target,
                                    GError    **error);

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

/* Streams, scopes and limits */

CONCUR_AVAILABLE_IN_1_0
void          concur_vala_channel_next            (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_channel_next_finish     (ConcurChannel        *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_channel_wait_next       (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   gint64                timeout_us,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_channel_receive         (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_channel_receive_finish  (ConcurChannel        *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_channel_receive_wait    (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   gint64                timeout_us,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_channel_try_receive     (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_channel_send            (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   gpointer              value,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_vala_channel_send_wait       (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   gpointer              value,
                                                   gint64                timeout_us,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_vala_channel_try_send        (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   gpointer              value,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_channel_for_each        (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaEach        func,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy,
                                                   GMainContext         *context);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_channel_bind_list_store (ConcurChannel        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   GListStore           *store,
                                                   ConcurValaItem        factory,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_batch_value             (ConcurBatch          *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   guint                 index,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_limiter_submit          (ConcurLimiter        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaWork        work,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy,
                                                   ConcurExecutor       *executor,
                                                   GCancellable         *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_limiter_run             (ConcurLimiter        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaWork        work,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy,
                                                   ConcurExecutor       *executor,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_limiter_run_finish      (ConcurLimiter        *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_group_submit            (ConcurTaskGroup      *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaWork        work,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_group_run               (ConcurTaskGroup      *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaWork        work,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_group_run_finish        (ConcurTaskGroup      *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_retry_submit            (ConcurRetry          *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaAttempt     func,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy,
                                                   ConcurExecutor       *executor,
                                                   GCancellable         *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_retry_run               (ConcurRetry          *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   ConcurValaAttempt     func,
                                                   gpointer              target,
                                                   GDestroyNotify        target_destroy,
                                                   ConcurExecutor       *executor,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_retry_run_finish        (ConcurRetry          *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_vala_batcher_call            (ConcurBatcher        *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   gpointer              argument,
                                                   GCancellable         *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_vala_batcher_job_argument    (ConcurBatcherJob     *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   guint                 index,
                                                   GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_vala_batcher_job_answer      (ConcurBatcherJob     *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   guint                 index,
                                                   gpointer              value);
CONCUR_AVAILABLE_IN_1_0
void          concur_vala_results                 (ConcurFuture         *self,
                                                   GType                 type,
                                                   GBoxedCopyFunc        dup,
                                                   GDestroyNotify        destroy,
                                                   GCancellable         *cancellable,
                                                   GAsyncReadyCallback   callback,
                                                   gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
GPtrArray    *concur_vala_results_finish          (ConcurFuture         *self,
                                                   GAsyncResult         *result,
                                                   GError              **error);

G_END_DECLS
