/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A range worked on by all threads of an executor: which calls are made, when they end,
 * and who lets go of what. For the slots see test-batch.c. */

#include "config.h"

#include "test-workers.h"

static ConcurExecutor *
executor_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                       "name", "range", "max-threads", max_threads, NULL);
}

typedef struct
{
  TestReleases releases; /* first: it is what the range is given */
  guint n;
  guint chunk;           /* 0: not known */
  gint *seen;            /* atomic: calls for each item */
  gint n_calls;          /* atomic */
  guint fail_at;         /* item whose call fails; G_MAXUINT: none */
  gboolean fail_silently;
  TestGate begun;
  TestGate go;           /* waited for if gated */
  gboolean gated;
  gint n_in;             /* atomic: calls at work */
} Range;

static void
range_open (Range *range,
            guint  n,
            guint  chunk)
{
  *range = (Range){ .releases.thread = g_thread_self (), .n = n, .chunk = chunk,
                    .seen = g_new0 (gint, n), .fail_at = G_MAXUINT };
}

static void
range_close (Range *range)
{
  /* The last thread makes the future done first, and lets go then. */
  test_wait_until (test_releases_get (&range->releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&range->releases), ==, 0);
  g_assert_cmpint (range->n_in, ==, 0);
  g_free (range->seen);
}

static gboolean
range_func (ConcurBatch  *batch,
            guint         first,
            guint         n,
            gpointer      data,
            GError      **error)
{
  Range *self = data;
  gboolean success = TRUE;
  guint i;

  g_atomic_int_inc (&self->n_in);
  g_atomic_int_inc (&self->n_calls);
  g_assert_cmpuint (test_releases_get (&self->releases), ==, 0);
  g_assert_cmpuint (n, >, 0);
  if (self->chunk > 0)
    g_assert_cmpuint (n, <=, self->chunk);
  g_assert_cmpuint (first, <, self->n);
  g_assert_cmpuint (n, <=, self->n - first);
  g_assert_nonnull (concur_job_get_current ());

  if (self->gated)
    {
      test_gate_open (&self->begun);
      test_gate_wait (&self->go);
    }

  for (i = first; i < first + n; i++)
    {
      g_assert_cmpint (g_atomic_int_add (&self->seen[i], 1), ==, 0);
      concur_batch_set_int64 (batch, i, 3 * (gint64) i);
      if (i == self->fail_at)
        {
          if (!self->fail_silently)
            g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "item %u", i);
          success = FALSE;
          break;
        }
    }
  g_atomic_int_add (&self->n_in, -1);

  return success;
}

static ConcurFuture *
range_submit (Range          *range,
              ConcurExecutor *executor,
              GCancellable   *cancellable)
{
  return concur_executor_map_range (executor, range->n, range->chunk, range_func, range,
                                    test_released, cancellable);
}

static void
assert_all (Range        *range,
            ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GObject) batch = concur_future_dup_object (future, &error);
  guint i;

  g_assert_no_error (error);
  g_assert_true (CONCUR_IS_BATCH (batch));
  g_assert_cmpuint (concur_batch_get_n_items (CONCUR_BATCH (batch)), ==, range->n);
  for (i = 0; i < range->n; i++)
    {
      g_assert_cmpint (range->seen[i], ==, 1);
      g_assert_cmpint (concur_batch_get_int64 (CONCUR_BATCH (batch), i), ==, 3 * (gint64) i);
    }
}

