/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurRetry:
 *
 * Does something again when it fails, after a while that grows.
 *
 * ```c
 * static ConcurFuture *
 * fetch (guint attempt, gpointer url, GError **error)
 * {
 *   g_autoptr (ConcurFuture) future = concur_executor_submit (concur_executor_get_default (),
 *                                                             download, url, NULL, NULL);
 *
 *   return concur_future_with_timeout (future, 10 * G_USEC_PER_SEC);
 * }
 *
 * // At once, after 0.1 s, and 0.2 s after that.
 * ConcurRetry *retry = concur_retry_new (3, G_USEC_PER_SEC / 10);
 * ConcurFuture *future = concur_retry_run (retry, fetch, url, NULL, NULL, NULL);
 * ```
 *
 * An attempt that is rejected is followed by the next one, as long as there are any left and
 * the filter has nothing against it, see [method@Retry.set_filter]. One that is cancelled is
 * not: somebody did not want it. To limit the time of each attempt use
 * [method@Future.with_timeout] as above, and on what [method@Retry.run] returns to limit that
 * of the whole.
 *
 * One object serves any number of calls, also at the same time.
 *
 * ## Threads
 *
 * All methods may be called from any thread. No thread waits meanwhile.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-retry-private.h"

#define DEFAULT_ATTEMPTS 3
#define DEFAULT_FIRST_DELAY (G_USEC_PER_SEC / 10)
#define DEFAULT_MAX_DELAY (60 * (gint64) G_USEC_PER_SEC)
#define DEFAULT_JITTER 0.5

