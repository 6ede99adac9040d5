/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What few futures have: a name, progress, a status text, a cancellable of their own,
 * somebody who listens to their properties. All of it is in a block made when first
 * needed and protected by the future's stripe.
 *
 * Notifications go home as one item that carries a mask, so that ten thousand steps of
 * progress between two iterations of the main loop are one notification. */

#include "config.h"

#include "concur-combine.h"
#include "concur-view-private.h"

static guint notify_signal;
static GParamSpec *notify_pspecs[4]; /* in the order of the mask's bits */

void
concur_future_init_notify (GObjectClass *object_class)
{
  notify_signal = g_signal_lookup ("notify", G_TYPE_OBJECT);
  notify_pspecs[0] = g_object_class_find_property (object_class, "name");
  notify_pspecs[1] = g_object_class_find_property (object_class, "progress");
  notify_pspecs[2] = g_object_class_find_property (object_class, "status-text");
  notify_pspecs[3] = g_object_class_find_property (object_class, "state");
}

static void
notify_arrived (ConcurHomeItem *item,
                gboolean        here)
{
  ConcurExtra *extra = (ConcurExtra *) item;
  ConcurFuture *self = extra->notifying;
  ConcurLock *stripe = concur_future_stripe (self);
  guint notify, i;

  concur_lock_acquire (stripe);
  notify = extra->notify;
  extra->notify = 0;
  extra->notifying = NULL;
  concur_lock_release (stripe);

  for (i = 0; here && i < G_N_ELEMENTS (notify_pspecs); i++)
    {
      if (notify & (1u << i))
        g_object_notify_by_pspec (G_OBJECT (self), notify_pspecs[i]);
    }

  g_object_unref (self);
}

static ConcurExtra *
extra_get_locked (ConcurFuturePrivate *priv)
{
  ConcurExtra *extra = concur_atomic_load (&priv->extra, CONCUR_RELAXED);

  if (extra == NULL)
    {
      extra = g_slice_new0 (ConcurExtra);
      extra->notify_item.func = notify_arrived;
      /* Release: pairs with the loads that look without the stripe. */
      concur_atomic_store (&priv->extra, extra, CONCUR_RELEASE);
    }

  return extra;
}

/* Nothing is posted while nobody listens: it would keep the future alive until that
 * context runs, for ever in a script that only blocks. */
static gboolean
has_listeners (ConcurFuture *self)
{
  /* Not g_signal_has_handler_pending (): that wants one detail, and "notify" has many. */
  return g_signal_handler_find (self, G_SIGNAL_MATCH_ID, notify_signal, 0, NULL, NULL, NULL) != 0;
}

static ConcurHome *
share_home_locked (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurHome *home;

  /* Either the thread that ends the job finds this bit and asks for the stripe before it
   * takes home away, or we find that it is over. Sequentially consistent on both sides. */
  if (concur_atomic_or (&priv->state, CONCUR_STATE_HOME_SHARED, CONCUR_SEQ_CST) & CONCUR_STATE_OVER)
    return NULL;

  /* Acquire: pairs with the release in concur_job_set_up (). */
  home = concur_atomic_load (&priv->home, CONCUR_ACQUIRE);

  return home != NULL ? concur_home_hold (home) : NULL;
}

ConcurHome *
concur_future_hold_home (ConcurFuture *self)
{
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurHome *home;

  concur_lock_acquire (stripe);
  home = share_home_locked (self);
  concur_lock_release (stripe);

  return home;
}

/* Whether there is something to post, with @home held for it. */
static ConcurHome *
notify_locked (ConcurFuture *self,
               ConcurExtra  *extra,
               guint         what)
{
  ConcurHome *home;

  extra->notify |= what;
  if (extra->notifying != NULL)
    return NULL;

  home = share_home_locked (self);
  if (home != NULL && !concur_home_has_loop (home))
    g_clear_pointer (&home, concur_home_drop);

  if (home != NULL)
    extra->notifying = g_object_ref (self);
  else
    extra->notify = 0;

  return home;
}

