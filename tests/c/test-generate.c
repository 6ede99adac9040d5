/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels that are filled by a job: when it starts, what comes out, where things go. What
 * ends one early is in test-generate-stop.c. */

#include "config.h"

#include "test-generate.h"

static gboolean
start_try (ConcurChannel *channel)
{
  GValue value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  /* What it has sent may be there by now. */
  if (!concur_channel_try_receive (channel, &value, &error))
    {
      g_assert_error (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_EMPTY);
      return FALSE;
    }

  return TRUE;
}

static gboolean
start_try_many (ConcurChannel *channel)
{
  g_autoptr (ConcurBatch) batch = concur_channel_try_receive_many (channel, 1, NULL);

  return batch != NULL;
}

static gboolean
start_wait (ConcurChannel *channel)
{
  g_assert_cmpint (wait_int (channel), ==, 0);

  return TRUE;
}

static gboolean
start_wait_many (ConcurChannel *channel)
{
  g_autoptr (ConcurBatch) batch
    = concur_channel_receive_many_wait (channel, 1, TEST_PATIENCE_US, NULL);

  g_assert_nonnull (batch);

  return TRUE;
}

static gboolean
start_future (ConcurChannel *channel)
{
  g_autoptr (ConcurFuture) future = concur_channel_receive (channel);

  test_assert_done (future);
  test_assert_int64 (future, 0);

  return TRUE;
}

static gboolean
start_future_many (ConcurChannel *channel)
{
  g_autoptr (ConcurFuture) future = concur_channel_receive_many (channel, 1);

  test_assert_done (future);

  return TRUE;
}

static void
on_received (GObject      *channel,
             GAsyncResult *result,
             gpointer      got)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_channel_receive_finish (CONCUR_CHANNEL (channel), result, &error);

  g_assert_no_error (error);
  *(gint64 *) got = g_value_get_int64 (value);
}

static gboolean
start_async (ConcurChannel *channel)
{
  gint64 got = -1;

  concur_channel_receive_async (channel, NULL, on_received, &got);
  test_iterate_until (NULL, got == 0);

  return TRUE;
}

/* The first call that receives, and no other. */
static void
test_lazy (gconstpointer data)
{
  gboolean (*start) (ConcurChannel *channel) = data;
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;
  gint64 n;

  counter_init (&counter, 2);
  channel = generate (executor, &counter, 4);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpuint (concur_channel_get_capacity (channel), ==, 4);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
  g_assert_false (concur_channel_is_closed (channel));
  g_assert_false (concur_future_wait (completion, 0));
  g_assert_cmpint (test_snapshot (executor, n_threads), ==, 0);
  assert_pending (completion);

  n = start (channel) ? 1 : 0;
  test_gate_wait (&counter.begun);
  for (; n < 2; n++)
    g_assert_cmpint (wait_int (channel), ==, n);
  assert_closed (channel);
  test_assert_done (completion);
  test_assert_int64 (completion, 2);

  test_executor_end (executor);
  g_assert_cmpint (g_atomic_int_get (&counter.n_calls), ==, 1);
  counter_clear (&counter);
}

/* All of them, in order, whatever the room; then the end, again and again. */
static void
test_order (void)
{
  static const guint capacities[] = { 0, 1, 2, 7, 64 };
  gint64 n = test_scaled (5000);

  for (guint i = 0; i < G_N_ELEMENTS (capacities); i++)
    {
      ConcurExecutor *executor = pool_new (2);
      g_autoptr (ConcurChannel) channel = NULL;
      g_autoptr (ConcurFuture) completion = NULL;
      Counter counter;

      counter_init (&counter, n);
      channel = generate (executor, &counter, capacities[i]);
      g_assert_cmpuint (concur_channel_get_capacity (channel), ==, capacities[i]);
      for (gint64 j = 0; j < n; j++)
        g_assert_cmpint (wait_int (channel), ==, j);
      assert_closed (channel);
      assert_closed (channel);
      g_assert_true (concur_channel_is_closed (channel));
      assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);

      completion = concur_channel_dup_completion (channel);
      test_assert_done (completion);
      test_assert_int64 (completion, n);
      g_assert_false (concur_channel_stop (channel));

      g_assert_true (counter.thread != g_thread_self ());
      test_executor_end (executor);
      counter_clear (&counter);
    }
  assert_nothing_left ();
}

