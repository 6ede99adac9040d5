/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How the core of a channel stores those who wait and the items: a queue that anybody can
 * leave, and a ring. Nothing is decided here. */

#pragma once

#include "concur-channel-private.h"

#include <string.h>

#define FIRST_ROOM 8

static inline void
queue_push_locked (ConcurChannelWaiter **queue,
                   ConcurChannelWaiter  *waiter)
{
  ConcurChannelWaiter *first = *queue;

  waiter->queued = TRUE;
  waiter->next = NULL;
  if (first == NULL)
    {
      *queue = waiter->previous = waiter;
    }
  else
    {
      waiter->previous = first->previous;
      waiter->previous->next = waiter;
      first->previous = waiter;
    }
}

static inline void
queue_unlink_locked (ConcurChannelWaiter **queue,
                     ConcurChannelWaiter  *waiter)
{
  if (waiter == *queue)
    *queue = waiter->next;
  else
    waiter->previous->next = waiter->next;

  if (waiter->next != NULL)
    waiter->next->previous = waiter->previous;
  else if (*queue != NULL)
    (*queue)->previous = waiter->previous;

  waiter->queued = FALSE;
}

static inline void
ring_grow_locked (ConcurChannelCore *self)
{
  guint old_room = self->room;

  self->room = MAX (old_room * 2, FIRST_ROOM);
  /* A large one is not copied, but mapped elsewhere. */
  self->ring = g_renew (GValue, self->ring, self->room);
  /* It was full: what stood before the head follows now. */
  memcpy (self->ring + old_room, self->ring, self->head * sizeof (GValue));
}

static inline void
ring_put_locked (ConcurChannelCore *self,
                 const GValue      *value)
{
  if (G_UNLIKELY (self->n_items == self->room))
    ring_grow_locked (self);

  self->ring[(self->head + self->n_items) & (self->room - 1)] = *value;
  self->n_items++;
}

static inline void
ring_take_locked (ConcurChannelCore *self,
                  GValue            *values,
                  guint              n)
{
  guint until_end = MIN (n, self->room - self->head);

  memcpy (values, self->ring + self->head, until_end * sizeof (GValue));
  memcpy (values + until_end, self->ring, (n - until_end) * sizeof (GValue));
  self->head = (self->head + n) & (self->room - 1);
  self->n_items -= n;
}
