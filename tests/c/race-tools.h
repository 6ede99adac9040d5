/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What test-races.c needs around it: orders for threads, threads that cannot be started,
 * and an executor that keeps its job. */

#pragma once

#include "test-util.h"

#include "concur-supply-private.h"

/* One order at a time for one thread. All zeroes is an empty one. */
typedef struct
{
  GMutex mutex;
  GCond cond;
  guint order; /* 0: none */
} Mailbox;

static inline void
mailbox_put (Mailbox *self,
             guint    order)
{
  g_mutex_lock (&self->mutex);
  g_assert_cmpuint (self->order, ==, 0);
  self->order = order;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
}

static inline guint
mailbox_get (Mailbox *self)
{
  guint order;

  g_mutex_lock (&self->mutex);
  while (self->order == 0)
    g_cond_wait (&self->cond, &self->mutex);
  order = self->order;
  self->order = 0;
  g_mutex_unlock (&self->mutex);

  return order;
}

/* In place of concur-supply.c, which the linker then leaves out: threads can be made to
 * be impossible to start. */
static gint supply_fails; /* atomic */

struct _ConcurSupply
{
  GThreadPool *pool;
  void (*func) (gpointer data);
  gpointer data;
  gint owed; /* atomic */
};

static void
supply_token (gpointer token,
              gpointer data)
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
  self->pool = g_thread_pool_new (supply_token, NULL, -1, FALSE, NULL);

  return self;
}

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
  if (!g_atomic_int_get (&supply_fails))
    return g_thread_pool_push (self->pool, self, error);

  g_atomic_int_inc (&self->owed);
  g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "threads are out of stock");

  return FALSE;
}

gboolean
concur_supply_retry (ConcurSupply  *self,
                     GError       **error)
{
  gint owed = g_atomic_int_get (&self->owed);

  while (owed > 0)
    {
      if (g_atomic_int_get (&supply_fails))
        {
          g_set_error_literal (error, G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "still out of stock");
          return FALSE;
        }
      /* Another thread may retry at the same time. */
      if (g_atomic_int_compare_and_exchange (&self->owed, owed, owed - 1))
        g_thread_pool_push (self->pool, self, NULL);
      owed = g_atomic_int_get (&self->owed);
    }

  return TRUE;
}

/* An executor that runs nothing by itself. */
#define TEST_TYPE_KEEPER (test_keeper_get_type ())
G_DECLARE_FINAL_TYPE (TestKeeper, test_keeper, TEST, KEEPER, GObject)

struct _TestKeeper
{
  GObject parent_instance;

  ConcurJob *job; /* (owned) what it was given last */
};

static void
test_keeper_execute (ConcurExecutor *executor,
                     ConcurJob      *job)
{
  g_set_object (&TEST_KEEPER (executor)->job, job);
}

static ConcurFuture *
test_keeper_shutdown (ConcurExecutor     *executor,
                      ConcurShutdownMode  mode)
{
  g_assert_not_reached ();
}

static void
test_keeper_executor_init (ConcurExecutorInterface *iface)
{
  iface->execute = test_keeper_execute;
  iface->shutdown = test_keeper_shutdown;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestKeeper, test_keeper, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR,
                                                      test_keeper_executor_init))

static void
test_keeper_class_init (TestKeeperClass *klass)
{
}

static void
test_keeper_init (TestKeeper *self)
{
}
