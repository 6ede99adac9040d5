/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Process executors from their first worker to the end of the program, and what may come in
 * between: workers that cannot start yet, no descriptors left, a fork, shutdown at any
 * moment, the last reference. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <glib/gstdio.h>

#include "test-process.h"

/* A directory: a worker leaves a file there, begins only when there is one called “open”, and
 * waits for somebody to open the FIFO “gate” if there is one. */
#define PLACE "CONCUR_TEST_PLACE"
/* This is a program with workers, to be ended in that way. */
#define PROGRAM "CONCUR_TEST_PROGRAM"

/* Whoever hangs is killed, and fails by that. */
#define CHILD_SECONDS 50

static void
wait_at_place (void)
{
  const char *place = g_getenv (PLACE);
  g_autofree char *trace = NULL;
  g_autofree char *gate = NULL;
  g_autofree char *door = NULL;

  if (place == NULL)
    return;

  trace = g_strdup_printf ("%s/worker-%d", place, (int) getpid ());
  gate = g_build_filename (place, "gate", NULL);
  door = g_build_filename (place, "open", NULL);
  if (!g_file_set_contents (trace, "", 0, NULL))
    _exit (9);
  if (g_file_test (gate, G_FILE_TEST_EXISTS))
    {
      int fd = g_open (gate, O_RDONLY | O_CLOEXEC, 0);

      if (fd == -1)
        _exit (9);
      close (fd);
    }
  if (!g_file_test (door, G_FILE_TEST_EXISTS))
    _exit (5);
}

static char *
place_new (void)
{
  char *place = g_dir_make_tmp ("concur-process-XXXXXX", NULL);

  g_assert_nonnull (place);

  return place;
}

static void
place_open (const char *place)
{
  g_autofree char *door = g_build_filename (place, "open", NULL);

  g_assert_true (g_file_set_contents (door, "", 0, NULL));
}

static guint
place_count_workers (const char *place)
{
  GDir *dir = g_dir_open (place, 0, NULL);
  const char *name;
  guint n = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    n += g_str_has_prefix (name, "worker-");
  g_dir_close (dir);

  return n;
}

static void
place_free (char *place)
{
  GDir *dir = g_dir_open (place, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (place, name, NULL);

      g_assert_cmpint (g_remove (path), ==, 0);
    }
  g_dir_close (dir);
  g_assert_cmpint (g_rmdir (place), ==, 0);
  g_free (place);
}

static ConcurProcessExecutor *
workers_at (const char *place,
            guint       max_workers)
{
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), PLACE, place, TRUE);

  return workers_new ("max-workers", max_workers, "environment", environment, NULL);
}

static ConcurFuture *
call (ConcurProcessExecutor *workers,
      const char            *name)
{
  return concur_process_executor_call (workers, name, NULL, NULL, NULL);
}

static ConcurFuture *
call_square (ConcurProcessExecutor *workers,
             gint64                 n)
{
  return concur_process_executor_call (workers, "square", g_variant_new_int64 (n), NULL, NULL);
}

static void
assert_square (ConcurFuture *future,
               gint64        n)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_result (future, -1, &error);

  g_assert_no_error (error);
  g_assert_cmpint (g_variant_get_int64 (g_value_get_variant (value)), ==, n * n);
}

/* Of an orphan that nobody has asked for its status the number may be left, but no program. */
static gboolean
is_running (gint64 pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", (int) pid);
  g_autofree char *command = NULL;
  gsize size = 0;

  return g_file_get_contents (path, &command, &size, NULL) && size > 0;
}

/* Four attempts for the first call, one for each of the others, until one works. */
static void
test_crash_loop (void)
{
  char *place = place_new ();
  ConcurProcessExecutor *workers = workers_at (place, 1);
  g_autoptr (ConcurFuture) works = NULL;

  for (guint round = 0; round < 2; round++)
    {
      guint before = place_count_workers (place);
      g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);

      for (guint i = 0; i < 10; i++)
        g_ptr_array_add (calls, call_square (workers, i));
      for (guint i = 0; i < 10; i++)
        workers_assert_error (calls->pdata[i], CONCUR_EXECUTOR_ERROR,
                              CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                              "before it was ready: its exit status was 5");
      g_assert_cmpuint (place_count_workers (place) - before, ==, round == 0 ? 13 : 10);
    }

  place_open (place);
  works = call_square (workers, 7);
  assert_square (works, 7);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  place_free (place);
}

