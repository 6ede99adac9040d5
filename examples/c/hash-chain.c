/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* hash-chain FILE
 *
 * A server and a client, over TCP. The client sends the lines of a file; the server makes
 * each a link of a chain, SHA-256 of the link before and the line, and answers with it.
 * The first link comes after 32 zero bytes. In the end both have the same last link, and it
 * is the one that is made directly from the file.
 *
 * The server lives in a loop thread, the client in the main loop. A worker reads the file,
 * and hands the lines over in a channel. When the server is slower the connection takes no
 * more, the channel fills, and the worker waits.
 *
 *     $ printf 'one\ntwo\n' >file; hash-chain file
 *     client 2 lines, b9f0cc52…
 *     server 2 lines, b9f0cc52…
 *     direct 2 lines, b9f0cc52…
 *
 * Exit status: 0; 1 after a problem; 2 if called in a wrong way. */

#include <concur.h>

#include <locale.h>
#include <string.h>

/* How many lines are read ahead, however slow the server is. */
#define CAPACITY 64

#define DIGEST_SIZE 32

typedef struct
{
  guint8 last[DIGEST_SIZE];
  guint n_lines;
} Chain;

typedef struct
{
  /* Set before the loop runs, and not changed afterwards. */
  ConcurLoopThread *loop;
  ConcurPromise *listening; /* its value: the port */
  ConcurPromise *last;      /* its value: the last link, when the client has gone */

  /* From here on the loop's thread only. */
  ConcurJob *job;
  GSource *stopper;
  GSocketService *service;
  GSocketConnection *connection;
  GDataInputStream *lines;
  char *answer;
  Chain chain;
} Server;

/* The main thread's. */
typedef struct
{
  GMainLoop *main_loop;
  ConcurChannel *lines;
  GCancellable *cancellable;
  GSocketConnection *connection;
  GDataInputStream *answers;
  GBytes *line;       /* the one that is being written */
  char *last;         /* what was answered last */
  guint n_sent, n_answers;
  guint n_directions; /* in which the connection is in use */
  GError *error;      /* the first */
} Client;

static void server_read (Server *server);
static void client_receive (Client *client);
static void client_read (Client *client);

static void
chain_add (Chain      *chain,
           const char *line,
           gsize       length)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = DIGEST_SIZE;

  g_checksum_update (checksum, chain->last, DIGEST_SIZE);
  g_checksum_update (checksum, (const guchar *) line, (gssize) length);
  g_checksum_get_digest (checksum, chain->last, &size);
  chain->n_lines++;
}

/* Returns the last link in hexadecimal digits, and something after it. */
static char *
chain_describe (const Chain *chain,
                const char  *end)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < DIGEST_SIZE; i++)
    g_string_append_printf (text, "%02x", chain->last[i]);
  g_string_append (text, end);

  return g_string_free (text, FALSE);
}

/* Without an error: the client has said all. */
static void
server_end (Server       *server,
            const GError *error)
{
  g_autoptr (ConcurJob) job = g_steal_pointer (&server->job);
  g_autofree char *last = chain_describe (&server->chain, "");

  if (error != NULL)
    concur_promise_reject (server->last, error);
  else
    concur_promise_resolve_string (server->last, last);

  g_source_destroy (server->stopper);
  g_clear_pointer (&server->stopper, g_source_unref);
  g_clear_object (&server->lines);
  g_clear_object (&server->connection);
  g_clear_pointer (&server->answer, g_free);
  concur_job_return_boolean (job, TRUE);
}

static void
server_written (GObject      *source,
                GAsyncResult *result,
                gpointer      user_data)
{
  Server *server = user_data;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&server->answer, g_free);
  if (g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    server_read (server);
  else
    server_end (server, error);
}

static void
server_got_line (GObject      *source,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  Server *server = user_data;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (server->connection));
  g_autoptr (GError) error = NULL;
  g_autofree char *line = NULL;
  gsize length;

  line = g_data_input_stream_read_line_finish (server->lines, result, &length, &error);
  if (line == NULL)
    {
      server_end (server, error);
      return;
    }

  chain_add (&server->chain, line, length);
  server->answer = chain_describe (&server->chain, "\n");
  g_output_stream_write_all_async (output, server->answer, strlen (server->answer),
                                   G_PRIORITY_DEFAULT, concur_job_get_cancellable (server->job),
                                   server_written, server);
}

/* No line is taken before the one before it is answered. */
static void
server_read (Server *server)
{
  g_data_input_stream_read_line_async (server->lines, G_PRIORITY_DEFAULT,
                                       concur_job_get_cancellable (server->job),
                                       server_got_line, server);
}

static void
server_stop_listening (Server *server)
{
  g_signal_handlers_disconnect_by_data (server->service, server);
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  g_clear_object (&server->service);
}

/* There is one client. */
static gboolean
server_incoming (GSocketService    *service,
                 GSocketConnection *connection,
                 GObject           *source_object,
                 gpointer           user_data)
{
  Server *server = user_data;

  server_stop_listening (server);
  server->connection = g_object_ref (connection);
  server->lines = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  server_read (server);

  return TRUE;
}

