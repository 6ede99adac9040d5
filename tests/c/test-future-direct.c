/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Direct callbacks, and what a flood of ordinary ones leaves of a main loop. */

#include "config.h"

#include "test-util.h"

#include <pthread.h>

/* Small enough that calls which nest would end the program at a fraction of the chain. */
#define SMALL_STACK (256 * 1024)

/* Dispatches of one callback after the other before something more urgent has its turn:
 * the library's budget is 128. */
#define MANY_IN_A_ROW 512

static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

typedef struct
{
  GString *log;
  char letter;
  GThread *thread;
  TestReleases freed;
} Direct;

static void
direct_called (ConcurFuture *future,
               gpointer      data)
{
  Direct *self = data;

  g_assert_true (concur_future_is_done (future));
  g_assert_true (g_thread_self () == self->thread);
  g_string_append_c (self->log, self->letter);
}

static void
direct_freed (gpointer data)
{
  Direct *self = data;

  g_string_append_c (self->log, g_ascii_toupper (self->letter));
  test_released (&self->freed);
}

typedef struct
{
  ConcurPromise *promise;
  Direct *direct;
  guint n;
} ResolveThere;

static gpointer
resolve_thread (gpointer data)
{
  ResolveThere *self = data;
  guint i;

  for (i = 0; i < self->n; i++)
    self->direct[i].thread = self->direct[i].freed.thread = g_thread_self ();
  concur_promise_resolve_int64 (self->promise, 1);

  return NULL;
}

static void
test_thread_and_order (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Direct direct[3] = { { log, 'a' }, { log, 'b' }, { log, 'c' } };
  ResolveThere there = { promise, direct, G_N_ELEMENTS (direct) };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (direct); i++)
    g_assert_cmpuint (
      concur_future_add_direct_callback (future, direct_called, &direct[i], direct_freed), !=, 0);
  g_thread_join (g_thread_new ("resolve", resolve_thread, &there));

  g_assert_cmpstr (log->str, ==, "aAbBcC");
  for (i = 0; i < G_N_ELEMENTS (direct); i++)
    g_assert_cmpuint (test_releases_get_wrong (&direct[i].freed), ==, 0);
}

static void
test_at_once_if_done (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Direct direct = { log, 'a', g_thread_self () };

  concur_promise_resolve_int64 (promise, 1);
  concur_future_add_direct_callback (future, direct_called, &direct, direct_freed);
  g_assert_cmpstr (log->str, ==, "aA");
  concur_future_add_direct_callback (future, direct_called, &direct, NULL);
  g_assert_cmpstr (log->str, ==, "aAa");
}

static void
test_on_cancel (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Direct direct = { log, 'a', g_thread_self () };

  concur_future_add_direct_callback (future, direct_called, &direct, direct_freed);
  concur_future_cancel (future, CONCUR_CANCEL_NONE);
  g_assert_cmpstr (log->str, ==, "aA");
}

static void
test_disconnect (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Direct first = { log, 'a', g_thread_self () }, second = { log, 'b', g_thread_self () };
  gulong id;

  id = concur_future_add_direct_callback (future, direct_called, &first, direct_freed);
  concur_future_add_direct_callback (future, direct_called, &second, direct_freed);
  concur_future_disconnect_done (future, id);
  g_assert_cmpstr (log->str, ==, "A");
  concur_future_disconnect_done (future, id);
  concur_promise_resolve_int64 (promise, 1);
  g_assert_cmpstr (log->str, ==, "AbB");
  concur_future_disconnect_done (future, id);
}

typedef struct
{
  gulong own;
  gulong next;
} Disconnecting;

static void
disconnect_next (ConcurFuture *future,
                 gpointer      data)
{
  Disconnecting *self = data;

  concur_future_disconnect_done (future, self->own);
  concur_future_disconnect_done (future, self->next);
}

