/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of how channels end share: the errors that it gives. */

#pragma once

#include "test-channel.h"

#define CLOSED_FOR_RECEIVERS "The channel was closed, and all that was sent has been received"
#define CLOSED_FOR_SENDERS "The channel was closed: nothing can be sent any more"
#define STOPPED "The channel was stopped: nobody receives from it any more"

static inline void
assert_message (ConcurFuture *future,
                gint          code,
                const char   *message)
{
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
  test_assert_error (future, CONCUR_CHANNEL_ERROR, code);
  g_assert_cmpstr (concur_future_get_error (future)->message, ==, message);
}

static inline gboolean
fail (ConcurChannel *channel)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_BUSY, "busy");

  return concur_channel_fail (channel, error);
}
