/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include "test-util.h"

#include <string.h>

/* Each way of answering, so that each can be tried against each. */

static gboolean
by_value (ConcurPromise *promise)
{
  GValue value = G_VALUE_INIT;
  gboolean first;

  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, 3);
  first = concur_promise_resolve (promise, &value);
  g_value_unset (&value);

  return first;
}

static gboolean
by_none (ConcurPromise *promise)
{
  return concur_promise_resolve (promise, NULL);
}

static gboolean
by_unset (ConcurPromise *promise)
{
  GValue value = G_VALUE_INIT;

  return concur_promise_resolve (promise, &value);
}

static gboolean
by_string (ConcurPromise *promise)
{
  char text[] = "text";
  gboolean first = concur_promise_resolve_string (promise, text);

  memset (text, 'X', sizeof text - 1);

  return first;
}

static gboolean
by_object (ConcurPromise *promise)
{
  g_autoptr (GCancellable) object = g_cancellable_new ();

  return concur_promise_resolve_object (promise, G_OBJECT (object));
}

static gboolean
by_bytes (ConcurPromise *promise)
{
  g_autoptr (GBytes) bytes = g_bytes_new ("bytes", 5);

  return concur_promise_resolve_bytes (promise, bytes);
}

static gboolean
by_variant (ConcurPromise *promise)
{
  /* Floating: it is consumed, also when it comes too late. */
  return concur_promise_resolve_variant (promise, g_variant_new_string ("variant"));
}

static gboolean
by_int64 (ConcurPromise *promise)
{
  return concur_promise_resolve_int64 (promise, G_MININT64);
}

static gboolean
by_double (ConcurPromise *promise)
{
  return concur_promise_resolve_double (promise, 0.5);
}

static gboolean
by_boolean (ConcurPromise *promise)
{
  return concur_promise_resolve_boolean (promise, 17);
}

static gboolean
by_error (ConcurPromise *promise)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");

  return concur_promise_reject (promise, error);
}

static gboolean
by_cancelled (ConcurPromise *promise)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "enough");

  return concur_promise_reject (promise, error);
}

static gboolean
by_cancel (ConcurPromise *promise)
{
  return concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
}

static gboolean
by_abandon (ConcurPromise *promise)
{
  return concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_ABANDON);
}

typedef struct
{
  const char *name;
  gboolean (*answer) (ConcurPromise *promise);
  ConcurFutureState state;
  const char *printed; /* of a value, as g_strdup_value_contents () has it; NULL: not compared */
} Way;

static const Way ways[] = {
  { "value", by_value, CONCUR_FUTURE_STATE_RESOLVED, "3" },
  { "none", by_none, CONCUR_FUTURE_STATE_RESOLVED, "NULL" },
  { "unset", by_unset, CONCUR_FUTURE_STATE_RESOLVED, "NULL" },
  { "string", by_string, CONCUR_FUTURE_STATE_RESOLVED, "\"text\"" },
  { "object", by_object, CONCUR_FUTURE_STATE_RESOLVED, NULL },
  { "bytes", by_bytes, CONCUR_FUTURE_STATE_RESOLVED, NULL },
  { "variant", by_variant, CONCUR_FUTURE_STATE_RESOLVED, NULL },
  { "int64", by_int64, CONCUR_FUTURE_STATE_RESOLVED, "-9223372036854775808" },
  { "double", by_double, CONCUR_FUTURE_STATE_RESOLVED, "0.500000" },
  { "boolean", by_boolean, CONCUR_FUTURE_STATE_RESOLVED, "TRUE" },
  { "error", by_error, CONCUR_FUTURE_STATE_REJECTED, NULL },
  { "cancelled", by_cancelled, CONCUR_FUTURE_STATE_CANCELLED, NULL },
  { "cancel", by_cancel, CONCUR_FUTURE_STATE_CANCELLED, NULL },
  { "abandon", by_abandon, CONCUR_FUTURE_STATE_CANCELLED, NULL },
};

