/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The thread that asks for calls reads, and does so by blocking: nobody stands between it
 * and the program. Beside it a thread sleeps until there is something that cannot wait for
 * the end of a call: SIGINT, by which the program asks to stop it, or the end of the
 * program. It does not look at what comes, so calls do not wake it. */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "concur-error.h"
#include "concur-worker-link-private.h"

#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif

/* How long a worker may tidy up once the program has gone; nobody is left who would end it. */
#define ORPHAN_GRACE_MS 2000

/* Written by the signal handler, which may do little else. One worker a process. */
static int interrupt_fd = -1;

ConcurWorkerLink *
concur_worker_link_new (int socket)
{
  ConcurWorkerLink *self = g_new0 (ConcurWorkerLink, 1);

  concur_atomic_init (&self->refs, 1);
  self->socket = socket;
  self->max_body = CONCUR_WIRE_DEFAULT_MAX_BODY;
  self->reader = concur_wire_reader_new (CONCUR_WIRE_DEFAULT_MAX_BODY);
  concur_lock_init (&self->lock);
  concur_lock_init (&self->sending);

  return self;
}

ConcurWorkerLink *
concur_worker_link_ref (ConcurWorkerLink *self)
{
  concur_atomic_add (&self->refs, 1, CONCUR_RELAXED);

  return self;
}

void
concur_worker_link_unref (ConcurWorkerLink *self)
{
  /* Release what this thread did with it, acquire what the others did. */
  if (concur_atomic_sub (&self->refs, 1, CONCUR_ACQ_REL) != 1)
    return;

  close (self->socket);
  concur_wire_reader_free (self->reader);
  concur_lock_clear (&self->lock);
  concur_lock_clear (&self->sending);
  g_free (self);
}

static void
wait_for_room (int socket)
{
  struct pollfd poll_fd = { .fd = socket, .events = POLLOUT };

  /* Whatever it was that ended it, the next call on the socket says more. */
  poll (&poll_fd, 1, -1);
}

ConcurWireRead
concur_worker_link_read (ConcurWorkerLink  *self,
                         ConcurWireFrame   *frame,
                         GError           **error)
{
  for (;;)
    {
      GError *fill_error = NULL;
      ConcurWireRead read = concur_wire_reader_take (self->reader, frame, error);

      if (read != CONCUR_WIRE_READ_MORE)
        return read;

      if (!concur_wire_reader_fill (self->reader, self->socket, TRUE, &fill_error)
          && fill_error != NULL)
        {
          g_propagate_error (error, fill_error);
          return CONCUR_WIRE_READ_BAD;
        }
    }
}

gboolean
concur_worker_link_send (ConcurWorkerLink  *self,
                         ConcurWireKind     kind,
                         guint64            id,
                         GVariant          *content,
                         GUnixFDList       *fds,
                         GError           **error)
{
  ConcurWireWriter writer;
  GError *send_error = NULL;
  gboolean sent;

  if (!concur_wire_writer_init (&writer, kind, id, NULL, content, fds, self->max_body, error))
    return FALSE;

  concur_lock_acquire (&self->sending);
  sent = !self->is_broken;
  while (sent && !concur_wire_writer_is_done (&writer))
    {
      sent = concur_wire_writer_send (&writer, self->socket, &send_error);
      if (sent && !concur_wire_writer_is_done (&writer))
        wait_for_room (self->socket);
    }
  self->is_broken |= !sent;
  concur_lock_release (&self->sending);

  concur_wire_writer_clear (&writer);
  if (send_error != NULL)
    g_propagate_error (error, send_error);
  else if (!sent)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BROKEN_PIPE,
                         "The program that the worker works for has gone");

  return sent;
}

void
concur_worker_link_break (ConcurWorkerLink *self)
{
  shutdown (self->socket, SHUT_RDWR);
}

void
concur_worker_link_set_running (ConcurWorkerLink   *self,
                                ConcurInterruption *interruption)
{
  concur_lock_acquire (&self->lock);
  self->running = interruption;
  concur_lock_release (&self->lock);
}

void
concur_worker_link_unset_running (ConcurWorkerLink   *self,
                                  ConcurInterruption *interruption)
{
  concur_lock_acquire (&self->lock);
  if (self->running == interruption)
    self->running = NULL;
  concur_lock_release (&self->lock);
}

void
concur_worker_link_interrupt (ConcurWorkerLink *self)
{
  GCancellable *cancellable = NULL;

  concur_lock_acquire (&self->lock);
  if (self->running != NULL)
    {
      self->running->is_raised = TRUE;
      if (self->running->cancellable != NULL)
        cancellable = g_object_ref (self->running->cancellable);
    }
  concur_lock_release (&self->lock);

  if (cancellable != NULL)
    {
      g_cancellable_cancel (cancellable);
      g_object_unref (cancellable);
    }
}

