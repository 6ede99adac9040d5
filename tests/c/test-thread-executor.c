/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The threads of an executor: when they start and end, how many there are, what they are
 * called, and the settings that say so. test-thread-main.c has those of subclasses. */

#include "config.h"

#include "test-workers.h"

#include <string.h>

static void
test_lazy (void)
{
  guint before = test_count_threads (NULL);
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "lazy", "max-threads", 4, NULL);
  TestClog clog = { 0 };

  g_assert_cmpuint (test_count_threads (NULL), ==, before);
  g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 0);

  {
    g_autoptr (ConcurFuture) first = test_submit (executor, test_clog_job, &clog);

    test_gate_wait (&clog.begun);
    g_assert_cmpuint (test_count_threads ("lazy-"), ==, 1);

    /* A second thread only because the first one is busy. */
    {
      g_autoptr (ConcurFuture) second = test_submit (executor, test_one_job, NULL);

      test_assert_done (second);
      test_assert_int64 (second, 1);
      g_assert_cmpuint (test_count_threads ("lazy-"), ==, 2);
    }

    test_gate_open (&clog.go);
    test_assert_done (first);
    test_assert_int64 (first, 42);
  }

  test_executor_end (executor);
}

/* Work that comes one at a time needs one thread, however much it is. */
static void
test_idle_thread_is_used (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "reuse", "max-threads", 4, NULL);
  guint i;

  for (i = 0; i < 20; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_name_job, NULL);
      g_autofree char *name = NULL;

      test_assert_done (future);
      name = concur_future_dup_string (future, NULL);
      g_assert_cmpstr (name, ==, "reuse-1");
      test_wait_until (test_snapshot (executor, n_idle) == 1);
    }

  test_executor_end (executor);
}

typedef struct
{
  TestGate begun;
  TestGate go;
} NameClog;

static gboolean
gated_name_job (ConcurJob  *job,
                gpointer    data,
                GError    **error)
{
  NameClog *clog = data;
  g_autofree char *name = test_dup_thread_name ();

  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
  concur_job_return_string (job, name);

  return TRUE;
}

/* The names of @n jobs that run at once. */
static GHashTable *
collect_names (ConcurExecutor *executor,
               guint           n)
{
  GHashTable *names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  NameClog clog = { 0 };
  guint i;

  for (i = 0; i < n; i++)
    g_ptr_array_add (futures, test_submit (executor, gated_name_job, &clog));
  test_gate_wait_n (&clog.begun, n);
  test_gate_open (&clog.go);
  test_futures_wait (futures);
  for (i = 0; i < n; i++)
    g_hash_table_add (names, concur_future_dup_string (futures->pdata[i], NULL));

  return names;
}

static void
assert_names (const char *name,
              guint       n,
              const char *first,
              const char *last)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", name, "max-threads", n, NULL);
  g_autoptr (GHashTable) names = collect_names (executor, n);

  g_assert_cmpuint (g_hash_table_size (names), ==, n);
  g_assert_true (g_hash_table_contains (names, first));
  g_assert_true (g_hash_table_contains (names, last));

  test_executor_end (executor);
}

static void
test_names (void)
{
  assert_names ("disk", 3, "disk-1", "disk-3");
  assert_names (NULL, 2, "concur-1", "concur-2");
  assert_names ("", 2, "concur-1", "concur-2");
  /* 15 bytes are what a thread's name has room for; the number is what tells them apart. */
  assert_names ("a-long-thread-name", 12, "a-long-thread-1", "a-long-threa-12");
}

/* GLib keeps the threads for others, who should not see our names. */
static void
test_names_are_restored (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "passing", "max-threads", 3, NULL);
  g_autoptr (GHashTable) names = collect_names (executor, 3);

  g_assert_cmpuint (test_count_threads ("passing-"), ==, 3);
  test_executor_end (executor);
  g_assert_cmpuint (test_count_threads ("passing-"), ==, 0);
}

