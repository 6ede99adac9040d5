/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ConcurBatch           ConcurBatch;
typedef struct _ConcurBatcher         ConcurBatcher;
typedef struct _ConcurBatcherJob      ConcurBatcherJob;
typedef struct _ConcurChannel         ConcurChannel;
typedef struct _ConcurContextExecutor ConcurContextExecutor;
typedef struct _ConcurExecutor        ConcurExecutor;
typedef struct _ConcurFuture          ConcurFuture;
typedef struct _ConcurJob             ConcurJob;
typedef struct _ConcurLimiter         ConcurLimiter;
typedef struct _ConcurPromise         ConcurPromise;
typedef struct _ConcurRetry           ConcurRetry;
typedef struct _ConcurSnapshot        ConcurSnapshot;
typedef struct _ConcurTaskGroup       ConcurTaskGroup;
typedef struct _ConcurThreadExecutor  ConcurThreadExecutor;

G_END_DECLS
