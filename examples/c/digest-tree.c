/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* digest-tree [--threads N] [--checksum TYPE] DIR
 *
 * Prints the checksum of every regular file under DIR as sha256sum would, while the main
 * loop ticks on like that of a program with a window. All that may block runs on a
 * ConcurThreadExecutor: a job for each directory and for each file. All else is on the
 * main thread, in callbacks: there is not one lock here. Symbolic links are not followed.
 * Exit status: 0; 1 after problems; 2 if DIR could not be read; 130 if interrupted. */

#include <concur.h>
#include <glib-unix.h>

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 16 /* as a program has that draws 60 frames a second */

/* Jobs queued or running at once: enough small files to keep workers busy until the main
 * thread has time to hand out more. Memory stays flat in a huge tree: all that is kept of
 * it are these and the names in the directories being worked on. */
#define MAX_IN_FLIGHT 256
#define ATTRIBUTES "standard::name,standard::type,standard::size,standard::is-symlink"
#define BAR_WIDTH 30

typedef struct
{
  GMainLoop *loop;
  ConcurExecutor *executor;
  GCancellable *cancellable; /* one for all jobs */
  GChecksumType checksum_type;
  const char *root_path; /* as the user typed it */
  GFile *root;
  gboolean on_terminal;

  GQueue waiting;       /* of GFileInfo: files from the head, directories from the tail */
  GPtrArray *in_flight; /* of Work */

  guint n_files, n_problems;
  guint64 bytes_found, bytes_done;
  gint64 start_time, last_tick, worst_tick;
  int exit_status;
} Tree;

/* A job under way, reading a directory or digesting a file. */
typedef struct
{
  Tree *tree;
  GFileInfo *info;
  ConcurFuture *future;
} Work;

static void submit_more (Tree *tree);

static GFile *
get_file (GFileInfo *info)
{
  return G_FILE (g_file_info_get_attribute_object (info, "standard::file"));
}

static void
clear_bar (Tree *tree)
{
  if (tree->on_terminal)
    g_printerr ("\r\033[K");
}

static void
report_problem (Tree       *tree,
                const char *message)
{
  clear_bar (tree);
  g_printerr ("digest-tree: %s\n", message);
  tree->n_problems++;
  tree->exit_status = MAX (tree->exit_status, 1);
}

static char *
describe_results (Tree  *tree,
                  double bytes)
{
  double seconds = (double) MAX (g_get_monotonic_time () - tree->start_time, 1) / G_USEC_PER_SEC;
  g_autofree char *size = g_format_size ((guint64) bytes);
  g_autofree char *rate = g_format_size ((guint64) (bytes / seconds));

  return g_strdup_printf ("%u files, %s in %.2f s (%s/s)", tree->n_files, size, seconds, rate);
}

static void
draw_bar (Tree *tree)
{
  g_autofree char *results = NULL;
  double bytes = (double) tree->bytes_done;
  double total = (double) MAX (tree->bytes_found, 1);

  /* Large files know how far they are. */
  for (guint i = 0; i < tree->in_flight->len; i++)
    {
      Work *work = g_ptr_array_index (tree->in_flight, i);
      double size = (double) g_file_info_get_size (work->info);

      bytes += size * concur_future_get_progress (work->future);
    }

  results = describe_results (tree, bytes);
  g_printerr ("[%-*.*s] %s", BAR_WIDTH, (int) (BAR_WIDTH * MIN (bytes / total, 1)),
              "##############################", results);
}

static gboolean
tick (gpointer user_data)
{
  Tree *tree = user_data;
  gint64 now = g_get_monotonic_time ();

  tree->worst_tick = MAX (tree->worst_tick, now - tree->last_tick);
  tree->last_tick = now;

  clear_bar (tree);
  fflush (stdout);
  if (tree->on_terminal)
    draw_bar (tree);

  return G_SOURCE_CONTINUE;
}

/* As sha256sum does it: a name that would break the line is escaped, and a backslash
 * before the digest says so. All other bytes are printed as they are. */
static void
print_digest (Tree       *tree,
              GFileInfo  *info,
              const char *digest)
{
  g_autofree char *relative_path = g_file_get_relative_path (tree->root, get_file (info));
  g_autofree char *path = g_build_filename (tree->root_path, relative_path, NULL);
  g_autoptr (GString) escaped = g_string_new (path);

  g_string_replace (escaped, "\\", "\\\\", 0);
  g_string_replace (escaped, "\n", "\\n", 0);
  g_string_replace (escaped, "\r", "\\r", 0);

  printf ("%s%s  %s\n", escaped->len > strlen (path) ? "\\" : "", digest, escaped->str);
}

