/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* chain SETTINGS
 *
 * Prints the message that a settings file names. Steps that follow one another, some on a
 * worker and some on the main thread, with nobody waiting between them:
 *
 *     load the settings ─ parse them ─ or use defaults ─ load the message ─ unlock
 *
 * A settings file has the lines "[message]" and "file=NAME". Without a settings file,
 * message.txt beside it is printed. A settings file with a mistake in it is reported
 * rather than ignored. Meanwhile SETTINGS.lock keeps other runs out; it is removed
 * whatever happens. Try
 *
 *     echo Hello > /tmp/message.txt
 *     chain /tmp/no-settings
 *
 * Exit status: 0; 1 after a problem; 2 if called in a wrong way. */

#include <concur.h>

#include <locale.h>
#include <stdio.h>

#define DEFAULT_NAME "message.txt"

/* On a worker: a parser may take its time. An error ends the steps that follow, until one
 * of them deals with it. */
static gboolean
parse (ConcurJob    *job,
       ConcurFuture *loaded,
       gpointer      user_data,
       GError      **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GBytes) bytes = concur_future_dup_bytes (loaded, error);
  g_autofree char *name = NULL;

  if (bytes == NULL
      || !g_key_file_load_from_bytes (key_file, bytes, G_KEY_FILE_NONE, error))
    return FALSE;

  name = g_key_file_get_string (key_file, "message", "file", error);
  if (name == NULL)
    return FALSE;

  concur_job_return_string (job, name);

  return TRUE;
}

/* Called only if loading or parsing has failed. */
static gboolean
use_defaults (ConcurJob    *job,
              ConcurFuture *parsed,
              gpointer      user_data,
              GError      **error)
{
  g_autoptr (GError) problem = NULL;

  if (!concur_future_check (parsed, &problem)
      && !g_error_matches (problem, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }

  g_printerr ("There are no settings: using defaults\n");
  concur_job_return_string (job, DEFAULT_NAME);

  return TRUE;
}

/* There is more to wait for, so the answer is another future. */
static gboolean
load_message (ConcurJob    *job,
              ConcurFuture *parsed_or_default,
              gpointer      user_data,
              GError      **error)
{
  GFile *directory = user_data;
  g_autofree char *name = concur_future_dup_string (parsed_or_default, error);
  g_autoptr (ConcurFuture) loaded = NULL;
  g_autoptr (GFile) file = NULL;

  if (name == NULL)
    return FALSE;

  file = g_file_resolve_relative_path (directory, name);
  loaded = concur_file_load_bytes (file, NULL, concur_job_get_cancellable (job));
  concur_job_return_future (job, loaded);

  return TRUE;
}

/* Called in any case. It gives no answer of its own, so what came before it counts. */
static gboolean
unlock (ConcurJob    *job,
        ConcurFuture *message,
        gpointer      user_data,
        GError      **error)
{
  return g_file_delete (user_data, NULL, error);
}

/* The whole chain: a future for the message. Those in the middle need not be kept. */
static ConcurFuture *
read_message (GFile *settings,
              GFile *lock)
{
  g_autoptr (GFile) directory = g_file_get_parent (settings);
  g_autoptr (ConcurFuture) loaded = NULL;
  g_autoptr (ConcurFuture) parsed = NULL;
  g_autoptr (ConcurFuture) parsed_or_default = NULL;
  g_autoptr (ConcurFuture) message = NULL;

  loaded = concur_file_load_bytes (settings, NULL, NULL);
  parsed = concur_future_continue_with (loaded, parse, NULL, NULL,
                                        concur_executor_get_default ());

  /* Without an executor, these run in the main context of this thread. */
  parsed_or_default = concur_future_recover (parsed, use_defaults, NULL, NULL, NULL);
  message = concur_future_continue_with (parsed_or_default, load_message,
                                         g_steal_pointer (&directory), g_object_unref, NULL);

  return concur_future_ensure (message, unlock, g_object_ref (lock), g_object_unref, NULL);
}

static int
run (const char *path)
{
  g_autoptr (GFileOutputStream) created = NULL;
  g_autoptr (ConcurFuture) message = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GFile) settings = g_file_new_for_path (path);
  g_autofree char *lock_path = g_strconcat (path, ".lock", NULL);
  g_autoptr (GFile) lock = g_file_new_for_path (lock_path);

  created = g_file_create (lock, G_FILE_CREATE_PRIVATE, NULL, &error);
  if (created == NULL)
    {
      g_printerr ("Could not lock the settings: %s\n", error->message);
      return 1;
    }

  message = read_message (settings, lock);

  /* A program with windows would not wait here, and be told by when_done() instead. */
  if (!concur_future_iterate (message, NULL, -1, &error)
      || (bytes = concur_future_dup_bytes (message, &error)) == NULL)
    {
      g_printerr ("No message: %s\n", error->message);
      return 1;
    }

  fwrite (g_bytes_get_data (bytes, NULL), 1, g_bytes_get_size (bytes), stdout);

  return 0;
}

int
main (int    argc,
      char **argv)
{
  setlocale (LC_ALL, "");

  if (argc != 2)
    {
      g_printerr ("Usage: chain SETTINGS\n");
      return 2;
    }

  return run (argv[1]);
}
