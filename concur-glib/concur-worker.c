/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The life of a worker: search for a job, run it, search again; look a few times more
 * when there is none, then park; give up after keep-alive.
 *
 * How nothing is lost between who pushes and who parks. A worker that has nothing first
 * says so (it stands in ConcurPool::idle and is not searching any more) and then looks
 * at the queue once more; who pushes first queues and then looks whether anybody is
 * searching or idle. Both steps are sequentially consistent, so one sees the other. At
 * most one worker is being woken at a time; it wakes the next when it finds a job and
 * there is more. */

#include "config.h"

#include "concur-derivation-private.h"
#include "concur-exit-private.h"
#include "concur-future-private.h"
#include "concur-worker-private.h"

/* How far up a chain a waiting worker looks for a job to run itself. Each round looks from the
 * end again, so this also bounds what a long chain costs. */
#define MAX_INPUT_DEPTH 64

/* How many derived futures it looks into on the way: those that share their inputs have
 * more ways through them than can be gone. */
#define MAX_INPUT_LOOKS 1024

#ifdef HAVE_PTHREAD_SETNAME_NP
#include <pthread.h>
#endif
#include <stdio.h>

static _Thread_local ConcurWorker *current_worker;

ConcurWorker *
concur_worker_get_current (void)
{
  return current_worker;
}

void
concur_worker_frame_pushed (ConcurFrame *frame)
{
  if (current_worker == NULL)
    return;

  current_worker->nested++;
  /* Sequentially consistent with inspect () in a shutdown that cancels all: it sees the
   * frame, or we see that it came before. */
  concur_atomic_store (&current_worker->frame, frame, CONCUR_SEQ_CST);
  if (G_UNLIKELY (concur_atomic_load (&current_worker->pool->shutdown, CONCUR_SEQ_CST)
                  == 1 + CONCUR_SHUTDOWN_CANCEL_ALL))
    concur_future_cancel_extra (CONCUR_FUTURE (frame->job));
}

void
concur_worker_frame_popped (ConcurFrame *outer)
{
  ConcurWorker *self = current_worker;

  if (self == NULL)
    return;

  self->nested--;
  /* Sequentially consistent with inspect (): it sees the frame gone, or we see it
   * looking and wait until it has done so. */
  concur_atomic_exchange (&self->frame, outer, CONCUR_SEQ_CST);
  if (G_UNLIKELY (concur_atomic_load (&self->inspectors, CONCUR_SEQ_CST) > 0))
    {
      concur_lock_acquire (&self->lock);
      concur_lock_release (&self->lock);
    }
}

ConcurFrame *
concur_worker_inspect (ConcurWorker *self)
{
  concur_lock_acquire (&self->lock);
  concur_atomic_add (&self->inspectors, 1, CONCUR_SEQ_CST);

  return concur_atomic_load (&self->frame, CONCUR_SEQ_CST);
}

void
concur_worker_inspected (ConcurWorker *self)
{
  concur_atomic_sub (&self->inspectors, 1, CONCUR_RELEASE);
  concur_lock_release (&self->lock);
}

/* Claims the next job of the queue. */
static ConcurJob *
worker_take (ConcurWorker *self)
{
  ConcurPool *pool = self->pool;
  ConcurQueueLink *link;

  while ((link = pool->settings.queue_ops->pop (pool->queue, &pool->paused)) != NULL)
    {
      ConcurJob *job = concur_job_from_link (link);

      if (concur_future_claim (CONCUR_FUTURE (job), TRUE))
        {
          concur_pool_job_taken (pool);
          if (G_LIKELY (!concur_pool_is_cancelling (pool)))
            return job;
          concur_pool_cancel_taken (pool, job);
          continue;
        }

      concur_atomic_sub (&pool->dropped, 1, CONCUR_RELAXED);
      concur_job_left_queue (job);
    }

  return NULL;
}

static void
worker_search (ConcurWorker *self)
{
  self->searching = TRUE;
  concur_atomic_add (&self->pool->searching, 1, CONCUR_SEQ_CST);
}

/* It has a job: if it was the only one looking, somebody else must look for the next. */
static void
worker_found (ConcurWorker *self)
{
  if (!self->searching)
    return;

  self->searching = FALSE;
  if (concur_atomic_sub (&self->pool->searching, 1, CONCUR_SEQ_CST) == 1
      && concur_pool_has_work (self->pool))
    concur_pool_wake_one (self->pool);
}

