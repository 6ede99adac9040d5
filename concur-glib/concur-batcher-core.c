/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Calls, and how they come together.
 *
 * Each batch has a timer of its own: one that is beyond recall must not be started again for
 * the next batch. */

#include "config.h"

#include "concur-batcher-private.h"
#include "concur-channel-private.h"
#include "concur-context-queue-private.h"
#include "concur-exit-private.h"
#include "concur-job-private.h"

typedef struct
{
  ConcurJobClass parent_class;
} ConcurBatcherCallClass;

static GType concur_batcher_call_get_type (void) G_GNUC_CONST;

G_DEFINE_FINAL_TYPE (ConcurBatcherCall, concur_batcher_call, CONCUR_TYPE_JOB)

ConcurBatcherCore *
concur_batcher_core_new (void)
{
  ConcurBatcherCore *self = g_new0 (ConcurBatcherCore, 1);

  concur_lock_init (&self->lock);
  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->users, 1);

  return self;
}

void
concur_batcher_core_unref (ConcurBatcherCore *self)
{
  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  concur_lock_clear (&self->lock);
  g_free (self);
}

/* Takes over the hold on @home. */
static void
go_home (ConcurHome     *home,
         ConcurHomeItem *item,
         ConcurHomeFunc  func)
{
  if (concur_home_is_here (home))
    {
      func (item, TRUE);
      concur_home_drop (home);
      return;
    }

  item->func = func;
  concur_home_release (home, item);
}

/* At home: all users are gone. */
static void
core_arrived (ConcurHomeItem *item,
              gboolean        here)
{
  ConcurBatcherCore *self = (ConcurBatcherCore *) item;

  if (self->destroy != NULL)
    self->destroy (self->data);
  g_clear_object (&self->executor);
  concur_batcher_core_unref (self);
}

void
concur_batcher_core_unuse (ConcurBatcherCore *self)
{
  /* As in unref (). */
  if (concur_atomic_sub (&self->users, 1, CONCUR_ACQ_REL) == 1)
    go_home (g_steal_pointer (&self->home), &self->item, core_arrived);
}

static void
concur_batcher_call_finalize (GObject *object)
{
  concur_batcher_core_unref (((ConcurBatcherCall *) object)->core);

  G_OBJECT_CLASS (concur_batcher_call_parent_class)->finalize (object);
}

static void
concur_batcher_call_class_init (ConcurBatcherCallClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_batcher_call_finalize;
}

static void
concur_batcher_call_init (ConcurBatcherCall *self)
{
}

/* At home. */
static void
argument_arrived (ConcurHomeItem *item,
                  gboolean        here)
{
  ConcurBatcherCall *self = (ConcurBatcherCall *) ((char *) item
                                                   - G_STRUCT_OFFSET (ConcurBatcherCall, item));

  concur_value_clear (&self->argument);
  g_object_unref (self);
}

void
concur_batcher_call_unuse (ConcurBatcherCall *self)
{
  /* Release what this thread did with the argument, acquire what the others did. */
  if (concur_atomic_sub (&self->users, 1, CONCUR_ACQ_REL) == 1)
    go_home (g_steal_pointer (&self->home), &self->item, argument_arrived);
}

static void
batch_stop_timer (ConcurBatcherJob *batch)
{
  if (concur_timer_stop (&batch->timer))
    g_object_unref (batch);
}

/* No more calls for @batch. FALSE: somebody else saw to that, and starts it. TRUE: the
 * core's reference is the caller's now. */
static gboolean
core_close (ConcurBatcherCore *self,
            ConcurBatcherJob  *batch)
{
  gboolean was_open;

  concur_lock_acquire (&self->lock);
  was_open = self->open == batch;
  if (was_open)
    self->open = NULL;
  concur_lock_release (&self->lock);

  return was_open;
}

static void
start_item (ConcurHomeItem *item,
            gboolean        here)
{
  concur_batcher_job_start ((ConcurBatcherJob *) ((char *) item
                                                  - G_STRUCT_OFFSET (ConcurBatcherJob, item)));
}

/* Takes over a reference. Here a full queue does not make us wait. */
static void
start_without_waiting (ConcurBatcherJob *batch)
{
  batch->item.func = start_item;
  concur_future_trampoline (&batch->item);
}

static void
leeway_over (ConcurTimer *timer)
{
  ConcurBatcherJob *batch = (ConcurBatcherJob *) ((char *) timer
                                                  - G_STRUCT_OFFSET (ConcurBatcherJob, timer));

  if (core_close (batch->core, batch))
    start_without_waiting (batch);
  g_object_unref (batch);
}

/* Takes over a reference. */
static void
core_start_timer (ConcurBatcherCore *self,
                  ConcurBatcherJob  *batch)
{
  gint64 due = concur_deadline (self->leeway);
  gboolean open;

  /* The timer's; it may be gone by the time this one has been started. */
  g_object_ref (batch);
  if (concur_timer_start (&batch->timer, due >= 0 ? due : G_MAXINT64, leeway_over, NULL))
    {
      /* Who started the batch meanwhile may have found no timer to stop. */
      concur_lock_acquire (&self->lock);
      open = self->open == batch;
      concur_lock_release (&self->lock);

      if (!open)
        batch_stop_timer (batch);
    }
  else
    {
      g_object_unref (batch);
      /* Without time there is no waiting for others. */
      if (core_close (self, batch))
        concur_batcher_job_start (batch);
    }

  g_object_unref (batch);
}

