/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The engine: runs the threads of a model one at a time and decides at each operation
 * of the synchronisation layer who goes on. A decision is made by the thread that has
 * the token, and it hands the token on. */

#include "config.h"

#include "explore-private.h"

#include <string.h>
#include <string.h>

#define DEFAULT_MAX_STEPS 5000
/* So often a thread may yield and still go on while another one could run and does not:
 * without changing anything, which must cover a loop that yields
 * CONCUR_YIELDS_BEFORE_PARKING times and then parks, and in all. */
#define MAX_IDLE_PASSES (CONCUR_YIELDS_BEFORE_PARKING + 1)
#define MAX_PASSES 12
/* So often it may look whether anything has changed while all others sleep. */
#define MAX_SPINS 10

Run run;

static int n_started;
static _Thread_local gboolean is_controller;
static _Thread_local Thread *self_thread;
const char explore_clock_address, explore_spawn_address;

Thread *
explore_get_self (void)
{
  if (self_thread != NULL && run.current != self_thread)
    explore_fail ("thread %d runs without the token", self_thread->id);
  if (self_thread == NULL && run.active && !is_controller)
    explore_fail ("a thread that is not of the model uses the synchronisation layer");

  return self_thread;
}

gboolean
explore_inside (void)
{
  return self_thread != NULL;
}

/* Fairness */

static gboolean
can_run (Thread *thread)
{
  return thread->state == THREAD_READY && (thread->wants == NULL || thread->wants->owner < 0);
}

/* FALSE: it has yielded so often that somebody else has to run first. (The fair
 * scheduler of Musuvathi and Qadeer, with more patience.) */
static gboolean
is_fair (Thread *thread)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      if ((thread->passed_idly[i] >= MAX_IDLE_PASSES || thread->passed[i] >= MAX_PASSES)
          && can_run (&run.threads[i]))
        return FALSE;
    }

  return TRUE;
}

static void
count_passed (Thread *self)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      if (i != self->id && can_run (&run.threads[i]))
        {
          self->passed[i]++;
          self->passed_idly[i]++;
        }
      else
        {
          self->passed[i] = 0;
          self->passed_idly[i] = 0;
        }
    }
}

void
explore_progressed (Thread *self)
{
  memset (self->passed_idly, 0, sizeof self->passed_idly);
}

static void
count_run (Thread *thread)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      run.threads[i].passed[thread->id] = 0;
      run.threads[i].passed_idly[thread->id] = 0;
    }
}

/* The record of what happened */

void
explore_step (Thread        *thread,
              StepKind       kind,
              Object        *object,
              gconstpointer *frame)
{
  Step *s;
  guint most = run.model->max_steps ? run.model->max_steps : DEFAULT_MAX_STEPS;

  if (run.n_steps >= MIN (most, MAX_STEPS))
    explore_fail ("livelock: no end after %u operations", run.n_steps);

  s = &run.steps[run.n_steps++];
  s->thread = thread->id;
  s->kind = kind;
  s->preempted = run.switched_from >= 0;
  s->object = object ? object->number : 0;
  s->label = object ? object->label : NULL;
  s->where = frame ? frame[1] : NULL;
  s->from = frame ? ((gconstpointer *) frame[0])[1] : NULL;
  run.switched_from = -1;
  if (kind != STEP_TIMEOUT && kind != STEP_SPURIOUS)
    count_run (thread);
}

/* Decisions */

static void
switch_to (Thread *self,
           Thread *next)
{
  if (next == self)
    return;

  run.current = next;
  explore_context_switch (self ? self->id : CONTROLLER, next->id);
}

static void
fire (Thread  *thread,
      StepKind kind)
{
  if (kind == STEP_TIMEOUT)
    {
      Object *clock = explore_object_at (&explore_clock_address);

      run.clock += EXPLORE_CLOCK_LEAP;
      thread->timed_out = TRUE;
      thread->pending = kind;
      explore_account (thread, clock, TRUE);
    }

  thread->pending = kind;
  explore_account (thread, thread->waits_on, TRUE);
  explore_step (thread, kind, thread->waits_on, NULL);
  thread->waits_on = NULL;
  thread->state = THREAD_READY;
}

