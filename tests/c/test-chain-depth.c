/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Chains so long that anything that recursed along them, or kept what is over, would be
 * seen: on a thread with a small stack, and by the memory they take. */

#include "config.h"

#include "test-chain.h"

#include <pthread.h>

#define STACK_SIZE (256 * 1024)
#define DEPTH 1000000

typedef enum
{
  END_RESOLVED,
  END_REJECTED,   /* passes through */
  END_CANCELLED,  /* the tail is */
  END_BROKEN,     /* the promise goes away */
  N_ENDS
} End;

static gboolean
add_one (ConcurJob    *job,
         ConcurFuture *input,
         gpointer      data,
         GError      **error)
{
  concur_job_return_int64 (job, concur_future_get_int64 (input, NULL) + 1);

  return TRUE;
}

static void
count (gpointer n)
{
  g_atomic_int_inc ((gint *) n);
}

typedef struct
{
  StepHow how;
  gpointer executor;
  End end;
  guint depth;
} Chain;

/* Under ThreadSanitizer a thread's own bookkeeping needs more than that. */
static void
on_small_stack (void *(*func) (void *data),
                void  *data)
{
  pthread_attr_t attributes;
  pthread_t thread;

  pthread_attr_init (&attributes);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, STACK_SIZE), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, func, data), ==, 0);
  pthread_join (thread, NULL);
  pthread_attr_destroy (&attributes);
}

static void *
chain_thread (void *data)
{
  Chain *self = data;
  guint alive = test_futures_alive ();
  gint released = 0;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *tail = g_object_ref (concur_promise_get_future (promise));

  for (guint i = 0; i < self->depth; i++)
    {
      ConcurFuture *next = self->how (tail, add_one, &released, count, self->executor);

      g_object_unref (tail);
      tail = next;
    }
  g_assert_cmpuint (test_futures_alive (), >=, alive + self->depth);

  /* Looking along it, too. */
  g_assert_false (concur_future_wait (tail, 1));

  switch (self->end)
    {
    case END_RESOLVED:
      concur_promise_resolve_int64 (promise, 0);
      break;
    case END_REJECTED:
      input_complete (promise, INPUT_ERROR);
      break;
    case END_CANCELLED:
      concur_future_cancel (tail, CONCUR_CANCEL_NONE);
      g_assert_true (concur_future_is_done (concur_promise_get_future (promise)));
      break;
    case END_BROKEN:
    default:
      g_clear_object (&promise);
    }

  test_assert_done (tail);
  if (self->end == END_RESOLVED)
    test_assert_int64 (tail, self->how == concur_future_continue_with ? self->depth : 0);
  else if (self->end == END_REJECTED)
    test_assert_error (tail, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  else if (self->end == END_CANCELLED)
    test_assert_cancelled (tail);
  else
    test_assert_error (tail, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);

  g_object_unref (tail);
  g_clear_object (&promise);
  test_wait_until (g_atomic_int_get (&released) == (gint) self->depth);
  test_wait_until (test_futures_alive () <= alive);

  return NULL;
}

static void
check (StepHow  how,
       gpointer executor,
       End      end,
       guint    depth)
{
  Chain chain = { how, executor, end, depth };

  on_small_stack (chain_thread, &chain);
}

/* Run inside the completing call, which the trampoline keeps flat. */
static void
test_at_once (void)
{
  g_autoptr (TestKeeper) keeper = test_keeper_new (TRUE);

  for (End end = 0; end < N_ENDS; end++)
    check (concur_future_continue_with, keeper, end, test_scaled (DEPTH));
}

static void
test_on_pool (void)
{
  ConcurExecutor *pool = steps_pool (1);

  for (End end = 0; end < N_ENDS; end++)
    check (concur_future_continue_with, pool, end, test_scaled (DEPTH / 10));
  test_executor_end (pool);
}

/* A value goes past all of them. */
static void
test_past_recover (void)
{
  g_autoptr (TestKeeper) keeper = test_keeper_new (TRUE);

  check (concur_future_recover, keeper, END_RESOLVED, test_scaled (DEPTH / 10));
}

static gboolean
say_nothing (ConcurJob    *job,
             ConcurFuture *input,
             gpointer      data,
             GError      **error)
{
  return TRUE;
}

static void *
ensure_thread (void *data)
{
  guint depth = test_scaled (DEPTH / 10);
  guint alive = test_futures_alive ();

  for (guint round = 0; round < 2; round++)
    {
      gint released = 0;
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      ConcurFuture *tail = g_object_ref (concur_promise_get_future (promise));

      for (guint i = 0; i < depth; i++)
        {
          ConcurFuture *next = concur_future_ensure (tail, say_nothing, &released, count, data);

          g_object_unref (tail);
          tail = next;
        }
      if (round == 0)
        concur_promise_resolve_int64 (promise, 5);
      else
        concur_future_cancel (tail, CONCUR_CANCEL_NONE);
      test_assert_done (tail);
      if (round == 0)
        test_assert_int64 (tail, 5);
      else
        test_assert_cancelled (tail);
      g_object_unref (tail);
      g_clear_object (&promise);
      test_wait_until (g_atomic_int_get (&released) == (gint) depth);
      test_wait_until (test_futures_alive () <= alive);
    }

  return NULL;
}

static void
test_ensure (void)
{
  g_autoptr (TestKeeper) keeper = test_keeper_new (TRUE);

  on_small_stack (ensure_thread, keeper);
}

/* In a main context: a dispatch each. */
static void
test_in_context (void)
{
  guint depth = test_scaled (DEPTH / 10), alive = steps_count_alive ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *tail = g_object_ref (concur_promise_get_future (promise));
  gint released = 0;

  for (guint i = 0; i < depth; i++)
    {
      ConcurFuture *next = concur_future_continue_with (tail, add_one, &released, count, NULL);

      g_object_unref (tail);
      tail = next;
    }
  concur_promise_resolve_int64 (promise, 0);
  test_iterate_until (NULL, concur_future_is_done (tail));
  test_assert_int64 (tail, depth);
  g_object_unref (tail);
  g_clear_object (&promise);
  test_iterate_until (NULL, g_atomic_int_get (&released) == (gint) depth);
  steps_assert_alive (alive);
}

/* A chain that goes on for ever keeps nothing of what is over. */
static void
test_flat (void)
{
  ConcurExecutor *pool = steps_pool (1);
  guint rounds = test_scaled (100000), most = 0, alive = steps_count_alive ();
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *tail = g_object_ref (concur_promise_get_future (promise));

  concur_promise_resolve_int64 (promise, 0);
  g_clear_object (&promise);
  for (guint i = 0; i < rounds; i++)
    {
      ConcurFuture *next = concur_future_continue_with (tail, add_one, NULL, NULL, pool);

      g_object_unref (tail);
      tail = next;
      test_assert_done (tail);
      most = MAX (most, test_futures_alive ());
    }
  test_assert_int64 (tail, rounds);
  g_assert_cmpuint (most, <, alive + 16);
  g_object_unref (tail);
  steps_assert_alive (alive);
  test_executor_end (pool);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/chain-depth/at-once", test_at_once);
  g_test_add_func ("/chain-depth/on-pool", test_on_pool);
  g_test_add_func ("/chain-depth/past-recover", test_past_recover);
  g_test_add_func ("/chain-depth/ensure", test_ensure);
  g_test_add_func ("/chain-depth/in-context", test_in_context);
  g_test_add_func ("/chain-depth/flat", test_flat);

  return test_run ();
}