static void
test_disconnect_from_callback (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Direct next = { log, 'b', g_thread_self () }, last = { log, 'c', g_thread_self () };
  Disconnecting first = { 0 };

  first.own = concur_future_add_direct_callback (future, disconnect_next, &first, NULL);
  first.next = concur_future_add_direct_callback (future, direct_called, &next, direct_freed);
  concur_future_add_direct_callback (future, direct_called, &last, direct_freed);
  concur_promise_resolve_int64 (promise, 1);
  /* The next one was still there to be taken back. */
  g_assert_cmpstr (log->str, ==, "BcC");
}

static void
test_dies_pending (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  ConcurJob *job = concur_job_new (test_clog_job, NULL, NULL);
  Direct direct = { log, 'a', g_thread_self () };

  concur_future_add_direct_callback (CONCUR_FUTURE (job), direct_called, &direct, direct_freed);
  g_object_unref (job);
  g_assert_cmpstr (log->str, ==, "A");
}

typedef struct
{
  ConcurPromise *promise;
  gboolean inside;
  guint n_called;
} Link;

static void
link_called (ConcurFuture *future,
             gpointer      data)
{
  Link *self = data;

  g_assert_false (self->inside);
  self->n_called++;
}

static void
resolve_next (ConcurFuture *future,
              gpointer      data)
{
  Link *next = data;

  next->inside = TRUE;
  concur_promise_resolve_int64 (next->promise, 1);
  concur_future_add_direct_callback (future, link_called, next, NULL);
  next->inside = FALSE;
}

/* What a direct callback completes, or asks of a future that is done, is seen by direct
 * callbacks only after it has returned. */
static void
test_nested_completion (void)
{
  g_autoptr (ConcurPromise) first = concur_promise_new ();
  Link next = { concur_promise_new () };

  concur_future_add_direct_callback (concur_promise_get_future (next.promise), link_called, &next,
                                     NULL);
  concur_future_add_direct_callback (concur_promise_get_future (first), resolve_next, &next, NULL);
  concur_promise_resolve_int64 (first, 1);
  g_assert_true (concur_future_check (concur_promise_get_future (next.promise), NULL));
  g_assert_cmpuint (next.n_called, ==, 2);
  g_object_unref (next.promise);
}

static void
resolve_owned (ConcurFuture *future,
               gpointer      data)
{
  concur_promise_resolve_int64 (data, 1);
}

static gpointer
chain_thread (gpointer data)
{
  concur_promise_resolve_int64 (data, 1);

  return NULL;
}

static void
test_long_chain (void)
{
  guint n = test_scaled (100000), i;
  ConcurPromise *first = concur_promise_new (), *last = first;
  g_autoptr (ConcurFuture) end = NULL;
  pthread_attr_t attributes;
  pthread_t thread;

  for (i = 1; i < n; i++)
    {
      ConcurPromise *next = concur_promise_new ();

      concur_future_add_direct_callback (concur_promise_get_future (last), resolve_owned, next,
                                         g_object_unref);
      last = next;
    }
  end = g_object_ref (concur_promise_get_future (last));
  g_assert_cmpuint (test_futures_alive (), ==, n);

  /* GLib lets nobody choose the size of a stack. */
  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, SMALL_STACK), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, chain_thread, first), ==, 0);
  g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
  pthread_attr_destroy (&attributes);

  test_assert_int64 (end, 1);
  g_object_unref (first);
}

typedef struct
{
  GSource source;
  guint n;
} Redraw;

static gboolean
redraw_dispatch (GSource     *source,
                 GSourceFunc  func,
                 gpointer     data)
{
  ((Redraw *) source)->n++;
  g_source_set_ready_time (source, -1);

  return G_SOURCE_CONTINUE;
}

static GSourceFuncs redraw_funcs = { .dispatch = redraw_dispatch };

typedef struct
{
  guint n;
  guint in_a_row;
  guint most_in_a_row;
  guint seen;      /* redraws */
  guint ticks;
  Redraw *redraw;
} Flood;

