/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The fast queue: a push is one atomic exchange and one store, whatever goes on
 * elsewhere. Each lane is an intrusive list with a stub, pushed at the tail by anybody
 * and popped at the head by who holds the consumer lock (the scheme of D. Vyukov's
 * intrusive multi-producer queue).
 *
 * Between the two steps of a push the list is cut: pop () then finds nothing although
 * has_work () is true, and the worker looks again.
 *
 * Poppers share one short lock instead of taking private batches: a batch would let
 * younger jobs overtake those that sit behind a long one, and what it saves is small
 * next to making and freeing the job objects. */

#include "config.h"

#include "concur-queue-private.h"

#include <stdalign.h>

/* A lane's two ends are written by different threads: keep them on lines of their own. */
#define CACHE_LINE 64

typedef struct
{
  /* atomic: pushers */
  alignas (CACHE_LINE) _Atomic (ConcurQueueLink *) tail;

  /* written with the consumer lock, read anywhere */
  alignas (CACHE_LINE) _Atomic (ConcurQueueLink *) head;

  /* protected by the consumer lock */
  ConcurQueueLink stub;
} Lane;

typedef struct
{
  Lane lanes[CONCUR_N_PRIORITIES];

  alignas (CACHE_LINE) ConcurLock consumer;

  /* protected by consumer: what a sweep kept, older than all in lanes */
  ConcurQueueLane kept[CONCUR_N_PRIORITIES];
  guint pops;

  /* written with consumer, read anywhere */
  _Atomic guint n_kept;
} LockfreeQueue;

static ConcurQueue *
lockfree_queue_create (void)
{
  LockfreeQueue *self = g_aligned_alloc0 (1, sizeof (LockfreeQueue), CACHE_LINE);
  guint i;

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      Lane *lane = &self->lanes[i];

      concur_atomic_init (&lane->stub.next, NULL);
      concur_atomic_init (&lane->head, &lane->stub);
      concur_atomic_init (&lane->tail, &lane->stub);
    }
  concur_lock_init (&self->consumer);
  concur_atomic_init (&self->n_kept, 0);

  return (ConcurQueue *) self;
}

static void
lockfree_queue_free (ConcurQueue *queue)
{
  LockfreeQueue *self = (LockfreeQueue *) queue;

  concur_lock_clear (&self->consumer);
  g_aligned_free (self);
}

static void
lane_push (Lane            *lane,
           ConcurQueueLink *link)
{
  ConcurQueueLink *previous;

  concur_queue_link_set_next (link, NULL);
  /* Sequentially consistent with lane_has_work (). */
  previous = concur_atomic_exchange (&lane->tail, link, CONCUR_SEQ_CST);
  /* Release: pairs with the acquire of lane_pop (), which then reads the job. */
  concur_atomic_store (&previous->next, link, CONCUR_RELEASE);
}

static void
lockfree_queue_push (ConcurQueue     *queue,
                     ConcurQueueLink *link,
                     guint            priority)
{
  LockfreeQueue *self = (LockfreeQueue *) queue;

  lane_push (&self->lanes[priority], link);
}

/* With the consumer lock. */
static ConcurQueueLink *
lane_pop (Lane *lane)
{
  ConcurQueueLink *head = concur_atomic_load (&lane->head, CONCUR_RELAXED);
  ConcurQueueLink *next = concur_atomic_load (&head->next, CONCUR_ACQUIRE);

  if (head == &lane->stub)
    {
      if (next == NULL)
        return NULL;
      concur_atomic_store (&lane->head, next, CONCUR_SEQ_CST);
      head = next;
      next = concur_atomic_load (&head->next, CONCUR_ACQUIRE);
    }

  if (next == NULL)
    {
      /* The last one. To take it, something must stand behind it: the stub. */
      if (head != concur_atomic_load (&lane->tail, CONCUR_ACQUIRE))
        return NULL;
      lane_push (lane, &lane->stub);
      next = concur_atomic_load (&head->next, CONCUR_ACQUIRE);
      if (next == NULL)
        return NULL;
    }

  /* Sequentially consistent with lane_has_work (). */
  concur_atomic_store (&lane->head, next, CONCUR_SEQ_CST);

  return head;
}

