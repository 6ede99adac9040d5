/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The thread executor as programs use it; its workers are threads of the model. Each job
 * that was taken is run or answered, whoever submits, waits, cancels, shuts down or runs
 * out of patience meanwhile; no worker sleeps while there is work; in the end all that
 * was submitted has been let go and no thread is left. */

#include "config.h"

#include "concur-error.h"
#include "concur-future-private.h"
#include "concur-pool-private.h"
#include "concur-thread-executor.h"
#include "explore-models.h"

#define MAX_JOBS 4

typedef struct
{
  ConcurExecutor *executor;
  ConcurFuture *futures[MAX_JOBS];
  ConcurWord meeting;
  ConcurWord n_users;
  /* Only one thread runs at a time: what decides nothing need not be atomic. */
  guint n_run;
  guint n_destroyed;
  guint n_submitted;
  gboolean ended;         /* a shutdown said so */
} PoolModel;

static gpointer
setup_full (const ConcurQueueOps *queue,
            guint                 max_threads,
            gint64                keep_alive,
            guint                 n_users,
            const char           *property,
            int                   value)
{
  PoolModel *model = g_new0 (PoolModel, 1);

  concur_pool_default_queue = queue;
  explore_supply_failures = 0;
  model->executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", max_threads,
                                  "keep-alive", keep_alive, property, value, NULL);
  concur_atomic_init (&model->n_users, n_users);
  explore_label (&model->n_users, "n-users");
  explore_label (&model->meeting, "meeting");

  return model;
}

static gpointer
setup (const ConcurQueueOps *queue,
       guint                 max_threads,
       gint64                keep_alive,
       guint                 n_users)
{
  return setup_full (queue, max_threads, keep_alive, n_users, NULL, 0);
}

static void
teardown (gpointer data)
{
  PoolModel *model = data;
  guint i;

  for (i = 0; i < MAX_JOBS; i++)
    g_clear_object (&model->futures[i]);
  g_clear_object (&model->executor);
  concur_release_pending ();
  explore_check (model->n_destroyed == model->n_submitted);
  g_free (model);
}

/* Jobs */

static void
destroyed (gpointer data)
{
  ((PoolModel *) data)->n_destroyed++;
}

static gboolean
run (ConcurJob  *job,
     gpointer    data,
     GError    **error)
{
  PoolModel *model = data;

  explore_check (!model->ended);
  model->n_run++;
  concur_job_return_double (job, 1);

  return TRUE;
}

/* Two of these only end together. */
static gboolean
run_meeting (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  PoolModel *model = data;
  guint32 here = concur_atomic_add (&model->meeting, 1, CONCUR_SEQ_CST) + 1;

  if (here == 2)
    concur_unpark_all (&model->meeting);
  while (concur_atomic_load (&model->meeting, CONCUR_SEQ_CST) < 2)
    concur_park (&model->meeting, 1, -1);

  return run (job, data, error);
}

static void
submit (PoolModel    *model,
        guint         which,
        ConcurJobFunc func)
{
  model->n_submitted++;
  model->futures[which] = concur_executor_submit (model->executor, func, model, destroyed, NULL);
  concur_future_ignore (model->futures[which]);
}

static void
check_done (PoolModel *model,
            guint      which)
{
  explore_check (concur_future_wait (model->futures[which], -1));
  explore_check (concur_future_get_double (model->futures[which], NULL) == 1);
}

/* Done, or refused because of a shutdown. */
/* Waits for a job that stands behind it in the same executor. */
static gboolean
run_nested (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  PoolModel *model = data;

  submit (model, 1, run);
  check_done (model, 1);

  return run (job, data, error);
}

/* A wait with a limit does not run the job in place: somebody else has to. */
static gboolean
run_nested_timed (ConcurJob  *job,
                  gpointer    data,
                  GError    **error)
{
  PoolModel *model = data;

  submit (model, 1, run);
  if (concur_future_wait (model->futures[1], 1000))
    explore_check (concur_future_get_double (model->futures[1], NULL) == 1);

  return run (job, data, error);
}

