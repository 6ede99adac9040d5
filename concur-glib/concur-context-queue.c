/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A GSource that works off items, as a home's does. A job is an item by its own link, with
 * IN_QUEUE set, so that queuing it takes no memory and one that is cancelled meanwhile
 * goes home as a pool's does; a post is a small block.
 *
 * Life and death. One word counts who has a handle and what is unfinished, and says
 * whether the queue is closed: whoever adds to it learns whether he came too late, and
 * whoever takes the last away that nothing is left. Then the source is destroyed; the
 * source keeps the struct. A held job keeps the context, for it may end on any thread
 * after everybody else has forgotten the queue. If the context goes first it finalizes
 * the source, which answers for what lies there. */

#include "config.h"

#include "concur-context-queue-private.h"
#include "concur-error.h"
#include "concur-fork-private.h"
#include "concur-future-private.h"
#include "concur-home-stack-private.h"
#include "concur-job-private.h"
#include "concur-promise.h"

/* Items dealt with in one dispatch: as in a home, for the same reason. */
#define QUEUE_BUDGET 128

/* ConcurContextQueue.count: a flag, then two numbers. */
#define COUNT_CLOSED G_GUINT64_CONSTANT (1)
#define COUNT_HANDLE (G_GUINT64_CONSTANT (1) << 1)
#define COUNT_ITEM (G_GUINT64_CONSTANT (1) << 24)
#define COUNT_HANDLES(count) ((count) & (COUNT_ITEM - COUNT_HANDLE))
#define COUNT_ITEMS(count) ((count) / COUNT_ITEM)

typedef struct _RunningJob RunningJob;

/* On the stack of who runs it. They nest when a job runs the context. */
struct _RunningJob
{
  ConcurJob *job;
  RunningJob *outer;
};

struct _ConcurContextQueue
{
  /* atomic; together, because a post touches all of them */
  ConcurHomeStack items;            /* newest first; closed when the context is gone */
  _Atomic guint64 count;            /* see COUNT_ITEM */
  ConcurWord sleeping;              /* the context may be asleep: wake it */
  ConcurWord refs;                  /* the source, and what is in count as a whole */
  _Atomic (GMainContext *) context; /* NULL when it is gone */

  /* who owns the context */
  ConcurHomeList taken;             /* off the stack, oldest first */

  ConcurLock lock;

  /* protected by lock */
  RunningJob *running;              /* the innermost */
  ConcurHeld *held;
  ConcurPromise *ended;             /* (owned) once it was shut down */
  guint mode;                       /* 0: open, else 1 + ConcurShutdownMode */

  /* immutable while context is there */
  GSource *source;                  /* the context's */
};

struct _ConcurHeld
{
  /* immutable */
  ConcurContextQueue *queue;        /* which counts the job as unfinished */
  ConcurJob *job;                   /* not counted: it is not over while it is on the list */
  GMainContext *context;            /* (owned) */

  /* protected by the queue's lock */
  ConcurHeld *next;
  ConcurHeld *previous;
};

typedef struct
{
  ConcurHomeItem item;              /* without a function, which jobs have */
  ConcurPostFunc func;
  gpointer data;
  GDestroyNotify destroy;
} Post;

/* A job that is asked to stop, and then let go at home. */
typedef struct
{
  ConcurHomeItem item;
  ConcurFuture *future;             /* (owned) */
  ConcurHome *home;                 /* held, to let the future go there */
} Order;

typedef struct
{
  GSource source;
  ConcurContextQueue *queue;        /* owned */
} QueueSource;

static void
queue_struct_unref (ConcurContextQueue *self)
{
  /* Release what this thread did with it, acquire what the others did. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) == 1)
    {
      g_clear_object (&self->ended);
      concur_lock_clear (&self->lock);
      g_free (self);
    }
}

static void
queue_check_ended (ConcurContextQueue *self)
{
  ConcurPromise *ended = NULL;
  guint64 count;

  concur_lock_acquire (&self->lock);
  /* Acquire: what was done for the items happened before the end of them. */
  count = concur_atomic_load (&self->count, CONCUR_ACQUIRE);
  if (self->ended != NULL && (count & COUNT_CLOSED) && COUNT_ITEMS (count) == 0)
    ended = g_object_ref (self->ended);
  concur_lock_release (&self->lock);

  if (ended != NULL)
    {
      concur_promise_resolve (ended, NULL);
      g_object_unref (ended);
    }
}

