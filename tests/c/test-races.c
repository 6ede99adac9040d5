/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The races of doc/claim-table.md. For each state and each two actors that can meet in
 * it: bring a job into the state, let both loose at the same moment, bring the job to
 * its end, and look whether the table allows what came out. Over and over again, at
 * random offsets, with the library yielding at random in between. */

#include "config.h"

#include "race-round.h"
#include "test-workers.h"

#include "concur-pool-private.h"

#include <stdlib.h>

/* Of each race, with each queue; and as many times more where somebody gets hold of a
 * queued job, as most can go wrong there. */
#define ROUNDS 40
#define MORE 8

static guint n_rounds;

/* The state that a word is in, as far as the word can tell. */
static State
classify (guint32 word)
{
  gboolean answered = (word & CONCUR_STATE_ANSWERED) != 0;
  gboolean ready = (word & CONCUR_STATE_READY) != 0;
  gboolean holds = (word & CONCUR_STATE_HOLD) != 0;

  if (word & CONCUR_STATE_OVER)
    return word & CONCUR_STATE_IN_QUEUE ? STATE_DROPPED : STATE_DONE;
  if (CONCUR_PHASE (word) == CONCUR_PHASE_OPEN)
    return STATE_OPEN;
  if (CONCUR_PHASE (word) == CONCUR_PHASE_QUEUED)
    return answered                         ? STATE_REFUSING
           : word & CONCUR_STATE_CANCEL     ? STATE_MARKED
           : word & CONCUR_STATE_IN_QUEUE   ? STATE_QUEUED
                                            : STATE_GIVEN;
  if (CONCUR_PHASE (word) != CONCUR_PHASE_RUNNING)
    return word & CONCUR_STATE_ACTIVE ? (holds && !ready ? STATE_ABANDONED_HOLDING : STATE_ABANDONED)
                                      : (holds ? STATE_ABANDONED_HELD : STATE_OPEN_CANCELLED);
  if (!(word & CONCUR_STATE_ACTIVE))
    return answered ? STATE_HELD_ANSWERING : STATE_HELD;
  if (ready)
    return STATE_ANSWERED;
  if (answered)
    return word & CONCUR_STATE_ABANDON ? STATE_ANSWERING_ABANDONED : STATE_ANSWERING;

  return holds ? STATE_HOLDING : STATE_RUNNING;
}

static gboolean
state_has_run (State state)
{
  return state >= STATE_RUNNING && state <= STATE_ABANDONED_HELD;
}

static gboolean
state_holds (State state)
{
  return state == STATE_HOLDING || state == STATE_HELD || state == STATE_HELD_ANSWERING
         || state == STATE_ABANDONED_HOLDING || state == STATE_ABANDONED_HELD;
}

static gboolean
state_has_returned (State state)
{
  return state == STATE_HELD || state == STATE_HELD_ANSWERING || state == STATE_ABANDONED_HELD;
}


static void
use_plug (Round *round,
          guint  i,
          guint  order)
{
  round->plugs[i].used = TRUE;
  mailbox_put (&round->plugs[i].mailbox, order);
}

static void
submit_plugs (Round *round)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (round->plugs); i++)
    {
      round->plugs[i].round = round;
      g_object_unref (concur_executor_submit (round->executor, plug_run, &round->plugs[i], NULL, NULL));
    }
  test_gate_wait_n (&round->plugged, G_N_ELEMENTS (round->plugs));
}

/* The job's function runs; the plug of the other worker stays. */
static void
set_up_running (Round *round)
{
  ConcurFuture *future = CONCUR_FUTURE (round->job);
  State state = round->state;

  if (round->in_place)
    {
      round->refs[2] = g_object_ref (round->job);
      use_plug (round, 1, ORDER_WAIT);
    }
  else
    {
      use_plug (round, 0, ORDER_LEAVE);
    }
  test_gate_wait (&round->entered);

  if (state_holds (state))
    {
      mailbox_put (&round->function, ORDER_HOLD);
      test_gate_wait (&round->held);
    }
  if (state_has_returned (state) || state == STATE_DONE)
    {
      round->told_to_return = TRUE;
      round->must_answer = state != STATE_DONE;
      mailbox_put (&round->function, state == STATE_DONE ? ORDER_ANSWER_RETURN : ORDER_RETURN);
      serve_until (round, !(concur_future_state (future) & CONCUR_STATE_ACTIVE));
    }
  if (state == STATE_ANSWERED)
    concur_job_return_int64 (round->job, 3);
  if (state == STATE_ABANDONED || state == STATE_ABANDONED_HOLDING || state == STATE_ABANDONED_HELD)
    concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
}

