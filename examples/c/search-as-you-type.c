/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* search-as-you-type FILE [KEYS]
 *
 * Prints the lines of a file that contain what is typed. With each key a worker begins to
 * search for the whole text, and the search before it, if it has not ended, is cancelled:
 * nobody sees what it finds. Keys are those of the command line, as if typed faster than
 * anything can be found, or come from standard input as they are typed there; Enter is no
 * key. In the end it says how many searches were cancelled, and how many lines all have
 * looked at.
 *
 *     $ search-as-you-type examples/c/meson.build grep
 *     9:  'grep-tree': ['--max-count', '5', …
 *     grep: 1 lines
 *     3 searches cancelled, 232 lines looked at
 *
 * Exit status: 0; 1 if the file could not be read; 2 if called in a wrong way. */

#include <concur.h>
#include <gio/gunixinputstream.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_SIZE 4096

/* All but the counter belongs to the main loop. */
typedef struct
{
  GMainLoop *main_loop;
  GFile *file;
  GString *typed;
  gsize n_searched;       /* bytes of what was typed; an unfinished character may follow */

  ConcurTaskGroup *group; /* of the last search, until it is shown */
  ConcurPromise *begun;   /* by the last search */
  guint n_running;        /* searches, cancelled ones that have not ended yet included */
  gboolean no_more_keys;

  guint n_cancelled;
  int n_lines;            /* atomic */
  int exit_status;
} Finder;

/* What a worker is given. */
typedef struct
{
  Finder *finder;
  ConcurPromise *begun;
  char *text;
} Search;

static void
search_free (gpointer data)
{
  Search *search = data;

  g_object_unref (search->begun);
  g_free (search->text);
  g_free (search);
}

/* On a worker. Answers with the lines that contain the text, each with its number. */
static gboolean
search_file (ConcurJob *job,
             gpointer   user_data,
             GError   **error)
{
  Search *search = user_data;
  GCancellable *cancellable = concur_job_get_cancellable (job);
  g_autoptr (GFileInputStream) stream = NULL;
  g_autoptr (GDataInputStream) lines = NULL;
  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GError) problem = NULL;

  concur_promise_resolve_boolean (search->begun, TRUE);

  stream = g_file_read (search->finder->file, cancellable, error);
  if (stream == NULL)
    return FALSE;

  lines = g_data_input_stream_new (G_INPUT_STREAM (stream));
  for (guint number = 1;; number++)
    {
      g_autofree char *line = NULL;

      /* Reading looks at the cancellable only when it needs more of the file. */
      if (concur_job_check_cancelled (job, error))
        return FALSE;

      line = g_data_input_stream_read_line (lines, NULL, cancellable, &problem);
      if (line == NULL)
        break;
      g_atomic_int_inc (&search->finder->n_lines);
      if (strstr (line, search->text) != NULL)
        g_string_append_printf (found, "%u:%s\n", number, line);
    }
  if (problem != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }

  concur_job_return_string (job, found->str);
  return TRUE;
}

/* Is not called for a search that was cancelled, be it that it has ended by then. */
static void
show (ConcurFuture *future,
      gpointer      user_data)
{
  Finder *finder = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = concur_future_dup_name (future);
  g_autofree char *found = concur_future_dup_string (future, &error);
  guint n_lines = 0;

  g_clear_object (&finder->group);
  if (found == NULL)
    {
      g_printerr ("%s: %s\n", text, error->message);
      finder->exit_status = 1;
      return;
    }

  for (const char *p = found; (p = strchr (p, '\n')) != NULL; p++)
    n_lines++;

  /* The text of a file need not be in any character set: as it is. */
  fputs (found, stdout);
  printf ("%s: %u lines\n", text, n_lines);
  fflush (stdout);
}

static void
check_end (Finder *finder)
{
  if (finder->no_more_keys && finder->n_running == 0)
    g_main_loop_quit (finder->main_loop);
}

/* Called for each search, for it is not a callback of the group. */
static void
ended (ConcurFuture *future,
       gpointer      user_data)
{
  Finder *finder = user_data;

  finder->n_running--;
  check_end (finder);
}

