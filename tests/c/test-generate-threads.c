/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels that are filled by a job: on which threads, where things go home, jobs that wait
 * for each other, and those that are held and send by futures. */

#include "config.h"

#include "test-generate.h"

static gpointer
receive_all (gpointer data)
{
  ConcurChannel *channel = data;
  gint64 n = 0;

  for (;;)
    {
      g_autoptr (GError) error = NULL;
      GValue value = G_VALUE_INIT;

      if (!concur_channel_receive_wait (channel, &value, TEST_PATIENCE_US, &error))
        {
          g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
          return GINT_TO_POINTER (n);
        }
      g_assert_cmpint (g_value_get_int64 (&value), ==, n);
      n++;
    }
}

/* Of who makes it, not of who receives first, nor of who receives last. */
static void
test_home (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ConcurChannel *channel;
  GThread *thread;
  Counter counter;

  counter_init (&counter, 20);
  channel = concur_executor_generate (executor, count, &counter, counter_released, 1, cancellable);
  thread = g_thread_new ("receiver", receive_all, channel);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (thread)), ==, 20);
  test_executor_end (executor);
  counter_clear (&counter);

  g_object_unref (channel);
  assert_nothing_left ();
  g_assert_cmpuint (G_OBJECT (cancellable)->ref_count, ==, 1);
}

typedef struct
{
  GThread *thread;
  guint n_changes;
  double last;
  char *text;
} Changes;

static void
on_progress (ConcurFuture *completion,
             GParamSpec   *pspec,
             gpointer      data)
{
  Changes *changes = data;

  g_assert_true (g_thread_self () == changes->thread);
  changes->n_changes++;
  changes->last = concur_future_get_progress (completion);
}

static gboolean
progress (ConcurJob      *job,
          ConcurChannel  *channel,
          gpointer        told,
          GError        **error)
{
  concur_job_set_progress (job, 0.25);
  concur_job_set_status_text (job, "a quarter");
  put_int (channel, 1);
  test_gate_wait (told);
  concur_job_set_progress (job, 0.75);

  return TRUE;
}

static gpointer
receive_one (gpointer channel)
{
  g_assert_cmpint (wait_int (channel), ==, 1);

  return NULL;
}

static void
test_progress (void)
{
  ConcurExecutor *executor = pool_new (1);
  TestGate told = { 0 };
  g_autoptr (ConcurChannel) channel
    = concur_executor_generate (executor, progress, &told, NULL, 0, NULL);
  g_autoptr (ConcurFuture) completion = NULL;
  g_autofree char *text = NULL;
  Changes changes = { g_thread_self () };
  GThread *thread = g_thread_new ("receiver", receive_one, channel);

  /* Whoever asks for it first, and whoever started it, the signals are here. */
  g_thread_join (thread);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (concur_future_get_state (completion), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_cmpfloat (concur_future_get_progress (completion), ==, 0.25);
  text = concur_future_dup_status_text (completion);
  g_assert_cmpstr (text, ==, "a quarter");

  g_signal_connect (completion, "notify::progress", G_CALLBACK (on_progress), &changes);
  test_gate_open (&told);
  test_iterate_until (NULL, changes.n_changes > 0);
  g_assert_cmpfloat (changes.last, ==, 0.75);
  assert_closed (channel);
  test_assert_done (completion);
  g_assert_cmpfloat (concur_future_get_progress (completion), ==, 0.75);
  test_executor_end (executor);
}

/* Each has its own thread, so they are all there at once. */
static void
test_own_threads (void)
{
  enum { N = 20 };
  ConcurExecutor *executor = pool_new (0);
  ConcurChannel *channels[N];
  Counter counters[N];

  for (guint i = 0; i < N; i++)
    {
      counter_init (&counters[i], 3);
      channels[i] = generate (executor, &counters[i], 1);
      g_assert_cmpint (wait_int (channels[i]), ==, 0);
    }
  for (guint i = 0; i < N; i++)
    test_wait_until (count_waiters (channels[i]) == 1);
  for (guint i = 0; i < N; i++)
    for (guint j = 0; j < i; j++)
      g_assert_true (counters[i].thread != counters[j].thread);

  for (guint i = 0; i < N; i++)
    {
      g_assert_cmpint (wait_int (channels[i]), ==, 1);
      g_assert_cmpint (wait_int (channels[i]), ==, 2);
      assert_closed (channels[i]);
      g_object_unref (channels[i]);
    }
  test_executor_end (executor);
  for (guint i = 0; i < N; i++)
    counter_clear (&counters[i]);
}

/* One that waits for its receiver counts as blocked, and other jobs go on. */
static void
test_blocked_worker (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) other = NULL;
  Counter counter;

  counter_init (&counter, 3);
  channel = generate (executor, &counter, 1);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_wait_until (count_waiters (channel) == 1);
  other = test_submit (executor, test_one_job, NULL);
  test_assert_done (other);
  g_assert_cmpint (wait_int (channel), ==, 1);
  g_assert_cmpint (wait_int (channel), ==, 2);
  assert_closed (channel);
  test_executor_end (executor);
  counter_clear (&counter);
}

