/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A generated channel that nobody wants any more: stopped, forgotten or closed by who
 * receives, or its job cancelled; before it has begun, while it waits, and when it is held.
 * What else ends one is in test-generate-cancel.c, all at once in test-generate-races.c. */

#include "config.h"

#include "test-generate-stop.h"

/* The function is woken where it waits for room, is asked to stop, cleans up on its own
 * thread, and has returned when the completion says that it is over. */
static void
test_wakes (gconstpointer data)
{
  guint way = GPOINTER_TO_UINT (data);
  ConcurExecutor *executor = pool_new (0);
  ConcurChannel *channel;
  ConcurFuture *completion;
  TestGate may_end = { 0 };
  Counter counter;

  counter_init (&counter, FOR_EVER);
  counter.may_end = &may_end;
  channel = generate (executor, &counter, 2);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_wait_until (count_waiters (channel) == 1);
  g_assert_cmpint (concur_future_get_state (completion), ==, CONCUR_FUTURE_STATE_RUNNING);

  end (&channel, completion, way);
  test_gate_wait (&counter.cleaning);
  g_assert_error (counter.error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
  g_assert_cmpint (g_atomic_int_get (&counter.n_sent), ==, 3);

  /* It is in the middle of cleaning up. */
  g_assert_false (concur_future_wait (completion, 1000));
  g_assert_cmpint (concur_future_get_state (completion), ==, CONCUR_FUTURE_STATE_RUNNING);
  if (channel != NULL)
    {
      assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
    }

  test_gate_open (&may_end);
  test_assert_done (completion);
  g_assert_cmpuint (test_gate_get (&counter.ended), ==, 1);
  test_assert_cancelled (completion);

  g_object_unref (completion);
  g_clear_object (&channel);
  test_executor_end (executor);
  counter_clear (&counter);
  assert_nothing_left ();
}

static gboolean
until_cancelled (ConcurJob      *job,
                 ConcurChannel  *channel,
                 gpointer        data,
                 GError        **error)
{
  TestGate *cancelled = data;

  put_int (channel, 1);
  while (!concur_job_is_cancelled (job))
    g_thread_yield ();
  g_assert_true (g_cancellable_is_cancelled (concur_job_get_cancellable (job)));
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  test_gate_open (cancelled);

  return TRUE;
}

/* Also where it does not send. */
static void
test_asks (gconstpointer data)
{
  guint way = GPOINTER_TO_UINT (data);
  ConcurExecutor *executor = pool_new (1);
  TestGate cancelled = { 0 };
  ConcurChannel *channel
    = concur_executor_generate (executor, until_cancelled, &cancelled, NULL, 1, NULL);
  ConcurFuture *completion = concur_channel_dup_completion (channel);

  g_assert_cmpint (wait_int (channel), ==, 1);
  end (&channel, completion, way);
  test_assert_done (completion);
  test_assert_cancelled (completion);
  g_assert_cmpuint (test_gate_get (&cancelled), ==, 1);
  g_object_unref (completion);
  g_clear_object (&channel);
  test_executor_end (executor);
  assert_nothing_left ();
}

/* The value that is there counts; only what comes after the stop does not. */
static void
test_deaf (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, FOR_EVER);
  counter.deaf = TRUE;
  channel = generate (executor, &counter, 1);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  concur_channel_stop (channel);
  /* It returns TRUE, as if nothing was. */
  test_assert_done (completion);
  test_assert_cancelled (completion);
  test_executor_end (executor);
  g_assert_true (counter.error != NULL);
  counter_clear (&counter);
}

/* Its error, after the channel was stopped, is nobody's concern and is not logged. */
static void
test_error_after (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "while cleaning up");
  ConcurExecutor *executor = pool_new (1);
  ConcurChannel *channel;
  Counter counter;

  counter_init (&counter, FOR_EVER);
  counter.deaf = TRUE;
  counter.ends_with = error;
  channel = generate (executor, &counter, 1);
  g_assert_cmpint (wait_int (channel), ==, 0);
  g_object_unref (channel);
  test_executor_end (executor);
  counter_clear (&counter);
  assert_nothing_left ();
}

static gpointer
end_elsewhere (gpointer data)
{
  gpointer *args = data;
  ConcurChannel *channel = args[0];

  end (&channel, args[1], GPOINTER_TO_UINT (args[2]));
  args[0] = channel;

  return NULL;
}

