/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Small programs on the bare synchronisation layer, each with a classic mistake: they
 * show that the explorer sees what it is there to see. */

#include "config.h"

#include "explore-models.h"

/* A future: one completes, two wait. */

typedef struct
{
  ConcurLock lock;
  ConcurCond cond;
  ConcurWord done;
  int value;
  int seen;
} Toy;

static gpointer
toy_setup (void)
{
  Toy *toy = g_new0 (Toy, 1);

  concur_lock_init (&toy->lock);
  concur_cond_init (&toy->cond);
  concur_atomic_init (&toy->done, 0);
  explore_label (&toy->lock, "lock");
  explore_label (&toy->cond, "cond");
  explore_label (&toy->done, "done");

  return toy;
}

static void
toy_free (gpointer data)
{
  Toy *toy = data;

  concur_lock_clear (&toy->lock);
  concur_cond_clear (&toy->cond);
  g_free (toy);
}

static void
toy_complete (gpointer data)
{
  Toy *toy = data;

  toy->value = 42;
  if (CONCUR_PLANTED_BUG ("toy-wake-without-lock"))
    {
      concur_atomic_store (&toy->done, 1, CONCUR_RELEASE);
    }
  else
    {
      concur_lock_acquire (&toy->lock);
      concur_atomic_store (&toy->done, 1, CONCUR_RELEASE);
      concur_lock_release (&toy->lock);
    }
  concur_cond_broadcast (&toy->cond);
}

static void
toy_wait (gpointer data)
{
  Toy *toy = data;

  concur_lock_acquire (&toy->lock);
  while (!concur_atomic_load (&toy->done, CONCUR_ACQUIRE))
    concur_cond_wait_until (&toy->cond, &toy->lock, -1);
  toy->seen += toy->value;
  concur_lock_release (&toy->lock);
}

static void
toy_finish_two (gpointer data)
{
  explore_check (((Toy *) data)->seen == 2 * 42);
}

/* Two producers and two consumers on a queue of one, all with one condition. */

#define TOY_ITEMS 1

static void
toy_wake (Toy *toy)
{
  if (CONCUR_PLANTED_BUG ("toy-signal-for-broadcast"))
    concur_cond_signal (&toy->cond);
  else
    concur_cond_broadcast (&toy->cond);
}

static void
toy_produce (gpointer data)
{
  Toy *toy = data;
  int i;

  for (i = 0; i < TOY_ITEMS; i++)
    {
      concur_lock_acquire (&toy->lock);
      while (toy->value == 1)
        concur_cond_wait_until (&toy->cond, &toy->lock, -1);
      toy->value++;
      toy_wake (toy);
      concur_lock_release (&toy->lock);
    }
}

static void
toy_consume (gpointer data)
{
  Toy *toy = data;
  int i;

  for (i = 0; i < TOY_ITEMS; i++)
    {
      concur_lock_acquire (&toy->lock);
      while (toy->value == 0)
        concur_cond_wait_until (&toy->cond, &toy->lock, -1);
      toy->value--;
      toy->seen++;
      toy_wake (toy);
      concur_lock_release (&toy->lock);
    }
}

static void
toy_finish_queue (gpointer data)
{
  Toy *toy = data;

  explore_check (toy->value == 0 && toy->seen == 2 * TOY_ITEMS);
}

/* Spinning, then parking; the waker unparks only if somebody may be parked. */

typedef struct
{
  ConcurWord state; /* 0: open, 1: somebody parks, 2: done */
  ConcurWord sleepers;
  int value;
} ToyParking;

static gpointer
parking_setup (void)
{
  ToyParking *toy = g_new0 (ToyParking, 1);

  explore_label (&toy->state, "state");
  explore_label (&toy->sleepers, "sleepers");

  return toy;
}

