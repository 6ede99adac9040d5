/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What the parts of the explorer share.
 *
 *   explore.c          threads, the token, decisions
 *   explore-switch.c   how the token changes hands
 *   explore-hooks.c    locks, conditions, parking
 *   explore-order.c    what depends on what, which operations race
 *   explore-search.c   which schedule comes next, and which need not be looked at
 *   explore-memory.c   memory that is new in each schedule and never used twice in it
 *   explore-report.c   what is printed about a schedule that failed
 *   explore-main.c     options, one process a test, TAP */

#pragma once

#include "explore.h"

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
  gint8 owner;          /* of a lock, or -1 */
  gint8 writer;         /* the last one, or -1 */
  guint8 readers;       /* since then, a mask */

  guint64 written;      /* hash of the last write, and of the reads since */
  guint64 read;

  guint32 write_clock[EXPLORE_MAX_THREADS];
  guint32 read_clock[EXPLORE_MAX_THREADS];
  guint32 write_time;
  guint32 read_times[EXPLORE_MAX_THREADS];
  guint64 write_site;
  guint64 read_sites[EXPLORE_MAX_THREADS];
  guint64 taken_site;   /* of a lock: where it was taken last */
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
  ExploreFunc func;
  gpointer data;

  ThreadState state;
  Object *wants;        /* the lock its next operation takes */
  Object *waits_on;     /* what has to be woken */
  gboolean timed;
  gboolean timed_out;
  /* How often it yielded while each other one could run and did not; and since it last
   * changed anything but locks. */
  guint8 passed[EXPLORE_MAX_THREADS];
  guint8 passed_idly[EXPLORE_MAX_THREADS];
  guint spins;          /* yields since anybody changed anything */
  guint64 hash;         /* of all it did and all that this depended on */
  guint32 clock[EXPLORE_MAX_THREADS];
  guint64 pending;      /* the operation it is about to do, or did last */
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
  gint budget;          /* preemptions left */
  gint64 clock;
  guint64 sum;          /* of the hashes of all operations so far: names the state */
  guint n_objects;
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

typedef struct
{
  guint8 options[MAX_OPTIONS];
  guint n;
} Options;

static inline void
explore_add_option (Options *list,
                    int      thread,
                    int      kind)
{
  list->options[list->n++] = thread | kind;
}

/* Where an operation was called from. Needs frame pointers, and no sibling calls, in all
 * that is compiled for the explorer. Most hooks are called by a wrapper in concur-sync.c,
 * the others by what is compiled into the code itself. */
#ifdef EXPLORE_FRAMES
#define EXPLORE_FRAME ((gconstpointer *) __builtin_frame_address (0))
#else
extern gconstpointer explore_no_frame[2];
#define EXPLORE_FRAME explore_no_frame
#endif
#define EXPLORE_FRAME_OF_WRAPPER ((gconstpointer *) EXPLORE_FRAME[0])

/* Later than any deadline that was made before. */
#define EXPLORE_CLOCK_LEAP ((gint64) 1 << 40)

/* explore.c */
/* Addresses that stand for what has none of its own. */
extern const char explore_clock_address, explore_spawn_address;

void     explore_run_schedule     (void);
/* The calling thread of the model, NULL for the controller. */
Thread  *explore_get_self         (void);
/* Who goes on. @self is about to do its next operation, or cannot go on by itself.
 * @racy: it matters who comes first, @self with this operation or somebody else. FALSE:
 * all have ended. */
gboolean explore_decide           (Thread             *self,
                                   gboolean            racy,
                                   gboolean            yields);
void     explore_let_others       (Thread             *self);
/* @self has done more than look and lock. */
void     explore_progressed       (Thread             *self);
guint64  explore_flags_of_state   (Thread             *self,
                                   Thread             *graced,
                                   gboolean            yields);
void     explore_step             (Thread             *thread,
                                   StepKind            kind,
                                   Object             *object,
                                   gconstpointer      *frame);

void     explore_thread_main      (Thread             *self) G_GNUC_NORETURN;

/* explore-switch.c */
/* Makes a thread that will enter explore_thread_main () when it first gets the token. */
void     explore_context_start    (int                 thread);
/* Gives the token away, to a thread or to CONTROLLER; returns when it is back. */
void     explore_context_switch   (int                 from,
                                   int                 to);

/* explore-hooks.c */
void     explore_point_spawn      (Thread             *self,
                                   gconstpointer      *frame);

/* explore-order.c */
Object  *explore_object_at        (const void         *address);
Object  *explore_queue_at         (const void         *address);
void     explore_account          (Thread             *thread,
                                   Object             *object,
                                   gboolean            write);
void     explore_account_woken    (Thread             *thread,
                                   Object             *queue);
void     explore_account_freed    (gconstpointer       memory,
                                   gsize               size);

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
/* Which of the options it is. What follows them names the state together with run.sum. */
int      explore_choose           (const Options      *list,
                                   Thread             *self,
                                   Thread             *graced,
                                   gboolean            yields);
void     explore_choose_nothing   (void);
/* Whether later operations were seen to race with those from there. */
gboolean explore_is_racy          (guint64             site);
void     explore_set_racy         (guint64             site);
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
void     explore_report_crashes   (gboolean            may_warn);
void     explore_report_steps     (void);
void     explore_report_places    (GString            *report,
                                   gconstpointer      *places,
                                   guint               n_places,
                                   const char         *separator);
extern gboolean explore_report_all;

G_END_DECLS
