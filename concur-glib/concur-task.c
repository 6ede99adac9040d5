/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* GTask at the edges: a task that ends as a future does, and tasks whose work is a job.
 *
 * A task is returned from a post in its own context, so that GLib calls back at once and
 * needs no source of its own for it. */

#include "config.h"

#include "concur-error.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-task.h"

/* The work of a task. Nobody else has a reference to it, apart from code inside its
 * function, and that is gone when the work is over. */
#define CONCUR_TYPE_TASK_JOB (concur_task_job_get_type ())
G_DECLARE_FINAL_TYPE (ConcurTaskJob, concur_task_job, CONCUR, TASK_JOB, ConcurJob)

struct _ConcurTaskJob
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurJobFunc func;           /* one of the two: it answers the job, */
  GTaskThreadFunc thread_func;  /* or returns the task */
  gpointer data;                /* of func; else the source object, to be let go at home */
  GDestroyNotify destroy;
  gboolean return_on_cancel;

  /* who runs it; then who returns it in the task's context */
  GTask *task;                  /* (owned) NULL: it is returned, or will be by others */
  ConcurHome *home;             /* held until posted; NULL with the task */
  gboolean ran;
  ConcurHomeItem item;

  /* atomic: thread_func has returned */
  ConcurWord returned;
};

G_DEFINE_FINAL_TYPE (ConcurTaskJob, concur_task_job, CONCUR_TYPE_JOB)

static GQuark bridge_quark;

static void
return_outcome (ConcurFuture *future,
                GTask        *task)
{
  GError *error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  if (value != NULL)
    g_task_return_value (task, (GValue *) value);
  else
    g_task_return_error (task, error);
}

/* A thread of GLib's: for GTask it is this function that does the work. */
static void
bridge (GTask        *task,
        gpointer      source_object,
        gpointer      task_data,
        GCancellable *cancellable)
{
  ConcurTaskJob *self = g_object_get_qdata (G_OBJECT (task), bridge_quark);

  /* Acquire: pairs with the release in run_bridged (). */
  while (!concur_atomic_load (&self->returned, CONCUR_ACQUIRE))
    concur_park (&self->returned, 0, -1);
}

/* GTask returns a task on cancellation, and drops what its function returns later, only
 * if it runs the function itself. So it is made to believe that it does. */
static void
run_bridged (ConcurTaskJob *self)
{
  g_object_set_qdata_full (G_OBJECT (self->task), bridge_quark, g_object_ref (self),
                           g_object_unref);
  g_task_run_in_thread (self->task, bridge);

  self->thread_func (self->task, g_task_get_source_object (self->task),
                     g_task_get_task_data (self->task), g_task_get_cancellable (self->task));

  /* Release: what the function did is seen by who is called back. */
  concur_atomic_store (&self->returned, 1, CONCUR_RELEASE);
  concur_unpark_all (&self->returned);
}

/* Not at home, unlike all else: a task keeps its context alive, and so does a hold on
 * home, so if they waited there for somebody to run that context again, they might wait
 * for ever. */
static void
drop_task (ConcurTaskJob *self)
{
  /* A task that is returned and not yet completed is referenced by what will complete
   * it. Acquire, as the other references' last acts are to be seen. */
  if (g_atomic_int_get (&G_OBJECT (self->task)->ref_count) > 1 || g_task_get_completed (self->task))
    {
      g_clear_object (&self->task);
      g_clear_pointer (&self->home, concur_home_drop);
    }
}

static gboolean
concur_task_job_run (ConcurJob  *job,
                     GError    **error)
{
  ConcurTaskJob *self = (ConcurTaskJob *) job;

  self->ran = TRUE;
  if (self->func != NULL)
    return self->func (job, self->data, error);

  if (self->return_on_cancel)
    run_bridged (self);
  else
    self->thread_func (self->task, g_task_get_source_object (self->task),
                       g_task_get_task_data (self->task), g_task_get_cancellable (self->task));
  drop_task (self);
  concur_future_answer_boolean (CONCUR_FUTURE (job), TRUE);

  return TRUE;
}

static void
task_job_arrived (ConcurHomeItem *item,
                  gboolean        here)
{
  ConcurTaskJob *self = (ConcurTaskJob *) ((char *) item - G_STRUCT_OFFSET (ConcurTaskJob, item));
  GTask *task = g_steal_pointer (&self->task);

  if (self->thread_func != NULL && self->ran)
    g_task_return_new_error (task, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                             "The function of the task returned without an answer");
  else
    return_outcome (CONCUR_FUTURE (self), task);
  g_object_unref (task);

  if (self->destroy != NULL)
    self->destroy (self->data);
  g_object_unref (self);
}

/* The work is over: this is what the job lets go at home. A callback of somebody else's
 * must not run from here, as this may be inside another call of the library. */
static void
task_job_over (gpointer data)
{
  ConcurTaskJob *self = data;

  if (self->task != NULL)
    {
      self->item.func = task_job_arrived;
      g_object_ref (self);
      concur_home_post (g_steal_pointer (&self->home), &self->item);
    }
  else if (self->destroy != NULL)
    {
      self->destroy (self->data);
    }
}

