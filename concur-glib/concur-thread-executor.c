/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurThreadExecutor:
 *
 * Runs jobs on threads of its own.
 *
 * ```c
 * ConcurThreadExecutor *disk = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
 *                                            "name", "disk",
 *                                            "max-threads", 4,
 *                                            "max-pending", 1000,
 *                                            NULL);
 *
 * ConcurFuture *future = concur_executor_submit (CONCUR_EXECUTOR (disk), load, path, g_free, NULL);
 * ```
 *
 * Threads start when there is work for them and end when they have had none for
 * [property@ThreadExecutor:keep-alive]. They come from a [struct@GLib.ThreadPool] of
 * the executor's own, so neither GIO nor other executors can take them away. If a
 * thread cannot be started the executor goes on with those it has, and says so once in
 * the log; if it has none, the jobs are rejected with
 * %CONCUR_EXECUTOR_ERROR_THREAD_FAILED, and the next submit tries again.
 *
 * ## Waiting inside a job
 *
 * A job may wait for other jobs, even of the same executor. If it waits for one that
 * has not begun, without a time limit, it runs that one itself, and so it does with what
 * a chain or a combination begins with. Otherwise the executor
 * may start one more thread for as long as the job waits, up to
 * [property@ThreadExecutor:max-blocked] more in all. So jobs that wait for each other
 * do not use all threads up.
 *
 * ## The end
 *
 * [method@Executor.shutdown] ends an executor in an orderly way. When the last reference
 * goes without it, what is queued is still run, and nobody waits for that. A subclass
 * that overrides [vfunc@ThreadExecutor.thread_main] stays alive as long as it has
 * threads. When the process exits, nothing is waited for; jobs that run then are cut
 * short.
 *
 * ## Threads
 *
 * All methods may be called from any thread, except
 * [method@ThreadExecutor.run_next]. Threads are named after the executor: `disk-1`,
 * `disk-2`.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-enum-types.h"
#include "concur-exit-private.h"
#include "concur-thread-executor-private.h"
#include "concur-worker-private.h"

/* Enough that idle moments of an interactive program do not make threads come and go. */
#define DEFAULT_KEEP_ALIVE (10 * G_USEC_PER_SEC)

/* A bound against runaway waiting, far above what programs need: each is a thread that
 * sleeps. */
#define DEFAULT_MAX_BLOCKED 64

/* More threads than cores, because most jobs wait for a disk or a network part of the
 * time. */
#define DEFAULT_MAX_THREADS (g_get_num_processors () + 4)

typedef struct
{
  /* immutable after construction */
  ConcurPoolSettings settings;
  ConcurPool *pool;
  gboolean is_default;
} ConcurThreadExecutorPrivate;

static void executor_iface_init (ConcurExecutorInterface *iface);

G_DEFINE_TYPE_WITH_CODE (ConcurThreadExecutor, concur_thread_executor, G_TYPE_OBJECT,
                         G_ADD_PRIVATE (ConcurThreadExecutor)
                         G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, executor_iface_init))