static void
check_done_or_refused (PoolModel *model,
                       guint      which)
{
  const GError *error;

  explore_check (concur_future_wait (model->futures[which], -1));
  error = concur_future_get_error (model->futures[which]);
  explore_check (error == NULL
                 || g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN)
                 || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

static void
shut_down (PoolModel          *model,
           ConcurShutdownMode  mode)
{
  ConcurFuture *ended = concur_executor_shutdown (model->executor, mode);

  explore_check (concur_future_wait (ended, -1));
  model->ended = TRUE;
  g_object_unref (ended);
}

/* The last one drops the executor, which lets the workers go. */
static void
user_leaves (PoolModel *model)
{
  if (concur_atomic_sub (&model->n_users, 1, CONCUR_SEQ_CST) == 1)
    g_clear_object (&model->executor);
}

/* Threads */

static void
submit_two (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  submit (model, 1, run);
  check_done (model, 0);
  check_done (model, 1);
  user_leaves (model);
}

static void
submit_0 (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  check_done (model, 0);
  user_leaves (model);
}

static void
submit_2 (gpointer data)
{
  PoolModel *model = data;

  submit (model, 2, run);
  check_done (model, 2);
  user_leaves (model);
}

/* Two users and a worker that parks in between: who wakes whom? */
static void
submit_two_and_leave (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  submit (model, 1, run);
  user_leaves (model);
}

/* And ends before its job does. */
static void
submit_1 (gpointer data)
{
  PoolModel *model = data;

  submit (model, 1, run);
  user_leaves (model);
}

static void
submit_meeting (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run_meeting);
  submit (model, 1, run_meeting);
  check_done (model, 0);
  check_done (model, 1);
  user_leaves (model);
}

/* With pauses in which the worker may lose patience. */
static void
submit_patiently (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  check_done (model, 0);
  submit (model, 1, run);
  check_done (model, 1);
}

static void
submit_against_shutdown (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  check_done_or_refused (model, 0);
}

/* There is room for one that waits. */
static void
submit_more_than_fit (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  submit (model, 1, run);
  check_done_or_refused (model, 1);
  check_done_or_refused (model, 0);
  user_leaves (model);
}

static void
submit_and_cancel (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  submit (model, 1, run);
  concur_future_cancel (model->futures[0], CONCUR_CANCEL_NONE);
  check_done_or_refused (model, 0);
  check_done (model, 1);
  user_leaves (model);
}

/* The work is done though nobody keeps the executor. */
static void
submit_and_drop (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  submit (model, 1, run);
  user_leaves (model);
  check_done (model, 1);
}

static void
submit_nested (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run_nested);
  check_done (model, 0);
  user_leaves (model);
}

static void
submit_nested_timed (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run_nested_timed);
  check_done (model, 0);
  user_leaves (model);
}

/* The thread for the first one cannot be started. */
static void
submit_without_thread (gpointer data)
{
  PoolModel *model = data;

  submit (model, 0, run);
  submit (model, 1, run);
  concur_future_wait (model->futures[0], -1);
  concur_future_wait (model->futures[1], -1);
  user_leaves (model);
}

static void
pause_and_resume (gpointer data)
{
  PoolModel *model = data;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (model->executor), TRUE);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (model->executor), FALSE);
  user_leaves (model);
}

static void
look (gpointer data)
{
  PoolModel *model = data;

  g_object_unref (concur_thread_executor_dup_snapshot (CONCUR_THREAD_EXECUTOR (model->executor)));
  user_leaves (model);
}

static void
drain (gpointer data)
{
  shut_down (data, CONCUR_SHUTDOWN_DRAIN);
}

/* Who does not wait for the end still wakes those who wait for room. */
static void
begin_to_drain (gpointer data)
{
  PoolModel *model = data;

  g_object_unref (concur_executor_shutdown (model->executor, CONCUR_SHUTDOWN_DRAIN));
}

static void
cancel_pending (gpointer data)
{
  shut_down (data, CONCUR_SHUTDOWN_CANCEL_PENDING);
}

static void
cancel_all (gpointer data)
{
  shut_down (data, CONCUR_SHUTDOWN_CANCEL_ALL);
}

static void
finish_run (gpointer data)
{
  PoolModel *model = data;
  guint n = 0, i;

  for (i = 0; i < MAX_JOBS; i++)
    n += model->futures[i] != NULL;
  explore_check (model->n_run == n);
}

static void
finish_refused (gpointer data)
{
  PoolModel *model = data;
  guint n = 0, i;

  for (i = 0; i < MAX_JOBS; i++)
    n += model->futures[i] != NULL
         && concur_future_get_state (model->futures[i]) == CONCUR_FUTURE_STATE_RESOLVED;
  explore_check (model->n_run == n);
}

static gpointer
setup_one (void)
{
  return setup (&concur_queue_mutex, 1, -1, 1);
}

static gpointer
setup_one_lockfree (void)
{
  return setup (&concur_queue_lockfree, 1, -1, 1);
}

static gpointer
setup_one_two_users (void)
{
  return setup (&concur_queue_mutex, 1, -1, 2);
}