static void
assert_outcome (ConcurFuture *future,
                const Way    *way)
{
  g_assert_cmpint (concur_future_get_state (future), ==, way->state);

  if (way->state == CONCUR_FUTURE_STATE_RESOLVED)
    {
      g_autofree char *printed = g_strdup_value_contents (concur_future_get_value (future, NULL));

      if (way->printed != NULL)
        g_assert_cmpstr (printed, ==, way->printed);
    }
  else if (way->state == CONCUR_FUTURE_STATE_REJECTED)
    {
      test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
    }
  else
    {
      test_assert_cancelled (future);
    }
}

/* The first answer counts, whichever two they are. */
static void
test_first_wins (gconstpointer data)
{
  const Way *first = data;
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();
      ConcurFuture *future = concur_promise_get_future (promise);

      g_assert_true (first->answer (promise));
      assert_outcome (future, first);
      g_assert_false (ways[i].answer (promise));
      assert_outcome (future, first);
    }
}

static void
test_values (void)
{
  g_autoptr (ConcurPromise) for_object = concur_promise_new (), for_bytes = concur_promise_new ();
  g_autoptr (ConcurPromise) for_variant = concur_promise_new (), for_string = concur_promise_new ();
  g_autoptr (ConcurPromise) for_value = concur_promise_new ();
  g_autoptr (GObject) object = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) variant = NULL;
  g_autofree char *text = NULL;
  const GValue *value;

  by_object (for_object);
  value = concur_future_get_value (concur_promise_get_future (for_object), NULL);
  g_assert_true (G_VALUE_HOLDS (value, G_TYPE_CANCELLABLE));
  object = concur_future_dup_object (concur_promise_get_future (for_object), NULL);
  g_assert_true (G_IS_CANCELLABLE (object));

  by_bytes (for_bytes);
  bytes = concur_future_dup_bytes (concur_promise_get_future (for_bytes), NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "bytes", 5);

  by_variant (for_variant);
  variant = concur_future_dup_variant (concur_promise_get_future (for_variant), NULL);
  g_assert_cmpstr (g_variant_get_string (variant, NULL), ==, "variant");
  g_assert_false (g_variant_is_floating (variant));

  by_string (for_string);
  text = concur_future_dup_string (concur_promise_get_future (for_string), NULL);
  g_assert_cmpstr (text, ==, "text");

  by_value (for_value);
  value = concur_future_get_value (concur_promise_get_future (for_value), NULL);
  g_assert_true (G_VALUE_HOLDS (value, G_TYPE_UINT));
}

static void
test_null_values (void)
{
  g_autoptr (ConcurPromise) for_string = concur_promise_new (), for_object = concur_promise_new ();
  g_autoptr (ConcurPromise) for_bytes = concur_promise_new (), for_variant = concur_promise_new ();
  g_autoptr (GVariant) kept = g_variant_ref_sink (g_variant_new_int32 (1));
  g_autoptr (ConcurPromise) for_kept = concur_promise_new ();

  g_assert_true (concur_promise_resolve_string (for_string, NULL));
  g_assert_true (concur_promise_resolve_object (for_object, NULL));
  g_assert_true (concur_promise_resolve_bytes (for_bytes, NULL));
  g_assert_true (concur_promise_resolve_variant (for_variant, NULL));
  g_assert_true (concur_future_check (concur_promise_get_future (for_string), NULL));
  g_assert_true (concur_future_check (concur_promise_get_future (for_object), NULL));
  g_assert_true (concur_future_check (concur_promise_get_future (for_bytes), NULL));
  g_assert_true (concur_future_check (concur_promise_get_future (for_variant), NULL));

  /* One that is not floating stays the caller's. */
  g_assert_true (concur_promise_resolve_variant (for_kept, kept));
  g_assert_false (concur_promise_resolve_variant (for_kept, kept));
  g_assert_cmpint (g_variant_get_int32 (kept), ==, 1);
}

