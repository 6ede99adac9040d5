/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A class whose asynchronous functions are written over jobs. There is no GTask and no
 * lock here: the future of the job is itself the GAsyncResult. */

#include "file-counter.h"

#include <concur.h>

#define BLOCK (64 * 1024)

struct _FileCounter
{
  GObject parent_instance;

  GPtrArray *under_way; /* of ConcurFuture */
};

G_DEFINE_FINAL_TYPE (FileCounter, file_counter, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_PROGRESS,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* On a worker. It has nothing to do with the object, and so nothing to lock. */
static gboolean
count (ConcurJob *job,
       gpointer   file,
       GError   **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  g_autoptr (GFileInputStream) stream = NULL;
  g_autofree char *block = g_malloc (BLOCK);
  guint64 lines = 0, words = 0, bytes = 0;
  goffset size = 0;
  gboolean in_word = FALSE;
  gssize length;

  stream = g_file_read (file, cancellable, error);
  if (stream == NULL)
    return FALSE;
  /* For the progress; a pipe has no size and makes none. */
  if (g_seekable_can_seek (G_SEEKABLE (stream)))
    {
      if (!g_seekable_seek (G_SEEKABLE (stream), 0, G_SEEK_END, cancellable, error))
        return FALSE;
      size = g_seekable_tell (G_SEEKABLE (stream));
      if (!g_seekable_seek (G_SEEKABLE (stream), 0, G_SEEK_SET, cancellable, error))
        return FALSE;
    }

  while ((length = g_input_stream_read (G_INPUT_STREAM (stream), block, BLOCK, cancellable,
                                        error)) > 0)
    {
      for (gssize i = 0; i < length; i++)
        {
          gboolean is_space = g_ascii_isspace (block[i]);

          lines += block[i] == '\n';
          words += !is_space && !in_word;
          in_word = !is_space;
        }
      bytes += (guint64) length;
      if (size > 0)
        concur_job_set_progress (job, (double) bytes / (double) size);
    }
  if (length < 0)
    return FALSE;

  concur_job_return_variant (job, g_variant_new ("(ttt)", lines, words, bytes));

  return TRUE;
}

/* Both are emitted in the context that count_async () was called in. */
static void
progress_notified (FileCounter *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROGRESS]);
}

static void
count_done (ConcurFuture *future,
            gpointer      user_data)
{
  FileCounter *self = user_data;

  g_ptr_array_remove_fast (self->under_way, future);
  progress_notified (self);
}

void
file_counter_count_async (FileCounter         *self,
                          GFile               *file,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  ConcurFuture *future;

  g_return_if_fail (FILE_IS_COUNTER (self));

  future = concur_executor_submit (concur_executor_get_default (), count, g_object_ref (file),
                                   g_object_unref, cancellable);
  g_signal_connect_object (future, "notify::progress", G_CALLBACK (progress_notified), self,
                           G_CONNECT_SWAPPED);
  g_ptr_array_add (self->under_way, future);
  concur_future_when_done (future, count_done, g_object_ref (self), g_object_unref, NULL);

  concur_future_report (future, self, file_counter_count_async, callback, user_data);
}

gboolean
file_counter_count_finish (FileCounter   *self,
                           GAsyncResult  *result,
                           guint64       *lines,
                           guint64       *words,
                           guint64       *bytes,
                           GError       **error)
{
  g_autoptr (GVariant) counts = NULL;

  g_return_val_if_fail (concur_future_is_valid_result (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, file_counter_count_async), FALSE);

  counts = concur_future_propagate_pointer (CONCUR_FUTURE (result), error);
  if (counts == NULL)
    return FALSE;

  g_variant_get (counts, "(ttt)", lines, words, bytes);

  return TRUE;
}

static void
file_counter_get_property (GObject    *object,
                           guint       prop_id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  FileCounter *self = FILE_COUNTER (object);
  double sum = 0;

  for (guint i = 0; i < self->under_way->len; i++)
    sum += concur_future_get_progress (g_ptr_array_index (self->under_way, i));
  g_value_set_double (value, self->under_way->len > 0 ? sum / self->under_way->len : 1);
}

static void
file_counter_finalize (GObject *object)
{
  g_ptr_array_unref (FILE_COUNTER (object)->under_way);

  G_OBJECT_CLASS (file_counter_parent_class)->finalize (object);
}

static void
file_counter_class_init (FileCounterClass *klass)
{
  G_OBJECT_CLASS (klass)->get_property = file_counter_get_property;
  G_OBJECT_CLASS (klass)->finalize = file_counter_finalize;

  properties[PROP_PROGRESS] = g_param_spec_double ("progress", NULL, NULL, 0, 1, 1,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, properties);
}

static void
file_counter_init (FileCounter *self)
{
  self->under_way = g_ptr_array_new_with_free_func (g_object_unref);
}

FileCounter *
file_counter_new (void)
{
  return g_object_new (FILE_TYPE_COUNTER, NULL);
}
