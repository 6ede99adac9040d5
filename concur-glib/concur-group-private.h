/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of a task group share.
 *
 * A ConcurTaskGroup is a handle on a core. What the group ends with, the future that close ()
 * returns, is there from the beginning: a held job that nobody runs. So the group is asked to
 * stop by cancelling that, whether its parent cancellable does it, the group it is a member
 * of, whoever waits for it or an error; and its home is where the members are let go.
 *
 * A core is held by its handle, by each member that is not done, by what it ends with, by
 * the cores of the groups in it, and by callbacks. Until it is over it lends the library's
 * reference to what it ends with; after that it has no objects left. */

#pragma once

#include "concur-future-private.h"
#include "concur-home-private.h"
#include "concur-sync-private.h"
#include "concur-task-group.h"

G_BEGIN_DECLS

typedef struct _ConcurGroupCore     ConcurGroupCore;
typedef struct _ConcurGroupBinding  ConcurGroupBinding;
typedef struct _ConcurGroupCallback ConcurGroupCallback;
typedef struct _ConcurGroupWatch    ConcurGroupWatch;

struct _ConcurGroupCore
{
  /* immutable */
  ConcurGroupPolicy policy;
  ConcurGroupCore *parent;     /* (owned) (nullable): what silences us, too */
  ConcurHome *home;            /* held */

  ConcurLock lock;

  /* protected by lock */
  ConcurFuture *end;           /* until it is over; the library's reference */
  ConcurFuture **futures;      /* (owned) members as they were added; once closed, its list's */
  guint room;                  /* in that, until it is closed */
  guint n_members;
  guint n_running;             /* members that are not done */
  guint n_shown;               /* members that the progress tells of */
  ConcurFuture *failed;        /* (nullable): the first member that was rejected */
  guint stop_flags;            /* ConcurCancelFlags: how it was asked to stop */
  gboolean stopped;            /* who comes now is cancelled */
  gboolean sealed;             /* nobody comes any more */
  gboolean closed;             /* and the list is there */
  gboolean advancing;          /* somebody looks whether it is over, and looks again */
  gboolean over;
  ConcurGroupCallback *callbacks; /* each takes itself off the list */
  GHashTable *watches;         /* (nullable): ConcurFuture, perhaps gone → ConcurGroupWatch */

  /* protected by the bindings' lock */
  ConcurGroupBinding *bindings;

  /* atomic */
  ConcurWord refs;
  ConcurWord silenced;
};

struct _ConcurTaskGroup
{
  GObject parent_instance;

  /* immutable once constructed */
  ConcurExecutor *executor;         /* (owned) */
  ConcurTaskGroup *parent;          /* (owned) (nullable) */
  GCancellable *parent_cancellable; /* (owned) (nullable) */
  ConcurGroupPolicy policy;
  ConcurGroupCore *core;            /* (owned) */
  ConcurFuture *end;                /* (owned) */
};

/* With what it ends with, whose home it takes over a hold on. */
ConcurGroupCore *concur_group_core_new        (ConcurGroupPolicy   policy,
                                               ConcurGroupCore    *parent,
                                               ConcurHome         *home,
                                               GCancellable       *cancellable);
ConcurGroupCore *concur_group_core_ref        (ConcurGroupCore    *self);
/* For who only knows where it is, under a lock that keeps it there. FALSE: it is going. */
gboolean         concur_group_core_try_ref    (ConcurGroupCore    *self);
void             concur_group_core_unref      (ConcurGroupCore    *self);

/* FALSE: it is closed. */
gboolean         concur_group_core_add        (ConcurGroupCore    *self,
                                               ConcurFuture       *future);
/* Once; a second time it does nothing. The caller keeps what it ends with. */
void             concur_group_core_close      (ConcurGroupCore    *self);
/* FALSE: it is over. */
gboolean         concur_group_core_cancel     (ConcurGroupCore    *self,
                                               ConcurCancelFlags   flags);

/* No callback of it begins any more. */
void             concur_group_core_silence    (ConcurGroupCore    *self);
/* The core goes: no object is to cancel it any more. */
void             concur_group_core_unbind     (ConcurGroupCore    *self);

G_END_DECLS