static void
parking_wait (gpointer data)
{
  ToyParking *toy = data;
  int looks;

  for (looks = 0; looks < CONCUR_YIELDS_BEFORE_PARKING; looks++)
    {
      if (concur_atomic_load (&toy->state, CONCUR_ACQUIRE) == 2)
        return;
      concur_yield ();
    }

  for (;;)
    {
      guint32 seen;

      if (CONCUR_PLANTED_BUG ("toy-late-sleeper"))
        {
          seen = concur_atomic_load (&toy->state, CONCUR_SEQ_CST);
          if (seen == 2)
            return;
          concur_atomic_add (&toy->sleepers, 1, CONCUR_SEQ_CST);
          concur_park (&toy->sleepers, 1, -1);
          continue;
        }

      seen = 0;
      if (!concur_atomic_cas (&toy->state, &seen, 1, CONCUR_SEQ_CST) && seen == 2)
        return;
      concur_park (&toy->state, 1, -1);
    }
}

static void
parking_complete (gpointer data)
{
  ToyParking *toy = data;

  if (CONCUR_PLANTED_BUG ("toy-late-sleeper"))
    {
      concur_atomic_store (&toy->state, 2, CONCUR_SEQ_CST);
      if (concur_atomic_load (&toy->sleepers, CONCUR_SEQ_CST))
        concur_unpark_all (&toy->sleepers);
      return;
    }

  if (concur_atomic_exchange (&toy->state, 2, CONCUR_SEQ_CST) == 1)
    concur_unpark_all (&toy->state);
}

/* Spinning for ever is well as long as somebody else goes on. */

static void
spin_wait (gpointer data)
{
  ToyParking *toy = data;

  while (concur_atomic_load (&toy->state, CONCUR_ACQUIRE) != 2)
    concur_yield ();
}

static void
spin_complete (gpointer data)
{
  ToyParking *toy = data;

  concur_atomic_add (&toy->sleepers, 1, CONCUR_RELAXED);
  if (!CONCUR_PLANTED_BUG ("toy-never-done"))
    concur_atomic_store (&toy->state, 2, CONCUR_RELEASE);
}

/* A timed wait on a node that the waker may still hold. */

typedef struct
{
  ConcurWord refs;
  ConcurWord woken;
} ToyNode;

typedef struct
{
  _Atomic (ToyNode *) node;
  gboolean timed_out;
} ToyTimed;

static gpointer
timed_setup (void)
{
  return g_new0 (ToyTimed, 1);
}

static void
node_unref (ToyNode *node)
{
  if (concur_atomic_sub (&node->refs, 1, CONCUR_ACQ_REL) == 1)
    {
      if (!CONCUR_PLANTED_BUG ("toy-leak"))
        g_free (node);
    }
}

static void
timed_wait (gpointer data)
{
  ToyTimed *toy = data;
  ToyNode *node = g_new0 (ToyNode, 1);
  gint64 deadline = concur_deadline (1000);

  concur_atomic_init (&node->refs, 2);
  concur_atomic_store (&toy->node, node, CONCUR_SEQ_CST);
  while (!concur_atomic_load (&node->woken, CONCUR_ACQUIRE))
    {
      if (!concur_park (&node->woken, 0, deadline))
        {
          explore_check (concur_now () >= deadline);
          toy->timed_out = TRUE;
          break;
        }
    }

  if (CONCUR_PLANTED_BUG ("toy-use-after-free"))
    g_free (node);
  else
    node_unref (node);
}

static void
timed_wake (gpointer data)
{
  ToyTimed *toy = data;
  ToyNode *node;

  while ((node = concur_atomic_load (&toy->node, CONCUR_ACQUIRE)) == NULL)
    concur_yield ();
  concur_atomic_store (&node->woken, 1, CONCUR_RELEASE);
  concur_unpark_one (&node->woken);
  if (!CONCUR_PLANTED_BUG ("toy-use-after-free"))
    node_unref (node);
}

/* Locks in two orders. */

typedef struct
{
  ConcurLock a, b;
} ToyLocks;

static gpointer
locks_setup (void)
{
  ToyLocks *toy = g_new0 (ToyLocks, 1);

  explore_label (&toy->a, "a");
  explore_label (&toy->b, "b");

  return toy;
}

static void
locks_one (gpointer data)
{
  ToyLocks *toy = data;

  concur_lock_acquire (&toy->a);
  concur_lock_acquire (&toy->b);
  concur_lock_release (&toy->b);
  concur_lock_release (&toy->a);
}

