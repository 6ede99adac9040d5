/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Locks and conditions over GMutex and GCond, parking over futexes (elsewhere over a
 * table of locks), each with its sanitizer and explorer hooks. */

#include "config.h"

#include "concur-exit-private.h"
#include "concur-sync-private.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#if defined (__linux__) && !defined (CONCUR_PORTABLE_PARKING)
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#define HAVE_FUTEX 1
#endif

#if defined (__SANITIZE_THREAD__)
#define CONCUR_TSAN 1
#elif defined (__has_feature)
#if __has_feature(thread_sanitizer)
#define CONCUR_TSAN 1
#endif
#endif

#ifdef CONCUR_TSAN
/* Declared here because gcc 12 ships no header for them. */
extern void __tsan_mutex_create (void *addr, unsigned flags);
extern void __tsan_mutex_destroy (void *addr, unsigned flags);
extern void __tsan_mutex_pre_lock (void *addr, unsigned flags);
extern void __tsan_mutex_post_lock (void *addr, unsigned flags, int recursion);
extern int __tsan_mutex_pre_unlock (void *addr, unsigned flags);
extern void __tsan_mutex_post_unlock (void *addr, unsigned flags);
#define TSAN_TRY (1 << 4)
#define TSAN_TRY_FAILED (1 << 5)
#define TSAN(call) call
#else
#define TSAN(call) G_STMT_START { } G_STMT_END
#endif

#if defined (CONCUR_TESTING) && !defined (CONCUR_EXPLORE)

_Atomic gint concur_sync_shaking;

static _Thread_local guint32 shake_state;
static _Atomic guint32 shake_seed;

/* Seeded per thread: the same seed gives each thread the same sequence of yields. */
void
concur_sync_shake (void)
{
  if (shake_state == 0)
    shake_state = atomic_fetch_add (&shake_seed, 0x9e3779b9u) | 1u;

  shake_state ^= shake_state << 13;
  shake_state ^= shake_state >> 17;
  shake_state ^= shake_state << 5;

  if (shake_state % 8 == 0)
    sched_yield ();
}

void
concur_sync_shake_start (guint32 seed)
{
  atomic_store (&shake_seed, seed);
  concur_sync_shaking = 1;
}

void
concur_sync_shake_stop (void)
{
  concur_sync_shaking = 0;
}

#endif

void
concur_lock_init (ConcurLock *lock)
{
  g_mutex_init (&lock->mutex);
  TSAN (__tsan_mutex_create (lock, 0));
}

void
concur_lock_clear (ConcurLock *lock)
{
  TSAN (__tsan_mutex_destroy (lock, 0));
  if (concur_is_forked ())
    {
      /* Of somebody who is not there: GLib ends a program that clears it. */
      if (!g_mutex_trylock (&lock->mutex))
        return;
      g_mutex_unlock (&lock->mutex);
    }
  g_mutex_clear (&lock->mutex);
}

void
concur_cond_init (ConcurCond *cond)
{
  g_cond_init (&cond->cond);
}

void
concur_cond_clear (ConcurCond *cond)
{
  g_cond_clear (&cond->cond);
}

#ifdef CONCUR_EXPLORE

void
concur_lock_acquire (ConcurLock *lock)
{
  concur_explore_lock (lock);
}

gboolean
concur_lock_try (ConcurLock *lock)
{
  return concur_explore_trylock (lock);
}

void
concur_lock_release (ConcurLock *lock)
{
  concur_explore_unlock (lock);
}

gboolean
concur_cond_wait_until (ConcurCond *cond,
                        ConcurLock *lock,
                        gint64      deadline)
{
  return concur_explore_cond_wait (cond, lock, deadline >= 0);
}

void
concur_cond_signal (ConcurCond *cond)
{
  concur_explore_cond_wake (cond, FALSE);
}

void
concur_cond_broadcast (ConcurCond *cond)
{
  concur_explore_cond_wake (cond, TRUE);
}

static gboolean
word_is (const void *word,
         guint32     expected)
{
  return atomic_load ((ConcurWord *) word) == expected;
}

gboolean
concur_park (ConcurWord *word,
             guint32     expected,
             gint64      deadline)
{
  return concur_explore_park (word, word_is, expected, deadline >= 0);
}

void
concur_unpark_one (ConcurWord *word)
{
  concur_explore_unpark ((const void *) word, FALSE);
}

void
concur_unpark_all (ConcurWord *word)
{
  concur_explore_unpark ((const void *) word, TRUE);
}

void
concur_yield (void)
{
  concur_explore_yield ();
}

gint64
concur_now (void)
{
  return concur_explore_now ();
}

#else /* !CONCUR_EXPLORE */

void
concur_lock_acquire (ConcurLock *lock)
{
  CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, lock);
  TSAN (__tsan_mutex_pre_lock (lock, 0));
  g_mutex_lock (&lock->mutex);
  TSAN (__tsan_mutex_post_lock (lock, 0, 0));
}

gboolean
concur_lock_try (ConcurLock *lock)
{
  gboolean taken;

  CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, lock);
  TSAN (__tsan_mutex_pre_lock (lock, TSAN_TRY));
  taken = g_mutex_trylock (&lock->mutex);
  TSAN (__tsan_mutex_post_lock (lock, taken ? TSAN_TRY : TSAN_TRY | TSAN_TRY_FAILED, 0));

  return taken;
}

void
concur_lock_release (ConcurLock *lock)
{
  TSAN (__tsan_mutex_pre_unlock (lock, 0));
  g_mutex_unlock (&lock->mutex);
  TSAN (__tsan_mutex_post_unlock (lock, 0));
  CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, lock);
}

