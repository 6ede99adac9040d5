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

#define CONCUR_TYPE_BATCHER_JOB (concur_batcher_job_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurBatcherJob, concur_batcher_job, CONCUR, BATCHER_JOB, ConcurJob)

CONCUR_AVAILABLE_IN_1_0
guint         concur_batcher_job_get_n_calls  (ConcurBatcherJob *self);
CONCUR_AVAILABLE_IN_1_0
const GValue *concur_batcher_job_get_argument (ConcurBatcherJob *self,
                                               guint             index);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_batcher_job_is_wanted    (ConcurBatcherJob *self,
                                               guint             index);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_batcher_job_answer       (ConcurBatcherJob *self,
                                               guint             index,
                                               const GValue     *value);
CONCUR_AVAILABLE_IN_1_0
gboolean      concur_batcher_job_answer_error (ConcurBatcherJob *self,
                                               guint             index,
                                               const GError     *error);

G_END_DECLS
