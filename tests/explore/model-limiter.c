/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Permits: given back, asked for, cancelled and changed in number all at once. None is lost
 * or given twice, and in the end nobody waits while there is one. */

#include "config.h"

#include "concur-executor.h"
#include "concur-future-private.h"
#include "concur-limiter-private.h"
#include "concur-timer-private.h"
#include "explore-models.h"

/* Runs what it is given on the spot: the thread that gives the permit runs the job. */
typedef struct
{
  GObject parent_instance;
} LimiterExecutor;

typedef GObjectClass LimiterExecutorClass;

static GType limiter_executor_get_type (void);
static void  limiter_executor_iface    (ConcurExecutorInterface *iface);

G_DEFINE_TYPE_WITH_CODE (LimiterExecutor, limiter_executor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, limiter_executor_iface))

typedef struct
{
  ConcurLimiter *limiter;
  ConcurExecutor *executor;
  ConcurFuture *futures[2];
  ConcurTimer end;
  gboolean go_on;         /* the timer thread, until the end */
  guint n_inside;
  guint n_run;
  guint n_destroyed;
} LimiterModel;

static LimiterModel *model;

static void
limiter_executor_execute (ConcurExecutor *executor,
                          ConcurJob      *job)
{
  concur_job_execute (job);
}

static void
limiter_executor_iface (ConcurExecutorInterface *iface)
{
  iface->execute = limiter_executor_execute;
}

static void
limiter_executor_class_init (LimiterExecutorClass *klass)
{
}

static void
limiter_executor_init (LimiterExecutor *self)
{
}

static gpointer
setup_none (void)
{
  g_type_ensure (CONCUR_TYPE_JOB);
  model = g_new0 (LimiterModel, 1);
  model->executor = g_object_new (limiter_executor_get_type (), NULL);
  model->limiter = concur_limiter_new (1);
  model->go_on = TRUE;

  return model;
}

/* One is out, and two wait for it. */
static gpointer
setup_line (void)
{
  setup_none ();
  explore_check (concur_limiter_try_acquire (model->limiter));
  for (guint i = 0; i < 2; i++)
    model->futures[i] = concur_limiter_acquire (model->limiter);
  explore_label (&concur_future_private (model->futures[0])->state, "first");
  explore_label (&concur_future_private (model->futures[1])->state, "second");

  return model;
}

static gboolean
model_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  explore_check (model->n_inside++ == 0);
  model->n_run++;
  concur_yield ();
  model->n_inside--;
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
destroyed (gpointer data)
{
  model->n_destroyed++;
}

static ConcurFuture *
submit_job (void)
{
  return concur_limiter_submit (model->limiter, model->executor, model_job, model, destroyed, NULL);
}

static gpointer
setup_job (void)
{
  setup_none ();
  explore_check (concur_limiter_try_acquire (model->limiter));
  model->futures[0] = submit_job ();

  return model;
}

static void
release (gpointer data)
{
  concur_limiter_release (model->limiter);
}

static void
cancel_first (gpointer data)
{
  concur_future_cancel (model->futures[0], CONCUR_CANCEL_NONE);
}

static void
cancel_second (gpointer data)
{
  concur_future_cancel (model->futures[1], CONCUR_CANCEL_NONE);
}

static void
more_permits (gpointer data)
{
  concur_limiter_set_permits (model->limiter, 2);
}

static void
more_and_fewer (gpointer data)
{
  concur_limiter_set_permits (model->limiter, 2);
  concur_limiter_set_permits (model->limiter, 1);
}

static void
use (void)
{
  explore_check (model->n_inside++ == 0);
  concur_yield ();
  model->n_inside--;
  concur_limiter_release (model->limiter);
}

static void
acquire_and_use (gpointer data)
{
  explore_check (concur_limiter_acquire_wait (model->limiter, -1, NULL));
  use ();
}

static void
acquire_in_time (gpointer data)
{
  if (concur_limiter_acquire_wait (model->limiter, 1000, NULL))
    use ();
}

static void
submit_one (gpointer data)
{
  ConcurFuture *future = submit_job ();

  explore_check (concur_future_park_until (future, -1));
  g_object_unref (future);
}

static void
serve (gpointer data)
{
  concur_timer_run (&model->go_on);
}