static gboolean
crowd_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  test_crowd_enter (data);
  g_thread_yield ();
  test_crowd_leave (data);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_max_threads (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint n = test_scaled (5000);
  TestCrowd crowd = { 0 };
  TestClog clog = { 0 };
  guint i;

  /* All of them are used … */
  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  test_gate_wait_n (&clog.begun, 3);

  /* … and no more. */
  for (i = 0; i < n; i++)
    g_ptr_array_add (futures, test_submit (executor, crowd_job, &crowd));
  g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 3);
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, n);
  g_assert_cmpuint (test_crowd_get_ever (&crowd), ==, 0);

  test_gate_open (&clog.go);
  test_futures_wait (futures);
  g_assert_cmpuint (test_crowd_get_ever (&crowd), ==, n);
  g_assert_cmpuint (test_crowd_get_most (&crowd), <=, 3);

  test_executor_end (executor);
}

static gpointer
submit_many (gpointer data)
{
  ConcurExecutor *executor = ((gpointer *) data)[0];
  TestCrowd *crowd = ((gpointer *) data)[1];
  guint n = GPOINTER_TO_UINT (((gpointer *) data)[2]);
  guint i;

  for (i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, crowd_job, crowd);

      if (i % 3 == 0)
        test_assert_done (future);
    }

  return NULL;
}

/* Threads come and go, jobs come from everywhere: never more at once than allowed. */
static void
test_max_threads_under_load (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "max-threads", 2, "keep-alive", (gint64) 0, NULL);
  GThread *threads[4];
  TestCrowd crowd = { 0 };
  guint n = test_scaled (4000);
  gpointer data[] = { executor, &crowd, GUINT_TO_POINTER (n) };
  guint i;

  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, submit_many, data);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_executor_end (executor);
  test_shake_stop ();

  g_assert_cmpuint (test_crowd_get_ever (&crowd), ==, G_N_ELEMENTS (threads) * n);
  g_assert_cmpuint (test_crowd_get_most (&crowd), <=, 2);
}

static void
test_thread_per_job (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "each", "max-threads", 0, NULL);
  g_autoptr (GHashTable) names = NULL;
  guint n = 50, i;

  /* None waits for another one to end. */
  names = collect_names (executor, n);
  g_assert_cmpuint (g_hash_table_size (names), ==, n);
  test_wait_until (test_snapshot (executor, n_threads) == 0);

  /* And one after the other they get new ones, too. */
  for (i = 0; i < 3; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_name_job, NULL);
      g_autofree char *name = NULL;

      test_assert_done (future);
      name = concur_future_dup_string (future, NULL);
      g_assert_true (g_hash_table_add (names, g_strdup (name)));
    }

  test_executor_end (executor);
}

static void
test_keep_alive_expires (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "brief", "max-threads", 3,
                                           "keep-alive", (gint64) 2000, NULL);
  guint round;

  for (round = 0; round < 3; round++)
    {
      g_autoptr (GHashTable) names = collect_names (executor, 3);

      g_assert_cmpuint (g_hash_table_size (names), ==, 3);
      test_wait_until (test_count_threads ("brief-") == 0);
      g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 0);
      g_assert_cmpuint (test_snapshot (executor, n_idle), ==, 0);
    }

  test_executor_end (executor);
}

static void
test_keep_alive_none (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "none", "max-threads", 2,
                                           "keep-alive", (gint64) 0, NULL);
  guint i;

  for (i = 0; i < 20; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_name_job, NULL);
      g_autofree char *expected = g_strdup_printf ("none-%u", i + 1);
      g_autofree char *name = NULL;

      test_assert_done (future);
      name = concur_future_dup_string (future, NULL);
      g_assert_cmpstr (name, ==, expected);
      test_wait_until (test_snapshot (executor, n_threads) == 0);
    }

  test_executor_end (executor);
}

static void
test_keep_alive_for_ever (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "ever", "max-threads", 2,
                                           "keep-alive", (gint64) -1, NULL);
  g_autoptr (GHashTable) names = collect_names (executor, 2);
  g_autoptr (ConcurPromise) never = concur_promise_new ();

  test_wait_until (test_snapshot (executor, n_idle) == 2);
  /* There is no event to wait for: this only gives a mistake time to show. */
  concur_future_ignore (concur_promise_get_future (never));
  g_assert_false (concur_future_wait (concur_promise_get_future (never), 50000));
  g_assert_cmpuint (test_count_threads ("ever-"), ==, 2);

  test_executor_end (executor);
}

