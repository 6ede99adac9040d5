/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A window that slides, and no bucket that fills up: a bucket lets twice as many through in
 * one period when it was full at its beginning, and who sets a limit on calls counts those. */

#include "config.h"

#include "concur-rate-window-private.h"

#include <string.h>

#define FIRST_ROOM 16

static gint64
time_at (ConcurRateWindow *self,
         guint             i)
{
  return self->times[(self->head + i) & (self->room - 1)];
}

gint64
concur_rate_window_next (ConcurRateWindow *self,
                         guint             rate,
                         gint64            period,
                         gint64            now)
{
  gint64 time;

  while (self->n > 0 && time_at (self, 0) <= now - period)
    {
      self->head = (self->head + 1) & (self->room - 1);
      self->n--;
    }

  if (self->n < rate)
    return G_MININT64;

  /* More than @rate are there if that was higher before. */
  time = time_at (self, self->n - rate);

  return time <= G_MAXINT64 - period ? time + period : G_MAXINT64;
}

void
concur_rate_window_add (ConcurRateWindow *self,
                        gint64            now)
{
  if (self->n == self->room)
    {
      guint room = self->room > 0 ? self->room * 2 : FIRST_ROOM;
      gint64 *times = g_new (gint64, room);

      for (guint i = 0; i < self->n; i++)
        times[i] = time_at (self, i);
      g_free (self->times);
      self->times = times;
      self->room = room;
      self->head = 0;
    }

  self->times[(self->head + self->n) & (self->room - 1)] = now;
  self->n++;
}

void
concur_rate_window_clear (ConcurRateWindow *self)
{
  g_free (self->times);
  memset (self, 0, sizeof *self);
}
