/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* all, all_settled, any and race; what they do to the futures they are made of. */

#include "config.h"

#include "test-combine.h"

/* What has to come out when the children end like this, in time: an index into the
 * children for their value or error, or one of these. */
enum
{
  NOT_YET = -1,
  LIST = -2,
  CANCELLED = -3,
};

static int
expected (Kind        kind,
          const char *how,
          const guint *order,
          guint       n_ended,
          guint       n)
{
  int first_error = NOT_YET;

  for (guint i = 0; i < n_ended; i++)
    {
      guint child = order[i];

      if (kind == RACE || (kind == ALL && how[child] != '+') || (kind == ANY && how[child] == '+'))
        return how[child] == 'x' ? CANCELLED : (int) child;
      if (how[child] == '-' && first_error == NOT_YET)
        first_error = (int) child;
    }

  if (n_ended < n)
    return NOT_YET;

  if (kind == ANY)
    return first_error == NOT_YET ? CANCELLED : first_error;

  return LIST;
}

static void
assert_outcome (Kind          kind,
                ConcurFuture *future,
                Children     *children,
                const char   *how,
                int           outcome)
{
  g_autoptr (GError) error = NULL;

  if (outcome == NOT_YET)
    {
      g_assert_false (concur_future_is_done (future));
    }
  else if (outcome == LIST)
    {
      assert_list_value (future, children->futures, children->n);
    }
  else if (outcome == CANCELLED)
    {
      test_assert_cancelled (future);
    }
  else if (how[outcome] == '+')
    {
      test_assert_int64 (future, 10 + outcome);
    }
  else
    {
      g_autofree char *text = g_strdup_printf ("child %d", outcome);

      g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
      g_assert_false (concur_future_check (future, &error));
      g_assert_error (error, G_FILE_ERROR, outcome);
      if (kind == ANY && children->n > 1)
        {
          g_autofree char *many = g_strdup_printf ("None of %u was successful; the first error was: %s",
                                                   children->n, text);
          g_assert_cmpstr (error->message, ==, many);
        }
      else
        {
          g_assert_cmpstr (error->message, ==, text);
        }
    }
}

/* Every kind, every outcome of every child, every order, and every number of children that
 * are done before they are combined. */
static void
test_outcomes (void)
{
  static const guint orders[6][3] = {
    { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
  };
  guint alive = test_futures_alive ();

  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint n = 1; n <= 3; n++)
      for (guint code = 0; code < 27; code++)
        for (guint o = 0; o < 6; o++)
          for (guint n_before = 0; n_before <= n; n_before++)
            {
              char how[3] = { "+-x"[code % 3], "+-x"[code / 3 % 3], "+-x"[code / 9] };
              g_autoptr (ConcurFuture) future = NULL;
              guint order[3], n_order = 0;
              Children children;
              int now;

              for (guint i = 0; i < 3; i++)
                {
                  if (orders[o][i] < n)
                    order[n_order++] = orders[o][i];
                }
              children_init (&children, n);
              for (guint i = 0; i < n_before; i++)
                child_end (&children, order[i], how[order[i]]);

              future = combine (kind, children.futures, n, CONCUR_COMBINE_NONE);
              assert_list (concur_future_get_children (future), children.futures, n);

              /* What is done already is met in the order of the array. */
              if (n_before > 0)
                {
                  guint met[3], n_met = 0;

                  for (guint i = 0; i < n; i++)
                    for (guint j = 0; j < n_before; j++)
                      {
                        if (order[j] == i)
                          met[n_met++] = i;
                      }
                  memcpy (order, met, n_met * sizeof *met);
                }

              now = expected (kind, how, order, n_before, n);
              assert_outcome (kind, future, &children, how, now);
              for (guint i = n_before; i < n; i++)
                {
                  child_end (&children, order[i], how[order[i]]);
                  if (now == NOT_YET)
                    now = expected (kind, how, order, i + 1, n);
                  assert_outcome (kind, future, &children, how, now);
                }
              g_assert_cmpint (now, !=, NOT_YET);
              assert_list (concur_future_get_children (future), children.futures, n);
              children_clear (&children);
            }

  /* That nobody looked at an error would have ended the test. */
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

static void
test_empty (void)
{
  g_autoptr (ConcurFuture) all = concur_future_all (NULL, 0);
  g_autoptr (ConcurFuture) settled = concur_future_all_settled (NULL, 0);
  g_autoptr (ConcurFuture) any = concur_future_any (NULL, 0, CONCUR_COMBINE_CANCEL_REST);
  g_autoptr (ConcurFuture) race = concur_future_race (NULL, 0, CONCUR_COMBINE_NONE);

  assert_list_value (all, NULL, 0);
  assert_list_value (settled, NULL, 0);
  test_assert_error (any, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  test_assert_error (race, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  assert_list (concur_future_get_children (race), NULL, 0);
}

static void
test_mistakes (void)
{
  g_autoptr (ConcurFuture) plain = concur_future_resolved (NULL);
  g_autoptr (GCancellable) other = g_cancellable_new ();
  ConcurFuture *with_null[] = { plain, NULL, plain };
  ConcurFuture *with_other[] = { plain, plain, (gpointer) other };
  guint alive = test_futures_alive ();

  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      test_critical (g_assert_null (combine (kind, with_null, 3, CONCUR_COMBINE_NONE)));
      test_critical (g_assert_null (combine (kind, NULL, 1, CONCUR_COMBINE_NONE)));
    }
  g_test_expect_message ("Concur", G_LOG_LEVEL_CRITICAL, "*CONCUR_IS_FUTURE*failed*");
  g_assert_null (concur_future_all (with_other, 3));
  g_test_assert_expected_messages ();
  g_assert_cmpuint (test_futures_alive (), ==, alive);
  g_assert_cmpuint (G_OBJECT (plain)->ref_count, ==, 1);
  g_assert_null (concur_future_get_children (plain));
  test_critical (g_assert_null (concur_future_get_children (NULL)));
}

static void
test_duplicates (void)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint when = 0; when < 2; when++)
      {
        g_autoptr (ConcurFuture) future = NULL;
        Children children;
        ConcurFuture *futures[4];

        children_init (&children, 2);
        futures[0] = futures[1] = futures[3] = children.futures[0];
        futures[2] = children.futures[1];
        if (when == 0)
          child_end (&children, 0, '+');
        future = combine (kind, futures, 4, CONCUR_COMBINE_NONE);
        if (when == 1)
          child_end (&children, 0, '+');
        g_assert_cmpint (concur_future_is_done (future), ==, kind == ANY || kind == RACE);
        child_end (&children, 1, '+');
        if (kind == ANY || kind == RACE)
          test_assert_int64 (future, 10);
        else
          assert_list_value (future, futures, 4);
        assert_list (concur_future_get_children (future), futures, 4);
        children_clear (&children);
      }
}