static void
test_nothing (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, 0);
  channel = generate (executor, &counter, 1);
  assert_closed (channel);
  completion = concur_channel_dup_completion (channel);
  test_assert_done (completion);
  test_assert_int64 (completion, 0);
  test_executor_end (executor);
  counter_clear (&counter);
}

/* It sends what there is room for, and then waits for the receiver. */
static void
test_back_pressure (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, 10);
  channel = generate (executor, &counter, 3);
  g_assert_cmpint (wait_int (channel), ==, 0);
  for (guint i = 1; i < 7; i++)
    {
      /* It waits with the next one in its hand. */
      test_wait_until (count_waiters (channel) == 1);
      g_assert_cmpint (g_atomic_int_get (&counter.n_sent), ==, i + 3);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);
      g_assert_cmpint (take_int (channel), ==, i);
    }
  test_gate_wait (&counter.ended);
  for (guint i = 7; i < 10; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  assert_closed (channel);
  test_executor_end (executor);
  counter_clear (&counter);
}

/* Without a bound it never waits. */
static void
test_no_bound (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, 1000);
  channel = generate (executor, &counter, 0);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_gate_wait (&counter.ended);
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 999);
  test_executor_end (executor);

  /* Not before the last is received. */
  g_assert_false (concur_future_is_done (completion));
  for (guint i = 1; i < 1000; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  assert_closed (channel);
  test_assert_int64 (completion, 1000);
  counter_clear (&counter);
}

/* The error comes after what was sent before it. */
static void
test_error (gconstpointer data)
{
  gint64 n = GPOINTER_TO_INT (data);
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no more");
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL, future = NULL;
  Counter counter;

  counter_init (&counter, n);
  counter.ends_with = error;
  channel = generate (executor, &counter, 0);
  completion = concur_channel_dup_completion (channel);
  future = concur_channel_receive (channel);
  test_assert_done (future);
  if (n > 0)
    test_assert_int64 (future, 0);
  else
    test_assert_error (future, G_FILE_ERROR, 7);
  test_gate_wait (&counter.ended);
  test_executor_end (executor);

  for (gint64 i = 1; i < n; i++)
    {
      g_assert_false (concur_future_is_done (completion));
      g_assert_cmpint (take_int (channel), ==, i);
    }
  assert_ends (channel, G_FILE_ERROR, 7);
  assert_ends (channel, G_FILE_ERROR, 7);
  test_assert_error (completion, G_FILE_ERROR, 7);
  counter_clear (&counter);
}

static gboolean
answer_error (ConcurJob      *job,
              ConcurChannel  *channel,
              gpointer        data,
              GError        **error)
{
  g_autoptr (GError) own_error = g_error_new_literal (G_FILE_ERROR, 9, "answered");

  put_int (channel, 1);
  concur_job_return_error (job, own_error);
  put_int (channel, 2);

  return TRUE;
}

static gboolean
answer_number (ConcurJob      *job,
               ConcurChannel  *channel,
               gpointer        data,
               GError        **error)
{
  put_int (channel, 1);
  concur_job_return_int64 (job, 5);
  put_int (channel, 2);

  return TRUE;
}

static gboolean
say_no (ConcurJob      *job,
        ConcurChannel  *channel,
        gpointer        data,
        GError        **error)
{
  put_int (channel, 1);
  put_int (channel, 2);

  return FALSE;
}

static gboolean
error_and_yes (ConcurJob      *job,
               ConcurChannel  *channel,
               gpointer        data,
               GError        **error)
{
  put_int (channel, 1);
  put_int (channel, 2);
  g_set_error_literal (error, G_FILE_ERROR, 8, "yes and no");

  return TRUE;
}

static gboolean
close_and_fail (ConcurJob      *job,
                ConcurChannel  *channel,
                gpointer        data,
                GError        **error)
{
  put_int (channel, 1);
  put_int (channel, 2);
  concur_channel_close (channel);
  g_set_error_literal (error, G_FILE_ERROR, 8, "too late");

  return FALSE;
}

