/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The engine: runs the threads of a model one at a time and decides at each operation
 * of the synchronisation layer who goes on. A decision is made by the thread that has
 * the token; a switch costs one futex wake and one wait.
 *
 * Locks, conditions and parked threads exist only in here: an object for each address
 * that was touched in this schedule, in a table that a new generation number empties. */

#include "config.h"

#include "explore-private.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define N_OBJECTS 8192 /* a power of two */
#define DEFAULT_MAX_STEPS 5000
/* So often a thread may yield and still go on while another one could run and does not.
 * It must cover a loop that yields CONCUR_YIELDS_BEFORE_PARKING times and then parks. */
#define MAX_PASSES (CONCUR_YIELDS_BEFORE_PARKING + 1)
#define MAX_SPINS 10
/* Later than any deadline that was made before. */
#define CLOCK_LEAP ((gint64) 1 << 40)
#define REAL_BLOCK_SECONDS 20

Run run;

static Object objects[N_OBJECTS];
static ConcurWord controller_go;
static _Thread_local Thread *self_thread;
/* Addresses that stand for what has none of its own. */
static const char clock_address, spawn_address;

#ifdef EXPLORE_FRAMES
/* Needs frame pointers, and no sibling calls, in all that is compiled for the explorer. */
#define FRAME ((gconstpointer *) __builtin_frame_address (0))
#else
static gconstpointer no_frame[2] = { no_frame, NULL };
#define FRAME no_frame
#endif
/* Most hooks are called by a wrapper in concur-sync.c, the others by what is compiled
 * into the code itself. */
#define FRAME_OF_WRAPPER ((gconstpointer *) FRAME[0])

/* The token */

static void
futex_wake (ConcurWord *word)
{
  syscall (SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0);
}

static gboolean
futex_wait (ConcurWord            *word,
            const struct timespec *timeout)
{
  return syscall (SYS_futex, word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, timeout, NULL, 0) == 0
         || errno != ETIMEDOUT;
}

static void
token_give (ConcurWord *word)
{
  atomic_store (word, 1);
  futex_wake (word);
}

static void
token_take (ConcurWord *word)
{
  while (!atomic_exchange (word, 0))
    futex_wait (word, NULL);
}

static void
token_take_controller (void)
{
  const struct timespec timeout = { REAL_BLOCK_SECONDS, 0 };
  guint steps = run.n_steps;

  while (!atomic_exchange (&controller_go, 0))
    {
      if (!futex_wait (&controller_go, &timeout))
        {
          if (steps == run.n_steps)
            explore_fail ("thread %d has been blocked outside of the synchronisation layer for %d s",
                          run.current->id, REAL_BLOCK_SECONDS);
          steps = run.n_steps;
        }
    }
}

gboolean
explore_inside (void)
{
  return self_thread != NULL;
}

/* Objects */

static Object *
object_at (const void *address)
{
  guint at = ((guint64) (guintptr) address * 0x9e3779b97f4a7c15u) >> 51;
  Object *object;

  G_STATIC_ASSERT (N_OBJECTS == 1 << (64 - 51));

  for (;; at = (at + 1) % N_OBJECTS)
    {
      object = &objects[at];
      if (object->generation != run.generation)
        break;
      if (object->address == address)
        return object;
    }

  if (run.n_objects >= N_OBJECTS / 2)
    explore_fail ("the model touches too many addresses");

  *object = (Object){
    .address = address,
    .generation = run.generation,
    .number = ++run.n_objects,
    .owner = -1,
  };
  /* Addresses differ from schedule to schedule, who touched what first differs less. */
  if (self_thread != NULL)
    object->key = self_thread->id << 12 | MIN (self_thread->n_touched++, 0xfff);
  else
    object->key = CONTROLLER << 12 | MIN (run.controller_touched++, 0xfff);

  return object;
}

/* What is parked at or waits for an address is another matter than what is stored
 * there. Nothing the library touches has an odd address. */
static Object *
queue_at (const void *address)
{
  return object_at ((const char *) address + 1);
}

