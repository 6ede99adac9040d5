/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurTaskGroup:
 *
 * Work that belongs together: it ends together, and none of it is forgotten.
 *
 * Jobs are submitted through the group, and other futures added to it; they are its
 * members. When no more are to come the group is closed, which gives one future for all of
 * them. It is done when every member is really done, those included that were told to stop.
 *
 * ```c
 * static void
 * show_pages (ConcurFuture *all, gpointer view)
 * {
 *   g_autoptr (GError) error = NULL;
 *   const GValue *value = concur_future_get_value (all, &error);
 *
 *   if (value != NULL)
 *     view_set_pages (view, g_value_get_object (value));   // a GListModel of futures
 *   else
 *     view_set_error (view, error);                        // the first; the rest was cancelled
 * }
 *
 * g_autoptr (ConcurTaskGroup) group = concur_task_group_new (NULL, NULL);
 *
 * for (guint i = 0; i < n_urls; i++)
 *   g_object_unref (concur_task_group_submit (group, load_page, g_strdup (urls[i]), g_free));
 *
 * g_autoptr (ConcurFuture) all = concur_task_group_close (group);
 * concur_future_when_done (all, show_pages, view, NULL, NULL);
 * ```
 *
 * ## Errors
 *
 * With the policy %CONCUR_GROUP_CANCEL_ON_ERROR the first member that is rejected, in time,
 * cancels the others, and what is submitted or added later, too; its error is that of the
 * whole. Errors of others that come later change nothing. With %CONCUR_GROUP_COLLECT
 * members do not care for each other, and the whole is resolved however they end. In either
 * case errors of members count as looked at.
 *
 * A member that is cancelled has not failed: the others go on, and if nothing else happens the
 * whole is resolved.
 *
 * ## Cancelling
 *
 * A group is cancelled with [method@TaskGroup.cancel], by its
 * [property@TaskGroup:parent-cancellable], by cancelling the future that
 * [method@TaskGroup.close] returned, together with the group it is in, or with an object it is
 * bound to, see [method@TaskGroup.bind]. This cancels all members as [method@Future.cancel]
 * does, so running ones decide for themselves; when they are all done the whole is cancelled,
 * unless one of them was rejected (with %CONCUR_GROUP_COLLECT it is resolved all the same).
 * Code inside of members can look at [method@TaskGroup.is_cancelled], or hand
 * [method@TaskGroup.get_cancellable] to GIO functions; that is cancelled by an error, too.
 *
 * A group whose last reference goes before it was closed is cancelled, and closed. One that
 * was closed goes on without anybody.
 *
 * ## Groups in groups
 *
 * A group with a [property@TaskGroup:parent] is a member of that: a member that is done when
 * the inner group is, and so has been closed. It keeps the outer one from being over, is
 * cancelled with it, and is rejected with its own first error, which then is one of the outer
 * group's. One that is never closed fails, or holds up, nobody but when it is dropped. Its
 * callbacks are silenced with those of the outer one.
 *
 * ## The end of whoever waits
 *
 * What is to be called when a future is done often belongs to something that may go before,
 * such as a widget or an extension that is switched off. Callbacks that are added with
 * [method@TaskGroup.when_done] are not called any more once
 * [method@TaskGroup.cancel_silently] was:
 *
 * ```c
 * static void
 * photo_view_load (PhotoView *self, const char *path)
 * {
 *   g_autoptr (ConcurFuture) future = concur_task_group_submit (self->group, load_photo,
 *                                                               g_strdup (path), g_free);
 *
 *   concur_task_group_when_done (self->group, future, photo_view_show, self, NULL, NULL);
 * }
 *
 * static void
 * photo_view_dispose (GObject *object)
 * {
 *   PhotoView *self = PHOTO_VIEW (object);
 *
 *   // From here on photo_view_show () is not called.
 *   concur_task_group_cancel_silently (self->group);
 *   …
 * }
 * ```
 *
 * ## Memory
 *
 * All members are kept until the group is over, for they are its value. A group that lives
 * long and gets new members all the time should be closed and replaced now and then. What a
 * group costs for each member is constant.
 *
 * ## Threads
 *
 * All methods may be called from any thread. The group's home is that of the thread that made
 * it (see [class@Job]): there its members are let go, if nobody else has them, and
 * notifications of the future that [method@TaskGroup.close] returns are emitted.
 * What was submitted with a job goes to the home of who submitted it. The last reference to
 * the group may be dropped anywhere; what it was made with is let go there.
 *
 * Since: 1.0
 */

