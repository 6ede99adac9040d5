/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Futures made of asynchronous operations, and handed out as their result. */

#include "config.h"

#include "test-workers.h"

#include <glib/gstdio.h>

typedef struct
{
  GThread *thread;
  guint n_finished;
  gboolean forgets;
  TestReleases released;
} Finish;

static void
finish_released (gpointer data)
{
  Finish *self = data;

  test_released (&self->released);
}

static Finish
finish_init (void)
{
  return (Finish) { .thread = g_thread_self (), .released.thread = g_thread_self () };
}

static ConcurFuture *
finish_future (Finish           *self,
               ConcurFinishFunc  func)
{
  return concur_future_new_for_async (func, self, finish_released);
}

static void
finish_clear (Finish *self)
{
  test_iterate_until (NULL, test_releases_get (&self->released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&self->released), ==, 0);
  test_iterate_until (NULL, test_futures_alive () == 0);
}

static gboolean
load_finish (ConcurJob     *job,
             GObject       *source,
             GAsyncResult  *result,
             gpointer       user_data,
             GError       **error)
{
  Finish *self = user_data;
  g_autoptr (GBytes) bytes = g_file_load_bytes_finish (G_FILE (source), result, NULL, error);

  g_assert_true (self->thread == g_thread_self ());
  g_assert_cmpuint (test_releases_get (&self->released), ==, 0);
  self->n_finished++;
  if (bytes == NULL)
    return FALSE;
  if (!self->forgets)
    concur_job_return_bytes (job, bytes);

  return TRUE;
}

static ConcurFuture *
load (Finish     *self,
      const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  ConcurFuture *future = finish_future (self, load_finish);

  g_file_load_bytes_async (file, concur_job_get_cancellable (CONCUR_JOB (future)),
                           concur_future_async_ready, g_object_ref (future));

  return future;
}

/* A file of its own, with some text. */
static char *
file_new (void)
{
  g_autoptr (GError) error = NULL;
  char *path = NULL;
  int fd = g_file_open_tmp ("test-async-XXXXXX", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, "some text", -1, NULL));

  return path;
}

static void
file_free (char *path)
{
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_free (path);
}

static void
test_load (void)
{
  char *path = file_new ();
  Finish finish = finish_init ();
  ConcurFuture *future = load (&finish, path);
  g_autoptr (GBytes) bytes = NULL;

  g_assert_cmpint (concur_future_get_state (future), ==, CONCUR_FUTURE_STATE_RUNNING);
  g_assert_cmpuint (finish.n_finished, ==, 0);
  test_iterate_until (NULL, concur_future_is_done (future));
  bytes = concur_future_dup_bytes (future, NULL);
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "some text", 9);
  g_object_unref (future);
  finish_clear (&finish);
  g_assert_cmpuint (finish.n_finished, ==, 1);
  file_free (path);
}

static void
test_load_errors (void)
{
  Finish finish = finish_init ();
  ConcurFuture *future = load (&finish, "/nowhere/to/be/found");
  char *path;

  test_iterate_until (NULL, concur_future_is_done (future));
  test_assert_error (future, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_object_unref (future);
  finish_clear (&finish);

  finish = finish_init ();
  finish.forgets = TRUE;
  path = file_new ();
  future = load (&finish, path);
  test_iterate_until (NULL, concur_future_is_done (future));
  test_assert_error (future, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_BROKEN_PROMISE);
  g_object_unref (future);
  finish_clear (&finish);
  file_free (path);
}

/* An operation that goes on until it is told to end. */
typedef struct
{
  GAsyncReadyCallback callback;
  gpointer data;
  GCancellable *cancellable;
} Operation;

static void
operation_async (Operation           *self,
                 GCancellable        *cancellable,
                 GAsyncReadyCallback  callback,
                 gpointer             data)
{
  *self = (Operation) { .callback = callback, .data = data, .cancellable = cancellable };
}

static void
operation_end (Operation *self,
               gssize     answer)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  if (answer >= 0)
    g_task_return_int (task, answer);
  else
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  self->callback (NULL, G_ASYNC_RESULT (task), self->data);
}

