/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The one place where the library touches locks, conditions, atomics, parking and
 * yielding. No other file uses GMutex, <stdatomic.h> or a futex directly, so that
 *
 *  - ThreadSanitizer sees lock order (a GMutex is only an atomic word to it),
 *  - tests can shake the schedule at every operation (CONCUR_TESTING: a seeded yield),
 *  - the schedule explorer can take every operation over (CONCUR_EXPLORE: see
 *    tests/explore/), with the very sources that ship.
 *
 * Lock order, outermost first. A thread holding one of these may only take one that
 * stands below it; user code, unrefs, GValue copies and wake-ups happen under none.
 *
 *    1. ConcurPool::lock          threads, parked workers, shutdown
 *    2. ConcurScopes lock         jobs registered with a GCancellable
 *    3. ConcurWorker::lock        frames of one worker, for snapshots and CANCEL_ALL
 *    4. queue consumer lock       inside ConcurQueue
 *    5. ConcurContextQueue::lock  running and held jobs, shutdown
 *    6. future stripe             callbacks and extra block of a future
 *    7. home table, service queue, timers, life and tasks of a loop thread,
 *       channels and limiters (under which futures are claimed, by atomics alone),
 *       batchers, task groups and what they are bound to: leaf locks
 */

#pragma once

#include <glib.h>
#include <stdatomic.h>

G_BEGIN_DECLS

/* Kinds of operations, as the explorer is told of them. */
typedef enum
{
  CONCUR_SYNC_LOAD,
  CONCUR_SYNC_STORE,
  CONCUR_SYNC_UPDATE,
} ConcurSyncOp;

#if defined (CONCUR_EXPLORE)

/* Implemented by tests/explore/. Each may switch to another thread of the model. */
void     concur_explore_point          (ConcurSyncOp  op,
                                        const void   *address);
void     concur_explore_yield          (void);
void     concur_explore_lock           (void         *lock);
gboolean concur_explore_trylock        (void         *lock);
void     concur_explore_unlock         (void         *lock);
gboolean concur_explore_cond_wait      (void         *cond,
                                        void         *lock,
                                        gboolean      timed);
void     concur_explore_cond_wake      (void         *cond,
                                        gboolean      all);
gboolean concur_explore_park           (const void   *word,
                                        gboolean    (*unchanged) (const void *word,
                                                                  guint32     expected),
                                        guint32       expected,
                                        gboolean      timed);
void     concur_explore_unpark         (const void   *word,
                                        gboolean      all);
gint64   concur_explore_now            (void);
gboolean concur_explore_bug            (const char   *name);

#define CONCUR_SYNC_POINT(op, p) concur_explore_point ((op), (const void *) (p))
/* A planted bug: TRUE when the explorer has switched the one of this name on. */
#define CONCUR_PLANTED_BUG(name) (concur_explore_bug (name))

#elif defined (CONCUR_TESTING)

extern _Atomic gint concur_sync_shaking;
void        concur_sync_shake       (void);
void        concur_sync_shake_start (guint32 seed);
void        concur_sync_shake_stop  (void);

/* Not G_UNLIKELY (): it declares a variable, which would shadow itself where an atomic
 * stands inside another one. */
#define CONCUR_SYNC_POINT(op, p)                                                                   \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (__builtin_expect (atomic_load_explicit (&concur_sync_shaking, CONCUR_RELAXED), 0))         \
      concur_sync_shake ();                                                                        \
  }                                                                                                \
  G_STMT_END
#define CONCUR_PLANTED_BUG(name) (FALSE)

#else

#define CONCUR_SYNC_POINT(op, p) G_STMT_START { } G_STMT_END
#define CONCUR_PLANTED_BUG(name) (FALSE)

#endif

/* Atomics. The order is spelled out at each use, next to a comment that says what it
 * pairs with. There are no stand-alone fences: ThreadSanitizer cannot follow them. */

#define CONCUR_RELAXED memory_order_relaxed
#define CONCUR_ACQUIRE memory_order_acquire
#define CONCUR_RELEASE memory_order_release
#define CONCUR_ACQ_REL memory_order_acq_rel
#define CONCUR_SEQ_CST memory_order_seq_cst

/* No point: initialisation before anything is shared. */
#define concur_atomic_init(p, v) atomic_init ((p), (v))