/* Whichever way it says how it went. */
static void
test_answers (void)
{
  ConcurExecutor *executor = pool_new (1);
  const struct
  {
    ConcurGenerateFunc func;
    GQuark domain;
    gint code;
  } cases[] = {
    { answer_error, G_FILE_ERROR, 9 },
    { answer_number, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED },
    { say_no, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE },
    { error_and_yes, G_FILE_ERROR, 8 },
    { close_and_fail, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ConcurChannel) channel
        = concur_executor_generate (executor, cases[i].func, NULL, NULL, 0, NULL);
      g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

      g_assert_cmpint (wait_int (channel), ==, 1);
      g_assert_cmpint (wait_int (channel), ==, 2);
      assert_ends (channel, cases[i].domain, cases[i].code);
      test_assert_done (completion);
    }
  test_executor_end (executor);
  assert_nothing_left ();
}

static void
test_shut_down (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurFuture) end = NULL, completion = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, 1);
  channel = generate (executor, &counter, 1);
  completion = concur_channel_dup_completion (channel);
  end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  test_assert_done (end);
  /* Not an error of the channel's before somebody wants to receive. */
  g_assert_false (concur_channel_is_closed (channel));
  assert_ends (channel, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  test_assert_error (completion, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
  g_object_unref (executor);
  counter_clear (&counter);
  g_assert_cmpint (counter.n_calls, ==, 0);
}

static void
test_queue_full (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 1,
                                           "max-pending", 1, "overflow", CONCUR_OVERFLOW_REJECT,
                                           NULL);
  TestClog clog = { 0 }, next = { 0 };
  g_autoptr (ConcurFuture) runs = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) waits = NULL, future = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  test_gate_wait (&clog.begun);
  waits = test_submit (executor, test_clog_job, &next);

  counter_init (&counter, 1);
  channel = generate (executor, &counter, 1);
  future = concur_channel_receive (channel);
  test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);
  assert_ends (channel, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_QUEUE_FULL);

  test_gate_open (&clog.go);
  test_gate_open (&next.go);
  test_executor_end (executor);
  counter_clear (&counter);
}

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

static void
test_mistakes (void)
{
  ConcurExecutor *executor = concur_executor_get_default ();

  test_critical (g_assert_null (concur_executor_generate (NULL, count, NULL, NULL, 1, NULL)));
  test_critical (g_assert_null (concur_executor_generate (executor, NULL, NULL, NULL, 1, NULL)));
  test_critical (g_assert_null (
    concur_executor_generate (executor, count, NULL, NULL, (guint) G_MAXINT + 1, NULL)));
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_data_func ("/generate/lazy/try", start_try, test_lazy);
  g_test_add_data_func ("/generate/lazy/try-many", start_try_many, test_lazy);
  g_test_add_data_func ("/generate/lazy/wait", start_wait, test_lazy);
  g_test_add_data_func ("/generate/lazy/wait-many", start_wait_many, test_lazy);
  g_test_add_data_func ("/generate/lazy/future", start_future, test_lazy);
  g_test_add_data_func ("/generate/lazy/future-many", start_future_many, test_lazy);
  g_test_add_data_func ("/generate/lazy/async", start_async, test_lazy);
  g_test_add_func ("/generate/order", test_order);
  g_test_add_func ("/generate/nothing", test_nothing);
  g_test_add_func ("/generate/back-pressure", test_back_pressure);
  g_test_add_func ("/generate/no-bound", test_no_bound);
  g_test_add_data_func ("/generate/error/at-once", GINT_TO_POINTER (0), test_error);
  g_test_add_data_func ("/generate/error/after-some", GINT_TO_POINTER (5), test_error);
  g_test_add_func ("/generate/answers", test_answers);
  g_test_add_func ("/generate/shut-down", test_shut_down);
  g_test_add_func ("/generate/queue-full", test_queue_full);
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
  g_test_add_func ("/generate/mistakes", test_mistakes);

  return test_run ();
}
