/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/**
 * ConcurProcessWorker:
 *
 * A worker process' side of a [class@ProcessExecutor].
 *
 * ```c
 * static GVariant *
 * answer (ConcurWorkerCall *call, gpointer user_data, GError **error)
 * {
 *   const char *path;
 *   g_autofree char *text = NULL;
 *
 *   g_variant_get (concur_worker_call_get_arguments (call), "(&s)", &path);
 *   if (!g_file_get_contents (path, &text, NULL, error))
 *     return NULL;
 *
 *   return g_variant_new ("(s)", text);
 * }
 *
 * int
 * main (void)
 * {
 *   g_autoptr (GError) error = NULL;
 *
 *   if (!concur_worker_run (answer, NULL, &error))
 *     g_error ("%s", error->message);
 *
 *   return 0;
 * }
 * ```
 *
 * Calls come one after the other. What the worker prints goes where it goes otherwise, and
 * does not get between them: they have a connection of their own.
 *
 * The end of the program ends the worker, too: between calls
 * [method@ProcessWorker.next_call] says so; a call that runs is cancelled and then has two
 * seconds.
 *
 * ## Threads
 *
 * [method@ProcessWorker.next_call] is for one thread, usually the main one. The program asks
 * to stop a call by SIGINT, whose handler the worker replaces.
 *
 * Since: 1.0
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "concur-error.h"
#include "concur-process-worker.h"
#include "concur-worker-link-private.h"

struct _ConcurProcessWorker
{
  GObject parent_instance;

  /* immutable */
  ConcurWorkerLink *link;        /* (owned) */
  GVariant *options;             /* (owned) a{sv} */
  char *name;
  guint64 max_body;              /* of what it takes */

  /* the thread that asks for calls */
  ConcurWorkerMap *map;          /* (owned) (nullable): that is being answered */
  gboolean is_ready;
};

G_DEFINE_FINAL_TYPE (ConcurProcessWorker, concur_process_worker, G_TYPE_OBJECT)

static void
concur_process_worker_finalize (GObject *object)
{
  ConcurProcessWorker *self = CONCUR_PROCESS_WORKER (object);

  g_clear_pointer (&self->map, concur_worker_map_unref);
  g_clear_pointer (&self->link, concur_worker_link_unref);
  g_clear_pointer (&self->options, g_variant_unref);
  g_free (self->name);

  G_OBJECT_CLASS (concur_process_worker_parent_class)->finalize (object);
}

static void
concur_process_worker_class_init (ConcurProcessWorkerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = concur_process_worker_finalize;
}

static void
concur_process_worker_init (ConcurProcessWorker *self)
{
}

/* FALSE: this process was not started as a worker. */
static gboolean
find_socket (int     *socket,
             GError **error)
{
  const char *text = g_getenv (CONCUR_WORKER_FD_VARIABLE);
  guint64 number;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 3, G_MAXINT, &number, NULL)
      || fcntl ((int) number, F_SETFD, FD_CLOEXEC) != 0)
    {
      g_set_error_literal (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_NOT_RUNNING,
                           "This process was not started by a process executor");
      return FALSE;
    }

  *socket = (int) number;

  return TRUE;
}

static gboolean
hear_hello (ConcurProcessWorker  *self,
            GError              **error)
{
  ConcurWireFrame frame = { 0 };
  ConcurWireRead read = concur_worker_link_read (self->link, &frame, error);
  guint32 version;

  if (read == CONCUR_WIRE_READ_BAD)
    return FALSE;
  if (read == CONCUR_WIRE_READ_END || frame.kind != CONCUR_WIRE_HELLO)
    {
      g_set_error_literal (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                           "The program did not say hello");
      concur_wire_clear (&frame);
      return FALSE;
    }

  g_variant_get (frame.content, "(ut@a{sv})", &version, &self->link->max_body, &self->options);
  concur_wire_clear (&frame);
  /* Who takes large answers has large questions. */
  self->max_body = MAX (self->link->max_body, CONCUR_WIRE_DEFAULT_MAX_BODY);
  concur_wire_reader_set_max_body (self->link->reader, self->max_body);
  if (version != CONCUR_WIRE_VERSION)
    {
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                   "The program speaks version %u of the protocol, this is version %u", version,
                   CONCUR_WIRE_VERSION);
      return FALSE;
    }
  if (!g_variant_lookup (self->options, "name", "s", &self->name))
    self->name = g_strdup ("");

  return TRUE;
}

