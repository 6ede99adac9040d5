/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Members, and the end.
 *
 * Whatever may be the last thing a group waits for, that a member is done or that it is
 * closed, ends with a look whether it is over, by one thread at a time. Nothing recurses,
 * however deep groups are in each other: members are cancelled, and tell that they are done,
 * by the trampoline of the direct callbacks. */

#include "config.h"

#include "concur-combine.h"
#include "concur-derivation-private.h"
#include "concur-exit-private.h"
#include "concur-future-list-private.h"
#include "concur-group-private.h"
#include "concur-job-private.h"

typedef struct
{
  ConcurCallback callback;
  ConcurGroupCore *group; /* (owned) */
} Member;

/* On its way to cancel the members. */
typedef struct
{
  ConcurHomeItem item;    /* later to go home */
  ConcurGroupCore *group; /* (owned) */
  ConcurFuture *end;      /* (owned): keeps the members */
  ConcurCancelFlags flags;
} Stop;

/* What a group ends with. */
typedef struct
{
  ConcurJob parent_instance;

  /* immutable */
  ConcurGroupCore *group; /* (owned) */
} ConcurTaskGroupEnd;

typedef struct
{
  ConcurJobClass parent_class;
} ConcurTaskGroupEndClass;

static GType concur_task_group_end_get_type (void) G_GNUC_CONST;

G_DEFINE_FINAL_TYPE (ConcurTaskGroupEnd, concur_task_group_end, CONCUR_TYPE_JOB)

static void
concur_task_group_end_finalize (GObject *object)
{
  ConcurGroupCore *group = ((ConcurTaskGroupEnd *) object)->group;

  G_OBJECT_CLASS (concur_task_group_end_parent_class)->finalize (object);

  concur_group_core_unref (group);
}

static void
concur_task_group_end_class_init (ConcurTaskGroupEndClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_task_group_end_finalize;
}

static void
concur_task_group_end_init (ConcurTaskGroupEnd *self)
{
}

ConcurGroupCore *
concur_group_core_new (ConcurGroupPolicy  policy,
                       ConcurGroupCore   *parent,
                       ConcurHome        *home,
                       GCancellable      *cancellable)
{
  ConcurGroupCore *self = g_new0 (ConcurGroupCore, 1);
  ConcurTaskGroupEnd *end = g_object_new (concur_task_group_end_get_type (), NULL);

  concur_lock_init (&self->lock);
  self->policy = policy;
  self->parent = parent != NULL ? concur_group_core_ref (parent) : NULL;
  self->home = concur_home_hold (home);
  self->end = CONCUR_FUTURE (end);
  concur_atomic_init (&self->refs, 1);
  concur_atomic_init (&self->silenced, FALSE);

  end->group = concur_group_core_ref (self);
  /* Nobody else has it yet. */
  concur_atomic_init (&concur_future_private (end)->state,
                      CONCUR_PHASE_RUNNING | CONCUR_STATE_SUBMITTED | CONCUR_STATE_HOLD
                        | CONCUR_STATE_GROUP);
  concur_job_set_up (CONCUR_JOB (end), home, cancellable);

  return self;
}

ConcurGroupCore *
concur_group_core_ref (ConcurGroupCore *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

gboolean
concur_group_core_try_ref (ConcurGroupCore *self)
{
  guint32 refs = concur_atomic_load (&self->refs, CONCUR_RELAXED);

  do
    {
      if (refs == 0)
        return FALSE;
    }
  /* As in ref (): the lock that keeps it there publishes what was done before. */
  while (!concur_atomic_cas (&self->refs, &refs, refs + 1, CONCUR_ACQ_REL));

  return TRUE;
}

void
concur_group_core_unref (ConcurGroupCore *self)
{
  /* Release what this thread did with it, acquire what the others did: the last one frees.
   * With it may go the one it is in, and so on. */
  while (self != NULL && concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) == 1)
    {
      ConcurGroupCore *parent = self->parent;

      concur_group_core_unbind (self);
      g_clear_pointer (&self->watches, g_hash_table_unref);
      concur_home_drop (self->home);
      concur_lock_clear (&self->lock);
      g_free (self);
      self = parent;
    }
}

static void
stop_arrived (ConcurHomeItem *item,
              gboolean        here)
{
  Stop *self = (Stop *) item;

  g_object_unref (self->end);
  g_slice_free (Stop, self);
}

