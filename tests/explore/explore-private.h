/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of the explorer share.
 *
 *   explore.c          threads, the token, decisions, the modelled locks
 *   explore-search.c   which schedule comes next, and which need not be looked at
 *   explore-memory.c   memory that is new in each schedule and never used twice in it
 *   explore-report.c   what is printed about a schedule that failed
 *   explore-main.c     options, one process a test, TAP */

#pragma once

#include "explore.h"

#include <pthread.h>

G_BEGIN_DECLS

#define MAX_THREADS EXPLORE_MAX_THREADS
#define CONTROLLER MAX_THREADS
#define MAX_OPTIONS (4 * MAX_THREADS)
#define MAX_STEPS 100000

/* An option: a thread, and what to do with it. */
enum
{
  OPTION_RUN = 0,
  OPTION_TIMEOUT = 1 << 4,
  OPTION_SPURIOUS = 2 << 4,
  OPTION_WAKE = 3 << 4,
  OPTION_THREAD_MASK = 0xf,
  OPTION_KIND_MASK = 0x30,
};

typedef enum
{
  STEP_LOAD = CONCUR_SYNC_LOAD,
  STEP_STORE = CONCUR_SYNC_STORE,
  STEP_UPDATE = CONCUR_SYNC_UPDATE,
  STEP_YIELD,
  STEP_LOCK,
  STEP_TRYLOCK,
  STEP_UNLOCK,
  STEP_WAIT,
  STEP_WAKE_ONE,
  STEP_WAKE_ALL,
  STEP_PARK,
  STEP_PARK_REFUSED,
  STEP_UNPARK_ONE,
  STEP_UNPARK_ALL,
  STEP_NOW,
  STEP_SPAWN,
  STEP_TIMEOUT,
  STEP_SPURIOUS,
  STEP_END,
} StepKind;

/* Something at an address that operations touch; lives for one schedule. */
typedef struct
{
  const void *address;
  const char *label;
  guint generation;
  guint number;         /* in order of first touch, for reports */
  guint16 key;          /* who touched it first, and as its how-manyeth: see search */
  guint8 readers;       /* masks of threads */
  guint8 writers;
  gint8 owner;          /* of a lock, or -1 */
  guint64 written;      /* hash of the last write, and of the reads since */
  guint64 read;
} Object;

typedef enum
{
  THREAD_FREE,
  THREAD_READY,         /* at its next operation; a lock it is about to take may be held */
  THREAD_WAITING,       /* parked, or waiting for a condition */
  THREAD_ENDED,
} ThreadState;

typedef struct
{
  int id;
  gboolean started;     /* the system's thread exists */
  ConcurWord go;        /* has the token */
  ExploreFunc func;
  gpointer data;

  ThreadState state;
  Object *wants;        /* the lock its next operation takes */
  Object *waits_on;     /* what has to be woken, and in which order they came */
  guint arrival;
  gboolean timed;
  gboolean timed_out;
  gboolean yielded;     /* lets others go first until one of them has changed something */
  gboolean rushing;     /* its yields do nothing until something was changed */
  guint8 passed[EXPLORE_MAX_THREADS]; /* how often it yielded while that one could run and did not */
  guint spins;          /* yields since anybody changed anything */
  guint n_touched;
  guint64 hash;         /* of all it did and all that this depended on */
  guint64 pending;      /* of the operation it is about to do */
} Thread;

typedef struct
{
  guint8 thread;
  guint8 kind;
  guint8 preempted;     /* by a switch away from a thread that could have gone on */
  guint object;         /* its number, 0 for none */
  const char *label;
  gconstpointer where;  /* the code that did it, and its caller */
  gconstpointer from;
} Step;

/* All about the schedule that is under way. */
typedef struct
{
  const ExploreModel *model;
  const char *bug;
  gboolean bug_reached;

  gboolean active;      /* between setup and the end of teardown */
  guint generation;
  Thread threads[MAX_THREADS];
  int n_threads;
  Thread *current;
  int switched_from;    /* the thread that was preempted last, for the trace */
  guint arrivals;
  gint budget;          /* preemptions left */
  gint64 clock;
  guint64 sum;          /* of the hashes of all operations so far: names the state */
  guint n_objects;
  guint controller_touched;
  guint n_steps;
  Step steps[MAX_STEPS];
} Run;

extern Run run;

static inline guint64
explore_mix (guint64 a,
             guint64 b)
{
  a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
  a *= 0xff51afd7ed558ccdu;
  a ^= a >> 33;

  return a;
}

/* explore.c */
void     explore_run_schedule     (void);

/* explore-search.c */
typedef struct
{
  guint bound;
  gint64 deadline;      /* monotonic µs */
  gboolean prune;
  const char *replay;
} SearchLimits;

typedef struct
{
  gboolean exhausted;
  gboolean bug_reached;
  guint bound;          /* the last one that was begun */
  guint64 schedules;
  guint max_steps;
  gint64 time;
  guint64 n_outcomes;
  guint64 outcomes;     /* a hash of the set */
} SearchResult;

void     explore_search           (const ExploreModel *model,
                                   const char         *bug,
                                   const SearchLimits *limits,
                                   SearchResult       *result);
void     explore_search_variants  (const ExploreModel *model,
                                   const SearchLimits *limits,
                                   SearchResult       *result);
int      explore_choose           (const guint8       *options,
                                   guint               n_options,
                                   guint64             flags);
/* Whether another thread may have a say in what is read and written there. */
gboolean explore_is_shared        (Object             *object);
void     explore_set_shared       (Object             *object);
gboolean explore_is_replaying     (void);
char    *explore_dup_replay       (void);
const SearchResult *explore_get_progress (void);

/* explore-memory.c */
void     explore_memory_begin     (gboolean            fresh);
/* The number of blocks that are still there. */
guint    explore_memory_end       (void);
void     explore_memory_trace     (gboolean            on);
void     explore_memory_describe  (GString            *report);
gboolean explore_memory_is_freed  (gconstpointer       address);
void     explore_memory_enter     (gboolean            inside);

/* explore-report.c */
void     explore_report_crashes   (void);
void     explore_report_places    (GString            *report,
                                   gconstpointer      *places,
                                   guint               n_places,
                                   const char         *separator);
extern gboolean explore_report_all;

G_END_DECLS
