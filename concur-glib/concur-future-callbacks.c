/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Who is told that a future is done: callbacks in a main context, direct callbacks on
 * the completing thread, and waits as a GTask, which are callbacks underneath.
 *
 * A callback is on its future's list from when it is added until it is called or
 * disconnected; whoever takes it off, under the stripe, owns it. What was posted to its
 * home, or to the completing thread, stays on the list, so that it can still be
 * disconnected; but not a node, which is the library's own and told without delay. */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-future-private.h"

enum
{
  CALLBACK_NEW,          /* of a node: not on the list yet */
  CALLBACK_CONNECTED,
  CALLBACK_POSTED,
  CALLBACK_DISCONNECTED, /* while posted; a node: off the list */
};

/* Nodes have none. */
#define NODE_ID 0

/* Direct callbacks that complete further futures do not nest: the outermost
 * completion on this thread calls them all, in the order they came up. */
typedef struct
{
  ConcurHomeItem *first;
  ConcurHomeItem **end;
  gboolean running;
} DirectQueue;

static _Thread_local DirectQueue direct_queue;

static gulong
next_id (void)
{
  static _Atomic gulong last_id;

  return concur_atomic_add (&last_id, 1, CONCUR_RELAXED) + 1;
}

/* Who is told of an error is taken to have looked at it. */
static void
callback_call (ConcurCallback *callback,
               ConcurFuture   *future)
{
  guint32 state = concur_future_state (future);

  if (CONCUR_PHASE (state) == CONCUR_PHASE_REJECTED && !callback->blind)
    concur_future_observe (future, state);
  callback->func (future, callback->data);
}

static void
callback_free (ConcurCallback *callback)
{
  if (callback->destroy != NULL)
    {
      concur_gate ();
      callback->destroy (callback->data);
    }
  g_slice_free (ConcurCallback, callback);
}

static void
list_append_locked (ConcurFuturePrivate *priv,
                    ConcurCallback      *callback)
{
  ConcurCallback *first = priv->callbacks;

  callback->next = NULL;
  if (first == NULL)
    {
      priv->callbacks = callback->previous = callback;
    }
  else
    {
      callback->previous = first->previous;
      callback->previous->next = callback;
      first->previous = callback;
    }
}

static void
list_unlink_locked (ConcurFuturePrivate *priv,
                    ConcurCallback      *callback)
{
  if (callback == priv->callbacks)
    priv->callbacks = callback->next;
  else
    callback->previous->next = callback->next;

  if (callback->next != NULL)
    callback->next->previous = callback->previous;
  else if (priv->callbacks != NULL)
    priv->callbacks->previous = callback->previous;
}

/* FALSE: the future is done already, and it is up to the caller to see it called. */
static gboolean
list_append (ConcurFuture   *self,
             ConcurCallback *callback)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurLock *stripe = concur_future_stripe (self);
  gboolean done;

  concur_lock_acquire (stripe);
  callback->status = CALLBACK_CONNECTED;
  list_append_locked (priv, callback);
  /* Sequentially consistent with the move that makes the future done: either it finds
   * this bit and comes for the list, or we find the future done. */
  done = CONCUR_PHASE_IS_DONE (
    concur_atomic_or (&priv->state, CONCUR_STATE_CALLBACKS, CONCUR_SEQ_CST));
  if (done)
    {
      callback->status = CALLBACK_POSTED;
      if (callback->id == NODE_ID)
        list_unlink_locked (priv, callback);
    }
  concur_lock_release (stripe);

  return !done;
}

static void
callback_arrived (ConcurHomeItem *item,
                  gboolean        here)
{
  ConcurCallback *callback = (ConcurCallback *) item;
  ConcurFuture *future = callback->future;
  ConcurLock *stripe = concur_future_stripe (future);
  gboolean wanted;

  concur_lock_acquire (stripe);
  wanted = callback->status == CALLBACK_POSTED;
  list_unlink_locked (concur_future_private (future), callback);
  concur_lock_release (stripe);

  if (wanted && here)
    callback_call (callback, future);

  callback_free (callback);
  g_object_unref (future);
}

static void
node_arrived (ConcurHomeItem *item,
              gboolean        here)
{
  ConcurCallback *node = (ConcurCallback *) item;

  callback_call (node, node->future);
}

/* A callback that will not be called goes home only to let its data go. */
static void
callback_dropped (ConcurHomeItem *item,
                  gboolean        here)
{
  callback_free ((ConcurCallback *) item);
}