static void
call_join_locked (ConcurBatcherCall *self,
                  ConcurBatcherJob  *batch)
{
  self->batch = batch;
  self->index = batch->calls->len;
  concur_atomic_add (&self->users, 1, CONCUR_RELAXED);
  g_ptr_array_add (batch->calls, self);
  batch->n_wanted++;
}

static void
core_join (ConcurBatcherCore *self,
           ConcurBatcherCall *call)
{
  ConcurBatcherJob *fresh = NULL, *opened = NULL, *full = NULL;
  GPtrArray *swept = NULL;

  concur_lock_acquire (&self->lock);
  if (self->open == NULL)
    {
      concur_lock_release (&self->lock);
      fresh = concur_batcher_job_new (self);
      concur_lock_acquire (&self->lock);
    }

  /* Unless its cancellable was cancelled by now. */
  if (!call->out)
    {
      if (self->open == NULL)
        opened = self->open = g_steal_pointer (&fresh);

      call_join_locked (call, self->open);
      if (self->open->n_wanted == self->max_count)
        swept = concur_batcher_job_sweep_locked (self->open);
      if (self->open->n_wanted == self->max_count)
        full = g_steal_pointer (&self->open);
      else if (opened != NULL)
        g_object_ref (opened);
    }
  concur_lock_release (&self->lock);

  g_clear_object (&fresh);
  concur_batcher_swept (swept);
  if (full != NULL)
    {
      if (opened == NULL)
        batch_stop_timer (full);
      concur_batcher_job_start (full);
    }
  else if (opened != NULL)
    {
      core_start_timer (self, opened);
    }
}

void
concur_batcher_call_over (ConcurFuture *future)
{
  ConcurBatcherCall *self = (ConcurBatcherCall *) future;
  ConcurBatcherCore *core = self->core;
  ConcurBatcherJob *batch, *unused = NULL, *unwanted = NULL;
  gboolean leaves = FALSE;

  /* Somebody who is not there may have the lock. */
  if (concur_is_forked ())
    {
      concur_batcher_call_unuse (self);
      return;
    }

  concur_lock_acquire (&core->lock);
  self->out = TRUE;
  batch = g_steal_pointer (&self->batch);
  if (batch != NULL)
    {
      batch->n_wanted--;
      if (!batch->begun)
        {
          leaves = TRUE;
          batch->calls->pdata[self->index] = NULL;
        }
      if (batch->n_wanted == 0 && core->open == batch)
        unused = g_steal_pointer (&core->open);
      else if (batch->n_wanted == 0 && (!batch->begun || batch->n_unanswered > 0))
        unwanted = g_object_ref (batch);
    }
  concur_lock_release (&core->lock);

  if (unused != NULL)
    {
      batch_stop_timer (unused);
      g_object_unref (unused);
    }
  if (unwanted != NULL)
    {
      concur_future_cancel (CONCUR_FUTURE (unwanted), CONCUR_CANCEL_NONE);
      g_object_unref (unwanted);
    }
  if (leaves)
    concur_batcher_call_unuse (self);
  concur_batcher_call_unuse (self);
}

ConcurFuture *
concur_batcher_core_call (ConcurBatcherCore *self,
                          const GValue      *argument,
                          GCancellable      *cancellable)
{
  ConcurContextQueue *queue = concur_context_queue_of (self->executor);
  GMainContext *context = queue != NULL ? concur_context_queue_get_context (queue) : NULL;
  ConcurHome *home = concur_home_hold_current ();
  ConcurBatcherCall *call = g_object_new (concur_batcher_call_get_type (), NULL);
  ConcurJob *job = CONCUR_JOB (call);

  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);
  call->core = self;
  call->home = concur_home_hold (home);
  concur_channel_copy_value (argument, &call->argument);
  concur_atomic_init (&call->users, 1);
  g_object_ref (call);
  concur_atomic_init (&concur_future_private (job)->state,
                      CONCUR_PHASE_OPEN | CONCUR_STATE_SUBMITTED | CONCUR_STATE_BATCHED);

  /* A wait for it on that context's own thread can be refused. */
  if (context != NULL)
    concur_job_bind (job, context);

  if (concur_executor_begin_submit (job, home, cancellable))
    core_join (self, call);

  return CONCUR_FUTURE (call);
}

void
concur_batcher_core_flush (ConcurBatcherCore *self,
                           gboolean           here)
{
  ConcurBatcherJob *batch;

  concur_lock_acquire (&self->lock);
  batch = g_steal_pointer (&self->open);
  concur_lock_release (&self->lock);

  if (batch == NULL)
    return;

  batch_stop_timer (batch);
  if (here)
    concur_batcher_job_start (batch);
  else
    start_without_waiting (batch);
}
