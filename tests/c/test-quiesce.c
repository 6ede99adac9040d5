/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* concur_quiesce (): no thread of the library enters our code any more, and all others go
 * on. It cannot be taken back, so each case runs in a process of its own: the program runs
 * itself with the name of what it is to do.
 *
 * That something never happens is shown by the threads: once all of them stand still
 * nobody is left who could do it. */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-home-private.h"
#include "concur-timer-private.h"
#include "test-workers.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS 23

/* A child that hangs ends by this, which its parent sees. */
#define CHILD_SECONDS 60

static char *program;

static GThread *main_thread;
static gint quiet;       /* atomic: concur_quiesce () has returned */
static gint n_late;      /* atomic: entries on threads of the library since then */

/* To be called by whatever code of ours the library calls. */
static void
enter (void)
{
  if (g_atomic_int_get (&quiet) && g_thread_self () != main_thread)
    g_atomic_int_inc (&n_late);
}

static void
quiesce (void)
{
  concur_quiesce ();
  g_atomic_int_set (&quiet, TRUE);
}

static guint
n_still (void)
{
  return (guint) concur_atomic_load (&concur_threads_still, CONCUR_ACQUIRE);
}

static void
assert_not_running (ConcurFuture *future)
{
  g_assert_true (concur_future_is_done (future));
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
}

/* Not exit (): what stands still has things that nobody lets go of. */
static G_NORETURN void
leave (void)
{
  g_assert_cmpint (g_atomic_int_get (&n_late), ==, 0);
  _exit (STATUS);
}

/* Whoever is told of anything. */

static void
called (gpointer data)
{
  enter ();
}

static void
future_called (ConcurFuture *future,
               gpointer      data)
{
  enter ();
}

/* A class that notes all it is told, and does it all. */

#define TEST_TYPE_JOB (test_job_get_type ())
G_DECLARE_FINAL_TYPE (TestJob, test_job, TEST, JOB, ConcurJob)

struct _TestJob
{
  ConcurJob parent_instance;
};

G_DEFINE_FINAL_TYPE (TestJob, test_job, CONCUR_TYPE_JOB)

static gboolean
test_job_run (ConcurJob  *job,
              GError    **error)
{
  enter ();
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_job_told (ConcurJob *job)
{
  enter ();
}

static void
test_job_class_init (TestJobClass *klass)
{
  CONCUR_JOB_CLASS (klass)->run = test_job_run;
  CONCUR_JOB_CLASS (klass)->done = test_job_told;
  CONCUR_JOB_CLASS (klass)->release = test_job_told;
}

static void
test_job_init (TestJob *self)
{
}

static ConcurFuture *
submit_told (ConcurExecutor *executor)
{
  g_autoptr (ConcurJob) job = g_object_new (TEST_TYPE_JOB, NULL);

  concur_job_watch (job);
  concur_future_add_direct_callback (CONCUR_FUTURE (job), future_called, NULL, called);

  return concur_executor_submit_job (executor, job, NULL);
}

/* A job that runs meanwhile goes on to its end, and its thread no further. */

static TestGate over;

static gboolean
running_job (ConcurJob *job,
             gpointer   clog,
             GError   **error)
{
  test_clog_job (job, clog, error);
  test_gate_open (&over);

  return TRUE;
}

static void
scene_running (ConcurReleasePolicy policy)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "release",
                                           policy, NULL);
  TestClog clog = { 0 };
  ConcurFuture *running, *queued;

  running = concur_executor_submit (executor, running_job, &clog, called, NULL);
  concur_future_add_direct_callback (running, future_called, NULL, called);
  test_gate_wait (&clog.begun);
  queued = submit_told (executor);

  quiesce ();
  test_gate_open (&clog.go);
  test_gate_wait (&over);
  test_wait_until (n_still () == 1);
  test_assert_int64 (running, 42);
  g_assert_cmpint (concur_future_get_state (queued), ==, CONCUR_FUTURE_STATE_PENDING);
  leave ();
}

static void
child_running (void)
{
  scene_running (CONCUR_RELEASE_HOME);
}

static void
child_running_release (void)
{
  scene_running (CONCUR_RELEASE_WORKER);
}

/* Nothing else than the next job is there to do. */