void
explore_label (const void *address,
               const char *label)
{
  if (run.active)
    {
      object_at (address)->label = label;
      queue_at (address)->label = label;
    }
}

/* Fairness */

static gboolean
can_run (Thread *thread)
{
  return thread->state == THREAD_READY && (thread->wants == NULL || thread->wants->owner < 0);
}

/* FALSE: it has yielded so often that somebody else has to run first. (The fair
 * scheduler of Musuvathi and Qadeer, with more patience.) */
static gboolean
is_fair (Thread *thread)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      if (thread->passed[i] >= MAX_PASSES && can_run (&run.threads[i]))
        return FALSE;
    }

  return TRUE;
}

static void
count_passed (Thread *self)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      if (i == self->id || !can_run (&run.threads[i]))
        self->passed[i] = 0;
      else if (self->passed[i] < MAX_PASSES)
        self->passed[i]++;
    }
}

static void
count_run (Thread *thread)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    run.threads[i].passed[thread->id] = 0;
}

/* The record of what happened */

static void
step (Thread        *thread,
      StepKind       kind,
      Object        *object,
      gconstpointer *frame)
{
  Step *s;
  guint most = run.model->max_steps ? run.model->max_steps : DEFAULT_MAX_STEPS;

  if (run.n_steps >= MIN (most, MAX_STEPS))
    explore_fail ("livelock: no end after %u operations", run.n_steps);

  s = &run.steps[run.n_steps++];
  s->thread = thread->id;
  s->kind = kind;
  s->preempted = run.switched_from >= 0;
  s->object = object ? object->number : 0;
  s->label = object ? object->label : NULL;
  s->where = frame ? frame[1] : NULL;
  s->from = frame ? ((gconstpointer *) frame[0])[1] : NULL;
  run.switched_from = -1;
  if (kind != STEP_TIMEOUT && kind != STEP_SPURIOUS)
    count_run (thread);
}

/* Folds an operation into the hash that names the state: it depends on what the thread
 * did before and on the writes it sees, a write also on the reads it overtakes. Two
 * schedules with the same hashes differ only in the order of independent operations. */
static void
account (Thread  *thread,
         Object  *object,
         gboolean write)
{
  guint64 hash = explore_mix (thread->hash, object->written);
  guint8 bit = 1 << thread->id;
  guint8 others = write ? object->readers | object->writers : object->writers;
  int i;

  if (write)
    hash = explore_mix (hash, object->read);
  hash = explore_mix (hash, thread->pending);
  thread->hash = hash;
  run.sum += explore_mix (hash, 1);

  if (others & ~bit)
    explore_set_shared (object);

  if (write)
    {
      object->written = hash;
      object->read = 0;
      object->writers |= bit;
      thread->rushing = FALSE;
      for (i = 0; i < run.n_threads; i++)
        {
          run.threads[i].spins = 0;
          if (&run.threads[i] != thread)
            run.threads[i].yielded = FALSE;
        }
    }
  else
    {
      object->read += hash;
      object->readers |= bit;
    }
}

/* Decisions */

static void
switch_to (Thread *self,
           Thread *next)
{
  /* A thread that has ended waits for its next schedule elsewhere, and that may begin
   * as soon as the token is gone. */
  gboolean comes_back = self != NULL && self->state != THREAD_ENDED;

  if (next == self)
    return;

  run.current = next;
  token_give (&next->go);
  if (comes_back)
    token_take (&self->go);
}

static void
fire (Thread  *thread,
      StepKind kind)
{
  if (kind == STEP_TIMEOUT)
    {
      Object *clock = object_at (&clock_address);

      run.clock += CLOCK_LEAP;
      thread->timed_out = TRUE;
      thread->pending = kind;
      account (thread, clock, TRUE);
    }

  thread->pending = kind;
  account (thread, thread->waits_on, TRUE);
  step (thread, kind, thread->waits_on, NULL);
  thread->waits_on = NULL;
  thread->state = THREAD_READY;
}

typedef struct
{
  guint8 options[MAX_OPTIONS];
  guint n;
} Options;

