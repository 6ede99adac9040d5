/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "concur-error.h"
#include "concur-process-child-private.h"
#include "concur-process-spawn-private.h"

/* Kept of what a worker writes to stderr: enough for the report of an uncaught exception. */
#define TAIL_SIZE 4096

/* How long a full stderr of the program's is waited for. */
#define PATIENCE_MS 100

/* Where there is no descriptor for a process, its end is looked for at these intervals. */
#define LOOK_INTERVAL_MS 10

/* What a pipe holds, as a rule. */
#define PIPE_SIZE 65536

void
concur_process_settings_clear (ConcurProcessSettings *self)
{
  g_free (self->name);
  g_strfreev (self->command);
  g_strfreev (self->environment);
  g_free (self->directory);
  g_clear_pointer (&self->options, g_variant_unref);
}

static gboolean
child_spawn (ConcurProcessChild  *self,
             GError             **error)
{
  const struct timeval prompt = { .tv_usec = CONCUR_PROCESS_PROMPT_US };
  int sockets[2];
  gboolean spawned;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "socketpair: %s",
                   g_strerror (errno));
      return FALSE;
    }

  self->socket = sockets[0];
  setsockopt (self->socket, SOL_SOCKET, SO_RCVTIMEO, &prompt, sizeof prompt);
  spawned = concur_process_spawn (self->settings, sockets[1], &self->pid, &self->messages, error);
  close (sockets[1]);
  if (!spawned)
    return FALSE;

  fcntl (self->messages, F_SETFL, O_NONBLOCK);

  return TRUE;
}