/* @n items have had their turn. The caller is known to be alive otherwise, or does not
 * touch @self any more. */
static void
queue_finished (ConcurContextQueue *self,
                guint               n)
{
  guint64 count = concur_atomic_load (&self->count, CONCUR_RELAXED);
  guint64 wanted;
  gboolean last;

  /* The last item is exchanged for a handle, so that who brings the news of the end is
   * not overtaken by somebody who drops the last other handle. */
  do
    {
      wanted = count - n * COUNT_ITEM;
      last = COUNT_ITEMS (wanted) == 0 && ((wanted & COUNT_CLOSED) || COUNT_HANDLES (wanted) == 0);
      if (last)
        wanted += COUNT_HANDLE;
    }
  /* Release: pairs with the acquire of who finds nothing left. */
  while (!concur_atomic_cas (&self->count, &count, wanted, CONCUR_ACQ_REL));

  if (last)
    {
      queue_check_ended (self);
      concur_context_queue_unref (self);
    }
}

/* FALSE: closed. Otherwise an item more is unfinished. */
static gboolean
queue_reserve (ConcurContextQueue *self)
{
  /* Relaxed: all that counts is the order of changes of this one word. */
  if (G_LIKELY (!(concur_atomic_add (&self->count, COUNT_ITEM, CONCUR_RELAXED) & COUNT_CLOSED)))
    return TRUE;

  queue_finished (self, 1);

  return FALSE;
}

/* FALSE: the context is gone, and the item still the caller's. */
static gboolean
queue_push (ConcurContextQueue *self,
            ConcurHomeItem     *item)
{
  GMainContext *context = concur_atomic_load (&self->context, CONCUR_RELAXED);

  if (!concur_home_stack_push (&self->items, item))
    return FALSE;

  concur_home_stack_wake (&self->sleeping, context);

  return TRUE;
}

static gboolean
queue_has_items (gpointer data)
{
  ConcurContextQueue *self = data;

  return self->taken.first != NULL || concur_home_stack_has_items (&self->items);
}

static ConcurHomeItem *
queue_shift (ConcurContextQueue *self)
{
  if (self->taken.first == NULL && concur_home_stack_has_items (&self->items))
    concur_home_stack_take (&self->items, &self->taken, NULL);

  return concur_home_list_shift (&self->taken);
}

static void
post_finish (Post     *self,
             gboolean  here)
{
  concur_gate ();
  if (here)
    self->func (self->data);
  if (self->destroy != NULL)
    {
      concur_gate ();
      self->destroy (self->data);
    }
  g_slice_free (Post, self);
}

static gboolean
item_is_job (ConcurHomeItem *item)
{
  return item->func != NULL;
}

/* Only tells a job from a post: jobs need the queue as well. */
static void
item_of_job (ConcurHomeItem *item,
             gboolean        here)
{
  g_assert_not_reached ();
}

/* Takes over @error. Of a job that was claimed. */
static void
job_answer (ConcurJob *job,
            GError    *error)
{
  concur_future_answer_error (CONCUR_FUTURE (job), error);
  concur_future_run_ended (CONCUR_FUTURE (job));
}

static GError *
cancelled_error (void)
{
  return g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The executor was shut down");
}

static GError *
gone_error (void)
{
  return g_error_new_literal (CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                              "The main context is gone, and with it the executor");
}

/* Not to be run, for @error, which is taken over. The library's reference was the queue's. */
static void
job_refuse (ConcurJob *job,
            GError    *error)
{
  if (concur_future_claim (CONCUR_FUTURE (job), TRUE))
    {
      job_answer (job, error);
    }
  else
    {
      concur_job_left_queue (job);
      g_error_free (error);
    }
}

