/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "concur-loop-private.h"

#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-thread-executor-private.h"
#include "concur-worker-private.h"

/* Of jobs and posts among the sources of the context: as a callback of GIO has it. */
#define QUEUE_PRIORITY G_PRIORITY_DEFAULT

/* After the end, so many times the context is looked at for what is ready, such as
 * callbacks of jobs that ended last. A bound, because there are sources that always are. */
#define LAST_LOOKS 64

typedef struct
{
  GSource source;
  ConcurLoop *loop; /* not counted: it destroys the source */
} BellSource;

static gboolean loop_bell_rang (GSource *source, GSourceFunc func, gpointer data);

static GSourceFuncs bell_funcs = {
  .dispatch = loop_bell_rang,
};

static _Thread_local ConcurLoop *current_loop;

/* Between a turn and the next there is nothing else of ours in a context that only has
 * sources of somebody else. */
static gint
loop_poll (GPollFD *fds,
           guint    n_fds,
           gint     timeout)
{
  gint n_ready = g_poll (fds, n_fds, timeout);

  concur_gate ();

  return n_ready;
}

ConcurLoop *
concur_loop_new (ConcurLoopThread *owner)
{
  ConcurLoop *self = g_atomic_rc_box_new0 (ConcurLoop);

  concur_loop_life_init (&self->life);
  concur_lock_init (&self->lock);
  self->owner = owner;
  self->context = g_main_context_new ();
  g_main_context_set_poll_func (self->context, loop_poll);
  self->queue = concur_context_queue_new (self->context, QUEUE_PRIORITY);
  self->home = concur_home_hold_current ();

  self->bell = g_source_new (&bell_funcs, sizeof (BellSource));
  ((BellSource *) self->bell)->loop = self;
  g_source_set_static_name (self->bell, "concur-loop-bell");
  g_source_set_priority (self->bell, G_PRIORITY_HIGH);
  g_source_attach (self->bell, self->context);

  return self;
}

ConcurLoop *
concur_loop_ref (ConcurLoop *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
loop_clear (gpointer data)
{
  ConcurLoop *self = data;
  GThread *thread = concur_loop_life_clear (&self->life);

  /* By its last steps the thread may be the one that is here. */
  if (thread != NULL)
    g_thread_unref (thread);
  g_clear_object (&self->pool);
  concur_loop_free_tasks (self);
  concur_context_queue_unref (self->queue);
  g_source_destroy (self->bell);
  g_source_unref (self->bell);
  g_main_context_unref (self->context);
  concur_home_drop (self->home);
  concur_lock_clear (&self->lock);
  g_free (self->name);
}

void
concur_loop_unref (ConcurLoop *self)
{
  g_atomic_rc_box_release_full (self, loop_clear);
}

static void
owner_arrived (ConcurHomeItem *item,
               gboolean        here)
{
  ConcurLoop *self = (ConcurLoop *) ((char *) item - G_STRUCT_OFFSET (ConcurLoop, owner_item));
  ConcurHome *home = g_steal_pointer (&self->owner_home);

  g_object_unref (self->owner);
  concur_home_drop (home);
}

/* g_object_unref () goes on with the object after dispose () has brought it back to life. So
 * it is not let go on another thread than that, which has to come back from there first. */
static void
loop_let_owner_go (ConcurLoop *self)
{
  if (self->owner_home == NULL)
    {
      g_object_unref (self->owner);
      return;
    }

  self->owner_item.func = owner_arrived;
  concur_home_release (concur_home_hold (self->owner_home), &self->owner_item);
}

gboolean
concur_loop_owner_goes (ConcurLoop *self)
{
  ConcurLoopOwner goes;

  /* Both before the thread can let it go. Its own thread is past dispose () by then. */
  g_object_ref (self->owner);
  if (self->owner_home == NULL && !concur_loop_is_current (self))
    self->owner_home = concur_home_hold_current ();

  goes = concur_loop_life_owner_goes (&self->life);
  if (goes == CONCUR_LOOP_OWNER_KEPT)
    {
      concur_loop_begin_stop (self, CONCUR_SHUTDOWN_DRAIN, NULL, NULL);
      return TRUE;
    }

  g_object_unref (self->owner);
  if (goes == CONCUR_LOOP_OWNER_FREE)
    g_clear_pointer (&self->owner_home, concur_home_drop);

  return goes != CONCUR_LOOP_OWNER_FREE;
}

gboolean
concur_loop_is_current (ConcurLoop *self)
{
  return current_loop == self;
}

ConcurThreadExecutor *
concur_loop_dup_pool (ConcurLoop *self)
{
  ConcurThreadExecutor *pool;

  concur_lock_acquire (&self->lock);
  pool = self->pool != NULL ? g_object_ref (self->pool) : NULL;
  concur_lock_release (&self->lock);

  return pool;
}

gboolean
concur_loop_is_inside (ConcurLoop *self)
{
  g_autoptr (ConcurThreadExecutor) pool = NULL;

  if (concur_loop_is_current (self))
    return TRUE;
  if (concur_worker_get_current () == NULL)
    return FALSE;

  /* The end waits for the jobs of the loop's own pool. */
  pool = concur_loop_dup_pool (self);

  return pool != NULL && concur_thread_executor_is_current (pool);
}

ConcurLoopState
concur_loop_get_state (ConcurLoop *self)
{
  return concur_is_forked () ? CONCUR_LOOP_STATE_STOPPED : concur_loop_life_get_state (&self->life);
}

void
concur_loop_set_refused (ConcurLoop  *self,
                         GError     **error)
{
  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return;
    }

  switch (concur_loop_life_get_state (&self->life))
    {
    case CONCUR_LOOP_STATE_STARTING:
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                   "%s is starting: it takes work when start has returned", self->name);
      break;
    case CONCUR_LOOP_STATE_STOPPING:
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN,
                   "%s is stopping and takes no more work: wait for its end and start it again",
                   self->name);
      break;
    case CONCUR_LOOP_STATE_STOPPED:
    case CONCUR_LOOP_STATE_RUNNING: /* by now */
    default:
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                   "%s is stopped: start it first", self->name);
    }
}