static void
callback_drop (ConcurCallback *callback)
{
  ConcurHome *home = callback->home;

  if (home == NULL || callback->destroy == NULL || concur_home_is_here (home))
    {
      callback_free (callback);
      if (home != NULL)
        concur_home_drop (home);
      return;
    }

  callback->item.func = callback_dropped;
  concur_home_post (home, &callback->item);
}

static void
direct_queue_run (void)
{
  ConcurHomeItem *item;

  if (direct_queue.running)
    return;

  direct_queue.running = TRUE;
  while ((item = direct_queue.first) != NULL)
    {
      direct_queue.first = item->next;
      concur_gate ();
      item->func (item, TRUE);
    }
  direct_queue.running = FALSE;
}

static void
direct_queue_add (ConcurHomeItem *item)
{
  item->next = NULL;
  if (direct_queue.first == NULL)
    direct_queue.end = &direct_queue.first;
  *direct_queue.end = item;
  direct_queue.end = &item->next;
}

void
concur_future_trampoline (ConcurHomeItem *item)
{
  direct_queue_add (item);
  direct_queue_run ();
}

gboolean
concur_future_in_trampoline (void)
{
  return direct_queue.running;
}

/* Sends a callback that is marked as posted on its way. */
static void
callback_post (ConcurFuture   *self,
               ConcurCallback *callback)
{
  if (callback->id == NODE_ID)
    {
      callback->item.func = node_arrived;
      direct_queue_add (&callback->item);
      return;
    }

  callback->future = g_object_ref (self);
  callback->item.func = callback_arrived;

  if (callback->home == NULL)
    direct_queue_add (&callback->item);
  else
    concur_home_post (callback->home, &callback->item);
}

void
concur_future_run_callbacks (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurHomeItem *first = NULL, **end = &first;
  ConcurCallback *callback, *next;

  /* In one go, for there may be many. None of them is freed before it is sent, and they
   * stay on the list: a callback may disconnect others. */
  concur_lock_acquire (stripe);
  for (callback = priv->callbacks; callback != NULL; callback = next)
    {
      next = callback->next;
      if (callback->status == CALLBACK_CONNECTED)
        {
          callback->status = CALLBACK_POSTED;
          callback->item.next = NULL;
          *end = &callback->item;
          end = &callback->item.next;
          if (callback->id == NODE_ID)
            list_unlink_locked (priv, callback);
        }
    }
  concur_lock_release (stripe);

  while (first != NULL)
    {
      callback = (ConcurCallback *) first;
      first = first->next;
      callback_post (self, callback);
    }

  direct_queue_run ();
}

void
concur_future_drop_callbacks (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurCallback *callback;

  while ((callback = priv->callbacks) != NULL)
    {
      priv->callbacks = callback->next;
      callback_drop (callback);
    }
}

static void
callback_add (ConcurFuture     *self,
              gulong            id,
              ConcurHome       *home,
              ConcurFutureFunc  func,
              gpointer          user_data,
              GDestroyNotify    destroy)
{
  ConcurCallback *callback = g_slice_new0 (ConcurCallback);

  callback->id = id;
  callback->home = home;
  callback->func = func;
  callback->data = user_data;
  callback->destroy = destroy;

  /* Once it is on the list it is no longer ours. */
  if (list_append (self, callback))
    return;

  callback_post (self, callback);
  direct_queue_run ();
}

void
concur_future_add_node (ConcurFuture     *self,
                        ConcurCallback   *node,
                        ConcurFutureFunc  func,
                        gpointer          data)
{
  node->future = self;
  node->func = func;
  node->data = data;

  if (list_append (self, node))
    return;

  callback_post (self, node);
  direct_queue_run ();
}

gboolean
concur_future_remove_node (ConcurFuture   *self,
                           ConcurCallback *node)
{
  ConcurLock *stripe = concur_future_stripe (self);
  gboolean removed;

  concur_lock_acquire (stripe);
  removed = node->status == CALLBACK_CONNECTED;
  if (removed)
    {
      list_unlink_locked (concur_future_private (self), node);
      node->status = CALLBACK_DISCONNECTED;
    }
  concur_lock_release (stripe);

  return removed;
}

/**
 * concur_future_when_done:
 * @self: a future
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 * @context: (nullable): the main context to call it in, or %NULL for the calling
 *   thread's default one
 *
 * Calls a function when the future is done, in a main context.
 *
 * @func is called once, from a dispatch of @context, also if the future is done
 * already; never from inside this call. @destroy runs in @context too, right after
 * @func or when the callback is disconnected. If @context goes away first, @func is not
 * called, and @destroy runs on the thread that let the context go.
 *
 * The future stays alive until @func has returned, but nothing else does: a pending
 * future that all others forget takes its callbacks with it.
 *
 * Can be called from any thread.
 *
 * Returns: an id for [method@Future.disconnect_done]
 *
 * Since: 1.0
 */
