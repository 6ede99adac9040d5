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

#define CONCUR_TYPE_THREAD_EXECUTOR (concur_thread_executor_get_type ())

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_DERIVABLE_TYPE (ConcurThreadExecutor, concur_thread_executor, CONCUR, THREAD_EXECUTOR, GObject)

/**
 * ConcurThreadExecutorClass:
 * @thread_main: what each thread of the executor does from its start to its end: call
 *   [method@ThreadExecutor.run_next] until that returns %FALSE. A language binding
 *   overrides it to enter the language once per thread
 *
 * The class structure of [class@ThreadExecutor].
 *
 * Since: 1.0
 */
struct _ConcurThreadExecutorClass
{
  /*< private >*/
  GObjectClass parent_class;

  /*< public >*/
  void (*thread_main) (ConcurThreadExecutor *self);

  /*< private >*/
  gpointer padding[8];
};

CONCUR_AVAILABLE_IN_1_0
ConcurThreadExecutor *concur_thread_executor_new             (guint                 max_threads) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
const char           *concur_thread_executor_get_name        (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
guint                 concur_thread_executor_get_max_threads (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
guint                 concur_thread_executor_get_max_blocked (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
guint                 concur_thread_executor_get_max_pending (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
ConcurOverflow        concur_thread_executor_get_overflow    (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
ConcurReleasePolicy         concur_thread_executor_get_release     (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
gint64                concur_thread_executor_get_keep_alive  (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
gboolean              concur_thread_executor_get_paused      (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
void                  concur_thread_executor_set_paused      (ConcurThreadExecutor *self,
                                                              gboolean              paused);
CONCUR_AVAILABLE_IN_1_0
ConcurSnapshot       *concur_thread_executor_dup_snapshot    (ConcurThreadExecutor *self) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
const char           *concur_thread_executor_get_thread_name (ConcurThreadExecutor *self);
CONCUR_AVAILABLE_IN_1_0
gboolean              concur_thread_executor_run_next        (ConcurThreadExecutor *self);

G_END_DECLS
