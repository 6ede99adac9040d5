/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurLoopThread:
 *
 * A thread with a main loop of its own, in which asynchronous code runs.
 *
 * ```c
 * static gboolean
 * watch (ConcurJob *job, gpointer path, GError **error)
 * {
 *   g_autoptr (GFile) file = g_file_new_for_path (path);
 *   g_autoptr (GFileMonitor) monitor = g_file_monitor_file (file, G_FILE_MONITOR_NONE, NULL, error);
 *
 *   if (monitor == NULL)
 *     return FALSE;
 *   g_signal_connect (monitor, "changed", G_CALLBACK (on_changed), NULL);
 *   concur_job_return_object (job, G_OBJECT (monitor));
 *   return TRUE;
 * }
 *
 * ConcurLoopThread *thread = concur_loop_thread_new ("watcher");
 * g_autoptr (ConcurFuture) monitor = NULL;
 *
 * if (concur_loop_thread_start (thread, &error))
 *   monitor = concur_loop_thread_call (thread, watch, "/etc/hostname", NULL, -1, &error);
 *
 * …
 *
 * concur_loop_thread_stop (thread, 5 * G_USEC_PER_SEC, NULL);
 * ```
 *
 * The thread has one [struct@GLib.MainContext], the same each time it is started, which
 * is the thread's default one. Whatever GIO object is made on the thread delivers there:
 * a file monitor, a D-Bus connection, an asynchronous call.
 *
 * As an [iface@Executor] it runs jobs on its loop, one after the other. A job must not
 * block there; one that answers later calls [method@Job.hold]. Work that blocks goes to
 * [method@LoopThread.get_executor], the thread's own pool.
 *
 * ## Tasks
 *
 * [method@LoopThread.add_task] registers a function for what the thread is there to do. It
 * runs, as a job on the loop, each time the thread is started, typically holds its job,
 * and is cancelled when the thread stops. It may take its time to clear up then, and need
 * the loop for that: the loop goes on until it has answered. A task that fails is
 * logged, and the loop goes on.
 *
 * ## The end
 *
 * A stop refuses new work with %CONCUR_EXECUTOR_ERROR_SHUT_DOWN, cancels the tasks, lets
 * the pool finish, and keeps the loop going until every task, every job, also a held one,
 * and everything posted is done. Then the loop quits and the thread ends. It can be
 * started again, as often as needed.
 *
 * When the last reference goes while the thread runs, a stop begins that nobody waits
 * for: the thread keeps the object until it has ended. A `run_loop` of another language
 * keeps the object while it runs, so such a thread has to be stopped. When the process exits,
 * nothing is waited for.
 *
 * ## Threads
 *
 * All methods may be called from any thread. Signals and notifications come in the main
 * context that is home to the thread which made the object, see [class@Job]; if there is
 * none, not at all.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-enum-types.h"
#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-loop-private.h"

#define DEFAULT_NAME "concur-loop"

/* As a ThreadExecutor has. */
#define DEFAULT_MAX_WORKERS (g_get_num_processors () + 4)

typedef struct
{
  ConcurLoop *loop; /* (owned) immutable */
} ConcurLoopThreadPrivate;

static void executor_iface_init (ConcurExecutorInterface *iface);

G_DEFINE_TYPE_WITH_CODE (ConcurLoopThread,
                         concur_loop_thread,
                         G_TYPE_OBJECT,
                         G_ADD_PRIVATE (ConcurLoopThread)
                             G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, executor_iface_init))

enum
{
  PROP_0,
  PROP_NAME,
  PROP_MAX_WORKERS,
  PROP_CONTEXT,
  PROP_STATE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* By the state they tell of. */
static guint signals[CONCUR_LOOP_STATE_STOPPING + 1];
static guint notify_signal;

ConcurLoop *
concur_loop_thread_get_loop (ConcurLoopThread *self)
{
  return ((ConcurLoopThreadPrivate *) concur_loop_thread_get_instance_private (self))->loop;
}

#define get_loop(self) concur_loop_thread_get_loop ((ConcurLoopThread *) (self))

static gboolean
has_handlers (ConcurLoopThread *self,
              guint             signal)
{
  return signal != 0
         && g_signal_handler_find (self, G_SIGNAL_MATCH_ID, signal, 0, NULL, NULL, NULL) != 0;
}

gboolean
concur_loop_thread_has_listeners (ConcurLoopThread *self,
                                  ConcurLoopState   state)
{
  return has_handlers (self, notify_signal) || has_handlers (self, signals[state]);
}

void
concur_loop_thread_tell (ConcurLoopThread *self,
                         ConcurLoopState   state)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
  if (signals[state] != 0)
    g_signal_emit (self, signals[state], 0);
}

