/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A round of test-channel-stress.c: the numbers of its values, what became of each as its
 * sender and its receivers were told, and whether that goes together. */

#pragma once

#include "test-channel.h"
#include "test-random.h"

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

static inline void
make_values (Sender *self,
             GValue *values,
             guint   first,
             guint   n)
{
  for (guint i = 0; i < n; i++)
    set_int (&values[i], (gint64) (first + i) * N_SENDERS + self->which);
}

static inline void
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

static inline gboolean
is_end (const GError *error)
{
  return g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED)
         || g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static inline gboolean
may_be_partial (Round *round)
{
  return round->end == END_STOP || round->end == END_CANCEL;
}

/* @n values from @first on were tried. @n_sent: so many, or -1 if that is not known. */
static inline void
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

static inline void
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

static inline void
note_batch (Receiver    *self,
            ConcurBatch *batch)
{
  for (guint i = 0; i < concur_batch_get_n_items (batch); i++)
    note_received (self, concur_batch_get_value (batch, i));
}

static inline void
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

static inline void
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