/* A chain of them, each receiving from the one before, on one thread's pool. */
static gboolean
pass_on (ConcurJob      *job,
         ConcurChannel  *channel,
         gpointer        source,
         GError        **error)
{
  GError *own_error = NULL;
  GValue value = G_VALUE_INIT;

  while (concur_channel_receive_wait (source, &value, -1, &own_error))
    {
      g_value_set_int64 (&value, g_value_get_int64 (&value) + 1);
      if (!concur_channel_send_wait (channel, &value, -1, error))
        return FALSE;
      g_value_unset (&value);
    }
  if (g_error_matches (own_error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED))
    {
      g_error_free (own_error);
      return TRUE;
    }
  g_propagate_error (error, own_error);

  return FALSE;
}

static void
test_pipeline (gconstpointer data)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no more");
  gboolean fails = data != NULL;
  ConcurExecutor *executor = pool_new (1);
  ConcurChannel *channel;
  Counter counter;

  counter_init (&counter, 50);
  if (fails)
    counter.ends_with = error;
  channel = generate (executor, &counter, 1);
  for (guint i = 0; i < 10; i++)
    channel = concur_executor_generate (executor, pass_on, channel, g_object_unref, 1, NULL);
  for (guint i = 0; i < 50; i++)
    g_assert_cmpint (wait_int (channel), ==, i + 10);
  if (fails)
    assert_ends (channel, G_FILE_ERROR, 7);
  else
    assert_closed (channel);
  g_object_unref (channel);
  test_executor_end (executor);
  counter_clear (&counter);
  assert_nothing_left ();
}

/* Held: it sends by futures, in the loop's thread, and ends later. */
typedef struct
{
  ConcurJob *job;         /* (owned) */
  ConcurChannel *channel; /* (owned) */
  gint64 next, n;
  gboolean fails;
  gint n_failed;          /* atomic: sends that did not go through */
  TestGate ended;
} Feeder;

static void feeder_go_on (Feeder *self);

static void
feeder_end (Feeder *self)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no more");

  g_object_unref (self->channel);
  if (self->fails)
    concur_job_return_error (self->job, error);
  else
    concur_job_return_boolean (self->job, TRUE);
  g_object_unref (self->job);
  test_gate_open (&self->ended);
}

static void
feeder_sent (ConcurFuture *future,
             gpointer      data)
{
  Feeder *self = data;

  if (concur_future_check (future, NULL))
    {
      feeder_go_on (self);
    }
  else
    {
      g_atomic_int_inc (&self->n_failed);
      feeder_end (self);
    }
}

static void
feeder_go_on (Feeder *self)
{
  g_autoptr (ConcurFuture) future = NULL;

  if (self->next == self->n)
    {
      feeder_end (self);
      return;
    }

  future = send_int (self->channel, self->next++);
  concur_future_when_done (future, feeder_sent, self, NULL, NULL);
}

static gboolean
feed (ConcurJob      *job,
      ConcurChannel  *channel,
      gpointer        data,
      GError        **error)
{
  Feeder *self = data;

  concur_job_hold (job);
  self->job = g_object_ref (job);
  self->channel = g_object_ref (channel);
  feeder_go_on (self);

  return TRUE;
}

static void
test_held_loop_thread (gconstpointer data)
{
  gboolean fails = data != NULL;
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("feeder");
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Feeder feeder = { .n = 50, .fails = fails };

  g_assert_true (concur_loop_thread_start (loop, NULL));
  channel = concur_executor_generate (CONCUR_EXECUTOR (loop), feed, &feeder, NULL, 2, NULL);
  completion = concur_channel_dup_completion (channel);
  for (guint i = 0; i < 50; i++)
    g_assert_cmpint (wait_int (channel), ==, i);
  if (fails)
    assert_ends (channel, G_FILE_ERROR, 7);
  else
    assert_closed (channel);
  test_assert_done (completion);
  test_gate_wait (&feeder.ended);
  g_assert_true (concur_loop_thread_stop (loop, TEST_PATIENCE_US, NULL));
}

