/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Every typed reader on every kind of value. */

#include "config.h"

#include "test-util.h"

static GType some_enum_get_type (void);

typedef enum
{
  READS_INT64 = 1 << 0,
  READS_DOUBLE = 1 << 1,
  READS_BOOLEAN = 1 << 2,
  READS_STRING = 1 << 3,
  READS_OBJECT = 1 << 4,
  READS_BYTES = 1 << 5,
  READS_VARIANT = 1 << 6,
} Reads;

typedef struct
{
  const char *what;
  void (*fill) (GValue *value);
  Reads reads;     /* those that succeed; all others say WRONG_TYPE */
  double number;   /* what the number readers then give */
} Kind;

#define FILL(name, type, setter, ...)                                                              \
  static void fill_##name (GValue *value)                                                          \
  {                                                                                                \
    g_value_init (value, type);                                                                    \
    setter (value, __VA_ARGS__);                                                                   \
  }

FILL (int64, G_TYPE_INT64, g_value_set_int64, -1234567890123)
FILL (int64_min, G_TYPE_INT64, g_value_set_int64, G_MININT64)
FILL (int, G_TYPE_INT, g_value_set_int, -5)
FILL (uint, G_TYPE_UINT, g_value_set_uint, G_MAXUINT)
FILL (long, G_TYPE_LONG, g_value_set_long, -6)
FILL (ulong, G_TYPE_ULONG, g_value_set_ulong, 7)
FILL (ulong_large, G_TYPE_ULONG, g_value_set_ulong, G_MAXULONG)
FILL (char, G_TYPE_CHAR, g_value_set_schar, -8)
FILL (uchar, G_TYPE_UCHAR, g_value_set_uchar, 200)
FILL (uint64, G_TYPE_UINT64, g_value_set_uint64, G_MAXINT64)
FILL (uint64_large, G_TYPE_UINT64, g_value_set_uint64, (guint64) G_MAXINT64 + 1)
FILL (enum, some_enum_get_type (), g_value_set_enum, 3)
FILL (float, G_TYPE_FLOAT, g_value_set_float, 0.5f)
FILL (double, G_TYPE_DOUBLE, g_value_set_double, -0.25)
FILL (double_whole, G_TYPE_DOUBLE, g_value_set_double, 4)
FILL (true, G_TYPE_BOOLEAN, g_value_set_boolean, TRUE)
FILL (false, G_TYPE_BOOLEAN, g_value_set_boolean, FALSE)
FILL (string, G_TYPE_STRING, g_value_set_string, "12")
FILL (string_null, G_TYPE_STRING, g_value_set_string, NULL)
FILL (object, G_TYPE_OBJECT, g_value_take_object, g_object_new (G_TYPE_OBJECT, NULL))
FILL (derived, G_TYPE_CANCELLABLE, g_value_take_object, g_cancellable_new ())
FILL (object_null, G_TYPE_OBJECT, g_value_set_object, NULL)
FILL (derived_null, G_TYPE_CANCELLABLE, g_value_set_object, NULL)
FILL (bytes, G_TYPE_BYTES, g_value_take_boxed, g_bytes_new_static ("bytes", 5))
FILL (bytes_null, G_TYPE_BYTES, g_value_set_boxed, NULL)
FILL (variant, G_TYPE_VARIANT, g_value_take_variant, g_variant_new_int32 (1))
FILL (variant_null, G_TYPE_VARIANT, g_value_set_variant, NULL)
FILL (pointer, G_TYPE_POINTER, g_value_set_pointer, NULL)
FILL (strv, G_TYPE_STRV, g_value_set_boxed, NULL)

#define NUMBER (READS_INT64 | READS_DOUBLE)

