/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurProcessExecutor:
 *
 * Calls functions in worker processes.
 *
 * ```c
 * const char *command[] = { "/usr/libexec/my-app/parser", NULL };
 * ConcurProcessExecutor *parser = concur_process_executor_new (command, 2);
 *
 * ConcurFuture *future = concur_process_executor_call (parser, "parse",
 *                                                      g_variant_new ("(s)", path), NULL, NULL);
 * ```
 *
 * It is for what a thread cannot do: Python that computes, any JavaScript, and code that may
 * crash. What crosses is a name and a [struct@GLib.Variant], and, where wanted, file
 * descriptors. The worker is a program of its own, which answers with [func@worker_run].
 *
 * Workers are started when there are calls for them, up to
 * [property@ProcessExecutor:max-workers], and used again. They are always fresh processes,
 * never forks of this one. When a worker dies its call is rejected with
 * %CONCUR_EXECUTOR_ERROR_WORKER_DIED, whose message says how it ended and what it wrote to
 * stderr last; other calls do not notice, and the next one gets a new worker.
 *
 * ## Stopping a call
 *
 * Cancelling a call that waits drops it. A worker that is at work is sent SIGINT, which
 * cancels [method@WorkerCall.get_cancellable]; if it has not answered within
 * [property@ProcessExecutor:grace-period] it is killed, with all that it has started. The
 * same happens when a call takes longer than [property@ProcessExecutor:call-timeout]; it
 * is then rejected with %CONCUR_FUTURE_ERROR_TIMED_OUT.
 *
 * ## The end
 *
 * [method@ProcessExecutor.shutdown] ends it in an orderly way. When the last reference goes
 * without it, what is queued is still called, and nobody waits for that. Workers also end
 * when this process does, however that happens.
 *
 * ## Threads
 *
 * All methods may be called from any thread. A thread of the executor stands behind each
 * worker, and does nothing but talk to it.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-enum-types.h"
#include "concur-process-call-private.h"
#include "concur-process-executor.h"
#include "concur-thread-executor-private.h"

#define DEFAULT_IDLE_TIMEOUT (60 * G_USEC_PER_SEC)
#define DEFAULT_START_TIMEOUT (30 * G_USEC_PER_SEC)
#define DEFAULT_GRACE_PERIOD (2 * G_USEC_PER_SEC)

/* Each is a process; far more than any machine has use for. */
#define MAX_WORKERS 4096

struct _ConcurProcessExecutor
{
  GObject parent_instance;

  /* immutable after construction */
  ConcurProcessPool *pool;       /* (owned) */
  ConcurProcessSettings settings; /* moved to the pool when that is made */
  guint max_workers;
  guint max_pending;
  ConcurOverflow overflow;
  gint64 idle_timeout_us;
};