#include "config.h"

#include "concur-enum-types.h"
#include "concur-exit-private.h"
#include "concur-group-private.h"
#include "concur-job-private.h"

enum
{
  PROP_0,
  PROP_EXECUTOR,
  PROP_POLICY,
  PROP_PARENT_CANCELLABLE,
  PROP_PARENT,
  PROP_N_MEMBERS,
  PROP_N_RUNNING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

G_DEFINE_FINAL_TYPE (ConcurTaskGroup, concur_task_group, G_TYPE_OBJECT)

static void
concur_task_group_constructed (GObject *object)
{
  ConcurTaskGroup *self = CONCUR_TASK_GROUP (object);
  gboolean unwanted = FALSE;

  G_OBJECT_CLASS (concur_task_group_parent_class)->constructed (object);

  if (self->executor == NULL)
    self->executor = g_object_ref (concur_executor_get_default ());

  self->core = concur_group_core_new (self->policy,
                                      self->parent != NULL ? self->parent->core : NULL,
                                      concur_home_hold_current (), self->parent_cancellable);
  self->end = g_object_ref (self->core->end);

  /* Whether it is cancelled or not, the outer one is not over before it is. */
  if (self->parent != NULL && !concur_is_forked ())
    unwanted = !concur_group_core_add (self->parent->core, self->end);
  if (self->parent_cancellable != NULL && g_cancellable_is_cancelled (self->parent_cancellable))
    unwanted = TRUE;
  if (unwanted)
    concur_future_cancel (self->end, CONCUR_CANCEL_NONE);
}

static void
concur_task_group_dispose (GObject *object)
{
  ConcurTaskGroup *self = CONCUR_TASK_GROUP (object);
  gboolean was_closed;

  if (!concur_is_forked ())
    {
      concur_lock_acquire (&self->core->lock);
      was_closed = self->core->sealed;
      concur_lock_release (&self->core->lock);

      if (!was_closed)
        {
          concur_future_cancel (self->end, CONCUR_CANCEL_NONE);
          concur_future_ignore (self->end);
          concur_group_core_close (self->core);
        }
    }

  G_OBJECT_CLASS (concur_task_group_parent_class)->dispose (object);
}

/* With it may go the group that it is in, and so on: one after the other, and not one inside
 * the other. */
static void
let_parent_go (ConcurTaskGroup *parent)
{
  static _Thread_local GSList *doomed;
  static _Thread_local gboolean going;

  doomed = g_slist_prepend (doomed, parent);
  if (going)
    return;

  going = TRUE;
  while (doomed != NULL)
    {
      GObject *next = doomed->data;

      doomed = g_slist_delete_link (doomed, doomed);
      g_object_unref (next);
    }
  going = FALSE;
}

static void
concur_task_group_finalize (GObject *object)
{
  ConcurTaskGroup *self = CONCUR_TASK_GROUP (object);
  ConcurTaskGroup *parent = self->parent;

  g_object_unref (self->executor);
  g_clear_object (&self->parent_cancellable);
  g_object_unref (self->end);
  concur_group_core_unref (self->core);

  G_OBJECT_CLASS (concur_task_group_parent_class)->finalize (object);

  if (parent != NULL)
    let_parent_go (parent);
}

static void
concur_task_group_get_property (GObject    *object,
                                guint       prop_id,
                                GValue     *value,
                                GParamSpec *pspec)
{
  ConcurTaskGroup *self = CONCUR_TASK_GROUP (object);

  switch (prop_id)
    {
    case PROP_EXECUTOR:
      g_value_set_object (value, self->executor);
      break;
    case PROP_POLICY:
      g_value_set_enum (value, self->policy);
      break;
    case PROP_PARENT_CANCELLABLE:
      g_value_set_object (value, self->parent_cancellable);
      break;
    case PROP_PARENT:
      g_value_set_object (value, self->parent);
      break;
    case PROP_N_MEMBERS:
      g_value_set_uint (value, concur_task_group_get_n_members (self));
      break;
    case PROP_N_RUNNING:
      g_value_set_uint (value, concur_task_group_get_n_running (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_task_group_set_property (GObject      *object,
                                guint         prop_id,
                                const GValue *value,
                                GParamSpec   *pspec)
{
  ConcurTaskGroup *self = CONCUR_TASK_GROUP (object);

  switch (prop_id)
    {
    case PROP_EXECUTOR:
      self->executor = g_value_dup_object (value);
      break;
    case PROP_POLICY:
      self->policy = g_value_get_enum (value);
      break;
    case PROP_PARENT_CANCELLABLE:
      self->parent_cancellable = g_value_dup_object (value);
      break;
    case PROP_PARENT:
      self->parent = g_value_dup_object (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
concur_task_group_class_init (ConcurTaskGroupClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GParamFlags setting = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS
                        | G_PARAM_EXPLICIT_NOTIFY;
  GParamFlags number = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

  object_class->constructed = concur_task_group_constructed;
  object_class->dispose = concur_task_group_dispose;
  object_class->finalize = concur_task_group_finalize;
  object_class->get_property = concur_task_group_get_property;
  object_class->set_property = concur_task_group_set_property;

  /**
   * ConcurTaskGroup:executor: (getter get_executor)
   *
   * Where jobs that are submitted through the group run. %NULL stands for the default
   * executor.
   *
   * Since: 1.0
   */
  properties[PROP_EXECUTOR] = g_param_spec_object ("executor", NULL, NULL, CONCUR_TYPE_EXECUTOR,
                                                   setting);

  /**
   * ConcurTaskGroup:policy: (getter get_policy)
   *
   * What an error of one member is to the others.
   *
   * Since: 1.0
   */
  properties[PROP_POLICY] = g_param_spec_enum ("policy", NULL, NULL, CONCUR_TYPE_GROUP_POLICY,
                                               CONCUR_GROUP_CANCEL_ON_ERROR, setting);

  /**
   * ConcurTaskGroup:parent-cancellable: (getter get_parent_cancellable)
   *
   * Cancels the group when it is cancelled. It has one handler for the whole group, however
   * many members there are.
   *
   * Since: 1.0
   */
  properties[PROP_PARENT_CANCELLABLE] = g_param_spec_object ("parent-cancellable", NULL, NULL,
                                                             G_TYPE_CANCELLABLE, setting);

  /**
   * ConcurTaskGroup:parent: (getter get_parent)
   *
   * The group that this one is a member of. If that is closed already, this one is
   * cancelled from the beginning.
   *
   * Since: 1.0
   */
  properties[PROP_PARENT] = g_param_spec_object ("parent", NULL, NULL, CONCUR_TYPE_TASK_GROUP,
                                                 setting);

  /**
   * ConcurTaskGroup:n-members: (getter get_n_members)
   *
   * How many members there are, those that are done included. There is no notification of
   * it.
   *
   * Since: 1.0
   */
  properties[PROP_N_MEMBERS] = g_param_spec_uint ("n-members", NULL, NULL, 0, G_MAXUINT, 0, number);

  /**
   * ConcurTaskGroup:n-running: (getter get_n_running)
   *
   * How many members are not done. There is no notification of it.
   *
   * Since: 1.0
   */
  properties[PROP_N_RUNNING] = g_param_spec_uint ("n-running", NULL, NULL, 0, G_MAXUINT, 0, number);

  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
concur_task_group_init (ConcurTaskGroup *self)
{
}

/**
 * concur_task_group_new:
 * @executor: (nullable): where jobs run, or %NULL for the default executor
 * @cancellable: (nullable): cancels the group when it is cancelled
 *
 * Makes a group in which the first error cancels the others. For another policy, or a group
 * in a group, set [property@TaskGroup:policy] and [property@TaskGroup:parent] when it is
 * constructed.
 *
 * Returns: (transfer full): a new group
 *
 * Since: 1.0
 */
ConcurTaskGroup *
concur_task_group_new (ConcurExecutor *executor,
                       GCancellable   *cancellable)
{
  g_return_val_if_fail (executor == NULL || CONCUR_IS_EXECUTOR (executor), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);

  return g_object_new (CONCUR_TYPE_TASK_GROUP, "executor", executor, "parent-cancellable",
                       cancellable, NULL);
}

/**
 * concur_task_group_get_executor: (get-property executor)
 * @self: a group
 *
 * Gets where jobs that are submitted through the group run.
 *
 * Returns: (transfer none): the executor
 *
 * Since: 1.0
 */
ConcurExecutor *
concur_task_group_get_executor (ConcurTaskGroup *self)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);

  return self->executor;
}

/**
 * concur_task_group_get_policy: (get-property policy)
 * @self: a group
 *
 * Gets what an error of one member is to the others.
 *
 * Returns: the policy
 *
 * Since: 1.0
 */
ConcurGroupPolicy
concur_task_group_get_policy (ConcurTaskGroup *self)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), CONCUR_GROUP_CANCEL_ON_ERROR);

  return self->policy;
}

/**
 * concur_task_group_get_parent: (get-property parent)
 * @self: a group
 *
 * Gets the group that this one is a member of.
 *
 * Returns: (transfer none) (nullable): the outer group, or %NULL
 *
 * Since: 1.0
 */
ConcurTaskGroup *
concur_task_group_get_parent (ConcurTaskGroup *self)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);

  return self->parent;
}

/**
 * concur_task_group_get_parent_cancellable: (get-property parent-cancellable)
 * @self: a group
 *
 * Gets the cancellable that the group was made with. What its members look at is
 * [method@TaskGroup.get_cancellable].
 *
 * Returns: (transfer none) (nullable): the cancellable, or %NULL
 *
 * Since: 1.0
 */
GCancellable *
concur_task_group_get_parent_cancellable (ConcurTaskGroup *self)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);

