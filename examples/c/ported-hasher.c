/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* ported-hasher FILE…
 *
 * Prints the SHA-256 of files as sha256sum does, as each is done. The class below was
 * written for GTask's own thread pool. One line of it has changed: in
 * hasher_hash_async (),
 *
 *     g_task_run_in_thread (task, hash_in_thread);
 *
 * has become
 *
 *     concur_executor_run_task (concur_executor_get_default (), task, hash_in_thread);
 *
 * so that slow disks do not hold up what else uses that pool, GIO's name lookups among
 * them. All the rest is as it was. Exit status: 0; 1 after problems; 2 if called in a
 * wrong way. */

#include <concur.h>

#include <locale.h>
#include <stdio.h>

#define TYPE_HASHER (hasher_get_type ())
G_DECLARE_FINAL_TYPE (Hasher, hasher, , HASHER, GObject)

struct _Hasher
{
  GObject parent_instance;

  GChecksumType type;
};

G_DEFINE_FINAL_TYPE (Hasher, hasher, G_TYPE_OBJECT)

static void
hasher_class_init (HasherClass *klass)
{
}

static void
hasher_init (Hasher *self)
{
  self->type = G_CHECKSUM_SHA256;
}

static void
hash_in_thread (GTask        *task,
                gpointer      source_object,
                gpointer      task_data,
                GCancellable *cancellable)
{
  Hasher *self = source_object;
  g_autoptr (GChecksum) checksum = g_checksum_new (self->type);
  g_autoptr (GFileInputStream) stream = NULL;
  GError *error = NULL;
  guchar block[8192];
  gssize length = 0;

  stream = g_file_read (task_data, cancellable, &error);
  while (stream != NULL
         && (length = g_input_stream_read (G_INPUT_STREAM (stream), block, sizeof block,
                                           cancellable, &error)) > 0)
    g_checksum_update (checksum, block, length);

  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_strdup (g_checksum_get_string (checksum)), g_free);
}

static void
hasher_hash_async (Hasher              *self,
                   GFile               *file,
                   GCancellable        *cancellable,
                   GAsyncReadyCallback  callback,
                   gpointer             user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, hasher_hash_async);
  g_task_set_task_data (task, g_object_ref (file), g_object_unref);
  concur_executor_run_task (concur_executor_get_default (), task, hash_in_thread);
}

static char *
hasher_hash_finish (Hasher        *self,
                    GAsyncResult  *result,
                    GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

typedef struct
{
  GMainLoop *loop;
  int under_way;
  int exit_status;
} Program;

static void
hashed (GObject      *source,
        GAsyncResult *result,
        gpointer      user_data)
{
  Program *program = user_data;
  GFile *file = g_task_get_task_data (G_TASK (result));
  g_autofree char *path = g_file_get_path (file);
  g_autoptr (GError) error = NULL;
  g_autofree char *digest = hasher_hash_finish ((Hasher *) source, result, &error);

  if (digest != NULL)
    {
      printf ("%s  %s\n", digest, path);
    }
  else
    {
      g_printerr ("ported-hasher: %s\n", error->message);
      program->exit_status = 1;
    }
  if (--program->under_way == 0)
    g_main_loop_quit (program->loop);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (Hasher) hasher = g_object_new (TYPE_HASHER, NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Program program = { .loop = loop };

  setlocale (LC_ALL, "");
  if (argc < 2)
    {
      g_printerr ("Usage: ported-hasher FILE…\n");
      return 2;
    }

  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GFile) file = g_file_new_for_path (argv[i]);

      program.under_way++;
      hasher_hash_async (hasher, file, NULL, hashed, &program);
    }
  g_main_loop_run (loop);

  return program.exit_status;
}