static void
set_up_job (Round *round)
{
  ConcurFuture *future;
  State state = round->state;

  round->parent = g_cancellable_new ();
  g_object_weak_ref (G_OBJECT (round->parent), parent_gone, round);
  round->job = concur_job_new (target_run, round, destroyed);
  future = CONCUR_FUTURE (round->job);
  concur_future_ignore (future);
  concur_future_add_direct_callback (future, settled, round, NULL);
  concur_future_when_done (future, posted, round, NULL, home_context);
  if (next_random (4) == 0)
    g_signal_connect (future, "notify::state", G_CALLBACK (notified), round);
  if (next_random (4) == 0)
    concur_job_get_cancellable (round->job);
  round->cancels_late = next_random (4) == 0;
  if (round->cancels_late)
    g_object_set_data_full (G_OBJECT (future), "parent", g_object_ref (round->parent), cancel_late);

  if (state == STATE_OPEN_WARNED)
    g_cancellable_cancel (round->parent);
  else if (state == STATE_OPEN_SHUT)
    g_object_unref (concur_executor_shutdown (round->executor, next_random (3)));
  else if (state == STATE_OPEN_CANCELLED)
    concur_future_cancel (future, CONCUR_CANCEL_NONE);
  else if (state == STATE_GIVEN)
    g_object_unref (concur_executor_submit_job (CONCUR_EXECUTOR (keeper), round->job, round->parent));
  else if (state > STATE_GIVEN)
    g_object_unref (concur_executor_submit_job (round->executor, round->job, round->parent));

  if (state == STATE_DROPPED)
    concur_future_cancel (future, CONCUR_CANCEL_NONE);
  if (state == STATE_MARKED)
    concur_atomic_or (&concur_future_private (future)->state, CONCUR_STATE_CANCEL, CONCUR_SEQ_CST);
  if (state_has_run (state) || state == STATE_DONE)
    set_up_running (round);
  if (state_is_answering (state))
    {
      GValue *value = &concur_future_private (future)->value;

      round->begun = concur_future_answer_begin (future);
      g_assert_cmpint (round->begun, ==, CONCUR_ANSWER_WRITE);
      g_value_init (value, G_TYPE_INT64);
      g_value_set_int64 (value, 3);
    }
  if (state == STATE_ANSWERING_ABANDONED)
    concur_future_cancel (future, CONCUR_CANCEL_ABANDON);

  if (state == STATE_DONE)
    serve_until (round, concur_future_state (future) & CONCUR_STATE_OVER);
  if (state > STATE_OPEN_SHUT)
    g_assert_cmpstr (state_names[classify (concur_future_state (future))], ==, state_names[state]);
}

static void
race (Round *round)
{
  gint n_awaited = 0, n_ready = 2;
  int submitter = -1;
  guint who;

  for (who = 0; who < 2; who++)
    {
      Actor actor = round->actors[who];

      round->offsets[who] = next_random (4) == 0 ? 0 : next_random (400);
      if (!actor_may_be_late (actor))
        n_awaited++;

      if (actor == ACTOR_HOLD || actor == ACTOR_RETURN)
        {
          mailbox_put (&round->function, ORDER_ACT + who);
          if (actor == ACTOR_RETURN)
            round->told_to_return = round->must_answer = TRUE;
        }
      else if (actor == ACTOR_SUBMIT)
        {
          submitter = (int) who;
          n_ready--;
        }
      else if (actor == ACTOR_TAKE && round->state != STATE_GIVEN)
        {
          use_plug (round, 0, ORDER_ACT + who);
        }
      else
        {
          round->refs[who] = g_object_ref (round->job);
          if (actor == ACTOR_IN_PLACE)
            use_plug (round, 1, ORDER_ACT + who);
          else
            mailbox_put (&helpers[who].mailbox, ORDER_ACT + who);
        }
    }

  if (round->early)
    {
      round->must_answer = FALSE;
      g_clear_object (&round->job);
    }

  while (g_atomic_int_get (&round->ready) < n_ready)
    sched_yield ();
  g_atomic_int_set (&round->go, 1);
  if (submitter >= 0)
    {
      spin (round->offsets[submitter]);
      act (round, (guint) submitter);
    }

  serve_until (round, g_atomic_int_get (&round->finished) >= n_awaited);
  if (races (round, ACTOR_RETURN) && round->job != NULL)
    serve_until (round, !(concur_future_state (round->job) & CONCUR_STATE_ACTIVE));
}

