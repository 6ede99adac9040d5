/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Futures through a channel, in the order they get done. */

#include "config.h"

#include "test-generate.h"

#define N 6

typedef struct
{
  ConcurPromise *promises[N];
  ConcurFuture *futures[N];
} Some;

static void
some_init (Some *some)
{
  for (guint i = 0; i < N; i++)
    {
      some->promises[i] = concur_promise_new ();
      some->futures[i] = g_object_ref (concur_promise_get_future (some->promises[i]));
    }
}

static void
some_clear (Some *some)
{
  for (guint i = 0; i < N; i++)
    {
      concur_future_ignore (some->futures[i]);
      g_object_unref (some->futures[i]);
      g_object_unref (some->promises[i]);
    }
  assert_nothing_left ();
}

static void
resolve (Some  *some,
         guint  i)
{
  concur_promise_resolve_int64 (some->promises[i], i);
}

static ConcurFuture *
take_future (ConcurChannel *channel)
{
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;
  ConcurFuture *future;

  g_assert_true (concur_channel_receive_wait (channel, &value, TEST_PATIENCE_US, &error));
  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS (&value, CONCUR_TYPE_FUTURE));
  future = g_value_dup_object (&value);
  g_value_unset (&value);

  return future;
}

static void
assert_next (ConcurChannel *channel,
             ConcurFuture  *expected)
{
  g_autoptr (ConcurFuture) future = take_future (channel);

  g_assert_true (future == expected);
  g_assert_true (concur_future_is_done (future));
}

static void
test_order (void)
{
  static const guint order[N] = { 3, 0, 5, 4, 1, 2 };
  g_autoptr (ConcurFuture) completion = NULL;
  ConcurChannel *channel;
  Some some;

  some_init (&some);
  channel = concur_future_as_completed (some.futures, N);
  g_assert_cmpuint (concur_channel_get_capacity (channel), ==, 0);
  completion = concur_channel_dup_completion (channel);
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_EMPTY);
  for (guint i = 0; i < N; i++)
    {
      resolve (&some, order[i]);
      g_assert_cmpuint (concur_channel_get_length (channel), ==, i % 3 + 1);
      g_assert_cmpint (concur_channel_is_closed (channel), ==, i == N - 1);
      if (i % 3 == 2)
        for (guint j = i - 2; j <= i; j++)
          assert_next (channel, some.futures[order[j]]);
    }
  assert_closed (channel);
  test_assert_int64 (completion, N);
  g_clear_object (&completion);
  g_object_unref (channel);
  some_clear (&some);
}

/* Those that are done come first, in the order given, not in the order they got done. */
static void
test_done_before (void)
{
  ConcurChannel *channel;
  Some some;

  some_init (&some);
  resolve (&some, 4);
  resolve (&some, 1);
  resolve (&some, 5);
  channel = concur_future_as_completed (some.futures, N);
  resolve (&some, 0);
  resolve (&some, 2);
  resolve (&some, 3);
  assert_next (channel, some.futures[1]);
  assert_next (channel, some.futures[4]);
  assert_next (channel, some.futures[5]);
  assert_next (channel, some.futures[0]);
  assert_next (channel, some.futures[2]);
  assert_next (channel, some.futures[3]);
  assert_closed (channel);
  g_object_unref (channel);
  some_clear (&some);
}

static void
done_in_callback (ConcurFuture *future,
                  gpointer      data)
{
  gpointer *args = data;
  ConcurFuture **futures = args[0];

  args[1] = concur_future_as_completed (futures, 2);
  /* At once, where callbacks do not nest. */
  g_assert_cmpuint (concur_channel_get_length (args[1]), ==, 2);
  g_assert_true (concur_channel_is_closed (args[1]));
}

static void
test_in_callback (void)
{
  Some some;
  gpointer args[2] = { some.futures };

  some_init (&some);
  resolve (&some, 1);
  concur_future_add_direct_callback (some.futures[0], done_in_callback, args, NULL);
  resolve (&some, 0);
  assert_next (args[1], some.futures[0]);
  assert_next (args[1], some.futures[1]);
  assert_closed (args[1]);
  g_object_unref (args[1]);
  some_clear (&some);
}

