/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* when_done and disconnect_done: in which context, in which order, how often. */

#include "config.h"

#include "test-util.h"

/* What a callback saw. */
typedef struct
{
  TestReleases freed;
  GThread *thread;       /* where it is to be called, or NULL: anywhere */
  GMainContext *context; /* owned then, or NULL: no matter */
  gint n_called;         /* atomic */
  GString *log;          /* or NULL; gets letter when called, its upper case when freed */
  char letter;
} Call;

static void
called (ConcurFuture *future,
        gpointer      data)
{
  Call *self = data;

  g_assert_true (concur_future_is_done (future));
  if (self->thread != NULL)
    g_assert_true (g_thread_self () == self->thread);
  if (self->context != NULL)
    g_assert_true (g_main_context_is_owner (self->context));
  if (self->log != NULL)
    g_string_append_c (self->log, self->letter);
  g_atomic_int_inc (&self->n_called);
}

static void
freed (gpointer data)
{
  Call *self = data;

  if (self->log != NULL)
    g_string_append_c (self->log, g_ascii_toupper (self->letter));
  test_released (&self->freed);
}

static guint
n_freed (Call *self)
{
  return test_releases_get (&self->freed);
}

static void
check (Call  *self,
       guint  n_called)
{
  g_assert_cmpint (g_atomic_int_get (&self->n_called), ==, n_called);
  g_assert_cmpuint (n_freed (self), ==, 1);
  g_assert_cmpuint (test_releases_get_wrong (&self->freed), ==, 0);
}

/* A future this thread may resolve: the promise is the caller's. */
static ConcurFuture *
future_new (ConcurPromise **promise)
{
  *promise = concur_promise_new ();

  return g_object_ref (concur_promise_get_future (*promise));
}

static ConcurFuture *
future_done (void)
{
  ConcurPromise *promise;
  ConcurFuture *future = future_new (&promise);

  concur_promise_resolve_int64 (promise, 1);
  g_object_unref (promise);

  return future;
}

static void
test_order (void)
{
  g_autoptr (GString) log = g_string_new (NULL);
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Call calls[4];
  guint i;

  for (i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      calls[i] = (Call) { .log = log, .letter = "abcd"[i], .thread = g_thread_self () };
      calls[i].freed.thread = g_thread_self ();
      if (i == 3)
        concur_promise_resolve_int64 (promise, 1);
      g_assert_cmpuint (concur_future_when_done (future, called, &calls[i], freed, NULL), !=, 0);
    }

  /* Neither inside the call nor inside resolve (). */
  g_assert_cmpstr (log->str, ==, "");
  test_iterate_until (NULL, n_freed (&calls[3]) == 1);
  g_assert_cmpstr (log->str, ==, "aAbBcCdD");
}

static void
test_destroy_is_optional (void)
{
  g_autoptr (ConcurFuture) future = future_done ();
  Call call = { .thread = g_thread_self () };

  concur_future_when_done (future, called, &call, NULL, NULL);
  test_iterate_until (NULL, call.n_called == 1);
}

typedef struct
{
  ConcurFuture *future;
  Call *call;
  GMainContext *context;
  ConcurPromise *promise;
  gulong id;
} Attach;

static void
attach (gpointer data)
{
  Attach *self = data;

  self->id = concur_future_when_done (self->future, called, self->call, freed, self->context);
  g_assert_cmpint (self->call->n_called, ==, 0);
}

static void
resolve (gpointer data)
{
  Attach *self = data;

  g_assert_true (concur_promise_resolve_int64 (self->promise, 1));
}

static void
expect_in (Call     *call,
           TestLoop *loop)
{
  call->thread = call->freed.thread = test_loop_get_thread (loop);
  call->context = call->freed.context = test_loop_get_context (loop);
}

