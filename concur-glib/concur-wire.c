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
#include <sys/stat.h>
#include <unistd.h>

#include "concur-error.h"
#include "concur-wire-private.h"

/* Bytes asked of the socket at once; a buffer grows beyond that only for a frame whose
 * header was seen. */
#define READ_SIZE (64 * 1024)

/* From there on it is worth the while to look for an array of bytes. */
#define MANY_BYTES 4096

/* The body is the last descriptor that came with the frame. */
#define FLAG_MEMFD 1

/* Who maps a file must know that nobody will cut it off under his hands. */
#define MEMFD_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* As it travels. */
typedef struct
{
  guint32 magic;
  guint8 kind;
  guint8 flags;
  guint16 n_fds;
  guint64 id;
  guint64 size;
} Header;

G_STATIC_ASSERT (sizeof (Header) == CONCUR_WIRE_HEADER_SIZE);

struct _ConcurWireReader
{
  guint8 *buffer;
  gsize begin;
  gsize end;
  gsize size;
  guint64 max_body;
  int fds[2 * (CONCUR_WIRE_MAX_FDS + 1)];
  guint n_fds;
  gboolean ended;
};

static const struct
{
  ConcurWireKind kind;
  const char *name;
  const char *type;
} kinds[] = {
  { CONCUR_WIRE_HELLO, "HELLO", "(uta{sv})" },
  { CONCUR_WIRE_CALL, "CALL", "(sv)" },
  { CONCUR_WIRE_MAP, "MAP", "(sav)" },
  { CONCUR_WIRE_READY, "READY", "(uta{sv})" },
  { CONCUR_WIRE_RESULT, "RESULT", "v" },
  { CONCUR_WIRE_ERROR, "ERROR", "(sisa{sv})" },
  { CONCUR_WIRE_PROGRESS, "PROGRESS", "d" },
  { CONCUR_WIRE_STATUS, "STATUS", "ms" },
  { CONCUR_WIRE_ITEM, "ITEM", "v" },
};

static const char *
kind_get_type (guint kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (kinds[i].kind == kind)
        return kinds[i].type;
    }

  return NULL;
}

const char *
concur_wire_kind_get_name (ConcurWireKind kind)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (kinds[i].kind == kind)
        return kinds[i].name;
    }

  return "unknown";
}

void
concur_wire_clear (ConcurWireFrame *frame)
{
  g_clear_pointer (&frame->body, g_variant_unref);
  g_clear_object (&frame->fds);
}

static void
close_all (const int *fds,
           guint      n_fds)
{
  for (guint i = 0; i < n_fds; i++)
    close (fds[i]);
}

ConcurWireReader *
concur_wire_reader_new (guint64 max_body)
{
  ConcurWireReader *self = g_new0 (ConcurWireReader, 1);

  self->max_body = max_body;

  return self;
}

void
concur_wire_reader_free (ConcurWireReader *self)
{
  close_all (self->fds, self->n_fds);
  g_free (self->buffer);
  g_free (self);
}

static void
reader_make_room (ConcurWireReader *self,
                  gsize             size)
{
  if (self->begin > 0)
    {
      memmove (self->buffer, self->buffer + self->begin, self->end - self->begin);
      self->end -= self->begin;
      self->begin = 0;
    }
  if (self->size - self->end >= size)
    return;

  self->size = MAX (self->end + size, 2 * self->size);
  self->buffer = g_realloc (self->buffer, self->size);
}

/* Those that are too many are closed. */
static void
reader_add_fds (ConcurWireReader *self,
                const int        *fds,
                guint             n_fds)
{
  guint n_kept = MIN (n_fds, G_N_ELEMENTS (self->fds) - self->n_fds);

  memcpy (self->fds + self->n_fds, fds, n_kept * sizeof fds[0]);
  self->n_fds += n_kept;
  close_all (fds + n_kept, n_fds - n_kept);
}

void
concur_wire_reader_feed (ConcurWireReader *self,
                         gconstpointer     data,
                         gsize             size,
                         const int        *fds,
                         guint             n_fds)
{
  reader_make_room (self, size);
  if (size > 0)
    memcpy (self->buffer + self->end, data, size);
  self->end += size;
  reader_add_fds (self, fds, n_fds);
}

