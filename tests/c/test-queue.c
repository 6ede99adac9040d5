/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The queue of an executor from inside, each implementation by itself: the order of one
 * thread against a model, and what many threads do to it. */

#include "config.h"

#include "test-util.h"

#include "concur-queue-private.h"

typedef struct
{
  ConcurQueueLink link; /* first */
  guint producer;
  guint number;
  guint priority;
  gboolean marked;
  gint taken; /* atomic */
} Item;

static ConcurQueueFlag never_closed;

static ConcurQueueLink *
pop_item (const ConcurQueueOps *ops,
          ConcurQueue          *queue)
{
  return ops->pop (queue, &never_closed);
}

static void
take (ConcurQueueLink *link)
{
  g_assert_cmpint (g_atomic_int_add (&((Item *) link)->taken, 1), ==, 0);
}

static gboolean
keep_all (ConcurQueueLink *link)
{
  return TRUE;
}

static gboolean
keep_unmarked (ConcurQueueLink *link)
{
  return !((Item *) link)->marked;
}

static void
test_fifo (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  Item items[40] = { 0 };
  guint priority, i;

  g_assert_false (ops->has_work (queue));
  g_assert_null (pop_item (ops, queue));

  for (priority = 0; priority < CONCUR_N_PRIORITIES; priority++)
    {
      for (i = 0; i < G_N_ELEMENTS (items); i++)
        {
          ops->push (queue, &items[i].link, priority);
          g_assert_true (ops->has_work (queue));
        }
      for (i = 0; i < G_N_ELEMENTS (items); i++)
        {
          g_assert_true (ops->has_work (queue));
          g_assert_true (pop_item (ops, queue) == &items[i].link);
        }
      g_assert_false (ops->has_work (queue));
      g_assert_null (pop_item (ops, queue));
    }

  ops->free (queue);
}

static void
test_priorities (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  Item items[CONCUR_N_PRIORITIES * 5] = { 0 };
  guint i;

  /* The last first, so that order of arrival cannot pass for order of priority. */
  for (i = G_N_ELEMENTS (items); i > 0; i--)
    ops->push (queue, &items[i - 1].link, (i - 1) / 5);
  for (i = 0; i < G_N_ELEMENTS (items); i++)
    g_assert_true (pop_item (ops, queue) == &items[i / 5 * 5 + 4 - i % 5].link);
  g_assert_null (pop_item (ops, queue));

  ops->free (queue);
}

static void
test_ageing (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  Item high[5 * CONCUR_QUEUE_AGEING] = { 0 }, low[2] = { 0 }, idle[2] = { 0 };
  guint i, n_high = 0;

  for (i = 0; i < 2; i++)
    {
      ops->push (queue, &low[i].link, 2);
      ops->push (queue, &idle[i].link, 3);
    }
  for (i = 0; i < G_N_ELEMENTS (high); i++)
    ops->push (queue, &high[i].link, 0);

  for (i = 1; i <= G_N_ELEMENTS (high); i++)
    {
      ConcurQueueLink *link = pop_item (ops, queue);

      if (i == 1 * CONCUR_QUEUE_AGEING)
        g_assert_true (link == &idle[0].link);
      else if (i == 2 * CONCUR_QUEUE_AGEING)
        g_assert_true (link == &idle[1].link);
      else if (i == 3 * CONCUR_QUEUE_AGEING)
        g_assert_true (link == &low[0].link);
      else if (i == 4 * CONCUR_QUEUE_AGEING)
        g_assert_true (link == &low[1].link);
      else
        g_assert_true (link == &high[n_high++].link);
    }

  /* The fifth time there was nothing lower. */
  g_assert_cmpuint (n_high, ==, G_N_ELEMENTS (high) - 4);
  for (; n_high < G_N_ELEMENTS (high); n_high++)
    g_assert_true (pop_item (ops, queue) == &high[n_high].link);
  g_assert_false (ops->has_work (queue));

  ops->free (queue);
}

static void
test_sweep (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  Item items[60] = { 0 };
  ConcurQueueLink *link;
  guint priority, i, n_out = 0;

  g_assert_null (ops->sweep (queue, keep_unmarked));
  g_assert_false (ops->has_work (queue));

  for (i = 0; i < G_N_ELEMENTS (items); i++)
    {
      items[i].priority = i % CONCUR_N_PRIORITIES;
      items[i].marked = i % 3 == 0;
    }
  /* Some are pushed after the sweep, and stand behind those that it left. */
  for (i = 0; i < 40; i++)
    ops->push (queue, &items[i].link, items[i].priority);
  link = ops->sweep (queue, keep_unmarked);
  while (link != NULL)
    {
      ConcurQueueLink *next = concur_queue_link_get_next (link);

      g_assert_true (((Item *) link)->marked);
      take (link);
      n_out++;
      link = next;
    }
  g_assert_cmpuint (n_out, ==, 14);
  g_assert_true (ops->has_work (queue));
  for (; i < G_N_ELEMENTS (items); i++)
    ops->push (queue, &items[i].link, items[i].priority);
  g_assert_null (ops->sweep (queue, keep_all));

  for (priority = 0; priority < CONCUR_N_PRIORITIES; priority++)
    {
      for (i = priority; i < G_N_ELEMENTS (items); i += CONCUR_N_PRIORITIES)
        {
          if (i >= 40 || !items[i].marked)
            g_assert_true (pop_item (ops, queue) == &items[i].link);
        }
    }
  g_assert_false (ops->has_work (queue));
  g_assert_null (ops->sweep (queue, keep_unmarked));

  ops->free (queue);
}

