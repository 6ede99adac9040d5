/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-error.h"
#include "concur-exit-private.h"
#include "concur-process-pool-private.h"

/* A worker that does not start is tried again, after a pause that doubles: what it needs may
 * be on its way, and a crash in a loop is not to take the machine. Once that was in vain,
 * calls fail after one attempt, until one succeeds: there may be thousands of them. */
#define START_ATTEMPTS 4
#define FIRST_PAUSE_US (50 * G_TIME_SPAN_MILLISECOND)

/* How long an answer shows that a worker is there. */
#define TRUST_US G_TIME_SPAN_MILLISECOND

G_DEFINE_FINAL_TYPE (ConcurProcessPool, concur_process_pool, CONCUR_TYPE_THREAD_EXECUTOR)

/* Of a thread of a pool. */
static _Thread_local ConcurProcessChild *thread_child;

static void
pool_remove_pid (ConcurProcessPool  *self,
                 ConcurProcessChild *child)
{
  concur_lock_acquire (&self->lock);
  g_queue_remove (&self->pids, GINT_TO_POINTER (child->pid));
  concur_lock_release (&self->lock);
}

static void
pool_drop (ConcurProcessPool  *self,
           ConcurProcessChild *child)
{
  pool_remove_pid (self, child);
  concur_process_child_end (child);
}

/* Whether there is a function that runs the jobs, and it did. */
static gboolean
pool_run_by_func (ConcurProcessPool *self)
{
  ConcurProcessThreadFunc func;

  concur_lock_acquire (&self->lock);
  func = self->thread_func;
  concur_lock_release (&self->lock);

  if (func == NULL)
    return FALSE;
  func (CONCUR_THREAD_EXECUTOR (self), self->thread_data);

  return TRUE;
}

static void
concur_process_pool_thread_main (ConcurThreadExecutor *executor)
{
  ConcurProcessPool *self = CONCUR_PROCESS_POOL (executor);
  ConcurProcessChild *child;
  gboolean kept = FALSE;

  /* A thread that starts a warm worker may be earlier than the function. */
  while (!pool_run_by_func (self) && concur_thread_executor_run_next (executor))
    ;

  child = thread_child;
  thread_child = NULL;
  if (child == NULL)
    return;

  concur_lock_acquire (&self->lock);
  if (!self->ends && self->pids.length <= self->settings.min_workers)
    {
      g_queue_push_head (&self->warm, child);
      kept = TRUE;
    }
  concur_lock_release (&self->lock);

  if (!kept)
    pool_drop (self, child);
}

/* Those that nobody will need, and what they look at until they have ended. */
typedef struct
{
  ConcurProcessPool *pool;       /* (owned) */
  GQueue children;
} Ending;

static gpointer
end_all (gpointer data)
{
  Ending *ending = data;
  ConcurProcessChild *child;

  while ((child = g_queue_pop_head (&ending->children)) != NULL)
    concur_process_child_end (child);
  g_object_unref (ending->pool);
  g_free (ending);

  return NULL;
}

/* It may take a while, and the caller may be one that draws windows, or has an answer. */
static void
pool_end_later (ConcurProcessPool *self,
                GQueue            *children)
{
  Ending *ending;
  GThread *thread;

  if (children->length == 0)
    return;

  ending = g_new (Ending, 1);
  ending->pool = g_object_ref (self);
  ending->children = *children;
  thread = g_thread_try_new ("concur-reaper", end_all, ending, NULL);
  if (thread != NULL)
    g_thread_unref (thread);
  else
    end_all (ending);
}

static void
pool_retire (ConcurProcessPool  *self,
             ConcurProcessChild *child)
{
  GQueue children = G_QUEUE_INIT;

  if (child->is_over)
    {
      pool_drop (self, child);
      return;
    }

  pool_remove_pid (self, child);
  g_queue_push_tail (&children, child);
  pool_end_later (self, &children);
}

void
concur_process_pool_end (ConcurProcessPool *self)
{
  GQueue children;

  /* They belong to the process this one was forked from. */
  if (concur_is_forked ())
    return;

  concur_lock_acquire (&self->lock);
  self->ends = TRUE;
  children = self->warm;
  g_queue_init (&self->warm);
  for (GList *link = children.head; link != NULL; link = link->next)
    g_queue_remove (&self->pids, GINT_TO_POINTER (((ConcurProcessChild *) link->data)->pid));
  concur_lock_release (&self->lock);

  pool_end_later (self, &children);
}

static void
concur_process_pool_finalize (GObject *object)
{
  ConcurProcessPool *self = CONCUR_PROCESS_POOL (object);

  if (self->thread_data_destroy != NULL)
    self->thread_data_destroy (self->thread_data);
  concur_process_settings_clear (&self->settings);
  g_queue_clear (&self->pids);
  concur_lock_clear (&self->lock);

  G_OBJECT_CLASS (concur_process_pool_parent_class)->finalize (object);
}

static void
concur_process_pool_class_init (ConcurProcessPoolClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_process_pool_finalize;
  CONCUR_THREAD_EXECUTOR_CLASS (klass)->thread_main = concur_process_pool_thread_main;
}

static void
concur_process_pool_init (ConcurProcessPool *self)
{
  concur_lock_init (&self->lock);
  g_queue_init (&self->warm);
  g_queue_init (&self->pids);
}

static void
wake (GCancellable *cancellable,
      gpointer      parker)
{
  concur_parker_unpark (parker);
}

