/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Loop threads, contexts as executors, continuations, combinations and tasks, all at once:
 * several threads, and the jobs they make, do whatever comes to the random numbers' mind
 * with a few futures and executors that they share. In the end each future is done, each
 * function that was to be called once was called once, where it should, and what was
 * handed over with it was let go once, at home.
 *
 * Futures only depend on older ones, and what holds a job is always answered by somebody
 * who waits for nothing, so that whatever is left over at the end is a mistake. A failure
 * is tried again with --seed (see the first line of the log) and CONCUR_TEST_SEED (see
 * the test's). */

#include "config.h"

#include "stress-loops-steps.h"

static gpointer
actor_thread (gpointer data)
{
  Actor *actor = data;
  Round *round = actor->round;
  gint64 deadline = g_get_monotonic_time () + 4 * TEST_PATIENCE_US;

  if (actor->context != NULL)
    g_main_context_push_thread_default (actor->context);

  test_gate_wait (&round->start);
  for (; actor->step < N_STEPS; actor->step++)
    {
      act (actor);
      if (actor->context != NULL && actor->step % 5 == 0)
        g_main_context_iteration (actor->context, FALSE);
    }

  g_atomic_int_inc (&round->n_idle);
  while (!g_atomic_int_get (&round->over))
    {
      if (actor->context != NULL)
        test_iterate (actor->context, deadline, G_STRLOC);
      else
        test_pause (deadline, G_STRLOC);
    }

  if (actor->context != NULL)
    g_main_context_pop_thread_default (actor->context);

  return NULL;
}

/* Answers whatever is held, sooner or later, and waits for nothing itself. */
static gpointer
answerer (gpointer data)
{
  Round *round = data;
  g_autoptr (GPtrArray) waiting = g_ptr_array_new ();
  guint n = 0, i;

  while (!g_atomic_int_get (&round->over))
    {
      Held *held = g_async_queue_timeout_pop (round->held, 200);

      if (held != NULL)
        g_ptr_array_add (waiting, held);
      for (i = waiting->len; i > 0; i--)
        {
          held = waiting->pdata[i - 1];
          if (held->when_cancelled && !concur_job_is_cancelled (held->job))
            continue;

          /* A task that fails is logged. */
          if (held->when_cancelled || n++ % 2 == 0)
            concur_job_return_int64 (held->job, n);
          else
            concur_job_return_error (held->job, &(GError){ G_FILE_ERROR, G_FILE_ERROR_PIPE, (char *) "pipe" });
          g_object_unref (held->job);
          g_free (held);
          g_ptr_array_remove_index_fast (waiting, i - 1);
        }
      end_promise (take_promise (round, n % (2 * N_PROMISES) / 2), n);
      n++;
    }
  g_assert_cmpuint (waiting->len, ==, 0);

  return NULL;
}

/* Rounds */

static void
report (Round *round)
{
  guint i;

  for (i = 0; i <= N_ACTORS; i++)
    g_printerr ("# actor %u: step %u, %s\n", i, round->actors[i].step,
                (const char *) g_atomic_pointer_get (&round->actors[i].doing));
  for (i = 0; i < N_LOOPS; i++)
    {
      if (round->loops[i] != NULL)
        g_printerr ("# loop %u is in state %d\n", i, concur_loop_thread_get_state (round->loops[i]));
    }
  g_printerr ("# %u futures are alive; the default context is %p\n", test_futures_alive (),
              (gpointer) g_main_context_default ());
  g_mutex_lock (&round->mutex);
  for (i = 0; i < round->tokens->len; i++)
    {
      Token *token = round->tokens->pdata[i];

      if (!token_is_settled (token))
        g_printerr ("# token %u of kind %d by %s: called %d, destroyed %d, "
                    "disconnected %d, taken %d, context %p, runs in %p\n",
                    i, token->kind, token->made_by, token->called, token->destroyed,
                    token->disconnected, token->taken, (gpointer) token->context,
                    (gpointer) token->runs_in);
    }
  for (i = 0; i < round->ledger->len; i++)
    {
      ConcurFuture *future = round->ledger->pdata[i];

      if (!concur_future_is_done (future))
        g_printerr ("# future %u is a %s in state %d\n", i, G_OBJECT_TYPE_NAME (future),
                    concur_future_get_state (future));
    }
  g_mutex_unlock (&round->mutex);
}

static gboolean
all_idle (Round *round)
{
  return g_atomic_int_get (&round->n_idle) == N_ACTORS;
}

/* Nothing is left to happen. The last nested steps may have added a task, or stopped a loop
 * once more. */
static gboolean
all_settled (Round *round)
{
  gboolean settled = TRUE;
  guint i, k;

  for (i = 0; i < N_LOOPS; i++)
    {
      g_autoptr (GPtrArray) tasks = NULL;

      g_mutex_lock (&round->mutex);
      tasks = g_steal_pointer (&round->tasks[i]);
      round->tasks[i] = g_ptr_array_new ();
      g_mutex_unlock (&round->mutex);
      for (k = 0; k < tasks->len; k++)
        concur_loop_thread_remove_task (round->loops[i], GPOINTER_TO_UINT (tasks->pdata[k]));
      concur_loop_thread_start (round->loops[i], NULL);
    }

  g_mutex_lock (&round->mutex);
  for (i = round->tokens->len; i > 0 && settled; i--)
    settled = token_is_settled (round->tokens->pdata[i - 1]);
  for (i = round->ledger->len; i > 0 && settled; i--)
    settled = concur_future_is_done (round->ledger->pdata[i - 1]);
  g_mutex_unlock (&round->mutex);

  return settled;
}

/* Without the check of test_iterate_until (), which could not say what is missing. */
static void
run_until (Round      *round,
           gboolean  (*condition) (Round *round),
           const char *where)
{
  gint64 deadline = g_get_monotonic_time () + TEST_PATIENCE_US;

  while (!condition (round))
    {
      if (g_get_monotonic_time () > deadline)
        {
          report (round);
          g_error ("%s: not all has come to its end", where);
        }
      test_iterate (NULL, G_MAXINT64, where);
    }
}

static gboolean
all_gone (Round *round)
{
  return test_futures_alive () == 0;
}

static void
begin_round (Round *round)
{
  guint i;

  round->main = g_thread_self ();
  round->held = g_async_queue_new ();
  round->tokens = g_ptr_array_new_with_free_func (token_free);
  round->ledger = test_futures_new ();
  for (i = 0; i < N_LOOPS; i++)
    {
      round->loops[i] = g_object_new (CONCUR_TYPE_LOOP_THREAD, "name", "stress", "max-workers",
                                      (guint) g_test_rand_int_range (1, 3), NULL);
      round->executors[ON_LOOP + i] = g_object_ref (CONCUR_EXECUTOR (round->loops[i]));
      round->tasks[i] = g_ptr_array_new ();
    }
  for (i = 0; i < N_CANCELLABLES; i++)
    round->cancellables[i] = g_cancellable_new ();

  for (i = POOL_WAITS; i <= POOL_REJECTS; i++)
    round->executors[i] = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR,
                                        "max-threads", (guint) g_test_rand_int_range (1, 4),
                                        "max-pending", (guint) g_test_rand_int_range (2, 20),
                                        "overflow", i == POOL_WAITS ? CONCUR_OVERFLOW_WAIT
                                                                    : CONCUR_OVERFLOW_REJECT,
                                        NULL);
  round->executors[ON_MAIN]
      = CONCUR_EXECUTOR (concur_context_executor_new (g_main_context_default ()));

  for (i = 0; i <= N_ACTORS; i++)
    {
      round->actors[i].round = round;
      round->actors[i].random = (guint32) g_test_rand_int () | 1;
      round->actors[i].doing = "nothing";
      /* Half of them have a main context, and so a home of another kind. */
      if (i < N_ACTORS && i % 2 == 0)
        round->actors[i].context = g_main_context_new ();
    }
}

