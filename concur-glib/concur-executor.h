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

#define CONCUR_TYPE_EXECUTOR (concur_executor_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ConcurExecutor, concur_executor, CONCUR, EXECUTOR, GObject)

/**
 * ConcurExecutorInterface:
 * @execute: takes a job that was submitted and sees to it that
 *   [method@Job.execute] is called on it once, on any thread and at any later time. It
 *   keeps a reference of its own until then. A job it cannot take it answers with
 *   [method@Job.return_error]
 * @shutdown: takes no more work, deals with what it has as the mode says, and returns a
 *   future that is done when all is
 *
 * For a class that leaves one of them out, jobs and the future are rejected with
 * %G_IO_ERROR_NOT_SUPPORTED.
 *
 * The interface structure of [iface@Executor].
 *
 * Since: 1.0
 */
struct _ConcurExecutorInterface
{
  /*< private >*/
  GTypeInterface g_iface;

  /*< public >*/
  void           (*execute)  (ConcurExecutor     *self,
                              ConcurJob          *job);
  ConcurFuture  *(*shutdown) (ConcurExecutor     *self,
                              ConcurShutdownMode  mode);

  /*< private >*/
  /* The library's own: see concur_context_queue_of (). */
  gpointer get_context_queue;

  gpointer padding[7];
};

/**
 * ConcurRangeFunc:
 * @batch: where the results go
 * @first: index of the first item to work on
 * @n: how many items, from @first on
 * @user_data: (closure): what was given with the function
 * @error: return location for an error
 *
 * Works on the items @first to @first + @n - 1 of a range, on a thread of the executor;
 * several calls run at once, each on items of its own. See
 * [method@Executor.map_range].
 *
 * Returns: %TRUE, or %FALSE with @error set, which ends the whole
 *
 * Since: 1.0
 */
typedef gboolean (*ConcurRangeFunc) (ConcurBatch  *batch,
                                     guint         first,
                                     guint         n,
                                     gpointer      user_data,
                                     GError      **error);

/**
 * ConcurPostFunc:
 * @user_data: (closure): what was given with the function
 *
 * Runs where it was posted to, see [method@Executor.post].
 *
 * Since: 1.0
 */
typedef void (*ConcurPostFunc) (gpointer user_data);

CONCUR_AVAILABLE_IN_1_0
ConcurExecutor *concur_executor_get_default (void);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture   *concur_executor_submit      (ConcurExecutor      *self,
                                             ConcurJobFunc        func,
                                             gpointer             user_data,
                                             GDestroyNotify       destroy,
                                             GCancellable        *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture   *concur_executor_submit_job  (ConcurExecutor      *self,
                                             ConcurJob           *job,
                                             GCancellable        *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
gboolean        concur_executor_post        (ConcurExecutor      *self,
                                             ConcurPostFunc       func,
                                             gpointer             user_data,
                                             GDestroyNotify       destroy);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture   *concur_executor_map_range   (ConcurExecutor      *self,
                                             guint                n,
                                             guint                chunk,
                                             ConcurRangeFunc      func,
                                             gpointer             user_data,
                                             GDestroyNotify       destroy,
                                             GCancellable        *cancellable) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
ConcurFuture   *concur_executor_shutdown    (ConcurExecutor      *self,
                                             ConcurShutdownMode   mode) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
