/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Threads that wait at a channel: each way of serving them wakes them, time runs out
 * without anything lost, a worker that waits is replaced, and where nobody can come any
 * more nobody waits. */

#include "config.h"

#include "test-channel.h"

#include <sys/wait.h>
#include <unistd.h>

/* A time that runs out in a test. */
#define SHORT_US 2000

typedef struct
{
  ConcurChannel *channel;
  gint64 timeout_us;
  guint n;                     /* values to send, or the most to receive */
  gint64 number;               /* what was received, or is sent; the first of them */
  guint moved;
  GError *error;
} Call;

static gpointer
call_receive (gpointer data)
{
  Call *call = data;
  GValue value = G_VALUE_INIT;

  call->moved = concur_channel_receive_wait (call->channel, &value, call->timeout_us, &call->error);
  call->number = call->moved ? g_value_get_int64 (&value) : 0;

  return NULL;
}

static gpointer
call_receive_many (gpointer data)
{
  Call *call = data;
  g_autoptr (ConcurBatch) batch = concur_channel_receive_many_wait (
      call->channel, call->n, call->timeout_us, &call->error);

  g_assert_true ((batch == NULL) == (call->error != NULL));
  call->moved = batch != NULL ? concur_batch_get_n_items (batch) : 0;
  call->number = batch != NULL ? g_value_get_int64 (concur_batch_get_value (batch, 0)) : 0;

  return NULL;
}

static gpointer
call_send (gpointer data)
{
  Call *call = data;
  GValue value;

  set_int (&value, call->number);
  call->moved = concur_channel_send_wait (call->channel, &value, call->timeout_us, &call->error);

  return NULL;
}

static gpointer
call_send_many (gpointer data)
{
  Call *call = data;
  GValue values[50];

  for (guint i = 0; i < call->n; i++)
    set_int (&values[i], call->number + i);
  call->moved = concur_channel_send_many_wait (call->channel, values, call->n, call->timeout_us,
                                               &call->error);
  g_assert_true ((call->moved == call->n) == (call->error == NULL));

  return NULL;
}

static GThread *
call_waiting (GThreadFunc func,
              Call       *call)
{
  guint n = count_waiters (call->channel);
  GThread *thread = g_thread_new ("waits", func, call);

  test_wait_until (count_waiters (call->channel) == n + 1);

  return thread;
}

static void
test_receive (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);

  for (guint form = 0; form < 6; form++)
    {
      Call call = { channel, -1, 5 };
      Call other = { channel, -1, 1, 7 };
      GThread *thread = call_waiting (form & 1 ? call_receive_many : call_receive, &call);

      if (form / 2 == 0)
        put_int (channel, 7);
      else if (form / 2 == 1)
        g_object_unref (send_int (channel, 7));
      else
        call_send (&other);
      g_thread_join (thread);
      g_assert_no_error (call.error);
      g_assert_cmpuint (call.moved, ==, 1);
      g_assert_cmpint (call.number, ==, 7);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
    }
}

static void
test_send (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);

  for (guint form = 0; form < 3; form++)
    {
      Call call = { channel, -1, 3, 7 };
      GThread *thread;

      put_int (channel, 1);
      put_int (channel, 2);
      thread = call_waiting (form == 0 ? call_send : call_send_many, &call);
      g_assert_cmpint (take_int (channel), ==, 1);
      g_assert_cmpint (take_int (channel), ==, 2);
      for (gint64 i = 0; i < (form == 0 ? 1 : 3); i++)
        g_assert_cmpint (wait_int (channel), ==, 7 + i);
      g_thread_join (thread);
      g_assert_no_error (call.error);
      g_assert_cmpuint (call.moved, ==, form == 0 ? 1 : 3);
    }
}

/* More than fits on the stack, or into the channel. */
static void
test_send_many (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (3);
  Call call = { channel, -1, 50, 0 };
  GThread *thread = call_waiting (call_send_many, &call);

  for (gint64 i = 0; i < 50; i++)
    g_assert_cmpint (wait_int (channel), ==, i);
  g_thread_join (thread);
  g_assert_cmpuint (call.moved, ==, 50);
}