static void
cancel_search (Finder *finder)
{
  if (finder->group == NULL)
    return;

  /* Who types so fast would cancel searches before they begin; this one is to stop in the
   * middle. */
  concur_future_wait (concur_promise_get_future (finder->begun), -1);

  concur_task_group_cancel_silently (finder->group);
  g_clear_object (&finder->group);
  finder->n_cancelled++;
}

static void
begin_search (Finder *finder)
{
  Search *search = g_new0 (Search, 1);
  g_autofree char *text = g_strndup (finder->typed->str, finder->n_searched);
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurFuture) all = NULL;

  g_clear_object (&finder->begun);
  finder->begun = concur_promise_new ();
  finder->group = concur_task_group_new (NULL, NULL);

  search->finder = finder;
  search->begun = g_object_ref (finder->begun);
  search->text = g_strdup (text);
  future = concur_task_group_submit (finder->group, search_file, search, search_free);
  concur_future_set_name (future, text);
  concur_task_group_when_done (finder->group, future, show, finder, NULL, NULL);

  /* Is done when the search has ended in whatever way. Its error is that of the search. */
  all = concur_task_group_close (finder->group);
  concur_future_ignore (all);
  concur_future_when_done (all, ended, finder, NULL, NULL);
  finder->n_running++;
}

/* Keys are characters, of which the last may be there in part. */
static void
type (Finder     *finder,
      const char *keys,
      gsize       n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++)
    if (keys[i] != '\n' && keys[i] != '\0')
      g_string_append_c (finder->typed, keys[i]);

  while (finder->n_searched < finder->typed->len)
    {
      const char *key = finder->typed->str + finder->n_searched;
      gunichar character = g_utf8_get_char_validated (key, -1);

      if (character == (gunichar) -2)
        break;

      finder->n_searched += character == (gunichar) -1 ? 1 : (gsize) (g_utf8_next_char (key) - key);
      cancel_search (finder);
      begin_search (finder);
    }
}

static void
read_keys (GObject      *source,
           GAsyncResult *result,
           gpointer      user_data)
{
  Finder *finder = user_data;
  g_autoptr (GBytes) keys = NULL;
  g_autoptr (GError) error = NULL;

  if (result != NULL)
    {
      keys = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
      if (keys == NULL || g_bytes_get_size (keys) == 0)
        {
          finder->no_more_keys = TRUE;
          check_end (finder);
          return;
        }
      type (finder, g_bytes_get_data (keys, NULL), g_bytes_get_size (keys));
    }

  g_input_stream_read_bytes_async (G_INPUT_STREAM (source), CHUNK_SIZE, G_PRIORITY_DEFAULT, NULL,
                                   read_keys, finder);
}

static void
run (Finder     *finder,
     const char *keys)
{
  g_autoptr (GInputStream) input = NULL;

  if (keys != NULL)
    {
      type (finder, keys, strlen (keys));
      finder->no_more_keys = TRUE;
    }
  else
    {
      input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
      read_keys (G_OBJECT (input), NULL, finder);
    }

  if (!finder->no_more_keys || finder->n_running > 0)
    g_main_loop_run (finder->main_loop);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE [KEYS]");
  g_autoptr (GError) error = NULL;
  Finder finder = { 0 };

  setlocale (LC_ALL, "");

  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 2 || argc > 3)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "Called in a wrong way, see --help");
      return 2;
    }

  finder.main_loop = g_main_loop_new (NULL, FALSE);
  finder.file = g_file_new_for_path (argv[1]);
  finder.typed = g_string_new (NULL);

  run (&finder, argc > 2 ? argv[2] : NULL);
  printf ("%u searches cancelled, %d lines looked at\n", finder.n_cancelled,
          g_atomic_int_get (&finder.n_lines));

  g_clear_object (&finder.group);
  g_clear_object (&finder.begun);
  g_object_unref (finder.file);
  g_string_free (finder.typed, TRUE);
  g_main_loop_unref (finder.main_loop);

  return finder.exit_status;
}