/* Nothing here may be part of the race any more. */
static void
finish (Round *round)
{
  State state = round->state;
  guint i;

  if (state_is_answering (state) && !races (round, ACTOR_PUBLISH))
    {
      acting = ACTOR_PUBLISH;
      concur_future_answer_end (CONCUR_FUTURE (round->job), round->begun);
    }
  if (state <= STATE_OPEN_CANCELLED && !races (round, ACTOR_SUBMIT))
    {
      acting = ACTOR_SUBMIT;
      g_object_unref (concur_executor_submit_job (round->executor, round->job, round->parent));
    }
  acting = ACTOR_NONE;
  if (state == STATE_GIVEN && !races (round, ACTOR_TAKE))
    {
      round->refs[2] = g_object_ref (round->job);
      mailbox_put (&helpers[0].mailbox, ORDER_EXECUTE);
    }

  if (races (round, ACTOR_FLUSH))
    {
      g_atomic_int_set (&supply_fails, 0);
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (round->executor), FALSE);
    }
  else
    {
      for (i = 0; i < G_N_ELEMENTS (round->plugs); i++)
        {
          if (!round->plugs[i].used)
            use_plug (round, i, ORDER_LEAVE);
        }
    }
}

/* TRUE: the job has its outcome, and what may hold it back is done. */
static gboolean
conclude (Round *round)
{
  if (!round->told_to_return && test_gate_get (&round->entered) > 0)
    {
      round->told_to_return = TRUE;
      mailbox_put (&round->function, ORDER_ANSWER_RETURN);
    }
  if (round->must_answer)
    {
      round->must_answer = FALSE;
      acting = ACTOR_PUBLISH;
      concur_job_return_int64 (round->job, 4);
      acting = ACTOR_NONE;
    }

  return !round->must_answer && g_atomic_int_get (&round->n_direct) > 0;
}

static gboolean
is_quiet (Round *round)
{
  guint i;

  /* The function may be entered only now, if the job was abandoned before. */
  conclude (round);

  for (i = 0; i < G_N_ELEMENTS (round->ends); i++)
    {
      if (round->ends[i] != NULL && concur_future_is_done (round->ends[i]))
        {
          if (!concur_future_check (round->ends[i], NULL))
            fail (round, "the shutdown's future is not resolved");
          g_clear_object (&round->ends[i]);
        }
    }

  return test_futures_alive () == 0 && g_atomic_int_get (&round->n_destroyed) > 0
         && g_atomic_int_get (&round->n_parents_gone) > 0
         && g_atomic_int_get (&round->n_posted) > 0;
}

static gboolean
is_allowed (const Round   *round,
            const Allowed  allowed)
{
  guint32 settlers = allowed[round->outcome];

  /* It was done before; or the race may have been with any of the moves of a submit. */
  if (state_is_done (round->state) || races (round, ACTOR_SUBMIT))
    return settlers != 0;
  if (settlers & (1u << round->settler))
    return TRUE;

  /* A function that returns without an answer is an answer first, as is a sweep. */
  if (round->settler == ACTOR_ABANDON && round->outcome == OUTCOME_ERROR)
    return settlers != 0;

  /* A sweep claims, answers and returns: it settles, too, what somebody else answered in
   * between. And what a shutdown's sweep did not see, who takes it treats in this way. */
  if (round->settler == ACTOR_TAKE || round->settler == ACTOR_IN_PLACE)
    return shuts (round) && settlers != 0;

  return races (round, ACTOR_FLUSH) || shuts (round)
           ? (round->settler == ACTOR_FLUSH || round->settler == ACTOR_SHUT_PENDING
              || round->settler == ACTOR_SHUT_ALL)
               && settlers != 0
           : FALSE;
}