#define concur_atomic_load(p, order)                                                               \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_LOAD, (p));                                                     \
    atomic_load_explicit ((p), (order));                                                           \
  }))

#define concur_atomic_store(p, v, order)                                                           \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_STORE, (p));                                                    \
    atomic_store_explicit ((p), (v), (order));                                                     \
  }))

#define concur_atomic_exchange(p, v, order)                                                        \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, (p));                                                   \
    atomic_exchange_explicit ((p), (v), (order));                                                  \
  }))

#define concur_atomic_add(p, v, order)                                                             \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, (p));                                                   \
    atomic_fetch_add_explicit ((p), (v), (order));                                                 \
  }))

#define concur_atomic_sub(p, v, order)                                                             \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, (p));                                                   \
    atomic_fetch_sub_explicit ((p), (v), (order));                                                 \
  }))

#define concur_atomic_or(p, v, order)                                                              \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, (p));                                                   \
    atomic_fetch_or_explicit ((p), (v), (order));                                                  \
  }))

#define concur_atomic_and(p, v, order)                                                             \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, (p));                                                   \
    atomic_fetch_and_explicit ((p), (v), (order));                                                 \
  }))

/* The failure order is always the matching load order of a retry loop. */
#define concur_atomic_cas(p, expected, desired, order)                                             \
  (__extension__ ({                                                                                \
    CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, (p));                                                   \
    atomic_compare_exchange_strong_explicit ((p), (expected), (desired), (order),                  \
                                             CONCUR_ACQUIRE);                                      \
  }))

typedef _Atomic guint32 ConcurWord;

/* Locks and conditions */

typedef struct
{
  GMutex mutex;
} ConcurLock;

typedef struct
{
  GCond cond;
} ConcurCond;

void     concur_lock_init       (ConcurLock *lock);
void     concur_lock_clear      (ConcurLock *lock);
void     concur_lock_acquire    (ConcurLock *lock);
gboolean concur_lock_try        (ConcurLock *lock);
void     concur_lock_release    (ConcurLock *lock);

void     concur_cond_init       (ConcurCond *cond);
void     concur_cond_clear      (ConcurCond *cond);
/* @deadline: monotonic µs, or -1 for ever. FALSE: the deadline passed. May wake early. */
gboolean concur_cond_wait_until (ConcurCond *cond,
                                 ConcurLock *lock,
                                 gint64      deadline);
void     concur_cond_signal     (ConcurCond *cond);
void     concur_cond_broadcast  (ConcurCond *cond);

/* Parking: sleep while *word is @expected. @deadline as above. FALSE: the deadline
 * passed. May wake early, so callers loop. Unparking never reads or writes the word,
 * only its address: it may be called after the word's memory is gone. */
gboolean concur_park            (ConcurWord *word,
                                 guint32     expected,
                                 gint64      deadline);
void     concur_unpark_one      (ConcurWord *word);
void     concur_unpark_all      (ConcurWord *word);

/* A parker: one thread sleeps on it, any thread wakes it; a wake-up that comes first is
 * kept, and several count as one. */
typedef struct
{
  ConcurWord word;
} ConcurParker;

void     concur_parker_init     (ConcurParker *self);
/* FALSE: the deadline passed without a wake-up. Never wakes early. */
gboolean concur_parker_park     (ConcurParker *self,
                                 gint64        deadline);
void     concur_parker_unpark   (ConcurParker *self);

/* Gives the processor away once, without sleeping. */
void     concur_yield           (void);

/* Monotonic time in µs; a model's time under the explorer. */
gint64   concur_now             (void);

/* The same to a few milliseconds, and much cheaper. */
gint64   concur_now_coarse      (void);

/* Now + @timeout, for @timeout in µs; -1 for negative ones and those beyond the clock. */
gint64   concur_deadline        (gint64      timeout);

/* How often to look again before parking: yielding that often costs under a
 * microsecond and spares two system calls and a sleeping core in most hand-overs.
 * More does not help (research: 1, 2, 5, 20 yields and four spin times measured). */
#ifndef CONCUR_EXPLORE
#define CONCUR_YIELDS_BEFORE_PARKING 5
#else
/* The explorer looks at what happens with and without each of them: one tells all. */
#define CONCUR_YIELDS_BEFORE_PARKING 1
#endif

G_END_DECLS