static void
notify_post (ConcurFuture *self,
             ConcurHome   *home)
{
  ConcurExtra *extra;

  if (home == NULL)
    return;

  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  concur_home_post (home, &extra->notify_item);
}

ConcurHome *
concur_future_steal_home (ConcurFuture *self,
                          guint32      *before)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurLock *stripe = NULL;
  ConcurHome *home;

  /* Sequentially consistent: see share_home_locked (). */
  *before = concur_atomic_or (&priv->state, CONCUR_STATE_OVER, CONCUR_SEQ_CST);
  if (*before & CONCUR_STATE_HOME_SHARED)
    {
      stripe = concur_future_stripe (self);
      concur_lock_acquire (stripe);
    }

  home = concur_atomic_load (&priv->home, CONCUR_RELAXED);
  concur_atomic_store (&priv->home, NULL, CONCUR_RELAXED);

  if (stripe != NULL)
    concur_lock_release (stripe);

  return home;
}

void
concur_future_notify_done (ConcurFuture *self,
                           gboolean      ends)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurHome *home = concur_atomic_load (&priv->home, CONCUR_RELAXED);
  ConcurLock *stripe;
  ConcurExtra *extra;

  /* Without a loop at home nobody is ever told. Only the thread that ends the work may
   * look into home without the stripe. */
  if (home == NULL || (ends && !concur_home_has_loop (home)) || !has_listeners (self))
    return;

  home = NULL;
  stripe = concur_future_stripe (self);
  concur_lock_acquire (stripe);
  extra = extra_get_locked (priv);
  if (!extra->told_done)
    {
      home = notify_locked (self, extra, CONCUR_NOTIFY_STATE);
      extra->told_done = home != NULL || extra->notifying != NULL;
    }
  concur_lock_release (stripe);

  notify_post (self, home);
}

void
concur_future_tell_done (ConcurFuture *self)
{
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurExtra *extra;
  gboolean told;

  if (!has_listeners (self))
    return;

  concur_lock_acquire (stripe);
  extra = extra_get_locked (concur_future_private (self));
  told = extra->told_done;
  extra->told_done = TRUE;
  concur_lock_release (stripe);

  if (!told)
    g_object_notify_by_pspec (G_OBJECT (self), notify_pspecs[3]);
}

/* Whether there are views to be told, afterwards. */
static gboolean
changed_locked (ConcurExtra *extra,
                guint        followed)
{
  extra->n_changes[followed]++;

  return extra->views != NULL;
}

void
concur_future_set_progress (ConcurFuture *self,
                            double        progress)
{
  ConcurLock *stripe = concur_future_stripe (self);
  gboolean listeners = has_listeners (self);
  gboolean views = FALSE;
  ConcurHome *home = NULL;
  ConcurExtra *extra;

  /* Written so that NaN is 0 too. */
  progress = progress > 0 ? MIN (progress, 1) : 0;

  concur_lock_acquire (stripe);
  extra = extra_get_locked (concur_future_private (self));
  if (extra->progress != progress && !CONCUR_PHASE_IS_DONE (concur_future_state (self)))
    {
      extra->progress = progress;
      views = changed_locked (extra, CONCUR_FOLLOWED_PROGRESS);
      if (listeners)
        home = notify_locked (self, extra, CONCUR_NOTIFY_PROGRESS);
    }
  concur_lock_release (stripe);

  notify_post (self, home);
  if (views)
    concur_view_tell (self, CONCUR_NOTIFY_PROGRESS);
}

