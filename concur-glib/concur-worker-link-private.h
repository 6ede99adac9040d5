/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A worker process' end of the connection to its program: what the worker and its calls
 * share. */

#pragma once

#include "concur-wire-private.h"
#include "concur-sync-private.h"
#include "concur-worker-call.h"
#include "concur-worker-map-private.h"

G_BEGIN_DECLS

/* Where the program has put the socket. */
#define CONCUR_WORKER_FD_VARIABLE "CONCUR_WORKER_FD"

/* Whether the program wants a call to be stopped. Protected by the lock of the link. */
typedef struct
{
  gboolean is_raised;
  GCancellable *cancellable;     /* (owned) (nullable): made when it is asked for */
} ConcurInterruption;

typedef struct
{
  ConcurWord refs;               /* atomic */

  /* immutable */
  int socket;                    /* owned */
  guint64 max_body;              /* the largest the other end takes */

  /* the thread that asks for calls */
  ConcurWireReader *reader;     /* (owned) */

  /* protected by lock */
  ConcurLock lock;
  ConcurInterruption *running;   /* not counted (nullable): of the call that is being answered */
  gboolean is_asking;            /* for the next call */
  guint64 forgotten;             /* the call that went away without an answer, or 0 */

  /* protected by sending: held over a whole frame, so that two do not mix */
  ConcurLock sending;
  gboolean is_broken;
} ConcurWorkerLink;

/* Takes over @socket. */
ConcurWorkerLink *concur_worker_link_new             (int                 socket);
ConcurWorkerLink *concur_worker_link_ref             (ConcurWorkerLink   *self);
void              concur_worker_link_unref           (ConcurWorkerLink   *self);

/* Waits for the next frame. */
ConcurWireRead    concur_worker_link_read            (ConcurWorkerLink   *self,
                                                      ConcurWireFrame    *frame,
                                                      GError            **error);
/* Sends a whole frame, however long that takes; a floating @content is consumed. */
gboolean          concur_worker_link_send            (ConcurWorkerLink   *self,
                                                      ConcurWireKind      kind,
                                                      guint64             id,
                                                      GVariant           *content,
                                                      GUnixFDList        *fds,
                                                      GError            **error);

/* Ends the connection: the program cannot be told what it waits for. */
void              concur_worker_link_break           (ConcurWorkerLink   *self);

/* What is raised when the program asks the worker to stop, until it is unset, or another one
 * takes its place. */
void              concur_worker_link_set_running     (ConcurWorkerLink   *self,
                                                      ConcurInterruption *interruption);
void              concur_worker_link_unset_running   (ConcurWorkerLink   *self,
                                                      ConcurInterruption *interruption);
void              concur_worker_link_interrupt       (ConcurWorkerLink   *self);
gboolean          concur_worker_link_is_interrupted  (ConcurWorkerLink   *self,
                                                      ConcurInterruption *interruption);
GCancellable     *concur_worker_link_get_cancellable (ConcurWorkerLink   *self,
                                                      ConcurInterruption *interruption);

/* The call went away without an answer. The program is told once the worker asks for the next
 * one: a process that ends drops what it has, and must not be taken for one that goes on. */
void              concur_worker_link_forget          (ConcurWorkerLink   *self,
                                                      guint64             id);
void              concur_worker_link_ask             (ConcurWorkerLink   *self,
                                                      gboolean            is_asking);

/* Starts the thread that listens to the signal and looks whether the program is there. */
gboolean          concur_worker_link_watch           (ConcurWorkerLink   *self,
                                                      GError            **error);

/* @map: (nullable): what it is the one of that was taken last. */
ConcurWorkerCall *concur_worker_call_new             (ConcurWorkerLink   *link,
                                                      guint64             id,
                                                      const char         *name,
                                                      GVariant           *arguments,
                                                      GUnixFDList        *fds,
                                                      ConcurWorkerMap    *map);
gboolean          concur_worker_call_is_answered     (ConcurWorkerCall   *self);

G_END_DECLS