/* Each call costs its worker its life, and each finds a new one. */
static void
test_crashes (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);

  for (gint64 i = 0; i < 20; i++)
    {
      g_ptr_array_add (calls, concur_process_executor_call (workers, "exit",
                                                            g_variant_new_int32 (6), NULL, NULL));
      g_ptr_array_add (calls, call_square (workers, i));
    }
  for (gint64 i = 0; i < 20; i++)
    {
      workers_assert_error (calls->pdata[2 * i], CONCUR_EXECUTOR_ERROR,
                            CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                            "exit status was 6");
      assert_square (calls->pdata[2 * i + 1], i);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* The program does not want to know of its processes, so nobody does. */
static void
test_ignored_ends (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  g_autoptr (ConcurFuture) ends = NULL;
  g_autoptr (ConcurFuture) next = NULL;

  signal (SIGCHLD, SIG_IGN);
  ends = concur_process_executor_call (workers, "exit", g_variant_new_int32 (3), NULL, NULL);
  workers_assert_error (ends, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "is not known");
  next = call_square (workers, 3);
  assert_square (next, 3);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  signal (SIGCHLD, SIG_DFL);
}

static void
test_no_descriptors (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  struct rlimit limit, low;
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (ConcurFuture) works = NULL;
  GError *error = NULL;
  guint before = test_count_fds ();

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  low = limit;
  low.rlim_cur = MIN (limit.rlim_cur, 256);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &low), ==, 0);

  /* A waker, two sockets and the two ends of a pipe. */
  for (guint n_left = 0; n_left < 5; n_left++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      int fd;

      while ((fd = dup (STDIN_FILENO)) != -1)
        g_array_append_val (taken, fd);
      for (guint i = 0; i < n_left; i++)
        {
          close (g_array_index (taken, int, taken->len - 1));
          g_array_set_size (taken, taken->len - 1);
        }
      future = call (workers, "pid");
      g_assert_null (concur_future_result (future, -1, &error));
      g_test_message ("%u left: %s", n_left, error->message);
      g_assert_nonnull (strstr (error->message, g_strerror (EMFILE)));
      g_clear_error (&error);
    }

  for (guint i = 0; i < taken->len; i++)
    close (g_array_index (taken, int, i));
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  works = call_square (workers, 5);
  assert_square (works, 5);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  test_wait_until (test_count_fds () <= before);
}

static void
shut_down (ConcurProcessExecutor *workers,
           ConcurShutdownMode     mode)
{
  g_autoptr (ConcurFuture) late = NULL;

  g_object_unref (concur_process_executor_shutdown (workers, mode));
  late = call (workers, "pid");
  workers_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN, "");
}

static const ConcurShutdownMode modes[] = {
  CONCUR_SHUTDOWN_DRAIN, CONCUR_SHUTDOWN_CANCEL_PENDING, CONCUR_SHUTDOWN_CANCEL_ALL
};

static void
test_shutdown_before (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);

      shut_down (workers, modes[i]);
      workers_end (workers, modes[i]);

      workers = workers_new ("max-workers", 2, "min-workers", 2, NULL);
      shut_down (workers, modes[i]);
      workers_end (workers, modes[i]);
    }
}