static void
test_ends (void)
{
  static const GThreadFunc funcs[] = { call_receive, call_receive_many, call_send, call_send_many };
  g_autoptr (GError) own = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  for (guint i = 0; i < G_N_ELEMENTS (funcs); i++)
    for (guint end = 0; end < 3; end++)
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (1);
        gboolean sends = i >= 2;
        Call call = { channel, -1, 2, 7 };
        GThread *thread;

        if (sends)
          put_int (channel, 1);
        thread = call_waiting (funcs[i], &call);
        if (end == 0)
          concur_channel_close (channel);
        else if (end == 1)
          concur_channel_fail (channel, own);
        else
          concur_channel_stop (channel);
        /* Senders that wait when it is closed still have their turn. */
        if (sends && end != 2)
          {
            g_assert_cmpint (take_int (channel), ==, 1);
            for (gint64 n = 0; n < (funcs[i] == call_send ? 1 : 2); n++)
              g_assert_cmpint (wait_int (channel), ==, 7 + n);
          }
        g_thread_join (thread);

        if (end == 2)
          g_assert_error (call.error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
        else if (sends)
          g_assert_no_error (call.error);
        else if (end == 1)
          g_assert_error (call.error, G_IO_ERROR, G_IO_ERROR_BUSY);
        else
          g_assert_error (call.error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED);
        g_clear_error (&call.error);
      }
}

/* Time */

