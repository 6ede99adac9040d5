/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurLimiter:
 *
 * Permits: at most so many at a time, and at most so many in a while.
 *
 * ```c
 * // Four downloads at a time, and no more than ten begun in any second.
 * ConcurLimiter *limiter = concur_limiter_new_with_rate (4, 10, G_USEC_PER_SEC);
 *
 * for (guint i = 0; i < n_urls; i++)
 *   futures[i] = concur_limiter_submit (limiter, NULL, download, urls[i], NULL, cancellable);
 * g_object_unref (limiter);
 * ```
 *
 * [method@Limiter.submit] gives a permit to a job when its turn comes, and takes it back when
 * the work of the job has really ended. What is no job acquires and releases by hand: as a
 * future with [method@Limiter.acquire], blocking with [method@Limiter.acquire_wait], or at
 * once or not at all with [method@Limiter.try_acquire]; each permit is then given back with
 * [method@Limiter.release], by any thread. All wait in one line, first come, first served,
 * and who is cancelled there passes the turn on.
 *
 * The number of permits can be changed at any time, see [method@Limiter.set_permits].
 *
 * ## Rates
 *
 * With a [property@Limiter:rate], in no stretch of time as long as [property@Limiter:period]
 * are more permits given than that, however they are spread over it; returning one makes no
 * room for another. A limiter with 0 permits has only the rate. Time is kept by a thread of
 * the library's own, so no main loop is needed. The limiter remembers when each permit of
 * the last period was given, in eight bytes.
 *
 * ## Lifetime
 *
 * Who waits keeps what it waits for: everybody's turn still comes when the last reference to
 * the limiter has gone. Permits that were acquired by hand count as returned then, for nobody
 * can return them any more; so keep it as long as there are such.
 *
 * ## Threads
 *
 * All methods may be called from any thread. In a process that was forked from one that uses
 * the library, nothing can be acquired.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-limiter-private.h"

struct _ConcurLimiter
{
  GObject parent_instance;

  /* immutable */
  ConcurLimiterCore *core; /* (owned) */
};

enum
{
  PROP_0,
  PROP_PERMITS,
  PROP_RATE,
  PROP_PERIOD,
  PROP_AVAILABLE,
  PROP_BORROWED,
  PROP_WAITING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (ConcurLimiter, concur_limiter, G_TYPE_OBJECT)

ConcurLimiterCore *
concur_limiter_get_core (ConcurLimiter *self)
{
  return self->core;
}

static void
concur_limiter_finalize (GObject *object)
{
  ConcurLimiter *self = CONCUR_LIMITER (object);

  if (!concur_is_forked ())
    concur_limiter_core_orphan (self->core);
  concur_limiter_core_unref (self->core);

  G_OBJECT_CLASS (concur_limiter_parent_class)->finalize (object);
}

static void
concur_limiter_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  ConcurLimiter *self = CONCUR_LIMITER (object);

