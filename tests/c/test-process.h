/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The worker of the tests of process executors: the test program itself, started once
 * more. */

#pragma once

#include <gio/gunixfdlist.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "test-workers.h"

G_BEGIN_DECLS

static inline GVariant *
worker_ignore (ConcurWorkerCall *call)
{
  signal (SIGINT, SIG_IGN);
  concur_worker_call_set_status_text (call, "ignoring");
  for (;;)
    pause ();

  return NULL;
}

static inline GVariant *
worker_wait (ConcurWorkerCall  *call,
             GError           **error)
{
  GPollFD poll_fd;

  concur_worker_call_set_status_text (call, "waiting");
  g_cancellable_make_pollfd (concur_worker_call_get_cancellable (call), &poll_fd);
  /* The signal itself may interrupt it, a moment before the call is cancelled. */
  while (!concur_worker_call_is_cancelled (call))
    g_poll (&poll_fd, 1, -1);
  g_cancellable_release_fd (concur_worker_call_get_cancellable (call));
  g_cancellable_set_error_if_cancelled (concur_worker_call_get_cancellable (call), error);

  return NULL;
}

static inline GVariant *
worker_count (ConcurWorkerCall  *call,
              GError           **error)
{
  gint64 n;

  g_variant_get (concur_worker_call_get_arguments (call), "(x)", &n);
  for (gint64 i = 0; i < n; i++)
    {
      if (!concur_worker_call_send_item (call, g_variant_new_int64 (i), error))
        return NULL;
    }

  return g_variant_new_int64 (n);
}

/* Answers with pipes that can be read from. */
static inline GVariant *
worker_answer_fds (ConcurWorkerCall *call,
                   int               n_fds)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  for (int i = 0; i < n_fds; i++)
    {
      int ends[2];

      g_assert_cmpint (pipe (ends), ==, 0);
      g_assert_cmpint (write (ends[1], "from the worker", 15), ==, 15);
      g_assert_cmpint (g_unix_fd_list_append (fds, ends[0], NULL), ==, i);
      close (ends[0]);
      close (ends[1]);
    }
  concur_worker_call_return_value_with_fds (call, g_variant_new_int32 (n_fds), fds);

  return NULL;
}

static inline GVariant *
worker_answer (ConcurWorkerCall  *call,
               gpointer           data,
               GError           **error)
{
  const char *name = concur_worker_call_get_name (call);
  GVariant *arguments = concur_worker_call_get_arguments (call);

  if (g_str_equal (name, "echo"))
    return g_variant_ref (arguments);
  if (g_str_equal (name, "square"))
    {
      gint64 n = g_variant_get_int64 (arguments);

      if (n < 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%d is negative", (int) n);
          return NULL;
        }
      return g_variant_new_int64 (n * n);
    }
  if (g_str_equal (name, "pid"))
    return g_variant_new_int64 (getpid ());
  if (g_str_equal (name, "wait"))
    return worker_wait (call, error);
  if (g_str_equal (name, "ignore"))
    return worker_ignore (call);
  if (g_str_equal (name, "hush"))
    {
      close (STDERR_FILENO);
      return worker_wait (call, error);
    }
  if (g_str_equal (name, "count"))
    return worker_count (call, error);
  if (g_str_equal (name, "kill"))
    {
      g_printerr ("about to die\n");
      raise (g_variant_get_int32 (arguments));
    }
  if (g_str_equal (name, "exit"))
    _exit (g_variant_get_int32 (arguments));
  if (g_str_equal (name, "forget"))
    return NULL;
  if (g_str_equal (name, "foreign"))
    {
      GVariantDict details;

      g_variant_dict_init (&details, NULL);
      g_variant_dict_insert (&details, "traceback", "s", "line 1");
      concur_worker_call_return_failure (call, "nobody-knows-this-domain", 7, "strange",
                                         g_variant_dict_end (&details));
      return NULL;
    }
  if (g_str_equal (name, "print"))
    {
      g_print ("# printed by the worker\n");
      return g_variant_new_boolean (TRUE);
    }
  if (g_str_equal (name, "read-fd"))
    {
      int fd = g_unix_fd_list_get (concur_worker_call_get_fd_list (call), 0, error);
      char text[64] = { 0 };
      gssize n_read;

      if (fd == -1)
        return NULL;
      n_read = read (fd, text, sizeof text - 1);
      close (fd);
      return n_read < 0 ? NULL : g_variant_new_string (text);
    }

  if (g_str_equal (name, "answer-fds"))
    return worker_answer_fds (call, g_variant_get_int32 (arguments));

  g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_FOUND,
               "There is no function “%s”", name);

  return NULL;
}

/* TRUE: this is the worker, and has done its work. */
static inline gboolean
worker_main (void)
{
  g_autoptr (GError) error = NULL;

  if (g_getenv ("CONCUR_WORKER_FD") == NULL)
    return FALSE;
  if (!concur_worker_run (worker_answer, NULL, &error))
    g_error ("%s", error->message);

  return TRUE;
}

static inline const char *const *
worker_command (void)
{
  static char *command[2];

  if (command[0] == NULL)
    command[0] = g_file_read_link ("/proc/self/exe", NULL);

  return (const char *const *) command;
}

static inline void
workers_assert_error (ConcurFuture *future,
                      GQuark        domain,
                      int           code,
                      const char   *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (concur_future_result (future, -1, &error));
  g_assert_error (error, domain, code);
  if (text != NULL && strstr (error->message, text) == NULL)
    g_error ("“%s” has no “%s” in it", error->message, text);
}

static inline gboolean
workers_has_text (ConcurFuture *future,
                  const char   *text)
{
  g_autofree char *now = concur_future_dup_status_text (future);

  return g_strcmp0 (now, text) == 0;
}

/* Properties and their values follow, and NULL. */
#define workers_new(...)                                                                           \
  ((ConcurProcessExecutor *) g_object_new (CONCUR_TYPE_PROCESS_EXECUTOR, "command",                \
                                           worker_command (), __VA_ARGS__))

static inline void
workers_end (ConcurProcessExecutor *self,
             ConcurShutdownMode     mode)
{
  g_autoptr (ConcurFuture) ended = concur_process_executor_shutdown (self, mode);

  test_assert_done (ended);
  test_wait_until (concur_process_executor_get_n_workers (self) == 0);
  g_object_unref (self);
}

G_END_DECLS