/* What workers do: it touches nothing but what it was given, and answers with a value. */
static gboolean
read_directory (ConcurJob *job,
                gpointer   user_data,
                GError   **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  g_autoptr (GPtrArray) infos = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GFileEnumerator) enumerator = NULL;
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean success;
  GFileInfo *info;
  GFile *file;

  enumerator = g_file_enumerate_children (user_data, ATTRIBUTES, G_FILE_QUERY_INFO_NONE,
                                          cancellable, error);
  if (enumerator == NULL)
    return FALSE;

  while ((success = g_file_enumerator_iterate (enumerator, &info, &file, cancellable, error))
         && info != NULL)
    {
      g_file_info_set_attribute_object (info, "standard::file", G_OBJECT (file));
      g_ptr_array_add (infos, g_object_ref (info));
    }

  g_value_init (&value, G_TYPE_PTR_ARRAY);
  g_value_set_boxed (&value, infos);
  if (success)
    concur_job_return_value (job, &value);

  return success;
}

/* What the main thread does with their answers */

static void
take_entry (Tree      *tree,
            GFileInfo *info)
{
  GFileType type = g_file_info_get_file_type (info);

  if (type == G_FILE_TYPE_SYMBOLIC_LINK)
    {
      /* Links were followed to find out their type: this one leads nowhere. */
      g_autofree char *name = g_file_get_parse_name (get_file (info));
      g_autofree char *message = g_strdup_printf ("“%s” is a broken link", name);

      report_problem (tree, message);
    }
  else if (type == G_FILE_TYPE_DIRECTORY && !g_file_info_get_is_symlink (info))
    {
      g_queue_push_tail (&tree->waiting, g_object_ref (info));
    }
  else if (!g_file_info_get_is_symlink (info))
    {
      /* FIFOs, sockets and devices, too: concur_file_digest() refuses them without
       * waiting, with a message that says what they are. */
      g_queue_push_head (&tree->waiting, g_object_ref (info));
      tree->bytes_found += (guint64) g_file_info_get_size (info);
    }
}

static void
work_free (gpointer data)
{
  Work *work = data;

  g_object_unref (work->info);
  g_object_unref (work->future);
  g_free (work);
}

static void
work_done (ConcurFuture *future,
           gpointer      user_data)
{
  Work *work = user_data;
  Tree *tree = work->tree;
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  g_ptr_array_remove_fast (tree->in_flight, work);

  if (value == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      report_problem (tree, error->message);
      if (get_file (work->info) == tree->root)
        tree->exit_status = MAX (tree->exit_status, 2);
    }
  else if (value != NULL && G_VALUE_HOLDS_STRING (value))
    {
      print_digest (tree, work->info, g_value_get_string (value));
      tree->n_files++;
      tree->bytes_done += (guint64) g_file_info_get_size (work->info);
    }
  else if (value != NULL)
    {
      GPtrArray *infos = g_value_get_boxed (value);

      for (guint i = infos->len; i > 0; i--)
        take_entry (tree, g_ptr_array_index (infos, i - 1));
    }

  submit_more (tree);
}

static void
submit_work (Tree      *tree,
             GFileInfo *info)
{
  Work *work = g_new0 (Work, 1);

  work->tree = tree;
  work->info = g_object_ref (info);

  if (g_file_info_get_file_type (info) == G_FILE_TYPE_DIRECTORY)
    work->future = concur_executor_submit (tree->executor, read_directory,
                                           g_object_ref (get_file (info)), g_object_unref,
                                           tree->cancellable);
  else
    work->future = concur_file_digest (get_file (info), tree->checksum_type,
                                       tree->executor, tree->cancellable);

  g_ptr_array_add (tree->in_flight, work);

  /* No context given: called back, and the data freed, in the context of this thread. */
  concur_future_when_done (work->future, work_done, work, work_free, NULL);
}

/* The one place that decides what comes next, called whenever something has ended. Files
 * go first, and then the directory found last: so little has to wait. */