/* Threads other than @self that may go on, beginning with the next one. */
static void
add_others (Options *list,
            Thread  *self)
{
  int first = self ? self->id + 1 : 0;
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *other = &run.threads[(first + i) % run.n_threads];

      if (other != self && can_run (other) && is_fair (other))
        explore_add_option (list, other->id, OPTION_RUN);
    }
}

static void
add_wakes (Options *list,
           gboolean spurious)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *other = &run.threads[i];

      if (other->state == THREAD_WAITING && other->timed)
        explore_add_option (list, i, OPTION_TIMEOUT);
      if (other->state == THREAD_WAITING && spurious)
        explore_add_option (list, i, OPTION_SPURIOUS);
    }
}

guint64
explore_flags_of_state (Thread  *self,
                        Thread  *graced,
                        gboolean yields)
{
  guint64 flags = explore_mix (self ? self->id : CONTROLLER, graced ? graced->id : CONTROLLER);
  guint64 passed;
  int i;

  G_STATIC_ASSERT (sizeof passed == sizeof run.threads[0].passed);

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *thread = &run.threads[i];

      flags = explore_mix (flags, thread->pending);
      flags = explore_mix (flags, (guint64) thread->spins << 32 | thread->state);
      memcpy (&passed, thread->passed, sizeof passed);
      flags = explore_mix (flags, passed);
      memcpy (&passed, thread->passed_idly, sizeof passed);
      flags = explore_mix (flags, passed);
    }

  return explore_mix (flags, yields);
}

static void G_GNUC_NORETURN
deadlock (void)
{
  GString *who = g_string_new (NULL);
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *thread = &run.threads[i];
      Object *object = thread->state == THREAD_WAITING ? thread->waits_on : thread->wants;

      if (thread->state == THREAD_ENDED)
        continue;
      g_string_append_printf (who, "%s thread %d %s ", who->len ? "," : "", i,
                              thread->state == THREAD_WAITING ? "sleeps at" : "wants lock");
      if (object->label)
        g_string_append (who, object->label);
      else
        g_string_append_printf (who, "#%u", object->number);
      if (thread->state == THREAD_READY)
        g_string_append_printf (who, " of thread %d", object->owner);
    }

  explore_fail ("deadlock:%s", who->str);
}

gboolean
explore_decide (Thread  *self,
                gboolean racy,
                gboolean yields)
{
  Thread *graced = NULL;

  /* Most operations. */
  if (self != NULL && !yields && (!racy || run.budget == 0) && can_run (self))
    {
      explore_choose_nothing ();
      return TRUE;
    }

  for (;;)
    {
      Options list = { .n = 0 };
      gboolean can_stay = self != NULL && can_run (self);
      gboolean may_preempt = racy && run.budget > 0;
      gboolean forced = FALSE;
      guint8 option;
      Thread *thread;

      /* Had it come first, the other one would have found the lock taken. */
      if (self != NULL && self->state == THREAD_READY && self->wants != NULL
          && self->wants->owner >= 0)
        explore_set_racy (self->wants->taken_site);

      if (can_stay && !yields)
        explore_add_option (&list, self->id, OPTION_RUN);
      if (!can_stay || yields || may_preempt)
        add_others (&list, self);
      else if (graced != NULL && can_run (graced))
        explore_add_option (&list, graced->id, OPTION_RUN);
      if (yields && is_fair (self))
        explore_add_option (&list, self->id, OPTION_RUN);
      /* It may be spinning for somebody who waits for time to pass. */
      if (yields && self->spins > MAX_SPINS && list.n == 1 && list.options[0] == self->id)
        list.n = 0;

      if (list.n == 0)
        {
          add_wakes (&list, FALSE);
          forced = TRUE;
          if (list.n == 0 && can_stay)
            explore_add_option (&list, self->id, OPTION_RUN);
        }
      else if (run.budget > 0 && (racy || !can_stay))
        {
          add_wakes (&list, run.model->spurious);
        }

      if (list.n == 0)
        {
          int i;

          for (i = 0; i < run.n_threads; i++)
            {
              if (run.threads[i].state != THREAD_ENDED)
                deadlock ();
            }

          return FALSE;
        }

      option = list.options[explore_choose (&list, self, graced, yields)];
      thread = &run.threads[option & OPTION_THREAD_MASK];

      if ((option & OPTION_KIND_MASK) != OPTION_RUN)
        {
          if (!forced)
            run.budget--;
          fire (thread, (option & OPTION_KIND_MASK) == OPTION_TIMEOUT ? STEP_TIMEOUT
                                                                      : STEP_SPURIOUS);
          /* It may go on at once or be overtaken once more: both have been paid for. */
          graced = thread;
          continue;
        }

      if (thread != self && can_stay && !yields)
        {
          if (thread != graced)
            run.budget--;
          run.switched_from = self->id;
        }
      switch_to (self, thread);

      return TRUE;
    }
}