static gboolean
operation_finish (ConcurJob     *job,
                  GObject       *source,
                  GAsyncResult  *result,
                  gpointer       user_data,
                  GError       **error)
{
  Finish *self = user_data;
  GError *own_error = NULL;
  gssize answer = g_task_propagate_int (G_TASK (result), &own_error);

  self->n_finished++;
  if (own_error != NULL)
    {
      g_propagate_error (error, own_error);
      return FALSE;
    }
  concur_job_return_int64 (job, answer);

  return TRUE;
}

static ConcurFuture *
operation_begin (Operation *self,
                 Finish    *finish)
{
  ConcurFuture *future = finish_future (finish, operation_finish);

  operation_async (self, concur_job_get_cancellable (CONCUR_JOB (future)),
                   concur_future_async_ready, g_object_ref (future));

  return future;
}

static void
test_cancel (void)
{
  /* What the operation says counts, also when it says it is done. */
  for (guint i = 0; i < 2; i++)
    {
      Finish finish = finish_init ();
      Operation operation;
      ConcurFuture *future = operation_begin (&operation, &finish);

      g_assert_false (g_cancellable_is_cancelled (operation.cancellable));
      g_assert_true (concur_future_cancel (future, CONCUR_CANCEL_NONE));
      g_assert_true (g_cancellable_is_cancelled (operation.cancellable));
      g_assert_false (concur_future_is_done (future));
      operation_end (&operation, i == 0 ? -1 : 8);
      if (i == 0)
        test_assert_cancelled (future);
      else
        test_assert_int64 (future, 8);
      g_object_unref (future);
      finish_clear (&finish);
    }
}

static void
test_abandon (void)
{
  Finish finish = finish_init ();
  Operation operation;
  ConcurFuture *future = operation_begin (&operation, &finish);

  concur_future_cancel (future, CONCUR_CANCEL_ABANDON);
  test_assert_cancelled (future);
  g_assert_true (g_cancellable_is_cancelled (operation.cancellable));
  g_object_unref (future);
  concur_release_pending ();
  g_assert_cmpuint (test_releases_get (&finish.released), ==, 0);

  /* It is finished all the same. */
  operation_end (&operation, 8);
  g_assert_cmpuint (finish.n_finished, ==, 1);
  finish_clear (&finish);
}

/* Who forgets a future before its operation was started has forgotten it. */
static void
test_not_started (void)
{
  Finish finish = finish_init ();

  g_object_unref (finish_future (&finish, operation_finish));
  g_assert_cmpuint (test_releases_get (&finish.released), ==, 1);
  g_assert_cmpuint (test_futures_alive (), ==, 0);
}

/* Somebody else answers before. */
static void
test_answered_before (void)
{
  Finish finish = finish_init ();
  Operation operation;
  ConcurFuture *future = operation_begin (&operation, &finish);

  concur_job_return_int64 (CONCUR_JOB (future), 1);
  test_assert_int64 (future, 1);
  test_iterate_until (NULL, test_releases_get (&finish.released) == 1);
  operation_end (&operation, 2);
  g_assert_cmpuint (finish.n_finished, ==, 0);
  test_assert_int64 (future, 1);
  g_object_unref (future);
  finish_clear (&finish);
}

static void
notified (ConcurFuture *future,
          GParamSpec   *pspec,
          gpointer      data)
{
  guint *n = data;

  (*n)++;
}

static void
test_progress (void)
{
  Finish finish = finish_init ();
  Operation operation;
  ConcurFuture *future = operation_begin (&operation, &finish);
  guint n = 0;

  g_signal_connect (future, "notify::progress", G_CALLBACK (notified), &n);
  concur_job_set_progress (CONCUR_JOB (future), 0.5);
  test_iterate_until (NULL, n == 1);
  g_assert_cmpfloat (concur_future_get_progress (future), ==, 0.5);
  operation_end (&operation, 1);
  g_object_unref (future);
  finish_clear (&finish);
}

