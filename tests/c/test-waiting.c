/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Jobs that wait for other futures: in place where that is possible, else with another
 * thread in their stead, and never so that all threads wait for each other. */

#include "config.h"

#include "test-workers.h"

static ConcurExecutor *
executor_new (guint max_threads,
              guint max_blocked)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "waiting",
                       "max-threads", max_threads,
                       "max-blocked", max_blocked,
                       "keep-alive", (gint64) -1,
                       NULL);
}

/* What a job needs to submit more. */
typedef struct
{
  ConcurExecutor *executor;
  ConcurExecutor *other;
  ConcurFuture *future;
  gint64 timeout;
  gint depth;                  /* atomic */
  GThread *thread;
  gint counter;                /* atomic */
  TestClog clog;
} Scene;

static gboolean
inner_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Scene *scene = data;

  g_assert_true (concur_job_get_current () == job);
  scene->thread = g_thread_self ();
  concur_job_return_int64 (job, 5);

  return TRUE;
}

static gboolean
in_place_job (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  Scene *scene = data;
  g_autoptr (ConcurFuture) before = test_submit (scene->executor, test_one_job, NULL);
  g_autoptr (ConcurFuture) inner = test_submit (scene->executor, inner_job, scene);
  g_autoptr (ConcurFuture) after = test_submit (scene->executor, test_one_job, NULL);

  g_assert_true (concur_future_wait (inner, -1));
  test_assert_int64 (inner, 5);
  g_assert_true (scene->thread == g_thread_self ());
  g_assert_true (concur_job_get_current () == job);

  /* Nothing else: a job that is waited for is known not to need what this one holds. */
  g_assert_cmpint (concur_future_get_state (before), ==, CONCUR_FUTURE_STATE_PENDING);
  g_assert_cmpint (concur_future_get_state (after), ==, CONCUR_FUTURE_STATE_PENDING);
  g_assert_cmpuint (test_snapshot (scene->executor, n_threads), ==, 1);

  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
run_scene (Scene         *scene,
           ConcurJobFunc  func,
           gint64         expected)
{
  g_autoptr (ConcurFuture) future = test_submit (scene->executor, func, scene);

  test_assert_done (future);
  test_assert_int64 (future, expected);
  g_assert_cmpuint (test_snapshot (scene->executor, n_blocked), ==, 0);
  test_executor_end (scene->executor);
}

static void
test_in_place (void)
{
  Scene scene = { .executor = executor_new (1, 0) };

  run_scene (&scene, in_place_job, 1);
}

static gboolean
result_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Scene *scene = data;
  g_autoptr (ConcurFuture) inner = test_submit (scene->executor, inner_job, scene);
  const GValue *value = concur_future_result (inner, -1, error);

  g_assert_true (scene->thread == g_thread_self ());
  concur_job_return_value (job, value);

  return TRUE;
}

static void
test_in_place_result (void)
{
  Scene scene = { .executor = executor_new (1, 0) };

  run_scene (&scene, result_job, 5);
}

static gboolean
holding_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Scene *scene = data;

  scene->future = g_object_ref (CONCUR_FUTURE (job));
  concur_job_hold (job);

  return TRUE;
}

