/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Channels beside GAsyncQueue: n numbers go from one end to the other, in one thread, from
 * thread to thread, and from a thread to one that runs a main loop. And what waits at a
 * channel: bytes per pending receive. */

#include "bench.h"

/* A bounded channel's capacity, where one is measured. */
#define CAPACITY 1024

/* So many at most in one go. */
#define AT_ONCE 1024

/* One that is full, or empty, is looked at again after this. */
static void
idle_turn (void)
{
  g_thread_yield ();
}

typedef gpointer (*ThreadFunc) (gpointer queue);

static BenchGate gate;

/* Both begin at once; the first one is a thread of its own, the second one is this. */
static void
measure_threads (gpointer   queue,
                 ThreadFunc produce,
                 ThreadFunc consume)
{
  for (int i = 0; i < bench_options.repeat; i++)
    {
      GThread *producer = g_thread_new ("producer", produce, queue);

      bench_gate_full (&gate, 1);
      bench_start ();
      bench_gate_open (&gate);
      bench_check_sum (GPOINTER_TO_SIZE (consume (queue)), bench_options.n);
      bench_stop ();
      g_thread_join (producer);
    }
}

/* In one thread: in and out, one by one. */

static void
run_channel_single (void)
{
  ConcurChannel *channel = concur_channel_new (0);
  GValue value = G_VALUE_INIT;
  gint64 sum = 0;

  g_value_init (&value, G_TYPE_INT64);
  bench_start ();
  for (int i = 1; i <= bench_options.n; i++)
    {
      GValue received = G_VALUE_INIT;

      g_value_set_int64 (&value, i);
      concur_channel_try_send (channel, &value, NULL);
      concur_channel_try_receive (channel, &received, NULL);
      sum += g_value_get_int64 (&received);
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  g_object_unref (channel);
}

static void
run_queue_single (void)
{
  GAsyncQueue *queue = g_async_queue_new ();
  gint64 sum = 0;

  bench_start ();
  for (int i = 1; i <= bench_options.n; i++)
    {
      g_async_queue_push (queue, GINT_TO_POINTER (i));
      sum += GPOINTER_TO_INT (g_async_queue_try_pop (queue));
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  g_async_queue_unref (queue);
}

static void
run_queue_single_boxed (void)
{
  GAsyncQueue *queue = g_async_queue_new ();
  gint64 sum = 0;

  bench_start ();
  for (int i = 1; i <= bench_options.n; i++)
    {
      gint64 *item = g_new (gint64, 1);

      *item = i;
      g_async_queue_push (queue, item);
      item = g_async_queue_try_pop (queue);
      sum += *item;
      g_free (item);
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  g_async_queue_unref (queue);
}

/* The same with strings, which both have to copy. */

static void
run_channel_single_string (void)
{
  ConcurChannel *channel = concur_channel_new (0);
  gint64 sum = 0;

  bench_start ();
  for (int i = 1; i <= bench_options.n; i++)
    {
      GValue value = G_VALUE_INIT, received = G_VALUE_INIT;

      g_value_init (&value, G_TYPE_STRING);
      g_value_set_static_string (&value, "a string of some length");
      concur_channel_try_send (channel, &value, NULL);
      concur_channel_try_receive (channel, &received, NULL);
      sum += g_value_get_string (&received)[0] == 'a' ? i : 0;
      g_value_unset (&received);
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  g_object_unref (channel);
}

static void
run_queue_single_string (void)
{
  GAsyncQueue *queue = g_async_queue_new ();
  gint64 sum = 0;

  bench_start ();
  for (int i = 1; i <= bench_options.n; i++)
    {
      char *received;

      g_async_queue_push (queue, g_strdup ("a string of some length"));
      received = g_async_queue_try_pop (queue);
      sum += received[0] == 'a' ? i : 0;
      g_free (received);
    }
  bench_stop ();
  bench_check_sum (sum, bench_options.n);
  g_async_queue_unref (queue);
}

/* From thread to thread */

static gpointer
channel_send_wait (gpointer channel)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  bench_gate_pass (&gate);
  for (int i = 1; i <= bench_options.n; i++)
    {
      g_value_set_int64 (&value, i);
      concur_channel_send_wait (channel, &value, -1, NULL);
    }

  return NULL;
}

static gpointer
channel_try_send (gpointer channel)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  bench_gate_pass (&gate);
  for (int i = 1; i <= bench_options.n; i++)
    {
      g_value_set_int64 (&value, i);
      while (!concur_channel_try_send (channel, &value, NULL))
        idle_turn ();
    }

  return NULL;
}

static gpointer
channel_receive_wait (gpointer channel)
{
  gsize sum = 0;

  for (int i = 1; i <= bench_options.n; i++)
    {
      GValue value = G_VALUE_INIT;

      concur_channel_receive_wait (channel, &value, -1, NULL);
      sum += (gsize) g_value_get_int64 (&value);
    }

  return GSIZE_TO_POINTER (sum);
}

static gpointer
channel_try_receive (gpointer channel)
{
  gsize sum = 0;

  for (int i = 1; i <= bench_options.n; i++)
    {
      GValue value = G_VALUE_INIT;

      while (!concur_channel_try_receive (channel, &value, NULL))
        idle_turn ();
      sum += (gsize) g_value_get_int64 (&value);
    }

  return GSIZE_TO_POINTER (sum);
}

static gpointer
channel_receive_many_wait (gpointer channel)
{
  gsize sum = 0;

  for (int n = bench_options.n; n > 0;)
    {
      ConcurBatch *batch = concur_channel_receive_many_wait (channel, AT_ONCE, -1, NULL);
      guint n_items = concur_batch_get_n_items (batch);

      for (guint i = 0; i < n_items; i++)
        sum += (gsize) g_value_get_int64 (concur_batch_get_value (batch, i));
      n -= (int) n_items;
      g_object_unref (batch);
    }

  return GSIZE_TO_POINTER (sum);
}

static void
measure_channel (guint      capacity,
                 ThreadFunc produce,
                 ThreadFunc consume)
{
  ConcurChannel *channel = concur_channel_new (capacity);

  measure_threads (channel, produce, consume);
  g_object_unref (channel);
}

static void
run_channel_blocking (void)
{
  measure_channel (0, channel_send_wait, channel_receive_wait);
}

static void
run_channel_blocking_bounded (void)
{
  measure_channel (CAPACITY, channel_send_wait, channel_receive_wait);
}

static void
run_channel_try (void)
{
  measure_channel (0, channel_try_send, channel_try_receive);
}

static void
run_channel_try_bounded (void)
{
  measure_channel (CAPACITY, channel_try_send, channel_try_receive);
}

static void
run_channel_many (void)
{
  measure_channel (0, channel_send_wait, channel_receive_many_wait);
}

static gpointer
queue_push (gpointer queue)
{
  bench_gate_pass (&gate);
  for (int i = 1; i <= bench_options.n; i++)
    g_async_queue_push (queue, GINT_TO_POINTER (i));

  return NULL;
}

static gpointer
queue_push_boxed (gpointer queue)
{
  bench_gate_pass (&gate);
  for (int i = 1; i <= bench_options.n; i++)
    {
      gint64 *item = g_new (gint64, 1);

      *item = i;
      g_async_queue_push (queue, item);
    }

  return NULL;
}

static gpointer
queue_pop (gpointer queue)
{
  gsize sum = 0;

  for (int i = 1; i <= bench_options.n; i++)
    sum += GPOINTER_TO_SIZE (g_async_queue_pop (queue));

  return GSIZE_TO_POINTER (sum);
}

static gpointer
queue_pop_boxed (gpointer queue)
{
  gsize sum = 0;

  for (int i = 1; i <= bench_options.n; i++)
    {
      gint64 *item = g_async_queue_pop (queue);

      sum += (gsize) *item;
      g_free (item);
    }

  return GSIZE_TO_POINTER (sum);
}

static gpointer
queue_try_pop (gpointer queue)
{
  gsize sum = 0;

  for (int i = 1; i <= bench_options.n; i++)
    {
      gpointer item;

      while ((item = g_async_queue_try_pop (queue)) == NULL)
        idle_turn ();
      sum += GPOINTER_TO_SIZE (item);
    }

  return GSIZE_TO_POINTER (sum);
}

static void
measure_queue (ThreadFunc produce,
               ThreadFunc consume)
{
  GAsyncQueue *queue = g_async_queue_new ();

  measure_threads (queue, produce, consume);
  g_async_queue_unref (queue);
}

static void
run_queue_blocking (void)
{
  measure_queue (queue_push, queue_pop);
}

static void
run_queue_blocking_boxed (void)
{
  measure_queue (queue_push_boxed, queue_pop_boxed);
}

static void
run_queue_try (void)
{
  measure_queue (queue_push, queue_try_pop);
}

/* From a thread to a main loop */

static struct
{
  GMainLoop *main;
  GAsyncQueue *queue;
  ConcurChannel *channel;
  guint capacity;
  gsize sum;
  int left;
} loop;

static void
loop_got (gsize number)
{
  loop.sum += number;
  if (--loop.left == 0)
    g_main_loop_quit (loop.main);
}

static gpointer
loop_consume (gpointer queue)
{
  g_main_loop_run (loop.main);

  return GSIZE_TO_POINTER (loop.sum);
}

static void
measure_loop (ThreadFunc produce,
              void     (*begin) (void))
{
  int repeat = bench_options.repeat;

  bench_own_main_context ();
  loop.main = g_main_loop_new (NULL, FALSE);
  bench_options.repeat = 1;
  for (int i = 0; i < repeat; i++)
    {
      loop.sum = 0;
      loop.left = bench_options.n;
      if (begin != NULL)
        begin ();
      measure_threads (loop.channel != NULL ? (gpointer) loop.channel : loop.queue, produce,
                       loop_consume);
    }
  bench_options.repeat = repeat;
  g_main_loop_unref (loop.main);
}

static void
ask_many (void);

static void
got_many (ConcurFuture *future,
          gpointer      data)
{
  ConcurBatch *batch = g_value_get_object (concur_future_get_value (future, NULL));
  guint n = concur_batch_get_n_items (batch);

  for (guint i = 0; i < n; i++)
    loop_got ((gsize) g_value_get_int64 (concur_batch_get_value (batch, i)));
  if (loop.left > 0)
    ask_many ();
}

static void
ask_many (void)
{
  ConcurFuture *future = concur_channel_receive_many (loop.channel, AT_ONCE);

  concur_future_when_done (future, got_many, NULL, NULL, NULL);
  g_object_unref (future);
}

static void
run_channel_loop_many (void)
{
  loop.channel = concur_channel_new (0);
  measure_loop (channel_send_wait, ask_many);
  g_object_unref (loop.channel);
}

static void
run_channel_loop_many_bounded (void)
{
  loop.channel = concur_channel_new (CAPACITY);
  measure_loop (channel_send_wait, ask_many);
  g_object_unref (loop.channel);
}

static gboolean
got_each (ConcurChannel *channel,
          const GValue  *value,
          gpointer       data)
{
  loop_got ((gsize) g_value_get_int64 (value));

  return loop.left > 0;
}

static void
ask_each (void)
{
  g_object_unref (loop.channel);
  loop.channel = concur_channel_new (loop.capacity);
  g_object_unref (concur_channel_for_each (loop.channel, got_each, NULL, NULL, NULL));
}

static void
measure_loop_each (guint capacity)
{
  loop.capacity = capacity;
  loop.channel = concur_channel_new (capacity);
  measure_loop (channel_send_wait, ask_each);
  g_object_unref (loop.channel);
}

static void
run_channel_loop_each (void)
{
  measure_loop_each (0);
}

static void
run_channel_loop_each_bounded (void)
{
  measure_loop_each (CAPACITY);
}

static void
ask_one (void);

static void
got_one (ConcurFuture *future,
         gpointer      data)
{
  loop_got ((gsize) g_value_get_int64 (concur_future_get_value (future, NULL)));
  if (loop.left > 0)
    ask_one ();
}

static void
ask_one (void)
{
  ConcurFuture *future = concur_channel_receive (loop.channel);

  concur_future_when_done (future, got_one, NULL, NULL, NULL);
  g_object_unref (future);
}

static void
run_channel_loop_one (void)
{
  loop.channel = concur_channel_new (0);
  measure_loop (channel_send_wait, ask_one);
  g_object_unref (loop.channel);
}

static gboolean
drain_one (gpointer data)
{
  loop_got (GPOINTER_TO_SIZE (g_async_queue_pop (loop.queue)));

  return G_SOURCE_REMOVE;
}

/* What programs do: push, and an idle source for each item. */
static gpointer
queue_push_idle (gpointer queue)
{
  bench_gate_pass (&gate);
  for (int i = 1; i <= bench_options.n; i++)
    {
      g_async_queue_push (queue, GINT_TO_POINTER (i));
      g_idle_add (drain_one, NULL);
    }

  return NULL;
}

static void
run_queue_loop (void)
{
  loop.queue = g_async_queue_new ();
  measure_loop (queue_push_idle, NULL);
  g_async_queue_unref (loop.queue);
}

/* What waits there */

static void
run_waiters (void)
{
  ConcurChannel *channel = concur_channel_new (1);
  ConcurFuture **futures = g_new (ConcurFuture *, bench_options.n);
  gint64 allocated;

  futures[0] = concur_channel_receive (channel);
  allocated = bench_allocated ();
  for (int i = 1; i < bench_options.n; i++)
    futures[i] = concur_channel_receive (channel);
  if (allocated >= 0 && bench_options.n > 1)
    bench_report ("allocated",
                  (double) (bench_allocated () - allocated) / (bench_options.n - 1));

  bench_start ();
  concur_channel_stop (channel);
  bench_stop ();
  for (int i = 0; i < bench_options.n; i++)
    g_object_unref (futures[i]);
  g_free (futures);
  g_object_unref (channel);
}

int
main (int    argc,
      char **argv)
{
  static const BenchCase cases[] = {
    { "channel-single", run_channel_single },
    { "queue-single", run_queue_single },
    { "queue-single-boxed", run_queue_single_boxed },
    { "channel-single-string", run_channel_single_string },
    { "queue-single-string", run_queue_single_string },
    { "channel-blocking", run_channel_blocking },
    { "channel-blocking-bounded", run_channel_blocking_bounded },
    { "channel-try", run_channel_try },
    { "channel-try-bounded", run_channel_try_bounded },
    { "channel-many", run_channel_many },
    { "queue-blocking", run_queue_blocking },
    { "queue-blocking-boxed", run_queue_blocking_boxed },
    { "queue-try", run_queue_try },
    { "channel-loop-each", run_channel_loop_each },
    { "channel-loop-each-bounded", run_channel_loop_each_bounded },
    { "channel-loop-many", run_channel_loop_many },
    { "channel-loop-many-bounded", run_channel_loop_many_bounded },
    { "channel-loop-one", run_channel_loop_one },
    { "queue-loop", run_queue_loop },
    { "waiters", run_waiters },
    { NULL }
  };

  g_mutex_init (&gate.lock);
  g_cond_init (&gate.cond);

  return bench_main (argc, argv, cases);
}
