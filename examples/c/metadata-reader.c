/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* metadata-reader [--timeout MS] DIRECTORY
 *
 * Says of each picture and sound in a tree what it is. They are read in worker processes,
 * by a parser that trusts what it reads, as many do: a file that makes it crash, or go
 * round for ever, costs a line in the output, and nothing else.
 *
 *     $ metadata-reader pictures
 *     pictures/cat.png: PNG 640 x 480, “A cat”
 *     pictures/evil.png: crashed
 *     pictures/notes.txt: unknown kind of file
 *     1 read, 1 refused, 1 crashed, 0 took too long
 *
 * The worker is this program, started with --worker.
 *
 * Exit status: 0; 1 after a problem; 2 if called in a wrong way. */

#include <concur.h>

#include <locale.h>
#include <string.h>

#define N_WORKERS 2

static guint32
get_be32 (const guint8 *data)
{
  return (guint32) data[0] << 24 | (guint32) data[1] << 16 | (guint32) data[2] << 8 | data[3];
}

static guint32
get_le32 (const guint8 *data)
{
  return (guint32) data[3] << 24 | (guint32) data[2] << 16 | (guint32) data[1] << 8 | data[0];
}

/* The part of this name, in a list of parts that begin with their length. Whether such a part
 * can be in the file is what this parser does not ask. */
static const guint8 *
find_png_part (const guint8 *data,
               const char   *name)
{
  guint32 at = 8;

  while (memcmp (data + at + 4, "IEND", 4) != 0)
    {
      if (memcmp (data + at + 4, name, 4) == 0)
        return data + at;
      at += 12 + get_be32 (data + at);
    }

  return NULL;
}

static GVariant *
read_png (const guint8 *data)
{
  const guint8 *head = find_png_part (data, "IHDR");
  const guint8 *text = find_png_part (data, "tEXt");
  GVariantDict found;

  g_variant_dict_init (&found, NULL);
  g_variant_dict_insert (&found, "kind", "s", "PNG");
  if (head != NULL)
    {
      g_variant_dict_insert (&found, "width", "u", get_be32 (head + 8));
      g_variant_dict_insert (&found, "height", "u", get_be32 (head + 12));
    }
  if (text != NULL && strcmp ((const char *) text + 8, "Title") == 0)
    {
      g_autofree char *title = g_strndup ((const char *) text + 14, get_be32 (text) - 6);
      g_autofree char *valid = g_utf8_make_valid (title, -1);

      g_variant_dict_insert (&found, "title", "s", valid);
    }

  return g_variant_dict_end (&found);
}

static GVariant *
read_gif (const guint8 *data)
{
  GVariantDict found;

  g_variant_dict_init (&found, NULL);
  g_variant_dict_insert (&found, "kind", "s", "GIF");
  g_variant_dict_insert (&found, "width", "u", (guint32) (data[6] | data[7] << 8));
  g_variant_dict_insert (&found, "height", "u", (guint32) (data[8] | data[9] << 8));

  return g_variant_dict_end (&found);
}

static GVariant *
read_wav (const guint8 *data)
{
  GVariantDict found;

  g_variant_dict_init (&found, NULL);
  g_variant_dict_insert (&found, "kind", "s", "WAV");
  g_variant_dict_insert (&found, "channels", "u", (guint32) (data[22] | data[23] << 8));
  g_variant_dict_insert (&found, "rate", "u", get_le32 (data + 24));

  return g_variant_dict_end (&found);
}

/* The worker's side: answers one call. */
static GVariant *
answer (ConcurWorkerCall  *call,
        gpointer           user_data,
        GError           **error)
{
  const char *path;
  g_autoptr (GMappedFile) file = NULL;
  const guint8 *data;
  gsize size;

  g_variant_get (concur_worker_call_get_arguments (call), "(^&ay)", &path);
  file = g_mapped_file_new (path, FALSE, error);
  if (file == NULL)
    return NULL;

  data = (const guint8 *) g_mapped_file_get_contents (file);
  size = g_mapped_file_get_length (file);
  if (size >= 33 && memcmp (data, "\x89PNG\r\n\x1a\n", 8) == 0)
    return read_png (data);
  if (size >= 10 && memcmp (data, "GIF8", 4) == 0)
    return read_gif (data);
  if (size >= 28 && memcmp (data, "RIFF", 4) == 0 && memcmp (data + 8, "WAVE", 4) == 0)
    return read_wav (data);

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "unknown kind of file");

  return NULL;
}

/* The program's side, all in the main thread. */
typedef struct
{
  GMainLoop *loop;
  ConcurProcessExecutor *workers;
  guint n_waiting;
  guint n_read, n_refused, n_crashed, n_late;
} Reader;