void
concur_future_set_status_text (ConcurFuture *self,
                               const char   *text)
{
  ConcurLock *stripe = concur_future_stripe (self);
  gboolean listeners = has_listeners (self);
  gboolean views = FALSE;
  char *copy = g_strdup (text);
  ConcurHome *home = NULL;
  ConcurExtra *extra;

  concur_lock_acquire (stripe);
  extra = extra_get_locked (concur_future_private (self));
  if (g_strcmp0 (extra->status_text, copy) != 0
      && !CONCUR_PHASE_IS_DONE (concur_future_state (self)))
    {
      char *old = extra->status_text;

      extra->status_text = copy;
      copy = old;
      views = changed_locked (extra, CONCUR_FOLLOWED_STATUS_TEXT);
      if (listeners)
        home = notify_locked (self, extra, CONCUR_NOTIFY_STATUS_TEXT);
    }
  concur_lock_release (stripe);

  notify_post (self, home);
  if (views)
    concur_view_tell (self, CONCUR_NOTIFY_STATUS_TEXT);
  g_free (copy);
}

void
concur_future_add_view (ConcurFuture *self,
                        ConcurView   *view)
{
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurExtra *extra;

  concur_lock_acquire (stripe);
  extra = extra_get_locked (concur_future_private (self));
  view->next = extra->views;
  view->link = &extra->views;
  if (view->next != NULL)
    view->next->link = &view->next;
  extra->views = view;
  concur_lock_release (stripe);
}

void
concur_future_remove_view (ConcurFuture *self,
                           ConcurView   *view)
{
  ConcurLock *stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  if (view->link != NULL)
    {
      *view->link = view->next;
      if (view->next != NULL)
        view->next->link = view->link;
      view->link = NULL;
    }
  concur_lock_release (stripe);
}

void
concur_future_collect_views (ConcurFuture *self,
                             GPtrArray    *views)
{
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurExtra *extra;

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  for (ConcurView *view = extra != NULL ? extra->views : NULL; view != NULL; view = view->next)
    g_ptr_array_add (views, concur_derivation_ref (view));
  concur_lock_release (stripe);
}

void
concur_future_read_changes (ConcurFuture  *self,
                            guint          what,
                            ConcurChanges *changes)
{
  ConcurLock *stripe = concur_future_stripe (self);
  ConcurExtra *extra;

  *changes = (ConcurChanges) { .what = 0 };

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  if (extra != NULL)
    {
      changes->what = what;
      memcpy (changes->n_changes, extra->n_changes, sizeof extra->n_changes);
      changes->progress = extra->progress;
      if (what & CONCUR_NOTIFY_NAME)
        changes->name = g_strdup (extra->name);
      if (what & CONCUR_NOTIFY_STATUS_TEXT)
        changes->status_text = g_strdup (extra->status_text);
    }
  concur_lock_release (stripe);
}

/* Two that tell of a change may overtake each other: the count says which was later. */
static gboolean
is_news_locked (guint         *seen,
                ConcurChanges *changes,
                guint          followed)
{
  if (!(changes->what & (1u << followed))
      || (gint) (changes->n_changes[followed] - seen[followed]) <= 0)
    return FALSE;

  seen[followed] = changes->n_changes[followed];

  return TRUE;
}

static gboolean
swap_text_locked (char **text,
                  char **other)
{
  char *old = *text;

  if (g_strcmp0 (old, *other) == 0)
    return FALSE;

  *text = *other;
  *other = old;

  return TRUE;
}

guint
concur_future_follow (ConcurFuture  *self,
                      guint         *seen,
                      ConcurChanges *changes)
{
  ConcurLock *stripe = concur_future_stripe (self);
  gboolean listeners = has_listeners (self);
  ConcurHome *home = NULL;
  ConcurExtra *extra;
  guint told = 0;

  concur_lock_acquire (stripe);
  extra = extra_get_locked (concur_future_private (self));
  if (!CONCUR_PHASE_IS_DONE (concur_future_state (self)))
    {
      if (is_news_locked (seen, changes, CONCUR_FOLLOWED_NAME)
          && swap_text_locked (&extra->name, &changes->name))
        told |= CONCUR_NOTIFY_NAME;
      if (is_news_locked (seen, changes, CONCUR_FOLLOWED_STATUS_TEXT)
          && swap_text_locked (&extra->status_text, &changes->status_text))
        told |= CONCUR_NOTIFY_STATUS_TEXT;
      if (is_news_locked (seen, changes, CONCUR_FOLLOWED_PROGRESS)
          && extra->progress != changes->progress)
        {
          extra->progress = changes->progress;
          told |= CONCUR_NOTIFY_PROGRESS;
        }
    }
  for (guint i = 0; i < CONCUR_N_FOLLOWED; i++)
    extra->n_changes[i] += (told >> i) & 1;
  if (told != 0 && listeners)
    home = notify_locked (self, extra, told);
  if (extra->views == NULL)
    told = 0;
  concur_lock_release (stripe);

  notify_post (self, home);

  return told;
}

