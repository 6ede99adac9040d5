/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The timers below everything that has to do with time: the heap, and the thread. This
 * program has a pthread_create () of its own, to have several threads start it at once. */

#include "config.h"

#include "concur-sync-private.h"
#include "concur-timer-private.h"
#include "test-workers.h"

#include <dlfcn.h>
#include <pthread.h>

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)
#define STARTERS 8

typedef int (*PthreadCreate) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);

static gint gathers;      /* atomic: each thread waits for the others before it has a new one */
static TestGate gathered;

/* Exported, though this program hides what it does not say. */
__attribute__ ((visibility ("default"))) int
pthread_create (pthread_t            *thread,
                const pthread_attr_t *attributes,
                void               *(*func) (void *),
                void                 *data)
{
  static _Atomic (PthreadCreate) next;

  if (next == NULL)
    next = (PthreadCreate) dlsym (RTLD_NEXT, "pthread_create");

  if (g_atomic_int_get (&gathers))
    {
      test_gate_open (&gathered);
      test_gate_wait_n (&gathered, STARTERS);
    }

  return next (thread, attributes, func, data);
}

/* Holds the timer thread: what is started meanwhile can only fire afterwards. */
typedef struct
{
  ConcurTimer timer;
  TestGate begun;
  TestGate go;
  gboolean stopped;
} Clog;

static void
clog_fire (ConcurTimer *timer)
{
  Clog *clog = (Clog *) timer;

  /* Beyond recall, also for itself. */
  clog->stopped = concur_timer_stop (timer);
  test_gate_open (&clog->begun);
  test_gate_wait (&clog->go);
}

static void
clog_start (Clog *clog)
{
  *clog = (Clog){ 0 };
  g_assert_true (concur_timer_start (&clog->timer, 0, clog_fire, NULL));
  test_gate_wait (&clog->begun);
}

/* A timer that remembers. */
typedef struct
{
  ConcurTimer timer;
  gint64 due;
  guint number;           /* in the order they were started */
  guint n_fired;          /* the timer thread; read after fired_gate */
  gint64 fired_at;
  GThread *thread;
} Mark;

static GPtrArray *fired;  /* Mark, in the order they fired; the timer thread */
static TestGate fired_gate;

static void
mark_fire (ConcurTimer *timer)
{
  Mark *mark = (Mark *) timer;

  mark->fired_at = g_get_monotonic_time ();
  mark->thread = g_thread_self ();
  mark->n_fired++;
  g_ptr_array_add (fired, mark);
  test_gate_open (&fired_gate);
}

static void
mark_start (Mark   *mark,
            gint64  due)
{
  static gint last_number; /* atomic */

  mark->due = due;
  mark->number = (guint) g_atomic_int_add (&last_number, 1);
  g_assert_true (concur_timer_start (&mark->timer, due, mark_fire, NULL));
}

static void
marks_begin (void)
{
  fired = g_ptr_array_new ();
  fired_gate = (TestGate){ 0 };
}

