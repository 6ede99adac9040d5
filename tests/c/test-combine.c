/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* all, all_settled, any and race; what they do to the futures they are made of. */

#include "config.h"

#include "test-workers.h"

#include <pthread.h>

/* Small enough that calls which nest would end the program at a fraction of the depth. */
#define SMALL_STACK (256 * 1024)

#define MAX_CHILDREN 4

typedef enum
{
  ALL,
  ALL_SETTLED,
  ANY,
  RACE,
  N_KINDS
} Kind;

static ConcurFuture *
combine (Kind               kind,
         ConcurFuture     **futures,
         guint              n,
         ConcurCombineFlags flags)
{
  switch (kind)
    {
    case ALL:
      return concur_future_all (futures, n);
    case ALL_SETTLED:
      return concur_future_all_settled (futures, n);
    case ANY:
      return concur_future_any (futures, n, flags);
    default:
      return concur_future_race (futures, n, flags);
    }
}

/* Children, and what each of them ends with: '+' a value, '-' an error, 'x' cancelled. */
typedef struct
{
  guint n;
  ConcurPromise *promises[MAX_CHILDREN];
  ConcurFuture *futures[MAX_CHILDREN];
} Children;

static void
children_init (Children *self,
               guint     n)
{
  self->n = n;
  for (guint i = 0; i < n; i++)
    {
      self->promises[i] = concur_promise_new ();
      self->futures[i] = concur_promise_get_future (self->promises[i]);
    }
}

static void
child_end (Children *self,
           guint     i,
           char      how)
{
  g_autoptr (GError) error = NULL;

  switch (how)
    {
    case '+':
      concur_promise_resolve_int64 (self->promises[i], 10 + i);
      break;
    case '-':
      error = g_error_new (G_FILE_ERROR, (gint) i, "child %u", i);
      concur_promise_reject (self->promises[i], error);
      break;
    default:
      concur_future_cancel (self->futures[i], CONCUR_CANCEL_NONE);
    }
}

/* Those that are still open are broken promises, which nobody is told of. */
static void
children_clear (Children *self)
{
  for (guint i = 0; i < self->n; i++)
    {
      concur_future_cancel (self->futures[i], CONCUR_CANCEL_NONE);
      g_object_unref (self->promises[i]);
    }
}

static void
assert_list (GListModel    *list,
             ConcurFuture **futures,
             guint          n)
{
  g_assert_true (G_IS_LIST_MODEL (list));
  g_assert_true (g_list_model_get_item_type (list) == CONCUR_TYPE_FUTURE);
  g_assert_cmpuint (g_list_model_get_n_items (list), ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (GObject) item = g_list_model_get_object (list, i);

      g_assert_true ((gpointer) item == futures[i]);
    }
  g_assert_null (g_list_model_get_object (list, n));
}

static void
assert_list_value (ConcurFuture  *future,
                   ConcurFuture **futures,
                   guint          n)
{
  g_autoptr (GError) error = NULL;
  const GValue *value = concur_future_get_value (future, &error);

  g_assert_no_error (error);
  g_assert_true (G_VALUE_HOLDS_OBJECT (value));
  assert_list (g_value_get_object (value), futures, n);
}

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

typedef struct
{
  Children *children;
  guint i;
  char how;
  TestGate *go;
} Ender;

