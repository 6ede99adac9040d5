/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Callbacks of futures that belong to a group. Each looks, right before it calls, whether
 * the group has been silenced: so nothing that is on its way needs to be caught. They are
 * taken back as well, that what they hold may go soon. */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-group-private.h"

/* A future that callbacks were added to, and are not gone. One for all of them: what GObject
 * does to clear a weak reference takes the longer the more of them there are. */
struct _ConcurGroupWatch
{
  /* immutable */
  GWeakRef future;              /* a pending one takes its callbacks with it */
  gpointer key;                 /* where it is, or was */

  /* protected by the group's lock */
  guint n_callbacks;
};

struct _ConcurGroupCallback
{
  /* immutable */
  ConcurGroupCore *group;       /* (owned) */
  ConcurFutureFunc func;
  gpointer data;
  GDestroyNotify destroy;

  ConcurGroupWatch *watch;      /* (nullable): in a forked process there is none */

  /* protected by the group's lock */
  gulong id;                    /* 0 until it is known */
  ConcurGroupCallback **link;   /* NULL: not on the list */
  ConcurGroupCallback *next;

  /* atomic */
  ConcurWord refs;
};

static void
watch_leave (ConcurGroupWatch *self,
             ConcurGroupCore  *group)
{
  gboolean is_last;

  /* Somebody who is not there may have the lock. */
  if (self == NULL || concur_is_forked ())
    return;

  concur_lock_acquire (&group->lock);
  is_last = --self->n_callbacks == 0;
  if (is_last && g_hash_table_lookup (group->watches, self->key) == self)
    g_hash_table_remove (group->watches, self->key);
  concur_lock_release (&group->lock);

  if (is_last)
    {
      g_weak_ref_clear (&self->future);
      g_slice_free (ConcurGroupWatch, self);
    }
}

/* With one callback more. */
static ConcurGroupWatch *
watch_join (ConcurGroupCore *group,
            ConcurFuture    *future)
{
  g_autoptr (ConcurFuture) watched = NULL;
  ConcurGroupWatch *self = NULL;

  concur_lock_acquire (&group->lock);
  if (group->watches == NULL)
    group->watches = g_hash_table_new (NULL, NULL);
  self = g_hash_table_lookup (group->watches, future);
  if (self != NULL)
    self->n_callbacks++;
  concur_lock_release (&group->lock);

  if (self != NULL)
    watched = g_weak_ref_get (&self->future);
  if (watched != NULL)
    return self;

  /* Of a future that was in the same place before. */
  watch_leave (self, group);

  self = g_slice_new0 (ConcurGroupWatch);
  g_weak_ref_init (&self->future, future);
  self->key = future;
  self->n_callbacks = 1;
  concur_lock_acquire (&group->lock);
  g_hash_table_replace (group->watches, future, self);
  concur_lock_release (&group->lock);

  return self;
}

static void
callback_unref (ConcurGroupCallback *self)
{
  /* Release what this thread did with it, acquire what the others did: the last one
   * frees. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  watch_leave (self->watch, self->group);
  concur_group_core_unref (self->group);
  g_slice_free (ConcurGroupCallback, self);
}

static void
list_add_locked (ConcurGroupCore     *group,
                 ConcurGroupCallback *self)
{
  self->next = group->callbacks;
  self->link = &group->callbacks;
  if (self->next != NULL)
    self->next->link = &self->next;
  group->callbacks = self;
}

static void
list_remove_locked (ConcurGroupCallback *self)
{
  if (self->link == NULL)
    return;

  *self->link = self->next;
  if (self->next != NULL)
    self->next->link = self->link;
  self->link = NULL;
}

static gboolean
is_silenced (ConcurGroupCore *self)
{
  for (; self != NULL; self = self->parent)
    {
      /* Sequentially consistent with silence (): who calls after that finds it. */
      if (concur_atomic_load (&self->silenced, CONCUR_SEQ_CST))
        return TRUE;
    }

  return FALSE;
}

static void
callback_call (ConcurFuture *future,
               gpointer      data)
{
  ConcurGroupCallback *self = data;

  if (!is_silenced (self->group))
    self->func (future, self->data);
}

static void
callback_destroyed (gpointer data)
{
  ConcurGroupCallback *self = data;

  /* Somebody who is not there may have the lock. */
  if (!concur_is_forked ())
    {
      concur_lock_acquire (&self->group->lock);
      list_remove_locked (self);
      concur_lock_release (&self->group->lock);
    }

  if (self->destroy != NULL)
    self->destroy (self->data);
  callback_unref (self);
}

