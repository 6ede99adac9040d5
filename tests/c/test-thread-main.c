/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A subclass of ThreadExecutor that overrides thread_main, as a language binding does:
 * it enters its language once per thread, and runs jobs from there. */

#include "config.h"

#include "test-workers.h"

/* What happened in thread_main, apart from the object, which may go first. */
typedef struct
{
  gint entered;                /* atomic */
  gint left;                   /* atomic */
  gint lives;                  /* atomic: objects */
} Record;

#define TEST_TYPE_LANGUAGE (test_language_get_type ())
G_DECLARE_FINAL_TYPE (TestLanguage, test_language, TEST, LANGUAGE, ConcurThreadExecutor)

struct _TestLanguage
{
  ConcurThreadExecutor parent_instance;

  /* set before anything is submitted */
  Record *record;
  guint jobs_per_thread;       /* 0: as many as there are */
};

G_DEFINE_FINAL_TYPE (TestLanguage, test_language, CONCUR_TYPE_THREAD_EXECUTOR)

/* How deep this thread is in the language, and what it remembers. */
static _Thread_local guint language_depth;
static _Thread_local gint64 language_local;

static void
test_language_thread_main (ConcurThreadExecutor *executor)
{
  TestLanguage *self = TEST_LANGUAGE (executor);
  Record *record = self->record;
  guint jobs = 0;

  g_assert_cmpuint (language_depth, ==, 0);
  language_depth++;
  language_local = 0;
  g_atomic_int_inc (&record->entered);

  while (concur_thread_executor_run_next (executor))
    {
      jobs++;
      if (jobs == self->jobs_per_thread)
        break;
    }

  g_atomic_int_inc (&record->left);
  language_depth--;
}

static void
test_language_finalize (GObject *object)
{
  g_atomic_int_add (&TEST_LANGUAGE (object)->record->lives, -1);

  G_OBJECT_CLASS (test_language_parent_class)->finalize (object);
}

static void
test_language_class_init (TestLanguageClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_language_finalize;
  CONCUR_THREAD_EXECUTOR_CLASS (klass)->thread_main = test_language_thread_main;
}

static void
test_language_init (TestLanguage *self)
{
}

static ConcurExecutor *
language_new (Record *record,
              guint   max_threads,
              gint64  keep_alive,
              guint   jobs_per_thread)
{
  TestLanguage *self = g_object_new (TEST_TYPE_LANGUAGE,
                                     "name", "language",
                                     "max-threads", max_threads,
                                     "keep-alive", keep_alive,
                                     NULL);

  self->record = record;
  self->jobs_per_thread = jobs_per_thread;
  g_atomic_int_inc (&record->lives);

  return CONCUR_EXECUTOR (self);
}

static void
assert_all_gone (Record *record)
{
  test_wait_until (g_atomic_int_get (&record->lives) == 0);
  g_assert_cmpint (g_atomic_int_get (&record->left), ==, g_atomic_int_get (&record->entered));
}

/* Answers how many jobs this thread has had before. */
static gboolean
language_job (ConcurJob  *job,
              gpointer    data,
              GError    **error)
{
  g_assert_cmpuint (language_depth, ==, 1);
  concur_job_return_int64 (job, language_local++);

  return TRUE;
}

static void
test_enters_once_per_thread (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 1, -1, 0);
  guint i;

  g_assert_cmpint (record.entered, ==, 0);
  for (i = 0; i < 100; i++)
    {
      g_autoptr (ConcurFuture) future = test_submit (executor, language_job, NULL);

      test_assert_done (future);
      /* What belongs to the thread stays from job to job. */
      test_assert_int64 (future, i);
    }
  g_assert_cmpint (g_atomic_int_get (&record.entered), ==, 1);
  g_assert_cmpint (g_atomic_int_get (&record.left), ==, 0);

  test_executor_end (executor);
  assert_all_gone (&record);
  g_assert_cmpint (record.entered, ==, 1);
}

