/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurExecutor:
 *
 * Where jobs run.
 *
 * Submitting always returns a future, also when the executor cannot take the job: then
 * the future is rejected with what is in the way.
 *
 * ```c
 * static gboolean
 * slow (ConcurJob *job, gpointer user_data, GError **error)
 * {
 *   g_autofree char *text = NULL;
 *
 *   if (!g_file_get_contents (user_data, &text, NULL, error))
 *     return FALSE;
 *   concur_job_return_string (job, text);
 *   return TRUE;
 * }
 *
 * ConcurExecutor *executor = concur_executor_get_default ();
 * g_autoptr (ConcurFuture) future = concur_executor_submit (executor, slow, "/etc/hostname",
 *                                                           NULL, NULL);
 * g_autofree char *text = NULL;
 *
 * if (concur_future_wait (future, 5 * G_USEC_PER_SEC))
 *   text = concur_future_dup_string (future, &error);
 * ```
 *
 * [class@ThreadExecutor] runs jobs on threads of its own, [class@ContextExecutor] in a main
 * context, [class@LoopThread] in a background main loop. To implement the interface, provide
 * [vfunc@Executor.execute] and [vfunc@Executor.shutdown]; both take objects only, so any
 * language can.
 *
 * ## Threads
 *
 * All methods may be called from any thread. Where the job's function runs is up to the
 * executor. The function's user data and the cancellable are released at home, see
 * [class@Job].
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-combine.h"
#include "concur-context-executor-private.h"
#include "concur-error.h"
#include "concur-executor.h"
#include "concur-fork-private.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-thread-executor-private.h"

/* Jobs let go at one submit, so that submitting takes a bounded time and what piled up
 * still goes faster than it comes. */
#define SERVE_AT_SUBMIT 64

G_DEFINE_INTERFACE (ConcurExecutor, concur_executor, G_TYPE_OBJECT)

/* What a class leaves out is an error for who uses it, and not a crash: a binding may have
 * failed to fill it in. */
static GError *
new_not_supported (ConcurExecutor *self,
                   const char     *what)
{
  return g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s does not implement %s",
                      G_OBJECT_TYPE_NAME (self), what);
}

static void
concur_executor_real_execute (ConcurExecutor *self,
                              ConcurJob      *job)
{
  concur_future_answer_error (CONCUR_FUTURE (job), new_not_supported (self, "execute"));
}

static ConcurFuture *
concur_executor_real_shutdown (ConcurExecutor     *self,
                               ConcurShutdownMode  mode)
{
  g_autoptr (GError) error = new_not_supported (self, "shutdown");

  return concur_future_rejected (error);
}

static void
concur_executor_default_init (ConcurExecutorInterface *iface)
{
  iface->execute = concur_executor_real_execute;
  iface->shutdown = concur_executor_real_shutdown;
}

/**
 * concur_executor_get_default:
 *
 * Gets the executor to use when there is no reason for one of your own: a
 * [class@ThreadExecutor] with default settings, shared by the whole process and never
 * shut down.
 *
 * Returns: (transfer none): the default executor
 *
 * Since: 1.0
 */
ConcurExecutor *
concur_executor_get_default (void)
{
  static ConcurExecutor *executor;

  if (g_once_init_enter (&executor))
    {
      ConcurExecutor *fresh = CONCUR_EXECUTOR (concur_thread_executor_new_default ());

      g_once_init_leave (&executor, fresh);
    }

  return executor;
}

/* One look-up serves as the type check too. NULL: not an executor. */
static inline ConcurExecutorInterface *
get_iface (ConcurExecutor *self)
{
  GTypeInstance *instance = (GTypeInstance *) self;

  if (instance == NULL || instance->g_class == NULL)
    return NULL;

  if (G_TYPE_FROM_INSTANCE (instance) == CONCUR_TYPE_THREAD_EXECUTOR)
    return concur_thread_executor_iface;

  return g_type_interface_peek (instance->g_class, CONCUR_TYPE_EXECUTOR);
}

static inline gboolean
begin_submit (ConcurJob    *job,
              ConcurHome   *home,
              GCancellable *cancellable)
{
  ConcurFuture *future = CONCUR_FUTURE (job);
  GError *error = NULL;

  concur_home_serve (SERVE_AT_SUBMIT);

  /* The library's, until the job comes home. */
  g_object_ref (job);
  concur_job_set_up (job, home, cancellable);

  if (!concur_future_submitted (future))
    {
      /* Cancelled before it was submitted: there is only the clearing up. */
      concur_job_over (future);
      return FALSE;
    }

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (&error);
      concur_future_answer_error (future, error);
      return FALSE;
    }

  if (cancellable != NULL && g_cancellable_is_cancelled (cancellable))
    {
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      return FALSE;
    }

  return TRUE;
}

