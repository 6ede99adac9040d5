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
#include "concur-wire-header-private.h"

/* Bytes asked of the socket at once; a buffer grows beyond that only for a frame whose
 * header was seen. */
#define READ_SIZE (16 * 1024)

/* GVariant needs some twenty times the memory of a type's name to describe the type. */
#define MAX_TYPE_SIZE (64 * 1024)

/* A body from this size on is read to where it stays, rather than through the buffer. */
#define LARGE_SIZE (16 * 1024)

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
  GVariant *kept;                /* (owned) (nullable): of the type of the last content */

  /* the large frame that is being read, if there is one; its header is no more in the buffer */
  guint8 *large;                 /* (owned) (nullable) */
  gsize large_end;
  ConcurWireHeader large_header;
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
  g_clear_pointer (&frame->content, g_variant_unref);
  g_clear_object (&frame->fds);
}

static void
close_all (const int *fds,
           guint      n_fds)
{
  for (guint i = 0; i < n_fds; i++)
    close (fds[i]);
}

/* GVariant makes the description of a type anew whenever there is no value of it. */
static void
reader_keep_type (ConcurWireReader   *self,
                  const GVariantType *type)
{
  if (self->kept != NULL && g_variant_is_of_type (self->kept, type))
    return;

  g_clear_pointer (&self->kept, g_variant_unref);
  self->kept = g_variant_ref_sink (g_variant_new_from_data (type, NULL, 0, TRUE, NULL, NULL));
}

ConcurWireReader *
concur_wire_reader_new (guint64 max_body)
{
  ConcurWireReader *self = g_new0 (ConcurWireReader, 1);

  self->max_body = max_body;

  return self;
}

void
concur_wire_reader_set_max_body (ConcurWireReader *self,
                                 guint64           max_body)
{
  self->max_body = max_body;
}

void
concur_wire_reader_free (ConcurWireReader *self)
{
  close_all (self->fds, self->n_fds);
  g_free (self->buffer);
  g_free (self->large);
  g_clear_pointer (&self->kept, g_variant_unref);
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
  for (guint i = 0; i < n_fds; i++)
    {
      if (self->n_fds < G_N_ELEMENTS (self->fds))
        self->fds[self->n_fds++] = fds[i];
      else
        close (fds[i]);
    }
}

