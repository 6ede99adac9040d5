/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A channel that futures come out of as they get done. Each that is not done has a node of
 * ours, and owns the channel's core by it; the nodes are freed with the core. */

#include "config.h"

#include "concur-channel-private.h"
#include "concur-combine-private.h"

typedef struct _Completions Completions;

typedef struct
{
  ConcurCallback callback;
  Completions *owner;
  ConcurFuture *future;    /* (owned) protected by the owner's lock: until it is told */
} Node;

struct _Completions
{
  ConcurChannelProducer base;

  ConcurChannelCore *core; /* not counted: it owns us */
  ConcurWord n_left;       /* atomic: futures that are not in the channel yet */
  ConcurLock lock;
  guint n_nodes;           /* immutable once handed out */
  Node nodes[];
};

/* Takes over @future. */
static void
send (ConcurChannelCore *core,
      ConcurFuture      *future)
{
  GValue value = G_VALUE_INIT;
  ConcurChannelWaiter waiter = { .values = &value, .n_values = 1 };

  g_value_init (&value, CONCUR_TYPE_FUTURE);
  g_value_take_object (&value, future);
  /* It has no bound; only when it has ended it takes nothing. */
  if (concur_channel_core_send (core, &waiter, FALSE) != CONCUR_CHANNEL_OK)
    g_value_unset (&value);
}

static void
count_down (Completions *self)
{
  /* Acquire and release: the one who closes comes after all who send. */
  if (concur_atomic_sub (&self->n_left, 1, CONCUR_ACQ_REL) == 1)
    concur_channel_core_close (self->core, NULL);
}

static ConcurFuture *
node_take_future (Node *node)
{
  ConcurFuture *future;

  concur_lock_acquire (&node->owner->lock);
  future = g_steal_pointer (&node->future);
  concur_lock_release (&node->owner->lock);

  return future;
}

static void
node_told (ConcurFuture *future,
           gpointer      data)
{
  Node *node = data;
  Completions *self = node->owner;
  ConcurChannelCore *core = self->core;

  send (core, node_take_future (node));
  count_down (self);
  /* With it may go what we are in. */
  concur_channel_core_unref (core);
}

static void
start (ConcurChannelProducer *producer,
       ConcurChannelCore     *core)
{
}

/* Those that are not done are left alone. */
static void
stop (ConcurChannelProducer *producer,
      ConcurChannelCore     *core)
{
  Completions *self = (Completions *) producer;

  for (guint i = 0; i < self->n_nodes; i++)
    {
      Node *node = &self->nodes[i];
      ConcurFuture *future;

      /* Who is told meanwhile lets its reference go, so have one. */
      concur_lock_acquire (&self->lock);
      future = node->future != NULL ? g_object_ref (node->future) : NULL;
      concur_lock_release (&self->lock);
      if (future == NULL)
        continue;

      if (concur_future_remove_node (future, &node->callback))
        {
          g_object_unref (node_take_future (node));
          concur_channel_core_unref (core);
        }
      g_object_unref (future);
    }
}

static void
completions_free (ConcurChannelProducer *producer)
{
  Completions *self = (Completions *) producer;

  concur_lock_clear (&self->lock);
  g_free (self);
}

/**
 * concur_future_as_completed:
 * @futures: (array length=n_futures): what to wait for
 * @n_futures: how many they are
 *
 * Makes a channel that the futures come out of one by one, as each gets done.
 *
 * ```c
 * g_autoptr (ConcurChannel) done = concur_future_as_completed (pages, n_pages);
 * GValue value = G_VALUE_INIT;
 *
 * while (concur_channel_receive_wait (done, &value, G_USEC_PER_SEC, &error))
 *   {
 *     show_page (g_value_get_object (&value));
 *     g_value_unset (&value);
 *   }
 * if (!g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED))
 *   g_print ("%s\n", error->message);  // CONCUR_FUTURE_ERROR_TIMED_OUT
 * ```
 *
 * Those that are done already come first, in the order given; one that is given more than
 * once comes once. After the last one the channel is closed. However a future ends, it
 * comes as what it is: to receive it is not to look at its error.
 *
 * The channel lets go of a future when it is received. Stopping the channel, or letting go
 * of it, leaves the futures alone: those that are not done go on.
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a channel of futures
 *
 * Since: 1.0
 */
ConcurChannel *
concur_future_as_completed (ConcurFuture **futures,
                            guint          n_futures)
{
  g_autoptr (GHashTable) seen = NULL;
  ConcurChannelCore *core;
  ConcurChannel *channel;
  Completions *self;

  if (!concur_combine_check (futures, n_futures))
    return NULL;

  concur_home_serve (CONCUR_SERVE_AT_COMBINE);

  self = g_malloc0 (sizeof (Completions) + n_futures * sizeof (Node));
  self->base = (ConcurChannelProducer) { start, stop, completions_free };
  concur_lock_init (&self->lock);
  self->core = core = concur_channel_core_new (0, &self->base);
  channel = concur_channel_new_for_core (core, TRUE);
  /* When the channel is stopped, that is its end. */
  concur_channel_core_producer_over (core);

  seen = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < n_futures; i++)
    {
      if (!g_hash_table_add (seen, futures[i]))
        continue;

      if (CONCUR_PHASE_IS_DONE (concur_future_state (futures[i])))
        send (core, g_object_ref (futures[i]));
      else
        self->nodes[self->n_nodes++].future = g_object_ref (futures[i]);
    }

  /* And one for this call. */
  concur_atomic_init (&self->n_left, self->n_nodes + 1);
  for (guint i = 0; i < self->n_nodes; i++)
    {
      Node *node = &self->nodes[i];
      g_autoptr (ConcurFuture) future = g_object_ref (node->future);

      concur_channel_core_ref (core);
      node->owner = self;
      node->callback.blind = TRUE;
      concur_future_add_node (future, &node->callback, node_told, node);
    }
  count_down (self);

  return channel;
}