static void
add (Options *list,
     int      thread,
     int      kind)
{
  list->options[list->n++] = thread | kind;
}

/* Threads other than @self that may go on, beginning with the next one. Those that have
 * yielded come only when there is nobody else. */
static void
add_others (Options *list,
            Thread  *self,
            gboolean yielded)
{
  int first = self ? self->id + 1 : 0;
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *other = &run.threads[(first + i) % run.n_threads];

      if (other != self && can_run (other) && is_fair (other) && other->yielded == yielded)
        add (list, other->id, OPTION_RUN);
    }
}

static void
add_wakes (Options *list,
           gboolean spurious)
{
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *other = &run.threads[i];

      if (other->state == THREAD_WAITING && other->timed)
        add (list, i, OPTION_TIMEOUT);
      if (other->state == THREAD_WAITING && spurious)
        add (list, i, OPTION_SPURIOUS);
    }
}

static guint64
flags_of_state (Thread *self,
                Thread *graced,
                gboolean yields)
{
  guint64 flags = explore_mix (self ? self->id : CONTROLLER, graced ? graced->id : CONTROLLER);
  guint64 passed;
  int i;

  G_STATIC_ASSERT (sizeof passed == sizeof run.threads[0].passed);

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *thread = &run.threads[i];

      flags = explore_mix (flags, thread->pending);
      flags = explore_mix (flags, (guint64) thread->spins << 32 | thread->state << 8
                                    | thread->yielded << 1 | thread->rushing);
      memcpy (&passed, thread->passed, sizeof passed);
      flags = explore_mix (flags, passed);
    }

  return explore_mix (flags, yields);
}

static void G_GNUC_NORETURN
deadlock (void)
{
  GString *who = g_string_new (NULL);
  int i;

  for (i = 0; i < run.n_threads; i++)
    {
      Thread *thread = &run.threads[i];
      Object *object = thread->state == THREAD_WAITING ? thread->waits_on : thread->wants;

      if (thread->state == THREAD_ENDED)
        continue;
      g_string_append_printf (who, "%s thread %d %s ", who->len ? "," : "", i,
                              thread->state == THREAD_WAITING ? "sleeps at" : "wants lock");
      if (object->label)
        g_string_append (who, object->label);
      else
        g_string_append_printf (who, "#%u", object->number);
      if (thread->state == THREAD_READY)
        g_string_append_printf (who, " of thread %d", object->owner);
    }

  explore_fail ("deadlock:%s", who->str);
}

/* Who goes on. @self is about to do its next operation, or cannot go on by itself.
 * @shared: others may see or change what that operation touches; if not, a preemption
 * here would be no different from one at the next operation. FALSE: all have ended. */
static gboolean
decide (Thread  *self,
        gboolean shared,
        gboolean yields)
{
  Thread *graced = NULL;

  for (;;)
    {
      Options list = { .n = 0 };
      gboolean can_stay = self != NULL && can_run (self);
      gboolean may_preempt = shared && run.budget > 0;
      gboolean forced = FALSE;
      guint8 option;
      Thread *thread;

      if (can_stay && !yields)
        add (&list, self->id, OPTION_RUN);
      if (!can_stay || yields || may_preempt)
        add_others (&list, self, FALSE);
      else if (graced != NULL && can_run (graced))
        add (&list, graced->id, OPTION_RUN);
      if (yields && is_fair (self))
        add (&list, self->id, OPTION_RUN);
      if (list.n == 0)
        add_others (&list, self, TRUE);
      /* It may be spinning for somebody who waits for time to pass. */
      if (yields && self->spins > MAX_SPINS && list.n == 1 && list.options[0] == self->id)
        list.n = 0;

      if (list.n == 0)
        {
          add_wakes (&list, FALSE);
          forced = TRUE;
          if (list.n == 0 && can_stay)
            add (&list, self->id, OPTION_RUN);
        }
      else if (run.budget > 0 && (shared || !can_stay))
        {
          add_wakes (&list, run.model->spurious);
        }

      if (list.n == 0)
        {
          int i;

          for (i = 0; i < run.n_threads; i++)
            {
              if (run.threads[i].state != THREAD_ENDED)
                deadlock ();
            }

          return FALSE;
        }

      option = list.options[explore_choose (list.options, list.n,
                                            flags_of_state (self, graced, yields))];
      thread = &run.threads[option & OPTION_THREAD_MASK];

      if ((option & OPTION_KIND_MASK) != OPTION_RUN)
        {
          if (!forced)
            run.budget--;
          fire (thread, (option & OPTION_KIND_MASK) == OPTION_TIMEOUT ? STEP_TIMEOUT : STEP_SPURIOUS);
          /* It may go on at once or be overtaken once more: both have been paid for. */
          graced = thread;
          continue;
        }

      if (thread != self && can_stay && !yields)
        {
          if (thread != graced)
            run.budget--;
          run.switched_from = self->id;
        }
      if (thread == self && yields)
        self->rushing = TRUE;
      if (thread != self && self != NULL)
        self->rushing = FALSE;
      switch_to (self, thread);

      return TRUE;
    }
}

