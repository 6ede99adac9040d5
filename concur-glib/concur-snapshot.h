/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include "concur-types.h"
#include "concur-version-macros.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_SNAPSHOT (concur_snapshot_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurSnapshot, concur_snapshot, CONCUR, SNAPSHOT, GObject)

CONCUR_AVAILABLE_IN_1_0
guint       concur_snapshot_get_n_threads         (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint       concur_snapshot_get_n_idle            (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint       concur_snapshot_get_n_blocked         (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint       concur_snapshot_get_n_pending         (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint64     concur_snapshot_get_n_completed       (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint64     concur_snapshot_get_n_refused         (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint       concur_snapshot_get_n_thread_failures (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
guint       concur_snapshot_get_n_running         (ConcurSnapshot *self);
CONCUR_AVAILABLE_IN_1_0
const char *concur_snapshot_get_job_name          (ConcurSnapshot *self,
                                                   guint           index);
CONCUR_AVAILABLE_IN_1_0
const char *concur_snapshot_get_thread_name       (ConcurSnapshot *self,
                                                   guint           index);
CONCUR_AVAILABLE_IN_1_0
gint64      concur_snapshot_get_running_time      (ConcurSnapshot *self,
                                                   guint           index);
CONCUR_AVAILABLE_IN_1_0
char       *concur_snapshot_to_string             (ConcurSnapshot *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
