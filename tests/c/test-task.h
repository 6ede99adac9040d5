/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of tasks share: callbacks that note what they saw. */

#pragma once

#include "test-workers.h"

/* What a callback saw. */
typedef struct
{
  GThread *thread;        /* the callback's, or NULL: any */
  GMainContext *context;  /* owned in the callback, or NULL: any */
  GObject *source;
  guint n;
  GValue value;
  GError *error;
  gpointer tag;
  TestGate done;
} Ready;

static inline void
ready (GObject      *source,
       GAsyncResult *result,
       gpointer      data)
{
  Ready *self = data;

  g_assert_true (G_IS_TASK (result));
  g_assert_true (g_task_is_valid (result, self->source));
  g_assert_true (source == self->source);
  g_assert_true (g_async_result_get_user_data (result) == data);
  g_assert_false (g_task_get_completed (G_TASK (result)));
  if (self->thread != NULL)
    g_assert_true (self->thread == g_thread_self ());
  if (self->context != NULL)
    g_assert_true (g_main_context_is_owner (self->context));
  if (source != NULL)
    g_assert_cmpuint (source->ref_count, >=, 1);

  self->tag = g_task_get_source_tag (G_TASK (result));
  self->n++;
  g_assert_true (g_task_propagate_value (G_TASK (result), &self->value, &self->error)
                 == (self->error == NULL));
  test_gate_open (&self->done);
}

static inline void
ready_clear (Ready *self)
{
  g_clear_error (&self->error);
  if (G_IS_VALUE (&self->value))
    g_value_unset (&self->value);
  self->n = 0;
}

static inline GObject *
object_new (TestReleases *releases)
{
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);

  test_releases_watch (releases, object);

  return object;
}
