/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The process ends in the middle of things: with the status it was given, at once, and
 * without a crash, whatever the threads are doing. The program runs itself with the name
 * of what it is to do. */

#include "config.h"

#include "test-workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS 23

/* A child that hangs ends by this, which its parent sees. */
#define CHILD_SECONDS 60

static char *program;

/* The children: each sets something going, and ends. */

static gboolean
busy_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  GString *text = g_string_new (NULL);

  /* Uses the allocator and GObject all the time, as real work does. */
  for (;;)
    {
      g_autoptr (GCancellable) object = g_cancellable_new ();

      g_string_append_printf (text, "%p", (gpointer) object);
      if (text->len > 1000)
        g_string_truncate (text, 0);
    }

  return TRUE;
}

/* Nothing is released at exit: what belongs to main () may be gone. */
static void
must_not_run (gpointer data)
{
  _exit (99);
}

static void
use_some (ConcurExecutor *executor)
{
  guint i;

  for (i = 0; i < 5; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_one_job, NULL);

      test_assert_done (future);
    }
}

static ConcurFuture *
submit_busy (ConcurExecutor *executor)
{
  return concur_executor_submit (executor, busy_job, NULL, must_not_run, NULL);
}

static void
child_idle (void)
{
  use_some (concur_executor_get_default ());
  exit (STATUS);
}

static void
child_running (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();
  guint i;

  use_some (executor);
  for (i = 0; i < 3; i++)
    {
      ConcurFuture *future = submit_busy (executor);

      test_wait_until (concur_future_get_state (future) == CONCUR_FUTURE_STATE_RUNNING);
    }
  exit (STATUS);
}

/* The jobs end while the process does. */
static void
child_finishing (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();
  guint i;

  for (i = 0; i < 300; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_one_job, NULL);
    }
  exit (STATUS);
}

static void
child_queued (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  guint i;

  for (i = 0; i < 100; i++)
    {
      g_autoptr (ConcurFuture) future = submit_busy (executor);
    }
  exit (STATUS);
}

static gboolean
holding_job (ConcurJob  *job,
             gpointer    gate,
             GError    **error)
{
  g_object_ref (job);
  concur_job_hold (job);

  return TRUE;
}

static void
child_held (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();
  ConcurFuture *future = concur_executor_submit (executor, holding_job, NULL, must_not_run, NULL);
  ConcurPromise *promise = concur_promise_new ();

  use_some (executor);
  test_wait_until (concur_future_get_state (future) == CONCUR_FUTURE_STATE_RUNNING);
  g_assert_false (concur_future_is_done (concur_promise_get_future (promise)));
  exit (STATUS);
}

static gboolean
end_here (gpointer data)
{
  exit (STATUS);
}

static void
never_called (ConcurFuture *future,
              gpointer      data)
{
  _exit (98);
}

/* Inside the main loop, with callbacks to come. */
static void
child_loop (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();
  GMainLoop *loop = g_main_loop_new (NULL, FALSE);
  ConcurFuture *future = submit_busy (executor);
  guint i;

  concur_future_when_done (future, never_called, NULL, must_not_run, NULL);
  for (i = 0; i < 100; i++)
    {
      g_autoptr (ConcurFuture) short_one = test_submit (executor, test_one_job, NULL);
    }
  g_idle_add_full (G_PRIORITY_LOW, end_here, NULL, NULL);
  g_main_loop_run (loop);
}

static gboolean
exit_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  exit (STATUS);
}

/* A job ends the process, while main () waits for it. */
static void
child_from_a_job (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();
  ConcurFuture *busy = submit_busy (executor);
  ConcurFuture *future = test_submit (executor, exit_job, NULL);

  concur_future_wait (future, -1);
  concur_future_wait (busy, -1);
  _exit (97);
}

static gpointer
blocked_submitter (gpointer executor)
{
  ConcurFuture *future = submit_busy (executor);

  concur_future_wait (future, -1);
  _exit (96);
}

/* Other threads wait for room, or for a result. */
static void
child_blocked (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "max-threads", 1, "max-pending", 1, NULL);
  guint i;

  for (i = 0; i < 4; i++)
    g_thread_unref (g_thread_new (NULL, blocked_submitter, executor));
  test_wait_until (test_snapshot (executor, n_pending) == 1
                   && test_snapshot (executor, n_running) == 1);
  exit (STATUS);
}

