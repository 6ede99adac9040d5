/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "concur-thread-executor.h"

G_BEGIN_DECLS

/* The one of concur_executor_get_default (), which refuses to be shut down. */
ConcurThreadExecutor *concur_thread_executor_new_default (void);

/* Whether the calling thread is one of its workers. */
gboolean              concur_thread_executor_is_current  (ConcurThreadExecutor *self);

/* So many more (or fewer) of the jobs submitted to it do not count against max-pending. */
void                  concur_thread_executor_add_uncounted (ConcurThreadExecutor *self,
                                                            gint                  n_jobs);

/* Its way to be an executor, for who has one at hand: saves a look-up a submit. */
extern ConcurExecutorInterface *concur_thread_executor_iface;

G_END_DECLS