static ConcurQueueLink *
model_pop (GQueue lanes[CONCUR_N_PRIORITIES],
           guint *pops)
{
  gboolean lowest = ++*pops % CONCUR_QUEUE_AGEING == 0;
  guint i;

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      GQueue *lane = &lanes[lowest ? CONCUR_N_PRIORITIES - 1 - i : i];

      if (!g_queue_is_empty (lane))
        return g_queue_pop_head (lane);
    }

  return NULL;
}

static void
model_sweep (GQueue           lanes[CONCUR_N_PRIORITIES],
             ConcurQueueLink *out)
{
  guint i;

  for (; out != NULL; out = concur_queue_link_get_next (out))
    {
      Item *item = (Item *) out;

      g_assert_true (item->marked);
      g_assert_true (g_queue_remove (&lanes[item->priority], item));
    }

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      GList *l;

      for (l = lanes[i].head; l != NULL; l = l->next)
        g_assert_false (((Item *) l->data)->marked);
    }
}

/* Anything, in any order, by one thread. */
static void
test_model (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  guint n = test_scaled (100000), n_pushed = 0, pops = 0, step, i;
  g_autofree Item *items = g_new0 (Item, n);
  GQueue lanes[CONCUR_N_PRIORITIES];
  ConcurQueueFlag closed;

  atomic_init (&closed, FALSE);
  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    g_queue_init (&lanes[i]);

  for (step = 0; step < n; step++)
    {
      gint what = g_test_rand_int_range (0, 100);
      gboolean has_work = FALSE;

      if (what < 48)
        {
          Item *item = &items[n_pushed++];

          item->priority = (guint) g_test_rand_int_range (0, CONCUR_N_PRIORITIES);
          item->marked = g_test_rand_bit ();
          g_queue_push_tail (&lanes[item->priority], item);
          ops->push (queue, &item->link, item->priority);
        }
      else if (what < 97)
        {
          g_assert_true (ops->pop (queue, &closed) == model_pop (lanes, &pops));
        }
      else if (what < 99)
        {
          atomic_store (&closed, TRUE);
          ops->settle (queue);
          g_assert_null (ops->pop (queue, &closed));
          atomic_store (&closed, FALSE);
        }
      else
        {
          model_sweep (lanes, ops->sweep (queue, keep_unmarked));
        }

      for (i = 0; i < CONCUR_N_PRIORITIES; i++)
        has_work = has_work || !g_queue_is_empty (&lanes[i]);
      g_assert_true (ops->has_work (queue) == has_work);
    }

  while (ops->has_work (queue))
    g_assert_true (pop_item (ops, queue) == model_pop (lanes, &pops));
  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    g_assert_true (g_queue_is_empty (&lanes[i]));

  ops->free (queue);
}

#define N_PUSHERS 4
#define N_POPPERS 3

typedef struct
{
  const ConcurQueueOps *ops;
  ConcurQueue *queue;
  Item *items; /* N_PUSHERS times n */
  guint n;
  gint pushing; /* atomic: pushers at work */
  gint next_producer; /* atomic */
  TestGate start;
  gint n_taken; /* atomic */
  gint n_swept; /* atomic */
} Crowd;

static gpointer
crowd_push (gpointer data)
{
  Crowd *self = data;
  guint producer = (guint) g_atomic_int_add (&self->next_producer, 1);
  GRand *rand = g_rand_new_with_seed (producer);
  guint i;

  test_gate_wait (&self->start);
  for (i = 0; i < self->n; i++)
    {
      Item *item = &self->items[producer * self->n + i];

      item->producer = producer;
      item->number = i + 1;
      item->priority = (guint) g_rand_int_range (rand, 0, CONCUR_N_PRIORITIES);
      item->marked = i % 7 == 0;
      self->ops->push (self->queue, &item->link, item->priority);
    }

  g_rand_free (rand);
  g_atomic_int_add (&self->pushing, -1);

  return NULL;
}

