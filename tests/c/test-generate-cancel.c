/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What ends a generated channel without its receiver: the cancellable of its job, the end of
 * its executor or loop thread, a fork. */

#include "config.h"

#include "test-generate-stop.h"

#include <sys/wait.h>
#include <unistd.h>

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

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/generate-stop/cancel-queued", test_cancel_queued);
  g_test_add_func ("/generate-stop/cancellable/before", test_cancellable_before);
  g_test_add_func ("/generate-stop/cancellable/queued", test_cancellable_queued);
  g_test_add_func ("/generate-stop/cancellable/blocked", test_cancellable_blocked);
  g_test_add_func ("/generate-stop/cancellable/slow", test_cancellable_slow);
  g_test_add_func ("/generate-stop/shutdown/cancel-all", test_cancel_all);
  g_test_add_func ("/generate-stop/shutdown/cancel-pending", test_cancel_pending);
  g_test_add_func ("/generate-stop/shutdown/drain", test_drain);
  g_test_add_func ("/generate-stop/executor-forgotten", test_executor_forgotten);
  g_test_add_func ("/generate-stop/loop-thread-ends", test_loop_thread_ends);
  g_test_add_func ("/generate-stop/forked", test_forked);

  return test_run ();
}
