/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* W8: n calls in a worker process, one at a time, beside what they cannot be faster than: the
 * same number of bytes to another process through a socketpair, and back. A call as programs
 * make it also goes to a thread of the executor and back; "within" is one that a job makes
 * on that thread itself.
 *
 * Workers are this program, started once more. */

#include "bench.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
read_all (int     fd,
          guint8 *data,
          gsize   size)
{
  while (size > 0)
    {
      gssize n_read = read (fd, data, size);

      if (n_read <= 0)
        _exit (n_read == 0 ? 0 : 1);
      data += n_read;
      size -= (gsize) n_read;
    }
}

static void
write_all (int           fd,
           const guint8 *data,
           gsize         size)
{
  while (size > 0)
    {
      gssize n_written = write (fd, data, size);

      if (n_written <= 0)
        g_error ("The other process has gone");
      data += n_written;
      size -= (gsize) n_written;
    }
}

static void
run_socket (void)
{
  gsize size = (gsize) bench_options.size;
  g_autofree guint8 *data = g_malloc0 (size);
  gint64 sum = 0;
  int sockets[2];
  pid_t pid;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
  pid = fork ();
  if (pid == 0)
    {
      close (sockets[0]);
      for (;;)
        {
          read_all (sockets[1], data, size);
          write_all (sockets[1], data, size);
        }
    }

  close (sockets[1]);
  bench_start ();
  for (int i = 1; i <= bench_options.n; i++)
    {
      guint64 before = bench_now_ns ();

      data[0] = (guint8) i;
      write_all (sockets[0], data, size);
      read_all (sockets[0], data, size);
      sum += data[0] == (guint8) i ? i : 0;
      bench_sample (bench_now_ns () - before);
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  close (sockets[0]);
  waitpid (pid, NULL, 0);
}

static GVariant *
answer (ConcurWorkerCall  *call,
        gpointer           data,
        GError           **error)
{
  return g_variant_ref (concur_worker_call_get_arguments (call));
}

static ConcurProcessExecutor *
workers_new (guint min_workers)
{
  static const char *const command[] = { "/proc/self/exe", NULL };
  g_autofree char *program = g_file_read_link (command[0], NULL);
  const char *const this_program[] = { program, NULL };

  return g_object_new (CONCUR_TYPE_PROCESS_EXECUTOR, "command", this_program, "max-workers", 1,
                       "min-workers", min_workers, NULL);
}

static void
workers_end (ConcurProcessExecutor *workers)
{
  g_autoptr (ConcurFuture) end = concur_process_executor_shutdown (workers, CONCUR_SHUTDOWN_DRAIN);

  concur_future_wait (end, -1);
  g_object_unref (workers);
}

typedef GVariant *(*MakeFunc) (int i);
typedef int (*CheckFunc) (GVariant *value);

/* Made beforehand, as the socketpair's bytes and Python's tuple are. */
#define N_ARGUMENTS 4

static void
make_arguments (MakeFunc   make,
                GVariant **arguments)
{
  for (int i = 0; i < N_ARGUMENTS; i++)
    {
      arguments[i] = g_variant_ref_sink (make (i));
      g_variant_get_data (arguments[i]);
    }
}

static void
clear_arguments (GVariant **arguments)
{
  for (int i = 0; i < N_ARGUMENTS; i++)
    g_variant_unref (arguments[i]);
}

static GVariant *
make_bytes (int i)
{
  guint8 *data = g_malloc0 ((gsize) bench_options.size);

  data[0] = (guint8) i;

  return g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, data, (gsize) bench_options.size, TRUE,
                                  g_free, data);
}

static int
check_bytes (GVariant *value)
{
  gsize size;
  const guint8 *data = g_variant_get_fixed_array (value, &size, 1);

  return size == (gsize) bench_options.size ? data[0] : -1;
}

/* About 64 bytes. */
static GVariant *
make_variant (int i)
{
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  g_variant_dict_insert (&options, "width", "i", 640);

  return g_variant_new ("(isd@a{sv})", i, "a name", 0.5, g_variant_dict_end (&options));
}

static int
check_variant (GVariant *value)
{
  int i;

  g_variant_get_child (value, 0, "i", &i);

  return i;
}