/* FALSE: all is done. */
static gboolean
crowd_goes_on (Crowd *self)
{
  /* In this order: nothing is pushed after the last pusher ended. */
  return g_atomic_int_get (&self->pushing) > 0 || self->ops->has_work (self->queue);
}

static gpointer
crowd_pop (gpointer data)
{
  Crowd *self = data;
  guint last[N_PUSHERS][CONCUR_N_PRIORITIES] = { 0 };
  gint n = 0;

  test_gate_wait (&self->start);
  while (crowd_goes_on (self))
    {
      ConcurQueueLink *link = pop_item (self->ops, self->queue);
      Item *item = (Item *) link;

      if (link == NULL)
        {
          g_thread_yield ();
          continue;
        }

      take (link);
      n++;
      g_assert_cmpuint (item->number, >, last[item->producer][item->priority]);
      last[item->producer][item->priority] = item->number;
    }
  g_atomic_int_add (&self->n_taken, n);

  return NULL;
}

static gpointer
crowd_sweep (gpointer data)
{
  Crowd *self = data;
  gint n = 0;

  test_gate_wait (&self->start);
  while (crowd_goes_on (self))
    {
      ConcurQueueLink *link = self->ops->sweep (self->queue, keep_unmarked);

      for (; link != NULL; link = concur_queue_link_get_next (link))
        {
          g_assert_true (((Item *) link)->marked);
          take (link);
          n++;
        }
      g_thread_yield ();
    }
  g_atomic_int_add (&self->n_swept, n);

  return NULL;
}

static void
crowd (const ConcurQueueOps *ops,
       guint                 n,
       guint                 n_poppers,
       gboolean              sweeps)
{
  Crowd self = { .ops = ops, .queue = ops->create (), .n = n, .pushing = N_PUSHERS };
  GThread *threads[N_PUSHERS + N_POPPERS + 1];
  guint n_threads = 0, i;

  self.items = g_new0 (Item, N_PUSHERS * n);
  for (i = 0; i < N_PUSHERS; i++)
    threads[n_threads++] = g_thread_new ("push", crowd_push, &self);
  for (i = 0; i < n_poppers; i++)
    threads[n_threads++] = g_thread_new ("pop", crowd_pop, &self);
  if (sweeps)
    threads[n_threads++] = g_thread_new ("sweep", crowd_sweep, &self);
  test_gate_open (&self.start);
  for (i = 0; i < n_threads; i++)
    g_thread_join (threads[i]);

  for (i = 0; i < N_PUSHERS * n; i++)
    g_assert_cmpint (self.items[i].taken, ==, 1);
  g_assert_cmpint (self.n_taken + self.n_swept, ==, (gint) (N_PUSHERS * n));
  g_assert_false (ops->has_work (self.queue));
  g_assert_null (pop_item (ops, self.queue));
  g_assert_null (ops->sweep (self.queue, keep_unmarked));

  ops->free (self.queue);
  g_free (self.items);
}

static void
test_one_popper (gconstpointer data)
{
  crowd (data, test_scaled (40000), 1, FALSE);
}

static void
test_many (gconstpointer data)
{
  crowd (data, test_scaled (40000), N_POPPERS, FALSE);
}

static void
test_many_and_sweeps (gconstpointer data)
{
  crowd (data, test_scaled (20000), N_POPPERS, TRUE);
}

/* Small and often, so that the queue is empty most of the time and each of its corners
 * is met by somebody. */
static void
test_shaken (gconstpointer data)
{
  guint rounds = test_scaled (60), i;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    crowd (data, 20, N_POPPERS, i % 2);
  test_shake_stop ();
}

typedef struct
{
  const ConcurQueueOps *ops;
  ConcurQueue *queue;
  gint stop; /* atomic */
} Bustle;

static gpointer
bustle_push (gpointer data)
{
  Bustle *self = data;
  guint n = test_scaled (20000), i;
  Item *items = g_new0 (Item, n);

  for (i = 0; i < n; i++)
    self->ops->push (self->queue, &items[i].link, i % CONCUR_N_PRIORITIES);

  return items;
}

static gpointer
bustle_sweep (gpointer data)
{
  Bustle *self = data;

  while (!g_atomic_int_get (&self->stop))
    g_assert_null (self->ops->sweep (self->queue, keep_all));

  return NULL;
}