gboolean
concur_wire_reader_fill (ConcurWireReader  *self,
                         int                socket,
                         gboolean           wait,
                         GError           **error)
{
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int) * (CONCUR_WIRE_MAX_FDS + 1))];
  } control;
  struct iovec data;
  struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
  struct cmsghdr *part;
  gssize n_read;

  reader_make_room (self, READ_SIZE);
  data.iov_base = self->buffer + self->end;
  data.iov_len = self->size - self->end;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;

  do
    n_read = recvmsg (socket, &message, (wait ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
  while (n_read < 0 && errno == EINTR);

  if (n_read < 0)
    {
      int number = errno;

      if (number == EAGAIN)
        return TRUE;

      /* It went with something of ours unread. */
      self->ended = TRUE;
      if (number != ECONNRESET && number != EPIPE)
        g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number), "recvmsg: %s",
                     g_strerror (number));
      return FALSE;
    }

  /* The kernel drops those that the process has no number left for. */
  if (message.msg_flags & MSG_CTRUNC)
    {
      self->ended = TRUE;
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES,
                           "File descriptors from the other process were lost: too many are open");
    }

  for (part = CMSG_FIRSTHDR (&message); part != NULL; part = CMSG_NXTHDR (&message, part))
    {
      if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
        reader_add_fds (self, (const int *) (void *) CMSG_DATA (part),
                        (part->cmsg_len - CMSG_LEN (0)) / sizeof (int));
    }
  self->end += (gsize) n_read;
  if (n_read == 0)
    self->ended = TRUE;

  return !self->ended;
}

static gboolean
refuse (GError     **error,
        const char  *format,
        ...) G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError     **error,
        const char  *format,
        ...)
{
  va_list args;
  g_autofree char *what = NULL;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error_literal (error, CONCUR_EXECUTOR_ERROR, CONCUR_EXECUTOR_ERROR_PROTOCOL, what);

  return FALSE;
}

static gboolean
header_check (const Header  *header,
              guint64        max_body,
              GError       **error)
{
  if (header->magic != CONCUR_WIRE_MAGIC)
    return refuse (error, "what came is no frame: it begins with 0x%08x", header->magic);
  if (kind_get_type (header->kind) == NULL)
    return refuse (error, "there is no frame of kind %u", header->kind);
  if (header->flags & ~FLAG_MEMFD)
    return refuse (error, "a %s frame has unknown flags 0x%02x",
                   concur_wire_kind_get_name (header->kind), header->flags);
  if (header->size > max_body)
    return refuse (error,
                   "a %s frame is %" G_GUINT64_FORMAT " bytes long; %" G_GUINT64_FORMAT
                   " are allowed",
                   concur_wire_kind_get_name (header->kind), header->size, max_body);
  if (header->n_fds > CONCUR_WIRE_MAX_FDS + (header->flags & FLAG_MEMFD))
    return refuse (error, "a %s frame has %u file descriptors; %u are allowed",
                   concur_wire_kind_get_name (header->kind), header->n_fds, CONCUR_WIRE_MAX_FDS);
  if ((header->flags & FLAG_MEMFD) && header->n_fds == 0)
    return refuse (error, "the body of a %s frame should be in a memfd, but none came",
                   concur_wire_kind_get_name (header->kind));

  return TRUE;
}

typedef struct
{
  gpointer data;
  gsize size;
} Mapping;

static void
mapping_free (gpointer data)
{
  Mapping *mapping = data;

  munmap (mapping->data, mapping->size);
  g_free (mapping);
}

static GBytes *
map_body (int       fd,
          guint64   size,
          GError  **error)
{
  int seals = fcntl (fd, F_GET_SEALS);
  struct stat status;
  Mapping *mapping;
  gpointer data;

  if (seals == -1 || (seals & MEMFD_SEALS) != MEMFD_SEALS)
    {
      refuse (error, "the body is in a file that is not sealed");
      return NULL;
    }
  if (fstat (fd, &status) != 0 || status.st_size < 0 || (guint64) status.st_size != size)
    {
      refuse (error, "the body should be %" G_GUINT64_FORMAT " bytes long, its file is not", size);
      return NULL;
    }
  if (size == 0)
    return g_bytes_new (NULL, 0);

  data = mmap (NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "mmap: %s",
                   g_strerror (errno));
      return NULL;
    }
  mapping = g_new (Mapping, 1);
  mapping->data = data;
  mapping->size = size;

  return g_bytes_new_with_free_func (data, size, mapping_free, mapping);
}

