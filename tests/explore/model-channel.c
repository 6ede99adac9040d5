/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A channel that holds one value, with two or three threads that send, receive, give up
 * and end it: nobody sleeps on, each value is received once or stays, one that was given
 * up has not been had, and nothing is left in memory. */

#include "config.h"

#include "concur-channel-private.h"
#include "concur-error.h"
#include "explore-models.h"

/* The numbers that are sent are powers of two, so that a sum says which. */
typedef struct
{
  ConcurChannel *channel;
  ConcurFuture *futures[2];    /* that wait at it */
  ConcurFuture *completion;
  gboolean cancelled[2];       /* cancel () said so */
  gint64 sent;
  gint64 received;
  gboolean stopped;            /* stop () said so */
  gboolean closed;
} ChannelModel;

static gpointer
setup (void)
{
  ChannelModel *model = g_new0 (ChannelModel, 1);
  ConcurChannelCore *core;

  model->channel = concur_channel_new (1);
  core = concur_channel_get_core (model->channel);
  explore_label (&core->lock, "channel");
  explore_label (&core->refs, "core-refs");

  return model;
}

static void
teardown (gpointer data)
{
  ChannelModel *model = data;

  g_clear_object (&model->channel);
  for (guint i = 0; i < 2; i++)
    g_clear_object (&model->futures[i]);
  g_clear_object (&model->completion);
  concur_release_pending ();
  g_free (model);
}

static void
init_value (GValue *value,
            gint64  number)
{
  *value = (GValue) G_VALUE_INIT;
  g_value_init (value, G_TYPE_INT64);
  g_value_set_int64 (value, number);
}

static gboolean
send_one (ChannelModel *model,
          gint64        number,
          gint64        timeout_us)
{
  GValue value;

  init_value (&value, number);
  if (!concur_channel_send_wait (model->channel, &value, timeout_us, NULL))
    return FALSE;
  model->sent += number;

  return TRUE;
}

static void
try_send (ChannelModel *model,
          gint64        number)
{
  GValue value;

  init_value (&value, number);
  explore_check (concur_channel_try_send (model->channel, &value, NULL));
  model->sent += number;
}

static gboolean
receive_one (ChannelModel *model,
             gint64        timeout_us)
{
  GValue value = G_VALUE_INIT;

  if (!concur_channel_receive_wait (model->channel, &value, timeout_us, NULL))
    return FALSE;
  model->received += g_value_get_int64 (&value);

  return TRUE;
}

/* What the futures have had, and what is left. */
static void
count_rest (ChannelModel *model,
            gboolean      receivers)
{
  GValue value = G_VALUE_INIT;

  /* Senders that still wait have their turn now. */
  while (concur_channel_try_receive (model->channel, &value, NULL))
    {
      model->received += g_value_get_int64 (&value);
      g_value_unset (&value);
    }

  for (guint i = 0; i < 2 && model->futures[i] != NULL; i++)
    {
      const GValue *had = concur_future_get_value (model->futures[i], NULL);

      if (model->cancelled[i])
        explore_check (concur_future_get_state (model->futures[i])
                       == CONCUR_FUTURE_STATE_CANCELLED);
      if (had == NULL)
        continue;
      if (receivers)
        model->received += g_value_get_int64 (had);
      else
        model->sent += (gint64) 2 << i;
    }
}

/* Threads that wait for each other */

static void
send_two (gpointer data)
{
  explore_check (send_one (data, 1, -1));
  explore_check (send_one (data, 2, -1));
}

static void
receive_two (gpointer data)
{
  explore_check (receive_one (data, -1));
  explore_check (receive_one (data, -1));
}

static void
receive_three (gpointer data)
{
  receive_two (data);
  explore_check (receive_one (data, -1));
}

static void
send_4 (gpointer data)
{
  explore_check (send_one (data, 4, -1));
}

static void
receive_any (gpointer data)
{
  explore_check (receive_one (data, -1));
}

static void
finish_all (gpointer data)
{
  ChannelModel *model = data;

  explore_check (model->sent == model->received);
  explore_check (concur_channel_get_length (model->channel) == 0);
}

/* Cancelling one of two that wait */

static gpointer
setup_receivers (void)
{
  ChannelModel *model = setup ();

  for (guint i = 0; i < 2; i++)
    model->futures[i] = concur_channel_receive (model->channel);
  explore_label (&concur_future_private (model->futures[0])->state, "first");
  explore_label (&concur_future_private (model->futures[1])->state, "second");

  return model;
}