/* The first call's worker waits for a gate before it is ready. */
static void
test_shutdown_starting (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      char *place = place_new ();
      g_autofree char *gate = g_build_filename (place, "gate", NULL);
      ConcurProcessExecutor *workers = workers_at (place, 1);
      g_autoptr (ConcurFuture) first = NULL;
      g_autoptr (ConcurFuture) second = NULL;

      g_assert_cmpint (mkfifo (gate, 0600), ==, 0);
      place_open (place);
      first = call_square (workers, 3);
      second = call_square (workers, 4);
      test_wait_until (place_count_workers (place) == 1);
      shut_down (workers, modes[i]);
      if (modes[i] != CONCUR_SHUTDOWN_CANCEL_ALL)
        close (g_open (gate, O_WRONLY | O_CLOEXEC, 0));

      if (modes[i] == CONCUR_SHUTDOWN_CANCEL_ALL)
        workers_assert_error (first, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
      else
        assert_square (first, 3);
      if (modes[i] == CONCUR_SHUTDOWN_DRAIN)
        assert_square (second, 4);
      else
        workers_assert_error (second, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
      workers_end (workers, modes[i]);
      place_free (place);
    }
}

/* Workers that are started beforehand are no calls. */
static void
test_warm_ones_leave_room (void)
{
  char *place = place_new ();
  g_autofree char *gate = g_build_filename (place, "gate", NULL);
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), PLACE, place, TRUE);
  ConcurProcessExecutor *workers;
  g_autoptr (ConcurFuture) queued = NULL;
  g_autoptr (ConcurFuture) too_many = NULL;

  g_assert_cmpint (mkfifo (gate, 0600), ==, 0);
  place_open (place);
  workers = workers_new ("max-workers", 3, "min-workers", 3, "max-pending", 1, "overflow",
                         CONCUR_OVERFLOW_REJECT, "environment", environment, NULL);
  queued = call_square (workers, 3);
  test_wait_until (place_count_workers (place) == 3);
  too_many = call_square (workers, 4);
  test_assert_error (too_many, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  close (g_open (gate, O_WRONLY | O_CLOEXEC, 0));
  assert_square (queued, 3);
  workers_end (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
  place_free (place);
}

static void
test_shutdown_during (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
      g_autoptr (ConcurFuture) waits = call (workers, "wait");
      g_autoptr (ConcurFuture) queued = call_square (workers, 4);

      test_wait_until (workers_has_text (waits, "waiting"));
      shut_down (workers, modes[i]);
      g_assert_false (modes[i] != CONCUR_SHUTDOWN_CANCEL_ALL && concur_future_is_done (waits));
      if (modes[i] != CONCUR_SHUTDOWN_CANCEL_ALL)
        concur_future_cancel (waits, CONCUR_CANCEL_NONE);
      workers_assert_error (waits, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
      if (modes[i] == CONCUR_SHUTDOWN_DRAIN)
        assert_square (queued, 4);
      else
        workers_assert_error (queued, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
      workers_end (workers, modes[i]);
    }
}

/* One that is harder than the first takes effect. */
static void
test_shutdown_harder (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  g_autoptr (ConcurFuture) waits = call (workers, "wait");
  g_autoptr (ConcurFuture) queued = call_square (workers, 4);

  test_wait_until (workers_has_text (waits, "waiting"));
  shut_down (workers, CONCUR_SHUTDOWN_DRAIN);
  shut_down (workers, CONCUR_SHUTDOWN_CANCEL_PENDING);
  workers_assert_error (queued, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  g_assert_false (concur_future_is_done (waits));
  shut_down (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
  workers_assert_error (waits, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  workers_end (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
}

/* The worker waits for room in the channel, and nobody receives. */
static void
test_shutdown_full (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  ConcurChannel *channel = concur_process_executor_call_stream (
      workers, "count", g_variant_new ("(x)", G_MAXINT64), NULL, 4, NULL);
  GValue value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;
  gint64 expected = 0;

  g_assert_true (concur_channel_receive_wait (channel, &value, -1, NULL));
  g_value_unset (&value);
  test_wait_until (concur_channel_get_length (channel) == 4);
  shut_down (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
  while (concur_channel_receive_wait (channel, &value, -1, &error))
    {
      g_assert_cmpint (g_variant_get_int64 (g_value_get_variant (&value)), ==, ++expected);
      g_value_unset (&value);
    }
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_object_unref (channel);
  workers_end (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
}

/* What is at work and what is queued is still done. */
static void
test_last_reference (void)
{
  char *place = place_new ();
  g_autofree char *gate = g_build_filename (place, "gate", NULL);
  ConcurProcessExecutor *workers = workers_at (place, 1);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (ConcurFuture) pid = NULL;
  gpointer watched = workers;

  g_assert_cmpint (mkfifo (gate, 0600), ==, 0);
  place_open (place);
  for (guint i = 0; i < 5; i++)
    g_ptr_array_add (calls, call_square (workers, i));
  pid = call (workers, "pid");
  g_object_add_weak_pointer (watched, &watched);
  g_object_unref (workers);
  g_assert_null (watched);
  close (g_open (gate, O_WRONLY | O_CLOEXEC, 0));
  for (guint i = 0; i < 5; i++)
    assert_square (calls->pdata[i], i);
  g_assert_nonnull (concur_future_result (pid, -1, NULL));
  test_wait_until (
      !is_running (g_variant_get_int64 (g_value_get_variant (concur_future_get_value (pid, NULL)))));
  place_free (place);
}

/* The child can do nothing with them, and does them no harm when it lets go of them. */
static void
test_fork (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, "min-workers", 2, NULL);
  g_autoptr (ConcurFuture) before = NULL;
  g_autoptr (ConcurFuture) after = NULL;
  g_autoptr (ConcurFuture) waits = NULL;
  pid_t pid;
  int status;

  test_wait_until (concur_process_executor_get_n_workers (workers) == 2);
  before = call (workers, "pid");
  g_assert_nonnull (concur_future_result (before, -1, NULL));
  waits = call (workers, "wait");
  test_wait_until (workers_has_text (waits, "waiting"));

  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      ConcurFuture *future;
      gsize n;
      gint64 *pids;

      alarm (CHILD_SECONDS);
      future = call (workers, "pid");
      if (!g_error_matches (concur_future_get_error (future), CONCUR_EXECUTOR_ERROR,
                            CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
        _exit (1);
      pids = concur_process_executor_dup_pids (workers, &n);
      if (pids != NULL || n != 0)
        _exit (2);
      g_object_unref (future);
      g_object_unref (workers);
      _exit (0);
    }

  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_cmpint (status, ==, 0);
  g_assert_false (concur_future_is_done (waits));
  after = call (workers, "pid");
  g_assert_nonnull (concur_future_result (after, -1, NULL));
  g_assert_cmpuint (concur_process_executor_get_n_workers (workers), ==, 2);
  workers_end (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
}

/* A worker that has nothing to do with its stderr is not listened to for ever. */
static void
test_closed_stderr (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  g_autoptr (ConcurFuture) first = call (workers, "pid");
  g_autoptr (ConcurFuture) hushed = NULL;
  g_autoptr (ConcurFuture) died = NULL;
  guint before;

  g_assert_nonnull (concur_future_result (first, -1, NULL));
  before = test_count_fds ();
  hushed = call (workers, "hush");
  test_wait_until (test_count_fds () == before - 1);
  concur_future_cancel (hushed, CONCUR_CANCEL_NONE);
  workers_assert_error (hushed, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  died = concur_process_executor_call (workers, "exit", g_variant_new_int32 (4), NULL, NULL);
  workers_assert_error (died, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "exit status was 4");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* The program of the next test. Its workers are at work when it ends, and say who they are. */
static int
program_main (const char *how)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 3, "min-workers", 3, NULL);
  ConcurFuture *calls[] = { call (workers, "wait"), call (workers, "ignore"), call (workers, "pid"),
                            call (workers, "ignore"), call (workers, "ignore") };
  g_autofree gint64 *pids = NULL;
  gsize n;

  alarm (CHILD_SECONDS);
  test_wait_until (workers_has_text (calls[0], "waiting") && workers_has_text (calls[1], "ignoring")
                   && workers_has_text (calls[3], "ignoring"));
  test_wait_until (concur_process_executor_get_n_workers (workers) == 3);
  pids = concur_process_executor_dup_pids (workers, &n);
  for (guint i = 0; i < n; i++)
    printf ("%" G_GINT64_FORMAT " ", pids[i]);
  fflush (stdout);

  if (g_str_equal (how, "kill"))
    raise (SIGKILL);
  if (g_str_equal (how, "kill-with-child"))
    {
      /* It has the sockets, too. */
      pid_t pid = fork ();

      if (pid == 0)
        {
          alarm (CHILD_SECONDS);
          close (STDOUT_FILENO);
          for (;;)
            pause ();
        }
      printf ("%d ", (int) pid);
      fflush (stdout);
      raise (SIGKILL);
    }
  if (g_str_equal (how, "shutdown"))
    g_object_unref (concur_process_executor_shutdown (workers, CONCUR_SHUTDOWN_DRAIN));
  if (g_str_equal (how, "last-reference"))
    g_object_unref (workers);
  if (g_str_equal (how, "_exit"))
    _exit (0);

  return 0;
}

static void
test_program_ends (gconstpointer how)
{
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), PROGRAM, how, TRUE);
  g_autofree char *asan_options = g_strconcat (
      g_environ_getenv (environment, "ASAN_OPTIONS") != NULL
          ? g_environ_getenv (environment, "ASAN_OPTIONS")
          : "",
      ":detect_leaks=0", NULL);
  gboolean is_killed = g_str_has_prefix (how, "kill");
  g_autofree char *output = NULL;
  g_auto (GStrv) pids = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  /* It ends in the middle of its work. */
  environment = g_environ_setenv (environment, "ASAN_OPTIONS", asan_options, TRUE);
  g_assert_true (g_spawn_sync (NULL, (char **) worker_command (), environment, G_SPAWN_DEFAULT,
                               NULL, NULL, &output, NULL, &status, &error));
  g_assert_no_error (error);
  if (is_killed)
    g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
  else
    g_assert_cmpint (status, ==, 0);

  pids = g_strsplit (g_strchomp (output), " ", -1);
  g_assert_cmpuint (g_strv_length (pids), ==, g_str_equal (how, "kill-with-child") ? 4 : 3);
  for (guint i = 0; i < 3; i++)
    test_wait_until (!is_running (atoi (pids[i])));
  if (pids[3] != NULL)
    {
      g_assert_true (is_running (atoi (pids[3])));
      kill (atoi (pids[3]), SIGKILL);
    }
}

int
main (int   argc,
      char *argv[])
{
  wait_at_place ();
  if (worker_main ())
    return 0;
  if (g_getenv (PROGRAM) != NULL)
    return program_main (g_getenv (PROGRAM));

  test_init (&argc, &argv);

  g_test_add_func ("/process-life/crash-loop", test_crash_loop);
  g_test_add_func ("/process-life/crashes", test_crashes);
  g_test_add_func ("/process-life/no-descriptors", test_no_descriptors);
  g_test_add_func ("/process-life/ignored-ends", test_ignored_ends);
  g_test_add_func ("/process-life/shutdown/before", test_shutdown_before);
  g_test_add_func ("/process-life/shutdown/starting", test_shutdown_starting);
  g_test_add_func ("/process-life/warm-ones-leave-room", test_warm_ones_leave_room);
  g_test_add_func ("/process-life/shutdown/during", test_shutdown_during);
  g_test_add_func ("/process-life/shutdown/harder", test_shutdown_harder);
  g_test_add_func ("/process-life/shutdown/full", test_shutdown_full);
  g_test_add_func ("/process-life/last-reference", test_last_reference);
  g_test_add_func ("/process-life/fork", test_fork);
  g_test_add_func ("/process-life/closed-stderr", test_closed_stderr);
  g_test_add_data_func ("/process-life/program/returns", "return", test_program_ends);
  g_test_add_data_func ("/process-life/program/shuts-down", "shutdown", test_program_ends);
  g_test_add_data_func ("/process-life/program/lets-go", "last-reference", test_program_ends);
  g_test_add_data_func ("/process-life/program/_exit", "_exit", test_program_ends);
  g_test_add_data_func ("/process-life/program/killed", "kill", test_program_ends);
  g_test_add_data_func ("/process-life/program/killed-after-fork", "kill-with-child",
                        test_program_ends);

  return test_run ();
}
