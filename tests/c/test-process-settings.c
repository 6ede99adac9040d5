/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a process executor is told when it is made, and what its workers see of it. */

#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "test-process.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SHADOW_MEMORY 1
#else
#define HAS_SHADOW_MEMORY 0
#endif

static GVariant *
get_limits (void)
{
  static const int resources[] = { RLIMIT_CORE, RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE };
  GVariantBuilder limits;

  g_variant_builder_init (&limits, G_VARIANT_TYPE ("at"));
  for (guint i = 0; i < G_N_ELEMENTS (resources); i++)
    {
      struct rlimit limit;

      getrlimit (resources[i], &limit);
      g_variant_builder_add (&limits, "t", (guint64) limit.rlim_cur);
    }

  return g_variant_builder_end (&limits);
}

static GVariant *
settings_answer (ConcurWorkerCall  *call,
                 gpointer           data,
                 GError           **error)
{
  const char *name = concur_worker_call_get_name (call);

  if (g_str_equal (name, "limits"))
    return get_limits ();
  if (g_str_equal (name, "spin"))
    {
      for (;;)
        __asm__ volatile ("");
    }
  if (g_str_equal (name, "directory"))
    {
      g_autofree char *directory = g_get_current_dir ();

      return g_variant_new_string (directory);
    }
  if (g_str_equal (name, "variables"))
    {
      g_auto (GStrv) names = g_listenv ();

      return g_variant_new_strv ((const char *const *) names, -1);
    }
  if (g_str_equal (name, "complain"))
    {
      /* All of it, if somebody takes it. */
      for (guint i = 0; i < 5000; i++)
        {
          if (write (STDERR_FILENO, "# a line that a worker writes to stderr\n", 40) != 40)
            _exit (9);
        }
      return g_variant_new_boolean (TRUE);
    }

  return worker_answer (call, data, error);
}

