/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* grep-tree [--max-count N] PATTERN DIR
 *
 * Prints the lines that match a regular expression, of all text files under a directory,
 * as they are found. A worker walks the tree and sends the lines through a channel to the
 * main loop. It does not run ahead of it: when the channel is full it waits. After N lines
 * nobody wants more, and the worker ends in the middle of the tree. Symbolic links are not
 * followed, and a file is taken for text if its beginning has no zero byte.
 *
 *     $ grep-tree --max-count 1 '^[a-z_]*names' examples
 *     examples/c/grep-tree.c:136:compare_names (gconstpointer a,
 *     1 lines, 32 files searched
 *
 * Exit status: 0; 1 if something could not be read; 2 if called in a wrong way. */

#include <concur.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>

/* Enough that the loop finds several lines whenever it looks, and little to search in vain
 * when no more are wanted. */
#define CAPACITY 16

typedef struct
{
  GRegex *regex;
  const char *directory; /* as it was called */
  GFile *root;

  /* The worker's, until the channel has come to its end. */
  guint n_files, n_problems;

  /* The main loop's. */
  GMainLoop *main_loop;
  int n_lines, max_count;
} Search;

/* What could not be read is told, and the search goes on. What cannot be sent any more, or
 * is cancelled, ends it: then this returns FALSE. */
static gboolean
go_on_after (Search *search,
             GFile  *file,
             GError *error)
{
  g_autofree char *name = NULL;

  if (g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED)
      || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return FALSE;

  name = g_file_get_parse_name (file);
  g_printerr ("%s: %s\n", name, error->message);
  search->n_problems++;

  return TRUE;
}

static gboolean
send_line (Search        *search,
           ConcurChannel *channel,
           GFile         *file,
           guint          number,
           const char    *line,
           GError       **error)
{
  g_autofree char *below = g_file_get_relative_path (search->root, file);
  g_autofree char *path = g_build_filename (search->directory, below, NULL);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_take_string (&value, g_strdup_printf ("%s:%u:%s", path, number, line));

  return concur_channel_send_wait (channel, &value, -1, error);
}

static gboolean
search_file (Search        *search,
             GFile         *file,
             ConcurJob     *job,
             ConcurChannel *channel,
             GError       **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  g_autoptr (GFileInputStream) stream = g_file_read (file, cancellable, error);
  g_autoptr (GDataInputStream) lines = NULL;
  g_autoptr (GError) problem = NULL;
  const char *beginning;
  gsize size;

  if (stream == NULL)
    return FALSE;

  lines = g_data_input_stream_new (G_INPUT_STREAM (stream));
  if (g_buffered_input_stream_fill (G_BUFFERED_INPUT_STREAM (lines), -1, cancellable, error) < 0)
    return FALSE;
  beginning = g_buffered_input_stream_peek_buffer (G_BUFFERED_INPUT_STREAM (lines), &size);
  if (memchr (beginning, '\0', size) != NULL)
    return TRUE;

  search->n_files++;
  for (guint number = 1;; number++)
    {
      gsize length;
      g_autofree char *line = g_data_input_stream_read_line (lines, &length, cancellable,
                                                             &problem);

      if (line == NULL)
        break;
      if (g_regex_match_full (search->regex, line, (gssize) length, 0, 0, NULL, &problem)
          && !send_line (search, channel, file, number, line, error))
        return FALSE;
      if (problem != NULL)
        break;
    }
  if (problem == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  GFileInfo *const *info_a = a;
  GFileInfo *const *info_b = b;

  return strcmp (g_file_info_get_name (*info_a), g_file_info_get_name (*info_b));
}

/* Returns the entries by name, so that the search goes the same way each time. */
static GPtrArray *
list_directory (GFile        *directory,
                GCancellable *cancellable,
                GError      **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GFileEnumerator) enumerator = NULL;
  GFileInfo *info;

  enumerator = g_file_enumerate_children (directory, "standard::name,standard::type",
                                          G_FILE_QUERY_INFO_NOFOLLOW_SYMLINKS, cancellable,
                                          error);
  if (enumerator == NULL)
    return NULL;

  do
    {
      if (!g_file_enumerator_iterate (enumerator, &info, NULL, cancellable, error))
        return NULL;
      if (info != NULL)
        g_ptr_array_add (entries, g_object_ref (info));
    }
  while (info != NULL);
  g_ptr_array_sort (entries, compare_names);

  return g_steal_pointer (&entries);
}

static gboolean
search_directory (Search        *search,
                  GFile         *directory,
                  ConcurJob     *job,
                  ConcurChannel *channel,
                  GError       **error)
{
  g_autoptr (GPtrArray) entries = NULL;

  entries = list_directory (directory, concur_job_get_cancellable (job), error);
  if (entries == NULL)
    return FALSE;

  for (guint i = 0; i < entries->len; i++)
    {
      GFileInfo *info = g_ptr_array_index (entries, i);
      g_autoptr (GFile) child = g_file_get_child (directory, g_file_info_get_name (info));
      GError *problem = NULL;
      gboolean searched = TRUE;

      if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
        searched = search_directory (search, child, job, channel, &problem);
      else if (g_file_info_get_file_type (info) == G_FILE_TYPE_REGULAR)
        searched = search_file (search, child, job, channel, &problem);

      if (!searched)
        {
          if (!go_on_after (search, child, problem))
            {
              g_propagate_error (error, problem);
              return FALSE;
            }
          g_error_free (problem);
        }
    }

  return TRUE;
}

/* On a worker, as soon as somebody receives. */
static gboolean
search_tree (ConcurJob     *job,
             ConcurChannel *channel,
             gpointer       user_data,
             GError       **error)
{
  Search *search = user_data;

  return search_directory (search, search->root, job, channel, error);
}

static gboolean
found (ConcurChannel *channel,
       const GValue  *value,
       gpointer       user_data)
{
  Search *search = user_data;

  /* The text of a file need not be in any character set: as it is. */
  puts (g_value_get_string (value));
  fflush (stdout);

  return ++search->n_lines < search->max_count;
}

static void
ended (ConcurFuture *future,
       gpointer      user_data)
{
  Search *search = user_data;

  g_main_loop_quit (search->main_loop);
}

/* Returns the exit status. */
static int
run (Search *search)
{
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) printing = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  g_autoptr (GError) error = NULL;

  channel = concur_executor_generate (concur_executor_get_default (), search_tree, search, NULL,
                                      CAPACITY, NULL);
  printing = concur_channel_for_each (channel, found, search, NULL, NULL);

  /* Is done only when the worker has ended, and cancelled if nobody wanted more. An error
   * is that of the printing, too: once is enough. */
  concur_future_ignore (printing);
  completion = concur_channel_dup_completion (channel);
  concur_future_when_done (completion, ended, search, NULL, NULL);
  g_main_loop_run (search->main_loop);

  if (!concur_future_check (completion, &error)
      && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_printerr ("%s: %s\n", search->directory, error->message);
      return 1;
    }
  g_printerr ("%d lines, %u files searched\n", search->n_lines, search->n_files);

  return search->n_problems > 0 ? 1 : 0;
}

int
main (int    argc,
      char **argv)
{
  int max_count = G_MAXINT;
  const GOptionEntry options[] = {
    { "max-count", 'm', 0, G_OPTION_ARG_INT, &max_count, "Stop after so many lines", "N" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("PATTERN DIR");
  g_autoptr (GMainLoop) main_loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GRegex) regex = NULL;
  g_autoptr (GFile) root = NULL;
  g_autoptr (GError) error = NULL;
  Search search = { 0 };

  setlocale (LC_ALL, "");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 3 || max_count < 1)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "Called in a wrong way, see --help");
      return 2;
    }

  regex = g_regex_new (argv[1], G_REGEX_RAW | G_REGEX_OPTIMIZE, 0, &error);
  if (regex == NULL)
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }
  root = g_file_new_for_path (argv[2]);

  search.regex = regex;
  search.directory = argv[2];
  search.root = root;
  search.main_loop = main_loop;
  search.max_count = max_count;

  return run (&search);
}