/* NULL is the thread-default context of the thread that asks. */
static void
test_context_of_caller (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Call call = { 0 };
  Attach before = { future, &call, NULL, promise, 0 };

  expect_in (&call, loop);
  test_loop_call (loop, attach, &before);
  concur_promise_resolve_int64 (promise, 1);
  test_wait_until (n_freed (&call) == 1);
  check (&call, 1);
  test_loop_free (loop);
}

static gpointer
attach_thread (gpointer data)
{
  attach (data);

  return NULL;
}

static void
test_context_of_plain_thread (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Call call = { .thread = g_thread_self (), .freed.thread = g_thread_self () };
  Attach before = { future, &call, NULL, promise, 0 };

  g_thread_join (g_thread_new ("attach", attach_thread, &before));
  concur_promise_resolve_int64 (promise, 1);
  test_iterate_until (NULL, n_freed (&call) == 1);
  check (&call, 1);
}

static void
test_context_explicit (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Call before = { 0 }, after = { 0 }, here = { .thread = g_thread_self () };
  Attach resolving = { .promise = promise };

  expect_in (&before, loop);
  expect_in (&after, loop);
  here.freed.thread = g_thread_self ();

  concur_future_when_done (future, called, &before, freed, test_loop_get_context (loop));
  concur_future_when_done (future, called, &here, freed, NULL);
  /* Also when the loop's own thread completes it. */
  test_loop_call (loop, resolve, &resolving);
  concur_future_when_done (future, called, &after, freed, test_loop_get_context (loop));
  test_wait_until (n_freed (&after) == 1);
  check (&before, 1);
  check (&after, 1);

  g_assert_cmpuint (n_freed (&here), ==, 0);
  test_iterate_until (NULL, n_freed (&here) == 1);
  check (&here, 1);
  test_loop_free (loop);
}

static gpointer
unref_thread (gpointer data)
{
  g_object_unref (data);

  return NULL;
}

/* Callbacks do not keep a pending future alive; their data is freed in its context,
 * whoever drops the future. */
static void
test_future_dies_pending (void)
{
  TestLoop *loop = test_loop_new ();
  ConcurJob *job = concur_job_new (test_clog_job, NULL, NULL);
  Call there = { 0 }, here = { .freed.thread = g_thread_self () };

  expect_in (&there, loop);
  concur_future_when_done (CONCUR_FUTURE (job), called, &there, freed, test_loop_get_context (loop));
  concur_future_when_done (CONCUR_FUTURE (job), called, &here, freed, NULL);
  g_thread_join (g_thread_new ("unref", unref_thread, job));

  test_wait_until (n_freed (&there) == 1);
  check (&there, 0);
  test_iterate_until (NULL, n_freed (&here) == 1);
  check (&here, 0);
  test_loop_free (loop);
}

static void
test_context_goes_first (void)
{
  GMainContext *context = g_main_context_new ();
  guint homes = test_homes_alive ();
  ConcurFuture *future = future_done ();
  TestReleases releases = { 0 };
  Call call = { .freed.thread = g_thread_self () };

  test_releases_watch (&releases, future);
  concur_future_when_done (future, called, &call, freed, context);
  g_assert_cmpuint (test_homes_alive (), ==, homes + 1);
  g_object_unref (future);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_assert_cmpuint (n_freed (&call), ==, 0);

  g_main_context_unref (context);
  check (&call, 0);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_cmpuint (test_homes_alive (), ==, homes);
}

/* While it waits for its turn the callback keeps the context; once it had it, no more. */
static void
test_context_is_kept (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  GMainContext *context = g_main_context_new ();
  guint homes = test_homes_alive ();
  Call call = { .freed.thread = g_thread_self () };

  concur_future_when_done (future, called, &call, freed, context);
  g_main_context_unref (context);
  g_assert_cmpuint (test_homes_alive (), ==, homes + 1);

  concur_promise_resolve_int64 (promise, 1);
  check (&call, 0);
  g_assert_cmpuint (test_homes_alive (), ==, homes);
}

