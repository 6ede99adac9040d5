/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Batchers: calls that are cancelled at every stage, where things are let go, and what is
 * left when there are no threads. All at once is in test-batcher-races.c. This program has
 * a pthread_create () of its own, which fails when told to. */

#include "config.h"

#include "test-batcher.h"
#include "test-no-threads.h"
#include "concur-timer-private.h"

#include <sys/wait.h>
#include <unistd.h>

/* The first test: no thread has been started before. Without a clock each batch starts with
 * the call that opens it, here in a main context. */
static void
test_no_clock (void)
{
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, executor, 0, HOUR_US);
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;

  g_atomic_int_set (&no_threads, TRUE);
  first = call (batcher, 1);
  g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, 0);
  second = call (batcher, 2);
  g_atomic_int_set (&no_threads, FALSE);
  test_iterate_until (NULL, concur_future_is_done (second));
  test_assert_int64 (first, 1001);
  asked_assert (&asked, "1;2;");
}

/* Before its batch has started. */
static void
test_waiting (void)
{
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 3, HOUR_US);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  for (i = 0; i < 2; i++)
    g_ptr_array_add (futures, call (batcher, i));
  g_assert_true (concur_future_cancel (futures->pdata[0], CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (futures->pdata[0]);
  g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, 1);
  for (i = 2; i < 4; i++)
    g_ptr_array_add (futures, call (batcher, i));
  test_futures_wait (futures);
  test_assert_int64 (futures->pdata[1], 1001);
  asked_assert (&asked, "1 2 3;");
}

/* Who is told that a call is cancelled finds it gone from the batch. */
typedef struct
{
  ConcurBatcher *batcher;
  ConcurFuture *next;
} Leaving;

static void
leaving_done (ConcurFuture *future,
              gpointer      data)
{
  Leaving *leaving = data;

  leaving->next = call (leaving->batcher, 2);
  g_assert_cmpuint (concur_batcher_get_waiting (leaving->batcher), ==, 1);
}

static void
leaving_done_flush (ConcurFuture *future,
                    gpointer      data)
{
  Leaving *leaving = data;

  leaving->next = call (leaving->batcher, 3);
  concur_batcher_flush (leaving->batcher);
}

static void
test_leaving (void)
{
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 2, HOUR_US);
  Leaving leaving = { .batcher = batcher };
  g_autoptr (ConcurFuture) first = call (batcher, 1);
  g_autoptr (ConcurFuture) second = NULL;

  concur_future_add_direct_callback (first, leaving_done, &leaving, NULL);
  g_assert_true (concur_future_cancel (first, CONCUR_CANCEL_NONE));
  second = leaving.next;

  concur_future_add_direct_callback (second, leaving_done_flush, &leaving, NULL);
  g_assert_true (concur_future_cancel (second, CONCUR_CANCEL_NONE));
  test_assert_done (leaving.next);
  test_assert_int64 (leaving.next, 1003);
  g_object_unref (leaving.next);
  asked_assert (&asked, "3;");
}

/* A batch that everybody has left is no batch, and the next call has all its time. */
static void
test_all_leave (void)
{
  TestReleases releases = { .thread = g_thread_self () };
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 0, HOUR_US);
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;
  g_autoptr (ConcurFuture) third = NULL;

  test_releases_watch (&releases, object);
  first = concur_batcher_call (batcher, CONCUR_VALUE_OBJECT (object), NULL);
  second = call (batcher, 2);
  g_object_unref (object);
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  g_assert_true (concur_future_cancel (first, CONCUR_CANCEL_NONE));
  /* With the argument it does not wait for the others. */
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  g_assert_true (concur_future_cancel (second, CONCUR_CANCEL_ABANDON));
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, 0);
  concur_batcher_flush (batcher);

  third = call (batcher, 3);
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  concur_batcher_flush (batcher);
  test_assert_done (third);
  asked_assert (&asked, "3;");
}

/* In the executor's queue it has not begun either. */
static void
test_queued (void)
{
  Asked asked = { .answers = TRUE };
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, executor, 2, HOUR_US);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  test_gate_wait (&clog.begun);
  for (i = 0; i < 6; i++)
    g_ptr_array_add (futures, call (batcher, i));
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 3);
  for (i = 1; i < 4; i++)
    {
      g_assert_true (concur_future_cancel (futures->pdata[i], CONCUR_CANCEL_NONE));
      test_assert_cancelled (futures->pdata[i]);
    }
  /* The second batch has been dropped. */
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 2);
  test_gate_open (&clog.go);
  test_futures_wait (futures);
  test_assert_int64 (futures->pdata[0], 1000);
  test_assert_int64 (futures->pdata[5], 1005);
  asked_assert (&asked, "0;4 5;");
  test_executor_end (executor);
}