struct _ConcurLoopNotice
{
  ConcurHomeItem item;
  ConcurHome *home;        /* held until posted */
  ConcurLoopThread *owner; /* (owned) */
  ConcurLoopState state;
};

static void
notice_arrived (ConcurHomeItem *item,
                gboolean        here)
{
  ConcurLoopNotice *notice = (ConcurLoopNotice *) item;

  if (here)
    concur_loop_thread_tell (notice->owner, notice->state);
  g_object_unref (notice->owner);
  g_free (notice);
}

ConcurLoopNotice *
concur_loop_notice_new (ConcurLoop      *self,
                        ConcurLoopState  state)
{
  ConcurLoopNotice *notice;

  /* While nobody listens, nothing keeps the object alive until that context runs. */
  if (!concur_home_has_loop (self->home) || !concur_loop_thread_has_listeners (self->owner, state))
    return NULL;

  notice = g_new0 (ConcurLoopNotice, 1);
  notice->item.func = notice_arrived;
  notice->home = concur_home_hold (self->home);
  notice->owner = g_object_ref (self->owner);
  notice->state = state;

  return notice;
}

void
concur_loop_notice_post (ConcurLoopNotice *notice)
{
  if (notice != NULL)
    concur_home_post (notice->home, &notice->item);
}

static void
loop_tell (ConcurLoop      *self,
           ConcurLoopState  state)
{
  concur_loop_notice_post (concur_loop_notice_new (self, state));
}

/* On the loop's thread, from inside run_loop (), unless that has returned. */
static void
loop_quit (ConcurLoop *self)
{
  concur_loop_life_drained (&self->life);
  if (!self->returned)
    CONCUR_LOOP_THREAD_GET_CLASS (self->owner)->quit_loop (self->owner);
}

static void
loop_part_drained (ConcurFuture *future,
                   gpointer      data)
{
  ConcurLoop *self = data;

  if (--self->n_draining > 0)
    return;

  self->drained = TRUE;
  loop_quit (self);
}

static void
loop_drain_part (ConcurLoop   *self,
                 ConcurFuture *end,
                 gboolean      count)
{
  if (count)
    {
      self->n_draining++;
      concur_future_when_done (end, loop_part_drained, concur_loop_ref (self),
                               (GDestroyNotify) concur_loop_unref, self->context);
    }
  concur_future_ignore (end);
  g_object_unref (end);
}

/* On the loop's thread, once or more often for each stop. */
static void
loop_drain (ConcurLoop *self)
{
  g_autoptr (ConcurThreadExecutor) pool = NULL;
  ConcurShutdownMode mode = concur_loop_life_get_mode (&self->life);
  gboolean first = !self->draining;

  if (concur_loop_life_get_state (&self->life) != CONCUR_LOOP_STATE_STOPPING || self->drained
      || (!first && mode <= self->mode))
    return;

  if (first)
    loop_tell (self, CONCUR_LOOP_STATE_STOPPING);
  self->draining = TRUE;
  self->mode = mode;
  self->queue_closed = TRUE;

  /* No work comes in any more; the pool's jobs that wait for an answer from here get it. */
  loop_drain_part (self, concur_context_queue_shutdown (self->queue, mode), first);
  concur_loop_cancel_tasks (self);
  pool = concur_loop_dup_pool (self);
  if (pool != NULL)
    loop_drain_part (self, concur_executor_shutdown (CONCUR_EXECUTOR (pool), mode), first);
}