static void
concur_loop_thread_real_run_loop (ConcurLoopThread *self)
{
  ConcurLoop *loop = get_loop (self);

  while (!concur_loop_life_is_quitting (&loop->life))
    g_main_context_iteration (loop->context, TRUE);
}

/* It is called from that iteration. */
static void
concur_loop_thread_real_quit_loop (ConcurLoopThread *self)
{
}

static void
concur_loop_thread_constructed (GObject *object)
{
  ConcurLoop *loop = get_loop (object);

  G_OBJECT_CLASS (concur_loop_thread_parent_class)->constructed (object);

  if (loop->name == NULL || *loop->name == '\0')
    {
      g_free (loop->name);
      loop->name = g_strdup (DEFAULT_NAME);
    }
}

static void
concur_loop_thread_dispose (GObject *object)
{
  ConcurLoop *loop = get_loop (object);

  /* In a forked process all that is the other one's; a lock may be held for ever. */
  if (!concur_is_forked () && concur_loop_owner_goes (loop))
    return;

  G_OBJECT_CLASS (concur_loop_thread_parent_class)->dispose (object);
}

static void
concur_loop_thread_finalize (GObject *object)
{
  if (!concur_is_forked ())
    concur_loop_unref (get_loop (object));

  G_OBJECT_CLASS (concur_loop_thread_parent_class)->finalize (object);
}

