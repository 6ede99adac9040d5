/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The real queues: nothing is lost, nothing comes twice, each pusher's jobs come in
 * order, and has_work () never says no while there is a job: a consumer that sleeps on
 * its word alone, and is woken only when it said that it sleeps, gets all of them. */

#include "config.h"

#include "concur-queue-private.h"
#include "explore-models.h"

#define MAX_ITEMS 3

static ConcurQueueFlag never_closed;

typedef struct
{
  ConcurQueueLink link;
  int pusher;
  int number;
  int popped;
} Item;

typedef struct
{
  const ConcurQueueOps *ops;
  ConcurQueue *queue;
  Item items[MAX_ITEMS];
  guint n_items;              /* that will be pushed */
  int last[2];                /* of each pusher: the number popped last */
  ConcurWord n_pushed;
  ConcurWord sleeping;
} QueueModel;

static gpointer
setup (const ConcurQueueOps *ops,
       guint                 n_items)
{
  QueueModel *model = g_new0 (QueueModel, 1);
  guint i;

  model->ops = ops;
  model->queue = ops->create ();
  model->n_items = n_items;
  for (i = 0; i < MAX_ITEMS; i++)
    {
      model->items[i].pusher = i / 2;
      model->items[i].number = i + 1;
    }
  explore_label (&model->n_pushed, "n-pushed");
  explore_label (&model->sleeping, "sleeping");

  return model;
}

static gpointer
setup_mutex_two (void)
{
  return setup (&concur_queue_mutex, 2);
}

static gpointer
setup_mutex_three (void)
{
  return setup (&concur_queue_mutex, 3);
}

static gpointer
setup_lockfree_two (void)
{
  return setup (&concur_queue_lockfree, 2);
}

static gpointer
setup_lockfree_three (void)
{
  return setup (&concur_queue_lockfree, 3);
}

static void
push (QueueModel *model,
      guint       item)
{
  guint32 seen = 1;

  model->ops->push (model->queue, &model->items[item].link, item < 2 ? 1 : 0);
  concur_atomic_add (&model->n_pushed, 1, CONCUR_SEQ_CST);
  if (concur_atomic_cas (&model->sleeping, &seen, 0, CONCUR_SEQ_CST))
    concur_unpark_one (&model->sleeping);
}

static void
push_two (gpointer data)
{
  push (data, 0);
  push (data, 1);
}

static void
push_third (gpointer data)
{
  push (data, 2);
}

static void
popped (QueueModel      *model,
        ConcurQueueLink *link,
        gboolean         in_order)
{
  Item *item = (Item *) link;

  explore_check (item >= model->items && item < model->items + model->n_items);
  explore_check (!item->popped);
  item->popped = TRUE;
  if (in_order)
    {
      explore_check (item->number > model->last[item->pusher]);
      model->last[item->pusher] = item->number;
    }
}

/* Gets everything, sleeping when it is told that there is nothing. */
static void
consume (gpointer data)
{
  QueueModel *model = data;
  guint n = 0;

  while (n < model->n_items)
    {
      ConcurQueueLink *link = model->ops->pop (model->queue, &never_closed);

      if (link != NULL)
        {
          popped (model, link, TRUE);
          n++;
          /* What somebody else would ask who could help. */
          if (concur_atomic_load (&model->n_pushed, CONCUR_SEQ_CST) > n)
            explore_check (model->ops->has_work (model->queue));
          continue;
        }

      concur_atomic_store (&model->sleeping, 1, CONCUR_SEQ_CST);
      if (model->ops->has_work (model->queue))
        {
          concur_atomic_store (&model->sleeping, 0, CONCUR_SEQ_CST);
          concur_yield ();
        }
      else
        {
          while (concur_atomic_load (&model->sleeping, CONCUR_ACQUIRE))
            concur_park (&model->sleeping, 1, -1);
        }
    }

  explore_check (!model->ops->has_work (model->queue));
}

/* Gets what there is, until it is told that there is nothing. */
static void
drain (gpointer data)
{
  QueueModel *model = data;
  ConcurQueueLink *link;

  do
    {
      while ((link = model->ops->pop (model->queue, &never_closed)) != NULL)
        popped (model, link, FALSE);
      concur_yield ();
    }
  while (model->ops->has_work (model->queue));
}

static gboolean
keep_second (ConcurQueueLink *link)
{
  return ((Item *) link)->number > 1;
}

static void
sweep (gpointer data)
{
  QueueModel *model = data;
  ConcurQueueLink *link, *next;

  for (link = model->ops->sweep (model->queue, keep_second); link != NULL; link = next)
    {
      next = concur_queue_link_get_next (link);
      explore_check (!keep_second (link));
      popped (model, link, FALSE);
    }
}

/* Nobody takes the second one, and the sweep keeps it: it is never out of sight. */
static void
watch (gpointer data)
{
  QueueModel *model = data;

  if (concur_atomic_load (&model->n_pushed, CONCUR_SEQ_CST) == 2)
    explore_check (model->ops->has_work (model->queue));
}

/* Whatever the threads left, one more look gets: then all must have come. */
static void
finish (gpointer data)
{
  QueueModel *model = data;
  ConcurQueueLink *link;
  guint i;

  while ((link = model->ops->pop (model->queue, &never_closed)) != NULL)
    popped (model, link, FALSE);
  explore_check (!model->ops->has_work (model->queue));
  for (i = 0; i < MAX_ITEMS; i++)
    explore_check (model->items[i].popped || i >= model->n_items);
}

static void
teardown (gpointer data)
{
  QueueModel *model = data;

  model->ops->free (model->queue);
  g_free (model);
}

#define QUEUE_MODEL(prepare) .setup = prepare, .finish = finish, .teardown = teardown

const ExploreModel explore_queue_models[] = {
  {
    QUEUE_MODEL (setup_mutex_three),
    .name = "queue-mutex-push-pop",
    .more = 1,
    .threads = { push_two, push_third, consume },
  },
  {
    QUEUE_MODEL (setup_lockfree_three),
    .name = "queue-lockfree-push-pop",
    .threads = { push_two, push_third, consume },
    .bugs = { "missed-last-job" },
  },
  {
    QUEUE_MODEL (setup_mutex_two),
    .name = "queue-mutex-pop-pop",
    .more = 1,
    .threads = { push_two, drain, drain },
  },
  {
    QUEUE_MODEL (setup_lockfree_two),
    .name = "queue-lockfree-pop-pop",
    .threads = { push_two, drain, drain },
  },
  {
    QUEUE_MODEL (setup_mutex_two),
    .name = "queue-mutex-sweep",
    .more = 1,
    .threads = { push_two, sweep, drain },
  },
  {
    QUEUE_MODEL (setup_lockfree_two),
    .name = "queue-lockfree-sweep",
    .more = 1,
    .threads = { push_two, sweep, drain },
  },
  {
    QUEUE_MODEL (setup_mutex_two),
    .name = "queue-mutex-sweep-watched",
    .more = 1,
    .threads = { push_two, sweep, watch },
  },
  {
    QUEUE_MODEL (setup_lockfree_two),
    .name = "queue-lockfree-sweep-watched",
    .more = 1,
    .threads = { push_two, sweep, watch },
  },
  {
    QUEUE_MODEL (setup_lockfree_three),
    .name = "queue-lockfree-sweep-push",
    .more = 1,
    .threads = { push_two, push_third, sweep },
  },
  { NULL },
};
