/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurWorkerCall:
 *
 * A call that a worker process has to answer.
 *
 * ```c
 * static GVariant *
 * answer (ConcurWorkerCall *call, gpointer user_data, GError **error)
 * {
 *   gint64 n, sum = 0;
 *
 *   g_variant_get (concur_worker_call_get_arguments (call), "(x)", &n);
 *   for (gint64 i = 1; i <= n; i++)
 *     {
 *       if (g_cancellable_set_error_if_cancelled (concur_worker_call_get_cancellable (call), error))
 *         return NULL;
 *       sum += i;
 *       concur_worker_call_set_progress (call, (double) i / n);
 *     }
 *
 *   return g_variant_new_int64 (sum);
 * }
 * ```
 *
 * It is answered once, by what the function given to [func@worker_run] returns or by one of
 * the `concur_worker_call_return_*`. A call that goes away without an answer is rejected in
 * the program with %CONCUR_FUTURE_ERROR_BROKEN_PROMISE as soon as the worker asks for the next
 * one.
 *
 * ## Threads
 *
 * All methods may be called from any thread of the worker process.
 *
 * Since: 1.0
 */

#include "config.h"

#include <gio/gunixfdlist.h>

#include "concur-error.h"
#include "concur-worker-link-private.h"

/* Steps of progress that are told of: enough for any bar. */
#define PROGRESS_STEPS 1000

/* Characters of an error that are told where all of it are too many. */
#define SHORT_TEXT 200

struct _ConcurWorkerCall
{
  GObject parent_instance;

  /* immutable */
  ConcurWorkerLink *link;        /* (owned) */
  ConcurWorkerMap *map;          /* (owned) (nullable) */
  gsize index;                   /* in the map */
  guint64 id;
  char *name;
  GVariant *arguments;           /* (owned) */

  /* protected by the link's lock */
  ConcurInterruption interruption;

  /* atomic */
  _Atomic (GUnixFDList *) fds;   /* (owned) (nullable): made when it is asked for */
  _Atomic gint answered;
  _Atomic gint progress;         /* the last step told of */
};

G_DEFINE_FINAL_TYPE (ConcurWorkerCall, concur_worker_call, G_TYPE_OBJECT)

/* TRUE: the caller is the one that answers. */
static gboolean
call_begin_answer (ConcurWorkerCall *self)
{
  gint answered = FALSE;

  /* Nothing is published by it: who loses does nothing. */
  if (!concur_atomic_cas (&self->answered, &answered, TRUE, CONCUR_ACQ_REL))
    return FALSE;

  /* From here on it is too late to stop it: the next call must not be hit. */
  concur_worker_link_unset_running (self->link, &self->interruption);

  return TRUE;
}

/* The program waits for an answer, so this must be small enough to be sent. */
static void
call_send_failure (ConcurWorkerCall *self,
                   const GError     *error)
{
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE)
      && !concur_worker_link_send (self->link, CONCUR_WIRE_ERROR, self->id,
                                   g_variant_new ("(sisa{sv})", g_quark_to_string (error->domain),
                                                  error->code, error->message, NULL),
                                   NULL, NULL))
    concur_worker_link_break (self->link);
}

static gboolean
call_send (ConcurWorkerCall *self,
           ConcurWireKind    kind,
           GVariant         *content,
           GUnixFDList      *fds)
{
  g_autoptr (GError) error = NULL;

  if (concur_worker_link_send (self->link, kind, self->id, content, fds, &error))
    return TRUE;

  call_send_failure (self, error);

  return FALSE;
}

static gboolean
call_fail (ConcurWorkerCall *self,
           const char       *domain,
           int               code,
           const char       *text,
           GVariant         *details)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autofree char *beginning = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) more = g_variant_ref_sink (
      details != NULL ? details : g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0));

  if (self->map != NULL && !concur_worker_map_fail (self->map))
    return TRUE;

  if (concur_worker_link_send (self->link, CONCUR_WIRE_ERROR, self->id,
                               g_variant_new ("(sis@a{sv})", domain, code, valid, more), NULL,
                               &error))
    return TRUE;
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE))
    return FALSE;

  beginning = g_utf8_substring (valid, 0, MIN (g_utf8_strlen (valid, -1), SHORT_TEXT));

  return call_send (self, CONCUR_WIRE_ERROR,
                    g_variant_new ("(sisa{sv})", domain, code, beginning, NULL), NULL);
}