static void
test_error_is_copied (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  GError *error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "as it was");

  concur_promise_reject (promise, error);
  error->message[0] = 'X';
  g_error_free (error);
  g_assert_cmpstr (concur_future_get_error (concur_promise_get_future (promise))->message, ==,
                   "as it was");
}

static void
test_broken (void)
{
  ConcurPromise *promise = concur_promise_new ();
  g_autoptr (ConcurFuture) future = g_object_ref (concur_promise_get_future (promise));

  g_object_unref (promise);
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_REJECTED);
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
}

/* Disposed by hand, as bindings do, it is as good as gone. */
static void
test_broken_by_dispose (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();

  g_object_run_dispose (G_OBJECT (promise));
  test_assert_error (concur_promise_get_future (promise), CONCUR_FUTURE_ERROR,
                     CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  g_assert_false (by_int64 (promise));
}

static void
test_answered_is_not_broken (void)
{
  guint i;

  for (i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      ConcurPromise *promise = concur_promise_new ();
      g_autoptr (ConcurFuture) future = g_object_ref (concur_promise_get_future (promise));

      ways[i].answer (promise);
      g_object_unref (promise);
      assert_outcome (future, &ways[i]);
    }
}

static gpointer
wait_thread (gpointer data)
{
  g_assert_true (concur_future_wait (data, TEST_PATIENCE_US));

  return NULL;
}

/* Nobody waits for ever for a promise that went away. */
static void
test_broken_wakes (void)
{
  ConcurPromise *promise = concur_promise_new ();
  g_autoptr (ConcurFuture) future = g_object_ref (concur_promise_get_future (promise));
  GThread *thread = g_thread_new ("waiter", wait_thread, future);

  g_object_unref (promise);
  g_thread_join (thread);
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
}

static void
test_future_of_promise (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);

  g_assert_true (CONCUR_IS_FUTURE (future));
  g_assert_false (CONCUR_IS_JOB (future));
  g_assert_true (concur_promise_get_future (promise) == future);
  concur_promise_set_progress (promise, 0.5);
  concur_promise_set_status_text (promise, "half");
  g_assert_cmpfloat (concur_future_get_progress (future), ==, 0.5);
  {
    g_autofree char *text = concur_future_dup_status_text (future);

    g_assert_cmpstr (text, ==, "half");
  }
  by_boolean (promise);
}

#define N_RACERS 8

typedef struct
{
  guint rounds;
  ConcurPromise **promises;
  TestGate *gate;
  gint *winners; /* atomic */
  gint number;
} Racer;

static gpointer
racer_thread (gpointer data)
{
  Racer *self = data;
  guint i;

  for (i = 0; i < self->rounds; i++)
    {
      ConcurPromise *promise = self->promises[i];
      gboolean won;

      test_gate_wait_n (self->gate, i / 16 + 1);
      /* The last ones take the value back, or away. */
      if (self->number == N_RACERS - 1)
        won = concur_future_cancel (concur_promise_get_future (promise), CONCUR_CANCEL_NONE);
      else if (self->number == N_RACERS - 2)
        won = by_error (promise);
      else
        won = concur_promise_resolve_int64 (promise, self->number);

      if (won)
        g_atomic_int_add (&self->winners[i], 100 + self->number);
    }

  return NULL;
}

/* One of all who answer at the same time is told that it was the first, and it is its
 * answer that is there. */
