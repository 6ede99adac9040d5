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

#define CONCUR_TYPE_TASK_GROUP (concur_task_group_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurTaskGroup, concur_task_group, CONCUR, TASK_GROUP, GObject)

CONCUR_AVAILABLE_IN_1_0
ConcurTaskGroup  *concur_task_group_new                    (ConcurExecutor    *executor,
                                                            GCancellable      *cancellable) G_GNUC_WARN_UNUSED_RESULT;

CONCUR_AVAILABLE_IN_1_0
ConcurExecutor   *concur_task_group_get_executor           (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
ConcurGroupPolicy concur_task_group_get_policy             (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
ConcurTaskGroup  *concur_task_group_get_parent             (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
GCancellable     *concur_task_group_get_parent_cancellable (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
guint             concur_task_group_get_n_members          (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
guint             concur_task_group_get_n_running          (ConcurTaskGroup   *self);

CONCUR_AVAILABLE_IN_1_0
ConcurFuture     *concur_task_group_submit                 (ConcurTaskGroup   *self,
                                                            ConcurJobFunc      func,
                                                            gpointer           user_data,
                                                            GDestroyNotify     destroy);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture     *concur_task_group_submit_job             (ConcurTaskGroup   *self,
                                                            ConcurJob         *job);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_task_group_add                    (ConcurTaskGroup   *self,
                                                            ConcurFuture      *future);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture     *concur_task_group_close                  (ConcurTaskGroup   *self);

CONCUR_AVAILABLE_IN_1_0
gboolean          concur_task_group_cancel                 (ConcurTaskGroup   *self,
                                                            ConcurCancelFlags  flags);
CONCUR_AVAILABLE_IN_1_0
void              concur_task_group_cancel_silently        (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
gboolean          concur_task_group_is_cancelled           (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
GCancellable     *concur_task_group_get_cancellable        (ConcurTaskGroup   *self);
CONCUR_AVAILABLE_IN_1_0
void              concur_task_group_bind                   (ConcurTaskGroup   *self,
                                                            GObject           *object,
                                                            gboolean           silently);

CONCUR_AVAILABLE_IN_1_0
gulong            concur_task_group_when_done              (ConcurTaskGroup   *self,
                                                            ConcurFuture      *future,
                                                            ConcurFutureFunc   func,
                                                            gpointer           user_data,
                                                            GDestroyNotify     destroy,
                                                            GMainContext      *context);

G_END_DECLS