/* Not one of the threads from here on; what it does after that is only to leave. */
static void
worker_retire_locked (ConcurWorker *self)
{
  ConcurPool *pool = self->pool;

  self->retired = TRUE;
  concur_atomic_sub (&pool->n_threads, 1, CONCUR_SEQ_CST);
}

static void
worker_retired (ConcurWorker *self)
{
  if (self->searching)
    {
      self->searching = FALSE;
      concur_atomic_sub (&self->pool->searching, 1, CONCUR_SEQ_CST);
    }

  /* A push that still counted on this thread has come too early for another one. */
  if (!CONCUR_PLANTED_BUG ("expiry-against-push") && concur_pool_has_work (self->pool))
    concur_pool_wake_one (self->pool);
}

static gboolean
worker_unlist_locked (ConcurWorker *self)
{
  ConcurPool *pool = self->pool;
  ConcurWorker **link;

  if (!self->parked)
    return FALSE;

  for (link = &pool->idle; *link != self; link = &(*link)->next_idle)
    ;
  *link = self->next_idle;
  self->parked = FALSE;
  concur_atomic_sub (&pool->n_idle, 1, CONCUR_SEQ_CST);

  return TRUE;
}

static gboolean
worker_unlist (ConcurWorker *self)
{
  gboolean was_listed;

  concur_lock_acquire (&self->pool->lock);
  was_listed = worker_unlist_locked (self);
  concur_lock_release (&self->pool->lock);

  return was_listed;
}

static gboolean
worker_give_up (ConcurWorker *self,
                gboolean      idle)
{
  gboolean retires;

  concur_lock_acquire (&self->pool->lock);
  retires = !idle || worker_unlist_locked (self);
  if (retires)
    worker_retire_locked (self);
  concur_lock_release (&self->pool->lock);

  if (retires)
    worker_retired (self);

  return retires;
}

/* Sleeps until woken. FALSE: it has retired. */
static gboolean
worker_park (ConcurWorker *self)
{
  ConcurPool *pool = self->pool;
  gint64 deadline = concur_deadline (pool->settings.keep_alive);

  concur_lock_acquire (&pool->lock);
  self->next_idle = pool->idle;
  pool->idle = self;
  self->parked = TRUE;
  concur_atomic_add (&pool->n_idle, 1, CONCUR_SEQ_CST);
  concur_lock_release (&pool->lock);

  self->searching = FALSE;
  concur_atomic_sub (&pool->searching, 1, CONCUR_SEQ_CST);

  if (!CONCUR_PLANTED_BUG ("park-without-look")
      && (concur_pool_has_work (pool) || concur_atomic_load (&pool->shutdown, CONCUR_SEQ_CST)))
    {
      if (worker_unlist (self))
        {
          worker_search (self);
          return TRUE;
        }
      /* Somebody took it off the list at the same moment, and wakes it. */
    }

  for (;;)
    {
      gboolean woken = concur_parker_park (self->parker, deadline);
      gboolean parked;

      concur_home_serve (G_MAXUINT);

      concur_lock_acquire (&pool->lock);
      parked = self->parked;
      concur_lock_release (&pool->lock);

      if (!parked)
        {
          /* Who woke it counted it as searching. */
          self->searching = TRUE;
          return TRUE;
        }

      /* Otherwise something came home, or the ring of an earlier wake-up was left. */
      if (!woken && worker_give_up (self, TRUE))
        return FALSE;
    }
}

static gboolean
worker_is_surplus (ConcurWorker *self)
{
  ConcurPool *pool = self->pool;
  gboolean surplus;

  if (G_LIKELY (concur_atomic_load (&pool->n_threads, CONCUR_RELAXED)
                <= concur_atomic_load (&pool->limit, CONCUR_RELAXED)))
    return FALSE;

  concur_lock_acquire (&pool->lock);
  surplus = concur_atomic_load (&pool->n_threads, CONCUR_RELAXED)
            > concur_atomic_load (&pool->limit, CONCUR_RELAXED);
  if (surplus)
    worker_retire_locked (self);
  concur_lock_release (&pool->lock);

  if (surplus)
    worker_retired (self);

  return surplus;
}