/* Without a receiver: the function is never called, what was given goes home, and it is
 * over at once. Then it does not start any more. */
static void
test_never_started (gconstpointer data)
{
  guint way = GPOINTER_TO_UINT (data) % N_WAYS;
  gboolean elsewhere = GPOINTER_TO_UINT (data) >= N_WAYS;
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  ConcurChannel *channel;
  ConcurFuture *completion;
  Counter counter;

  counter_init (&counter, FOR_EVER);
  channel = concur_executor_generate (executor, count, &counter, counter_released, 1, cancellable);
  completion = concur_channel_dup_completion (channel);
  if (elsewhere)
    {
      gpointer args[] = { channel, completion, GUINT_TO_POINTER (way) };

      g_thread_join (g_thread_new ("other", end_elsewhere, args));
      channel = args[0];
    }
  else
    {
      end (&channel, completion, way);
      g_assert_cmpuint (test_releases_get (&counter.releases), ==, 1);
    }
  g_assert_true (concur_future_is_done (completion));
  if (way == CLOSE)
    test_assert_int64 (completion, 0);
  else
    test_assert_cancelled (completion);
  counter_clear (&counter);
  g_assert_cmpuint (G_OBJECT (cancellable)->ref_count, ==, 1);

  if (channel != NULL)
    {
      assert_no_receive (channel, way == CLOSE ? CONCUR_CHANNEL_ERROR_CLOSED
                                               : CONCUR_CHANNEL_ERROR_STOPPED);
      g_object_unref (channel);
    }
  g_object_unref (completion);
  g_assert_cmpint (test_snapshot (executor, n_threads), ==, 0);
  test_executor_end (executor);
  g_assert_cmpint (counter.n_calls, ==, 0);
  assert_nothing_left ();
}

/* It was started, but all threads are taken: it ends at once as well. */
static void
test_queued (gconstpointer data)
{
  guint way = GPOINTER_TO_UINT (data);
  ConcurExecutor *executor = pool_new (1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  ConcurChannel *channel;
  ConcurFuture *completion;
  Counter counter;

  test_gate_wait (&clog.begun);
  counter_init (&counter, FOR_EVER);
  channel = generate (executor, &counter, 1);
  completion = concur_channel_dup_completion (channel);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
  end (&channel, completion, way);
  g_assert_true (concur_future_is_done (completion));
  test_assert_cancelled (completion);
  counter_clear (&counter);
  if (channel != NULL)
    assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  g_clear_object (&channel);
  g_object_unref (completion);

  test_gate_open (&clog.go);
  test_executor_end (executor);
  g_assert_cmpint (counter.n_calls, ==, 0);
}

/* Closed by who receives: what the function has sent still comes, and more it cannot send. */
static void
test_closed_by_receiver (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, FOR_EVER);
  channel = generate (executor, &counter, 2);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_wait_until (count_waiters (channel) == 1);
  g_assert_true (concur_channel_close (channel));
  /* Two in the channel and one that waits for room. */
  for (guint i = 1; i < 4; i++)
    g_assert_cmpint (take_int (channel), ==, i);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  test_assert_done (completion);
  test_assert_int64 (completion, 4);
  g_assert_error (counter.error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
  test_executor_end (executor);
  counter_clear (&counter);
}

/* Abandoned: the completion is done at once, and all ends as it should later. */
static void
test_abandoned (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  TestGate may_end = { 0 };
  Counter counter;

  counter_init (&counter, FOR_EVER);
  counter.may_end = &may_end;
  channel = generate (executor, &counter, 1);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  /* It has begun. */
  g_assert_false (concur_future_cancel (completion, CONCUR_CANCEL_QUEUED));
  g_assert_cmpint (wait_int (channel), ==, 1);

  g_assert_true (concur_future_cancel (completion, CONCUR_CANCEL_ABANDON));
  test_assert_cancelled (completion);
  test_gate_wait (&counter.cleaning);
  g_assert_cmpuint (test_gate_get (&counter.ended), ==, 0);
  test_gate_open (&may_end);
  test_executor_end (executor);
  counter_clear (&counter);
  g_clear_object (&channel);
  g_clear_object (&completion);
  assert_nothing_left ();
}

/* By the function itself. */
static gboolean
stop_itself (ConcurJob      *job,
             ConcurChannel  *channel,
             gpointer        data,
             GError        **error)
{
  g_assert_true (concur_channel_stop (channel));
  g_assert_true (concur_job_is_cancelled (job));
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_STOPPED);

  return TRUE;
}