static void
locks_other (gpointer data)
{
  ToyLocks *toy = data;
  gboolean wrong = CONCUR_PLANTED_BUG ("toy-lock-order");

  concur_lock_acquire (wrong ? &toy->b : &toy->a);
  concur_lock_acquire (wrong ? &toy->a : &toy->b);
  concur_lock_release (wrong ? &toy->a : &toy->b);
  concur_lock_release (wrong ? &toy->b : &toy->a);
}

/* A worker that goes when nobody needed it for a while, and a producer that starts
 * another one only if there is none. */

typedef struct
{
  ConcurLock lock;
  ConcurCond cond;
  int queued;
  int workers;
  int idle;
  int done;
} ToyPool;

static gpointer
pool_setup (void)
{
  ToyPool *toy = g_new0 (ToyPool, 1);

  explore_label (&toy->lock, "lock");
  explore_label (&toy->cond, "cond");

  return toy;
}

static void
pool_worker (gpointer data)
{
  ToyPool *toy = data;

  concur_lock_acquire (&toy->lock);
  for (;;)
    {
      gboolean in_time = TRUE;

      while (toy->queued == 0 && in_time)
        {
          toy->idle++;
          in_time = concur_cond_wait_until (&toy->cond, &toy->lock, concur_now () + 1000);
          toy->idle--;
        }
      if (toy->queued == 0 || (!in_time && CONCUR_PLANTED_BUG ("toy-expiry-against-push")))
        break;
      toy->queued--;
      toy->done++;
    }
  toy->workers--;
  concur_lock_release (&toy->lock);
}

static void
pool_push (gpointer data)
{
  ToyPool *toy = data;
  gboolean start = FALSE;
  int i;

  for (i = 0; i < 2; i++)
    {
      concur_lock_acquire (&toy->lock);
      toy->queued++;
      start = toy->workers == 0;
      if (start)
        toy->workers++;
      else
        concur_cond_signal (&toy->cond);
      concur_lock_release (&toy->lock);
      if (start)
        explore_spawn (pool_worker, toy);
    }
}

static void
pool_finish (gpointer data)
{
  ToyPool *toy = data;

  explore_check (toy->done == 2 && toy->workers == 0);
}

const ExploreModel explore_toy_models[] = {
  {
    .name = "toy-future",
    .setup = toy_setup,
    .threads = { toy_complete, toy_wait, toy_wait },
    .finish = toy_finish_two,
    .teardown = toy_free,
    .bugs = { "toy-wake-without-lock" },
    .spurious = TRUE,
  },
  {
    .name = "toy-queue",
    .setup = toy_setup,
    .threads = { toy_produce, toy_produce, toy_consume, toy_consume },
    .finish = toy_finish_queue,
    .teardown = toy_free,
    .bugs = { "toy-signal-for-broadcast" },
  },
  {
    .name = "toy-parking",
    .setup = parking_setup,
    .threads = { parking_complete, parking_wait, parking_wait },
    .teardown = g_free,
    .bugs = { "toy-late-sleeper" },
    .spurious = TRUE,
  },
  {
    .name = "toy-spin",
    .setup = parking_setup,
    .threads = { spin_wait, spin_complete, spin_wait },
    .teardown = g_free,
    .bugs = { "toy-never-done" },
    .max_steps = 400,
  },
  {
    .name = "toy-timed",
    .setup = timed_setup,
    .threads = { timed_wait, timed_wake },
    .teardown = g_free,
    .bugs = { "toy-use-after-free", "toy-leak" },
  },
  {
    .name = "toy-locks",
    .setup = locks_setup,
    .threads = { locks_one, locks_other },
    .teardown = g_free,
    .bugs = { "toy-lock-order" },
  },
  {
    .name = "toy-pool",
    .setup = pool_setup,
    .threads = { pool_push },
    .finish = pool_finish,
    .teardown = g_free,
    .bugs = { "toy-expiry-against-push" },
  },
  { NULL },
};
