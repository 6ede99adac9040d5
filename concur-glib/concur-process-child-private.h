/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* A worker process, from its start to the moment when it was waited for. It belongs to one
 * thread at a time; only the descriptor that wakes that thread may be touched by others. */

#pragma once

#include <sys/types.h>

#include "concur-wire-private.h"
#include "concur-sync-private.h"

G_BEGIN_DECLS

/* How long an answer is waited for by a receive that blocks: whatever else may end the call is
 * seen so much later. It takes half the time that a poll () and a receive do, and where an
 * answer takes longer than this, that half does not matter. */
#define CONCUR_PROCESS_PROMPT_US (4 * G_TIME_SPAN_MILLISECOND)

/* How workers are started and treated. Immutable once there is a pool. */
typedef struct
{
  char *name;
  char **command;
  char **environment;            /* (nullable): that of the program */
  char *directory;               /* (nullable): that of the program */
  GVariant *options;             /* (nullable) a{sv}: told to each */
  guint min_workers;
  guint max_calls;               /* 0: any number */
  gint64 start_timeout_us;       /* -1: none, here and below */
  gint64 call_timeout_us;
  gint64 grace_us;
  guint64 max_message;
  guint64 max_memory;            /* bytes of address space; 0: no limit of ours, here and below */
  guint64 max_cpu;               /* seconds */
  guint64 max_files;
} ConcurProcessSettings;

void                concur_process_settings_clear  (ConcurProcessSettings        *self);

typedef struct
{
  /* immutable */
  const ConcurProcessSettings *settings;
  pid_t pid;
  int socket;                    /* (owned) */
  int waker;                     /* (owned): an eventfd, for any thread */
  guint64 max_body;              /* the largest the worker takes */

  /* who has it */
  ConcurWireReader *reader;      /* (owned) */
  int messages;                  /* (owned): what it writes to stderr; -1 when nobody can any more */
  GString *tail;                 /* the end of what it wrote */
  guint64 last_id;
  gint64 last_seen;              /* µs: when its last answer was taken */
  guint n_calls;
  int status;                    /* as of waitpid (), once it is over */
  gboolean is_over;
  gboolean is_unknown;           /* somebody else was told the status */
  gboolean is_unheard;           /* the program's own stderr is full */
} ConcurProcessChild;

/* Starts a worker and waits until it is ready. @child is set as soon as there is a process,
 * so that it can be looked at; NULL again if it was not to be. */
ConcurProcessChild *concur_process_child_start     (const ConcurProcessSettings  *settings,
                                                    GCancellable                 *cancellable,
                                                    GError                      **error);
/* Whether it is still there, with nothing to say, as becomes a worker without a call. */
gboolean            concur_process_child_is_idle   (ConcurProcessChild           *self);
/* Reads what it wrote to stderr, and passes it on. */
void                concur_process_child_listen    (ConcurProcessChild           *self);
/* Asks it to leave what it is doing. */
void                concur_process_child_interrupt (ConcurProcessChild           *self);
/* Lets go of it: it has no more calls. Waits for its end, and kills it if it does not come. */
void                concur_process_child_end       (ConcurProcessChild           *self);
/* The same at once. Can be called before the other. */
void                concur_process_child_kill      (ConcurProcessChild           *self);
void                concur_process_child_wake      (ConcurProcessChild           *self);
/* What became of it, and the last that it said. After kill () or end_of_stream (). */
char               *concur_process_child_describe  (ConcurProcessChild           *self);
/* The worker has closed its end: it has ended, or is killed. */
void                concur_process_child_lost      (ConcurProcessChild           *self);
void                concur_process_child_free      (ConcurProcessChild           *self);

G_END_DECLS
