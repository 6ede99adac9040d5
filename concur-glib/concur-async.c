/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Asynchronous operations in GIO's manner: futures made of them, and futures handed out
 * as their result. */

#include "config.h"

#include "concur-error.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-task.h"

/* A job whose work is somebody else's asynchronous operation: running, and held, from the
 * beginning. */
#define CONCUR_TYPE_ASYNC_JOB (concur_async_job_get_type ())
G_DECLARE_FINAL_TYPE (ConcurAsyncJob, concur_async_job, CONCUR, ASYNC_JOB, ConcurJob)

struct _ConcurAsyncJob
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurFinishFunc finish;
  gpointer data;
};

G_DEFINE_FINAL_TYPE (ConcurAsyncJob, concur_async_job, CONCUR_TYPE_JOB)

static void
concur_async_job_class_init (ConcurAsyncJobClass *klass)
{
}

static void
concur_async_job_init (ConcurAsyncJob *self)
{
}

/**
 * concur_future_new_for_async: (constructor) (skip)
 * @finish: (scope notified) (closure user_data) (destroy destroy): finishes the operation
 * @user_data: data for @finish
 * @destroy: (nullable): frees @user_data, at home
 *
 * Makes a future of any asynchronous operation in GIO's manner.
 *
 * Start the operation right after this, with the future's own cancellable, with
 * [func@Future.async_ready] as the callback, and with a reference to the future as its
 * data:
 *
 * ```c
 * static gboolean
 * load_finish (ConcurJob *job, GObject *file, GAsyncResult *result,
 *              gpointer user_data, GError **error)
 * {
 *   g_autoptr (GBytes) bytes = g_file_load_bytes_finish (G_FILE (file), result, NULL, error);
 *
 *   if (bytes == NULL)
 *     return FALSE;
 *   concur_job_return_bytes (job, bytes);
 *   return TRUE;
 * }
 *
 * ConcurFuture *future = concur_future_new_for_async (load_finish, NULL, NULL);
 *
 * g_file_load_bytes_async (file, concur_job_get_cancellable (CONCUR_JOB (future)),
 *                          concur_future_async_ready, g_object_ref (future));
 * ```
 *
 * The future is a [class@Job] that is running and held. Cancelling it cancels the
 * cancellable, and what the operation then says counts; with %CONCUR_CANCEL_ABANDON the
 * future is cancelled at once, and the operation is still finished when it calls back.
 * [method@Job.set_progress] can be called from the operation's progress callback.
 *
 * @finish runs once, in the main context the operation calls back in; an answer, an error
 * or %CONCUR_FUTURE_ERROR_BROKEN_PROMISE for neither ends the job. Nobody but the
 * operation keeps the future alive: one that all have forgotten before the operation was
 * started goes, with @user_data, where the last reference does. GIO says nothing when an
 * operation is never going to call back; who waits for one that might not, waits with a
 * timeout and then abandons it.
 *
 * May be called from any thread; the operation calls back in the thread-default main
 * context of the one that starts it.
 *
 * Returns: (transfer full): a new future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_new_for_async (ConcurFinishFunc finish,
                             gpointer         user_data,
                             GDestroyNotify   destroy)
{
  ConcurAsyncJob *self;

  g_return_val_if_fail (finish != NULL, NULL);

  self = g_object_new (CONCUR_TYPE_ASYNC_JOB, NULL);
  self->finish = finish;
  self->data = user_data;
  concur_job_set_payload (CONCUR_JOB (self), user_data, destroy);
  concur_job_set_up (CONCUR_JOB (self), concur_home_hold_current (), NULL);
  /* Nobody else has it yet. */
  concur_atomic_init (&concur_future_private (self)->state,
                      CONCUR_PHASE_RUNNING | CONCUR_STATE_SUBMITTED | CONCUR_STATE_HOLD
                        | CONCUR_STATE_UNKEPT);

  return CONCUR_FUTURE (self);
}

/**
 * concur_future_async_ready: (skip)
 * @source_object: (nullable): the object the operation was started on
 * @result: what the operation has for its `foo_finish ()`
 * @future: (transfer full): a reference to a future of [ctor@Future.new_for_async]
 *
 * Passes the end of an asynchronous operation on to its future. It is a
 * [callback@Gio.AsyncReadyCallback], to be given to the operation.
 *
 * Since: 1.0
 */
void
concur_future_async_ready (GObject      *source_object,
                           GAsyncResult *result,
                           gpointer      future)
{
  g_autoptr (ConcurAsyncJob) self = NULL;
  GError *error = NULL;

  g_return_if_fail (CONCUR_IS_ASYNC_JOB (future));
  g_return_if_fail (G_IS_ASYNC_RESULT (result));

  self = future;

  /* Over already: somebody else answered, and what it was made with may be gone. */
  if (concur_future_state (self) & CONCUR_STATE_OVER)
    return;

  self->finish (CONCUR_JOB (self), source_object, result, self->data, &error);

  if (error == NULL && !(concur_future_state (self) & CONCUR_STATE_ANSWERED))
    error = g_error_new_literal (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                                 "The operation was finished without an answer");
  if (error != NULL)
    concur_future_answer_error (CONCUR_FUTURE (self), error);
}