static void
test_sizes (void)
{
  static const guint chunks[] = { 0, 1, 2, 7, 64, G_MAXUINT };
  static const guint threads[] = { 1, 3, 0 };
  guint t, c, k;

  for (t = 0; t < G_N_ELEMENTS (threads); t++)
    {
      ConcurExecutor *executor = executor_new (threads[t]);

      for (c = 0; c < G_N_ELEMENTS (chunks); c++)
        {
          guint chunk = CLAMP (chunks[c], 1, 100);
          guint sizes[] = { 0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk + 1 };

          for (k = 0; k < G_N_ELEMENTS (sizes); k++)
            {
              g_autoptr (ConcurFuture) future = NULL;
              Range range;

              range_open (&range, sizes[k], chunks[c]);
              future = range_submit (&range, executor, NULL);
              test_assert_done (future);
              assert_all (&range, future);
              if (chunks[c] == chunk)
                g_assert_cmpint (range.n_calls, ==, (gint) ((sizes[k] + chunk - 1) / chunk));
              range_close (&range);
            }
        }
      test_executor_end (executor);
    }
}

static void
test_large (void)
{
  static const guint chunks[] = { 0, 1, 3, 1000 };
  ConcurExecutor *executor = executor_new (3);
  guint c;

  for (c = 0; c < G_N_ELEMENTS (chunks); c++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, test_scaled (100000), chunks[c]);
      future = range_submit (&range, executor, NULL);
      test_assert_done (future);
      assert_all (&range, future);
      range_close (&range);
    }
  test_executor_end (executor);
}

/* Three threads, three calls at once; and a fourth would be one too many. */
static void
test_all_threads (void)
{
  ConcurExecutor *executor = executor_new (3);
  g_autoptr (ConcurFuture) future = NULL;
  Range range;

  range_open (&range, 30, 1);
  range.gated = TRUE;
  future = range_submit (&range, executor, NULL);
  test_gate_wait_n (&range.begun, 3);
  g_assert_cmpint (g_atomic_int_get (&range.n_in), ==, 3);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RUNNING);
  test_gate_open (&range.go);
  test_assert_done (future);
  assert_all (&range, future);
  range_close (&range);
  test_executor_end (executor);
}

static void
test_error (void)
{
  guint i;

  for (i = 0; i < 2; i++)
    {
      ConcurExecutor *executor = executor_new (2);
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, 100000, 1);
      range.fail_at = 5;
      range.fail_silently = i == 1;
      future = range_submit (&range, executor, NULL);
      test_assert_done (future);
      g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
      if (range.fail_silently)
        test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
      else
        test_assert_error (future, G_FILE_ERROR, G_FILE_ERROR_FAILED);
      /* Nobody works on once it is known. */
      g_assert_cmpint (range.n_in, ==, 0);
      g_assert_cmpint (range.n_calls, <, 100000);
      range_close (&range);
      test_executor_end (executor);
    }
}

/* One thread makes the calls in order, and so it is known which are made. */
static void
test_error_stops (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (ConcurFuture) future = NULL;
  Range range;
  guint i;

  range_open (&range, 1000, 10);
  range.fail_at = 205;
  future = range_submit (&range, executor, NULL);
  test_assert_done (future);
  test_assert_error (future, G_FILE_ERROR, G_FILE_ERROR_FAILED);
  g_assert_cmpint (range.n_calls, ==, 21);
  for (i = 0; i < 1000; i++)
    g_assert_cmpint (range.seen[i], ==, i <= 205);
  range_close (&range);
  test_executor_end (executor);
}

typedef struct
{
  TestGate begun;
  TestGate go[2];
} TwoFailures;

static gboolean
two_failures (ConcurBatch  *batch,
              guint         first,
              guint         n,
              gpointer      data,
              GError      **error)
{
  TwoFailures *self = data;

  test_gate_open (&self->begun);
  test_gate_wait (&self->go[first]);
  g_set_error (error, G_FILE_ERROR, first == 0 ? G_FILE_ERROR_EXIST : G_FILE_ERROR_ISDIR, "failed");

  return FALSE;
}

