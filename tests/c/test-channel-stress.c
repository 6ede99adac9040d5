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

#include "test-channel.h"

#define N_SENDERS 100
#define N_RECEIVERS 100
#define MOST_VALUES 200        /* of one sender in a round */
#define MOST_AT_ONCE 5
#define N_SENDER_THREADS 5
#define N_RECEIVER_THREADS 5
#define SHORT_US 200

typedef enum
{
  END_CLOSE,
  END_FAIL,
  END_STOP,
  END_CANCEL,                  /* of the completion */
  N_ENDS,
} End;

typedef enum
{
  /* Nobody knows, as it was on its way when the channel was stopped. */
  FATE_UNKNOWN,
  FATE_SENT,
  FATE_NOT_SENT,
} Fate;

typedef struct _Round Round;

typedef struct
{
  Round *round;
  guint which;
  guint32 random;
  guint next;                  /* number of its next value */
  gboolean over;

  /* of those that have futures */
  ConcurFuture *future;        /* (owned) (nullable) */
  guint first, n;              /* what it sends */

  /* written by its own thread, read in the end */
  guint8 fates[MOST_VALUES];
} Sender;

typedef struct
{
  Round *round;
  guint which;
  guint32 random;
  gboolean over;
  ConcurFuture *future;        /* (owned) (nullable) */
  GCancellable *cancellable;   /* (owned) (nullable) */
  guint asked;                 /* operations in GIO's manner that are under way */
  gint last[N_SENDERS];        /* the highest number it has seen; -1: none */
  gboolean gives_back;         /* then the order is not kept */
} Receiver;

struct _Round
{
  ConcurChannel *channel;
  End end;
  guint n_values;              /* of each sender */
  Sender senders[N_SENDERS];
  Receiver receivers[N_RECEIVERS];
  gint received[N_SENDERS][MOST_VALUES]; /* atomic */
  gint total;                  /* atomic: received */
  gint given_back;             /* atomic: whoever gives back disturbs the order of all */
  gint end_at;                 /* so many received, and the end comes */
  gint ended;                  /* atomic */
};

static guint32
next_random (guint32 *random)
{
  *random ^= *random << 13;
  *random ^= *random >> 17;
  *random ^= *random << 5;

  return *random;
}

static void
make_values (Sender *self,
             GValue *values,
             guint   first,
             guint   n)
{
  for (guint i = 0; i < n; i++)
    set_int (&values[i], (gint64) (first + i) * N_SENDERS + self->which);
}

static void
end_round (Round *round)
{
  if (!g_atomic_int_compare_and_exchange (&round->ended, FALSE, TRUE))
    return;

  if (round->end == END_STOP)
    {
      concur_channel_stop (round->channel);
    }
  else if (round->end == END_CANCEL)
    {
      g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (round->channel);

      concur_future_cancel (completion, CONCUR_CANCEL_NONE);
    }
  else if (round->end == END_FAIL)
    {
      g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

      concur_channel_fail (round->channel, error);
    }
  else
    {
      concur_channel_close (round->channel);
    }
}

static gboolean
is_end (const GError *error)
{
  return g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED)
         || g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static gboolean
may_be_partial (Round *round)
{
  return round->end == END_STOP || round->end == END_CANCEL;
}

/* @n values from @first on were tried. @n_sent: so many, or -1 if that is not known. */
static void
note_sent (Sender       *self,
           guint         first,
           guint         n,
           gint          n_sent,
           const GError *error)
{
  for (guint i = 0; i < n; i++)
    self->fates[first + i]
        = n_sent < 0 ? FATE_UNKNOWN : (gint) i < n_sent ? FATE_SENT : FATE_NOT_SENT;
  if (error != NULL)
    {
      if (is_end (error))
        self->over = TRUE;
      else
        g_assert_true (g_error_matches (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT)
                       || g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_FULL)
                       || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
    }
}

static void
note_received (Receiver     *self,
               const GValue *value)
{
  gint64 number = g_value_get_int64 (value);
  guint sender = (guint) (number % N_SENDERS);
  gint nth = (gint) (number / N_SENDERS);

  g_assert_cmpint (nth, <, self->round->n_values);
  if (self->last[sender] >= nth)
    g_assert_cmpint (g_atomic_int_get (&self->round->given_back), >, 0);
  self->last[sender] = MAX (self->last[sender], nth);
  g_assert_cmpint (g_atomic_int_add (&self->round->received[sender][nth], 1), ==, 0);
  if (g_atomic_int_add (&self->round->total, 1) + 1 == self->round->end_at)
    end_round (self->round);
}

static void
note_batch (Receiver    *self,
            ConcurBatch *batch)
{
  for (guint i = 0; i < concur_batch_get_n_items (batch); i++)
    note_received (self, concur_batch_get_value (batch, i));
}

static void
note_error (Receiver     *self,
            const GError *error)
{
  if (is_end (error))
    self->over = TRUE;
  else
    g_assert_true (g_error_matches (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_TIMED_OUT)
                   || g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_EMPTY)
                   || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
}

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
check_round (Round *round)
{
  guint n_unknown = 0, n_lost = 0;
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (round->channel);

  for (guint s = 0; s < N_SENDERS; s++)
    for (guint i = 0; i < round->n_values; i++)
      {
        gboolean received = round->received[s][i] != 0;

        /* In a stop what is in the channel goes. */
        if (round->senders[s].fates[i] == FATE_SENT && !received)
          n_lost++;
        else if (round->senders[s].fates[i] == FATE_NOT_SENT)
          g_assert_false (received);
        else if (round->senders[s].fates[i] == FATE_UNKNOWN)
          n_unknown++;
      }
  if (!may_be_partial (round))
    g_assert_cmpuint (n_lost, ==, 0);

  g_assert_true (concur_future_is_done (completion));
  if (may_be_partial (round))
    test_assert_cancelled (completion);
  else if (round->end == END_FAIL)
    test_assert_error (completion, G_IO_ERROR, G_IO_ERROR_BUSY);
  else
    test_assert_int64 (completion, round->total);
  g_assert_cmpuint (count_waiters (round->channel), ==, 0);
  g_assert_cmpuint (concur_channel_get_length (round->channel), ==, 0);
  g_test_message ("end %u: %d received, %u dropped, %u not known", round->end, round->total,
                  n_lost, n_unknown);
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