static const Kind kinds[] = {
  { "int64", fill_int64, NUMBER, -1234567890123.0 },
  { "int64-min", fill_int64_min, NUMBER, -9223372036854775808.0 },
  { "int", fill_int, NUMBER, -5 },
  { "uint", fill_uint, NUMBER, G_MAXUINT },
  { "long", fill_long, NUMBER, -6 },
  { "ulong", fill_ulong, NUMBER, 7 },
#if GLIB_SIZEOF_LONG == 8
  { "ulong-large", fill_ulong_large, READS_DOUBLE, (double) G_MAXULONG },
#endif
  { "char", fill_char, NUMBER, -8 },
  { "uchar", fill_uchar, NUMBER, 200 },
  /* The largest that fits, and the first that does not. */
  { "uint64", fill_uint64, NUMBER, (double) G_MAXINT64 },
  { "uint64-large", fill_uint64_large, READS_DOUBLE, 9223372036854775808.0 },
  { "enum", fill_enum, READS_INT64, 3 },
  { "float", fill_float, READS_DOUBLE, 0.5 },
  { "double", fill_double, READS_DOUBLE, -0.25 },
  { "double-whole", fill_double_whole, READS_DOUBLE, 4 },
  { "true", fill_true, READS_BOOLEAN, 1 },
  { "false", fill_false, READS_BOOLEAN, 0 },
  { "string", fill_string, READS_STRING, 0 },
  { "string-null", fill_string_null, 0, 0 },
  { "object", fill_object, READS_OBJECT, 0 },
  { "derived", fill_derived, READS_OBJECT, 0 },
  { "object-null", fill_object_null, 0, 0 },
  { "derived-null", fill_derived_null, 0, 0 },
  { "bytes", fill_bytes, READS_BYTES, 0 },
  { "bytes-null", fill_bytes_null, 0, 0 },
  { "variant", fill_variant, READS_VARIANT, 0 },
  { "variant-null", fill_variant_null, 0, 0 },
  { "pointer", fill_pointer, 0, 0 },
  { "strv", fill_strv, 0, 0 },
};

static GType
some_enum_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = { { 3, "SOME_THREE", "three" }, { 0, NULL, NULL } };

  if (type == 0)
    type = g_enum_register_static ("SomeEnum", values);

  return type;
}

static void
check_error (GError   **error,
             gboolean   succeeds)
{
  if (succeeds)
    g_assert_no_error (*error);
  else
    g_assert_error (*error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE);

  g_clear_error (error);
}

static void
check_numbers (ConcurFuture *future,
               const Kind   *kind)
{
  GError *error = NULL;
  gint64 whole;
  double number;
  gboolean truth;

  whole = concur_future_get_int64 (future, &error);
  if (kind->reads & READS_INT64)
    g_assert_cmpfloat ((double) whole, ==, kind->number);
  else
    g_assert_cmpint (whole, ==, 0);
  check_error (&error, kind->reads & READS_INT64);
  g_assert_cmpint (concur_future_get_int64 (future, NULL), ==, whole);

  number = concur_future_get_double (future, &error);
  g_assert_cmpfloat (number, ==, kind->reads & READS_DOUBLE ? kind->number : 0);
  check_error (&error, kind->reads & READS_DOUBLE);
  g_assert_cmpfloat (concur_future_get_double (future, NULL), ==, number);

  truth = concur_future_get_boolean (future, &error);
  g_assert_cmpint (truth, ==, kind->reads & READS_BOOLEAN ? (int) kind->number : FALSE);
  check_error (&error, kind->reads & READS_BOOLEAN);
  g_assert_cmpint (concur_future_get_boolean (future, NULL), ==, truth);
}

static void
check_others (ConcurFuture *future,
              const Kind   *kind)
{
  const GValue *value = concur_future_get_value (future, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GObject) object = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) variant = NULL;
  GError *error = NULL;

  /* NULL always comes with an error. */
  text = concur_future_dup_string (future, &error);
  g_assert_cmpstr (text, ==, kind->reads & READS_STRING ? g_value_get_string (value) : NULL);
  check_error (&error, text != NULL);
  g_assert_cmpint (text != NULL, ==, (kind->reads & READS_STRING) != 0);

  object = concur_future_dup_object (future, &error);
  g_assert_true (object == (kind->reads & READS_OBJECT ? g_value_get_object (value) : NULL));
  check_error (&error, object != NULL);
  g_assert_cmpint (object != NULL, ==, (kind->reads & READS_OBJECT) != 0);

  bytes = concur_future_dup_bytes (future, &error);
  g_assert_true (bytes == (kind->reads & READS_BYTES ? g_value_get_boxed (value) : NULL));
  check_error (&error, bytes != NULL);
  g_assert_cmpint (bytes != NULL, ==, (kind->reads & READS_BYTES) != 0);

  variant = concur_future_dup_variant (future, &error);
  g_assert_true (variant == (kind->reads & READS_VARIANT ? g_value_get_variant (value) : NULL));
  check_error (&error, variant != NULL);
  g_assert_cmpint (variant != NULL, ==, (kind->reads & READS_VARIANT) != 0);

  if (text == NULL)
    g_assert_null (concur_future_dup_string (future, NULL));
  if (object == NULL)
    g_assert_null (concur_future_dup_object (future, NULL));
  if (bytes == NULL)
    g_assert_null (concur_future_dup_bytes (future, NULL));
  if (variant == NULL)
    g_assert_null (concur_future_dup_variant (future, NULL));
}

