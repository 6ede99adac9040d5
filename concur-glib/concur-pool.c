/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The side of the pool that is used from outside its threads: queueing, waking and
 * starting workers, pausing, shutting down. concur-worker.c has the other side and says
 * how neither loses the other. */

/* In a process that was forked from the one with the threads the pool is left alone: the
 * jobs are for the other process to run, and any lock may have been held for ever by a
 * thread that is not there. */

#include "config.h"

#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-snapshot-private.h"
#include "concur-worker-private.h"

/* Jobs cancelled in the queue, or run in place by who waits for them, stay there until a
 * worker comes to them. When they are this many, and more than the living, they are swept
 * out. */
#define SWEEP_AT 256

#if CONCUR_DEFAULT_QUEUE_LOCKFREE
const ConcurQueueOps *concur_pool_default_queue = &concur_queue_lockfree;
#else
const ConcurQueueOps *concur_pool_default_queue = &concur_queue_mutex;
#endif

ConcurPool *
concur_pool_new (const ConcurPoolSettings *settings)
{
  ConcurPool *self = g_new0 (ConcurPool, 1);

  concur_fork_watch ();

  self->settings = *settings;
  self->settings.name = g_strdup (settings->name);
  self->queue = settings->queue_ops->create ();
  self->supply = concur_supply_new (concur_worker_main, self);
  concur_lock_init (&self->lock);
  concur_cond_init (&self->room);

  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->pending, 0);
  concur_atomic_init (&self->searching, 0);
  concur_atomic_init (&self->n_idle, 0);
  concur_atomic_init (&self->n_threads, 0);
  concur_atomic_init (&self->limit, settings->max_threads > 0 ? settings->max_threads : G_MAXINT);
  concur_atomic_init (&self->paused, FALSE);
  concur_atomic_init (&self->shutdown, 0);
  concur_atomic_init (&self->dropped, 0);
  concur_atomic_init (&self->n_refused, 0);
  concur_atomic_init (&self->n_completed, 0);

  return self;
}

static gboolean
keep_none (ConcurQueueLink *link)
{
  return FALSE;
}

static gboolean
keep_queued (ConcurQueueLink *link)
{
  guint32 state = concur_future_state (concur_job_from_link (link));

  return CONCUR_PHASE (state) == CONCUR_PHASE_QUEUED;
}

void
concur_pool_answer (ConcurPool   *self,
                    ConcurJob    *job,
                    const GError *error)
{
  concur_future_answer_error (CONCUR_FUTURE (job), g_error_copy (error));
  concur_future_run_ended (CONCUR_FUTURE (job));
}

/* Takes jobs out of the queue. Those that are still to be run are answered with a copy
 * of @error. */
static void
pool_sweep (ConcurPool        *self,
            ConcurQueueFilter  filter,
            const GError      *error)
{
  ConcurQueueLink *link = self->settings.queue_ops->sweep (self->queue, filter);

  while (link != NULL)
    {
      ConcurQueueLink *next = concur_queue_link_get_next (link);
      ConcurJob *job = concur_job_from_link (link);

      if (error != NULL && concur_future_claim (CONCUR_FUTURE (job), TRUE))
        {
          concur_pool_job_taken (self);
          concur_pool_answer (self, job, error);
        }
      else
        {
          concur_atomic_sub (&self->dropped, 1, CONCUR_RELAXED);
          concur_job_left_queue (job);
        }

      link = next;
    }
}

void
concur_pool_answer_queued (ConcurPool   *self,
                           const GError *error)
{
  pool_sweep (self, keep_none, error);
}

static void
pool_free (ConcurPool *self)
{
  pool_sweep (self, keep_none, NULL);
  self->settings.queue_ops->free (self->queue);
  concur_supply_free (self->supply);
  /* The last job may have been cancelled by somebody who came to tell us only now. */
  if (self->ended != NULL)
    concur_promise_resolve (self->ended, NULL);
  g_clear_object (&self->ended);
  concur_cond_clear (&self->room);
  concur_lock_clear (&self->lock);
  g_free (self->settings.name);
  g_free (self);
}

static gboolean
pool_is_unused_locked (ConcurPool *self)
{
  return concur_atomic_load (&self->refs, CONCUR_ACQUIRE) == 0
         && concur_atomic_load (&self->pending, CONCUR_ACQUIRE) == 0;
}