static void
test_several_threads (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 3, -1, 0);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  TestClog clog = { 0 };
  guint i;

  for (i = 0; i < 3; i++)
    g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
  test_gate_wait_n (&clog.begun, 3);
  g_assert_cmpint (g_atomic_int_get (&record.entered), ==, 3);
  test_gate_open (&clog.go);
  for (i = 0; i < 200; i++)
    g_ptr_array_add (futures, test_submit (executor, language_job, NULL));
  test_futures_wait (futures);

  test_executor_end (executor);
  assert_all_gone (&record);
  g_assert_cmpint (record.entered, ==, 3);
}


/* Jobs that a job runs while it waits are run inside it, in the same language frame. */
static gboolean
nested_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  ConcurExecutor *executor = data;
  g_autoptr (ConcurFuture) inner = test_submit (executor, language_job, NULL);

  g_assert_cmpuint (language_depth, ==, 1);
  language_local = 77;
  g_assert_true (concur_future_wait (inner, -1));
  concur_job_return_int64 (job, concur_future_get_int64 (inner, error));

  return TRUE;
}

static void
test_in_place (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 1, -1, 0);
  g_autoptr (ConcurFuture) future = test_submit (executor, nested_job, executor);

  test_assert_done (future);
  test_assert_int64 (future, 77);

  test_executor_end (executor);
  assert_all_gone (&record);
  g_assert_cmpint (record.entered, ==, 1);
}

/* A language may leave before it is told to; then another thread takes over. */
static void
test_returns_early (void)
{
  Record record = { 0 };
  guint max_threads;

  for (max_threads = 1; max_threads <= 3; max_threads++)
    {
      ConcurExecutor *executor = language_new (&record, max_threads, -1, 1);
      g_autoptr (GPtrArray) futures = test_futures_new ();
      guint i;

      record.entered = record.left = 0;
      for (i = 0; i < 50; i++)
        g_ptr_array_add (futures, test_submit (executor, language_job, NULL));
      test_futures_wait (futures);
      for (i = 0; i < 50; i++)
        test_assert_int64 (futures->pdata[i], 0);

      test_executor_end (executor);
      assert_all_gone (&record);
      g_assert_cmpint (record.entered, >=, 50);
    }
}

/* The same when nobody but its threads has the executor any more. */
static void
test_returns_early_unreferenced (void)
{
  Record record = { 0 };
  guint round, rounds = test_scaled (200);

  test_shake_start ();
  for (round = 0; round < rounds; round++)
    {
      ConcurExecutor *executor = language_new (&record, 1 + round % 2, 0, 1);
      g_autoptr (GPtrArray) futures = test_futures_new ();
      TestClog clog = { 0 };
      guint i;

      g_ptr_array_add (futures, test_submit (executor, test_clog_job, &clog));
      for (i = 0; i < 5; i++)
        g_ptr_array_add (futures, test_submit (executor, language_job, NULL));
      test_gate_wait (&clog.begun);
      g_object_unref (executor);
      test_gate_open (&clog.go);

      test_futures_wait (futures);
      assert_all_gone (&record);
    }
  test_shake_stop ();
}

static void
test_stays_while_it_has_threads (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 1, -1, 0);
  g_autoptr (ConcurFuture) future = NULL;
  TestClog clog = { 0 };

  future = test_submit (executor, test_clog_job, &clog);
  test_gate_wait (&clog.begun);
  {
    g_autoptr (ConcurFuture) end = concur_executor_shutdown (executor, CONCUR_SHUTDOWN_DRAIN);

    g_object_unref (executor);
    g_assert_cmpint (g_atomic_int_get (&record.lives), ==, 1);
    test_gate_open (&clog.go);
    test_assert_done (end);
  }
  assert_all_gone (&record);
}

/* Nobody shuts it down: its threads give up after keep-alive, and the last one lets it go. */
static void
test_goes_after_keep_alive (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 2, 2000, 0);
  g_autoptr (ConcurFuture) future = test_submit (executor, language_job, NULL);

  test_assert_done (future);
  g_object_unref (executor);
  assert_all_gone (&record);
  g_assert_cmpint (record.entered, ==, 1);
}