static gboolean
entering_job (ConcurJob *job,
              gpointer   data,
              GError   **error)
{
  enter ();
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
child_queue (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestClog clog = { 0 };
  ConcurFuture *running = test_submit (executor, test_clog_job, &clog), *queued;

  test_gate_wait (&clog.begun);
  queued = test_submit (executor, entering_job, NULL);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  test_assert_int64 (running, 42);
  g_assert_cmpint (concur_future_get_state (queued), ==, CONCUR_FUTURE_STATE_PENDING);
  leave ();
}

/* The job has ended, and there is only something to let go. */
static void
child_release (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "release",
                                           CONCUR_RELEASE_WORKER, NULL);
  TestClog clog = { 0 };

  g_object_unref (concur_executor_submit (executor, test_clog_job, &clog, called, NULL));
  test_gate_wait (&clog.begun);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* One that is run by who waits for it, while the queue has it. */

static gboolean
waiting_job (ConcurJob *job,
             gpointer   other,
             GError   **error)
{
  concur_future_wait (other, -1);
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
child_in_place (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                           TRUE, "release", CONCUR_RELEASE_WORKER, NULL);
  g_autoptr (ConcurJob) outer = NULL;
  ConcurFuture *inner;
  TestClog clog = { 0 };

  inner = concur_executor_submit (executor, test_clog_job, &clog, called, NULL);
  outer = concur_job_new (waiting_job, inner, NULL);
  concur_job_set_priority (outer, CONCUR_PRIORITY_HIGH);
  g_object_unref (concur_executor_submit_job (executor, outer, NULL));
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_gate_wait (&clog.begun);

  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* Who submitted has gone, so the worker would let go itself. */

typedef struct
{
  ConcurExecutor *executor;
  TestClog clog;
} Gone;

static gpointer
submit_and_go (gpointer data)
{
  Gone *self = data;

  g_object_unref (concur_executor_submit (self->executor, test_clog_job, &self->clog, called, NULL));

  return NULL;
}

static void
child_home_gone (void)
{
  Gone gone = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };

  g_thread_join (g_thread_new ("gone", submit_and_go, &gone));
  test_gate_wait (&gone.clog.begun);
  quiesce ();
  test_gate_open (&gone.clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

static gboolean
range_func (ConcurBatch *batch,
            guint        first,
            guint        n,
            gpointer     clog,
            GError     **error)
{
  if (first == 0)
    {
      test_gate_open (&((TestClog *) clog)->begun);
      test_gate_wait (&((TestClog *) clog)->go);
    }
  else
    {
      enter ();
    }

  return TRUE;
}

static void
child_range (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) future = NULL;

  future = concur_executor_map_range (executor, 100, 1, range_func, &clog, NULL, NULL);
  test_gate_wait (&clog.begun);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  g_assert_false (concur_future_is_done (future));
  leave ();
}

/* Before that there are callbacks to call, one of which does not end. */

static TestClog in_callback;

static void
clogged_callback (ConcurFuture *future,
                  gpointer      data)
{
  test_gate_open (&in_callback.begun);
  test_gate_wait (&in_callback.go);
}

static void
child_callbacks (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1, "paused",
                                           TRUE, "release", CONCUR_RELEASE_WORKER, NULL);
  g_autoptr (ConcurJob) job = g_object_new (TEST_TYPE_JOB, NULL);
  ConcurFuture *future = CONCUR_FUTURE (job);

  concur_future_add_direct_callback (future, clogged_callback, NULL, called);
  concur_future_add_direct_callback (future, future_called, NULL, called);
  concur_job_watch (job);
  g_object_unref (concur_executor_submit_job (executor, job, NULL));
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), FALSE);
  test_gate_wait (&in_callback.begun);

  quiesce ();
  test_gate_open (&in_callback.go);
  test_wait_until (n_still () == 1);
  leave ();
}

/* thread_main: a thread that is about to come back to it, and one that only starts. */

#define TEST_TYPE_LANGUAGE (test_language_get_type ())
G_DECLARE_FINAL_TYPE (TestLanguage, test_language, TEST, LANGUAGE, ConcurThreadExecutor)

struct _TestLanguage
{
  ConcurThreadExecutor parent_instance;
};

G_DEFINE_FINAL_TYPE (TestLanguage, test_language, CONCUR_TYPE_THREAD_EXECUTOR)

static void
test_language_thread_main (ConcurThreadExecutor *executor)
{
  enter ();
  while (concur_thread_executor_run_next (executor))
    enter ();
  enter ();
}