/* The error that counts is the first in time; the other call is waited for. */
static void
test_first_error (void)
{
  ConcurExecutor *executor = executor_new (2);
  guint first;

  for (first = 0; first < 2; first++)
    {
      TwoFailures failures = { 0 };
      g_autoptr (ConcurFuture) future = NULL;

      future = concur_executor_map_range (executor, 2, 1, two_failures, &failures, NULL, NULL);
      test_gate_wait_n (&failures.begun, 2);
      test_gate_open (&failures.go[first]);
      /* That call is over when its thread has nothing to do. */
      test_wait_until (test_snapshot (executor, n_idle) == 1);
      g_assert_false (concur_future_is_done (future));
      test_gate_open (&failures.go[1 - first]);
      test_assert_done (future);
      test_assert_error (future, G_FILE_ERROR,
                         first == 0 ? G_FILE_ERROR_EXIST : G_FILE_ERROR_ISDIR);
    }
  test_executor_end (executor);
}

static void
test_cancel_before (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (ConcurFuture) running = NULL;
  TestClog clog = { 0 };
  guint i;

  running = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  for (i = 0; i < 3; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, 100, 1);
      if (i == 0)
        g_cancellable_cancel (cancellable);
      future = range_submit (&range, executor, cancellable);
      if (i == 1)
        g_cancellable_cancel (cancellable);
      else if (i == 2)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      test_assert_done (future);
      test_assert_cancelled (future);
      g_assert_cmpint (range.n_calls, ==, 0);
      range_close (&range);
    }
  test_gate_open (&clog.go);
  test_assert_done (running);
  test_executor_end (executor);
}

static void
test_cancel_during (void)
{
  ConcurExecutor *executor = executor_new (2);
  guint i;

  for (i = 0; i < 2; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, 100, 1);
      range.gated = TRUE;
      future = range_submit (&range, executor, cancellable);
      test_gate_wait_n (&range.begun, 2);
      if (i == 0)
        g_cancellable_cancel (cancellable);
      else
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      test_wait_until (concur_job_is_cancelled (CONCUR_JOB (future)));
      g_assert_false (concur_future_is_done (future));

      test_gate_open (&range.go);
      test_assert_done (future);
      test_assert_cancelled (future);
      /* The calls that ran, and no more. */
      g_assert_cmpint (range.n_calls, ==, 2);
      range_close (&range);
    }
  test_executor_end (executor);
}

static void
test_abandon (void)
{
  ConcurExecutor *executor = executor_new (2);
  g_autoptr (ConcurFuture) future = NULL;
  Range range;

  range_open (&range, 100, 1);
  range.gated = TRUE;
  future = range_submit (&range, executor, NULL);
  test_gate_wait_n (&range.begun, 2);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_ABANDON));
  g_assert_true (concur_future_is_done (future));
  test_assert_cancelled (future);

  /* The calls still use what was given with the range. */
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&range.releases), ==, 0);
  test_gate_open (&range.go);
  test_wait_until (test_releases_get (&range.releases) == 1);
  g_assert_cmpint (range.n_calls, ==, 2);
  test_assert_cancelled (future);
  range_close (&range);
  test_executor_end (executor);
}

/* The future may go first. */
static void
test_dropped (void)
{
  ConcurExecutor *executor = executor_new (2);
  ConcurFuture *future;
  Range range;
  guint i;

  range_open (&range, 100, 1);
  range.gated = TRUE;
  future = range_submit (&range, executor, NULL);
  test_gate_wait_n (&range.begun, 2);
  concur_future_ignore (future);
  g_object_unref (future);
  test_gate_open (&range.go);
  test_wait_until (test_releases_get (&range.releases) == 1);
  for (i = 0; i < 100; i++)
    g_assert_cmpint (range.seen[i], ==, 1);
  range_close (&range);
  test_executor_end (executor);
}

static gboolean
outer_job (ConcurJob  *job,
           gpointer    executor,
           GError    **error)
{
  g_autoptr (ConcurFuture) future = NULL;
  Range range;

  range_open (&range, 1000, 10);
  future = range_submit (&range, executor, NULL);
  g_assert_true (concur_future_wait (future, -1));
  assert_all (&range, future);
  range_close (&range);
  concur_job_return_int64 (job, test_snapshot (executor, n_threads));

  return TRUE;
}