void
concur_wire_reader_feed (ConcurWireReader *self,
                         gconstpointer     data,
                         gsize             size,
                         const int        *fds,
                         guint             n_fds)
{
  reader_add_fds (self, fds, n_fds);
  if (self->large != NULL)
    {
      gsize n = MIN (size, self->large_header.size - self->large_end);

      if (n > 0)
        memcpy (self->large + self->large_end, data, n);
      self->large_end += n;
      data = (const guint8 *) data + n;
      size -= n;
    }
  reader_make_room (self, size);
  if (size > 0)
    memcpy (self->buffer + self->end, data, size);
  self->end += size;
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

  if (self->large != NULL)
    {
      data.iov_base = self->large + self->large_end;
      data.iov_len = self->large_header.size - self->large_end;
    }
  else
    {
      reader_make_room (self, READ_SIZE);
      data.iov_base = self->buffer + self->end;
      data.iov_len = self->size - self->end;
    }
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
  if (self->large != NULL)
    self->large_end += (gsize) n_read;
  else
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
header_check (const ConcurWireHeader  *header,
              guint64        max_body,
              GError       **error)
{
  if (header->magic != CONCUR_WIRE_MAGIC)
    return refuse (error, "what came is no frame: it begins with 0x%08x", header->magic);
  if (kind_get_type (header->kind) == NULL)
    return refuse (error, "there is no frame of kind %u", header->kind);
  if (header->flags & ~CONCUR_WIRE_FLAG_MEMFD)
    return refuse (error, "a %s frame has unknown flags 0x%02x",
                   concur_wire_kind_get_name (header->kind), header->flags);
  if (header->size > max_body)
    return refuse (error,
                   "a %s frame is %" G_GUINT64_FORMAT " bytes long; %" G_GUINT64_FORMAT
                   " are allowed",
                   concur_wire_kind_get_name (header->kind), header->size, max_body);
  if (header->n_fds > CONCUR_WIRE_MAX_FDS + (header->flags & CONCUR_WIRE_FLAG_MEMFD))
    return refuse (error, "a %s frame has %u file descriptors; %u are allowed",
                   concur_wire_kind_get_name (header->kind), header->n_fds, CONCUR_WIRE_MAX_FDS);
  if ((header->flags & CONCUR_WIRE_FLAG_MEMFD) && header->n_fds == 0)
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

  if (seals == -1 || (seals & CONCUR_WIRE_MEMFD_SEALS) != CONCUR_WIRE_MEMFD_SEALS)
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

/* A body, or the part of one. */
typedef struct
{
  const guint8 *data;
  gsize size;
  GBytes *owner;                 /* (nullable): has the data; the reader, if not set */
} Part;

/* Takes what has an owner as it is, and copies what is in the buffer. */
static GVariant *
part_to_variant (const Part         *self,
                 const GVariantType *type,
                 gboolean            trusted)
{
  g_autoptr (GBytes) bytes = NULL;

  if (self->owner == NULL)
    {
      bytes = g_bytes_new (self->data, self->size);
    }
  else
    {
      const guint8 *all = g_bytes_get_data (self->owner, NULL);

      bytes = g_bytes_new_from_bytes (self->owner, (gsize) (self->data - all), self->size);
    }

  return g_variant_ref_sink (g_variant_new_from_bytes (type, bytes, trusted));
}

/* NULL: it is not normal. */
static GVariant *
part_to_normal_variant (const Part         *self,
                        const GVariantType *type)
{
  g_autoptr (GVariant) variant = part_to_variant (self, type, FALSE);

  if (g_variant_get_size (variant) != self->size || !g_variant_is_normal_form (variant))
    return NULL;

  return g_steal_pointer (&variant);
}

/* What is in this variant; NULL if that is not normal. GVariant looks at each byte of an array,
 * and there may be many millions: they are taken as they are. */
static GVariant *
reader_unbox (ConcurWireReader *self,
              Part             *boxed)
{
  const char *begin = (const char *) boxed->data;
  const char *end = begin + boxed->size;
  const char *zero = boxed->size == 0 ? NULL : memrchr (begin, '\0', boxed->size);
  const GVariantType *type;
  const char *type_end;

  if (zero == NULL || end - zero > MAX_TYPE_SIZE
      || !g_variant_type_string_scan (zero + 1, end, &type_end) || type_end != end)
    return NULL;

  type = (const GVariantType *) (zero + 1);
  if (!g_variant_type_is_definite (type))
    return NULL;

  reader_keep_type (self, type);
  boxed->size = (gsize) (zero - begin);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BYTESTRING))
    return part_to_variant (boxed, type, TRUE);

  return part_to_normal_variant (boxed, type);
}

/* Leaves the variant of a tuple with a name: the name, up to a multiple of eight, the variant,
 * and where the name ends. FALSE: that is not normal. */
static gboolean
part_take_name (Part        *self,
                const char **name)
{
  gsize size = self->size;
  const guint8 *data = self->data;
  gsize offset_size = size <= G_MAXUINT8    ? 1
                      : size <= G_MAXUINT16 ? 2
                      : size <= G_MAXUINT32 ? 4
                                            : 8;
  gsize body_size, begin;
  guint64 name_size = 0;

  if (size <= offset_size)
    return FALSE;
  body_size = size - offset_size;
  if (concur_wire_get_offset_size (body_size) != offset_size)
    return FALSE;
  for (gsize i = 0; i < offset_size; i++)
    name_size |= (guint64) data[body_size + i] << (8 * i);
  if (name_size == 0 || name_size > body_size || data[name_size - 1] != '\0')
    return FALSE;
  begin = (name_size + 7) & ~(gsize) 7;
  if (begin > body_size)
    return FALSE;
  for (gsize i = name_size; i < begin; i++)
    {
      if (data[i] != 0)
        return FALSE;
    }
  if (!g_utf8_validate_len ((const char *) data, name_size - 1, NULL))
    return FALSE;

  *name = (const char *) data;
  self->data += begin;
  self->size = body_size - begin;

  return TRUE;
}

/* FALSE: it is not normal. */
static gboolean
reader_set_body (ConcurWireReader *self,
                 ConcurWireFrame  *frame,
                 ConcurWireKind    kind,
                 Part             *body)
{
  frame->name = NULL;
  if (!concur_wire_kind_is_boxed (kind))
    frame->content = part_to_normal_variant (body, G_VARIANT_TYPE (kind_get_type (kind)));
  else if (kind != CONCUR_WIRE_CALL || part_take_name (body, &frame->name))
    frame->content = reader_unbox (self, body);

  return frame->content != NULL;
}

