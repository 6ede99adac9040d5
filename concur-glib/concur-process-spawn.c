/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Between fork () and exec () a program stands twice in memory: for one with a gigabyte that
 * takes as long as some hundred calls, and each page that it then writes to for the first time
 * costs it a fault, in the middle of the first call. posix_spawn () does without the copy.
 * What it cannot do, and to say what went wrong, is left to GLib, which forks. */

#include "config.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <unistd.h>

#include "concur-process-spawn-private.h"
#include "concur-worker-link-private.h"

#define CHILD_SOCKET 3

static void
limit (int     resource,
       guint64 value,
       guint64 hard)
{
  struct rlimit limits = { .rlim_cur = value, .rlim_max = hard };

  setrlimit (resource, &limits);
}

/* In the child, before exec: only what is safe after a fork. */
static void
set_up_child (gpointer data)
{
  const ConcurProcessSettings *settings = data;
  sigset_t none;

  /* Ctrl-C in a terminal is for the program, and what the worker starts ends with it. */
  setpgid (0, 0);
  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGPIPE, SIG_DFL);

  limit (RLIMIT_CORE, 0, 0);
  if (settings->max_memory > 0)
    limit (RLIMIT_AS, settings->max_memory, settings->max_memory);
  /* First SIGXCPU, which says what it was, then SIGKILL. */
  if (settings->max_cpu > 0)
    limit (RLIMIT_CPU, settings->max_cpu, settings->max_cpu + 1);
  if (settings->max_files > 0)
    limit (RLIMIT_NOFILE, settings->max_files, settings->max_files);
}

#if HAVE_SPAWN_CLOSEFROM
/* The same, as far as it goes without code of ours in the child. */
static gboolean
spawn_quickly (const ConcurProcessSettings *settings,
               char                       **environment,
               int                          socket,
               int                          messages,
               pid_t                       *pid)
{
  const struct rlimit no_core = { 0, 0 };
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, broken;
  gboolean spawned;

  sigemptyset (&none);
  sigemptyset (&broken);
  sigaddset (&broken, SIGPIPE);

  posix_spawnattr_init (&attributes);
  posix_spawnattr_setpgroup (&attributes, 0);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &broken);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
                                             | POSIX_SPAWN_SETSIGDEF);

  posix_spawn_file_actions_init (&actions);
  /* Each fails for want of memory only, and then the program is not started. */
  spawned = posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0
            && posix_spawn_file_actions_adddup2 (&actions, messages, STDERR_FILENO) == 0
            && posix_spawn_file_actions_adddup2 (&actions, socket, CHILD_SOCKET) == 0
            && posix_spawn_file_actions_addclosefrom_np (&actions, CHILD_SOCKET + 1) == 0
            && posix_spawnp (pid, settings->command[0], &actions, &attributes, settings->command,
                             environment) == 0;
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);

  /* One with other rights than ours does not leave a core behind anyway. */
  if (spawned)
    prlimit (*pid, RLIMIT_CORE, &no_core, NULL);

  return spawned;
}

/* FALSE: it has to be done the other way. */
static gboolean
try_quickly (const ConcurProcessSettings *settings,
             char                       **environment,
             int                          socket,
             pid_t                       *pid,
             int                         *messages)
{
  int ends[2];
  gboolean spawned;

  if (settings->command[0] == NULL || settings->directory != NULL || settings->max_memory > 0
      || settings->max_cpu > 0 || settings->max_files > 0)
    return FALSE;
  if (pipe2 (ends, O_CLOEXEC) != 0)
    return FALSE;

  /* A descriptor that is in the way of a target would be overwritten before it is moved. */
  spawned = MIN (socket, ends[1]) > CHILD_SOCKET
            && spawn_quickly (settings, environment, socket, ends[1], pid);
  close (ends[1]);
  if (spawned)
    *messages = ends[0];
  else
    close (ends[0]);

  return spawned;
}
#endif

gboolean
concur_process_spawn (const ConcurProcessSettings  *settings,
                      int                           socket,
                      pid_t                        *pid,
                      int                          *messages,
                      GError                      **error)
{
  g_auto (GStrv) environment = settings->environment != NULL ? g_strdupv (settings->environment)
                                                             : g_get_environ ();
  int target = CHILD_SOCKET;

  environment = g_environ_setenv (environment, CONCUR_WORKER_FD_VARIABLE,
                                  G_STRINGIFY (CHILD_SOCKET), TRUE);
#if HAVE_SPAWN_CLOSEFROM
  if (try_quickly (settings, environment, socket, pid, messages))
    return TRUE;
#endif

  return g_spawn_async_with_pipes_and_fds (
      settings->directory, (const char *const *) settings->command,
      (const char *const *) environment,
      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | G_SPAWN_CLOEXEC_PIPES, set_up_child,
      (gpointer) settings, -1, -1, -1, &socket, &target, 1, pid, NULL, NULL, messages, error);
}
