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

CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_file_digest     (GFile          *file,
                                      GChecksumType   checksum_type,
                                      ConcurExecutor *executor,
                                      GCancellable   *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture *concur_file_load_bytes (GFile          *file,
                                      ConcurExecutor *executor,
                                      GCancellable   *cancellable) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
