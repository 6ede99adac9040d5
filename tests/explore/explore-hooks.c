/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The hooks of the synchronisation layer. Locks, conditions and parked threads exist
 * only here; the real ones are never touched. On the controller, where nobody competes,
 * the hooks only keep the books. */

#include "config.h"

#include "explore-private.h"

#ifndef EXPLORE_FRAMES
gconstpointer explore_no_frame[2] = { explore_no_frame, NULL };
#endif

/* Which operation it is, as far as the code tells. */
static guint64
site_of (StepKind       kind,
         gconstpointer *frame)
{
  return explore_mix (explore_mix (kind, (guintptr) frame[1]),
                      (guintptr) ((gconstpointer *) frame[0])[1]);
}

/* Before each operation of @self. */
static void
point (Thread        *self,
       StepKind       kind,
       Object        *object,
       gconstpointer *frame)
{
  if (kind < STEP_UNPARK_ONE && explore_memory_is_freed (object->address))
    {
      explore_step (self, kind, object, frame);
      explore_fail ("thread %d uses memory that was freed", self->id);
    }

  self->pending = site_of (kind, frame);
  self->wants = kind == STEP_LOCK ? object : NULL;
  explore_decide (self, explore_is_racy (self->pending), FALSE);
  self->wants = NULL;
  explore_step (self, kind, object, frame);
}

void
explore_point_spawn (Thread        *self,
                     gconstpointer *frame)
{
  Object *spawning = explore_object_at (&explore_spawn_address);

  point (self, STEP_SPAWN, spawning, frame);
  explore_account (self, spawning, TRUE);
}

/* Sleeps until somebody wakes it. */
static gboolean
sleep_on (Thread  *self,
          Object  *queue,
          Object  *lock,
          gboolean timed)
{
  self->state = THREAD_WAITING;
  self->waits_on = queue;
  self->wants = lock;
  self->timed = timed;
  self->timed_out = FALSE;
  explore_decide (self, TRUE, FALSE);
  self->wants = NULL;

  return !self->timed_out;
}

static void
wake (Thread  *self,
      Object  *queue,
      gboolean all)
{
  for (;;)
    {
      Options list = { .n = 0 };
      Thread *thread;
      int i;

      for (i = 0; i < run.n_threads; i++)
        {
          thread = &run.threads[i];
          if (thread->state == THREAD_WAITING && thread->waits_on == queue)
            explore_add_option (&list, i, OPTION_WAKE);
        }

      if (list.n == 0)
        return;

      /* Which one it is, is not ours to say. */
      i = all ? 0 : explore_choose (&list, self, NULL, FALSE);
      thread = &run.threads[list.options[i] & OPTION_THREAD_MASK];
      /* Its time might have been up just before. */
      if (thread->timed || run.model->spurious)
        explore_set_racy (self->pending);
      thread->pending = STEP_WAKE_ONE;
      explore_account_woken (thread, queue);
      thread->state = THREAD_READY;
      thread->waits_on = NULL;

      if (!all)
        return;
    }
}

void
concur_explore_point (ConcurSyncOp op,
                      const void  *address)
{
  Thread *self = explore_get_self ();
  Object *object;

  if (!run.active)
    return;

  object = explore_object_at (address);
  if (self == NULL)
    return;

  point (self, (StepKind) op, object, EXPLORE_FRAME);
  explore_account (self, object, op != CONCUR_SYNC_LOAD);
  if (op != CONCUR_SYNC_LOAD)
    explore_progressed (self);
}

void
concur_explore_yield (void)
{
  Thread *self = explore_get_self ();

  if (self == NULL)
    return;

  self->pending = site_of (STEP_YIELD, EXPLORE_FRAME_OF_WRAPPER);
  self->hash = explore_mix (self->hash, self->pending);
  run.sum += explore_mix (self->hash, 1);
  explore_step (self, STEP_YIELD, NULL, EXPLORE_FRAME_OF_WRAPPER);
  explore_let_others (self);
}

static void
take_lock (Thread *self,
           Object *lock)
{
  if (self != NULL)
    {
      explore_account (self, lock, TRUE);
      lock->taken_site = self->pending;
    }
  lock->owner = self ? self->id : CONTROLLER;
}

void
concur_explore_lock (void *address)
{
  Thread *self = explore_get_self ();
  Object *lock;

  if (!run.active)
    return;

  lock = explore_object_at (address);
  if (lock->owner == (self ? self->id : CONTROLLER))
    explore_fail ("a lock is taken twice by the same thread");
  if (self == NULL && lock->owner >= 0)
    explore_fail ("thread %d has ended with a lock", lock->owner);

  if (self != NULL)
    point (self, STEP_LOCK, lock, EXPLORE_FRAME_OF_WRAPPER);
  take_lock (self, lock);
}

