/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "concur-wire-header-private.h"

/* A value from this size on is sent from where it is. */
#define SEND_FROM_SIZE (16 * 1024)

/* What a body looks like. GVariant could make it, at the price of several copies and some
 * thousand instructions. */
typedef struct
{
  const char *name;              /* (nullable) */
  GVariant *content;             /* (owned) */
  const char *type;              /* (nullable): of the content, which stands behind it */
  gsize name_size;
  gsize begin;                   /* of the content */
  gsize content_size;
  gsize offset_size;             /* where the name ends stands at the end */
  gsize size;
} Layout;

static void
layout_init (Layout         *self,
             ConcurWireKind  kind,
             const char     *name,
             GVariant       *content)
{
  g_autoptr (GVariant) given = g_variant_ref_sink (content);

  memset (self, 0, sizeof *self);
  /* It may be from a file, and as wrong as files are. */
  self->content = g_variant_get_normal_form (given);
  self->content_size = g_variant_get_size (self->content);
  if (name != NULL)
    {
      self->name = name;
      self->name_size = strlen (name) + 1;
      self->begin = (self->name_size + 7) & ~(gsize) 7;
    }
  self->size = self->begin + self->content_size;
  if (concur_wire_kind_is_boxed (kind))
    {
      self->type = g_variant_get_type_string (self->content);
      self->size += 1 + strlen (self->type);
    }
  if (name != NULL)
    {
      self->offset_size = concur_wire_get_offset_size (self->size);
      self->size += self->offset_size;
    }
}

static void
layout_clear (Layout *self)
{
  g_clear_pointer (&self->content, g_variant_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Layout, layout_clear)

static void
layout_store_head (const Layout *self,
                   guint8       *data)
{
  if (self->name == NULL)
    return;

  memset (data + self->name_size, 0, self->begin - self->name_size);
  memcpy (data, self->name, self->name_size);
}

static void
layout_store_tail (const Layout *self,
                   guint8       *data)
{
  if (self->type != NULL)
    {
      gsize size = strlen (self->type);

      *data++ = '\0';
      memcpy (data, self->type, size);
      data += size;
    }
  for (gsize i = 0; i < self->offset_size; i++)
    data[i] = (guint8) (self->name_size >> (8 * i));
}

static gboolean
write_all (int           fd,
           gconstpointer data,
           gsize         size)
{
  const guint8 *rest = data;

  while (size > 0)
    {
      gssize n_written = write (fd, rest, size);

      if (n_written < 0 && errno != EINTR)
        return FALSE;
      if (n_written > 0)
        {
          rest += n_written;
          size -= (gsize) n_written;
        }
    }

  return TRUE;
}

/* The body in a file that nobody can change any more; -1 if there is none to be had, or it
 * cannot be sealed, as when the kernel looks at its memory at this moment. A mapping would keep
 * it from that as well, if another thread forks meanwhile. */
static int
store_in_memfd (const Layout *layout)
{
  int fd = memfd_create ("concur", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  gsize tail_size = layout->size - layout->begin - layout->content_size;
  g_autofree guint8 *head = g_malloc0 (layout->begin);
  g_autofree guint8 *tail = g_malloc (tail_size);

  if (fd == -1)
    return -1;

  layout_store_head (layout, head);
  layout_store_tail (layout, tail);
  if (write_all (fd, head, layout->begin)
      && write_all (fd, g_variant_get_data (layout->content), layout->content_size)
      && write_all (fd, tail, tail_size) && fcntl (fd, F_ADD_SEALS, CONCUR_WIRE_MEMFD_SEALS) == 0)
    return fd;

  close (fd);

  return -1;
}

/* The bytes that go through the socket. */
static void
writer_store (ConcurWireWriter       *self,
              const ConcurWireHeader *header,
              Layout                 *layout)
{
  gboolean in_memfd = (header->flags & CONCUR_WIRE_FLAG_MEMFD) != 0;
  gsize stored;

  self->size = sizeof *header + (in_memfd ? 0 : layout->size);
  self->content_begin = sizeof *header + layout->begin;
  if (!in_memfd && layout->content_size >= SEND_FROM_SIZE)
    {
      self->content_size = layout->content_size;
      self->content_data = g_variant_get_data (layout->content);
      self->content = g_steal_pointer (&layout->content);
    }

  stored = self->size - self->content_size;
  self->data = g_malloc (stored);
  memcpy (self->data, header, sizeof *header);
  if (in_memfd)
    return;

  layout_store_head (layout, self->data + sizeof *header);
  if (self->content == NULL)
    g_variant_store (layout->content, self->data + self->content_begin);
  layout_store_tail (layout, self->data + self->content_begin + layout->content_size
                             - self->content_size);
}

gboolean
concur_wire_writer_init (ConcurWireWriter  *self,
                         ConcurWireKind     kind,
                         guint64            id,
                         const char        *name,
                         GVariant          *content,
                         GUnixFDList       *fds,
                         guint64            max_body,
                         GError           **error)
{
  g_auto (Layout) layout;
  guint n_fds = fds == NULL ? 0 : (guint) g_unix_fd_list_get_length (fds);
  gboolean in_memfd;
  ConcurWireHeader header = { .magic = CONCUR_WIRE_MAGIC, .kind = kind, .id = id };

  layout_init (&layout, kind, name, content);
  memset (self, 0, sizeof *self);
  self->memfd = -1;

  if (layout.size > max_body)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                   "%" G_GSIZE_FORMAT " bytes are too many for a worker process: %" G_GUINT64_FORMAT
                   " are allowed",
                   layout.size, max_body);
      return FALSE;
    }
  if (n_fds > CONCUR_WIRE_MAX_FDS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                   "%u file descriptors are too many for a worker process: %u are allowed", n_fds,
                   CONCUR_WIRE_MAX_FDS);
      return FALSE;
    }

  if (layout.size >= CONCUR_WIRE_MEMFD_SIZE)
    self->memfd = store_in_memfd (&layout);
  in_memfd = self->memfd != -1;
  header.flags = in_memfd ? CONCUR_WIRE_FLAG_MEMFD : 0;
  header.n_fds = (guint16) (n_fds + in_memfd);
  header.size = layout.size;

  if (n_fds > 0)
    memcpy (self->fds, g_unix_fd_list_peek_fds (fds, NULL), n_fds * sizeof self->fds[0]);
  if (in_memfd)
    self->fds[n_fds++] = self->memfd;
  self->n_fds = n_fds;
  writer_store (self, &header, &layout);

  return TRUE;
}