/* It may be the last reference to the members, which go at home. */
static void
stop_go_home (Stop *self)
{
  ConcurGroupCore *group = self->group;

  if (concur_home_is_here (group->home))
    {
      stop_arrived (&self->item, TRUE);
    }
  else
    {
      self->item.func = stop_arrived;
      concur_home_release (concur_home_hold (group->home), &self->item);
    }
  concur_group_core_unref (group);
}

static void
stop_run (ConcurHomeItem *item,
          gboolean        here)
{
  Stop *self = (Stop *) item;
  ConcurGroupCore *group = self->group;

  for (guint i = 0;; i++)
    {
      ConcurFuture *future;

      /* The array may be replaced, and moves as it grows. */
      concur_lock_acquire (&group->lock);
      future = !group->over && i < group->n_members ? group->futures[i] : NULL;
      concur_lock_release (&group->lock);
      if (future == NULL)
        break;

      concur_future_cancel (future, self->flags);
    }

  stop_go_home (self);
}

/* Cancels the members, once this thread has nothing else to tell. Takes over a reference
 * to @end. */
static void
core_stop (ConcurGroupCore   *self,
           ConcurFuture      *end,
           ConcurCancelFlags  flags)
{
  Stop *stop = g_slice_new0 (Stop);

  stop->item.func = stop_run;
  stop->group = concur_group_core_ref (self);
  stop->end = end;
  stop->flags = flags;
  concur_future_trampoline (&stop->item);
}

void
concur_group_end_asked (ConcurFuture      *future,
                        ConcurCancelFlags  flags)
{
  ConcurGroupCore *self = ((ConcurTaskGroupEnd *) future)->group;

  /* Somebody who is not there may have the lock. */
  if (concur_is_forked ())
    return;

  concur_lock_acquire (&self->lock);
  self->stopped = TRUE;
  self->stop_flags |= flags;
  concur_lock_release (&self->lock);

  core_stop (self, g_object_ref (future), flags);
}

gboolean
concur_group_core_cancel (ConcurGroupCore   *self,
                          ConcurCancelFlags  flags)
{
  ConcurFuture *end;
  Stop *stop;

  concur_lock_acquire (&self->lock);
  end = !self->over ? g_object_ref (self->end) : NULL;
  concur_lock_release (&self->lock);
  if (end == NULL)
    return FALSE;

  /* Those that have begun go on, and so does the group. */
  if (flags & CONCUR_CANCEL_QUEUED)
    {
      core_stop (self, end, flags);
      return TRUE;
    }

  concur_future_cancel (end, flags);

  stop = g_slice_new0 (Stop);
  stop->group = concur_group_core_ref (self);
  stop->end = end;
  stop_go_home (stop);

  return TRUE;
}

/* By one thread, once: every member is done and no more can come. */
static void
core_finish (ConcurGroupCore *self)
{
  ConcurFuture *end, *failed;
  gboolean cancelled;

  concur_lock_acquire (&self->lock);
  end = g_steal_pointer (&self->end);
  failed = g_steal_pointer (&self->failed);
  self->futures = NULL;
  concur_lock_release (&self->lock);

  cancelled = (concur_future_state (end) & CONCUR_STATE_CANCEL) != 0;
  if (self->policy == CONCUR_GROUP_CANCEL_ON_ERROR && failed != NULL)
    concur_future_answer_from (end, failed);
  else if (self->policy == CONCUR_GROUP_CANCEL_ON_ERROR && cancelled)
    concur_future_answer_error (end, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED,
                                                          "The task group was cancelled"));
  else
    concur_future_answer_object (end, concur_future_get_children (end));
  /* From here on it is at home, or on its way there. */
}

/* Something has changed that may be the last. Shows the progress, too: by one thread at a
 * time, so it never goes back. */
static void
core_advance (ConcurGroupCore *self)
{
  gboolean over;

  concur_lock_acquire (&self->lock);
  if (!self->closed || self->advancing || self->over)
    {
      concur_lock_release (&self->lock);
      return;
    }

  self->advancing = TRUE;
  while (self->n_shown != self->n_members - self->n_running)
    {
      double progress;

      self->n_shown = self->n_members - self->n_running;
      progress = (double) self->n_shown / self->n_members;
      concur_lock_release (&self->lock);

      concur_future_set_progress (self->end, progress);

      concur_lock_acquire (&self->lock);
    }
  self->advancing = FALSE;
  over = self->n_running == 0;
  self->over = over;
  concur_lock_release (&self->lock);

  if (over)
    core_finish (self);
}

