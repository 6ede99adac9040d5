/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a job answers, and what is to be said before it runs. Jobs that answer later are in
 * test-job-hold.c, executors written by others in test-job-executor.c, cancellation in
 * test-cancel.c. */

#include "config.h"

#include "test-util.h"

static ConcurExecutor *executor;

/* Runs @func to the end and gives its future. */
static ConcurFuture *
run (ConcurJobFunc func,
     gpointer      data)
{
  ConcurFuture *future = concur_executor_submit (executor, func, data, NULL, NULL);

  g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));

  return future;
}

static GError *
an_error (gint code)
{
  return g_error_new (G_IO_ERROR, code, "error %d", code);
}

/* Answers */

typedef enum
{
  WAY_VALUE,
  WAY_NONE,
  WAY_STRING,
  WAY_OBJECT,
  WAY_BYTES,
  WAY_VARIANT,
  WAY_INT64,
  WAY_DOUBLE,
  WAY_BOOLEAN,
  WAY_ERROR,
  WAY_CANCELLED,
  N_WAYS
} Way;

static void
answer (ConcurJob *job,
        Way        way)
{
  g_autoptr (GError) error = an_error (way == WAY_ERROR ? G_IO_ERROR_EXISTS : G_IO_ERROR_CANCELLED);
  g_autoptr (GCancellable) object = g_cancellable_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static ("bytes", 5);
  GValue value = G_VALUE_INIT;

  switch (way)
    {
    case WAY_VALUE:
      g_value_init (&value, G_TYPE_UINT);
      g_value_set_uint (&value, 3);
      concur_job_return_value (job, &value);
      break;
    case WAY_NONE:
      concur_job_return_value (job, NULL);
      break;
    case WAY_STRING:
      concur_job_return_string (job, "text");
      break;
    case WAY_OBJECT:
      concur_job_return_object (job, G_OBJECT (object));
      break;
    case WAY_BYTES:
      concur_job_return_bytes (job, bytes);
      break;
    case WAY_VARIANT:
      concur_job_return_variant (job, g_variant_new_string ("variant"));
      break;
    case WAY_INT64:
      concur_job_return_int64 (job, G_MAXINT64);
      break;
    case WAY_DOUBLE:
      concur_job_return_double (job, 0.5);
      break;
    case WAY_BOOLEAN:
      concur_job_return_boolean (job, TRUE);
      break;
    case WAY_ERROR:
    case WAY_CANCELLED:
    default:
      concur_job_return_error (job, error);
    }
}

static void
assert_answer (ConcurFuture *future,
               Way           way)
{
  g_autofree char *text = concur_future_dup_string (future, NULL);
  g_autoptr (GObject) object = concur_future_dup_object (future, NULL);
  g_autoptr (GBytes) bytes = concur_future_dup_bytes (future, NULL);
  g_autoptr (GVariant) variant = concur_future_dup_variant (future, NULL);

  g_assert_cmpint (concur_future_check (future, NULL), ==, way != WAY_ERROR && way != WAY_CANCELLED);
  g_assert_cmpstr (text, ==, way == WAY_STRING ? "text" : NULL);
  g_assert_cmpint (G_IS_CANCELLABLE (object), ==, way == WAY_OBJECT);
  g_assert_cmpint (bytes != NULL, ==, way == WAY_BYTES);
  g_assert_cmpint (variant != NULL, ==, way == WAY_VARIANT);
  g_assert_cmpint (concur_future_get_boolean (future, NULL), ==, way == WAY_BOOLEAN);

  if (way == WAY_VALUE)
    test_assert_int64 (future, 3);
  else if (way == WAY_INT64)
    test_assert_int64 (future, G_MAXINT64);
  else if (way == WAY_DOUBLE)
    g_assert_cmpfloat (concur_future_get_double (future, NULL), ==, 0.5);
  else if (way == WAY_NONE)
    g_assert_true (G_VALUE_HOLDS (concur_future_get_value (future, NULL), G_TYPE_OBJECT));
  else if (way == WAY_ERROR)
    test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
  else if (way == WAY_CANCELLED)
    test_assert_cancelled (future);
}

static gboolean
answering_job (ConcurJob *job,
               gpointer   data,
               GError   **error)
{
  answer (job, GPOINTER_TO_UINT (data));

  return TRUE;
}

