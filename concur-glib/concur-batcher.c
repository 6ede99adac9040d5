/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurBatcher:
 *
 * Many calls answered as one: what is asked for within a short time goes to one call of a
 * function, and each caller gets the answer to its own question.
 *
 * This is for work that costs much once and little for each item, such as a query over a
 * network or to a database.
 *
 * ```c
 * static gboolean
 * look_up (ConcurBatcherJob *job, gpointer database, GError **error)
 * {
 *   g_autoptr (Query) query = query_new (database);
 *
 *   for (guint i = 0; i < concur_batcher_job_get_n_calls (job); i++)
 *     query_add_key (query, g_value_get_string (concur_batcher_job_get_argument (job, i)));
 *
 *   if (!query_run (query, concur_job_get_cancellable (CONCUR_JOB (job)), error))
 *     return FALSE;
 *
 *   for (guint i = 0; i < concur_batcher_job_get_n_calls (job); i++)
 *     concur_batcher_job_answer (job, i, CONCUR_VALUE_STRING (query_get_row (query, i)));
 *
 *   return TRUE;
 * }
 *
 * // At most 100 keys in a query, and nobody waits longer than 5 ms for others.
 * ConcurBatcher *batcher = concur_batcher_new (100, 5000, look_up, database, NULL, NULL);
 *
 * // In many places, on any threads:
 * ConcurFuture *row = concur_batcher_call (batcher, CONCUR_VALUE_STRING ("key"), NULL);
 * ```
 *
 * The first call opens a batch. The batch starts, as a job on the executor, when
 * [property@Batcher:max-count] calls are in it, when [property@Batcher:leeway] has passed, or
 * with [method@Batcher.flush]; the call after that opens the next one. The time is kept by a
 * thread of the library's own, so no main loop is needed. If that thread cannot be started,
 * nobody waits for others: each batch starts with the call that opens it.
 *
 * ## Cancelling
 *
 * A call that is cancelled is done at once. If its batch has not begun, it is not in it any
 * more; a batch that everybody has left is dropped. If it has begun, the others notice
 * nothing; but when nobody wants any more of its answers, the job is asked to stop.
 *
 * ## Lifetime
 *
 * When the last reference to the batcher goes, what waits is started, and everybody still
 * gets an answer.
 *
 * ## Threads
 *
 * All methods may be called from any thread. The function runs where the executor runs its
 * jobs; its data is freed, when the batcher and all its batches are done, at the home of the
 * thread that gave it (see [class@Job]). An argument is copied by the call, and the copy is let
 * go at the caller's home once both its call and its batch have ended.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-batcher-private.h"
#include "concur-exit-private.h"

/* A moment for people, time enough for a burst of calls to come together. */
#define DEFAULT_LEEWAY (10 * G_USEC_PER_SEC / 1000)

struct _ConcurBatcher
{
  GObject parent_instance;

  /* immutable */
  ConcurBatcherCore *core; /* (owned), and a user of it */
};

