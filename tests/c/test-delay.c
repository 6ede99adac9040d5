/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Delays: futures that time completes, with and without main loops, up to the moment that
 * they are cancelled or forgotten. This program has a pthread_create () of its own, which
 * fails when told to. */

#include "config.h"

#include "test-hold.h"
#include "test-no-threads.h"
#include "test-workers.h"

#include <sys/wait.h>
#include <unistd.h>

#define HOUR_US (3600 * (gint64) G_USEC_PER_SEC)

static void
assert_resolved (ConcurFuture *future)
{
  const GValue *value = concur_future_get_value (future, NULL);

  g_assert_nonnull (value);
  g_assert_true (G_VALUE_HOLDS (value, G_TYPE_OBJECT));
  g_assert_null (g_value_get_object (value));
}

/* The first test: no thread has been started before. */
static void
test_no_thread (void)
{
  guint before = test_futures_alive ();
  guint i;

  g_atomic_int_set (&no_threads, TRUE);
  for (i = 0; i < 2; i++)
    {
      g_autoptr (ConcurFuture) future = concur_future_delay (HOUR_US);

      g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
      test_assert_error (future, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_THREAD_FAILED);
      g_assert_cmpuint (concur_timers_pending (), ==, 0);
    }
  /* This one needs none. */
  {
    g_autoptr (ConcurFuture) future = concur_future_delay (0);

    assert_resolved (future);
  }
  g_atomic_int_set (&no_threads, FALSE);

  {
    g_autoptr (ConcurFuture) future = concur_future_delay (1);

    test_assert_done (future);
    assert_resolved (future);
  }
  test_wait_until (test_futures_alive () <= before);
}

static void
hold_start (TestHold *hold)
{
  *hold = (TestHold){ 0 };
  g_assert_true (concur_timer_start (&hold->timer, 0, test_hold_fire, NULL));
  test_gate_wait (&hold->clog.begun);
}

/* Which check failed is its exit status. */
static int
in_child (ConcurFuture *pending)
{
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (ConcurFuture) now = NULL;

  alarm (50);
  future = concur_future_delay (1000);
  if (!concur_future_is_done (future))
    return 1;
  if (!g_error_matches (concur_future_get_error (future), CONCUR_EXECUTOR_ERROR,
                        CONCUR_EXECUTOR_ERROR_NOT_RUNNING))
    return 2;
  now = concur_future_delay (0);
  if (!concur_future_is_done (now))
    return 3;
  /* What was begun before never ends, and can still be cancelled. */
  if (concur_future_wait (pending, -1))
    return 4;
  if (!concur_future_cancel (pending, CONCUR_CANCEL_NONE))
    return 5;
  g_object_unref (pending);

  return 0;
}