gboolean
concur_worker_link_is_interrupted (ConcurWorkerLink   *self,
                                   ConcurInterruption *interruption)
{
  gboolean is_raised;

  concur_lock_acquire (&self->lock);
  is_raised = interruption->is_raised
              || (interruption->cancellable != NULL
                  && g_cancellable_is_cancelled (interruption->cancellable));
  concur_lock_release (&self->lock);

  return is_raised;
}

GCancellable *
concur_worker_link_get_cancellable (ConcurWorkerLink   *self,
                                    ConcurInterruption *interruption)
{
  GCancellable *fresh = g_cancellable_new ();
  GCancellable *cancellable;
  gboolean is_raised;

  concur_lock_acquire (&self->lock);
  if (interruption->cancellable == NULL)
    interruption->cancellable = g_steal_pointer (&fresh);
  cancellable = interruption->cancellable;
  is_raised = interruption->is_raised;
  concur_lock_release (&self->lock);

  g_clear_object (&fresh);
  if (is_raised)
    g_cancellable_cancel (cancellable);

  return cancellable;
}

static void
send_forgotten (ConcurWorkerLink *self,
                guint64           id)
{
  concur_worker_link_send (self, CONCUR_WIRE_ERROR, id,
                           g_variant_new ("(sisa{sv})", g_quark_to_string (CONCUR_FUTURE_ERROR),
                                          CONCUR_FUTURE_ERROR_BROKEN_PROMISE,
                                          "The worker process let the call go without an answer; "
                                          "where there is nothing to say, that is ()",
                                          NULL),
                           NULL, NULL);
}

void
concur_worker_link_forget (ConcurWorkerLink *self,
                           guint64           id)
{
  gboolean is_asking;

  concur_lock_acquire (&self->lock);
  is_asking = self->is_asking;
  if (!is_asking)
    self->forgotten = id;
  concur_lock_release (&self->lock);

  if (is_asking)
    send_forgotten (self, id);
}

void
concur_worker_link_ask (ConcurWorkerLink *self,
                        gboolean          is_asking)
{
  guint64 id;

  concur_lock_acquire (&self->lock);
  self->is_asking = is_asking;
  id = self->forgotten;
  self->forgotten = 0;
  concur_lock_release (&self->lock);

  if (id != 0)
    send_forgotten (self, id);
}

static void
interrupted (int number)
{
  int saved = errno;
  guint64 one = 1;
  gssize written = write (interrupt_fd, &one, sizeof one);

  (void) written;
  (void) number;
  errno = saved;
}

/* The program as such; -1 where it cannot be had. What was forked from the program may hold
 * the other end of the socket longer than it lives. */
static int
open_program (int socket)
{
#ifdef SYS_pidfd_open
  struct ucred peer;
  socklen_t size = sizeof peer;

  /* 0: it is not in our view of the system. */
  if (getsockopt (socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0)
    return (int) syscall (SYS_pidfd_open, peer.pid, 0);
#endif

  return -1;
}

static gpointer
watch (gpointer data)
{
  ConcurWorkerLink *self = data;
  struct pollfd fds[] = {
    { .fd = interrupt_fd, .events = POLLIN },
    { .fd = self->socket, .events = POLLRDHUP },
    { .fd = open_program (self->socket), .events = POLLIN },
  };

  for (;;)
    {
      guint64 count;

      if (poll (fds, G_N_ELEMENTS (fds), -1) < 0)
        continue;
      if ((fds[0].revents & POLLIN) && read (interrupt_fd, &count, sizeof count) > 0)
        concur_worker_link_interrupt (self);
      if (fds[1].revents != 0 || fds[2].revents != 0)
        break;
    }

  /* The main thread sees it too, unless it is in the middle of a call. */
  shutdown (self->socket, SHUT_RDWR);
  concur_worker_link_interrupt (self);
  /* As long as it is there, the program knows how long to wait. */
  if (fds[2].fd != -1)
    poll (&fds[2], 1, -1);
  poll (NULL, 0, ORPHAN_GRACE_MS);
  _exit (EXIT_FAILURE);

  return NULL;
}

gboolean
concur_worker_link_watch (ConcurWorkerLink  *self,
                          GError           **error)
{
  struct sigaction action = { .sa_handler = interrupted, .sa_flags = SA_RESTART };
  sigset_t all, before;
  GThread *thread;

  interrupt_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (interrupt_fd == -1 || sigaction (SIGINT, &action, NULL) != 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "eventfd: %s",
                   g_strerror (errno));
      return FALSE;
    }

  /* Handlers of the worker's own are for its other threads. */
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  thread = g_thread_try_new ("concur-watch", watch, concur_worker_link_ref (self), error);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  if (thread == NULL)
    {
      concur_worker_link_unref (self);
      return FALSE;
    }
  g_thread_unref (thread);

  return TRUE;
}