/* The task was asked to end. If a client is there, reading or writing ends. */
static gboolean
server_stop (GCancellable *cancellable,
             gpointer      user_data)
{
  Server *server = user_data;
  g_autoptr (GError) error = NULL;

  if (server->service != NULL)
    {
      server_stop_listening (server);
      g_cancellable_set_error_if_cancelled (cancellable, &error);
      server_end (server, error);
    }

  return G_SOURCE_REMOVE;
}

/* The task, called on the loop's thread when the loop runs. */
static gboolean
server_start (ConcurJob *job,
              gpointer   user_data,
              GError   **error)
{
  Server *server = user_data;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GError) problem = NULL;

  server->service = g_socket_service_new ();
  if (!g_socket_listener_add_address (G_SOCKET_LISTENER (server->service), address,
                                      G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                      &effective, &problem))
    {
      g_clear_object (&server->service);
      concur_promise_reject (server->listening, problem);
      concur_job_return_boolean (job, FALSE);
      return TRUE;
    }
  g_signal_connect (server->service, "incoming", G_CALLBACK (server_incoming), server);

  server->stopper = g_cancellable_source_new (concur_job_get_cancellable (job));
  g_source_set_callback (server->stopper, G_SOURCE_FUNC (server_stop), server, NULL);
  g_source_attach (server->stopper, concur_loop_thread_get_context (server->loop));

  server->job = g_object_ref (job);
  concur_job_hold (job);
  concur_promise_resolve_int64 (server->listening,
                                g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective)));

  return TRUE;
}

/* On a worker, as soon as the client wants a line. */
static gboolean
read_lines (ConcurJob     *job,
            ConcurChannel *channel,
            gpointer       user_data,
            GError       **error)
{
  GCancellable *cancellable = concur_job_get_cancellable (job);
  g_autoptr (GFileInputStream) stream = g_file_read (user_data, cancellable, error);
  g_autoptr (GDataInputStream) lines = NULL;
  g_autoptr (GError) problem = NULL;
  gsize length;
  char *line;

  if (stream == NULL)
    return FALSE;

  lines = g_data_input_stream_new (G_INPUT_STREAM (stream));
  while ((line = g_data_input_stream_read_line (lines, &length, cancellable, &problem)) != NULL)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      /* In the place of the zero byte that is there: as it is sent. */
      line[length] = '\n';
      g_value_init (&value, G_TYPE_BYTES);
      g_value_take_boxed (&value, g_bytes_new_take (line, length + 1));
      if (!concur_channel_send_wait (channel, &value, -1, error))
        return FALSE;
    }
  if (problem == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

/* One of the two directions has ended. An error ends the other one, too. */
static void
client_end_direction (Client *client,
                      GError *error)
{
  if (error != NULL)
    {
      if (client->error == NULL)
        client->error = g_error_copy (error);
      concur_channel_stop (client->lines);
      g_cancellable_cancel (client->cancellable);
    }

  if (--client->n_directions == 0)
    g_main_loop_quit (client->main_loop);
}

static void
client_written (GObject      *source,
                GAsyncResult *result,
                gpointer      user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&client->line, g_bytes_unref);
  if (!g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, &error))
    {
      client_end_direction (client, error);
      return;
    }

  client->n_sent++;
  client_receive (client);
}

static void
client_received (GObject      *source,
                 GAsyncResult *result,
                 gpointer      user_data)
{
  Client *client = user_data;
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client->connection));
  g_autoptr (GError) error = NULL;
  const GValue *value;

  value = concur_channel_receive_finish (client->lines, result, &error);
  if (value != NULL)
    {
      client->line = g_value_dup_boxed (value);
      g_output_stream_write_all_async (output, g_bytes_get_data (client->line, NULL),
                                       g_bytes_get_size (client->line), G_PRIORITY_DEFAULT,
                                       client->cancellable, client_written, client);
      return;
    }

  /* That was all: the server gets to know, and the last answers still come. */
  if (g_error_matches (error, CONCUR_CHANNEL_ERROR, CONCUR_CHANNEL_ERROR_CLOSED))
    {
      g_clear_error (&error);
      g_socket_shutdown (g_socket_connection_get_socket (client->connection), FALSE, TRUE,
                         &error);
    }
  client_end_direction (client, error);
}

/* The next line is taken from the channel when the one before it is on its way. */
static void
client_receive (Client *client)
{
  concur_channel_receive_async (client->lines, client->cancellable, client_received, client);
}

static void
client_got_answer (GObject      *source,
                   GAsyncResult *result,
                   gpointer      user_data)
{
  Client *client = user_data;
  g_autoptr (GError) error = NULL;
  char *answer;

  answer = g_data_input_stream_read_line_finish (client->answers, result, NULL, &error);
  if (answer != NULL)
    {
      g_free (client->last);
      client->last = answer;
      client->n_answers++;
      client_read (client);
      return;
    }

  client_end_direction (client, error);
}

