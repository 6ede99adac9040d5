/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a worker process begins: there are two ways, with and without a fork, and a worker
 * cannot tell them apart. */

#include "config.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test-process.h"

static gboolean
has_descriptor_of (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *link = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (link, NULL);

      if (g_strcmp0 (target, path) == 0)
        return TRUE;
    }

  return FALSE;
}

/* What this process was given, as text. */
static GVariant *
look_around (const char *leaked)
{
  g_autofree char *input = g_file_read_link ("/proc/self/fd/0", NULL);
  struct sigaction broken_pipe;
  struct rlimit core;
  sigset_t blocked;

  sigaction (SIGPIPE, NULL, &broken_pipe);
  sigprocmask (SIG_SETMASK, NULL, &blocked);
  getrlimit (RLIMIT_CORE, &core);

  return g_variant_new_take_string (g_strdup_printf (
      "stdin %s, %s, %s, SIGUSR1 %s, SIGPIPE %s, core %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
      input, getpgrp () == getpid () ? "leader" : "member",
      has_descriptor_of (leaked) ? "leak" : "no leak",
      sigismember (&blocked, SIGUSR1) ? "blocked" : "open",
      broken_pipe.sa_handler == SIG_DFL ? "default" : "ignored", (guint64) core.rlim_cur,
      (guint64) core.rlim_max));
}

static GVariant *
answer (ConcurWorkerCall  *call,
        gpointer           data,
        GError           **error)
{
  const char *path;

  g_variant_get (concur_worker_call_get_arguments (call), "(&s)", &path);

  return look_around (path);
}

static int n_forks;

static void
count_fork (void)
{
  n_forks++;
}

static void
assert_look (ConcurProcessExecutor *workers,
             const char            *leaked)
{
  g_autoptr (ConcurFuture) future = concur_process_executor_call (
      workers, "look", g_variant_new ("(s)", leaked), NULL, NULL);
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_result (future, -1, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (g_variant_get_string (g_value_get_variant (value), NULL), ==,
                   "stdin /dev/null, leader, no leak, SIGUSR1 open, SIGPIPE default, core 0/0");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_what_it_finds (void)
{
  g_autofree char *path = NULL;
  g_autofree char *directory = g_get_current_dir ();
  int leaked = g_file_open_tmp (NULL, &path, NULL);
  sigset_t user, before;

  /* Not for any child to have. */
  fcntl (leaked, F_SETFD, 0);
  sigemptyset (&user);
  sigaddset (&user, SIGUSR1);
  pthread_sigmask (SIG_BLOCK, &user, &before);
  signal (SIGPIPE, SIG_IGN);

  n_forks = 0;
  assert_look (workers_new ("max-workers", 1, NULL), path);
#if HAVE_SPAWN_CLOSEFROM
  g_assert_cmpint (n_forks, ==, 0);
#endif
  assert_look (workers_new ("max-workers", 1, "max-files", (guint64) 64, NULL), path);
  g_assert_cmpint (n_forks, ==, 1);
  assert_look (workers_new ("max-workers", 1, "working-directory", directory, NULL), path);
  g_assert_cmpint (n_forks, ==, 2);

  signal (SIGPIPE, SIG_DFL);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  close (leaked);
  g_unlink (path);
}

/* A file without a first line that names an interpreter. */
static void
test_script (void)
{
  g_autofree char *text = g_strdup_printf ("exec \"%s\" \"$@\"\n", worker_command ()[0]);
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp (NULL, &path, NULL);
  const char *command[] = { path, NULL };

  g_assert_cmpint (write (fd, text, strlen (text)), ==, strlen (text));
  g_assert_cmpint (fchmod (fd, 0700), ==, 0);
  close (fd);
  assert_look (concur_process_executor_new (command, 1), path);
  g_unlink (path);
}

/* Its targets are taken in this process. */
static void
test_low_descriptors (void)
{
  int input = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);

  close (STDIN_FILENO);
  assert_look (workers, "");
  g_assert_cmpint (dup2 (input, STDIN_FILENO), ==, STDIN_FILENO);
  close (input);
}

int
main (int   argc,
      char *argv[])
{
  if (g_getenv ("CONCUR_WORKER_FD") != NULL)
    return !concur_worker_run (answer, NULL, NULL);

  test_init (&argc, &argv);
  pthread_atfork (count_fork, NULL, NULL);

  g_test_add_func ("/process-spawn/what-it-finds", test_what_it_finds);
  g_test_add_func ("/process-spawn/script", test_script);
  g_test_add_func ("/process-spawn/low-descriptors", test_low_descriptors);

  return g_test_run ();
}
