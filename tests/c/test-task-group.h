/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of task groups share. */

#pragma once

#include "test-workers.h"

G_BEGIN_DECLS

static inline ConcurTaskGroup *
group_new (gpointer           executor,
           ConcurGroupPolicy  policy,
           ConcurTaskGroup   *parent)
{
  return g_object_new (CONCUR_TYPE_TASK_GROUP, "executor", executor, "policy", policy, "parent",
                       parent, NULL);
}

static inline void
assert_nothing_left (void)
{
  test_iterate_until (NULL, test_futures_alive () == 0);
}

static inline void
futures_clear (ConcurFuture **futures,
               guint          n_futures)
{
  for (guint i = 0; i < n_futures; i++)
    g_clear_object (&futures[i]);
}

/* NULL @members: only how many there are is looked at. */
static inline void
assert_members (ConcurFuture  *all,
                ConcurFuture **members,
                guint          n_members)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_get_value (all, &error);
  GListModel *list;

  g_assert_no_error (error);
  list = g_value_get_object (value);
  g_assert_true (list == concur_future_get_children (all));
  g_assert_true (g_list_model_get_item_type (list) == CONCUR_TYPE_FUTURE);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, n_members);
  for (guint i = 0; i < n_members; i++)
    {
      g_autoptr (ConcurFuture) member = g_list_model_get_item (list, i);

      g_assert_true (concur_future_is_done (member));
      g_assert_true (members == NULL || members[i] == member);
    }
}

G_END_DECLS
