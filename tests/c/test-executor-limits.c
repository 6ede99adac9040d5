/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What keeps jobs from starting, or from being taken at all: a full queue, a pause, and
 * others that come first. */

#include "config.h"

#include "test-workers.h"

#include <string.h>

static ConcurExecutor *
executor_new (guint          max_threads,
              guint          max_pending,
              ConcurOverflow overflow)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "limited",
                       "max-threads", max_threads,
                       "max-pending", max_pending,
                       "overflow", overflow,
                       NULL);
}

static void
assert_full (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_future_is_done (future));
  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  g_assert_nonnull (strstr (error->message, "limited"));
}

/* One job that runs and @n that are queued: the queue is full. */
static GPtrArray *
fill (ConcurExecutor *executor,
      TestClog       *clog,
      guint           n)
{
  GPtrArray *futures = test_futures_new ();
  guint i;

  g_ptr_array_add (futures, test_submit (executor, test_clog_job, clog));
  test_gate_wait (&clog->begun);
  for (i = 0; i < n; i++)
    {
      g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
      g_assert_false (concur_future_is_done (futures->pdata[i + 1]));
    }
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, n);

  return futures;
}

static void
test_reject (void)
{
  ConcurExecutor *executor = executor_new (1, 3, CONCUR_OVERFLOW_REJECT);
  TestReleases releases = { .thread = g_thread_self () };
  TestClog clog = { 0 };
  g_autoptr (GPtrArray) futures = fill (executor, &clog, 3);
  guint i;

  for (i = 1; i <= 3; i++)
    {
      g_autoptr (ConcurFuture) refused = NULL;

      refused = concur_executor_submit (executor, test_one_job, &releases, test_released, NULL);
      assert_full (refused);
      g_assert_cmpuint (test_snapshot (executor, n_refused), ==, i);
      g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 3);
    }
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 3);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);

  /* Cancelling one makes room for one. */
  g_assert_true (concur_future_cancel (futures->pdata[2], CONCUR_CANCEL_NONE));
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 2);
  g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  {
    g_autoptr (ConcurFuture) refused = test_submit (executor, test_one_job, NULL);

    assert_full (refused);
  }

  test_gate_open (&clog.go);
  test_futures_wait (futures);
  test_assert_cancelled (futures->pdata[2]);
  test_assert_int64 (futures->pdata[4], 1);

  /* And so does running. */
  g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  test_futures_wait (futures);
  test_assert_int64 (futures->pdata[5], 1);
  test_executor_end (executor);
}

typedef struct
{
  ConcurExecutor *executor;
  TestGate trying;
  TestGate through;
} Submitter;

static gpointer
submitter_thread (gpointer data)
{
  Submitter *self = data;
  ConcurFuture *future;

  test_gate_open (&self->trying);
  future = test_submit (self->executor, test_one_job, NULL);
  test_gate_open (&self->through);

  return future;
}

/* That a thread is blocked has no event: this gives a mistake time to show. */
static void
assert_blocked (Submitter *submitter,
                guint      n,
                guint      through)
{
  g_autoptr (ConcurPromise) never = concur_promise_new ();

  concur_future_ignore (concur_promise_get_future (never));
  test_gate_wait_n (&submitter->trying, n);
  g_assert_false (concur_future_wait (concur_promise_get_future (never), 20000));
  g_assert_cmpuint (test_gate_get (&submitter->through), ==, through);
}

static void
test_wait_for_room (void)
{
  ConcurExecutor *executor = executor_new (1, 2, CONCUR_OVERFLOW_WAIT);
  Submitter submitter = { .executor = executor };
  TestClog clog = { 0 };
  g_autoptr (GPtrArray) futures = fill (executor, &clog, 2);
  GThread *threads[3];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, submitter_thread, &submitter);
  assert_blocked (&submitter, 3, 0);

  /* A place in the queue lets one of them through … */
  g_assert_true (concur_future_cancel (futures->pdata[1], CONCUR_CANCEL_NONE));
  test_gate_wait (&submitter.through);
  assert_blocked (&submitter, 3, 1);
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 2);

  /* … and when jobs start, the others go. */
  test_gate_open (&clog.go);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_autoptr (ConcurFuture) future = g_thread_join (threads[i]);

      test_assert_done (future);
      test_assert_int64 (future, 1);
    }
  g_assert_cmpuint (test_snapshot (executor, n_refused), ==, 0);
  test_futures_wait (futures);
  test_executor_end (executor);
}

