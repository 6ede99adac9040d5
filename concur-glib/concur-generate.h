/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-channel.h"
#include "concur-executor.h"

G_BEGIN_DECLS

/**
 * ConcurGenerateFunc:
 * @job: the job it runs as
 * @channel: where to send the values
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Sends values, on a thread of the executor, with [method@Channel.send_wait] or any other of
 * the calls that send. See [method@Executor.generate].
 *
 * When sending fails nobody wants more: it cleans up and returns %FALSE with that error,
 * which nobody sees.
 *
 * Returns: %TRUE when all values are sent, or %FALSE with @error set
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurGenerateFunc) (ConcurJob      *job,
                                        ConcurChannel  *channel,
                                        gpointer        user_data,
                                        GError        **error);

CONCUR_AVAILABLE_IN_1_0
ConcurChannel *concur_executor_generate (ConcurExecutor      *self,
                                         ConcurGenerateFunc   func,
                                         gpointer             user_data,
                                         GDestroyNotify       destroy,
                                         guint                capacity,
                                         GCancellable        *cancellable) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