static void
end_fire (ConcurTimer *timer)
{
  model->go_on = FALSE;
}

/* The second has to wait for the time to pass. */
static void
acquire_at_rate (gpointer data)
{
  explore_check (concur_limiter_acquire_wait (model->limiter, -1, NULL));
  explore_check (concur_limiter_acquire_wait (model->limiter, -1, NULL));
  concur_timer_start (&model->end, 0, end_fire, NULL);
}

static gpointer
setup_rate (void)
{
  setup_none ();
  concur_limiter_set_permits (model->limiter, 0);
  concur_limiter_set_rate (model->limiter, 1);
  concur_limiter_set_period (model->limiter, 1000);

  return model;
}

/* What is out belongs to somebody; nobody waits for what is there. */
static void
finish (gpointer data)
{
  guint n_had = 0;

  for (guint i = 0; i < G_N_ELEMENTS (model->futures); i++)
    {
      ConcurFuture *future = model->futures[i];

      if (future != NULL && !CONCUR_IS_JOB (future)
          && concur_future_get_state (future) == CONCUR_FUTURE_STATE_RESOLVED)
        n_had++;
    }
  explore_check (concur_limiter_get_borrowed (model->limiter) == n_had);
  explore_check (concur_limiter_get_waiting (model->limiter) == 0
                 || concur_limiter_get_available (model->limiter) == 0);
  while (n_had-- > 0)
    concur_limiter_release (model->limiter);
}

static void
finish_line (gpointer data)
{
  finish (data);
  explore_check (concur_limiter_get_waiting (model->limiter) == 0);
}

/* One that was given last is returned, too. */
static void
finish_all (gpointer data)
{
  finish (data);
  if (concur_limiter_get_borrowed (model->limiter) > 0)
    concur_limiter_release (model->limiter);
  explore_check (concur_limiter_get_waiting (model->limiter) == 0);
}

static void
finish_jobs (gpointer data)
{
  finish (data);
  explore_check (concur_limiter_get_waiting (model->limiter) == 0);
  explore_check (model->n_run <= 2);
}

static void
finish_rate (gpointer data)
{
  explore_check (concur_limiter_get_borrowed (model->limiter) == 2);
}

static void
teardown (gpointer data)
{
  concur_release_pending ();
  for (guint i = 0; i < G_N_ELEMENTS (model->futures); i++)
    g_clear_object (&model->futures[i]);
  g_object_unref (model->limiter);
  g_object_unref (model->executor);
  g_free (model);
}

#define LIMITER_MODEL(prepare, check)                                                              \
  .setup = prepare, .finish = check, .teardown = teardown, .thread_exit = concur_home_leave_thread

const ExploreModel explore_limiter_models[] = {
  {
    LIMITER_MODEL (setup_line, finish_all),
    .name = "limiter-cancel",
    .threads = { release, cancel_first },
    .bugs = { "limiter-swallows", "limiter-no-look" },
    .more = 1,
  },
  {
    LIMITER_MODEL (setup_line, finish_all),
    .name = "limiter-cancel-both",
    .threads = { release, cancel_first, cancel_second },
  },
  {
    LIMITER_MODEL (setup_line, finish_all),
    .name = "limiter-permits",
    .threads = { release, cancel_first, more_permits },
  },
  {
    LIMITER_MODEL (setup_line, finish_all),
    .name = "limiter-shrink",
    .threads = { release, cancel_second, more_and_fewer },
  },
  {
    LIMITER_MODEL (setup_none, finish_line),
    .name = "limiter-wait",
    .threads = { acquire_and_use, acquire_and_use },
  },
  {
    LIMITER_MODEL (setup_none, finish_line),
    .name = "limiter-timed",
    .threads = { acquire_and_use, acquire_in_time },
  },
  {
    LIMITER_MODEL (setup_job, finish_jobs),
    .name = "limiter-job-cancel",
    .threads = { release, cancel_first },
    .more = 1,
  },
  {
    LIMITER_MODEL (setup_job, finish_jobs),
    .name = "limiter-jobs",
    .threads = { release, submit_one, cancel_first },
  },
  {
    LIMITER_MODEL (setup_rate, finish_rate),
    .name = "limiter-rate",
    .threads = { serve, acquire_at_rate },
  },
  { NULL },
};
