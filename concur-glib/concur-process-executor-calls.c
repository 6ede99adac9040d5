/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The calls that a process executor takes: one, many that travel together, and one with many
 * answers. */

#include "config.h"

#include "concur-combine.h"
#include "concur-continue.h"
#include "concur-generate.h"
#include "concur-process-call-private.h"
#include "concur-process-executor.h"

/* Takes over @content as a call. */
static ConcurFuture *
submit (ConcurProcessExecutor *self,
        ConcurWireKind         kind,
        const char            *name,
        GVariant              *content,
        GUnixFDList           *fds,
        GCancellable          *cancellable)
{
  ConcurProcessPool *pool = concur_process_executor_get_pool (self);
  ConcurProcessCall *call = concur_process_call_new (pool, kind, name, content, fds);
  ConcurFuture *future = concur_executor_submit_job (CONCUR_EXECUTOR (pool), CONCUR_JOB (call),
                                                     cancellable);

  g_object_unref (call);

  return future;
}

/**
 * concur_process_executor_call:
 * @self: an executor
 * @name: the name of what to call
 * @arguments: (nullable): the arguments, or %NULL for the empty tuple; a floating one is
 *   consumed
 * @fds: (nullable): file descriptors to pass along
 * @cancellable: (nullable): cancels the call when it is cancelled
 *
 * Calls a function in a worker process.
 *
 * What it answers is the value of the future, a [struct@GLib.Variant]. An error in the
 * worker is that of the future; if its domain is not known to this process, it is
 * %G_IO_ERROR_FAILED, with the domain's name in the message. The future can also be
 * rejected with %CONCUR_EXECUTOR_ERROR_WORKER_DIED, %CONCUR_EXECUTOR_ERROR_PROTOCOL if the
 * worker sent what cannot be understood, %CONCUR_FUTURE_ERROR_TIMED_OUT,
 * %G_IO_ERROR_MESSAGE_TOO_LARGE, an error of [func@GLib.spawn_async_with_pipes_and_fds] if no
 * worker could be started, and as those of other executors.
 *
 * Very large arguments and answers, of 32 MiB and more, are put into memory that both
 * processes see, rather than through a socket.
 *
 * Returns: (transfer full): a [class@ProcessCall]
 *
 * Since: 1.0
 */
ConcurFuture *
concur_process_executor_call (ConcurProcessExecutor *self,
                              const char            *name,
                              GVariant              *arguments,
                              GUnixFDList           *fds,
                              GCancellable          *cancellable)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  if (arguments == NULL)
    arguments = g_variant_new_tuple (NULL, 0);

  return submit (self, CONCUR_WIRE_CALL, name, arguments, fds, cancellable);
}

/* The answers of all chunks, as one. */
static gboolean
join_chunks (ConcurJob     *job,
             ConcurFuture  *all,
             gpointer       data,
             GError       **error)
{
  GListModel *chunks = G_LIST_MODEL (concur_future_get_children (all));
  GVariantBuilder answers;

  if (!concur_future_check (all, error))
    return FALSE;

  g_variant_builder_init (&answers, G_VARIANT_TYPE ("av"));
  for (guint i = 0; i < g_list_model_get_n_items (chunks); i++)
    {
      g_autoptr (ConcurFuture) chunk = g_list_model_get_item (chunks, i);
      const GValue *value = concur_future_get_value (chunk, NULL);
      GVariant *part = g_value_get_variant (value);
      gsize n = g_variant_n_children (part);

      for (gsize j = 0; j < n; j++)
        {
          g_autoptr (GVariant) answer = g_variant_get_child_value (part, j);

          g_variant_builder_add_value (&answers, answer);
        }
    }
  concur_job_return_variant (job, g_variant_builder_end (&answers));

  return TRUE;
}

/**
 * concur_process_executor_map_calls:
 * @self: an executor
 * @name: the name of what to call
 * @arguments: the arguments of each call, of type `av`; a floating one is consumed
 * @chunk: how many calls travel together, at least 1
 * @cancellable: (nullable): cancels the calls when it is cancelled
 *
 * Calls a function for each of many arguments, on as many workers as there are.
 *
 * The value of the future is a [struct@GLib.Variant] of type `av` with the answers, in the
 * order of the arguments. The first error is that of the future, and the other calls are
 * cancelled.
 *
 * Returns: (transfer full): a future for all answers
 *
 * Since: 1.0
 */
