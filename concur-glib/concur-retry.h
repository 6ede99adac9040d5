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

#define CONCUR_TYPE_RETRY (concur_retry_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurRetry, concur_retry, CONCUR, RETRY, GObject)

/**
 * ConcurRetryFunc:
 * @attempt: which attempt this is, from 1 on
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Begins the next attempt of [method@Retry.run]. Where it runs is said there.
 *
 * Returns: (transfer full) (nullable): a future for the outcome of this attempt, or %NULL
 *   with @error set, which ends the whole
 *
 * Since: 1.0
 */
typedef ConcurFuture *(*ConcurRetryFunc) (guint      attempt,
                                          gpointer   user_data,
                                          GError   **error);

/**
 * ConcurRetryFilter:
 * @failed: the future of an attempt, which was rejected
 * @attempt: which attempt that was, from 1 on
 * @user_data: (closure): what was given with the function
 *
 * Says whether an error may go away by itself. It runs where the attempts are begun, see
 * [method@Retry.run].
 *
 * Returns: %TRUE to try again
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurRetryFilter) (ConcurFuture *failed,
                                       guint         attempt,
                                       gpointer      user_data);

CONCUR_AVAILABLE_IN_1_0
ConcurRetry  *concur_retry_new              (guint               max_attempts,
                                             gint64              first_delay_us) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
guint         concur_retry_get_max_attempts (ConcurRetry        *self);
CONCUR_AVAILABLE_IN_1_0
gint64        concur_retry_get_first_delay  (ConcurRetry        *self);
CONCUR_AVAILABLE_IN_1_0
double        concur_retry_get_factor       (ConcurRetry        *self);
CONCUR_AVAILABLE_IN_1_0
gint64        concur_retry_get_max_delay    (ConcurRetry        *self);
CONCUR_AVAILABLE_IN_1_0
double        concur_retry_get_jitter       (ConcurRetry        *self);
CONCUR_AVAILABLE_IN_1_0
void          concur_retry_set_filter       (ConcurRetry        *self,
                                             ConcurRetryFilter   filter,
                                             gpointer            user_data,
                                             GDestroyNotify      destroy);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_retry_run              (ConcurRetry        *self,
                                             ConcurRetryFunc     func,
                                             gpointer            user_data,
                                             GDestroyNotify      destroy,
                                             ConcurExecutor     *executor,
                                             GCancellable       *cancellable) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