static void
marks_end (void)
{
  g_clear_pointer (&fired, g_ptr_array_unref);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

static void
assert_sorted (void)
{
  guint i;

  for (i = 1; i < fired->len; i++)
    {
      Mark *before = fired->pdata[i - 1];
      Mark *after = fired->pdata[i];

      g_assert_true (before->due < after->due
                     || (before->due == after->due && before->number < after->number));
    }
}

typedef struct
{
  TestGate *gate;
  Mark mark;
} Starter;

static gpointer
starter_thread (gpointer data)
{
  Starter *starter = data;

  test_gate_wait (starter->gate);
  mark_start (&starter->mark, 0);

  return NULL;
}

/* The first test: all of them find that there is no thread yet, and start one. */
static void
test_first (void)
{
  Starter starters[STARTERS] = { 0 };
  GThread *threads[STARTERS];
  TestGate gate = { 0 };
  guint i;

  marks_begin ();
  g_assert_cmpuint (test_count_threads ("concur-timer"), ==, 0);
  test_shake_start ();
  for (i = 0; i < STARTERS; i++)
    {
      starters[i].gate = &gate;
      threads[i] = g_thread_new ("starter", starter_thread, &starters[i]);
    }
  g_atomic_int_set (&gathers, TRUE);
  test_gate_open (&gate);
  for (i = 0; i < STARTERS; i++)
    g_thread_join (threads[i]);
  g_atomic_int_set (&gathers, FALSE);
  test_gate_wait_n (&fired_gate, STARTERS);
  g_assert_cmpuint (test_gate_get (&gathered), ==, STARTERS);
  test_shake_stop ();

  for (i = 0; i < STARTERS; i++)
    {
      g_assert_cmpuint (starters[i].mark.n_fired, ==, 1);
      g_assert_true (starters[i].mark.thread == starters[0].mark.thread);
    }
  test_wait_until (test_count_threads ("concur-timer") == 1);
  marks_end ();
}

static void
test_past (void)
{
  gint64 dues[] = { 0, -1, G_MININT64, g_get_monotonic_time () - 1, g_get_monotonic_time () };
  Mark marks[G_N_ELEMENTS (dues)] = { 0 };
  Clog clog;
  guint i;

  marks_begin ();
  clog_start (&clog);
  for (i = 0; i < G_N_ELEMENTS (dues); i++)
    mark_start (&marks[i], dues[i]);
  /* Never inside of start (). */
  g_assert_cmpuint (test_gate_get (&fired_gate), ==, 0);
  test_gate_open (&clog.go);
  test_gate_wait_n (&fired_gate, G_N_ELEMENTS (dues));

  g_assert_false (clog.stopped);
  for (i = 0; i < G_N_ELEMENTS (dues); i++)
    {
      g_assert_true (fired->pdata[i] == &marks[i]);
      g_assert_true (marks[i].thread != g_thread_self ());
      g_assert_cmpuint (marks[i].n_fired, ==, 1);
    }
  marks_end ();
}

static void
test_not_early (void)
{
  guint n = test_scaled (500);
  g_autofree Mark *marks = g_new0 (Mark, n);
  gint64 start = g_get_monotonic_time ();
  gint64 worst = 0;
  guint i;

  marks_begin ();
  for (i = 0; i < n; i++)
    mark_start (&marks[i], start + g_random_int_range (0, 50000));
  test_gate_wait_n (&fired_gate, n);

  for (i = 0; i < n; i++)
    {
      g_assert_cmpint (marks[i].fired_at, >=, marks[i].due);
      worst = MAX (worst, marks[i].fired_at - marks[i].due);
    }
  g_test_message ("at most %" G_GINT64_FORMAT " µs late", worst);
  marks_end ();
}

/* Started and stopped at random, many with the same due time, and then let go. */
static void
test_order (void)
{
  guint n = test_scaled (20000), n_left = 0, i;
  g_autofree Mark *marks = g_new0 (Mark, n);
  gint64 start;
  Clog clog;

  marks_begin ();
  clog_start (&clog);
  start = g_get_monotonic_time ();
  for (i = 0; i < n * 3; i++)
    {
      Mark *mark = &marks[g_random_int_range (0, (gint) n)];

      /* The thread is held: only this one changes positions. */
      if (mark->timer.position == 0)
        {
          mark_start (mark, start + g_random_int_range (0, 1000));
          n_left++;
        }
      else
        {
          g_assert_true (concur_timer_stop (&mark->timer));
          n_left--;
        }
      g_assert_cmpuint (concur_timers_pending (), ==, n_left);
    }
  test_gate_open (&clog.go);
  test_gate_wait_n (&fired_gate, n_left);

  g_assert_cmpuint (fired->len, ==, n_left);
  assert_sorted ();
  marks_end ();
}

static void
test_stop (void)
{
  Mark first = { 0 }, second = { 0 }, never = { 0 };
  Clog clog;

  marks_begin ();
  g_assert_false (concur_timer_stop (&never.timer));

  mark_start (&first, g_get_monotonic_time () + HOUR_US);
  g_assert_true (concur_timer_stop (&first.timer));
  g_assert_false (concur_timer_stop (&first.timer));

  clog_start (&clog);
  mark_start (&first, 0);
  mark_start (&second, 0);
  /* Late, and yet in time. */
  g_assert_true (concur_timer_stop (&first.timer));
  /* This one is not. */
  g_assert_false (concur_timer_stop (&clog.timer));
  test_gate_open (&clog.go);
  test_gate_wait (&fired_gate);

  g_assert_cmpuint (first.n_fired, ==, 0);
  g_assert_cmpuint (second.n_fired, ==, 1);
  g_assert_false (concur_timer_stop (&second.timer));
  marks_end ();
}

typedef struct
{
  ConcurTimer timer;
  guint left;
  TestGate done;
} Again;

static void
again_fire (ConcurTimer *timer)
{
  Again *again = (Again *) timer;

  if (again->left-- > 1)
    g_assert_true (concur_timer_start (timer, 0, again_fire, NULL));
  else
    test_gate_open (&again->done);
}

static void
test_restart (void)
{
  Again again = { .left = 1000 };

  g_assert_true (concur_timer_start (&again.timer, 0, again_fire, NULL));
  test_gate_wait (&again.done);
  g_assert_cmpuint (again.left, ==, 0);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

/* One that starts itself again for a time that has passed does not keep others waiting. */
static void
test_restart_fair (void)
{
  Again again = { .left = G_MAXUINT };
  Mark mark = { 0 };

  marks_begin ();
  g_assert_true (concur_timer_start (&again.timer, 0, again_fire, NULL));
  mark_start (&mark, g_get_monotonic_time () + 1000);
  test_gate_wait (&fired_gate);

  while (!concur_timer_stop (&again.timer))
    g_thread_yield ();
  marks_end ();
}

static void
free_fire (ConcurTimer *timer)
{
  g_free (timer);
  test_gate_open (&fired_gate);
}

static void
test_free_inside (void)
{
  marks_begin ();
  g_assert_true (concur_timer_start (g_new0 (ConcurTimer, 1), 0, free_fire, NULL));
  test_gate_wait (&fired_gate);
  marks_end ();
}

static void
test_sleep (void)
{
  guint n = 1000, rings, i;
  g_autofree Mark *marks = g_new0 (Mark, n);
  Mark soon = { 0 };
  gint64 first = g_get_monotonic_time () + HOUR_US;

  marks_begin ();
  /* Without timers it sleeps for ever. */
  test_wait_until (concur_timers_asleep_until () == G_MAXINT64);

  mark_start (&marks[0], first);
  test_wait_until (concur_timers_asleep_until () == first);
  rings = concur_timers_rings ();

  /* Those that are due later do not wake it, nor does a stop, be it of the first; and
   * what starts after that is still later than it sleeps until. */
  for (i = 1; i < n; i++)
    mark_start (&marks[i], first + g_random_int_range (0, 1000));
  for (i = 0; i < n; i++)
    g_assert_true (concur_timer_stop (&marks[i].timer));
  mark_start (&marks[0], first + 1);
  g_assert_cmpint (concur_timers_asleep_until (), ==, first);
  g_assert_cmpuint (concur_timers_rings (), ==, rings);

  /* One that is due before does. */
  mark_start (&soon, first - 1);
  g_assert_cmpuint (concur_timers_rings (), ==, rings + 1);
  test_wait_until (concur_timers_asleep_until () == first - 1);
  g_assert_true (concur_timer_stop (&soon.timer));
  mark_start (&soon, 0);
  test_gate_wait (&fired_gate);
  g_assert_cmpuint (concur_timers_rings (), ==, rings + 2);

  g_assert_true (concur_timer_stop (&marks[0].timer));
  marks_end ();
}

static void
test_memory (void)
{
  guint n = 100000, i;
  g_autofree Mark *marks = g_new0 (Mark, n);
  g_autofree guint *order = g_new (guint, n);
  gint64 due = g_get_monotonic_time () + HOUR_US;
  gint64 start, started, stopped;

  marks_begin ();
  for (i = 0; i < n; i++)
    {
      guint other = (guint) g_random_int_range (0, (gint) i + 1);

      order[i] = order[other];
      order[other] = i;
    }

  start = g_get_monotonic_time ();
  for (i = 0; i < n; i++)
    mark_start (&marks[i], due + order[i]);
  started = g_get_monotonic_time ();
  g_assert_cmpuint (concur_timers_pending (), ==, n);
  g_assert_cmpuint (concur_timers_room (), <=, 2 * n);
  for (i = 0; i < n; i++)
    {
      g_assert_true (concur_timer_stop (&marks[order[i]].timer));
      g_assert_cmpuint (concur_timers_room (), <=, MAX (64, 4 * (n - i)));
    }
  stopped = g_get_monotonic_time ();

  g_test_message ("with up to %u pending: %.0f ns a start, %.0f ns a stop", n,
                  (double) (started - start) * 1000 / n, (double) (stopped - started) * 1000 / n);
  g_assert_cmpuint (concur_timers_room (), ==, 64);
  marks_end ();
}

/* Each thread starts and stops timers of its own, while they fire: each start comes to one
 * stop or to one call. */
#define STRESS_THREADS 6
#define STRESS_TIMERS 8

typedef struct
{
  ConcurTimer timer;
  gint n_fired;           /* atomic */
} Shot;

typedef struct
{
  TestGate *gate;
  guint n_rounds;
  guint n_stopped;
} Stress;

static void
shot_fire (ConcurTimer *timer)
{
  g_atomic_int_inc (&((Shot *) timer)->n_fired);
}

static gpointer
stress_thread (gpointer data)
{
  Stress *stress = data;
  Shot shots[STRESS_TIMERS] = { 0 };
  guint n_fired[STRESS_TIMERS] = { 0 };
  g_autoptr (GRand) rand = g_rand_new ();
  guint i, k;

  test_gate_wait (stress->gate);
  for (i = 0; i < stress->n_rounds; i++)
    {
      for (k = 0; k < STRESS_TIMERS; k++)
        {
          gint64 due = g_get_monotonic_time () + g_rand_int_range (rand, -20, 60);

          g_assert_true (concur_timer_start (&shots[k].timer, due, shot_fire, NULL));
        }
      for (k = 0; k < STRESS_TIMERS; k++)
        {
          if (g_rand_boolean (rand) && concur_timer_stop (&shots[k].timer))
            stress->n_stopped++;
          else
            n_fired[k]++;
        }
      for (k = 0; k < STRESS_TIMERS; k++)
        {
          test_wait_until ((guint) g_atomic_int_get (&shots[k].n_fired) >= n_fired[k]);
          g_assert_cmpuint (g_atomic_int_get (&shots[k].n_fired), ==, n_fired[k]);
        }
    }

  return NULL;
}

static void
test_stress (void)
{
  Stress stress[STRESS_THREADS];
  GThread *threads[STRESS_THREADS];
  TestGate gate = { 0 };
  guint n_stopped = 0, n_rounds = test_scaled (300), i;

  test_shake_start ();
  for (i = 0; i < STRESS_THREADS; i++)
    {
      stress[i] = (Stress){ .gate = &gate, .n_rounds = n_rounds };
      threads[i] = g_thread_new ("stress", stress_thread, &stress[i]);
    }
  test_gate_open (&gate);
  for (i = 0; i < STRESS_THREADS; i++)
    {
      g_thread_join (threads[i]);
      n_stopped += stress[i].n_stopped;
    }
  test_shake_stop ();

  g_test_message ("%u started, %u stopped in time", STRESS_THREADS * STRESS_TIMERS * n_rounds,
                  n_stopped);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

/* A job that a direct callback submitted goes home to the timer thread, which sleeps. */
static void
submit_fire (ConcurTimer *timer)
{
  TestReleases *releases = (TestReleases *) (timer + 1);
  g_autoptr (ConcurFuture) future = NULL;

  releases->thread = g_thread_self ();
  future = concur_executor_submit (concur_executor_get_default (), test_one_job, releases,
                                   test_released, NULL);
}

static void
test_home (void)
{
  struct
  {
    ConcurTimer timer;
    TestReleases releases;
  } scene = { 0 };

  g_assert_true (concur_timer_start (&scene.timer, 0, submit_fire, NULL));
  test_wait_until (test_releases_get (&scene.releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&scene.releases), ==, 0);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/timer/first", test_first);
  g_test_add_func ("/timer/past", test_past);
  g_test_add_func ("/timer/not-early", test_not_early);
  g_test_add_func ("/timer/order", test_order);
  g_test_add_func ("/timer/stop", test_stop);
  g_test_add_func ("/timer/restart", test_restart);
  g_test_add_func ("/timer/restart/fair", test_restart_fair);
  g_test_add_func ("/timer/free-inside", test_free_inside);
  g_test_add_func ("/timer/sleep", test_sleep);
  g_test_add_func ("/timer/memory", test_memory);
  g_test_add_func ("/timer/stress", test_stress);
  g_test_add_func ("/timer/home", test_home);

  return test_run ();
}
