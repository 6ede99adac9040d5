/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A class of somebody's own: that it is told when a job of it is done, and when to let go. */

#include "config.h"

#include "test-workers.h"

/* What happened to jobs of the class, apart from them, who may go first. */
typedef struct
{
  /* set before anything is submitted */
  GThread *done_thread;    /* where it must be told, or NULL: anywhere */
  GThread *release_thread; /* where it must let go, or NULL: anywhere */
  GString *log;            /* (nullable) of a test where all is on one thread */
  gboolean hold;
  gint code;               /* to reject with, or -1: answers 5 */
  TestGate *begun;         /* (nullable) */
  TestGate *go;            /* (nullable) */

  gint n_run;              /* atomic */
  gint n_running;          /* atomic */
  gint n_done;             /* atomic */
  gint n_released;         /* atomic */
} Record;

#define RECORD_INIT { .code = -1 }

#define TEST_TYPE_JOB (test_job_get_type ())
G_DECLARE_FINAL_TYPE (TestJob, test_job, TEST, JOB, ConcurJob)

struct _TestJob
{
  ConcurJob parent_instance;

  Record *record;
};

G_DEFINE_FINAL_TYPE (TestJob, test_job, CONCUR_TYPE_JOB)

static gboolean
test_job_run (ConcurJob  *job,
              GError    **error)
{
  Record *record = TEST_JOB (job)->record;

  g_atomic_int_inc (&record->n_run);
  g_atomic_int_inc (&record->n_running);
  if (record->begun != NULL)
    test_gate_open (record->begun);
  if (record->go != NULL)
    test_gate_wait (record->go);
  if (record->hold)
    concur_job_hold (job);
  else if (record->code < 0)
    concur_job_return_int64 (job, 5);
  else
    g_set_error_literal (error, G_IO_ERROR, record->code, "no");
  g_atomic_int_add (&record->n_running, -1);

  return record->code < 0;
}

static void
test_job_done (ConcurJob *job)
{
  Record *record = TEST_JOB (job)->record;

  g_assert_true (concur_future_is_done (CONCUR_FUTURE (job)));
  if (record->done_thread != NULL)
    g_assert_true (g_thread_self () == record->done_thread);
  if (record->log != NULL)
    g_string_append_c (record->log, 'D');
  g_atomic_int_inc (&record->n_done);
}

static void
test_job_release (ConcurJob *job)
{
  Record *record = TEST_JOB (job)->record;

  g_assert_true (concur_future_is_done (CONCUR_FUTURE (job)));
  g_assert_cmpint (g_atomic_int_get (&record->n_running), ==, 0);
  if (record->release_thread != NULL)
    g_assert_true (g_thread_self () == record->release_thread);
  if (record->log != NULL)
    g_string_append_c (record->log, 'R');
  g_atomic_int_inc (&record->n_released);
}

static void
test_job_class_init (TestJobClass *klass)
{
  ConcurJobClass *job_class = CONCUR_JOB_CLASS (klass);

  job_class->run = test_job_run;
  job_class->done = test_job_done;
  job_class->release = test_job_release;
}

static void
test_job_init (TestJob *self)
{
}

static ConcurJob *
job_new (Record *record)
{
  TestJob *self = g_object_new (TEST_TYPE_JOB, NULL);

  self->record = record;

  return CONCUR_JOB (self);
}

static ConcurJob *
watched_new (Record *record)
{
  ConcurJob *job = job_new (record);

  concur_job_watch (job);

  return job;
}

static void
submit (ConcurExecutor *executor,
        ConcurJob      *job)
{
  g_object_unref (concur_executor_submit_job (executor, job, NULL));
}

static void
assert_told (Record *record,
             gint    n)
{
  test_wait_until (g_atomic_int_get (&record->n_released) == n);
  test_wait_until (g_atomic_int_get (&record->n_done) == n);
}

