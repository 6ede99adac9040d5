/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "test-workers.h"

#include <pthread.h>

guint
test_count_threads (const char *prefix)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *task;
  guint n = 0;

  g_assert_nonnull (tasks);
  while ((task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path = g_build_filename ("/proc/self/task", task, "comm", NULL);
      g_autofree char *name = NULL;

      /* It may have ended meanwhile. */
      if (g_file_get_contents (path, &name, NULL, NULL)
          && (prefix == NULL || g_str_has_prefix (name, prefix)))
        n++;
    }

  return n;
}

char *
test_dup_thread_name (void)
{
  char name[16] = "";

  g_assert_cmpint (pthread_getname_np (pthread_self (), name, sizeof name), ==, 0);

  return g_strdup (name);
}

void
test_crowd_enter (TestCrowd *crowd)
{
  gint now = g_atomic_int_add (&crowd->now, 1) + 1;
  gint most = g_atomic_int_get (&crowd->most);

  g_atomic_int_inc (&crowd->ever);
  while (now > most && !g_atomic_int_compare_and_exchange (&crowd->most, most, now))
    most = g_atomic_int_get (&crowd->most);
}

void
test_crowd_leave (TestCrowd *crowd)
{
  g_atomic_int_add (&crowd->now, -1);
}

guint
test_crowd_get_most (TestCrowd *crowd)
{
  return (guint) g_atomic_int_get (&crowd->most);
}

guint
test_crowd_get_ever (TestCrowd *crowd)
{
  return (guint) g_atomic_int_get (&crowd->ever);
}

gboolean
test_one_job (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

gboolean
test_count_job (ConcurJob  *job,
                gpointer    counter,
                GError    **error)
{
  concur_job_return_int64 (job, g_atomic_int_add ((gint *) counter, 1));

  return TRUE;
}

gboolean
test_name_job (ConcurJob  *job,
               gpointer    data,
               GError    **error)
{
  g_autofree char *name = test_dup_thread_name ();

  concur_job_return_string (job, name);

  return TRUE;
}

gboolean
test_endless_job (ConcurJob  *job,
                  gpointer    begun,
                  GError    **error)
{
  gint64 deadline = g_get_monotonic_time () + TEST_PATIENCE_US;

  if (begun != NULL)
    test_gate_open (begun);

  while (!concur_job_check_cancelled (job, error))
    {
      if (g_get_monotonic_time () > deadline)
        g_error ("nobody told the endless job to stop");
      g_thread_yield ();
    }

  return FALSE;
}

ConcurFuture *
test_submit (gpointer      executor,
             ConcurJobFunc func,
             gpointer      data)
{
  return concur_executor_submit (CONCUR_EXECUTOR (executor), func, data, NULL, NULL);
}

ConcurFuture *
test_submit_at (gpointer       executor,
                ConcurPriority priority,
                ConcurJobFunc  func,
                gpointer       data)
{
  g_autoptr (ConcurJob) job = concur_job_new (func, data, NULL);

  concur_job_set_priority (job, priority);

  return concur_executor_submit_job (CONCUR_EXECUTOR (executor), job, NULL);
}

GPtrArray *
test_futures_new (void)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

void
test_futures_wait (GPtrArray *futures)
{
  guint i;

  for (i = 0; i < futures->len; i++)
    test_assert_done (futures->pdata[i]);
}