/* Where nobody reads it, that is no reason for the program to end. */
static void
write_stderr (const char *data,
              gsize       size)
{
  const struct timespec now = { 0 };
  sigset_t broken, pending, before;
  gssize n_written;

  sigemptyset (&broken);
  sigaddset (&broken, SIGPIPE);
  sigpending (&pending);
  pthread_sigmask (SIG_BLOCK, &broken, &before);
  do
    n_written = write (STDERR_FILENO, data, size);
  while (n_written < 0 && errno == EINTR);
  if (n_written < 0 && errno == EPIPE && !sigismember (&pending, SIGPIPE))
    sigtimedwait (&broken, NULL, &now);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

/* As an ordinary program would wait for whoever reads its stderr, but not for ever: calls
 * wait for this. Once that was in vain, what cannot be written at once is dropped. */
static void
child_pass_on (ConcurProcessChild *self,
               const char         *data,
               gsize               size)
{
  struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

  if (poll (&out, 1, self->is_unheard ? 0 : PATIENCE_MS) <= 0)
    {
      self->is_unheard = TRUE;
      return;
    }

  self->is_unheard = FALSE;
  write_stderr (data, size);
}

void
concur_process_child_listen (ConcurProcessChild *self)
{
  /* What a pipe that is ready takes without blocking. */
  char data[PIPE_BUF];
  gssize n_read = -1;
  guint i;

  if (self->messages == -1)
    return;

  /* One that never stops writing must not keep us here. */
  for (i = 0; i < PIPE_SIZE / PIPE_BUF; i++)
    {
      n_read = read (self->messages, data, sizeof data);
      if (n_read < 0 && errno == EINTR)
        continue;
      if (n_read <= 0)
        break;

      g_string_append_len (self->tail, data, n_read);
      if (self->tail->len > TAIL_SIZE)
        g_string_erase (self->tail, 0, (gssize) (self->tail->len - TAIL_SIZE));
      child_pass_on (self, data, (gsize) n_read);
    }

  /* Nobody can write to it any more; it would be ready for ever. */
  if (n_read == 0)
    {
      close (self->messages);
      self->messages = -1;
    }
}

/* FALSE: not within that time. */
static gboolean
child_wait (ConcurProcessChild *self,
            gint64              timeout_us)
{
  gint64 deadline = concur_deadline (timeout_us);
  int pidfd = -1;
  gboolean waited = FALSE;

  if (self->is_over)
    return TRUE;

#ifdef SYS_pidfd_open
  if (timeout_us != 0)
    pidfd = (int) syscall (SYS_pidfd_open, self->pid, 0);
#endif

  for (;;)
    {
      struct pollfd fds[] = {
        { .fd = self->messages, .events = POLLIN },
        { .fd = pidfd, .events = POLLIN },
      };
      pid_t pid = waitpid (self->pid, &self->status, WNOHANG);
      gint64 left = deadline < 0 ? -1 : deadline - concur_now ();
      int left_ms = left < 0 ? -1 : (int) MIN ((left + 999) / 1000, G_MAXINT);

      /* ECHILD: the program ignores SIGCHLD, or waits for whatever ends. */
      if (pid == self->pid || (pid < 0 && errno == ECHILD))
        {
          waited = self->is_over = TRUE;
          self->is_unknown = pid < 0;
          break;
        }
      if (deadline >= 0 && left <= 0)
        break;
      if (pidfd == -1)
        left_ms = left_ms < 0 ? LOOK_INTERVAL_MS : MIN (left_ms, LOOK_INTERVAL_MS);

      /* It may be writing at its leisure, and what it has started may keep stderr open. */
      if (poll (fds, G_N_ELEMENTS (fds), left_ms) > 0 && fds[0].revents != 0)
        concur_process_child_listen (self);
    }

  if (pidfd != -1)
    close (pidfd);
  if (waited)
    concur_process_child_listen (self);

  return waited;
}

void
concur_process_child_interrupt (ConcurProcessChild *self)
{
  if (!self->is_over)
    kill (self->pid, SIGINT);
}

void
concur_process_child_kill (ConcurProcessChild *self)
{
  if (self->is_over)
    return;

  /* With what it has started, even if it has left that alone. It is not waited for yet, so the
   * number is still its own. */
  kill (-self->pid, SIGKILL);
  kill (self->pid, SIGKILL);
  child_wait (self, -1);
}

void
concur_process_child_lost (ConcurProcessChild *self)
{
  if (!child_wait (self, self->settings->grace_us))
    concur_process_child_kill (self);
}

void
concur_process_child_end (ConcurProcessChild *self)
{
  if (!self->is_over)
    shutdown (self->socket, SHUT_RDWR);
  concur_process_child_lost (self);
  concur_process_child_free (self);
}

void
concur_process_child_free (ConcurProcessChild *self)
{
  if (self->pid > 0 && !self->is_over)
    concur_process_child_kill (self);
  if (self->socket != -1)
    close (self->socket);
  if (self->messages != -1)
    close (self->messages);
  if (self->waker != -1)
    close (self->waker);
  g_clear_pointer (&self->reader, concur_wire_reader_free);
  g_string_free (self->tail, TRUE);
  g_free (self);
}

void
concur_process_child_wake (ConcurProcessChild *self)
{
  guint64 one = 1;
  gssize written = write (self->waker, &one, sizeof one);

  /* It cannot fail but for being full, and then it is awake. */
  (void) written;
}

char *
concur_process_child_describe (ConcurProcessChild *self)
{
  GString *text = g_string_new (NULL);
  g_autofree char *said = g_utf8_make_valid (self->tail->str, (gssize) self->tail->len);

  if (self->is_unknown)
    g_string_append (text, "how it ended is not known, for the program waits for its processes");
  else if (WIFSIGNALED (self->status))
    g_string_append_printf (text, "it was killed by signal %d (%s)", WTERMSIG (self->status),
                            g_strsignal (WTERMSIG (self->status)));
  else
    g_string_append_printf (text, "its exit status was %d", WEXITSTATUS (self->status));
  g_strstrip (said);
  if (*said != '\0')
    g_string_append_printf (text, ". It had written:\n%s", said);

  return g_string_free (text, FALSE);
}

gboolean
concur_process_child_is_idle (ConcurProcessChild *self)
{
  struct pollfd fds[] = {
    { .fd = self->socket, .events = POLLIN },
    { .fd = self->messages, .events = POLLIN },
  };

  if (poll (fds, G_N_ELEMENTS (fds), 0) > 0 && fds[1].revents != 0)
    concur_process_child_listen (self);

  return fds[0].revents == 0 && concur_wire_reader_is_empty (self->reader);
}

static gboolean
child_read_ready (ConcurProcessChild  *self,
                  ConcurWireFrame     *frame,
                  GError             **error)
{
  guint32 version;

  if (frame->kind != CONCUR_WIRE_READY)
    {
      g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
                   "The worker process began with a %s frame",
                   concur_wire_kind_get_name (frame->kind));
      return FALSE;
    }

  g_variant_get (frame->content, "(uta{sv})", &version, &self->max_body, NULL);
  self->max_body = MIN (self->max_body, self->settings->max_message);
  if (version == CONCUR_WIRE_VERSION)
    return TRUE;

  g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL,
               "The worker process speaks version %u of the protocol, this is version %u", version,
               CONCUR_WIRE_VERSION);

  return FALSE;
}

