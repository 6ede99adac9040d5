/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The frames between a program and its worker processes: doc/worker-protocol.md shows them
 * byte by byte.
 *
 * Whatever comes from the other end is taken for hostile until it was looked at: lengths
 * are checked before anything is allocated, a body is a GVariant of the one type its kind
 * has, in normal form. Nothing here waits for anybody else, and nothing knows what a frame
 * means. */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define CONCUR_WIRE_VERSION 1

/* "cgf1", in the order of the machine's bytes: a worker of another one cannot be meant. */
#define CONCUR_WIRE_MAGIC 0x63676631u

#define CONCUR_WIRE_HEADER_SIZE 24

/* The kernel takes 253 at once. */
#define CONCUR_WIRE_MAX_FDS 64

/* Bodies from this size on travel as a memfd. Below it the two copies through the socket
 * take less time than the kernel needs for fresh memory in a file: 0.4 of it up to 16 MiB,
 * the same at 64 MiB. See tests/performance/README.md. */
#define CONCUR_WIRE_MEMFD_SIZE (32 * 1024 * 1024)

#define CONCUR_WIRE_DEFAULT_MAX_BODY (G_GUINT64_CONSTANT (256) * 1024 * 1024)

typedef enum
{
  /* to the worker */
  CONCUR_WIRE_HELLO = 1,    /* (uta{sv}): version, largest body, options */
  CONCUR_WIRE_CALL = 2,     /* (sv): name, arguments, which are the content */
  CONCUR_WIRE_MAP = 3,      /* (sav): name, the arguments of each call */

  /* from the worker */
  CONCUR_WIRE_READY = 16,   /* (uta{sv}): version, largest body, options */
  CONCUR_WIRE_RESULT = 17,  /* v: the answer, of a map an av, which is the content */
  CONCUR_WIRE_ERROR = 18,   /* (sisa{sv}): domain, code, message, details */
  CONCUR_WIRE_PROGRESS = 19, /* d */
  CONCUR_WIRE_STATUS = 20,  /* ms */
  CONCUR_WIRE_ITEM = 21,    /* v: a value of a stream, which is the content */
} ConcurWireKind;

typedef struct
{
  ConcurWireKind kind;
  guint64 id;
  const char *name;          /* (nullable): of a CALL; until the reader is fed again */
  GVariant *content;         /* (owned): the body, or what is in the variant of it */
  GUnixFDList *fds;          /* (owned) (nullable) */
} ConcurWireFrame;

typedef struct _ConcurWireReader ConcurWireReader;

typedef enum
{
  CONCUR_WIRE_READ_DONE,    /* a frame was taken */
  CONCUR_WIRE_READ_MORE,    /* there is no whole one */
  CONCUR_WIRE_READ_END,     /* the other end has gone, between two frames */
  CONCUR_WIRE_READ_BAD,     /* the error says what was wrong: not to be used any more */
} ConcurWireRead;

const char       *concur_wire_kind_get_name   (ConcurWireKind     kind);
void              concur_wire_clear           (ConcurWireFrame   *frame);

ConcurWireReader *concur_wire_reader_new      (guint64            max_body);
/* Of the frames that come from now on. */
void              concur_wire_reader_set_max_body
                                              (ConcurWireReader  *self,
                                               guint64            max_body);
void              concur_wire_reader_free     (ConcurWireReader  *self);
/* What has come, from wherever; the descriptors are taken over. */
void              concur_wire_reader_feed     (ConcurWireReader  *self,
                                               gconstpointer      data,
                                               gsize              size,
                                               const int         *fds,
                                               guint              n_fds);
/* Takes what the socket has at this moment; with @wait, waits until it has something, or for
 * as long as the socket says. FALSE:
 * nothing more will come, and @error is set if that is for another reason than the other
 * end's going. */
gboolean          concur_wire_reader_fill     (ConcurWireReader  *self,
                                               int                socket,
                                               gboolean           wait,
                                               GError           **error);
/* Whether the other end has gone. */
gboolean          concur_wire_reader_has_ended (const ConcurWireReader *self);
/* Whether nothing came that was not taken. */
gboolean          concur_wire_reader_is_empty (const ConcurWireReader *self);
ConcurWireRead    concur_wire_reader_take     (ConcurWireReader  *self,
                                               ConcurWireFrame   *frame,
                                               GError           **error);

/* A frame on its way out. */
typedef struct
{
  guint8 *data;              /* (owned): the header, and what is not elsewhere of the body */
  gsize size;                /* of all that goes through the socket */
  gsize sent;
  GVariant *content;         /* (owned) (nullable): a large value in the middle of it */
  gconstpointer content_data;
  gsize content_begin;
  gsize content_size;
  int fds[CONCUR_WIRE_MAX_FDS + 1];
  guint n_fds;
  int memfd;                 /* (owned), -1 if there is none */
} ConcurWireWriter;

/* @name: of a CALL. @content: the body, or what is in the variant of it; a floating one is
 * consumed. The descriptors of @fds stay the caller's until the writer is cleared. */
gboolean          concur_wire_writer_init     (ConcurWireWriter  *self,
                                               ConcurWireKind     kind,
                                               guint64            id,
                                               const char        *name,
                                               GVariant          *content,
                                               GUnixFDList       *fds,
                                               guint64            max_body,
                                               GError           **error);
void              concur_wire_writer_clear    (ConcurWireWriter  *self);
/* Sends what goes at this moment. FALSE: the other end has gone, or @error is set. */
gboolean          concur_wire_writer_send     (ConcurWireWriter  *self,
                                               int                socket,
                                               GError           **error);

static inline gboolean
concur_wire_writer_is_done (const ConcurWireWriter *self)
{
  return self->sent == self->size;
}

G_END_DECLS
