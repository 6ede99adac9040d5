/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The timer thread and its heap.
 *
 * The thread sleeps until the first timer is due and is woken only by one that is due
 * before the time it sleeps until. Stopping never wakes it: most timers are limits that
 * are not reached, started and stopped all the time, and it costs less to look once in
 * vain. Without timers it sleeps for ever.
 *
 * Each node of the heap has four children rather than two, and its due time beside the
 * pointer: half the depth, and a step down reads one or two cache lines. */

#include "config.h"

#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-home-private.h"
#include "concur-timer-private.h"

#define CHILDREN 4
/* Below this the memory is not worth giving back. */
#define LEAST_ROOM 64

#define AWAKE G_MININT64
#define NEVER G_MAXINT64

typedef struct
{
  gint64 due;
  guint64 number;         /* which of two that are due at the same time was started first */
  ConcurTimer *timer;
} Entry;

static ConcurLock lock;         /* a leaf */

/* protected by lock */
static Entry *heap;
static gsize n_entries;
static gsize room;
static guint64 last_number;
static gboolean started;        /* there is a thread */
static gboolean running;        /* and it has got here */
static gint64 seen;             /* the time it saw last */
static gint64 asleep_until;     /* AWAKE: it looks before it sleeps */
static ConcurHome *home;        /* of the thread, held while it runs */

#ifdef CONCUR_TESTING
static guint n_rings;
#endif

static gboolean
is_before (const Entry *a,
           const Entry *b)
{
  return a->due != b->due ? a->due < b->due : a->number < b->number;
}

static void
put_locked (gsize        i,
            const Entry *entry)
{
  heap[i] = *entry;
  entry->timer->position = i + 1;
}

static void
resize_locked (gsize wanted)
{
  heap = g_renew (Entry, heap, wanted);
  room = wanted;
}

/* Finds the place for @entry from the free one at @i on towards the top. */
static void
sift_up_locked (gsize i,
                Entry entry)
{
  while (i > 0)
    {
      gsize parent = (i - 1) / CHILDREN;

      if (!is_before (&entry, &heap[parent]))
        break;
      put_locked (i, &heap[parent]);
      i = parent;
    }

  put_locked (i, &entry);
}

static void
sift_down_locked (gsize i,
                  Entry entry)
{
  for (;;)
    {
      gsize child = i * CHILDREN + 1;
      gsize end = MIN (child + CHILDREN, n_entries);
      gsize first = child;

      if (child >= n_entries)
        break;
      for (child++; child < end; child++)
        {
          if (is_before (&heap[child], &heap[first]))
            first = child;
        }
      if (!is_before (&heap[first], &entry))
        break;
      put_locked (i, &heap[first]);
      i = first;
    }

  put_locked (i, &entry);
}

static void
insert_locked (ConcurTimer *timer,
               gint64       due)
{
  Entry entry = { due, ++last_number, timer };

  if (n_entries == room)
    resize_locked (MAX (room * 2, LEAST_ROOM));
  n_entries++;
  sift_up_locked (n_entries - 1, entry);
}

static void
remove_locked (gsize i)
{
  Entry last = heap[--n_entries];

  heap[i].timer->position = 0;
  if (i < n_entries)
    {
      if (i > 0 && is_before (&last, &heap[(i - 1) / CHILDREN]))
        sift_up_locked (i, last);
      else
        sift_down_locked (i, last);
    }

  /* Only when three quarters are free: a heap that goes up and down by a few, at whatever
   * size, is not moved each time. */
  if (room > LEAST_ROOM && n_entries < room / 4)
    resize_locked (room / 2);
}

/* The first timer if it is due, taken off; otherwise how long there is to sleep. */
static ConcurTimer *
take_locked (ConcurTimerFunc *fire)
{
  ConcurTimer *timer;

  if (n_entries == 0 || heap[0].due > seen)
    {
      asleep_until = n_entries > 0 ? heap[0].due : NEVER;
      return NULL;
    }

  timer = heap[0].timer;
  *fire = timer->fire;
  if (!CONCUR_PLANTED_BUG ("timer-taken-later"))
    remove_locked (0);

  return timer;
}

static void
run_once (ConcurParker *parker)
{
  /* Before the lock: a timer that falls due in between makes the sleep end at once. */
  gint64 now = concur_now ();
  ConcurTimerFunc fire = NULL;
  ConcurTimer *timer;
  gint64 until;

  concur_lock_acquire (&lock);
  seen = now;
  asleep_until = AWAKE;
  timer = take_locked (&fire);
  until = asleep_until;
  concur_lock_release (&lock);

  if (timer != NULL)
    {
      if (CONCUR_PLANTED_BUG ("timer-taken-later"))
        {
          concur_lock_acquire (&lock);
          if (timer->position > 0)
            remove_locked (timer->position - 1);
          concur_lock_release (&lock);
        }
      concur_gate ();
      fire (timer);
      return;
    }

  /* A direct callback of a future may have submitted from here. What comes home later
   * rings the parker. */
  concur_home_serve (G_MAXUINT);
  concur_parker_park (parker, until == NEVER ? -1 : until);
}