static gpointer
submit_and_wait (gpointer data)
{
  guint n = test_scaled (2000);
  guint i, k;

  for (i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (data, test_one_job, NULL);

      test_assert_done (future);
      test_assert_int64 (future, 1);
      /* The thread is now about to give up: come a little later each time. */
      for (k = i % 16; k > 0; k--)
        g_thread_yield ();
    }

  return NULL;
}

/* A thread that gives up at the moment a job comes for it: nobody may lose the job. With
 * one thread and one that submits, no later job covers up for a lost one. */
static void
expiry_against_push (guint  max_threads,
                     guint  n_submitters,
                     gint64 keep_alive)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "max-threads", max_threads,
                                           "keep-alive", keep_alive, NULL);
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  guint i;

  for (i = 0; i < n_submitters; i++)
    g_ptr_array_add (threads, g_thread_new (NULL, submit_and_wait, executor));
  for (i = 0; i < n_submitters; i++)
    g_thread_join (threads->pdata[i]);

  test_executor_end (executor);
}

static void
test_expiry_against_push (void)
{
  static const gint64 keep_alives[] = { 0, 5, 50, -1 };
  guint i;

  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (keep_alives); i++)
    {
      expiry_against_push (1, 1, keep_alives[i]);
      expiry_against_push (2, 3, keep_alives[i]);
    }
  test_shake_stop ();
}

static void
test_settings (void)
{
  g_autoptr (ConcurThreadExecutor) executor = NULL;
  g_autofree char *name = NULL;
  guint max_threads, max_blocked, max_pending;
  gint64 keep_alive;
  ConcurOverflow overflow;
  ConcurReleasePolicy release;
  gboolean paused;

  executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                           "name", "settings",
                           "max-threads", 7,
                           "max-blocked", 5,
                           "max-pending", 99,
                           "overflow", CONCUR_OVERFLOW_REJECT,
                           "keep-alive", (gint64) 1234567890123,
                           "release", CONCUR_RELEASE_WORKER,
                           NULL);

  g_object_get (executor,
                "name", &name,
                "max-threads", &max_threads,
                "max-blocked", &max_blocked,
                "max-pending", &max_pending,
                "overflow", &overflow,
                "keep-alive", &keep_alive,
                "release", &release,
                "paused", &paused,
                NULL);
  g_assert_cmpstr (name, ==, "settings");
  g_assert_cmpuint (max_threads, ==, 7);
  g_assert_cmpuint (max_blocked, ==, 5);
  g_assert_cmpuint (max_pending, ==, 99);
  g_assert_cmpint (overflow, ==, CONCUR_OVERFLOW_REJECT);
  g_assert_cmpint (keep_alive, ==, 1234567890123);
  g_assert_cmpint (release, ==, CONCUR_RELEASE_WORKER);
  g_assert_false (paused);

  g_assert_cmpstr (concur_thread_executor_get_name (executor), ==, "settings");
  g_assert_cmpuint (concur_thread_executor_get_max_threads (executor), ==, 7);
  g_assert_cmpuint (concur_thread_executor_get_max_blocked (executor), ==, 5);
  g_assert_cmpuint (concur_thread_executor_get_max_pending (executor), ==, 99);
  g_assert_cmpint (concur_thread_executor_get_overflow (executor), ==, CONCUR_OVERFLOW_REJECT);
  g_assert_cmpint (concur_thread_executor_get_keep_alive (executor), ==, 1234567890123);
  g_assert_cmpint (concur_thread_executor_get_release (executor), ==, CONCUR_RELEASE_WORKER);
  g_assert_false (concur_thread_executor_get_paused (executor));
}

