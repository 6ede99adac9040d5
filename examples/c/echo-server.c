/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* echo-server [--port N]
 *
 * A TCP server, on the loopback interface, that sends back what it is sent, in capitals.
 * It lives in a loop thread, where one GSocketService serves all clients without a thread
 * for each. Turning text into capitals stands for work that blocks: a worker does it, and
 * the loop never waits. The main thread only waits for Ctrl-C or SIGTERM. Then clients
 * still get the answers that are being worked on, and the server ends.
 *
 *     $ echo-server --port 7777 &
 *     Listening on port 7777
 *     $ echo hello | nc -N localhost 7777
 *     HELLO
 *
 * Exit status: 0; 1 after a problem; 2 if called in a wrong way. */

#include <concur.h>
#include <glib-unix.h>

#include <locale.h>
#include <sys/socket.h>

/* What is taken from a client at once. The next is taken when this was answered, so a
 * client that does not read its answers costs no more than this. */
#define CHUNK_SIZE 4096

/* A client that sends nothing, or takes nothing, for so many seconds is let go. So there
 * is an end to what the server waits for when it is to stop. */
#define IDLE_LIMIT 60

typedef struct
{
  /* Set before the loop runs, and not changed afterwards. */
  guint16 port;
  ConcurLoopThread *loop;
  ConcurPromise *listening; /* its value: the port */

  /* From here on the loop's thread only. */
  ConcurJob *job;
  GSocketService *service;
  GCancellable *reading;    /* cancelled when no more is taken from clients */
  GSource *stopper;
  guint n_clients, n_served;
} Server;

typedef struct
{
  Server *server;
  GSocketConnection *connection;
  GBytes *answer;
} Client;

static void client_read (Client *client);

/* The server has ended when it takes no clients any more and the last one is gone. */
static void
server_check_end (Server *server)
{
  g_autoptr (ConcurJob) job = NULL;

  if (server->service != NULL || server->n_clients > 0)
    return;

  job = g_steal_pointer (&server->job);
  g_clear_object (&server->reading);
  g_clear_pointer (&server->stopper, g_source_unref);
  concur_job_return_boolean (job, TRUE);
}

static void
client_free (Client *client)
{
  Server *server = client->server;

  g_clear_pointer (&client->answer, g_bytes_unref);
  g_object_unref (client->connection);
  g_free (client);

  server->n_clients--;
  server_check_end (server);
}

/* A client that went away is nothing to report. */
static void
written (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  Client *client = user_data;

  g_clear_pointer (&client->answer, g_bytes_unref);
  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL))
    client_read (client);
  else
    client_free (client);
}

/* The worker is done: called back on the loop's thread, where the work was submitted. */
static void
answered (ConcurFuture *future,
          gpointer      user_data)
{
  Client *client = user_data;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client->connection));
  g_autoptr (GError) error = NULL;

  client->answer = concur_future_dup_bytes (future, &error);
  if (client->answer == NULL)
    {
      g_printerr ("echo-server: %s\n", error->message);
      client_free (client);
      return;
    }

  g_output_stream_write_all_async (output, g_bytes_get_data (client->answer, NULL),
                                   g_bytes_get_size (client->answer), G_PRIORITY_DEFAULT,
                                   NULL, written, client);
}

/* On a worker: knows of no client and no server, only of the text. */
static gboolean
capitalize (ConcurJob *job,
            gpointer   user_data,
            GError   **error)
{
  gsize size;
  const char *text = g_bytes_get_data (user_data, &size);
  char *capitals = g_malloc (size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (capitals, size);

  for (gsize i = 0; i < size; i++)
    capitals[i] = g_ascii_toupper (text[i]);
  concur_job_return_bytes (job, bytes);

  return TRUE;
}

static void
received (GObject      *source,
          GAsyncResult *result,
          gpointer      user_data)
{
  Client *client = user_data;
  g_autoptr (ConcurFuture) future = NULL;
  g_autoptr (GBytes) bytes = NULL;

  bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, NULL);

  /* The client is gone or has no more to say, or the server is to end. */
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    {
      client_free (client);
      return;
    }

  future = concur_executor_submit (concur_loop_thread_get_executor (client->server->loop),
                                   capitalize, g_steal_pointer (&bytes),
                                   (GDestroyNotify) g_bytes_unref, NULL);
  concur_future_when_done (future, answered, client, NULL, NULL);
}