static gboolean
child_make_hello (ConcurProcessChild  *self,
                  ConcurWireWriter    *writer,
                  GError             **error)
{
  const ConcurProcessSettings *settings = self->settings;
  GVariantDict options;

  g_variant_dict_init (&options, settings->options);
  g_variant_dict_insert (&options, "name", "s", settings->name);

  return concur_wire_writer_init (writer, CONCUR_WIRE_HELLO, 0, NULL,
                                  g_variant_new ("(ut@a{sv})", CONCUR_WIRE_VERSION,
                                                 settings->max_message,
                                                 g_variant_dict_end (&options)),
                                  NULL, CONCUR_WIRE_DEFAULT_MAX_BODY, error);
}

/* Says hello, and waits for the answer. One that is gone already is noticed by reading. */
static gboolean
child_wait_ready (ConcurProcessChild  *self,
                  ConcurWireWriter    *hello,
                  gint64               deadline,
                  GCancellable        *cancellable,
                  GError             **error)
{
  for (;;)
    {
      struct pollfd fds[] = {
        { .fd = self->socket, .events = POLLIN },
        { .fd = self->waker, .events = POLLIN },
        { .fd = self->messages, .events = POLLIN },
      };
      ConcurWireFrame frame = { 0 };
      g_autofree char *end = NULL;
      GError *read_error = NULL;
      gint64 left = deadline < 0 ? -1 : deadline - concur_now ();
      gboolean ready;

      if (!concur_wire_writer_is_done (hello)
          && !concur_wire_writer_send (hello, self->socket, error))
        {
          if (*error != NULL)
            return FALSE;
          hello->sent = hello->size;
        }
      if (!concur_wire_writer_is_done (hello))
        fds[0].events |= POLLOUT;

      switch (concur_wire_reader_take (self->reader, &frame, &read_error))
        {
        case CONCUR_WIRE_READ_DONE:
          ready = child_read_ready (self, &frame, error);
          concur_wire_clear (&frame);
          return ready;

        case CONCUR_WIRE_READ_BAD:
          g_propagate_prefixed_error (error, read_error,
                                      "The worker process cannot be understood: ");
          return FALSE;

        case CONCUR_WIRE_READ_END:
          concur_process_child_lost (self);
          end = concur_process_child_describe (self);
          g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                       "The worker process “%s” ended before it was ready: %s",
                       self->settings->command[0], end);
          return FALSE;

        case CONCUR_WIRE_READ_MORE:
        default:
          break;
        }

      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (deadline >= 0 && left <= 0)
        {
          g_set_error (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_WORKER_DIED,
                       "The worker process “%s” was not ready in time",
                       self->settings->command[0]);
          return FALSE;
        }

      poll (fds, G_N_ELEMENTS (fds), left < 0 ? -1 : (int) MIN ((left + 999) / 1000, G_MAXINT));
      if (fds[2].revents != 0)
        concur_process_child_listen (self);
      if ((fds[0].revents & ~POLLOUT) != 0
          && !concur_wire_reader_fill (self->reader, self->socket, FALSE, &read_error)
          && read_error != NULL)
        {
          g_propagate_error (error, read_error);
          return FALSE;
        }
    }
}

static void
wake (GCancellable *cancellable,
      gpointer      child)
{
  concur_process_child_wake (child);
}

ConcurProcessChild *
concur_process_child_start (const ConcurProcessSettings  *settings,
                            GCancellable                 *cancellable,
                            GError                      **error)
{
  ConcurProcessChild *self = g_new0 (ConcurProcessChild, 1);
  gint64 deadline = concur_deadline (settings->start_timeout_us);
  ConcurWireWriter hello = { .memfd = -1 };
  GError *start_error = NULL;
  gulong id = 0;
  gboolean started;

  self->settings = settings;
  self->socket = self->messages = -1;
  self->tail = g_string_new (NULL);
  self->reader = concur_wire_reader_new (settings->max_message);
  self->waker = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  if (self->waker == -1)
    {
      g_set_error (&start_error, G_IO_ERROR, g_io_error_from_errno (errno), "eventfd: %s",
                   g_strerror (errno));
      started = FALSE;
    }
  else
    {
      if (cancellable != NULL)
        id = g_cancellable_connect (cancellable, G_CALLBACK (wake), self, NULL);
      started = child_spawn (self, &start_error) && child_make_hello (self, &hello, &start_error)
                && child_wait_ready (self, &hello, deadline, cancellable, &start_error);
      g_cancellable_disconnect (cancellable, id);
    }

  concur_wire_writer_clear (&hello);
  if (!started)
    {
      concur_process_child_free (self);
      g_propagate_error (error, start_error);
      return NULL;
    }

  return self;
}
