/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The life of a loop thread: started, stopped, joined, and its owner dropped, from
 * several threads at once. Whoever waits for the end finds the thread gone, a stop is
 * never lost nor seen by the next run, and the owner outlives the thread. */

#include "config.h"

#include "concur-loop-state-private.h"
#include "explore-models.h"

typedef struct _LifeModel LifeModel;

typedef struct
{
  LifeModel *model;
  ConcurWord gone;
} LifeThread;

struct _LifeModel
{
  ConcurLoopLife life;
  ConcurWord kick; /* the loop is to drain */
  ConcurWord refs; /* of the owner */
  ConcurWord started_again;
  guint n_threads; /* that there are */
  guint n_began;
  guint n_failures; /* threads that still cannot be had */
  guint n_finalized;
  gboolean stops_itself;
};

static void
kick (LifeModel *model)
{
  concur_atomic_store (&model->kick, 1, CONCUR_SEQ_CST);
  concur_unpark_all (&model->kick);
}

static void
stop_run (LifeModel     *model,
          ConcurFuture **ended,
          guint         *run)
{
  switch (concur_loop_life_stop (&model->life, CONCUR_SHUTDOWN_DRAIN, ended, run))
    {
    case CONCUR_LOOP_STOP_DRAIN:
      kick (model);
      break;
    case CONCUR_LOOP_STOP_EARLY:
    case CONCUR_LOOP_STOP_NOTHING:
    case CONCUR_LOOP_STOP_STRENGTHEN:
      break;
    }
}

static void
stop_life (LifeModel *model)
{
  stop_run (model, NULL, NULL);
}

static void
unref_owner (LifeModel *model)
{
  guint32 refs = concur_atomic_load (&model->refs, CONCUR_ACQUIRE);

  for (;;)
    {
      if (refs > 1)
        {
          if (concur_atomic_cas (&model->refs, &refs, refs - 1, CONCUR_ACQ_REL))
            return;
          continue;
        }

      /* The thread gets the last one, if there is a thread. */
      if (concur_loop_life_owner_goes (&model->life) != CONCUR_LOOP_OWNER_FREE)
        {
          stop_life (model);
          return;
        }
      concur_atomic_store (&model->refs, 0, CONCUR_RELEASE);
      explore_check (model->n_finalized++ == 0);
      return;
    }
}

static void
loop_thread (gpointer data)
{
  LifeThread *thread = data;
  LifeModel *model = thread->model;
  ConcurFuture *ended;
  gboolean began;

  explore_check (model->n_threads++ == 0);

  began = concur_loop_life_began (&model->life);
  if (began)
    {
      model->n_began++;
      explore_check (!concur_loop_life_is_quitting (&model->life));
      if (model->stops_itself)
        stop_life (model);
      while (!concur_atomic_load (&model->kick, CONCUR_SEQ_CST))
        concur_park (&model->kick, 0, -1);
      /* It was for this run, and nobody else takes it back. */
      explore_check (concur_loop_life_get_state (&model->life) == CONCUR_LOOP_STATE_STOPPING);
      concur_atomic_store (&model->kick, 0, CONCUR_SEQ_CST);
    }
  concur_loop_life_drained (&model->life);
  explore_check (model->n_finalized == 0);

  if (concur_loop_life_ended (&model->life, &ended))
    unref_owner (model);
  concur_future_answer_boolean (ended, TRUE);
  g_object_unref (ended);

  model->n_threads--;
  concur_atomic_store (&thread->gone, 1, CONCUR_SEQ_CST);
  concur_unpark_all (&thread->gone);
}

static void
join_thread (LifeThread *thread)
{
  while (!concur_atomic_load (&thread->gone, CONCUR_SEQ_CST))
    concur_park (&thread->gone, 0, -1);
  g_free (thread);
}

static ConcurLoopStarted
start_life (LifeModel *model)
{
  ConcurFuture *ended = concur_plain_future_new ();
  ConcurLoopStart start;
  gpointer old_thread;
  guint run;

  while ((start = concur_loop_life_start (&model->life, FALSE, ended, &run, &old_thread))
         == CONCUR_LOOP_START_JOIN)
    {
      join_thread (old_thread);
      concur_loop_life_joined (&model->life);
    }

  if (start != CONCUR_LOOP_START_BEGIN)
    {
      g_object_unref (ended);
    }
  else if (model->n_failures > 0)
    {
      model->n_failures--;
      if (concur_loop_life_no_thread (&model->life, &ended))
        unref_owner (model);
      concur_future_answer_boolean (ended, FALSE);
      g_object_unref (ended);
    }
  else
    {
      LifeThread *thread = g_new0 (LifeThread, 1);

      thread->model = model;
      explore_spawn (loop_thread, thread);
      concur_loop_life_has_thread (&model->life, thread);
    }

  if (start == CONCUR_LOOP_START_RUNNING)
    return CONCUR_LOOP_STARTED;

  return concur_loop_life_wait_started (&model->life, run);
}

/* Takes over @ended. */
static void
wait_end (LifeModel    *model,
          ConcurFuture *ended,
          guint         run)
{
  LifeThread *thread;

  if (ended != NULL)
    {
      concur_future_wait (ended, -1);
      g_object_unref (ended);
    }

  thread = concur_loop_life_reap (&model->life, run);
  if (thread != NULL)
    {
      join_thread (thread);
      concur_loop_life_joined (&model->life);
    }
  explore_check (
      model->life.run != run
      || (model->life.thread == NULL && model->life.n_joining == 0 && model->n_threads == 0));
}