static gpointer
flood (gpointer data)
{
  ConcurExecutor *executor = ((gpointer *) data)[0];
  gint *counter = ((gpointer *) data)[1];
  guint n = test_scaled (2000), i;
  g_autoptr (ConcurFuture) last = NULL;

  for (i = 0; i < n; i++)
    {
      g_clear_object (&last);
      last = test_submit (executor, test_count_job, counter);
      g_assert_cmpuint (test_snapshot (executor, n_pending), <=, 4);
      if (i % 7 == 0 && concur_future_cancel (last, CONCUR_CANCEL_NONE))
        {
          test_assert_done (last);
          if (concur_future_get_state (last) == CONCUR_FUTURE_STATE_CANCELLED)
            g_atomic_int_inc (counter);
        }
    }
  test_assert_done (last);

  return NULL;
}

/* Many wait for room again and again; cancelling and running both make it. */
static void
test_wait_flood (void)
{
  ConcurExecutor *executor = executor_new (2, 4, CONCUR_OVERFLOW_WAIT);
  gint counter = 0;
  gpointer data[] = { executor, &counter };
  GThread *threads[4];
  guint i;

  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, flood, data);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_executor_end (executor);
  test_shake_stop ();

  /* Each ran, or was counted by who cancelled it. */
  g_assert_cmpint (counter, ==, G_N_ELEMENTS (threads) * test_scaled (2000));
}

static void
submit_to_full (gpointer data)
{
  g_autoptr (ConcurFuture) future = test_submit (data, test_one_job, NULL);

  assert_full (future);
}

/* A thread with a main context has better things to do than to wait. */
static void
test_wait_on_a_loop (void)
{
  ConcurExecutor *executor = executor_new (1, 1, CONCUR_OVERFLOW_WAIT);
  TestClog clog = { 0 };
  g_autoptr (GPtrArray) futures = fill (executor, &clog, 1);
  TestLoop *loop = test_loop_new ();

  test_loop_call (loop, submit_to_full, executor);
  test_loop_free (loop);

  /* The same for the global default context, while it is owned. */
  g_assert_true (g_main_context_acquire (NULL));
  submit_to_full (executor);
  g_main_context_release (NULL);
  g_assert_cmpuint (test_snapshot (executor, n_refused), ==, 2);

  test_gate_open (&clog.go);
  test_futures_wait (futures);
  test_executor_end (executor);
}

static gboolean
flooding_job (ConcurJob  *job,
              gpointer    executor,
              GError    **error)
{
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  /* It would wait for itself. */
  for (i = 0; i < 20; i++)
    {
      g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
      g_assert_false (concur_future_is_done (futures->pdata[i]));
    }
  concur_job_return_int64 (job, test_snapshot (executor, n_pending));
  for (i = 0; i < 20; i++)
    g_assert_true (concur_future_wait (futures->pdata[i], -1));

  return TRUE;
}

static void
test_wait_on_a_worker (void)
{
  ConcurExecutor *executor = executor_new (1, 2, CONCUR_OVERFLOW_WAIT);
  g_autoptr (ConcurFuture) future = test_submit (executor, flooding_job, executor);

  test_assert_done (future);
  test_assert_int64 (future, 20);
  g_assert_cmpuint (test_snapshot (executor, n_refused), ==, 0);
  test_executor_end (executor);
}

