/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The queue of a thread executor: many threads push, many pop, one lane per priority,
 * each lane first in, first out. Two implementations stand behind one table: a mutex
 * around lists, which is plainly right, and one whose push takes no lock. Tests run
 * with both. */

#pragma once

#include "concur-sync-private.h"

G_BEGIN_DECLS

#define CONCUR_N_PRIORITIES 4

/* Every so many pops the oldest of the lowest lane that has any is taken, so that
 * nothing starves. */
#define CONCUR_QUEUE_AGEING 64

typedef struct _ConcurQueue     ConcurQueue;
typedef struct _ConcurQueueLink ConcurQueueLink;

struct _ConcurQueueLink
{
  _Atomic (ConcurQueueLink *) next;
};

/* TRUE: keep it. Called with the queue locked; must not call out. */
typedef gboolean (*ConcurQueueFilter) (ConcurQueueLink *link);

typedef _Atomic gboolean ConcurQueueFlag;

typedef struct
{
  const char *name;
  ConcurQueue     *(*create)   (void);
  void             (*free)     (ConcurQueue       *self);
  /* Sequentially consistent with has_work (): a pusher that then looks whether anybody
   * is awake, and a worker that says it sleeps and then calls has_work (), cannot both
   * miss the other. */
  void             (*push)     (ConcurQueue       *self,
                                ConcurQueueLink   *link,
                                guint              priority);
  /* NULL: empty, or a push is half done (has_work () tells which), or @closed. */
  ConcurQueueLink *(*pop)      (ConcurQueue       *self,
                                ConcurQueueFlag   *closed);
  /* After this no pop takes anything that has not seen a @closed set before it. */
  void             (*settle)   (ConcurQueue       *self);
  gboolean         (*has_work) (ConcurQueue       *self);
  /* Takes out what @filter does not keep, as a list by next. */
  ConcurQueueLink *(*sweep)    (ConcurQueue       *self,
                                ConcurQueueFilter  filter);
} ConcurQueueOps;

extern const ConcurQueueOps concur_queue_mutex;
extern const ConcurQueueOps concur_queue_lockfree;

/* Plain access for who owns the link. */
static inline ConcurQueueLink *
concur_queue_link_get_next (ConcurQueueLink *link)
{
  return atomic_load_explicit (&link->next, CONCUR_RELAXED);
}

static inline void
concur_queue_link_set_next (ConcurQueueLink *link,
                            ConcurQueueLink *next)
{
  atomic_store_explicit (&link->next, next, CONCUR_RELAXED);
}

/* A lane of links that a lock protects. */
typedef struct
{
  ConcurQueueLink *first;
  ConcurQueueLink *last;
} ConcurQueueLane;

static inline void
concur_queue_lane_append (ConcurQueueLane *lane,
                          ConcurQueueLink *link)
{
  concur_queue_link_set_next (link, NULL);
  if (lane->last != NULL)
    concur_queue_link_set_next (lane->last, link);
  else
    lane->first = link;
  lane->last = link;
}

static inline ConcurQueueLink *
concur_queue_lane_shift (ConcurQueueLane *lane)
{
  ConcurQueueLink *link = lane->first;

  if (link != NULL)
    {
      lane->first = concur_queue_link_get_next (link);
      if (lane->first == NULL)
        lane->last = NULL;
    }

  return link;
}

/* Moves what @filter does not keep to the front of @out. */
static inline void
concur_queue_lane_sweep (ConcurQueueLane    *lane,
                         ConcurQueueFilter   filter,
                         ConcurQueueLink   **out)
{
  ConcurQueueLane kept = { NULL, NULL };
  ConcurQueueLink *link;

  while ((link = concur_queue_lane_shift (lane)) != NULL)
    {
      if (filter (link))
        {
          concur_queue_lane_append (&kept, link);
        }
      else
        {
          concur_queue_link_set_next (link, *out);
          *out = link;
        }
    }

  *lane = kept;
}

G_END_DECLS