static void
client_read (Client *client)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (client->connection));

  g_input_stream_read_bytes_async (input, CHUNK_SIZE, G_PRIORITY_DEFAULT,
                                   client->server->reading, received, client);
}

static gboolean
incoming (GSocketService    *service,
          GSocketConnection *connection,
          GObject           *source_object,
          gpointer           user_data)
{
  Server *server = user_data;
  Client *client = g_new0 (Client, 1);

  g_socket_set_timeout (g_socket_connection_get_socket (connection), IDLE_LIMIT);
  client->server = server;
  client->connection = g_object_ref (connection);
  server->n_clients++;
  server->n_served++;
  client_read (client);

  return TRUE;
}

/* The task was asked to end. The loop runs on until its job is answered. */
static gboolean
server_stop (GCancellable *cancellable,
             gpointer      user_data)
{
  Server *server = user_data;

  /* One who has been accepted at this very moment is let go. */
  g_signal_handlers_disconnect_by_data (server->service, server);
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  g_clear_object (&server->service);
  g_cancellable_cancel (server->reading);
  server_check_end (server);

  return G_SOURCE_REMOVE;
}

static GSocketService *
listen_on_loopback (Server  *server,
                    guint16 *port,
                    GError **error)
{
  g_autoptr (GSocketService) service = g_socket_service_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, server->port);
  g_autoptr (GSocketAddress) effective = NULL;

  /* Clients that come all at once find room to wait. */
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (service), SOMAXCONN);
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (service), address,
                                      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP,
                                      NULL, &effective, error))
    return NULL;

  g_signal_connect (service, "incoming", G_CALLBACK (incoming), server);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));

  return g_steal_pointer (&service);
}

/* The task, called on the loop's thread when the loop runs. */
static gboolean
server_start (ConcurJob *job,
              gpointer   user_data,
              GError   **error)
{
  Server *server = user_data;
  g_autoptr (GError) problem = NULL;
  guint16 port;

  server->service = listen_on_loopback (server, &port, &problem);
  if (server->service == NULL)
    {
      concur_promise_reject (server->listening, problem);
      concur_job_return_boolean (job, FALSE);
      return TRUE;
    }

  server->reading = g_cancellable_new ();
  server->stopper = g_cancellable_source_new (concur_job_get_cancellable (job));
  g_source_set_callback (server->stopper, G_SOURCE_FUNC (server_stop), server, NULL);
  g_source_attach (server->stopper, concur_loop_thread_get_context (server->loop));

  server->job = g_object_ref (job);
  concur_job_hold (job);
  concur_promise_resolve_int64 (server->listening, port);

  return TRUE;
}

static gboolean
interrupted (gpointer user_data)
{
  g_main_loop_quit (user_data);

  return G_SOURCE_REMOVE;
}

static gboolean
run (Server  *server,
     GError **error)
{
  g_autoptr (GMainLoop) main_loop = g_main_loop_new (NULL, FALSE);
  const GValue *port;

  concur_loop_thread_add_task (server->loop, server_start, server, NULL);
  if (!concur_loop_thread_start (server->loop, error))
    return FALSE;

  g_unix_signal_add (SIGINT, interrupted, main_loop);
  g_unix_signal_add (SIGTERM, interrupted, main_loop);

  port = concur_future_result (concur_promise_get_future (server->listening), -1, error);
  if (port != NULL)
    {
      g_print ("Listening on port %" G_GINT64_FORMAT "\n", g_value_get_int64 (port));
      g_main_loop_run (main_loop);
    }

  concur_loop_thread_stop (server->loop, -1, NULL);
  if (port != NULL)
    g_print ("Served %u clients\n", server->n_served);

  return port != NULL;
}

int
main (int    argc,
      char **argv)
{
  int port = 0;
  const GOptionEntry options[] = {
    { "port", 'p', 0, G_OPTION_ARG_INT, &port, "0, the default, takes a free one", "N" },
    G_OPTION_ENTRY_NULL
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("echo");
  g_autoptr (ConcurPromise) promise = concur_promise_new ();
  g_autoptr (GError) error = NULL;
  Server server = { 0 };

  setlocale (LC_ALL, "");

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || argc > 1 || port < 0 || port > G_MAXUINT16)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "Called in a wrong way, see --help");
      return 2;
    }

  server.port = (guint16) port;
  server.loop = loop;
  server.listening = promise;

  if (!run (&server, &error))
    {
      g_printerr ("echo-server: %s\n", error->message);
      return 1;
    }

  return 0;
}
