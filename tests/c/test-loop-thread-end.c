/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a loop thread ends that nobody stops: by its last reference, a fork, or the end of
 * the process. */

#include "config.h"

#include "test-loop-thread.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* The last reference goes while it runs: what was submitted is done, then it goes. */
static void
test_dropped (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
  TestReleases finalized = { 0 };
  ConcurJob *held = hold (thread);
  gint count = 0;
  ConcurFuture *future = test_submit (thread, test_count_job, &count);

  test_releases_watch (&finalized, thread);
  g_object_unref (thread);
  test_assert_done (future);
  test_assert_int64 (future, 0);
  g_object_unref (future);
  g_assert_cmpuint (test_releases_get (&finalized), ==, 0);
  release (held);
  test_wait_until (test_releases_get (&finalized) == 1);
  assert_clean (before);
}

static gboolean
drop_job (ConcurJob  *job,
          gpointer    thread,
          GError    **error)
{
  g_object_unref (thread);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_dropped_inside (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = started ("stop");
  TestReleases finalized = { 0 };
  ConcurFuture *future;

  test_releases_watch (&finalized, thread);
  future = test_submit (thread, drop_job, thread);
  test_assert_done (future);
  g_object_unref (future);
  test_wait_until (test_releases_get (&finalized) == 1);
  test_wait_until (test_count_threads ("stop") == 0);
  assert_clean (before);
}

static gpointer
dropper (gpointer data)
{
  Actors *actors = data;

  test_gate_open (&actors->ready);
  test_gate_wait (&actors->go);
  g_object_unref (actors->thread);

  return NULL;
}

/* The last reference, and the end, at the same moment. */
static void
test_dropped_at_end (void)
{
  guint before = test_futures_alive ();
  guint i, n = test_scaled (200);

  test_shake_start ();
  for (i = 0; i < n; i++)
    {
      Actors actors = { .thread = started ("stop") };
      TestReleases finalized = { 0 };
      GThread *thread = g_thread_new (NULL, dropper, &actors);
      ConcurFuture *shut;

      test_releases_watch (&finalized, actors.thread);
      test_gate_wait (&actors.ready);
      shut = concur_executor_shutdown (CONCUR_EXECUTOR (actors.thread), CONCUR_SHUTDOWN_DRAIN);
      test_gate_open (&actors.go);
      test_assert_done (shut);
      g_object_unref (shut);
      g_thread_join (thread);
      test_wait_until (test_releases_get (&finalized) == 1);
    }
  test_shake_stop ();
  assert_clean (before);
}

/* In a forked process. */
#define CHECK(condition)                                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      _exit (1 + __LINE__ % 250);                                                                  \
  }                                                                                                \
  G_STMT_END

#define CHECK_NOT_RUNNING(call)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    GError *error = NULL;                                                                          \
    CHECK (!(call));                                                                               \
    CHECK (g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING));     \
  }                                                                                                \
  G_STMT_END

static void
child (ConcurLoopThread *thread)
{
  TestReleases releases = { 0 };
  ConcurLoopThread *fresh = concur_loop_thread_new (NULL);
  ConcurFuture *shut;

  CHECK_NOT_RUNNING (concur_loop_thread_start (thread, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_start (fresh, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_stop (thread, -1, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_join (thread, -1, &error));
  CHECK_NOT_RUNNING (concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, &error)
                     != NULL);
  CHECK_NOT_RUNNING (concur_loop_thread_dup_default (&error) != NULL);
  CHECK (concur_loop_thread_get_state (thread) == CONCUR_LOOP_STATE_STOPPED);
  CHECK (concur_loop_thread_add_task (thread, test_one_job, &releases, test_released) == 0);
  CHECK (test_releases_get (&releases) == 1);
  CHECK (!concur_loop_thread_remove_task (thread, 1));
  shut = concur_executor_shutdown (CONCUR_EXECUTOR (thread), CONCUR_SHUTDOWN_DRAIN);
  CHECK (g_error_matches (concur_future_get_error (shut), CONCUR_EXECUTOR_ERROR,
                          CONCUR_EXECUTOR_ERROR_NOT_RUNNING));
  g_object_unref (thread);
  g_object_unref (fresh);
  _exit (0);
}

static void
test_fork (void)
{
  ConcurLoopThread *thread = started ("stop");
  ConcurFuture *future;
  int status;
  pid_t pid;

  concur_loop_thread_add_task (thread, patient_job, NULL, NULL);
  future = concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, NULL);
  g_object_unref (future);
  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (50);
      child (thread);
    }
  while (waitpid (pid, &status, 0) != pid)
    ;
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("the child ended with the wait status 0x%x: line %d (mod 250)", (unsigned) status,
             WEXITSTATUS (status) - 1);
  stop (thread);
  g_object_unref (thread);
}

#define EXIT_STATUS 23

static gboolean
busy (gpointer data)
{
  g_free (g_strdup ("busy"));

  return G_SOURCE_CONTINUE;
}

static gboolean
busy_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_callback (source, busy, NULL, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  g_object_ref (job);
  concur_job_hold (job);

  return TRUE;
}

static void
exit_running (void)
{
  ConcurLoopThread *thread = started ("stop");

  concur_loop_thread_add_task (thread, busy_job, NULL, NULL);
  hold (thread);
  if (g_random_boolean ())
    concur_loop_thread_stop (thread, 0, NULL);
  exit (EXIT_STATUS);
}

static char *program;

static void
test_exit (void)
{
  const char *argv[] = { program, "--exit", NULL };
  guint i;

  for (i = 0; i < test_scaled (20) + 1; i++)
    {
      g_autofree char *output = NULL, *errors = NULL;
      g_autoptr (GError) error = NULL;
      gint status;

      g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output,
                                   &errors, &status, &error));
      g_assert_no_error (error);
      if (!WIFEXITED (status) || WEXITSTATUS (status) != EXIT_STATUS)
        g_error ("wait status 0x%x\n%s%s", (unsigned) status, output, errors);
      g_assert_cmpstr (errors, ==, "");
    }
}

#if defined(__SANITIZE_ADDRESS__)
/* What a process leaves behind at such an end is not a leak: only the child turns it off. */
extern void __lsan_disable (void);
#endif

int
main (int    argc,
      char **argv)
{
  if (argc == 2 && strcmp (argv[1], "--exit") == 0)
    {
#if defined(__SANITIZE_ADDRESS__)
      __lsan_disable ();
#endif
      alarm (60);
      exit_running ();
    }

  test_init (&argc, &argv);
  program = g_file_read_link ("/proc/self/exe", NULL);

  g_test_add_func ("/loop-thread/stop/dropped", test_dropped);
  g_test_add_func ("/loop-thread/stop/dropped-inside", test_dropped_inside);
  g_test_add_func ("/loop-thread/stop/dropped-at-end", test_dropped_at_end);
  g_test_add_func ("/loop-thread/stop/fork", test_fork);
  g_test_add_func ("/loop-thread/stop/exit", test_exit);

  return test_run ();
}