static void
test_duplicates (void)
{
  ConcurChannel *channel;
  ConcurFuture *futures[2 * N];
  g_autoptr (ConcurFuture) completion = NULL;
  Some some;

  some_init (&some);
  for (guint i = 0; i < 2 * N; i++)
    futures[i] = some.futures[i % N];
  resolve (&some, 2);
  channel = concur_future_as_completed (futures, 2 * N);
  completion = concur_channel_dup_completion (channel);
  for (guint i = 0; i < N; i++)
    if (i != 2)
      resolve (&some, i);
  assert_next (channel, some.futures[2]);
  for (guint i = 0; i < N; i++)
    if (i != 2)
      assert_next (channel, some.futures[i]);
  assert_closed (channel);
  test_assert_int64 (completion, N);
  g_clear_object (&completion);
  g_object_unref (channel);
  some_clear (&some);
}

static void
test_none (void)
{
  g_autoptr (ConcurChannel) channel = concur_future_as_completed (NULL, 0);
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);

  g_assert_true (concur_channel_is_closed (channel));
  assert_no_receive (channel, CONCUR_CHANNEL_ERROR_CLOSED);
  test_assert_int64 (completion, 0);
}

/* All who were there were done, and nobody has received yet. */
static void
test_all_done (void)
{
  ConcurChannel *channel;
  g_autoptr (ConcurFuture) completion = NULL;
  Some some;

  some_init (&some);
  for (guint i = 0; i < N; i++)
    resolve (&some, i);
  channel = concur_future_as_completed (some.futures, N);
  completion = concur_channel_dup_completion (channel);
  g_assert_true (concur_channel_is_closed (channel));
  g_assert_cmpuint (concur_channel_get_length (channel), ==, N);
  g_assert_false (concur_future_is_done (completion));
  for (guint i = 0; i < N; i++)
    assert_next (channel, some.futures[i]);
  test_assert_int64 (completion, N);
  assert_closed (channel);
  g_clear_object (&completion);
  g_object_unref (channel);
  some_clear (&some);
}

/* Failed and cancelled ones come as the others. */
static void
test_outcomes (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "no");
  ConcurChannel *channel;
  Some some;

  some_init (&some);
  concur_promise_reject (some.promises[0], error);
  channel = concur_future_as_completed (some.futures, 3);
  concur_future_cancel (some.futures[2], CONCUR_CANCEL_NONE);
  resolve (&some, 1);
  assert_next (channel, some.futures[0]);
  assert_next (channel, some.futures[2]);
  assert_next (channel, some.futures[1]);
  assert_closed (channel);
  test_assert_error (some.futures[0], G_FILE_ERROR, 7);
  g_object_unref (channel);
  some_clear (&some);
}

/* To receive a future is not to look at its error; nor is to stop. */
static void
test_unseen (gconstpointer data)
{
  const char *how = data;
  g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 7, "unseen");
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));
  ConcurChannel *channel;

  if (how[0] == 'b')
    concur_promise_reject (promise, error);
  channel = concur_future_as_completed (&future, 1);
  if (how[0] == 'a')
    concur_promise_reject (promise, error);
  if (how[1] == 'r')
    assert_next (channel, future);
  else
    g_assert_true (concur_channel_stop (channel));
  g_object_unref (channel);
  g_object_unref (promise);

  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*unseen*");
  g_object_unref (future);
  g_test_assert_expected_messages ();
}

/* What was received is nobody's but the receiver's. */
static void
test_not_kept (void)
{
  guint alive = test_futures_alive ();
  ConcurChannel *channel;
  ConcurPromise *promises[N];
  ConcurFuture *futures[N];
  gint64 n_left;

  for (guint i = 0; i < N; i++)
    {
      promises[i] = concur_promise_new ();
      futures[i] = concur_promise_get_future (promises[i]);
    }
  channel = concur_future_as_completed (futures, N);
  for (guint i = 0; i < N; i++)
    {
      concur_promise_resolve_int64 (promises[i], i);
      g_object_unref (promises[i]);
    }
  n_left = N;
  g_assert_cmpuint (test_futures_alive (), ==, alive + n_left);
  while (n_left > 0)
    {
      g_autoptr (ConcurFuture) future = take_future (channel);

      g_assert_cmpuint (G_OBJECT (future)->ref_count, ==, 1);
      g_clear_object (&future);
      n_left--;
      g_assert_cmpuint (test_futures_alive (), ==, alive + n_left);
    }
  g_object_unref (channel);
}