/* The thread that the one worker of @executor is. */
static gboolean
self_job (ConcurJob *job,
          gpointer   thread,
          GError   **error)
{
  *(GThread **) thread = g_thread_self ();
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static GThread *
get_worker (ConcurExecutor *executor)
{
  GThread *thread = NULL;
  g_autoptr (ConcurFuture) future = test_submit (executor, self_job, &thread);

  test_assert_done (future);

  return thread;
}

/* Every way to an end */

/* @code: see Record. */
static void
test_answers (gconstpointer code)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Record record = { .code = GPOINTER_TO_INT (code), .release_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = watched_new (&record);

  record.done_thread = get_worker (executor);
  submit (executor, job);
  assert_told (&record, 1);
  g_assert_cmpint (concur_future_check (CONCUR_FUTURE (job), NULL), ==, record.code < 0);
  g_assert_cmpint (record.n_run, ==, 1);
  test_executor_end (executor);
  g_assert_cmpint (record.n_done, ==, 1);
  g_assert_cmpint (record.n_released, ==, 1);
}

/* Dropped, and the worker comes by the tombstone later. */
static void
test_cancelled_in_queue (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Record record = { .code = -1, .done_thread = g_thread_self (), .release_thread = g_thread_self () };
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) first = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurJob) job = watched_new (&record);

  test_gate_wait (&clog.begun);
  submit (executor, job);
  g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE));
  g_assert_cmpint (record.n_done, ==, 1);
  assert_told (&record, 1);

  test_gate_open (&clog.go);
  test_executor_end (executor);
  concur_release_pending ();
  g_assert_cmpint (record.n_run, ==, 0);
  g_assert_cmpint (record.n_done, ==, 1);
  g_assert_cmpint (record.n_released, ==, 1);
}

/* Done at once; what its function needs stays until that has returned. */
static void
test_abandoned (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestGate begun = { 0 }, go = { 0 };
  Record record = { .code = -1, .done_thread = g_thread_self (), .release_thread = g_thread_self (),
                    .begun = &begun, .go = &go };
  g_autoptr (ConcurJob) job = watched_new (&record);

  submit (executor, job);
  test_gate_wait (&begun);
  g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_ABANDON));
  g_assert_cmpint (record.n_done, ==, 1);
  concur_release_pending ();
  g_assert_cmpint (record.n_released, ==, 0);

  test_gate_open (&go);
  assert_told (&record, 1);
  test_executor_end (executor);
}

