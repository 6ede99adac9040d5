/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Values on the spot: what they hold, and that they only borrow it. */

#include "config.h"

#include "test-util.h"

/* As whoever is given one does. */
static GValue
copy (const GValue *value)
{
  GValue copied = G_VALUE_INIT;

  g_value_init (&copied, G_VALUE_TYPE (value));
  g_value_copy (value, &copied);

  return copied;
}

static void
test_numbers (void)
{
  guint calls = 0;

  g_assert_cmpint (g_value_get_int64 (CONCUR_VALUE_INT64 (G_MININT64)), ==, G_MININT64);
  g_assert_true (g_value_get_double (CONCUR_VALUE_DOUBLE (0.1)) == 0.1);
  g_assert_true (g_value_get_boolean (CONCUR_VALUE_BOOLEAN (4)) == TRUE);
  g_assert_true (g_value_get_boolean (CONCUR_VALUE_BOOLEAN (FALSE)) == FALSE);
  g_assert_cmpint (g_value_get_int64 (CONCUR_VALUE_INT64 (++calls)), ==, 1);
  g_assert_cmpuint (calls, ==, 1);
}

static void
test_string (void)
{
  char text[] = "text";
  const GValue *value = CONCUR_VALUE_STRING (text);
  GValue copied;

  g_assert_true (g_value_get_string (value) == text);
  copied = copy (value);
  text[0] = 'n';
  g_assert_cmpstr (g_value_get_string (&copied), ==, "text");
  g_assert_cmpstr (g_value_get_string (value), ==, "next");
  g_value_unset (&copied);
  g_assert_null (g_value_get_string (CONCUR_VALUE_STRING (NULL)));
}

static void
test_object (void)
{
  TestReleases releases = { 0 };
  GCancellable *object = g_cancellable_new ();
  GValue copied;
  guint calls = 0;

  test_releases_watch (&releases, object);
  {
    const GValue *value = CONCUR_VALUE_OBJECT ((calls++, object));

    g_assert_cmpuint (calls, ==, 1);
    g_assert_true (G_VALUE_TYPE (value) == G_TYPE_CANCELLABLE);
    g_assert_true (g_value_get_object (value) == object);
    g_assert_cmpuint (G_OBJECT (object)->ref_count, ==, 1);
    copied = copy (value);
  }
  g_object_unref (object);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_value_unset (&copied);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);

  g_assert_true (G_VALUE_HOLDS_OBJECT (CONCUR_VALUE_OBJECT (NULL)));
  g_assert_null (g_value_get_object (CONCUR_VALUE_OBJECT (NULL)));
}

static void
test_boxed (void)
{
  TestReleases releases = { 0 };
  GBytes *bytes = g_bytes_new_with_free_func ("abc", 3, test_released, &releases);
  GVariant *variant = g_variant_ref_sink (g_variant_new_uint32 (5));
  GValue copied_bytes = copy (CONCUR_VALUE_BYTES (bytes));
  GValue copied_variant = copy (CONCUR_VALUE_VARIANT (variant));

  g_bytes_unref (bytes);
  g_variant_unref (variant);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_assert_true (g_value_get_boxed (&copied_bytes) == bytes);
  g_assert_cmpuint (g_variant_get_uint32 (g_value_get_variant (&copied_variant)), ==, 5);
  g_value_unset (&copied_bytes);
  g_value_unset (&copied_variant);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
  g_assert_null (g_value_get_boxed (CONCUR_VALUE_BYTES (NULL)));
  g_assert_null (g_value_get_variant (CONCUR_VALUE_VARIANT (NULL)));
}

/* Where they are for. */
static void
test_promise (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurChannel) channel = concur_channel_new (0);
  g_autoptr (ConcurFuture) sent = concur_channel_send (channel, CONCUR_VALUE_STRING ("sent"));
  g_autoptr (ConcurFuture) received = concur_channel_receive (channel);

  g_assert_true (concur_promise_resolve (promise, CONCUR_VALUE_INT64 (7)));
  test_assert_int64 (concur_promise_get_future (promise), 7);
  g_assert_cmpstr (g_value_get_string (concur_future_get_value (received, NULL)), ==, "sent");
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/value/numbers", test_numbers);
  g_test_add_func ("/value/string", test_string);
  g_test_add_func ("/value/object", test_object);
  g_test_add_func ("/value/boxed", test_boxed);
  g_test_add_func ("/value/promise", test_promise);

  return test_run ();
}