static GVariant *
result (ConcurProcessExecutor *workers,
        const char            *name)
{
  g_autoptr (ConcurFuture) future = concur_process_executor_call (workers, name, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_result (future, -1, &error);

  g_assert_no_error (error);

  return g_variant_ref (g_value_get_variant (value));
}

static void
test_limits (void)
{
  guint64 memory = HAS_SHADOW_MEMORY ? 0 : G_GUINT64_CONSTANT (1) << 32;
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1,
                                                "max-memory", memory,
                                                "max-cpu-time", G_GUINT64_CONSTANT (50),
                                                "max-files", G_GUINT64_CONSTANT (100), NULL);
  g_autoptr (GVariant) limits = result (workers, "limits");
  const guint64 *each;
  gsize n;

  each = g_variant_get_fixed_array (limits, &n, sizeof each[0]);
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpuint (each[0], ==, 0);
  if (memory > 0)
    g_assert_cmpuint (each[1], ==, memory);
  g_assert_cmpuint (each[2], ==, 50);
  g_assert_cmpuint (each[3], ==, 100);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_no_limits (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  g_autoptr (GVariant) limits = result (workers, "limits");
  g_autoptr (GVariant) own = g_variant_ref_sink (get_limits ());
  const guint64 *each, *own_each;
  gsize n;

  each = g_variant_get_fixed_array (limits, &n, sizeof each[0]);
  own_each = g_variant_get_fixed_array (own, &n, sizeof each[0]);
  g_assert_cmpuint (each[0], ==, 0);
  for (guint i = 1; i < n; i++)
    g_assert_cmpuint (each[i], ==, own_each[i]);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_cpu_time (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "max-cpu-time",
                                                G_GUINT64_CONSTANT (1), NULL);
  g_autoptr (ConcurFuture) spins = concur_process_executor_call (workers, "spin", NULL, NULL, NULL);
  g_autoptr (GVariant) pid = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (concur_future_result (spins, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED);
  g_assert_nonnull (strstr (error->message, g_strsignal (SIGXCPU)));
  pid = result (workers, "pid");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_place (void)
{
  g_auto (GStrv) environment = g_environ_setenv (NULL, "CONCUR_TEST_ONLY", "this", TRUE);
  g_autofree char *place = g_dir_make_tmp ("concur-process-XXXXXX", NULL);
  ConcurProcessExecutor *workers;
  g_autoptr (GVariant) directory = NULL;
  g_autoptr (GVariant) variables = NULL;
  g_autofree const char **names = NULL;

  /* It must find its libraries. */
  if (g_getenv ("LD_LIBRARY_PATH") != NULL)
    environment = g_environ_setenv (environment, "LD_LIBRARY_PATH", g_getenv ("LD_LIBRARY_PATH"),
                                    TRUE);
  workers = workers_new ("max-workers", 1, "environment", environment, "working-directory", place,
                         NULL);
  directory = result (workers, "directory");
  g_assert_cmpstr (g_variant_get_string (directory, NULL), ==, place);
  variables = result (workers, "variables");
  names = g_variant_get_strv (variables, NULL);
  g_assert_true (g_strv_contains (names, "CONCUR_TEST_ONLY"));
  g_assert_false (g_strv_contains (names, "HOME"));
  /* Nor is there what would be taken for a connection by what it starts. */
  g_assert_false (g_strv_contains (names, "CONCUR_WORKER_FD"));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  rmdir (place);
}

static void
test_max_pending (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "max-pending", 2, "overflow",
                                                CONCUR_OVERFLOW_REJECT, NULL);
  g_autoptr (ConcurFuture) waits = concur_process_executor_call (workers, "wait", NULL, NULL, NULL);
  g_autoptr (GPtrArray) more = g_ptr_array_new_with_free_func (g_object_unref);
  ConcurSnapshot *snapshot;

  test_wait_until (workers_has_text (waits, "waiting"));
  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (more, concur_process_executor_call (workers, "pid", NULL, NULL, NULL));
  snapshot = concur_process_executor_dup_snapshot (workers);
  g_assert_cmpuint (concur_snapshot_get_n_pending (snapshot), ==, 2);
  g_assert_cmpuint (concur_snapshot_get_n_running (snapshot), ==, 1);
  g_object_unref (snapshot);
  test_assert_error (more->pdata[2], CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  concur_future_cancel (waits, CONCUR_CANCEL_NONE);
  for (guint i = 0; i < 2; i++)
    g_assert_nonnull (concur_future_result (more->pdata[i], -1, NULL));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* Nobody is kept for a call that does not come, but for so many. */
static void
test_idle_timeout (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 3, "min-workers", 1, "idle-timeout",
                                                G_GINT64_CONSTANT (1000), NULL);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 3; i++)
    g_ptr_array_add (calls, concur_process_executor_call (workers, "wait", NULL, NULL, NULL));
  for (guint i = 0; i < 3; i++)
    test_wait_until (workers_has_text (calls->pdata[i], "waiting"));
  g_assert_cmpuint (concur_process_executor_get_n_workers (workers), >=, 3);
  for (guint i = 0; i < 3; i++)
    concur_future_cancel (calls->pdata[i], CONCUR_CANCEL_NONE);
  test_wait_until (concur_process_executor_get_n_workers (workers) == 1);
  /* That one stays, and has the next call. */
  for (guint i = 0; i < 3; i++)
    {
      gsize n;
      g_autofree gint64 *pids = concur_process_executor_dup_pids (workers, &n);
      g_autoptr (GVariant) pid = result (workers, "pid");

      g_assert_cmpuint (n, ==, 1);
      g_assert_cmpint (g_variant_get_int64 (pid), ==, pids[0]);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* Nobody reads what the program writes to its stderr. Calls end all the same. */
static void
test_full_stderr (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  int kept = dup (STDERR_FILENO);
  int ends[2];
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) second = NULL;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (dup2 (ends[1], STDERR_FILENO), ==, STDERR_FILENO);
  first = result (workers, "complain");
  second = result (workers, "complain");
  g_assert_cmpint (dup2 (kept, STDERR_FILENO), ==, STDERR_FILENO);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  close (kept);
  close (ends[0]);
  close (ends[1]);
}

static void
test_properties (void)
{
  g_autofree char *name = NULL;
  g_auto (GStrv) command = NULL;
  guint max_workers, min_workers;
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, "min-workers", 5, "name", "names",
                                                NULL);

  g_object_get (workers, "name", &name, "command", &command, "max-workers", &max_workers,
                "min-workers", &min_workers, NULL);
  g_assert_cmpstr (name, ==, "names");
  g_assert_cmpstr (concur_process_executor_get_name (workers), ==, "names");
  g_assert_cmpstrv (command, worker_command ());
  g_assert_cmpstrv (concur_process_executor_get_command (workers), worker_command ());
  g_assert_cmpuint (max_workers, ==, 2);
  g_assert_cmpuint (concur_process_executor_get_max_workers (workers), ==, 2);
  /* No more than there can be. */
  g_assert_cmpuint (min_workers, ==, 2);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

int
main (int   argc,
      char *argv[])
{
  if (g_getenv ("CONCUR_WORKER_FD") != NULL)
    return !concur_worker_run (settings_answer, NULL, NULL);

  test_init (&argc, &argv);

  g_test_add_func ("/process-settings/limits", test_limits);
  g_test_add_func ("/process-settings/no-limits", test_no_limits);
  g_test_add_func ("/process-settings/cpu-time", test_cpu_time);
  g_test_add_func ("/process-settings/place", test_place);
  g_test_add_func ("/process-settings/max-pending", test_max_pending);
  g_test_add_func ("/process-settings/idle-timeout", test_idle_timeout);
  g_test_add_func ("/process-settings/full-stderr", test_full_stderr);
  g_test_add_func ("/process-settings/properties", test_properties);

  return test_run ();
}