void
concur_pool_ref (ConcurPool *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);
}

void
concur_pool_unref (ConcurPool *self)
{
  gboolean unused;

  if (concur_is_forked ())
    return;

  /* Under the lock, because who cancels a job has no reference: see job_dropped (). */
  concur_lock_acquire (&self->lock);
  concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL);
  unused = pool_is_unused_locked (self);
  concur_lock_release (&self->lock);

  if (unused)
    pool_free (self);
}

gboolean
concur_pool_has_work (ConcurPool *self)
{
  return !concur_atomic_load (&self->paused, CONCUR_SEQ_CST)
         && self->settings.queue_ops->has_work (self->queue);
}

void
concur_pool_update_limit_locked (ConcurPool *self)
{
  guint limit = self->settings.max_threads;

  if (limit == 0)
    return;

  limit += MIN (self->n_blocked, self->settings.max_blocked);
  concur_atomic_store (&self->limit, limit, CONCUR_SEQ_CST);
}

static gboolean
pool_can_wake (ConcurPool *self)
{
  /* A worker that gives up may be seen in neither for a moment. It looks at the queue
   * once more after that: see worker_retired (). */
  return concur_atomic_load (&self->n_idle, CONCUR_SEQ_CST) > 0
         || concur_atomic_load (&self->n_threads, CONCUR_SEQ_CST)
              < concur_atomic_load (&self->limit, CONCUR_SEQ_CST);
}

/* No thread started for a token. With others at work that is a smaller pool; without,
 * nobody would ever come to what is queued. TRUE: the token is at work all the same,
 * because a thread of the supply came free and took it up. (Or another token is: they are
 * all alike.) */
static gboolean
pool_thread_failed (ConcurPool *self,
                    GError     *cause)
{
  gboolean alone = FALSE, arrived, first;

  concur_lock_acquire (&self->lock);
  first = self->n_failures++ == 0;
  arrived = self->n_starting == 0;
  if (!arrived)
    {
      self->n_starting--;
      self->n_owed++;
      alone = concur_atomic_sub (&self->n_threads, 1, CONCUR_SEQ_CST) == 1;
    }
  concur_lock_release (&self->lock);

  if (first)
    g_warning ("%s: could not start a thread (%s); going on with those there are",
               self->settings.name, cause->message);

  if (alone)
    {
      g_autoptr (GError) error = NULL;

      g_set_error (&error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED,
                   "%s: no thread could be started: %s", self->settings.name, cause->message);
      concur_pool_answer_queued (self, error);
      concur_pool_check_ended (self);
    }

  g_error_free (cause);

  return arrived;
}

static gboolean
pool_start_thread (ConcurPool *self,
                   gboolean    owed)
{
  GError *error = NULL;

  /* The token's; an owed one has them already. */
  if (!owed)
    {
      concur_pool_ref (self);
      if (self->settings.thread_main != NULL)
        g_object_ref (self->settings.owner);
    }

  if (owed ? concur_supply_retry (self->supply, &error) : concur_supply_push (self->supply, &error))
    return TRUE;

  return pool_thread_failed (self, error);
}

void
concur_pool_wake_one (ConcurPool *self)
{
  gboolean may_start = TRUE;

  if (concur_has_stopped ())
    return;

  for (;;)
    {
      ConcurHome *bell = NULL;
      gboolean start = FALSE, owed = FALSE;
      ConcurWorker *worker;
      gint nobody = 0;

      /* Whoever is searching, or being woken, will find what there is and wake the next.
       * Sequentially consistent: pairs with worker_found () and worker_park (). */
      if (!concur_atomic_cas (&self->searching, &nobody, 1, CONCUR_SEQ_CST))
        return;

      concur_lock_acquire (&self->lock);
      worker = self->idle;
      if (worker != NULL)
        {
          self->idle = worker->next_idle;
          worker->parked = FALSE;
          concur_atomic_sub (&self->n_idle, 1, CONCUR_SEQ_CST);
          /* It may see that it is not parked any more, and be gone, before it is rung. */
          bell = concur_home_hold (worker->home);
        }
      else if (may_start
               && concur_atomic_load (&self->n_threads, CONCUR_RELAXED)
                    < concur_atomic_load (&self->limit, CONCUR_RELAXED))
        {
          start = TRUE;
          concur_atomic_add (&self->n_threads, 1, CONCUR_SEQ_CST);
          self->n_starting++;
          owed = self->n_owed > 0;
          if (owed)
            self->n_owed--;
        }
      concur_lock_release (&self->lock);

      if (bell != NULL)
        {
          concur_home_ring (bell);
          return;
        }

      if (start)
        {
          if (pool_start_thread (self, owed))
            return;
          /* Alone, what came to the queue meanwhile must be answered too. */
          may_start = concur_atomic_load (&self->n_threads, CONCUR_SEQ_CST) == 0;
        }

      /* Nobody to wake. But while we counted as searching, somebody may have relied on
       * us, and a worker may have parked. */
      concur_atomic_sub (&self->searching, 1, CONCUR_SEQ_CST);
      if (!concur_pool_has_work (self)
          || !(may_start ? pool_can_wake (self)
                         : concur_atomic_load (&self->n_idle, CONCUR_SEQ_CST) > 0))
        return;
    }
}