typedef struct
{
  Reader *reader;
  char *path;
} File;

static void
file_free (gpointer data)
{
  File *file = data;

  g_free (file->path);
  g_free (file);
}

static void
print_found (const char *path,
             GVariant   *found)
{
  const char *kind = "?", *title;
  guint32 width, height, channels, rate;

  g_variant_lookup (found, "kind", "&s", &kind);
  g_print ("%s: %s", path, kind);
  if (g_variant_lookup (found, "width", "u", &width)
      && g_variant_lookup (found, "height", "u", &height))
    g_print (" %u x %u", width, height);
  if (g_variant_lookup (found, "channels", "u", &channels)
      && g_variant_lookup (found, "rate", "u", &rate))
    g_print (" %u channels, %u Hz", channels, rate);
  if (g_variant_lookup (found, "title", "&s", &title))
    g_print (", “%s”", title);
  g_print ("\n");
}

/* A file is done with: called in the main loop. */
static void
on_done (ConcurFuture *future,
         gpointer      user_data)
{
  File *file = user_data;
  Reader *reader = file->reader;
  g_autofree char *path = g_filename_display_name (file->path);
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  if (value != NULL)
    {
      print_found (path, g_value_get_variant (value));
      reader->n_read++;
    }
  else if (g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED))
    {
      g_print ("%s: crashed\n", path);
      reader->n_crashed++;
    }
  else if (g_error_matches (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT))
    {
      g_print ("%s: took too long\n", path);
      reader->n_late++;
    }
  else
    {
      g_print ("%s: %s\n", path, error->message);
      reader->n_refused++;
    }

  if (--reader->n_waiting == 0)
    g_main_loop_quit (reader->loop);
}

static void
read_file (Reader     *reader,
           const char *path)
{
  g_autoptr (ConcurFuture) future = concur_process_executor_call (
      reader->workers, "read", g_variant_new ("(^ay)", path), NULL, NULL);
  File *file = g_new0 (File, 1);

  file->reader = reader;
  file->path = g_strdup (path);
  reader->n_waiting++;
  concur_future_when_done (future, on_done, file, file_free, NULL);
}

static gboolean
read_directory (Reader      *reader,
                const char  *directory,
                GError     **error)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, error);
  const char *name;

  if (dir == NULL)
    return FALSE;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (directory, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        continue;
      if (!g_file_test (path, G_FILE_TEST_IS_DIR))
        read_file (reader, path);
      else if (!read_directory (reader, path, error))
        return FALSE;
    }

  return TRUE;
}

static ConcurProcessExecutor *
workers_new (int timeout_ms)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  const char *command[] = { program, "--worker", NULL };

  return g_object_new (CONCUR_TYPE_PROCESS_EXECUTOR,
                       "command", command,
                       "max-workers", N_WORKERS,
                       "max-files", G_GUINT64_CONSTANT (64),
                       "call-timeout", timeout_ms * G_TIME_SPAN_MILLISECOND,
                       "grace-period", G_GINT64_CONSTANT (0),
                       NULL);
}

int
main (int   argc,
      char *argv[])
{
  int timeout_ms = 5000;
  const GOptionEntry entries[] = {
    { "timeout", 0, 0, G_OPTION_ARG_INT, &timeout_ms, "How long one file may take", "MS" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("DIRECTORY");
  g_autoptr (ConcurFuture) ended = NULL;
  g_autoptr (GError) error = NULL;
  Reader reader = { 0 };
  gboolean complete;

  setlocale (LC_ALL, "");
  if (argc == 2 && g_str_equal (argv[1], "--worker"))
    return !concur_worker_run (answer, NULL, NULL);

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2 || timeout_ms < 0)
    {
      g_printerr ("metadata-reader: %s\n", error != NULL ? error->message : "one directory, please");
      return 2;
    }

  reader.loop = g_main_loop_new (NULL, FALSE);
  reader.workers = workers_new (timeout_ms);
  complete = read_directory (&reader, argv[1], &error);
  if (!complete)
    g_printerr ("metadata-reader: %s\n", error->message);
  if (reader.n_waiting > 0)
    g_main_loop_run (reader.loop);
  g_print ("%u read, %u refused, %u crashed, %u took too long\n", reader.n_read, reader.n_refused,
           reader.n_crashed, reader.n_late);

  ended = concur_process_executor_shutdown (reader.workers, CONCUR_SHUTDOWN_DRAIN);
  concur_future_wait (ended, -1);
  g_object_unref (reader.workers);
  g_main_loop_unref (reader.loop);

  return complete ? 0 : 1;
}
