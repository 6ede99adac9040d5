/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs on an executor that does nothing but keep them until a thread of the model runs
 * them: running against cancelling, abandoning, answering late and twice, and against
 * the home that goes away. What was submitted is let go once, whoever wins. */

#include "config.h"

#include "concur-executor.h"
#include "concur-future-private.h"
#include "concur-job.h"
#include "explore-models.h"

typedef struct
{
  GObject parent_instance;
  ConcurJob *job;        /* (owned) the one that was submitted */
  ConcurWord submitted;
} ModelExecutor;

typedef GObjectClass ModelExecutorClass;

static GType model_executor_get_type (void);
static void  model_executor_iface    (ConcurExecutorInterface *iface);

G_DEFINE_TYPE_WITH_CODE (ModelExecutor, model_executor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, model_executor_iface))

typedef struct
{
  ModelExecutor *executor;
  ConcurFuture *future;
  GCancellable *parent;
  GCancellable *own;
  ConcurWord held;       /* 1: and to be answered, 2: will never be */
  guint n_run;
  guint n_destroyed;
  guint n_cancelled;
} JobModel;

static void
model_executor_execute (ConcurExecutor *executor,
                        ConcurJob      *job)
{
  ModelExecutor *self = (ModelExecutor *) executor;

  self->job = g_object_ref (job);
  concur_atomic_store (&self->submitted, 1, CONCUR_SEQ_CST);
  concur_unpark_all (&self->submitted);
}

static void
model_executor_iface (ConcurExecutorInterface *iface)
{
  iface->execute = model_executor_execute;
}

static void
model_executor_class_init (ModelExecutorClass *klass)
{
}

static void
model_executor_init (ModelExecutor *self)
{
}

static void
destroyed (gpointer data)
{
  JobModel *model = data;

  explore_check (model->n_destroyed++ == 0);
}

static gboolean
run (ConcurJob  *job,
     gpointer    data,
     GError    **error)
{
  JobModel *model = data;

  explore_check (model->n_run++ == 0);
  explore_check (model->n_destroyed == 0);
  concur_job_return_string (job, "run");

  return TRUE;
}

static gboolean
run_and_hold (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  JobModel *model = data;

  explore_check (model->n_run++ == 0);
  concur_job_hold (job);
  concur_atomic_store (&model->held, 1, CONCUR_SEQ_CST);
  concur_unpark_all (&model->held);

  return TRUE;
}

static gboolean
run_cancellable (ConcurJob  *job,
                 gpointer    data,
                 GError    **error)
{
  JobModel *model = data;

  model->own = g_object_ref (concur_job_get_cancellable (job));

  return run (job, data, error);
}

static gpointer
setup_executor (void)
{
  JobModel *model = g_new0 (JobModel, 1);

  g_type_ensure (CONCUR_TYPE_JOB);
  model->executor = g_object_new (model_executor_get_type (), NULL);
  explore_label (&model->held, "held");
  explore_label (&model->executor->submitted, "submitted");

  return model;
}

static JobModel *
setup_submitted (ConcurJobFunc func,
                 GCancellable *parent)
{
  JobModel *model = setup_executor ();

  model->parent = parent;
  model->future = concur_executor_submit (CONCUR_EXECUTOR (model->executor), func, model, destroyed,
                                          parent);
  explore_label (&concur_future_private (model->future)->state, "state");
  explore_label (&G_OBJECT (model->future)->ref_count, "job-refs");

  return model;
}

static gpointer
setup (void)
{
  return setup_submitted (run, NULL);
}

static gpointer
setup_held (void)
{
  return setup_submitted (run_and_hold, NULL);
}

static gpointer
setup_cancellable (void)
{
  return setup_submitted (run_cancellable, NULL);
}

static gpointer
setup_parent (void)
{
  return setup_submitted (run, g_cancellable_new ());
}

static void
teardown (gpointer data)
{
  JobModel *model = data;

  concur_release_pending ();
  explore_check (model->n_destroyed == 1);
  g_clear_object (&model->executor->job);
  g_clear_object (&model->executor);
  if (model->future)
    explore_check (G_OBJECT (model->future)->ref_count == 1);
  g_clear_object (&model->future);
  g_clear_object (&model->parent);
  g_clear_object (&model->own);
  g_free (model);
}

static void
wait_for (ConcurWord *word)
{
  while (!concur_atomic_load (word, CONCUR_SEQ_CST))
    concur_park (word, 0, -1);
}

static void
execute (gpointer data)
{
  JobModel *model = data;

  guint32 seen = 0;

  wait_for (&model->executor->submitted);
  concur_job_execute (model->executor->job);
  /* It may not have been run at all. */
  if (concur_atomic_cas (&model->held, &seen, 2, CONCUR_SEQ_CST))
    concur_unpark_all (&model->held);
}

