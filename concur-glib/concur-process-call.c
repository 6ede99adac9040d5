/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurProcessCall:
 *
 * A call in a worker process, as [method@ProcessExecutor.call] returns it.
 *
 * ```c
 * static void
 * on_done (ConcurFuture *future, gpointer user_data)
 * {
 *   g_autoptr (GError) error = NULL;
 *   const GValue *value = concur_future_get_value (future, &error);
 *
 *   if (value != NULL)
 *     show (g_value_get_variant (value));
 *   else
 *     g_warning ("%s: %s", concur_process_call_get_function (CONCUR_PROCESS_CALL (future)),
 *                error->message);
 * }
 * ```
 *
 * It is a job: cancelling it asks the worker to stop, and kills it if it does not. Its value
 * is a [struct@GLib.Variant].
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-future-private.h"
#include "concur-process-call-private.h"

struct _ConcurProcessCall
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurProcessPool *pool;       /* (owned) */
  ConcurWireKind kind;
  char *name;
  GVariant *content;             /* (owned) until it has run */
  GUnixFDList *fds;              /* (owned) (nullable) until it has run */

  /* the thread that runs it; immutable once it is done */
  GUnixFDList *value_fds;        /* (owned) (nullable) */
  GVariant *details;             /* (owned) (nullable) */
};

G_DEFINE_FINAL_TYPE (ConcurProcessCall, concur_process_call, CONCUR_TYPE_JOB)

static gboolean
concur_process_call_run (ConcurJob  *job,
                         GError    **error)
{
  ConcurProcessCall *self = CONCUR_PROCESS_CALL (job);
  ConcurExchange exchange = {
    .kind = self->kind,
    .name = self->name,
    .content = self->content,
    .fds = self->fds,
    .job = job,
  };
  gboolean answered = concur_exchange_run (&exchange, self->pool, error);

  g_clear_pointer (&self->content, g_variant_unref);
  g_clear_object (&self->fds);
  self->value_fds = g_steal_pointer (&exchange.value_fds);
  self->details = g_steal_pointer (&exchange.details);
  if (answered)
    concur_job_return_variant (job, exchange.value);
  concur_exchange_clear (&exchange);

  return answered;
}

static void
concur_process_call_finalize (GObject *object)
{
  ConcurProcessCall *self = CONCUR_PROCESS_CALL (object);

  g_clear_object (&self->pool);
  g_free (self->name);
  g_clear_pointer (&self->content, g_variant_unref);
  g_clear_object (&self->fds);
  g_clear_object (&self->value_fds);
  g_clear_pointer (&self->details, g_variant_unref);

  G_OBJECT_CLASS (concur_process_call_parent_class)->finalize (object);
}

static void
concur_process_call_class_init (ConcurProcessCallClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_process_call_finalize;
  CONCUR_JOB_CLASS (klass)->run = concur_process_call_run;
}

static void
concur_process_call_init (ConcurProcessCall *self)
{
}

ConcurProcessCall *
concur_process_call_new (ConcurProcessPool *pool,
                         ConcurWireKind     kind,
                         const char        *name,
                         GVariant          *content,
                         GUnixFDList       *fds)
{
  ConcurProcessCall *self = g_object_new (CONCUR_TYPE_PROCESS_CALL, NULL);

  self->pool = g_object_ref (pool);
  self->kind = kind;
  self->name = g_strdup (name);
  self->content = g_variant_ref_sink (content);
  self->fds = fds == NULL ? NULL : g_object_ref (fds);

  return self;
}

/**
 * concur_process_call_get_function:
 * @self: a call
 *
 * Gets the name of what is called.
 *
 * Returns: (nullable): the name
 *
 * Since: 1.0
 */
const char *
concur_process_call_get_function (ConcurProcessCall *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_CALL (self), NULL);

  return self->name;
}

/**
 * concur_process_call_get_fd_list:
 * @self: a call that is done
 *
 * Gets the file descriptors that came with the answer. They are closed with the call,
 * unless they are duplicated.
 *
 * Returns: (transfer none) (nullable): the list, or %NULL if there are none, or the call is
 *   not done
 *
 * Since: 1.0
 */
GUnixFDList *
concur_process_call_get_fd_list (ConcurProcessCall *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_CALL (self), NULL);

  return CONCUR_PHASE_IS_DONE (concur_future_state (self)) ? self->value_fds : NULL;
}

/**
 * concur_process_call_get_details:
 * @self: a call that is done
 *
 * Gets what the worker said about an error beyond its message, such as the traceback of an
 * exception: see [method@WorkerCall.return_failure].
 *
 * Returns: (transfer none) (nullable): details, of type `a{sv}`, or %NULL if there are none,
 *   or the call is not done
 *
 * Since: 1.0
 */
GVariant *
concur_process_call_get_details (ConcurProcessCall *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_CALL (self), NULL);

  return CONCUR_PHASE_IS_DONE (concur_future_state (self)) ? self->details : NULL;
}