static gpointer
setup_senders (void)
{
  ChannelModel *model = setup ();

  try_send (model, 1);
  for (guint i = 0; i < 2; i++)
    {
      GValue value;

      init_value (&value, (gint64) 2 << i);
      model->futures[i] = concur_channel_send (model->channel, &value);
    }
  explore_label (&concur_future_private (model->futures[0])->state, "first");
  explore_label (&concur_future_private (model->futures[1])->state, "second");

  return model;
}

static void
cancel_first (gpointer data)
{
  ChannelModel *model = data;

  model->cancelled[0] = concur_future_cancel (model->futures[0], CONCUR_CANCEL_NONE);
}

static void
cancel_both (gpointer data)
{
  ChannelModel *model = data;

  for (guint i = 0; i < 2; i++)
    model->cancelled[i] = concur_future_cancel (model->futures[i], CONCUR_CANCEL_NONE);
}

static void
try_send_1 (gpointer data)
{
  try_send (data, 1);
}

static void
receive_at_once (gpointer data)
{
  explore_check (receive_one (data, 0));
}

static void
finish_receivers (gpointer data)
{
  ChannelModel *model = data;
  ConcurFuture *second = model->futures[1];

  /* Its turn has passed on. */
  explore_check (model->cancelled[1] || concur_future_is_done (second) == model->cancelled[0]);
  count_rest (model, TRUE);
  explore_check (model->received == model->sent);
}

static void
finish_senders (gpointer data)
{
  ChannelModel *model = data;

  /* There is room for one. */
  explore_check (concur_channel_get_length (model->channel)
                 == (model->cancelled[0] && model->cancelled[1] ? 0 : 1));
  count_rest (model, FALSE);
  explore_check (model->received == model->sent);
}

/* Time that runs out */

static void
receive_in_time (gpointer data)
{
  receive_one (data, 1000);
}

static void
send_in_time (gpointer data)
{
  send_one (data, 2, 1000);
}

static gpointer
setup_full (void)
{
  ChannelModel *model = setup ();

  try_send (model, 1);

  return model;
}

static void
finish_rest (gpointer data)
{
  ChannelModel *model = data;

  count_rest (model, TRUE);
  explore_check (model->received == model->sent);
}

/* The end */

static void
send_until_end (gpointer data)
{
  if (send_one (data, 1, -1))
    send_one (data, 2, -1);
}

static void
send_1_maybe (gpointer data)
{
  send_one (data, 1, -1);
}

static void
receive_until_end (gpointer data)
{
  while (receive_one (data, -1))
    ;
}

static void
receive_1_maybe (gpointer data)
{
  receive_one (data, -1);
}

static void
close_it (gpointer data)
{
  ChannelModel *model = data;

  model->closed = concur_channel_close (model->channel);
}

static void
stop_it (gpointer data)
{
  ChannelModel *model = data;

  model->stopped = concur_channel_stop (model->channel);
}

static void
finish_stopped (gpointer data)
{
  ChannelModel *model = data;

  count_rest (model, TRUE);
  explore_check (model->stopped && model->received <= model->sent);
}

/* Several who give up and end it */

static void
receive_and_cancel (gpointer data)
{
  ChannelModel *model = data;

  model->futures[0] = concur_channel_receive (model->channel);
  model->cancelled[0] = concur_future_cancel (model->futures[0], CONCUR_CANCEL_NONE);
}

static void
send_and_close (gpointer data)
{
  if (send_one (data, 1, 0))
    close_it (data);
}

static void
receive_and_give_back (gpointer data)
{
  ChannelModel *model = data;
  GValue value = G_VALUE_INIT;

  if (concur_channel_try_receive (model->channel, &value, NULL))
    explore_check (concur_channel_give_back (model->channel, &value));
}

/* The completion */

static void
look_at_end (gpointer data)
{
  ChannelModel *model = data;

  model->completion = concur_channel_dup_completion (model->channel);
  explore_check (concur_future_wait (model->completion, -1));
}

static void
cancel_completion (gpointer data)
{
  ChannelModel *model = data;
  ConcurFuture *completion = concur_channel_dup_completion (model->channel);

  concur_future_cancel (completion, CONCUR_CANCEL_NONE);
  g_object_unref (completion);
}

static void
finish_completion (gpointer data)
{
  ChannelModel *model = data;
  ConcurFuture *again = concur_channel_dup_completion (model->channel);

  explore_check (concur_future_is_done (again));
  explore_check (model->completion == NULL || again == model->completion);
  if (model->stopped)
    explore_check (concur_future_get_state (again) == CONCUR_FUTURE_STATE_CANCELLED);
  g_object_unref (again);
}