static void
end_executors (Round *round)
{
  g_autoptr (GError) error = NULL;
  guint i;

  for (i = 0; i < N_EXECUTORS; i++)
    {
      g_autoptr (ConcurFuture) end = concur_executor_shutdown (round->executors[i],
                                                               CONCUR_SHUTDOWN_DRAIN);

      g_assert_true (concur_future_iterate (end, NULL, TEST_PATIENCE_US, &error));
      g_assert_true (concur_future_check (end, &error));
      g_clear_object (&round->executors[i]);
    }
  for (i = 0; i < N_LOOPS; i++)
    {
      g_assert_true (concur_loop_thread_stop (round->loops[i], -1, &error));
      g_assert_cmpint (concur_loop_thread_get_state (round->loops[i]), ==, CONCUR_LOOP_STATE_STOPPED);
      g_clear_object (&round->loops[i]);
    }
}

static void
drop_everything (Round *round)
{
  guint i;

  for (i = 0; i < N_SLOTS; i++)
    g_clear_object (&round->slots[i]);
  for (i = 0; i < N_LEAVES; i++)
    g_clear_object (&round->leaves[i]);
  for (i = 0; i < N_PROMISES; i++)
    end_promise (take_promise (round, i), 3);
  for (i = 0; i < N_CANCELLABLES; i++)
    g_clear_object (&round->cancellables[i]);
  for (i = 0; i < round->tokens->len; i++)
    g_clear_object (&((Token *) round->tokens->pdata[i])->leaf);
  g_ptr_array_set_size (round->ledger, 0);
}

