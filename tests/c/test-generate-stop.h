/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the tests of how generated channels end share. */

#pragma once

#include "test-generate.h"

#define FOR_EVER G_MAXINT64

enum
{
  STOP,
  FORGET,
  CANCEL_COMPLETION,
  CLOSE,
  N_WAYS,
};

/* Nobody wants more. @channel is gone afterwards if it is forgotten. */
static inline void
end (ConcurChannel **channel,
     ConcurFuture   *completion,
     guint           way)
{
  switch (way)
    {
    case STOP:
      g_assert_true (concur_channel_stop (*channel));
      g_assert_false (concur_channel_stop (*channel));
      break;
    case FORGET:
      g_clear_object (channel);
      break;
    case CANCEL_COMPLETION:
      g_assert_true (concur_future_cancel (completion, CONCUR_CANCEL_NONE));
      break;
    default:
      g_assert_true (concur_channel_close (*channel));
    }
}
