/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What an executor tells of itself, at rest and while all of it changes. */

#include "config.h"

#include "test-workers.h"

#include <string.h>

static ConcurExecutor *
executor_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "shots", "max-threads", max_threads, NULL);
}

static ConcurSnapshot *
snap (gpointer executor)
{
  return concur_thread_executor_dup_snapshot (CONCUR_THREAD_EXECUTOR (executor));
}

static ConcurFuture *
submit_named (ConcurExecutor *executor,
              const char     *name,
              ConcurJobFunc   func,
              gpointer        data)
{
  g_autoptr (ConcurJob) job = concur_job_new (func, data, NULL);

  concur_future_set_name (CONCUR_FUTURE (job), name);

  return concur_executor_submit_job (executor, job, NULL);
}

/* Which of the running jobs has this name; NULL is one without. */
static guint
find_job (ConcurSnapshot *snapshot,
          const char     *name)
{
  guint i;

  for (i = 0; i < concur_snapshot_get_n_running (snapshot); i++)
    {
      if (g_strcmp0 (concur_snapshot_get_job_name (snapshot, i), name) == 0)
        return i;
    }

  return G_MAXUINT;
}

static void
test_unused (void)
{
  ConcurExecutor *executor = executor_new (2);
  g_autoptr (ConcurSnapshot) snapshot = snap (executor);
  g_autofree char *text = concur_snapshot_to_string (snapshot);

  g_assert_cmpuint (concur_snapshot_get_n_threads (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_idle (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_blocked (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_pending (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_completed (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_refused (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_thread_failures (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_running (snapshot), ==, 0);
  g_assert_true (g_str_has_prefix (text, "shots: 0 threads"));
  g_assert_true (strchr (text, '\n') == text + strlen (text) - 1);
  test_executor_end (executor);
}

static void
test_counts (void)
{
  ConcurExecutor *executor = executor_new (3);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurSnapshot) during = NULL, after = NULL, ended = NULL;
  g_autoptr (ConcurFuture) end = NULL, refused = NULL;
  TestClog clog = { 0 };
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  test_gate_wait_n (&clog.begun, 3);
  for (i = 0; i < 5; i++)
    g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  concur_future_cancel (futures->pdata[7], CONCUR_CANCEL_NONE);

  during = snap (executor);
  g_assert_cmpuint (concur_snapshot_get_n_threads (during), ==, 3);
  g_assert_cmpuint (concur_snapshot_get_n_idle (during), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_running (during), ==, 3);
  g_assert_cmpuint (concur_snapshot_get_n_pending (during), ==, 4);
  g_assert_cmpuint (concur_snapshot_get_n_completed (during), ==, 0);

  test_gate_open (&clog.go);
  test_futures_wait (futures);
  test_wait_until (test_snapshot (executor, n_idle) == 3);
  after = snap (executor);
  g_assert_cmpuint (concur_snapshot_get_n_threads (after), ==, 3);
  g_assert_cmpuint (concur_snapshot_get_n_running (after), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_pending (after), ==, 0);
  /* The cancelled one was never run. */
  g_assert_cmpuint (concur_snapshot_get_n_completed (after), ==, 7);

  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  test_assert_done (end);
  refused = test_submit (executor, test_one_job, NULL);
  test_assert_error (refused, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  ended = snap (executor);
  g_assert_cmpuint (concur_snapshot_get_n_threads (ended), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_idle (ended), ==, 0);
  /* Threads that go leave what they have done. */
  g_assert_cmpuint (concur_snapshot_get_n_completed (ended), ==, 7);
  g_assert_cmpuint (concur_snapshot_get_n_refused (ended), ==, 1);

  /* The first is as it was. */
  g_assert_cmpuint (concur_snapshot_get_n_running (during), ==, 3);
  g_assert_cmpuint (concur_snapshot_get_n_pending (during), ==, 4);
  g_object_unref (executor);
}

static gboolean
whoami_job (ConcurJob  *job,
            gpointer    clog,
            GError    **error)
{
  g_autofree char *name = test_dup_thread_name ();

  concur_job_return_string (job, name);
  test_gate_open (&((TestClog *) clog)->begun);
  test_gate_wait (&((TestClog *) clog)->go);

  return TRUE;
}

static void
test_names (void)
{
  static const char *names[] = { "read", NULL, "a rather long name, to the end" };
  ConcurExecutor *executor = executor_new (3);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (ConcurSnapshot) snapshot = NULL;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  TestClog clog = { 0 };
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, submit_named (executor, names[i], whoami_job, &clog));
  test_gate_wait_n (&clog.begun, 3);
  snapshot = snap (executor);
  text = concur_snapshot_to_string (snapshot);
  test_gate_open (&clog.go);
  test_futures_wait (futures);

  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 5);
  g_assert_true (g_str_has_prefix (lines[0], "shots: 3 threads"));
  g_assert_cmpuint (concur_snapshot_get_n_running (snapshot), ==, 3);
  for (i = 0; i < 3; i++)
    {
      guint index = find_job (snapshot, names[i]);
      g_autofree char *thread = concur_future_dup_string (futures->pdata[i], NULL);

      g_assert_cmpuint (index, <, 3);
      g_assert_cmpstr (concur_snapshot_get_thread_name (snapshot, index), ==, thread);
      g_assert_true (g_str_has_prefix (thread, "shots-"));
      g_assert_nonnull (strstr (lines[1 + index], thread));
      g_assert_nonnull (strstr (lines[1 + index], names[i] != NULL ? names[i] : "(no name)"));
    }
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
} Nest;

static gboolean
outer_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Nest *self = data;
  g_autoptr (ConcurFuture) inner = NULL;

  inner = submit_named (self->executor, "inner", test_clog_job, &self->clog);
  g_assert_true (concur_future_wait (inner, -1));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Two jobs, one thread. */
static void
test_nested (void)
{
  Nest nest = { .executor = executor_new (1) };
  g_autoptr (ConcurFuture) outer = submit_named (nest.executor, "outer", outer_job, &nest);
  g_autoptr (ConcurSnapshot) snapshot = NULL;
  guint i, o;

  test_gate_wait (&nest.clog.begun);
  snapshot = snap (nest.executor);
  g_assert_cmpuint (concur_snapshot_get_n_threads (snapshot), ==, 1);
  g_assert_cmpuint (concur_snapshot_get_n_blocked (snapshot), ==, 0);
  g_assert_cmpuint (concur_snapshot_get_n_running (snapshot), ==, 2);
  i = find_job (snapshot, "inner");
  o = find_job (snapshot, "outer");
  g_assert_cmpuint (i, !=, G_MAXUINT);
  g_assert_cmpuint (o, !=, G_MAXUINT);
  g_assert_cmpstr (concur_snapshot_get_thread_name (snapshot, i), ==,
                   concur_snapshot_get_thread_name (snapshot, o));
  g_assert_cmpint (concur_snapshot_get_running_time (snapshot, o), >=,
                   concur_snapshot_get_running_time (snapshot, i));

  test_gate_open (&nest.clog.go);
  test_assert_done (outer);
  test_wait_until (test_snapshot (nest.executor, n_completed) == 2);
  test_executor_end (nest.executor);
}

static gboolean
waiting_job (ConcurJob  *job,
             gpointer    promise,
             GError    **error)
{
  g_assert_true (concur_future_wait (concur_promise_get_future (promise), TEST_PATIENCE_US));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_blocked (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurFuture) first = test_submit (executor, waiting_job, promise);
  g_autoptr (ConcurFuture) second = test_submit (executor, waiting_job, promise);
  g_autoptr (ConcurSnapshot) snapshot = NULL;

  test_wait_until (test_snapshot (executor, n_blocked) == 2);
  snapshot = snap (executor);
  g_assert_cmpuint (concur_snapshot_get_n_running (snapshot), ==, 2);
  g_assert_cmpuint (concur_snapshot_get_n_threads (snapshot), >=, 2);
  concur_promise_resolve (promise, NULL);
  test_assert_done (first);
  test_assert_done (second);
  g_assert_true (concur_future_check (first, NULL));
  test_wait_until (test_snapshot (executor, n_blocked) == 0);
  test_executor_end (executor);
}

/* The clock is read by the tick: neither end is exact. */
#define TICK_US (20 * 1000)

static void
test_running_time (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurSnapshot) first = NULL, second = NULL;
  TestClog clog = { 0 };
  gint64 begin = g_get_monotonic_time (), begun, shot, between;

  future = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  begun = g_get_monotonic_time ();
  first = snap (executor);
  g_assert_cmpint (concur_snapshot_get_running_time (first, 0), >=, 0);
  g_assert_cmpint (concur_snapshot_get_running_time (first, 0), <=,
                   g_get_monotonic_time () - begin + TICK_US);

  /* Waiting is what is measured here. */
  g_assert_false (concur_future_wait (future, 3 * TICK_US));
  shot = g_get_monotonic_time ();
  second = snap (executor);
  between = concur_snapshot_get_running_time (second, 0);
  g_assert_cmpint (between, >=, shot - begun - TICK_US);
  g_assert_cmpint (between, <=, g_get_monotonic_time () - begin + TICK_US);
  g_assert_cmpint (between, >, concur_snapshot_get_running_time (first, 0));

  test_gate_open (&clog.go);
  test_assert_done (future);
  test_executor_end (executor);
}

static gboolean
brief_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  concur_future_set_name (CONCUR_FUTURE (job), "renamed");
  g_thread_yield ();
  concur_job_return_int64 (job, 1);

  return TRUE;
}

typedef struct
{
  ConcurExecutor *executor;
  gint left; /* atomic: submitters at work */
} Bustle;

static gpointer
bustle_thread (gpointer data)
{
  Bustle *self = data;
  guint n = test_scaled (1500), i;

  for (i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;

      future = submit_named (self->executor, i % 3 == 0 ? NULL : "brief", brief_job, NULL);
      if (i % 7 == 0)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      if (i % 4 == 0)
        test_assert_done (future);
      else
        concur_future_ignore (future);
    }
  g_atomic_int_add (&self->left, -1);

  return NULL;
}

/* Jobs, threads and their names come and go under the eyes of who looks. */
static void
test_bustle (void)
{
  Bustle self = { .left = 2 };
  GThread *threads[2];
  guint64 completed = 0;
  guint i, n_seen = 0;

  self.executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "shots", "max-threads", 3,
                                "keep-alive", (gint64) 0, NULL);
  test_shake_start ();
  for (i = 0; i < 2; i++)
    threads[i] = g_thread_new ("bustle", bustle_thread, &self);

  while (g_atomic_int_get (&self.left) > 0)
    {
      g_autoptr (ConcurSnapshot) snapshot = snap (self.executor);
      g_autofree char *text = concur_snapshot_to_string (snapshot);

      g_assert_true (g_str_has_prefix (text, "shots: "));
      g_assert_cmpuint (concur_snapshot_get_n_threads (snapshot), <=, 3);
      g_assert_cmpuint (concur_snapshot_get_n_idle (snapshot), <=, 3);
      for (i = 0; i < concur_snapshot_get_n_running (snapshot); i++)
        {
          const char *job_name = concur_snapshot_get_job_name (snapshot, i);

          g_assert_true (job_name == NULL || strcmp (job_name, "brief") == 0
                         || strcmp (job_name, "renamed") == 0);
          g_assert_true (g_str_has_prefix (concur_snapshot_get_thread_name (snapshot, i), "shots-"));
          g_assert_cmpint (concur_snapshot_get_running_time (snapshot, i), >=, 0);
          g_assert_cmpint (concur_snapshot_get_running_time (snapshot, i), <, TEST_PATIENCE_US);
          n_seen++;
        }
      /* What a thread has done counts on while it goes. */
      g_assert_cmpuint (concur_snapshot_get_n_completed (snapshot), >=, completed);
      completed = concur_snapshot_get_n_completed (snapshot);
    }

  for (i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  test_shake_stop ();
  test_wait_until (test_snapshot (self.executor, n_threads) == 0);
  g_assert_cmpuint (completed, <=, test_snapshot (self.executor, n_completed));
  g_assert_cmpuint (test_snapshot (self.executor, n_completed), <=, 2 * test_scaled (1500));
  g_test_message ("%u jobs were seen running", n_seen);
  test_executor_end (self.executor);
}

static void
test_mistakes (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (ConcurSnapshot) snapshot = snap (executor);

  test_critical (g_assert_null (concur_snapshot_get_job_name (snapshot, 0)));
  test_critical (g_assert_null (concur_snapshot_get_thread_name (snapshot, 0)));
  test_critical (g_assert_cmpint (concur_snapshot_get_running_time (snapshot, 0), ==, 0));
  test_critical (g_assert_null (concur_snapshot_to_string (NULL)));
  test_critical (g_assert_cmpuint (concur_snapshot_get_n_threads (NULL), ==, 0));
  test_critical (g_assert_cmpuint (concur_snapshot_get_n_running ((ConcurSnapshot *) executor), ==, 0));
  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/snapshot/unused", test_unused);
  g_test_add_func ("/snapshot/counts", test_counts);
  g_test_add_func ("/snapshot/names", test_names);
  g_test_add_func ("/snapshot/nested", test_nested);
  g_test_add_func ("/snapshot/blocked", test_blocked);
  g_test_add_func ("/snapshot/running-time", test_running_time);
  g_test_add_func ("/snapshot/bustle", test_bustle);
  g_test_add_func ("/snapshot/mistakes", test_mistakes);

  return test_run ();
}