static void
client_read (Client *client)
{
  g_data_input_stream_read_line_async (client->answers, G_PRIORITY_DEFAULT, client->cancellable,
                                       client_got_answer, client);
}

static gboolean
client_connect (Client  *client,
                guint16  port,
                GError **error)
{
  g_autoptr (GSocketClient) connector = g_socket_client_new ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, port);

  g_socket_client_set_enable_proxy (connector, FALSE);
  client->connection = g_socket_client_connect (connector, G_SOCKET_CONNECTABLE (address), NULL,
                                                error);
  if (client->connection == NULL)
    return FALSE;

  client->answers
    = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (client->connection)));

  return TRUE;
}

/* Sends all lines and takes all answers. */
static gboolean
client_run (Client  *client,
            GError **error)
{
  client->n_directions = 2;
  client_receive (client);
  client_read (client);
  g_main_loop_run (client->main_loop);

  if (client->error == NULL && client->n_answers != client->n_sent)
    client->error = g_error_new (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                                 "%u lines were sent, and %u answered", client->n_sent,
                                 client->n_answers);
  if (client->error == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&client->error));
  return FALSE;
}

static void
client_clear (Client *client)
{
  g_clear_object (&client->lines);
  g_clear_object (&client->answers);
  g_clear_object (&client->connection);
  g_clear_object (&client->cancellable);
  g_clear_pointer (&client->main_loop, g_main_loop_unref);
  g_clear_pointer (&client->last, g_free);
}

/* Without channel and connection. */
static gboolean
make_chain (GFile   *file,
            Chain   *chain,
            GError **error)
{
  g_autofree char *contents = NULL;
  gsize size;

  if (!g_file_load_contents (file, NULL, &contents, &size, NULL, error))
    return FALSE;

  for (const char *line = contents, *end = contents + size; line < end;)
    {
      const char *newline = memchr (line, '\n', (gsize) (end - line));
      const char *line_end = newline != NULL ? newline : end;

      chain_add (chain, line, (gsize) (line_end - line));
      line = line_end + 1;
    }

  return TRUE;
}

static gboolean
compare (Server  *server,
         Client  *client,
         GFile   *file,
         GError **error)
{
  Chain chain = { 0 };
  g_autofree char *direct = NULL;
  g_autofree char *served = NULL;
  const GValue *last = concur_future_result (concur_promise_get_future (server->last), -1, error);

  if (last == NULL || !make_chain (file, &chain, error))
    return FALSE;

  /* Without a line there is no answer. */
  if (client->last == NULL)
    client->last = chain_describe (&(Chain){ 0 }, "");
  direct = chain_describe (&chain, "");
  g_print ("client %u lines, %s\n", client->n_answers, client->last);
  g_print ("server %u lines, %s\n", server->chain.n_lines, g_value_get_string (last));
  g_print ("direct %u lines, %s\n", chain.n_lines, direct);

  if (g_str_equal (client->last, direct) && g_str_equal (g_value_get_string (last), direct))
    return TRUE;

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "The chains differ");
  return FALSE;
}

static gboolean
run (Server  *server,
     GFile   *file,
     GError **error)
{
  Client client = { 0 };
  const GValue *port;
  gboolean success;

  concur_loop_thread_add_task (server->loop, server_start, server, NULL);
  if (!concur_loop_thread_start (server->loop, error))
    return FALSE;

  client.main_loop = g_main_loop_new (NULL, FALSE);
  client.cancellable = g_cancellable_new ();
  client.lines = concur_executor_generate (concur_executor_get_default (), read_lines,
                                           g_object_ref (file), g_object_unref, CAPACITY, NULL);

  port = concur_future_result (concur_promise_get_future (server->listening), -1, error);
  success = port != NULL
            && client_connect (&client, (guint16) g_value_get_int64 (port), error)
            && client_run (&client, error)
            && compare (server, &client, file, error);

  client_clear (&client);
  concur_loop_thread_stop (server->loop, -1, NULL);

  return success;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("FILE");
  g_autoptr (ConcurLoopThread) loop = concur_loop_thread_new ("chain");
  g_autoptr (ConcurPromise) listening = concur_promise_new ();
  g_autoptr (ConcurPromise) last = concur_promise_new ();
  g_autoptr (GFile) file = NULL;
  g_autoptr (GError) error = NULL;
  Server server = { 0 };

  setlocale (LC_ALL, "");

  if (!g_option_context_parse (context, &argc, &argv, &error) || argc != 2)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "Which file?");
      return 2;
    }
  file = g_file_new_for_path (argv[1]);

  /* After an error of the client nobody asks how the server has ended. */
  concur_future_ignore (concur_promise_get_future (last));
  server.loop = loop;
  server.listening = listening;
  server.last = last;

  if (!run (&server, file, &error))
    {
      g_printerr ("hash-chain: %s\n", error->message);
      return 1;
    }

  return 0;
}