static void
test_answers (void)
{
  guint way;

  for (way = 0; way < N_WAYS; way++)
    {
      g_autoptr (ConcurFuture) future = run (answering_job, GUINT_TO_POINTER (way));

      assert_answer (future, way);
    }
}

static gboolean
answering_twice_job (ConcurJob *job,
                     gpointer   data,
                     GError   **error)
{
  guint ways = GPOINTER_TO_UINT (data);

  answer (job, ways % N_WAYS);
  answer (job, ways / N_WAYS);

  return TRUE;
}

static void
test_first_answer_counts (void)
{
  guint ways;

  for (ways = 0; ways < N_WAYS * N_WAYS; ways++)
    {
      g_autoptr (ConcurFuture) future = run (answering_twice_job, GUINT_TO_POINTER (ways));

      assert_answer (future, ways % N_WAYS);
    }
}

static gboolean
silent_job (ConcurJob *job,
            gpointer   data,
            GError   **error)
{
  return GPOINTER_TO_UINT (data);
}

/* What the function returns says nothing by itself. */
static void
test_no_answer (void)
{
  guint returns;

  for (returns = FALSE; returns <= TRUE; returns++)
    {
      g_autoptr (ConcurFuture) future = run (silent_job, GUINT_TO_POINTER (returns));

      g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
      test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
    }
}

static gboolean
failing_job (ConcurJob *job,
             gpointer   data,
             GError   **error)
{
  g_propagate_error (error, an_error (GPOINTER_TO_INT (data)));

  return FALSE;
}

static void
test_error_set (void)
{
  g_autoptr (ConcurFuture) future = run (failing_job, GINT_TO_POINTER (G_IO_ERROR_EXISTS));
  g_autoptr (ConcurFuture) cancelled = run (failing_job, GINT_TO_POINTER (G_IO_ERROR_CANCELLED));

  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
  test_assert_cancelled (cancelled);
}

static gboolean
answer_and_fail_job (ConcurJob *job,
                     gpointer   data,
                     GError   **error)
{
  answer (job, WAY_INT64);

  return failing_job (job, GINT_TO_POINTER (G_IO_ERROR_EXISTS), error);
}

static void
test_answer_and_error (void)
{
  g_autoptr (ConcurFuture) future = run (answer_and_fail_job, NULL);

  assert_answer (future, WAY_INT64);
}

typedef struct
{
  TestGate answered;
  TestGate go;
} Clearing;

static gboolean
clearing_job (ConcurJob *job,
              gpointer   data,
              GError   **error)
{
  Clearing *self = data;

  answer (job, WAY_INT64);
  test_gate_open (&self->answered);
  test_gate_wait (&self->go);

  return TRUE;
}

/* The future is done when the function has returned as well. */
static void
test_done_after_return (void)
{
  Clearing clearing = { 0 };
  g_autoptr (ConcurFuture) future = concur_executor_submit (executor, clearing_job, &clearing, NULL,
                                                            NULL);

  test_gate_wait (&clearing.answered);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_false (concur_future_wait (future, 1000));
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_PENDING);
  test_gate_open (&clearing.go);
  g_assert_true (concur_future_wait (future, -1));
  assert_answer (future, WAY_INT64);
}

/* The current job */

static gboolean
inner_job (ConcurJob *job,
           gpointer   data,
           GError   **error)
{
  g_assert_true (concur_job_get_current () == job);
  g_assert_true (concur_job_get_current () != data);
  test_critical (concur_job_hold (data));
  answer (job, WAY_INT64);

  return TRUE;
}

static gboolean
outer_job (ConcurJob *job,
           gpointer   data,
           GError   **error)
{
  ConcurExecutor *own = data;
  ConcurFuture *inner;

  g_assert_true (concur_job_get_current () == job);
  /* With one thread it runs here, inside this one. */
  inner = concur_executor_submit (own, inner_job, job, NULL, NULL);
  g_assert_true (concur_future_wait (inner, -1));
  assert_answer (inner, WAY_INT64);
  g_object_unref (inner);
  g_assert_true (concur_job_get_current () == job);
  answer (job, WAY_INT64);

  return TRUE;
}

static void
test_current (void)
{
  ConcurExecutor *own = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;

  g_assert_null (concur_job_get_current ());
  future = concur_executor_submit (own, outer_job, own, NULL, NULL);
  g_assert_true (concur_future_wait (future, -1));
  assert_answer (future, WAY_INT64);
  g_assert_null (concur_job_get_current ());
  test_executor_end (own);
}

/* Classes of one's own */

