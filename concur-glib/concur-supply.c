/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-supply-private.h"

struct _ConcurSupply
{
  /* immutable */
  GThreadPool *pool;
  void (*func) (gpointer data);
  gpointer data;
};

static void
token_func (gpointer token,
            gpointer user_data)
{
  ConcurSupply *self = token;

  self->func (self->data);
}

ConcurSupply *
concur_supply_new (void     (*func) (gpointer data),
                   gpointer   data)
{
  ConcurSupply *self = g_new0 (ConcurSupply, 1);

  self->func = func;
  self->data = data;
  /* Not exclusive: that would start all threads now. No limit: how many tokens there
   * are is up to the pool. This cannot fail, as it starts no thread. */
  self->pool = g_thread_pool_new (token_func, NULL, -1, FALSE, NULL);

  return self;
}

/* May be called by the thread of the last token, so it does not wait. */
void
concur_supply_free (ConcurSupply *self)
{
  g_thread_pool_free (self->pool, FALSE, FALSE);
  g_free (self);
}

gboolean
concur_supply_push (ConcurSupply  *self,
                    GError       **error)
{
  return g_thread_pool_push (self->pool, self, error);
}

gboolean
concur_supply_retry (ConcurSupply  *self,
                     GError       **error)
{
  /* Setting the limit, even to what it is, starts threads for what is waiting. */
  return g_thread_pool_set_max_threads (self->pool, -1, error);
}
