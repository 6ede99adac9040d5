/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A channel whose producer is a job.
 *
 * The core tells the generator when the first value is wanted and when none is any more;
 * either may be about to happen on one thread while the other happens on another. What was
 * given to generate () is the payload: whoever takes it out of the generator, under the
 * lock, either makes a job of it or lets it go.
 *
 * From its start to its end the job is followed by the channel's completion, so that the
 * completion shows the job's progress and is not done before the job. */

#include "config.h"

#include "concur-channel-private.h"
#include "concur-exit-private.h"
#include "concur-generate.h"
#include "concur-job-private.h"
#include "concur-view-private.h"

typedef struct
{
  ConcurHomeItem item;

  /* immutable */
  ConcurGenerateFunc func;
  gpointer user_data;
  GDestroyNotify destroy;

  /* whoever has the payload */
  ConcurExecutor *executor;  /* (owned) until the job is submitted */
  GCancellable *cancellable; /* (owned) (nullable) until then, too */
  ConcurChannelCore *core;   /* (owned) (nullable) from then until the function is called */
} Payload;

typedef struct
{
  ConcurChannelProducer base;

  /* immutable */
  ConcurHome *home;          /* held: of who called generate () */

  /* protected by lock */
  ConcurLock lock;
  Payload *payload;          /* (owned) until it is started or stopped */
  ConcurJob *job;            /* (owned) from then until it is done */
  gulong cancelled_id;       /* the handler of its cancellable */
  gboolean stopped;
} Generator;

/* Between the job and the completion, which derives from it. */
typedef struct
{
  ConcurView base;

  ConcurChannelCore *core;   /* (owned) until the job is done */
} Following;

static void
payload_free (gpointer data)
{
  Payload *payload = data;

  if (payload->destroy != NULL)
    payload->destroy (payload->user_data);
  g_clear_object (&payload->executor);
  g_clear_object (&payload->cancellable);
  g_clear_pointer (&payload->core, concur_channel_core_unref);
  g_free (payload);
}

static void
payload_arrived (ConcurHomeItem *item,
                 gboolean        here)
{
  payload_free (item);
}

static Payload *
generator_take_payload (Generator *self)
{
  Payload *payload;

  concur_lock_acquire (&self->lock);
  payload = g_steal_pointer (&self->payload);
  concur_lock_release (&self->lock);

  return payload;
}

/* It never becomes a job. */
static void
generator_release_payload (Generator *self)
{
  Payload *payload = generator_take_payload (self);

  if (payload == NULL)
    return;

  if (concur_home_is_here (self->home))
    {
      concur_gate ();
      payload_free (payload);
    }
  else
    {
      payload->item.func = payload_arrived;
      concur_home_release (concur_home_hold (self->home), &payload->item);
    }
}

/* Receivers need not wait until the function has noticed, and who sends does not wait for
 * them. If it is because the channel was stopped this comes too late to do anything. */
static void
on_job_cancelled (GCancellable *cancellable,
                  gpointer      data)
{
  concur_channel_core_cut (data, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                      "Operation was cancelled"));
}

static void
drop_core (gpointer  data,
           GClosure *closure)
{
  concur_channel_core_unref (data);
}

static void
watch_job (Generator         *self,
           ConcurChannelCore *core,
           ConcurJob         *job)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  gulong id = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_job_cancelled),
                                     concur_channel_core_ref (core), drop_core, 0);

  concur_lock_acquire (&self->lock);
  if (self->job != NULL)
    {
      self->cancelled_id = id;
      id = 0;
    }
  concur_lock_release (&self->lock);

  /* It was abandoned meanwhile. */
  if (id != 0)
    g_signal_handler_disconnect (cancellable, id);

  /* Before there was a handler. */
  if (g_cancellable_is_cancelled (cancellable))
    on_job_cancelled (cancellable, core);
}

static gboolean
run_func (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  Payload *payload = data;
  ConcurChannelCore *core = g_steal_pointer (&payload->core);
  ConcurChannel *channel;
  gboolean success;

  watch_job ((Generator *) core->producer, core, job);

  channel = concur_channel_new_for_core (core, FALSE);
  success = payload->func (job, channel, payload->user_data, error);
  g_object_unref (channel);

  /* Without an answer it is a broken promise. */
  if (success && *error == NULL && !(concur_future_state (job) & CONCUR_STATE_HOLD))
    concur_future_answer_boolean (CONCUR_FUTURE (job), TRUE);

  return success;
}