/* What a yield does. */
void
explore_let_others (Thread *self)
{
  count_passed (self);
  self->spins++;
  explore_decide (self, TRUE, TRUE);
}

/* Threads */

/* Each turn is a thread of one schedule. */
void
explore_thread_main (Thread *self)
{
  for (;;)
    {
      self_thread = self;
      explore_memory_enter (TRUE);
      self->func (self->data);
      if (run.model->thread_exit)
        run.model->thread_exit ();
      explore_memory_enter (FALSE);
      self_thread = NULL;
      self->state = THREAD_ENDED;
      explore_step (self, STEP_END, NULL, NULL);
      if (!explore_decide (self, TRUE, FALSE))
        explore_context_switch (self->id, CONTROLLER);
    }
}

void
explore_spawn (ExploreFunc func,
               gpointer    data)
{
  Thread *self = explore_get_self ();
  Thread *thread;

  if (!run.active || (run.current == NULL && run.n_steps > 0))
    explore_fail ("a thread is started when the schedule has ended");

  if (self != NULL)
    explore_point_spawn (self, (gconstpointer *) EXPLORE_FRAME);

  if (run.n_threads == MAX_THREADS)
    explore_fail ("the model starts more than %d threads", MAX_THREADS);

  thread = &run.threads[run.n_threads];
  thread->id = run.n_threads++;
  thread->func = func;
  thread->data = data;
  thread->state = THREAD_READY;
  thread->hash = explore_mix (self ? self->hash : 0, thread->id + 1);
  if (self != NULL)
    memcpy (thread->clock, self->clock, sizeof thread->clock);

  if (thread->id == n_started)
    {
      explore_context_start (thread->id);
      n_started++;
    }
}

/* One schedule from setup to teardown, as explore_choose () says. */
void
explore_run_schedule (void)
{
  const ExploreModel *model = run.model;
  gpointer data = NULL;
  int i;

  for (i = 0; i < MAX_THREADS; i++)
    run.threads[i] = (Thread){ .id = i };
  is_controller = TRUE;
  run.n_threads = 0;
  run.current = NULL;
  run.switched_from = -1;
  run.clock = G_USEC_PER_SEC;
  run.sum = 0;
  run.n_objects = 0;
  run.n_steps = 0;
  run.generation++;
  run.active = TRUE;

  explore_memory_enter (TRUE);
  if (model->setup)
    data = model->setup ();
  for (i = 0; i < MAX_THREADS && model->threads[i]; i++)
    explore_spawn (model->threads[i], data);

  explore_decide (NULL, TRUE, FALSE);
  run.current = NULL;

  if (model->finish)
    model->finish (data);
  if (model->teardown)
    model->teardown (data);
  explore_memory_enter (FALSE);
  run.active = FALSE;
}