static void
concur_task_job_class_init (ConcurTaskJobClass *klass)
{
  CONCUR_JOB_CLASS (klass)->run = concur_task_job_run;
  bridge_quark = g_quark_from_static_string ("concur-task-bridge");
}

static void
concur_task_job_init (ConcurTaskJob *self)
{
  concur_atomic_init (&self->returned, 0);
}

/* Takes over a reference to @task. */
static ConcurTaskJob *
task_job_new (GTask *task)
{
  ConcurTaskJob *self = g_object_new (CONCUR_TYPE_TASK_JOB, NULL);

  self->task = task;
  self->home = concur_home_hold_to_submit (g_task_get_context (task));
  concur_job_set_payload (CONCUR_JOB (self), self, task_job_over);

  return self;
}

static void
task_job_submit (ConcurTaskJob  *self,
                 ConcurExecutor *executor,
                 GCancellable   *cancellable)
{
  concur_executor_submit_from (executor, CONCUR_JOB (self), concur_home_hold (self->home),
                               cancellable);
  g_object_unref (self);
}

/**
 * concur_future_as_task: (skip)
 * @self: a future
 * @source_object: (nullable) (type GObject.Object): what the operation is done on; kept
 *   until the task goes
 * @cancellable: (nullable): gives the waiting up, not the work
 * @callback: (nullable) (scope async) (closure user_data): called when the task is
 *   completed, or %NULL if nobody wants to know
 * @user_data: data for @callback
 *
 * Makes a [class@Gio.Task] that ends as the future does, for code that expects one.
 *
 * The task returns a copy of the future's value, to be read with
 * [method@Gio.Task.propagate_value], or its error. It does so once, in the thread-default
 * main context of the caller, and never inside this call, also if the future is done
 * already. Each call makes a task of its own.
 *
 * When @cancellable is cancelled first, the task returns %G_IO_ERROR_CANCELLED, and the
 * future goes on; [method@Future.cancel] is what cancels the work. What comes first
 * counts: a value that is there is not dropped because of a cancellation later on, as the
 * task does not check its cancellable again. The task keeps the future alive.
 *
 * The task is the caller's to set up: on the thread that runs its context, its source tag,
 * name, priority and so on can be set right after this call, as it cannot be completed
 * earlier than in a later dispatch. Whoever wants none of that just drops it.
 *
 * May be called from any thread.
 *
 * Returns: (transfer full): a task, which must not be returned by anybody else
 *
 * Since: 1.0
 */
