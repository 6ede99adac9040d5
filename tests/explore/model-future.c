/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Futures that several threads complete, cancel and wait for at once: there is one
 * outcome, everybody sees the same, nobody sleeps on, and nothing is freed twice. */

#include "config.h"

#include "concur-error.h"
#include "concur-future-private.h"
#include "concur-promise.h"
#include "explore-models.h"

typedef struct
{
  ConcurPromise *promise;
  ConcurFuture *future;
  gboolean answered[2];   /* resolve () said that its answer counts */
  gboolean cancelled;
  ConcurWord n_called;    /* the direct callback */
  ConcurWord n_destroyed; /* its data */
  gulong callback;
} FutureModel;

static gpointer
setup (void)
{
  FutureModel *model = g_new0 (FutureModel, 1);

  model->promise = concur_promise_new ();
  model->future = g_object_ref (concur_promise_get_future (model->promise));
  concur_future_ignore (model->future);
  explore_label (&concur_future_private (model->future)->state, "state");
  explore_label (&G_OBJECT (model->future)->ref_count, "future-refs");
  explore_label (&model->n_called, "n-called");
  explore_label (&model->n_destroyed, "n-destroyed");

  return model;
}

static void
teardown (gpointer data)
{
  FutureModel *model = data;

  g_clear_object (&model->promise);
  explore_check (G_OBJECT (model->future)->ref_count == 1);
  g_object_unref (model->future);
  concur_release_pending ();
  g_free (model);
}

static void
check_outcome (FutureModel *model)
{
  ConcurFutureState state = concur_future_get_state (model->future);
  const GValue *value = concur_future_get_value (model->future, NULL);

  explore_check (state == CONCUR_FUTURE_STATE_RESOLVED || state == CONCUR_FUTURE_STATE_CANCELLED);
  if (state == CONCUR_FUTURE_STATE_RESOLVED)
    explore_check (value != NULL && g_value_get_double (value) >= 1);
  else
    explore_check (value == NULL);
}

static void
resolve (FutureModel *model,
         int          which)
{
  model->answered[which] = concur_promise_resolve_double (model->promise, 1 + which);
  explore_check (concur_future_is_done (model->future) || !model->answered[which]);
}

static void
resolve_0 (gpointer data)
{
  resolve (data, 0);
}

static void
resolve_1 (gpointer data)
{
  resolve (data, 1);
}

static void
cancel (gpointer data)
{
  FutureModel *model = data;

  model->cancelled = concur_future_cancel (model->future, CONCUR_CANCEL_NONE);
  if (model->cancelled)
    explore_check (concur_future_get_state (model->future) == CONCUR_FUTURE_STATE_CANCELLED);
}

static void
wait_for_ever (gpointer data)
{
  FutureModel *model = data;

  explore_check (concur_future_wait (model->future, -1));
  check_outcome (model);
}

static void
wait_for_a_time (gpointer data)
{
  FutureModel *model = data;

  if (concur_future_wait (model->future, 1000))
    check_outcome (model);
}

static void
break_promise (gpointer data)
{
  FutureModel *model = data;

  g_clear_object (&model->promise);
}

static void
wait_broken (gpointer data)
{
  FutureModel *model = data;
  const GError *error;

  explore_check (concur_future_wait (model->future, -1));
  error = concur_future_get_error (model->future);
  explore_check (g_error_matches (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE));
}

static void
finish (gpointer data)
{
  FutureModel *model = data;
  const GValue *value = concur_future_get_value (model->future, NULL);

  explore_check (model->answered[0] + model->answered[1] + model->cancelled == 1);
  check_outcome (model);
  if (!model->cancelled)
    explore_check (g_value_get_double (value) == (model->answered[0] ? 1 : 2));
}

/* Direct callbacks */

static void
called (ConcurFuture *future,
        gpointer      data)
{
  FutureModel *model = data;

  explore_check (concur_future_is_done (future));
  explore_check (concur_atomic_load (&model->n_destroyed, CONCUR_SEQ_CST) == 0);
  concur_atomic_add (&model->n_called, 1, CONCUR_SEQ_CST);
}

static void
destroyed (gpointer data)
{
  FutureModel *model = data;

  concur_atomic_add (&model->n_destroyed, 1, CONCUR_SEQ_CST);
}

static void
add_callback (gpointer data)
{
  FutureModel *model = data;

  concur_future_add_direct_callback (model->future, called, model, destroyed);
}

static gpointer
setup_callback (void)
{
  FutureModel *model = setup ();

  model->callback = concur_future_add_direct_callback (model->future, called, model, destroyed);

  return model;
}

static void
disconnect (gpointer data)
{
  FutureModel *model = data;

  concur_future_disconnect_done (model->future, model->callback);
}

static void
finish_added (gpointer data)
{
  FutureModel *model = data;

  finish (model);
  explore_check (concur_atomic_load (&model->n_called, CONCUR_SEQ_CST) == 1);
  explore_check (concur_atomic_load (&model->n_destroyed, CONCUR_SEQ_CST) == 1);
}

static void
finish_disconnected (gpointer data)
{
  FutureModel *model = data;

  finish (model);
  explore_check (concur_atomic_load (&model->n_called, CONCUR_SEQ_CST) <= 1);
  explore_check (concur_atomic_load (&model->n_destroyed, CONCUR_SEQ_CST) == 1);
}

#define FUTURE_MODEL(prepare, check)                                                               \
  .setup = prepare, .finish = check, .teardown = teardown,                                         \
  .thread_exit = concur_home_leave_thread, .more = 1

const ExploreModel explore_future_models[] = {
  {
    FUTURE_MODEL (setup, finish),
    .name = "future-wait",
    .threads = { resolve_0, wait_for_ever, wait_for_ever },
    .bugs = { "lost-wakeup" },
    .spurious = TRUE,
  },
  {
    FUTURE_MODEL (setup, finish),
    .name = "future-timed-wait",
    .threads = { resolve_0, wait_for_a_time, wait_for_ever },
    .bugs = { "lost-wakeup" },
    .spurious = TRUE,
  },
  {
    FUTURE_MODEL (setup, finish),
    .name = "future-two-answers",
    .threads = { resolve_0, resolve_1, wait_for_ever },
    .bugs = { "double-completion" },
  },
  {
    FUTURE_MODEL (setup, finish),
    .name = "future-cancel",
    .threads = { resolve_0, cancel, wait_for_ever },
  },
  {
    FUTURE_MODEL (setup, finish),
    .name = "future-cancel-timed",
    .threads = { cancel, resolve_1, wait_for_a_time },
  },
  {
    FUTURE_MODEL (setup, NULL),
    .name = "future-broken",
    .threads = { break_promise, wait_broken, wait_broken },
  },
  {
    FUTURE_MODEL (setup, finish_added),
    .name = "future-callback-added",
    .threads = { resolve_0, add_callback, resolve_1 },
  },
  {
    FUTURE_MODEL (setup_callback, finish_disconnected),
    .name = "future-callback-disconnected",
    .threads = { resolve_0, disconnect, disconnect },
  },
  { NULL },
};