/* Cancelled when the call returns, and so is everything it was made of. */
static void
test_cancel_goes_down (void)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      g_autoptr (ConcurFuture) future = NULL, shielded = NULL, outer = NULL;
      Children children;
      ConcurFuture *futures[3];

      children_init (&children, 3);
      shielded = concur_future_shield (children.futures[2]);
      futures[0] = children.futures[0];
      futures[1] = children.futures[1];
      futures[2] = shielded;
      future = combine (kind, futures, 3, CONCUR_COMBINE_NONE);
      outer = combine (kind, &future, 1, CONCUR_COMBINE_NONE);

      g_assert_true (concur_future_cancel (outer, CONCUR_CANCEL_NONE));
      g_assert_false (concur_future_cancel (outer, CONCUR_CANCEL_NONE));
      test_assert_cancelled (outer);
      test_assert_cancelled (future);
      test_assert_cancelled (futures[0]);
      test_assert_cancelled (futures[1]);
      test_assert_cancelled (shielded);
      g_assert_false (concur_future_is_done (children.futures[2]));
      children_clear (&children);
    }
}

/* The combination does not wait for a job to stop, nor for what it says then. */
static void
test_cancel_running (void)
{
  ConcurExecutor *executor = CONCUR_EXECUTOR (concur_thread_executor_new (1));

  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      TestClog clog = { 0 };
      g_autoptr (ConcurFuture) job = test_submit (executor, test_clog_job, &clog);
      g_autoptr (ConcurFuture) future = combine (kind, &job, 1, CONCUR_COMBINE_NONE);

      test_gate_wait (&clog.begun);
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      test_assert_cancelled (future);
      g_assert_true (concur_job_is_cancelled (CONCUR_JOB (job)));
      g_assert_false (concur_future_is_done (job));
      test_gate_open (&clog.go);
      test_assert_done (job);
      test_assert_int64 (job, 42);
    }
  test_executor_end (executor);
}

/* The others are left alone, or with the flag cancelled: when the outcome is decided, or
 * was before. */