static void
test_stops_itself (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel
    = concur_executor_generate (executor, stop_itself, NULL, NULL, 1, NULL);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

  assert_ends (channel, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
  test_assert_done (completion);
  test_assert_cancelled (completion);
  test_executor_end (executor);
}

/* A held one is over when it answers, not before. */
typedef struct
{
  ConcurJob *job;         /* (owned) */
  ConcurChannel *channel; /* (owned) */
  ConcurFuture *sent;     /* (owned) */
  TestGate held;
} Held;

static gboolean
hold (ConcurJob      *job,
      ConcurChannel  *channel,
      gpointer        data,
      GError        **error)
{
  Held *held = data;

  concur_job_hold (job);
  held->job = g_object_ref (job);
  held->channel = g_object_ref (channel);
  put_int (channel, 1);
  held->sent = send_int (channel, 2);
  test_gate_open (&held->held);

  return TRUE;
}

static void
test_held (gconstpointer data)
{
  guint way = GPOINTER_TO_UINT (data);
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("held");
  g_autoptr (ConcurFuture) future = NULL;
  Held held = { NULL };
  ConcurChannel *channel;
  ConcurFuture *completion;

  g_assert_true (concur_loop_thread_start (loop, NULL));
  channel = concur_executor_generate (CONCUR_EXECUTOR (loop), hold, &held, NULL, 1, NULL);
  completion = concur_channel_dup_completion (channel);
  future = concur_channel_receive (channel);
  test_gate_wait (&held.held);
  test_assert_done (future);
  test_assert_int64 (future, 1);
  test_assert_done (held.sent);

  /* The one in the channel goes, the one that waits gives up. */
  g_clear_object (&held.sent);
  held.sent = send_int (held.channel, 3);
  assert_pending (held.sent);
  end (&channel, completion, way);
  test_assert_error (held.sent, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
  g_assert_true (concur_job_is_cancelled (held.job));
  g_assert_false (concur_future_is_done (completion));
  g_clear_object (&channel);

  concur_job_return_boolean (held.job, TRUE);
  test_assert_done (completion);
  test_assert_cancelled (completion);
  g_clear_object (&future);
  g_object_unref (held.job);
  g_object_unref (held.channel);
  g_object_unref (held.sent);
  g_object_unref (completion);
  g_assert_true (concur_loop_thread_stop (loop, TEST_PATIENCE_US, NULL));
  g_clear_object (&loop);
  assert_nothing_left ();
}

int
main (int   argc,
      char *argv[])
{
  static const char *const ways[] = { "stop", "forget", "cancel", "close" };

  test_init (&argc, &argv);

  for (guint way = 0; way < N_WAYS; way++)
    {
      gpointer data = GUINT_TO_POINTER (way);
      g_autofree char *never = g_strdup_printf ("/generate-stop/never-started/%s", ways[way]);
      g_autofree char *other = g_strdup_printf ("/generate-stop/never-elsewhere/%s", ways[way]);

      g_test_add_data_func (never, data, test_never_started);
      g_test_add_data_func (other, GUINT_TO_POINTER (way + N_WAYS), test_never_started);
      if (way != CLOSE)
        {
          g_autofree char *wakes = g_strdup_printf ("/generate-stop/wakes/%s", ways[way]);
          g_autofree char *asks = g_strdup_printf ("/generate-stop/asks/%s", ways[way]);
          g_autofree char *queued = g_strdup_printf ("/generate-stop/queued/%s", ways[way]);
          g_autofree char *held = g_strdup_printf ("/generate-stop/held/%s", ways[way]);

          g_test_add_data_func (wakes, data, test_wakes);
          g_test_add_data_func (asks, data, test_asks);
          g_test_add_data_func (queued, data, test_queued);
          g_test_add_data_func (held, data, test_held);
        }
    }
  g_test_add_func ("/generate-stop/deaf", test_deaf);
  g_test_add_func ("/generate-stop/error-after", test_error_after);
  g_test_add_func ("/generate-stop/closed-by-receiver", test_closed_by_receiver);
  g_test_add_func ("/generate-stop/abandoned", test_abandoned);
  g_test_add_func ("/generate-stop/stops-itself", test_stops_itself);

  return test_run ();
}