static void
concur_worker_call_dispose (GObject *object)
{
  ConcurWorkerCall *self = CONCUR_WORKER_CALL (object);

  if (call_begin_answer (self) && (self->map == NULL || concur_worker_map_fail (self->map)))
    concur_worker_link_forget (self->link, self->id);

  G_OBJECT_CLASS (concur_worker_call_parent_class)->dispose (object);
}

static void
concur_worker_call_finalize (GObject *object)
{
  ConcurWorkerCall *self = CONCUR_WORKER_CALL (object);
  /* Nobody else has it any more. */
  GUnixFDList *fds = concur_atomic_load (&self->fds, CONCUR_RELAXED);

  g_clear_pointer (&self->map, concur_worker_map_unref);
  concur_worker_link_unref (self->link);
  g_free (self->name);
  g_variant_unref (self->arguments);
  g_clear_object (&fds);
  g_clear_object (&self->interruption.cancellable);

  G_OBJECT_CLASS (concur_worker_call_parent_class)->finalize (object);
}

static void
concur_worker_call_class_init (ConcurWorkerCallClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = concur_worker_call_dispose;
  object_class->finalize = concur_worker_call_finalize;
}

static void
concur_worker_call_init (ConcurWorkerCall *self)
{
}

ConcurWorkerCall *
concur_worker_call_new (ConcurWorkerLink *link,
                        guint64           id,
                        const char       *name,
                        GVariant         *arguments,
                        GUnixFDList      *fds,
                        ConcurWorkerMap  *map)
{
  ConcurWorkerCall *self = g_object_new (CONCUR_TYPE_WORKER_CALL, NULL);

  self->link = concur_worker_link_ref (link);
  self->id = id;
  self->name = g_strdup (name);
  self->arguments = g_variant_ref (arguments);
  concur_atomic_init (&self->fds, fds != NULL ? g_object_ref (fds) : NULL);
  if (map != NULL)
    {
      self->map = concur_worker_map_ref (map);
      self->index = map->n_taken - 1;
    }
  concur_worker_link_set_running (link, &self->interruption);

  return self;
}

gboolean
concur_worker_call_is_answered (ConcurWorkerCall *self)
{
  /* Acquire: what the one that answered did to the map. */
  return concur_atomic_load (&self->answered, CONCUR_ACQUIRE);
}

/**
 * concur_worker_call_get_name:
 * @self: a call
 *
 * Gets the name of what is called.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
concur_worker_call_get_name (ConcurWorkerCall *self)
{
  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), NULL);

  return self->name;
}

/**
 * concur_worker_call_get_arguments:
 * @self: a call
 *
 * Gets the arguments of the call: what was given to [method@ProcessExecutor.call].
 *
 * Returns: (transfer none): the arguments
 *
 * Since: 1.0
 */
GVariant *
concur_worker_call_get_arguments (ConcurWorkerCall *self)
{
  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), NULL);

  return self->arguments;
}

/**
 * concur_worker_call_get_fd_list:
 * @self: a call
 *
 * Gets the file descriptors that came with the call. They are closed when it goes away,
 * unless they were duplicated or stolen.
 *
 * Returns: (transfer none): the list, empty if there are none
 *
 * Since: 1.0
 */
GUnixFDList *
concur_worker_call_get_fd_list (ConcurWorkerCall *self)
{
  GUnixFDList *fds;

  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), NULL);

  /* Whoever finds it finds it whole. */
  fds = concur_atomic_load (&self->fds, CONCUR_ACQUIRE);
  if (fds == NULL)
    {
      GUnixFDList *fresh = g_unix_fd_list_new ();

      if (concur_atomic_cas (&self->fds, &fds, fresh, CONCUR_ACQ_REL))
        return fresh;
      g_object_unref (fresh);
    }

  return fds;
}