/* Before each operation of @self. */
static void
point (Thread        *self,
       StepKind       kind,
       Object        *object,
       Object        *lock,
       gconstpointer *frame)
{
  if (explore_memory_is_freed (object->address))
    {
      step (self, kind, object, frame);
      explore_fail ("thread %d uses memory that was freed", self->id);
    }

  self->pending = explore_mix (kind, (guintptr) frame[1]);
  self->wants = lock;
  decide (self, explore_is_shared (object), FALSE);
  self->wants = NULL;
  step (self, kind, object, frame);
}

/* Sleeps until somebody wakes it. */
static gboolean
sleep_on (Thread  *self,
          Object  *queue,
          Object  *lock,
          gboolean timed)
{
  self->state = THREAD_WAITING;
  self->waits_on = queue;
  self->wants = lock;
  self->arrival = run.arrivals++;
  self->timed = timed;
  self->timed_out = FALSE;
  decide (self, TRUE, FALSE);
  self->wants = NULL;

  return !self->timed_out;
}

static void
wake (Thread  *self,
      Object  *queue,
      gboolean all)
{
  for (;;)
    {
      Options list = { .n = 0 };
      Thread *thread;
      int i;

      for (i = 0; i < run.n_threads; i++)
        {
          thread = &run.threads[i];
          if (thread->state == THREAD_WAITING && thread->waits_on == queue)
            add (&list, i, OPTION_WAKE);
        }

      if (list.n == 0)
        return;

      /* Which one it is, is not ours to say. */
      i = all ? 0 : explore_choose (list.options, list.n, flags_of_state (self, NULL, FALSE));
      thread = &run.threads[list.options[i] & OPTION_THREAD_MASK];
      thread->pending = STEP_WAKE_ONE;
      account (thread, queue, TRUE);
      thread->state = THREAD_READY;
      thread->waits_on = NULL;

      if (!all)
        return;
    }
}

/* The hooks. On the controller they do what they say, with nobody to compete with. */

static Thread *
caller (void)
{
  if (self_thread != NULL && run.current != self_thread)
    explore_fail ("thread %d runs without the token", self_thread->id);

  return self_thread;
}

void
concur_explore_point (ConcurSyncOp op,
                      const void  *address)
{
  Thread *self = caller ();
  Object *object;

  if (!run.active)
    return;

  object = object_at (address);
  if (self == NULL)
    return;

  point (self, (StepKind) op, object, NULL, FRAME);
  account (self, object, op != CONCUR_SYNC_LOAD);
}

void
concur_explore_yield (void)
{
  Thread *self = caller ();

  if (self == NULL)
    return;

  self->pending = explore_mix (STEP_YIELD, (guintptr) FRAME_OF_WRAPPER[1]);
  self->hash = explore_mix (self->hash, self->pending);
  run.sum += explore_mix (self->hash, 1);
  step (self, STEP_YIELD, NULL, FRAME_OF_WRAPPER);
  count_passed (self);
  self->spins++;
  if (self->rushing && is_fair (self))
    return;

  self->yielded = TRUE;
  decide (self, TRUE, TRUE);
  self->yielded = FALSE;
}

