/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The plain queue: lists under one mutex. It is what the lock-free one is held against
 * in tests, and what a platform without cheap atomics would use. */

#include "config.h"

#include "concur-queue-private.h"

typedef struct
{
  ConcurLock lock;

  /* protected by lock */
  ConcurQueueLane lanes[CONCUR_N_PRIORITIES];
  guint pops;

  /* written under lock, read anywhere */
  _Atomic guint length;
} MutexQueue;

static ConcurQueue *
mutex_queue_create (void)
{
  MutexQueue *self = g_new0 (MutexQueue, 1);

  concur_lock_init (&self->lock);
  concur_atomic_init (&self->length, 0);

  return (ConcurQueue *) self;
}

static void
mutex_queue_free (ConcurQueue *queue)
{
  MutexQueue *self = (MutexQueue *) queue;

  concur_lock_clear (&self->lock);
  g_free (self);
}

static void
mutex_queue_push (ConcurQueue     *queue,
                  ConcurQueueLink *link,
                  guint            priority)
{
  MutexQueue *self = (MutexQueue *) queue;

  concur_lock_acquire (&self->lock);
  concur_queue_lane_append (&self->lanes[priority], link);
  /* Sequentially consistent with has_work (). */
  concur_atomic_add (&self->length, 1, CONCUR_SEQ_CST);
  concur_lock_release (&self->lock);
}

static ConcurQueueLink *
mutex_queue_pop (ConcurQueue     *queue,
                 ConcurQueueFlag *closed)
{
  MutexQueue *self = (MutexQueue *) queue;
  ConcurQueueLink *link = NULL;
  guint i;

  concur_lock_acquire (&self->lock);
  if (concur_atomic_load (closed, CONCUR_RELAXED))
    ;
  else if ((self->pops + 1) % CONCUR_QUEUE_AGEING == 0)
    {
      for (i = CONCUR_N_PRIORITIES; link == NULL && i > 0; i--)
        link = concur_queue_lane_shift (&self->lanes[i - 1]);
    }
  else
    {
      for (i = 0; link == NULL && i < CONCUR_N_PRIORITIES; i++)
        link = concur_queue_lane_shift (&self->lanes[i]);
    }
  if (link != NULL)
    {
      /* Looking for work that is not there makes nobody older. */
      self->pops++;
      concur_atomic_sub (&self->length, 1, CONCUR_RELAXED);
    }
  concur_lock_release (&self->lock);

  return link;
}

static void
mutex_queue_settle (ConcurQueue *queue)
{
  MutexQueue *self = (MutexQueue *) queue;

  concur_lock_acquire (&self->lock);
  concur_lock_release (&self->lock);
}

static gboolean
mutex_queue_has_work (ConcurQueue *queue)
{
  MutexQueue *self = (MutexQueue *) queue;

  return concur_atomic_load (&self->length, CONCUR_SEQ_CST) > 0;
}

static ConcurQueueLink *
mutex_queue_sweep (ConcurQueue       *queue,
                   ConcurQueueFilter  filter)
{
  MutexQueue *self = (MutexQueue *) queue;
  ConcurQueueLink *out = NULL, *link;
  guint i;

  concur_lock_acquire (&self->lock);
  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    concur_queue_lane_sweep (&self->lanes[i], filter, &out);
  for (link = out; link != NULL; link = concur_queue_link_get_next (link))
    concur_atomic_sub (&self->length, 1, CONCUR_RELAXED);
  concur_lock_release (&self->lock);

  return out;
}

const ConcurQueueOps concur_queue_mutex = {
  .name = "mutex",
  .create = mutex_queue_create,
  .free = mutex_queue_free,
  .push = mutex_queue_push,
  .pop = mutex_queue_pop,
  .settle = mutex_queue_settle,
  .has_work = mutex_queue_has_work,
  .sweep = mutex_queue_sweep,
};