static void
fork_and_check (ConcurFuture *pending)
{
  pid_t pid = fork ();
  int status;

  g_assert_cmpint (pid, !=, -1);
  if (pid == 0)
    _exit (in_child (pending));

  while (waitpid (pid, &status, 0) != pid)
    ;
  if (!WIFEXITED (status))
    g_error ("the child was killed by signal %d", WTERMSIG (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
hold_direct (ConcurFuture *future,
             gpointer      clog)
{
  test_gate_open (&((TestClog *) clog)->begun);
  test_gate_wait (&((TestClog *) clog)->go);
}

static gint fork_over;    /* atomic */

static gpointer
fork_busy_thread (gpointer data)
{
  ConcurTimer timer = { 0 };

  /* Not delays: GLib's own locks do not survive a fork. */
  while (!g_atomic_int_get (&fork_over))
    {
      g_assert_true (concur_timer_start (&timer, G_MAXINT64, test_hold_fire, NULL));
      g_assert_true (concur_timer_stop (&timer));
    }

  return NULL;
}

static void
test_fork (void)
{
  g_autoptr (ConcurFuture) first = concur_future_delay (1);
  g_autoptr (ConcurFuture) pending = concur_future_delay (HOUR_US);
  g_autoptr (ConcurFuture) held = NULL;
  GThread *busy;
  TestClog clog = { 0 };
  TestHold hold;
  guint i;

  test_assert_done (first);
  fork_and_check (pending);

  /* While it fires: nobody is there who goes on. */
  hold_start (&hold);
  held = concur_future_delay (1);
  concur_future_add_direct_callback (held, hold_direct, &clog, NULL);
  test_gate_open (&hold.clog.go);
  test_gate_wait (&clog.begun);
  fork_and_check (pending);
  test_gate_open (&clog.go);

  /* At any moment, also while somebody has the lock. */
  busy = g_thread_new ("busy", fork_busy_thread, NULL);
  for (i = test_scaled (50); i > 0; i--)
    fork_and_check (pending);
  g_atomic_int_set (&fork_over, TRUE);
  g_thread_join (busy);

  g_assert_false (concur_future_is_done (pending));
}

/* Nothing in this program runs a main loop here. */
static void
test_no_loop (void)
{
  gint64 start = g_get_monotonic_time ();
  g_autoptr (ConcurFuture) future = concur_future_delay (20000);

  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_PENDING);
  g_assert_false (concur_future_wait (future, 1000));
  test_assert_done (future);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RESOLVED);
  assert_resolved (future);
}

static void
test_at_once (void)
{
  gint64 delays[] = { 0, -1, G_MININT64 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (delays); i++)
    {
      g_autoptr (ConcurFuture) future = concur_future_delay (delays[i]);

      g_assert_true (concur_future_is_done (future));
      assert_resolved (future);
    }
}

static void
test_never (void)
{
  g_autoptr (ConcurFuture) future = concur_future_delay (G_MAXINT64);
  g_autoptr (ConcurFuture) soon = concur_future_delay (1);

  test_assert_done (soon);
  g_assert_false (concur_future_is_done (future));
  test_wait_until (concur_timers_asleep_until () == G_MAXINT64);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
}

typedef struct
{
  TestGate told;
  GThread *thread;
  gint64 at;
} Told;

static void
tell (ConcurFuture *future,
      gpointer      data)
{
  Told *told = data;

  told->at = g_get_monotonic_time ();
  told->thread = g_thread_self ();
  test_gate_open (&told->told);
}

static gboolean
busy_dispatch (gpointer data)
{
  Told *told = data;

  /* Inside of a dispatch, until the delay is over. */
  test_gate_wait (&told->told);
  told->at = 0;

  return G_SOURCE_REMOVE;
}

static void
test_busy_main (void)
{
  g_autoptr (ConcurFuture) future = NULL;
  Told direct = { .at = -1 }, posted = { 0 };
  TestHold hold;

  hold_start (&hold);
  future = concur_future_delay (10000);

  concur_future_add_direct_callback (future, tell, &direct, NULL);
  concur_future_when_done (future, tell, &posted, NULL, NULL);
  g_idle_add (busy_dispatch, &direct);
  test_gate_open (&hold.clog.go);
  test_iterate_until (NULL, test_gate_get (&posted.told) == 1 && direct.at == 0);

  g_assert_true (direct.thread != g_thread_self ());
  /* And what belongs to the main context comes there. */
  g_assert_true (posted.thread == g_thread_self ());
}

/* The main context has no sources, no timeout and no descriptors more than without. */
static void
look_at_context (gint *timeout,
                 gint *n_fds)
{
  GMainContext *context = g_main_context_default ();
  GPollFD fds[16];
  gint priority;

  g_assert_true (g_main_context_acquire (context));
  g_assert_false (g_main_context_prepare (context, &priority));
  *n_fds = g_main_context_query (context, G_MAXINT, timeout, fds, G_N_ELEMENTS (fds));
  g_assert_cmpint (g_main_context_check (context, priority, fds, *n_fds), ==, 0);
  g_main_context_release (context);
}

static void
test_many (void)
{
  guint n = 100000, before = test_futures_alive (), i;
  g_autoptr (GPtrArray) futures = NULL;
  g_autoptr (ConcurFuture) first = concur_future_delay (1);
  gint timeout, n_fds, timeout_after, n_fds_after;
  gint64 start, begun, over;
  guint rings;

  test_assert_done (first);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  look_at_context (&timeout, &n_fds);
  g_assert_cmpint (timeout, ==, -1);

  futures = test_futures_new ();
  g_ptr_array_add (futures, concur_future_delay (HOUR_US));
  rings = concur_timers_rings ();
  start = g_get_monotonic_time ();
  for (i = 1; i < n; i++)
    g_ptr_array_add (futures, concur_future_delay (HOUR_US + g_random_int_range (1000, 1000000)));
  begun = g_get_monotonic_time ();

  g_assert_cmpuint (concur_timers_pending (), ==, n);
  g_assert_cmpuint (concur_timers_rings (), ==, rings);
  look_at_context (&timeout_after, &n_fds_after);
  g_assert_cmpint (timeout_after, ==, timeout);
  g_assert_cmpint (n_fds_after, ==, n_fds);
  /* What comes now is not held up by them either. */
  {
    g_autoptr (ConcurFuture) soon = concur_future_delay (1);

    test_assert_done (soon);
  }

  over = g_get_monotonic_time ();
  g_clear_pointer (&futures, g_ptr_array_unref);
  g_test_message ("%.0f ns a delay, %.0f ns to drop it", (double) (begun - start) * 1000 / n,
                  (double) (g_get_monotonic_time () - over) * 1000 / n);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  g_assert_cmpuint (concur_timers_room (), <=, 64);
  g_clear_object (&first);
  test_wait_until (test_futures_alive () <= before);
}

typedef struct
{
  GPtrArray *order;  /* the timer thread's, until they are all noted */
  gint n;            /* atomic */
} Noted;

static void
note_direct (ConcurFuture *future,
             gpointer      data)
{
  Noted *noted = data;

  g_ptr_array_add (noted->order, future);
  g_atomic_int_inc (&noted->n);
}

/* Any two whose times cannot have been the other way round: between one call and the next,
 * the machine may do something else. */
static void
test_order (void)
{
  guint n = test_scaled (200), i;
  g_autoptr (GPtrArray) futures = test_futures_new ();
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  g_autoptr (GHashTable) places = g_hash_table_new (NULL, NULL);
  Noted noted = { .order = order };
  g_autofree guint *delays = g_new (guint, n);
  g_autofree gint64 *earliest = g_new (gint64, n);
  g_autofree gint64 *latest = g_new (gint64, n);
  gint64 due = 0;
  TestHold hold;

  for (i = 0; i < n; i++)
    {
      guint other = (guint) g_random_int_range (0, (gint) i + 1);

      delays[i] = delays[other];
      delays[other] = i;
    }
  hold_start (&hold);
  for (i = 0; i < n; i++)
    {
      gint64 delay = 1 + (gint64) delays[i] * 1000;
      ConcurFuture *future;

      earliest[i] = g_get_monotonic_time () + delay;
      future = concur_future_delay (delay);
      latest[i] = g_get_monotonic_time () + delay;
      concur_future_add_direct_callback (future, note_direct, &noted, NULL);
      g_ptr_array_add (futures, future);
      g_hash_table_insert (places, future, GUINT_TO_POINTER (i));
    }
  test_gate_open (&hold.clog.go);
  test_futures_wait (futures);
  /* A waiter is woken before the callback is called. */
  test_wait_until (g_atomic_int_get (&noted.n) == (gint) n);

  for (i = 0; i < n; i++)
    {
      guint place = GPOINTER_TO_UINT (g_hash_table_lookup (places, order->pdata[i]));

      g_assert_cmpint (latest[place], >=, due);
      due = MAX (due, earliest[place]);
    }
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

static void
test_cancel (void)
{
  guint before = test_futures_alive ();
  g_autoptr (ConcurFuture) future = concur_future_delay (HOUR_US);
  Told told = { 0 };

  concur_future_add_direct_callback (future, tell, &told, NULL);
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  g_assert_cmpuint (test_gate_get (&told.told), ==, 1);
  test_assert_cancelled (future);
  g_assert_false (concur_future_cancel (future, CONCUR_CANCEL_NONE));

  g_clear_object (&future);
  g_assert_cmpuint (test_futures_alive (), ==, before);
}

static void
never_told (ConcurFuture *future,
            gpointer      data)
{
  g_assert_not_reached ();
}

/* Its callbacks go with it, unheard, where they belong. */
static void
test_forget (void)
{
  guint before = test_futures_alive ();
  ConcurFuture *future = concur_future_delay (HOUR_US);
  TestReleases releases = { .thread = g_thread_self () };

  concur_future_when_done (future, never_told, &releases, test_released, NULL);
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  g_object_unref (future);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  g_assert_cmpuint (test_futures_alive (), ==, before);
  test_iterate_until (NULL, test_releases_get (&releases) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
}

static gpointer
wait_thread (gpointer future)
{
  return GINT_TO_POINTER (concur_future_wait (future, TEST_PATIENCE_US));
}

/* Who waits has a reference, so a delay that the rest forgets still comes to its end. */
static void
test_waiter (void)
{
  ConcurFuture *future = concur_future_delay (20000);
  ConcurFuture *kept = g_object_ref (future);
  GThread *thread = g_thread_new ("waiter", wait_thread, future);

  g_object_unref (future);
  g_assert_true (GPOINTER_TO_INT (g_thread_join (thread)));
  assert_resolved (kept);
  g_object_unref (kept);
}

static void
test_dispose (void)
{
  g_autoptr (ConcurFuture) future = concur_future_delay (HOUR_US);

  g_object_run_dispose (G_OBJECT (future));
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  g_object_run_dispose (G_OBJECT (future));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
}

/* Several cancel and let go of a delay at about the time it is over. */
#define RACERS 4

typedef struct
{
  ConcurFuture *future;
  gboolean cancels;
  gint n_cancelled;       /* atomic */
  gint n_told;            /* atomic */
  gint n_gone;            /* atomic */
} Race;

static void
race_told (ConcurFuture *future,
           gpointer      race)
{
  g_atomic_int_inc (&((Race *) race)->n_told);
}

static void
race_gone (gpointer race)
{
  g_atomic_int_inc (&((Race *) race)->n_gone);
}

typedef struct
{
  TestGate go;
  TestGate done;
  Race *race;
} Racer;

static gpointer
racer_thread (gpointer data)
{
  Racer *racer = data;
  guint round;

  for (round = 1;; round++)
    {
      test_gate_wait_n (&racer->go, round);
      if (racer->race == NULL)
        return NULL;

      while (g_get_monotonic_time () % 4 != 0)
        ;
      if (racer->race->cancels && concur_future_cancel (racer->race->future, CONCUR_CANCEL_NONE))
        g_atomic_int_inc (&racer->race->n_cancelled);
      g_object_unref (racer->race->future);
      test_gate_open (&racer->done);
    }
}

static void
test_race (gconstpointer cancels)
{
  guint before = test_futures_alive ();
  guint n = test_scaled (3000), n_cancelled = 0, n_told = 0, round, i;
  GThread *threads[RACERS];
  Racer racers[RACERS] = { 0 };

  test_shake_start ();
  for (i = 0; i < RACERS; i++)
    threads[i] = g_thread_new ("racer", racer_thread, &racers[i]);

  for (round = 1; round <= n; round++)
    {
      Race race = { .cancels = cancels != NULL };
      ConcurFuture *future = concur_future_delay (g_random_int_range (1, 80));

      race.future = future;
      concur_future_add_direct_callback (future, race_told, &race, race_gone);
      for (i = 0; i < RACERS; i++)
        {
          g_object_ref (future);
          racers[i].race = &race;
        }
      g_object_unref (future);
      for (i = 0; i < RACERS; i++)
        test_gate_open (&racers[i].go);
      for (i = 0; i < RACERS; i++)
        test_gate_wait_n (&racers[i].done, round);

      /* Its callback was called or went with it, once, and nothing of it is left. */
      test_wait_until (g_atomic_int_get (&race.n_gone) == 1);
      test_wait_until (test_futures_alive () <= before);
      g_assert_cmpuint (concur_timers_pending (), ==, 0);
      g_assert_cmpint (race.n_cancelled, <=, 1);
      g_assert_cmpint (race.n_told, <=, 1);
      if (cancels)
        g_assert_cmpint (race.n_told, ==, 1);
      n_cancelled += (guint) race.n_cancelled;
      n_told += (guint) race.n_told;
    }

  for (i = 0; i < RACERS; i++)
    {
      racers[i].race = NULL;
      test_gate_open (&racers[i].go);
      g_thread_join (threads[i]);
    }
  test_shake_stop ();
  g_test_message ("of %u delays %u were cancelled and %u were told of", n, n_cancelled, n_told);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/delay/no-thread", test_no_thread);
  g_test_add_func ("/delay/no-loop", test_no_loop);
  g_test_add_func ("/delay/at-once", test_at_once);
  g_test_add_func ("/delay/never", test_never);
  g_test_add_func ("/delay/busy-main", test_busy_main);
  g_test_add_func ("/delay/many", test_many);
  g_test_add_func ("/delay/order", test_order);
  g_test_add_func ("/delay/cancel", test_cancel);
  g_test_add_func ("/delay/forget", test_forget);
  g_test_add_func ("/delay/waiter", test_waiter);
  g_test_add_func ("/delay/dispose", test_dispose);
  g_test_add_data_func ("/delay/race/cancel", "cancel", test_race);
  g_test_add_data_func ("/delay/race/forget", NULL, test_race);
  g_test_add_func ("/delay/fork", test_fork);

  return test_run ();
}