/* Forgotten by all but who waits */

static gpointer
setup_two_handles (void)
{
  ChannelModel *model = setup ();

  g_object_ref (model->channel);
  explore_label (&G_OBJECT (model->channel)->ref_count, "handle-refs");

  return model;
}

static void
drop (gpointer data)
{
  g_object_unref (((ChannelModel *) data)->channel);
}

static void
receive_and_drop (gpointer data)
{
  ChannelModel *model = data;

  model->futures[0] = concur_channel_receive (model->channel);
  g_object_unref (model->channel);
  explore_check (concur_future_wait (model->futures[0], -1));
  explore_check (g_error_matches (concur_future_get_error (model->futures[0]),
                                  CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_STOPPED));
}

static void
finish_dropped (gpointer data)
{
  ((ChannelModel *) data)->channel = NULL;
}

#define CHANNEL_MODEL(prepare, check)                                                              \
  .setup = prepare, .finish = check, .teardown = teardown, .thread_exit = concur_home_leave_thread

const ExploreModel explore_channel_models[] = {
  {
      CHANNEL_MODEL (setup, finish_all),
      .name = "channel-send-receive",
      .threads = { send_two, receive_two },
      .more = 1,
      .bugs = { "channel-unlocked-look", "channel-room-unseen" },
  },
  {
      CHANNEL_MODEL (setup, finish_all),
      .name = "channel-two-receivers",
      .threads = { send_two, receive_any, receive_any },
      .more = 1,
  },
  {
      CHANNEL_MODEL (setup, finish_all),
      .name = "channel-two-senders",
      .threads = { send_two, send_4, receive_three },
      .more = 1,
  },
  {
      CHANNEL_MODEL (setup_receivers, finish_receivers),
      .name = "channel-cancel-receiver",
      .threads = { cancel_first, try_send_1 },
      .bugs = { "channel-no-claim" },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup_receivers, finish_receivers),
      .name = "channel-cancel-receivers",
      .threads = { cancel_both, try_send_1 },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup_senders, finish_senders),
      .name = "channel-cancel-sender",
      .threads = { cancel_first, receive_at_once },
      .bugs = { "channel-no-claim", "channel-turn-lost" },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup_senders, finish_senders),
      .name = "channel-cancel-senders",
      .threads = { cancel_both, receive_at_once },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup, finish_rest),
      .name = "channel-receive-in-time",
      .threads = { receive_in_time, try_send_1 },
      .bugs = { "channel-timeout-blind" },
      .more = 2,
      .spurious = TRUE,
  },
  {
      CHANNEL_MODEL (setup_full, finish_rest),
      .name = "channel-send-in-time",
      .threads = { send_in_time, receive_at_once },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup, finish_rest),
      .name = "channel-close",
      .threads = { send_until_end, receive_until_end, close_it },
      .more = 1,
      .bugs = { "channel-unlocked-look" },
  },
  {
      CHANNEL_MODEL (setup, finish_stopped),
      .name = "channel-stop",
      .threads = { send_until_end, receive_until_end, stop_it },
      .more = 1,
  },
  {
      CHANNEL_MODEL (setup, finish_rest),
      .name = "channel-cancel-close",
      .threads = { receive_and_cancel, send_and_close },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup, finish_stopped),
      .name = "channel-cancel-stop",
      .threads = { receive_and_cancel, send_1_maybe, stop_it },
      .more = 1,
  },
  {
      CHANNEL_MODEL (setup_full, finish_rest),
      .name = "channel-give-back",
      .threads = { receive_and_give_back, receive_any },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup_full, finish_rest),
      .name = "channel-give-back-close",
      .threads = { receive_and_give_back, receive_1_maybe, close_it },
      .more = 1,
  },
  {
      CHANNEL_MODEL (setup, finish_completion),
      .name = "channel-completion",
      .threads = { look_at_end, close_it },
      .bugs = { "channel-end-unseen" },
      .more = 2,
  },
  {
      CHANNEL_MODEL (setup, finish_completion),
      .name = "channel-completion-cancel",
      .threads = { cancel_completion, close_it, stop_it },
      .more = 1,
      .bugs = { "channel-completion-kept" },
  },
  {
      CHANNEL_MODEL (setup_two_handles, finish_dropped),
      .name = "channel-dropped",
      .threads = { receive_and_drop, drop },
      .more = 2,
  },
  { NULL },
};
