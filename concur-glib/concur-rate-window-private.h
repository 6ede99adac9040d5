/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What has happened within a stretch of time that ends now: to allow so much in any such
 * stretch and no more. It knows no clock and no lock; both are the caller's. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* All zeroes is an empty one. */
typedef struct
{
  gint64 *times; /* oldest at head, around the end */
  guint room;    /* 0 or a power of two */
  guint head;
  guint n;
} ConcurRateWindow;

/* When the next may happen, at most @rate of them in any @period: G_MININT64 for now. It
 * forgets what is older; @now never goes back. */
gint64 concur_rate_window_next  (ConcurRateWindow *self,
                                 guint             rate,
                                 gint64            period,
                                 gint64            now);
/* It has happened. */
void   concur_rate_window_add   (ConcurRateWindow *self,
                                 gint64            now);
void   concur_rate_window_clear (ConcurRateWindow *self);

G_END_DECLS