enum
{
  PROP_0,
  PROP_MAX_ATTEMPTS,
  PROP_FIRST_DELAY,
  PROP_FACTOR,
  PROP_MAX_DELAY,
  PROP_JITTER,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (ConcurRetry, concur_retry, G_TYPE_OBJECT)

static void
concur_retry_finalize (GObject *object)
{
  ConcurRetry *self = CONCUR_RETRY (object);

  if (self->filter_destroy != NULL)
    self->filter_destroy (self->filter_data);

  G_OBJECT_CLASS (concur_retry_parent_class)->finalize (object);
}

static void
concur_retry_get_property (GObject    *object,
                           guint       prop_id,
                           GValue     *value,
                           GParamSpec *pspec)
{
  ConcurRetry *self = CONCUR_RETRY (object);

  switch (prop_id)
    {
    case PROP_MAX_ATTEMPTS:
      g_value_set_uint (value, self->max_attempts);
      break;
    case PROP_FIRST_DELAY:
      g_value_set_int64 (value, self->first_delay);
      break;
    case PROP_FACTOR:
      g_value_set_double (value, self->factor);
      break;
    case PROP_MAX_DELAY:
      g_value_set_int64 (value, self->max_delay);
      break;
    case PROP_JITTER:
      g_value_set_double (value, self->jitter);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_retry_set_property (GObject      *object,
                           guint         prop_id,
                           const GValue *value,
                           GParamSpec   *pspec)
{
  ConcurRetry *self = CONCUR_RETRY (object);

  switch (prop_id)
    {
    case PROP_MAX_ATTEMPTS:
      self->max_attempts = g_value_get_uint (value);
      break;
    case PROP_FIRST_DELAY:
      self->first_delay = g_value_get_int64 (value);
      break;
    case PROP_FACTOR:
      self->factor = g_value_get_double (value);
      break;
    case PROP_MAX_DELAY:
      self->max_delay = g_value_get_int64 (value);
      break;
    case PROP_JITTER:
      self->jitter = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_retry_class_init (ConcurRetryClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags setting = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = concur_retry_finalize;
  object_class->get_property = concur_retry_get_property;
  object_class->set_property = concur_retry_set_property;

  /**
   * ConcurRetry:max-attempts: (getter get_max_attempts)
   *
   * How many attempts there are at most, the first one included, or 0 for no bound.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_ATTEMPTS] = g_param_spec_uint ("max-attempts", NULL, NULL, 0, G_MAXUINT,
                                                     DEFAULT_ATTEMPTS, setting);

  /**
   * ConcurRetry:first-delay: (getter get_first_delay)
   *
   * How long it takes until the second attempt, in microseconds from the end of the first.
   *
   * Since: 1.0
   */
  properties[PROP_FIRST_DELAY] = g_param_spec_int64 ("first-delay", NULL, NULL, 0, G_MAXINT64,
                                                     DEFAULT_FIRST_DELAY, setting);

  /**
   * ConcurRetry:factor: (getter get_factor)
   *
   * How much longer each delay is than the one before.
   *
   * Since: 1.0
   */
  properties[PROP_FACTOR] = g_param_spec_double ("factor", NULL, NULL, 1, G_MAXDOUBLE, 2, setting);

  /**
   * ConcurRetry:max-delay: (getter get_max_delay)
   *
   * How long a delay gets at most, in microseconds.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_DELAY] = g_param_spec_int64 ("max-delay", NULL, NULL, 0, G_MAXINT64,
                                                   DEFAULT_MAX_DELAY, setting);

  /**
   * ConcurRetry:jitter: (getter get_jitter)
   *
   * The part of each delay that is left to chance, from 0 to 1: with 0.25 a delay of 100 ms
   * takes from 75 ms to 100 ms. It keeps those who failed together from coming again
   * together.
   *
   * Since: 1.0
   */
  properties[PROP_JITTER] = g_param_spec_double ("jitter", NULL, NULL, 0, 1, DEFAULT_JITTER,
                                                 setting);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_retry_init (ConcurRetry *self)
{
}

gint64
concur_retry_next_delay (ConcurRetry *self,
                         double      *base,
                         double       random)
{
  double delay = MIN (*base, (double) self->max_delay);

  *base = MIN (delay * self->factor, (double) self->max_delay);
  delay -= delay * self->jitter * random;

  return delay < (double) G_MAXINT64 ? (gint64) delay : G_MAXINT64;
}

/**
 * concur_retry_new:
 * @max_attempts: how many attempts there are at most, the first one included, or 0 for no
 *   bound
 * @first_delay_us: how long it takes until the second one, in microseconds
 *
 * Makes a rule for trying again; the other properties have their defaults.
 *
 * Returns: (transfer full): a new rule
 *
 * Since: 1.0
 */
ConcurRetry *
concur_retry_new (guint  max_attempts,
                  gint64 first_delay_us)
{
  g_return_val_if_fail (first_delay_us >= 0, NULL);

  return g_object_new (CONCUR_TYPE_RETRY, "max-attempts", max_attempts, "first-delay",
                       first_delay_us, NULL);
}

/**
 * concur_retry_get_max_attempts: (get-property max-attempts)
 * @self: a rule
 *
 * Gets how many attempts there are at most.
 *
 * Returns: the number, or 0 for no bound
 *
 * Since: 1.0
 */
guint
concur_retry_get_max_attempts (ConcurRetry *self)
{
  g_return_val_if_fail (CONCUR_IS_RETRY (self), 0);

  return self->max_attempts;
}

/**
 * concur_retry_get_first_delay: (get-property first-delay)
 * @self: a rule
 *
 * Gets how long it takes until the second attempt.
 *
 * Returns: the time, in microseconds
 *
 * Since: 1.0
 */
gint64
concur_retry_get_first_delay (ConcurRetry *self)
{
  g_return_val_if_fail (CONCUR_IS_RETRY (self), 0);

  return self->first_delay;
}

/**
 * concur_retry_get_factor: (get-property factor)
 * @self: a rule
 *
 * Gets how much longer each delay is than the one before.
 *
 * Returns: the factor
 *
 * Since: 1.0
 */
double
concur_retry_get_factor (ConcurRetry *self)
{
  g_return_val_if_fail (CONCUR_IS_RETRY (self), 0);

  return self->factor;
}

/**
 * concur_retry_get_max_delay: (get-property max-delay)
 * @self: a rule
 *
 * Gets how long a delay gets at most.
 *
 * Returns: the time, in microseconds
 *
 * Since: 1.0
 */
gint64
concur_retry_get_max_delay (ConcurRetry *self)
{
  g_return_val_if_fail (CONCUR_IS_RETRY (self), 0);

  return self->max_delay;
}

/**
 * concur_retry_get_jitter: (get-property jitter)
 * @self: a rule
 *
 * Gets the part of each delay that is left to chance.
 *
 * Returns: the part, from 0 to 1
 *
 * Since: 1.0
 */
double
concur_retry_get_jitter (ConcurRetry *self)
{
  g_return_val_if_fail (CONCUR_IS_RETRY (self), 0);

  return self->jitter;
}

/**
 * concur_retry_set_filter:
 * @self: a rule that was not used before
 * @filter: (nullable) (scope notified) (closure user_data) (destroy destroy): says whether to
 *   try again, or %NULL: after any error
 * @user_data: data for @filter
 * @destroy: (nullable): frees @user_data
 *
 * Sets a function that is asked before each further attempt.
 *
 * It is not asked after the last attempt. It takes effect for all calls of
 * [method@Retry.run], and must not be changed after the first one. @destroy runs on the
 * thread that drops the last reference to @self, which may be that of a caller or its main
 * context.
 *
 * Since: 1.0
 */
void
concur_retry_set_filter (ConcurRetry       *self,
                         ConcurRetryFilter  filter,
                         gpointer           user_data,
                         GDestroyNotify     destroy)
{
  GDestroyNotify old_destroy;
  gpointer old_data;

  g_return_if_fail (CONCUR_IS_RETRY (self));
  g_return_if_fail (concur_atomic_load (&self->used, CONCUR_RELAXED) == 0);

  old_destroy = self->filter_destroy;
  old_data = self->filter_data;
  self->filter = filter;
  self->filter_data = user_data;
  self->filter_destroy = destroy;
  if (old_destroy != NULL)
    old_destroy (old_data);
}