/**
 * concur_worker_call_is_cancelled:
 * @self: a call
 *
 * Checks whether the program has asked to stop the call. Some time after that, see
 * [property@ProcessExecutor:grace-period], the worker process is killed.
 *
 * Returns: %TRUE if it should stop
 *
 * Since: 1.0
 */
gboolean
concur_worker_call_is_cancelled (ConcurWorkerCall *self)
{
  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), FALSE);

  return concur_worker_link_is_interrupted (self->link, &self->interruption);
}

/**
 * concur_worker_call_get_cancellable:
 * @self: a call
 *
 * Gets what is cancelled when the program asks to stop the call. Its handlers run on a
 * thread of the library.
 *
 * Returns: (transfer none): the cancellable
 *
 * Since: 1.0
 */
GCancellable *
concur_worker_call_get_cancellable (ConcurWorkerCall *self)
{
  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), NULL);

  return concur_worker_link_get_cancellable (self->link, &self->interruption);
}

/**
 * concur_worker_call_set_progress:
 * @self: a call
 * @fraction: how much is done, from 0 to 1
 *
 * Tells how far the work has come: the progress of the program's future. Steps of less
 * than a thousandth are left out.
 *
 * Since: 1.0
 */
void
concur_worker_call_set_progress (ConcurWorkerCall *self,
                                 double            fraction)
{
  gint step;

  g_return_if_fail (CONCUR_IS_WORKER_CALL (self));

  fraction = CLAMP (fraction, 0, 1);
  step = (gint) (fraction * PROGRESS_STEPS);
  /* Relaxed: it goes with nothing else. */
  if (concur_atomic_exchange (&self->progress, step, CONCUR_RELAXED) != step
      && !concur_worker_call_is_answered (self))
    concur_worker_link_send (self->link, CONCUR_WIRE_PROGRESS, self->id,
                             g_variant_new_double (fraction), NULL, NULL);
}

/**
 * concur_worker_call_set_status_text:
 * @self: a call
 * @text: (nullable): what is being done
 *
 * Tells what is being done, for people to read: the status text of the program's future.
 *
 * Since: 1.0
 */
void
concur_worker_call_set_status_text (ConcurWorkerCall *self,
                                    const char       *text)
{
  g_autofree char *valid = NULL;

  g_return_if_fail (CONCUR_IS_WORKER_CALL (self));

  if (text != NULL)
    valid = g_utf8_make_valid (text, -1);
  if (!concur_worker_call_is_answered (self))
    concur_worker_link_send (self->link, CONCUR_WIRE_STATUS, self->id, g_variant_new ("ms", valid),
                             NULL, NULL);
}

/**
 * concur_worker_call_send_item:
 * @self: a call
 * @item: a value; a floating one is consumed
 * @error: return location for an error
 *
 * Sends a value of a stream, which the program gets from the channel of
 * [method@ProcessExecutor.call_stream]. It waits while the program has not room for more.
 *
 * Returns: %TRUE if it was sent; %FALSE with %G_IO_ERROR_CANCELLED if nobody wants more, or
 *   with another error if it could not be sent
 *
 * Since: 1.0
 */
gboolean
concur_worker_call_send_item (ConcurWorkerCall  *self,
                              GVariant          *item,
                              GError           **error)
{
  g_autoptr (GVariant) sunk = NULL;

  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), FALSE);
  g_return_val_if_fail (item != NULL, FALSE);

  sunk = g_variant_ref_sink (item);
  if (concur_worker_call_is_cancelled (self))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Nobody wants more of this");
      return FALSE;
    }

  return concur_worker_link_send (self->link, CONCUR_WIRE_ITEM, self->id, sunk, NULL, error);
}