/* What is in and stays in is seen, whatever is pushed and moved around it. */
static void
test_has_work (gconstpointer data)
{
  Bustle self = { .ops = data, .queue = ((const ConcurQueueOps *) data)->create () };
  guint rounds = test_scaled (20000), i;
  g_autofree Item *own = g_new0 (Item, rounds);
  g_autofree Item *others = NULL;
  GThread *pusher, *sweeper;

  pusher = g_thread_new ("push", bustle_push, &self);
  sweeper = g_thread_new ("sweep", bustle_sweep, &self);

  for (i = 0; i < rounds; i++)
    {
      own[i].marked = TRUE;
      self.ops->push (self.queue, &own[i].link, i % CONCUR_N_PRIORITIES);
      /* Only this thread takes anything out. */
      while (!g_atomic_int_get (&own[i].taken))
        {
          ConcurQueueLink *link;

          g_assert_true (self.ops->has_work (self.queue));
          link = pop_item (self.ops, self.queue);
          if (link != NULL)
            take (link);
        }
    }

  others = g_thread_join (pusher);
  g_atomic_int_set (&self.stop, TRUE);
  g_thread_join (sweeper);
  while (self.ops->has_work (self.queue))
    take (pop_item (self.ops, self.queue));
  for (i = 0; i < test_scaled (20000); i++)
    g_assert_cmpint (others[i].taken, ==, 1);

  self.ops->free (self.queue);
}

typedef struct
{
  const ConcurQueueOps *ops;
  ConcurQueue *queue;
  ConcurQueueFlag closed;
  gint stop;                /* atomic */
  gint tries[N_POPPERS];    /* atomic: calls of pop that have returned */
  gint next_popper;         /* atomic */
} Door;

static gpointer
door_pop (gpointer data)
{
  Door *self = data;
  guint number = (guint) g_atomic_int_add (&self->next_popper, 1);

  while (!g_atomic_int_get (&self->stop))
    {
      ConcurQueueLink *link = self->ops->pop (self->queue, &self->closed);

      if (link != NULL)
        take (link);
      else
        g_thread_yield ();
      g_atomic_int_inc (&self->tries[number]);
    }

  return NULL;
}

static void
test_closed (gconstpointer data)
{
  Door self = { .ops = data, .queue = ((const ConcurQueueOps *) data)->create () };
  guint rounds = test_scaled (400), round, i;
  g_autofree Item *before = g_new0 (Item, rounds * 8);
  g_autofree Item *after = g_new0 (Item, rounds * 8);
  GThread *threads[N_POPPERS];

  atomic_init (&self.closed, FALSE);
  for (i = 0; i < N_POPPERS; i++)
    threads[i] = g_thread_new ("pop", door_pop, &self);

  for (round = 0; round < rounds; round++)
    {
      for (i = 0; i < 8; i++)
        self.ops->push (self.queue, &before[round * 8 + i].link, i % CONCUR_N_PRIORITIES);
      atomic_store (&self.closed, TRUE);
      self.ops->settle (self.queue);
      for (i = 0; i < 8; i++)
        self.ops->push (self.queue, &after[round * 8 + i].link, i % CONCUR_N_PRIORITIES);

      /* Everybody tries twice: once from before, once for certain from here on. */
      for (i = 0; i < N_POPPERS; i++)
        {
          gint tries = g_atomic_int_get (&self.tries[i]);

          while (g_atomic_int_get (&self.tries[i]) < tries + 2)
            g_thread_yield ();
        }
      for (i = 0; i < 8; i++)
        g_assert_cmpint (g_atomic_int_get (&after[round * 8 + i].taken), ==, 0);
      g_assert_true (self.ops->has_work (self.queue));

      atomic_store (&self.closed, FALSE);
      for (i = 0; i < 8; i++)
        {
          while (!g_atomic_int_get (&before[round * 8 + i].taken)
                 || !g_atomic_int_get (&after[round * 8 + i].taken))
            g_thread_yield ();
        }
      g_assert_false (self.ops->has_work (self.queue));
    }

  g_atomic_int_set (&self.stop, TRUE);
  for (i = 0; i < N_POPPERS; i++)
    g_thread_join (threads[i]);
  self.ops->free (self.queue);
}

static void
add (const ConcurQueueOps *ops,
     const char           *name,
     GTestDataFunc         func)
{
  g_autofree char *path = g_strdup_printf ("/queue/%s/%s", ops->name, name);

  g_test_add_data_func (path, ops, func);
}

int
main (int    argc,
      char **argv)
{
  static const ConcurQueueOps *all[] = { &concur_queue_mutex, &concur_queue_lockfree };
  guint i;

  test_init (&argc, &argv);

  for (i = 0; i < G_N_ELEMENTS (all); i++)
    {
      add (all[i], "fifo", test_fifo);
      add (all[i], "priorities", test_priorities);
      add (all[i], "ageing", test_ageing);
      add (all[i], "sweep", test_sweep);
      add (all[i], "model", test_model);
      add (all[i], "one-popper", test_one_popper);
      add (all[i], "many", test_many);
      add (all[i], "many-and-sweeps", test_many_and_sweeps);
      add (all[i], "shaken", test_shaken);
      add (all[i], "has-work", test_has_work);
      add (all[i], "closed", test_closed);
    }

  return test_run ();
}