/* However it ended, and if it never began. */
static void
job_done (ConcurDerivation *derivation,
          ConcurInput      *input)
{
  ConcurChannelCore *core = g_steal_pointer (&((Following *) derivation)->core);
  Generator *self = (Generator *) core->producer;
  const GError *error = concur_future_get_error (input->future);
  ConcurJob *job;
  gulong id;

  concur_view_follow_last ((ConcurView *) derivation);

  concur_lock_acquire (&self->lock);
  job = g_steal_pointer (&self->job);
  id = self->cancelled_id;
  self->cancelled_id = 0;
  concur_lock_release (&self->lock);

  if (id != 0)
    g_signal_handler_disconnect (concur_job_get_cancellable (job), id);
  g_object_unref (job);

  concur_channel_core_close (core, error != NULL ? g_error_copy (error) : NULL);
  concur_channel_core_producer_over (core);
  concur_channel_core_unref (core);
}

static void
generator_start (ConcurChannelProducer *producer,
                 ConcurChannelCore     *core)
{
  Generator *self = (Generator *) producer;
  Payload *payload = generator_take_payload (self);
  g_autoptr (ConcurFuture) completion = NULL;
  g_autoptr (ConcurExecutor) executor = NULL;
  g_autoptr (GCancellable) cancellable = NULL;
  ConcurJob *job;
  Following *following;
  gboolean wanted;

  /* Stopped, just before. */
  if (payload == NULL)
    {
      concur_channel_core_producer_over (core);
      return;
    }

  executor = g_steal_pointer (&payload->executor);
  cancellable = g_steal_pointer (&payload->cancellable);
  payload->core = concur_channel_core_ref (core);
  job = concur_job_new (run_func, payload, payload_free);
  /* From when others see it, it may be cancelled. */
  concur_atomic_init (&concur_future_private (job)->state,
                      CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED);

  completion = concur_channel_core_dup_completion (core);
  wanted = concur_future_begin (completion);

  concur_lock_acquire (&self->lock);
  self->job = g_object_ref (job);
  wanted = wanted && !self->stopped;
  concur_lock_release (&self->lock);

  if (!wanted)
    concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);

  /* Also if the completion is abandoned, the end of the job is to be known. */
  following = concur_view_new (sizeof (Following), completion, CONCUR_FUTURE (job),
                               CONCUR_DERIVE_HOLDS, job_done);
  following->core = concur_channel_core_ref (core);
  concur_derivation_set_home (following, concur_home_hold (self->home));
  concur_derivation_connect (following);

  wanted = concur_executor_begin_submit (job, concur_home_hold (self->home), cancellable);
  /* From here on it is the job's, and goes at home with it. */
  g_clear_object (&cancellable);
  if (wanted)
    CONCUR_EXECUTOR_GET_IFACE (executor)->execute (executor, job);
  g_object_unref (job);
}

static void
generator_stop (ConcurChannelProducer *producer,
                ConcurChannelCore     *core)
{
  Generator *self = (Generator *) producer;
  g_autoptr (ConcurJob) job = NULL;

  concur_lock_acquire (&self->lock);
  self->stopped = TRUE;
  if (self->job != NULL)
    job = g_object_ref (self->job);
  concur_lock_release (&self->lock);

  generator_release_payload (self);
  if (job != NULL)
    concur_future_cancel (CONCUR_FUTURE (job), CONCUR_CANCEL_NONE);
}

static void
generator_free (ConcurChannelProducer *producer)
{
  Generator *self = (Generator *) producer;

  concur_home_drop (self->home);
  concur_lock_clear (&self->lock);
  g_free (self);
}

