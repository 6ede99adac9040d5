/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The jobs of concur-file.c as jobs: cancelled at every stage, many of them, on which
 * executor, let go, and the mistakes of who submits them. */

#include "config.h"

#include "test-file.h"

static void
assert_cancelled (ConcurFuture *future)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_future_wait (future, WAIT_US));
  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_CANCELLED);
  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static void
test_cancel_before (Fixture      *fixture,
                    gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;

  g_test_summary ("A cancellable that is cancelled already cancels at once");

  g_cancellable_cancel (cancellable);
  digest = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, cancellable);
  bytes = concur_file_load_bytes (file, fixture->executor, cancellable);
  assert_cancelled (digest);
  assert_cancelled (bytes);
}

static void
test_cancel_queued (Fixture      *fixture,
                    gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;

  g_test_summary ("What has not begun is cancelled without a worker");

  pause_executor (fixture);
  digest = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, cancellable);
  bytes = concur_file_load_bytes (file, fixture->executor, cancellable);
  g_assert_false (concur_future_is_done (digest));
  g_cancellable_cancel (cancellable);
  assert_cancelled (digest);
  assert_cancelled (bytes);
}

static void
cancel_at_progress (ConcurFuture *future,
                    GParamSpec   *pspec,
                    gpointer      user_data)
{
  double progress = concur_future_get_progress (future);

  g_assert_cmpfloat (progress, >, 0);
  g_assert_cmpfloat (progress, <=, 1);
  g_cancellable_cancel (user_data);
}

static void
test_cancel_running (Fixture      *fixture,
                     gconstpointer data)
{
  /* Hours of hashing. */
  g_autoptr (GFile) file = make_sparse_file (fixture, "file", G_GINT64_CONSTANT (1) << 40);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;

  g_test_summary ("A file being read reports its progress, and stops when cancelled");

  pause_executor (fixture);
  future = concur_file_digest (file, G_CHECKSUM_SHA256, fixture->executor, cancellable);
  g_signal_connect (future, "notify::progress", G_CALLBACK (cancel_at_progress), cancellable);
  resume_executor (fixture);
  iterate_until_done (future);

  assert_cancelled (future);
  g_assert_true (g_cancellable_is_cancelled (cancellable));
}

static void
test_cancel_future (Fixture      *fixture,
                    gconstpointer data)
{
  g_autoptr (GFile) file = make_sparse_file (fixture, "file", G_GINT64_CONSTANT (1) << 40);
  g_autoptr (ConcurFuture) future = NULL;

  g_test_summary ("Cancelling the future does it, too");

  future = concur_file_digest (file, G_CHECKSUM_MD5, fixture->executor, NULL);
  while (concur_future_get_progress (future) <= 0)
    g_assert_false (concur_future_wait (future, 100));
  g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
  assert_cancelled (future);
}

static void
test_cancel_blocked_read (Fixture      *fixture,
                          gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1);
  g_autoptr (TestFakeFile) fake = test_fake_file_new (content);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ConcurFuture) future = NULL;

  g_test_summary ("A stream that waits is woken by cancellation");

  /* A size beyond one chunk makes the first byte show as progress. */
  fake->size = 2 * CHUNK;
  fake->endless = TRUE;
  pause_executor (fixture);
  future = concur_file_load_bytes (G_FILE (fake), fixture->executor, cancellable);
  g_signal_connect (future, "notify::progress", G_CALLBACK (cancel_at_progress), cancellable);
  resume_executor (fixture);
  iterate_until_done (future);

  assert_cancelled (future);
}

