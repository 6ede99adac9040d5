/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "concur-version-macros.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_WORKER_CALL (concur_worker_call_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurWorkerCall, concur_worker_call, CONCUR, WORKER_CALL, GObject)

CONCUR_AVAILABLE_IN_1_0
const char   *concur_worker_call_get_name              (ConcurWorkerCall *self);
CONCUR_AVAILABLE_IN_1_0
GVariant     *concur_worker_call_get_arguments         (ConcurWorkerCall *self);
CONCUR_AVAILABLE_IN_1_0
GUnixFDList  *concur_worker_call_get_fd_list           (ConcurWorkerCall *self);

CONCUR_AVAILABLE_IN_1_0
gboolean      concur_worker_call_is_cancelled          (ConcurWorkerCall *self);
CONCUR_AVAILABLE_IN_1_0
GCancellable *concur_worker_call_get_cancellable       (ConcurWorkerCall *self);

CONCUR_AVAILABLE_IN_1_0
void          concur_worker_call_set_progress          (ConcurWorkerCall *self,
                                                        double            fraction);
CONCUR_AVAILABLE_IN_1_0
void          concur_worker_call_set_status_text       (ConcurWorkerCall *self,
                                                        const char       *text);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_worker_call_send_item             (ConcurWorkerCall *self,
                                                        GVariant         *item,
                                                        GError          **error);

CONCUR_AVAILABLE_IN_1_0
gboolean      concur_worker_call_return_value          (ConcurWorkerCall *self,
                                                        GVariant         *value);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_worker_call_return_value_with_fds (ConcurWorkerCall *self,
                                                        GVariant         *value,
                                                        GUnixFDList      *fds);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_worker_call_return_error          (ConcurWorkerCall *self,
                                                        const GError     *error);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_worker_call_return_failure        (ConcurWorkerCall *self,
                                                        const char       *domain,
                                                        int               code,
                                                        const char       *text,
                                                        GVariant         *details);

G_END_DECLS