static void
cancel (gpointer data)
{
  JobModel *model = data;

  model->n_cancelled += concur_future_cancel (model->future, CONCUR_CANCEL_NONE);
}

static void
abandon (gpointer data)
{
  JobModel *model = data;

  model->n_cancelled += concur_future_cancel (model->future, CONCUR_CANCEL_ABANDON);
  /* Or it is being answered at this very moment. */
  explore_check (concur_future_is_done (model->future)
                 || (concur_future_state (model->future) & CONCUR_STATE_ANSWERED));
}

static void
cancel_parent (gpointer data)
{
  g_cancellable_cancel (((JobModel *) data)->parent);
}

static void
answer (gpointer data)
{
  JobModel *model = data;

  wait_for (&model->held);
  if (concur_atomic_load (&model->held, CONCUR_SEQ_CST) == 2)
    return;

  concur_job_return_string (CONCUR_JOB (model->future), "late");
}

static void
wait_for_it (gpointer data)
{
  JobModel *model = data;
  ConcurFutureState state;

  explore_check (concur_future_wait (model->future, -1));
  state = concur_future_get_state (model->future);
  explore_check (state == CONCUR_FUTURE_STATE_RESOLVED || state == CONCUR_FUTURE_STATE_CANCELLED);
}

/* Its home is gone before the job comes there, or while it does. */
static void
submit_and_leave (gpointer data)
{
  JobModel *model = data;

  g_object_unref (concur_executor_submit (CONCUR_EXECUTOR (model->executor), run, model, destroyed,
                                          NULL));
}

static void
submit_and_wait (gpointer data)
{
  JobModel *model = data;

  model->future = concur_executor_submit (CONCUR_EXECUTOR (model->executor), run, model, destroyed,
                                          NULL);
  wait_for_it (model);
}

static void
finish (gpointer data)
{
  JobModel *model = data;
  g_autofree char *text = concur_future_dup_string (model->future, NULL);
  ConcurFutureState state = concur_future_get_state (model->future);

  explore_check (state == CONCUR_FUTURE_STATE_RESOLVED || state == CONCUR_FUTURE_STATE_CANCELLED);
  if (state == CONCUR_FUTURE_STATE_RESOLVED)
    explore_check (model->n_run == 1 && text != NULL);
  else
    explore_check (model->n_cancelled > 0 || model->parent != NULL);
}

/* Whoever asked it to stop, it could have known. */
static void
finish_cancellable (gpointer data)
{
  JobModel *model = data;

  finish (model);
  if (model->own != NULL)
    explore_check (g_cancellable_is_cancelled (model->own) == (model->n_cancelled > 0));
}

static void
finish_run (gpointer data)
{
  explore_check (((JobModel *) data)->n_run == 1);
}

#define JOB_MODEL(prepare, check)                                                                  \
  .setup = prepare, .finish = check, .teardown = teardown,                                         \
  .thread_exit = concur_home_leave_thread, .more = 1

const ExploreModel explore_job_models[] = {
  {
    JOB_MODEL (setup, finish),
    .name = "job-cancel",
    .threads = { execute, cancel, wait_for_it },
    .bugs = { "lost-wakeup" },
  },
  {
    JOB_MODEL (setup, finish),
    .name = "job-abandon",
    .threads = { execute, abandon, wait_for_it },
  },
  {
    JOB_MODEL (setup, finish),
    .name = "job-abandon-cancel",
    .threads = { execute, abandon, cancel },
  },
  {
    JOB_MODEL (setup_held, finish),
    .name = "job-held",
    .threads = { execute, answer, wait_for_it },
  },
  {
    JOB_MODEL (setup_held, finish),
    .name = "job-held-two-answers",
    .threads = { execute, answer, answer },
    .bugs = { "double-completion" },
  },
  {
    JOB_MODEL (setup_held, finish),
    .name = "job-held-abandon",
    .threads = { execute, answer, abandon },
  },
  {
    JOB_MODEL (setup_cancellable, finish_cancellable),
    .name = "job-own-cancellable",
    .threads = { execute, cancel },
  },
  {
    JOB_MODEL (setup_parent, finish),
    .name = "job-parent-cancellable",
    .threads = { execute, cancel_parent },
  },
  {
    JOB_MODEL (setup_executor, finish_run),
    .name = "job-home-gone",
    .threads = { submit_and_leave, execute },
  },
  {
    JOB_MODEL (setup_executor, finish_run),
    .name = "job-home-waits",
    .threads = { submit_and_wait, execute },
  },
  { NULL },
};
