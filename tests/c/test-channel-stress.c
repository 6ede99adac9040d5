/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A hundred senders and a hundred receivers at one channel: some are threads that block,
 * some try, some have futures, some GIO's callbacks in main loops. They give up at random,
 * by cancelling or when time runs out, until somebody ends the channel in one way or
 * another. Each value has a number, and in the end each number that a sender was told is
 * sent was received once, or was dropped by a stop; no other one was; and the values of one
 * sender came in order to each receiver.
 *
 * A failure is tried again with --seed (see the first line of the log) and CONCUR_TEST_SEED
 * (see the test's). */

#include "config.h"

#include "test-channel-round.h"

/* Threads */

static gint64
some_timeout (guint32 *random)
{
  guint32 r = next_random (random);

  return r % 4 == 0 ? -1 : r % 4 == 1 ? 0 : (gint64) (r % SHORT_US);
}

static void
step_send_in_thread (Sender *self,
                     gint64  timeout_us)
{
  ConcurChannel *channel = self->round->channel;
  guint how = next_random (&self->random) % 4;
  guint n = 1 + next_random (&self->random) % MOST_AT_ONCE;
  g_autoptr (GError) error = NULL;
  GValue values[MOST_AT_ONCE];
  guint n_sent;

  n = how & 1 ? MIN (n, self->round->n_values - self->next) : 1;
  make_values (self, values, self->next, n);
  if (how == 0)
    n_sent = concur_channel_send_wait (channel, values, timeout_us, &error);
  else if (how == 1)
    n_sent = concur_channel_send_many_wait (channel, values, n, timeout_us, &error);
  else if (how == 2)
    n_sent = concur_channel_try_send (channel, values, &error);
  else
    n_sent = concur_channel_try_send_many (channel, values, n, &error);
  g_assert_true ((n_sent == n) == (error == NULL));
  note_sent (self, self->next, n, (gint) n_sent, error);
  self->next += n;
}

static gpointer
sender_thread (gpointer data)
{
  Sender *self = data;

  while (!self->over && self->next < self->round->n_values)
    step_send_in_thread (self, some_timeout (&self->random));

  return NULL;
}

static void
step_receive_in_thread (Receiver *self,
                        gint64    timeout_us)
{
  ConcurChannel *channel = self->round->channel;
  guint how = next_random (&self->random) % 4;
  guint n = 1 + next_random (&self->random) % MOST_AT_ONCE;
  g_autoptr (ConcurBatch) batch = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GValue) value = G_VALUE_INIT;
  gboolean one = FALSE;

  if (how == 0)
    one = concur_channel_receive_wait (channel, &value, timeout_us, &error);
  else if (how == 1)
    batch = concur_channel_receive_many_wait (channel, n, timeout_us, &error);
  else if (how == 2)
    one = concur_channel_try_receive (channel, &value, &error);
  else
    batch = concur_channel_try_receive_many (channel, n, &error);
  g_assert_true ((one || batch != NULL) == (error == NULL));

  if (one && self->gives_back && next_random (&self->random) % 8 == 0)
    {
      g_atomic_int_inc (&self->round->given_back);
      if (concur_channel_give_back (channel, &value))
        one = FALSE;
    }
  if (one)
    note_received (self, &value);
  else if (batch != NULL)
    note_batch (self, batch);
  else if (error != NULL)
    note_error (self, error);
}

static gpointer
receiver_thread (gpointer data)
{
  Receiver *self = data;

  while (!self->over)
    step_receive_in_thread (self, some_timeout (&self->random));

  return NULL;
}

/* Futures: many logical senders, or receivers, in one thread. Each step looks at what has
 * come of the last one, or cancels it. */

static void
step_send_future (Sender *self)
{
  ConcurChannel *channel = self->round->channel;

  if (self->future != NULL)
    {
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = NULL;
      gboolean cancelled;

      if (!concur_future_is_done (self->future) && next_random (&self->random) % 8 != 0)
        return;
      future = g_steal_pointer (&self->future);
      cancelled = concur_future_cancel (future, CONCUR_CANCEL_NONE);
      if (cancelled)
        {
          /* Of several some may have gone. */
          note_sent (self, self->first, self->n, self->n == 1 ? 0 : -1, NULL);
          return;
        }
      /* Somebody writes it at this moment. */
      while (!concur_future_is_done (future))
        g_thread_yield ();
      if (concur_future_check (future, &error))
        note_sent (self, self->first, self->n, (gint) self->n, NULL);
      else
        note_sent (self, self->first, self->n, self->n == 1 ? 0 : -1, error);
      return;
    }

  if (self->next == self->round->n_values)
    {
      self->over = TRUE;
    }
  else
    {
      GValue values[MOST_AT_ONCE];
      guint n = 1 + next_random (&self->random) % MOST_AT_ONCE;
      gboolean many = next_random (&self->random) % 2;

      self->first = self->next;
      self->n = many ? MIN (n, self->round->n_values - self->next) : 1;
      self->next += self->n;
      make_values (self, values, self->first, self->n);
      self->future = many ? concur_channel_send_many (channel, values, self->n)
                          : concur_channel_send (channel, values);
    }
}