static void
assert_defaults (ConcurThreadExecutor *executor)
{
  g_assert_cmpstr (concur_thread_executor_get_name (executor), ==, "concur");
  g_assert_cmpuint (concur_thread_executor_get_max_threads (executor), ==,
                    g_get_num_processors () + 4);
  g_assert_cmpuint (concur_thread_executor_get_max_blocked (executor), >, 0);
  g_assert_cmpuint (concur_thread_executor_get_max_pending (executor), ==, 0);
  g_assert_cmpint (concur_thread_executor_get_overflow (executor), ==, CONCUR_OVERFLOW_WAIT);
  g_assert_cmpint (concur_thread_executor_get_keep_alive (executor), >, 0);
  g_assert_cmpint (concur_thread_executor_get_release (executor), ==, CONCUR_RELEASE_HOME);
  g_assert_false (concur_thread_executor_get_paused (executor));
}

static void
test_settings_default (void)
{
  g_autoptr (ConcurThreadExecutor) executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  assert_defaults (executor);
}

/* GLib made this a warning before and a critical after some version; either will do. */
static void
count_complaint (const char     *domain,
                 GLogLevelFlags  level,
                 const char     *message,
                 gpointer        data)
{
  guint *n_complaints = data;

  g_assert_nonnull (strstr (message, "out of range"));
  (*n_complaints)++;
}

static gboolean
is_not_fatal (const char     *domain,
              GLogLevelFlags  level,
              const char     *message,
              gpointer        data)
{
  return FALSE;
}

/* What cannot be set is complained of by name, and not taken for something else that can:
 * above all not for 0, which has a meaning. */
static void
test_settings_impossible (void)
{
  g_autoptr (ConcurThreadExecutor) executor = NULL;
  g_autoptr (ConcurFuture) future = NULL;
  guint n_complaints = 0;
  guint handler;

  handler = g_log_set_handler ("GLib-GObject",
                               G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_FLAG_FATAL,
                               count_complaint, &n_complaints);
  g_test_log_set_fatal_handler (is_not_fatal, NULL);

  executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                           "max-threads", G_MAXUINT,
                           "max-blocked", G_MAXUINT,
                           "max-pending", G_MAXUINT,
                           "keep-alive", (gint64) -2,
                           "overflow", 77,
                           "release", -1,
                           NULL);

  g_log_remove_handler ("GLib-GObject", handler);
  g_test_log_set_fatal_handler (NULL, NULL);

  g_assert_cmpuint (n_complaints, ==, 6);
  assert_defaults (executor);

  future = test_submit (executor, test_one_job, NULL);
  test_assert_done (future);
  test_assert_int64 (future, 1);
}

static gpointer
get_default (gpointer data)
{
  return concur_executor_get_default ();
}

static void
test_default (void)
{
  ConcurExecutor *executor;
  GThread *threads[4];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, get_default, NULL);
  executor = concur_executor_get_default ();
  assert_defaults (CONCUR_THREAD_EXECUTOR (executor));
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_assert_true (g_thread_join (threads[i]) == executor);

  for (i = CONCUR_SHUTDOWN_DRAIN; i <= CONCUR_SHUTDOWN_CANCEL_ALL; i++)
    {
      g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, i);
      g_autoptr (ConcurFuture) future = NULL;

      g_assert_true (concur_future_is_done (end));
      test_assert_error (end, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);

      future = test_submit (executor, test_one_job, NULL);
      test_assert_done (future);
      test_assert_int64 (future, 1);
    }
}

static gboolean
thread_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  TestReleases *releases = data;

  releases->thread = g_thread_self ();
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_release_on_worker (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "max-threads", 1, "release", CONCUR_RELEASE_WORKER,
                                           NULL);
  TestReleases releases = { 0 }, refused = { 0 };
  g_autoptr (ConcurFuture) future = NULL, late = NULL;

  future = concur_executor_submit (executor, thread_job, &releases, test_released, NULL);
  /* Nothing is served here meanwhile: it does not come home. */
  while (test_releases_get (&releases) == 0)
    g_thread_yield ();
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_assert_done (future);

  {
    g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);

    test_assert_done (end);
  }

  /* No worker comes near this one. */
  late = concur_executor_submit (executor, test_one_job, &refused, test_released, NULL);
  test_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_assert_cmpuint (test_releases_get (&refused), ==, 1);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);

  g_object_unref (executor);
}

