/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The threads of a process executor. Each has a worker process to itself for as long as it
 * lives, and does nothing but talk to it: queue, bounds, priorities, cancellation and the
 * end are those of a ConcurThreadExecutor. A thread that ends leaves its process behind for
 * the next one if fewer than min-workers would remain. */

#pragma once

#include "concur-process-child-private.h"
#include "concur-process-executor.h"
#include "concur-thread-executor.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_PROCESS_POOL (concur_process_pool_get_type ())

G_DECLARE_FINAL_TYPE (ConcurProcessPool, concur_process_pool, CONCUR, PROCESS_POOL, ConcurThreadExecutor)

struct _ConcurProcessPool
{
  ConcurThreadExecutor parent_instance;

  /* immutable once it is used */
  ConcurProcessSettings settings;

  /* protected by lock */
  ConcurLock lock;
  GQueue warm;                   /* of ConcurProcessChild (owned), without a thread */
  GQueue pids;                   /* of pid_t, of all that are ready */
  gboolean cannot_start;         /* none did, of those tried last */
  gboolean ends;                 /* nobody comes any more for those that are warm */
  ConcurProcessThreadFunc thread_func;  /* (nullable) stays once it is there */
  gpointer thread_data;
  GDestroyNotify thread_data_destroy;
};

/* The worker process of this thread, which is one of the pool's; started if need be, unless
 * @job is cancelled meanwhile. */
ConcurProcessChild *concur_process_pool_take     (ConcurProcessPool  *self,
                                                  ConcurJob          *job,
                                                  GError            **error);
/* The call is over. @keep: the worker may have another one. */
void                concur_process_pool_give     (ConcurProcessPool  *self,
                                                  gboolean            keep);
/* No call will come; those that are warm are let go. */
void                concur_process_pool_end      (ConcurProcessPool  *self);
/* Starts a worker for later, on a thread of the pool. */
gboolean            concur_process_pool_warm     (ConcurProcessPool  *self,
                                                  ConcurJob          *job,
                                                  GError            **error);
GArray             *concur_process_pool_dup_pids (ConcurProcessPool  *self);

G_END_DECLS