static gpointer
future_senders_thread (gpointer data)
{
  Sender *senders = data;
  gboolean any = TRUE;

  while (any)
    {
      any = FALSE;
      /* Each fifth, beginning with the first of them. */
      for (guint i = 0; i < N_SENDERS; i += N_SENDER_THREADS)
        if (!senders[i].over || senders[i].future != NULL)
          {
            step_send_future (&senders[i]);
            any = TRUE;
          }
      g_thread_yield ();
    }

  return NULL;
}

static void
step_receive_future (Receiver *self)
{
  ConcurChannel *channel = self->round->channel;

  if (self->future != NULL)
    {
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = NULL;
      const GValue *value;

      if (!concur_future_is_done (self->future) && next_random (&self->random) % 8 != 0)
        return;
      future = g_steal_pointer (&self->future);
      /* TRUE: then it has nothing, and whoever comes next has it. */
      if (concur_future_cancel (future, CONCUR_CANCEL_NONE))
        {
          g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_CANCELLED);
          return;
        }
      while (!concur_future_is_done (future))
        g_thread_yield ();
      value = concur_future_get_value (future, &error);
      if (value == NULL)
        {
          note_error (self, error);
        }
      else if (G_VALUE_HOLDS (value, CONCUR_TYPE_BATCH))
        {
          note_batch (self, g_value_get_object (value));
        }
      else if (self->gives_back && next_random (&self->random) % 8 == 0)
        {
          g_atomic_int_inc (&self->round->given_back);
          if (!concur_channel_give_back (channel, value))
            note_received (self, value);
        }
      else
        {
          note_received (self, value);
        }
      return;
    }

  if (next_random (&self->random) % 2)
    self->future = concur_channel_receive (channel);
  else
    self->future
        = concur_channel_receive_many (channel, 1 + next_random (&self->random) % MOST_AT_ONCE);
}

static gpointer
future_receivers_thread (gpointer data)
{
  Receiver *receivers = data;
  gboolean any = TRUE;

  while (any)
    {
      any = FALSE;
      for (guint i = 0; i < N_RECEIVERS; i += N_RECEIVER_THREADS)
        if (!receivers[i].over || receivers[i].future != NULL)
          {
            step_receive_future (&receivers[i]);
            any = TRUE;
          }
      g_thread_yield ();
    }

  return NULL;
}

/* GIO's callbacks: in this thread's own main loop, one after the other. */

static void
async_received (GObject      *channel,
                GAsyncResult *result,
                gpointer      data)
{
  Receiver *self = data;
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_channel_receive_finish (CONCUR_CHANNEL (channel), result, &error);

  self->asked = 0;
  g_clear_object (&self->cancellable);
  if (value != NULL)
    note_received (self, value);
  else
    note_error (self, error);
}

static gpointer
async_receivers_thread (gpointer data)
{
  Receiver *receivers = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  gboolean any = TRUE;

  g_main_context_push_thread_default (context);
  while (any)
    {
      any = FALSE;
      for (guint i = 0; i < N_RECEIVERS; i += N_RECEIVER_THREADS)
        {
          Receiver *self = &receivers[i];

          if (self->asked)
            {
              any = TRUE;
              if (next_random (&self->random) % 16 == 0)
                g_cancellable_cancel (self->cancellable);
            }
          else if (!self->over)
            {
              any = TRUE;
              self->asked = 1;
              self->cancellable = g_cancellable_new ();
              concur_channel_receive_async (self->round->channel, self->cancellable,
                                            async_received, self);
            }
        }
      while (g_main_context_iteration (context, FALSE))
        ;
      g_thread_yield ();
    }
  /* What the library has to let go here. */
  while (g_main_context_iteration (context, FALSE))
    ;
  g_main_context_pop_thread_default (context);

  return NULL;
}

/* Several logical ones that try, or wait for a short time, in one thread. */

static gpointer
trying_senders_thread (gpointer data)
{
  Sender *senders = data;
  gboolean any = TRUE;

  while (any)
    {
      any = FALSE;
      for (guint i = 0; i < N_SENDERS; i += N_SENDER_THREADS)
        if (!senders[i].over && senders[i].next < senders[i].round->n_values)
          {
            step_send_in_thread (&senders[i], next_random (&senders[i].random) % SHORT_US);
            any = TRUE;
          }
    }

  return NULL;
}

