/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a future derives from: the input gets done, the derived future is cancelled, and
 * the two are being connected, all at once; and a job that answers with another future,
 * against cancelling and abandoning it. Each of them ends, and is let go once. */

#include "config.h"

#include "concur-continue.h"
#include "concur-future-private.h"
#include "concur-promise.h"
#include "explore-models.h"

/* Runs what it is given on the spot: the thread that completes the input runs the rest. */
typedef struct
{
  GObject parent_instance;
} DeriveExecutor;

typedef GObjectClass DeriveExecutorClass;

static GType derive_executor_get_type (void);
static void  derive_executor_iface    (ConcurExecutorInterface *iface);

G_DEFINE_TYPE_WITH_CODE (DeriveExecutor, derive_executor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, derive_executor_iface))

typedef struct
{
  ConcurExecutor *executor;
  ConcurPromise *promise;
  ConcurFuture *derived;
  ConcurWord connected;
  guint n_run;
  guint n_destroyed;
  guint n_cancelled;
} DeriveModel;

static void
derive_executor_execute (ConcurExecutor *executor,
                         ConcurJob      *job)
{
  concur_job_execute (job);
}

static void
derive_executor_iface (ConcurExecutorInterface *iface)
{
  iface->execute = derive_executor_execute;
}

static void
derive_executor_class_init (DeriveExecutorClass *klass)
{
}

static void
derive_executor_init (DeriveExecutor *self)
{
}

static void
destroyed (gpointer data)
{
  DeriveModel *model = data;

  explore_check (model->n_destroyed++ == 0);
}