/* Whether it is a variant with an array of bytes, which is normal whatever they are. */
static gboolean
has_bytes (GVariant *variant)
{
  g_autoptr (GVariant) content = g_variant_get_variant (variant);

  return g_variant_is_of_type (content, G_VARIANT_TYPE_BYTESTRING)
         && g_variant_get_size (variant) == g_variant_get_size (content) + sizeof "ay";
}

/* Whether it is a name, and bytes: the name, up to a multiple of eight, the variant, and
 * where the name ends. */
static gboolean
has_name_and_bytes (GVariant *tuple)
{
  g_autoptr (GVariant) name = g_variant_get_child_value (tuple, 0);
  g_autoptr (GVariant) content = g_variant_get_child_value (tuple, 1);
  const guint8 *data = g_variant_get_data (tuple);
  gsize size = g_variant_get_size (tuple);
  gsize name_size = g_variant_get_size (name);
  gsize begin = (name_size + 7) & ~(gsize) 7;
  gsize end_size = size <= G_MAXUINT16 ? 2 : size <= G_MAXUINT32 ? 4 : 8;
  guint64 end = 0;

  if (size != begin + g_variant_get_size (content) + end_size)
    return FALSE;
  for (gsize i = name_size; i < begin; i++)
    {
      if (data[i] != 0)
        return FALSE;
    }
  for (gsize i = 0; i < end_size; i++)
    end |= (guint64) data[size - end_size + i] << (8 * i);

  return end == name_size && g_variant_is_normal_form (name) && has_bytes (content);
}

/* GVariant looks at each byte of an array, where there may be many millions. */
static gboolean
is_normal (GVariant *body)
{
  if (g_variant_get_size (body) >= MANY_BYTES)
    {
      if (g_variant_is_of_type (body, G_VARIANT_TYPE_VARIANT) && has_bytes (body))
        return TRUE;
      if (g_variant_is_of_type (body, G_VARIANT_TYPE ("(sv)")) && has_name_and_bytes (body))
        return TRUE;
    }

  return g_variant_is_normal_form (body);
}

/* Takes the frame's descriptors off the list, and its body. */
static gboolean
reader_take_body (ConcurWireReader  *self,
                  const Header      *header,
                  ConcurWireFrame   *frame,
                  GError           **error)
{
  gboolean in_memfd = (header->flags & FLAG_MEMFD) != 0;
  guint n_fds = header->n_fds;
  int fds[CONCUR_WIRE_MAX_FDS + 1];
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GVariant) body = NULL;

  memcpy (fds, self->fds, n_fds * sizeof fds[0]);
  self->n_fds -= n_fds;
  memmove (self->fds, self->fds + n_fds, self->n_fds * sizeof fds[0]);

  if (in_memfd)
    {
      n_fds--;
      bytes = map_body (fds[n_fds], header->size, error);
      close (fds[n_fds]);
    }
  else
    {
      bytes = g_bytes_new (self->buffer + self->begin + CONCUR_WIRE_HEADER_SIZE, header->size);
      self->begin += header->size;
    }
  self->begin += CONCUR_WIRE_HEADER_SIZE;

  if (bytes == NULL)
    {
      close_all (fds, n_fds);
      return FALSE;
    }

  body = g_variant_ref_sink (
      g_variant_new_from_bytes (G_VARIANT_TYPE (kind_get_type (header->kind)), bytes, FALSE));
  if (!is_normal (body))
    {
      close_all (fds, n_fds);
      return refuse (error, "the body of a %s frame is no %s in normal form",
                     concur_wire_kind_get_name (header->kind), kind_get_type (header->kind));
    }

  frame->kind = header->kind;
  frame->id = header->id;
  frame->body = g_steal_pointer (&body);
  frame->fds = n_fds == 0 ? NULL : g_unix_fd_list_new_from_array (fds, (gint) n_fds);

  return TRUE;
}