static void
join_life (LifeModel *model)
{
  guint run;
  ConcurFuture *ended = concur_loop_life_hold_end (&model->life, &run);

  wait_end (model, ended, run);
}

static gpointer
setup (void)
{
  LifeModel *model = g_new0 (LifeModel, 1);

  concur_loop_life_init (&model->life);
  concur_atomic_init (&model->refs, 1);
  explore_label (&model->life.lock, "life");
  explore_label (&model->life.state, "state");
  explore_label (&model->life.quit, "quit");
  explore_label (&model->kick, "kick");
  explore_label (&model->refs, "refs");
  explore_label (&model->started_again, "started again");

  return model;
}

static gpointer
setup_two_owners (void)
{
  LifeModel *model = setup ();

  concur_atomic_init (&model->refs, 2);

  return model;
}

static gpointer
setup_stops_itself (void)
{
  LifeModel *model = setup ();

  model->stops_itself = TRUE;

  return model;
}

static gpointer
setup_failure (void)
{
  LifeModel *model = setup ();

  model->n_failures = 1;

  return model;
}

static void
start_maybe (gpointer data)
{
  start_life (data);
}

static void
stop (gpointer data)
{
  stop_life (data);
}

static void
join (gpointer data)
{
  join_life (data);
}

static void
start_and_stop (gpointer data)
{
  start_life (data);
  stop_life (data);
  join_life (data);
}

static void
stop_and_join (gpointer data)
{
  stop_life (data);
  join_life (data);
}

static void
stop_and_restart (gpointer data)
{
  stop_life (data);
  start_and_stop (data);
}

/* The first stop comes back though somebody may start it again at once, and for good. */
static void
stop_one_run (gpointer data)
{
  LifeModel *model = data;
  ConcurFuture *ended;
  guint run;

  start_life (model);
  stop_run (model, &ended, &run);
  wait_end (model, ended, run);

  while (!concur_atomic_load (&model->started_again, CONCUR_SEQ_CST))
    concur_park (&model->started_again, 0, -1);
  stop_life (model);
  join_life (model);
}

static void
start_again (gpointer data)
{
  LifeModel *model = data;

  start_life (model);
  concur_atomic_store (&model->started_again, 1, CONCUR_SEQ_CST);
  concur_unpark_all (&model->started_again);
}

/* Nobody else stops it: so it does start. */
static void
start_alone (gpointer data)
{
  explore_check (start_life (data) == CONCUR_LOOP_STARTED);
}

static void
start_and_drop (gpointer data)
{
  start_life (data);
  unref_owner (data);
}

static void
stop_and_drop (gpointer data)
{
  stop_life (data);
  unref_owner (data);
}

static void
drop (gpointer data)
{
  unref_owner (data);
}

static void
finish (gpointer data)
{
  LifeModel *model = data;

  stop_life (model);
  explore_check (model->n_threads == 0);
  explore_check (concur_loop_life_get_state (&model->life) == CONCUR_LOOP_STATE_STOPPED);
  explore_check (model->life.ended == NULL && model->life.n_joining == 0);
}

static void
finish_owned (gpointer data)
{
  LifeModel *model = data;

  finish (data);
  explore_check (model->n_finalized == 1);
}

static void
finish_began (gpointer data)
{
  finish (data);
  explore_check (((LifeModel *) data)->n_began == 1);
}

static void
teardown (gpointer data)
{
  LifeModel *model = data;

  g_free (concur_loop_life_clear (&model->life));
  g_free (model);
}

#define LIFE_MODEL(prepare, check)                                                                 \
  .setup = prepare, .finish = check, .teardown = teardown, .thread_exit = concur_home_leave_thread

const ExploreModel explore_loop_thread_models[] = {
  {
      LIFE_MODEL (setup, finish),
      .name = "life-start-stop",
      .threads = { start_and_stop, stop_and_join },
      .bugs = { "life-join-unannounced" },
  },
  {
      LIFE_MODEL (setup, finish),
      .name = "life-restart",
      .threads = { start_and_stop, stop_and_restart },
      .bugs = { "life-began-after-stop" },
  },
  {
      LIFE_MODEL (setup, finish),
      .name = "life-stop-one-run",
      .threads = { stop_one_run, start_again },
  },
  {
      LIFE_MODEL (setup, finish),
      .name = "life-two-stops",
      .threads = { start_and_stop, stop, join },
  },
  {
      LIFE_MODEL (setup_stops_itself, finish_began),
      .name = "life-stops-itself",
      .threads = { start_alone, join },
      .more = 1,
  },
  {
      LIFE_MODEL (setup_failure, finish),
      .name = "life-no-thread",
      .threads = { start_maybe, stop_and_join },
      .more = 1,
  },
  {
      LIFE_MODEL (setup_failure, finish),
      .name = "life-no-thread-again",
      .threads = { start_and_stop, start_and_stop },
  },
  {
      LIFE_MODEL (setup_two_owners, finish_owned),
      .name = "life-owner-gone",
      .threads = { start_and_drop, stop_and_drop },
      .bugs = { "life-owner-of-stopping" },
  },
  {
      LIFE_MODEL (setup_two_owners, finish_owned),
      .name = "life-owner-dropped",
      .threads = { start_and_drop, drop },
  },
  { NULL },
};
