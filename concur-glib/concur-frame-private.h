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

#define CONCUR_FRAME_VERSION 1

/* "cgf1", in the order of the machine's bytes: a worker of another one cannot be meant. */
#define CONCUR_FRAME_MAGIC 0x63676631u

#define CONCUR_FRAME_HEADER_SIZE 24

/* The kernel takes 253 at once. */
#define CONCUR_FRAME_MAX_FDS 64

/* Bodies from this size on travel as a memfd, which costs some system calls, but not two
 * copies through the socket. Measured: see tests/performance/README.md. */
#define CONCUR_FRAME_MEMFD_SIZE (256 * 1024)

#define CONCUR_FRAME_DEFAULT_MAX_BODY (G_GUINT64_CONSTANT (256) * 1024 * 1024)

typedef enum
{
  /* to the worker */
  CONCUR_FRAME_HELLO = 1,    /* (uta{sv}): version, largest body, options */
  CONCUR_FRAME_CALL = 2,     /* (sv): name, arguments */
  CONCUR_FRAME_MAP = 3,      /* (sav): name, the arguments of each call */

  /* from the worker */
  CONCUR_FRAME_READY = 16,   /* (uta{sv}): version, largest body, options */
  CONCUR_FRAME_RESULT = 17,  /* v; of a map av */
  CONCUR_FRAME_ERROR = 18,   /* (sisa{sv}): domain, code, message, details */
  CONCUR_FRAME_PROGRESS = 19, /* d */
  CONCUR_FRAME_STATUS = 20,  /* ms */
  CONCUR_FRAME_ITEM = 21,    /* v: a value of a stream */
} ConcurFrameKind;

typedef struct
{
  ConcurFrameKind kind;
  guint64 id;
  GVariant *body;            /* (owned) */
  GUnixFDList *fds;          /* (owned) (nullable) */
} ConcurFrame;

typedef struct _ConcurFrameReader ConcurFrameReader;

typedef enum
{
  CONCUR_FRAME_READ_DONE,    /* a frame was taken */
  CONCUR_FRAME_READ_MORE,    /* there is no whole one */
  CONCUR_FRAME_READ_END,     /* the other end has gone, between two frames */
  CONCUR_FRAME_READ_BAD,     /* the error says what was wrong: not to be used any more */
} ConcurFrameRead;

const char        *concur_frame_kind_get_name    (ConcurFrameKind       kind);
void               concur_frame_clear            (ConcurFrame          *frame);

ConcurFrameReader *concur_frame_reader_new       (guint64               max_body);
void               concur_frame_reader_free      (ConcurFrameReader    *self);
/* What has come, from wherever; the descriptors are taken over. */
void               concur_frame_reader_feed      (ConcurFrameReader    *self,
                                                  gconstpointer         data,
                                                  gsize                 size,
                                                  const int            *fds,
                                                  guint                 n_fds);
/* Takes what the socket has at this moment. FALSE: nothing more will come, and @error is
 * set if that is for another reason than the other end's going. */
gboolean           concur_frame_reader_fill      (ConcurFrameReader    *self,
                                                  int                   socket,
                                                  GError              **error);
ConcurFrameRead    concur_frame_reader_take      (ConcurFrameReader    *self,
                                                  ConcurFrame          *frame,
                                                  GError              **error);

/* A frame on its way out. */
typedef struct
{
  guint8 *data;              /* (owned): the header, and the body unless it is in a memfd */
  gsize size;
  gsize sent;
  int fds[CONCUR_FRAME_MAX_FDS + 1];
  guint n_fds;
  int memfd;                 /* (owned), -1 if there is none */
} ConcurFrameWriter;

/* @body: a floating one is consumed. The descriptors of @fds stay the caller's until the
 * writer is cleared. */
gboolean           concur_frame_writer_init      (ConcurFrameWriter    *self,
                                                  ConcurFrameKind       kind,
                                                  guint64               id,
                                                  GVariant             *body,
                                                  GUnixFDList          *fds,
                                                  guint64               max_body,
                                                  GError              **error);
void               concur_frame_writer_clear     (ConcurFrameWriter    *self);
/* Sends what goes at this moment. FALSE: the other end has gone, or @error is set. */
gboolean           concur_frame_writer_send      (ConcurFrameWriter    *self,
                                                  int                   socket,
                                                  GError              **error);

static inline gboolean
concur_frame_writer_is_done (const ConcurFrameWriter *self)
{
  return self->sent == self->size;
}

G_END_DECLS