static gboolean
rejected_job (ConcurJob  *job,
              gpointer    executor,
              GError    **error)
{
  g_autoptr (ConcurFuture) first = test_submit (executor, test_one_job, NULL);
  g_autoptr (ConcurFuture) second = test_submit (executor, test_one_job, NULL);

  assert_full (second);
  g_assert_true (concur_future_wait (first, -1));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_reject_on_a_worker (void)
{
  ConcurExecutor *executor = executor_new (1, 1, CONCUR_OVERFLOW_REJECT);
  g_autoptr (ConcurFuture) future = test_submit (executor, rejected_job, executor);

  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_executor_end (executor);
}

static void
count_notify (GObject    *object,
              GParamSpec *pspec,
              gpointer    counter)
{
  (*(guint *) counter)++;
}

static void
test_pause_basics (void)
{
  ConcurExecutor *executor = executor_new (2, 0, CONCUR_OVERFLOW_WAIT);
  ConcurThreadExecutor *self = CONCUR_THREAD_EXECUTOR (executor);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestClog clog = { 0 };
  gint counter = 0;
  guint n_notified = 0, i;

  g_signal_connect (executor, "notify::paused", G_CALLBACK (count_notify), &n_notified);

  /* Jobs that run go on; one thread is idle. */
  g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  test_gate_wait (&clog.begun);
  test_assert_done (futures->pdata[0]);
  concur_thread_executor_set_paused (self, TRUE);
  g_assert_true (concur_thread_executor_get_paused (self));
  g_assert_cmpuint (n_notified, ==, 1);
  concur_thread_executor_set_paused (self, TRUE);
  g_assert_cmpuint (n_notified, ==, 1);

  for (i = 0; i < 20; i++)
    g_ptr_array_add (futures, test_submit (executor, test_count_job, &counter));
  test_gate_open (&clog.go);
  test_assert_done (futures->pdata[1]);
  test_wait_until (test_snapshot (executor, n_running) == 0);
  g_assert_cmpint (g_atomic_int_get (&counter), ==, 0);
  g_assert_cmpuint (test_snapshot (executor, n_pending), ==, 20);

  g_object_set (executor, "paused", FALSE, NULL);
  g_assert_false (concur_thread_executor_get_paused (self));
  g_assert_cmpuint (n_notified, ==, 2);
  test_futures_wait (futures);
  g_assert_cmpint (counter, ==, 20);
  test_executor_end (executor);
}

static void
test_pause_before_first (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "limited", "max-threads", 2, "paused", TRUE,
                                           NULL);
  g_autoptr (ConcurFuture) future = NULL, cancelled = NULL;

  g_assert_true (concur_thread_executor_get_paused (CONCUR_THREAD_EXECUTOR (executor)));
  future = test_submit (executor, test_one_job, NULL);
  cancelled = test_submit (executor, test_one_job, NULL);
  g_assert_cmpuint (test_snapshot (executor, n_threads), ==, 0);
  g_assert_true (concur_future_cancel (cancelled, CONCUR_CANCEL_NONE));
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_executor_end (executor);
}

/* Whatever the threads were doing at that moment: a job submitted to a paused executor
 * does not start. */
static void
test_pause_holds (void)
{
  guint round, rounds = test_scaled (2000);
  ConcurExecutor *executor = executor_new (2, 0, CONCUR_OVERFLOW_WAIT);
  ConcurThreadExecutor *self = CONCUR_THREAD_EXECUTOR (executor);

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      g_autoptr (ConcurFuture) before = test_submit (executor, test_one_job, NULL);
      g_autoptr (ConcurFuture) after = NULL;
      gint counter = 0;
      guint i;

      if (round % 2 == 0)
        test_assert_done (before);
      concur_thread_executor_set_paused (self, TRUE);
      after = test_submit (executor, test_count_job, &counter);
      for (i = 0; i < 10; i++)
        g_thread_yield ();
      g_assert_cmpint (concur_future_get_state (after), ==, CONCUR_FUTURE_STATE_PENDING);
      concur_thread_executor_set_paused (self, FALSE);
      test_assert_done (after);
      test_assert_done (before);
    }
  test_shake_stop ();
  test_executor_end (executor);
}

/* A paused executor that is full is full. */
static void
test_pause_and_limit (void)
{
  ConcurExecutor *executor = executor_new (1, 2, CONCUR_OVERFLOW_REJECT);
  g_autoptr (GPtrArray) futures = test_futures_new ();

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  g_ptr_array_add (futures, test_submit (executor, test_one_job, NULL));
  submit_to_full (executor);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_futures_wait (futures);
  test_executor_end (executor);
}

/* Jobs write their letters in the order they start. */
typedef struct
{
  GString *letters;            /* one worker: no lock */
  TestClog clog;
} Sequence;

typedef struct
{
  Sequence *sequence;
  char letter;
} Letter;

static gboolean
letter_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Letter *letter = data;

  g_string_append_c (letter->sequence->letters, letter->letter);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static ConcurFuture *
submit_letter (ConcurExecutor *executor,
               Sequence       *sequence,
               char            letter,
               ConcurPriority  priority)
{
  Letter *data = g_new (Letter, 1);
  g_autoptr (ConcurJob) job = concur_job_new (letter_job, data, g_free);

  *data = (Letter){ sequence, letter };
  concur_job_set_priority (job, priority);

  return concur_executor_submit_job (executor, job, NULL);
}

static ConcurPriority
priority_of (char letter)
{
  switch (g_ascii_tolower (letter))
    {
    case 'h':
      return CONCUR_PRIORITY_HIGH;
    case 'd':
      return CONCUR_PRIORITY_DEFAULT;
    case 'l':
      return CONCUR_PRIORITY_LOW;
    default:
      return CONCUR_PRIORITY_IDLE;
    }
}