enum
{
  PROP_0,
  PROP_NAME,
  PROP_MAX_THREADS,
  PROP_MAX_BLOCKED,
  PROP_MAX_PENDING,
  PROP_OVERFLOW,
  PROP_KEEP_ALIVE,
  PROP_RELEASE,
  PROP_PAUSED,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

ConcurExecutorInterface *concur_thread_executor_iface;

static inline ConcurThreadExecutorPrivate *
get_private (gpointer self)
{
  return concur_thread_executor_get_instance_private (self);
}

/* On a worker, whose token holds @owner. */
static void
run_thread_main (gpointer owner)
{
  ConcurThreadExecutor *self = owner;

  CONCUR_THREAD_EXECUTOR_GET_CLASS (self)->thread_main (self);
}

static void
concur_thread_executor_real_thread_main (ConcurThreadExecutor *self)
{
  while (concur_thread_executor_run_next (self))
    ;
}

static void
concur_thread_executor_constructed (GObject *object)
{
  ConcurThreadExecutor *self = CONCUR_THREAD_EXECUTOR (object);
  ConcurThreadExecutorPrivate *priv = get_private (self);

  G_OBJECT_CLASS (concur_thread_executor_parent_class)->constructed (object);

  if (priv->settings.name == NULL || *priv->settings.name == '\0')
    {
      g_free (priv->settings.name);
      priv->settings.name = g_strdup ("concur");
    }
  priv->settings.queue_ops = concur_pool_default_queue;

  /* Without an override the workers run without the object, which may then go before
   * they do. */
  if (CONCUR_THREAD_EXECUTOR_GET_CLASS (self)->thread_main
      != concur_thread_executor_real_thread_main)
    {
      priv->settings.thread_main = run_thread_main;
      priv->settings.owner = self;
    }

  priv->pool = concur_pool_new (&priv->settings);
}

static void
concur_thread_executor_dispose (GObject *object)
{
  ConcurThreadExecutorPrivate *priv = get_private (object);

  g_object_unref (concur_pool_shutdown (priv->pool, CONCUR_SHUTDOWN_DRAIN));

  G_OBJECT_CLASS (concur_thread_executor_parent_class)->dispose (object);
}

static void
concur_thread_executor_finalize (GObject *object)
{
  ConcurThreadExecutorPrivate *priv = get_private (object);

  concur_pool_unref (priv->pool);
  g_free (priv->settings.name);

  G_OBJECT_CLASS (concur_thread_executor_parent_class)->finalize (object);
}

static void
concur_thread_executor_get_property (GObject    *object,
                                     guint       prop_id,
                                     GValue     *value,
                                     GParamSpec *pspec)
{
  ConcurThreadExecutor *self = CONCUR_THREAD_EXECUTOR (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, concur_thread_executor_get_name (self));
      break;
    case PROP_MAX_THREADS:
      g_value_set_uint (value, concur_thread_executor_get_max_threads (self));
      break;
    case PROP_MAX_BLOCKED:
      g_value_set_uint (value, concur_thread_executor_get_max_blocked (self));
      break;
    case PROP_MAX_PENDING:
      g_value_set_uint (value, concur_thread_executor_get_max_pending (self));
      break;
    case PROP_OVERFLOW:
      g_value_set_enum (value, concur_thread_executor_get_overflow (self));
      break;
    case PROP_KEEP_ALIVE:
      g_value_set_int64 (value, concur_thread_executor_get_keep_alive (self));
      break;
    case PROP_RELEASE:
      g_value_set_enum (value, concur_thread_executor_get_release (self));
      break;
    case PROP_PAUSED:
      g_value_set_boolean (value, concur_thread_executor_get_paused (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_thread_executor_set_property (GObject      *object,
                                     guint         prop_id,
                                     const GValue *value,
                                     GParamSpec   *pspec)
{
  ConcurThreadExecutor *self = CONCUR_THREAD_EXECUTOR (object);
  ConcurPoolSettings *settings = &get_private (self)->settings;

  switch (prop_id)
    {
    case PROP_NAME:
      settings->name = g_value_dup_string (value);
      break;
    case PROP_MAX_THREADS:
      settings->max_threads = g_value_get_uint (value);
      break;
    case PROP_MAX_BLOCKED:
      settings->max_blocked = g_value_get_uint (value);
      break;
    case PROP_MAX_PENDING:
      settings->max_pending = g_value_get_uint (value);
      break;
    case PROP_OVERFLOW:
      settings->overflow = g_value_get_enum (value);
      break;
    case PROP_KEEP_ALIVE:
      settings->keep_alive = g_value_get_int64 (value);
      break;
    case PROP_RELEASE:
      settings->release = g_value_get_enum (value);
      break;
    case PROP_PAUSED:
      concur_thread_executor_set_paused (self, g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_thread_executor_class_init (ConcurThreadExecutorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = concur_thread_executor_constructed;
  object_class->dispose = concur_thread_executor_dispose;
  object_class->finalize = concur_thread_executor_finalize;
  object_class->get_property = concur_thread_executor_get_property;
  object_class->set_property = concur_thread_executor_set_property;
  klass->thread_main = concur_thread_executor_real_thread_main;

  /**
   * ConcurThreadExecutor:name: (getter get_name)
   *
   * What the threads are named after; `concur` if not set.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, once);

  /**
   * ConcurThreadExecutor:max-threads: (getter get_max_threads)
   *
   * How many jobs may run at once. 0 means that each job gets a new thread at once.
   * Four more than there are processors if not set.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_THREADS] = g_param_spec_uint ("max-threads", NULL, NULL, 0, G_MAXINT / 2,
                                                    DEFAULT_MAX_THREADS, once);

  /**
   * ConcurThreadExecutor:max-blocked: (getter get_max_blocked)
   *
   * How many threads more there may be while as many jobs wait for other futures.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_BLOCKED] = g_param_spec_uint ("max-blocked", NULL, NULL, 0, G_MAXINT / 2,
                                                    DEFAULT_MAX_BLOCKED, once);

  /**
   * ConcurThreadExecutor:max-pending: (getter get_max_pending)
   *
   * How many jobs may be queued; 0 for any number. Jobs that run do not count.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_PENDING] = g_param_spec_uint ("max-pending", NULL, NULL, 0, G_MAXINT / 2, 0,
                                                    once);

  /**
   * ConcurThreadExecutor:overflow: (getter get_overflow)
   *
   * What submitting does when [property@ThreadExecutor:max-pending] jobs are queued.
   *
   * Since: 1.0
   */
  properties[PROP_OVERFLOW] = g_param_spec_enum ("overflow", NULL, NULL, CONCUR_TYPE_OVERFLOW,
                                                 CONCUR_OVERFLOW_WAIT, once);

  /**
   * ConcurThreadExecutor:keep-alive: (getter get_keep_alive)
   *
   * How long a thread without work stays, in microseconds; -1 for ever.
   *
   * Since: 1.0
   */
  properties[PROP_KEEP_ALIVE] = g_param_spec_int64 ("keep-alive", NULL, NULL, -1, G_MAXINT64,
                                                    DEFAULT_KEEP_ALIVE, once);

  /**
   * ConcurThreadExecutor:release: (getter get_release)
   *
   * Where what was submitted is released: at the submitter's home, or by the worker.
   *
   * Since: 1.0
   */
  properties[PROP_RELEASE] = g_param_spec_enum ("release", NULL, NULL, CONCUR_TYPE_RELEASE_POLICY,
                                                CONCUR_RELEASE_HOME, once);

  /**
   * ConcurThreadExecutor:paused: (getter get_paused) (setter set_paused)
   *
   * Whether jobs are kept in the queue. Those that run already go on.
   *
   * Since: 1.0
   */
  properties[PROP_PAUSED] = g_param_spec_boolean ("paused", NULL, NULL, FALSE,
                                                  G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                                                    | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_thread_executor_init (ConcurThreadExecutor *self)
{
  ConcurPoolSettings *settings = &get_private (self)->settings;

  /* GObject complains of a setting that is out of range, and then does not set it at
   * all. That must not leave 0, which has a meaning. */
  settings->max_threads = DEFAULT_MAX_THREADS;
  settings->max_blocked = DEFAULT_MAX_BLOCKED;
  settings->keep_alive = DEFAULT_KEEP_ALIVE;
  settings->overflow = CONCUR_OVERFLOW_WAIT;
  settings->release = CONCUR_RELEASE_HOME;
}

static void
concur_thread_executor_execute (ConcurExecutor *executor,
                                ConcurJob      *job)
{
  concur_pool_execute (get_private (executor)->pool, job);
}

static ConcurFuture *
concur_thread_executor_shutdown (ConcurExecutor     *executor,
                                 ConcurShutdownMode  mode)
{
  ConcurThreadExecutorPrivate *priv = get_private (executor);
  ConcurFuture *future;
  gboolean paused;

  if (priv->is_default)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                                                      "The default executor cannot be shut down; "
                                                      "make one of your own");

      concur_promise_reject (promise, error);

      return g_object_ref (concur_promise_get_future (promise));
    }

  paused = concur_atomic_load (&priv->pool->paused, CONCUR_RELAXED);
  future = concur_pool_shutdown (priv->pool, mode);
  /* The end resumes what is paused. */
  if (paused)
    g_object_notify_by_pspec (G_OBJECT (executor), properties[PROP_PAUSED]);

  return future;
}

static void
executor_iface_init (ConcurExecutorInterface *iface)
{
  concur_thread_executor_iface = iface;
  iface->execute = concur_thread_executor_execute;
  iface->shutdown = concur_thread_executor_shutdown;
}

gboolean
concur_thread_executor_is_current (ConcurThreadExecutor *self)
{
  ConcurWorker *worker = concur_worker_get_current ();

  return worker != NULL && worker->pool == get_private (self)->pool;
}

void
concur_thread_executor_add_uncounted (ConcurThreadExecutor *self,
                                      gint                  n_jobs)
{
  concur_pool_add_uncounted (get_private (self)->pool, n_jobs);
}

/**
 * concur_thread_executor_new:
 * @max_threads: how many jobs may run at once; 0 for a new thread for each
 *
 * Makes an executor. Other settings are properties to give to `g_object_new ()`.
 *
 * Returns: (transfer full): a new executor
 *
 * Since: 1.0
 */
ConcurThreadExecutor *
concur_thread_executor_new (guint max_threads)
{
  return g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", max_threads, NULL);
}

ConcurThreadExecutor *
concur_thread_executor_new_default (void)
{
  ConcurThreadExecutor *self = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  get_private (self)->is_default = TRUE;

  return self;
}

/**
 * concur_thread_executor_get_name: (get-property name)
 * @self: an executor
 *
 * Gets what the threads are named after.
 *
 * Returns: (transfer none): the name
 *
 * Since: 1.0
 */
const char *
concur_thread_executor_get_name (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), NULL);

  return get_private (self)->settings.name;
}

/**
 * concur_thread_executor_get_max_threads: (get-property max-threads)
 * @self: an executor
 *
 * Gets how many jobs may run at once.
 *
 * Returns: the number; 0 if each job gets a new thread
 *
 * Since: 1.0
 */
guint
concur_thread_executor_get_max_threads (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), 0);

  return get_private (self)->settings.max_threads;
}

/**
 * concur_thread_executor_get_max_blocked: (get-property max-blocked)
 * @self: an executor
 *
 * Gets how many threads more there may be while jobs wait.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_thread_executor_get_max_blocked (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), 0);

  return get_private (self)->settings.max_blocked;
}

/**
 * concur_thread_executor_get_max_pending: (get-property max-pending)
 * @self: an executor
 *
 * Gets how many jobs may be queued.
 *
 * Returns: the number; 0 if there is no bound
 *
 * Since: 1.0
 */
guint
concur_thread_executor_get_max_pending (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), 0);

  return get_private (self)->settings.max_pending;
}

/**
 * concur_thread_executor_get_overflow: (get-property overflow)
 * @self: an executor
 *
 * Gets what submitting does when the queue is full.
 *
 * Returns: the policy
 *
 * Since: 1.0
 */
ConcurOverflow
concur_thread_executor_get_overflow (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), CONCUR_OVERFLOW_WAIT);

  return get_private (self)->settings.overflow;
}