/* A job that waits for a range works on it itself, if nobody has begun to. */
static void
test_in_a_job (void)
{
  ConcurExecutor *executor = executor_new (1);
  g_autoptr (GPtrArray) outer = test_futures_new ();
  g_autoptr (ConcurFuture) only = test_submit (executor, outer_job, executor);
  guint i;

  test_assert_done (only);
  test_assert_int64 (only, 1);
  test_executor_end (executor);

  executor = executor_new (2);
  for (i = 0; i < test_scaled (100); i++)
    g_ptr_array_add (outer, test_submit (executor, outer_job, executor));
  test_futures_wait (outer);
  for (i = 0; i < outer->len; i++)
    g_assert_true (concur_future_check (outer->pdata[i], NULL));
  test_executor_end (executor);
}

static gboolean
nested_func (ConcurBatch  *batch,
             guint         first,
             guint         n,
             gpointer      executor,
             GError      **error)
{
  guint i;

  for (i = first; i < first + n; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, 50, 4);
      future = range_submit (&range, executor, NULL);
      g_assert_true (concur_future_wait (future, -1));
      assert_all (&range, future);
      range_close (&range);
      concur_batch_set_int64 (batch, i, i);
    }

  return TRUE;
}

static void
test_nested (void)
{
  guint threads;

  for (threads = 1; threads <= 2; threads++)
    {
      ConcurExecutor *executor = executor_new (threads);
      g_autoptr (ConcurFuture) future = NULL;

      future = concur_executor_map_range (executor, 20, 1, nested_func, executor, NULL, NULL);
      test_assert_done (future);
      g_assert_true (concur_future_check (future, NULL));
      test_executor_end (executor);
    }
}

static void
test_refused (void)
{
  ConcurExecutor *executor = executor_new (2);
  g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  g_autoptr (ConcurFuture) future = NULL;
  Range range;

  range_open (&range, 100, 1);
  future = range_submit (&range, executor, NULL);
  g_assert_true (concur_future_is_done (future));
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_assert_cmpint (range.n_calls, ==, 0);
  range_close (&range);
  test_assert_done (end);
  g_object_unref (executor);
}

/* Without helpers, because they are refused, the job does it all. */
static void
test_no_helpers (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                           "name", "range", "max-threads", 4, "max-pending", 1,
                                           "overflow", CONCUR_OVERFLOW_REJECT, NULL);
  guint i;

  for (i = 0; i < 50; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, 40, 1);
      test_wait_until (test_snapshot (executor, n_pending) == 0);
      future = range_submit (&range, executor, NULL);
      test_assert_done (future);
      assert_all (&range, future);
      range_close (&range);
    }
  test_executor_end (executor);
}

/* Runs jobs in the main loop of whoever submits. */
typedef struct
{
  GObject parent_instance;
} TestIdleExecutor;

typedef GObjectClass TestIdleExecutorClass;

static void idle_executor_iface_init (ConcurExecutorInterface *iface);
static GType test_idle_executor_get_type (void);

G_DEFINE_TYPE_WITH_CODE (TestIdleExecutor, test_idle_executor, G_TYPE_OBJECT,
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, idle_executor_iface_init))

static gboolean
idle_run (gpointer job)
{
  concur_job_execute (job);

  return G_SOURCE_REMOVE;
}

static void
idle_execute (ConcurExecutor *executor,
              ConcurJob      *job)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, idle_run, g_object_ref (job), g_object_unref);
}

static void
idle_executor_iface_init (ConcurExecutorInterface *iface)
{
  iface->execute = idle_execute;
}

static void
test_idle_executor_class_init (TestIdleExecutorClass *klass)
{
}

static void
test_idle_executor_init (TestIdleExecutor *self)
{
}

