/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurPromise:
 *
 * The producer's end of a future that no executor runs.
 *
 * Whoever will know the result makes a promise, hands out its future and keeps the
 * promise to itself.
 *
 * ```c
 * static void
 * on_reply (GtkDialog *dialog, int response, gpointer user_data)
 * {
 *   concur_promise_resolve_boolean (user_data, response == GTK_RESPONSE_ACCEPT);
 * }
 *
 * ConcurFuture *
 * ask (GtkDialog *dialog)
 * {
 *   ConcurPromise *promise = concur_promise_new ();
 *   ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));
 *
 *   g_signal_connect_data (dialog, "response", G_CALLBACK (on_reply), promise,
 *                          (GClosureNotify) g_object_unref, 0);
 *   return future;
 * }
 * ```
 *
 * The first answer counts. A promise that goes away without one rejects its future with
 * %CONCUR_FUTURE_ERROR_BROKEN_PROMISE, so nobody waits for ever. Somebody may cancel the
 * future first: then `concur_promise_resolve_*` return %FALSE.
 *
 * ## Threads
 *
 * All methods may be called from any thread. Resolving runs the future's direct
 * callbacks on the calling thread, and nothing else.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-error.h"
#include "concur-future-private.h"
#include "concur-promise.h"

struct _ConcurPromise
{
  GObject parent_instance;

  /* immutable */
  ConcurFuture *future; /* (owned) */
};

G_DEFINE_FINAL_TYPE (ConcurPromise, concur_promise, G_TYPE_OBJECT)

static void
concur_promise_dispose (GObject *object)
{
  ConcurPromise *self = CONCUR_PROMISE (object);

  if (!CONCUR_PHASE_IS_DONE (concur_future_state (self->future)))
    {
      GError *error = g_error_new_literal (CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                                           "The promise went away without an answer");

      concur_future_answer_error (self->future, error);
    }

  G_OBJECT_CLASS (concur_promise_parent_class)->dispose (object);
}

static void
concur_promise_finalize (GObject *object)
{
  g_object_unref (CONCUR_PROMISE (object)->future);

  G_OBJECT_CLASS (concur_promise_parent_class)->finalize (object);
}

static void
concur_promise_class_init (ConcurPromiseClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = concur_promise_dispose;
  object_class->finalize = concur_promise_finalize;
}

static void
concur_promise_init (ConcurPromise *self)
{
  self->future = concur_plain_future_new ();
}

/**
 * concur_promise_new:
 *
 * Makes a promise and its future. The future's notifications belong to the calling
 * thread's main context.
 *
 * Returns: (transfer full): a new promise
 *
 * Since: 1.0
 */
ConcurPromise *
concur_promise_new (void)
{
  return g_object_new (CONCUR_TYPE_PROMISE, NULL);
}

/**
 * concur_promise_get_future:
 * @self: a promise
 *
 * Gets the future to hand out.
 *
 * Returns: (transfer none): the future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_promise_get_future (ConcurPromise *self)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), NULL);

  return self->future;
}

/**
 * concur_promise_resolve:
 * @self: a promise
 * @value: (nullable): the value, or %NULL for none
 *
 * Resolves the future with a copy of any value.
 *
 * Returns: %TRUE if this was the answer; %FALSE if the future had one, or was cancelled
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve (ConcurPromise *self,
                        const GValue  *value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_value (self->future, value);
}

/**
 * concur_promise_resolve_string:
 * @self: a promise
 * @value: (nullable): the value
 *
 * Resolves the future with a copy of a string.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_string (ConcurPromise *self,
                               const char    *value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_string (self->future, value);
}

/**
 * concur_promise_resolve_object:
 * @self: a promise
 * @value: (nullable): the value
 *
 * Resolves the future with a reference to an object.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_object (ConcurPromise *self,
                               GObject       *value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);
  g_return_val_if_fail (value == NULL || G_IS_OBJECT (value), FALSE);

  return concur_future_answer_object (self->future, value);
}

/**
 * concur_promise_resolve_bytes:
 * @self: a promise
 * @value: (nullable): the value
 *
 * Resolves the future with a reference to bytes.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_bytes (ConcurPromise *self,
                              GBytes        *value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_boxed (self->future, G_TYPE_BYTES, value);
}

/**
 * concur_promise_resolve_variant:
 * @self: a promise
 * @value: (nullable): the value; a floating one is consumed
 *
 * Resolves the future with a reference to a variant.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_variant (ConcurPromise *self,
                                GVariant      *value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_variant (self->future, value);
}

/**
 * concur_promise_resolve_int64:
 * @self: a promise
 * @value: the value
 *
 * Resolves the future with an integer.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_int64 (ConcurPromise *self,
                              gint64         value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_int64 (self->future, value);
}

/**
 * concur_promise_resolve_double:
 * @self: a promise
 * @value: the value
 *
 * Resolves the future with a floating point number.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_double (ConcurPromise *self,
                               double         value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_double (self->future, value);
}

/**
 * concur_promise_resolve_boolean:
 * @self: a promise
 * @value: the value
 *
 * Resolves the future with a truth value.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_resolve_boolean (ConcurPromise *self,
                                gboolean       value)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);

  return concur_future_answer_boolean (self->future, value);
}

/**
 * concur_promise_reject:
 * @self: a promise
 * @error: what went wrong
 *
 * Rejects the future with a copy of an error, or, if that is %G_IO_ERROR_CANCELLED,
 * makes it cancelled.
 *
 * Returns: %TRUE if this was the answer
 *
 * Since: 1.0
 */
gboolean
concur_promise_reject (ConcurPromise *self,
                       const GError  *error)
{
  g_return_val_if_fail (CONCUR_IS_PROMISE (self), FALSE);
  g_return_val_if_fail (error != NULL, FALSE);

  return concur_future_answer_error (self->future, g_error_copy (error));
}

/**
 * concur_promise_set_progress:
 * @self: a promise
 * @fraction: how much is done, from 0 to 1
 *
 * Tells how far the work has come.
 *
 * Since: 1.0
 */
void
concur_promise_set_progress (ConcurPromise *self,
                             double         fraction)
{
  g_return_if_fail (CONCUR_IS_PROMISE (self));

  concur_future_set_progress (self->future, fraction);
}

/**
 * concur_promise_set_status_text:
 * @self: a promise
 * @text: (nullable): what is being done
 *
 * Tells what is being done, for people to read.
 *
 * Since: 1.0
 */
void
concur_promise_set_status_text (ConcurPromise *self,
                                const char    *text)
{
  g_return_if_fail (CONCUR_IS_PROMISE (self));

  concur_future_set_status_text (self->future, text);
}
