/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Promises of the page on the loop thread and the thread table that no other test holds it
 * to: who is told, what waiting for it runs, where continuations of its pool go. */

#include "config.h"

#include "test-chain.h"

static ConcurLoopThread *
started (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("promised");
  g_autoptr (GError) error = NULL;

  concur_loop_thread_start (thread, &error);
  g_assert_no_error (error);

  return thread;
}

static void
stop (ConcurLoopThread *thread)
{
  g_autoptr (GError) error = NULL;

  concur_loop_thread_stop (thread, TEST_PATIENCE_US, &error);
  g_assert_no_error (error);
}

static void
count_signal (ConcurLoopThread *thread,
              gpointer          data)
{
  g_atomic_int_inc ((gint *) data);
}

static gpointer
listen_without_context (gpointer data)
{
  ConcurLoopThread *thread = concur_loop_thread_new (NULL);

  g_signal_connect (thread, "started", G_CALLBACK (count_signal), data);
  g_signal_connect (thread, "stopped", G_CALLBACK (count_signal), data);
  g_assert_true (concur_loop_thread_start (thread, NULL));
  stop (thread);
  concur_release_pending ();

  return thread;
}

/* A creator without a main context is told nothing, on no thread. */
static void
test_no_context_no_signals (void)
{
  gint n_told = 0;
  ConcurLoopThread *thread;

  thread = g_thread_join (g_thread_new ("plain", listen_without_context, &n_told));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  /* Nor later, by a start from elsewhere. */
  g_assert_true (concur_loop_thread_start (thread, NULL));
  stop (thread);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (n_told, ==, 0);
  g_object_unref (thread);
}

static void
count_done (ConcurFuture *future,
            gpointer      data)
{
  (*(gint *) data)++;
}

/* stop, join and call let go of what has come home, and call nobody. */
static void
test_waits_release (void)
{
  for (guint way = 0; way < 3; way++)
    {
      ConcurLoopThread *thread = started ();
      TestReleases released = { .thread = g_thread_self () };
      gint n_told = 0;
      g_autoptr (ConcurFuture) future = NULL, called = NULL;

      future = concur_executor_submit (CONCUR_EXECUTOR (thread), test_one_job, &released,
                                       test_released, NULL);
      concur_future_when_done (future, count_done, &n_told, NULL, NULL);
      if (way == 0)
        {
          stop (thread);
        }
      else if (way == 1)
        {
          g_object_unref (concur_executor_shutdown (CONCUR_EXECUTOR (thread),
                                                    CONCUR_SHUTDOWN_DRAIN));
          g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, NULL));
        }
      else
        {
          called = concur_loop_thread_call (thread, test_one_job, NULL, NULL, TEST_PATIENCE_US,
                                            NULL);
          g_assert_nonnull (called);
        }
      g_assert_cmpuint (test_releases_get (&released), ==, 1);
      g_assert_cmpuint (test_releases_get_wrong (&released), ==, 0);
      g_assert_cmpint (n_told, ==, 0);
      stop (thread);
      test_iterate_until (NULL, n_told == 1);
      g_object_unref (thread);
    }
}

typedef struct
{
  ConcurLoopThread *thread;
  Step step;
} Hop;

/* Blocking work on the pool, and on in the loop with what it brought. */
static gboolean
hop_job (ConcurJob  *job,
         gpointer    data,
         GError    **error)
{
  Hop *self = data;
  g_autoptr (ConcurFuture) work = NULL, after = NULL;

  work = test_submit (concur_loop_thread_get_executor (self->thread), test_one_job, NULL);
  after = concur_future_continue_with (work, step_func, &self->step, NULL, NULL);
  concur_job_return_future (job, after);

  return TRUE;
}

static void
test_pool_and_back (void)
{
  Hop self = { .thread = started () };
  g_autoptr (ConcurFuture) future = test_submit (self.thread, hop_job, &self);

  test_assert_done (future);
  test_assert_int64 (future, 2);
  g_assert_true (self.step.context == concur_loop_thread_get_context (self.thread));
  stop (self.thread);
  g_object_unref (self.thread);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/promises/loop/no-context-no-signals", test_no_context_no_signals);
  g_test_add_func ("/promises/loop/waits-release", test_waits_release);
  g_test_add_func ("/promises/loop/pool-and-back", test_pool_and_back);

  return test_run ();
}