static gpointer
trying_receivers_thread (gpointer data)
{
  Receiver *receivers = data;
  gboolean any = TRUE;

  while (any)
    {
      any = FALSE;
      for (guint i = 0; i < N_RECEIVERS; i += N_RECEIVER_THREADS)
        if (!receivers[i].over)
          {
            step_receive_in_thread (&receivers[i], next_random (&receivers[i].random) % SHORT_US);
            any = TRUE;
          }
    }

  return NULL;
}

static void
run_round (guint capacity,
           End   end,
           guint n_values,
           gint  end_at)
{
  static const GThreadFunc sender_funcs[N_SENDER_THREADS] = {
    sender_thread, future_senders_thread, future_senders_thread, trying_senders_thread,
    trying_senders_thread,
  };
  static const GThreadFunc receiver_funcs[N_RECEIVER_THREADS] = {
    receiver_thread, future_receivers_thread, async_receivers_thread, trying_receivers_thread,
    future_receivers_thread,
  };
  Round *round = g_new0 (Round, 1);
  g_autoptr (GPtrArray) senders = g_ptr_array_new ();
  g_autoptr (GPtrArray) receivers = g_ptr_array_new ();
  gboolean gives_back = g_test_rand_int_range (0, 2);

  round->channel = concur_channel_new (capacity);
  round->end = end;
  round->n_values = n_values;
  round->end_at = end_at;
  for (guint i = 0; i < N_SENDERS; i++)
    {
      Sender *self = &round->senders[i];

      self->round = round;
      self->which = i;
      self->random = (guint32) g_test_rand_int () | 1;
      memset (self->fates, FATE_NOT_SENT, sizeof self->fates);
    }
  for (guint i = 0; i < N_RECEIVERS; i++)
    {
      Receiver *self = &round->receivers[i];

      self->round = round;
      self->which = i;
      self->random = (guint32) g_test_rand_int () | 1;
      self->gives_back = gives_back && i % 7 == 0;
      for (guint s = 0; s < N_SENDERS; s++)
        self->last[s] = -1;
    }

  for (guint i = 0; i < N_RECEIVER_THREADS; i++)
    for (guint j = i; j < (receiver_funcs[i] == receiver_thread ? N_RECEIVERS : i + 1);
         j += N_RECEIVER_THREADS)
      g_ptr_array_add (receivers, g_thread_new ("receives", receiver_funcs[i], &round->receivers[j]));
  for (guint i = 0; i < N_SENDER_THREADS; i++)
    for (guint j = i; j < (sender_funcs[i] == sender_thread ? N_SENDERS : i + 1);
         j += N_SENDER_THREADS)
      g_ptr_array_add (senders, g_thread_new ("sends", sender_funcs[i], &round->senders[j]));

  for (guint i = 0; i < senders->len; i++)
    g_thread_join (g_ptr_array_index (senders, i));
  /* If it has not ended in between, it does now. */
  end_round (round);
  for (guint i = 0; i < receivers->len; i++)
    g_thread_join (g_ptr_array_index (receivers, i));

  check_round (round);
  g_object_unref (round->channel);
  g_free (round);
}

static void
run_rounds (End end)
{
  static const guint capacities[] = { 1, 2, 7, 0 };
  guint cores = channel_cores_alive ();
  guint n_values = MAX (test_scaled (MOST_VALUES), MOST_AT_ONCE);

  test_shake_start ();
  for (guint i = 0; i < G_N_ELEMENTS (capacities); i++)
    {
      /* In the middle of it all, and when all is sent. */
      run_round (capacities[i], end, n_values,
                 g_test_rand_int_range (1, (gint32) (N_SENDERS * n_values / 2)));
      if (i % 2 == 0)
        run_round (capacities[i], end, n_values, -1);
    }
  test_shake_stop ();
  test_wait_until (channel_cores_alive () <= cores);
}

static void
test_close (void)
{
  run_rounds (END_CLOSE);
}

static void
test_fail (void)
{
  run_rounds (END_FAIL);
}

static void
test_stop (void)
{
  run_rounds (END_STOP);
}

static void
test_cancel (void)
{
  run_rounds (END_CANCEL);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/channel-stress/close", test_close);
  g_test_add_func ("/channel-stress/fail", test_fail);
  g_test_add_func ("/channel-stress/stop", test_stop);
  g_test_add_func ("/channel-stress/cancel", test_cancel);

  return test_run ();
}
