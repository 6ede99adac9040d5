/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A future that time completes: its timer is in it.
 *
 * The timer has no reference to the future, for then one that everybody forgot would stay
 * until its time comes. Instead the last unref stops it; or, if it comes too late for
 * that, waits in dispose () for the few instructions until the timer thread has seen that
 * there is nobody to tell. */

#include "config.h"

#include "concur-combine.h"
#include "concur-future-private.h"
#include "concur-timer-private.h"

enum
{
  TIMER_OFF,      /* not started, stopped, or the timer thread has done with it */
  TIMER_ON,
  TIMER_AWAITED,  /* on, and somebody is parked until it is off */
};

typedef struct
{
  ConcurFuture parent_instance;

  ConcurTimer timer;

  /* GLib's lock: the timer's way to a reference. Taking one while the last goes would bring
   * the object back to life in the middle of g_object_unref (), which goes on with it. */
  GWeakRef alive;

  /* atomic */
  ConcurWord use;
} ConcurDelay;

typedef struct
{
  ConcurFutureClass parent_class;
} ConcurDelayClass;

static GType concur_delay_get_type (void) G_GNUC_CONST;

G_DEFINE_FINAL_TYPE (ConcurDelay, concur_delay, CONCUR_TYPE_FUTURE)

static void
delay_timer_off (ConcurDelay *self)
{
  /* Release: pairs with the acquire in delay_await_timer (), after which the memory may
   * go. */
  if (concur_atomic_exchange (&self->use, TIMER_OFF, CONCUR_RELEASE) == TIMER_AWAITED)
    concur_unpark_all (&self->use);
}

static gboolean
delay_timer_stop (ConcurDelay *self)
{
  /* Acquire: pairs with delay_timer_off (). Saves the lock when the timer has fired. */
  if (concur_atomic_load (&self->use, CONCUR_ACQUIRE) == TIMER_OFF)
    return TRUE;

  if (!concur_timer_stop (&self->timer))
    return FALSE;

  delay_timer_off (self);

  return TRUE;
}

static void
delay_await_timer (ConcurDelay *self)
{
  guint32 use = concur_atomic_load (&self->use, CONCUR_ACQUIRE);

  while (use != TIMER_OFF)
    {
      if (use == TIMER_ON && !concur_atomic_cas (&self->use, &use, TIMER_AWAITED, CONCUR_ACQUIRE))
        continue;

      concur_park (&self->use, TIMER_AWAITED, -1);
      use = concur_atomic_load (&self->use, CONCUR_ACQUIRE);
    }
}

static void
delay_fire (ConcurTimer *timer)
{
  ConcurDelay *self = (ConcurDelay *) ((char *) timer - G_STRUCT_OFFSET (ConcurDelay, timer));

  ConcurFuture *future = g_weak_ref_get (&self->alive);

  delay_timer_off (self);
  if (future == NULL)
    return;

  concur_future_answer_object (future, NULL);
  g_object_unref (future);
}

void
concur_delay_settled (ConcurFuture *self)
{
  delay_timer_stop ((ConcurDelay *) self);
}

static void
concur_delay_dispose (GObject *object)
{
  ConcurDelay *self = (ConcurDelay *) object;

  if (!delay_timer_stop (self) && !CONCUR_PLANTED_BUG ("delay-no-await"))
    delay_await_timer (self);

  G_OBJECT_CLASS (concur_delay_parent_class)->dispose (object);
}

static void
concur_delay_finalize (GObject *object)
{
  ConcurDelay *self = (ConcurDelay *) object;

  g_warn_if_fail (concur_atomic_load (&self->use, CONCUR_RELAXED) == TIMER_OFF);
  g_weak_ref_clear (&self->alive);

  G_OBJECT_CLASS (concur_delay_parent_class)->finalize (object);
}

static void
concur_delay_class_init (ConcurDelayClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = concur_delay_dispose;
  G_OBJECT_CLASS (klass)->finalize = concur_delay_finalize;
}

static void
concur_delay_init (ConcurDelay *self)
{
  concur_atomic_init (&self->use, TIMER_OFF);
  g_weak_ref_init (&self->alive, self);
}

/**
 * concur_future_delay:
 * @delay_us: how long it takes, in microseconds, from now
 *
 * Gets a future that is resolved, with a `NULL` object, when some time has passed.
 *
 * ```c
 * static void
 * show_slow (ConcurFuture *delay, gpointer spinner)
 * {
 *   gtk_widget_set_visible (GTK_WIDGET (spinner), TRUE);
 * }
 *
 * // Keep it: the callback goes with the last reference.
 * ConcurFuture *delay = concur_future_delay (G_USEC_PER_SEC / 2);
 *
 * concur_future_when_done (delay, show_slow, spinner, NULL, NULL);
 * ```
 *
 * It never comes early by the monotonic clock of g_get_monotonic_time (). A thread of the
 * library's own keeps the time, so no main loop is needed and a busy one does not hold
 * it up. If @delay_us is 0 or less, the future is resolved already.
 *
 * Cancelling the future takes it off that thread's list, and so does dropping the last
 * reference while it is pending: then it is never done, and its callbacks go with it.
 * How many are pending costs nobody anything but the memory of the futures.
 *
 * If the thread cannot be started the future is rejected with
 * %CONCUR_EXECUTOR_ERROR_THREAD_FAILED, and the next delay tries again; in a process forked
 * from the one that has the thread, with %CONCUR_EXECUTOR_ERROR_NOT_RUNNING.
 *
 * Can be called from any thread. Direct callbacks run on the thread that keeps the time,
 * and make all others late if they are not quick.
 *
 * Returns: (transfer full): a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_future_delay (gint64 delay_us)
{
  ConcurDelay *self;
  ConcurFuture *future;
  ConcurFuturePrivate *priv;
  GError *error = NULL;
  gint64 due;

  if (delay_us <= 0)
    {
      future = concur_plain_future_new ();
      concur_future_answer_object (future, NULL);

      return future;
    }

  /* Before the rest, which takes its time. */
  due = concur_deadline (delay_us);
  self = g_object_new (concur_delay_get_type (), NULL);
  future = CONCUR_FUTURE (self);
  priv = concur_future_private (self);
  concur_atomic_init (&priv->home, concur_home_hold_current ());
  concur_atomic_init (&priv->state, CONCUR_PHASE_OPEN | CONCUR_STATE_TIMED);

  concur_atomic_init (&self->use, TIMER_ON);
  if (!concur_timer_start (&self->timer, due >= 0 ? due : G_MAXINT64, delay_fire, &error))
    {
      concur_atomic_init (&self->use, TIMER_OFF);
      concur_future_answer_error (future, error);
    }

  return future;
}