void
concur_held_is_over (ConcurHeld *self)
{
  ConcurContextQueue *queue = self->queue;

  concur_lock_acquire (&queue->lock);
  if (self->previous != NULL)
    self->previous->next = self->next;
  else
    queue->held = self->next;
  if (self->next != NULL)
    self->next->previous = self->previous;
  concur_lock_release (&queue->lock);
}

void
concur_held_has_gone (ConcurHeld *self)
{
  queue_finished (self->queue, 1);
  g_main_context_unref (self->context);
  g_slice_free (ConcurHeld, self);
}

static ConcurHeld *
held_new (ConcurContextQueue *queue,
          ConcurJob          *job)
{
  ConcurHeld *self = g_slice_new0 (ConcurHeld);

  self->queue = queue;
  self->job = job;
  self->context = g_main_context_ref (concur_atomic_load (&queue->context, CONCUR_RELAXED));

  concur_lock_acquire (&queue->lock);
  self->next = queue->held;
  if (self->next != NULL)
    self->next->previous = self;
  queue->held = self;
  concur_lock_release (&queue->lock);

  return self;
}

static void
queue_run_job (ConcurContextQueue *self,
               ConcurJob          *job)
{
  RunningJob running = { .job = job };
  ConcurHeld *held = NULL;
  gboolean cancelling;

  concur_gate ();
  if (!concur_future_claim (CONCUR_FUTURE (job), TRUE))
    {
      concur_job_left_queue (job);
      queue_finished (self, 1);
      return;
    }

  /* Either shutdown () finds it running, or it finds that it is not to run. */
  concur_lock_acquire (&self->lock);
  cancelling = self->mode > 1 + CONCUR_SHUTDOWN_DRAIN;
  if (!cancelling)
    {
      running.outer = self->running;
      self->running = &running;
    }
  concur_lock_release (&self->lock);

  if (cancelling)
    {
      job_answer (job, cancelled_error ());
      queue_finished (self, 1);
      return;
    }

  concur_job_call (job);

  /* Only its function may hold it, and until run_ended () it cannot be over. For a moment it
   * is on both lists: better than on none, for shutdown (). */
  if (concur_future_state (job) & CONCUR_STATE_HOLD)
    {
      held = held_new (self, job);
      concur_job_watch_held (job, held);
    }

  concur_lock_acquire (&self->lock);
  self->running = running.outer;
  concur_lock_release (&self->lock);

  concur_future_run_ended (CONCUR_FUTURE (job));
  if (held == NULL)
    queue_finished (self, 1);
}

static gboolean
source_prepare (GSource *source,
                gint    *timeout)
{
  ConcurContextQueue *self = ((QueueSource *) source)->queue;

  *timeout = -1;

  return concur_home_stack_prepare (&self->sleeping, queue_has_items, self);
}

static gboolean
source_check (GSource *source)
{
  return queue_has_items (((QueueSource *) source)->queue);
}

/* An item may run a nested main loop, which comes here again: each round takes one item
 * off the list before it calls. */
static gboolean
source_dispatch (GSource     *source,
                 GSourceFunc  func,
                 gpointer     data)
{
  ConcurContextQueue *self = ((QueueSource *) source)->queue;
  ConcurHomeItem *item;
  guint n_posts = 0;
  guint budget;

  concur_atomic_store (&self->sleeping, 0, CONCUR_RELAXED);

  for (budget = QUEUE_BUDGET; budget > 0 && (item = queue_shift (self)) != NULL; budget--)
    {
      if (!item_is_job (item))
        {
          post_finish ((Post *) item, TRUE);
          /* Told all at once: the word is the one that pushers change, too. */
          n_posts++;
          continue;
        }

      if (n_posts > 0)
        queue_finished (self, n_posts);
      n_posts = 0;
      queue_run_job (self, concur_job_from_item (item));
    }

  if (n_posts > 0)
    queue_finished (self, n_posts);

  return G_SOURCE_CONTINUE;
}