static gboolean
lane_has_work (Lane *lane)
{
  /* head == tail does not mean empty: the last job may stand at both. */
  if (CONCUR_PLANTED_BUG ("missed-last-job"))
    return concur_atomic_load (&lane->head, CONCUR_SEQ_CST)
           != concur_atomic_load (&lane->tail, CONCUR_SEQ_CST);

  return concur_atomic_load (&lane->head, CONCUR_SEQ_CST) != &lane->stub
         || concur_atomic_load (&lane->tail, CONCUR_SEQ_CST) != &lane->stub;
}

static ConcurQueueLink *
pop_priority_locked (LockfreeQueue *self,
                     guint          priority)
{
  ConcurQueueLink *link;

  if (G_UNLIKELY (concur_atomic_load (&self->n_kept, CONCUR_RELAXED) > 0))
    {
      link = concur_queue_lane_shift (&self->kept[priority]);
      if (link != NULL)
        {
          concur_atomic_sub (&self->n_kept, 1, CONCUR_RELAXED);
          return link;
        }
    }

  return lane_pop (&self->lanes[priority]);
}

static ConcurQueueLink *
lockfree_queue_pop (ConcurQueue     *queue,
                    ConcurQueueFlag *closed)
{
  LockfreeQueue *self = (LockfreeQueue *) queue;
  ConcurQueueLink *link = NULL;
  guint looks, i;

  /* The lock is held for a few dozen instructions: whoever has it lets go sooner than
   * a system call takes, unless it lost its processor. */
  for (looks = CONCUR_YIELDS_BEFORE_PARKING; !concur_lock_try (&self->consumer); looks--)
    {
      if (looks == 0)
        {
          concur_lock_acquire (&self->consumer);
          break;
        }
      concur_yield ();
    }

  if (concur_atomic_load (closed, CONCUR_RELAXED))
    ;
  else if ((self->pops + 1) % CONCUR_QUEUE_AGEING == 0)
    {
      for (i = CONCUR_N_PRIORITIES; link == NULL && i > 0; i--)
        link = pop_priority_locked (self, i - 1);
    }
  else
    {
      for (i = 0; link == NULL && i < CONCUR_N_PRIORITIES; i++)
        link = pop_priority_locked (self, i);
    }
  /* Looking for work that is not there makes nobody older. */
  if (link != NULL)
    self->pops++;

  concur_lock_release (&self->consumer);

  return link;
}

static void
lockfree_queue_settle (ConcurQueue *queue)
{
  LockfreeQueue *self = (LockfreeQueue *) queue;

  concur_lock_acquire (&self->consumer);
  concur_lock_release (&self->consumer);
}

static gboolean
lockfree_queue_has_work (ConcurQueue *queue)
{
  LockfreeQueue *self = (LockfreeQueue *) queue;
  guint i;

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      if (lane_has_work (&self->lanes[i]))
        return TRUE;
    }

  return concur_atomic_load (&self->n_kept, CONCUR_SEQ_CST) > 0;
}

static ConcurQueueLink *
lockfree_queue_sweep (ConcurQueue       *queue,
                      ConcurQueueFilter  filter)
{
  LockfreeQueue *self = (LockfreeQueue *) queue;
  ConcurQueueLink *out = NULL, *link;
  guint i, n_kept = 0;

  concur_lock_acquire (&self->consumer);
  /* One too many, so that has_work () stays true while jobs move. */
  concur_atomic_add (&self->n_kept, 1, CONCUR_SEQ_CST);
  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      while ((link = lane_pop (&self->lanes[i])) != NULL)
        concur_queue_lane_append (&self->kept[i], link);
      concur_queue_lane_sweep (&self->kept[i], filter, &out);
      for (link = self->kept[i].first; link != NULL; link = concur_queue_link_get_next (link))
        n_kept++;
    }
  concur_atomic_store (&self->n_kept, n_kept, CONCUR_SEQ_CST);
  concur_lock_release (&self->consumer);

  return out;
}

const ConcurQueueOps concur_queue_lockfree = {
  .name = "lockfree",
  .create = lockfree_queue_create,
  .free = lockfree_queue_free,
  .push = lockfree_queue_push,
  .pop = lockfree_queue_pop,
  .settle = lockfree_queue_settle,
  .has_work = lockfree_queue_has_work,
  .sweep = lockfree_queue_sweep,
};