static void
take_lock (Thread *self,
           Object *lock)
{
  if (self != NULL)
    account (self, lock, TRUE);
  lock->owner = self ? self->id : CONTROLLER;
}

void
concur_explore_lock (void *address)
{
  Thread *self = caller ();
  Object *lock;

  if (!run.active)
    return;

  lock = object_at (address);
  if (lock->owner == (self ? self->id : CONTROLLER))
    explore_fail ("a lock is taken twice by the same thread");
  if (self == NULL && lock->owner >= 0)
    explore_fail ("thread %d has ended with a lock", lock->owner);

  if (self != NULL)
    point (self, STEP_LOCK, lock, lock, FRAME_OF_WRAPPER);
  take_lock (self, lock);
}

gboolean
concur_explore_trylock (void *address)
{
  Thread *self = caller ();
  Object *lock;

  if (!run.active)
    return TRUE;

  lock = object_at (address);
  if (self != NULL)
    point (self, STEP_TRYLOCK, lock, NULL, FRAME_OF_WRAPPER);

  if (lock->owner >= 0)
    {
      if (self != NULL)
        account (self, lock, FALSE);
      return FALSE;
    }

  take_lock (self, lock);

  return TRUE;
}

void
concur_explore_unlock (void *address)
{
  Thread *self = caller ();
  Object *lock;

  if (!run.active)
    return;

  lock = object_at (address);
  if (lock->owner != (self ? self->id : CONTROLLER))
    explore_fail ("a lock is released by a thread that does not hold it");

  if (self != NULL)
    {
      point (self, STEP_UNLOCK, lock, NULL, FRAME_OF_WRAPPER);
      account (self, lock, TRUE);
    }
  lock->owner = -1;
}

gboolean
concur_explore_cond_wait (void    *cond,
                          void    *address,
                          gboolean timed)
{
  Thread *self = caller ();
  Object *queue, *lock;
  gboolean in_time;

  if (!run.active)
    return FALSE;
  if (self == NULL)
    explore_fail ("the controller would have to wait for a condition");

  queue = queue_at (cond);
  lock = object_at (address);
  if (lock->owner != self->id)
    explore_fail ("a condition is waited for without its lock");

  if (explore_is_shared (lock))
    explore_set_shared (queue);
  point (self, STEP_WAIT, queue, NULL, FRAME_OF_WRAPPER);
  account (self, queue, TRUE);
  account (self, lock, TRUE);
  lock->owner = -1;
  in_time = sleep_on (self, queue, lock, timed);
  take_lock (self, lock);

  return in_time;
}

static void
wake_at (const void    *address,
         gboolean       all,
         StepKind       kind,
         gconstpointer *frame)
{
  Thread *self = caller ();
  Object *queue;

  if (!run.active || self == NULL)
    return;

  queue = queue_at (address);
  self->pending = explore_mix (kind, (guintptr) frame[1]);
  decide (self, explore_is_shared (queue), FALSE);
  step (self, kind, queue, frame);
  account (self, queue, TRUE);
  wake (self, queue, all);
}

void
concur_explore_cond_wake (void    *cond,
                          gboolean all)
{
  wake_at (cond, all, all ? STEP_WAKE_ALL : STEP_WAKE_ONE, FRAME_OF_WRAPPER);
}

void
concur_explore_unpark (const void *word,
                       gboolean    all)
{
  wake_at (word, all, all ? STEP_UNPARK_ALL : STEP_UNPARK_ONE, FRAME_OF_WRAPPER);
}

