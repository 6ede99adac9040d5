/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Runs each model, without a bug and with each of its planted ones, in a process of its
 * own that is pinned to one core: crashes and stuck threads go with it. Prints TAP. */

#include "config.h"

#include "explore-models.h"
#include "explore-private.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_BOUND 2
#define DEFAULT_SECONDS 280
#define MAX_TESTS 256
#define MAX_JOBS 16

typedef struct
{
  const ExploreModel *model;
  const char *bug;
  SearchResult *result;   /* shared with the process */
  GString *output;
  pid_t pid;
  int fd;
  int status;
  gboolean done;
} Test;

static Test tests[MAX_TESTS];
static guint n_tests;

static int option_bound = DEFAULT_BOUND;
static int option_seconds = DEFAULT_SECONDS;
static int option_jobs;
static char *option_model;
static char *option_bug;
static char *option_replay;
static gboolean option_no_prune;
static gboolean option_list;
static gboolean option_verbose;

static const GOptionEntry entries[] = {
  { "bound", 'b', 0, G_OPTION_ARG_INT, &option_bound,
    "At most N preemptions a schedule (2)", "N" },
  { "seconds", 's', 0, G_OPTION_ARG_INT, &option_seconds,
    "Time for all together (280)", "N" },
  { "jobs", 'j', 0, G_OPTION_ARG_INT, &option_jobs,
    "Models at a time (2, if there are as many cores)", "N" },
  { "model", 'm', 0, G_OPTION_ARG_STRING, &option_model,
    "Only models of this name or with this pattern", "NAME" },
  { "bug", 0, 0, G_OPTION_ARG_STRING, &option_bug,
    "Only with this planted bug; none: only without", "NAME" },
  { "replay", 'r', 0, G_OPTION_ARG_STRING, &option_replay,
    "Run one schedule, as a report names it, and print it", "CHOICES" },
  { "no-prune", 0, 0, G_OPTION_ARG_NONE, &option_no_prune,
    "Leave no schedule out", NULL },
  { "list", 'l', 0, G_OPTION_ARG_NONE, &option_list,
    "List models and their planted bugs", NULL },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &option_verbose,
    "Print all operations, and how planted bugs were found", NULL },
  { NULL }
};