/* Its last values are waiting for room when it ends. */
static gboolean
feed_and_go (ConcurJob      *job,
             ConcurChannel  *channel,
             gpointer        sent,
             GError        **error)
{
  for (guint i = 0; i < 5; i++)
    g_ptr_array_add (sent, send_int (channel, i));

  return TRUE;
}

static void
test_ends_before_sent (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  g_autoptr (GPtrArray) sent = test_futures_new ();
  g_autoptr (ConcurChannel) channel
    = concur_executor_generate (executor, feed_and_go, sent, NULL, 1, NULL);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  gint64 got = -1;

  for (gint64 i = 0; i < 5; i++)
    {
      concur_channel_receive_async (channel, NULL, on_received, &got);
      test_iterate_until (NULL, got == i);
      g_assert_true (concur_channel_is_closed (channel));
    }
  assert_closed (channel);
  for (guint i = 0; i < 5; i++)
    g_assert_true (concur_future_check (sent->pdata[i], NULL));
  test_assert_int64 (completion, 5);
}

/* All in one loop: who feeds and who receives. */
static void
test_held_context (void)
{
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_context_executor_new (NULL));
  Feeder feeder = { .n = 10 };
  g_autoptr (ConcurChannel) channel
    = concur_executor_generate (executor, feed, &feeder, NULL, 1, NULL);
  gint64 got = -1;

  for (gint64 i = 0; i < 10; i++)
    {
      concur_channel_receive_async (channel, NULL, on_received, &got);
      test_iterate_until (NULL, got == i);
    }
  test_iterate_until (NULL, test_gate_get (&feeder.ended) == 1);
  assert_closed (channel);
}

/* A handle that outlives the function can do no more than any other. */
static gboolean
keep_handle (ConcurJob      *job,
             ConcurChannel  *channel,
             gpointer        kept,
             GError        **error)
{
  put_int (channel, 1);
  *(ConcurChannel **) kept = g_object_ref (channel);

  return TRUE;
}

static void
test_handle_kept (void)
{
  ConcurExecutor *executor = pool_new (1);
  ConcurChannel *kept = NULL, *channel
    = concur_executor_generate (executor, keep_handle, &kept, NULL, 0, NULL);

  g_assert_cmpint (wait_int (channel), ==, 1);
  assert_closed (channel);
  test_executor_end (executor);
  g_assert_true (kept != channel);
  assert_no_send (kept, CONCUR_CHANNEL_ERROR_CLOSED);
  g_object_unref (channel);
  assert_no_send (kept, CONCUR_CHANNEL_ERROR_CLOSED);
  g_object_unref (kept);
  assert_nothing_left ();
}

static gboolean
wait_for_own_end (ConcurJob      *job,
                  ConcurChannel  *channel,
                  gpointer        data,
                  GError        **error)
{
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

  g_assert_false (concur_future_wait (completion, -1));
  put_int (channel, 1);

  return TRUE;
}

/* Waiting for the end in what is to end. */
static void
test_deadlock (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel
    = concur_executor_generate (executor, wait_for_own_end, NULL, NULL, 0, NULL);

  g_assert_cmpint (wait_int (channel), ==, 1);
  assert_closed (channel);
  test_executor_end (executor);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/generate/home", test_home);
  g_test_add_func ("/generate/progress", test_progress);
  g_test_add_func ("/generate/own-threads", test_own_threads);
  g_test_add_func ("/generate/blocked-worker", test_blocked_worker);
  g_test_add_data_func ("/generate/pipeline", NULL, test_pipeline);
  g_test_add_data_func ("/generate/pipeline-fails", "", test_pipeline);
  g_test_add_data_func ("/generate/held/loop-thread", NULL, test_held_loop_thread);
  g_test_add_data_func ("/generate/held/fails", "", test_held_loop_thread);
  g_test_add_func ("/generate/held/context", test_held_context);
  g_test_add_func ("/generate/ends-before-sent", test_ends_before_sent);
  g_test_add_func ("/generate/handle-kept", test_handle_kept);
  g_test_add_func ("/generate/deadlock", test_deadlock);

  return test_run ();
}
