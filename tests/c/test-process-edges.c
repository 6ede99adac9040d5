/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Calls that end at the same time as something else, and workers that are told, or say, more
 * than there is room for. */

#include "config.h"

#include <fcntl.h>
#include <string.h>

#include "test-process.h"

/* For tests in which the program must not have to wait for it. */
#define LONG_GRACE "grace-period", G_GINT64_CONSTANT (600000000)

/* Takes so many calls before it answers one. */
#define REVERSE "CONCUR_TEST_REVERSE"

static gboolean stays;

static GVariant *
edges_answer (ConcurWorkerCall  *call,
              gpointer           data,
              GError           **error)
{
  const char *name = concur_worker_call_get_name (call);

  if (g_str_equal (name, "fail-at-length"))
    {
      g_autofree char *text = g_strnfill (4000, 'x');

      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, text);
      return NULL;
    }
  if (g_str_equal (name, "complain"))
    {
      g_printerr ("# a line that a worker writes to stderr\n");
      return g_variant_new_boolean (TRUE);
    }
  if (g_str_equal (name, "escape"))
    {
      /* What it leaves behind has its group. */
      if (fork () == 0)
        {
          for (;;)
            pause ();
        }
      if (setpgid (0, getpgid (getppid ())) != 0)
        _exit (9);
      return worker_ignore (call);
    }
  if (g_str_equal (name, "stay"))
    {
      stays = TRUE;
      return g_variant_new_int64 (getpid ());
    }

  return worker_answer (call, data, error);
}

static gboolean
reverse_main (void)
{
  g_autoptr (ConcurProcessWorker) worker = concur_process_worker_new (NULL);
  ConcurWorkerCall *calls[4];

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    calls[i] = concur_process_worker_next_call (worker, NULL);
  for (guint i = G_N_ELEMENTS (calls); i-- > 0;)
    {
      concur_worker_call_return_value (calls[i], concur_worker_call_get_arguments (calls[i]));
      g_object_unref (calls[i]);
    }

  return concur_process_worker_next_call (worker, NULL) == NULL;
}

static GVariant *
result (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_result (future, -1, &error);

  g_assert_no_error (error);

  return g_value_get_variant (value);
}

static ConcurFuture *
call (ConcurProcessExecutor *workers,
      const char            *name)
{
  return concur_process_executor_call (workers, name, NULL, NULL, NULL);
}

/* More than a socket takes at once. */
static void
test_long_options (void)
{
  g_autofree char *text = g_strnfill (3 * 1024 * 1024, 'x');
  GVariantDict options;
  ConcurProcessExecutor *workers;
  g_autoptr (ConcurFuture) future = NULL;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "text", "s", text);
  workers = workers_new ("max-workers", 1, "options", g_variant_dict_end (&options), NULL);
  future = call (workers, "pid");
  g_assert_nonnull (result (future));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

static void
test_long_error (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "max-message-size",
                                                G_GUINT64_CONSTANT (2000), NULL);
  g_autoptr (ConcurFuture) future = call (workers, "fail-at-length");

  workers_assert_error (future, G_IO_ERROR, G_IO_ERROR_BUSY, "xxxxx");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* Nobody can read what the program writes to stderr: that is no reason for it to end. */