static gboolean
answering_job (ConcurJob  *job,
               gpointer    data,
               GError    **error)
{
  Scene *scene = data;

  concur_job_return_int64 (CONCUR_JOB (scene->future), 9);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
wait_for_held_job (ConcurJob  *job,
                   gpointer    data,
                   GError    **error)
{
  Scene *scene = data;
  g_autoptr (ConcurFuture) held = test_submit (scene->executor, holding_job, scene);
  g_autoptr (ConcurFuture) answer = test_submit (scene->executor, answering_job, scene);

  /* The first half of the job runs here; for the rest somebody else is needed. */
  g_assert_true (concur_future_wait (held, -1));
  test_assert_int64 (held, 9);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_in_place_held (void)
{
  Scene scene = { .executor = executor_new (1, 1) };

  run_scene (&scene, wait_for_held_job, 1);
  g_object_unref (scene.future);
}

static gboolean
failing_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  g_set_error_literal (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "full");

  return FALSE;
}

static gboolean
wait_for_others_job (ConcurJob  *job,
                     gpointer    data,
                     GError    **error)
{
  Scene *scene = data;
  g_autoptr (ConcurFuture) failing = test_submit (scene->executor, failing_job, NULL);
  g_autoptr (ConcurFuture) cancelled = test_submit (scene->executor, test_one_job, NULL);

  g_assert_true (concur_future_wait (failing, -1));
  test_assert_error (failing, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
  concur_future_cancel (cancelled, CONCUR_CANCEL_NONE);
  g_assert_true (concur_future_wait (cancelled, -1));
  test_assert_cancelled (cancelled);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_in_place_other_outcomes (void)
{
  Scene scene = { .executor = executor_new (1, 0) };

  run_scene (&scene, wait_for_others_job, 1);
}

#define MANY_IN_PLACE 20000

static gboolean
many_in_place_job (ConcurJob  *job,
                   gpointer    data,
                   GError    **error)
{
  Scene *scene = data;
  guint n = test_scaled (MANY_IN_PLACE), i, most = 0;

  for (i = 0; i < n; i++)
    {
      g_autoptr (ConcurFuture) inner = test_submit (scene->executor, test_one_job, NULL);

      g_assert_true (concur_future_wait (inner, -1));
      most = MAX (most, test_futures_alive ());
    }
  concur_job_return_int64 (job, most);

  return TRUE;
}

/* What was run in place still lies in the queue; that must not grow without end. */
static void
test_in_place_leaves_no_heap (void)
{
  Scene scene = { .executor = executor_new (1, 0) };
  guint before = test_futures_alive ();
  g_autoptr (ConcurFuture) future = test_submit (scene.executor, many_in_place_job, &scene);
  gint64 most;

  test_assert_done (future);
  most = concur_future_get_int64 (future, NULL);
  g_assert_cmpint (most - before, <, 1000);
  test_executor_end (scene.executor);
}

/* Each job submits the next and waits for it. */
static gboolean
depth_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Scene *scene = data;

  if (g_atomic_int_add (&scene->depth, -1) > 0)
    {
      g_autoptr (ConcurFuture) next = test_submit (scene->executor, depth_job, scene);

      if (concur_future_result (next, scene->timeout, error) == NULL)
        return FALSE;
      concur_job_return_int64 (job, concur_future_get_int64 (next, NULL) + 1);
    }
  else
    {
      concur_job_return_int64 (job, 0);
    }

  return TRUE;
}

static void
test_depth (void)
{
  Scene scene = { .executor = executor_new (1, 64), .timeout = -1, .depth = 1000 };

  run_scene (&scene, depth_job, 1000);
}

/* With a time limit each takes a thread: the wait must be able to end in time. */
static void
test_depth_timed (void)
{
  Scene scene = { .executor = executor_new (1, 200), .timeout = TEST_PATIENCE_US, .depth = 200 };

  run_scene (&scene, depth_job, 200);
}

static gboolean
mixed_depth_job (ConcurJob  *job,
                 gpointer    data,
                 GError    **error)
{
  Scene *scene = data;
  gint depth = g_atomic_int_add (&scene->depth, -1);

  if (depth > 0)
    {
      g_autoptr (ConcurFuture) next = test_submit (scene->executor, mixed_depth_job, scene);

      g_assert_true (concur_future_wait (next, depth % 3 == 0 ? TEST_PATIENCE_US : -1));
    }
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_depth_mixed (void)
{
  Scene scene = { .executor = executor_new (2, 150), .depth = 150 };

  test_shake_start ();
  run_scene (&scene, mixed_depth_job, 1);
  test_shake_stop ();
}

static gboolean
open_job (ConcurJob  *job,
          gpointer    gate,
          GError    **error)
{
  test_gate_open (gate);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
waiting_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Scene *scene = data;

  test_gate_open (&scene->clog.begun);
  g_assert_true (concur_future_wait (scene->future, scene->timeout));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static gboolean
resolving_job (ConcurJob  *job,
               gpointer    promise,
               GError    **error)
{
  concur_promise_resolve_int64 (promise, 3);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* The job that ends the wait is queued behind the one that waits. */
static void
wait_for_promise (guint  max_threads,
                  guint  n_waiting,
                  gint64 timeout)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GPtrArray) futures = test_futures_new ();
  Scene scene = { .executor = executor_new (max_threads, 64), .timeout = timeout };
  guint i;

  scene.future = concur_promise_get_future (promise);
  for (i = 0; i < n_waiting; i++)
    g_ptr_array_add (futures, test_submit (scene.executor, waiting_job, &scene));
  g_ptr_array_add (futures, test_submit (scene.executor, resolving_job, promise));
  test_futures_wait (futures);

  test_executor_end (scene.executor);
}

static void
test_promise (void)
{
  wait_for_promise (1, 1, -1);
  wait_for_promise (1, 1, TEST_PATIENCE_US);
  wait_for_promise (1, 20, -1);
  wait_for_promise (3, 20, TEST_PATIENCE_US);
}

/* No more threads than the settings say, though all wait. */
static void
test_max_blocked (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GPtrArray) futures = test_futures_new ();
  Scene scene = { .executor = executor_new (2, 3), .timeout = -1 };
  guint i;

  scene.future = concur_promise_get_future (promise);
  for (i = 0; i < 20; i++)
    g_ptr_array_add (futures, test_submit (scene.executor, waiting_job, &scene));

  test_wait_until (test_snapshot (scene.executor, n_blocked) == 5);
  g_assert_cmpuint (test_gate_get (&scene.clog.begun), ==, 5);
  g_assert_cmpuint (test_snapshot (scene.executor, n_threads), ==, 5);
  g_assert_cmpuint (test_snapshot (scene.executor, n_pending), ==, 15);

  concur_promise_resolve_int64 (promise, 3);
  test_futures_wait (futures);
  test_executor_end (scene.executor);
}

static void
test_max_blocked_0 (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Scene scene = { .executor = executor_new (1, 0), .timeout = -1 };
  g_autoptr (ConcurFuture) waiting = NULL, queued = NULL;

  scene.future = concur_promise_get_future (promise);
  waiting = test_submit (scene.executor, waiting_job, &scene);
  queued = test_submit (scene.executor, test_one_job, NULL);
  test_wait_until (test_snapshot (scene.executor, n_blocked) == 1);
  g_assert_cmpuint (test_snapshot (scene.executor, n_threads), ==, 1);
  g_assert_cmpint (concur_future_get_state (queued), ==, CONCUR_FUTURE_STATE_PENDING);

  concur_promise_resolve_int64 (promise, 3);
  test_assert_done (waiting);
  test_assert_done (queued);
  test_executor_end (scene.executor);
}

/* What is waited for runs already, and needs what is queued behind. */
static void
test_running_job (void)
{
  Scene scene = { .executor = executor_new (2, 1), .timeout = -1 };
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestClog clog = { 0 };

  scene.future = test_submit (scene.executor, test_clog_job, &clog);
  g_ptr_array_add (futures, scene.future);
  test_gate_wait (&clog.begun);
  g_ptr_array_add (futures, test_submit (scene.executor, waiting_job, &scene));
  test_gate_wait (&scene.clog.begun);
  g_ptr_array_add (futures, test_submit (scene.executor, open_job, &clog.go));
  test_futures_wait (futures);

  test_executor_end (scene.executor);
}

static gboolean
ring_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Scene *scene = data;
  gint depth = g_atomic_int_add (&scene->depth, -1);

  if (depth > 0)
    {
      g_autoptr (ConcurFuture) next = NULL;

      next = test_submit (depth % 2 == 0 ? scene->other : scene->executor, ring_job, scene);
      g_assert_true (concur_future_wait (next, scene->timeout));
    }
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Two executors of one thread, and jobs on each that wait for jobs on the other. */
static void
ring (gint   depth,
      gint64 timeout)
{
  Scene scene = {
    .executor = executor_new (1, 64),
    .other = executor_new (1, 64),
    .timeout = timeout,
    .depth = depth,
  };

  run_scene (&scene, ring_job, 1);
  test_executor_end (scene.other);
}

static void
test_ring (void)
{
  ring (2, -1);
  ring (2, TEST_PATIENCE_US);
  ring (40, -1);
  ring (41, TEST_PATIENCE_US);
}

static gboolean
crowded_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Scene *scene = data;

  g_assert_true (concur_future_wait (scene->future, scene->timeout));
  test_gate_open (&scene->clog.begun);
  test_gate_wait (&scene->clog.go);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* A thread that came for one that waited is one too many when the wait is over: it must
 * not take a job then. */
static void
test_surplus_thread_retires (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  Scene scene = { .executor = executor_new (1, 1), .timeout = -1 };
  g_autoptr (ConcurFuture) waiting = NULL, other = NULL, late = NULL;
  g_autoptr (ConcurPromise) never = concur_promise_new ();
  TestGate late_ran = { 0 };

  scene.future = concur_promise_get_future (promise);
  concur_future_ignore (concur_promise_get_future (never));

  waiting = test_submit (scene.executor, crowded_job, &scene);
  other = test_submit (scene.executor, test_one_job, NULL);
  test_assert_done (other);
  test_wait_until (test_snapshot (scene.executor, n_idle) == 1);
  g_assert_cmpuint (test_snapshot (scene.executor, n_threads), ==, 2);

  concur_promise_resolve_int64 (promise, 1);
  test_gate_wait (&scene.clog.begun);
  late = test_submit (scene.executor, open_job, &late_ran);
  test_wait_until (test_snapshot (scene.executor, n_threads) == 1);
  /* There is no event to wait for: this only gives a mistake time to show. */
  g_assert_false (concur_future_wait (concur_promise_get_future (never), 20000));
  g_assert_cmpuint (test_gate_get (&late_ran), ==, 0);
  g_assert_cmpint (concur_future_get_state (late), ==, CONCUR_FUTURE_STATE_PENDING);

  test_gate_open (&scene.clog.go);
  test_assert_done (waiting);
  test_assert_done (late);
  test_executor_end (scene.executor);
}

static gboolean
timed_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Scene *scene = data;
  g_autoptr (ConcurFuture) queued = NULL;
  g_autoptr (GError) timed_out = NULL;
  gint64 start = g_get_monotonic_time ();

  g_assert_false (concur_future_wait (scene->future, 0));
  g_assert_cmpuint (test_snapshot (scene->executor, n_blocked), ==, 0);
  g_assert_false (concur_future_wait (scene->future, 20000));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  g_assert_cmpuint (test_snapshot (scene->executor, n_blocked), ==, 0);
  g_assert_null (concur_future_result (scene->future, 1000, &timed_out));
  g_assert_error (timed_out, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);

  /* Even for oneself. */
  g_assert_false (concur_future_wait (CONCUR_FUTURE (job), 1000));

  /* It may take longer than there is time: so it is not run in place. */
  queued = test_submit (scene->executor, inner_job, scene);
  g_assert_true (concur_future_wait (queued, TEST_PATIENCE_US));
  g_assert_true (scene->thread != g_thread_self ());
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_timed (void)
{
  g_autoptr (ConcurPromise) never = concur_promise_new ();
  Scene scene = { .executor = executor_new (1, 1) };

  scene.future = concur_promise_get_future (never);
  concur_future_ignore (scene.future);
  run_scene (&scene, timed_job, 1);
}

static gboolean
pausing_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Scene *scene = data;
  ConcurThreadExecutor *executor = CONCUR_THREAD_EXECUTOR (scene->executor);
  g_autoptr (ConcurFuture) queued = test_submit (executor, inner_job, scene);

  concur_thread_executor_set_paused (executor, TRUE);
  test_gate_open (&scene->clog.begun);
  /* A paused executor starts nothing, not even this; but when it goes on, it does. */
  g_assert_true (concur_future_wait (queued, -1));
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_paused (void)
{
  Scene scene = { .executor = executor_new (1, 1) };
  g_autoptr (ConcurFuture) future = test_submit (scene.executor, pausing_job, &scene);

  test_gate_wait (&scene.clog.begun);
  test_wait_until (test_snapshot (scene.executor, n_blocked) == 1);
  g_assert_cmpuint (test_snapshot (scene.executor, n_running), ==, 1);
  g_assert_cmpuint (test_snapshot (scene.executor, n_pending), ==, 1);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (scene.executor), FALSE);
  test_assert_done (future);
  test_executor_end (scene.executor);
}

#define FAN 6

/* A tree of jobs, each of which waits for its children, one way or the other. */
static gboolean
tree_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Scene *scene = data;
  g_autoptr (GPtrArray) children = test_futures_new ();
  gint64 leaves = 0;
  guint i;

  if (g_atomic_int_add (&scene->depth, -1) > 0)
    {
      for (i = 0; i < FAN; i++)
        g_ptr_array_add (children, test_submit (scene->executor, tree_job, scene));
      for (i = FAN; i > 0; i--)
        {
          ConcurFuture *child = children->pdata[i - 1];
          gint how = g_atomic_int_add (&scene->counter, 1);

          g_assert_true (concur_future_wait (child, how % 4 == 0 ? TEST_PATIENCE_US : -1));
          leaves += concur_future_get_int64 (child, NULL);
        }
    }
  else
    {
      leaves = 1;
    }
  concur_job_return_int64 (job, leaves);

  return TRUE;
}

