/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Generated channels that are started, stopped and forgotten by several threads at once. */

#include "config.h"

#include "test-generate-stop.h"

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
  test_init (&argc, &argv);

  g_test_add_func ("/generate-stop/forgotten", test_forgotten);
  g_test_add_func ("/generate-stop/start-and-stop", test_start_and_stop);
  g_test_add_func ("/generate-stop/races", test_races);

  return test_run ();
}
