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
 * ConcurContinueFunc:
 * @job: the job to answer with
 * @input: the future that went before, which is done
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Goes on from the outcome of a future. It answers as any job does, with one of the
 * `concur_job_return_*` functions, or with [method@Job.return_future] if there is more
 * to wait for. Where it runs is said at [method@Future.continue_with].
 *
 * Returns: %TRUE, or %FALSE with @error set
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurContinueFunc) (ConcurJob     *job,
                                        ConcurFuture  *input,
                                        gpointer       user_data,
                                        GError       **error);

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_continue_with (ConcurFuture        *self,
                                           ConcurContinueFunc   func,
                                           gpointer             user_data,
                                           GDestroyNotify       destroy,
                                           ConcurExecutor      *executor) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_recover       (ConcurFuture        *self,
                                           ConcurContinueFunc   func,
                                           gpointer             user_data,
                                           GDestroyNotify       destroy,
                                           ConcurExecutor      *executor) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_ensure        (ConcurFuture        *self,
                                           ConcurContinueFunc   func,
                                           gpointer             user_data,
                                           GDestroyNotify       destroy,
                                           ConcurExecutor      *executor) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void          concur_job_return_future    (ConcurJob           *self,
                                           ConcurFuture        *future);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_future_iterate       (ConcurFuture        *self,
                                           GMainContext        *context,
                                           gint64               timeout_us,
                                           GError             **error);

G_END_DECLS