void
concur_group_core_silence (ConcurGroupCore *self)
{
  g_autoptr (GPtrArray) callbacks = g_ptr_array_new ();

  concur_atomic_store (&self->silenced, TRUE, CONCUR_SEQ_CST);

  concur_lock_acquire (&self->lock);
  while (self->callbacks != NULL)
    {
      ConcurGroupCallback *callback = self->callbacks;

      list_remove_locked (callback);
      concur_atomic_add (&callback->refs, 1, CONCUR_RELAXED);
      g_ptr_array_add (callbacks, callback);
    }
  concur_lock_release (&self->lock);

  /* The list has the newest first. */
  for (guint i = callbacks->len; i > 0; i--)
    {
      ConcurGroupCallback *callback = callbacks->pdata[i - 1];
      ConcurFuture *future = callback->watch != NULL ? g_weak_ref_get (&callback->watch->future)
                                                     : NULL;
      gulong id;

      concur_lock_acquire (&self->lock);
      id = callback->id;
      concur_lock_release (&self->lock);

      /* What is on its way finds out by itself. */
      if (future != NULL && id != 0 && !concur_future_is_done (future))
        concur_future_disconnect_done (future, id);
      g_clear_object (&future);
      callback_unref (callback);
    }
}

/**
 * concur_task_group_when_done:
 * @self: a group
 * @future: any future, a member or not
 * @func: (scope notified) (closure user_data) (destroy destroy): what to call
 * @user_data: data for @func
 * @destroy: (nullable): frees @user_data
 * @context: (nullable): the main context to call it in, or %NULL for the calling
 *   thread's default one
 *
 * Calls a function when a future is done, as [method@Future.when_done] does, unless the group
 * is silenced before: see [method@TaskGroup.cancel_silently].
 *
 * May be called from any thread, also when the group is over.
 *
 * Returns: an id for [method@Future.disconnect_done]
 *
 * Since: 1.0
 */
gulong
concur_task_group_when_done (ConcurTaskGroup  *self,
                             ConcurFuture     *future,
                             ConcurFutureFunc  func,
                             gpointer          user_data,
                             GDestroyNotify    destroy,
                             GMainContext     *context)
{
  ConcurGroupCallback *callback;
  ConcurGroupCore *group;
  gulong id;

  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), 0);
  g_return_val_if_fail (CONCUR_IS_FUTURE (future), 0);
  g_return_val_if_fail (func != NULL, 0);

  group = self->core;
  callback = g_slice_new0 (ConcurGroupCallback);
  callback->group = concur_group_core_ref (group);
  callback->func = func;
  callback->data = user_data;
  callback->destroy = destroy;
  /* The future's, and ours. */
  concur_atomic_init (&callback->refs, 2);

  /* It may have been called and gone before its id is known. */
  if (!concur_is_forked ())
    {
      callback->watch = watch_join (group, future);
      concur_lock_acquire (&group->lock);
      list_add_locked (group, callback);
      concur_lock_release (&group->lock);
    }

  id = concur_future_when_done (future, callback_call, callback, callback_destroyed, context);

  if (!concur_is_forked ())
    {
      concur_lock_acquire (&group->lock);
      callback->id = id;
      concur_lock_release (&group->lock);
    }

  /* Who silenced it before knew no id. */
  if (is_silenced (group))
    concur_future_disconnect_done (future, id);
  callback_unref (callback);

  return id;
}

/**
 * concur_task_group_cancel_silently:
 * @self: a group
 *
 * Cancels the group as [method@TaskGroup.cancel] does, and sees to it that nobody is called
 * back.
 *
 * No callback that was added through this group, or through a group in it, with
 * [method@TaskGroup.when_done] is called after this has returned, in whichever main context;
 * of those in main contexts that other threads run, one that has begun by then may still be
 * running. Called from such a callback, it is the last. The data of callbacks is freed in their
 * main contexts, once, as after [method@Future.disconnect_done]: at once if that is here and
 * the future was not done; callbacks that were added through a group in this one keep theirs
 * until their futures are done. Callbacks added later are not called either.
 *
 * Other callbacks, continuations and those of [method@Future.wait_async] know nothing of
 * this. It also works when the group is over, and a second time it changes nothing.
 *
 * May be called from any thread.
 *
 * Since: 1.0
 */
void
concur_task_group_cancel_silently (ConcurTaskGroup *self)
{
  ConcurGroupCore *core;

  g_return_if_fail (CONCUR_IS_TASK_GROUP (self));

  if (concur_is_forked ())
    return;

  /* With the callbacks whoever has the group may go. */
  core = concur_group_core_ref (self->core);
  concur_group_core_silence (core);
  concur_group_core_cancel (core, CONCUR_CANCEL_NONE);
  concur_group_core_unref (core);
}