/* However the channel ends early, the futures go on, and it keeps none of them. */
static void
test_early (gconstpointer data)
{
  const char *how = data;
  ConcurChannel *channel;
  g_autoptr (ConcurFuture) completion = NULL, waits = NULL;
  Some some;

  some_init (&some);
  resolve (&some, 0);
  resolve (&some, 1);
  channel = concur_future_as_completed (some.futures, N);
  completion = concur_channel_dup_completion (channel);
  if (how[1] == 'r')
    {
      assert_next (channel, some.futures[0]);
      assert_next (channel, some.futures[1]);
      waits = concur_channel_receive (channel);
    }

  if (how[0] == 's')
    g_assert_true (concur_channel_stop (channel));
  else if (how[0] == 'f')
    g_clear_object (&channel);
  else
    g_assert_true (concur_future_cancel (completion, CONCUR_CANCEL_NONE));

  test_assert_cancelled (completion);
  if (waits != NULL)
    test_assert_error (waits, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED);
  if (channel != NULL)
    assert_no_receive (channel, CONCUR_CHANNEL_ERROR_STOPPED);
  for (guint i = 0; i < N; i++)
    {
      /* The promise's and ours. */
      g_assert_cmpuint (G_OBJECT (some.futures[i])->ref_count, ==, 2);
      if (i > 1)
        g_assert_false (concur_future_is_done (some.futures[i]));
    }
  resolve (&some, 2);
  test_assert_int64 (some.futures[2], 2);
  g_clear_object (&channel);
  g_clear_object (&completion);
  g_clear_object (&waits);
  some_clear (&some);
}

/* A time limit is that of who receives. */
static void
test_timeout (void)
{
  ConcurChannel *channel;
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;
  Some some;

  some_init (&some);
  channel = concur_future_as_completed (some.futures, N);
  g_assert_false (concur_channel_receive_wait (channel, &value, 1000, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT);
  resolve (&some, 3);
  assert_next (channel, some.futures[3]);
  g_object_unref (channel);
  some_clear (&some);
}

static void
test_mistakes (void)
{
  ConcurFuture *futures[] = { NULL };

  test_critical (g_assert_null (concur_future_as_completed (NULL, 1)));
  test_critical (g_assert_null (concur_future_as_completed (futures, 1)));
}

/* Jobs of a pool, and a receiver that takes them as they come. */
static void
test_jobs (void)
{
  guint n = test_scaled (20000);
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (3));
  GPtrArray *futures = test_futures_new ();
  g_autoptr (ConcurChannel) channel = NULL;
  GHashTable *seen = g_hash_table_new (NULL, NULL);
  gint counter = 0;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (futures, test_submit (executor, test_count_job, &counter));
  channel = concur_future_as_completed ((ConcurFuture **) futures->pdata, n);
  g_ptr_array_unref (futures);
  for (guint i = 0; i < n; i++)
    {
      ConcurFuture *future = take_future (channel);

      g_assert_true (g_hash_table_add (seen, GINT_TO_POINTER (
        (gint) concur_future_get_int64 (future, NULL) + 1)));
      g_object_unref (future);
    }
  assert_closed (channel);
  g_assert_cmpuint (g_hash_table_size (seen), ==, n);
  g_hash_table_unref (seen);
  test_executor_end (executor);
}

/* Threads that complete, receive, stop and forget at the same time. */
typedef struct
{
  ConcurPromise **promises;  /* a promise's last reference goes with its completion */
  guint from, to;
  TestGate *go;
} Completer;

static gpointer
complete (gpointer data)
{
  Completer *self = data;

  test_gate_wait (self->go);
  for (guint i = self->from; i < self->to; i++)
    {
      if (i % 5 == 0)
        concur_future_cancel (concur_promise_get_future (self->promises[i]), CONCUR_CANCEL_NONE);
      else
        concur_promise_resolve_int64 (self->promises[i], i);
      g_object_unref (self->promises[i]);
    }

  return NULL;
}

typedef struct
{
  ConcurChannel *channel; /* (owned) */
  guint most;
  gboolean stops;
  TestGate *go;
  gint n_received;
} Taker;