/**
 * concur_thread_executor_get_release: (get-property release)
 * @self: an executor
 *
 * Gets where what was submitted is released.
 *
 * Returns: the policy
 *
 * Since: 1.0
 */
ConcurReleasePolicy
concur_thread_executor_get_release (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), CONCUR_RELEASE_HOME);

  return get_private (self)->settings.release;
}

/**
 * concur_thread_executor_get_keep_alive: (get-property keep-alive)
 * @self: an executor
 *
 * Gets how long a thread without work stays.
 *
 * Returns: the time in microseconds, -1 for ever
 *
 * Since: 1.0
 */
gint64
concur_thread_executor_get_keep_alive (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), 0);

  return get_private (self)->settings.keep_alive;
}

/**
 * concur_thread_executor_get_paused: (get-property paused)
 * @self: an executor
 *
 * Gets whether jobs are kept in the queue.
 *
 * Returns: %TRUE if they are
 *
 * Since: 1.0
 */
gboolean
concur_thread_executor_get_paused (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), FALSE);

  return concur_atomic_load (&get_private (self)->pool->paused, CONCUR_RELAXED);
}

/**
 * concur_thread_executor_set_paused: (set-property paused)
 * @self: an executor
 * @paused: whether to keep jobs in the queue
 *
 * Keeps jobs in the queue, or lets them start again. Jobs that run already go on. An
 * executor that is shut down does not pause.
 *
 * Since: 1.0
 */
