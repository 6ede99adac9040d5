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

#define CONCUR_TYPE_LIMITER (concur_limiter_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurLimiter, concur_limiter, CONCUR, LIMITER, GObject)

CONCUR_AVAILABLE_IN_1_0
ConcurLimiter *concur_limiter_new            (guint                 permits) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurLimiter *concur_limiter_new_with_rate  (guint                 permits,
                                              guint                 rate,
                                              gint64                period_us) G_GNUC_WARN_UNUSED_RESULT;

/* Settings */

CONCUR_AVAILABLE_IN_1_0
guint          concur_limiter_get_permits    (ConcurLimiter        *self);
CONCUR_AVAILABLE_IN_1_0
void           concur_limiter_set_permits    (ConcurLimiter        *self,
                                              guint                 permits);
CONCUR_AVAILABLE_IN_1_0
guint          concur_limiter_get_rate       (ConcurLimiter        *self);
CONCUR_AVAILABLE_IN_1_0
void           concur_limiter_set_rate       (ConcurLimiter        *self,
                                              guint                 rate);
CONCUR_AVAILABLE_IN_1_0
gint64         concur_limiter_get_period     (ConcurLimiter        *self);
CONCUR_AVAILABLE_IN_1_0
void           concur_limiter_set_period     (ConcurLimiter        *self,
                                              gint64                period_us);

/* How it stands */

CONCUR_AVAILABLE_IN_1_0
guint          concur_limiter_get_available  (ConcurLimiter        *self);
CONCUR_AVAILABLE_IN_1_0
guint          concur_limiter_get_borrowed   (ConcurLimiter        *self);
CONCUR_AVAILABLE_IN_1_0
guint          concur_limiter_get_waiting    (ConcurLimiter        *self);

/* By hand */

CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_limiter_acquire        (ConcurLimiter        *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void           concur_limiter_acquire_async  (ConcurLimiter        *self,
                                              GCancellable         *cancellable,
                                              GAsyncReadyCallback   callback,
                                              gpointer              user_data);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_limiter_acquire_finish (ConcurLimiter        *self,
                                              GAsyncResult         *result,
                                              GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_limiter_acquire_wait   (ConcurLimiter        *self,
                                              gint64                timeout_us,
                                              GError              **error);
CONCUR_AVAILABLE_IN_1_0
gboolean       concur_limiter_try_acquire    (ConcurLimiter        *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void           concur_limiter_release        (ConcurLimiter        *self);

/* Around jobs */

CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_limiter_submit         (ConcurLimiter        *self,
                                              ConcurExecutor       *executor,
                                              ConcurJobFunc         func,
                                              gpointer              user_data,
                                              GDestroyNotify        destroy,
                                              GCancellable         *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture  *concur_limiter_submit_job     (ConcurLimiter        *self,
                                              ConcurExecutor       *executor,
                                              ConcurJob            *job,
                                              GCancellable         *cancellable) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