static void
test_language_class_init (TestLanguageClass *klass)
{
  CONCUR_THREAD_EXECUTOR_CLASS (klass)->thread_main = test_language_thread_main;
}

static void
test_language_init (TestLanguage *self)
{
}

static void
child_thread_main (void)
{
  ConcurExecutor *executor = g_object_new (TEST_TYPE_LANGUAGE, "max-threads", 1, NULL);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) running = test_submit (executor, test_clog_job, &clog);

  test_gate_wait (&clog.begun);
  quiesce ();
  test_gate_open (&clog.go);
  test_wait_until (n_still () == 1);
  leave ();
}

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

/* The timer's thread, unless it was there before the callback was. */

static gboolean called_here;

static void
timer_callback (ConcurFuture *future,
                gpointer      data)
{
  if (g_thread_self () == main_thread)
    called_here = TRUE;
  else
    clogged_callback (future, data);
}

static void
child_timer (void)
{
  g_autoptr (ConcurFuture) later = concur_future_delay (10 * TEST_PATIENCE_US);
  g_autoptr (ConcurFuture) delay = NULL, second = NULL;

  do
    {
      g_clear_object (&delay);
      delay = concur_future_delay (G_USEC_PER_SEC / 1000);
      called_here = FALSE;
      concur_future_add_direct_callback (delay, timer_callback, NULL, NULL);
    }
  while (called_here);
  test_gate_wait (&in_callback.begun);
  /* Soon due, and nobody is there to see it. */
  second = concur_future_delay (1);
  concur_future_add_direct_callback (second, future_called, NULL, called);

  quiesce ();
  test_gate_open (&in_callback.go);
  test_wait_until (n_still () == 1);
  g_assert_cmpint (concur_future_get_state (second), ==, CONCUR_FUTURE_STATE_PENDING);

  /* They may still be let go, and new ones are refused. */
  g_assert_true (concur_future_cancel (second, CONCUR_CANCEL_NONE));
  g_assert_true (concur_future_cancel (later, CONCUR_CANCEL_NONE));
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  assert_not_running (concur_future_delay (1));
  leave ();
}

/* What a parent cancellable orders is carried out by the service. */

static void
clogged_handler (GCancellable *cancellable,
                 gpointer      data)
{
  test_gate_open (&in_callback.begun);
  test_gate_wait (&in_callback.go);
}

static gboolean
asked_job (ConcurJob *job,
           gpointer   begun,
           GError   **error)
{
  g_signal_connect (concur_job_get_cancellable (job), "cancelled", G_CALLBACK (clogged_handler), NULL);
  concur_job_hold (job);
  test_gate_open (begun);

  return TRUE;
}

static void
child_service (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) first = NULL, second = NULL;
  TestGate begun = { 0 };

  first = concur_executor_submit (executor, asked_job, &begun, NULL, cancellable);
  test_gate_wait (&begun);
  g_cancellable_cancel (cancellable);
  test_gate_wait (&in_callback.begun);
  g_clear_object (&cancellable);
  cancellable = g_cancellable_new ();
  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  /* Asleep, and so at no gate. */
  test_wait_until (test_snapshot (executor, n_idle) == 1);
  second = concur_executor_submit (executor, test_one_job, NULL, called, cancellable);
  concur_future_add_direct_callback (second, future_called, NULL, NULL);
  g_cancellable_cancel (cancellable);

  quiesce ();
  test_gate_open (&in_callback.go);
  test_wait_until (n_still () == 1);
  g_assert_cmpint (concur_future_get_state (second), ==, CONCUR_FUTURE_STATE_PENDING);
  leave ();
}

/* Who is not the library's goes on. */

static gint n_here;

static void
count_here (ConcurFuture *future,
            gpointer      data)
{
  g_assert_true (g_thread_self () == main_thread);
  n_here++;
}

static gboolean
never_called (ConcurJob     *job,
              ConcurFuture  *input,
              gpointer       data,
              GError       **error)
{
  g_assert_not_reached ();
}

