/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* wait_many: what ends it, and which futures are in its list then. */

#include "config.h"

#include "concur-timer-private.h"

#include "test-workers.h"

#define N 3

/* Long enough that a test which waits for it has failed. */
#define LONG_US (10 * TEST_PATIENCE_US)
/* Short, and measured: nothing may come before it. */
#define SHORT_US (20 * 1000)

/* A thread of the library may just be letting go of what a test before this one used. */
static guint
all_gone (void)
{
  test_wait_until (test_futures_alive () == 0);

  return 0;
}

typedef struct
{
  ConcurPromise *promises[N];
  ConcurFuture *futures[N];
} Children;

static void
children_init (Children *self)
{
  for (guint i = 0; i < N; i++)
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
      concur_promise_resolve_int64 (self->promises[i], i);
      break;
    case '-':
      error = g_error_new (G_FILE_ERROR, (gint) i, "child %u", i);
      concur_promise_reject (self->promises[i], error);
      break;
    case 'x':
      concur_future_cancel (self->futures[i], CONCUR_CANCEL_NONE);
      break;
    default:
      break;
    }
}

static void
children_clear (Children *self)
{
  for (guint i = 0; i < N; i++)
    {
      concur_future_cancel (self->futures[i], CONCUR_CANCEL_NONE);
      g_object_unref (self->promises[i]);
    }
}

/* A bit for each child in the list, which is in the order of the children. */
static guint
get_list (ConcurFuture *future,
          Children     *children)
{
  g_autoptr (GObject) list = concur_future_dup_object (future, NULL);
  guint in_list = 0, next = 0;

  g_assert_true (G_IS_LIST_MODEL (list));
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (list)); i++)
    {
      g_autoptr (ConcurFuture) item = g_list_model_get_item (G_LIST_MODEL (list), i);

      g_assert_true (concur_future_is_done (item));
      while (next < N && children->futures[next] != item)
        next++;
      g_assert_cmpuint (next, <, N);
      in_list |= 1u << next++;
    }

  return in_list;
}

static gboolean
is_enough (ConcurWaitCondition  condition,
           const char          *how,
           guint                done)
{
  if (done == (1u << N) - 1)
    return TRUE;

  for (guint i = 0; i < N; i++)
    {
      if ((done & (1u << i))
          && (condition == CONCUR_WAIT_FIRST_COMPLETED
              || (condition == CONCUR_WAIT_FIRST_ERROR && how[i] != '+')))
        return TRUE;
    }

  return FALSE;
}

/* Every condition, every outcome of every child, each first child to end, with and without
 * a time limit and with children that were done before. */
static void
test_conditions (void)
{
  guint alive = all_gone ();

  for (guint condition = 0; condition <= CONCUR_WAIT_FIRST_ERROR; condition++)
    for (guint code = 0; code < 27; code++)
      for (guint first = 0; first < N; first++)
        for (guint n_before = 0; n_before <= N; n_before++)
          for (guint limited = 0; limited < 2; limited++)
            {
              char how[N] = { "+-x"[code % 3], "+-x"[code / 3 % 3], "+-x"[code / 9] };
              g_autoptr (ConcurFuture) future = NULL;
              guint done = 0, enough;
              Children children;

              children_init (&children);
              for (guint i = 0; i < n_before; i++)
                {
                  child_end (&children, (first + i) % N, how[(first + i) % N]);
                  done |= 1u << (first + i) % N;
                }
              future = concur_future_wait_many (children.futures, N, condition,
                                                limited ? LONG_US : -1);
              enough = is_enough (condition, how, done) ? done : 0;

              for (guint i = n_before; i < N; i++)
                {
                  g_assert_cmpint (concur_future_is_done (future), ==, enough != 0);
                  child_end (&children, (first + i) % N, how[(first + i) % N]);
                  done |= 1u << (first + i) % N;
                  if (enough == 0 && is_enough (condition, how, done))
                    enough = done;
                  /* Those that ended after it are the caller's to look at. */
                  if (enough != 0 && enough != done)
                    concur_future_ignore (children.futures[(first + i) % N]);
                }
              g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RESOLVED);
              g_assert_cmpuint (get_list (future, &children), ==, enough);
              g_assert_cmpuint (g_list_model_get_n_items (concur_future_get_children (future)), ==, N);
              g_assert_cmpuint (concur_timers_pending (), ==, 0);
              children_clear (&children);
            }

  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