/* After it has begun: that caller is free at once, the others notice nothing. */
static gboolean
watched_func (ConcurBatcherJob  *job,
              gpointer           data,
              GError           **error)
{
  TestClog *clog = data;

  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
  g_assert_true (concur_batcher_job_is_wanted (job, 0));
  g_assert_false (concur_batcher_job_is_wanted (job, 1));
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (job)));
  g_assert_cmpuint (concur_batcher_job_get_n_calls (job), ==, 3);
  g_assert_cmpint (argument_of (job, 1), ==, 1);
  g_assert_true (concur_batcher_job_answer (job, 0, CONCUR_VALUE_INT64 (1)));
  g_assert_false (concur_batcher_job_answer (job, 1, CONCUR_VALUE_INT64 (2)));
  g_assert_true (concur_batcher_job_answer (job, 2, CONCUR_VALUE_INT64 (3)));
  /* All have their answers: that is no reason to stop. */
  g_assert_false (concur_job_is_cancelled (CONCUR_JOB (job)));

  return TRUE;
}

static void
test_running (void)
{
  TestClog clog = { 0 };
  g_autoptr (ConcurBatcher) batcher = concur_batcher_new (3, HOUR_US, watched_func, &clog, NULL,
                                                          NULL);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, call (batcher, i));
  test_gate_wait (&clog.begun);
  g_assert_true (concur_future_cancel (futures->pdata[1], CONCUR_CANCEL_NONE));
  test_assert_cancelled (futures->pdata[1]);
  test_gate_open (&clog.go);
  test_futures_wait (futures);
  test_assert_int64 (futures->pdata[0], 1);
  test_assert_int64 (futures->pdata[2], 3);
}

/* When nobody wants anything any more the job is asked to stop. */
static gboolean
endless_func (ConcurBatcherJob  *job,
              gpointer           data,
              GError           **error)
{
  TestClog *clog = data;

  concur_batcher_job_answer (job, 2, NULL);
  test_gate_open (&clog->begun);
  while (!g_cancellable_is_cancelled (concur_job_get_cancellable (CONCUR_JOB (job))))
    g_thread_yield ();
  g_assert_true (concur_job_check_cancelled (CONCUR_JOB (job), error));
  test_gate_open (&clog->go);

  return FALSE;
}

static void
test_nobody_wants (void)
{
  TestClog clog = { 0 };
  g_autoptr (ConcurBatcher) batcher = concur_batcher_new (3, HOUR_US, endless_func, &clog, NULL,
                                                          NULL);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, call (batcher, i));
  test_gate_wait (&clog.begun);
  for (i = 0; i < 2; i++)
    {
      g_assert_true (concur_future_cancel (futures->pdata[i], CONCUR_CANCEL_NONE));
      test_assert_cancelled (futures->pdata[i]);
    }
  test_gate_wait (&clog.go);
}

/* Its cancellable: before, while it waits, while its batch runs, and after. */
static void
test_cancellable (void)
{
  TestClog clog = { 0 };
  TestReleases releases = { .thread = g_thread_self () };
  Asked asked = { .answers = TRUE, .clog = &clog };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 2, HOUR_US);
  GCancellable *cancellables[4];
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  for (i = 0; i < 4; i++)
    {
      cancellables[i] = g_cancellable_new ();
      test_releases_watch (&releases, cancellables[i]);
    }
  g_cancellable_cancel (cancellables[0]);
  for (i = 0; i < 4; i++)
    {
      g_ptr_array_add (futures,
                       concur_batcher_call (batcher, CONCUR_VALUE_INT64 (i), cancellables[i]));
      if (i == 1)
        {
          test_assert_cancelled (futures->pdata[0]);
          g_assert_cmpuint (concur_batcher_get_waiting (batcher), ==, 1);
          g_cancellable_cancel (cancellables[1]);
          test_assert_done (futures->pdata[1]);
          test_assert_cancelled (futures->pdata[1]);
        }
    }
  test_gate_wait (&clog.begun);
  g_cancellable_cancel (cancellables[2]);
  test_assert_done (futures->pdata[2]);
  test_assert_cancelled (futures->pdata[2]);
  test_gate_open (&clog.go);
  test_assert_done (futures->pdata[3]);
  test_assert_int64 (futures->pdata[3], 1003);
  asked_assert (&asked, "2 3;");

  for (i = 0; i < 4; i++)
    g_object_unref (cancellables[i]);
  /* The futures do not keep them. */
  test_wait_until (test_releases_get (&releases) == 4);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

/* An argument goes home to who gave it, and the function's data to who gave that. */
typedef struct
{
  Asked asked;
  ConcurBatcher *batcher;
  TestReleases arguments;
  TestReleases data;
  ConcurFuture *future;
} Homes;

static void
homes_make (gpointer data)
{
  Homes *homes = data;

  homes->data.thread = g_thread_self ();
  homes->batcher = asked_batcher (&homes->asked, NULL, 0, HOUR_US);
}