static void
run_round (void)
{
  Round *round = g_new0 (Round, 1);
  Actor *self = &round->actors[N_ACTORS];
  GThread *threads[N_ACTORS], *answers;
  guint i;

  begin_round (round);
  answers = g_thread_new ("answerer", answerer, round);
  for (i = 0; i < N_ACTORS; i++)
    threads[i] = g_thread_new ("actor", actor_thread, &round->actors[i]);
  test_gate_open (&round->start);

  for (; self->step < N_STEPS; self->step++)
    {
      act (self);
      g_main_context_iteration (NULL, FALSE);
    }
  run_until (round, all_idle, "steps");

  g_atomic_int_set (&round->settling, 1);
  run_until (round, all_settled, "settling");

  end_executors (round);
  drop_everything (round);
  run_until (round, all_gone, "letting go");

  g_atomic_int_set (&round->over, 1);
  for (i = 0; i < N_ACTORS; i++)
    {
      g_thread_join (threads[i]);
      g_clear_pointer (&round->actors[i].context, g_main_context_unref);
    }
  g_thread_join (answers);
  g_assert_cmpint (g_async_queue_length (round->held), ==, 0);

  g_async_queue_unref (round->held);
  g_ptr_array_unref (round->tokens);
  g_ptr_array_unref (round->ledger);
  for (i = 0; i < N_LOOPS; i++)
    g_ptr_array_unref (round->tasks[i]);
  g_free (round);
}

/* GLib sets a class up while others use its parent's. */
static void
make_classes (void)
{
  g_autoptr (ConcurFuture) delay = concur_future_delay (1);
  g_autoptr (ConcurFuture) async = concur_future_new_for_async (finish_wait, NULL, NULL);
  g_autoptr (GTask) task = concur_executor_submit_task (concur_executor_get_default (), NULL, NULL,
                                                        NULL, NULL, test_one_job, NULL, NULL);
  g_autoptr (ConcurFuture) range = concur_executor_map_range (concur_executor_get_default (), 0, 1,
                                                              range_func, NULL, NULL, NULL);

  test_iterate_until (NULL, g_task_get_completed (task) && concur_future_is_done (delay)
                                && concur_future_is_done (range));
}

static void
test_everything (void)
{
  guint i, rounds = test_scaled (200);
  guint homes;

  make_classes ();
  /* The library's own threads have homes, too. */
  run_round ();
  homes = test_homes_alive ();

  for (i = 0; i < rounds; i++)
    run_round ();
  test_iterate_until (NULL, test_homes_alive () <= homes);
}

static void
test_everything_shaken (void)
{
  test_shake_start ();
  test_everything ();
  test_shake_stop ();
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/stress-loops/everything", test_everything);
  g_test_add_func ("/stress-loops/everything/shaken", test_everything_shaken);

  return test_run ();
}