/* The last thing that happens is an orderly end that nobody waits for. */
static void
child_shutting_down (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  guint i;

  for (i = 0; i < 50; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, test_one_job, NULL);
    }
  {
    g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);

    g_object_unref (executor);
  }
  exit (STATUS);
}

/* The service thread is at work. */
static void
child_cancelling (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  GCancellable *cancellable = g_cancellable_new ();
  guint i;

  for (i = 0; i < 200; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;

      future = concur_executor_submit (executor, test_endless_job, NULL, NULL, cancellable);
    }
  g_cancellable_cancel (cancellable);
  exit (STATUS);
}

/* What runs at exit may use the library, and what it has submitted may be done. */
static ConcurExecutor *late_executor;

static void
at_exit (void)
{
  g_autoptr (ConcurFuture) future = test_submit (late_executor, test_one_job, NULL);

  if (!concur_future_wait (future, TEST_PATIENCE_US) || !concur_future_check (future, NULL))
    _exit (95);
}

static void
child_at_exit (void)
{
  late_executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  use_some (late_executor);
  atexit (at_exit);
  exit (STATUS);
}

/* The main thread ends before the process does. */
static gboolean
last_job (ConcurJob  *job,
          gpointer    main_thread,
          GError    **error)
{
  /* GLib has no event for it: until the kernel has no more of it than its number. */
  for (;;)
    {
      g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/stat", (int) getpid ());
      g_autofree char *stat = NULL;

      if (!g_file_get_contents (path, &stat, NULL, NULL) || strstr (stat, ") Z ") != NULL)
        break;
      g_thread_yield ();
    }
  exit (STATUS);
}

static void
child_without_main (void)
{
  static int exit_value;
  ConcurFuture *future = test_submit (concur_executor_get_default (), last_job, NULL);

  g_object_unref (future);
  pthread_exit (&exit_value);
}

static const struct
{
  const char *name;
  void (*run) (void);
} children[] = {
  { "idle", child_idle },
  { "running", child_running },
  { "finishing", child_finishing },
  { "queued", child_queued },
  { "held", child_held },
  { "loop", child_loop },
  { "from-a-job", child_from_a_job },
  { "blocked", child_blocked },
  { "shutting-down", child_shutting_down },
  { "cancelling", child_cancelling },
  { "at-exit", child_at_exit },
  { "without-main", child_without_main },
};

#define ALL_RUNS 204            /* 17 of each */

static void
test_child (gconstpointer data)
{
  const char *name = data;
  guint i, runs = test_scaled (ALL_RUNS) / G_N_ELEMENTS (children) + 1;

  for (i = 0; i < runs; i++)
    {
      const char *argv[] = { program, "--child", name, NULL };
      g_autofree char *output = NULL, *errors = NULL;
      g_autoptr (GError) error = NULL;
      gint status;

      g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                                   &output, &errors, &status, &error));
      g_assert_no_error (error);
      if (!WIFEXITED (status) || WEXITSTATUS (status) != STATUS)
        g_error ("%s ended with the wait status 0x%x\n%s%s", name, (unsigned) status, output, errors);
      g_assert_cmpstr (output, ==, "");
      g_assert_cmpstr (errors, ==, "");
    }
}

#if defined (__SANITIZE_ADDRESS__)
/* What a process leaves behind at such an end is not a leak. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "detect_leaks=0";
}
#endif

int
main (int   argc,
      char *argv[])
{
  guint i;

  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    {
      const struct rlimit no_core = { 0, 0 };

      setrlimit (RLIMIT_CORE, &no_core);
      alarm (CHILD_SECONDS);
      for (i = 0; i < G_N_ELEMENTS (children); i++)
        {
          if (strcmp (argv[2], children[i].name) == 0)
            children[i].run ();
        }
      return EXIT_FAILURE;
    }

  test_init (&argc, &argv);
  program = g_file_read_link ("/proc/self/exe", NULL);
  g_assert_nonnull (program);

  for (i = 0; i < G_N_ELEMENTS (children); i++)
    {
      g_autofree char *path = g_strconcat ("/exit/", children[i].name, NULL);

      g_test_add_data_func (path, children[i].name, test_child);
    }

  return test_run ();
}
