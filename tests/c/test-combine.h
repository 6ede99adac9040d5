/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of combinations share: children that end as they are told to. */

#pragma once

#include "test-workers.h"

#define MAX_CHILDREN 4

typedef enum
{
  ALL,
  ALL_SETTLED,
  ANY,
  RACE,
  N_KINDS
} Kind;

static inline ConcurFuture *
combine (Kind               kind,
         ConcurFuture     **futures,
         guint              n,
         ConcurCombineFlags flags)
{
  switch (kind)
    {
    case ALL:
      return concur_future_all (futures, n);
    case ALL_SETTLED:
      return concur_future_all_settled (futures, n);
    case ANY:
      return concur_future_any (futures, n, flags);
    default:
      return concur_future_race (futures, n, flags);
    }
}

/* Children, and what each of them ends with: '+' a value, '-' an error, 'x' cancelled. */
typedef struct
{
  guint n;
  ConcurPromise *promises[MAX_CHILDREN];
  ConcurFuture *futures[MAX_CHILDREN];
} Children;

static inline void
children_init (Children *self,
               guint     n)
{
  self->n = n;
  for (guint i = 0; i < n; i++)
    {
      self->promises[i] = concur_promise_new ();
      self->futures[i] = concur_promise_get_future (self->promises[i]);
    }
}

static inline void
child_end (Children *self,
           guint     i,
           char      how)
{
  g_autoptr (GError) error = NULL;

  switch (how)
    {
    case '+':
      concur_promise_resolve_int64 (self->promises[i], 10 + i);
      break;
    case '-':
      error = g_error_new (G_FILE_ERROR, (gint) i, "child %u", i);
      concur_promise_reject (self->promises[i], error);
      break;
    default:
      concur_future_cancel (self->futures[i], CONCUR_CANCEL_NONE);
    }
}

/* Those that are still open are broken promises, which nobody is told of. */
static inline void
children_clear (Children *self)
{
  for (guint i = 0; i < self->n; i++)
    {
      concur_future_cancel (self->futures[i], CONCUR_CANCEL_NONE);
      g_object_unref (self->promises[i]);
    }
}

static inline void
assert_list (GListModel    *list,
             ConcurFuture **futures,
             guint          n)
{
  g_assert_true (G_IS_LIST_MODEL (list));
  g_assert_true (g_list_model_get_item_type (list) == CONCUR_TYPE_FUTURE);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_object (list, i);

      g_assert_true ((gpointer) item == futures[i]);
    }
  g_assert_null (g_list_model_get_object (list, n));
}

static inline void
assert_list_value (ConcurFuture  *future,
                   ConcurFuture **futures,
                   guint          n)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS_OBJECT (value));
  assert_list (g_value_get_object (value), futures, n);
}

typedef struct
{
  Children *children;
  guint i;
  char how;
  TestGate *go;
} Ender;

static inline gpointer
end_thread (gpointer data)
{
  Ender *self = data;

  test_gate_wait (self->go);
  child_end (self->children, self->i, self->how);

  return NULL;
}