static void
test_rest (void)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint before = 0; before < 2; before++)
      for (guint winner = 0; winner < 3; winner++)
        for (guint flags = 0; flags < 2; flags++)
          {
            gboolean chooses = kind == ANY || kind == RACE;
            char how = chooses ? '+' : '-';
            g_autoptr (ConcurFuture) future = NULL;
            Children children;

            if (kind == ALL_SETTLED || (kind == ALL && flags))
              continue;

            children_init (&children, 3);
            if (before)
              child_end (&children, winner, how);
            future = combine (kind, children.futures, 3,
                              flags ? CONCUR_COMBINE_CANCEL_REST : CONCUR_COMBINE_NONE);
            if (!before)
              child_end (&children, winner, how);
            g_assert_true (concur_future_is_done (future));

            for (guint i = 0; i < 3; i++)
              {
                if (i == winner)
                  continue;
                if (flags)
                  test_assert_cancelled (children.futures[i]);
                else
                  g_assert_false (concur_future_is_done (children.futures[i]));
                /* Nobody looks at what these still say. */
                child_end (&children, i, '-');
              }
            concur_future_ignore (future);
            children_clear (&children);
          }
}

/* Nobody keeps a combination: it completes all the same, and goes. */
static void
test_forgotten (void)
{
  guint alive = test_futures_alive ();

  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      TestReleases freed = { .thread = g_thread_self () };
      Children children;
      ConcurFuture *future;

      children_init (&children, 2);
      future = combine (kind, children.futures, 2, CONCUR_COMBINE_NONE);
      test_releases_watch (&freed, future);
      g_object_unref (future);
      g_assert_cmpuint (test_releases_get (&freed), ==, 0);
      child_end (&children, 0, '+');
      child_end (&children, 1, '+');
      g_assert_cmpuint (test_releases_get (&freed), ==, 1);
      children_clear (&children);
    }
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* An error of the combination itself is to be looked at. */
static void
test_own_error_is_logged (void)
{
  Children children;
  ConcurFuture *future;

  children_init (&children, 2);
  future = concur_future_all (children.futures, 2);
  child_end (&children, 1, '-');
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*Nobody looked*child 1*");
  g_object_unref (future);
  g_test_assert_expected_messages ();
  children_clear (&children);
}

/* On the completing thread, without a loop; what is let go is let go here. */
static void
note_thread (ConcurFuture *future,
             gpointer      data)
{
  *(GThread **) data = g_thread_self ();
}

static void
test_where (void)
{
  for (guint kind = 0; kind < N_KINDS; kind++)
    {
      TestReleases freed = { .thread = g_thread_self () };
      guint alive = test_futures_alive ();
      TestGate go = { 0 };
      Children children;
      Ender ender = { &children, 1, '+', &go };
      GThread *thread, *told = NULL;
      ConcurFuture *future;

      children_init (&children, 2);
      if (kind != RACE)
        child_end (&children, 0, kind == ANY ? '-' : '+');
      future = combine (kind, children.futures, 2, CONCUR_COMBINE_NONE);
      test_releases_watch (&freed, future);
      concur_future_add_direct_callback (future, note_thread, &told, NULL);
      g_object_unref (future);
      thread = g_thread_new ("end", end_thread, &ender);
      test_gate_open (&go);
      g_thread_join (thread);
      g_assert_true (told == thread);
      g_assert_cmpuint (test_releases_get (&freed), ==, 0);
      concur_release_pending ();
      g_assert_cmpuint (test_releases_get (&freed), ==, 1);
      g_assert_cmpuint (test_releases_get_wrong (&freed), ==, 0);
      children_clear (&children);
      g_assert_cmpuint (test_futures_alive (), ==, alive);
    }
}

/* Inside a direct callback, where what is done already is only told of afterwards. */
static void
combine_inside (ConcurFuture *future,
                gpointer      data)
{
  ConcurFuture **combined = data;

  *combined = concur_future_all (&future, 1);
}

static void
test_in_direct_callback (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurFuture) combined = NULL;
  ConcurFuture *future = concur_promise_get_future (promise);

  concur_future_add_direct_callback (future, combine_inside, &combined, NULL);
  concur_promise_resolve_int64 (promise, 1);
  assert_list_value (combined, &future, 1);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/combine/outcomes", test_outcomes);
  g_test_add_func ("/combine/empty", test_empty);
  g_test_add_func ("/combine/mistakes", test_mistakes);
  g_test_add_func ("/combine/duplicates", test_duplicates);
  g_test_add_func ("/combine/cancel-goes-down", test_cancel_goes_down);
  g_test_add_func ("/combine/cancel-running", test_cancel_running);
  g_test_add_func ("/combine/rest", test_rest);
  g_test_add_func ("/combine/forgotten", test_forgotten);
  g_test_add_func ("/combine/own-error-is-logged", test_own_error_is_logged);
  g_test_add_func ("/combine/where", test_where);
  g_test_add_func ("/combine/in-direct-callback", test_in_direct_callback);

  return test_run ();
}
