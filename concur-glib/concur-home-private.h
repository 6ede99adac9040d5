/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Where things go back to. A home is a main context, or a thread that has none; it takes
 * items from any thread and deals with them on its own: releases (what was submitted is
 * let go) and posts (callbacks). DESIGN calls this the release rule. */

#pragma once

#include "concur-home.h"
#include "concur-sync-private.h"
#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _ConcurHome     ConcurHome;
typedef struct _ConcurHomeItem ConcurHomeItem;

/* @here: FALSE when the home is gone and somebody else clears up; a callback is then
 * not called, what it held is still let go. */
typedef void (*ConcurHomeFunc) (ConcurHomeItem *item,
                                gboolean        here);

struct _ConcurHomeItem
{
  ConcurHomeItem *next;
  ConcurHomeFunc func;
};

/* A held home keeps its context alive, as a pending GTask does. */
ConcurHome   *concur_home_hold_current     (void);
ConcurHome   *concur_home_hold_for_context (GMainContext   *context);
/* For what is let go in @context, which the caller keeps alive, whoever submits it. */
ConcurHome   *concur_home_hold_to_submit   (GMainContext   *context);
ConcurHome   *concur_home_hold             (ConcurHome     *self);
void          concur_home_drop             (ConcurHome     *self);

/* Both take over the caller's hold on @self. */
void          concur_home_release          (ConcurHome     *self,
                                            ConcurHomeItem *item);
void          concur_home_post             (ConcurHome     *self,
                                            ConcurHomeItem *item);

/* Whether this thread may do now what belongs to @self. */
gboolean      concur_home_is_here          (ConcurHome     *self);
/* Whether posts to it are ever dispatched. */
gboolean      concur_home_has_loop         (ConcurHome     *self);
/* Whether this thread owns @context, which may be gone, if that is anybody's home. */
gboolean      concur_home_context_is_here  (GMainContext   *context);
/* Whether the calling thread has a main context to keep running. */
gboolean      concur_home_thread_has_loop  (void);

/* Deals with up to @most releases that wait for this thread. */
guint         concur_home_serve_now        (guint           most);

typedef struct
{
  ConcurHomeItem *first;
  ConcurHomeItem **end;
} ConcurHomeList;

/* The beginning of a home, for a quick look whether there is anything to do. */
typedef struct
{
  _Atomic (ConcurHomeItem *) releases; /* newest first, or CLOSED */
  ConcurHomeList old_releases;         /* owner thread: taken off, oldest first */
  ConcurWord left;                     /* atomic: there were some there last time */
} ConcurHomeFront;

/* This thread's own home, and the one it submitted from last. */
extern _Thread_local ConcurHomeFront *concur_thread_home;
extern _Thread_local ConcurHomeFront *concur_recent_home;

/* Relaxed: a hint. Of a context that this thread has left, another one may be the owner. */
static inline gboolean
concur_home_front_has_items (ConcurHomeFront *front)
{
  return front != NULL
         && (concur_atomic_load (&front->left, CONCUR_RELAXED)
             || concur_atomic_load (&front->releases, CONCUR_RELAXED) != NULL);
}

/* The same, at the cost of a look if there are none. */
static inline void
concur_home_serve (guint most)
{
  if (concur_home_front_has_items (concur_recent_home)
      || concur_home_front_has_items (concur_thread_home))
    concur_home_serve_now (most);
}

/* For a post that has taken its time: those that come after it wait until the loop has
 * looked at everything else. On the thread that runs it. */
void          concur_home_end_turn         (ConcurHome     *self);

/* For threads that park between jobs: an item that comes to the calling thread's home
 * rings the parker. @home is that home, held. */
ConcurParker *concur_home_get_parker       (ConcurHome    **home);
/* Wakes who parks there; takes over the caller's hold on @self. */
void          concur_home_ring             (ConcurHome     *self);
/* The calling thread ends its time with us, though the thread itself may live on. */
void          concur_home_leave_thread     (void);

#ifdef CONCUR_TESTING
extern _Atomic gint concur_homes_alive;
#endif

G_END_DECLS