static gpointer
take (gpointer data)
{
  Taker *self = data;
  GValue value = G_VALUE_INIT;

  test_gate_wait (self->go);
  while ((guint) self->n_received < self->most
         && concur_channel_receive_wait (self->channel, &value, TEST_PATIENCE_US, NULL))
    {
      g_assert_true (concur_future_is_done (g_value_get_object (&value)));
      g_value_unset (&value);
      self->n_received++;
    }
  if (self->stops)
    concur_channel_stop (self->channel);
  g_object_unref (self->channel);

  return NULL;
}

static void
test_races (void)
{
  enum { N_FUTURES = 60, N_THREADS = 3 };
  guint n_rounds = test_scaled (600);

  test_shake_start ();
  for (guint round = 0; round < n_rounds; round++)
    {
      ConcurPromise *promises[N_FUTURES];
      ConcurFuture *futures[N_FUTURES];
      GThread *threads[2 * N_THREADS];
      Completer completers[N_THREADS];
      Taker takers[N_THREADS];
      TestGate go = { 0 };
      ConcurChannel *channel;
      gboolean whole = round % 2 == 0;
      gint n_received = 0;

      for (guint i = 0; i < N_FUTURES; i++)
        {
          promises[i] = concur_promise_new ();
          futures[i] = g_object_ref (concur_promise_get_future (promises[i]));
        }
      for (guint i = 0; i < N_THREADS; i++)
        {
          completers[i] = (Completer) { promises, i * N_FUTURES / N_THREADS,
                                        (i + 1) * N_FUTURES / N_THREADS, &go };
          threads[i] = g_thread_new ("completer", complete, &completers[i]);
        }
      /* Some get done while the channel is made. */
      if (round % 4 > 1)
        test_gate_open (&go);
      channel = concur_future_as_completed (futures, N_FUTURES);
      for (guint i = 0; i < N_FUTURES; i++)
        g_object_unref (futures[i]);
      for (guint i = 0; i < N_THREADS; i++)
        {
          takers[i] = (Taker) { g_object_ref (channel),
                                whole ? G_MAXUINT
                                      : (guint) g_random_int_range (0, N_FUTURES / 3),
                                !whole && g_random_boolean (), &go };
          threads[N_THREADS + i] = g_thread_new ("taker", take, &takers[i]);
        }
      g_object_unref (channel);
      if (round % 4 <= 1)
        test_gate_open (&go);
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
      for (guint i = 0; i < N_THREADS; i++)
        n_received += takers[i].n_received;
      if (whole)
        g_assert_cmpint (n_received, ==, N_FUTURES);
      assert_nothing_left ();
    }
  test_shake_stop ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/as-completed/order", test_order);
  g_test_add_func ("/as-completed/done-before", test_done_before);
  g_test_add_func ("/as-completed/in-callback", test_in_callback);
  g_test_add_func ("/as-completed/duplicates", test_duplicates);
  g_test_add_func ("/as-completed/none", test_none);
  g_test_add_func ("/as-completed/all-done", test_all_done);
  g_test_add_func ("/as-completed/outcomes", test_outcomes);
  g_test_add_data_func ("/as-completed/unseen/before-received", "br", test_unseen);
  g_test_add_data_func ("/as-completed/unseen/after-received", "ar", test_unseen);
  g_test_add_data_func ("/as-completed/unseen/before-stopped", "bs", test_unseen);
  g_test_add_data_func ("/as-completed/unseen/after-stopped", "as", test_unseen);
  g_test_add_func ("/as-completed/not-kept", test_not_kept);
  g_test_add_data_func ("/as-completed/early/stop", "s", test_early);
  g_test_add_data_func ("/as-completed/early/forget", "f", test_early);
  g_test_add_data_func ("/as-completed/early/cancel", "c", test_early);
  g_test_add_data_func ("/as-completed/early/stop-while-receiving", "sr", test_early);
  g_test_add_data_func ("/as-completed/early/forget-while-receiving", "fr", test_early);
  g_test_add_data_func ("/as-completed/early/cancel-while-receiving", "cr", test_early);
  g_test_add_func ("/as-completed/timeout", test_timeout);
  g_test_add_func ("/as-completed/jobs", test_jobs);
  g_test_add_func ("/as-completed/mistakes", test_mistakes);
  g_test_add_func ("/as-completed/races", test_races);

  return test_run ();
}