enum
{
  PROP_0,
  PROP_EXECUTOR,
  PROP_MAX_COUNT,
  PROP_LEEWAY,
  PROP_WAITING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (ConcurBatcher, concur_batcher, G_TYPE_OBJECT)

static void
concur_batcher_finalize (GObject *object)
{
  ConcurBatcher *self = CONCUR_BATCHER (object);

  /* Who drops it is not to wait for room in a queue. */
  if (!concur_is_forked ())
    concur_batcher_core_flush (self->core, FALSE);
  concur_batcher_core_unuse (self->core);

  G_OBJECT_CLASS (concur_batcher_parent_class)->finalize (object);
}

static void
concur_batcher_get_property (GObject    *object,
                             guint       prop_id,
                             GValue     *value,
                             GParamSpec *pspec)
{
  ConcurBatcher *self = CONCUR_BATCHER (object);

  switch (prop_id)
    {
    case PROP_EXECUTOR:
      g_value_set_object (value, concur_batcher_get_executor (self));
      break;
    case PROP_MAX_COUNT:
      g_value_set_uint (value, concur_batcher_get_max_count (self));
      break;
    case PROP_LEEWAY:
      g_value_set_int64 (value, concur_batcher_get_leeway (self));
      break;
    case PROP_WAITING:
      g_value_set_uint (value, concur_batcher_get_waiting (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_batcher_set_property (GObject      *object,
                             guint         prop_id,
                             const GValue *value,
                             GParamSpec   *pspec)
{
  ConcurBatcherCore *core = CONCUR_BATCHER (object)->core;

  switch (prop_id)
    {
    case PROP_EXECUTOR:
      core->executor = g_value_dup_object (value);
      if (core->executor == NULL)
        core->executor = g_object_ref (concur_executor_get_default ());
      break;
    case PROP_MAX_COUNT:
      core->max_count = g_value_get_uint (value);
      break;
    case PROP_LEEWAY:
      core->leeway = g_value_get_int64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_batcher_class_init (ConcurBatcherClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags setting = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS
                        | G_PARAM_EXPLICIT_NOTIFY;

  object_class->finalize = concur_batcher_finalize;
  object_class->get_property = concur_batcher_get_property;
  object_class->set_property = concur_batcher_set_property;

  /**
   * ConcurBatcher:executor: (getter get_executor)
   *
   * Where the batches run. %NULL stands for the default executor.
   *
   * Since: 1.0
   */
  properties[PROP_EXECUTOR] = g_param_spec_object ("executor", NULL, NULL, CONCUR_TYPE_EXECUTOR,
                                                   setting);

  /**
   * ConcurBatcher:max-count: (getter get_max_count)
   *
   * How many calls there are in a batch at most, or 0 for no bound.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_COUNT] = g_param_spec_uint ("max-count", NULL, NULL, 0, G_MAXUINT, 0,
                                                  setting);

  /**
   * ConcurBatcher:leeway: (getter get_leeway)
   *
   * How long the first call of a batch waits for others, in microseconds.
   *
   * Since: 1.0
   */
  properties[PROP_LEEWAY] = g_param_spec_int64 ("leeway", NULL, NULL, 1, G_MAXINT64,
                                                DEFAULT_LEEWAY, setting);

  /**
   * ConcurBatcher:waiting: (getter get_waiting)
   *
   * How many calls wait for others. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_WAITING] = g_param_spec_uint ("waiting", NULL, NULL, 0, G_MAXUINT, 0,
                                                G_PARAM_READABLE | G_PARAM_STATIC_STRINGS
                                                  | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_batcher_init (ConcurBatcher *self)
{
  self->core = concur_batcher_core_new ();
  /* The executor comes from here, too. */
  self->core->home = concur_home_hold_current ();
}

/**
 * concur_batcher_new:
 * @max_count: how many calls there are in a batch at most, or 0 for no bound
 * @leeway_us: how long the first call of a batch waits for others, in microseconds, at least 1
 * @func: (scope notified) (closure user_data) (destroy destroy): what answers a batch
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @executor: (nullable): where the batches run, or %NULL for the default executor
 *
 * Makes a batcher.
 *
 * Returns: (transfer full): a new batcher
 *
 * Since: 1.0
 */
ConcurBatcher *
concur_batcher_new (guint              max_count,
                    gint64             leeway_us,
                    ConcurBatcherFunc  func,
                    gpointer           user_data,
                    GDestroyNotify     destroy,
                    ConcurExecutor    *executor)
{
  ConcurBatcher *self;

  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (leeway_us > 0, NULL);
  g_return_val_if_fail (func != NULL, NULL);

  self = g_object_new (CONCUR_TYPE_BATCHER, "executor", executor, "max-count", max_count, "leeway",
                       leeway_us, NULL);
  concur_batcher_set_func (self, func, user_data, destroy);

  return self;
}

/**
 * concur_batcher_set_func:
 * @self: a batcher that was made from properties alone, and not called yet
 * @func: (scope notified) (closure user_data) (destroy destroy): what answers a batch
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 *
 * Sets the function. This can be done once, and is for those who cannot use
 * [ctor@Batcher.new].
 *
 * Since: 1.0
 */
void
concur_batcher_set_func (ConcurBatcher     *self,
                         ConcurBatcherFunc  func,
                         gpointer           user_data,
                         GDestroyNotify     destroy)
{
  ConcurBatcherCore *core;

  g_return_if_fail (CONCUR_IS_BATCHER (self));
  g_return_if_fail (func != NULL);
  g_return_if_fail (self->core->func == NULL);

  core = self->core;
  concur_home_drop (core->home);
  core->home = concur_home_hold_current ();
  core->func = func;
  core->data = user_data;
  core->destroy = destroy;
}

/**
 * concur_batcher_get_executor: (get-property executor)
 * @self: a batcher
 *
 * Gets where the batches run.
 *
 * Returns: (transfer none): the executor
 *
 * Since: 1.0
 */
ConcurExecutor *
concur_batcher_get_executor (ConcurBatcher *self)
{
  g_return_val_if_fail (CONCUR_IS_BATCHER (self), NULL);

  return self->core->executor;
}

/**
 * concur_batcher_get_max_count: (get-property max-count)
 * @self: a batcher
 *
 * Gets how many calls there are in a batch at most.
 *
 * Returns: the number, or 0 for no bound
 *
 * Since: 1.0
 */
guint
concur_batcher_get_max_count (ConcurBatcher *self)
{
  g_return_val_if_fail (CONCUR_IS_BATCHER (self), 0);

  return self->core->max_count;
}

/**
 * concur_batcher_get_leeway: (get-property leeway)
 * @self: a batcher
 *
 * Gets how long the first call of a batch waits for others.
 *
 * Returns: the time, in microseconds
 *
 * Since: 1.0
 */
gint64
concur_batcher_get_leeway (ConcurBatcher *self)
{
  g_return_val_if_fail (CONCUR_IS_BATCHER (self), 0);

  return self->core->leeway;
}

/**
 * concur_batcher_get_waiting: (get-property waiting)
 * @self: a batcher
 *
 * Gets how many calls wait for others: those in the batch that has not been started.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_batcher_get_waiting (ConcurBatcher *self)
{
  ConcurBatcherCore *core;
  guint waiting;

  g_return_val_if_fail (CONCUR_IS_BATCHER (self), 0);

  core = self->core;
  concur_lock_acquire (&core->lock);
  waiting = core->open != NULL ? core->open->n_wanted : 0;
  concur_lock_release (&core->lock);

  return waiting;
}

/**
 * concur_batcher_call:
 * @self: a batcher
 * @argument: (nullable): what to give to the function, or %NULL for a `NULL` object
 * @cancellable: (nullable): cancels the call when it is cancelled; released at home
 *
 * Asks for the answer to one argument, together with others who ask at about the same time.
 *
 * The future is pending until it is done, as if the work began only then: cancelling it,
 * with whatever flags, always has an effect before.
 *
 * If the function fails as a whole the future is rejected with that error. If the executor
 * cannot take the batch it is rejected as by [method@Executor.submit], so with
 * %CONCUR_EXECUTOR_ERROR_SHUT_DOWN or %CONCUR_EXECUTOR_ERROR_QUEUE_FULL, and it is cancelled
 * if the executor drops its queue. In a process that was forked from one that uses the
 * library it is rejected with %CONCUR_EXECUTOR_ERROR_NOT_RUNNING.
 *
 * Whoever makes a batch full submits it, and may wait for room in a full queue, as the
 * executor's settings say. When the leeway has passed a thread of the library's submits it,
 * also into a full queue. What the calling thread submitted before and what has been worked
 * off since may be released inside this call.
 *
 * May be called from any thread.
 *
 * Returns: (transfer full): a future for the answer
 *
 * Since: 1.0
 */
ConcurFuture *
concur_batcher_call (ConcurBatcher *self,
                     const GValue  *argument,
                     GCancellable  *cancellable)
{
  g_return_val_if_fail (CONCUR_IS_BATCHER (self), NULL);
  g_return_val_if_fail (self->core->func != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  return concur_batcher_core_call (self->core, argument, cancellable);
}

/**
 * concur_batcher_flush:
 * @self: a batcher
 *
 * Starts what waits, without waiting for more. If nothing does, this does nothing.
 *
 * May be called from any thread. It may wait for room in a full queue, as the executor's
 * settings say.
 *
 * Since: 1.0
 */
void
concur_batcher_flush (ConcurBatcher *self)
{
  g_return_if_fail (CONCUR_IS_BATCHER (self));

  if (!concur_is_forked ())
    concur_batcher_core_flush (self->core, TRUE);
}