static void
pool_pushed (ConcurPool *self)
{
  if (concur_atomic_load (&self->searching, CONCUR_SEQ_CST) == 0 && pool_can_wake (self)
      && !concur_atomic_load (&self->paused, CONCUR_SEQ_CST))
    concur_pool_wake_one (self);
}

static void
pool_take_locked (ConcurPool *self)
{
  concur_atomic_sub (&self->pending, 1, CONCUR_SEQ_CST);
  if (self->n_waiting > 0)
    concur_cond_signal (&self->room);
}

void
concur_pool_job_taken (ConcurPool *self)
{
  if (self->settings.max_pending == 0)
    {
      concur_atomic_sub (&self->pending, 1, CONCUR_SEQ_CST);
      return;
    }

  concur_lock_acquire (&self->lock);
  pool_take_locked (self);
  concur_lock_release (&self->lock);
}

/* TRUE: there are too many. */
static gboolean
pool_add_dropped (ConcurPool *self)
{
  guint dropped = concur_atomic_add (&self->dropped, 1, CONCUR_RELAXED) + 1;

  return dropped >= SWEEP_AT && dropped > concur_atomic_load (&self->pending, CONCUR_RELAXED);
}

void
concur_pool_job_in_place (ConcurPool *self)
{
  gboolean sweep = pool_add_dropped (self);

  concur_pool_job_taken (self);
  if (sweep)
    pool_sweep (self, keep_queued, NULL);
}

void
concur_pool_job_dropped (ConcurPool *self)
{
  gboolean sweep, unused, ended, used;

  if (concur_is_forked ())
    return;

  /* What keeps the pool alive here is only the pending job; it is not to be touched
   * after the lock unless there are other reasons for it to exist. */
  concur_lock_acquire (&self->lock);
  pool_take_locked (self);
  sweep = pool_add_dropped (self);
  ended = concur_atomic_load (&self->shutdown, CONCUR_RELAXED) != 0;
  unused = pool_is_unused_locked (self);
  used = concur_atomic_load (&self->refs, CONCUR_RELAXED) > 0;
  if (used)
    concur_pool_ref (self);
  concur_lock_release (&self->lock);

  if (unused)
    pool_free (self);
  /* Else another pending job keeps it, and whoever cancels that one ends it. */
  if (!used)
    return;

  if (sweep)
    pool_sweep (self, keep_queued, NULL);
  if (ended)
    concur_pool_check_ended (self);
  concur_pool_unref (self);
}

static void
pool_set_refused (ConcurPool  *self,
                  GError     **error,
                  gint         code)
{
  concur_atomic_add (&self->n_refused, 1, CONCUR_RELAXED);

  if (code == CONCUR_EXECUTOR_ERROR_QUEUE_FULL)
    g_set_error (error, CONCUR_EXECUTOR_ERROR, code,
                 "%s has %u jobs queued and takes no more: submit fewer, or later",
                 self->settings.name, self->settings.max_pending);
  else
    g_set_error (error, CONCUR_EXECUTOR_ERROR, code, "%s is shut down", self->settings.name);
}

void
concur_pool_add_uncounted (ConcurPool *self,
                           gint        n_jobs)
{
  concur_lock_acquire (&self->lock);
  self->n_uncounted += n_jobs;
  concur_lock_release (&self->lock);
}

