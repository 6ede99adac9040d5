/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Workers that do not do as they should, and workers that are killed: each costs its own
 * call a clear error, and nothing hangs or stays. */

#include "config.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "concur-glib/concur-wire-private.h"
#include "test-process.h"

#define MODE "CONCUR_TEST_FAULT"

/* The worker's side, without the library's: it speaks the protocol only as far as it is told
 * to. */
static int raw_socket;

static void
raw_send (ConcurWireKind  kind,
          guint64         id,
          GVariant       *content,
          gsize           size)
{
  ConcurWireWriter writer;

  if (!concur_wire_writer_init (&writer, kind, id, NULL, content, NULL,
                                CONCUR_WIRE_DEFAULT_MAX_BODY, NULL))
    abort ();
  size = MIN (size, writer.size);
  if (write (raw_socket, writer.data, size) != (gssize) size)
    _exit (9);
  concur_wire_writer_clear (&writer);
}

static guint64
raw_receive (ConcurWireReader *reader)
{
  ConcurWireFrame frame = { 0 };
  guint64 id;

  while (concur_wire_reader_take (reader, &frame, NULL) != CONCUR_WIRE_READ_DONE)
    {
      if (!concur_wire_reader_fill (reader, raw_socket, TRUE, NULL))
        _exit (0);
    }
  id = frame.id;
  concur_wire_clear (&frame);

  return id;
}

static void
raw_ready (guint version,
           gsize size)
{
  raw_send (CONCUR_WIRE_READY, 0,
            g_variant_new ("(ut@a{sv})", version, CONCUR_WIRE_DEFAULT_MAX_BODY,
                           g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)),
            size);
}

static GVariant *
raw_value (void)
{
  return g_variant_new_string ("value");
}

static void
raw_stay (void)
{
  for (;;)
    pause ();
}

static void
raw_begin (const char       *mode,
           ConcurWireReader *reader)
{
  if (g_str_equal (mode, "exit"))
    _exit (7);
  if (g_str_equal (mode, "silent"))
    raw_stay ();
  raw_receive (reader);
  if (g_str_equal (mode, "garbage-first"))
    {
      if (write (raw_socket, "what is this? what is this?", 27) != 27)
        _exit (9);
      raw_stay ();
    }
  if (g_str_equal (mode, "version"))
    raw_ready (2, G_MAXSIZE);
  else if (g_str_equal (mode, "result-first"))
    raw_send (CONCUR_WIRE_RESULT, 0, raw_value (), G_MAXSIZE);
  else if (g_str_equal (mode, "half-ready"))
    {
      raw_ready (CONCUR_WIRE_VERSION, 30);
      _exit (0);
    }
  else
    raw_ready (CONCUR_WIRE_VERSION, G_MAXSIZE);
  if (g_str_equal (mode, "exit-ready"))
    _exit (8);
  if (g_str_equal (mode, "deaf"))
    {
      signal (SIGINT, SIG_IGN);
      raw_stay ();
    }
}

