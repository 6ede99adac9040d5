/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurJob:
 *
 * A future that is completed by running it on an executor.
 *
 * Most jobs are made by [method@Executor.submit], which returns the job itself as a
 * [class@Future]. Make one by hand to set its priority or name first, or derive a class
 * from it and override [vfunc@Job.run].
 *
 * ```c
 * static gboolean
 * sum (ConcurJob *job, gpointer user_data, GError **error)
 * {
 *   GArray *numbers = user_data;
 *   gint64 total = 0;
 *
 *   for (guint i = 0; i < numbers->len; i++)
 *     {
 *       if (concur_job_check_cancelled (job, error))
 *         return FALSE;
 *       total += g_array_index (numbers, int, i);
 *       concur_job_set_progress (job, (double) i / numbers->len);
 *     }
 *
 *   concur_job_return_int64 (job, total);
 *   return TRUE;
 * }
 *
 * ConcurJob *job = concur_job_new (sum, g_array_ref (numbers), (GDestroyNotify) g_array_unref);
 * concur_job_set_priority (job, CONCUR_PRIORITY_LOW);
 * concur_future_set_name (CONCUR_FUTURE (job), "sum");
 * ConcurFuture *future = concur_executor_submit_job (executor, job, NULL);
 * ```
 *
 * ## Answering
 *
 * A job answers with one of the `concur_job_return_*` functions; the first answer
 * counts, later ones are ignored. The future is done when the function has returned as
 * well, so that nobody meets the result while the job is still clearing up. A function
 * that sets its error rejects the job; one that returns without any answer rejects it
 * with %CONCUR_FUTURE_ERROR_BROKEN_PROMISE. Work that ends later calls
 * [method@Job.hold] before it returns, keeps a reference to the job, and answers from
 * any thread.
 *
 * ## Threads
 *
 * The function runs on a thread of the executor. What was submitted, that is the
 * function's user data and the cancellable, and the library's reference to the job are
 * released at home: in the thread-default main context of the thread that submitted; if
 * it has none, in the global default context when that thread runs it, else on the
 * submitting thread itself, whenever it submits or waits or calls
 * [func@release_pending]. Only if that thread or context is gone does whoever is last
 * release it.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-enum-types.h"
#include "concur-exit-private.h"
#include "concur-future-private.h"
#include "concur-job-private.h"
#include "concur-pool-private.h"
#include "concur-worker-private.h"

typedef struct
{
  /* The queue has it first, home later. */
  union
  {
    ConcurQueueLink link;
    ConcurHomeItem item;
  };

  /* the submitter until submitted; who runs the job; who releases it */
  union
  {
    ConcurJobFunc func;
    ConcurHome *queue_home; /* held: once it is over, for who takes it off the queue */
    ConcurHeld *held;       /* once its function has returned: to be told, with WATCHED */
  };
  gpointer data;
  GDestroyNotify destroy;
  ConcurRegistration *registration; /* (owned) (nullable) with the parent cancellable */
} ConcurJobPrivate;

G_DEFINE_TYPE_WITH_PRIVATE (ConcurJob, concur_job, CONCUR_TYPE_FUTURE)

