/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* How items come home: pushed by any thread, taken all at once and in their order by one.
 * A stack can be closed for good. */

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
  /* Sequentially consistent with the store to sleeping in source_prepare (): either it
   * sees this item, or we see that it is asleep. */
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

G_END_DECLS