static void
raw_answer (const char *mode,
            guint64     id)
{
  if (g_str_equal (mode, "garbage"))
    raw_send (CONCUR_WIRE_RESULT, id, raw_value (), 0);
  if (g_str_equal (mode, "garbage")
      && write (raw_socket, "what is this? what is this?", 27) != 27)
    _exit (9);
  if (g_str_equal (mode, "half-header"))
    {
      raw_send (CONCUR_WIRE_RESULT, id, raw_value (), 10);
      _exit (0);
    }
  if (g_str_equal (mode, "half-body"))
    {
      raw_send (CONCUR_WIRE_RESULT, id, raw_value (), CONCUR_WIRE_HEADER_SIZE + 3);
      raise (SIGKILL);
    }
  if (g_str_equal (mode, "half-and-stay"))
    {
      signal (SIGINT, SIG_IGN);
      raw_send (CONCUR_WIRE_RESULT, id, raw_value (), CONCUR_WIRE_HEADER_SIZE + 3);
    }
  if (g_str_equal (mode, "other-id"))
    raw_send (CONCUR_WIRE_RESULT, id + 1, raw_value (), G_MAXSIZE);
  if (g_str_equal (mode, "ready-again"))
    raw_send (CONCUR_WIRE_READY, id,
              g_variant_new_parsed ("(uint32 1, uint64 1, @a{sv} {})"), G_MAXSIZE);
  if (g_str_equal (mode, "item"))
    raw_send (CONCUR_WIRE_ITEM, id, raw_value (), G_MAXSIZE);
  if (g_str_equal (mode, "close"))
    {
      signal (SIGHUP, SIG_IGN);
      close (raw_socket);
    }
  if (g_str_equal (mode, "twice"))
    {
      raw_send (CONCUR_WIRE_RESULT, id, raw_value (), G_MAXSIZE);
      raw_send (CONCUR_WIRE_RESULT, id, raw_value (), G_MAXSIZE);
    }
  if (g_str_equal (mode, "flood"))
    {
      for (guint i = 0; i < 3000; i++)
        {
          if (write (STDERR_FILENO, "# a line that a worker writes to stderr\n", 40) != 40)
            _exit (9);
        }
      raw_send (CONCUR_WIRE_RESULT, id, raw_value (), G_MAXSIZE);
    }
  raw_stay ();
}

static gboolean
raw_main (void)
{
  const char *mode = g_getenv (MODE);
  ConcurWireReader *reader;

  if (mode == NULL || g_getenv ("CONCUR_WORKER_FD") == NULL)
    return FALSE;

  raw_socket = atoi (g_getenv ("CONCUR_WORKER_FD"));
  reader = concur_wire_reader_new (CONCUR_WIRE_DEFAULT_MAX_BODY);
  raw_begin (mode, reader);
  raw_answer (mode, raw_receive (reader));

  return TRUE;
}

static ConcurProcessExecutor *
faulty_new (const char *mode,
            gint64      start_timeout_us)
{
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), MODE, mode, TRUE);

  return workers_new ("max-workers", 1, "environment", environment, "start-timeout",
                      start_timeout_us, "grace-period", G_GINT64_CONSTANT (1000), NULL);
}

/* Each call meets a worker of its own, which does the same. */
static void
test_fault (void)
{
  static const struct
  {
    const char *mode;
    int code;
    const char *text;
  } faults[] = {
    { "exit", CONCUR_EXECUTOR_ERROR_WORKER_DIED, "before it was ready: its exit status was 7" },
    { "garbage-first", CONCUR_EXECUTOR_ERROR_PROTOCOL, "what came is no frame" },
    { "version", CONCUR_EXECUTOR_ERROR_PROTOCOL, "speaks version 2" },
    { "result-first", CONCUR_EXECUTOR_ERROR_PROTOCOL, "began with a RESULT frame" },
    { "half-ready", CONCUR_EXECUTOR_ERROR_PROTOCOL, "ends in the middle of a frame" },
    { "exit-ready", CONCUR_EXECUTOR_ERROR_WORKER_DIED, "exit status was 8" },
    { "garbage", CONCUR_EXECUTOR_ERROR_PROTOCOL, "what came is no frame" },
    { "half-header", CONCUR_EXECUTOR_ERROR_PROTOCOL, "ends in the middle of a frame" },
    { "half-body", CONCUR_EXECUTOR_ERROR_WORKER_DIED, "killed by signal 9" },
    { "other-id", CONCUR_EXECUTOR_ERROR_PROTOCOL, "answered call 2 while call 1" },
    { "ready-again", CONCUR_EXECUTOR_ERROR_PROTOCOL, "READY frame in the middle of the call" },
    { "item", CONCUR_EXECUTOR_ERROR_PROTOCOL, "which is no stream" },
    { "close", CONCUR_EXECUTOR_ERROR_WORKER_DIED, "killed by signal 9" },
  };
  guint before = 0;

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      ConcurProcessExecutor *workers = faulty_new (faults[i].mode, -1);

      g_test_message ("%s", faults[i].mode);
      for (guint j = 0; j < 2; j++)
        {
          g_autoptr (ConcurFuture) future = concur_process_executor_call (workers, "any", NULL,
                                                                          NULL, NULL);

          workers_assert_error (future, CONCUR_EXECUTOR_ERROR, faults[i].code, faults[i].text);
        }
      workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
      /* The first one has opened what the program itself needs. */
      if (i == 0)
        before = test_count_fds ();
      test_wait_until (test_count_fds () <= before);
    }
}