static void
test_now (void)
{
  for (guint condition = 0; condition <= CONCUR_WAIT_FIRST_ERROR; condition++)
    for (guint done = 0; done < 8; done++)
      {
        g_autoptr (ConcurFuture) future = NULL;
        Children children;

        children_init (&children);
        for (guint i = 0; i < N; i++)
          child_end (&children, i, (done & (1u << i)) ? '+' : ' ');
        future = concur_future_wait_many (children.futures, N, condition, 0);
        g_assert_true (concur_future_is_done (future));
        g_assert_cmpuint (get_list (future, &children), ==, done);
        /* The others go on. */
        for (guint i = 0; i < N; i++)
          g_assert_cmpint (concur_future_is_done (children.futures[i]), ==, (done >> i) & 1);
        children_clear (&children);
      }
}

static void
test_empty_and_mistakes (void)
{
  ConcurFuture *none = NULL;
  guint alive = all_gone ();

  for (guint condition = 0; condition <= CONCUR_WAIT_FIRST_ERROR; condition++)
    for (gint64 timeout = -1; timeout <= 1; timeout++)
      {
        g_autoptr (ConcurFuture) future = concur_future_wait_many (NULL, 0, condition, timeout);

        g_assert_true (concur_future_is_done (future));
        g_assert_cmpuint (get_list (future, NULL), ==, 0);
      }
  test_critical (g_assert_null (concur_future_wait_many (&none, 1, CONCUR_WAIT_ALL, -1)));
  test_critical (g_assert_null (concur_future_wait_many (NULL, 0, CONCUR_WAIT_FIRST_ERROR + 1, -1)));
  g_assert_cmpuint (test_futures_alive (), ==, alive);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

/* No loop runs here, and nothing comes before its time. */
static void
test_time_is_over (void)
{
  for (guint condition = 0; condition <= CONCUR_WAIT_FIRST_ERROR; condition++)
    for (guint n_done = 0; n_done < 2; n_done++)
      {
        gint64 begun = g_get_monotonic_time ();
        g_autoptr (ConcurFuture) future = NULL;
        Children children;

        if (n_done == 1 && condition == CONCUR_WAIT_FIRST_COMPLETED)
          continue;
        children_init (&children);
        future = concur_future_wait_many (children.futures, N, condition, SHORT_US);
        if (n_done == 1)
          child_end (&children, 1, '+');
        g_assert_false (concur_future_is_done (future) && g_get_monotonic_time () < begun + SHORT_US);
        test_assert_done (future);
        g_assert_cmpint (g_get_monotonic_time () - begun, >=, SHORT_US);
        g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RESOLVED);
        g_assert_cmpuint (get_list (future, &children), ==, n_done << 1);
        g_assert_false (concur_future_is_done (children.futures[0]));
        g_assert_false (concur_future_is_done (children.futures[2]));
        children_clear (&children);
      }
}

/* The timer goes with the combination: when it is cancelled, when it is decided, and with
 * times that never come. */
static void
test_timer_goes (void)
{
  guint alive = all_gone ();
  Children children;
  ConcurFuture *future;

  children_init (&children);
  future = concur_future_wait_many (children.futures, N, CONCUR_WAIT_ALL, LONG_US);
  g_assert_cmpuint (concur_timers_pending (), ==, 1);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
  test_assert_cancelled (future);
  for (guint i = 0; i < N; i++)
    test_assert_cancelled (children.futures[i]);
  g_object_unref (future);
  children_clear (&children);
  g_assert_cmpuint (test_futures_alive (), ==, alive);

  children_init (&children);
  future = concur_future_wait_many (children.futures, N, CONCUR_WAIT_ALL, G_MAXINT64);
  for (guint i = 0; i < N; i++)
    child_end (&children, i, '+');
  g_assert_cmpuint (get_list (future, &children), ==, 7);
  g_object_unref (future);
  children_clear (&children);
  g_assert_cmpuint (test_futures_alive (), ==, alive);
}

