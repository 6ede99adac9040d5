/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "test-process.h"

static GVariant *
result (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_result (future, -1, &error);

  g_assert_no_error (error);

  return g_value_get_variant (value);
}

static void
test_call (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);
  g_autoptr (ConcurFuture) future = concur_process_executor_call (
      workers, "echo", g_variant_new ("(sx)", "text", G_GINT64_CONSTANT (5)), NULL, NULL);
  const char *text;
  gint64 number;

  g_variant_get (result (future), "(&sx)", &text, &number);
  g_assert_cmpstr (text, ==, "text");
  g_assert_cmpint (number, ==, 5);
  g_assert_cmpstr (concur_process_call_get_function (CONCUR_PROCESS_CALL (future)), ==, "echo");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_errors (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);
  g_autoptr (ConcurFuture) known = concur_process_executor_call (
      workers, "square", g_variant_new_int64 (-2), NULL, NULL);
  g_autoptr (ConcurFuture) missing = concur_process_executor_call (workers, "nothing", NULL, NULL,
                                                                   NULL);
  g_autoptr (ConcurFuture) forgotten = concur_process_executor_call (workers, "forget", NULL, NULL,
                                                                     NULL);
  g_autoptr (ConcurFuture) foreign = concur_process_executor_call (workers, "foreign", NULL, NULL,
                                                                   NULL);
  const char *traceback;

  workers_assert_error (known, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "-2 is negative");
  workers_assert_error (missing, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_FOUND, "nothing");
  workers_assert_error (forgotten, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                        "that is ()");
  workers_assert_error (foreign, G_IO_ERROR, G_IO_ERROR_FAILED,
                        "nobody-knows-this-domain: strange");
  g_assert_null (concur_process_call_get_details (CONCUR_PROCESS_CALL (known)));
  g_assert_true (g_variant_lookup (concur_process_call_get_details (CONCUR_PROCESS_CALL (foreign)),
                                   "traceback", "&s", &traceback));
  g_assert_cmpstr (traceback, ==, "line 1");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_died (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  g_autoptr (ConcurFuture) killed = concur_process_executor_call (
      workers, "kill", g_variant_new_int32 (SIGKILL), NULL, NULL);
  g_autoptr (ConcurFuture) next = concur_process_executor_call (
      workers, "square", g_variant_new_int64 (3), NULL, NULL);
  g_autoptr (ConcurFuture) left = concur_process_executor_call (
      workers, "exit", g_variant_new_int32 (3), NULL, NULL);

  workers_assert_error (killed, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "killed by signal 9");
  workers_assert_error (killed, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "about to die");
  g_assert_cmpint (g_variant_get_int64 (result (next)), ==, 9);
  workers_assert_error (left, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "exit status was 3");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_cancel (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "grace-period",
                                                G_GINT64_CONSTANT (600000000), NULL);
  g_autoptr (ConcurFuture) before = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) waits = concur_process_executor_call (workers, "wait", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) queued = concur_process_executor_call (workers, "wait", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) after = NULL;

  test_wait_until (workers_has_text (waits, "waiting"));
  g_assert_true (concur_future_cancel (queued, CONCUR_CANCEL_QUEUED));
  g_assert_true (concur_future_cancel (waits, CONCUR_CANCEL_NONE));
  workers_assert_error (waits, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
  /* It did not cost the worker its life. */
  after = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  g_assert_true (g_variant_equal (result (before), result (after)));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_cancel_ignored (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "grace-period",
                                                G_GINT64_CONSTANT (1000), NULL);
  g_autoptr (ConcurFuture) before = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) ignores = concur_process_executor_call (workers, "ignore", NULL, NULL,
                                                                   NULL);
  g_autoptr (ConcurFuture) after = NULL;

  test_wait_until (workers_has_text (ignores, "ignoring"));
  concur_future_cancel (ignores, CONCUR_CANCEL_NONE);
  workers_assert_error (ignores, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
  after = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  g_assert_false (g_variant_equal (result (before), result (after)));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_call_timeout (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "call-timeout",
                                                G_GINT64_CONSTANT (1000), "grace-period",
                                                G_GINT64_CONSTANT (1000), NULL);
  g_autoptr (ConcurFuture) ignores = concur_process_executor_call (workers, "ignore", NULL, NULL,
                                                                   NULL);
  g_autoptr (ConcurFuture) waits = concur_process_executor_call (workers, "wait", NULL, NULL, NULL);

  workers_assert_error (ignores, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT, "ignore");
  workers_assert_error (waits, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT, "wait");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_map (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);
  GVariantBuilder arguments;
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurFuture) nothing = NULL;
  g_autoptr (ConcurFuture) wrong = NULL;

  g_variant_builder_init (&arguments, G_VARIANT_TYPE ("av"));
  for (gint64 i = 0; i < 10; i++)
    g_variant_builder_add (&arguments, "v", g_variant_new_int64 (i));
  future = concur_process_executor_map_calls (workers, "square",
                                              g_variant_builder_end (&arguments), 3, NULL);
  g_assert_cmpuint (g_variant_n_children (result (future)), ==, 10);
  for (gint64 i = 0; i < 10; i++)
    {
      g_autoptr (GVariant) answer = NULL;

      g_variant_get_child (result (future), (gsize) i, "v", &answer);
      g_assert_cmpint (g_variant_get_int64 (answer), ==, i * i);
    }

  nothing = concur_process_executor_map_calls (
      workers, "square", g_variant_new_array (G_VARIANT_TYPE_VARIANT, NULL, 0), 3, NULL);
  g_assert_cmpuint (g_variant_n_children (result (nothing)), ==, 0);

  g_variant_builder_init (&arguments, G_VARIANT_TYPE ("av"));
  for (gint64 i = 3; i > -7; i--)
    g_variant_builder_add (&arguments, "v", g_variant_new_int64 (i));
  wrong = concur_process_executor_map_calls (workers, "square", g_variant_builder_end (&arguments),
                                             10, NULL);
  workers_assert_error (wrong, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "-1 is negative");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_stream (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  ConcurChannel *channel = concur_process_executor_call_stream (
      workers, "count", g_variant_new ("(x)", G_GINT64_CONSTANT (100)), NULL, 4, NULL);
  ConcurChannel *endless = concur_process_executor_call_stream (
      workers, "count", g_variant_new ("(x)", G_MAXINT64), NULL, 4, NULL);
  GValue value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  for (gint64 i = 0; i < 100; i++)
    {
      g_assert_true (concur_channel_receive_wait (channel, &value, -1, &error));
      g_assert_cmpint (g_variant_get_int64 (g_value_get_variant (&value)), ==, i);
      g_value_unset (&value);
    }
  g_assert_false (concur_channel_receive_wait (channel, &value, -1, &error));
  g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
  g_object_unref (channel);

  for (gint64 i = 0; i < 1000; i++)
    {
      g_assert_true (concur_channel_receive_wait (endless, &value, -1, NULL));
      g_assert_cmpint (g_variant_get_int64 (g_value_get_variant (&value)), ==, i);
      g_value_unset (&value);
    }
  concur_channel_stop (endless);
  g_object_unref (endless);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_large (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-message-size",
                                                G_GUINT64_CONSTANT (50) * 1024 * 1024, NULL);
  static const gsize sizes[] = { 0, 1, 1000, 16384, 100000, 3000000, 40000000 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (sizes[i]), sizes[i]);
      g_autoptr (ConcurFuture) future = concur_process_executor_call (
          workers, "echo", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE), NULL,
          NULL);
      g_autoptr (GBytes) back = g_variant_get_data_as_bytes (result (future));

      g_assert_true (g_bytes_equal (bytes, back));
    }
  {
    g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (60000000), 60000000);
    g_autoptr (ConcurFuture) future = concur_process_executor_call (
        workers, "echo", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE), NULL,
        NULL);

    workers_assert_error (future, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "6000");
  }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* As GVariant would read it. */
