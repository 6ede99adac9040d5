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

#define CONCUR_TYPE_CONTEXT_EXECUTOR (concur_context_executor_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurContextExecutor, concur_context_executor, CONCUR, CONTEXT_EXECUTOR,
                      GObject)

CONCUR_AVAILABLE_IN_1_0
ConcurContextExecutor *concur_context_executor_new          (GMainContext          *context) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GMainContext          *concur_context_executor_get_context  (ConcurContextExecutor *self);
CONCUR_AVAILABLE_IN_1_0
int                    concur_context_executor_get_priority (ConcurContextExecutor *self);

G_END_DECLS