/* The first that the loop dispatches. */
static void
loop_began (ConcurLoop *self)
{
  self->begun = TRUE;

  /* Before anybody sees that it runs. */
  if (self->queue_closed)
    {
      self->queue_closed = FALSE;
      concur_context_queue_reopen (self->queue);
    }

  if (concur_loop_life_began (&self->life))
    {
      loop_tell (self, CONCUR_LOOP_STATE_RUNNING);
      concur_loop_start_tasks (self);
    }
  else
    {
      /* Closes the queue again. */
      loop_drain (self);
    }
}

/* There is a message for the loop's thread, and the state says what it is. One that comes
 * when a run has ended is found, and not minded, by the next. */
static gboolean
loop_bell_rang (GSource     *source,
                GSourceFunc  func,
                gpointer     data)
{
  ConcurLoop *self = ((BellSource *) source)->loop;

  g_source_set_ready_time (source, -1);
  if (self->begun)
    loop_drain (self);
  else
    loop_began (self);

  return G_SOURCE_CONTINUE;
}

/* Wakes the loop; from any thread. */
static void
loop_ring (ConcurLoop *self)
{
  g_source_set_ready_time (self->bell, 0);
}

/* What run_loop () left undone, if it was not us who made it return. */
static void
loop_finish (ConcurLoop *self)
{
  guint looks;

  self->returned = TRUE;
  concur_loop_life_stop (&self->life, CONCUR_SHUTDOWN_DRAIN, NULL, NULL);
  if (self->begun)
    {
      loop_drain (self);
      while (!self->drained)
        g_main_context_iteration (self->context, TRUE);
    }
  /* What rings for a loop that never ran is for nobody. */
  g_source_set_ready_time (self->bell, -1);

  for (looks = 0; looks < LAST_LOOKS && g_main_context_iteration (self->context, FALSE); looks++)
    ;
  concur_release_pending ();
}

static gpointer
loop_thread (gpointer data)
{
  ConcurLoop *self = data;
  ConcurLoopThread *owner = self->owner;
  ConcurLoopNotice *notice;
  ConcurFuture *ended;
  gboolean owner_gone;

  concur_thread_is_own = TRUE;
  current_loop = self;
  g_main_context_push_thread_default (self->context);

  self->begun = self->returned = self->draining = self->drained = FALSE;
  self->n_draining = 0;
  loop_ring (self);

  /* A stop that came first spares it. */
  concur_gate ();
  if (concur_loop_life_get_state (&self->life) == CONCUR_LOOP_STATE_STARTING)
    CONCUR_LOOP_THREAD_GET_CLASS (owner)->run_loop (owner);
  loop_finish (self);

  /* While there certainly is an owner. */
  notice = concur_loop_notice_new (self, CONCUR_LOOP_STATE_STOPPED);
  g_main_context_pop_thread_default (self->context);
  current_loop = NULL;

  owner_gone = concur_loop_life_ended (&self->life, &ended);
  /* The owner is gone now, unless it waits for us to let it go. */
  concur_loop_notice_post (notice);
  concur_future_answer_boolean (ended, TRUE);
  g_object_unref (ended);
  if (owner_gone)
    loop_let_owner_go (self);
  concur_loop_unref (self);

  return NULL;
}

static gboolean
loop_make_thread (ConcurLoop  *self,
                  GError     **error)
{
  GError *thread_error = NULL;
  GThread *thread;
  ConcurFuture *ended;
  gboolean owner_gone;

  loop_tell (self, CONCUR_LOOP_STATE_STARTING);
  concur_fork_watch ();

  thread = g_thread_try_new (self->name, loop_thread, concur_loop_ref (self), &thread_error);
  if (thread != NULL)
    {
      concur_loop_life_has_thread (&self->life, thread);
      return TRUE;
    }

  concur_loop_unref (self);
  owner_gone = concur_loop_life_no_thread (&self->life, &ended);
  loop_tell (self, CONCUR_LOOP_STATE_STOPPED);
  concur_future_answer_boolean (ended, TRUE);
  g_object_unref (ended);
  g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED,
               "The thread of %s could not be started (%s): end others, or raise their limit",
               self->name, thread_error->message);
  g_error_free (thread_error);
  if (owner_gone)
    loop_let_owner_go (self);

  return FALSE;
}

