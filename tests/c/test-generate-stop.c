/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What ends a generated channel early: stopping it, forgetting it, cancelling the job, the
 * end of the executor; before it has begun, while it waits, and at any time. */

#include "config.h"

#include "test-generate.h"

#include <sys/wait.h>
#include <unistd.h>

#define FOR_EVER G_MAXINT64

enum
{
  STOP,
  FORGET,
  CANCEL_COMPLETION,
  CLOSE,
  N_WAYS,
};

/* Nobody wants more. @channel is gone afterwards if it is forgotten. */
static void
end (ConcurChannel **channel,
     ConcurFuture   *completion,
     guint           way)
{
  switch (way)
    {
    case STOP:
      g_assert_true (concur_channel_stop (*channel));
      g_assert_false (concur_channel_stop (*channel));
      break;
    case FORGET:
      g_clear_object (channel);
      break;
    case CANCEL_COMPLETION:
      g_assert_true (concur_future_cancel (completion, CONCUR_CANCEL_NONE));
      break;
    default:
      g_assert_true (concur_channel_close (*channel));
    }
}

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

/* Only if it has not begun. */
static void
test_cancel_queued (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, 1);
  channel = generate (executor, &counter, 1);
  completion = concur_channel_dup_completion (channel);
  g_assert_true (concur_future_cancel (completion, CONCUR_CANCEL_QUEUED));
  test_assert_cancelled (completion);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  test_executor_end (executor);
  counter_clear (&counter);
  g_assert_cmpint (counter.n_calls, ==, 0);
}

static void
test_cancellable_before (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, 1);
  channel = concur_executor_generate (executor, count, &counter, counter_released, 1, cancellable);
  completion = concur_channel_dup_completion (channel);
  g_cancellable_cancel (cancellable);
  assert_ends (channel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  test_assert_done (completion);
  test_assert_cancelled (completion);
  test_executor_end (executor);
  counter_clear (&counter);
  g_assert_cmpint (counter.n_calls, ==, 0);
}