gboolean
concur_explore_park (const void *word,
                     gboolean  (*unchanged) (const void *word,
                                             guint32     expected),
                     guint32     expected,
                     gboolean    timed)
{
  Thread *self = caller ();
  Object *object, *queue;

  if (!run.active)
    return FALSE;
  if (self == NULL)
    {
      if (!unchanged (word, expected))
        return TRUE;
      if (!timed)
        explore_fail ("the controller would have to park");
      run.clock += CLOCK_LEAP;
      return FALSE;
    }

  object = object_at (word);
  queue = queue_at (word);
  if (explore_is_shared (queue))
    explore_set_shared (object);
  point (self, STEP_PARK, object, NULL, FRAME_OF_WRAPPER);
  account (self, object, FALSE);
  if (!unchanged (word, expected))
    {
      run.steps[run.n_steps - 1].kind = STEP_PARK_REFUSED;
      return TRUE;
    }

  account (self, queue, TRUE);

  return sleep_on (self, queue, NULL, timed);
}

gint64
concur_explore_now (void)
{
  Thread *self = caller ();

  if (run.active && self != NULL)
    {
      Object *object = object_at (&clock_address);

      point (self, STEP_NOW, object, NULL, FRAME_OF_WRAPPER);
      account (self, object, FALSE);
    }

  return run.clock;
}

gboolean
concur_explore_bug (const char *name)
{
  if (run.bug == NULL || !g_str_equal (run.bug, name))
    return FALSE;

  run.bug_reached = TRUE;

  return TRUE;
}

/* Threads */

static gpointer
thread_main (gpointer data)
{
  Thread *self = data;

  for (;;)
    {
      token_take (&self->go);
      self_thread = self;
      explore_memory_enter (TRUE);
      self->func (self->data);
      if (run.model->thread_exit)
        run.model->thread_exit ();
      explore_memory_enter (FALSE);
      self_thread = NULL;
      self->state = THREAD_ENDED;
      step (self, STEP_END, NULL, NULL);
      if (!decide (self, TRUE, FALSE))
        token_give (&controller_go);
    }

  return NULL;
}

void
explore_spawn (ExploreFunc func,
               gpointer    data)
{
  Thread *self = caller ();
  Thread *thread;
  Object *spawning;

  if (!run.active || (run.current == NULL && run.n_steps > 0))
    explore_fail ("a thread is started when the schedule has ended");

  spawning = object_at (&spawn_address);
  if (self != NULL)
    {
      point (self, STEP_SPAWN, spawning, NULL, FRAME);
      account (self, spawning, TRUE);
    }

  if (run.n_threads == MAX_THREADS)
    explore_fail ("the model starts more than %d threads", MAX_THREADS);

  thread = &run.threads[run.n_threads];
  thread->id = run.n_threads++;
  thread->func = func;
  thread->data = data;
  thread->state = THREAD_READY;
  thread->hash = explore_mix (self ? self->hash : 0, thread->id + 1);

  if (!thread->started)
    {
      pthread_t system_thread;

      thread->started = TRUE;
      if (pthread_create (&system_thread, NULL, thread_main, thread) != 0)
        explore_fail ("no more threads of the system");
      pthread_detach (system_thread);
    }
}

/* One schedule from setup to teardown, as explore_choose () says. */
void
explore_run_schedule (void)
{
  const ExploreModel *model = run.model;
  gpointer data = NULL;
  int i;

  for (i = 0; i < MAX_THREADS; i++)
    {
      gboolean started = run.threads[i].started;

      run.threads[i] = (Thread){ .started = started };
    }
  run.n_threads = 0;
  run.current = NULL;
  run.switched_from = -1;
  run.arrivals = 0;
  run.clock = G_USEC_PER_SEC;
  run.sum = 0;
  run.n_objects = 0;
  run.controller_touched = 0;
  run.n_steps = 0;
  run.generation++;
  run.active = TRUE;

  explore_memory_enter (TRUE);
  if (model->setup)
    data = model->setup ();
  for (i = 0; i < MAX_THREADS && model->threads[i]; i++)
    explore_spawn (model->threads[i], data);

  if (decide (NULL, TRUE, FALSE))
    token_take_controller ();
  run.current = NULL;

  if (model->finish)
    model->finish (data);
  if (model->teardown)
    model->teardown (data);
  explore_memory_enter (FALSE);
  run.active = FALSE;
}
