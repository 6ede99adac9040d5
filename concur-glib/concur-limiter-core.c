/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The permits of a limiter and the line of those who wait.
 *
 * Whatever may have made somebody's turn come — a permit is back, there are more of them,
 * time has passed — ends with a look at the head of the line, under the same lock. So
 * between two such calls nobody waits who could go, but for one reason: time passes by
 * itself. For that there is an alarm when the rate alone keeps the first one waiting. Alarms
 * are never taken back: one too many is a look in vain. */

#include "config.h"

#include "concur-limiter-private.h"
#include "concur-timer-private.h"

#define NEVER G_MAXINT64

typedef struct
{
  ConcurTimer timer;
  ConcurLimiterCore *core; /* (owned) */
  gint64 due;
} Alarm;

/* What was decided under the lock and is to be done without it. */
typedef struct
{
  ConcurLimiterWaiter *first; /* off the queue, in their order */
  ConcurLimiterWaiter *last;
  gint64 due;                 /* of an alarm to start, or NEVER */
} Decided;

#define NOTHING_DECIDED { NULL, NULL, NEVER }

static void core_act (ConcurLimiterCore *self,
                      Decided           *decided,
                      const GError      *error);

ConcurLimiterCore *
concur_limiter_core_new (guint  permits,
                         guint  rate,
                         gint64 period)
{
  ConcurLimiterCore *self = g_new0 (ConcurLimiterCore, 1);

  concur_lock_init (&self->lock);
  self->permits = permits;
  self->rate = rate;
  self->period = period;
  self->alarm_due = NEVER;
  concur_atomic_init (&self->refs, 1);

  return self;
}

