/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurContextExecutor:
 *
 * Runs jobs in a main context, such as the one that GTK runs.
 *
 * With this a worker brings something to the thread of the user interface: as a job, if
 * somebody wants to know how it ended, or, at a fraction of the cost, as a post.
 *
 * ```c
 * static void
 * show (gpointer text)
 * {
 *   gtk_label_set_text (label, text);
 * }
 *
 * static gboolean
 * work (ConcurJob *job, gpointer ui, GError **error)
 * {
 *   for (int i = 0; i < 1000; i++)
 *     concur_executor_post (ui, show, g_strdup_printf ("step %d", i), g_free);
 *   concur_job_return_boolean (job, TRUE);
 *   return TRUE;
 * }
 *
 * ConcurContextExecutor *ui = concur_context_executor_new (NULL);
 * ConcurFuture *future = concur_executor_submit (concur_executor_get_default (), work, ui, NULL,
 *                                                NULL);
 * ```
 *
 * Jobs and posts run one at a time, from a dispatch of the context, in the order in which
 * they came; the priority of a job makes no difference. They never run inside the call
 * that brings them, not even on the context's own thread. A job or post that runs a
 * nested main loop lets the next ones run in there.
 *
 * By default they come after events and drawing, and a bounded number of them is
 * run in one iteration, so that any number of them stops neither timers nor drawing: see
 * [property@ContextExecutor:priority].
 *
 * A job occupies the thread while it runs, so it should be short; one that waits for
 * something calls [method@Job.hold] and answers later. On the context's own thread,
 * [method@Future.wait] is refused for jobs that have yet to run there.
 *
 * ## The end
 *
 * The executor keeps its context alive. What is queued waits for as long as nobody runs the
 * context.
 *
 * [method@Executor.shutdown] ends an executor in an orderly way: the future is resolved
 * when all jobs have ended, those that are held too, and all posts have been run, which
 * they are in every mode. Jobs that are to be cancelled in the queue are cancelled at
 * once if no other thread runs the context, and in its next dispatch otherwise. On the
 * context's own thread do not wait for the future, but iterate the context until it is
 * done, or ask to be called.
 *
 * When the last reference goes without a shutdown, what is queued is still run. If the
 * context is freed before that, the jobs are rejected with
 * %CONCUR_EXECUTOR_ERROR_NOT_RUNNING, and posts are let go without being run. A job
 * that was submitted on the context's own thread keeps the context alive until it has
 * ended.
 *
 * ## Threads
 *
 * All methods may be called from any thread.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-context-executor-private.h"

/* As callbacks of futures: below GTK's redraw (G_PRIORITY_HIGH_IDLE + 20), above plain
 * idle work. */
#define DEFAULT_PRIORITY (G_PRIORITY_HIGH_IDLE + 30)

struct _ConcurContextExecutor
{
  GObject parent_instance;

  /* immutable after construction */
  GMainContext *context;     /* (owned) */
  int priority;
  ConcurContextQueue *queue; /* (owned) */
};