static void
test_many (Fixture      *fixture,
           gconstpointer data)
{
  enum { N_FILES = 50, N_ROUNDS = 40 };
  g_autoptr (ConcurExecutor) executor = CONCUR_EXECUTOR (concur_thread_executor_new (4));
  g_autoptr (GPtrArray) futures = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (ConcurFuture) shutdown = NULL;
  char *expected[N_FILES];
  GFile *files[N_FILES];

  g_test_summary ("Many at once do not get into each other's way");

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autoptr (GBytes) content = make_content (i * i * 97);
      g_autofree char *name = g_strdup_printf ("file-%u", i);

      files[i] = make_file (fixture, name, content);
      expected[i] = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, content);
    }

  for (guint i = 0; i < N_FILES * N_ROUNDS; i++)
    {
      GFile *file = files[i % N_FILES];
      ConcurFuture *future;

      if (i % 2 == 0)
        future = concur_file_digest (file, G_CHECKSUM_SHA256, executor, NULL);
      else
        future = concur_file_load_bytes (file, executor, NULL);
      g_ptr_array_add (futures, future);
    }

  for (guint i = 0; i < futures->len; i++)
    {
      ConcurFuture *future = g_ptr_array_index (futures, i);
      g_autoptr (GError) error = NULL;
      g_autofree char *digest = NULL;

      g_assert_true (concur_future_wait (future, WAIT_US));
      if (i % 2 == 0)
        {
          digest = concur_future_dup_string (future, &error);
        }
      else
        {
          g_autoptr (GBytes) bytes = concur_future_dup_bytes (future, &error);

          digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes);
        }
      g_assert_no_error (error);
      g_assert_cmpstr (digest, ==, expected[i % N_FILES]);
    }

  for (guint i = 0; i < N_FILES; i++)
    {
      g_object_unref (files[i]);
      g_free (expected[i]);
    }

  shutdown = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
}

static void
test_default_executor (Fixture      *fixture,
                       gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (1000);
  g_autoptr (GFile) file = make_file (fixture, "file", content);
  g_autofree char *expected = g_compute_checksum_for_bytes (G_CHECKSUM_SHA1, content);
  g_autoptr (ConcurFuture) digest = NULL;
  g_autoptr (ConcurFuture) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *value = NULL;

  g_test_summary ("Without an executor, the default one does it");

  digest = concur_file_digest (file, G_CHECKSUM_SHA1, NULL, NULL);
  bytes = concur_file_load_bytes (file, NULL, NULL);
  g_assert_true (concur_future_wait (digest, WAIT_US));
  g_assert_true (concur_future_wait (bytes, WAIT_US));

  value = concur_future_dup_string (digest, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (value, ==, expected);
  g_assert_true (concur_future_check (bytes, &error));
  g_assert_no_error (error);
}

static void
test_shut_down (Fixture      *fixture,
                gconstpointer data)
{
  g_autoptr (GFile) file = get_file (fixture, "file");
  g_autoptr (ConcurFuture) shutdown = NULL;
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_test_summary ("An executor that takes no more work answers with an error");

  shutdown = concur_executor_shutdown (fixture->executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
  future = concur_file_load_bytes (file, fixture->executor, NULL);
  g_assert_true (concur_future_wait (future, WAIT_US));
  g_assert_false (concur_future_check (future, &error));
  g_assert_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_SHUT_DOWN);
}

static void
test_released (Fixture      *fixture,
               gconstpointer data)
{
  g_autoptr (GBytes) content = make_content (3 * CHUNK);
  GFile *files[3] = { make_file (fixture, "file", content), get_file (fixture, "missing"),
                      G_FILE (test_fake_file_new (content)) };
  GCancellable *cancellable = g_cancellable_new ();
  ConcurFuture *futures[6];
  g_autoptr (ConcurFuture) shutdown = NULL;

  g_test_summary ("Nothing is left of a job: not the file, the cancellable or the future");

  for (guint i = 0; i < G_N_ELEMENTS (futures); i += 2)
    {
      futures[i] = concur_file_digest (files[i / 2], G_CHECKSUM_MD5, fixture->executor,
                                       cancellable);
      futures[i + 1] = concur_file_load_bytes (files[i / 2], fixture->executor, cancellable);
    }

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_object_add_weak_pointer (G_OBJECT (files[i]), (gpointer *) &files[i]);
      g_object_unref (files[i]);
    }
  g_object_add_weak_pointer (G_OBJECT (cancellable), (gpointer *) &cancellable);
  g_object_unref (cancellable);

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    {
      g_assert_true (concur_future_wait (futures[i], WAIT_US));
      concur_future_ignore (futures[i]);
      g_object_add_weak_pointer (G_OBJECT (futures[i]), (gpointer *) &futures[i]);
      g_object_unref (futures[i]);
    }

  /* When its threads have ended, no worker has anything in its hands any more. */
  shutdown = concur_executor_shutdown (fixture->executor, CONCUR_SHUTDOWN_DRAIN);
  g_assert_true (concur_future_wait (shutdown, WAIT_US));
  concur_release_pending ();

  for (guint i = 0; i < G_N_ELEMENTS (futures); i++)
    g_assert_null (futures[i]);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    g_assert_null (files[i]);
  g_assert_null (cancellable);
}