ConcurFuture *
concur_process_executor_map_calls (ConcurProcessExecutor *self,
                                   const char            *name,
                                   GVariant              *arguments,
                                   guint                  chunk,
                                   GCancellable          *cancellable)
{
  g_autoptr (GVariant) sunk = NULL;
  g_autoptr (GPtrArray) chunks = NULL;
  g_autoptr (ConcurFuture) all = NULL;
  gsize n;

  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (arguments != NULL, NULL);
  g_return_val_if_fail (g_variant_is_of_type (arguments, G_VARIANT_TYPE ("av")), NULL);
  g_return_val_if_fail (chunk > 0, NULL);

  sunk = g_variant_ref_sink (arguments);
  chunks = g_ptr_array_new_with_free_func (g_object_unref);
  n = g_variant_n_children (sunk);
  for (gsize i = 0; i < n; i += chunk)
    {
      GVariantBuilder part;

      g_variant_builder_init (&part, G_VARIANT_TYPE ("av"));
      for (gsize j = i; j < n && j - i < chunk; j++)
        {
          g_autoptr (GVariant) child = g_variant_get_child_value (sunk, j);

          g_variant_builder_add_value (&part, child);
        }
      g_ptr_array_add (chunks, submit (self, CONCUR_WIRE_MAP, name,
                                       g_variant_new ("(sav)", name, &part), NULL, cancellable));
    }
  all = concur_future_all ((ConcurFuture **) chunks->pdata, chunks->len);

  return concur_future_continue_with (all, join_chunks, NULL, NULL, concur_executor_get_default ());
}

typedef struct
{
  ConcurProcessPool *pool;       /* (owned) */
  char *name;
  GVariant *arguments;           /* (owned) */
  GUnixFDList *fds;              /* (owned) (nullable) */
} Stream;

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  g_object_unref (stream->pool);
  g_free (stream->name);
  g_variant_unref (stream->arguments);
  g_clear_object (&stream->fds);
  g_free (stream);
}

static gboolean
stream_run (ConcurJob      *job,
            ConcurChannel  *channel,
            gpointer        data,
            GError        **error)
{
  Stream *stream = data;
  ConcurExchange exchange = {
    .kind = CONCUR_WIRE_CALL,
    .name = stream->name,
    .content = stream->arguments,
    .fds = stream->fds,
    .job = job,
    .channel = channel,
  };
  gboolean answered = concur_exchange_run (&exchange, stream->pool, error);

  concur_exchange_clear (&exchange);

  return answered;
}

/**
 * concur_process_executor_call_stream:
 * @self: an executor
 * @name: the name of what to call
 * @arguments: (nullable): the arguments, or %NULL for the empty tuple; a floating one is
 *   consumed
 * @fds: (nullable): file descriptors to pass along
 * @capacity: how many values may wait for a receiver; 0 for any number
 * @cancellable: (nullable): cancels the call when it is cancelled
 *
 * Calls a function in a worker process that answers with many values, one after the other:
 * see [method@WorkerCall.send_item].
 *
 * The call begins with the first value that somebody wants to receive. Values are
 * [struct@GLib.Variant]s. The worker waits while @capacity values, and what the socket
 * takes, are waiting; [method@Channel.stop] asks it to stop.
 *
 * Returns: (transfer full): a channel with the values
 *
 * Since: 1.0
 */
ConcurChannel *
concur_process_executor_call_stream (ConcurProcessExecutor *self,
                                     const char            *name,
                                     GVariant              *arguments,
                                     GUnixFDList           *fds,
                                     guint                  capacity,
                                     GCancellable          *cancellable)
{
  ConcurProcessPool *pool;
  Stream *stream;

  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);
  g_return_val_if_fail (name != NULL, NULL);

  pool = concur_process_executor_get_pool (self);
  if (arguments == NULL)
    arguments = g_variant_new_tuple (NULL, 0);

  stream = g_new0 (Stream, 1);
  stream->pool = g_object_ref (pool);
  stream->name = g_strdup (name);
  stream->arguments = g_variant_ref_sink (arguments);
  stream->fds = fds == NULL ? NULL : g_object_ref (fds);

  return concur_executor_generate (CONCUR_EXECUTOR (pool), stream_run, stream, stream_free, capacity,
                                   cancellable);
}