G_DEFINE_FINAL_TYPE (ConcurProcessExecutor, concur_process_executor, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_NAME,
  PROP_COMMAND,
  PROP_ENVIRONMENT,
  PROP_WORKING_DIRECTORY,
  PROP_OPTIONS,
  PROP_MAX_WORKERS,
  PROP_MIN_WORKERS,
  PROP_MAX_CALLS_PER_WORKER,
  PROP_MAX_PENDING,
  PROP_OVERFLOW,
  PROP_IDLE_TIMEOUT,
  PROP_START_TIMEOUT,
  PROP_CALL_TIMEOUT,
  PROP_GRACE_PERIOD,
  PROP_MAX_MESSAGE_SIZE,
  PROP_MAX_MEMORY,
  PROP_MAX_CPU_TIME,
  PROP_MAX_FILES,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static gboolean
warm_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  concur_thread_executor_add_uncounted (data, -1);
  /* A call that finds no worker says why; here nobody asks. */
  concur_process_pool_warm (data, job, NULL);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static void
concur_process_executor_constructed (GObject *object)
{
  ConcurProcessExecutor *self = CONCUR_PROCESS_EXECUTOR (object);

  G_OBJECT_CLASS (concur_process_executor_parent_class)->constructed (object);

  if (self->settings.name == NULL || *self->settings.name == '\0')
    {
      g_free (self->settings.name);
      self->settings.name = g_strdup ("concur-process");
    }
  if (self->settings.command == NULL)
    self->settings.command = g_new0 (char *, 1);
  self->settings.min_workers = MIN (self->settings.min_workers, self->max_workers);

  self->pool = g_object_new (CONCUR_TYPE_PROCESS_POOL,
                             "name", self->settings.name,
                             "max-threads", self->max_workers,
                             "max-blocked", 0,
                             "max-pending", self->max_pending,
                             "overflow", self->overflow,
                             "keep-alive", self->idle_timeout_us,
                             NULL);
  self->pool->settings = self->settings;
  memset (&self->settings, 0, sizeof self->settings);

  concur_thread_executor_add_uncounted (CONCUR_THREAD_EXECUTOR (self->pool),
                                        (gint) self->pool->settings.min_workers);
  for (guint i = 0; i < self->pool->settings.min_workers; i++)
    g_object_unref (concur_executor_submit (CONCUR_EXECUTOR (self->pool), warm_job, self->pool,
                                            NULL, NULL));
}

static void
concur_process_executor_dispose (GObject *object)
{
  ConcurProcessExecutor *self = CONCUR_PROCESS_EXECUTOR (object);

  g_object_unref (concur_process_executor_shutdown (self, CONCUR_SHUTDOWN_DRAIN));

  G_OBJECT_CLASS (concur_process_executor_parent_class)->dispose (object);
}

static void
concur_process_executor_finalize (GObject *object)
{
  ConcurProcessExecutor *self = CONCUR_PROCESS_EXECUTOR (object);

  g_clear_object (&self->pool);

  G_OBJECT_CLASS (concur_process_executor_parent_class)->finalize (object);
}

static void
concur_process_executor_get_property (GObject    *object,
                                      guint       prop_id,
                                      GValue     *value,
                                      GParamSpec *pspec)
{
  ConcurProcessExecutor *self = CONCUR_PROCESS_EXECUTOR (object);
  const ConcurProcessSettings *settings = &self->pool->settings;

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, settings->name);
      break;
    case PROP_COMMAND:
      g_value_set_boxed (value, settings->command);
      break;
    case PROP_ENVIRONMENT:
      g_value_set_boxed (value, settings->environment);
      break;
    case PROP_WORKING_DIRECTORY:
      g_value_set_string (value, settings->directory);
      break;
    case PROP_OPTIONS:
      g_value_set_variant (value, settings->options);
      break;
    case PROP_MAX_WORKERS:
      g_value_set_uint (value, self->max_workers);
      break;
    case PROP_MIN_WORKERS:
      g_value_set_uint (value, settings->min_workers);
      break;
    case PROP_MAX_CALLS_PER_WORKER:
      g_value_set_uint (value, settings->max_calls);
      break;
    case PROP_MAX_PENDING:
      g_value_set_uint (value, self->max_pending);
      break;
    case PROP_OVERFLOW:
      g_value_set_enum (value, self->overflow);
      break;
    case PROP_IDLE_TIMEOUT:
      g_value_set_int64 (value, self->idle_timeout_us);
      break;
    case PROP_START_TIMEOUT:
      g_value_set_int64 (value, settings->start_timeout_us);
      break;
    case PROP_CALL_TIMEOUT:
      g_value_set_int64 (value, settings->call_timeout_us);
      break;
    case PROP_GRACE_PERIOD:
      g_value_set_int64 (value, settings->grace_us);
      break;
    case PROP_MAX_MESSAGE_SIZE:
      g_value_set_uint64 (value, settings->max_message);
      break;
    case PROP_MAX_MEMORY:
      g_value_set_uint64 (value, settings->max_memory);
      break;
    case PROP_MAX_CPU_TIME:
      g_value_set_uint64 (value, settings->max_cpu);
      break;
    case PROP_MAX_FILES:
      g_value_set_uint64 (value, settings->max_files);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_process_executor_set_property (GObject      *object,
                                      guint         prop_id,
                                      const GValue *value,
                                      GParamSpec   *pspec)
{
  ConcurProcessExecutor *self = CONCUR_PROCESS_EXECUTOR (object);
  ConcurProcessSettings *settings = &self->settings;

  switch (prop_id)
    {
    case PROP_NAME:
      settings->name = g_value_dup_string (value);
      break;
    case PROP_COMMAND:
      settings->command = g_value_dup_boxed (value);
      break;
    case PROP_ENVIRONMENT:
      settings->environment = g_value_dup_boxed (value);
      break;
    case PROP_WORKING_DIRECTORY:
      settings->directory = g_value_dup_string (value);
      break;
    case PROP_OPTIONS:
      settings->options = g_value_dup_variant (value);
      break;
    case PROP_MAX_WORKERS:
      self->max_workers = g_value_get_uint (value);
      if (self->max_workers == 0)
        self->max_workers = g_get_num_processors ();
      break;
    case PROP_MIN_WORKERS:
      settings->min_workers = g_value_get_uint (value);
      break;
    case PROP_MAX_CALLS_PER_WORKER:
      settings->max_calls = g_value_get_uint (value);
      break;
    case PROP_MAX_PENDING:
      self->max_pending = g_value_get_uint (value);
      break;
    case PROP_OVERFLOW:
      self->overflow = g_value_get_enum (value);
      break;
    case PROP_IDLE_TIMEOUT:
      self->idle_timeout_us = g_value_get_int64 (value);
      break;
    case PROP_START_TIMEOUT:
      settings->start_timeout_us = g_value_get_int64 (value);
      break;
    case PROP_CALL_TIMEOUT:
      settings->call_timeout_us = g_value_get_int64 (value);
      break;
    case PROP_GRACE_PERIOD:
      settings->grace_us = g_value_get_int64 (value);
      break;
    case PROP_MAX_MESSAGE_SIZE:
      settings->max_message = g_value_get_uint64 (value);
      break;
    case PROP_MAX_MEMORY:
      settings->max_memory = g_value_get_uint64 (value);
      break;
    case PROP_MAX_CPU_TIME:
      settings->max_cpu = g_value_get_uint64 (value);
      break;
    case PROP_MAX_FILES:
      settings->max_files = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_process_executor_class_init (ConcurProcessExecutorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = concur_process_executor_constructed;
  object_class->dispose = concur_process_executor_dispose;
  object_class->finalize = concur_process_executor_finalize;
  object_class->get_property = concur_process_executor_get_property;
  object_class->set_property = concur_process_executor_set_property;

  /**
   * ConcurProcessExecutor:name: (getter get_name)
   *
   * What its threads are named after, and what the workers are told; `concur-process` if
   * not set.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, once);

  /**
   * ConcurProcessExecutor:command: (getter get_command)
   *
   * The worker's program and its arguments. A name without a slash is looked for in `PATH`.
   *
   * Since: 1.0
   */
  properties[PROP_COMMAND] = g_param_spec_boxed ("command", NULL, NULL, G_TYPE_STRV, once);

  /**
   * ConcurProcessExecutor:environment:
   *
   * The environment of the workers, as `NAME=value`; that of this process if not set.
   *
   * Since: 1.0
   */
  properties[PROP_ENVIRONMENT] = g_param_spec_boxed ("environment", NULL, NULL, G_TYPE_STRV, once);

  /**
   * ConcurProcessExecutor:working-directory:
   *
   * Where the workers are started; where this process is if not set.
   *
   * Since: 1.0
   */
  properties[PROP_WORKING_DIRECTORY] = g_param_spec_string ("working-directory", NULL, NULL, NULL,
                                                            once);

  /**
   * ConcurProcessExecutor:options:
   *
   * What the workers are told at their start: they find it in
   * [method@ProcessWorker.get_options].
   *
   * Since: 1.0
   */
  properties[PROP_OPTIONS] = g_param_spec_variant ("options", NULL, NULL, G_VARIANT_TYPE_VARDICT,
                                                   NULL, once);

  /**
   * ConcurProcessExecutor:max-workers: (getter get_max_workers)
   *
   * How many worker processes there may be. As many as there are processors if not set.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_WORKERS] = g_param_spec_uint ("max-workers", NULL, NULL, 0, MAX_WORKERS, 0,
                                                    once);

  /**
   * ConcurProcessExecutor:min-workers:
   *
   * How many worker processes are started at once, and stay when there is nothing to do.
   *
   * Since: 1.0
   */
  properties[PROP_MIN_WORKERS] = g_param_spec_uint ("min-workers", NULL, NULL, 0, MAX_WORKERS, 0,
                                                    once);

  /**
   * ConcurProcessExecutor:max-calls-per-worker:
   *
   * After how many calls a worker is replaced by a fresh one; 0 for never.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_CALLS_PER_WORKER] = g_param_spec_uint ("max-calls-per-worker", NULL, NULL, 0,
                                                             G_MAXUINT, 0, once);

  /**
   * ConcurProcessExecutor:max-pending:
   *
   * How many calls may be queued; 0 for any number. Calls that run do not count.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_PENDING] = g_param_spec_uint ("max-pending", NULL, NULL, 0, G_MAXINT / 2, 0,
                                                    once);

  /**
   * ConcurProcessExecutor:overflow:
   *
   * What a call does when [property@ProcessExecutor:max-pending] calls are queued.
   *
   * Since: 1.0
   */
  properties[PROP_OVERFLOW] = g_param_spec_enum ("overflow", NULL, NULL, CONCUR_TYPE_OVERFLOW,
                                                 CONCUR_OVERFLOW_WAIT, once);

  /**
   * ConcurProcessExecutor:idle-timeout:
   *
   * How long a worker without calls stays, in microseconds; -1 for ever.
   *
   * Since: 1.0
   */
  properties[PROP_IDLE_TIMEOUT] = g_param_spec_int64 ("idle-timeout", NULL, NULL, -1, G_MAXINT64,
                                                      DEFAULT_IDLE_TIMEOUT, once);

  /**
   * ConcurProcessExecutor:start-timeout:
   *
   * How long a worker may take until it is ready for calls, in microseconds; -1 for any
   * time.
   *
   * Since: 1.0
   */
  properties[PROP_START_TIMEOUT] = g_param_spec_int64 ("start-timeout", NULL, NULL, -1, G_MAXINT64,
                                                       DEFAULT_START_TIMEOUT, once);

  /**
   * ConcurProcessExecutor:call-timeout:
   *
   * How long a worker may take for a call, in microseconds; -1 for any time.
   *
   * Since: 1.0
   */
  properties[PROP_CALL_TIMEOUT] = g_param_spec_int64 ("call-timeout", NULL, NULL, -1, G_MAXINT64,
                                                      -1, once);

  /**
   * ConcurProcessExecutor:grace-period:
   *
   * How long a worker that was asked to stop, or to end, may take before it is killed, in
   * microseconds.
   *
   * Since: 1.0
   */
  properties[PROP_GRACE_PERIOD] = g_param_spec_int64 ("grace-period", NULL, NULL, 0, G_MAXINT64,
                                                      DEFAULT_GRACE_PERIOD, once);

  /**
   * ConcurProcessExecutor:max-message-size:
   *
   * How many bytes a call or an answer may have. A call that has more is rejected with
   * %G_IO_ERROR_MESSAGE_TOO_LARGE, a worker that sends more is replaced.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_MESSAGE_SIZE] = g_param_spec_uint64 (
      "max-message-size", NULL, NULL, 1024, G_MAXSSIZE, CONCUR_WIRE_DEFAULT_MAX_BODY, once);

  /**
   * ConcurProcessExecutor:max-memory:
   *
   * How many bytes of address space a worker may use; 0 for as many as this process.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_MEMORY] = g_param_spec_uint64 ("max-memory", NULL, NULL, 0, G_MAXUINT64, 0,
                                                     once);

  /**
   * ConcurProcessExecutor:max-cpu-time:
   *
   * How many seconds a worker may compute, over all its calls; 0 for as many as this
   * process.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_CPU_TIME] = g_param_spec_uint64 ("max-cpu-time", NULL, NULL, 0, G_MAXUINT64,
                                                       0, once);

  /**
   * ConcurProcessExecutor:max-files:
   *
   * How many file descriptors a worker may have open; 0 for as many as this process.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_FILES] = g_param_spec_uint64 ("max-files", NULL, NULL, 0, G_MAXUINT64, 0,
                                                    once);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_process_executor_init (ConcurProcessExecutor *self)
{
  /* A value out of range is warned of, and not set. */
  self->idle_timeout_us = DEFAULT_IDLE_TIMEOUT;
  self->settings.start_timeout_us = DEFAULT_START_TIMEOUT;
  self->settings.call_timeout_us = -1;
  self->settings.grace_us = DEFAULT_GRACE_PERIOD;
  self->settings.max_message = CONCUR_WIRE_DEFAULT_MAX_BODY;
}

/**
 * concur_process_executor_new:
 * @command: (array zero-terminated=1): the worker's program and its arguments
 * @max_workers: how many worker processes there may be, 0 for as many as there are
 *   processors
 *
 * Makes an executor with default settings; others are properties. No worker is started
 * before there is a call.
 *
 * Returns: (transfer full): a new executor
 *
 * Since: 1.0
 */
ConcurProcessExecutor *
concur_process_executor_new (const char *const *command,
                             guint              max_workers)
{
  g_return_val_if_fail (command != NULL && command[0] != NULL, NULL);

  return g_object_new (CONCUR_TYPE_PROCESS_EXECUTOR, "command", command, "max-workers",
                       max_workers, NULL);
}

/**
 * concur_process_executor_get_name:
 * @self: an executor
 *
 * Gets what its threads are named after.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
concur_process_executor_get_name (ConcurProcessExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);

  return self->pool->settings.name;
}

/**
 * concur_process_executor_get_command:
 * @self: an executor
 *
 * Gets the worker's program and its arguments.
 *
 * Returns: (transfer none) (array zero-terminated=1): the command
 *
 * Since: 1.0
 */
const char *const *
concur_process_executor_get_command (ConcurProcessExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);

  return (const char *const *) self->pool->settings.command;
}

/**
 * concur_process_executor_get_max_workers:
 * @self: an executor
 *
 * Gets how many worker processes there may be.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_process_executor_get_max_workers (ConcurProcessExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), 0);

  return self->max_workers;
}

/**
 * concur_process_executor_get_n_workers:
 * @self: an executor
 *
 * Gets how many worker processes there are at this moment, ready for a call or at work.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_process_executor_get_n_workers (ConcurProcessExecutor *self)
{
  g_autoptr (GArray) pids = NULL;

  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), 0);

  pids = concur_process_pool_dup_pids (self->pool);

  return pids->len;
}

/**
 * concur_process_executor_dup_pids:
 * @self: an executor
 * @n_pids: (out): how many there are
 *
 * Gets the numbers of the worker processes that there are at this moment, the oldest first.
 *
 * Returns: (transfer full) (array length=n_pids) (nullable): process numbers
 *
 * Since: 1.0
 */
gint64 *
concur_process_executor_dup_pids (ConcurProcessExecutor *self,
                                  gsize                 *n_pids)
{
  GArray *pids;

  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);
  g_return_val_if_fail (n_pids != NULL, NULL);

  pids = concur_process_pool_dup_pids (self->pool);
  *n_pids = pids->len;

  return (gint64 *) (void *) g_array_free (pids, pids->len == 0);
}

/**
 * concur_process_executor_dup_snapshot:
 * @self: an executor
 *
 * Looks at what the threads behind the workers are doing.
 *
 * Returns: (transfer full): a snapshot
 *
 * Since: 1.0
 */
ConcurSnapshot *
concur_process_executor_dup_snapshot (ConcurProcessExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);

  return concur_thread_executor_dup_snapshot (CONCUR_THREAD_EXECUTOR (self->pool));
}

ConcurProcessPool *
concur_process_executor_get_pool (ConcurProcessExecutor *self)
{
  return self->pool;
}

/**
 * concur_process_executor_shutdown:
 * @self: an executor
 * @mode: what to do with the calls there are
 *
 * Ends the executor: it takes no more calls, and they are rejected with
 * %CONCUR_EXECUTOR_ERROR_SHUT_DOWN. Workers end when their calls have.
 *
 * This does not wait. The future that is returned is resolved when all calls have ended.
 * Calling this again is fine: a stronger @mode takes effect, a weaker one does not.
 *
 * Returns: (transfer full): a future for the end
 *
 * Since: 1.0
 */
ConcurFuture *
concur_process_executor_shutdown (ConcurProcessExecutor *self,
                                  ConcurShutdownMode     mode)
{
  ConcurFuture *future;

  g_return_val_if_fail (CONCUR_IS_PROCESS_EXECUTOR (self), NULL);

  future = concur_executor_shutdown (CONCUR_EXECUTOR (self->pool), mode);
  concur_process_pool_end (self->pool);

  return future;
}