static void
add_test (const ExploreModel *model,
          const char         *bug)
{
  if (option_model && !g_pattern_match_simple (option_model, model->name))
    return;
  if (option_bug && g_strcmp0 (option_bug, bug ? bug : "none") != 0)
    return;
  if (option_replay && !option_bug && bug)
    return;

  g_assert (n_tests < MAX_TESTS);
  tests[n_tests].model = model;
  tests[n_tests].bug = bug;
  tests[n_tests].output = g_string_new (NULL);
  tests[n_tests].result = mmap (NULL, sizeof (SearchResult), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  n_tests++;
}

/* Bugs first: they are quick, and what time they leave goes to the models. */
static void
add_tests (void)
{
  guint group, i, k;
  int pass;

  for (pass = 0; pass < 2; pass++)
    {
      for (group = 0; group < G_N_ELEMENTS (explore_models); group++)
        {
          for (i = 0; explore_models[group][i].name; i++)
            {
              const ExploreModel *model = &explore_models[group][i];

              for (k = 0; pass == 0 && k < EXPLORE_MAX_BUGS && model->bugs[k]; k++)
                add_test (model, model->bugs[k]);
              if (pass == 1)
                add_test (model, NULL);
            }
        }
    }
}

/* On one core a switch is a switch, not a wake-up of another core. */
static void
pin (guint slot)
{
  cpu_set_t allowed, one;
  int cpu, n, k = 0;

  if (sched_getaffinity (0, sizeof allowed, &allowed) != 0 || (n = CPU_COUNT (&allowed)) == 0)
    return;

  for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
    {
      if (CPU_ISSET (cpu, &allowed) && k++ == (int) slot % n)
        {
          CPU_ZERO (&one);
          CPU_SET (cpu, &one);
          sched_setaffinity (0, sizeof one, &one);
          return;
        }
    }
}

static void
run_test (Test  *test,
          guint  slot,
          gint64 deadline)
{
  SearchLimits limits = {
    .bound = option_bound,
    .deadline = deadline,
    .prune = !option_no_prune,
    .replay = option_replay,
  };

  pin (slot);
  explore_report_crashes (test->model->may_warn);
  explore_report_all = option_verbose || option_replay;
  if (test->model->variants > 0)
    explore_search_variants (test->model, &limits, test->result);
  else
    explore_search (test->model, test->bug, &limits, test->result);
  fflush (stdout);
  _exit (0);
}

static void
start_test (Test  *test,
            guint  slot,
            gint64 deadline)
{
  int fds[2];

  fflush (stdout);
  if (pipe (fds) != 0)
    g_error ("no pipe: %s", g_strerror (errno));

  test->pid = fork ();
  if (test->pid < 0)
    g_error ("no process: %s", g_strerror (errno));

  if (test->pid == 0)
    {
      close (fds[0]);
      dup2 (fds[1], STDOUT_FILENO);
      dup2 (fds[1], STDERR_FILENO);
      close (fds[1]);
      run_test (test, slot, deadline);
    }

  close (fds[1]);
  test->fd = fds[0];
}

/* FALSE: the process has ended. */
static gboolean
read_test (Test *test)
{
  char buffer[4096];
  ssize_t n = read (test->fd, buffer, sizeof buffer);

  if (n > 0)
    {
      g_string_append_len (test->output, buffer, n);
      return TRUE;
    }

  close (test->fd);
  waitpid (test->pid, &test->status, 0);
  test->done = TRUE;

  return FALSE;
}

/* What was found and when, in one line. */
static void
print_found (Test *test)
{
  g_auto (GStrv) lines = g_strsplit (test->output->str, "\n", -1);
  guint i;

  for (i = 0; lines[i]; i++)
    {
      if (g_str_has_prefix (lines[i], "FAILED: "))
        printf ("# %s", lines[i] + strlen ("FAILED: "));
      if (g_str_has_prefix (lines[i], "found after"))
        printf ("; %s\n", lines[i]);
    }
}

static void
print_output (Test *test)
{
  g_auto (GStrv) lines = g_strsplit (g_strchomp (test->output->str), "\n", -1);
  guint i;

  for (i = 0; lines[i]; i++)
    printf ("# %s\n", lines[i]);
}

static gboolean
print_result (Test *test,
              guint number)
{
  const SearchResult *result = test->result;
  double seconds = result->time / (double) G_USEC_PER_SEC;
  gboolean passed = WIFEXITED (test->status) && WEXITSTATUS (test->status) == 0;
  gboolean found = WIFEXITED (test->status) && WEXITSTATUS (test->status) == 1;
  gboolean ok = test->bug ? found : passed;

  if (test->bug)
    printf ("%s %u - %s finds %s\n", ok ? "ok" : "not ok", number, test->model->name, test->bug);
  else
    printf ("%s %u - %s\n", ok ? "ok" : "not ok", number, test->model->name);

  if (test->output->len > 0 && (!ok || option_verbose || option_replay))
    print_output (test);
  else if (found)
    print_found (test);

  if (passed && test->bug)
    printf ("# not found%s: ", result->bug_reached ? "" : ", and never reached");
  else if (passed)
    printf ("# ");
  if (passed)
    printf ("%" G_GUINT64_FORMAT " schedules of up to %u operations, %s bound %u, %.1f s, %.0f/s\n",
            result->schedules, result->max_steps,
            result->exhausted ? "all at" : "OUT OF TIME at", result->bound, seconds,
            result->schedules / MAX (seconds, 1e-3));
  fflush (stdout);

  return ok;
}

/* Several times a fair share of what is left: most need much less, and what they leave
 * is shared again. */
static gint64
limit_for_next (gint64 end,
                guint  next,
                guint  jobs)
{
  gint64 now = g_get_monotonic_time ();
  gint64 share = MAX (end - now, 0) * jobs / (n_tests - next);

  return MIN (now + 4 * share, end);
}

static gboolean
run_tests (guint jobs)
{
  gint64 end = g_get_monotonic_time () + (gint64) option_seconds * G_USEC_PER_SEC;
  Test *running[MAX_JOBS] = { NULL };
  guint next = 0, printed = 0, n_running = 0;
  gboolean ok = TRUE;

  printf ("1..%u\n", n_tests);
  while (printed < n_tests)
    {
      struct pollfd fds[MAX_JOBS];
      guint slot;

      for (slot = 0; slot < jobs; slot++)
        {
          if (running[slot] == NULL && next < n_tests)
            {
              running[slot] = &tests[next];
              start_test (running[slot], slot, limit_for_next (end, next, jobs));
              next++;
              n_running++;
            }
          fds[slot].fd = running[slot] ? running[slot]->fd : -1;
          fds[slot].events = POLLIN;
        }

      poll (fds, jobs, -1);
      for (slot = 0; slot < jobs; slot++)
        {
          if (running[slot] && fds[slot].revents && !read_test (running[slot]))
            {
              running[slot] = NULL;
              n_running--;
            }
        }

      for (; printed < n_tests && tests[printed].done; printed++)
        ok = print_result (&tests[printed], printed + 1) && ok;
    }

  return ok;
}

static void
list_models (void)
{
  guint group, i, k;

  for (group = 0; group < G_N_ELEMENTS (explore_models); group++)
    {
      for (i = 0; explore_models[group][i].name; i++)
        {
          printf ("%s", explore_models[group][i].name);
          for (k = 0; k < EXPLORE_MAX_BUGS && explore_models[group][i].bugs[k]; k++)
            printf (" [%s]", explore_models[group][i].bugs[k]);
          printf ("\n");
        }
    }
}

int
main (int   argc,
      char *argv[])
{
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  guint jobs;

  /* GLib reads it before main (): its slices would hide what is allocated when. */
  if (g_getenv ("G_SLICE") == NULL)
    {
      g_setenv ("G_SLICE", "always-malloc", TRUE);
      execv ("/proc/self/exe", argv);
    }

  context = g_option_context_new ("- explores the schedules of small concurrent programs");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }

  if (option_list)
    {
      list_models ();
      return 0;
    }

  option_bound = CLAMP (option_bound, 0, 12);
  add_tests ();
  if (n_tests == 0)
    {
      fprintf (stderr, "No such model, or it has no such bug; see --list\n");
      return 2;
    }

  jobs = option_jobs > 0 ? (guint) option_jobs : MIN (g_get_num_processors (), 2);

  return run_tests (MIN (jobs, MAX_JOBS)) ? 0 : 1;
}
