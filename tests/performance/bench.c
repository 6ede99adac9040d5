/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_setaffinity () */
#endif

#include "bench.h"

#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

BenchOptions bench_options = { .n = 1000, .workers = 2, .repeat = 1, .size = 64 };

static struct
{
  guint64 wall, cpu, switches;             /* sums over start and stop */
  guint64 wall_from, cpu_from, switches_from;
  GArray *samples;
  GString *more;
} meter;

struct _BenchObject
{
  GObject parent_instance;
};

G_DEFINE_TYPE (BenchObject, bench_object, G_TYPE_OBJECT)

static void
bench_object_class_init (BenchObjectClass *klass)
{
}

static void
bench_object_init (BenchObject *self)
{
}

static guint64
clock_ns (clockid_t which)
{
  struct timespec now;

  clock_gettime (which, &now);

  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

/* How often a thread of ours gave its processor away to sleep. */
static guint64
count_switches (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);

  return (guint64) usage.ru_nvcsw;
}

guint64
bench_now_ns (void)
{
  return clock_ns (CLOCK_MONOTONIC);
}

void
bench_start (void)
{
  meter.switches_from = count_switches ();
  meter.cpu_from = clock_ns (CLOCK_PROCESS_CPUTIME_ID);
  meter.wall_from = clock_ns (CLOCK_MONOTONIC);
}

void
bench_stop (void)
{
  meter.wall += clock_ns (CLOCK_MONOTONIC) - meter.wall_from;
  meter.cpu += clock_ns (CLOCK_PROCESS_CPUTIME_ID) - meter.cpu_from;
  meter.switches += count_switches () - meter.switches_from;
}

void
bench_report (const char *name,
              double      value)
{
  g_string_append_printf (meter.more, ", \"%s\": %.3f", name, value);
}

void
bench_sample (guint64 ns)
{
  g_array_append_val (meter.samples, ns);
}

static int
compare_samples (gconstpointer a,
                 gconstpointer b)
{
  guint64 x = *(const guint64 *) a;
  guint64 y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

static void
report_samples (void)
{
  static const struct { const char *name; guint percent; } marks[] = {
    { "p50", 50 }, { "p90", 90 }, { "p99", 99 }
  };

  if (meter.samples->len == 0)
    return;

  g_array_sort (meter.samples, compare_samples);
  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    {
      guint at = (guint) ((guint64) meter.samples->len * marks[i].percent / 100);

      bench_report (marks[i].name, (double) g_array_index (meter.samples, guint64, at));
    }
}

gint64
bench_allocated (void)
{
#ifdef HAVE_MALLINFO2
  struct mallinfo2 info = mallinfo2 ();

  return (gint64) (info.uordblks + info.hblkhd);
#else
  return -1;
#endif
}

gint64
bench_resident (void)
{
  long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  if (file == NULL)
    return -1;
  if (fscanf (file, "%*d %ld", &pages) != 1)
    pages = 0;
  fclose (file);

  return (gint64) pages * sysconf (_SC_PAGESIZE);
}

void
bench_check_sum (gint64 sum,
                 gint64 n)
{
  if (sum != n * (n + 1) / 2)
    g_error ("the results of %" G_GINT64_FORMAT " jobs add up to %" G_GINT64_FORMAT, n, sum);
}

void
bench_skip (const char *why)
{
  fprintf (stderr, "skipped: %s\n", why);
  exit (77);
}

void
bench_own_main_context (void)
{
  if (!g_main_context_acquire (NULL))
    g_error ("somebody else owns the main context");
}

ConcurExecutor *
bench_executor_new (void)
{
  return CONCUR_EXECUTOR (concur_thread_executor_new ((guint) bench_options.workers));
}

void
bench_executor_end (ConcurExecutor *executor)
{
  ConcurFuture *end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);

  concur_future_wait (end, -1);
  g_object_unref (end);
  g_object_unref (executor);
}

