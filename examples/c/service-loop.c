/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* service-loop [--interval MS] [--ticks N] [--events N] DIR
 *
 * A service in the background: a thread with a main loop of its own watches a directory,
 * says what changes there, and says every now and then that it is alive. It goes on until
 * Ctrl-C or SIGTERM, or as many ticks or changes as it is told, and then ends in good
 * order: the loop keeps running until the task in it has cleared up.
 *
 * The main thread could be showing windows meanwhile. Here it waits for signals.
 *
 * Exit status: 0; 1 after a problem; 2 if called in a wrong way. */

#include <concur.h>
#include <glib-unix.h>

#include <locale.h>

typedef struct
{
  /* Set before the loop runs, and not changed afterwards. */
  const char *path;
  guint interval_ms, max_ticks, max_events;
  ConcurPromise *finished; /* when there were enough ticks or changes */

  /* From here on the loop's thread only. */
  ConcurJob *job;
  GFileMonitor *monitor;
  GSource *ticker, *stopper;
  guint n_ticks, n_events;
} Watch;

static gboolean
tick (gpointer user_data)
{
  Watch *watch = user_data;

  watch->n_ticks++;
  g_print ("tick %u: %u changes\n", watch->n_ticks, watch->n_events);
  if (watch->n_ticks == watch->max_ticks)
    concur_promise_resolve (watch->finished, NULL);

  return G_SOURCE_CONTINUE;
}

static void
changed (GFileMonitor      *monitor,
         GFile             *file,
         GFile             *other_file,
         GFileMonitorEvent  event,
         gpointer           user_data)
{
  Watch *watch = user_data;
  g_autofree char *name = g_file_get_basename (file);
  const char *what;

  if (event == G_FILE_MONITOR_EVENT_CREATED)
    what = "created";
  else if (event == G_FILE_MONITOR_EVENT_DELETED)
    what = "deleted";
  else if (event == G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT)
    what = "written";
  else
    return;

  g_print ("%s: %s\n", what, name);
  watch->n_events++;
  if (watch->n_events == watch->max_events)
    concur_promise_resolve (watch->finished, NULL);
}

/* The task is to end. It may take its time: the loop runs until the job is answered. */
static gboolean
stop_watching (GCancellable *cancellable,
               gpointer      user_data)
{
  Watch *watch = user_data;
  g_autoptr (ConcurJob) job = g_steal_pointer (&watch->job);

  g_file_monitor_cancel (watch->monitor);
  g_clear_object (&watch->monitor);
  g_source_destroy (watch->ticker);
  g_clear_pointer (&watch->ticker, g_source_unref);
  g_clear_pointer (&watch->stopper, g_source_unref);

  concur_job_return_boolean (job, TRUE);

  return G_SOURCE_REMOVE;
}

static GSource *
attach (GSource     *source,
        GSourceFunc  func,
        Watch       *watch)
{
  g_source_set_callback (source, func, watch, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());

  return source;
}

/* The task, called on the loop's thread when the loop runs. All that it makes here, the
 * monitor included, belongs to the main context of this thread. */
static gboolean
start_watching (ConcurJob *job,
                gpointer   user_data,
                GError   **error)
{
  Watch *watch = user_data;
  g_autoptr (GFile) directory = g_file_new_for_path (watch->path);
  g_autoptr (GError) problem = NULL;

  watch->monitor = g_file_monitor_directory (directory, G_FILE_MONITOR_NONE, NULL, &problem);
  if (watch->monitor == NULL)
    {
      concur_promise_reject (watch->finished, problem);
      concur_job_return_boolean (job, FALSE);
      return TRUE;
    }

  g_signal_connect (watch->monitor, "changed", G_CALLBACK (changed), watch);
  watch->ticker = attach (g_timeout_source_new (watch->interval_ms), tick, watch);
  watch->stopper = attach (g_cancellable_source_new (concur_job_get_cancellable (job)),
                           G_SOURCE_FUNC (stop_watching), watch);

  /* It goes on when this function has returned, and answers when it is stopped. */
  watch->job = g_object_ref (job);
  concur_job_hold (job);
  g_print ("Watching %s\n", watch->path);

  return TRUE;
}

/* Back on the main thread */

static void
finished (ConcurFuture *future,
          gpointer      user_data)
{
  g_main_loop_quit (user_data);
}

static gboolean
interrupted (gpointer user_data)
{
  g_main_loop_quit (user_data);

  return G_SOURCE_REMOVE;
}

static int
run (Watch *watch)
{
  g_autoptr (GMainLoop) main_loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (ConcurLoopThread) service = concur_loop_thread_new ("service");
  ConcurFuture *future = concur_promise_get_future (watch->finished);
  g_autoptr (GError) error = NULL;
  const GError *problem;

  concur_loop_thread_add_task (service, start_watching, watch, NULL);
  if (!concur_loop_thread_start (service, &error))
    {
      g_printerr ("service-loop: %s\n", error->message);
      return 1;
    }

  g_unix_signal_add (SIGINT, interrupted, main_loop);
  g_unix_signal_add (SIGTERM, interrupted, main_loop);
  concur_future_when_done (future, finished, g_main_loop_ref (main_loop),
                           (GDestroyNotify) g_main_loop_unref, NULL);
  g_main_loop_run (main_loop);

  /* Asks the task to end, and waits until it has. Then what was the loop's can be read
   * here. */
  concur_loop_thread_stop (service, -1, NULL);

  problem = concur_future_get_error (future);
  if (problem != NULL)
    {
      g_printerr ("service-loop: %s\n", problem->message);
      return 1;
    }
  g_print ("Stopped after %u changes\n", watch->n_events);

  return 0;
}

int
main (int    argc,
      char **argv)
{
  int interval_ms = 1000, max_ticks = 0, max_events = 0;
  g_auto (GStrv) paths = NULL;
  const GOptionEntry options[] = {
    { "interval", 0, 0, G_OPTION_ARG_INT, &interval_ms, "Between two ticks (default: 1000)", "MS" },
    { "ticks", 0, 0, G_OPTION_ARG_INT, &max_ticks, "End after so many ticks", "N" },
    { "events", 0, 0, G_OPTION_ARG_INT, &max_events, "End after so many changes", "N" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "DIR" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = NULL;
  Watch watch = { 0 };

  setlocale (LC_ALL, "");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || paths == NULL || paths[1] != NULL || interval_ms < 1)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "Which directory?");
      return 2;
    }

  watch.path = paths[0];
  watch.interval_ms = (guint) interval_ms;
  watch.max_ticks = (guint) max_ticks;
  watch.max_events = (guint) max_events;
  watch.finished = promise;

  return run (&watch);
}