static void
drop_last (ConcurFuture *future,
           gpointer      data)
{
  TestReleases *releases = data;

  g_assert_cmpuint (test_releases_get (releases), ==, 0);
  g_assert_true (concur_future_check (future, NULL));
}

static void
test_future_is_kept (void)
{
  ConcurFuture *future = future_done ();
  TestReleases releases = { .thread = g_thread_self () };

  test_releases_watch (&releases, future);
  concur_future_when_done (future, drop_last, &releases, NULL, NULL);
  g_object_unref (future);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  test_iterate_until (NULL, test_releases_get (&releases) == 1);
}

static void
run_nested (ConcurFuture *future,
            gpointer      data)
{
  Call *later = data;

  test_iterate_until (NULL, later->n_called == 2);
}

/* A main loop inside a callback gets what comes after that callback. */
static void
test_nested_loop (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  g_autoptr (ConcurFuture) other = future_done ();
  Call later = { .thread = g_thread_self () };

  concur_future_when_done (future, run_nested, &later, NULL, NULL);
  concur_future_when_done (future, called, &later, NULL, NULL);
  concur_promise_resolve_int64 (promise, 1);
  concur_future_when_done (other, called, &later, NULL, NULL);
  test_iterate_until (NULL, later.n_called == 2);
}

static void
test_disconnect_before_done (void)
{
  TestLoop *loop = test_loop_new ();
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Call here = { .freed.thread = g_thread_self () }, there = { 0 }, kept = { 0 };
  gulong id_here, id_there;

  expect_in (&there, loop);
  g_main_context_acquire (NULL);
  id_here = concur_future_when_done (future, called, &here, freed, NULL);
  id_there = concur_future_when_done (future, called, &there, freed, test_loop_get_context (loop));
  concur_future_when_done (future, called, &kept, freed, NULL);
  g_assert_cmpuint (id_here, !=, id_there);

  /* In its own context the data is freed at once; elsewhere it is sent there. */
  concur_future_disconnect_done (future, id_here);
  check (&here, 0);
  g_main_context_release (NULL);
  concur_future_disconnect_done (future, id_there);
  test_wait_until (n_freed (&there) == 1);

  /* Again, and what was never there: nothing. */
  concur_future_disconnect_done (future, id_here);
  concur_future_disconnect_done (future, 0);
  concur_future_disconnect_done (future, G_MAXULONG);

  concur_promise_resolve_int64 (promise, 1);
  test_iterate_until (NULL, n_freed (&kept) == 1);
  check (&kept, 1);
  check (&here, 0);
  check (&there, 0);
  test_loop_free (loop);
}

static void
test_disconnect_before_dispatch (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Call before = { .freed.thread = g_thread_self () }, after = before, last = { 0 };
  gulong id_before, id_after;

  id_before = concur_future_when_done (future, called, &before, freed, NULL);
  concur_promise_resolve_int64 (promise, 1);
  id_after = concur_future_when_done (future, called, &after, freed, NULL);
  concur_future_when_done (future, called, &last, freed, NULL);

  concur_future_disconnect_done (future, id_before);
  concur_future_disconnect_done (future, id_before);
  concur_future_disconnect_done (future, id_after);
  test_iterate_until (NULL, n_freed (&last) == 1);
  check (&last, 1);
  check (&before, 0);
  check (&after, 0);

  concur_future_disconnect_done (future, id_before);
  check (&before, 0);
}

typedef struct
{
  gulong own;
  gulong next;
  guint n;
} Disconnecting;

static void
disconnect_others (ConcurFuture *future,
                   gpointer      data)
{
  Disconnecting *self = data;

  self->n++;
  concur_future_disconnect_done (future, self->own);
  concur_future_disconnect_done (future, self->next);
}

static void
disconnecting_freed (gpointer data)
{
  Disconnecting *self = data;

  self->n += 10;
}