void
bench_gate_pass (BenchGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->waiting++;
  g_cond_broadcast (&gate->cond);
  while (!gate->open)
    g_cond_wait (&gate->cond, &gate->lock);
  gate->waiting--;
  g_cond_broadcast (&gate->cond);
  g_mutex_unlock (&gate->lock);
}

void
bench_gate_full (BenchGate *gate,
                 int        n)
{
  g_mutex_lock (&gate->lock);
  while (gate->waiting < n)
    g_cond_wait (&gate->cond, &gate->lock);
  g_mutex_unlock (&gate->lock);
}

/* Lets all pass and is closed again when they have. */
void
bench_gate_open (BenchGate *gate)
{
  g_mutex_lock (&gate->lock);
  gate->open = TRUE;
  g_cond_broadcast (&gate->cond);
  while (gate->waiting > 0)
    g_cond_wait (&gate->cond, &gate->lock);
  gate->open = FALSE;
  g_mutex_unlock (&gate->lock);
}

static void
pin_to_one_processor (void)
{
#ifdef __linux__
  cpu_set_t allowed;

  if (sched_getaffinity (0, sizeof allowed, &allowed) == 0)
    for (int i = 0; i < CPU_SETSIZE; i++)
      if (CPU_ISSET (i, &allowed))
        {
          CPU_ZERO (&allowed);
          CPU_SET (i, &allowed);
          if (sched_setaffinity (0, sizeof allowed, &allowed) == 0)
            return;
          break;
        }
#endif
  bench_skip ("cannot keep this process on one processor");
}

int
bench_main (int               argc,
            char            **argv,
            const BenchCase  *cases)
{
  gboolean list = FALSE;
  const GOptionEntry entries[] = {
    { "n", 'n', 0, G_OPTION_ARG_INT, &bench_options.n, "Jobs or items", "N" },
    { "workers", 'w', 0, G_OPTION_ARG_INT, &bench_options.workers, "Workers, or producers", "N" },
    { "work", 0, 0, G_OPTION_ARG_INT, &bench_options.work, "Steps of arithmetic in each job", "N" },
    { "repeat", 0, 0, G_OPTION_ARG_INT, &bench_options.repeat, "How often to do all jobs", "N" },
    { "pending", 0, 0, G_OPTION_ARG_INT, &bench_options.pending, "What waits meanwhile", "N" },
    { "size", 0, 0, G_OPTION_ARG_INT, &bench_options.size, "Bytes of a message", "N" },
    { "pin", 0, 0, G_OPTION_ARG_NONE, &bench_options.pin, "Run on one processor", NULL },
    { "list", 0, 0, G_OPTION_ARG_NONE, &list, "Name the cases", NULL },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("CASE");
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_path_get_basename (argv[0]);
  double total;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s: %s\n", program, error->message);
      return 2;
    }

  if (list)
    {
      for (; cases->name != NULL; cases++)
        puts (cases->name);
      return 0;
    }

  while (cases->name != NULL && (argc < 2 || strcmp (cases->name, argv[1]) != 0))
    cases++;
  if (cases->name == NULL || bench_options.n < 1 || bench_options.workers < 1 || bench_options.repeat < 1
      || bench_options.pending < 0)
    {
      fprintf (stderr, "usage: %s [OPTIONS] CASE; --list names the cases\n", program);
      return 2;
    }

  if (bench_options.pin)
    pin_to_one_processor ();

  meter.more = g_string_new (NULL);
  meter.samples = g_array_sized_new (FALSE, FALSE, sizeof (guint64), (guint) bench_options.n);

  cases->run ();

  total = (double) bench_options.n * bench_options.repeat;
  if (meter.wall > 0)
    {
      bench_report ("wall", (double) meter.wall / total);
      bench_report ("cpu", (double) meter.cpu / total);
      bench_report ("switches", (double) meter.switches / total);
    }
  report_samples ();

  printf ("{\"program\": \"%s\", \"case\": \"%s\", \"n\": %d, \"workers\": %d%s}\n",
          program, cases->name, bench_options.n, bench_options.workers, meter.more->str);

  g_array_unref (meter.samples);
  g_string_free (meter.more, TRUE);

  return 0;
}