static void
test_times_out (void)
{
  static const GThreadFunc funcs[] = { call_receive, call_receive_many, call_send, call_send_many };
  static const gint64 timeouts[] = { 0, 1, SHORT_US };

  for (guint i = 0; i < G_N_ELEMENTS (funcs); i++)
    for (guint t = 0; t < G_N_ELEMENTS (timeouts); t++)
      {
        g_autoptr (ConcurChannel) channel = concur_channel_new (1);
        gint64 began = g_get_monotonic_time ();
        Call call = { channel, timeouts[t], 3, 7 };

        if (i >= 2)
          put_int (channel, 1);
        funcs[i](&call);
        g_assert_error (call.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
        g_assert_cmpint (g_get_monotonic_time () - began, >=, timeouts[t]);
        g_clear_error (&call.error);
        g_assert_cmpuint (call.moved, ==, 0);
        /* It does not stand there any more, nor has it left anything. */
        g_assert_cmpuint (count_waiters (channel), ==, 0);
        if (i >= 2)
          g_assert_cmpint (take_int (channel), ==, 1);
        assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
      }
}

/* Of several some were sent before the time was over. */
static void
test_times_out_between (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  Call call = { channel, SHORT_US, 5, 0 };

  call_send_many (&call);
  g_assert_error (call.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&call.error);
  g_assert_cmpuint (call.moved, ==, 2);
  g_assert_cmpint (take_int (channel), ==, 0);
  g_assert_cmpint (take_int (channel), ==, 1);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
}

/* What can be done at once is, also without any time. */
static void
test_no_time (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (2);
  Call send = { channel, 0, 1, 7 }, receive = { channel, 0, 1 };

  call_send (&send);
  call_send_many (&send);
  call_receive (&receive);
  g_assert_cmpint (receive.number, ==, 7);
  call_receive_many (&receive);
  g_assert_cmpint (receive.number, ==, 7);
  g_assert_no_error (send.error);
  g_assert_no_error (receive.error);
}

/* One that gives up passes its turn on. */
static void
test_turn_passes (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  Call hasty = { channel, 20 * 1000 };
  GThread *thread = g_thread_new ("waits", call_receive, &hasty);
  g_autoptr (ConcurFuture) patient = NULL;

  test_wait_until (count_waiters (channel) == 1 || hasty.error != NULL);
  patient = concur_channel_receive (channel);
  g_thread_join (thread);
  g_assert_error (hasty.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  g_clear_error (&hasty.error);
  put_int (channel, 3);
  test_assert_int64 (patient, 3);
}

/* Time runs out while it is served: one or the other, on both sides. */

typedef struct
{
  ConcurChannel *channel;
  guint n;
  gint64 sum;
  guint moved;
} Racer;

static gpointer
race_send (gpointer data)
{
  Racer *racer = data;

  for (guint i = 1; i <= racer->n; i++)
    {
      Call call = { racer->channel, i % 50, 1, i };

      call_send (&call);
      if (call.error == NULL)
        racer->sum += i, racer->moved++;
      else
        g_assert_error (call.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
      g_clear_error (&call.error);
    }

  return NULL;
}

static gpointer
race_receive (gpointer data)
{
  Racer *racer = data;

  for (;;)
    {
      Call call = { racer->channel, racer->moved % 50, 1 };

      call_receive (&call);
      racer->sum += call.number;
      racer->moved += call.moved;
      if (g_error_matches (call.error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED))
        {
          g_clear_error (&call.error);
          return NULL;
        }
      if (call.error != NULL)
        g_assert_error (call.error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
      g_clear_error (&call.error);
    }
}

static void
test_race (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  Racer racers[4] = { 0 };
  GThread *threads[4];

  test_shake_start ();
  for (guint i = 0; i < 4; i++)
    {
      racers[i].channel = channel;
      racers[i].n = test_scaled (5000);
      threads[i] = g_thread_new ("race", i < 2 ? race_send : race_receive, &racers[i]);
    }
  g_thread_join (threads[0]);
  g_thread_join (threads[1]);
  concur_channel_close (channel);
  g_thread_join (threads[2]);
  g_thread_join (threads[3]);
  test_shake_stop ();

  g_assert_cmpuint (racers[0].moved + racers[1].moved, ==, racers[2].moved + racers[3].moved);
  g_assert_cmpint (racers[0].sum + racers[1].sum, ==, racers[2].sum + racers[3].sum);
}

/* Workers */

static gboolean
receive_job (ConcurJob  *job,
             gpointer    channel,
             GError    **error)
{
  GValue value = G_VALUE_INIT;

  if (!concur_channel_receive_wait (channel, &value, TEST_PATIENCE_US, error))
    return FALSE;
  concur_job_return_int64 (job, g_value_get_int64 (&value));

  return TRUE;
}

static gboolean
send_job (ConcurJob  *job,
          gpointer    channel,
          GError    **error)
{
  GValue value;

  set_int (&value, 7);
  if (!concur_channel_send_wait (channel, &value, TEST_PATIENCE_US, error))
    return FALSE;
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* The only worker waits for what the job behind it in the queue is to bring. */
static void
test_workers (void)
{
  for (guint sends = 0; sends < 2; sends++)
    {
      g_autoptr (ConcurChannel) channel = concur_channel_new (1);
      ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
      g_autoptr (GPtrArray) futures = test_futures_new ();

      if (sends)
        put_int (channel, 7);
      for (guint i = 0; i < 10; i++)
        g_ptr_array_add (futures, test_submit (executor, sends ? send_job : receive_job, channel));
      for (guint i = 0; i < 10; i++)
        g_ptr_array_add (futures, test_submit (executor, sends ? receive_job : send_job, channel));
      test_futures_wait (futures);
      for (guint i = 0; i < 20; i++)
        g_assert_null (concur_future_get_error (g_ptr_array_index (futures, i)));
      if (sends)
        g_assert_cmpint (take_int (channel), ==, 7);
      g_assert_cmpuint (test_snapshot (executor, n_running), ==, 0);
      test_executor_end (executor);
    }
}

/* What has come home to the thread is let go, whether it has to wait or not. */
static void
test_serves_home (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  TestReleases releases = { .thread = g_thread_self () };
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));
  static const GThreadFunc funcs[] = { call_send, call_receive, call_send_many, call_receive_many,
                                       call_receive };
  g_autoptr (GPtrArray) futures = test_futures_new ();

  for (guint i = 0; i < G_N_ELEMENTS (funcs); i++)
    {
      Call call = { channel, 0, 1, 7 };
      TestClog before = { 0 }, after = { 0 };

      /* When the worker has come to the last one, the one in the middle is home. */
      g_ptr_array_add (futures, test_submit (executor, test_clog_job, &before));
      g_ptr_array_add (futures, concur_executor_submit (executor, test_one_job, &releases,
                                                        test_released, NULL));
      g_ptr_array_add (futures, test_submit (executor, test_clog_job, &after));
      test_gate_open (&before.go);
      test_gate_wait (&after.begun);
      g_assert_cmpuint (test_releases_get (&releases), ==, i);
      funcs[i](&call);
      g_assert_cmpuint (test_releases_get (&releases), ==, i + 1);
      g_clear_error (&call.error);
      test_gate_open (&after.go);
      test_futures_wait (futures);
    }
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
  test_executor_end (executor);
}

/* Where nobody comes any more */

#define CHILD_SECONDS 50
#define CHECK(condition)                                                                           \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      _exit (1 + __LINE__ % 250);                                                                  \
  }                                                                                                \
  G_STMT_END

static void
check_stopped (ConcurChannel *channel)
{
  gint64 timeouts[] = { -1, 0, 10 * G_USEC_PER_SEC };
  GValue value;

  set_int (&value, 1);
  for (guint i = 0; i < G_N_ELEMENTS (timeouts); i++)
    {
      g_autoptr (GError) error = NULL, other = NULL, third = NULL;
      g_autoptr (ConcurBatch) batch = NULL;
      GValue received = G_VALUE_INIT;

      /* What can be done at once is. */
      CHECK (concur_channel_send_wait (channel, &value, timeouts[i], NULL));
      CHECK (!concur_channel_send_wait (channel, &value, timeouts[i], &error));
      CHECK (g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING));
      CHECK (concur_channel_receive_wait (channel, &received, timeouts[i], NULL));
      CHECK (g_value_get_int64 (&received) == 1);
      g_value_unset (&received);
      CHECK (!concur_channel_receive_wait (channel, &received, timeouts[i], &other));
      CHECK (g_error_matches (other, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING));
      batch = concur_channel_receive_many_wait (channel, 1, timeouts[i], &third);
      CHECK (batch == NULL);
      CHECK (g_error_matches (third, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING));
    }
}

static void
test_forked (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);
  g_autoptr (ConcurFuture) future = NULL;
  pid_t pid;
  int status;

  /* The library has been used. */
  future = test_submit (concur_executor_get_default (), test_one_job, NULL);
  test_assert_done (future);

  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (CHILD_SECONDS);
      check_stopped (channel);
      _exit (0);
    }
  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_true (WIFEXITED (status));
  if (WEXITSTATUS (status) != 0)
    g_error ("the check in the child in line %d (mod 250) failed", WEXITSTATUS (status) - 1);
  put_int (channel, 1);
  g_assert_cmpint (wait_int (channel), ==, 1);
}

