/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#if !defined (CONCUR_INSIDE) && !defined (CONCUR_COMPILATION)
#error "Only <concur.h> can be included directly."
#endif

#include <gio/gunixfdlist.h>

#include "concur-channel.h"
#include "concur-enums.h"
#include "concur-process-call.h"
#include "concur-snapshot.h"
#include "concur-thread-executor.h"

G_BEGIN_DECLS

#define CONCUR_TYPE_PROCESS_EXECUTOR (concur_process_executor_get_type ())

/**
 * ConcurProcessThreadFunc:
 * @threads: the threads of a process executor
 * @user_data: what was given with the function
 *
 * What a thread that stands behind a worker does from its start to its end: call
 * [method@ThreadExecutor.run_next] until it returns %FALSE, with what the thread needs
 * around that.
 *
 * Since: 1.0
 */
typedef void (*ConcurProcessThreadFunc) (ConcurThreadExecutor *threads,
                                         gpointer              user_data);

CONCUR_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (ConcurProcessExecutor, concur_process_executor, CONCUR, PROCESS_EXECUTOR, GObject)

CONCUR_AVAILABLE_IN_1_0
ConcurProcessExecutor *concur_process_executor_new               (const char *const      *command,
                                                                  guint                   max_workers) G_GNUC_WARN_UNUSED_RESULT;

CONCUR_AVAILABLE_IN_1_0
const char            *concur_process_executor_get_name          (ConcurProcessExecutor  *self);
CONCUR_AVAILABLE_IN_1_0
const char *const     *concur_process_executor_get_command       (ConcurProcessExecutor  *self);
CONCUR_AVAILABLE_IN_1_0
guint                  concur_process_executor_get_max_workers   (ConcurProcessExecutor  *self);
CONCUR_AVAILABLE_IN_1_0
guint                  concur_process_executor_get_n_workers     (ConcurProcessExecutor  *self);
CONCUR_AVAILABLE_IN_1_0
gint64                *concur_process_executor_dup_pids          (ConcurProcessExecutor  *self,
                                                                  gsize                  *n_pids);
CONCUR_AVAILABLE_IN_1_0
ConcurSnapshot        *concur_process_executor_dup_snapshot      (ConcurProcessExecutor  *self) G_GNUC_WARN_UNUSED_RESULT;

CONCUR_AVAILABLE_IN_1_0
ConcurFuture          *concur_process_executor_call              (ConcurProcessExecutor  *self,
                                                                  const char             *name,
                                                                  GVariant               *arguments,
                                                                  GUnixFDList            *fds,
                                                                  GCancellable           *cancellable);
CONCUR_AVAILABLE_IN_1_0
ConcurFuture          *concur_process_executor_map_calls         (ConcurProcessExecutor  *self,
                                                                  const char             *name,
                                                                  GVariant               *arguments,
                                                                  guint                   chunk,
                                                                  GCancellable           *cancellable);
CONCUR_AVAILABLE_IN_1_0
ConcurChannel         *concur_process_executor_call_stream       (ConcurProcessExecutor  *self,
                                                                  const char             *name,
                                                                  GVariant               *arguments,
                                                                  GUnixFDList            *fds,
                                                                  guint                   capacity,
                                                                  GCancellable           *cancellable) G_GNUC_WARN_UNUSED_RESULT;

CONCUR_AVAILABLE_IN_1_0
ConcurFuture          *concur_process_executor_submit_job        (ConcurProcessExecutor  *self,
                                                                  ConcurJob              *job,
                                                                  GCancellable           *cancellable);
CONCUR_AVAILABLE_IN_1_0
GVariant              *concur_process_executor_call_within       (ConcurProcessExecutor  *self,
                                                                  ConcurJob              *job,
                                                                  const char             *name,
                                                                  GVariant               *arguments,
                                                                  GError                **error) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
GVariant              *concur_process_executor_dup_details       (ConcurJob              *job) G_GNUC_WARN_UNUSED_RESULT;
CONCUR_AVAILABLE_IN_1_0
void                   concur_process_executor_set_thread_func   (ConcurProcessExecutor  *self,
                                                                  ConcurProcessThreadFunc func,
                                                                  gpointer                user_data,
                                                                  GDestroyNotify          destroy);

CONCUR_AVAILABLE_IN_1_0
ConcurFuture          *concur_process_executor_shutdown          (ConcurProcessExecutor  *self,
                                                                  ConcurShutdownMode      mode);

G_END_DECLS
