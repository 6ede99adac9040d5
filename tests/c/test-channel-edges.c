/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What is at the edge of what a channel is for: whoever is told drops it, values that are
 * hardly any, and processes that have half of it. */

#include "config.h"

#include "test-channel.h"

#include <sys/wait.h>
#include <unistd.h>

/* A child that hangs is killed. */
#define CHILD_SECONDS 60

typedef struct
{
  ConcurChannel *channel; /* (owned) until it is told */
  TestReleases gone;      /* of the channel */
} Last;

static void
on_told (ConcurFuture *future,
         gpointer      data)
{
  Last *last = data;

  test_releases_watch (&last->gone, last->channel);
  g_object_unref (last->channel);
}

static void
end_close (ConcurChannel *channel)
{
  g_assert_true (concur_channel_close (channel));
}

static void
end_fail (ConcurChannel *channel)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "no more");

  g_assert_true (concur_channel_fail (channel, error));
}

static void
end_stop (ConcurChannel *channel)
{
  g_assert_true (concur_channel_stop (channel));
}

static void
end_receive (ConcurChannel *channel)
{
  g_assert_cmpint (wait_int (channel), ==, 7);
}

static void
end_send (ConcurChannel *channel)
{
  put_int (channel, 7);
}

typedef struct
{
  const char *name;
  void (*end) (ConcurChannel *channel);
  gboolean has_item;      /* there is one in the channel, which is closed */
} Ending;

/* A direct callback has the only reference to the channel, and the queue the only one to the
 * future: both go while the call goes on. */
static void
test_last_waits (gconstpointer data)
{
  const Ending *ending = data;
  Last last = { .channel = concur_channel_new (0) };
  ConcurFuture *future = concur_channel_receive (last.channel);

  concur_future_ignore (future);
  concur_future_add_direct_callback (future, on_told, &last, NULL);
  g_object_unref (future);
  ending->end (last.channel);
  g_assert_cmpuint (test_releases_get (&last.gone), ==, 1);
  g_assert_cmpuint (channel_cores_alive (), ==, 0);
}

static void
test_last_completion (gconstpointer data)
{
  const Ending *ending = data;
  Last last = { .channel = concur_channel_new (0) };
  ConcurFuture *future = concur_channel_dup_completion (last.channel);

  if (ending->has_item)
    {
      put_int (last.channel, 7);
      concur_channel_close (last.channel);
    }
  concur_future_add_direct_callback (future, on_told, &last, NULL);
  g_object_unref (future);
  ending->end (last.channel);
  g_assert_cmpuint (test_releases_get (&last.gone), ==, 1);
  g_assert_cmpuint (channel_cores_alive (), ==, 0);
}

/* A value that could be an error, and is none, is a value. */
static void
test_no_error (void)
{
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) received = NULL;
  g_autoptr (ConcurFuture) resolved = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GValue) value = G_VALUE_INIT;
  const GValue *got;

  g_value_init (&value, G_TYPE_ERROR);
  g_assert_true (concur_channel_try_send (channel, &value, &error));
  received = concur_channel_receive (channel);
  g_assert_cmpint (concur_future_get_state (received), ==, CONCUR_FUTURE_STATE_RESOLVED);
  got = concur_future_get_value (received, &error);
  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS (got, G_TYPE_ERROR));
  g_assert_null (g_value_get_boxed (got));

  resolved = concur_future_resolved (&value);
  g_assert_true (concur_future_check (resolved, &error));
  g_assert_no_error (error);
}

static void
check_forked (ConcurChannel *channel,
              ConcurChannel *source,
              ConcurFuture  *waits)
{
  const struct { GQuark domain; int code; } why
    = { CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING };
  g_autoptr (ConcurFuture) completion = concur_channel_dup_completion (channel);
  g_autoptr (ConcurFuture) sent = send_int (channel, 1);
  g_autoptr (ConcurFuture) received = concur_channel_receive (channel);
  g_autoptr (GError) error = NULL;
  GValue value = G_VALUE_INIT;

  g_assert_false (concur_channel_receive_wait (channel, &value, -1, &error));
  g_assert_error (error, why.domain, why.code);
  g_clear_error (&error);
  set_int (&value, 1);
  g_assert_false (concur_channel_send_wait (channel, &value, -1, &error));
  g_assert_error (error, why.domain, why.code);
  g_clear_error (&error);
  g_assert_false (concur_channel_try_send (channel, &value, &error));
  g_assert_error (error, why.domain, why.code);
  g_assert_null (concur_channel_try_receive_many (channel, 1, NULL));
  test_assert_error (completion, why.domain, why.code);
  test_assert_error (sent, why.domain, why.code);
  test_assert_error (received, why.domain, why.code);
  g_assert_false (concur_channel_give_back (channel, &value));
  g_assert_false (concur_channel_close (channel));
  g_assert_false (concur_channel_stop (channel));
  g_assert_true (concur_channel_is_closed (channel));
  g_assert_cmpuint (concur_channel_get_length (channel), ==, 0);
  g_assert_true (concur_future_cancel (waits, CONCUR_CANCEL_NONE));
  g_object_unref (channel);

  /* Nobody was at this one. */
  put_int (source, 2);
  g_assert_cmpint (take_int (source), ==, 2);
  g_assert_true (concur_channel_close (source));
  g_object_unref (source);
}

/* While somebody is at a channel the process is forked: in the child that one is not there,
 * and never leaves it. */
static void
test_forked (void)
{
  ConcurChannel *channel = concur_channel_new (0);
  ConcurChannel *source = concur_channel_new (0);
  ConcurChannelCore *core = concur_channel_get_core (channel);
  ConcurFuture *waits = concur_channel_receive (channel);
  pid_t pid;
  int status;

  concur_lock_acquire (&core->lock);
  pid = fork ();
  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    {
      alarm (CHILD_SECONDS);
      check_forked (channel, source, waits);
      _exit (0);
    }
  concur_lock_release (&core->lock);
  while (waitpid (pid, &status, 0) != pid)
    ;
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  put_int (channel, 1);
  test_assert_int64 (waits, 1);
  g_object_unref (waits);
  g_object_unref (channel);
  g_object_unref (source);
}

int
main (int    argc,
      char **argv)
{
  static const Ending waits[] = { { "close", end_close, FALSE },
                                  { "fail", end_fail, FALSE },
                                  { "stop", end_stop, FALSE },
                                  { "send", end_send, FALSE } };
  static const Ending completions[] = { { "close", end_close, FALSE },
                                        { "fail", end_fail, FALSE },
                                        { "stop", end_stop, FALSE },
                                        { "receive", end_receive, TRUE } };

  test_init (&argc, &argv);

  for (guint i = 0; i < G_N_ELEMENTS (waits); i++)
    {
      g_autofree char *path = g_strconcat ("/channel-edges/last/", waits[i].name, NULL);

      g_test_add_data_func (path, &waits[i], test_last_waits);
    }
  for (guint i = 0; i < G_N_ELEMENTS (completions); i++)
    {
      g_autofree char *path
        = g_strconcat ("/channel-edges/last-completion/", completions[i].name, NULL);

      g_test_add_data_func (path, &completions[i], test_last_completion);
    }
  g_test_add_func ("/channel-edges/no-error", test_no_error);
  g_test_add_func ("/channel-edges/forked", test_forked);

  return test_run ();
}
