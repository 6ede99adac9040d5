/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Objects that groups are bound to. An object that was ever bound to has one weak reference
 * of ours, however many groups come and go, and keeps it until it is disposed: to take one
 * back while another thread disposes the object is not possible with GObject. */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-group-private.h"

/* An object that is bound to. */
typedef struct
{
  /* protected by lock */
  ConcurGroupBinding *first;
} Bound;

/* On two lists: its object's and its group's. */
struct _ConcurGroupBinding
{
  /* immutable */
  ConcurGroupCore *group;        /* not counted: a group that goes takes its bindings */
  gboolean silently;

  /* protected by lock */
  ConcurGroupBinding **link;
  ConcurGroupBinding *next;
  ConcurGroupBinding **group_link;
  ConcurGroupBinding *group_next;
};

static ConcurLock lock;          /* a leaf */
static GHashTable *objects;      /* GObject → Bound; protected by lock */

static void
binding_remove_locked (ConcurGroupBinding *self)
{
  *self->link = self->next;
  if (self->next != NULL)
    self->next->link = self->link;

  *self->group_link = self->group_next;
  if (self->group_next != NULL)
    self->group_next->group_link = self->group_link;
}

static void
binding_add_locked (ConcurGroupBinding *self,
                    Bound              *bound)
{
  self->next = bound->first;
  self->link = &bound->first;
  if (self->next != NULL)
    self->next->link = &self->next;
  bound->first = self;

  self->group_next = self->group->bindings;
  self->group_link = &self->group->bindings;
  if (self->group_next != NULL)
    self->group_next->group_link = &self->group_next;
  self->group->bindings = self;
}

static void
object_disposed (gpointer  data,
                 GObject  *where_it_was)
{
  Bound *self = data;
  g_autoptr (GPtrArray) bindings = NULL;

  /* Somebody who is not there may have the lock. */
  if (concur_is_forked ())
    return;

  bindings = g_ptr_array_new ();
  concur_lock_acquire (&lock);
  g_hash_table_remove (objects, where_it_was);
  while (self->first != NULL)
    {
      ConcurGroupBinding *binding = self->first;

      binding_remove_locked (binding);
      /* FALSE: the group is going, and waits for this lock to take back what is not here. */
      if (!concur_group_core_try_ref (binding->group))
        g_slice_free (ConcurGroupBinding, binding);
      else
        g_ptr_array_add (bindings, binding);
    }
  concur_lock_release (&lock);

  g_slice_free (Bound, self);

  /* The list has the newest first. */
  for (guint i = bindings->len; i > 0; i--)
    {
      ConcurGroupBinding *binding = bindings->pdata[i - 1];

      if (binding->silently)
        concur_group_core_silence (binding->group);
    }
  for (guint i = bindings->len; i > 0; i--)
    {
      ConcurGroupBinding *binding = bindings->pdata[i - 1];

      concur_group_core_cancel (binding->group, CONCUR_CANCEL_NONE);
      concur_group_core_unref (binding->group);
      g_slice_free (ConcurGroupBinding, binding);
    }
}

void
concur_group_core_unbind (ConcurGroupCore *self)
{
  ConcurGroupBinding *bindings = NULL, *next;

  /* No more come: nobody has the group. */
  if (concur_is_forked ())
    return;

  concur_lock_acquire (&lock);
  while (self->bindings != NULL)
    {
      ConcurGroupBinding *binding = self->bindings;

      binding_remove_locked (binding);
      binding->next = bindings;
      bindings = binding;
    }
  concur_lock_release (&lock);

  for (; bindings != NULL; bindings = next)
    {
      next = bindings->next;
      g_slice_free (ConcurGroupBinding, bindings);
    }
}

/**
 * concur_task_group_bind:
 * @self: a group
 * @object: what it belongs to
 * @silently: whether to call nobody back then
 *
 * Cancels the group when an object is disposed, such as a widget or a window, as
 * [method@TaskGroup.cancel] or, with @silently, [method@TaskGroup.cancel_silently] does, on
 * the thread that disposes the object.
 *
 * It does not matter which of them goes first, nor who still has references: the binding is
 * between the object and the work. No reference to the object is kept. A group can be bound
 * to several objects, and is cancelled by the first that is disposed.
 *
 * May be called from any thread that has a reference to @object.
 *
 * Since: 1.0
 */
void
concur_task_group_bind (ConcurTaskGroup *self,
                        GObject         *object,
                        gboolean         silently)
{
  ConcurGroupBinding *binding;
  gboolean watch = FALSE;
  Bound *bound;

  g_return_if_fail (CONCUR_IS_TASK_GROUP (self));
  g_return_if_fail (G_IS_OBJECT (object));

  if (concur_is_forked ())
    return;

  binding = g_slice_new0 (ConcurGroupBinding);
  binding->group = self->core;
  binding->silently = silently;

  concur_lock_acquire (&lock);
  if (objects == NULL)
    objects = g_hash_table_new (NULL, NULL);
  bound = g_hash_table_lookup (objects, object);
  if (bound == NULL)
    {
      bound = g_slice_new0 (Bound);
      g_hash_table_insert (objects, object, bound);
      watch = TRUE;
    }
  binding_add_locked (binding, bound);
  concur_lock_release (&lock);

  /* The caller keeps the object meanwhile. */
  if (watch)
    g_object_weak_ref (object, object_disposed, bound);
}