gulong
concur_future_when_done (ConcurFuture     *self,
                         ConcurFutureFunc  func,
                         gpointer          user_data,
                         GDestroyNotify    destroy,
                         GMainContext     *context)
{
  gulong id;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  id = next_id ();
  callback_add (self, id, concur_home_hold_for_context (context), func, user_data, destroy);

  return id;
}

/**
 * concur_future_add_direct_callback:
 * @self: a future
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 *
 * Calls a function when the future is done, on the thread that completes it.
 *
 * This is for bridges to other runtimes, which only pass the news on. @func runs on
 * whichever thread completes or cancels the future, with no lock held, or on the calling
 * thread before this returns if the future is done already. It must be quick and must
 * not wait. @destroy runs right after it on the same thread, or on the one that
 * disconnects it before the future is done.
 *
 * A direct callback that completes another future, or adds a direct callback to one that
 * is done, does not see those run: they run after it has returned.
 *
 * JavaScript code must not use this; see [method@Future.when_done].
 *
 * Returns: an id for [method@Future.disconnect_done]
 *
 * Since: 1.0
 */
gulong
concur_future_add_direct_callback (ConcurFuture     *self,
                                   ConcurFutureFunc  func,
                                   gpointer          user_data,
                                   GDestroyNotify    destroy)
{
  gulong id;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), 0);
  g_return_val_if_fail (func != NULL, 0);

  id = next_id ();
  callback_add (self, id, NULL, func, user_data, destroy);

  return id;
}

/**
 * concur_future_disconnect_done:
 * @self: a future
 * @id: what [method@Future.when_done] or [method@Future.add_direct_callback] returned
 *
 * Takes a callback back.
 *
 * Called on the thread that runs the callback's main context, this guarantees that the
 * callback is not called any more. Called elsewhere, the callback may be running at the
 * same time. The callback's data is freed in its main context: at once if that is here
 * and the future is not done yet, in the callback's turn if it is.
 *
 * An id that is not there any more is ignored: the callback has been called.
 *
 * Since: 1.0
 */
void
concur_future_disconnect_done (ConcurFuture *self,
                               gulong        id)
{
  ConcurFuturePrivate *priv;
  ConcurLock *stripe;
  ConcurCallback *callback;

  g_return_if_fail (CONCUR_IS_FUTURE (self));

  if (id == NODE_ID)
    return;

  priv = concur_future_private (self);
  stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  for (callback = priv->callbacks; callback != NULL; callback = callback->next)
    {
      if (callback->id == id)
        break;
    }
  if (callback != NULL)
    {
      if (callback->status == CALLBACK_CONNECTED)
        {
          list_unlink_locked (priv, callback);
        }
      else
        {
          /* It is on its way: it is stopped, and let go, when it arrives. */
          callback->status = CALLBACK_DISCONNECTED;
          callback = NULL;
        }
    }
  concur_lock_release (stripe);

  if (callback != NULL)
    callback_drop (callback);
}

/* Counted: by its callback on the future and by the source that watches the
 * cancellable. Both run in the task's context. */
typedef struct
{
  GTask *task;            /* (owned) */
  ConcurFuture *future;   /* (owned) */
  void (*done) (ConcurFuture *future, GTask *task);
  gulong id;
  gboolean returned;
  gboolean cancels;       /* the future, and not only the waiting */
  GSource *cancelled;     /* (owned) (nullable) */
  gulong cancelled_id;    /* the handler that makes it ready */
} AsyncWait;

static void
async_wait_clear (gpointer data)
{
  AsyncWait *wait = data;

  /* Does not wait for a handler that runs: that one keeps the source. */
  if (wait->cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (wait->task), wait->cancelled_id);
  g_clear_pointer (&wait->cancelled, g_source_unref);
  g_clear_object (&wait->task);
  g_clear_object (&wait->future);
}

static void
async_wait_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, async_wait_clear);
}

static void
async_wait_done (ConcurFuture *future,
                 gpointer      data)
{
  AsyncWait *wait = data;

  if (wait->returned)
    return;

  wait->returned = TRUE;
  if (wait->cancelled != NULL)
    g_source_destroy (wait->cancelled);
  wait->done (future, wait->task);
}

