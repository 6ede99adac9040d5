/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests share. Threads of a test meet at gates, never by sleeping; whatever
 * waits here has a deadline after which the test fails and says where. */

#pragma once

#include <concur.h>
#include <gio/gio.h>

G_BEGIN_DECLS

/* Longer than anything takes, even under a sanitizer on a busy machine: only a test that
 * fails waits that long. */
#define TEST_PATIENCE_US (60 * G_USEC_PER_SEC)

/* Instead of g_test_init (); a program that hangs in spite of all is killed. Executors use
 * the plain queue if the environment's CONCUR_TEST_QUEUE is "mutex". */
void         test_init               (int            *argc,
                                      char         ***argv);

/* Instead of g_test_run (): in the end no future may be left. */
int          test_run                (void);

/* @n, divided by the environment's CONCUR_TEST_SCALE (10 under a sanitizer if that is not
 * set), but at least 1. */
guint        test_scaled             (guint           n);

/* Lets the library yield at random at each of its locks and atomics. The seed goes to the
 * test's log, and comes from the environment's CONCUR_TEST_SEED if that is set. */
void         test_shake_start        (void);
void         test_shake_stop         (void);

/* A gate counts those who open it; others wait for it to be opened often enough. All
 * zeroes is a closed gate. */
typedef struct
{
  GMutex mutex;
  GCond cond;
  guint opened;
} TestGate;

void         test_gate_open          (TestGate       *gate);
guint        test_gate_get           (TestGate       *gate);
void         test_gate_wait_for      (TestGate       *gate,
                                      guint           opened,
                                      const char     *where);
#define      test_gate_wait(gate)    test_gate_wait_for ((gate), 1, G_STRLOC)
#define      test_gate_wait_n(gate, n) test_gate_wait_for ((gate), (n), G_STRLOC)

/* A job that says it has begun, and ends when told to, with the number 42. */
typedef struct
{
  TestGate begun;
  TestGate go;
} TestClog;

gboolean     test_clog_job           (ConcurJob      *job,
                                      gpointer        clog,
                                      GError        **error);

/* Counts releases, and those among them that were on the wrong thread. All zeroes counts
 * releases that are right anywhere. */
typedef struct
{
  GThread *thread;        /* where to be released, or NULL: anywhere */
  GMainContext *context;  /* owned by the thread that releases, or NULL: no matter */
  gint n;                 /* atomic */
  gint n_wrong;           /* atomic */
} TestReleases;

/* A GDestroyNotify, for jobs and callbacks whose data is a TestReleases. */
void         test_released           (gpointer        releases);
/* Counts the finalization of @object, too. */
void         test_releases_watch     (TestReleases   *releases,
                                      gpointer        object);
guint        test_releases_get       (TestReleases   *releases);
guint        test_releases_get_wrong (TestReleases   *releases);

/* Runs @context, NULL for the default one, until the condition holds. It may also be
 * another thread that makes it hold. */
void         test_iterate            (GMainContext   *context,
                                      gint64          deadline,
                                      const char     *where);
#define      test_iterate_until(context, condition)                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 deadline_ = g_get_monotonic_time () + TEST_PATIENCE_US;                                 \
    while (!(condition))                                                                           \
      test_iterate ((context), deadline_, G_STRLOC ": " #condition);                               \
  }                                                                                                \
  G_STMT_END

/* Waits without running a main loop until the condition holds, which other threads make
 * hold; this thread lets go of what is its own meanwhile. */
void         test_pause              (gint64          deadline,
                                      const char     *where);
#define      test_wait_until(condition)                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 deadline_ = g_get_monotonic_time () + TEST_PATIENCE_US;                                 \
    while (!(condition))                                                                           \
      test_pause (deadline_, G_STRLOC ": " #condition);                                            \
  }                                                                                                \
  G_STMT_END

/* Live objects of the library. */
guint        test_futures_alive      (void);
guint        test_homes_alive        (void);

/* Descriptors that are open, and a few more, always as many. */
guint        test_count_fds          (void);

/* A thread with a main loop of its own. */
typedef struct _TestLoop TestLoop;

TestLoop     *test_loop_new          (void);
GMainContext *test_loop_get_context  (TestLoop       *loop);
GThread      *test_loop_get_thread   (TestLoop       *loop);
/* Calls @func on the loop's thread, from its main loop, and waits until it returns. */
void          test_loop_call         (TestLoop       *loop,
                                      void          (*func) (gpointer data),
                                      gpointer        data);
/* The loop ends, then the thread. What is left in the context goes with it. */
void          test_loop_free         (TestLoop       *loop);

/* Ends an executor after all its work and drops it; its threads are gone then. */
void            test_executor_end    (ConcurExecutor *executor);

/* A call that is the caller's mistake: a critical of ours, and no more. */
#define      test_critical(call)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_test_expect_message ("Concur", G_LOG_LEVEL_CRITICAL, "*assertion*failed*");                  \
    call;                                                                                          \
    g_test_assert_expected_messages ();                                                            \
  }                                                                                                \
  G_STMT_END

/* @future is done, with this. */
void         test_assert_int64       (ConcurFuture   *future,
                                      gint64          value);
#define      test_assert_error(future, domain, code)                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    g_assert_false (concur_future_check ((future), &error_));                                      \
    g_assert_error (error_, (domain), (code));                                                     \
  }                                                                                                \
  G_STMT_END
#define      test_assert_cancelled(future)                                                         \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_CANCELLED);         \
    test_assert_error ((future), G_IO_ERROR, G_IO_ERROR_CANCELLED);                                \
  }                                                                                                \
  G_STMT_END

G_END_DECLS
