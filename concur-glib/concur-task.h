/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-executor.h"

G_BEGIN_DECLS

/**
 * ConcurFinishFunc:
 * @job: the job to answer with
 * @source_object: (nullable): the object the operation was started on
 * @result: what the operation was called back with
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Finishes an asynchronous operation: calls its `foo_finish ()` and answers with one of
 * the `concur_job_return_*` functions. It runs in the main context the operation calls
 * back in. See [ctor@Future.new_for_async].
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurFinishFunc) (ConcurJob     *job,
                                      GObject       *source_object,
                                      GAsyncResult  *result,
                                      gpointer       user_data,
                                      GError       **error);

/* Futures for those who expect a GTask */

CONCUR_AVAILABLE_IN_1_0
GTask        *concur_future_as_task           (ConcurFuture         *self,
                                               gpointer              source_object,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GTask        *concur_executor_submit_task     (ConcurExecutor       *self,
                                               gpointer              source_object,
                                               GCancellable         *cancellable,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data,
                                               ConcurJobFunc         func,
                                               gpointer              func_data,
                                               GDestroyNotify        func_destroy) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_executor_run_task        (ConcurExecutor       *self,
                                               GTask                *task,
                                               GTaskThreadFunc       func);

/* Asynchronous operations for those who expect a future */

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_new_for_async     (ConcurFinishFunc      finish,
                                               gpointer              user_data,
                                               GDestroyNotify        destroy) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_future_async_ready       (GObject              *source_object,
                                               GAsyncResult         *result,
                                               gpointer              future);

/* Futures as the result of an asynchronous operation of one's own */

CONCUR_AVAILABLE_IN_1_0
void          concur_future_report            (ConcurFuture         *self,
                                               gpointer              source_object,
                                               gpointer              source_tag,
                                               GAsyncReadyCallback   callback,
                                               gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_future_is_valid_result   (gpointer              result,
                                               gpointer              source_object);
CONCUR_AVAILABLE_IN_1_0
gpointer      concur_future_propagate_pointer (ConcurFuture         *self,
                                               GError              **error);
CONCUR_AVAILABLE_IN_1_0
gssize        concur_future_propagate_int     (ConcurFuture         *self,
                                               GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_future_propagate_boolean (ConcurFuture         *self,
                                               GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_future_propagate_value   (ConcurFuture         *self,
                                               GValue               *value,
                                               GError              **error);

G_END_DECLS