  switch (prop_id)
    {
    case PROP_PERMITS:
      g_value_set_uint (value, concur_limiter_get_permits (self));
      break;
    case PROP_RATE:
      g_value_set_uint (value, concur_limiter_get_rate (self));
      break;
    case PROP_PERIOD:
      g_value_set_int64 (value, concur_limiter_get_period (self));
      break;
    case PROP_AVAILABLE:
      g_value_set_uint (value, concur_limiter_get_available (self));
      break;
    case PROP_BORROWED:
      g_value_set_uint (value, concur_limiter_get_borrowed (self));
      break;
    case PROP_WAITING:
      g_value_set_uint (value, concur_limiter_get_waiting (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_limiter_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  ConcurLimiter *self = CONCUR_LIMITER (object);

  switch (prop_id)
    {
    case PROP_PERMITS:
      concur_limiter_set_permits (self, g_value_get_uint (value));
      break;
    case PROP_RATE:
      concur_limiter_set_rate (self, g_value_get_uint (value));
      break;
    case PROP_PERIOD:
      concur_limiter_set_period (self, g_value_get_int64 (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static GParamSpec *
number_property (const char *name)
{
  return g_param_spec_uint (name, NULL, NULL, 0, G_MAXUINT, 0,
                            G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
}

static void
concur_limiter_class_init (ConcurLimiterClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags setting = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS
                        | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = concur_limiter_finalize;
  object_class->get_property = concur_limiter_get_property;
  object_class->set_property = concur_limiter_set_property;

  /**
   * ConcurLimiter:permits: (getter get_permits) (setter set_permits)
   *
   * How many may have a permit at a time, or 0 for no bound. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_PERMITS] = g_param_spec_uint ("permits", NULL, NULL, 0, G_MAXINT, 1, setting);

  /**
   * ConcurLimiter:rate: (getter get_rate) (setter set_rate)
   *
   * How many permits are given in a [property@Limiter:period] at most, or 0 for no bound.
   * There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_RATE] = g_param_spec_uint ("rate", NULL, NULL, 0, G_MAXINT, 0, setting);

  /**
   * ConcurLimiter:period: (getter get_period) (setter set_period)
   *
   * The time that the [property@Limiter:rate] is for, in microseconds. There is no
   * notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_PERIOD] = g_param_spec_int64 ("period", NULL, NULL, 1, G_MAXINT64,
                                                G_USEC_PER_SEC, setting);

  /**
   * ConcurLimiter:available: (getter get_available)
   *
   * How many permits there are that nobody has. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_AVAILABLE] = number_property ("available");

  /**
   * ConcurLimiter:borrowed: (getter get_borrowed)
   *
   * How many permits somebody has. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_BORROWED] = number_property ("borrowed");

  /**
   * ConcurLimiter:waiting: (getter get_waiting)
   *
   * How many wait for a permit. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_WAITING] = number_property ("waiting");

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_limiter_init (ConcurLimiter *self)
{
  self->core = concur_limiter_core_new (1, 0, G_USEC_PER_SEC);
}

/**
 * concur_limiter_new:
 * @permits: how many may have a permit at a time, or 0 for no bound
 *
 * Makes a limiter without a rate.
 *
 * Returns: (transfer full): a new limiter
 *
 * Since: 1.0
 */
ConcurLimiter *
concur_limiter_new (guint permits)
{
  g_return_val_if_fail (permits <= G_MAXINT, NULL);

  return g_object_new (CONCUR_TYPE_LIMITER, "permits", permits, NULL);
}

/**
 * concur_limiter_new_with_rate:
 * @permits: how many may have a permit at a time, or 0 for no bound
 * @rate: how many permits are given in a period at most, or 0 for no bound
 * @period_us: the period, in microseconds, at least 1
 *
 * Makes a limiter with a rate.
 *
 * Returns: (transfer full): a new limiter
 *
 * Since: 1.0
 */
ConcurLimiter *
concur_limiter_new_with_rate (guint  permits,
                              guint  rate,
                              gint64 period_us)
{
  g_return_val_if_fail (permits <= G_MAXINT, NULL);
  g_return_val_if_fail (rate <= G_MAXINT, NULL);
  g_return_val_if_fail (period_us > 0, NULL);

  return g_object_new (CONCUR_TYPE_LIMITER, "permits", permits, "rate", rate, "period", period_us,
                       NULL);
}

/* One number, as it is at some moment. */
#define READ(self, expression)                                                                     \
  (__extension__ ({                                                                                \
    ConcurLimiterCore *core = (self)->core;                                                        \
    __typeof__ (expression) number_;                                                               \
                                                                                                   \
    concur_lock_acquire (&core->lock);                                                             \
    number_ = (expression);                                                                        \
    concur_lock_release (&core->lock);                                                             \
    number_;                                                                                       \
  }))

/**
 * concur_limiter_get_permits: (get-property permits)
 * @self: a limiter
 *
 * Gets how many may have a permit at a time.
 *
 * Returns: the number, or 0 for no bound
 *
 * Since: 1.0
 */
guint
concur_limiter_get_permits (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), 0);

  return READ (self, core->permits);
}

/**
 * concur_limiter_set_permits: (set-property permits)
 * @self: a limiter
 * @permits: how many may have a permit at a time, or 0 for no bound
 *
 * Changes the number of permits.
 *
 * If there are more, the turn of those who wait comes at once, in their order. If there are
 * fewer than somebody has, none is taken away: no more are given until enough have come
 * back.
 *
 * Since: 1.0
 */
void
concur_limiter_set_permits (ConcurLimiter *self,
                            guint          permits)
{
  g_return_if_fail (CONCUR_IS_LIMITER (self));
  g_return_if_fail (permits <= G_MAXINT);

  concur_limiter_core_set (self->core, CONCUR_LIMITER_PERMITS, permits);
}

/**
 * concur_limiter_get_rate: (get-property rate)
 * @self: a limiter
 *
 * Gets how many permits are given in a period at most.
 *
 * Returns: the number, or 0 for no bound
 *
 * Since: 1.0
 */
guint
concur_limiter_get_rate (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), 0);

  return READ (self, core->rate);
}

/**
 * concur_limiter_set_rate: (set-property rate)
 * @self: a limiter
 * @rate: how many permits are given in a period at most, or 0 for no bound
 *
 * Changes the rate. What was given before counts, unless there was no rate.
 *
 * Since: 1.0
 */
void
concur_limiter_set_rate (ConcurLimiter *self,
                         guint          rate)
{
  g_return_if_fail (CONCUR_IS_LIMITER (self));
  g_return_if_fail (rate <= G_MAXINT);

  concur_limiter_core_set (self->core, CONCUR_LIMITER_RATE, rate);
}

/**
 * concur_limiter_get_period: (get-property period)
 * @self: a limiter
 *
 * Gets the time that the rate is for.
 *
 * Returns: the time, in microseconds
 *
 * Since: 1.0
 */
gint64
concur_limiter_get_period (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), 0);

  return READ (self, core->period);
}

/**
 * concur_limiter_set_period: (set-property period)
 * @self: a limiter
 * @period_us: the time, in microseconds, at least 1
 *
 * Changes the time that the rate is for. Of what was given before, the limiter remembers only
 * what the old period needed.
 *
 * Since: 1.0
 */
void
concur_limiter_set_period (ConcurLimiter *self,
                           gint64         period_us)
{
  g_return_if_fail (CONCUR_IS_LIMITER (self));
  g_return_if_fail (period_us > 0);

  concur_limiter_core_set (self->core, CONCUR_LIMITER_PERIOD, period_us);
}

/**
 * concur_limiter_get_available: (get-property available)
 * @self: a limiter
 *
 * Gets how many permits there are that nobody has. The rate is not looked at.
 *
 * Returns: the number; 0 also if more are out than there should be, and %G_MAXUINT if there
 *   is no bound
 *
 * Since: 1.0
 */
guint
concur_limiter_get_available (ConcurLimiter *self)
{
  guint permits, borrowed;

  g_return_val_if_fail (CONCUR_IS_LIMITER (self), 0);

  concur_lock_acquire (&self->core->lock);
  permits = self->core->permits;
  borrowed = self->core->n_by_hand + self->core->n_at_work;
  concur_lock_release (&self->core->lock);

  if (permits == 0)
    return G_MAXUINT;

  return permits > borrowed ? permits - borrowed : 0;
}

/**
 * concur_limiter_get_borrowed: (get-property borrowed)
 * @self: a limiter
 *
 * Gets how many permits somebody has: those that were acquired by hand, and those of jobs.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_limiter_get_borrowed (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), 0);

  return READ (self, core->n_by_hand + core->n_at_work);
}

/**
 * concur_limiter_get_waiting: (get-property waiting)
 * @self: a limiter
 *
 * Gets how many wait for a permit: threads, futures and jobs.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_limiter_get_waiting (ConcurLimiter *self)
{
  g_return_val_if_fail (CONCUR_IS_LIMITER (self), 0);

  return READ (self, core->n_waiting);
}