static void
submit_more (Tree *tree)
{
  while (tree->in_flight->len < MAX_IN_FLIGHT && tree->waiting.length > 0
         && !g_cancellable_is_cancelled (tree->cancellable))
    {
      GFileInfo *first = g_queue_peek_head (&tree->waiting);
      gboolean is_file = g_file_info_get_file_type (first) != G_FILE_TYPE_DIRECTORY;
      g_autoptr (GFileInfo) next = is_file ? g_queue_pop_head (&tree->waiting)
                                           : g_queue_pop_tail (&tree->waiting);

      submit_work (tree, next);
    }

  if (tree->in_flight->len == 0)
    g_main_loop_quit (tree->loop);
}

/* Cancelled jobs are done, too: their callbacks come, and the last one ends the program.
 * The signal has its default action again, for those who cannot wait. */
static gboolean
interrupted (gpointer user_data)
{
  Tree *tree = user_data;

  tree->exit_status = 130;
  g_cancellable_cancel (tree->cancellable);

  return G_SOURCE_REMOVE;
}

static void
run (Tree *tree)
{
  g_autoptr (GFileInfo) root_info = g_file_info_new ();
  g_autoptr (ConcurFuture) shutdown = NULL;
  g_autofree char *results = NULL;

  g_file_info_set_file_type (root_info, G_FILE_TYPE_DIRECTORY);
  g_file_info_set_size (root_info, 0);
  g_file_info_set_attribute_object (root_info, "standard::file", G_OBJECT (tree->root));
  g_timeout_add (TICK_MS, tick, tree);
  g_unix_signal_add (SIGINT, interrupted, tree);
  g_unix_signal_add (SIGTERM, interrupted, tree);

  tree->start_time = tree->last_tick = g_get_monotonic_time ();
  submit_work (tree, root_info);
  g_main_loop_run (tree->loop);

  /* Nothing is left to run, so this does not take long: the threads end. */
  shutdown = concur_executor_shutdown (tree->executor, CONCUR_SHUTDOWN_DRAIN);
  concur_future_wait (shutdown, -1);

  clear_bar (tree);
  if (fflush (stdout) != 0 || ferror (stdout))
    report_problem (tree, "Could not write all digests");

  results = describe_results (tree, (double) tree->bytes_done);
  g_printerr ("%s%s, %u problems, worst tick %.1f ms\n",
              tree->exit_status == 130 ? "Interrupted: " : "", results, tree->n_problems,
              (double) tree->worst_tick / 1000);
}

int
main (int    argc,
      char **argv)
{
  const char *const checksums[] = { "md5", "sha1", "sha256", "sha512", "sha384", NULL };
  g_autofree char *checksum = NULL;
  int n_threads = (int) g_get_num_processors ();
  g_auto (GStrv) paths = NULL;
  const GOptionEntry options[] = {
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, "How many (default: one a core)", "N" },
    { "checksum", 'c', 0, G_OPTION_ARG_STRING, &checksum, "sha256 (default), md5, …", "TYPE" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &paths, NULL, "DIR" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Tree tree = { 0 };

  setlocale (LC_ALL, "");
  /* Lines printed between two ticks stay together, beside the bar and not across it. */
  setvbuf (stdout, NULL, _IOFBF, 1024 * 1024);

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || paths == NULL || paths[1] != NULL || n_threads < 1
      || (checksum != NULL && !g_strv_contains (checksums, checksum)))
    {
      g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);
      g_printerr ("%s\n%s", error != NULL ? error->message : "", help);
      return 2;
    }

  while (!g_str_equal (checksum != NULL ? checksum : "sha256", checksums[tree.checksum_type]))
    tree.checksum_type++;
  tree.root_path = paths[0];
  tree.root = g_file_new_for_path (paths[0]);
  tree.on_terminal = isatty (STDERR_FILENO);
  tree.loop = g_main_loop_new (NULL, FALSE);
  tree.cancellable = g_cancellable_new ();
  tree.in_flight = g_ptr_array_new ();
  tree.executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                "name", "digest", "max-threads", (guint) n_threads, NULL);

  run (&tree);

  g_queue_clear_full (&tree.waiting, g_object_unref);
  g_ptr_array_unref (tree.in_flight);
  g_object_unref (tree.executor);
  g_object_unref (tree.cancellable);
  g_object_unref (tree.root);
  g_main_loop_unref (tree.loop);

  return tree.exit_status;
}