static void
test_kind (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  GValue value = G_VALUE_INIT;

  kind->fill (&value);
  concur_promise_resolve (promise, &value);
  g_value_unset (&value);

  check_numbers (future, kind);
  check_others (future, kind);
}

static void
check_all_fail (ConcurFuture *future,
                GQuark        domain,
                gint          code)
{
  GError *error = NULL;

#define FAILS(call)                                                                                \
  G_STMT_START                                                                                     \
  {                                                                                                \
    call;                                                                                          \
    g_assert_error (error, domain, code);                                                          \
    g_clear_error (&error);                                                                        \
  }                                                                                                \
  G_STMT_END

  FAILS (g_assert_cmpint (concur_future_get_int64 (future, &error), ==, 0));
  FAILS (g_assert_cmpfloat (concur_future_get_double (future, &error), ==, 0));
  FAILS (g_assert_false (concur_future_get_boolean (future, &error)));
  FAILS (g_assert_null (concur_future_dup_string (future, &error)));
  FAILS (g_assert_null (concur_future_dup_object (future, &error)));
  FAILS (g_assert_null (concur_future_dup_bytes (future, &error)));
  FAILS (g_assert_null (concur_future_dup_variant (future, &error)));
#undef FAILS
}

/* What is wrong with the future itself comes before what is wrong with its type. */
static void
test_not_resolved (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (ConcurPromise) other = concur_promise_new ();
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");

  check_all_fail (concur_promise_get_future (promise), CONCUR_FUTURE_ERROR,
                  CONCUR_FUTURE_ERROR_PENDING);
  concur_promise_reject (promise, error);
  check_all_fail (concur_promise_get_future (promise), G_IO_ERROR, G_IO_ERROR_EXISTS);
  concur_future_cancel (concur_promise_get_future (other), CONCUR_CANCEL_NONE);
  check_all_fail (concur_promise_get_future (other), G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_exact (void)
{
  const gint64 numbers[] = { 0, -1, G_MAXINT64, G_MININT64, 9007199254740993 };
  guint i;

  for (i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (ConcurPromise) promise = concur_promise_new ();

      concur_promise_resolve_int64 (promise, numbers[i]);
      test_assert_int64 (concur_promise_get_future (promise), numbers[i]);
    }
}

/* The reader gives a reference or copy of the caller's own. */
static void
test_full_transfer (void)
{
  ConcurPromise *promise = concur_promise_new ();
  ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));
  TestReleases releases = { 0 };
  GObject *object = g_object_new (G_TYPE_OBJECT, NULL);
  GObject *read;

  test_releases_watch (&releases, object);
  concur_promise_resolve_object (promise, object);
  g_object_unref (object);
  g_object_unref (promise);

  read = concur_future_dup_object (future, NULL);
  g_assert_true (read == object);
  g_object_unref (future);
  g_assert_cmpuint (test_releases_get (&releases), ==, 0);
  g_object_unref (read);
  g_assert_cmpuint (test_releases_get (&releases), ==, 1);
}

int
main (int    argc,
      char **argv)
{
  guint i;

  test_init (&argc, &argv);

  for (i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *path = g_strconcat ("/future/readers/", kinds[i].what, NULL);

      g_test_add_data_func (path, &kinds[i], test_kind);
    }
  g_test_add_func ("/future/readers/not-resolved", test_not_resolved);
  g_test_add_func ("/future/readers/exact", test_exact);
  g_test_add_func ("/future/readers/full-transfer", test_full_transfer);

  return test_run ();
}
