/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The tasks of a loop thread: functions that each run starts as jobs on the loop, and
 * that its stop cancels. A task outlives its runs; each run makes a job of it. */

#include "config.h"

#include "concur-loop-private.h"

#include "concur-executor.h"

struct _ConcurLoopTask
{
  ConcurHomeItem item;

  /* atomic */
  ConcurWord refs; /* the list, and each start of it */

  /* immutable */
  guint id;
  ConcurJobFunc func;
  gpointer data;
  GDestroyNotify destroy;
  ConcurHome *home; /* held: where it was added */

  /* protected by ConcurLoop::lock */
  ConcurLoopTask *next;
  guint run;            /* the last that started it */
  ConcurFuture *future; /* (owned) (nullable) its job, until done */
  gboolean removed;
};

static ConcurLoopTask *
task_ref (ConcurLoopTask *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

static void
task_arrived (ConcurHomeItem *item,
              gboolean        here)
{
  ConcurLoopTask *self = (ConcurLoopTask *) item;

  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self);
}

static void
task_unref (gpointer data)
{
  ConcurLoopTask *self = data;

  /* Release what this thread did with it, acquire what the others did. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) > 1)
    return;

  if (self->destroy == NULL || concur_home_is_here (self->home))
    {
      ConcurHome *home = self->home;

      task_arrived (&self->item, TRUE);
      concur_home_drop (home);
      return;
    }

  self->item.func = task_arrived;
  concur_home_release (self->home, &self->item);
}

/* One start of it; the next may come before the news of this one's end. Counted: by the
 * job and by its callback. */
typedef struct
{
  ConcurLoopTask *task; /* (owned) */
  ConcurWord ran;       /* atomic: the job got as far as the function */
} TaskRun;

static void
task_run_clear (gpointer data)
{
  task_unref (((TaskRun *) data)->task);
}

static void
task_run_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, task_run_clear);
}

static gboolean
task_job (ConcurJob  *job,
          gpointer    data,
          GError    **error)
{
  TaskRun *run = data;

  /* Relaxed: read after the job is done, which comes later. */
  concur_atomic_store (&run->ran, 1, CONCUR_RELAXED);

  return run->task->func (job, run->task->data, error);
}

/* What the callback of a job knows: the loop is there as long as its jobs are. */
typedef struct
{
  ConcurLoop *loop; /* (owned) */
  TaskRun *run;     /* (owned) */
} TaskEnd;

static void
task_end_free (gpointer data)
{
  TaskEnd *end = data;

  task_run_unref (end->run);
  concur_loop_unref (end->loop);
  g_free (end);
}

static void
task_done (ConcurFuture *future,
           gpointer      data)
{
  TaskEnd *end = data;
  ConcurLoopTask *self = end->run->task;
  ConcurFuture *ended = NULL;

  concur_lock_acquire (&end->loop->lock);
  if (self->future == future)
    ended = g_steal_pointer (&self->future);
  concur_lock_release (&end->loop->lock);

  /* A task that was refused because the loop stops at this moment has not failed. */
  if (concur_future_get_state (future) == CONCUR_FUTURE_STATE_REJECTED
      && concur_atomic_load (&end->run->ran, CONCUR_RELAXED))
    {
      const GError *error = concur_future_get_error (future);

      g_warning ("%s: task %u failed: %s", end->loop->name, self->id, error->message);
    }
  g_clear_object (&ended);
}