static gpointer
end_thread (gpointer data)
{
  Ender *self = data;

  test_gate_wait (self->go);
  child_end (self->children, self->i, self->how);

  return NULL;
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

typedef struct
{
  ConcurFuture *future;
  TestGate *go;
} Canceller;

static gpointer
cancel_thread (gpointer data)
{
  Canceller *self = data;

  test_gate_wait (self->go);
  concur_future_cancel (self->future, CONCUR_CANCEL_NONE);

  return NULL;
}

static void
count_call (ConcurFuture *future,
            gpointer      data)
{
  g_atomic_int_inc ((gint *) data);
}

/* Children end on threads of their own, one child is also cancelled, while somebody cancels
 * the combination: whatever comes out is one of the outcomes, told once. */
static void
test_races (void)
{
  guint rounds = test_scaled (600), alive = test_futures_alive ();
  guint n_by_state[5] = { 0 };

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      Kind kind = round % N_KINDS;
      guint flags = round / N_KINDS % 2;
      gboolean cancels = round / 8 % 2;
      char how[] = { '+', "+-"[round / 16 % 2], "+-x"[round % 3] };
      TestGate go = { 0 };
      Children children;
      Ender enders[3];
      Canceller canceller = { NULL, &go };
      GThread *threads[4];
      g_autoptr (ConcurFuture) future = NULL;
      ConcurFutureState state;
      gint n_calls = 0;

      children_init (&children, 3);
      for (guint i = 0; i < 3; i++)
        {
          enders[i] = (Ender) { &children, i, how[i], &go };
          threads[i] = g_thread_new ("end", end_thread, &enders[i]);
        }
      /* Every other time they also meet with the making. */
      if (round & 32)
        test_gate_open (&go);
      future = combine (kind, children.futures, 3, flags);
      concur_future_add_direct_callback (future, count_call, &n_calls, NULL);
      canceller.future = cancels ? future : children.futures[1];
      threads[3] = g_thread_new ("cancel", cancel_thread, &canceller);
      test_gate_open (&go);
      for (guint i = 0; i < 4; i++)
        g_thread_join (threads[i]);

      g_assert_true (concur_future_is_done (future));
      g_assert_cmpint (g_atomic_int_get (&n_calls), ==, 1);
      state = concur_future_get_state (future);
      n_by_state[state]++;
      if (kind == ALL_SETTLED)
        g_assert_cmpint (state, !=, CONCUR_FUTURE_STATE_REJECTED);
      if (state == CONCUR_FUTURE_STATE_RESOLVED && kind <= ALL_SETTLED)
        assert_list_value (future, children.futures, 3);
      else if (state == CONCUR_FUTURE_STATE_RESOLVED)
        g_assert_cmpint (concur_future_get_int64 (future, NULL) / 10, ==, 1);
      concur_future_ignore (future);
      for (guint i = 0; i < 3; i++)
        g_assert_true (concur_future_is_done (children.futures[i]));
      children_clear (&children);
    }
  test_shake_stop ();

  g_test_message ("%u resolved, %u rejected, %u cancelled", n_by_state[CONCUR_FUTURE_STATE_RESOLVED],
                  n_by_state[CONCUR_FUTURE_STATE_REJECTED], n_by_state[CONCUR_FUTURE_STATE_CANCELLED]);
  test_wait_until (test_futures_alive () <= alive);
}

typedef struct
{
  ConcurPromise **promises;
  guint n;
  gint *next; /* atomic */
} Resolver;

static gpointer
resolve_thread (gpointer data)
{
  Resolver *self = data;
  guint i;

  while ((i = (guint) g_atomic_int_add (self->next, 1)) < self->n)
    concur_promise_resolve_int64 (self->promises[i], i);

  return NULL;
}

