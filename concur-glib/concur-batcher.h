/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-batcher-job.h"
#include "concur-executor.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_BATCHER (concur_batcher_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurBatcher, concur_batcher, CONCUR, BATCHER, GObject)

/**
 * ConcurBatcherFunc:
 * @job: the job that the batch is, with the calls to answer
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Answers the calls of a batch, on a thread of the executor, each with
 * [method@BatcherJob.answer] or [method@BatcherJob.answer_error]. Several batches may run at once.
 *
 * An error is the answer to all calls that have none yet. A call that has none when this
 * returns is rejected with %CONCUR_FUTURE_ERROR_BROKEN_PROMISE, unless [method@Job.hold] was
 * called: then they can be answered later, from any thread.
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurBatcherFunc) (ConcurBatcherJob  *job,
                                       gpointer           user_data,
                                       GError           **error);

CONCUR_AVAILABLE_IN_1_0
ConcurBatcher  *concur_batcher_new           (guint              max_count,
                                              gint64             leeway_us,
                                              ConcurBatcherFunc  func,
                                              gpointer           user_data,
                                              GDestroyNotify     destroy,
                                              ConcurExecutor    *executor) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void            concur_batcher_set_func      (ConcurBatcher     *self,
                                              ConcurBatcherFunc  func,
                                              gpointer           user_data,
                                              GDestroyNotify     destroy);

CONCUR_AVAILABLE_IN_1_0
ConcurExecutor *concur_batcher_get_executor  (ConcurBatcher     *self);
CONCUR_AVAILABLE_IN_1_0
guint           concur_batcher_get_max_count (ConcurBatcher     *self);
CONCUR_AVAILABLE_IN_1_0
gint64          concur_batcher_get_leeway    (ConcurBatcher     *self);
CONCUR_AVAILABLE_IN_1_0
guint           concur_batcher_get_waiting   (ConcurBatcher     *self);

CONCUR_AVAILABLE_IN_1_0
ConcurFuture   *concur_batcher_call          (ConcurBatcher     *self,
                                              const GValue      *argument,
                                              GCancellable      *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void            concur_batcher_flush         (ConcurBatcher     *self);

G_END_DECLS