/* In a process of its own, as there is no way back. */
static void
test_quiesced_child (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (1);

  concur_quiesce ();
  check_stopped (channel);
}

static void
test_quiesced (void)
{
  g_test_trap_subprocess ("/channel-wait/quiesced/subprocess", 0, 0);
  g_test_trap_assert_passed ();
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-wait/receive", test_receive);
  g_test_add_func ("/channel-wait/send", test_send);
  g_test_add_func ("/channel-wait/send-many", test_send_many);
  g_test_add_func ("/channel-wait/ends", test_ends);
  g_test_add_func ("/channel-wait/times-out", test_times_out);
  g_test_add_func ("/channel-wait/times-out/between", test_times_out_between);
  g_test_add_func ("/channel-wait/no-time", test_no_time);
  g_test_add_func ("/channel-wait/turn-passes", test_turn_passes);
  g_test_add_func ("/channel-wait/race", test_race);
  g_test_add_func ("/channel-wait/workers", test_workers);
  g_test_add_func ("/channel-wait/serves-home", test_serves_home);
  g_test_add_func ("/channel-wait/forked", test_forked);
  g_test_add_func ("/channel-wait/quiesced", test_quiesced);
  g_test_add_func ("/channel-wait/quiesced/subprocess", test_quiesced_child);

  return test_run ();
}