/* Submits what @submitted says while the one worker is busy. */
static char *
run_sequence (const char *submitted)
{
  ConcurExecutor *executor = executor_new (1, 0, CONCUR_OVERFLOW_WAIT);
  Sequence sequence = { .letters = g_string_new (NULL) };
  g_autoptr (GPtrArray) futures = test_futures_new ();
  const char *p;

  g_ptr_array_add (futures, test_submit (executor, test_clog_job, &sequence.clog));
  test_gate_wait (&sequence.clog.begun);
  for (p = submitted; *p != '\0'; p++)
    g_ptr_array_add (futures, submit_letter (executor, &sequence, *p, priority_of (*p)));
  test_gate_open (&sequence.clog.go);
  test_futures_wait (futures);
  test_executor_end (executor);

  return g_string_free (sequence.letters, FALSE);
}

static void
test_priorities (void)
{
  g_autofree char *mixed = run_sequence ("ildhILDHildh");
  g_autofree char *same = run_sequence ("dDdddDDd");

  /* By priority, and first come, first served within one. */
  g_assert_cmpstr (mixed, ==, "hHhdDdlLliIi");
  g_assert_cmpstr (same, ==, "dDdddDDd");
}

/* However many come before it: every 64th start is for the lowest. */
static void
test_ageing (void)
{
  g_autoptr (GString) submitted = g_string_new ("ili");
  g_autofree char *started = NULL;
  const char *first, *second;
  guint i;

  for (i = 0; i < 300; i++)
    g_string_append_c (submitted, i % 2 == 0 ? 'h' : 'd');
  started = run_sequence (submitted->str);

  /* The clog was the first start. */
  first = strchr (started, 'i');
  g_assert_cmpint (first - started + 2, ==, 64);
  second = strchr (first + 1, 'i');
  g_assert_cmpint (second - started + 2, ==, 128);
  /* Then the lowest that there is. */
  g_assert_cmpint (strchr (started, 'l') - started + 2, ==, 192);
}

typedef struct
{
  ConcurExecutor *executor;
  gint left;                   /* atomic */
} Chain;

static gboolean
chain_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Chain *chain = data;

  if (g_atomic_int_add (&chain->left, -1) > 0)
    {
      g_autoptr (ConcurFuture) next = test_submit_at (chain->executor, CONCUR_PRIORITY_HIGH,
                                                      chain_job, chain);

      /* The last one may come after the end. */
      concur_future_ignore (next);
    }
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Two chains of jobs of high priority, each of which submits the next before it ends:
 * there is always one in front. */
static void
test_ageing_under_flood (void)
{
  ConcurExecutor *executor = executor_new (1, 0, CONCUR_OVERFLOW_WAIT);
  Chain chain = { .executor = executor, .left = 1000000 };
  g_autoptr (ConcurFuture) first = NULL, second = NULL, idle = NULL;

  first = test_submit_at (executor, CONCUR_PRIORITY_HIGH, chain_job, &chain);
  second = test_submit_at (executor, CONCUR_PRIORITY_HIGH, chain_job, &chain);
  idle = test_submit_at (executor, CONCUR_PRIORITY_IDLE, test_one_job, NULL);
  test_assert_done (idle);
  /* The flood went on until then, and is now told to stop. */
  g_assert_cmpint (g_atomic_int_get (&chain.left), >, 0);
  g_atomic_int_set (&chain.left, 0);
  test_executor_end (executor);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/executor-limits/reject", test_reject);
  g_test_add_func ("/executor-limits/reject/on-a-worker", test_reject_on_a_worker);
  g_test_add_func ("/executor-limits/wait", test_wait_for_room);
  g_test_add_func ("/executor-limits/wait/flood", test_wait_flood);
  g_test_add_func ("/executor-limits/wait/on-a-loop", test_wait_on_a_loop);
  g_test_add_func ("/executor-limits/wait/on-a-worker", test_wait_on_a_worker);
  g_test_add_func ("/executor-limits/pause", test_pause_basics);
  g_test_add_func ("/executor-limits/pause/before-first", test_pause_before_first);
  g_test_add_func ("/executor-limits/pause/holds", test_pause_holds);
  g_test_add_func ("/executor-limits/pause/and-limit", test_pause_and_limit);
  g_test_add_func ("/executor-limits/priorities", test_priorities);
  g_test_add_func ("/executor-limits/ageing", test_ageing);
  g_test_add_func ("/executor-limits/ageing/under-flood", test_ageing_under_flood);

  return test_run ();
}