static gboolean
after (ConcurJob     *job,
       ConcurFuture  *input,
       gpointer       data,
       GError       **error)
{
  DeriveModel *model = data;

  explore_check (model->n_run++ == 0);
  explore_check (model->n_destroyed == 0);
  explore_check (concur_future_is_done (input));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
return_input (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  DeriveModel *model = data;

  explore_check (model->n_run++ == 0);
  concur_job_return_future (job, concur_promise_get_future (model->promise));

  return TRUE;
}

static gpointer
setup_alone (void)
{
  DeriveModel *model = g_new0 (DeriveModel, 1);

  g_type_ensure (CONCUR_TYPE_JOB);
  model->executor = g_object_new (derive_executor_get_type (), NULL);
  model->promise = concur_promise_new ();
  explore_label (&model->connected, "connected");
  explore_label (&concur_future_private (concur_promise_get_future (model->promise))->state, "input");

  return model;
}

static void
connect_it (gpointer data)
{
  DeriveModel *model = data;

  model->derived = concur_future_continue_with (concur_promise_get_future (model->promise), after,
                                                model, destroyed, model->executor);
  concur_atomic_store (&model->connected, 1, CONCUR_SEQ_CST);
  concur_unpark_all (&model->connected);
}

static gpointer
setup (void)
{
  DeriveModel *model = setup_alone ();

  connect_it (model);
  explore_label (&concur_future_private (model->derived)->state, "derived");

  return model;
}

static gpointer
setup_ensure (void)
{
  DeriveModel *model = setup_alone ();

  model->derived = concur_future_ensure (concur_promise_get_future (model->promise), after, model,
                                         destroyed, model->executor);

  return model;
}

static gpointer
setup_returned (void)
{
  DeriveModel *model = setup_alone ();

  model->derived = concur_executor_submit (model->executor, return_input, model, destroyed, NULL);
  explore_label (&concur_future_private (model->derived)->state, "derived");

  return model;
}

/* Nobody but who cancels it ends this one. */
static gpointer
setup_unsubmitted (void)
{
  DeriveModel *model = setup_alone ();

  model->derived = CONCUR_FUTURE (concur_job_new (return_input, model, destroyed));
  explore_label (&concur_future_private (model->derived)->state, "derived");

  return model;
}

static void
submit (gpointer data)
{
  DeriveModel *model = data;

  g_object_unref (concur_executor_submit_job (model->executor, CONCUR_JOB (model->derived), NULL));
}

static void
resolve (gpointer data)
{
  concur_promise_resolve_int64 (((DeriveModel *) data)->promise, 41);
}

static void
cancel_input (gpointer data)
{
  concur_future_cancel (concur_promise_get_future (((DeriveModel *) data)->promise),
                        CONCUR_CANCEL_NONE);
}

static void
cancel (gpointer data)
{
  DeriveModel *model = data;

  model->n_cancelled += concur_future_cancel (model->derived, CONCUR_CANCEL_NONE);
}

static void
abandon (gpointer data)
{
  DeriveModel *model = data;

  model->n_cancelled += concur_future_cancel (model->derived, CONCUR_CANCEL_ABANDON);
}

/* As soon as there is one. */
static void
cancel_connected (gpointer data)
{
  DeriveModel *model = data;

  while (!concur_atomic_load (&model->connected, CONCUR_SEQ_CST))
    concur_park (&model->connected, 0, -1);
  cancel (model);
}

static void
wait_for_it (gpointer data)
{
  explore_check (concur_future_wait (((DeriveModel *) data)->derived, -1));
}

/* Nobody but the input has anything to do with it. */
static void
connect_and_forget (gpointer data)
{
  DeriveModel *model = data;

  g_object_unref (concur_future_continue_with (concur_promise_get_future (model->promise), after,
                                               model, destroyed, model->executor));
}

static void
finish (gpointer data)
{
  DeriveModel *model = data;
  ConcurFuture *input = concur_promise_get_future (model->promise);
  ConcurFutureState state = concur_future_get_state (model->derived);

  explore_check (concur_future_is_done (input));
  explore_check (state == CONCUR_FUTURE_STATE_RESOLVED || state == CONCUR_FUTURE_STATE_CANCELLED);
  if (state == CONCUR_FUTURE_STATE_RESOLVED)
    explore_check (model->n_run == 1
                   && concur_future_get_state (input) == CONCUR_FUTURE_STATE_RESOLVED);
  else
    explore_check (model->n_cancelled > 0
                   || concur_future_get_state (input) == CONCUR_FUTURE_STATE_CANCELLED);
}

/* Whoever was cancelled first, nobody is left waiting. */
static void
finish_unsubmitted (gpointer data)
{
  DeriveModel *model = data;
  ConcurFuture *input = concur_promise_get_future (model->promise);

  explore_check (concur_future_get_state (model->derived) == CONCUR_FUTURE_STATE_CANCELLED);
  explore_check (concur_future_is_done (input) == (model->n_run == 1));
  concur_future_ignore (input);
}

/* It runs whatever happens. */
static void
finish_ensure (gpointer data)
{
  explore_check (((DeriveModel *) data)->n_run == 1);
}

static void
teardown (gpointer data)
{
  DeriveModel *model = data;

  concur_release_pending ();
  explore_check (model->n_destroyed == 1);
  if (model->derived != NULL)
    explore_check (G_OBJECT (model->derived)->ref_count == 1);
  g_clear_object (&model->derived);
  g_clear_object (&model->promise);
  g_clear_object (&model->executor);
  g_free (model);
}

#define DERIVE_MODEL(prepare, check)                                                               \
  .setup = prepare, .finish = check, .teardown = teardown, .thread_exit = concur_home_leave_thread

const ExploreModel explore_derive_models[] = {
  {
    DERIVE_MODEL (setup, finish),
    .name = "derive-cancel",
    .threads = { resolve, cancel, wait_for_it },
  },
  {
    DERIVE_MODEL (setup, finish),
    .name = "derive-cancel-input",
    .threads = { resolve, cancel_input, cancel },
  },
  {
    DERIVE_MODEL (setup_alone, finish),
    .name = "derive-connect",
    .threads = { resolve, connect_it },
  },
  {
    DERIVE_MODEL (setup_alone, finish),
    .name = "derive-connect-cancel",
    .threads = { resolve, connect_it, cancel_connected },
  },
  {
    DERIVE_MODEL (setup_alone, NULL),
    .name = "derive-forget",
    .threads = { resolve, connect_and_forget },
  },
  {
    DERIVE_MODEL (setup_ensure, finish_ensure),
    .name = "derive-ensure",
    .threads = { resolve, cancel },
  },
  {
    DERIVE_MODEL (setup_returned, finish),
    .name = "derive-return-cancel",
    .threads = { resolve, cancel, wait_for_it },
  },
  {
    DERIVE_MODEL (setup_returned, finish),
    .name = "derive-return-abandon",
    .threads = { resolve, abandon, wait_for_it },
    .bugs = { "abandoned-without-answer" },
  },
  {
    DERIVE_MODEL (setup_unsubmitted, finish_unsubmitted),
    .name = "derive-return-connect",
    .threads = { submit, cancel, wait_for_it },
    .bugs = { "connect-without-look" },
  },
  {
    DERIVE_MODEL (setup_unsubmitted, finish_unsubmitted),
    .name = "derive-return-connect-abandon",
    .threads = { submit, abandon },
    .bugs = { "connect-without-look" },
  },
  { .name = NULL },
};