/* Makes and answers a call on a connection to itself. The first call a process takes costs
 * several times what later ones do, for types, symbols and memory that are met for the first
 * time; now nobody waits for it. */
static void
rehearse (void)
{
  ConcurWorkerLink *link;
  ConcurWireWriter writer;
  ConcurWireFrame frame = { 0 };
  int sockets[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    return;

  link = concur_worker_link_new (sockets[1]);
  if (concur_wire_writer_init (&writer, CONCUR_WIRE_CALL, 1, "",
                               g_variant_new ("(sa{sv})", "", NULL), NULL,
                               CONCUR_WIRE_DEFAULT_MAX_BODY, NULL))
    {
      concur_wire_writer_send (&writer, sockets[0], NULL);
      if (concur_worker_link_read (link, &frame, NULL) == CONCUR_WIRE_READ_DONE)
        {
          ConcurWorkerCall *call = concur_worker_call_new (link, frame.id, frame.name,
                                                           frame.content, frame.fds, NULL);

          concur_worker_call_return_value (call, concur_worker_call_get_arguments (call));
          g_object_unref (call);
          concur_wire_clear (&frame);
        }
      concur_wire_writer_clear (&writer);
    }
  close (sockets[0]);
  concur_worker_link_unref (link);
}

static void
say_ready (ConcurProcessWorker *self)
{
  GVariantBuilder options;

  rehearse ();
  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  concur_worker_link_send (self->link, CONCUR_WIRE_READY, 0,
                           g_variant_new ("(uta{sv})", CONCUR_WIRE_VERSION,
                                          self->max_body, &options),
                           NULL, NULL);
}

/**
 * concur_process_worker_new:
 * @error: return location for an error
 *
 * Takes up the connection to the program that has started this process as a worker.
 *
 * Can be called once in a process. What is done between it and the first
 * [method@ProcessWorker.next_call] belongs to the start of the worker: the program waits for
 * it at most [property@ProcessExecutor:start-timeout].
 *
 * Returns: (transfer full): the worker; %NULL with %CONCUR_EXECUTOR_ERROR_NOT_RUNNING if the
 *   process was not started by a [class@ProcessExecutor], with
 *   %CONCUR_EXECUTOR_ERROR_PROTOCOL if the two do not understand each other
 *
 * Since: 1.0
 */
ConcurProcessWorker *
concur_process_worker_new (GError **error)
{
  g_autoptr (ConcurProcessWorker) self = NULL;
  int socket;

  if (!find_socket (&socket, error))
    return NULL;

  /* Not for the processes that this one starts. */
  g_unsetenv (CONCUR_WORKER_FD_VARIABLE);

  self = g_object_new (CONCUR_TYPE_PROCESS_WORKER, NULL);
  self->link = concur_worker_link_new (socket);
  if (!concur_worker_link_watch (self->link, error) || !hear_hello (self, error))
    return NULL;

  return g_steal_pointer (&self);
}

/**
 * concur_process_worker_get_name:
 * @self: a worker
 *
 * Gets the name of the executor it works for.
 *
 * Returns: the name
 *
 * Since: 1.0
 */
const char *
concur_process_worker_get_name (ConcurProcessWorker *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_WORKER (self), NULL);

  return self->name;
}

/**
 * concur_process_worker_get_options:
 * @self: a worker
 *
 * Gets what the program told the worker at its start.
 *
 * Returns: (transfer none): options, of type `a{sv}`
 *
 * Since: 1.0
 */
GVariant *
concur_process_worker_get_options (ConcurProcessWorker *self)
{
  g_return_val_if_fail (CONCUR_IS_PROCESS_WORKER (self), NULL);

  return self->options;
}

/* The next call of the map, if it has one. */
static ConcurWorkerCall *
next_of_map (ConcurProcessWorker *self)
{
  ConcurWorkerMap *map = self->map;
  g_autoptr (GVariant) arguments = NULL;

  if (map == NULL)
    return NULL;
  if (map->n_taken == map->n_calls || concur_worker_map_has_failed (map))
    {
      g_clear_pointer (&self->map, concur_worker_map_unref);
      return NULL;
    }

  g_variant_get_child (map->all, map->n_taken++, "v", &arguments);

  return concur_worker_call_new (self->link, map->id, map->name, arguments, map->fds, map);
}

