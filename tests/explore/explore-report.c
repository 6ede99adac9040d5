/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Tells how a schedule failed: what went wrong, the string that replays it, and the
 * last operations with the lines of code they stand in. Printed by whichever thread
 * finds out; the process then ends, so nothing has to be cleared up. */

#include "config.h"

#include "explore-private.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define LAST_STEPS 60
#define MAX_PLACES 128
#define TICK_SECONDS 5

gboolean explore_report_all;

extern const char __executable_start;

static const char *const step_names[] = {
  [STEP_LOAD] = "load",
  [STEP_STORE] = "store",
  [STEP_UPDATE] = "update",
  [STEP_YIELD] = "yield",
  [STEP_LOCK] = "lock",
  [STEP_TRYLOCK] = "try lock",
  [STEP_UNLOCK] = "unlock",
  [STEP_WAIT] = "wait",
  [STEP_WAKE_ONE] = "signal",
  [STEP_WAKE_ALL] = "broadcast",
  [STEP_PARK] = "park",
  [STEP_PARK_REFUSED] = "park (refused)",
  [STEP_UNPARK_ONE] = "unpark one",
  [STEP_UNPARK_ALL] = "unpark all",
  [STEP_NOW] = "now",
  [STEP_SPAWN] = "start thread",
  [STEP_TIMEOUT] = "TIME IS UP",
  [STEP_SPURIOUS] = "WAKES EARLY",
  [STEP_END] = "end",
};

/* Function, file and line of each place, by addr2line where there is one. Return
 * addresses: one byte back is the call. */
static void
resolve (gconstpointer *places,
         guint          n_places,
         char         **names)
{
  GString *command = g_string_new (NULL);
  char function[256], file[1024];
  FILE *pipe;
  guint i;

  g_string_append_printf (command, "addr2line -s -f -e /proc/%d/exe", (int) getpid ());
  for (i = 0; i < n_places; i++)
    g_string_append_printf (command, " %" G_GSIZE_MODIFIER "x",
                            (gsize) places[i] - 1 - (gsize) &__executable_start);
  g_string_append (command, " 2>/dev/null");

  pipe = popen (command->str, "r");
  for (i = 0; i < n_places; i++)
    {
      if (pipe == NULL || fgets (function, sizeof function, pipe) == NULL
          || fgets (file, sizeof file, pipe) == NULL || file[0] == '?')
        {
          names[i] = NULL;
          continue;
        }
      function[strcspn (function, "\n")] = '\0';
      file[strcspn (file, " \n")] = '\0';
      names[i] = g_strdup_printf ("%s (%s)", function, file);
    }
  if (pipe != NULL)
    pclose (pipe);
}

void
explore_report_places (GString       *report,
                       gconstpointer *places,
                       guint          n_places,
                       const char    *separator)
{
  char *names[MAX_PLACES];
  guint i;

  n_places = MIN (n_places, MAX_PLACES);
  resolve (places, n_places, names);
  for (i = 0; i < n_places; i++)
    {
      if (names[i] != NULL)
        g_string_append_printf (report, "%s%s", separator, names[i]);
    }
}

void
explore_report_steps (void)
{
  guint first = explore_report_all || run.n_steps < LAST_STEPS ? 0 : run.n_steps - LAST_STEPS;
  guint n = run.n_steps - first;
  g_autofree gconstpointer *places = g_new (gconstpointer, 2 * n + 1);
  g_autofree char **names = g_new0 (char *, 2 * n + 1);
  guint i;

  for (i = 0; i < n; i++)
    {
      places[2 * i] = run.steps[first + i].where;
      places[2 * i + 1] = run.steps[first + i].from;
    }
  for (i = 0; i < 2 * n; i += MAX_PLACES)
    resolve (places + i, MIN (MAX_PLACES, 2 * n - i), names + i);

  for (i = 0; i < n; i++)
    {
      const Step *s = &run.steps[first + i];
      char object[16] = "";

      if (s->object)
        g_snprintf (object, sizeof object, "#%u", s->object);
      printf ("%c %4u %*s%u %-15s %-14s %s%s%s\n", s->preempted ? '*' : ' ', first + i,
              2 * s->thread, "", s->thread, step_names[s->kind], s->label ? s->label : object,
              names[2 * i] ? names[2 * i] : "", names[2 * i + 1] ? " < " : "",
              names[2 * i + 1] ? names[2 * i + 1] : "");
    }
}

static void
report (const char *what)
{
  static gboolean reporting;
  const SearchResult *progress = explore_get_progress ();

  if (reporting)
    _exit (2);
  reporting = TRUE;
  explore_memory_enter (FALSE);

  printf ("FAILED: %s\n", what);
  printf ("found after %" G_GUINT64_FORMAT " schedules, with at most %u preemptions\n",
          progress->schedules, progress->bound);
  printf ("replay: --model %s%s%s --replay '%s'\n", run.model->name, run.bug ? " --bug " : "",
          run.bug ? run.bug : "", explore_dup_replay ());
  printf ("(*: the thread before could have gone on)\n");
  explore_report_steps ();
  fflush (stdout);
  _exit (1);
}

void
explore_fail (const char *format,
              ...)
{
  char what[1024];
  va_list args;

  explore_memory_enter (FALSE);
  va_start (args, format);
  g_vsnprintf (what, sizeof what, format, args);
  va_end (args);
  report (what);
  abort ();
}

static void
crashed (int number)
{
  char what[64];

  g_snprintf (what, sizeof what, "crash: %s", strsignal (number));
  report (what);
}

/* A thread that sleeps in earnest, and not in the hooks, would never be noticed. */
static void
ticked (int number)
{
  static guint generation, steps, same;

  if (run.generation != generation || run.n_steps != steps)
    same = 0;
  else if (++same == 4)
    explore_fail ("thread %d has been blocked outside of the synchronisation layer for %d s",
                  run.current ? run.current->id : CONTROLLER, 4 * TICK_SECONDS);
  generation = run.generation;
  steps = run.n_steps;
}

/* A failed assertion or a critical is as good as explore_check (). */
static void
ignore_warning (const char     *domain,
                GLogLevelFlags  level,
                const char     *message,
                gpointer        data)
{
}

void
explore_report_crashes (gboolean may_warn)
{
  static const struct itimerval tick = { { TICK_SECONDS, 0 }, { TICK_SECONDS, 0 } };
  static const int numbers[] = { SIGABRT, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++)
    signal (numbers[i], crashed);
  signal (SIGALRM, ticked);
  setitimer (ITIMER_REAL, &tick, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL
                          | (may_warn ? 0 : G_LOG_LEVEL_WARNING));
  if (may_warn)
    g_log_set_handler ("Concur", G_LOG_LEVEL_WARNING, ignore_warning, NULL);
}
