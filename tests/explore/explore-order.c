/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is touched, and what depends on what. Two operations at one place depend on each
 * other unless both only read; an operation happens after another if there is a chain of
 * dependence from one to the other. Kept in two forms:
 *
 *  - a hash of each operation and of all it happened after. Schedules with the same
 *    operations by these hashes differ only in the order of independent ones, so the
 *    sum of the hashes names the state.
 *  - vector clocks, to see which operations race: which depend on each other with
 *    nothing else that puts them in order. */

#include "config.h"

#include "explore-private.h"

#include <string.h>

#define N_OBJECTS 8192 /* a power of two */

static Object objects[N_OBJECTS];
static Object *by_number[N_OBJECTS / 2];

Object *
explore_object_at (const void *address)
{
  guint at = ((guint64) (guintptr) address * 0x9e3779b97f4a7c15u) >> 51;
  Object *object;

  G_STATIC_ASSERT (N_OBJECTS == 1 << (64 - 51));

  for (;; at = (at + 1) % N_OBJECTS)
    {
      object = &objects[at];
      if (object->generation != run.generation)
        break;
      if (object->address == address)
        return object;
    }

  if (run.n_objects == G_N_ELEMENTS (by_number))
    explore_fail ("the model touches too many addresses");

  memset (object, 0, sizeof *object);
  object->address = address;
  object->generation = run.generation;
  object->owner = -1;
  object->writer = -1;
  by_number[run.n_objects] = object;
  object->number = ++run.n_objects;
  return object;
}

/* What is parked at or waits for an address is another matter than what is stored
 * there. Nothing the library touches has an odd address. */
Object *
explore_queue_at (const void *address)
{
  return explore_object_at ((const char *) address + 1);
}

void
explore_label (const void *address,
               const char *label)
{
  if (run.active)
    {
      explore_object_at (address)->label = label;
      explore_queue_at (address)->label = label;
    }
}

static void
join (guint32       *clock,
      const guint32 *other)
{
  int i;

  for (i = 0; i < MAX_THREADS; i++)
    clock[i] = MAX (clock[i], other[i]);
}

/* The operation at @site came first, but need not have. */
static void
raced (Object *object,
       guint64 site)
{
  explore_set_racy (site);
  /* Had the other thread come first, it would have been to where the lock was taken. */
  if (object->taken_site != 0)
    explore_set_racy (object->taken_site);
}

static void
check_races (Thread *thread,
             Object *object,
             gboolean write)
{
  int i;

  if (object->writer >= 0 && object->writer != thread->id
      && object->write_time > thread->clock[object->writer])
    raced (object, object->write_site);

  for (i = 0; write && i < run.n_threads; i++)
    {
      if (i != thread->id && (object->readers & 1 << i)
          && object->read_times[i] > thread->clock[i])
        raced (object, object->read_sites[i]);
    }
}

static void
order (Thread  *thread,
       Object  *object,
       gboolean write)
{
  int id = thread->id;

  join (thread->clock, object->write_clock);
  if (write)
    join (thread->clock, object->read_clock);
  thread->clock[id]++;

  if (write)
    {
      memcpy (object->write_clock, thread->clock, sizeof thread->clock);
      memset (object->read_clock, 0, sizeof object->read_clock);
      object->writer = id;
      object->write_time = thread->clock[id];
      object->write_site = thread->pending;
      object->readers = 0;
    }
  else
    {
      join (object->read_clock, thread->clock);
      object->readers |= 1 << id;
      object->read_times[id] = thread->clock[id];
      object->read_sites[id] = thread->pending;
    }
}

static void
account (Thread  *thread,
         Object  *object,
         gboolean write)
{
  guint64 hash = explore_mix (thread->hash, object->written);
  int i;

  if (write)
    hash = explore_mix (hash, object->read);
  hash = explore_mix (hash, thread->pending);
  thread->hash = hash;
  run.sum += explore_mix (hash, 1);

  if (!write)
    {
      object->read += hash;
      return;
    }

  object->written = hash;
  object->read = 0;

  for (i = 0; i < run.n_threads; i++)
    run.threads[i].spins = 0;
}

void
explore_account (Thread  *thread,
                 Object  *object,
                 gboolean write)
{
  check_races (thread, object, write);
  order (thread, object, write);
  account (thread, object, write);
}

/* @thread was woken: that came from what was last done at @queue, and could not have
 * come before it. */
void
explore_account_woken (Thread *thread,
                       Object *queue)
{
  order (thread, queue, TRUE);
  account (thread, queue, TRUE);
}

/* Freeing depends on all that was done with the memory. */
void
explore_account_freed (gconstpointer memory,
                       gsize         size)
{
  Thread *self = explore_get_self ();
  guint i;

  if (self == NULL)
    return;

  for (i = 0; i < run.n_objects; i++)
    {
      if ((gsize) ((const char *) by_number[i]->address - (const char *) memory) < size)
        check_races (self, by_number[i], TRUE);
    }
}