static void
worker_run (ConcurWorker *self,
            ConcurJob    *job)
{
  concur_job_run (job);
  /* Only this thread writes it: no atomic addition needed. */
  concur_atomic_store (&self->n_completed,
                       concur_atomic_load (&self->n_completed, CONCUR_RELAXED) + 1,
                       CONCUR_RELAXED);
}

gboolean
concur_worker_run_next (ConcurWorker *self)
{
  ConcurPool *pool = self->pool;
  guint looks = 0;

  if (self->retired || worker_is_surplus (self))
    return FALSE;

  /* A thread for each job: this one has had its job. */
  if (pool->settings.max_threads == 0
      && concur_atomic_load (&self->n_completed, CONCUR_RELAXED) > 0)
    return !worker_give_up (self, FALSE);

  for (;;)
    {
      ConcurJob *job;

      /* Before the claim: the job then stays queued. */
      concur_gate ();
      job = worker_take (self);

      if (job != NULL)
        {
          worker_found (self);
          worker_run (self, job);
          concur_home_serve (G_MAXUINT);
          return TRUE;
        }

      if (!self->searching)
        {
          worker_search (self);
        }
      else if (concur_pool_has_work (pool))
        {
          /* A push is half done. */
          concur_yield ();
        }
      else if (concur_atomic_load (&pool->shutdown, CONCUR_SEQ_CST))
        {
          worker_give_up (self, FALSE);
          return FALSE;
        }
      else if (looks < CONCUR_YIELDS_BEFORE_PARKING)
        {
          looks++;
          concur_yield ();
        }
      else
        {
          /* It may have come for somebody who waited, and does not any more. */
          if (!worker_park (self) || worker_is_surplus (self))
            return FALSE;
          looks = 0;
        }
    }
}

static void
worker_enter (ConcurWorker *self,
              char         *old_name)
{
  ConcurPool *pool = self->pool;
  guint number;

  concur_lock_init (&self->lock);
  concur_atomic_init (&self->inspectors, 0);
  concur_atomic_init (&self->frame, NULL);
  concur_atomic_init (&self->n_completed, 0);
  self->parker = concur_home_get_parker (&self->home);

  concur_lock_acquire (&pool->lock);
  if (pool->n_starting > 0)
    {
      pool->n_starting--;
      self->searching = TRUE;
    }
  else
    {
      /* A token that got no thread when it was pushed, and nobody waits for any more. */
      pool->n_owed--;
      concur_atomic_add (&pool->n_threads, 1, CONCUR_SEQ_CST);
    }
  number = ++pool->next_number;
  pool->n_present++;
  self->next = pool->workers;
  pool->workers = self;
  concur_lock_release (&pool->lock);

  current_worker = self;

  /* The number must be seen: of a long name the end goes. */
  {
    g_autofree char *suffix = g_strdup_printf ("-%u", number);

    g_snprintf (self->name, sizeof self->name, "%.*s%s",
                (int) (sizeof self->name - 1 - MIN (strlen (suffix), sizeof self->name - 1)),
                pool->settings.name, suffix);
  }
#ifdef HAVE_PTHREAD_SETNAME_NP
  pthread_getname_np (pthread_self (), old_name, 16);
  pthread_setname_np (pthread_self (), self->name);
#endif
}

static void
worker_leave (ConcurWorker *self,
              const char   *old_name)
{
  ConcurPool *pool = self->pool;
  ConcurWorker **link;

  current_worker = NULL;
  /* What is released here may submit, even to this pool. */
  concur_home_leave_thread ();
  concur_home_drop (self->home);
#ifdef HAVE_PTHREAD_SETNAME_NP
  pthread_setname_np (pthread_self (), old_name);
#endif

  concur_lock_acquire (&pool->lock);
  for (link = &pool->workers; *link != self; link = &(*link)->next)
    ;
  *link = self->next;
  pool->n_present--;
  /* Under the lock, so that a snapshot finds it in one of the two places. */
  concur_atomic_add (&pool->n_completed, concur_atomic_load (&self->n_completed, CONCUR_RELAXED),
                     CONCUR_RELAXED);
  concur_lock_release (&pool->lock);

  concur_lock_clear (&self->lock);
}