static void
test_refused (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  Record record = { .code = -1, .done_thread = g_thread_self (), .release_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = watched_new (&record);

  test_assert_done (end);
  submit (executor, job);
  g_assert_cmpint (record.n_done, ==, 1);
  test_assert_error (CONCUR_FUTURE (job), CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  assert_told (&record, 1);
  g_assert_cmpint (record.n_run, ==, 0);
  g_object_unref (executor);
}

/* By its parent, before the executor sees it. */
static void
test_parent_cancelled (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Record record = { .code = -1, .done_thread = g_thread_self (), .release_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = watched_new (&record);

  g_cancellable_cancel (cancellable);
  g_object_unref (concur_executor_submit_job (executor, job, cancellable));
  test_assert_cancelled (CONCUR_FUTURE (job));
  assert_told (&record, 1);
  g_assert_cmpint (record.n_run, ==, 0);
  test_executor_end (executor);
}

static void
test_cancelled_before (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Record record = { .code = -1, .done_thread = g_thread_self (), .release_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = watched_new (&record);

  g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE));
  g_assert_cmpint (record.n_done, ==, 1);
  concur_release_pending ();
  g_assert_cmpint (record.n_released, ==, 0);

  /* It was never anybody's, until now. */
  submit (executor, job);
  assert_told (&record, 1);
  test_executor_end (executor);
}

static void
test_held (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Record record = { .code = -1, .hold = TRUE, .done_thread = g_thread_self (),
                    .release_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = watched_new (&record);

  submit (executor, job);
  test_wait_until (g_atomic_int_get (&record.n_run) == 1);
  test_executor_end (executor);
  concur_release_pending ();
  g_assert_cmpint (record.n_done + record.n_released, ==, 0);

  concur_job_return_int64 (job, 6);
  assert_told (&record, 1);
}

/* Who waits on the worker runs the job itself, while the queue still has it. */
static gboolean
waiting_job (ConcurJob *job,
             gpointer   other,
             GError   **error)
{
  Record *record = TEST_JOB (other)->record;

  g_assert_true (concur_future_wait (other, -1));
  g_assert_cmpint (g_atomic_int_get (&record->n_done), ==, 1);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
test_in_place (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-blocked", 0, "paused", TRUE, NULL);
  Record record = { .code = -1, .release_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = watched_new (&record);
  g_autoptr (ConcurFuture) waiting = test_submit (executor, waiting_job, job);

  submit (executor, job);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_assert_done (waiting);
  assert_told (&record, 1);
  test_executor_end (executor);
  concur_release_pending ();
  g_assert_cmpint (record.n_run, ==, 1);
  g_assert_cmpint (record.n_released, ==, 1);
}

/* Nobody but the library has it. */
static void
test_forgotten (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  Record record = { .code = G_IO_ERROR_EXISTS };
  ConcurJob *job = watched_new (&record);

  submit (executor, job);
  /* Its error is not logged: the class was told. */
  g_object_unref (job);
  assert_told (&record, 1);
  test_executor_end (executor);
}

static void
test_never_submitted (void)
{
  Record record = RECORD_INIT;

  g_object_unref (watched_new (&record));
  concur_release_pending ();
  g_assert_cmpint (record.n_done, ==, 0);
  g_assert_cmpint (record.n_released, ==, 0);
}

/* watch () itself */

static void
note_letter (ConcurFuture *future,
             gpointer      log)
{
  g_string_append_c (log, 'c');
}

static void
test_order (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  Record record = { .code = -1, .log = log };
  g_autoptr (ConcurJob) job = job_new (&record);
  ConcurFuture *future = CONCUR_FUTURE (job);

  concur_future_add_direct_callback (future, note_letter, log, NULL);
  concur_job_watch (job);
  concur_future_add_direct_callback (future, note_letter, log, NULL);
  concur_job_watch (job);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_assert_cmpstr (log->str, ==, "cDc");

  /* Once only. */
  concur_job_watch (job);
  g_assert_cmpstr (log->str, ==, "cDc");
}

static void
test_at_once_if_done (void)
{
  Record record = { .code = -1, .done_thread = g_thread_self () };
  g_autoptr (ConcurJob) job = job_new (&record);

  concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);
  g_assert_cmpint (record.n_done, ==, 0);
  concur_job_watch (job);
  g_assert_cmpint (record.n_done, ==, 1);
  concur_job_watch (job);
  g_assert_cmpint (record.n_done, ==, 1);
}

static void
cancel_inside (ConcurFuture *future,
               gpointer      data)
{
  TestJob *job = data;

  concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);
  concur_job_watch (CONCUR_JOB (job));
  g_assert_cmpint (job->record->n_done, ==, 0);
}

static void
test_inside_callback (void)
{
  Record record = RECORD_INIT;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurJob) job = job_new (&record);

  concur_future_add_direct_callback (concur_promise_get_future (promise), cancel_inside, job, NULL);
  concur_promise_resolve_int64 (promise, 1);
  g_assert_cmpint (record.n_done, ==, 1);
}

/* A class that says nothing about either. */
static void
test_plain (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurJob) job = concur_job_new (test_one_job, &releases, test_released);

  concur_job_watch (job);
  submit (executor, job);
  test_wait_until (test_releases_get (&releases) == 1);
  concur_job_watch (job);
  test_assert_int64 (CONCUR_FUTURE (job), 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_executor_end (executor);
}

static void
test_mistakes (void)
{
  test_critical (concur_job_watch (NULL));
}

/* release () and where */

static void
test_release_on_worker (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "release",
                                           CONCUR_RELEASE_WORKER, NULL);
  Record record = RECORD_INIT;
  g_autoptr (ConcurJob) job = watched_new (&record);

  record.done_thread = record.release_thread = get_worker (executor);
  submit (executor, job);
  test_executor_end (executor);
  g_assert_cmpint (record.n_done, ==, 1);
  g_assert_cmpint (record.n_released, ==, 1);
}

/* At home, by the dispatch of the loop that submitted. */

typedef struct
{
  ConcurExecutor *executor;
  Record record;
  gboolean cancel;
} There;

static void
submit_there (gpointer data)
{
  There *self = data;
  g_autoptr (ConcurJob) job = watched_new (&self->record);

  submit (self->executor, job);
  if (self->cancel)
    g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE));
}

