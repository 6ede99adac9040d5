/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The queue of an executor from inside, in both implementations: nothing is lost, nothing
 * comes twice, and all comes in the right order. */

#include "config.h"

#include "concur-queue-private.h"
#include "test-workers.h"

typedef struct
{
  ConcurQueueLink link;
  guint priority;
  guint pusher;
  guint number;                /* of its pusher and priority */
  gboolean unwanted;           /* to be swept out */
  gint taken;                  /* atomic */
} Item;

static ConcurQueueFlag open_flag;
static ConcurQueueFlag closed_flag = TRUE;

static Item *
pop (const ConcurQueueOps *ops,
     ConcurQueue          *queue)
{
  return (Item *) ops->pop (queue, &open_flag);
}

static gboolean
is_wanted (ConcurQueueLink *link)
{
  return !((Item *) link)->unwanted;
}

/* What the queue is held against: plain lists. */
typedef struct
{
  GQueue lanes[CONCUR_N_PRIORITIES];
  guint pops;
} Model;

static Item *
model_pop (Model *model)
{
  gboolean oldest = (model->pops + 1) % CONCUR_QUEUE_AGEING == 0;
  guint i;

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      GQueue *lane = &model->lanes[oldest ? CONCUR_N_PRIORITIES - 1 - i : i];

      if (!g_queue_is_empty (lane))
        {
          model->pops++;
          return g_queue_pop_head (lane);
        }
    }

  return NULL;
}

static guint
model_get_length (Model *model)
{
  guint length = 0, i;

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    length += model->lanes[i].length;

  return length;
}

/* Each item that is swept out is one of the unwanted ones, and all of them are. */
static void
model_sweep (Model           *model,
             ConcurQueueLink *swept)
{
  guint i;

  while (swept != NULL)
    {
      Item *item = (Item *) swept;

      swept = concur_queue_link_get_next (swept);
      g_assert_true (item->unwanted);
      g_assert_true (g_queue_remove (&model->lanes[item->priority], item));
      g_free (item);
    }

  for (i = 0; i < CONCUR_N_PRIORITIES; i++)
    {
      GList *l;

      for (l = model->lanes[i].head; l != NULL; l = l->next)
        g_assert_false (((Item *) l->data)->unwanted);
    }
}

/* One thread, and at random all that can be done with a queue. */
static void
test_model (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  Model model = { 0 };
  guint steps = test_scaled (200000), i;

  g_assert_false (ops->has_work (queue));
  g_assert_null (pop (ops, queue));

  for (i = 0; i < steps; i++)
    {
      /* Now it fills up, now it empties. */
      gboolean filling = (i / 1000) % 2 == 0;
      gint what = g_test_rand_int_range (0, 100);

      if (what == 0)
        {
          model_sweep (&model, ops->sweep (queue, is_wanted));
        }
      else if (what == 1)
        {
          g_assert_null (ops->pop (queue, &closed_flag));
        }
      else if (what < (filling ? 65 : 35))
        {
          Item *item = g_new0 (Item, 1);

          item->priority = (guint) g_test_rand_int_range (0, CONCUR_N_PRIORITIES);
          item->unwanted = g_test_rand_int_range (0, 10) == 0;
          ops->push (queue, &item->link, item->priority);
          g_queue_push_tail (&model.lanes[item->priority], item);
        }
      else
        {
          Item *item = pop (ops, queue);

          g_assert_true (item == model_pop (&model));
          g_free (item);
        }
      g_assert_cmpint (ops->has_work (queue), ==, model_get_length (&model) > 0);
    }

  while (model_get_length (&model) > 0)
    {
      Item *item = pop (ops, queue);

      g_assert_true (item == model_pop (&model));
      g_free (item);
    }
  g_assert_null (pop (ops, queue));
  g_assert_false (ops->has_work (queue));
  ops->free (queue);
}

/* Every 64th that is taken, not every 64th look. */
static void
test_ageing (gconstpointer data)
{
  const ConcurQueueOps *ops = data;
  ConcurQueue *queue = ops->create ();
  Item high = { .priority = CONCUR_PRIORITY_HIGH }, idle = { .priority = CONCUR_PRIORITY_IDLE };
  guint i;

  for (i = 0; i < CONCUR_QUEUE_AGEING - 1; i++)
    g_assert_null (pop (ops, queue));
  ops->push (queue, &idle.link, idle.priority);
  ops->push (queue, &high.link, high.priority);
  g_assert_true (pop (ops, queue) == &high);
  g_assert_true (pop (ops, queue) == &idle);

  /* That were two. */
  ops->push (queue, &idle.link, idle.priority);
  for (i = 3; i < CONCUR_QUEUE_AGEING; i++)
    {
      ops->push (queue, &high.link, high.priority);
      g_assert_true (pop (ops, queue) == &high);
    }
  ops->push (queue, &high.link, high.priority);
  g_assert_true (pop (ops, queue) == &idle);
  g_assert_true (pop (ops, queue) == &high);
  ops->free (queue);
}

#define N_PUSHERS 3
#define N_POPPERS 2

typedef struct
{
  const ConcurQueueOps *ops;
  ConcurQueue *queue;
  Item *items[N_PUSHERS];
  guint n;                     /* items of each pusher */
  TestGate start;
  gint pusher;                 /* atomic: who comes next */
  gint pushed;                 /* atomic: items whose push is complete */
  gint taken;                  /* atomic */
  gint swept;                  /* atomic */
} Traffic;