/* From its own callback, and from another one of the same future. */
static void
test_disconnect_from_callback (void)
{
  g_autoptr (ConcurPromise) promise = NULL;
  g_autoptr (ConcurFuture) future = future_new (&promise);
  Disconnecting first = { 0 };
  Call next = { .freed.thread = g_thread_self () }, last = { 0 };

  first.own = concur_future_when_done (future, disconnect_others, &first, disconnecting_freed, NULL);
  first.next = concur_future_when_done (future, called, &next, freed, NULL);
  concur_future_when_done (future, called, &last, freed, NULL);
  concur_promise_resolve_int64 (promise, 1);
  test_iterate_until (NULL, n_freed (&last) == 1);
  g_assert_cmpuint (first.n, ==, 11);
  check (&next, 0);
  check (&last, 1);
}

typedef struct
{
  ConcurPromise **promises;
  guint n;
  TestGate *gate;
} Resolver;

static gpointer
resolver_thread (gpointer data)
{
  Resolver *self = data;
  guint i;

  for (i = 0; i < self->n; i++)
    {
      test_gate_wait_n (self->gate, i + 1);
      concur_promise_resolve_int64 (self->promises[i], 1);
      g_object_unref (self->promises[i]);
    }

  return NULL;
}

typedef struct
{
  gboolean disconnected;
  guint n_called;
  guint n_freed;
} Guarded;

static void
guarded_called (ConcurFuture *future,
                gpointer      data)
{
  Guarded *self = data;

  g_assert_false (self->disconnected);
  self->n_called++;
}

static void
guarded_freed (gpointer data)
{
  ((Guarded *) data)->n_freed++;
}

/* On the context's own thread nothing is called after disconnecting, at whatever moment
 * another thread completes the future. */
static void
test_disconnect_is_final (void)
{
  guint rounds = test_scaled (20000), i;
  g_autofree ConcurPromise **promises = g_new0 (ConcurPromise *, rounds);
  g_autofree Guarded *guarded = g_new0 (Guarded, rounds);
  TestGate gate = { 0 };
  Resolver resolver = { promises, rounds, &gate };
  guint n_called = 0, n_freed_all = 0;
  GThread *thread;

  for (i = 0; i < rounds; i++)
    promises[i] = concur_promise_new ();

  thread = g_thread_new ("resolver", resolver_thread, &resolver);
  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      ConcurFuture *future = g_object_ref (concur_promise_get_future (promises[i]));
      gulong id;

      if (i % 2 == 0)
        test_gate_open (&gate);
      id = concur_future_when_done (future, guarded_called, &guarded[i], guarded_freed, NULL);
      if (i % 2 == 1)
        test_gate_open (&gate);
      if (i % 3 == 0)
        g_main_context_iteration (NULL, FALSE);

      concur_future_disconnect_done (future, id);
      guarded[i].disconnected = TRUE;
      if (i % 5 == 0)
        g_main_context_iteration (NULL, FALSE);
      g_object_unref (future);
    }
  g_thread_join (thread);
  test_shake_stop ();

  while (g_main_context_iteration (NULL, FALSE))
    ;
  for (i = 0; i < rounds; i++)
    {
      g_assert_cmpuint (guarded[i].n_called, <=, 1);
      g_assert_cmpuint (guarded[i].n_freed, ==, 1);
      n_called += guarded[i].n_called;
      n_freed_all += guarded[i].n_freed;
    }
  g_test_message ("%u of %u were called before", n_called, n_freed_all);
}

/* From another thread it may be called at the same time, but once at most, and its data
 * is freed once, in its context. */
