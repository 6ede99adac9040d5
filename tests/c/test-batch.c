/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The slots of a batch: what they take, what they give back, and what they refuse. */

#include "config.h"

#include "test-util.h"

#include "concur-batch-private.h"

static void
test_int64 (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (3);
  gint64 *slots;

  g_assert_cmpuint (concur_batch_get_n_items (batch), ==, 3);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_INVALID);
  concur_batch_set_int64 (batch, 0, G_MININT64);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_INT64);
  concur_batch_set_int64 (batch, 2, 5);
  concur_batch_set_int64 (batch, 2, G_MAXINT64);
  g_assert_cmpint (concur_batch_get_int64 (batch, 0), ==, G_MININT64);
  g_assert_cmpint (concur_batch_get_int64 (batch, 1), ==, 0);
  g_assert_cmpint (concur_batch_get_int64 (batch, 2), ==, G_MAXINT64);

  slots = concur_batch_peek_int64 (batch, 1, 2);
  g_assert_cmpint (slots[0], ==, 0);
  g_assert_cmpint (slots[1], ==, G_MAXINT64);
  slots[0] = 7;
  g_assert_cmpint (concur_batch_get_int64 (batch, 1), ==, 7);
}

static void
test_double (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (3);
  double *slots;

  /* Looking at the slots decides their type as well. */
  slots = concur_batch_peek_double (batch, 0, 3);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_DOUBLE);
  slots[0] = 0.5;
  concur_batch_set_double (batch, 1, -2.25);
  g_assert_true (concur_batch_get_double (batch, 0) == 0.5);
  g_assert_true (concur_batch_get_double (batch, 1) == -2.25);
  g_assert_true (concur_batch_get_double (batch, 2) == 0);
  g_assert_true (slots[1] == -2.25);
}

static void
test_string (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (4);
  char text[] = "text";

  concur_batch_set_string (batch, 0, text);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_STRING);
  text[0] = 'n';
  g_assert_cmpstr (concur_batch_get_string (batch, 0), ==, "text");
  concur_batch_set_string (batch, 0, text);
  g_assert_cmpstr (concur_batch_get_string (batch, 0), ==, "next");
  concur_batch_set_string (batch, 0, concur_batch_get_string (batch, 0) + 1);
  g_assert_cmpstr (concur_batch_get_string (batch, 0), ==, "ext");
  concur_batch_set_string (batch, 1, "");
  g_assert_cmpstr (concur_batch_get_string (batch, 1), ==, "");
  concur_batch_set_string (batch, 2, "gone");
  concur_batch_set_string (batch, 2, NULL);
  g_assert_null (concur_batch_get_string (batch, 2));
  g_assert_null (concur_batch_get_string (batch, 3));
}

static void
test_object (void)
{
  ConcurBatch *batch = concur_batch_new (3);
  GObject *first = g_object_new (G_TYPE_OBJECT, NULL), *second = g_object_new (G_TYPE_OBJECT, NULL);
  TestReleases releases = { 0 };

  test_releases_watch (&releases, first);
  test_releases_watch (&releases, second);
  concur_batch_set_object (batch, 0, first);
  concur_batch_set_object (batch, 1, second);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_OBJECT);
  g_object_unref (first);
  g_object_unref (second);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_assert_true (concur_batch_get_object (batch, 0) == first);
  g_assert_true (concur_batch_get_object (batch, 1) == second);
  g_assert_null (concur_batch_get_object (batch, 2));

  concur_batch_set_object (batch, 0, NULL);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_null (concur_batch_get_object (batch, 0));
  /* The slot is all that holds it. */
  concur_batch_set_object (batch, 1, second);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_object_unref (batch);
  g_assert_cmpuint (test_releases_get (&releases), ==, 2);
}

static void
test_bytes (void)
{
  ConcurBatch *batch = concur_batch_new (2);
  TestReleases releases = { 0 };
  GBytes *bytes = g_bytes_new_with_free_func ("abc", 3, test_released, &releases);

  concur_batch_set_bytes (batch, 1, bytes);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_BYTES);
  g_bytes_unref (bytes);
  g_assert_null (concur_batch_get_bytes (batch, 0));
  g_assert_true (concur_batch_get_bytes (batch, 1) == bytes);
  concur_batch_set_bytes (batch, 1, bytes);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 3);
  g_object_unref (batch);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
}

static void
test_variant (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (3);
  g_autoptr (GVariant) kept = g_variant_ref_sink (g_variant_new_string ("kept"));

  concur_batch_set_variant (batch, 0, g_variant_new_uint32 (9));
  concur_batch_set_variant (batch, 0, g_variant_new_uint32 (10));
  concur_batch_set_variant (batch, 1, kept);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_VARIANT);
  g_assert_cmpuint (g_variant_get_uint32 (concur_batch_get_variant (batch, 0)), ==, 10);
  g_assert_false (g_variant_is_floating (concur_batch_get_variant (batch, 0)));
  g_assert_true (concur_batch_get_variant (batch, 1) == kept);
  g_assert_null (concur_batch_get_variant (batch, 2));
  concur_batch_set_variant (batch, 1, NULL);
  g_assert_null (concur_batch_get_variant (batch, 1));
  g_assert_cmpstr (g_variant_get_string (kept, NULL), ==, "kept");
}