static void
test_mistakes (Fixture      *fixture,
               gconstpointer data)
{
  g_autoptr (GFile) file = get_file (fixture, "file");
  gpointer not_that = fixture->executor;

  g_test_summary ("Callers' mistakes are criticals, and nothing worse");

#define ASSERT_CRITICAL(about, call)                                                               \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_test_expect_message ("Concur", G_LOG_LEVEL_CRITICAL, "concur_file_*'*" about "*'*");         \
    g_assert_null (call);                                                                          \
    g_test_assert_expected_messages ();                                                            \
  }                                                                                                \
  G_STMT_END

  ASSERT_CRITICAL ("G_IS_FILE (file)",
                   concur_file_digest (NULL, G_CHECKSUM_MD5, fixture->executor, NULL));
  ASSERT_CRITICAL ("G_IS_FILE (file)",
                   concur_file_digest (not_that, G_CHECKSUM_MD5, fixture->executor, NULL));
  ASSERT_CRITICAL ("checksum_type",
                   concur_file_digest (file, (GChecksumType) 99, fixture->executor, NULL));
  ASSERT_CRITICAL ("CONCUR_IS_EXECUTOR (executor)",
                   concur_file_digest (file, G_CHECKSUM_MD5, (gpointer) file, NULL));
  ASSERT_CRITICAL ("G_IS_CANCELLABLE (cancellable)",
                   concur_file_digest (file, G_CHECKSUM_MD5, fixture->executor, not_that));

  ASSERT_CRITICAL ("G_IS_FILE (file)", concur_file_load_bytes (NULL, fixture->executor, NULL));
  ASSERT_CRITICAL ("G_IS_FILE (file)", concur_file_load_bytes (not_that, fixture->executor, NULL));
  ASSERT_CRITICAL ("CONCUR_IS_EXECUTOR (executor)",
                   concur_file_load_bytes (file, (gpointer) file, NULL));
  ASSERT_CRITICAL ("G_IS_CANCELLABLE (cancellable)",
                   concur_file_load_bytes (file, fixture->executor, not_that));
#undef ASSERT_CRITICAL
}

int
main (int    argc,
      char **argv)
{
  g_test_init (&argc, &argv, NULL);
  alarm (TIME_LIMIT_SECONDS);

#define ADD(name, function) g_test_add ("/file/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("cancel/before", test_cancel_before);
  ADD ("cancel/queued", test_cancel_queued);
  ADD ("cancel/running", test_cancel_running);
  ADD ("cancel/future", test_cancel_future);
  ADD ("cancel/blocked-read", test_cancel_blocked_read);
  ADD ("many", test_many);
  ADD ("default-executor", test_default_executor);
  ADD ("shut-down", test_shut_down);
  ADD ("released", test_released);
  ADD ("mistakes", test_mistakes);
#undef ADD

  return g_test_run ();
}
