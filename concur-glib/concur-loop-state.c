/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-loop-state-private.h"

static ConcurLoopState
state_locked (ConcurLoopLife *self)
{
  return (ConcurLoopState) concur_atomic_load (&self->state, CONCUR_RELAXED);
}

static void
set_state_locked (ConcurLoopLife  *self,
                  ConcurLoopState  state)
{
  /* Release: pairs with get_state (). Who sees it running finds the queue open. */
  concur_atomic_store (&self->state, state, CONCUR_RELEASE);
  concur_cond_broadcast (&self->changed);
}

static void
wait_locked (ConcurLoopLife *self)
{
  concur_cond_wait_until (&self->changed, &self->lock, -1);
}

void
concur_loop_life_init (ConcurLoopLife *self)
{
  concur_lock_init (&self->lock);
  concur_cond_init (&self->changed);
  concur_atomic_init (&self->state, CONCUR_LOOP_STATE_STOPPED);
  concur_atomic_init (&self->quit, 0);
}

gpointer
concur_loop_life_clear (ConcurLoopLife *self)
{
  concur_cond_clear (&self->changed);
  concur_lock_clear (&self->lock);

  return g_steal_pointer (&self->thread);
}

ConcurLoopState
concur_loop_life_get_state (ConcurLoopLife *self)
{
  /* Acquire: pairs with set_state_locked (). */
  return (ConcurLoopState) concur_atomic_load (&self->state, CONCUR_ACQUIRE);
}

gboolean
concur_loop_life_is_running (ConcurLoopLife *self,
                             guint          *run)
{
  gboolean running;

  concur_lock_acquire (&self->lock);
  running = state_locked (self) == CONCUR_LOOP_STATE_RUNNING;
  *run = self->run;
  concur_lock_release (&self->lock);

  return running;
}

gboolean
concur_loop_life_is_quitting (ConcurLoopLife *self)
{
  /* Acquire: pairs with the store in drained (). */
  return concur_atomic_load (&self->quit, CONCUR_ACQUIRE) != 0;
}

ConcurLoopStart
concur_loop_life_start (ConcurLoopLife *self,
                        gboolean        inside,
                        ConcurFuture   *ended,
                        guint          *run,
                        gpointer       *old_thread)
{
  ConcurLoopStart start;

  concur_lock_acquire (&self->lock);
  for (;;)
    {
      ConcurLoopState state = state_locked (self);

      if (state == CONCUR_LOOP_STATE_RUNNING)
        {
          start = CONCUR_LOOP_START_RUNNING;
          break;
        }
      /* Who made the thread of the last run may not have handed it over yet. */
      if (state == CONCUR_LOOP_STATE_STOPPED && self->n_joining == 0)
        {
          start = self->thread != NULL ? CONCUR_LOOP_START_JOIN : CONCUR_LOOP_START_BEGIN;
          break;
        }
      if (inside)
        {
          start = CONCUR_LOOP_START_DEADLOCK;
          break;
        }
      if (state == CONCUR_LOOP_STATE_STARTING)
        {
          start = CONCUR_LOOP_START_WAIT;
          break;
        }
      wait_locked (self);
    }

  if (start == CONCUR_LOOP_START_JOIN)
    {
      self->n_joining++;
      *old_thread = g_steal_pointer (&self->thread);
    }
  else if (start == CONCUR_LOOP_START_BEGIN)
    {
      self->run++;
      self->n_joining++;
      self->ended = ended;
      self->mode = CONCUR_SHUTDOWN_DRAIN;
      /* Relaxed: only the thread reads it, which begins after this. */
      concur_atomic_store (&self->quit, 0, CONCUR_RELAXED);
      set_state_locked (self, CONCUR_LOOP_STATE_STARTING);
    }
  *run = self->run;
  concur_lock_release (&self->lock);

  return start;
}

void
concur_loop_life_has_thread (ConcurLoopLife *self,
                             gpointer        thread)
{
  concur_lock_acquire (&self->lock);
  /* The run may be over by now: who waits for its end waits for this too. */
  self->thread = thread;
  self->n_joining--;
  concur_cond_broadcast (&self->changed);
  concur_lock_release (&self->lock);
}

/* The run is over. */
static gboolean
end_locked (ConcurLoopLife  *self,
            ConcurFuture   **ended)
{
  gboolean owner_gone = self->owner_gone;

  self->owner_gone = FALSE;
  *ended = g_steal_pointer (&self->ended);
  set_state_locked (self, CONCUR_LOOP_STATE_STOPPED);

  return owner_gone;
}

gboolean
concur_loop_life_no_thread (ConcurLoopLife  *self,
                            ConcurFuture   **ended)
{
  gboolean owner_gone;

  concur_lock_acquire (&self->lock);
  self->failed_run = self->run;
  self->n_joining--;
  owner_gone = end_locked (self, ended);
  concur_lock_release (&self->lock);

  return owner_gone;
}