/* The context is gone, or nothing is left. */
static void
source_finalize (GSource *source)
{
  ConcurContextQueue *self = ((QueueSource *) source)->queue;
  ConcurHomeItem *item;

  concur_atomic_store (&self->context, NULL, CONCUR_RELEASE);
  concur_home_stack_take (&self->items, &self->taken, CONCUR_HOME_CLOSED);
  while ((item = concur_home_list_shift (&self->taken)) != NULL)
    {
      if (item_is_job (item))
        job_refuse (concur_job_from_item (item), gone_error ());
      else
        post_finish ((Post *) item, FALSE);
      queue_finished (self, 1);
    }

  queue_struct_unref (self);
}

static GSourceFuncs source_funcs = {
  .prepare = source_prepare,
  .check = source_check,
  .dispatch = source_dispatch,
  .finalize = source_finalize,
};

ConcurContextQueue *
concur_context_queue_new (GMainContext *context,
                          int           priority)
{
  ConcurContextQueue *self = g_new0 (ConcurContextQueue, 1);

  concur_fork_watch ();

  concur_atomic_init (&self->items, NULL);
  concur_atomic_init (&self->count, COUNT_HANDLE);
  concur_atomic_init (&self->sleeping, 0);
  concur_atomic_init (&self->refs, 2);
  concur_atomic_init (&self->context, context);
  self->taken.end = &self->taken.first;
  concur_lock_init (&self->lock);

  self->source = g_source_new (&source_funcs, sizeof (QueueSource));
  ((QueueSource *) self->source)->queue = self;
  g_source_set_static_name (self->source, "concur-executor");
  g_source_set_priority (self->source, priority);
  /* What a nested main loop waits for may be posted here. */
  g_source_set_can_recurse (self->source, TRUE);
  g_source_attach (self->source, context);
  /* The context's, so that it is finalized with it. */
  g_source_unref (self->source);

  return self;
}

void
concur_context_queue_unref (ConcurContextQueue *self)
{
  guint64 before = concur_atomic_sub (&self->count, COUNT_HANDLE, CONCUR_ACQ_REL);

  if (((before - COUNT_HANDLE) & ~COUNT_CLOSED) != 0)
    return;

  /* Without a handle nothing comes any more, and nothing is there. */
  if (concur_atomic_load (&self->context, CONCUR_ACQUIRE) != NULL && !concur_is_forked ())
    g_source_destroy (self->source);
  queue_struct_unref (self);
}

GMainContext *
concur_context_queue_get_context (ConcurContextQueue *self)
{
  return concur_atomic_load (&self->context, CONCUR_ACQUIRE);
}

void
concur_context_queue_execute (ConcurContextQueue *self,
                              ConcurJob          *job)
{
  GMainContext *context = concur_context_queue_get_context (self);
  ConcurHomeItem *item = concur_job_get_item (job);

  if (!queue_reserve (self))
    {
      concur_future_answer_error (CONCUR_FUTURE (job),
                                  g_error_new_literal (CONCUR_EXECUTOR_ERROR,
                                                       CONCUR_EXECUTOR_ERROR_SHUT_DOWN,
                                                       "The executor is shut down"));
      return;
    }

  if (context != NULL)
    concur_job_bind (job, context);

  if (!concur_future_enter_queue (CONCUR_FUTURE (job)))
    {
      queue_finished (self, 1);
      return;
    }

  item->func = item_of_job;
  if (!queue_push (self, item))
    {
      job_refuse (job, gone_error ());
      queue_finished (self, 1);
    }
}

gboolean
concur_context_queue_post (ConcurContextQueue *self,
                           ConcurPostFunc      func,
                           gpointer            user_data,
                           GDestroyNotify      destroy)
{
  Post *post;

  if (concur_has_stopped () || !queue_reserve (self))
    {
      if (destroy != NULL)
        destroy (user_data);
      return FALSE;
    }

  post = g_slice_new (Post);
  post->item.func = NULL;
  post->func = func;
  post->data = user_data;
  post->destroy = destroy;

  if (G_LIKELY (queue_push (self, &post->item)))
    return TRUE;

  post_finish (post, FALSE);
  queue_finished (self, 1);

  return FALSE;
}

/* Jobs that lie here are cancelled at once if nobody else runs the context; who does
 * comes to them, and finds that they are not to run. */