gboolean
concur_executor_begin_submit (ConcurJob    *job,
                              ConcurHome   *home,
                              GCancellable *cancellable)
{
  return begin_submit (job, home, cancellable);
}

/* The library's own submit: @job has no other user yet, or is known not to be done. */
static void
submit (ConcurExecutor          *self,
        ConcurExecutorInterface *iface,
        ConcurJob               *job,
        ConcurHome              *home,
        GCancellable            *cancellable)
{
  if (begin_submit (job, home, cancellable))
    iface->execute (self, job);
}

void
concur_executor_submit_from (ConcurExecutor *self,
                             ConcurJob      *job,
                             ConcurHome     *home,
                             GCancellable   *cancellable)
{
  concur_atomic_init (&concur_future_private (job)->state,
                      CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED);
  submit (self, get_iface (self), job, home, cancellable);
}

/**
 * concur_executor_submit:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @cancellable: (nullable): cancels the job when it is cancelled; released at home
 *
 * Runs a function as a job.
 *
 * The future that is returned is a [class@Job]. If the executor cannot take it, it is
 * rejected, with %CONCUR_EXECUTOR_ERROR_SHUT_DOWN, %CONCUR_EXECUTOR_ERROR_QUEUE_FULL,
 * %CONCUR_EXECUTOR_ERROR_NOT_RUNNING or %CONCUR_EXECUTOR_ERROR_THREAD_FAILED. If
 * @cancellable is cancelled already, @func is not run.
 *
 * May be called from any thread. It may wait for room in a full queue, as the
 * executor's settings say. What the calling thread submitted before and what has been
 * worked off since may be released inside this call.
 *
 * Returns: (transfer full): a future for what @func answers
 *
 * Since: 1.0
 */