/* What the future says as a GAsyncResult. Immutable but for the object. */
typedef struct
{
  GWeakRef source_object;
  gpointer source_tag;
  gpointer user_data;
} Report;

/* Until the callback has run. */
typedef struct
{
  ConcurFuture *future;       /* (owned) */
  GObject *source_object;     /* (owned) (nullable) */
  GAsyncReadyCallback callback;
  gpointer user_data;
} ReportCall;

static GQuark
report_quark (void)
{
  static GQuark quark;
  static gsize once;

  if (g_once_init_enter (&once))
    {
      quark = g_quark_from_static_string ("concur-report");
      g_once_init_leave (&once, 1);
    }

  return quark;
}

static Report *
get_report (gpointer future)
{
  return g_object_get_qdata (G_OBJECT (future), report_quark ());
}

static void
report_free (gpointer data)
{
  Report *report = data;

  g_weak_ref_clear (&report->source_object);
  g_free (report);
}

static void
report_call_free (gpointer data)
{
  ReportCall *call = data;

  g_clear_object (&call->source_object);
  g_object_unref (call->future);
  g_free (call);
}

static void
report_done (ConcurFuture *future,
             gpointer      data)
{
  ReportCall *call = data;

  if (call->callback != NULL)
    call->callback (call->source_object, G_ASYNC_RESULT (future), call->user_data);
}

static gpointer
result_get_user_data (GAsyncResult *result)
{
  Report *report = get_report (result);

  return report != NULL ? report->user_data : NULL;
}

static GObject *
result_get_source_object (GAsyncResult *result)
{
  Report *report = get_report (result);

  return report != NULL ? g_weak_ref_get (&report->source_object)
                        : g_object_ref (G_OBJECT (result));
}

static gboolean
result_is_tagged (GAsyncResult *result,
                  gpointer      tag)
{
  Report *report = get_report (result);

  return report != NULL && report->source_tag == tag;
}

void
concur_future_init_result (GAsyncResultIface *iface)
{
  iface->get_user_data = result_get_user_data;
  iface->get_source_object = result_get_source_object;
  iface->is_tagged = result_is_tagged;
}

/**
 * concur_future_report: (skip)
 * @self: a future
 * @source_object: (nullable) (type GObject.Object): what the operation is done on
 * @source_tag: (nullable): says which operation it is, usually the address of `foo_async`
 * @callback: (nullable) (scope async) (closure user_data): called when the future is
 *   done, or %NULL if nobody wants to know
 * @user_data: data for @callback
 *
 * Hands the future out as the result of an asynchronous operation of your own: @callback
 * is given the future itself as its [iface@Gio.AsyncResult].
 *
 * ```c
 * void
 * foo_count_async (Foo *self, GCancellable *cancellable,
 *                  GAsyncReadyCallback callback, gpointer user_data)
 * {
 *   ConcurExecutor *executor = concur_executor_get_default ();
 *   g_autoptr (ConcurFuture) future = concur_executor_submit (executor, count,
 *                                                             g_object_ref (self),
 *                                                             g_object_unref, cancellable);
 *
 *   concur_future_report (future, self, foo_count_async, callback, user_data);
 * }
 *
 * gssize
 * foo_count_finish (Foo *self, GAsyncResult *result, GError **error)
 * {
 *   g_return_val_if_fail (concur_future_is_valid_result (result, self), -1);
 *   g_return_val_if_fail (g_async_result_is_tagged (result, foo_count_async), -1);
 *
 *   return concur_future_propagate_int (CONCUR_FUTURE (result), error);
 * }
 * ```
 *
 * @callback runs once, from a dispatch of the thread-default main context of the caller
 * and never inside this call, also if the future is done already. Until it has returned,
 * @self and @source_object are kept alive; then @source_object is let go, in that context.
 *
 * A future can be handed out once. One that several callers share gets a task for each
 * with [method@Future.as_task].
 *
 * May be called from any thread.
 *
 * Since: 1.0
 */
void
concur_future_report (ConcurFuture        *self,
                      gpointer             source_object,
                      gpointer             source_tag,
                      GAsyncReadyCallback  callback,
                      gpointer             user_data)
{
  ReportCall *call;
  Report *report;
  gboolean is_first;

  g_return_if_fail (CONCUR_IS_FUTURE (self));
  g_return_if_fail (source_object == NULL || G_IS_OBJECT (source_object));

  report = g_new0 (Report, 1);
  g_weak_ref_init (&report->source_object, source_object);
  report->source_tag = source_tag;
  report->user_data = user_data;
  is_first = g_object_replace_qdata (G_OBJECT (self), report_quark (), NULL, report, report_free,
                                     NULL);
  if (!is_first)
    report_free (report);
  g_return_if_fail (is_first);

  call = g_new (ReportCall, 1);
  call->future = g_object_ref (self);
  call->source_object = source_object != NULL ? g_object_ref (source_object) : NULL;
  call->callback = callback;
  call->user_data = user_data;
  concur_future_when_done (self, report_done, call, report_call_free, NULL);
}