static void
test_disconnect_from_elsewhere (void)
{
  guint rounds = test_scaled (10000), i;
  g_autofree Call *calls = g_new0 (Call, rounds);
  TestLoop *loop = test_loop_new ();

  test_shake_start ();
  for (i = 0; i < rounds; i++)
    {
      g_autoptr (ConcurPromise) promise = NULL;
      g_autoptr (ConcurFuture) future = future_new (&promise);
      gulong id;

      expect_in (&calls[i], loop);
      id = concur_future_when_done (future, called, &calls[i], freed, test_loop_get_context (loop));
      concur_promise_resolve_int64 (promise, 1);
      if (i % 2)
        g_thread_yield ();
      concur_future_disconnect_done (future, id);
    }
  test_shake_stop ();

  for (i = 0; i < rounds; i++)
    {
      test_wait_until (n_freed (&calls[i]) > 0);
      g_assert_cmpint (calls[i].n_called, <=, 1);
      check (&calls[i], calls[i].n_called);
    }
  test_loop_free (loop);
}

typedef struct
{
  guint n;
  TestGate *begun;
  Call *call;
  ConcurFuture **futures;
} Attacher;

static gpointer
attacher_thread (gpointer data)
{
  Attacher *self = data;
  guint i;

  test_gate_open (self->begun);
  for (i = 0; i < self->n; i++)
    concur_future_when_done (self->futures[i], called, self->call, freed, NULL);

  return NULL;
}

/* Whether a callback comes before or after the future is done, it is called once. */
static void
test_attach_races_resolve (void)
{
  guint rounds = test_scaled (20000), i;
  g_autofree ConcurPromise **promises = g_new0 (ConcurPromise *, rounds);
  g_autofree ConcurFuture **futures = g_new0 (ConcurFuture *, rounds);
  TestGate begun = { 0 };
  Call call = { .thread = g_thread_self () };
  Attacher attacher = { rounds, &begun, &call, futures };
  GThread *threads[2];

  for (i = 0; i < rounds; i++)
    futures[i] = future_new (&promises[i]);
  call.freed.thread = g_thread_self ();

  test_shake_start ();
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("attacher", attacher_thread, &attacher);
  test_gate_wait_n (&begun, G_N_ELEMENTS (threads));
  for (i = 0; i < rounds; i++)
    {
      concur_promise_resolve_int64 (promises[i], 1);
      g_object_unref (promises[i]);
      g_main_context_iteration (NULL, FALSE);
    }
  for (i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  test_shake_stop ();

  test_iterate_until (NULL, n_freed (&call) == rounds * G_N_ELEMENTS (threads));
  g_assert_cmpint (call.n_called, ==, rounds * G_N_ELEMENTS (threads));
  g_assert_cmpuint (test_releases_get_wrong (&call.freed), ==, 0);
  for (i = 0; i < rounds; i++)
    g_object_unref (futures[i]);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/future/when-done/order", test_order);
  g_test_add_func ("/future/when-done/destroy-is-optional", test_destroy_is_optional);
  g_test_add_func ("/future/when-done/context-of-caller", test_context_of_caller);
  g_test_add_func ("/future/when-done/context-of-plain-thread", test_context_of_plain_thread);
  g_test_add_func ("/future/when-done/context-explicit", test_context_explicit);
  g_test_add_func ("/future/when-done/future-dies-pending", test_future_dies_pending);
  g_test_add_func ("/future/when-done/context-goes-first", test_context_goes_first);
  g_test_add_func ("/future/when-done/context-is-kept", test_context_is_kept);
  g_test_add_func ("/future/when-done/future-is-kept", test_future_is_kept);
  g_test_add_func ("/future/when-done/nested-loop", test_nested_loop);
  g_test_add_func ("/future/when-done/races-resolve", test_attach_races_resolve);
  g_test_add_func ("/future/disconnect/before-done", test_disconnect_before_done);
  g_test_add_func ("/future/disconnect/before-dispatch", test_disconnect_before_dispatch);
  g_test_add_func ("/future/disconnect/from-callback", test_disconnect_from_callback);
  g_test_add_func ("/future/disconnect/is-final", test_disconnect_is_final);
  g_test_add_func ("/future/disconnect/from-elsewhere", test_disconnect_from_elsewhere);

  return test_run ();
}