/* Many children, ended by several threads at once; none is counted twice or missed. */
static void
test_fan_in (void)
{
  guint n = test_scaled (100000), alive = test_futures_alive ();

  for (guint kind = ALL; kind <= ALL_SETTLED; kind++)
    {
      g_autofree ConcurPromise **promises = g_new (ConcurPromise *, n);
      g_autofree ConcurFuture **futures = g_new (ConcurFuture *, n);
      g_autoptr (ConcurFuture) future = NULL;
      gint next = 0, n_calls = 0;
      Resolver resolver = { promises, n, &next };
      GThread *threads[3];

      for (guint i = 0; i < n; i++)
        {
          promises[i] = concur_promise_new ();
          futures[i] = concur_promise_get_future (promises[i]);
        }
      future = combine (kind, futures, n, CONCUR_COMBINE_NONE);
      concur_future_add_direct_callback (future, count_call, &n_calls, NULL);
      for (guint i = 0; i < 3; i++)
        threads[i] = g_thread_new ("resolve", resolve_thread, &resolver);
      for (guint i = 0; i < 3; i++)
        g_thread_join (threads[i]);

      g_assert_cmpint (n_calls, ==, 1);
      assert_list_value (future, futures, n);
      for (guint i = 0; i < n; i++)
        g_object_unref (promises[i]);
    }
  concur_release_pending ();
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* One that fails, and one that is cancelled from above: the others are taken care of in
 * one go. */
static void
test_fan_in_ends_early (void)
{
  guint n = test_scaled (100000), alive = test_futures_alive ();

  for (guint cancel = 0; cancel < 2; cancel++)
    {
      g_autoptr (GPtrArray) promises = g_ptr_array_new_with_free_func (g_object_unref);
      g_autofree ConcurFuture **futures = g_new (ConcurFuture *, n);
      g_autoptr (ConcurFuture) future = NULL;
      g_autoptr (GError) error = g_error_new_literal (G_FILE_ERROR, 1, "no");

      for (guint i = 0; i < n; i++)
        {
          g_ptr_array_add (promises, concur_promise_new ());
          futures[i] = concur_promise_get_future (promises->pdata[i]);
        }
      future = concur_future_all (futures, n);
      if (cancel)
        {
          concur_future_cancel (future, CONCUR_CANCEL_NONE);
          for (guint i = 0; i < n; i++)
            g_assert_cmpint (concur_future_get_state (futures[i]), ==, CONCUR_FUTURE_STATE_CANCELLED);
        }
      else
        {
          concur_promise_reject (promises->pdata[n / 2], error);
          test_assert_error (future, G_FILE_ERROR, 1);
        }
      /* Not looked at by anybody but the combination: no warning. */
      for (guint i = 0; i < n; i++)
        concur_promise_reject (promises->pdata[i], error);
    }
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

typedef struct
{
  Kind kind;
  gboolean cancel;
  guint depth;
} Deep;

static gpointer
deep_thread (gpointer data)
{
  Deep *self = data;
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *inner = concur_promise_get_future (promise);
  ConcurFuture *future = g_object_ref (inner);

  for (guint i = 0; i < self->depth; i++)
    {
      ConcurFuture *outer = combine (self->kind, &future, 1, CONCUR_COMBINE_NONE);

      g_object_unref (future);
      future = outer;
    }

  if (self->cancel)
    {
      concur_future_cancel (future, CONCUR_CANCEL_NONE);
      test_assert_cancelled (inner);
      test_assert_cancelled (future);
    }
  else
    {
      g_assert_false (concur_future_is_done (future));
      concur_promise_resolve_int64 (promise, 1);
      g_assert_true (concur_future_check (future, NULL));
    }
  g_object_unref (promise);
  g_object_unref (future);

  return NULL;
}

/* All of all of all …: completed, cancelled and freed without nesting. */
static void
test_deep (void)
{
  guint alive = test_futures_alive ();

  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint cancel = 0; cancel < 2; cancel++)
      {
        Deep deep = { kind, cancel, test_scaled (10000) };
        pthread_attr_t attributes;
        pthread_t thread;

        g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
        g_assert_cmpint (pthread_attr_setstacksize (&attributes, SMALL_STACK), ==, 0);
        g_assert_cmpint (pthread_create (&thread, &attributes, deep_thread, &deep), ==, 0);
        g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
        pthread_attr_destroy (&attributes);
        g_assert_cmpuint (test_futures_alive (), ==, alive);
      }
}

static gboolean
answer_one (ConcurJob    *job,
            ConcurFuture *input,
            gpointer      data,
            GError      **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

/* Refused only if every future it still needs is bound to the calling thread. */
static void
test_would_deadlock (void)
{
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) bound = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) bound_too = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  ConcurFuture *futures[3] = { bound, done, bound_too };

  g_assert_true (g_main_context_acquire (NULL));
  for (guint kind = 0; kind < N_KINDS; kind++)
    for (guint free = 0; free < 2; free++)
      {
        g_autoptr (ConcurPromise) promise = concur_promise_new ();
        g_autoptr (ConcurFuture) inner = NULL, future = NULL;
        g_autoptr (GError) error = NULL;
        int code = free ? CONCUR_FUTURE_ERROR_TIMED_OUT : CONCUR_FUTURE_ERROR_WOULD_DEADLOCK;

        /* Only these two choose at once. */
        futures[1] = kind == ANY || kind == RACE ? bound : done;
        if (free)
          futures[2] = concur_promise_get_future (promise);
        else
          futures[2] = bound_too;
        inner = combine (kind, futures, 3, CONCUR_COMBINE_NONE);
        future = combine (kind, &inner, 1, CONCUR_COMBINE_NONE);
        g_assert_null (concur_future_result (future, 1, &error));
        g_assert_error (error, CONCUR_FUTURE_ERROR, code);
        concur_future_ignore (future);
        concur_future_ignore (inner);
        concur_promise_resolve (promise, NULL);
      }
  g_main_context_release (NULL);
  g_assert_true (concur_future_iterate (bound, NULL, TEST_PATIENCE_US, NULL));
  g_assert_true (concur_future_iterate (bound_too, NULL, TEST_PATIENCE_US, NULL));
}

/* Each level is met on twice as many ways as the one above: to look at all of them would
 * take for ever. */
static void
test_would_deadlock_diamonds (void)
{
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) bound = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) future = g_object_ref (bound);
  gint64 begun = g_get_monotonic_time ();

  for (guint i = 0; i < 40; i++)
    {
      ConcurFuture *two[] = { future, future };
      ConcurFuture *next = concur_future_all (two, 2);

      g_object_unref (future);
      future = next;
    }
  g_assert_true (g_main_context_acquire (NULL));
  g_assert_false (concur_future_wait (future, 1));
  g_main_context_release (NULL);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, TEST_PATIENCE_US);
  g_assert_true (concur_future_iterate (future, NULL, TEST_PATIENCE_US, NULL));
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
  g_test_add_func ("/combine/races", test_races);
  g_test_add_func ("/combine/fan-in", test_fan_in);
  g_test_add_func ("/combine/fan-in-ends-early", test_fan_in_ends_early);
  g_test_add_func ("/combine/deep", test_deep);
  g_test_add_func ("/combine/would-deadlock", test_would_deadlock);
  g_test_add_func ("/combine/would-deadlock-diamonds", test_would_deadlock_diamonds);
  g_test_add_func ("/combine/in-direct-callback", test_in_direct_callback);

  return test_run ();
}