static void
run_calls (MakeFunc  make,
           CheckFunc check)
{
  ConcurProcessExecutor *workers = workers_new (0);
  GVariant *arguments[N_ARGUMENTS];
  gint64 sum = 0;

  make_arguments (make, arguments);
  for (int i = 0; i <= bench_options.n; i++)
    {
      guint64 before = bench_now_ns ();
      g_autoptr (ConcurFuture) future = concur_process_executor_call (
          workers, "echo", arguments[i % N_ARGUMENTS], NULL, NULL);
      const GValue *value = concur_future_result (future, -1, NULL);

      /* The first one starts the worker. */
      if (i == 0)
        {
          bench_start ();
          continue;
        }
      sum += check (g_value_get_variant (value)) == i % N_ARGUMENTS ? i : 0;
      bench_sample (bench_now_ns () - before);
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  workers_end (workers);
  clear_arguments (arguments);
}

static void
run_call_bytes (void)
{
  run_calls (make_bytes, check_bytes);
}

static void
run_call_variant (void)
{
  run_calls (make_variant, check_variant);
}

typedef struct
{
  ConcurProcessExecutor *workers;
  GVariant *arguments[N_ARGUMENTS];
  CheckFunc check;
} Within;

static gboolean
call_within (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Within *within = data;
  gint64 sum = 0;

  for (int i = 0; i <= bench_options.n; i++)
    {
      guint64 before = bench_now_ns ();
      g_autoptr (GVariant) value = concur_process_executor_call_within (
          within->workers, job, "echo", within->arguments[i % N_ARGUMENTS], error);

      if (value == NULL)
        return FALSE;
      if (i == 0)
        {
          bench_start ();
          continue;
        }
      sum += within->check (value) == i % N_ARGUMENTS ? i : 0;
      bench_sample (bench_now_ns () - before);
    }
  bench_stop ();
  concur_job_return_int64 (job, sum);

  return TRUE;
}

static void
run_within (MakeFunc  make,
            CheckFunc check)
{
  Within within = { .workers = workers_new (0), .check = check };
  g_autoptr (ConcurJob) job = concur_job_new (call_within, &within, NULL);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;
  const GValue *sum;

  make_arguments (make, within.arguments);
  future = concur_process_executor_submit_job (within.workers, job, NULL);
  sum = concur_future_result (future, -1, &error);
  if (sum == NULL)
    g_error ("%s", error->message);
  bench_check_sum (g_value_get_int64 (sum), bench_options.n);
  workers_end (within.workers);
  clear_arguments (within.arguments);
}

static void
run_within_bytes (void)
{
  run_within (make_bytes, check_bytes);
}

static void
run_within_variant (void)
{
  run_within (make_variant, check_variant);
}

static guint64
time_of_call (ConcurProcessExecutor *workers,
              GVariant              *argument)
{
  guint64 before = bench_now_ns ();
  g_autoptr (ConcurFuture) future = concur_process_executor_call (workers, "echo", argument, NULL,
                                                                  NULL);
  const GValue *value = concur_future_result (future, -1, NULL);

  g_assert_true (g_variant_equal (g_value_get_variant (value), argument));

  return bench_now_ns () - before;
}

/* How long nothing happens before a call that follows a rest. */
#define REST_US 2000

/* Of each of n executors the call of that number, whose worker was kept warm. */
static void
run_nth_call (int      number,
              gboolean after_rest)
{
  GVariant *arguments[N_ARGUMENTS];

  make_arguments (make_variant, arguments);
  for (int i = 0; i < bench_options.n; i++)
    {
      ConcurProcessExecutor *workers = workers_new (1);
      guint64 ns = 0;

      while (concur_process_executor_get_n_workers (workers) == 0)
        g_usleep (1000);
      g_usleep (REST_US);
      bench_start ();
      for (int j = 1; j <= number; j++)
        {
          if (j > 1 && j == number && after_rest)
            g_usleep (REST_US);
          ns = time_of_call (workers, arguments[j % N_ARGUMENTS]);
        }
      bench_stop ();
      bench_sample (ns);
      workers_end (workers);
    }
  clear_arguments (arguments);
}

static void
run_first_call (void)
{
  run_nth_call (1, TRUE);
}

static void
run_later_call (void)
{
  run_nth_call (20, FALSE);
}

static void
run_rested_call (void)
{
  run_nth_call (20, TRUE);
}

/* concurrent.futures: the interpreter that runs the benchmarks makes the calls, and says what
 * each took. */
static void
run_python (void)
{
  static const char script[] =
      "import concurrent.futures, sys, time\n"
      "n = int(sys.argv[1])\n"
      "with concurrent.futures.ProcessPoolExecutor(1) as pool:\n"
      "    argument = (5, 'a name', 0.5, {'width': 640})\n"
      "    assert pool.submit(tuple, argument).result() == argument\n"
      "    for i in range(n):\n"
      "        before = time.perf_counter_ns()\n"
      "        pool.submit(tuple, argument).result()\n"
      "        print(time.perf_counter_ns() - before)\n";
  g_autofree char *n = g_strdup_printf ("%d", bench_options.n);
  const char *python = g_getenv ("BENCH_PYTHON");
  const char *argv[] = { python == NULL ? "python3" : python, "-S", "-c", script, n, NULL };
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;
  int status;

  bench_start ();
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL,
                     &status, NULL))
    bench_skip ("no python3");
  bench_stop ();
  if (status != 0)
    bench_skip ("Python has no ProcessPoolExecutor that works here");
  lines = g_strsplit (g_strchomp (output), "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, bench_options.n);
  for (int i = 0; i < bench_options.n; i++)
    bench_sample (g_ascii_strtoull (lines[i], NULL, 10));
}

static const BenchCase cases[] = {
  { "socket", run_socket },
  { "call-bytes", run_call_bytes },
  { "within-bytes", run_within_bytes },
  { "call-variant", run_call_variant },
  { "within-variant", run_within_variant },
  { "first-call", run_first_call },
  { "later-call", run_later_call },
  { "rested-call", run_rested_call },
  { "python", run_python },
  { NULL, NULL },
};

int
main (int    argc,
      char **argv)
{
  if (g_getenv ("CONCUR_WORKER_FD") != NULL)
    return !concur_worker_run (answer, NULL, NULL);

  return bench_main (argc, argv, cases);
}
