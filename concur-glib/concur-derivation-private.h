/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* What a future derives from: the futures whose outcome decides its own.
 *
 * A derivation stands between the inputs and the derived future. It owns all of them,
 * and each input that is not done owns a part of it, so a chain that everybody else has
 * forgotten still completes. The derived future lets it go when it is done; then the
 * inputs are told that nobody waits any more, and are cancelled if that is wanted.
 *
 * Nothing here recurses: inputs are told and cancelled by the trampoline of the direct
 * callbacks, so a chain may have any length. */

#pragma once

#include "concur-future-private.h"

G_BEGIN_DECLS

typedef struct _ConcurInput ConcurInput;

typedef enum
{
  CONCUR_DERIVE_PLAIN   = 0,
  /* cancelling the derived future cancels the inputs */
  CONCUR_DERIVE_CANCELS = 1 << 0,
  /* something besides the inputs completes it, such as a timer */
  CONCUR_DERIVE_ENDS    = 1 << 1,
  /* the derived future is a held job: also one that was abandoned ends with the answer */
  CONCUR_DERIVE_HOLDS   = 1 << 2,
} ConcurDeriveFlags;

/* An input is done. On the completing thread, not nested, no lock held; @self stays
 * alive meanwhile. */
typedef void (*ConcurInputFunc) (ConcurDerivation *self,
                                 ConcurInput      *input);

struct _ConcurInput
{
  ConcurCallback callback;
  ConcurDerivation *derivation; /* a reference while connected */
  ConcurFuture *future;         /* (owned) immutable */

  /* immutable once connected */
  gboolean no_wait;             /* only here to be cancelled */
  gboolean no_cancel;           /* goes on when the others are cancelled */
};

struct _ConcurDerivation
{
  ConcurHomeItem item;          /* to cancel the inputs, later to go home */

  /* immutable */
  ConcurDeriveFlags flags;
  ConcurHome *home;             /* held: where the whole is let go */
  ConcurFuture *derived;        /* (owned) */
  ConcurInputFunc input_done;
  GDestroyNotify finalize;      /* (nullable) what is beyond this structure */
  guint n_inputs;
  ConcurInput *inputs;
  /* (nullable) The derived future is done. As input_done, but may come more than once and
   * from several threads at a time. Set before it is connected. */
  void (*ended) (ConcurDerivation *self);

  /* atomic */
  ConcurWord refs;
  ConcurWord n_waiting;         /* inputs that input_done was not called for */
  ConcurWord cancel_rest;       /* cancel the inputs when the derived future is done */
};

/* A structure of @size bytes that begins with a derivation. @inputs may have duplicates. */
gpointer          concur_derivation_new           (gsize              size,
                                                   ConcurFuture      *derived,
                                                   ConcurFuture     **inputs,
                                                   guint              n_inputs,
                                                   ConcurDeriveFlags  flags,
                                                   ConcurInputFunc    input_done,
                                                   GDestroyNotify     finalize);
/* Before it is connected; takes over a hold on @home, which is the calling
 * thread's otherwise. */
void              concur_derivation_set_home      (gpointer           self,
                                                   ConcurHome        *home);
gpointer          concur_derivation_ref           (gpointer           self);
void              concur_derivation_unref         (gpointer           self);

/* From here on the derived future knows its inputs, and they will tell. @self may be
 * gone when it returns, unless the caller has a reference besides the one it gives away. */
void              concur_derivation_connect       (gpointer           self);

/* The inputs have done their part: the derived future goes on alone. */
void              concur_derivation_detach        (gpointer           self);

/* Cancels all inputs, once this thread has nothing else to tell. */
void              concur_derivation_cancel_inputs (gpointer           self);

/* Called when a future with CONCUR_STATE_DERIVED gets done. */
void              concur_derivation_settled       (ConcurFuture      *derived);
/* Called when one that runs is asked to stop. */
void              concur_derivation_cancelled     (ConcurFuture      *derived);

/* A reference to what @future derives from, or NULL. */
ConcurDerivation *concur_derivation_of            (ConcurFuture      *future);

/* Waiting for it here could never end: all that could complete it needs this thread. */
gboolean          concur_derivation_would_deadlock (ConcurFuture     *future);

/* Completes @self with the outcome of @other, which is done. */
gboolean          concur_future_answer_from       (ConcurFuture      *self,
                                                   ConcurFuture      *other);

G_END_DECLS