static void
queue_cancel_queued (ConcurContextQueue *self)
{
  GMainContext *context = concur_context_queue_get_context (self);
  ConcurHomeList jobs = { .end = &jobs.first };
  ConcurHomeList posts = { .end = &posts.first };
  ConcurHomeItem *item;

  if (context == NULL || !g_main_context_acquire (context))
    return;

  concur_home_stack_take (&self->items, &self->taken, NULL);
  while ((item = concur_home_list_shift (&self->taken)) != NULL)
    concur_home_list_append (item_is_job (item) ? &jobs : &posts, item);
  while ((item = concur_home_list_shift (&posts)) != NULL)
    concur_home_list_append (&self->taken, item);
  g_main_context_release (context);

  while ((item = concur_home_list_shift (&jobs)) != NULL)
    {
      job_refuse (concur_job_from_item (item), cancelled_error ());
      queue_finished (self, 1);
    }
}

static void
order_add_locked (ConcurHomeList *orders,
                  ConcurJob      *job)
{
  ConcurFuture *future = CONCUR_FUTURE (job);
  ConcurHome *home = concur_future_hold_home (future);
  Order *order;

  /* It is just ending. */
  if (home == NULL)
    return;

  order = g_slice_new0 (Order);
  order->future = g_object_ref (future);
  order->home = home;
  concur_home_list_append (orders, &order->item);
}

static void
order_arrived (ConcurHomeItem *item,
               gboolean        here)
{
  Order *order = (Order *) item;

  g_object_unref (order->future);
  g_slice_free (Order, order);
}

static void
orders_carry_out (ConcurHomeList *orders)
{
  Order *order;

  while ((order = (Order *) concur_home_list_shift (orders)) != NULL)
    {
      concur_future_cancel (order->future, CONCUR_CANCEL_NONE);
      order->item.func = order_arrived;
      concur_home_release (order->home, &order->item);
    }
}

ConcurFuture *
concur_context_queue_shutdown (ConcurContextQueue *self,
                               ConcurShutdownMode  mode)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future;
  ConcurHomeList orders = { .end = &orders.first };

  if (concur_has_stopped ())
    {
      g_autoptr (GError) error = NULL;

      concur_set_stopped_error (&error);
      concur_promise_reject (promise, error);
      future = g_object_ref (concur_promise_get_future (promise));
      concur_future_ignore (future);

      return future;
    }

  concur_lock_acquire (&self->lock);
  if (self->ended == NULL)
    self->ended = g_steal_pointer (&promise);
  future = g_object_ref (concur_promise_get_future (self->ended));
  self->mode = MAX (self->mode, 1 + (guint) mode);
  concur_atomic_or (&self->count, COUNT_CLOSED, CONCUR_ACQ_REL);
  if (mode >= CONCUR_SHUTDOWN_CANCEL_ALL)
    {
      for (RunningJob *running = self->running; running != NULL; running = running->outer)
        order_add_locked (&orders, running->job);
      for (ConcurHeld *held = self->held; held != NULL; held = held->next)
        order_add_locked (&orders, held->job);
    }
  concur_lock_release (&self->lock);

  /* Not needed, and broken: nobody need hear of it. */
  if (promise != NULL)
    concur_future_ignore (concur_promise_get_future (promise));

  if (mode >= CONCUR_SHUTDOWN_CANCEL_PENDING)
    queue_cancel_queued (self);
  orders_carry_out (&orders);
  queue_check_ended (self);

  return future;
}

void
concur_context_queue_reopen (ConcurContextQueue *self)
{
  g_autoptr (ConcurPromise) ended = NULL;

  concur_lock_acquire (&self->lock);
  ended = g_steal_pointer (&self->ended);
  self->mode = 0;
  concur_atomic_and (&self->count, ~COUNT_CLOSED, CONCUR_ACQ_REL);
  concur_lock_release (&self->lock);
}

guint
concur_context_queue_get_n_unfinished (ConcurContextQueue *self)
{
  return (guint) COUNT_ITEMS (concur_atomic_load (&self->count, CONCUR_RELAXED));
}