gboolean
concur_explore_trylock (void *address)
{
  Thread *self = explore_get_self ();
  Object *lock;

  if (!run.active)
    return TRUE;

  lock = explore_object_at (address);
  if (self != NULL)
    point (self, STEP_TRYLOCK, lock, EXPLORE_FRAME_OF_WRAPPER);

  if (lock->owner >= 0)
    {
      if (self != NULL)
        explore_account (self, lock, FALSE);
      return FALSE;
    }

  take_lock (self, lock);

  return TRUE;
}

void
concur_explore_unlock (void *address)
{
  Thread *self = explore_get_self ();
  Object *lock;

  if (!run.active)
    return;

  lock = explore_object_at (address);
  if (lock->owner != (self ? self->id : CONTROLLER))
    explore_fail ("a lock is released by a thread that does not hold it");

  if (self != NULL)
    {
      point (self, STEP_UNLOCK, lock, EXPLORE_FRAME_OF_WRAPPER);
      explore_account (self, lock, TRUE);
    }
  lock->owner = -1;
}

gboolean
concur_explore_cond_wait (void    *cond,
                          void    *address,
                          gboolean timed)
{
  Thread *self = explore_get_self ();
  Object *queue, *lock;
  gboolean in_time;

  if (!run.active)
    return FALSE;
  if (self == NULL)
    explore_fail ("the controller would have to wait for a condition");

  queue = explore_queue_at (cond);
  lock = explore_object_at (address);
  if (lock->owner != self->id)
    explore_fail ("a condition is waited for without its lock");

  point (self, STEP_WAIT, queue, EXPLORE_FRAME_OF_WRAPPER);
  explore_account (self, queue, TRUE);
  explore_account (self, lock, TRUE);
  lock->owner = -1;
  in_time = sleep_on (self, queue, lock, timed);
  take_lock (self, lock);

  return in_time;
}

static void
wake_at (const void    *address,
         gboolean       all,
         StepKind       kind,
         gconstpointer *frame)
{
  Thread *self = explore_get_self ();
  Object *queue;

  if (!run.active || self == NULL)
    return;

  queue = explore_queue_at (address);
  point (self, kind, queue, frame);
  explore_account (self, queue, TRUE);
  wake (self, queue, all);
}

void
concur_explore_cond_wake (void    *cond,
                          gboolean all)
{
  wake_at (cond, all, all ? STEP_WAKE_ALL : STEP_WAKE_ONE, EXPLORE_FRAME_OF_WRAPPER);
}

void
concur_explore_unpark (const void *word,
                       gboolean    all)
{
  wake_at (word, all, all ? STEP_UNPARK_ALL : STEP_UNPARK_ONE, EXPLORE_FRAME_OF_WRAPPER);
}

gboolean
concur_explore_park (const void *word,
                     gboolean  (*unchanged) (const void *word,
                                             guint32     expected),
                     guint32     expected,
                     gboolean    timed)
{
  Thread *self = explore_get_self ();
  Object *object, *queue;

  if (!run.active)
    return FALSE;
  if (self == NULL)
    {
      if (!unchanged (word, expected))
        return TRUE;
      if (!timed)
        explore_fail ("the controller would have to park");
      run.clock += EXPLORE_CLOCK_LEAP;
      return FALSE;
    }

  object = explore_object_at (word);
  queue = explore_queue_at (word);
  point (self, STEP_PARK, object, EXPLORE_FRAME_OF_WRAPPER);
  explore_account (self, object, FALSE);
  if (!unchanged (word, expected))
    {
      run.steps[run.n_steps - 1].kind = STEP_PARK_REFUSED;
      return TRUE;
    }

  explore_account (self, queue, TRUE);

  return sleep_on (self, queue, NULL, timed);
}

gint64
concur_explore_now (void)
{
  Thread *self = explore_get_self ();

  if (run.active && self != NULL)
    {
      Object *object = explore_object_at (&explore_clock_address);

      point (self, STEP_NOW, object, EXPLORE_FRAME_OF_WRAPPER);
      explore_account (self, object, FALSE);
    }

  return run.clock;
}

gboolean
concur_explore_bug (const char *name)
{
  if (run.bug == NULL || !g_str_equal (run.bug, name))
    return FALSE;

  run.bug_reached = TRUE;

  return TRUE;
}

