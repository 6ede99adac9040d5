/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What runs on the context of a loop thread besides jobs: GIO, and loops of subclasses. */

#include "config.h"

#include "test-loop-thread.h"

#include <glib/gstdio.h>
#include <sys/socket.h>

typedef struct
{
  ConcurLoopThread *thread;
  TestGate go;
} Caller;

static void
on_changed (GFileMonitor      *monitor,
            GFile             *file,
            GFile             *other,
            GFileMonitorEvent  event,
            gpointer           data)
{
  Caller *caller = data;

  g_assert_true (concur_loop_thread_is_current (caller->thread));
  test_gate_open (&caller->go);
}

typedef struct
{
  Caller caller;
  char *path;
} Watch;

static gboolean
watch_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Watch *watch = data;
  g_autoptr (GFile) directory = g_file_new_for_path (watch->path);
  g_autoptr (GFileMonitor) monitor
      = g_file_monitor_directory (directory, G_FILE_MONITOR_NONE, NULL, error);

  if (monitor == NULL)
    return FALSE;
  g_signal_connect (monitor, "changed", G_CALLBACK (on_changed), &watch->caller);
  concur_job_return_object (job, G_OBJECT (monitor));

  return TRUE;
}

static gboolean
unwatch_job (ConcurJob  *job,
             gpointer    monitor,
             GError    **error)
{
  g_file_monitor_cancel (monitor);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_file_monitor (void)
{
  ConcurLoopThread *thread = started ("monitor");
  Watch watch = { .caller = { .thread = thread } };
  g_autofree char *file = NULL;
  ConcurFuture *future;
  GFileMonitor *monitor;

  watch.path = g_dir_make_tmp ("concur-XXXXXX", NULL);
  file = g_build_filename (watch.path, "file", NULL);
  future = call (thread, watch_job, &watch);
  monitor = g_object_ref (g_value_get_object (concur_future_get_value (future, NULL)));
  g_object_unref (future);

  g_assert_true (g_file_set_contents (file, "text", -1, NULL));
  test_gate_wait (&watch.caller.go);

  /* It belongs to that thread. */
  g_object_unref (call (thread, unwatch_job, monitor));
  end (thread);
  g_object_unref (monitor);
  g_remove (file);
  g_rmdir (watch.path);
  g_free (watch.path);
}

/* D-Bus between two loop threads over a pair of sockets. */
typedef struct
{
  ConcurLoopThread *thread;
  int fd;
  GDBusConnectionFlags flags;
  GDBusConnection *connection;
  ConcurJob *job;
  guint n_calls;
} Peer;

static void
peer_ready (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  Peer *peer = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (concur_loop_thread_is_current (peer->thread));
  peer->connection = g_dbus_connection_new_finish (result, &error);
  g_assert_no_error (error);
  concur_job_return_value (peer->job, NULL);
  g_clear_object (&peer->job);
}

static gboolean
connect_job (ConcurJob  *job,
             gpointer    data,
             GError    **error)
{
  Peer *peer = data;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (peer->fd, error);
  g_autoptr (GSocketConnection) stream = NULL;
  g_autofree char *guid = g_dbus_generate_guid ();

  g_assert_nonnull (socket);
  stream = g_socket_connection_factory_create_connection (socket);
  peer->job = g_object_ref (job);
  concur_job_hold (job);
  g_dbus_connection_new (G_IO_STREAM (stream),
                         (peer->flags & G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER) ? guid
                                                                                       : NULL,
                         peer->flags, NULL, NULL, peer_ready, peer);

  return TRUE;
}

static void
method_called (GDBusConnection       *connection,
               const char            *sender,
               const char            *path,
               const char            *interface,
               const char            *method,
               GVariant              *parameters,
               GDBusMethodInvocation *invocation,
               gpointer               data)
{
  Peer *peer = data;

  g_assert_true (concur_loop_thread_is_current (peer->thread));
  peer->n_calls++;
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(s)", "here"));
}

static const GDBusInterfaceVTable vtable = { .method_call = method_called };

static gboolean
export_job (ConcurJob  *job,
            gpointer    data,
            GError    **error)
{
  Peer *peer = data;
  g_autoptr (GDBusNodeInfo) node = NULL;
  guint id;

  node = g_dbus_node_info_new_for_xml (
      "<node><interface name='org.Concur.Test'><method name='Where'>"
      "<arg type='s' direction='out'/></method></interface></node>",
      error);
  g_assert_nonnull (node);
  id = g_dbus_connection_register_object (peer->connection, "/test", node->interfaces[0], &vtable,
                                          peer, NULL, error);
  g_assert_cmpuint (id, !=, 0);
  concur_job_return_int64 (job, id);

  return TRUE;
}

static void
reply_came (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  Peer *peer = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  g_assert_no_error (error);
  g_assert_true (concur_loop_thread_is_current (peer->thread));
  concur_job_return_variant (peer->job, reply);
  g_clear_object (&peer->job);
}

static gboolean
ask_job (ConcurJob  *job,
         gpointer    data,
         GError    **error)
{
  Peer *peer = data;

  peer->job = g_object_ref (job);
  concur_job_hold (job);
  g_dbus_connection_call (peer->connection, NULL, "/test", "org.Concur.Test", "Where", NULL,
                          G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, reply_came,
                          peer);

  return TRUE;
}

static gboolean
close_job (ConcurJob  *job,
           gpointer    data,
           GError    **error)
{
  Peer *peer = data;

  g_dbus_connection_close_sync (peer->connection, NULL, NULL);
  g_clear_object (&peer->connection);
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_dbus (void)
{
  guint before = test_futures_alive ();
  Peer server
      = { .thread = started ("server"), .flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER };
  Peer client
      = { .thread = started ("client"), .flags = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT };
  ConcurFuture *connecting, *future;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  server.fd = fds[0];
  client.fd = fds[1];
  connecting = test_submit (server.thread, connect_job, &server);
  future = call (client.thread, connect_job, &client);
  g_object_unref (future);
  test_assert_done (connecting);
  g_object_unref (connecting);

  g_object_unref (call (server.thread, export_job, &server));
  future = call (client.thread, ask_job, &client);
  g_assert_true (concur_future_check (future, NULL));
  g_object_unref (future);
  g_assert_cmpuint (server.n_calls, ==, 1);

  g_object_unref (call (client.thread, close_job, &client));
  g_object_unref (call (server.thread, close_job, &server));
  end (client.thread);
  end (server.thread);
  assert_clean (before);
}

/* A loop of another language: it polls the context itself. */
typedef struct
{
  ConcurLoopThread parent_instance;
  gboolean quit;
  gint n_runs;
  gint n_quits;
} ForeignLoop;

typedef ConcurLoopThreadClass ForeignLoopClass;

static GType foreign_loop_get_type (void);

G_DEFINE_TYPE (ForeignLoop, foreign_loop, CONCUR_TYPE_LOOP_THREAD)

static void
foreign_run_loop (ConcurLoopThread *thread)
{
  ForeignLoop *self = (ForeignLoop *) thread;
  GMainContext *context = concur_loop_thread_get_context (thread);

  g_atomic_int_inc (&self->n_runs);
  g_assert_true (concur_loop_thread_is_current (thread));
  g_assert_true (g_main_context_acquire (context));
  self->quit = FALSE;
  while (!self->quit)
    {
      GPollFD fds[16];
      gint priority, timeout, n_fds;

      g_main_context_prepare (context, &priority);
      n_fds = g_main_context_query (context, priority, &timeout, fds, G_N_ELEMENTS (fds));
      g_assert_cmpint (n_fds, <=, G_N_ELEMENTS (fds));
      g_poll (fds, (guint) n_fds, timeout);
      if (g_main_context_check (context, priority, fds, n_fds))
        g_main_context_dispatch (context);
    }
  g_main_context_release (context);
}

static void
foreign_quit_loop (ConcurLoopThread *thread)
{
  ForeignLoop *self = (ForeignLoop *) thread;

  g_assert_true (concur_loop_thread_is_current (thread));
  g_atomic_int_inc (&self->n_quits);
  self->quit = TRUE;
}

static void
foreign_loop_class_init (ForeignLoopClass *klass)
{
  klass->run_loop = foreign_run_loop;
  klass->quit_loop = foreign_quit_loop;
}

static void
foreign_loop_init (ForeignLoop *self)
{
}

static gboolean
return_early_job (ConcurJob  *job,
                  gpointer    data,
                  GError    **error)
{
  ((ForeignLoop *) data)->quit = TRUE;
  concur_job_return_value (job, NULL);

  return TRUE;
}

static void
test_foreign_loop (void)
{
  guint before = test_futures_alive ();
  ConcurLoopThread *thread = g_object_new (foreign_loop_get_type (), "name", "foreign", NULL);
  ForeignLoop *self = (ForeignLoop *) thread;
  Task task = { .thread = thread };
  g_autoptr (GError) error = NULL;
  gint i;

  concur_loop_thread_add_task (thread, holding_task, &task, NULL);
  for (i = 1; i <= 3; i++)
    {
      g_assert_true (concur_loop_thread_start (thread, &error));
      g_object_unref (call (thread, here_job, thread));
      test_gate_wait_n (&task.begun, (guint) i);
      stop (thread);
      g_assert_cmpint (self->n_runs, ==, i);
      g_assert_cmpint (self->n_quits, ==, i);
      g_assert_cmpint (g_atomic_int_get (&task.n_ended), ==, i);
    }

  /* It returns though nobody asked it to: that is a stop, with all that belongs to it. */
  g_assert_true (concur_loop_thread_start (thread, &error));
  test_gate_wait_n (&task.begun, 4);
  g_object_unref (test_submit (thread, return_early_job, thread));
  g_assert_true (concur_loop_thread_join (thread, TEST_PATIENCE_US, &error));
  g_assert_cmpint (g_atomic_int_get (&task.n_ended), ==, 4);
  g_assert_cmpint (self->n_quits, ==, 3);
  g_assert_cmpint (concur_loop_thread_get_state (thread), ==, CONCUR_LOOP_STATE_STOPPED);

  end (thread);
  assert_clean (before);
}

int
main (int    argc,
      char **argv)
{
  test_init (&argc, &argv);

  g_test_add_func ("/loop-thread/file-monitor", test_file_monitor);
  g_test_add_func ("/loop-thread/dbus", test_dbus);
  g_test_add_func ("/loop-thread/foreign-loop", test_foreign_loop);

  return test_run ();
}