/* While nothing is set all types read as nothing. */
static void
test_unset (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (1);
  g_autoptr (ConcurBatch) empty = concur_batch_new (0);

  g_assert_cmpint (concur_batch_get_int64 (batch, 0), ==, 0);
  g_assert_true (concur_batch_get_double (batch, 0) == 0);
  g_assert_null (concur_batch_get_string (batch, 0));
  g_assert_null (concur_batch_get_object (batch, 0));
  g_assert_null (concur_batch_get_bytes (batch, 0));
  g_assert_null (concur_batch_get_variant (batch, 0));
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_INVALID);

  g_assert_cmpuint (concur_batch_get_n_items (empty), ==, 0);
  g_assert_nonnull (concur_batch_peek_int64 (empty, 0, 0));
  g_assert_true (concur_batch_get_item_type (empty) == G_TYPE_INT64);
}

static void
test_wrong_type (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (2);
  g_autoptr (GBytes) bytes = g_bytes_new (NULL, 0);
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_int32 (0));

  concur_batch_set_int64 (batch, 0, 77);
  test_critical (concur_batch_set_double (batch, 0, 1));
  test_critical (concur_batch_set_string (batch, 0, "x"));
  test_critical (concur_batch_set_object (batch, 0, G_OBJECT (batch)));
  test_critical (concur_batch_set_bytes (batch, 0, bytes));
  test_critical (concur_batch_set_variant (batch, 0, variant));
  test_critical (g_assert_true (concur_batch_get_double (batch, 0) == 0));
  test_critical (g_assert_null (concur_batch_get_string (batch, 0)));
  test_critical (g_assert_null (concur_batch_get_object (batch, 0)));
  test_critical (g_assert_null (concur_batch_get_bytes (batch, 0)));
  test_critical (g_assert_null (concur_batch_get_variant (batch, 0)));
  test_critical (g_assert_null (concur_batch_peek_double (batch, 0, 2)));
  g_assert_cmpint (concur_batch_get_int64 (batch, 0), ==, 77);
}

static void
test_wrong_index (void)
{
  g_autoptr (ConcurBatch) batch = concur_batch_new (2);

  test_critical (concur_batch_set_int64 (batch, 2, 1));
  /* What was refused decides nothing. */
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_INVALID);
  test_critical (concur_batch_set_string (batch, G_MAXUINT, "x"));
  concur_batch_set_int64 (batch, 1, 1);
  test_critical (g_assert_cmpint (concur_batch_get_int64 (batch, 2), ==, 0));
  test_critical (g_assert_null (concur_batch_peek_int64 (batch, 1, 2)));
  test_critical (g_assert_null (concur_batch_peek_int64 (batch, 3, 0)));
  test_critical (g_assert_null (concur_batch_peek_int64 (batch, 2, G_MAXUINT)));
  g_assert_nonnull (concur_batch_peek_int64 (batch, 2, 0));

  test_critical (concur_batch_set_int64 (NULL, 0, 1));
  test_critical (g_assert_cmpuint (concur_batch_get_n_items (NULL), ==, 0));
  test_critical (g_assert_true (concur_batch_get_item_type (NULL) == G_TYPE_INVALID));
}

/* What a channel gives: values that each have a type of their own. */
static GValue *
make_values (GBytes *bytes)
{
  GValue *values = g_new0 (GValue, 8);

  g_value_set_int64 (g_value_init (&values[0], G_TYPE_INT64), G_MININT64);
  g_value_set_int (g_value_init (&values[1], G_TYPE_INT), -3);
  g_value_set_double (g_value_init (&values[2], G_TYPE_DOUBLE), 0.25);
  g_value_set_string (g_value_init (&values[3], G_TYPE_STRING), "text");
  g_value_take_object (g_value_init (&values[4], G_TYPE_CANCELLABLE), g_cancellable_new ());
  g_value_set_boxed (g_value_init (&values[5], G_TYPE_BYTES), bytes);
  g_value_set_variant (g_value_init (&values[6], G_TYPE_VARIANT), g_variant_new_uint32 (6));
  g_value_set_uint64 (g_value_init (&values[7], G_TYPE_UINT64), G_MAXUINT64);

  return values;
}

