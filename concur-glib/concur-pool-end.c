/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How a pool ends, and how it is looked at from outside: what goes through all workers
 * and their frames. */

#include "config.h"

#include "concur-fork-private.h"
#include "concur-future-private.h"
#include "concur-snapshot-private.h"
#include "concur-worker-private.h"

static GError *
pool_cancelled_error (ConcurPool *self)
{
  return g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "%s was shut down", self->settings.name);
}

gboolean
concur_pool_is_cancelling (ConcurPool *self)
{
  return concur_atomic_load (&self->shutdown, CONCUR_SEQ_CST) > 1 + CONCUR_SHUTDOWN_DRAIN;
}

void
concur_pool_cancel_taken (ConcurPool *self,
                          ConcurJob  *job)
{
  g_autoptr (GError) error = pool_cancelled_error (self);

  concur_pool_answer (self, job, error);
}

void
concur_pool_check_ended (ConcurPool *self)
{
  ConcurPromise *ended = NULL;

  concur_lock_acquire (&self->lock);
  if (self->ended != NULL && self->n_present == 0
      && concur_atomic_load (&self->n_threads, CONCUR_SEQ_CST) == 0
      && concur_atomic_load (&self->pending, CONCUR_SEQ_CST) == 0)
    ended = g_object_ref (self->ended);
  concur_lock_release (&self->lock);

  if (ended != NULL)
    {
      concur_promise_resolve (ended, NULL);
      g_object_unref (ended);
    }
}

/* Asks the jobs on all workers' stacks to stop. The jobs themselves must not be
 * referenced here: the last reference belongs home. */
static void
pool_cancel_running (ConcurPool *self)
{
  g_autoptr (GPtrArray) cancellables = g_ptr_array_new_with_free_func (g_object_unref);
  ConcurWorker *worker;
  ConcurFrame *frame;
  guint i;

  concur_lock_acquire (&self->lock);
  for (worker = self->workers; worker != NULL; worker = worker->next)
    {
      for (frame = concur_worker_inspect (worker); frame != NULL; frame = frame->outer)
        {
          GCancellable *cancellable = concur_future_mark_cancelled (CONCUR_FUTURE (frame->job));

          if (cancellable != NULL)
            g_ptr_array_add (cancellables, cancellable);
        }
      concur_worker_inspected (worker);
    }
  concur_lock_release (&self->lock);

  for (i = 0; i < cancellables->len; i++)
    g_cancellable_cancel (cancellables->pdata[i]);
}

static void
pool_wake_all (ConcurPool *self)
{
  g_autoptr (GPtrArray) bells = g_ptr_array_new ();
  ConcurWorker *worker;
  guint i;

  concur_lock_acquire (&self->lock);
  while ((worker = self->idle) != NULL)
    {
      self->idle = worker->next_idle;
      worker->parked = FALSE;
      concur_atomic_sub (&self->n_idle, 1, CONCUR_SEQ_CST);
      concur_atomic_add (&self->searching, 1, CONCUR_SEQ_CST);
      g_ptr_array_add (bells, concur_home_hold (worker->home));
    }
  concur_lock_release (&self->lock);

  for (i = 0; i < bells->len; i++)
    concur_home_ring (bells->pdata[i]);
}

ConcurFuture *
concur_pool_shutdown (ConcurPool         *self,
                      ConcurShutdownMode  mode)
{
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future;
  gboolean owed;

  if (concur_has_stopped ())
    {
      g_autoptr (GError) error = NULL;

      concur_set_stopped_error (&error);
      concur_promise_reject (promise, error);
      future = g_object_ref (concur_promise_get_future (promise));
      concur_future_ignore (future);
      g_object_unref (promise);

      return future;
    }

  concur_lock_acquire (&self->lock);
  if (self->ended == NULL)
    self->ended = g_steal_pointer (&promise);
  future = g_object_ref (concur_promise_get_future (self->ended));
  /* Sequentially consistent with reserve () and worker_park (). */
  if (concur_atomic_load (&self->shutdown, CONCUR_RELAXED) < 1 + (gint) mode)
    concur_atomic_store (&self->shutdown, 1 + (gint) mode, CONCUR_SEQ_CST);
  concur_cond_broadcast (&self->room);
  owed = self->n_owed > 0;
  concur_lock_release (&self->lock);

  if (promise != NULL)
    {
      concur_future_ignore (concur_promise_get_future (promise));
      g_object_unref (promise);
    }

  if (mode >= CONCUR_SHUTDOWN_CANCEL_PENDING)
    {
      g_autoptr (GError) error = pool_cancelled_error (self);

      concur_pool_answer_queued (self, error);
    }
  if (mode >= CONCUR_SHUTDOWN_CANCEL_ALL)
    pool_cancel_running (self);

  concur_pool_set_paused (self, FALSE);
  pool_wake_all (self);
  /* Tokens that never got a thread keep the pool for ever: one more chance for them. */
  if (owed)
    concur_supply_retry (self->supply, NULL);
  concur_pool_check_ended (self);

  return future;
}

ConcurSnapshot *
concur_pool_dup_snapshot (ConcurPool *self)
{
  ConcurSnapshot *snapshot = concur_snapshot_new (self->settings.name);
  ConcurWorker *worker;
  ConcurFrame *frame;

  if (concur_is_forked ())
    {
      snapshot->n_pending = concur_atomic_load (&self->pending, CONCUR_RELAXED);
      return snapshot;
    }

  concur_lock_acquire (&self->lock);
  snapshot->n_threads = concur_atomic_load (&self->n_threads, CONCUR_RELAXED);
  snapshot->n_idle = concur_atomic_load (&self->n_idle, CONCUR_RELAXED);
  snapshot->n_blocked = self->n_blocked;
  snapshot->n_pending = concur_atomic_load (&self->pending, CONCUR_RELAXED);
  snapshot->n_thread_failures = self->n_failures;
  snapshot->n_refused = concur_atomic_load (&self->n_refused, CONCUR_RELAXED);
  snapshot->n_completed = concur_atomic_load (&self->n_completed, CONCUR_RELAXED);
  for (worker = self->workers; worker != NULL; worker = worker->next)
    {
      snapshot->n_completed += concur_atomic_load (&worker->n_completed, CONCUR_RELAXED);
      for (frame = concur_worker_inspect (worker); frame != NULL; frame = frame->outer)
        concur_snapshot_add (snapshot, concur_future_dup_name (CONCUR_FUTURE (frame->job)),
                             worker->name, frame->started);
      concur_worker_inspected (worker);
    }
  concur_lock_release (&self->lock);

  return snapshot;
}
