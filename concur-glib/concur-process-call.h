/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-job.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_PROCESS_CALL (concur_process_call_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurProcessCall, concur_process_call, CONCUR, PROCESS_CALL, ConcurJob)

CONCUR_AVAILABLE_IN_1_0
const char  *concur_process_call_get_function (ConcurProcessCall *self);
CONCUR_AVAILABLE_IN_1_0
GUnixFDList *concur_process_call_get_fd_list  (ConcurProcessCall *self);
CONCUR_AVAILABLE_IN_1_0
GVariant    *concur_process_call_get_details  (ConcurProcessCall *self);

G_END_DECLS