/* It had no thread when the last reference went, but work. */
static void
test_goes_after_work (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 2, 0, 0);
  g_autoptr (GPtrArray) futures = test_futures_new ();
  guint i;

  concur_thread_executor_set_paused (CONCUR_THREAD_EXECUTOR (executor), TRUE);
  for (i = 0; i < 10; i++)
    g_ptr_array_add (futures, test_submit (executor, language_job, NULL));
  g_assert_cmpint (g_atomic_int_get (&record.entered), ==, 0);
  g_object_unref (executor);

  test_futures_wait (futures);
  for (i = 0; i < 10; i++)
    g_assert_true (concur_future_check (futures->pdata[i], NULL));
  assert_all_gone (&record);
}

static gboolean
stranger_job (ConcurJob  *job,
              gpointer    other,
              GError    **error)
{
  test_critical (g_assert_false (concur_thread_executor_run_next (other)));
  concur_job_return_boolean (job, TRUE);

  return TRUE;
}

/* What a language calls its own idea of the thread. Of an executor that has nothing to do
 * with this thread there is none. */
typedef struct
{
  ConcurThreadExecutor *own;
  ConcurThreadExecutor *other;
} Named;

static gboolean
named_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Named *self = data;
  g_autofree char *kernel = test_dup_thread_name ();
  const char *name = concur_thread_executor_get_thread_name (self->own);

  g_assert_cmpstr (name, ==, kernel);
  g_assert_null (concur_thread_executor_get_thread_name (self->other));
  concur_job_return_string (job, name);

  return TRUE;
}

static void
test_thread_name (void)
{
  Record record = { 0 };
  ConcurExecutor *executor = language_new (&record, 1, -1, 0);
  g_autoptr (ConcurThreadExecutor) other = concur_thread_executor_new (1);
  Named named = { CONCUR_THREAD_EXECUTOR (executor), other };
  g_autoptr (ConcurFuture) future = test_submit (executor, named_job, &named);
  g_autofree char *name = NULL;

  test_assert_done (future);
  name = concur_future_dup_string (future, NULL);
  g_assert_cmpstr (name, ==, "language-1");
  g_assert_null (concur_thread_executor_get_thread_name (named.own));
  test_critical (concur_thread_executor_get_thread_name (NULL));
  test_executor_end (executor);
  assert_all_gone (&record);
}

static void
test_run_next_elsewhere (void)
{
  Record record = { 0 }, other_record = { 0 };
  ConcurExecutor *executor = language_new (&record, 1, -1, 0);
  ConcurExecutor *other = language_new (&other_record, 1, -1, 0);
  g_autoptr (ConcurFuture) future = NULL;

  test_critical (
      g_assert_false (concur_thread_executor_run_next (CONCUR_THREAD_EXECUTOR (executor))));

  /* A thread of another executor is not right either. */
  future = test_submit (executor, stranger_job, other);
  test_assert_done (future);
  g_assert_true (concur_future_get_boolean (future, NULL));

  test_executor_end (executor);
  test_executor_end (other);
  assert_all_gone (&record);
  assert_all_gone (&other_record);
}

int
main (int   argc,
      char *argv[])
{
  test_init (&argc, &argv);

  g_test_add_func ("/thread-main/once-per-thread", test_enters_once_per_thread);
  g_test_add_func ("/thread-main/several-threads", test_several_threads);
  g_test_add_func ("/thread-main/in-place", test_in_place);
  g_test_add_func ("/thread-main/returns-early", test_returns_early);
  g_test_add_func ("/thread-main/returns-early/unreferenced", test_returns_early_unreferenced);
  g_test_add_func ("/thread-main/stays-while-it-has-threads", test_stays_while_it_has_threads);
  g_test_add_func ("/thread-main/goes-after-keep-alive", test_goes_after_keep_alive);
  g_test_add_func ("/thread-main/goes-after-work", test_goes_after_work);
  g_test_add_func ("/thread-main/thread-name", test_thread_name);
  g_test_add_func ("/thread-main/run-next-elsewhere", test_run_next_elsewhere);

  return test_run ();
}