enum
{
  PROP_0,
  PROP_PRIORITY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static _Thread_local ConcurFrame *current_frame;

static inline ConcurJobPrivate *
job_private (gpointer self)
{
  return concur_job_get_instance_private (self);
}

static gboolean
concur_job_real_run (ConcurJob  *self,
                     GError    **error)
{
  ConcurJobPrivate *priv = job_private (self);

  if (priv->func == NULL)
    return TRUE;

  return priv->func (self, priv->data, error);
}

static void
concur_job_real_done (ConcurJob *self)
{
}

static void
release_payload (GDestroyNotify      destroy,
                 gpointer            data,
                 ConcurRegistration *registration)
{
  if (registration != NULL)
    concur_registration_free (registration);
  if (destroy != NULL)
    destroy (data);
}

static void
job_release_payload (ConcurJobPrivate *priv)
{
  GDestroyNotify destroy = priv->destroy;
  ConcurRegistration *registration = priv->registration;

  priv->destroy = NULL;
  priv->registration = NULL;
  release_payload (destroy, priv->data, registration);
}

static void
concur_job_finalize (GObject *object)
{
  /* Only of a job that was never submitted. */
  job_release_payload (job_private (object));

  G_OBJECT_CLASS (concur_job_parent_class)->finalize (object);
}

static void
concur_job_get_property (GObject    *object,
                         guint       prop_id,
                         GValue     *value,
                         GParamSpec *pspec)
{
  switch (prop_id)
    {
    case PROP_PRIORITY:
      g_value_set_enum (value, concur_job_get_priority (CONCUR_JOB (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_job_set_property (GObject      *object,
                         guint         prop_id,
                         const GValue *value,
                         GParamSpec   *pspec)
{
  switch (prop_id)
    {
    case PROP_PRIORITY:
      concur_job_set_priority (CONCUR_JOB (object), g_value_get_enum (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_job_class_init (ConcurJobClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = concur_job_get_property;
  object_class->set_property = concur_job_set_property;
  object_class->finalize = concur_job_finalize;
  klass->run = concur_job_real_run;
  klass->done = concur_job_real_done;

  /**
   * ConcurJob:priority: (getter get_priority) (setter set_priority)
   *
   * When the job starts, among those that wait. It cannot be changed once the job is
   * submitted.
   *
   * Since: 1.0
   */
  properties[PROP_PRIORITY] = g_param_spec_enum ("priority", NULL, NULL, CONCUR_TYPE_PRIORITY,
                                                 CONCUR_PRIORITY_DEFAULT,
                                                 G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS
                                                   | G_PARAM_EXPLICIT_NOTIFY);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_job_init (ConcurJob *self)
{
  concur_future_private (self)->priority = CONCUR_PRIORITY_DEFAULT;
}

ConcurQueueLink *
concur_job_get_link (ConcurJob *self)
{
  return &job_private (self)->link;
}

ConcurJob *
concur_job_from_link (ConcurQueueLink *link)
{
  return (ConcurJob *) ((char *) link - ConcurJob_private_offset
                        - G_STRUCT_OFFSET (ConcurJobPrivate, link));
}

ConcurHomeItem *
concur_job_get_item (ConcurJob *self)
{
  return &job_private (self)->item;
}

ConcurJob *
concur_job_from_item (ConcurHomeItem *item)
{
  return concur_job_from_link (&((ConcurJobPrivate *) item)->link);
}

void
concur_job_set_up (ConcurJob    *self,
                   ConcurHome   *home,
                   GCancellable *cancellable)
{
  /* Release: somebody may cancel it at this moment, and look at home to tell who listens. */
  concur_atomic_store (&concur_future_private (self)->home, home, CONCUR_RELEASE);
  if (cancellable != NULL)
    job_private (self)->registration = concur_registration_new (cancellable, self);
}

void
concur_job_set_payload (ConcurJob      *self,
                        gpointer        data,
                        GDestroyNotify  destroy)
{
  ConcurJobPrivate *priv = job_private (self);

  priv->data = data;
  priv->destroy = destroy;
}

/* At home: the last of the job that the library has to do with. */
static void
job_arrived (ConcurHomeItem *item,
             gboolean        here)
{
  ConcurJobPrivate *priv = (ConcurJobPrivate *) item;
  ConcurJob *self = concur_job_from_link (&priv->link);

  job_release_payload (priv);
  g_object_unref (self);
}

/* What was submitted with a job whose link is still in a queue. */
typedef struct
{
  ConcurHomeItem item;
  GDestroyNotify destroy;
  gpointer data;
  ConcurRegistration *registration; /* which knows the job, so */
  ConcurJob *job;                   /* (owned) */
} Payload;

static void
payload_arrived (ConcurHomeItem *item,
                 gboolean        here)
{
  Payload *payload = (Payload *) item;

  release_payload (payload->destroy, payload->data, payload->registration);
  g_object_unref (payload->job);
  g_slice_free (Payload, payload);
}

static void
job_go_home (ConcurJob  *self,
             ConcurHome *home)
{
  ConcurJobPrivate *priv = job_private (self);

  priv->item.func = job_arrived;

  if (home != NULL
      && !concur_atomic_load (&concur_future_private (self)->release_on_worker, CONCUR_RELAXED))
    {
      concur_home_release (home, &priv->item);
      return;
    }

  concur_gate ();
  job_arrived (&priv->item, FALSE);
  if (home != NULL)
    concur_home_drop (home);
}

/* While the queue has the job it has the library's reference too, so what was submitted
 * goes home first and alone. Whoever ends such a job, by cancelling it or by running it
 * while it waits for it, has a reference of its own. */
static void
job_over_in_queue (ConcurJob *self)
{
  ConcurJobPrivate *priv = job_private (self);
  gboolean release_here = concur_atomic_load (&concur_future_private (self)->release_on_worker,
                                              CONCUR_RELAXED);
  Payload *payload = g_slice_new (Payload);
  ConcurHome *home, *queue_home;
  guint32 before;

  payload->item.func = payload_arrived;
  payload->destroy = g_steal_pointer (&priv->destroy);
  payload->data = priv->data;
  payload->registration = g_steal_pointer (&priv->registration);
  payload->job = g_object_ref (self);

  home = concur_atomic_load (&concur_future_private (self)->home, CONCUR_RELAXED);
  queue_home = concur_home_hold (home);
  priv->queue_home = queue_home;

  home = concur_future_steal_home (CONCUR_FUTURE (self), &before);

  /* It left the queue meanwhile, before it was over. */
  if (!(before & CONCUR_STATE_IN_QUEUE))
    job_go_home (self, queue_home);

  if (release_here)
    {
      concur_gate ();
      payload_arrived (&payload->item, FALSE);
      concur_home_drop (home);
    }
  else
    {
      concur_home_release (home, &payload->item);
    }
}

void
concur_job_over (ConcurFuture *future)
{
  guint32 state = concur_future_state (future);
  ConcurHeld *held = NULL;
  guint32 before;

  if (G_UNLIKELY (state & (CONCUR_STATE_LIMITED | CONCUR_STATE_BATCHED)))
    {
      if (state & CONCUR_STATE_LIMITED)
        concur_limiter_job_over (future);
      if (state & CONCUR_STATE_BATCHED)
        concur_batcher_call_over (future);
    }

  if (G_UNLIKELY (state & CONCUR_STATE_IN_QUEUE))
    {
      job_over_in_queue (CONCUR_JOB (future));
      return;
    }

  /* What takes it home needs a reference; who answers has one meanwhile. */
  if (G_UNLIKELY (state & CONCUR_STATE_UNKEPT))
    g_object_ref (future);

  if (G_UNLIKELY (state & CONCUR_STATE_WATCHED))
    {
      held = job_private (future)->held;
      concur_held_is_over (held);
    }
  job_go_home (CONCUR_JOB (future), concur_future_steal_home (future, &before));
  if (held != NULL)
    concur_held_has_gone (held);
}

void
concur_job_bind (ConcurJob    *self,
                 GMainContext *context)
{
  ConcurFuturePrivate *priv = concur_future_private (self);

  /* A continuation is bound long before it is queued. */
  if (concur_future_state (self) & CONCUR_STATE_BOUND)
    return;

  priv->pool = context;
  /* Release: whoever sees the bit sees the context. */
  concur_atomic_or (&priv->state, CONCUR_STATE_BOUND, CONCUR_RELEASE);
}

/* A claim from the queue failed: somebody cancelled the job, or runs it. */
void
concur_job_left_queue (ConcurJob *self)
{
  /* Acquire: pairs with the release of OVER, before which all was set up. */
  guint32 before = concur_atomic_and (&concur_future_private (self)->state,
                                      ~(guint32) CONCUR_STATE_IN_QUEUE, CONCUR_ACQ_REL);

  if (before & CONCUR_STATE_OVER)
    job_go_home (self, job_private (self)->queue_home);
}

void
concur_job_enter (ConcurFrame *frame,
                  ConcurJob   *self)
{
  frame->job = self;
  frame->outer = current_frame;
  frame->started = concur_now_coarse ();

  current_frame = frame;
  concur_worker_frame_pushed (frame);
}

void
concur_job_leave (ConcurFrame *frame)
{
  concur_worker_frame_popped (frame->outer);
  current_frame = frame->outer;
}

gboolean
concur_job_is_on_stack (gpointer future)
{
  for (ConcurFrame *frame = current_frame; frame != NULL; frame = frame->outer)
    {
      if (frame->job == future)
        return TRUE;
    }

  return FALSE;
}

void
concur_job_call (ConcurJob *self)
{
  ConcurFrame frame;
  GError *error = NULL;

  concur_job_enter (&frame, self);
  CONCUR_JOB_GET_CLASS (self)->run (self, &error);
  concur_job_leave (&frame);

  if (error != NULL)
    concur_future_answer_error (CONCUR_FUTURE (self), error);
}

void
concur_job_watch_held (ConcurJob  *self,
                       ConcurHeld *held)
{
  job_private (self)->held = held;
  /* Release: who ends the job sees the bit and then the pointer. */
  concur_atomic_or (&concur_future_private (self)->state, CONCUR_STATE_WATCHED, CONCUR_RELEASE);
}

void
concur_job_run (ConcurJob *self)
{
  concur_job_call (self);
  concur_future_run_ended (CONCUR_FUTURE (self));
}

/**
 * concur_job_new:
 * @func: (scope notified) (closure user_data) (destroy destroy): what to run
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 *
 * Makes a job to be submitted with [method@Executor.submit_job].
 *
 * Returns: (transfer full): a new job
 *
 * Since: 1.0
 */
ConcurJob *
concur_job_new (ConcurJobFunc  func,
                gpointer       user_data,
                GDestroyNotify destroy)
{
  ConcurJob *self;

  g_return_val_if_fail (func != NULL, NULL);

  self = g_object_new (CONCUR_TYPE_JOB, NULL);
  job_private (self)->func = func;
  concur_job_set_payload (self, user_data, destroy);

  return self;
}

/**
 * concur_job_get_current:
 *
 * Gets the job that the calling code is part of.
 *
 * Code deep inside a job finds its progress and cancellation here without being handed
 * the job.
 *
 * Returns: (transfer none) (nullable): the job, or %NULL if this thread runs none
 *
 * Since: 1.0
 */
ConcurJob *
concur_job_get_current (void)
{
  return current_frame != NULL ? current_frame->job : NULL;
}

/**
 * concur_job_get_priority: (get-property priority)
 * @self: a job
 *
 * Gets the priority of the job.
 *
 * Returns: the priority
 *
 * Since: 1.0
 */
ConcurPriority
concur_job_get_priority (ConcurJob *self)
{
  g_return_val_if_fail (CONCUR_IS_JOB (self), CONCUR_PRIORITY_DEFAULT);

  return concur_future_private (self)->priority;
}

/**
 * concur_job_set_priority: (set-property priority)
 * @self: a job that was not submitted yet
 * @priority: the priority
 *
 * Sets when the job starts, among those that wait.
 *
 * Since: 1.0
 */
void
concur_job_set_priority (ConcurJob      *self,
                         ConcurPriority  priority)
{
  ConcurFuturePrivate *priv;

  g_return_if_fail (CONCUR_IS_JOB (self));
  g_return_if_fail (priority >= CONCUR_PRIORITY_HIGH && priority <= CONCUR_PRIORITY_IDLE);

  priv = concur_future_private (self);
  g_return_if_fail (!(concur_future_state (self) & CONCUR_STATE_SUBMITTED));

  if (priv->priority == priority)
    return;

  priv->priority = priority;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PRIORITY]);
}

/**
 * concur_job_is_cancelled:
 * @self: a job
 *
 * Gets whether the job was asked to stop. This costs next to nothing: look often.
 *
 * Returns: %TRUE if it was
 *
 * Since: 1.0
 */
gboolean
concur_job_is_cancelled (ConcurJob *self)
{
  g_return_val_if_fail (CONCUR_CHECK_JOB (self), FALSE);

  /* Relaxed: a hint to stop; nothing is read because of it. */
  return (concur_atomic_load (&concur_future_private (self)->state, CONCUR_RELAXED)
          & CONCUR_STATE_CANCEL)
         != 0;
}

/**
 * concur_job_check_cancelled:
 * @self: a job
 * @error: return location for an error
 *
 * Gets whether the job was asked to stop, and sets the error to answer with if so.
 *
 * Returns: %TRUE if it was, with @error set to %G_IO_ERROR_CANCELLED
 *
 * Since: 1.0
 */
gboolean
concur_job_check_cancelled (ConcurJob  *self,
                            GError    **error)
{
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!concur_job_is_cancelled (self))
    return FALSE;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Operation was cancelled");

  return TRUE;
}

/**
 * concur_job_get_cancellable:
 * @self: a job
 *
 * Gets a cancellable that is cancelled when the job is asked to stop, to hand to GIO
 * functions inside the job.
 *
 * It is the job's own, made at the first call; cancelling it does not cancel the job.
 *
 * Returns: (transfer none): the cancellable, valid as long as the job
 *
 * Since: 1.0
 */
GCancellable *
concur_job_get_cancellable (ConcurJob *self)
{
  g_return_val_if_fail (CONCUR_IS_JOB (self), NULL);

  return concur_future_get_cancellable (CONCUR_FUTURE (self));
}

/**
 * concur_job_hold:
 * @self: the job that is running on this thread
 *
 * Says that the job answers later than its function returns.
 *
 * To be called from the job's function. Whoever is going to answer keeps a reference to
 * the job; what was submitted with the job stays until the answer.
 *
 * Since: 1.0
 */
void
concur_job_hold (ConcurJob *self)
{
  g_return_if_fail (CONCUR_IS_JOB (self));
  g_return_if_fail (concur_job_get_current () == self);

  concur_atomic_or (&concur_future_private (self)->state, CONCUR_STATE_HOLD, CONCUR_ACQ_REL);
}

/**
 * concur_job_execute:
 * @self: a job that was submitted
 *
 * Runs the job on the calling thread.
 *
 * This is for those who implement [iface@Executor], to be called once for each job they
 * were given; everybody else submits. A job that was cancelled meanwhile is passed over.
 *
 * Since: 1.0
 */
void
concur_job_execute (ConcurJob *self)
{
  g_return_if_fail (CONCUR_IS_JOB (self));
  /* It belongs to an executor of ours, which counts on running it. */
  g_return_if_fail (!(concur_future_state (self) & CONCUR_STATE_IN_QUEUE));

  if (concur_future_claim (CONCUR_FUTURE (self), FALSE))
    concur_job_run (self);
}