void
concur_wire_writer_clear (ConcurWireWriter *self)
{
  g_clear_pointer (&self->data, g_free);
  g_clear_pointer (&self->content, g_variant_unref);
  if (self->memfd != -1)
    close (self->memfd);
  self->memfd = -1;
}

/* What was not sent. */
static guint
writer_get_parts (const ConcurWireWriter *self,
                  struct iovec           *parts)
{
  gsize content_end = self->content_begin + self->content_size;

  if (self->content == NULL || self->sent >= content_end)
    {
      parts[0].iov_base = self->data + self->sent - self->content_size * (self->content != NULL);
      parts[0].iov_len = self->size - self->sent;
      return 1;
    }
  if (self->sent >= self->content_begin)
    {
      gsize done = self->sent - self->content_begin;

      parts[0].iov_base = (guint8 *) self->content_data + done;
      parts[0].iov_len = self->content_size - done;
      parts[1].iov_base = self->data + self->content_begin;
      parts[1].iov_len = self->size - content_end;
      return 2;
    }

  parts[0].iov_base = self->data + self->sent;
  parts[0].iov_len = self->content_begin - self->sent;
  parts[1].iov_base = (guint8 *) self->content_data;
  parts[1].iov_len = self->content_size;
  parts[2].iov_base = self->data + self->content_begin;
  parts[2].iov_len = self->size - content_end;

  return 3;
}

gboolean
concur_wire_writer_send (ConcurWireWriter  *self,
                         int                socket,
                         GError           **error)
{
  while (self->sent < self->size)
    {
      union
      {
        struct cmsghdr header;
        char space[CMSG_SPACE (sizeof (int) * (CONCUR_WIRE_MAX_FDS + 1))];
      } control;
      struct iovec parts[3];
      struct msghdr message = { .msg_iov = parts, .msg_iovlen = writer_get_parts (self, parts) };
      gssize n_sent;

      if (self->sent == 0 && self->n_fds > 0)
        {
          gsize size = self->n_fds * sizeof self->fds[0];

          memset (&control, 0, sizeof control);
          control.header.cmsg_level = SOL_SOCKET;
          control.header.cmsg_type = SCM_RIGHTS;
          control.header.cmsg_len = CMSG_LEN (size);
          memcpy (CMSG_DATA (&control.header), self->fds, size);
          message.msg_control = &control;
          message.msg_controllen = CMSG_SPACE (size);
        }

      n_sent = sendmsg (socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n_sent >= 0)
        {
          self->sent += (gsize) n_sent;
        }
      else if (errno == EAGAIN)
        {
          return TRUE;
        }
      else if (errno != EINTR)
        {
          if (errno != EPIPE && errno != ECONNRESET)
            g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "sendmsg: %s",
                         g_strerror (errno));
          return FALSE;
        }
    }

  return TRUE;
}