ConcurWireRead
concur_wire_reader_take (ConcurWireReader  *self,
                         ConcurWireFrame   *frame,
                         GError           **error)
{
  gsize available = self->end - self->begin;
  gsize wanted = CONCUR_WIRE_HEADER_SIZE;
  Header header;

  if (available >= wanted)
    {
      memcpy (&header, self->buffer + self->begin, sizeof header);
      if (!header_check (&header, self->max_body, error))
        return CONCUR_WIRE_READ_BAD;
      if (!(header.flags & FLAG_MEMFD))
        wanted += header.size;
    }

  if (available < wanted)
    {
      if (!self->ended)
        return CONCUR_WIRE_READ_MORE;
      if (available == 0)
        return CONCUR_WIRE_READ_END;
      refuse (error, "what came ends in the middle of a frame");
      return CONCUR_WIRE_READ_BAD;
    }

  /* Those of a frame come with its first byte. */
  if (header.n_fds > self->n_fds)
    {
      refuse (error, "a %s frame should have %u file descriptors, %u came",
              concur_wire_kind_get_name (header.kind), header.n_fds, self->n_fds);
      return CONCUR_WIRE_READ_BAD;
    }

  return reader_take_body (self, &header, frame, error) ? CONCUR_WIRE_READ_DONE
                                                        : CONCUR_WIRE_READ_BAD;
}

gboolean
concur_wire_reader_is_empty (const ConcurWireReader *self)
{
  return self->begin == self->end && self->n_fds == 0;
}

/* The body in a file that nobody can change any more. */
static int
store_in_memfd (GVariant  *body,
                gsize      size,
                GError   **error)
{
  int fd = memfd_create ("concur", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  gpointer data = MAP_FAILED;

  if (fd != -1 && ftruncate (fd, (off_t) size) == 0)
    data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data != MAP_FAILED)
    {
      g_variant_store (body, data);
      munmap (data, size);
      if (fcntl (fd, F_ADD_SEALS, MEMFD_SEALS) == 0)
        return fd;
    }

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "memfd: %s", g_strerror (errno));
  if (fd != -1)
    close (fd);

  return -1;
}

gboolean
concur_wire_writer_init (ConcurWireWriter  *self,
                         ConcurWireKind     kind,
                         guint64            id,
                         GVariant          *body,
                         GUnixFDList       *fds,
                         guint64            max_body,
                         GError           **error)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (body);
  gsize size = g_variant_get_size (sunk);
  gboolean in_memfd = size >= CONCUR_WIRE_MEMFD_SIZE;
  guint n_fds = fds == NULL ? 0 : (guint) g_unix_fd_list_get_length (fds);
  Header header = {
    .magic = CONCUR_WIRE_MAGIC,
    .kind = kind,
    .flags = in_memfd ? FLAG_MEMFD : 0,
    .n_fds = (guint16) (n_fds + in_memfd),
    .id = id,
    .size = size,
  };

  memset (self, 0, sizeof *self);
  self->memfd = -1;

  if (size > max_body)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                   "%" G_GSIZE_FORMAT " bytes are too many for a worker process: %" G_GUINT64_FORMAT
                   " are allowed",
                   size, max_body);
      return FALSE;
    }
  if (n_fds > CONCUR_WIRE_MAX_FDS)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                   "%u file descriptors are too many for a worker process: %u are allowed", n_fds,
                   CONCUR_WIRE_MAX_FDS);
      return FALSE;
    }
  if (in_memfd)
    {
      self->memfd = store_in_memfd (sunk, size, error);
      if (self->memfd == -1)
        return FALSE;
    }

  if (n_fds > 0)
    memcpy (self->fds, g_unix_fd_list_peek_fds (fds, NULL), n_fds * sizeof self->fds[0]);
  if (in_memfd)
    self->fds[n_fds++] = self->memfd;
  self->n_fds = n_fds;

  self->size = CONCUR_WIRE_HEADER_SIZE + (in_memfd ? 0 : size);
  self->data = g_malloc (self->size);
  memcpy (self->data, &header, sizeof header);
  if (!in_memfd)
    g_variant_store (sunk, self->data + CONCUR_WIRE_HEADER_SIZE);

  return TRUE;
}

void
concur_wire_writer_clear (ConcurWireWriter *self)
{
  g_clear_pointer (&self->data, g_free);
  if (self->memfd != -1)
    close (self->memfd);
  self->memfd = -1;
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
      struct iovec data = { self->data + self->sent, self->size - self->sent };
      struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
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
