/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include "concur-retry.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

struct _ConcurRetry
{
  GObject parent_instance;

  /* immutable once constructed */
  guint max_attempts;
  gint64 first_delay;
  double factor;
  gint64 max_delay;
  double jitter;

  /* immutable once used */
  ConcurRetryFilter filter;
  gpointer filter_data;
  GDestroyNotify filter_destroy;

  /* atomic */
  ConcurWord used;
};

/* How long to wait now, in µs. @base: what it would be without jitter, which then grows for
 * the next time; the first delay to begin with. @random: from 0 to less than 1. */
gint64 concur_retry_next_delay (ConcurRetry *self,
                                double      *base,
                                double       random);

G_END_DECLS