/* An error in the list was looked at; one that came later was not. */
static void
test_observed (void)
{
  g_autoptr (ConcurFuture) future = NULL;
  Children children;

  children_init (&children);
  future = concur_future_wait_many (children.futures, N, CONCUR_WAIT_FIRST_ERROR, -1);
  child_end (&children, 0, '-');
  child_end (&children, 1, '-');
  g_clear_object (&future);
  g_test_expect_message ("Concur", G_LOG_LEVEL_WARNING, "*Nobody looked*child 1*");
  children_clear (&children);
  g_test_assert_expected_messages ();
}

typedef struct
{
  Children *children;
  TestGate *go;
  gboolean cancels;
  ConcurFuture *future;
} Ender;

static gpointer
end_thread (gpointer data)
{
  Ender *self = data;

  test_gate_wait (self->go);
  if (self->cancels)
    {
      concur_future_cancel (self->future, CONCUR_CANCEL_NONE);
      return NULL;
    }
  for (guint i = 0; i < N; i++)
    child_end (self->children, i, i == 1 ? '-' : '+');

  return NULL;
}

/* The time is over, children end and somebody cancels, all at once. */
static void
test_races (void)
{
  guint rounds = test_scaled (400), alive = all_gone ();
  guint n_resolved = 0;

  test_shake_start ();
  for (guint round = 0; round < rounds; round++)
    {
      TestGate go = { 0 };
      Children children;
      Ender ender = { &children, &go }, canceller = { &children, &go, TRUE };
      GThread *threads[2];
      ConcurFuture *future;

      children_init (&children);
      future = concur_future_wait_many (children.futures, N, round % 3, 1 + g_random_int_range (0, 300));
      ender.future = canceller.future = future;
      threads[0] = g_thread_new ("end", end_thread, &ender);
      threads[1] = round % 2 ? g_thread_new ("cancel", end_thread, &canceller) : NULL;
      test_gate_open (&go);
      test_assert_done (future);
      g_thread_join (threads[0]);
      if (threads[1] != NULL)
        g_thread_join (threads[1]);

      if (concur_future_get_state (future) == CONCUR_FUTURE_STATE_RESOLVED)
        {
          get_list (future, &children);
          n_resolved++;
        }
      else
        {
          test_assert_cancelled (future);
          g_assert_cmpuint (round % 2, ==, 1);
        }
      concur_future_ignore (children.futures[1]);
      g_object_unref (future);
      children_clear (&children);
    }
  test_shake_stop ();
  g_test_message ("%u of %u resolved", n_resolved, rounds);
  test_wait_until (test_futures_alive () <= alive);
  g_assert_cmpuint (concur_timers_pending (), ==, 0);
}

/* Where a time limit ends it, waiting is never in vain. */
static gboolean
answer_one (ConcurJob    *job,
            ConcurFuture *input,
            gpointer      data,
            GError      **error)
{
  concur_job_return_int64 (job, 1);

  return TRUE;
}

static void
test_would_deadlock (void)
{
  g_autoptr (ConcurFuture) done = concur_future_resolved (NULL);
  g_autoptr (ConcurFuture) bound = concur_future_continue_with (done, answer_one, NULL, NULL, NULL);
  g_autoptr (ConcurFuture) for_ever = concur_future_wait_many (&bound, 1, CONCUR_WAIT_ALL, -1);
  g_autoptr (ConcurFuture) limited = concur_future_wait_many (&bound, 1, CONCUR_WAIT_ALL, SHORT_US);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_main_context_acquire (NULL));
  g_assert_null (concur_future_result (for_ever, -1, &error));
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WOULD_DEADLOCK);
  g_assert_true (concur_future_wait (limited, -1));
  g_main_context_release (NULL);
  g_assert_true (concur_future_iterate (for_ever, NULL, TEST_PATIENCE_US, NULL));
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/combine/wait/conditions", test_conditions);
  g_test_add_func ("/combine/wait/now", test_now);
  g_test_add_func ("/combine/wait/empty-and-mistakes", test_empty_and_mistakes);
  g_test_add_func ("/combine/wait/time-is-over", test_time_is_over);
  g_test_add_func ("/combine/wait/timer-goes", test_timer_goes);
  g_test_add_func ("/combine/wait/observed", test_observed);
  g_test_add_func ("/combine/wait/races", test_races);
  g_test_add_func ("/combine/wait/would-deadlock", test_would_deadlock);

  return test_run ();
}