/* Each callback asks for a redraw, as one that changes a widget does. */
static void
flood_called (ConcurFuture *future,
              gpointer      data)
{
  Flood *self = data;

  self->n++;
  if (self->seen != self->redraw->n)
    self->in_a_row = 0;
  self->seen = self->redraw->n;
  self->in_a_row++;
  self->most_in_a_row = MAX (self->most_in_a_row, self->in_a_row);
  if (g_source_get_ready_time ((GSource *) self->redraw) < 0)
    g_source_set_ready_time ((GSource *) self->redraw, 0);
}

static gboolean
flood_tick (gpointer data)
{
  ((Flood *) data)->ticks++;

  return G_SOURCE_CONTINUE;
}

static gpointer
flood_thread (gpointer data)
{
  GPtrArray *promises = data;
  guint i;

  for (i = 0; i < promises->len; i++)
    concur_promise_resolve_int64 (promises->pdata[i], 1);

  return NULL;
}

/* A flood of results neither stops drawing, which GTK does at G_PRIORITY_HIGH_IDLE + 20,
 * nor timers. */
static void
test_flood (void)
{
  guint n = test_scaled (100000), i;
  g_autoptr (GPtrArray) promises = g_ptr_array_new_with_free_func (g_object_unref);
  GSource *redraw = g_source_new (&redraw_funcs, sizeof (Redraw));
  Flood flood = { .redraw = (Redraw *) redraw };
  guint timer;

  for (i = 0; i < n; i++)
    {
      ConcurPromise *promise = concur_promise_new ();

      g_ptr_array_add (promises, promise);
      concur_future_when_done (concur_promise_get_future (promise), flood_called, &flood, NULL, NULL);
    }

  g_source_set_priority (redraw, G_PRIORITY_HIGH_IDLE + 20);
  g_source_attach (redraw, NULL);
  timer = g_timeout_add (1, flood_tick, &flood);

  /* All there at once, so that the loop never runs dry. */
  g_thread_join (g_thread_new ("flood", flood_thread, promises));
  test_iterate_until (NULL, flood.n == n);
  g_source_remove (timer);
  g_source_destroy (redraw);

  g_test_message ("%u callbacks: %u redraws, at most %u callbacks between two, %u ticks of 1 ms", n,
                  flood.redraw->n, flood.most_in_a_row, flood.ticks);
  g_assert_cmpuint (flood.most_in_a_row, <=, MANY_IN_A_ROW);
  /* However fast the machine: the first tick is due before most of the flood is over. */
  g_assert_cmpuint (flood.ticks, >, 0);
  g_source_unref (redraw);
}

static void
count (ConcurFuture *future,
       gpointer      data)
{
  (*(guint *) data)++;
}

/* Many callbacks on one future are work in proportion, not with the square. */
static void
test_many_on_one (void)
{
  guint n = test_scaled (100000), n_called = 0, i;
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);

  for (i = 0; i < n; i++)
    concur_future_when_done (future, count, &n_called, NULL, NULL);
  concur_promise_resolve_int64 (promise, 1);
  for (i = 0; i < n; i++)
    concur_future_when_done (future, count, &n_called, NULL, NULL);
  test_iterate_until (NULL, n_called == 2 * n);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/future/direct/thread-and-order", test_thread_and_order);
  g_test_add_func ("/future/direct/at-once-if-done", test_at_once_if_done);
  g_test_add_func ("/future/direct/on-cancel", test_on_cancel);
  g_test_add_func ("/future/direct/disconnect", test_disconnect);
  g_test_add_func ("/future/direct/disconnect-from-callback", test_disconnect_from_callback);
  g_test_add_func ("/future/direct/dies-pending", test_dies_pending);
  g_test_add_func ("/future/direct/nested-completion", test_nested_completion);
  g_test_add_func ("/future/direct/long-chain", test_long_chain);
  g_test_add_func ("/future/flood", test_flood);
  g_test_add_func ("/future/flood/many-on-one", test_many_on_one);

  return test_run ();
}