static void
concur_loop_thread_get_property (GObject    *object,
                                 guint       prop_id,
                                 GValue     *value,
                                 GParamSpec *pspec)
{
  ConcurLoopThread *self = CONCUR_LOOP_THREAD (object);

  switch (prop_id)
    {
    case PROP_NAME:
      g_value_set_string (value, concur_loop_thread_get_name (self));
      break;
    case PROP_MAX_WORKERS:
      g_value_set_uint (value, concur_loop_thread_get_max_workers (self));
      break;
    case PROP_CONTEXT:
      g_value_set_boxed (value, concur_loop_thread_get_context (self));
      break;
    case PROP_STATE:
      g_value_set_enum (value, concur_loop_thread_get_state (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_loop_thread_set_property (GObject      *object,
                                 guint         prop_id,
                                 const GValue *value,
                                 GParamSpec   *pspec)
{
  ConcurLoop *loop = get_loop (object);

  switch (prop_id)
    {
    case PROP_NAME:
      loop->name = g_value_dup_string (value);
      break;
    case PROP_MAX_WORKERS:
      loop->max_workers = g_value_get_uint (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_loop_thread_class_init (ConcurLoopThreadClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;
  GParamFlags read_only = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->constructed = concur_loop_thread_constructed;
  object_class->dispose = concur_loop_thread_dispose;
  object_class->finalize = concur_loop_thread_finalize;
  object_class->get_property = concur_loop_thread_get_property;
  object_class->set_property = concur_loop_thread_set_property;
  klass->run_loop = concur_loop_thread_real_run_loop;
  klass->quit_loop = concur_loop_thread_real_quit_loop;

  /**
   * ConcurLoopThread:name: (getter get_name)
   *
   * What the thread is called; `concur-loop` if not set.
   *
   * Since: 1.0
   */
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, once);

  /**
   * ConcurLoopThread:max-workers: (getter get_max_workers)
   *
   * How many threads the pool of [method@LoopThread.get_executor] has at most; 0 for a
   * new one for each job. Four more than there are processors if not set.
   *
   * Since: 1.0
   */
  properties[PROP_MAX_WORKERS]
      = g_param_spec_uint ("max-workers", NULL, NULL, 0, G_MAXINT / 2, DEFAULT_MAX_WORKERS, once);

  /**
   * ConcurLoopThread:context: (getter get_context)
   *
   * The main context of the thread.
   *
   * Since: 1.0
   */
  properties[PROP_CONTEXT]
      = g_param_spec_boxed ("context", NULL, NULL, G_TYPE_MAIN_CONTEXT, read_only);

  /**
   * ConcurLoopThread:state: (getter get_state)
   *
   * Where the thread stands. Notified in the creator's context.
   *
   * Since: 1.0
   */
  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, CONCUR_TYPE_LOOP_STATE,
                                              CONCUR_LOOP_STATE_STOPPED, read_only);

  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * ConcurLoopThread::started:
   * @self: the loop thread
   *
   * The loop runs, and takes work. Emitted in the creator's context, so it may have
   * stopped again by then.
   *
   * Since: 1.0
   */
  signals[CONCUR_LOOP_STATE_RUNNING] = g_signal_new (
      "started", CONCUR_TYPE_LOOP_THREAD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * ConcurLoopThread::stopping:
   * @self: the loop thread
   *
   * The loop takes no more work, and finishes what it has. Emitted in the creator's
   * context.
   *
   * Since: 1.0
   */
  signals[CONCUR_LOOP_STATE_STOPPING] = g_signal_new (
      "stopping", CONCUR_TYPE_LOOP_THREAD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * ConcurLoopThread::stopped:
   * @self: the loop thread
   *
   * The thread has ended, or could not be started. Emitted in the creator's context.
   *
   * Since: 1.0
   */
  signals[CONCUR_LOOP_STATE_STOPPED] = g_signal_new (
      "stopped", CONCUR_TYPE_LOOP_THREAD, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  notify_signal = g_signal_lookup ("notify", G_TYPE_OBJECT);
}

static void
concur_loop_thread_init (ConcurLoopThread *self)
{
  ConcurLoopThreadPrivate *priv = concur_loop_thread_get_instance_private (self);

  priv->loop = concur_loop_new (self);
  /* As in ThreadExecutor: a value out of range is not set at all. */
  priv->loop->max_workers = DEFAULT_MAX_WORKERS;
}

static void
concur_loop_thread_execute (ConcurExecutor *executor,
                            ConcurJob      *job)
{
  ConcurLoop *loop = get_loop (executor);
  GError *error = NULL;

  if (concur_loop_get_state (loop) == CONCUR_LOOP_STATE_RUNNING)
    {
      /* If it stops at this moment, the queue runs the job or refuses it. */
      concur_context_queue_execute (loop->queue, job);
      return;
    }

  concur_loop_set_refused (loop, &error);
  concur_future_answer_error (CONCUR_FUTURE (job), error);
}

/* Posts come in only while it runs. */
static ConcurContextQueue *
concur_loop_thread_get_context_queue (ConcurExecutor *executor)
{
  ConcurLoop *loop = get_loop (executor);

  return concur_loop_get_state (loop) == CONCUR_LOOP_STATE_RUNNING ? loop->queue : NULL;
}

static void
executor_iface_init (ConcurExecutorInterface *iface)
{
  iface->get_context_queue = (gpointer) concur_loop_thread_get_context_queue;
  iface->execute = concur_loop_thread_execute;
  iface->shutdown = concur_loop_thread_shutdown;
}

/**
 * concur_loop_thread_new:
 * @name: (nullable): what the thread is called, or %NULL
 *
 * Makes a loop thread, which is not started yet. Other settings are properties to give to
 * `g_object_new ()`.
 *
 * Returns: (transfer full): a new loop thread
 *
 * Since: 1.0
 */
ConcurLoopThread *
concur_loop_thread_new (const char *name)
{
  return g_object_new (CONCUR_TYPE_LOOP_THREAD, "name", name, NULL);
}

/**
 * concur_loop_thread_dup_default:
 * @error: return location for an error
 *
 * Gets the loop thread to use when there is no reason for one of your own: one for the
 * whole process, which this call starts if it does not run, also after somebody
 * stopped it.
 *
 * Returns: (transfer full) (nullable): the shared loop thread, running, or %NULL with
 *   @error set as by [method@LoopThread.start]
 *
 * Since: 1.0
 */
ConcurLoopThread *
concur_loop_thread_dup_default (GError **error)
{
  static ConcurLoopThread *thread;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return NULL;
    }

  if (g_once_init_enter (&thread))
    {
      ConcurLoopThread *fresh = concur_loop_thread_new (NULL);

      g_once_init_leave (&thread, fresh);
    }

  return concur_loop_start (get_loop (thread), error) ? g_object_ref (thread) : NULL;
}

/**
 * concur_loop_thread_add_task:
 * @self: a loop thread
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home, when the task was removed or the loop
 *   thread has gone; see [class@Job]
 *
 * Registers a function that runs on the loop from each start to the next stop.
 *
 * It begins, as a job, when the thread is started, or now if it runs. A stop cancels the
 * job and waits for its answer. A task that has answered does nothing more until the
 * next start; one that answers with an error, other than a cancellation, is logged.
 *
 * Returns: an id for [method@LoopThread.remove_task]; 0 in a forked process
 *
 * Since: 1.0
 */
guint
concur_loop_thread_add_task (ConcurLoopThread *self,
                             ConcurJobFunc     func,
                             gpointer          user_data,
                             GDestroyNotify    destroy)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  if (concur_has_stopped ())
    {
      if (destroy != NULL)
        destroy (user_data);
      return 0;
    }

  return concur_loop_add_task (get_loop (self), func, user_data, destroy);
}

/**
 * concur_loop_thread_remove_task:
 * @self: a loop thread
 * @id: what [method@LoopThread.add_task] returned
 *
 * Takes a task back: it is not started any more, and cancelled if it runs.
 *
 * Returns: %TRUE if there was one of that id
 *
 * Since: 1.0
 */
gboolean
concur_loop_thread_remove_task (ConcurLoopThread *self,
                                guint             id)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), FALSE);

  return !concur_is_forked () && concur_loop_remove_task (get_loop (self), id);
}

/**
 * concur_loop_thread_get_executor:
 * @self: a loop thread
 *
 * Gets the thread's own pool, a [class@ThreadExecutor], for work that would block the
 * loop. It has up to [property@LoopThread:max-workers] threads, which start when needed.
 *
 * It lives as long as one run: a stop lets it finish what it has, and a thread that is
 * started again has a new one. While the thread is not running, what is returned is
 * shut down, and rejects jobs.
 *
 * Returns: (transfer none): the executor, valid until the one of a later run is asked for
 *
 * Since: 1.0
 */
ConcurExecutor *
concur_loop_thread_get_executor (ConcurLoopThread *self)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), NULL);

  return CONCUR_EXECUTOR (concur_loop_get_pool (get_loop (self)));
}