static void
test_race (void)
{
  guint rounds = test_scaled (20000), i;
  g_autofree ConcurPromise **promises = g_new0 (ConcurPromise *, rounds);
  g_autofree gint *winners = g_new0 (gint, rounds);
  TestGate gate = { 0 };
  Racer racers[N_RACERS];
  GThread *threads[N_RACERS];
  guint won[N_RACERS] = { 0 };

  for (i = 0; i < rounds; i++)
    promises[i] = concur_promise_new ();

  test_shake_start ();
  for (i = 0; i < N_RACERS; i++)
    {
      racers[i] = (Racer) { rounds, promises, &gate, winners, (gint) i };
      threads[i] = g_thread_new ("racer", racer_thread, &racers[i]);
    }
  for (i = 0; i <= rounds / 16; i++)
    {
      ConcurFuture *future = concur_promise_get_future (promises[MIN (i * 16, rounds - 1)]);

      test_gate_open (&gate);
      g_assert_true (concur_future_wait (future, TEST_PATIENCE_US));
    }
  for (i = 0; i < N_RACERS; i++)
    g_thread_join (threads[i]);
  test_shake_stop ();

  for (i = 0; i < rounds; i++)
    {
      ConcurFuture *future = concur_promise_get_future (promises[i]);
      guint winner = (guint) winners[i] - 100;

      /* Two winners would add up to more, none is less. */
      g_assert_cmpuint (winner, <, N_RACERS);
      won[winner % N_RACERS]++;
      if (winner == N_RACERS - 1)
        test_assert_cancelled (future);
      else if (winner == N_RACERS - 2)
        test_assert_error (future, G_IO_ERROR, G_IO_ERROR_EXISTS);
      else
        test_assert_int64 (future, winner);
      g_object_unref (promises[i]);
    }
  for (i = 0; i < N_RACERS; i++)
    g_test_message ("racer %u was first %u times", i, won[i]);
}

static void
test_mistakes (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
  gpointer wrong[] = { NULL, object };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      ConcurPromise *self = wrong[i];

      test_critical (g_assert_null (concur_promise_get_future (self)));
      test_critical (g_assert_false (concur_promise_resolve (self, NULL)));
      test_critical (g_assert_false (concur_promise_resolve_string (self, "text")));
      test_critical (g_assert_false (concur_promise_resolve_object (self, object)));
      test_critical (g_assert_false (concur_promise_resolve_bytes (self, NULL)));
      test_critical (g_assert_false (concur_promise_resolve_variant (self, NULL)));
      test_critical (g_assert_false (concur_promise_resolve_int64 (self, 1)));
      test_critical (g_assert_false (concur_promise_resolve_double (self, 1)));
      test_critical (g_assert_false (concur_promise_resolve_boolean (self, TRUE)));
      test_critical (g_assert_false (concur_promise_reject (self, error)));
      test_critical (concur_promise_set_progress (self, 0.5));
      test_critical (concur_promise_set_status_text (self, "text"));
    }

  test_critical (g_assert_false (concur_promise_reject (promise, NULL)));
  test_critical (g_assert_false (concur_promise_resolve_object (promise, (GObject *) &(GTypeInstance) { NULL })));
  g_assert_false (concur_future_is_done (concur_promise_get_future (promise)));
  by_none (promise);
}

int
main (int    argc,
      char **argv)
{
  guint i;

  test_init (&argc, &argv);

  for (i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *path = g_strconcat ("/promise/first-wins/", ways[i].name, NULL);

      g_test_add_data_func (path, &ways[i], test_first_wins);
    }
  g_test_add_func ("/promise/values", test_values);
  g_test_add_func ("/promise/values/null", test_null_values);
  g_test_add_func ("/promise/values/error-is-copied", test_error_is_copied);
  g_test_add_func ("/promise/broken", test_broken);
  g_test_add_func ("/promise/broken/by-dispose", test_broken_by_dispose);
  g_test_add_func ("/promise/broken/not-if-answered", test_answered_is_not_broken);
  g_test_add_func ("/promise/broken/wakes", test_broken_wakes);
  g_test_add_func ("/promise/future", test_future_of_promise);
  g_test_add_func ("/promise/race", test_race);
  g_test_add_func ("/promise/mistakes", test_mistakes);

  return test_run ();
}
