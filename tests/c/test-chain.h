/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of chains share: a step that knows how often, where and after what it
 * ran, and a foreign executor that runs jobs when it is told to. */

#pragma once

#include "test-workers.h"

G_BEGIN_DECLS

typedef enum
{
  STEP_PLUS_ONE, /* answers with the input's number and one */
  STEP_NUMBER,   /* with 7 */
  STEP_ERROR,    /* with G_IO_ERROR_EXISTS, as its error */
  STEP_CANCELLED,
  STEP_NOTHING,
  STEP_WAITS,    /* like STEP_NUMBER, between two gates */
} StepAnswer;

/* All zeroes is one that answers with the input's number and one. */
typedef struct
{
  TestReleases released; /* first: it is what is released */
  StepAnswer answer;
  TestGate begun;
  TestGate go;
  gint n_run;            /* atomic */
  GThread *thread;       /* that ran it last */
  GMainContext *context; /* thread-default there */
  gboolean in_pool;      /* whether it was a worker */
  gboolean asked;        /* whether the job was asked to stop, in the end */
} Step;

G_GNUC_UNUSED static gboolean
step_func (ConcurJob    *job,
           ConcurFuture *input,
           gpointer      data,
           GError      **error)
{
  Step *self = data;
  g_autofree char *name = test_dup_thread_name ();

  g_assert_true (concur_job_get_current () == job);
  g_assert_true (concur_future_is_done (input));
  self->thread = g_thread_self ();
  self->context = g_main_context_get_thread_default ();
  self->in_pool = g_str_has_prefix (name, "steps-");
  g_atomic_int_inc (&self->n_run);

  switch (self->answer)
    {
    case STEP_PLUS_ONE:
      concur_job_return_int64 (job, concur_future_get_int64 (input, NULL) + 1);
      break;
    case STEP_ERROR:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "the step's own");
      return FALSE;
    case STEP_CANCELLED:
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the step gave up");
      return FALSE;
    case STEP_WAITS:
      test_gate_open (&self->begun);
      test_gate_wait (&self->go);
      self->asked = concur_job_is_cancelled (job);
      G_GNUC_FALLTHROUGH;
    case STEP_NUMBER:
      concur_job_return_int64 (job, 7);
      break;
    case STEP_NOTHING:
    default:
      break;
    }

  return TRUE;
}

typedef ConcurFuture *(*StepHow) (ConcurFuture       *input,
                                  ConcurContinueFunc  func,
                                  gpointer            data,
                                  GDestroyNotify      destroy,
                                  ConcurExecutor     *executor);

/* Asks for it on this thread, where it is to be released. */
G_GNUC_UNUSED static ConcurFuture *
step_after (Step         *self,
            StepHow       how,
            ConcurFuture *input,
            gpointer      executor)
{
  self->released.thread = g_thread_self ();

  return how (input, step_func, self, test_released, executor);
}

G_GNUC_UNUSED static gboolean
step_is_released (Step *self)
{
  concur_release_pending ();

  return test_releases_get (&self->released) > 0;
}

/* Ran that often, and was released once, here. */
#define step_assert(step, runs)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    test_iterate_until (g_main_context_get_thread_default (), step_is_released (step));            \
    g_assert_cmpuint (test_releases_get (&(step)->released), ==, 1);                               \
    g_assert_cmpuint (test_releases_get_wrong (&(step)->released), ==, 0);                         \
    g_assert_cmpint ((step)->n_run, ==, (runs));                                                   \
  }                                                                                                \
  G_STMT_END

/* How many futures there are, without those that have only to be let go here. */
G_GNUC_UNUSED static guint
steps_count_alive (void)
{
  GMainContext *context = g_main_context_get_thread_default ();

  while (concur_release_pending () > 0 || g_main_context_iteration (context, FALSE))
    ;

  return test_futures_alive ();
}

/* Nothing of what was made since is left. */
#define steps_assert_alive(expected)                                                               \
  test_iterate_until (g_main_context_get_thread_default (), steps_count_alive () <= (expected))

G_GNUC_UNUSED static ConcurExecutor *
steps_pool (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "steps", "max-threads", max_threads, NULL);
}

/* An executor that keeps what it is given until somebody runs it. */
#define TEST_TYPE_KEEPER (test_keeper_get_type ())
G_DECLARE_FINAL_TYPE (TestKeeper, test_keeper, TEST, KEEPER, GObject)

struct _TestKeeper
{
  GObject parent_instance;

  GMutex mutex;
  GQueue jobs;       /* (owned) protected by mutex */
  TestGate given;
  gboolean at_once;  /* runs them inside execute () */
};

static void test_keeper_iface_init (ConcurExecutorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestKeeper, test_keeper, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, test_keeper_iface_init))

static void
test_keeper_execute (ConcurExecutor *executor,
                     ConcurJob      *job)
{
  TestKeeper *self = TEST_KEEPER (executor);

  if (self->at_once)
    {
      concur_job_execute (job);
      return;
    }

  g_mutex_lock (&self->mutex);
  g_queue_push_tail (&self->jobs, g_object_ref (job));
  g_mutex_unlock (&self->mutex);
  test_gate_open (&self->given);
}

/* Runs the oldest one here. */
G_GNUC_UNUSED static gboolean
test_keeper_run (TestKeeper *self)
{
  g_autoptr (ConcurJob) job = NULL;

  g_mutex_lock (&self->mutex);
  job = g_queue_pop_head (&self->jobs);
  g_mutex_unlock (&self->mutex);
  if (job != NULL)
    concur_job_execute (job);

  return job != NULL;
}

static void
test_keeper_iface_init (ConcurExecutorInterface *iface)
{
  iface->execute = test_keeper_execute;
}

static void
test_keeper_finalize (GObject *object)
{
  TestKeeper *self = TEST_KEEPER (object);

  g_queue_clear_full (&self->jobs, g_object_unref);
  g_mutex_clear (&self->mutex);

  G_OBJECT_CLASS (test_keeper_parent_class)->finalize (object);
}

static void
test_keeper_class_init (TestKeeperClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_keeper_finalize;
}

static void
test_keeper_init (TestKeeper *self)
{
  g_mutex_init (&self->mutex);
  g_queue_init (&self->jobs);
}

G_GNUC_UNUSED static TestKeeper *
test_keeper_new (gboolean at_once)
{
  TestKeeper *self = g_object_new (TEST_TYPE_KEEPER, NULL);

  self->at_once = at_once;

  return self;
}

/* Inputs */
typedef enum
{
  INPUT_VALUE, /* 41 */
  INPUT_ERROR, /* G_IO_ERROR_NOT_FOUND */
  INPUT_CANCELLED,
  N_INPUTS
} InputOutcome;

G_GNUC_UNUSED static void
input_complete (ConcurPromise *promise,
                InputOutcome   outcome)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the input's");

  if (outcome == INPUT_VALUE)
    concur_promise_resolve_int64 (promise, 41);
  else if (outcome == INPUT_ERROR)
    concur_promise_reject (promise, error);
  else
    concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
}

G_END_DECLS