/**
 * concur_future_is_valid_result: (skip)
 * @result: (type Gio.AsyncResult): a result
 * @source_object: (nullable) (type GObject.Object): what the operation was done on
 *
 * Checks that a result is a future handed out by [method@Future.report] for this object.
 * This is for a `foo_finish ()` to check what it is given.
 *
 * Returns: %TRUE if it is
 *
 * Since: 1.0
 */
gboolean
concur_future_is_valid_result (gpointer result,
                               gpointer source_object)
{
  g_autoptr (GObject) source = NULL;
  Report *report;

  if (!CONCUR_IS_FUTURE (result))
    return FALSE;

  report = get_report (result);
  if (report == NULL)
    return FALSE;

  source = g_weak_ref_get (&report->source_object);

  return source == source_object;
}

/**
 * concur_future_propagate_pointer: (skip)
 * @self: a future
 * @error: return location for an error
 *
 * Reads a string, object, boxed value, variant or pointer from a future that is done, in
 * the manner of [method@Gio.Task.propagate_pointer].
 *
 * The caller gets a copy or a reference of its own, as is the way of the type, and so can
 * everybody else; of a plain pointer there is only one. A future resolved without a value
 * has %NULL. Other types are %CONCUR_FUTURE_ERROR_WRONG_TYPE.
 *
 * Returns: (transfer full) (nullable): the value, or %NULL with @error set
 *
 * Since: 1.0
 */
gpointer
concur_future_propagate_pointer (ConcurFuture  *self,
                                 GError       **error)
{
  const GValue *value;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  value = concur_future_get_value (self, error);
  if (value == NULL)
    return NULL;

  if (G_VALUE_HOLDS_STRING (value))
    return g_value_dup_string (value);
  if (G_VALUE_HOLDS_OBJECT (value))
    return g_value_dup_object (value);
  if (G_VALUE_HOLDS_BOXED (value))
    return g_value_dup_boxed (value);
  if (G_VALUE_HOLDS_VARIANT (value))
    return g_value_dup_variant (value);
  if (G_VALUE_HOLDS_POINTER (value))
    return g_value_get_pointer (value);

  g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
               "The value is a %s, not a pointer", G_VALUE_TYPE_NAME (value));

  return NULL;
}

/**
 * concur_future_propagate_int: (skip)
 * @self: a future
 * @error: return location for an error
 *
 * Reads an integer from a future that is done, in the manner of
 * [method@Gio.Task.propagate_int]. It differs from [method@Future.get_int64] in what it
 * returns on an error.
 *
 * Returns: the integer, or -1 with @error set
 *
 * Since: 1.0
 */
gssize
concur_future_propagate_int (ConcurFuture  *self,
                             GError       **error)
{
  GError *own_error = NULL;
  gint64 number;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  number = concur_future_get_int64 (self, &own_error);
  if (own_error == NULL && (number < G_MINSSIZE || number > G_MAXSSIZE))
    own_error = g_error_new (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE,
                             "The value %" G_GINT64_FORMAT " does not fit into a gssize", number);
  if (own_error != NULL)
    {
      g_propagate_error (error, own_error);
      return -1;
    }

  return (gssize) number;
}

/**
 * concur_future_propagate_boolean: (skip)
 * @self: a future
 * @error: return location for an error
 *
 * Reads a truth value from a future that is done, in the manner of
 * [method@Gio.Task.propagate_boolean].
 *
 * Returns: the truth value, or %FALSE; @error is set only if there is none
 *
 * Since: 1.0
 */
gboolean
concur_future_propagate_boolean (ConcurFuture  *self,
                                 GError       **error)
{
  g_return_val_if_fail (CONCUR_IS_FUTURE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return concur_future_get_boolean (self, error);
}

/**
 * concur_future_propagate_value: (skip)
 * @self: a future
 * @value: (out caller-allocates): return location for a copy of the value, all zeroes
 * @error: return location for an error
 *
 * Reads the value of a future that is done, in the manner of
 * [method@Gio.Task.propagate_value].
 *
 * Returns: %TRUE if @value is set, or %FALSE with @error set
 *
 * Since: 1.0
 */
gboolean
concur_future_propagate_value (ConcurFuture  *self,
                               GValue        *value,
                               GError       **error)
{
  const GValue *have;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), FALSE);
  g_return_val_if_fail (value != NULL && !G_IS_VALUE (value), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  have = concur_future_get_value (self, error);
  if (have == NULL)
    return FALSE;

  g_value_init (value, G_VALUE_TYPE (have));
  g_value_copy (have, value);

  return TRUE;
}