void
concur_worker_main (gpointer data)
{
  ConcurPool *pool = data;
  ConcurWorker self = { .pool = pool };
  char old_name[16] = "";

  concur_thread_is_own = TRUE;
  concur_gate ();
  worker_enter (&self, old_name);

  if (pool->settings.thread_main != NULL)
    pool->settings.thread_main (pool->settings.owner);
  else
    while (concur_worker_run_next (&self))
      ;

  /* Where the language returned before it was told to. Another thread may have to start
   * for what is left, and for that the owner must be there. */
  if (!self.retired)
    worker_give_up (&self, FALSE);
  if (pool->settings.thread_main != NULL)
    {
      concur_gate ();
      g_object_unref (pool->settings.owner);
    }

  worker_leave (&self, old_name);
  concur_pool_check_ended (pool);
  concur_pool_unref (pool);
  concur_thread_is_own = FALSE;
}

/* Runs a job that is waited for, if nobody has begun to. */
static gboolean
worker_run_in_place (ConcurWorker *self,
                     ConcurFuture *future)
{
  /* IN_QUEUE is looked at first: the pool was set before it. */
  if (!(concur_future_state (future) & CONCUR_STATE_IN_QUEUE)
      || concur_future_private (future)->pool != self->pool
      || self->nested >= CONCUR_MAX_NESTED
      || concur_atomic_load (&self->pool->paused, CONCUR_RELAXED)
      || !concur_future_claim (future, FALSE))
    return FALSE;

  concur_pool_job_in_place (self->pool);
  if (G_LIKELY (!concur_pool_is_cancelling (self->pool)))
    worker_run (self, CONCUR_JOB (future));
  else
    concur_pool_cancel_taken (self->pool, CONCUR_JOB (future));

  return TRUE;
}

/* The same for what @future derives from, as far as it is worth looking. Whether any was
 * run. */
static gboolean
worker_run_inputs (ConcurWorker *self,
                   ConcurFuture *future,
                   guint         depth,
                   guint        *looks)
{
  ConcurDerivation *derivation;
  gboolean any = FALSE;

  if (!(concur_future_state (future) & CONCUR_STATE_DERIVED))
    return worker_run_in_place (self, future);

  derivation = concur_derivation_of (future);
  if (derivation == NULL)
    return worker_run_in_place (self, future);

  --*looks;
  for (guint i = 0; depth > 0 && *looks > 0 && i < derivation->n_inputs; i++)
    {
      if (!derivation->inputs[i].no_wait
          && !CONCUR_PHASE_IS_DONE (concur_future_state (derivation->inputs[i].future)))
        any |= worker_run_inputs (self, derivation->inputs[i].future, depth - 1, looks);
      if (any && CONCUR_PHASE_IS_DONE (concur_future_state (future)))
        break;
    }
  concur_derivation_unref (derivation);

  return any;
}

void
concur_worker_begin_blocking (void)
{
  ConcurPool *pool;

  if (current_worker == NULL)
    return;

  pool = current_worker->pool;
  concur_lock_acquire (&pool->lock);
  pool->n_blocked++;
  concur_pool_update_limit_locked (pool);
  concur_lock_release (&pool->lock);

  if (concur_pool_has_work (pool))
    concur_pool_wake_one (pool);
}

void
concur_worker_end_blocking (void)
{
  ConcurPool *pool;

  if (current_worker == NULL)
    return;

  pool = current_worker->pool;
  concur_lock_acquire (&pool->lock);
  pool->n_blocked--;
  concur_pool_update_limit_locked (pool);
  concur_lock_release (&pool->lock);
}

gboolean
concur_worker_wait (ConcurFuture *future,
                    gint64        timeout_us)
{
  ConcurWorker *self = current_worker;
  gboolean done;

  if (self == NULL)
    return concur_future_park_until (future, concur_deadline (timeout_us));

  for (guint looks = MAX_INPUT_LOOKS;
       timeout_us < 0 && worker_run_inputs (self, future, MAX_INPUT_DEPTH, &looks);
       looks = MAX_INPUT_LOOKS)
    {
      if (CONCUR_PHASE_IS_DONE (concur_future_state (future)))
        return TRUE;
    }

  concur_worker_begin_blocking ();
  done = concur_future_park_until (future, concur_deadline (timeout_us));
  concur_worker_end_blocking ();

  return done;
}