/* Takes the frame's descriptors off the list, and its body. */
static gboolean
reader_take_body (ConcurWireReader  *self,
                  const ConcurWireHeader      *header,
                  ConcurWireFrame   *frame,
                  GError           **error)
{
  gboolean in_memfd = (header->flags & CONCUR_WIRE_FLAG_MEMFD) != 0;
  guint n_fds = header->n_fds;
  int fds[CONCUR_WIRE_MAX_FDS + 1];
  g_autoptr (GBytes) owner = NULL;
  Part body;

  memcpy (fds, self->fds, n_fds * sizeof fds[0]);
  self->n_fds -= n_fds;
  memmove (self->fds, self->fds + n_fds, self->n_fds * sizeof fds[0]);

  if (in_memfd)
    {
      n_fds--;
      owner = map_body (fds[n_fds], header->size, error);
      close (fds[n_fds]);
      if (owner == NULL)
        {
          close_all (fds, n_fds);
          return FALSE;
        }
    }
  else if (self->large != NULL)
    {
      owner = g_bytes_new_take (g_steal_pointer (&self->large), header->size);
    }

  body.owner = owner;
  body.size = header->size;
  body.data = owner != NULL ? g_bytes_get_data (owner, NULL) : self->buffer + self->begin;
  if (owner == NULL)
    self->begin += header->size;

  if (!reader_set_body (self, frame, header->kind, &body))
    {
      close_all (fds, n_fds);
      return refuse (error, "the body of a %s frame is no %s in normal form",
                     concur_wire_kind_get_name (header->kind), kind_get_type (header->kind));
    }

  frame->kind = header->kind;
  frame->id = header->id;
  frame->fds = n_fds == 0 ? NULL : g_unix_fd_list_new_from_array (fds, (gint) n_fds);

  return TRUE;
}

/* FALSE: there is not so much memory. */
static gboolean
reader_begin_large (ConcurWireReader  *self,
                    const ConcurWireHeader      *header,
                    GError           **error)
{
  self->large = g_try_malloc (header->size);
  if (self->large == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE,
                   "There is no memory for a %s frame of %" G_GUINT64_FORMAT " bytes",
                   concur_wire_kind_get_name (header->kind), header->size);
      return FALSE;
    }

  self->large_header = *header;
  self->large_end = self->end - self->begin;
  memcpy (self->large, self->buffer + self->begin, self->large_end);
  self->begin = self->end;

  return TRUE;
}

static ConcurWireRead
reader_wait_for_more (ConcurWireReader  *self,
                      gboolean           between_frames,
                      GError           **error)
{
  if (!self->ended)
    return CONCUR_WIRE_READ_MORE;
  if (between_frames)
    return CONCUR_WIRE_READ_END;

  refuse (error, "what came ends in the middle of a frame");

  return CONCUR_WIRE_READ_BAD;
}

ConcurWireRead
concur_wire_reader_take (ConcurWireReader  *self,
                         ConcurWireFrame   *frame,
                         GError           **error)
{
  ConcurWireHeader header;

  if (self->large != NULL)
    {
      header = self->large_header;
      if (self->large_end < header.size)
        return reader_wait_for_more (self, FALSE, error);
    }
  else
    {
      gsize available = self->end - self->begin;

      if (available < CONCUR_WIRE_HEADER_SIZE)
        return reader_wait_for_more (self, available == 0, error);

      memcpy (&header, self->buffer + self->begin, sizeof header);
      if (!header_check (&header, self->max_body, error))
        return CONCUR_WIRE_READ_BAD;
      available -= CONCUR_WIRE_HEADER_SIZE;
      if (!(header.flags & CONCUR_WIRE_FLAG_MEMFD) && available < header.size)
        {
          if (header.size >= LARGE_SIZE)
            {
              self->begin += CONCUR_WIRE_HEADER_SIZE;
              if (!reader_begin_large (self, &header, error))
                return CONCUR_WIRE_READ_BAD;
            }
          return reader_wait_for_more (self, FALSE, error);
        }
      self->begin += CONCUR_WIRE_HEADER_SIZE;
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
concur_wire_reader_has_ended (const ConcurWireReader *self)
{
  return self->ended;
}

gboolean
concur_wire_reader_is_empty (const ConcurWireReader *self)
{
  return self->begin == self->end && self->large == NULL && self->n_fds == 0;
}