static void executor_iface_init (ConcurExecutorInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (ConcurContextExecutor, concur_context_executor, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (CONCUR_TYPE_EXECUTOR, executor_iface_init))

enum
{
  PROP_0,
  PROP_CONTEXT,
  PROP_PRIORITY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
concur_context_executor_constructed (GObject *object)
{
  ConcurContextExecutor *self = CONCUR_CONTEXT_EXECUTOR (object);

  G_OBJECT_CLASS (concur_context_executor_parent_class)->constructed (object);

  if (self->context == NULL)
    self->context = g_main_context_ref_thread_default ();
  self->queue = concur_context_queue_new (self->context, self->priority);
}

static void
concur_context_executor_finalize (GObject *object)
{
  ConcurContextExecutor *self = CONCUR_CONTEXT_EXECUTOR (object);

  /* In this order: the queue takes its source out of the context. */
  concur_context_queue_unref (self->queue);
  g_main_context_unref (self->context);

  G_OBJECT_CLASS (concur_context_executor_parent_class)->finalize (object);
}

static void
concur_context_executor_get_property (GObject    *object,
                                      guint       prop_id,
                                      GValue     *value,
                                      GParamSpec *pspec)
{
  ConcurContextExecutor *self = CONCUR_CONTEXT_EXECUTOR (object);

  switch (prop_id)
    {
    case PROP_CONTEXT:
      g_value_set_boxed (value, self->context);
      break;
    case PROP_PRIORITY:
      g_value_set_int (value, self->priority);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_context_executor_set_property (GObject      *object,
                                      guint         prop_id,
                                      const GValue *value,
                                      GParamSpec   *pspec)
{
  ConcurContextExecutor *self = CONCUR_CONTEXT_EXECUTOR (object);

  switch (prop_id)
    {
    case PROP_CONTEXT:
      self->context = g_value_dup_boxed (value);
      break;
    case PROP_PRIORITY:
      self->priority = g_value_get_int (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_context_executor_class_init (ConcurContextExecutorClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags once = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  object_class->constructed = concur_context_executor_constructed;
  object_class->finalize = concur_context_executor_finalize;
  object_class->get_property = concur_context_executor_get_property;
  object_class->set_property = concur_context_executor_set_property;

  /**
   * ConcurContextExecutor:context: (getter get_context)
   *
   * The main context that jobs and posts run in. If not set, the thread-default one of
   * the thread that makes the executor, or the global default one if it has none.
   *
   * Since: 1.0
   */
  properties[PROP_CONTEXT] = g_param_spec_boxed ("context", NULL, NULL, G_TYPE_MAIN_CONTEXT, once);

  /**
   * ConcurContextExecutor:priority: (getter get_priority)
   *
   * The priority that jobs and posts have among the sources of the context; a smaller
   * number comes first. If not set they come after GTK's drawing and before
   * %G_PRIORITY_DEFAULT_IDLE.
   *
   * Since: 1.0
   */
  properties[PROP_PRIORITY] = g_param_spec_int ("priority", NULL, NULL, G_MININT, G_MAXINT,
                                                DEFAULT_PRIORITY, once);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_context_executor_init (ConcurContextExecutor *self)
{
}

static void
concur_context_executor_execute (ConcurExecutor *executor,
                                 ConcurJob      *job)
{
  concur_context_queue_execute (((ConcurContextExecutor *) executor)->queue, job);
}

static ConcurFuture *
concur_context_executor_shutdown (ConcurExecutor     *executor,
                                  ConcurShutdownMode  mode)
{
  return concur_context_queue_shutdown (((ConcurContextExecutor *) executor)->queue, mode);
}

static ConcurContextQueue *
concur_context_executor_get_context_queue (ConcurExecutor *executor)
{
  return concur_context_executor_get_queue (executor);
}

static void
executor_iface_init (ConcurExecutorInterface *iface)
{
  iface->execute = concur_context_executor_execute;
  iface->shutdown = concur_context_executor_shutdown;
  iface->get_context_queue = (gpointer) concur_context_executor_get_context_queue;
}

ConcurContextQueue *
concur_context_executor_get_queue (gpointer self)
{
  return ((ConcurContextExecutor *) self)->queue;
}

/**
 * concur_context_executor_new:
 * @context: (nullable): the main context to run jobs in, or %NULL for the calling
 *   thread's default one
 *
 * Makes an executor with the default priority.
 *
 * There may be any number of executors for one context; each keeps its own order.
 *
 * Returns: (transfer full): a new executor
 *
 * Since: 1.0
 */
ConcurContextExecutor *
concur_context_executor_new (GMainContext *context)
{
  return g_object_new (CONCUR_TYPE_CONTEXT_EXECUTOR, "context", context, NULL);
}

/**
 * concur_context_executor_get_context: (get-property context)
 * @self: an executor
 *
 * Gets the main context that jobs and posts run in.
 *
 * Returns: (transfer none): the context, alive as long as the executor
 *
 * Since: 1.0
 */
GMainContext *
concur_context_executor_get_context (ConcurContextExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_CONTEXT_EXECUTOR (self), NULL);

  return self->context;
}

/**
 * concur_context_executor_get_priority: (get-property priority)
 * @self: an executor
 *
 * Gets the priority that jobs and posts have in the context.
 *
 * Returns: the priority of a [struct@GLib.Source]
 *
 * Since: 1.0
 */
int
concur_context_executor_get_priority (ConcurContextExecutor *self)
{
  g_return_val_if_fail (CONCUR_IS_CONTEXT_EXECUTOR (self), 0);

  return self->priority;
}