static void
child_others (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (2));
  g_autoptr (ConcurExecutor) here = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  g_autoptr (ConcurFuture) done = test_submit (executor, test_one_job, NULL);
  g_autoptr (ConcurFuture) running = NULL, refused = NULL, end = NULL, posted = NULL, next = NULL;
  g_autoptr (ConcurFuture) here_end = NULL;
  TestReleases releases = { .thread = main_thread };
  TestClog clog = { 0 };
  GError *error = NULL;
  gint64 start;

  test_assert_done (done);
  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  concur_future_add_direct_callback (future, count_here, NULL, NULL);
  concur_future_when_done (future, count_here, NULL, NULL, NULL);

  quiesce ();
  concur_quiesce ();

  start = g_get_monotonic_time ();
  refused = concur_executor_submit (executor, test_one_job, &releases, test_released, NULL);
  assert_not_running (refused);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  posted = concur_executor_submit (here, test_one_job, NULL, NULL, NULL);
  assert_not_running (posted);
  g_assert_false (concur_executor_post (here, called, NULL, NULL));
  g_assert_false (concur_executor_post (executor, called, NULL, NULL));
  next = concur_future_continue_with (done, never_called, NULL, NULL, executor);
  assert_not_running (next);

  /* What is done is done; for the rest nobody waits. */
  g_assert_true (concur_future_wait (done, -1));
  test_assert_int64 (done, 1);
  g_assert_false (concur_future_wait (running, -1));
  g_assert_false (concur_future_wait (running, TEST_PATIENCE_US));
  g_assert_null (concur_future_result (running, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  g_assert_false (concur_future_iterate (running, NULL, -1, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING);
  g_clear_error (&error);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  assert_not_running (end);
  here_end = concur_executor_shutdown (here, CONCUR_SHUTDOWN_DRAIN);
  assert_not_running (here_end);
  g_assert_cmpint (g_get_monotonic_time () - start, <, TEST_PATIENCE_US);

  /* Decisions and callbacks here still count. */
  g_assert_true (concur_future_cancel (running, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (running);
  concur_promise_resolve_int64 (promise, 3);
  g_assert_cmpint (n_here, ==, 1);
  test_iterate_until (NULL, n_here == 2);
  g_object_unref (executor);
  leave ();
}

/* What came home to a thread that is neither the library's nor the one that called stays
 * there: whether the thread looks for it, submits, runs its main context or ends. */

typedef struct
{
  ConcurExecutor *executor;
  TestReleases released;
  TestGate home;            /* it has something at home, and something posted */
  TestGate go;
} TestLeftOut;

static void
left_out_callback (ConcurFuture *future,
                   gpointer      data)
{
  g_error ("called");
}

static gpointer
left_out_thread (gpointer data)
{
  TestLeftOut *scene = data;
  g_autoptr (ConcurFuture) first = NULL, refused = NULL;
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint i;

  first = concur_executor_submit (scene->executor, test_one_job, &scene->released, test_released,
                                  NULL);
  while (!concur_home_front_has_items (concur_thread_home))
    g_thread_yield ();
  concur_future_when_done (first, left_out_callback, NULL, NULL, context);
  test_gate_open (&scene->home);
  test_gate_wait (&scene->go);

  refused = concur_executor_submit (scene->executor, test_one_job, &scene->released,
                                    test_released, NULL);
  assert_not_running (refused);
  g_assert_cmpuint (concur_release_pending (), ==, 0);
  /* Nor do its sources keep a main loop busy. */
  for (i = 0; i < 10; i++)
    g_main_context_iteration (context, FALSE);
  g_assert_false (g_main_context_pending (context));

  return NULL;
}

static void
child_left_out (void)
{
  g_autoptr (ConcurFuture) mine = NULL;
  TestLeftOut scene = { .executor = CONCUR_EXECUTOR (concur_thread_executor_new (1)) };
  TestReleases released = { .thread = main_thread };
  GThread *thread = g_thread_new ("left out", left_out_thread, &scene);

  test_gate_wait (&scene.home);
  quiesce ();
  test_gate_open (&scene.go);
  g_thread_join (thread);
  g_assert_cmpuint (test_releases_get (&scene.released), ==, 0);

  /* Here it goes on. */
  mine = concur_executor_submit (scene.executor, test_one_job, &released, test_released, NULL);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&released), ==, 1);
  leave ();
}

/* Called on one of its threads: that one goes on, too. */

static gboolean
quiescing_job (ConcurJob *job,
               gpointer   gate,
               GError   **error)
{
  main_thread = g_thread_self ();
  quiesce ();
  concur_job_return_int64 (job, 8);
  test_gate_open (gate);

  return TRUE;
}

static void
child_from_a_job (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  g_autoptr (ConcurFuture) future = NULL;
  TestGate gate = { 0 };

  future = concur_executor_submit (executor, quiescing_job, &gate, NULL, NULL);
  test_gate_wait (&gate);
  test_wait_until (concur_future_is_done (future));
  test_assert_int64 (future, 8);
  leave ();
}

/* Right in the middle of everything. A thread that was just entering when all was told to
 * stop may do so once. */

#define N_THREADS 3

static void
child_busy (void)
{
  ConcurExecutor *executors[] = {
    g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", N_THREADS, NULL),
    g_object_new (TEST_TYPE_LANGUAGE, "max-threads", N_THREADS, "release", CONCUR_RELEASE_WORKER,
                  NULL),
  };
  guint n = 200 + (guint) getpid () % 1000, limit = G_N_ELEMENTS (executors) * N_THREADS, i, j;

  for (i = 0; i < n; i++)
    {
      for (j = 0; j < G_N_ELEMENTS (executors); j++)
        g_object_unref (submit_told (executors[j]));
    }
  quiesce ();
  for (i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      g_autoptr (ConcurFuture) refused = submit_told (executors[i]);

      assert_not_running (refused);
    }
  test_wait_until (n_still () + test_snapshot (executors[0], n_idle)
                     + test_snapshot (executors[1], n_idle)
                   == test_snapshot (executors[0], n_threads)
                        + test_snapshot (executors[1], n_threads));
  g_assert_cmpint (g_atomic_int_get (&n_late), <=, (gint) limit);
  _exit (STATUS);
}

static const struct
{
  const char *name;
  void (*run) (void);
} children[] = {
  { "running", child_running },
  { "running/release-on-worker", child_running_release },
  { "queue", child_queue },
  { "release", child_release },
  { "in-place", child_in_place },
  { "home-gone", child_home_gone },
  { "range", child_range },
  { "callbacks", child_callbacks },
  { "thread-main", child_thread_main },
  { "loop", child_loop },
  { "loop/post", child_loop_post },
  { "loop/job", child_loop_job },
  { "loop/callback", child_loop_callback },
  { "loop/release", child_loop_release },
  { "loop/sources", child_loop_sources },
  { "starting/worker", child_starting_worker },
  { "starting/loop", child_starting_loop },
  { "timer", child_timer },
  { "service", child_service },
  { "others", child_others },
  { "left-out", child_left_out },
  { "from-a-job", child_from_a_job },
  { "busy", child_busy },
};

#define ALL_RUNS 230            /* 10 of each */

static void
test_child (gconstpointer data)
{
  const char *name = data;
  guint i, runs = MAX (test_scaled (ALL_RUNS) / G_N_ELEMENTS (children), 1);

  for (i = 0; i < runs; i++)
    {
      const char *argv[] = { program, "--child", name, NULL };
      g_autofree char *output = NULL, *errors = NULL;
      g_autoptr (GError) error = NULL;
      gint status;

      g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL,
                                   &output, &errors, &status, &error));
      g_assert_no_error (error);
      if (!WIFEXITED (status) || WEXITSTATUS (status) != STATUS)
        g_error ("%s ended with the wait status 0x%x\n%s%s", name, (unsigned) status, output, errors);
      g_assert_cmpstr (output, ==, "");
      g_assert_cmpstr (errors, ==, "");
    }
}

int
main (int   argc,
      char *argv[])
{
  guint i;

  if (argc == 3 && strcmp (argv[1], "--child") == 0)
    {
      const struct rlimit no_core = { 0, 0 };

      setrlimit (RLIMIT_CORE, &no_core);
      alarm (CHILD_SECONDS);
      main_thread = g_thread_self ();
      for (i = 0; i < G_N_ELEMENTS (children); i++)
        {
          if (strcmp (argv[2], children[i].name) == 0)
            children[i].run ();
        }
      return EXIT_FAILURE;
    }

  test_init (&argc, &argv);
  program = g_file_read_link ("/proc/self/exe", NULL);
  g_assert_nonnull (program);

  for (i = 0; i < G_N_ELEMENTS (children); i++)
    {
      g_autofree char *path = g_strconcat ("/quiesce/", children[i].name, NULL);

      g_test_add_data_func (path, children[i].name, test_child);
    }

  return test_run ();
}