/**
 * concur_worker_call_return_value:
 * @self: a call
 * @value: (nullable): the value, or %NULL for the empty tuple; a floating one is consumed
 *
 * Answers the call with a value, which the program's future is resolved with.
 *
 * Returns: %TRUE if this was the answer, and it was sent
 *
 * Since: 1.0
 */
gboolean
concur_worker_call_return_value (ConcurWorkerCall *self,
                                 GVariant         *value)
{
  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), FALSE);

  return concur_worker_call_return_value_with_fds (self, value, NULL);
}

/**
 * concur_worker_call_return_value_with_fds:
 * @self: a call
 * @value: (nullable): the value, or %NULL for the empty tuple; a floating one is consumed
 * @fds: (nullable): file descriptors to pass along, at most 64
 *
 * Answers the call as [method@WorkerCall.return_value] does, with file descriptors, which
 * the program finds in [method@ProcessCall.get_fd_list]. The worker's own stay as they are.
 *
 * A call of [method@ProcessExecutor.map_calls] cannot answer with descriptors: it is
 * rejected with %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Returns: %TRUE if this was the answer, and it was sent
 *
 * Since: 1.0
 */
gboolean
concur_worker_call_return_value_with_fds (ConcurWorkerCall *self,
                                          GVariant         *value,
                                          GUnixFDList      *fds)
{
  g_autoptr (GVariant) sunk = NULL;
  GVariant *all;

  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), FALSE);
  g_return_val_if_fail (fds == NULL || G_IS_UNIX_FD_LIST (fds), FALSE);

  sunk = g_variant_ref_sink (value != NULL ? value : g_variant_new_tuple (NULL, 0));
  if (!call_begin_answer (self))
    return FALSE;
  if (self->map == NULL)
    return call_send (self, CONCUR_WIRE_RESULT, sunk, fds);

  if (fds != NULL)
    return call_fail (self, g_quark_to_string (G_IO_ERROR), G_IO_ERROR_NOT_SUPPORTED,
                      "A call that travels with others cannot answer with file descriptors", NULL);
  all = concur_worker_map_answer (self->map, self->index, sunk);

  return all == NULL || call_send (self, CONCUR_WIRE_RESULT, all, NULL);
}

/**
 * concur_worker_call_return_error:
 * @self: a call
 * @error: what went wrong
 *
 * Answers the call with an error, which the program's future is rejected with; if it is
 * %G_IO_ERROR_CANCELLED, the future is cancelled.
 *
 * Returns: %TRUE if this was the answer, and it was sent
 *
 * Since: 1.0
 */
gboolean
concur_worker_call_return_error (ConcurWorkerCall *self,
                                 const GError     *error)
{
  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), FALSE);
  g_return_val_if_fail (error != NULL, FALSE);

  if (!call_begin_answer (self))
    return FALSE;

  return call_fail (self, g_quark_to_string (error->domain), error->code, error->message, NULL);
}

/**
 * concur_worker_call_return_failure:
 * @self: a call
 * @domain: the name of an error domain
 * @code: the code of the error
 * @text: what went wrong
 * @details: (nullable): more about it, of type `a{sv}`; a floating one is consumed
 *
 * Answers the call with an error that is not a [struct@GLib.Error] in the worker, such as
 * an exception of another language.
 *
 * Returns: %TRUE if this was the answer, and it was sent
 *
 * Since: 1.0
 */
gboolean
concur_worker_call_return_failure (ConcurWorkerCall *self,
                                   const char       *domain,
                                   int               code,
                                   const char       *text,
                                   GVariant         *details)
{
  g_autoptr (GVariant) sunk = NULL;

  g_return_val_if_fail (CONCUR_IS_WORKER_CALL (self), FALSE);
  g_return_val_if_fail (domain != NULL && text != NULL, FALSE);
  g_return_val_if_fail (details == NULL || g_variant_is_of_type (details, G_VARIANT_TYPE_VARDICT),
                        FALSE);

  if (details != NULL)
    sunk = g_variant_ref_sink (details);
  if (!call_begin_answer (self))
    return FALSE;

  return call_fail (self, domain, code, text, sunk);
}