ConcurLoopStarted
concur_loop_life_wait_started (ConcurLoopLife *self,
                               guint           run)
{
  ConcurLoopStarted started;

  concur_lock_acquire (&self->lock);
  while (self->run == run && state_locked (self) == CONCUR_LOOP_STATE_STARTING)
    wait_locked (self);
  /* Runs may have come and gone since. */
  if (self->begun_run >= run)
    started = CONCUR_LOOP_STARTED;
  else if (self->failed_run == run)
    started = CONCUR_LOOP_NO_THREAD;
  else
    started = CONCUR_LOOP_NOT_STARTED;
  concur_lock_release (&self->lock);

  return started;
}

gboolean
concur_loop_life_began (ConcurLoopLife *self)
{
  gboolean began;

  concur_lock_acquire (&self->lock);
  began = state_locked (self) == CONCUR_LOOP_STATE_STARTING
          || CONCUR_PLANTED_BUG ("life-began-after-stop");
  if (began)
    {
      self->begun_run = self->run;
      set_state_locked (self, CONCUR_LOOP_STATE_RUNNING);
    }
  concur_lock_release (&self->lock);

  return began;
}

void
concur_loop_life_drained (ConcurLoopLife *self)
{
  /* Release: a loop of another language may look from elsewhere. */
  concur_atomic_store (&self->quit, 1, CONCUR_RELEASE);
}

gboolean
concur_loop_life_ended (ConcurLoopLife  *self,
                        ConcurFuture   **ended)
{
  gboolean owner_gone;

  concur_lock_acquire (&self->lock);
  owner_gone = end_locked (self, ended);
  concur_lock_release (&self->lock);

  return owner_gone;
}

static ConcurFuture *
dup_end_locked (ConcurLoopLife *self,
                guint          *run)
{
  *run = self->run;

  return self->ended != NULL ? g_object_ref (self->ended) : NULL;
}

ConcurLoopStop
concur_loop_life_stop (ConcurLoopLife      *self,
                       ConcurShutdownMode   mode,
                       ConcurFuture       **ended,
                       guint               *run)
{
  ConcurLoopStop stop = CONCUR_LOOP_STOP_NOTHING;

  concur_lock_acquire (&self->lock);
  switch (state_locked (self))
    {
    case CONCUR_LOOP_STATE_STOPPED:
      break;
    case CONCUR_LOOP_STATE_STARTING:
      set_state_locked (self, CONCUR_LOOP_STATE_STOPPING);
      stop = CONCUR_LOOP_STOP_EARLY;
      break;
    case CONCUR_LOOP_STATE_RUNNING:
      self->mode = mode;
      set_state_locked (self, CONCUR_LOOP_STATE_STOPPING);
      stop = CONCUR_LOOP_STOP_DRAIN;
      break;
    case CONCUR_LOOP_STATE_STOPPING:
      if (mode > self->mode && self->begun_run == self->run)
        {
          self->mode = mode;
          stop = CONCUR_LOOP_STOP_STRENGTHEN;
        }
      break;
    }
  if (ended != NULL)
    *ended = dup_end_locked (self, run);
  concur_lock_release (&self->lock);

  return stop;
}

ConcurShutdownMode
concur_loop_life_get_mode (ConcurLoopLife *self)
{
  ConcurShutdownMode mode;

  concur_lock_acquire (&self->lock);
  mode = self->mode;
  concur_lock_release (&self->lock);

  return mode;
}

ConcurFuture *
concur_loop_life_hold_end (ConcurLoopLife *self,
                           guint          *run)
{
  ConcurFuture *ended;

  concur_lock_acquire (&self->lock);
  ended = dup_end_locked (self, run);
  concur_lock_release (&self->lock);

  return ended;
}

gpointer
concur_loop_life_reap (ConcurLoopLife *self,
                       guint           run)
{
  gpointer thread = NULL;

  concur_lock_acquire (&self->lock);
  /* Whoever began the next run has joined the thread of this one. */
  while (self->run == run && self->thread == NULL && self->n_joining > 0)
    wait_locked (self);
  if (self->run == run && self->thread != NULL)
    {
      thread = g_steal_pointer (&self->thread);
      if (!CONCUR_PLANTED_BUG ("life-join-unannounced"))
        self->n_joining++;
    }
  concur_lock_release (&self->lock);

  return thread;
}

void
concur_loop_life_joined (ConcurLoopLife *self)
{
  concur_lock_acquire (&self->lock);
  if (!CONCUR_PLANTED_BUG ("life-join-unannounced"))
    self->n_joining--;
  concur_cond_broadcast (&self->changed);
  concur_lock_release (&self->lock);
}

ConcurLoopOwner
concur_loop_life_owner_goes (ConcurLoopLife *self)
{
  ConcurLoopOwner goes = CONCUR_LOOP_OWNER_FREE;

  concur_lock_acquire (&self->lock);
  if (state_locked (self) != CONCUR_LOOP_STATE_STOPPED
      && !(state_locked (self) == CONCUR_LOOP_STATE_STOPPING
           && CONCUR_PLANTED_BUG ("life-owner-of-stopping")))
    {
      goes = self->owner_gone ? CONCUR_LOOP_OWNER_WAS_KEPT : CONCUR_LOOP_OWNER_KEPT;
      self->owner_gone = TRUE;
    }
  concur_lock_release (&self->lock);

  return goes;
}
