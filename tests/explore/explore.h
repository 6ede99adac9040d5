/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The schedule explorer: what a model sees of it. README.md tells how it works. */

#pragma once

#include "concur-sync-private.h"

G_BEGIN_DECLS

/* The model's threads, those started by explore_spawn () included. */
#define EXPLORE_MAX_THREADS 8
#define EXPLORE_MAX_BUGS 6

typedef void (*ExploreFunc) (gpointer data);

typedef struct
{
  const char *name;

  /* On the controller, before the threads start; what it returns is handed to all others. */
  gpointer (*setup) (void);
  /* One function a thread, ended by NULL. */
  ExploreFunc threads[EXPLORE_MAX_THREADS];
  /* On the controller, when all threads have ended: the place for explore_check (). */
  ExploreFunc finish;
  ExploreFunc teardown;
  /* On each thread of the model as it ends: threads are used again for the next schedule,
   * so thread-local state must go. */
  void (*thread_exit) (void);

  /* Planted bugs that this model must find, ended by NULL. */
  const char *bugs[EXPLORE_MAX_BUGS];

  /* At most this many preemptions, however many are asked for; 0: no limit of its own. */
  guint bound;
  /* So many more than are asked for, in a small model. */
  guint more;
  /* More operations than this in one schedule are a livelock; 0: the default. */
  guint max_steps;
  /* Park and wait may return for no reason (counts as a preemption). */
  gboolean spurious;
  /* The model is searched for each explore_variant up to this, with pruning and without,
   * and has to have the same outcomes; 0: an ordinary model. */
  guint variants;
  /* The library is expected to warn. */
  gboolean may_warn;
  /* Memory that is still there after teardown is not a failure. */
  gboolean may_leak;
} ExploreModel;

extern guint explore_variant;

/* Starts another thread of the model; from a thread of the model or from setup. */
void     explore_spawn   (ExploreFunc   func,
                          gpointer      data);

/* FALSE on the controller and outside of a schedule. */
gboolean explore_inside  (void);

/* Names an address in reports. @label is not copied. */
void     explore_label   (const void   *address,
                          const char   *label);

/* Ends the schedule as failed and prints it with the string that replays it. */
void     explore_fail    (const char   *format,
                          ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

#define explore_check(condition)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (!(condition))                                                                              \
      explore_fail ("%s:%d: not so: %s", __FILE__, __LINE__, #condition);                          \
  }                                                                                                \
  G_STMT_END

/* How the schedule ended, for models that compare sets of outcomes. */
void     explore_outcome (guint64       outcome);

G_END_DECLS
