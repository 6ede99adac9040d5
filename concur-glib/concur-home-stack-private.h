/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How items come to a home, or to the queue of a main context: pushed by any thread, taken
 * all at once and in their order by one. A stack can be closed for good.
 *
 * Who takes them is a GSource. Its word "sleeping" says that nobody will look at the stack
 * unless the context is woken; as long as it does not, a push costs no wake-up. */

#pragma once

#include "concur-home-private.h"

G_BEGIN_DECLS

/* Head of a closed stack. */
#define CONCUR_HOME_CLOSED ((ConcurHomeItem *) 1)

typedef _Atomic (ConcurHomeItem *) ConcurHomeStack;

/* FALSE: closed, the item is still the caller's. */
static inline gboolean
concur_home_stack_push (ConcurHomeStack *stack,
                        ConcurHomeItem  *item)
{
  ConcurHomeItem *head = concur_atomic_load (stack, CONCUR_RELAXED);

  do
    {
      if (head == CONCUR_HOME_CLOSED)
        return FALSE;
      item->next = head;
    }
  /* Sequentially consistent with the store to sleeping in concur_home_stack_prepare ():
   * either it sees this item, or we see that it is asleep. */
  while (!concur_atomic_cas (stack, &head, item, CONCUR_SEQ_CST));

  return TRUE;
}

static inline gboolean
concur_home_stack_has_items (ConcurHomeStack *stack)
{
  ConcurHomeItem *head = concur_atomic_load (stack, CONCUR_SEQ_CST);

  return head != NULL && head != CONCUR_HOME_CLOSED;
}

/* Moves what is on the stack to the end of the list, oldest first. */
static inline void
concur_home_stack_take (ConcurHomeStack *stack,
                        ConcurHomeList  *list,
                        ConcurHomeItem  *leave)
{
  ConcurHomeItem *newest, *oldest = NULL, *last;

  /* Acquire: pairs with the push, whose item is read from here on. */
  newest = concur_atomic_exchange (stack, leave, CONCUR_ACQ_REL);
  if (newest == NULL || newest == CONCUR_HOME_CLOSED)
    return;

  last = newest;
  while (newest != NULL)
    {
      ConcurHomeItem *next = newest->next;

      newest->next = oldest;
      oldest = newest;
      newest = next;
    }

  *list->end = oldest;
  list->end = &last->next;
}

static inline ConcurHomeItem *
concur_home_list_shift (ConcurHomeList *list)
{
  ConcurHomeItem *item = list->first;

  if (item != NULL)
    {
      list->first = item->next;
      if (list->first == NULL)
        list->end = &list->first;
    }

  return item;
}

static inline void
concur_home_list_append (ConcurHomeList *list,
                         ConcurHomeItem *item)
{
  item->next = NULL;
  *list->end = item;
  list->end = &item->next;
}

/* For the source's prepare (), on the thread that takes. TRUE: there are items. */
static inline gboolean
concur_home_stack_prepare (ConcurWord *sleeping,
                           gboolean  (*has_items) (gpointer owner),
                           gpointer    owner)
{
  guint looks;

  if (has_items (owner))
    return TRUE;

  if (concur_atomic_load (sleeping, CONCUR_RELAXED))
    return FALSE;

  /* Busy a moment ago: what was asked for then is often about to arrive. */
  for (looks = CONCUR_YIELDS_BEFORE_PARKING; looks > 0; looks--)
    {
      concur_yield ();
      if (has_items (owner))
        return TRUE;
    }

  /* Sequentially consistent: pairs with concur_home_stack_push (). */
  concur_atomic_store (sleeping, 1, CONCUR_SEQ_CST);

  if (!CONCUR_PLANTED_BUG ("loop-without-look") && has_items (owner))
    {
      concur_atomic_store (sleeping, 0, CONCUR_RELAXED);
      return TRUE;
    }

  return FALSE;
}

/* After a push. The caller keeps @context. */
static inline void
concur_home_stack_wake (ConcurWord   *sleeping,
                        GMainContext *context)
{
  /* The load comes after the push: see there. Of many that push only one wakes. */
  if (concur_atomic_load (sleeping, CONCUR_SEQ_CST)
      && concur_atomic_exchange (sleeping, 0, CONCUR_ACQ_REL))
    g_main_context_wakeup (context);
}

G_END_DECLS
