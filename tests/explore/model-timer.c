/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Timers: each start comes to one stop or to one call, the thread that sleeps is woken by
 * one that is due before, and a delay that is forgotten while its timer fires is either
 * done or gone. */

#include "config.h"

#include "concur-combine.h"
#include "concur-future-private.h"
#include "concur-timer-private.h"
#include "explore-models.h"

typedef struct
{
  ConcurTimer timer;
  ConcurTimer other;
  ConcurTimer end;
  gboolean go_on;         /* the timer thread, until the end */
  ConcurWord users;       /* the last one lets it end */
  guint n_started;
  guint n_stopped;
  guint n_fired;
  ConcurFuture *future;
} TimerModel;

static TimerModel *model;

static void
end_fire (ConcurTimer *timer)
{
  /* After one that was started again meanwhile: nobody else is there any more. */
  if (model->timer.position > 0)
    concur_timer_start (timer, 0, end_fire, NULL);
  else
    model->go_on = FALSE;
}

static void
timer_fire (ConcurTimer *timer)
{
  model->n_fired++;
}

static void
again_fire (ConcurTimer *timer)
{
  if (model->n_fired++ == 0)
    {
      model->n_started++;
      concur_timer_start (timer, 0, again_fire, NULL);
    }
}

static void
user_leaves (void)
{
  if (concur_atomic_sub (&model->users, 1, CONCUR_ACQ_REL) == 1)
    concur_timer_start (&model->end, 0, end_fire, NULL);
}

static gpointer
setup_users (guint users)
{
  model = g_new0 (TimerModel, 1);
  model->go_on = TRUE;
  concur_atomic_init (&model->users, users);
  explore_label (&model->users, "users");

  return model;
}

static gpointer
setup_one (void)
{
  return setup_users (1);
}

static gpointer
setup_two (void)
{
  return setup_users (2);
}

static void
serve (gpointer data)
{
  concur_timer_run (&model->go_on);
}

static void
start_and_stop (gpointer data)
{
  model->n_started++;
  concur_timer_start (&model->timer, 1000, timer_fire, NULL);
  model->n_stopped += concur_timer_stop (&model->timer) ? 1 : 0;
  user_leaves ();
}

static void
start_and_stop_again (gpointer data)
{
  model->n_started++;
  concur_timer_start (&model->timer, 0, again_fire, NULL);
  model->n_stopped += concur_timer_stop (&model->timer) ? 1 : 0;
  user_leaves ();
}

static void
start_only (gpointer data)
{
  model->n_started++;
  concur_timer_start (&model->other, 0, timer_fire, NULL);
  user_leaves ();
}

static void
delay_forgotten (gpointer data)
{
  ConcurFuture *future = concur_future_delay (1000);

  g_object_unref (future);
  user_leaves ();
}

static void
cancel_other (gpointer data)
{
  concur_future_cancel (model->future, CONCUR_CANCEL_NONE);
  g_object_unref (model->future);
  user_leaves ();
}

static void
delay_cancelled (gpointer data)
{
  ConcurFuture *future = concur_future_delay (1000);

  model->future = g_object_ref (future);
  explore_spawn (cancel_other, data);
  g_object_unref (future);
  user_leaves ();
}

static void
delay_awaited (gpointer data)
{
  ConcurFuture *future = concur_future_delay (1000);

  explore_check (concur_future_park_until (future, -1));
  g_object_unref (future);
  user_leaves ();
}

static void
finish (gpointer data)
{
  explore_check (model->n_fired + model->n_stopped == model->n_started);
  explore_check (model->timer.position == 0 && model->end.position == 0);
}

#define TIMER_MODEL(prepare)                                                                       \
  .setup = prepare, .finish = finish, .teardown = g_free, .thread_exit = concur_home_leave_thread

const ExploreModel explore_timer_models[] = {
  {
    TIMER_MODEL (setup_one),
    .name = "timer-stop",
    .threads = { serve, start_and_stop },
    .bugs = { "timer-taken-later" },
    .more = 1,
  },
  {
    TIMER_MODEL (setup_one),
    .name = "timer-again",
    .threads = { serve, start_and_stop_again },
    .more = 1,
  },
  {
    TIMER_MODEL (setup_two),
    .name = "timer-wake",
    .threads = { serve, start_only, start_and_stop },
    .bugs = { "timer-no-wake" },
  },
  {
    TIMER_MODEL (setup_one),
    .name = "delay-forgotten",
    .threads = { serve, delay_forgotten },
    .bugs = { "delay-no-await" },
    .more = 1,
  },
  {
    TIMER_MODEL (setup_two),
    .name = "delay-cancelled",
    .threads = { serve, delay_cancelled },
  },
  {
    TIMER_MODEL (setup_one),
    .name = "delay-awaited",
    .threads = { serve, delay_awaited },
    .more = 1,
  },
  { NULL },
};