static void
loop_join (ConcurLoop *self,
           GThread    *thread)
{
  g_thread_join (thread);
  concur_loop_life_joined (&self->life);
}

gboolean
concur_loop_start (ConcurLoop  *self,
                   GError     **error)
{
  gboolean inside = concur_loop_is_inside (self);
  ConcurFuture *ended;
  ConcurLoopStart start;
  gpointer old_thread;
  guint run;

  if (concur_has_stopped ())
    {
      concur_set_stopped_error (error);
      return FALSE;
    }
  if (concur_loop_life_get_state (&self->life) == CONCUR_LOOP_STATE_RUNNING)
    return TRUE;

  ended = concur_plain_future_new ();
  while ((start = concur_loop_life_start (&self->life, inside, ended, &run, &old_thread))
         == CONCUR_LOOP_START_JOIN)
    loop_join (self, old_thread);
  if (start != CONCUR_LOOP_START_BEGIN)
    g_object_unref (ended);

  if (start == CONCUR_LOOP_START_RUNNING)
    return TRUE;
  if (start == CONCUR_LOOP_START_DEADLOCK)
    {
      g_set_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK,
                   "%s is not running, and cannot be started from one of its own threads: "
                   "start it from another one",
                   self->name);
      return FALSE;
    }
  if (start == CONCUR_LOOP_START_BEGIN && !loop_make_thread (self, error))
    return FALSE;

  switch (concur_loop_life_wait_started (&self->life, run))
    {
    case CONCUR_LOOP_STARTED:
      return TRUE;
    case CONCUR_LOOP_NO_THREAD:
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED,
                   "The thread of %s could not be started", self->name);
      return FALSE;
    case CONCUR_LOOP_NOT_STARTED:
    default:
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                   "%s was stopped while it was starting", self->name);
      return FALSE;
    }
}

void
concur_loop_begin_stop (ConcurLoop          *self,
                        ConcurShutdownMode   mode,
                        ConcurFuture       **ended,
                        guint               *run)
{
  ConcurLoopStop stop = concur_loop_life_stop (&self->life, mode, ended, run);

  /* A loop that was only starting finds out by itself. */
  if (stop == CONCUR_LOOP_STOP_DRAIN || stop == CONCUR_LOOP_STOP_STRENGTHEN)
    loop_ring (self);
}

void
concur_loop_reap (ConcurLoop *self,
                  guint       run)
{
  GThread *thread = concur_loop_life_reap (&self->life, run);

  if (thread != NULL)
    loop_join (self, thread);
}

gboolean
concur_loop_wait_end (ConcurLoop   *self,
                      ConcurFuture *ended,
                      guint         run,
                      gint64        timeout_us)
{
  if (ended != NULL && !concur_future_wait (ended, timeout_us))
    return FALSE;

  concur_loop_reap (self, run);
  /* As any wait does, also where there was nothing to wait for any more. */
  concur_home_serve (G_MAXUINT);

  return TRUE;
}

/* The pool of a run that is over stays, shut down, until the next one is asked for. */
ConcurThreadExecutor *
concur_loop_get_pool (ConcurLoop *self)
{
  ConcurThreadExecutor *pool, *old = NULL, *fresh;
  g_autofree char *name = NULL;
  gboolean running;
  guint run;

  running = concur_loop_life_is_running (&self->life, &run);
  concur_lock_acquire (&self->lock);
  pool = self->pool_run == run || !running ? self->pool : NULL;
  concur_lock_release (&self->lock);
  if (pool != NULL)
    return pool;

  name = g_strconcat (self->name, "-pool", NULL);
  fresh = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "name", name, "max-threads", self->max_workers,
                        NULL);
  if (!running)
    g_object_unref (concur_executor_shutdown (CONCUR_EXECUTOR (fresh), CONCUR_SHUTDOWN_DRAIN));

  concur_lock_acquire (&self->lock);
  if (self->pool == NULL || self->pool_run < run)
    {
      old = self->pool;
      self->pool = g_steal_pointer (&fresh);
      /* One that was made too late is of no run. */
      self->pool_run = running ? run : 0;
    }
  pool = self->pool;
  concur_lock_release (&self->lock);

  g_clear_object (&old);
  g_clear_object (&fresh);

  /* A stop that began before it stood there did not find it. */
  if (running && concur_loop_life_get_state (&self->life) != CONCUR_LOOP_STATE_RUNNING)
    g_object_unref (concur_executor_shutdown (CONCUR_EXECUTOR (pool), CONCUR_SHUTDOWN_DRAIN));

  return pool;
}