GCancellable *
concur_future_get_cancellable (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurLock *stripe = concur_future_stripe (self);
  GCancellable *cancellable;
  ConcurExtra *extra;

  concur_lock_acquire (stripe);
  extra = extra_get_locked (priv);
  cancellable = extra->cancellable;
  concur_lock_release (stripe);

  if (cancellable == NULL)
    {
      GCancellable *fresh = g_cancellable_new ();

      concur_lock_acquire (stripe);
      if (extra->cancellable == NULL)
        extra->cancellable = g_steal_pointer (&fresh);
      cancellable = extra->cancellable;
      concur_lock_release (stripe);

      g_clear_object (&fresh);
    }

  /* Either this sees CANCEL, or cancel (), which sets it before it looks, sees the
   * cancellable. Sequentially consistent on both sides. */
  if (concur_atomic_load (&priv->state, CONCUR_SEQ_CST) & CONCUR_STATE_CANCEL)
    g_cancellable_cancel (cancellable);

  return cancellable;
}

GCancellable *
concur_future_mark_cancelled (ConcurFuture *self)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurLock *stripe = concur_future_stripe (self);
  GCancellable *cancellable = NULL;
  ConcurExtra *extra;

  /* Sequentially consistent with get_cancellable (), as in cancel (). */
  concur_atomic_or (&priv->state, CONCUR_STATE_CANCEL, CONCUR_SEQ_CST);

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&priv->extra, CONCUR_RELAXED);
  if (extra != NULL && extra->cancellable != NULL)
    cancellable = g_object_ref (extra->cancellable);
  concur_lock_release (stripe);

  return cancellable;
}

void
concur_future_cancel_extra (ConcurFuture *self)
{
  GCancellable *cancellable = concur_future_mark_cancelled (self);

  if (cancellable != NULL)
    {
      g_cancellable_cancel (cancellable);
      g_object_unref (cancellable);
    }
}

void
concur_future_set_derivation (ConcurFuture     *self,
                              ConcurDerivation *derivation)
{
  ConcurFuturePrivate *priv = concur_future_private (self);
  ConcurLock *stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  extra_get_locked (priv)->derivation = derivation;
  concur_lock_release (stripe);

  /* Sequentially consistent with the move that makes it done and with cancel (): either
   * they find the bit and come for the derivation, or who connects it looks after this
   * and finds what they did. */
  concur_atomic_or (&priv->state, CONCUR_STATE_DERIVED, CONCUR_SEQ_CST);
}

void
concur_future_set_children (ConcurFuture *self,
                            GObject      *children)
{
  ConcurLock *stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  extra_get_locked (concur_future_private (self))->children = children;
  concur_lock_release (stripe);
}

gboolean
concur_future_take_derivation (ConcurFuture     *self,
                               ConcurDerivation *derivation)
{
  ConcurLock *stripe = concur_future_stripe (self);
  gboolean taken;
  ConcurExtra *extra;

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  taken = extra->derivation == derivation;
  if (taken)
    extra->derivation = NULL;
  concur_lock_release (stripe);

  /* Relaxed: it only spares others the look. */
  if (taken)
    concur_atomic_and (&concur_future_private (self)->state, ~(guint32) CONCUR_STATE_DERIVED,
                       CONCUR_RELAXED);

  return taken;
}

