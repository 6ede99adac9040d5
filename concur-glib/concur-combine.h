/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-future.h"
#include "concur-types.h"

G_BEGIN_DECLS

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_all          (ConcurFuture        **futures,
                                          guint                 n_futures) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_all_settled  (ConcurFuture        **futures,
                                          guint                 n_futures) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_any          (ConcurFuture        **futures,
                                          guint                 n_futures,
                                          ConcurCombineFlags    flags) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_race         (ConcurFuture        **futures,
                                          guint                 n_futures,
                                          ConcurCombineFlags    flags) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_wait_many    (ConcurFuture        **futures,
                                          guint                 n_futures,
                                          ConcurWaitCondition   condition,
                                          gint64                timeout_us) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GListModel   *concur_future_get_children (ConcurFuture         *self);
CONCUR_AVAILABLE_IN_1_0
ConcurChannel *concur_future_as_completed (ConcurFuture       **futures,
                                           guint                n_futures) G_GNUC_WARN_UNUSED_RESULT;

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_delay        (gint64                delay_us) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_with_timeout (ConcurFuture         *self,
                                          gint64                timeout_us) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_shield       (ConcurFuture         *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_view         (ConcurFuture         *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_resolved     (const GValue         *value) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_future_rejected     (const GError         *error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