void
concur_thread_executor_set_paused (ConcurThreadExecutor *self,
                                   gboolean              paused)
{
  g_return_if_fail (CONCUR_IS_THREAD_EXECUTOR (self));

  paused = !!paused;
  if (concur_thread_executor_get_paused (self) == paused)
    return;

  if (concur_pool_set_paused (get_private (self)->pool, paused))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PAUSED]);
}

/**
 * concur_thread_executor_dup_snapshot:
 * @self: an executor
 *
 * Gets who runs what since when, and counters.
 *
 * Returns: (transfer full): a new snapshot
 *
 * Since: 1.0
 */
ConcurSnapshot *
concur_thread_executor_dup_snapshot (ConcurThreadExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), NULL);

  return concur_pool_dup_snapshot (get_private (self)->pool);
}

/**
 * concur_thread_executor_get_thread_name:
 * @self: an executor
 *
 * Gets the name of the calling thread if it is one of this executor's, such as `disk-1`:
 * for a language that has names of its own for threads.
 *
 * Like the kernel, which shows it too, it has room for 15 bytes; of a longer name of the
 * executor the beginning is kept, and the number.
 *
 * Returns: (transfer none) (nullable): the name, valid on this thread until it leaves the
 *   executor, or %NULL on any other thread
 *
 * Since: 1.0
 */
const char *
concur_thread_executor_get_thread_name (ConcurThreadExecutor *self)
{
  ConcurWorker *worker;

  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), NULL);

  worker = concur_worker_get_current ();

  return worker != NULL && worker->pool == get_private (self)->pool ? worker->name : NULL;
}

/**
 * concur_thread_executor_run_next:
 * @self: an executor
 *
 * Waits for the next job and runs it.
 *
 * Only for [vfunc@ThreadExecutor.thread_main], which calls it on the executor's threads
 * until it returns %FALSE.
 *
 * Returns: %FALSE when the thread is to end
 *
 * Since: 1.0
 */
gboolean
concur_thread_executor_run_next (ConcurThreadExecutor *self)
{
  ConcurWorker *worker;
  gboolean goes_on;

  g_return_val_if_fail (CONCUR_IS_THREAD_EXECUTOR (self), FALSE);

  worker = concur_worker_get_current ();
  g_return_val_if_fail (worker != NULL && worker->pool == get_private (self)->pool, FALSE);

  goes_on = concur_worker_run_next (worker);
  concur_gate ();

  return goes_on;
}