static void
test_custom (void)
{
  ConcurExecutor *executor = g_object_new (test_idle_executor_get_type (), NULL);
  g_autoptr (ConcurFuture) future = NULL, failed = NULL;
  Range range, failing;

  range_open (&range, 1000, 0);
  range_open (&failing, 1000, 9);
  failing.fail_at = 500;
  future = range_submit (&range, executor, NULL);
  failed = range_submit (&failing, executor, NULL);
  g_assert_cmpint (range.n_calls, ==, 0);
  test_iterate_until (NULL, concur_future_is_done (future) && concur_future_is_done (failed));
  assert_all (&range, future);
  test_assert_error (failed, G_FILE_ERROR, G_FILE_ERROR_FAILED);

  while (g_main_context_iteration (NULL, FALSE))
    ;
  range_close (&range);
  range_close (&failing);
  /* Nobody keeps it. */
  g_object_add_weak_pointer (G_OBJECT (executor), (gpointer *) &executor);
  g_object_unref (executor);
  g_clear_object (&future);
  g_clear_object (&failed);
  test_iterate_until (NULL, executor == NULL);
}

/* Chunks are reckoned from how many threads there may be. */
static void
test_huge_executor (void)
{
  ConcurExecutor *executor = executor_new (1 << 29);
  g_autoptr (ConcurFuture) future = NULL;
  Range range;

  range_open (&range, 20, 0);
  future = range_submit (&range, executor, NULL);
  test_assert_done (future);
  assert_all (&range, future);
  range_close (&range);
  test_executor_end (executor);
}

static void
test_mistakes (void)
{
  ConcurExecutor *executor = executor_new (1);

  test_critical (g_assert_null (concur_executor_map_range (NULL, 1, 1, range_func, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_executor_map_range (executor, 1, 1, NULL, NULL, NULL, NULL)));
  test_critical (g_assert_null (concur_executor_map_range (executor, 1, 1, range_func, NULL, NULL,
                                                           (GCancellable *) executor)));
  test_executor_end (executor);
}

/* Cancelled, failed, dropped, at any moment. */
static void
test_shaken (void)
{
  ConcurExecutor *executor = executor_new (3);
  guint rounds = test_scaled (300), i;

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurFuture) future = NULL;
      Range range;

      range_open (&range, 60, 1 + i % 3);
      if (i % 4 == 1)
        range.fail_at = i % 60;
      future = range_submit (&range, executor, NULL);
      if (i % 4 == 2)
        concur_future_cancel (future, CONCUR_CANCEL_NONE);
      else if (i % 4 == 3)
        concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
      test_assert_done (future);
      if (i % 4 == 0)
        assert_all (&range, future);
      else if (i % 4 == 1)
        test_assert_error (future, G_FILE_ERROR, G_FILE_ERROR_FAILED);
      test_wait_until (test_releases_get (&range.releases) == 1);
      range_close (&range);
    }
  test_shake_stop ();
  test_executor_end (executor);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/map-range/sizes", test_sizes);
  g_test_add_func ("/map-range/large", test_large);
  g_test_add_func ("/map-range/all-threads", test_all_threads);
  g_test_add_func ("/map-range/error", test_error);
  g_test_add_func ("/map-range/error/stops", test_error_stops);
  g_test_add_func ("/map-range/error/first", test_first_error);
  g_test_add_func ("/map-range/cancel/before", test_cancel_before);
  g_test_add_func ("/map-range/cancel/during", test_cancel_during);
  g_test_add_func ("/map-range/cancel/abandon", test_abandon);
  g_test_add_func ("/map-range/dropped", test_dropped);
  g_test_add_func ("/map-range/in-a-job", test_in_a_job);
  g_test_add_func ("/map-range/nested", test_nested);
  g_test_add_func ("/map-range/refused", test_refused);
  g_test_add_func ("/map-range/no-helpers", test_no_helpers);
  g_test_add_func ("/map-range/custom", test_custom);
  g_test_add_func ("/map-range/huge-executor", test_huge_executor);
  g_test_add_func ("/map-range/mistakes", test_mistakes);
  g_test_add_func ("/map-range/shaken", test_shaken);

  return test_run ();
}