static void
test_cancellable_queued (void)
{
  ConcurExecutor *executor = pool_new (1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) future = NULL;
  Counter counter;

  test_gate_wait (&clog.begun);
  counter_init (&counter, 1);
  channel = concur_executor_generate (executor, count, &counter, counter_released, 1, cancellable);
  future = concur_channel_receive (channel);
  g_cancellable_cancel (cancellable);
  test_assert_done (future);
  test_assert_cancelled (future);
  assert_ends (channel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  counter_clear (&counter);
  test_gate_open (&clog.go);
  test_executor_end (executor);
  g_assert_cmpint (counter.n_calls, ==, 0);
}

/* Nobody receives: who sends is woken all the same; what was in the channel is not lost. */
static void
test_cancellable_blocked (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL;
  Counter counter;

  counter_init (&counter, FOR_EVER);
  channel = concur_executor_generate (executor, count, &counter, counter_released, 3, cancellable);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_wait_until (count_waiters (channel) == 1);
  g_cancellable_cancel (cancellable);
  test_gate_wait (&counter.ended);
  g_assert_error (counter.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_true (counter.was_cancelled);
  test_executor_end (executor);

  g_assert_cmpuint (concur_channel_get_length (channel), ==, 3);
  for (guint i = 1; i < 4; i++)
    {
      g_assert_false (concur_future_is_done (completion));
      g_assert_cmpint (take_int (channel), ==, i);
    }
  assert_ends (channel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  test_assert_cancelled (completion);
  counter_clear (&counter);
}

static gboolean
slow_to_notice (ConcurJob      *job,
                ConcurChannel  *channel,
                gpointer        data,
                GError        **error)
{
  TestClog *clog = data;

  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
  assert_no_send (channel, CONCUR_CHANNEL_ERROR_CLOSED);

  return TRUE;
}

/* Who receives need not wait for a function that does not look; but the end does. */
static void
test_cancellable_slow (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  TestClog clog = { 0 };
  g_autoptr (ConcurChannel) channel
    = concur_executor_generate (executor, slow_to_notice, &clog, NULL, 3, cancellable);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  g_autoptr (ConcurFuture) future = concur_channel_receive (channel);

  test_gate_wait (&clog.begun);
  g_cancellable_cancel (cancellable);
  test_assert_done (future);
  test_assert_cancelled (future);
  g_assert_false (concur_future_wait (completion, 1000));
  test_gate_open (&clog.go);
  test_assert_done (completion);
  test_assert_cancelled (completion);
  test_executor_end (executor);
}

/* The executor's end wakes it, and it does not keep the executor from ending. */
static void
test_cancel_all (void)
{
  ConcurExecutor *executor = pool_new (2);
  g_autoptr (ConcurFuture) shut_down = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, FOR_EVER);
  channel = generate (executor, &counter, 1);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_wait_until (count_waiters (channel) == 1);
  shut_down = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_ALL);
  test_assert_done (shut_down);
  g_object_unref (executor);
  g_assert_cmpint (take_int (channel), ==, 1);
  assert_ends (channel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  counter_clear (&counter);
}

static void
test_cancel_pending (void)
{
  ConcurExecutor *executor = pool_new (1);
  TestClog clog = { 0 };
  g_autoptr (ConcurFuture) clogged = test_submit (executor, test_clog_job, &clog);
  g_autoptr (ConcurFuture) shut_down = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  test_gate_wait (&clog.begun);
  counter_init (&counter, FOR_EVER);
  channel = generate (executor, &counter, 1);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
  shut_down = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_CANCEL_PENDING);
  assert_ends (channel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  test_gate_open (&clog.go);
  test_assert_done (shut_down);
  g_object_unref (executor);
  counter_clear (&counter);
}

/* What runs goes on as long as somebody receives. */
static void
test_drain (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurFuture) shut_down = NULL;
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, 10);
  channel = generate (executor, &counter, 1);
  g_assert_cmpint (wait_int (channel), ==, 0);
  shut_down = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  for (guint i = 1; i < 10; i++)
    g_assert_cmpint (wait_int (channel), ==, i);
  assert_closed (channel);
  test_assert_done (shut_down);
  g_object_unref (executor);
  counter_clear (&counter);
}

