/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "concur-channel.h"
#include "concur-process-executor.h"
#include "concur-process-pool-private.h"

G_BEGIN_DECLS

/* What is to be said to a worker process, and where its answers go. */
typedef struct
{
  /* immutable */
  ConcurWireKind kind;          /* CALL or MAP */
  const char *name;
  GVariant *content;             /* not counted: the arguments, of a map the body */
  GUnixFDList *fds;              /* not counted (nullable) */
  ConcurJob *job;                /* not counted: whose progress and cancellation it is */
  ConcurChannel *channel;        /* not counted (nullable): for the items of a stream */

  /* the answer: who makes it owns what is here */
  GVariant *value;               /* unless there is an error */
  GUnixFDList *value_fds;        /* (nullable) */
  GVariant *details;             /* (nullable) of an error */
  gboolean has_worker;           /* one was there, or could be started */
} ConcurExchange;

/* On a thread of @pool: from taking a worker to its answer, or its end. */
gboolean           concur_exchange_run     (ConcurExchange     *self,
                                            ConcurProcessPool  *pool,
                                            GError            **error);
void               concur_exchange_clear   (ConcurExchange     *self);

/* @content is consumed if it is floating. */
ConcurProcessCall *concur_process_call_new (ConcurProcessPool  *pool,
                                            ConcurWireKind      kind,
                                            const char         *name,
                                            GVariant           *content,
                                            GUnixFDList        *fds);

/* What an executor and its calls share. */
ConcurProcessPool *concur_process_executor_get_pool (ConcurProcessExecutor *self);

G_END_DECLS