static void
run_round (ConcurExecutor *const  shared[2],
           State                  state,
           const Actor            actors[2],
           const Allowed          allowed)
{
  Round *round = &round_now;
  gboolean in_context = next_random (2) == 0;
  gboolean fresh, has_run = state_has_run (state);
  ConcurReleasePolicy release = next_random (4) == 0 ? CONCUR_RELEASE_WORKER : CONCUR_RELEASE_HOME;

  memset (round, 0, sizeof *round);
  round->state = state;
  round->actors[0] = actors[0];
  round->actors[1] = actors[1];
  fresh = shuts (round) || races (round, ACTOR_FLUSH) || state == STATE_OPEN_SHUT;
  round->in_place = has_run && !races (round, ACTOR_IN_PLACE)
                    && (races (round, ACTOR_TAKE) || next_random (2) == 0);
  round->early = state >= STATE_QUEUED && !state_holds (state) && !state_is_answering (state)
                 && !races (round, ACTOR_HOLD) && next_random (2) == 0;
  round->releases_at_home = release == CONCUR_RELEASE_HOME;
  round->owns_executor = fresh;
  round->executor = fresh ? g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 2,
                                          "max-blocked", 0, "release", release, NULL)
                          : shared[release];

  if (in_context)
    g_main_context_push_thread_default (home_context);

  if (races (round, ACTOR_FLUSH))
    {
      concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (round->executor), TRUE);
      g_atomic_int_set (&supply_fails, 1);
    }
  else
    {
      submit_plugs (round);
    }

  set_up_job (round);
  race (round);
  if (state_has_returned (state) && !state_is_answering (state) && !races (round, ACTOR_ANSWER)
      && g_atomic_int_get (&round->n_destroyed) > 0)
    fail (round, "released while it is held");
  finish (round);
  serve_until (round, conclude (round));

  if (round->job != NULL
      && (get_outcome (CONCUR_FUTURE (round->job)) != (Outcome) round->outcome
          || get_value (CONCUR_FUTURE (round->job)) != round->value))
    fail (round, "the outcome has changed");

  g_clear_object (&round->job);
  g_clear_object (&round->parent);
  if (fresh)
    g_object_unref (round->executor);
  g_clear_object (&keeper->job);
  serve_until (round, is_quiet (round));

  if (in_context)
    g_main_context_pop_thread_default (home_context);

  if (round->n_direct != 1 || round->n_posted != 1 || round->n_destroyed != 1
      || round->n_parents_gone != 1)
    fail (round, "not everything happened once");
  if (round->wrong != 0)
    fail (round, "something happened on a wrong thread, or too early");
  if (!is_allowed (round, allowed))
    fail (round, "the table does not allow this");
  if (!fresh && n_rounds % 16 == 0)
    g_assert_cmpuint (test_snapshot (shared[release], n_pending), ==, 0);
  n_rounds++;
}

/* Whether both can be at it in @state, each on a thread of its own. */
static gboolean
can_meet (State state,
          Actor one,
          Actor other)
{
  static const gboolean anywhere[N_ACTORS] = {
    [ACTOR_CANCEL] = TRUE, [ACTOR_ABANDON] = TRUE, [ACTOR_PARENT] = TRUE,
    [ACTOR_SHUT_PENDING] = TRUE, [ACTOR_SHUT_ALL] = TRUE, [ACTOR_ANSWER] = TRUE,
  };
  Actor pair[2] = { one, other };
  guint i;

  if (one == other && !anywhere[one])
    return FALSE;
  if ((one == ACTOR_HOLD || one == ACTOR_RETURN) && (other == ACTOR_HOLD || other == ACTOR_RETURN))
    return FALSE;

  for (i = 0; i < 2; i++)
    {
      Actor actor = pair[i], else_actor = pair[1 - i];

      if (!cells[state][actor].possible)
        return FALSE;
      /* It follows its parent or its answer, unless that was begun before. */
      if (actor == ACTOR_ORDER || (actor == ACTOR_PUBLISH && !state_is_answering (state)))
        return FALSE;
      /* No thread can be started, so there is none to take it. */
      if (actor == ACTOR_FLUSH
          && (else_actor == ACTOR_TAKE || else_actor == ACTOR_IN_PLACE || state == STATE_DONE))
        return FALSE;
      /* To run it one of the two workers was needed, and only one that waits leaves the
       * link in the queue. */
      if (actor == ACTOR_TAKE
          && (state == STATE_DONE || (state_has_run (state) && else_actor == ACTOR_IN_PLACE)))
        return FALSE;
    }

  return TRUE;
}