static void
homes_call (gpointer data)
{
  Homes *homes = data;
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);

  homes->arguments.thread = g_thread_self ();
  test_releases_watch (&homes->arguments, object);
  homes->future = concur_batcher_call (homes->batcher, CONCUR_VALUE_OBJECT (object), NULL);
}

static void
test_homes (void)
{
  TestClog clog = { 0 };
  Homes homes = { .asked = { .echoes = TRUE, .clog = &clog, .releases = &homes.data } };
  TestLoop *maker = test_loop_new (), *caller = test_loop_new ();
  g_autoptr (ConcurFuture) own = NULL;

  test_loop_call (maker, homes_make, &homes);
  test_loop_call (caller, homes_call, &homes);
  own = call (homes.batcher, 1);
  concur_batcher_flush (homes.batcher);
  test_gate_wait (&clog.begun);
  /* The function may still read what is not wanted any more. */
  g_assert_true (concur_future_cancel (homes.future, CONCUR_CANCEL_ABANDON));
  g_object_unref (homes.future);
  g_object_unref (homes.batcher);
  g_assert_cmpuint (test_releases_get (&homes.arguments), ==, 0);
  g_assert_cmpuint (test_releases_get (&homes.data), ==, 0);
  test_gate_open (&clog.go);
  test_assert_done (own);
  test_wait_until (test_releases_get (&homes.arguments) == 1);
  test_wait_until (test_releases_get (&homes.data) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&homes.arguments), ==, 0);
  g_assert_cmpuint (test_releases_get_wrong (&homes.data), ==, 0);
  test_loop_free (maker);
  test_loop_free (caller);
}

/* Nothing of it stays with who made the batcher, who may never look after it again. */
typedef struct
{
  Asked asked;
  ConcurBatcher *batcher;
  TestGate made;
  TestGate go;
} Idle;

static gpointer
idle_thread (gpointer data)
{
  Idle *idle = data;

  idle->batcher = asked_batcher (&idle->asked, NULL, 1, HOUR_US);
  test_gate_open (&idle->made);
  test_gate_wait (&idle->go);

  return NULL;
}

static void
test_idle_home (void)
{
  Idle idle = { .asked = { .echoes = TRUE } };
  GThread *thread = g_thread_new ("idle", idle_thread, &idle);
  guint before, i;

  test_gate_wait (&idle.made);
  before = test_futures_alive ();
  for (i = 0; i < 100; i++)
    {
      g_autoptr (ConcurFuture) future = call (idle.batcher, i);

      test_assert_done (future);
    }
  test_wait_until (test_futures_alive () <= before);
  test_gate_open (&idle.go);
  g_thread_join (thread);
  g_object_unref (idle.batcher);
}

/* Which check failed is its exit status. */
static int
in_child (ConcurBatcher *batcher,
          ConcurFuture  *waiting)
{
  g_autoptr (ConcurFuture) future = NULL;

  alarm (50);
  future = call (batcher, 1);
  if (!concur_future_is_done (future))
    return 1;
  if (!g_error_matches (concur_future_get_error (future), CONCUR_EXECUTOR_ERROR,
                        CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 2;
  concur_batcher_flush (batcher);
  if (concur_future_wait (waiting, -1))
    return 3;
  if (!concur_future_cancel (waiting, CONCUR_CANCEL_NONE))
    return 4;
  g_object_unref (waiting);
  g_object_unref (batcher);

  return 0;
}

static void
test_fork (void)
{
  Asked asked = { .answers = TRUE };
  g_autoptr (ConcurBatcher) batcher = asked_batcher (&asked, NULL, 0, HOUR_US);
  g_autoptr (ConcurFuture) waiting = call (batcher, 1);
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    _exit (in_child (batcher, waiting));
  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);

  concur_batcher_flush (batcher);
  test_assert_done (waiting);
  test_assert_int64 (waiting, 1001);
  asked_assert (&asked, "1;");
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/batcher-cancel/no-clock", test_no_clock);
  g_test_add_func ("/batcher-cancel/waiting", test_waiting);
  g_test_add_func ("/batcher-cancel/leaving", test_leaving);
  g_test_add_func ("/batcher-cancel/all-leave", test_all_leave);
  g_test_add_func ("/batcher-cancel/queued", test_queued);
  g_test_add_func ("/batcher-cancel/running", test_running);
  g_test_add_func ("/batcher-cancel/nobody-wants", test_nobody_wants);
  g_test_add_func ("/batcher-cancel/cancellable", test_cancellable);
  g_test_add_func ("/batcher-cancel/homes", test_homes);
  g_test_add_func ("/batcher-cancel/idle-home", test_idle_home);
  g_test_add_func ("/batcher-cancel/fork", test_fork);

  return test_run ();
}
