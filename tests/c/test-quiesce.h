/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* concur_quiesce (): no thread of the library enters our code any more, and all others go
 * on. It cannot be taken back, so each case runs in a process of its own: the program runs
 * itself with the name of what it is to do.
 *
 * That something never happens is shown by the threads: once all of them stand still
 * nobody is left who could do it. */

#pragma once

#include "concur-exit-private.h"
#include "test-workers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS 23

/* A child that hangs ends by this, which its parent sees. */
#define CHILD_SECONDS 60

static char *program;

static GThread *main_thread;
static gint quiet;       /* atomic: concur_quiesce () has returned */
static gint n_late;      /* atomic: entries on threads of the library since then */

/* To be called by whatever code of ours the library calls. */
static inline void
enter (void)
{
  if (g_atomic_int_get (&quiet) && g_thread_self () != main_thread)
    g_atomic_int_inc (&n_late);
}

static inline void
quiesce (void)
{
  concur_quiesce ();
  g_atomic_int_set (&quiet, TRUE);
}

static inline guint
n_still (void)
{
  return (guint) concur_atomic_load (&concur_threads_still, CONCUR_ACQUIRE);
}

static inline void
assert_not_running (ConcurFuture *future)
{
  g_assert_true (concur_future_is_done (future));
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
}

/* Not exit (): what stands still has things that nobody lets go of. */
static inline G_NORETURN void
leave (void)
{
  g_assert_cmpint (g_atomic_int_get (&n_late), ==, 0);
  _exit (STATUS);
}

/* Whoever is told of anything. */

static inline void
called (gpointer data)
{
  enter ();
}

static inline void
future_called (ConcurFuture *future,
               gpointer      data)
{
  enter ();
}

/* A class that notes all it is told, and does it all. */

#define TEST_TYPE_JOB (test_job_get_type ())
G_DECLARE_FINAL_TYPE (TestJob, test_job, TEST, JOB, ConcurJob)

struct _TestJob
{
  ConcurJob parent_instance;
};

G_DEFINE_FINAL_TYPE (TestJob, test_job, CONCUR_TYPE_JOB)

static inline gboolean
test_job_run (ConcurJob  *job,
              GError    **error)
{
  enter ();
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static inline void
test_job_told (ConcurJob *job)
{
  enter ();
}

static inline void
test_job_class_init (TestJobClass *klass)
{
  CONCUR_JOB_CLASS (klass)->run = test_job_run;
  CONCUR_JOB_CLASS (klass)->done = test_job_told;
  CONCUR_JOB_CLASS (klass)->release = test_job_told;
}

static inline void
test_job_init (TestJob *self)
{
}

static inline ConcurFuture *
submit_told (ConcurExecutor *executor)
{
  g_autoptr (ConcurJob) job = g_object_new (TEST_TYPE_JOB, NULL);

  concur_job_watch (job);
  concur_future_add_direct_callback (CONCUR_FUTURE (job), future_called, NULL, called);

  return concur_executor_submit_job (executor, job, NULL);
}

/* Whoever runs it has entered. */
static inline gboolean
entering_job (ConcurJob *job,
              gpointer   data,
              GError   **error)
{
  enter ();
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* A callback that does not end before it is told to. */
static TestClog in_callback;

static inline void
clogged_callback (ConcurFuture *future,
                  gpointer      data)
{
  test_gate_open (&in_callback.begun);
  test_gate_wait (&in_callback.go);
}

/* A language whose threads enter its code before and after each job. */

#define TEST_TYPE_LANGUAGE (test_language_get_type ())
G_DECLARE_FINAL_TYPE (TestLanguage, test_language, TEST, LANGUAGE, ConcurThreadExecutor)

struct _TestLanguage
{
  ConcurThreadExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (TestLanguage, test_language, CONCUR_TYPE_THREAD_EXECUTOR)

static inline void
test_language_thread_main (ConcurThreadExecutor *executor)
{
  enter ();
  while (concur_thread_executor_run_next (executor))
    enter ();
  enter ();
}

static inline void
test_language_class_init (TestLanguageClass *klass)
{
  CONCUR_THREAD_EXECUTOR_CLASS (klass)->thread_main = test_language_thread_main;
}

static inline void
test_language_init (TestLanguage *self)
{
}

/* What one child does, and its name. */
typedef struct
{
  const char *name;
  void (*run) (void);
} Scene;

static inline void
test_child (gconstpointer data)
{
  const char *name = data;
  guint i, runs = test_scaled (10);

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

static inline int
quiesce_main (int          argc,
              char        *argv[],
              const Scene *scenes,
              guint        n_scenes)
{
  guint i;

  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    {
      const struct rlimit no_core = { 0, 0 };

      setrlimit (RLIMIT_CORE, &no_core);
      alarm (CHILD_SECONDS);
      main_thread = g_thread_self ();
      for (i = 0; i < n_scenes; i++)
        {
          if (strcmp (argv[2], scenes[i].name) == 0)
            scenes[i].run ();
        }
      return EXIT_FAILURE;
    }

  test_init (&argc, &argv);
  program = g_file_read_link ("/proc/self/exe", NULL);
  g_assert_nonnull (program);

  for (i = 0; i < n_scenes; i++)
    {
      g_autofree char *path = g_strconcat ("/quiesce/", scenes[i].name, NULL);

      g_test_add_data_func (path, scenes[i].name, test_child);
    }

  return test_run ();
}