ConcurLimiterCore *
concur_limiter_core_ref (ConcurLimiterCore *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

void
concur_limiter_core_unref (ConcurLimiterCore *self)
{
  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  concur_rate_window_clear (&self->window);
  concur_lock_clear (&self->lock);
  g_free (self);
}

static void
unlink_locked (ConcurLimiterCore   *self,
               ConcurLimiterWaiter *waiter)
{
  if (waiter->previous != NULL)
    waiter->previous->next = waiter->next;
  else
    self->first = waiter->next;
  if (waiter->next != NULL)
    waiter->next->previous = waiter->previous;
  else
    self->last = waiter->previous;
  waiter->next = waiter->previous = NULL;
  self->n_waiting--;
}

static void
append_locked (ConcurLimiterCore   *self,
               ConcurLimiterWaiter *waiter)
{
  waiter->status = CONCUR_LIMITER_WAITING;
  waiter->next = NULL;
  waiter->previous = self->last;
  if (self->last != NULL)
    self->last->next = waiter;
  else
    self->first = waiter;
  self->last = waiter;
  self->n_waiting++;
}

/* @now: the time, if there is a rate; it is asked for once. @due: when it is time alone that
 * is missing. */
static gboolean
has_turn_locked (ConcurLimiterCore *self,
                 gint64            *now,
                 gint64            *due)
{
  gint64 next;

  if (self->permits > 0 && self->n_by_hand + self->n_at_work >= self->permits)
    return FALSE;
  if (self->rate == 0)
    return TRUE;

  if (*now < 0)
    *now = concur_now ();
  next = concur_rate_window_next (&self->window, self->rate, self->period, *now);
  if (next <= *now)
    return TRUE;
  *due = next;

  return FALSE;
}

static void
grant_locked (ConcurLimiterCore   *self,
              ConcurLimiterWaiter *waiter,
              gint64               now)
{
  waiter->status = CONCUR_LIMITER_GRANTED;
  if (self->rate > 0)
    concur_rate_window_add (&self->window, now);
  if (waiter->kind->is_job)
    self->n_at_work++;
  else if (!self->orphaned)
    self->n_by_hand++;
}

static void
decide_for (Decided             *decided,
            ConcurLimiterWaiter *waiter)
{
  if (decided->last != NULL)
    decided->last->next = waiter;
  else
    decided->first = waiter;
  decided->last = waiter;
}

static gboolean
claim (ConcurLimiterWaiter *waiter)
{
  return waiter->kind->claim == NULL || waiter->kind->claim (waiter);
}

/* Whose turn it is. */
static void
decide_locked (ConcurLimiterCore *self,
               Decided           *decided)
{
  gint64 now = -1, due = NEVER;

  while (self->first != NULL && has_turn_locked (self, &now, &due))
    {
      ConcurLimiterWaiter *waiter = self->first;

      unlink_locked (self, waiter);
      waiter->claimed = claim (waiter);
      if (waiter->claimed)
        grant_locked (self, waiter, now);
      else
        waiter->status = CONCUR_LIMITER_OUT;
      decide_for (decided, waiter);
      /* As if the turn of who was cancelled did not pass on. */
      if (!waiter->claimed && CONCUR_PLANTED_BUG ("limiter-swallows"))
        break;
    }

  if (self->first != NULL && due < self->alarm_due)
    decided->due = self->alarm_due = due;
}

/* Nobody would ever come to those who wait. */
static void
core_fail (ConcurLimiterCore *self,
           GError            *error)
{
  Decided decided = NOTHING_DECIDED;

  concur_lock_acquire (&self->lock);
  self->alarm_due = NEVER;
  while (self->first != NULL)
    {
      ConcurLimiterWaiter *waiter = self->first;

      unlink_locked (self, waiter);
      waiter->claimed = claim (waiter);
      waiter->status = CONCUR_LIMITER_OUT;
      decide_for (&decided, waiter);
    }
  concur_lock_release (&self->lock);

  core_act (self, &decided, error);
  g_error_free (error);
}

static void
alarm_fired (ConcurTimer *timer)
{
  Alarm *alarm = (Alarm *) timer;
  ConcurLimiterCore *self = alarm->core;
  Decided decided = NOTHING_DECIDED;

  concur_lock_acquire (&self->lock);
  /* Another one may have been set for an earlier time meanwhile. */
  if (self->alarm_due == alarm->due)
    self->alarm_due = NEVER;
  decide_locked (self, &decided);
  concur_lock_release (&self->lock);

  g_free (alarm);
  core_act (self, &decided, NULL);
  concur_limiter_core_unref (self);
}

static void
core_set_alarm (ConcurLimiterCore *self,
                gint64             due)
{
  Alarm *alarm = g_new0 (Alarm, 1);
  GError *error = NULL;

  alarm->core = concur_limiter_core_ref (self);
  alarm->due = due;
  if (concur_timer_start (&alarm->timer, due, alarm_fired, &error))
    return;

  g_free (alarm);
  core_fail (self, error);
  concur_limiter_core_unref (self);
}

/* The caller holds @self, until somebody is told. */
static void
core_act (ConcurLimiterCore *self,
          Decided           *decided,
          const GError      *error)
{
  ConcurLimiterWaiter *waiter, *next;

  if (decided->due != NEVER)
    core_set_alarm (self, decided->due);

  for (waiter = decided->first; waiter != NULL; waiter = next)
    {
      next = waiter->next;
      waiter->next = NULL;
      waiter->kind->told (waiter, waiter->claimed, error);
    }
}

ConcurLimiterStatus
concur_limiter_core_enter (ConcurLimiterCore   *self,
                           ConcurLimiterWaiter *waiter,
                           gboolean             wait)
{
  Decided decided = NOTHING_DECIDED;
  ConcurLimiterStatus status;
  gint64 now = -1, due = NEVER;

  concur_lock_acquire (&self->lock);
  if (waiter->status == CONCUR_LIMITER_OUT)
    {
      status = CONCUR_LIMITER_OUT;
    }
  else if (self->first == NULL && has_turn_locked (self, &now, &due))
    {
      grant_locked (self, waiter, now);
      status = CONCUR_LIMITER_GRANTED;
    }
  else if (wait)
    {
      append_locked (self, waiter);
      status = CONCUR_LIMITER_WAITING;
    }
  else
    {
      status = waiter->status = CONCUR_LIMITER_OUT;
    }
  /* Not only for an alarm: time may have passed that nobody was told of. */
  if (self->first != NULL)
    decide_locked (self, &decided);
  concur_lock_release (&self->lock);

  core_act (self, &decided, NULL);

  return status;
}

ConcurLimiterStatus
concur_limiter_core_leave (ConcurLimiterCore   *self,
                           ConcurLimiterWaiter *waiter)
{
  Decided decided = NOTHING_DECIDED;
  ConcurLimiterStatus before;

  concur_lock_acquire (&self->lock);
  before = waiter->status;
  waiter->status = CONCUR_LIMITER_OUT;
  if (before == CONCUR_LIMITER_WAITING)
    {
      unlink_locked (self, waiter);
    }
  else if (before == CONCUR_LIMITER_GRANTED)
    {
      self->n_at_work--;
      decide_locked (self, &decided);
    }
  concur_lock_release (&self->lock);

  core_act (self, &decided, NULL);

  return before;
}

gboolean
concur_limiter_core_release (ConcurLimiterCore *self)
{
  Decided decided = NOTHING_DECIDED;
  gboolean had_one;

  concur_lock_acquire (&self->lock);
  had_one = self->n_by_hand > 0;
  if (had_one)
    {
      self->n_by_hand--;
      if (!CONCUR_PLANTED_BUG ("limiter-no-look"))
        decide_locked (self, &decided);
    }
  concur_lock_release (&self->lock);

  core_act (self, &decided, NULL);

  return had_one;
}

void
concur_limiter_core_orphan (ConcurLimiterCore *self)
{
  Decided decided = NOTHING_DECIDED;

  concur_lock_acquire (&self->lock);
  self->orphaned = TRUE;
  self->n_by_hand = 0;
  decide_locked (self, &decided);
  concur_lock_release (&self->lock);

  core_act (self, &decided, NULL);
}

void
concur_limiter_core_set (ConcurLimiterCore    *self,
                         ConcurLimiterSetting  setting,
                         gint64                value)
{
  Decided decided = NOTHING_DECIDED;

  concur_lock_acquire (&self->lock);
  switch (setting)
    {
    case CONCUR_LIMITER_PERMITS:
      self->permits = (guint) value;
      break;
    case CONCUR_LIMITER_RATE:
      self->rate = (guint) value;
      if (self->rate == 0)
        concur_rate_window_clear (&self->window);
      break;
    case CONCUR_LIMITER_PERIOD:
      self->period = value;
      break;
    }
  decide_locked (self, &decided);
  concur_lock_release (&self->lock);

  core_act (self, &decided, NULL);
}