/* Starts it in @run, unless somebody did. */
static void
task_start (ConcurLoop     *loop,
            ConcurLoopTask *self,
            guint           run)
{
  g_autoptr (ConcurFuture) future = NULL;
  ConcurFuture *old = NULL;
  gboolean start, unwanted;
  TaskRun *task_run;
  TaskEnd *end;
  guint now;

  concur_lock_acquire (&loop->lock);
  /* Not once more for a run that is over by now. */
  start = self->run < run && !self->removed;
  if (start)
    self->run = run;
  concur_lock_release (&loop->lock);
  if (!start)
    return;

  task_run = g_atomic_rc_box_new0 (TaskRun);
  task_run->task = task_ref (self);
  concur_atomic_init (&task_run->ran, 0);
  future = concur_executor_submit (CONCUR_EXECUTOR (loop->owner), task_job,
                                   g_atomic_rc_box_acquire (task_run), task_run_unref, NULL);

  concur_lock_acquire (&loop->lock);
  /* Another run may have begun, whose job is the one that a stop has to find. */
  unwanted = self->removed || self->run != run;
  if (self->run == run)
    {
      old = self->future;
      self->future = g_object_ref (future);
    }
  concur_lock_release (&loop->lock);
  g_clear_object (&old);

  end = g_new (TaskEnd, 1);
  end->loop = concur_loop_ref (loop);
  end->run = task_run;
  concur_future_add_direct_callback (future, task_done, end, task_end_free);

  /* A stop that began before the future stood there did not find it. */
  if (unwanted || !concur_loop_life_is_running (&loop->life, &now) || now != run)
    concur_future_cancel (future, CONCUR_CANCEL_NONE);
}

guint
concur_loop_add_task (ConcurLoop     *self,
                      ConcurJobFunc   func,
                      gpointer        user_data,
                      GDestroyNotify  destroy)
{
  ConcurLoopTask *task = g_new0 (ConcurLoopTask, 1);
  ConcurLoopTask **end;
  guint id, run;

  concur_atomic_init (&task->refs, 2);
  task->func = func;
  task->data = user_data;
  task->destroy = destroy;
  task->home = concur_home_hold_current ();

  concur_lock_acquire (&self->lock);
  id = task->id = ++self->last_task;
  for (end = &self->tasks; *end != NULL; end = &(*end)->next)
    ;
  *end = task;
  concur_lock_release (&self->lock);

  /* If the loop begins to run at this moment it may start the task too. */
  if (concur_loop_life_is_running (&self->life, &run))
    task_start (self, task, run);
  task_unref (task);

  return id;
}

gboolean
concur_loop_remove_task (ConcurLoop *self,
                         guint       id)
{
  ConcurLoopTask **link, *task;
  g_autoptr (ConcurFuture) future = NULL;

  concur_lock_acquire (&self->lock);
  for (link = &self->tasks; (task = *link) != NULL && task->id != id; link = &task->next)
    ;
  if (task != NULL)
    {
      *link = task->next;
      task->removed = TRUE;
      if (task->future != NULL)
        future = g_object_ref (task->future);
    }
  concur_lock_release (&self->lock);

  if (task == NULL)
    return FALSE;

  if (future != NULL)
    concur_future_cancel (future, CONCUR_CANCEL_NONE);
  task_unref (task);

  return TRUE;
}

/* References to all, so that each can be dealt with without the lock. */
static GPtrArray *
dup_tasks (ConcurLoop *self)
{
  GPtrArray *tasks = g_ptr_array_new_with_free_func (task_unref);
  ConcurLoopTask *task;

  concur_lock_acquire (&self->lock);
  for (task = self->tasks; task != NULL; task = task->next)
    g_ptr_array_add (tasks, task_ref (task));
  concur_lock_release (&self->lock);

  return tasks;
}

void
concur_loop_start_tasks (ConcurLoop *self)
{
  g_autoptr (GPtrArray) tasks = dup_tasks (self);
  guint i, run;

  if (!concur_loop_life_is_running (&self->life, &run))
    return;

  for (i = 0; i < tasks->len; i++)
    task_start (self, tasks->pdata[i], run);
}

void
concur_loop_cancel_tasks (ConcurLoop *self)
{
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  ConcurLoopTask *task;
  guint i;

  concur_lock_acquire (&self->lock);
  for (task = self->tasks; task != NULL; task = task->next)
    {
      if (task->future != NULL)
        g_ptr_array_add (futures, g_object_ref (task->future));
    }
  concur_lock_release (&self->lock);

  for (i = 0; i < futures->len; i++)
    concur_future_cancel (futures->pdata[i], CONCUR_CANCEL_NONE);
}

void
concur_loop_free_tasks (ConcurLoop *self)
{
  ConcurLoopTask *task;

  while ((task = self->tasks) != NULL)
    {
      self->tasks = task->next;
      task_unref (task);
    }
}