static void
test_release_in_loop (gconstpointer cancel)
{
  There there = { .executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                            TRUE, NULL),
                  .record = RECORD_INIT,
                  .cancel = cancel != NULL };
  TestLoop *loop = test_loop_new ();

  there.record.release_thread = test_loop_get_thread (loop);
  test_loop_call (loop, submit_there, &there);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (there.executor), FALSE);
  assert_told (&there.record, 1);
  g_assert_cmpint (there.record.n_run, ==, cancel == NULL);
  test_loop_free (loop);
  test_executor_end (there.executor);
}

/* Races */

#define N_JOBS 8000

static gpointer
watch_thread (gpointer data)
{
  GPtrArray *jobs = data;
  guint i;

  for (i = 0; i < jobs->len; i++)
    {
      concur_job_watch (jobs->pdata[i]);
      if (i % 3 == 0)
        concur_future_cancel (jobs->pdata[i], i % 2 ? CONCUR_CANCEL_ABANDON : CONCUR_CANCEL_NONE);
    }

  return NULL;
}

/* Two threads ask, and cancel some, while two workers end them. */
static void
test_race (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  guint n = test_scaled (N_JOBS), i;
  g_autofree Record *records = g_new0 (Record, n);
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (g_object_unref);
  GThread *threads[2];

  for (i = 0; i < n; i++)
    {
      records[i].code = -1;
      records[i].release_thread = g_thread_self ();
      g_ptr_array_add (jobs, job_new (&records[i]));
    }

  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("watch", watch_thread, jobs);
  for (i = 0; i < n; i++)
    submit (executor, jobs->pdata[i]);
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_executor_end (executor);
  test_shake_stop ();
  concur_release_pending ();

  for (i = 0; i < n; i++)
    {
      g_assert_cmpint (g_atomic_int_get (&records[i].n_done), ==, 1);
      g_assert_cmpint (g_atomic_int_get (&records[i].n_released), ==, 1);
    }
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_data_func ("/job-class/answer/value", GINT_TO_POINTER (-1), test_answers);
  g_test_add_data_func ("/job-class/answer/error", GINT_TO_POINTER (G_IO_ERROR_EXISTS),
                        test_answers);
  g_test_add_data_func ("/job-class/answer/cancelled", GINT_TO_POINTER (G_IO_ERROR_CANCELLED),
                        test_answers);
  g_test_add_func ("/job-class/cancelled-in-queue", test_cancelled_in_queue);
  g_test_add_func ("/job-class/abandoned", test_abandoned);
  g_test_add_func ("/job-class/refused", test_refused);
  g_test_add_func ("/job-class/parent-cancelled", test_parent_cancelled);
  g_test_add_func ("/job-class/cancelled-before", test_cancelled_before);
  g_test_add_func ("/job-class/held", test_held);
  g_test_add_func ("/job-class/in-place", test_in_place);
  g_test_add_func ("/job-class/forgotten", test_forgotten);
  g_test_add_func ("/job-class/never-submitted", test_never_submitted);
  g_test_add_func ("/job-class/watch/order", test_order);
  g_test_add_func ("/job-class/watch/at-once-if-done", test_at_once_if_done);
  g_test_add_func ("/job-class/watch/inside-callback", test_inside_callback);
  g_test_add_func ("/job-class/watch/plain", test_plain);
  g_test_add_func ("/job-class/watch/mistakes", test_mistakes);
  g_test_add_func ("/job-class/release/on-worker", test_release_on_worker);
  g_test_add_data_func ("/job-class/release/in-loop", NULL, test_release_in_loop);
  g_test_add_data_func ("/job-class/release/in-loop/cancelled", "", test_release_in_loop);
  g_test_add_func ("/job-class/race", test_race);

  return test_run ();
}