/**
 * concur_loop_thread_get_context: (get-property context)
 * @self: a loop thread
 *
 * Gets the main context of the thread, to attach sources to; the same over all starts.
 *
 * Returns: (transfer none): the context
 *
 * Since: 1.0
 */
GMainContext *
concur_loop_thread_get_context (ConcurLoopThread *self)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), NULL);

  return get_loop (self)->context;
}

/**
 * concur_loop_thread_get_name: (get-property name)
 * @self: a loop thread
 *
 * Gets what the thread is called.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
concur_loop_thread_get_name (ConcurLoopThread *self)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), NULL);

  return get_loop (self)->name;
}

/**
 * concur_loop_thread_get_max_workers: (get-property max-workers)
 * @self: a loop thread
 *
 * Gets how many threads the thread's own pool has at most.
 *
 * Returns: how many; 0 for a new one for each job
 *
 * Since: 1.0
 */
guint
concur_loop_thread_get_max_workers (ConcurLoopThread *self)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), 0);

  return get_loop (self)->max_workers;
}

/**
 * concur_loop_thread_get_state: (get-property state)
 * @self: a loop thread
 *
 * Gets where the thread stands at this moment. In a forked process it is stopped.
 *
 * Returns: the state
 *
 * Since: 1.0
 */
ConcurLoopState
concur_loop_thread_get_state (ConcurLoopThread *self)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), CONCUR_LOOP_STATE_STOPPED);

  return concur_loop_get_state (get_loop (self));
}

/**
 * concur_loop_thread_is_current:
 * @self: a loop thread
 *
 * Gets whether the calling code runs on that thread.
 *
 * Returns: %TRUE if it does
 *
 * Since: 1.0
 */
gboolean
concur_loop_thread_is_current (ConcurLoopThread *self)
{
  g_return_val_if_fail (CONCUR_IS_LOOP_THREAD (self), FALSE);

  return concur_loop_is_current (get_loop (self));
}