static void
async_wait_make_ready (GCancellable *cancellable,
                       gpointer      source)
{
  g_source_set_ready_time (source, 0);
}

static gboolean
async_wait_dispatch (GSource     *source,
                     GSourceFunc  func,
                     gpointer     data)
{
  return func (data);
}

/* Not g_cancellable_source_new (): GLib 2.74 leaks one that goes while other handlers of
 * the cancellable run, and loses a cancellation that falls into its attaching. */
static GSourceFuncs async_wait_funcs = {
  .dispatch = async_wait_dispatch,
};

static gboolean
async_wait_cancelled (gpointer data)
{
  AsyncWait *wait = data;

  if (wait->cancels)
    {
      concur_future_cancel (wait->future, CONCUR_CANCEL_NONE);
    }
  else if (!wait->returned)
    {
      wait->returned = TRUE;
      concur_future_disconnect_done (wait->future, wait->id);
      g_task_return_error_if_cancelled (wait->task);
    }

  return G_SOURCE_REMOVE;
}

static void
async_wait_begin (ConcurFuture  *self,
                  GTask         *task,
                  void         (*done) (ConcurFuture *self,
                                        GTask        *task),
                  gboolean       cancels)
{
  AsyncWait *wait = g_atomic_rc_box_new0 (AsyncWait);
  GMainContext *context = g_task_get_context (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  wait->task = task;
  wait->future = g_object_ref (self);
  wait->done = done;
  wait->cancels = cancels;
  wait->id = next_id ();

  /* Another thread may run the context, and both callbacks before this returns. */
  if (cancellable != NULL)
    {
      wait->cancelled = g_source_new (&async_wait_funcs, sizeof (GSource));
      g_source_set_static_name (wait->cancelled, "concur-wait-cancelled");
      g_source_set_callback (wait->cancelled, async_wait_cancelled,
                             g_atomic_rc_box_acquire (wait), async_wait_unref);
      g_source_attach (wait->cancelled, context);
      wait->cancelled_id
          = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (async_wait_make_ready),
                                   g_source_ref (wait->cancelled),
                                   (GClosureNotify) g_source_unref, 0);
      /* Before there was a handler. */
      if (g_cancellable_is_cancelled (cancellable))
        g_source_set_ready_time (wait->cancelled, 0);
    }

  callback_add (self, wait->id, concur_home_hold_for_context (context), async_wait_done, wait,
                async_wait_unref);
}

void
concur_future_wait_as_task (ConcurFuture  *self,
                            GTask         *task,
                            void         (*done) (ConcurFuture *self,
                                                  GTask        *task))
{
  async_wait_begin (self, task, done, FALSE);
}

void
concur_future_cancel_as_task (ConcurFuture  *self,
                              GTask         *task,
                              void         (*done) (ConcurFuture *self,
                                                    GTask        *task))
{
  async_wait_begin (self, task, done, TRUE);
}

static void
async_wait_return (ConcurFuture *self,
                   GTask        *task)
{
  g_task_return_boolean (task, TRUE);
}

/**
 * concur_future_wait_async:
 * @self: a future
 * @cancellable: (nullable): gives the waiting up, not the work
 * @callback: (scope async) (closure user_data): called when the future is done
 * @user_data: data for @callback
 *
 * Waits for the future without blocking, as a GIO-style asynchronous operation.
 *
 * @callback runs in the thread-default main context of the calling thread, also when
 * @cancellable is cancelled, which ends only this wait: the future goes on. Use
 * [method@Future.cancel] to cancel the work.
 *
 * Since: 1.0
 */
void
concur_future_wait_async (ConcurFuture        *self,
                          GCancellable        *cancellable,
                          GAsyncReadyCallback  callback,
                          gpointer             user_data)
{
  GTask *task;

  g_return_if_fail (CONCUR_IS_FUTURE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, concur_future_wait_async);
  g_task_set_check_cancellable (task, FALSE);
  concur_future_wait_as_task (self, task, async_wait_return);
}

/**
 * concur_future_wait_finish:
 * @self: a future
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Ends a wait begun with [method@Future.wait_async] and reads the outcome.
 *
 * Returns: (transfer none) (nullable): the value, valid as long as the future, or %NULL
 *   with @error set; if the wait was given up, to %G_IO_ERROR_CANCELLED
 *
 * Since: 1.0
 */
const GValue *
concur_future_wait_finish (ConcurFuture  *self,
                           GAsyncResult  *result,
                           GError       **error)
{
  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return NULL;

  return concur_future_get_value (self, error);
}