void
concur_timer_run (gboolean *go_on)
{
  ConcurHome *own;
  ConcurParker *parker = concur_home_get_parker (&own);
  gboolean surplus;

  /* Of several threads that were started at the same moment one stays. */
  concur_lock_acquire (&lock);
  surplus = running;
  if (!surplus)
    {
      running = TRUE;
      asleep_until = AWAKE;
      home = own;
    }
  concur_lock_release (&lock);

  if (!surplus)
    {
      while (go_on == NULL || *go_on)
        run_once (parker);

      concur_lock_acquire (&lock);
      running = FALSE;
      home = NULL;
      seen = 0;
      g_clear_pointer (&heap, g_free);
      room = 0;
      concur_lock_release (&lock);
    }

  concur_home_leave_thread ();
  concur_home_drop (own);
}

#ifdef CONCUR_EXPLORE

/* The model brings it. */
static gboolean
start_thread (GError **error)
{
  return TRUE;
}

#else

static gpointer
timer_thread (gpointer data)
{
  concur_thread_is_own = TRUE;
  concur_timer_run (NULL);

  return NULL;
}

/* Without the lock, so several threads may do it at once: then one of theirs will stay, and
 * it does not matter whose. */
static gboolean
start_thread (GError **error)
{
  g_autoptr (GError) reason = NULL;
  GThread *thread;
  gboolean there;

  concur_fork_watch ();
  thread = g_thread_try_new ("concur-timer", timer_thread, NULL, &reason);

  concur_lock_acquire (&lock);
  if (thread != NULL)
    started = TRUE;
  there = started;
  concur_lock_release (&lock);

  if (thread != NULL)
    g_thread_unref (thread);
  if (!there)
    g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED,
                 "The timer thread could not be started (%s): end others, or raise their limit",
                 reason->message);

  return there;
}

#endif

gboolean
concur_timer_start (ConcurTimer      *timer,
                    gint64            due,
                    ConcurTimerFunc   fire,
                    GError          **error)
{
  ConcurHome *wake = NULL;

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return FALSE;
    }

  concur_lock_acquire (&lock);
  if (G_UNLIKELY (!started))
    {
      concur_lock_release (&lock);
      if (!start_thread (error))
        return FALSE;
      concur_lock_acquire (&lock);
    }

  timer->fire = fire;
  /* Or one that starts itself again in the past would come before all others for ever. */
  insert_locked (timer, MAX (due, seen));
  if (due < asleep_until && !CONCUR_PLANTED_BUG ("timer-no-wake"))
    {
      /* Woken once, however many come before it looks. */
      asleep_until = AWAKE;
      wake = home != NULL ? concur_home_hold (home) : NULL;
#ifdef CONCUR_TESTING
      n_rings++;
#endif
    }
  concur_lock_release (&lock);

  if (wake != NULL)
    concur_home_ring (wake);

  return TRUE;
}

gboolean
concur_timer_stop (ConcurTimer *timer)
{
  gboolean stopped;

  /* Nothing fires there, and the lock may be held by a thread that is not there. */
  if (concur_is_forked ())
    {
      stopped = timer->position > 0;
      timer->position = 0;
      return stopped;
    }

  concur_lock_acquire (&lock);
  stopped = timer->position > 0;
  if (stopped)
    remove_locked (timer->position - 1);
  concur_lock_release (&lock);

  return stopped;
}

#ifdef CONCUR_TESTING

gsize
concur_timers_pending (void)
{
  gsize n;

  concur_lock_acquire (&lock);
  n = n_entries;
  concur_lock_release (&lock);

  return n;
}

gsize
concur_timers_room (void)
{
  gsize n;

  concur_lock_acquire (&lock);
  n = room;
  concur_lock_release (&lock);

  return n;
}

gint64
concur_timers_asleep_until (void)
{
  gint64 until;

  concur_lock_acquire (&lock);
  until = running ? asleep_until : AWAKE;
  concur_lock_release (&lock);

  return until;
}

guint
concur_timers_rings (void)
{
  guint n;

  concur_lock_acquire (&lock);
  n = n_rings;
  concur_lock_release (&lock);

  return n;
}

#endif