#define TEST_TYPE_SUM_JOB (test_sum_job_get_type ())
G_DECLARE_FINAL_TYPE (TestSumJob, test_sum_job, TEST, SUM_JOB, ConcurJob)

struct _TestSumJob
{
  ConcurJob parent_instance;

  gint64 to;
};

G_DEFINE_FINAL_TYPE (TestSumJob, test_sum_job, CONCUR_TYPE_JOB)

static gboolean
test_sum_job_run (ConcurJob *job,
                  GError   **error)
{
  TestSumJob *self = TEST_SUM_JOB (job);

  if (self->to < 0)
    return failing_job (job, GINT_TO_POINTER (G_IO_ERROR_INVALID_ARGUMENT), error);

  concur_job_return_int64 (job, self->to * (self->to + 1) / 2);

  return TRUE;
}

static void
test_sum_job_class_init (TestSumJobClass *klass)
{
  CONCUR_JOB_CLASS (klass)->run = test_sum_job_run;
}

static void
test_sum_job_init (TestSumJob *self)
{
}

static void
test_subclass (void)
{
  TestSumJob *job = g_object_new (TEST_TYPE_SUM_JOB, "name", "sum", NULL);
  TestSumJob *failing = g_object_new (TEST_TYPE_SUM_JOB, NULL);
  g_autoptr (ConcurFuture) future = NULL, failed = NULL;

  job->to = 100;
  failing->to = -1;
  future = concur_executor_submit_job (executor, CONCUR_JOB (job), NULL);
  failed = concur_executor_submit_job (executor, CONCUR_JOB (failing), NULL);
  g_assert_true (future == CONCUR_FUTURE (job));
  g_object_unref (job);
  g_object_unref (failing);

  g_assert_true (concur_future_wait (future, -1));
  test_assert_int64 (future, 5050);
  g_assert_true (concur_future_wait (failed, -1));
  test_assert_error (failed, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* A job with neither a function nor a class that runs it has no answer. */
static void
test_nothing_to_run (void)
{
  g_autoptr (ConcurJob) job = g_object_new (CONCUR_TYPE_JOB, NULL);
  g_autoptr (ConcurFuture) future = concur_executor_submit_job (executor, job, NULL);

  g_assert_true (concur_future_wait (future, -1));
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
}

/* Before submitting, and mistakes */

static void
test_never_submitted (void)
{
  TestReleases releases = { .thread = g_thread_self () };
  ConcurJob *job = concur_job_new (silent_job, &releases, test_released);

  g_assert_cmpint (concur_future_get_state (CONCUR_FUTURE (job)), ==, CONCUR_FUTURE_STATE_PENDING);
  g_object_unref (job);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
}

static gboolean
must_not_run_job (ConcurJob *job,
                  gpointer   data,
                  GError   **error)
{
  g_assert_not_reached ();
}

static void
test_cancelled_before_submit (void)
{
  TestReleases releases = { .thread = g_thread_self () };
  g_autoptr (ConcurJob) job = concur_job_new (must_not_run_job, &releases, test_released);
  g_autoptr (ConcurFuture) future = NULL;

  g_assert_true (concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE));
  test_assert_cancelled (CONCUR_FUTURE (job));
  future = concur_executor_submit_job (executor, job, NULL);
  test_assert_cancelled (future);
  test_wait_until (test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

static void
test_priority (void)
{
  g_autoptr (ConcurJob) job = concur_job_new (answering_job, GUINT_TO_POINTER (WAY_INT64), NULL);
  g_autoptr (ConcurFuture) future = NULL;
  ConcurPriority priority;

  g_assert_cmpint (concur_job_get_priority (job), ==, CONCUR_PRIORITY_DEFAULT);
  concur_job_set_priority (job, CONCUR_PRIORITY_LOW);
  g_assert_cmpint (concur_job_get_priority (job), ==, CONCUR_PRIORITY_LOW);
  g_object_set (job, "priority", CONCUR_PRIORITY_HIGH, NULL);
  g_object_get (job, "priority", &priority, NULL);
  g_assert_cmpint (priority, ==, CONCUR_PRIORITY_HIGH);
  test_critical (concur_job_set_priority (job, CONCUR_PRIORITY_IDLE + 1));
  test_critical (concur_job_set_priority (job, (ConcurPriority) -1));

  future = concur_executor_submit_job (executor, job, NULL);
  test_critical (concur_job_set_priority (job, CONCUR_PRIORITY_LOW));
  g_assert_true (concur_future_wait (future, -1));
  concur_release_pending ();
  test_critical (concur_job_set_priority (job, CONCUR_PRIORITY_LOW));
  g_assert_cmpint (concur_job_get_priority (job), ==, CONCUR_PRIORITY_HIGH);
}

static void
test_submit_twice (void)
{
  ConcurExecutor *paused = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                         TRUE, NULL);
  g_autoptr (ConcurJob) job = concur_job_new (answering_job, GUINT_TO_POINTER (WAY_INT64), NULL);
  g_autoptr (ConcurFuture) future = concur_executor_submit_job (paused, job, NULL);
  g_autoptr (ConcurFuture) submitted = NULL;

  test_critical (g_assert_null (concur_executor_submit_job (paused, job, NULL)));
  test_critical (g_assert_null (concur_executor_submit_job (executor, job, NULL)));
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (paused), FALSE);
  g_assert_true (concur_future_wait (future, -1));
  test_critical (g_assert_null (concur_executor_submit_job (paused, job, NULL)));
  assert_answer (future, WAY_INT64);

  /* What submit () returned was submitted, too. */
  submitted = run (answering_job, GUINT_TO_POINTER (WAY_INT64));
  test_critical (g_assert_null (concur_executor_submit_job (paused, CONCUR_JOB (submitted), NULL)));
  test_executor_end (paused);
}

static void
test_mistakes (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (ConcurJob) fresh = concur_job_new (must_not_run_job, NULL, NULL);
  g_autoptr (GError) error = an_error (G_IO_ERROR_EXISTS);
  /* One that was not submitted has nobody to answer for. */
  gpointer wrong[] = { NULL, object, fresh };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ConcurJob *job = wrong[i];

      test_critical (concur_job_return_value (job, NULL));
      test_critical (concur_job_return_string (job, "text"));
      test_critical (concur_job_return_object (job, NULL));
      test_critical (concur_job_return_bytes (job, NULL));
      test_critical (concur_job_return_variant (job, NULL));
      test_critical (concur_job_return_int64 (job, 1));
      test_critical (concur_job_return_double (job, 1));
      test_critical (concur_job_return_boolean (job, TRUE));
      test_critical (concur_job_return_error (job, error));
      test_critical (concur_job_hold (job));
      if (i == 2)
        break;

      test_critical (concur_job_get_priority (job));
      test_critical (concur_job_set_priority (job, CONCUR_PRIORITY_HIGH));
      test_critical (concur_job_is_cancelled (job));
      test_critical (g_assert_false (concur_job_check_cancelled (job, NULL)));
      test_critical (g_assert_null (concur_job_get_cancellable (job)));
      test_critical (concur_job_set_progress (job, 0.5));
      test_critical (concur_job_set_status_text (job, "text"));
      test_critical (concur_job_execute (job));
      test_critical (g_assert_null (concur_executor_submit_job (executor, job, NULL)));
    }

  test_critical (g_assert_null (concur_job_new (NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_executor_submit (executor, NULL, NULL, NULL, NULL)));
  g_assert_cmpint (concur_future_get_state (CONCUR_FUTURE (fresh)), ==, CONCUR_FUTURE_STATE_PENDING);
}

int
main (int    argc,
      char **argv)
{
  int status;

  test_init (&argc, &argv);
  executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));

  g_test_add_func ("/job/answer/each", test_answers);
  g_test_add_func ("/job/answer/first-counts", test_first_answer_counts);
  g_test_add_func ("/job/answer/none", test_no_answer);
  g_test_add_func ("/job/answer/error-set", test_error_set);
  g_test_add_func ("/job/answer/and-error", test_answer_and_error);
  g_test_add_func ("/job/answer/done-after-return", test_done_after_return);
  g_test_add_func ("/job/current", test_current);
  g_test_add_func ("/job/class/run", test_subclass);
  g_test_add_func ("/job/class/nothing-to-run", test_nothing_to_run);
  g_test_add_func ("/job/submit/never", test_never_submitted);
  g_test_add_func ("/job/submit/cancelled-before", test_cancelled_before_submit);
  g_test_add_func ("/job/submit/twice", test_submit_twice);
  g_test_add_func ("/job/priority", test_priority);
  g_test_add_func ("/job/mistakes", test_mistakes);

  status = test_run ();
  test_executor_end (executor);

  return status;
}