/* The executor may be forgotten by everybody else, before it starts and while it runs. */
static void
test_executor_forgotten (void)
{
  ConcurExecutor *executor = pool_new (1);
  g_autoptr (ConcurChannel) channel = NULL;
  Counter counter;

  counter_init (&counter, 3);
  channel = generate (executor, &counter, 1);
  g_object_add_weak_pointer (G_OBJECT (executor), (gpointer *) &executor);
  g_object_unref (executor);
  g_assert_nonnull (executor);
  g_assert_cmpint (wait_int (channel), ==, 0);
  g_assert_cmpint (wait_int (channel), ==, 1);
  g_assert_cmpint (wait_int (channel), ==, 2);
  assert_closed (channel);
  test_wait_until (executor == NULL);
  counter_clear (&counter);
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

/* The end of a loop thread reaches the value that waits for room. */
typedef struct
{
  ConcurJob *job;         /* (owned) */
  ConcurChannel *channel; /* (owned) */
  gint n_sent;            /* atomic */
  GError *error;          /* (owned) why sending failed */
} Feeder;

static void
feeder_sent (ConcurFuture *future,
             gpointer      data)
{
  Feeder *self = data;

  if (future != NULL && !concur_future_check (future, &self->error))
    {
      concur_job_return_error (self->job, self->error);
      g_object_unref (self->channel);
      g_object_unref (self->job);
    }
  else
    {
      g_autoptr (ConcurFuture) sent = send_int (self->channel, g_atomic_int_add (&self->n_sent, 1));

      concur_future_when_done (sent, feeder_sent, self, NULL, NULL);
    }
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
  feeder_sent (NULL, self);

  return TRUE;
}

static void
test_loop_thread_ends (void)
{
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("feeder");
  g_autoptr (ConcurChannel) channel = NULL;
  g_autoptr (ConcurFuture) completion = NULL, shut_down = NULL;
  Feeder feeder = { NULL };

  g_assert_true (concur_loop_thread_start (loop, NULL));
  channel = concur_executor_generate (CONCUR_EXECUTOR (loop), feed, &feeder, NULL, 2, NULL);
  completion = concur_channel_dup_completion (channel);
  g_assert_cmpint (wait_int (channel), ==, 0);
  test_wait_until (count_waiters (channel) == 1);
  shut_down = concur_executor_shutdown (CONCUR_EXECUTOR (loop), CONCUR_SHUTDOWN_CANCEL_ALL);
  test_assert_done (shut_down);
  g_assert_true (concur_loop_thread_stop (loop, TEST_PATIENCE_US, NULL));
  g_assert_error (feeder.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (feeder.error);

  g_assert_cmpint (take_int (channel), ==, 1);
  g_assert_cmpint (take_int (channel), ==, 2);
  assert_ends (channel, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  test_assert_cancelled (completion);
}

/* In a forked process there is nobody to run it. */
static void
test_forked (void)
{
  ConcurExecutor *executor = pool_new (1);
  ConcurChannel *running, *idle;
  Counter counters[2];
  pid_t pid;
  int status;

  counter_init (&counters[0], FOR_EVER);
  counter_init (&counters[1], FOR_EVER);
  running = generate (executor, &counters[0], 1);
  idle = generate (executor, &counters[1], 1);
  g_assert_cmpint (wait_int (running), ==, 0);
  test_wait_until (count_waiters (running) == 1);

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      g_autoptr (GError) error = NULL, other = NULL;
      GValue value = G_VALUE_INIT, first = G_VALUE_INIT;

      if (concur_channel_receive_wait (idle, &value, -1, &error)
          || !g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
        _exit (1);
      /* What it had sent, and what it was about to, and no more. */
      for (guint i = 1; i < 3; i++)
        {
          if (!concur_channel_try_receive (running, &first, NULL))
            _exit (2);
          g_value_unset (&first);
        }
      if (concur_channel_receive_wait (running, &first, -1, &other))
        _exit (3);
      g_object_unref (idle);
      _exit (0);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);

  g_object_unref (running);
  g_object_unref (idle);
  test_executor_end (executor);
  counter_clear (&counters[0]);
  counter_clear (&counters[1]);
  assert_nothing_left ();
}

/* Many that are forgotten leave no thread and no object. */
static void
test_forgotten (void)
{
  enum { N = 100 };
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", "forgotten",
                                           "max-threads", 0, NULL);
  Counter *counters = g_new0 (Counter, N);

  for (guint i = 0; i < N; i++)
    {
      g_autoptr (ConcurChannel) channel = NULL;

      counter_init (&counters[i], FOR_EVER);
      channel = generate (executor, &counters[i], i % 4);
      /* Some with a future that waits, which does not count. */
      if (i % 3 == 0)
        g_object_unref (concur_channel_receive (channel));
      else if (i % 3 == 1)
        g_assert_cmpint (wait_int (channel), ==, 0);
    }
  test_executor_end (executor);
  g_assert_cmpuint (test_count_threads ("forgotten"), ==, 0);
  for (guint i = 0; i < N; i++)
    counter_clear (&counters[i]);
  g_free (counters);
  assert_nothing_left ();
}

/* The first receiver and who stops it, at the same moment: whatever it was that came first,
 * the function is asked to stop if it was called at all, and the completion is done when it
 * has returned. */
typedef struct
{
  ConcurChannel *channel;
  ConcurFuture *completion;
  guint way;
  guint32 wait;
  TestGate *go;
} Stopper;

static gboolean
until_asked (ConcurJob      *job,
             ConcurChannel  *channel,
             gpointer        data,
             GError        **error)
{
  Counter *counter = data;

  g_atomic_int_inc (&counter->n_calls);
  while (!concur_job_is_cancelled (job))
    g_thread_yield ();
  test_gate_open (&counter->ended);

  return !concur_job_check_cancelled (job, error);
}

static gpointer
stop_at_once (gpointer data)
{
  Stopper *self = data;

  test_gate_wait (self->go);
  for (guint32 i = 0; i < self->wait; i++)
    g_thread_yield ();
  if (self->way == STOP)
    concur_channel_stop (self->channel);
  else if (self->way == CANCEL_COMPLETION)
    concur_future_cancel (self->completion, CONCUR_CANCEL_NONE);
  else if (!concur_channel_close (self->channel))
    g_assert_not_reached ();
  if (self->way == CLOSE)
    concur_channel_stop (self->channel);

  return NULL;
}

static void
test_start_and_stop (void)
{
  static const guint ways[] = { STOP, CANCEL_COMPLETION, CLOSE };
  guint n_rounds = test_scaled (6000), n_called = 0, n_not = 0;
  ConcurExecutor *executor = pool_new (2);

  test_shake_start ();
  for (guint round = 0; round < n_rounds; round++)
    {
      TestGate go = { 0 };
      ConcurChannel *channel;
      ConcurFuture *completion;
      Counter counter;
      Stopper stopper;
      GThread *thread;

      counter_init (&counter, 0);
      channel = concur_executor_generate (executor, until_asked, &counter, counter_released, 1,
                                          NULL);
      completion = concur_channel_dup_completion (channel);
      stopper = (Stopper) { channel, completion, ways[round % G_N_ELEMENTS (ways)],
                            round % 2 ? g_random_int_range (0, 20) : 0, &go };
      thread = g_thread_new ("stopper", stop_at_once, &stopper);
      test_gate_open (&go);
      for (gint i = round % 2 ? 0 : g_random_int_range (0, 20); i > 0; i--)
        g_thread_yield ();
      g_object_unref (concur_channel_receive (channel));
      g_thread_join (thread);
      test_assert_done (completion);
      g_assert_cmpuint (test_gate_get (&counter.ended), ==, g_atomic_int_get (&counter.n_calls));
      if (counter.n_calls > 0)
        n_called++;
      else
        n_not++;
      g_object_unref (completion);
      g_object_unref (channel);
      counter_clear (&counter);
    }
  test_shake_stop ();
  g_test_message ("called %u times, not called %u times", n_called, n_not);
  test_executor_end (executor);
  assert_nothing_left ();
}

/* All at once: several threads receive, stop, close, forget, cancel and shut down. */
typedef struct
{
  ConcurExecutor *executor;
  ConcurChannel *channel;   /* each thread has a reference */
  ConcurFuture *completion;
  GCancellable *cancellable;
  TestGate *ready, *go;
  guint what;
  guint32 wait;
} Racer;

static gpointer
race (gpointer data)
{
  Racer *self = data;
  gint64 last = -1;
  GValue value = G_VALUE_INIT;

  test_gate_open (self->ready);
  test_gate_wait (self->go);
  for (guint32 i = 0; i < self->wait; i++)
    g_thread_yield ();

  switch (self->what)
    {
    case 0:
      /* A receiver, for a while or to the end. */
      for (guint n = 0; n < self->wait
                        && concur_channel_receive_wait (self->channel, &value, TEST_PATIENCE_US,
                                                        NULL);
           n++)
        {
          g_assert_cmpint (g_value_get_int64 (&value), >, last);
          last = g_value_get_int64 (&value);
          g_value_unset (&value);
        }
      break;
    case 1:
      {
        g_autoptr (ConcurFuture) future = concur_channel_receive (self->channel);

        concur_future_cancel (future, CONCUR_CANCEL_NONE);
        concur_future_ignore (future);
      }
      break;
    case 2:
      concur_channel_stop (self->channel);
      break;
    case 3:
      concur_future_cancel (self->completion,
                            self->wait % 2 ? CONCUR_CANCEL_NONE : CONCUR_CANCEL_ABANDON);
      break;
    case 4:
      g_cancellable_cancel (self->cancellable);
      break;
    case 5:
      {
        ConcurShutdownMode mode = self->wait % 3;
        g_autoptr (ConcurFuture) end = concur_executor_shutdown (self->executor, mode);

        concur_future_ignore (end);
      }
      break;
    case 6:
      concur_channel_close (self->channel);
      break;
    default:
      break;
    }
  g_object_unref (self->channel);

  return NULL;
}

static void
test_races (void)
{
  enum { N = 5 };
  guint n_rounds = test_scaled (600);

  test_shake_start ();
  for (guint round = 0; round < n_rounds; round++)
    {
      ConcurExecutor *executor = pool_new (g_random_int_range (0, 3));
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      TestGate ready = { 0 }, go = { 0 };
      ConcurFuture *completion;
      ConcurChannel *channel;
      GThread *threads[N];
      Racer racers[N];
      Counter counter;

      counter_init (&counter, g_random_boolean () ? FOR_EVER : g_random_int_range (0, 20));
      channel = concur_executor_generate (executor, count, &counter, counter_released,
                                          g_random_int_range (0, 4), cancellable);
      completion = concur_channel_dup_completion (channel);
      for (guint i = 0; i < N; i++)
        {
          racers[i] = (Racer) { executor, g_object_ref (channel), completion, cancellable, &ready,
                                &go, i == 0 ? 0 : g_random_int_range (0, 8),
                                g_random_int_range (0, 30) };
          threads[i] = g_thread_new ("racer", race, &racers[i]);
        }
      g_object_unref (channel);
      test_gate_wait_n (&ready, N);
      test_gate_open (&go);
      for (guint i = 0; i < N; i++)
        g_thread_join (threads[i]);

      /* Now all have forgotten it. */
      test_assert_done (completion);
      g_object_unref (completion);
      test_executor_end (executor);
      counter_clear (&counter);
      g_assert_cmpint (counter.n_calls, <=, 1);
      g_assert_cmpuint (test_gate_get (&counter.ended), ==, counter.n_calls);
      assert_nothing_left ();
    }
  test_shake_stop ();
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
  g_test_add_func ("/generate-stop/cancel-queued", test_cancel_queued);
  g_test_add_func ("/generate-stop/cancellable/before", test_cancellable_before);
  g_test_add_func ("/generate-stop/cancellable/queued", test_cancellable_queued);
  g_test_add_func ("/generate-stop/cancellable/blocked", test_cancellable_blocked);
  g_test_add_func ("/generate-stop/cancellable/slow", test_cancellable_slow);
  g_test_add_func ("/generate-stop/shutdown/cancel-all", test_cancel_all);
  g_test_add_func ("/generate-stop/shutdown/cancel-pending", test_cancel_pending);
  g_test_add_func ("/generate-stop/shutdown/drain", test_drain);
  g_test_add_func ("/generate-stop/executor-forgotten", test_executor_forgotten);
  g_test_add_func ("/generate-stop/stops-itself", test_stops_itself);
  g_test_add_func ("/generate-stop/loop-thread-ends", test_loop_thread_ends);
  g_test_add_func ("/generate-stop/forked", test_forked);
  g_test_add_func ("/generate-stop/forgotten", test_forgotten);
  g_test_add_func ("/generate-stop/start-and-stop", test_start_and_stop);
  g_test_add_func ("/generate-stop/races", test_races);

  return test_run ();
}
