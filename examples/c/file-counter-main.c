/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* file-counter FILE…
 *
 * Prints lines, words and bytes of files as wc does, as each is done. The class that does
 * the work is in file-counter.c. Exit status: 0; 1 after problems; 2 if called in a wrong
 * way; 130 if interrupted. */

#include "file-counter.h"

#include <glib-unix.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

typedef struct
{
  GMainLoop *loop;
  GCancellable *cancellable;
  guint under_way;
  int exit_status;
} Program;

typedef struct
{
  Program *program;
  const char *path;
} Count;

static void
counted (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Count *count = user_data;
  Program *program = count->program;
  g_autoptr (GError) error = NULL;
  guint64 lines, words, bytes;

  if (file_counter_count_finish (FILE_COUNTER (source), result, &lines, &words, &bytes, &error))
    {
      printf ("%7" G_GUINT64_FORMAT " %7" G_GUINT64_FORMAT " %7" G_GUINT64_FORMAT " %s\n",
              lines, words, bytes, count->path);
    }
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_printerr ("file-counter: %s: %s\n", count->path, error->message);
      program->exit_status = MAX (program->exit_status, 1);
    }

  g_free (count);
  if (--program->under_way == 0)
    g_main_loop_quit (program->loop);
}

static gboolean
interrupted (gpointer user_data)
{
  Program *program = user_data;

  program->exit_status = 130;
  g_cancellable_cancel (program->cancellable);

  return G_SOURCE_REMOVE;
}

static void
show_progress (GObject    *counter,
               GParamSpec *pspec,
               gpointer    user_data)
{
  double progress;

  g_object_get (counter, "progress", &progress, NULL);
  g_printerr ("\r%3.0f %%\r", progress * 100);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (FileCounter) counter = file_counter_new ();
  Program program = { 0 };

  setlocale (LC_ALL, "");
  if (argc < 2)
    {
      g_printerr ("Usage: file-counter FILE…\n");
      return 2;
    }

  program.loop = g_main_loop_new (NULL, FALSE);
  program.cancellable = g_cancellable_new ();
  g_unix_signal_add (SIGINT, interrupted, &program);
  if (isatty (STDERR_FILENO))
    g_signal_connect (counter, "notify::progress", G_CALLBACK (show_progress), NULL);

  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_commandline_arg (argv[i]);
      Count *count = g_new0 (Count, 1);

      count->program = &program;
      count->path = argv[i];
      program.under_way++;
      file_counter_count_async (counter, file, program.cancellable, counted, count);
    }
  g_main_loop_run (program.loop);

  g_object_unref (program.cancellable);
  g_main_loop_unref (program.loop);

  return program.exit_status;
}