static gpointer
setup_two (void)
{
  return setup (&concur_queue_mutex, 2, -1, 1);
}

static gpointer
setup_impatient (void)
{
  return setup (&concur_queue_mutex, 1, 1000, 1);
}

static gpointer
setup_impatient_lockfree (void)
{
  return setup (&concur_queue_lockfree, 1, 1000, 1);
}

static gpointer
setup_thread_each (void)
{
  return setup (&concur_queue_mutex, 0, -1, 1);
}

static gpointer
setup_bounded (void)
{
  return setup_full (&concur_queue_mutex, 1, -1, 1, "max-pending", 1);
}

static gpointer
setup_bounded_two_users (void)
{
  return setup_full (&concur_queue_mutex, 1, -1, 2, "max-pending", 1);
}

static gpointer
setup_blocked (void)
{
  return setup_full (&concur_queue_mutex, 1, -1, 1, "max-blocked", 1);
}

static gpointer
setup_without_thread (void)
{
  gpointer model = setup (&concur_queue_mutex, 2, -1, 1);

  explore_supply_failures = 1;

  return model;
}

#define POOL_MODEL(prepare, check)                                                                 \
  .setup = prepare, .finish = check, .teardown = teardown, .thread_exit = concur_home_leave_thread

const ExploreModel explore_pool_models[] = {
  {
    POOL_MODEL (setup_one, finish_run),
    .name = "pool-one-worker",
    .threads = { submit_two },
    .bugs = { "park-without-look", "lost-wakeup" },
  },
  {
    POOL_MODEL (setup_one_lockfree, finish_run),
    .name = "pool-one-worker-lockfree",
    .threads = { submit_two },
    .bugs = { "park-without-look" },
  },
  {
    POOL_MODEL (setup_one_two_users, finish_run),
    .name = "pool-two-users",
    .threads = { submit_0, submit_1 },
  },
  {
    POOL_MODEL (setup_one_two_users, finish_run),
    .name = "pool-two-users-again",
    .threads = { submit_two_and_leave, submit_2 },
  },
  {
    POOL_MODEL (setup_two, finish_run),
    .name = "pool-two-workers",
    .threads = { submit_meeting },
  },
  {
    POOL_MODEL (setup_impatient, finish_run),
    .name = "pool-expiry",
    .threads = { submit_patiently },
    .bugs = { "expiry-against-push" },
  },
  {
    POOL_MODEL (setup_impatient_lockfree, finish_run),
    .name = "pool-expiry-lockfree",
    .threads = { submit_patiently },
    .bugs = { "expiry-against-push" },
  },
  {
    POOL_MODEL (setup_thread_each, finish_run),
    .name = "pool-thread-each",
    .threads = { submit_two },
  },
  {
    POOL_MODEL (setup_one, finish_refused),
    .name = "pool-drain",
    .threads = { submit_against_shutdown, drain },
  },
  {
    POOL_MODEL (setup_one, finish_refused),
    .name = "pool-cancel-pending",
    .threads = { submit_against_shutdown, cancel_pending },
  },
  {
    POOL_MODEL (setup_one_lockfree, finish_refused),
    .name = "pool-cancel-all",
    .threads = { submit_against_shutdown, cancel_all },
  },
  {
    POOL_MODEL (setup_bounded, finish_refused),
    .name = "pool-bounded",
    .threads = { submit_more_than_fit },
  },
  {
    POOL_MODEL (setup_bounded_two_users, finish_refused),
    .name = "pool-bounded-shutdown",
    .threads = { submit_more_than_fit, begin_to_drain },
  },
  {
    POOL_MODEL (setup_one, finish_refused),
    .name = "pool-cancel-queued",
    .threads = { submit_and_cancel },
  },
  {
    POOL_MODEL (setup_one, finish_run),
    .name = "pool-dropped",
    .threads = { submit_and_drop },
  },
  {
    POOL_MODEL (setup_one, finish_run),
    .name = "pool-wait-in-place",
    .threads = { submit_nested },
  },
  {
    POOL_MODEL (setup_blocked, finish_run),
    .name = "pool-wait-compensated",
    .threads = { submit_nested_timed },
  },
  {
    POOL_MODEL (setup_without_thread, finish_refused),
    .name = "pool-without-thread",
    .threads = { submit_without_thread },
    .may_warn = TRUE,
  },
  {
    POOL_MODEL (setup_one_two_users, finish_run),
    .name = "pool-paused",
    .threads = { submit_0, pause_and_resume },
  },
  {
    POOL_MODEL (setup_one_two_users, finish_run),
    .name = "pool-snapshot",
    .threads = { submit_0, look },
  },
  { NULL },
};
