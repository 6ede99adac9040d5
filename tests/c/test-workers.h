/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of executors share: threads as the kernel counts them, counters of a
 * snapshot, and small jobs. */

#pragma once

#include "test-util.h"

G_BEGIN_DECLS

/* Threads of this process whose names begin so; NULL counts all. */
guint         test_count_threads   (const char     *prefix);

/* The calling thread's name, as the kernel has it. */
char         *test_dup_thread_name (void);

/* test_snapshot (executor, n_idle): one number of a snapshot taken now. */
#define test_snapshot(executor, number)                                                            \
  (__extension__ ({                                                                                \
    g_autoptr (ConcurSnapshot) snapshot_                                                           \
        = concur_thread_executor_dup_snapshot (CONCUR_THREAD_EXECUTOR (executor));                 \
    concur_snapshot_get_##number (snapshot_);                                                      \
  }))

/* How many jobs are at work, and the most there ever were. All zeroes to begin with. */
typedef struct
{
  gint now;  /* atomic */
  gint most; /* atomic */
  gint ever; /* atomic: how many entered */
} TestCrowd;

void          test_crowd_enter     (TestCrowd      *crowd);
void          test_crowd_leave     (TestCrowd      *crowd);
guint         test_crowd_get_most  (TestCrowd      *crowd);
guint         test_crowd_get_ever  (TestCrowd      *crowd);

/* A job that does nothing but answer 1. */
gboolean      test_one_job         (ConcurJob      *job,
                                    gpointer        data,
                                    GError        **error);
/* A job that adds 1 to the atomic gint it is given, and answers what that was before. */
gboolean      test_count_job       (ConcurJob      *job,
                                    gpointer        counter,
                                    GError        **error);
/* A job that answers with the name of its thread. */
gboolean      test_name_job        (ConcurJob      *job,
                                    gpointer        data,
                                    GError        **error);
/* A job that goes on until it is told to stop. It opens the gate it is given first. */
gboolean      test_endless_job     (ConcurJob      *job,
                                    gpointer        begun,
                                    GError        **error);

/* Submits with nothing to release. */
ConcurFuture *test_submit          (gpointer        executor,
                                    ConcurJobFunc   func,
                                    gpointer        data) G_GNUC_WARN_UNUSED_RESULT;
ConcurFuture *test_submit_at       (gpointer        executor,
                                    ConcurPriority  priority,
                                    ConcurJobFunc   func,
                                    gpointer        data) G_GNUC_WARN_UNUSED_RESULT;

/* Waits, as long as patience lasts, on the calling thread. */
#define       test_assert_done(future)                                                             \
  g_assert_true (concur_future_wait ((future), TEST_PATIENCE_US))

/* An array of owned futures. */
GPtrArray    *test_futures_new     (void);
void          test_futures_wait    (GPtrArray      *futures);

G_END_DECLS
