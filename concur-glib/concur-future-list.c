/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-future-list-private.h"

typedef struct _Items Items;

/* Apart from the object, so that it can outlive it for a moment: see items_free (). */
struct _Items
{
  Items *next;
  guint n;
  ConcurFuture *futures[]; /* (owned) */
};

struct _ConcurFutureList
{
  GObject parent_instance;

  /* immutable */
  Items *items;
};

static void list_model_iface_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConcurFutureList, concur_future_list, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_iface_init))

/* What this thread is to let go of. */
static _Thread_local Items *doomed;
static _Thread_local gboolean freeing;

/* A future in the list may have a list for its value, with a future in it, and so on:
 * instead of one inside the other, they go one after the other. */
static void
items_free (Items *items)
{
  items->next = doomed;
  doomed = items;

  if (freeing)
    return;

  freeing = TRUE;
  while ((items = doomed) != NULL)
    {
      doomed = items->next;
      for (guint i = 0; i < items->n; i++)
        g_object_unref (items->futures[i]);
      g_free (items);
    }
  freeing = FALSE;
}

static void
concur_future_list_finalize (GObject *object)
{
  Items *items = CONCUR_FUTURE_LIST (object)->items;

  G_OBJECT_CLASS (concur_future_list_parent_class)->finalize (object);

  items_free (items);
}

static void
concur_future_list_class_init (ConcurFutureListClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_future_list_finalize;
}

static void
concur_future_list_init (ConcurFutureList *self)
{
}

static GType
concur_future_list_get_item_type (GListModel *model)
{
  return CONCUR_TYPE_FUTURE;
}

static guint
concur_future_list_get_n_items (GListModel *model)
{
  return CONCUR_FUTURE_LIST (model)->items->n;
}

static gpointer
concur_future_list_get_item (GListModel *model,
                             guint       position)
{
  Items *items = CONCUR_FUTURE_LIST (model)->items;

  return position < items->n ? g_object_ref (items->futures[position]) : NULL;
}

static void
list_model_iface_init (GListModelInterface *iface)
{
  iface->get_item_type = concur_future_list_get_item_type;
  iface->get_n_items = concur_future_list_get_n_items;
  iface->get_item = concur_future_list_get_item;
}

ConcurFutureList *
concur_future_list_new (ConcurFuture **futures,
                        guint          n_futures,
                        gboolean     (*filter) (ConcurFuture *future))
{
  ConcurFutureList *self = g_object_new (CONCUR_TYPE_FUTURE_LIST, NULL);
  Items *items = g_malloc (sizeof (Items) + n_futures * sizeof (ConcurFuture *));

  items->n = 0;
  for (guint i = 0; i < n_futures; i++)
    {
      if (filter == NULL || filter (futures[i]))
        items->futures[items->n++] = g_object_ref (futures[i]);
    }
  if (items->n < n_futures)
    items = g_realloc (items, sizeof (Items) + items->n * sizeof (ConcurFuture *));
  self->items = items;

  return self;
}

ConcurFuture **
concur_future_list_peek (ConcurFutureList *self)
{
  return self->items->futures;
}