GTask *
concur_future_as_task (ConcurFuture        *self,
                       gpointer             source_object,
                       GCancellable        *cancellable,
                       GAsyncReadyCallback  callback,
                       gpointer             user_data)
{
  GTask *task;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (source_object == NULL || G_IS_OBJECT (source_object), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  task = g_task_new (source_object, cancellable, callback, user_data);
  g_task_set_check_cancellable (task, FALSE);
  concur_future_wait_as_task (self, g_object_ref (task), return_outcome);

  return task;
}

/**
 * concur_executor_submit_task: (skip)
 * @self: an executor
 * @source_object: (nullable) (type GObject.Object): what the operation is done on; kept
 *   until the task goes
 * @cancellable: (nullable): cancels the work and the task
 * @callback: (nullable) (scope async) (closure user_data): called when the task is
 *   completed, or %NULL if nobody wants to know
 * @user_data: data for @callback
 * @func: (scope notified) (closure func_data) (destroy func_destroy): what to run
 * @func_data: data for @func
 * @func_destroy: (nullable): frees @func_data
 *
 * Runs a function as a job whose outcome is that of a [class@Gio.Task], which makes a
 * `foo_async ()` in one call.
 *
 * ```c
 * void
 * foo_count_async (Foo *self, GCancellable *cancellable,
 *                  GAsyncReadyCallback callback, gpointer user_data)
 * {
 *   ConcurExecutor *executor = concur_executor_get_default ();
 *   g_autoptr (GTask) task = concur_executor_submit_task (executor, self, cancellable,
 *                                                         callback, user_data,
 *                                                         count, g_object_ref (self),
 *                                                         g_object_unref);
 *
 *   g_task_set_source_tag (task, foo_count_async);
 * }
 *
 * gboolean
 * foo_count_finish (Foo *self, GAsyncResult *result, GValue *count, GError **error)
 * {
 *   g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
 *
 *   return g_task_propagate_value (G_TASK (result), count, error);
 * }
 * ```
 *
 * @func answers as a job does, with one of the `concur_job_return_*` functions. The task
 * returns a copy of that value, to be read with [method@Gio.Task.propagate_value], or the
 * error. It does so once, after @func has returned, in the thread-default main context of
 * the caller and never inside this call. If the executor cannot take the work, the task
 * returns that error, see [method@Executor.submit]. @func_destroy runs in that context,
 * too.
 *
 * When @cancellable is cancelled before @func begins, @func is not run; later, it is asked
 * to stop, see [method@Job.is_cancelled]. The task checks its cancellable as every task
 * does: it returns %G_IO_ERROR_CANCELLED whatever @func answered, unless that is switched
 * off with [method@Gio.Task.set_check_cancellable]. It does not return before @func does:
 * for that, use [method@Executor.submit] and [method@Future.as_task].
 *
 * The task can be set up right after this call, as with [method@Future.as_task]; @func
 * has nothing to do with it. May be called from any thread.
 *
 * Returns: (transfer full): a task, which must not be returned by anybody else
 *
 * Since: 1.0
 */
GTask *
concur_executor_submit_task (ConcurExecutor      *self,
                             gpointer             source_object,
                             GCancellable        *cancellable,
                             GAsyncReadyCallback  callback,
                             gpointer             user_data,
                             ConcurJobFunc        func,
                             gpointer             func_data,
                             GDestroyNotify       func_destroy)
{
  ConcurTaskJob *job;
  GTask *task;

  g_return_val_if_fail (CONCUR_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (source_object == NULL || G_IS_OBJECT (source_object), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  task = g_task_new (source_object, cancellable, callback, user_data);
  job = task_job_new (g_object_ref (task));
  job->func = func;
  job->data = func_data;
  job->destroy = func_destroy;
  task_job_submit (job, self, cancellable);

  return task;
}

/* GLib's priorities are those of main contexts: the named ones are where it is cut. */
static ConcurPriority
priority_for_task (GTask *task)
{
  gint priority = g_task_get_priority (task);

  if (priority < G_PRIORITY_DEFAULT)
    return CONCUR_PRIORITY_HIGH;
  if (priority < G_PRIORITY_HIGH_IDLE)
    return CONCUR_PRIORITY_DEFAULT;
  if (priority < G_PRIORITY_LOW)
    return CONCUR_PRIORITY_LOW;

  return CONCUR_PRIORITY_IDLE;
}

/**
 * concur_executor_run_task: (skip)
 * @self: an executor
 * @task: a task that nobody has returned or run
 * @func: what to run
 *
 * Runs a function as [method@Gio.Task.run_in_thread] does, on an executor of your choice
 * instead of the one pool that all tasks of a process share.
 *
 * This is the drop-in for existing code: @task and @func stay as they are.
 *
 * ```c
 * g_task_run_in_thread (task, hash_in_thread);                // before
 * concur_executor_run_task (executor, task, hash_in_thread);  // after
 * ```
 *
 * What [class@Gio.Task] promises holds: @func returns the task with one of the
 * `g_task_return_*` functions, then or later and from any thread; the callback runs once,
 * in the task's context and never inside this call; the source object and the task data
 * live until then. The work has the task's name and priority: below
 * %G_PRIORITY_DEFAULT is %CONCUR_PRIORITY_HIGH, from %G_PRIORITY_HIGH_IDLE on
 * %CONCUR_PRIORITY_LOW, from %G_PRIORITY_LOW on %CONCUR_PRIORITY_IDLE.
 *
 * As in GLib, @func is run even if the task's cancellable is cancelled before; it looks
 * at the cancellable it is given. With [method@Gio.Task.set_return_on_cancel], to be set
 * before this call, the task returns %G_IO_ERROR_CANCELLED at once: if @func has not
 * begun it is not run, and if it has, what it returns later is dropped. Each @func that
 * runs under this rule also keeps one of GLib's own task threads waiting.
 *
 * Three things differ. The callback may run as soon as @func calls `g_task_return_*`,
 * while @func is still finishing, unless return-on-cancel is set. If the executor cannot
 * take the work, or is shut down without running it, the task returns that error, see
 * [method@Executor.submit]. And a task that @func did not return, and that nobody else
 * has a reference to by then, returns %CONCUR_FUTURE_ERROR_BROKEN_PROMISE instead of never.
 *
 * The library lets go of @task when @func has returned, on that thread, as GLib does; if
 * the callback came before, that is where the task's data is freed. The source object
 * is let go in the task's context. May be called from any thread.
 *
 * Since: 1.0
 */
void
concur_executor_run_task (ConcurExecutor  *self,
                          GTask           *task,
                          GTaskThreadFunc  func)
{
  const char *name;
  ConcurTaskJob *job;

  g_return_if_fail (CONCUR_IS_EXECUTOR (self));
  g_return_if_fail (G_IS_TASK (task));
  g_return_if_fail (func != NULL);

  job = task_job_new (g_object_ref (task));
  job->thread_func = func;
  job->data = g_task_get_source_object (task);
  if (job->data != NULL)
    {
      g_object_ref (job->data);
      job->destroy = g_object_unref;
    }
  job->return_on_cancel = g_task_get_cancellable (task) != NULL
                          && g_task_get_return_on_cancel (task);
  concur_future_private (job)->priority = priority_for_task (task);
  name = g_task_get_name (task);
  if (name != NULL)
    concur_future_set_name (CONCUR_FUTURE (job), name);

  task_job_submit (job, self, job->return_on_cancel ? g_task_get_cancellable (task) : NULL);
}