static void
member_told (ConcurFuture *future,
             gpointer      data)
{
  Member *member = data;
  ConcurGroupCore *self = member->group;

  g_slice_free (Member, member);
  if (concur_is_forked ())
    return;

  if (CONCUR_PHASE (concur_future_state (future)) == CONCUR_PHASE_REJECTED)
    {
      gboolean first;

      concur_lock_acquire (&self->lock);
      first = self->failed == NULL;
      if (first)
        self->failed = future;
      concur_lock_release (&self->lock);

      /* As long as this one counts as running it is not over. */
      if (first && self->policy == CONCUR_GROUP_CANCEL_ON_ERROR)
        concur_future_cancel (self->end, CONCUR_CANCEL_NONE);
    }

  concur_lock_acquire (&self->lock);
  self->n_running--;
  concur_lock_release (&self->lock);

  core_advance (self);
  concur_group_core_unref (self);
}

gboolean
concur_group_core_add (ConcurGroupCore *self,
                       ConcurFuture    *future)
{
  Member *member = g_slice_new0 (Member);
  ConcurCancelFlags flags = CONCUR_CANCEL_NONE;
  gboolean added, stopped = FALSE;

  g_object_ref (future);

  concur_lock_acquire (&self->lock);
  added = !self->sealed;
  if (added)
    {
      if (self->n_members == self->room)
        {
          self->room = MAX (8, self->room * 2);
          self->futures = g_renew (ConcurFuture *, self->futures, self->room);
        }
      self->futures[self->n_members++] = future;
      self->n_running++;
      /* Marked, perhaps, by its parent cancellable, and not told of it yet. */
      stopped = !CONCUR_PLANTED_BUG ("group-without-look")
                && (self->stopped || (concur_future_state (self->end) & CONCUR_STATE_CANCEL));
      flags = self->stop_flags;
    }
  concur_lock_release (&self->lock);

  if (!added)
    {
      g_object_unref (future);
      g_slice_free (Member, member);
      return FALSE;
    }

  member->group = concur_group_core_ref (self);
  concur_future_add_node (future, &member->callback, member_told, member);
  if (stopped)
    concur_future_cancel (future, flags);

  return TRUE;
}

static void
never_told (ConcurDerivation *self,
            ConcurInput      *input)
{
  g_assert_not_reached ();
}

/* So that who waits for the end knows what for. The members tell us, not the derivation. */
static void
core_derive_end (ConcurGroupCore  *self,
                 ConcurFuture    **futures,
                 guint             n_futures)
{
  ConcurDerivation *derivation
      = concur_derivation_new (sizeof (ConcurDerivation), self->end, futures, n_futures,
                               CONCUR_DERIVE_PLAIN, never_told, NULL);

  concur_derivation_set_home (derivation, concur_home_hold (self->home));
  concur_future_set_derivation (self->end, derivation);
  /* Abandoned before, or meanwhile. */
  if (CONCUR_PHASE_IS_DONE (concur_future_state (self->end)))
    concur_derivation_settled (self->end);
}

void
concur_group_core_close (ConcurGroupCore *self)
{
  ConcurFuture **futures;
  ConcurFutureList *list;
  guint n_futures;
  gboolean first;

  concur_lock_acquire (&self->lock);
  first = !self->sealed;
  self->sealed = TRUE;
  futures = self->futures;
  n_futures = self->n_members;
  concur_lock_release (&self->lock);

  if (!first)
    return;

  /* Nobody else replaces the array, or ends the group, until it is closed. */
  list = concur_future_list_new (futures, n_futures, NULL);
  concur_future_set_children (self->end, G_OBJECT (list));
  if (n_futures > 0)
    core_derive_end (self, futures, n_futures);

  concur_lock_acquire (&self->lock);
  self->futures = concur_future_list_peek (list);
  self->closed = TRUE;
  concur_lock_release (&self->lock);

  /* None of these is the last reference: the caller keeps what has the list. */
  for (guint i = 0; i < n_futures; i++)
    g_object_unref (futures[i]);
  g_free (futures);

  core_advance (self);
}
