/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-worker-call.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_PROCESS_WORKER (concur_process_worker_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurProcessWorker, concur_process_worker, CONCUR, PROCESS_WORKER, GObject)

/**
 * ConcurWorkerFunc:
 * @call: what is asked for
 * @user_data: what was given with the function
 * @error: return location for an error
 *
 * Answers a call in a worker process.
 *
 * It runs on the thread that called [func@worker_run].
 *
 * Returns: (transfer full) (nullable): the answer; a floating one is consumed. %NULL with
 *   @error set is the error of the call; %NULL without one means that the function has
 *   answered the call itself
 *
 * Since: 1.0
 */
typedef GVariant *(*ConcurWorkerFunc) (ConcurWorkerCall *call,
                                       gpointer          user_data,
                                       GError          **error);

CONCUR_AVAILABLE_IN_1_0
ConcurProcessWorker *concur_process_worker_new         (GError             **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
const char          *concur_process_worker_get_name    (ConcurProcessWorker *self);
CONCUR_AVAILABLE_IN_1_0
GVariant            *concur_process_worker_get_options (ConcurProcessWorker *self);
CONCUR_AVAILABLE_IN_1_0
ConcurWorkerCall    *concur_process_worker_next_call   (ConcurProcessWorker *self,
                                                        GError             **error);

CONCUR_AVAILABLE_IN_1_0
gboolean             concur_worker_run                 (ConcurWorkerFunc     func,
                                                        gpointer             user_data,
                                                        GError             **error);

G_END_DECLS
