/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* with_timeout: the time is over, or not; what is cancelled then, by whom, and when the
 * timer goes. This program has a pthread_create () of its own, which fails when told to. */

#include "config.h"

#include "concur-timer-private.h"

#include "test-no-threads.h"
#include "test-workers.h"

#include <sys/wait.h>
#include <unistd.h>

/* Long enough that a test which waits for it has failed. */
#define LONG_US (10 * TEST_PATIENCE_US)
/* Short, and measured: nothing may come before it. */
#define SHORT_US (20 * 1000)

/* A thread of the library may just be letting go of what a test before this one used. */
static guint
all_gone (void)
{
  test_wait_until (test_futures_alive () == 0);

  return 0;
}

static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

static void
end (ConcurPromise *promise,
     char           how)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no");

  if (how == '+')
    concur_promise_resolve_int64 (promise, 5);
  else if (how == '-')
    concur_promise_reject (promise, error);
  else
    concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
}

static void
assert_ended (ConcurFuture *future,
              char          how)
{
  if (how == '+')
    test_assert_int64 (future, 5);
  else if (how == '-')
    test_assert_error (future, G_FILE_ERROR, 7);
  else
    test_assert_cancelled (future);
}

/* The first test: no thread has been started before. What was to be limited goes on. */
static void
test_no_thread (void)
{
  guint alive = all_gone ();
  ConcurPromise *promise;
  ConcurFuture *future = future_new (&promise);
  ConcurFuture *timed, *many;

  g_atomic_int_set (&no_threads, TRUE);
  timed = concur_future_with_timeout (future, LONG_US);
  many = concur_future_wait_many (&future, 1, CONCUR_WAIT_ALL, LONG_US);
  g_atomic_int_set (&no_threads, FALSE);
  test_assert_error (timed, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
  test_assert_error (many, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
  g_assert_false (concur_future_is_done (future));
  g_object_unref (timed);
  g_object_unref (many);

  timed = concur_future_with_timeout (future, LONG_US);
  concur_promise_resolve_int64 (promise, 5);
  test_assert_int64 (timed, 5);
  g_object_unref (timed);
  g_object_unref (promise);
  g_object_unref (future);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* The same outcome, at once, and the timer is gone. */
static void
test_in_time (void)
{
  static const gint64 timeouts[] = { LONG_US, -1, G_MININT64, G_MAXINT64 };
  guint alive = all_gone ();

  for (const char *how = "+-x"; *how != '\0'; how++)
    for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
      for (guint before = 0; before < 2; before++)
        {
          ConcurPromise *promise;
          ConcurFuture *future = future_new (&promise), *timed;

          if (before)
            end (promise, *how);
          timed = concur_future_with_timeout (future, timeouts[i]);
          if (!before)
            {
              g_assert_false (concur_future_is_done (timed));
              g_assert_cmpuint (concur_timers_pending (), ==, timeouts[i] == LONG_US);
              end (promise, *how);
            }
          g_assert_cmpuint (concur_timers_pending (), ==, 0);
          assert_ended (timed, *how);
          g_object_unref (timed);
          g_object_unref (promise);
          g_object_unref (future);
          g_assert_cmpuint (test_futures_alive (), ==, alive);
        }
}

/* Done already is in time, whatever the time is. */
static void
test_none (void)
{
  for (const char *how = "+-x "; *how != '\0'; how++)
    {
      g_autoptr (ConcurPromise) promise = NULL;
      g_autoptr (ConcurFuture) future = future_new (&promise);
      g_autoptr (ConcurFuture) timed = NULL;

      if (*how != ' ')
        end (promise, *how);
      timed = concur_future_with_timeout (future, 0);
      if (*how != ' ')
        {
          assert_ended (timed, *how);
        }
      else
        {
          test_assert_error (timed, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
          test_assert_cancelled (future);
        }
    }
  test_critical (g_assert_null (concur_future_with_timeout (NULL, 1)));
}

static void
note_thread (ConcurFuture *future,
             gpointer      data)
{
  g_atomic_pointer_set ((GThread **) data, g_thread_self ());
}

/* Neither does a loop run nor is this thread free. */
static void
test_too_late (void)
{
  for (guint named = 0; named < 2; named++)
    {
      gint64 begun = g_get_monotonic_time ();
      g_autoptr (ConcurPromise) promise = NULL;
      g_autoptr (ConcurFuture) future = future_new (&promise);
      g_autoptr (ConcurFuture) timed = NULL;
      g_autoptr (GError) error = NULL;
      GThread *told = NULL;

      if (named)
        concur_future_set_name (future, "slow thing");
      timed = concur_future_with_timeout (future, SHORT_US);
      concur_future_add_direct_callback (timed, note_thread, &told, NULL);
      while (!concur_future_is_done (timed))
        g_assert_cmpint (g_get_monotonic_time (), <, begun + TEST_PATIENCE_US);
      g_assert_cmpint (g_get_monotonic_time () - begun, >=, SHORT_US);
      test_wait_until (g_atomic_pointer_get (&told) != NULL);
      g_assert_true (told != g_thread_self ());

      g_assert_false (concur_future_check (timed, &error));
      g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
      g_assert_nonnull (strstr (error->message, "20 ms"));
      g_assert_cmpint (strstr (error->message, "slow thing") != NULL, ==, named);
      test_assert_done (future);
      test_assert_cancelled (future);
      /* Nobody looks at what still comes. */
      end (promise, '-');
    }
}

typedef struct
{
  TestGate begun;
  TestGate handler_ran;
  TestGate go;
  GThread *handler_thread;
} Job;

static void
on_cancelled (GCancellable *cancellable,
              gpointer      data)
{
  Job *self = data;

  self->handler_thread = g_thread_self ();
  test_gate_open (&self->handler_ran);
  test_gate_wait (&self->go);
}

static gboolean
cancellable_job (ConcurJob *job,
                 gpointer   data,
                 GError   **error)
{
  Job *self = data;
  GCancellable *cancellable = concur_job_get_cancellable (job);
  gulong id = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);

  test_gate_open (&self->begun);
  test_gate_wait (&self->handler_ran);
  /* Waits for the handler. */
  g_cancellable_disconnect (cancellable, id);
  g_set_error_literal (error, G_FILE_ERROR, 3, "late");

  return FALSE;
}

/* A handler of the job's cancellable that takes its time does not hold up the timers. */
static void
test_running_job (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Job state = { 0 };
  ConcurFuture *job = test_submit (executor, cancellable_job, &state);
  g_autoptr (ConcurFuture) timed = NULL, other = NULL;
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) pending = future_new (&promise);
  GThread *told = NULL;

  test_gate_wait (&state.begun);
  timed = concur_future_with_timeout (job, SHORT_US);
  concur_future_add_direct_callback (timed, note_thread, &told, NULL);
  test_assert_done (timed);
  test_assert_error (timed, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  test_gate_wait (&state.handler_ran);
  g_assert_false (concur_future_is_done (job));

  other = concur_future_with_timeout (pending, SHORT_US);
  test_assert_done (other);
  test_assert_error (other, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);

  test_gate_open (&state.go);
  test_assert_done (job);
  g_assert_true (told != state.handler_thread);
  g_assert_true (g_thread_self () != state.handler_thread);
  /* It was rejected late, and nobody looked: no warning. */
  g_assert_cmpint (concur_future_get_state (job), ==, CONCUR_FUTURE_STATE_REJECTED);
  g_object_unref (job);
  test_executor_end (executor);
}

static void
test_shielded (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (ConcurFuture) shield = concur_future_shield (future);
  g_autoptr (ConcurFuture) timed = concur_future_with_timeout (shield, SHORT_US);

  test_assert_done (timed);
  test_assert_error (timed, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  test_assert_done (shield);
  test_assert_cancelled (shield);
  g_assert_false (concur_future_is_done (future));
  concur_promise_resolve_int64 (promise, 5);
  test_assert_int64 (future, 5);
}

/* Cancelling goes down, and the timer with it. */
static void
test_cancel (void)
{
  guint alive = all_gone ();
  ConcurPromise *promise;
  ConcurFuture *future = future_new (&promise);
  ConcurFuture *timed = concur_future_with_timeout (future, LONG_US);

  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  concur_future_cancel (timed, CONCUR_CANCEL_NONE);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  test_assert_cancelled (timed);
  test_assert_cancelled (future);
  g_object_unref (timed);
  g_object_unref (future);
  g_object_unref (promise);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* Nobody has it but the timer; and it goes home. */
static void
test_forgotten (void)
{
  TestReleases freed = { .thread = g_thread_self () };
  guint alive = all_gone ();
  ConcurPromise *promise;
  ConcurFuture *future = future_new (&promise);
  ConcurFuture *timed = concur_future_with_timeout (future, SHORT_US);

  concur_future_ignore (timed);
  test_releases_watch (&freed, timed);
  g_object_unref (timed);
  test_assert_done (future);
  test_assert_cancelled (future);
  g_object_unref (future);
  g_object_unref (promise);
  test_wait_until (test_futures_alive () <= alive);
  g_assert_cmpuint (test_releases_get (&freed), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&freed), ==, 0);
}

typedef struct
{
  ConcurFuture *future;
  ConcurPromise *promise;
  TestGate *go;
} Racer;

static gpointer
race_thread (gpointer data)
{
  Racer *self = data;

  test_gate_wait (self->go);
  if (self->promise != NULL)
    concur_promise_resolve_int64 (self->promise, 5);
  else
    concur_future_cancel (self->future, CONCUR_CANCEL_NONE);

  return NULL;
}

/* The end of the time, the answer and a cancellation, all at once. */
static void
test_races (void)
{
  guint rounds = test_scaled (500), alive = all_gone ();
  guint n[5] = { 0 };

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      TestGate go = { 0 };
      ConcurPromise *promise;
      ConcurFuture *future = future_new (&promise);
      Racer resolver = { future, promise, &go }, canceller = { future, NULL, &go };
      GThread *threads[2];
      ConcurFuture *timed;

      threads[0] = g_thread_new ("resolve", race_thread, &resolver);
      /* Every other time the answer meets with the making. */
      if (round & 4)
        test_gate_open (&go);
      /* And in some there is no time to wait for, so that the timer has to go. */
      timed = concur_future_with_timeout (future, round & 8 ? LONG_US
                                                            : 1 + g_random_int_range (0, 200));
      canceller.future = round & 2 ? timed : future;
      threads[1] = round & 1 ? g_thread_new ("cancel", race_thread, &canceller) : NULL;
      test_gate_open (&go);
      test_assert_done (timed);
      test_assert_done (future);
      g_thread_join (threads[0]);
      if (threads[1] != NULL)
        g_thread_join (threads[1]);
      n[concur_future_get_state (timed)]++;
      concur_future_ignore (timed);
      g_object_unref (timed);
      g_object_unref (future);
      g_object_unref (promise);
    }
  test_shake_stop ();

  g_test_message ("%u resolved, %u out of time, %u cancelled", n[CONCUR_FUTURE_STATE_RESOLVED],
                  n[CONCUR_FUTURE_STATE_REJECTED], n[CONCUR_FUTURE_STATE_CANCELLED]);
  test_wait_until (test_futures_alive () <= alive);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

typedef struct
{
  ConcurPromise *promise; /* atomic: the next one to resolve */
  gint over;              /* atomic */
} Quick;

static gpointer
quick_thread (gpointer data)
{
  Quick *self = data;

  while (!g_atomic_int_get (&self->over))
    {
      ConcurPromise *promise = g_atomic_pointer_get (&self->promise);

      if (promise == NULL)
        {
          g_thread_yield ();
          continue;
        }
      for (gint i = g_random_int_range (0, 4); i > 0; i--)
        g_thread_yield ();
      g_atomic_pointer_set (&self->promise, NULL);
      concur_promise_resolve_int64 (promise, 5);
      g_object_unref (promise);
    }

  return NULL;
}

/* The answer comes while the time is being set: whoever is second stops the timer. */
static void
test_race_with_setting (void)
{
  guint rounds = test_scaled (4000), alive = all_gone ();
  Quick quick = { NULL };
  GThread *thread = g_thread_new ("quick", quick_thread, &quick);

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      ConcurPromise *promise;
      ConcurFuture *future = future_new (&promise);
      ConcurFuture *timed;

      g_atomic_pointer_set (&quick.promise, promise);
      timed = concur_future_with_timeout (future, LONG_US);
      while (!concur_future_is_done (timed))
        g_thread_yield ();
      test_assert_int64 (timed, 5);
      g_object_unref (timed);
      g_object_unref (future);
    }
  test_shake_stop ();
  g_atomic_int_set (&quick.over, TRUE);
  g_thread_join (thread);

  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  concur_release_pending ();
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

static gboolean
answer_one (ConcurJob    *job,
            ConcurFuture *input,
            gpointer      data,
            GError      **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* What needs this very thread is not refused, because it ends; without a limit it is. */
static void
test_would_deadlock (void)
{
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) bound = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) for_ever = concur_future_with_timeout (bound, -1);
  g_autoptr (ConcurFuture) limited = concur_future_with_timeout (bound, SHORT_US);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_main_context_acquire (NULL));
  g_assert_null (concur_future_result (for_ever, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_assert_true (concur_future_wait (limited, -1));
  test_assert_error (limited, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_main_context_release (NULL);
  g_assert_true (concur_future_iterate (for_ever, NULL, TEST_PATIENCE_US, NULL));
}

/* In a forked process there is no timer thread. */
static void
test_fork (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (ConcurFuture) before = concur_future_with_timeout (future, LONG_US);
  int status;
  pid_t pid;

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      ConcurFuture *timed = concur_future_with_timeout (future, LONG_US);
      ConcurFuture *many = concur_future_wait_many (&future, 1, CONCUR_WAIT_ALL, LONG_US);

      _exit (g_error_matches (concur_future_get_error (timed), CONCUR_EXECUTOR_ERROR,
                              CONCUR_EXECUTOR_ERROR_NOT_RUNNING)
                 && g_error_matches (concur_future_get_error (many), CONCUR_EXECUTOR_ERROR,
                                     CONCUR_EXECUTOR_ERROR_NOT_RUNNING)
                 && !concur_future_is_done (future)
               ? 0
               : 1);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  concur_promise_resolve_int64 (promise, 5);
  test_assert_int64 (before, 5);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/with-timeout/no-thread", test_no_thread);
  g_test_add_func ("/with-timeout/in-time", test_in_time);
  g_test_add_func ("/with-timeout/none", test_none);
  g_test_add_func ("/with-timeout/too-late", test_too_late);
  g_test_add_func ("/with-timeout/running-job", test_running_job);
  g_test_add_func ("/with-timeout/shielded", test_shielded);
  g_test_add_func ("/with-timeout/cancel", test_cancel);
  g_test_add_func ("/with-timeout/forgotten", test_forgotten);
  g_test_add_func ("/with-timeout/races", test_races);
  g_test_add_func ("/with-timeout/race-with-setting", test_race_with_setting);
  g_test_add_func ("/with-timeout/would-deadlock", test_would_deadlock);
  g_test_add_func ("/with-timeout/fork", test_fork);

  return test_run ();
}