/* Takes what is in the frame. %NULL: a map without a call. */
static ConcurWorkerCall *
take_call (ConcurProcessWorker *self,
           ConcurWireFrame     *frame)
{
  ConcurWorkerCall *call;

  if (frame->kind == CONCUR_WIRE_CALL)
    {
      call = concur_worker_call_new (self->link, frame->id, frame->name, frame->content, frame->fds,
                                     NULL);
    }
  else
    {
      self->map = concur_worker_map_new (frame->id, frame->content, frame->fds);
      call = next_of_map (self);
      if (call == NULL)
        concur_worker_link_send (self->link, CONCUR_WIRE_RESULT, frame->id,
                                 g_variant_new_array (G_VARIANT_TYPE_VARIANT, NULL, 0), NULL, NULL);
    }

  return call;
}

/* Waits for a frame with a call. */
static ConcurWorkerCall *
read_call (ConcurProcessWorker  *self,
           GError              **error)
{
  ConcurWorkerCall *call = NULL;

  while (call == NULL)
    {
      ConcurWireFrame frame = { 0 };
      ConcurWireRead read = concur_worker_link_read (self->link, &frame, error);

      if (read != CONCUR_WIRE_READ_DONE)
        return NULL;
      if (frame.kind != CONCUR_WIRE_CALL && frame.kind != CONCUR_WIRE_MAP)
        {
          g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                       "The program sent a %s frame where a call was expected",
                       concur_wire_kind_get_name (frame.kind));
          concur_wire_clear (&frame);
          return NULL;
        }
      call = take_call (self, &frame);
      concur_wire_clear (&frame);
    }

  return call;
}

/**
 * concur_process_worker_next_call:
 * @self: a worker
 * @error: return location for an error
 *
 * Waits for the next call.
 *
 * Returns: (transfer full) (nullable): the call; %NULL without an error when the program
 *   wants no more, and the worker should end; %NULL with %CONCUR_EXECUTOR_ERROR_PROTOCOL if
 *   what came cannot be understood
 *
 * Since: 1.0
 */
ConcurWorkerCall *
concur_process_worker_next_call (ConcurProcessWorker  *self,
                                 GError              **error)
{
  ConcurWorkerCall *call;

  g_return_val_if_fail (CONCUR_IS_PROCESS_WORKER (self), NULL);

  if (!self->is_ready)
    {
      self->is_ready = TRUE;
      /* That the program has gone is found out by reading. */
      say_ready (self);
    }

  concur_worker_link_ask (self->link, TRUE);
  call = next_of_map (self);
  if (call == NULL)
    call = read_call (self, error);
  concur_worker_link_ask (self->link, FALSE);

  return call;
}

/**
 * concur_worker_run:
 * @func: (scope call) (closure user_data): answers a call
 * @user_data: data for @func
 * @error: return location for an error
 *
 * Answers calls until the program wants no more: the whole of a worker process.
 *
 * Returns: %TRUE when it is over; %FALSE if the process is no worker, or what came cannot be
 *   understood
 *
 * Since: 1.0
 */
gboolean
concur_worker_run (ConcurWorkerFunc   func,
                   gpointer           user_data,
                   GError           **error)
{
  g_autoptr (ConcurProcessWorker) self = NULL;
  ConcurWorkerCall *call;
  GError *end = NULL;

  g_return_val_if_fail (func != NULL, FALSE);

  self = concur_process_worker_new (error);
  if (self == NULL)
    return FALSE;

  while ((call = concur_process_worker_next_call (self, &end)) != NULL)
    {
      g_autoptr (GError) call_error = NULL;
      g_autoptr (GVariant) answer = func (call, user_data, &call_error);

      if (answer != NULL)
        g_variant_take_ref (answer);
      if (answer != NULL)
        concur_worker_call_return_value (call, answer);
      else if (call_error != NULL)
        concur_worker_call_return_error (call, call_error);
      g_object_unref (call);
    }

  if (end != NULL)
    g_propagate_error (error, end);

  return end == NULL;
}