ConcurFuture *
concur_executor_submit (ConcurExecutor *self,
                        ConcurJobFunc   func,
                        gpointer        user_data,
                        GDestroyNotify  destroy,
                        GCancellable   *cancellable)
{
  ConcurExecutorInterface *iface = get_iface (self);
  ConcurJob *job;

  g_return_val_if_fail (iface != NULL, NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  job = concur_job_new (func, user_data, destroy);
  /* Nobody else has it yet. What is returned must not be submitted again. */
  concur_atomic_init (&concur_future_private (job)->state,
                      CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED);
  submit (self, iface, job, concur_home_hold_current (), cancellable);

  return CONCUR_FUTURE (job);
}

/**
 * concur_executor_submit_job:
 * @self: an executor
 * @job: a job that was not submitted before
 * @cancellable: (nullable): cancels the job when it is cancelled; released at home
 *
 * Runs a job made by hand, or of a class of your own. Otherwise like
 * [method@Executor.submit].
 *
 * Returns: (transfer full): @job, as a future
 *
 * Since: 1.0
 */
ConcurFuture *
concur_executor_submit_job (ConcurExecutor *self,
                            ConcurJob      *job,
                            GCancellable   *cancellable)
{
  ConcurExecutorInterface *iface = get_iface (self);
  ConcurFuturePrivate *priv;

  g_return_val_if_fail (iface != NULL, NULL);
  g_return_val_if_fail (CONCUR_IS_JOB (job), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  priv = concur_future_private (job);
  /* Submitting twice is a mistake, even of a job that is done. */
  g_return_val_if_fail (!(concur_atomic_or (&priv->state, CONCUR_STATE_SUBMITTED, CONCUR_ACQ_REL)
                          & CONCUR_STATE_SUBMITTED),
                        NULL);

  concur_job_set_release (job);
  submit (self, iface, job, concur_home_hold_current (), cancellable);

  return CONCUR_FUTURE (g_object_ref (job));
}

/* What is posted where only jobs run. Counted: by the job and by who posts it. */
typedef struct
{
  ConcurPostFunc func;
  gpointer data;
  _Atomic (GDestroyNotify) destroy; /* whoever takes it out calls it */
} PostedJob;

static void
posted_job_destroy (PostedJob *self)
{
  GDestroyNotify destroy = concur_atomic_exchange (&self->destroy, NULL, CONCUR_ACQ_REL);

  if (destroy != NULL)
    destroy (self->data);
}

static void
posted_job_over (gpointer data)
{
  posted_job_destroy (data);
  g_atomic_rc_box_release (data);
}

static gboolean
posted_job_run (ConcurJob  *job,
                gpointer    data,
                GError    **error)
{
  PostedJob *self = data;

  self->func (self->data);
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

static gboolean
post_job (ConcurExecutor *self,
          ConcurPostFunc  func,
          gpointer        user_data,
          GDestroyNotify  destroy)
{
  PostedJob *posted = g_atomic_rc_box_new0 (PostedJob);
  g_autoptr (ConcurFuture) future = NULL;
  gboolean refused;

  posted->func = func;
  posted->data = user_data;
  concur_atomic_init (&posted->destroy, destroy);

  future = concur_executor_submit (self, posted_job_run, g_atomic_rc_box_acquire (posted),
                                   posted_job_over, NULL);
  /* The job itself never rejects. */
  refused = concur_future_get_state (future) == CONCUR_FUTURE_STATE_REJECTED;
  concur_future_ignore (future);
  if (refused)
    posted_job_destroy (posted);
  g_atomic_rc_box_release (posted);

  return !refused;
}

/**
 * concur_executor_post:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 *
 * Calls a function where the executor runs its jobs, without a future: nobody is told
 * when it has been called, and it cannot be cancelled.
 *
 * This is the cheap way onto a main context. With an executor that has one, such as
 * [class@ContextExecutor], @func and right after it @destroy are called from a dispatch
 * of the context, never inside this call; what one thread posts is called in the order it was
 * posted. If the context is freed first, @func is not called, and @destroy is called on
 * the thread that frees it.
 *
 * Any other executor runs @func as a job whose outcome nobody looks at, and @destroy is
 * called at home, as after [method@Executor.submit]; like that, this may wait for room.
 * A shutdown that cancels what is queued then drops it.
 *
 * If the executor takes no more work, @destroy is called before this returns %FALSE; so
 * it is in a process forked from the one that made the executor.
 *
 * May be called from any thread.
 *
 * Returns: %TRUE if @func is going to be called
 *
 * Since: 1.0
 */
gboolean
concur_executor_post (ConcurExecutor *self,
                      ConcurPostFunc  func,
                      gpointer        user_data,
                      GDestroyNotify  destroy)
{
  ConcurExecutorInterface *iface;
  ConcurContextQueue *queue;

  g_return_val_if_fail (func != NULL, FALSE);

  if (self != NULL && G_TYPE_FROM_INSTANCE (self) == CONCUR_TYPE_CONTEXT_EXECUTOR)
    return concur_context_queue_post (concur_context_executor_get_queue (self), func, user_data,
                                      destroy);

  iface = get_iface (self);
  g_return_val_if_fail (iface != NULL, FALSE);

  if (iface->get_context_queue == NULL)
    return post_job (self, func, user_data, destroy);

  queue = concur_context_queue_of (self);
  if (queue != NULL)
    return concur_context_queue_post (queue, func, user_data, destroy);

  /* A loop thread that does not run. Not as a job: by then it may run, and drop it. */
  if (destroy != NULL)
    destroy (user_data);

  return FALSE;
}

/**
 * concur_executor_shutdown:
 * @self: an executor
 * @mode: what to do with the work there is
 *
 * Ends the executor: it takes no more work, and submitting is answered with
 * %CONCUR_EXECUTOR_ERROR_SHUT_DOWN.
 *
 * This does not wait. The future that is returned is resolved when all work has ended
 * and no thread of the executor is left. Calling this again is fine: a stronger @mode
 * takes effect, a weaker one does not, and the future is the same.
 *
 * The default executor cannot be shut down: the future is rejected with
 * %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Returns: (transfer full): a future for the end
 *
 * Since: 1.0
 */
ConcurFuture *
concur_executor_shutdown (ConcurExecutor     *self,
                          ConcurShutdownMode  mode)
{
  ConcurFuture *end;

  g_return_val_if_fail (CONCUR_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (mode >= CONCUR_SHUTDOWN_DRAIN && mode <= CONCUR_SHUTDOWN_CANCEL_ALL, NULL);

  end = CONCUR_EXECUTOR_GET_IFACE (self)->shutdown (self, mode);

  /* As of a binding whose method failed. */
  return end != NULL ? end : concur_executor_real_shutdown (self, mode);
}