static gboolean
actor_takes (Actor actor)
{
  return actor == ACTOR_TAKE || actor == ACTOR_IN_PLACE;
}

static void
test_state (gconstpointer data)
{
  State state = GPOINTER_TO_UINT (data) % N_STATES;
  gint64 began = g_get_monotonic_time ();
  ConcurExecutor *shared[2];
  guint one, other, i, n, n_races = 0;

  concur_pool_default_queue = GPOINTER_TO_UINT (data) < N_STATES ? &concur_queue_lockfree
                                                                 : &concur_queue_mutex;
  for (i = 0; i < 2; i++)
    shared[i] = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, "max-threads", 2, "max-blocked", 0,
                              "release", i, NULL);
  n_rounds = 0;

  for (one = ACTOR_NONE + 1; one < N_ACTORS; one++)
    {
      for (other = one; other < N_ACTORS; other++)
        {
          Actor actors[2] = { one, other };
          Allowed allowed;

          if (!can_meet (state, one, other))
            continue;

          n_races++;
          race_table_get_allowed (state, actors, allowed);
          n = ROUNDS;
          if (state == STATE_QUEUED && (actor_takes (one) || actor_takes (other)))
            n *= MORE;
          for (i = test_scaled (n); i > 0; i--)
            run_round (shared, state, actors, allowed);
        }
    }

  for (i = 0; i < 2; i++)
    test_executor_end (shared[i]);

  g_test_message ("%u races, %u rounds, %.0f a second", n_races, n_rounds,
                  n_rounds * 1e6 / (g_get_monotonic_time () - began));
}

static char *
dup_table_path (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "doc", "claim-table.md", NULL);

  /* Run by hand, from the top of the sources. */
  return g_file_test (path, G_FILE_TEST_EXISTS) ? g_steal_pointer (&path)
                                                : g_strdup ("doc/claim-table.md");
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *path = NULL;
  int status;
  guint i;

  test_init (&argc, &argv);

  /* One seed for both, so that it can be given back. */
  if (g_getenv ("CONCUR_TEST_SEED") == NULL)
    {
      g_autofree char *text = g_strdup_printf ("%u", g_random_int_range (1, G_MAXINT));

      g_setenv ("CONCUR_TEST_SEED", text, TRUE);
    }
  seed = (guint32) strtoul (g_getenv ("CONCUR_TEST_SEED"), NULL, 10) | 1u;
  test_shake_start ();

  /* The executor says so when it cannot start threads. */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);

  path = dup_table_path ();
  race_table_load (path);

  home_thread = g_thread_self ();
  home_context = g_main_context_new ();
  keeper = g_object_new (TEST_TYPE_KEEPER, NULL);
  for (i = 0; i < G_N_ELEMENTS (helpers); i++)
    helpers[i].thread = g_thread_new ("actor", helper_thread, &helpers[i]);

  for (i = 0; i < 2 * N_STATES; i++)
    {
      g_autofree char *name = g_strdup_printf ("/races/%s/%s", i < N_STATES ? "lockfree" : "mutex",
                                               state_names[i % N_STATES]);

      g_test_add_data_func (name, GUINT_TO_POINTER (i), test_state);
    }

  status = test_run ();

  for (i = 0; i < G_N_ELEMENTS (helpers); i++)
    {
      mailbox_put (&helpers[i].mailbox, ORDER_QUIT);
      g_thread_join (helpers[i].thread);
    }
  g_object_unref (keeper);
  g_main_context_unref (home_context);

  /* LeakSanitizer looks when this returns, and takes what a thread that is half gone still
   * has for lost. */
  test_wait_until ((g_thread_pool_stop_unused_threads (), test_count_threads ("pool-test") == 0));

  return status;
}