static void
clog_gio (GTask        *task,
          gpointer      source,
          gpointer      data,
          GCancellable *cancellable)
{
  TestClog *clog = data;

  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
  g_task_return_boolean (task, TRUE);
}

static void
gio_returned (GObject      *source,
              GAsyncResult *result,
              gpointer      data)
{
  guint *n_returned = data;

  g_assert_true (g_task_propagate_boolean (G_TASK (result), NULL));
  (*n_returned)++;
}

/* GIO has a pool for the whole process, which others fill up. Ours is our own. */
static void
test_gio_is_clogged (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  TestClog clog = { 0 };
  const guint n_tasks = 30;
  guint n_returned = 0;
  guint i;

  for (i = 0; i < n_tasks; i++)
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, gio_returned, &n_returned);

      g_task_set_task_data (task, &clog, NULL);
      g_task_run_in_thread (task, clog_gio);
    }
  test_gate_wait_n (&clog.begun, 10);

  for (i = 0; i < 100; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_one_job, NULL);

      test_assert_done (future);
    }

  /* All that time GIO's own were waiting. */
  g_assert_cmpuint (n_returned, ==, 0);
  test_gate_open (&clog.go);
  test_iterate_until (NULL, n_returned == n_tasks);
  test_executor_end (executor);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurThreadExecutor) executor = concur_thread_executor_new (1);
  ConcurExecutor *as_executor = CONCUR_EXECUTOR (executor);

  test_critical (g_assert_null (concur_executor_submit (NULL, test_one_job, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_executor_submit (as_executor, NULL, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_executor_submit (as_executor, test_one_job, NULL, NULL,
                                                        (GCancellable *) executor)));
  test_critical (g_assert_null (concur_executor_submit_job (as_executor, NULL, NULL)));
  test_critical (g_assert_null (concur_executor_shutdown (NULL, CONCUR_SHUTDOWN_DRAIN)));
  test_critical (g_assert_null (concur_executor_shutdown (as_executor, 3)));
  test_critical (g_assert_null (concur_executor_shutdown (as_executor, -1)));
  test_critical (concur_thread_executor_set_paused (NULL, TRUE));
  test_critical (g_assert_null (concur_thread_executor_dup_snapshot (NULL)));
  test_critical (g_assert_false (concur_thread_executor_run_next (NULL)));
  test_critical (g_assert_false (concur_thread_executor_run_next (executor)));

  g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 0);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/thread-executor/lazy", test_lazy);
  g_test_add_func ("/thread-executor/idle-thread-is-used", test_idle_thread_is_used);
  g_test_add_func ("/thread-executor/names", test_names);
  g_test_add_func ("/thread-executor/names/restored", test_names_are_restored);
  g_test_add_func ("/thread-executor/max-threads", test_max_threads);
  g_test_add_func ("/thread-executor/max-threads/under-load", test_max_threads_under_load);
  g_test_add_func ("/thread-executor/max-threads/0", test_thread_per_job);
  g_test_add_func ("/thread-executor/keep-alive", test_keep_alive_expires);
  g_test_add_func ("/thread-executor/keep-alive/0", test_keep_alive_none);
  g_test_add_func ("/thread-executor/keep-alive/-1", test_keep_alive_for_ever);
  g_test_add_func ("/thread-executor/keep-alive/expiry-against-push", test_expiry_against_push);
  g_test_add_func ("/thread-executor/settings", test_settings);
  g_test_add_func ("/thread-executor/settings/default", test_settings_default);
  g_test_add_func ("/thread-executor/settings/impossible", test_settings_impossible);
  g_test_add_func ("/thread-executor/default", test_default);
  g_test_add_func ("/thread-executor/release-on-worker", test_release_on_worker);
  g_test_add_func ("/thread-executor/gio-is-clogged", test_gio_is_clogged);
  g_test_add_func ("/thread-executor/mistakes", test_mistakes);

  return test_run ();
}