ConcurDerivation *
concur_derivation_of (ConcurFuture *future)
{
  ConcurLock *stripe = concur_future_stripe (future);
  ConcurDerivation *derivation = NULL;
  ConcurExtra *extra;

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (future)->extra, CONCUR_RELAXED);
  if (extra != NULL && extra->derivation != NULL)
    derivation = concur_derivation_ref (extra->derivation);
  concur_lock_release (stripe);

  return derivation;
}

void
concur_future_free_extra (ConcurFuture *self)
{
  ConcurExtra *extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_ACQUIRE);

  if (extra == NULL)
    return;

  g_clear_object (&extra->cancellable);
  g_clear_object (&extra->children);
  g_free (extra->name);
  g_free (extra->status_text);
  g_slice_free (ConcurExtra, extra);
}

/**
 * concur_future_set_name: (set-property name)
 * @self: a future
 * @name: (nullable): a name for people
 *
 * Names the future, for snapshots, logs and debuggers.
 *
 * Since: 1.0
 */
void
concur_future_set_name (ConcurFuture *self,
                        const char   *name)
{
  ConcurLock *stripe;
  ConcurExtra *extra;
  gboolean listeners;
  gboolean views = FALSE;
  ConcurHome *home = NULL;
  char *copy;

  g_return_if_fail (CONCUR_IS_FUTURE (self));

  stripe = concur_future_stripe (self);
  listeners = has_listeners (self);
  copy = g_strdup (name);

  concur_lock_acquire (stripe);
  extra = extra_get_locked (concur_future_private (self));
  if (g_strcmp0 (extra->name, copy) != 0)
    {
      char *old = extra->name;

      extra->name = copy;
      copy = old;
      views = changed_locked (extra, CONCUR_FOLLOWED_NAME);
      if (listeners)
        home = notify_locked (self, extra, CONCUR_NOTIFY_NAME);
    }
  concur_lock_release (stripe);

  notify_post (self, home);
  if (views)
    concur_view_tell (self, CONCUR_NOTIFY_NAME);
  g_free (copy);
}

/**
 * concur_future_dup_name: (get-property name)
 * @self: a future
 *
 * Gets the name of the future.
 *
 * Returns: (transfer full) (nullable): the name
 *
 * Since: 1.0
 */
char *
concur_future_dup_name (ConcurFuture *self)
{
  ConcurLock *stripe;
  ConcurExtra *extra;
  char *name;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  name = extra != NULL ? g_strdup (extra->name) : NULL;
  concur_lock_release (stripe);

  return name;
}

/**
 * concur_future_get_progress: (get-property progress)
 * @self: a future
 *
 * Gets how much of the work is done.
 *
 * Returns: from 0 to 1
 *
 * Since: 1.0
 */
double
concur_future_get_progress (ConcurFuture *self)
{
  ConcurLock *stripe;
  ConcurExtra *extra;
  double progress;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), 0);

  stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  progress = extra != NULL ? extra->progress : 0;
  concur_lock_release (stripe);

  return progress;
}

/**
 * concur_future_dup_status_text: (get-property status-text)
 * @self: a future
 *
 * Gets what the work last said it is doing.
 *
 * Returns: (transfer full) (nullable): the text
 *
 * Since: 1.0
 */
char *
concur_future_dup_status_text (ConcurFuture *self)
{
  ConcurLock *stripe;
  ConcurExtra *extra;
  char *text;

  g_return_val_if_fail (CONCUR_IS_FUTURE (self), NULL);

  stripe = concur_future_stripe (self);

  concur_lock_acquire (stripe);
  extra = concur_atomic_load (&concur_future_private (self)->extra, CONCUR_RELAXED);
  text = extra != NULL ? g_strdup (extra->status_text) : NULL;
  concur_lock_release (stripe);

  return text;
}
