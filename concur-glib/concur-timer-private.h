/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Time: one thread for all timers of the process, started with the first one, so that they
 * fire with no main loop anywhere and while every main loop is busy. Starting and stopping
 * cost O(log n) and no system call, but when a timer is due before all others. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _ConcurTimer ConcurTimer;

/* On the timer thread, no lock held; it must be quick and must not wait. It may start the
 * timer again, or free its memory. */
typedef void (*ConcurTimerFunc) (ConcurTimer *timer);

/* The caller's memory, zeroed. It may be freed, and the timer be started again, once the
 * timer was stopped or its function was called. */
struct _ConcurTimer
{
  /* protected by the timers' lock */
  gsize position;         /* in the heap, from 1; 0: not there */
  ConcurTimerFunc fire;
};

/* @timer is not started. @due: monotonic µs. One that has passed is now: it fires at once,
 * but on the thread. Timers fire in the order of their due times, and those with the same
 * in the order they were started. FALSE: the thread could not be started (the next timer
 * tries again), or this process was forked from the one that has it. */
gboolean concur_timer_start (ConcurTimer      *timer,
                             gint64            due,
                             ConcurTimerFunc   fire,
                             GError          **error);

/* TRUE: it was started and will not fire. FALSE: it was not, or it is beyond recall: its
 * function was called, is running, or is about to be called. Of a timer that was started
 * once, exactly one of the two happens: TRUE here, or the function. Whoever gets it, the
 * caller or the function, is the one to let go what was kept for the timer, its memory
 * included. */
gboolean concur_timer_stop  (ConcurTimer      *timer);

/* What the thread does, while @go_on, or for ever if it is NULL. A model of the explorer
 * has a thread of its own for it. */
void     concur_timer_run   (gboolean         *go_on);

#ifdef CONCUR_TESTING
/* How many are started, and for how many there is room. */
gsize    concur_timers_pending      (void);
gsize    concur_timers_room         (void);
/* Until when the thread sleeps, G_MAXINT64 for ever; G_MININT64: it is awake. */
gint64   concur_timers_asleep_until (void);
/* How often a start has woken it. */
guint    concur_timers_rings        (void);
#endif

G_END_DECLS