typedef struct
{
  const char *path;
  ConcurFuture *future;
  Finish finish;
} LoadThere;

static void
load_there (gpointer data)
{
  LoadThere *self = data;

  self->finish = finish_init ();
  self->future = load (&self->finish, self->path);
}

/* Waited for by a thread that runs no main loop. */
static void
test_wait (void)
{
  TestLoop *loop = test_loop_new ();
  char *path = file_new ();
  LoadThere there = { .path = path };
  g_autoptr (GBytes) bytes = NULL;

  test_loop_call (loop, load_there, &there);
  test_assert_done (there.future);
  bytes = concur_future_dup_bytes (there.future, NULL);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 9);
  g_object_unref (there.future);
  test_wait_until (test_releases_get (&there.finish.released) == 1);
  g_assert_cmpuint (test_releases_get_wrong (&there.finish.released), ==, 0);
  test_loop_free (loop);
  file_free (path);
}

/* Cancelled by other threads while the operation ends. */
static gpointer
cancel_thread (gpointer data)
{
  concur_future_cancel (data, CONCUR_CANCEL_NONE);
  concur_future_cancel (data, CONCUR_CANCEL_ABANDON);
  g_object_unref (data);

  return NULL;
}

static void
test_races (void)
{
  const guint n = test_scaled (300);

  test_shake_start ();
  for (guint i = 0; i < n; i++)
    {
      Finish finish = finish_init ();
      Operation operation;
      ConcurFuture *future = operation_begin (&operation, &finish);
      GThread *thread = g_thread_new ("cancel", cancel_thread, g_object_ref (future));

      operation_end (&operation, 1);
      g_assert_true (concur_future_is_done (future));
      g_assert_cmpuint (finish.n_finished, ==, 1);
      g_thread_join (thread);
      g_object_unref (future);
      finish_clear (&finish);
    }
  test_shake_stop ();
}

/* report */

typedef struct
{
  GObject *source;
  ConcurFuture *future;
  GThread *thread;
  guint n;
} Ready;

static void
ready (GObject      *source,
       GAsyncResult *result,
       gpointer      data)
{
  Ready *self = data;
  g_autoptr (GObject) of_result = g_async_result_get_source_object (result);

  g_assert_true (self->thread == g_thread_self ());
  g_assert_true (CONCUR_FUTURE (result) == self->future);
  g_assert_true (source == self->source);
  g_assert_true (of_result == source);
  g_assert_true (g_async_result_get_user_data (result) == data);
  g_assert_true (g_async_result_is_tagged (result, ready));
  g_assert_false (g_async_result_is_tagged (result, test_races));
  g_assert_true (concur_future_is_valid_result (result, source));
  g_assert_false (concur_future_is_valid_result (result, self->future));
  g_assert_true (concur_future_is_done (self->future));
  self->n++;
}

static void
test_report (void)
{
  ConcurExecutor *executor = g_object_new (CONCUR_TYPE_THREAD_EXECUTOR, NULL);

  for (guint i = 0; i < 3; i++)
    {
      TestReleases releases = { .thread = g_thread_self () };
      Ready seen = { .thread = g_thread_self () };
      ConcurFuture *future = test_submit (executor, test_one_job, NULL);

      if (i != 2)
        {
          seen.source = g_object_new (G_TYPE_OBJECT, NULL);
          test_releases_watch (&releases, seen.source);
        }
      /* Done already, too. */
      if (i == 1)
        test_assert_done (future);
      seen.future = future;
      concur_future_report (future, seen.source, ready, ready, &seen);
      /* Nobody else holds them. */
      g_object_unref (future);
      if (seen.source != NULL)
        g_object_unref (seen.source);
      g_assert_cmpuint (seen.n, ==, 0);
      g_assert_cmpuint (test_releases_get (&releases), ==, 0);
      test_iterate_until (NULL, seen.n == 1 && test_futures_alive () == 0);
      g_assert_cmpuint (test_releases_get (&releases), ==, seen.source != NULL ? 1 : 0);
      g_assert_cmpuint (test_releases_get_wrong (&releases), ==, 0);
    }
  test_executor_end (executor);
}