static gpointer
pusher_thread (gpointer data)
{
  Traffic *self = data;
  guint me = (guint) g_atomic_int_add (&self->pusher, 1);
  GRand *rand = g_rand_new_with_seed (me);
  guint numbers[CONCUR_N_PRIORITIES] = { 0 };
  guint i;

  test_gate_wait (&self->start);
  for (i = 0; i < self->n; i++)
    {
      Item *item = &self->items[me][i];

      item->priority = (guint) g_rand_int_range (rand, 0, CONCUR_N_PRIORITIES);
      item->pusher = me;
      item->number = ++numbers[item->priority];
      self->ops->push (self->queue, &item->link, item->priority);
      g_atomic_int_inc (&self->pushed);
    }
  g_rand_free (rand);

  return NULL;
}

static gboolean
is_all_taken (Traffic *self)
{
  return g_atomic_int_get (&self->taken) == (gint) (N_PUSHERS * self->n);
}

static void
take (Traffic *self,
      Item    *item)
{
  g_assert_cmpint (g_atomic_int_add (&item->taken, 1), ==, 0);
  g_atomic_int_inc (&self->taken);
}

static gpointer
popper_thread (gpointer data)
{
  Traffic *self = data;
  guint last[N_PUSHERS][CONCUR_N_PRIORITIES] = { { 0 } };

  test_gate_wait (&self->start);
  while (!is_all_taken (self))
    {
      Item *item = pop (self->ops, self->queue);

      if (item == NULL)
        {
          g_thread_yield ();
          continue;
        }
      /* First in, first out, as far as one thread can tell. */
      g_assert_cmpuint (item->number, >, last[item->pusher][item->priority]);
      last[item->pusher][item->priority] = item->number;
      take (self, item);
    }

  return NULL;
}

/* The only one that pops: what it has not taken must be there, or be said to be. */
static gpointer
lone_popper_thread (gpointer data)
{
  Traffic *self = data;

  test_gate_wait (&self->start);
  while (!is_all_taken (self))
    {
      gint pushed = g_atomic_int_get (&self->pushed);
      Item *item = pop (self->ops, self->queue);

      if (item != NULL)
        take (self, item);
      else if (pushed > g_atomic_int_get (&self->taken))
        g_assert_true (self->ops->has_work (self->queue));
    }

  return NULL;
}

static gpointer
sweeper_thread (gpointer data)
{
  Traffic *self = data;

  test_gate_wait (&self->start);
  while (!is_all_taken (self))
    {
      ConcurQueueLink *link = self->ops->sweep (self->queue, is_wanted);

      while (link != NULL)
        {
          Item *item = (Item *) link;

          link = concur_queue_link_get_next (link);
          g_assert_true (item->unwanted);
          take (self, item);
          g_atomic_int_inc (&self->swept);
        }
      g_thread_yield ();
    }

  return NULL;
}

static void
traffic (const ConcurQueueOps *ops,
         guint                 n_poppers,
         GThreadFunc           popper,
         gboolean              sweeping)
{
  Traffic self = { .ops = ops, .queue = ops->create (), .n = test_scaled (20000) };
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  guint i, k;

  for (i = 0; i < N_PUSHERS; i++)
    {
      self.items[i] = g_new0 (Item, self.n);
      for (k = 0; k < self.n; k++)
        self.items[i][k].unwanted = sweeping && g_test_rand_bit ();
    }

  for (i = 0; i < N_PUSHERS; i++)
    g_ptr_array_add (threads, g_thread_new (NULL, pusher_thread, &self));
  for (i = 0; i < n_poppers; i++)
    g_ptr_array_add (threads, g_thread_new (NULL, popper, &self));
  if (sweeping)
    g_ptr_array_add (threads, g_thread_new (NULL, sweeper_thread, &self));
  test_gate_open (&self.start);
  for (i = 0; i < threads->len; i++)
    g_thread_join (threads->pdata[i]);

  if (sweeping)
    g_test_message ("%d of %u were swept out", self.swept, N_PUSHERS * self.n);
  g_assert_null (pop (ops, self.queue));
  g_assert_false (ops->has_work (self.queue));
  for (i = 0; i < N_PUSHERS; i++)
    {
      for (k = 0; k < self.n; k++)
        g_assert_cmpint (self.items[i][k].taken, ==, 1);
      g_free (self.items[i]);
    }
  ops->free (self.queue);
}

static void
test_traffic (gconstpointer data)
{
  traffic (data, N_POPPERS, popper_thread, FALSE);
  test_shake_start ();
  traffic (data, N_POPPERS, popper_thread, FALSE);
  test_shake_stop ();
}

static void
test_has_work (gconstpointer data)
{
  traffic (data, 1, lone_popper_thread, FALSE);
  test_shake_start ();
  traffic (data, 1, lone_popper_thread, FALSE);
  test_shake_stop ();
}

static void
test_sweep (gconstpointer data)
{
  traffic (data, N_POPPERS, popper_thread, TRUE);
  test_shake_start ();
  traffic (data, N_POPPERS, popper_thread, TRUE);
  test_shake_stop ();
}

static void
add (const char           *path,
     const ConcurQueueOps *ops,
     GTestDataFunc         func)
{
  g_autofree char *full = g_strdup_printf ("/queue/%s/%s", ops->name, path);

  g_test_add_data_func (full, ops, func);
}

int
main (int   argc,
      char *argv[])
{
  static const ConcurQueueOps *const all[] = { &concur_queue_mutex, &concur_queue_lockfree };
  guint i;

  test_init (&argc, &argv);

  for (i = 0; i < G_N_ELEMENTS (all); i++)
    {
      add ("model", all[i], test_model);
      add ("ageing", all[i], test_ageing);
      add ("traffic", all[i], test_traffic);
      add ("has-work", all[i], test_has_work);
      add ("sweep", all[i], test_sweep);
    }

  return test_run ();
}