static void
test_values (void)
{
  TestReleases releases = { 0 };
  GBytes *bytes = g_bytes_new_with_free_func ("abc", 3, test_released, &releases);
  GValue *values = make_values (bytes);
  ConcurBatch *batch = concur_batch_new_values (values, 8);
  GObject *object;
  guint i;

  g_bytes_unref (bytes);
  object = concur_batch_get_object (batch, 4);
  test_releases_watch (&releases, object);

  g_assert_cmpuint (concur_batch_get_n_items (batch), ==, 8);
  g_assert_true (concur_batch_get_item_type (batch) == G_TYPE_VALUE);
  for (i = 0; i < 8; i++)
    g_assert_true (concur_batch_get_value (batch, i) == &values[i]);

  g_assert_cmpint (concur_batch_get_int64 (batch, 0), ==, G_MININT64);
  g_assert_cmpint (concur_batch_get_int64 (batch, 1), ==, -3);
  g_assert_true (concur_batch_get_double (batch, 1) == -3);
  g_assert_true (concur_batch_get_double (batch, 2) == 0.25);
  g_assert_cmpstr (concur_batch_get_string (batch, 3), ==, "text");
  g_assert_true (G_IS_CANCELLABLE (object));
  g_assert_true (concur_batch_get_bytes (batch, 5) == bytes);
  g_assert_cmpuint (g_variant_get_uint32 (concur_batch_get_variant (batch, 6)), ==, 6);

  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_object_unref (batch);
  g_assert_cmpuint (test_releases_get (&releases), ==, 2);
}

static void
test_values_wrong (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new (NULL, 0);
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_int32 (0));
  g_autoptr (ConcurBatch) batch = concur_batch_new_values (make_values (bytes), 8);
  g_autoptr (ConcurBatch) slots = concur_batch_new (1);

  test_critical (g_assert_cmpint (concur_batch_get_int64 (batch, 2), ==, 0));
  test_critical (g_assert_cmpint (concur_batch_get_int64 (batch, 3), ==, 0));
  test_critical (g_assert_cmpint (concur_batch_get_int64 (batch, 7), ==, 0));
  test_critical (g_assert_true (concur_batch_get_double (batch, 4) == 0));
  test_critical (g_assert_null (concur_batch_get_string (batch, 0)));
  test_critical (g_assert_null (concur_batch_get_object (batch, 5)));
  test_critical (g_assert_null (concur_batch_get_bytes (batch, 6)));
  test_critical (g_assert_null (concur_batch_get_variant (batch, 3)));
  test_critical (g_assert_null (concur_batch_get_value (batch, 8)));
  test_critical (g_assert_null (concur_batch_get_string (batch, 8)));

  /* Nobody writes to them. */
  test_critical (concur_batch_set_int64 (batch, 0, 1));
  test_critical (concur_batch_set_double (batch, 2, 1));
  test_critical (concur_batch_set_string (batch, 3, "x"));
  test_critical (concur_batch_set_object (batch, 4, NULL));
  test_critical (concur_batch_set_bytes (batch, 5, bytes));
  test_critical (concur_batch_set_variant (batch, 6, variant));
  test_critical (g_assert_null (concur_batch_peek_int64 (batch, 0, 1)));
  test_critical (g_assert_null (concur_batch_peek_double (batch, 2, 1)));
  g_assert_cmpint (concur_batch_get_int64 (batch, 0), ==, G_MININT64);

  /* And slots are no values. */
  test_critical (g_assert_null (concur_batch_get_value (slots, 0)));
  concur_batch_set_object (slots, 0, NULL);
  test_critical (g_assert_null (concur_batch_get_value (slots, 0)));
  g_assert_true (concur_batch_get_item_type (slots) == G_TYPE_OBJECT);
}

/* The first to set a slot, on whichever thread, decides the type for all. */
typedef struct
{
  ConcurBatch *batch;
  TestGate go;
  gint next; /* atomic */
} Shared;

static gpointer
set_slots (gpointer data)
{
  Shared *self = data;
  guint first = (guint) g_atomic_int_add (&self->next, 100), i;

  test_gate_wait (&self->go);
  for (i = first; i < first + 100; i++)
    concur_batch_set_int64 (self->batch, i, i);

  return NULL;
}

static void
test_threads (void)
{
  guint rounds = test_scaled (50), round, i;

  for (round = 0; round < rounds; round++)
    {
      g_autoptr (ConcurBatch) batch = concur_batch_new (300);
      Shared shared = { .batch = batch };
      GThread *threads[3];

      for (i = 0; i < 3; i++)
        threads[i] = g_thread_new ("set", set_slots, &shared);
      test_gate_open (&shared.go);
      for (i = 0; i < 3; i++)
        g_thread_join (threads[i]);
      for (i = 0; i < 300; i++)
        g_assert_cmpint (concur_batch_get_int64 (batch, i), ==, i);
    }
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/batch/int64", test_int64);
  g_test_add_func ("/batch/double", test_double);
  g_test_add_func ("/batch/string", test_string);
  g_test_add_func ("/batch/object", test_object);
  g_test_add_func ("/batch/bytes", test_bytes);
  g_test_add_func ("/batch/variant", test_variant);
  g_test_add_func ("/batch/unset", test_unset);
  g_test_add_func ("/batch/wrong-type", test_wrong_type);
  g_test_add_func ("/batch/wrong-index", test_wrong_index);
  g_test_add_func ("/batch/values", test_values);
  g_test_add_func ("/batch/values-wrong", test_values_wrong);
  g_test_add_func ("/batch/threads", test_threads);

  return test_run ();
}