/* A promise's future, held by nobody but the operation itself. */
static void
test_report_alone (void)
{
  ConcurPromise *promise = concur_promise_new ();
  Ready seen = { .thread = g_thread_self (), .future = concur_promise_get_future (promise) };
  GObject *source = g_object_new (G_TYPE_OBJECT, NULL);

  /* An object that keeps its own futures does not live for ever. */
  seen.source = source;
  g_object_add_weak_pointer (source, (gpointer *) &source);
  g_object_set_data_full (source, "future", g_object_ref (seen.future), g_object_unref);
  concur_future_report (seen.future, source, ready, ready, &seen);
  g_object_unref (source);
  g_object_unref (promise);
  g_assert_nonnull (source);
  test_iterate_until (NULL, seen.n == 1);
  test_iterate_until (NULL, test_futures_alive () == 0);
  g_assert_null (source);
}

static void
test_report_misuse (void)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = concur_promise_get_future (promise);
  g_autoptr (GObject) source = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GObject) as_result = NULL;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  g_assert_false (concur_future_is_valid_result (future, NULL));
  as_result = g_async_result_get_source_object (G_ASYNC_RESULT (future));
  g_assert_true (as_result == G_OBJECT (future));
  g_assert_false (concur_future_is_valid_result (task, NULL));

  concur_future_report (future, source, NULL, NULL, NULL);
  test_critical (concur_future_report (future, source, NULL, NULL, NULL));
  g_assert_true (concur_future_is_valid_result (future, source));
  g_assert_false (concur_future_is_valid_result (future, NULL));
  concur_promise_resolve (promise, NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_task_return_boolean (task, TRUE);
}

/* propagate */

static ConcurFuture *
resolved (const GValue *value)
{
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  ConcurFuture *future = g_object_ref (concur_promise_get_future (promise));

  concur_promise_resolve (promise, value);

  return future;
}

#define assert_wrong_type(call)                                                                    \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_autoptr (GError) error_ = NULL;                                                              \
    call;                                                                                          \
    g_assert_error (error_, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_WRONG_TYPE);                  \
  }                                                                                                \
  G_STMT_END

static void
test_propagate_int (void)
{
  g_auto (GValue) value = G_VALUE_INIT, copy = G_VALUE_INIT;
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, -1);
  future = resolved (&value);
  g_assert_cmpint (concur_future_propagate_int (future, &error), ==, -1);
  g_assert_no_error (error);
  /* As often as one likes. */
  g_assert_cmpint (concur_future_propagate_int (future, &error), ==, -1);
  g_assert_no_error (error);
  assert_wrong_type (g_assert_null (concur_future_propagate_pointer (future, &error_)));
  assert_wrong_type (g_assert_false (concur_future_propagate_boolean (future, &error_)));
  g_assert_true (concur_future_propagate_value (future, &copy, &error));
  g_assert_cmpint (g_value_get_int64 (&copy), ==, -1);
}

static void
test_propagate_boolean (void)
{
  g_auto (GValue) value = G_VALUE_INIT;
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GError) error = NULL;

  g_value_init (&value, G_TYPE_BOOLEAN);
  g_value_set_boolean (&value, TRUE);
  future = resolved (&value);
  g_assert_true (concur_future_propagate_boolean (future, &error));
  g_assert_no_error (error);
  assert_wrong_type (g_assert_cmpint (concur_future_propagate_int (future, &error_), ==, -1));
}