/* FALSE: it was cancelled meanwhile. Needs no descriptor: there may be none left. */
static gboolean
pause_us (gint64         pause,
          GCancellable  *cancellable,
          GError       **error)
{
  ConcurParker parker;
  gulong id;

  concur_parker_init (&parker);
  id = cancellable == NULL
           ? 0
           : g_cancellable_connect (cancellable, G_CALLBACK (wake), &parker, NULL);
  concur_parker_park (&parker, concur_now () + pause);
  g_cancellable_disconnect (cancellable, id);

  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static gboolean
is_worth_another_try (const GError *error)
{
  return g_error_matches (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED)
         || g_error_matches (error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
}

static void
pool_add (ConcurProcessPool  *self,
          ConcurProcessChild *child)
{
  concur_lock_acquire (&self->lock);
  g_queue_push_tail (&self->pids, GINT_TO_POINTER (child->pid));
  self->cannot_start = FALSE;
  concur_lock_release (&self->lock);
}

static gboolean
pool_cannot_start (ConcurProcessPool *self)
{
  gboolean cannot_start;

  concur_lock_acquire (&self->lock);
  cannot_start = self->cannot_start;
  concur_lock_release (&self->lock);

  return cannot_start;
}

static ConcurProcessChild *
pool_start (ConcurProcessPool  *self,
            GCancellable       *cancellable,
            GError            **error)
{
  gint64 pause = FIRST_PAUSE_US;

  for (guint attempt = 1;; attempt++, pause *= 2)
    {
      GError *start_error = NULL;
      ConcurProcessChild *child = concur_process_child_start (&self->settings, cancellable,
                                                              &start_error);

      if (child != NULL)
        {
          pool_add (self, child);
          return child;
        }
      if (!is_worth_another_try (start_error))
        {
          g_propagate_error (error, start_error);
          return NULL;
        }
      if (attempt == START_ATTEMPTS || pool_cannot_start (self))
        {
          concur_lock_acquire (&self->lock);
          self->cannot_start = TRUE;
          concur_lock_release (&self->lock);
          g_propagate_error (error, start_error);
          return NULL;
        }
      g_error_free (start_error);
      if (!pause_us (pause, cancellable, error))
        return NULL;
    }
}

static gboolean
pool_has_too_many_locked (ConcurProcessPool *self)
{
  return self->pids.length > concur_thread_executor_get_max_threads (CONCUR_THREAD_EXECUTOR (self));
}

/* One thread may have started a worker to keep warm while another one, which could have had it,
 * started its own. */
static void
pool_drop_surplus (ConcurProcessPool *self)
{
  ConcurProcessChild *surplus = NULL;

  concur_lock_acquire (&self->lock);
  if (pool_has_too_many_locked (self))
    surplus = g_queue_pop_tail (&self->warm);
  concur_lock_release (&self->lock);

  if (surplus != NULL)
    pool_drop (self, surplus);
}

/* One that has just answered is not looked at again: if it has gone since, the call cannot be
 * sent, and goes to another one. One that is about to go may take the call with it, in either
 * case. */
static gboolean
is_there (ConcurProcessChild *child)
{
  return (concur_now () - child->last_seen < TRUST_US
          && concur_wire_reader_is_empty (child->reader))
         || concur_process_child_is_idle (child);
}

ConcurProcessChild *
concur_process_pool_take (ConcurProcessPool  *self,
                          ConcurJob          *job,
                          GError            **error)
{
  ConcurProcessChild *child = thread_child;

  while (child == NULL || !is_there (child))
    {
      if (child != NULL)
        pool_retire (self, child);

      concur_lock_acquire (&self->lock);
      child = g_queue_pop_head (&self->warm);
      concur_lock_release (&self->lock);
      if (child == NULL)
        {
          /* As it is: one that ends at once fails its call, and is not tried for ever. */
          child = pool_start (self, concur_job_get_cancellable (job), error);
          if (child != NULL)
            pool_drop_surplus (self);
          break;
        }
    }
  thread_child = child;

  return child;
}

void
concur_process_pool_give (ConcurProcessPool *self,
                          gboolean           keep)
{
  ConcurProcessChild *child = thread_child;
  guint max_calls = self->settings.max_calls;

  child->n_calls++;
  child->last_seen = concur_now ();
  if (keep && (max_calls == 0 || child->n_calls < max_calls))
    return;

  thread_child = NULL;
  pool_retire (self, child);
}

gboolean
concur_process_pool_warm (ConcurProcessPool  *self,
                          ConcurJob          *job,
                          GError            **error)
{
  ConcurProcessChild *child;
  gboolean kept;

  if (thread_child == NULL)
    return concur_process_pool_take (self, job, error) != NULL;

  child = pool_start (self, concur_job_get_cancellable (job), error);
  if (child == NULL)
    return FALSE;

  concur_lock_acquire (&self->lock);
  kept = !self->ends && !pool_has_too_many_locked (self);
  if (kept)
    g_queue_push_tail (&self->warm, child);
  concur_lock_release (&self->lock);
  if (!kept)
    pool_drop (self, child);

  return TRUE;
}

GArray *
concur_process_pool_dup_pids (ConcurProcessPool *self)
{
  GArray *pids = g_array_new (FALSE, FALSE, sizeof (gint64));

  if (concur_is_forked ())
    return pids;

  concur_lock_acquire (&self->lock);
  for (GList *link = self->pids.head; link != NULL; link = link->next)
    {
      gint64 pid = GPOINTER_TO_INT (link->data);

      g_array_append_val (pids, pid);
    }
  concur_lock_release (&self->lock);

  return pids;
}