gboolean
concur_cond_wait_until (ConcurCond *cond,
                        ConcurLock *lock,
                        gint64      deadline)
{
  gboolean in_time = TRUE;

  TSAN (__tsan_mutex_pre_unlock (lock, 0));
  TSAN (__tsan_mutex_post_unlock (lock, 0));
  if (deadline < 0)
    g_cond_wait (&cond->cond, &lock->mutex);
  else
    in_time = g_cond_wait_until (&cond->cond, &lock->mutex, deadline);
  TSAN (__tsan_mutex_pre_lock (lock, 0));
  TSAN (__tsan_mutex_post_lock (lock, 0, 0));

  return in_time;
}

void
concur_cond_signal (ConcurCond *cond)
{
  g_cond_signal (&cond->cond);
}

void
concur_cond_broadcast (ConcurCond *cond)
{
  g_cond_broadcast (&cond->cond);
}

#ifdef HAVE_FUTEX

gboolean
concur_park (ConcurWord *word,
             guint32     expected,
             gint64      deadline)
{
  struct timespec at;
  struct timespec *until = NULL;

  CONCUR_SYNC_POINT (CONCUR_SYNC_LOAD, word);

  if (deadline >= 0)
    {
      at.tv_sec = deadline / G_USEC_PER_SEC;
      at.tv_nsec = (deadline % G_USEC_PER_SEC) * 1000;
      until = &at;
    }

  /* WAIT_BITSET takes an absolute CLOCK_MONOTONIC time, which is what
   * g_get_monotonic_time () reads: early wake-ups need no new computation. */
  if (syscall (SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until, NULL,
               FUTEX_BITSET_MATCH_ANY)
      == 0)
    return TRUE;

  return errno != ETIMEDOUT;
}

static void
unpark (ConcurWord *word,
        int         how_many)
{
  CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, word);
  syscall (SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, how_many, NULL, NULL, 0);
}

void
concur_unpark_one (ConcurWord *word)
{
  unpark (word, 1);
}

void
concur_unpark_all (ConcurWord *word)
{
  unpark (word, INT_MAX);
}

#else /* !HAVE_FUTEX */

/* Words share a bucket by address; every unpark wakes the whole bucket, so sleepers
 * of other words wake early and go back to sleep. */
#define N_BUCKETS 64

static struct
{
  GMutex mutex;
  GCond cond;
} buckets[N_BUCKETS];

#define BUCKET(word) (&buckets[(((guintptr) (word)) >> 4) % N_BUCKETS])

gboolean
concur_park (ConcurWord *word,
             guint32     expected,
             gint64      deadline)
{
  gboolean in_time = TRUE;

  CONCUR_SYNC_POINT (CONCUR_SYNC_LOAD, word);

  /* The word is changed before unpark () takes the bucket's mutex: a change is either
   * seen here or followed by a broadcast that finds us waiting. */
  g_mutex_lock (&BUCKET (word)->mutex);
  if (atomic_load_explicit (word, CONCUR_SEQ_CST) == expected)
    {
      if (deadline < 0)
        g_cond_wait (&BUCKET (word)->cond, &BUCKET (word)->mutex);
      else
        in_time = g_cond_wait_until (&BUCKET (word)->cond, &BUCKET (word)->mutex, deadline);
    }
  g_mutex_unlock (&BUCKET (word)->mutex);

  return in_time;
}

void
concur_unpark_all (ConcurWord *word)
{
  CONCUR_SYNC_POINT (CONCUR_SYNC_UPDATE, word);
  g_mutex_lock (&BUCKET (word)->mutex);
  g_cond_broadcast (&BUCKET (word)->cond);
  g_mutex_unlock (&BUCKET (word)->mutex);
}

void
concur_unpark_one (ConcurWord *word)
{
  concur_unpark_all (word);
}

#endif /* !HAVE_FUTEX */

void
concur_yield (void)
{
  sched_yield ();
}

gint64
concur_now (void)
{
  return g_get_monotonic_time ();
}

#endif /* !CONCUR_EXPLORE */

gint64
concur_now_coarse (void)
{
#if defined (CLOCK_MONOTONIC_COARSE) && !defined (CONCUR_EXPLORE)
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC_COARSE, &now);

  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
#else
  return concur_now ();
#endif
}

enum
{
  PARKER_EMPTY,
  PARKER_TOKEN,
  PARKER_SLEEPING,
};

void
concur_parker_init (ConcurParker *self)
{
  concur_atomic_init (&self->word, PARKER_EMPTY);
}

gboolean
concur_parker_park (ConcurParker *self,
                    gint64        deadline)
{
  guint32 seen = PARKER_EMPTY;

  /* Acquire: pairs with the release of unpark (), so that what the waker did before is
   * seen after. */
  if (!concur_atomic_cas (&self->word, &seen, PARKER_SLEEPING, CONCUR_ACQ_REL))
    {
      concur_atomic_store (&self->word, PARKER_EMPTY, CONCUR_RELAXED);
      return TRUE;
    }

  while (concur_atomic_load (&self->word, CONCUR_ACQUIRE) == PARKER_SLEEPING)
    {
      if (!concur_park (&self->word, PARKER_SLEEPING, deadline))
        break;
    }

  /* A token that arrives together with the deadline is not lost. */
  return concur_atomic_exchange (&self->word, PARKER_EMPTY, CONCUR_ACQ_REL) == PARKER_TOKEN;
}

void
concur_parker_unpark (ConcurParker *self)
{
  if (concur_atomic_exchange (&self->word, PARKER_TOKEN, CONCUR_ACQ_REL) == PARKER_SLEEPING)
    concur_unpark_one (&self->word);
}

gint64
concur_deadline (gint64 timeout)
{
  gint64 now;

  if (timeout < 0)
    return -1;

  now = concur_now ();

  return timeout > G_MAXINT64 - now ? -1 : now + timeout;
}