static void
test_not_normal (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  static const char no_end[] = { 'a', 'b', 'c' };
  static const guint8 no_bool[] = { 7 };
  g_autoptr (ConcurFuture) text = concur_process_executor_call (
      workers, "echo",
      g_variant_new_from_data (G_VARIANT_TYPE_STRING, no_end, sizeof no_end, FALSE, NULL, NULL), NULL,
      NULL);
  g_autoptr (ConcurFuture) truth = concur_process_executor_call (
      workers, "echo",
      g_variant_new_from_data (G_VARIANT_TYPE_BOOLEAN, no_bool, sizeof no_bool, FALSE, NULL, NULL),
      NULL, NULL);

  g_assert_cmpstr (g_variant_get_string (result (text), NULL), ==, "");
  g_assert_true (g_variant_get_boolean (result (truth)));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_fds (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (ConcurFuture) future = NULL;
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], "through the pipe", 16), ==, 16);
  g_assert_cmpint (g_unix_fd_list_append (fds, ends[0], NULL), ==, 0);
  close (ends[0]);
  close (ends[1]);
  future = concur_process_executor_call (workers, "read-fd", NULL, fds, NULL);
  g_assert_cmpstr (g_variant_get_string (result (future), NULL), ==, "through the pipe");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_descriptors_of_an_answer (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  guint before;
  g_autoptr (ConcurFuture) warm = concur_process_executor_call (
      workers, "echo", g_variant_new_int32 (0), NULL, NULL);
  g_autoptr (ConcurFuture) too_many = NULL;
  g_autoptr (ConcurFuture) together = NULL;
  g_autoptr (ConcurFuture) none = NULL;
  GVariant *arguments[] = { g_variant_new_variant (g_variant_new_int32 (1)) };

  result (warm);
  before = test_count_fds ();
  for (int n = 1; n <= 64; n *= 8)
    {
      g_autoptr (ConcurFuture) future = concur_process_executor_call (
          workers, "answer-fds", g_variant_new_int32 (n), NULL, NULL);
      GUnixFDList *fds;

      g_assert_cmpint (g_variant_get_int32 (result (future)), ==, n);
      fds = concur_process_call_get_fd_list (CONCUR_PROCESS_CALL (future));
      g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, n);
      for (int i = 0; i < n; i++)
        {
          char text[32] = { 0 };

          g_assert_cmpint (read (g_unix_fd_list_peek_fds (fds, NULL)[i], text, sizeof text), ==, 15);
          g_assert_cmpstr (text, ==, "from the worker");
        }
    }
  g_assert_cmpuint (test_count_fds (), ==, before);

  too_many = concur_process_executor_call (workers, "answer-fds", g_variant_new_int32 (65), NULL,
                                           NULL);
  workers_assert_error (too_many, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE, "65");
  together = concur_process_executor_map_calls (
      workers, "answer-fds", g_variant_new_array (G_VARIANT_TYPE_VARIANT, arguments, 1), 1, NULL);
  workers_assert_error (together, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "file descriptors");
  none = concur_process_executor_call (workers, "echo", g_variant_new_int32 (5), NULL, NULL);
  g_assert_cmpint (g_variant_get_int32 (result (none)), ==, 5);
  g_assert_null (concur_process_call_get_fd_list (CONCUR_PROCESS_CALL (none)));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_no_program (void)
{
  const char *command[] = { "/nowhere/to/be/found", NULL };
  const char *not_a_worker[] = { "true", NULL };
  ConcurProcessExecutor *workers = concur_process_executor_new (command, 1);
  g_autoptr (ConcurFuture) missing = concur_process_executor_call (workers, "echo", NULL, NULL,
                                                                   NULL);
  g_autoptr (ConcurFuture) ends = NULL;

  workers_assert_error (missing, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, "/nowhere/to/be/found");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);

  workers = concur_process_executor_new (not_a_worker, 1);
  ends = concur_process_executor_call (workers, "echo", NULL, NULL, NULL);
  workers_assert_error (ends, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "ended before it was ready: its exit status was 0");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_warm (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 3, "min-workers", 2, "idle-timeout",
                                                G_GINT64_CONSTANT (0), NULL);
  g_autoptr (ConcurFuture) first = NULL;
  gsize n;
  g_autofree gint64 *pids = NULL;

  test_wait_until (concur_process_executor_get_n_workers (workers) == 2);
  pids = concur_process_executor_dup_pids (workers, &n);
  g_assert_cmpuint (n, ==, 2);
  first = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  g_assert_true (g_variant_get_int64 (result (first)) == pids[0]
                 || g_variant_get_int64 (result (first)) == pids[1]);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_max_calls (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "max-calls-per-worker", 2, NULL);
  gint64 pids[4];

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (ConcurFuture) future = concur_process_executor_call (workers, "pid", NULL, NULL,
                                                                      NULL);

      pids[i] = g_variant_get_int64 (result (future));
    }
  g_assert_cmpint (pids[0], ==, pids[1]);
  g_assert_cmpint (pids[1], !=, pids[2]);
  g_assert_cmpint (pids[2], ==, pids[3]);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_shutdown (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  g_autoptr (ConcurFuture) waits = concur_process_executor_call (workers, "wait", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) queued = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) late = NULL;

  test_wait_until (workers_has_text (waits, "waiting"));
  g_object_unref (concur_process_executor_shutdown (workers, CONCUR_SHUTDOWN_CANCEL_ALL));
  late = concur_process_executor_call (workers, "pid", NULL, NULL, NULL);
  workers_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN, NULL);
  workers_assert_error (waits, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
  workers_assert_error (queued, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
  workers_end (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
}

int
main (int   argc,
      char *argv[])
{
  if (worker_main ())
    return 0;

  test_init (&argc, &argv);

  g_test_add_func ("/process-executor/call", test_call);
  g_test_add_func ("/process-executor/errors", test_errors);
  g_test_add_func ("/process-executor/died", test_died);
  g_test_add_func ("/process-executor/cancel", test_cancel);
  g_test_add_func ("/process-executor/cancel-ignored", test_cancel_ignored);
  g_test_add_func ("/process-executor/call-timeout", test_call_timeout);
  g_test_add_func ("/process-executor/map", test_map);
  g_test_add_func ("/process-executor/stream", test_stream);
  g_test_add_func ("/process-executor/large", test_large);
  g_test_add_func ("/process-executor/not-normal", test_not_normal);
  g_test_add_func ("/process-executor/fds", test_fds);
  g_test_add_func ("/process-executor/fds-of-an-answer", test_descriptors_of_an_answer);
  g_test_add_func ("/process-executor/no-program", test_no_program);
  g_test_add_func ("/process-executor/warm", test_warm);
  g_test_add_func ("/process-executor/max-calls", test_max_calls);
  g_test_add_func ("/process-executor/shutdown", test_shutdown);

  return test_run ();
}