static void
test_silent (void)
{
  ConcurProcessExecutor *workers = faulty_new ("silent", 1000);
  g_autoptr (ConcurFuture) late = concur_process_executor_call (workers, "any", NULL, NULL, NULL);
  g_autoptr (ConcurFuture) cancelled = NULL;

  workers_assert_error (late, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                        "was not ready in time");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);

  /* Nothing but the call's end ends the wait. */
  workers = faulty_new ("silent", -1);
  cancelled = concur_process_executor_call (workers, "any", NULL, NULL, NULL);
  test_wait_until (concur_future_get_state (cancelled) == CONCUR_FUTURE_STATE_RUNNING);
  concur_future_cancel (cancelled, CONCUR_CANCEL_NONE);
  workers_assert_error (cancelled, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* It does not read, and not all of the call fits into the socket. */
static void
test_deaf (void)
{
  ConcurProcessExecutor *workers = faulty_new ("deaf", -1);
  g_autofree char *text = g_strnfill (1024 * 1024, 'x');
  g_autoptr (ConcurFuture) queued = NULL;
  g_autoptr (ConcurFuture) call = concur_process_executor_call (
    workers, "any", g_variant_new_string (text), NULL, NULL);
  gsize n;
  g_autofree gint64 *first = NULL;
  g_autofree gint64 *second = NULL;

  queued = concur_process_executor_call (workers, "any", g_variant_new_string (text), NULL, NULL);
  test_wait_until (concur_process_executor_get_n_workers (workers) == 1);
  first = concur_process_executor_dup_pids (workers, &n);
  concur_future_cancel (call, CONCUR_CANCEL_NONE);
  workers_assert_error (call, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  test_wait_until (concur_future_get_state (queued) == CONCUR_FUTURE_STATE_RUNNING
                   && concur_process_executor_get_n_workers (workers) == 1);
  /* The first was killed. */
  second = concur_process_executor_dup_pids (workers, &n);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpint (first[0], !=, second[0]);
  g_object_unref (concur_process_executor_shutdown (workers, CONCUR_SHUTDOWN_CANCEL_ALL));
  workers_assert_error (queued, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  workers_end (workers, CONCUR_SHUTDOWN_CANCEL_ALL);
}

/* It is cancelled while its answer is half there, or on the way. */
static void
test_cancel_half (void)
{
  ConcurProcessExecutor *workers = faulty_new ("half-and-stay", -1);
  g_autoptr (ConcurFuture) call = concur_process_executor_call (workers, "any", NULL, NULL, NULL);

  test_wait_until (concur_process_executor_get_n_workers (workers) == 1);
  g_assert_false (concur_future_wait (call, 10 * G_TIME_SPAN_MILLISECOND));
  concur_future_cancel (call, CONCUR_CANCEL_NONE);
  workers_assert_error (call, G_IO_ERROR, G_IO_ERROR_CANCELLED, "");
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* The second one comes before the next call or in it: then that one has another worker, or
 * says what was wrong. No worker lives to see two calls answered. */
static void
test_twice (void)
{
  ConcurProcessExecutor *workers = faulty_new ("twice", -1);
  guint n_answered = 0;

  for (guint i = 0; i < 5; i++)
    {
      g_autoptr (ConcurFuture) future = concur_process_executor_call (workers, "any", NULL, NULL,
                                                                      NULL);
      g_autoptr (GError) error = NULL;
      const GValue *value = concur_future_result (future, -1, &error);

      if (value != NULL)
        {
          g_assert_cmpstr (g_variant_get_string (g_value_get_variant (value), NULL), ==, "value");
          n_answered++;
        }
      else
        {
          g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL);
        }
    }
  /* A new worker's first call is always answered, and after a refused one there is one. */
  g_assert_cmpuint (n_answered, >=, 3);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
}

/* More than a pipe holds. It is passed on to stderr, which is looked away from. */
static void
test_flood (void)
{
  ConcurProcessExecutor *workers = faulty_new ("flood", -1);
  g_autoptr (ConcurFuture) future = NULL;
  int kept = dup (STDERR_FILENO);
  FILE *nowhere = fopen ("/dev/null", "we");

  g_assert_cmpint (dup2 (fileno (nowhere), STDERR_FILENO), ==, STDERR_FILENO);
  future = concur_process_executor_call (workers, "any", NULL, NULL, NULL);
  g_assert_nonnull (concur_future_result (future, -1, NULL));
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  g_assert_cmpint (dup2 (kept, STDERR_FILENO), ==, STDERR_FILENO);
  close (kept);
  fclose (nowhere);
}

static void
kill_somebody (ConcurProcessExecutor *workers)
{
  gsize n_pids;
  g_autofree gint64 *pids = concur_process_executor_dup_pids (workers, &n_pids);

  if (n_pids > 0)
    kill ((pid_t) pids[g_test_rand_int_range (0, (gint32) n_pids)], SIGKILL);
}

/* Somebody kills workers all the time. Each call ends, with its own answer or that; those
 * that would never end do by that only. */
static void
test_random_kills (void)
{
  guint n = test_scaled (200);
  ConcurProcessExecutor *workers = workers_new ("max-workers", 2, NULL);
  g_autoptr (GPtrArray) calls = g_ptr_array_new_with_free_func (g_object_unref);
  guint n_died = 0, n_answered = 0;

  for (guint i = 0; i < n; i++)
    {
      if (i % 4 == 3)
        g_ptr_array_add (calls, concur_process_executor_call (workers, "ignore", NULL, NULL, NULL));
      else
        g_ptr_array_add (calls, concur_process_executor_call (workers, "square",
                                                              g_variant_new_int64 (i), NULL, NULL));
    }
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      const GValue *value;

      if (g_test_rand_int_range (0, 4) == 0)
        kill_somebody (workers);
      /* Not faster than a worker begins, or none ever would. */
      while (!concur_future_wait (calls->pdata[i], 20 * G_TIME_SPAN_MILLISECOND))
        kill_somebody (workers);
      value = concur_future_get_value (calls->pdata[i], &error);
      if (value != NULL)
        {
          g_assert_cmpuint (i % 4, !=, 3);
          g_assert_cmpint (g_variant_get_int64 (g_value_get_variant (value)), ==, i * i);
          n_answered++;
        }
      else
        {
          /* In the middle of its answer, perhaps. */
          if (!g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL))
            g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED);
          n_died++;
        }
    }
  g_test_message ("%u answered, %u died", n_answered, n_died);
  g_assert_cmpuint (n_died, >=, n / 4);
  g_assert_cmpuint (n_answered, >, 0);
  workers_end (workers, CONCUR_SHUTDOWN_DRAIN);
  /* No zombies. */
  g_assert_cmpint (waitpid (-1, NULL, WNOHANG), ==, -1);
}

int
main (int   argc,
      char *argv[])
{
  if (raw_main () || worker_main ())
    return 0;

  test_init (&argc, &argv);

  g_test_add_func ("/process-faults/each", test_fault);
  g_test_add_func ("/process-faults/silent", test_silent);
  g_test_add_func ("/process-faults/deaf", test_deaf);
  g_test_add_func ("/process-faults/cancel-half", test_cancel_half);
  g_test_add_func ("/process-faults/twice", test_twice);
  g_test_add_func ("/process-faults/flood", test_flood);
  g_test_add_func ("/process-faults/random-kills", test_random_kills);

  return test_run ();
}