static void
test_propagate_pointer (void)
{
  g_autoptr (GError) error = NULL;
  GType types[] = { G_TYPE_STRING, G_TYPE_OBJECT, G_TYPE_BYTES, G_TYPE_VARIANT, G_TYPE_POINTER };
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_int32 (1));

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;
      g_autoptr (ConcurFuture) future = NULL;

      g_value_init (&value, types[i]);
      switch (i)
        {
        case 0:
          g_value_set_string (&value, "text");
          break;
        case 1:
          g_value_set_object (&value, object);
          break;
        case 2:
          g_value_set_boxed (&value, bytes);
          break;
        case 3:
          g_value_set_variant (&value, variant);
          break;
        case 4:
          g_value_set_pointer (&value, &error);
          break;
        }
      future = resolved (&value);
      /* Each is the caller's own. */
      for (guint n = 0; n < 2; n++)
        {
          gpointer pointer = concur_future_propagate_pointer (future, &error);

          g_assert_no_error (error);
          switch (i)
            {
            case 0:
              g_assert_cmpstr (pointer, ==, "text");
              g_free (pointer);
              break;
            case 1:
              g_assert_true (pointer == object);
              g_object_unref (pointer);
              break;
            case 2:
              g_assert_true (pointer == bytes);
              g_bytes_unref (pointer);
              break;
            case 3:
              g_assert_true (pointer == variant);
              g_variant_unref (pointer);
              break;
            case 4:
              g_assert_true (pointer == &error);
              break;
            }
        }
    }
}

static void
test_propagate_nothing (void)
{
  g_autoptr (ConcurFuture) nothing = resolved (NULL);
  g_autoptr (ConcurPromise) pending = concur_promise_new (), failed = concur_promise_new ();
  g_autoptr (GError) there = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_EXISTS, "there");
  g_autoptr (GError) error = NULL;
  ConcurFuture *future;
  g_auto (GValue) value = G_VALUE_INIT;

  g_assert_null (concur_future_propagate_pointer (nothing, &error));
  g_assert_no_error (error);
  assert_wrong_type (concur_future_propagate_int (nothing, &error_));

  future = concur_promise_get_future (pending);
  g_assert_cmpint (concur_future_propagate_int (future, &error), ==, -1);
  g_assert_error (error, CONCUR_FUTURE_ERROR, CONCUR_FUTURE_ERROR_PENDING);
  g_clear_error (&error);
  concur_future_ignore (future);

  future = concur_promise_get_future (failed);
  concur_promise_reject (failed, there);
  g_assert_null (concur_future_propagate_pointer (future, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_cmpint (concur_future_propagate_int (future, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (concur_future_propagate_boolean (future, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (concur_future_propagate_value (future, &value, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
  g_assert_false (G_IS_VALUE (&value));
  /* Nobody need ask why. */
  g_assert_cmpint (concur_future_propagate_int (future, NULL), ==, -1);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);
  g_test_add_func ("/async-future/load", test_load);
  g_test_add_func ("/async-future/load-errors", test_load_errors);
  g_test_add_func ("/async-future/cancel", test_cancel);
  g_test_add_func ("/async-future/abandon", test_abandon);
  g_test_add_func ("/async-future/not-started", test_not_started);
  g_test_add_func ("/async-future/answered-before", test_answered_before);
  g_test_add_func ("/async-future/progress", test_progress);
  g_test_add_func ("/async-future/wait", test_wait);
  g_test_add_func ("/async-future/races", test_races);
  g_test_add_func ("/async-future/report", test_report);
  g_test_add_func ("/async-future/report/alone", test_report_alone);
  g_test_add_func ("/async-future/report/misuse", test_report_misuse);
  g_test_add_func ("/async-future/propagate/int", test_propagate_int);
  g_test_add_func ("/async-future/propagate/boolean", test_propagate_boolean);
  g_test_add_func ("/async-future/propagate/pointer", test_propagate_pointer);
  g_test_add_func ("/async-future/propagate/nothing", test_propagate_nothing);

  return test_run ();
}
