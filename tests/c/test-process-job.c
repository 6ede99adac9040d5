/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that make their call themselves, and bytes in bulk. */

#include "test-process.h"

typedef struct
{
  ConcurProcessExecutor *workers;
  const char *name;
  GVariant *arguments;           /* (owned) (nullable) */
} Call;

static gboolean
call_within (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Call *call = data;
  GVariant *answer = concur_process_executor_call_within (call->workers, job, call->name,
                                                          call->arguments, error);

  if (answer == NULL)
    return FALSE;
  concur_job_return_variant (job, answer);
  g_variant_unref (answer);

  return TRUE;
}

static ConcurFuture *
submit (Call *call)
{
  ConcurJob *job = concur_job_new (call_within, call, NULL);
  ConcurFuture *future = concur_process_executor_submit_job (call->workers, job, NULL);

  g_object_unref (job);

  return future;
}

static void
test_value (void)
{
  Call call = { workers_new ("max-workers", 1, NULL), "square", NULL };
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  call.arguments = g_variant_ref_sink (g_variant_new_int64 (12));
  future = submit (&call);
  test_assert_done (future);
  g_assert_cmpint (g_variant_get_int64 (
                       g_value_get_variant (concur_future_get_value (future, &error))),
                   ==, 144);
  g_assert_null (concur_process_executor_dup_details (CONCUR_JOB (future)));
  workers_end (call.workers, CONCUR_SHUTDOWN_DRAIN);
  g_variant_unref (call.arguments);
}

static void
test_details (void)
{
  Call call = { workers_new ("max-workers", 1, NULL), "foreign", NULL };
  g_autoptr (ConcurFuture) future = submit (&call);
  g_autoptr (GVariant) details = NULL;
  const char *traceback;

  test_assert_done (future);
  g_assert_error (concur_future_get_error (future), G_IO_ERROR, G_IO_ERROR_FAILED);
  details = concur_process_executor_dup_details (CONCUR_JOB (future));
  g_assert_true (g_variant_lookup (details, "traceback", "&s", &traceback));
  g_assert_cmpstr (traceback, ==, "line 1");
  g_assert_false (g_variant_lookup (details, "not-started", "b", NULL));
  workers_end (call.workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_not_started (void)
{
  const char *command[] = { "/nonexistent/worker", NULL };
  Call call = { concur_process_executor_new (command, 1), "echo", NULL };
  g_autoptr (ConcurFuture) future = submit (&call);
  g_autoptr (GVariant) details = NULL;
  gboolean not_started = FALSE;

  test_assert_done (future);
  g_assert_error (concur_future_get_error (future), G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
  details = concur_process_executor_dup_details (CONCUR_JOB (future));
  g_assert_true (g_variant_lookup (details, "not-started", "b", &not_started));
  g_assert_true (not_started);
  workers_end (call.workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_cancel (void)
{
  Call call = { workers_new ("max-workers", 1, NULL), "wait", NULL };
  g_autoptr (ConcurFuture) future = submit (&call);
  g_autofree char *text = NULL;

  test_wait_until ((g_free (text), text = concur_future_dup_status_text (future)) != NULL);
  g_assert_cmpstr (text, ==, "waiting");
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  test_assert_done (future);
  g_assert_error (concur_future_get_error (future), G_IO_ERROR, G_IO_ERROR_CANCELLED);
  workers_end (call.workers, CONCUR_SHUTDOWN_DRAIN);
}

typedef struct
{
  _Atomic guint n_entered;
  _Atomic guint n_left;
  _Atomic guint n_inside;        /* calls that were made within the function */
  _Atomic gboolean gone;
} Threads;

static _Thread_local Threads *thread_inside;

static void
thread_func (ConcurThreadExecutor *threads,
             gpointer              data)
{
  Threads *self = data;

  self->n_entered++;
  thread_inside = self;
  while (concur_thread_executor_run_next (threads))
    ;
  thread_inside = NULL;
  self->n_left++;
}

static void
threads_gone (gpointer data)
{
  Threads *self = data;

  self->gone = TRUE;
}

static gboolean
call_inside (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  if (thread_inside != NULL)
    thread_inside->n_inside++;

  return call_within (job, data, error);
}

static void
check_thread_func (guint min_workers)
{
  Threads threads = { 0 };
  Threads refused = { 0 };
  Call call = { workers_new ("max-workers", 1, "min-workers", min_workers, NULL), "square", NULL };

  concur_process_executor_set_thread_func (call.workers, thread_func, &threads, threads_gone);
  test_critical (concur_process_executor_set_thread_func (call.workers, thread_func, &refused,
                                                          threads_gone));
  g_assert_true (refused.gone);
  call.arguments = g_variant_ref_sink (g_variant_new_int64 (3));
  for (guint i = 0; i < 5; i++)
    {
      ConcurJob *job = concur_job_new (call_inside, &call, NULL);
      g_autoptr (ConcurFuture) future = concur_process_executor_submit_job (call.workers, job,
                                                                            NULL);

      g_object_unref (job);
      test_assert_done (future);
      g_assert_null (concur_future_get_error (future));
    }
  workers_end (call.workers, CONCUR_SHUTDOWN_DRAIN);
  g_assert_cmpuint (threads.n_entered, ==, 1);
  g_assert_cmpuint (threads.n_left, ==, 1);
  /* One that starts a worker in advance may have taken a call with it. */
  g_assert_cmpuint (threads.n_inside, >=, min_workers == 0 ? 5 : 4);
  test_wait_until (threads.gone);
  g_variant_unref (call.arguments);
}

static void
test_thread_func (void)
{
  check_thread_func (0);
}

static void
test_thread_func_warm (void)
{
  check_thread_func (1);
}

/* At the sizes where something changes: of the place for lengths, and of where they travel. */
static void
test_bytes (void)
{
  const gsize sizes[] = { 0, 1, 4095, 4096, 5000, 65500, 65536, 65540, 300000, 3000000 };
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree guint8 *data = g_malloc (sizes[i] + 1);
      g_autoptr (ConcurFuture) future = NULL;
      GVariant *answer;
      const guint8 *back;
      gsize n;

      for (gsize j = 0; j < sizes[i]; j++)
        data[j] = (guint8) (j * 31 + j / 256);
      future = concur_process_executor_call (
          workers, "echo",
          g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, data, sizes[i], 1), NULL, NULL);
      test_assert_done (future);
      answer = g_value_get_variant (concur_future_get_value (future, NULL));
      back = g_variant_get_fixed_array (answer, &n, 1);
      g_assert_cmpmem (back, n, data, sizes[i]);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

int
main (int   argc,
      char *argv[])
{
  if (worker_main ())
    return 0;

  test_init (&argc, &argv);

  g_test_add_func ("/process-job/value", test_value);
  g_test_add_func ("/process-job/details", test_details);
  g_test_add_func ("/process-job/not-started", test_not_started);
  g_test_add_func ("/process-job/cancel", test_cancel);
  g_test_add_func ("/process-job/thread-func", test_thread_func);
  g_test_add_func ("/process-job/thread-func-warm", test_thread_func_warm);
  g_test_add_func ("/process-job/bytes", test_bytes);

  return test_run ();
}