static gboolean
pool_has_room_locked (ConcurPool *self)
{
  return concur_atomic_load (&self->pending, CONCUR_RELAXED)
         < self->settings.max_pending + (guint) self->n_uncounted;
}

/* Waits for room, or says why there is none. */
static gboolean
pool_reserve_bounded (ConcurPool  *self,
                      GError     **error)
{
  ConcurWorker *worker = concur_worker_get_current ();
  gboolean own_worker = worker != NULL && worker->pool == self;
  gboolean may_wait = self->settings.overflow == CONCUR_OVERFLOW_WAIT
                      && (own_worker || !concur_home_thread_has_loop ());
  /* Who tells others that a future is done must not wait, nor can it bring the news that
   * there was no room to anybody who could do something about it. */
  gboolean tells = concur_future_in_trampoline ();
  gboolean reserved = FALSE;

  concur_lock_acquire (&self->lock);
  for (;;)
    {
      if (concur_atomic_load (&self->shutdown, CONCUR_RELAXED) != 0)
        break;

      /* Only under the lock does pending grow in a bounded pool. */
      if (pool_has_room_locked (self) || (own_worker && may_wait) || tells)
        {
          concur_atomic_add (&self->pending, 1, CONCUR_SEQ_CST);
          reserved = TRUE;
          break;
        }

      if (!may_wait)
        break;

      self->n_waiting++;
      concur_cond_wait_until (&self->room, &self->lock, -1);
      self->n_waiting--;
    }
  concur_lock_release (&self->lock);

  if (!reserved)
    pool_set_refused (self, error,
                      concur_atomic_load (&self->shutdown, CONCUR_RELAXED) != 0
                        ? CONCUR_EXECUTOR_ERROR_SHUT_DOWN
                        : CONCUR_EXECUTOR_ERROR_QUEUE_FULL);

  return reserved;
}

static void
pool_unreserve (ConcurPool *self)
{
  concur_lock_acquire (&self->lock);
  pool_take_locked (self);
  concur_lock_release (&self->lock);

  concur_pool_check_ended (self);
}

static gboolean
pool_reserve (ConcurPool  *self,
              GError     **error)
{
  if (self->settings.max_pending > 0)
    return pool_reserve_bounded (self, error);

  /* Sequentially consistent with shutdown (): it sees the job pending and waits for it,
   * or we see that it is too late. */
  concur_atomic_add (&self->pending, 1, CONCUR_SEQ_CST);
  if (G_LIKELY (concur_atomic_load (&self->shutdown, CONCUR_SEQ_CST) == 0))
    return TRUE;

  pool_unreserve (self);
  pool_set_refused (self, error, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);

  return FALSE;
}

void
concur_pool_execute (ConcurPool *self,
                     ConcurJob  *job)
{
  ConcurFuturePrivate *priv = concur_future_private (job);
  GError *error = NULL;

  /* Some jobs of the library's own have it set already. */
  if (self->settings.release == CONCUR_RELEASE_WORKER)
    concur_atomic_store (&priv->release_on_worker, TRUE, CONCUR_RELAXED);

  if (!pool_reserve (self, &error))
    {
      concur_future_answer_error (CONCUR_FUTURE (job), error);
      return;
    }

  priv->pool = self;
  if (!concur_future_enter_queue (CONCUR_FUTURE (job)))
    {
      pool_unreserve (self);
      return;
    }

  self->settings.queue_ops->push (self->queue, concur_job_get_link (job), priv->priority);
  pool_pushed (self);
}

gboolean
concur_pool_set_paused (ConcurPool *self,
                        gboolean    paused)
{
  gboolean allowed;

  if (concur_is_forked ())
    return FALSE;

  concur_lock_acquire (&self->lock);
  allowed = !paused || concur_atomic_load (&self->shutdown, CONCUR_RELAXED) == 0;
  /* Sequentially consistent with pushed (): it sees that it may wake somebody, or we see
   * its job. */
  if (allowed)
    concur_atomic_store (&self->paused, paused, CONCUR_SEQ_CST);
  concur_lock_release (&self->lock);

  /* What is submitted after this returns does not start. */
  if (paused)
    self->settings.queue_ops->settle (self->queue);
  else if (concur_pool_has_work (self))
    concur_pool_wake_one (self);

  return allowed;
}
