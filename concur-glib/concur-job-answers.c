/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a job tells: how far it is, and its answer. Which answer counts is decided in
 * concur-future-state.c. */

#include "config.h"

#include "concur-future-private.h"
#include "concur-job.h"

/* A job nobody submitted has nobody to answer for. */
static gboolean
may_answer (ConcurJob *self)
{
  return CONCUR_CHECK_JOB (self) && CONCUR_PHASE (concur_future_state (self)) != CONCUR_PHASE_OPEN;
}

/**
 * concur_job_return_value:
 * @self: a job
 * @value: (nullable): the answer, or %NULL for none
 *
 * Answers with a copy of any value.
 *
 * Since: 1.0
 */
void
concur_job_return_value (ConcurJob    *self,
                         const GValue *value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_value (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_string:
 * @self: a job
 * @value: (nullable): the answer
 *
 * Answers with a copy of a string.
 *
 * Since: 1.0
 */
void
concur_job_return_string (ConcurJob  *self,
                          const char *value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_string (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_object:
 * @self: a job
 * @value: (nullable): the answer
 *
 * Answers with a reference to an object.
 *
 * Since: 1.0
 */
void
concur_job_return_object (ConcurJob *self,
                          GObject   *value)
{
  g_return_if_fail (may_answer (self));
  g_return_if_fail (value == NULL || G_IS_OBJECT (value));

  concur_future_answer_object (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_bytes:
 * @self: a job
 * @value: (nullable): the answer
 *
 * Answers with a reference to bytes.
 *
 * Since: 1.0
 */
void
concur_job_return_bytes (ConcurJob *self,
                         GBytes    *value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_boxed (CONCUR_FUTURE (self), G_TYPE_BYTES, value);
}

/**
 * concur_job_return_variant:
 * @self: a job
 * @value: (nullable): the answer; a floating one is consumed
 *
 * Answers with a reference to a variant.
 *
 * Since: 1.0
 */
void
concur_job_return_variant (ConcurJob *self,
                           GVariant  *value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_variant (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_int64:
 * @self: a job
 * @value: the answer
 *
 * Answers with an integer.
 *
 * Since: 1.0
 */
void
concur_job_return_int64 (ConcurJob *self,
                         gint64     value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_int64 (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_double:
 * @self: a job
 * @value: the answer
 *
 * Answers with a floating point number.
 *
 * Since: 1.0
 */
void
concur_job_return_double (ConcurJob *self,
                          double     value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_double (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_boolean:
 * @self: a job
 * @value: the answer
 *
 * Answers with a truth value.
 *
 * Since: 1.0
 */
void
concur_job_return_boolean (ConcurJob *self,
                           gboolean   value)
{
  g_return_if_fail (may_answer (self));

  concur_future_answer_boolean (CONCUR_FUTURE (self), value);
}

/**
 * concur_job_return_error:
 * @self: a job
 * @error: what went wrong
 *
 * Answers with a copy of an error: the job is rejected, or, if it is
 * %G_IO_ERROR_CANCELLED, cancelled.
 *
 * An executor that cannot take a job calls this instead of [method@Job.execute].
 *
 * Since: 1.0
 */
void
concur_job_return_error (ConcurJob    *self,
                         const GError *error)
{
  g_return_if_fail (may_answer (self));
  g_return_if_fail (error != NULL);

  concur_future_answer_error (CONCUR_FUTURE (self), g_error_copy (error));
}

/**
 * concur_job_set_progress:
 * @self: a job
 * @fraction: how much is done, from 0 to 1
 *
 * Tells how far the job has come. Cheap enough to be called in a loop: listeners are
 * told once per iteration of their main loop.
 *
 * Since: 1.0
 */
void
concur_job_set_progress (ConcurJob *self,
                         double     fraction)
{
  g_return_if_fail (CONCUR_IS_JOB (self));

  concur_future_set_progress (CONCUR_FUTURE (self), fraction);
}

/**
 * concur_job_set_status_text:
 * @self: a job
 * @text: (nullable): what the job is doing
 *
 * Tells what the job is doing, for people to read.
 *
 * Since: 1.0
 */
void
concur_job_set_status_text (ConcurJob  *self,
                            const char *text)
{
  g_return_if_fail (CONCUR_IS_JOB (self));

  concur_future_set_status_text (CONCUR_FUTURE (self), text);
}
