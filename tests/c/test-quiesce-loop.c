/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* After concur_quiesce () loop threads stand still, with work of all kinds before them, and so
 * do threads that come too late: this program has a pthread_create () of its own, whose
 * threads begin when told to. */

#include "config.h"

#include "test-quiesce.h"

#include <dlfcn.h>
#include <pthread.h>

/* A loop thread with work of all kinds before it. */

static gboolean
count_source (gpointer data)
{
  enter ();

  return G_SOURCE_CONTINUE;
}

static void
clog_post (gpointer data)
{
  TestClog *clog = data;

  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
}

static void
child_loop (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("loop");
  ConcurExecutor *executor = CONCUR_EXECUTOR (thread);
  GMainContext *context = concur_loop_thread_get_context (thread);
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) job = NULL, end = NULL;
  GSource *source = g_idle_source_new ();
  TestClog clog = { 0 };
  GError *error = NULL;

  g_assert_true (concur_loop_thread_start (thread, &error));
  g_assert_true (concur_executor_post (executor, clog_post, &clog, called));
  test_gate_wait (&clog.begun);
  g_assert_true (concur_executor_post (executor, called, NULL, called));
  job = submit_told (executor);
  concur_future_when_done (done, future_called, NULL, called, context);
  /* Its turn is later than that of all these. */
  g_source_set_priority (source, G_PRIORITY_LOW);
  g_source_set_callback (source, count_source, NULL, NULL);
  g_source_attach (source, context);

  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  g_assert_cmpint (concur_future_get_state (job), ==, CONCUR_FUTURE_STATE_PENDING);

  /* None of these waits. */
  g_assert_false (concur_loop_thread_stop (thread, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  g_assert_false (concur_loop_thread_join (thread, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  g_assert_null (concur_loop_thread_call (thread, test_one_job, NULL, NULL, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  assert_not_running (end);
  g_object_unref (thread);
  leave ();
}

/* The same kind of work after that which keeps the loop, in the same turn. */

static ConcurLoopThread *
clogged_loop_new (TestClog *clog)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("loop");

  g_assert_true (concur_loop_thread_start (thread, NULL));
  g_assert_true (concur_executor_post (CONCUR_EXECUTOR (thread), clog_post, clog, NULL));
  test_gate_wait (&clog->begun);

  return thread;
}

static void
finish_loop (TestClog *clog)
{
  quiesce ();
  test_gate_open (&clog->go);
  test_wait_until (n_still () == 1);
  leave ();
}

static void
child_loop_post (void)
{
  TestClog clog = { 0 };
  ConcurLoopThread *thread = clogged_loop_new (&clog);

  concur_executor_post (CONCUR_EXECUTOR (thread), called, NULL, NULL);
  finish_loop (&clog);
}

static void
child_loop_job (void)
{
  TestClog clog = { 0 };
  ConcurLoopThread *thread = clogged_loop_new (&clog);
  g_autoptr (ConcurFuture) job = test_submit (thread, entering_job, NULL);

  finish_loop (&clog);
}

static void
child_loop_callback (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("loop");
  GMainContext *context = concur_loop_thread_get_context (thread);
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);

  g_assert_true (concur_loop_thread_start (thread, NULL));
  concur_future_when_done (done, clogged_callback, NULL, NULL, context);
  test_gate_wait (&in_callback.begun);
  concur_future_when_done (done, future_called, NULL, NULL, context);
  finish_loop (&in_callback);
}

/* What both submitted comes home while the loop is kept. */

typedef struct
{
  ConcurExecutor *executor;
  TestClog submitting;
  TestClog releasing;
} Releasing;

static void
submit_both (gpointer data)
{
  Releasing *self = data;

  g_object_unref (concur_executor_submit (self->executor, test_one_job, &self->releasing, clog_post,
                                          NULL));
  g_object_unref (concur_executor_submit (self->executor, test_one_job, NULL, called, NULL));
  clog_post (&self->submitting);
}

static void
child_loop_release (void)
{
  Releasing releasing = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  ConcurLoopThread *thread = concur_loop_thread_new ("loop");

  /* Nothing comes home, and is let go of, inside the second submit. */
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (releasing.executor), TRUE);
  g_assert_true (concur_loop_thread_start (thread, NULL));
  g_assert_true (concur_executor_post (CONCUR_EXECUTOR (thread), submit_both, &releasing, NULL));
  test_gate_wait (&releasing.submitting.begun);
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (releasing.executor), FALSE);
  test_wait_until (test_snapshot (releasing.executor, n_completed) == 2
                   && test_snapshot (releasing.executor, n_idle) == 1);
  test_gate_open (&releasing.submitting.go);
  test_gate_wait (&releasing.releasing.begun);
  finish_loop (&releasing.releasing);
}

/* Threads that come too late: they are there, and have not come to us yet. */

typedef struct
{
  void *(*func) (void *data);
  void *data;
} Start;

static gint holding;     /* atomic: threads do not begin */
static TestClog starting;

static void *
start_held (void *data)
{
  Start start = *(Start *) data;

  g_free (data);
  test_gate_open (&starting.begun);
  test_gate_wait (&starting.go);

  return start.func (start.data);
}

/* Exported, though this program hides what it does not say. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t            *thread,
                const pthread_attr_t *attributes,
                void               *(*func) (void *),
                void                 *data)
{
  int (*next) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *)
      = dlsym (RTLD_NEXT, "pthread_create");
  Start *start;

  if (!g_atomic_int_get (&holding))
    return next (thread, attributes, func, data);

  start = g_new (Start, 1);
  *start = (Start){ func, data };

  return next (thread, attributes, start_held, start);
}

static void
child_starting_worker (void)
{
  ConcurExecutor *executor = g_object_new (TEST_TYPE_LANGUAGE, "max-threads", 1, NULL);
  g_autoptr (ConcurFuture) future = NULL;

  g_atomic_int_set (&holding, TRUE);
  future = test_submit (executor, entering_job, NULL);
  test_gate_wait (&starting.begun);
  finish_loop (&starting);
}

#define TEST_TYPE_LOOP_THREAD (test_loop_thread_get_type ())
G_DECLARE_FINAL_TYPE (TestLoopThread, test_loop_thread, TEST, LOOP_THREAD, ConcurLoopThread)

struct _TestLoopThread
{
  ConcurLoopThread parent_instance;
};

G_DEFINE_FINAL_TYPE (TestLoopThread, test_loop_thread, CONCUR_TYPE_LOOP_THREAD)

static void
test_loop_thread_run_loop (ConcurLoopThread *thread)
{
  enter ();
  CONCUR_LOOP_THREAD_CLASS (test_loop_thread_parent_class)->run_loop (thread);
}

static void
test_loop_thread_class_init (TestLoopThreadClass *klass)
{
  CONCUR_LOOP_THREAD_CLASS (klass)->run_loop = test_loop_thread_run_loop;
}

static void
test_loop_thread_init (TestLoopThread *self)
{
}

static TestGate may_start;

static gpointer
start_thread (gpointer thread)
{
  test_gate_wait (&may_start);
  concur_loop_thread_start (thread, NULL);

  return NULL;
}

static void
child_starting_loop (void)
{
  ConcurLoopThread *thread = g_object_new (TEST_TYPE_LOOP_THREAD, NULL);

  /* It waits for the start, in vain. */
  g_thread_unref (g_thread_new ("start", start_thread, thread));
  g_atomic_int_set (&holding, TRUE);
  test_gate_open (&may_start);
  test_gate_wait (&starting.begun);
  finish_loop (&starting);
}

/* Only sources of our own: it stops between two turns. */
static void
child_loop_sources (void)
{
  ConcurLoopThread *thread = concur_loop_thread_new ("loop");
  GSource *source = g_idle_source_new ();

  g_source_set_callback (source, count_source, NULL, NULL);
  g_source_attach (source, concur_loop_thread_get_context (thread));
  g_assert_true (concur_loop_thread_start (thread, NULL));
  concur_quiesce ();
  test_wait_until (n_still () == 1);
  g_atomic_int_set (&quiet, TRUE);
  leave ();
}

int
main (int   argc,
      char *argv[])
{
  static const Scene scenes[] = {
    { "loop", child_loop },
    { "loop/post", child_loop_post },
    { "loop/job", child_loop_job },
    { "loop/callback", child_loop_callback },
    { "loop/release", child_loop_release },
    { "loop/sources", child_loop_sources },
    { "starting/worker", child_starting_worker },
    { "starting/loop", child_starting_loop },
  };

  return quiesce_main (argc, argv, scenes, G_N_ELEMENTS (scenes));
}