static void
test_broken_stderr (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  int kept = dup (STDERR_FILENO);
  int ends[2];
  g_autoptr (ConcurFuture) first = NULL;
  g_autoptr (ConcurFuture) second = NULL;

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (dup2 (ends[1], STDERR_FILENO), ==, STDERR_FILENO);
  close (ends[0]);
  close (ends[1]);
  first = call (workers, "complain");
  concur_future_wait (first, -1);
  second = call (workers, "pid");
  concur_future_wait (second, -1);
  g_assert_cmpint (dup2 (kept, STDERR_FILENO), ==, STDERR_FILENO);
  close (kept);
  g_assert_true (g_variant_get_boolean (result (first)));
  g_assert_nonnull (result (second));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* It is asked to stop before it has read what it is told to do. */
static void
test_cancel_early (void)
{
  guint n = test_scaled (20);
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, LONG_GRACE, NULL);
  g_autoptr (ConcurFuture) before = call (workers, "pid");
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (12000000), 12000000);

  g_assert_nonnull (result (before));
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) waits = concur_process_executor_call (
          workers, "wait", g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE), NULL,
          NULL);

      test_wait_until (concur_future_get_state (waits) == CONCUR_FUTURE_STATE_RUNNING);
      concur_future_cancel (waits, CONCUR_CANCEL_NONE);
      workers_assert_error (waits, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* What was meant for one call does not hit the next one. */
static void
test_cancel_late (void)
{
  guint n = test_scaled (500);
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, LONG_GRACE, NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) cancelled = concur_process_executor_call (
          workers, "square", g_variant_new_int64 (i), NULL, NULL);
      g_autoptr (ConcurFuture) next = concur_process_executor_call (
          workers, "square", g_variant_new_int64 (i), NULL, NULL);

      test_wait_until (concur_future_get_state (cancelled) != CONCUR_FUTURE_STATE_PENDING);
      if (i % 2 == 0)
        g_thread_yield ();
      concur_future_cancel (cancelled, CONCUR_CANCEL_NONE);
      g_assert_cmpint (g_variant_get_int64 (result (next)), ==, i * i);
      concur_future_wait (cancelled, -1);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* It is killed although it is not in its group any more. */
static void
test_escape (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "grace-period",
                                                G_GINT64_CONSTANT (1000), NULL);
  g_autoptr (ConcurFuture) escapes = call (workers, "escape");

  test_wait_until (workers_has_text (escapes, "ignoring"));
  concur_future_cancel (escapes, CONCUR_CANCEL_NONE);
  workers_assert_error (escapes, G_IO_ERROR, G_IO_ERROR_CANCELLED, NULL);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* The time limit is for the whole stream, whoever it waits for. */
static void
test_stream_time (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "call-timeout",
                                                G_GINT64_CONSTANT (20000), LONG_GRACE, NULL);
  ConcurChannel *channel = concur_process_executor_call_stream (
      workers, "count", g_variant_new ("(x)", G_MAXINT64), NULL, 2, NULL);
  g_autoptr (ConcurFuture) after = NULL;
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;

  g_assert_true (concur_channel_receive_wait (channel, &value, -1, &error));
  g_value_unset (&value);
  /* Nobody receives, and yet the worker is free again. */
  after = call (workers, "pid");
  concur_future_wait (after, -1);
  while (concur_channel_receive_wait (channel, &value, -1, &error))
    g_value_unset (&value);
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_object_unref (channel);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* The answer does not wait for the end of the worker that gave it. */
static void
test_slow_end (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "max-calls-per-worker", 1,
                                                LONG_GRACE, NULL);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (ConcurFuture) future = call (workers, "stay");

      /* Otherwise it would stay for the whole grace period. */
      kill ((pid_t) g_variant_get_int64 (result (future)), SIGKILL);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* The answers of calls that travel together stay with their arguments. */
static void
test_map_order (void)
{
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), REVERSE, "1", TRUE);
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, "environment", environment, NULL);
  GVariantBuilder arguments;
  g_autoptr (ConcurFuture) future = NULL;

  g_variant_builder_init (&arguments, G_VARIANT_TYPE ("av"));
  for (gint64 i = 0; i < 4; i++)
    g_variant_builder_add (&arguments, "v", g_variant_new_int64 (i));
  future = concur_process_executor_map_calls (workers, "any", g_variant_builder_end (&arguments), 4,
                                              NULL);
  for (gint64 i = 0; i < 4; i++)
    {
      g_autoptr (GVariant) answer = NULL;

      g_variant_get_child (result (future), (gsize) i, "v", &answer);
      g_assert_cmpint (g_variant_get_int64 (answer), ==, i);
    }
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* What went along with a call is let go when it is over, not with the future. */
static void
test_fds_let_go (void)
{
  ConcurProcessExecutor *workers = workers_new ("max-workers", 1, NULL);
  GUnixFDList *fds = g_unix_fd_list_new ();
  g_autoptr (ConcurFuture) future = NULL;
  char byte;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (g_unix_fd_list_append (fds, ends[1], NULL), ==, 0);
  close (ends[1]);
  future = concur_process_executor_call (workers, "exit", g_variant_new_int32 (0), fds, NULL);
  g_object_unref (fds);
  workers_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED, NULL);
  /* Nobody can write to it any more. */
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 0);
  close (ends[0]);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

int
main (int   argc,
      char *argv[])
{
  if (g_getenv ("CONCUR_WORKER_FD") != NULL)
    {
      gboolean done = g_getenv (REVERSE) != NULL ? reverse_main ()
                                                 : concur_worker_run (edges_answer, NULL, NULL);

      while (stays)
        pause ();
      return !done;
    }

  test_init (&argc, &argv);

  g_test_add_func ("/process-edges/long-options", test_long_options);
  g_test_add_func ("/process-edges/long-error", test_long_error);
  g_test_add_func ("/process-edges/broken-stderr", test_broken_stderr);
  g_test_add_func ("/process-edges/cancel-early", test_cancel_early);
  g_test_add_func ("/process-edges/cancel-late", test_cancel_late);
  g_test_add_func ("/process-edges/escape", test_escape);
  g_test_add_func ("/process-edges/stream-time", test_stream_time);
  g_test_add_func ("/process-edges/slow-end", test_slow_end);
  g_test_add_func ("/process-edges/map-order", test_map_order);
  g_test_add_func ("/process-edges/fds-let-go", test_fds_let_go);

  return test_run ();
}