  return self->parent_cancellable;
}

/**
 * concur_task_group_get_n_members: (get-property n-members)
 * @self: a group
 *
 * Gets how many members there are, those that are done included.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_task_group_get_n_members (ConcurTaskGroup *self)
{
  guint n_members;

  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), 0);

  concur_lock_acquire (&self->core->lock);
  n_members = self->core->n_members;
  concur_lock_release (&self->core->lock);

  return n_members;
}

/**
 * concur_task_group_get_n_running: (get-property n-running)
 * @self: a group
 *
 * Gets how many members are not done. A member may be done a moment before it does not
 * count any more.
 *
 * Returns: the number
 *
 * Since: 1.0
 */
guint
concur_task_group_get_n_running (ConcurTaskGroup *self)
{
  guint n_running;

  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), 0);

  concur_lock_acquire (&self->core->lock);
  n_running = self->core->n_running;
  concur_lock_release (&self->core->lock);

  return n_running;
}

/**
 * concur_task_group_cancel:
 * @self: a group
 * @flags: how to treat members that are already running
 *
 * Cancels the group and its members, as [method@Future.cancel] would with each.
 *
 * Members that have not begun are cancelled when this returns (but not yet when it is called
 * from a direct callback). With %CONCUR_CANCEL_ABANDON so are those that are running, and
 * the future of the whole. With %CONCUR_CANCEL_QUEUED only members that have not begun are
 * cancelled: the group itself goes on, and takes new ones.
 *
 * May be called from any thread. Direct callbacks and handlers of cancellables run on the
 * calling thread.
 *
 * Returns: %TRUE if the group was not over
 *
 * Since: 1.0
 */
gboolean
concur_task_group_cancel (ConcurTaskGroup   *self,
                          ConcurCancelFlags  flags)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), FALSE);

  return !concur_is_forked () && concur_group_core_cancel (self->core, flags);
}

/**
 * concur_task_group_is_cancelled:
 * @self: a group
 *
 * Gets whether the group was told to stop: cancelled, or by the error of a member.
 *
 * Returns: %TRUE if it was
 *
 * Since: 1.0
 */
gboolean
concur_task_group_is_cancelled (ConcurTaskGroup *self)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), FALSE);

  return concur_job_is_cancelled (CONCUR_JOB (self->end));
}

/**
 * concur_task_group_get_cancellable:
 * @self: a group
 *
 * Gets a cancellable that is cancelled when the group is told to stop, to hand to GIO
 * functions inside of members.
 *
 * It is the group's own, made at the first call; cancelling it does not cancel the group.
 *
 * Returns: (transfer none): the cancellable, valid as long as the group
 *
 * Since: 1.0
 */
GCancellable *
concur_task_group_get_cancellable (ConcurTaskGroup *self)
{
  g_return_val_if_fail (CONCUR_IS_TASK_GROUP (self), NULL);

  return concur_future_get_cancellable (self->end);
}