static void
test_tree (void)
{
  gint inner = (gint) test_scaled (400);
  guint max_threads;

  test_shake_start ();
  for (max_threads = 1; max_threads <= 3; max_threads++)
    {
      /* Each inner job replaces a leaf by FAN of them. */
      Scene scene = { .executor = executor_new (max_threads, 10000), .depth = inner };

      run_scene (&scene, tree_job, 1 + inner * (FAN - 1));
    }
  test_shake_stop ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/waiting/in-place", test_in_place);
  g_test_add_func ("/waiting/in-place/result", test_in_place_result);
  g_test_add_func ("/waiting/in-place/held", test_in_place_held);
  g_test_add_func ("/waiting/in-place/other-outcomes", test_in_place_other_outcomes);
  g_test_add_func ("/waiting/in-place/leaves-no-heap", test_in_place_leaves_no_heap);
  g_test_add_func ("/waiting/depth", test_depth);
  g_test_add_func ("/waiting/depth/timed", test_depth_timed);
  g_test_add_func ("/waiting/depth/mixed", test_depth_mixed);
  g_test_add_func ("/waiting/promise", test_promise);
  g_test_add_func ("/waiting/max-blocked", test_max_blocked);
  g_test_add_func ("/waiting/max-blocked/0", test_max_blocked_0);
  g_test_add_func ("/waiting/running-job", test_running_job);
  g_test_add_func ("/waiting/ring", test_ring);
  g_test_add_func ("/waiting/surplus-thread-retires", test_surplus_thread_retires);
  g_test_add_func ("/waiting/timed", test_timed);
  g_test_add_func ("/waiting/paused", test_paused);
  g_test_add_func ("/waiting/tree", test_tree);

  return test_run ();
}