/**
 * concur_executor_generate:
 * @self: an executor
 * @func: (scope notified) (closure user_data) (destroy destroy): what sends the values
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data, at home
 * @capacity: how many values may wait to be received before @func has to, or 0 for no bound
 * @cancellable: (nullable): cancels the job when it is cancelled; released at home
 *
 * Makes a channel that is filled by a function, as a job, once somebody receives from it.
 *
 * ```c
 * static gboolean
 * read_lines (ConcurJob *job, ConcurChannel *channel, gpointer file, GError **error)
 * {
 *   g_autoptr (GFileInputStream) stream = g_file_read (file, concur_job_get_cancellable (job),
 *                                                      error);
 *   g_autoptr (GDataInputStream) data = NULL;
 *   GError *read_error = NULL;
 *   char *line;
 *
 *   if (stream == NULL)
 *     return FALSE;
 *   data = g_data_input_stream_new (G_INPUT_STREAM (stream));
 *   while ((line = g_data_input_stream_read_line_utf8 (data, NULL, NULL, &read_error)) != NULL)
 *     {
 *       g_auto (GValue) value = G_VALUE_INIT;
 *
 *       g_value_init (&value, G_TYPE_STRING);
 *       g_value_take_string (&value, line);
 *       if (!concur_channel_send_wait (channel, &value, -1, error))
 *         return FALSE;
 *     }
 *   if (read_error == NULL)
 *     return TRUE;
 *   g_propagate_error (error, read_error);
 *   return FALSE;
 * }
 *
 * ConcurChannel *lines = concur_executor_generate (concur_executor_get_default (), read_lines,
 *                                                  g_object_ref (file), g_object_unref, 64,
 *                                                  NULL);
 * ```
 *
 * Nothing happens before the first call that receives, of whichever kind: that one submits
 * the job. As with [method@Executor.submit] it may wait for room in a full queue.
 *
 * The function is given a handle of its own on the channel. While there are @capacity values
 * that nobody has received, it blocks in [method@Channel.send_wait]. When it returns %TRUE
 * the channel is closed; what it sent is still received. When it returns %FALSE the channel
 * fails with its error, after what it sent before. So it does if the executor does not take
 * the job, with what is in the way, for example %CONCUR_EXECUTOR_ERROR_SHUT_DOWN; or if the
 * function answers the job with an error, see [method@Job.return_error]. It need not answer
 * otherwise.
 *
 * ## The end
 *
 * When the channel is stopped, the job is asked to stop and whatever it sends fails with
 * %CONCUR_CHANNEL_ERROR_STOPPED, at once also where it blocks; it cleans up on its own
 * thread. [method@Channel.stop] does that, cancelling
 * [method@Channel.dup_completion], and letting go of the last reference to the channel that
 * is returned. The completion is done only after the function has returned. A channel that
 * is stopped or closed before anybody receives never calls it, and ends at once.
 *
 * When the job is cancelled otherwise, by @cancellable or because the executor is shut down
 * with %CONCUR_SHUTDOWN_CANCEL_ALL, the channel fails with %G_IO_ERROR_CANCELLED, after what
 * was sent before, and what waits for room is not sent.
 *
 * Progress and status text that are set on the job show on the completion of the channel.
 *
 * ## Threads
 *
 * Home, where @user_data is freed, and where signals of the completion are emitted, is that
 * of the thread which calls this, also if another one receives.
 *
 * A function that takes its time, such as one that follows a log, keeps one of the
 * executor's threads. With an executor without a bound each has a thread of its own:
 *
 * ```c
 * ConcurThreadExecutor *own = concur_thread_executor_new (0);
 * ConcurChannel *changes = concur_executor_generate (CONCUR_EXECUTOR (own), follow_log, path,
 *                                                    g_free, 16, NULL);
 * ```
 *
 * On a [class@LoopThread] or a [class@ContextExecutor] the function must not block. It
 * calls [method@Job.hold], keeps references to the job and the channel, and returns. Then it
 * sends with [method@Channel.send], the next value when that future is done, and at the end
 * answers the job, with [method@Job.return_boolean] or an error. Nor may the loop's thread
 * block to receive from such a channel.
 *
 * Can be called from any thread.
 *
 * Returns: (transfer full): a channel to receive from
 *
 * Since: 1.0
 */
ConcurChannel *
concur_executor_generate (ConcurExecutor     *self,
                          ConcurGenerateFunc  func,
                          gpointer            user_data,
                          GDestroyNotify      destroy,
                          guint               capacity,
                          GCancellable       *cancellable)
{
  ConcurChannelCore *core;
  Generator *generator;
  Payload *payload;

  g_return_val_if_fail (CONCUR_IS_EXECUTOR (self), NULL);
  g_return_val_if_fail (func != NULL, NULL);
  g_return_val_if_fail (capacity <= G_MAXINT, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  payload = g_new0 (Payload, 1);
  payload->func = func;
  payload->user_data = user_data;
  payload->destroy = destroy;
  payload->executor = g_object_ref (self);
  g_set_object (&payload->cancellable, cancellable);

  generator = g_new0 (Generator, 1);
  generator->base = (ConcurChannelProducer) { generator_start, generator_stop, generator_free };
  generator->home = concur_home_hold_current ();
  concur_lock_init (&generator->lock);
  generator->payload = payload;

  core = concur_channel_core_new (capacity, &generator->base);
  /* So that its signals belong to this thread. The core keeps it. */
  g_object_unref (concur_channel_core_dup_completion (core));

  return concur_channel_new_for_core (core, TRUE);
}
